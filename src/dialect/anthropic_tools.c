/* Tools (Claude docs, "Define tools", "Structured outputs", "Web search tool", August 2026). */
#include "dialect/anthropic_priv.h"
#include "dialect/schema.h"
#include "dialect/tools.h"
#include "wire/json_scan.h"

#define STRICT_TOOLS_MAX 20              /* "Structured outputs", limits */
#define WEB_SEARCH "web_search_20250305" /* the version that every platform has */

/* -- which tools */

static bool is_allowed(const struct ir_request *rq, const struct ir_tool *t)
{
    if (rq->choice != IR_CHOICE_ALLOWED)
        return true;
    for (size_t i = 0; i < rq->allowed_count; i++)
        if (str_eq(rq->allowed[i], t->name))
            return true;
    return false;
}

static bool any_allowed(const struct ir_request *rq)
{
    for (const struct ir_tool *t = rq->tools; t; t = t->next)
        if (is_allowed(rq, t))
            return true;
    return false;
}

/* -- one function */

/* Its root must be an object without a union. */
static enum err put_input_schema(struct anthropic_write *aw, const struct ir_tool *t,
                                 struct str schema)
{
    if (!schema.len || json_type_of(schema) == JSON_NULL) {
        json_raw(&aw->w, "input_schema", STR("{\"type\":\"object\",\"properties\":{}}"));
        return ERR_OK;
    }
    const char *problem = NULL, *root_union = schema_root_union(schema);
    if (json_type_of(schema) != JSON_OBJECT || !schema_root_is_object(schema))
        problem = "its root must have \"type\": \"object\"";
    else if (root_union)
        problem = "Claude does not take oneOf, anyOf or allOf at its root";
    if (problem)
        return anthropic_refuse(aw, ERR_UNSUPPORTED_PARAM, STR("tools"),
                                "tools: the parameters of \"%.*s\" cannot be sent: %s.",
                                STR_ARG(str_head(t->name, 64)), problem);
    if (json_get(schema, "type").len) {
        segments_raw(aw->body, &aw->w, "input_schema", schema);
        return ERR_OK;
    }
    json_obj(&aw->w, "input_schema");
    json_strz(&aw->w, "type", "object");
    struct json_iter it = json_iter(schema);
    while (json_next(&it)) {
        if (json_str_eq(str_of(it.name.p - 1, it.name.len + 2), STR("type")))
            continue; /* null */
        json_name(&aw->w, json_unescape(str_of(it.name.p - 1, it.name.len + 2), aw->a));
        json_raw(&aw->w, NULL, it.value);
    }
    json_end(&aw->w);
    return ERR_OK;
}

/* `strict` where the grammar can say all of the schema; else the promise is lost, and told. */
static enum err put_strict_schema(struct anthropic_write *aw, const struct ir_tool *t)
{
    schema_cuts cuts;
    bool can = aw->t->facts->native_schema && aw->strict_tools < STRICT_TOOLS_MAX &&
               json_type_of(t->schema) == JSON_OBJECT && schema_root_is_object(t->schema) &&
               !schema_root_union(t->schema) && json_get(t->schema, "type").len &&
               !schema_is_recursive(t->schema, aw->a);
    if (can) {
        struct str small = schema_for_grammar(t->schema, aw->a, &cuts);
        if (cuts == 0) {
            aw->strict_tools++;
            segments_raw(aw->body, &aw->w, "input_schema", small);
            json_bool(&aw->w, "strict", true);
            return ERR_OK;
        }
    }
    TRY(ir_degrade(aw->report, "strict", "tools.function.strict", aw->fault));
    return put_input_schema(aw, t, t->schema);
}

/* A custom tool takes free text: here an object with one string. Its grammar goes into the
 * description. */
static enum err put_custom_tool(struct anthropic_write *aw, const struct ir_tool *t)
{
    bool grammar;
    struct str description = custom_tool_description(t, aw->a, &grammar);
    if (grammar)
        TRY(ir_degrade(aw->report, "grammar", "tools.custom.format", aw->fault));
    if (description.len)
        segments_raw(aw->body, &aw->w, "description", description);
    json_raw(&aw->w, "input_schema", STR(CUSTOM_TOOL_SCHEMA));
    return ERR_OK;
}

static enum err put_function(struct anthropic_write *aw, const struct ir_tool *t)
{
    json_obj(&aw->w, NULL);
    json_str(&aw->w, "name", anthropic_function_name(aw->rq, t->name, aw->a));
    if (t->kind == IR_CUSTOM) {
        TRY(put_custom_tool(aw, t));
    } else {
        if (t->description.len)
            segments_raw(aw->body, &aw->w, "description", t->description);
        if (t->strict == 1)
            TRY(put_strict_schema(aw, t));
        else
            TRY(put_input_schema(aw, t, t->schema));
    }
    TRY(anthropic_put_ext(aw, t->ext, "tools"));
    TRY(anthropic_put_cache(aw, t->cache, t->cache_ttl));
    json_end(&aw->w);
    return ERR_OK;
}

/* -- server tools */

/* "low" looks a little, "high" a lot: numbers of searches that LiteLLM made customary. */
static unsigned searches(struct str size)
{
    return json_str_eq(size, STR("low")) ? 1 : json_str_eq(size, STR("high")) ? 10 : 5;
}

/* From web_search_options: {search_context_size, user_location: {type, approximate: {..}}}; in the
 * Responses form the location's members stand beside its type. */
static enum err put_domains(struct anthropic_write *aw, struct str filters)
{
    static const char *const names[] = { "allowed_domains", "blocked_domains" };
    for (size_t i = 0; i < 2; i++) {
        struct str list = json_get(filters, names[i]);
        struct json_iter it = json_iter(list);
        bool any = false;
        if (list.len && json_type_of(list) != JSON_ARRAY)
            return anthropic_refuse(aw, ERR_BAD_REQUEST, STR("tools"),
                                    "tools: %s of a web search must be an array of strings.",
                                    names[i]);
        while (json_next(&it)) {
            any = true;
            if (it.type != JSON_STRING)
                return anthropic_refuse(aw, ERR_BAD_REQUEST, STR("tools"),
                                        "tools: %s of a web search must be an array of strings.",
                                        names[i]);
        }
        if (!any)
            continue;
        segments_raw(aw->body, &aw->w, names[i], list);
        return ERR_OK; /* one of the two is taken; an allowed list says it all */
    }
    return ERR_OK;
}

static enum err put_web_search(struct anthropic_write *aw, struct str options)
{
    static const char *const places[] = { "city", "region", "country", "timezone" };
    struct str location = json_get(options, "user_location"),
               inner = json_get(location, "approximate");
    location = inner.len ? inner : location;
    json_obj(&aw->w, NULL);
    json_strz(&aw->w, "type", WEB_SEARCH);
    json_strz(&aw->w, "name", "web_search");
    struct str size = json_get(options, "search_context_size");
    if (size.len && !json_str_eq(size, STR("low")) && !json_str_eq(size, STR("medium")) &&
        !json_str_eq(size, STR("high")))
        return anthropic_refuse(aw, ERR_BAD_REQUEST, STR("tools"),
                                "tools: search_context_size of a web search must be low, medium or "
                                "high; it is %.*s.",
                                STR_ARG(str_head(size, 40)));
    if (size.len)
        json_uint(&aw->w, "max_uses", searches(size));
    TRY(put_domains(aw, json_get(options, "filters")));
    if (json_type_of(location) == JSON_OBJECT) {
        json_obj(&aw->w, "user_location");
        json_strz(&aw->w, "type", "approximate");
        for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
            if (json_type_of(json_get(location, places[i])) == JSON_STRING)
                json_raw(&aw->w, places[i], json_get(location, places[i]));
        json_end(&aw->w);
    }
    json_end(&aw->w);
    return ir_degrade(aw->report, "web_search", "web_search_options", aw->fault);
}

/* Anthropic's own typed tools, in whatever dialect they were sent: "bash_20250124". */
static bool is_typed(struct str raw, struct arena *a)
{
    static const struct str known[] = {
        STR_INIT("web_search_2"),    STR_INIT("web_fetch_2"),       STR_INIT("code_execution_2"),
        STR_INIT("bash_2"),          STR_INIT("memory_2"),          STR_INIT("text_editor_2"),
        STR_INIT("computer_2"),      STR_INIT("tool_search_tool_"), STR_INIT("computer_toolset"),
        STR_INIT("browser_toolset"), STR_INIT("mcp_toolset"),
    };
    struct str type = json_unescape(json_get(raw, "type"), a);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (str_starts(type, known[i]))
            return true;
    return false;
}

/* A tool that runs at another provider: there is nothing to send. */
static bool is_foreign(const struct anthropic_write *aw, const struct ir_tool *t)
{
    return t->kind == IR_SERVER_TOOL && t->origin != IR_FROM_ANTHROPIC && !is_typed(t->raw, aw->a);
}

static enum err drop_foreign(struct anthropic_write *aw, const struct ir_tool *t)
{
    struct str type = json_get(t->raw, "type");
    if (aw->report->drop_params)
        return ir_drop(aw->report, "server_tools", "tools", aw->fault);
    return anthropic_refuse(
        aw, ERR_UNSUPPORTED_PARAM, STR("tools"),
        "tools: %.*s is a tool of another provider and does not exist here. Leave it out, or set "
        "drop_params: true in the config to have it dropped.",
        STR_ARG(type.len ? str_head(type, 64) : STR("one of them")));
}

static bool has_own_tools(const struct anthropic_write *aw)
{
    for (const struct ir_tool *t = aw->rq->tools; t; t = t->next)
        if (!is_foreign(aw, t))
            return true;
    return aw->rq->web_search.len > 0;
}

static enum err put_server_tool(struct anthropic_write *aw, const struct ir_tool *t)
{
    struct str type = json_get(t->raw, "type");
    if (t->origin == IR_FROM_ANTHROPIC || is_typed(t->raw, aw->a)) {
        if (aw->t->vertex && str_starts(type, STR("\"web_")) && !json_str_eq(type, STR(WEB_SEARCH)))
            return anthropic_refuse(aw, ERR_UNSUPPORTED_PARAM, STR("tools"),
                                    "tools: of the server tools Claude on Vertex AI has %s alone.",
                                    WEB_SEARCH);
        segments_raw(aw->body, &aw->w, NULL, t->raw);
        anthropic_need_beta(aw, STR(""), t->raw);
        return ERR_OK;
    }
    return put_web_search(aw, t->raw);
}

/* -- the array */

static void put_json_tool(struct anthropic_write *aw)
{
    const struct ir_request *rq = aw->rq;
    struct str schema = rq->schema;
    json_obj(&aw->w, NULL);
    json_str(&aw->w, "name", anthropic_json_tool(rq, aw->a));
    if (rq->format == IR_FORMAT_SCHEMA && rq->schema_description.len)
        json_raw(&aw->w, "description", rq->schema_description);
    else
        json_strz(&aw->w, "description", "Return the final answer");
    if (rq->format == IR_FORMAT_JSON || !schema.len) {
        json_raw(&aw->w, "input_schema",
                 STR("{\"type\":\"object\",\"additionalProperties\":true}"));
    } else if (aw->output == OUTPUT_TOOL_WRAPPED) {
        /* References inside start at the root: definitions stand there too. */
        static const char *const shared[] = { "$defs", "definitions" };
        json_obj(&aw->w, "input_schema");
        json_strz(&aw->w, "type", "object");
        json_obj(&aw->w, "properties");
        segments_raw(aw->body, &aw->w, "values", schema);
        json_end(&aw->w);
        for (size_t i = 0; i < sizeof shared / sizeof shared[0]; i++)
            if (json_get(schema, shared[i]).len)
                json_raw(&aw->w, shared[i], json_get(schema, shared[i]));
        json_raw(&aw->w, "required", STR("[\"values\"]"));
        json_end(&aw->w);
    } else {
        struct ir_tool as_tool = { .name = STR("response_format"), .schema = schema };
        /* The root was checked where the way was chosen. */
        (void)!put_input_schema(aw, &as_tool, schema);
    }
    json_end(&aw->w);
}

static enum err put_emulation(struct anthropic_write *aw)
{
    if (aw->output != OUTPUT_TOOL && aw->output != OUTPUT_TOOL_WRAPPED)
        return ERR_OK;
    put_json_tool(aw);
    return ir_degrade(aw->report,
                      aw->rq->format == IR_FORMAT_JSON ? "json_mode" : "response_format",
                      "response_format", aw->fault);
}

/* A history with calls needs definitions, even where the client sends none any more; that there are
 * some is enough. */
static void put_remembered_tools(struct anthropic_write *aw)
{
    unsigned left = 128;
    struct ir_request seen = { 0 };
    struct ir_tool **tail = &seen.tools;
    for (const struct ir_message *m = aw->rq->messages; m; m = m->next)
        for (const struct ir_part *p = m->parts; p; p = p->next) {
            if (p->kind != IR_TOOL_CALL || !left || ir_tool_find(&seen, p->name))
                continue;
            left--;
            struct ir_tool *t = ARENA_NEW(aw->a, struct ir_tool);
            t->name = p->name;
            IR_APPEND(tail, t);
            json_obj(&aw->w, NULL);
            json_str(&aw->w, "name", anthropic_function_name(aw->rq, p->name, aw->a));
            json_raw(&aw->w, "input_schema", STR("{\"type\":\"object\"}"));
            json_end(&aw->w);
        }
}

static bool has_tools(const struct anthropic_write *aw)
{
    return has_own_tools(aw) || aw->output == OUTPUT_TOOL || aw->output == OUTPUT_TOOL_WRAPPED;
}

/* -- the choice */

enum choice { CHOICE_ABSENT, CHOICE_AUTO, CHOICE_ANY, CHOICE_TOOL, CHOICE_NONE };

static enum choice choice_of(const struct anthropic_write *aw, struct str *ret_name)
{
    const struct ir_request *rq = aw->rq;
    bool emulates = aw->output == OUTPUT_TOOL || aw->output == OUTPUT_TOOL_WRAPPED;
    bool own = has_own_tools(aw);
    if (emulates && (!own || rq->choice == IR_CHOICE_NONE)) {
        *ret_name = anthropic_json_tool(rq, aw->a);
        return CHOICE_TOOL;
    }
    if (!own) /* what stands there only for the history is not to be called */
        return aw->turns.has_calls ? CHOICE_NONE : CHOICE_ABSENT;
    switch (rq->choice) {
    case IR_CHOICE_NONE: return CHOICE_NONE;
    case IR_CHOICE_REQUIRED: return CHOICE_ANY;
    case IR_CHOICE_TOOL:
        *ret_name = anthropic_function_name(rq, rq->choice_name, aw->a);
        return CHOICE_TOOL;
    case IR_CHOICE_ALLOWED:
        if (!any_allowed(rq))
            return CHOICE_NONE;
        if (rq->choice_allowed_required)
            return CHOICE_ANY;
        break;
    case IR_CHOICE_AUTO:
    case IR_CHOICE_UNSET: break;
    }
    if (emulates)
        return CHOICE_ANY; /* a tool of the client's, or the answer */
    return rq->choice == IR_CHOICE_UNSET ? CHOICE_ABSENT : CHOICE_AUTO;
}

bool anthropic_choice_forces(const struct anthropic_write *aw)
{
    struct str name;
    enum choice c = choice_of(aw, &name);
    return c == CHOICE_ANY || c == CHOICE_TOOL;
}

static enum err put_choice(struct anthropic_write *aw)
{
    static const char *const types[] = { NULL, "auto", "any", "tool", "none" };
    const struct ir_request *rq = aw->rq;
    struct str name = { 0 };
    enum choice c = choice_of(aw, &name);
    bool own = has_own_tools(aw);
    /* A client of the old function_call takes one call an answer. */
    bool one = own && (rq->parallel_tool_calls == 0 || rq->legacy_functions);
    if (c == CHOICE_ABSENT && one)
        c = CHOICE_AUTO;
    if (!own && (rq->choice == IR_CHOICE_REQUIRED || rq->choice == IR_CHOICE_TOOL))
        TRY(ir_lose(aw->report, "tool_choice", "tool_choice", aw->fault)); /* no tools, no choice */
    if (c == CHOICE_ABSENT || anthropic_is_passed(aw, "tool_choice"))
        return ERR_OK;
    json_obj(&aw->w, "tool_choice");
    json_strz(&aw->w, "type", types[c]);
    if (c == CHOICE_TOOL)
        json_str(&aw->w, "name", name);
    if (one && c != CHOICE_NONE)
        json_bool(&aw->w, "disable_parallel_tool_use", true);
    json_end(&aw->w);
    return ERR_OK;
}

enum err anthropic_put_tools(struct anthropic_write *aw)
{
    const struct ir_request *rq = aw->rq;
    bool filters = rq->choice == IR_CHOICE_ALLOWED && any_allowed(rq), searched = false;
    for (const struct ir_tool *t = rq->tools; t; t = t->next)
        if (is_foreign(aw, t))
            TRY(drop_foreign(aw, t));
    if (!has_tools(aw) && !aw->turns.has_calls)
        return put_choice(aw);
    if (rq->choice == IR_CHOICE_TOOL && !ir_tool_find(rq, rq->choice_name) && rq->tools)
        return anthropic_refuse(aw, ERR_BAD_REQUEST, STR("tool_choice"),
                                "tool_choice: there is no tool \"%.*s\" in tools.",
                                STR_ARG(str_head(rq->choice_name, 64)));
    json_arr(&aw->w, "tools");
    for (const struct ir_tool *t = rq->tools; t; t = t->next) {
        if (is_foreign(aw, t) || (filters && !is_allowed(rq, t)))
            continue;
        bool function = t->kind == IR_FUNCTION || t->kind == IR_CUSTOM;
        bool search = !function && str_eq(t->name, STR("web_search"));
        if (search && searched)
            continue; /* web_search beside web_search_preview: one is enough, and two are refused */
        searched |= search;
        TRY(function ? put_function(aw, t) : put_server_tool(aw, t));
    }
    if (rq->web_search.len && !searched)
        TRY(put_web_search(aw, rq->web_search));
    TRY(put_emulation(aw));
    if (!has_tools(aw))
        put_remembered_tools(aw);
    json_end(&aw->w);
    if (filters) /* another set of tools is another prefix to cache */
        TRY(ir_degrade(aw->report, "cache", "tool_choice.allowed_tools", aw->fault));
    return put_choice(aw);
}
