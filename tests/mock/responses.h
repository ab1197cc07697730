/* mock/responses.h -- the Responses API of OpenAI (August 2026): what its files share. Strict: what the real one refuses is
 * refused here, with its status, code and words, so that a translation which is nearly right does not pass.
 *
 *   responses.c         routes: create, retrieve, delete, cancel, input_items, input_tokens, compact
 *   responses_check.c   parameters, what models take        responses_tools.c   tools, text formats
 *   responses_items.c   input: items, content parts, ids
 *   responses_pairs.c   input as a whole: calls and their outputs, reasoning and what it led to
 *   responses_think.c   what the model says                 responses_write.c   items and the response object
 *   responses_stream.c  streams                             responses_store.c   what is kept between requests
 *
 * Ids tell where they come from: items of one answer share a number, and those that reasoning led to carry an `r`, so that an
 * item which comes back without its reasoning is known. */
#ifndef MOCK_RESPONSES_H
#define MOCK_RESPONSES_H

#include "mock/reply.h"

#define RSP_ITEMS_MAX 24
#define RSP_CREATED 1790000000
#define RSP_CITED_URL "https://example.com/river"
#define RSP_CITED_TITLE "The river"

struct rsp_model {
    const char *prefix, *efforts; /* efforts: NULL: it does not reason */
    bool sampling;                /* temperature, top_p; with effort "none" always */
    bool verbosity, open;         /* open: its reasoning is told as it is */
};

enum rsp_kind { RSP_REASONING, RSP_SEARCH, RSP_MESSAGE, RSP_FUNCTION, RSP_CUSTOM };

struct rsp_item {
    enum rsp_kind kind;
    struct str id, call_id, name;
    struct str text; /* of a message, summary or reasoning; arguments; input */
    bool refusal, cited, cut;
};

struct rsp {
    struct mock *m;
    struct request *rq;
    struct reply *rp;
    const struct rsp_model *model;
    struct str credential; /* stands for the organisation: nothing is shared across two */
    struct stored *previous;
    yyjson_doc *doc;    /* of `input` */
    yyjson_val *input;  /* the whole conversation, every item in its full form */
    size_t own_from;    /* what comes before is of previous responses */
    struct str own_ids; /* ids that were given to the input of this request, each with a space */
    /* What it says. */
    struct str id;
    struct rsp_item items[RSP_ITEMS_MAX];
    size_t item_count;
    const char *status, *incomplete; /* incomplete: its reason, or NULL */
    bool summary, encrypted, logprobs;
    uint64_t reasoning_tokens;
};

/* Always false: the error stands in r->rp. `code` may be NULL, `param` too. */
bool rsp_error(struct rsp *r, int status, struct str param, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
#define rsp_bad(r, param, code, ...) rsp_error((r), 400, (param), (code), __VA_ARGS__)
bool rsp_missing(struct rsp *r, struct str param);
bool rsp_unknown(struct rsp *r, struct str param);

/* A path in the request, in the request's arena. */
struct str rsp_path(const struct rsp *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Words are separated by spaces. */
bool rsp_word_in(const char *words, struct str word);
/* Every member of `object` is one of `words`; else unknown_parameter. `where`: path of the object, empty for the request. */
bool rsp_members_ok(struct rsp *r, yyjson_val *object, const char *words, struct str where);
/* A member with a value other than null. */
bool rsp_has(yyjson_val *object, const char *name);

const struct rsp_model *rsp_model_of(struct str name);
/* False: the refusal stands in r->rp. `members`: those that the route takes. */
bool rsp_request_ok(struct rsp *r, const char *members);
bool rsp_tools_ok(struct rsp *r);
bool rsp_text_ok(struct rsp *r);
bool rsp_input_ok(struct rsp *r); /* each item by itself */
bool rsp_pairs_ok(struct rsp *r); /* r->input, once it is whole */

/* Makes r->input of the previous responses' items and the request's. False: a reference leads nowhere. */
bool rsp_input_make(struct rsp *r);
void rsp_done(struct rsp *r);

void rsp_think(struct rsp *r);
uint64_t rsp_input_tokens(const struct rsp *r);
/* The state of reasoning with this id, for the organisation alone. */
struct str rsp_encrypted(const struct rsp *r, struct str id);
/* NULL, or why it is not good. `id` may be empty. */
const char *rsp_encrypted_problem(const struct rsp *r, struct str id, struct str content);

/* -- writing: on one line, as streams have it */
void rsp_put_object(const struct rsp *r, const char *status, struct buf *b);
/* `whole`: as it stands in the answer; else as a stream begins it. */
void rsp_put_item(const struct rsp *r, const struct rsp_item *it, bool whole, struct buf *b);
void rsp_put_part(const struct rsp *r, const struct rsp_item *it, bool whole, struct buf *b);
void rsp_put_annotation(const struct rsp_item *it, struct buf *b);
void rsp_put_logprobs(const struct rsp *r, struct str text, struct buf *b);
void rsp_put_usage(const struct rsp *r, struct buf *b);
void rsp_put_value(yyjson_val *v, struct buf *b);
/* JSON with line breaks, as whole answers have it. */
void rsp_put_pretty(struct str flat, struct buf *b);
void rsp_stream(struct rsp *r);

/* -- kept between requests */
#define RSP_STORED_MAX 1024

enum rsp_state { RSP_QUEUED, RSP_IN_PROGRESS, RSP_ENDED, RSP_CANCELLED };

struct stored {
    struct list link;
    struct arena *arena;
    struct str id, credential;
    struct str bodies[4]; /* the object in each state */
    enum rsp_state state;
    bool background, streamed;
    struct str input;   /* items of that request, and of those before it; separated by commas */
    struct str context; /* the same with the output */
    struct str events;  /* of a stream in the background */
    size_t *ends, count;
};

struct stored *rsp_stored(const struct rsp *r, struct str id);
void rsp_store(struct rsp *r);
void rsp_forget(struct rsp *r, struct stored *s);
/* An output item of some response in the store, as JSON text; empty: none. */
struct str rsp_stored_item(const struct rsp *r, struct str id);

#endif
