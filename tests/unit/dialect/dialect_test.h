/* What the tests of dialect/ share. */
#ifndef DIALECT_TEST_H
#define DIALECT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "dialect/openai_chat.h"
#include "dialect/upstream_fault.h"

static inline void assert_text(struct str got, const char *want)
{
    if (!str_eq(got, str_c(want)))
        fail_msg("got:  %.*s\n  want: %s", STR_ARG(got), want);
}

static inline bool contains(struct str text, const char *part)
{
    return str_find(text, str_c(part)) != STR_NONE;
}

#endif
