/* What is put, what is found, and what is not: one caller, one file. */
#include "store_rig.h"

#include <stdatomic.h>
#include <stdio.h>
#include <sys/stat.h>

static void test_put_get(void **state)
{
    struct rig *r = *state;
    rig_put(r, "alice", "resp_1", "");
    struct session_result *got = rig_turn(r, "alice", "resp_1");
    assert_int_equal(got->err, ERR_OK);
    assert_int_equal(got->turn_count, 1);
    assert_int_equal(got->chain_count, 0);
    const struct session_turn *t = &got->turns[0];
    assert_str(t->id, "resp_1");
    assert_str(t->parent, "");
    assert_str(t->owner, "alice");
    assert_str(t->deployment, "deployment-1");
    assert_str(t->model, "gpt");
    assert_false(t->native);
    assert_int_equal(t->created_s, 42);
    assert_str(t->input, "[\"in resp_1\"]");
    assert_str(t->output, "[\"out resp_1\"]");
    assert_str(t->object, "{\"id\":\"resp_1\"}");
    session_result_free(got);
    session_result_free(NULL);
}

static void test_chain_order(void **state)
{
    struct rig *r = *state;
    rig_put(r, "alice", "resp_1", "");
    rig_put(r, "alice", "resp_2", "resp_1");
    rig_put(r, "alice", "resp_2b", "resp_1"); /* a fork */
    rig_put(r, "alice", "resp_3", "resp_2");
    struct session_result *got = rig_chain(r, "alice", "resp_3");
    assert_int_equal(got->err, ERR_OK);
    assert_int_equal(got->chain_count, 3);
    const char *const ids[] = { "resp_1", "resp_2", "resp_3" };
    for (size_t i = 0; i < 3; i++) {
        char want[64];
        assert_str(got->chain[i].id, ids[i]);
        snprintf(want, sizeof want, "[\"out %s\"]", ids[i]);
        assert_str(got->chain[i].output, want);
        assert_str(got->chain[i].object, ""); /* not asked for */
    }
    assert_str(got->chain[2].parent, "resp_2");
    session_result_free(got);
    got = rig_chain(r, "alice", "resp_2b");
    assert_int_equal(got->chain_count, 2);
    assert_str(got->chain[1].id, "resp_2b");
    session_result_free(got);
}

static void test_chain_and_turns(void **state)
{
    struct rig *r = *state;
    rig_put(r, "alice", "resp_1", "");
    rig_put(r, "alice", "resp_2", "resp_1");
    const struct str ids[] = { STR("resp_2"), STR("resp_1"), STR("resp_2") };
    const struct session_query q = {
        .owner = STR("alice"), .previous = STR("resp_2"), .ids = ids, .id_count = 3, .whole = true
    };
    struct rig_answer w;
    rig_answer_init(&w);
    assert_int_equal(sessions_get(r->s, &q, rig_answered, &w), ERR_OK);
    struct session_result *got = rig_wait(&w);
    assert_int_equal(got->err, ERR_OK);
    assert_int_equal(got->chain_count, 2);
    assert_str(got->chain[0].object, "{\"id\":\"resp_1\"}");
    assert_int_equal(got->turn_count, 3);
    assert_str(got->turns[0].id, "resp_2");
    assert_str(got->turns[1].id, "resp_1");
    assert_str(got->turns[2].id, "resp_2");
    session_result_free(got);
}

static void test_nothing_asked(void **state)
{
    struct session_result *got = rig_chain(*state, "alice", "");
    assert_int_equal(got->err, ERR_OK);
    assert_int_equal(got->chain_count + got->turn_count, 0);
    session_result_free(got);
}

static void assert_missing(struct session_result *got, const char *id)
{
    assert_int_equal(got->err, ERR_NOT_FOUND);
    assert_str(got->missing, id);
    assert_int_equal(got->chain_count + got->turn_count, 0);
    assert_null(got->chain);
    assert_null(got->turns);
    session_result_free(got);
}

static void test_unknown(void **state)
{
    struct rig *r = *state;
    rig_put(r, "alice", "resp_1", "");
    assert_missing(rig_chain(r, "alice", "resp_9"), "resp_9");
    assert_missing(rig_turn(r, "alice", "resp_9"), "resp_9");
    assert_missing(rig_turn(r, "alice", ""), "");
    assert_missing(rig_turn(r, "alice", "RESP_1"), "RESP_1");
    assert_missing(rig_turn(r, "alice", "resp_1 "), "resp_1 ");
    assert_missing(rig_turn(r, "alice", "resp_%"), "resp_%");
    assert_missing(rig_turn(r, "alice", "' OR 1=1 --"), "' OR 1=1 --");
    /* the first of several that is not there, and nothing of the others */
    const struct str ids[] = { STR("resp_1"), STR("resp_x"), STR("resp_y") };
    const struct session_query q = { .owner = STR("alice"), .ids = ids, .id_count = 3 };
    struct rig_answer w;
    rig_answer_init(&w);
    assert_int_equal(sessions_get(r->s, &q, rig_answered, &w), ERR_OK);
    assert_missing(rig_wait(&w), "resp_x");
}

static void test_foreign_owner(void **state)
{
    struct rig *r = *state;
    rig_put(r, "alice", "resp_1", "");
    rig_put(r, "bob", "resp_2", "resp_1"); /* goes back to what is not bob's */
    assert_missing(rig_turn(r, "bob", "resp_1"), "resp_1");
    assert_missing(rig_turn(r, "", "resp_1"), "resp_1");
    assert_missing(rig_turn(r, "alic", "resp_1"), "resp_1");
    assert_missing(rig_chain(r, "bob", "resp_2"), "resp_1");
    assert_int_equal(rig_delete(r, "bob", "resp_1"), ERR_NOT_FOUND);
    assert_int_equal(rig_turn_err(r, "alice", "resp_1"), ERR_OK);
}

static void test_same_id_of_two_owners(void **state)
{
    struct rig *r = *state;
    assert_int_equal(rig_put_sized(r, "alice", "resp_1", "", 3, 'a'), ERR_OK);
    assert_int_equal(rig_put_sized(r, "mallory", "resp_1", "", 3, 'm'), ERR_OK);
    struct session_result *got = rig_turn(r, "alice", "resp_1");
    assert_str(got->turns[0].input, "aaa");
    session_result_free(got);
    got = rig_turn(r, "mallory", "resp_1");
    assert_str(got->turns[0].input, "mmm");
    session_result_free(got);
    assert_int_equal(rig_delete(r, "mallory", "resp_1"), ERR_OK);
    assert_int_equal(rig_turn_err(r, "alice", "resp_1"), ERR_OK);
}

static void test_replaced(void **state)
{
    struct rig *r = *state;
    rig_put(r, "alice", "resp_1", "");
    assert_int_equal(rig_put_sized(r, "alice", "resp_1", "resp_0", 10, 'b'), ERR_OK);
    struct session_result *got = rig_turn(r, "alice", "resp_1");
    assert_str(got->turns[0].input, "bbbbbbbbbb");
    assert_str(got->turns[0].output, "");
    assert_str(got->turns[0].parent, "resp_0");
    assert_str(got->turns[0].object, "");
    session_result_free(got);
    rig_idle(r);
    struct session_stats st = rig_stats(r);
    assert_int_equal(st.rows, 1);
    assert_int_equal(st.bytes, 10 + strlen("alice"
                                           "resp_1"
                                           "resp_0"));
}

static void put_native(struct rig *r, const char *id, const char *parent)
{
    const struct session_turn t = { .id = str_c(id),
                                    .parent = str_c(parent),
                                    .owner = STR("alice"),
                                    .deployment = STR("openai-1"),
                                    .native = true };
    assert_int_equal(sessions_put(r->s, &t), ERR_OK);
}

/* Nothing of what stood there is left. */
static void test_replaced_whole(void **state)
{
    struct rig *r = *state;
    put_native(r, "resp_1", "resp_0");
    rig_put(r, "alice", "resp_1", "");
    struct session_result *got = rig_turn(r, "alice", "resp_1");
    const struct session_turn *t = &got->turns[0];
    assert_false(t->native);
    assert_str(t->parent, "");
    assert_str(t->deployment, "deployment-1");
    assert_str(t->model, "gpt");
    assert_int_equal(t->created_s, 42);
    assert_str(t->input, "[\"in resp_1\"]");
    assert_str(t->output, "[\"out resp_1\"]");
    assert_str(t->object, "{\"id\":\"resp_1\"}");
    session_result_free(got);
    put_native(r, "resp_1", "resp_0");
    got = rig_turn(r, "alice", "resp_1");
    t = &got->turns[0];
    assert_true(t->native);
    assert_str(t->parent, "resp_0");
    assert_str(t->deployment, "openai-1");
    assert_int_equal(t->model.len + t->input.len + t->output.len + t->object.len + t->created_s, 0);
    session_result_free(got);
    assert_int_equal(rig_stats(r).rows, 1);
}

static void test_missing_middle(void **state)
{
    struct rig *r = *state;
    rig_put(r, "alice", "resp_1", "");
    rig_put(r, "alice", "resp_2", "resp_1");
    rig_put(r, "alice", "resp_3", "resp_2");
    assert_int_equal(rig_delete(r, "alice", "resp_2"), ERR_OK);
    assert_missing(rig_chain(r, "alice", "resp_3"), "resp_2");
    assert_int_equal(rig_delete(r, "alice", "resp_2"), ERR_NOT_FOUND);
    assert_missing(rig_turn(r, "alice", "resp_2"), "resp_2");
    assert_int_equal(rig_chain_err(r, "alice", "resp_1"), ERR_OK);
    rig_idle(r);
    assert_int_equal(rig_stats(r).rows, 2);
}

static void test_deleted_says_what(void **state)
{
    struct rig *r = *state;
    struct rig_answer w;
    rig_answer_init(&w);
    assert_int_equal(sessions_delete(r->s, STR("alice"), STR("resp_7"), rig_answered, &w), ERR_OK);
    assert_missing(rig_wait(&w), "resp_7");
}

static void test_native(void **state)
{
    struct rig *r = *state;
    put_native(r, "resp_1", "");
    put_native(r, "resp_2", "resp_1");
    rig_put(r, "alice", "resp_3", "resp_2");
    struct session_result *got = rig_chain(r, "alice", "resp_2");
    assert_int_equal(got->err, ERR_OK);
    assert_int_equal(got->chain_count, 1);
    assert_true(got->chain[0].native);
    assert_str(got->chain[0].deployment, "openai-1");
    assert_str(got->chain[0].parent, "resp_1");
    session_result_free(got);
    got = rig_chain(r, "alice", "resp_3");
    assert_int_equal(got->chain_count, 2);
    assert_true(got->chain[0].native);
    assert_false(got->chain[1].native);
    session_result_free(got);
}

static void test_any_bytes(void **state)
{
    struct rig *r = *state;
    static const char id[] = "resp_\0\xff'\"";
    const struct str odd = str_of(id, sizeof id - 1);
    const struct session_turn t = {
        .id = odd, .owner = STR("alice"), .model = odd, .input = odd, .output = odd, .object = odd
    };
    assert_int_equal(sessions_put(r->s, &t), ERR_OK);
    const struct str ids[] = { odd };
    const struct session_query q = {
        .owner = STR("alice"), .previous = odd, .ids = ids, .id_count = 1, .whole = true
    };
    struct rig_answer w;
    rig_answer_init(&w);
    assert_int_equal(sessions_get(r->s, &q, rig_answered, &w), ERR_OK);
    struct session_result *got = rig_wait(&w);
    assert_int_equal(got->err, ERR_OK);
    const struct str values[] = { got->turns[0].id, got->turns[0].model, got->turns[0].input,
                                  got->chain[0].output, got->turns[0].object };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        assert_true(str_eq(values[i], odd));
    session_result_free(got);
    assert_missing(rig_turn(r, "alice", "resp_"), "resp_"); /* not cut at the NUL */
}

static void set_limits(struct rig *r, const struct session_limits *l)
{
    r->limits = *l;
    sessions_limit(r->s, l);
}

static void test_turns_max(void **state)
{
    struct rig *r = *state;
    for (int i = 1; i <= 5; i++) {
        char id[24], parent[24];
        snprintf(id, sizeof id, "resp_%d", i);
        snprintf(parent, sizeof parent, "resp_%d", i - 1);
        rig_put(r, "alice", id, i > 1 ? parent : "");
    }
    set_limits(r, &(struct session_limits){ .turns_max = 4 });
    assert_int_equal(rig_chain_err(r, "alice", "resp_4"), ERR_OK);
    struct session_result *got = rig_chain(r, "alice", "resp_5");
    assert_int_equal(got->err, ERR_TOO_LARGE);
    assert_int_equal(got->chain_count, 0);
    assert_str(got->missing, "");
    session_result_free(got);
    set_limits(r, &(struct session_limits){ .turns_max = 5 });
    assert_int_equal(rig_chain_err(r, "alice", "resp_5"), ERR_OK);
}

static void test_chain_bytes_max(void **state)
{
    struct rig *r = *state;
    assert_int_equal(rig_put_sized(r, "alice", "resp_1", "", 600, 'x'), ERR_OK);
    assert_int_equal(rig_put_sized(r, "alice", "resp_2", "resp_1", 400, 'x'), ERR_OK);
    set_limits(r, &(struct session_limits){ .chain_bytes_max = 1000 });
    assert_int_equal(rig_chain_err(r, "alice", "resp_2"), ERR_OK);
    set_limits(r, &(struct session_limits){ .chain_bytes_max = 999 });
    assert_int_equal(rig_chain_err(r, "alice", "resp_2"), ERR_TOO_LARGE);
    /* single turns together, but never one alone */
    const struct str ids[] = { STR("resp_1"), STR("resp_2") };
    const struct session_query q = { .owner = STR("alice"), .ids = ids, .id_count = 2 };
    struct rig_answer w;
    rig_answer_init(&w);
    assert_int_equal(sessions_get(r->s, &q, rig_answered, &w), ERR_OK);
    struct session_result *got = rig_wait(&w);
    assert_int_equal(got->err, ERR_TOO_LARGE);
    assert_int_equal(got->turn_count, 0);
    session_result_free(got);
    set_limits(r, &(struct session_limits){ .chain_bytes_max = 10 });
    assert_int_equal(rig_turn_err(r, "alice", "resp_1"), ERR_OK);
}

static void test_turn_bytes_max(void **state)
{
    struct rig *r = *state;
    set_limits(r, &(struct session_limits){ .turn_bytes_max = 30 });
    assert_int_equal(rig_put_sized(r, "alice", "resp_1", "", 30, 'x'), ERR_OK);
    assert_int_equal(rig_put_sized(r, "alice", "resp_2", "", 31, 'x'), ERR_TOO_LARGE);
    const struct session_turn t = { .id = STR("resp_3"),
                                    .owner = STR("alice"),
                                    .input = STR("0123456789"),
                                    .output = STR("0123456789"),
                                    .object = STR("01234567890") };
    assert_int_equal(sessions_put(r->s, &t), ERR_TOO_LARGE);
    assert_int_equal(rig_turn_err(r, "alice", "resp_1"), ERR_OK);
    assert_int_equal(rig_turn_err(r, "alice", "resp_2"), ERR_NOT_FOUND);
    assert_int_equal(rig_turn_err(r, "alice", "resp_3"), ERR_NOT_FOUND);
    assert_int_equal(rig_stats(r).dropped, 2);
}

static void test_too_many_ids(void **state)
{
    struct rig *r = *state;
    rig_put(r, "alice", "resp_1", "");
    struct str ids[SESSIONS_IDS_MAX + 1];
    for (size_t i = 0; i <= SESSIONS_IDS_MAX; i++)
        ids[i] = STR("resp_1");
    struct session_query q = { .owner = STR("alice"),
                               .ids = ids,
                               .id_count = SESSIONS_IDS_MAX + 1 };
    struct rig_answer w;
    rig_answer_init(&w);
    assert_int_equal(sessions_get(r->s, &q, rig_answered, &w), ERR_TOO_LARGE);
    q.id_count--;
    assert_int_equal(sessions_get(r->s, &q, rig_answered, &w), ERR_OK);
    struct session_result *got = rig_wait(&w); /* one answer: the first call gave none */
    assert_int_equal(got->turn_count, SESSIONS_IDS_MAX);
    assert_str(got->turns[SESSIONS_IDS_MAX - 1].input, "[\"in resp_1\"]");
    session_result_free(got);
}

static void test_circle(void **state)
{
    struct rig *r = *state;
    rig_put(r, "alice", "resp_1", "resp_3");
    rig_put(r, "alice", "resp_2", "resp_1");
    rig_put(r, "alice", "resp_3", "resp_2");
    rig_put(r, "alice", "resp_self", "resp_self");
    rig_put(r, "alice", "resp_4", "resp_3");
    assert_int_equal(rig_chain_err(r, "alice", "resp_3"), ERR_TOO_LARGE);
    assert_int_equal(rig_chain_err(r, "alice", "resp_self"), ERR_TOO_LARGE);
    assert_int_equal(rig_chain_err(r, "alice", "resp_4"), ERR_TOO_LARGE);
    set_limits(r, &(struct session_limits){ .turns_max = 2 });
    assert_int_equal(rig_chain_err(r, "alice", "resp_self"), ERR_TOO_LARGE);
    assert_int_equal(rig_turn_err(r, "alice", "resp_self"), ERR_OK);
}

static void test_restart(void **state)
{
    struct rig *r = *state;
    rig_put(r, "alice", "resp_1", "");
    rig_put(r, "alice", "resp_2", "resp_1");
    rig_put(r, "alice", "resp_3", "resp_2");
    assert_int_equal(rig_delete(r, "alice", "resp_3"), ERR_OK);
    rig_idle(r);
    struct session_stats before = rig_stats(r);
    rig_again(r); /* commits at once */
    struct session_stats after = rig_stats(r);
    assert_int_equal(after.rows, 2);
    assert_int_equal(after.rows, before.rows);
    assert_int_equal(after.bytes, before.bytes);
    assert_int_equal(after.written, 0); /* of this process */
    struct session_result *got = rig_chain(r, "alice", "resp_2");
    assert_int_equal(got->err, ERR_OK);
    assert_int_equal(got->chain_count, 2);
    assert_str(got->chain[0].input, "[\"in resp_1\"]");
    session_result_free(got);
    assert_int_equal(rig_turn_err(r, "alice", "resp_3"), ERR_NOT_FOUND);
}

static void test_committed_by_itself(void **state)
{
    struct rig *r = *state;
    rig_put(r, "alice", "resp_1", "");
    rig_put(r, "alice", "resp_2", "");
    RIG_UNTIL(rig_stats(r).written == 2); /* nothing else comes */
    char text[32];
    rig_sql(r, "SELECT count(*) FROM turn", text, sizeof text);
    assert_string_equal(text, "2");
    assert_int_equal(rig_delete(r, "alice", "resp_1"), ERR_OK);
    assert_int_equal(rig_delete(r, "alice", "resp_1"), ERR_NOT_FOUND);
    assert_int_equal(rig_stats(r).written, 3); /* at once */
    rig_sql(r, "SELECT count(*) FROM turn", text, sizeof text);
    assert_string_equal(text, "1");
    rig_idle(r);
    struct session_stats st = rig_stats(r);
    assert_int_equal(st.failed + st.dropped + st.queued + st.queued_bytes, 0);
    assert_string_equal(st.problem, "");
}

/* A batch is also full after 256 writes, however long the time is. */
static void test_committed_by_number(void **state)
{
    struct rig *r = *state;
    rig_close(r);
    r->tuning.commit_us = 3600 * 1000000ULL;
    rig_open(r);
    for (int i = 0; i < 300; i++) {
        char id[24];
        snprintf(id, sizeof id, "resp_%d", i);
        rig_put(r, "alice", id, "");
    }
    rig_idle(r);
    assert_int_equal(rig_stats(r).written, 256);
    /* the rest: seen, not yet written for others */
    assert_int_equal(rig_turn_err(r, "alice", "resp_299"), ERR_OK);
    char text[32];
    rig_sql(r, "SELECT count(*) FROM turn", text, sizeof text);
    assert_string_equal(text, "256");
    rig_again(r);
    assert_int_equal(rig_stats(r).rows, 300);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, rig_setup_open, rig_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_put_get),
        CASE(test_chain_order),
        CASE(test_chain_and_turns),
        CASE(test_nothing_asked),
        CASE(test_unknown),
        CASE(test_foreign_owner),
        CASE(test_same_id_of_two_owners),
        CASE(test_replaced),
        CASE(test_replaced_whole),
        CASE(test_missing_middle),
        CASE(test_deleted_says_what),
        CASE(test_native),
        CASE(test_any_bytes),
        CASE(test_turns_max),
        CASE(test_chain_bytes_max),
        CASE(test_turn_bytes_max),
        CASE(test_too_many_ids),
        CASE(test_circle),
        CASE(test_restart),
        CASE(test_committed_by_itself),
        CASE(test_committed_by_number),
    };
    return cmocka_run_group_tests_name("store/sessions", tests, NULL, NULL);
}
