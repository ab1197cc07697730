/* The operations of a server's exchange: answering, pulling the body, closing. None of them
 * calls back. */
#include "http/server_priv.h"

#include "base/mem.h"

#include <assert.h>

#define FEW_SEGS 32

static struct request *request_of(struct exchange *x)
{
    return CONTAINER_OF(x, struct request, x);
}

static struct str date_now(struct http_server *s)
{
    uint64_t now_s = loop_unix_ms(s->loop) / 1000;
    if (now_s != s->date_s) {
        h1_date(now_s, s->date);
        s->date_s = now_s;
    }
    return str_of(s->date, H1_DATE_BYTES - 1);
}

struct str server_put_head(struct http_server *s, const struct http_out *out, enum h1_body body,
                           enum h1_conn conn)
{
    buf_reset(&s->head);
    h1_put_answer(&s->head, out, body, conn, date_now(s));
    assert(!s->head.fail);
    return buf_str(&s->head);
}

static uint64_t sum(const struct str *body, size_t n)
{
    uint64_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += body[i].len;
    return total;
}

/* Head (or none), a part of the body in its framing, and the end, in one write. */
static void send_part(struct request *rq, struct str head, const struct str *body, size_t n,
                      bool end)
{
    uint64_t total = sum(body, n);
    if (rq->framing == H1_LENGTH && !rq->bodiless) {
        assert(total <= rq->left && (!end || total == rq->left));
        if (total > rq->left) { /* the framing is lost: the connection is cut at exchange_close */
            rq->left = 1;
            rq->end_sent = true;
            return;
        }
        rq->left -= total;
    }
    if (rq->bodiless)
        total = 0;
    rq->x.bytes_out += total;
    rq->end_sent = end;

    struct str few[FEW_SEGS];
    struct str *segs = n + 4 <= FEW_SEGS ? few : mem_alloc((n + 4) * sizeof *segs);
    size_t k = 0;
    char line[H1_CHUNK_LINE_BYTES];
    bool chunked = rq->framing == H1_CHUNKED && !rq->bodiless;
    if (head.len)
        segs[k++] = head;
    if (chunked && total)
        segs[k++] = h1_chunk_line(line, total);
    for (size_t i = 0; total && i < n; i++) {
        if (body[i].len)
            segs[k++] = body[i];
    }
    if (chunked && end) {
        segs[k++] = total ? STR("\r\n0\r\n\r\n") : H1_LAST_CHUNK;
    } else if (chunked && total) {
        segs[k++] = H1_CRLF;
    }
    if (k)
        conn_send(rq->conn, segs, k);
    if (segs != few)
        mem_free(segs);
}

/* May another request follow on this connection? Said in the answer's head, kept after it. */
static bool may_keep(const struct request *rq)
{
    const struct conn *c = rq->conn;
    if (!rq->x.head->keep_alive || rq->close_asked || c->server->draining || c->eof)
        return false;
    if (rq->recv == RECV_FAILED || rq->framing == H1_UNTIL_CLOSE)
        return false;
    /* A client that was not told to continue may send its body or leave it out: nobody knows
     * what comes next. */
    if (rq->continue_due)
        return false;
    return rq->recv == RECV_DONE || c->h1.left <= CONN_DISCARD_BYTES;
}

static enum h1_body choose_framing(const struct request *rq, const struct http_out *out, bool end)
{
    if (out->status == 204)
        return H1_NO_BODY; /* RFC 9110, 8.6: no Content-Length either */
    if (out->content_length >= 0)
        return H1_LENGTH;
    if (rq->bodiless)
        return H1_NO_BODY;
    if (end)
        return H1_LENGTH; /* all of it is here */
    return rq->x.head->http10 ? H1_UNTIL_CLOSE : H1_CHUNKED;
}

static void op_respond(struct exchange *x, const struct http_out *out, const struct str *body,
                       size_t n, bool end)
{
    struct request *rq = request_of(x);
    assert(!x->answered && out->status >= 200);
    x->answered = true;
    if (!rq->conn->stream)
        return;
    rq->bodiless = out->status == 204 || out->status == 304 || str_eq(x->head->method, STR("HEAD"));
    struct http_out head = *out;
    if (head.content_length < 0 && end && (!rq->bodiless || n))
        head.content_length = (int64_t)sum(body, n);
    rq->framing = choose_framing(rq, &head, end);
    rq->left = rq->framing == H1_LENGTH && !rq->bodiless ? (uint64_t)head.content_length : 0;
    rq->keep = may_keep(rq);
    enum h1_conn conn = !rq->keep         ? H1_CONN_CLOSE
                        : x->head->http10 ? H1_CONN_KEEP_ALIVE
                                          : H1_CONN_DEFAULT;
    send_part(rq, server_put_head(rq->conn->server, &head, rq->framing, conn), body, n, end);
}

static void op_write(struct exchange *x, const struct str *body, size_t n, bool end)
{
    struct request *rq = request_of(x);
    assert(x->answered && !rq->end_sent);
    if (!rq->conn->stream || rq->end_sent)
        return;
    send_part(rq, str_of(NULL, 0), body, n, end);
}

static size_t op_unsent(const struct exchange *x)
{
    const struct conn *c = CONTAINER_OF(x, struct request, x)->conn;
    return c->stream ? stream_unsent(c->stream) : 0;
}

static void op_set_close(struct exchange *x)
{
    request_of(x)->close_asked = true;
}

static struct str op_peer(const struct exchange *x)
{
    const struct conn *c = CONTAINER_OF(x, struct request, x)->conn;
    return str_of(c->peer, c->peer_len);
}

static void op_read(struct exchange *x, bool on)
{
    struct request *rq = request_of(x);
    struct conn *c = rq->conn;
    if (on == rq->pull || !c->stream || rq->failed)
        return;
    uint64_t now_us = loop_now_us(c->server->loop);
    rq->pull = on;
    if (on)
        rq->pull_us = now_us;
    else
        rq->pulled_us += now_us - rq->pull_us;
    if (on && rq->continue_due && !x->answered) {
        rq->continue_due = false;
        if (!c->pending.len)
            conn_send(c, &STR("HTTP/1.1 100 Continue\r\n\r\n"), 1);
    }
    if (on && !c->busy)
        loop_defer(c->server->loop, &c->wake);
}

/* What becomes of a connection whose exchange was closed. */
static void after_close(struct conn *c, const struct request *rq)
{
    bool complete = rq->x.answered && rq->end_sent && rq->left == 0;
    if (!complete) {
        server_conn_drop(c);
    } else if (!rq->keep || rq->recv == RECV_FAILED || c->eof) {
        conn_hang_up(c);
    } else if (rq->recv == RECV_DONE) {
        conn_set_state(c, CONN_IDLE);
    } else {
        conn_set_state(c, CONN_DISCARD);
    }
}

static void op_close(struct exchange *x)
{
    struct request *rq = request_of(x);
    struct conn *c = rq->conn;
    if (rq->recv == RECV_BODY && c->stream && c->h1.state == H1_ENDING)
        rq->recv = RECV_DONE;
    c->rq = NULL;
    if (c->stream)
        after_close(c, rq);
    request_put(c->server, rq);
    if (c->busy)
        return; /* conn_process goes on from here */
    if (c->state == CONN_DISCARD || c->pending.len)
        loop_defer(c->server->loop, &c->wake);
    conn_settle(c);
}

const struct exchange_ops server_exchange_ops = {
    .read = op_read,
    .respond = op_respond,
    .write = op_write,
    .unsent = op_unsent,
    .set_close = op_set_close,
    .peer = op_peer,
    .close = op_close,
};
