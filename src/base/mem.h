/* base/mem.h -- the heap, for objects that outlive a request.
 *
 * Sizes are capped where bytes enter the process, so a failure here means that the machine is really out of
 * memory: one line on stderr and abort. Callers have no allocation-failure branches.
 * Thread: any. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t n) __attribute__((malloc, alloc_size(1), returns_nonnull));
void *mem_zalloc(size_t n)
    __attribute__((malloc, alloc_size(1), returns_nonnull)); /* zero-filled */
void *mem_realloc(void *p, size_t n) __attribute__((alloc_size(2), returns_nonnull));
char *mem_strdup(const char *s) __attribute__((malloc, returns_nonnull));
void mem_free(void *p); /* accepts NULL */

#define MEM_NEW(type) ((type *)mem_zalloc(sizeof(type)))

/* On a large local that is written before it is read: spares zeroing it (-ftrivial-auto-var-init). */
#define SCRATCH __attribute__((uninitialized))

#define KIB ((size_t)1024)
#define MIB (1024 * KIB)

#endif
