/* What the tests of ir/ share. */
#ifndef IR_TEST_H
#define IR_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ir/event.h"
#include "ir/ir.h"
#include "ir/report.h"

static inline void assert_text(struct str got, const char *want)
{
    if (!str_eq(got, str_c(want)))
        fail_msg("got:  %.*s\n  want: %s", STR_ARG(got), want);
}

#endif
