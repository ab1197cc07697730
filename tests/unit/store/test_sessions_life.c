/* What goes by itself: what is too old, and the oldest where all is too much. */
#include "store_rig.h"

#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>

static void put_many(struct rig *r, int from, int to, size_t bytes)
{
    for (int i = from; i < to; i++) {
        char id[24];
        snprintf(id, sizeof id, "resp_%06d", i);
        enum err e;
        while ((e = rig_put_sized(r, "alice", id, "", bytes, 'x')) == ERR_OVERLOADED)
            rig_pause();
        assert_int_equal(e, ERR_OK);
    }
    RIG_UNTIL(rig_stats(r).queued <
              1000); /* the last may have filled it: those who ask next have room */
}

static enum err look(struct rig *r, int i)
{
    char id[24];
    snprintf(id, sizeof id, "resp_%06d", i);
    return rig_turn_err(r, "alice", id);
}

static void test_too_old_is_not_found(void **state)
{
    struct rig *r = *state;
    r->limits.life_s = 100;
    rig_open(r);
    rig_put(r, "alice", "resp_1", "");
    assert_int_equal(rig_turn_err(r, "alice", "resp_1"), ERR_OK);
    atomic_store(&rig_now_s, RIG_START_S + 99);
    rig_put(r, "alice", "resp_2", "resp_1");
    assert_int_equal(rig_chain_err(r, "alice", "resp_2"), ERR_OK);
    atomic_store(&rig_now_s, RIG_START_S + 100);
    assert_int_equal(rig_turn_err(r, "alice", "resp_1"), ERR_NOT_FOUND);
    struct session_result *got = rig_chain(r, "alice", "resp_2");
    assert_int_equal(got->err, ERR_NOT_FOUND);
    assert_str(got->missing, "resp_1");
    session_result_free(got);
    assert_int_equal(rig_delete(r, "alice", "resp_1"), ERR_NOT_FOUND);
    assert_int_equal(rig_turn_err(r, "alice", "resp_2"), ERR_OK);
    assert_int_equal(rig_stats(r).rows, 2); /* there, until someone looks */
}

static void test_life_starts_anew(void **state)
{
    struct rig *r = *state;
    r->limits.life_s = 100;
    rig_open(r);
    rig_put(r, "alice", "resp_1", "");
    rig_idle(r);
    atomic_store(&rig_now_s, RIG_START_S + 60);
    rig_put(r, "alice", "resp_1", ""); /* replaced */
    rig_idle(r);
    atomic_store(&rig_now_s, RIG_START_S + 159);
    assert_int_equal(rig_turn_err(r, "alice", "resp_1"), ERR_OK);
}

static void test_clock_set_back(void **state)
{
    struct rig *r = *state;
    r->limits.life_s = 100;
    rig_open(r);
    rig_put(r, "alice", "resp_1", "");
    rig_idle(r);
    atomic_store(&rig_now_s, 50); /* less than a life since 1970 */
    assert_int_equal(rig_turn_err(r, "alice", "resp_1"), ERR_OK);
    sessions_limit(r->s, &r->limits);
    rig_put(r, "alice", "resp_2", "");
    rig_idle(r);
    assert_int_equal(rig_stats(r).rows, 2);
}

static void test_removed_at_start(void **state)
{
    struct rig *r = *state;
    r->limits.life_s = 100;
    rig_open(r);
    put_many(r, 0, 500, 100);
    rig_idle(r);
    atomic_store(&rig_now_s, RIG_START_S + 50);
    put_many(r, 500, 510, 100);
    rig_idle(r);
    atomic_store(&rig_now_s, RIG_START_S + 120);
    rig_again(r);
    RIG_UNTIL(rig_stats(r).rows == 10);
    assert_int_equal(look(r, 499), ERR_NOT_FOUND);
    assert_int_equal(look(r, 500), ERR_OK);
    rig_again(r);
    assert_int_equal(rig_stats(r).rows, 10); /* that was committed */
}

static void test_removed_every_while(void **state)
{
    struct rig *r = *state;
    r->limits.life_s = 100;
    r->tuning.purge_us = 10000;
    rig_open(r);
    put_many(r, 0, 20, 100);
    rig_idle(r);
    assert_int_equal(rig_stats(r).rows, 20);
    atomic_store(&rig_now_s, RIG_START_S + 100);
    RIG_UNTIL(rig_stats(r).rows == 0); /* no call is needed */
    assert_int_equal(rig_stats(r).bytes, 0);
}

static void test_size_drops_oldest(void **state)
{
    struct rig *r = *state;
    const uint64_t row = 1000 + strlen("alice"
                                       "resp_000000");
    r->limits.file_bytes_max = 10 * row;
    rig_open(r);
    put_many(r, 0, 10, 1000);
    rig_idle(r);
    assert_int_equal(rig_stats(r).rows, 10);
    assert_int_equal(rig_stats(r).bytes, 10 * row); /* exactly at the cap */
    atomic_store(&rig_now_s, RIG_START_S + 1);
    put_many(r, 10, 13, 1000);
    RIG_UNTIL(rig_stats(r).rows == 10 && rig_stats(r).queued == 0);
    for (int i = 0; i < 13; i++)
        assert_int_equal(look(r, i), i < 3 ? ERR_NOT_FOUND : ERR_OK);
    put_many(r, 13, 1000, 1000); /* without a pause it keeps up */
    rig_idle(r);
    assert_true(rig_stats(r).bytes <= 11 * row);
    RIG_UNTIL(rig_stats(r).rows == 10);
    assert_int_equal(look(r, 999), ERR_OK);
    assert_int_equal(look(r, 989), ERR_NOT_FOUND);
}

static void test_size_after_reload(void **state)
{
    struct rig *r = *state;
    rig_open(r);
    put_many(r, 0, 100, 1000);
    rig_idle(r);
    sessions_limit(r->s, &(struct session_limits){ .file_bytes_max = 5000 });
    RIG_UNTIL(rig_stats(r).rows == 4);
    sessions_limit(r->s, &(struct session_limits){ .file_bytes_max = 1 });
    RIG_UNTIL(rig_stats(r).rows == 0);
    assert_int_equal(rig_stats(r).bytes, 0);
}

/* Exact, whoever changes the file, and over restarts. */
static void test_totals(void **state)
{
    struct rig *r = *state;
    char text[64];
    rig_open(r);
    put_many(r, 0, 50, 300);
    put_many(r, 10, 20, 70);
    assert_int_equal(rig_delete(r, "alice", "resp_000030"), ERR_OK);
    rig_again(r);
    struct session_stats st = rig_stats(r);
    assert_int_equal(st.rows, 49);
    assert_int_equal(st.bytes, 39 * 300 + 10 * 70 +
                                   49 * strlen("alice"
                                               "resp_000000"));
    rig_close(r);
    rig_sql(r, "DELETE FROM turn WHERE id >= 'resp_000025'", text, sizeof text);
    rig_open(r);
    assert_int_equal(rig_stats(r).rows, 25);
    assert_int_equal(rig_stats(r).bytes, 15 * 300 + 10 * 70 +
                                             25 * strlen("alice"
                                                         "resp_000000"));
}

static void test_file_shrinks(void **state)
{
    struct rig *r = *state;
    r->tuning.purge_us = 10000;
    rig_open(r);
    put_many(r, 0, 400, 100000);
    rig_close(r);
    struct stat st;
    assert_int_equal(stat(r->path, &st), 0);
    assert_true(st.st_size > 40000000);
    r->limits.file_bytes_max = 1000000;
    rig_open(r);
    RIG_UNTIL(rig_stats(r).rows == 9);
    char text[32] = "";
    for (int tries = 0; tries < 20000 && strcmp(text, "1") != 0; tries++) {
        rig_sql(r, "SELECT page_count < 4200 FROM pragma_page_count", text, sizeof text);
        rig_pause();
    }
    assert_string_equal(text, "1");
    assert_int_equal(look(r, 399), ERR_OK);
    rig_close(r);
    assert_int_equal(stat(r->path, &st), 0);
    assert_true(st.st_size < 20000000);
    rig_sql(r, "PRAGMA integrity_check", text, sizeof text);
    assert_string_equal(text, "ok");
}

/* Many rows, one old chain among them: found, counted, and gone when their time comes. */
static void test_100000_rows(void **state)
{
    struct rig *r = *state;
    r->limits.life_s = 1000;
    rig_open(r);
    rig_put(r, "bob", "resp_a", "");
    rig_put(r, "bob", "resp_b", "resp_a");
    put_many(r, 0, 100000, 200);
    assert_int_equal(look(r, 0), ERR_OK);
    assert_int_equal(look(r, 99999), ERR_OK);
    assert_int_equal(look(r, 100000), ERR_NOT_FOUND);
    assert_int_equal(rig_chain_err(r, "bob", "resp_b"), ERR_OK);
    rig_again(r);
    assert_int_equal(rig_stats(r).rows, 100002);
    atomic_store(&rig_now_s, RIG_START_S + 500);
    rig_put(r, "bob", "resp_c", "");
    rig_idle(r);
    atomic_store(&rig_now_s, RIG_START_S + 1000);
    sessions_limit(r->s, &r->limits);
    /* while they go, a slice at a time, others are served */
    unsigned served = 0;
    while (rig_stats(r).rows > 1) {
        assert_int_equal(rig_turn_err(r, "bob", "resp_c"), ERR_OK);
        assert_int_equal(rig_turn_err(r, "bob", "resp_a"), ERR_NOT_FOUND);
        served++;
    }
    assert_true(served > 10);
    assert_int_equal(rig_turn_err(r, "bob", "resp_c"), ERR_OK);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_too_old_is_not_found), CASE(test_life_starts_anew),
        CASE(test_clock_set_back),       CASE(test_removed_at_start),
        CASE(test_removed_every_while),  CASE(test_size_drops_oldest),
        CASE(test_size_after_reload),    CASE(test_totals),
        CASE(test_file_shrinks),         CASE(test_100000_rows),
    };
    return cmocka_run_group_tests_name("store/sessions_life", tests, NULL, NULL);
}
