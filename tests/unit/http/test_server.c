/* The server over a socket: the form of answers, the order of requests, owners that close, the
 * end of the server, limits. Bodies are in test_server_body.c, what clients do in
 * test_server_client.c, deadlines in test_server_time.c. */
#include "server_rig.h"

#include "base/clock.h"
#include "http/server_priv.h"

#include <sys/socket.h>
#include <unistd.h>

#define GET(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"

/* The answers without their Date lines. */
static void check_raw(struct got *g, const char *want)
{
    struct buf plain;
    buf_init(&plain, MIB);
    struct str rest = buf_str(&g->text);
    while (rest.len) {
        size_t nl = str_find_char(rest, '\n');
        struct str line = nl == STR_NONE ? rest : str_head(rest, nl + 1);
        if (str_starts(line, STR("Date: "))) {
            assert_int_equal(line.len, strlen("Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
        } else {
            buf_put(&plain, line);
        }
        rest = str_skip(rest, line.len);
    }
    buf_putc(&plain, '\0');
    assert_string_equal(plain.p, want);
    buf_done(&plain);
}

/* -- answers on the wire */

struct form_row {
    const char *name, *request;
    int status;
    int64_t length;
    const char *parts[3]; /* the first goes with the head; NULL: none */
    const char *want;
    bool close; /* the connection ends */
};

static const struct form_row form_rows[] = {
    { "whole, length not given",
      GET("/"),
      200,
      -1,
      { "hello" },
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello" },
    { "whole, empty", GET("/"), 200, -1, { "" }, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" },
    { "length, in parts",
      GET("/"),
      201,
      6,
      { "ab", "cd", "ef" },
      "HTTP/1.1 201 Created\r\nContent-Length: 6\r\n\r\nabcdef" },
    { "length, an empty part",
      GET("/"),
      200,
      4,
      { "", "abcd", "" },
      "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd" },
    { "chunked",
      GET("/"),
      200,
      -1,
      { "ab", "0123456789abcdef", "!" },
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "2\r\nab\r\n10\r\n0123456789abcdef\r\n1\r\n!\r\n0\r\n\r\n" },
    { "chunked, ended by an empty part",
      GET("/"),
      200,
      -1,
      { "", "ab", "" },
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n" },
    { "HEAD, whole",
      "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
      200,
      -1,
      { "hello" },
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" },
    { "HEAD, length",
      "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
      200,
      1000,
      { "ab", "cd" },
      "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" },
    { "HEAD, unknown length",
      "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
      200,
      -1,
      { "ab", "cd" },
      "HTTP/1.1 200 OK\r\n\r\n" },
    { "204", GET("/"), 204, -1, { "" }, "HTTP/1.1 204 No Content\r\n\r\n" },
    { "304", GET("/"), 304, 9, { "" }, "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n" },
    { "asked to close",
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
      200,
      -1,
      { "x" },
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx",
      true },
    { "HTTP/1.0",
      "GET / HTTP/1.0\r\n\r\n",
      200,
      -1,
      { "x" },
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx",
      true },
    { "HTTP/1.0, until close",
      "GET / HTTP/1.0\r\n\r\n",
      200,
      -1,
      { "ab", "cd" },
      "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabcd",
      true },
    { "HTTP/1.0, until close although kept alive",
      "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
      200,
      -1,
      { "ab", "cd" },
      "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabcd",
      true },
    { "HTTP/1.0, kept alive",
      "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
      200,
      -1,
      { "x" },
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\nx" },
};

static void hook_form(struct call *k, enum moment m)
{
    if (m != AT_REQUEST)
        return;
    const struct form_row *row = k->rig->arg;
    struct http_out out = { .status = row->status, .content_length = row->length };
    for (int i = 0; i < 3 && row->parts[i]; i++) {
        struct str part = str_c(row->parts[i]);
        bool end = i == 2 || !row->parts[i + 1];
        if (i == 0)
            exchange_respond(k->x, &out, &part, 1, end);
        else
            exchange_write(k->x, &part, 1, end);
    }
    assert_true(exchange_answered(k->x));
    close_call(k);
}

static void answers_in_every_form(void **state)
{
    for (size_t i = 0; i < sizeof form_rows / sizeof *form_rows; i++) {
        struct form_row row = form_rows[i];
        struct srig r;
        srig_init(&r, hook_form, NULL);
        r.arg = &row;
        int fd = srig_connect(&r);
        struct got g;
        got_init(&g);
        srig_send(&r, fd, str_c(row.request));
        if (row.close) {
            got_all(&r, fd, &g);
        } else {
            srig_until(&r, only_conn(&r)->state == CONN_IDLE);
            got_poll(&r, fd, &g);
        }
        check_raw(&g, row.want);
        assert_int_equal(g.eof, row.close);
        got_done(&g);
        srig_end(&r, fd);
    }
}

/* -- order */

static void hook_later(struct call *k, enum moment m)
{
    if (m == AT_REQUEST)
        timer_set(&k->timer, 20 - 8 * (uint64_t)k->index);
    if (m == AT_LATER) {
        /* No other exchange of the connection is out. */
        assert_int_equal(k->rig->call_count, k->index + 1);
        answer(k, 200, k->index == 0 ? "zero" : k->index == 1 ? "one" : "two");
    }
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    struct srig r;
    srig_init(&r, hook_later, NULL);
    int fd = srig_connect(&r);
    srig_send(&r, fd, STR(GET("/0") GET("/1") GET("/2")));
    struct got g;
    struct buf body;
    got_init(&g);
    buf_init(&body, MIB);
    got_answers(&r, fd, &g, 3);
    static const char *const want[] = { "zero", "one", "two" };
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(got_status(&g, i, &body), 200);
        assert_true(str_eq(buf_str(&body), str_c(want[i])));
    }
    buf_done(&body);
    got_done(&g);
    srig_end(&r, fd);
}

static void reading_ahead_is_bounded(void **state)
{
    struct srig r;
    srig_init(&r, hook_hold, NULL);
    int fd = srig_connect(&r);
    struct buf many;
    buf_init(&many, MIB);
    for (int i = 0; i < 200; i++)
        buf_printf(&many, "GET /%d HTTP/1.1\r\nHost: a\r\nX: %0*d\r\n\r\n", i, 1500, 0);
    srig_send(&r, fd, buf_str(&many));
    srig_turn(&r, 20);
    struct conn *c = only_conn(&r);
    assert_false(c->reading);
    assert_true(c->pending.len >= CONN_PENDING_BYTES &&
                c->pending.len < CONN_PENDING_BYTES + LOOP_SCRATCH_BYTES);
    assert_int_equal(r.call_count, 1);
    /* Nothing was lost. */
    r.hook = hook_get;
    answer(r.calls[0], 200, "ok");
    struct got g;
    got_init(&g);
    got_answers(&r, fd, &g, 200);
    assert_int_equal(r.call_count, 200);
    assert_true(c->reading && !c->pending.len && !c->pending.room);
    got_done(&g);
    buf_done(&many);
    srig_end(&r, fd);
}

static void one_connection_many_requests(void **state)
{
    struct srig r;
    srig_init(&r, hook_echo, NULL);
    int fd = srig_connect(&r);
    struct got g;
    got_init(&g);
    for (unsigned i = 0; i < 100; i++) {
        srig_send(&r, fd, STR("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"));
        got_answers(&r, fd, &g, i + 1);
    }
    /* Served from one request object and its arena. */
    assert_int_equal(r.server->spare_count, 1);
    got_done(&g);
    srig_end(&r, fd);
}

static void hook_never_reads(struct call *k, enum moment m)
{
    assert_int_equal(m, AT_REQUEST);
    timer_set(&k->timer, 1);
    answer(k, 200, "ok");
}

static void a_request_without_body_need_not_be_read(void **state)
{
    struct srig r;
    srig_init(&r, hook_never_reads, NULL);
    int fd = srig_connect(&r);
    struct got g;
    got_init(&g);
    for (unsigned i = 0; i < 3; i++) {
        srig_send(&r, fd, STR(GET("/")));
        got_answers(&r, fd, &g, i + 1);
    }
    assert_false(g.eof);
    got_done(&g);
    srig_end(&r, fd);
}

/* -- owners that close */

static void hook_close(struct call *k, enum moment m)
{
    close_call(k);
}

static void closing_without_an_answer_cuts(void **state)
{
    struct srig r;
    srig_init(&r, hook_close, NULL);
    int fd = srig_connect(&r);
    srig_send(&r, fd, STR(GET("/1") GET("/2")));
    struct got g;
    got_init(&g);
    got_all(&r, fd, &g);
    assert_int_equal(g.text.len, 0);
    assert_int_equal(r.call_count, 1);
    got_done(&g);
    srig_end(&r, fd);
}

static void hook_part(struct call *k, enum moment m)
{
    struct http_out out = { .status = 200, .content_length = k->rig->arg ? 10 : -1 };
    struct str part = STR("part");
    exchange_respond(k->x, &out, &part, 1, false);
    close_call(k);
}

static void closing_within_an_answer_cuts(void **state)
{
    for (int sized = 0; sized < 2; sized++) {
        struct srig r;
        srig_init(&r, hook_part, NULL);
        r.arg = sized ? &r : NULL;
        int fd = srig_connect(&r);
        srig_send(&r, fd, STR(GET("/1") GET("/2")));
        struct got g;
        got_init(&g);
        got_all(&r, fd, &g);
        assert_int_equal(got_count(&g), 0);
        assert_int_equal(r.call_count, 1);
        got_done(&g);
        srig_end(&r, fd);
    }
}

static void hook_set_close(struct call *k, enum moment m)
{
    exchange_set_close(k->x);
    answer(k, 200, "last");
}

static void the_owner_may_ask_for_the_last_answer(void **state)
{
    struct srig r;
    srig_init(&r, hook_set_close, NULL);
    int fd = srig_connect(&r);
    srig_send(&r, fd, STR(GET("/1") GET("/2")));
    struct got g;
    got_init(&g);
    got_all(&r, fd, &g);
    assert_int_equal(got_count(&g), 1);
    assert_true(got_has(&g, "Connection: close"));
    assert_int_equal(r.call_count, 1);
    got_done(&g);
    srig_end(&r, fd);
}

/* -- the end of the server */

static void draining(void **state)
{
    struct srig r;
    srig_init(&r, hook_hold, NULL);
    int idle = srig_connect(&r), busy = srig_connect(&r), fresh = srig_connect(&r);
    r.hook = hook_get;
    srig_send(&r, idle, STR(GET("/idle")));
    struct got gi, gb, gf;
    got_init(&gi);
    got_init(&gb);
    got_init(&gf);
    got_answers(&r, idle, &gi, 1);
    r.hook = hook_hold;
    srig_send(&r, busy, STR(GET("/busy")));
    srig_until(&r, r.call_count == 2);
    http_server_drain(r.server);
    got_all(&r, idle, &gi); /* closed at once */
    assert_int_equal(http_server_connections(r.server), 2);
    answer(r.calls[1], 200, "ok");
    got_all(&r, busy, &gb);
    assert_true(got_has(&gb, "Connection: close") && got_count(&gb) == 1);
    /* A connection on which nothing was asked yet is served once. */
    r.hook = hook_get;
    srig_send(&r, fresh, STR(GET("/fresh")));
    got_all(&r, fresh, &gf);
    assert_true(got_has(&gf, "Connection: close") && got_count(&gf) == 1);
    got_done(&gi);
    got_done(&gb);
    got_done(&gf);
    close(idle);
    close(busy);
    srig_end(&r, fresh);
}

static void freeing_cancels_what_is_out(void **state)
{
    for (int at_once = 0; at_once < 2; at_once++) {
        struct srig r;
        srig_init(&r, at_once ? hook_hold : NULL,
                  NULL); /* hook_hold closes from within on_error; else after the end */
        int fds[5];
        for (int i = 0; i < 5; i++)
            fds[i] = srig_connect(&r);
        for (int i = 0; i < 3; i++)
            srig_send(&r, fds[i], STR(GET("/")));
        srig_send(&r, fds[3], STR("GET / HT"));
        srig_until(&r, r.call_count == 3);
        srig_stop(&r);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(r.calls[i]->err, ERR_CANCELLED);
            assert_int_equal(r.calls[i]->x == NULL, at_once);
        }
        if (!at_once) { /* the exchange is still whole */
            assert_true(str_eq(exchange_head(r.calls[0]->x)->path, STR("/")));
            exchange_read(r.calls[0]->x, true);
            answer(r.calls[0], 200, "lost");
        }
        for (int i = 0; i < 5; i++)
            close(fds[i]);
        srig_done(&r);
    }
}

/* -- limits of the head */

static void oversized_heads(void **state)
{
    static const struct {
        const char *begin;
        char fill;
        size_t n;
        int status;
    } rows[] = {
        { "GET /", 'a', 9000, 414 },
        { "GET / HTTP/1.1\r\nHost: a\r\nX: ", 'a', 40000, 431 },
        { "GET / HTTP/1.1\r\nHost: a\r\n", 'a', 40000, 431 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct srig r;
        srig_init(&r, hook_get, NULL);
        int fd = srig_connect(&r);
        struct buf b;
        buf_init(&b, MIB);
        buf_putz(&b, rows[i].begin);
        for (size_t k = 0; k < rows[i].n; k++)
            buf_putc(&b, rows[i].fill);
        srig_send(&r, fd, buf_str(&b));
        struct got g;
        got_init(&g);
        got_all(&r, fd, &g);
        assert_int_equal(got_status(&g, 0, NULL), rows[i].status);
        assert_int_equal(err_status(r.refused_err), rows[i].status);
        assert_true(got_has(&g, r.refused_why));
        buf_done(&b);
        got_done(&g);
        srig_end(&r, fd);
    }
    struct srig r;
    srig_init(&r, hook_get, NULL);
    int fd = srig_connect(&r);
    srig_send(&r, fd, STR("GET / HTTP/1.1\r\nHost: a\r\n"));
    for (int i = 0; i < 100; i++)
        srig_send(&r, fd, STR("X: y\r\n"));
    struct got g;
    got_init(&g);
    got_all(&r, fd, &g);
    assert_int_equal(got_status(&g, 0, NULL), 431);
    got_done(&g);
    srig_end(&r, fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_in_every_form),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(reading_ahead_is_bounded),
        cmocka_unit_test(one_connection_many_requests),
        cmocka_unit_test(a_request_without_body_need_not_be_read),
        cmocka_unit_test(closing_without_an_answer_cuts),
        cmocka_unit_test(closing_within_an_answer_cuts),
        cmocka_unit_test(the_owner_may_ask_for_the_last_answer),
        cmocka_unit_test(draining),
        cmocka_unit_test(freeing_cancels_what_is_out),
        cmocka_unit_test(oversized_heads),
    };
    return cmocka_run_group_tests_name("http/server", tests, NULL, NULL);
}
