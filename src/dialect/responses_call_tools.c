/* Tools, tool_choice and text.format: flat, where Chat Completions nests (OpenAI's API reference, "Responses", tools, August 2026). */
#include "dialect/openai_ir_priv.h"
#include "dialect/responses_provider_priv.h"

/* -- functions and custom tools */

static enum err put_function(struct rc_write *c, const struct ir_tool *t)
{
    json_obj(&c->w, NULL);
    json_strz(&c->w, "type", "function");
    json_str(&c->w, "name", t->name);
    if (t->description.len)
        segments_raw(c->s, &c->w, "description", t->description);
    segments_raw(c->s, &c->w, "parameters",
                 t->schema.len ? t->schema : STR("{\"type\":\"object\",\"properties\":{}}"));
    /* Absent, this API tries strict; Chat Completions does not. */
    json_bool(&c->w, "strict", t->strict == 1);
    return ERR_OK;
}

/* {"type":"grammar","grammar":{"syntax":...,"definition":...}} of Chat Completions. */
static void put_grammar(struct rc_write *c, struct str format)
{
    struct str nested = json_get(format, "grammar");
    if (json_type_of(nested) != JSON_OBJECT) {
        segments_raw(c->s, &c->w, "format", format);
        return;
    }
    json_obj(&c->w, "format");
    json_strz(&c->w, "type", "grammar");
    struct json_iter it = json_iter(nested);
    while (json_next(&it)) {
        struct str name = str_of(it.name.p - 1, it.name.len + 2);
        if (json_str_eq(name, STR("type")))
            continue;
        json_name(&c->w, json_unescape(name, c->a));
        segments_raw(c->s, &c->w, NULL, it.value);
    }
    json_end(&c->w);
}

static enum err put_custom(struct rc_write *c, const struct ir_tool *t)
{
    json_obj(&c->w, NULL);
    json_strz(&c->w, "type", "custom");
    json_str(&c->w, "name", t->name);
    if (t->description.len)
        segments_raw(c->s, &c->w, "description", t->description);
    if (t->grammar.len)
        put_grammar(c, t->grammar);
    return ERR_OK;
}

/* -- the provider's own tools */

static bool is_builtin(struct str type)
{
    static const struct str types[] = {
        STR_INIT("apply_patch"),
        STR_INIT("code_interpreter"),
        STR_INIT("computer"),
        STR_INIT("file_search"),
        STR_INIT("image_generation"),
        STR_INIT("local_shell"),
        STR_INIT("mcp"),
        STR_INIT("shell"),
        STR_INIT("tool_search"),
        STR_INIT("web_search"),
        STR_INIT("namespace"),
        STR_INIT("computer_use_preview"),
        STR_INIT("web_search_preview"),
        STR_INIT("web_search_2025_08_26"),
        STR_INIT("web_search_preview_2025_03_11"),
        STR_INIT("programmatic_tool_calling"),
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (json_str_eq(type, types[i]))
            return true;
    return false;
}

static bool is_own(const struct ir_tool *t)
{
    bool openai = t->origin == IR_FROM_OPENAI_RESPONSES || t->origin == IR_FROM_OPENAI_CHAT;
    return openai && t->raw.len && is_builtin(json_get(t->raw, "type"));
}

/* Chat Completions has the place in an object of its own: {"type":"approximate","approximate":{"city":...}}. */
static void put_location(struct rc_write *c, struct str location)
{
    static const char *const names[] = { "city", "country", "region", "timezone" };
    struct str inner = json_get(location, "approximate");
    json_obj(&c->w, "user_location");
    json_strz(&c->w, "type", "approximate");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct str value = json_get(inner.len ? inner : location, names[i]);
        if (json_type_of(value) == JSON_STRING)
            json_raw(&c->w, names[i], value);
    }
    json_end(&c->w);
}

static enum err put_web_search(struct rc_write *c, struct str options)
{
    static const struct str known[] = { STR_INIT("search_context_size"),
                                        STR_INIT("user_location") };
    struct str v[2];
    struct ir_ext *rest;
    oa_members(options, known, 2, v, c->a, &rest);
    json_obj(&c->w, NULL);
    json_strz(&c->w, "type", "web_search");
    if (v[0].len)
        json_raw(&c->w, "search_context_size", v[0]);
    if (json_type_of(v[1]) == JSON_OBJECT)
        put_location(c, v[1]);
    json_end(&c->w);
    return rest ? ir_degrade(c->report, "web_search", "web_search_options", c->fault) : ERR_OK;
}

/* -- all tools */

static bool is_kept(const struct ir_tool *t)
{
    return t->kind == IR_FUNCTION || t->kind == IR_CUSTOM || t->kind == IR_WEB_SEARCH || is_own(t);
}

static enum err put_tool(struct rc_write *c, const struct ir_tool *t)
{
    if (t->kind == IR_SERVER_TOOL || (t->kind == IR_WEB_SEARCH && is_own(t))) {
        segments_raw(c->s, &c->w, NULL, t->raw);
        return ERR_OK;
    }
    if (t->kind == IR_WEB_SEARCH) {
        TRY(put_web_search(c, str_of(NULL, 0)));
        return ir_degrade(c->report, "web_search", "tools", c->fault);
    }
    TRY(t->kind == IR_CUSTOM ? put_custom(c, t) : put_function(c, t));
    for (const struct ir_ext *x = t->ext; x; x = x->next) {
        if (x->origin == IR_FROM_OPENAI_RESPONSES) {
            json_name(&c->w, x->name);
            segments_raw(c->s, &c->w, NULL, x->raw);
            continue;
        }
        struct str name = str_head(x->name, 40);
        TRY(ir_lose(c->report, arena_printf(c->a, "unknown(%.*s)", STR_ARG(name)).p, "tools",
                    c->fault));
    }
    json_end(&c->w);
    /* OpenAI caches prompts by itself; a mark on a tool has no place ("Prompt caching", August 2026). */
    return t->cache ? ir_lose(c->report, "cache_control", "tools", c->fault) : ERR_OK;
}

static const char *kind_of(const struct rc_write *c, struct str name)
{
    const struct ir_tool *t = ir_tool_find(c->rq, name);
    return t && t->kind == IR_CUSTOM ? "custom" : "function";
}

static void put_named(struct rc_write *c, const char *member_name, struct str name, bool custom)
{
    json_obj(&c->w, member_name);
    json_strz(&c->w, "type", custom ? "custom" : kind_of(c, name));
    json_str(&c->w, "name", name);
    json_end(&c->w);
}

/* Refused by OpenAI where there are no tools, so left out with them. */
static void put_choice(struct rc_write *c)
{
    const struct ir_request *rq = c->rq;
    if (rc_is_set(c, "tool_choice"))
        return;
    switch (rq->choice) {
    case IR_CHOICE_UNSET: return;
    case IR_CHOICE_NONE: json_strz(&c->w, "tool_choice", "none"); return;
    case IR_CHOICE_AUTO: json_strz(&c->w, "tool_choice", "auto"); return;
    case IR_CHOICE_REQUIRED: json_strz(&c->w, "tool_choice", "required"); return;
    case IR_CHOICE_TOOL: put_named(c, "tool_choice", rq->choice_name, rq->choice_custom); return;
    case IR_CHOICE_ALLOWED: break;
    }
    json_obj(&c->w, "tool_choice");
    json_strz(&c->w, "type", "allowed_tools");
    json_strz(&c->w, "mode", rq->choice_allowed_required ? "required" : "auto");
    json_arr(&c->w, "tools");
    for (size_t i = 0; i < rq->allowed_count; i++)
        put_named(c, NULL, rq->allowed[i], false);
    json_end(&c->w);
    json_end(&c->w);
}

static bool searches(const struct ir_request *rq)
{
    for (const struct ir_tool *t = rq->tools; t; t = t->next)
        if (t->kind == IR_WEB_SEARCH)
            return true;
    return false;
}

enum err rc_put_tools(struct rc_write *c)
{
    const struct ir_request *rq = c->rq;
    bool options = rq->web_search.len && !searches(rq), any = options;
    bool set = rc_is_set(c, "tools");
    for (const struct ir_tool *t = rq->tools; t && !set; t = t->next) {
        if (!is_kept(t))
            TRY(ir_drop(c->report, "server_tools", "tools", c->fault));
        any |= is_kept(t);
    }
    if (!set && any) {
        json_arr(&c->w, "tools");
        for (const struct ir_tool *t = rq->tools; t; t = t->next)
            if (is_kept(t))
                TRY(put_tool(c, t));
        if (options)
            TRY(put_web_search(c, rq->web_search));
        json_end(&c->w);
    }
    if (!set && !any)
        return ERR_OK;
    put_choice(c);
    if (rq->parallel_tool_calls >= 0 && !rc_is_set(c, "parallel_tool_calls"))
        json_bool(&c->w, "parallel_tool_calls", rq->parallel_tool_calls == 1);
    return ERR_OK;
}
