#include "wire/base64.h"

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static struct str encode(struct str s, struct arena *a, const char *set, bool pad)
{
    char *out = arena_alloc(a, BASE64_ENCODED_BYTES(s.len)), *to = out;
    for (size_t i = 0; i < s.len; i += 3) {
        size_t left = s.len - i;
        uint32_t w = (uint32_t)(unsigned char)s.p[i] << 16;
        if (left > 1)
            w |= (uint32_t)(unsigned char)s.p[i + 1] << 8;
        if (left > 2)
            w |= (unsigned char)s.p[i + 2];
        *to++ = set[w >> 18];
        *to++ = set[w >> 12 & 63];
        if (left > 1 || pad)
            *to++ = left > 1 ? set[w >> 6 & 63] : '=';
        if (left > 2 || pad)
            *to++ = left > 2 ? set[w & 63] : '=';
    }
    return str_of(out, (size_t)(to - out));
}

struct str base64_encode(struct str bytes, struct arena *a)
{
    return encode(bytes, a, standard, true);
}

struct str base64url_encode(struct str bytes, struct arena *a)
{
    return encode(bytes, a, url, false);
}

/* 0-63, or -1. */
static int32_t digit_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

enum err base64_decode(struct str text, struct arena *a, struct str *ret_bytes)
{
    if (text.len && text.len % 4 == 0 && text.p[text.len - 1] == '=')
        text.len -= text.p[text.len - 2] == '=' ? 2 : 1;
    if (text.len % 4 == 1)
        return ERR_SYNTAX;
    char *out = arena_alloc(a, text.len / 4 * 3 + 3), *to = out;
    uint32_t w = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < text.len; i++) {
        int32_t d = digit_of(text.p[i]);
        if (d < 0)
            return ERR_SYNTAX;
        w = w << 6 | (uint32_t)d;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            *to++ = (char)(w >> bits & 0xff);
        }
    }
    if (w & ((1u << bits) - 1))
        return ERR_SYNTAX;
    *ret_bytes = str_of(out, (size_t)(to - out));
    return ERR_OK;
}
