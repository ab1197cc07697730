/* dialect/gemini_schema_priv.h -- what the files that reduce JSON Schemas for Gemini share.
 *
 *   gemini_schema.c        the walk: keywords, references, descriptions
 *   gemini_schema_forms.c  one schema in either form
 *   gemini_schema_merge.c  allOf
 */
#ifndef DIALECT_GEMINI_SCHEMA_PRIV_H
#define DIALECT_GEMINI_SCHEMA_PRIV_H

#include "base/mem.h"
#include "dialect/gemini_priv.h"

/* What inlining may grow to. */
#define SCHEMAS_MAX 20000

/* K(id, keyword) understood; the others are below. */
#define KEYWORDS(K)                                                                                \
    K(REF, "$ref")                                                                                 \
    K(ALL_OF, "allOf")                                                                             \
    K(ANY_OF, "anyOf")                                                                             \
    K(ONE_OF, "oneOf")                                                                             \
    K(TYPE, "type")                                                                                \
    K(NULLABLE, "nullable")                                                                        \
    K(FORMAT, "format")                                                                            \
    K(TITLE, "title")                                                                              \
    K(DESCRIPTION, "description")                                                                  \
    K(ENUM, "enum")                                                                                \
    K(CONST, "const")                                                                              \
    K(ITEMS, "items")                                                                              \
    K(PREFIX_ITEMS, "prefixItems")                                                                 \
    K(MIN_ITEMS, "minItems")                                                                       \
    K(MAX_ITEMS, "maxItems")                                                                       \
    K(PROPERTIES, "properties")                                                                    \
    K(REQUIRED, "required")                                                                        \
    K(ADDITIONAL, "additionalProperties")                                                          \
    K(ORDERING, "propertyOrdering")                                                                \
    K(MINIMUM, "minimum")                                                                          \
    K(MAXIMUM, "maximum")                                                                          \
    K(ABOVE, "exclusiveMinimum")                                                                   \
    K(BELOW, "exclusiveMaximum")                                                                   \
    K(MIN_LENGTH, "minLength")                                                                     \
    K(MAX_LENGTH, "maxLength")                                                                     \
    K(PATTERN, "pattern")                                                                          \
    K(MIN_PROPERTIES, "minProperties")                                                             \
    K(MAX_PROPERTIES, "maxProperties")                                                             \
    K(DEFAULT, "default")                                                                          \
    K(DEFS, "$defs")                                                                               \
    K(OLD_DEFS, "definitions")

enum keyword {
#define K(id, name) K_##id,
    KEYWORDS(K)
#undef K
        K_COUNT
};
extern const struct str gs_names[K_COUNT];

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct frame_ref {
    const struct frame_ref *up;
    struct str pointer;
};

struct reduction {
    struct buf *out;
    struct arena *a;
    enum gemini_schema_form form;
    struct str root;
    struct gemini_cuts *cuts;
    const struct frame_ref *open; /* references being inlined */
    size_t schemas;
    unsigned depth;
    bool nullable;   /* so is the schema that is written next */
    const char *why; /* not NULL: failed */
};

/* One schema taken apart. */
struct fields {
    struct str v[K_COUNT]; /* empty: absent */
    struct buf notes;
    bool first;   /* no member was written yet */
    bool or_null; /* SCHEMA_JSON: a branch beside one of null, which no enum holds there */
};
/* -- gemini_schema.c */

/* Notes that a keyword was cut, once. */
void gs_cut(struct reduction *r, const char *name);
struct str gs_quoted(struct str raw_name);
void gs_cut_keyword(struct reduction *r, struct fields *f, enum keyword k);
struct str gs_resolve(struct reduction *r, struct str pointer);
void gs_put_name(struct reduction *r, struct fields *f, const char *name);
void gs_put(struct reduction *r, struct fields *f, enum keyword k);
void gs_put_description(struct reduction *r, struct fields *f);
void gs_put_schemas(struct reduction *r, struct str array);
void gs_put_named(struct reduction *r, struct str object, bool *first);
void gs_put_properties(struct reduction *r, struct fields *f);
void gs_put_required(struct reduction *r, struct fields *f);
void gs_reduce(struct reduction *r, struct str schema, struct str description);

/* -- gemini_schema_forms.c */

void gs_close_bound(struct reduction *r, struct fields *f, enum keyword open, enum keyword closed,
                    int step);
void gs_mend_enum(struct reduction *r, struct fields *f);
void gs_put_ref(struct reduction *r, struct fields *f, struct str pointer);
void gs_put_defs(struct reduction *r, struct fields *f);
void gs_put_json_form(struct reduction *r, struct fields *f);
void gs_put_openapi_form(struct reduction *r, struct fields *f);

/* -- gemini_schema_merge.c: the schema with its allOf merged into it */

struct str gs_flatten(struct reduction *r, struct str schema);

#endif
