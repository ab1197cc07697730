/* ir/pairing.h -- tool calls and their results: every call of a turn is answered, by its id, before the next turn; results come out in
 * call order. What OpenAI enforces of its clients (API reference, "Chat", August 2026), and other providers need.
 *
 *   ir_pairing_init; for each call ir_pairing_call; for each result ir_pairing_result, which says when all are there: then walk
 *   `first` and ir_pairing_reset; where another turn begins, ir_pairing_check.
 *
 * Pure; lives in the request's arena. */
#ifndef IR_PAIRING_H
#define IR_PAIRING_H

#include "base/fault.h"
#include "ir/ir.h"

#define IR_CALLS_MAX 1024 /* of one turn: finding a result looks through them */

/* A call that waits for its result, or has it. */
struct ir_pending {
    struct ir_pending *next;
    const struct ir_part *call, *result; /* result NULL: it has not come */
    struct str id;                       /* as the target knows it */
    uint32_t message, index;             /* of the call: messages[message], the part's place */
    uint32_t result_message, result_index;
};

struct ir_pairing {
    struct arena *arena;
    struct fault *fault; /* filled with an error */
    struct ir_pending *first, **tail;
    size_t waiting, answered;
};

void ir_pairing_init(struct ir_pairing *p, struct arena *a, struct fault *fault);
void ir_pairing_reset(struct ir_pairing *p); /* the turn is over */
/* Errors: ERR_BAD_REQUEST (more than IR_CALLS_MAX). */
MUST_CHECK enum err ir_pairing_call(struct ir_pairing *p, const struct ir_part *call, struct str id,
                                    uint32_t message, uint32_t index);
/* Errors: ERR_BAD_REQUEST (no unanswered call of that id). */
MUST_CHECK enum err ir_pairing_result(struct ir_pairing *p, const struct ir_part *result,
                                      uint32_t message, uint32_t index, bool *ret_complete);
/* Errors: ERR_BAD_REQUEST (a call has no result). */
MUST_CHECK enum err ir_pairing_check(const struct ir_pairing *p);

/* What a walk over a message meets. */
struct ir_user_walk {
    void (*on_complete)(
        void *ctx); /* the turn's last result has come: walk `first`, and ir_pairing_reset */
    void (*on_part)(void *ctx, const struct ir_part *part, const struct ir_message *m,
                    uint32_t index); /* anything but results */
    void *ctx;
};
/* A message of the user, or of a tool: its results first, wherever they stand, then its other parts. A tool's message has none that
 * count, and others may follow it; the user's message begins a turn. Errors: those of ir_pairing_result and ir_pairing_check. */
MUST_CHECK enum err ir_pairing_user(struct ir_pairing *p, const struct ir_message *m,
                                    const struct ir_user_walk *w);

#endif
