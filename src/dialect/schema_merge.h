/* dialect/schema_merge.h -- allOf without allOf: what its parts say, said in one schema.
 *
 * A grammar closes every object, so that two parts of an allOf would exclude each other's properties; and Anthropic takes no $ref
 * below an allOf at all. Pure; thread: the request's; results live in the arena. */
#ifndef DIALECT_SCHEMA_MERGE_H
#define DIALECT_SCHEMA_MERGE_H

#include "base/arena.h"
#include "base/str.h"

struct schema_merge {
    struct str root; /* where a $ref begins */
    struct arena *a;
    unsigned parts; /* merged so far: what refers to each other explodes */
    size_t bytes;   /* of what was made */
};

/* The schema, an object with an allOf, with its parts merged into it. Empty: they do not go into one (two of them limit the same
 * thing in different ways), a $ref leads nowhere, or there is too much of it. */
struct str schema_merge_all(struct schema_merge *m, struct str schema);

/* True when a $ref stands in the value, at any depth. */
bool schema_refers(struct str value);

#endif
