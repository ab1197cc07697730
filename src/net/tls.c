#include "base/mem.h"
#include "net/tls_priv.h"

#include <openssl/err.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* One slot a peer, by hash: two peers of one slot evict each other, which costs a full handshake
 * and nothing else. */
#define SESSION_SLOTS 256

struct session_slot {
    char *peer;
    SSL_SESSION *session;
};

struct tls_ctx {
    atomic_size_t refs;
    bool server, verify;
    char *ca_file; /* client; NULL: the system's store */
    BIO_METHOD *bio;
    pthread_mutex_t lock; /* guards what follows */
    SSL_CTX *ssl;         /* client: NULL before the first dial */
    struct session_slot sessions[SESSION_SLOTS];
};

static const unsigned char alpn_http11[] = "\x08http/1.1";

static long bio_ctrl(BIO *b, int cmd, long n, void *p)
{
    return cmd == BIO_CTRL_FLUSH;
}

static int bio_create(BIO *b)
{
    BIO_set_init(b, 1);
    return 1;
}

static struct tls_ctx *ctx_new(bool server)
{
    struct tls_ctx *t = MEM_NEW(struct tls_ctx);
    atomic_init(&t->refs, 1);
    t->server = server;
    pthread_mutex_init(&t->lock, NULL);
    t->bio = BIO_meth_new(BIO_TYPE_SOURCE_SINK | 0x70, "weir stream");
    if (!t->bio)
        abort(); /* out of memory */
    BIO_meth_set_create(t->bio, bio_create);
    BIO_meth_set_read_ex(t->bio, filter_bio_read);
    BIO_meth_set_write_ex(t->bio, filter_bio_write);
    BIO_meth_set_ctrl(t->bio, bio_ctrl);
    return t;
}

struct tls_ctx *tls_ref(struct tls_ctx *t)
{
    atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
    return t;
}

void tls_unref(struct tls_ctx *t)
{
    if (!t || atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < SESSION_SLOTS; i++) {
        SSL_SESSION_free(t->sessions[i].session);
        mem_free(t->sessions[i].peer);
    }
    SSL_CTX_free(t->ssl);
    BIO_meth_free(t->bio);
    pthread_mutex_destroy(&t->lock);
    mem_free(t->ca_file);
    mem_free(t);
}

BIO_METHOD *tls_bio_method(struct tls_ctx *t)
{
    return t->bio;
}

const char *tls_error_text(void)
{
    unsigned long first = ERR_peek_error(), last = ERR_peek_last_error();
    /* A file that cannot be opened: what the system said is more than what OpenSSL makes of it. */
    const char *text = ERR_GET_LIB(first) == ERR_LIB_SYS ? strerrordesc_np(ERR_GET_REASON(first))
                       : last                            ? ERR_reason_error_string(last)
                                                         : NULL;
    return text ? text : "unknown TLS error";
}

static char *cstr_of(struct str s)
{
    char *z = mem_alloc(s.len + 1);
    if (s.len)
        memcpy(z, s.p, s.len);
    z[s.len] = 0;
    return z;
}

static SSL_CTX *ssl_ctx_new(const SSL_METHOD *method)
{
    SSL_CTX *c = SSL_CTX_new(method);
    if (!c)
        return NULL;
    SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
    SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS);
    return c;
}

/* -- client */

struct tls_ctx *tls_client_new(struct str ca_file, bool verify)
{
    struct tls_ctx *t = ctx_new(false);
    t->verify = verify;
    t->ca_file = ca_file.len ? cstr_of(ca_file) : NULL;
    return t;
}

static int on_session(SSL *ssl, SSL_SESSION *session)
{
    struct tls_ctx *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    struct str peer = filter_session_peer(ssl);
    if (!peer.len || !SSL_SESSION_is_resumable(session))
        return 0;
    tls_session_put(t, peer, session);
    return 1; /* the reference is ours */
}

static SSL_CTX *client_ctx(struct tls_ctx *t, char ret_problem[TLS_PROBLEM_BYTES])
{
    SSL_CTX *c = ssl_ctx_new(TLS_client_method());
    if (!c) {
        snprintf(ret_problem, TLS_PROBLEM_BYTES, "%s", tls_error_text());
        return NULL;
    }
    SSL_CTX_set_app_data(c, t);
    SSL_CTX_set_alpn_protos(c, alpn_http11, sizeof alpn_http11 - 1);
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(c, on_session);
    if (!t->verify) {
        SSL_CTX_set_verify(c, SSL_VERIFY_NONE, NULL);
        return c;
    }
    SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
    int ok =
        t->ca_file ? SSL_CTX_load_verify_file(c, t->ca_file) : SSL_CTX_set_default_verify_paths(c);
    if (ok)
        return c;
    snprintf(ret_problem, TLS_PROBLEM_BYTES,
             "CA file %.200s: %s; it must hold certificates in PEM form",
             t->ca_file ? t->ca_file : "of the system", tls_error_text());
    SSL_CTX_free(c);
    return NULL;
}

enum err tls_ssl_new(struct tls_ctx *t, SSL **ret_ssl, char ret_problem[TLS_PROBLEM_BYTES])
{
    ERR_clear_error();
    pthread_mutex_lock(&t->lock);
    /* A failure is tried again by the next dial: the file may be there then. */
    if (!t->ssl)
        t->ssl = client_ctx(t, ret_problem);
    SSL *ssl = t->ssl ? SSL_new(t->ssl) : NULL;
    if (t->ssl && !ssl)
        snprintf(ret_problem, TLS_PROBLEM_BYTES, "%s", tls_error_text());
    pthread_mutex_unlock(&t->lock);
    ERR_clear_error();
    if (!ssl)
        return ERR_TLS;
    *ret_ssl = ssl;
    return ERR_OK;
}

static struct session_slot *slot_of(struct tls_ctx *t, struct str peer)
{
    uint32_t h = 2166136261u; /* FNV-1a: peers come from the configuration, not from outside */
    for (size_t i = 0; i < peer.len; i++)
        h = (h ^ (unsigned char)peer.p[i]) * 16777619u;
    return &t->sessions[h % SESSION_SLOTS];
}

SSL_SESSION *tls_session_get(struct tls_ctx *t, struct str peer)
{
    pthread_mutex_lock(&t->lock);
    struct session_slot *slot = slot_of(t, peer);
    SSL_SESSION *s = slot->session && str_eq(str_c(slot->peer), peer) ? slot->session : NULL;
    if (s)
        SSL_SESSION_up_ref(s);
    pthread_mutex_unlock(&t->lock);
    return s;
}

void tls_session_put(struct tls_ctx *t, struct str peer, SSL_SESSION *s)
{
    pthread_mutex_lock(&t->lock);
    struct session_slot *slot = slot_of(t, peer);
    SSL_SESSION_free(slot->session);
    if (!slot->peer || !str_eq(str_c(slot->peer), peer)) {
        mem_free(slot->peer);
        slot->peer = cstr_of(peer);
    }
    slot->session = s;
    pthread_mutex_unlock(&t->lock);
}

/* -- server */

static int on_alpn(SSL *ssl, const unsigned char **ret, unsigned char *ret_len,
                   const unsigned char *offered, unsigned offered_len, void *arg)
{
    unsigned char *chosen = NULL;
    if (SSL_select_next_proto(&chosen, ret_len, alpn_http11, sizeof alpn_http11 - 1, offered,
                              offered_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *ret = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* OpenSSL would ask the terminal. */
static int no_passphrase(char *buf, int size, int writing, void *arg)
{
    return -1;
}

static enum err server_problem(struct arena *a, const char *what, const char *file,
                               struct str *ret_problem)
{
    *ret_problem = arena_printf(a, "%s %s: %s", what, file, tls_error_text());
    ERR_clear_error();
    return ERR_TLS;
}

enum err tls_server_new(struct str cert_file, struct str key_file, struct arena *a,
                        struct tls_ctx **ret_ctx, struct str *ret_problem)
{
    static const unsigned char id[] = "weir";
    const char *cert = arena_cstr(a, cert_file), *key = arena_cstr(a, key_file);
    struct tls_ctx *t = ctx_new(true);
    enum err e = ERR_OK;
    ERR_clear_error();
    SSL_CTX *c = t->ssl = ssl_ctx_new(TLS_server_method());
    if (!c) {
        e = server_problem(a, "TLS", "library", ret_problem);
        goto out;
    }
    SSL_CTX_set_default_passwd_cb(c, no_passphrase);
    SSL_CTX_set_alpn_select_cb(c, on_alpn, NULL);
    SSL_CTX_set_session_id_context(c, id, sizeof id - 1);
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF); /* tickets need no memory here */
    SSL_CTX_set_num_tickets(c, 1);
    if (SSL_CTX_use_certificate_chain_file(c, cert) != 1)
        e = server_problem(a, "certificate file", cert, ret_problem);
    else if (SSL_CTX_use_PrivateKey_file(c, key, SSL_FILETYPE_PEM) != 1)
        e = server_problem(a, "key file", key, ret_problem);
out:
    if (e)
        tls_unref(t);
    else
        *ret_ctx = t;
    return e;
}
