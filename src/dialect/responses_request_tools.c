/* Tools, tool_choice and text of a Responses request into the IR. Everything is flat here that chat nests. */
#include "base/mem.h"
#include "dialect/responses_priv.h"

/* -- text: the format of the answer */

static enum err read_format(struct oa_read *r, struct str value)
{
    enum { F_TYPE, F_NAME, F_DESCRIPTION, F_SCHEMA, F_STRICT, F_COUNT };
    static const struct str want[F_COUNT] = { STR_INIT("type"), STR_INIT("name"),
                                              STR_INIT("description"), STR_INIT("schema"),
                                              STR_INIT("strict") };
    struct str v[F_COUNT];
    struct ir_request *rq = r->rq;
    if (value.len == 0)
        return ERR_OK;
    if (json_type_of(value) != JSON_OBJECT)
        return oa_bad(r, "text.format", "must be an object such as {\"type\":\"json_object\"}");
    rs_inner_members(r, "text.format", value, want, F_COUNT, v);
    if (json_str_eq(v[F_TYPE], STR("text"))) {
        rq->format = IR_FORMAT_TEXT;
        return ERR_OK;
    }
    if (json_str_eq(v[F_TYPE], STR("json_object"))) {
        rq->format = IR_FORMAT_JSON;
        return ERR_OK;
    }
    if (!json_str_eq(v[F_TYPE], STR("json_schema")))
        return oa_bad(r, "text.format.type", "must be text, json_object or json_schema");
    static const struct str nested = STR_INIT("json_schema");
    struct json_member m;
    if (json_peek_object(value, &nested, 1, &m, NULL) && m.type == JSON_OBJECT)
        return oa_bad(r, "text.format.json_schema",
                      "is the form of Chat Completions: here name, schema and strict stand beside "
                      "type");
    TRY(rs_required(r, "text.format.name", v[F_NAME], &rq->schema_name));
    TRY(oa_string(r, "text.format.description", v[F_DESCRIPTION]));
    if (json_type_of(v[F_SCHEMA]) != JSON_OBJECT)
        return oa_bad(r, "text.format.schema", "must be an object: a JSON Schema");
    TRY(oa_flag(r, "text.format.strict", v[F_STRICT], &rq->schema_strict));
    rq->format = IR_FORMAT_SCHEMA;
    rq->schema_description = v[F_DESCRIPTION];
    rq->schema = v[F_SCHEMA];
    return ERR_OK;
}

enum err rs_read_text(struct oa_read *r, struct str value)
{
    static const struct str want[] = { STR_INIT("format"), STR_INIT("verbosity") };
    static const struct str words[] = { STR_INIT("low"), STR_INIT("medium"), STR_INIT("high") };
    struct str v[2];
    size_t i = 0;
    if (value.len && json_type_of(value) != JSON_OBJECT)
        return oa_bad(r, "text", "must be an object with format, verbosity or both");
    rs_inner_members(r, "text", value, want, 2, v);
    TRY(read_format(r, v[0]));
    if (v[1].len == 0)
        return ERR_OK;
    while (i < 3 && !json_str_eq(v[1], words[i]))
        i++;
    if (i == 3)
        return oa_bad(r, "text.verbosity", "must be low, medium or high");
    if (i != 1) /* medium is what models do anyway */
        r->rq->verbosity = words[i];
    return ERR_OK;
}

/* -- tools */

enum { T_TYPE, T_NAME, T_DESCRIPTION, T_PARAMETERS, T_STRICT, T_FORMAT, T_COUNT };

static const struct str tool_names[T_COUNT] = {
    [T_TYPE] = STR_INIT("type"),
    [T_NAME] = STR_INIT("name"),
    [T_DESCRIPTION] = STR_INIT("description"),
    [T_PARAMETERS] = STR_INIT("parameters"),
    [T_STRICT] = STR_INIT("strict"),
    [T_FORMAT] = STR_INIT("format"),
};

/* {"type":"grammar","syntax":..,"definition":..} as chat nests it, which is the IR's form. */
static enum err read_grammar(struct oa_read *r, struct str value, struct ir_tool *tool)
{
    static const struct str want[] = { STR_INIT("type"), STR_INIT("syntax"),
                                       STR_INIT("definition") };
    struct str v[3];
    if (value.len == 0)
        return ERR_OK;
    oa_members(value, want, 3, v, r->a, NULL);
    if (json_str_eq(v[0], STR("text")))
        return ERR_OK;
    if (!json_str_eq(v[0], STR("grammar")))
        return oa_bad(r, ".format.type", "must be text or grammar");
    if (!json_str_eq(v[1], STR("lark")) && !json_str_eq(v[1], STR("regex")))
        return oa_bad(r, ".format.syntax", "must be lark or regex");
    if (json_type_of(v[2]) != JSON_STRING)
        return oa_bad(r, ".format.definition", "must be a string");
    struct buf out;
    struct json_write w;
    buf_init(&out, v[2].len + 256);
    json_begin(&w, &out);
    json_obj(&w, NULL);
    json_strz(&w, "type", "grammar");
    json_obj(&w, "grammar");
    json_raw(&w, "definition", v[2]);
    json_raw(&w, "syntax", v[1]);
    json_end(&w);
    json_end(&w);
    tool->grammar = arena_dup(r->a, buf_str(&out));
    buf_done(&out);
    return ERR_OK;
}

static enum err read_function(struct oa_read *r, const struct str v[T_COUNT], bool custom,
                              struct ir_tool *tool)
{
    const struct ir_ext *nested = ir_ext_find(tool->ext, STR("function"));
    if (nested && json_type_of(nested->raw) == JSON_OBJECT)
        return oa_bad(r, ".function",
                      "is the form of Chat Completions: here name, description, parameters and "
                      "strict stand beside type");
    TRY(rs_required(r, ".name", v[T_NAME], &tool->name));
    TRY(oa_string(r, ".description", v[T_DESCRIPTION]));
    if (v[T_PARAMETERS].len && json_type_of(v[T_PARAMETERS]) != JSON_OBJECT)
        return oa_bad(r, ".parameters", "must be an object: a JSON Schema");
    TRY(oa_flag(r, ".strict", v[T_STRICT], &tool->strict));
    tool->kind = custom ? IR_CUSTOM : IR_FUNCTION;
    tool->description = v[T_DESCRIPTION];
    tool->schema = custom ? str_of(NULL, 0) : v[T_PARAMETERS];
    return custom ? read_grammar(r, v[T_FORMAT], tool) : ERR_OK;
}

/* Of the dated names of one tool the plain one is kept: others take a date for their own tool's. */
static struct str plain_search(struct str value, struct arena *a)
{
    static const struct str type = STR_INIT("type");
    struct json_member m;
    if (!json_peek_object(value, &type, 1, &m, NULL) ||
        !json_str_eq(json_value(value, &m), STR("web_search_2025_08_26")))
        return value;
    return arena_printf(a, "%.*s\"web_search\"%.*s", STR_ARG(str_head(value, m.value_at)),
                        STR_ARG(str_skip(value, m.value_at + m.value_len)));
}

static enum err read_tool(struct oa_read *r, struct str value, struct ir_tool *tool)
{
    static const struct str searches[] = { STR_INIT("web_search"),
                                           STR_INIT("web_search_2025_08_26"),
                                           STR_INIT("web_search_preview"),
                                           STR_INIT("web_search_preview_2025_03_11") };
    struct str v[T_COUNT], type;
    struct ir_ext **tail = &tool->ext;
    if (json_type_of(value) != JSON_OBJECT)
        return oa_bad(r, "", "must be an object such as {\"type\":\"function\",\"name\":...}");
    rs_members(value, tool_names, T_COUNT, v, r->a, &tail);
    TRY(rs_required(r, ".type", v[T_TYPE], &type));
    if (str_eq(type, STR("function")) || str_eq(type, STR("custom")))
        return read_function(r, v, str_eq(type, STR("custom")), tool);
    tool->ext = NULL; /* it is kept as it came */
    tool->kind = IR_SERVER_TOOL;
    tool->origin = IR_FROM_OPENAI_RESPONSES;
    tool->raw = value;
    tool->name = type;
    for (size_t i = 0; i < sizeof searches / sizeof searches[0]; i++) {
        if (!str_eq(type, searches[i]))
            continue;
        tool->kind = IR_WEB_SEARCH;
        tool->raw = plain_search(value, r->a);
        tool->name = STR("web_search");
    }
    return ERR_OK;
}

enum err rs_read_tools(struct oa_read *r, struct str array)
{
    return oa_read_tool_list(r, array, "tools", read_tool);
}

/* -- the choice */

/* {"type":"function"|"custom","name":..}, of the request's tools. A tool that the provider runs cannot be chosen: none of the others has
 * a word for it. */
static enum err choose(struct oa_read *r, const char *member, struct str value,
                       struct str *ret_name, bool *ret_custom)
{
    static const struct str want[] = { STR_INIT("type"), STR_INIT("name") };
    struct str v[2];
    oa_members(value, want, 2, v, r->a, NULL);
    *ret_custom = json_str_eq(v[0], STR("custom"));
    if (json_type_of(v[0]) != JSON_STRING)
        return oa_bad(r, member,
                      "must be an object with type, such as "
                      "{\"type\":\"function\",\"name\":...}");
    if (!*ret_custom && !json_str_eq(v[0], STR("function")))
        return rs_unsupported(
            r, member,
            "asks for %.*s, a tool of OpenAI's own, which this model cannot be made to use. Name a "
            "function, or send auto or required.",
            STR_ARG(str_head(v[0], 64)));
    if (json_type_of(v[1]) != JSON_STRING || v[1].len <= 2)
        return oa_bad(r, member, "must have the name of a tool");
    *ret_name = json_unescape(v[1], r->a);
    const struct ir_tool *tool = ir_tool_find(r->rq, *ret_name);
    if (!tool || tool->kind != (*ret_custom ? IR_CUSTOM : IR_FUNCTION))
        return oa_bad(r, member, "names `%.*s`, which is not among the request's %s tools",
                      STR_ARG(str_head(*ret_name, 80)), *ret_custom ? "custom" : "function");
    return ERR_OK;
}

static enum err read_allowed(struct oa_read *r, struct str value)
{
    static const struct str want[] = { STR_INIT("mode"), STR_INIT("tools") };
    struct str v[2];
    bool custom;
    size_t n = 0;
    oa_members(value, want, 2, v, r->a, NULL);
    bool required = json_str_eq(v[0], STR("required"));
    if (!required && !json_str_eq(v[0], STR("auto")))
        return oa_bad(r, "tool_choice.mode", "must be auto or required");
    struct str *allowed = ARENA_ARRAY(r->a, struct str, OA_TOOLS_MAX);
    struct json_iter it = json_iter(json_type_of(v[1]) == JSON_ARRAY ? v[1] : STR("[]"));
    r->list = "tool_choice.tools";
    for (r->index = 0; json_next(&it); r->index++) {
        if (n == OA_TOOLS_MAX)
            return oa_bad(r, "", "is one too many: at most %d are taken", OA_TOOLS_MAX);
        TRY(choose(r, "", it.value, &allowed[n++], &custom));
    }
    r->list = NULL;
    if (n == 0)
        return oa_bad(r, "tool_choice.tools", "must be an array that names at least one tool");
    r->rq->choice = IR_CHOICE_ALLOWED;
    r->rq->choice_allowed_required = required;
    r->rq->allowed = allowed;
    r->rq->allowed_count = n;
    return ERR_OK;
}

enum err rs_read_choice(struct oa_read *r, struct str value)
{
    static const struct str type = STR_INIT("type");
    struct ir_request *rq = r->rq;
    struct str v;
    if (value.len == 0)
        return ERR_OK;
    if (json_type_of(value) == JSON_OBJECT) {
        oa_members(value, &type, 1, &v, r->a, NULL);
        if (json_str_eq(v, STR("allowed_tools")))
            return read_allowed(r, value);
        TRY(choose(r, "tool_choice", value, &rq->choice_name, &rq->choice_custom));
        rq->choice = IR_CHOICE_TOOL;
        return ERR_OK;
    }
    if (!oa_choice_word(value, &rq->choice))
        return oa_bad(r, "tool_choice",
                      "must be none, auto, required or an object that names a tool");
    if (rq->choice == IR_CHOICE_REQUIRED && !rq->tools)
        return oa_bad(r, "tool_choice", "asks for a tool call, but the request has no tools");
    return ERR_OK;
}
