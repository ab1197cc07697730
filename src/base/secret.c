#include "base/secret.h"

#include "base/mem.h"

struct secret {
    size_t len;
    char bytes[];
};

void wipe(void *p, size_t n)
{
    if (n)
        explicit_bzero(p, n);
}

struct secret *secret_new(struct str bytes)
{
    struct secret *s = mem_alloc(sizeof *s + bytes.len + 1);
    s->len = bytes.len;
    if (bytes.len)
        memcpy(s->bytes, bytes.p, bytes.len);
    s->bytes[bytes.len] = '\0';
    return s;
}

void secret_free(struct secret *s)
{
    if (!s)
        return;
    wipe(s->bytes, s->len);
    mem_free(s);
}

bool secret_eq(const struct secret *s, struct str bytes)
{
    unsigned char diff = (unsigned char)(s->len != bytes.len);
    for (size_t i = 0; i < bytes.len; i++)
        diff |= (unsigned char)(bytes.p[i] ^ s->bytes[s->len ? i % s->len : 0]);
    return diff == 0;
}

struct str secret_reveal(const struct secret *s)
{
    return str_of(s->bytes, s->len);
}

size_t secret_len(const struct secret *s)
{
    return s->len;
}
