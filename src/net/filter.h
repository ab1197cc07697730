/* net/filter.h -- TLS over a stream: ciphertext in and out of OpenSSL, without a socket of
 * OpenSSL's own.
 *
 * A filter belongs to its stream (stream->tls) and lives until the handle is closed. The functions
 * take the stream. Thread: the loop's. */
#ifndef NET_FILTER_H
#define NET_FILTER_H

#include "net/net_priv.h"
#include "net/tls_priv.h"

/* Called once, from the loop, when the handshake is over; ERR_TLS with what is wrong (safe to log).
 * Not called when the stream is closed first. The stream may be closed from within. */
typedef void handshake_fn(void *ctx, struct stream *s, enum err e, struct str detail);

/* Puts TLS onto a connected stream and begins the handshake. `host` and `port` name the peer
 * (client) and are copied. Errors: ERR_TLS, with a text that is safe to log. */
enum err filter_start_client(struct stream *s, struct tls_ctx *t, struct str host, uint16_t port,
                             handshake_fn *on_done, void *ctx, char ret_problem[TLS_PROBLEM_BYTES]);
enum err filter_start_server(struct stream *s, struct tls_ctx *t, handshake_fn *on_done, void *ctx);

bool filter_handshaking(const struct filter *f);
/* Ends the handshake; the caller has ended the stream. */
void filter_fail(struct stream *s, struct str problem);
void filter_input(struct stream *s, struct str cipher); /* from the socket */
void filter_eof(struct stream *s);                      /* of the socket */
void filter_write(struct stream *s, const struct str *segs, size_t n);
void filter_shutdown(struct stream *s);      /* sends close_notify */
bool filter_resumed(const struct filter *f); /* the handshake took up an earlier session */
bool filter_holds(const struct filter *f);   /* bytes came while reading was paused */
void filter_resume(struct stream *s);
void filter_free(struct filter *f); /* accepts NULL */

#endif
