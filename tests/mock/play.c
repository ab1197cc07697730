/* Sends a reply piece by piece, in the script's rhythm and with its faults. All bytes go through play.wire, so that
 * head, framing and payload can be dribbled alike. */
#include "base/clock.h"
#include "base/mem.h"
#include "mock/conn.h"
#include "mock/invoice.h"

#define WIRE_BATCH (64 * KIB)
#define NOISE_BYTES 64

static const char *reason_of(int status)
{
    switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 429: return "Too Many Requests";
    case 500: return "Internal Server Error";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    default: return "Scripted";
    }
}

static bool scripted_header(const struct script *s, struct str name)
{
    for (size_t i = 0; i < s->header_count; i++) {
        struct str rest = s->headers[i];
        if (str_eq_nocase(str_cut(&rest, ':'), name))
            return true;
    }
    return false;
}

static void put_head(struct conn *c)
{
    const struct script *s = &c->rq.script;
    struct buf *b = &c->play.wire;
    if (s->hints)
        buf_putz(b, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n");
    size_t from = b->len;
    buf_printf(b, "HTTP/1.1 %d %s\r\n", c->rp.status, reason_of(c->rp.status));
    if (!scripted_header(s, STR("content-type"))) {
        buf_putz(b, "Content-Type: ");
        buf_put(b, c->rp.type);
        buf_putz(b, "\r\n");
    }
    buf_printf(b, "x-request-id: req_mock%08llu\r\n", (unsigned long long)c->rq.serial);
    buf_put(b, buf_str(&c->rp.headers));
    for (size_t i = 0; i < s->header_count; i++) {
        struct str value = s->headers[i];
        buf_put(b, str_cut(&value, ':'));
        buf_putz(b, ": ");
        buf_put(b, value);
        buf_putz(b, "\r\n");
    }
    if (c->play.chunked)
        buf_putz(b, "Transfer-Encoding: chunked\r\n");
    else if (!str_eq(s->framing, STR("close")))
        buf_printf(b, "Content-Length: %zu\r\n", c->rp.body.len);
    if (c->play.close)
        buf_putz(b, "Connection: close\r\n");
    buf_putz(b, "\r\n");
    if (s->headcut > 0 && b->len - from > s->headcut)
        b->len = from + s->headcut;
}

/* -- the shape of the reply, before it starts */

static void split_piece(struct reply *rp, size_t at)
{
    size_t i = rp->count;
    reply_piece(rp); /* room for one more */
    for (; i > 0 && rp->ends[i - 1] > at; i--)
        rp->ends[i] = rp->ends[i - 1];
    rp->ends[i] = at;
}

static void put_noise(struct reply *rp)
{
    for (unsigned i = 0; i < NOISE_BYTES; i++)
        buf_putc(&rp->body, (char)(i * 167u + 131u));
    reply_piece(rp);
}

static void apply_fault(struct conn *c)
{
    const struct script *s = &c->rq.script;
    struct play *p = &c->play;
    if (s->fault == FAULT_NONE || s->fault_at > c->rp.body.len)
        return;
    switch (s->fault) {
    case FAULT_GARBAGE:
        reply_truncate(&c->rp, s->fault_at);
        put_noise(&c->rp);
        return;
    case FAULT_END: reply_truncate(&c->rp, s->fault_at); return;
    case FAULT_STALL:
    case FAULT_BADCHUNK: split_piece(&c->rp, s->fault_at); break;
    default: break;
    }
    p->fault = s->fault;
    p->limit = s->fault_at;
}

void play_start(struct conn *c)
{
    const struct script *s = &c->rq.script;
    struct play *p = &c->play;
    struct buf wire = p->wire;
    buf_reset(&wire);
    *p = (struct play){ .wire = wire };
    p->interval_us = s->interval_us ? s->interval_us : s->tps ? 1000000 / s->tps : 0;
    p->due_us = c->rq.received_us + s->latency_ms * 1000;
    if (!c->rp.stream)
        p->due_us += p->interval_us * c->rp.completion_tokens;
    if (s->crlf && c->rp.stream)
        reply_crlf(&c->rp);
    apply_fault(c);
    if (c->rp.count == 0 || c->rp.ends[c->rp.count - 1] < c->rp.body.len)
        reply_piece(&c->rp);
    p->chunked = s->framing.len ? str_eq(s->framing, STR("chunked")) : c->rp.stream;
    p->close = s->close || !c->rq.keep_alive || str_eq(s->framing, STR("close"));
    if (c->rq.http10)
        p->chunked = false;
    c->mock->playing++;
    play_go(c);
}

/* -- sending */

/* One piece, or the part of it before the fault. */
static void put_piece(struct conn *c)
{
    struct play *p = &c->play;
    size_t end = c->rp.ends[p->piece];
    size_t upto = p->fault && p->limit < end ? p->limit : end;
    if (p->chunked && end > p->sent)
        buf_printf(&p->wire, "%zx\r\n", end - p->sent);
    buf_put(&p->wire, str_of(c->rp.body.p + p->sent, upto - p->sent));
    if (p->chunked && end > p->sent && upto == end)
        buf_putz(&p->wire, "\r\n");
    p->sent = upto;
    p->piece++;
}

enum step { STEP_WAIT, STEP_FAULT, STEP_END };

/* Fills play.wire with what is due. */
static enum step fill(struct conn *c, uint64_t *ret_due_us)
{
    struct play *p = &c->play;
    uint64_t now_us = clock_now_us();
    while (p->wire.len < WIRE_BATCH) {
        if (p->fault && p->sent == p->limit)
            return STEP_FAULT;
        if (p->piece == c->rp.count) {
            if (p->chunked && !p->ended)
                buf_putz(&p->wire, "0\r\n\r\n");
            p->ended = true;
            return STEP_END;
        }
        uint64_t due_us = p->due_us + (c->rp.stream ? p->interval_us * p->piece : 0);
        if (due_us > now_us + 500) {
            *ret_due_us = due_us;
            return STEP_WAIT;
        }
        put_piece(c);
    }
    *ret_due_us = now_us;
    return STEP_WAIT;
}

static void finish(struct conn *c, const char *outcome)
{
    c->mock->playing--;
    if (c->rp.content)
        invoice_add(c->mock, &c->rq, &c->rp, c->play.sent, outcome);
}

static void act(struct conn *c)
{
    struct play *p = &c->play;
    switch (p->fault) {
    case FAULT_STALL:
        p->fault = FAULT_NONE;
        p->due_us += c->rq.script.stall_ms * 1000;
        if (c->rq.script.stall_ms > 0)
            conn_timer(c, c->rq.script.stall_ms);
        return;
    case FAULT_RESET:
        /* A reset throws away what the kernel still holds: a large payload is given time to arrive. */
        if (p->sent > WIRE_BATCH && !p->ended) {
            p->ended = true;
            conn_timer(c, 100);
            return;
        }
        finish(c, "reset");
        conn_close(c, true);
        return;
    case FAULT_BADCHUNK:
        if (p->chunked)
            stream_write(c->stream, &STR("zz\r\nnonsense\r\n"), 1);
        finish(c, "badchunk");
        conn_close(c, false);
        return;
    default:
        finish(c, "cut");
        conn_close(c, false);
        return;
    }
}

/* Gives play.wire to the stream; false: some of it has to wait. */
static bool flush(struct conn *c)
{
    struct buf *wire = &c->play.wire;
    uint64_t dribble = c->rq.script.dribble;
    struct str bytes = dribble ? str_head(buf_str(wire), dribble) : buf_str(wire);
    if (bytes.len > 0)
        stream_write(c->stream, &bytes, 1);
    buf_shift(wire, bytes.len);
    if (wire->len == 0)
        return true;
    conn_timer(c, (c->rq.script.dribble_us + 999) / 1000);
    return false;
}

/* Instead of a head. */
static void play_nothing(struct conn *c)
{
    struct str how = c->rq.script.nohead;
    if (str_eq(how, STR("garbage")))
        stream_write(c->stream, &STR("\x16\x03\x01this is not HTTP\r\n\r\n"), 1);
    finish(c, "no head");
    conn_close(c, str_eq(how, STR("reset")));
}

void play_go(struct conn *c)
{
    struct play *p = &c->play;
    uint64_t due_us = p->due_us, now_us = clock_now_us();
    if (!p->head_sent && due_us > now_us + 500) {
        conn_timer(c, (due_us - now_us + 999) / 1000);
        return;
    }
    if (!p->head_sent) {
        if (c->rq.script.nohead.len > 0) {
            play_nothing(c);
            return;
        }
        put_head(c);
        p->head_sent = true;
        if (c->rq.script.headcut > 0) {
            p->fault = FAULT_CUT;
            p->limit = 0;
        }
    }
    if (p->wire.len > 0 && c->rq.script.dribble > 0 && !flush(c))
        return;
    for (;;) {
        if (stream_unsent(c->stream) > STREAM_HIGH_BYTES)
            return; /* on_drain goes on */
        enum step step = fill(c, &due_us);
        if (!flush(c))
            return;
        if (step == STEP_FAULT) {
            act(c);
            return;
        }
        if (step == STEP_END) {
            finish(c, "complete");
            conn_replied(c);
            return;
        }
        now_us = clock_now_us();
        if (due_us > now_us + 500) {
            conn_timer(c, (due_us - now_us + 999) / 1000);
            return;
        }
    }
}
