#include "base/mem.h"
#include "net/dns_priv.h"
#include "netkit.h"
#include "stall.h"

#include <netdb.h>
#include <netinet/in.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/socket.h>
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

static uint64_t now_ms(struct dial_kit *t)
{
    return loop_now_us(t->k->l) / 1000;
}

/* A listener whose queue is full: connecting to it hangs. */
struct full {
    int listening, waiting[3];
};

static void full_start(struct full *f, const char *ip, uint16_t port)
{
    union addr a = { 0 };
    assert_true(addr_parse(str_c(ip), &a));
    addr_set_port(&a, port);
    int on = 1;
    f->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(f->listening, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    assert_int_equal(bind(f->listening, &a.sa, addr_len(&a)), 0);
    assert_int_equal(listen(f->listening, 0), 0);
    for (int i = 0; i < 3; i++) {
        f->waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (connect(f->waiting[i], &a.sa, addr_len(&a)) == 0)
            continue;
    }
    usleep(10000);
}

static void full_stop(struct full *f)
{
    for (int i = 0; i < 3; i++)
        close(f->waiting[i]);
    close(f->listening);
}

/* -- names and addresses */

static void refused(void **state)
{
    struct dial_kit *t = *state;
    int fd = -1;
    uint16_t port = refusing_port(&fd);
    kit_dial(t->k, &t->client, "127.0.0.1", port, NULL);
    kit_run(t->k, end_dialled, &t->client);
    assert_int_equal(t->client.fail, ERR_CONNECT);
    char want[128];
    snprintf(want, sizeof want, "connect to 127.0.0.1:%u (127.0.0.1): connection refused", port);
    assert_string_equal(t->client.detail, want);
    close(fd);
}

static void bad_hosts(void **state)
{
    struct dial_kit *t = *state;
    static const char *const hosts[] = { "",      "a b",   "a/b", "user@host", "host\r\nX: y",
                                         "[::1]", "a\x7f", "a?b" };
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        kit_dial(t->k, &t->client, hosts[i], 80, NULL);
        kit_run(t->k, end_dialled, &t->client);
        assert_int_equal(t->client.fail, ERR_DNS);
        assert_string_equal(t->client.detail, "not a host name");
    }
}

static void unknown_name(void **state)
{
    struct dial_kit *t = *state;
    dns_override(t->k->dns, STR("none.test"), STR(""));
    kit_dial(t->k, &t->client, "None.test", 80, NULL);
    kit_run(t->k, end_dialled, &t->client);
    assert_int_equal(t->client.fail, ERR_DNS);
    assert_string_equal(t->client.detail, "look up None.test: no such host");
}

struct eyes_case {
    const char *addresses; /* of the name; the server is on 127.0.0.1 only */
    bool hangs;            /* 127.0.0.2 takes nothing instead of refusing */
    uint64_t min_ms, max_ms;
};

struct eyes_try {
    struct dial_kit *t;
    const struct eyes_case *c;
};

static bool dials_in_time(const void *arg)
{
    const struct eyes_try *y = arg;
    struct dial_kit *t = y->t;
    server_start(t->k, &t->sv, "127.0.0.1", NULL);
    uint16_t port = listener_port(t->sv.ls);
    struct full full;
    if (y->c->hangs)
        full_start(&full, "127.0.0.2", port);
    dns_override(t->k->dns, STR("eyes.test"), str_c(y->c->addresses));
    kit_run_ms(t->k, 1);
    uint64_t from_ms = now_ms(t);
    kit_dial(t->k, &t->client, "eyes.test", port, NULL);
    kit_run(t->k, end_dialled, &t->client);
    uint64_t took_ms = now_ms(t) - from_ms;
    assert_string_equal(t->client.detail, "");
    assert_memory_equal(stream_peer(t->client.s).p, "127.0.0.1:", 10);
    end_close(&t->client);
    server_stop(&t->sv);
    t->sv.ls = NULL;
    if (y->c->hangs)
        full_stop(&full);
    print_message("# %s took %u ms\n", y->c->addresses, (unsigned)took_ms);
    assert_true(took_ms >= y->c->min_ms); /* nothing makes it early */
    return took_ms <= y->c->max_ms;
}

static void happy_eyeballs(void **state)
{
    struct dial_kit *t = *state;
    static const struct eyes_case cases[] = {
        { "127.0.0.1", false, 0, 240 },
        { "127.0.0.2,127.0.0.1", false, 0, 240 }, /* refused: the next at once */
        { "::1,127.0.0.1", false, 0, 240 },
        { "255.255.255.255,127.0.0.1", false, 0, 240 }, /* the kernel refuses at once */
        { "::1,127.0.0.2,127.0.0.3,127.0.0.1", false, 0, 240 },
        { "127.0.0.2,127.0.0.1", true, 240, 3000 }, /* silent: the next after 250 ms */
        { "127.0.0.2,::1,127.0.0.1", true, 240, 3000 },
        { "127.0.0.1,127.0.0.2", true, 0, 240 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct eyes_try y = { t, &cases[i] };
        unless_stalled(dials_in_time, &y, 100);
    }
}

static void all_addresses_fail(void **state)
{
    struct dial_kit *t = *state;
    int fd = -1;
    uint16_t port = refusing_port(&fd);
    dns_override(t->k->dns, STR("dead.test"), STR("::1,127.0.0.1,127.0.0.2"));
    kit_dial(t->k, &t->client, "dead.test", port, NULL);
    kit_run(t->k, end_dialled, &t->client);
    assert_int_equal(t->client.fail, ERR_CONNECT);
    assert_non_null(strstr(t->client.detail, "(dead.test): connection refused"));
    close(fd);
}

static void connect_times_out(void **state)
{
    struct dial_kit *t = *state;
    int fd = -1;
    uint16_t port = refusing_port(&fd); /* kept, so that it is nobody else's */
    struct full full;
    full_start(&full, "127.0.0.3", port);
    struct dial_opts o = { .host = STR("127.0.0.3"), .port = port, .timeout_ms = 120 };
    uint64_t from_ms = now_ms(t);
    kit_dial_by(t->k, &t->client, &o);
    kit_run(t->k, end_dialled, &t->client);
    assert_int_equal(t->client.fail, ERR_TIMEOUT);
    assert_true(now_ms(t) - from_ms >= 119);
    char want[128];
    snprintf(want, sizeof want,
             "connecting to 127.0.0.3:%u took more than 120 ms (last tried 127.0.0.3:%u)", port,
             port);
    assert_string_equal(t->client.detail, want);
    full_stop(&full);
    close(fd);
}

/* -- cancelling, in every phase */

struct slow_dns {
    sem_t gate;
};

static int slow_resolve(void *ctx, struct str host, struct addrs *ret_addrs)
{
    struct slow_dns *s = ctx;
    while (sem_wait(&s->gate)) {}
    if (str_eq(host, STR("none.test")))
        return EAI_NONAME;
    ret_addrs->count = 1;
    return addr_parse(STR("127.0.0.1"), &ret_addrs->a[0]) ? 0 : EAI_FAIL;
}

static uint64_t still_now(void *ctx)
{
    return 1;
}

static void dns_is_slow(void **state)
{
    struct dial_kit *t = *state;
    struct slow_dns slow;
    sem_init(&slow.gate, 0, 0);
    struct dns_source src = { slow_resolve, still_now, &slow };
    struct dns *old = t->k->dns;
    t->k->dns = dns_new_with(1, &src);
    server_start(t->k, &t->sv, "127.0.0.1", NULL);

    struct dial_opts o = { .host = STR("slow.test"),
                           .port = listener_port(t->sv.ls),
                           .timeout_ms = 50 };
    kit_dial_by(t->k, &t->client, &o);
    kit_run(t->k, end_dialled, &t->client);
    assert_int_equal(t->client.fail, ERR_TIMEOUT);
    assert_memory_equal(t->client.detail, "looking up slow.test:", 21);

    o.timeout_ms = 5000;
    dial_cancel(kit_dial_by(t->k, &t->client, &o)); /* at once */
    struct dial *d = kit_dial_by(t->k, &t->client, &o);
    kit_run_ms(t->k, 10);
    sem_post(&slow.gate);
    usleep(20000); /* its answer has been posted, and not yet run */
    dial_cancel(d);
    kit_run_ms(t->k, 20);
    assert_false(t->client.dialled);

    kit_dial_by(t->k, &t->client, &o);
    kit_run(t->k, end_dialled, &t->client);
    assert_string_equal(t->client.detail, "");
    sem_post(&slow.gate);
    for (int i = 0; i < 2; i++) { /* looked up; then remembered */
        o.host = STR("none.test");
        kit_dial_by(t->k, &t->client, &o);
        kit_run(t->k, end_dialled, &t->client);
        assert_int_equal(t->client.fail, ERR_DNS);
        assert_string_equal(t->client.detail, "look up none.test: no such host");
    }
    dns_free(t->k->dns);
    t->k->dns = old;
    sem_destroy(&slow.gate);
}

static void cancelled_while_connecting(void **state)
{
    struct dial_kit *t = *state;
    int fd = -1;
    uint16_t port = refusing_port(&fd);
    struct full full;
    full_start(&full, "127.0.0.2", port);
    dns_override(t->k->dns, STR("eyes.test"), STR("127.0.0.2,::1,127.0.0.2"));
    struct dial *d = kit_dial(t->k, &t->client, "eyes.test", port, NULL);
    kit_run_ms(t->k, 270); /* several attempts are under way */
    dial_cancel(d);
    dial_cancel(
        kit_dial(t->k, &t->client, "127.0.0.1", port, NULL)); /* refused already, not yet told */
    dial_cancel(kit_dial(t->k, &t->client, "not a host", port, NULL));
    dial_cancel(NULL);
    kit_run_ms(t->k, 20);
    assert_false(t->client.dialled);
    full_stop(&full);
    close(fd);
}

static bool has_hello(void *ctx)
{
    const struct end *e = ctx;
    return e->got.len > 100;
}

/* A dial that has failed in net_dial is cancelled before it can say so; the client of one that
 * hangs in TLS. */
static void cancelled_in_the_handshake(void **state)
{
    struct dial_kit *t = *state;
    certs_make(&t->certs);
    struct tls_ctx *client = tls_client_new(certs_path(&t->certs, "ca.pem"), true);
    server_start(t->k, &t->sv, "127.0.0.1", NULL); /* takes the hello and says nothing */
    struct dial *d = kit_dial(t->k, &t->client, "127.0.0.1", listener_port(t->sv.ls), client);
    kit_run(t->k, has_hello, &t->sv.ends[0]);
    dial_cancel(d);
    kit_run(t->k, end_ended, &t->sv.ends[0]);
    assert_false(t->client.dialled);
    /* the same, timed out */
    struct dial_opts o = {
        .host = STR("127.0.0.1"), .port = listener_port(t->sv.ls), .tls = client, .timeout_ms = 300
    };
    kit_dial_by(t->k, &t->client, &o);
    kit_run(t->k, end_dialled, &t->client);
    assert_int_equal(t->client.fail, ERR_TIMEOUT);
    assert_memory_equal(t->client.detail, "TLS handshake with 127.0.0.1:", 29);
    tls_unref(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(refused, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_hosts, setup, teardown),
        cmocka_unit_test_setup_teardown(unknown_name, setup, teardown),
        cmocka_unit_test_setup_teardown(happy_eyeballs, setup, teardown),
        cmocka_unit_test_setup_teardown(all_addresses_fail, setup, teardown),
        cmocka_unit_test_setup_teardown(connect_times_out, setup, teardown),
        cmocka_unit_test_setup_teardown(dns_is_slow, setup, teardown),
        cmocka_unit_test_setup_teardown(cancelled_while_connecting, setup, teardown),
        cmocka_unit_test_setup_teardown(cancelled_in_the_handshake, setup, teardown),
    };
    return cmocka_run_group_tests_name("net/dial", tests, NULL, NULL);
}
