/* One call to one deployment: the edited request out, the answer's head in, and the end of it, always. */
#include "flow/flow_priv.h"

#include "base/mem.h"

static const struct exchange_events upstream_events;

/* Reserves what this call may cost at this deployment's price. Accounts join here. */
enum next attempt_hold(struct flow *f)
{
    f->at.begun = true;
    flow_to(f, FLOW_SEND);
    return NEXT_STEP;
}

/* -- the request */

static bool is_reserved(struct str name)
{
    static const struct str names[] = { STR_INIT("host"), STR_INIT("content-length"),
                                        STR_INIT("transfer-encoding"), STR_INIT("connection"),
                                        STR_INIT("date") };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_eq_nocase(name, names[i]))
            return true;
    return false;
}

/* forward_client_headers_to_llm_api: x-* but for the SDK's own, weir's own, and everything that may hold a key. */
static bool may_forward(const struct http_head *h, struct str name)
{
    static const struct str never[] = { STR_INIT("x-stainless-"),   STR_INIT("x-litellm-"),
                                        STR_INIT("x-weir-"),        STR_INIT("x-api-key"),
                                        STR_INIT("x-goog-api-key"), STR_INIT("x-forwarded-"),
                                        STR_INIT("x-amz-"),         STR_INIT("x-ms-") };
    if (!str_starts_nocase(name, STR("x-")) || http_is_hop_by_hop(h, name))
        return false;
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
        if (str_starts_nocase(name, never[i]))
            return false;
    return true;
}

static void add_client_headers(struct flow *f, struct headers *h)
{
    const struct conf_general *g = &f->snap->conf->general;
    if (!g->forward_client_headers)
        return;
    for (size_t i = 0; i < f->head->header_count; i++) {
        const struct http_header *r = &f->head->headers[i];
        if (may_forward(f->head, r->name) && !str_eq_nocase(r->name, g->key_header_name))
            headers_add(h, r->name, r->value);
    }
}

/* Set by the deployment, so they win over what stands there already. */
static void add_extra_headers(const struct conf_deployment *d, struct headers *h)
{
    for (size_t i = 0; i < d->header_count; i++) {
        if (is_reserved(d->headers[i].name) || !http_name_ok(d->headers[i].name))
            continue;
        for (size_t k = 0; k < h->count; k++)
            if (str_eq_nocase(h->rows[k].name, d->headers[i].name)) {
                h->rows[k] = h->rows[--h->count];
                break;
            }
        headers_add(h, d->headers[i].name, d->headers[i].value);
    }
}

static void request_headers(struct flow *f, struct headers *h)
{
    const struct conf_deployment *d = f->pick.deployment->conf;
    const struct upstream *to = f->at.to;
    h->count = 0;
    headers_add(
        h, f->pick.endpoint->provider->auth == AUTH_API_KEY ? STR("api-key") : STR("authorization"),
        to->auth_value);
    headers_add(h, STR("content-type"), STR("application/json"));
    headers_add(h, STR("accept"),
                f->rq.stream ? STR("text/event-stream") : STR("application/json"));
    headers_add(h, STR("accept-encoding"), STR("identity"));
    headers_add(h, STR("user-agent"), STR("weir"));
    headers_add(h, STR("openai-organization"), d->organization);
    /* Shows up in the provider's logs, so that a call can be followed through both. */
    headers_add(h, STR("x-client-request-id"), f->call_id);
    add_client_headers(f, h);
    add_extra_headers(d, h);
}

/* The first that is set decides how long the head of a stream may take. */
static uint64_t first_byte_ms(const struct flow *f)
{
    const struct conf *c = f->snap->conf;
    const int64_t given[] = { f->rq.stream_timeout_ms, f->stream_timeout_ms,
                              f->pick.deployment->conf->stream_timeout_ms,
                              c->litellm.stream_timeout_ms };
    if (f->rq.stream)
        for (size_t i = 0; i < sizeof given / sizeof given[0]; i++)
            if (given[i] > 0)
                return (uint64_t)given[i];
    return c->weir.first_byte_timeout_ms;
}

enum next attempt_send(struct flow *f)
{
    SCRATCH struct headers h;
    struct splice sp;
    size_t segs;
    const struct conf_weir *c = &f->snap->conf->weir;
    const struct endpoint *e = f->pick.endpoint;
    const struct upstream *to = &f->snap->upstreams[e->index];
    f->at.to = to;
    if (to->problem.len) {
        fault_set(&f->fault, ERR_DEPLOYMENT_CONFIG, f->arena,
                  "The model %.*s cannot be served: %.*s.", STR_ARG(str_head(f->rq.model, 256)),
                  STR_ARG(to->problem));
        flow_fail(f);
        return NEXT_WAIT;
    }
    openai_splice_request(&f->rq, f->pick.deployment->conf, f->pick.upstream_model, &sp, f->arena);
    f->at.hide_usage =
        f->rq.stream && !f->rq.usage_asked && !f->snap->conf->general.always_include_stream_usage;
    request_headers(f, &h);
    struct client_request rq = {
        .origin = &to->origin,
        .head = { .method = STR("POST"),
                  .target = provider_path(e->provider, to->base_path, openai_suffix(f->rq.kind),
                                          f->pick.upstream_model, e->api_version, f->arena),
                  .host = to->origin.authority,
                  .headers = h.rows,
                  .header_count = h.count },
        .body = splice_segments(&sp, &segs),
        .connect_timeout_ms = c->connect_timeout_ms,
        .first_byte_timeout_ms = first_byte_ms(f),
        .idle_timeout_ms = c->event_timeout_ms,
    };
    rq.body_count = segs;
    f->at.sent_us = loop_now_us(f->w->loop);
    flow_to(f, FLOW_AWAIT);
    f->at.up = client_send(f->w->client, &rq, &upstream_events, f);
    flow_arm(f);
    return NEXT_WAIT;
}

/* -- the answer's head */

static bool is_event_stream(const struct http_head *h)
{
    return str_starts_nocase(http_get(h, STR("content-type")), STR("text/event-stream"));
}

static void on_head(void *ctx, const struct http_head *head)
{
    struct flow *f = ctx;
    struct str encoding = http_get(head, STR("content-encoding"));
    f->at.head = head;
    f->at.head_us = loop_now_us(f->w->loop);
    if (head->status >= 300 && head->status < 400) {
        attempt_fail(f, ERR_UPSTREAM_BAD,
                     STR("the provider answered with a redirect, which is never followed"));
        return;
    }
    if (encoding.len && !str_eq_nocase(encoding, STR("identity"))) {
        attempt_fail(f, ERR_UPSTREAM_BAD,
                     STR("the provider compressed its answer although identity was asked for"));
        return;
    }
    if (head->status == 200 && f->rq.stream && is_event_stream(head))
        relay_begin(f);
    else
        answer_begin(f);
}

static void on_body(void *ctx, struct str bytes)
{
    struct flow *f = ctx;
    if (f->state == FLOW_STREAM)
        relay_body(f, bytes);
    else if (f->state == FLOW_ANSWER)
        answer_body(f, bytes);
}

static void on_body_end(void *ctx)
{
    struct flow *f = ctx;
    if (f->state == FLOW_STREAM)
        relay_end(f);
    else if (f->state == FLOW_ANSWER)
        answer_end(f);
}

static void on_error(void *ctx, enum err e)
{
    struct flow *f = ctx;
    attempt_fail(f, e, exchange_detail(f->at.up));
}

static const struct exchange_events upstream_events = {
    .on_head = on_head,
    .on_body = on_body,
    .on_body_end = on_body_end,
    .on_error = on_error,
};

void attempt_fail(struct flow *f, enum err e, struct str detail)
{
    if (f->state == FLOW_STREAM &&
        f->at.terminal) { /* its stream was complete; how the connection ends no longer matters */
        relay_end(f);
        return;
    }
    f->fault = fault_of(e);
    f->fault.detail = arena_dup(f->arena, detail);
    flow_fail(f);
}

/* -- the end */

void attempt_drop(struct flow *f)
{
    struct exchange *up = f->at.up;
    f->at.up = NULL;
    f->at.head = NULL; /* lived in the exchange */
    if (up)
        exchange_close(up);
}

/* Books what the provider reported and releases the hold. Accounts and the ledger join here; reached once per attempt. */
enum next attempt_settle(struct flow *f)
{
    attempt_drop(f);
    if (f->at.sse_on)
        sse_done(&f->at.sse);
    f->at.sse_on = false;
    json_tap_free(f->at.tap);
    f->at.tap = NULL;
    flow_to(f, FLOW_FINISH);
    return NEXT_STEP;
}
