#include "wire/json_scan.h"

#include "base/arena.h"
#include "base/mem.h"
#include "wire/bytes_priv.h"
#include "wire/utf8.h"

#include <yyjson.h>

enum json_type json_type_of(struct str value)
{
    const char *end = value.p ? value.p + value.len : NULL, *p = bytes_skip_space(value.p, end);
    if (p == end)
        return JSON_ABSENT;
    switch (*p) {
    case '{': return JSON_OBJECT;
    case '[': return JSON_ARRAY;
    case '"': return JSON_STRING;
    case 't': return JSON_TRUE;
    case 'f': return JSON_FALSE;
    case 'n': return JSON_NULL;
    default: return JSON_NUMBER;
    }
}

struct str json_value(struct str text, const struct json_member *m)
{
    return m->type == JSON_ABSENT ? str_of(NULL, 0) : str_of(text.p + m->value_at, m->value_len);
}

struct str json_get(struct str object, const char *name)
{
    const struct str want = str_c(name);
    struct json_member m;
    if (!json_peek_object(object, &want, 1, &m, NULL) || m.type == JSON_NULL)
        return str_of(NULL, 0);
    return json_value(object, &m);
}

static bool is_quoted(struct str value)
{
    return value.len >= 2 && value.p[0] == '"' && value.p[value.len - 1] == '"';
}

static uint32_t hex4(const char *p)
{
    uint32_t code = 0;
    for (int i = 0; i < 4; i++)
        code = code << 4 | (uint32_t)(p[i] <= '9' ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10);
    return code;
}

/* Decodes the escape that `s` starts with and moves past it: 1-4 bytes. On text that was not
 * scanned the bytes mean nothing, but none outside `s` is read. */
static size_t take_escape(struct str *s, char ret_bytes[4])
{
    static const char short_of[] = {
        ['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t'
    };
    unsigned char c = s->len >= 2 ? (unsigned char)s->p[1] : '\\';
    if (c != 'u' || s->len < 6) {
        *s = str_skip(*s, 2);
        ret_bytes[0] = c < sizeof short_of && short_of[c] ? short_of[c] : (char)c;
        return 1;
    }
    uint32_t code = hex4(s->p + 2);
    if (code >= 0xd800 && code <= 0xdbff && s->len >= 12) {
        code = 0x10000 + ((code - 0xd800) << 10) + (hex4(s->p + 8) - 0xdc00);
        *s = str_skip(*s, 6);
    }
    *s = str_skip(*s, 6);
    return utf8_put(code, ret_bytes);
}

struct str json_unescape(struct str value, struct arena *a)
{
    if (!is_quoted(value))
        return str_of(NULL, 0);
    struct str s = str_of(value.p + 1, value.len - 2);
    if (str_find_char(s, '\\') == STR_NONE)
        return s;
    char *out = arena_alloc(a, s.len + 4); /* an escape is never shorter than what it stands for */
    size_t n = 0;
    while (s.len) {
        size_t plain = str_find_char(s, '\\');
        plain = plain == STR_NONE ? s.len : plain;
        memcpy(out + n, s.p, plain);
        n += plain;
        s = str_skip(s, plain);
        if (s.len)
            n += take_escape(&s, out + n);
    }
    return str_of(out, n);
}

bool json_str_eq(struct str value, struct str plain)
{
    if (!is_quoted(value))
        return false;
    struct str s = str_of(value.p + 1, value.len - 2);
    if (s.len < plain.len) /* an escape is never shorter than what it stands for */
        return false;
    if (str_find_char(s, '\\') == STR_NONE)
        return str_eq(s, plain);
    while (s.len) {
        char bytes[4];
        size_t n = 1;
        if (*s.p == '\\') {
            n = take_escape(&s, bytes);
        } else {
            bytes[0] = *s.p;
            s = str_skip(s, 1);
        }
        if (!str_starts(plain, str_of(bytes, n)))
            return false;
        plain = str_skip(plain, n);
    }
    return plain.len == 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The exponent of a number that was scanned, `s` being what follows the 'e'; clipped to
 * +-1,000,000,000, more than the digits of any body that is let in could outweigh. */
static int64_t exponent_of(struct str s)
{
    bool negative = s.len && s.p[0] == '-';
    int64_t e = 0;
    for (size_t i = s.len && !is_digit(s.p[0]) ? 1 : 0; i < s.len; i++)
        if (e < 1000000000)
            e = e * 10 + (s.p[i] - '0');
    e = e > 1000000000 ? 1000000000 : e;
    return negative ? -e : e;
}

bool json_u64(struct str value, uint64_t *ret_value)
{
    uint64_t v = 0;
    int64_t exponent = 0, zeros = 0; /* zeros: read, and not yet multiplied into v */
    bool after_point = false;
    size_t i = 0;
    for (; i < value.len && (is_digit(value.p[i]) || value.p[i] == '.'); i++) {
        if (value.p[i] == '.') {
            after_point = true;
            continue;
        }
        exponent -= after_point;
        if (value.p[i] == '0') {
            zeros++;
            continue;
        }
        for (; zeros >= 0; zeros--) /* the zeros before this digit, and the place of its own */
            if (__builtin_mul_overflow(v, (uint64_t)10, &v))
                return false;
        zeros = 0;
        if (__builtin_add_overflow(v, (uint64_t)(value.p[i] - '0'), &v))
            return false;
    }
    if (i == 0 || (i < value.len && (value.p[i] | 0x20) != 'e'))
        return false;
    if (i < value.len)
        exponent += exponent_of(str_skip(value, i + 1));
    if (v == 0)
        zeros = exponent = 0;
    exponent += zeros;
    for (; exponent > 0; exponent--)
        if (__builtin_mul_overflow(v, (uint64_t)10, &v))
            return false;
    if (exponent < 0)
        return false;
    *ret_value = v;
    return true;
}

bool json_double(struct str value, double *ret_value)
{
    char small[64], *z = value.len < sizeof small ? small : mem_alloc(value.len + 1);
    yyjson_val v;
    if (value.len)
        memcpy(z, value.p, value.len);
    z[value.len] = '\0';
    const char *end = yyjson_read_number(z, &v, 0, NULL, NULL);
    bool good = end == z + value.len && value.len;
    if (good)
        *ret_value = yyjson_get_num(&v);
    if (z != small)
        mem_free(z);
    return good;
}
