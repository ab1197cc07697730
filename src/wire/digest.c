#include "wire/digest.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

#define SHA256_BYTES 32

void sha256_hex(struct str in, char ret_text[SHA256_HEX_BYTES])
{
    static const char hex[] = "0123456789abcdef";
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (!EVP_Digest(in.len ? in.p : "", in.len, sum, &n, EVP_sha256(), NULL) || n != SHA256_BYTES) {
        /* Only a broken libcrypto gets here; ids and key hashes must never be made of garbage. */
        fputs("weir: libcrypto cannot compute SHA-256\n", stderr);
        abort();
    }
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        ret_text[2 * i] = hex[sum[i] >> 4];
        ret_text[2 * i + 1] = hex[sum[i] & 15];
    }
    ret_text[SHA256_HEX_BYTES - 1] = '\0';
}
