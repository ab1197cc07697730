/* http/server.h -- HTTP/1.1 over the streams of a listener: keep-alive, pipelining answered in order, Expect: 100-continue,
 * limits and timeouts, and strict framing: what two parsers could read in two ways is refused with 400 and the connection closed.
 *
 * Pipelined requests wait (up to 16 KiB of them) until the answer before them is complete; only one exchange of a connection is out at a time.
 * While an exchange is out the socket is still read, so that a leaving client is seen (on_error, ERR_EOF or ERR_RESET).
 * After an early answer (before the body was read) up to 64 KiB or 1 s of body is discarded, then the connection closes if it is not at its end.
 * Thread: one server a worker. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "http/exchange.h"
#include "net/stream.h"

struct buf;
struct http_server;

struct http_server_opts {
    size_t max_request_line; /* 8 KiB  -> 414 */
    size_t max_header_bytes; /* 32 KiB -> 431 */
    size_t max_header_count; /* 100    -> 431 */
    uint64_t
        header_timeout_ms; /* 10,000: from the first byte of a request (or from accept) to the end of its head -> 408 and close */
    uint64_t keepalive_timeout_ms; /* 75,000 */
    uint64_t body_min_rate,
        body_grace_ms; /* 1,024 B/s after 10,000 ms, while the body is being pulled */
    uint64_t client_stall_timeout_ms; /* 120,000 */
    /* A request's head is complete. The callee owns x: it sets events at once. */
    void (*on_request)(void *ctx, struct exchange *x);
    /* The body (JSON) of an error that the server itself answers: ERR_BAD_HTTP, ERR_URI_TOO_LONG, ERR_HEADERS_TOO_LARGE,
     * ERR_BODY_TIMEOUT. `why` is safe for the client ("header Host is repeated"). Appends to `out`. Also the place to log and count. */
    void (*on_refused)(void *ctx, enum err e, const char *why, struct str peer, struct buf *out);
    void *ctx;
};

struct http_server *http_server_new(struct loop *l, const struct http_server_opts *o);
/* For listener_new: ctx is the server. */
void http_server_accept(void *server, struct stream *s);
/* From now on answers carry `Connection: close`; idle connections are closed. */
void http_server_drain(struct http_server *s);
size_t http_server_connections(const struct http_server *s);
/* Cuts what is left, then frees. Exchanges that are out get on_error(ERR_CANCELLED) first and are closed by their owners. */
void http_server_free(struct http_server *s);

#endif
