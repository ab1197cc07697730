/* Streams: whole events in, whole events out, all that a read brought in one write.
 *
 * Until the first content (or stream_commit_ms) nothing has been sent: what came is held in f->out, and a failure is still a
 * plain JSON error with its status. After it, a failure is an error event, and the stream never looks complete. */
#include "flow/flow_priv.h"

#include "base/mem.h"

#define HELD_MAX (1 * MIB) /* events without content: beyond, the head goes out anyway */
#define TERMINAL_WAIT_MS                                                                           \
    1000 /* after [DONE], for the end of the provider's message: the connection can be kept */

void relay_begin(struct flow *f)
{
    flow_to(f, FLOW_STREAM);
    sse_init(&f->at.sse, SSE_EVENT_MAX);
    f->at.sse_on = true;
    exchange_read(f->at.up, true);
}

/* -- out */

/* Deferred: runs once for all events of a read, and for the end if it came with them; they are one write. */
void relay_flush(void *flow)
{
    struct flow *f = flow;
    struct str piece = buf_str(&f->out);
    bool end = f->flush_end;
    f->wrote_us = loop_now_us(f->w->loop);
    if (!f->head_sent)
        respond_stream_head(f, piece, end);
    else if (piece.len || end)
        exchange_write(f->x, &piece, piece.len ? 1 : 0, end);
    f->body_sent = end;
    buf_reset(&f->out);
    if (end) {
        flow_end(f);
        return;
    }
    if (f->at.up && exchange_unsent(f->x) > STREAM_HIGH_BYTES)
        exchange_read(f->at.up, false);
}

static void flush_soon(struct flow *f)
{
    loop_defer(f->w->loop, &f->flush);
}

void flow_commit(struct flow *f)
{
    f->committed = true;
    f->content_us = loop_now_us(f->w->loop);
}

void relay_ping(struct flow *f)
{
    uint64_t now = loop_now_us(f->w->loop);
    if (!f->head_sent && now < f->commit_us)
        return;
    if (f->head_sent && now < f->wrote_us + f->snap->conf->weir.ping_interval_ms * 1000)
        return;
    buf_put(&f->out, STR(": ping\n\n"));
    defer_cancel(&f->flush);
    relay_flush(f);
}

/* -- in */

void relay_event_fault(struct flow *f, struct str data)
{
    upstream_fault(200, data, f->pick.endpoint->provider->title, attempt_secret(f), -1, f->arena,
                   &f->fault);
    flow_fail(f);
}

static bool is_borrowed(const struct sse_event *ev)
{
    return ev->data.p >= ev->raw.p && ev->data.p + ev->data.len <= ev->raw.p + ev->raw.len;
}

/* `data:` of an event of several lines is written as one. */
void relay_put_head(struct flow *f, const struct sse_event *ev)
{
    if (is_borrowed(ev)) {
        buf_put(&f->out, str_of(ev->raw.p, (size_t)(ev->data.p - ev->raw.p)));
        return;
    }
    if (ev->name.len)
        buf_printf(&f->out, "event: %.*s\n", STR_ARG(ev->name));
    buf_put(&f->out, STR("data: "));
}

void relay_put_tail(struct flow *f, const struct sse_event *ev)
{
    if (is_borrowed(ev))
        buf_put(&f->out, str_skip(ev->raw, (size_t)(ev->data.p - ev->raw.p) + ev->data.len));
    else
        buf_put(&f->out, STR("\n\n"));
}

static void put_event(struct flow *f, const struct sse_event *ev, const struct openai_answer *ans)
{
    size_t before = f->out.len;
    relay_put_head(f, ev);
    if (openai_put_answer(ans, f->rq.model_json, f->at.hide_usage, &f->out))
        relay_put_tail(f, ev);
    else
        f->out.len = before;
}

/* Across dialects: an event of the provider becomes none, one or several of the client's. False: the flow has ended, or the
 * call is made again. */
static bool took(struct flow *f, enum err e, const char *what)
{
    if (e == ERR_UPSTREAM) {
        if (!translate_again(f))
            flow_fail(f); /* the provider reported it: f->fault is set */
    } else if (e) {
        attempt_fail(f, e, str_c(what));
    } else {
        f->at.terminal = translate_ended(f);
    }
    return !e;
}

static bool take_translated(struct flow *f, const struct sse_event *ev)
{
    const char *what;
    if (!ev->has_data)
        return true; /* a comment */
    enum err e = translate_event(f, ev, &what);
    return took(f, e, what);
}

/* False: the flow has ended. */
static bool take_event(struct flow *f, const struct sse_event *ev)
{
    struct openai_answer ans;
    struct str data = str_trim(ev->data);
    if (f->at.tr)
        return take_translated(f, ev);
    if (openai_is_responses(f->rq.kind))
        return native_event(f, ev);
    if (!ev->has_data || data.len == 0) {
        if (f->committed)
            buf_put(&f->out, ev->raw); /* a comment */
        return true;
    }
    if (str_starts(data, STR("[DONE]"))) {
        f->at.terminal = true;
        buf_put(&f->out, ev->raw);
        return true;
    }
    if (openai_read_event(f->rq.kind, ev->data, !f->committed, &ans)) {
        attempt_fail(f, ERR_UPSTREAM_BAD,
                     arena_printf(f->arena,
                                  "an event of the stream is not valid JSON: %s at byte %zu of %zu",
                                  ans.problem.what, ans.problem.at, ev->data.len));
        return false;
    }
    if (ans.has_error || str_eq(ev->name, STR("error"))) {
        relay_event_fault(f, ev->data);
        return false;
    }
    if (ans.usage.reported)
        f->at.usage = ans.usage;
    f->at.finish_seen |= ans.finish;
    if (ans.content && !f->committed)
        flow_commit(f);
    put_event(f, ev, &ans);
    return true;
}

void relay_body(struct flow *f, struct str bytes)
{
    struct sse_event ev;
    enum err e;
    if (f->at.terminal)
        return; /* nothing may follow [DONE] */
    sse_push(&f->at.sse, bytes);
    while (!(e = sse_next(&f->at.sse, &ev))) {
        if (!take_event(f, &ev))
            return;
        if (f->at.terminal)
            break;
    }
    if (e && e != ERR_AGAIN) {
        attempt_fail(f, ERR_UPSTREAM_BAD, STR("an event of the stream is larger than 8 MiB"));
        return;
    }
    if (f->out.fail) {
        attempt_fail(f, ERR_UPSTREAM_BAD, STR("the stream grew faster than it could be forwarded"));
        return;
    }
    if (f->at.terminal) {
        /* The end of the message most often comes with [DONE], in this very read: then both go out in one write. */
        timer_set(&f->timer, TERMINAL_WAIT_MS);
        flush_soon(f);
    } else if (f->out.len && (f->committed || f->head_sent || f->out.len > HELD_MAX)) {
        flush_soon(f);
    }
}

/* What waits in the decoder when the message has ended: a last event closed by a bare CR, or [DONE] without its blank line. Any
 * other half event was cut. False: the flow has ended. */
static bool take_rest(struct flow *f)
{
    struct sse_event ev;
    sse_finish(&f->at.sse);
    while (!f->at.terminal && !sse_next(&f->at.sse, &ev))
        if (!take_event(f, &ev))
            return false;
    if (f->at.terminal || !sse_rest(&f->at.sse, &ev))
        return true;
    if (ev.has_data && str_eq(str_trim(ev.data), STR("[DONE]"))) {
        if (f->at.tr ||
            openai_is_responses(f->rq.kind)) /* no word of the client's: its reader knows */
            return take_event(f, &ev);
        f->at.terminal = true;
        buf_put(&f->out, STR("data: [DONE]\n\n"));
        return true;
    }
    attempt_fail(f, ERR_UPSTREAM_CUT, STR("the stream ended in the middle of an event"));
    return false;
}

void relay_end(struct flow *f)
{
    const char *what;
    if (!f->at.terminal && !take_rest(f))
        return;
    if (f->at.tr && !f->at.terminal) {
        enum err e = translate_end(f, &what);
        if (!took(f, e, what))
            return;
        f->at.terminal = true;
    }
    if (!f->at.terminal && !f->at.finish_seen) {
        attempt_fail(f, ERR_UPSTREAM_CUT,
                     STR("the stream ended without [DONE] and without a finish_reason"));
        return;
    }
    if (!f->at.terminal)
        buf_put(&f->out, STR("data: [DONE]\n\n")); /* some compatible servers leave it out */
    f->flush_end = true;
    flush_soon(f);
}

void relay_fault(struct flow *f)
{
    struct buf *out = &f->out;
    struct str call_id =
        f->snap->conf->general.include_call_id_in_error_body ? f->call_id : str_of(NULL, 0);
    if (!openai_is_responses(f->rq.kind)) {
        buf_put(out, STR("data: "));
        openai_write_fault(&f->fault, call_id, out);
        buf_put(out, STR("\n\n"));
    } else if (f->at.tr) {
        translate_fault(f, call_id);
    } else {
        response_write_fault(&f->fault, f->at.sequence, call_id, out);
    }
    struct str piece = buf_str(out);
    if (f->head_sent)
        exchange_write(f->x, &piece, 1, true);
    else
        respond_stream_head(f, piece,
                            true); /* content was seen: the error follows it, however they came */
    f->body_sent = true;
    buf_reset(out);
}
