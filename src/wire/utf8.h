/* wire/utf8.h -- UTF-8 as RFC 3629 has it. Pure; thread: any. */
#ifndef WIRE_UTF8_H
#define WIRE_UTF8_H

#include "base/str.h"

bool utf8_valid(struct str s);

/* Length of the valid sequence at s.p (1-4), or 0. */
size_t utf8_seq(struct str s);

/* Where utf8_seq gives 0: how many bytes one U+FFFD should stand for (the longest start of a
 * sequence that could have become valid, else 1; Unicode 3.9, "maximal subparts"). 0 for the empty
 * slice. */
size_t utf8_bad(struct str s);

/* Writes 1-4 bytes. `code` is a scalar value (no surrogate, <= 0x10ffff). */
size_t utf8_put(uint32_t code, char ret_bytes[4]);

#endif
