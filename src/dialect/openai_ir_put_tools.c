/* Tools of a request in OpenAI's Chat Completions, their choice, and the web search, which is no tool here. */
#include "dialect/openai_ir_priv.h"
#include "dialect/tools.h"

struct str oa_tool_name(const struct oa_write *o, struct str name)
{
    return oa_is_foreign(o) ? tool_name(o->rq, name, o->a) : name;
}

bool oa_emulates_custom(const struct oa_write *o)
{
    return !oa_takes(o, CHAT_CUSTOM_TOOLS, "tools");
}

/* -- what has no place here */

/* A tool that is not offered, by name. */
static enum err drop_tool(struct oa_write *o, const struct ir_tool *t, const char *tag)
{
    struct str type = json_unescape(json_get(t->raw, "type"), o->a);
    if (o->report->drop_params)
        return ir_drop(o->report, tag, "tools", o->fault);
    fault_set(
        o->fault, ERR_UNSUPPORTED_PARAM, o->a,
        "`tools` holds %.*s, which %.*s does not have on Chat Completions. Leave it out, choose "
        "another model, or set drop_params: true in the config's litellm_settings or the model's "
        "litellm_params to have it dropped.",
        STR_ARG(type.len ? str_head(type, 64) : STR("a tool of the provider's own")),
        STR_ARG(o->report->target.len ? o->report->target : o->t->model));
    o->fault->param = STR("tools");
    return ERR_UNSUPPORTED_PARAM;
}

/* -- functions and custom tools */

static bool is_allowed(const struct ir_request *rq, struct str name)
{
    for (size_t i = 0; i < rq->allowed_count; i++)
        if (str_eq(rq->allowed[i], name))
            return true;
    return false;
}

/* Some of the tools may be called, and the provider has no word for it: the others are left out. */
static bool hides_others(const struct oa_write *o)
{
    return o->rq->choice == IR_CHOICE_ALLOWED && !oa_takes(o, CHAT_ALLOWED_TOOLS, "tool_choice");
}

static bool is_kept(const struct oa_write *o, const struct ir_tool *t)
{
    if (t->kind == IR_SERVER_TOOL)
        return t->origin == IR_FROM_OPENAI_CHAT;
    if (t->kind != IR_FUNCTION && t->kind != IR_CUSTOM)
        return false;
    return !hides_others(o) || is_allowed(o->rq, t->name);
}

static enum err put_custom(struct oa_write *o, const struct ir_tool *t)
{
    bool grammar;
    if (!oa_emulates_custom(o)) {
        if (t->description.len)
            segments_raw(o->s, &o->w, "description", t->description);
        if (t->grammar.len)
            json_raw(&o->w, "format", t->grammar);
        return ERR_OK;
    }
    struct str description = custom_tool_description(t, o->a, &grammar);
    if (description.len)
        segments_raw(o->s, &o->w, "description", description);
    json_raw(&o->w, "parameters", STR(CUSTOM_TOOL_SCHEMA));
    return grammar ? ir_degrade(o->report, "grammar", "tools.custom.format", o->fault) : ERR_OK;
}

static void put_function(struct oa_write *o, const struct ir_tool *t)
{
    if (t->description.len)
        segments_raw(o->s, &o->w, "description", t->description);
    if (t->schema.len)
        segments_raw(o->s, &o->w, "parameters", t->schema);
    if (t->strict >= 0)
        json_bool(&o->w, "strict", t->strict);
}

static const char *kind_of(const struct oa_write *o, bool custom)
{
    return custom && !oa_emulates_custom(o) ? "custom" : "function";
}

static enum err put_tool(struct oa_write *o, const struct ir_tool *t)
{
    const char *kind = kind_of(o, t->kind == IR_CUSTOM);
    if (t->kind == IR_SERVER_TOOL) {
        segments_raw(o->s, &o->w, NULL, t->raw);
        return ERR_OK;
    }
    json_obj(&o->w, NULL);
    json_strz(&o->w, "type", kind);
    json_obj(&o->w, kind);
    json_str(&o->w, "name", oa_tool_name(o, t->name));
    if (t->kind == IR_CUSTOM)
        TRY(put_custom(o, t));
    else
        put_function(o, t);
    TRY(oa_put_ext(o, t->ext));
    json_end(&o->w);
    json_end(&o->w);
    /* OpenAI caches prompts by itself; a mark on a tool has no place ("Prompt caching", August 2026). */
    return t->cache ? ir_lose(o->report, "cache_control", "tools", o->fault) : ERR_OK;
}

/* -- web search: an option of the request, of models that search */

/* It is not among the tools that a choice of others leaves. */
static bool may_search(const struct ir_request *rq)
{
    return rq->choice == IR_CHOICE_UNSET || rq->choice == IR_CHOICE_AUTO ||
           rq->choice == IR_CHOICE_REQUIRED;
}

static bool searches(const struct oa_write *o)
{
    const struct provider *row = o->t->provider;
    if (!oa_is_foreign(o) || o->t->facts->web_search)
        return true;
    return row && oa_takes(o, CHAT_WEB_SEARCH, "web_search_options");
}

/* {"type":"approximate","approximate":{"city":..}}: in the Responses API its members stand beside the type. */
static void put_location(struct oa_write *o, struct str location)
{
    static const char *const names[] = { "city", "country", "region", "timezone" };
    struct str inner = json_get(location, "approximate");
    json_obj(&o->w, "user_location");
    json_strz(&o->w, "type", "approximate");
    json_obj(&o->w, "approximate");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct str value = json_get(inner.len ? inner : location, names[i]);
        if (json_type_of(value) == JSON_STRING)
            json_raw(&o->w, names[i], value);
    }
    json_end(&o->w);
    json_end(&o->w);
}

/* Its domains, and that it is the model's choice whether to search, have no word here. */
static enum err put_search(struct oa_write *o)
{
    const struct ir_tool *t = o->rq->tools;
    while (t && t->kind != IR_WEB_SEARCH)
        t = t->next;
    if (!t || !may_search(o->rq) || o->rq->web_search.len || oa_is_set(o, "web_search_options"))
        return ERR_OK;
    if (!searches(o))
        return drop_tool(o, t, "web_search");
    struct str size = json_get(t->raw, "search_context_size");
    struct str location = json_get(t->raw, "user_location");
    json_obj(&o->w, "web_search_options");
    if (json_type_of(size) == JSON_STRING)
        json_raw(&o->w, "search_context_size", size);
    if (json_type_of(location) == JSON_OBJECT)
        put_location(o, location);
    json_end(&o->w);
    return ir_degrade(o->report, "web_search", "tools", o->fault);
}

/* -- the choice */

/* {"type":"function","function":{"name":"f"}} */
static void put_tool_name(struct oa_write *o, const char *member_name, struct str name, bool custom)
{
    const struct ir_tool *t = ir_tool_find(o->rq, name);
    const char *kind = kind_of(o, custom || (t && t->kind == IR_CUSTOM));
    json_obj(&o->w, member_name);
    json_strz(&o->w, "type", kind);
    json_obj(&o->w, kind);
    json_str(&o->w, "name", oa_tool_name(o, name));
    json_end(&o->w);
    json_end(&o->w);
}

static enum err put_allowed(struct oa_write *o)
{
    const struct ir_request *rq = o->rq;
    const char *mode = rq->choice_allowed_required ? "required" : "auto";
    if (hides_others(o)) { /* another set of tools is another prefix to cache */
        json_strz(&o->w, "tool_choice", mode);
        return ir_degrade(o->report, "cache", "tool_choice", o->fault);
    }
    json_obj(&o->w, "tool_choice");
    json_strz(&o->w, "type", "allowed_tools");
    json_obj(&o->w, "allowed_tools");
    json_strz(&o->w, "mode", mode);
    json_arr(&o->w, "tools");
    for (size_t i = 0; i < rq->allowed_count; i++)
        put_tool_name(o, NULL, rq->allowed[i], false);
    json_end(&o->w);
    json_end(&o->w);
    json_end(&o->w);
    return ERR_OK;
}

static enum err put_choice(struct oa_write *o)
{
    const struct ir_request *rq = o->rq;
    if (rq->parallel_tool_calls >= 0 && !oa_is_set(o, "parallel_tool_calls"))
        json_bool(&o->w, "parallel_tool_calls", rq->parallel_tool_calls);
    if (oa_is_set(o, "tool_choice"))
        return ERR_OK;
    switch (rq->choice) {
    case IR_CHOICE_UNSET: break;
    case IR_CHOICE_NONE: json_strz(&o->w, "tool_choice", "none"); break;
    case IR_CHOICE_AUTO: json_strz(&o->w, "tool_choice", "auto"); break;
    case IR_CHOICE_REQUIRED: json_strz(&o->w, "tool_choice", "required"); break;
    case IR_CHOICE_TOOL: put_tool_name(o, "tool_choice", rq->choice_name, rq->choice_custom); break;
    case IR_CHOICE_ALLOWED: return put_allowed(o);
    }
    return ERR_OK;
}

/* Without tools OpenAI refuses a choice of them: what it asked of tools that are not sent is lost. */
static enum err lose_choice(struct oa_write *o)
{
    const struct ir_request *rq = o->rq;
    bool forces = rq->choice == IR_CHOICE_REQUIRED || rq->choice == IR_CHOICE_TOOL;
    if (!oa_is_foreign(o) || !rq->tools || rq->choice == IR_CHOICE_NONE)
        return ERR_OK;
    if (forces && !oa_is_set(o, "tool_choice"))
        TRY(ir_lose(o->report, "tool_choice", "tool_choice", o->fault));
    if (rq->parallel_tool_calls == 0 && !oa_is_set(o, "parallel_tool_calls"))
        return ir_lose(o->report, "parallel_tool_calls", "parallel_tool_calls", o->fault);
    return ERR_OK;
}

enum err oa_put_tools(struct oa_write *o)
{
    bool set = oa_is_set(o, "tools"), any = false;
    for (const struct ir_tool *t = o->rq->tools; t && !set; t = t->next) {
        if (t->kind == IR_SERVER_TOOL && !is_kept(o, t))
            TRY(drop_tool(o, t, "server_tools"));
        any |= is_kept(o, t);
    }
    if (!set)
        TRY(put_search(o));
    if (any) {
        json_arr(&o->w, "tools");
        for (const struct ir_tool *t = o->rq->tools; t; t = t->next)
            if (is_kept(o, t))
                TRY(put_tool(o, t));
        json_end(&o->w);
    }
    return any || set ? put_choice(o) : lose_choice(o);
}
