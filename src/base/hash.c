#include "base/hash.h"

#include "base/mem.h"

/* SipHash-1-3: one round per word, three at the end (J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input
 * PRF"); strong enough against chosen collisions in tables, and cheap. */
static inline uint64_t rotl(uint64_t x, unsigned b)
{
    return (x << b) | (x >> (64 - b));
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

static inline uint64_t load64(const char *p, size_t n)
{
    uint64_t w = 0;
    memcpy(&w, p, n); /* little-endian machines only, as is the rest of this file */
    return w;
}

uint64_t hash_bytes(const struct hash_seed *seed, struct str s)
{
    uint64_t v[4] = { seed->k0 ^ 0x736f6d6570736575, seed->k1 ^ 0x646f72616e646f6d,
                      seed->k0 ^ 0x6c7967656e657261, seed->k1 ^ 0x7465646279746573 };
    size_t whole = s.len & ~(size_t)7;
    for (size_t i = 0; i < whole; i += 8) {
        uint64_t w = load64(s.p + i, 8);
        v[3] ^= w;
        sip_round(v);
        v[0] ^= w;
    }
    uint64_t last = (uint64_t)s.len << 56;
    if (s.len > whole)
        last |= load64(s.p + whole, s.len - whole);
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void map_init(struct map *m, struct hash_seed seed)
{
    *m = (struct map){ .seed = seed };
}

void map_done(struct map *m)
{
    mem_free(m->slots);
    map_init(m, m->seed);
}

/* The slot of the key, or the free one where it would go. The table always has a free slot. */
static struct map_slot *slot_of(const struct map *m, struct str key, uint64_t hash)
{
    size_t i = (size_t)hash & (m->room - 1);
    while (m->slots[i].value && !(m->slots[i].hash == hash && str_eq(m->slots[i].key, key)))
        i = (i + 1) & (m->room - 1);
    return &m->slots[i];
}

void *map_get(const struct map *m, struct str key)
{
    return m->room ? slot_of(m, key, hash_bytes(&m->seed, key))->value : NULL;
}

static void map_grow(struct map *m)
{
    struct map old = *m;
    m->room = old.room ? old.room * 2 : 16;
    m->slots = mem_zalloc(m->room * sizeof *m->slots);
    for (size_t i = 0; i < old.room; i++)
        if (old.slots[i].value)
            *slot_of(m, old.slots[i].key, old.slots[i].hash) = old.slots[i];
    mem_free(old.slots);
}

void *map_put(struct map *m, struct str key, void *value)
{
    if (m->count * 2 >= m->room)
        map_grow(m);
    uint64_t hash = hash_bytes(&m->seed, key);
    struct map_slot *slot = slot_of(m, key, hash);
    void *before = slot->value;
    if (!before)
        m->count++;
    *slot = (struct map_slot){ key, value, hash };
    return before;
}
