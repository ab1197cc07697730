/* ir/event.h -- an answer as a sequence of events, whatever dialect it came in, whole or streamed.
 *
 *   START { TEXT | REASONING | SIGNATURE | REFUSAL | TOOL_CALL TOOL_ARGUMENTS* TOOL_END | WEB_SEARCH | ANNOTATION | LOGPROBS | LOSS
 *           | PING | USAGE }*
 *   FINISH (one a choice) USAGE? END        -- or ERROR, at any point
 *
 * A whole answer is replayed as events by its reader; a writer folds them into one object when the client does not stream.
 * Slices are borrowed for the call only: whoever keeps one copies it. `json` is a JSON string literal with quotes. Pure. */
#ifndef IR_EVENT_H
#define IR_EVENT_H

#include "base/fault.h"
#include "ir/ir.h"
#include "ir/usage.h"

enum ir_event_kind {
#define IR_EVENT(name, help) IR_EV_##name,
#include "ir/event.def"
#undef IR_EVENT
    IR_EV_COUNT
};

enum ir_finish { IR_FINISH_STOP, IR_FINISH_LENGTH, IR_FINISH_TOOL_CALLS, IR_FINISH_CONTENT_FILTER };

struct ir_event {
    enum ir_event_kind kind;
    uint32_t choice; /* from 0 */
    uint32_t part;   /* tool calls: index among the choice's calls, dense from 0 */
    struct str json;
    struct str raw;
    struct str id, model;     /* START: plain */
    uint64_t created;         /* START: unix seconds, 0: unknown */
    struct str call_id, name; /* TOOL_CALL: plain; WEB_SEARCH: call_id; LOSS: name is the tag */
    bool custom;
    struct str signature; /* TOOL_CALL: JSON literal, origin's */
    bool redacted;
    bool degraded; /* LOSS: else dropped */
    enum ir_origin origin;
    enum ir_finish finish;
    struct str service_tier; /* START or FINISH: plain; empty: unknown */
    struct ir_usage usage;
    const struct fault *fault;
};

typedef void ir_event_fn(void *ctx, const struct ir_event *ev);
struct ir_sink {
    ir_event_fn *on_event;
    void *ctx;
};
static inline void ir_emit(struct ir_sink *s, const struct ir_event *ev)
{
    s->on_event(s->ctx, ev);
}

const char *ir_event_name(enum ir_event_kind k);

/* True for TEXT, REASONING, REFUSAL, TOOL_ARGUMENTS that are not empty: what commits a stream. */
bool ir_event_is_content(const struct ir_event *ev);

#endif
