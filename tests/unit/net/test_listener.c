#include "base/mem.h"
#include "netkit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static void nobody(void *ctx, struct stream *s)
{
    stream_close(s);
}

static enum err try_listen(struct kit *k, const struct listen_opts *o, struct listener **ret_ls,
                           int *ret_errno)
{
    *ret_errno = 0;
    return listener_new(k->l, o, nobody, NULL, ret_ls, ret_errno);
}

static void bad_hosts(void **state)
{
    struct kit *k = *state;
    static const char *const hosts[] = { "", "no such host", "300.1.1.1", "::1::", "name.invalid" };
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        struct listen_opts o = { .host = str_c(hosts[i]) };
        struct listener *ls = NULL;
        int e = 0;
        assert_int_equal(try_listen(k, &o, &ls, &e), ERR_DNS);
        assert_null(ls);
    }
    struct listen_opts o = { .host = str_of("127.0.0.1\0x", 11) };
    struct listener *ls = NULL;
    int e = 0;
    assert_int_equal(try_listen(k, &o, &ls, &e), ERR_DNS);
}

static void foreign_address(void **state)
{
    struct kit *k = *state;
    struct listen_opts o = { .host = STR("192.0.2.1") }; /* TEST-NET: of no machine */
    struct listener *ls = NULL;
    int e = 0;
    assert_int_equal(try_listen(k, &o, &ls, &e), ERR_IO);
    assert_int_equal(e, EADDRNOTAVAIL);
}

static void port_in_use(void **state)
{
    struct kit *k = *state;
    struct listen_opts o = { .host = STR("127.0.0.1") };
    struct listener *a = NULL, *b = NULL;
    int e = 0;
    assert_int_equal(try_listen(k, &o, &a, &e), ERR_OK);
    o.port = listener_port(a);
    assert_int_equal(try_listen(k, &o, &b, &e), ERR_IO);
    assert_int_equal(e, EADDRINUSE);
    o.reuse_port = true; /* the first does not share */
    assert_int_equal(try_listen(k, &o, &b, &e), ERR_IO);
    listener_close(a);
    kit_run_ms(k, 5);
    /* closed is free */
    assert_int_equal(try_listen(k, &o, &a, &e), ERR_OK);
    assert_int_equal(try_listen(k, &o, &b, &e), ERR_OK); /* both share */
    assert_int_equal(listener_port(a), listener_port(b));
    listener_close(a);
    listener_close(b);
}

static bool has_ipv6(void)
{
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

struct reach_case {
    const char *listen, *dial;
    bool v6;
};

static void addresses(void **state)
{
    struct kit *k = *state;
    static const struct reach_case cases[] = {
        { "127.0.0.1", "127.0.0.1", false },
        { "localhost", "127.0.0.1", false },
        { "LocalHost", "::1", true },
        { "0.0.0.0", "127.0.0.1", false },
        { "::", "127.0.0.1", true },
        { "::", "::1", true },
        { "::1", "::1", true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (cases[i].v6 && !has_ipv6())
            continue;
        struct server sv;
        struct end client;
        server_start(k, &sv, cases[i].listen, NULL);
        sv.echo = true;
        end_init(&client);
        kit_dial(k, &client, cases[i].dial, listener_port(sv.ls), NULL);
        kit_run(k, end_dialled, &client);
        assert_string_equal(client.detail, "");
        kit_run_ms(k, 10);
        assert_int_equal(sv.count, 1);
        end_done(&client);
        server_stop(&sv);
    }
}

static bool one_accepted(void *ctx)
{
    struct server *sv = ctx;
    return sv->count == 1;
}

static void accepted_sockets_do_not_delay(void **state)
{
    struct kit *k = *state;
    struct server sv;
    struct end client;
    kit_pair(k, &sv, &client, NULL, NULL);
    /* the streams' sockets are the two with a peer */
    int found = 0;
    for (int fd = 3; fd < 256; fd++) {
        struct sockaddr_storage peer;
        socklen_t len = sizeof peer;
        int nodelay = 0, keepalive = 0;
        if (getpeername(fd, (struct sockaddr *)&peer, &len) || peer.ss_family != AF_INET)
            continue;
        len = sizeof nodelay;
        getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &nodelay, &len);
        len = sizeof keepalive;
        getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &keepalive, &len);
        assert_int_not_equal(nodelay, 0);
        assert_int_not_equal(keepalive, 0);
        assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        found++;
    }
    assert_int_equal(found, 2);
    end_done(&client);
    server_stop(&sv);
}

static bool stalled(void *ctx)
{
    struct server *sv = ctx;
    return listener_stalls(sv->ls) > 0;
}

/* Out of descriptors: no spinning, nobody is dropped, and it goes on when there are some. */
static void out_of_descriptors(void **state)
{
    struct kit *k = *state;
    struct server sv;
    server_start(k, &sv, "127.0.0.1", NULL);
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct rlimit old, low;
    getrlimit(RLIMIT_NOFILE, &old);
    int next = dup(0);
    close(next);
    low = old;
    low.rlim_cur = (rlim_t)next;
    setrlimit(RLIMIT_NOFILE, &low);
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons(listener_port(sv.ls)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    assert_int_equal(connect(client, (struct sockaddr *)&a, sizeof a), 0);
    kit_run(k, stalled, &sv);
    kit_run_ms(k, 250);
    uint64_t stalls = listener_stalls(sv.ls);
    assert_true(stalls >= 1 && stalls <= 4);
    assert_int_equal(sv.count, 0);
    setrlimit(RLIMIT_NOFILE, &old);
    kit_run(k, one_accepted, &sv);
    close(client);
    server_stop(&sv);
}

static void close_inside_accept(void *ctx, struct stream *s)
{
    struct listener **ls = ctx;
    listener_close(*ls);
    *ls = NULL;
    stream_close(s);
}

static bool is_null(void *ctx)
{
    return *(void **)ctx == NULL;
}

static void close_while_accepting(void **state)
{
    struct kit *k = *state;
    struct listen_opts o = { .host = STR("127.0.0.1") };
    struct listener *ls = NULL;
    int e = 0;
    assert_int_equal(listener_new(k->l, &o, close_inside_accept, &ls, &ls, &e), ERR_OK);
    struct end a, b;
    end_init(&a);
    end_init(&b);
    uint16_t port = listener_port(ls);
    kit_dial(k, &a, "127.0.0.1", port, NULL);
    kit_dial(k, &b, "127.0.0.1", port, NULL);
    kit_run(k, is_null, &ls);
    kit_run(k, end_dialled, &a);
    kit_run(k, end_dialled, &b);
    kit_run(k, end_ended, &a);
    end_done(&a);
    end_done(&b);
    listener_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bad_hosts, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(foreign_address, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(port_in_use, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(addresses, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(accepted_sockets_do_not_delay, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(out_of_descriptors, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(close_while_accepting, kit_setup, kit_teardown),
    };
    return cmocka_run_group_tests_name("net/listener", tests, NULL, NULL);
}
