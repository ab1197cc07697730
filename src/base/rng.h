/* base/rng.h -- random bytes for ids and secrets, from the kernel, fetched 512 at a time.
 *
 * A test may seed a generator, which then repeats itself and must not be used for anything secret.
 * Thread: one `struct rng` a thread. */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include "base/str.h"

struct rng {
    unsigned char pool[512];
    size_t left;
    uint64_t seeded; /* 0: from the kernel; else the state of the test generator */
};

void rng_init(struct rng *r);                       /* aborts when the kernel gives no randomness */
void rng_init_seeded(struct rng *r, uint64_t seed); /* tests only; seed > 0 */
void rng_bytes(struct rng *r, void *ret_bytes, size_t n);
uint64_t rng_u64(struct rng *r);

#define RNG_UUID_BYTES 37                                    /* text and NUL */
void rng_uuid(struct rng *r, char ret_text[RNG_UUID_BYTES]); /* version 4 */

/* n hex digits, no NUL; n is even. */
void rng_hex(struct rng *r, char *ret_text, size_t n);

/* n characters of [0-9A-Za-z], no NUL. 62 symbols: 5.95 bits each. */
void rng_alnum(struct rng *r, char *ret_text, size_t n);

#endif
