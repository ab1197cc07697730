/* Data URLs (RFC 2397) and bare base64, as clients write them. */
#include "ir/ir.h"

#include "wire/base64.h"
#include "wire/json_scan.h"

/* 1: a byte of the standard alphabet. */
static const unsigned char alphabet[256] = {
    ['A' ... 'Z'] = 1, ['a' ... 'z'] = 1, ['0' ... '9'] = 1, ['+'] = 1, ['/'] = 1,
};

/* The form that every provider takes: standard alphabet, padded. */
static bool is_standard(struct str s)
{
    if (s.len == 0 || s.len % 4)
        return false;
    size_t n = s.len;
    if (s.p[n - 1] == '=')
        n -= s.p[n - 2] == '=' ? 2 : 1;
    unsigned char good = 1;
    for (size_t i = 0; i < n; i++)
        good &= alphabet[(unsigned char)s.p[i]];
    return good;
}

bool ir_base64(struct str text, struct arena *a, struct str *ret_data)
{
    struct str bytes;
    if (is_standard(text)) {
        *ret_data = text;
        return true;
    }
    char *tight = arena_alloc(a, text.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        if (!strchr(" \t\r\n", text.p[i]) || !text.p[i])
            tight[n++] = text.p[i];
    if (base64_decode(str_of(tight, n), a, &bytes) || bytes.len == 0)
        return false;
    *ret_data = base64_encode(bytes, a);
    return true;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* False on a '%' without two digits. */
static bool percent_decode(struct str s, struct arena *a, struct str *ret_bytes)
{
    if (str_find_char(s, '%') == STR_NONE) {
        *ret_bytes = s;
        return true;
    }
    char *out = arena_alloc(a, s.len);
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] != '%') {
            out[n++] = s.p[i];
            continue;
        }
        int high = s.len - i < 3 ? -1 : hex(s.p[i + 1]), low = high < 0 ? -1 : hex(s.p[i + 2]);
        if (low < 0)
            return false;
        out[n++] = (char)(high * 16 + low);
        i += 2;
    }
    *ret_bytes = str_of(out, n);
    return true;
}

static bool is_mime(struct str s)
{
    size_t slash = str_find_char(s, '/');
    if (slash == STR_NONE || slash == 0 || slash + 1 == s.len || s.len > 127)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = ascii_lower(s.p[i]);
        if (i != slash && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
            !(c && strchr("+-._", c)))
            return false;
    }
    return true;
}

struct str ir_mime(struct str text, struct arena *a)
{
    struct str mime = str_trim(str_cut(&text, ';'));
    if (!is_mime(mime))
        return str_of(NULL, 0);
    char *low = arena_alloc(a, mime.len);
    for (size_t i = 0; i < mime.len; i++)
        low[i] = ascii_lower(mime.p[i]);
    mime.p = low;
    return str_eq(mime, STR("image/jpg")) ? STR("image/jpeg") : mime;
}

bool ir_data_url(struct str json, struct arena *a, struct str *ret_mime, struct str *ret_data)
{
    /* The head is looked at first: a URL of another scheme is not unescaped for nothing. */
    if (json.len < 7 || !str_starts_nocase(str_skip(json, 1), STR("data:")))
        return false;
    struct str rest = str_skip(json_unescape(json, a), 5), bytes, mime, data;
    size_t comma = str_find_char(rest, ',');
    if (comma == STR_NONE)
        return false;
    struct str head = str_trim(str_head(rest, comma));
    rest = str_skip(rest, comma + 1);
    bool coded = head.len >= 7 && str_eq_nocase(str_skip(head, head.len - 7), STR(";base64"));
    if (coded)
        head.len -= 7;
    mime = ir_mime(head, a);
    if (str_cut(&head, ';').len && mime.len == 0)
        return false;
    if (!percent_decode(rest, a, &bytes) || bytes.len == 0)
        return false;
    if (!coded)
        data = base64_encode(bytes, a);
    else if (!ir_base64(bytes, a, &data))
        return false;
    *ret_mime = mime;
    *ret_data = data;
    return true;
}
