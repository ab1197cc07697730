/* http/client: large bodies both ways, backpressure, answers that come early, and time. */
#include "../net/stall.h"
#include "client_rig.h"

#include "base/clock.h"
#include "base/mem.h"
#include "http/client_priv.h"

#include <sys/socket.h>

static unsigned char pattern(size_t i)
{
    return (unsigned char)((i * 2654435761u) >> 13);
}

static char *patterned(size_t n)
{
    char *p = mem_alloc(n);
    for (size_t i = 0; i < n; i++)
        p[i] = (char)pattern(i);
    return p;
}

static void check_pattern(struct str s, size_t n)
{
    assert_int_equal(s.len, n);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)s.p[i] != pattern(i))
            fail_msg("byte %zu is wrong", i);
}

/* -- requests of many megabytes */

/* Reads slowly, compares, answers. */
static void slow_sink(struct mock_conn *k)
{
    int room = 64 * 1024;
    setsockopt(k->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (!mock_request_head(k))
        return;
    size_t at = 0, all = *(const size_t *)k->mock->arg;
    static const size_t piece = 256 * 1024;
    char *p = mem_alloc(piece);
    struct str first = str_skip(buf_str(&k->in), k->head.len);
    for (; at < first.len; at++)
        if ((unsigned char)first.p[at] != pattern(at))
            atomic_fetch_add(&k->mock->fails, 1);
    while (at < all) {
        ssize_t n = recv(k->fd, p, piece, 0);
        if (n <= 0)
            break;
        for (ssize_t i = 0; i < n; i++, at++)
            if ((unsigned char)p[i] != pattern(at))
                atomic_fetch_add(&k->mock->fails, 1);
        usleep(1000);
    }
    mem_free(p);
    if (at == all)
        mock_sendz(k, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

struct gauge {
    struct call_log *g;
    struct timer timer;
    size_t most;
};

/* What the stream holds copies of, beside the caller's own bytes. */
static void on_gauge(void *ctx)
{
    struct gauge *m = ctx;
    const struct call *x = (const struct call *)m->g->x;
    if (!x || m->g->over)
        return;
    size_t held = (x->conn ? stream_unsent(x->conn->stream) : 0) + x->held.len;
    if (held > m->most)
        m->most = held;
    timer_set(&m->timer, 1);
}

static void test_upload_is_not_copied_whole(void **state)
{
    struct rig r;
    size_t all = 60 * MIB;
    char *bytes = patterned(all);
    struct call_log g = { 0 };
    rig_init(&r, slow_sink, &all, NULL);
    struct str body[] = { str_of(bytes, 1), str_of(bytes + 1, 40 * MIB),
                          str_of(bytes + 1 + 40 * MIB, all - 1 - 40 * MIB) };
    struct client_request rq = rig_request(&r, "POST", "/");
    rq.body = body;
    rq.body_count = 3;
    call_begin(&g, &r, &rq);
    struct gauge m = { .g = &g };
    timer_init(&m.timer, r.loop, on_gauge, &m);
    timer_set(&m.timer, 1);
    assert_true(exchange_unsent(g.x) >= all);
    rig_run(&r);
    timer_stop(&m.timer);
    check_ok(&g, 200, "ok");
    assert_int_equal(exchange_unsent(g.x), 0);
    assert_int_equal(exchange_bytes_out(g.x), all);
    call_finish(&g);
    assert_int_equal(client_connections(r.client), 1);
    assert_in_range(m.most, 1, 600 * 1024);
    rig_done(&r);
    assert_int_equal(atomic_load(&r.mock.fails), 0);
    mem_free(bytes);
}

struct source {
    char *bytes;
    size_t at, all, step;
};

static void write_more(struct call_log *g, enum moment m)
{
    struct source *s = g->arg;
    if (m != AT_DRAIN)
        return;
    while (s->at < s->all && exchange_unsent(g->x) <= STREAM_HIGH_BYTES) {
        size_t n = s->all - s->at < s->step ? s->all - s->at : s->step;
        struct str part = str_of(s->bytes + s->at, n);
        s->at += n;
        exchange_write(g->x, &part, 1, s->at == s->all);
    }
}

static void test_written_upload(void **state)
{
    struct rig r;
    size_t all = 20 * MIB + 3;
    struct source s = { patterned(all), 0, all, 50001 };
    struct call_log g = { .hook = write_more, .arg = &s };
    rig_init(&r, slow_sink, &all, NULL);
    struct client_request rq = rig_request(&r, "PUT", "/");
    rq.more = true;
    rq.head.content_length = (int64_t)all;
    call_begin(&g, &r, &rq);
    write_more(&g, AT_DRAIN); /* as much as it may before there is a connection */
    rig_run(&r);
    check_ok(&g, 200, "ok");
    assert_true(g.drains > 0);
    call_finish(&g);
    assert_int_equal(client_connections(r.client), 1);
    rig_done(&r);
    assert_int_equal(atomic_load(&r.mock.fails), 0);
    mem_free(s.bytes);
}

/* -- answers before the request is sent */

enum early { EARLY_STAY, EARLY_CLOSE, EARLY_STREAM };

static void early(struct mock_conn *k)
{
    enum early how = *(const enum early *)k->mock->arg;
    if (!mock_request_head(k))
        return;
    if (how ==
        EARLY_STREAM) { /* the answer begins, then the request is read, then the answer ends */
        mock_sendz(k, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst");
        mock_pause(20);
        char *p = mem_alloc(MIB);
        size_t at = k->in.len - k->head.len;
        while (at < 10 * MIB) {
            ssize_t n = recv(k->fd, p, MIB, 0);
            if (n <= 0)
                break;
            at += (size_t)n;
        }
        mem_free(p);
        if (at == 10 * MIB)
            mock_sendz(k, "-last");
        mock_pause(20);
        return;
    }
    mock_sendz(k, "HTTP/1.1 413 Too Large\r\nContent-Length: 9\r\n\r\ntoo large");
    if (how == EARLY_STAY)
        while (recv(k->fd, &(char){ 0 }, 1, MSG_PEEK) > 0 && atomic_load(&k->mock->value) == 0)
            mock_pause(1);
}

static void test_early_answer(void **state)
{
    char *bytes = mem_zalloc(10 * MIB);
    for (enum early how = EARLY_STAY; how <= EARLY_STREAM; how++) {
        for (int i = 0; i < 5; i++) {
            struct rig r;
            struct call_log g = { 0 };
            struct str body = str_of(bytes, 10 * MIB);
            rig_init(&r, early, &how, NULL);
            struct client_request rq = rig_request(&r, "POST", "/");
            rq.body = &body;
            rq.body_count = 1;
            call_begin(&g, &r, &rq);
            rig_run(&r);
            if (how == EARLY_STREAM) {
                check_ok(&g, 200, "first-last");
                assert_int_equal(exchange_bytes_out(g.x), 10 * MIB);
            } else {
                check_ok(&g, 413, "too large");
                assert_true(exchange_unsent(g.x) > 0);
            }
            call_finish(&g);
            assert_int_equal(client_connections(r.client), how == EARLY_STREAM ? 1 : 0);
            atomic_store(&r.mock.value, 1);
            rig_done(&r);
        }
    }
    mem_free(bytes);
}

/* -- answers of many megabytes, to a reader that takes its time */

#define FLOOD_BYTES (32 * MIB)

/* Counts in `value` how many KiB the socket took. */
static void flood(struct mock_conn *k)
{
    bool chunked = *(const bool *)k->mock->arg;
    if (!mock_request(k))
        return;
    char *p = patterned(FLOOD_BYTES);
    char line[80];
    snprintf(line, sizeof line, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", FLOOD_BYTES);
    mock_sendz(k, chunked ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" : line);
    for (size_t at = 0; at < FLOOD_BYTES; at += 16 * KIB) {
        if (chunked)
            mock_sendz(k, "4000\r\n");
        if (!mock_send(k, str_of(p + at, 16 * KIB)))
            break;
        if (chunked)
            mock_sendz(k, "\r\n");
        atomic_fetch_add(&k->mock->value, 16);
    }
    if (chunked)
        mock_sendz(k, "0\r\n\r\n");
    mem_free(p);
    mock_eof(k);
}

static void stop_now_and_then(struct call_log *g, enum moment m)
{
    if (m != AT_BODY || g->bodies % 7)
        return;
    exchange_read(g->x, false);
    if (g->bodies % 2)
        exchange_read(g->x, true); /* a change of mind within one callback */
}

static void test_backpressure(void **state)
{
    for (int chunked = 0; chunked < 2; chunked++) {
        struct rig r;
        bool arg = chunked;
        struct call_log g = { .hook = stop_now_and_then };
        rig_init(&r, flood, &arg, NULL);
        struct client_request rq = rig_request(&r, "GET", "/");
        rq.idle_timeout_ms = 150; /* shorter than the pause: it does not count then */
        call_begin(&g, &r, &rq);
        g.pull = false;
        rig_until(&r, g.heads == 1);
        rig_nap(&r, 400);
        assert_int_equal(g.bodies + g.ends + g.errors, 0);
        const struct call *x = (const struct call *)g.x;
        assert_true(x->held.len <= 64 * KIB);
        /* What the two sockets take is the kernel's choice (some 10 MiB at most); it is not all. */
        unsigned taken_kib;
        do {
            taken_kib = atomic_load(&r.mock.value);
            rig_nap(&r, 100);
        } while (atomic_load(&r.mock.value) != taken_kib);
        assert_true(taken_kib < FLOOD_BYTES / KIB);
        unsigned stops = 0;
        exchange_read(g.x, true);
        while (!g.over) {
            size_t before = g.body.len;
            rig_nap(&r, 1);
            if (!g.over && g.body.len == before) {
                stops++;
                exchange_read(g.x, true);
            }
        }
        assert_true(stops > 3);
        check_pattern(buf_str(&g.body), FLOOD_BYTES);
        assert_int_equal(g.errors, 0);
        assert_int_equal(g.ends, 1);
        call_finish(&g);
        assert_int_equal(client_connections(r.client), 1);
        rig_done(&r);
    }
}

/* A small answer comes in one read; nothing of its body, nor its end, is told before the owner
 * pulls. */
static void small(struct mock_conn *k)
{
    while (mock_request(k))
        mock_sendz(
            k,
            str_starts(k->head, STR("POST"))
                ? "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n"
                : "HTTP/1.1 204 No Content\r\n\r\n");
}

static void one_at_a_time(struct call_log *g, enum moment m)
{
    if (m == AT_BODY)
        exchange_read(g->x, false);
}

static void test_pulled_piece_by_piece(void **state)
{
    struct rig r;
    rig_init(&r, small, NULL, NULL);
    for (int round = 0; round < 4; round++) {
        struct call_log g = { .hook = one_at_a_time };
        bool body = round & 1;
        struct client_request rq = rig_request(&r, body ? "POST" : "GET", "/");
        call_begin(&g, &r, &rq);
        g.pull = false;
        exchange_read(g.x, true);
        exchange_read(g.x, false);
        rig_until(&r, g.heads == 1);
        rig_nap(&r, 20);
        for (unsigned i = 0; i < (body ? 3u : 0u); i++) {
            assert_int_equal(g.bodies, i);
            assert_int_equal(g.ends, 0);
            exchange_read(g.x, true);
            assert_int_equal(g.bodies, i); /* not from inside */
            exchange_read(g.x, false);
            exchange_read(g.x, true);
            rig_until(&r, g.bodies == i + 1);
            rig_nap(&r, 5);
        }
        rig_nap(&r, 5);
        assert_int_equal(g.ends, 0);
        exchange_read(g.x, true);
        rig_run(&r);
        check_ok(&g, body ? 200 : 204, body ? "abc" : "");
        assert_int_equal(g.reused, round > 0); /* the socket reads again in the pool */
        call_finish(&g);
    }
    rig_done(&r);
}

/* -- time */

enum stall { STALL_HEAD, STALL_IN_HEAD, STALL_INTERIM, STALL_BODY, STALL_CHUNK, DRIBBLE };

static void stall(struct mock_conn *k)
{
    enum stall how = *(const enum stall *)k->mock->arg;
    if (!mock_request(k))
        return;
    if (how == STALL_IN_HEAD)
        mock_sendz(k, "HTTP/1.1 200 OK\r\nConte");
    if (how == STALL_INTERIM)
        for (int i = 0; i < 10; i++) {
            mock_sendz(k, "HTTP/1.1 102 Processing\r\n\r\n");
            mock_pause(40);
        }
    if (how == STALL_BODY)
        mock_sendz(k, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    if (how == STALL_CHUNK)
        mock_sendz(k, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    if (how == DRIBBLE) {
        mock_sendz(k, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n");
        for (int i = 0; i < 20; i++) {
            mock_pause(40);
            mock_sendz(k, "x");
        }
    }
    mock_eof(k);
}

struct timeout_case {
    enum stall how;
    const char *detail;
    unsigned heads;
};

static bool times_out(const void *arg)
{
    const struct timeout_case *c = arg;
    struct rig r;
    struct call_log g = { 0 };
    enum stall how = c->how;
    rig_init(&r, stall, &how, NULL);
    struct client_request rq = rig_request(&r, "POST", "/");
    rq.first_byte_timeout_ms = 200;
    rq.idle_timeout_ms = 300;
    uint64_t begin_us = clock_now_us();
    call_whole(&g, &r, &rq);
    uint64_t took_ms = (clock_now_us() - begin_us) / 1000;
    bool good = is_err(&g, ERR_TIMEOUT, c->detail) && g.heads == c->heads && took_ms < 2000;
    if (good)
        assert_true(took_ms >= (c->heads ? 300 : 200));
    else
        print_message("# %s after %u ms\n", g.detail, (unsigned)took_ms);
    assert_int_equal(client_connections(r.client), 0);
    call_forget(&g);
    rig_done(&r);
    assert_int_equal(atomic_load(&r.mock.connections), 1);
    return good;
}

static void test_timeouts(void **state)
{
    static const struct timeout_case cases[] = {
        { STALL_HEAD, "no answer within 200 ms", 0 },
        { STALL_IN_HEAD, "no answer within 200 ms", 0 },
        { STALL_INTERIM, "no answer within 200 ms", 0 },
        { STALL_BODY, "paused for 300 ms, after 5 bytes", 1 },
        { STALL_CHUNK, "paused for 300 ms, after 5 bytes", 1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        unless_stalled(times_out, &cases[i], 100);
}

/* 800 ms in all, but never 400 ms without a byte; and a timeout of 0 is none. */
static bool dribble(const void *arg)
{
    const uint64_t *timeout_ms = arg;
    struct rig r;
    struct call_log g = { 0 };
    enum stall how = DRIBBLE;
    rig_init(&r, stall, &how, NULL);
    struct client_request rq = rig_request(&r, "GET", "/");
    rq.first_byte_timeout_ms = *timeout_ms;
    rq.idle_timeout_ms = *timeout_ms;
    call_whole(&g, &r, &rq);
    bool good = is_ok(&g, 200, "xxxxxxxxxxxxxxxxxxxx");
    call_forget(&g);
    rig_done(&r);
    return good;
}

static void test_dribble_is_no_timeout(void **state)
{
    static const uint64_t timeouts_ms[] = { 400, 0 };
    for (int i = 0; i < 2; i++)
        unless_stalled(dribble, &timeouts_ms[i], 200);
}

/* The lazy timer serves one call after the other: a long timeout before does not hide a short
 * one after it. */
static void answer_first_only(struct mock_conn *k)
{
    for (int i = 0; i < 3 && mock_request(k); i++)
        mock_sendz(k, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    if (mock_request(k))
        mock_eof(k);
}

static bool timer_over_calls(const void *arg)
{
    struct rig r;
    bool good = true;
    rig_init(&r, answer_first_only, NULL, NULL);
    for (int i = 0; i < 4 && good; i++) {
        struct call_log g = { 0 };
        struct client_request rq = rig_request(&r, "GET", "/");
        rq.first_byte_timeout_ms = i == 1 ? 100 : i == 3 ? 300 : 60000;
        call_whole(&g, &r, &rq);
        good = i < 3 ? is_ok(&g, 200, "ok") : is_err(&g, ERR_TIMEOUT, "within 300 ms");
        call_forget(&g);
        if (i == 1)
            rig_nap(&r, 150); /* its timer goes off while nobody waits */
    }
    rig_done(&r);
    return good;
}

static void test_timer_over_calls(void **state)
{
    unless_stalled(timer_over_calls, NULL, 50);
}

/* An upload that takes longer than the first byte's timeout is none, as long as the peer takes
 * bytes. */
static bool long_upload(const void *arg)
{
    struct rig r;
    size_t all = 30 * MIB;
    char *bytes = patterned(all);
    struct call_log g = { 0 };
    struct str body = str_of(bytes, all);
    rig_init(&r, slow_sink, &all, NULL);
    struct client_request rq = rig_request(&r, "POST", "/");
    rq.body = &body;
    rq.body_count = 1;
    rq.first_byte_timeout_ms = 200;
    uint64_t begin_us = clock_now_us();
    call_whole(&g, &r, &rq);
    bool good = is_ok(&g, 200, "ok");
    if (good)
        assert_true(clock_now_us() - begin_us > 200000); /* else this proves nothing */
    else
        print_message("# %s\n", g.detail);
    call_forget(&g);
    rig_done(&r);
    mem_free(bytes);
    return good;
}

static void test_upload_is_no_timeout(void **state)
{
    unless_stalled(long_upload, NULL, 50);
}

static void take_nothing(struct mock_conn *k)
{
    int room = 4096;
    setsockopt(k->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    while (atomic_load(&k->mock->value) == 0)
        mock_pause(1);
}

static void test_stalled_upload(void **state)
{
    struct rig r;
    char *bytes = mem_zalloc(20 * MIB);
    struct call_log g = { 0 };
    struct str body = str_of(bytes, 20 * MIB);
    rig_init(&r, take_nothing, NULL, NULL);
    struct client_request rq = rig_request(&r, "POST", "/");
    rq.body = &body;
    rq.body_count = 1;
    rq.first_byte_timeout_ms = 200;
    call_whole(&g, &r, &rq);
    check_err(&g, ERR_TIMEOUT, "were not taken");
    call_forget(&g);
    atomic_store(&r.mock.value, 1);
    rig_done(&r);
    mem_free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_upload_is_not_copied_whole),
        cmocka_unit_test(test_written_upload),
        cmocka_unit_test(test_early_answer),
        cmocka_unit_test(test_backpressure),
        cmocka_unit_test(test_pulled_piece_by_piece),
        cmocka_unit_test(test_timeouts),
        cmocka_unit_test(test_dribble_is_no_timeout),
        cmocka_unit_test(test_timer_over_calls),
        cmocka_unit_test(test_upload_is_no_timeout),
        cmocka_unit_test(test_stalled_upload),
    };
    return cmocka_run_group_tests_name("http/client/flow", tests, NULL, NULL);
}
