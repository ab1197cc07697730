/* Names of functions: a letter or '_' first, then letters, digits, '_', '.' and '-', at most 64
 * (Gemini API reference, FunctionDeclaration, August 2026; newer models also take ':' and 128). */
#include "dialect/gemini_priv.h"
#include "wire/digest.h"

#define NAME_MAX_BYTES 64
#define NAME_HASH_DIGITS 8

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name_char(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

static bool is_name(struct str s)
{
    if (s.len == 0 || s.len > NAME_MAX_BYTES || !is_letter(s.p[0]))
        return false;
    for (size_t i = 1; i < s.len; i++)
        if (!is_name_char(s.p[i]))
            return false;
    return true;
}

/* Illegal characters become '_'; a name that starts with none of a letter gets one before it. */
static struct str cleaned(struct str name, struct arena *a)
{
    bool lead = name.len == 0 || (is_name_char(name.p[0]) && !is_letter(name.p[0]));
    char *p = arena_alloc(a, name.len + 2);
    size_t n = 0;
    if (lead)
        p[n++] = '_';
    for (size_t i = 0; i < name.len; i++)
        p[n++] = is_name_char(name.p[i]) ? name.p[i] : '_';
    return str_of(p, n);
}

/* True when another tool has this name, as it is or once cleaned. */
static bool is_taken(const struct ir_request *rq, struct str name, struct str clean,
                     struct arena *a)
{
    for (const struct ir_tool *t = rq->tools; t; t = t->next)
        if (!str_eq(t->name, name) &&
            (str_eq(t->name, clean) || (!is_name(t->name) && str_eq(cleaned(t->name, a), clean))))
            return true;
    return false;
}

struct str gemini_tool_name(const struct ir_request *rq, struct str name, struct arena *a)
{
    char hex[SHA256_HEX_BYTES];
    if (is_name(name))
        return name;
    struct str clean = cleaned(name, a);
    if (clean.len <= NAME_MAX_BYTES && !is_taken(rq, name, clean, a))
        return clean;
    sha256_hex(name, hex);
    clean = str_head(clean, NAME_MAX_BYTES - NAME_HASH_DIGITS - 1);
    return arena_printf(a, "%.*s_%.*s", STR_ARG(clean), NAME_HASH_DIGITS, hex);
}

const struct ir_tool *gemini_tool_of(const struct ir_request *rq, struct str upstream,
                                     struct arena *a)
{
    for (const struct ir_tool *t = rq->tools; t; t = t->next)
        if (str_eq(t->name, upstream) ||
            (!is_name(t->name) && str_eq(gemini_tool_name(rq, t->name, a), upstream)))
            return t;
    return NULL;
}
