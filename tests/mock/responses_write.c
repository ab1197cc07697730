/* The response object and its output items, as whole answers and the events of a stream show them. */
#include "mock/responses.h"
#include "mock/words.h"

#include <stdlib.h>

void rsp_put_value(yyjson_val *v, struct buf *b)
{
    size_t n;
    char *text = v ? yyjson_val_write(v, 0, &n) : NULL;
    if (text)
        buf_put(b, str_of(text, n));
    else
        buf_putz(b, "null");
    free(text); /* check-banned: yyjson allocated it */
}

void rsp_put_logprobs(const struct rsp *r, struct str text, struct buf *b)
{
    const char *comma = "";
    buf_putc(b, '[');
    while (r->logprobs && text.len > 0) {
        struct str token = token_next(&text);
        buf_printf(b, "%s{\"token\":", comma);
        put_json(b, token);
        buf_putz(b, ",\"bytes\":[");
        for (size_t i = 0; i < token.len; i++)
            buf_printf(b, "%s%u", i ? "," : "", (unsigned)(unsigned char)token.p[i]);
        buf_putz(b, "],\"logprob\":-0.25,\"top_logprobs\":[]}");
        comma = ",";
    }
    buf_putc(b, ']');
}

void rsp_put_annotation(const struct rsp_item *it, struct buf *b)
{
    buf_printf(
        b,
        "{\"type\":\"url_citation\",\"start_index\":0,\"end_index\":%zu,\"url\":\"" RSP_CITED_URL
        "\",\"title\":\"" RSP_CITED_TITLE "\"}",
        it->text.len);
}

void rsp_put_pretty(struct str flat, struct buf *b)
{
    size_t n = 0;
    yyjson_doc *doc = yyjson_read(flat.p, flat.len, 0);
    char *text = yyjson_write(doc, YYJSON_WRITE_PRETTY_TWO_SPACES, &n);
    buf_put(b, text ? str_of(text, n) : flat);
    free(text); /* check-banned: yyjson allocated it */
    yyjson_doc_free(doc);
}

/* -- items */

void rsp_put_part(const struct rsp *r, const struct rsp_item *it, bool whole, struct buf *b)
{
    struct str text = whole ? it->text : STR("");
    if (it->kind == RSP_REASONING) {
        buf_putz(b, r->model->open ? "{\"type\":\"reasoning_text\",\"text\":"
                                   : "{\"type\":\"summary_text\",\"text\":");
        put_json(b, text);
    } else if (it->refusal) {
        buf_putz(b, "{\"type\":\"refusal\",\"refusal\":");
        put_json(b, text);
    } else {
        buf_putz(b, "{\"type\":\"output_text\",\"annotations\":[");
        if (whole && it->cited)
            rsp_put_annotation(it, b);
        buf_putz(b, "],\"logprobs\":");
        rsp_put_logprobs(r, text, b);
        buf_putz(b, ",\"text\":");
        put_json(b, text);
    }
    buf_putc(b, '}');
}

static void put_reasoning(const struct rsp *r, const struct rsp_item *it, bool whole, struct buf *b)
{
    bool told = whole && it->text.len > 0;
    if (r->encrypted) { /* while it is under way, it is that of a beginning */
        buf_putz(b, ",\"encrypted_content\":");
        put_json(b, whole ? rsp_encrypted(r, it->id) : STR("gAAAAABpartial"));
    }
    buf_putz(b, ",\"summary\":[");
    if (told && !r->model->open)
        rsp_put_part(r, it, true, b);
    buf_putc(b, ']');
    if (!r->model->open)
        return;
    buf_putz(b, ",\"content\":[");
    if (told)
        rsp_put_part(r, it, true, b);
    buf_putc(b, ']');
}

static void put_call(const struct rsp_item *it, const char *member, bool whole, struct buf *b)
{
    buf_printf(b, ",\"%s\":", member);
    put_json(b, whole ? it->text : STR(""));
    buf_putz(b, ",\"call_id\":");
    put_json(b, it->call_id);
    buf_putz(b, ",\"name\":");
    put_json(b, it->name);
}

static void put_message(const struct rsp *r, const struct rsp_item *it, bool whole, struct buf *b)
{
    buf_putz(b, ",\"content\":[");
    if (whole)
        rsp_put_part(r, it, true, b);
    buf_putz(b, "],\"role\":\"assistant\"");
}

void rsp_put_item(const struct rsp *r, const struct rsp_item *it, bool whole, struct buf *b)
{
    static const char *const types[] = { "reasoning", "web_search_call", "message", "function_call",
                                         "custom_tool_call" };
    const char *status = !whole ? "in_progress" : it->cut ? "incomplete" : "completed";
    buf_putz(b, "{\"id\":");
    put_json(b, it->id);
    buf_printf(b, ",\"type\":\"%s\"", types[it->kind]);
    if (it->kind != RSP_REASONING)
        buf_printf(b, ",\"status\":\"%s\"", status);
    switch (it->kind) {
    case RSP_REASONING: put_reasoning(r, it, whole, b); break;
    case RSP_SEARCH:
        if (whole)
            buf_putz(b, ",\"action\":{\"type\":\"search\",\"query\":\"river level\"}");
        break;
    case RSP_MESSAGE: put_message(r, it, whole, b); break;
    case RSP_FUNCTION: put_call(it, "arguments", whole, b); break;
    case RSP_CUSTOM: put_call(it, "input", whole, b); break;
    }
    buf_putc(b, '}');
}

/* -- the object */

void rsp_put_usage(const struct rsp *r, struct buf *b)
{
    const struct reply *rp = r->rp;
    buf_printf(b,
               "{\"input_tokens\":%llu,\"input_tokens_details\":{\"cached_tokens\":%llu,"
               "\"cache_write_tokens\":0},\"output_tokens\":%llu,\"output_tokens_details\":"
               "{\"reasoning_tokens\":%llu},\"total_tokens\":%llu}",
               (unsigned long long)rp->prompt_tokens, (unsigned long long)r->rq->script.cached,
               (unsigned long long)rp->completion_tokens, (unsigned long long)r->reasoning_tokens,
               (unsigned long long)(rp->prompt_tokens + rp->completion_tokens));
}

/* A member of the request, or its default. */
static void put_echo(const struct rsp *r, const char *name, const char *otherwise, struct buf *b)
{
    yyjson_val *v = yyjson_obj_get(r->rq->json, name);
    buf_putz(b, ",\"");
    buf_putz(b, name);
    buf_putz(b, "\":");
    if (v && !yyjson_is_null(v))
        rsp_put_value(v, b);
    else
        buf_putz(b, otherwise);
}

static void put_reasoning_echo(const struct rsp *r, struct buf *b)
{
    yyjson_val *reasoning = yyjson_obj_get(r->rq->json, "reasoning");
    yyjson_val *effort = yyjson_obj_get(reasoning, "effort");
    buf_putz(b, ",\"reasoning\":{\"effort\":");
    rsp_put_value(effort, b);
    buf_putz(b, ",\"summary\":");
    rsp_put_value(yyjson_obj_get(reasoning, "summary"), b);
    buf_putc(b, '}');
}

static void put_text_echo(const struct rsp *r, struct buf *b)
{
    yyjson_val *text = yyjson_obj_get(r->rq->json, "text");
    yyjson_val *format = yyjson_obj_get(text, "format"),
               *verbosity = yyjson_obj_get(text, "verbosity");
    buf_putz(b, ",\"text\":{\"format\":");
    format ? rsp_put_value(format, b) : buf_putz(b, "{\"type\":\"text\"}");
    buf_putz(b, ",\"verbosity\":");
    rsp_has(text, "verbosity") ? rsp_put_value(verbosity, b) : buf_putz(b, "\"medium\"");
    buf_putc(b, '}');
}

static void put_echoes(const struct rsp *r, struct buf *b)
{
    static const char *const rows[][2] = {
        { "instructions", "null" },
        { "max_output_tokens", "null" },
        { "max_tool_calls", "null" },
        { "parallel_tool_calls", "true" },
        { "previous_response_id", "null" },
        { "prompt_cache_key", "null" },
        { "prompt_cache_retention", "null" },
        { "safety_identifier", "null" },
        { "store", "true" },
        { "temperature", "1.0" },
        { "tool_choice", "\"auto\"" },
        { "tools", "[]" },
        { "top_logprobs", "0" },
        { "top_p", "1.0" },
        { "truncation", "\"disabled\"" },
        { "user", "null" },
        { "metadata", "{}" },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        put_echo(r, rows[i][0], rows[i][1], b);
    put_reasoning_echo(r, b);
    put_text_echo(r, b);
}

/* The model that is told is a dated snapshot of the one asked for. */
static void put_model(const struct rsp *r, struct buf *b)
{
    buf_putz(b, ",\"model\":");
    put_json(b, rsp_path(r, "%.*s-2026-08-01", STR_ARG(str_head(r->rq->model, 1024))));
}

void rsp_put_object(const struct rsp *r, const char *status, struct buf *b)
{
    struct str word = str_c(status);
    bool made = rsp_word_in("completed incomplete", word), failed = str_eq(word, STR("failed"));
    buf_putz(b, "{\"id\":");
    put_json(b, r->id);
    buf_printf(b, ",\"object\":\"response\",\"created_at\":%d,\"status\":\"%s\"", RSP_CREATED,
               status);
    buf_printf(b, ",\"background\":%s",
               yyjson_is_true(yyjson_obj_get(r->rq->json, "background")) ? "true" : "false");
    if (str_eq(word, STR("completed")))
        buf_printf(b, ",\"completed_at\":%d", RSP_CREATED + 3);
    else
        buf_putz(b, ",\"completed_at\":null");
    buf_printf(b, ",\"error\":%s",
               failed ? "{\"code\":\"server_error\",\"message\":\"The model failed to generate a "
                        "response.\"}"
                      : "null");
    buf_putz(b, ",\"incomplete_details\":");
    if (made && r->incomplete)
        buf_printf(b, "{\"reason\":\"%s\"}", r->incomplete);
    else
        buf_putz(b, "null");
    put_model(r, b);
    buf_putz(b, ",\"output\":[");
    for (size_t i = 0; i < r->item_count && made; i++) {
        if (i > 0)
            buf_putc(b, ',');
        rsp_put_item(r, &r->items[i], true, b);
    }
    buf_putc(b, ']');
    put_echoes(r, b);
    buf_printf(b, ",\"service_tier\":\"%s\"", made ? "default" : "auto");
    buf_putz(b, ",\"usage\":");
    if (made && !str_eq(r->rq->script.usage, STR("none")))
        rsp_put_usage(r, b);
    else
        buf_putz(b, "null");
    buf_putc(b, '}');
}
