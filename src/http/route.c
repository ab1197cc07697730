#include "http/route.h"

static int hex_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct str percent_decode(struct str s, struct arena *a)
{
    if (str_find_char(s, '%') == STR_NONE)
        return s;
    char *out = arena_alloc(a, s.len);
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        int hi = -1, lo = -1;
        if (s.p[i] == '%' && i + 2 < s.len) {
            hi = hex_of(s.p[i + 1]);
            lo = hex_of(s.p[i + 2]);
        }
        if (hi >= 0 && lo >= 0) {
            out[n++] = (char)(hi * 16 + lo);
            i += 2;
        } else {
            out[n++] = s.p[i];
        }
    }
    return str_of(out, n);
}

static bool method_fits(const struct route *r, struct str method)
{
    struct str own = str_c(r->method);
    return str_eq(own, method) || (str_eq(method, STR("HEAD")) && str_eq(own, STR("GET")));
}

static bool pattern_fits(struct str pattern, struct str path, struct str *ret_capture)
{
    size_t open = str_find_char(pattern, '{');
    if (open == STR_NONE)
        return false;
    struct str head = str_head(pattern, open);
    struct str tail = str_skip(pattern, str_find_char(pattern, '}') + 1);
    if (path.len <= head.len + tail.len || !str_starts(path, head) || !str_ends(path, tail))
        return false;
    *ret_capture = str_of(path.p + head.len, path.len - head.len - tail.len);
    return true;
}

const struct route *route_find(const struct route_table *t, struct str method, struct str path,
                               struct arena *a, struct str *ret_capture)
{
    *ret_capture = str_of(NULL, 0);
    bool exact = false;
    for (size_t i = 0; i < t->count; i++) {
        if (!str_eq(t->rows[i].pattern, path))
            continue;
        if (method_fits(&t->rows[i], method))
            return &t->rows[i];
        exact = true;
    }
    if (exact)
        return NULL;
    for (size_t i = 0; i < t->count; i++) {
        struct str capture;
        if (!pattern_fits(t->rows[i].pattern, path, &capture))
            continue;
        if (method_fits(&t->rows[i], method)) {
            *ret_capture = percent_decode(capture, a);
            return &t->rows[i];
        }
    }
    return NULL;
}

static void add_method(struct str *methods, const struct route *r, struct arena *a)
{
    struct str left = *methods;
    while (left.len)
        if (str_eq(str_trim(str_cut(&left, ',')), str_c(r->method)))
            return;
    *methods = arena_printf(a, "%.*s%s%s", STR_ARG(*methods), methods->len ? ", " : "", r->method);
}

struct str route_methods(const struct route_table *t, struct str path, struct arena *a)
{
    struct str methods = STR(""), capture;
    for (size_t i = 0; i < t->count; i++)
        if (str_eq(t->rows[i].pattern, path))
            add_method(&methods, &t->rows[i], a);
    bool exact = methods.len > 0;
    for (size_t i = 0; !exact && i < t->count; i++)
        if (pattern_fits(t->rows[i].pattern, path, &capture))
            add_method(&methods, &t->rows[i], a);
    return methods;
}
