#include "mock/reply.h"

#include "base/mem.h"

#include <stdarg.h>

void reply_init(struct reply *rp)
{
    *rp = (struct reply){ 0 };
    buf_init(&rp->headers, 64 * KIB);
    buf_init(&rp->body, 512 * MIB);
    reply_reset(rp);
}

void reply_done(struct reply *rp)
{
    buf_done(&rp->headers);
    buf_done(&rp->body);
    mem_free(rp->ends);
}

void reply_reset(struct reply *rp)
{
    rp->status = 200;
    rp->type = STR("application/json");
    buf_reset(&rp->headers);
    buf_reset(&rp->body);
    rp->count = 0;
    rp->stream = rp->content = false;
    rp->prompt_tokens = rp->completion_tokens = 0;
}

void reply_header(struct reply *rp, const char *name, struct str value)
{
    buf_putz(&rp->headers, name);
    buf_putz(&rp->headers, ": ");
    buf_put(&rp->headers, value);
    buf_putz(&rp->headers, "\r\n");
}

void reply_piece(struct reply *rp)
{
    if (rp->count == rp->room) {
        rp->room = rp->room ? rp->room * 2 : 64;
        rp->ends = mem_realloc(rp->ends, rp->room * sizeof(*rp->ends));
    }
    rp->ends[rp->count++] = rp->body.len;
}

void reply_truncate(struct reply *rp, size_t at)
{
    if (at >= rp->body.len)
        return;
    rp->body.len = at;
    while (rp->count > 0 && rp->ends[rp->count - 1] > at)
        rp->count--;
    if (rp->stream)
        reply_piece(rp);
}

void reply_crlf(struct reply *rp)
{
    struct buf old = rp->body;
    size_t piece = 0;
    buf_init(&rp->body, old.cap);
    for (size_t i = 0; i < old.len; i++) {
        if (old.p[i] == '\n')
            buf_putc(&rp->body, '\r');
        buf_putc(&rp->body, old.p[i]);
        if (piece < rp->count && rp->ends[piece] == i + 1)
            rp->ends[piece++] = rp->body.len;
    }
    buf_done(&old);
}

void reply_error(struct reply *rp, int status, const char *type, const char *param,
                 const char *code, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);

    reply_reset(rp);
    rp->status = status;
    struct buf *b = &rp->body;
    buf_putz(b, "{\n  \"error\": {\n    \"message\": ");
    put_json(b, str_c(text));
    buf_putz(b, ",\n    \"type\": ");
    put_json(b, str_c(type));
    buf_putz(b, ",\n    \"param\": ");
    param ? put_json(b, str_c(param)) : buf_putz(b, "null");
    buf_putz(b, ",\n    \"code\": ");
    code ? put_json(b, str_c(code)) : buf_putz(b, "null");
    buf_putz(b, "\n  }\n}\n");
}

/* Length of the UTF-8 sequence at s.p, 0 when it is none. */
static size_t sequence(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t n = p[0] < 0x80                   ? 1
               : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
               : (p[0] & 0xf0) == 0xe0       ? 3
               : p[0] >= 0xf0 && p[0] < 0xf5 ? 4
                                             : 0;
    if (n == 0 || n > s.len)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] >= 0x90))
        return 0;
    return n;
}

void put_json(struct buf *b, struct str s)
{
    buf_putc(b, '"');
    while (s.len > 0) {
        unsigned char c = (unsigned char)s.p[0];
        size_t n = sequence(s);
        if (c == '"' || c == '\\') {
            buf_putc(b, '\\');
            buf_putc(b, (char)c);
        } else if (c == '\n') {
            buf_putz(b, "\\n");
        } else if (c < 0x20) {
            buf_printf(b, "\\u%04x", c);
        } else if (n == 0) {
            buf_putz(b, "\\ufffd");
        } else {
            buf_put(b, str_head(s, n));
        }
        s = str_skip(s, n ? n : 1);
    }
    buf_putc(b, '"');
}

void put_base64(struct buf *b, const void *bytes, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = bytes;
    for (size_t i = 0; i < n; i += 3) {
        size_t have = n - i < 3 ? n - i : 3;
        unsigned v = (unsigned)p[i] << 16 | (have > 1 ? (unsigned)p[i + 1] << 8 : 0) |
                     (have > 2 ? p[i + 2] : 0u);
        char out[4] = { digits[v >> 18], digits[v >> 12 & 63], have > 1 ? digits[v >> 6 & 63] : '=',
                        have > 2 ? digits[v & 63] : '=' };
        buf_put(b, str_of(out, 4));
    }
}
