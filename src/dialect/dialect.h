/* dialect/dialect.h -- one format, both directions, as a table entry. N client dialects and M provider dialects are N+M files.
 *
 *   read_request   client's body        -> struct ir_request
 *   write_request  struct ir_request    -> struct ir_call (path, headers, body segments)
 *   read_answer    provider's frames    -> events (a whole body is one frame)
 *   write_answer   events               -> client's frames, or one object when folded
 *
 * The reader and writer of an answer keep their state in memory of reader_bytes / writer_bytes from the request's arena, zeroed; they may
 * use heap buffers inside, released by the `done` functions. Reading and writing one message live side by side in one file, in the
 * order of the provider's documentation; every dropped or altered field has a one-line comment naming the document and its date.
 * Pure; thread: the request's. */
#ifndef DIALECT_DIALECT_H
#define DIALECT_DIALECT_H

#include "base/buf.h"
#include "base/fault.h"
#include "ir/event.h"
#include "ir/ir.h"
#include "ir/report.h"
#include "provider/model_facts.h"
#include "provider/provider.h"
#include "wire/segments.h"

/* What write_request is told about the deployment. */
struct dialect_target {
    const struct provider *provider;
    struct str model; /* upstream name, plain */
    const struct model_facts
        *facts;  /* never NULL: the family's default row when the model is unknown */
    bool vertex; /* Claude or Gemini on Vertex AI: model in the URL, fewer features */
    bool
        modify_params; /* litellm's: the request may be mended (dummy user turn, thinking dropped ...) */
    bool repair;       /* the second try, after a fault that said AGAIN_REPAIRED */
    bool count;        /* not an answer is asked for, but the request's tokens: dialect/count.h */
    const struct conf_member *passthrough;
    size_t passthrough_count;  /* provider's own members to be set in the body as they are */
    const struct str *allowed; /* names: sent although the target is not known to take them */
    size_t allowed_count;
};

struct ir_call {
    struct str suffix; /* of the path, before the query: "/v1/messages", ":generateContent" */
    struct str query;  /* "alt=sse"; empty: none */
    struct str model; /* stands in the path for the target's: "count-tokens"; empty: the target's */
    struct call_header {
        struct str name, value;
    } headers[8]; /* the dialect's own: anthropic-version ... */
    size_t header_count;
    struct segments body;
};

/* One piece of an answer: an SSE event, or the whole body. */
struct frame {
    struct str name; /* SSE event name; empty: none */
    struct str data; /* JSON text, not yet validated */
    bool whole;      /* a whole answer, not an event of a stream */
};

/* What the reader of an answer may need of the request. */
struct answer_context {
    const struct ir_request *rq;
    const struct dialect_target *target;
    struct arena *arena;
    uint64_t unix_s; /* now */
    struct str id;   /* seed for ids that a provider does not give: the call id */
};

typedef enum err read_request_fn(struct str body, struct str path_model, struct arena *a,
                                 struct ir_request *ret_rq, struct fault *ret_fault);
typedef enum err write_request_fn(const struct ir_request *rq, const struct dialect_target *t,
                                  struct ir_report *report, struct arena *a,
                                  struct ir_call *ret_call, struct fault *ret_fault);
/* Errors: ERR_UPSTREAM_BAD (not this dialect; `*ret_what` for the log); an error that the provider reports is an ERROR event. */
typedef enum err read_answer_fn(void *reader, const struct frame *f, struct ir_sink *sink,
                                const char **ret_what);
/* The input has ended. ERR_UPSTREAM_CUT when the answer was not complete; else emits what is due (FINISH, USAGE, END). */
typedef enum err end_answer_fn(void *reader, struct ir_sink *sink);
/* Appended to `out`. Where it does not fit, or a writer that collects the answer has too much of it, `out->fail` says so: what this
 * call has appended is of no use then. */
typedef void write_answer_fn(void *writer, const struct ir_event *ev, struct buf *out);

struct count_answer;
/* Errors: ERR_UPSTREAM_BAD (not this endpoint's answer; `*ret_what` for the log). */
typedef enum err read_count_fn(struct str body, struct count_answer *ret, const char **ret_what);

struct answer_style {
    bool fold;              /* one object at END instead of frames */
    bool usage;             /* the client asked for usage on its stream */
    struct str model_json;  /* what answers are stamped with */
    struct str response_id; /* Responses: the answer's id, plain: dialect/responses.h */
};

struct dialect {
    const char *name; /* "anthropic.messages" */
    enum ir_origin origin;
    size_t reader_bytes, writer_bytes;
    read_request_fn *read_request; /* NULL: not a client dialect (yet) */
    /* The same of a body that json_scan_object or json_check took before: it is not validated again. NULL: read_request does. */
    read_request_fn *read_scanned;
    write_request_fn *write_request;
    /* What a target with `count` has answered. NULL: there is no such endpoint, and write_request takes no such target. */
    read_count_fn *read_count;
    void (*reader_init)(void *reader, const struct answer_context *c);
    read_answer_fn *read_answer;
    end_answer_fn *end_answer;
    void (*reader_done)(void *reader);
    void (*writer_init)(void *writer, const struct answer_context *c,
                        const struct answer_style *style);
    write_answer_fn *write_answer;
    void (*writer_done)(void *writer);
};

extern const struct dialect dialect_openai_chat, dialect_openai_responses,
    dialect_anthropic_messages, dialect_gemini_generate;

#endif
