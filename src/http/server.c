/* A connection: bytes in, requests out; deadlines; the end. The diagram is in server_priv.h. */
#include "http/server_priv.h"

#include "base/mem.h"

#include <assert.h>

#define NEVER UINT64_MAX

static const struct stream_events stream_events;

static uint64_t now_of(const struct conn *c)
{
    return loop_now_us(c->server->loop);
}

#ifndef NDEBUG
static bool may_change(enum conn_state from, enum conn_state to)
{
#define TO(s) (1u << CONN_##s)
    static const unsigned allowed[] = {
        [CONN_FRESH] = TO(HEAD) | TO(DEAD),
        [CONN_IDLE] = TO(HEAD) | TO(LINGER) | TO(DEAD),
        [CONN_HEAD] = TO(OUT) | TO(LINGER) | TO(DEAD),
        [CONN_OUT] = TO(IDLE) | TO(DISCARD) | TO(LINGER) | TO(DEAD),
        [CONN_DISCARD] = TO(IDLE) | TO(LINGER) | TO(DEAD),
        [CONN_LINGER] = TO(DEAD),
        [CONN_DEAD] = 0,
    };
#undef TO
    return allowed[from] & 1u << to;
}
#endif

void conn_set_state(struct conn *c, enum conn_state to)
{
    assert(may_change(c->state, to));
    c->state = to;
    c->since_us = now_of(c);
    c->discarded = 0;
}

/* -- output */

void conn_send(struct conn *c, const struct str *segs, size_t n)
{
    size_t before = stream_unsent(c->stream);
    stream_write(c->stream, segs, n);
    if (stream_unsent(c->stream) == 0)
        return;
    if (!before)
        c->unsent_us = now_of(c);
    if (!c->busy)
        conn_settle(c);
}

static void forget_request(struct conn *c)
{
    if (c->rq && c->state == CONN_HEAD) {
        request_put(c->server, c->rq);
        c->rq = NULL;
    }
}

void server_conn_drop(struct conn *c)
{
    forget_request(c);
    stream_abort(c->stream);
    c->stream = NULL;
    conn_set_state(c, CONN_DEAD);
}

static void conn_close(struct conn *c)
{
    forget_request(c);
    stream_close(c->stream);
    c->stream = NULL;
    conn_set_state(c, CONN_DEAD);
}

void conn_hang_up(struct conn *c)
{
    if (c->eof && stream_unsent(c->stream) == 0) { /* nothing to flush, nothing more to come */
        conn_close(c);
        return;
    }
    forget_request(c);
    stream_shutdown(c->stream);
    conn_set_state(c, CONN_LINGER);
}

/* Answers in the server's own name a request that never became an exchange. */
static void refuse(struct conn *c, enum err e, int status, const char *why)
{
    struct http_server *s = c->server;
    buf_reset(&s->body);
    if (s->o.on_refused)
        s->o.on_refused(s->o.ctx, e, why, str_of(c->peer, c->peer_len), &s->body);
    const struct http_header type = { STR("Content-Type"), STR("application/json") };
    struct http_out out = { .status = status,
                            .headers = &type,
                            .header_count = 1,
                            .content_length = (int64_t)s->body.len };
    struct str head = server_put_head(s, &out, H1_LENGTH, H1_CONN_CLOSE);
    conn_send(c, (struct str[]){ head, buf_str(&s->body) }, s->body.len ? 2 : 1);
    conn_hang_up(c);
}

/* -- input: one step a state. Each takes what it can use from *in; false: nothing more to do
 * with it now. */

static void give_out(struct conn *c, bool body_came)
{
    struct request *rq = c->rq;
    const struct http_head *head = h1_head(&c->h1);
    rq->x.head = head;
    /* A client whose body comes with the head has not waited for 100 Continue. */
    rq->continue_due = head->expect_continue && c->h1.state != H1_ENDING && !body_came;
    conn_set_state(c, CONN_OUT);
    c->server->o.on_request(c->server->o.ctx, &rq->x);
}

static bool step_head(struct conn *c, struct str *in)
{
    if (!in->len)
        return false;
    if (c->state != CONN_HEAD) {
        /* The answer before is taken first: a client must not pile up answers by not reading. */
        if (stream_unsent(c->stream) > STREAM_HIGH_BYTES)
            return false;
        c->rq = request_get(c->server, c);
        h1_begin(&c->h1, c->rq->x.arena, false);
        conn_set_state(c, CONN_HEAD);
    }
    struct str none;
    switch (h1_next(&c->h1, in, &none)) {
    case H1_MORE: return false;
    case H1_HEAD: give_out(c, in->len > 0); return true;
    default: refuse(c, h1_error(&c->h1), h1_status(&c->h1), h1_why(&c->h1)); return true;
    }
}

/* The last event of an exchange. Its stream may be gone, or still take an answer. */
static void fail_exchange(struct conn *c, enum err e, const char *detail)
{
    struct request *rq = c->rq;
    if (rq->failed)
        return;
    rq->failed = true;
    if (rq->recv == RECV_BODY)
        rq->recv = RECV_FAILED;
    rq->x.detail = str_c(detail);
    exchange_emit_error(&rq->x, e);
}

static bool step_out(struct conn *c, struct str *in)
{
    struct request *rq = c->rq;
    struct str body;
    if (rq->recv == RECV_FAILED) {
        *in = str_skip(*in, in->len);
        return false;
    }
    if (rq->recv == RECV_DONE || !rq->pull)
        return false;
    switch (h1_next(&c->h1, in, &body)) {
    case H1_BODY:
        rq->continue_due = false;
        exchange_emit_body(&rq->x, body);
        return true;
    case H1_END:
        rq->recv = RECV_DONE;
        exchange_emit_end(&rq->x);
        return true;
    case H1_FAIL: fail_exchange(c, ERR_BAD_HTTP, h1_why(&c->h1)); return true;
    default: return false;
    }
}

static bool step_discard(struct conn *c, struct str *in)
{
    struct str body;
    size_t had = in->len;
    enum h1_step step = h1_next(&c->h1, in, &body);
    c->discarded += had - in->len;
    if (step == H1_END) {
        conn_set_state(c, CONN_IDLE);
    } else if (step == H1_FAIL || c->discarded > CONN_DISCARD_BYTES) {
        size_t discarded = c->discarded;
        conn_hang_up(c);
        c->discarded = discarded;
    }
    return step != H1_MORE;
}

static bool step_drop(struct conn *c, struct str *in)
{
    c->discarded += in->len;
    *in = str_skip(*in, in->len);
    return false;
}

static bool step(struct conn *c, struct str *in)
{
    switch (c->state) {
    case CONN_FRESH:
    case CONN_IDLE:
    case CONN_HEAD: return step_head(c, in);
    case CONN_OUT: return step_out(c, in);
    case CONN_DISCARD: return step_discard(c, in);
    case CONN_LINGER:
    case CONN_DEAD: break;
    }
    return step_drop(c, in);
}

void conn_process(struct conn *c, struct str bytes)
{
    assert(!c->busy);
    c->busy = true;
    bool queued = c->pending.len > 0;
    if (queued) {
        buf_put(&c->pending, bytes);
        bytes = buf_str(&c->pending);
    }
    size_t had = bytes.len;
    while (step(c, &bytes)) {}
    if (queued)
        buf_shift(&c->pending, had - bytes.len);
    else if (bytes.len)
        buf_put(&c->pending, bytes);
    if (!c->pending.len && c->pending.room)
        buf_done(&c->pending);
    if (c->pending.fail && c->stream)
        server_conn_drop(c); /* more than reading ahead can bring */
    c->busy = false;
    conn_settle(c);
}

/* -- deadlines */

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* When a client that takes nothing is given up. */
static uint64_t stall_due(const struct conn *c)
{
    if (stream_unsent(c->stream) == 0)
        return NEVER;
    uint64_t from = later(c->unsent_us, stream_last_progress_us(c->stream));
    return from + c->server->o.client_stall_timeout_ms * 1000;
}

/* While the body is pulled: the grace, and from then on the time that its bytes have bought. */
static uint64_t body_due(const struct conn *c)
{
    const struct request *rq = c->rq;
    const struct http_server_opts *o = &c->server->o;
    if (rq->recv != RECV_BODY || !rq->pull || rq->failed)
        return NEVER;
    if (!o->body_min_rate)
        return NEVER;
    uint64_t allowed_us = o->body_grace_ms * 1000 + rq->x.bytes_in * 1000000 / o->body_min_rate;
    return rq->pull_us + (allowed_us > rq->pulled_us ? allowed_us - rq->pulled_us : 0);
}

static uint64_t due(const struct conn *c)
{
    const struct http_server_opts *o = &c->server->o;
    uint64_t stall = c->stream ? stall_due(c) : NEVER, body;
    switch (c->state) {
    case CONN_FRESH:
    case CONN_HEAD: return c->since_us + o->header_timeout_ms * 1000;
    case CONN_IDLE:
        if (stall != NEVER)
            return stall;
        return later(c->since_us, stream_last_progress_us(c->stream)) +
               o->keepalive_timeout_ms * 1000;
    case CONN_OUT: body = body_due(c); return body < stall ? body : stall;
    case CONN_DISCARD: return c->since_us + CONN_DISCARD_US;
    case CONN_LINGER:
        /* No event tells that the last byte went out: looked at once a second. */
        if (stall != NEVER)
            return now_of(c) < stall ? c->since_us + CONN_DISCARD_US : stall;
        return later(c->since_us, stream_last_progress_us(c->stream)) + CONN_DISCARD_US;
    case CONN_DEAD: break;
    }
    return NEVER;
}

/* Makes the timer come no later than the earliest deadline. It is left alone when it comes
 * before: it then looks again, and a connection that serves requests one after the other never
 * touches it. */
static void arm(struct conn *c)
{
    uint64_t at = due(c);
    if (at == NEVER || (c->due_us && c->due_us <= at))
        return;
    uint64_t now_us = now_of(c);
    c->due_us = at;
    timer_set(&c->timer, at > now_us ? (at - now_us + 999) / 1000 : 0);
}

static void expire(struct conn *c, uint64_t now_us)
{
    bool stalled = stall_due(c) <= now_us;
    switch (c->state) {
    case CONN_HEAD:
        refuse(c, ERR_BODY_TIMEOUT, err_status(ERR_BODY_TIMEOUT),
               "the request's head did not arrive in time");
        return;
    case CONN_OUT:
        if (stalled) {
            stream_abort(c->stream);
            c->stream = NULL;
            conn_set_state(c, CONN_DEAD);
            fail_exchange(c, ERR_TIMEOUT, "the client took no byte of the answer");
        } else {
            fail_exchange(c, ERR_BODY_TIMEOUT, "the request's body came too slowly");
        }
        return;
    case CONN_DISCARD:
        if (!stream_unsent(c->stream))
            break;
        conn_hang_up(c);
        return;
    case CONN_LINGER:
        if (!stalled && stream_unsent(c->stream)) {
            c->since_us = now_us;
            return;
        }
        break;
    default: break;
    }
    if (stalled)
        server_conn_drop(c);
    else
        conn_close(c);
}

static void on_timer(void *ctx)
{
    struct conn *c = ctx;
    c->due_us = 0;
    uint64_t now_us = now_of(c);
    if (c->stream && due(c) <= now_us) {
        c->busy = true;
        expire(c, now_us);
        c->busy = false;
        /* The owner may have closed the exchange: what was received ahead is gone on with. */
        if (c->stream && c->pending.len) {
            conn_process(c, str_of(NULL, 0));
            return;
        }
    }
    conn_settle(c);
}

/* -- the stream's events */

static void on_data(void *ctx, struct str bytes)
{
    conn_process(ctx, bytes);
}

static void on_wake(void *ctx)
{
    conn_process(ctx, str_of(NULL, 0));
}

static void on_drain(void *ctx)
{
    struct conn *c = ctx;
    c->busy = true;
    if (c->state == CONN_OUT && !c->rq->failed)
        exchange_emit_drain(&c->rq->x);
    c->busy = false;
    conn_process(c, str_of(NULL, 0));
}

static void on_end(void *ctx, enum err why)
{
    struct conn *c = ctx;
    bool orderly = why == ERR_EOF;
    bool answered = c->state != CONN_OUT || (c->rq->end_sent && !c->rq->failed);
    c->eof = true;
    c->reading = false;
    c->busy = true;
    if (orderly && answered && stream_unsent(c->stream)) {
        /* It has stopped sending but may still read what it was answered. */
        if (c->state == CONN_IDLE || c->state == CONN_DISCARD || c->state == CONN_HEAD)
            conn_hang_up(c);
    } else if (c->state == CONN_OUT) {
        if (orderly && c->rq->end_sent)
            stream_close(c->stream); /* the answer may still be on its way */
        else
            stream_abort(c->stream);
        c->stream = NULL;
        conn_set_state(c, CONN_DEAD);
        if (!c->rq->end_sent)
            fail_exchange(c, orderly ? ERR_EOF : ERR_RESET,
                          orderly ? "the client closed the connection"
                                  : "the client's connection broke");
    } else if (orderly) {
        conn_close(c);
    } else {
        server_conn_drop(c);
    }
    c->busy = false;
    conn_settle(c);
}

static const struct stream_events stream_events = { .on_data = on_data,
                                                    .on_end = on_end,
                                                    .on_drain = on_drain };

/* -- begin and end */

static void conn_free(struct conn *c)
{
    struct http_server *s = c->server;
    timer_stop(&c->timer);
    defer_cancel(&c->wake);
    buf_done(&c->pending);
    list_remove(&c->link);
    mem_free(c);
    server_conn_gone(s);
}

void conn_settle(struct conn *c)
{
    if (c->busy)
        return;
    if (c->state == CONN_DEAD) {
        timer_stop(&c->timer);
        c->due_us = 0;
        if (!c->rq)
            conn_free(c);
        return;
    }
    bool want = c->pending.len < CONN_PENDING_BYTES &&
                !(c->state == CONN_LINGER && c->discarded > CONN_DISCARD_BYTES);
    if (want != c->reading && !c->eof) {
        c->reading = want;
        stream_read(c->stream, want);
    }
    arm(c);
}

void conn_accept(struct http_server *s, struct stream *stream)
{
    struct conn *c = MEM_NEW(struct conn);
    c->server = s;
    c->stream = stream;
    c->state = CONN_FRESH;
    c->reading = true;
    h1_init(
        &c->h1, H1_REQUEST,
        &(struct h1_limits){ s->o.max_request_line, s->o.max_header_bytes, s->o.max_header_count });
    buf_init(&c->pending, 1024 * 1024);
    timer_init(&c->timer, s->loop, on_timer, c);
    defer_init(&c->wake, on_wake, c);
    list_push(&s->conns, &c->link);
    s->conn_count++;
    struct str peer = str_head(stream_peer(stream), sizeof c->peer);
    if (peer.len)
        memcpy(c->peer, peer.p, peer.len);
    c->peer_len = peer.len;
    c->since_us = now_of(c);
    stream_set_events(stream, &stream_events, c);
    arm(c);
}

void conn_cancel(struct conn *c)
{
    c->busy = true;
    bool out = c->state == CONN_OUT;
    if (out) {
        stream_abort(c->stream);
        c->stream = NULL;
        conn_set_state(c, CONN_DEAD);
        fail_exchange(c, ERR_CANCELLED, "the server is stopping");
    } else if (c->stream) {
        conn_close(c);
    }
    c->busy = false;
    conn_settle(c);
}

void conn_close_idle(struct conn *c)
{
    if (c->state != CONN_IDLE || c->pending.len || c->busy)
        return;
    if (stream_unsent(c->stream))
        conn_hang_up(c);
    else
        conn_close(c);
    conn_settle(c);
}
