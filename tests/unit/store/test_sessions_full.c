/* Too much at once, a disk that takes nothing, an end while others wait. The thread is held where a test needs it: in the `done` of a
 * get. */
#include "store_rig.h"

#include "store/sessions.c"

#include <stdlib.h>
#include <sys/resource.h>

/* -- the queue */

struct hold {
    sem_t held, go;
};

static void holding(void *ctx, struct session_result *result)
{
    struct hold *h = ctx;
    session_result_free(result);
    sem_post(&h->held);
    while (sem_wait(&h->go))
        continue;
}

/* From here on the thread serves nothing, until hold_end. */
static void hold_begin(struct rig *r, struct hold *h)
{
    sem_init(&h->held, 0, 0);
    sem_init(&h->go, 0, 0);
    const struct session_query q = { .owner = STR("alice") };
    assert_int_equal(sessions_get(r->s, &q, holding, h), ERR_OK);
    while (sem_wait(&h->held))
        continue;
}

static void hold_end(struct hold *h)
{
    sem_post(&h->go);
}

static void hold_done(struct hold *h)
{
    sem_destroy(&h->held);
    sem_destroy(&h->go);
}

static void not_called(void *ctx, struct session_result *result)
{
    session_result_free(result);
    abort();
}

static void test_queue_full_of_bytes(void **state)
{
    struct rig *r = *state;
    struct hold h;
    r->limits.queue_bytes_max = 100000;
    rig_open(r);
    hold_begin(r, &h);
    assert_true(sessions_ready(r->s));
    assert_int_equal(rig_put_sized(r, "alice", "resp_1", "", 40000, 'x'), ERR_OK);
    assert_true(sessions_ready(r->s));
    assert_int_equal(rig_put_sized(r, "alice", "resp_2", "", 40000, 'x'), ERR_OK);
    assert_false(sessions_ready(r->s)); /* what was let in before still has room */
    assert_int_equal(rig_put_sized(r, "alice", "resp_3", "", 18000, 'x'), ERR_OK);
    assert_int_equal(rig_put_sized(r, "alice", "resp_4", "", 18000, 'x'), ERR_OVERLOADED);
    assert_int_equal(rig_stats(r).dropped, 1);
    assert_int_equal(rig_stats(r).queued, 4);
    assert_true(rig_stats(r).queued_bytes > 98000 && rig_stats(r).queued_bytes <= 100000);
    hold_end(&h);
    rig_idle(r);
    assert_true(sessions_ready(r->s));
    assert_int_equal(rig_stats(r).queued_bytes, 0);
    assert_int_equal(rig_turn_err(r, "alice", "resp_3"), ERR_OK);
    assert_int_equal(rig_turn_err(r, "alice", "resp_4"), ERR_NOT_FOUND);
    hold_done(&h);
}

static void test_queue_full_of_jobs(void **state)
{
    struct rig *r = *state;
    struct hold h;
    rig_open(r);
    hold_begin(r, &h);
    for (int i = 1; i < QUEUE_JOBS_MAX; i++) {
        assert_int_equal(sessions_ready(r->s), i <= QUEUE_JOBS_MAX / 2);
        assert_int_equal(rig_put_sized(r, "alice", "resp_1", "", 10, 'x'), ERR_OK);
    }
    const struct session_query q = { .owner = STR("alice"), .previous = STR("resp_1") };
    assert_int_equal(rig_put_sized(r, "alice", "resp_2", "", 10, 'x'), ERR_OVERLOADED);
    assert_int_equal(sessions_get(r->s, &q, not_called, NULL), ERR_OVERLOADED);
    assert_int_equal(sessions_delete(r->s, STR("alice"), STR("resp_1"), not_called, NULL),
                     ERR_OVERLOADED);
    assert_int_equal(rig_stats(r).dropped, 1); /* puts alone */
    hold_end(&h);
    rig_idle(r);
    assert_int_equal(rig_chain_err(r, "alice", "resp_1"), ERR_OK);
    hold_done(&h);
}

/* A queue smaller than a turn still takes turns, one at a time. */
static void test_turn_larger_than_queue(void **state)
{
    struct rig *r = *state;
    r->limits.queue_bytes_max = 1000;
    rig_open(r);
    assert_int_equal(rig_put_sized(r, "alice", "resp_1", "", 5000, 'x'), ERR_OK);
    rig_idle(r);
    assert_int_equal(rig_turn_err(r, "alice", "resp_1"), ERR_OK);
}

static void test_order_is_kept(void **state)
{
    struct rig *r = *state;
    struct hold h;
    rig_open(r);
    hold_begin(r, &h);
    struct rig_answer before, after, gone;
    rig_answer_init(&before);
    rig_answer_init(&after);
    rig_answer_init(&gone);
    const struct session_query q = { .owner = STR("alice"), .previous = STR("resp_1") };
    assert_int_equal(sessions_get(r->s, &q, rig_answered, &before), ERR_OK);
    rig_put(r, "alice", "resp_1", "");
    assert_int_equal(sessions_get(r->s, &q, rig_answered, &after), ERR_OK);
    assert_int_equal(sessions_delete(r->s, STR("alice"), STR("resp_1"), rig_answered, &gone),
                     ERR_OK);
    hold_end(&h);
    struct session_result *results[] = { rig_wait(&before), rig_wait(&after), rig_wait(&gone) };
    assert_int_equal(results[0]->err, ERR_NOT_FOUND);
    assert_int_equal(results[1]->err, ERR_OK);
    assert_int_equal(results[2]->err, ERR_OK);
    for (size_t i = 0; i < 3; i++)
        session_result_free(results[i]);
    hold_done(&h);
}

/* -- the end */

struct ending {
    struct sessions *s;
    struct hold *hold;
};

/* Lets the thread go on once it has been told to stop. */
static void *let_go(void *ctx)
{
    struct ending *e = ctx;
    for (bool stop = false; !stop; rig_pause()) {
        pthread_mutex_lock(&e->s->lock);
        stop = e->s->stop;
        pthread_mutex_unlock(&e->s->lock);
    }
    hold_end(e->hold);
    return NULL;
}

static void test_close_with_waiting(void **state)
{
    struct rig *r = *state;
    struct hold h;
    rig_open(r);
    rig_put(r, "alice", "resp_0", "");
    hold_begin(r, &h);
    struct rig_answer get, gone, unknown;
    rig_answer_init(&get);
    rig_answer_init(&gone);
    rig_answer_init(&unknown);
    const struct session_query q = { .owner = STR("alice"), .previous = STR("resp_0") };
    rig_put(r, "alice", "resp_1", "");
    assert_int_equal(sessions_get(r->s, &q, rig_answered, &get), ERR_OK);
    rig_put(r, "alice", "resp_2", "");
    assert_int_equal(sessions_delete(r->s, STR("alice"), STR("resp_0"), rig_answered, &gone),
                     ERR_OK);
    assert_int_equal(sessions_delete(r->s, STR("bob"), STR("resp_1"), rig_answered, &unknown),
                     ERR_OK);
    struct ending e = { r->s, &h };
    pthread_t helper;
    assert_int_equal(pthread_create(&helper, NULL, let_go, &e), 0);
    rig_close(r);
    pthread_join(helper, NULL);
    struct session_result *results[] = { rig_wait(&get), rig_wait(&gone), rig_wait(&unknown) };
    assert_int_equal(results[0]->err, ERR_CANCELLED);
    assert_int_equal(results[0]->chain_count, 0);
    assert_int_equal(results[1]->err, ERR_OK); /* a write: done */
    assert_int_equal(results[2]->err, ERR_NOT_FOUND);
    for (size_t i = 0; i < 3; i++)
        session_result_free(results[i]);
    hold_done(&h);
    rig_open(r);
    assert_int_equal(rig_turn_err(r, "alice", "resp_0"), ERR_NOT_FOUND);
    assert_int_equal(rig_turn_err(r, "alice", "resp_1"), ERR_OK);
    assert_int_equal(rig_turn_err(r, "alice", "resp_2"), ERR_OK);
}

/* -- the disk */

/* A file that may not grow past some pages: a full disk, as SQLite sees it. */
static void test_no_room_in_file(void **state)
{
    struct rig *r = *state;
    r->tuning.pages_max = 200;
    rig_open(r);
    for (int i = 0; i < 40; i++) {
        char id[24];
        snprintf(id, sizeof id, "resp_%d", i);
        assert_int_equal(rig_put_sized(r, "alice", id, "", 40000, 'x'), ERR_OK);
    }
    rig_idle(r);
    assert_false(sessions_ready(r->s));
    struct session_stats st = rig_stats(r);
    assert_true(st.failed > 0 && st.failed < 40);
    assert_has(str_c(st.problem), "full");
    assert_int_equal(rig_turn_err(r, "alice", "resp_0"), ERR_OK); /* reading goes on */
    for (int i = 0; i < 100; i++)
        rig_pause(); /* some trials: none succeeds */
    assert_false(sessions_ready(r->s));
    /* Room is made by the size limit, and a trial finds out. */
    sessions_limit(r->s, &(struct session_limits){ .file_bytes_max = 100000 });
    RIG_UNTIL(sessions_ready(r->s));
    rig_put(r, "alice", "resp_new", "");
    assert_int_equal(rig_turn_err(r, "alice", "resp_new"), ERR_OK);
    rig_close(r);
    char text[32];
    rig_sql(r,
            "SELECT (SELECT rows FROM total) = (SELECT count(*) FROM turn)"
            " AND (SELECT bytes FROM total) = (SELECT sum(bytes) FROM turn)",
            text, sizeof text);
    assert_string_equal(text, "1");
    rig_sql(r, "PRAGMA integrity_check", text, sizeof text);
    assert_string_equal(text, "ok");
}

/* Writes that the system refuses: no file of this process may grow past a size. What is lost are the rows of the failed commit. */
static void test_system_refuses_writes(void **state)
{
    struct rig *r = *state;
    rig_open(r);
    rig_put(r, "alice", "resp_1", "");
    RIG_UNTIL(rig_stats(r).written == 1);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit tight = { 300000, before.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    for (int i = 0; i < 20; i++) {
        char id[24];
        snprintf(id, sizeof id, "lost_%d", i);
        assert_int_equal(rig_put_sized(r, "alice", id, "", 100000, 'x'), ERR_OK);
    }
    RIG_UNTIL(!sessions_ready(r->s) && rig_stats(r).queued == 0);
    assert_int_equal(rig_turn_err(r, "alice", "resp_1"), ERR_OK);
    RIG_UNTIL(rig_stats(r).written + rig_stats(r).failed == 21);
    struct session_stats st = rig_stats(r);
    assert_true(st.failed > 0);
    assert_has(str_c(st.problem), "disk I/O error");
    for (int i = 0; i < 60; i++)
        rig_pause();
    assert_false(sessions_ready(r->s));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    RIG_UNTIL(sessions_ready(r->s));
    rig_put(r, "alice", "resp_2", "resp_1");
    assert_int_equal(rig_chain_err(r, "alice", "resp_2"), ERR_OK);
    rig_again(r);
    assert_int_equal(rig_chain_err(r, "alice", "resp_2"), ERR_OK);
    assert_int_equal(rig_stats(r).rows, 1 + st.written); /* what was counted as written is there */
    char text[32];
    rig_sql(r, "PRAGMA integrity_check", text, sizeof text);
    assert_string_equal(text, "ok");
    signal(SIGXFSZ, SIG_DFL);
}

/* Another program that keeps the lock costs rows, and is seen; reads and callers do not wait for it. */
static void test_locked_by_another(void **state)
{
    struct rig *r = *state;
    rig_open(r);
    rig_put(r, "alice", "resp_1", "");
    RIG_UNTIL(rig_stats(r).written == 1);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(r->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    rig_put(r, "alice", "resp_2", "");
    assert_int_equal(rig_turn_err(r, "alice", "resp_2"), ERR_NOT_FOUND);
    assert_int_equal(rig_turn_err(r, "alice", "resp_1"), ERR_OK);
    assert_int_equal(rig_delete(r, "alice", "resp_1"), ERR_IO);
    rig_idle(r);
    assert_false(sessions_ready(r->s));
    assert_int_equal(rig_stats(r).failed, 2);
    assert_has(str_c(rig_stats(r).problem), "locked");
    assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    RIG_UNTIL(sessions_ready(r->s));
    rig_put(r, "alice", "resp_3", "");
    assert_int_equal(rig_turn_err(r, "alice", "resp_3"), ERR_OK);
    assert_int_equal(rig_stats(r).failed, 2);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_queue_full_of_bytes),    CASE(test_queue_full_of_jobs),
        CASE(test_turn_larger_than_queue), CASE(test_order_is_kept),
        CASE(test_close_with_waiting),     CASE(test_no_room_in_file),
        CASE(test_system_refuses_writes),  CASE(test_locked_by_another),
    };
    return cmocka_run_group_tests_name("store/sessions_full", tests, NULL, NULL);
}
