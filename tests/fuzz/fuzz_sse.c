/* wire/sse: a stream whole, byte by byte, and in pieces of changing size must give the same
 * events, and every byte after the byte order mark must be in the raw bytes of one event or
 * pending in the end.
 *
 * The first byte of the input chooses the sizes of the pieces and the cap on an event; the rest is
 * the stream. */
#include "base/buf.h"
#include "base/mem.h"
#include "wire/sse.h"

#include "fuzz.h"

struct seen {
    struct buf events; /* name, data and lengths, one after another */
    struct buf raw;
    size_t pending;
    enum err end;
};

static enum err drain(struct sse *s, struct seen *seen)
{
    struct sse_event ev;
    enum err e;
    while ((e = sse_next(s, &ev)) == ERR_OK) {
        REQUIRE(ev.raw.len > 0 && ev.data.len <= ev.raw.len && ev.name.len <= ev.raw.len);
        REQUIRE(ev.has_data || ev.data.len == 0);
        buf_printf(&seen->events, "%d %zu %zu ", ev.has_data, ev.name.len, ev.data.len);
        buf_put(&seen->events, ev.name);
        buf_put(&seen->events, ev.data);
        buf_put(&seen->raw, ev.raw);
    }
    REQUIRE(e == ERR_AGAIN || e == ERR_TOO_LARGE);
    return e;
}

/* Each piece is a block of its own, gone once it was taken. */
static struct seen feed(struct str stream, size_t step, size_t growth, size_t event_max)
{
    struct seen seen = { .end = ERR_AGAIN };
    struct sse s;
    buf_init(&seen.events, SIZE_MAX / 2);
    buf_init(&seen.raw, SIZE_MAX / 2);
    sse_init(&s, event_max);
    for (size_t at = 0; at < stream.len && seen.end == ERR_AGAIN; step += growth) {
        struct str piece = str_head(str_skip(stream, at), step);
        char *own = mem_alloc(piece.len);
        memcpy(own, piece.p, piece.len);
        sse_push(&s, str_of(own, piece.len));
        seen.end = drain(&s, &seen);
        at += piece.len;
        mem_free(own);
    }
    if (seen.end == ERR_AGAIN) {
        sse_finish(&s);
        seen.end = drain(&s, &seen);
        seen.pending = sse_pending(&s);
    }
    sse_done(&s);
    return seen;
}

static void seen_done(struct seen *s)
{
    buf_done(&s->events);
    buf_done(&s->raw);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct str stream = str_of((const char *)data + 1, size - 1);
    size_t step = 1 + (data[0] & 15), growth = data[0] >> 4 & 3,
           cap = data[0] & 0x80 ? 40 : SSE_EVENT_MAX;
    struct seen whole = feed(stream, SIZE_MAX, 0, cap);
    struct seen other[] = { feed(stream, 1, 0, cap), feed(stream, step, growth, cap) };
    for (size_t i = 0; i < 2; i++) {
        REQUIRE(other[i].end == whole.end && other[i].pending == whole.pending);
        REQUIRE(str_eq(buf_str(&other[i].events), buf_str(&whole.events)));
        REQUIRE(str_eq(buf_str(&other[i].raw), buf_str(&whole.raw)));
        seen_done(&other[i]);
    }
    struct str body = str_skip(stream, str_starts(stream, STR("\xef\xbb\xbf")) ? 3 : 0);
    REQUIRE(str_starts(body, buf_str(&whole.raw)));
    if (whole.end == ERR_AGAIN)
        REQUIRE(whole.raw.len + whole.pending == body.len);
    seen_done(&whole);
    return 0;
}
