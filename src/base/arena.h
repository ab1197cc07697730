/* base/arena.h -- memory that dies all at once: one arena a request, one a config.
 *
 * Blocks of 8 KiB and growing are chained; an allocation past a quarter of a block gets a block of its own. Nothing is
 * freed singly. Out of memory aborts (base/mem.h). Thread: the owner's; an arena is never shared while it is
 * written. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

#include <stdarg.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *a);  /* accepts NULL */
void arena_reset(struct arena *a); /* keeps the first block: for reuse from a free list */

/* Aligned to 16. Not zeroed; arena_zalloc is. */
void *arena_alloc(struct arena *a, size_t n) __attribute__((alloc_size(2), returns_nonnull));
void *arena_zalloc(struct arena *a, size_t n) __attribute__((alloc_size(2), returns_nonnull));

#define ARENA_NEW(a, type) ((type *)arena_zalloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, n) ((type *)arena_zalloc((a), sizeof(type) * (n)))

struct str arena_dup(struct arena *a,
                     struct str s);              /* the copy is followed by a NUL, not counted */
char *arena_cstr(struct arena *a, struct str s); /* the same, as a C string */
struct str arena_printf(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
struct str arena_vprintf(struct arena *a, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));

/* Bytes held from the heap. */
size_t arena_bytes(const struct arena *a);

#endif
