/* One call to one deployment: the edited request out, the answer's head in, and the end of it, always. */
#include "flow/flow_priv.h"

#include "base/clock.h"
#include "base/mem.h"
#include "dialect/anthropic_beta.h"
#include "dialect/dialect.h"
#include "flow/affinity.h"

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

/* Set by the deployment, so they win over what stands there already. Anthropic's betas are a list: what the deployment wants comes
 * beside what the request needs. */
static void add_extra_headers(const struct conf_deployment *d, struct headers *h, struct arena *a)
{
    for (size_t i = 0; i < d->header_count; i++) {
        struct str name = d->headers[i].name, value = d->headers[i].value;
        if (is_reserved(name) || !http_name_ok(name))
            continue;
        for (size_t k = 0; k < h->count; k++)
            if (str_eq_nocase(h->rows[k].name, name)) {
                if (str_eq_nocase(name, STR("anthropic-beta")))
                    value = anthropic_betas_with(h->rows[k].value, value, a);
                h->rows[k] = h->rows[--h->count];
                break;
            }
        headers_add(h, name, value);
    }
}

/* One request to a provider, as it goes out. */
struct outgoing {
    struct str method, target;
    struct headers h;
    const struct str *body;
    size_t body_count;
};

static void request_headers(struct flow *f, struct headers *h)
{
    const struct conf_deployment *d = f->pick.deployment->conf;
    h->count = 0;
    if (f->at.token.len)
        headers_add(h, STR("authorization"),
                    arena_printf(f->arena, "Bearer %.*s", STR_ARG(f->at.token)));
    else
        headers_add(h, f->at.to->auth_name, f->at.to->auth_value);
    if (f->at.token.len) /* the project that a person's calls are counted on */
        headers_add(h, STR("x-goog-user-project"), f->pick.endpoint->google->quota_project);
    headers_add(h, STR("content-type"), STR("application/json"));
    headers_add(h, STR("accept"),
                f->rq.stream ? STR("text/event-stream") : STR("application/json"));
    headers_add(h, STR("accept-encoding"), STR("identity"));
    headers_add(h, STR("user-agent"), STR("weir"));
    headers_add(h, STR("openai-organization"), d->organization);
    /* Shows up in the provider's logs, so that a call can be followed through both. */
    headers_add(h, STR("x-client-request-id"), f->call_id);
    add_client_headers(f, h);
}

const struct model_facts *flow_facts(const struct flow *f)
{
    struct str model = f->pick.upstream_model;
    if (f->pick.deployment->facts)
        return f->pick.deployment->facts;
    return model_facts_find(provider_family(f->pick.endpoint->provider, model), model);
}

/* Some models of OpenAI are on Responses alone, and some refuse tools on chat completions while they reason: model facts. */
static bool needs_responses(struct flow *f)
{
    static const struct str want[] = { STR_INIT("reasoning_effort"), STR_INIT("tools") };
    struct str body = f->rq.body;
    const struct model_facts *facts = flow_facts(f);
    struct json_member m[2];
    if (facts->responses_only || facts->reasoning_with_tools_on_chat)
        return facts->responses_only;
    json_peek_object(body, want, 2, m, NULL);
    bool reasons = m[0].type == JSON_ABSENT || m[0].type == JSON_NULL
                       ? facts->reasons_by_default
                       : !json_str_eq(json_value(body, &m[0]), STR("none"));
    return reasons && m[1].type == JSON_ARRAY &&
           str_find_char(json_value(body, &m[1]), '{') != STR_NONE;
}

/* Where a provider has both of OpenAI's APIs, the client's own is called, so that bytes pass through; unless the deployment says which
 * (openai/responses/..., model_info.mode, use_chat_completions_api), or the model takes the request on one of them alone. */
enum dialect_id flow_dialect(struct flow *f)
{
    const struct provider *p = f->pick.endpoint->provider;
    if (!p) /* not known: it is served by its mock_response */
        return DIALECT_OPENAI_CHAT;
    enum dialect_id d = provider_dialect(p, f->pick.upstream_model);
    enum api_choice api = f->pick.deployment->api;
    bool both = p->responses || api == API_RESPONSES;
    if (d != DIALECT_OPENAI_CHAT)
        return d;
    if (openai_is_responses(f->rq.kind))
        return both && api != API_CHAT ? DIALECT_OPENAI_RESPONSES : DIALECT_OPENAI_CHAT;
    if (f->rq.kind != OPENAI_CHAT || api == API_CHAT || !both)
        return DIALECT_OPENAI_CHAT;
    return api == API_RESPONSES || f->snap->conf->litellm.chat_to_responses || needs_responses(f)
               ? DIALECT_OPENAI_RESPONSES
               : DIALECT_OPENAI_CHAT;
}

/* `path_model`: named in the path in the model's place; empty: the model. */
static struct str call_path(const struct flow *f, struct str path_model, struct str suffix,
                            struct str query)
{
    const struct endpoint *e = f->pick.endpoint;
    const struct provider_call c = {
        .provider = e->provider,
        .base_path = f->at.to->base_path,
        .suffix = suffix,
        .query = query,
        .model = f->pick.upstream_model,
        .path_model = path_model,
        .api_version = e->api_version,
        .project = e->project,
        .location = e->location,
        .stream = f->rq.stream,
    };
    return provider_call_path(&c, f->arena);
}

/* Same dialect: the client's bytes with the edits that the deployment needs. */
static void make_spliced(struct flow *f, struct outgoing *o)
{
    struct splice sp;
    openai_splice_request(&f->rq, f->pick.deployment->conf, f->pick.endpoint->provider,
                          f->pick.upstream_model, &sp, f->arena);
    f->at.hide_usage =
        f->rq.stream && !f->rq.usage_asked && !f->snap->conf->general.always_include_stream_usage;
    if (f->rs && f->rs->tagged)
        response_untag(&sp, account_tag(f->snap, &f->pick, f->arena));
    o->body = splice_segments(&sp, &o->body_count);
    o->target = call_path(f, STR(""), openai_suffix(f->rq.kind), STR(""));
}

/* The deployment's defaults, extra and dropped members, and the gateway's own, are edits of the client's body whatever the provider
 * speaks: the same splice, but for the model and the usage of streams, which are each dialect's own. */
struct str edited_body(struct flow *f)
{
    struct splice sp;
    struct openai_request rq = f->rq;
    if (rq.kind == OPENAI_RESPONSE_TOKENS)
        rq.kind = OPENAI_RESPONSES; /* what is counted is what would be sent */
    struct conf_deployment d = *f->pick.deployment->conf;
    size_t n = d.drop_count + d.allowed_count;
    struct str *cut = ARENA_ARRAY(f->arena, struct str, n ? n : 1);
    for (size_t i = 0; i < n; i++) /* what is passed as it is does not go through the translation */
        cut[i] = i < d.drop_count ? d.drop_params[i] : d.allowed_params[i - d.drop_count];
    d.drop_params = cut;
    d.drop_count = n;
    rq.stream = false;
    if (rq.kind != OPENAI_EMBED)
        d.extra_body_count = 0; /* it is in the provider's words: lay_extra_body */
    openai_splice_request(&rq, &d, NULL, f->rq.model, &sp, f->arena);
    return splice_flat(&sp, f->arena);
}

struct ir_report *report_new(struct flow *f)
{
    struct ir_report *r = ARENA_NEW(f->arena, struct ir_report);
    ir_report_init(r, f->arena);
    r->strict = str_eq(http_get(f->head, STR("x-weir-strict")), STR("1"));
    r->drop_params = f->pick.deployment->conf->drop_unsupported;
    struct str provider = f->pick.endpoint->provider->name, model = f->pick.upstream_model;
    char *target = arena_alloc(f->arena, provider.len + model.len + 1);
    memcpy(target, provider.p, provider.len);
    target[provider.len] = '/';
    memcpy(target + provider.len + 1, model.p, model.len);
    r->target = str_of(target, provider.len + model.len + 1);
    return r;
}

/* A response by its id: nothing but the path. */
static void make_response_call(struct flow *f, struct outgoing *o)
{
    o->method = str_c(f->route->method);
    o->target = call_path(f, STR(""), f->rs->suffix, f->rs->query);
    o->body = NULL;
    o->body_count = 0;
}

static enum err make_embedding(struct flow *f, struct outgoing *o)
{
    struct str suffix;
    TRY(embed_request(f, &suffix, &o->body, &o->body_count));
    o->target = call_path(f, STR(""), suffix, STR(""));
    return ERR_OK;
}

/* What the picked deployment has no counterpart of. */
static enum err no_such_call(struct flow *f)
{
    struct str model = str_head(f->rq.model, 256), title = f->pick.endpoint->provider->title;
    if (f->rq.kind == OPENAI_RESPONSE_TOKENS)
        return fault_set(
            &f->fault, ERR_UNSUPPORTED_PARAM, f->arena,
            "The model %.*s is served by %.*s through chat completions, which count no tokens beforehand. Ask for input_tokens with "
            "a model of OpenAI, Azure, Anthropic, Gemini or Vertex AI, or read the usage of an answer.",
            STR_ARG(model), STR_ARG(title));
    if (f->rq.kind == OPENAI_EMBED)
        return fault_set(
            &f->fault, ERR_UNSUPPORTED_PARAM, f->arena,
            "The model %.*s is served by %.*s, which makes no embeddings; choose an embedding model of OpenAI, Azure, Gemini or "
            "Vertex AI.",
            STR_ARG(model), STR_ARG(title));
    return fault_set(
        &f->fault, ERR_UNSUPPORTED_PARAM, f->arena,
        "The model %.*s is served by %.*s, which does not answer this route; call /v1/responses or /v1/chat/completions.",
        STR_ARG(model), STR_ARG(title));
}

/* Betas that the client asks for: what its body holds may need them. */
static enum err add_client_betas(struct flow *f, struct headers *h)
{
    bool vertex = f->pick.endpoint->provider->url == URL_VERTEX;
    struct str list = { 0 }, own = { 0 };
    for (size_t i = 0; i < f->head->header_count; i++)
        if (str_eq_nocase(f->head->headers[i].name, STR("anthropic-beta")))
            list = anthropic_betas_with(list, f->head->headers[i].value, f->arena);
    TRY(anthropic_betas_of_client(list, vertex, f->at.report, f->arena, &list, &f->fault));
    if (list.len == 0)
        return ERR_OK;
    for (size_t i = 0; i < h->count; i++)
        if (str_eq_nocase(h->rows[i].name, STR("anthropic-beta"))) {
            own = h->rows[i].value;
            h->rows[i] = h->rows[--h->count];
            break;
        }
    headers_add(h, STR("anthropic-beta"), anthropic_betas_with(own, list, f->arena));
    return ERR_OK;
}

/* Across dialects. Errors: those of the dialects, with f->fault for the client. */
/* The deployment's extra_body is for the provider, in its own words: it is laid over what was written. A count has room for little of it,
 * and what it is about is the rest. */
static void lay_extra_body(const struct flow *f, struct segments *body)
{
    const struct conf_deployment *d = f->pick.deployment->conf;
    struct buf extra;
    struct json_write w;
    if (d->extra_body_count == 0 || f->rq.kind == OPENAI_RESPONSE_TOKENS)
        return;
    buf_init(&extra, 16 * MIB);
    json_begin(&w, &extra);
    json_obj(&w, NULL);
    for (size_t i = 0; i < d->extra_body_count; i++) {
        struct str name = d->extra_body[i].name;
        if (str_eq(name, STR("model")) || str_eq(name, STR("stream")))
            continue; /* routing decides the model, the client decides the framing */
        json_name(&w, name);
        json_raw(&w, NULL, d->extra_body[i].json);
    }
    json_end(&w);
    struct str under = segments_flat(body, f->arena);
    segments_done(body);
    segments_init(body, SIZE_MAX / 2);
    json_overlay(under, buf_str(&extra), &body->own);
    buf_done(&extra);
}

static enum err make_translated(struct flow *f, struct outgoing *o)
{
    struct ir_call *call;
    if (f->rq.kind != OPENAI_CHAT && f->rq.kind != OPENAI_RESPONSES && !translate_counts(f))
        return no_such_call(f);
    TRY(translate_request(f, &call));
    for (size_t i = 0; i < call->header_count; i++)
        headers_add(&o->h, call->headers[i].name, call->headers[i].value);
    if (flow_dialect(f) == DIALECT_ANTHROPIC)
        TRY(add_client_betas(f, &o->h));
    o->target = call_path(f, call->model, call->suffix, call->query);
    lay_extra_body(f, &call->body);
    if (segments_finish(&call->body, f->arena, &o->body, &o->body_count))
        return fault_set(&f->fault, ERR_TOO_LARGE, f->arena,
                         "The translated request is too large.");
    return ERR_OK;
}

static enum err make_request(struct flow *f, struct outgoing *o)
{
    request_headers(f, &o->h);
    o->method = STR("POST");
    enum dialect_id dialect = flow_dialect(f);
    bool same = openai_is_responses(f->rq.kind) ? dialect == DIALECT_OPENAI_RESPONSES
                                                : dialect == DIALECT_OPENAI_CHAT;
    if (f->route->family == FAMILY_RESPONSE)
        make_response_call(f, o);
    else if (same)
        make_spliced(f, o);
    else if (dialect == DIALECT_GEMINI && f->rq.kind == OPENAI_EMBED)
        TRY(make_embedding(f, o));
    else
        TRY(make_translated(f, o));
    add_extra_headers(f->pick.deployment->conf, &o->h, f->arena);
    return ERR_OK;
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

/* -- OAuth tokens: in hand, or fetched while the request waits */

#define TOKEN_WAIT_MS 30000

static struct credential_source token_source(const struct flow *f)
{
    return (struct credential_source){ f->pick.endpoint->google, f->snap->token_tls };
}

static void on_token(void *ctx, const struct credential_result *r)
{
    struct flow *f = ctx;
    f->at.wait = NULL;
    if (r->err) {
        fault_set(&f->fault, r->err, f->arena, "%.*s", STR_ARG(r->problem));
        f->fault.detail = arena_dup(f->arena, r->detail);
        flow_fail(f);
        return;
    }
    f->at.token = arena_dup(f->arena, r->token);
    flow_run(f);
}

/* False: the request waits for its token, and attempt_send comes again. */
static bool have_token(struct flow *f)
{
    struct str token;
    struct credential_source src = token_source(f);
    if (!src.google || f->at.token.len)
        return true;
    if (credential_ready(f->w->credentials, &src, &token)) {
        f->at.token = arena_dup(f->arena, token);
        return true;
    }
    f->at.wait = credential_get(f->w->credentials, &src, TOKEN_WAIT_MS, on_token, f);
    flow_arm(f);
    return false;
}

void attempt_next(struct flow *f)
{
    attempt_drop(f);
    f->at.body_len = 0;
    flow_to(f, FLOW_SEND);
    flow_run(f);
}

struct str attempt_secret(const struct flow *f)
{
    if (f->at.token.len || !f->at.to) /* a mocked answer is made without one */
        return f->at.token;
    return f->at.to->credential;
}

/* A token that the provider no longer takes is dropped, and the call made once more with another. Nothing has been sent to the
 * client. True: it is under way. */
bool attempt_again(struct flow *f)
{
    struct credential_source src = token_source(f);
    if (!f->at.token.len || f->head_sent)
        return false;
    bool worth = credential_invalidate(f->w->credentials, &src, f->at.token);
    if (!worth || f->at.again)
        return false;
    translate_done(f->at.tr);
    f->at.tr = NULL;
    f->at.token = str_of(NULL, 0);
    f->at.again = true;
    attempt_next(f);
    return true;
}

enum next attempt_send(struct flow *f)
{
    SCRATCH struct outgoing o;
    const struct conf_weir *c = &f->snap->conf->weir;
    const struct upstream *to = &f->snap->upstreams[f->pick.endpoint->index];
    f->at.to = to;
    if (to->problem.len) {
        fault_set(&f->fault, ERR_DEPLOYMENT_CONFIG, f->arena,
                  "The model %.*s cannot be served: %.*s.", STR_ARG(str_head(f->rq.model, 256)),
                  STR_ARG(to->problem));
        flow_fail(f);
        return NEXT_WAIT;
    }
    if (!have_token(f))
        return NEXT_WAIT;
    if (make_request(f, &o)) {
        flow_fail(f);
        return NEXT_WAIT;
    }
    const struct client_request rq = {
        .origin = &to->origin,
        .head = { .method = o.method,
                  .target = o.target,
                  .host = to->origin.authority,
                  .headers = o.h.rows,
                  .header_count = o.h.count },
        .body = o.body,
        .body_count = o.body_count,
        .connect_timeout_ms = c->connect_timeout_ms,
        .first_byte_timeout_ms = first_byte_ms(f),
        .idle_timeout_ms = c->event_timeout_ms,
    };
    f->at.sent_us = clock_now_us();
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
    credential_cancel(f->at.wait);
    f->at.wait = NULL;
    attempt_drop(f);
    if (f->at.sse_on)
        sse_done(&f->at.sse);
    f->at.sse_on = false;
    json_tap_free(f->at.tap);
    f->at.tap = NULL;
    translate_done(f->at.tr);
    f->at.tr = NULL;
    embed_done(f->at.em);
    f->at.em = NULL;
    flow_to(f, FLOW_FINISH);
    return NEXT_STEP;
}
