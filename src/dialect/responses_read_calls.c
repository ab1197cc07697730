/* Tool calls of a response. Several may be open at once; they are given out one after another, in the order of their items. */
#include "base/mem.h"
#include "dialect/responses_provider_priv.h"

#define CALLS_MAX 512
#define WAITING_MAX (16 * MIB)

struct rr_call *rr_call_add(struct rr_reader *r, bool custom)
{
    struct rr_call *call = ARENA_NEW(r->c.arena, struct rr_call);
    if (r->call_count == CALLS_MAX)
        return NULL;
    if (!r->tail)
        r->tail = &r->first;
    IR_APPEND(r->tail, call);
    r->call_count++;
    call->custom = custom;
    buf_init(&call->waiting, WAITING_MAX);
    if (!r->open) { /* those before have ended */
        r->open = call;
        r->call_at = r->call_count - 1;
    }
    return call;
}

static struct ir_event event_of(const struct rr_out *o, enum ir_event_kind kind)
{
    return (struct ir_event){ .kind = kind, .part = o->r->call_at };
}

static void begin(struct rr_out *o)
{
    struct rr_call *call = o->r->open;
    struct ir_event ev = event_of(o, IR_EV_TOOL_CALL);
    if (!call->id.len)
        call->id = arena_printf(o->r->c.arena, "call_%.*s_%u", STR_ARG(str_head(o->r->c.id, 40)),
                                o->r->call_at);
    ev.call_id = call->id;
    ev.name = call->name;
    ev.custom = call->custom;
    ev.origin = IR_FROM_OPENAI_RESPONSES;
    call->begun = true;
    ir_emit(o->sink, &ev);
}

static void send(struct rr_out *o, struct str literal)
{
    struct ir_event ev = event_of(o, IR_EV_TOOL_ARGUMENTS);
    ev.json = literal;
    ir_emit(o->sink, &ev);
}

static void send_waiting(struct rr_out *o)
{
    struct rr_call *call = o->r->open;
    struct buf literal;
    if (!call->waiting.len)
        return;
    buf_init(&literal, WAITING_MAX + 2);
    buf_putc(&literal, '"');
    buf_put(&literal, buf_str(&call->waiting));
    buf_putc(&literal, '"');
    send(o, buf_str(&literal));
    buf_done(&literal);
    buf_done(&call->waiting);
}

/* Gives out what can be: the open call, and those behind it as the ones before are complete. */
static void advance(struct rr_out *o)
{
    struct rr_reader *r = o->r;
    while (r->open) {
        struct rr_call *call = r->open;
        if (!call->begun) {
            if (!call->name.len)
                return;
            begin(o);
        }
        send_waiting(o);
        if (!call->done)
            return;
        struct ir_event ev = event_of(o, IR_EV_TOOL_END);
        ir_emit(o->sink, &ev);
        r->open = call->next;
        r->call_at += r->open != NULL;
    }
}

void rr_call_learn(struct rr_out *o, struct rr_call *call, struct str id, struct str name)
{
    struct arena *a = o->r->c.arena;
    if (!call->begun && !call->id.len && id.len > 2)
        call->id = arena_dup(a, json_unescape(id, a));
    if (!call->begun && !call->name.len && name.len > 2)
        call->name = arena_dup(a, json_unescape(name, a));
    advance(o);
}

enum err rr_call_arguments(struct rr_out *o, struct rr_call *call, struct str literal)
{
    if (call->done || literal.len <= 2)
        return ERR_OK;
    call->argued = true;
    if (o->r->open == call && call->begun) {
        send(o, literal);
        return ERR_OK;
    }
    buf_put(&call->waiting, str_of(literal.p + 1, literal.len - 2));
    return call->waiting.fail ? rr_bad(o, "tool arguments beyond 16 MiB") : ERR_OK;
}

void rr_call_done(struct rr_out *o, struct rr_call *call)
{
    call->done = true;
    advance(o);
}

enum err rr_calls_finish(struct rr_out *o)
{
    for (struct rr_call *call = o->r->open; call; call = call->next) {
        if (!call->name.len)
            return rr_bad(o, "a tool call without a name");
        call->done = true;
    }
    advance(o);
    return ERR_OK;
}

void rr_calls_free(struct rr_reader *r)
{
    for (struct rr_call *call = r->first; call; call = call->next)
        buf_done(&call->waiting);
    r->first = r->open = NULL;
    r->tail = NULL;
}
