/* An answer, whole or streamed (Claude API reference, "Messages" and "Streaming Messages", August
 * 2026):
 *
 *   message_start { content_block_start content_block_delta* content_block_stop }*
 *   message_delta+ message_stop       -- ping anywhere; error ends it
 *
 * FINISH, USAGE and END come together, at message_stop: message_delta may come more than once, and
 * a stream without message_stop was cut. */
#include "dialect/anthropic_priv.h"
#include "wire/json_scan.h"

void anthropic_reader_init(void *reader, const struct answer_context *c)
{
    struct anthropic_reader *r = reader;
    *r = (struct anthropic_reader){ .c = c };
    r->output = anthropic_output(c->rq, c->target->facts, c->arena);
    if (r->output == OUTPUT_TOOL || r->output == OUTPUT_TOOL_WRAPPED)
        r->json_tool = anthropic_json_tool(c->rq, c->arena);
}

void anthropic_reader_done(void *reader)
{
    struct anthropic_reader *r = reader;
    anthropic_block_done(&r->open);
}

/* -- events that both forms share */

static struct str plain_member(struct str object, const struct json_member *m, struct arena *a)
{
    return m->type == JSON_STRING ? arena_dup(a, json_unescape(json_value(object, m), a))
                                  : str_of(NULL, 0);
}

static void emit_usage(struct anthropic_reader *r, struct ir_sink *sink)
{
    struct ir_event ev = { .kind = IR_EV_USAGE, .usage = anthropic_usage_of(&r->counts) };
    if (r->counts.reported)
        ir_emit(sink, &ev);
}

static void take_usage(struct anthropic_reader *r, struct str usage)
{
    struct str tier = anthropic_read_usage(usage, &r->counts);
    if (tier.len)
        r->tier = tier;
}

/* `message` is the object of message_start, or the whole answer; the members are its own. */
static void start(struct anthropic_reader *r, struct str message, const struct json_member *id,
                  const struct json_member *model, struct str usage, struct ir_sink *sink)
{
    struct ir_event ev = { .kind = IR_EV_START, .created = r->c->unix_s };
    ev.id = plain_member(message, id, r->c->arena);
    ev.model = plain_member(message, model, r->c->arena);
    take_usage(r, usage);
    ev.service_tier = r->tier;
    r->started = true;
    ir_emit(sink, &ev);
    emit_usage(r, sink);
}

/* `o` holds stop_reason and stop_details: the delta, or the whole answer. Null changes nothing. */
static void take_stop(struct anthropic_reader *r, struct str o, const struct json_member *reason,
                      const struct json_member *stop_details)
{
    static const struct str inner[] = { STR_INIT("explanation") };
    struct json_member x[1];
    if (reason->type == JSON_STRING)
        r->stop_reason = plain_member(o, reason, r->c->arena);
    struct str details = json_value(o, stop_details);
    if (json_peek_object(details, inner, 1, x, NULL) && x[0].type == JSON_STRING)
        r->explanation = arena_dup(r->c->arena, json_value(details, &x[0]));
}

/* Reasons that are not known mean the same as end_turn; so does pause_turn, since the gateway does
 * not take the next turn by itself. */
struct reason {
    struct str reason;
    enum ir_finish finish; /* TOOL_CALLS: where there are any, else STOP */
    const char *loss;      /* its tag, degraded; NULL: it is just that */
};

static struct reason reason_of(const struct anthropic_reader *r)
{
    static const struct reason known[] = {
        { STR_INIT("max_tokens"), IR_FINISH_LENGTH, NULL },
        { STR_INIT("model_context_window_exceeded"), IR_FINISH_LENGTH, NULL },
        { STR_INIT("refusal"), IR_FINISH_CONTENT_FILTER, NULL },
        { STR_INIT("end_turn"), IR_FINISH_STOP, NULL },
        { STR_INIT("stop_sequence"), IR_FINISH_STOP, NULL },
        { STR_INIT("pause_turn"), IR_FINISH_STOP, "pause_turn" },
        { STR_INIT("tool_use"), IR_FINISH_TOOL_CALLS, NULL },
        { STR_INIT(""), IR_FINISH_TOOL_CALLS, "finish_reason" }, /* null, or never said */
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (str_eq(r->stop_reason, known[i].reason))
            return known[i];
    return (struct reason){ .finish = IR_FINISH_TOOL_CALLS, .loss = "finish_reason" };
}

static void finish(struct anthropic_reader *r, struct ir_sink *sink)
{
    struct reason why = reason_of(r);
    struct ir_event ev = { .kind = IR_EV_FINISH, .finish = why.finish, .service_tier = r->tier };
    struct ir_event end = { .kind = IR_EV_END };
    anthropic_block_stop(r, sink);
    if (ev.finish == IR_FINISH_TOOL_CALLS && r->calls == 0)
        ev.finish = IR_FINISH_STOP; /* the forced tool of JSON output alone is no call */
    if (ev.finish == IR_FINISH_CONTENT_FILTER)
        ev.json = r->explanation;
    if (why.loss)
        anthropic_emit_loss(why.loss, true, sink);
    ir_emit(sink, &ev);
    emit_usage(r, sink);
    r->ended = true;
    ir_emit(sink, &end);
}

static void fail(struct anthropic_reader *r, struct str json, struct ir_sink *sink)
{
    struct fault *fault = ARENA_NEW(r->c->arena, struct fault);
    struct ir_event ev = { .kind = IR_EV_ERROR, .fault = fault };
    anthropic_read_error(json, r->c->arena, fault);
    r->ended = true;
    ir_emit(sink, &ev);
}

/* -- a whole answer, or the data of an event: the members of both */

enum {
    M_TYPE,
    M_INDEX,
    M_MESSAGE,
    M_BLOCK,
    M_DELTA,
    M_USAGE,
    M_ERROR,
    M_CONTENT,
    M_ID,
    M_MODEL,
    M_STOP_REASON,
    M_STOP_DETAILS,
    M_COUNT
};
static const struct str member_names[] = {
    [M_TYPE] = STR_INIT("type"),
    [M_INDEX] = STR_INIT("index"),
    [M_MESSAGE] = STR_INIT("message"),
    [M_BLOCK] = STR_INIT("content_block"),
    [M_DELTA] = STR_INIT("delta"),
    [M_USAGE] = STR_INIT("usage"),
    [M_ERROR] = STR_INIT("error"),
    [M_CONTENT] = STR_INIT("content"),
    [M_ID] = STR_INIT("id"),
    [M_MODEL] = STR_INIT("model"),
    [M_STOP_REASON] = STR_INIT("stop_reason"),
    [M_STOP_DETAILS] = STR_INIT("stop_details"),
};

static enum err read_whole(struct anthropic_reader *r, struct str body, const struct json_member *m,
                           struct ir_sink *sink, const char **ret_what)
{
    struct json_iter it = json_iter(json_value(body, &m[M_CONTENT]));
    if (m[M_CONTENT].type != JSON_ARRAY) {
        *ret_what = "a message without content";
        return ERR_UPSTREAM_BAD;
    }
    start(r, body, &m[M_ID], &m[M_MODEL], json_value(body, &m[M_USAGE]), sink);
    for (uint64_t i = 0; json_next(&it); i++)
        TRY(anthropic_block_start(r, it.value, i, sink, ret_what));
    take_stop(r, body, &m[M_STOP_REASON], &m[M_STOP_DETAILS]);
    finish(r, sink);
    return ERR_OK;
}

/* -- a stream's events */

static enum err on_start(struct anthropic_reader *r, struct str data, const struct json_member *m,
                         struct ir_sink *sink, const char **ret_what)
{
    if (m[M_MESSAGE].type != JSON_OBJECT) {
        *ret_what = "message_start without a message";
        return ERR_UPSTREAM_BAD;
    }
    static const struct str names[] = { STR_INIT("id"), STR_INIT("model"), STR_INIT("usage") };
    struct json_member own[3];
    struct str message = json_value(data, &m[M_MESSAGE]);
    if (!r->started && json_peek_object(message, names, 3, own, NULL))
        start(r, message, &own[0], &own[1], json_value(message, &own[2]), sink);
    return ERR_OK;
}

static enum err on_block_start(struct anthropic_reader *r, struct str data,
                               const struct json_member *m, struct ir_sink *sink,
                               const char **ret_what)
{
    uint64_t index = 0;
    if (m[M_INDEX].type == JSON_NUMBER && !json_u64(json_value(data, &m[M_INDEX]), &index)) {
        *ret_what = "a block whose index is no whole number";
        return ERR_UPSTREAM_BAD;
    }
    return anthropic_block_start(r, json_value(data, &m[M_BLOCK]), index, sink, ret_what);
}

static enum err on_block_delta(struct anthropic_reader *r, struct str data,
                               const struct json_member *m, struct ir_sink *sink,
                               const char **ret_what)
{
    uint64_t index = r->open.index;
    if (m[M_INDEX].type == JSON_NUMBER && !json_u64(json_value(data, &m[M_INDEX]), &index))
        index = UINT64_MAX;
    if (r->open.kind == BLOCK_NONE || index != r->open.index) {
        *ret_what = "a delta for a block that is not open";
        return ERR_UPSTREAM_BAD;
    }
    return anthropic_block_delta(r, json_value(data, &m[M_DELTA]), sink, ret_what);
}

static enum err on_block_stop(struct anthropic_reader *r, struct str data,
                              const struct json_member *m, struct ir_sink *sink,
                              const char **ret_what)
{
    anthropic_block_stop(r, sink);
    return ERR_OK;
}

static enum err on_message_delta(struct anthropic_reader *r, struct str data,
                                 const struct json_member *m, struct ir_sink *sink,
                                 const char **ret_what)
{
    static const struct str names[] = { STR_INIT("stop_reason"), STR_INIT("stop_details") };
    struct json_member own[2];
    struct str delta = json_value(data, &m[M_DELTA]);
    if (json_peek_object(delta, names, 2, own, NULL))
        take_stop(r, delta, &own[0], &own[1]);
    take_usage(r, json_value(data, &m[M_USAGE]));
    return ERR_OK;
}

static enum err on_message_stop(struct anthropic_reader *r, struct str data,
                                const struct json_member *m, struct ir_sink *sink,
                                const char **ret_what)
{
    finish(r, sink);
    return ERR_OK;
}

static enum err on_ping(struct anthropic_reader *r, struct str data, const struct json_member *m,
                        struct ir_sink *sink, const char **ret_what)
{
    struct ir_event ev = { .kind = IR_EV_PING };
    ir_emit(sink, &ev);
    return ERR_OK;
}

typedef enum err event_fn(struct anthropic_reader *r, struct str data, const struct json_member *m,
                          struct ir_sink *sink, const char **ret_what);

static const struct event {
    struct str type;
    event_fn *read;
    bool inside; /* only after message_start */
} events[] = {
    { STR_INIT("message_start"), on_start, false },
    { STR_INIT("content_block_start"), on_block_start, true },
    { STR_INIT("content_block_delta"), on_block_delta, true },
    { STR_INIT("content_block_stop"), on_block_stop, true },
    { STR_INIT("message_delta"), on_message_delta, true },
    { STR_INIT("message_stop"), on_message_stop, true },
    { STR_INIT("ping"), on_ping, false },
};

static enum err read_event(struct anthropic_reader *r, struct str data, const struct json_member *m,
                           struct ir_sink *sink, const char **ret_what)
{
    struct str type = json_value(data, &m[M_TYPE]);
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        if (!json_str_eq(type, events[i].type))
            continue;
        if (events[i].inside && !r->started) {
            *ret_what = "an event before message_start";
            return ERR_UPSTREAM_BAD;
        }
        return events[i].read(r, data, m, sink, ret_what);
    }
    return ERR_OK; /* unknown events are skipped: the documentation asks for it */
}

enum err anthropic_read_answer(void *reader, const struct frame *f, struct ir_sink *sink,
                               const char **ret_what)
{
    struct anthropic_reader *r = reader;
    struct json_problem problem;
    struct json_member m[M_COUNT];
    struct str data = str_trim(f->data);
    if (r->ended || (!f->whole && data.len == 0))
        return ERR_OK;
    if (json_scan_object(data, member_names, M_COUNT, m, NULL, &problem)) {
        *ret_what = problem.what;
        return ERR_UPSTREAM_BAD;
    }
    struct str type = json_value(data, &m[M_TYPE]);
    if (json_str_eq(type, STR("error")) ||
        (m[M_TYPE].type != JSON_STRING && m[M_ERROR].type > JSON_NULL)) {
        fail(r, data, sink);
        return ERR_OK;
    }
    if (f->whole)
        return read_whole(r, data, m, sink, ret_what);
    return read_event(r, data, m, sink, ret_what);
}

enum err anthropic_end_answer(void *reader, struct ir_sink *sink)
{
    const struct anthropic_reader *r = reader;
    return r->ended ? ERR_OK : ERR_UPSTREAM_CUT;
}
