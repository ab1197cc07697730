/* The token cache: what is asked, and who waits. */
#include "credential_rig.h"

#include "wire/base64.h"

/* -- what is sent */

static bool signature_is_good(struct str jwt, struct arena *a)
{
    size_t dot = jwt.len;
    struct str signature;
    while (dot && jwt.p[dot - 1] != '.')
        dot--;
    assert_int_equal(base64_decode(str_skip(jwt, dot), a, &signature), ERR_OK);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, pkey);
    int ok = EVP_DigestVerify(ctx, (const unsigned char *)signature.p, signature.len,
                              (const unsigned char *)jwt.p, dot - 1);
    EVP_MD_CTX_free(ctx);
    return ok == 1;
}

static void test_service_account(void **state)
{
    static const struct step steps[] = { { 200, 0, TOKEN("3599") } };
    struct bench b;
    struct want w = { 0 };
    struct str token;
    bench_init(&b, steps, 1);
    assert_false(credential_ready(b.all, &b.src, &token));
    get(&b, &w);
    check_token(&w, "ya29.t0");
    assert_non_null(strstr(b.script.seen, "POST /token HTTP/1.1"));
    assert_non_null(strstr(b.script.seen, "application/x-www-form-urlencoded"));
    const char *form =
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
    char *jwt = strstr(b.script.seen, form);
    assert_non_null(jwt);
    struct str assertion = str_c(jwt + strlen(form)), part, rest = assertion;
    assert_true(signature_is_good(assertion, b.rig.arena));
    assert_int_equal(base64_decode(str_cut(&rest, '.'), b.rig.arena, &part), ERR_OK);
    assert_true(str_find(part, STR("\"kid\":\"kid7\"")) != STR_NONE);
    assert_int_equal(base64_decode(str_cut(&rest, '.'), b.rig.arena, &part), ERR_OK);
    assert_true(str_find(part, STR("\"iss\":\"a@p.iam\"")) != STR_NONE);
    assert_true(
        str_find(part, STR("\"scope\":\"https://www.googleapis.com/auth/cloud-platform\"")) !=
        STR_NONE);
    assert_true(str_find(part, STR("/token\",\"iat\":")) != STR_NONE);
    /* From now on without a request. */
    assert_true(credential_ready(b.all, &b.src, &token));
    assert_true(str_eq(token, STR("ya29.t0")));
    w = (struct want){ 0 };
    get(&b, &w);
    check_token(&w, "ya29.t0");
    assert_int_equal(asked(&b), 1);
    bench_done(&b);
}

static void test_authorized_user(void **state)
{
    static const struct step steps[] = { { 200, 0, TOKEN("3599") } };
    struct bench b;
    struct want w = { 0 };
    bench_init(&b, steps, 1);
    google_credential_unref(b.google);
    b.google = credential(
        &b, arena_printf(
                b.rig.arena,
                "{\"type\":\"authorized_user\",\"client_id\":\"id\",\"client_secret\":\"s&=+ %%\","
                "\"refresh_token\":\"1//r\",\"quota_project_id\":\"q\","
                "\"token_uri\":\"http://127.0.0.1:%u/t\"}",
                b.rig.mock.port)
                .p);
    b.src.google = b.google;
    get(&b, &w);
    check_token(&w, "ya29.t0");
    assert_non_null(strstr(b.script.seen, "grant_type=refresh_token&client_id=id&"
                                          "client_secret=s%26%3D%2B%20%25&refresh_token=1%2F%2Fr"));
    assert_true(str_eq(b.google->quota_project, STR("q")));
    bench_done(&b);
}

static void test_metadata(void **state)
{
    static const struct step steps[] = { { 200, 0,
                                           "{\"access_token\":\"m\",\"expires_in\":300}" } };
    struct bench b;
    struct want w = { 0 };
    bench_init(&b, steps, 1);
    google_credential_unref(b.google);
    b.google =
        google_credential_metadata(arena_printf(b.rig.arena, "127.0.0.1:%u", b.rig.mock.port));
    b.src.google = b.google;
    get(&b, &w);
    check_token(&w, "m");
    assert_non_null(strstr(
        b.script.seen, "GET /computeMetadata/v1/instance/service-accounts/default/token HTTP/1.1"));
    assert_non_null(strstr(b.script.seen, "metadata-flavor: Google"));
    bench_done(&b);
}

/* -- who waits */

static void test_one_fetch_for_all(void **state)
{
    static const struct step steps[] = { { 200, 50, TOKEN("3599") } };
    enum { N = 50 };
    struct bench b;
    struct want w[N] = { 0 };
    bench_init(&b, steps, 1);
    for (int i = 0; i < N; i++)
        ask(&b, &w[i], 10000);
    rig_run(&b.rig);
    for (int i = 0; i < N; i++)
        check_token(&w[i], "ya29.t0");
    assert_int_equal(asked(&b), 1);
    bench_done(&b);
}

static void test_each_its_own_deadline(void **state)
{
    static const struct step steps[] = { { 200, 300, TOKEN("3599") } };
    struct bench b;
    struct want slow = { 0 }, hasty = { 0 };
    bench_init(&b, steps, 1);
    ask(&b, &slow, 10000);
    ask(&b, &hasty, 30);
    rig_run(&b.rig);
    assert_int_equal(hasty.err, ERR_TIMEOUT);
    assert_int_equal(hasty.calls, 1);
    assert_true(strlen(hasty.problem) > 0);
    check_token(&slow, "ya29.t0");
    assert_int_equal(asked(&b), 1);
    bench_done(&b);
}

static void test_cancel(void **state)
{
    static const struct step steps[] = { { 200, 100, TOKEN("3599") } };
    struct bench b;
    struct want gone = { 0 }, left = { 0 };
    struct str token;
    bench_init(&b, steps, 1);
    ask(&b, &gone, 10000);
    ask(&b, &left, 10000);
    credential_cancel(gone.w);
    b.rig.open--;
    credential_cancel(NULL);
    rig_run(&b.rig);
    assert_int_equal(gone.calls, 0);
    check_token(&left, "ya29.t0");
    /* One that was promised at once. */
    ask(&b, &gone, 10000);
    credential_cancel(gone.w);
    b.rig.open--;
    rig_nap(&b.rig, 20);
    assert_int_equal(gone.calls, 0);
    assert_true(credential_ready(b.all, &b.src, &token));
    bench_done(&b);
}

/* The last waiter leaves: the token that comes is kept all the same. */
static void test_all_leave(void **state)
{
    static const struct step steps[] = { { 200, 60, TOKEN("3599") } };
    struct bench b;
    struct want w = { 0 };
    struct str token;
    bench_init(&b, steps, 1);
    ask(&b, &w, 10000);
    credential_cancel(w.w);
    b.rig.open--;
    rig_until(&b.rig, credential_ready(b.all, &b.src, &token));
    assert_int_equal(asked(&b), 1);
    bench_done(&b);
}

static void cancel_other(struct want *w)
{
    credential_cancel(w->other->w);
    w->other->w = NULL;
    w->b->rig.open--;
}

static void test_cancel_from_a_callback(void **state)
{
    static const struct step steps[] = { { 200, 30, TOKEN("3599") } };
    struct bench b;
    struct want second = { 0 }, first = { .then = cancel_other, .other = &second };
    bench_init(&b, steps, 1);
    ask(&b, &first, 10000);
    ask(&b, &second, 10000);
    rig_run(&b.rig);
    check_token(&first, "ya29.t0");
    assert_int_equal(second.calls, 0);
    bench_done(&b);
}

static void test_freed_while_fetching(void **state)
{
    static const struct step steps[] = { { 200, 100, TOKEN("3599") } };
    struct bench b;
    struct want w = { 0 };
    bench_init(&b, steps, 1);
    ask(&b, &w, 10000);
    rig_nap(&b.rig, 20);
    credentials_free(b.all);
    b.all = NULL;
    b.rig.open--;
    rig_nap(&b.rig, 150);
    assert_int_equal(w.calls, 0);
    bench_done(&b);
}

/* The config is reloaded while a token is on its way: the old credential's owner lets go of it. */
static void test_credential_goes(void **state)
{
    static const struct step steps[] = { { 200, 60, TOKEN("3599") } };
    struct bench b;
    struct want w = { 0 };
    struct str token;
    bench_init(&b, steps, 1);
    ask(&b, &w, 10000);
    google_credential_unref(b.google);
    b.google = service_account(&b);
    b.src.google = b.google;
    rig_run(&b.rig);
    check_token(&w, "ya29.t0");
    assert_true(credential_ready(b.all, &b.src, &token)); /* the same file, the same state */
    bench_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_service_account),
        cmocka_unit_test(test_authorized_user),
        cmocka_unit_test(test_metadata),
        cmocka_unit_test(test_one_fetch_for_all),
        cmocka_unit_test(test_each_its_own_deadline),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_all_leave),
        cmocka_unit_test(test_cancel_from_a_callback),
        cmocka_unit_test(test_freed_while_fetching),
        cmocka_unit_test(test_credential_goes),
    };
    return cmocka_run_group_tests_name("flow/credential", tests, make_key, free_key);
}
