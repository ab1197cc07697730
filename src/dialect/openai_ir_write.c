/* A request in OpenAI's Chat Completions, for a provider. OpenAI's API reference, "Create chat completion", August 2026. A
 * request that came in this dialect keeps its parameters as they are: whether the model takes them is the provider's to say. */
#include "base/mem.h"
#include "dialect/openai_ir_priv.h"
#include "wire/digest.h"

#define OWN_BYTES_MAX (64 * MIB) /* as large as a request's body */

bool oa_is_set(const struct oa_write *o, const char *name)
{
    for (size_t i = 0; i < o->t->passthrough_count; i++)
        if (str_eq(o->t->passthrough[i].name, str_c(name)))
            return true;
    return false;
}

static void put_raw(struct oa_write *o, const char *name, struct str raw)
{
    if (raw.len && !oa_is_set(o, name))
        segments_raw(o->s, &o->w, name, raw);
}

static void put_plain(struct oa_write *o, const char *name, struct str plain)
{
    if (plain.len && !oa_is_set(o, name))
        json_str(&o->w, name, plain);
}

static void put_flag(struct oa_write *o, const char *name, int flag)
{
    if (flag >= 0)
        put_raw(o, name, flag ? STR("true") : STR("false"));
}

bool oa_is_foreign(const struct oa_write *o)
{
    return o->rq->origin != IR_FROM_OPENAI_CHAT;
}

bool oa_takes(const struct oa_write *o, uint32_t what, const char *name)
{
    const struct provider *row = o->t->provider;
    if (!oa_is_foreign(o) || !row || row->chat_takes & what)
        return true;
    for (size_t i = 0; i < o->t->allowed_count; i++)
        if (str_eq(o->t->allowed[i], str_c(name)))
            return true;
    return false;
}

enum err oa_put_ext(struct oa_write *o, const struct ir_ext *ext)
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

/* -- numbers and sampling */

/* A number that the model may not take; `takes` is what is known about the model. */
static enum err put_number(struct oa_write *o, const char *name, const struct ir_number *n,
                           bool takes, const char *tag)
{
    if (!n->set)
        return ERR_OK;
    if (oa_is_foreign(o) && !takes)
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
    if (n == 0 || oa_is_set(o, "stop"))
        return ERR_OK;
    if (oa_is_foreign(o) && o->t->facts->stop_max == 0)
        return ir_drop(o->report, "stop", "stop", o->fault);
    if (oa_is_foreign(o) && n > o->t->facts->stop_max) {
        TRY(ir_degrade(o->report, "stop", "stop", o->fault));
        n = o->t->facts->stop_max;
    }
    json_arr(&o->w, "stop");
    for (size_t i = 0; i < n; i++)
        json_raw(&o->w, NULL, rq->stop[i]);
    json_end(&o->w);
    return ERR_OK;
}

static enum err put_verbosity(struct oa_write *o)
{
    if (o->rq->verbosity.len && !oa_is_set(o, "verbosity") &&
        !oa_takes(o, CHAT_VERBOSITY, "verbosity"))
        return ir_drop(o->report, "verbosity", "verbosity", o->fault);
    put_plain(o, "verbosity", o->rq->verbosity);
    return ERR_OK;
}

static enum err put_output(struct oa_write *o)
{
    const struct ir_request *rq = o->rq;
    const struct model_facts *facts = o->t->facts;
    put_raw(o, limit_name(o), rq->max_tokens.set ? rq->max_tokens.raw : STR(""));
    TRY(put_stop(o));
    TRY(put_number(o, "n", &rq->n, rq->n.value <= facts->n_max, "n"));
    if (rq->logprobs && oa_is_foreign(o) && !facts->logprobs) {
        TRY(ir_drop(o->report, "logprobs", "logprobs", o->fault));
    } else {
        put_flag(o, "logprobs", rq->logprobs ? 1 : -1);
        put_raw(o, "top_logprobs", rq->top_logprobs.set ? rq->top_logprobs.raw : STR(""));
    }
    put_raw(o, "modalities", rq->modalities);
    put_raw(o, "audio", rq->audio);
    put_raw(o, "prediction", rq->prediction);
    put_raw(o, "web_search_options", rq->web_search);
    TRY(put_verbosity(o));
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

/* OpenAI's chat completions tell nothing of the reasoning; of others the text is known to come, and is the summary. */
static enum err check_summary(struct oa_write *o)
{
    const struct provider *row = o->t->provider;
    if (!oa_is_foreign(o) || !o->rq->reasoning_summary.len || (row && row->reasoning_field.len))
        return ERR_OK;
    return ir_lose(o->report, "reasoning_summary", "reasoning.summary", o->fault);
}

static enum err put_reasoning(struct oa_write *o)
{
    const struct ir_request *rq = o->rq;
    const char *member = rq->effort ? "reasoning_effort" : "thinking";
    enum ir_effort want = rq->effort;
    if (want != IR_EFFORT_UNSET && !oa_is_foreign(o)) {
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
        return want == IR_EFFORT_NONE ? ERR_OK : ir_drop(o->report, member, member, o->fault);
    if (has != want || rq->thinking_budget.set)
        TRY(ir_degrade(o->report, member, member, o->fault));
    put_plain(o, "reasoning_effort", str_c(ir_effort_name(has)));
    return ERR_OK;
}

/* -- the format of the answer */

static void put_format(struct oa_write *o)
{
    const struct ir_request *rq = o->rq;
    if (rq->format == IR_FORMAT_UNSET || oa_is_set(o, "response_format"))
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
    if (json.len == 0 || !oa_is_foreign(o) || plain.len <= 64) {
        put_raw(o, name, json);
        return ERR_OK;
    }
    sha256_hex(plain, hex);
    put_plain(o, name, str_c(hex));
    return ir_degrade(o->report, "user", name, o->fault);
}

/* A hint: lost where it is not taken, never refused. */
static enum err put_hint(struct oa_write *o, uint32_t what, const char *name, struct str raw)
{
    if (raw.len && !oa_is_set(o, name) && !oa_takes(o, what, name))
        return ir_lose(o->report, name, name, o->fault);
    put_raw(o, name, raw);
    return ERR_OK;
}

static enum err put_users(struct oa_write *o)
{
    const struct ir_request *rq = o->rq;
    const struct provider *row = o->t->provider;
    bool user = !oa_is_foreign(o) || !row || !row->no_user || oa_is_set(o, "user");
    bool safety =
        oa_is_set(o, "safety_identifier") || oa_takes(o, CHAT_SAFETY, "safety_identifier");
    if (rq->user.len && !user)
        TRY(ir_lose(o->report, "user", "user", o->fault));
    else
        TRY(put_identifier(o, "user", rq->user));
    if (rq->safety_identifier.len && !safety)
        return ir_lose(o->report, "user", "safety_identifier", o->fault);
    return put_identifier(o, "safety_identifier", rq->safety_identifier);
}

/* Who has no such tiers has the usual one. */
static enum err put_tier(struct oa_write *o)
{
    struct str tier = o->rq->service_tier;
    uint32_t what = str_eq(tier, STR("flex"))       ? CHAT_FLEX
                    : str_eq(tier, STR("priority")) ? CHAT_PRIORITY
                                                    : CHAT_TIERS;
    if (!tier.len || oa_takes(o, what, "service_tier"))
        put_plain(o, "service_tier", tier);
    else if (!oa_is_set(o, "service_tier") && !str_eq(tier, STR("auto")) &&
             !str_eq(tier, STR("default")))
        return ir_drop(o->report, "service_tier", "service_tier", o->fault);
    return ERR_OK;
}

static enum err put_bookkeeping(struct oa_write *o)
{
    const struct ir_request *rq = o->rq;
    TRY(put_users(o));
    TRY(put_tier(o));
    TRY(put_hint(o, CHAT_METADATA, "metadata", rq->metadata));
    TRY(put_hint(o, CHAT_CACHE_KEY, "prompt_cache_key", rq->prompt_cache_key));
    TRY(put_hint(o, CHAT_CACHE_RETENTION, "prompt_cache_retention", rq->prompt_cache_retention));
    put_raw(o, "store", rq->store);
    /* Chat Completions refuses what is too long ("Conversation state", August 2026). */
    if (str_eq(rq->truncation, STR("auto")) && !oa_is_set(o, "truncation"))
        return ir_lose(o->report, "truncation", "truncation", o->fault);
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
        if (!oa_is_set(o, arena_cstr(o->a, e->name)))
            TRY(oa_put_ext(o, &one));
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
    json_begin(&o->w, &o->s->own);
    json_obj(&o->w, NULL);
    json_str(&o->w, "model", o->t->model);
    TRY(oa_put_messages(o));
    TRY(oa_put_tools(o));
    put_format(o);
    TRY(put_output(o));
    TRY(put_sampling(o));
    TRY(check_summary(o));
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
