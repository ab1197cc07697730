/* net/tls.h -- TLS contexts, over OpenSSL 3: TLS 1.2 or later, ALPN http/1.1, no renegotiation, no
 * compression.
 *
 * A context is immutable after it is made, reference-counted, and may be used by all threads. The
 * CA bundle is read at the first dial that needs it (tls_client_new is cheap). */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct tls_ctx;

/* For dialling. `ca_file` empty: the system's trust store (SSL_CERT_FILE and SSL_CERT_DIR are
 * honoured by OpenSSL). verify false: any certificate is taken; the caller says so loudly in the
 * log. */
struct tls_ctx *tls_client_new(struct str ca_file, bool verify);

/* For serving. Errors: ERR_TLS; `*ret_problem` says which file and what is wrong with it. */
MUST_CHECK enum err tls_server_new(struct str cert_file, struct str key_file, struct arena *a,
                                   struct tls_ctx **ret_ctx, struct str *ret_problem);
struct tls_ctx *tls_ref(struct tls_ctx *t);
void tls_unref(struct tls_ctx *t); /* accepts NULL */

#endif
