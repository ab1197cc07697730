/* The routes of the Responses API. */
#include "mock/responses.h"
#include "base/mem.h"

#include <stdarg.h>

static const char create_members[] =
    "model input instructions previous_response_id conversation store background stream "
    "stream_options include max_output_tokens max_tool_calls parallel_tool_calls tools tool_choice "
    "text reasoning temperature top_p top_logprobs truncation context_management metadata prompt "
    "prompt_cache_key prompt_cache_options prompt_cache_retention safety_identifier user "
    "service_tier moderation "
    "client_metadata"; /* in no document; Codex 0.169 sends it */
static const char count_members[] =
    "model input instructions previous_response_id conversation parallel_tool_calls personality "
    "reasoning text tool_choice tools truncation";
static const char compact_members[] =
    "model input instructions previous_response_id prompt_cache_key prompt_cache_options "
    "prompt_cache_retention service_tier";

/* -- errors */

struct str rsp_path(const struct rsp *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str text = arena_vprintf(r->rq->arena, fmt, ap);
    va_end(ap);
    return text;
}

bool rsp_error(struct rsp *r, int status, struct str param, const char *code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str text = arena_vprintf(r->rq->arena, fmt, ap);
    va_end(ap);
    reply_error(r->rp, status, "invalid_request_error",
                param.len ? arena_cstr(r->rq->arena, param) : NULL, code, "%.*s", STR_ARG(text));
    return false;
}

static bool not_found(struct rsp *r, struct str id)
{
    return rsp_error(r, 404, STR(""), NULL, "Response with id '%.*s' not found.",
                     STR_ARG(str_head(id, 128)));
}

/* -- before the content */

static struct rsp begin(struct mock *m, struct request *rq, struct reply *rp)
{
    struct str key = request_header(rq, STR("authorization"));
    if (str_starts(key, STR("Bearer ")))
        key = str_skip(key, 7);
    else
        key = request_header(rq, STR("api-key"));
    struct rsp r = { .m = m, .rq = rq, .rp = rp, .credential = key };
    r.model = rsp_model_of(rq->model);
    return r;
}

/* Azure's older paths want a version that knows these routes. */
static bool azure_ok(struct rsp *r)
{
    struct str path = r->rq->path, version = request_query(r->rq, STR("api-version"));
    if (!str_starts(path, STR("/openai/responses")) || str_eq(version, STR("preview")) ||
        str_cmp(version, STR("2025-03-01")) >= 0)
        return true;
    reply_reset(r->rp);
    r->rp->status = 404;
    buf_putz(&r->rp->body, "{\"error\":{\"code\":\"404\",\"message\": \"Resource not found\"}}\n");
    return false;
}

static bool find_previous(struct rsp *r)
{
    struct str id = json_text(r->rq->json, "previous_response_id");
    if (!rsp_has(r->rq->json, "previous_response_id"))
        return true;
    if (!str_starts(id, STR("resp_")))
        return rsp_bad(r, STR("previous_response_id"), "invalid_value",
                       "Invalid 'previous_response_id': '%.*s'. Expected an ID that begins with "
                       "'resp'.",
                       STR_ARG(str_head(id, 64)));
    r->previous = rsp_stored(r, id);
    return r->previous ||
           rsp_bad(r, STR("previous_response_id"), "previous_response_not_found",
                   "Previous response with id '%.*s' not found.", STR_ARG(str_head(id, 128)));
}

static bool request_ok(struct rsp *r, const char *members)
{
    if (!azure_ok(r) || !rsp_request_ok(r, members) || !find_previous(r) || !rsp_input_ok(r) ||
        !rsp_input_make(r))
        return false;
    return rsp_pairs_ok(r);
}

/* -- create */

static void put_whole(struct rsp *r, const char *status)
{
    struct buf flat;
    buf_init(&flat, 512 * MIB);
    rsp_put_object(r, status, &flat);
    rsp_put_pretty(buf_str(&flat), &r->rp->body);
    buf_putc(&r->rp->body, '\n');
    buf_done(&flat);
}

static void create(struct rsp *r)
{
    yyjson_val *rq = r->rq->json;
    bool background = yyjson_is_true(yyjson_obj_get(rq, "background"));
    if (r->rq->script.events > 0)
        r->rq->script.tokens = r->rq->script.events;
    r->id = rsp_path(r, "resp_mock%08llu", (unsigned long long)r->rq->serial);
    rsp_think(r);
    reply_header(r->rp, "openai-processing-ms", STR("7"));
    reply_header(r->rp, "openai-version", STR("2020-10-01"));
    reply_header(r->rp, "x-ratelimit-remaining-requests", STR("499"));
    if (yyjson_is_true(yyjson_obj_get(rq, "stream")))
        rsp_stream(r);
    else
        put_whole(r, background ? "queued" : r->rq->script.failed_event ? "failed" : r->status);
    if (!yyjson_is_false(yyjson_obj_get(rq, "store")))
        rsp_store(r);
}

void responses_create(struct mock *m, struct request *rq, struct reply *rp)
{
    struct rsp r = begin(m, rq, rp);
    if (request_ok(&r, create_members))
        create(&r);
    rsp_done(&r);
}

void responses_count(struct mock *m, struct request *rq, struct reply *rp)
{
    struct rsp r = begin(m, rq, rp);
    rp->content = false;
    if (request_ok(&r, count_members))
        buf_printf(&rp->body, "{\"object\":\"response.input_tokens\",\"input_tokens\":%llu}\n",
                   (unsigned long long)rsp_input_tokens(&r));
    rsp_done(&r);
}

/* -- compact */

/* The users' messages stay; the rest becomes a state that nobody can read. */
static void put_compacted(struct rsp *r)
{
    struct buf *b = &r->rp->body;
    struct str id = rsp_path(r, "cmp_mock%08llu_0", (unsigned long long)r->rq->serial);
    r->rp->prompt_tokens = rsp_input_tokens(r);
    r->rp->completion_tokens = 8;
    buf_printf(b, "{\"id\":\"resp_mock%08llu\",\"object\":\"response.compaction\",",
               (unsigned long long)r->rq->serial);
    buf_printf(b, "\"created_at\":%d,\"output\":[", RSP_CREATED);
    for (size_t i = 0; i < yyjson_arr_size(r->input); i++) {
        yyjson_val *item = yyjson_arr_get(r->input, i);
        if (!yyjson_equals_str(yyjson_obj_get(item, "role"), "user"))
            continue;
        rsp_put_value(item, b);
        buf_putc(b, ',');
    }
    buf_putz(b, "{\"id\":");
    put_json(b, id);
    buf_putz(b, ",\"type\":\"compaction\",\"encrypted_content\":");
    put_json(b, rsp_encrypted(r, id));
    buf_putz(b, "}],\"usage\":");
    rsp_put_usage(r, b);
    buf_putz(b, "}\n");
}

void responses_compact(struct mock *m, struct request *rq, struct reply *rp)
{
    struct rsp r = begin(m, rq, rp);
    if (request_ok(&r, compact_members))
        put_compacted(&r);
    rsp_done(&r);
}

/* -- what was stored */

/* The response that the path names; NULL: the refusal stands in r->rp. */
static struct stored *named(struct rsp *r, struct str id)
{
    r->rp->content = false;
    if (!azure_ok(r))
        return NULL;
    if (!str_starts(id, STR("resp_"))) {
        rsp_bad(r, STR("response_id"), "invalid_value",
                "Invalid 'response_id': '%.*s'. Expected an ID that begins with 'resp'.",
                STR_ARG(str_head(id, 64)));
        return NULL;
    }
    struct stored *s = rsp_stored(r, id);
    if (!s)
        not_found(r, id);
    return s;
}

/* The events after number `after`; with `all`, from the first. */
static void replay(struct rsp *r, const struct stored *s, bool all, uint64_t after)
{
    struct reply *rp = r->rp;
    size_t first = all ? 0 : after + 1 < s->count ? (size_t)after + 1 : s->count;
    rp->stream = true;
    rp->type = STR("text/event-stream; charset=utf-8");
    for (size_t i = first; i < s->count; i++) {
        size_t from = i ? s->ends[i - 1] : 0;
        buf_put(&rp->body, str_of(s->events.p + from, s->ends[i] - from));
        reply_piece(rp);
    }
}

void responses_get(struct mock *m, struct request *rq, struct reply *rp)
{
    struct rsp r = begin(m, rq, rp);
    struct stored *s = named(&r, rq->path_model);
    struct str after = request_query(rq, STR("starting_after"));
    uint64_t from = 0;
    bool stream = str_eq(request_query(rq, STR("stream")), STR("true"));
    if (!s)
        return;
    if (after.len > 0 && (!stream || !str_u64(after, &from))) {
        rsp_bad(&r, STR("starting_after"), "invalid_value",
                "Invalid 'starting_after': it is a number, and goes together with 'stream'.");
        return;
    }
    if (stream && !s->streamed) {
        rsp_bad(&r, STR("stream"), NULL,
                "This response cannot be streamed because it was not created with background=true "
                "and stream=true.");
        return;
    }
    if (stream) {
        replay(&r, s, after.len == 0, from);
        return;
    }
    if (s->background && s->state < RSP_ENDED) /* each look finds it further on */
        s->state++;
    buf_put(&rp->body, s->bodies[s->state]);
    buf_putc(&rp->body, '\n');
}

void responses_delete(struct mock *m, struct request *rq, struct reply *rp)
{
    struct rsp r = begin(m, rq, rp);
    struct stored *s = named(&r, rq->path_model);
    if (!s)
        return;
    rsp_forget(&r, s);
    buf_putz(&rp->body, "{\n  \"id\": ");
    put_json(&rp->body, rq->path_model);
    buf_putz(&rp->body, ",\n  \"object\": \"response\",\n  \"deleted\": true\n}\n");
}

void responses_cancel(struct mock *m, struct request *rq, struct reply *rp)
{
    struct rsp r = begin(m, rq, rp);
    struct stored *s = named(&r, rq->path_model);
    if (!s)
        return;
    if (!s->background) {
        rsp_bad(&r, STR(""), NULL, "Cannot cancel a synchronous response.");
        return;
    }
    if (s->state < RSP_ENDED)
        s->state = RSP_CANCELLED;
    buf_put(&rp->body, s->bodies[s->state]);
    buf_putc(&rp->body, '\n');
}

/* -- input items */

struct page {
    uint64_t limit;
    bool ascending;
    struct str after;
};

static bool page_ok(struct rsp *r, struct page *p)
{
    struct str limit = request_query(r->rq, STR("limit")),
               order = request_query(r->rq, STR("order"));
    *p = (struct page){ .limit = 20, .after = request_query(r->rq, STR("after")) };
    if (limit.len > 0 && (!str_u64(limit, &p->limit) || p->limit < 1 || p->limit > 100))
        return rsp_bad(r, STR("limit"), "invalid_value",
                       "Invalid 'limit': it is a number from 1 to 100.");
    if (order.len > 0 && !rsp_word_in("asc desc", order))
        return rsp_bad(r, STR("order"), "invalid_value",
                       "Invalid value: '%.*s'. Supported values are: 'asc' and 'desc'.",
                       STR_ARG(order));
    p->ascending = str_eq(order, STR("asc"));
    return true;
}

static void put_page(struct rsp *r, const struct page *p, yyjson_val *list)
{
    struct buf *b = &r->rp->body;
    size_t n = yyjson_arr_size(list), put = 0;
    struct str first = STR(""), last = STR("");
    bool started = p->after.len == 0, more = false;
    buf_putz(b, "{\"object\":\"list\",\"data\":[");
    for (size_t i = 0; i < n && !more; i++) {
        yyjson_val *item = yyjson_arr_get(list, p->ascending ? i : n - 1 - i);
        struct str id = json_text(item, "id");
        if (!started) {
            started = str_eq(id, p->after);
            continue;
        }
        more = put == p->limit;
        if (more)
            break;
        if (put++ > 0)
            buf_putc(b, ',');
        rsp_put_value(item, b);
        first = first.len ? first : id;
        last = id;
    }
    buf_printf(b, "],\"has_more\":%s,\"first_id\":", more ? "true" : "false");
    put > 0 ? put_json(b, first) : buf_putz(b, "null");
    buf_putz(b, ",\"last_id\":");
    put > 0 ? put_json(b, last) : buf_putz(b, "null");
    buf_putz(b, "}\n");
}

void responses_items(struct mock *m, struct request *rq, struct reply *rp)
{
    struct rsp r = begin(m, rq, rp);
    struct stored *s = named(&r, rq->path_model);
    struct page page;
    if (!s || !page_ok(&r, &page))
        return;
    struct str text = rsp_path(&r, "[%.*s]", STR_ARG(s->input));
    yyjson_doc *doc = yyjson_read(text.p, text.len, 0);
    put_page(&r, &page, yyjson_doc_get_root(doc));
    yyjson_doc_free(doc);
}
