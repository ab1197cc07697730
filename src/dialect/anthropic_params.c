/* Sampling, thinking, effort and limits by what the model takes (provider/model_facts.h), and the
 * members that have no home in the Messages API (Claude docs, "Extended thinking", "Adaptive
 * thinking", "Effort", "OpenAI SDK compatibility", August 2026). */
#include "dialect/anthropic_priv.h"
#include "wire/digest.h"
#include "wire/json_scan.h"

#define MAX_TOKENS_DEFAULT 4096
#define USER_ID_MAX_BYTES 256

/* -- max_tokens */

static enum err decide_max_tokens(struct anthropic_write *aw)
{
    const struct ir_number *n = &aw->rq->max_tokens;
    uint64_t most = aw->t->facts->max_output_tokens;
    uint64_t least = aw->rq->origin == IR_FROM_ANTHROPIC ? 0 : 1; /* 0 fills a cache there */
    aw->max_tokens = most ? most : MAX_TOKENS_DEFAULT;
    if (!n->set)
        return ERR_OK;
    if (!json_u64(n->raw, &aw->max_tokens) || aw->max_tokens < least)
        return anthropic_refuse(aw, ERR_BAD_REQUEST, STR("max_tokens"),
                                "max_tokens must be a whole number from 1; it is %.*s.",
                                STR_ARG(str_head(n->raw, 32)));
    /* Of a model without a row of its own the limit is not known. */
    if (!most || !aw->t->facts->prefix.len || aw->max_tokens <= most)
        return ERR_OK;
    aw->max_tokens = most;
    return ir_degrade(aw->report, "max_tokens", "max_tokens", aw->fault);
}

/* -- thinking */

/* Budgets by effort: LiteLLM's numbers, continued. */
static const uint32_t budgets[] = {
    [IR_EFFORT_MINIMAL] = 1024, [IR_EFFORT_LOW] = 1024,   [IR_EFFORT_MEDIUM] = 2048,
    [IR_EFFORT_HIGH] = 4096,    [IR_EFFORT_XHIGH] = 8192, [IR_EFFORT_MAX] = 16384,
    [IR_EFFORT_UNSET] = 4096,
};

static enum ir_effort effort_of_budget(double budget)
{
    return budget < 2048    ? IR_EFFORT_LOW
           : budget < 8192  ? IR_EFFORT_MEDIUM
           : budget < 24576 ? IR_EFFORT_HIGH
                            : IR_EFFORT_XHIGH;
}

/* The nearest lower effort that the model takes, else its lowest. */
static enum ir_effort nearest(uint32_t efforts, enum ir_effort e)
{
    for (int i = (int)e; i > IR_EFFORT_UNSET; i--)
        if (efforts & 1u << i)
            return (enum ir_effort)i;
    for (int i = (int)e + 1; i <= IR_EFFORT_MAX; i++)
        if (efforts & 1u << i)
            return (enum ir_effort)i;
    return IR_EFFORT_UNSET;
}

static const char *thinking_member(const struct ir_request *rq)
{
    return rq->effort != IR_EFFORT_UNSET ? "reasoning_effort" : "thinking";
}

static enum err think_off(struct anthropic_write *aw)
{
    const struct model_facts *f = aw->t->facts;
    if (f->thinking != THINK_ADAPTIVE)
        return ERR_OK; /* off is what these models do when nothing is said */
    if (f->think_can_disable) {
        aw->thinking = THINKING_DISABLED;
        return ERR_OK;
    }
    aw->effort = nearest(f->efforts, IR_EFFORT_LOW);
    return ir_degrade(aw->report, thinking_member(aw->rq), thinking_member(aw->rq), aw->fault);
}

static enum err think_manual(struct anthropic_write *aw)
{
    const struct model_facts *f = aw->t->facts;
    const struct ir_request *rq = aw->rq;
    bool own = rq->thinking_budget.set;
    double wanted = own ? rq->thinking_budget.value : budgets[rq->effort];
    double most = f->think_max;
    if (aw->max_tokens <= f->think_min) /* no room for the smallest budget */
        return ir_degrade(aw->report, thinking_member(rq), thinking_member(rq), aw->fault);
    if (most > (double)(aw->max_tokens - 1))
        most = (double)(aw->max_tokens - 1);
    double budget = wanted < f->think_min ? f->think_min : wanted > most ? most : wanted;
    aw->thinking = THINKING_MANUAL;
    aw->budget = (uint64_t)budget;
    if (own && (double)aw->budget == wanted && !rq->thinking_between)
        return ERR_OK;
    return ir_degrade(aw->report, thinking_member(rq), thinking_member(rq), aw->fault);
}

static enum err think_adaptive(struct anthropic_write *aw)
{
    const struct ir_request *rq = aw->rq;
    enum ir_effort wanted = rq->effort;
    bool from_budget = wanted == IR_EFFORT_UNSET && rq->thinking_budget.set;
    bool between = rq->thinking_between && aw->t->facts->think_between_tools;
    aw->thinking = between ? THINKING_BETWEEN : THINKING_ADAPTIVE;
    if (rq->thinking_between && !between) /* it will think more than it was asked to */
        TRY(ir_degrade(aw->report, "thinking", "thinking", aw->fault));
    if (from_budget)
        wanted = effort_of_budget(rq->thinking_budget.value);
    if (wanted == IR_EFFORT_UNSET)
        return ERR_OK;
    aw->effort = nearest(aw->t->facts->efforts, wanted);
    if (aw->effort == wanted && !from_budget)
        return ERR_OK;
    return ir_degrade(aw->report, thinking_member(rq), thinking_member(rq), aw->fault);
}

static bool starts_with_thinking(const struct anthropic_turn *t)
{
    return t->blocks && t->blocks->part && anthropic_part_is_thinking(t->blocks->part);
}

static bool has_call(const struct anthropic_turn *t)
{
    for (const struct anthropic_block *b = t->blocks; b; b = b->next)
        if (b->part && b->part->kind == IR_TOOL_CALL)
            return true;
    return false;
}

/* A tool loop that goes on must begin with the thinking that it began with; clients of other
 * dialects seldom give it back. */
static bool lost_thinking(const struct anthropic_write *aw)
{
    const struct anthropic_turn *t = aw->turns.first, *assistant = NULL;
    bool results = false;
    for (; t; t = t->next) {
        if (t->role == IR_ASSISTANT)
            assistant = t;
        results = t->role == IR_USER && t->blocks && t->blocks->part &&
                  t->blocks->part->kind == IR_TOOL_RESULT;
    }
    return results && assistant && has_call(assistant) && !starts_with_thinking(assistant);
}

/* What manual thinking does not go together with. */
static enum err check_manual(struct anthropic_write *aw)
{
    if (aw->thinking != THINKING_MANUAL)
        return ERR_OK;
    if (anthropic_choice_forces(aw)) {
        aw->thinking = THINKING_ABSENT;
        return ir_degrade(aw->report, "thinking", "tool_choice", aw->fault);
    }
    if (lost_thinking(aw)) {
        aw->thinking = THINKING_ABSENT;
        return ir_degrade(aw->report, "reasoning_state", "messages", aw->fault);
    }
    return ERR_OK;
}

static enum err decide_thinking(struct anthropic_write *aw)
{
    const struct ir_request *rq = aw->rq;
    bool off = rq->thinking == 0 || (rq->thinking < 0 && rq->effort == IR_EFFORT_NONE);
    bool on = rq->thinking == 1 || rq->effort != IR_EFFORT_UNSET || rq->thinking_budget.set;
    if (off)
        return think_off(aw);
    if (!on)
        return ERR_OK;
    switch (aw->t->facts->thinking) {
    case THINK_BUDGET: TRY(think_manual(aw)); return check_manual(aw);
    case THINK_ADAPTIVE: return think_adaptive(aw);
    case THINK_NONE:
    case THINK_EFFORT:
    case THINK_LEVEL: break;
    }
    return ir_drop(aw->report, thinking_member(rq), thinking_member(rq), aw->fault);
}

enum err anthropic_decide_limits(struct anthropic_write *aw)
{
    TRY(decide_max_tokens(aw));
    return decide_thinking(aw);
}

static void put_thinking(struct anthropic_write *aw)
{
    static const char *const types[] = { [THINKING_DISABLED] = "disabled",
                                         [THINKING_BETWEEN] = "between_tools",
                                         [THINKING_MANUAL] = "enabled",
                                         [THINKING_ADAPTIVE] = "adaptive" };
    if (aw->thinking == THINKING_ABSENT || anthropic_is_passed(aw, "thinking"))
        return;
    json_obj(&aw->w, "thinking");
    json_strz(&aw->w, "type", types[aw->thinking]);
    if (aw->thinking == THINKING_MANUAL)
        json_uint(&aw->w, "budget_tokens", aw->budget);
    if (aw->thinking == THINKING_ADAPTIVE && aw->rq->reasoning_visible)
        json_strz(&aw->w, "display", "summarized"); /* newer models leave the text out else */
    json_end(&aw->w);
}

/* -- sampling */

static enum err no_sampling(struct anthropic_write *aw, const struct ir_number *n, double same,
                            const char *name, const char *beside)
{
    if (!n->set || n->value >= same ||
        anthropic_is_passed(aw, name)) /* what the model does anyway */
        return ERR_OK;
    if (!beside)
        return ir_drop(aw->report, name, name, aw->fault);
    return ir_drop_as(aw->report, name, name,
                      arena_printf(aw->a, "is not taken by %.*s together with %s",
                                   STR_ARG(anthropic_target(aw)), beside)
                          .p,
                      aw->fault);
}

static enum err put_temperature(struct anthropic_write *aw, bool *ret_sent)
{
    const struct ir_number *n = &aw->rq->temperature;
    double most = aw->t->facts->temperature_max;
    if (anthropic_is_passed(aw, "temperature")) {
        *ret_sent = true;
        return ERR_OK;
    }
    if (!n->set)
        return ERR_OK;
    *ret_sent = true;
    if (n->value <= most) {
        json_raw(aw->answer, "temperature", n->raw);
        return ERR_OK;
    }
    json_real(aw->answer, "temperature", most);
    return ir_degrade_as(aw->report, "temperature", "temperature",
                         arena_printf(aw->a, "is %.*s; the highest that %.*s takes is %g",
                                      STR_ARG(str_head(n->raw, 32)), STR_ARG(anthropic_target(aw)),
                                      most)
                             .p,
                         aw->fault);
}

static enum err put_sampling(struct anthropic_write *aw)
{
    const struct ir_request *rq = aw->rq;
    const struct model_facts *f = aw->t->facts;
    bool thinks = aw->thinking >= THINKING_BETWEEN, sent = false;
    if (thinks || f->sampling == SAMPLING_NONE) {
        /* Temperature must be 1, top_p close to it, top_k is not taken. */
        const char *beside = f->sampling == SAMPLING_NONE ? NULL : thinking_member(rq);
        TRY(no_sampling(aw, &rq->temperature, 1, "temperature", beside));
        TRY(no_sampling(aw, &rq->top_p, 0.99, "top_p", beside));
        return no_sampling(aw, &rq->top_k, 1e300, "top_k", beside);
    }
    TRY(put_temperature(aw, &sent));
    if (rq->top_p.set && sent && f->sampling == SAMPLING_ONE_OF)
        TRY(no_sampling(aw, &rq->top_p, 1, "top_p", "temperature"));
    else if (rq->top_p.set && !anthropic_is_passed(aw, "top_p"))
        json_raw(aw->answer, "top_p", rq->top_p.raw);
    if (rq->top_k.set && !anthropic_is_passed(aw, "top_k"))
        json_raw(aw->answer, "top_k", rq->top_k.raw);
    return ERR_OK;
}

/* -- stop sequences, user, tier */

static enum err put_stop(struct anthropic_write *aw)
{
    const struct ir_request *rq = aw->rq;
    size_t blank = SIZE_MAX;
    bool open = false;
    if (anthropic_is_passed(aw, "stop_sequences"))
        return ERR_OK;
    for (size_t i = 0; i < rq->stop_count; i++) {
        if (ir_is_blank(rq->stop[i])) {
            blank = i; /* each must hold more than white space */
            continue;
        }
        if (!open)
            json_arr(aw->answer, "stop_sequences");
        open = true;
        json_raw(aw->answer, NULL, rq->stop[i]);
    }
    if (open)
        json_end(aw->answer);
    if (blank == SIZE_MAX)
        return ERR_OK;
    return ir_drop_as(aw->report, "stop_ws", arena_printf(aw->a, "stop[%zu]", blank).p,
                      arena_printf(aw->a, "is white space alone, which %.*s does not stop at",
                                   STR_ARG(anthropic_target(aw)))
                          .p,
                      aw->fault);
}

/* Mail addresses and telephone numbers are refused, and say who a person is. */
static bool is_personal(struct str id)
{
    size_t digits = 0, other = 0;
    for (size_t i = 0; i < id.len; i++) {
        if (id.p[i] == '@')
            return true;
        if (id.p[i] >= '0' && id.p[i] <= '9')
            digits++;
        else if (!strchr("+-() .", id.p[i]))
            other++;
    }
    return id.len > USER_ID_MAX_BYTES || (digits >= 7 && other == 0);
}

static enum err put_user(struct anthropic_write *aw)
{
    struct str literal = aw->rq->safety_identifier.len ? aw->rq->safety_identifier : aw->rq->user;
    struct str user = aw->rq->user;
    char hex[SHA256_HEX_BYTES];
    if (user.len && !str_eq(user, literal)) /* there is room for one */
        TRY(ir_lose(aw->report, "user", "user", aw->fault));
    if (!literal.len || ir_is_blank(literal) || anthropic_is_passed(aw, "metadata"))
        return ERR_OK;
    struct str id = json_unescape(literal, aw->a);
    bool hashed = is_personal(id);
    if (hashed) {
        sha256_hex(id, hex);
        id = str_c(hex);
    }
    json_obj(aw->answer, "metadata");
    json_str(aw->answer, "user_id", id);
    json_end(aw->answer);
    return hashed ? ir_degrade(aw->report, "user", "user", aw->fault) : ERR_OK;
}

static enum err put_service_tier(struct anthropic_write *aw)
{
    static const struct {
        struct str from;
        const char *to;
        bool same;
    } tiers[] = {
        { STR_INIT("auto"), "auto", true },
        { STR_INIT("standard_only"), "standard_only", true },
        { STR_INIT("default"), "standard_only", true },
        { STR_INIT("priority"), "auto", false }, /* used where the organisation has it */
        { STR_INIT("flex"), "standard_only", false },
    };
    struct str tier = aw->rq->service_tier;
    if (!tier.len || anthropic_is_passed(aw, "service_tier"))
        return ERR_OK;
    if (aw->t->vertex) /* Claude on Vertex AI has none */
        return ir_lose(aw->report, "service_tier", "service_tier", aw->fault);
    if (str_eq(tier, STR("fast"))) { /* "Fast mode", August 2026: no tier but a speed */
        if (!ir_ext_find(aw->rq->ext, STR("speed")) && !anthropic_is_passed(aw, "speed"))
            json_strz(&aw->w, "speed", "fast");
        anthropic_need_beta(aw, STR("speed"), STR("\"fast\""));
        return ERR_OK;
    }
    for (size_t i = 0; i < sizeof tiers / sizeof tiers[0]; i++) {
        if (!str_eq(tier, tiers[i].from))
            continue;
        json_strz(aw->answer, "service_tier", tiers[i].to);
        return tiers[i].same ? ERR_OK
                             : ir_degrade(aw->report, "service_tier", "service_tier", aw->fault);
    }
    return ir_drop_as(
        aw->report, "service_tier", "service_tier",
        arena_printf(aw->a, "is %.*s; for %.*s it is auto, default, flex, priority or fast",
                     STR_ARG(ir_quote(str_head(tier, 40), aw->a)), STR_ARG(anthropic_target(aw)))
            .p,
        aw->fault);
}

enum err anthropic_put_params(struct anthropic_write *aw)
{
    TRY(put_stop(aw));
    TRY(put_sampling(aw));
    put_thinking(aw);
    TRY(put_user(aw));
    return put_service_tier(aw);
}

/* -- what has no home */

static bool is_zero(const struct ir_number *n)
{
    return !n->set || n->value == 0;
}

/* An object without members. */
static bool is_nothing(struct str raw)
{
    struct json_iter it = json_iter(raw);
    return raw.len == 0 || json_type_of(raw) == JSON_NULL || !json_next(&it);
}

static bool asks_for_audio(const struct ir_request *rq)
{
    struct json_iter it = json_iter(rq->modalities);
    while (json_next(&it))
        if (!json_str_eq(it.value, STR("text")))
            return true;
    return rq->audio.len > 0;
}

enum err anthropic_check_params(struct anthropic_write *aw)
{
    const struct ir_request *rq = aw->rq;
    const struct {
        bool sent;
        const char *tag, *member;
    } dropped[] = {
        { !is_zero(&rq->frequency_penalty), "penalties", "frequency_penalty" },
        { !is_zero(&rq->presence_penalty), "penalties", "presence_penalty" },
        { !is_nothing(rq->logit_bias), "logit_bias", "logit_bias" },
        { rq->seed.set, "seed", "seed" },
        { rq->logprobs, "logprobs", "logprobs" },
        { !is_zero(&rq->top_logprobs), "logprobs", "top_logprobs" },
        { rq->verbosity.len > 0, "verbosity", "verbosity" },
        { rq->prediction.len > 0, "prediction", "prediction" },
    };
    const struct {
        struct str raw;
        const char *name;
    } lost[] = {
        { rq->metadata, "metadata" },
        { rq->store, "store" },
        { str_eq(rq->truncation, STR("auto")) ? rq->truncation : STR(""), "truncation" },
        { rq->prompt_cache_key, "prompt_cache_key" },
        { rq->prompt_cache_retention, "prompt_cache_retention" },
    };
    if (rq->n.set && rq->n.value != 1)
        return anthropic_refuse(aw, ERR_UNSUPPORTED_PARAM, STR("n"),
                                "n: %.*s gives one choice a request; leave n out or send 1. "
                                "OpenAI's models and some of Gemini's give more.",
                                STR_ARG(anthropic_target(aw)));
    if (asks_for_audio(rq))
        return anthropic_refuse(
            aw, ERR_UNSUPPORTED_PARAM, rq->audio.len ? STR("audio") : STR("modalities"),
            "%s: %.*s answers with text alone. OpenAI's audio models speak; Gemini's image models "
            "make images.",
            rq->audio.len ? "audio" : "modalities", STR_ARG(anthropic_target(aw)));
    for (size_t i = 0; i < sizeof dropped / sizeof dropped[0]; i++)
        if (dropped[i].sent)
            TRY(ir_drop(aw->report, dropped[i].tag, dropped[i].member, aw->fault));
    for (size_t i = 0; i < sizeof lost / sizeof lost[0]; i++)
        if (lost[i].raw.len)
            TRY(ir_lose(aw->report, lost[i].name, lost[i].name, aw->fault));
    return ERR_OK;
}
