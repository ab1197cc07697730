/* base/buf.h -- a growing string of bytes with a cap stated at birth.
 *
 * It remembers its first failure (the cap), so writers stay straight lines and ask once, at the end. Heap memory;
 * the owner calls buf_done. Thread: the owner's. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/err.h"
#include "base/str.h"

#include <stdarg.h>

struct buf {
    char *p;
    size_t len;
    size_t room;   /* bytes allocated */
    size_t cap;    /* bytes allowed */
    enum err fail; /* ERR_TOO_LARGE once the cap was hit; later writes do nothing */
};

void buf_init(struct buf *b, size_t cap);
void buf_done(struct buf *b);  /* frees; the buf is empty and usable again, same cap */
void buf_reset(struct buf *b); /* empties, keeps the memory, forgets the failure */

void buf_put_growing(struct buf *b, struct str s); /* of buf_put: where the room may not do */
static inline void buf_put(struct buf *b, struct str s)
{
    if (b->fail || s.len > b->room - b->len) {
        buf_put_growing(b, s);
    } else if (s.len) {
        memcpy(b->p + b->len, s.p, s.len);
        b->len += s.len;
    }
}
void buf_putc(struct buf *b, char c);
void buf_putz(struct buf *b, const char *z);
void buf_u64(struct buf *b, uint64_t v);
void buf_i64(struct buf *b, int64_t v);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Room for at least n more bytes to be written at the returned pointer, then buf_commit(b, written <= n).
 * NULL when the cap forbids it (the failure is remembered). */
char *buf_reserve(struct buf *b, size_t n);
void buf_commit(struct buf *b, size_t n);

/* Removes the first n bytes. */
void buf_shift(struct buf *b, size_t n);

static inline struct str buf_str(const struct buf *b)
{
    return str_of(b->p, b->len);
}

#endif
