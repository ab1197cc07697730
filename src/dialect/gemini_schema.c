/* JSON Schema in the two forms that Gemini takes (Gemini API docs, "Structured output", and the
 * `Schema` type of the API reference, August 2026).
 *
 * SCHEMA_JSON keeps references and definitions; SCHEMA_OPENAPI has none, so that they are inlined.
 * Constraints without a home move into the description, where the model still reads them. */
#include "dialect/gemini_schema_priv.h"

#define DEPTH_MAX 100
#define NOTE_MAX_BYTES 1024

const struct str gs_names[K_COUNT] = {
#define K(id, name) [K_##id] = STR_INIT(name),
    KEYWORDS(K)
#undef K
};

/* No constraint on the value: left out without a word. */
static const struct str silent[] = {
    STR_INIT("$schema"),  STR_INIT("$comment"), STR_INIT("$id"),        STR_INIT("$anchor"),
    STR_INIT("readOnly"), STR_INIT("example"),  STR_INIT("deprecated"), STR_INIT("writeOnly"),
    STR_INIT("examples"), STR_INIT("strict"),
};
/* Said by name when they are cut; the rest is "other". */
static const struct str spoken[] = {
    STR_INIT("patternProperties"),
    STR_INIT("propertyNames"),
    STR_INIT("not"),
    STR_INIT("if"),
    STR_INIT("then"),
    STR_INIT("else"),
    STR_INIT("dependentRequired"),
    STR_INIT("dependentSchemas"),
    STR_INIT("uniqueItems"),
    STR_INIT("multipleOf"),
    STR_INIT("contains"),
    STR_INIT("unevaluatedProperties"),
};

void gs_cut(struct reduction *r, const char *name)
{
    struct gemini_cuts *c = r->cuts;
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->names[i], name) == 0)
            return;
    if (c->count < COUNT(c->names))
        c->names[c->count++] = name;
}

struct str gs_quoted(struct str raw_name)
{
    return str_of(raw_name.p - 1, raw_name.len + 2);
}

static const char *cut_name(struct str raw_name)
{
    for (size_t i = 0; i < COUNT(spoken); i++)
        if (json_str_eq(gs_quoted(raw_name), spoken[i]))
            return spoken[i].p;
    return "other";
}

/* In the form that OpenAI's and Anthropic's helpers use: {minimum: 1, maximum: 5}. */
static void note(struct reduction *r, struct fields *f, struct str name, struct str value)
{
    struct buf *n = &f->notes;
    if (n->len + name.len + value.len + 4 > NOTE_MAX_BYTES)
        return;
    buf_put(n, n->len ? STR(", ") : STR("{"));
    buf_put(n, name);
    buf_put(n, STR(": "));
    buf_put(n, gemini_compact(value, r->a));
}

void gs_cut_keyword(struct reduction *r, struct fields *f, enum keyword k)
{
    if (f->v[k].len == 0)
        return;
    gs_cut(r, gs_names[k].p);
    note(r, f, gs_names[k], f->v[k]);
    f->v[k] = str_of(NULL, 0);
}

static bool is_silent(struct str raw_name)
{
    for (size_t i = 0; i < COUNT(silent); i++)
        if (json_str_eq(gs_quoted(raw_name), silent[i]))
            return true;
    return str_starts(raw_name, STR("x-"));
}

static void take_apart(struct reduction *r, struct str schema, struct fields *f)
{
    struct json_iter it = json_iter(schema);
    *f = (struct fields){ .first = true };
    buf_init(&f->notes, NOTE_MAX_BYTES + 8);
    while (json_next(&it)) {
        size_t k = 0;
        while (k < K_COUNT && !json_str_eq(gs_quoted(it.name), gs_names[k]))
            k++;
        if (k < K_COUNT) {
            f->v[k] = it.value;
        } else if (!is_silent(it.name)) {
            gs_cut(r, cut_name(it.name));
            note(r, f, it.name, it.value);
        }
    }
}

/* -- references */

/* "#/a/b~1c" in the root; empty: nothing is there. */
struct str gs_resolve(struct reduction *r, struct str pointer)
{
    struct str at = r->root, rest = pointer;
    if (!str_starts(pointer, STR("#")))
        return str_of(NULL, 0);
    rest = str_skip(rest, 1);
    while (rest.len) {
        if (rest.p[0] != '/')
            return str_of(NULL, 0);
        rest = str_skip(rest, 1);
        size_t end = str_find_char(rest, '/');
        struct str step = str_head(rest, end == STR_NONE ? rest.len : end);
        rest = str_skip(rest, step.len);
        char *p = arena_alloc(r->a, step.len + 1);
        size_t n = 0;
        for (size_t i = 0; i < step.len; i++) {
            bool escape = step.p[i] == '~' && i + 1 < step.len;
            p[n++] = (char)(!escape ? step.p[i] : step.p[++i] == '1' ? '/' : '~');
        }
        struct json_iter it = json_iter(at);
        bool found = false;
        for (uint64_t i = 0, want = 0; json_next(&it); i++) {
            bool here = json_type_of(at) == JSON_OBJECT
                            ? json_str_eq(gs_quoted(it.name), str_of(p, n))
                            : str_u64(str_of(p, n), &want) && want == i;
            if (here) {
                at = it.value;
                found = true;
                break;
            }
        }
        if (!found)
            return str_of(NULL, 0);
    }
    return at;
}

static bool is_open(const struct reduction *r, struct str pointer)
{
    for (const struct frame_ref *f = r->open; f; f = f->up)
        if (str_eq(f->pointer, pointer))
            return true;
    return false;
}

/* -- writing */

void gs_put_name(struct reduction *r, struct fields *f, const char *name)
{
    buf_putz(r->out, f->first ? "\"" : ",\"");
    f->first = false;
    buf_putz(r->out, name);
    buf_put(r->out, STR("\":"));
}

void gs_put(struct reduction *r, struct fields *f, enum keyword k)
{
    if (f->v[k].len == 0)
        return;
    gs_put_name(r, f, gs_names[k].p);
    buf_put(r->out, f->v[k]);
}

void gs_put_description(struct reduction *r, struct fields *f)
{
    struct str plain = json_unescape(f->v[K_DESCRIPTION], r->a);
    if (json_type_of(f->v[K_DESCRIPTION]) != JSON_STRING)
        plain = str_of(NULL, 0);
    if (plain.len == 0 && f->notes.len == 0)
        return;
    gs_put_name(r, f, "description");
    if (f->notes.len == 0)
        json_quote(r->out, plain);
    else
        json_quote(r->out, arena_printf(r->a, "%.*s%s%.*s}", STR_ARG(plain),
                                        plain.len ? "\n\n" : "", STR_ARG(buf_str(&f->notes))));
}

void gs_put_schemas(struct reduction *r, struct str array)
{
    struct json_iter it = json_iter(array);
    bool first = true;
    buf_putc(r->out, '[');
    while (json_next(&it)) {
        if (!first)
            buf_putc(r->out, ',');
        first = false;
        gs_reduce(r, it.value, str_of(NULL, 0));
    }
    buf_putc(r->out, ']');
}

void gs_put_named(struct reduction *r, struct str object, bool *first)
{
    struct json_iter it = json_iter(json_type_of(object) == JSON_OBJECT ? object : STR("{}"));
    while (json_next(&it)) {
        if (!*first)
            buf_putc(r->out, ',');
        *first = false;
        buf_put(r->out, gs_quoted(it.name));
        buf_putc(r->out, ':');
        gs_reduce(r, it.value, str_of(NULL, 0));
    }
}

void gs_put_properties(struct reduction *r, struct fields *f)
{
    bool first = true;
    if (json_type_of(f->v[K_PROPERTIES]) != JSON_OBJECT)
        return;
    gs_put_name(r, f, "properties");
    buf_putc(r->out, '{');
    gs_put_named(r, f->v[K_PROPERTIES], &first);
    buf_putc(r->out, '}');
}

static bool has_property(struct str properties, struct str literal, struct arena *a)
{
    struct str plain = json_unescape(literal, a);
    struct json_iter it = json_iter(properties);
    while (json_next(&it))
        if (json_str_eq(gs_quoted(it.name), plain))
            return true;
    return false;
}

/* Names that are no property are a 400 there. */
void gs_put_required(struct reduction *r, struct fields *f)
{
    struct json_iter it = json_iter(f->v[K_REQUIRED]);
    bool first = true;
    if (json_type_of(f->v[K_REQUIRED]) != JSON_ARRAY)
        return;
    while (json_next(&it)) {
        if (it.type != JSON_STRING || !has_property(f->v[K_PROPERTIES], it.value, r->a))
            continue;
        if (first)
            gs_put_name(r, f, "required");
        buf_putc(r->out, first ? '[' : ',');
        first = false;
        buf_put(r->out, it.value);
    }
    if (!first)
        buf_putc(r->out, ']');
}

/* -- the walk */

/* A reference in SCHEMA_JSON stands alone, or as the one branch of an anyOf beside a description. */
static bool keep_ref(struct reduction *r, struct fields *f, struct str pointer)
{
    static const struct str prefixes[] = { STR_INIT("#/$defs/"), STR_INIT("#/definitions/") };
    bool kept = str_eq(pointer, STR("#"));
    for (size_t i = 0; i < COUNT(prefixes); i++)
        kept |= str_starts(pointer, prefixes[i]) &&
                str_find_char(str_skip(pointer, prefixes[i].len), '/') == STR_NONE;
    if (!kept || r->form != SCHEMA_JSON)
        return false;
    if (f->v[K_DESCRIPTION].len || f->notes.len) {
        gs_put_description(r, f);
        gs_put_name(r, f, "anyOf");
        buf_put(r->out, STR("[{"));
        f->first = true;
        gs_put_ref(r, f, pointer);
        buf_put(r->out, STR("}]"));
        f->first = false;
    } else {
        gs_put_ref(r, f, pointer);
    }
    gs_put_defs(r, f);
    return true;
}

/* True when the reference was written in place of the schema. */
static bool follow_ref(struct reduction *r, struct fields *f)
{
    struct str pointer = json_unescape(f->v[K_REF], r->a);
    if (json_type_of(f->v[K_REF]) != JSON_STRING)
        return false;
    struct str target = gs_resolve(r, pointer);
    if (target.len == 0) {
        r->why = "has a $ref that points to nothing inside the schema";
        return false;
    }
    buf_putc(r->out, '{');
    bool kept = keep_ref(r, f, pointer);
    if (!kept && is_open(r, pointer)) {
        gs_cut(r, "ref"); /* a cycle ends in any object */
        gs_put_name(r, f, "type");
        buf_put(r->out, r->form == SCHEMA_JSON ? STR("\"object\"") : STR("\"OBJECT\""));
        gs_put_description(r, f);
        kept = true;
    }
    if (kept) {
        buf_putc(r->out, '}');
        return true;
    }
    r->out->len--; /* the target brings its own brace */
    struct frame_ref frame = { r->open, pointer };
    r->open = &frame;
    gs_reduce(r, target, f->v[K_DESCRIPTION]);
    r->open = frame.up;
    return true;
}

/* `description` replaces the schema's own: what stood beside a reference to it. */
static void reduce_object(struct reduction *r, struct str schema, struct str description)
{
    struct fields f;
    take_apart(r, schema, &f);
    if (json_type_of(f.v[K_ALL_OF]) == JSON_ARRAY) {
        schema = gs_flatten(r, schema);
        buf_done(&f.notes);
        take_apart(r, schema, &f);
    }
    if (description.len)
        f.v[K_DESCRIPTION] = description;
    if (follow_ref(r, &f) || r->why) {
        buf_done(&f.notes);
        return;
    }
    if (r->nullable)
        f.v[K_NULLABLE] = STR("true");
    r->nullable = false;
    if (f.v[K_ANY_OF].len && f.v[K_ONE_OF].len)
        gs_cut_keyword(r, &f, K_ONE_OF);
    if (f.v[K_ONE_OF].len)
        f.v[K_ANY_OF] = f.v[K_ONE_OF];
    gs_close_bound(r, &f, K_ABOVE, K_MINIMUM, 1);
    gs_close_bound(r, &f, K_BELOW, K_MAXIMUM, -1);
    gs_mend_enum(r, &f);
    buf_putc(r->out, '{');
    if (r->form == SCHEMA_JSON)
        gs_put_json_form(r, &f);
    else
        gs_put_openapi_form(r, &f);
    buf_putc(r->out, '}');
    buf_done(&f.notes);
}

void gs_reduce(struct reduction *r, struct str schema, struct str description)
{
    if (r->why)
        return;
    if (++r->schemas > SCHEMAS_MAX || r->out->fail) {
        r->why = "is too large once its references are inlined";
        return;
    }
    if (++r->depth > DEPTH_MAX) {
        r->why = "is nested too deeply once its references are inlined";
        return;
    }
    if (json_type_of(schema) == JSON_OBJECT) {
        reduce_object(r, schema, description);
    } else {
        if (json_type_of(schema) != JSON_TRUE)
            gs_cut(r, "other"); /* `false`: nothing at all cannot be said */
        buf_put(r->out, r->form == SCHEMA_JSON ? STR("{}") : STR("{\"type\":\"OBJECT\"}"));
    }
    r->depth--;
}

enum err gemini_schema(struct str schema, enum gemini_schema_form form, struct arena *a,
                       struct str *ret_schema, struct gemini_cuts *ret_cuts, const char **ret_why)
{
    struct buf out;
    struct gemini_cuts cuts = { 0 };
    buf_init(&out, 4 * MIB);
    struct reduction r = { .out = &out, .a = a, .form = form, .root = schema, .cuts = &cuts };
    gs_reduce(&r, schema, str_of(NULL, 0));
    if (!r.why && out.fail)
        r.why = "is too large once its references are inlined";
    if (!r.why) {
        *ret_schema = gemini_compact(buf_str(&out), a);
        *ret_cuts = cuts;
    }
    buf_done(&out);
    *ret_why = r.why;
    return r.why ? ERR_BAD_REQUEST : ERR_OK;
}

bool gemini_schema_is_empty(struct str schema)
{
    static const struct str any[] = { STR_INIT("properties"), STR_INIT("anyOf"),
                                      STR_INIT("oneOf"),      STR_INIT("allOf"),
                                      STR_INIT("$ref"),       STR_INIT("additionalProperties") };
    struct json_member m[COUNT(any)];
    if (!json_peek_object(schema, any, COUNT(any), m, NULL))
        return true;
    struct json_iter it = json_iter(json_value(schema, &m[0]));
    if (json_next(&it))
        return false;
    for (size_t i = 1; i < COUNT(any); i++)
        if (m[i].type != JSON_ABSENT && m[i].type != JSON_FALSE && m[i].type != JSON_TRUE)
            return false;
    return true;
}
