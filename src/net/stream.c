/* The life of a stream, and who still knows it:
 *
 *   stream_new -> connected, read and written by its owner
 *      stream_close: the owner is forgotten (closing); what is unsent goes out, 5 s at most
 *      stream_abort: the owner is forgotten
 *   -> destroy: uv_close -> on_closed: freed
 *
 * Nothing is freed before on_closed, so code may look at its stream after a callback returned: if
 * `closing` is set, the owner has left. */
#include "base/mem.h"
#include "net/filter.h"
#include "net/net_priv.h"

#include <unistd.h>

#define FLUSH_MS 5000
#define WRITE_BYTES ((size_t)64 * 1024) /* handed to libuv at once, so that progress is seen */
#define WRITE_SEGS 64
/* Writers pace themselves by stream_unsent; one that does not is a bug, and this is where it ends.
 * */
#define UNSENT_MAX_BYTES ((size_t)256 * 1024 * 1024)

static void pump(struct stream *s);
static void destroy(struct stream *s, bool reset);

/* -- making */

static void on_later(void *ctx);

static void on_timer(void *ctx)
{
    destroy(ctx, true); /* the peer did not take the rest in time */
}

struct stream *stream_new(struct loop *l)
{
    struct stream *s = MEM_NEW(struct stream);
    uv_tcp_init(loop_uv(l), &s->tcp); /* without a family it cannot fail */
    s->tcp.data = s;
    s->loop = l;
    s->read_wanted = true;
    buf_init(&s->sending, UNSENT_MAX_BYTES);
    buf_init(&s->queued, UNSENT_MAX_BYTES);
    defer_init(&s->later, on_later, s);
    timer_init(&s->timer, l, on_timer, s);
    s->progress_us = loop_now_us(l);
    return s;
}

void stream_set_peer(struct stream *s, const union addr *a)
{
    s->peer_len = addr_text(a, s->peer);
}

enum err stream_open_fd(struct stream *s, int fd)
{
    if (uv_tcp_open(&s->tcp, fd)) {
        close(fd);
        return ERR_IO;
    }
    return ERR_OK;
}

/* -- reading */

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *ret_buf)
{
    struct stream *s = h->data;
    /* A pause reaches the kernel only when bytes do come: most are over before. An empty buffer
     * leaves them there. */
    bool wanted =
        s->read_wanted && !(s->tls && filter_holds(s->tls)); /* what is held comes first */
    if (wanted || s->closing)
        *ret_buf = uv_buf_init(loop_read_buf(s->loop), LOOP_READ_BYTES);
    else
        *ret_buf = uv_buf_init(NULL, 0);
}

static void read_stop(struct stream *s)
{
    if (s->reading)
        uv_read_stop((uv_stream_t *)&s->tcp);
    s->reading = false;
}

static bool peer_left(ssize_t uv_error)
{
    return uv_error == UV_ECONNRESET || uv_error == UV_EPIPE || uv_error == UV_ETIMEDOUT;
}

/* libuv takes a hang-up that comes together with bytes for an end of file, also when it is a reset.
 * */
static int pending_error(struct stream *s)
{
    int fd = -1, e = 0;
    socklen_t len = sizeof e;
    if (uv_fileno((uv_handle_t *)&s->tcp, &fd) || getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &len))
        return 0;
    return -e;
}

static void read_failed(struct stream *s, ssize_t uv_error)
{
    if (uv_error == UV_EOF) {
        int e = pending_error(s);
        uv_error = e ? e : uv_error;
    }
    if (uv_error != UV_EOF) {
        enum err why = peer_left(uv_error) ? ERR_RESET : ERR_IO;
        stream_end(s, why, uv_strerror((int)uv_error));
    } else if (s->fail) { /* the reset was consumed by a write */
        stream_end(s, s->fail, s->problem);
    } else if (s->tls) {
        filter_eof(s); /* orderly only after close_notify */
    } else {
        stream_end(s, ERR_EOF, "closed by the peer");
    }
}

static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *b)
{
    struct stream *s = h->data;
    if (n == UV_ENOBUFS) {
        read_stop(s);
    } else if (n < 0) {
        read_stop(s);
        if (!s->closing)
            read_failed(s, n);
        else if (n != UV_EOF)
            destroy(s, true); /* nobody takes what is unsent */
    } else if (n > 0 && !s->closing) {
        if (s->tls)
            filter_input(s, str_of(b->base, (size_t)n));
        else
            stream_deliver(s, str_of(b->base, (size_t)n));
        loop_run_defers(s->loop);
    }
}

static void read_start(struct stream *s)
{
    if (s->reading || uv_is_closing((uv_handle_t *)&s->tcp))
        return;
    /* It fails only after the end of the stream, which has been reported. */
    s->reading = uv_read_start((uv_stream_t *)&s->tcp, on_alloc, on_read) == 0;
}

void stream_start(struct stream *s)
{
    s->progress_us = loop_now_us(s->loop);
    read_start(s);
}

void stream_deliver(struct stream *s, struct str bytes)
{
    if (s->ev.on_data)
        s->ev.on_data(s->ctx, bytes);
    else
        s->stray = true;
}

void stream_read(struct stream *s, bool on)
{
    if (s->closing || s->read_wanted == on)
        return;
    s->read_wanted = on;
    if (on && !s->ended)
        read_start(s);
    if (on ? s->tls && filter_holds(s->tls) : s->fail != ERR_OK)
        loop_defer(s->loop, &s->later);
}

/* -- the end */

static void drop_unsent(struct stream *s)
{
    buf_done(&s->queued);
    if (!s->writing)
        buf_done(&s->sending); /* else libuv reads it until on_written */
    s->was_high = false;
}

void stream_end(struct stream *s, enum err why, const char *problem)
{
    bool hard = why != ERR_EOF;
    if (s->closing || s->ended_hard || (s->ended && !hard))
        return;
    s->ended = true;
    s->ended_hard = hard;
    s->problem = problem;
    read_stop(s);
    if (hard) {
        s->write_dead = true;
        drop_unsent(s);
    }
    if (s->tls && filter_handshaking(s->tls))
        filter_fail(s, str_c(problem));
    else if (s->ev.on_end)
        s->ev.on_end(s->ctx, why);
}

void stream_fail(struct stream *s, enum err why, const char *problem)
{
    if (s->write_dead)
        return;
    s->write_dead = true;
    drop_unsent(s);
    s->fail = why;
    s->problem = problem;
    loop_defer(s->loop, &s->later);
}

static void on_later(void *ctx)
{
    struct stream *s = ctx;
    if (s->fail)
        stream_end(s, s->fail, s->problem);
    else if (s->tls)
        filter_resume(s);
    if (s->read_wanted && !s->ended && !s->closing)
        read_start(s);
}

/* A write failed. The peer may have answered before it went away ("413, and close"): while reading
 * is on, what it sent is delivered first, and the read side comes upon the end. */
static void write_failed(struct stream *s, int uv_error)
{
    if (s->write_dead)
        return;
    s->write_dead = true;
    drop_unsent(s);
    if (s->closing) {
        if (!uv_is_closing((uv_handle_t *)&s->tcp))
            destroy(s, true);
        return;
    }
    s->fail = peer_left(uv_error) ? ERR_RESET : ERR_IO;
    s->problem = uv_strerror(uv_error);
    if (!(s->reading && s->read_wanted && peer_left(uv_error)))
        loop_defer(s->loop, &s->later);
}

/* -- writing */

size_t stream_unsent(const struct stream *s)
{
    if (s->write_dead)
        return 0;
    size_t in_uv = s->writing ? uv_stream_get_write_queue_size((const uv_stream_t *)&s->tcp) : 0;
    size_t begun = s->sending_at + (s->writing ? s->write_bytes : 0);
    return in_uv + (s->sending.len - begun) + s->queued.len;
}

static void on_shutdown(uv_shutdown_t *rq, int status)
{
}

/* Everything has been sent: what waited for that. */
static void drained(struct stream *s)
{
    if (s->closing) {
        destroy(s, false);
    } else if (s->shut_wanted && !s->shut_done) {
        s->shut_done = true;
        uv_shutdown(&s->rq.shutdown, (uv_stream_t *)&s->tcp, on_shutdown);
    }
}

static void on_written(uv_write_t *rq, int status)
{
    struct stream *s = rq->data;
    s->writing = false;
    if (status == UV_ECANCELED || uv_is_closing((uv_handle_t *)&s->tcp))
        return;
    if (s->write_dead) {
        buf_done(&s->sending);
        return;
    }
    if (status) {
        write_failed(s, status);
        return;
    }
    s->sending_at += s->write_bytes;
    s->progress_us = loop_now_us(s->loop);
    pump(s);
    size_t unsent = stream_unsent(s);
    if (s->write_dead) {
        return;
    } else if (s->was_high && unsent <= STREAM_LOW_BYTES && !s->closing) {
        s->was_high = false;
        if (s->ev.on_drain)
            s->ev.on_drain(s->ctx);
    }
}

/* Hands the next piece of what waits to libuv; when nothing waits, gives the memory back. */
static void pump(struct stream *s)
{
    if (s->writing || s->write_dead)
        return;
    if (s->sending_at == s->sending.len) {
        struct buf t = s->sending;
        s->sending = s->queued;
        s->queued = t;
        buf_reset(&s->queued);
        s->sending_at = 0;
        if (!s->sending.len) {
            buf_done(&s->sending);
            buf_done(&s->queued);
            drained(s);
            return;
        }
    }
    size_t left = s->sending.len - s->sending_at;
    s->write_bytes = left < WRITE_BYTES ? left : WRITE_BYTES;
    uv_buf_t b = uv_buf_init(s->sending.p + s->sending_at, (unsigned)s->write_bytes);
    s->write.data = s;
    int e = uv_write(&s->write, (uv_stream_t *)&s->tcp, &b, 1, on_written);
    if (e) {
        write_failed(s, e);
        return;
    }
    s->writing = true;
    s->seen_left = uv_stream_get_write_queue_size((uv_stream_t *)&s->tcp);
}

/* Tries one vectored write of the first segments; returns how much was taken, *ret_all: everything
 * that was tried. A failure is dealt with. */
static size_t try_write(struct stream *s, const struct str *segs, size_t n, bool *ret_all)
{
    SCRATCH uv_buf_t bufs[WRITE_SEGS];
    unsigned count = 0;
    size_t want = 0;
    for (size_t i = 0; i < n && count < WRITE_SEGS; i++) {
        if (!segs[i].len)
            continue;
        bufs[count++] = uv_buf_init((char *)segs[i].p, (unsigned)segs[i].len);
        want += segs[i].len;
    }
    int got = uv_try_write((uv_stream_t *)&s->tcp, bufs, count);
    if (got < 0 && got != UV_EAGAIN)
        write_failed(s, got);
    size_t taken = got > 0 ? (size_t)got : 0;
    if (taken)
        s->progress_us = loop_now_us(s->loop);
    *ret_all = taken == want;
    return taken;
}

static void queue(struct stream *s, const struct str *segs, size_t n, size_t skip)
{
    /* While libuv holds `sending` its memory must not move. */
    struct buf *to = s->writing ? &s->queued : &s->sending;
    for (size_t i = 0; i < n; i++) {
        size_t cut = skip < segs[i].len ? skip : segs[i].len;
        skip -= cut;
        if (cut < segs[i].len)
            buf_put(to, str_skip(segs[i], cut));
    }
    pump(s);
    if (stream_unsent(s) > STREAM_HIGH_BYTES)
        s->was_high = true;
}

void stream_raw_write(struct stream *s, const struct str *segs, size_t n)
{
    if (s->write_dead || s->shut_done)
        return;
    size_t total = 0, sent = 0;
    for (size_t i = 0; i < n; i++)
        total += segs[i].len;
    if (total + stream_unsent(s) > UNSENT_MAX_BYTES) {
        write_failed(s, UV_ENOBUFS);
        return;
    }
    bool all = !s->writing;
    while (all && sent < total) {
        size_t at = 0, i = 0;
        while (at < sent || !segs[i].len) /* whole segments: otherwise not all was taken */
            at += segs[i++].len;
        sent += try_write(s, segs + i, n - i, &all);
    }
    if (sent < total && !s->write_dead)
        queue(s, segs, n, sent);
}

void stream_write(struct stream *s, const struct str *segs, size_t n)
{
    if (s->closing || s->write_dead || s->shut_wanted)
        return;
    if (s->tls)
        filter_write(s, segs, n);
    else
        stream_raw_write(s, segs, n);
}

void stream_shutdown(struct stream *s)
{
    if (s->closing || s->write_dead || s->shut_wanted)
        return;
    if (s->tls)
        filter_shutdown(s);
    s->shut_wanted = true;
    if (!stream_unsent(s))
        drained(s);
}

uint64_t stream_last_progress_us(const struct stream *s)
{
    /* libuv tells of a piece when all of it is sent; its queue tells of less. What was seen is only
     * a cache. */
    struct stream *m = (struct stream *)s;
    size_t left = s->writing ? uv_stream_get_write_queue_size((const uv_stream_t *)&s->tcp) : 0;
    if (s->writing && left < s->seen_left) {
        m->progress_us = loop_now_us(s->loop);
        m->seen_left = left;
    }
    return s->progress_us;
}

/* -- closing */

static void on_closed(uv_handle_t *h)
{
    struct stream *s = h->data;
    struct loop *l = s->loop;
    filter_free(s->tls);
    buf_done(&s->sending);
    buf_done(&s->queued);
    mem_free(s);
    loop_release(l);
}

static void leave(struct stream *s)
{
    s->closing = true;
    s->ev = (struct stream_events){ 0 };
    defer_cancel(&s->later);
    timer_stop(&s->timer);
    loop_hold(s->loop);
}

static void destroy(struct stream *s, bool reset)
{
    uv_handle_t *h = (uv_handle_t *)&s->tcp;
    if (uv_is_closing(h))
        return;
    s->reading = false;
    timer_stop(&s->timer);
    if (!reset || uv_tcp_close_reset(&s->tcp, on_closed))
        uv_close(h, on_closed);
}

void stream_close(struct stream *s)
{
    if (s->closing)
        return;
    if (s->tls && !s->write_dead && !s->shut_wanted)
        filter_shutdown(s);
    leave(s);
    if (!stream_unsent(s)) {
        destroy(s, false);
        return;
    }
    timer_set(&s->timer, FLUSH_MS);
    if (!s->ended)
        read_start(s); /* so that a peer that goes away is seen; its bytes are dropped */
}

void stream_abort(struct stream *s)
{
    if (s->closing)
        return;
    /* With bytes unread the kernel sends a reset by itself; with bytes unsent the peer must not
     * take what it has for the whole. */
    bool reset = stream_unsent(s) > 0;
    leave(s);
    destroy(s, reset);
}

/* -- the rest */

void stream_set_events(struct stream *s, const struct stream_events *ev, void *ctx)
{
    if (s->closing)
        return;
    s->ev = ev ? *ev : (struct stream_events){ 0 };
    s->ctx = ctx;
}

struct str stream_peer(const struct stream *s)
{
    return str_of(s->peer, s->peer_len);
}

struct str stream_problem(const struct stream *s)
{
    return str_c(s->problem);
}

struct loop *stream_loop(const struct stream *s)
{
    return s->loop;
}

bool stream_alive(const struct stream *s)
{
    return !s->ended && !s->write_dead && !s->closing && !s->stray;
}
