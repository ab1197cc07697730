/* ir/usage.h -- what an answer cost in tokens, in one normal form for all dialects.
 *
 * `prompt` includes cached and cache-written tokens and media; `completion` includes reasoning and media, as in
 * OpenAI's usage object. Parts that a provider does not report are 0. Pure. */
#ifndef IR_USAGE_H
#define IR_USAGE_H

#include "base/str.h"

struct ir_usage {
    bool reported; /* the provider said it */
    uint64_t prompt_tokens;
    uint64_t completion_tokens;
    uint64_t cached_tokens;         /* of prompt: read from a cache */
    uint64_t cache_write_tokens;    /* of prompt: written, 5 minutes */
    uint64_t cache_write_1h_tokens; /* of prompt: written, 1 hour */
    uint64_t reasoning_tokens;      /* of completion */
    uint64_t audio_prompt_tokens, audio_completion_tokens;
    uint64_t image_prompt_tokens, image_completion_tokens;
};

#endif
