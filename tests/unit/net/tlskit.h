/* A client under test, certificates, and a server with the good one. Its names: good.test, bad.test
 * (127.0.0.1). */
#ifndef TLSKIT_H
#define TLSKIT_H

#include "netkit.h"

struct tls_kit {
    struct kit *k;
    struct certs certs;
    struct tls_ctx *leaf;
    struct server sv;
    struct end client;
};

int tls_setup(void **state); /* *state: struct tls_kit; the server is started by the test */
int tls_teardown(void **state);
/* Dials the server by `host` and waits for what comes of it. */
void dial(struct tls_kit *t, const char *host, struct tls_ctx *client);

#endif
