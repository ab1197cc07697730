/* Requests of the Responses API into the IR: the members at the top. OpenAI's API reference, "Create a model response", August 2026.
 *
 * This is the way of requests that are translated. What needs the provider itself (background, stored prompts, conversations) is
 * refused by name; previous_response_id and item references are resolved before, by whoever keeps the answers. */
#include "base/mem.h"
#include "dialect/openai_chat.h"
#include "dialect/responses_priv.h"

#include <stdio.h>

/* Members beside those of OPENAI_MEMBERS. */
#define RESPONSE_MEMBERS(M)                                                                        \
    M(INPUT, "input")                                                                              \
    M(INSTRUCTIONS, "instructions")                                                                \
    M(PREVIOUS, "previous_response_id")                                                            \
    M(CONVERSATION, "conversation")                                                                \
    M(PROMPT, "prompt")                                                                            \
    M(BACKGROUND, "background")                                                                    \
    M(CONTEXT, "context_management")                                                               \
    M(INCLUDE, "include")                                                                          \
    M(MAX_OUTPUT, "max_output_tokens")                                                             \
    M(MAX_CALLS, "max_tool_calls")                                                                 \
    M(PARALLEL, "parallel_tool_calls")                                                             \
    M(TOOLS, "tools")                                                                              \
    M(TOOL_CHOICE, "tool_choice")                                                                  \
    M(TEXT, "text")                                                                                \
    M(REASONING, "reasoning")                                                                      \
    M(TEMPERATURE, "temperature")                                                                  \
    M(TOP_P, "top_p")                                                                              \
    M(TOP_LOGPROBS, "top_logprobs")                                                                \
    M(TRUNCATION, "truncation")                                                                    \
    M(STORE, "store")                                                                              \
    M(USER, "user")                                                                                \
    M(SAFETY, "safety_identifier")                                                                 \
    M(CACHE_KEY, "prompt_cache_key")                                                               \
    M(CACHE_RETENTION, "prompt_cache_retention")                                                   \
    M(TIER, "service_tier")

enum response_member {
#define M(id, name) R_##id,
    OPENAI_MEMBERS(M, M) RESPONSE_MEMBERS(M)
#undef M
        R_COUNT
};

static const struct str names[R_COUNT] = {
#define M(id, name) [R_##id] = STR_INIT(name),
    OPENAI_MEMBERS(M, M) RESPONSE_MEMBERS(M)
#undef M
};

struct top {
    struct str v[R_COUNT]; /* null and absent are empty */
};

/* -- what all files of the reader use */

enum err rs_unsupported(struct oa_read *r, const char *member, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str what = arena_vprintf(r->a, fmt, ap);
    va_end(ap);
    (void)!oa_bad(r, member, "%.*s", STR_ARG(what)); /* for its place and words */
    struct fault bad = *r->fault;
    *r->fault = fault_of(ERR_UNSUPPORTED_PARAM);
    r->fault->msg = bad.msg;
    r->fault->param = bad.param;
    return ERR_UNSUPPORTED_PARAM;
}

void rs_members(struct str object, const struct str *known, size_t n, struct str *ret_values,
                struct arena *a, struct ir_ext ***tail)
{
    struct ir_ext *first = NULL;
    oa_members(object, known, n, ret_values, a, tail ? &first : NULL);
    while (first) {
        struct ir_ext *next = first->next;
        first->origin = IR_FROM_OPENAI_RESPONSES;
        first->next = NULL;
        IR_APPEND(*tail, first);
        first = next;
    }
}

enum err rs_required(struct oa_read *r, const char *member, struct str value, struct str *ret_plain)
{
    if (value.len == 0)
        return oa_bad(r, member, "is missing");
    if (json_type_of(value) != JSON_STRING || value.len <= 2)
        return oa_bad(r, member, "must be a string that is not empty");
    *ret_plain = json_unescape(value, r->a);
    return ERR_OK;
}

void rs_add_ext(struct oa_read *r, struct ir_ext *list)
{
    struct ir_ext **tail = &list;
    while (*tail)
        tail = &(*tail)->next;
    *tail = r->rq->ext;
    r->rq->ext = list;
}

void rs_inner_members(struct oa_read *r, const char *place, struct str object,
                      const struct str *known, size_t n, struct str *ret_values)
{
    struct ir_ext *others = NULL, **tail = &others;
    rs_members(object, known, n, ret_values, r->a, &tail);
    for (struct ir_ext *e = others; e; e = e->next)
        e->name = arena_printf(r->a, "%s.%.*s", place, STR_ARG(e->name));
    rs_add_ext(r, others);
}

static void add_ext(struct oa_read *r, struct str name, struct str raw)
{
    struct ir_ext *e = ARENA_NEW(r->a, struct ir_ext);
    *e = (struct ir_ext){ .origin = IR_FROM_OPENAI_RESPONSES, .name = name, .raw = raw };
    rs_add_ext(r, e);
}

/* -- numbers: a table */

static const struct oa_number_row numbers[] = {
    { R_MAX_OUTPUT, offsetof(struct ir_request, max_tokens), true, 1, 1e9, "an integer from 1" },
    { R_TOP_LOGPROBS, offsetof(struct ir_request, top_logprobs), true, 0, 20,
      "an integer from 0 to 20" },
    { R_TEMPERATURE, offsetof(struct ir_request, temperature), false, 0, 2,
      "a number from 0 to 2" },
    { R_TOP_P, offsetof(struct ir_request, top_p), false, 0, 1, "a number from 0 to 1" },
};

/* -- what the provider itself would have to do */

static enum err refuse_native(struct oa_read *r, const struct top *t)
{
    static const char take[] =
        "needs a model whose provider speaks the Responses API itself (OpenAI, Azure OpenAI)";
    int background = 0;
    TRY(oa_flag(r, "background", t->v[R_BACKGROUND], &background));
    if (background == 1)
        return rs_unsupported(r, "background",
                              "%s: for this model the answer is given at once. Send false.", take);
    if (t->v[R_CONVERSATION].len)
        return rs_unsupported(r, "conversation",
                              "%s. Send the earlier items in `input`, or `previous_response_id`.",
                              take);
    if (t->v[R_PROMPT].len)
        return rs_unsupported(r, "prompt",
                              "%s: the template is stored there. Send its text in `instructions` "
                              "and `input`.",
                              take);
    struct json_iter it = json_iter(t->v[R_CONTEXT]);
    if (t->v[R_CONTEXT].len && json_type_of(t->v[R_CONTEXT]) != JSON_ARRAY)
        return oa_bad(r, "context_management", "must be an array");
    if (json_next(&it))
        return rs_unsupported(r, "context_management",
                              "%s: the conversation is compacted there. Leave it out and shorten "
                              "the input.",
                              take);
    if (t->v[R_PREVIOUS].len)
        return oa_bad(r, "previous_response_id",
                      "cannot be followed here: send the earlier items in `input`");
    return ERR_OK;
}

/* -- the other members */

static enum err read_include(struct oa_read *r, struct str value)
{
    /* What the others name does not occur in translated answers. */
    static const struct str known[] = { STR_INIT("reasoning.encrypted_content"),
                                        STR_INIT("message.output_text.logprobs"),
                                        STR_INIT("file_search_call.results"),
                                        STR_INIT("web_search_call.results"),
                                        STR_INIT("web_search_call.action.sources"),
                                        STR_INIT("message.input_image.image_url"),
                                        STR_INIT("computer_call_output.output.image_url"),
                                        STR_INIT("code_interpreter_call.outputs") };
    size_t n = sizeof known / sizeof known[0];
    if (value.len && json_type_of(value) != JSON_ARRAY)
        return oa_bad(r, "include", "must be an array of strings");
    struct json_iter it = json_iter(value);
    r->list = "include";
    for (r->index = 0; json_next(&it); r->index++) {
        size_t i = 0;
        while (i < n && !json_str_eq(it.value, known[i]))
            i++;
        if (i == n)
            return oa_bad(r, "", "must be one of the reference's values, such as %s or %s",
                          known[0].p, known[1].p);
        r->rq->reasoning_state |= i == 0;
        r->rq->logprobs |= i == 1;
    }
    r->list = NULL;
    return ERR_OK;
}

static enum err read_summary(struct oa_read *r, const char *member, struct str value)
{
    static const struct str known[] = { STR_INIT("auto"), STR_INIT("concise"),
                                        STR_INIT("detailed") };
    if (value.len == 0)
        return ERR_OK;
    for (size_t i = 0; i < 3; i++) {
        if (!json_str_eq(value, known[i]))
            continue;
        r->rq->reasoning_summary = known[i];
        r->rq->reasoning_visible = true;
        return ERR_OK;
    }
    return oa_bad(r, member, "must be auto, concise or detailed; it is %.*s",
                  STR_ARG(str_head(value, 40)));
}

static enum err read_reasoning(struct oa_read *r, struct str value)
{
    enum { E_EFFORT, E_SUMMARY, E_GENERATE, E_CONTEXT, E_MODE, E_COUNT };
    static const struct str want[E_COUNT] = { STR_INIT("effort"), STR_INIT("summary"),
                                              STR_INIT("generate_summary"), STR_INIT("context"),
                                              STR_INIT("mode") };
    struct str v[E_COUNT];
    r->rq->thinking = -1;
    if (value.len && json_type_of(value) != JSON_OBJECT)
        return oa_bad(r, "reasoning", "must be an object such as {\"effort\":\"low\"}");
    rs_inner_members(r, "reasoning", value, want, E_COUNT, v);
    if (v[E_EFFORT].len) {
        TRY(oa_string(r, "reasoning.effort", v[E_EFFORT]));
        r->rq->effort = ir_effort_of(json_unescape(v[E_EFFORT], r->a));
        if (r->rq->effort == IR_EFFORT_UNSET)
            return oa_bad(r, "reasoning.effort",
                          "must be none, minimal, low, medium, high, xhigh or max; it is %.*s",
                          STR_ARG(str_head(v[E_EFFORT], 40)));
    }
    TRY(read_summary(r, "reasoning.generate_summary", v[E_GENERATE])); /* the deprecated name */
    TRY(read_summary(r, "reasoning.summary", v[E_SUMMARY]));
    /* Which earlier reasoning is used, and how it is done: OpenAI's own affair but for their defaults. */
    if (v[E_CONTEXT].len && !json_str_eq(v[E_CONTEXT], STR("auto")))
        add_ext(r, STR("reasoning.context"), v[E_CONTEXT]);
    if (v[E_MODE].len && !json_str_eq(v[E_MODE], STR("standard")))
        add_ext(r, STR("reasoning.mode"), v[E_MODE]);
    return ERR_OK;
}

static enum err read_string(struct oa_read *r, const struct top *t, enum response_member m,
                            struct str *ret_raw)
{
    *ret_raw = t->v[m];
    return oa_string(r, names[m].p, t->v[m]);
}

static enum err read_bookkeeping(struct oa_read *r, const struct top *t)
{
    struct ir_request *rq = r->rq;
    struct str tier, truncation;
    int store = 1, stream = 0;
    TRY(oa_flag(r, "stream", t->v[R_STREAM], &stream));
    TRY(oa_flag(r, "store", t->v[R_STORE], &store));
    TRY(read_string(r, t, R_USER, &rq->user));
    TRY(read_string(r, t, R_SAFETY, &rq->safety_identifier));
    TRY(read_string(r, t, R_CACHE_KEY, &rq->prompt_cache_key));
    TRY(read_string(r, t, R_CACHE_RETENTION, &rq->prompt_cache_retention));
    TRY(read_string(r, t, R_TIER, &tier));
    TRY(read_string(r, t, R_TRUNCATION, &truncation));
    if (t->v[R_STREAM_OPTIONS].len && json_type_of(t->v[R_STREAM_OPTIONS]) != JSON_OBJECT)
        return oa_bad(r, "stream_options", "must be an object");
    /* stream_options.include_obfuscation pads events against onlookers; weir's own have no padding. */
    rq->stream = rq->usage_asked = stream == 1;
    rq->service_tier = json_unescape(tier, r->a);
    rq->truncation = json_unescape(truncation, r->a);
    if (rq->truncation.len && !str_eq(rq->truncation, STR("auto")) &&
        !str_eq(rq->truncation, STR("disabled")))
        return oa_bad(r, "truncation", "must be auto or disabled");
    rq->metadata = oa_flat_metadata(t->v[R_METADATA]);
    /* `store` is not passed on: weir keeps the answer itself. Without it the client keeps all state. */
    rq->reasoning_state |= store == 0;
    return ERR_OK;
}

static enum err read_calls(struct oa_read *r, const struct top *t)
{
    uint64_t calls;
    r->rq->parallel_tool_calls = -1;
    TRY(oa_flag(r, "parallel_tool_calls", t->v[R_PARALLEL], &r->rq->parallel_tool_calls));
    if (t->v[R_MAX_CALLS].len && !json_u64(t->v[R_MAX_CALLS], &calls))
        return oa_bad(r, "max_tool_calls", "must be an integer from 0");
    TRY(rs_read_tools(r, t->v[R_TOOLS]));
    TRY(rs_read_choice(r, t->v[R_TOOL_CHOICE]));
    /* It counts the calls of tools that the provider runs. */
    for (const struct ir_tool *tool = r->rq->tools; tool && t->v[R_MAX_CALLS].len;
         tool = tool->next) {
        if (tool->kind == IR_FUNCTION || tool->kind == IR_CUSTOM)
            continue;
        add_ext(r, names[R_MAX_CALLS], t->v[R_MAX_CALLS]);
        break;
    }
    return ERR_OK;
}

/* The system's message is the first. */
static enum err read_instructions(struct oa_read *r, struct str value)
{
    TRY(oa_string(r, "instructions", value));
    if (value.len <= 2)
        return ERR_OK;
    struct ir_part *part = ARENA_NEW(r->a, struct ir_part);
    part->kind = IR_TEXT;
    part->json = value;
    r->rq->messages = ARENA_NEW(r->a, struct ir_message);
    r->rq->messages->role = IR_SYSTEM;
    r->rq->messages->parts = part;
    return ERR_OK;
}

/* What the answer repeats, in one line, as an event's data is. Not `truncation`: none is done. */
static void read_echo(struct oa_read *r, const struct top *t)
{
    static const enum response_member repeated[] = {
        R_INSTRUCTIONS, R_MAX_OUTPUT, R_MAX_CALLS,    R_PARALLEL,    R_CACHE_KEY, R_CACHE_RETENTION,
        R_REASONING,    R_SAFETY,     R_STORE,        R_TEMPERATURE, R_TEXT,      R_TOOL_CHOICE,
        R_TOOLS,        R_TOP_P,      R_TOP_LOGPROBS, R_USER,
    };
    struct ir_ext **tail = &r->rq->echo;
    for (size_t i = 0; i <= sizeof repeated / sizeof repeated[0]; i++) {
        bool last = i == sizeof repeated / sizeof repeated[0];
        enum response_member m = last ? R_METADATA : repeated[i];
        struct str raw = last ? r->rq->metadata : t->v[m];
        if (raw.len == 0)
            continue;
        struct ir_ext *e = ARENA_NEW(r->a, struct ir_ext);
        *e = (struct ir_ext){ .origin = IR_FROM_OPENAI_RESPONSES, .name = names[m] };
        e->raw = oa_compact(raw, r->a);
        IR_APPEND(tail, e);
    }
}

/* Everything that has no place of its own. */
static void read_rest(struct oa_read *r, struct str body)
{
    struct str v[R_COUNT];
    struct ir_ext **tail = &r->rq->ext;
    while (*tail)
        tail = &(*tail)->next;
    rs_members(body, names, R_COUNT, v, r->a, &tail);
}

static enum err read_members(struct oa_read *r, const struct top *t, struct str path_model)
{
    struct ir_request *rq = r->rq;
    TRY(oa_read_model(r, t->v[R_MODEL], path_model));
    TRY(refuse_native(r, t));
    TRY(oa_read_numbers(r, numbers, sizeof numbers / sizeof numbers[0], names, t->v));
    TRY(read_include(r, t->v[R_INCLUDE]));
    rq->logprobs |= rq->top_logprobs.set && rq->top_logprobs.value > 0;
    if (!rq->logprobs)
        rq->top_logprobs = (struct ir_number){ 0 };
    TRY(read_reasoning(r, t->v[R_REASONING]));
    TRY(read_bookkeeping(r, t));
    TRY(read_calls(r, t));
    TRY(rs_read_text(r, t->v[R_TEXT]));
    TRY(read_instructions(r, t->v[R_INSTRUCTIONS]));
    TRY(rs_read_input(r, t->v[R_INPUT]));
    read_echo(r, t);
    return ERR_OK;
}

static enum err read_body(struct oa_read *r, struct str body, struct str path_model, bool scanned)
{
    SCRATCH struct top t;
    bool others;
    TRY(oa_read_top(r, body, scanned, names, R_COUNT, "input", t.v, &others));
    TRY(read_members(r, &t, path_model));
    if (others)
        read_rest(r, body);
    return ERR_OK;
}

enum err rs_read_request(struct str body, struct str path_model, struct arena *a,
                         struct ir_request *ret_rq, struct fault *ret_fault)
{
    struct oa_read r = { .a = a, .rq = ret_rq, .fault = ret_fault };
    *ret_rq = (struct ir_request){ .origin = IR_FROM_OPENAI_RESPONSES, .schema_strict = -1 };
    return read_body(&r, body, path_model, false);
}

enum err rs_read_scanned(struct str body, struct str path_model, struct arena *a,
                         struct ir_request *ret_rq, struct fault *ret_fault)
{
    struct oa_read r = { .a = a, .rq = ret_rq, .fault = ret_fault };
    *ret_rq = (struct ir_request){ .origin = IR_FROM_OPENAI_RESPONSES, .schema_strict = -1 };
    return read_body(&r, body, path_model, true);
}
