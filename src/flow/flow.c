/* The life of one request; the states and their order are in flow_priv.h. */
#include "flow/flow_priv.h"

#include "base/clock.h"
#include "base/mem.h"

#include <assert.h>

static const char *const state_names[FLOW_STATE_COUNT] = {
#define X(name, fn) [FLOW_##name] = #name,
    FLOW_STATES(X)
#undef X
};

static flow_step_fn *const steps[FLOW_STATE_COUNT] = {
#define X(name, fn) [FLOW_##name] = fn,
    FLOW_STATES(X)
#undef X
};

/* Forward only, but for a call that is made again, with another token or because its answer was broken; SETTLE leads to FINISH alone (a retry will lead from
 * SETTLE to HOLD). */
static bool may_follow(enum flow_state from, enum flow_state to)
{
    if (from == FLOW_SETTLE)
        return to == FLOW_FINISH;
    return to > from || ((from == FLOW_ANSWER || from == FLOW_STREAM) && to == FLOW_SEND);
}

void flow_to(struct flow *f, enum flow_state to)
{
    assert(may_follow(f->state, to) && state_names[to]);
    f->state = to;
}

void flow_run(struct flow *f)
{
    while (steps[f->state] && steps[f->state](f) == NEXT_STEP)
        if (f->state == FLOW_FINISH) {
            flow_finish(f); /* the last: f is gone */
            return;
        }
}

void flow_end(struct flow *f)
{
    timer_stop(&f->timer);
    defer_cancel(&f->flush);
    flow_to(f, f->at.begun ? FLOW_SETTLE : FLOW_FINISH);
    flow_run(f);
}

void flow_fail(struct flow *f)
{
    if (f->client_gone)
        f->status = 499;
    else if (!f->head_sent && !f->committed)
        respond_fault(f);
    else if (f->rq.stream)
        relay_fault(f);
    flow_end(f);
}

void flow_fail_with(struct flow *f, enum err e)
{
    f->fault = fault_of(e);
    flow_fail(f);
}

void flow_client_gone(struct flow *f, enum err e)
{
    f->client_gone = true;
    f->fault = fault_of(e);
    f->fault.detail = exchange_detail(f->x);
    flow_fail(f);
}

/* -- timers: one a request, set for the nearest of its instants, looked at again when it fires */

static void on_timer(void *ctx);

void flow_arm(struct flow *f)
{
    const struct conf_weir *c = &f->snap->conf->weir;
    uint64_t now = loop_now_us(f->w->loop), due = f->deadline_us;
    if (f->state == FLOW_STREAM || (f->state == FLOW_AWAIT && f->rq.stream)) {
        uint64_t next = f->head_sent ? f->wrote_us + c->ping_interval_ms * 1000 : f->commit_us;
        if (next < due)
            due = next;
    }
    timer_set(&f->timer, due > now ? (due - now + 999) / 1000 : 1);
}

static void on_timer(void *ctx)
{
    struct flow *f = ctx;
    uint64_t now = loop_now_us(f->w->loop);
    if (f->at.terminal) {
        relay_end(f);
        return;
    }
    if (now >= f->deadline_us) {
        flow_fail_with(f, f->state == FLOW_BODY      ? ERR_BODY_TIMEOUT
                          : f->state == FLOW_SESSION ? ERR_OVERLOADED
                                                     : ERR_TIMEOUT);
        return;
    }
    if (f->state == FLOW_STREAM || (f->state == FLOW_AWAIT && f->rq.stream))
        relay_ping(f);
    flow_arm(f);
}

/* -- the client's side of the exchange */

static void on_client_error(void *ctx, enum err e)
{
    struct flow *f = ctx;
    if (e == ERR_BAD_HTTP || e == ERR_BODY_TIMEOUT) {
        f->fault = fault_of(e);
        f->fault.detail = exchange_detail(f->x);
        flow_fail(f);
        return;
    }
    if (e == ERR_CANCELLED && f->rq.stream && f->head_sent) {
        flow_fail_with(f, ERR_DRAINING);
        return;
    }
    flow_client_gone(f, e);
}

static void on_client_drain(void *ctx)
{
    struct flow *f = ctx;
    if (f->at.up)
        exchange_read(f->at.up, true);
}

#define BODY_ARENA_MAX (256 * KIB)

static void body_grow(struct flow *f, size_t room)
{
    bool heap = room > BODY_ARENA_MAX;
    char *p = heap ? mem_realloc(f->body_heap, room) : arena_alloc(f->arena, room);
    if (f->body_len && !f->body_heap)
        memcpy(p, f->body, f->body_len);
    f->body = p;
    f->body_heap = heap ? p : NULL;
    f->body_room = room;
}

static enum err body_room(struct flow *f, size_t more)
{
    uint64_t max = f->snap->conf->general.max_request_bytes;
    if (more > max || f->body_len + more > max)
        return ERR_TOO_LARGE;
    if (f->body_len + more <= f->body_room)
        return ERR_OK;
    size_t room = f->body_room * 2 > f->body_len + more ? f->body_room * 2 : f->body_len + more;
    uint64_t held = atomic_fetch_add_explicit(&f->w->gw->in_flight_bytes, room - f->body_room,
                                              memory_order_relaxed);
    f->in_flight += room - f->body_room;
    if (held + room > f->w->gw->in_flight_max)
        return ERR_OVERLOADED;
    body_grow(f, room);
    return ERR_OK;
}

bool flow_hold_bytes(struct flow *f, size_t n)
{
    uint64_t held = atomic_fetch_add_explicit(&f->w->gw->in_flight_bytes, n, memory_order_relaxed);
    f->in_flight += n;
    return held + n <= f->w->gw->in_flight_max;
}

static void fail_body(struct flow *f, enum err e)
{
    if (e == ERR_TOO_LARGE) {
        fault_set(&f->fault, e, f->arena,
                  "The request body is larger than %llu bytes, the limit of this gateway "
                  "(general_settings.max_request_size_mb).",
                  (unsigned long long)f->snap->conf->general.max_request_bytes);
    } else {
        f->fault = fault_of(e);
        f->fault.retry_after_ms = 1000;
    }
    flow_fail(f);
}

static void on_client_body(void *ctx, struct str bytes)
{
    struct flow *f = ctx;
    if (f->state != FLOW_BODY)
        return;
    enum err e = body_room(f, bytes.len);
    if (e) {
        fail_body(f, e);
        return;
    }
    memcpy(f->body + f->body_len, bytes.p, bytes.len);
    f->body_len += bytes.len;
}

static void on_client_body_end(void *ctx)
{
    struct flow *f = ctx;
    if (f->state != FLOW_BODY)
        return;
    flow_to(f, FLOW_ADMIT);
    flow_run(f);
}

static const struct exchange_events client_events = {
    .on_body = on_client_body,
    .on_body_end = on_client_body_end,
    .on_drain = on_client_drain,
    .on_error = on_client_error,
};

/* -- the beginning */

/* A client may name its call; what it sends goes into headers and logs, so it is held to plain characters. */
static struct str make_call_id(struct worker *w, const struct http_head *h, struct arena *a)
{
    struct str given = http_get(h, STR("x-litellm-call-id"));
    bool fit = given.len > 0 && given.len <= 128;
    for (size_t i = 0; fit && i < given.len; i++)
        fit = given.p[i] > ' ' && given.p[i] < 0x7f;
    if (fit)
        return given;
    char *id = arena_alloc(a, RNG_UUID_BYTES);
    rng_uuid(&w->rng, id);
    return str_of(id, RNG_UUID_BYTES - 1);
}

static int64_t header_seconds_ms(const struct http_head *h, struct str name)
{
    double v;
    struct str s = http_get(h, name);
    return s.len && json_double(s, &v) && v > 0 && v <= 86400 ? (int64_t)(v * 1000 + 0.5) : -1;
}

void worker_on_request(void *worker, struct exchange *x)
{
    struct worker *w = worker;
    struct arena *a = exchange_arena(x);
    struct flow *f = ARENA_NEW(a, struct flow);
    f->w = w;
    f->x = x;
    f->arena = a;
    f->head = exchange_head(x);
    f->began_us = loop_now_us(w->loop);
    f->ws = worker_snapshot_use(w);
    f->snap = f->ws->s;
    f->call_id = make_call_id(w, f->head, a);
    f->timeout_ms = header_seconds_ms(f->head, STR("x-litellm-timeout"));
    f->stream_timeout_ms = header_seconds_ms(f->head, STR("x-litellm-stream-timeout"));
    list_push(&w->flows, &f->link);
    w->flow_count++;
    timer_init(&f->timer, w->loop, on_timer, f);
    defer_init(&f->flush, relay_flush, f);
    buf_init(&f->out, 64 * MIB);
    exchange_set_events(x, &client_events, f);
    flow_run(f);
}

enum next flow_auth(struct flow *f)
{
    f->route = route_find(&f->w->gw->routes, f->head->method, f->head->path, f->arena, &f->capture);
    if (!f->route) {
        if (str_eq(f->head->method, STR("OPTIONS")) && cors_preflight(f))
            return NEXT_WAIT;
        struct str methods = route_methods(&f->w->gw->routes, f->head->path, f->arena);
        if (methods.len)
            fault_set(&f->fault, ERR_BAD_METHOD, f->arena, "%.*s takes %.*s, not %.*s.",
                      STR_ARG(str_head(f->head->path, 256)), STR_ARG(methods),
                      STR_ARG(str_head(f->head->method, 32)));
        else
            fault_set(&f->fault, ERR_NO_ROUTE, f->arena,
                      "There is no route %.*s %.*s on this gateway. GET /routes lists them.",
                      STR_ARG(str_head(f->head->method, 32)),
                      STR_ARG(str_head(f->head->path, 256)));
        flow_fail(f);
        return NEXT_WAIT;
    }
    if (f->route->role != ROUTE_PUBLIC) {
        enum err e = auth_entry(f->snap, f->head, f->arena, &f->entry, &f->fault);
        if (!e && f->route->role == ROUTE_ADMIN && f->entry->role != ROLE_ADMIN)
            e = fault_set(&f->fault, ERR_FORBIDDEN, f->arena,
                          "Only the proxy admin (the master key) may call %s.", f->route->id);
        if (e) {
            flow_fail(f);
            return NEXT_WAIT;
        }
    }
    flow_to(f, FLOW_BODY);
    return NEXT_STEP;
}

enum next flow_body(struct flow *f)
{
    struct str encoding = http_get(f->head, STR("content-encoding"));
    if (f->route->family == FAMILY_ADMIN) {
        flow_to(f, FLOW_ADMIT); /* reads no body yet: what came is discarded with the exchange */
        return NEXT_STEP;
    }
    if (encoding.len && !str_eq_nocase(encoding, STR("identity"))) {
        flow_fail_with(f, ERR_BAD_ENCODING);
        return NEXT_WAIT;
    }
    enum err e =
        f->head->content_length > 0 ? body_room(f, (size_t)f->head->content_length) : ERR_OK;
    if (e) {
        fail_body(f, e);
        return NEXT_WAIT;
    }
    exchange_read(f->x, true);
    return NEXT_WAIT;
}

static enum next answer_admin(struct flow *f)
{
    struct buf out;
    const struct gateway *g = f->w->gw;
    struct route_call call = { g->admin_app(g, f->snap, f->arena), f->head, f->capture, f->arena };
    buf_init(&out, 64 * MIB);
    int status = f->route->answer(&call, &out);
    respond_json(f, status, buf_str(&out));
    buf_done(&out);
    flow_end(f);
    return NEXT_WAIT;
}

enum next flow_admit(struct flow *f)
{
    if (f->route->family == FAMILY_ADMIN)
        return answer_admin(f);
    if (f->route->family == FAMILY_RESPONSE) {
        if (session_admit_op(f)) {
            flow_fail(f);
            return NEXT_WAIT;
        }
        flow_to(f, FLOW_SESSION);
        return NEXT_STEP;
    }
    struct str path_model = f->capture;
    const struct conf_general *g = &f->snap->conf->general;
    struct str forced = f->route->family == FAMILY_EMBED ? g->embedding_model : g->completion_model;
    if (forced.len)
        path_model = forced;
    if (openai_read_request((enum openai_kind)f->route->kind, str_of(f->body, f->body_len),
                            path_model, f->arena, &f->rq, &f->fault) ||
        (openai_is_responses(f->rq.kind) && session_admit(f))) {
        f->rq.stream = false;
        flow_fail(f);
        return NEXT_WAIT;
    }
    flow_to(f, FLOW_SESSION);
    return NEXT_STEP;
}

/* -- earlier responses */

#define SESSION_WAIT_MS 30000

enum next flow_session(struct flow *f)
{
    if (!session_needed(f)) {
        flow_to(f, FLOW_PLAN);
        return NEXT_STEP;
    }
    if (session_ask(f)) {
        f->rq.stream = false;
        flow_fail(f);
        return NEXT_WAIT;
    }
    f->deadline_us = loop_now_us(f->w->loop) + SESSION_WAIT_MS * 1000;
    flow_arm(f);
    return NEXT_WAIT;
}

void flow_looked_up(struct flow *f)
{
    timer_stop(&f->timer);
    flow_to(f, FLOW_PLAN);
    flow_run(f);
}

/* The first that is set: body, header, deployment, router, the default. */
static uint64_t total_timeout_ms(const struct flow *f)
{
    const struct conf_deployment *d = f->pick.deployment->conf;
    if (f->rq.timeout_ms > 0)
        return (uint64_t)f->rq.timeout_ms;
    if (f->timeout_ms > 0)
        return (uint64_t)f->timeout_ms;
    if (d->timeout_ms > 0)
        return (uint64_t)d->timeout_ms;
    return f->snap->conf->litellm.request_timeout_ms;
}

/* additional_drop_params that are paths: the body is made anew without what they name, and read again. */
static enum err drop_paths(struct flow *f)
{
    const struct conf_deployment *d = f->pick.deployment->conf;
    for (size_t i = 0; i < d->drop_count; i++) {
        if (!openai_is_path(d->drop_params[i]))
            continue;
        struct str body = openai_drop_paths(f->rq.body, d->drop_params, d->drop_count, f->arena);
        return openai_read_request(f->rq.kind, body, f->capture.len ? f->capture : f->rq.model,
                                   f->arena, &f->rq, &f->fault);
    }
    return ERR_OK;
}

/* Which deployment. True: the flow has been answered, or has failed. */
static bool plan(struct flow *f)
{
    bool answered = false;
    enum err e;
    if (f->route->family == FAMILY_RESPONSE)
        e = session_plan_op(f, &answered);
    else
        e = router_pick(f->snap->router, f->rq.model, f->arena, &f->pick, &f->fault);
    if (!e && openai_is_responses(f->rq.kind) && f->route->family != FAMILY_RESPONSE)
        e = session_plan(f);
    if (!e && f->rq.body.len)
        e = drop_paths(f);
    if (e)
        flow_fail(f);
    else if (answered)
        flow_end(f);
    return e || answered;
}

enum next flow_plan(struct flow *f)
{
    struct str mock;
    if (plan(f))
        return NEXT_WAIT;
    if (f->route->family != FAMILY_RESPONSE && mock_wanted(f, &mock)) {
        mock_answer(f, mock);
        return NEXT_WAIT;
    }
    f->deadline_us = f->began_us + total_timeout_ms(f) * 1000;
    f->commit_us = f->began_us + f->snap->conf->weir.stream_commit_ms * 1000;
    flow_to(f, FLOW_HOLD);
    return NEXT_STEP;
}

/* -- the end */

static void log_request(struct flow *f)
{
    struct worker *w = f->w;
    uint64_t now = clock_now_us(); /* the loop's own stands still within a turn */
    const struct access_record r = {
        .unix_ms = loop_unix_ms(w->loop),
        .call_id = f->call_id,
        .method = f->head->method,
        .path = str_head(f->head->path, 256),
        .route = f->route ? str_c(f->route->id) : str_of(NULL, 0),
        .peer = exchange_peer(f->x),
        .key_hash = f->entry ? str_c(f->entry->hash) : str_of(NULL, 0),
        .model = str_head(f->rq.model, 256),
        .group = f->pick.group ? f->pick.group->name : str_of(NULL, 0),
        .deployment = f->pick.deployment ? f->pick.deployment->conf->id : str_of(NULL, 0),
        .upstream = f->at.to ? f->at.to->origin.authority : str_of(NULL, 0),
        .status = f->status,
        .stream = f->rq.stream,
        .mock = f->pick.deployment && !f->at.begun,
        .usage = f->at.usage,
        .answer_fidelity = translate_fidelity(f),
        .bytes_in = exchange_bytes_in(f->x),
        .bytes_out = exchange_bytes_out(f->x),
        .total_us = now - f->began_us,
        .upstream_head_us = f->at.head_us ? f->at.head_us - f->at.sent_us : 0,
        .first_content_us = f->content_us ? f->content_us - f->began_us : 0,
        .error = f->fault.err ? err_name(f->fault.err) : NULL,
        .error_detail = f->fault.detail,
    };
    access_log_write(&r, w->gw->log_form, &w->log);
    worker_log_commit(w);
}

enum next flow_finish(struct flow *f)
{
    struct worker *w = f->w;
    struct worker_snapshot *ws = f->ws;
    char *body = f->body_heap;
    if (w->gw->access_log)
        log_request(f);
    atomic_fetch_sub_explicit(&w->gw->in_flight_bytes, f->in_flight, memory_order_relaxed);
    session_done(f);
    buf_done(&f->out);
    list_remove(&f->link);
    w->flow_count--;
    exchange_close(f->x); /* f is gone */
    mem_free(body);
    worker_snapshot_drop(w, ws);
    worker_idle(w);
    return NEXT_WAIT;
}
