/* The server's deadlines, shortened: each must come, not before its time, and must not come to
 * those who keep up. */
#include "../net/stall.h"
#include "server_rig.h"

#include "base/clock.h"
#include "http/server_priv.h"

#include <sys/socket.h>
#include <unistd.h>

#define GET(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"

static void tune(struct http_server_opts *o)
{
    o->header_timeout_ms = 150;
    o->keepalive_timeout_ms = 300;
    o->body_grace_ms = 150;
    o->body_min_rate = 1000;
    o->client_stall_timeout_ms = 200;
}

static uint64_t ms_since(uint64_t from_us)
{
    return (clock_now_us() - from_us) / 1000;
}

static void a_slow_head_is_refused(void **state)
{
    struct srig r;
    srig_init(&r, hook_echo, tune);
    int fd = srig_connect(&r);
    uint64_t from_us = clock_now_us();
    struct got g;
    got_init(&g);
    const char *text =
        "GET / HTTP/1.1\r\nHost: a\r\nX: 01234567890123456789012345678901234567890123456789";
    for (const char *p = text; *p && !g.text.len; p++) { /* a byte now and then does not help */
        srig_send(&r, fd, str_of(p, 1));
        srig_turn(&r, 5);
        got_poll(&r, fd, &g);
    }
    got_all(&r, fd, &g);
    assert_int_equal(got_status(&g, 0, NULL), 408);
    assert_int_equal(r.refused_err, ERR_BODY_TIMEOUT);
    assert_true(got_has(&g, "Connection: close"));
    assert_true(ms_since(from_us) >= 150);
    got_done(&g);
    srig_end(&r, fd);
}

static void tune_long_idle(struct http_server_opts *o)
{
    tune(o);
    o->keepalive_timeout_ms = 20000;
}

static bool takes(uint64_t from_us, uint64_t min_ms, uint64_t max_ms)
{
    uint64_t took_ms = ms_since(from_us);
    assert_true(took_ms >= min_ms); /* nothing makes it early */
    return took_ms < max_ms;
}

static bool slow_second_head(const void *arg)
{
    struct srig r;
    srig_init(&r, hook_echo, tune_long_idle);
    int fd = srig_connect(&r);
    struct got g;
    got_init(&g);
    srig_send(&r, fd, STR(GET("/1")));
    got_answers(&r, fd, &g, 1);
    srig_turn(&r, 200); /* idle for longer than a head may take */
    got_poll(&r, fd, &g);
    assert_false(g.eof);
    uint64_t from_us = clock_now_us();
    srig_send(&r, fd, STR("GET"));
    got_all(&r, fd, &g);
    assert_int_equal(got_status(&g, 1, NULL), 408);
    bool good = takes(from_us, 145, 1000);
    got_done(&g);
    srig_end(&r, fd);
    return good;
}

static void a_slow_head_after_a_request_is_refused_too(void **state)
{
    unless_stalled(slow_second_head, NULL, 300);
}

static void a_silent_connection_is_closed_without_a_word(void **state)
{
    struct srig r;
    srig_init(&r, hook_echo, tune);
    int fd = srig_connect(&r);
    uint64_t from_us = clock_now_us();
    struct got g;
    got_init(&g);
    got_all(&r, fd, &g);
    assert_true(ms_since(from_us) >= 145);
    assert_int_equal(g.text.len, 0);
    assert_int_equal(r.refused, 0);
    got_done(&g);
    srig_end(&r, fd);
}

static bool idle_and_closed(const void *arg)
{
    struct srig r;
    srig_init(&r, hook_echo, tune);
    int fd = srig_connect(&r);
    struct got g;
    got_init(&g);
    uint64_t from_us = 0;
    bool good = true;
    for (unsigned i = 0; i < 4 && good;
         i++) { /* requests keep it alive past the time of the first */
        srig_turn(&r, 100);
        srig_send(&r, fd, STR(GET("/")));
        good = got_answer(&r, fd, &g, i + 1);
        from_us = clock_now_us();
    }
    got_all(&r, fd, &g);
    good = good && takes(from_us, 295, 1500) && got_count(&g) == 4;
    got_done(&g);
    srig_end(&r, fd);
    return good;
}

static void an_idle_connection_is_closed(void **state)
{
    unless_stalled(idle_and_closed, NULL, 100);
}

static bool exchange_at_leisure(const void *arg)
{
    struct srig r;
    srig_init(&r, hook_hold, tune);
    int fd = srig_connect(&r);
    srig_send(&r, fd, STR("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe"));
    srig_turn(&r, 600); /* longer than every deadline: nobody pulls the body, nothing is unsent */
    assert_int_equal(r.call_count, 1);
    assert_int_equal(r.calls[0]->errors, 0);
    r.hook = hook_echo;
    exchange_read(r.calls[0]->x, true);
    srig_turn(&r, 50);
    srig_send(&r, fd, STR("llo"));
    struct got g;
    got_init(&g);
    bool good = got_answer(&r, fd, &g, 1) && got_has(&g, "POST / 5 hello");
    got_done(&g);
    srig_end(&r, fd);
    return good;
}

static void an_exchange_may_take_its_time(void **state)
{
    unless_stalled(exchange_at_leisure, NULL, 50);
}

static bool slow_body(const void *arg)
{
    struct srig r;
    srig_init(&r, hook_echo, tune);
    int fd = srig_connect(&r);
    uint64_t from_us = clock_now_us();
    srig_send(&r, fd, STR("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 500\r\n\r\n0123456789"));
    struct got g;
    got_init(&g);
    got_all(&r, fd, &g);
    assert_int_equal(got_status(&g, 0, NULL), 408);
    assert_int_equal(r.calls[0]->err, ERR_BODY_TIMEOUT);
    bool good = takes(from_us, 150, 1200 + 150);
    got_done(&g);
    srig_end(&r, fd);
    return good;
}

static void a_slow_body_is_an_error_that_can_be_answered(void **state)
{
    unless_stalled(slow_body, NULL, 300);
}

static bool body_at_the_rate(const void *arg)
{
    struct srig r;
    srig_init(&r, hook_echo, tune);
    int fd = srig_connect(&r);
    srig_send(&r, fd, STR("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n"));
    char part[50];
    memset(part, 'x', sizeof part);
    for (int i = 0; i < 20; i++) { /* 2,500 a second, for three times the grace */
        srig_send(&r, fd, str_of(part, sizeof part));
        srig_turn(&r, 20);
    }
    struct got g;
    got_init(&g);
    bool good = got_answer(&r, fd, &g, 1) && got_status(&g, 0, NULL) == 200;
    got_done(&g);
    srig_end(&r, fd);
    return good;
}

static void a_body_at_the_rate_is_taken(void **state)
{
    unless_stalled(body_at_the_rate, NULL, 100);
}

static void hook_stop_and_go(struct call *k, enum moment m)
{
    if (m == AT_LATER)
        exchange_read(k->x, true);
    if (m == AT_BODY && k->bodies == 1) {
        exchange_read(k->x, false);
        timer_set(&k->timer, 400);
        return;
    }
    hook_echo(k, m);
}

static void tune_no_rate(struct http_server_opts *o)
{
    tune(o);
    o->body_min_rate = 0;
}

static void without_a_rate_a_body_may_take_its_time(void **state)
{
    struct srig r;
    srig_init(&r, hook_echo, tune_no_rate);
    int fd = srig_connect(&r);
    srig_send(&r, fd, STR("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe"));
    srig_turn(&r, 400);
    srig_send(&r, fd, STR("llo"));
    struct got g;
    got_init(&g);
    got_answers(&r, fd, &g, 1);
    assert_int_equal(got_status(&g, 0, NULL), 200);
    got_done(&g);
    srig_end(&r, fd);
}

static bool stopped_and_gone_on(const void *arg)
{
    struct srig r;
    srig_init(&r, hook_stop_and_go, tune);
    int fd = srig_connect(&r);
    srig_send(&r, fd, STR("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe"));
    srig_turn(&r, 450);
    srig_send(&r, fd, STR("llo"));
    struct got g;
    got_init(&g);
    bool good = got_answer(&r, fd, &g, 1) && got_status(&g, 0, NULL) == 200;
    got_done(&g);
    srig_end(&r, fd);
    return good;
}

static void time_not_pulled_does_not_count(void **state)
{
    unless_stalled(stopped_and_gone_on, NULL, 50);
}

#define BIG (32 * MIB)

static void hook_big(struct call *k, enum moment m)
{
    if (m == AT_ERROR) {
        close_call(k);
        return;
    }
    if (m != AT_REQUEST)
        return;
    char *big = mem_zalloc(BIG);
    struct str part = str_of(big, BIG);
    struct http_out out = { .status = 200, .content_length = k->rig->arg ? (int64_t)part.len : -1 };
    exchange_respond(k->x, &out, &part, 1, k->rig->arg != NULL);
    mem_free(big);
    if (k->rig->arg)
        close_call(k);
}

static bool nothing_taken(const void *arg)
{
    struct srig r;
    srig_init(&r, hook_big, tune);
    int fd = srig_connect_small(&r);
    uint64_t from_us = clock_now_us();
    srig_send(&r, fd, STR(GET("/")));
    srig_until(&r, r.call_count == 1 && r.calls[0]->errors == 1);
    assert_int_equal(r.calls[0]->err, ERR_TIMEOUT);
    bool good = takes(from_us, 195, 2000);
    assert_int_equal(http_server_connections(r.server), 0);
    srig_end(&r, fd);
    return good;
}

static void a_client_that_takes_nothing_is_cut(void **state)
{
    unless_stalled(nothing_taken, NULL, 500);
}

static bool nothing_of_a_complete_answer_taken(const void *arg)
{
    struct srig r;
    srig_init(&r, hook_big, tune);
    r.arg = &r;
    int fd = srig_connect_small(&r);
    uint64_t from_us = clock_now_us();
    srig_send(&r, fd, STR(GET("/")));
    srig_until(&r, r.call_count == 1);
    assert_int_equal(http_server_connections(r.server), 1);
    srig_until(&r, http_server_connections(r.server) == 0);
    bool good = takes(from_us, 195, 2000);
    srig_end(&r, fd);
    return good;
}

static void a_client_that_takes_nothing_of_a_complete_answer_is_cut(void **state)
{
    unless_stalled(nothing_of_a_complete_answer_taken, NULL, 500);
}

/* The kernel asks for more only when a third of its buffer is free: progress is seen in steps of
 * a megabyte. */
static void tune_patient(struct http_server_opts *o)
{
    tune(o);
    o->client_stall_timeout_ms = 900;
}

static bool slow_reader(const void *arg)
{
    struct srig r;
    srig_init(&r, hook_big, tune_patient);
    r.arg = &r;
    int fd = srig_connect(&r);
    /* "Connection: close", so that the flush outlives the linger time. */
    srig_send(&r, fd, STR("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    uint64_t from_us = clock_now_us();
    /* 10 MiB a second: for longer than the stall and the linger time. */
    static const size_t step = 100 * KIB;
    char *into = mem_alloc(step);
    size_t got = 0;
    ssize_t n = 1;
    for (uint64_t until_us = from_us + 20000000; n && clock_now_us() < until_us;) {
        n = recv(fd, into, step, 0);
        if (n > 0)
            got += (size_t)n;
        srig_turn(&r, 10);
    }
    bool good = got > BIG;
    if (good)
        takes(from_us, 2000, UINT64_MAX); /* else this proves nothing */
    mem_free(into);
    srig_end(&r, fd);
    return good;
}

static void a_slow_reader_is_not_cut(void **state)
{
    unless_stalled(slow_reader, NULL, 300);
}

static bool body_skipped(const void *arg)
{
    struct srig r;
    srig_init(&r, hook_get, tune);
    int fd = srig_connect(&r);
    uint64_t from_us = clock_now_us();
    srig_send(&r, fd, STR("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc"));
    struct got g;
    got_init(&g);
    got_all(&r, fd, &g);
    bool good = takes(from_us, 990, 2500);
    assert_int_equal(got_count(&g), 1);
    got_done(&g);
    srig_end(&r, fd);
    return good;
}

static void skipping_a_body_ends_after_a_second(void **state)
{
    unless_stalled(body_skipped, NULL, 500);
}

static bool client_stays(const void *arg)
{
    struct srig r;
    srig_init(&r, hook_get, tune);
    int fd = srig_connect(&r);
    uint64_t from_us = clock_now_us();
    srig_send(&r, fd, STR("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    struct got g;
    got_init(&g);
    got_all(&r, fd, &g); /* the half close comes at once */
    bool good = takes(from_us, 0, 500) && http_server_connections(r.server) == 1;
    srig_until(&r, http_server_connections(r.server) == 0); /* although the client did not close */
    good = takes(from_us, 990, 2500) && good;
    got_done(&g);
    srig_end(&r, fd);
    return good;
}

static void a_client_that_stays_after_the_last_answer_is_closed(void **state)
{
    unless_stalled(client_stays, NULL, 100);
}

static void steady_requests_do_not_touch_the_timer(void **state)
{
    struct srig r;
    srig_init(&r, hook_echo, NULL);
    int fd = srig_connect(&r);
    struct conn *c = CONTAINER_OF(r.server->conns.next, struct conn, link);
    uint64_t due_us = c->timer.due_us;
    struct got g;
    got_init(&g);
    for (unsigned i = 0; i < 20; i++) {
        srig_send(&r, fd, STR("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"));
        got_answers(&r, fd, &g, i + 1);
        assert_true(c->timer.due_us == due_us);
    }
    got_done(&g);
    srig_end(&r, fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_head_is_refused),
        cmocka_unit_test(a_slow_head_after_a_request_is_refused_too),
        cmocka_unit_test(a_silent_connection_is_closed_without_a_word),
        cmocka_unit_test(an_idle_connection_is_closed),
        cmocka_unit_test(an_exchange_may_take_its_time),
        cmocka_unit_test(a_slow_body_is_an_error_that_can_be_answered),
        cmocka_unit_test(a_body_at_the_rate_is_taken),
        cmocka_unit_test(without_a_rate_a_body_may_take_its_time),
        cmocka_unit_test(time_not_pulled_does_not_count),
        cmocka_unit_test(a_client_that_takes_nothing_is_cut),
        cmocka_unit_test(a_client_that_takes_nothing_of_a_complete_answer_is_cut),
        cmocka_unit_test(a_slow_reader_is_not_cut),
        cmocka_unit_test(skipping_a_body_ends_after_a_second),
        cmocka_unit_test(a_client_that_stays_after_the_last_answer_is_closed),
        cmocka_unit_test(steady_requests_do_not_touch_the_timer),
    };
    return cmocka_run_group_tests_name("http/server_time", tests, NULL, NULL);
}
