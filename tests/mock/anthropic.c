/* POST /messages, and Claude on Vertex AI: credentials, what the model says, whole answers. */
#include "mock/anthropic.h"

#include "base/mem.h"
#include "mock/calls.h"
#include "mock/schema.h"
#include "mock/sign.h"
#include "mock/words.h"

#include <stdarg.h>

#define DEFAULT_TOKENS 16

static const struct str thought = STR_INIT("Let me think about the river.");

/* -- errors */

bool claude_error(struct claude *c, int status, const char *type, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    reply_reset(c->rp);
    c->rp->content = true;
    c->rp->status = status;
    struct buf *b = &c->rp->body;
    reply_header(c->rp, "request-id",
                 arena_printf(c->rq->arena, "req_%08llu", (unsigned long long)c->rq->serial));
    buf_printf(b, "{\"type\":\"error\",\"error\":{\"type\":\"%s\",\"message\":", type);
    put_json(b, str_c(text));
    buf_printf(b, ",\"details\":null},\"request_id\":\"req_%08llu\"}",
               (unsigned long long)c->rq->serial);
    return false;
}

static const struct scripted {
    int status;
    const char *type, *message;
} errors[] = {
    { 400, "invalid_request_error", "The request is not valid." },
    { 401, "authentication_error", "invalid x-api-key" },
    { 402, "billing_error", "There is a problem with your payment." },
    { 403, "permission_error", "Your API key may not use this model." },
    { 404, "not_found_error", "model: claude-nowhere" },
    { 409, "conflict_error", "The resource is locked." },
    { 413, "request_too_large", "Request exceeds the maximum size" },
    { 429, "rate_limit_error", "This request would exceed your organization's rate limit." },
    { 500, "api_error", "Internal server error" },
    { 503, "overloaded_error", "Overloaded" },
    { 504, "timeout_error", "Request timed out" },
    { 529, "overloaded_error", "Overloaded" },
};

void anthropic_scripted(struct request *rq, struct reply *rp, int status, struct str more)
{
    struct claude c = { .rq = rq, .rp = rp };
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (errors[i].status == status) {
            claude_error(&c, status, errors[i].type, "%s%.*s", errors[i].message, STR_ARG(more));
            return;
        }
    claude_error(&c, status, "api_error", "Status %d, as the script asked.", status);
}

bool anthropic_refused(struct mock *m, struct request *rq, struct reply *rp)
{
    struct claude c = { .rq = rq, .rp = rp };
    struct str key = request_header(rq, STR("x-api-key"));
    rp->content = true;
    if (key.len == 0 || (m->key.len > 0 && !str_eq(m->key, key))) {
        claude_error(&c, 401, "authentication_error",
                     key.len ? "invalid x-api-key" : "x-api-key header is required");
        return true;
    }
    return script_refused(m, rq, rp, key, anthropic_scripted);
}

/* -- what is known of the conversation */

static bool is_type(yyjson_val *block, const char *type)
{
    return yyjson_equals_str(yyjson_obj_get(block, "type"), type);
}

static yyjson_val *last_content(const struct claude *c)
{
    return yyjson_obj_get(yyjson_arr_get_last(yyjson_obj_get(c->rq->json, "messages")), "content");
}

/* A tool that the client runs, from the end with `from_end`. */
static yyjson_val *own_tool(const struct claude *c, size_t nth, bool from_end)
{
    yyjson_val *tools = yyjson_obj_get(c->rq->json, "tools"), *own[64];
    size_t n = 0;
    yyjson_arr_iter it = yyjson_arr_iter_with(tools);
    for (yyjson_val *tool; (tool = yyjson_arr_iter_next(&it)) && n < 64;)
        if (yyjson_obj_get(tool, "input_schema"))
            own[n++] = tool;
    return n == 0 ? NULL : own[from_end ? n - 1 : nth % n];
}

static bool has_search(const struct claude *c)
{
    yyjson_arr_iter it = yyjson_arr_iter_with(yyjson_obj_get(c->rq->json, "tools"));
    for (yyjson_val *tool; (tool = yyjson_arr_iter_next(&it));)
        if (str_starts(json_text(tool, "type"), STR("web_search_")))
            return true;
    return false;
}

/* -- thinking */

static uint64_t limit_of(const struct claude *c)
{
    return yyjson_get_uint(yyjson_obj_get(c->rq->json, "max_tokens"));
}

static void add_call(struct claude *c, yyjson_val *tool, const struct script_call *scripted)
{
    struct claude_call *call = &c->calls[c->call_count++];
    call->name = json_text(tool, "name");
    call->input = schema_instance(yyjson_obj_get(tool, "input_schema"), c->rq->arena);
    if (scripted)
        call->input = calls_object(c->rq->arena, scripted, call->input);
    call->input = token_head(call->input, limit_of(c), &call->cut);
}

static yyjson_val *tool_named(const struct claude *c, struct str name)
{
    yyjson_arr_iter it = yyjson_arr_iter_with(yyjson_obj_get(c->rq->json, "tools"));
    for (yyjson_val *tool; (tool = yyjson_arr_iter_next(&it));)
        if (yyjson_obj_get(tool, "input_schema") && str_eq(json_text(tool, "name"), name))
            return tool;
    return NULL;
}

static bool known(void *ctx, struct str name)
{
    return tool_named(ctx, name) != NULL;
}

static void scripted_calls(struct claude *c)
{
    const struct script *s = &c->rq->script;
    size_t at = 0, from = 0;
    yyjson_arr_iter it = yyjson_arr_iter_with(yyjson_obj_get(c->rq->json, "messages"));
    for (yyjson_val *message; (message = yyjson_arr_iter_next(&it));) {
        yyjson_arr_iter blocks = yyjson_arr_iter_with(yyjson_obj_get(message, "content"));
        for (yyjson_val *block; (block = yyjson_arr_iter_next(&blocks));)
            if (is_type(block, "tool_use"))
                calls_seen(s, &at, json_text(block, "name"));
    }
    size_t n = calls_turn(s, at, known, c, &from);
    for (size_t i = 0; i < n && i < CLAUDE_CALLS_MAX; i++)
        add_call(c, tool_named(c, s->calls[from + i].name), &s->calls[from + i]);
}

static void think_calls(struct claude *c)
{
    yyjson_val *choice = yyjson_obj_get(c->rq->json, "tool_choice");
    struct str kind = json_text(choice, "type"), name = json_text(choice, "name");
    bool answered = is_type(yyjson_arr_get_first(last_content(c)), "tool_result"),
         any = str_eq(kind, STR("any"));
    bool one = yyjson_is_true(yyjson_obj_get(choice, "disable_parallel_tool_use"));
    uint64_t want = c->rq->script.tools && !one ? c->rq->script.tools : 1;
    if (str_eq(kind, STR("none")))
        return;
    if (c->rq->script.call_count > 0) {
        scripted_calls(c);
        return;
    }
    if (answered && !any && name.len == 0)
        return;
    for (uint64_t i = 0; i < want && i < CLAUDE_CALLS_MAX; i++) {
        yyjson_val *tool = own_tool(c, (size_t)i, any && answered);
        if (name.len > 0)
            tool = tool_named(c, name);
        if (tool)
            add_call(c, tool, NULL);
    }
}

/* "The tools answered: ..." where the last message holds results. */
static struct str results_text(struct claude *c)
{
    struct str text = STR("");
    yyjson_arr_iter it = yyjson_arr_iter_with(last_content(c));
    for (yyjson_val *block; (block = yyjson_arr_iter_next(&it));) {
        yyjson_val *content = yyjson_obj_get(block, "content"),
                   *first = yyjson_arr_get_first(content);
        if (!is_type(block, "tool_result"))
            continue;
        struct str one =
            yyjson_is_str(content) ? json_text(block, "content") : json_text(first, "text");
        text = arena_printf(c->rq->arena, "%.*s %.*s", STR_ARG(text), STR_ARG(one));
    }
    return text.len ? arena_printf(c->rq->arena, "The tools answered:%.*s", STR_ARG(text)) : text;
}

/* "I was sent image/png of 70 bytes, ..." where the last message holds media. */
static struct str media_text(struct claude *c)
{
    struct str text = STR("");
    yyjson_arr_iter it = yyjson_arr_iter_with(last_content(c));
    for (yyjson_val *block; (block = yyjson_arr_iter_next(&it));) {
        yyjson_val *source = yyjson_obj_get(block, "source");
        struct str data = json_text(source, "data"), kind = json_text(source, "media_type");
        size_t bytes = data.len;
        if (!source)
            continue;
        if (is_type(source, "base64"))
            bytes = data.len / 4 * 3 - str_ends(data, STR("=")) - str_ends(data, STR("=="));
        text = is_type(source, "url") ? arena_printf(c->rq->arena, "%.*s, a URL", STR_ARG(text))
                                      : arena_printf(c->rq->arena, "%.*s, %.*s of %zu bytes",
                                                     STR_ARG(text), STR_ARG(kind), bytes);
    }
    return text.len ? arena_printf(c->rq->arena, "I was sent %.*s.", STR_ARG(str_skip(text, 2)))
                    : text;
}

static struct str think_text(struct claude *c)
{
    const struct script *s = &c->rq->script;
    struct arena *a = c->rq->arena;
    yyjson_val *format = yyjson_obj_get(yyjson_obj_get(c->rq->json, "output_config"), "format");
    struct str results = results_text(c), media = media_text(c);
    if (s->text_is.len > 0)
        return script_words(s, a);
    if (s->echo_auth)
        return arena_printf(a, "Your credential is %.*s today.",
                            STR_ARG(request_header(c->rq, STR("x-api-key"))));
    if (s->tokens > 0)
        return words_make(a, s->tokens);
    if (format)
        return schema_instance(yyjson_obj_get(format, "schema"), a);
    if (s->citations && has_search(c))
        return STR("The river is low today.");
    return results.len ? results : media.len ? media : words_make(a, DEFAULT_TOKENS);
}

/* The text ends before the first stop sequence in it. */
static void stop_text(struct claude *c)
{
    yyjson_arr_iter it = yyjson_arr_iter_with(yyjson_obj_get(c->rq->json, "stop_sequences"));
    for (yyjson_val *one; (one = yyjson_arr_iter_next(&it));) {
        size_t at = str_find(c->text, str_c(yyjson_get_str(one)));
        if (at == STR_NONE)
            continue;
        c->text = str_head(c->text, at);
        c->stop_sequence = str_c(yyjson_get_str(one));
        c->stop_reason = "stop_sequence";
    }
}

static void think(struct claude *c)
{
    bool cut = false;
    yyjson_val *choice = yyjson_obj_get(c->rq->json, "tool_choice");
    bool forced = is_type(choice, "any") || is_type(choice, "tool");
    c->stop_reason = "end_turn";
    if (c->rq->script.refusal) {
        c->thinking = CLAUDE_NO;
        c->stop_reason = "refusal";
        return;
    }
    if (c->thinking != CLAUDE_NO && !forced) {
        c->thinking_tokens = token_count(thought);
        c->thought = c->shown ? thought : STR("");
    } else {
        c->thinking = CLAUDE_NO;
    }
    think_calls(c);
    if (c->call_count > 0) {
        c->stop_reason = "tool_use";
        for (size_t i = 0; i < c->call_count; i++)
            cut |= c->calls[i].cut;
    } else {
        c->text = think_text(c);
        c->searched = c->rq->script.citations && has_search(c);
        stop_text(c);
        c->text = token_head(c->text, limit_of(c), &cut);
    }
    if (cut)
        c->stop_reason = "max_tokens";
}

static uint64_t prompt_of(const struct claude *c)
{
    return prompt_tokens_of(yyjson_obj_get(c->rq->json, "messages")) +
           prompt_tokens_of(yyjson_obj_get(c->rq->json, "system")) +
           prompt_tokens_of(yyjson_obj_get(c->rq->json, "tools"));
}

static bool count(struct claude *c)
{
    uint64_t tokens = token_count(c->text) + c->thinking_tokens, prompt = prompt_of(c);
    for (size_t i = 0; i < c->call_count; i++)
        tokens += 4 + token_count(c->calls[i].input);
    if (prompt > c->model->context)
        return claude_bad(c, "prompt is too long: %llu tokens > %llu maximum",
                          (unsigned long long)prompt, (unsigned long long)c->model->context);
    c->rp->completion_tokens = tokens;
    c->rp->prompt_tokens =
        prompt + c->rq->script.cached; /* beyond what was sent: it came from elsewhere */
    return true;
}

struct str claude_signature(const struct claude *c)
{
    return sign_make(c->rq->arena, c->rq->model, c->thought);
}

struct str claude_redacted(const struct claude *c)
{
    return sign_make(c->rq->arena, c->rq->model, STR("redacted"));
}

/* -- writing: what whole answers and streams share */

void claude_usage(const struct claude *c, uint64_t output)
{
    const struct script *s = &c->rq->script;
    buf_printf(
        &c->rp->body,
        "{\"input_tokens\":%llu,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":%llu,"
        "\"cache_creation\":{\"ephemeral_5m_input_tokens\":0,\"ephemeral_1h_input_tokens\":0},"
        "\"output_tokens\":%llu,\"output_tokens_details\":{\"thinking_tokens\":%llu},"
        "\"server_tool_use\":%s,\"service_tier\":\"standard\",\"inference_geo\":\"global\",\"speed\":null}",
        (unsigned long long)(c->rp->prompt_tokens - s->cached), (unsigned long long)s->cached,
        (unsigned long long)output,
        (unsigned long long)(c->thinking_tokens < output ? c->thinking_tokens : 0),
        c->searched ? "{\"web_search_requests\":1,\"web_fetch_requests\":0}" : "null");
}

void claude_message_head(const struct claude *c)
{
    struct buf *b = &c->rp->body;
    buf_printf(b,
               "{\"id\":\"msg_mock%08llu\",\"type\":\"message\",\"role\":\"assistant\",\"model\":",
               (unsigned long long)c->rq->serial);
    put_json(b, arena_printf(c->rq->arena, "%.*s-20260801", STR_ARG(str_head(c->rq->model, 1024))));
    buf_putz(b, ",\"container\":null,\"diagnostics\":null,");
}

void claude_call_id(const struct claude *c, size_t index)
{
    buf_printf(&c->rp->body, "\"toolu_%llu_%zu\"", (unsigned long long)c->rq->serial, index);
}

/* -- whole */

static void begin_block(struct claude *c, bool *first, const char *type)
{
    buf_printf(&c->rp->body, "%s{\"type\":\"%s\"", *first ? "" : ",", type);
    *first = false;
}

static void put_member(struct claude *c, const char *name, struct str text)
{
    buf_printf(&c->rp->body, ",\"%s\":", name);
    put_json(&c->rp->body, text);
}

static void put_search(struct claude *c, bool *first)
{
    begin_block(c, first, "server_tool_use");
    buf_putz(&c->rp->body,
             ",\"id\":\"srvtoolu_1\",\"name\":\"web_search\",\"input\":{\"query\":\"river\"}}");
    begin_block(c, first, "web_search_tool_result");
    buf_putz(&c->rp->body,
             ",\"tool_use_id\":\"srvtoolu_1\",\"content\":[{\"type\":\"web_search_result\",\"url\":"
             "\"https://example.com/river\",\"title\":\"The river\",\"encrypted_content\":\"eA==\","
             "\"page_age\":null}]}");
}

static void put_blocks(struct claude *c)
{
    bool first = true;
    if (c->thinking != CLAUDE_NO) {
        begin_block(c, &first, "thinking");
        put_member(c, "thinking", c->thought);
        put_member(c, "signature", claude_signature(c));
        buf_putc(&c->rp->body, '}');
        if (c->rq->script.redacted) {
            begin_block(c, &first, "redacted_thinking");
            put_member(c, "data", claude_redacted(c));
            buf_putc(&c->rp->body, '}');
        }
    }
    if (c->searched)
        put_search(c, &first);
    if (c->text.len > 0) {
        begin_block(c, &first, "text");
        put_member(c, "text", c->text);
        buf_printf(&c->rp->body, ",\"citations\":%s}",
                   c->searched ? "[" CLAUDE_CITATION "]" : "null");
    }
    for (size_t i = 0; i < c->call_count; i++) {
        begin_block(c, &first, "tool_use");
        buf_putz(&c->rp->body, ",\"id\":");
        claude_call_id(c, i);
        put_member(c, "name", c->calls[i].name);
        buf_putz(&c->rp->body, ",\"input\":");
        buf_put(&c->rp->body, c->calls[i].cut ? STR("{}") : c->calls[i].input);
        buf_putz(&c->rp->body, ",\"caller\":{\"type\":\"direct\"}}");
    }
}

static void put_whole(struct claude *c)
{
    struct buf *b = &c->rp->body;
    claude_message_head(c);
    buf_putz(b, "\"content\":[");
    put_blocks(c);
    buf_printf(b, "],\"stop_reason\":\"%s\",\"stop_sequence\":", c->stop_reason);
    c->stop_sequence.len ? put_json(b, c->stop_sequence) : buf_putz(b, "null");
    buf_printf(b, ",\"stop_details\":%s", c->rq->script.refusal ? CLAUDE_REFUSED : "null");
    if (!str_eq(c->rq->script.usage, STR("none"))) {
        buf_putz(b, ",\"usage\":");
        claude_usage(c, c->rp->completion_tokens);
    }
    buf_putz(b, "}");
}

static void answer(struct request *rq, struct reply *rp, bool vertex)
{
    struct claude c = { .rq = rq, .rp = rp, .vertex = vertex };
    if (rq->script.events > 0)
        rq->script.tokens = rq->script.events;
    if (!claude_request_ok(&c))
        return;
    think(&c);
    if (!count(&c))
        return;
    reply_header(rp, "request-id",
                 arena_printf(rq->arena, "req_%08llu", (unsigned long long)rq->serial));
    reply_header(rp, "anthropic-ratelimit-requests-remaining", STR("499"));
    if (yyjson_get_bool(yyjson_obj_get(rq->json, "stream")))
        claude_stream(&c);
    else
        put_whole(&c);
}

void anthropic_messages(struct mock *m, struct request *rq, struct reply *rp)
{
    answer(rq, rp, false);
}

/* On Vertex AI the path says whether the answer is a stream, and the body says so too. */
static void predict(struct request *rq, struct reply *rp, bool stream)
{
    struct claude c = { .rq = rq, .rp = rp };
    if (yyjson_get_bool(yyjson_obj_get(rq->json, "stream")) != stream)
        claude_bad(&c, "stream: does not go together with the method in the path");
    else
        answer(rq, rp, true);
}

void anthropic_raw_predict(struct mock *m, struct request *rq, struct reply *rp)
{
    predict(rq, rp, false);
}

void anthropic_stream_raw_predict(struct mock *m, struct request *rq, struct reply *rp)
{
    predict(rq, rp, true);
}

/* What the prompt of the same request would be; nobody pays for it. */
static void count_tokens(struct request *rq, struct reply *rp, bool vertex)
{
    struct claude c = { .rq = rq, .rp = rp, .vertex = vertex, .count = true };
    rp->content = false;
    if (claude_request_ok(&c))
        buf_printf(&rp->body, "{\"input_tokens\":%llu}",
                   (unsigned long long)(prompt_of(&c) + rq->script.cached));
}

void anthropic_count(struct mock *m, struct request *rq, struct reply *rp)
{
    count_tokens(rq, rp, false);
}

void anthropic_vertex_count(struct mock *m, struct request *rq, struct reply *rp)
{
    count_tokens(rq, rp, true);
}
