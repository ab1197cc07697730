/* What the Messages API checks of messages: roles, blocks, tool calls and their results, reasoning that comes back. */
#include "mock/anthropic.h"
#include "mock/sign.h"

#define IDS_MAX 256

enum { IN_USER = 1, IN_ASSISTANT = 2, IN_SYSTEM = 4, IN_RESULT = 8 };

static const struct block {
    const char *type;
    unsigned where;
    const char *names[10];
} blocks[] = {
    { "text",
      IN_USER | IN_ASSISTANT | IN_SYSTEM | IN_RESULT,
      { "type", "text", "citations", "cache_control" } },
    { "image", IN_USER | IN_RESULT, { "type", "source", "cache_control" } },
    { "document",
      IN_USER | IN_RESULT,
      { "type", "source", "title", "context", "citations", "cache_control" } },
    { "tool_use", IN_ASSISTANT, { "type", "id", "name", "input", "caller", "cache_control" } },
    { "tool_result", IN_USER, { "type", "tool_use_id", "content", "is_error", "cache_control" } },
    { "thinking", IN_ASSISTANT, { "type", "thinking", "signature" } },
    { "redacted_thinking", IN_ASSISTANT, { "type", "data" } },
    { "server_tool_use",
      IN_ASSISTANT,
      { "type", "id", "name", "input", "caller", "cache_control" } },
    { "web_search_tool_result",
      IN_ASSISTANT,
      { "type", "tool_use_id", "content", "caller", "cache_control" } },
};

struct turns {
    struct claude *c;
    struct str ids[IDS_MAX];    /* of all calls so far */
    size_t id_count, open_from; /* the calls from open_from on wait for their results */
    bool any_tools;
    unsigned last; /* role of the message before */
};

bool claude_is_blank(struct str text)
{
    return str_trim(text).len == 0;
}

static const char *path(struct turns *t, size_t message, size_t block)
{
    return arena_printf(t->c->rq->arena, "messages.%zu.content.%zu", message, block).p;
}

/* -- media */

static bool base64_ok(struct str data)
{
    size_t n = data.len;
    while (n > 0 && data.len - n < 2 && data.p[n - 1] == '=')
        n--;
    for (size_t i = 0; i < n; i++) {
        char ch = ascii_lower(data.p[i]);
        if (!((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '+' || ch == '/'))
            return false;
    }
    return n > 0 && data.len % 4 == 0;
}

static bool begins_as(struct str data, struct str kind)
{
    static const struct {
        struct str kind, begin;
    } rows[] = { { STR_INIT("image/png"), STR_INIT("iVBORw0KGgo") },
                 { STR_INIT("image/jpeg"), STR_INIT("/9j/") },
                 { STR_INIT("image/gif"), STR_INIT("R0lGOD") },
                 { STR_INIT("image/webp"), STR_INIT("UklGR") },
                 { STR_INIT("application/pdf"), STR_INIT("JVBERi") } };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (str_eq(rows[i].kind, kind))
            return str_starts(data, rows[i].begin);
    return false;
}

static bool source_ok(struct turns *t, yyjson_val *block, const char *at)
{
    static const char *const with_data[] = { "type", "media_type", "data", NULL };
    static const char *const with_url[] = { "type", "url", NULL };
    yyjson_val *source = yyjson_obj_get(block, "source");
    struct str type = json_text(source, "type"), kind = json_text(source, "media_type");
    struct str data = json_text(source, "data"), url = json_text(source, "url");
    bool image = yyjson_equals_str(yyjson_obj_get(block, "type"), "image");
    bool is_url = str_eq(type, STR("url")), is_text = str_eq(type, STR("text"));
    const char *extra = claude_extra(source, is_url ? with_url : with_data);
    if (extra)
        return claude_bad(t->c, "%s.source.%s: Extra inputs are not permitted", at, extra);
    if (is_url && (t->c->vertex || !str_starts(url, STR("https://"))))
        return claude_bad(
            t->c, "%s.source: URL sources are not supported, or the URL is no https one", at);
    if (is_url)
        return true;
    if (is_text && !image)
        return (str_eq(kind, STR("text/plain")) && !claude_is_blank(data)) ||
               claude_bad(t->c, "%s.source: Input should be 'text/plain' and non-empty", at);
    if (!str_eq(type, STR("base64")) || !base64_ok(data))
        return claude_bad(t->c, "%s.source.base64.data: invalid base64 data", at);
    if (image == str_eq(kind, STR("application/pdf")) || !begins_as(data, kind))
        return claude_bad(t->c, "%s.source.base64.data: it is not of the media type %.*s", at,
                          STR_ARG(kind));
    return true;
}

/* -- blocks */

static bool text_ok(struct turns *t, struct str text, const char *at)
{
    if (text.len == 0)
        return claude_bad(t->c, "%s: text content blocks must be non-empty", at);
    if (claude_is_blank(text))
        return claude_bad(t->c, "%s: text content blocks must contain non-whitespace text", at);
    return true;
}

static bool content_ok(struct turns *t, yyjson_val *content, unsigned where, size_t message);

static bool id_ok(struct str id)
{
    for (size_t i = 0; i < id.len; i++) {
        char ch = ascii_lower(id.p[i]);
        if (!((ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '_' || ch == '-'))
            return false;
    }
    return id.len > 0;
}

static bool call_ok(struct turns *t, yyjson_val *block, const char *at)
{
    struct str id = json_text(block, "id"), name = json_text(block, "name");
    if (!id_ok(id))
        return claude_bad(t->c, "%s.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'",
                          at);
    if (name.len == 0 || name.len > 64)
        return claude_bad(t->c, "%s.tool_use.name: String should have 1 to 64 characters", at);
    if (!yyjson_is_obj(yyjson_obj_get(block, "input")))
        return claude_bad(t->c, "%s.tool_use.input: Input should be a valid dictionary", at);
    for (size_t i = 0; i < t->id_count; i++)
        if (str_eq(t->ids[i], id))
            return claude_bad(t->c, "messages: `tool_use` ids must be unique");
    if (t->id_count == IDS_MAX)
        return claude_bad(t->c, "messages: too many tool calls for this simulator");
    t->ids[t->id_count++] = id;
    return true;
}

static bool thinking_ok(struct turns *t, yyjson_val *block, const char *at)
{
    struct arena *a = t->c->rq->arena;
    struct str text = json_text(block, "thinking"), signature = json_text(block, "signature");
    if (!yyjson_is_str(yyjson_obj_get(block, "thinking")) || signature.len == 0)
        return claude_bad(t->c, "%s.thinking.signature: Field required", at);
    if (!sign_ok(a, t->c->rq->model, text, signature))
        return claude_bad(t->c, "%s: Invalid `signature` in `thinking` block", at);
    return true;
}

static bool block_ok(struct turns *t, yyjson_val *block, unsigned where, const char *at,
                     size_t message)
{
    struct str type = json_text(block, "type");
    const struct block *kind = NULL;
    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++)
        if (str_eq(str_c(blocks[i].type), type))
            kind = &blocks[i];
    if (!kind || !(kind->where & where))
        return claude_bad(t->c, "%s: Input tag '%.*s' does not match any of the expected tags", at,
                          STR_ARG(type));
    const char *extra = claude_extra(block, kind->names);
    if (extra)
        return claude_bad(t->c, "%s.%s.%s: Extra inputs are not permitted", at, kind->type, extra);
    if (str_eq(type, STR("text")))
        return text_ok(t, json_text(block, "text"), at);
    if (str_eq(type, STR("image")) || str_eq(type, STR("document")))
        return source_ok(t, block, at);
    if (str_eq(type, STR("tool_use")))
        return call_ok(t, block, at);
    if (str_eq(type, STR("thinking")))
        return thinking_ok(t, block, at);
    if (str_eq(type, STR("redacted_thinking")))
        return str_eq(json_text(block, "data"), claude_redacted(t->c)) ||
               claude_bad(t->c, "%s: Invalid `data` in `redacted_thinking` block", at);
    if (str_eq(type, STR("tool_result")) && yyjson_obj_get(block, "content"))
        return content_ok(t, yyjson_obj_get(block, "content"), IN_RESULT, message);
    return true;
}

static bool content_ok(struct turns *t, yyjson_val *content, unsigned where, size_t message)
{
    size_t n = yyjson_arr_size(content);
    if (yyjson_is_str(content))
        return where == IN_RESULT ||
               text_ok(t, str_c(yyjson_get_str(content)), path(t, message, 0));
    if (!yyjson_is_arr(content) || (n == 0 && where != IN_RESULT))
        return claude_bad(t->c, "messages.%zu: all messages must have non-empty content", message);
    for (size_t i = 0; i < n; i++)
        if (!block_ok(t, yyjson_arr_get(content, i), where, path(t, message, i), message))
            return false;
    return true;
}

/* -- calls and results */

static bool is_type(yyjson_val *block, const char *type)
{
    return yyjson_equals_str(yyjson_obj_get(block, "type"), type);
}

/* The message after calls: all their results, and before anything else. */
static bool results_ok(struct turns *t, yyjson_val *content, size_t message)
{
    size_t results = 0, n = yyjson_arr_size(content);
    for (size_t i = 0; i < n; i++) {
        yyjson_val *block = yyjson_arr_get(content, i);
        if (!is_type(block, "tool_result"))
            continue;
        struct str id = json_text(block, "tool_use_id");
        size_t found = t->open_from;
        while (found < t->id_count && !str_eq(t->ids[found], id))
            found++;
        for (size_t k = 0; k < i; k++)
            if (str_eq(json_text(yyjson_arr_get(content, k), "tool_use_id"), id))
                return claude_bad(t->c, "messages.%zu: each tool_use must have a single result",
                                  message);
        if (found == t->id_count)
            return claude_bad(
                t->c,
                "messages.%zu.content.%zu: unexpected `tool_use_id` found in `tool_result` blocks: %.*s",
                message, i, STR_ARG(id));
        if (results++ != i)
            return claude_bad(
                t->c, "messages.%zu: `tool_result` blocks must come before other content", message);
        t->any_tools = true;
    }
    if (results < t->id_count - t->open_from)
        return claude_bad(
            t->c,
            "messages.%zu: `tool_use` ids were found without `tool_result` blocks immediately after: %.*s",
            message, STR_ARG(t->ids[t->open_from + results]));
    t->open_from = t->id_count;
    return true;
}

/* An assistant message with reasoning begins with it; one that called tools does so too where thinking is manual and
 * the loop goes on. */
static bool first_block_ok(struct turns *t, yyjson_val *content, size_t message, size_t count)
{
    bool thinks = false, calls = false;
    yyjson_val *first = yyjson_arr_get_first(content);
    yyjson_arr_iter it = yyjson_arr_iter_with(content);
    for (yyjson_val *block; (block = yyjson_arr_iter_next(&it));) {
        thinks |= is_type(block, "thinking") || is_type(block, "redacted_thinking");
        calls |= is_type(block, "tool_use");
    }
    if (is_type(first, "thinking") || is_type(first, "redacted_thinking"))
        return true;
    if (thinks)
        return claude_bad(
            t->c,
            "messages.%zu.content.0.type: If an assistant message contains any thinking blocks, the first "
            "block must be `thinking` or `redacted_thinking`.",
            message);
    if (calls && t->c->thinking == CLAUDE_MANUAL && message + 2 == count)
        return claude_bad(
            t->c,
            "messages.%zu.content.0.type: Expected `thinking` or `redacted_thinking`, but found "
            "`tool_use`. When `thinking` is enabled, a final `assistant` message must start with a "
            "thinking block.",
            message);
    t->any_tools |= calls;
    return true;
}

/* -- messages */

static bool message_ok(struct turns *t, yyjson_val *message, size_t i, size_t count)
{
    static const char *const names[] = { "role", "content", NULL };
    yyjson_val *content = yyjson_obj_get(message, "content");
    struct str role = json_text(message, "role");
    unsigned where = str_eq(role, STR("user"))        ? IN_USER
                     : str_eq(role, STR("assistant")) ? IN_ASSISTANT
                     : str_eq(role, STR("system"))    ? IN_SYSTEM
                                                      : 0;
    const char *extra = claude_extra(message, names);
    if (!where || extra)
        return claude_bad(t->c, "messages.%zu.%s: is not permitted", i, extra ? extra : "role");
    if (i == 0 && where != IN_USER)
        return claude_bad(t->c, "messages: first message must use the \"user\" role");
    if (where == IN_SYSTEM && (!t->c->model->system || t->last != IN_USER))
        return claude_bad(t->c,
                          "messages.%zu: role 'system' is not supported here, or by this model", i);
    if (t->last == IN_SYSTEM && where == IN_USER)
        return claude_bad(
            t->c, "messages.%zu: a system message must be last or be followed by the assistant", i);
    if (t->open_from < t->id_count && where != IN_USER && where != IN_ASSISTANT)
        return claude_bad(
            t->c, "messages.%zu: `tool_use` ids were found without `tool_result` blocks", i);
    if (!content_ok(t, content, where, i))
        return false;
    t->last = where;
    if (where == IN_USER)
        return results_ok(t, content, i);
    return where != IN_ASSISTANT || first_block_ok(t, content, i, count);
}

static bool end_ok(struct turns *t, yyjson_val *last)
{
    struct claude *c = t->c;
    struct str text = json_text(last, "content");
    yyjson_val *block = yyjson_arr_get_last(yyjson_obj_get(last, "content"));
    if (text.len == 0)
        text = json_text(block, "text");
    if (t->open_from < t->id_count)
        return claude_bad(
            c,
            "messages: `tool_use` ids were found without `tool_result` blocks immediately after: %.*s",
            STR_ARG(t->ids[t->open_from]));
    if (t->any_tools && !yyjson_obj_get(c->rq->json, "tools"))
        return claude_bad(
            c, "Requests which include `tool_use` or `tool_result` blocks must define tools");
    if (t->last != IN_ASSISTANT)
        return true;
    if (!c->model->prefill || c->thinking != CLAUDE_NO)
        return claude_bad(
            c,
            "This model does not support assistant message prefill. The conversation must end with a "
            "user message.");
    if (text.len > 0 && str_trim(text).p + str_trim(text).len != text.p + text.len)
        return claude_bad(c,
                          "messages: final assistant content cannot end with trailing whitespace");
    return true;
}

bool claude_messages_ok(struct claude *c)
{
    struct turns t = { .c = c };
    yyjson_val *messages = yyjson_obj_get(c->rq->json, "messages"),
               *system = yyjson_obj_get(c->rq->json, "system");
    size_t n = yyjson_arr_size(messages);
    if (n == 0)
        return claude_bad(c, "messages: at least one message is required");
    if (system && !content_ok(&t, system, IN_SYSTEM, 0))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!message_ok(&t, yyjson_arr_get(messages, i), i, n))
            return false;
    return end_ok(&t, yyjson_arr_get_last(messages));
}
