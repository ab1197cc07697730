/* wire/digest.h -- SHA-256 of bytes, as lower-case hexadecimal. Pure; thread: any. */
#ifndef WIRE_DIGEST_H
#define WIRE_DIGEST_H

#include "base/str.h"

#define SHA256_HEX_BYTES 65 /* 64 digits and a NUL */

void sha256_hex(struct str in, char ret_text[SHA256_HEX_BYTES]);

#endif
