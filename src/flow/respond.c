/* Answers to the client: the headers that all of them carry, and errors. */
#include "flow/flow_priv.h"

#include "base/clock.h"
#include "base/mem.h"

void headers_add(struct headers *h, struct str name, struct str value)
{
    if (value.len && h->count < sizeof h->rows / sizeof h->rows[0])
        h->rows[h->count++] = (struct http_header){ name, value };
}

static struct str ms_text(struct arena *a, uint64_t us)
{
    char *end = (char *)arena_alloc(a, 24) + 24, *p = end;
    for (int digit = 0; digit < 4 || us; digit++) { /* from the right; at least "0.000" */
        if (digit == 3)
            *--p = '.';
        *--p = (char)('0' + us % 10);
        us /= 10;
    }
    return str_of(p, (size_t)(end - p));
}

/* The provider's own headers, under a prefix; its rate limits also under their own names, as LiteLLM passes them. */
static void provider_headers(struct flow *f, struct headers *h)
{
    const struct http_head *up = f->at.head;
    if (!up)
        return;
    struct str secret = attempt_secret(f);
    for (size_t i = 0; i < up->header_count; i++) {
        struct str name = up->headers[i].name, value = up->headers[i].value;
        if (http_is_hop_by_hop(up, name) || str_eq_nocase(name, STR("set-cookie")))
            continue;
        if (secret.len && str_find(value, secret) != STR_NONE)
            continue; /* an echo of our credential */
        char *prefixed = arena_alloc(f->arena, name.len + 13);
        memcpy(prefixed, "llm_provider-", 13);
        for (size_t k = 0; k < name.len; k++)
            prefixed[13 + k] = ascii_lower(name.p[k]);
        headers_add(h, str_of(prefixed, name.len + 13), value);
        if (str_starts(str_of(prefixed + 13, name.len), STR("x-ratelimit-")))
            headers_add(h, str_of(prefixed + 13, name.len), value);
    }
}

static void call_headers(struct flow *f, struct headers *h)
{
    const struct pick *p = &f->pick;
    headers_add(h, STR("x-litellm-version"), f->w->gw->version);
    if (!p->deployment)
        return;
    headers_add(h, STR("x-litellm-model-id"), p->deployment->conf->id);
    headers_add(h, STR("x-litellm-model-group"), p->group->name);
    if (f->at.to)
        headers_add(h, STR("x-litellm-model-api-base"), f->at.to->api_base);
    headers_add(h, STR("x-litellm-attempted-retries"), f->at.retried ? STR("1") : STR("0"));
    headers_add(h, STR("x-litellm-attempted-fallbacks"), STR("0"));
    if (f->at.head_us) {
        /* weir's own time: before the call went out, and since this turn of the loop brought the answer. */
        uint64_t now = clock_now_us();
        uint64_t own = f->at.sent_us - f->began_us + (now - loop_now_us(f->w->loop));
        headers_add(h, STR("x-litellm-response-duration-ms"), ms_text(f->arena, now - f->began_us));
        headers_add(h, STR("x-litellm-overhead-duration-ms"), ms_text(f->arena, own));
    }
}

/* What translation lost: of the request, and of the answer where it is whole, so that all is known before the headers are. */
static struct str fidelity(struct flow *f, bool whole)
{
    struct ir_report all;
    struct buf out;
    ir_report_init(&all, f->arena);
    if (f->at.report)
        ir_report_merge(&all, f->at.report);
    if (whole && f->at.losses)
        ir_report_merge(&all, f->at.losses);
    if (all.count == 0)
        return STR("exact");
    buf_init(&out, 8 * KIB);
    ir_report_write(&all, &out);
    struct str text = arena_dup(f->arena, buf_str(&out));
    buf_done(&out);
    return text;
}

void respond_headers(struct flow *f, struct headers *h, struct str content_type)
{
    h->count = 0;
    headers_add(h, STR("content-type"), content_type);
    /* On refusals of a key LiteLLM names no call; weir does: it is what a log line is found by. */
    headers_add(h, STR("x-litellm-call-id"), f->call_id);
    headers_add(h, STR("x-request-id"), f->call_id);
    call_headers(f, h);
    cors_headers(f, h);
}

void respond_json(struct flow *f, int status, struct str body)
{
    SCRATCH struct headers h;
    respond_headers(f, &h, STR("application/json"));
    struct http_out out = { .status = status,
                            .headers = h.rows,
                            .header_count = h.count,
                            .content_length = (int64_t)body.len };
    f->status = status;
    f->head_sent = f->body_sent = true;
    exchange_respond(f->x, &out, &body, 1, true);
}

void respond_fault(struct flow *f)
{
    SCRATCH struct headers h;
    struct buf body;
    const struct fault *ft = &f->fault;
    respond_headers(f, &h, STR("application/json"));
    provider_headers(f, &h);
    if (ft->retry_after_ms >= 0)
        headers_add(&h, STR("retry-after"),
                    arena_printf(f->arena, "%lld", (long long)((ft->retry_after_ms + 999) / 1000)));
    if (ft->retry_after_ms > 0 &&
        ft->retry_after_ms % 1000) /* finer than seconds: SDKs read it first */
        headers_add(&h, STR("retry-after-ms"),
                    arena_printf(f->arena, "%lld", (long long)ft->retry_after_ms));
    if (ft->err == ERR_BAD_METHOD || ft->err == ERR_DRAINING)
        headers_add(&h, STR("x-should-retry"),
                    ft->err == ERR_DRAINING ? STR("true") : STR("false"));
    buf_init(&body, 1 * MIB);
    openai_write_fault(
        ft, f->snap->conf->general.include_call_id_in_error_body ? f->call_id : str_of(NULL, 0),
        &body);
    struct str text = buf_str(&body);
    struct http_out out = { .status = ft->status,
                            .headers = h.rows,
                            .header_count = h.count,
                            .content_length = (int64_t)text.len };
    f->status = ft->status;
    f->head_sent = f->body_sent = true;
    exchange_respond(f->x, &out, &text, 1, true);
    buf_done(&body);
}

void respond_stream_head(struct flow *f, struct str first, bool end)
{
    SCRATCH struct headers h;
    respond_headers(f, &h, STR("text/event-stream; charset=utf-8"));
    headers_add(&h, STR("cache-control"), STR("no-cache"));
    headers_add(&h, STR("x-accel-buffering"),
                STR("no")); /* a proxy in front must not hold events back */
    headers_add(&h, STR("x-weir-fidelity"), fidelity(f, false));
    provider_headers(f, &h);
    struct http_out out = {
        .status = 200, .headers = h.rows, .header_count = h.count, .content_length = -1
    };
    f->status = 200;
    f->head_sent = true;
    f->body_sent = end;
    exchange_respond(f->x, &out, &first, first.len ? 1 : 0, end);
}

/* A whole answer of a provider: `length` -1 when it is forwarded in parts. */
void respond_whole(struct flow *f, struct str first, int64_t length, bool end)
{
    SCRATCH struct headers h;
    respond_headers(f, &h, STR("application/json"));
    headers_add(&h, STR("x-weir-fidelity"), fidelity(f, true));
    provider_headers(f, &h);
    struct http_out out = {
        .status = 200, .headers = h.rows, .header_count = h.count, .content_length = length
    };
    f->status = 200;
    f->head_sent = true;
    f->body_sent = end;
    exchange_respond(f->x, &out, &first, first.len ? 1 : 0, end);
}
