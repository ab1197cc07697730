#include "net/filter.h"
#include "net/net_priv.h"

#include "base/mem.h"
#include "tlskit.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct rude_client {
    struct tls_kit *t;
    pthread_t th;
    const char *alpn;
    size_t alpn_len;
    int connected;
    char chosen[16];
    atomic_bool through;
};

static void *rude_client_main(void *ctx)
{
    struct rude_client *c = ctx;
    SSL_CTX *sc = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(sc);
    if (c->alpn_len)
        SSL_set_alpn_protos(ssl, (const unsigned char *)c->alpn, (unsigned)c->alpn_len);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons(listener_port(c->t->sv.ls)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0) {
        SSL_set_fd(ssl, fd);
        c->connected = SSL_connect(ssl);
        const unsigned char *p = NULL;
        unsigned n = 0;
        SSL_get0_alpn_selected(ssl, &p, &n);
        snprintf(c->chosen, sizeof c->chosen, "%.*s", (int)n, p ? (const char *)p : "");
        SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    SSL_CTX_free(sc);
    close(fd);
    atomic_store(&c->through, true);
    return NULL;
}

static bool rude_client_is_through(void *ctx)
{
    const struct rude_client *c = ctx;
    return atomic_load(&c->through);
}

static void alpn(void **state)
{
    struct tls_kit *t = *state;
    static const struct {
        struct str offer;
        bool ok;
        const char *chosen;
    } cases[] = {
        { STR_INIT(""), true, "" },
        { STR_INIT("\x08http/1.1"), true, "http/1.1" },
        { STR_INIT("\x02h2\x08http/1.1"), true, "http/1.1" },
        { STR_INIT("\x02h2"), false, "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        server_start(t->k, &t->sv, "127.0.0.1", t->leaf);
        struct rude_client c = { .t = t, .alpn = cases[i].offer.p, .alpn_len = cases[i].offer.len };
        pthread_create(&c.th, NULL, rude_client_main, &c);
        kit_run(t->k, rude_client_is_through, &c);
        pthread_join(c.th, NULL);
        kit_run_ms(t->k, 10); /* what it sent last */
        assert_int_equal(c.connected == 1, cases[i].ok);
        assert_string_equal(c.chosen, cases[i].chosen);
        assert_int_equal(t->sv.count, cases[i].ok);
        server_stop(&t->sv);
    }
    t->sv.ls = NULL;
}

static void noise_instead_of_a_handshake(void **state)
{
    struct tls_kit *t = *state;
    server_start(t->k, &t->sv, "127.0.0.1", t->leaf);
    static const char *const noises[] = { "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\x16\x03\x01",
                                          "\x16\x03\x01\xff\xff",
                                          "\xff\xff\xff\xff\xff\xff\xff\xff" };
    for (size_t i = 0; i < 4; i++) {
        end_init(&t->client);
        kit_dial(t->k, &t->client, "127.0.0.1", listener_port(t->sv.ls), NULL);
        kit_run(t->k, end_dialled, &t->client);
        end_write(&t->client, noises[i]);
        kit_run_ms(t->k, 10);
        end_done(&t->client);
    }
    kit_run_ms(t->k, 20);
    assert_int_equal(t->sv.count, 0);
    /* one that says nothing, when the listener closes */
    end_init(&t->client);
    kit_dial(t->k, &t->client, "127.0.0.1", listener_port(t->sv.ls), NULL);
    kit_run(t->k, end_dialled, &t->client);
    kit_run_ms(t->k, 10);
    server_stop(&t->sv);
    t->sv.ls = NULL;
    kit_run(t->k, end_ended, &t->client);
}

/* -- a server that is not ready to read when the handshake ends, though bytes came with the last of
 * it */

static void take_paused(void *ctx, struct stream *s)
{
    struct server *sv = ctx;
    end_take(&sv->ends[sv->count++], s);
    stream_read(s, false);
}

static bool has_ten(void *ctx)
{
    struct end *e = ctx;
    return e->got.len >= 10;
}

static bool accepted(void *ctx)
{
    struct server *sv = ctx;
    return sv->count > 0;
}

static void write_at_once(void *ctx, struct stream *s, enum err e, struct str detail)
{
    on_dialled(ctx, s, e, detail);
    end_write(ctx, "0123456789");
    end_close(ctx);
}

static void bytes_behind_the_handshake(void **state)
{
    struct tls_kit *t = *state;
    struct tls_ctx *client = tls_client_new(certs_path(&t->certs, "ca.pem"), true);
    for (int round = 0; round < 3; round++) {
        memset(&t->sv, 0, sizeof t->sv);
        end_init(&t->sv.ends[0]);
        struct listen_opts o = { .host = STR("127.0.0.1"), .tls = t->leaf };
        int e = 0;
        assert_int_equal(listener_new(t->k->l, &o, take_paused, &t->sv, &t->sv.ls, &e), ERR_OK);
        struct dial_opts d = { .host = STR("good.test"),
                               .port = listener_port(t->sv.ls),
                               .tls = client,
                               .timeout_ms = 5000 };
        t->client.dialled = false;
        net_dial(t->k->l, t->k->dns, &d, write_at_once, &t->client);
        kit_run(t->k, accepted, &t->sv);
        kit_run_ms(t->k, 20);
        struct end *end = &t->sv.ends[0];
        assert_int_equal(end->got.len, 0);
        assert_int_equal(end->ends, 0);
        if (round == 0) {
            stream_read(end->s, true);
            stream_read(end->s, false); /* changed its mind before the loop came to it */
            kit_run_ms(t->k, 20);
            assert_int_equal(end->got.len, 0);
        }
        if (round < 2) { /* else closed with the bytes held */
            stream_read(end->s, true);
            assert_int_equal(end->got.len, 0);
            kit_run(t->k, has_ten, end);
            kit_run(t->k, end_ended, end);
            assert_int_equal(end->why, ERR_EOF);
        }
        server_stop(&t->sv);
        kit_run_ms(t->k, 5);
    }
    t->sv.ls = NULL;
    tls_unref(client);
}

static void a_failed_write_ends_later(void **state)
{
    struct tls_kit *t = *state;
    struct tls_ctx *client = tls_client_new(certs_path(&t->certs, "ca.pem"), true);
    server_start(t->k, &t->sv, "127.0.0.1", t->leaf);
    dial(t, "good.test", client);
    filter_shutdown(
        t->client.s); /* behind the stream's back: OpenSSL refuses to write from now on */
    end_write(&t->client, "hello");
    end_write(&t->client, "again");
    assert_int_equal(t->client.ends, 0);
    kit_run(t->k, end_ended, &t->client);
    assert_int_equal(t->client.why, ERR_TLS);
    assert_int_equal(t->client.ends, 1);
    tls_unref(client);
}

static void never(void *ctx, struct stream *s)
{
    fail();
}

static void silence_instead_of_a_handshake(void **state)
{
    struct tls_kit *t = *state;
    struct listen_opts o = { .host = STR("127.0.0.1"), .tls = t->leaf, .handshake_ms = 60 };
    int e = 0;
    assert_int_equal(listener_new(t->k->l, &o, never, NULL, &t->sv.ls, &e), ERR_OK);
    kit_dial(t->k, &t->client, "127.0.0.1", listener_port(t->sv.ls), NULL);
    kit_run(t->k, end_dialled, &t->client);
    uint64_t from_us = loop_now_us(t->k->l);
    kit_run(t->k, end_ended, &t->client);
    assert_true(loop_now_us(t->k->l) - from_us >= 20000);
    assert_true(loop_now_us(t->k->l) - from_us < 5000000);
}

struct files_case {
    const char *cert, *key, *problem;
};

static void server_files(void **state)
{
    struct tls_kit *t = *state;
    static const struct files_case cases[] = {
        { "none.pem", "leaf.key", "none.pem: No such file" },
        { "leaf.pem", "none.key", "none.key: No such file" },
        { "leaf.key", "leaf.key", "certificate file" },
        { "leaf.pem", "leaf.pem", "key file" },
        { "leaf.pem", "ca.key", "key values mismatch" },
        { "leaf.pem", "locked.key", "key file" }, /* has a passphrase: nobody is asked for it */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tls_ctx *ctx = NULL;
        struct str problem = { 0 };
        enum err e =
            tls_server_new(certs_path(&t->certs, cases[i].cert),
                           certs_path(&t->certs, cases[i].key), t->certs.arena, &ctx, &problem);
        assert_int_equal(e, ERR_TLS);
        assert_null(ctx);
        if (str_find(problem, str_c(cases[i].problem)) == STR_NONE)
            fail_msg("case %zu: %.*s", i, STR_ARG(problem));
        assert_int_equal(ERR_peek_error(), 0);
    }
    tls_unref(NULL);
}

static void contexts_are_counted(void **state)
{
    struct tls_kit *t = *state;
    server_start(t->k, &t->sv, "127.0.0.1", t->leaf);
    struct tls_ctx *client = tls_client_new(certs_path(&t->certs, "ca.pem"), true);
    dial(t, "good.test", client);
    assert_ptr_equal(tls_ref(client), client);
    tls_unref(client);
    tls_unref(client); /* the stream lives on with its own reference */
    t->sv.echo = true;
    end_write(&t->client, "hi");
    kit_run_ms(t->k, 30);
    assert_int_equal(t->client.ends, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(alpn, tls_setup, tls_teardown),
        cmocka_unit_test_setup_teardown(noise_instead_of_a_handshake, tls_setup, tls_teardown),
        cmocka_unit_test_setup_teardown(bytes_behind_the_handshake, tls_setup, tls_teardown),
        cmocka_unit_test_setup_teardown(a_failed_write_ends_later, tls_setup, tls_teardown),
        cmocka_unit_test_setup_teardown(silence_instead_of_a_handshake, tls_setup, tls_teardown),
        cmocka_unit_test_setup_teardown(server_files, tls_setup, tls_teardown),
        cmocka_unit_test_setup_teardown(contexts_are_counted, tls_setup, tls_teardown),
    };
    return cmocka_run_group_tests_name("net/tls_serve", tests, NULL, NULL);
}
