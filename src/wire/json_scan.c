#include "wire/json_scan.h"

#include "base/mem.h"
#include "wire/bytes_priv.h"
#include "wire/utf8_priv.h"

/* Every function that moves over the text returns where it stopped, or NULL with the place and the
 * reason noted. */
struct scan {
    const char *start, *end;
    const char *at; /* of the problem */
    const char *what;
    uint64_t object[JSON_DEPTH_MAX / 64]; /* a bit a level: what is open there is an object */
    unsigned depth;
};

/* Noted once, off the fast path. */
static __attribute__((noinline, cold)) const char *bad(struct scan *s, const char *at,
                                                       const char *what)
{
    s->at = at;
    s->what = at == s->end ? "unexpected end of the text" : what;
    return NULL;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The four digits after "\u", or -1. */
static int32_t hex4(const char *p, const char *end)
{
    if (end - p < 4)
        return -1;
    int32_t code = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i], low = (char)(c | 0x20);
        if (is_digit(c))
            code = code << 4 | (c - '0');
        else if (low >= 'a' && low <= 'f')
            code = code << 4 | (low - 'a' + 10);
        else
            return -1;
    }
    return code;
}

/* p is at the backslash. */
static const char *skip_escape(struct scan *s, const char *p)
{
    if (s->end - p < 2)
        return bad(s, s->end, "");
    switch (p[1]) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't': return p + 2;
    case 'u': break;
    default: return bad(s, p, "unknown escape in a string");
    }
    int32_t code = hex4(p + 2, s->end);
    if (code < 0)
        return bad(s, p, "\\u needs four hexadecimal digits");
    if (code < 0xd800 || code > 0xdfff)
        return p + 6;
    if (code <= 0xdbff && s->end - p >= 12 && p[6] == '\\' && p[7] == 'u') {
        int32_t low = hex4(p + 8, s->end);
        if (low >= 0xdc00 && low <= 0xdfff)
            return p + 12;
    }
    return bad(s, p, "lone surrogate in a string");
}

static bool is_tail(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* A run of bytes that are not ASCII, p being at the first. Text in one script is sequences of one
 * length with a blank here and there, so each length loops on its own, and the run goes on over a
 * lone ASCII character. */
static const char *skip_wide(struct scan *s, const char *from)
{
    const unsigned char *p = (const unsigned char *)from, *end = (const unsigned char *)s->end;
    for (;;) {
        while (end - p >= 2 && p[0] >= 0xc2 && p[0] < 0xe0 && is_tail(p[1]))
            p += 2;
        while (end - p >= 3 && (p[0] & 0xf0) == 0xe0 && utf8_second(p[0], p[1]) && is_tail(p[2]))
            p += 3;
        while (end - p >= 4 && p[0] >= 0xf0 && p[0] <= 0xf4 && utf8_second(p[0], p[1]) &&
               is_tail(p[2]) && is_tail(p[3]))
            p += 4;
        if (end - p >= 2 && p[1] >= 0x80 && !bytes_stops(STOP_QUOTED, p[0]))
            p++;
        else if (p == end || *p < 0x80)
            return (const char *)p;
        else if (utf8_len(p, (size_t)(end - p)) == 0)
            return bad(s, (const char *)p, "invalid UTF-8 in a string");
    }
}

/* What a string's body stops at, p being there: the closing quote is left to the caller. */
static const char *skip_odd(struct scan *s, const char *p, bool *escaped)
{
    if (*p == '\\') {
        *escaped = true;
        return skip_escape(s, p);
    }
    if ((unsigned char)*p < 0x20)
        return bad(s, p, "control character in a string");
    return skip_wide(s, p);
}

#if WIRE_SSE2
static const bool is_plain_escape[256] = {
    ['"'] = true, ['\\'] = true, ['/'] = true, ['b'] = true,
    ['f'] = true, ['n'] = true,  ['r'] = true, ['t'] = true,
};

/* Text full of line ends and quotes stops every few words, so a block of 32 bytes is compared once and its stops are taken from
 * the mask, as long as they are escapes of one letter. The result is at the closing quote, or at what only the
 * slow way understands, or where fewer than 33 bytes are left. */
static const char *skip_blocks(const char *p, const char *end, bool *escaped)
{
    while (end - p > 32) {
        unsigned mask = bytes_mask(STOP_QUOTED, p) | bytes_mask(STOP_QUOTED, p + 16) << 16;
        const char *next = p + 32;
        while (mask) {
            int i = __builtin_ctz(mask);
            if (p[i] != '\\' || !is_plain_escape[(unsigned char)p[i + 1]])
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
static const char *skip_blocks(const char *p, const char *end, bool *escaped)
{
    (void)end;
    (void)escaped;
    return p;
}
#endif

/* Of a string whose end is not near. */
static __attribute__((noinline)) const char *skip_long_string(struct scan *s, const char *p,
                                                              bool *escaped)
{
    for (;;) {
        p = skip_blocks(p, s->end, escaped);
        if (p < s->end && *p == '"')
            return p + 1;
        p = bytes_skip(STOP_QUOTED, p, s->end);
        if (p == s->end)
            return bad(s, p, "");
        if (*p == '"')
            return p + 1;
        p = skip_odd(s, p, escaped);
        if (!p)
            return NULL;
    }
}

/* p is after the opening quote; the result is after the closing one. Most strings are names and words: their
 * end is among the first 16 bytes, and is found without a call. */
static inline __attribute__((always_inline)) const char *skip_string(struct scan *s, const char *p,
                                                                     bool *escaped)
{
#if WIRE_SSE2
    if (s->end - p >= 16) {
        unsigned mask = bytes_mask(STOP_QUOTED, p);
        p += mask ? __builtin_ctz(mask) : 16;
        if (mask && *p == '"')
            return p + 1;
    }
#endif
    return skip_long_string(s, p, escaped);
}

static const char *skip_digits(struct scan *s, const char *p)
{
    if (p == s->end || !is_digit(*p))
        return bad(s, p, "expected a digit");
    while (p < s->end && is_digit(*p))
        p++;
    return p;
}

static const char *skip_number(struct scan *s, const char *p)
{
    if (*p == '-')
        p++;
    if (s->end - p >= 2 && p[0] == '0' && is_digit(p[1]))
        return bad(s, p, "a number has a leading zero");
    p = skip_digits(s, p);
    if (p && p < s->end && *p == '.')
        p = skip_digits(s, p + 1);
    if (p && p < s->end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < s->end && (*p == '+' || *p == '-'))
            p++;
        p = skip_digits(s, p);
    }
    return p;
}

static const char *skip_word(struct scan *s, const char *p, const char *word, size_t n)
{
    size_t left = (size_t)(s->end - p);
    if (left >= n && memcmp(p, word, n) == 0)
        return p + n;
    return memcmp(p, word, left < n ? left : n) == 0 ? bad(s, s->end, "")
                                                     : bad(s, p, "expected a value");
}

static const char *skip_scalar(struct scan *s, const char *p, bool *escaped)
{
    if (p == s->end)
        return bad(s, p, "");
    if (*p == '"')
        return skip_string(s, p + 1, escaped);
    switch (*p) {
    case 't': return skip_word(s, p, "true", 4);
    case 'f': return skip_word(s, p, "false", 5);
    case 'n': return skip_word(s, p, "null", 4);
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9': return skip_number(s, p);
    default: return bad(s, p, "expected a value");
    }
}

/* The text is compact more often than not: white space is looked for where `wanted` is not there. */
static inline const char *seek(const struct scan *s, const char *p, char wanted)
{
    return p < s->end && *p == wanted ? p : bytes_skip_space(p, s->end);
}

/* A member's name and colon; the result is at its value. The name's span is told with its quotes.
 */
static inline __attribute__((always_inline)) const char *skip_name(struct scan *s, const char *p,
                                                                   struct str *ret_name,
                                                                   bool *escaped)
{
    p = seek(s, p, '"');
    if (p == s->end || *p != '"')
        return bad(s, p, "expected the name of a member in double quotes");
    const char *name = p;
    p = skip_string(s, p + 1, escaped);
    if (!p)
        return NULL;
    *ret_name = str_of(name, (size_t)(p - name));
    p = seek(s, p, ':');
    if (p == s->end || *p != ':')
        return bad(s, p, "expected ':' after the name of a member");
    return bytes_skip_space(p + 1, s->end);
}

static bool in_object(const struct scan *s)
{
    return s->object[(s->depth - 1) / 64] >> ((s->depth - 1) % 64) & 1;
}

/* p is at a bracket. `*ret_inside`: the result is at the first value inside; else the container
 * was empty and the result is after it. */
static const char *open_container(struct scan *s, const char *p, bool *ret_inside)
{
    bool object = *p == '{', escaped;
    struct str name;
    if (s->depth == JSON_DEPTH_MAX)
        return bad(s, p, "nested too deep");
    p = bytes_skip_space(p + 1, s->end);
    if (p < s->end && *p == (object ? '}' : ']'))
        return p + 1;
    uint64_t bit = UINT64_C(1) << (s->depth % 64), *word = &s->object[s->depth / 64];
    *word = object ? *word | bit : *word & ~bit;
    s->depth++;
    *ret_inside = true;
    return object ? skip_name(s, p, &name, &escaped) : p;
}

/* p is after a value. Closes what closes here; the result is at the next value, or depth is back
 * at `base`. */
static const char *close_containers(struct scan *s, const char *p, unsigned base)
{
    while (s->depth > base) {
        bool object = in_object(s), escaped;
        struct str name;
        p = seek(s, p, ',');
        if (p < s->end && *p == ',')
            return object ? skip_name(s, p + 1, &name, &escaped) : bytes_skip_space(p + 1, s->end);
        if (p == s->end || *p != (object ? '}' : ']'))
            return bad(s, p, object ? "expected ',' or '}'" : "expected ',' or ']'");
        p++;
        s->depth--;
    }
    return p;
}

/* Any value; p is at its first byte, the result after its last one. No recursion: depth is a
 * counter and bits. `*escaped` is set when a string in it holds a backslash. */
static const char *skip_value(struct scan *s, const char *p, bool *escaped)
{
    unsigned base = s->depth;
    for (;;) {
        bool inside = false;
        if (p < s->end && (*p == '{' || *p == '['))
            p = open_container(s, p, &inside);
        else
            p = skip_scalar(s, p, escaped);
        if (p && !inside)
            p = close_containers(s, p, base);
        if (!p || (!inside && s->depth == base))
            return p;
    }
}

/* The result is at the first byte of the text's value. */
static const char *begin(struct scan *s, struct str text)
{
    s->start = text.p ? text.p : "";
    s->end = s->start + text.len;
    s->depth = 0;
    if (text.len > UINT32_MAX)
        return bad(s, s->start, "the text is larger than 4 GiB");
    if (str_starts(text, STR("\xef\xbb\xbf")))
        return bad(s, s->start, "the text starts with a byte order mark");
    return bytes_skip_space(s->start, s->end);
}

/* p is after the value, or NULL. */
static enum err finish(struct scan *s, const char *p, struct json_problem *ret_problem)
{
    if (p) {
        p = bytes_skip_space(p, s->end);
        if (p == s->end)
            return ERR_OK;
        bad(s, p, "unexpected bytes after the value");
    }
    *ret_problem = (struct json_problem){ (size_t)(s->at - s->start), s->what };
    return ERR_BAD_JSON;
}

enum err json_check(struct str text, struct json_problem *ret_problem)
{
    struct scan s = { 0 };
    bool escaped;
    const char *p = begin(&s, text);
    if (p)
        p = skip_value(&s, p, &escaped);
    return finish(&s, p, ret_problem);
}

/* The names asked for: in chains by length and first letter, so that a member is compared with one or two of them, however
 * many they are. Where they are more than WANTED_MAX, with all. */
#define WANTED_CHAINS 64
#define WANTED_MAX 250
struct wanted {
    const struct str *names;
    size_t count;
    struct json_member *members;
    uint8_t first[WANTED_CHAINS]; /* index + 1; 0: none */
    uint8_t next[WANTED_MAX];
};

static size_t wanted_chain(struct str name)
{
    return (name.len * 5 + (name.len ? (unsigned char)name.p[0] : 0)) % WANTED_CHAINS;
}

static void wanted_init(struct wanted *w, const struct str *names, size_t n,
                        struct json_member *members)
{
    w->names = names;
    w->count = n;
    w->members = members;
    memset(w->first, 0, sizeof w->first);
    for (size_t i = 0; i < n; i++)
        members[i] = (struct json_member){ 0 };
    for (size_t i = 0; n <= WANTED_MAX && i < n; i++) {
        uint8_t *first = &w->first[wanted_chain(names[i])];
        w->next[i] = *first;
        *first = (uint8_t)(i + 1);
    }
}

/* `name` has its quotes. Its member among those asked for, or NULL. */
static struct json_member *wanted_find(const struct wanted *w, struct str name, bool escaped)
{
    struct str bare = str_of(name.p + 1, name.len - 2);
    if (!escaped && w->count <= WANTED_MAX) {
        for (size_t i = w->first[wanted_chain(bare)]; i; i = w->next[i - 1])
            if (str_eq(bare, w->names[i - 1]))
                return &w->members[i - 1];
        return NULL;
    }
    for (size_t i = 0; i < w->count; i++)
        if (escaped ? json_str_eq(name, w->names[i]) : str_eq(bare, w->names[i]))
            return &w->members[i];
    return NULL;
}

/* p is after the brace of the top object; the result is after its closing one. */
static const char *scan_members(struct scan *s, const char *p, const struct wanted *w,
                                uint32_t *ret_count)
{
    struct json_member none, *last = &none; /* the one whose next_at is not known yet */
    const char *comma = s->start;
    p = bytes_skip_space(p, s->end);
    *ret_count = 0;
    if (p < s->end && *p == '}')
        return p + 1;
    for (uint32_t index = 0;; index++) {
        bool name_escaped = false, escaped = false;
        struct str name;
        p = skip_name(s, p, &name, &name_escaped);
        const char *value = p;
        if (p && p < s->end && *p == '"') /* most are: this saves them the look for what closes */
            p = skip_string(s, p + 1, &escaped);
        else if (p)
            p = skip_value(s, p, &escaped);
        if (!p)
            return NULL;
        last->next_at = (size_t)(name.p - s->start);
        last = wanted_find(w, name, name_escaped);
        if (last && last->type != JSON_ABSENT)
            return bad(s, name.p, "repeated member");
        if (last)
            *last = (struct json_member){
                .type = json_type_of(str_of(value, (size_t)(p - value))),
                .index = index,
                .name_at = (size_t)(name.p - s->start),
                .value_at = (size_t)(value - s->start),
                .value_len = (size_t)(p - value),
                .comma_before = (size_t)(comma - s->start),
                .next_at = (size_t)(p - s->start),
                .escaped = escaped && *value == '"',
            };
        else
            last = &none; /* nobody asks for it */
        p = seek(s, p, ',');
        if (p == s->end || (*p != ',' && *p != '}'))
            return bad(s, p, "expected ',' or '}'");
        comma = p++;
        *ret_count = index + 1;
        if (*comma == '}')
            return p;
    }
}

enum err json_scan_object(struct str text, const struct str *names, size_t n,
                          struct json_member *ret_members, uint32_t *ret_count,
                          struct json_problem *ret_problem)
{
    struct scan s = { 0 };
    SCRATCH struct wanted w;
    wanted_init(&w, names, n, ret_members);
    uint32_t count = 0;
    const char *p = begin(&s, text);
    if (p && (p == s.end || *p != '{'))
        p = bad(&s, p, "expected an object");
    if (p) {
        s.object[0] = 1;
        s.depth = 1;
        p = scan_members(&s, p + 1, &w, &count);
    }
    if (ret_count)
        *ret_count = count;
    return finish(&s, p, ret_problem);
}
