/* tests/bench/load.c -- the load generator, and the clock of a measurement.
 *
 *   load rate      open loop: --rate requests a second, whatever the answers do. A request's time runs from
 *                  the instant at which it was due, also when no connection was free to send it: a stall is
 *                  seen by all requests that it delayed.
 *   load stream    --connections streams at once, each reopened when it ends; every stream must hold
 *                  --expect-events content events and [DONE].
 *   load sequence  --requests requests, one after another, on one connection.
 *
 *   --port N --body FILE        where to, and the JSON sent        --path /v1/chat/completions
 *   --header "Name: value"      more request headers, repeatable
 *   --connections N --rate N    --warmup-ms N --seconds N          --stagger-ms N (starts of streams)
 *   --release-port N            sequence: after each content event a datagram to this port, which an
 *                               upstream in lockstep waits for
 *   --pid PID                   sample the CPU time of this process at both ends of the window
 *
 * Prints one JSON object. Status 1 when an answer was missing or not as expected: then nothing that it
 * says about time counts. One thread, one epoll set. */
#include "answer.h"
#include "hist.h"
#include "io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define OPTIONS                                                                                    \
    "--port --body --path --header+ --connections --rate --warmup-ms --seconds --stagger-ms "      \
    "--pid --expect-events --requests --release-port"
#define MAX_CONNECTIONS 1024
#define DRAIN_NS (3 * NS_PER_S)

enum mode { MODE_RATE, MODE_STREAM, MODE_SEQUENCE };

struct conn {
    int fd;
    bool busy;
    bool first_seen; /* the first content event of this answer */
    uint64_t due_ns; /* when the request in flight was due; idle streams: when to open */
    struct answer answer;
};

struct load {
    enum mode mode;
    uint16_t port, release_port; /* release_port 0: none */
    int release;
    uint32_t connections, busy, started;
    uint64_t expect_events, requests, sent;
    uint64_t period_ns, next_due_ns;
    uint64_t begin_ns, end_ns; /* the window */
    uint64_t pid, cpu_begin, cpu_end;
    bool began, ended;
    int epoll;
    size_t request_n;
    char *request;
    struct conn *conns;
    struct conn **idle; /* rate: a stack */
    uint32_t idle_count;
    /* results, of the window */
    uint64_t completed, events, reads_with_events;
    /* results, of the whole run */
    uint64_t missed, bad_answers, closed, unanswered, reconnects, first_bad_status;
    struct hist latency, first_event;
};

static char *make_request(int argc, char **argv, uint16_t port, size_t *ret_n)
{
    size_t body_n;
    const char *path = option(argc, argv, "--path", "/v1/chat/completions");
    const char *file = option(argc, argv, "--body", NULL);
    if (!file)
        die("--body FILE is needed");
    char *body = read_file(file, &body_n);
    size_t cap = body_n + 8192;
    char *request = zalloc(1, cap);
    size_t n =
        (size_t)snprintf(request, cap, "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n", path, port);
    for (int i = 2; i + 1 < argc && n < cap; i += 2)
        if (strcmp(argv[i], "--header") == 0)
            n += (size_t)snprintf(request + n, cap - n, "%s\r\n", argv[i + 1]);
    if (n < cap)
        n += (size_t)snprintf(request + n, cap - n,
                              "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                              body_n);
    if (n + body_n > cap)
        die("the request headers are longer than 8 KiB");
    memcpy(request + n, body, body_n);
    free(body);
    *ret_n = n + body_n;
    return request;
}

static void conn_open(struct load *l, struct conn *c)
{
    struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };
    c->fd = connect_loopback(l->port);
    if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &e) != 0)
        die("epoll_ctl: %s", strerror(errno));
}

static void conn_reopen(struct load *l, struct conn *c)
{
    close(c->fd);
    conn_open(l, c);
    l->reconnects++;
}

static void conn_send(struct load *l, struct conn *c, uint64_t due_ns)
{
    answer_init(&c->answer);
    c->busy = true;
    c->first_seen = false;
    c->due_ns = due_ns;
    l->busy++;
    l->sent++;
    if (!send_all(c->fd, l->request, l->request_n)) {
        /* The peer closed an idle connection: not an error of this request. */
        conn_reopen(l, c);
        if (!send_all(c->fd, l->request, l->request_n))
            die("127.0.0.1:%u closes connections as they are used", l->port);
    }
}

static bool in_window(const struct load *l, uint64_t t)
{
    return t >= l->begin_ns && t < l->end_ns;
}

/* The connection is free again: what it does next. */
static void conn_next(struct load *l, struct conn *c, uint64_t now)
{
    c->busy = false;
    l->busy--;
    if (l->mode == MODE_RATE) {
        l->idle[l->idle_count++] = c;
    } else if (l->mode == MODE_STREAM) {
        if (now < l->end_ns)
            conn_send(l, c, now);
    } else if (l->sent < l->requests) {
        conn_send(l, c, now);
    }
}

static bool answer_is_good(const struct load *l, const struct answer *a)
{
    if (a->state != ANSWER_DONE || a->status != 200)
        return false;
    return l->mode != MODE_STREAM ||
           (a->sse && a->saw_done && a->content_events == l->expect_events);
}

static void on_answer(struct load *l, struct conn *c, uint64_t now)
{
    if (!answer_is_good(l, &c->answer)) {
        if (l->bad_answers++ == 0)
            l->first_bad_status = c->answer.status;
    } else {
        if (in_window(l, now))
            l->completed++;
        if (in_window(l, c->due_ns))
            hist_add(&l->latency, now - c->due_ns);
    }
    if (c->answer.close || c->answer.state == ANSWER_BAD)
        conn_reopen(l, c);
    conn_next(l, c, now);
}

static void on_closed(struct load *l, struct conn *c, uint64_t now)
{
    conn_reopen(l, c);
    if (c->busy) {
        l->closed++;
        conn_next(l, c, now);
    }
}

static void on_readable(struct load *l, struct conn *c)
{
    char bytes[32 << 10];
    ssize_t got = recv(c->fd, bytes, sizeof(bytes), 0);
    uint64_t now = now_ns();
    uint64_t before = c->answer.content_events;
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0 || !c->busy) { /* bytes that nothing was asked for end the connection too */
        on_closed(l, c, now);
        return;
    }
    answer_read(&c->answer, bytes, (size_t)got);
    uint64_t events = c->answer.content_events - before;
    if (events > 0 && in_window(l, now)) {
        l->events += events;
        l->reads_with_events++;
    }
    for (uint64_t i = 0; i < events && l->release_port; i++)
        datagram_send(l->release, l->release_port);
    if (events > 0 && !c->first_seen) {
        c->first_seen = true;
        if (in_window(l, c->due_ns))
            hist_add(&l->first_event, now - c->due_ns);
    }
    if (c->answer.state == ANSWER_DONE || c->answer.state == ANSWER_BAD)
        on_answer(l, c, now);
}

/* Samples the edges of the window as they pass. */
static void window_tick(struct load *l, uint64_t now)
{
    if (!l->began && now >= l->begin_ns) {
        l->began = true;
        l->cpu_begin = l->pid ? cpu_ns(l->pid) : 0;
    }
    if (!l->ended && now >= l->end_ns) {
        l->ended = true;
        l->cpu_end = l->pid ? cpu_ns(l->pid) : 0;
    }
}

/* Sends what is due. Returns when to look again. */
static uint64_t send_due(struct load *l, uint64_t now)
{
    uint64_t next = UINT64_MAX;
    if (l->mode == MODE_RATE) {
        while (l->next_due_ns <= now && l->next_due_ns < l->end_ns && l->idle_count > 0) {
            conn_send(l, l->idle[--l->idle_count], l->next_due_ns);
            l->next_due_ns += l->period_ns;
        }
        if (l->idle_count > 0 && l->next_due_ns < l->end_ns)
            next = l->next_due_ns;
    } else if (l->mode == MODE_STREAM && now < l->end_ns) {
        while (l->started < l->connections && l->conns[l->started].due_ns <= now)
            conn_send(l, &l->conns[l->started++], now);
        if (l->started < l->connections)
            next = l->conns[l->started].due_ns;
    }
    if (!l->began && l->begin_ns < next)
        next = l->begin_ns;
    if (!l->ended && l->end_ns < next)
        next = l->end_ns;
    return next;
}

static bool is_over(const struct load *l, uint64_t now)
{
    if (l->mode == MODE_SEQUENCE)
        return l->busy == 0;
    return now >= l->end_ns && l->ended && (l->busy == 0 || now >= l->end_ns + DRAIN_NS);
}

static void run(struct load *l)
{
    for (;;) {
        struct epoll_event ready[128];
        uint64_t now = now_ns();
        window_tick(l, now);
        uint64_t next = send_due(l, now);
        if (is_over(l, now))
            return;
        if (next > now + NS_PER_S)
            next = now + NS_PER_S;
        uint64_t wait = next > now ? next - now : 0;
        struct timespec t = { .tv_sec = (time_t)(wait / NS_PER_S),
                              .tv_nsec = (long)(wait % NS_PER_S) };
        int n = epoll_pwait2(l->epoll, ready, 128, &t, NULL);
        if (n < 0 && errno != EINTR)
            die("epoll_pwait2: %s", strerror(errno));
        for (int i = 0; i < n; i++)
            on_readable(l, ready[i].data.ptr);
    }
}

static void start(struct load *l, uint64_t warmup_ns, uint64_t window_ns, uint64_t stagger_ns)
{
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (l->epoll < 0)
        die("epoll_create1: %s", strerror(errno));
    l->conns = zalloc(l->connections, sizeof(*l->conns));
    l->idle = zalloc(l->connections, sizeof(struct conn *));
    for (uint32_t i = 0; i < l->connections; i++)
        conn_open(l, &l->conns[i]);
    uint64_t now = now_ns();
    l->begin_ns = now + warmup_ns;
    l->end_ns = l->begin_ns + window_ns;
    l->next_due_ns = now;
    for (uint32_t i = 0; i < l->connections; i++) {
        if (l->mode == MODE_RATE)
            l->idle[l->idle_count++] = &l->conns[i];
        else
            l->conns[i].due_ns = now + 1 + stagger_ns * i / l->connections;
    }
    if (l->mode == MODE_SEQUENCE) {
        l->begin_ns = now;
        l->end_ns = UINT64_MAX;
        l->began = true;
        l->cpu_begin = l->pid ? cpu_ns(l->pid) : 0;
        conn_send(l, &l->conns[0], now);
    }
}

static void finish(struct load *l)
{
    if (l->mode == MODE_SEQUENCE) {
        l->end_ns = now_ns();
        l->cpu_end = l->pid ? cpu_ns(l->pid) : 0;
    }
    if (l->mode == MODE_RATE && l->next_due_ns < l->end_ns)
        l->missed = (l->end_ns - l->next_due_ns - 1) / l->period_ns + 1;
    l->unanswered = l->busy;
}

static void print_hist(const char *name, const struct hist *h)
{
    printf(
        ",\"%s\":{\"count\":%llu,\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f}",
        name, (unsigned long long)h->count, (double)hist_quantile(h, 500) / 1e3,
        (double)hist_quantile(h, 900) / 1e3, (double)hist_quantile(h, 990) / 1e3,
        (double)hist_quantile(h, 999) / 1e3, (double)h->max_ns / 1e3);
}

static void print_results(const struct load *l)
{
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        { "window_ns", l->end_ns - l->begin_ns },
        { "cpu_ns", l->cpu_end - l->cpu_begin },
        { "completed", l->completed },
        { "events", l->events },
        { "reads_with_events", l->reads_with_events },
        { "missed", l->missed },
        { "bad_answers", l->bad_answers },
        { "first_bad_status", l->first_bad_status },
        { "closed", l->closed },
        { "unanswered", l->unanswered },
        { "reconnects", l->reconnects },
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        printf("%s\"%s\":%llu", i ? "," : "{", rows[i].name, (unsigned long long)rows[i].value);
    print_hist("latency_us", &l->latency);
    print_hist("first_event_us", &l->first_event);
    printf("}\n");
}

static void load_free(struct load *l)
{
    for (uint32_t i = 0; i < l->connections; i++)
        close(l->conns[i].fd);
    close(l->epoll);
    close(l->release);
    free(l->conns);
    free(l->idle);
    free(l->request);
    free(l);
}

static uint64_t number(int argc, char **argv, const char *name, const char *fallback, uint64_t min,
                       uint64_t max)
{
    return number_option(name, option(argc, argv, name, fallback), min, max);
}

static enum mode read_mode(const char *name)
{
    const char *const names[] = { "rate", "stream", "sequence" };
    for (uint32_t i = 0; i < 3; i++)
        if (strcmp(name, names[i]) == 0)
            return (enum mode)i;
    die("unknown mode '%s'; modes: rate stream sequence", name);
}

int main(int argc, char **argv)
{
    struct load *l = zalloc(1, sizeof(*l));
    if (argc < 2)
        die("usage: load rate|stream|sequence --port N --body FILE ...");
    l->mode = read_mode(argv[1]);
    check_options(argc, argv, 2, OPTIONS);
    l->port = (uint16_t)number(argc, argv, "--port", "", 1, 65535);
    l->connections = (uint32_t)number(argc, argv, "--connections", "32", 1, MAX_CONNECTIONS);
    l->period_ns = NS_PER_S / number(argc, argv, "--rate", "1000", 1, 1000000);
    l->expect_events = number(argc, argv, "--expect-events", "200", 0, 1000000);
    l->requests = number(argc, argv, "--requests", "100", 1, 100000000);
    l->release_port = (uint16_t)number(argc, argv, "--release-port", "0", 0, 65535);
    l->release = datagrams_loopback(0);
    l->pid = number(argc, argv, "--pid", "0", 0, UINT32_MAX);
    l->request = make_request(argc, argv, l->port, &l->request_n);
    if (l->mode == MODE_SEQUENCE)
        l->connections = 1;
    prctl(PR_SET_TIMERSLACK, 1ul);
    start(l, NS_PER_MS * number(argc, argv, "--warmup-ms", "500", 0, 600000),
          NS_PER_S * number(argc, argv, "--seconds", "5", 1, 3600),
          NS_PER_MS * number(argc, argv, "--stagger-ms", "397", 0, 60000));
    run(l);
    finish(l);
    print_results(l);
    bool failed = l->missed || l->bad_answers || l->closed || l->unanswered;
    load_free(l);
    return failed;
}
