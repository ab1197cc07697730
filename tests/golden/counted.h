/* A golden case's request, counted: the body is the one that was sent, member by member, but for what the count does not take; the
 * report is the same. */
#ifndef GOLDEN_COUNTED_H
#define GOLDEN_COUNTED_H

#include "dialect/dialect.h"

struct counted {
    const char *dir; /* for messages */
    const struct dialect *to;
    const struct ir_request *rq;
    const struct dialect_target *target;
    const struct ir_report *report; /* of what was sent */
    struct str sent;
    struct arena *arena;
};
void counted_check(const struct counted *c); /* fails the case */

#endif
