/* The response object and its items. OpenAI's API reference, "The response object", August 2026; every member that the SDKs' types
 * know as required is there, null where there is nothing to say. */
#include "base/mem.h"
#include "dialect/responses_priv.h"

/* A string of collected insides. */
static void put_string(struct json_write *w, const char *name, const struct buf *inside)
{
    json_raw(w, name, STR("\""));
    buf_put(w->out, buf_str(inside));
    buf_putc(w->out, '"');
}

static void put_array(struct json_write *w, const char *name, const struct buf *elements)
{
    json_raw(w, name, STR("["));
    buf_put(w->out, buf_str(elements));
    buf_putc(w->out, ']');
}

/* -- parts */

void rs_put_part(const struct rs_part *part, struct buf *out)
{
    struct json_write w;
    json_begin(&w, out);
    json_obj(&w, NULL);
    json_strz(&w, "type", part->refusal ? "refusal" : "output_text");
    put_string(&w, part->refusal ? "refusal" : "text", &part->text);
    if (!part->refusal) {
        put_array(&w, "annotations", &part->annotations);
        put_array(&w, "logprobs", &part->logprobs);
    }
    json_end(&w);
}

/* Citations in either shape: with their members under their type's name (chat), or beside it. */
static const struct annotation_row {
    struct str type;
    const char *strings[3]; /* required */
    bool index, places;
} annotations[] = {
    { STR_INIT("url_citation"), { "url" }, false, true },
    { STR_INIT("file_citation"), { "file_id", "filename" }, true, false },
    { STR_INIT("container_file_citation"), { "container_id", "file_id", "filename" }, false, true },
    { STR_INIT("file_path"), { "file_id" }, true, false },
};

/* A place in the whole text, as one in the part. */
static void put_place(struct json_write *w, const char *name, struct str object,
                      const struct rs_part *part)
{
    uint64_t at = 0;
    json_u64(json_get(object, name), &at);
    at = at < part->start ? 0 : at - part->start;
    json_uint(w, name, at < part->points ? at : part->points);
}

bool rs_put_annotation(struct str raw, const struct rs_part *part, struct buf *out)
{
    const struct annotation_row *row = NULL;
    struct json_write w;
    uint64_t index = 0;
    for (size_t i = 0; i < sizeof annotations / sizeof annotations[0]; i++)
        if (json_str_eq(json_get(raw, "type"), annotations[i].type))
            row = &annotations[i];
    if (!row)
        return false;
    struct str inner = json_get(raw, row->type.p);
    inner = json_type_of(inner) == JSON_OBJECT ? inner : raw;
    for (size_t i = 0; i < 3 && row->strings[i]; i++)
        if (json_type_of(json_get(inner, row->strings[i])) != JSON_STRING)
            return false;
    json_begin(&w, out);
    json_obj(&w, NULL);
    json_str(&w, "type", row->type);
    for (size_t i = 0; i < 3 && row->strings[i]; i++)
        json_raw(&w, row->strings[i], json_get(inner, row->strings[i]));
    if (row->index) {
        json_u64(json_get(inner, "index"), &index);
        json_uint(&w, "index", index);
    }
    if (row->places) {
        put_place(&w, "start_index", inner, part);
        put_place(&w, "end_index", inner, part);
    }
    if (row == annotations) {
        struct str title = json_get(inner, "title");
        json_raw(&w, "title", json_type_of(title) == JSON_STRING ? title : STR("\"\""));
    }
    json_end(&w);
    return true;
}

/* {"token","bytes","logprob"}, left open. The bytes of a token that has none are an empty list here. */
static void put_token(struct json_write *w, struct str token)
{
    struct str text = json_get(token, "token"), bytes = json_get(token, "bytes"),
               logprob = json_get(token, "logprob");
    struct json_iter it = json_iter(json_type_of(bytes) == JSON_ARRAY ? bytes : STR("[]"));
    json_obj(w, NULL);
    json_raw(w, "token", json_type_of(text) == JSON_STRING ? text : STR("\"\""));
    json_arr(w, "bytes");
    while (json_next(&it))
        if (it.type == JSON_NUMBER)
            json_raw(w, NULL, it.value);
    json_end(w);
    json_raw(w, "logprob", json_type_of(logprob) == JSON_NUMBER ? logprob : STR("0"));
}

void rs_put_logprobs(struct str array, struct buf *out)
{
    struct json_iter it = json_iter(json_type_of(array) == JSON_ARRAY ? array : STR("[]"));
    struct json_write w;
    for (bool first = true; json_next(&it); first = false) {
        struct json_iter top = json_iter(json_get(it.value, "top_logprobs"));
        if (!first)
            buf_putc(out, ',');
        json_begin(&w, out);
        put_token(&w, it.value);
        json_arr(&w, "top_logprobs");
        while (json_next(&top)) {
            put_token(&w, top.value);
            json_end(&w);
        }
        json_end(&w);
        json_end(&w);
    }
}

/* -- items */

static const char *status_of(const struct rs_item *item)
{
    return !item->closed ? "in_progress" : item->cut ? "incomplete" : "completed";
}

static void put_message(struct json_write *w, const struct rs_item *item)
{
    json_strz(w, "type", "message");
    json_strz(w, "status", status_of(item));
    json_strz(w, "role", "assistant");
    json_arr(w, "content");
    for (const struct rs_part *p = item->parts; p; p = p->next) {
        json_raw(w, NULL, STR(""));
        rs_put_part(p, w->out);
    }
    json_end(w);
}

/* Text that the client did not want to see is kept with the state that belongs to it. */
static void put_reasoning(const struct rs_writer *wr, struct json_write *w,
                          const struct rs_item *item, bool stored)
{
    bool visible = stored || wr->rq->reasoning_visible;
    json_strz(w, "type", "reasoning");
    json_arr(w, "summary");
    if (visible && item->text.len) {
        json_obj(w, NULL);
        json_strz(w, "type", "summary_text");
        put_string(w, "text", &item->text);
        json_end(w);
    }
    json_end(w);
    if (!item->closed || !(stored || wr->rq->reasoning_state))
        return;
    if (item->own_state.len) {
        json_raw(w, "encrypted_content", item->own_state);
    } else if (item->stated) {
        struct response_state state = item->state;
        struct buf text;
        buf_init(&text, item->text.len + 3);
        if (!visible && item->text.len) {
            buf_putc(&text, '"');
            buf_put(&text, buf_str(&item->text));
            buf_putc(&text, '"');
            state.text = buf_str(&text);
        }
        json_raw(w, "encrypted_content", STR(""));
        response_state_put(&state, w->out);
        buf_done(&text);
    }
}

static void put_call(struct json_write *w, const struct rs_item *item)
{
    json_strz(w, "type", item->custom ? "custom_tool_call" : "function_call");
    json_strz(w, "status", status_of(item));
    json_str(w, "call_id", item->call_id);
    json_str(w, "name", item->name);
    put_string(w, item->custom ? "input" : "arguments", &item->text);
}

static void put_search(struct json_write *w, const struct rs_item *item)
{
    struct str query = item->query.len ? item->query : STR("\"\"");
    json_strz(w, "type", "web_search_call");
    json_strz(w, "status", status_of(item));
    json_obj(w, "action");
    json_strz(w, "type", "search");
    json_raw(w, "query", query);
    json_arr(w, "queries");
    if (item->query.len)
        json_raw(w, NULL, query);
    json_end(w);
    json_end(w);
}

void rs_put_item(const struct rs_writer *wr, const struct rs_item *item, bool stored,
                 struct buf *out)
{
    struct json_write w;
    json_begin(&w, out);
    json_obj(&w, NULL);
    json_str(&w, "id", item->id);
    switch (item->kind) {
    case RS_MESSAGE: put_message(&w, item); break;
    case RS_REASONING: put_reasoning(wr, &w, item, stored); break;
    case RS_CALL: put_call(&w, item); break;
    case RS_SEARCH: put_search(&w, item); break;
    }
    json_end(&w);
}

/* -- the object */

static struct str echo(const struct rs_writer *wr, const char *name)
{
    const struct ir_ext *e = ir_ext_find(wr->rq->echo, str_c(name));
    return e ? e->raw : str_of(NULL, 0);
}

static void put_echo(const struct rs_writer *wr, struct json_write *w, const char *name,
                     const char *otherwise)
{
    struct str raw = echo(wr, name);
    json_raw(w, name, raw.len ? raw : str_c(otherwise));
}

/* A server of tools comes with what opens it, which no answer repeats: answers are kept, and read by others than who asked. */
static void put_server(struct json_write *w, struct str tool, struct arena *a)
{
    static const struct str secret[] = { STR_INIT("authorization"), STR_INIT("headers") };
    struct json_iter it = json_iter(tool);
    json_obj(w, NULL);
    while (json_next(&it)) {
        struct str name = str_of(it.name.p - 1, it.name.len + 2);
        if (!json_str_eq(name, secret[0]) && !json_str_eq(name, secret[1]))
            rs_put_member(w, &it, a);
    }
    json_end(w);
}

/* A function as OpenAI repeats it: what was not said is null. */
static void put_tool(struct json_write *w, struct str tool, struct arena *a)
{
    static const struct str names[] = { STR_INIT("description"), STR_INIT("parameters"),
                                        STR_INIT("strict") };
    struct json_member m[3];
    struct str type = json_get(tool, "type");
    if (json_str_eq(type, STR("mcp"))) {
        put_server(w, tool, a);
        return;
    }
    if (!json_str_eq(type, STR("function"))) {
        json_raw(w, NULL, tool);
        return;
    }
    json_peek_object(tool, names, 3, m, NULL);
    struct str open = str_trim(tool);
    json_raw(w, NULL, str_head(open, open.len - 1));
    for (size_t i = 0; i < 3; i++)
        if (m[i].type == JSON_ABSENT)
            buf_printf(w->out, ",\"%s\":null", names[i].p);
    buf_putc(w->out, '}');
}

static void put_tools(const struct rs_writer *wr, struct json_write *w)
{
    struct json_iter it = json_iter(echo(wr, "tools"));
    json_arr(w, "tools");
    while (json_next(&it))
        put_tool(w, it.value, wr->c->arena);
    json_end(w);
}

/* {"format":..,"verbosity":..}: each has a default. */
static void put_text(const struct rs_writer *wr, struct json_write *w)
{
    struct str text = echo(wr, "text"), format = json_get(text, "format"),
               verbosity = json_get(text, "verbosity");
    json_obj(w, "text");
    json_raw(w, "format",
             json_type_of(format) == JSON_OBJECT ? format : STR("{\"type\":\"text\"}"));
    json_raw(w, "verbosity",
             json_type_of(verbosity) == JSON_STRING ? verbosity : STR("\"medium\""));
    json_end(w);
}

static void put_reasoning_echo(const struct rs_writer *wr, struct json_write *w)
{
    struct str reasoning = echo(wr, "reasoning"), effort = json_get(reasoning, "effort"),
               summary = json_get(reasoning, "summary");
    if (!summary.len)
        summary = json_get(reasoning, "generate_summary");
    json_obj(w, "reasoning");
    json_raw(w, "effort", effort.len ? effort : STR("null"));
    json_raw(w, "summary", summary.len ? summary : STR("null"));
    json_end(w);
}

static void put_usage(const struct rs_writer *wr, struct json_write *w)
{
    const struct ir_usage *u = &wr->usage;
    if (wr->status == RS_IN_PROGRESS || !u->reported) {
        json_null(w, "usage");
        return;
    }
    json_obj(w, "usage");
    json_uint(w, "input_tokens", u->prompt_tokens);
    json_obj(w, "input_tokens_details");
    json_uint(w, "cached_tokens", u->cached_tokens);
    json_uint(w, "cache_write_tokens", u->cache_write_tokens + u->cache_write_1h_tokens);
    json_end(w);
    json_uint(w, "output_tokens", u->completion_tokens);
    json_obj(w, "output_tokens_details");
    json_uint(w, "reasoning_tokens", u->reasoning_tokens);
    json_end(w);
    json_uint(w, "total_tokens", u->prompt_tokens + u->completion_tokens);
    json_end(w);
}

static void put_status(const struct rs_writer *wr, struct json_write *w)
{
    static const char *const words[] = { "in_progress", "completed", "incomplete", "incomplete",
                                         "failed" };
    uint64_t now = wr->c->unix_s > wr->created ? wr->c->unix_s : wr->created;
    if (wr->status == RS_COMPLETED)
        json_uint(w, "completed_at", now);
    else
        json_null(w, "completed_at");
    json_strz(w, "status", words[wr->status]);
    put_echo(wr, w, "background", "false");
    if (wr->status == RS_FAILED) {
        json_obj(w, "error");
        json_str(w, "code", wr->error_code);
        json_str(w, "message", wr->error_message);
        json_end(w);
    } else {
        json_null(w, "error");
    }
    if (wr->status == RS_LENGTH || wr->status == RS_FILTERED) {
        json_obj(w, "incomplete_details");
        json_strz(w, "reason", wr->status == RS_LENGTH ? "max_output_tokens" : "content_filter");
        json_end(w);
    } else {
        json_null(w, "incomplete_details");
    }
}

/* While the answer is under way it has no output yet, as OpenAI shows it. */
static void put_output(const struct rs_writer *wr, struct json_write *w)
{
    json_arr(w, "output");
    for (const struct rs_item *i = wr->items; i; i = i->next) {
        if (!i->shown || !i->closed || wr->status == RS_IN_PROGRESS)
            continue;
        json_raw(w, NULL, STR(""));
        rs_put_item(wr, i, false, w->out);
    }
    json_end(w);
}

void rs_put_object(const struct rs_writer *wr, struct buf *out)
{
    struct json_write w;
    json_begin(&w, out);
    json_obj(&w, NULL);
    json_str(&w, "id", arena_printf(wr->c->arena, "resp_%.*s", STR_ARG(wr->hex)));
    json_strz(&w, "object", "response");
    json_uint(&w, "created_at", wr->created);
    put_status(wr, &w);
    put_echo(wr, &w, "instructions", "null");
    put_echo(wr, &w, "max_output_tokens", "null");
    put_echo(wr, &w, "max_tool_calls", "null");
    json_raw(&w, "model", wr->style.model_json);
    put_output(wr, &w);
    put_echo(wr, &w, "parallel_tool_calls", "true");
    put_echo(wr, &w, "previous_response_id", "null");
    put_echo(wr, &w, "conversation", "null");
    put_echo(wr, &w, "prompt_cache_key", "null");
    put_echo(wr, &w, "prompt_cache_retention", "null");
    put_reasoning_echo(wr, &w);
    put_echo(wr, &w, "safety_identifier", "null");
    if (wr->service_tier.len)
        json_str(&w, "service_tier", wr->service_tier);
    else
        json_strz(&w, "service_tier", "default");
    put_echo(wr, &w, "store", "true");
    put_echo(wr, &w, "temperature", "1.0");
    put_text(wr, &w);
    put_echo(wr, &w, "tool_choice", "\"auto\"");
    put_tools(wr, &w);
    put_echo(wr, &w, "top_logprobs", "0");
    put_echo(wr, &w, "top_p", "1.0");
    put_echo(wr, &w, "truncation", "\"disabled\"");
    put_usage(wr, &w);
    put_echo(wr, &w, "user", "null");
    put_echo(wr, &w, "metadata", "{}");
    json_end(&w);
}

/* -- what is kept */

/* Reasoning that was neither shown nor is of use to the provider is not kept. */
static bool is_kept(const struct rs_item *item)
{
    return item->closed && (item->shown || item->stated || item->own_state.len);
}

void response_writer_result(const void *writer, struct buf *ret_object, struct buf *ret_items)
{
    const struct rs_writer *wr = writer;
    bool first = true;
    rs_put_object(wr, ret_object);
    buf_putc(ret_items, '[');
    for (const struct rs_item *i = wr->items; i; i = i->next) {
        if (!is_kept(i))
            continue;
        if (!first)
            buf_putc(ret_items, ',');
        first = false;
        rs_put_item(wr, i, true, ret_items);
    }
    buf_putc(ret_items, ']');
}
