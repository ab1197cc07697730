/* Requests of OpenAI's Chat Completions into the IR: the members at the top. OpenAI's API reference, "Create chat
 * completion", August 2026. */
#include "base/mem.h"
#include "dialect/openai_chat.h"
#include "dialect/openai_ir_priv.h"

#include <stdio.h>

/* Members beside those of OPENAI_MEMBERS. `thinking` and `top_k` are LiteLLM's. */
#define CHAT_MEMBERS(M)                                                                            \
    M(MESSAGES, "messages")                                                                        \
    M(TOOLS, "tools")                                                                              \
    M(TOOL_CHOICE, "tool_choice")                                                                  \
    M(PARALLEL, "parallel_tool_calls")                                                             \
    M(FUNCTIONS, "functions")                                                                      \
    M(FUNCTION_CALL, "function_call")                                                              \
    M(FORMAT, "response_format")                                                                   \
    M(MAX_COMPLETION, "max_completion_tokens")                                                     \
    M(MAX_TOKENS, "max_tokens")                                                                    \
    M(STOP, "stop")                                                                                \
    M(N, "n")                                                                                      \
    M(LOGPROBS, "logprobs")                                                                        \
    M(TOP_LOGPROBS, "top_logprobs")                                                                \
    M(MODALITIES, "modalities")                                                                    \
    M(AUDIO, "audio")                                                                              \
    M(PREDICTION, "prediction")                                                                    \
    M(WEB_SEARCH, "web_search_options")                                                            \
    M(VERBOSITY, "verbosity")                                                                      \
    M(TEMPERATURE, "temperature")                                                                  \
    M(TOP_P, "top_p")                                                                              \
    M(TOP_K, "top_k")                                                                              \
    M(SEED, "seed")                                                                                \
    M(FREQUENCY, "frequency_penalty")                                                              \
    M(PRESENCE, "presence_penalty")                                                                \
    M(LOGIT_BIAS, "logit_bias")                                                                    \
    M(EFFORT, "reasoning_effort")                                                                  \
    M(THINKING, "thinking")                                                                        \
    M(USER, "user")                                                                                \
    M(SAFETY, "safety_identifier")                                                                 \
    M(TIER, "service_tier")                                                                        \
    M(CACHE_KEY, "prompt_cache_key")                                                               \
    M(CACHE_RETENTION, "prompt_cache_retention")                                                   \
    M(STORE, "store")

enum chat_member {
#define M(id, name) C_##id,
    OPENAI_MEMBERS(M, M) CHAT_MEMBERS(M)
#undef M
        C_COUNT
};

static const struct str names[C_COUNT] = {
#define M(id, name) [C_##id] = STR_INIT(name),
    OPENAI_MEMBERS(M, M) CHAT_MEMBERS(M)
#undef M
};

struct top {
    struct str v[C_COUNT]; /* null and absent are empty */
};

/* -- what all files of the reader use */

enum err oa_bad(struct oa_read *r, const char *member, const char *fmt, ...)
{
    char place[160] = "";
    va_list ap;
    if (r->list && r->sub)
        snprintf(place, sizeof place, "%s[%u].%s[%u]%s", r->list, r->index, r->sub, r->sub_index,
                 member);
    else if (r->list)
        snprintf(place, sizeof place, "%s[%u]%s", r->list, r->index, member);
    else
        snprintf(place, sizeof place, "%s", member);
    va_start(ap, fmt);
    struct str what = arena_vprintf(r->a, fmt, ap);
    va_end(ap);
    fault_set(r->fault, ERR_BAD_REQUEST, r->a, "%s %.*s", place, STR_ARG(what));
    r->fault->param = arena_dup(r->a, str_c(place));
    return ERR_BAD_REQUEST;
}

/* The index of the iterator's member among `known`, or n. */
static size_t member_of(const struct json_iter *it, const struct str *known, size_t n)
{
    if (it->name_escaped) {
        struct str quoted = str_of(it->name.p - 1, it->name.len + 2);
        for (size_t i = 0; i < n; i++)
            if (json_str_eq(quoted, known[i]))
                return i;
        return n;
    }
    if (it->name.len == 0)
        return n;
    for (size_t i = 0; i < n; i++) /* they are many: most differ in length or in the first letter */
        if (known[i].len == it->name.len && known[i].p[0] == it->name.p[0] &&
            memcmp(known[i].p, it->name.p, it->name.len) == 0)
            return i;
    return n;
}

static struct ir_ext *new_ext(const struct json_iter *it, struct arena *a)
{
    struct ir_ext *e = ARENA_NEW(a, struct ir_ext);
    e->origin = IR_FROM_OPENAI_CHAT;
    e->name = json_unescape(str_of(it->name.p - 1, it->name.len + 2), a);
    e->raw = it->value;
    return e;
}

void oa_members(struct str object, const struct str *known, size_t n, struct str *ret_values,
                struct arena *a, struct ir_ext **ret_ext)
{
    struct ir_ext *first = NULL, **tail = &first;
    for (size_t i = 0; i < n; i++)
        ret_values[i] = str_of(NULL, 0);
    struct json_iter it = json_iter(json_type_of(object) == JSON_OBJECT ? object : STR("{}"));
    while (json_next(&it)) {
        size_t i = member_of(&it, known, n);
        if (i < n) {
            ret_values[i] = it.type == JSON_NULL ? str_of(NULL, 0) : it.value;
        } else if (ret_ext && it.type != JSON_NULL) {
            struct ir_ext *e = new_ext(&it, a);
            IR_APPEND(tail, e);
        }
    }
    if (ret_ext)
        *ret_ext = first;
}

enum err oa_string(struct oa_read *r, const char *member, struct str value)
{
    if (value.len && json_type_of(value) != JSON_STRING)
        return oa_bad(r, member, "must be a string");
    return ERR_OK;
}

enum err oa_flag(struct oa_read *r, const char *member, struct str value, int *ret_flag)
{
    enum json_type type = json_type_of(value);
    if (type != JSON_ABSENT && type != JSON_TRUE && type != JSON_FALSE)
        return oa_bad(r, member, "must be true or false");
    if (type != JSON_ABSENT)
        *ret_flag = type == JSON_TRUE;
    return ERR_OK;
}

/* -- what both of OpenAI's APIs have at the top */

static enum err bad_json(struct oa_read *r, const char *what, size_t at)
{
    return fault_set(r->fault, ERR_BAD_JSON, r->a,
                     "The request body is not acceptable JSON: %s at byte %zu.", what, at);
}

/* `body` is valid JSON, and `*ret_values` cleared. A null is empty too, but points at where it stands. */
static enum err find_members(struct oa_read *r, struct str body, const struct str *known, size_t n,
                             struct str *ret_values, bool *ret_others)
{
    struct json_iter it = json_iter(body);
    if (!it.object)
        return bad_json(r, "expected an object", 0);
    while (json_next(&it)) {
        size_t i = member_of(&it, known, n);
        if (i == n) {
            *ret_others = true;
            continue;
        }
        if (ret_values[i].p)
            return bad_json(r, "repeated member", it.member.name_at);
        ret_values[i] = it.type == JSON_NULL ? str_head(it.value, 0) : it.value;
    }
    return ERR_OK;
}

static enum err refuse_destinations(struct oa_read *r, const struct str *known, const struct str *v)
{
    static const enum openai_member banned[] = { OPENAI_M_API_KEY, OPENAI_M_API_BASE,
                                                 OPENAI_M_BASE_URL };
    for (size_t i = 0; i < sizeof banned / sizeof banned[0]; i++)
        if (v[banned[i]].p)
            return oa_bad(
                r, known[banned[i]].p,
                "is not taken from a request: credentials and destinations are the deployment's, in the "
                "config's model_list");
    return ERR_OK;
}

enum err oa_read_top(struct oa_read *r, struct str body, bool scanned, const struct str *known,
                     size_t n, const char *needed, struct str *ret_values, bool *ret_others)
{
    struct json_problem problem;
    memset(ret_values, 0, n * sizeof ret_values[0]);
    *ret_others = false;
    if (str_trim(body).len == 0)
        return fault_set(
            r->fault, ERR_BAD_JSON, r->a,
            "The request has no body; send a JSON object with at least `model` and `%s`.", needed);
    if (!scanned && json_check(body, &problem))
        return bad_json(r, problem.what, problem.at);
    TRY(find_members(r, body, known, n, ret_values, ret_others));
    return refuse_destinations(r, known, ret_values);
}

enum err oa_read_model(struct oa_read *r, struct str value, struct str path_model)
{
    r->rq->model = path_model;
    if (path_model.len)
        return ERR_OK;
    if (value.len == 0)
        return oa_bad(r, "model", "is missing: name one of the models that GET /v1/models lists");
    if (json_type_of(value) != JSON_STRING || value.len <= 2)
        return oa_bad(r, "model", "must be a string that is not empty");
    r->rq->model = json_unescape(value, r->a);
    return ERR_OK;
}

/* "100.0" and "1e2" become "100": not every provider takes a fraction where it expects an integer. */
static bool plain_integer(struct str raw, struct arena *a, struct str *ret)
{
    uint64_t unused;
    if (str_u64(raw, &unused)) { /* it is one already */
        *ret = raw;
        return true;
    }
    bool negative = raw.len && raw.p[0] == '-';
    uint64_t v;
    if (!json_u64(str_skip(raw, negative), &v))
        return false;
    *ret = arena_printf(a, "%s%llu", negative && v ? "-" : "", (unsigned long long)v);
    return true;
}

enum err oa_read_numbers(struct oa_read *r, const struct oa_number_row *rows, size_t n,
                         const struct str *names_of, const struct str *v)
{
    for (size_t i = 0; i < n; i++) {
        const struct oa_number_row *row = &rows[i];
        struct ir_number *number = (struct ir_number *)((char *)r->rq + row->at);
        struct str raw = v[row->member];
        double value;
        if (raw.len == 0)
            continue;
        if (json_type_of(raw) != JSON_NUMBER || !json_double(raw, &value) || value < row->min ||
            value > row->max || (row->integer && !plain_integer(raw, r->a, &raw)))
            return oa_bad(r, names_of[row->member].p, "must be %s; it is %.*s", row->range,
                          STR_ARG(str_head(v[row->member], 40)));
        if (number->set)
            continue; /* max_completion_tokens wins over the deprecated max_tokens */
        *number = (struct ir_number){ true, value, raw };
    }
    return ERR_OK;
}

/* OpenAI takes a flat map of strings; any other is meant for the gateway. */
struct str oa_flat_metadata(struct str value)
{
    if (json_type_of(value) != JSON_OBJECT)
        return str_of(NULL, 0);
    struct json_iter it = json_iter(value);
    while (json_next(&it))
        if (it.type != JSON_STRING)
            return str_of(NULL, 0);
    return value;
}

/* -- numbers: a table */

static const struct oa_number_row numbers[] = {
    { C_MAX_COMPLETION, offsetof(struct ir_request, max_tokens), true, 1, 1e9,
      "an integer from 1" },
    { C_MAX_TOKENS, offsetof(struct ir_request, max_tokens), true, 1, 1e9, "an integer from 1" },
    { C_N, offsetof(struct ir_request, n), true, 1, 128, "an integer from 1 to 128" },
    { C_TOP_LOGPROBS, offsetof(struct ir_request, top_logprobs), true, 0, 20,
      "an integer from 0 to 20" },
    { C_TEMPERATURE, offsetof(struct ir_request, temperature), false, 0, 2,
      "a number from 0 to 2" },
    { C_TOP_P, offsetof(struct ir_request, top_p), false, 0, 1, "a number from 0 to 1" },
    { C_TOP_K, offsetof(struct ir_request, top_k), true, 0, 1e9, "an integer from 0" },
    { C_SEED, offsetof(struct ir_request, seed), true, -9223372036854775808.0,
      9223372036854775807.0, "a 64-bit integer" },
    { C_FREQUENCY, offsetof(struct ir_request, frequency_penalty), false, -2, 2,
      "a number from -2 to 2" },
    { C_PRESENCE, offsetof(struct ir_request, presence_penalty), false, -2, 2,
      "a number from -2 to 2" },
};

/* -- the other members */

static enum err read_stop(struct oa_read *r, struct str value)
{
    enum json_type type = json_type_of(value);
    if (type == JSON_ABSENT)
        return ERR_OK;
    if (type != JSON_STRING && type != JSON_ARRAY)
        return oa_bad(r, "stop", "must be a string or an array of strings");
    size_t n = type == JSON_STRING;
    struct json_iter it = json_iter(value);
    while (json_next(&it)) {
        if (it.type != JSON_STRING)
            return oa_bad(r, "stop", "must be a string or an array of strings");
        if (it.value.len <= 2)
            return oa_bad(r, arena_printf(r->a, "stop[%zu]", n).p,
                          "is empty: a stop sequence has at least one character");
        n++;
    }
    if (type == JSON_STRING && value.len <= 2)
        return ERR_OK; /* none */
    struct str *stop = ARENA_ARRAY(r->a, struct str, n + 1);
    stop[0] = value;
    it = json_iter(value);
    for (size_t i = 0; json_next(&it); i++)
        stop[i] = it.value;
    r->rq->stop = stop;
    r->rq->stop_count = n;
    return ERR_OK;
}

static enum err read_stream(struct oa_read *r, const struct top *t)
{
    static const struct str include = STR_INIT("include_usage");
    struct str options = t->v[C_STREAM_OPTIONS], value;
    int stream = 0, usage = 0;
    TRY(oa_flag(r, "stream", t->v[C_STREAM], &stream));
    if (options.len && json_type_of(options) != JSON_OBJECT)
        return oa_bad(r, "stream_options", "must be an object");
    /* include_obfuscation pads chunks against onlookers; weir's own chunks have no padding. */
    oa_members(options, &include, 1, &value, r->a, NULL);
    TRY(oa_flag(r, "stream_options.include_usage", value, &usage));
    r->rq->stream = stream == 1;
    r->rq->usage_asked = stream == 1 && usage == 1;
    return ERR_OK;
}

/* A string, or as LiteLLM's clients send it for the Responses API an object {effort, summary}. */
static enum err read_effort(struct oa_read *r, struct str value)
{
    static const struct str want[] = { STR_INIT("effort"), STR_INIT("summary") };
    if (json_type_of(value) == JSON_OBJECT) {
        struct str v[2];
        oa_members(value, want, 2, v, r->a, NULL);
        TRY(oa_string(r, "reasoning_effort.summary", v[1]));
        r->rq->reasoning_summary = json_unescape(v[1], r->a);
        value = v[0];
    }
    if (value.len == 0)
        return ERR_OK;
    TRY(oa_string(r, "reasoning_effort", value));
    r->rq->effort = ir_effort_of(json_unescape(value, r->a));
    if (r->rq->effort == IR_EFFORT_UNSET)
        return oa_bad(r, "reasoning_effort",
                      "must be none, minimal, low, medium, high, xhigh or max; it is %.*s",
                      STR_ARG(str_head(value, 40)));
    r->rq->reasoning_visible = r->rq->effort != IR_EFFORT_NONE;
    return ERR_OK;
}

/* LiteLLM's, in Anthropic's words: {"type":"enabled","budget_tokens":1024}. */
static enum err read_thinking(struct oa_read *r, struct str value)
{
    static const struct str want[] = { STR_INIT("type"), STR_INIT("budget_tokens") };
    struct str v[2];
    double budget;
    r->rq->thinking = -1;
    if (value.len == 0)
        return ERR_OK;
    if (json_type_of(value) != JSON_OBJECT)
        return oa_bad(r, "thinking",
                      "must be an object such as {\"type\":\"enabled\",\"budget_tokens\":1024}");
    oa_members(value, want, 2, v, r->a, NULL);
    r->rq->thinking_between = json_str_eq(v[0], STR("between_tools"));
    if (json_str_eq(v[0], STR("disabled")))
        r->rq->thinking = 0;
    else if (json_str_eq(v[0], STR("enabled")) || json_str_eq(v[0], STR("adaptive")) ||
             r->rq->thinking_between)
        r->rq->thinking = 1;
    else
        return oa_bad(r, "thinking.type", "must be enabled, adaptive, between_tools or disabled");
    if (v[1].len) {
        struct str raw = v[1];
        if (json_type_of(raw) != JSON_NUMBER || !json_double(raw, &budget) || budget < 0 ||
            budget > 1e9 || !plain_integer(raw, r->a, &raw))
            return oa_bad(r, "thinking.budget_tokens", "must be a number of tokens");
        r->rq->thinking_budget = (struct ir_number){ true, budget, raw };
    }
    if (r->rq->thinking == 1)
        r->rq->reasoning_visible = true;
    return ERR_OK;
}

/* A member that is kept as it is, but for its type. */
static enum err read_raw(struct oa_read *r, const struct top *t, enum chat_member m,
                         enum json_type type, const char *what, struct str *ret_raw)
{
    struct str value = t->v[m];
    if (value.len && json_type_of(value) != type)
        return oa_bad(r, names[m].p, "must be %s", what);
    *ret_raw = value;
    return ERR_OK;
}

static enum err read_web_search(struct oa_read *r, const struct top *t)
{
    static const struct str want[] = { STR_INIT("search_context_size"), STR_INIT("user_location") };
    struct str v[2];
    TRY(read_raw(r, t, C_WEB_SEARCH, JSON_OBJECT, "an object", &r->rq->web_search));
    oa_members(r->rq->web_search, want, 2, v, r->a, NULL);
    if (v[0].len && !json_str_eq(v[0], STR("low")) && !json_str_eq(v[0], STR("medium")) &&
        !json_str_eq(v[0], STR("high")))
        return oa_bad(r, "web_search_options.search_context_size",
                      "must be low, medium or high; it is %.*s", STR_ARG(str_head(v[0], 40)));
    if (v[1].len && json_type_of(v[1]) != JSON_OBJECT)
        return oa_bad(r, "web_search_options.user_location", "must be an object");
    return ERR_OK;
}

static enum err read_raws(struct oa_read *r, const struct top *t)
{
    struct ir_request *rq = r->rq;
    struct str tier = { NULL, 0 }, verbosity = { NULL, 0 };
    int logprobs = 0, store = 0;
    rq->parallel_tool_calls = -1;
    TRY(oa_flag(r, "parallel_tool_calls", t->v[C_PARALLEL], &rq->parallel_tool_calls));
    TRY(oa_flag(r, "logprobs", t->v[C_LOGPROBS], &logprobs));
    TRY(oa_flag(r, "store", t->v[C_STORE], &store));
    rq->logprobs = logprobs == 1;
    rq->store = t->v[C_STORE];
    TRY(read_raw(r, t, C_MODALITIES, JSON_ARRAY, "an array such as [\"text\"]", &rq->modalities));
    TRY(read_raw(r, t, C_AUDIO, JSON_OBJECT, "an object with voice and format", &rq->audio));
    TRY(read_raw(r, t, C_PREDICTION, JSON_OBJECT, "an object", &rq->prediction));
    TRY(read_web_search(r, t));
    TRY(read_raw(r, t, C_LOGIT_BIAS, JSON_OBJECT, "an object of token ids and numbers",
                 &rq->logit_bias));
    TRY(read_raw(r, t, C_USER, JSON_STRING, "a string", &rq->user));
    TRY(read_raw(r, t, C_SAFETY, JSON_STRING, "a string", &rq->safety_identifier));
    TRY(read_raw(r, t, C_CACHE_KEY, JSON_STRING, "a string", &rq->prompt_cache_key));
    TRY(read_raw(r, t, C_CACHE_RETENTION, JSON_STRING, "a string", &rq->prompt_cache_retention));
    TRY(read_raw(r, t, C_TIER, JSON_STRING, "a string", &tier));
    TRY(read_raw(r, t, C_VERBOSITY, JSON_STRING, "low, medium or high", &verbosity));
    rq->service_tier = json_unescape(tier, r->a);
    rq->verbosity = json_unescape(verbosity, r->a);
    rq->metadata = oa_flat_metadata(t->v[C_METADATA]);
    return ERR_OK;
}

static enum err read_tool_members(struct oa_read *r, const struct top *t)
{
    if (t->v[C_TOOLS].len && t->v[C_FUNCTIONS].len)
        return oa_bad(r, "functions", "is the deprecated form of tools: send one of the two");
    TRY(oa_read_tools(r, t->v[C_TOOLS]));
    TRY(oa_read_functions(r, t->v[C_FUNCTIONS]));
    TRY(oa_read_choice(r, t->v[C_TOOL_CHOICE]));
    return oa_read_function_call(r, t->v[C_FUNCTION_CALL]);
}

/* Everything that has no place of its own. */
static void read_rest(struct oa_read *r, struct str body)
{
    struct ir_ext **tail = &r->rq->ext;
    struct json_iter it = json_iter(body);
    while (json_next(&it)) {
        if (it.type == JSON_NULL || member_of(&it, names, C_COUNT) < C_COUNT)
            continue;
        struct ir_ext *e = new_ext(&it, r->a);
        IR_APPEND(tail, e);
    }
}

static enum err read_body(struct oa_read *r, struct str body, struct str path_model, bool scanned)
{
    SCRATCH struct top t;
    bool others;
    TRY(oa_read_top(r, body, scanned, names, C_COUNT, "messages", t.v, &others));
    TRY(oa_read_model(r, t.v[C_MODEL], path_model));
    TRY(read_stream(r, &t));
    TRY(oa_read_numbers(r, numbers, sizeof numbers / sizeof numbers[0], names, t.v));
    TRY(read_stop(r, t.v[C_STOP]));
    TRY(read_effort(r, t.v[C_EFFORT]));
    TRY(read_thinking(r, t.v[C_THINKING]));
    TRY(read_raws(r, &t));
    TRY(read_tool_members(r, &t));
    TRY(oa_read_format(r, t.v[C_FORMAT]));
    TRY(oa_read_messages(r, t.v[C_MESSAGES]));
    if (others)
        read_rest(r, body);
    return ERR_OK;
}

enum err oa_read_request(struct str body, struct str path_model, struct arena *a,
                         struct ir_request *ret_rq, struct fault *ret_fault)
{
    struct oa_read r = { .a = a, .rq = ret_rq, .fault = ret_fault };
    *ret_rq = (struct ir_request){ .origin = IR_FROM_OPENAI_CHAT, .schema_strict = -1 };
    return read_body(&r, body, path_model, false);
}

enum err oa_read_scanned(struct str body, struct str path_model, struct arena *a,
                         struct ir_request *ret_rq, struct fault *ret_fault)
{
    struct oa_read r = { .a = a, .rq = ret_rq, .fault = ret_fault };
    *ret_rq = (struct ir_request){ .origin = IR_FROM_OPENAI_CHAT, .schema_strict = -1 };
    return read_body(&r, body, path_model, true);
}
