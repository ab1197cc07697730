/* Bodies that the server receives: pulled, expected, skipped, broken. */
#include "server_rig.h"

#include "base/clock.h"
#include "http/server_priv.h"

#include <sys/socket.h>
#include <unistd.h>

#define GET(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"

/* -- bodies */

static void fill(struct buf *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_putc(b, (char)('a' + i % 23 + i / 4096 % 3));
}

static void hook_mirror(struct call *k, enum moment m)
{
    struct http_out out = { .status = 200, .content_length = -1 };
    struct str part = buf_str(&k->body);
    if (m == AT_REQUEST)
        exchange_read(k->x, true);
    if (m == AT_BODY) {
        if (!k->step++)
            exchange_respond(k->x, &out, &part, 1, false);
        else
            exchange_write(k->x, &part, 1, false);
        buf_reset(&k->body);
        if (exchange_unsent(k->x) > STREAM_HIGH_BYTES)
            exchange_read(k->x, false);
    }
    if (m == AT_DRAIN)
        exchange_read(k->x, true);
    if (m == AT_END) {
        exchange_write(k->x, NULL, 0, true);
        assert_int_equal(exchange_bytes_in(k->x), exchange_bytes_out(k->x));
        close_call(k);
    }
}

static void chunked_both_ways(void **state)
{
    struct srig r;
    srig_init(&r, hook_mirror, NULL);
    int fd = srig_connect_small(&r);
    struct buf want, wire, body;
    buf_init(&want, 8 * MIB);
    buf_init(&wire, 8 * MIB);
    buf_init(&body, 8 * MIB);
    fill(&want, 2 * MIB);
    buf_putz(&wire, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (size_t at = 0, n = 1; at < want.len; at += n, n = n * 3 % 70001 + 1) {
        if (n > want.len - at)
            n = want.len - at;
        buf_printf(&wire, "%zx\r\n", n);
        buf_put(&wire, str_of(want.p + at, n));
        buf_putz(&wire, "\r\n");
    }
    buf_putz(&wire, "0\r\n\r\n");
    struct got g;
    got_init(&g);
    for (size_t at = 0; at < wire.len; at += 10000) {
        srig_send(&r, fd, str_of(wire.p + at, wire.len - at < 10000 ? wire.len - at : 10000));
        got_poll(&r, fd, &g);
    }
    got_answers(&r, fd, &g, 1);
    assert_int_equal(got_status(&g, 0, &body), 200);
    assert_true(str_eq(buf_str(&body), buf_str(&want)));
    got_done(&g);
    buf_done(&want);
    buf_done(&wire);
    buf_done(&body);
    srig_end(&r, fd);
}

static void hook_pause(struct call *k, enum moment m)
{
    if (m == AT_REQUEST)
        timer_set(&k->timer, 10);
    if (m == AT_LATER)
        exchange_read(k->x, true);
    if (m == AT_BODY) {
        exchange_read(k->x, false);
        timer_set(&k->timer, 10);
    }
    if (m == AT_END)
        answer(k, 200, "ok");
}

static void a_body_flows_only_when_pulled(void **state)
{
    struct srig r;
    srig_init(&r, hook_pause, NULL);
    int fd = srig_connect(&r);
    srig_send(&r, fd,
              STR("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "2\r\nab\r\n2\r\ncd\r\n2\r\nef\r\n0\r\n\r\n" GET("/next")));
    srig_until(&r, r.call_count == 1);
    struct call *k = r.calls[0];
    assert_int_equal(k->bodies, 0);
    srig_until(&r, k->bodies == 1);
    assert_true(str_eq(buf_str(&k->body), STR("ab")));
    srig_turn(&r, 0);
    assert_int_equal(k->bodies, 1);
    srig_until(&r, r.call_count == 2);
    assert_true(str_eq(buf_str(&k->body), STR("abcdef")));
    struct got g;
    got_init(&g);
    got_answers(&r, fd, &g, 2);
    got_done(&g);
    srig_end(&r, fd);
}

static void a_body_not_pulled_stops_the_socket(void **state)
{
    struct srig r;
    srig_init(&r, hook_hold, NULL);
    int fd = srig_connect(&r);
    srig_send(&r, fd, STR("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"));
    struct buf body;
    buf_init(&body, MIB);
    fill(&body, 100000);
    srig_send(&r, fd, buf_str(&body));
    srig_turn(&r, 20);
    struct conn *c = only_conn(&r);
    assert_true(c->pending.len >= CONN_PENDING_BYTES && !c->reading);
    assert_int_equal(r.calls[0]->bodies, 0);
    r.hook = hook_echo;
    exchange_read(r.calls[0]->x, true);
    assert_int_equal(r.calls[0]->bodies, 0); /* never within the call */
    struct got g;
    got_init(&g);
    got_answers(&r, fd, &g, 1);
    assert_true(str_eq(buf_str(&r.calls[0]->body), buf_str(&body)));
    assert_true(c->reading);
    got_done(&g);
    buf_done(&body);
    srig_end(&r, fd);
}

/* -- Expect: 100-continue */

#define EXPECTING "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"

static void continue_is_sent_when_the_body_is_pulled(void **state)
{
    struct srig r;
    srig_init(&r, hook_hold, NULL);
    int fd = srig_connect(&r);
    srig_send(&r, fd, STR(EXPECTING));
    srig_until(&r, r.call_count == 1);
    struct got g;
    got_init(&g);
    srig_turn(&r, 5);
    got_poll(&r, fd, &g);
    assert_int_equal(g.text.len, 0);
    r.hook = hook_echo;
    exchange_read(r.calls[0]->x, true);
    exchange_read(r.calls[0]->x, false);
    exchange_read(r.calls[0]->x, true);
    srig_until(&r, (got_poll(&r, fd, &g), g.text.len > 0));
    assert_true(str_eq(buf_str(&g.text), STR("HTTP/1.1 100 Continue\r\n\r\n"))); /* once */
    srig_send(&r, fd, STR("hello"));
    got_answers(&r, fd, &g, 1);
    assert_true(got_has(&g, "POST / 5 hello"));
    assert_false(got_has(&g, "Connection: close"));
    got_done(&g);
    srig_end(&r, fd);
}

static void continue_is_not_sent_to_who_did_not_wait(void **state)
{
    struct srig r;
    srig_init(&r, hook_hold, NULL);
    int fd = srig_connect(&r);
    srig_send(&r, fd, STR(EXPECTING "hel"));
    srig_until(&r, r.call_count == 1);
    r.hook = hook_echo;
    exchange_read(r.calls[0]->x, true);
    srig_turn(&r, 2);
    srig_send(&r, fd, STR("lo"));
    struct got g;
    got_init(&g);
    got_answers(&r, fd, &g, 1);
    assert_false(got_has(&g, "100 Continue"));
    got_done(&g);
    srig_end(&r, fd);
}

static void continue_is_not_sent_when_the_body_came_along(void **state)
{
    struct srig r;
    srig_init(&r, hook_echo, NULL);
    int fd = srig_connect(&r);
    srig_send(&r, fd, STR(EXPECTING "hello"));
    struct got g;
    got_init(&g);
    got_answers(&r, fd, &g, 1);
    assert_false(got_has(&g, "100 Continue"));
    got_done(&g);
    srig_end(&r, fd);
}

static void an_answer_without_continue_closes(void **state)
{
    struct srig r;
    srig_init(&r, hook_get, NULL);
    int fd = srig_connect(&r);
    srig_send(&r, fd, STR(EXPECTING)); /* the client may or may not send "hello" now */
    struct got g;
    got_init(&g);
    got_all(&r, fd, &g);
    assert_int_equal(got_status(&g, 0, NULL), 200);
    assert_true(got_has(&g, "Connection: close") && !got_has(&g, "100 Continue"));
    got_done(&g);
    srig_end(&r, fd);
}

/* -- early answers */

static void an_early_answer_skips_a_small_body(void **state)
{
    struct srig r;
    srig_init(&r, hook_get, NULL);
    int fd = srig_connect(&r);
    srig_send(&r, fd, STR("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n01234"));
    struct got g;
    got_init(&g);
    got_answers(&r, fd, &g, 1);
    assert_int_equal(only_conn(&r)->state, CONN_DISCARD);
    srig_send(&r, fd, STR("56789" GET("/next")));
    got_answers(&r, fd, &g, 2);
    assert_false(g.eof || got_has(&g, "Connection: close"));
    srig_send(&r, fd,
              STR("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                  "5\r\nhello\r\n0\r\n\r\n" GET("/n")));
    got_answers(&r, fd, &g, 4);
    assert_int_equal(r.call_count, 4);
    got_done(&g);
    srig_end(&r, fd);
}

static void an_early_answer_to_a_large_body_closes(void **state)
{
    struct srig r;
    srig_init(&r, hook_get, NULL);
    int fd = srig_connect(&r);
    srig_send(&r, fd, STR("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"));
    struct buf junk;
    buf_init(&junk, MIB);
    fill(&junk, 100000);
    srig_send(&r, fd, buf_str(&junk));
    struct got g;
    got_init(&g);
    got_answers(&r, fd, &g, 1);
    assert_true(got_has(&g, "Connection: close"));
    got_all(&r, fd, &g);
    assert_int_equal(r.call_count, 1);
    buf_done(&junk);
    got_done(&g);
    srig_end(&r, fd);
}

static void an_endless_body_is_not_skipped_forever(void **state)
{
    struct srig r;
    srig_init(&r, hook_get, NULL);
    int fd = srig_connect(&r);
    srig_send(&r, fd, STR("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"));
    struct got g;
    got_init(&g);
    got_answers(&r, fd, &g, 1); /* nobody could know: it was promised to live on */
    assert_false(got_has(&g, "Connection: close"));
    struct buf chunk;
    buf_init(&chunk, MIB);
    buf_putz(&chunk, "8000\r\n");
    fill(&chunk, 0x8000);
    buf_putz(&chunk, "\r\n");
    for (int i = 0; i < 10; i++)
        srig_send(&r, fd, buf_str(&chunk));
    got_all(&r, fd, &g);
    assert_int_equal(got_count(&g), 1);
    buf_done(&chunk);
    got_done(&g);
    srig_end(&r, fd);
}

static void a_broken_rest_of_a_skipped_body_closes(void **state)
{
    struct srig r;
    srig_init(&r, hook_get, NULL);
    int fd = srig_connect(&r);
    srig_send(&r, fd,
              STR("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" GET(
                  "/smuggled")));
    struct got g;
    got_init(&g);
    got_all(&r, fd, &g);
    assert_int_equal(r.call_count, 1);
    assert_int_equal(got_count(&g), 1);
    got_done(&g);
    srig_end(&r, fd);
}

/* -- bodies that break */

static void hook_answers_at_once(struct call *k, enum moment m)
{
    struct http_out out = { .status = 200, .content_length = -1 };
    struct str part = STR("begun");
    if (m == AT_REQUEST) {
        exchange_respond(k->x, &out, &part, 1, false);
        exchange_read(k->x, true);
    }
    if (m == AT_ERROR)
        close_call(k);
}

static void a_body_that_breaks_under_an_answer_cuts_it(void **state)
{
    struct srig r;
    srig_init(&r, hook_answers_at_once, NULL);
    int fd = srig_connect(&r);
    srig_send(&r, fd,
              STR("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello!"));
    struct got g;
    got_init(&g);
    got_all(&r, fd, &g);
    assert_int_equal(r.calls[0]->err, ERR_BAD_HTTP);
    assert_string_equal(r.calls[0]->detail, "a line does not end with CR LF");
    assert_int_equal(got_count(&g), 0); /* no last chunk: the client sees that it was cut */
    got_done(&g);
    srig_end(&r, fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chunked_both_ways),
        cmocka_unit_test(a_body_flows_only_when_pulled),
        cmocka_unit_test(a_body_not_pulled_stops_the_socket),
        cmocka_unit_test(continue_is_sent_when_the_body_is_pulled),
        cmocka_unit_test(continue_is_not_sent_to_who_did_not_wait),
        cmocka_unit_test(continue_is_not_sent_when_the_body_came_along),
        cmocka_unit_test(an_answer_without_continue_closes),
        cmocka_unit_test(an_early_answer_skips_a_small_body),
        cmocka_unit_test(an_early_answer_to_a_large_body_closes),
        cmocka_unit_test(an_endless_body_is_not_skipped_forever),
        cmocka_unit_test(a_broken_rest_of_a_skipped_body_closes),
        cmocka_unit_test(a_body_that_breaks_under_an_answer_cuts_it),
    };
    return cmocka_run_group_tests_name("http/server_body", tests, NULL, NULL);
}
