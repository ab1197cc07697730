/* dialect/schema.h -- JSON Schema made smaller for providers that take less of it.
 *
 * What a target cannot express is moved into the `description` beside it, so that the model still
 * reads it, and is told to the caller as a set of keywords. Property names are never taken for
 * keywords. Schemas are validated JSON text (slices of a scanned body). Pure; thread: the
 * request's; results live in the arena. */
#ifndef DIALECT_SCHEMA_H
#define DIALECT_SCHEMA_H

#include "base/arena.h"
#include "base/str.h"

/* Keywords that were cut: a bit each; the last one stands for all that have no name here. */
typedef uint64_t schema_cuts;
/* The i-th keyword's name, for reports ("maxItems", "other"); NULL past the end. */
const char *schema_cut_name(size_t i);

/* The subset that Anthropic compiles into a grammar (structured outputs, strict tools): every
 * object is closed, oneOf becomes anyOf, definitions become $defs. `*ret_cuts` is 0 when every
 * constraint survived. */
struct str schema_for_grammar(struct str schema, struct arena *a, schema_cuts *ret_cuts);

/* True when a definition refers to itself, also through others, or to the root: no grammar can be
 * made of it. */
bool schema_is_recursive(struct str schema, struct arena *a);

/* True when the root is said to be an object (or says no type but has properties, or nothing). */
bool schema_root_is_object(struct str schema);

/* The first of oneOf, anyOf, allOf at the root, or NULL. */
const char *schema_root_union(struct str schema);

#endif
