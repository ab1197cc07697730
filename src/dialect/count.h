/* dialect/count.h -- how many tokens a request is: OpenAI's /responses/input_tokens over the count endpoints of other providers.
 *
 *   write_request, target->count   the body that a create would send, but for what the endpoint refuses
 *   read_count                     its answer -> struct count_answer
 *   count_write_openai             struct count_answer -> {"object":"response.input_tokens","input_tokens":N}
 *
 * Anthropic: POST /v1/messages/count_tokens; Claude on Vertex AI: the model "count-tokens", the real one's name in the body. Gemini:
 * :countTokens, on the Developer API with the whole request in `generateContentRequest`, on Vertex AI with contents,
 * systemInstruction, tools and generationConfig at the top. Rules are from the types of the official SDKs (anthropic 2.12,
 * google-genai) and the REST references, November 2026. Pure; thread: the request's. */
#ifndef DIALECT_COUNT_H
#define DIALECT_COUNT_H

#include "dialect/dialect.h"

struct count_answer {
    uint64_t tokens;
    bool error; /* the body is an error, sent with status 200 */
};

read_count_fn count_read_anthropic, count_read_gemini;
/* Appended to `out`. */
void count_write_openai(uint64_t tokens, struct buf *out);

#endif
