/* http/client: exchange_close at every point of an exchange's life, from outside and from within
 * each callback, alone and with another call begun at that moment; and many calls at once.
 * Sanitizers see what is left or used too late. */
#include "client_rig.h"

#include "base/mem.h"

#include <sys/socket.h>

/* Takes a chunked body to its end, then answers. */
static void drink(struct mock_conn *k)
{
    static const size_t piece = 64 * 1024;
    char *p = mem_alloc(piece), last[5] = "";
    ssize_t n;
    while ((n = recv(k->fd, p, piece, 0)) > 0) {
        for (ssize_t i = n > 5 ? n - 5 : 0; i < n; i++) {
            memmove(last, last + 1, 4);
            last[4] = p[i];
        }
        if (memcmp(last, "0\r\n\r\n", 5) == 0) {
            mock_sendz(k, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
            mock_eof(k);
            break;
        }
    }
    mem_free(p);
}

/* Answers by target: the path says how. */
static void serve(struct mock_conn *k)
{
    while (mock_request_head(k)) {
        if (str_find(k->head, STR("/early")) != STR_NONE) {
            mock_sendz(k, "HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno");
            return;
        }
        if (str_find(k->head, STR("/drink")) != STR_NONE) {
            drink(k);
            return;
        }
        if (str_find(k->head, STR("/bad")) != STR_NONE) {
            mock_sendz(k, "nonsense\r\n\r\n");
            return;
        }
        if (str_find(k->head, STR("/cut")) != STR_NONE) {
            mock_sendz(k, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello");
            return;
        }
        if (str_find(k->head, STR("/never")) != STR_NONE) {
            mock_eof(k);
            return;
        }
        if (str_find(k->head, STR("/chunked")) != STR_NONE) {
            mock_sendz(k, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n");
            mock_pause(1);
            mock_sendz(k, "2\r\ncd\r\n2\r\nef\r\n");
            mock_pause(1);
            mock_sendz(k, "0\r\n\r\n");
            continue;
        }
        mock_sendz(k, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef");
    }
}

struct scene {
    const char *target;
    size_t body;
    bool more;
    bool refused; /* a port on which nobody listens */
};

static const struct scene scenes[] = {
    { "/sized" },
    { "/chunked" },
    { "/bad" },
    { "/cut" },
    { "/never" },
    { "/refused", .refused = true },
    { "/early", .body = 4 * MIB },
    { "/early", .body = 4 * MIB, .more = true },
    { "/drink", .body = 4 * MIB, .more = true },
};
#define SCENES (sizeof scenes / sizeof scenes[0])

struct torture {
    enum moment at;
    unsigned nth; /* for AT_BODY */
    bool again;   /* begins another call right after the close, within the callback */
    struct call_log next;
    unsigned closed;
};

static void close_here(struct call_log *g, enum moment m)
{
    struct torture *t = g->arg;
    if (g->x && m == AT_DRAIN && t->at != AT_DRAIN && g->drains == 1) {
        struct str last = STR("last");
        exchange_write(g->x, &last, 1, true);
    }
    if (!g->x || m != t->at || (m == AT_BODY && g->bodies != t->nth))
        return;
    struct rig *r = g->rig;
    t->closed++;
    if (t->again) {
        r->open++; /* so that the loop goes on until the next is over */
        call_close(g);
        r->open--;
        struct client_request rq = rig_request(r, "GET", "/sized");
        call_begin(&t->next, r, &rq);
    } else {
        call_close(g);
    }
}

static char *zeros(void)
{
    return mem_zalloc(4 * MIB);
}

/* One call of the scene, on a fresh or on a pooled connection; what is not closed by the hook is
 * closed in the end. */
static void play_scene(struct rig *r, const struct scene *s, struct call_log *g, char *bytes,
                       bool pull)
{
    struct str body = str_of(bytes, s->body);
    struct origin nowhere = r->origin;
    nowhere.key = STR("http://127.0.0.1:1");
    nowhere.port = 1;
    struct client_request rq = rig_request(r, s->body ? "POST" : "GET", s->target);
    if (s->refused)
        rq.origin = &nowhere;
    rq.body = &body;
    rq.body_count = s->body > 0;
    rq.more = s->more;
    rq.head.content_length = s->more ? -1 : 0;
    rq.first_byte_timeout_ms = 60;
    call_begin(g, r, &rq);
    g->pull = pull;
    if (!pull) {
        rig_nap(r, 3);
        if (g->x)
            exchange_read(g->x, true);
    }
    rig_run(r);
    call_finish(g);
}

static void warm(struct rig *r)
{
    struct call_log g = { 0 };
    struct client_request rq = rig_request(r, "GET", "/sized");
    call_whole(&g, r, &rq);
    check_ok(&g, 200, "abcdef");
    call_forget(&g);
}

static void test_close_in_callbacks(void **state)
{
    char *bytes = zeros();
    unsigned closed[5] = { 0 };
    for (size_t i = 0; i < SCENES * 5 * 2 * 2 * 2; i++) {
        const struct scene *s = &scenes[i % SCENES];
        struct torture t = { .at = (enum moment)(i / SCENES % 5), .nth = 1 + (unsigned)(i % 2) };
        bool pooled = i / SCENES / 5 % 2, pull = i / SCENES / 10 % 2;
        t.again = i / SCENES / 20 % 2;
        struct rig r;
        rig_init(&r, serve, NULL, NULL);
        if (pooled)
            warm(&r);
        struct call_log g = { .hook = close_here, .arg = &t };
        play_scene(&r, s, &g, bytes, pull);
        assert_true(t.closed <= 1);
        closed[t.at] += t.closed;
        if (t.closed && t.again) {
            rig_run(&r);
            check_ok(&t.next, 200, "abcdef");
            call_finish(&t.next);
        }
        rig_done(&r);
    }
    assert_true(closed[AT_HEAD] && closed[AT_BODY] && closed[AT_END] && closed[AT_DRAIN] &&
                closed[AT_ERROR]);
    mem_free(bytes);
}

/* From outside, after so many milliseconds: while it dials, sends, waits, receives, is paused,
 * is over. */
static void test_close_after_a_while(void **state)
{
    char *bytes = zeros();
    for (size_t i = 0; i < SCENES * 8; i++) {
        const struct scene *s = &scenes[i % SCENES];
        struct rig r;
        rig_init(&r, serve, NULL, NULL);
        for (int pooled = 0; pooled < 2; pooled++) {
            if (pooled)
                warm(&r);
            struct call_log g[4] = { 0 };
            struct str body = str_of(bytes, s->body);
            struct client_request rq = rig_request(&r, "POST", s->target);
            rq.body = &body;
            rq.body_count = s->body > 0;
            for (int j = 0; j < 4; j++) {
                call_begin(&g[j], &r, &rq);
                g[j].pull = j % 2;
            }
            if (i / SCENES)
                rig_nap(&r, i / SCENES - 1);
            for (int j = 0; j < 4; j++)
                call_finish(&g[j]);
        }
        rig_nap(&r, 1);
        rig_done(&r);
    }
    mem_free(bytes);
}

/* Paused with bytes and the end waiting: closed then, and closed between the pull and its
 * effect. */
static void test_close_while_held(void **state)
{
    for (int pulled = 0; pulled < 2; pulled++) {
        struct rig r;
        struct call_log g = { 0 };
        rig_init(&r, serve, NULL, NULL);
        struct client_request rq = rig_request(&r, "GET", "/cut");
        call_begin(&g, &r, &rq);
        g.pull = false;
        rig_nap(&r, 30);
        assert_int_equal(g.heads, 1);
        if (pulled)
            exchange_read(g.x, true);
        call_finish(&g);
        rig_nap(&r, 5);
        assert_int_equal(g.bodies + g.ends + g.errors, 0);
        rig_done(&r);
    }
}

/* The client goes with idle connections, whose peers are still there or just leaving. */
static void test_free_with_idle(void **state)
{
    struct rig r;
    rig_init(&r, serve, NULL, NULL);
    struct call_log g[8] = { 0 };
    struct client_request rq = rig_request(&r, "GET", "/sized");
    for (int i = 0; i < 8; i++)
        call_begin(&g[i], &r, &rq);
    rig_run(&r);
    for (int i = 0; i < 8; i++)
        call_finish(&g[i]);
    assert_int_equal(client_connections(r.client), 8);
    rig_done(&r);
}

/* -- many at once */

static void echo_body(struct mock_conn *k)
{
    while (mock_request(k)) {
        char line[80];
        bool chunked = k->body.len % 2;
        if (chunked)
            snprintf(line, sizeof line,
                     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%zx\r\n", k->body.len);
        else
            snprintf(line, sizeof line, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
                     k->body.len);
        mock_sendz(k, line);
        mock_send(k, k->body);
        if (chunked)
            mock_sendz(k, "\r\n0\r\n\r\n");
    }
}

#define MANY 200

static void test_many(void **state)
{
    struct rig r;
    rig_init(&r, echo_body, NULL, NULL);
    struct call_log *g = mem_zalloc(MANY * sizeof *g);
    struct str *bodies = mem_alloc(MANY * sizeof *bodies);
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < MANY; i++) {
            size_t n = 1 + i * (round == 1 ? 977 : 7);
            char *p = mem_alloc(n + 1);
            for (size_t j = 0; j < n; j++)
                p[j] = (char)('a' + (i + j * 7) % 26);
            p[n] = '\0';
            bodies[i] = str_of(p, n);
            struct client_request rq = rig_request(&r, "POST", "/");
            rq.body = &bodies[i];
            rq.body_count = 1;
            call_begin(&g[i], &r, &rq);
        }
        rig_run(&r);
        assert_int_equal(client_connections(r.client), MANY);
        for (size_t i = 0; i < MANY; i++) {
            check_ok(&g[i], 200, bodies[i].p);
            assert_int_equal(g[i].reused, round > 0);
            call_finish(&g[i]);
            mem_free((char *)(uintptr_t)bodies[i].p);
        }
    }
    mem_free(bodies);
    mem_free(g);
    rig_done(&r);
    assert_int_equal(atomic_load(&r.mock.connections), MANY);
    assert_int_equal(atomic_load(&r.mock.requests), 3 * MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_close_in_callbacks),
        cmocka_unit_test(test_close_after_a_while),
        cmocka_unit_test(test_close_while_held),
        cmocka_unit_test(test_free_with_idle),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests_name("http/client/close", tests, NULL, NULL);
}
