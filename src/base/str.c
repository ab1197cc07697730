#include "base/str.h"

size_t str_find(struct str s, struct str needle)
{
    if (needle.len == 0)
        return 0;
    const char *hit = s.len ? memmem(s.p, s.len, needle.p, needle.len) : NULL;
    return hit ? (size_t)(hit - s.p) : STR_NONE;
}

bool str_starts_nocase(struct str s, struct str prefix)
{
    if (s.len < prefix.len)
        return false;
    for (size_t i = 0; i < prefix.len; i++)
        if (ascii_lower(s.p[i]) != ascii_lower(prefix.p[i]))
            return false;
    return true;
}

int str_cmp(struct str a, struct str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.p, b.p, n) : 0;
    return c ? c : (a.len > b.len) - (a.len < b.len);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
    while (s.len && is_space(s.p[0]))
        s = str_skip(s, 1);
    while (s.len && is_space(s.p[s.len - 1]))
        s.len--;
    return s;
}

struct str str_cut(struct str *s, char sep)
{
    size_t at = str_find_char(*s, sep);
    struct str head = *s;
    if (at == STR_NONE) {
        *s = str_skip(*s, s->len);
        return head;
    }
    head.len = at;
    *s = str_skip(*s, at + 1);
    return head;
}

bool str_u64(struct str s, uint64_t *ret_value)
{
    uint64_t v = 0;
    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
            return false;
    }
    *ret_value = v;
    return true;
}

bool str_i64(struct str s, int64_t *ret_value)
{
    uint64_t v;
    bool negative = s.len && s.p[0] == '-';
    if (!str_u64(negative ? str_skip(s, 1) : s, &v))
        return false;
    if (v > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        return false;
    *ret_value = negative ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}
