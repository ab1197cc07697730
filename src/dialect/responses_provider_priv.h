/* dialect/responses_provider_priv.h -- what the files of the Responses API's provider side share.
 *
 *   responses_call.c         the call: top-level members       responses_read.c        a stream's events, one whole response
 *   responses_call_items.c   messages -> input items           responses_read_items.c  items and their parts
 *   responses_call_parts.c   content parts of items            responses_read_calls.c  tool calls, one after another
 *   responses_call_tools.c   tools, tool_choice, web search    responses_read_notes.c  citations, log probabilities, faults
 *
 * Rules are from OpenAI's API reference, "Responses", and the guide "Migrate to the Responses API", August 2026. */
#ifndef DIALECT_RESPONSES_PROVIDER_PRIV_H
#define DIALECT_RESPONSES_PROVIDER_PRIV_H

#include "dialect/responses_priv.h"
#include "ir/pairing.h"
#include "wire/json_write.h"

/* -- a request being written */

/* Reasoning that waits for the item that it led to: OpenAI refuses it alone. */
struct rc_reasoning {
    struct rc_reasoning *next;
    const struct ir_part *part;
};

struct rc_write {
    const struct ir_request *rq;
    const struct dialect_target *t;
    struct ir_report *report;
    struct arena *a;
    struct fault *fault;
    struct segments *s;
    struct json_write w;
    const struct ir_message *m; /* of which items are being written */
    struct ir_pairing pairs;
    struct rc_reasoning *waiting, **waiting_tail;
};

/* True when the deployment's own members hold this one: what the client asked for is not written. */
bool rc_is_set(const struct rc_write *c, const char *name);
/* A 400 that names the member. Returns ERR_UNSUPPORTED_PARAM. */
enum err rc_refuse(struct rc_write *c, const char *member, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
const char *rc_place(const struct rc_write *c);                   /* "messages[3].content" */
MUST_CHECK enum err rc_lose(struct rc_write *c, const char *tag); /* at rc_place */
/* Members of the origin's own: written where it is this dialect, else reported. */
MUST_CHECK enum err rc_put_ext(struct rc_write *c, const struct ir_ext *ext);

/* A block that is an item and no part of a message: what OpenAI's own tools did. */
bool rc_is_item(const struct ir_part *part);
MUST_CHECK enum err rc_put_input(struct rc_write *c);
/* A member `name`: a string where the parts are one bare text, else an array of them. */
MUST_CHECK enum err rc_put_content(struct rc_write *c, const char *name,
                                   const struct ir_part *parts);
MUST_CHECK enum err rc_put_tools(struct rc_write *c);

/* -- an answer being read */

/* A content part or a part of a summary. */
struct rr_part {
    struct rr_part *next;
    bool summary;
    uint64_t index;
    bool told;          /* text of it was given out */
    bool logprobs;      /* so were its log probabilities */
    size_t text_start;  /* code points of the answer's text before it */
    size_t annotations; /* given out */
};

struct rr_call;

enum rr_kind { RR_UNKNOWN, RR_MESSAGE, RR_REASONING, RR_FUNCTION, RR_CUSTOM, RR_OTHER };

struct rr_item {
    uint64_t index; /* output_index */
    struct str id;  /* plain */
    enum rr_kind kind;
    bool done;
    struct rr_part *parts; /* the last one first */
    struct rr_call *call;
};

/* Calls in the order of their items. IR has them one after another: what comes for a later one waits. */
struct rr_call {
    struct rr_call *next;
    struct str id, name; /* plain; empty: not known yet */
    bool custom, begun, argued, done;
    struct buf waiting; /* the inside of a literal */
};

struct rr_reader {
    struct answer_context c;
    bool started, ended;
    struct str service_tier;
    struct rr_item **items;
    size_t count, room;
    size_t part_count;
    struct rr_call *first, **tail, *open; /* open: events are about it; NULL: all have ended */
    uint32_t call_count, call_at;         /* call_at: index of `open` */
    size_t text_points;                   /* code points of the answer's text */
    const struct rr_part *reasoned;       /* the part that the last reasoning text was of */
    bool commented;                       /* the loss of a phase was told */
};

/* Where events go, for one frame. */
struct rr_out {
    struct rr_reader *r;
    struct ir_sink *sink;
    const char **ret_what;
};
enum err rr_bad(struct rr_out *o, const char *what); /* returns ERR_UPSTREAM_BAD */
void rr_loss(struct rr_out *o, const char *tag, bool degraded);

/* As rs_member, of a string that is not empty: the literal. */
struct str rr_text(struct str object, const char *name);

/* Errors of all: ERR_UPSTREAM_BAD with *ret_what. */
MUST_CHECK enum err rr_item_begin(struct rr_out *o, struct str item, uint64_t index,
                                  struct rr_item **ret_item);
/* The complete item: what was not given out yet. */
MUST_CHECK enum err rr_item_end(struct rr_out *o, struct rr_item *it, struct str item);
/* By index, else by id (a literal, may be empty), else the last one; NULL: none. */
struct rr_item *rr_item_find(const struct rr_reader *r, const uint64_t *index, struct str id);
MUST_CHECK enum err rr_part_at(struct rr_out *o, struct rr_item *it, bool summary, uint64_t index,
                               struct rr_part **ret_part);
void rr_emit_text(struct rr_out *o, struct rr_part *part, enum ir_event_kind kind,
                  struct str literal);

struct rr_call *rr_call_add(struct rr_reader *r, bool custom);
/* What is known of it by now: literals, empty where not. */
void rr_call_learn(struct rr_out *o, struct rr_call *call, struct str id, struct str name);
MUST_CHECK enum err rr_call_arguments(struct rr_out *o, struct rr_call *call, struct str literal);
void rr_call_done(struct rr_out *o, struct rr_call *call);
/* The answer has ended. Errors: ERR_UPSTREAM_BAD, a call without a name. */
MUST_CHECK enum err rr_calls_finish(struct rr_out *o);
void rr_calls_free(struct rr_reader *r);

void rr_annotation(struct rr_out *o, struct rr_part *part, struct str annotation);
void rr_logprobs(struct rr_out *o, struct rr_part *part, struct str array, bool refusal);
/* Of an error event in either form, or a response that has failed. */
void rr_fault(struct rr_reader *r, struct str error, struct fault *ret_fault);

/* -- the dialect's entries */
write_request_fn rc_write_request;
void rr_reader_init(void *reader, const struct answer_context *c);
read_answer_fn rr_read_answer;
end_answer_fn rr_end_answer;
void rr_reader_done(void *reader);

#endif
