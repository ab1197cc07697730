#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *must(void *p)
{
    static const char msg[] = "weir: out of memory\n";
    if (!p) {
        if (write(STDERR_FILENO, msg, sizeof msg - 1) < 0)
            abort();
        abort();
    }
    return p;
}

void *mem_alloc(size_t n)
{
    return must(malloc(n ? n : 1));
}

void *mem_zalloc(size_t n)
{
    return must(calloc(1, n ? n : 1));
}

void *mem_realloc(void *p, size_t n)
{
    return must(realloc(p, n ? n : 1));
}

char *mem_strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    return memcpy(mem_alloc(n), s, n);
}

void mem_free(void *p)
{
    free(p);
}
