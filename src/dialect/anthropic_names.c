#include "dialect/anthropic_priv.h"
#include "dialect/schema.h"
#include "wire/digest.h"

#define NAME_MAX_BYTES 64
#define NAME_HASH_DIGITS 8
#define ID_HASH_DIGITS 24

enum anthropic_output anthropic_output(const struct ir_request *rq, const struct model_facts *facts,
                                       struct arena *a)
{
    if (rq->format == IR_FORMAT_JSON)
        return OUTPUT_TOOL; /* a mode without a schema does not exist here */
    if (rq->format != IR_FORMAT_SCHEMA)
        return OUTPUT_TEXT;
    /* A grammar cannot recurse; a tool's input schema may. */
    if (facts->native_schema && !schema_is_recursive(rq->schema, a))
        return OUTPUT_NATIVE;
    /* A tool's input must be an object, without a union at its root. */
    if (!schema_root_is_object(rq->schema) || schema_root_union(rq->schema))
        return OUTPUT_TOOL_WRAPPED;
    return OUTPUT_TOOL;
}

struct str anthropic_json_tool(const struct ir_request *rq, struct arena *a)
{
    struct str name = STR("json_tool_call");
    for (unsigned n = 2; ir_tool_find(rq, name); n++)
        name = arena_printf(a, "json_tool_call_%u", n);
    return name;
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

static bool is_name(struct str s, size_t max)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_name_char(s.p[i]))
            return false;
    return s.len > 0 && s.len <= max;
}

/* Illegal characters become '_'. */
static struct str cleaned(struct str name, struct arena *a)
{
    char *p = arena_alloc(a, name.len + 1);
    for (size_t i = 0; i < name.len; i++)
        p[i] = is_name_char(name.p[i]) ? name.p[i] : '_';
    return str_of(p, name.len);
}

static bool cleans_to(struct str name, struct str clean)
{
    if (name.len != clean.len)
        return false;
    for (size_t i = 0; i < name.len; i++)
        if ((is_name_char(name.p[i]) ? name.p[i] : '_') != clean.p[i])
            return false;
    return true;
}

/* True when another tool has this name, as it is or once cleaned. */
static bool is_taken(const struct ir_request *rq, struct str name, struct str clean)
{
    for (const struct ir_tool *t = rq->tools; t; t = t->next)
        if (cleans_to(t->name, clean) && !str_eq(t->name, name))
            return true;
    return false;
}

struct str anthropic_tool_name(const struct ir_request *rq, struct str name, struct arena *a)
{
    char hex[SHA256_HEX_BYTES];
    if (is_name(name, NAME_MAX_BYTES))
        return name;
    struct str clean = cleaned(name, a);
    if (clean.len > 0 && clean.len <= NAME_MAX_BYTES && !is_taken(rq, name, clean))
        return clean;
    sha256_hex(name, hex);
    clean = str_head(clean, NAME_MAX_BYTES - NAME_HASH_DIGITS - 1);
    return arena_printf(a, "%.*s_%.*s", STR_ARG(clean), NAME_HASH_DIGITS, hex);
}

const struct ir_tool *anthropic_tool_of(const struct ir_request *rq, struct str upstream,
                                        struct arena *a)
{
    for (const struct ir_tool *t = rq->tools; t; t = t->next)
        if (str_eq(t->name, upstream) || (!is_name(t->name, NAME_MAX_BYTES) &&
                                          str_eq(anthropic_tool_name(rq, t->name, a), upstream)))
            return t;
    return NULL;
}

struct str anthropic_tool_id(struct str id, struct arena *a)
{
    char hex[SHA256_HEX_BYTES];
    if (is_name(id, SIZE_MAX))
        return id;
    sha256_hex(id, hex);
    return arena_printf(a, "call_%.*s", ID_HASH_DIGITS, hex);
}
