/* http/client.h -- requests to providers: pools of kept-alive connections, one per origin and
 * worker.
 *
 * client_send leases an idle connection or dials, writes head and body in one vectored write,
 * and gives the answer to the exchange's events. A pooled connection that turns out dead before
 * one byte of the answer came is replaced once, silently, by a fresh dial (the body is kept for
 * it). No redirect is ever followed, no cookie kept. Answers of every status come to on_head
 * alike. Idle connections are watched: one that closes or speaks out of turn leaves the pool.
 * Thread: one client a worker. */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "http/exchange.h"
#include "net/dial.h"

/* Where a deployment lives. Immutable; made once per snapshot, referenced by exchanges and pools
 * by value of `key`. */
struct origin {
    /* "https://host:443": with `tls` (CA, verify), all that tells two origins' pools apart. */
    struct str key;
    struct str host; /* without brackets */
    uint16_t port;
    struct str authority; /* for the Host header: host, and port where it is not the scheme's */
    struct tls_ctx *tls;  /* NULL: plain. Pools are told apart by it, and keep a reference */
};

/* Parses "https://host[:port][/base/path]"; the path (no trailing slash) to *ret_path. `tls` is
 * left NULL: the caller sets it when *ret_https, to a context that lives as long as the origin.
 * Errors: ERR_SYNTAX with *ret_problem (safe text): other schemes, userinfo, query, fragment,
 * bad port. */
MUST_CHECK enum err origin_parse(struct str url, struct arena *a, struct origin *ret_origin,
                                 struct str *ret_path, bool *ret_https, struct str *ret_problem);

struct client;
struct client_opts {
    struct dns *dns;
    const struct proxies *proxies;
    uint64_t idle_ms, life_ms;     /* 50,000; 3,600,000 */
    size_t connections_per_origin; /* 1,024: beyond, ERR_POOL_FULL */
    size_t max_header_bytes;       /* of an answer: 64 KiB */
};
struct client *client_new(struct loop *l, const struct client_opts *o);
void client_free(struct client *c); /* all exchanges are closed before */
size_t client_connections(const struct client *c);

struct client_request {
    const struct origin *origin; /* borrowed until exchange_close */
    /* Copied. `host` empty: the origin's authority. content_length is computed from the body, and
     * sent where there is a body or the method is POST, PUT or PATCH. */
    struct http_out head;
    /* Segments. The array is copied; the bytes are borrowed until exchange_close. */
    const struct str *body;
    size_t body_count;
    /* The body goes on with exchange_write, the last time with `end`. head.content_length is then
     * what all parts add up to; -1: chunked. A pooled connection that proves dead is not replaced
     * once exchange_write was called. */
    bool more;
    uint64_t connect_timeout_ms;
    /* From the end of the request to the answer's head; 0: none. */
    uint64_t first_byte_timeout_ms;
    /* Between bytes of the answer's body, while it is pulled; 0: none. */
    uint64_t idle_timeout_ms;
};
/* Never fails at once: failures come to on_error. The answer's body flows only after
 * exchange_read(x, true). */
struct exchange *client_send(struct client *c, const struct client_request *rq,
                             const struct exchange_events *ev, void *ctx);

#endif
