/* A request for a provider of the Responses API: the members at the top. OpenAI's API reference, "Create a model response", August
 * 2026. Unknown members are refused by it, so what has no place is dropped here, and told. */
#include "base/mem.h"
#include "dialect/openai_ir_priv.h"
#include "dialect/responses_provider_priv.h"
#include "wire/digest.h"

#define OWN_BYTES_MAX (64 * MIB) /* as large as a request's body */
#define MAX_TOKENS_MIN 16
#define IDENTIFIER_MAX 64

bool rc_is_set(const struct rc_write *c, const char *name)
{
    for (size_t i = 0; i < c->t->passthrough_count; i++)
        if (str_eq(c->t->passthrough[i].name, str_c(name)))
            return true;
    return false;
}

enum err rc_refuse(struct rc_write *c, const char *member, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str why = arena_vprintf(c->a, fmt, ap);
    va_end(ap);
    fault_set(c->fault, ERR_UNSUPPORTED_PARAM, c->a, "`%s` %.*s.", member, STR_ARG(why));
    c->fault->param = arena_dup(c->a, str_c(member));
    return ERR_UNSUPPORTED_PARAM;
}

static void put_raw(struct rc_write *c, const char *name, struct str raw)
{
    if (raw.len && !rc_is_set(c, name))
        segments_raw(c->s, &c->w, name, raw);
}

static void put_plain(struct rc_write *c, const char *name, struct str plain)
{
    if (plain.len && !rc_is_set(c, name))
        json_str(&c->w, name, plain);
}

static bool reasons(const struct rc_write *c)
{
    return c->t->facts->thinking != THINK_NONE;
}

/* -- what this API does not have */

static bool is_zero(const struct ir_number *n)
{
    return !n->set || n->value == 0;
}

/* An object or array without members. */
static bool is_nothing(struct str raw)
{
    struct json_iter it = json_iter(raw);
    return raw.len == 0 || !json_next(&it);
}

static bool asks_for_audio(const struct ir_request *rq)
{
    struct json_iter it = json_iter(rq->modalities);
    while (json_next(&it))
        if (!json_str_eq(it.value, STR("text")))
            return true;
    return rq->audio.len > 0;
}

static enum err check_params(struct rc_write *c)
{
    const struct ir_request *rq = c->rq;
    const struct {
        bool sent;
        const char *tag, *member;
    } dropped[] = {
        { rq->stop_count > 0, "stop", "stop" },
        { rq->seed.set, "seed", "seed" },
        { !is_zero(&rq->frequency_penalty), "penalties", "frequency_penalty" },
        { !is_zero(&rq->presence_penalty), "penalties", "presence_penalty" },
        { !is_nothing(rq->logit_bias), "logit_bias", "logit_bias" },
        { rq->prediction.len > 0, "prediction", "prediction" },
        { rq->top_k.set, "top_k", "top_k" },
    };
    if (rq->n.set && rq->n.value != 1)
        return rc_refuse(
            c, "n",
            "must be 1: %.*s is reached by the Responses API, which gives one choice a "
            "request; leave n out or send 1",
            STR_ARG(c->t->model));
    if (asks_for_audio(rq))
        return rc_refuse(c, rq->audio.len ? "audio" : "modalities",
                         "asks for audio: %.*s is reached by the Responses API, which answers with "
                         "text alone",
                         STR_ARG(c->t->model));
    for (size_t i = 0; i < sizeof dropped / sizeof dropped[0]; i++)
        if (dropped[i].sent && !rc_is_set(c, dropped[i].member))
            TRY(ir_drop(c->report, dropped[i].tag, dropped[i].member, c->fault));
    return ERR_OK;
}

/* -- sampling */

/* Models that reason sample freely only where they do not ("Using GPT-5.2", parameter compatibility). */
static bool samples(const struct rc_write *c)
{
    const struct model_facts *f = c->t->facts;
    bool can_rest = f->efforts >> IR_EFFORT_NONE & 1;
    bool asked = c->rq->effort != IR_EFFORT_UNSET || c->rq->thinking == 1;
    return f->sampling != SAMPLING_NONE ||
           (can_rest && (c->rq->effort == IR_EFFORT_NONE || (!asked && !f->reasons_by_default)));
}

static enum err put_number(struct rc_write *c, const char *name, const struct ir_number *n)
{
    if (!n->set)
        return ERR_OK;
    /* 1 says nothing. */
    if (!samples(c) && n->value != 1 && !rc_is_set(c, name))
        return ir_drop(c->report, name, name, c->fault);
    put_raw(c, name, n->raw);
    return ERR_OK;
}

static enum err put_max_tokens(struct rc_write *c)
{
    const struct ir_number *n = &c->rq->max_tokens;
    if (!n->set || rc_is_set(c, "max_output_tokens"))
        return ERR_OK;
    if (n->value >= MAX_TOKENS_MIN) {
        json_raw(&c->w, "max_output_tokens", n->raw);
        return ERR_OK;
    }
    json_uint(&c->w, "max_output_tokens", MAX_TOKENS_MIN);
    return ir_degrade(c->report, "max_tokens", "max_tokens", c->fault);
}

/* -- include: what the answer shall hold beside */

static bool logprobs_wanted(const struct rc_write *c)
{
    return c->rq->logprobs && (c->t->facts->logprobs || samples(c));
}

static enum err put_include(struct rc_write *c)
{
    const struct ir_request *rq = c->rq;
    const struct ir_ext *own = ir_ext_find(rq->ext, STR("include"));
    bool native = own && own->origin == IR_FROM_OPENAI_RESPONSES;
    bool state = reasons(c) && (rq->origin != IR_FROM_OPENAI_RESPONSES || rq->reasoning_state);
    bool logprobs = logprobs_wanted(c);
    struct json_iter it = json_iter(native ? own->raw : STR("[]"));
    if (rq->logprobs && !logprobs)
        TRY(ir_drop(c->report, "logprobs", "logprobs", c->fault));
    else if (rq->top_logprobs.set)
        put_raw(c, "top_logprobs", rq->top_logprobs.raw);
    if (rc_is_set(c, "include") || (!state && !logprobs && !json_next(&it)))
        return ERR_OK;
    json_arr(&c->w, "include");
    if (state)
        json_strz(&c->w, NULL, "reasoning.encrypted_content");
    if (logprobs)
        json_strz(&c->w, NULL, "message.output_text.logprobs");
    it = json_iter(native ? own->raw : STR("[]"));
    while (json_next(&it))
        if (!json_str_eq(it.value, STR("reasoning.encrypted_content")) &&
            !json_str_eq(it.value, STR("message.output_text.logprobs")))
            json_raw(&c->w, NULL, it.value);
    json_end(&c->w);
    return ERR_OK;
}

/* -- reasoning */

/* The effort to be sent; UNSET: none. */
static enum err decide_effort(struct rc_write *c, enum ir_effort *ret_effort)
{
    const struct ir_request *rq = c->rq;
    bool openai = rq->origin == IR_FROM_OPENAI_CHAT || rq->origin == IR_FROM_OPENAI_RESPONSES;
    const char *member = rq->effort != IR_EFFORT_UNSET ? "reasoning_effort" : "thinking";
    enum ir_effort want = rq->effort;
    *ret_effort = want;
    if (want != IR_EFFORT_UNSET && openai) /* whether the model has it is the provider's to say */
        return ERR_OK;
    if (want == IR_EFFORT_UNSET && rq->thinking == 0)
        want = IR_EFFORT_NONE;
    else if (want == IR_EFFORT_UNSET && rq->thinking_budget.set)
        want = oa_effort_of_budget(rq->thinking_budget.value);
    if (want == IR_EFFORT_UNSET) /* the model's default effort */
        return rq->thinking == 1 ? ir_degrade(c->report, member, member, c->fault) : ERR_OK;
    *ret_effort = oa_nearest_effort(c->t->facts->efforts, want);
    if (*ret_effort == IR_EFFORT_UNSET)
        return want == IR_EFFORT_NONE ? ERR_OK : ir_drop(c->report, member, member, c->fault);
    bool exact = *ret_effort == want && !rq->thinking_budget.set;
    return exact ? ERR_OK : ir_degrade(c->report, member, member, c->fault);
}

/* OpenAI gives summaries to verified organisations alone and refuses others, so an effort by itself asks for none. */
static struct str summary_of(const struct rc_write *c)
{
    const struct ir_request *rq = c->rq;
    if (rq->reasoning_summary.len)
        return rq->reasoning_summary;
    bool openai = rq->origin == IR_FROM_OPENAI_CHAT || rq->origin == IR_FROM_OPENAI_RESPONSES;
    bool asked = openai ? rq->thinking == 1 : rq->reasoning_visible;
    return asked && reasons(c) ? STR("auto") : str_of(NULL, 0);
}

static enum err put_reasoning(struct rc_write *c)
{
    enum ir_effort effort;
    struct str summary = summary_of(c);
    if (rc_is_set(c, "reasoning"))
        return ERR_OK;
    TRY(decide_effort(c, &effort));
    if (effort == IR_EFFORT_UNSET && !summary.len)
        return ERR_OK;
    json_obj(&c->w, "reasoning");
    if (effort != IR_EFFORT_UNSET)
        json_strz(&c->w, "effort", ir_effort_name(effort));
    if (summary.len)
        json_str(&c->w, "summary", summary);
    json_end(&c->w);
    return ERR_OK;
}

/* -- text */

static void put_text(struct rc_write *c)
{
    const struct ir_request *rq = c->rq;
    if ((rq->format == IR_FORMAT_UNSET && !rq->verbosity.len) || rc_is_set(c, "text"))
        return;
    json_obj(&c->w, "text");
    if (rq->format != IR_FORMAT_UNSET) {
        json_obj(&c->w, "format");
        json_strz(&c->w, "type",
                  rq->format == IR_FORMAT_TEXT   ? "text"
                  : rq->format == IR_FORMAT_JSON ? "json_object"
                                                 : "json_schema");
        if (rq->format == IR_FORMAT_SCHEMA) {
            json_str(&c->w, "name", rq->schema_name.len ? rq->schema_name : STR("response"));
            if (rq->schema_description.len)
                json_raw(&c->w, "description", rq->schema_description);
            segments_raw(c->s, &c->w, "schema", rq->schema.len ? rq->schema : STR("{}"));
            if (rq->schema_strict >= 0)
                json_bool(&c->w, "strict", rq->schema_strict == 1);
        }
        json_end(&c->w);
    }
    if (rq->verbosity.len)
        json_str(&c->w, "verbosity", rq->verbosity);
    json_end(&c->w);
}

/* -- bookkeeping */

/* At most 64 characters ("safety_identifier", August 2026): longer ones are hashed, as OpenAI advises for all. */
static enum err put_identifier(struct rc_write *c, const char *name, struct str json)
{
    char hex[SHA256_HEX_BYTES];
    struct str plain = json_unescape(json, c->a);
    if (json.len == 0 || plain.len <= IDENTIFIER_MAX) {
        put_raw(c, name, json);
        return ERR_OK;
    }
    sha256_hex(plain, hex);
    put_plain(c, name, str_c(hex));
    return ir_degrade(c->report, "user", name, c->fault);
}

static enum err put_bookkeeping(struct rc_write *c)
{
    const struct ir_request *rq = c->rq;
    put_raw(c, "user", rq->user);
    TRY(put_identifier(c, "safety_identifier", rq->safety_identifier));
    put_plain(c, "service_tier", rq->service_tier);
    put_raw(c, "metadata", rq->metadata);
    put_raw(c, "prompt_cache_key", rq->prompt_cache_key);
    put_raw(c, "prompt_cache_retention", rq->prompt_cache_retention);
    put_plain(c, "truncation", rq->truncation);
    /* Absent, this API keeps the answer; Chat Completions does not. */
    put_raw(c, "store", rq->store.len ? rq->store : STR("false"));
    return ERR_OK;
}

/* Members that both of OpenAI's APIs, or clients of the one that know the other, spell alike. */
static bool is_shared(struct str name)
{
    static const struct str names[] = { STR_INIT("prompt_cache_options"), STR_INIT("moderation"),
                                        STR_INIT("truncation"), STR_INIT("max_tool_calls"),
                                        STR_INIT("context_management") };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_eq(name, names[i]))
            return true;
    return false;
}

/* What the client sent beside, then what the deployment sets. */
static enum err put_rest(struct rc_write *c)
{
    static const struct str ours[] = { STR_INIT("model"), STR_INIT("input"), STR_INIT("stream") };
    for (const struct ir_ext *x = c->rq->ext; x; x = x->next) {
        bool native = x->origin == IR_FROM_OPENAI_RESPONSES;
        if (rc_is_set(c, arena_cstr(c->a, x->name)) || (native && str_eq(x->name, STR("include"))))
            continue;
        if (native || (x->origin == IR_FROM_OPENAI_CHAT && is_shared(x->name))) {
            json_name(&c->w, x->name);
            segments_raw(c->s, &c->w, NULL, x->raw);
            continue;
        }
        struct str name = arena_dup(c->a, str_head(x->name, 40));
        TRY(ir_lose(c->report, arena_printf(c->a, "unknown(%s)", name.p).p, name.p, c->fault));
    }
    for (size_t i = 0; i < c->t->passthrough_count; i++) {
        const struct conf_member *m = &c->t->passthrough[i];
        if (str_eq(m->name, ours[0]) || str_eq(m->name, ours[1]) || str_eq(m->name, ours[2]))
            continue; /* routing decides the model, the client the framing */
        json_name(&c->w, m->name);
        segments_raw(c->s, &c->w, NULL, m->json);
    }
    return ERR_OK;
}

/* -- the call */

static enum err put_body(struct rc_write *c)
{
    TRY(check_params(c));
    json_begin(&c->w, &c->s->own);
    json_obj(&c->w, NULL);
    json_str(&c->w, "model", c->t->model);
    TRY(rc_put_input(c));
    TRY(rc_put_tools(c));
    put_text(c);
    TRY(put_reasoning(c));
    TRY(put_max_tokens(c));
    TRY(put_number(c, "temperature", &c->rq->temperature));
    TRY(put_number(c, "top_p", &c->rq->top_p));
    TRY(put_include(c));
    TRY(put_bookkeeping(c));
    TRY(put_rest(c));
    if (c->rq->stream)
        json_bool(&c->w, "stream", true);
    json_end(&c->w);
    if (c->s->own.fail)
        return fault_set(c->fault, ERR_TOO_LARGE, c->a,
                         "The request is too large once translated.");
    return ERR_OK;
}

enum err rc_write_request(const struct ir_request *rq, const struct dialect_target *t,
                          struct ir_report *report, struct arena *a, struct ir_call *ret_call,
                          struct fault *ret_fault)
{
    struct rc_write c = { .rq = rq, .t = t, .report = report, .a = a, .fault = ret_fault };
    struct ir_call call = { .suffix = STR("/responses") };
    segments_init(&call.body, OWN_BYTES_MAX);
    c.s = &call.body;
    enum err e = put_body(&c);
    if (e) {
        segments_done(&call.body);
        return e;
    }
    *ret_call = call;
    return ERR_OK;
}
