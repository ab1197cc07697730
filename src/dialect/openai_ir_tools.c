/* Tools, tool_choice and response_format of OpenAI's Chat Completions into the IR, and the deprecated functions. */
#include "dialect/openai_ir_priv.h"

enum err oa_read_format(struct oa_read *r, struct str value)
{
    /* `response_schema` beside json_object is LiteLLM's older spelling for Gemini. */
    static const struct str want[] = { STR_INIT("type"), STR_INIT("json_schema"),
                                       STR_INIT("response_schema") };
    static const struct str inner[] = { STR_INIT("name"), STR_INIT("description"),
                                        STR_INIT("schema"), STR_INIT("strict") };
    struct str v[3], s[4];
    struct ir_request *rq = r->rq;
    if (value.len == 0)
        return ERR_OK;
    if (json_type_of(value) != JSON_OBJECT)
        return oa_bad(r, "response_format", "must be an object such as {\"type\":\"json_object\"}");
    oa_members(value, want, 3, v, r->a, NULL);
    if (json_str_eq(v[0], STR("text"))) {
        rq->format = IR_FORMAT_TEXT;
        return ERR_OK;
    }
    if (json_str_eq(v[0], STR("json_object"))) {
        rq->format = json_type_of(v[2]) == JSON_OBJECT ? IR_FORMAT_SCHEMA : IR_FORMAT_JSON;
        rq->schema = rq->format == IR_FORMAT_SCHEMA ? v[2] : str_of(NULL, 0);
        return ERR_OK;
    }
    if (!json_str_eq(v[0], STR("json_schema")))
        return oa_bad(r, "response_format.type", "must be text, json_object or json_schema");
    if (json_type_of(v[1]) != JSON_OBJECT)
        return oa_bad(r, "response_format.json_schema", "must be an object with name and schema");
    oa_members(v[1], inner, 4, s, r->a, NULL);
    TRY(oa_string(r, "response_format.json_schema.name", s[0]));
    if (s[0].len <= 2)
        return oa_bad(r, "response_format.json_schema.name", "is missing");
    TRY(oa_string(r, "response_format.json_schema.description", s[1]));
    if (s[2].len && json_type_of(s[2]) != JSON_OBJECT)
        return oa_bad(r, "response_format.json_schema.schema", "must be an object: a JSON Schema");
    TRY(oa_flag(r, "response_format.json_schema.strict", s[3], &rq->schema_strict));
    rq->format = IR_FORMAT_SCHEMA;
    rq->schema_name = json_unescape(s[0], r->a);
    rq->schema_description = s[1];
    rq->schema = s[2];
    return ERR_OK;
}

enum { F_NAME, F_DESCRIPTION, F_PARAMETERS, F_STRICT, F_FORMAT, F_CACHE, F_COUNT };
static const struct str function_names[F_COUNT] = {
    [F_NAME] = STR_INIT("name"),
    [F_DESCRIPTION] = STR_INIT("description"),
    [F_PARAMETERS] = STR_INIT("parameters"),
    [F_STRICT] = STR_INIT("strict"),
    [F_FORMAT] = STR_INIT("format"),
    [F_CACHE] = STR_INIT("cache_control"),
};

static enum err bad_inner(struct oa_read *r, const char *at, const char *member, const char *what)
{
    return oa_bad(r, arena_printf(r->a, "%s.%s", at, member).p, "%s", what);
}

/* The object under `function` or `custom`, or an element of `functions`; `at` is its place below the tool. */
static enum err read_function(struct oa_read *r, struct str value, const char *at,
                              struct ir_tool *tool)
{
    struct str v[F_COUNT];
    if (json_type_of(value) != JSON_OBJECT)
        return oa_bad(r, at, "must be an object with at least a name");
    oa_members(value, function_names, F_COUNT, v, r->a, &tool->ext);
    if (json_type_of(v[F_NAME]) != JSON_STRING || v[F_NAME].len <= 2)
        return bad_inner(r, at, "name", "must be a string that is not empty");
    if (v[F_DESCRIPTION].len && json_type_of(v[F_DESCRIPTION]) != JSON_STRING)
        return bad_inner(r, at, "description", "must be a string");
    if (v[F_PARAMETERS].len && json_type_of(v[F_PARAMETERS]) != JSON_OBJECT)
        return bad_inner(r, at, "parameters", "must be an object: a JSON Schema");
    enum json_type strict = json_type_of(v[F_STRICT]);
    if (strict != JSON_ABSENT && strict != JSON_TRUE && strict != JSON_FALSE)
        return bad_inner(r, at, "strict", "must be true or false");
    tool->strict = strict == JSON_ABSENT ? -1 : strict == JSON_TRUE;
    tool->name = json_unescape(v[F_NAME], r->a);
    tool->description = v[F_DESCRIPTION];
    tool->schema = v[F_PARAMETERS];
    tool->grammar = v[F_FORMAT];
    if (v[F_CACHE].len)
        TRY(oa_cache(r, arena_printf(r->a, "%s.cache_control", at).p, v[F_CACHE], &tool->cache,
                     &tool->cache_ttl));
    return ERR_OK;
}

/* Tools that run at a provider, as LiteLLM's clients send them: in the provider's own words. */
static enum ir_origin origin_of(struct str value, struct str type)
{
    static const struct str anthropic[] = { STR_INIT("web_search_2"),     STR_INIT("web_fetch_2"),
                                            STR_INIT("bash_2"),           STR_INIT("text_editor_2"),
                                            STR_INIT("code_execution_2"), STR_INIT("computer_2"),
                                            STR_INIT("memory_2") };
    static const struct str gemini[] = {
        STR_INIT("googleSearch"),         STR_INIT("google_search"),
        STR_INIT("codeExecution"),        STR_INIT("code_execution"),
        STR_INIT("urlContext"),           STR_INIT("url_context"),
        STR_INIT("googleMaps"),           STR_INIT("enterpriseWebSearch"),
        STR_INIT("googleSearchRetrieval")
    };
    struct json_member m[sizeof gemini / sizeof gemini[0]];
    for (size_t i = 0; i < sizeof anthropic / sizeof anthropic[0]; i++)
        if (str_starts(type, anthropic[i]))
            return IR_FROM_ANTHROPIC;
    json_peek_object(value, gemini, sizeof gemini / sizeof gemini[0], m, NULL);
    for (size_t i = 0; i < sizeof gemini / sizeof gemini[0]; i++)
        if (m[i].type != JSON_ABSENT)
            return IR_FROM_GEMINI;
    return IR_FROM_OPENAI_CHAT;
}

static enum err read_server_tool(struct oa_read *r, struct str value, struct str type,
                                 struct ir_tool *tool)
{
    static const struct str name = STR_INIT("name");
    struct str v;
    tool->kind = IR_SERVER_TOOL;
    tool->raw = value;
    tool->origin = origin_of(value, type);
    if (type.len == 0 && tool->origin == IR_FROM_OPENAI_CHAT)
        return oa_bad(r, ".type", "is missing: it is \"function\" or \"custom\"");
    oa_members(value, &name, 1, &v, r->a, NULL);
    tool->name = json_unescape(v, r->a);
    return ERR_OK;
}

static enum err read_tool(struct oa_read *r, struct str value, struct ir_tool *tool)
{
    static const struct str want[] = { STR_INIT("type"), STR_INIT("function"), STR_INIT("custom"),
                                       STR_INIT("cache_control") };
    struct str v[4];
    struct ir_ext *ext;
    if (json_type_of(value) != JSON_OBJECT)
        return oa_bad(
            r, "", "must be an object such as {\"type\":\"function\",\"function\":{\"name\":...}}");
    oa_members(value, want, 4, v, r->a, &ext);
    TRY(oa_string(r, ".type", v[0]));
    struct str type = json_unescape(v[0], r->a);
    if (str_eq(type, STR("function")) || (type.len == 0 && v[1].len)) {
        TRY(read_function(r, v[1], ".function", tool));
    } else if (str_eq(type, STR("custom"))) {
        TRY(read_function(r, v[2], ".custom", tool));
        tool->kind = IR_CUSTOM;
    } else {
        return read_server_tool(r, value, type, tool);
    }
    if (v[3].len)
        TRY(oa_cache(r, ".cache_control", v[3], &tool->cache, &tool->cache_ttl));
    struct ir_ext **tail = &tool->ext;
    while (*tail)
        tail = &(*tail)->next;
    *tail = ext;
    return ERR_OK;
}

enum err oa_read_tool_list(struct oa_read *r, struct str array, const char *list,
                           oa_tool_fn *read_one)
{
    struct ir_tool **tail = &r->rq->tools;
    if (array.len == 0)
        return ERR_OK;
    if (json_type_of(array) != JSON_ARRAY)
        return oa_bad(r, list, "must be an array");
    struct json_iter it = json_iter(array);
    r->list = list;
    for (r->index = 0; json_next(&it); r->index++) {
        struct ir_tool *tool = ARENA_NEW(r->a, struct ir_tool);
        if (r->index == OA_TOOLS_MAX)
            return oa_bad(r, "", "is one too many: at most %d are taken", OA_TOOLS_MAX);
        tool->strict = -1;
        TRY(read_one(r, it.value, tool));
        IR_APPEND(tail, tool);
    }
    r->list = NULL;
    return ERR_OK;
}

enum err oa_read_tools(struct oa_read *r, struct str array)
{
    return oa_read_tool_list(r, array, "tools", read_tool);
}

static enum err read_old_function(struct oa_read *r, struct str value, struct ir_tool *tool)
{
    return read_function(r, value, "", tool);
}

enum err oa_read_functions(struct oa_read *r, struct str array)
{
    r->rq->legacy_functions = array.len != 0;
    if (array.len && r->rq->parallel_tool_calls < 0)
        r->rq->parallel_tool_calls = 0; /* the deprecated answer has room for one call */
    return oa_read_tool_list(r, array, "functions", read_old_function);
}

/* -- the choice */

static enum err choose(struct oa_read *r, const char *member, struct str name_json, bool custom)
{
    if (json_type_of(name_json) != JSON_STRING || name_json.len <= 2)
        return oa_bad(r, member, "must name a tool");
    struct str name = json_unescape(name_json, r->a);
    if (!ir_tool_find(r->rq, name))
        return oa_bad(r, member, "names `%.*s`, which is not among the request's tools",
                      STR_ARG(str_head(name, 80)));
    r->rq->choice = IR_CHOICE_TOOL;
    r->rq->choice_name = name;
    r->rq->choice_custom = custom;
    return ERR_OK;
}

bool oa_choice_word(struct str json, enum ir_choice *ret)
{
    static const struct {
        struct str word;
        enum ir_choice choice;
    } words[] = {
        { STR_INIT("none"), IR_CHOICE_NONE },
        { STR_INIT("auto"), IR_CHOICE_AUTO },
        { STR_INIT("required"), IR_CHOICE_REQUIRED },
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (json_str_eq(json, words[i].word)) {
            *ret = words[i].choice;
            return true;
        }
    }
    return false;
}

/* Anthropic's and Mistral's word too. */
static bool choice_word(struct str json, enum ir_choice *ret)
{
    return oa_choice_word(json_str_eq(json, STR("any")) ? STR("\"required\"") : json, ret);
}

/* {"type":"function","function":{"name":"f"}}, or flat as the Responses API has it. */
static struct str named(struct str object, struct str flat, struct arena *a)
{
    static const struct str name = STR_INIT("name");
    struct str v;
    if (json_type_of(object) != JSON_OBJECT)
        return flat;
    oa_members(object, &name, 1, &v, a, NULL);
    return v;
}

static enum err read_allowed(struct oa_read *r, struct str object)
{
    static const struct str want[] = { STR_INIT("mode"), STR_INIT("tools") };
    static const struct str tool[] = { STR_INIT("function"), STR_INIT("custom"), STR_INIT("name") };
    struct str v[2], t[3];
    size_t n = 0;
    oa_members(object, want, 2, v, r->a, NULL);
    bool required = json_str_eq(v[0], STR("required"));
    if (!required && !json_str_eq(v[0], STR("auto")))
        return oa_bad(r, "tool_choice.allowed_tools.mode", "must be auto or required");
    struct str *allowed = ARENA_ARRAY(r->a, struct str, OA_TOOLS_MAX);
    struct json_iter it = json_iter(json_type_of(v[1]) == JSON_ARRAY ? v[1] : STR("[]"));
    while (json_next(&it)) {
        if (n == OA_TOOLS_MAX)
            return oa_bad(r, "tool_choice.allowed_tools.tools", "has more than %d elements",
                          OA_TOOLS_MAX);
        oa_members(it.value, tool, 3, t, r->a, NULL);
        TRY(choose(r, "tool_choice.allowed_tools.tools", named(t[0].len ? t[0] : t[1], t[2], r->a),
                   false));
        allowed[n++] = r->rq->choice_name;
    }
    if (n == 0)
        return oa_bad(r, "tool_choice.allowed_tools.tools",
                      "must be an array that names at least one tool");
    r->rq->choice = IR_CHOICE_ALLOWED;
    r->rq->choice_name = str_of(NULL, 0);
    r->rq->choice_allowed_required = required;
    r->rq->allowed = allowed;
    r->rq->allowed_count = n;
    return ERR_OK;
}

static enum err read_choice_object(struct oa_read *r, struct str value)
{
    static const struct str want[] = { STR_INIT("type"), STR_INIT("function"), STR_INIT("custom"),
                                       STR_INIT("allowed_tools"), STR_INIT("name") };
    struct str v[5];
    oa_members(value, want, 5, v, r->a, NULL);
    if (choice_word(v[0], &r->rq->choice))
        return ERR_OK;
    if (json_str_eq(v[0], STR("function")) || json_str_eq(v[0], STR("tool")) ||
        (v[0].len == 0 && v[1].len))
        return choose(r, "tool_choice.function.name", named(v[1], v[4], r->a), false);
    if (json_str_eq(v[0], STR("custom")))
        return choose(r, "tool_choice.custom.name", named(v[2], v[4], r->a), true);
    if (json_str_eq(v[0], STR("allowed_tools")))
        return read_allowed(r, json_type_of(v[3]) == JSON_OBJECT ? v[3] : value);
    return oa_bad(r, "tool_choice.type", "must be function, custom or allowed_tools");
}

enum err oa_read_choice(struct oa_read *r, struct str value)
{
    if (value.len == 0)
        return ERR_OK;
    if (json_type_of(value) == JSON_OBJECT)
        TRY(read_choice_object(r, value));
    else if (!choice_word(value, &r->rq->choice))
        return oa_bad(r, "tool_choice",
                      "must be none, auto, required or an object that names a tool");
    if (r->rq->choice == IR_CHOICE_REQUIRED && !r->rq->tools)
        return oa_bad(r, "tool_choice", "asks for a tool call, but the request has no tools");
    return ERR_OK;
}

enum err oa_read_function_call(struct oa_read *r, struct str value)
{
    static const struct str name = STR_INIT("name");
    struct str v;
    if (value.len == 0)
        return ERR_OK;
    if (json_type_of(value) != JSON_OBJECT) {
        if (choice_word(value, &r->rq->choice) && r->rq->choice != IR_CHOICE_REQUIRED)
            return ERR_OK;
        return oa_bad(r, "function_call",
                      "must be none, auto or an object with the name of a function");
    }
    oa_members(value, &name, 1, &v, r->a, NULL);
    return choose(r, "function_call.name", v, false);
}
