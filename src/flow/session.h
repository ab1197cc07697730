/* flow/session.h -- what a request of the Responses API goes back to, and what it leaves behind (store/sessions.h).
 *
 *   create:  session_admit -> session_ask (SESSION) -> session_plan (PLAN) -> ... -> session_keep_native | session_keep_turn
 *   by id:   session_admit_op -> session_ask -> session_plan_op: answered from the store, or sent to the deployment that made it
 *
 * Ids of native answers are left as they are: the store knows which deployment made them, and whose they are. Turns that weir made itself
 * are kept with their items, and a follow-up gets them back in its `input`, whatever provider it goes to. Worker's thread. */
#ifndef FLOW_SESSION_H
#define FLOW_SESSION_H

#include "dialect/responses.h"
#include "store/sessions.h"

struct flow;
struct session_wait;

enum response_op {
    RESPONSE_CREATE,
    RESPONSE_GET,
    RESPONSE_DELETE,
    RESPONSE_CANCEL,
    RESPONSE_ITEMS
};

/* A request's part in it; lives in the request's arena. */
struct responding {
    enum response_op op;
    struct response_members m; /* create */
    struct str id;             /* create: ask session_id; by id: the one asked for */
    struct str previous;       /* plain; empty: none */
    struct str input;          /* raw, as the client sent it; "[]" where it sent none */
    struct str *refers;        /* ids of answers that items of the input refer to */
    size_t refer_count;        /* may be more than SESSIONS_IDS_MAX, which `refers` holds */
    struct str parent_json; /* previous_response_id as the client wrote it: the answer repeats it */
    bool store;             /* the client did not say store: false */
    bool kept;
    bool tagged;                 /* it carries state with the tag of an account (flow/affinity.h) */
    struct session_wait *wait;   /* the store is asked */
    struct session_result *past; /* what it said */
    struct session_result *gone; /* of a response that was to be deleted: whether it has been */
    struct str suffix, query;    /* by id, native: of the provider's path */
};

/* ADMIT. Errors, with f->fault: ERR_BAD_REQUEST, ERR_OVERLOADED. */
MUST_CHECK enum err session_admit(struct flow *f);
MUST_CHECK enum err session_admit_op(struct flow *f);
/* True when something has to be looked up first. */
bool session_needed(const struct flow *f);
/* Asks the store; flow goes on with flow_looked_up. Errors, with f->fault: ERR_OVERLOADED. */
MUST_CHECK enum err session_ask(struct flow *f);

/* PLAN, create: after a deployment was picked, which may have to be another: the one that has the previous response. Puts the past into
 * f->rq where the deployment does not have it. Errors, with f->fault. */
MUST_CHECK enum err session_plan(struct flow *f);
/* PLAN, by id. `*ret_answered`: from the store, the flow can end; else it is sent to a provider. Errors, with f->fault. */
MUST_CHECK enum err session_plan_op(struct flow *f, bool *ret_answered);

/* The answer's id, where weir makes the answer: 128 random bits. */
struct str session_id(struct flow *f);
/* A bridged answer is to be kept. */
bool session_keeps(const struct flow *f);
/* The id that a native answer carries; once. */
void session_keep_native(struct flow *f, struct str id);
/* A bridged answer that is complete: its writer's result. Before its last byte goes out. */
void session_keep_turn(struct flow *f, const void *writer);
/* A native response was deleted at its provider. */
void session_forget(struct flow *f);
void session_done(struct flow *f); /* with the flow */

#endif
