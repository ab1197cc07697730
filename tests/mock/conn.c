#include "mock/conn.h"

#include "base/clock.h"
#include "base/mem.h"
#include "mock/invoice.h"
#include "mock/seen.h"
#include "net/net_priv.h" /* for the socket of a stream: nothing but a test wants to set SO_LINGER */

#include <sys/socket.h>

#define HEAD_MAX (256 * KIB)

static void conn_read(struct conn *c);

/* -- life */

static void on_timer_closed(uv_handle_t *h)
{
    struct conn *c = h->data;
    buf_done(&c->in);
    buf_done(&c->current);
    buf_done(&c->play.wire);
    reply_done(&c->rp);
    arena_free(c->arena);
    mem_free(c);
}

static void request_done(struct conn *c)
{
    yyjson_doc_free(c->rq.doc);
    c->rq.doc = NULL;
}

/* The peer gets a reset whatever was sent before. */
static void set_reset(struct stream *s)
{
    struct linger now = { 1, 0 };
    uv_os_fd_t fd;
    if (uv_fileno((uv_handle_t *)&s->tcp, &fd) == 0)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

void conn_close(struct conn *c, bool reset)
{
    if (c->state == CONN_CLOSED)
        return;
    c->state = CONN_CLOSED;
    request_done(c);
    if (reset)
        set_reset(c->stream);
    reset ? stream_abort(c->stream) : stream_close(c->stream);
    c->stream = NULL;
    list_remove(&c->link);
    c->mock->open--;
    uv_close((uv_handle_t *)&c->timer, on_timer_closed);
}

void conn_cut_all(struct mock *m)
{
    LIST_EACH_SAFE(it, &m->conns)
    conn_close(CONTAINER_OF(it, struct conn, link), true);
}

static void on_timer(uv_timer_t *t)
{
    struct conn *c = t->data;
    if (c->state == CONN_PLAYING)
        play_go(c);
    else if (c->state == CONN_READING)
        conn_close(c, false); /* idle-close */
}

void conn_timer(struct conn *c, uint64_t ms)
{
    uv_update_time(loop_uv(c->mock->loop));
    uv_timer_start(&c->timer, on_timer, ms, 0);
}

static void on_data(void *ctx, struct str bytes)
{
    struct conn *c = ctx;
    buf_put(&c->in, bytes);
    if (c->state == CONN_READING)
        conn_read(c);
}

static void on_end(void *ctx, enum err why)
{
    struct conn *c = ctx;
    if (c->state == CONN_PLAYING) {
        c->mock->playing--;
        if (c->rp.content)
            invoice_add(c->mock, &c->rq, &c->rp, c->play.sent, "client left");
    }
    conn_close(c, false);
}

static void on_drain(void *ctx)
{
    struct conn *c = ctx;
    if (c->state == CONN_PLAYING)
        play_go(c);
}

void conn_accept(void *mock, struct stream *s)
{
    static const struct stream_events events = { on_data, on_end, on_drain };
    struct conn *c = MEM_NEW(struct conn);
    c->mock = mock;
    c->stream = s;
    buf_init(&c->in, MOCK_BODY_MAX + HEAD_MAX);
    buf_init(&c->current, MOCK_BODY_MAX + HEAD_MAX);
    buf_init(&c->play.wire, MOCK_BODY_MAX);
    reply_init(&c->rp);
    c->arena = arena_new();
    uv_timer_init(loop_uv(c->mock->loop), &c->timer);
    c->timer.data = c;
    list_push(&c->mock->conns, &c->link);
    c->mock->accepted++;
    c->mock->open++;
    stream_set_events(s, &events, c);
}

/* -- reading a request: strict, since what it refuses would be an error of weir's */

static const struct str token_chars = STR_INIT("!#$%&'*+-.^_`|~");

static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = ascii_lower(s.p[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              str_find_char(token_chars, c) != STR_NONE))
            return false;
    }
    return s.len > 0;
}

/* Returns NULL, or what is wrong. */
static const char *parse_head(struct str head, struct request *rq)
{
    struct str line = str_cut(&head, '\n');
    struct str rest = str_head(line, line.len - 1);
    rq->method = str_cut(&rest, ' ');
    rq->target = str_cut(&rest, ' ');
    rq->http10 = str_eq(rest, STR("HTTP/1.0"));
    if (!is_token(rq->method) || rq->target.len == 0 || line.p[line.len - 1] != '\r' ||
        (!rq->http10 && !str_eq(rest, STR("HTTP/1.1"))))
        return "the request line is malformed";
    rq->query = rq->target;
    rq->path = str_cut(&rq->query, '?');
    rq->keep_alive = !rq->http10;
    for (rq->header_count = 0; head.len > 0; rq->header_count++) {
        line = str_cut(&head, '\n');
        if (line.len == 0 || line.p[line.len - 1] != '\r')
            return "a line does not end with CRLF";
        struct str value = str_head(line, line.len - 1);
        if (value.len == 0)
            break;
        struct str name = str_cut(&value, ':');
        if (!is_token(name) || name.len == line.len - 1)
            return "a header's name is malformed";
        if (rq->header_count == MOCK_HEADERS_MAX)
            return "too many headers";
        rq->headers[rq->header_count] = (struct header){ name, str_trim(value) };
        if (str_eq_nocase(name, STR("connection")))
            rq->keep_alive = !str_eq_nocase(str_trim(value), STR("close"));
    }
    return NULL;
}

/* Framing: `*ret_length`, or SIZE_MAX for chunks. */
static const char *framing_of(const struct request *rq, size_t *ret_length)
{
    size_t hosts = 0, lengths = 0, codings = 0;
    uint64_t length = 0;
    for (size_t i = 0; i < rq->header_count; i++) {
        struct str name = rq->headers[i].name, value = rq->headers[i].value;
        if (str_eq_nocase(name, STR("host"))) {
            hosts++;
        } else if (str_eq_nocase(name, STR("content-length"))) {
            if (!str_u64(value, &length) || length > MOCK_BODY_MAX)
                return "Content-Length is no number, or too large";
            lengths++;
        } else if (str_eq_nocase(name, STR("transfer-encoding"))) {
            if (!str_eq(value, STR("chunked")))
                return "Transfer-Encoding is not chunked";
            codings++;
        }
    }
    if (hosts != 1 && !rq->http10)
        return "there must be one Host header";
    if (lengths > 1 || codings > 1 || lengths + codings > 1)
        return "there is more than one framing header";
    *ret_length = codings ? SIZE_MAX : (size_t)length;
    return NULL;
}

static bool hex_size(struct str s, size_t *ret_size)
{
    static const struct str digits = STR_INIT("0123456789abcdef");
    size_t n = 0;
    if (s.len == 0 || s.len > 8)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        size_t digit = str_find_char(digits, ascii_lower(s.p[i]));
        if (digit == STR_NONE)
            return false;
        n = n * 16 + digit;
    }
    *ret_size = n;
    return true;
}

/* Decodes chunks in place; SIZE_MAX: more is needed; `*ret_used` counts the bytes of the coding. */
static size_t unchunk(char *p, size_t len, size_t *ret_used, const char **ret_problem)
{
    size_t at = 0, out = 0;
    for (;;) {
        char *line_end = memmem(p + at, len - at, "\r\n", 2);
        if (!line_end)
            return SIZE_MAX;
        size_t digits = (size_t)(line_end - (p + at)), n = 0;
        if (!hex_size(str_of(p + at, digits), &n)) {
            *ret_problem = "a chunk's size is malformed";
            return SIZE_MAX;
        }
        at += digits + 2;
        if (len - at < n + 2)
            return SIZE_MAX;
        if (memcmp(p + at + n, "\r\n", 2) != 0) {
            *ret_problem = "a chunk does not end with CRLF";
            return SIZE_MAX;
        }
        memmove(p + out, p + at, n);
        out += n;
        at += n + 2;
        if (n == 0) {
            *ret_used = at;
            return out;
        }
    }
}

static void refuse(struct conn *c, const char *why)
{
    fprintf(stderr, "weir-mock: refused a request: %s\n", why);
    reply_error(&c->rp, 400, "mock_bad_http", NULL, NULL, "The simulator refused the request: %s.",
                why);
    c->rq = (struct request){ .arena = c->arena, .received_us = clock_now_us() };
    c->state = CONN_PLAYING;
    play_start(c);
}

static void dispatch(struct conn *c)
{
    struct mock *m = c->mock;
    if (c->dies_next) {
        conn_close(c, false);
        return;
    }
    c->state = CONN_PLAYING;
    c->rq.received_us = clock_now_us();
    if (!str_starts(c->rq.path, STR("/__mock/"))) {
        c->rq.serial = ++m->serial;
        seen_add(m->seen, &c->rq);
        if (m->record_dir)
            seen_record(m->record_dir, &c->rq);
    }
    reply_reset(&c->rp);
    route_request(m, &c->rq, &c->rp);
    play_start(c);
}

/* The request takes `used` bytes of `in`; what follows is the next one's. */
static void take(struct conn *c, size_t used)
{
    struct buf next = c->current;
    c->current = c->in;
    c->in = next;
    buf_reset(&c->in);
    buf_put(&c->in, str_skip(buf_str(&c->current), used));
    c->need = 0;
    c->continued = false;
}

/* The body, where it is complete: `*ret_used` bytes of `in` are the request. */
static bool read_body(struct conn *c, size_t head_len, size_t length, struct request *rq,
                      size_t *ret_used, const char **ret_problem)
{
    if (length != SIZE_MAX) {
        /* `in` becomes `current` with its memory, so that slices of it stay valid. */
        rq->body = str_of(c->in.p + head_len, length);
        *ret_used = c->need = head_len + length;
        return c->in.len >= c->need;
    }
    struct buf copy; /* decoded in place once it is complete */
    size_t used = 0;
    buf_init(&copy, MOCK_BODY_MAX);
    buf_put(&copy, str_skip(buf_str(&c->in), head_len));
    size_t n = unchunk(copy.p, copy.len, &used, ret_problem);
    if (n != SIZE_MAX)
        rq->body = arena_dup(c->arena, str_of(copy.p, n));
    buf_done(&copy);
    *ret_used = head_len + used;
    return n != SIZE_MAX;
}

static void conn_read(struct conn *c)
{
    if (c->in.len < c->need || c->in.len == 0)
        return;
    uv_timer_stop(&c->timer);
    const char *end = memmem(c->in.p, c->in.len, "\r\n\r\n", 4);
    if (!end) {
        if (c->in.len > HEAD_MAX || !is_token(str_of(c->in.p, 1)))
            refuse(c, c->in.len > HEAD_MAX ? "the head is too large" : "it is not HTTP");
        return;
    }
    size_t head_len = (size_t)(end - c->in.p) + 4, length = 0, used = 0;
    struct request rq = { .arena = c->arena };
    const char *problem = parse_head(str_of(c->in.p, head_len), &rq);
    if (!problem)
        problem = framing_of(&rq, &length);
    bool whole = !problem && read_body(c, head_len, length, &rq, &used, &problem);
    if (problem) {
        refuse(c, problem);
        return;
    }
    if (!whole) {
        if (!c->continued && request_header(&rq, STR("expect")).len > 0)
            stream_write(c->stream, &STR("HTTP/1.1 100 Continue\r\n\r\n"), 1);
        c->continued = true;
        return;
    }
    c->rq = rq;
    take(c, used);
    dispatch(c);
}

void conn_replied(struct conn *c)
{
    request_done(c);
    if (c->play.close) {
        conn_close(c, false);
        return;
    }
    c->state = CONN_READING;
    c->dies_next = c->rq.script.die_next;
    uint64_t idle_ms = c->rq.script.idle_close_ms;
    arena_reset(c->arena);
    if (idle_ms > 0)
        conn_timer(c, idle_ms);
    conn_read(c);
}
