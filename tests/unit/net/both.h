/* A test that runs over plain TCP and over TLS: a connected pair of ends. */
#ifndef BOTH_H
#define BOTH_H

#include "netkit.h"

struct both {
    struct kit *k;
    struct certs certs;
    struct tls_ctx *server_tls, *client_tls; /* NULL: plain */
    struct server sv;
    struct end client;
    uint64_t since_us;
};

int both_plain(void **state); /* *state: struct both */
int both_tls(void **state);
int both_done(void **state);

void pair(struct both *b);
struct end *server_end(struct both *b);
void wait_bytes(struct both *b, struct end *e, size_t bytes);
bool server_side_ended(void *b);
char *pattern(size_t n); /* bytes that do not repeat early; to be given to mem_free */

#define BIG (24 * MIB) /* more than any socket takes */

/* Two rows of a test table. */
#define BOTH(f)                                                                                    \
    (struct CMUnitTest){ #f, f, both_plain, both_done, NULL }, (struct CMUnitTest)                 \
    {                                                                                              \
#f " (tls)", f, both_tls, both_done, NULL                                                  \
    }

#endif
