#include "netkit.h"

#include "base/mem.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define WATCHDOG_MS 30000

/* -- the loop */

static void on_watchdog(void *ctx)
{
    fprintf(stderr, "# watchdog: the test waits for something that does not come\n");
    abort();
}

/* Looks after every turn by being deferred from a timer of a few milliseconds. */
static void on_until(void *ctx)
{
    struct kit *k = ctx;
    if (k->done(k->ctx))
        loop_stop(k->l);
    else
        timer_set(&k->until, 1);
}

int kit_setup(void **state)
{
    struct kit *k = MEM_NEW(struct kit);
    k->l = loop_new();
    k->dns = dns_new(2);
    timer_init(&k->watchdog, k->l, on_watchdog, k);
    timer_init(&k->until, k->l, on_until, k);
    *state = k;
    return 0;
}

int kit_teardown(void **state)
{
    struct kit *k = *state;
    timer_stop(&k->until);
    loop_free(k->l);
    dns_free(k->dns);
    mem_free(k);
    return 0;
}

void kit_run(struct kit *k, bool (*done)(void *ctx), void *ctx)
{
    k->done = done;
    k->ctx = ctx;
    timer_set(&k->watchdog, WATCHDOG_MS);
    timer_set(&k->until, 1);
    loop_run(k->l);
    timer_stop(&k->watchdog);
    timer_stop(&k->until);
    assert_true(done(ctx));
}

/* A machine that stood still brings the timer before what came meanwhile: a few turns more. */
struct nap {
    struct timer t;
    unsigned turns;
};

static bool is_past(void *ctx)
{
    struct nap *n = ctx;
    return n->t.due_us == 0 && ++n->turns > 3;
}

static void nothing(void *ctx)
{
}

void kit_run_ms(struct kit *k, uint64_t ms)
{
    struct nap n = { .turns = 0 };
    timer_init(&n.t, k->l, nothing, NULL);
    timer_set(&n.t, ms);
    kit_run(k, is_past, &n);
}

/* -- ends */

static void on_data(void *ctx, struct str bytes)
{
    struct end *e = ctx;
    e->data_calls++;
    buf_put(&e->got, bytes);
    if (e->echo)
        stream_write(e->s, &bytes, 1);
    if (e->pause_after && e->got.len >= e->pause_after) {
        e->pause_after = 0;
        stream_read(e->s, false);
    }
}

static void on_end(void *ctx, enum err why)
{
    struct end *e = ctx;
    e->ends++;
    e->why = why;
}

static void on_drain(void *ctx)
{
    struct end *e = ctx;
    e->drains++;
}

static const struct stream_events end_events = { on_data, on_end, on_drain };

void end_init(struct end *e)
{
    memset(e, 0, sizeof *e);
    buf_init(&e->got, SIZE_MAX / 2);
}

void end_done(struct end *e)
{
    end_close(e);
    buf_done(&e->got);
}

void end_take(struct end *e, struct stream *s)
{
    e->s = s;
    stream_set_events(s, &end_events, e);
}

void end_write(struct end *e, const char *text)
{
    struct str seg = str_c(text);
    stream_write(e->s, &seg, 1);
}

void end_close(struct end *e)
{
    if (e->s)
        stream_close(e->s);
    e->s = NULL;
}

bool end_ended(void *ctx)
{
    struct end *e = ctx;
    return e->ends > 0;
}

bool end_dialled(void *ctx)
{
    struct end *e = ctx;
    return e->dialled;
}

/* -- servers */

static void on_accept(void *ctx, struct stream *s)
{
    struct server *sv = ctx;
    assert_true(sv->count < SERVER_ENDS);
    struct end *e = &sv->ends[sv->count++];
    e->echo = sv->echo;
    end_take(e, s);
}

void server_start(struct kit *k, struct server *sv, const char *host, struct tls_ctx *tls)
{
    memset(sv, 0, sizeof *sv);
    for (size_t i = 0; i < SERVER_ENDS; i++)
        end_init(&sv->ends[i]);
    struct listen_opts o = { .host = str_c(host), .tls = tls };
    int e = 0;
    assert_int_equal(listener_new(k->l, &o, on_accept, sv, &sv->ls, &e), ERR_OK);
    assert_int_not_equal(listener_port(sv->ls), 0);
}

void server_stop(struct server *sv)
{
    listener_close(sv->ls);
    for (size_t i = 0; i < SERVER_ENDS; i++)
        end_done(&sv->ends[i]);
}

/* -- dials */

void on_dialled(void *ctx, struct stream *s, enum err e, struct str detail)
{
    struct end *end = ctx;
    assert_false(end->dialled);
    end->dialled = true;
    end->fail = e;
    snprintf(end->detail, sizeof end->detail, "%.*s", STR_ARG(detail));
    assert_true((s != NULL) == (e == ERR_OK));
    if (s)
        end_take(end, s);
}

struct dial *kit_dial_by(struct kit *k, struct end *e, const struct dial_opts *o)
{
    end_close(e);
    e->dialled = false;
    struct dial *d = net_dial(k->l, k->dns, o, on_dialled, e);
    assert_false(e->dialled); /* never from inside */
    return d;
}

struct dial *kit_dial(struct kit *k, struct end *e, const char *host, uint16_t port,
                      struct tls_ctx *tls)
{
    struct dial_opts o = { .host = str_c(host), .port = port, .tls = tls, .timeout_ms = 5000 };
    return kit_dial_by(k, e, &o);
}

uint16_t refusing_port(int *ret_fd)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof a;
    *ret_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(*ret_fd, (struct sockaddr *)&a, sizeof a), 0);
    getsockname(*ret_fd, (struct sockaddr *)&a, &len);
    return ntohs(a.sin_port);
}

struct pair {
    struct server *sv;
    struct end *client;
};

static bool paired(void *ctx)
{
    struct pair *p = ctx;
    return p->client->dialled && p->sv->count == 1;
}

void kit_pair(struct kit *k, struct server *sv, struct end *client, struct tls_ctx *server_tls,
              struct tls_ctx *client_tls)
{
    server_start(k, sv, "127.0.0.1", server_tls);
    end_init(client);
    kit_dial(k, client, "127.0.0.1", listener_port(sv->ls), client_tls);
    struct pair p = { sv, client };
    kit_run(k, paired, &p);
    assert_string_equal(client->detail, "");
    assert_non_null(client->s);
}
