/* The HTTP/1.1 codec, as a request and as an answer (the first byte of the input chooses; its
 * other bits choose the cuts): messages given whole and in pieces must have the same heads,
 * bodies, ends and the same failure. */
#include "http/h1.h"

#include "base/mem.h"

#include "fuzz.h"

#define MESSAGES_MAX 64

static void check(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "fuzz_h1: %s\n", what);
    abort();
}

static bool within(struct str part, struct str whole)
{
    return !part.len || (part.p >= whole.p && part.p + part.len <= whole.p + whole.len);
}

static void note(struct buf *log, const char *what, struct str s)
{
    buf_printf(log, "%s %zu ", what, s.len);
    buf_put(log, s);
    buf_putc(log, '\n');
}

static void note_head(struct buf *log, const struct http_head *h)
{
    note(log, "method", h->method);
    note(log, "target", h->target);
    note(log, "path", h->path);
    note(log, "query", h->query);
    note(log, "reason", h->reason);
    buf_printf(log, "%d %d %d %d %d %lld\n", h->status, h->http10, h->keep_alive, h->chunked,
               h->expect_continue, (long long)h->content_length);
    for (size_t i = 0; i < h->header_count; i++) {
        note(log, "name", h->headers[i].name);
        note(log, "value", h->headers[i].value);
        check(http_name_ok(h->headers[i].name), "a header's name is not a token");
        check(http_value_ok(h->headers[i].value), "a header's value holds a control character");
        check(str_eq(h->headers[i].value, str_trim(h->headers[i].value)), "a value is not trimmed");
    }
    check(!(h->chunked && h->content_length >= 0), "a head has two lengths");
}

/* Bytes of bodies are noted one by one, so that the cuts do not show. */
static void note_body(struct buf *log, struct str body)
{
    check(body.len > 0, "an empty body step");
    for (size_t i = 0; i < body.len; i++) {
        buf_putc(log, 'b');
        buf_putc(log, body.p[i]);
    }
}

struct run {
    struct h1 h;
    struct arena *arena;
    struct buf log;
    unsigned messages;
    bool bodiless, over;
};

static void feed(struct run *r, struct str piece)
{
    struct str in = piece, body;
    while (!r->over) {
        size_t had = in.len;
        enum h1_state state = r->h.state;
        enum h1_step step = h1_next(&r->h, &in, &body);
        check(within(in, piece) && in.len <= had, "the input was not taken from its front");
        switch (step) {
        case H1_MORE: check(in.len == 0, "H1_MORE left input"); return;
        case H1_HEAD: note_head(&r->log, h1_head(&r->h)); break;
        case H1_BODY:
            check(within(body, piece), "a body is not a slice of the input");
            note_body(&r->log, body);
            break;
        case H1_END:
            check(had != in.len || state != H1_OVER, "an end without progress");
            buf_putz(&r->log, "end\n");
            r->over = ++r->messages == MESSAGES_MAX;
            h1_begin(&r->h, r->arena, r->bodiless);
            break;
        case H1_FAIL:
            check(h1_error(&r->h) != ERR_OK && *h1_why(&r->h), "a failure without a reason");
            check(h1_status(&r->h) >= 400 && h1_status(&r->h) < 500, "a failure without a status");
            buf_printf(&r->log, "fail %d %s\n", h1_status(&r->h), h1_why(&r->h));
            r->over = true;
        }
    }
}

static void run(struct run *r, const uint8_t *data, size_t size, uint8_t how, size_t step)
{
    /* Small limits, so that short inputs reach them. */
    static const struct h1_limits limits = { .max_line = 64,
                                             .max_header_bytes = 256,
                                             .max_header_count = 8 };
    *r = (struct run){ .arena = arena_new(), .bodiless = (how & 3) == 3 };
    buf_init(&r->log, SIZE_MAX / 2);
    h1_init(&r->h, how & 1 ? H1_RESPONSE : H1_REQUEST, &limits);
    h1_begin(&r->h, r->arena, r->bodiless);
    for (size_t at = 0; at < size && !r->over; at += step) {
        size_t n = size - at < step ? size - at : step;
        char *piece = mem_alloc(n); /* of exactly its size: an overrun is seen */
        memcpy(piece, data + at, n);
        feed(r, str_of(piece, n));
        mem_free(piece);
    }
    if (!r->over) {
        enum h1_step step_at_end = h1_eof(&r->h);
        buf_printf(&r->log, "eof %d %s\n", (int)step_at_end, h1_why(&r->h));
    }
}

static void run_done(struct run *r)
{
    arena_free(r->arena);
    buf_done(&r->log);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    uint8_t how = data[0];
    struct run whole, bytes, pieces;
    run(&whole, data + 1, size - 1, how, size);
    run(&bytes, data + 1, size - 1, how, 1);
    run(&pieces, data + 1, size - 1, how, (size_t)(how >> 2) + 2);
    check(str_eq(buf_str(&whole.log), buf_str(&bytes.log)), "whole and byte by byte differ");
    check(str_eq(buf_str(&whole.log), buf_str(&pieces.log)), "whole and in pieces differ");
    run_done(&whole);
    run_done(&bytes);
    run_done(&pieces);
    return 0;
}
