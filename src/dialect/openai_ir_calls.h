/* dialect/openai_ir_calls.h -- the tool calls of one choice of an answer, made orderly.
 *
 * Compatible backends deviate: no index, index 0 for all, ids late, repeated, empty or missing, a whole call in one chunk. Out of that
 * come events one call after another: a call is ended when its arguments are a complete JSON value and another one starts; what arrives
 * for a later call before that waits. Pure; thread: the request's. */
#ifndef DIALECT_OPENAI_IR_CALLS_H
#define DIALECT_OPENAI_IR_CALLS_H

#include "dialect/openai_ir_priv.h"

#define OA_NO_INDEX UINT32_MAX

struct oa_call;

struct oa_calls {
    struct arena *a;
    struct str seed; /* for ids that the provider does not give */
    const struct ir_request
        *rq; /* whose tools may have got other names (dialect/tools.h); NULL: none */
    uint32_t choice;
    struct oa_call **list;
    size_t count, room;
    size_t open; /* the call that events are about; earlier ones have ended */
};

/* One element of tool_calls. */
struct oa_call_delta {
    uint32_t index;      /* OA_NO_INDEX: not given */
    bool whole;          /* of a whole answer: always a call of its own */
    struct str id, name; /* JSON literals; empty: not given */
    struct str input;    /* JSON literal */
    bool custom;
    struct str signature; /* JSON literal, Gemini's */
};

/* Errors: ERR_UPSTREAM_BAD with *ret_what. */
MUST_CHECK enum err oa_calls_take(struct oa_calls *c, const struct oa_call_delta *d,
                                  struct ir_sink *sink, const char **ret_what);
/* Something else follows in the answer: the open call ends if it can. */
void oa_calls_pause(struct oa_calls *c, struct ir_sink *sink);
/* The choice has ended. Errors: ERR_UPSTREAM_BAD, a call that never got a name. */
MUST_CHECK enum err oa_calls_finish(struct oa_calls *c, struct ir_sink *sink);
void oa_calls_done(struct oa_calls *c);

#endif
