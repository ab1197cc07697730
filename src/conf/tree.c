/* YAML events -> nodes, by recursive descent; libyaml's errors as sentences that say what to do. */
#include "conf/tree.h"

#include <yaml.h>

#include "base/hash.h"
#include "base/mem.h"
#include "conf/conf_priv.h"
#include "conf/scalar.h"

struct reader {
    yaml_parser_t yaml;
    struct str text, file;
    struct arena *arena;
    struct map anchors;
    struct conf_budget *budget;
    struct conf_diags *diags;
    struct arena *diag_arena;
    /* entries of the collections that are open, innermost last */
    struct conf_pair *open;
    size_t open_count, open_room;
};

static void complain(struct reader *r, unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void complain(struct reader *r, unsigned line, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str msg = arena_vprintf(r->arena, fmt, ap);
    va_end(ap);
    diag_add(r->diags, r->diag_arena, CONF_ERROR, r->file, line, "%.*s", STR_ARG(msg));
}

/* The line (from 1) as it stands in the file. */
static struct str line_text(struct str text, unsigned line)
{
    struct str row = { NULL, 0 };
    for (unsigned i = 0; i < line && text.len; i++)
        row = str_cut(&text, '\n');
    return row;
}

static bool tab_indented(struct str row)
{
    for (size_t i = 0; i < row.len && (row.p[i] == ' ' || row.p[i] == '\t'); i++)
        if (row.p[i] == '\t')
            return true;
    return false;
}

static unsigned line_at(struct str text, size_t offset)
{
    unsigned line = 1;
    for (size_t i = 0; i < offset && i < text.len; i++)
        line += text.p[i] == '\n';
    return line;
}

/* What libyaml says, and what it means to the one who wrote the file. */
static const struct {
    const char *said, *meant;
} meanings[] = {
    { "mapping values are not allowed",
      "a ':' stands where no key can be; check the indentation, and put quotes around a value that holds ': '" },
    { "did not find expected key",
      "this line fits neither the list nor the keys above it; indent it like its neighbours" },
    { "did not find expected '-' indicator",
      "a list goes on here without '- '; begin the line with '- ', or indent it like the keys it belongs to" },
    { "found unexpected end of stream", "a quoted text that begins here is never closed" },
    { "found unexpected document indicator", "a quoted text that begins here is never closed" },
    { "found unknown escape character",
      "an unknown \\ escape in double quotes; use single quotes for text with backslashes" },
    { "did not find expected ',' or ']'",
      "a list in [brackets] is not closed, or lacks a ',' between its values" },
    { "did not find expected ',' or '}'",
      "a mapping in {braces} is not closed, or lacks a ',' between its pairs" },
    { "could not find expected ':'",
      "a key without its ':'; write 'key: value' (with a space after the ':')" },
    { "found character that cannot start any token",
      "a character that YAML reserves begins a value here (@, ` or %); put the value in quotes" },
    { "did not find expected alphabetic or numeric character",
      "a value that begins with * or & must be in quotes, for example \"*\" or \"openai/*\"" },
};

static void syntax_error(struct reader *r)
{
    const yaml_parser_t *y = &r->yaml;
    const char *said = y->problem ? y->problem : "the text is not YAML";
    if (y->error == YAML_READER_ERROR) {
        unsigned line = line_at(r->text, y->problem_offset);
        if (strstr(said, "control characters"))
            complain(r, line, "the file holds a control character; remove it");
        else
            complain(r, line, "the file is not valid UTF-8 here (%s); save it as UTF-8", said);
        return;
    }
    unsigned line = (unsigned)y->problem_mark.line + 1;
    if (tab_indented(line_text(r->text, line))) {
        complain(
            r, line,
            "a tab stands in the indentation; YAML takes spaces alone, use two for each level");
        return;
    }
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
        if (!strstr(said, meanings[i].said))
            continue;
        /* What is never closed is found at the end of the file; the place to look at is where it
         * began. */
        if (strstr(said, "unexpected") && y->context)
            line = (unsigned)y->context_mark.line + 1;
        complain(r, line, "%s", meanings[i].meant);
        return;
    }
    complain(r, line, "not valid YAML: %s%s%s", said, y->context ? ", " : "",
             y->context ? y->context : "");
}

static bool next_event(struct reader *r, yaml_event_t *ret_event)
{
    if (yaml_parser_parse(&r->yaml, ret_event))
        return true;
    syntax_error(r);
    return false;
}

static void push(struct reader *r, struct conf_pair entry)
{
    if (r->open_count == r->open_room) {
        r->open_room = r->open_room ? r->open_room * 2 : 64;
        r->open = mem_realloc(r->open, r->open_room * sizeof *r->open);
    }
    r->open[r->open_count++] = entry;
}

static bool spend(struct reader *r, size_t nodes, size_t bytes, unsigned line)
{
    if (nodes > r->budget->nodes)
        complain(
            r, line,
            "the config holds more than %d values, aliases (*name) counted in full; remove some",
            CONF_NODES_MAX);
    else if (bytes > r->budget->bytes)
        complain(
            r, line,
            "the config holds more than %zu MiB of text, aliases (*name) counted in full; remove some",
            CONF_BYTES_MAX / MIB);
    else {
        r->budget->nodes -= nodes;
        r->budget->bytes -= bytes;
        return true;
    }
    return false;
}

static struct conf_node *new_node(struct reader *r, const yaml_event_t *e, enum conf_kind kind)
{
    unsigned line = (unsigned)e->start_mark.line + 1;
    if (!spend(r, 1, 0, line))
        return NULL;
    struct conf_node *n = ARENA_NEW(r->arena, struct conf_node);
    n->kind = kind;
    n->line = line;
    n->file = r->file;
    n->size = 1;
    n->height = 1;
    return n;
}

static bool check_tag(struct reader *r, const struct conf_node *n, const char *tag, bool *ret_plain)
{
    static const char prefix[] = "tag:yaml.org,2002:";
    static const char *const typed[] = { "int", "float", "bool", "null" };
    if (!tag)
        return true;
    if (strcmp(tag, "!") == 0) {
        *ret_plain = false;
        return true;
    }
    if (strncmp(tag, prefix, sizeof prefix - 1) == 0) {
        const char *name = tag + sizeof prefix - 1;
        if (n->kind == CONF_SCALAR && strcmp(name, "str") == 0) {
            *ret_plain = false;
            return true;
        }
        for (size_t i = 0; n->kind == CONF_SCALAR && i < sizeof typed / sizeof *typed; i++)
            if (strcmp(name, typed[i]) == 0) {
                *ret_plain = true;
                return true;
            }
        if (strcmp(name, n->kind == CONF_SEQ ? "seq" : "map") == 0 && n->kind != CONF_SCALAR)
            return true;
    }
    complain(r, n->line,
             "the tag %.80s is not accepted: the config holds data only; remove the tag", tag);
    return false;
}

static void define_anchor(struct reader *r, const yaml_char_t *anchor, struct conf_node *n)
{
    if (anchor)
        map_put(&r->anchors, arena_dup(r->arena, str_c((const char *)anchor)), n);
}

static struct conf_node *read_node(struct reader *r, const yaml_event_t *e, unsigned depth);

static struct conf_node *read_alias(struct reader *r, const yaml_event_t *e, unsigned depth)
{
    const char *name = (const char *)e->data.alias.anchor;
    unsigned line = (unsigned)e->start_mark.line + 1;
    struct conf_node *n = map_get(&r->anchors, str_c(name));
    if (!n)
        complain(
            r, line,
            "*%.64s: nothing above is marked &%.64s; define it above its use, or put the value in quotes",
            name, name);
    else if (n->open)
        complain(r, line, "*%.64s stands inside of what it refers to (&%.64s, line %u)", name, name,
                 n->line);
    else if (depth + n->height > CONF_DEPTH_MAX)
        complain(r, line, "values are nested more than %d levels deep", CONF_DEPTH_MAX);
    else if (spend(r, n->size, n->bytes, line))
        return n;
    return NULL;
}

static struct conf_node *read_scalar(struct reader *r, const yaml_event_t *e)
{
    struct conf_node *n = new_node(r, e, CONF_SCALAR);
    if (!n)
        return NULL;
    n->bytes = e->data.scalar.length;
    if (!spend(r, 0, n->bytes, n->line))
        return NULL;
    n->text = arena_dup(r->arena, str_of((const char *)e->data.scalar.value, n->bytes));
    n->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (!check_tag(r, n, (const char *)e->data.scalar.tag, &n->plain))
        return NULL;
    define_anchor(r, e->data.scalar.anchor, n);
    return n;
}

static void add_child(struct conf_node *n, const struct conf_node *child)
{
    n->size += child->size;
    n->bytes += child->bytes;
    if (child->height + 1 > n->height)
        n->height = child->height + 1;
}

static struct conf_node *read_seq(struct reader *r, const yaml_event_t *e, unsigned depth)
{
    bool plain;
    size_t first = r->open_count;
    yaml_event_t item;
    struct conf_node *n = new_node(r, e, CONF_SEQ);
    if (!n || !check_tag(r, n, (const char *)e->data.sequence_start.tag, &plain))
        return NULL;
    n->open = true;
    define_anchor(r, e->data.sequence_start.anchor, n);
    for (;;) {
        if (!next_event(r, &item))
            return NULL;
        if (item.type == YAML_SEQUENCE_END_EVENT)
            break;
        struct conf_node *child = read_node(r, &item, depth + 1);
        yaml_event_delete(&item);
        if (!child)
            return NULL;
        push(r, (struct conf_pair){ .value = child });
    }
    yaml_event_delete(&item);
    n->count = r->open_count - first;
    n->items = ARENA_ARRAY(r->arena, const struct conf_node *, n->count);
    for (size_t i = 0; i < n->count; i++) {
        n->items[i] = r->open[first + i].value;
        add_child(n, n->items[i]);
    }
    r->open_count = first;
    n->open = false;
    return n;
}

/* A set of keys: a list while it is short, a hash map beyond that. */
#define KEYSET_LIST 16
struct keyset {
    struct map map;
    const struct conf_pair *rows[KEYSET_LIST];
    size_t count;
};

static const struct conf_pair *keyset_add(struct keyset *s, const struct conf_pair *pair)
{
    for (size_t i = 0; i < s->count && i < KEYSET_LIST; i++)
        if (str_eq(s->rows[i]->key, pair->key))
            return s->rows[i];
    if (s->count < KEYSET_LIST) {
        s->rows[s->count++] = pair;
        return NULL;
    }
    const struct conf_pair *old = map_get(&s->map, pair->key);
    if (old)
        return old;
    map_put(&s->map, pair->key, (void *)(uintptr_t)pair);
    s->count++;
    return NULL;
}

static bool is_merge(const struct conf_pair *p)
{
    return p->key.len == 2 && memcmp(p->key.p, "<<", 2) == 0 && p->line == 0;
}

/* The pairs of one merged map that are not there yet. */
static bool merge_map(struct reader *r, struct keyset *seen, const struct conf_pair *merge,
                      const struct conf_node *from)
{
    if (from->kind != CONF_MAP) {
        complain(r, merge->value->line,
                 "'<<' takes a mapping or a list of mappings (such as *name)");
        return false;
    }
    for (size_t i = 0; i < from->count; i++) {
        if (keyset_add(seen, &from->pairs[i]))
            continue;
        const struct conf_node *value = from->pairs[i].value;
        if (!spend(r, value->size + 1, value->bytes + from->pairs[i].key.len, merge->value->line))
            return false;
        push(r, from->pairs[i]);
    }
    return true;
}

static bool merge_pair(struct reader *r, struct keyset *seen, const struct conf_pair *merge)
{
    const struct conf_node *from = merge->value;
    if (from->kind != CONF_SEQ)
        return merge_map(r, seen, merge, from);
    for (size_t i = 0; i < from->count; i++)
        if (!merge_map(r, seen, merge, from->items[i]))
            return false;
    return true;
}

/* Checks that keys stand once, resolves merge keys: the explicit pairs first, then what they did
 * not name. */
static bool close_map(struct reader *r, struct conf_node *n, size_t first)
{
    struct keyset seen = { .count = 0 };
    size_t written = r->open_count - first;
    struct conf_pair *pairs = ARENA_ARRAY(r->arena, struct conf_pair, written);
    bool ok = true, merges = false;
    size_t kept = 0;
    if (written)
        memcpy(pairs, r->open + first, written * sizeof *pairs);
    r->open_count = first;
    map_init(&seen.map, (struct hash_seed){ .k0 = 1, .k1 = 2 });
    for (size_t i = 0; ok && i < written; i++) {
        if (is_merge(&pairs[i])) {
            merges = true;
            continue;
        }
        const struct conf_pair *old = keyset_add(&seen, &pairs[i]);
        if (old) {
            complain(r, pairs[i].line,
                     "the key %.*s stands twice in this mapping (first in line %u); remove one",
                     STR_ARG(shown(r->arena, pairs[i].key)), old->line);
            ok = false;
        }
        push(r, pairs[i]);
    }
    for (size_t i = 0; ok && merges && i < written; i++)
        if (is_merge(&pairs[i]))
            ok = merge_pair(r, &seen, &pairs[i]);
    map_done(&seen.map);
    if (!ok)
        return false;
    kept = r->open_count - first;
    if (kept > written || merges)
        pairs = ARENA_ARRAY(r->arena, struct conf_pair, kept);
    for (size_t i = 0; i < kept; i++) {
        pairs[i] = r->open[first + i];
        add_child(n, pairs[i].value);
        n->size++;
        n->bytes += pairs[i].key.len;
    }
    r->open_count = first;
    n->pairs = pairs;
    n->count = kept;
    return true;
}

static bool read_pair(struct reader *r, const yaml_event_t *e, unsigned depth)
{
    yaml_event_t value;
    struct conf_pair pair = { .line = (unsigned)e->start_mark.line + 1 };
    struct conf_node *key = read_node(r, e, depth + 1);
    if (!key)
        return false;
    if (key->kind != CONF_SCALAR) {
        complain(r, pair.line, "a key must be a text, not a list or a mapping");
        return false;
    }
    pair.key = key->text;
    /* Line 0 marks a merge key until the map is closed: a quoted "<<" is a key like any other. */
    if (key->plain && str_eq(key->text, STR("<<")))
        pair.line = 0;
    if (!next_event(r, &value))
        return false;
    pair.value = read_node(r, &value, depth + 1);
    yaml_event_delete(&value);
    if (!pair.value)
        return false;
    push(r, pair);
    return true;
}

static struct conf_node *read_map(struct reader *r, const yaml_event_t *e, unsigned depth)
{
    bool plain;
    size_t first = r->open_count;
    yaml_event_t key;
    struct conf_node *n = new_node(r, e, CONF_MAP);
    if (!n || !check_tag(r, n, (const char *)e->data.mapping_start.tag, &plain))
        return NULL;
    n->open = true;
    define_anchor(r, e->data.mapping_start.anchor, n);
    for (;;) {
        if (!next_event(r, &key))
            return NULL;
        if (key.type == YAML_MAPPING_END_EVENT)
            break;
        bool ok = read_pair(r, &key, depth);
        yaml_event_delete(&key);
        if (!ok)
            return NULL;
    }
    yaml_event_delete(&key);
    if (!close_map(r, n, first))
        return NULL;
    n->open = false;
    return n;
}

static struct conf_node *read_node(struct reader *r, const yaml_event_t *e, unsigned depth)
{
    if (depth > CONF_DEPTH_MAX) {
        complain(r, (unsigned)e->start_mark.line + 1, "values are nested more than %d levels deep",
                 CONF_DEPTH_MAX);
        return NULL;
    }
    switch (e->type) {
    case YAML_ALIAS_EVENT: return read_alias(r, e, depth);
    case YAML_SCALAR_EVENT: return read_scalar(r, e);
    case YAML_SEQUENCE_START_EVENT: return read_seq(r, e, depth);
    case YAML_MAPPING_START_EVENT: return read_map(r, e, depth);
    default: complain(r, (unsigned)e->start_mark.line + 1, "not valid YAML"); return NULL;
    }
}

/* The stream: at most one document. */
static enum err read_stream(struct reader *r, const struct conf_node **ret_root)
{
    const struct conf_node *root = NULL;
    bool seen = false;
    for (;;) {
        yaml_event_t e;
        if (!next_event(r, &e))
            return ERR_SYNTAX;
        yaml_event_type_t type = e.type;
        bool ok = true;
        if (type == YAML_DOCUMENT_START_EVENT && seen) {
            complain(r, (unsigned)e.start_mark.line + 1,
                     "a second document ('---') begins here; a config is one document");
            ok = false;
        } else if (type == YAML_DOCUMENT_START_EVENT) {
            seen = true;
        } else if (type != YAML_STREAM_START_EVENT && type != YAML_STREAM_END_EVENT &&
                   type != YAML_DOCUMENT_END_EVENT) {
            root = read_node(r, &e, 1);
            ok = root != NULL;
        }
        yaml_event_delete(&e);
        if (!ok)
            return ERR_SYNTAX;
        if (type == YAML_STREAM_END_EVENT)
            break;
    }
    *ret_root = root;
    return ERR_OK;
}

enum err conf_tree_parse(struct str text, struct str file, struct arena *a,
                         struct conf_budget *budget, struct conf_diags *diags,
                         struct arena *diag_arena, const struct conf_node **ret_root)
{
    struct reader r = { .text = text,
                        .file = file,
                        .arena = a,
                        .budget = budget,
                        .diags = diags,
                        .diag_arena = diag_arena };
    if (!yaml_parser_initialize(&r.yaml)) {
        diag_add(diags, diag_arena, CONF_ERROR, file, 0, "out of memory");
        return ERR_SYNTAX;
    }
    map_init(&r.anchors, (struct hash_seed){ .k0 = 3, .k1 = 4 });
    yaml_parser_set_input_string(&r.yaml, (const unsigned char *)(text.p ? text.p : ""), text.len);
    enum err e = read_stream(&r, ret_root);
    map_done(&r.anchors);
    mem_free(r.open);
    yaml_parser_delete(&r.yaml);
    return e;
}

bool conf_is_null(const struct conf_node *n)
{
    return n->kind == CONF_SCALAR && n->plain && scalar_type(n->text) == SCALAR_NULL;
}

const struct conf_pair *conf_get_pair(const struct conf_node *map, struct str key)
{
    if (!map || map->kind != CONF_MAP)
        return NULL;
    for (size_t i = 0; i < map->count; i++)
        if (str_eq(map->pairs[i].key, key))
            return &map->pairs[i];
    return NULL;
}

const struct conf_node *conf_get(const struct conf_node *map, struct str key)
{
    const struct conf_pair *p = conf_get_pair(map, key);
    return p && !conf_is_null(p->value) ? p->value : NULL;
}
