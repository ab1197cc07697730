/* What the Responses API checks of a request beside its input: members, ranges, tools, formats, what the model takes. */
#include "mock/responses.h"

static const struct rsp_model models[] = {
    { "gpt-5-chat", NULL, true, false, false },
    { "gpt-5-pro", "high", false, true, false },
    { "gpt-5-codex", "low medium high", false, true, false },
    { "gpt-5.1-codex-max", "none low medium high xhigh", false, true, false },
    { "gpt-5.1", "none low medium high", false, true, false },
    { "gpt-5.", "none low medium high xhigh max", false, true, false },
    { "gpt-5", "minimal low medium high", false, true, false },
    { "gpt-oss", "low medium high", true, false, true },
    { "codex-mini", "low medium high", false, false, false },
    { "o1", "low medium high", false, false, false },
    { "o3", "low medium high", false, false, false },
    { "o4", "low medium high", false, false, false },
    { "gpt-", NULL, true, false, false },
    { "", "none minimal low medium high xhigh max", true, true, false }, /* takes everything */
};

const struct rsp_model *rsp_model_of(struct str name)
{
    for (size_t i = 0;; i++)
        if (str_starts(name, str_c(models[i].prefix)))
            return &models[i];
}

/* -- words and paths */

bool rsp_word_in(const char *words, struct str word)
{
    struct str rest = str_c(words);
    while (rest.len > 0)
        if (str_eq(str_cut(&rest, ' '), word))
            return true;
    return false;
}

bool rsp_has(yyjson_val *object, const char *name)
{
    yyjson_val *v = yyjson_obj_get(object, name);
    return v && !yyjson_is_null(v);
}

static const char *what(yyjson_val *v)
{
    return yyjson_is_null(v)   ? "null"
           : yyjson_is_bool(v) ? "a boolean"
           : yyjson_is_num(v)  ? "a number"
           : yyjson_is_str(v)  ? "a string"
           : yyjson_is_arr(v)  ? "an array"
                               : "an object";
}

bool rsp_missing(struct rsp *r, struct str param)
{
    return rsp_bad(r, param, "missing_required_parameter", "Missing required parameter: '%.*s'.",
                   STR_ARG(param));
}

bool rsp_unknown(struct rsp *r, struct str param)
{
    return rsp_bad(r, param, "unknown_parameter", "Unknown parameter: '%.*s'.", STR_ARG(param));
}

static bool wrong_type(struct rsp *r, struct str param, const char *wanted, yyjson_val *v)
{
    return rsp_bad(r, param, "invalid_type",
                   "Invalid type for '%.*s': expected %s, but got %s instead.", STR_ARG(param),
                   wanted, what(v));
}

static bool wrong_value(struct rsp *r, struct str param, struct str value, const char *words)
{
    return rsp_bad(r, param, "invalid_value", "Invalid value: '%.*s'. Supported values are: %s.",
                   STR_ARG(value), words);
}

bool rsp_members_ok(struct rsp *r, yyjson_val *object, const char *words, struct str where)
{
    yyjson_obj_iter it = yyjson_obj_iter_with(object);
    for (yyjson_val *name; (name = yyjson_obj_iter_next(&it));)
        if (!rsp_word_in(words, str_of(yyjson_get_str(name), yyjson_get_len(name))))
            return rsp_unknown(
                r, where.len ? rsp_path(r, "%.*s.%.200s", STR_ARG(where), yyjson_get_str(name))
                             : str_c(yyjson_get_str(name)));
    return true;
}

/* -- scalars */

enum kind { TEXT, BOOL, INTEGER, NUMBER, OBJECT, ARRAY, ANY };

static const struct member {
    const char *name;
    enum kind kind;
    double least, most;
    const char *words;
} members[] = {
    { "model", TEXT, 0, 0, NULL },
    { "input", ANY, 0, 0, NULL },
    { "instructions", TEXT, 0, 0, NULL },
    { "previous_response_id", TEXT, 0, 0, NULL },
    { "conversation", ANY, 0, 0, NULL },
    { "store", BOOL, 0, 0, NULL },
    { "background", BOOL, 0, 0, NULL },
    { "stream", BOOL, 0, 0, NULL },
    { "stream_options", OBJECT, 0, 0, NULL },
    { "include", ARRAY, 0, 0, NULL },
    { "max_output_tokens", INTEGER, 16, 1e7, NULL },
    { "max_tool_calls", INTEGER, 1, 1e7, NULL },
    { "parallel_tool_calls", BOOL, 0, 0, NULL },
    { "tools", ARRAY, 0, 0, NULL },
    { "tool_choice", ANY, 0, 0, NULL },
    { "text", OBJECT, 0, 0, NULL },
    { "reasoning", OBJECT, 0, 0, NULL },
    { "temperature", NUMBER, 0, 2, NULL },
    { "top_p", NUMBER, 0, 1, NULL },
    { "top_logprobs", INTEGER, 0, 20, NULL },
    { "truncation", TEXT, 0, 0, "auto disabled" },
    { "context_management", ARRAY, 0, 0, NULL },
    { "metadata", OBJECT, 0, 0, NULL },
    { "prompt", OBJECT, 0, 0, NULL },
    { "prompt_cache_key", TEXT, 0, 64, NULL },
    { "prompt_cache_options", OBJECT, 0, 0, NULL },
    { "prompt_cache_retention", TEXT, 0, 0, "in_memory 24h" },
    { "safety_identifier", TEXT, 0, 64, NULL },
    { "user", TEXT, 0, 0, NULL },
    { "service_tier", TEXT, 0, 0, "auto default flex scale priority fast ultrafast" },
    { "moderation", OBJECT, 0, 0, NULL },
    { "personality", TEXT, 0, 0, NULL },
    { "client_metadata", OBJECT, 0, 0, NULL },
};

static bool kind_ok(yyjson_val *v, enum kind kind)
{
    switch (kind) {
    case TEXT: return yyjson_is_str(v);
    case BOOL: return yyjson_is_bool(v);
    case INTEGER: return yyjson_is_int(v);
    case NUMBER: return yyjson_is_num(v);
    case OBJECT: return yyjson_is_obj(v);
    case ARRAY: return yyjson_is_arr(v);
    default: return true;
    }
}

static bool range_ok(struct rsp *r, const struct member *m, yyjson_val *v)
{
    struct str param = str_c(m->name);
    double n = yyjson_get_num(v);
    const char *what_kind = m->kind == INTEGER ? "integer" : "decimal";
    if (n < m->least)
        return rsp_bad(r, param,
                       m->kind == INTEGER ? "integer_below_min_value" : "decimal_below_min_value",
                       "Invalid '%s': %s below minimum value. Expected a value >= %g, but got %g "
                       "instead.",
                       m->name, what_kind, m->least, n);
    if (n > m->most)
        return rsp_bad(r, param,
                       m->kind == INTEGER ? "integer_above_max_value" : "decimal_above_max_value",
                       "Invalid '%s': %s above maximum value. Expected a value <= %g, but got %g "
                       "instead.",
                       m->name, what_kind, m->most, n);
    return true;
}

static bool member_ok(struct rsp *r, const struct member *m)
{
    static const char *const wanted[] = { "a string",  "a boolean", "an integer",
                                          "a decimal", "an object", "an array",
                                          "" };
    yyjson_val *v = yyjson_obj_get(r->rq->json, m->name);
    struct str param = str_c(m->name), text = json_text(r->rq->json, m->name);
    if (!v || yyjson_is_null(v))
        return true;
    if (!kind_ok(v, m->kind))
        return wrong_type(r, param, wanted[m->kind], v);
    if (m->kind == INTEGER || m->kind == NUMBER)
        return range_ok(r, m, v);
    if (m->words && !rsp_word_in(m->words, text))
        return wrong_value(r, param, text, m->words);
    if (m->kind == TEXT && m->most > 0 && (double)text.len > m->most)
        return rsp_bad(r, param, "string_above_max_length",
                       "Invalid '%s': string too long. Expected a string with maximum length %g, "
                       "but got a string with length %zu instead.",
                       m->name, m->most, text.len);
    return true;
}

/* Members of other APIs have a word of their own. */
static bool moved_ok(struct rsp *r)
{
    static const char *const moved[][2] = {
        { "max_tokens", "max_output_tokens" },
        { "max_completion_tokens", "max_output_tokens" },
        { "messages", "input" },
        { "response_format", "text.format" },
        { "reasoning_effort", "reasoning.effort" },
    };
    for (size_t i = 0; i < sizeof(moved) / sizeof(moved[0]); i++)
        if (yyjson_obj_get(r->rq->json, moved[i][0]))
            return rsp_bad(r, str_c(moved[i][0]), "unsupported_parameter",
                           "Unsupported parameter: '%s'. In the Responses API, this parameter has "
                           "moved to '%s'. Try again with the new parameter.",
                           moved[i][0], moved[i][1]);
    return true;
}

static bool metadata_ok(struct rsp *r)
{
    yyjson_val *map = yyjson_obj_get(r->rq->json, "metadata");
    yyjson_obj_iter it = yyjson_obj_iter_with(map);
    if (yyjson_obj_size(map) > 16)
        return rsp_bad(r, STR("metadata"), "object_above_max_properties",
                       "Invalid 'metadata': too many properties. Expected an object with at most "
                       "16 properties.");
    for (yyjson_val *name; (name = yyjson_obj_iter_next(&it));) {
        yyjson_val *v = yyjson_obj_iter_get_val(name);
        struct str where = rsp_path(r, "metadata.%.100s", yyjson_get_str(name));
        if (!yyjson_is_str(v))
            return wrong_type(r, where, "a string", v);
        if (yyjson_get_len(name) > 64 || yyjson_get_len(v) > 512)
            return rsp_bad(r, where, "string_above_max_length", "Invalid '%.*s': string too long.",
                           STR_ARG(where));
    }
    return true;
}

static bool include_ok(struct rsp *r)
{
    static const char words[] =
        "file_search_call.results web_search_call.results web_search_call.action.sources "
        "message.input_image.image_url computer_call_output.output.image_url "
        "code_interpreter_call.outputs reasoning.encrypted_content message.output_text.logprobs";
    yyjson_val *list = yyjson_obj_get(r->rq->json, "include");
    for (size_t i = 0; i < yyjson_arr_size(list); i++) {
        yyjson_val *v = yyjson_arr_get(list, i);
        struct str word = yyjson_is_str(v) ? str_c(yyjson_get_str(v)) : STR("");
        if (!rsp_word_in(words, word))
            return wrong_value(r, rsp_path(r, "include[%zu]", i), word, words);
        if (str_eq(word, STR("reasoning.encrypted_content"))) {
            r->encrypted = true;
            if (!r->model->efforts)
                return rsp_bad(r, STR("include"), NULL,
                               "Encrypted content is not supported with this model.");
        }
        r->logprobs |= str_eq(word, STR("message.output_text.logprobs"));
    }
    return true;
}

/* -- what the model takes */

static bool unsupported(struct rsp *r, const char *param)
{
    return rsp_bad(r, str_c(param), "unsupported_parameter",
                   "Unsupported parameter: '%s' is not supported with this model.", param);
}

static bool reasoning_ok(struct rsp *r)
{
    yyjson_val *reasoning = yyjson_obj_get(r->rq->json, "reasoning");
    struct str effort = json_text(reasoning, "effort"), summary = json_text(reasoning, "summary");
    if (!rsp_members_ok(r, reasoning, "effort summary generate_summary context mode",
                        STR("reasoning")))
        return false;
    if (rsp_has(reasoning, "effort") &&
        !rsp_word_in("none minimal low medium high xhigh max", effort))
        return wrong_value(r, STR("reasoning.effort"), effort,
                           "'none', 'minimal', 'low', 'medium', 'high', 'xhigh', and 'max'");
    if (rsp_has(reasoning, "summary") && !rsp_word_in("auto concise detailed", summary))
        return wrong_value(r, STR("reasoning.summary"), summary,
                           "'concise', 'detailed', and 'auto'");
    if (!r->model->efforts && rsp_has(reasoning, "effort"))
        return unsupported(r, "reasoning.effort");
    if (!r->model->efforts && rsp_has(reasoning, "summary"))
        return unsupported(r, "reasoning.summary");
    if (effort.len > 0 && !rsp_word_in(r->model->efforts, effort))
        return rsp_bad(
            r, STR("reasoning.effort"), "unsupported_value",
            "Unsupported value: '%.*s' is not supported with the '%.*s' model. Supported "
            "values are: %s.",
            STR_ARG(effort), STR_ARG(str_head(r->rq->model, 64)), r->model->efforts);
    r->summary = summary.len > 0 || rsp_has(reasoning, "generate_summary");
    return true;
}

static bool sampling_ok(struct rsp *r)
{
    static const char *const names[] = { "temperature", "top_p", "top_logprobs" };
    struct str effort = json_text(yyjson_obj_get(r->rq->json, "reasoning"), "effort");
    bool off = str_eq(effort, STR("none")) || (effort.len == 0 && r->model->efforts &&
                                               rsp_word_in(r->model->efforts, STR("none")));
    for (size_t i = 0; i < 3; i++)
        if (rsp_has(r->rq->json, names[i]) && !r->model->sampling && !off)
            return unsupported(r, names[i]);
    return true;
}

static bool state_ok(struct rsp *r)
{
    yyjson_val *rq = r->rq->json, *conversation = yyjson_obj_get(rq, "conversation");
    bool stored = !yyjson_is_false(yyjson_obj_get(rq, "store"));
    struct str id =
        yyjson_is_obj(conversation) ? json_text(conversation, "id") : json_text(rq, "conversation");
    if (rsp_has(rq, "stream_options") && !yyjson_is_true(yyjson_obj_get(rq, "stream")))
        return rsp_bad(r, STR("stream_options"), NULL,
                       "The 'stream_options' parameter is only allowed when 'stream' is enabled.");
    if (!rsp_members_ok(r, yyjson_obj_get(rq, "stream_options"), "include_obfuscation",
                        STR("stream_options")))
        return false;
    if (yyjson_is_true(yyjson_obj_get(rq, "background")) && !stored)
        return rsp_bad(r, STR("background"), NULL,
                       "Background responses require 'store' to be true.");
    if (rsp_has(rq, "conversation") && rsp_has(rq, "previous_response_id"))
        return rsp_bad(r, STR("previous_response_id"), "mutually_exclusive_parameters",
                       "Mutually exclusive parameters: 'previous_response_id' and 'conversation'. "
                       "Ensure you are only providing one of: 'previous_response_id' or "
                       "'conversation'.");
    if (rsp_has(rq, "conversation"))
        return rsp_error(r, 404, STR(""), NULL, "Conversation with id '%.*s' not found.",
                         STR_ARG(id));
    if (rsp_has(rq, "prompt"))
        return rsp_error(r, 404, STR("prompt"), NULL, "Prompt with id '%.*s' not found.",
                         STR_ARG(json_text(yyjson_obj_get(rq, "prompt"), "id")));
    return true;
}

bool rsp_request_ok(struct rsp *r, const char *names)
{
    if (!r->rq->json)
        return rsp_missing(r, STR("model"));
    if (!moved_ok(r) || !rsp_members_ok(r, r->rq->json, names, STR("")))
        return false;
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        if (!member_ok(r, &members[i]))
            return false;
    if (r->rq->model.len == 0 && !rsp_has(r->rq->json, "prompt"))
        return rsp_missing(r, STR("model"));
    return metadata_ok(r) && include_ok(r) && reasoning_ok(r) && sampling_ok(r) &&
           rsp_tools_ok(r) && rsp_text_ok(r) && state_ok(r);
}
