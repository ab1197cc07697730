/* provider/model_facts.h -- what is known about models, as data: limits, thinking, sampling, schemas. A row a family, each with
 * the date and the document it is from. Pure; const tables. */
#ifndef PROVIDER_MODEL_FACTS_H
#define PROVIDER_MODEL_FACTS_H

#include "base/str.h"

enum thinking_kind {
    THINK_NONE,     /* the model does not reason */
    THINK_EFFORT,   /* OpenAI: reasoning_effort */
    THINK_BUDGET,   /* Anthropic manual, Gemini 2.5: a number of tokens */
    THINK_ADAPTIVE, /* Anthropic: thinking adaptive + output_config.effort */
    THINK_LEVEL,    /* Gemini 3: thinkingLevel */
};

enum sampling_kind {
    SAMPLING_FULL,
    SAMPLING_ONE_OF /* temperature or top_p, not both */,
    SAMPLING_NONE
};

struct model_facts {
    struct str family; /* "anthropic", "gemini", "openai": whose models these are */
    struct str
        prefix; /* of the upstream name; the longest matching row counts; empty: the family's default */
    uint32_t context_tokens, max_output_tokens;
    enum thinking_kind thinking;
    uint32_t think_min, think_max; /* budget's range */
    bool think_can_disable;
    bool think_between_tools; /* Anthropic: thinking may be kept to what stands between calls */
    uint32_t efforts;         /* bit per enum ir_effort value that the model takes natively */
    enum sampling_kind sampling;
    double temperature_max;
    bool native_schema;      /* structured output without a forced tool */
    bool prefill;            /* the last message may be the assistant's */
    bool mid_system;         /* system messages between others */
    bool json_with_tools;    /* Gemini: JSON output together with tools */
    bool signature_required; /* Gemini 3: function calls without a signature are refused */
    bool function_ids;       /* Gemini: ids on calls and responses */
    bool multimodal_result;  /* images inside tool results */
    bool
        no_system; /* Gemini: a system instruction is refused; it stands before the first user text */
    bool no_functions;          /* function declarations are refused */
    bool image_output;          /* Gemini: answers hold images */
    uint32_t cache_breakpoints; /* explicit marks that a request may hold; 0: they are refused */
    bool reasoning_with_tools_on_chat; /* OpenAI: false: such requests belong on Responses */
    bool reasons_by_default;           /* OpenAI: so does a request that asks for no effort */
    bool responses_only;               /* OpenAI: chat completions do not serve this model */
    bool web_search;                   /* OpenAI: takes web_search_options, and searches */
    uint32_t stop_max, n_max;
    bool penalties, logprobs, seed;
    const char *source; /* document and date of this row */
};

/* The longest matching row of the family, else its default row. Names may carry a date, "@version" or a publisher path. */
const struct model_facts *model_facts_find(struct str family, struct str model);
const struct model_facts *model_facts_at(size_t i); /* NULL past the end: for docs and tests */

#endif
