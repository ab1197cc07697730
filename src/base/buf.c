#include "base/buf.h"

#include "base/mem.h"

#include <stdio.h>

void buf_init(struct buf *b, size_t cap)
{
    *b = (struct buf){ .cap = cap };
}

void buf_done(struct buf *b)
{
    mem_free(b->p);
    buf_init(b, b->cap);
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->fail = ERR_OK;
}

char *buf_reserve(struct buf *b, size_t n)
{
    if (b->fail)
        return NULL;
    if (n > b->cap - b->len) {
        b->fail = ERR_TOO_LARGE;
        return NULL;
    }
    if (n > b->room - b->len) {
        size_t room = b->room ? b->room * 2 : 256;
        if (room < b->len + n)
            room = b->len + n;
        if (room > b->cap)
            room = b->cap;
        b->p = mem_realloc(b->p, room);
        b->room = room;
    }
    return b->p + b->len;
}

void buf_commit(struct buf *b, size_t n)
{
    b->len += n;
}

void buf_put_growing(struct buf *b, struct str s)
{
    char *p = buf_reserve(b, s.len);
    if (!p)
        return;
    memcpy(p, s.p, s.len);
    b->len += s.len;
}

void buf_putc(struct buf *b, char c)
{
    buf_put(b, str_of(&c, 1));
}

void buf_putz(struct buf *b, const char *z)
{
    buf_put(b, str_c(z));
}

void buf_u64(struct buf *b, uint64_t v)
{
    char tmp[20];
    size_t at = sizeof tmp;
    do {
        tmp[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    buf_put(b, str_of(tmp + at, sizeof tmp - at));
}

void buf_i64(struct buf *b, int64_t v)
{
    if (v < 0)
        buf_putc(b, '-');
    buf_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    char tmp[256];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(tmp, sizeof tmp, fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    if ((size_t)n < sizeof tmp) {
        buf_put(b, str_of(tmp, (size_t)n));
        return;
    }
    /* Not in place: the NUL has no room where the cap is met exactly. */
    char *z = mem_alloc((size_t)n + 1);
    va_start(ap, fmt);
    vsnprintf(z, (size_t)n + 1, fmt, ap);
    va_end(ap);
    buf_put(b, str_of(z, (size_t)n));
    mem_free(z);
}

void buf_shift(struct buf *b, size_t n)
{
    if (n >= b->len) {
        b->len = 0;
        return;
    }
    memmove(b->p, b->p + n, b->len - n);
    b->len -= n;
}
