/* Accepting is done here and not by libuv: out of descriptors, libuv closes a descriptor of its own
 * to take and drop what waits, and opens it again by a path, which a sandboxed process may not do
 * and another thread may have used up. */
#include "base/mem.h"
#include "net/filter.h"
#include "net/net_priv.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <unistd.h>

#define SOCKETS_MAX 8
#define ACCEPTS_A_TURN 64 /* then established connections get their turn */
#define STALL_MS 100
#define HANDSHAKE_MS 10000
#define BACKLOG 1024

struct listening {
    uv_poll_t poll;
    int fd;
    struct listener *ls;
};

struct listener {
    struct loop *loop;
    struct tls_ctx *tls;
    accept_fn *on_accept;
    void *ctx;
    struct listening *sockets[SOCKETS_MAX];
    size_t count;
    uint16_t port;
    bool closed;
    uint64_t handshake_ms, stalls;
    struct timer stall;
    struct list handshakes; /* struct pending */
};

/* A TLS handshake of an accepted connection. */
struct pending {
    struct list link;
    struct stream *stream;
    struct listener *ls;
    struct timer timer;
};

/* -- handshakes */

static void pending_free(struct pending *p)
{
    list_remove(&p->link);
    timer_stop(&p->timer);
    mem_free(p);
}

static void on_handshake_timeout(void *ctx)
{
    struct pending *p = ctx;
    stream_abort(p->stream);
    pending_free(p);
}

static void on_handshake(void *ctx, struct stream *s, enum err e, struct str detail)
{
    struct pending *p = ctx;
    struct listener *ls = p->ls;
    pending_free(p);
    if (e)
        stream_close(s); /* the alert that says why is still sent */
    else
        ls->on_accept(ls->ctx, s);
}

static void start_handshake(struct listener *ls, struct stream *s)
{
    struct pending *p = MEM_NEW(struct pending);
    p->stream = s;
    p->ls = ls;
    timer_init(&p->timer, ls->loop, on_handshake_timeout, p);
    list_push(&ls->handshakes, &p->link);
    if (filter_start_server(s, ls->tls, on_handshake, p)) {
        pending_free(p);
        stream_abort(s);
        return;
    }
    timer_set(&p->timer, ls->handshake_ms);
    stream_start(s);
}

/* -- accepting */

static void on_readable(uv_poll_t *h, int status, int events);

static void set_polling(struct listener *ls, bool on)
{
    for (size_t i = 0; i < ls->count; i++) {
        if (on)
            uv_poll_start(&ls->sockets[i]->poll, UV_READABLE, on_readable);
        else
            uv_poll_stop(&ls->sockets[i]->poll);
    }
}

static void on_stall_over(void *ctx)
{
    set_polling(ctx, true);
}

static void take(struct listener *ls, int fd, const union addr *peer)
{
    struct stream *s = stream_new(ls->loop);
    if (stream_open_fd(s, fd)) {
        stream_abort(s);
        return;
    }
    stream_set_peer(s, peer);
    if (ls->tls) {
        start_handshake(ls, s);
        return;
    }
    stream_start(s);
    ls->on_accept(ls->ctx, s);
}

static void on_readable(uv_poll_t *h, int status, int events)
{
    struct listening *sock = h->data;
    struct listener *ls = sock->ls;
    for (int i = 0; i < ACCEPTS_A_TURN && !ls->closed; i++) {
        union addr peer = { 0 };
        socklen_t len = sizeof peer;
        int fd = accept4(sock->fd, &peer.sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            take(ls, fd, &peer);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            ls->stalls++;
            set_polling(ls, false);
            timer_set(&ls->stall, STALL_MS);
            return;
        } else if (errno == EAGAIN) {
            return;
        } /* else: that connection failed before it was accepted; the next may stand */
    }
}

/* -- making */

static void on_closed(uv_handle_t *h)
{
    struct listening *sock = h->data;
    struct listener *ls = sock->ls;
    struct loop *l = ls->loop;
    close(sock->fd);
    mem_free(sock);
    if (--ls->count == 0) {
        tls_unref(ls->tls);
        mem_free(ls);
    }
    loop_release(l);
}

void listener_close(struct listener *ls)
{
    if (!ls || ls->closed)
        return;
    ls->closed = true;
    timer_stop(&ls->stall);
    while (!list_empty(&ls->handshakes)) {
        struct pending *p = CONTAINER_OF(ls->handshakes.next, struct pending, link);
        stream_abort(p->stream);
        pending_free(p);
    }
    if (!ls->count) {
        tls_unref(ls->tls);
        mem_free(ls);
        return;
    }
    for (size_t i = 0; i < ls->count; i++) {
        loop_hold(ls->loop);
        uv_close((uv_handle_t *)&ls->sockets[i]->poll, on_closed);
    }
}

uint16_t listener_port(const struct listener *ls)
{
    return ls->port;
}

uint64_t listener_stalls(const struct listener *ls)
{
    return ls->stalls;
}

/* Accepted sockets inherit these options, so that accepting sets none. */
static bool set_options(int fd, int family, bool reuse_port, bool only_v6)
{
    int on = 1, v6 = only_v6;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on))
        return false;
    if (reuse_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on))
        return false;
    if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6, sizeof v6))
        return false;
    return !setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) && socket_keepalive(fd);
}

/* Returns the socket, or -1 with errno. */
static int open_socket(union addr a, const struct listen_opts *o, uint16_t port, bool only_v6)
{
    addr_set_port(&a, port);
    int fd = socket(a.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (!set_options(fd, a.sa.sa_family, o->reuse_port, only_v6) || bind(fd, &a.sa, addr_len(&a)) ||
        listen(fd, o->backlog ? o->backlog : BACKLOG)) {
        int e = errno;
        close(fd);
        errno = e;
        return -1;
    }
    return fd;
}

static uint16_t port_of(int fd)
{
    union addr a = { 0 };
    socklen_t len = sizeof a;
    if (getsockname(fd, &a.sa, &len))
        return 0;
    return ntohs(a.sa.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
}

static enum err add_socket(struct listener *ls, int fd, int *ret_errno)
{
    struct listening *sock = MEM_NEW(struct listening);
    int e = uv_poll_init(loop_uv(ls->loop), &sock->poll, fd);
    if (e) {
        close(fd);
        mem_free(sock);
        *ret_errno = -e;
        return ERR_IO;
    }
    sock->poll.data = sock;
    sock->fd = fd;
    sock->ls = ls;
    ls->sockets[ls->count++] = sock;
    uv_poll_start(&sock->poll, UV_READABLE, on_readable);
    return ERR_OK;
}

/* An address family that the machine has not got is no failure as long as another one listens. */
static bool absent_family(int e)
{
    return e == EAFNOSUPPORT || e == EADDRNOTAVAIL;
}

/* Opens a socket for each address, on one port. Returns how many, -1 with errno. */
static int open_all(const struct addrs *list, const struct listen_opts *o, int fds[SOCKETS_MAX])
{
    int n = 0, why = EADDRNOTAVAIL;
    uint16_t port = o->port;
    for (size_t i = 0; i < list->count && n < SOCKETS_MAX; i++) {
        /* "::" alone serves IPv4 too; with several addresses each has its own socket. */
        int fd = open_socket(list->a[i], o, port, list->count > 1);
        if (fd >= 0) {
            fds[n++] = fd;
            port = port_of(fd);
            continue;
        }
        why = errno;
        if (absent_family(why))
            continue;
        while (n > 0)
            close(fds[--n]);
        break;
    }
    errno = why;
    return n ? n : -1;
}

static enum err add_all(struct listener *ls, const struct listen_opts *o, const struct addrs *list,
                        int *ret_errno)
{
    int fds[SOCKETS_MAX], n = -1;
    /* Any port that is free on the first address may be taken on the second. */
    for (int tries = 0; tries < 8; tries++) {
        n = open_all(list, o, fds);
        if (n > 0 || o->port || errno != EADDRINUSE)
            break;
    }
    if (n < 0) {
        *ret_errno = errno;
        return ERR_IO;
    }
    ls->port = port_of(fds[0]);
    enum err e = ERR_OK;
    for (int i = 0; i < n; i++) {
        if (e)
            close(fds[i]);
        else
            e = add_socket(ls, fds[i], ret_errno);
    }
    return e;
}

static enum err resolve(struct str host, struct addrs *ret_list)
{
    if (!str_eq_nocase(host, STR("localhost")))
        return addrs_resolve(host, AI_PASSIVE, ret_list) ? ERR_DNS : ERR_OK;
    /* Whatever the machine's hosts file says. */
    struct addrs v6 = { 0 };
    if (addrs_resolve(STR("127.0.0.1"), AI_NUMERICHOST, ret_list) ||
        addrs_resolve(STR("::1"), AI_NUMERICHOST, &v6))
        return ERR_DNS;
    ret_list->a[ret_list->count++] = v6.a[0];
    return ERR_OK;
}

enum err listener_new(struct loop *l, const struct listen_opts *o, accept_fn *on_accept, void *ctx,
                      struct listener **ret_listener, int *ret_errno)
{
    struct addrs list = { 0 };
    TRY(resolve(o->host, &list));
    struct listener *ls = MEM_NEW(struct listener);
    ls->loop = l;
    ls->tls = o->tls ? tls_ref(o->tls) : NULL;
    ls->on_accept = on_accept;
    ls->ctx = ctx;
    ls->handshake_ms = o->handshake_ms ? o->handshake_ms : HANDSHAKE_MS;
    list_init(&ls->handshakes);
    timer_init(&ls->stall, l, on_stall_over, ls);
    enum err e = add_all(ls, o, &list, ret_errno);
    if (e)
        listener_close(ls);
    else
        *ret_listener = ls;
    return e;
}
