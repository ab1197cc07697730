#include "net/filter.h"
#include "net/net_priv.h"

#include "base/mem.h"
#include "tlskit.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct verify_case {
    const char *cert; /* of the server */
    const char *ca;   /* of the client; "" the system's */
    bool verify;
    const char *host;
    const char *problem; /* a part of the detail; NULL: it works */
};

static bool accepted_one(void *ctx)
{
    const struct server *sv = ctx;
    return sv->count == 1;
}

static void certificates(void **state)
{
    struct tls_kit *t = *state;
    static const struct verify_case cases[] = {
        { "leaf", "ca.pem", true, "good.test", NULL },
        { "leaf", "ca.pem", true, "good.test.", NULL },
        { "leaf", "ca.pem", true, "GOOD.test", NULL },
        { "leaf", "ca.pem", true, "127.0.0.1", NULL },
        { "leaf", "ca.pem", true, "bad.test", "ostname mismatch" },
        { "leaf", "ca.pem", true, "127.0.0.2", "IP address mismatch" },
        { "leaf", "other-ca.pem", true, "good.test", "unable to get local issuer certificate" },
        { "leaf", "", true, "good.test", "unable to get local issuer certificate" },
        { "leaf", "none.pem", true, "good.test", "none.pem" },
        { "leaf", "leaf.key", true, "good.test", "leaf.key" }, /* no certificate in it */
        { "expired", "ca.pem", true, "good.test", "certificate has expired" },
        { "other-ca", "ca.pem", true, "good.test", "self-signed certificate" },
        { "leaf", "other-ca.pem", false, "good.test", NULL },
        { "expired", "ca.pem", false, "bad.test", NULL },
        { "leaf", "none.pem", false, "127.0.0.2", NULL }, /* not even read */
        { "leaf", "ca.pem", true, ".", "host name is too long or empty" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct verify_case *c = &cases[i];
        struct tls_ctx *server = certs_server(&t->certs, c->cert);
        struct str ca = *c->ca ? certs_path(&t->certs, c->ca) : STR("");
        struct tls_ctx *client = tls_client_new(ca, c->verify);
        server_start(t->k, &t->sv, "0.0.0.0", server);
        dial(t, c->host, client);
        if (c->problem) {
            assert_int_equal(t->client.fail, ERR_TLS);
            if (!strstr(t->client.detail, c->problem))
                fail_msg("case %zu: %s", i, t->client.detail);
            kit_run_ms(t->k, 10);
            assert_int_equal(t->sv.count, 0);
        } else {
            assert_string_equal(t->client.detail, "");
            t->sv.echo = true;
            kit_run(t->k, accepted_one, &t->sv);
        }
        end_close(&t->client);
        server_stop(&t->sv);
        t->sv.ls = NULL;
        tls_unref(server);
        tls_unref(client);
    }
}

static void a_repaired_ca_file_is_read_by_the_next_dial(void **state)
{
    struct tls_kit *t = *state;
    server_start(t->k, &t->sv, "127.0.0.1", t->leaf);
    struct tls_ctx *client = tls_client_new(certs_path(&t->certs, "late.pem"), true);
    dial(t, "good.test", client);
    assert_int_equal(t->client.fail, ERR_TLS);
    assert_int_equal(symlink("ca.pem", certs_path(&t->certs, "late.pem").p), 0);
    dial(t, "good.test", client);
    assert_string_equal(t->client.detail, "");
    unlink(certs_path(&t->certs, "late.pem").p);
    tls_unref(client);
}

static bool echoed(void *ctx)
{
    struct end *e = ctx;
    return e->got.len >= 2;
}

/* Dials and echoes once, so that the session ticket has come; says whether a session was taken up.
 * */
static bool dial_resumed(struct tls_kit *t, const char *host, struct tls_ctx *client)
{
    t->sv.count = 0;
    t->sv.echo = true;
    dial(t, host, client);
    assert_string_equal(t->client.detail, "");
    end_write(&t->client, "hi");
    kit_run(t->k, echoed, &t->client);
    bool resumed = filter_resumed(t->client.s->tls);
    end_close(&t->client);
    kit_run(t->k, end_ended, &t->sv.ends[0]);
    end_done(&t->sv.ends[0]);
    end_init(&t->sv.ends[0]);
    return resumed;
}

static void sessions_are_resumed(void **state)
{
    struct tls_kit *t = *state;
    server_start(t->k, &t->sv, "127.0.0.1", t->leaf);
    struct tls_ctx *client = tls_client_new(certs_path(&t->certs, "ca.pem"), true);
    assert_false(dial_resumed(t, "good.test", client));
    assert_true(dial_resumed(t, "good.test", client));
    assert_true(dial_resumed(t, "good.test", client));
    /* per origin */
    assert_false(dial_resumed(t, "localhost", client));
    assert_true(dial_resumed(t, "good.test", client));
    /* a cut connection does not spoil the session that came with it (OpenSSL takes a ticket once:
     * one that is cut before the next has come leaves nothing to resume) */
    t->sv.count = 0;
    dial(t, "good.test", client);
    end_write(&t->client, "hi");
    kit_run(t->k, echoed, &t->client);
    stream_abort(t->client.s);
    t->client.s = NULL;
    kit_run_ms(t->k, 20);
    end_done(&t->sv.ends[0]);
    end_init(&t->sv.ends[0]);
    assert_true(dial_resumed(t, "good.test", client));
    /* per context: another trust, another session */
    struct tls_ctx *other = tls_client_new(certs_path(&t->certs, "ca.pem"), true);
    assert_false(dial_resumed(t, "good.test", other));
    tls_unref(client);
    tls_unref(other);
}

/* Workers share a context: its CA bundle, its sessions, its failures. */
struct sharer {
    struct tls_ctx *good, *bad;
    bool ok;
};

static void *share(void *ctx)
{
    struct sharer *sh = ctx;
    char problem[TLS_PROBLEM_BYTES];
    for (int i = 0; i < 50; i++) {
        SSL *ssl = NULL;
        sh->ok =
            sh->ok && tls_ssl_new(sh->bad, &ssl, problem) == ERR_TLS && strstr(problem, "none.pem");
        sh->ok = sh->ok && tls_ssl_new(sh->good, &ssl, problem) == ERR_OK;
        SSL_free(ssl);
        char peer[16];
        snprintf(peer, sizeof peer, "h%d.test:1", i % 7);
        tls_session_put(sh->good, str_c(peer), SSL_SESSION_new());
        SSL_SESSION_free(tls_session_get(sh->good, str_c(peer)));
        tls_unref(tls_ref(sh->good));
    }
    return NULL;
}

static void threads_share_a_context(void **state)
{
    struct tls_kit *t = *state;
    struct sharer sh[4];
    pthread_t th[4];
    struct tls_ctx *good = tls_client_new(certs_path(&t->certs, "ca.pem"), true);
    struct tls_ctx *bad = tls_client_new(certs_path(&t->certs, "none.pem"), true);
    for (int i = 0; i < 4; i++) {
        sh[i] = (struct sharer){ good, bad, true };
        pthread_create(&th[i], NULL, share, &sh[i]);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(th[i], NULL);
        assert_true(sh[i].ok);
    }
    assert_null(tls_session_get(good, STR("other.test:1")));
    tls_unref(good);
    tls_unref(bad);
}

/* -- peers that are not what they should be: a thread with a plain socket, or OpenSSL without
 * manners */

struct rude {
    int fd;
    uint16_t port;
    pthread_t th;
    void (*act)(struct rude *r, int fd);
    SSL_CTX *ctx;
    const unsigned char *alpn;
    size_t alpn_len;
};

static void *rude_main(void *ctx)
{
    struct rude *r = ctx;
    int fd = accept(r->fd, NULL, NULL);
    if (fd >= 0) {
        r->act(r, fd);
        close(fd);
    }
    return NULL;
}

static void rude_start(struct rude *r, void (*act)(struct rude *r, int fd))
{
    r->act = act;
    r->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof a;
    assert_int_equal(bind(r->fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(r->fd, 4), 0);
    getsockname(r->fd, (struct sockaddr *)&a, &len);
    r->port = ntohs(a.sin_port);
    pthread_create(&r->th, NULL, rude_main, r);
}

static void rude_stop(struct rude *r)
{
    shutdown(r->fd, SHUT_RDWR);
    pthread_join(r->th, NULL);
    close(r->fd);
}

static void read_some(int fd)
{
    char buf[4096];
    if (read(fd, buf, sizeof buf) < 0)
        return;
}

static void answer_http(struct rude *r, int fd)
{
    read_some(fd);
    static const char text[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    if (write(fd, text, sizeof text - 1) > 0)
        read_some(fd);
}

static void hang_up(struct rude *r, int fd)
{
    read_some(fd);
}

static void reset(struct rude *r, int fd)
{
    read_some(fd);
    struct linger l = { 1, 0 };
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
}

/* A whole handshake and "data", then the end without close_notify. */
static void truncate_answer(struct rude *r, int fd)
{
    SSL *ssl = SSL_new(r->ctx);
    SSL_set_fd(ssl, fd);
    char buf[16];
    if (SSL_accept(ssl) == 1 && SSL_read(ssl, buf, sizeof buf) > 0)
        SSL_write(ssl, "data", 4);
    SSL_free(ssl);
}

/* The same, but the data's record is spoilt on its way. */
static void corrupt_answer(struct rude *r, int fd)
{
    SSL *ssl = SSL_new(r->ctx);
    SSL_set_fd(ssl, fd);
    char buf[16];
    if (SSL_accept(ssl) == 1 && SSL_read(ssl, buf, sizeof buf) > 0) {
        SSL_write(ssl, "data", 4);
        static const unsigned char record[] = { 23, 3, 3, 0, 20, 1, 2, 3, 4, 5, 6, 7, 8,
                                                9,  1, 2, 3, 4,  5, 6, 7, 8, 9, 1, 2 };
        if (write(fd, record, sizeof record) > 0)
            read_some(fd);
    }
    SSL_free(ssl);
}

struct rude_case {
    void (*act)(struct rude *r, int fd);
    const char *problem;
};

static void peers_that_fail_the_handshake(void **state)
{
    struct tls_kit *t = *state;
    static const struct rude_case cases[] = {
        { answer_http, "is this a plain-text port?" },
        { hang_up, "during the TLS handshake" },
        { reset, "connection reset by peer" },
    };
    struct tls_ctx *client = tls_client_new(certs_path(&t->certs, "ca.pem"), true);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rude r = { 0 };
        rude_start(&r, cases[i].act);
        end_init(&t->client);
        kit_dial(t->k, &t->client, "good.test", r.port, client);
        kit_run(t->k, end_dialled, &t->client);
        assert_int_equal(t->client.fail, ERR_TLS);
        if (!strstr(t->client.detail, cases[i].problem))
            fail_msg("case %zu: %s", i, t->client.detail);
        rude_stop(&r);
    }
    tls_unref(client);
}

static SSL_CTX *plain_server_ctx(struct tls_kit *t)
{
    SSL_CTX *c = SSL_CTX_new(TLS_server_method());
    assert_int_equal(
        SSL_CTX_use_certificate_file(c, certs_path(&t->certs, "leaf.pem").p, SSL_FILETYPE_PEM), 1);
    assert_int_equal(
        SSL_CTX_use_PrivateKey_file(c, certs_path(&t->certs, "leaf.key").p, SSL_FILETYPE_PEM), 1);
    return c;
}

/* The data before the cut is delivered; the cut is no orderly end. */
static void cut_streams(struct tls_kit *t, void (*act)(struct rude *r, int fd), int max_version)
{
    struct tls_ctx *client = tls_client_new(certs_path(&t->certs, "ca.pem"), true);
    struct rude r = { .ctx = plain_server_ctx(t) };
    SSL_CTX_set_max_proto_version(r.ctx, max_version);
    rude_start(&r, act);
    end_init(&t->client);
    kit_dial(t->k, &t->client, "good.test", r.port, client);
    kit_run(t->k, end_dialled, &t->client);
    assert_string_equal(t->client.detail, "");
    end_write(&t->client, "hi");
    kit_run(t->k, end_ended, &t->client);
    assert_int_equal(t->client.why, ERR_TLS);
    assert_int_equal(t->client.ends, 1);
    assert_int_equal(t->client.got.len, 4);
    assert_true(stream_problem(t->client.s).len > 0);
    assert_false(stream_alive(t->client.s));
    end_write(&t->client, "no more");
    end_done(&t->client);
    rude_stop(&r);
    SSL_CTX_free(r.ctx);
    tls_unref(client);
}

static void truncation_is_an_error(void **state)
{
    cut_streams(*state, truncate_answer, TLS1_3_VERSION);
    cut_streams(*state, truncate_answer, TLS1_2_VERSION);
}

static void a_bad_record_is_an_error(void **state)
{
    cut_streams(*state, corrupt_answer, TLS1_3_VERSION);
    cut_streams(*state, corrupt_answer, TLS1_2_VERSION);
}

static void old_versions_are_refused(void **state)
{
    struct tls_kit *t = *state;
    struct tls_ctx *client = tls_client_new(certs_path(&t->certs, "ca.pem"), true);
    struct rude r = { .ctx = plain_server_ctx(t) };
    SSL_CTX_set_min_proto_version(r.ctx, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(r.ctx, TLS1_1_VERSION);
    SSL_CTX_set_security_level(r.ctx, 0);
    rude_start(&r, truncate_answer);
    kit_dial(t->k, &t->client, "good.test", r.port, client);
    kit_run(t->k, end_dialled, &t->client);
    assert_int_equal(t->client.fail, ERR_TLS);
    rude_stop(&r);
    SSL_CTX_free(r.ctx);
    tls_unref(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(certificates, tls_setup, tls_teardown),
        cmocka_unit_test_setup_teardown(a_repaired_ca_file_is_read_by_the_next_dial, tls_setup,
                                        tls_teardown),
        cmocka_unit_test_setup_teardown(sessions_are_resumed, tls_setup, tls_teardown),
        cmocka_unit_test_setup_teardown(threads_share_a_context, tls_setup, tls_teardown),
        cmocka_unit_test_setup_teardown(peers_that_fail_the_handshake, tls_setup, tls_teardown),
        cmocka_unit_test_setup_teardown(truncation_is_an_error, tls_setup, tls_teardown),
        cmocka_unit_test_setup_teardown(a_bad_record_is_an_error, tls_setup, tls_teardown),
        cmocka_unit_test_setup_teardown(old_versions_are_refused, tls_setup, tls_teardown),
    };
    return cmocka_run_group_tests_name("net/tls", tests, NULL, NULL);
}
