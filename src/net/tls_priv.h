/* net/tls_priv.h -- what the filter needs of a context. Thread: any, unless stated. */
#ifndef NET_TLS_PRIV_H
#define NET_TLS_PRIV_H

#include "net/tls.h"

#include <openssl/ssl.h>

/* A connection's state. A client context reads its CA bundle here, the first time. Errors: ERR_TLS,
 * with a text that is safe to log. */
#define TLS_PROBLEM_BYTES 320
MUST_CHECK enum err tls_ssl_new(struct tls_ctx *t, SSL **ret_ssl,
                                char ret_problem[TLS_PROBLEM_BYTES]);
BIO_METHOD *tls_bio_method(struct tls_ctx *t);

/* The latest session of a peer ("host:port"), to be given to SSL_set_session and freed; NULL: none.
 * */
SSL_SESSION *tls_session_get(struct tls_ctx *t, struct str peer);
void tls_session_put(struct tls_ctx *t, struct str peer, SSL_SESSION *s); /* takes the reference */

/* What OpenSSL's queue of this thread says, as a constant text. */
const char *tls_error_text(void);

/* filter.c: the BIO's functions, and the peer of a connection that got a session. */
int filter_bio_read(BIO *b, char *to, size_t n, size_t *ret_n);
int filter_bio_write(BIO *b, const char *from, size_t n, size_t *ret_n);
struct str filter_session_peer(SSL *ssl);

#endif
