/* The token cache against a scripted token endpoint on loopback. */
#include "client_rig.h"

#include "base/mem.h"
#include "flow/credential.c" /* for the number of states */
#include "wire/base64.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

/* What the endpoint does with the n-th request (from 0): body, status, pause before it; the last row goes on. */
struct step {
    int status;
    unsigned pause_ms;
    const char *body; /* "%u": the number of the request */
};
struct script {
    const struct step *steps;
    unsigned count;
    char seen[8192]; /* the last request: head and body */
    char target[256];
};

static void serve(struct mock_conn *k)
{
    struct script *s = k->mock->arg;
    while (mock_request(k)) {
        unsigned n = atomic_fetch_add(&k->mock->value, 1);
        const struct step *step = &s->steps[n < s->count ? n : s->count - 1];
        char head[256];
        snprintf(s->seen, sizeof s->seen, "%.*s%.*s", STR_ARG(k->head), STR_ARG(k->body));
        mock_pause(step->pause_ms);
        if (!step->body) {
            mock_reset(k);
            return;
        }
        struct arena *a = arena_new();
        struct str rest = str_c(step->body), body = str_cut(&rest, '%');
        if (rest.len) /* "%u" */
            body = arena_printf(a, "%.*s%u%.*s", STR_ARG(body), n, STR_ARG(str_skip(rest, 1)));
        snprintf(head, sizeof head,
                 "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                 step->status, body.len);
        mock_sendz(k, head);
        mock_send(k, body);
        arena_free(a);
    }
}

struct bench {
    struct rig rig;
    struct script script;
    struct rng rng;
    struct credentials *all;
    struct google_credential *google;
    struct credential_source src;
};

static struct str pem; /* made once: keys are slow */
static EVP_PKEY *pkey;

static int make_key(void **state)
{
    char *bytes;
    pkey = EVP_RSA_gen(2048);
    BIO *out = BIO_new(BIO_s_mem());
    PEM_write_bio_PKCS8PrivateKey(out, pkey, NULL, NULL, 0, NULL, NULL);
    long n = BIO_get_mem_data(out, &bytes);
    char *copy = mem_zalloc((size_t)n * 2 + 1);
    size_t at = 0;
    for (long i = 0; i < n; i++) {
        if (bytes[i] == '\n')
            copy[at++] = '\\';
        copy[at++] = bytes[i] == '\n' ? 'n' : bytes[i];
    }
    pem = str_of(copy, at);
    BIO_free(out);
    return 0;
}

static int free_key(void **state)
{
    EVP_PKEY_free(pkey);
    mem_free((void *)(uintptr_t)pem.p);
    return 0;
}

static struct google_credential *credential(struct bench *b, const char *json)
{
    struct google_credential *c = NULL;
    struct str problem = { NULL, 0 };
    if (google_credential_new(str_c(json), b->rig.arena, &c, &problem))
        fail_msg("the credential %.*s", STR_ARG(problem));
    return c;
}

static struct google_credential *service_account(struct bench *b)
{
    return credential(
        b, arena_printf(
               b->rig.arena,
               "{\"type\":\"service_account\",\"project_id\":\"p\",\"private_key_id\":\"kid7\","
               "\"private_key\":\"%.*s\",\"client_email\":\"a@p.iam\","
               "\"token_uri\":\"http://127.0.0.1:%u/token\"}",
               STR_ARG(pem), b->rig.mock.port)
               .p);
}

static void bench_init(struct bench *b, const struct step *steps, unsigned count)
{
    memset(b, 0, sizeof *b);
    b->script.steps = steps;
    b->script.count = count;
    rig_init(&b->rig, serve, &b->script, NULL);
    rng_init_seeded(&b->rng, 7);
    b->all = credentials_new(b->rig.loop, b->rig.client, &b->rng);
    b->google = service_account(b);
    b->src.google = b->google;
}

static void bench_done(struct bench *b)
{
    credentials_free(b->all);
    google_credential_unref(b->google);
    rig_done(&b->rig);
}

struct want {
    struct bench *b;
    struct credential_wait *w;
    unsigned calls;
    enum err err;
    char token[128], problem[512], detail[512];
    void (*then)(struct want *w);
    struct want *other;
};

static void on_done(void *ctx, const struct credential_result *r)
{
    struct want *w = ctx;
    w->calls++;
    w->w = NULL;
    w->err = r->err;
    snprintf(w->token, sizeof w->token, "%.*s", STR_ARG(r->token));
    snprintf(w->problem, sizeof w->problem, "%.*s", STR_ARG(r->problem));
    snprintf(w->detail, sizeof w->detail, "%.*s", STR_ARG(r->detail));
    if (w->then)
        w->then(w);
    if (--w->b->rig.open == 0)
        loop_stop(w->b->rig.loop);
}

static void ask(struct bench *b, struct want *w, uint64_t timeout_ms)
{
    w->b = b;
    b->rig.open++;
    unsigned before = w->calls;
    w->w = credential_get(b->all, &b->src, timeout_ms, on_done, w);
    assert_non_null(w->w);
    assert_int_equal(w->calls, before); /* never from inside */
}

static void get(struct bench *b, struct want *w)
{
    ask(b, w, 10000);
    rig_run(&b->rig);
}

#define TOKEN(life)                                                                                \
    "{\"access_token\":\"ya29.t%u\",\"expires_in\":" life ",\"token_type\":\"Bearer\"}"
#define COUNT(rows) (sizeof rows / sizeof rows[0])

static void check_token(const struct want *w, const char *token)
{
    if (w->err)
        fail_msg("%s: %s", err_name(w->err), w->problem);
    assert_int_equal(w->calls, 1);
    assert_string_equal(w->token, token);
}

static unsigned asked(const struct bench *b)
{
    return atomic_load(&b->rig.mock.requests);
}

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
    rig_nap(&b.rig, 400);
    assert_true(credential_ready(b.all, &b.src, &token));
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

/* -- time */

static void test_refreshed_before_its_end(void **state)
{
    static const struct step steps[] = { { 200, 0, TOKEN("1") }, { 200, 0, TOKEN("3599") } };
    struct bench b;
    struct want w = { 0 };
    struct str token;
    bench_init(&b, steps, COUNT(steps));
    get(&b, &w);
    check_token(&w, "ya29.t0");
    rig_nap(&b.rig, 820);
    /* Still good: given at once, while the next one is on its way. */
    if (credential_ready(b.all, &b.src, &token)) {
        assert_true(str_eq(token, STR("ya29.t0")));
        rig_nap(&b.rig, 100);
        assert_int_equal(asked(&b), 2);
        assert_true(credential_ready(b.all, &b.src, &token));
        assert_true(str_eq(token, STR("ya29.t1")));
    } /* else this machine has slept past its end, which the next test is about */
    bench_done(&b);
}

static void test_expired(void **state)
{
    static const struct step steps[] = { { 200, 0, TOKEN("1") }, { 200, 0, TOKEN("3599") } };
    struct bench b;
    struct want w = { 0 };
    struct str token;
    bench_init(&b, steps, COUNT(steps));
    get(&b, &w);
    rig_nap(&b.rig, 1100);
    assert_int_equal(asked(&b), 1); /* nobody used it: nothing was refreshed */
    assert_false(credential_ready(b.all, &b.src, &token));
    w = (struct want){ 0 };
    get(&b, &w);
    check_token(&w, "ya29.t1");
    bench_done(&b);
}

static void test_failed_refresh_keeps_the_token(void **state)
{
    static const struct step steps[] = { { 200, 0, TOKEN("4") }, { 503, 0, "{}" } };
    struct bench b;
    struct want w = { 0 };
    struct str token;
    bench_init(&b, steps, COUNT(steps));
    get(&b, &w);
    rig_nap(&b.rig, 3300);
    assert_true(credential_ready(b.all, &b.src, &token));
    rig_nap(&b.rig, 100);
    assert_int_equal(asked(&b), 2);
    assert_true(credential_ready(b.all, &b.src, &token));
    assert_true(str_eq(token, STR("ya29.t0")));
    w = (struct want){ 0 };
    get(&b, &w);
    check_token(&w, "ya29.t0");
    assert_int_equal(asked(&b), 2); /* the pause after a failure */
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
    rig_nap(&b.rig, 1100);
    w = (struct want){ 0 };
    get(&b, &w);
    check_token(&w, "ya29.t1");
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
        cmocka_unit_test(test_refreshed_before_its_end),
        cmocka_unit_test(test_expired),
        cmocka_unit_test(test_failed_refresh_keeps_the_token),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_recovers),
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_invalidated_once),
        cmocka_unit_test(test_invalidated_while_promised),
        cmocka_unit_test(test_many_credentials),
    };
    return cmocka_run_group_tests_name("flow/credential", tests, make_key, free_key);
}
