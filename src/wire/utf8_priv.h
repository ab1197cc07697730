/* wire/utf8_priv.h -- one UTF-8 sequence, inline: shared by utf8.c and the JSON scanner. Internal
 * to wire/. */
#ifndef WIRE_UTF8_PRIV_H
#define WIRE_UTF8_PRIV_H

#include <stdbool.h>
#include <stddef.h>

/* May `second` follow `lead`? Overlong forms, surrogates and codes past U+10FFFF fail at the
 * second byte (Unicode, table 3-7). `lead` is in 0xc2..0xf4. */
static inline bool utf8_second(unsigned char lead, unsigned char second)
{
    unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    return second >= low && second <= high;
}

/* Length of the valid sequence at p (1-4), or 0. */
static inline size_t utf8_len(const unsigned char *p, size_t left)
{
    if (left == 0)
        return 0;
    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4 || left < 2 || !utf8_second(p[0], p[1]))
        return 0;
    if (p[0] < 0xe0)
        return 2;
    if (left < 3 || (p[2] & 0xc0) != 0x80)
        return 0;
    if (p[0] < 0xf0)
        return 3;
    return left >= 4 && (p[3] & 0xc0) == 0x80 ? 4 : 0;
}

#endif
