#include "provider/model_facts.h"

#include "ir/ir.h"

/* Sets of efforts, by name of the highest and lowest. */
#define EFFORT(e) (1u << IR_EFFORT_##e)
#define LOW_HIGH (EFFORT(LOW) | EFFORT(MEDIUM) | EFFORT(HIGH))
#define LOW_HIGH_MAX (LOW_HIGH | EFFORT(MAX))
#define LOW_MAX (LOW_HIGH | EFFORT(XHIGH) | EFFORT(MAX))
#define MEDIUM_XHIGH (EFFORT(MEDIUM) | EFFORT(HIGH) | EFFORT(XHIGH))
#define NONE_XHIGH (EFFORT(NONE) | LOW_HIGH | EFFORT(XHIGH))

/* A family's default row stands for models that no document was read for. */
#define DOCUMENT(p, doc)                                                                           \
    (sizeof(p) > 1 ? (doc) : "none: an assumption about models that are not known")

/* -- Anthropic: what all models share, then what a generation does. Sequences are not limited in
 * number by the documentation. */
#define A_DOC "Claude docs, models overview, extended thinking and API reference, August 2026"
#define ANTHROPIC(p)                                                                               \
    .family = STR_INIT("anthropic"), .prefix = STR_INIT(p), .temperature_max = 1,                  \
    .multimodal_result = true, .stop_max = UINT32_MAX, .n_max = 1, .json_with_tools = true,        \
    .cache_breakpoints = 4, .reasoning_with_tools_on_chat = true, .source = DOCUMENT(p, A_DOC)
#define CLAUDE_3(p, out)                                                                           \
    {                                                                                              \
        ANTHROPIC(p), .context_tokens = 200000, .max_output_tokens = (out),                        \
                      .thinking = THINK_NONE, .think_can_disable = true,                           \
                      .sampling = SAMPLING_FULL, .prefill = true                                   \
    }
#define CLAUDE_MANUAL(p, out, how, native, list)                                                   \
    {                                                                                              \
        ANTHROPIC(p), .context_tokens = 200000, .max_output_tokens = (out),                        \
                      .thinking = THINK_BUDGET, .think_min = 1024, .think_max = (out),             \
                      .think_can_disable = true, .efforts = (list), .sampling = (how),             \
                      .prefill = true, .native_schema = (native)                                   \
    }
#define CLAUDE_ADAPTIVE(p, out, list, how, off, mid)                                               \
    {                                                                                              \
        ANTHROPIC(p), .context_tokens = 1000000, .max_output_tokens = (out),                       \
                      .thinking = THINK_ADAPTIVE, .think_can_disable = (off), .efforts = (list),   \
                      .sampling = (how), .native_schema = true, .mid_system = (mid)                \
    }

#define CLAUDE_BETWEEN(p, out, list)                                                               \
    {                                                                                              \
        ANTHROPIC(p), .context_tokens = 1000000, .max_output_tokens = (out),                       \
                      .thinking = THINK_ADAPTIVE, .think_can_disable = true,                       \
                      .think_between_tools = true, .efforts = (list), .sampling = SAMPLING_NONE,   \
                      .native_schema = true                                                        \
    }

/* -- Gemini */
#define G_DOC "Gemini API docs, thinking, structured output and function calling, August 2026"
#define GEMINI(p, out)                                                                             \
    .family = STR_INIT("gemini"), .prefix = STR_INIT(p), .context_tokens = 1048576,                \
    .max_output_tokens = (out), .sampling = SAMPLING_FULL, .temperature_max = 2, .stop_max = 5,    \
    .n_max = 8, .seed = true, .native_schema = true, .reasoning_with_tools_on_chat = true,         \
    .source = DOCUMENT(p, G_DOC)
#define GEMINI_2(p)                                                                                \
    {                                                                                              \
        GEMINI(p, 8192), .thinking = THINK_NONE, .think_can_disable = true, .prefill = true,       \
                         .penalties = true                                                         \
    }
#define GEMINI_25(p, low, high, off)                                                               \
    {                                                                                              \
        GEMINI(p, 65536), .thinking = THINK_BUDGET, .think_min = (low), .think_max = (high),       \
                          .think_can_disable = (off), .prefill = true, .logprobs = true            \
    }
#define GEMINI_3(p, list)                                                                          \
    {                                                                                              \
        GEMINI(p, 65536), .thinking = THINK_LEVEL, .efforts = (list), .json_with_tools = true,     \
                          .signature_required = true, .function_ids = true,                        \
                          .multimodal_result = true                                                \
    }

/* Image models: limits and what they do not take; levels of thinking are not documented for all of them. */
#define I_DOC                                                                                      \
    "LiteLLM 1.109.1's model list and Vertex AI's page on Gemini 3 Pro Image, November 2026"
#define GEMINI_IMAGE(p, context, out)                                                              \
    {                                                                                              \
        .family = STR_INIT("gemini"), .prefix = STR_INIT(p), .context_tokens = (context),          \
        .max_output_tokens = (out), .thinking = THINK_NONE, .think_can_disable = true,             \
        .sampling = SAMPLING_FULL, .temperature_max = 2, .stop_max = 5, .n_max = 1, .seed = true,  \
        .no_functions = true, .image_output = true, .reasoning_with_tools_on_chat = true,          \
        .source = I_DOC                                                                            \
    }

/* Gemma on the Gemini API: open models, with less around them. */
#define GEMMA(p, context, out, tools, doc)                                                         \
    {                                                                                              \
        .family = STR_INIT("gemini"), .prefix = STR_INIT(p), .context_tokens = (context),          \
        .max_output_tokens = (out), .thinking = THINK_NONE, .think_can_disable = true,             \
        .sampling = SAMPLING_FULL, .temperature_max = 2, .stop_max = 5, .n_max = 1, .seed = true,  \
        .prefill = true, .native_schema = (tools), .no_system = !(tools),                          \
        .no_functions = !(tools), .reasoning_with_tools_on_chat = true, .source = (doc)            \
    }
#define GEMMA_3_DOC                                                                                \
    "Gemma 3 model card; errors of the API (BerriAI/litellm 10313, 0xPlaygrounds/rig 788), 2025"
#define GEMMA_4_DOC "LiteLLM 1.109.1's model list, November 2026"

/* -- OpenAI */
#define O_DOC "OpenAI API reference and model pages, August 2026"
#define OPENAI(p, context, out)                                                                    \
    .family = STR_INIT("openai"), .prefix = STR_INIT(p), .context_tokens = (context),              \
    .max_output_tokens = (out), .temperature_max = 2, .n_max = 128, .seed = true,                  \
    .native_schema = true, .mid_system = true, .prefill = true, .json_with_tools = true,           \
    .source = DOCUMENT(p, O_DOC)
#define GPT_PLAIN(p, context, out)                                                                 \
    {                                                                                              \
        OPENAI(p, context, out), .thinking = THINK_NONE, .think_can_disable = true,                \
                                 .sampling = SAMPLING_FULL, .stop_max = 4, .penalties = true,      \
                                 .logprobs = true, .reasoning_with_tools_on_chat = true            \
    }
/* Chat completions has models of their own for the search ("Web search", August 2026); limits: LiteLLM 1.109.1's model list. */
#define GPT_SEARCHES(p, context, out)                                                              \
    {                                                                                              \
        OPENAI(p, context, out), .thinking = THINK_NONE, .think_can_disable = true,                \
                                 .sampling = SAMPLING_FULL, .stop_max = 4, .penalties = true,      \
                                 .logprobs = true, .reasoning_with_tools_on_chat = true,           \
                                 .web_search = true                                                \
    }
#define GPT_REASONS(p, context, out, list, stops, with_tools, marks)                               \
    {                                                                                              \
        OPENAI(p, context, out), .thinking = THINK_EFFORT, .efforts = (list),                      \
                                 .think_can_disable = ((list)&EFFORT(NONE)) != 0,                  \
                                 .sampling = SAMPLING_NONE, .stop_max = (stops),                   \
                                 .reasoning_with_tools_on_chat = (with_tools),                     \
                                 .reasons_by_default = true, .cache_breakpoints = (marks)          \
    }

/* Without an effort these do not reason; with one, from gpt-5.4 on, they refuse functions on chat completions, as the ones that
 * always reason do (its error says so: openai/openai-openapi 541, BerriAI/litellm 34569, 2026). */
#define GPT_RESTS(p, context, out, list, with_tools)                                               \
    {                                                                                              \
        OPENAI(p, context, out), .thinking = THINK_EFFORT, .efforts = (list),                      \
                                 .think_can_disable = true, .sampling = SAMPLING_NONE,             \
                                 .reasoning_with_tools_on_chat = (with_tools)                      \
    }
#define R_DOC "OpenAI model pages, August 2026; LiteLLM 1.109.1's model list, November 2026"
#define GPT_RESPONSES(p, context, out, list)                                                       \
    {                                                                                              \
        .family = STR_INIT("openai"), .prefix = STR_INIT(p), .context_tokens = (context),          \
        .max_output_tokens = (out), .temperature_max = 2, .n_max = 1, .native_schema = true,       \
        .mid_system = true, .prefill = true, .json_with_tools = true, .thinking = THINK_EFFORT,    \
        .efforts = (list), .sampling = SAMPLING_NONE, .reasons_by_default = true,                  \
        .responses_only = true, .source = R_DOC                                                    \
    }

/* A family's default row has the empty prefix. An unknown Claude is taken for one of the newest
 * generation, with a cautious output limit. */
static const struct model_facts rows[] = {
    CLAUDE_ADAPTIVE("", 4096, LOW_MAX, SAMPLING_NONE, true, false),
    CLAUDE_3("claude-2", 4096),
    CLAUDE_3("claude-instant", 4096),
    CLAUDE_3("claude-3-", 4096),
    CLAUDE_3("claude-3-5-", 8192),
    CLAUDE_MANUAL("claude-3-7-", 64000, SAMPLING_FULL, false, 0),
    CLAUDE_MANUAL("claude-opus-4", 32000, SAMPLING_ONE_OF, false, 0),
    CLAUDE_MANUAL("claude-sonnet-4", 64000, SAMPLING_ONE_OF, false, 0),
    CLAUDE_MANUAL("claude-haiku-4-5", 64000, SAMPLING_ONE_OF, true, 0),
    CLAUDE_MANUAL("claude-sonnet-4-5", 64000, SAMPLING_ONE_OF, true, 0),
    CLAUDE_MANUAL("claude-opus-4-5", 64000, SAMPLING_ONE_OF, true, LOW_HIGH),
    CLAUDE_ADAPTIVE("claude-opus-4-6", 128000, LOW_HIGH_MAX, SAMPLING_ONE_OF, true, false),
    CLAUDE_ADAPTIVE("claude-sonnet-4-6", 64000, LOW_HIGH_MAX, SAMPLING_ONE_OF, true, false),
    CLAUDE_ADAPTIVE("claude-opus-4-7", 128000, LOW_MAX, SAMPLING_NONE, true, false),
    CLAUDE_ADAPTIVE("claude-opus-4-8", 128000, LOW_MAX, SAMPLING_NONE, true, true),
    CLAUDE_ADAPTIVE("claude-sonnet-5", 128000, LOW_MAX, SAMPLING_NONE, true, false),
    CLAUDE_ADAPTIVE("claude-opus-5", 128000, LOW_MAX, SAMPLING_NONE, true, true),
    CLAUDE_ADAPTIVE("claude-fable-5", 128000, LOW_MAX, SAMPLING_NONE, false, true),
    CLAUDE_ADAPTIVE("claude-mythos", 128000, LOW_MAX, SAMPLING_NONE, false, true),
    CLAUDE_ADAPTIVE("claude-opus-5-5", 128000, LOW_MAX, SAMPLING_NONE, false, true),
    CLAUDE_BETWEEN("claude-sonnet-5-5", 128000, LOW_MAX),
    CLAUDE_ADAPTIVE("claude-haiku-5-5", 64000, LOW_MAX, SAMPLING_NONE, true, false),

    GEMINI_3("", EFFORT(LOW) | EFFORT(HIGH)),
    GEMINI_2("gemini-1.5-"),
    GEMINI_2("gemini-2.0-"),
    GEMINI_25("gemini-2.5-pro", 128, 32768, false),
    GEMINI_25("gemini-2.5-flash", 0, 24576, true),
    GEMINI_25("gemini-2.5-flash-lite", 512, 24576, true),
    GEMINI_3("gemini-3", EFFORT(LOW) | EFFORT(HIGH)),
    GEMINI_3("gemini-3-pro", EFFORT(LOW) | EFFORT(HIGH)),
    GEMINI_3("gemini-3-flash", EFFORT(MINIMAL) | LOW_HIGH),
    GEMINI_3("gemini-3.1-pro", LOW_HIGH),
    GEMINI_3("gemini-3.1-flash-lite", EFFORT(MINIMAL) | LOW_HIGH),
    GEMINI_3("gemini-3.5-flash", EFFORT(MINIMAL) | LOW_HIGH),
    GEMINI_3("gemini-3.8-flash", LOW_HIGH),
    GEMINI_IMAGE("gemini-2.5-flash-image", 65536, 32768),
    GEMINI_IMAGE("gemini-3-pro-image", 65536, 32768),
    GEMINI_IMAGE("gemini-3.1-flash-image", 131072, 32768),
    GEMINI_IMAGE("gemini-3.1-flash-lite-image", 65536, 4096),
    GEMMA("gemma-", 262144, 32768, true, GEMMA_4_DOC),
    GEMMA("gemma-3", 131072, 8192, false, GEMMA_3_DOC),

    GPT_PLAIN("", 128000, 4096),
    GPT_PLAIN("gpt-3.5-", 16385, 4096),
    GPT_PLAIN("gpt-4", 8192, 8192),
    GPT_PLAIN("gpt-4-turbo", 128000, 4096),
    GPT_PLAIN("gpt-4o", 128000, 16384),
    GPT_SEARCHES("gpt-4o-search-preview", 128000, 16384),
    GPT_SEARCHES("gpt-4o-mini-search-preview", 128000, 16384),
    GPT_PLAIN("gpt-4.1", 1047576, 32768),
    GPT_PLAIN("chatgpt-4o", 128000, 16384),
    GPT_REASONS("o1", 200000, 100000, LOW_HIGH, 4, true, 0),
    GPT_RESPONSES("o1-pro", 200000, 100000, LOW_HIGH),
    GPT_REASONS("o3", 200000, 100000, LOW_HIGH, 0, true, 0),
    GPT_REASONS("o3-mini", 200000, 100000, LOW_HIGH, 4, true, 0),
    GPT_RESPONSES("o3-pro", 200000, 100000, LOW_HIGH),
    GPT_RESPONSES("o3-deep-research", 200000, 100000, EFFORT(MEDIUM)),
    GPT_REASONS("o4-mini", 200000, 100000, LOW_HIGH, 0, true, 0),
    GPT_RESPONSES("o4-mini-deep-research", 200000, 100000, EFFORT(MEDIUM)),
    GPT_RESPONSES("codex-mini", 200000, 100000, LOW_HIGH),
    GPT_REASONS("gpt-5", 400000, 128000, EFFORT(MINIMAL) | LOW_HIGH, 0, true, 0),
    GPT_PLAIN("gpt-5-chat", 128000, 16384),
    GPT_SEARCHES("gpt-5-search-api", 272000, 128000),
    GPT_RESPONSES("gpt-5-codex", 400000, 128000, LOW_HIGH),
    GPT_RESPONSES("gpt-5-pro", 400000, 272000, EFFORT(HIGH)),
    GPT_RESTS("gpt-5.1", 400000, 128000, EFFORT(NONE) | LOW_HIGH, true),
    GPT_PLAIN("gpt-5.1-chat", 128000, 16384),
    GPT_RESPONSES("gpt-5.1-codex", 400000, 128000, LOW_HIGH),
    GPT_RESPONSES("gpt-5.1-codex-max", 400000, 128000, LOW_HIGH | EFFORT(XHIGH)),
    GPT_RESTS("gpt-5.2", 400000, 128000, NONE_XHIGH, true),
    GPT_PLAIN("gpt-5.2-chat", 128000, 16384),
    GPT_RESPONSES("gpt-5.2-codex", 400000, 128000, LOW_HIGH | EFFORT(XHIGH)),
    GPT_RESPONSES("gpt-5.2-pro", 400000, 128000, MEDIUM_XHIGH),
    GPT_REASONS("gpt-5.3", 400000, 128000, NONE_XHIGH, 0, false, 0),
    GPT_PLAIN("gpt-5.3-chat", 128000, 16384),
    GPT_RESPONSES("gpt-5.3-codex", 400000, 128000, LOW_HIGH | EFFORT(XHIGH)),
    GPT_RESTS("gpt-5.4", 1050000, 128000, NONE_XHIGH, false),
    GPT_RESPONSES("gpt-5.4-pro", 1050000, 128000, MEDIUM_XHIGH),
    GPT_REASONS("gpt-5.5", 1050000, 128000, NONE_XHIGH, 0, false, 0),
    GPT_RESPONSES("gpt-5.5-pro", 1050000, 128000, MEDIUM_XHIGH),
    GPT_REASONS("gpt-5.6", 1050000, 128000, NONE_XHIGH | EFFORT(MAX), 0, false, 4),
};

#define ROWS (sizeof rows / sizeof rows[0])

const struct model_facts *model_facts_at(size_t i)
{
    return i < ROWS ? &rows[i] : NULL;
}

/* What stands after the last slash: "publishers/anthropic/models/claude-x" is "claude-x". */
static struct str base_name(struct str model)
{
    size_t at = model.len;
    while (at > 0 && model.p[at - 1] != '/')
        at--;
    return str_skip(model, at);
}

/* "claude-3-" also fits "claude-3-5-..": the longest row counts. A row that ends in a digit must not
 * swallow a longer number: "o1" is not "o10", "claude-opus-4" is "claude-opus-4-1" but not
 * "claude-opus-45". */
static bool fits(struct str name, struct str prefix)
{
    if (prefix.len == 0)
        return true;
    if (name.len < prefix.len)
        return false;
    char last = prefix.p[prefix.len -
                         1]; /* models of one maker begin alike: the end tells most of them apart */
    if (ascii_lower(name.p[prefix.len - 1]) != last || !str_starts_nocase(name, prefix))
        return false;
    char next = name.len > prefix.len ? name.p[prefix.len] : '\0';
    return !(last >= '0' && last <= '9' && next >= '0' && next <= '9');
}

const struct model_facts *model_facts_find(struct str family, struct str model)
{
    const struct model_facts *best = NULL;
    struct str name = base_name(model);
    for (size_t i = 0; i < ROWS; i++) {
        if (best && rows[i].prefix.len <= best->prefix.len)
            continue;
        if (fits(name, rows[i].prefix) && str_eq(rows[i].family, family))
            best = &rows[i];
    }
    /* A family without rows of its own speaks OpenAI's dialect. */
    return best ? best : model_facts_find(STR("openai"), STR(""));
}
