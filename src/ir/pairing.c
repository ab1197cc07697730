#include "ir/pairing.h"

void ir_pairing_init(struct ir_pairing *p, struct arena *a, struct fault *fault)
{
    *p = (struct ir_pairing){ .arena = a, .fault = fault };
    ir_pairing_reset(p);
}

void ir_pairing_reset(struct ir_pairing *p)
{
    p->first = NULL;
    p->tail = &p->first;
    p->waiting = p->answered = 0;
}

enum err ir_pairing_call(struct ir_pairing *p, const struct ir_part *call, struct str id,
                         uint32_t message, uint32_t index)
{
    if (p->waiting == IR_CALLS_MAX) {
        fault_set(p->fault, ERR_BAD_REQUEST, p->arena,
                  "messages[%u].tool_calls: more than %d tool calls in one turn.", message,
                  IR_CALLS_MAX);
        p->fault->param = arena_printf(p->arena, "messages[%u].tool_calls", message);
        return ERR_BAD_REQUEST;
    }
    struct ir_pending *w = ARENA_NEW(p->arena, struct ir_pending);
    *w = (struct ir_pending){ .call = call, .id = id, .message = message, .index = index };
    IR_APPEND(p->tail, w);
    p->waiting++;
    return ERR_OK;
}

enum err ir_pairing_result(struct ir_pairing *p, const struct ir_part *result, uint32_t message,
                           uint32_t index, bool *ret_complete)
{
    struct ir_pending *w = p->first;
    while (w && (w->result || !str_eq(w->call->call_id, result->call_id)))
        w = w->next;
    if (!w) {
        fault_set(
            p->fault, ERR_BAD_REQUEST, p->arena,
            "messages[%u]: there is no unanswered tool call with id \"%.*s\" in the assistant "
            "message before it.",
            message, STR_ARG(str_head(result->call_id, 64)));
        p->fault->param = arena_printf(p->arena, "messages[%u].tool_call_id", message);
        return ERR_BAD_REQUEST;
    }
    w->result = result;
    w->result_message = message;
    w->result_index = index;
    *ret_complete = ++p->answered == p->waiting;
    return ERR_OK;
}

enum err ir_pairing_check(const struct ir_pairing *p)
{
    const struct ir_pending *w = p->first;
    while (w && w->result)
        w = w->next;
    if (!w)
        return ERR_OK;
    fault_set(p->fault, ERR_BAD_REQUEST, p->arena,
              "messages[%u]: the tool call with id \"%.*s\" has no result. An assistant "
              "message with tool_calls must be followed by one tool message for each of "
              "them.",
              w->message, STR_ARG(str_head(w->call->call_id, 64)));
    p->fault->param = arena_printf(p->arena, "messages[%u].tool_calls", w->message);
    return ERR_BAD_REQUEST;
}

enum err ir_pairing_user(struct ir_pairing *p, const struct ir_message *m,
                         const struct ir_user_walk *w)
{
    uint32_t i = 0;
    bool complete;
    for (const struct ir_part *part = m->parts; part; part = part->next, i++) {
        if (part->kind != IR_TOOL_RESULT)
            continue;
        TRY(ir_pairing_result(p, part, m->index, i, &complete));
        if (complete)
            w->on_complete(w->ctx);
    }
    if (m->role == IR_TOOL)
        return ERR_OK;
    TRY(ir_pairing_check(p));
    i = 0;
    for (const struct ir_part *part = m->parts; part; part = part->next, i++)
        if (part->kind != IR_TOOL_RESULT)
            w->on_part(w->ctx, part, m, i);
    return ERR_OK;
}
