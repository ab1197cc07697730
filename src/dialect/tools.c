#include "dialect/tools.h"

#include "wire/digest.h"
#include "wire/json_scan.h"

#define NAME_MAX_BYTES 64
#define NAME_HASH_DIGITS 8

/* -- names */

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

bool tool_is_name(struct str s, size_t max)
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

struct str tool_name(const struct ir_request *rq, struct str name, struct arena *a)
{
    char hex[SHA256_HEX_BYTES];
    if (tool_is_name(name, NAME_MAX_BYTES))
        return name;
    struct str clean = cleaned(name, a);
    if (clean.len > 0 && clean.len <= NAME_MAX_BYTES && !is_taken(rq, name, clean))
        return clean;
    sha256_hex(name, hex);
    clean = str_head(clean, NAME_MAX_BYTES - NAME_HASH_DIGITS - 1);
    return arena_printf(a, "%.*s_%.*s", STR_ARG(clean), NAME_HASH_DIGITS, hex);
}

const struct ir_tool *tool_of(const struct ir_request *rq, struct str upstream, struct arena *a)
{
    for (const struct ir_tool *t = rq->tools; t; t = t->next) {
        if (t->kind != IR_FUNCTION && t->kind != IR_CUSTOM)
            continue;
        if (str_eq(t->name, upstream) ||
            (!tool_is_name(t->name, NAME_MAX_BYTES) && str_eq(tool_name(rq, t->name, a), upstream)))
            return t;
    }
    return NULL;
}

/* -- custom tools */

struct str custom_tool_description(const struct ir_tool *t, struct arena *a, bool *ret_grammar)
{
    /* {"type":"grammar","grammar":{"syntax":..,"definition":..}} */
    struct str nested = json_get(t->grammar, "grammar");
    struct str definition = json_get(nested.len ? nested : t->grammar, "definition");
    *ret_grammar = definition.len > 0;
    if (!*ret_grammar)
        return t->description;
    struct str text = arena_printf(a, "%.*s\n\nThe input must follow this grammar:\n%.*s",
                                   STR_ARG(json_unescape(t->description, a)),
                                   STR_ARG(json_unescape(definition, a)));
    return ir_quote(str_trim(text), a);
}

struct str custom_tool_arguments(struct str input, struct arena *a)
{
    return arena_printf(a, "{\"input\":%.*s}", STR_ARG(input.len ? input : STR("\"\"")));
}

struct str custom_tool_input(struct str arguments, struct arena *a)
{
    struct json_problem problem;
    struct str value;
    if (json_check(arguments, &problem) == ERR_OK &&
        json_type_of(value = json_get(arguments, "input")) == JSON_STRING)
        return value;
    return ir_quote(arguments, a);
}
