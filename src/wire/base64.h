/* wire/base64.h -- RFC 4648, standard and URL alphabets. Pure; thread: any. */
#ifndef WIRE_BASE64_H
#define WIRE_BASE64_H

#include "base/arena.h"
#include "base/err.h"

#define BASE64_ENCODED_BYTES(n) (((n) + 2) / 3 * 4)

struct str base64_encode(struct str bytes, struct arena *a);    /* with padding */
struct str base64url_encode(struct str bytes, struct arena *a); /* without padding */

/* Either alphabet, padding optional but right if it is there, no white space, no bits left over
 * (so that one sequence of bytes has one text in each form). Errors: ERR_SYNTAX. */
MUST_CHECK enum err base64_decode(struct str text, struct arena *a, struct str *ret_bytes);

#endif
