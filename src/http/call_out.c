#include "base/mem.h"
#include "http/client_priv.h"

#include <assert.h>

/* The request of a call, on its way out. */

#define SEND_PIECE_BYTES (256 * KIB)
#define SEND_TURN_BYTES (2 * MIB) /* then other connections have their turn */
#define SEND_SEGMENTS 64

/* The next piece of what is left, as segments; their number. */
static size_t call_gather(struct call *x, struct str segs[SEND_SEGMENTS])
{
    size_t n = 0, room = SEND_PIECE_BYTES;
    while (n < SEND_SEGMENTS && room && x->seg < x->out_count) {
        struct str s = str_head(str_skip(x->out[x->seg], x->seg_off), room);
        if (s.len)
            segs[n++] = s;
        room -= s.len;
        x->rest -= s.len;
        x->seg_off += s.len;
        if (x->seg_off < x->out[x->seg].len)
            break;
        x->seg++;
        x->seg_off = 0;
    }
    return n;
}

/* Many megabytes go out in pieces, so that the stream never holds copies of more than
 * STREAM_HIGH_BYTES and one piece: above the high mark on_drain takes over. */
void call_send(struct call *x)
{
    struct str segs[SEND_SEGMENTS];
    struct stream *s = x->conn->stream;
    size_t before = x->rest;
    if (!stream_alive(s))
        return; /* its end is about to be told */
    while (x->rest && stream_unsent(s) <= STREAM_HIGH_BYTES && before - x->rest < SEND_TURN_BYTES) {
        size_t n = call_gather(x, segs);
        stream_write(s, segs, n);
    }
    size_t out = x->total - x->rest;
    x->base.bytes_out = x->written + (out > x->framing ? out - x->framing : 0);
    if (x->rest) {
        if (stream_unsent(s) <= STREAM_HIGH_BYTES)
            loop_defer(x->client->loop, &x->defer);
        return;
    }
    if (x->late.len) {
        struct str late = buf_str(&x->late);
        stream_write(s, &late, 1);
        buf_done(&x->late);
    }
}

size_t call_unsent(const struct exchange *base)
{
    const struct call *x = (const struct call *)base;
    return x->rest + x->late.len + (x->conn ? stream_unsent(x->conn->stream) : 0);
}

/* Sending goes on; an owner that writes the body piece by piece hears that it may. Between the
 * marks it hears it as well: the stream tells only of falling to the low one from above the high
 * one. */
void call_send_on(struct call *x)
{
    if (x->state != CALL_AWAIT && x->state != CALL_BODY)
        return;
    if (x->rest || x->late.len)
        call_send(x);
    if (x->more && call_unsent(&x->base) <= STREAM_HIGH_BYTES)
        exchange_emit_drain(&x->base);
}

void call_write(struct exchange *base, const struct str *body, size_t n, bool end)
{
    struct call *x = (struct call *)base;
    if (x->state != CALL_WAIT && x->state != CALL_AWAIT && x->state != CALL_BODY)
        return;
    assert(x->more);
    char line[H1_CHUNK_LINE_BYTES];
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++)
        bytes += body[i].len;
    bool ready = x->conn && x->rest == 0 && x->late.len == 0;
    bool chunk = x->chunked && bytes > 0;

    x->wrote = true;
    x->more = !end;
    x->written += bytes;
    x->base.bytes_out += bytes;
    assert(x->declared < 0 || !end || (int64_t)(x->total - x->framing + x->written) == x->declared);
    if (ready && !x->chunked) {
        stream_write(x->conn->stream, body, n);
    } else {
        if (chunk)
            buf_put(&x->late, h1_chunk_line(line, bytes));
        for (size_t i = 0; i < n; i++)
            buf_put(&x->late, body[i]);
        if (chunk)
            buf_put(&x->late, H1_CRLF);
        if (x->chunked && end)
            buf_put(&x->late, H1_LAST_CHUNK);
        if (x->late.fail) {
            call_fail_later(x, ERR_INTERNAL,
                            STR("the request's body was written without heed of exchange_unsent"));
            return;
        }
        if (ready)
            call_send(x);
    }
    if (end)
        call_arm(x);
}
