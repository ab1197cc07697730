#include "base/arena.h"

#include "base/mem.h"

#include <stdio.h>

#define BLOCK_BYTES (8 * KIB)
#define ALIGN 16

struct block {
    struct block *next;
    size_t cap;
    _Alignas(ALIGN) char data[];
};

struct arena {
    struct block *first; /* kept over a reset; the arena itself lives in it */
    struct block *cur;   /* the one being filled */
    struct block *large; /* blocks of one allocation each */
    size_t used;         /* of cur */
    size_t held;
};

static size_t align_up(size_t n)
{
    return (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

static struct block *block_new(size_t cap)
{
    struct block *b = mem_alloc(sizeof *b + cap);
    b->next = NULL;
    b->cap = cap;
    return b;
}

static void blocks_free(struct block *b)
{
    while (b) {
        struct block *next = b->next;
        mem_free(b);
        b = next;
    }
}

struct arena *arena_new(void)
{
    struct block *b = block_new(BLOCK_BYTES - sizeof *b);
    struct arena *a = (struct arena *)(void *)b->data;
    *a = (struct arena){ .first = b, .cur = b, .used = align_up(sizeof *a), .held = BLOCK_BYTES };
    return a;
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    blocks_free(a->large);
    blocks_free(a->first);
}

void arena_reset(struct arena *a)
{
    blocks_free(a->large);
    blocks_free(a->first->next);
    a->first->next = NULL;
    a->cur = a->first;
    a->large = NULL;
    a->used = align_up(sizeof *a);
    a->held = BLOCK_BYTES;
}

void *arena_alloc(struct arena *a, size_t n)
{
    size_t need = align_up(n ? n : 1);
    if (need < n)
        need = n; /* overflow: mem_alloc refuses it */
    if (need <= a->cur->cap - a->used) {
        void *p = a->cur->data + a->used;
        a->used += need;
        return p;
    }
    if (need > a->cur->cap / 4) {
        struct block *b = block_new(need);
        b->next = a->large;
        a->large = b;
        a->held += sizeof *b + need;
        return b->data;
    }
    struct block *b = block_new(a->cur->cap < 64 * KIB ? a->cur->cap * 2 : a->cur->cap);
    a->cur->next = b;
    a->cur = b;
    a->used = need;
    a->held += sizeof *b + b->cap;
    return b->data;
}

void *arena_zalloc(struct arena *a, size_t n)
{
    return memset(arena_alloc(a, n), 0, n);
}

struct str arena_dup(struct arena *a, struct str s)
{
    return str_of(arena_cstr(a, s), s.len);
}

char *arena_cstr(struct arena *a, struct str s)
{
    char *p = arena_alloc(a, s.len + 1);
    if (s.len)
        memcpy(p, s.p, s.len);
    p[s.len] = '\0';
    return p;
}

struct str arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n < 0)
        return str_of(NULL, 0);
    char *p = arena_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    return str_of(p, (size_t)n);
}

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str s = arena_vprintf(a, fmt, ap);
    va_end(ap);
    return s;
}

size_t arena_bytes(const struct arena *a)
{
    return a->held;
}
