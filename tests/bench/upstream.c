/* tests/bench/upstream.c -- the provider that the benchmarks proxy to.
 *
 *   upstream [--port 0] [--events 200] [--interval-us 2000] [--lockstep 0]
 *
 * Prints "listening on PORT" and serves HTTP/1.1 with keep-alive until it is ended by a signal. Any POST
 * with a Content-Length gets a canned answer of about 0.6 kB in the format that its path belongs to (canned.h); one
 * whose body holds `"stream":true`, or whose path asks for a stream of Gemini's, gets the first events at
 * once, then `events` content events of 330 bytes, one each interval, each in its own write and chunk, then
 * the last ones. Times of events are absolute: a late one does not move the next. A body that does not fit
 * into the buffer is read to its end and thrown away, and gets a whole answer.
 *
 * With --lockstep 1 only the first content event comes by time: each next one comes when a datagram reaches
 * the same port, which the client sends when it has the one before. So no two events ever meet in a buffer,
 * and what a proxy does is the same in every run.
 *
 * One thread, one epoll set, one slot a connection, no allocation after the start: it must cost less than
 * what is measured. A peer that leaves an event unread until the socket is full is cut, and so is
 * one that sends a request while a stream runs. */
#include "canned.h"
#include "io.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_CONNECTIONS 2048
#define IN_BYTES (96u << 10)
#define BODY_MAX (512ll << 20)

/* One connection; the slot is found by its descriptor. */
struct conn {
    bool streaming;
    const struct script *script;
    size_t discard;     /* of a body that is too large to be kept: still to come */
    uint32_t active_at; /* streaming: position in upstream.active */
    uint64_t events_left;
    uint64_t due_ns; /* of the next event */
    size_t have;
    char in[IN_BYTES];
};

struct upstream {
    int epoll, listener;
    int release; /* lockstep: the datagram socket, else -1 */
    uint64_t events, interval_ns;
    struct script *scripts;
    struct conn *conns;
    int *active; /* descriptors of running streams, in no order */
    uint32_t active_count;
};

static void stream_end(struct upstream *u, struct conn *c)
{
    int last = u->active[--u->active_count];
    u->active[c->active_at] = last;
    u->conns[last].active_at = c->active_at;
    c->streaming = false;
}

static void conn_close(struct upstream *u, int fd)
{
    struct conn *c = &u->conns[fd];
    if (c->streaming)
        stream_end(u, c);
    close(fd);
}

/* False: the peer has gone or does not read, and the connection is closed. */
static bool put(struct upstream *u, int fd, const struct text *t)
{
    if (send(fd, t->bytes, t->n, MSG_NOSIGNAL) == (ssize_t)t->n)
        return true;
    conn_close(u, fd);
    return false;
}

static void stream_begin(struct upstream *u, int fd)
{
    struct conn *c = &u->conns[fd];
    c->streaming = true;
    c->events_left = u->events;
    c->due_ns = now_ns() + u->interval_ns;
    c->active_at = u->active_count;
    u->active[u->active_count++] = fd;
    put(u, fd, &c->script->start);
}

static void stream_finish(struct upstream *u, int fd)
{
    struct conn *c = &u->conns[fd];
    if (!put(u, fd, &c->script->end))
        return;
    stream_end(u, c);
    if (c->have > 0) /* sent while the stream ran: pipelining, which is not served */
        conn_close(u, fd);
}

/* Sends every event that is due. Returns when the next one is, UINT64_MAX without a stream. */
static uint64_t streams_run(struct upstream *u, uint64_t now)
{
    uint64_t next = UINT64_MAX;
    /* Backwards: an ended stream is replaced by the last, which has been looked at. */
    for (uint32_t i = u->active_count; i-- > 0;) {
        int fd = u->active[i];
        struct conn *c = &u->conns[fd];
        if (c->due_ns <= now) {
            if (c->events_left == 0) {
                stream_finish(u, fd);
                continue;
            }
            c->events_left--;
            c->due_ns = u->release < 0 ? c->due_ns + u->interval_ns : UINT64_MAX;
            if (!put(u, fd, &c->script->event))
                continue;
        }
        if (c->due_ns < next)
            next = c->due_ns;
    }
    return next;
}

/* The value of Content-Length in a head, or -1. */
static long long content_length(const char *head, size_t n)
{
    const char name[] = "\r\nContent-Length:";
    for (size_t i = 0; i + sizeof(name) <= n; i++) {
        if (head[i] == '\r' && strncasecmp(head + i, name, sizeof(name) - 1) == 0) {
            long long value = 0;
            i += sizeof(name) - 1;
            while (i < n && head[i] == ' ')
                i++;
            while (i < n && head[i] >= '0' && head[i] <= '9' && value < INT_MAX)
                value = value * 10 + (head[i++] - '0');
            return value;
        }
    }
    return -1;
}

static void refuse(struct upstream *u, int fd, const char *status)
{
    struct text t = { .n = 0 };
    t.n = (size_t)snprintf(t.bytes, sizeof(t.bytes),
                           "HTTP/1.1 %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status);
    if (put(u, fd, &t))
        conn_close(u, fd);
}

/* The format of the answer, and whether it is a stream, from the request line and what is there of the body. */
static bool choose_script(const struct upstream *u, struct conn *c, size_t head, size_t body)
{
    const char *line_end = memmem(c->in, head, "\r\n", 2);
    bool stream;
    enum script_id id = script_of(c->in, (size_t)(line_end - c->in), &stream);
    if (id != SCRIPT_GEMINI)
        stream = memmem(c->in + head, body, "\"stream\":true", 13) != NULL;
    if (id == SCRIPT_CHAT && memmem(c->in + head, body, "\"include_usage\":true", 20))
        id = SCRIPT_CHAT_USAGE;
    c->script = &u->scripts[id];
    return stream;
}

/* Answers the request at the start of the buffer. False: not all of it is there, or the connection is
 * closed. */
static bool serve_one(struct upstream *u, int fd)
{
    struct conn *c = &u->conns[fd];
    const char *end = memmem(c->in, c->have, "\r\n\r\n", 4);
    if (!end) {
        if (c->have == IN_BYTES)
            refuse(u, fd, "431 Request Header Fields Too Large");
        return false;
    }
    size_t head = (size_t)(end - c->in) + 4;
    long long body = content_length(c->in, head);
    if (body < 0 || body > BODY_MAX) {
        refuse(u, fd, body < 0 ? "411 Length Required" : "413 Content Too Large");
        return false;
    }
    size_t whole = head + (size_t)body;
    if (whole > IN_BYTES) {
        choose_script(u, c, head, 0);
        c->discard = whole - c->have;
        c->have = 0;
        return false;
    }
    if (c->have < whole)
        return false;
    bool stream = choose_script(u, c, head, (size_t)body);
    c->have -= whole;
    memmove(c->in, c->in + whole, c->have);
    if (stream) {
        stream_begin(u, fd);
        return false;
    }
    return put(u, fd, &c->script->answer);
}

/* The next bytes of a body that is thrown away. */
static void on_discarded(struct upstream *u, int fd)
{
    struct conn *c = &u->conns[fd];
    ssize_t got = recv(fd, c->in, c->discard < IN_BYTES ? c->discard : IN_BYTES, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        conn_close(u, fd);
        return;
    }
    c->discard -= (size_t)got;
    if (c->discard == 0)
        put(u, fd, &c->script->answer);
}

static void on_readable(struct upstream *u, int fd)
{
    struct conn *c = &u->conns[fd];
    if (c->discard > 0) {
        on_discarded(u, fd);
        return;
    }
    ssize_t got = recv(fd, c->in + c->have, IN_BYTES - c->have, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        conn_close(u, fd);
        return;
    }
    c->have += (size_t)got;
    while (!c->streaming && c->have > 0 && serve_one(u, fd))
        continue;
}

/* One datagram: the next event of every stream is due. */
static void on_release(struct upstream *u)
{
    char byte;
    while (recv(u->release, &byte, 1, MSG_TRUNC) >= 0)
        for (uint32_t i = 0; i < u->active_count; i++)
            u->conns[u->active[i]].due_ns = 0;
}

static void watch(struct upstream *u, int fd)
{
    struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };
    if (epoll_ctl(u->epoll, EPOLL_CTL_ADD, fd, &e) != 0)
        die("epoll_ctl: %s", strerror(errno));
}

static void on_accept(struct upstream *u)
{
    int fd;
    while ((fd = accept4(u->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        if (fd >= MAX_CONNECTIONS) {
            close(fd);
            continue;
        }
        u->conns[fd].streaming = false;
        u->conns[fd].have = 0;
        u->conns[fd].discard = 0;
        watch(u, fd);
    }
}

static void serve(struct upstream *u)
{
    for (;;) {
        struct epoll_event ready[128];
        uint64_t now = now_ns();
        uint64_t next = streams_run(u, now);
        uint64_t wait = next == UINT64_MAX ? 0 : next > now ? next - now : 1;
        struct timespec t = { .tv_sec = (time_t)(wait / NS_PER_S),
                              .tv_nsec = (long)(wait % NS_PER_S) };
        int n = epoll_pwait2(u->epoll, ready, 128, next == UINT64_MAX ? NULL : &t, NULL);
        if (n < 0 && errno != EINTR)
            die("epoll_pwait2: %s", strerror(errno));
        for (int i = 0; i < n; i++) {
            if (ready[i].data.fd == u->listener)
                on_accept(u);
            else if (ready[i].data.fd == u->release)
                on_release(u);
            else
                on_readable(u, ready[i].data.fd);
        }
    }
}

int main(int argc, char **argv)
{
    struct upstream u = { .release = -1 };
    uint16_t port;
    check_options(argc, argv, 1, "--port --events --interval-us --lockstep");
    u.events = number_option("--events", option(argc, argv, "--events", "200"), 0, 1000000);
    u.interval_ns =
        NS_PER_US *
        number_option("--interval-us", option(argc, argv, "--interval-us", "2000"), 1, 10000000);
    port = (uint16_t)number_option("--port", option(argc, argv, "--port", "0"), 0, 65535);
    bool lockstep = number_option("--lockstep", option(argc, argv, "--lockstep", "0"), 0, 1);
    prctl(PR_SET_TIMERSLACK, 1ul);
    u.scripts = zalloc(SCRIPT_COUNT, sizeof(*u.scripts));
    scripts_make(u.scripts);
    u.conns = zalloc(MAX_CONNECTIONS, sizeof(*u.conns));
    u.active = zalloc(MAX_CONNECTIONS, sizeof(*u.active));
    u.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (u.epoll < 0)
        die("epoll_create1: %s", strerror(errno));
    u.listener = listen_loopback(port, &port);
    watch(&u, u.listener);
    if (lockstep) {
        u.release = datagrams_loopback(port);
        watch(&u, u.release);
    }
    printf("listening on %u\n", port);
    fflush(stdout);
    serve(&u);
}
