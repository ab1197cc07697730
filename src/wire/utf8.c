#include "wire/utf8.h"

#include "wire/utf8_priv.h"

size_t utf8_seq(struct str s)
{
    return utf8_len((const unsigned char *)s.p, s.len);
}

size_t utf8_bad(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    if (s.len < 2 || p[0] < 0xc2 || p[0] > 0xf4)
        return s.len ? 1 : 0;
    size_t want = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (!utf8_second(p[0], p[1]))
        return 1;
    size_t n = 2;
    while (n < want && n < s.len && (p[n] & 0xc0) == 0x80)
        n++;
    return n;
}

bool utf8_valid(struct str s)
{
    const char *p = s.p, *end = s.len ? s.p + s.len : s.p;
    while (p < end) {
        uint64_t w;
        if (end - p >= 8 && (memcpy(&w, p, 8), (w & UINT64_C(0x8080808080808080)) == 0)) {
            p += 8;
            continue;
        }
        size_t n = utf8_len((const unsigned char *)p, (size_t)(end - p));
        if (n == 0)
            return false;
        p += n;
    }
    return true;
}

size_t utf8_put(uint32_t code, char ret_bytes[4])
{
    if (code < 0x80) {
        ret_bytes[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        ret_bytes[0] = (char)(0xc0 | code >> 6);
        ret_bytes[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        ret_bytes[0] = (char)(0xe0 | code >> 12);
        ret_bytes[1] = (char)(0x80 | (code >> 6 & 0x3f));
        ret_bytes[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    ret_bytes[0] = (char)(0xf0 | code >> 18);
    ret_bytes[1] = (char)(0x80 | (code >> 12 & 0x3f));
    ret_bytes[2] = (char)(0x80 | (code >> 6 & 0x3f));
    ret_bytes[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}
