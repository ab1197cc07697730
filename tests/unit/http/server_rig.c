#include "server_rig.h"

#include "base/clock.h"
#include "http/h1.h"
#include "http/server_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

/* -- calls */

static void tell(struct call *k, enum moment m)
{
    assert_non_null(k->x); /* nothing comes after exchange_close */
    assert_true(m == AT_LATER || m == AT_ERROR || !k->errors);
    if (k->rig->hook)
        k->rig->hook(k, m);
}

static void on_body(void *ctx, struct str bytes)
{
    struct call *k = ctx;
    assert_true(bytes.len > 0 && k->ends == 0);
    k->bodies++;
    buf_put(&k->body, bytes);
    tell(k, AT_BODY);
}

static void on_body_end(void *ctx)
{
    struct call *k = ctx;
    k->ends++;
    assert_int_equal(k->ends, 1);
    tell(k, AT_END);
}

static void on_drain(void *ctx)
{
    struct call *k = ctx;
    k->drains++;
    tell(k, AT_DRAIN);
}

static void on_error(void *ctx, enum err e)
{
    struct call *k = ctx;
    k->errors++;
    k->err = e;
    assert_int_equal(k->errors, 1);
    snprintf(k->detail, sizeof k->detail, "%.*s", STR_ARG(exchange_detail(k->x)));
    tell(k, AT_ERROR);
}

static void on_later(void *ctx)
{
    struct call *k = ctx;
    if (k->x)
        tell(k, AT_LATER);
}

static const struct exchange_events events = {
    .on_body = on_body,
    .on_body_end = on_body_end,
    .on_drain = on_drain,
    .on_error = on_error,
};

static void on_request(void *ctx, struct exchange *x)
{
    struct srig *r = ctx;
    struct call *k = MEM_NEW(struct call);
    assert_true(r->call_count < RIG_CALLS);
    r->calls[r->call_count] = k;
    k->rig = r;
    k->index = r->call_count++;
    k->x = x;
    buf_init(&k->body, 64 * MIB);
    timer_init(&k->timer, r->loop, on_later, k);
    exchange_set_events(x, &events, k);
    assert_non_null(exchange_head(x));
    assert_true(str_starts(exchange_peer(x), STR("127.0.0.1:")));
    tell(k, AT_REQUEST);
}

static void on_refused(void *ctx, enum err e, const char *why, struct str peer, struct buf *out)
{
    struct srig *r = ctx;
    r->refused++;
    r->refused_err = e;
    snprintf(r->refused_why, sizeof r->refused_why, "%s", why);
    assert_true(str_starts(peer, STR("127.0.0.1:")));
    buf_printf(out, "{\"error\":\"%s\"}", why);
}

void answer(struct call *k, int status, const char *body)
{
    struct http_header type = { STR("Content-Type"), STR("text/plain") };
    struct http_out out = {
        .status = status, .headers = &type, .header_count = 1, .content_length = -1
    };
    struct str part = str_c(body);
    exchange_respond(k->x, &out, &part, 1, true);
    close_call(k);
}

void close_call(struct call *k)
{
    struct exchange *x = k->x;
    k->x = NULL;
    exchange_close(x);
}

void hook_hold(struct call *k, enum moment m)
{
    if (m == AT_ERROR)
        close_call(k);
}

void hook_get(struct call *k, enum moment m)
{
    if (m == AT_REQUEST)
        answer(k, 200, "ok");
}

void hook_echo(struct call *k, enum moment m)
{
    if (m == AT_REQUEST)
        exchange_read(k->x, true);
    if (m == AT_ERROR && (k->err == ERR_BAD_HTTP || k->err == ERR_BODY_TIMEOUT)) {
        answer(k, err_status(k->err), k->detail);
        return;
    }
    if (m == AT_ERROR)
        close_call(k);
    if (m != AT_END)
        return;
    const struct http_head *h = exchange_head(k->x);
    struct buf text;
    buf_init(&text, 64 * MIB);
    buf_printf(&text, "%.*s %.*s %zu %.*s", STR_ARG(h->method), STR_ARG(h->target), k->body.len,
               STR_ARG(buf_str(&k->body)));
    buf_putc(&text, '\0');
    answer(k, 200, text.p);
    buf_done(&text);
}

/* -- the rig */

void srig_init(struct srig *r, hook_fn *hook, void (*tune)(struct http_server_opts *o))
{
    *r = (struct srig){ .hook = hook };
    r->opts = (struct http_server_opts){
        .max_request_line = 8 * KIB,
        .max_header_bytes = 32 * KIB,
        .max_header_count = 100,
        .header_timeout_ms = 10000,
        .keepalive_timeout_ms = 75000,
        .body_min_rate = 1024,
        .body_grace_ms = 10000,
        .client_stall_timeout_ms = 120000,
        .on_request = on_request,
        .on_refused = on_refused,
        .ctx = r,
    };
    if (tune)
        tune(&r->opts);
    r->loop = loop_new();
    r->server = http_server_new(r->loop, &r->opts);
    struct listen_opts lo = { .host = STR("127.0.0.1") };
    int e;
    assert_int_equal(listener_new(r->loop, &lo, http_server_accept, r->server, &r->listener, &e),
                     ERR_OK);
}

void srig_stop(struct srig *r)
{
    if (r->listener)
        listener_close(r->listener);
    r->listener = NULL;
    http_server_free(r->server);
    r->server = NULL;
}

void srig_done(struct srig *r)
{
    srig_stop(r);
    for (unsigned i = 0; i < r->call_count; i++) {
        struct call *k = r->calls[i];
        if (k->x)
            close_call(k);
        timer_stop(&k->timer);
        buf_done(&k->body);
        mem_free(k);
    }
    srig_turn(r, 1);
    loop_free(r->loop);
}

void srig_turn(struct srig *r, unsigned ms)
{
    uint64_t until_us = clock_now_us() + (uint64_t)ms * 1000;
    do {
        uv_run(loop_uv(r->loop), UV_RUN_NOWAIT);
        if (ms)
            usleep(100);
    } while (clock_now_us() < until_us);
    if (r->server)
        return;
    for (int i = 0; i < 4; i++)
        uv_run(loop_uv(r->loop), UV_RUN_NOWAIT);
}

struct conn *only_conn(struct srig *r)
{
    assert_int_equal(r->server->conn_count, 1);
    return CONTAINER_OF(r->server->conns.next, struct conn, link);
}

void srig_end(struct srig *r, int fd)
{
    close(fd);
    srig_until(r, http_server_connections(r->server) == 0);
    srig_done(r);
}

static int connect_with(struct srig *r, int rcvbuf)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    if (rcvbuf)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof rcvbuf);
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons(listener_port(r->listener)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    srig_turn(r, 0);
    return fd;
}

int srig_connect(struct srig *r)
{
    return connect_with(r, 0);
}

int srig_connect_small(struct srig *r)
{
    return connect_with(r, 4096);
}

void srig_send(struct srig *r, int fd, struct str s)
{
    uint64_t until_us = clock_now_us() + RIG_WAIT_US;
    while (s.len && clock_now_us() < until_us) {
        ssize_t n = send(fd, s.p, s.len, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN)
            return; /* the server has closed: the test looks at what came */
        if (n > 0)
            s = str_skip(s, (size_t)n);
        srig_turn(r, 0);
    }
}

void srig_dribble(struct srig *r, int fd, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        srig_send(r, fd, str_of(s.p + i, 1));
        srig_turn(r, 0);
    }
}

/* -- what came */

void got_init(struct got *g)
{
    *g = (struct got){ 0 };
    buf_init(&g->text, 256 * MIB);
}

void got_done(struct got *g)
{
    buf_done(&g->text);
}

void got_poll(struct srig *r, int fd, struct got *g)
{
    while (!g->eof) {
        char *to = buf_reserve(&g->text, 65536);
        ssize_t n = recv(fd, to, 65536, 0);
        if (n > 0) {
            buf_commit(&g->text, (size_t)n);
            continue;
        }
        if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            g->eof = true;
            g->reset = n < 0;
        }
        break;
    }
    srig_turn(r, 0);
}

void got_all(struct srig *r, int fd, struct got *g)
{
    uint64_t until_us = clock_now_us() + RIG_WAIT_US;
    while (!g->eof && clock_now_us() < until_us) {
        got_poll(r, fd, g);
        srig_turn(r, 1);
    }
    assert_true(g->eof);
}

bool got_answer(struct srig *r, int fd, struct got *g, unsigned n)
{
    uint64_t until_us = clock_now_us() + RIG_WAIT_US;
    while (!g->eof && got_count(g) < n && clock_now_us() < until_us) {
        got_poll(r, fd, g);
        srig_turn(r, 1);
    }
    if (got_count(g) != n)
        print_message("received: %.*s\n", STR_ARG(buf_str(&g->text)));
    return got_count(g) == n;
}

void got_answers(struct srig *r, int fd, struct got *g, unsigned n)
{
    assert_true(got_answer(r, fd, g, n));
}

/* Walks the answers; stops at number `want`. */
static int walk(const struct got *g, unsigned want, unsigned *ret_count, struct buf *body)
{
    static const struct h1_limits limits = { 8192, 65536, 200 };
    struct arena *a = arena_new();
    struct h1 h;
    h1_init(&h, H1_RESPONSE, &limits);
    h1_begin(&h, a, false);
    struct str in = buf_str(&g->text), piece;
    unsigned n = 0;
    int status = -1;
    for (bool on = true; on;) {
        switch (h1_next(&h, &in, &piece)) {
        case H1_BODY:
            if (n == want && body)
                buf_put(body, piece);
            break;
        case H1_END:
            if (n == want)
                status = h1_head(&h)->status;
            n++;
            h1_begin(&h, a, false);
            break;
        case H1_HEAD: break;
        default:
            on = false;
            if (g->eof && h1_started(&h) && h1_eof(&h) == H1_END) {
                if (n == want)
                    status = h1_head(&h)->status;
                n++;
            }
        }
    }
    arena_free(a);
    if (ret_count)
        *ret_count = n;
    return status;
}

unsigned got_count(const struct got *g)
{
    unsigned n;
    walk(g, RIG_CALLS, &n, NULL);
    return n;
}

int got_status(const struct got *g, unsigned i, struct buf *ret_body)
{
    if (ret_body)
        buf_reset(ret_body);
    return walk(g, i, NULL, ret_body);
}

bool got_has(const struct got *g, const char *z)
{
    return str_find(buf_str(&g->text), str_c(z)) != STR_NONE;
}
