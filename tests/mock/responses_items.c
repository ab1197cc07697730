/* Input of the Responses API, each item by itself: its type, members, id, and the parts of its content. */
#include "mock/google.h"
#include "mock/responses.h"

#define CALL_ID_MAX 64

static const struct item {
    const char *type, *required, *optional, *prefix; /* prefix: of its id; NULL: any */
} items[] = {
    { "function_call", "call_id name arguments", "id namespace caller status", "fc" },
    { "function_call_output", "call_id output", "id status name namespace caller", NULL },
    { "custom_tool_call", "call_id name input", "id namespace caller status", "ctc" },
    { "custom_tool_call_output", "call_id output", "id caller status name", NULL },
    { "reasoning", "summary", "id content encrypted_content status", "rs" },
    { "item_reference", "id", "", NULL },
    { "compaction", "encrypted_content", "id created_by", "cmp" },
    { "compaction_trigger", "", "", NULL },
    { "file_search_call", "id queries", "status results", "fs" },
    { "web_search_call", "", "id status action results", "ws" },
    { "computer_call", "id call_id", "action actions pending_safety_checks status", "cu" },
    { "computer_call_output", "call_id output", "id acknowledged_safety_checks status", NULL },
    { "code_interpreter_call", "id container_id", "status code outputs", "ci" },
    { "image_generation_call", "id", "status result", "ig" },
    { "local_shell_call", "call_id action", "id status", "lsh" },
    { "local_shell_call_output", "output", "id call_id status", NULL },
    { "shell_call", "call_id action", "id environment status caller", "sh" },
    { "shell_call_output", "call_id output", "id max_output_length status caller", NULL },
    { "apply_patch_call", "call_id operation", "id status caller", "apc" },
    { "apply_patch_call_output", "call_id status", "id output caller", NULL },
    { "mcp_list_tools", "id server_label tools", "error", "mcpl" },
    { "mcp_approval_request", "id server_label name arguments", "", "mcpr" },
    { "mcp_approval_response", "approval_request_id approve", "id reason", NULL },
    { "mcp_call", "id server_label name arguments", "output error status approval_request_id",
      "mcp" },
    { "tool_search_call", "arguments", "id call_id execution status", NULL },
    { "tool_search_output", "tools", "id call_id execution status", NULL },
    { "additional_tools", "role tools", "id", NULL },
};

enum { OF_USER = 1, OF_SYSTEM = 2, OF_ASSISTANT = 4, OF_OUTPUT = 8 };

static const struct part {
    const char *type, *members;
    unsigned where;
} parts[] = {
    { "input_text", "type text prompt_cache_breakpoint", OF_USER | OF_SYSTEM | OF_OUTPUT },
    { "input_image", "type image_url file_id detail prompt_cache_breakpoint", OF_USER | OF_OUTPUT },
    { "input_file", "type file_id file_data file_url filename detail prompt_cache_breakpoint",
      OF_USER | OF_OUTPUT },
    { "output_text", "type text annotations logprobs", OF_ASSISTANT },
    { "refusal", "type refusal", OF_ASSISTANT },
};

static struct str under(const struct rsp *r, struct str where, const char *name)
{
    return rsp_path(r, "%.*s.%s", STR_ARG(where), name);
}

static bool wrong_type(struct rsp *r, struct str at, const char *wanted)
{
    return rsp_bad(r, at, "invalid_type", "Invalid type for '%.*s': expected %s.", STR_ARG(at),
                   wanted);
}

static bool id_ok(struct rsp *r, yyjson_val *object, const char *prefix, struct str where)
{
    yyjson_val *v = yyjson_obj_get(object, "id");
    struct str id = json_text(object, "id"), at = under(r, where, "id");
    if (!v || yyjson_is_null(v))
        return true;
    if (!yyjson_is_str(v))
        return wrong_type(r, at, "a string");
    struct str rest = id;
    if (prefix && (!str_eq(str_cut(&rest, '_'), str_c(prefix)) || rest.len == 0))
        return rsp_bad(r, at, "invalid_value",
                       "Invalid '%.*s': '%.*s'. Expected an ID that begins with '%s'.", STR_ARG(at),
                       STR_ARG(str_head(id, 64)), prefix);
    return id.len <= CALL_ID_MAX ||
           rsp_bad(r, at, "string_above_max_length",
                   "Invalid '%.*s': string too long. Expected a string with maximum length 64, but "
                   "got a string with length %zu instead.",
                   STR_ARG(at), id.len);
}

static bool status_ok(struct rsp *r, yyjson_val *object, struct str where)
{
    struct str status = json_text(object, "status");
    if (!rsp_has(object, "status") ||
        rsp_word_in("in_progress completed incomplete searching failed generating calling", status))
        return true;
    return rsp_bad(r, under(r, where, "status"), "invalid_value",
                   "Invalid value: '%.*s'. Supported values are: 'in_progress', 'completed', and "
                   "'incomplete'.",
                   STR_ARG(status));
}

/* -- content parts */

/* "data:<kind>;base64,<bytes>" with a kind that begins so. */
static bool data_url_ok(struct rsp *r, struct str url, struct str kind)
{
    struct str bytes;
    size_t at = str_find(url, STR(";base64,"));
    return str_starts(url, STR("data:")) && at != STR_NONE && str_starts(str_skip(url, 5), kind) &&
           base64_read(str_skip(url, at + 8), r->rq->arena, &bytes) && bytes.len > 0;
}

static bool image_ok(struct rsp *r, yyjson_val *part, struct str where)
{
    yyjson_val *v = yyjson_obj_get(part, "image_url");
    struct str url = json_text(part, "image_url"), at = under(r, where, "image_url");
    struct str detail = json_text(part, "detail");
    if (v && !yyjson_is_null(v) && !yyjson_is_str(v))
        return rsp_bad(r, at, "invalid_type",
                       "Invalid type for '%.*s': expected an image URL, but got an object instead.",
                       STR_ARG(at));
    if (rsp_has(part, "detail") && !rsp_word_in("low high auto original", detail))
        return rsp_bad(r, under(r, where, "detail"), "invalid_value",
                       "Invalid value: '%.*s'. Supported values are: 'low', 'high', 'auto', and "
                       "'original'.",
                       STR_ARG(detail));
    if (url.len == 0 && !rsp_has(part, "file_id"))
        return rsp_bad(r, where, "missing_required_parameter",
                       "Missing required parameter: '%.*s'.", STR_ARG(at));
    if (str_starts(url, STR("http://")) || str_starts(url, STR("https://")) || url.len == 0 ||
        data_url_ok(r, url, STR("image/png")) || data_url_ok(r, url, STR("image/jpeg")) ||
        data_url_ok(r, url, STR("image/gif")) || data_url_ok(r, url, STR("image/webp")))
        return true;
    return rsp_bad(r, at, "invalid_value",
                   "Invalid '%.*s'. Expected a base64-encoded data URL with an image MIME type "
                   "(e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU='), but got a value without "
                   "the 'data:' prefix, or an unsupported MIME type.",
                   STR_ARG(at));
}

static bool file_ok(struct rsp *r, yyjson_val *part, struct str where)
{
    static const char *const sources[] = { "file_id", "file_data", "file_url" };
    struct str data = json_text(part, "file_data"), bytes;
    size_t given = 0;
    for (size_t i = 0; i < 3; i++)
        given += rsp_has(part, sources[i]);
    if (given == 0)
        return rsp_missing(r, under(r, where, "file_id"));
    if (given > 1)
        return rsp_bad(r, where, "mutually_exclusive_parameters",
                       "Mutually exclusive parameters: '%.*s'. Ensure you are only providing one "
                       "of: 'file_id', 'file_data', or 'file_url'.",
                       STR_ARG(where));
    if (rsp_has(part, "file_data") && json_text(part, "filename").len == 0)
        return rsp_missing(r, under(r, where, "filename"));
    if (!rsp_has(part, "file_data") || data_url_ok(r, data, STR("")) ||
        (data.len > 0 && base64_read(data, r->rq->arena, &bytes)))
        return true;
    return rsp_bad(r, under(r, where, "file_data"), "invalid_value",
                   "Invalid '%.*s.file_data'. Expected a base64-encoded data URL with a MIME type.",
                   STR_ARG(where));
}

static bool part_ok(struct rsp *r, yyjson_val *part, unsigned role, struct str where)
{
    struct str type = json_text(part, "type");
    const struct part *p = NULL;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (str_eq(str_c(parts[i].type), type))
            p = &parts[i];
    if (!yyjson_is_obj(part))
        return wrong_type(r, where, "an object");
    if (type.len == 0)
        return rsp_missing(r, under(r, where, "type"));
    if (!p || !(p->where & role))
        return rsp_bad(r, where, "invalid_value",
                       "Invalid value: '%.*s'. Supported values are: %s.", STR_ARG(type),
                       role == OF_ASSISTANT ? "'output_text' and 'refusal'"
                                            : "'input_text', 'input_image', and 'input_file'");
    if (!rsp_members_ok(r, part, p->members, where))
        return false;
    if (str_eq(type, STR("input_image")))
        return image_ok(r, part, where);
    if (str_eq(type, STR("input_file")))
        return file_ok(r, part, where);
    const char *text = str_eq(type, STR("refusal")) ? "refusal" : "text";
    if (!yyjson_obj_get(part, text))
        return rsp_missing(r, under(r, where, text));
    return yyjson_is_str(yyjson_obj_get(part, text)) ||
           wrong_type(r, under(r, where, text), "a string");
}

static bool content_ok(struct rsp *r, yyjson_val *content, unsigned role, struct str where)
{
    if (yyjson_is_str(content))
        return true;
    if (!yyjson_is_arr(content))
        return wrong_type(r, where, "one of an array of objects or string");
    for (size_t i = 0; i < yyjson_arr_size(content); i++)
        if (!part_ok(r, yyjson_arr_get(content, i), role,
                     rsp_path(r, "%.*s[%zu]", STR_ARG(where), i)))
            return false;
    return true;
}

/* -- items */

static bool message_ok(struct rsp *r, yyjson_val *item, struct str where)
{
    struct str role = json_text(item, "role"), phase = json_text(item, "phase");
    unsigned of = str_eq(role, STR("user"))               ? OF_USER
                  : rsp_word_in("system developer", role) ? OF_SYSTEM
                  : str_eq(role, STR("assistant"))        ? OF_ASSISTANT
                                                          : 0;
    if (!rsp_has(item, "role"))
        return rsp_missing(r, under(r, where, "role"));
    if (!of)
        return rsp_bad(r, under(r, where, "role"), "invalid_value",
                       "Invalid value: '%.*s'. Supported values are: 'assistant', 'system', "
                       "'developer', and 'user'.",
                       STR_ARG(role));
    if (!rsp_members_ok(r, item,
                        of == OF_ASSISTANT ? "type role content id status phase"
                                           : "type role content id status",
                        where))
        return false;
    if (!yyjson_obj_get(item, "content"))
        return rsp_missing(r, under(r, where, "content"));
    if (rsp_has(item, "phase") && !rsp_word_in("commentary final_answer", phase))
        return rsp_bad(r, under(r, where, "phase"), "invalid_value",
                       "Invalid value: '%.*s'. Supported values are: 'commentary' and "
                       "'final_answer'.",
                       STR_ARG(phase));
    return id_ok(r, item, "msg", where) && status_ok(r, item, where) &&
           content_ok(r, yyjson_obj_get(item, "content"), of, under(r, where, "content"));
}

static bool call_id_ok(struct rsp *r, yyjson_val *item, struct str where)
{
    struct str id = json_text(item, "call_id"), at = under(r, where, "call_id");
    if (!rsp_has(item, "call_id"))
        return true;
    if (id.len == 0)
        return rsp_bad(r, at, "empty_string", "Invalid '%.*s': empty string.", STR_ARG(at));
    return id.len <= CALL_ID_MAX ||
           rsp_bad(r, at, "string_above_max_length",
                   "Invalid '%.*s': string too long. Expected a string with maximum length 64, but "
                   "got a string with length %zu instead.",
                   STR_ARG(at), id.len);
}

static bool texts_ok(struct rsp *r, yyjson_val *item, struct str where)
{
    static const char *const names[] = { "arguments", "input", "name" };
    for (size_t i = 0; i < 3; i++) {
        yyjson_val *v = yyjson_obj_get(item, names[i]);
        if (v && !yyjson_is_str(v) && !yyjson_is_null(v))
            return wrong_type(r, under(r, where, names[i]), "a string");
    }
    return true;
}

static bool reasoning_ok(struct rsp *r, yyjson_val *item, struct str where)
{
    yyjson_val *summary = yyjson_obj_get(item, "summary"),
               *content = yyjson_obj_get(item, "content");
    struct str id = json_text(item, "id"), state = json_text(item, "encrypted_content");
    if (!yyjson_is_arr(summary))
        return wrong_type(r, under(r, where, "summary"), "an array of objects");
    for (size_t i = 0; i < yyjson_arr_size(summary); i++)
        if (!yyjson_equals_str(yyjson_obj_get(yyjson_arr_get(summary, i), "type"), "summary_text"))
            return rsp_bad(r, rsp_path(r, "%.*s.summary[%zu]", STR_ARG(where), i), "invalid_value",
                           "Invalid value. Supported values are: 'summary_text'.");
    if (yyjson_arr_size(content) > 0 && !r->model->open)
        return rsp_bad(r, under(r, where, "content"), "array_above_max_length",
                       "Invalid '%.*s.content': array too long. Expected an array with maximum "
                       "length 0, but got an array with length %zu instead.",
                       STR_ARG(where), yyjson_arr_size(content));
    if (!r->model->efforts)
        return rsp_bad(r, where, NULL,
                       "Reasoning input items can only be provided to a reasoning or computer use "
                       "model. Remove reasoning items from your input and try again.");
    if (rsp_has(item, "encrypted_content")) {
        const char *problem = rsp_encrypted_problem(r, id, state);
        return !problem || rsp_bad(r, STR(""), "invalid_encrypted_content",
                                   "The encrypted content %.*s... could not be verified. Reason: "
                                   "%s",
                                   STR_ARG(str_head(state, 8)), problem);
    }
    if (r->model->open)
        return true;
    if (id.len == 0)
        return rsp_missing(r, under(r, where, "id"));
    return rsp_stored_item(r, id).len > 0 ||
           rsp_error(
               r, 404, STR("input"), NULL,
               "Item with id '%.*s' not found. Items are not persisted when `store` is set to "
               "false. Try again with `store` set to true, or remove this item from your "
               "input.",
               STR_ARG(id));
}

static bool compaction_ok(struct rsp *r, yyjson_val *item)
{
    struct str state = json_text(item, "encrypted_content");
    const char *problem = rsp_encrypted_problem(r, json_text(item, "id"), state);
    return !problem || rsp_bad(r, STR(""), "invalid_encrypted_content",
                               "The encrypted content %.*s... could not be verified. Reason: %s",
                               STR_ARG(str_head(state, 8)), problem);
}

static bool required_ok(struct rsp *r, yyjson_val *item, const struct item *kind, struct str where)
{
    struct str rest = str_c(kind->required);
    while (rest.len > 0) {
        struct str name = str_cut(&rest, ' ');
        if (!yyjson_obj_getn(item, name.p, name.len))
            return rsp_missing(r, rsp_path(r, "%.*s.%.*s", STR_ARG(where), STR_ARG(name)));
    }
    return true;
}

static bool item_ok(struct rsp *r, yyjson_val *item, struct str where)
{
    struct str type = json_text(item, "type");
    const struct item *kind = NULL;
    if (!yyjson_is_obj(item))
        return wrong_type(r, where, "an object");
    if (!rsp_has(item, "type") && rsp_has(item, "id") && !rsp_has(item, "role"))
        type = STR("item_reference");
    if (!rsp_has(item, "type") && type.len == 0)
        return message_ok(r, item, where);
    if (str_eq(type, STR("message")))
        return message_ok(r, item, where);
    for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
        if (str_eq(str_c(items[i].type), type))
            kind = &items[i];
    if (!kind)
        return rsp_bad(r, where, "invalid_value",
                       "Invalid value: '%.*s'. Supported values are: 'message', 'function_call', "
                       "'function_call_output', 'reasoning', 'item_reference', and others.",
                       STR_ARG(str_head(type, 64)));
    struct str names = rsp_path(r, "type %s %s", kind->required, kind->optional);
    if (!required_ok(r, item, kind, where) ||
        !rsp_members_ok(r, item, arena_cstr(r->rq->arena, names), where) ||
        !id_ok(r, item, kind->prefix, where) || !status_ok(r, item, where) ||
        !call_id_ok(r, item, where) || !texts_ok(r, item, where))
        return false;
    if (str_eq(type, STR("reasoning")))
        return reasoning_ok(r, item, where);
    if (str_eq(type, STR("compaction")))
        return compaction_ok(r, item);
    if (rsp_word_in("function_call_output custom_tool_call_output", type))
        return content_ok(r, yyjson_obj_get(item, "output"), OF_OUTPUT, under(r, where, "output"));
    return true;
}

bool rsp_input_ok(struct rsp *r)
{
    yyjson_val *input = yyjson_obj_get(r->rq->json, "input");
    if (yyjson_is_str(input))
        return true;
    if (!input || yyjson_is_null(input) || (yyjson_is_arr(input) && yyjson_arr_size(input) == 0))
        return r->previous || rsp_bad(r, STR("input"), "missing_required_parameter",
                                      "One of \"input\" or \"previous_response_id\" or 'prompt' or "
                                      "'conversation_id' must be provided.");
    if (!yyjson_is_arr(input))
        return wrong_type(r, STR("input"), "one of an array of input items or string");
    for (size_t i = 0; i < yyjson_arr_size(input); i++)
        if (!item_ok(r, yyjson_arr_get(input, i), rsp_path(r, "input[%zu]", i)))
            return false;
    return true;
}
