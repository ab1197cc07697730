/* The token cache over time: refresh, end, failures of the endpoint, tokens that the provider refuses. */
#include "credential_rig.h"

#include "flow/credential.c" /* for the number of states */

/* -- time: set in the state, so that no test depends on how busy the machine is */

static struct state *state_now(struct bench *b)
{
    struct state *s = state_find(b->all, b->google->id);
    assert_non_null(s);
    return s;
}

static void test_life(void **state)
{
    static const struct step steps[] = { { 200, 0, TOKEN("1000") } };
    for (unsigned seed = 1; seed < 20; seed++) {
        struct bench b;
        struct want w = { 0 };
        bench_init(&b, steps, COUNT(steps));
        rng_init_seeded(&b.rng, seed);
        uint64_t before = loop_now_us(b.rig.loop);
        get(&b, &w);
        uint64_t after = loop_now_us(b.rig.loop);
        const struct state *s = state_now(&b);
        assert_true(s->refresh_us >= before + 750 * 1000000ull &&
                    s->refresh_us <= after + 800 * 1000000ull);
        assert_true(s->end_us >= before + 990 * 1000000ull &&
                    s->end_us <= after + 990 * 1000000ull);
        bench_done(&b);
    }
}

static void test_refreshed_before_its_end(void **state)
{
    static const struct step steps[] = { { 200, 0, TOKEN("3599") } };
    struct bench b;
    struct want w = { 0 };
    struct str token;
    bench_init(&b, steps, COUNT(steps));
    get(&b, &w);
    check_token(&w, "ya29.t0");
    state_now(&b)->refresh_us = loop_now_us(b.rig.loop);
    rig_nap(&b.rig, 50);
    assert_int_equal(asked(&b), 1); /* nobody used it: nothing was refreshed */
    /* Still good: given at once, while the next one is on its way. */
    assert_true(credential_ready(b.all, &b.src, &token));
    assert_true(str_eq(token, STR("ya29.t0")));
    assert_true(credential_ready(b.all, &b.src, &token));
    assert_int_equal(state_now(&b)->now, TOKEN_REFRESHING);
    while (state_now(&b)->now == TOKEN_REFRESHING)
        rig_nap(&b.rig, 5);
    assert_int_equal(asked(&b), 2);
    assert_true(credential_ready(b.all, &b.src, &token));
    assert_true(str_eq(token, STR("ya29.t1")));
    bench_done(&b);
}

static void test_expired(void **state)
{
    static const struct step steps[] = { { 200, 0, TOKEN("3599") } };
    struct bench b;
    struct want w = { 0 };
    struct str token;
    bench_init(&b, steps, COUNT(steps));
    get(&b, &w);
    state_now(&b)->end_us = loop_now_us(b.rig.loop);
    assert_false(credential_ready(b.all, &b.src, &token));
    assert_int_equal(asked(&b), 1);
    w = (struct want){ 0 };
    get(&b, &w);
    check_token(&w, "ya29.t1");
    bench_done(&b);
}

/* The token ends while its refresh is on its way: who comes now waits for that one. */
static void test_ends_while_refreshed(void **state)
{
    static const struct step steps[] = { { 200, 0, TOKEN("3599") }, { 200, 80, TOKEN("3599") } };
    struct bench b;
    struct want w = { 0 };
    struct str token;
    bench_init(&b, steps, COUNT(steps));
    get(&b, &w);
    state_now(&b)->refresh_us = loop_now_us(b.rig.loop);
    assert_true(credential_ready(b.all, &b.src, &token));
    state_now(&b)->end_us = loop_now_us(b.rig.loop);
    assert_false(credential_ready(b.all, &b.src, &token));
    w = (struct want){ 0 };
    get(&b, &w);
    check_token(&w, "ya29.t1");
    assert_int_equal(asked(&b), 2);
    bench_done(&b);
}

static void test_failed_refresh_keeps_the_token(void **state)
{
    static const struct step steps[] = { { 200, 0, TOKEN("3599") }, { 503, 0, "{}" } };
    struct bench b;
    struct want w = { 0 };
    struct str token;
    bench_init(&b, steps, COUNT(steps));
    get(&b, &w);
    state_now(&b)->refresh_us = loop_now_us(b.rig.loop);
    assert_true(credential_ready(b.all, &b.src, &token));
    while (state_now(&b)->now == TOKEN_REFRESHING)
        rig_nap(&b.rig, 5);
    assert_int_equal(asked(&b), 2);
    assert_true(credential_ready(b.all, &b.src, &token));
    assert_true(str_eq(token, STR("ya29.t0")));
    w = (struct want){ 0 };
    state_now(&b)->retry_us = UINT64_MAX; /* the pause after a failure */
    get(&b, &w);
    check_token(&w, "ya29.t0");
    assert_int_equal(asked(&b), 2);
    /* Its end comes before the pause is over: then the failure is told. */
    state_now(&b)->end_us = loop_now_us(b.rig.loop);
    w = (struct want){ 0 };
    get(&b, &w);
    assert_int_equal(w.err, ERR_UPSTREAM_AUTH);
    assert_non_null(strstr(w.problem, "503"));
    assert_int_equal(asked(&b), 2);
    bench_done(&b);
}

/* -- failures */

static void test_failures(void **state)
{
    static char big[90000];
    static const struct {
        struct step step;
        const char *problem, *detail;
    } rows[] = {
        { { 400, 0,
            "{\"error\":\"invalid_grant\",\"error_description\":\"Invalid JWT Signature.\"}" },
          "answered 400 invalid_grant",
          "Invalid JWT Signature." },
        { { 401, 0, "{\"error\":\"bad\\ncode\",\"error_description\":\"a\\u0000b\"}" },
          "answered 401 to",
          "" },
        { { 500, 0, "<html>" }, "answered 500", "" },
        { { 200, 0, "<html>" }, "is not a JSON object", "" },
        { { 200, 0, "[]" }, "is not a JSON object", "" },
        { { 200, 0, "" }, "is not a JSON object", "" },
        { { 200, 0, "{}" }, "has no access_token", "" },
        { { 200, 0, "{\"access_token\":7,\"expires_in\":10}" }, "has no access_token", "" },
        { { 200, 0, "{\"access_token\":\"\",\"expires_in\":10}" }, "has no access_token", "" },
        { { 200, 0, "{\"access_token\":\"a\\r\\nx: y\",\"expires_in\":10}" },
          "cannot stand in a header",
          "" },
        { { 200, 0, "{\"access_token\":\"a\",\"expires_in\":0}" }, "expired already", "" },
        { { 200, 0, "{\"access_token\":\"a\",\"expires_in\":-5}" }, "expired already", "" },
        { { 200, 0, "{\"access_token\":\"a\",\"expires_in\":1e999}" }, "expired already", "" },
        { { 200, 0, "{\"access_token\":\"a\",\"token_type\":\"mac\",\"expires_in\":9}" },
          "another type",
          "" },
        { { 200, 0, "{\"access_token\":\"a\",\"access_token\":\"b\"}" },
          "is not a JSON object",
          "" },
        { { 302, 0, "{}" }, "answered 302", "" },
        { { 200, 0, NULL }, "could not be reached", "could not be reached" },
        { { 200, 0, big }, "larger than 64 KiB", "" },
    };
    memset(big, 'x', sizeof big - 1);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bench b;
        struct want w = { 0 };
        struct str token;
        bench_init(&b, &rows[i].step, 1);
        get(&b, &w);
        assert_int_equal(w.err, ERR_UPSTREAM_AUTH);
        assert_int_equal(w.calls, 1);
        assert_int_equal(w.token[0], 0);
        if (!strstr(w.problem, rows[i].problem) || !strstr(w.detail, rows[i].detail))
            fail_msg("row %zu: %s / %s", i, w.problem, w.detail);
        assert_null(strstr(w.detail, "eyJ")); /* nothing of the assertion */
        assert_false(credential_ready(b.all, &b.src, &token));
        /* At once, and without another request. */
        unsigned before = asked(&b);
        w = (struct want){ 0 };
        get(&b, &w);
        assert_int_equal(w.err, ERR_UPSTREAM_AUTH);
        assert_int_equal(asked(&b), before);
        bench_done(&b);
    }
}

static void test_nobody_there(void **state)
{
    static const struct step steps[] = { { 200, 0, TOKEN("3599") } };
    struct bench b;
    struct want w = { 0 };
    bench_init(&b, steps, 1);
    google_credential_unref(b.google);
    b.google = google_credential_metadata(STR("127.0.0.1:1"));
    b.src.google = b.google;
    get(&b, &w);
    assert_int_equal(w.err, ERR_UPSTREAM_AUTH);
    assert_non_null(strstr(w.problem, "the metadata server could not be reached"));
    google_credential_unref(b.google);
    b.google = google_credential_metadata(STR("a b\r\n"));
    b.src.google = b.google;
    w = (struct want){ 0 };
    get(&b, &w);
    assert_int_equal(w.err, ERR_UPSTREAM_AUTH);
    assert_non_null(strstr(w.problem, "cannot be used"));
    bench_done(&b);
}

static void test_recovers(void **state)
{
    static const struct step steps[] = { { 503, 0, "{}" }, { 200, 0, TOKEN("3599") } };
    struct bench b;
    struct want w = { 0 };
    bench_init(&b, steps, COUNT(steps));
    get(&b, &w);
    assert_int_equal(w.err, ERR_UPSTREAM_AUTH);
    assert_int_equal(state_now(&b)->retry_ms, 2 * RETRY_FIRST_MS);
    state_now(&b)->retry_us = 0; /* the pause is over */
    w = (struct want){ 0 };
    get(&b, &w);
    check_token(&w, "ya29.t1");
    assert_int_equal(state_now(&b)->retry_ms, RETRY_FIRST_MS);
    bench_done(&b);
}

/* A secret that the answer repeats stays out of what is told. */
static void test_echo(void **state)
{
    static const struct step steps[] = {
        { 400, 0, "{\"error\":\"x\",\"error_description\":\"bad secret GOCSPX-abc here\"}" }
    };
    struct bench b;
    struct want w = { 0 };
    bench_init(&b, steps, 1);
    google_credential_unref(b.google);
    b.google = credential(
        &b,
        arena_printf(
            b.rig.arena,
            "{\"type\":\"authorized_user\",\"client_id\":\"id\",\"client_secret\":\"GOCSPX-abc\","
            "\"refresh_token\":\"1//r\",\"token_uri\":\"http://127.0.0.1:%u/t\"}",
            b.rig.mock.port)
            .p);
    b.src.google = b.google;
    get(&b, &w);
    assert_int_equal(w.err, ERR_UPSTREAM_AUTH);
    assert_null(strstr(w.detail, "GOCSPX"));
    assert_non_null(strstr(w.problem, "gcloud auth application-default login"));
    bench_done(&b);
}

/* -- a 401 of the provider */

static void test_invalidated_once(void **state)
{
    static const struct step steps[] = { { 200, 0, TOKEN("3599") } };
    struct bench b;
    struct want w = { 0 };
    struct str token;
    bench_init(&b, steps, 1);
    assert_true(credential_invalidate(b.all, &b.src, STR("never seen")));
    get(&b, &w);
    assert_true(credential_invalidate(b.all, &b.src, STR("ya29.t0")));
    assert_false(credential_ready(b.all, &b.src, &token));
    w = (struct want){ 0 };
    get(&b, &w);
    check_token(&w, "ya29.t1");
    /* A second request that had gone out with the first token. */
    assert_true(credential_invalidate(b.all, &b.src, STR("ya29.t0")));
    assert_true(credential_ready(b.all, &b.src, &token));
    /* The new one is refused too: no more tokens are spent on it. */
    assert_false(credential_invalidate(b.all, &b.src, STR("ya29.t1")));
    assert_true(credential_ready(b.all, &b.src, &token));
    assert_int_equal(asked(&b), 2);
    bench_done(&b);
}

/* Promised at once, then refused before the promise is kept: told, not left waiting. */
static void test_invalidated_while_promised(void **state)
{
    static const struct step steps[] = { { 200, 0, TOKEN("3599") } };
    struct bench b;
    struct want w = { 0 };
    bench_init(&b, steps, 1);
    get(&b, &w);
    w = (struct want){ 0 };
    ask(&b, &w, 10000);
    assert_true(credential_invalidate(b.all, &b.src, STR("ya29.t0")));
    rig_run(&b.rig);
    assert_int_equal(w.calls, 1);
    assert_int_equal(w.err, ERR_UPSTREAM_AUTH);
    assert_true(strlen(w.problem) > 0);
    bench_done(&b);
}

/* States of credentials that are gone do not pile up. */
static void test_many_credentials(void **state)
{
    static const struct step steps[] = { { 503, 0, "{}" } };
    struct bench b;
    bench_init(&b, steps, 1);
    for (unsigned i = 0; i < 200; i++) {
        struct want w = { 0 };
        google_credential_unref(b.google);
        b.google = google_credential_metadata(
            arena_printf(b.rig.arena, "127.0.0.%u:%u", i % 250 + 1, b.rig.mock.port));
        b.src.google = b.google;
        get(&b, &w);
        assert_int_equal(w.err, ERR_UPSTREAM_AUTH);
        assert_true(b.all->count <= STATES_KEPT + 1);
    }
    assert_int_equal(b.all->count, STATES_KEPT + 1);
    bench_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life),
        cmocka_unit_test(test_refreshed_before_its_end),
        cmocka_unit_test(test_expired),
        cmocka_unit_test(test_ends_while_refreshed),
        cmocka_unit_test(test_failed_refresh_keeps_the_token),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_recovers),
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_invalidated_once),
        cmocka_unit_test(test_invalidated_while_promised),
        cmocka_unit_test(test_many_credentials),
    };
    return cmocka_run_group_tests_name("flow/credential_fail", tests, make_key, free_key);
}
