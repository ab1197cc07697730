/* http/client: what is sent, what of an answer arrives, and which answers are refused. */
#include "client_rig.h"

#include "base/mem.h"

/* -- answers: each is given whole, cut in two writes at several places, and byte by byte */

struct answer {
    const char *bytes;
    int status;
    const char *body;
    const char *method; /* NULL: GET */
    bool keeps;         /* the connection may be used again */
    bool until_close;
};

static const struct answer answers[] = {
    { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", .keeps = true },
    { "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", 200, "", .keeps = true },
    { "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", 200, "ok", .keeps = true },
    { "HTTP/1.1 429 Too Many\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\n{}", 429, "{}",
      .keeps = true },
    { "HTTP/1.1 500 Oh\r\nContent-Length: 1\r\n\r\nx", 500, "x", .keeps = true },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
      200, "hello world", .keeps = true },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, "", .keeps = true },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA;x=y\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n",
      200, "0123456789", .keeps = true },
    { "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 200, "ok" },
    { "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
      200, "ok" },
    { "HTTP/1.1 200 OK\r\n\r\nuntil the end", 200, "until the end", .until_close = true },
    { "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", 200, "", .until_close = true },
    { "HTTP/1.0 200 OK\r\n\r\nold", 200, "old", .until_close = true },
    { "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold", 200, "old" },
    { "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nold", 200, "old",
      .keeps = true },
    { "HTTP/1.1 204 No Content\r\n\r\n", 204, "", .keeps = true },
    { "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", 304, "", .keeps = true },
    { "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", 200, "", "HEAD", .keeps = true },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200, "", "HEAD", .keeps = true },
    { "HTTP/1.1 200 OK\r\n\r\n", 200, "", "HEAD", .keeps = true },
    { "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok",
      .keeps = true },
    { "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
      200, "ok", .keeps = true },
};

enum delivery { WHOLE, HALVES, BYTES };

struct play {
    const char *bytes;
    bool until_close;
    enum delivery delivery;
    size_t cut; /* HALVES */
};

static void send_played(struct mock_conn *k, const struct play *p)
{
    struct str all = str_c(p->bytes);
    if (p->delivery == BYTES) {
        for (size_t i = 0; i < all.len; i++) {
            mock_send(k, str_of(all.p + i, 1));
            usleep(50);
        }
    } else if (p->delivery == HALVES) {
        mock_send(k, str_head(all, p->cut));
        mock_pause(2);
        mock_send(k, str_skip(all, p->cut));
    } else {
        mock_send(k, all);
    }
}

static void play(struct mock_conn *k)
{
    const struct play *p = k->mock->arg;
    while (mock_request(k)) {
        send_played(k, p);
        if (p->until_close) {
            mock_fin(k);
            mock_eof(k);
            return;
        }
    }
}

static void check_answer(struct rig *r, const struct answer *a)
{
    struct call_log g = { 0 };
    struct client_request rq = rig_request(r, a->method ? a->method : "GET", "/x");
    unsigned before = atomic_load(&r->mock.connections);
    for (int i = 0; i < 2; i++) {
        call_whole(&g, r, &rq);
        check_ok(&g, a->status, a->body);
        assert_int_equal(g.reused, a->keeps && i == 1);
        call_forget(&g);
        assert_int_equal(client_connections(r->client), a->keeps ? 1 : 0);
    }
    assert_int_equal(atomic_load(&r->mock.connections) - before, a->keeps ? 1 : 2);
}

static void test_answers(void **state)
{
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        const struct answer *a = &answers[i];
        struct play p = { a->bytes, a->until_close, WHOLE, 0 };
        for (size_t step = 0; step < 7; step++) {
            if (step == 1)
                p.delivery = BYTES;
            if (step >= 2)
                p.delivery = HALVES;
            p.cut = strlen(a->bytes) * (step - 1) / 6;
            if (step >= 2 && p.cut == 0)
                continue;
            struct rig r;
            rig_init(&r, play, &p, NULL);
            check_answer(&r, a);
            rig_done(&r);
            assert_int_equal(atomic_load(&r.mock.fails), 0);
        }
    }
}

/* -- what is no answer */

struct refusal {
    const char *bytes, *detail;
};

static const struct refusal refusals[] = {
    { "SSH-2.0-OpenSSH_9.2\r\n", "received \"SSH-2.0-OpenSSH_9.2\\x0d\\x0a\"" },
    { "\x15\x03\x01\x02\x02\x28", "received \"\\x15\\x03\\x01\\x02\\x02(\"" },
    { "220 mail ready\r\n", "" },
    { "\r\n", "" },
    { "HTTP/2 200 OK\r\n\r\n", "" },
    { "HTTP/0.9 200 OK\r\n\r\n", "" },
    { "HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n", "" },
    { "HTTP/1.1 2000 OK\r\n\r\n", "" },
    { "HTTP/1.1 20 OK\r\n\r\n", "" },
    { "HTTP/1.1 abc OK\r\n\r\n", "" },
    { "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "" },
    { "HTTP/1.1 200 OK\nContent-Length: 0\n\n", "" },
    { "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "" },
    { "HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nab", "" },
    { "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "" },
    { "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na", "" },
    { "HTTP/1.1 200 OK\r\nContent-Length: 0x1\r\n\r\na", "" },
    { "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\na", "" },
    { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
      "" },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n",
      "" },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "" },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nx", "" },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", "" },
    { "HTTP/1.1 200 OK\r\nX : y\r\nContent-Length: 0\r\n\r\n", "" },
    { "HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n", "" },
    { "HTTP/1.1 200 OK\r\nX: a\x01\r\nContent-Length: 0\r\n\r\n", "" },
    { "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "" },
};

/* The head is sound, what follows is not. */
static const struct refusal late_refusals[] = {
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "" },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n", "" },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n", "" },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n", "" },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello5\r\nhello\r\n0\r\n\r\n",
      "" },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nhello\r\n", "" },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", "" },
};

static void check_refused(const struct refusal *f, unsigned heads)
{
    for (enum delivery d = WHOLE; d <= BYTES; d++) {
        struct play p = { f->bytes, true, d, strlen(f->bytes) / 2 };
        struct rig r;
        struct call_log g = { 0 };
        rig_init(&r, play, &p, NULL);
        struct client_request rq = rig_request(&r, "GET", "/");
        call_whole(&g, &r, &rq);
        if (!g.errors)
            fail_msg("taken: %s", f->bytes);
        check_err(&g, ERR_UPSTREAM_BAD, d == WHOLE ? f->detail : "");
        assert_int_equal(g.heads, heads);
        assert_true(g.detail[0] != '\0');
        assert_int_equal(client_connections(r.client), 0);
        call_forget(&g);
        rig_done(&r);
        assert_int_equal(atomic_load(&r.mock.connections), 1); /* no second try */
    }
}

static void test_refusals(void **state)
{
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        check_refused(&refusals[i], 0);
    for (size_t i = 0; i < sizeof late_refusals / sizeof late_refusals[0]; i++)
        check_refused(&late_refusals[i], 1);
}

static void big_head(struct mock_conn *k)
{
    size_t bytes = *(const size_t *)k->mock->arg;
    if (!mock_request(k))
        return;
    mock_sendz(k, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n");
    while (bytes > 0) {
        size_t n = bytes < 1024 ? bytes : 1024;
        char line[1025];
        snprintf(line, sizeof line, "X-Pad: %0*d\r\n", (int)(n < 20 ? 11 : n - 9), 0);
        mock_sendz(k, line);
        bytes -= n;
    }
    mock_sendz(k, "\r\nok");
    mock_eof(k);
}

static void test_head_limit(void **state)
{
    static const size_t sizes[] = { 60 * 1024, 70 * 1024, 4 * 1024 * 1024 };
    for (size_t i = 0; i < 3; i++) {
        struct rig r;
        struct call_log g = { 0 };
        size_t bytes = sizes[i];
        rig_init(&r, big_head, &bytes, NULL);
        struct client_request rq = rig_request(&r, "GET", "/");
        call_whole(&g, &r, &rq);
        if (i == 0)
            check_ok(&g, 200, "ok");
        else
            check_err(&g, ERR_UPSTREAM_BAD, "too large");
        call_forget(&g);
        rig_done(&r);
    }
}

static void interim(struct mock_conn *k)
{
    while (mock_request(k)) {
        for (int i = 0; i < 100; i++)
            mock_sendz(k, "HTTP/1.1 102 Processing\r\n\r\n");
        mock_sendz(k, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
}

static void test_too_many_interim_answers(void **state)
{
    struct rig r;
    struct call_log g = { 0 };
    rig_init(&r, interim, NULL, NULL);
    struct client_request rq = rig_request(&r, "GET", "/");
    call_whole(&g, &r, &rq);
    check_err(&g, ERR_UPSTREAM_BAD, "interim");
    call_forget(&g);
    rig_done(&r);
}

/* -- what is sent */

static void echo(struct mock_conn *k)
{
    while (mock_request(k)) {
        char head[64];
        snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
                 k->head.len + k->body.len);
        mock_sendz(k, head);
        mock_send(k, k->head);
        mock_send(k, k->body);
    }
}

static void sent_is(struct rig *r, const struct client_request *rq, const char *want)
{
    struct call_log g = { 0 };
    call_begin(&g, r, rq);
    rig_run(r);
    check_ok(&g, 200, want);
    size_t body = 0;
    for (size_t i = 0; i < rq->body_count; i++)
        body += rq->body[i].len;
    assert_int_equal(exchange_bytes_out(g.x), body);
    assert_int_equal(exchange_unsent(g.x), 0);
    char peer[40];
    snprintf(peer, sizeof peer, "127.0.0.1:%u", r->mock.port);
    assert_true(str_eq(exchange_peer(g.x), str_c(peer)));
    call_finish(&g);
}

static void test_requests(void **state)
{
    struct rig r;
    rig_init(&r, echo, NULL, NULL);
    char want[512];
    struct client_request rq = rig_request(&r, "GET", "/v1/models?x=1");
    snprintf(want, sizeof want, "GET /v1/models?x=1 HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n",
             r.mock.port);
    sent_is(&r, &rq, want);

    struct http_header headers[] = { { STR("Authorization"), STR("Bearer k") },
                                     { STR("X-Empty"), STR("") } };
    struct str body[] = { STR("{\"a\":"), STR(""), STR("1"), STR("}") };
    rq = rig_request(&r, "POST", "/v1/chat/completions");
    rq.head.host = STR("api.example.com");
    rq.head.headers = headers;
    rq.head.header_count = 2;
    rq.head.content_length = 12345; /* not heeded: the body is whole */
    rq.body = body;
    rq.body_count = 4;
    sent_is(
        &r, &rq,
        "POST /v1/chat/completions HTTP/1.1\r\nHost: api.example.com\r\nAuthorization: Bearer k\r\nX-Empty: \r\n"
        "Content-Length: 7\r\n\r\n{\"a\":1}");
    rq = rig_request(&r, "DELETE", "/f");
    rq.head.host = STR("h");
    rq.body = body;
    rq.body_count = 1;
    sent_is(&r, &rq, "DELETE /f HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n{\"a\":");
    static const char *const with_length[] = { "POST", "PUT", "PATCH" };
    for (size_t i = 0; i < 3; i++) {
        rq = rig_request(&r, with_length[i], "/");
        rq.head.host = STR("h");
        snprintf(want, sizeof want, "%s / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
                 with_length[i]);
        sent_is(&r, &rq, want);
    }
    rq = rig_request(&r, "DELETE", "/");
    rq.head.host = STR("h");
    sent_is(&r, &rq, "DELETE / HTTP/1.1\r\nHost: h\r\n\r\n");
    rig_done(&r);
    assert_int_equal(atomic_load(&r.mock.connections), 1); /* all of them on one */
    assert_int_equal(atomic_load(&r.mock.requests), 7);
}

/* 300 segments, and all that the caller gave but their bytes is gone right after client_send. */
static void test_many_segments(void **state)
{
    struct rig r;
    rig_init(&r, echo, NULL, NULL);
    for (int round = 0; round < 2; round++) { /* on a fresh connection, on a pooled one */
        struct call_log g = { 0 };
        struct str *body = mem_alloc(300 * sizeof *body);
        struct http_header *h = mem_alloc(sizeof *h);
        char *name = mem_strdup("x-name"), *value = mem_strdup("value");
        *h = (struct http_header){ str_c(name), str_c(value) };
        for (size_t i = 0; i < 300; i++)
            body[i] = i % 3 ? STR("ab") : STR("");
        struct client_request rq = rig_request(&r, "POST", "/");
        rq.head.host = STR("h");
        rq.head.headers = h;
        rq.head.header_count = 1;
        rq.body = body;
        rq.body_count = 300;
        call_begin(&g, &r, &rq);
        mem_free(body);
        mem_free(h);
        mem_free(name);
        mem_free(value);
        rig_run(&r);
        char want[512] =
            "POST / HTTP/1.1\r\nHost: h\r\nx-name: value\r\nContent-Length: 400\r\n\r\n";
        for (size_t i = 0, n = strlen(want); i < 400; i++)
            want[n + i] = "ab"[i % 2];
        check_ok(&g, 200, want);
        call_finish(&g);
    }
    rig_done(&r);
}

/* -- the body written piece by piece */

static void write_rest(struct call_log *g, struct str text)
{
    exchange_write(g->x, &text, 1, false);
}

static void test_written_body(void **state)
{
    struct rig r;
    rig_init(&r, echo, NULL, NULL);
    for (int i = 0; i < 8; i++) {
        bool chunked = i & 1, connected = i & 2, first = i & 4;
        struct call_log g = { 0 };
        struct str begin = STR("one ");
        struct client_request rq = rig_request(&r, "POST", "/");
        rq.head.host = STR("h");
        rq.more = true;
        rq.body = &begin;
        rq.body_count = first;
        rq.head.content_length = chunked ? -1 : first ? 13 : 9;
        call_begin(&g, &r, &rq);
        if (connected)
            rig_nap(&r, 20);
        write_rest(&g, STR("two "));
        write_rest(&g, STR(""));
        if (connected)
            rig_nap(&r, 20);
        struct str last = STR("three");
        exchange_write(g.x, &last, 1, true);
        rig_run(&r);
        check_ok(&g, 200,
                 chunked ? first
                               ? "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                                 "4\r\none \r\n4\r\ntwo \r\n5\r\nthree\r\n0\r\n\r\n"
                               : "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                                 "4\r\ntwo \r\n5\r\nthree\r\n0\r\n\r\n"
                 : first ? "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 13\r\n\r\none two three"
                         : "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\ntwo three");
        assert_int_equal(exchange_bytes_out(g.x), first ? 13 : 9);
        call_finish(&g);
    }
    rig_done(&r);
    assert_int_equal(atomic_load(&r.mock.connections), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),      cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_head_limit),   cmocka_unit_test(test_too_many_interim_answers),
        cmocka_unit_test(test_requests),     cmocka_unit_test(test_many_segments),
        cmocka_unit_test(test_written_body),
    };
    return cmocka_run_group_tests_name("http/client", tests, NULL, NULL);
}
