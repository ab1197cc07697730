/* Many callers at once: each finds what it was told is kept, in the order of its own calls. */
#include "store_rig.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#define THREADS 4
#define TURNS 150

/* What one thread has put, for another to ask for at once. cmocka's checks end a test by a jump and are for its own thread alone:
 * others count what is wrong. */
struct worker {
    struct rig *r;
    char owner[24];
    _Atomic int *put; /* turns that this owner has */
    unsigned wrong, asked;
    pthread_t thread;
};

static void *writer(void *ctx)
{
    struct worker *w = ctx;
    for (int i = 0; i < TURNS; i++) {
        char id[32], parent[32] = "", text[64];
        snprintf(id, sizeof id, "resp_%d", i);
        if (i % 10)
            snprintf(parent, sizeof parent, "resp_%d", i - 1);
        snprintf(text, sizeof text, "%s %d", w->owner, i);
        const struct session_turn t = { .id = str_c(id),
                                        .parent = str_c(parent),
                                        .owner = str_c(w->owner),
                                        .input = str_c(text),
                                        .output = STR("[]") };
        while (sessions_put(w->r->s, &t) == ERR_OVERLOADED)
            rig_pause();
        memset(text, '#', sizeof text);
        atomic_store(w->put, i + 1);
    }
    return NULL;
}

static unsigned check(const struct session_result *got, const char *owner, int last)
{
    char want[64];
    if (got->err || got->chain_count != (size_t)(last % 10 + 1))
        return 1;
    for (size_t i = 0; i < got->chain_count; i++) {
        snprintf(want, sizeof want, "%s %d", owner, last - last % 10 + (int)i);
        if (!str_eq(got->chain[i].input, str_c(want)) || !str_eq(got->chain[i].owner, str_c(owner)))
            return 1;
    }
    return 0;
}

/* Follows a writer: what was put the moment before is there, with all that it goes back to. */
static void *follower(void *ctx)
{
    struct worker *w = ctx;
    for (int seen = 0; seen < TURNS;) {
        int there = atomic_load(w->put);
        if (there == seen) {
            rig_pause();
            continue;
        }
        seen = there;
        char id[32];
        snprintf(id, sizeof id, "resp_%d", there - 1);
        const struct session_query q = { .owner = str_c(w->owner), .previous = str_c(id) };
        struct rig_answer a;
        sem_init(&a.there, 0, 0);
        if (sessions_get(w->r->s, &q, rig_answered, &a)) {
            w->wrong++;
            continue;
        }
        while (sem_wait(&a.there))
            continue;
        w->wrong += check(a.result, w->owner, there - 1);
        w->asked++;
        session_result_free(a.result);
        sem_destroy(&a.there);
    }
    return NULL;
}

/* Asks what a worker asks for each request. */
static void *watcher(void *ctx)
{
    struct worker *w = ctx;
    struct session_stats st = { 0 };
    while (st.written < THREADS * TURNS) {
        uint64_t before = st.written;
        sessions_stats(w->r->s, &st);
        w->wrong += st.written < before || st.failed || st.problem[0];
        w->wrong += !sessions_ready(w->r->s);
        sessions_limit(w->r->s, &w->r->limits);
        rig_pause();
    }
    return NULL;
}

static void test_found_at_once(void **state)
{
    struct rig *r = *state;
    struct worker writers[THREADS], followers[THREADS], watch = { .r = r };
    _Atomic int put[THREADS] = { 0 };
    for (int i = 0; i < THREADS; i++) {
        writers[i] = (struct worker){ .r = r, .put = &put[i] };
        snprintf(writers[i].owner, sizeof writers[i].owner, "owner%d", i);
        followers[i] = writers[i];
        assert_int_equal(pthread_create(&followers[i].thread, NULL, follower, &followers[i]), 0);
    }
    assert_int_equal(pthread_create(&watch.thread, NULL, watcher, &watch), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&writers[i].thread, NULL, writer, &writers[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(writers[i].thread, NULL);
        pthread_join(followers[i].thread, NULL);
        assert_int_equal(followers[i].wrong, 0);
        assert_true(followers[i].asked > 0);
    }
    pthread_join(watch.thread, NULL);
    assert_int_equal(watch.wrong, 0);
    rig_again(r);
    assert_int_equal(rig_stats(r).rows, THREADS * TURNS);
}

/* Results live on after the store is closed, and are freed by any thread. */
static void test_result_outlives_store(void **state)
{
    struct rig *r = *state;
    rig_put(r, "alice", "resp_1", "");
    struct session_result *got = rig_chain(r, "alice", "resp_1");
    rig_close(r);
    assert_str(got->chain[0].input, "[\"in resp_1\"]");
    session_result_free(got);
}

static void test_opened_and_closed(void **state)
{
    struct rig *r = *state;
    for (int i = 0; i < 20; i++) {
        char id[24];
        snprintf(id, sizeof id, "resp_%d", i);
        rig_put(r, "alice", id, "");
        rig_again(r);
    }
    assert_int_equal(rig_stats(r).rows, 20);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, rig_setup_open, rig_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_found_at_once),
        CASE(test_result_outlives_store),
        CASE(test_opened_and_closed),
    };
    return cmocka_run_group_tests_name("store/sessions_threads", tests, NULL, NULL);
}
