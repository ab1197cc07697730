/* mock/gemini.h -- the pieces of a simulated Gemini.
 *
 *   gemini_check.c   the request's shape: members, ranges, tools      gemini_config.c  generationConfig and schemas
 *   gemini_turns.c   contents: roles, parts, calls, signatures
 *   gemini_think.c   what the model "says"                            gemini.c         writes it: whole, or as a stream
 *   gemini_embed.c   embeddings                               gemini_count.c   countTokens
 *
 * Sources: Gemini API and Vertex AI REST references, August 2026. Names are taken in camel case alone. */
#ifndef MOCK_GEMINI_H
#define MOCK_GEMINI_H

#include "mock/google.h"

#define GEMINI_CALLS_MAX 16

/* What a model can do, by its name. */
struct gemini_model {
    const char *prefix;
    int generation;             /* 20: 1.5 and 2.0; 25; 30: 3 and later */
    int budget_min, budget_max; /* generation 25 */
    bool budget_zero;
    const char *levels; /* generation 3 */
};
const struct gemini_model *gemini_model_of(const struct request *rq);

/* False: the refusal stands in rp. */
bool gemini_request_ok(struct request *rq, struct reply *rp);
bool gemini_parts_ok(struct request *rq,
                     struct reply *rp); /* the same but for the names at the top */
bool gemini_config_ok(struct request *rq, struct reply *rp);
bool gemini_contents_ok(struct request *rq, struct reply *rp);

/* -- for the checks */

/* Names separated by spaces. */
bool gemini_word_in(const char *words, struct str word);
/* Every member of `object` (absent: fine) is one of `words`. */
bool gemini_members_ok(struct request *rq, struct reply *rp, yyjson_val *object, const char *words,
                       const char *where);
enum gemini_form { FORM_OPENAPI, FORM_JSON };
bool gemini_schema_ok(struct request *rq, struct reply *rp, yyjson_val *schema,
                      enum gemini_form form, const char *where);
/* The declaration of that name; NULL: none. */
yyjson_val *gemini_function(const struct request *rq, struct str name);
size_t gemini_function_count(const struct request *rq);
bool gemini_has_tool(const struct request *rq, const char *name);

/* The signature of a function call; one of a text is of the text alone. */
struct str gemini_call_text(struct arena *a, yyjson_val *call);

/* -- the answer */

struct gemini_call {
    struct str name, args, id, signature;
};

struct gemini_answer {
    struct str thought, text, signature; /* signature: of the text */
    struct gemini_call calls[GEMINI_CALLS_MAX];
    size_t call_count;
    uint64_t n; /* candidates */
    struct str finish, blocked;
    bool cited;
    uint64_t prompt_tokens, cached_tokens, text_tokens, thought_tokens;
};
/* False: rq->call is another. */
bool gemini_count(struct request *rq, struct reply *rp);
/* False: rq->call is none of embeddings. */
bool gemini_embed(struct request *rq, struct reply *rp);

void gemini_think(struct request *rq, struct gemini_answer *an);

#endif
