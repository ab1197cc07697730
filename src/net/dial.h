/* net/dial.h -- from an origin to an open stream: DNS, TCP with happy eyeballs (RFC 8305), a
 * CONNECT proxy, TLS with SNI.
 *
 * DNS runs in threads of its own (getaddrinfo), with a cache shared by all workers: an answer is
 * fresh for 30 s; up to 5 min it is still given at once while it is looked up again in the
 * background; up to 1 h it is used when the resolver fails (stale-if-error). Failures are kept for
 * 1 s. At most 1,024 lookups wait ("too many lookups pending").
 * Addresses are tried in the resolver's order with the families alternating, the next one after
 * 250 ms or at once when one fails.
 * Thread: a dial belongs to its loop; `struct dns` is shared. */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include "base/err.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/tls.h"

struct dns;
struct dns *dns_new(unsigned threads);
/* Every dial is over or cancelled before. Lookups that nobody waits for are dropped; a resolver
 * that hangs is left to itself after 1 s. */
void dns_free(struct dns *d);
/* A name answers these addresses from now on: for tests ("name" -> "127.0.0.1,::1"; an empty list:
 * the name does not exist). */
void dns_override(struct dns *d, struct str host, struct str addresses);

/* The values of HTTPS_PROXY (for TLS targets), HTTP_PROXY (for plain ones), ALL_PROXY (where the
 * other is empty) and NO_PROXY, read as curl does; the caller picks between upper and lower case.
 * Immutable. Both kinds of target are reached by CONNECT, and their names are resolved by the
 * proxy. A proxy URL that cannot be used fails each dial that it applies to, with a text that says
 * why. */
struct proxies;
struct proxies *proxies_new(struct str http, struct str https, struct str all, struct str no_proxy);
void proxies_free(struct proxies *p);

struct dial_opts {
    struct str host; /* name or address, IPv6 without brackets; borrowed until on_done */
    uint16_t port;
    struct tls_ctx *tls;           /* NULL: plain; a reference is taken */
    const struct proxies *proxies; /* may be NULL; borrowed until on_done */
    uint64_t timeout_ms;           /* DNS, TCP, proxy and TLS together; 0: none */
};

/* Called exactly once, never from inside net_dial: a stream (the callee's; set its events at once),
 * or NULL with ERR_DNS, ERR_CONNECT, ERR_PROXY (also: the proxy cannot be reached), ERR_TLS,
 * ERR_TIMEOUT; `detail` says for the log what happened, without secrets, valid during the call
 * ("connect to 10.0.0.1:443: connection refused", "certificate has expired"). */
typedef void dial_fn(void *ctx, struct stream *s, enum err e, struct str detail);

struct dial;
struct dial *net_dial(struct loop *l, struct dns *d, const struct dial_opts *o, dial_fn *on_done,
                      void *ctx);
void dial_cancel(struct dial *d); /* no callback comes; not after on_done. Accepts NULL */

#endif
