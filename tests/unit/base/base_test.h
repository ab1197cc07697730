/* What the tests of base/ share. */
#ifndef TESTS_UNIT_BASE_BASE_TEST_H
#define TESTS_UNIT_BASE_BASE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

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
