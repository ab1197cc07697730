/* base/hash.h -- SipHash-1-3 and a map from bytes to pointers.
 *
 * Keys from outside are hashed with a seed drawn at start, so that nobody can choose collisions. The map borrows its
 * keys: they must live as long as it. Insert and look up only; it is built once and then read (config, routes) or
 * rebuilt. Thread: readers may share a map that nobody writes. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/str.h"

struct hash_seed {
    uint64_t k0, k1;
};

uint64_t hash_bytes(const struct hash_seed *seed, struct str s);

struct map_slot {
    struct str key;
    void *value; /* NULL: free */
    uint64_t hash;
};

struct map {
    struct map_slot *slots;
    size_t count, room;
    struct hash_seed seed;
};

void map_init(struct map *m, struct hash_seed seed);
void map_done(struct map *m);
void *map_get(const struct map *m, struct str key); /* NULL: absent */
/* Sets, returns the value that stood there before or NULL. `value` is not NULL. */
void *map_put(struct map *m, struct str key, void *value);

#endif
