/* net/tunnel.h -- asking a proxy to connect (HTTP CONNECT) on a stream to it. Thread: loop's. */
#ifndef NET_TUNNEL_H
#define NET_TUNNEL_H

#include "net/proxies.h"

/* Called once, from the loop: 0, and the stream now leads to the target; or ERR_PROXY with what is
 * wrong (safe to log, valid during the call). The tunnel has let go of the stream and is freed by
 * then. */
typedef void tunnel_fn(void *ctx, enum err e, struct str problem);

struct tunnel;
struct tunnel *tunnel_start(struct stream *s, const struct proxy *p, struct str host, uint16_t port,
                            tunnel_fn *on_done, void *ctx);
/* No callback comes; the stream is the caller's to close. Accepts NULL. */
void tunnel_cancel(struct tunnel *t);

#endif
