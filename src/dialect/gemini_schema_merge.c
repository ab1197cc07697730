/* allOf: no form of Gemini has it, so that its parts are merged into the schema around them. */
#include "dialect/gemini_schema_priv.h"

#define MERGE_DEPTH_MAX 16

struct merged {
    struct reduction *r;
    struct str name[64], value[64]; /* name: raw; all but the two below */
    size_t count;
    struct buf properties, required;
    bool has_properties, has_required, clash;
};

static void append_inside(struct buf *out, struct str value)
{
    struct str inside = str_trim(str_of(value.p + 1, value.len - 2));
    if (inside.len == 0)
        return;
    if (out->len)
        buf_putc(out, ',');
    buf_put(out, inside);
}

static void merge_member(struct merged *m, const struct json_iter *it)
{
    for (size_t i = 0; i < m->count; i++) {
        if (!str_eq(m->name[i], it->name))
            continue;
        m->clash |= !str_eq(m->value[i], it->value) &&
                    !json_str_eq(gs_quoted(it->name), STR("description")) &&
                    !json_str_eq(gs_quoted(it->name), STR("title"));
        return;
    }
    if (m->count == COUNT(m->name)) {
        m->clash = true;
        return;
    }
    m->name[m->count] = it->name;
    m->value[m->count++] = it->value;
}

static void merge(struct merged *m, struct str schema, unsigned depth)
{
    struct json_iter it = json_iter(json_type_of(schema) == JSON_OBJECT ? schema : STR("{}"));
    struct str all = { 0 }, ref = { 0 };
    if (depth > MERGE_DEPTH_MAX || ++m->r->schemas > SCHEMAS_MAX) {
        m->clash = true;
        return;
    }
    while (json_next(&it)) {
        struct str name = gs_quoted(it.name);
        if (json_str_eq(name, STR("allOf")) && it.type == JSON_ARRAY) {
            all = it.value;
        } else if (json_str_eq(name, STR("$ref")) && it.type == JSON_STRING && depth > 0) {
            ref = it.value;
        } else if (json_str_eq(name, STR("properties")) && it.type == JSON_OBJECT) {
            append_inside(&m->properties, it.value);
            m->has_properties = true;
        } else if (json_str_eq(name, STR("required")) && it.type == JSON_ARRAY) {
            append_inside(&m->required, it.value);
            m->has_required = true;
        } else {
            merge_member(m, &it);
        }
    }
    it = json_iter(all);
    while (json_next(&it))
        merge(m, it.value, depth + 1);
    if (ref.len) {
        struct str target = gs_resolve(m->r, json_unescape(ref, m->r->a));
        if (target.len == 0)
            m->r->why = "has a $ref that points to nothing inside the schema";
        merge(m, target, depth + 1);
    }
}

/* The schema with its allOf merged into it. */
struct str gs_flatten(struct reduction *r, struct str schema)
{
    struct merged m = { .r = r };
    struct buf out;
    buf_init(&m.properties, 4 * MIB);
    buf_init(&m.required, MIB);
    buf_init(&out, 8 * MIB);
    merge(&m, schema, 0);
    buf_putc(&out, '{');
    for (size_t i = 0; i < m.count; i++) {
        if (i)
            buf_putc(&out, ',');
        buf_put(&out, gs_quoted(m.name[i]));
        buf_putc(&out, ':');
        buf_put(&out, m.value[i]);
    }
    const char *comma = m.count ? "," : "";
    if (m.has_properties) {
        buf_printf(&out, "%s\"properties\":{", comma);
        buf_put(&out, buf_str(&m.properties));
        buf_putc(&out, '}');
        comma = ",";
    }
    if (m.has_required) {
        buf_printf(&out, "%s\"required\":[", comma);
        buf_put(&out, buf_str(&m.required));
        buf_putc(&out, ']');
    }
    buf_putc(&out, '}');
    if (m.clash)
        gs_cut(r, "allOf");
    if (out.fail || m.properties.fail || m.required.fail)
        r->why = "is too large once its allOf parts are merged";
    struct str flat = r->why ? STR("{}") : arena_dup(r->a, buf_str(&out));
    buf_done(&m.properties);
    buf_done(&m.required);
    buf_done(&out);
    return flat;
}
