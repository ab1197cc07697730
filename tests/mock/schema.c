#include "mock/schema.h"

#include "base/buf.h"
#include "base/mem.h"
#include "mock/reply.h"

#include <stdlib.h>

/* Deeper than this (a schema that refers to itself), arrays are empty and alternatives null where they may be. */
#define DEEP 6
#define DEEPEST 32

struct maker {
    yyjson_val *root;
    struct buf *out;
    unsigned depth;
};

static void make(struct maker *m, yyjson_val *schema);

static yyjson_val *resolve(struct maker *m, yyjson_val *schema)
{
    for (int hops = 0; hops < 16; hops++) {
        const char *ref = yyjson_get_str(yyjson_obj_get(schema, "$ref"));
        if (!ref || ref[0] != '#')
            return schema;
        schema = ref[1] ? yyjson_ptr_get(m->root, ref + 1) : m->root;
    }
    return NULL;
}

static void put_value(struct maker *m, yyjson_val *v)
{
    size_t n;
    char *text = yyjson_val_write(v, 0, &n);
    if (text)
        buf_put(m->out, str_of(text, n));
    free(text); /* check-banned: yyjson allocated it */
}

static void make_object(struct maker *m, yyjson_val *schema)
{
    yyjson_obj_iter it = yyjson_obj_iter_with(yyjson_obj_get(schema, "properties"));
    bool first = true;
    buf_putc(m->out, '{');
    for (yyjson_val *name; (name = yyjson_obj_iter_next(&it));) {
        if (!first)
            buf_putc(m->out, ',');
        first = false;
        put_json(m->out, str_of(yyjson_get_str(name), yyjson_get_len(name)));
        buf_putc(m->out, ':');
        make(m, yyjson_obj_iter_get_val(name));
    }
    buf_putc(m->out, '}');
}

static void make_array(struct maker *m, yyjson_val *schema)
{
    uint64_t n = yyjson_get_uint(yyjson_obj_get(schema, "minItems"));
    if (n == 0 && m->depth < DEEP)
        n = 1;
    buf_putc(m->out, '[');
    for (uint64_t i = 0; i < n && i < 16; i++) {
        if (i > 0)
            buf_putc(m->out, ',');
        make(m, yyjson_obj_get(schema, "items"));
    }
    buf_putc(m->out, ']');
}

static void make_string(struct maker *m, yyjson_val *schema)
{
    static const char *const formats[][2] = {
        { "date-time", "2026-11-22T13:00:00Z" },
        { "date", "2026-11-22" },
        { "time", "13:00:00Z" },
        { "duration", "P1D" },
        { "email", "a@example.com" },
        { "hostname", "example.com" },
        { "ipv4", "192.0.2.1" },
        { "ipv6", "2001:db8::1" },
        { "uuid", "6b0f2a3e-0c53-4d53-9a55-0d8a3c1f7b10" },
    };
    yyjson_val *format = yyjson_obj_get(schema, "format");
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        if (yyjson_equals_str(format, formats[i][0])) {
            put_json(m->out, str_c(formats[i][1]));
            return;
        }
    put_json(m->out, STR("text"));
}

/* 1 where that is allowed, else the least value. */
static void make_number(struct maker *m, yyjson_val *schema)
{
    yyjson_val *least = yyjson_obj_get(schema, "minimum"),
               *most = yyjson_obj_get(schema, "maximum");
    yyjson_val *above = yyjson_obj_get(schema, "exclusiveMinimum");
    if (yyjson_is_num(least) && yyjson_get_num(least) > 1)
        put_value(m, least);
    else if (yyjson_is_num(above) && yyjson_get_num(above) >= 1)
        buf_printf(m->out, "%lld", (long long)yyjson_get_num(above) + 1);
    else if (yyjson_is_num(most) && yyjson_get_num(most) < 1)
        put_value(m, most);
    else
        buf_putc(m->out, '1');
}

/* Google writes types in capitals. */
static bool type_is(yyjson_val *type, const char *name)
{
    return yyjson_is_str(type) &&
           str_eq_nocase(str_of(yyjson_get_str(type), yyjson_get_len(type)), str_c(name));
}

static void make_type(struct maker *m, yyjson_val *schema, yyjson_val *type)
{
    if (yyjson_is_arr(type))
        type = yyjson_arr_get_first(type);
    if (type_is(type, "object") || yyjson_obj_get(schema, "properties"))
        make_object(m, schema);
    else if (type_is(type, "array"))
        make_array(m, schema);
    else if (type_is(type, "integer") || type_is(type, "number"))
        make_number(m, schema);
    else if (type_is(type, "boolean"))
        buf_putz(m->out, "true");
    else if (type_is(type, "null"))
        buf_putz(m->out, "null");
    else
        make_string(m, schema);
}

static void make(struct maker *m, yyjson_val *schema)
{
    schema = resolve(m, schema);
    yyjson_val *any = yyjson_obj_get(schema, "anyOf");
    yyjson_val *one = yyjson_obj_get(schema, "const");
    yyjson_val *enumeration = yyjson_obj_get(schema, "enum");
    if (m->depth >= DEEPEST) {
        buf_putz(m->out, "null");
        return;
    }
    m->depth++;
    if (one)
        put_value(m, one);
    else if (yyjson_arr_size(enumeration) > 0)
        put_value(m, yyjson_arr_get_first(enumeration));
    else if (yyjson_arr_size(any) > 0)
        make(m, m->depth < DEEP ? yyjson_arr_get_first(any) : yyjson_arr_get_last(any));
    else
        make_type(m, schema, yyjson_obj_get(schema, "type"));
    m->depth--;
}

struct str schema_instance(yyjson_val *schema, struct arena *a)
{
    struct buf out;
    struct maker m = { schema, &out, 0 };
    buf_init(&out, MIB);
    if (yyjson_is_obj(schema))
        make(&m, schema);
    else
        buf_putz(&out, "{}");
    struct str text = arena_dup(a, buf_str(&out));
    buf_done(&out);
    return text;
}
