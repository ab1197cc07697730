/* http/client over TLS: answers, reuse, truncation, pools kept apart by their context, and how
 * failures of a dial are told. */
#include "../net/netkit.h"
#include "client_rig.h"

#include <openssl/ssl.h>
#include <sys/socket.h>

enum ending { KEEP, NOTIFY, CUT };

struct tls_mock {
    SSL_CTX *ctx;
    const char *answer;
    enum ending ending;
};

static bool tls_request(SSL *ssl, struct mock_conn *k)
{
    char p[4096];
    buf_reset(&k->in);
    while (str_find(buf_str(&k->in), STR("\r\n\r\n")) == STR_NONE) {
        int n = SSL_read(ssl, p, sizeof p);
        if (n <= 0)
            return false;
        buf_put(&k->in, str_of(p, (size_t)n));
    }
    atomic_fetch_add(&k->mock->requests, 1);
    return true;
}

static void serve_tls(struct mock_conn *k)
{
    const struct tls_mock *t = k->mock->arg;
    SSL *ssl = SSL_new(t->ctx);
    SSL_set_fd(ssl, k->fd);
    if (SSL_accept(ssl) == 1) {
        while (tls_request(ssl, k)) {
            SSL_write(ssl, t->answer, (int)strlen(t->answer));
            if (t->ending == KEEP)
                continue;
            if (t->ending == NOTIFY)
                SSL_shutdown(ssl);
            shutdown(k->fd, SHUT_WR);
            while (recv(k->fd, &(char){ 0 }, 1, 0) > 0) {}
            break;
        }
    } else {
        atomic_fetch_add(&k->mock->fails, 1);
    }
    SSL_free(ssl);
}

struct tls_rig {
    struct rig r;
    struct tls_mock mock;
    struct certs certs;
    struct tls_ctx *trusts, *ignores;
};

static void tls_rig_init(struct tls_rig *t, const char *answer, enum ending ending)
{
    certs_make(&t->certs);
    t->mock = (struct tls_mock){ SSL_CTX_new(TLS_server_method()), answer, ending };
    SSL_CTX_use_certificate_file(t->mock.ctx, certs_path(&t->certs, "leaf.pem").p,
                                 SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(t->mock.ctx, certs_path(&t->certs, "leaf.key").p, SSL_FILETYPE_PEM);
    rig_init(&t->r, serve_tls, &t->mock, NULL);
    t->trusts = tls_client_new(certs_path(&t->certs, "ca.pem"), true);
    t->ignores = tls_client_new(STR(""), false);
    dns_override(t->r.dns, STR("good.test"), STR("127.0.0.1"));
    dns_override(t->r.dns, STR("wrong.test"), STR("127.0.0.1"));
    dns_override(t->r.dns, STR("gone.test"), STR(""));
}

static void tls_rig_done(struct tls_rig *t)
{
    rig_done(&t->r);
    tls_unref(t->trusts);
    tls_unref(t->ignores);
    SSL_CTX_free(t->mock.ctx);
    certs_done(&t->certs);
}

static void set_origin(struct tls_rig *t, const char *host, struct tls_ctx *tls)
{
    struct str path, problem;
    bool https;
    struct str url =
        arena_printf(t->r.arena, "%s://%s:%u", tls ? "https" : "http", host, t->r.mock.port);
    assert_int_equal(origin_parse(url, t->r.arena, &t->r.origin, &path, &https, &problem), ERR_OK);
    assert_int_equal(https, tls != NULL);
    t->r.origin.tls = tls;
}

static void request(struct tls_rig *t, struct call_log *g)
{
    *g = (struct call_log){ 0 };
    struct client_request rq = rig_request(&t->r, "GET", "/");
    call_whole(g, &t->r, &rq);
}

#define SIZED "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
#define OPEN "HTTP/1.1 200 OK\r\n\r\nhello"

static void test_reuse(void **state)
{
    struct tls_rig t;
    tls_rig_init(&t, SIZED, KEEP);
    set_origin(&t, "good.test", t.trusts);
    for (int i = 0; i < 4; i++) {
        struct call_log g;
        request(&t, &g);
        check_ok(&g, 200, "hello");
        assert_int_equal(g.reused, i > 0);
        call_forget(&g);
    }
    tls_rig_done(&t);
    assert_int_equal(atomic_load(&t.r.mock.connections), 1);
}

/* A connection that was made without looking at the certificate must not serve an origin that
 * asks for it. */
static void test_contexts_are_apart(void **state)
{
    struct tls_rig t;
    struct call_log g;
    tls_rig_init(&t, SIZED, KEEP);
    set_origin(&t, "wrong.test", t.ignores);
    for (int i = 0; i < 2; i++) {
        request(&t, &g);
        check_ok(&g, 200, "hello");
        assert_int_equal(g.reused, i);
        call_forget(&g);
    }
    set_origin(&t, "wrong.test", t.trusts);
    request(&t, &g);
    check_err(&g, ERR_TLS, "");
    assert_true(g.detail[0] != '\0');
    call_forget(&g);
    /* A context of the same settings made later is another one: the first lives on in its pool. */
    struct tls_ctx *later = tls_client_new(STR(""), false);
    tls_unref(t.ignores);
    t.ignores = later;
    set_origin(&t, "wrong.test", t.ignores);
    request(&t, &g);
    check_ok(&g, 200, "hello");
    assert_false(g.reused);
    call_forget(&g);
    assert_int_equal(client_connections(t.r.client), 2);
    tls_rig_done(&t);
}

struct tls_end_case {
    const char *answer;
    enum ending ending;
    enum err err;
    const char *body;
};

static const struct tls_end_case ends[] = {
    { OPEN, NOTIFY, ERR_OK, "hello" },
    { OPEN, CUT, ERR_UPSTREAM_CUT,
      "hello" }, /* whoever cuts the TCP connection could shorten the answer */
    { SIZED, NOTIFY, ERR_OK, "hello" },
    { SIZED, CUT, ERR_OK, "hello" }, /* the framing had ended */
    { "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello", NOTIFY, ERR_UPSTREAM_CUT, "hello" },
    { "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello", CUT, ERR_UPSTREAM_CUT, "hello" },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", CUT,
      ERR_UPSTREAM_CUT, "hello" },
    { "HTTP/1.1 200 OK\r\nConten", CUT, ERR_UPSTREAM_CUT, "" },
    { "", NOTIFY, ERR_UPSTREAM_CUT, "" },
};

static void test_ends(void **state)
{
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        struct tls_rig t;
        struct call_log g;
        tls_rig_init(&t, ends[i].answer, ends[i].ending);
        set_origin(&t, "127.0.0.1", t.trusts);
        request(&t, &g);
        if (ends[i].err)
            check_err(&g, ends[i].err, "the connection was ");
        else
            check_ok(&g, 200, ends[i].body);
        assert_true(str_eq(buf_str(&g.body), str_c(ends[i].body)));
        call_forget(&g);
        rig_nap(&t.r, 20);
        assert_int_equal(client_connections(t.r.client), 0);
        tls_rig_done(&t);
        assert_int_equal(atomic_load(&t.r.mock.requests), 1);
    }
}

/* -- what a dial's failure becomes */

static void test_dial_failures(void **state)
{
    struct tls_rig t;
    struct call_log g;
    tls_rig_init(&t, SIZED, KEEP);

    set_origin(&t, "gone.test", t.trusts);
    request(&t, &g);
    check_err(&g, ERR_DNS, "gone.test");
    call_forget(&g);

    set_origin(&t, "wrong.test", t.trusts);
    request(&t, &g);
    check_err(&g, ERR_TLS, "");
    call_forget(&g);

    set_origin(&t, "good.test", t.trusts);
    t.r.origin.port = 1; /* nobody listens */
    request(&t, &g);
    check_err(&g, ERR_CONNECT, "refused");
    call_forget(&g);

    set_origin(&t, "good.test",
               NULL); /* plain HTTP to a TLS port: OpenSSL closes, with an alert or without */
    request(&t, &g);
    assert_int_equal(g.errors, 1);
    assert_true(g.err == ERR_UPSTREAM_CUT || g.err == ERR_UPSTREAM_BAD);
    call_forget(&g);
    assert_int_equal(client_connections(t.r.client), 0);
    tls_rig_done(&t);
}

static void mute(struct mock_conn *k)
{
    while (recv(k->fd, &(char){ 0 }, 1, 0) > 0) {}
}

/* The handshake never ends: a failure to connect, so nothing was sent. */
static void test_connect_timeout(void **state)
{
    struct rig r;
    struct call_log g = { 0 };
    rig_init(&r, mute, NULL, NULL);
    r.origin.tls = tls_client_new(STR(""), false);
    struct client_request rq = rig_request(&r, "POST", "/");
    rq.connect_timeout_ms = 150;
    call_whole(&g, &r, &rq);
    check_err(&g, ERR_CONNECT, "timed out: ");
    assert_non_null(strstr(g.detail, "150 ms"));
    call_forget(&g);
    assert_int_equal(client_connections(r.client), 0);
    tls_unref(r.origin.tls);
    rig_done(&r);
}

/* Closed while DNS, TCP or TLS are under way. */
static void test_close_while_dialling(void **state)
{
    struct tls_rig t;
    tls_rig_init(&t, SIZED, KEEP);
    for (unsigned ms = 0; ms < 12; ms++) {
        static const char *const hosts[] = { "good.test", "gone.test", "localhost", "127.0.0.1" };
        struct call_log g[4] = { 0 };
        for (int i = 0; i < 4; i++) {
            set_origin(&t, hosts[i], t.trusts);
            struct origin *o = arena_alloc(t.r.arena, sizeof *o);
            *o = t.r.origin;
            struct client_request rq = rig_request(&t.r, "GET", "/");
            rq.origin = o;
            call_begin(&g[i], &t.r, &rq);
        }
        if (ms)
            rig_nap(&t.r, ms - 1);
        for (int i = 0; i < 4; i++)
            call_finish(&g[i]);
    }
    tls_rig_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reuse),
        cmocka_unit_test(test_contexts_are_apart),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_dial_failures),
        cmocka_unit_test(test_connect_timeout),
        cmocka_unit_test(test_close_while_dialling),
    };
    return cmocka_run_group_tests_name("http/client/tls", tests, NULL, NULL);
}
