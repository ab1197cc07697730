/* Anthropic's subset is from "Structured outputs", JSON Schema limitations, Claude docs, August
 * 2026; what is cut goes where its SDK's own helper puts it, into the description. */
#include "dialect/schema.h"

#include "base/buf.h"
#include "dialect/schema_merge.h"
#include "wire/json_scan.h"
#include "wire/json_write.h"

/* How a keyword of a schema is treated. */
enum treat {
    KEEP,      /* as it is */
    DROP,      /* says nothing about values */
    CUT,       /* cannot be said: into the description */
    SCHEMA,    /* a schema: reduced */
    SCHEMAS,   /* an array of schemas */
    ALL_OF,    /* the same; merged where that goes, and without a $ref else */
    NAMED,     /* an object of schemas by name */
    DESCRIBE,  /* the description itself */
    CLOSE,     /* additionalProperties */
    REFER,     /* $ref */
    FORMAT,    /* format: some */
    MIN_ITEMS, /* 0 or 1 */
    PATTERN,   /* without looking around or back */
    SCALARS,   /* enum: scalars only */
};

struct keyword {
    struct str name;
    enum treat treat;
    struct str rename; /* empty: the same name */
};

/* The order is that of the bits of schema_cuts; "other" is last. */
static const struct keyword keywords[] = {
    { STR_INIT("minimum"), CUT, { 0 } },
    { STR_INIT("maximum"), CUT, { 0 } },
    { STR_INIT("exclusiveMinimum"), CUT, { 0 } },
    { STR_INIT("exclusiveMaximum"), CUT, { 0 } },
    { STR_INIT("multipleOf"), CUT, { 0 } },
    { STR_INIT("minLength"), CUT, { 0 } },
    { STR_INIT("maxLength"), CUT, { 0 } },
    { STR_INIT("maxItems"), CUT, { 0 } },
    { STR_INIT("uniqueItems"), CUT, { 0 } },
    { STR_INIT("minProperties"), CUT, { 0 } },
    { STR_INIT("maxProperties"), CUT, { 0 } },
    { STR_INIT("patternProperties"), CUT, { 0 } },
    { STR_INIT("propertyNames"), CUT, { 0 } },
    { STR_INIT("prefixItems"), CUT, { 0 } },
    { STR_INIT("contains"), CUT, { 0 } },
    { STR_INIT("not"), CUT, { 0 } },
    { STR_INIT("if"), CUT, { 0 } },
    { STR_INIT("then"), CUT, { 0 } },
    { STR_INIT("else"), CUT, { 0 } },
    { STR_INIT("dependentRequired"), CUT, { 0 } },
    { STR_INIT("dependentSchemas"), CUT, { 0 } },
    { STR_INIT("unevaluatedProperties"), CUT, { 0 } },
    { STR_INIT("nullable"), CUT, { 0 } },
    { STR_INIT("additionalProperties"), CLOSE, { 0 } },
    { STR_INIT("$ref"), REFER, { 0 } },
    { STR_INIT("format"), FORMAT, { 0 } },
    { STR_INIT("minItems"), MIN_ITEMS, { 0 } },
    { STR_INIT("pattern"), PATTERN, { 0 } },
    { STR_INIT("enum"), SCALARS, { 0 } },
    { STR_INIT("items"), SCHEMA, { 0 } },
    { STR_INIT("type"), KEEP, { 0 } },
    { STR_INIT("required"), KEEP, { 0 } },
    { STR_INIT("const"), KEEP, { 0 } },
    { STR_INIT("default"), KEEP, { 0 } },
    { STR_INIT("title"), KEEP, { 0 } },
    { STR_INIT("description"), DESCRIBE, { 0 } },
    { STR_INIT("properties"), NAMED, { 0 } },
    { STR_INIT("$defs"), NAMED, { 0 } },
    { STR_INIT("definitions"), NAMED, STR_INIT("$defs") },
    { STR_INIT("anyOf"), SCHEMAS, { 0 } },
    { STR_INIT("allOf"), ALL_OF, { 0 } },
    { STR_INIT("oneOf"), SCHEMAS, STR_INIT("anyOf") },
    { STR_INIT("$schema"), DROP, { 0 } },
    { STR_INIT("$id"), DROP, { 0 } },
    { STR_INIT("$comment"), DROP, { 0 } },
    { STR_INIT("$anchor"), DROP, { 0 } },
    { STR_INIT("deprecated"), DROP, { 0 } },
    { STR_INIT("readOnly"), DROP, { 0 } },
    { STR_INIT("writeOnly"), DROP, { 0 } },
    { STR_INIT("examples"), DROP, { 0 } },
    { STR_INIT("other"), CUT, { 0 } },
};

#define KEYWORDS (sizeof keywords / sizeof keywords[0])
_Static_assert(KEYWORDS <= 64, "a bit a keyword");

/* Of what is moved into one description. */
#define NOTE_MAX_BYTES 1024

const char *schema_cut_name(size_t i)
{
    return i < KEYWORDS ? keywords[i].name.p : NULL;
}

/* `raw` is a name between its quotes. */
static bool name_is(struct str raw, struct str plain)
{
    return json_str_eq(str_of(raw.p - 1, raw.len + 2), plain);
}

static size_t keyword_of(struct str raw_name)
{
    for (size_t i = 0; i < KEYWORDS - 1; i++)
        if (name_is(raw_name, keywords[i].name))
            return i;
    return KEYWORDS - 1;
}

struct reduction {
    struct buf *out;
    struct arena *a;
    schema_cuts cuts;
    struct schema_merge merge;
};

static void reduce(struct reduction *r, struct str schema);

static bool format_is_known(struct str value)
{
    static const struct str known[] = {
        STR_INIT("date-time"), STR_INIT("time"),     STR_INIT("date"), STR_INIT("duration"),
        STR_INIT("email"),     STR_INIT("hostname"), STR_INIT("uri"),  STR_INIT("ipv4"),
        STR_INIT("ipv6"),      STR_INIT("uuid"),
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (json_str_eq(value, known[i]))
            return true;
    return false;
}

/* Groups that look around, and references back, have no grammar. */
static bool pattern_is_simple(struct str value, struct arena *a)
{
    struct str p = json_unescape(value, a);
    for (size_t i = 0; i + 1 < p.len; i++) {
        if (p.p[i] == '(' && p.p[i + 1] == '?' && (i + 2 >= p.len || p.p[i + 2] != ':'))
            return false;
        if (p.p[i] != '\\')
            continue;
        char c = p.p[++i];
        if ((c >= '1' && c <= '9') || c == 'b' || c == 'B' || c == 'k')
            return false;
    }
    return true;
}

static bool scalars_only(struct str value)
{
    struct json_iter it = json_iter(value);
    while (json_next(&it))
        if (it.type == JSON_OBJECT || it.type == JSON_ARRAY)
            return false;
    return true;
}

static bool survives(const struct reduction *r, enum treat treat, const struct json_iter *it)
{
    uint64_t n;
    switch (treat) {
    case CUT: return false;
    case FORMAT: return format_is_known(it->value);
    case MIN_ITEMS: return json_u64(it->value, &n) && n <= 1;
    case PATTERN: return it->type == JSON_STRING && pattern_is_simple(it->value, r->a);
    case SCALARS: return it->type == JSON_ARRAY && scalars_only(it->value);
    case REFER: return it->type == JSON_STRING && str_starts(it->value, STR("\"#"));
    case CLOSE: return it->type == JSON_FALSE;
    case SCHEMA: return it->type == JSON_OBJECT;
    case SCHEMAS: return it->type == JSON_ARRAY;
    case ALL_OF: return it->type == JSON_ARRAY && !schema_refers(it->value);
    case NAMED: return it->type == JSON_OBJECT;
    case KEEP:
    case DROP:
    case DESCRIBE: return true;
    }
    return false;
}

static void put_name(struct buf *out, bool *first, struct str raw_name)
{
    if (!*first)
        buf_putc(out, ',');
    *first = false;
    buf_putc(out, '"');
    buf_put(out, raw_name);
    buf_put(out, STR("\":"));
}

static void put_members(struct reduction *r, struct str value, bool named)
{
    struct json_iter it = json_iter(value);
    bool first = true;
    buf_putc(r->out, named ? '{' : '[');
    while (json_next(&it)) {
        if (named)
            put_name(r->out, &first, it.name);
        else if (!first)
            buf_putc(r->out, ',');
        first = false;
        reduce(r, it.value);
    }
    buf_putc(r->out, named ? '}' : ']');
}

static void put_ref(struct buf *out, struct str value)
{
    static const struct str old = STR_INIT("\"#/definitions/");
    if (str_starts(value, old)) {
        buf_put(out, STR("\"#/$defs/"));
        value = str_skip(value, old.len);
    }
    buf_put(out, value);
}

/* Texts of what was cut, in the form that the SDK's helper uses: {minimum: 1, maximum: 5}. */
static void note(struct reduction *r, struct buf *notes, const struct json_iter *it, size_t k)
{
    r->cuts |= (schema_cuts)1 << k;
    if (notes->len + it->name.len + it->value.len + 4 > NOTE_MAX_BYTES)
        return;
    buf_put(notes, notes->len ? STR(", ") : STR("{"));
    buf_put(notes, json_unescape(str_of(it->name.p - 1, it->name.len + 2), r->a));
    buf_put(notes, STR(": "));
    buf_put(notes, it->value);
}

static void put_description(struct reduction *r, bool *first, struct str description,
                            struct buf *notes)
{
    struct str plain = json_unescape(description, r->a);
    struct buf text;
    if (!description.len && !notes->len)
        return;
    put_name(r->out, first, STR("description"));
    if (!notes->len) {
        buf_put(r->out, description);
        return;
    }
    buf_init(&text, plain.len + notes->len + 8);
    buf_put(&text, plain);
    if (plain.len)
        buf_put(&text, STR("\n\n"));
    buf_put(&text, buf_str(notes));
    buf_putc(&text, '}');
    json_quote(r->out, buf_str(&text));
    buf_done(&text);
}

static bool says_object(struct str type)
{
    struct json_iter it = json_iter(type);
    if (json_str_eq(type, STR("object")))
        return true;
    while (json_next(&it))
        if (json_str_eq(it.value, STR("object")))
            return true;
    return false;
}

/* One keyword that survives. */
static void put_keyword(struct reduction *r, bool *first, const struct keyword *k,
                        const struct json_iter *it)
{
    if (k->treat == DROP || k->treat == DESCRIBE || k->treat == CLOSE)
        return;
    put_name(r->out, first, k->rename.len ? k->rename : it->name);
    switch (k->treat) {
    case SCHEMA: reduce(r, it->value); break;
    case SCHEMAS:
    case ALL_OF: put_members(r, it->value, false); break;
    case NAMED: put_members(r, it->value, true); break;
    case REFER: put_ref(r->out, it->value); break;
    default: buf_put(r->out, it->value); break;
    }
}

/* Without its allOf, where the parts of that go into one. */
static struct str merged(struct reduction *r, struct str schema)
{
    static const struct str all_of = STR_INIT("allOf");
    struct json_member m;
    if (!json_peek_object(schema, &all_of, 1, &m, NULL) || m.type != JSON_ARRAY)
        return schema;
    struct str whole = schema_merge_all(&r->merge, schema);
    return whole.len ? whole : schema;
}

static void reduce(struct reduction *r, struct str schema)
{
    schema = merged(r, schema);
    struct json_iter it = json_iter(schema);
    struct str description = { 0 };
    struct buf notes;
    bool first = true, object = false, typed = false, any_of = false;
    if (json_type_of(schema) != JSON_OBJECT) {
        buf_put(r->out, STR("{}")); /* `true`: anything; `false` cannot be said */
        if (json_type_of(schema) != JSON_TRUE)
            r->cuts |= (schema_cuts)1 << (KEYWORDS - 1);
        return;
    }
    buf_init(&notes, NOTE_MAX_BYTES + 8);
    buf_putc(r->out, '{');
    while (json_next(&it)) {
        size_t i = keyword_of(it.name);
        const struct keyword *k = &keywords[i];
        bool is_any = name_is(it.name, STR("anyOf")) || name_is(it.name, STR("oneOf"));
        if (name_is(it.name, STR("type"))) {
            typed = true;
            object |= says_object(it.value);
        }
        object |= !typed && name_is(it.name, STR("properties"));
        if (k->treat == DESCRIBE && it.type == JSON_STRING)
            description = it.value;
        /* anyOf beside oneOf: the two would get one name. */
        if (!survives(r, k->treat, &it) || (is_any && any_of))
            note(r, &notes, &it, i);
        else
            put_keyword(r, &first, k, &it);
        any_of |= is_any;
    }
    put_description(r, &first, description, &notes);
    if (object) {
        put_name(r->out, &first, STR("additionalProperties"));
        buf_put(r->out, STR("false"));
    }
    buf_putc(r->out, '}');
    buf_done(&notes);
}

struct str schema_for_grammar(struct str schema, struct arena *a, schema_cuts *ret_cuts)
{
    struct buf out;
    struct reduction r = { .out = &out, .a = a, .merge = { .root = schema, .a = a } };
    buf_init(&out, SIZE_MAX / 2);
    reduce(&r, schema);
    struct str small = arena_dup(a, buf_str(&out));
    buf_done(&out);
    *ret_cuts = r.cuts;
    return small;
}

/* -- recursion: definitions as a graph of their references */

struct def {
    struct str pointer; /* "#/$defs/x", plain */
    struct str value;
    enum { NEW, OPEN, CLOSED } state;
};

struct graph {
    struct def *defs;
    size_t count;
    struct arena *a;
};

static bool visit_refs(struct graph *g, struct str value);

static bool visit(struct graph *g, struct str pointer)
{
    for (size_t i = 0; i < g->count; i++) {
        struct def *d = &g->defs[i];
        if (!str_eq(d->pointer, pointer))
            continue;
        if (d->state == OPEN)
            return true;
        if (d->state == CLOSED)
            return false;
        d->state = OPEN;
        bool cycle = visit_refs(g, d->value);
        d->state = CLOSED;
        return cycle;
    }
    return false;
}

/* True when a cycle is reached from `value`. */
static bool visit_refs(struct graph *g, struct str value)
{
    struct json_iter it = json_iter(value);
    while (json_next(&it)) {
        if (it.type == JSON_STRING && it.member.name_at != it.member.value_at &&
            name_is(it.name, STR("$ref"))) {
            if (visit(g, json_unescape(it.value, g->a)))
                return true;
        } else if ((it.type == JSON_OBJECT || it.type == JSON_ARRAY) && visit_refs(g, it.value)) {
            return true;
        }
    }
    return false;
}

static void add_defs(struct graph *g, struct str container, const char *prefix, size_t room)
{
    struct json_iter it = json_iter(container);
    while (json_next(&it) && g->count < room) {
        struct str name = json_unescape(str_of(it.name.p - 1, it.name.len + 2), g->a);
        g->defs[g->count++] =
            (struct def){ .pointer = arena_printf(g->a, "%s%.*s", prefix, STR_ARG(name)),
                          .value = it.value };
    }
}

static size_t count_members(struct str container)
{
    struct json_iter it = json_iter(container);
    size_t n = 0;
    while (json_next(&it))
        n++;
    return n;
}

bool schema_is_recursive(struct str schema, struct arena *a)
{
    static const struct str names[] = { STR_INIT("$defs"), STR_INIT("definitions") };
    struct json_member m[2];
    if (!json_peek_object(schema, names, 2, m, NULL))
        return false;
    struct str defs = json_value(schema, &m[0]), old = json_value(schema, &m[1]);
    size_t room = count_members(defs) + count_members(old) + 1;
    struct graph g = { .defs = ARENA_ARRAY(a, struct def, room), .a = a };
    g.defs[g.count++] = (struct def){ .pointer = STR("#"), .value = schema };
    add_defs(&g, defs, "#/$defs/", room);
    add_defs(&g, old, "#/definitions/", room);
    return visit(&g, STR("#"));
}

bool schema_root_is_object(struct str schema)
{
    static const struct str names[] = { STR_INIT("type") };
    struct json_member m[1];
    if (!json_peek_object(schema, names, 1, m, NULL))
        return false;
    return m[0].type == JSON_ABSENT || json_str_eq(json_value(schema, &m[0]), STR("object"));
}

const char *schema_root_union(struct str schema)
{
    static const struct str names[] = { STR_INIT("oneOf"), STR_INIT("anyOf"), STR_INIT("allOf") };
    struct json_member m[3];
    if (!json_peek_object(schema, names, 3, m, NULL))
        return NULL;
    for (size_t i = 0; i < 3; i++)
        if (m[i].type != JSON_ABSENT)
            return names[i].p;
    return NULL;
}
