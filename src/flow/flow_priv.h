/* flow/flow_priv.h -- the life of one request, shared by the files of this folder.
 *
 *   AUTH -> BODY -> ADMIT -> SESSION -> PLAN -> HOLD -> SEND -> AWAIT -> ANSWER | STREAM -> SETTLE -> FINISH
 *     |       |       |         |         |       |        |        |         |              ^         ^
 *     +-------+-------+---------+---------+-------+--------+--------+---------+--------------+---------+
 *        a fault: the answer is an error, the attempt (if one began) is settled, the request is finished
 *
 * A flow lives in its exchange's arena and belongs to one worker. `state` is changed by flow_to() alone.
 * SETTLE is reached once per attempt, FINISH once per request, always. HOLD and SETTLE are where money joins. */
#ifndef FLOW_FLOW_PRIV_H
#define FLOW_FLOW_PRIV_H

#include "base/fault.h"
#include "dialect/openai_chat.h"
#include "dialect/upstream_fault.h"
#include "flow/embed.h"
#include "flow/session.h"
#include "flow/translate.h"
#include "flow/worker.h"
#include "ir/report.h"
#include "observe/access_log.h"
#include "wire/json_tap.h"
#include "wire/sse.h"

#define FLOW_STATES(X)                                                                             \
    X(AUTH, flow_auth)        /* route and key, from the headers alone */                          \
    X(BODY, flow_body)        /* read */                                                           \
    X(ADMIT, flow_admit)      /* scan; model access, slots */                                      \
    X(SESSION, flow_session)  /* what earlier responses a request goes back to */                  \
    X(PLAN, flow_plan)        /* which deployment */                                               \
    X(HOLD, attempt_hold)     /* money and tokens for this deployment */                           \
    X(SEND, attempt_send)     /* the edited request, on a pooled connection */                     \
    X(AWAIT, NULL)            /* the answer's head */                                              \
    X(ANSWER, NULL)           /* a whole answer */                                                 \
    X(STREAM, NULL)           /* events */                                                         \
    X(SETTLE, attempt_settle) /* usage; release */                                                 \
    X(FINISH, flow_finish)    /* log line; the exchange goes */

enum flow_state {
#define X(name, fn) FLOW_##name,
    FLOW_STATES(X)
#undef X
        FLOW_STATE_COUNT
};

enum next { NEXT_STEP, NEXT_WAIT };

struct flow;
typedef enum next flow_step_fn(struct flow *f);

/* One call to one deployment. */
struct attempt {
    const struct upstream *to;
    struct exchange *up; /* NULL: none is out */
    const struct http_head *head;
    uint64_t sent_us, head_us;
    struct ir_usage usage;
    struct credential_wait *wait; /* for an OAuth token */
    struct str token;             /* the token in use; empty: the endpoint's own credential */
    bool again;                   /* it is the second try, with another token */
    struct embedding *em;         /* embeddings of another dialect; NULL: none */
    struct ir_report *report;     /* what a translation lost; NULL: same dialect, exact */
    struct ir_report *losses;     /* of the answer's translation; NULL: nothing */
    bool retried, repair;         /* the second try of a translation, with a mended request */
    struct ir_usage spent;        /* by the try before it */
    struct translation *tr;       /* client and provider speak different dialects; NULL: spliced */
    bool begun;                   /* HOLD was passed: SETTLE must come */
    /* whole answers */
    char *body;
    size_t body_len, body_room;
    struct json_tap *tap; /* a body too large to be held flows through it */
    /* streams */
    struct sse sse;
    uint64_t sequence; /* Responses: of the next event */
    bool sse_on, hide_usage, terminal, finish_seen;
};

struct flow {
    struct list link; /* worker->flows */
    struct worker *w;
    struct worker_snapshot *ws;
    struct snapshot *snap;
    struct exchange *x;  /* the client's */
    struct arena *arena; /* the exchange's */
    const struct http_head *head;
    const struct route *route;
    struct str capture;
    const struct entry *entry;
    enum flow_state state;
    struct str call_id;
    uint64_t began_us, content_us;
    int64_t timeout_ms, stream_timeout_ms; /* from headers; -1: not given */
    struct timer timer;                    /* deadline, commit and ping of this request */
    uint64_t deadline_us, commit_us, wrote_us;

    char *body;
    char *body_heap; /* the same once it is large: grows in place, as the arena cannot */
    size_t body_len, body_room, in_flight;

    struct openai_request rq;
    struct responding *rs; /* the Responses API; NULL: another */
    struct pick pick;
    struct attempt at;

    struct buf out; /* held back before commit; then what this turn has to write */
    struct defer flush;
    bool committed; /* content was seen: nothing is replaced any more */
    bool head_sent, body_sent, flush_end;
    bool client_gone;
    int status;         /* answered */
    struct fault fault; /* fault.err != 0: what went wrong, for the log */
};

void flow_to(struct flow *f, enum flow_state to);
void flow_run(struct flow *f);  /* steps until one waits */
void flow_fail(struct flow *f); /* f->fault is set: answers it, settles, finishes */
void flow_fail_with(struct flow *f, enum err e); /* with the default text */
void flow_end(struct flow *f);                   /* the answer is complete */
void flow_client_gone(struct flow *f, enum err e);
void flow_commit(struct flow *f); /* content was seen */
void flow_arm(struct flow *f);    /* the timer for the nearest of its instants */
/* Counts as bytes in flight until the flow ends. False: that is more than this gateway holds. */
bool flow_hold_bytes(struct flow *f, size_t n);
void flow_looked_up(struct flow *f); /* the store has answered */
const struct model_facts *flow_facts(const struct flow *f);
enum dialect_id flow_dialect(struct flow *f); /* what the picked deployment is called in */

flow_step_fn flow_auth, flow_body, flow_admit, flow_session, flow_plan, flow_finish;
flow_step_fn attempt_hold, attempt_send, attempt_settle;

/* auth.c: the key of a request; also "no key" and "malformed" as faults. */
MUST_CHECK enum err auth_entry(const struct snapshot *s, const struct http_head *h, struct arena *a,
                               const struct entry **ret_entry, struct fault *ret_fault);

/* attempt.c */
void attempt_drop(struct flow *f); /* the upstream exchange goes, complete or not */
void attempt_fail(struct flow *f, enum err e, struct str detail);
struct str edited_body(
    struct flow *f); /* the client's body with the deployment's edits, for a translation */
struct ir_report *report_new(struct flow *f); /* with what the caller allows */
void attempt_next(
    struct flow *f); /* the next call of the same attempt: the exchange is new, all else stays */
/* What no answer, error or log may repeat: the credential that this attempt was made with. Empty: none. */
struct str attempt_secret(const struct flow *f);
bool attempt_again(struct flow *f); /* after a 401: once more with another OAuth token */

/* answer.c, stream.c: events of the upstream exchange once its head is here */
void answer_begin(struct flow *f);
void answer_body(struct flow *f, struct str bytes);
void answer_end(struct flow *f);
void relay_begin(struct flow *f);
void relay_body(struct flow *f, struct str bytes);
void relay_end(struct flow *f);
void relay_flush(void *flow);
void relay_ping(struct flow *f);
void relay_fault(struct flow *f); /* writes f->fault as an error event and ends the stream */

/* native.c: the Responses API, both sides speaking it */
bool native_event(struct flow *f, const struct sse_event *ev); /* false: the flow has ended */
void native_answer(struct flow *f, struct str body);
/* The lines of an event around its data. */
void relay_put_head(struct flow *f, const struct sse_event *ev);
void relay_put_tail(struct flow *f, const struct sse_event *ev);
void relay_event_fault(struct flow *f, struct str data);
void answer_provider_fault(struct flow *f, int status, struct str body);

/* respond.c: what every answer carries */
struct headers {
    struct http_header rows[160];
    size_t count;
};
void headers_add(struct headers *h, struct str name,
                 struct str value); /* an empty value is left out */
void respond_headers(struct flow *f, struct headers *h, struct str content_type);
void respond_json(struct flow *f, int status, struct str body);
void respond_fault(struct flow *f);
void respond_stream_head(struct flow *f, struct str first, bool end);
void respond_whole(struct flow *f, struct str first, int64_t length,
                   bool end); /* length -1: in parts */

/* mock.c */
bool mock_wanted(const struct flow *f, struct str *ret_response);
void mock_answer(struct flow *f, struct str response);

/* cors.c */
void cors_headers(const struct flow *f, struct headers *h);
bool cors_preflight(struct flow *f); /* answered */

#endif
