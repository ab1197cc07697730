/* Moves over JSON that json_scan has seen before: strings end at their quote and containers where
 * their brackets balance, nothing else is looked at. On other bytes it may answer anything, but it
 * stays inside the slice. */
#include "wire/json_scan.h"

#include "wire/bytes_priv.h"

#if WIRE_SSE2
/* Blocks of 32 bytes, each compared once: as skip_blocks of json_scan.c. The result is at the closing quote, or where fewer than
 * 33 bytes are left. */
static const char *past_blocks(const char *p, const char *end, bool *escaped)
{
    while (end - p > 32) {
        unsigned mask = bytes_mask(STOP_QUOTE, p) | bytes_mask(STOP_QUOTE, p + 16) << 16;
        const char *next = p + 32;
        while (mask) {
            int i = __builtin_ctz(mask);
            if (p[i] == '"')
                return p + i;
            *escaped = true;
            mask &= i == 31 ? 0 : ~(3u << i);
            next += i == 31;
        }
        p = next;
    }
    return p;
}
#else
static const char *past_blocks(const char *p, const char *end, bool *escaped)
{
    (void)end;
    (void)escaped;
    return p;
}
#endif

/* p is after the opening quote; the result is after the closing one, or `end`. */
static const char *past_string(const char *p, const char *end, bool *escaped)
{
#if WIRE_SSE2
    if (end - p >= 16) { /* most strings are names and words */
        unsigned mask = bytes_mask(STOP_QUOTE, p);
        p += mask ? __builtin_ctz(mask) : 16;
        if (mask && *p == '"')
            return p + 1;
    }
#endif
    for (;;) {
        p = past_blocks(p, end, escaped);
        p = bytes_skip(STOP_QUOTE, p, end);
        if (p == end)
            return end;
        if (*p == '"')
            return p + 1;
        *escaped = true;
        p = end - p < 2 ? end : p + 2;
    }
}

/* p is at the opening bracket. */
static const char *past_container(const char *p, const char *end)
{
    size_t depth = 0;
    while (p < end) {
        bool escaped;
        char c = *p++;
        if (c == '"')
            p = past_string(p, end, &escaped);
        else if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && --depth == 0)
            break;
    }
    return p;
}

static const char *past_value(const char *p, const char *end, bool *escaped)
{
    if (p == end)
        return end;
    if (*p == '"')
        return past_string(p + 1, end, escaped);
    if (*p == '{' || *p == '[')
        return past_container(p, end);
    while (p < end && !bytes_is_space(*p) && *p != ',' && *p != ']' && *p != '}')
        p++;
    return p;
}

struct json_iter json_iter(struct str text)
{
    struct json_iter it = { .text = text, .at = text.len };
    if (text.len == 0)
        return it;
    const char *end = text.p + text.len, *p = bytes_skip_space(text.p, end);
    if (p == end || (*p != '{' && *p != '['))
        return it;
    it.object = *p == '{';
    it.at = (size_t)(bytes_skip_space(p + 1, end) - text.p);
    return it;
}

/* Of a value's first byte. */
static enum json_type type_at(char c)
{
    switch (c) {
    case '{': return JSON_OBJECT;
    case '[': return JSON_ARRAY;
    case '"': return JSON_STRING;
    case 't': return JSON_TRUE;
    case 'f': return JSON_FALSE;
    case 'n': return JSON_NULL;
    default: return JSON_NUMBER;
    }
}

bool json_next(struct json_iter *it)
{
    if (it->at >= it->text.len)
        return false;
    const char *start = it->text.p, *end = start + it->text.len, *p = start + it->at;
    bool escaped = false;
    uint32_t index = it->member.type == JSON_ABSENT ? 0 : it->member.index + 1;
    it->name = str_of(NULL, 0);
    it->name_escaped = false;
    if (it->object && *p == '"') {
        const char *after = past_string(p + 1, end, &escaped);
        it->name = str_of(p + 1, after - p >= 2 ? (size_t)(after - p - 2) : 0);
        p = bytes_skip_space(after, end);
        p = p < end ? bytes_skip_space(p + 1, end) : end; /* the colon */
        it->name_escaped = escaped;
        escaped = false;
    }
    const char *after = past_value(p, end, &escaped);
    it->value = str_of(p, (size_t)(after - p));
    if (it->value.len == 0) { /* the closing bracket, or text that was not scanned */
        it->at = it->text.len;
        return false;
    }
    it->type = type_at(*p);
    it->member = (struct json_member){
        .type = it->type,
        .index = index,
        .name_at = it->at,
        .value_at = (size_t)(p - start),
        .value_len = it->value.len,
        .comma_before = it->comma,
        .next_at = (size_t)(after - start),
        .escaped = escaped && *p == '"',
    };
    p = bytes_skip_space(after, end);
    if (p == end || *p != ',') {
        it->at = it->text.len;
        return true;
    }
    it->comma = (size_t)(p - start);
    it->at = (size_t)(bytes_skip_space(p + 1, end) - start);
    it->member.next_at = it->at;
    return true;
}

bool json_peek_object(struct str text, const struct str *names, size_t n,
                      struct json_member *ret_members, size_t *ret_repeated)
{
    size_t repeated = 0;
    for (size_t i = 0; i < n; i++)
        ret_members[i] = (struct json_member){ 0 };
    if (ret_repeated)
        *ret_repeated = 0;
    if (json_type_of(text) != JSON_OBJECT)
        return false;
    struct json_iter it = json_iter(text);
    while (json_next(&it)) {
        struct str quoted =
            str_of(it.name.p ? it.name.p - 1 : NULL, it.name.p ? it.name.len + 2 : 0);
        for (size_t i = 0; i < n; i++) {
            if (!(it.name_escaped ? json_str_eq(quoted, names[i]) : str_eq(it.name, names[i])))
                continue;
            if (ret_members[i].type != JSON_ABSENT)
                repeated = i + 1;
            ret_members[i] = it.member;
            break;
        }
    }
    if (ret_repeated)
        *ret_repeated = repeated;
    return true;
}
