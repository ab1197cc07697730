#include "both.h"

#include "base/mem.h"

int both_plain(void **state)
{
    struct both *b = MEM_NEW(struct both);
    void *k = NULL;
    kit_setup(&k);
    b->k = k;
    *state = b;
    return 0;
}

int both_tls(void **state)
{
    both_plain(state);
    struct both *b = *state;
    certs_make(&b->certs);
    b->server_tls = certs_server(&b->certs, "leaf");
    b->client_tls = tls_client_new(certs_path(&b->certs, "ca.pem"), true);
    return 0;
}

int both_done(void **state)
{
    struct both *b = *state;
    void *k = b->k;
    server_stop(&b->sv);
    end_done(&b->client);
    kit_teardown(&k);
    tls_unref(b->server_tls);
    tls_unref(b->client_tls);
    if (b->certs.arena)
        certs_done(&b->certs);
    mem_free(b);
    return 0;
}

void pair(struct both *b)
{
    kit_pair(b->k, &b->sv, &b->client, b->server_tls, b->client_tls);
}

struct end *server_end(struct both *b)
{
    return &b->sv.ends[0];
}

/* Condition: an end has got so many bytes. */
struct want {
    struct end *e;
    size_t bytes;
};

static bool has_bytes(void *ctx)
{
    struct want *w = ctx;
    return w->e->got.len >= w->bytes;
}

void wait_bytes(struct both *b, struct end *e, size_t bytes)
{
    struct want w = { e, bytes };
    kit_run(b->k, has_bytes, &w);
}

bool server_side_ended(void *ctx)
{
    struct both *b = ctx;
    return server_end(b)->ends > 0;
}

char *pattern(size_t n)
{
    char *p = mem_alloc(n);
    uint32_t x = 1;
    for (size_t i = 0; i < n; i++) {
        x = x * 1664525u + 1013904223u;
        p[i] = (char)(x >> 24);
    }
    return p;
}
