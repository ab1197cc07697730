/* http/client: an answer that is cut off at each of its bytes ends in exactly one
 * ERR_UPSTREAM_CUT, or, where its framing was complete, in exactly one clean end. */
#include "client_rig.h"

struct sample {
    const char *head, *body; /* on the wire */
    const char *content;     /* of the body */
    const char *method;
    bool until_close; /* an orderly end completes it from the end of the head on */
};

static const struct sample samples[] = {
    { "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n", "hello world", "hello world", "GET", false },
    { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
      "5\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\nA: b\r\n\r\n", "hello0123456789abcdef", "POST",
      false },
    { "HTTP/1.1 200 OK\r\nX-Name: value\r\n\r\n", "until the end", "until the end", "GET", true },
    { "HTTP/1.0 200 OK\r\n\r\n", "until the end", "until the end", "GET", true },
    { "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "ok", "ok",
      "POST", false },
    { "HTTP/1.1 204 No Content\r\n\r\n", "", "", "DELETE", false },
    { "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", "", "", "HEAD", false },
};

struct cut {
    const struct sample *sample;
    bool reset;
    bool paused; /* the client pulls only after the cut */
    atomic_size_t at;
};

static void cut(struct mock_conn *k)
{
    struct cut *c = k->mock->arg;
    if (!mock_request(k))
        return;
    size_t at = atomic_load(&c->at), head = strlen(c->sample->head);
    mock_send(k, str_head(str_c(c->sample->head), at));
    if (at > head)
        mock_send(k, str_head(str_c(c->sample->body), at - head));
    if (c->reset) {
        usleep(500); /* so that the client may have read it; either way the outcome is one */
        mock_reset(k);
    } else {
        mock_fin(k);
        mock_eof(k);
    }
}

static void check_outcome(const struct cut *c, size_t at, const struct call_log *g)
{
    const struct sample *s = c->sample;
    size_t head = strlen(s->head), all = head + strlen(s->body);
    bool whole = at == all || (s->until_close && at >= head);
    struct str body = str_of(g->body.p, g->body.len);

    assert_int_equal(g->ends + g->errors, 1);
    assert_true(str_starts(str_c(s->content), body)); /* nothing that was not sent */
    if (c->reset && at >= head && !s->until_close && at == all)
        return; /* a reset may overtake the last bytes */
    if (c->reset && s->until_close)
        whole = false;
    if (!whole) {
        check_err(g, ERR_UPSTREAM_CUT, "the connection was ");
        if (at < head)
            assert_int_equal(g->heads, 0);
        return;
    }
    assert_int_equal(g->ends, 1);
    assert_int_equal(g->errors, 0);
    size_t want = s->until_close ? at - head : strlen(s->content);
    assert_int_equal(body.len, want);
}

static void run_cut(struct rig *r, struct cut *c, size_t at)
{
    struct call_log g = { 0 };
    struct client_request rq = rig_request(r, c->sample->method, "/");
    atomic_store(&c->at, at);
    call_begin(&g, r, &rq);
    if (c->paused) {
        g.pull = false;
        rig_nap(r, 5);
        exchange_read(g.x, true);
    }
    rig_run(r);
    check_outcome(c, at, &g);
    call_finish(&g);
}

static void cut_everywhere(bool reset, bool paused)
{
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct cut c = { .sample = &samples[i], .reset = reset, .paused = paused };
        struct rig r;
        rig_init(&r, cut, &c, NULL);
        size_t all = strlen(samples[i].head) + strlen(samples[i].body);
        for (size_t at = 0; at <= all; at++)
            run_cut(&r, &c, at);
        rig_nap(&r, 10);
        assert_int_equal(client_connections(r.client), 0);
        rig_done(&r);
        assert_int_equal(atomic_load(&r.mock.requests), all + 1); /* none was sent twice */
        assert_int_equal(atomic_load(&r.mock.fails), 0);
    }
}

static void test_closed_at_each_byte(void **state)
{
    cut_everywhere(false, false);
}

static void test_reset_at_each_byte(void **state)
{
    cut_everywhere(true, false);
}

static void test_closed_while_paused(void **state)
{
    cut_everywhere(false, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_closed_at_each_byte),
        cmocka_unit_test(test_reset_at_each_byte),
        cmocka_unit_test(test_closed_while_paused),
    };
    return cmocka_run_group_tests_name("http/client/cut", tests, NULL, NULL);
}
