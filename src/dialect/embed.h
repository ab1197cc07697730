/* dialect/embed.h -- embeddings: OpenAI's request in front of providers that spell it otherwise.
 *
 *   embed_read_openai     client's body          -> struct ir_embed
 *   embed_plan            how many inputs go into each call
 *   embed_write_gemini    inputs [first, first + count) -> one provider body
 *   embed_read_gemini     one provider answer    -> vectors, appended
 *   embed_write_openai    all vectors            -> the client's list
 *
 * Batches above a provider's limit are sent one after another within one request. Rules are from OpenAI's API reference, the Gemini
 * API reference (batchEmbedContents) and Vertex AI's (text-embeddings :predict), August 2026. Pure; everything made lives in the arena
 * given; texts are borrowed from the body. Thread: the request's. */
#ifndef DIALECT_EMBED_H
#define DIALECT_EMBED_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/fault.h"
#include "ir/ir.h"
#include "ir/report.h"
#include "ir/usage.h"
#include "wire/segments.h"

#define EMBED_INPUTS_MAX 2048 /* OpenAI's */

struct ir_embed {
    struct str model;         /* plain, as the client asked */
    const struct str *inputs; /* JSON literals, none empty */
    size_t count;
    uint32_t dimensions; /* 0: the model's */
    bool base64;         /* encoding_format; float is the default */
    struct str user;     /* JSON literal */
    struct str task;  /* plain: LiteLLM's task_type, input_type ("RETRIEVAL_QUERY"); empty: none */
    struct str title; /* JSON literal: of documents */
    struct ir_ext *ext; /* the other members: Gemini has none of them */
};

/* One vector, as the provider wrote its numbers. */
struct embed_vector {
    double *values;
    struct str *raw; /* the numbers' texts: floats go back as they came */
    size_t count;
};

struct embed_answer {
    struct embed_vector *vectors; /* room for all of the request's inputs */
    size_t count;
    uint64_t tokens; /* of the prompt; 0 with !counted */
    bool counted;    /* the provider said it */
};

enum embed_api {
    EMBED_GAPI,          /* Gemini Developer API :batchEmbedContents */
    EMBED_VERTEX,        /* Vertex AI :predict */
    EMBED_VERTEX_CONTENT /* Vertex AI :embedContent, gemini-embedding-2 and later: one input a call */
};

/* Errors: ERR_BAD_JSON, ERR_BAD_REQUEST (also for token arrays), *ret_fault filled. */
MUST_CHECK enum err embed_read_openai(struct str body, struct arena *a, struct ir_embed *ret_rq,
                                      struct fault *ret_fault);

/* By the model's name: Vertex AI has two forms. */
enum embed_api embed_api_of(struct str model, bool vertex);
/* ":batchEmbedContents", ":predict", ":embedContent" */
struct str embed_suffix(enum embed_api api);
/* Inputs that one call takes: 100; of Vertex AI 250, but 1 of gemini-embedding-001. */
size_t embed_batch_max(enum embed_api api, struct str model);
/* The length of the batch that starts at input `first`; 0 at the end. */
size_t embed_plan(const struct ir_embed *rq, enum embed_api api, struct str model, size_t first);

/* `body` is initialised by the caller, who owns it. Errors: ERR_TOO_LARGE, ERR_UNSUPPORTED_PARAM (strict), fault filled. */
MUST_CHECK enum err embed_write_gemini(const struct ir_embed *rq, enum embed_api api,
                                       struct str model, size_t first, size_t count,
                                       struct ir_report *report, struct segments *body,
                                       struct fault *ret_fault);

void embed_answer_init(struct embed_answer *ans, const struct ir_embed *rq, struct arena *a);
/* Appends the vectors of one call that had `count` inputs. Errors: ERR_UPSTREAM_BAD (`*ret_what` for the log): not this format, another
 * number of vectors than inputs, or not the dimensions that were asked for. */
MUST_CHECK enum err embed_read_gemini(struct embed_answer *ans, const struct ir_embed *rq,
                                      enum embed_api api, size_t count, struct str json,
                                      struct arena *a, const char **ret_what);

/* OpenAI's list. Reduced vectors are brought to length 1, as OpenAI's are (Google does so for full ones alone). Without the
 * provider's word tokens are estimated at four bytes each. */
void embed_write_openai(const struct ir_embed *rq, const struct embed_answer *ans,
                        struct str model_json, struct buf *out);
struct ir_usage embed_usage(const struct ir_embed *rq, const struct embed_answer *ans);

#endif
