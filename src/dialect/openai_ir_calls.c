#include "dialect/openai_ir_calls.h"

#include "base/mem.h"
#include "dialect/tools.h"

#define CALLS_MAX 512
#define WAITING_MAX (16 * MIB)

struct oa_call {
    uint32_t index;      /* the provider's, OA_NO_INDEX: none */
    struct str id, name; /* plain; empty: not known yet */
    struct str signature;
    bool custom, begun, ended;
    bool wrapped; /* a custom tool that was sent as a function: its input waits until the end */
    bool made_id; /* the id is ours: one that comes late is of the same call */
    struct buf waiting; /* the inside of a literal that could not be sent yet */
    /* Where the arguments stand as JSON. */
    unsigned depth;
    bool in_string, escaped, complete;
};

/* -- is the JSON in a string complete? */

static void track_char(struct oa_call *call, char c)
{
    if (call->in_string) {
        if (call->escaped)
            call->escaped = false;
        else if (c == '\\')
            call->escaped = true;
        else if (c == '"')
            call->in_string = false;
        return;
    }
    if (c == '"') {
        call->in_string = true;
    } else if (c == '{' || c == '[') {
        call->depth++;
    } else if ((c == '}' || c == ']') && call->depth) {
        call->depth--;
        call->complete |= call->depth == 0;
    }
}

static int hex_digit(char c)
{
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* `inside` is of a literal that was scanned. */
static void track(struct oa_call *call, struct str inside)
{
    for (size_t i = 0; i < inside.len; i++) {
        char c = inside.p[i];
        if (c == '\\' && i + 1 < inside.len) {
            c = inside.p[++i];
            if (c == 'u' && i + 4 < inside.len) {
                int code = hex_digit(inside.p[i + 3]) << 4 | hex_digit(inside.p[i + 4]);
                bool ascii = inside.p[i + 1] == '0' && inside.p[i + 2] == '0' && code < 128;
                c = ascii ? (char)code : 'u';
                i += 4;
            } else if (c != '"' && c != '\\') {
                c = ' ';
            }
        }
        track_char(call, c);
    }
}

/* -- events */

static struct ir_event event_of(const struct oa_calls *c, enum ir_event_kind kind, size_t part)
{
    return (struct ir_event){ .kind = kind, .choice = c->choice, .part = (uint32_t)part };
}

static void begin(struct oa_calls *c, size_t part, struct ir_sink *sink)
{
    struct oa_call *call = c->list[part];
    call->made_id = !call->id.len;
    if (call->made_id)
        call->id =
            arena_printf(c->a, "call_%.*s_%u_%zu", STR_ARG(str_head(c->seed, 40)), c->choice, part);
    const struct ir_tool *tool = c->rq ? tool_of(c->rq, call->name, c->a) : NULL;
    struct ir_event ev = event_of(c, IR_EV_TOOL_CALL, part);
    call->wrapped = tool && tool->kind == IR_CUSTOM && !call->custom;
    ev.call_id = call->id;
    ev.name = tool ? tool->name : call->name;
    ev.custom = call->custom || call->wrapped;
    ev.signature = call->signature;
    ev.origin = call->signature.len ? IR_FROM_GEMINI : IR_FROM_OPENAI_CHAT;
    call->begun = true;
    ir_emit(sink, &ev);
}

static void send(struct oa_calls *c, size_t part, struct str literal, struct ir_sink *sink)
{
    struct ir_event ev = event_of(c, IR_EV_TOOL_ARGUMENTS, part);
    ev.json = literal;
    ir_emit(sink, &ev);
}

/* What waits, as a literal in a buffer that the caller releases. */
static struct buf take_waiting(struct oa_call *call)
{
    struct buf literal;
    buf_init(&literal, WAITING_MAX + 2);
    buf_putc(&literal, '"');
    buf_put(&literal, buf_str(&call->waiting));
    buf_putc(&literal, '"');
    buf_done(&call->waiting);
    return literal;
}

static void send_input(struct oa_calls *c, size_t part, struct ir_sink *sink)
{
    if (!c->list[part]->waiting.len)
        return;
    struct buf literal = take_waiting(c->list[part]);
    send(c, part, custom_tool_input(json_unescape(buf_str(&literal), c->a), c->a), sink);
    buf_done(&literal);
}

static void end(struct oa_calls *c, size_t part, struct ir_sink *sink)
{
    struct ir_event ev = event_of(c, IR_EV_TOOL_END, part);
    if (c->list[part]->wrapped)
        send_input(c, part, sink);
    c->list[part]->ended = true;
    ir_emit(sink, &ev);
    if (part == c->open)
        c->open++;
}

static void send_waiting(struct oa_calls *c, size_t part, struct ir_sink *sink)
{
    struct oa_call *call = c->list[part];
    if (!call->waiting.len || call->wrapped)
        return;
    struct buf literal = take_waiting(call);
    send(c, part, buf_str(&literal), sink);
    buf_done(&literal);
}

/* Sends what can be sent: the open call, and the ones behind it as those before are complete. */
static void advance(struct oa_calls *c, struct ir_sink *sink)
{
    while (c->open < c->count) {
        struct oa_call *call = c->list[c->open];
        if (!call->begun) {
            if (!call->name.len)
                return;
            begin(c, c->open, sink);
        }
        send_waiting(c, c->open, sink);
        if (!call->complete || c->open + 1 == c->count)
            return;
        end(c, c->open, sink);
    }
}

void oa_calls_pause(struct oa_calls *c, struct ir_sink *sink)
{
    advance(c, sink);
    if (c->open < c->count && c->list[c->open]->begun && c->list[c->open]->complete)
        end(c, c->open, sink);
}

enum err oa_calls_finish(struct oa_calls *c, struct ir_sink *sink)
{
    while (c->open < c->count) {
        size_t at = c->open;
        if (!c->list[at]->name.len)
            return ERR_UPSTREAM_BAD;
        if (!c->list[at]->begun)
            begin(c, at, sink);
        send_waiting(c, at, sink);
        end(c, at, sink);
    }
    return ERR_OK;
}

void oa_calls_done(struct oa_calls *c)
{
    for (size_t i = 0; i < c->count; i++)
        buf_done(&c->list[i]->waiting);
    c->count = 0;
}

/* -- which call is meant */

static struct oa_call *add(struct oa_calls *c, const struct oa_call_delta *d)
{
    if (c->count == CALLS_MAX)
        return NULL;
    if (c->count == c->room) {
        size_t room = c->room ? c->room * 2 : 4;
        struct oa_call **list = ARENA_ARRAY(c->a, struct oa_call *, room);
        if (c->count)
            memcpy(list, c->list, c->count * sizeof list[0]);
        c->list = list;
        c->room = room;
    }
    struct oa_call *call = ARENA_NEW(c->a, struct oa_call);
    call->index = d->index;
    buf_init(&call->waiting, WAITING_MAX);
    c->list[c->count++] = call;
    return call;
}

static struct oa_call *by_id(const struct oa_calls *c, struct str id)
{
    for (size_t i = c->count; i-- > 0;)
        if (json_str_eq(id, c->list[i]->id))
            return c->list[i];
    return NULL;
}

/* The latest with this index: a backend that gives all calls the same one goes on with the last. */
static struct oa_call *by_index(const struct oa_calls *c, uint32_t index)
{
    for (size_t i = c->count; i-- > 0;)
        if (c->list[i]->index == index)
            return c->list[i];
    return NULL;
}

/* NULL: a new call. */
static struct oa_call *find(const struct oa_calls *c, const struct oa_call_delta *d)
{
    bool has_id = d->id.len > 2, has_name = d->name.len > 2;
    if (d->whole || c->count == 0)
        return NULL;
    if (d->index != OA_NO_INDEX) {
        struct oa_call *call = by_index(c, d->index);
        if (!call)
            return NULL;
        if (has_id && call->id.len && !json_str_eq(d->id, call->id) && (has_name || !call->made_id))
            return by_id(c, d->id); /* a new id for a used index */
        if (has_name && call->name.len && !json_str_eq(d->name, call->name))
            return NULL;
        return call;
    }
    if (has_id)
        return by_id(c, d->id);
    return has_name ? NULL : c->list[c->count - 1];
}

static void learn(struct oa_calls *c, struct oa_call *call, const struct oa_call_delta *d)
{
    if (call->begun)
        return;
    if (!call->id.len && d->id.len > 2)
        call->id = arena_dup(c->a, json_unescape(d->id, c->a));
    if (!call->name.len && d->name.len > 2)
        call->name = arena_dup(c->a, json_unescape(d->name, c->a));
    if (d->signature.len)
        call->signature = arena_dup(c->a, d->signature);
    call->custom |= d->custom;
}

static enum err bad(const char **ret_what, const char *what)
{
    *ret_what = what;
    return ERR_UPSTREAM_BAD;
}

enum err oa_calls_take(struct oa_calls *c, const struct oa_call_delta *d, struct ir_sink *sink,
                       const char **ret_what)
{
    struct oa_call *call = find(c, d);
    if (!call && d->name.len <= 2 && d->id.len <= 2 && d->input.len <= 2)
        return ERR_OK; /* nothing yet */
    if (!call && !(call = add(c, d)))
        return bad(ret_what, "more than 512 tool calls in one choice");
    learn(c, call, d);
    if (call->ended && d->input.len > 2)
        return bad(ret_what, "arguments for a tool call that has ended");
    if (d->whole && !call->name.len)
        return bad(ret_what, "a tool call without a name");
    bool direct = c->open < c->count && c->list[c->open] == call && call->begun &&
                  !call->waiting.len && !call->wrapped;
    if (d->input.len > 2) {
        struct str inside = str_of(d->input.p + 1, d->input.len - 2);
        if (!call->custom)
            track(call, inside);
        if (direct)
            send(c, c->open, d->input, sink);
        else
            buf_put(&call->waiting, inside);
        if (call->waiting.fail)
            return bad(ret_what, "tool arguments beyond 16 MiB");
    }
    advance(c, sink);
    return ERR_OK;
}
