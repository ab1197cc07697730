/* generationConfig (Gemini API reference, "GenerationConfig", and docs, "Thinking", August 2026). */
#include "dialect/gemini_priv.h"

/* -- what is decided before anything is written */

/* Models up to 2.5 take no output format beside tools: there it is asked for in words. */
enum err gemini_plan_output(struct gemini_write *g)
{
    const struct ir_request *rq = g->rq;
    const char *why = NULL;
    struct gemini_cuts cuts = { 0 };
    /* JSON Schema came with the models that think, 2.5 and later. */
    g->form = g->t->facts->thinking == THINK_NONE ? SCHEMA_OPENAPI : SCHEMA_JSON;
    if (rq->format != IR_FORMAT_JSON && rq->format != IR_FORMAT_SCHEMA)
        return ERR_OK;
    g->instruct = !g->t->facts->native_schema ||
                  (!g->t->facts->json_with_tools && (g->functions || g->search || g->builtins));
    if (g->instruct)
        return ir_degrade(g->report, "json_mode", "response_format", g->fault);
    if (rq->format != IR_FORMAT_SCHEMA || rq->schema.len == 0)
        return ERR_OK;
    if (gemini_schema(rq->schema, g->form, g->a, &g->schema, &cuts, &why))
        return gemini_refuse(g, ERR_BAD_REQUEST, STR("response_format.json_schema.schema"),
                             "response_format.json_schema.schema: it %s.", why);
    if (rq->schema_description.len)
        TRY(ir_lose(g->report, "schema_description", "response_format.json_schema.description",
                    g->fault));
    return gemini_report_cuts(g, &cuts, "response_format.json_schema.schema");
}

/* -- sampling */

static void put_number(struct gemini_write *g, const char *name, const struct ir_number *n)
{
    if (n->set)
        json_raw(&g->w, name, n->raw);
}

static enum err put_penalty(struct gemini_write *g, const char *name, const char *member,
                            const struct ir_number *n)
{
    if (!n->set || n->value == 0)
        return ERR_OK;
    if (!g->t->facts->penalties)
        return ir_drop(g->report, "penalties", member, g->fault);
    if (n->value < 2) {
        put_number(g, name, n);
        return ERR_OK;
    }
    json_raw(&g->w, name, STR("1.99")); /* 2 itself is out of range */
    return ir_degrade(g->report, "penalties", member, g->fault);
}

static enum err put_seed(struct gemini_write *g)
{
    const struct ir_number *n = &g->rq->seed;
    int64_t v;
    if (!n->set)
        return ERR_OK;
    if (!g->t->facts->seed)
        return ir_drop(g->report, "seed", "seed", g->fault);
    if (str_i64(n->raw, &v) && v >= INT32_MIN && v <= INT32_MAX) {
        json_int(&g->w, "seed", v);
        return ERR_OK;
    }
    uint64_t bits = 0;
    if (str_i64(n->raw, &v))
        bits = (uint64_t)v;
    else if (!json_u64(n->raw, &bits))
        bits = 0;
    json_uint(&g->w, "seed", bits & INT32_MAX); /* a 32-bit integer there */
    return ir_degrade(g->report, "seed", "seed", g->fault);
}

static enum err put_limits(struct gemini_write *g)
{
    const struct ir_request *rq = g->rq;
    const struct model_facts *facts = g->t->facts;
    if (rq->n.set && rq->n.value > 1) {
        if (rq->n.value > facts->n_max)
            return gemini_refuse(
                g, ERR_UNSUPPORTED_PARAM, STR("n"),
                "n is %.*s; %.*s gives at most %u answers to a request. Ask for fewer, send "
                "several requests, or choose a model of OpenAI, which gives up to 128.",
                STR_ARG(rq->n.raw), STR_ARG(g->t->model), facts->n_max);
        put_number(g, "candidateCount", &rq->n);
    }
    if (!rq->max_tokens.set)
        return ERR_OK;
    /* The default row's limit is a guess, and clamps nothing. */
    if (facts->prefix.len && facts->max_output_tokens &&
        rq->max_tokens.value > facts->max_output_tokens) {
        json_uint(&g->w, "maxOutputTokens", facts->max_output_tokens);
        return ir_degrade(g->report, "max_tokens", "max_completion_tokens", g->fault);
    }
    put_number(g, "maxOutputTokens", &rq->max_tokens);
    return ERR_OK;
}

static enum err put_stop(struct gemini_write *g)
{
    const struct ir_request *rq = g->rq;
    if (rq->stop_count == 0)
        return ERR_OK;
    if (rq->stop_count > g->t->facts->stop_max)
        return gemini_refuse(g, ERR_UNSUPPORTED_PARAM, STR("stop"),
                             "stop has %zu sequences; %.*s takes at most %u.", rq->stop_count,
                             STR_ARG(g->t->model), g->t->facts->stop_max);
    json_arr(&g->w, "stopSequences");
    for (size_t i = 0; i < rq->stop_count; i++)
        json_raw(&g->w, NULL, rq->stop[i]);
    json_end(&g->w);
    return ERR_OK;
}

static enum err put_logprobs(struct gemini_write *g)
{
    if (!g->rq->logprobs)
        return ERR_OK;
    if (!g->t->facts->logprobs)
        return ir_drop(g->report, "logprobs", "logprobs", g->fault);
    json_bool(&g->w, "responseLogprobs", true);
    put_number(g, "logprobs", &g->rq->top_logprobs);
    return ERR_OK;
}

static void put_format(struct gemini_write *g)
{
    if (g->instruct || (g->rq->format != IR_FORMAT_JSON && g->rq->format != IR_FORMAT_SCHEMA))
        return;
    json_strz(&g->w, "responseMimeType", "application/json");
    if (g->schema.len)
        segments_raw(g->body, &g->w,
                     g->form == SCHEMA_JSON ? "responseJsonSchema" : "responseSchema", g->schema);
}

/* Models that make images give text and images where nothing is said. */
static void put_modalities(struct gemini_write *g)
{
    struct json_iter it = json_iter(g->rq->modalities);
    if (!g->t->facts->image_output || !json_next(&it))
        return;
    json_arr(&g->w, "responseModalities");
    do
        json_strz(&g->w, NULL, json_str_eq(it.value, STR("image")) ? "IMAGE" : "TEXT");
    while (json_next(&it));
    json_end(&g->w);
}

/* -- thinking */

static uint32_t clamp(double want, const struct model_facts *facts)
{
    if (want < facts->think_min)
        return facts->think_min;
    return want > facts->think_max ? facts->think_max : (uint32_t)want;
}

/* Tokens for an effort, as Google's compatibility layer has them. */
static uint32_t budget_of(enum ir_effort effort, const struct model_facts *facts)
{
    switch (effort) {
    case IR_EFFORT_NONE: return facts->think_can_disable ? 0 : facts->think_min;
    case IR_EFFORT_MINIMAL:
    case IR_EFFORT_LOW: return clamp(1024, facts);
    case IR_EFFORT_MEDIUM: return clamp(8192, facts);
    case IR_EFFORT_HIGH: return clamp(24576, facts);
    case IR_EFFORT_UNSET:
    case IR_EFFORT_XHIGH:
    case IR_EFFORT_MAX: break;
    }
    return facts->think_max;
}

static enum ir_effort effort_of_budget(double tokens)
{
    return tokens < 2048 ? IR_EFFORT_LOW : tokens < 16384 ? IR_EFFORT_MEDIUM : IR_EFFORT_HIGH;
}

/* The nearest level that the model has; medium goes up where it is missing, as Google's layer does. */
static enum ir_effort level_of(enum ir_effort effort, const struct model_facts *facts)
{
    if (effort >= IR_EFFORT_HIGH)
        return IR_EFFORT_HIGH;
    if (effort == IR_EFFORT_MEDIUM)
        return facts->efforts & 1u << IR_EFFORT_MEDIUM ? IR_EFFORT_MEDIUM : IR_EFFORT_HIGH;
    if (effort <= IR_EFFORT_MINIMAL && (facts->efforts & 1u << IR_EFFORT_MINIMAL))
        return IR_EFFORT_MINIMAL;
    return IR_EFFORT_LOW;
}

static const char *level_name(enum ir_effort level)
{
    switch (level) {
    case IR_EFFORT_MINIMAL: return "MINIMAL";
    case IR_EFFORT_LOW: return "LOW";
    case IR_EFFORT_MEDIUM: return "MEDIUM";
    default: return "HIGH";
    }
}

/* What the caller asked for: an effort, a budget, or neither. */
struct thinking_wish {
    enum ir_effort effort;
    double budget; /* < 0: none */
    const char *member;
};

static struct thinking_wish wish_of(const struct ir_request *rq)
{
    struct thinking_wish w = { rq->effort, -1, "reasoning_effort" };
    if (rq->thinking < 0)
        return w;
    w.member = "thinking";
    if (rq->thinking == 0)
        w.effort = IR_EFFORT_NONE;
    else if (rq->thinking_budget.set)
        w.budget = rq->thinking_budget.value;
    return w;
}

static enum err put_level(struct gemini_write *g, const struct thinking_wish *w)
{
    enum ir_effort want = w->budget >= 0 ? effort_of_budget(w->budget) : w->effort;
    if (want == IR_EFFORT_UNSET)
        return ERR_OK;
    enum ir_effort level = level_of(want, g->t->facts);
    json_strz(&g->w, "thinkingLevel", level_name(level));
    if (level != want || w->budget >= 0)
        return ir_degrade(g->report, w->member, w->member, g->fault);
    return ERR_OK;
}

static enum err put_budget(struct gemini_write *g, const struct thinking_wish *w)
{
    const struct model_facts *facts = g->t->facts;
    if (w->budget < 0 && w->effort == IR_EFFORT_UNSET)
        return ERR_OK;
    uint32_t tokens = w->budget >= 0 ? clamp(w->budget, facts) : budget_of(w->effort, facts);
    json_uint(&g->w, "thinkingBudget", tokens);
    bool kept = w->budget >= 0                ? tokens == w->budget
                : w->effort == IR_EFFORT_NONE ? tokens == 0
                                              : w->effort <= IR_EFFORT_HIGH;
    return kept ? ERR_OK : ir_degrade(g->report, w->member, w->member, g->fault);
}

static enum err put_thinking(struct gemini_write *g)
{
    const struct ir_request *rq = g->rq;
    struct thinking_wish w = wish_of(rq);
    bool off = w.effort == IR_EFFORT_NONE && w.budget < 0;
    bool wanted = w.effort != IR_EFFORT_UNSET || w.budget >= 0;
    if (g->thinking.len) {
        json_raw(&g->w, "thinkingConfig", gemini_camel_members(g->thinking, g->a));
        return ERR_OK;
    }
    if (g->t->facts->thinking == THINK_NONE)
        return (wanted && !off) || rq->thinking == 1
                   ? ir_drop(g->report, w.member, w.member, g->fault)
                   : ERR_OK;
    if (rq->thinking_between) /* there is no such limit here */
        TRY(ir_degrade(g->report, "thinking", "thinking", g->fault));
    bool show = rq->reasoning_visible && !off;
    if (!wanted && !show)
        return ERR_OK;
    json_obj(&g->w, "thinkingConfig");
    TRY(g->t->facts->thinking == THINK_BUDGET ? put_budget(g, &w) : put_level(g, &w));
    if (show)
        json_bool(&g->w, "includeThoughts", true);
    json_end(&g->w);
    return ERR_OK;
}

/* -- the object */

static enum err put_ours(struct gemini_write *g)
{
    const struct ir_request *rq = g->rq;
    put_number(g, "temperature", &rq->temperature);
    put_number(g, "topP", &rq->top_p);
    put_number(g, "topK", &rq->top_k);
    TRY(put_limits(g));
    TRY(put_stop(g));
    TRY(put_penalty(g, "presencePenalty", "presence_penalty", &rq->presence_penalty));
    TRY(put_penalty(g, "frequencyPenalty", "frequency_penalty", &rq->frequency_penalty));
    TRY(put_seed(g));
    TRY(put_logprobs(g));
    put_format(g);
    put_modalities(g);
    return put_thinking(g);
}

static bool is_said(struct str object, struct str name)
{
    struct json_iter it = json_iter(object);
    while (json_next(&it))
        if (str_eq(it.name, name))
            return true;
    return false;
}

/* The deployment's generationConfig wins member by member. */
static struct str merged(struct gemini_write *g, struct str ours, struct str own)
{
    struct buf out;
    struct json_iter it = json_iter(ours);
    bool first = true;
    buf_init(&out, SIZE_MAX / 2);
    buf_putc(&out, '{');
    while (json_next(&it)) {
        if (is_said(own, it.name))
            continue;
        buf_printf(&out, "%s\"%.*s\":", first ? "" : ",", STR_ARG(it.name));
        buf_put(&out, it.value);
        first = false;
    }
    struct str inside = str_trim(str_of(own.p + 1, own.len - 2));
    if (inside.len && !first)
        buf_putc(&out, ',');
    buf_put(&out, inside);
    buf_putc(&out, '}');
    struct str all = arena_dup(g->a, buf_str(&out));
    buf_done(&out);
    return all;
}

enum err gemini_put_config(struct gemini_write *g)
{
    const struct conf_member *own = gemini_own(g, "generationConfig");
    struct segments *body = g->body, config;
    struct json_write w = g->w;
    enum err e;
    /* Written apart: it may be empty, and the deployment may have a word in it. */
    segments_init(&config, SIZE_MAX / 2);
    g->body = &config; /* cppcheck-suppress autoVariables; put back below */
    json_begin(&g->w, &config.own);
    json_obj(&g->w, NULL);
    e = put_ours(g);
    if (!e)
        json_end(&g->w);
    struct str ours = e ? STR("{}") : segments_flat(&config, g->a);
    segments_done(&config);
    g->body = body;
    g->w = w;
    TRY(e);
    if (own && json_type_of(own->json) == JSON_OBJECT)
        ours = merged(g, ours, gemini_camel_members(own->json, g->a));
    if (ours.len > 2)
        segments_raw(g->body, &g->w, "generationConfig", ours);
    return ERR_OK;
}
