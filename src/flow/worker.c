#include "flow/worker.h"

#include "base/mem.h"
#include "flow/flow_priv.h"

#define LOG_BATCH (64 * KIB)
#define LOG_DELAY_MS 100

/* -- snapshots */

static struct worker_snapshot *ws_new(struct snapshot *s)
{
    struct worker_snapshot *ws = MEM_NEW(struct worker_snapshot);
    ws->s = s;
    ws->uses = 1;
    return ws;
}

struct worker_snapshot *worker_snapshot_use(struct worker *w)
{
    w->current->uses++;
    return w->current;
}

void worker_snapshot_drop(struct worker *w, struct worker_snapshot *ws)
{
    if (--ws->uses)
        return;
    snapshot_unref(ws->s);
    mem_free(ws);
}

/* -- log lines: collected, handed over in batches */

static void log_hand_over(void *worker)
{
    struct worker *w = worker;
    timer_stop(&w->log_timer);
    if (w->log.len)
        w->gw->write_log(w->gw->log_ctx, buf_str(&w->log));
    buf_reset(&w->log);
}

void worker_log_commit(struct worker *w)
{
    if (w->log.len > LOG_BATCH / 2)
        log_hand_over(w);
    else if (!w->log_timer.due_us)
        timer_set(&w->log_timer, LOG_DELAY_MS);
}

/* -- refusals of the HTTP server itself: not one request was read */

static void on_refused(void *ctx, enum err e, const char *why, struct str peer, struct buf *out)
{
    struct worker *w = ctx;
    struct arena *a = arena_new();
    struct fault f;
    fault_set(&f, e, a, "%s (%s)", err_text(e), why);
    openai_write_fault(&f, str_of(NULL, 0), out);
    if (w->gw->access_log) {
        const struct access_record r = { .unix_ms = loop_unix_ms(w->loop),
                                         .peer = peer,
                                         .status = f.status,
                                         .error = err_name(e),
                                         .error_detail = str_c(why) };
        access_log_write(&r, w->gw->log_form, &w->log);
        worker_log_commit(w);
    }
    arena_free(a);
}

/* -- life */

/* Connections are closed while the loop still turns. Deferred: the last request may have ended inside one of them. */
static void quit(void *worker)
{
    struct worker *w = worker;
    if (w->listener)
        listener_close(w->listener);
    http_server_free(w->server);
    credentials_free(w->credentials);
    client_free(w->client);
    w->listener = NULL;
    w->server = NULL;
    w->client = NULL;
    w->credentials = NULL;
    loop_stop(w->loop);
}

void worker_idle(struct worker *w)
{
    if (w->stopping && w->flow_count == 0 && w->server)
        loop_defer(w->loop, &w->quit);
}

static void make_server(struct worker *w, const struct conf *conf)
{
    const struct conf_weir *c = &conf->weir;
    const struct http_server_opts so = {
        .max_request_line = 8 * KIB,
        .max_header_bytes = 32 * KIB,
        .max_header_count = 100,
        .header_timeout_ms = c->header_timeout_ms,
        .keepalive_timeout_ms = c->keepalive_timeout_ms,
        .body_min_rate = c->body_min_rate,
        .body_grace_ms = c->body_grace_ms,
        .client_stall_timeout_ms = c->client_stall_timeout_ms,
        .on_request = worker_on_request,
        .on_refused = on_refused,
        .ctx = w,
    };
    const struct client_opts co = {
        .dns = w->gw->dns,
        .proxies = w->gw->proxies,
        .idle_ms = c->upstream_idle_ms,
        .life_ms = c->upstream_life_ms,
        .connections_per_origin = c->upstream_connections,
        .max_header_bytes = 64 * KIB,
    };
    w->server = http_server_new(w->loop, &so);
    w->client = client_new(w->loop, &co);
    w->credentials = credentials_new(w->loop, w->client, &w->rng);
}

enum err worker_new(const struct worker_opts *o, struct worker **ret_worker, int *ret_errno)
{
    struct worker *w = MEM_NEW(struct worker);
    w->gw = o->gw;
    w->index = o->index;
    w->loop = loop_new();
    w->current = ws_new(snapshot_ref(o->snapshot));
    rng_init(&w->rng);
    list_init(&w->flows);
    buf_init(&w->log, LOG_BATCH);
    timer_init(&w->log_timer, w->loop, log_hand_over, w);
    defer_init(&w->quit, quit, w);
    make_server(w, o->snapshot->conf);
    enum err e =
        listener_new(w->loop, &o->listen, http_server_accept, w->server, &w->listener, ret_errno);
    if (e) {
        quit(w);
        worker_free(w);
        return e;
    }
    *ret_worker = w;
    return ERR_OK;
}

void worker_run(struct worker *w)
{
    loop_run(w->loop);
    log_hand_over(w);
}

void worker_free(struct worker *w)
{
    if (!w)
        return;
    timer_stop(&w->log_timer);
    buf_done(&w->log);
    worker_snapshot_drop(w, w->current);
    loop_free(w->loop);
    mem_free(w);
}

/* -- posts */

struct order {
    struct post post;
    struct worker *w;
    void (*fn)(struct worker *w, void *ctx);
    void *ctx;
};

static void on_order(struct post *p)
{
    struct order *o = CONTAINER_OF(p, struct order, post);
    struct order copy = *o;
    mem_free(o);
    copy.fn(copy.w, copy.ctx);
}

void worker_post_call(struct worker *w, void (*fn)(struct worker *w, void *ctx), void *ctx)
{
    struct order *o = MEM_NEW(struct order);
    *o = (struct order){ .post = { .fn = on_order }, .w = w, .fn = fn, .ctx = ctx };
    loop_post(w->loop, &o->post);
}

static void take_snapshot(struct worker *w, void *snapshot)
{
    struct worker_snapshot *old = w->current;
    w->current = ws_new(snapshot);
    worker_snapshot_drop(w, old);
}

void worker_post_snapshot(struct worker *w, struct snapshot *s)
{
    worker_post_call(w, take_snapshot, s);
}

static void drain(struct worker *w, void *ctx)
{
    (void)ctx;
    if (!w->server)
        return;
    if (w->listener)
        listener_close(w->listener);
    w->listener = NULL;
    http_server_drain(w->server);
    w->stopping = true;
    worker_idle(w);
}

void worker_post_drain(struct worker *w)
{
    worker_post_call(w, drain, NULL);
}

/* What is still in progress ends with an error that says so. */
static void cut(struct worker *w, void *ctx)
{
    drain(w, ctx);
    LIST_EACH_SAFE(it, &w->flows)
    flow_fail_with(CONTAINER_OF(it, struct flow, link), ERR_DRAINING);
}

void worker_post_stop(struct worker *w)
{
    worker_post_call(w, cut, NULL);
}
