#include "base/rng.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

void rng_init(struct rng *r)
{
    *r = (struct rng){ 0 };
}

void rng_init_seeded(struct rng *r, uint64_t seed)
{
    *r = (struct rng){ .seeded = seed };
}

static void refill_seeded(struct rng *r)
{
    for (size_t i = 0; i < sizeof r->pool; i += 8) {
        r->seeded ^= r->seeded << 13; /* xorshift64 */
        r->seeded ^= r->seeded >> 7;
        r->seeded ^= r->seeded << 17;
        memcpy(r->pool + i, &r->seeded, 8);
    }
}

static void refill(struct rng *r)
{
    if (r->seeded) {
        refill_seeded(r);
    } else {
        size_t got = 0;
        while (got < sizeof r->pool) {
            ssize_t n = getrandom(r->pool + got, sizeof r->pool - got, 0);
            if (n < 0 && errno != EINTR)
                abort();
            if (n > 0)
                got += (size_t)n;
        }
    }
    r->left = sizeof r->pool;
}

void rng_bytes(struct rng *r, void *ret_bytes, size_t n)
{
    unsigned char *out = ret_bytes;
    while (n) {
        if (r->left == 0)
            refill(r);
        size_t take = n < r->left ? n : r->left;
        unsigned char *from = r->pool + sizeof r->pool - r->left;
        memcpy(out, from, take);
        memset(from, 0, take); /* bytes that became a secret do not stay here */
        r->left -= take;
        out += take;
        n -= take;
    }
}

uint64_t rng_u64(struct rng *r)
{
    uint64_t v;
    rng_bytes(r, &v, sizeof v);
    return v;
}

static void put_byte(char ret_text[2], unsigned char b)
{
    static const char hex[] = "0123456789abcdef";
    ret_text[0] = hex[b >> 4];
    ret_text[1] = hex[b & 15];
}

void rng_uuid(struct rng *r, char ret_text[RNG_UUID_BYTES])
{
    unsigned char b[16];
    rng_bytes(r, b, sizeof b);
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    char *out = ret_text;
    for (size_t i = 0; i < sizeof b; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *out++ = '-';
        put_byte(out, b[i]);
        out += 2;
    }
    *out = '\0';
}

void rng_hex(struct rng *r, char *ret_text, size_t n)
{
    for (size_t i = 0; i < n; i += 2) {
        unsigned char b;
        rng_bytes(r, &b, 1);
        put_byte(ret_text + i, b);
    }
}

void rng_alnum(struct rng *r, char *ret_text, size_t n)
{
    static const char set[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    while (n) {
        unsigned char b;
        rng_bytes(r, &b, 1);
        if (b >= 248) /* 4 * 62: the rest would favour the first symbols */
            continue;
        *ret_text++ = set[b % 62];
        n--;
    }
}
