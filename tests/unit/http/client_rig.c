#include "client_rig.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define WATCHDOG_MS 30000

/* -- the server */

static void *run_conn(void *arg)
{
    struct mock_conn *k = arg;
    k->mock->script(k);
    shutdown(k->fd, SHUT_RDWR);
    return NULL;
}

static void *run_accept(void *arg)
{
    struct mock *m = arg;
    for (;;) {
        int fd = accept(m->listen_fd, NULL, NULL);
        if (fd < 0)
            return NULL;
        int one = 1;
        struct timeval limit = { .tv_sec = 20 };
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        struct mock_conn *k = MEM_NEW(struct mock_conn);
        k->mock = m;
        k->fd = fd;
        buf_init(&k->in, 256 * MIB);
        k->index = atomic_fetch_add(&m->connections, 1);
        pthread_mutex_lock(&m->lock);
        bool full = m->count == MOCK_CONNS || m->stopping;
        if (!full)
            m->conns[m->count++] = k;
        pthread_mutex_unlock(&m->lock);
        if (full || pthread_create(&k->thread, NULL, run_conn, k))
            abort();
    }
}

void mock_start(struct mock *m, mock_fn *script, void *arg)
{
    memset(m, 0, sizeof *m);
    m->script = script;
    m->arg = arg;
    pthread_mutex_init(&m->lock, NULL);
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof a;
    m->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(m->listen_fd, (struct sockaddr *)&a, sizeof a) || listen(m->listen_fd, 512) ||
        getsockname(m->listen_fd, (struct sockaddr *)&a, &len))
        abort();
    m->port = ntohs(a.sin_port);
    if (pthread_create(&m->thread, NULL, run_accept, m))
        abort();
}

void mock_stop(struct mock *m)
{
    shutdown(m->listen_fd, SHUT_RDWR);
    pthread_join(m->thread, NULL);
    close(m->listen_fd);
    for (unsigned i = 0; i < m->count; i++) {
        struct mock_conn *k = m->conns[i];
        if (k->fd >= 0)
            shutdown(k->fd, SHUT_RDWR);
        pthread_join(k->thread, NULL);
        if (k->fd >= 0)
            close(k->fd);
        buf_done(&k->in);
        mem_free(k);
    }
    pthread_mutex_destroy(&m->lock);
}

static bool more(struct mock_conn *k)
{
    char *p = buf_reserve(&k->in, 64 * KIB);
    ssize_t n;
    do
        n = p ? recv(k->fd, p, 64 * KIB, 0) : -1;
    while (n < 0 && p && errno == EINTR); /* stopped and continued: sockets with a time limit */
    if (n <= 0)
        return false;
    buf_commit(&k->in, (size_t)n);
    return true;
}

static size_t header_u64(struct str head, const char *name)
{
    uint64_t v = 0;
    while (head.len) {
        struct str line = str_trim(str_cut(&head, '\n'));
        struct str key = str_cut(&line, ':');
        if (str_eq_nocase(key, str_c(name)) && !str_u64(str_trim(line), &v))
            abort();
    }
    return (size_t)v;
}

static void drop_last(struct mock_conn *k)
{
    buf_shift(&k->in, k->head.len + k->body.len);
    k->head = k->body = str_of(NULL, 0);
}

bool mock_request_head(struct mock_conn *k)
{
    drop_last(k);
    size_t end;
    while ((end = str_find(buf_str(&k->in), STR("\r\n\r\n"))) == STR_NONE) {
        if (more(k))
            continue;
        if (k->in.len)
            atomic_fetch_add(&k->mock->fails, 1);
        return false;
    }
    k->head = str_head(buf_str(&k->in), end + 4);
    return true;
}

/* The end of a chunked body at `from`, or STR_NONE while it is incomplete. Only for requests of
 * our own making. */
static size_t chunked_end(struct str all, size_t from)
{
    for (size_t at = from;;) {
        size_t nl = str_find(str_skip(all, at), STR("\r\n"));
        if (nl == STR_NONE)
            return STR_NONE;
        size_t n = strtoul(all.p + at, NULL, 16);
        at += nl + 2 + n + 2;
        if (at > all.len)
            return STR_NONE;
        if (n == 0)
            return at;
    }
}

bool mock_request(struct mock_conn *k)
{
    if (!mock_request_head(k))
        return false;
    size_t head = k->head.len, end = head + header_u64(k->head, "content-length");
    bool chunked = str_find(k->head, STR("Transfer-Encoding: chunked")) != STR_NONE ||
                   str_find(k->head, STR("transfer-encoding: chunked")) != STR_NONE;
    for (;;) {
        if (chunked)
            end = chunked_end(buf_str(&k->in), head);
        if (end != STR_NONE && k->in.len >= end)
            break;
        if (!more(k)) {
            atomic_fetch_add(&k->mock->fails, 1);
            return false;
        }
    }
    k->head = str_head(buf_str(&k->in), head);
    k->body = str_of(k->in.p + head, end - head);
    atomic_fetch_add(&k->mock->requests, 1);
    return true;
}

bool mock_send(struct mock_conn *k, struct str s)
{
    while (s.len) {
        ssize_t n = send(k->fd, s.p, s.len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        s = str_skip(s, (size_t)n);
    }
    return true;
}

void mock_sendz(struct mock_conn *k, const char *z)
{
    mock_send(k, str_c(z));
}

void mock_fin(struct mock_conn *k)
{
    shutdown(k->fd, SHUT_WR);
}

void mock_reset(struct mock_conn *k)
{
    struct linger l = { .l_onoff = 1 };
    setsockopt(k->fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
    pthread_mutex_lock(&k->mock->lock);
    close(k->fd);
    k->fd = -1;
    pthread_mutex_unlock(&k->mock->lock);
}

void mock_eof(struct mock_conn *k)
{
    drop_last(k);
    if (k->in.len || more(k))
        atomic_fetch_add(&k->mock->fails, 1);
}

void mock_pause(unsigned ms)
{
    usleep(ms * 1000);
}

/* -- the client */

static void on_watchdog(void *ctx)
{
    print_error("the test hangs\n");
    abort();
}

static void on_nap(void *ctx)
{
    struct rig *r = ctx;
    r->napping = false;
    loop_stop(r->loop);
}

void rig_init(struct rig *r, mock_fn *script, void *arg, const struct client_opts *opts)
{
    memset(r, 0, sizeof *r);
    signal(SIGPIPE, SIG_IGN); /* as the program does: libuv writes without MSG_NOSIGNAL */
    r->arena = arena_new();
    r->loop = loop_new();
    r->dns = dns_new(1);
    mock_start(&r->mock, script, arg);
    r->opts = opts ? *opts
                   : (struct client_opts){ .idle_ms = 50000,
                                           .life_ms = 3600000,
                                           .connections_per_origin = 1024,
                                           .max_header_bytes = 64 * KIB };
    r->opts.dns = r->dns;
    r->client = client_new(r->loop, &r->opts);
    struct str path, problem;
    bool https;
    struct str url = arena_printf(r->arena, "http://127.0.0.1:%u", r->mock.port);
    assert_int_equal(origin_parse(url, r->arena, &r->origin, &path, &https, &problem), ERR_OK);
    timer_init(&r->watchdog, r->loop, on_watchdog, r);
    timer_init(&r->nap, r->loop, on_nap, r);
}

void rig_done(struct rig *r)
{
    assert_int_equal(r->open, 0);
    client_free(r->client);
    timer_stop(&r->watchdog);
    timer_stop(&r->nap);
    loop_free(r->loop);
    dns_free(r->dns);
    mock_stop(&r->mock);
    arena_free(r->arena);
}

void rig_run(struct rig *r)
{
    timer_set(&r->watchdog, WATCHDOG_MS);
    while (r->open)
        loop_run(r->loop); /* a stop that was asked for between two runs ends the next one */
    timer_stop(&r->watchdog);
}

void rig_nap(struct rig *r, uint64_t ms)
{
    r->napping = true;
    timer_set(&r->nap, ms);
    while (r->napping)
        loop_run(r->loop);
}

static void over(struct call_log *g)
{
    assert_false(g->over);
    g->over = true;
    if (g->x)
        g->reused = exchange_reused(g->x);
    if (--g->rig->open == 0)
        loop_stop(g->rig->loop);
}

static void hook(struct call_log *g, enum moment m)
{
    if (g->hook)
        g->hook(g, m);
}

static void on_head(void *ctx, const struct http_head *head)
{
    struct call_log *g = ctx;
    assert_non_null(g->x);
    assert_int_equal(g->heads, 0);
    assert_int_equal(g->errors, 0);
    assert_ptr_equal(exchange_head(g->x), head);
    assert_true(exchange_answered(g->x));
    g->heads++;
    g->status = head->status;
    if (g->pull)
        exchange_read(g->x, true);
    hook(g, AT_HEAD);
}

static void on_body(void *ctx, struct str bytes)
{
    struct call_log *g = ctx;
    assert_non_null(g->x);
    assert_int_equal(g->heads, 1);
    assert_int_equal(g->ends + g->errors, 0);
    assert_true(bytes.len > 0);
    g->bodies++;
    buf_put(&g->body, bytes);
    assert_int_equal(exchange_bytes_in(g->x), g->body.len);
    hook(g, AT_BODY);
}

static void on_body_end(void *ctx)
{
    struct call_log *g = ctx;
    assert_non_null(g->x);
    assert_int_equal(g->heads, 1);
    assert_int_equal(g->ends + g->errors, 0);
    g->ends++;
    over(g);
    hook(g, AT_END);
}

static void on_drain(void *ctx)
{
    struct call_log *g = ctx;
    assert_non_null(g->x);
    assert_int_equal(g->errors, 0);
    g->drains++;
    hook(g, AT_DRAIN);
}

static void on_error(void *ctx, enum err e)
{
    struct call_log *g = ctx;
    assert_non_null(g->x);
    assert_int_equal(g->ends + g->errors, 0);
    g->errors++;
    g->err = e;
    struct str d = exchange_detail(g->x);
    snprintf(g->detail, sizeof g->detail, "%.*s", STR_ARG(d));
    over(g);
    hook(g, AT_ERROR);
}

static const struct exchange_events events = { on_head, on_body, on_body_end, on_drain, on_error };

struct client_request rig_request(struct rig *r, const char *method, const char *target)
{
    return (struct client_request){ .origin = &r->origin,
                                    .head = { .method = str_c(method), .target = str_c(target) },
                                    .connect_timeout_ms = 5000,
                                    .first_byte_timeout_ms = 20000,
                                    .idle_timeout_ms = 20000 };
}

void call_begin(struct call_log *g, struct rig *r, const struct client_request *rq)
{
    *g = (struct call_log){ .rig = r, .pull = true, .hook = g->hook, .arg = g->arg };
    buf_init(&g->body, 256 * MIB);
    r->open++;
    unsigned before = g->heads + g->errors;
    g->x = client_send(r->client, rq, &events, g);
    assert_int_equal(g->heads + g->errors, before); /* nothing is called back from inside */
}

void call_close(struct call_log *g)
{
    if (!g->x)
        return;
    struct exchange *x = g->x;
    g->x = NULL;
    if (!g->over)
        over(g);
    exchange_close(x);
}

void call_forget(struct call_log *g)
{
    buf_done(&g->body);
}

void call_finish(struct call_log *g)
{
    call_close(g);
    call_forget(g);
}

void call_whole(struct call_log *g, struct rig *r, const struct client_request *rq)
{
    call_begin(g, r, rq);
    rig_run(r);
    call_close(g);
}

bool is_ok(const struct call_log *g, int status, const char *body)
{
    return g->errors == 0 && g->heads == 1 && g->ends == 1 && g->status == status &&
           str_eq(buf_str(&g->body), str_c(body));
}

bool is_err(const struct call_log *g, enum err e, const char *detail)
{
    return g->ends == 0 && g->errors == 1 && g->err == e && strstr(g->detail, detail);
}

void check_ok(const struct call_log *g, int status, const char *body)
{
    if (g->errors)
        fail_msg("failed: %s: %s", err_name(g->err), g->detail);
    assert_int_equal(g->heads, 1);
    assert_int_equal(g->ends, 1);
    assert_int_equal(g->status, status);
    if (!str_eq(buf_str(&g->body), str_c(body)))
        fail_msg("body \"%.*s\", not \"%s\"", STR_ARG(buf_str(&g->body)), body);
}

void check_err(const struct call_log *g, enum err e, const char *detail)
{
    assert_int_equal(g->ends, 0);
    assert_int_equal(g->errors, 1);
    if (g->err != e)
        fail_msg("%s (%s), not %s", err_name(g->err), g->detail, err_name(e));
    if (!strstr(g->detail, detail))
        fail_msg("\"%s\" does not say \"%s\"", g->detail, detail);
}
