#include "store_rig.h"

#include <dirent.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

_Atomic uint64_t rig_now_s;

uint64_t rig_seconds(void)
{
    return atomic_load(&rig_now_s);
}

void rig_init(struct rig *r)
{
    const char *tmp = getenv("TMPDIR");
    *r = (struct rig){ .tuning = { .commit_us = SESSIONS_COMMIT_MS * 1000,
                                   .purge_us = 3600 * 1000000ULL,
                                   .retry_us = 20000 } };
    snprintf(r->dir, sizeof r->dir, "%s/weir-sessions-XXXXXX",
             tmp && strlen(tmp) < 32 ? tmp : "/tmp");
    assert_non_null(mkdtemp(r->dir));
    snprintf(r->path, sizeof r->path, "%s/sessions.db", r->dir);
    r->arena = arena_new();
    atomic_store(&rig_now_s, RIG_START_S);
}

void rig_done(struct rig *r)
{
    rig_close(r);
    DIR *d = opendir(r->dir);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        char name[400];
        snprintf(name, sizeof name, "%s/%s", r->dir, e->d_name);
        unlink(name);
    }
    closedir(d);
    assert_int_equal(rmdir(r->dir), 0);
    arena_free(r->arena);
}

int rig_setup(void **state)
{
    struct rig *r = MEM_NEW(struct rig);
    rig_init(r);
    *state = r;
    return 0;
}

int rig_setup_open(void **state)
{
    rig_setup(state);
    rig_open(*state);
    return 0;
}

int rig_teardown(void **state)
{
    rig_done(*state);
    mem_free(*state);
    return 0;
}

static enum err try_open(struct rig *r, struct str *ret_problem)
{
    return sessions_open_with(r->path, &r->limits, &r->tuning, rig_seconds, r->arena, &r->s,
                              ret_problem);
}

void rig_open(struct rig *r)
{
    struct str problem = str_of(NULL, 0);
    if (try_open(r, &problem))
        fail_msg("%.*s", STR_ARG(problem));
    assert_non_null(r->s);
}

void rig_close(struct rig *r)
{
    sessions_close(r->s);
    r->s = NULL;
}

void rig_again(struct rig *r)
{
    rig_close(r);
    rig_open(r);
}

struct str rig_refused(struct rig *r)
{
    struct str problem = str_of(NULL, 0);
    assert_int_equal(try_open(r, &problem), ERR_IO);
    assert_null(r->s);
    assert_has(problem, r->path);
    assert_int_not_equal(str_find(problem, STR("; ")), STR_NONE); /* the remedy */
    return problem;
}

void rig_answer_init(struct rig_answer *w)
{
    w->result = NULL;
    assert_int_equal(sem_init(&w->there, 0, 0), 0);
}

void rig_answered(void *ctx, struct session_result *result)
{
    struct rig_answer *w = ctx;
    w->result = result;
    sem_post(&w->there);
}

struct session_result *rig_wait(struct rig_answer *w)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 30;
    while (sem_timedwait(&w->there, &until))
        if (errno != EINTR)
            fail_msg("no answer within 30 s");
    sem_destroy(&w->there);
    return w->result;
}

static struct session_result *get(struct rig *r, const struct session_query *q)
{
    struct rig_answer w;
    rig_answer_init(&w);
    assert_int_equal(sessions_get(r->s, q, rig_answered, &w), ERR_OK);
    return rig_wait(&w);
}

struct session_result *rig_chain(struct rig *r, const char *owner, const char *previous)
{
    struct session_query q = { .owner = str_c(owner), .previous = str_c(previous) };
    return get(r, &q);
}

struct session_result *rig_turn(struct rig *r, const char *owner, const char *id)
{
    struct str ids[] = { str_c(id) };
    struct session_query q = { .owner = str_c(owner), .ids = ids, .id_count = 1, .whole = true };
    return get(r, &q);
}

enum err rig_delete(struct rig *r, const char *owner, const char *id)
{
    struct rig_answer w;
    rig_answer_init(&w);
    assert_int_equal(sessions_delete(r->s, str_c(owner), str_c(id), rig_answered, &w), ERR_OK);
    struct session_result *got = rig_wait(&w);
    enum err e = got->err;
    session_result_free(got);
    return e;
}

enum err rig_chain_err(struct rig *r, const char *owner, const char *previous)
{
    struct session_result *got = rig_chain(r, owner, previous);
    enum err e = got->err;
    session_result_free(got);
    return e;
}

enum err rig_turn_err(struct rig *r, const char *owner, const char *id)
{
    struct session_result *got = rig_turn(r, owner, id);
    enum err e = got->err;
    session_result_free(got);
    return e;
}

void rig_put(struct rig *r, const char *owner, const char *id, const char *parent)
{
    char input[96], output[96], object[96];
    snprintf(input, sizeof input, "[\"in %s\"]", id);
    snprintf(output, sizeof output, "[\"out %s\"]", id);
    snprintf(object, sizeof object, "{\"id\":\"%s\"}", id);
    const struct session_turn t = { .id = str_c(id),
                                    .parent = str_c(parent),
                                    .owner = str_c(owner),
                                    .deployment = STR("deployment-1"),
                                    .model = STR("gpt"),
                                    .created_s = 42,
                                    .input = str_c(input),
                                    .output = str_c(output),
                                    .object = str_c(object) };
    assert_int_equal(sessions_put(r->s, &t), ERR_OK);
    memset(input, '#', sizeof input); /* the caller's bytes are the caller's again */
}

enum err rig_put_sized(struct rig *r, const char *owner, const char *id, const char *parent,
                       size_t bytes, char fill)
{
    char *input = mem_alloc(bytes + 1);
    memset(input, fill, bytes);
    const struct session_turn t = { .id = str_c(id),
                                    .parent = str_c(parent),
                                    .owner = str_c(owner),
                                    .input = str_of(input, bytes) };
    enum err e = sessions_put(r->s, &t);
    mem_free(input);
    return e;
}

void rig_pause(void)
{
    nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

struct session_stats rig_stats(const struct rig *r)
{
    struct session_stats st;
    sessions_stats(r->s, &st);
    return st;
}

void rig_idle(struct rig *r)
{
    RIG_UNTIL(rig_stats(r).queued == 0);
}

void rig_sql(const struct rig *r, const char *sql, char *ret_text, size_t text_bytes)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open_v2(r->path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_busy_timeout(db, 10000);
    ret_text[0] = '\0';
    for (const char *rest = sql; rest && *rest;) {
        sqlite3_stmt *st = NULL;
        if (sqlite3_prepare_v2(db, rest, -1, &st, &rest) != SQLITE_OK)
            fail_msg("%s: %s", sql, sqlite3_errmsg(db));
        int rc;
        while ((rc = sqlite3_step(st)) == SQLITE_ROW)
            if (!ret_text[0] && sqlite3_column_text(st, 0))
                snprintf(ret_text, text_bytes, "%s", (const char *)sqlite3_column_text(st, 0));
        if (rc != SQLITE_DONE)
            fail_msg("%s: %s", sql, sqlite3_errmsg(db));
        sqlite3_finalize(st);
    }
    sqlite3_close(db);
}

void assert_str(struct str got, const char *want)
{
    if (!str_eq(got, str_c(want)))
        fail_msg("got \"%.*s\", want \"%s\"", STR_ARG(got), want);
}

void assert_has(struct str text, const char *part)
{
    if (str_find(text, str_c(part)) == STR_NONE)
        fail_msg("\"%.*s\" does not say \"%s\"", STR_ARG(text), part);
}
