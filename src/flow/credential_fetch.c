/* One request for an access token, from credential to answer. */
#include "flow/credential_priv.h"

#include "base/buf.h"
#include "base/mem.h"

#define CONNECT_MS 5000
#define FETCH_MS 20000 /* all of it */
#define ANSWER_MAX_BYTES (64 * KIB)

struct credential_fetch {
    struct fetch_opts o;
    struct google_credential *google;
    struct tls_ctx *tls;
    fetch_fn *on_done;
    void *ctx;
    struct arena *arena;
    struct origin origin;
    struct google_token_request rq;
    struct exchange *x;
    struct buf in;
    int status;
    struct timer limit;
    struct defer fail; /* it failed before anything was sent */
    struct str problem;
};

void credential_fetch_free(struct credential_fetch *f)
{
    if (!f)
        return;
    if (f->x)
        exchange_close(f->x);
    timer_stop(&f->limit);
    defer_cancel(&f->fail);
    if (f->rq.body.len)
        wipe((char *)(uintptr_t)f->rq.body.p, f->rq.body.len);
    if (f->in.len)
        wipe(f->in.p, f->in.len);
    buf_done(&f->in);
    google_credential_unref(f->google);
    tls_unref(f->tls);
    arena_free(f->arena);
    mem_free(f);
}

static void fail(struct credential_fetch *f, struct str problem, struct str detail)
{
    const struct fetch_result r = { ERR_UPSTREAM_AUTH, { { NULL, 0 }, 0 }, problem, detail };
    f->on_done(f->ctx, &r);
}

static const char *place(const struct credential_fetch *f)
{
    return f->google->kind == GOOGLE_METADATA ? "the metadata server" : "Google's token endpoint";
}

/* -- the exchange */

static void on_head(void *ctx, const struct http_head *head)
{
    struct credential_fetch *f = ctx;
    f->status = head->status;
    exchange_read(f->x, true);
}

static void on_body(void *ctx, struct str bytes)
{
    struct credential_fetch *f = ctx;
    buf_put(&f->in, bytes); /* its cap is remembered */
    if (f->in.fail)
        exchange_read(f->x, false);
    if (f->in.fail)
        loop_defer(f->o.loop, &f->fail);
}

static void on_body_end(void *ctx)
{
    struct credential_fetch *f = ctx;
    struct fetch_result r = { .err = ERR_OK };
    if (f->in.fail)
        return; /* told by on_fail */
    r.err = google_token_read(f->google, f->status, buf_str(&f->in), f->arena, &r.token, &r.problem,
                              &r.detail);
    f->on_done(f->ctx, &r);
}

static void on_error(void *ctx, enum err e)
{
    struct credential_fetch *f = ctx;
    struct str problem =
        arena_printf(f->arena, "%s could not be reached for the gateway's credential (%s)",
                     place(f), err_text(e));
    struct str detail = exchange_detail(f->x);
    fail(f, problem, arena_printf(f->arena, "%.*s: %.*s", STR_ARG(problem), STR_ARG(detail)));
}

static const struct exchange_events events = {
    .on_head = on_head,
    .on_body = on_body,
    .on_body_end = on_body_end,
    .on_error = on_error,
};

static void on_fail(void *ctx)
{
    struct credential_fetch *f = ctx;
    if (!f->problem.len)
        f->problem = arena_printf(
            f->arena, "the answer of %s is larger than 64 KiB; is token_uri right?", place(f));
    fail(f, f->problem, f->problem);
}

static void on_limit(void *ctx)
{
    struct credential_fetch *f = ctx;
    struct str problem =
        arena_printf(f->arena, "%s gave no answer within %d s", place(f), FETCH_MS / 1000);
    fail(f, problem, problem);
}

/* -- the request */

/* Empty: sent. */
static struct str send_request(struct credential_fetch *f)
{
    struct str path, why;
    bool https;
    const struct google_credential *g = f->google;
    static const struct http_header form[] = {
        { STR_INIT("content-type"), STR_INIT("application/x-www-form-urlencoded") },
        { STR_INIT("accept"), STR_INIT("application/json") },
        { STR_INIT("user-agent"), STR_INIT("weir") },
    };
    static const struct http_header metadata[] = {
        { STR_INIT("metadata-flavor"), STR_INIT("Google") },
        { STR_INIT("accept"), STR_INIT("application/json") },
        { STR_INIT("user-agent"), STR_INIT("weir") },
    };
    if (origin_parse(g->token_url, f->arena, &f->origin, &path, &https, &why))
        return arena_printf(f->arena, "the URL of %s cannot be used: %.*s", place(f), STR_ARG(why));
    if (https && !f->tls)
        return arena_printf(f->arena, "%s cannot be reached without TLS", place(f));
    if (https) {
        f->origin.tls = f->tls;
        f->origin.key = arena_printf(f->arena, "%.*s %p", STR_ARG(f->origin.key), (void *)f->tls);
    }
    if (google_token_request(g, loop_unix_ms(f->o.loop) / 1000, f->arena, &f->rq))
        return STR("the credential's key could not sign");
    const struct client_request rq = {
        .origin = &f->origin,
        .head = { .method = f->rq.post ? STR("POST") : STR("GET"),
                  .target = path.len ? path : STR("/"),
                  .headers = f->rq.post ? form : metadata,
                  .header_count = 3 },
        .body = &f->rq.body,
        .body_count = f->rq.body.len ? 1 : 0,
        .connect_timeout_ms = CONNECT_MS,
    };
    f->x = client_send(f->o.client, &rq, &events, f);
    return str_of(NULL, 0);
}

struct credential_fetch *credential_fetch_new(const struct fetch_opts *o, fetch_fn *on_done,
                                              void *ctx)
{
    struct credential_fetch *f = MEM_NEW(struct credential_fetch);
    f->o = *o;
    f->google = google_credential_ref(o->src.google);
    f->tls = o->src.tls ? tls_ref(o->src.tls) : NULL;
    f->on_done = on_done;
    f->ctx = ctx;
    f->arena = arena_new();
    buf_init(&f->in, ANSWER_MAX_BYTES);
    timer_init(&f->limit, o->loop, on_limit, f);
    defer_init(&f->fail, on_fail, f);
    f->problem = send_request(f);
    if (f->problem.len)
        loop_defer(o->loop, &f->fail);
    else
        timer_set(&f->limit, FETCH_MS);
    return f;
}
