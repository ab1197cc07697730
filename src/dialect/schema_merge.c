#include "dialect/schema_merge.h"

#include "base/buf.h"
#include "base/mem.h"
#include "wire/json_scan.h"

#include <assert.h>

#define DEPTH_MAX 16
#define PARTS_MAX 1024
#define MEMBERS_MAX 1024 /* names are looked up one after another */
#define BYTES_MAX (4 * MIB)

/* Members by their raw names, in the order in which they came. */
struct list {
    struct str *name, *value;
    size_t count, room;
};

struct merged {
    struct schema_merge *m;
    struct list members, properties, required; /* required: values alone */
    bool clash;
};

static struct str quoted(struct str raw_name)
{
    return str_of(raw_name.p - 1, raw_name.len + 2);
}

bool schema_refers(struct str value)
{
    struct json_iter it = json_iter(value);
    while (json_next(&it)) {
        if (it.member.name_at != it.member.value_at && it.type == JSON_STRING &&
            json_str_eq(quoted(it.name), STR("$ref")))
            return true;
        if ((it.type == JSON_OBJECT || it.type == JSON_ARRAY) && schema_refers(it.value))
            return true;
    }
    return false;
}

/* -- references */

/* A step of a JSON pointer: ~1 is '/', ~0 is '~'. */
static struct str plain_step(struct str step, struct arena *a)
{
    char *p = arena_alloc(a, step.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < step.len; i++) {
        bool escape = step.p[i] == '~' && i + 1 < step.len;
        p[n++] = !escape ? step.p[i] : step.p[++i] == '1' ? '/' : '~';
    }
    return str_of(p, n);
}

/* "#/$defs/x" or "#". Empty: it leads nowhere. */
static struct str resolve(struct schema_merge *m, struct str pointer)
{
    struct str at = m->root;
    if (!str_starts(pointer, STR("#")))
        return str_of(NULL, 0);
    pointer = str_skip(pointer, 1);
    while (str_starts(pointer, STR("/"))) {
        pointer = str_skip(pointer, 1);
        struct str name = plain_step(str_head(pointer, str_find_char(pointer, '/')), m->a);
        struct json_member found;
        pointer = str_skip(pointer, str_find_char(pointer, '/'));
        if (!json_peek_object(at, &name, 1, &found, NULL) || found.type == JSON_ABSENT)
            return str_of(NULL, 0);
        at = json_value(at, &found);
    }
    return pointer.len ? str_of(NULL, 0) : at;
}

/* -- collecting */

static size_t find(const struct list *l, struct str name)
{
    size_t i = 0;
    while (i < l->count && !str_eq(l->name[i], name))
        i++;
    return i;
}

static void add(struct merged *g, struct list *l, struct str name, struct str value)
{
    struct arena *a = g->m->a;
    if (l->count == MEMBERS_MAX) {
        g->clash = true;
        return;
    }
    if (l->count == l->room) {
        struct list more = { .count = l->count, .room = l->room ? l->room * 2 : 16 };
        more.name = ARENA_ARRAY(a, struct str, more.room);
        more.value = ARENA_ARRAY(a, struct str, more.room);
        if (l->count) {
            memcpy(more.name, l->name, l->count * sizeof l->name[0]);
            memcpy(more.value, l->value, l->count * sizeof l->value[0]);
        }
        *l = more;
    }
    l->name[l->count] = name;
    l->value[l->count++] = value;
}

static void add_once(struct merged *g, struct list *l, struct str name, struct str value,
                     bool first_counts)
{
    size_t i = find(l, name);
    if (i == l->count) {
        add(g, l, name, value);
        return;
    }
    assert(l->value); /* what was found stands in it */
    if (!first_counts && !str_eq(l->value[i], value))
        g->clash = true;
}

/* What tells and does not limit: the outer one counts. So does additionalProperties, since the whole is closed. */
static bool is_telling(struct str name)
{
    static const struct str telling[] = { STR_INIT("title"),
                                          STR_INIT("description"),
                                          STR_INIT("default"),
                                          STR_INIT("examples"),
                                          STR_INIT("$comment"),
                                          STR_INIT("$schema"),
                                          STR_INIT("$id"),
                                          STR_INIT("deprecated"),
                                          STR_INIT("readOnly"),
                                          STR_INIT("writeOnly"),
                                          STR_INIT("additionalProperties") };
    for (size_t i = 0; i < sizeof telling / sizeof telling[0]; i++)
        if (json_str_eq(name, telling[i]))
            return true;
    return false;
}

static void collect(struct merged *g, struct str schema, unsigned depth);

static void collect_ref(struct merged *g, struct str ref, unsigned depth)
{
    struct str target = resolve(g->m, json_unescape(ref, g->m->a));
    if (json_type_of(target) == JSON_OBJECT)
        collect(g, target, depth + 1);
    else
        g->clash = true;
}

static void collect_member(struct merged *g, const struct json_iter *it, unsigned depth)
{
    struct str name = quoted(it->name);
    struct json_iter in = json_iter(it->value);
    if (json_str_eq(name, STR("properties")) && it->type == JSON_OBJECT) {
        while (json_next(&in))
            add_once(g, &g->properties, in.name, in.value, false);
        add_once(g, &g->members, it->name, STR("{}"), true); /* its place */
    } else if (json_str_eq(name, STR("required")) && it->type == JSON_ARRAY) {
        while (json_next(&in))
            add_once(g, &g->required, in.value, in.value, true);
        add_once(g, &g->members, it->name, STR("[]"), true);
    } else if (json_str_eq(name, STR("$defs")) || json_str_eq(name, STR("definitions"))) {
        if (depth == 0) /* a $ref begins at the root, whose own they are */
            add_once(g, &g->members, it->name, it->value, false);
    } else {
        add_once(g, &g->members, it->name, it->value, is_telling(name));
    }
}

static void collect(struct merged *g, struct str schema, unsigned depth)
{
    struct str all = { 0 }, ref = { 0 };
    struct json_iter it = json_iter(schema);
    if (depth > DEPTH_MAX || ++g->m->parts > PARTS_MAX || json_type_of(schema) != JSON_OBJECT) {
        g->clash = true;
        return;
    }
    while (json_next(&it) && !g->clash) {
        if (json_str_eq(quoted(it.name), STR("allOf")) && it.type == JSON_ARRAY)
            all = it.value;
        else if (json_str_eq(quoted(it.name), STR("$ref")) && it.type == JSON_STRING)
            ref = it.value;
        else
            collect_member(g, &it, depth);
    }
    if (ref.len && !g->clash)
        collect_ref(g, ref, depth);
    it = json_iter(all);
    while (json_next(&it) && !g->clash)
        collect(g, it.value, depth + 1);
}

/* -- writing */

static void put_list(struct buf *out, const struct list *l, bool named)
{
    buf_putc(out, named ? '{' : '[');
    for (size_t i = 0; i < l->count; i++) {
        if (i)
            buf_putc(out, ',');
        if (named) {
            buf_put(out, quoted(l->name[i]));
            buf_putc(out, ':');
        }
        buf_put(out, l->value[i]);
    }
    buf_putc(out, named ? '}' : ']');
}

static struct str list_text(struct merged *g, const struct list *l, bool named)
{
    struct buf out;
    buf_init(&out, BYTES_MAX);
    put_list(&out, l, named);
    g->clash |= out.fail != ERR_OK || (g->m->bytes += out.len) > BYTES_MAX;
    struct str text = arena_dup(g->m->a, buf_str(&out));
    buf_done(&out);
    return text;
}

/* {"allOf":[{"$ref":X}]} and words about it: the reference itself says the same. */
static struct str only_ref(struct str schema)
{
    static const struct str all_name = STR_INIT("allOf"), ref_name = STR_INIT("$ref");
    struct str ref = { 0 };
    struct json_iter it = json_iter(schema);
    while (json_next(&it)) {
        struct json_member m;
        if (!json_str_eq(quoted(it.name), all_name)) {
            if (!is_telling(quoted(it.name)) ||
                json_str_eq(quoted(it.name), STR("additionalProperties")))
                return str_of(NULL, 0);
            continue;
        }
        struct json_iter one = json_iter(it.value);
        if (it.type != JSON_ARRAY || !json_next(&one) ||
            !json_peek_object(one.value, &ref_name, 1, &m, NULL) || m.type != JSON_STRING)
            return str_of(NULL, 0);
        ref = json_value(one.value, &m);
        struct json_iter in = json_iter(one.value);
        (void)json_next(&in);
        if (json_next(&in) || json_next(&one)) /* more in it, or another part */
            return str_of(NULL, 0);
    }
    return ref;
}

struct str schema_merge_all(struct schema_merge *m, struct str schema)
{
    static const struct str names[] = { STR_INIT("\"properties\""), STR_INIT("\"required\"") };
    static const struct str ref_name = STR_INIT("\"$ref\"");
    struct merged g = { .m = m };
    struct str ref = only_ref(schema);
    if (ref.len) {
        struct json_iter it = json_iter(schema);
        while (json_next(&it))
            if (!json_str_eq(quoted(it.name), STR("allOf")))
                add_once(&g, &g.members, it.name, it.value, true);
        add(&g, &g.members, str_of(ref_name.p + 1, ref_name.len - 2), ref);
    } else {
        collect(&g, schema, 0);
    }
    for (size_t i = 0; i < g.members.count && !g.clash; i++) {
        struct str name = quoted(g.members.name[i]);
        if (str_eq(name, names[0]) && json_type_of(g.members.value[i]) == JSON_OBJECT)
            g.members.value[i] = list_text(&g, &g.properties, true);
        else if (str_eq(name, names[1]) && json_type_of(g.members.value[i]) == JSON_ARRAY)
            g.members.value[i] = list_text(&g, &g.required, false);
    }
    struct str text = g.clash ? str_of(NULL, 0) : list_text(&g, &g.members, true);
    return g.clash ? str_of(NULL, 0) : text;
}
