#include "base/mem.h"
#include "netkit.h"

#include <stdio.h>
#include <unistd.h>

struct dial_kit {
    struct kit *k;
    struct server sv;
    struct end client;
    struct certs certs;
};

static int setup(void **state)
{
    struct dial_kit *t = MEM_NEW(struct dial_kit);
    void *k = NULL;
    kit_setup(&k);
    t->k = k;
    end_init(&t->client);
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    struct dial_kit *t = *state;
    void *k = t->k;
    if (t->sv.ls)
        server_stop(&t->sv);
    end_done(&t->client);
    kit_teardown(&k);
    if (t->certs.arena)
        certs_done(&t->certs);
    mem_free(t);
    return 0;
}

/* -- proxies */

/* A proxy with a script: it sends `answer` when a head has come, then behaves as the target (an
 * echo) for the bytes after it, or leads to `target` if that is set. */
struct fake_proxy {
    struct dial_kit *t;
    struct listener *ls;
    struct stream *s, *target_s;
    struct buf head;
    const char *answer;
    size_t pieces; /* the answer is sent in so many writes, a turn apart */
    size_t sent;
    bool close_after, answered;
    uint16_t target;
    struct timer timer;
    size_t connections;
};

static void proxy_relay(void *ctx, struct str bytes)
{
    struct fake_proxy *p = ctx;
    stream_write(p->s, &bytes, 1);
}

static void proxy_target(void *ctx, struct stream *s, enum err e, struct str detail)
{
    struct fake_proxy *p = ctx;
    static const struct stream_events ev = { .on_data = proxy_relay };
    assert_int_equal(e, ERR_OK);
    p->target_s = s;
    stream_set_events(s, &ev, p);
}

static void proxy_send(void *ctx)
{
    struct fake_proxy *p = ctx;
    size_t len = strlen(p->answer), n = (len + p->pieces - 1) / p->pieces;
    struct str part = str_head(str_skip(str_c(p->answer), p->sent), n);
    stream_write(p->s, &part, 1);
    p->sent += part.len;
    if (p->sent < len)
        timer_set(&p->timer, 1);
    else if (p->close_after)
        stream_shutdown(p->s);
}

static void proxy_data(void *ctx, struct str bytes)
{
    struct fake_proxy *p = ctx;
    if (p->answered) {
        if (p->target_s)
            stream_write(p->target_s, &bytes, 1);
        else
            stream_write(p->s, &bytes, 1);
        return;
    }
    buf_put(&p->head, bytes);
    if (!str_ends(buf_str(&p->head), STR("\r\n\r\n")))
        return;
    p->answered = true;
    if (p->answer)
        proxy_send(p);
    if (p->target) {
        struct dial_opts o = { .host = STR("127.0.0.1"), .port = p->target, .timeout_ms = 5000 };
        net_dial(p->t->k->l, p->t->k->dns, &o, proxy_target, p);
    }
}

static void proxy_accept(void *ctx, struct stream *s)
{
    struct fake_proxy *p = ctx;
    static const struct stream_events ev = { .on_data = proxy_data };
    p->s = s;
    p->connections++;
    stream_set_events(s, &ev, p);
}

static void proxy_start(struct dial_kit *t, struct fake_proxy *p, const char *answer)
{
    memset(p, 0, sizeof *p);
    p->t = t;
    p->answer = answer;
    p->pieces = 1;
    buf_init(&p->head, MIB);
    timer_init(&p->timer, t->k->l, proxy_send, p);
    struct listen_opts o = { .host = STR("127.0.0.1") };
    int e = 0;
    assert_int_equal(listener_new(t->k->l, &o, proxy_accept, p, &p->ls, &e), ERR_OK);
}

static void proxy_stop(struct fake_proxy *p)
{
    timer_stop(&p->timer);
    if (p->s)
        stream_close(p->s);
    if (p->target_s)
        stream_close(p->target_s);
    listener_close(p->ls);
    buf_done(&p->head);
}

static struct proxies *proxies_of(struct fake_proxy *p, const char *userinfo)
{
    char url[128];
    snprintf(url, sizeof url, "http://%s127.0.0.1:%u", userinfo, listener_port(p->ls));
    return proxies_new(str_c(url), str_c(url), STR(""), STR("direct.test"));
}

struct tunnel_case {
    const char *answer; /* NULL: none */
    size_t pieces;
    const char *problem; /* NULL: it works */
    bool close_after;
};

static void tunnel_answers(void **state)
{
    struct dial_kit *t = *state;
    static const struct tunnel_case cases[] = {
        { "HTTP/1.1 200 Connection established\r\n\r\n", 1 },
        { "HTTP/1.1 200 Connection established\r\n\r\n", 100 },
        { "HTTP/1.0 200 OK\r\nVia: x\r\nProxy-Agent: y\r\n\r\n", 3 },
        { "HTTP/1.1 200\r\n\r\n", 1 },
        { "HTTP/1.1 204 \n\n", 1 },
        { "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", 1 },
        { "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", 100 },
        { "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n", 1,
          "answered CONNECT with 407 Proxy Authentication Required; check the user and password in HTTP_PROXY" },
        { "HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno!", 1,
          "answered CONNECT with 403 Forbidden" },
        { "HTTP/1.1 502 \x1b[31mred\r\n\r\n", 1, "answered CONNECT with 502 " },
        { "HTTP/1.1 502\r\n\r\n", 1, "answered CONNECT with 502 " },
        { "HTTP/1.1 301 Moved\r\nLocation: http://x/\r\n\r\n", 1,
          "answered CONNECT with 301 Moved" },
        { "HTTP/1.1 200 OK\r\n\r\nearly", 1, "before the target was spoken to" },
        { "HTTP/1.1 2000 OK\r\n\r\n", 1, "not HTTP/1" },
        { "HTTP/1.1 099 OK\r\n\r\n", 1, "not HTTP/1" },
        { "HTTP/2 200\r\n\r\n", 1, "not HTTP/1" },
        { "SSH-2.0-x\r\n\r\n", 1, "not HTTP/1" },
        { "\r\n\r\n", 1, "not HTTP/1" },
        { "HTTP/1.1 200 OK\r\n", 1, "closed the connection before", true },
        { "", 1, "closed the connection before", true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fake_proxy p;
        proxy_start(t, &p, cases[i].answer);
        p.pieces = cases[i].pieces;
        p.close_after = cases[i].close_after;
        struct proxies *px = proxies_of(&p, "");
        struct dial_opts o = {
            .host = STR("target.test"), .port = 8080, .proxies = px, .timeout_ms = 5000
        };
        kit_dial_by(t->k, &t->client, &o);
        kit_run(t->k, end_dialled, &t->client);
        if (cases[i].problem) {
            assert_int_equal(t->client.fail, ERR_PROXY);
            if (!strstr(t->client.detail, cases[i].problem) || strchr(t->client.detail, 0x1b))
                fail_msg("case %zu: %s", i, t->client.detail);
            assert_non_null(strstr(t->client.detail, "for target.test:8080"));
        } else {
            assert_string_equal(t->client.detail, "");
        }
        assert_memory_equal(p.head.p,
                            "CONNECT target.test:8080 HTTP/1.1\r\nHost: target.test:8080\r\n\r\n",
                            p.head.len);
        end_close(&t->client);
        proxy_stop(&p);
        proxies_free(px);
    }
}

static void tunnel_head_is_bounded(void **state)
{
    struct dial_kit *t = *state;
    struct fake_proxy p;
    char *long_answer = mem_zalloc(20000);
    memset(long_answer, 'x', 19999);
    memcpy(long_answer, "HTTP/1.1 200 OK\r\nX: ", 20);
    proxy_start(t, &p, long_answer);
    struct proxies *px = proxies_of(&p, "");
    struct dial_opts o = {
        .host = STR("target.test"), .port = 80, .proxies = px, .timeout_ms = 5000
    };
    kit_dial_by(t->k, &t->client, &o);
    kit_run(t->k, end_dialled, &t->client);
    assert_int_equal(t->client.fail, ERR_PROXY);
    assert_non_null(strstr(t->client.detail, "16 KiB"));
    proxy_stop(&p);
    proxies_free(px);
    mem_free(long_answer);
}

static bool got_reply(void *ctx)
{
    struct end *e = ctx;
    return e->got.len >= 5;
}

static void credentials_and_ipv6(void **state)
{
    struct dial_kit *t = *state;
    struct fake_proxy p;
    proxy_start(t, &p, "HTTP/1.1 407 No\r\n\r\n");
    struct proxies *px = proxies_of(&p, "user:s%65cret@");
    struct dial_opts o = { .host = STR("fd00::1"), .port = 80, .proxies = px, .timeout_ms = 5000 };
    kit_dial_by(t->k, &t->client, &o);
    kit_run(t->k, end_dialled, &t->client);
    static const char head[] = "CONNECT [fd00::1]:80 HTTP/1.1\r\nHost: [fd00::1]:80\r\n"
                               "Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n\r\n";
    assert_int_equal(p.head.len, sizeof head - 1);
    assert_memory_equal(p.head.p, head, sizeof head - 1);
    assert_null(strstr(t->client.detail, "cret"));
    assert_null(strstr(t->client.detail, "dXNl"));
    proxy_stop(&p);
    proxies_free(px);
}

static void tls_through_a_proxy(void **state)
{
    struct dial_kit *t = *state;
    certs_make(&t->certs);
    struct tls_ctx *server = certs_server(&t->certs, "leaf");
    struct tls_ctx *client = tls_client_new(certs_path(&t->certs, "ca.pem"), true);
    server_start(t->k, &t->sv, "127.0.0.1", server);
    t->sv.echo = true;
    struct fake_proxy p;
    proxy_start(t, &p, "HTTP/1.1 200 OK\r\n\r\n");
    p.target = listener_port(t->sv.ls);
    struct proxies *px = proxies_of(&p, "");
    /* good.test is no name that this machine could resolve: the proxy does that */
    struct dial_opts o = {
        .host = STR("good.test"), .port = 443, .tls = client, .proxies = px, .timeout_ms = 5000
    };
    kit_dial_by(t->k, &t->client, &o);
    kit_run(t->k, end_dialled, &t->client);
    assert_string_equal(t->client.detail, "");
    end_write(&t->client, "hello");
    kit_run(t->k, got_reply, &t->client);
    assert_memory_equal(t->client.got.p, "hello", 5);
    end_close(&t->client);
    kit_run_ms(t->k, 20);
    proxy_stop(&p);
    proxies_free(px);
    tls_unref(server);
    tls_unref(client);
}

static void no_proxy_goes_direct(void **state)
{
    struct dial_kit *t = *state;
    server_start(t->k, &t->sv, "127.0.0.1", NULL);
    struct fake_proxy p;
    proxy_start(t, &p, NULL);
    struct proxies *px = proxies_of(&p, "");
    dns_override(t->k->dns, STR("direct.test"), STR("127.0.0.1"));
    struct dial_opts o = { .host = STR("direct.test"),
                           .port = listener_port(t->sv.ls),
                           .proxies = px,
                           .timeout_ms = 5000 };
    kit_dial_by(t->k, &t->client, &o);
    kit_run(t->k, end_dialled, &t->client);
    assert_string_equal(t->client.detail, "");
    assert_int_equal(p.connections, 0);
    proxy_stop(&p);
    proxies_free(px);
}

static void broken_proxies(void **state)
{
    struct dial_kit *t = *state;
    int fd = -1;
    uint16_t port = refusing_port(&fd);
    char refusing[64];
    snprintf(refusing, sizeof refusing, "http://u:secret@127.0.0.1:%u", port);
    dns_override(t->k->dns, STR("none.test"), STR(""));
    const struct {
        const char *url, *problem;
    } cases[] = {
        { refusing, ", the proxy (127.0.0.1): connection refused" },
        { "http://u:secret@none.test:1", "look up the proxy none.test: no such host" },
        { "https://u:secret@127.0.0.1:1",
          "HTTP_PROXY: an https:// URL, a proxy that is spoken to over TLS, is not supported" },
        { "socks5://u:secret@127.0.0.1", "or list target.test in NO_PROXY" },
        { "http://u:secret@127.0.0.1:x", "must look like http://" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct proxies *px = proxies_new(str_c(cases[i].url), STR(""), STR(""), STR(""));
        struct dial_opts o = {
            .host = STR("target.test"), .port = 80, .proxies = px, .timeout_ms = 5000
        };
        kit_dial_by(t->k, &t->client, &o);
        kit_run(t->k, end_dialled, &t->client);
        assert_int_equal(t->client.fail, ERR_PROXY);
        if (!strstr(t->client.detail, cases[i].problem) || strstr(t->client.detail, "secret"))
            fail_msg("case %zu: %s", i, t->client.detail);
        proxies_free(px);
    }
    close(fd);
}

static bool connected_twice(void *ctx)
{
    const struct fake_proxy *p = ctx;
    return p->connections == 2;
}

static void silent_proxy(void **state)
{
    struct dial_kit *t = *state;
    struct fake_proxy p;
    proxy_start(t, &p, NULL);
    struct proxies *px = proxies_of(&p, "");
    struct dial_opts o = {
        .host = STR("target.test"), .port = 80, .proxies = px, .timeout_ms = 300
    };
    kit_dial_by(t->k, &t->client, &o);
    kit_run(t->k, end_dialled, &t->client);
    assert_int_equal(t->client.fail, ERR_TIMEOUT);
    assert_memory_equal(t->client.detail, "waiting for the proxy for target.test:80", 40);
    stream_close(p.s);
    p.s = NULL;
    p.answered = false;
    buf_reset(&p.head);
    o.timeout_ms = 5000;
    struct dial *d = kit_dial_by(t->k, &t->client, &o);
    kit_run(t->k, connected_twice, &p);
    dial_cancel(d);
    kit_run_ms(t->k, 20);
    assert_false(t->client.dialled);
    proxy_stop(&p);
    proxies_free(px);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tunnel_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(tunnel_head_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(credentials_and_ipv6, setup, teardown),
        cmocka_unit_test_setup_teardown(tls_through_a_proxy, setup, teardown),
        cmocka_unit_test_setup_teardown(no_proxy_goes_direct, setup, teardown),
        cmocka_unit_test_setup_teardown(broken_proxies, setup, teardown),
        cmocka_unit_test_setup_teardown(silent_proxy, setup, teardown),
    };
    return cmocka_run_group_tests_name("net/tunnel", tests, NULL, NULL);
}
