/* The file: who may read it, and what is refused with words that help. */
#include "store_rig.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned mode_of(const struct rig *r, const char *suffix)
{
    char name[128];
    struct stat st;
    snprintf(name, sizeof name, "%s%s", r->path, suffix);
    if (stat(name, &st))
        fail_msg("%s is not there", name);
    return st.st_mode & 07777;
}

static void assert_private(const struct rig *r)
{
    assert_int_equal(mode_of(r, ""), 0600);
    assert_int_equal(mode_of(r, "-wal"), 0600);
    assert_int_equal(mode_of(r, "-shm"), 0600);
}

static void test_private_whatever_the_umask(void **state)
{
    struct rig *r = *state;
    mode_t before = umask(0);
    rig_open(r);
    rig_put(r, "alice", "resp_1", "");
    RIG_UNTIL(rig_stats(r).written == 1);
    umask(before);
    assert_private(r);
}

static void test_private_under_a_closed_umask(void **state)
{
    struct rig *r = *state;
    mode_t before = umask(0777);
    rig_open(r);
    rig_put(r, "alice", "resp_1", "");
    RIG_UNTIL(rig_stats(r).written == 1);
    umask(before);
    assert_private(r);
}

static void test_made_private_again(void **state)
{
    struct rig *r = *state;
    rig_open(r);
    rig_close(r);
    assert_int_equal(chmod(r->path, 0666), 0);
    rig_open(r);
    rig_put(r, "alice", "resp_1", "");
    RIG_UNTIL(rig_stats(r).written == 1);
    assert_private(r);
}

static void test_no_such_folder(void **state)
{
    struct rig *r = *state;
    char path[sizeof r->path];
    memcpy(path, r->path, sizeof path);
    snprintf(r->path, sizeof r->path, "%s/not/here.db", r->dir);
    assert_has(rig_refused(r), "No such file or directory");
    memcpy(r->path, path, sizeof path);
}

static void test_folder(void **state)
{
    struct rig *r = *state;
    char path[sizeof r->path];
    memcpy(path, r->path, sizeof path);
    snprintf(r->path, sizeof r->path, "%s", r->dir);
    assert_has(rig_refused(r), "Is a directory");
    memcpy(r->path, path, sizeof path);
}

static void test_pipe(void **state)
{
    struct rig *r = *state;
    assert_int_equal(mkfifo(r->path, 0600), 0);
    assert_has(rig_refused(r), "is not a regular file"); /* and does not wait for a writer */
}

/* Refuses the file with these words, and leaves its bytes alone. */
static void refuse_file(struct rig *r, const char *bytes, size_t n, const char *words)
{
    char *after = mem_zalloc(n + 1);
    FILE *f = fopen(r->path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
    struct str problem = rig_refused(r);
    assert_has(problem, words);
    assert_has(problem, "move");
    f = fopen(r->path, "rb");
    assert_int_equal(fread(after, 1, n + 1, f), n);
    assert_memory_equal(after, bytes, n);
    fclose(f);
    mem_free(after);
}

static void test_not_a_database(void **state)
{
    char garbage[8192];
    memset(garbage, 'g', sizeof garbage);
    refuse_file(*state, garbage, sizeof garbage, "is damaged, or is no sessions file");
    refuse_file(*state, "short", 5, "is damaged, or is no sessions file");
}

/* A whole file: its bytes, committed and checkpointed. */
static size_t good_file(struct rig *r, char **ret_bytes)
{
    rig_open(r);
    for (int i = 0; i < 40; i++) {
        char id[24];
        snprintf(id, sizeof id, "resp_%d", i);
        assert_int_equal(rig_put_sized(r, "alice", id, "", 2000, 'x'), ERR_OK);
    }
    rig_close(r);
    FILE *f = fopen(r->path, "rb");
    fseek(f, 0, SEEK_END);
    size_t n = (size_t)ftell(f);
    rewind(f);
    *ret_bytes = mem_alloc(n);
    assert_int_equal(fread(*ret_bytes, 1, n, f), n);
    fclose(f);
    assert_true(n > 40 * 2000);
    return n;
}

static void test_damaged_schema(void **state)
{
    struct rig *r = *state;
    char *bytes;
    size_t n = good_file(r, &bytes);
    memset(bytes + 100, 0xa5, 3996); /* the first page after the header */
    refuse_file(r, bytes, n, "is damaged, or is no sessions file");
    mem_free(bytes);
}

static void test_cut_short(void **state)
{
    struct rig *r = *state;
    char *bytes;
    (void)good_file(r, &bytes);
    refuse_file(r, bytes, 4096, "is damaged, or is no sessions file");
    refuse_file(r, bytes, 5000, "is damaged, or is no sessions file");
    refuse_file(r, bytes, 60, "is damaged, or is no sessions file");
    mem_free(bytes);
}

/* Wherever pages are damaged: refused, or errors and gaps later, and never more than that. */
static void test_damaged_pages(void **state)
{
    struct rig *r = *state;
    char *bytes;
    size_t n = good_file(r, &bytes);
    unsigned io_errors = 0;
    for (size_t page = 1; page < n / 4096; page++) {
        char kept[4096];
        memcpy(kept, bytes + page * 4096, 4096);
        memset(bytes + page * 4096, page % 2 ? 0xff : 0x05, 4096);
        FILE *f = fopen(r->path, "wb");
        assert_int_equal(fwrite(bytes, 1, n, f), n);
        fclose(f);
        memcpy(bytes + page * 4096, kept, 4096);
        struct str problem;
        if (sessions_open_with(r->path, &r->limits, &r->tuning, rig_seconds, r->arena, &r->s,
                               &problem)) {
            assert_has(problem, "damaged");
            continue;
        }
        for (int i = 0; i < 40; i++) {
            char id[24];
            snprintf(id, sizeof id, "resp_%d", i);
            io_errors += rig_turn_err(r, "alice", id) == ERR_IO;
        }
        (void)rig_put_sized(r, "alice", "resp_new", "", 9000, 'y');
        (void)rig_delete(r, "alice", "resp_3");
        sessions_limit(r->s, &(struct session_limits){ .file_bytes_max = 1 });
        rig_idle(r);
        rig_close(r);
    }
    assert_true(io_errors > 0);
    mem_free(bytes);
}

static void test_newer(void **state)
{
    struct rig *r = *state;
    rig_open(r);
    rig_close(r);
    char text[16];
    rig_sql(r, "PRAGMA user_version = 2", text, sizeof text);
    struct str problem = rig_refused(r);
    assert_has(problem, "was written by a newer weir");
    assert_has(problem, "its schema is 2, this weir knows 1");
    rig_sql(r, "PRAGMA user_version", text, sizeof text);
    assert_string_equal(text, "2");
    rig_sql(r, "PRAGMA user_version = 1", text, sizeof text);
    rig_open(r);
}

static void test_of_another_program(void **state)
{
    struct rig *r = *state;
    char text[64];
    FILE *f = fopen(r->path, "wb");
    fclose(f);
    rig_sql(r, "CREATE TABLE theirs(x); INSERT INTO theirs VALUES('kept')", text, sizeof text);
    assert_has(rig_refused(r), "is a database, but not of weir's sessions");
    rig_sql(r, "PRAGMA user_version = 7", text,
            sizeof text); /* their number, not a newer one of ours */
    assert_has(rig_refused(r), "is a database, but not of weir's sessions");
    rig_sql(r, "SELECT x FROM theirs", text, sizeof text);
    assert_string_equal(text, "kept");
    rig_sql(r, "PRAGMA journal_mode", text, sizeof text);
    assert_string_equal(text, "delete"); /* not even that was changed */
}

static void test_table_missing(void **state)
{
    struct rig *r = *state;
    char text[16];
    rig_open(r);
    rig_close(r);
    rig_sql(r, "DROP TABLE turn", text, sizeof text);
    assert_has(rig_refused(r), "no such table: turn");
}

static void test_empty_file(void **state)
{
    struct rig *r = *state;
    FILE *f = fopen(r->path, "wb");
    fclose(f);
    rig_open(r);
    rig_put(r, "alice", "resp_1", "");
    assert_int_equal(rig_turn_err(r, "alice", "resp_1"), ERR_OK);
}

static void test_locked(void **state)
{
    struct rig *r = *state;
    rig_open(r);
    rig_close(r);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(r->path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE", NULL, NULL, NULL),
        SQLITE_OK);
    assert_has(rig_refused(r), "is in use by another program");
    sqlite3_close(db);
    rig_open(r);
}

/* The path is a path: nothing in it is an option of SQLite's. */
static void test_path_is_no_uri(void **state)
{
    struct rig *r = *state;
    char path[sizeof r->path];
    memcpy(path, r->path, sizeof path);
    snprintf(r->path, sizeof r->path, "%s/s.db?mode=memory", r->dir);
    rig_open(r);
    rig_put(r, "alice", "resp_1", "");
    rig_close(r);
    assert_int_equal(access(r->path, F_OK), 0);
    memcpy(r->path, path, sizeof path);
}

static void test_public_open(void **state)
{
    struct rig *r = *state;
    struct str problem;
    assert_int_equal(sessions_open(r->path, &r->limits, rig_seconds, r->arena, &r->s, &problem),
                     ERR_OK);
    assert_true(sessions_ready(r->s));
    rig_put(r, "alice", "resp_1", "");
    assert_int_equal(rig_turn_err(r, "alice", "resp_1"), ERR_OK);
    rig_close(r);
    sessions_close(NULL);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_private_whatever_the_umask),
        CASE(test_private_under_a_closed_umask),
        CASE(test_made_private_again),
        CASE(test_no_such_folder),
        CASE(test_folder),
        CASE(test_pipe),
        CASE(test_not_a_database),
        CASE(test_damaged_schema),
        CASE(test_cut_short),
        CASE(test_damaged_pages),
        CASE(test_newer),
        CASE(test_of_another_program),
        CASE(test_table_missing),
        CASE(test_empty_file),
        CASE(test_locked),
        CASE(test_path_is_no_uri),
        CASE(test_public_open),
    };
    return cmocka_run_group_tests_name("store/sessions_open", tests, NULL, NULL);
}
