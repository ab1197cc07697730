/* The codec without a socket: what a head says, answers and their bodies, limits, and writing.
 * What requests are refused for is in test_server_vectors.c. */
#include "http/h1.h"

#include <setjmp.h>
#include <stdarg.h>

#include <stdio.h>
#include <cmocka.h>

static const struct h1_limits limits = { .max_line = 100,
                                         .max_header_bytes = 200,
                                         .max_header_count = 4 };

struct reader {
    struct h1 h;
    struct arena *arena;
    struct buf body;
    unsigned heads, ends;
    bool failed;
    size_t left; /* not taken when it stopped */
};

static void reader_init(struct reader *r, enum h1_kind kind, bool bodiless)
{
    *r = (struct reader){ .arena = arena_new() };
    buf_init(&r->body, 1 << 20);
    h1_init(&r->h, kind, &limits);
    h1_begin(&r->h, r->arena, bodiless);
}

static void reader_done(struct reader *r)
{
    arena_free(r->arena);
    buf_done(&r->body);
}

/* To the end of one message. */
static void read_on(struct reader *r, struct str in)
{
    struct str body;
    for (;;) {
        switch (h1_next(&r->h, &in, &body)) {
        case H1_HEAD: r->heads++; continue;
        case H1_BODY: buf_put(&r->body, body); continue;
        case H1_MORE: break;
        case H1_END: r->ends++; break;
        case H1_FAIL: r->failed = true; break;
        }
        r->left = in.len;
        return;
    }
}

static bool body_is(const struct reader *r, const char *z)
{
    return str_eq(buf_str(&r->body), str_c(z));
}

static void request_head(void **state)
{
    struct reader r;
    reader_init(&r, H1_REQUEST, false);
    assert_false(h1_started(&r.h));
    read_on(&r,
            STR("POST /v1/x?a=b?c HTTP/1.1\r\nHost: h:1\r\nA: \t b c \r\nExpect: 100-Continue\r\n"
                "Content-Length: 3\r\n\r\nab"));
    assert_true(h1_started(&r.h));
    const struct http_head *h = h1_head(&r.h);
    assert_true(str_eq(h->method, STR("POST")));
    assert_true(str_eq(h->target, STR("/v1/x?a=b?c")));
    assert_true(str_eq(h->path, STR("/v1/x")));
    assert_true(str_eq(h->query, STR("a=b?c")));
    assert_true(h->keep_alive && !h->http10 && !h->chunked && h->expect_continue);
    assert_int_equal(h->content_length, 3);
    assert_int_equal(h->header_count, 4);
    assert_true(str_eq(h->headers[1].name, STR("A")) && str_eq(h->headers[1].value, STR("b c")));
    assert_true(body_is(&r, "ab") && r.ends == 0);
    read_on(&r, STR("cGET"));
    assert_true(body_is(&r, "abc") && r.ends == 1 && r.left == 3);
    read_on(&r, STR("GET")); /* the end repeats, and takes nothing */
    assert_true(r.ends == 2 && r.left == 3);
    reader_done(&r);
}

static void paths(void **state)
{
    static const struct {
        const char *line, *path, *query;
    } rows[] = {
        { "GET / HTTP/1.1", "/", "" },
        { "GET /? HTTP/1.1", "/", "" },
        { "GET ?a HTTP/1.1", NULL, NULL },
        { "GET //x HTTP/1.1", "//x", "" },
        { "GET /http://b/ HTTP/1.1", "/http://b/", "" },
        { "GET http://a HTTP/1.1", "/", "" },
        { "GET http://a?q HTTP/1.1", "/", "q" },
        { "GET https://a/p?q HTTP/1.1", "/p", "q" },
        { "OPTIONS * HTTP/1.1", "*", "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct reader r;
        reader_init(&r, H1_REQUEST, false);
        read_on(&r, str_c(rows[i].line));
        read_on(&r, STR("\r\nHost: a\r\n\r\n"));
        assert_int_equal(r.failed, rows[i].path == NULL);
        if (rows[i].path) {
            assert_true(str_eq(h1_head(&r.h)->path, str_c(rows[i].path)));
            assert_true(str_eq(h1_head(&r.h)->query, str_c(rows[i].query)));
        }
        reader_done(&r);
    }
}

static void keep_alive(void **state)
{
    static const struct {
        const char *text;
        bool keep;
    } rows[] = {
        { "GET / HTTP/1.1\r\nHost: a\r\n\r\n", true },
        { "GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n", false },
        { "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, close\r\n\r\n", false },
        { "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n",
          false },
        { "GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n", true },
        { "GET / HTTP/1.0\r\n\r\n", false },
        { "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true },
        { "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct reader r;
        reader_init(&r, H1_REQUEST, false);
        read_on(&r, str_c(rows[i].text));
        assert_int_equal(r.ends, 1);
        assert_int_equal(h1_head(&r.h)->keep_alive, rows[i].keep);
        reader_done(&r);
    }
}

struct answer_row {
    const char *text;
    bool bodiless;
    int status; /* 0: refused */
    const char *body;
    unsigned ends;    /* before the connection closes */
    enum h1_step eof; /* what its close means */
    bool keep;
};

static const struct answer_row answer_rows[] = {
    { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", false, 200, "hi", 1, H1_END, true },
    { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh", false, 200, "h", 0, H1_FAIL, true },
    { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", true, 200, "", 1, H1_END, true },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true, 200, "", 1, H1_END, true },
    { "HTTP/1.1 204 No Content\r\n\r\n", false, 204, "", 1, H1_END, true },
    { "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", false, 304, "", 1, H1_END, true },
    { "HTTP/1.1 200 OK\r\n\r\nuntil", false, 200, "until", 0, H1_END, false },
    { "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", false, 200, "", 1, H1_END, true },
    { "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", false, 200, "", 1, H1_END, true },
    { "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", false, 200, "x", 1, H1_END, false },
    { "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", false, 200, "x", 1,
      H1_END, false },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", false, 200, "hi",
      1, H1_END, true },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=\"y\"\r\nhi\r\n0\r\nA: b\r\n\r\n",
      false, 200, "hi", 1, H1_END, true },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n", false, 200, "hi", 0,
      H1_FAIL, true },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", false, 200, "hi", 0,
      H1_FAIL, true },
    { "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\n"
      "HTTP/1.1 500 X\r\nContent-Length: 1\r\n\r\n!",
      false, 500, "!", 1, H1_END, true },
    { "HTTP/1.1 100 Continue\r\n\r\n", false, -1, "", 0, H1_FAIL, false },
    { "HTTP/1.1 200 OK\r\nConte", false, -1, "", 0, H1_FAIL, false },
    { "", false, -1, "", 0, H1_MORE, false },
    /* refused */
    { "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", false, 0, "",
      0, H1_FAIL, false },
    { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi", false, 0, "", 0,
      H1_FAIL, false },
    { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nhi", false, 0, "",
      0, H1_FAIL, false },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", false, 0, "", 0, H1_FAIL,
      false },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", false, 0, "", 0, H1_FAIL, false },
    { "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", false, 0, "", 0, H1_FAIL, false },
    { "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", false, 0, "", 0, H1_FAIL, false },
    { "HTTP/1.1 2000 OK\r\n\r\n", false, 0, "", 0, H1_FAIL, false },
    { "HTTP/1.1 20 OK\r\n\r\n", false, 0, "", 0, H1_FAIL, false },
    { "HTTP/1.1 099 OK\r\n\r\n", false, 0, "", 0, H1_FAIL, false },
    { "HTTP/1.1 600 OK\r\n\r\n", false, 0, "", 0, H1_FAIL, false },
    { "HTTP/2.0 200 OK\r\n\r\n", false, 0, "", 0, H1_FAIL, false },
    { "ICY 200 OK\r\n\r\n", false, 0, "", 0, H1_FAIL, false },
    { "RTSP/1.0 200 OK\r\n\r\n", false, 0, "", 0, H1_FAIL, false },
    { "SSH-2.0-OpenSSH_9.2\r\n", false, 0, "", 0, H1_FAIL, false },
    { "\r\nHTTP/1.1 200 OK\r\n\r\n", false, 0, "", 0, H1_FAIL, false },
    { "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", false, 0, "", 0, H1_FAIL, false },
    { "HTTP/1.1 200 OK\nA: b\n\n", false, 0, "", 0, H1_FAIL, false },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\nhi\r\n0\r\n\r\n", false, 0, "", 0,
      H1_FAIL, false },
};

static void answers(void **state)
{
    for (size_t i = 0; i < sizeof answer_rows / sizeof *answer_rows; i++) {
        const struct answer_row *row = &answer_rows[i];
        struct reader r;
        reader_init(&r, H1_RESPONSE, row->bodiless);
        read_on(&r, str_c(row->text));
        if (r.failed != (row->status == 0))
            fail_msg("row %zu: %s: %s", i, row->text, h1_why(&r.h));
        if (row->status > 0) {
            assert_int_equal(h1_head(&r.h)->status, row->status);
            assert_int_equal(h1_head(&r.h)->keep_alive, row->keep);
        }
        assert_int_equal(r.heads, row->status > 0 || (r.failed && r.heads));
        assert_true(body_is(&r, row->body));
        assert_int_equal(r.ends, row->ends);
        assert_int_equal(h1_eof(&r.h), row->eof);
        reader_done(&r);
    }
}

static void interim_answers_are_bounded(void **state)
{
    struct reader r;
    reader_init(&r, H1_RESPONSE, false);
    for (int i = 0; i < 16; i++) {
        read_on(&r, STR("HTTP/1.1 100 Continue\r\n\r\n"));
        assert_false(r.failed);
    }
    read_on(&r, STR("HTTP/1.1 100 Continue\r\n\r\n"));
    assert_true(r.failed && h1_error(&r.h) == ERR_BAD_HTTP);
    reader_done(&r);
}

/* A head with a request line of `line` bytes, `count` headers beside Host, one of them `value`
 * bytes long. */
static enum err try_limits(size_t line, size_t count, size_t value, size_t step)
{
    char text[2048];
    size_t n = 0;
    memcpy(text, "GET /", 5);
    n = 5;
    while (n < line - 9)
        text[n++] = 'a';
    n += (size_t)snprintf(text + n, sizeof text - n, " HTTP/1.1\r\nHost: a\r\n");
    for (size_t i = 0; i < count; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, "X: ");
        for (size_t k = 0; i == 0 && k < value; k++)
            text[n++] = 'v';
        memcpy(text + n, "\r\n", 2);
        n += 2;
    }
    memcpy(text + n, "\r\n", 2);
    n += 2;
    struct reader r;
    reader_init(&r, H1_REQUEST, false);
    for (size_t at = 0; at < n && !r.failed; at += step)
        read_on(&r, str_of(text + at, n - at < step ? n - at : step));
    enum err e = h1_error(&r.h);
    assert_int_equal(r.failed, e != ERR_OK);
    if (!e)
        assert_int_equal(r.ends, 1);
    if (e)
        assert_int_equal(h1_status(&r.h), err_status(e));
    reader_done(&r);
    return e;
}

static void limits_hold_exactly(void **state)
{
    for (size_t step = 1; step <= 2048; step *= 2048) {
        assert_int_equal(try_limits(100, 0, 0, step), ERR_OK);
        assert_int_equal(try_limits(101, 0, 0, step), ERR_URI_TOO_LONG);
        assert_int_equal(try_limits(1000, 0, 0, step), ERR_URI_TOO_LONG);
        assert_int_equal(try_limits(50, 3, 0, step), ERR_OK);
        assert_int_equal(try_limits(50, 4, 0, step), ERR_HEADERS_TOO_LARGE);
        /* "Host: a\r\n" + "X: " + value + "\r\n" + "\r\n" */
        assert_int_equal(try_limits(50, 1, 200 - 9 - 5 - 2, step), ERR_OK);
        assert_int_equal(try_limits(50, 1, 200 - 9 - 5 - 2 + 1, step), ERR_HEADERS_TOO_LARGE);
    }
    /* One line that never ends is refused while it comes. */
    struct reader r;
    reader_init(&r, H1_REQUEST, false);
    read_on(&r, STR("GET / HTTP/1.1\r\nX: "));
    for (int i = 0; i < 300 && !r.failed; i++)
        read_on(&r, STR("v"));
    assert_int_equal(h1_error(&r.h), ERR_HEADERS_TOO_LARGE);
    reader_done(&r);
}

static void trailers_are_bounded(void **state)
{
    struct reader r;
    reader_init(&r, H1_REQUEST, false);
    read_on(&r, STR("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"));
    for (int i = 0; i < 4; i++)
        read_on(&r, STR("A: b\r\n"));
    assert_false(r.failed);
    read_on(&r, STR("A: b\r\n"));
    assert_int_equal(h1_error(&r.h), ERR_HEADERS_TOO_LARGE);
    reader_done(&r);

    reader_init(&r, H1_REQUEST, false);
    read_on(&r, STR("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: "));
    for (int i = 0; i < 197; i++)
        read_on(&r, STR("b"));
    assert_false(r.failed);
    read_on(&r, STR("b"));
    assert_int_equal(h1_error(&r.h), ERR_HEADERS_TOO_LARGE);
    reader_done(&r);
}

static void failures_stay(void **state)
{
    struct reader r;
    reader_init(&r, H1_REQUEST, false);
    read_on(&r, STR("GET / HTTP/1.1\r\n\r\n"));
    assert_true(r.failed);
    assert_string_equal(h1_why(&r.h), "header Host is missing");
    struct str in = STR("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), body;
    assert_int_equal(h1_next(&r.h, &in, &body), H1_FAIL);
    assert_string_equal(h1_why(&r.h), "header Host is missing");
    h1_begin(&r.h, r.arena, false);
    assert_int_equal(h1_next(&r.h, &in, &body), H1_HEAD);
    reader_done(&r);
}

/* -- writing */

static void check_text(struct buf *b, const char *want)
{
    buf_putc(b, '\0');
    assert_string_equal(b->p, want);
    buf_reset(b);
}

static void writes_heads(void **state)
{
    struct buf b;
    buf_init(&b, H1_HEAD_CAP);
    struct http_header extra[] = { { STR("X-A"), STR("b") }, { STR("Empty"), STR("") } };
    struct http_out out = {
        .status = 200, .headers = extra, .header_count = 2, .content_length = 12
    };
    h1_put_answer(&b, &out, H1_LENGTH, H1_CONN_DEFAULT, STR("D"));
    check_text(&b, "HTTP/1.1 200 OK\r\nDate: D\r\nX-A: b\r\nEmpty: \r\nContent-Length: 12\r\n\r\n");
    out = (struct http_out){ .status = 429, .content_length = -1 };
    h1_put_answer(&b, &out, H1_CHUNKED, H1_CONN_CLOSE, STR("D"));
    check_text(&b, "HTTP/1.1 429 Too Many Requests\r\nDate: D\r\nTransfer-Encoding: chunked\r\n"
                   "Connection: close\r\n\r\n");
    out.status = 204;
    h1_put_answer(&b, &out, H1_NO_BODY, H1_CONN_KEEP_ALIVE, STR("D"));
    check_text(&b, "HTTP/1.1 204 No Content\r\nDate: D\r\nConnection: keep-alive\r\n\r\n");
    out = (struct http_out){ .method = STR("POST"),
                             .target = STR("/v1"),
                             .host = STR("api:1"),
                             .headers = extra,
                             .header_count = 1,
                             .content_length = 0 };
    h1_put_request(&b, &out, H1_LENGTH);
    check_text(&b, "POST /v1 HTTP/1.1\r\nHost: api:1\r\nX-A: b\r\nContent-Length: 0\r\n\r\n");
    out.method = STR("GET");
    h1_put_request(&b, &out, H1_NO_BODY);
    check_text(&b, "GET /v1 HTTP/1.1\r\nHost: api:1\r\nX-A: b\r\n\r\n");
    buf_done(&b);
}

static void writes_chunk_lines(void **state)
{
    char line[H1_CHUNK_LINE_BYTES];
    assert_true(str_eq(h1_chunk_line(line, 1), STR("1\r\n")));
    assert_true(str_eq(h1_chunk_line(line, 16), STR("10\r\n")));
    assert_true(str_eq(h1_chunk_line(line, 0xabcdef), STR("abcdef\r\n")));
    assert_true(str_eq(h1_chunk_line(line, SIZE_MAX), STR("ffffffffffffffff\r\n")));
}

static void writes_dates(void **state)
{
    static const struct {
        uint64_t unix_s;
        const char *text;
    } rows[] = {
        { 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
        { 784111777, "Sun, 06 Nov 1994 08:49:37 GMT" },
        { 951782400, "Tue, 29 Feb 2000 00:00:00 GMT" },
        { 951868799, "Tue, 29 Feb 2000 23:59:59 GMT" },
        { 951868800, "Wed, 01 Mar 2000 00:00:00 GMT" },
        { 1767225599, "Wed, 31 Dec 2025 23:59:59 GMT" },
        { 1767225600, "Thu, 01 Jan 2026 00:00:00 GMT" },
        { 4107542400, "Mon, 01 Mar 2100 00:00:00 GMT" },
    };
    char date[H1_DATE_BYTES];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        h1_date(rows[i].unix_s, date);
        assert_string_equal(date, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_head),
        cmocka_unit_test(paths),
        cmocka_unit_test(keep_alive),
        cmocka_unit_test(answers),
        cmocka_unit_test(interim_answers_are_bounded),
        cmocka_unit_test(limits_hold_exactly),
        cmocka_unit_test(trailers_are_bounded),
        cmocka_unit_test(failures_stay),
        cmocka_unit_test(writes_heads),
        cmocka_unit_test(writes_chunk_lines),
        cmocka_unit_test(writes_dates),
    };
    return cmocka_run_group_tests_name("http/h1", tests, NULL, NULL);
}
