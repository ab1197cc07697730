#include "dialect/anthropic_priv.h"
#include "dialect/schema.h"
#include "dialect/tools.h"
#include "wire/digest.h"

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

static const struct str search = STR_INIT("web_search");

static const struct ir_tool *function_called(const struct ir_request *rq, struct str name)
{
    const struct ir_tool *t = rq->tools;
    while (t && !((t->kind == IR_FUNCTION || t->kind == IR_CUSTOM) && str_eq(t->name, name)))
        t = t->next;
    return t;
}

static bool searches(const struct ir_request *rq)
{
    bool any = rq->web_search.len > 0;
    for (const struct ir_tool *t = rq->tools; t && !any; t = t->next)
        any = t->kind == IR_WEB_SEARCH || (t->kind == IR_SERVER_TOOL && str_eq(t->name, search));
    return any;
}

/* Empty: there is no clash. Names of tools must be unique. */
static struct str beside_search(const struct ir_request *rq, struct arena *a)
{
    struct str name = STR("web_search_function");
    if (!function_called(rq, search) || !searches(rq))
        return str_of(NULL, 0);
    for (unsigned n = 2; function_called(rq, name); n++)
        name = arena_printf(a, "web_search_function_%u", n);
    return name;
}

struct str anthropic_function_name(const struct ir_request *rq, struct str name, struct arena *a)
{
    struct str other = str_eq(name, search) ? beside_search(rq, a) : str_of(NULL, 0);
    return other.len ? other : tool_name(rq, name, a);
}

const struct ir_tool *anthropic_function_of(const struct ir_request *rq, struct str upstream,
                                            struct arena *a)
{
    if (str_starts(upstream, search) && str_eq(upstream, beside_search(rq, a)))
        return function_called(rq, search);
    return tool_of(rq, upstream, a);
}

struct str anthropic_tool_id(struct str id, struct arena *a)
{
    char hex[SHA256_HEX_BYTES];
    if (tool_is_name(id, SIZE_MAX))
        return id;
    sha256_hex(id, hex);
    return arena_printf(a, "call_%.*s", ID_HASH_DIGITS, hex);
}
