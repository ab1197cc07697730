/* What the tests of wire/ share: cmocka, slices of their own heap block, and failures that name
 * the case. */
#ifndef TESTS_UNIT_WIRE_WIRE_TEST_H
#define TESTS_UNIT_WIRE_WIRE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/str.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* A copy in a heap block of exactly its size, so that a sanitizer sees a read past the end. */
static inline struct str exact_copy(struct str s)
{
    char *p = mem_alloc(s.len);
    if (s.len)
        memcpy(p, s.p, s.len);
    return str_of(p, s.len);
}

static inline void exact_free(struct str s)
{
    mem_free((char *)(uintptr_t)s.p);
}

/* As assert_true, with the text of the case in the message. */
#define CHECK_CASE(good, text)                                                                     \
    do {                                                                                           \
        if (!(good))                                                                               \
            fail_msg("%s, in case: %.*s", #good, STR_ARG(text));                                   \
    } while (0)

static inline void assert_str_eq(struct str got, struct str want)
{
    if (!str_eq(got, want))
        fail_msg("got \"%.*s\", want \"%.*s\"", STR_ARG(got), STR_ARG(want));
}

#endif
