#include "net/filter.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <assert.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

/* A whole host name and a port. */
#define PEER_BYTES 264
#define CIPHER_FLUSH_BYTES ((size_t)128 * 1024)

struct filter {
    struct stream *s;
    struct tls_ctx *ctx;
    SSL *ssl;
    struct str in;         /* ciphertext that OpenSSL may take now */
    struct buf held;       /* ciphertext that was read when reading was paused */
    handshake_fn *on_done; /* NULL: the handshake is over */
    void *done_ctx;
    bool interrupted;      /* paused with decrypted bytes or `held` left */
    bool peer_closed;      /* close_notify */
    bool eof;              /* of the socket */
    bool broken;           /* no more calls into OpenSSL */
    char peer[PEER_BYTES]; /* client: "host:port" */
    size_t peer_len;
};

/* -- the BIO: reads the slice at hand, writes to the loop's buffer, never blocks and never fails */

int filter_bio_read(BIO *b, char *to, size_t n, size_t *ret_n)
{
    struct filter *f = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    *ret_n = n < f->in.len ? n : f->in.len;
    if (*ret_n == 0) {
        BIO_set_retry_read(b);
        return 0;
    }
    memcpy(to, f->in.p, *ret_n);
    f->in = str_skip(f->in, *ret_n);
    return 1;
}

static void flush(struct stream *s)
{
    struct buf *out = loop_cipher_buf(s->loop);
    if (!out->len)
        return;
    struct str all = buf_str(out);
    stream_raw_write(s, &all, 1);
    buf_reset(out); /* its memory stays: little more than CIPHER_FLUSH_BYTES, one a loop */
}

int filter_bio_write(BIO *b, const char *from, size_t n, size_t *ret_n)
{
    struct filter *f = BIO_get_data(b);
    struct buf *out = loop_cipher_buf(f->s->loop);
    buf_put(out, str_of(from, n));
    if (out->len >= CIPHER_FLUSH_BYTES)
        flush(f->s);
    *ret_n = n;
    return 1;
}

struct str filter_session_peer(SSL *ssl)
{
    const struct filter *f = SSL_get_app_data(ssl);
    return str_of(f->peer, f->peer_len);
}

/* -- starting */

static enum err filter_new(struct stream *s, struct tls_ctx *t, handshake_fn *on_done, void *ctx,
                           char ret_problem[TLS_PROBLEM_BYTES])
{
    SSL *ssl = NULL;
    TRY(tls_ssl_new(t, &ssl, ret_problem));
    struct filter *f = MEM_NEW(struct filter);
    BIO *bio = BIO_new(tls_bio_method(t));
    if (!bio)
        abort(); /* out of memory */
    BIO_set_data(bio, f);
    SSL_set_bio(ssl, bio, bio);
    SSL_set_app_data(ssl, f);
    f->s = s;
    f->ctx = tls_ref(t);
    f->ssl = ssl;
    f->on_done = on_done;
    f->done_ctx = ctx;
    buf_init(&f->held, SIZE_MAX / 2); /* bounded by pausing: one read at most is held */
    s->tls = f;
    return ERR_OK;
}

static bool is_address(const char *host)
{
    struct in6_addr a;
    return inet_pton(AF_INET, host, &a) == 1 || inet_pton(AF_INET6, host, &a) == 1;
}

static bool set_name(SSL *ssl, const char *host)
{
    X509_VERIFY_PARAM *p = SSL_get0_param(ssl);
    if (is_address(host))
        return X509_VERIFY_PARAM_set1_ip_asc(p, host) == 1; /* RFC 6066: no SNI */
    X509_VERIFY_PARAM_set_hostflags(p, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(p, host, 0) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

static void run(struct stream *s);

enum err filter_start_client(struct stream *s, struct tls_ctx *t, struct str host, uint16_t port,
                             handshake_fn *on_done, void *ctx, char ret_problem[TLS_PROBLEM_BYTES])
{
    char name[PEER_BYTES - 8];
    if (str_ends(host, STR("."))) /* the root's dot is the resolver's, not in certificates */
        host.len--;
    if (host.len == 0 || host.len >= sizeof name || memchr(host.p, 0, host.len)) {
        snprintf(ret_problem, TLS_PROBLEM_BYTES, "the host name is too long or empty");
        return ERR_TLS;
    }
    memcpy(name, host.p, host.len);
    name[host.len] = 0;
    TRY(filter_new(s, t, on_done, ctx, ret_problem));
    struct filter *f = s->tls;
    if (!set_name(f->ssl, name)) {
        snprintf(ret_problem, TLS_PROBLEM_BYTES, "the host name cannot be verified");
        ERR_clear_error();
        return ERR_TLS;
    }
    f->peer_len = (size_t)snprintf(f->peer, sizeof f->peer, "%s:%u", name, port);
    SSL_SESSION *old = tls_session_get(t, str_of(f->peer, f->peer_len));
    if (old)
        SSL_set_session(f->ssl, old);
    SSL_SESSION_free(old);
    SSL_set_connect_state(f->ssl);
    run(s); /* the first flight; it cannot finish the handshake */
    return ERR_OK;
}

enum err filter_start_server(struct stream *s, struct tls_ctx *t, handshake_fn *on_done, void *ctx)
{
    char problem[TLS_PROBLEM_BYTES];
    TRY(filter_new(s, t, on_done, ctx, problem));
    SSL_set_accept_state(s->tls->ssl);
    return ERR_OK;
}

void filter_free(struct filter *f)
{
    if (!f)
        return;
    /* A connection that was cut is no reason to distrust its session; without this OpenSSL drops
     * it. */
    if (!f->broken && !SSL_in_init(f->ssl))
        SSL_set_shutdown(f->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(f->ssl);
    tls_unref(f->ctx);
    buf_done(&f->held);
    mem_free(f);
}

/* -- the handshake */

bool filter_handshaking(const struct filter *f)
{
    return f->on_done != NULL;
}

bool filter_resumed(const struct filter *f)
{
    return SSL_session_reused(f->ssl) == 1;
}

static void done(struct stream *s, enum err e, struct str detail)
{
    handshake_fn *fn = s->tls->on_done;
    s->tls->on_done = NULL;
    fn(s->tls->done_ctx, s, e, detail);
}

void filter_fail(struct stream *s, struct str problem)
{
    s->tls->broken = true;
    done(s, ERR_TLS, problem);
}

static const char *handshake_problem(const struct filter *f)
{
    long v = SSL_get_verify_result(f->ssl);
    unsigned long e = ERR_peek_error();
    if (v != X509_V_OK && SSL_get_verify_mode(f->ssl) != SSL_VERIFY_NONE)
        return X509_verify_cert_error_string(v);
    if (ERR_GET_LIB(e) == ERR_LIB_SSL && ERR_GET_REASON(e) == SSL_R_WRONG_VERSION_NUMBER)
        return "the answer is not TLS (is this a plain-text port?)";
    return tls_error_text();
}

/* True when application bytes may follow. */
static bool handshake(struct stream *s)
{
    struct filter *f = s->tls;
    int r = SSL_do_handshake(f->ssl);
    const char *problem = NULL;
    if (r != 1 && SSL_get_error(f->ssl, r) != SSL_ERROR_WANT_READ)
        problem = handshake_problem(f);
    flush(s); /* also the alert that says why not */
    if (problem)
        stream_end(s, ERR_TLS, problem); /* comes to filter_fail */
    else if (r == 1)
        done(s, ERR_OK, STR(""));
    return r == 1 && !s->closing;
}

/* -- reading */

static void pause_input(struct filter *f)
{
    f->interrupted = true;
    buf_put(&f->held, f->in);
    f->in = str_of(NULL, 0);
}

/* Nothing more can be read for now, or for ever. */
static void read_ended(struct stream *s, int ssl_error, const char *problem)
{
    struct filter *f = s->tls;
    if (ssl_error == SSL_ERROR_WANT_READ)
        return;
    if (ssl_error != SSL_ERROR_ZERO_RETURN) {
        f->broken = true;
        stream_end(s, ERR_TLS, problem);
    } else if (!f->peer_closed) {
        f->peer_closed = true;
        stream_end(s, ERR_EOF, "closed by the peer");
    }
}

static void read_all(struct stream *s)
{
    struct filter *f = s->tls;
    char *plain = loop_plain_buf(s->loop);
    while (!s->closing && !s->ended_hard && !f->broken) {
        if (!s->read_wanted) {
            pause_input(f);
            return;
        }
        size_t len = 0, got = 0;
        int r = 1;
        ERR_clear_error();
        while (len < LOOP_PLAIN_BYTES &&
               (r = SSL_read_ex(f->ssl, plain + len, LOOP_PLAIN_BYTES - len, &got)) == 1)
            len += got;
        int why = r == 1 ? SSL_ERROR_NONE : SSL_get_error(f->ssl, r);
        const char *problem = tls_error_text(); /* now: on_data may write, which clears the queue */
        flush(s);                               /* an answer to a key update, or an alert */
        if (len)
            stream_deliver(s, str_of(plain, len));
        if (s->closing || why == SSL_ERROR_NONE)
            continue;
        read_ended(s, why, problem);
        return;
    }
}

static void run(struct stream *s)
{
    struct filter *f = s->tls;
    ERR_clear_error();
    if (f->on_done && !handshake(s))
        return;
    f->interrupted = false;
    read_all(s);
    if (!f->eof || f->interrupted || s->closing)
        return;
    if (!f->peer_closed)
        stream_end(s, ERR_TLS, "cut off without a TLS close_notify");
}

void filter_input(struct stream *s, struct str cipher)
{
    struct filter *f = s->tls;
    if (f->broken)
        return;
    f->in = cipher;
    run(s);
    f->in = str_of(NULL, 0);
}

bool filter_holds(const struct filter *f)
{
    return f->interrupted;
}

void filter_resume(struct stream *s)
{
    struct filter *f = s->tls;
    if (!s->read_wanted || f->broken || s->ended_hard)
        return;
    struct buf held = f->held;
    buf_init(&f->held, held.cap);
    f->in = buf_str(&held);
    run(s);
    f->in = str_of(NULL, 0);
    buf_done(&held);
}

void filter_eof(struct stream *s)
{
    struct filter *f = s->tls;
    f->eof = true;
    if (f->broken)
        return;
    if (f->on_done)
        stream_end(s, ERR_TLS, "closed by the peer during the TLS handshake");
    else
        filter_resume(s);
}

/* -- writing */

static bool put(struct stream *s, struct str bytes)
{
    size_t n = 0;
    if (!bytes.len)
        return true;
    if (SSL_write_ex(s->tls->ssl, bytes.p, bytes.len, &n) == 1)
        return true;
    s->tls->broken = true;
    stream_fail(s, ERR_TLS, tls_error_text());
    return false;
}

/* Small segments share a record; long ones are encrypted where they lie. */
void filter_write(struct stream *s, const struct str *segs, size_t n)
{
    assert(!s->tls->on_done && "a stream is given out after its handshake");
    if (s->tls->broken)
        return;
    char *record = loop_record_buf(s->loop);
    size_t len = 0;
    bool ok = true;
    ERR_clear_error();
    for (size_t i = 0; i < n && ok; i++) {
        struct str seg = segs[i];
        while (seg.len && ok) {
            if (!len && (seg.len >= LOOP_RECORD_BYTES || i + 1 == n)) {
                ok = put(s, seg);
                break;
            }
            struct str part = str_head(seg, LOOP_RECORD_BYTES - len);
            memcpy(record + len, part.p, part.len);
            len += part.len;
            seg = str_skip(seg, part.len);
            if (len == LOOP_RECORD_BYTES) {
                ok = put(s, str_of(record, len));
                len = 0;
            }
        }
    }
    if (ok)
        put(s, str_of(record, len));
    flush(s);
}

void filter_shutdown(struct stream *s)
{
    struct filter *f = s->tls;
    if (f->on_done || f->broken)
        return;
    ERR_clear_error();
    SSL_shutdown(f->ssl);
    ERR_clear_error();
    flush(s);
}
