/* tools and toolConfig (Gemini API reference, "Tool", "FunctionDeclaration" and
 * "FunctionCallingConfig", August 2026). */
#include "dialect/gemini_priv.h"

static bool is_function(const struct ir_tool *t)
{
    return t->kind == IR_FUNCTION || t->kind == IR_CUSTOM;
}

/* Tools that run at Google, under the names that it takes. */
static const struct str builtins[] = {
    STR_INIT("googleSearch"),  STR_INIT("googleSearchRetrieval"),
    STR_INIT("codeExecution"), STR_INIT("urlContext"),
    STR_INIT("googleMaps"),    STR_INIT("enterpriseWebSearch"),
    STR_INIT("computerUse"),   STR_INIT("fileSearch"),
    STR_INIT("retrieval"),
};

static bool is_builtin(struct str name)
{
    for (size_t i = 0; i < sizeof builtins / sizeof builtins[0]; i++)
        if (str_eq(name, builtins[i]))
            return true;
    return false;
}

/* -- what is decided before anything is written */

/* Up to 2.5 a request has functions or Google's tools, not both. */
static enum err plan_builtin(struct gemini_write *g, const char *tag, const char *member,
                             bool *ret_on)
{
    if (g->functions && !g->t->facts->json_with_tools)
        return ir_drop(g->report, tag, member, g->fault);
    *ret_on = true;
    return ERR_OK;
}

static bool is_allowed(const struct ir_request *rq, struct str name)
{
    for (size_t i = 0; i < rq->allowed_count; i++)
        if (str_eq(rq->allowed[i], name))
            return true;
    return false;
}

/* The choice leaves no room for this tool of Google's: what is not sent is not used. */
static bool is_off(const struct ir_request *rq, const struct ir_tool *t)
{
    return rq->choice == IR_CHOICE_NONE ||
           (rq->choice == IR_CHOICE_ALLOWED && !is_allowed(rq, t->name));
}

static bool is_foreign(const struct ir_tool *t)
{
    return t->kind == IR_SERVER_TOOL && t->origin != IR_FROM_GEMINI;
}

/* What Gemini has of the same kind, under the names that others give it. */
static const struct {
    struct str start, own;
} counterparts[] = {
    { STR_INIT("code_interpreter"), STR_INIT("codeExecution") },
    { STR_INIT("code_execution"), STR_INIT("codeExecution") },
    { STR_INIT("codeExecution"), STR_INIT("codeExecution") },
    { STR_INIT("google_search"), STR_INIT("googleSearch") },
    { STR_INIT("googleSearch"), STR_INIT("googleSearch") },
    { STR_INIT("web_search"), STR_INIT("googleSearch") },
    { STR_INIT("url_context"), STR_INIT("urlContext") },
    { STR_INIT("urlContext"), STR_INIT("urlContext") },
    { STR_INIT("web_fetch"), STR_INIT("urlContext") },
};

static struct str counterpart_of(const struct gemini_write *g, struct str type)
{
    if (g->rq->origin != IR_FROM_OPENAI_CHAT) /* the Responses API has no words for it */
        return str_of(NULL, 0);
    for (size_t i = 0; i < sizeof counterparts / sizeof counterparts[0]; i++)
        if (str_starts(type, counterparts[i].start))
            return counterparts[i].own;
    return str_of(NULL, 0);
}

/* A tool that runs at another provider. */
static enum err drop_foreign(struct gemini_write *g, const struct ir_tool *t, struct str place)
{
    static const struct str name = STR_INIT("type");
    struct json_member m;
    struct str type = STR("this");
    if (g->report->drop_params)
        return ir_drop(g->report, "server_tools", place.p, g->fault);
    if (json_peek_object(t->raw, &name, 1, &m, NULL) && m.type == JSON_STRING)
        type = str_head(json_unescape(json_value(t->raw, &m), g->a), 64);
    struct str own = counterpart_of(g, type);
    if (own.len)
        return gemini_refuse(
            g, ERR_UNSUPPORTED_PARAM, place,
            "%.*s: %.*s is not a tool of %.*s under this name; what it has is written "
            "{\"%.*s\":{}}. Send that, leave it out, or set drop_params: true in the config to have "
            "it dropped.",
            STR_ARG(place), STR_ARG(type), STR_ARG(g->t->model), STR_ARG(own));
    return gemini_refuse(
        g, ERR_UNSUPPORTED_PARAM, place,
        "%.*s: %.*s is a tool of another provider, which %.*s does not have. Leave it out, or set "
        "drop_params: true in the config to have it dropped.",
        STR_ARG(place), STR_ARG(type), STR_ARG(g->t->model));
}

/* Asks for nothing that Google's search does not do by itself. */
static bool is_neutral(struct str name, struct str value)
{
    struct json_iter it = json_iter(value);
    bool approximate = str_eq(name, STR("user_location")) && json_next(&it) &&
                       str_eq(it.name, STR("type")) && !json_next(&it);
    it = json_iter(value);
    switch (json_type_of(value)) {
    case JSON_NULL: return true;
    case JSON_OBJECT:
    case JSON_ARRAY: return approximate || !json_next(&it);
    default: break;
    }
    return str_eq(name, STR("type")) ||
           (str_eq(name, STR("search_context_size")) && json_str_eq(value, STR("medium"))) ||
           (str_eq(name, STR("external_web_access")) && json_type_of(value) == JSON_TRUE);
}

/* Places, sizes, and lists of domains: Google's search takes none of OpenAI's options. */
static enum err plan_search(struct gemini_write *g, struct str options, struct str place)
{
    struct json_iter it = json_iter(options);
    if (!g->search)
        TRY(plan_builtin(g, "web_search", "web_search_options", &g->search));
    while (g->search && json_next(&it))
        if (!is_neutral(it.name, it.value))
            TRY(ir_degrade(
                g->report, "web_search",
                arena_printf(g->a, "%.*s.%.*s", STR_ARG(place), STR_ARG(str_head(it.name, 64))).p,
                g->fault));
    return ERR_OK;
}

static enum err plan_server_tools(struct gemini_write *g)
{
    unsigned i = 0;
    for (const struct ir_tool *t = g->rq->tools; t; t = t->next, i++) {
        if (is_function(t))
            continue;
        struct str place = arena_printf(g->a, "tools[%u]", i);
        if (is_foreign(t))
            TRY(drop_foreign(g, t, place));
        if (is_foreign(t) || is_off(g->rq, t))
            continue;
        if (t->kind == IR_WEB_SEARCH)
            TRY(plan_search(g, t->raw, place));
        else if (!g->builtins)
            TRY(plan_builtin(g, "server_tools", "tools", &g->builtins));
    }
    return ERR_OK;
}

/* Functions alone can be made to be called. */
static enum err plan_choice(struct gemini_write *g)
{
    const struct ir_request *rq = g->rq;
    bool forced = rq->choice == IR_CHOICE_REQUIRED || rq->choice == IR_CHOICE_TOOL ||
                  (rq->choice == IR_CHOICE_ALLOWED && rq->choice_allowed_required);
    if (!forced || g->functions)
        return ERR_OK;
    if (!g->search && !g->builtins) /* no tools, no choice */
        return ir_lose(g->report, "tool_choice", "tool_choice", g->fault);
    if (g->report->drop_params || g->report->strict)
        return ir_drop(g->report, "tool_choice", "tool_choice", g->fault);
    return gemini_refuse(
        g, ERR_UNSUPPORTED_PARAM, STR("tool_choice"),
        "tool_choice: %.*s cannot be made to use Google's own tools, such as its search; only "
        "functions can be required. Send auto, declare a function, or set drop_params: true in the "
        "config to have tool_choice dropped.",
        STR_ARG(g->t->model));
}

enum err gemini_plan_tools(struct gemini_write *g)
{
    const struct ir_request *rq = g->rq;
    for (const struct ir_tool *t = rq->tools; t; t = t->next)
        g->functions |= is_function(t);
    if (g->functions && g->t->facts->no_functions) {
        g->functions = false;
        TRY(ir_drop(g->report, "tools", "tools", g->fault));
    }
    TRY(plan_server_tools(g));
    if (rq->web_search.len)
        TRY(plan_search(g, rq->web_search, STR("web_search_options")));
    return plan_choice(g);
}

/* -- declarations */

static enum err put_parameters(struct gemini_write *g, const struct ir_tool *t)
{
    struct gemini_cuts cuts = { 0 };
    struct str schema;
    const char *why;
    if (t->kind == IR_CUSTOM) {
        json_raw(&g->w, g->form == SCHEMA_JSON ? "parametersJsonSchema" : "parameters",
                 g->form == SCHEMA_JSON
                     ? STR("{\"type\":\"object\",\"properties\":{\"input\":{\"type\":\"string\"}},"
                           "\"required\":[\"input\"]}")
                     : STR("{\"type\":\"OBJECT\",\"properties\":{\"input\":{\"type\":\"STRING\"}},"
                           "\"required\":[\"input\"]}"));
        return t->grammar.len && !json_str_eq(t->grammar, STR("text"))
                   ? ir_degrade(g->report, "grammar", "tools.custom.format", g->fault)
                   : ERR_OK;
    }
    if (t->schema.len == 0 || gemini_schema_is_empty(t->schema))
        return ERR_OK; /* an object without properties is a 400 on older models */
    if (gemini_schema(t->schema, g->form, g->a, &schema, &cuts, &why))
        return gemini_refuse(g, ERR_BAD_REQUEST, STR("tools"),
                             "tools: the parameters of \"%.*s\": the schema %s.",
                             STR_ARG(str_head(t->name, 64)), why);
    segments_raw(g->body, &g->w, g->form == SCHEMA_JSON ? "parametersJsonSchema" : "parameters",
                 schema);
    return gemini_report_cuts(g, &cuts, "tools.function.parameters");
}

/* Models before 2.5 have no mode that allows text beside some of the functions. */
static bool hides_others(const struct gemini_write *g)
{
    return g->rq->choice == IR_CHOICE_ALLOWED && !g->rq->choice_allowed_required &&
           g->form == SCHEMA_OPENAPI;
}

static enum err put_declarations(struct gemini_write *g)
{
    json_obj(&g->w, NULL);
    json_arr(&g->w, "functionDeclarations");
    for (const struct ir_tool *t = g->rq->tools; t; t = t->next) {
        if (!is_function(t) || (hides_others(g) && !is_allowed(g->rq, t->name)))
            continue;
        if (t->cache)
            TRY(ir_lose(g->report, "cache_control", "tools.cache_control", g->fault));
        for (const struct ir_ext *x = t->ext; x; x = x->next)
            TRY(ir_lose(g->report, arena_printf(g->a, "unknown(%.*s)", STR_ARG(x->name)).p,
                        arena_printf(g->a, "tools.%.*s", STR_ARG(x->name)).p, g->fault));
        json_obj(&g->w, NULL);
        json_str(&g->w, "name", gemini_tool_name(g->rq, t->name, g->a));
        if (t->description.len)
            segments_raw(g->body, &g->w, "description", t->description);
        TRY(put_parameters(g, t));
        json_end(&g->w);
    }
    json_end(&g->w);
    json_end(&g->w);
    return ERR_OK;
}

/* {"google_search":{}} as {"googleSearch":{}}; members that no tool of Google has stay out. */
static void put_builtin(struct gemini_write *g, const struct ir_tool *t)
{
    struct json_iter it = json_iter(t->raw);
    while (json_next(&it)) {
        struct str name = gemini_camel(it.name, g->a);
        if (!is_builtin(name))
            continue;
        json_obj(&g->w, NULL);
        json_name(&g->w, name);
        segments_raw(g->body, &g->w, NULL, it.value);
        json_end(&g->w);
    }
}

/* -- the choice */

/* Calls that keep to their schemas: for all functions or for none. */
static enum err plan_strict(struct gemini_write *g, bool *ret_validated)
{
    size_t strict = 0, all = 0;
    for (const struct ir_tool *t = g->rq->tools; t; t = t->next) {
        all += is_function(t);
        strict += is_function(t) && t->strict == 1;
    }
    *ret_validated = false;
    if (strict == 0)
        return ERR_OK;
    if (strict == all && g->form == SCHEMA_JSON) {
        *ret_validated = true;
        return ERR_OK;
    }
    return ir_degrade(g->report, "strict", "tools.function.strict", g->fault);
}

static void put_mode(struct gemini_write *g, const char *mode, const struct str *allowed, size_t n)
{
    json_strz(&g->w, "mode", mode);
    if (n == 0)
        return;
    json_arr(&g->w, "allowedFunctionNames");
    for (size_t i = 0; i < n; i++)
        json_str(&g->w, NULL, gemini_tool_name(g->rq, allowed[i], g->a));
    json_end(&g->w);
}

static void put_calling(struct gemini_write *g, bool validated)
{
    const struct ir_request *rq = g->rq;
    const char *loose = validated ? "VALIDATED" : "AUTO";
    if (!g->functions || (rq->choice == IR_CHOICE_UNSET && !validated))
        return;
    json_obj(&g->w, "functionCallingConfig");
    switch (rq->choice) {
    case IR_CHOICE_UNSET:
    case IR_CHOICE_AUTO: put_mode(g, loose, NULL, 0); break;
    case IR_CHOICE_NONE: put_mode(g, "NONE", NULL, 0); break;
    case IR_CHOICE_REQUIRED: put_mode(g, "ANY", NULL, 0); break;
    case IR_CHOICE_TOOL: put_mode(g, "ANY", &rq->choice_name, 1); break;
    case IR_CHOICE_ALLOWED:
        if (rq->choice_allowed_required)
            put_mode(g, "ANY", rq->allowed, rq->allowed_count);
        else if (hides_others(g))
            put_mode(g, "AUTO", NULL, 0);
        else
            put_mode(g, "VALIDATED", rq->allowed, rq->allowed_count);
        break;
    }
    json_end(&g->w);
}

static enum err put_config(struct gemini_write *g)
{
    bool validated = false;
    bool mixed = g->functions && (g->builtins || g->search) && !g->t->vertex;
    if (g->functions)
        TRY(plan_strict(g, &validated));
    const struct conf_member *own = gemini_own(g, "toolConfig");
    if (gemini_counts_parts(g->t)) {
        /* how tools are called weighs nothing */
    } else if (own) {
        json_raw(&g->w, "toolConfig", own->json);
    } else if (mixed || (g->functions && (validated || g->rq->choice != IR_CHOICE_UNSET))) {
        json_obj(&g->w, "toolConfig");
        put_calling(g, validated);
        /* Asked for by the Developer API where functions and its own tools meet. */
        if (mixed)
            json_bool(&g->w, "includeServerSideToolInvocations", true);
        json_end(&g->w);
    }
    /* No switch for it: what comes after the first call of an answer is left out. */
    if (g->functions && g->rq->parallel_tool_calls == 0 && !g->rq->legacy_functions)
        return ir_degrade(g->report, "parallel_tool_calls", "parallel_tool_calls", g->fault);
    return ERR_OK;
}

enum err gemini_put_tools(struct gemini_write *g)
{
    const struct conf_member *own = gemini_own(g, "tools");
    struct json_iter it =
        json_iter(own && json_type_of(own->json) == JSON_ARRAY ? own->json : STR("[]"));
    bool more = json_next(&it);
    if (g->functions || g->builtins || g->search || more) {
        json_arr(&g->w, "tools");
        if (g->functions)
            TRY(put_declarations(g));
        if (g->search)
            json_raw(&g->w, NULL, STR("{\"googleSearch\":{}}"));
        for (const struct ir_tool *t = g->rq->tools; g->builtins && t; t = t->next)
            if (t->kind == IR_SERVER_TOOL && !is_foreign(t) && !is_off(g->rq, t))
                put_builtin(g, t);
        for (; more; more = json_next(&it)) /* the deployment's own, beside the caller's */
            json_raw(&g->w, NULL, it.value);
        json_end(&g->w);
    }
    return put_config(g);
}
