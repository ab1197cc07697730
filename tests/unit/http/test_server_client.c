/* Clients that do not take what they are sent, and clients that leave. */
#include "server_rig.h"

#include "base/clock.h"
#include "http/server_priv.h"

#include <sys/socket.h>
#include <unistd.h>

#define GET(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"

static void fill(struct buf *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_putc(b, (char)('a' + i % 23 + i / 4096 % 3));
}

/* -- output that the client does not take */

static void write_until_high(struct call *k)
{
    char piece[16384];
    memset(piece, 'x', sizeof piece);
    struct str part = str_of(piece, sizeof piece);
    while (exchange_unsent(k->x) <= STREAM_HIGH_BYTES && k->step < 512) {
        k->step++;
        exchange_write(k->x, &part, 1, false);
    }
    if (k->step < 512)
        return;
    exchange_write(k->x, NULL, 0, true);
    close_call(k);
}

static void hook_flood(struct call *k, enum moment m)
{
    if (m == AT_REQUEST) {
        struct http_out out = { .status = 200, .content_length = -1 };
        exchange_respond(k->x, &out, NULL, 0, false);
        write_until_high(k);
    }
    if (m == AT_DRAIN) {
        assert_true(exchange_unsent(k->x) <= STREAM_LOW_BYTES);
        write_until_high(k);
    }
    if (m == AT_ERROR) {
        exchange_write(k->x, &STR("lost"), 1, false); /* harmless */
        assert_int_equal(exchange_unsent(k->x), 0);
        close_call(k);
    }
}

static void a_client_that_does_not_read_stops_the_writer(void **state)
{
    struct srig r;
    srig_init(&r, hook_flood, NULL);
    int fd = srig_connect_small(&r);
    srig_send(&r, fd, STR(GET("/")));
    srig_until(&r, r.call_count == 1);
    srig_turn(&r, 20);
    struct call *k = r.calls[0];
    assert_non_null(k->x);
    size_t unsent = exchange_unsent(k->x);
    assert_true(unsent > STREAM_HIGH_BYTES && unsent < STREAM_HIGH_BYTES + 32768);
    unsigned steps = k->step;
    srig_turn(&r, 20);
    assert_int_equal(k->step, steps);
    assert_int_equal(k->drains, 0);
    struct got g;
    struct buf body;
    got_init(&g);
    buf_init(&body, 16 * MIB);
    got_answers(&r, fd, &g, 1);
    assert_true(k->drains > 2);
    assert_int_equal(got_status(&g, 0, &body), 200);
    assert_int_equal(body.len, 512 * 16384);
    buf_done(&body);
    got_done(&g);
    srig_end(&r, fd);
}

static void answers_do_not_pile_up(void **state)
{
    struct srig r;
    srig_init(&r, hook_hold, NULL);
    int fd = srig_connect_small(&r);
    struct buf big;
    buf_init(&big, 8 * MIB);
    fill(&big, 4 * MIB);
    buf_putc(&big, '\0');
    srig_send(&r, fd, STR(GET("/1") GET("/2")));
    srig_until(&r, r.call_count == 1);
    answer(r.calls[0], 200, big.p); /* far more than the socket takes */
    srig_turn(&r, 20);
    assert_int_equal(r.call_count, 1);
    r.hook = hook_get;
    struct got g;
    got_init(&g);
    got_answers(&r, fd, &g, 2);
    assert_int_equal(r.call_count, 2);
    buf_done(&big);
    got_done(&g);
    srig_end(&r, fd);
}

/* -- clients that leave */

static void reset_and_close(int fd)
{
    struct linger hard = { .l_onoff = 1 };
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    close(fd);
}

static void leave(bool reset, const char *request, hook_fn *hook, enum err want)
{
    struct srig r;
    srig_init(&r, hook, NULL);
    int fd = srig_connect(&r);
    srig_send(&r, fd, str_c(request));
    srig_until(&r, r.call_count == 1);
    srig_turn(&r, 2);
    if (reset)
        reset_and_close(fd);
    else
        close(fd);
    struct call *k = r.calls[0];
    srig_until(&r, k->errors == 1);
    if (want)
        assert_int_equal(k->err, want);
    assert_true(k->err == ERR_EOF || k->err == ERR_RESET);
    assert_true(*k->detail != '\0');
    srig_until(&r, http_server_connections(r.server) == 0);
    srig_done(&r);
}

static void a_leaving_client_is_seen(void **state)
{
    leave(false, GET("/"), hook_hold, ERR_EOF);
    leave(true, GET("/"), hook_hold, ERR_RESET);
    leave(false, GET("/") GET("/2"), hook_hold, ERR_EOF);
    leave(false, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel", hook_hold, ERR_EOF);
    leave(false, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel", hook_echo, ERR_EOF);
    leave(true, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
          hook_echo, ERR_RESET);
    leave(true, GET("/"), hook_flood, ERR_OK);
    leave(false, GET("/"), hook_flood, ERR_OK);
}

static void a_half_closing_client_gets_its_answer_if_it_is_complete(void **state)
{
    struct srig r;
    srig_init(&r, hook_hold, NULL);
    int fd = srig_connect_small(&r);
    struct buf big;
    buf_init(&big, 8 * MIB);
    fill(&big, 4 * MIB);
    buf_putc(&big, '\0');
    srig_send(&r, fd, STR(GET("/1")));
    srig_until(&r, r.call_count == 1);
    answer(r.calls[0], 200, big.p);
    shutdown(fd, SHUT_WR);
    srig_turn(&r, 20);
    struct got g;
    struct buf body;
    got_init(&g);
    buf_init(&body, 8 * MIB);
    got_all(&r, fd, &g);
    assert_int_equal(got_status(&g, 0, &body), 200);
    assert_int_equal(body.len, 4 * MIB);
    buf_done(&body);
    buf_done(&big);
    got_done(&g);
    srig_end(&r, fd);
}

static void hook_answer_and_keep(struct call *k, enum moment m)
{
    struct http_out out = { .status = 200, .content_length = -1 };
    struct str part = STR("whole");
    if (m == AT_REQUEST)
        exchange_respond(k->x, &out, &part, 1, true);
    assert_int_not_equal(m, AT_ERROR); /* an answer that was given is no failure */
}

static void a_half_close_after_the_answer_is_no_error(void **state)
{
    struct srig r;
    srig_init(&r, hook_answer_and_keep, NULL);
    int fd = srig_connect(&r);
    srig_send(&r, fd, STR(GET("/1")));
    shutdown(fd, SHUT_WR);
    struct got g;
    got_init(&g);
    got_all(&r, fd, &g);
    assert_int_equal(got_status(&g, 0, NULL), 200);
    assert_false(g.reset);
    close_call(r.calls[0]);
    got_done(&g);
    srig_end(&r, fd);
}

static void leaving_before_a_request_is_no_event(void **state)
{
    static const char *const starts[] = { "", "\r\n", "GET", "GET / HTTP/1.1\r\nHost: a\r\n" };
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        struct srig r;
        srig_init(&r, hook_hold, NULL);
        int fd = srig_connect(&r);
        srig_send(&r, fd, str_c(starts[i]));
        srig_turn(&r, 2);
        assert_int_equal(r.server->conn_count, 1);
        close(fd);
        srig_until(&r, http_server_connections(r.server) == 0);
        assert_int_equal(r.call_count + r.refused, 0);
        srig_done(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_that_does_not_read_stops_the_writer),
        cmocka_unit_test(answers_do_not_pile_up),
        cmocka_unit_test(a_leaving_client_is_seen),
        cmocka_unit_test(a_half_closing_client_gets_its_answer_if_it_is_complete),
        cmocka_unit_test(a_half_close_after_the_answer_is_no_error),
        cmocka_unit_test(leaving_before_a_request_is_no_event),
    };
    return cmocka_run_group_tests_name("http/server_client", tests, NULL, NULL);
}
