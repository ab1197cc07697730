/* What OpenAI checks of a chat request (reference: the API's own error messages, August 2026). */
#include "mock/reply.h"

static const char bad[] = "invalid_request_error";

static bool has(yyjson_val *object, const char *name)
{
    yyjson_val *v = yyjson_obj_get(object, name);
    return v && !yyjson_is_null(v);
}

static bool in_range(yyjson_val *object, const char *name, double least, double most)
{
    yyjson_val *v = yyjson_obj_get(object, name);
    return !v || yyjson_is_null(v) ||
           (yyjson_is_num(v) && yyjson_get_num(v) >= least && yyjson_get_num(v) <= most);
}

static bool numbers_ok(yyjson_val *rq, struct reply *rp)
{
    static const struct {
        const char *name;
        double least, most;
    } rows[] = {
        { "temperature", 0, 2 },
        { "top_p", 0, 1 },
        { "n", 1, 128 },
        { "top_logprobs", 0, 20 },
        { "frequency_penalty", -2, 2 },
        { "presence_penalty", -2, 2 },
        { "max_tokens", 1, 1e6 },
        { "max_completion_tokens", 1, 1e6 },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (!in_range(rq, rows[i].name, rows[i].least, rows[i].most)) {
            reply_error(rp, 400, bad, rows[i].name, "invalid_value",
                        "Invalid '%s': expected a number from %g to %g.", rows[i].name,
                        rows[i].least, rows[i].most);
            return false;
        }
    return true;
}

static bool content_ok(yyjson_val *message, struct str role)
{
    yyjson_val *content = yyjson_obj_get(message, "content");
    if (yyjson_is_str(content))
        return true;
    if (!has(message, "content"))
        return str_eq(role, STR("assistant")) &&
               (has(message, "tool_calls") || has(message, "function_call") ||
                has(message, "refusal"));
    if (yyjson_arr_size(content) == 0)
        return false;
    yyjson_arr_iter it = yyjson_arr_iter_with(content);
    for (yyjson_val *part; (part = yyjson_arr_iter_next(&it));) {
        struct str type = json_text(part, "type");
        if (type.len == 0 || (str_eq(role, STR("tool")) && !str_eq(type, STR("text"))))
            return false;
        if (str_eq(type, STR("image_url")) &&
            json_text(yyjson_obj_get(part, "image_url"), "url").len == 0)
            return false;
    }
    return true;
}

/* True if `calls` (of the assistant message before) has the id. */
static bool call_known(yyjson_val *calls, struct str id)
{
    yyjson_arr_iter it = yyjson_arr_iter_with(calls);
    for (yyjson_val *call; (call = yyjson_arr_iter_next(&it));)
        if (id.len > 0 && str_eq(json_text(call, "id"), id))
            return true;
    return false;
}

static bool message_ok(yyjson_val *message, uint64_t index, yyjson_val *calls, uint64_t open,
                       struct reply *rp)
{
    static const char *const roles[] = { "system",    "developer", "user",
                                         "assistant", "tool",      "function" };
    struct str role = json_text(message, "role");
    bool known = false;
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
        known |= str_eq(role, str_c(roles[i]));
    if (!known) {
        reply_error(rp, 400, bad, "messages", "invalid_value",
                    "Invalid value for messages[%llu].role.", (unsigned long long)index);
        return false;
    }
    if (!content_ok(message, role)) {
        reply_error(rp, 400, bad, "messages", NULL,
                    "Invalid value for 'content' of messages[%llu].", (unsigned long long)index);
        return false;
    }
    if (str_eq(role, STR("tool")) && !call_known(calls, json_text(message, "tool_call_id"))) {
        reply_error(
            rp, 400, bad, "messages", NULL,
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding "
            "message with 'tool_calls'.");
        return false;
    }
    if (open > 0 && !str_eq(role, STR("tool"))) {
        reply_error(
            rp, 400, bad, "messages", NULL,
            "An assistant message with 'tool_calls' must be followed by tool messages responding "
            "to each 'tool_call_id'.");
        return false;
    }
    return true;
}

static bool messages_ok(yyjson_val *messages, struct reply *rp)
{
    if (yyjson_arr_size(messages) == 0) {
        reply_error(
            rp, 400, bad, "messages", messages ? "empty_array" : "missing_required_parameter",
            messages ? "Invalid 'messages': empty array. Expected an array with minimum length 1."
                     : "Missing required parameter: 'messages'.");
        return false;
    }
    yyjson_val *calls = NULL;
    uint64_t open = 0, index = 0;
    yyjson_arr_iter it = yyjson_arr_iter_with(messages);
    for (yyjson_val *message; (message = yyjson_arr_iter_next(&it)); index++) {
        if (!message_ok(message, index, calls, open, rp))
            return false;
        if (yyjson_equals_str(yyjson_obj_get(message, "role"), "tool")) {
            open -= open > 0;
            continue;
        }
        calls = yyjson_obj_get(message, "tool_calls");
        open = yyjson_arr_size(calls);
    }
    if (open > 0)
        reply_error(
            rp, 400, bad, "messages", NULL,
            "An assistant message with 'tool_calls' must be followed by tool messages responding "
            "to each 'tool_call_id'.");
    return open == 0;
}

static bool tool_name_ok(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = ascii_lower(name.p[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'))
            return false;
    }
    return name.len > 0 && name.len <= 64;
}

static bool tools_ok(yyjson_val *rq, struct reply *rp)
{
    yyjson_val *tools = yyjson_obj_get(rq, "tools");
    yyjson_arr_iter it = yyjson_arr_iter_with(tools);
    for (yyjson_val *tool; (tool = yyjson_arr_iter_next(&it));) {
        struct str type = json_text(tool, "type");
        bool function = str_eq(type, STR("function"));
        yyjson_val *body = yyjson_obj_get(tool, function ? "function" : "custom");
        if ((!function && !str_eq(type, STR("custom"))) || !tool_name_ok(json_text(body, "name"))) {
            reply_error(rp, 400, bad, "tools", "invalid_value", "Invalid tool: its type or name.");
            return false;
        }
    }
    static const char *const need_tools[] = { "parallel_tool_calls", "tool_choice" };
    for (size_t i = 0; i < 2; i++)
        if (has(rq, need_tools[i]) && yyjson_arr_size(tools) == 0) {
            reply_error(rp, 400, bad, need_tools[i], NULL,
                        "Invalid value for '%s': '%s' is only allowed when 'tools' are specified.",
                        need_tools[i], need_tools[i]);
            return false;
        }
    return true;
}

static bool format_ok(struct request *rq, struct reply *rp)
{
    yyjson_val *format = yyjson_obj_get(rq->json, "response_format");
    struct str type = json_text(format, "type");
    if (str_eq(type, STR("json_object")) && str_find(rq->body, STR("JSON")) == STR_NONE &&
        str_find(rq->body, STR("json ")) == STR_NONE) {
        reply_error(
            rp, 400, bad, "messages", NULL,
            "'messages' must contain the word 'json' in some form, to use 'response_format' of "
            "type 'json_object'.");
        return false;
    }
    if (str_eq(type, STR("json_schema")) &&
        !tool_name_ok(json_text(yyjson_obj_get(format, "json_schema"), "name"))) {
        reply_error(rp, 400, bad, "response_format.json_schema.name", "missing_required_parameter",
                    "Missing required parameter: 'response_format.json_schema.name'.");
        return false;
    }
    return true;
}

bool openai_chat_ok(struct request *rq, struct reply *rp)
{
    if (!rq->json || rq->model.len == 0) {
        reply_error(rp, 400, bad, NULL, NULL, "you must provide a model parameter");
        return false;
    }
    if (has(rq->json, "stream_options") && !yyjson_get_bool(yyjson_obj_get(rq->json, "stream"))) {
        reply_error(rp, 400, bad, "stream_options", NULL,
                    "The 'stream_options' parameter is only allowed when 'stream' is enabled.");
        return false;
    }
    return messages_ok(yyjson_obj_get(rq->json, "messages"), rp) && numbers_ok(rq->json, rp) &&
           tools_ok(rq->json, rp) && format_ok(rq, rp);
}
