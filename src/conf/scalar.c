#include "conf/scalar.h"

#include <math.h>

#include "base/buf.h"
#include "wire/json_scan.h"

#define NUMBER_MAX 400 /* characters; longer texts are no numbers */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool one_of(struct str s, const struct str *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(s, words[i]))
            return true;
    return false;
}

/* Digits and underscores, at least one of them a digit at the start. */
static size_t digits(struct str s)
{
    size_t i = 0;
    if (s.len == 0 || !is_digit(s.p[0]))
        return 0;
    while (i < s.len && (is_digit(s.p[i]) || s.p[i] == '_'))
        i++;
    return i;
}

static struct str unsign(struct str s)
{
    return s.len && (s.p[0] == '-' || s.p[0] == '+') ? str_skip(s, 1) : s;
}

static bool all_in(struct str s, const char *set)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] == '\0' || !strchr(set, s.p[i]))
            return false;
    return s.len > 0;
}

/* The base of a whole number, and its digits; 0: not one. */
static unsigned int_base(struct str text, struct str *ret_digits)
{
    struct str s = unsign(text);
    unsigned base = 0;
    if (str_starts(s, STR("0x")) && all_in(str_skip(s, 2), "0123456789abcdefABCDEF_")) {
        s = str_skip(s, 2);
        base = 16;
    } else if (str_starts(s, STR("0b")) && all_in(str_skip(s, 2), "01_")) {
        s = str_skip(s, 2);
        base = 2;
    } else if (s.len > 1 && s.p[0] == '0' && all_in(str_skip(s, 1), "01234567_")) {
        s = str_skip(s, 1);
        base = 8;
    } else if (s.len && digits(s) == s.len && (s.p[0] != '0' || s.len == 1)) {
        base = 10;
    }
    *ret_digits = s;
    return base;
}

static bool is_float(struct str text)
{
    struct str s = unsign(text);
    size_t whole = digits(s);
    bool point = false, exponent = false;
    s = str_skip(s, whole);
    if (s.len && s.p[0] == '.') {
        size_t fraction = digits(str_skip(s, 1));
        if (whole == 0 && fraction == 0)
            return false;
        point = true;
        s = str_skip(s, 1 + fraction);
    } else if (whole == 0) {
        return false;
    }
    if (s.len && (s.p[0] == 'e' || s.p[0] == 'E')) {
        struct str power = unsign(str_skip(s, 1));
        size_t n = digits(power);
        if (n == 0 || n != power.len || str_find_char(power, '_') != STR_NONE)
            return false;
        exponent = true;
        s = str_of(NULL, 0);
    }
    return s.len == 0 && (point || exponent);
}

static bool is_special(struct str text)
{
    static const struct str words[] = { STR_INIT(".inf"), STR_INIT(".Inf"), STR_INIT(".INF") };
    static const struct str nans[] = { STR_INIT(".nan"), STR_INIT(".NaN"), STR_INIT(".NAN") };
    return one_of(unsign(text), words, 3) || one_of(text, nans, 3);
}

enum scalar_type scalar_type(struct str text)
{
    static const struct str nulls[] = { STR_INIT(""), STR_INIT("~"), STR_INIT("null"),
                                        STR_INIT("Null"), STR_INIT("NULL") };
    struct str rest;
    bool b;
    if (one_of(text, nulls, sizeof nulls / sizeof *nulls))
        return SCALAR_NULL;
    char c = text.p[0];
    if (is_digit(c) || c == '-' || c == '+' || c == '.') {
        if (text.len > NUMBER_MAX)
            return SCALAR_STRING;
        if (int_base(text, &rest))
            return SCALAR_INT;
        return is_float(text) || is_special(text) ? SCALAR_FLOAT : SCALAR_STRING;
    }
    return scalar_bool(text, &b) ? SCALAR_BOOL : SCALAR_STRING;
}

bool scalar_bool(struct str text, bool *ret_value)
{
    static const struct str yes[] = { STR_INIT("true"), STR_INIT("True"), STR_INIT("TRUE"),
                                      STR_INIT("yes"),  STR_INIT("Yes"),  STR_INIT("YES"),
                                      STR_INIT("on"),   STR_INIT("On"),   STR_INIT("ON"),
                                      STR_INIT("1") };
    static const struct str no[] = { STR_INIT("false"), STR_INIT("False"), STR_INIT("FALSE"),
                                     STR_INIT("no"),    STR_INIT("No"),    STR_INIT("NO"),
                                     STR_INIT("off"),   STR_INIT("Off"),   STR_INIT("OFF"),
                                     STR_INIT("0") };
    if (text.len == 0 || text.len > 5)
        return false;
    if (one_of(text, yes, sizeof yes / sizeof *yes))
        *ret_value = true;
    else if (one_of(text, no, sizeof no / sizeof *no))
        *ret_value = false;
    else
        return false;
    return true;
}

static unsigned digit_value(char c)
{
    if (is_digit(c))
        return (unsigned)(c - '0');
    return (unsigned)(ascii_lower(c) - 'a') + 10;
}

static bool magnitude(struct str s, unsigned base, uint64_t *ret_value)
{
    uint64_t v = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '_')
            continue;
        if (__builtin_mul_overflow(v, base, &v) ||
            __builtin_add_overflow(v, digit_value(s.p[i]), &v))
            return false;
    }
    *ret_value = v;
    return true;
}

bool scalar_double(struct str text, double *ret_value)
{
    char room[NUMBER_MAX + 16];
    struct buf json = { .p = room, .room = sizeof room, .cap = sizeof room };
    text = str_trim(text);
    /* The room is the cap: the buf never asks the heap for more. By way of JSON, whose reader does
     * not ask the locale what a decimal point is. */
    return text.len && scalar_json_number(text, &json) && !json.fail &&
           json_double(buf_str(&json), ret_value) && isfinite(*ret_value);
}

bool scalar_int(struct str text, int64_t *ret_value)
{
    struct str rest;
    uint64_t v;
    double d;
    text = str_trim(text);
    if (text.len == 0 || text.len > NUMBER_MAX)
        return false;
    unsigned base = int_base(text, &rest);
    if (base) {
        if (!magnitude(rest, base, &v) || v > INT64_MAX)
            return false;
        *ret_value = text.p[0] == '-' ? -(int64_t)v : (int64_t)v;
        return true;
    }
    /* 2^53: beyond it a double no longer tells whole numbers apart. */
    if (!scalar_double(text, &d) || d != trunc(d) || fabs(d) > 9007199254740992.0)
        return false;
    *ret_value = (int64_t)d;
    return true;
}

bool scalar_duration_ms(struct str text, int64_t *ret_ms)
{
    static const struct {
        struct str unit;
        int64_t ms;
    } units[] = {
        { STR_INIT("s"), 1000 },     { STR_INIT("m"), 60000 },     { STR_INIT("h"), 3600000 },
        { STR_INIT("d"), 86400000 }, { STR_INIT("w"), 604800000 }, { STR_INIT("mo"), 2592000000 },
    };
    uint64_t n;
    size_t i = 0;
    text = str_trim(text);
    while (i < text.len && is_digit(text.p[i]))
        i++;
    if (!str_u64(str_head(text, i), &n) || n > INT64_MAX)
        return false;
    for (size_t u = 0; u < sizeof units / sizeof *units; u++)
        if (str_eq(str_skip(text, i), units[u].unit))
            return !__builtin_mul_overflow((int64_t)n, units[u].ms, ret_ms);
    return false;
}

bool scalar_bytes(struct str text, uint64_t *ret_bytes)
{
    static const char letters[] = "kmg";
    unsigned shift = 0;
    uint64_t n;
    size_t i = 0;
    text = str_trim(text);
    while (i < text.len && (is_digit(text.p[i]) || text.p[i] == '_'))
        i++;
    struct str unit = str_trim(str_skip(text, i));
    if (unit.len) {
        const char *letter = strchr(letters, ascii_lower(unit.p[0]));
        struct str tail = str_skip(unit, 1);
        if (!letter || !*letter ||
            (tail.len && !str_eq_nocase(tail, STR("b")) && !str_eq_nocase(tail, STR("ib"))))
            return false;
        shift = 10 * (unsigned)(letter - letters + 1);
    }
    if (i == 0 || !is_digit(text.p[0]) || !magnitude(str_head(text, i), 10, &n) ||
        n > (UINT64_MAX >> shift))
        return false;
    *ret_bytes = n << shift;
    return true;
}

static void put_digits(struct str s, struct buf *out)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] != '_')
            buf_putc(out, s.p[i]);
}

/* JSON wants digits on both sides of the point, no plus sign, and no leading zeros. */
static void put_float(struct str s, struct buf *out)
{
    size_t whole = digits(s);
    struct str head = str_head(s, whole);
    while (head.len > 1 && (head.p[0] == '0' || head.p[0] == '_'))
        head = str_skip(head, 1);
    if (head.len == 0 || head.p[0] == '_')
        buf_putc(out, '0');
    put_digits(head, out);
    s = str_skip(s, whole);
    if (s.len && s.p[0] == '.') {
        size_t fraction = digits(str_skip(s, 1));
        buf_putc(out, '.');
        if (fraction == 0)
            buf_putc(out, '0');
        put_digits(str_of(s.p + 1, fraction), out);
        s = str_skip(s, 1 + fraction);
    }
    buf_put(out, s);
}

bool scalar_json_number(struct str text, struct buf *out)
{
    struct str rest;
    bool minus = text.len && text.p[0] == '-';
    unsigned base;
    if (text.len > NUMBER_MAX)
        return false;
    base = int_base(text, &rest);
    if (base && base != 10) {
        uint64_t v;
        if (!magnitude(rest, base, &v))
            return false;
        if (minus && v)
            buf_putc(out, '-');
        buf_u64(out, v);
        return true;
    }
    if (!base && !is_float(text))
        return false;
    if (minus)
        buf_putc(out, '-');
    if (base)
        put_digits(rest, out);
    else
        put_float(unsign(text), out);
    return true;
}
