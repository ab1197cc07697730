/* dialect/responses_priv.h -- what the files of the Responses API share. */
#ifndef DIALECT_RESPONSES_PRIV_H
#define DIALECT_RESPONSES_PRIV_H

#include "dialect/openai_ir_priv.h"
#include "dialect/responses.h"
#include "wire/json_write.h"

/* A member of an object that is walked, as it stands. */
void rs_put_member(struct json_write *w, const struct json_iter *it, struct arena *a);

/* -- reading a client's request (responses_request*.c); oa_read and its helpers are the chat dialect's */

/* The literal of encrypted_content begins as weir's does: when response_state_get refuses it, it is broken. */
bool rs_is_own_state(struct str json);
/* A member of an item that is a state, whoever made it: encrypted_content, a string that is not empty. */
bool rs_is_state(const struct json_iter *it);
/* It belongs to an account, and not to that of `tag`. */
bool rs_is_of_another(struct str json, struct str tag);

/* What cannot be done where the model's provider does not speak this API: ERR_UNSUPPORTED_PARAM, named as oa_bad does. */
enum err rs_unsupported(struct oa_read *r, const char *member, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* oa_members, with members beside those known as extensions of this API; `*tail` is moved to their end. NULL: they are of no
 * interest. */
void rs_members(struct str object, const struct str *known, size_t n, struct str *ret_values,
                struct arena *a, struct ir_ext ***tail);

/* The same of an object inside the request: its other members become the request's own, by their place ("text.format.x"). */
void rs_inner_members(struct oa_read *r, const char *place, struct str object,
                      const struct str *known, size_t n, struct str *ret_values);
/* Of no place of their own. */
void rs_add_ext(struct oa_read *r, struct ir_ext *list);

/* A string that is not empty. */
MUST_CHECK enum err rs_required(struct oa_read *r, const char *member, struct str value,
                                struct str *ret_plain);

MUST_CHECK enum err rs_read_input(struct oa_read *r, struct str input);
/* One element of a content array. `*ret_annotations`: those of an output_text, raw; empty: none. */
MUST_CHECK enum err rs_read_part(struct oa_read *r, struct str value, struct ir_part **ret_part,
                                 struct str *ret_annotations);
MUST_CHECK enum err rs_read_tools(struct oa_read *r, struct str array);
MUST_CHECK enum err rs_read_choice(struct oa_read *r, struct str value);
MUST_CHECK enum err rs_read_text(struct oa_read *r, struct str value); /* format, verbosity */

read_request_fn rs_read_request, rs_read_scanned;

/* The `type` of an input item, plain: "message" also where a role says it, "item_reference" where there is an id alone; empty:
 * unknown. */
struct str rs_item_type(struct str item, struct arena *a);
/* The same of its members. */
struct str rs_type_of(struct str type, struct str role, struct str id, struct arena *a);

/* -- writing answers to a client (responses_write*.c)
 *
 *   created in_progress { item }* completed | incomplete | failed error
 *
 * One item is open at a time, but for calls, which may interleave, and for a message beside a web search, whose citations come late.
 * Items that are kept for follow-ups without being shown (state that the client did not ask for) have no output_index. */

enum rs_item_kind { RS_MESSAGE, RS_REASONING, RS_CALL, RS_SEARCH };
enum rs_status { RS_IN_PROGRESS, RS_COMPLETED, RS_LENGTH, RS_FILTERED, RS_FAILED };

struct rs_part {
    struct rs_part *next;
    bool refusal;
    uint32_t index;                   /* content_index */
    uint64_t start, points;           /* code points of the answer's text before it; its own */
    struct buf text;                  /* the inside of a literal */
    struct buf annotations, logprobs; /* elements */
    uint32_t annotation_count;
    struct str place; /* ,"item_id":..,"output_index":..,"content_index":.. */
};

struct rs_item {
    struct rs_item *next;
    enum rs_item_kind kind;
    struct str id;    /* plain */
    bool shown;       /* to the client, at `index` */
    bool closed, cut; /* cut: it was open when the answer ended early */
    uint32_t index;
    struct str place;                     /* ,"item_id":..,"output_index":.. */
    struct rs_part *parts, **tail, *part; /* message: all, and the open one */
    struct buf text; /* reasoning, a call's arguments: the inside of a literal */
    bool stated;
    struct response_state state; /* reasoning: another provider's */
    struct str own_state;        /* reasoning: OpenAI's, a literal */
    struct str call_id, name;    /* call: plain */
    bool custom;
    struct str query; /* web search: a literal */
};

struct rs_writer {
    const struct answer_context *c;
    const struct ir_request *rq;
    struct answer_style style;
    struct str hex;
    uint64_t created, sequence;
    struct str service_tier;
    bool begun, finished, ended;
    enum rs_status status;
    struct str error_code, error_message; /* RS_FAILED */
    struct rs_item *items, **tail;
    uint32_t item_count, shown_count;
    struct rs_item *message, *reasoning; /* open ones */
    bool sealed;                         /* the open message takes no more text */
    struct rs_item **calls;
    uint32_t call_count, call_room;
    bool searches, refused;
    uint64_t points;           /* code points of text so far */
    struct str text_signature; /* of the open message's text, Gemini's: a literal */
    struct buf held;           /* a text that waits for its log probabilities: a literal */
    bool holds;
    size_t collected; /* bytes */
    bool cut;         /* they are too many: writing fails with ERR_TOO_LARGE, in `out` */
    struct ir_usage usage;
};

void rs_writer_init(void *writer, const struct answer_context *c, const struct answer_style *style);
write_answer_fn rs_write_answer;
void rs_writer_done(void *writer);

/* JSON; `stored`: with all state. */
void rs_put_item(const struct rs_writer *wr, const struct rs_item *item, bool stored,
                 struct buf *out);
void rs_put_part(const struct rs_part *part, struct buf *out);
void rs_put_object(const struct rs_writer *wr, struct buf *out);
/* Annotations in chat's shape and log probabilities in chat's shape, in this API's. False: not understood. */
bool rs_put_annotation(struct str raw, const struct rs_part *part, struct buf *out);
void rs_put_logprobs(struct str array, struct buf *out); /* elements, with commas between */

/* Frames of a stream; nothing where the answer is folded. */
void rs_send_object(struct rs_writer *wr, const char *type, struct buf *out);
void rs_send_item(struct rs_writer *wr, const char *type, const struct rs_item *item,
                  struct buf *out);
void rs_send_part(struct rs_writer *wr, const char *type, const struct rs_part *part,
                  struct buf *out);
void rs_send_delta(struct rs_writer *wr, const struct rs_part *part, struct str json,
                   struct str logprobs, struct buf *out);
void rs_send_done(struct rs_writer *wr, const struct rs_part *part, struct buf *out);
void rs_send_annotation(struct rs_writer *wr, const struct rs_part *part, struct str annotation,
                        struct buf *out);
void rs_send_reasoning(struct rs_writer *wr, const struct rs_item *item, struct str json,
                       struct buf *out);
void rs_send_reasoning_begin(struct rs_writer *wr, const struct rs_item *item, struct buf *out);
void rs_send_reasoning_done(struct rs_writer *wr, const struct rs_item *item, struct buf *out);
void rs_send_input(struct rs_writer *wr, const struct rs_item *item, struct str json,
                   struct buf *out);
void rs_send_input_done(struct rs_writer *wr, const struct rs_item *item, struct buf *out);
void rs_send_search(struct rs_writer *wr, const struct rs_item *item, struct buf *out);

#endif
