#include "wire/json_write.h"

#include "wire/bytes_priv.h"
#include "wire/json_scan.h"
#include "wire/utf8.h"

#include <assert.h>
#include <stdio.h>

static void put_escape(struct buf *out, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char short_of[0x20] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'
    };
    if (c >= 0x20 || short_of[c]) {
        char two[2] = { '\\', c >= 0x20 ? (char)c : short_of[c] };
        buf_put(out, str_of(two, 2));
    } else {
        char six[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };
        buf_put(out, str_of(six, 6));
    }
}

/* As buf_reserve, without a call where there is room: nearly always. */
static inline char *room_for(struct buf *out, size_t n)
{
    return !out->fail && n <= out->room - out->len ? out->p + out->len : buf_reserve(out, n);
}

static inline void put_char(struct buf *out, char c)
{
    char *p = room_for(out, 1);
    if (p) {
        *p = c;
        out->len++;
    }
}

/* p is where the first byte stands that is not plain. */
static void quote_odd(struct buf *out, struct str s, const char *p)
{
    const char *from = s.p, *end = s.p + s.len;
    buf_putc(out, '"');
    for (; p < end; p = bytes_skip(STOP_QUOTED, p, end)) {
        struct str rest = str_of(p, (size_t)(end - p));
        unsigned char c = (unsigned char)*p;
        size_t n = c < 0x80 ? 0 : utf8_seq(rest);
        if (n) {
            p += n;
            continue;
        }
        buf_put(out, str_of(from, (size_t)(p - from)));
        if (c < 0x80) {
            put_escape(out, c);
            p++;
        } else {
            buf_put(out, STR("\xef\xbf\xbd"));
            p += utf8_bad(rest);
        }
        from = p;
    }
    buf_put(out, str_of(from, (size_t)(p - from)));
    buf_putc(out, '"');
}

void json_quote(struct buf *out, struct str s)
{
    const char *end = s.len ? s.p + s.len : s.p, *odd = bytes_skip(STOP_QUOTED, s.p, end);
    if (odd < end) {
        quote_odd(out, s, odd);
        return;
    }
    char *p = room_for(out, s.len + 2);
    if (!p)
        return;
    *p++ = '"';
    if (s.len)
        memcpy(p, s.p, s.len);
    p[s.len] = '"';
    out->len += s.len + 2;
}

void json_begin(struct json_write *w, struct buf *out)
{
    *w = (struct json_write){ .out = out };
}

/* What stands before a value: the comma and the name, unless json_name wrote both. */
static void lead(struct json_write *w, const char *name)
{
    uint64_t bit = UINT64_C(1) << w->depth;
    if (w->named) {
        assert(!name);
        w->named = false;
        return;
    }
    assert(!name == (w->depth == 0 || (w->array & bit) != 0));
    bool comma = (w->has & bit) != 0;
    w->has |= bit;
    if (!name) {
        if (comma)
            put_char(w->out, ',');
        return;
    }
    size_t len = strlen(name);
    char *p = room_for(w->out, len + 3 + comma);
    if (!p)
        return;
    w->out->len += len + 3 + comma;
    *p = ',';
    p += comma;
    *p++ = '"';
    memcpy(p, name, len);
    memcpy(p + len, "\":", 2);
}

void json_name(struct json_write *w, struct str name)
{
    uint64_t bit = UINT64_C(1) << w->depth;
    assert(!w->named && w->depth > 0 && !(w->array & bit));
    if (w->has & bit)
        buf_putc(w->out, ',');
    w->has |= bit;
    json_quote(w->out, name);
    buf_putc(w->out, ':');
    w->named = true;
}

static void open_level(struct json_write *w, const char *name, bool array)
{
    lead(w, name);
    assert(w->depth < 63);
    w->depth++;
    uint64_t bit = UINT64_C(1) << w->depth;
    w->has &= ~bit;
    w->array = array ? w->array | bit : w->array & ~bit;
    put_char(w->out, array ? '[' : '{');
}

void json_obj(struct json_write *w, const char *name)
{
    open_level(w, name, false);
}

void json_arr(struct json_write *w, const char *name)
{
    open_level(w, name, true);
}

void json_end(struct json_write *w)
{
    assert(w->depth > 0 && !w->named);
    put_char(w->out, w->array >> w->depth & 1 ? ']' : '}');
    w->depth--;
}

void json_raw(struct json_write *w, const char *name, struct str json)
{
    lead(w, name);
    buf_put(w->out, json);
}

void json_str(struct json_write *w, const char *name, struct str value)
{
    lead(w, name);
    json_quote(w->out, value);
}

void json_strz(struct json_write *w, const char *name, const char *value)
{
    if (value)
        json_str(w, name, str_c(value));
    else
        json_null(w, name);
}

void json_uint(struct json_write *w, const char *name, uint64_t value)
{
    lead(w, name);
    buf_u64(w->out, value);
}

void json_int(struct json_write *w, const char *name, int64_t value)
{
    lead(w, name);
    buf_i64(w->out, value);
}

void json_bool(struct json_write *w, const char *name, bool value)
{
    json_raw(w, name, value ? STR("true") : STR("false"));
}

void json_null(struct json_write *w, const char *name)
{
    json_raw(w, name, STR("null"));
}

/* A decimal: d.igits * 10^exponent. */
struct decimal {
    char digits[17];
    size_t count;
    int exponent;
};

/* The value to `count` digits. What the locale puts for the point is skipped over. */
static struct decimal decimal_of(double value, size_t count)
{
    struct decimal d = { 0 };
    char text[40];
    snprintf(text, sizeof text, "%.*e", (int)count - 1, value);
    const char *p = text;
    for (; *p && *p != 'e'; p++)
        if (*p >= '0' && *p <= '9' && d.count < sizeof d.digits)
            d.digits[d.count++] = *p;
    bool negative = *p && p[1] == '-';
    for (p += *p ? 2 : 0; *p; p++)
        d.exponent = d.exponent * 10 + (*p - '0');
    d.exponent = negative ? -d.exponent : d.exponent;
    while (d.count > 1 && d.digits[d.count - 1] == '0')
        d.count--;
    return d;
}

#define REAL_BYTES 40

static size_t decimal_text(const struct decimal *d, char ret_text[REAL_BYTES])
{
    size_t n = 0, whole = 1; /* digits before the point */
    int e = d->exponent;
    bool plain = e >= -5 && e < 17;
    if (plain && e < 0) {
        ret_text[n++] = '0';
        ret_text[n++] = '.';
        for (int i = -1; i > e; i--)
            ret_text[n++] = '0';
        whole = 0;
    } else if (plain) {
        whole = (size_t)e + 1;
    }
    for (size_t i = 0; i < d->count || i < whole; i++) {
        if (i == whole && whole)
            ret_text[n++] = '.';
        ret_text[n++] = i < d->count ? d->digits[i] : '0';
    }
    if (plain && whole >= d->count) {
        ret_text[n++] = '.';
        ret_text[n++] = '0';
    }
    if (!plain)
        n += (size_t)snprintf(ret_text + n, REAL_BYTES - n, "e%+d", e);
    return n;
}

/* 15 digits give back every decimal of up to 15; a number with fewer ends in zeros, which are left
 * out. Numbers below the normal range have less precision, and are tried from one digit on. */
static size_t shortest(double value, char ret_text[REAL_BYTES])
{
    size_t n = 0;
    for (size_t digits = value < 2.3e-308 ? 1 : 15; digits <= 17; digits++) {
        struct decimal d = decimal_of(value, digits);
        double back;
        n = decimal_text(&d, ret_text);
        if (json_double(str_of(ret_text, n), &back) && back == value)
            break;
    }
    return n;
}

void json_real(struct json_write *w, const char *name, double value)
{
    char text[REAL_BYTES];
    if (!__builtin_isfinite(value)) {
        json_null(w, name);
        return;
    }
    bool negative = __builtin_signbit(value) != 0;
    lead(w, name);
    if (negative)
        buf_putc(w->out, '-');
    buf_put(w->out, str_of(text, shortest(negative ? -value : value, text)));
}
