/* What the tests of the Responses API as clients speak it share: ids, and an arena a case. */
#ifndef DIALECT_RESPONSES_TEST_H
#define DIALECT_RESPONSES_TEST_H

#include "base/mem.h"
#include "dialect/responses_priv.h"

#include "dialect_test.h"

#define HEX "0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210"

static struct arena *a; /* of the case that runs */

static inline int setup(void **state)
{
    (void)state;
    a = arena_new();
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    arena_free(a);
    return 0;
}

#endif
