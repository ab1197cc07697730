/* A request in OpenAI's Chat Completions, for a provider. OpenAI's API reference, "Create chat completion", August 2026. A
 * request that came in this dialect keeps its parameters as they are: whether the model takes them is the provider's to say. */
#include "base/mem.h"
#include "dialect/openai_ir_priv.h"
#include "wire/digest.h"

#define OWN_BYTES_MAX (64 * MIB) /* as large as a request's body */

/* The deployment's own value wins. */
static bool is_set_by_deployment(const struct oa_write *o, const char *name)
{
    for (size_t i = 0; i < o->t->passthrough_count; i++)
        if (str_eq(o->t->passthrough[i].name, str_c(name)))
            return true;
    return false;
}

static void put_raw(struct oa_write *o, const char *name, struct str raw)
{
    if (raw.len && !is_set_by_deployment(o, name))
        segments_raw(o->s, &o->w, name, raw);
}

static void put_plain(struct oa_write *o, const char *name, struct str plain)
{
    if (plain.len && !is_set_by_deployment(o, name))
        json_str(&o->w, name, plain);
}

static void put_flag(struct oa_write *o, const char *name, int flag)
{
    if (flag >= 0)
        put_raw(o, name, flag ? STR("true") : STR("false"));
}

static bool is_foreign(const struct oa_write *o)
{
    return o->rq->origin != IR_FROM_OPENAI_CHAT;
}

/* -- numbers and sampling */

/* A number that the model may not take; `takes` is what is known about the model. */
static enum err put_number(struct oa_write *o, const char *name, const struct ir_number *n,
                           bool takes, const char *tag)
{
    if (!n->set)
        return ERR_OK;
    if (is_foreign(o) && !takes)
        return ir_drop(o->report, tag, name, o->fault);
    put_raw(o, name, n->raw);
    return ERR_OK;
}

/* OpenAI refuses max_tokens for models that reason, and servers that speak its dialect often know nothing else. */
static const char *limit_name(const struct oa_write *o)
{
    const struct provider *p = o->t->provider;
    if (p && !p->max_tokens_field.len)
        return "max_tokens"; /* both, or not known: the older one is understood everywhere */
    return p ? arena_cstr(o->a, p->max_tokens_field) : "max_completion_tokens";
}

static enum err put_sampling(struct oa_write *o)
{
    const struct ir_request *rq = o->rq;
    const struct model_facts *facts = o->t->facts;
    bool samples = facts->sampling != SAMPLING_NONE;
    /* Models that reason take temperature and top_p only where they say nothing: 1. */
    TRY(put_number(o, "temperature", &rq->temperature, samples || rq->temperature.value == 1,
                   "temperature"));
    TRY(put_number(o, "top_p", &rq->top_p, samples || rq->top_p.value == 1, "top_p"));
    TRY(put_number(o, "top_k", &rq->top_k, false, "top_k"));
    TRY(put_number(o, "seed", &rq->seed, facts->seed, "seed"));
    TRY(put_number(o, "frequency_penalty", &rq->frequency_penalty, facts->penalties, "penalties"));
    TRY(put_number(o, "presence_penalty", &rq->presence_penalty, facts->penalties, "penalties"));
    put_raw(o, "logit_bias", rq->logit_bias);
    return ERR_OK;
}

static enum err put_stop(struct oa_write *o)
{
    const struct ir_request *rq = o->rq;
    size_t n = rq->stop_count;
    if (n == 0 || is_set_by_deployment(o, "stop"))
        return ERR_OK;
    if (is_foreign(o) && o->t->facts->stop_max == 0)
        return ir_drop(o->report, "stop", "stop", o->fault);
    if (is_foreign(o) && n > o->t->facts->stop_max) {
        TRY(ir_degrade(o->report, "stop", "stop", o->fault));
        n = o->t->facts->stop_max;
    }
    json_arr(&o->w, "stop");
    for (size_t i = 0; i < n; i++)
        json_raw(&o->w, NULL, rq->stop[i]);
    json_end(&o->w);
    return ERR_OK;
}

static enum err put_output(struct oa_write *o)
{
    const struct ir_request *rq = o->rq;
    const struct model_facts *facts = o->t->facts;
    put_raw(o, limit_name(o), rq->max_tokens.set ? rq->max_tokens.raw : STR(""));
    TRY(put_stop(o));
    TRY(put_number(o, "n", &rq->n, rq->n.value <= facts->n_max, "n"));
    if (rq->logprobs && is_foreign(o) && !facts->logprobs) {
        TRY(ir_drop(o->report, "logprobs", "logprobs", o->fault));
    } else {
        put_flag(o, "logprobs", rq->logprobs ? 1 : -1);
        put_raw(o, "top_logprobs", rq->top_logprobs.set ? rq->top_logprobs.raw : STR(""));
    }
    put_raw(o, "modalities", rq->modalities);
    put_raw(o, "audio", rq->audio);
    put_raw(o, "prediction", rq->prediction);
    put_raw(o, "web_search_options", rq->web_search);
    put_plain(o, "verbosity", rq->verbosity);
    if (rq->stream) {
        json_bool(&o->w, "stream", true);
        put_raw(o, "stream_options", STR("{\"include_usage\":true}"));
    }
    return ERR_OK;
}

/* -- reasoning */

enum ir_effort oa_effort_of_budget(double tokens)
{
    if (tokens <= 0)
        return IR_EFFORT_NONE;
    return tokens < 512     ? IR_EFFORT_MINIMAL
           : tokens < 2048  ? IR_EFFORT_LOW
           : tokens < 8192  ? IR_EFFORT_MEDIUM
           : tokens < 24576 ? IR_EFFORT_HIGH
                            : IR_EFFORT_XHIGH;
}

enum ir_effort oa_nearest_effort(uint32_t has, enum ir_effort want)
{
    for (unsigned e = want; e > IR_EFFORT_UNSET; e--)
        if (has >> e & 1)
            return (enum ir_effort)e;
    for (unsigned e = want; e <= IR_EFFORT_MAX; e++)
        if (has >> e & 1)
            return (enum ir_effort)e;
    return IR_EFFORT_UNSET;
}

static enum err put_reasoning(struct oa_write *o)
{
    const struct ir_request *rq = o->rq;
    enum ir_effort want = rq->effort;
    if (want != IR_EFFORT_UNSET && !is_foreign(o)) {
        put_plain(o, "reasoning_effort", str_c(ir_effort_name(want)));
        return ERR_OK;
    }
    if (want == IR_EFFORT_UNSET && rq->thinking == 0)
        want = IR_EFFORT_NONE;
    if (want == IR_EFFORT_UNSET && rq->thinking_budget.set)
        want = oa_effort_of_budget(rq->thinking_budget.value);
    if (want == IR_EFFORT_UNSET && rq->thinking == 1)
        return ir_degrade(o->report, "thinking", "thinking",
                          o->fault); /* the model's default effort */
    if (want == IR_EFFORT_UNSET)
        return ERR_OK;
    enum ir_effort has = oa_nearest_effort(o->t->facts->efforts, want);
    if (has == IR_EFFORT_UNSET)
        return want == IR_EFFORT_NONE
                   ? ERR_OK
                   : ir_drop(o->report, "effort", rq->effort ? "reasoning_effort" : "thinking",
                             o->fault);
    if (has != want || rq->thinking_budget.set)
        TRY(ir_degrade(o->report, rq->effort ? "effort" : "thinking",
                       rq->effort ? "reasoning_effort" : "thinking", o->fault));
    put_plain(o, "reasoning_effort", str_c(ir_effort_name(has)));
    return ERR_OK;
}

/* -- tools */

static enum err put_ext(struct oa_write *o, const struct ir_ext *ext)
{
    for (; ext; ext = ext->next) {
        if (ext->origin == IR_FROM_OPENAI_CHAT) {
            json_name(&o->w, ext->name);
            segments_raw(o->s, &o->w, NULL, ext->raw);
            continue;
        }
        struct str name = arena_dup(o->a, str_head(ext->name, 48));
        TRY(ir_lose(o->report, arena_printf(o->a, "unknown(%s)", name.p).p, name.p, o->fault));
    }
    return ERR_OK;
}

static enum err put_tool(struct oa_write *o, const struct ir_tool *t)
{
    const char *kind = t->kind == IR_CUSTOM ? "custom" : "function";
    if (t->kind == IR_SERVER_TOOL) {
        segments_raw(o->s, &o->w, NULL, t->raw);
        return ERR_OK;
    }
    json_obj(&o->w, NULL);
    json_strz(&o->w, "type", kind);
    json_obj(&o->w, kind);
    json_str(&o->w, "name", t->name);
    if (t->description.len)
        segments_raw(o->s, &o->w, "description", t->description);
    if (t->kind == IR_CUSTOM && t->grammar.len)
        json_raw(&o->w, "format", t->grammar);
    if (t->kind == IR_FUNCTION && t->schema.len)
        segments_raw(o->s, &o->w, "parameters", t->schema);
    if (t->kind == IR_FUNCTION && t->strict >= 0)
        json_bool(&o->w, "strict", t->strict);
    TRY(put_ext(o, t->ext));
    json_end(&o->w);
    json_end(&o->w);
    /* OpenAI caches prompts by itself; a mark on a tool has no place ("Prompt caching", August 2026). */
    return t->cache ? ir_lose(o->report, "cache_control", "tools", o->fault) : ERR_OK;
}

/* True for tools that have a place in `tools`; the others are reported. */
static enum err keep_tool(struct oa_write *o, const struct ir_tool *t, bool *ret_keep)
{
    *ret_keep = t->kind == IR_FUNCTION || t->kind == IR_CUSTOM ||
                (t->kind == IR_SERVER_TOOL && t->origin == IR_FROM_OPENAI_CHAT);
    if (*ret_keep)
        return ERR_OK;
    if (t->kind != IR_WEB_SEARCH)
        return ir_drop(o->report, "server_tools", "tools", o->fault);
    if (!o->rq->web_search.len)
        put_raw(o, "web_search_options", STR("{}"));
    return ir_degrade(o->report, "web_search", "tools", o->fault);
}

static enum err put_tools(struct oa_write *o, bool *ret_any)
{
    bool keep;
    *ret_any = false;
    if (is_set_by_deployment(o, "tools"))
        return ERR_OK;
    for (const struct ir_tool *t = o->rq->tools; t; t = t->next) {
        TRY(keep_tool(o, t, &keep));
        *ret_any |= keep;
    }
    if (!*ret_any)
        return ERR_OK;
    json_arr(&o->w, "tools");
    for (const struct ir_tool *t = o->rq->tools; t; t = t->next)
        if (t->kind == IR_FUNCTION || t->kind == IR_CUSTOM ||
            (t->kind == IR_SERVER_TOOL && t->origin == IR_FROM_OPENAI_CHAT))
            TRY(put_tool(o, t));
    json_end(&o->w);
    return ERR_OK;
}

/* {"type":"function","function":{"name":"f"}} */
static void put_tool_name(struct oa_write *o, const char *member, struct str name, bool custom)
{
    const char *kind = custom ? "custom" : "function";
    json_obj(&o->w, member);
    json_strz(&o->w, "type", kind);
    json_obj(&o->w, kind);
    json_str(&o->w, "name", name);
    json_end(&o->w);
    json_end(&o->w);
}

static bool is_custom(const struct oa_write *o, struct str name)
{
    const struct ir_tool *t = ir_tool_find(o->rq, name);
    return t && t->kind == IR_CUSTOM;
}

/* Refused by OpenAI where there are no tools, so left out with them. */
static void put_choice(struct oa_write *o)
{
    const struct ir_request *rq = o->rq;
    put_flag(o, "parallel_tool_calls", rq->parallel_tool_calls);
    if (is_set_by_deployment(o, "tool_choice"))
        return;
    switch (rq->choice) {
    case IR_CHOICE_UNSET: return;
    case IR_CHOICE_NONE: json_strz(&o->w, "tool_choice", "none"); return;
    case IR_CHOICE_AUTO: json_strz(&o->w, "tool_choice", "auto"); return;
    case IR_CHOICE_REQUIRED: json_strz(&o->w, "tool_choice", "required"); return;
    case IR_CHOICE_TOOL:
        put_tool_name(o, "tool_choice", rq->choice_name,
                      rq->choice_custom || is_custom(o, rq->choice_name));
        return;
    case IR_CHOICE_ALLOWED: break;
    }
    json_obj(&o->w, "tool_choice");
    json_strz(&o->w, "type", "allowed_tools");
    json_obj(&o->w, "allowed_tools");
    json_strz(&o->w, "mode", rq->choice_allowed_required ? "required" : "auto");
    json_arr(&o->w, "tools");
    for (size_t i = 0; i < rq->allowed_count; i++)
        put_tool_name(o, NULL, rq->allowed[i], is_custom(o, rq->allowed[i]));
    json_end(&o->w);
    json_end(&o->w);
    json_end(&o->w);
}

static void put_format(struct oa_write *o)
{
    const struct ir_request *rq = o->rq;
    if (rq->format == IR_FORMAT_UNSET || is_set_by_deployment(o, "response_format"))
        return;
    json_obj(&o->w, "response_format");
    json_strz(&o->w, "type",
              rq->format == IR_FORMAT_TEXT   ? "text"
              : rq->format == IR_FORMAT_JSON ? "json_object"
                                             : "json_schema");
    if (rq->format == IR_FORMAT_SCHEMA) {
        json_obj(&o->w, "json_schema");
        json_str(&o->w, "name", rq->schema_name.len ? rq->schema_name : STR("response"));
        if (rq->schema_description.len)
            json_raw(&o->w, "description", rq->schema_description);
        if (rq->schema.len)
            segments_raw(o->s, &o->w, "schema", rq->schema);
        if (rq->schema_strict >= 0)
            json_bool(&o->w, "strict", rq->schema_strict);
        json_end(&o->w);
    }
    json_end(&o->w);
}

/* -- bookkeeping */

/* At most 64 characters ("safety_identifier", August 2026): longer ones are hashed, as OpenAI advises for all. */
static enum err put_identifier(struct oa_write *o, const char *name, struct str json)
{
    char hex[SHA256_HEX_BYTES];
    struct str plain = json_unescape(json, o->a);
    if (json.len == 0 || !is_foreign(o) || plain.len <= 64) {
        put_raw(o, name, json);
        return ERR_OK;
    }
    sha256_hex(plain, hex);
    put_plain(o, name, str_c(hex));
    return ir_degrade(o->report, "user", name, o->fault);
}

static enum err put_bookkeeping(struct oa_write *o)
{
    const struct ir_request *rq = o->rq;
    TRY(put_identifier(o, "user", rq->user));
    TRY(put_identifier(o, "safety_identifier", rq->safety_identifier));
    put_plain(o, "service_tier", rq->service_tier);
    put_raw(o, "metadata", rq->metadata);
    put_raw(o, "prompt_cache_key", rq->prompt_cache_key);
    put_raw(o, "prompt_cache_retention", rq->prompt_cache_retention);
    put_raw(o, "store", rq->store);
    return ERR_OK;
}

/* What the client sent beside, then what the deployment sets. */
static enum err put_rest(struct oa_write *o)
{
    static const struct str ours[] = { STR_INIT("model"), STR_INIT("messages"),
                                       STR_INIT("stream") };
    for (const struct ir_ext *e = o->rq->ext; e; e = e->next) {
        struct ir_ext one = *e;
        one.next = NULL;
        if (!is_set_by_deployment(o, arena_cstr(o->a, e->name)))
            TRY(put_ext(o, &one));
    }
    for (size_t i = 0; i < o->t->passthrough_count; i++) {
        const struct conf_member *m = &o->t->passthrough[i];
        if (str_eq(m->name, ours[0]) || str_eq(m->name, ours[1]) || str_eq(m->name, ours[2]))
            continue; /* routing decides the model, the client the framing */
        json_name(&o->w, m->name);
        json_raw(&o->w, NULL, m->json);
    }
    return ERR_OK;
}

static enum err put_body(struct oa_write *o)
{
    bool tools;
    json_begin(&o->w, &o->s->own);
    json_obj(&o->w, NULL);
    json_str(&o->w, "model", o->t->model);
    TRY(oa_put_messages(o));
    TRY(put_tools(o, &tools));
    if (tools || is_set_by_deployment(o, "tools"))
        put_choice(o);
    put_format(o);
    TRY(put_output(o));
    TRY(put_sampling(o));
    TRY(put_reasoning(o));
    TRY(put_bookkeeping(o));
    TRY(put_rest(o));
    json_end(&o->w);
    if (o->s->own.fail)
        return fault_set(o->fault, ERR_TOO_LARGE, o->a,
                         "The request is too large once translated.");
    return ERR_OK;
}

enum err oa_write_request(const struct ir_request *rq, const struct dialect_target *t,
                          struct ir_report *report, struct arena *a, struct ir_call *ret_call,
                          struct fault *ret_fault)
{
    struct oa_write o = { .rq = rq, .t = t, .report = report, .fault = ret_fault, .a = a };
    *ret_call = (struct ir_call){ .suffix = STR("/chat/completions") };
    segments_init(&ret_call->body, OWN_BYTES_MAX);
    o.s = &ret_call->body;
    enum err e = put_body(&o);
    if (e)
        segments_done(&ret_call->body);
    return e;
}
