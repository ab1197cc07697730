#include "http/client_priv.h"

#include "base/mem.h"

#include <assert.h>

/* One call: a request, its answer, and the connection that both use meanwhile.
 *
 *            dial failed, pool full
 *     +---------------------------------+
 *     |        cut, timeout, not HTTP   v
 *   WAIT --> AWAIT --> BODY --> DONE  FAILED
 *    ^         |         |       |       |
 *    +---------+         +-------+-------+--> CLOSED --> SPARE
 *   a pooled connection was dead              exchange_close, from every state
 *
 * Sending is beside these states: it goes on from AWAIT until all is sent, or the answer is
 * complete, which may be earlier.
 *
 * Callbacks to the owner are made between call_enter and call_leave only. exchange_close within
 * them gives up connection and dial at once, and the memory when the outermost call_leave is
 * reached. */

#define LATE_CAP_BYTES (64 * MIB)
#define HELD_CAP_BYTES (4 * (size_t)LOOP_SCRATCH_BYTES)
#define ANSWER_HEADERS_MAX 512
#define SHOWN_BYTES 40

static void call_dial(struct call *x);
static void call_on_timer(void *ctx);
static void call_on_defer(void *ctx);

static const struct stream_events conn_events;
static const struct exchange_ops call_ops;

static void call_set_state(struct call *x, enum call_state to)
{
#define TO(s) (1u << CALL_##s)
    static const unsigned allowed[] = {
        [CALL_SPARE] = TO(WAIT) | TO(AWAIT) | TO(FAILED),
        [CALL_WAIT] = TO(AWAIT) | TO(FAILED) | TO(CLOSED),
        [CALL_AWAIT] = TO(WAIT) | TO(BODY) | TO(FAILED) | TO(CLOSED),
        [CALL_BODY] = TO(DONE) | TO(FAILED) | TO(CLOSED),
        [CALL_DONE] = TO(CLOSED),
        [CALL_FAILED] = TO(CLOSED),
        [CALL_CLOSED] = TO(SPARE),
    };
#undef TO
    assert(allowed[x->state] & (1u << to));
    (void)allowed;
    x->state = to;
}

void call_init(struct call *x, struct client *c)
{
    struct h1_limits limits = { .max_line = c->opts.max_header_bytes,
                                .max_header_bytes = c->opts.max_header_bytes,
                                .max_header_count = ANSWER_HEADERS_MAX };
    x->base.ops = &call_ops;
    x->base.arena = arena_new();
    x->client = c;
    x->state = CALL_SPARE;
    list_init(&x->link);
    buf_init(&x->late, LATE_CAP_BYTES);
    buf_init(&x->held, HELD_CAP_BYTES);
    h1_init(&x->h1, H1_RESPONSE, &limits);
    timer_init(&x->timer, c->loop, call_on_timer, x);
    defer_init(&x->defer, call_on_defer, x);
}

void call_done(struct call *x)
{
    timer_stop(&x->timer);
    defer_cancel(&x->defer);
    buf_done(&x->held);
    buf_done(&x->late);
    arena_free(x->base.arena);
}

static void call_end(struct call *x)
{
    defer_cancel(&x->defer);
    call_set_state(x, CALL_SPARE);
    call_recycle(x);
}

static void call_enter(struct call *x)
{
    x->busy++;
}

static void call_leave(struct call *x)
{
    x->busy--;
    if (x->busy == 0 && x->state == CALL_CLOSED)
        call_end(x);
}

/* -- giving up and failing */

static void call_detach(struct call *x, bool keep, bool abort)
{
    struct conn *cn = x->conn;
    x->conn = NULL;
    if (x->dial) {
        dial_cancel(x->dial);
        x->dial = NULL;
        pool_release(x->pool);
    }
    if (!cn)
        return;
    if (!keep) {
        conn_drop(cn, abort);
        return;
    }
    if (x->stopped)
        stream_read(cn->stream, true); /* an idle connection is watched */
    conn_keep(cn);
}

static void call_set_failed(struct call *x, enum err e, struct str detail)
{
    call_detach(x, false, true);
    x->fail = e;
    x->base.detail = detail;
    call_set_state(x, CALL_FAILED);
}

/* From an event of the loop: the owner hears at once. */
static void call_fail(struct call *x, enum err e, struct str detail)
{
    call_set_failed(x, e, detail);
    call_enter(x);
    exchange_emit_error(&x->base, e);
    call_leave(x);
}

/* From within a call of the owner: it hears later. */
void call_fail_later(struct call *x, enum err e, struct str detail)
{
    call_set_failed(x, e, detail);
    loop_defer(x->client->loop, &x->defer);
}

/* -- time */

/* When the present state becomes a timeout; 0: never. */
static uint64_t call_due_us(const struct call *x)
{
    if (x->state == CALL_AWAIT && x->first_byte_timeout_ms && !x->more) {
        /* Counted from the end of the request: when the peer last took bytes of it. */
        uint64_t taken_us = stream_last_progress_us(x->conn->stream);
        return (taken_us > x->since_us ? taken_us : x->since_us) + x->first_byte_timeout_ms * 1000;
    }
    if (x->state == CALL_BODY && x->flow && x->idle_timeout_ms)
        return x->since_us + x->idle_timeout_ms * 1000;
    return 0;
}

void call_arm(struct call *x)
{
    uint64_t due_us = call_due_us(x);
    if (due_us == 0 || (x->timer.due_us && x->timer.due_us <= due_us))
        return;
    uint64_t now_us = loop_now_us(x->client->loop);
    timer_set(&x->timer, due_us > now_us ? (due_us - now_us + 999) / 1000 : 1);
}

static void call_on_timer(void *ctx)
{
    struct call *x = ctx;
    uint64_t due_us = call_due_us(x);
    if (due_us == 0)
        return;
    if (loop_now_us(x->client->loop) < due_us) {
        call_arm(x);
        return;
    }
    struct str detail;
    if (x->state == CALL_AWAIT)
        detail = arena_printf(
            x->base.arena,
            "no answer within %llu ms of the request (%zu bytes of it were not taken)",
            (unsigned long long)x->first_byte_timeout_ms, x->rest + stream_unsent(x->conn->stream));
    else
        detail = arena_printf(
            x->base.arena, "the answer paused for %llu ms, after %llu bytes of its body",
            (unsigned long long)x->idle_timeout_ms, (unsigned long long)x->base.bytes_in);
    call_fail(x, ERR_TIMEOUT, detail);
}

/* -- the answer */

static bool call_alive(const struct call *x)
{
    return x->state == CALL_AWAIT || x->state == CALL_BODY;
}

static void call_stop(struct call *x)
{
    if (!x->stopped)
        stream_read(x->conn->stream, false);
    x->stopped = true;
}

/* The owner does not pull: what has come waits, and the socket stops. `in` may be the end of
 * what was waiting. */
static void call_hold(struct call *x, struct str in)
{
    call_stop(x);
    if (in.len == 0) {
        x->held_used = x->held.len;
    } else if (x->held.p && in.p >= x->held.p && in.p < x->held.p + x->held.len) {
        x->held_used = (size_t)(in.p - x->held.p);
    } else {
        buf_put(&x->held, in);
        if (x->held.fail)
            call_fail(x, ERR_INTERNAL, STR("more came on a stopped stream than it may hold"));
    }
}

/* What stands where a status line should is worth a look: a TLS record, an SMTP greeting. Of an
 * answer nothing is shown. */
static struct str bad_detail(struct call *x, struct str first)
{
    const char *why = h1_why(&x->h1);
    struct str seen = str_head(first, SHOWN_BYTES);
    if (seen.len == 0 || str_starts(seen, STR("HTTP/")))
        return str_c(why);
    char text[4 * SHOWN_BYTES];
    size_t n = 0;
    for (size_t i = 0; i < seen.len; i++) {
        static const char hex[] = "0123456789abcdef";
        unsigned char c = (unsigned char)seen.p[i];
        if (c >= 0x20 && c < 0x7f && c != '\\' && c != '"') {
            text[n++] = (char)c;
            continue;
        }
        text[n++] = '\\';
        text[n++] = 'x';
        text[n++] = hex[c >> 4];
        text[n++] = hex[c & 15];
    }
    return arena_printf(x->base.arena, "%s; received \"%.*s\"", why, (int)n, text);
}

static void call_complete(struct call *x)
{
    call_set_state(x, CALL_DONE);
    exchange_emit_end(&x->base);
}

static void call_head(struct call *x)
{
    x->base.head = h1_head(&x->h1);
    x->base.answered = true;
    x->since_us = loop_now_us(x->client->loop);
    call_set_state(x, CALL_BODY);
    if (x->base.ev && x->base.ev->on_head)
        x->base.ev->on_head(x->base.ctx, x->base.head);
}

/* Gives out what `in` holds, until it is used up, the owner stops pulling, or the answer or the
 * call is over. */
static void call_parse(struct call *x, struct str in)
{
    struct str body, first = h1_started(&x->h1) ? str_of(NULL, 0) : in;
    call_enter(x);
    x->parsing = true;
    while (call_alive(x)) {
        if (x->state == CALL_BODY && !x->flow) {
            call_hold(x, in);
            break;
        }
        enum h1_step step = h1_next(&x->h1, &in, &body);
        if (step == H1_MORE)
            break;
        if (step == H1_HEAD) {
            call_head(x);
        } else if (step == H1_BODY) {
            exchange_emit_body(&x->base, body);
        } else if (step == H1_END) {
            x->surplus |= in.len > 0;
            call_complete(x);
        } else {
            call_fail(x, ERR_UPSTREAM_BAD, bad_detail(x, first));
        }
    }
    x->parsing = false;
    if (x->state == CALL_BODY)
        call_arm(x);
    call_leave(x);
}

/* The pooled connection was closed while the request was on its way: nobody has read it. */
static void call_retry(struct call *x)
{
    x->base.reused = false; /* so this is done once */
    x->pool = x->conn->pool;
    call_detach(x, false, true);
    bool reserved = pool_reserve(x->pool); /* the slot that has just come free */
    assert(reserved);
    (void)reserved;
    call_set_state(x, CALL_WAIT);
    call_dial(x);
}

static void call_cut(struct call *x, enum err why)
{
    const char *how = why == ERR_EOF     ? "closed"
                      : why == ERR_RESET ? "reset"
                      : why == ERR_TLS   ? "closed without close_notify"
                                         : "broken";
    struct str detail =
        x->state == CALL_AWAIT
            ? arena_printf(x->base.arena,
                           "the connection was %s before the answer's head was complete", how)
            : arena_printf(x->base.arena,
                           "the connection was %s after %llu bytes of an incomplete answer", how,
                           (unsigned long long)x->base.bytes_in);
    call_fail(x, ERR_UPSTREAM_CUT, detail);
}

/* Nothing more will come. */
static void call_ended(struct call *x, enum err why)
{
    x->surplus = true;
    if (why == ERR_EOF && h1_eof(&x->h1) == H1_END) {
        call_enter(x);
        call_complete(x);
        call_leave(x);
    } else if (!h1_started(&x->h1) && x->base.reused && !x->wrote) {
        call_retry(x);
    } else {
        call_cut(x, why);
    }
}

static void call_read(struct exchange *base, bool on)
{
    struct call *x = (struct call *)base;
    if (x->flow == on)
        return;
    x->flow = on;
    if (x->state != CALL_BODY)
        return;
    if (on)
        x->since_us = loop_now_us(x->client->loop);
    if (on && x->stopped)
        loop_defer(x->client->loop, &x->defer);
    else if (!on && !x->parsing) /* else call_parse sees it when the callback returns */
        call_stop(x);
}

/* The owner pulls again. */
static void call_resume(struct call *x)
{
    call_parse(x, str_skip(buf_str(&x->held), x->held_used));
    if (x->state != CALL_BODY || !x->flow)
        return;
    buf_done(&x->held);
    x->held_used = 0;
    if (x->ended) {
        call_ended(x, x->ended);
        return;
    }
    x->stopped = false;
    stream_read(x->conn->stream, true);
    call_arm(x);
}

static void call_on_defer(void *ctx)
{
    struct call *x = ctx;
    call_enter(x);
    if (x->state == CALL_FAILED)
        exchange_emit_error(&x->base, x->fail);
    call_send_on(x);
    if (x->state == CALL_BODY && x->flow && x->stopped)
        call_resume(x);
    call_leave(x);
}

/* -- the connection */

static void conn_on_data(void *ctx, struct str bytes)
{
    struct conn *cn = ctx;
    struct call *x = cn->call;
    if (!x) {
        conn_drop(cn, true); /* it speaks out of turn */
    } else if (x->state == CALL_DONE) {
        x->surplus = true;
    } else if (x->stopped) {
        call_hold(x, bytes);
    } else {
        if (x->state == CALL_BODY)
            x->since_us = loop_now_us(x->client->loop);
        call_parse(x, bytes);
    }
}

static void conn_on_end(void *ctx, enum err why)
{
    struct conn *cn = ctx;
    struct call *x = cn->call;
    if (!x)
        conn_drop(cn, why != ERR_EOF);
    else if (x->state == CALL_DONE)
        x->surplus = true;
    else if (x->stopped)
        x->ended = why; /* the owner has bytes to see before it */
    else
        call_ended(x, why);
}

static void conn_on_drain(void *ctx)
{
    struct conn *cn = ctx;
    struct call *x = cn->call;
    if (!x)
        return;
    call_enter(x);
    call_send_on(x);
    call_leave(x);
}

static const struct stream_events conn_events = { conn_on_data, conn_on_end, conn_on_drain };

/* Sends the request on a connection, from its first byte. */
static void call_attach(struct call *x, struct conn *cn)
{
    x->conn = cn;
    cn->call = x;
    x->seg = x->seg_off = 0;
    x->rest = x->total;
    x->stopped = x->surplus = x->parsing = false;
    x->ended = ERR_OK;
    x->held_used = 0;
    x->since_us = loop_now_us(x->client->loop);
    h1_begin(&x->h1, x->base.arena, x->bodiless);
    call_set_state(x, CALL_AWAIT);
    call_send(x);
    call_arm(x);
}

static void call_on_dial(void *ctx, struct stream *s, enum err e, struct str detail)
{
    struct call *x = ctx;
    x->dial = NULL;
    call_enter(x);
    if (s) {
        call_attach(x, conn_new(x->pool, s, &conn_events));
        call_send_on(x);
    } else {
        pool_release(x->pool);
        struct arena *a = x->base.arena;
        if (e == ERR_DNS || e == ERR_PROXY || e == ERR_TLS || e == ERR_CONNECT)
            call_fail(x, e, arena_dup(a, detail));
        else if (e == ERR_TIMEOUT)
            call_fail(x, ERR_CONNECT, arena_printf(a, "timed out: %.*s", STR_ARG(detail)));
        else
            call_fail(x, ERR_CONNECT, arena_printf(a, "%s: %.*s", err_text(e), STR_ARG(detail)));
    }
    call_leave(x);
}

static void call_dial(struct call *x)
{
    const struct client_opts *c = &x->client->opts;
    struct dial_opts o = { .host = x->origin->host,
                           .port = x->origin->port,
                           .tls = x->origin->tls,
                           .proxies = c->proxies,
                           .timeout_ms = x->connect_timeout_ms };
    x->dial = net_dial(x->client->loop, c->dns, &o, call_on_dial, x);
}

void call_start(struct call *x)
{
    x->pool = pool_of(x->client, x->origin);
    struct conn *cn = pool_take(x->pool);
    if (cn) {
        x->base.reused = true;
        call_attach(x, cn);
    } else if (pool_reserve(x->pool)) {
        call_set_state(x, CALL_WAIT);
        call_dial(x);
    } else {
        call_fail_later(x, ERR_POOL_FULL,
                        arena_printf(x->base.arena, "%zu connections to %.*s are in use",
                                     x->client->opts.connections_per_origin,
                                     STR_ARG(x->origin->key)));
    }
}

static void call_close(struct exchange *base)
{
    struct call *x = (struct call *)base;
    bool whole = x->state == CALL_DONE && call_unsent(base) == 0 && !x->more;
    bool keep = whole && !x->surplus && x->base.head->keep_alive;
    call_detach(x, keep, !whole);
    call_set_state(x, CALL_CLOSED);
    if (x->busy == 0)
        call_end(x);
}

static struct str call_peer(const struct exchange *base)
{
    const struct call *x = (const struct call *)base;
    return x->conn ? stream_peer(x->conn->stream) : str_of(NULL, 0);
}

static const struct exchange_ops call_ops = {
    .read = call_read,
    .write = call_write,
    .unsent = call_unsent,
    .peer = call_peer,
    .close = call_close,
};
