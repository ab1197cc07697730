/* kill -9 in the middle of writing: what was committed is there, in order, and the file is whole.
 *
 *   test_sessions_kill WRITER */
#include "store_rig.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

struct place {
    struct rig rig;
    char *writer;
};

/* Starts the writer; its standard output comes out of *ret_fd. */
static pid_t start(const struct place *p, const char *run, int *ret_fd)
{
    int fds[2];
    pid_t pid;
    posix_spawn_file_actions_t actions;
    assert_int_equal(pipe(fds), 0);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, fds[0]);
    posix_spawn_file_actions_addclose(&actions, fds[1]);
    char path[sizeof p->rig.path], name[16];
    snprintf(path, sizeof path, "%s", p->rig.path);
    snprintf(name, sizeof name, "%s", run);
    char *const argv[] = { p->writer, path, name, NULL };
    assert_int_equal(posix_spawn(&pid, p->writer, &actions, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(fds[1]);
    *ret_fd = fds[0];
    return pid;
}

/* Lets it write for a while, kills it; what it said last before its end. */
static unsigned long long run_and_kill(const struct place *p, const char *run, unsigned batches)
{
    int fd, status;
    pid_t pid = start(p, run, &fd);
    char text[65536];
    size_t n = 0;
    ssize_t got;
    for (unsigned lines = 0; lines < batches; lines++) {
        got = read(fd, text + n, 32);
        if (got <= 0)
            fail_msg("the writer ended by itself");
        n += (size_t)got;
    }
    /* somewhere within a batch */
    nanosleep(&(struct timespec){ .tv_nsec = 1000000 + (long)batches * 7000000 % 50000000 }, NULL);
    kill(pid, SIGKILL);
    while ((got = read(fd, text + n, sizeof text - 1 - n)) > 0)
        n += (size_t)got;
    close(fd);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    text[n] = '\0';
    char *last = text;
    for (char *at = text; (at = strchr(at, '\n')) && at[1]; at++)
        if (strchr(at + 1, '\n'))
            last = at + 1;
    return strtoull(last, NULL, 10);
}

static void assert_there(struct rig *r, const char *run, unsigned long long n)
{
    char id[64];
    snprintf(id, sizeof id, "resp_%s_%llu", run, n);
    struct session_result *got = rig_chain(r, "alice", id);
    if (got->err)
        fail_msg("%s was committed and is not there: %s", id, err_name(got->err));
    assert_int_equal(got->chain_count, n % 20 + 1);
    const struct session_turn *t = &got->chain[got->chain_count - 1];
    assert_str(t->output, id);
    assert_int_equal(t->input.len, n * 37 % 4096);
    for (size_t i = 0; i < t->input.len; i++)
        assert_int_equal(t->input.p[i], 'a' + (int)(n % 26));
    session_result_free(got);
}

/* Rows are a prefix of what was put: a later one is never there without those before it. */
static void assert_prefix(struct rig *r, const char *run, unsigned long long committed)
{
    char sql[256], text[32];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM turn WHERE id GLOB 'resp_%s_*'", run);
    rig_sql(r, sql, text, sizeof text);
    unsigned long long count = strtoull(text, NULL, 10);
    assert_true(count >= committed);
    snprintf(sql, sizeof sql,
             "SELECT max(CAST(substr(id, %zu) AS INTEGER)) FROM turn WHERE id GLOB 'resp_%s_*'",
             strlen("resp__") + strlen(run) + 1, run);
    rig_sql(r, sql, text, sizeof text);
    assert_int_equal(strtoull(text, NULL, 10) + 1, count);
}

static void test_killed(void **state)
{
    struct place *p = *state;
    struct rig *r = &p->rig;
    unsigned long long committed[6], total = 0;
    for (unsigned run = 0; run < 6; run++) {
        char name[16], text[32];
        snprintf(name, sizeof name, "%u", run);
        committed[run] = run_and_kill(p, name, 1 + run);
        assert_true(committed[run] > 0);
        total += committed[run];
        rig_open(r); /* recovers what the log holds */
        for (unsigned long long n = 0; n < committed[run]; n++)
            assert_there(r, name, n);
        assert_true(rig_stats(r).rows >= total);
        assert_prefix(r, name, committed[run]);
        rig_sql(r,
                "SELECT (SELECT rows FROM total) = (SELECT count(*) FROM turn)"
                " AND (SELECT bytes FROM total) = (SELECT sum(bytes) FROM turn)",
                text, sizeof text);
        assert_string_equal(text, "1");
        rig_sql(r, "PRAGMA integrity_check", text, sizeof text);
        assert_string_equal(text, "ok");
        if (run % 2) /* and with a file that another kill left */
            rig_close(r);
        else
            rig_again(r), rig_close(r);
    }
    rig_open(r);
    for (unsigned run = 0; run < 6; run++) {
        char name[16];
        snprintf(name, sizeof name, "%u", run);
        assert_there(r, name, committed[run] - 1);
    }
}

/* Killed while the file is being made: the next start has a file that works. */
static void test_killed_at_start(void **state)
{
    struct place *p = *state;
    struct rig *r = &p->rig;
    for (unsigned run = 0; run < 12; run++) {
        int fd, status;
        pid_t pid = start(p, "x", &fd);
        nanosleep(&(struct timespec){ .tv_nsec = (long)run * 8000000 }, NULL);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        close(fd);
        rig_open(r);
        rig_put(r, "alice", "resp_1", "");
        assert_int_equal(rig_turn_err(r, "alice", "resp_1"), ERR_OK);
        rig_close(r);
        char name[128];
        static const char *const files[] = { "", "-wal", "-shm" };
        for (size_t i = 0; i < 3; i++) {
            snprintf(name, sizeof name, "%s%s", r->path, files[i]);
            if (unlink(name))
                assert_int_equal(errno, ENOENT);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: test_sessions_kill WRITER\n");
        return 2;
    }
    struct place p = { .writer = argv[1] };
    rig_init(&p.rig);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(test_killed_at_start, &p),
        cmocka_unit_test_prestate(test_killed, &p),
    };
    int failed = cmocka_run_group_tests_name("store/sessions_kill", tests, NULL, NULL);
    rig_done(&p.rig);
    return failed;
}
