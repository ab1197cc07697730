/* What the tests of the token cache share: a scripted token endpoint on loopback, and callers that note what they are told. */
#ifndef TESTS_CREDENTIAL_RIG_H
#define TESTS_CREDENTIAL_RIG_H

#include "client_rig.h"

#include "base/mem.h"
#include "flow/credential.h"

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

static inline void serve(struct mock_conn *k)
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

static inline int make_key(void **state)
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

static inline int free_key(void **state)
{
    EVP_PKEY_free(pkey);
    mem_free((void *)(uintptr_t)pem.p);
    return 0;
}

static inline struct google_credential *credential(struct bench *b, const char *json)
{
    struct google_credential *c = NULL;
    struct str problem = { NULL, 0 };
    if (google_credential_new(str_c(json), b->rig.arena, &c, &problem))
        fail_msg("the credential %.*s", STR_ARG(problem));
    return c;
}

static inline struct google_credential *service_account(struct bench *b)
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

static inline void bench_init(struct bench *b, const struct step *steps, unsigned count)
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

static inline void bench_done(struct bench *b)
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

static inline void on_told(void *ctx, const struct credential_result *r)
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

static inline void ask(struct bench *b, struct want *w, uint64_t timeout_ms)
{
    w->b = b;
    b->rig.open++;
    unsigned before = w->calls;
    w->w = credential_get(b->all, &b->src, timeout_ms, on_told, w);
    assert_non_null(w->w);
    assert_int_equal(w->calls, before); /* never from inside */
}

static inline void get(struct bench *b, struct want *w)
{
    ask(b, w, 10000);
    rig_run(&b->rig);
}

#define TOKEN(life)                                                                                \
    "{\"access_token\":\"ya29.t%u\",\"expires_in\":" life ",\"token_type\":\"Bearer\"}"
#define COUNT(rows) (sizeof rows / sizeof rows[0])

static inline void check_token(const struct want *w, const char *token)
{
    if (w->err)
        fail_msg("%s: %s", err_name(w->err), w->problem);
    assert_int_equal(w->calls, 1);
    assert_string_equal(w->token, token);
}

static inline unsigned asked(const struct bench *b)
{
    return atomic_load(&b->rig.mock.requests);
}

#endif
