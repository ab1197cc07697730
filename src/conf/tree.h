/* conf/tree.h -- YAML text as a tree of nodes that know where they stand.
 *
 * Aliases share the node of their anchor, so a tree is a graph without cycles; `size` counts
 * aliases in full, and
 * a budget on it keeps every later walk short. Merge keys (`<<`) are resolved; keys of a map are
 * unique.
 * Ownership: nodes and texts live in the arena given. Thread: any; a tree is not changed once it is
 * made. */
#ifndef CONF_TREE_H
#define CONF_TREE_H

#include "base/arena.h"
#include "base/err.h"
#include "conf/conf.h"

#define CONF_DEPTH_MAX 64
#define CONF_NODES_MAX 100000             /* of all files together, aliases counted in full */
#define CONF_BYTES_MAX ((size_t)16 << 20) /* of their texts, the same */

enum conf_kind { CONF_SCALAR, CONF_SEQ, CONF_MAP };

/* What may still be read. */
struct conf_budget {
    size_t nodes, bytes;
};

struct conf_pair {
    struct str key;
    unsigned line; /* of the key */
    const struct conf_node *value;
};

struct conf_node {
    enum conf_kind kind;
    bool plain; /* a scalar without quotes: typed by its text; else it is a string */
    bool open;  /* being read: an alias to it would be a cycle */
    unsigned line;
    struct str file;
    struct str text; /* of a scalar */
    union {
        const struct conf_node **items;
        const struct conf_pair *pairs;
    };
    size_t count;
    size_t size;     /* nodes of it, itself included */
    size_t bytes;    /* of its texts and keys */
    unsigned height; /* 1: a scalar or an empty collection */
};

/* Reads one document. `*ret_root` is NULL for a text without one. `budget` goes down by what was
 * read.
 * Errors: ERR_SYNTAX, told in `diags`. */
MUST_CHECK enum err conf_tree_parse(struct str text, struct str file, struct arena *a,
                                    struct conf_budget *budget, struct conf_diags *diags,
                                    struct arena *diag_arena, const struct conf_node **ret_root);

/* The value of a map's key; NULL when it is absent or null, or when `map` is NULL or no map. */
const struct conf_node *conf_get(const struct conf_node *map, struct str key);
/* The same with its place, null values included; NULL: absent. */
const struct conf_pair *conf_get_pair(const struct conf_node *map, struct str key);

bool conf_is_null(const struct conf_node *n);

#endif
