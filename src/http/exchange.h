/* http/exchange.h -- one request and its answer, seen from either side. Outside http/ nobody sees a parser or a connection.
 *
 *   server side                                 client side
 *   receives a request, sends an answer         sends a request, receives an answer
 *
 * The received body is pulled: it does not flow until exchange_read(x, true), and stops at exchange_read(x, false); the socket stops
 * with it. The sent body is pushed, paced by exchange_unsent() and on_drain.
 *
 * Life: an exchange is given out by server.h or client.h and is the owner's until exchange_close(), which is always the last call,
 * on success and failure alike, allowed inside callbacks; no callback comes after it. If both messages were complete the connection lives
 * on (next request, or back to the pool); otherwise it is cut.
 * Callbacks never run inside a call on the exchange. Thread: the loop's. */
#ifndef HTTP_EXCHANGE_H
#define HTTP_EXCHANGE_H

#include "base/arena.h"
#include "base/err.h"
#include "http/head.h"
#include "net/loop.h"

struct exchange;

struct exchange_events {
    /* client side only: the head of the final answer (1xx are consumed). */
    void (*on_head)(void *ctx, const struct http_head *head);
    void (*on_body)(void *ctx, struct str bytes); /* valid during the call */
    void (*on_body_end)(void *ctx);               /* the received message is complete */
    void (*on_drain)(void *ctx);                  /* unsent fell to STREAM_LOW_BYTES or less */
    /* The exchange has failed; only exchange_close may follow. exchange_detail() tells more, for the log.
     * server: ERR_EOF, ERR_RESET (the client has gone), ERR_BAD_HTTP (its body's framing), ERR_BODY_TIMEOUT (too slow a body),
     *   ERR_TIMEOUT (the client takes nothing for client_stall_ms).
     *   ERR_BAD_HTTP and ERR_BODY_TIMEOUT may still be answered with exchange_respond, if no answer was begun; the connection closes after it.
     * client: ERR_DNS, ERR_CONNECT, ERR_PROXY, ERR_TLS, ERR_POOL_FULL: nothing was sent;
     *   ERR_TIMEOUT (first byte, or between bytes), ERR_UPSTREAM_CUT (closed or reset before the answer was complete),
     *   ERR_UPSTREAM_BAD (not HTTP). */
    void (*on_error)(void *ctx, enum err e);
};

/* To be called at once when the exchange is given out. */
void exchange_set_events(struct exchange *x, const struct exchange_events *ev, void *ctx);

const struct http_head *exchange_head(
    const struct exchange *x);                    /* the received one; NULL before it came */
struct arena *exchange_arena(struct exchange *x); /* of this exchange; dies with exchange_close */
void exchange_read(struct exchange *x, bool on);

/* Server: the answer's head and, in the same write, the first or only part of its body. `end`: it is complete.
 * With a content_length the parts must add up to it (asserted); without, they are chunks. Headers of `out` are copied. */
void exchange_respond(struct exchange *x, const struct http_out *out, const struct str *body,
                      size_t n, bool end);
/* Server: more of the body; client: more of the body when the request was begun with `end` false. */
void exchange_write(struct exchange *x, const struct str *body, size_t n, bool end);
size_t exchange_unsent(const struct exchange *x);

/* Server: the answer will be the last on this connection (`Connection: close`). Before exchange_respond. */
void exchange_set_close(struct exchange *x);
bool exchange_answered(
    const struct exchange *x); /* a head was sent (server) or received (client) */

struct str exchange_peer(const struct exchange *x);    /* "127.0.0.1:5123" */
struct str exchange_detail(const struct exchange *x);  /* of a failure, for the log; no secrets */
bool exchange_reused(const struct exchange *x);        /* client: on a pooled connection */
uint64_t exchange_bytes_in(const struct exchange *x);  /* body bytes received */
uint64_t exchange_bytes_out(const struct exchange *x); /* body bytes sent */

void exchange_close(struct exchange *x);

/* -- Upgrade (101 and CONNECT): comes with WebSocket; the seam is that only this header would grow an exchange_upgrade(). */

#endif
