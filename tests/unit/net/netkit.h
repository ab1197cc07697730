/* What the tests of net/ share: a loop with a watchdog, an end of a stream that records what
 * happens to it, certificates made on the spot. */
#ifndef NETKIT_H
#define NETKIT_H

#include "base/arena.h"
#include "base/buf.h"
#include "net/dial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct kit {
    struct loop *l;
    struct dns *dns;
    struct timer watchdog, until;
    bool (*done)(void *ctx);
    void *ctx;
};
int kit_setup(void **state);    /* *state: struct kit */
int kit_teardown(void **state); /* fails when a stream is left */
/* Runs the loop until done(ctx); fails the test after 30 s. */
void kit_run(struct kit *k, bool (*done)(void *ctx), void *ctx);
void kit_run_ms(struct kit *k, uint64_t ms);

/* One end of a connection. */
struct end {
    struct stream *s;
    struct buf got;
    size_t data_calls, drains, ends;
    enum err why;       /* of the last on_end */
    bool echo;          /* sends back what comes */
    size_t pause_after; /* stops reading once so many bytes have come; 0: never */
    /* of a dial */
    bool dialled;
    enum err fail;
    char detail[512];
};
void end_init(struct end *e);
void end_done(struct end *e); /* closes what is open */
void end_take(struct end *e, struct stream *s);
void end_write(struct end *e, const char *text);
void end_close(struct end *e);
bool end_ended(void *e);
bool end_dialled(void *e);

/* A server whose accepted streams become `ends[0..]`. */
#define SERVER_ENDS 8
struct server {
    struct listener *ls;
    struct end ends[SERVER_ENDS];
    size_t count;
    bool echo;
};
void server_start(struct kit *k, struct server *sv, const char *host, struct tls_ctx *tls);
void server_stop(struct server *sv);

struct dial *kit_dial(struct kit *k, struct end *e, const char *host, uint16_t port,
                      struct tls_ctx *tls);
struct dial *kit_dial_by(struct kit *k, struct end *e, const struct dial_opts *o);
void on_dialled(void *ctx, struct stream *s, enum err e, struct str detail); /* ctx: struct end */

/* A port of 127.0.0.1 that refuses: bound, not listening; the caller closes the socket. */
uint16_t refusing_port(int *ret_fd);

/* A connected pair over loopback, plain or TLS. */
void kit_pair(struct kit *k, struct server *sv, struct end *client, struct tls_ctx *server_tls,
              struct tls_ctx *client_tls);

/* -- certificates: made in a temporary folder */
struct certs {
    char dir[64];
    struct arena *arena;
};
void certs_make(struct certs *c);
void certs_done(struct certs *c);
/* "ca.pem", "leaf.pem" (good.test, localhost, 127.0.0.1), "expired.pem", "other-ca.pem", each with
 * a ".key"; "locked.key" has a passphrase. */
struct str certs_path(struct certs *c, const char *name);
struct tls_ctx *certs_server(struct certs *c, const char *name); /* "leaf" */

#endif
