/* One schema in the form that is asked for: JSON Schema less what Gemini does not know, or the
 * `Schema` type of the API reference, August 2026. */
#include "dialect/gemini_schema_priv.h"

/* -- one schema */

/* "exclusiveMinimum": 3 of integers is "minimum": 4. */
void gs_close_bound(struct reduction *r, struct fields *f, enum keyword open, enum keyword closed,
                    int step)
{
    int64_t n;
    if (f->v[open].len == 0)
        return;
    if (f->v[closed].len || !json_str_eq(f->v[K_TYPE], STR("integer")) ||
        !str_i64(f->v[open], &n) || n <= INT64_MIN + 1 || n >= INT64_MAX - 1) {
        gs_cut_keyword(r, f, open);
        return;
    }
    f->v[closed] = arena_printf(r->a, "%lld", (long long)n + step);
    f->v[open] = str_of(NULL, 0);
}

struct enum_kinds {
    size_t strings, numbers, booleans, arrays, objects, nulls;
};

static struct enum_kinds kinds_of(struct str array)
{
    struct enum_kinds k = { 0 };
    struct json_iter it = json_iter(array);
    while (json_next(&it)) {
        k.strings += it.type == JSON_STRING;
        k.numbers += it.type == JSON_NUMBER;
        k.booleans += it.type == JSON_TRUE || it.type == JSON_FALSE;
        k.arrays += it.type == JSON_ARRAY;
        k.objects += it.type == JSON_OBJECT;
        k.nulls += it.type == JSON_NULL;
    }
    return k;
}

/* Without what stands for null: among values null itself, among types its name. */
static struct str without_null(struct str array, bool types, struct arena *a)
{
    struct json_iter it = json_iter(array);
    char *p = arena_alloc(a, array.len + 2);
    size_t n = 0;
    while (json_next(&it)) {
        if (types ? json_str_eq(it.value, STR("null")) : it.type == JSON_NULL)
            continue;
        p[n] = n ? ',' : '[';
        memcpy(p + n + 1, it.value.p, it.value.len);
        n += 1 + it.value.len;
    }
    if (n == 0)
        p[n++] = '[';
    p[n++] = ']';
    return str_of(p, n);
}

static bool admits_null(const struct fields *f)
{
    struct json_iter it = json_iter(f->v[K_TYPE]);
    if (f->v[K_TYPE].len == 0 || json_type_of(f->v[K_NULLABLE]) == JSON_TRUE)
        return true;
    while (json_next(&it))
        if (json_str_eq(it.value, STR("null")))
            return true;
    return false;
}

/* The types of an enum's values, where none is said. */
static struct str types_of(const struct enum_kinds *k, struct arena *a)
{
    struct str list = arena_printf(a, "%s%s%s%s%s%s", k->strings ? ",\"string\"" : "",
                                   k->numbers ? ",\"number\"" : "",
                                   k->booleans ? ",\"boolean\"" : "", k->arrays ? ",\"array\"" : "",
                                   k->objects ? ",\"object\"" : "", k->nulls ? ",\"null\"" : "");
    return arena_printf(a, "[%.*s]", STR_ARG(str_skip(list, 1)));
}

/* A schema that takes null beside the values of its enum. */
static void take_null(struct reduction *r, struct fields *f)
{
    if (r->form == SCHEMA_OPENAPI) {
        f->v[K_NULLABLE] = STR("true");
        return;
    }
    f->or_null = true;
    f->v[K_NULLABLE] = str_of(NULL, 0);
    if (json_type_of(f->v[K_TYPE]) == JSON_ARRAY)
        f->v[K_TYPE] = without_null(f->v[K_TYPE], true, r->a);
    struct json_iter it = json_iter(f->v[K_TYPE]);
    struct str only = json_next(&it) ? it.value : str_of(NULL, 0);
    if (only.len && !json_next(&it))
        f->v[K_TYPE] = only;
}

/* A constant is an enum of one. */
static void mend_const(struct reduction *r, struct fields *f)
{
    enum json_type type = json_type_of(f->v[K_CONST]);
    if (type == JSON_STRING || (type == JSON_NUMBER && r->form == SCHEMA_JSON)) {
        f->v[K_ENUM] = arena_printf(r->a, "[%.*s]", STR_ARG(f->v[K_CONST]));
    } else if (type != JSON_ABSENT) {
        if (f->v[K_TYPE].len == 0)
            f->v[K_TYPE] = type == JSON_NUMBER                       ? STR("\"number\"")
                           : type == JSON_TRUE || type == JSON_FALSE ? STR("\"boolean\"")
                           : type == JSON_ARRAY                      ? STR("\"array\"")
                           : type == JSON_NULL                       ? STR("\"null\"")
                                                                     : STR("\"object\"");
        gs_cut_keyword(r, f, K_CONST);
    }
}

/* Texts in both forms, numbers too in SCHEMA_JSON; null in neither. */
void gs_mend_enum(struct reduction *r, struct fields *f)
{
    mend_const(r, f);
    if (f->v[K_ENUM].len == 0)
        return;
    struct enum_kinds k = kinds_of(f->v[K_ENUM]);
    size_t others = k.booleans + k.arrays + k.objects;
    bool null = k.nulls && admits_null(f), untyped = f->v[K_TYPE].len == 0;
    if (null && k.strings + k.numbers + others == 0) {
        f->v[K_TYPE] = STR("\"null\"");
        f->v[K_NULLABLE] = f->v[K_ENUM] = str_of(NULL, 0);
        return;
    }
    bool cut = others || (k.numbers && r->form == SCHEMA_OPENAPI) || k.strings + k.numbers == 0;
    if (untyped && r->form == SCHEMA_OPENAPI) /* which has no schema without a type */
        f->v[K_TYPE] = types_of(&k, r->a);
    else if (untyped && k.numbers == 0 && !cut)
        f->v[K_TYPE] = STR("\"string\"");
    else if (untyped && k.numbers && k.strings + others == 0)
        f->v[K_TYPE] = STR("\"number\"");
    if (cut) {
        gs_cut_keyword(r, f, K_ENUM);
        return;
    }
    f->v[K_ENUM] = without_null(f->v[K_ENUM], false, r->a);
    if (null)
        take_null(r, f);
}

static const char *infer_type(const struct fields *f)
{
    if (f->v[K_PROPERTIES].len || f->v[K_ADDITIONAL].len)
        return "object";
    if (f->v[K_ITEMS].len || f->v[K_PREFIX_ITEMS].len)
        return "array";
    return NULL;
}

/* Adds "null" to a type that is one word. */
static void put_type_json(struct reduction *r, struct fields *f)
{
    bool nullable = json_type_of(f->v[K_NULLABLE]) == JSON_TRUE;
    const char *inferred = infer_type(f);
    struct str type = f->v[K_TYPE];
    if (type.len == 0 && inferred && nullable)
        type = arena_printf(r->a, "\"%s\"", inferred);
    if (type.len == 0)
        return;
    gs_put_name(r, f, "type");
    if (nullable && json_type_of(type) == JSON_STRING && !json_str_eq(type, STR("null")))
        buf_printf(r->out, "[%.*s,\"null\"]", STR_ARG(type));
    else
        buf_put(r->out, type);
}

void gs_put_ref(struct reduction *r, struct fields *f, struct str pointer)
{
    static const struct str old = STR_INIT("#/definitions/");
    if (str_starts(pointer, old))
        pointer = arena_printf(r->a, "#/$defs/%.*s", STR_ARG(str_skip(pointer, old.len)));
    gs_put_name(r, f, "$ref");
    json_quote(r->out, pointer);
}

void gs_put_defs(struct reduction *r, struct fields *f)
{
    bool first = true;
    if (f->v[K_DEFS].len == 0 && f->v[K_OLD_DEFS].len == 0)
        return;
    gs_put_name(r, f, "$defs");
    buf_putc(r->out, '{');
    gs_put_named(r, f->v[K_DEFS], &first);
    gs_put_named(r, f->v[K_OLD_DEFS], &first);
    buf_putc(r->out, '}');
}

static void put_items_json(struct reduction *r, struct fields *f)
{
    bool tuple = json_type_of(f->v[K_ITEMS]) == JSON_ARRAY;
    struct str prefix = tuple ? f->v[K_ITEMS] : f->v[K_PREFIX_ITEMS];
    if (json_type_of(prefix) == JSON_ARRAY) {
        gs_put_name(r, f, "prefixItems");
        gs_put_schemas(r, prefix);
    }
    if (!tuple && json_type_of(f->v[K_ITEMS]) == JSON_OBJECT) {
        gs_put_name(r, f, "items");
        gs_reduce(r, f->v[K_ITEMS], str_of(NULL, 0));
    }
}

void gs_put_json_form(struct reduction *r, struct fields *f)
{
    static const enum keyword kept[] = { K_TITLE,     K_FORMAT,  K_ENUM,    K_MIN_ITEMS,
                                         K_MAX_ITEMS, K_MINIMUM, K_MAXIMUM, K_ORDERING };
    static const enum keyword unknown[] = { K_MIN_LENGTH,     K_MAX_LENGTH,     K_PATTERN,
                                            K_MIN_PROPERTIES, K_MAX_PROPERTIES, K_DEFAULT };
    for (size_t i = 0; i < COUNT(unknown); i++)
        gs_cut_keyword(r, f, unknown[i]);
    if (f->or_null) {
        gs_put_description(r, f);
        gs_put_name(r, f, "anyOf");
        buf_put(r->out, STR("[{"));
        f->first = true;
    }
    put_type_json(r, f);
    if (!f->or_null)
        gs_put_description(r, f);
    for (size_t i = 0; i < COUNT(kept); i++)
        gs_put(r, f, kept[i]);
    gs_put_properties(r, f);
    gs_put_required(r, f);
    if (f->v[K_ADDITIONAL].len) {
        gs_put_name(r, f, "additionalProperties");
        if (json_type_of(f->v[K_ADDITIONAL]) == JSON_OBJECT)
            gs_reduce(r, f->v[K_ADDITIONAL], str_of(NULL, 0));
        else
            buf_put(r->out, f->v[K_ADDITIONAL]);
    }
    put_items_json(r, f);
    if (f->v[K_ANY_OF].len) {
        gs_put_name(r, f, "anyOf");
        gs_put_schemas(r, f->v[K_ANY_OF]);
    }
    if (f->or_null) {
        buf_put(r->out, STR("},{\"type\":\"null\"}]"));
        f->first = false;
    }
    gs_put_defs(r, f);
}

/* -- the OpenAPI form */

/* Several types become branches; "null" becomes nullable. The one type that is left, upper case. */
static struct str split_types(struct reduction *r, struct fields *f)
{
    struct json_iter it = json_iter(f->v[K_TYPE]);
    struct str only = { 0 };
    struct buf any;
    size_t n = 0;
    if (json_type_of(f->v[K_TYPE]) == JSON_STRING)
        return f->v[K_TYPE];
    buf_init(&any, 4 * KIB);
    while (json_next(&it)) {
        if (json_str_eq(it.value, STR("null"))) {
            f->v[K_NULLABLE] = STR("true");
            continue;
        }
        only = it.value;
        buf_printf(&any, "%s{\"type\":%.*s}", n++ ? "," : "[", STR_ARG(it.value));
    }
    buf_putc(&any, ']');
    if (n > 1 && f->v[K_ANY_OF].len == 0)
        f->v[K_ANY_OF] = arena_dup(r->a, buf_str(&any));
    buf_done(&any);
    return n == 1 ? only : str_of(NULL, 0);
}

static void put_type_openapi(struct reduction *r, struct fields *f, struct str type)
{
    const char *inferred = infer_type(f);
    struct str word = json_unescape(type, r->a);
    if (word.len == 0)
        word = inferred ? str_c(inferred) : STR("object");
    gs_put_name(r, f, "type");
    buf_putc(r->out, '"');
    for (size_t i = 0; i < word.len && i < 16; i++) {
        char c = ascii_lower(word.p[i]);
        if (c >= 'a' && c <= 'z')
            buf_putc(r->out, (char)(c - 'a' + 'A'));
    }
    buf_putc(r->out, '"');
    f->v[K_TYPE] = str_eq(word, STR("array")) ? STR("\"array\"") : type;
}

static bool format_is_known(struct str format)
{
    static const struct str known[] = { STR_INIT("enum"),  STR_INIT("date-time"),
                                        STR_INIT("float"), STR_INIT("double"),
                                        STR_INIT("int32"), STR_INIT("int64") };
    for (size_t i = 0; i < COUNT(known); i++)
        if (json_str_eq(format, known[i]))
            return true;
    return false;
}

static void put_items_openapi(struct reduction *r, struct fields *f)
{
    bool tuple = json_type_of(f->v[K_ITEMS]) == JSON_ARRAY;
    struct str branches = tuple ? f->v[K_ITEMS] : f->v[K_PREFIX_ITEMS];
    if (!tuple && json_type_of(f->v[K_ITEMS]) == JSON_OBJECT) {
        gs_put_name(r, f, "items");
        gs_reduce(r, f->v[K_ITEMS], str_of(NULL, 0));
    } else if (json_type_of(branches) == JSON_ARRAY) {
        gs_put_name(r, f, "items");
        buf_put(r->out, STR("{\"anyOf\":"));
        gs_put_schemas(r, branches);
        buf_putc(r->out, '}');
    } else if (json_str_eq(f->v[K_TYPE], STR("array"))) {
        gs_put_name(r, f, "items"); /* an ARRAY without items is a 400 */
        buf_put(r->out, STR("{\"type\":\"STRING\"}"));
    }
}

/* The branches without "null"; *ret_only is the last one, *ret_count how many. */
static struct str branches_of(struct reduction *r, struct fields *f, struct str *ret_only,
                              size_t *ret_count)
{
    static const struct str type = STR_INIT("type");
    struct json_iter it = json_iter(f->v[K_ANY_OF]);
    char *p = arena_alloc(r->a, f->v[K_ANY_OF].len + 2);
    size_t n = 0;
    *ret_count = 0;
    while (json_next(&it)) {
        struct json_member m;
        if (json_peek_object(it.value, &type, 1, &m, NULL) &&
            json_str_eq(json_value(it.value, &m), STR("null"))) {
            f->v[K_NULLABLE] = STR("true");
            continue;
        }
        p[n] = n ? ',' : '[';
        memcpy(p + n + 1, it.value.p, it.value.len);
        n += 1 + it.value.len;
        *ret_only = it.value;
        ++*ret_count;
    }
    p[n++] = ']';
    return str_of(p, n);
}

/* `anyOf` stands alone but for description and nullable. */
static bool put_branches(struct reduction *r, struct fields *f)
{
    struct str only = { 0 };
    size_t n = 0;
    if (f->v[K_ANY_OF].len == 0)
        return false;
    struct str branches = branches_of(r, f, &only, &n);
    if (n == 0)
        return false;
    if (n == 1 && f->notes.len == 0 && f->first) {
        /* Written in the place of this schema: its braces are there already. */
        size_t at = r->out->len;
        r->nullable = json_type_of(f->v[K_NULLABLE]) == JSON_TRUE;
        gs_reduce(r, only, f->v[K_DESCRIPTION]);
        if (!r->why && r->out->len - at > 2) {
            memmove(r->out->p + at, r->out->p + at + 1, r->out->len - at - 2);
            r->out->len -= 2;
            f->first = false;
        }
        return true;
    }
    gs_put_description(r, f);
    gs_put_name(r, f, "anyOf");
    gs_put_schemas(r, branches);
    if (json_type_of(f->v[K_NULLABLE]) == JSON_TRUE) {
        gs_put_name(r, f, "nullable");
        buf_put(r->out, STR("true"));
    }
    return true;
}

void gs_put_openapi_form(struct reduction *r, struct fields *f)
{
    static const enum keyword kept[] = {
        K_TITLE,      K_NULLABLE, K_FORMAT,         K_ENUM,           K_MIN_ITEMS,
        K_MAX_ITEMS,  K_MINIMUM,  K_MAXIMUM,        K_ORDERING,       K_MIN_LENGTH,
        K_MAX_LENGTH, K_PATTERN,  K_MIN_PROPERTIES, K_MAX_PROPERTIES, K_DEFAULT,
    };
    struct str type = split_types(r, f);
    if (f->v[K_FORMAT].len && !format_is_known(f->v[K_FORMAT]))
        gs_cut_keyword(r, f, K_FORMAT);
    if (put_branches(r, f))
        return;
    /* Not saying `additionalProperties` is what `false` means to a model that fills in a form. */
    struct str additional = f->v[K_ADDITIONAL];
    if (json_type_of(additional) == JSON_OBJECT)
        gs_cut_keyword(r, f, K_ADDITIONAL);
    f->v[K_ADDITIONAL] = additional;
    put_type_openapi(r, f, type);
    gs_put_description(r, f);
    for (size_t i = 0; i < COUNT(kept); i++)
        gs_put(r, f, kept[i]);
    gs_put_properties(r, f);
    gs_put_required(r, f);
    put_items_openapi(r, f);
}
