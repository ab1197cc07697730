/* http/pool and how client_send uses it: reuse, dead connections, bounds, age. */
#include "../net/stall.h"
#include "client_rig.h"

#include "base/mem.h"
#include "http/client_priv.h"

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static const struct client_opts defaults = {
    .idle_ms = 50000, .life_ms = 3600000, .connections_per_origin = 1024, .max_header_bytes = 65536
};

static void ok_for_ever(struct mock_conn *k)
{
    while (mock_request(k))
        mock_sendz(k, OK_ANSWER);
}

/* One call; tells whether it took a connection that was there. */
static bool reuses(struct rig *r)
{
    struct call_log g = { 0 };
    struct client_request rq = rig_request(r, "GET", "/");
    call_whole(&g, r, &rq);
    check_ok(&g, 200, "ok");
    bool reused = g.reused;
    call_forget(&g);
    return reused;
}

static void get(struct rig *r, bool reused)
{
    assert_int_equal(reuses(r), reused);
}

static void count_each(struct mock_conn *k)
{
    unsigned *asked = k->mock->arg;
    while (mock_request(k)) {
        asked[k->index]++;
        mock_sendz(k, OK_ANSWER);
    }
}

static void test_last_used_is_first(void **state)
{
    struct rig r;
    unsigned asked[5] = { 0 };
    rig_init(&r, count_each, asked, NULL);
    struct call_log g[5] = { 0 };
    struct client_request rq = rig_request(&r, "GET", "/");
    for (int i = 0; i < 5; i++)
        call_begin(&g[i], &r, &rq);
    rig_run(&r);
    assert_int_equal(client_connections(r.client), 5);
    for (int i = 0; i < 5; i++) {
        check_ok(&g[i], 200, "ok");
        assert_false(g[i].reused);
        call_finish(&g[i]);
    }
    assert_int_equal(client_connections(r.client), 5);
    for (int i = 0; i < 20; i++)
        get(&r, true);
    assert_int_equal(client_connections(r.client), 5);
    rig_done(&r);
    assert_int_equal(atomic_load(&r.mock.connections), 5);
    unsigned later = 0;
    for (unsigned i = 0; i < 5; i++)
        later += asked[i] > 1;
    assert_int_equal(later, 1); /* one connection served all that followed */
}

/* What the server does with its n-th connection, n the index; the last row stands for all that
 * follow. */
enum act {
    ANSWER,      /* every request */
    CLOSE_NEXT,  /* answers one request, reads the second and closes without a word */
    RESET_NEXT,  /* answers one, resets at the second */
    CLOSE_FIRST, /* reads the first, closes */
    RESET_FIRST,
    HALF_NEXT,    /* answers one, gives a part of the second answer */
    BLANK_NEXT,   /* answers one, says 100 Continue to the second, closes */
    REFUSE_NEXT,  /* answers one, then not HTTP */
    CLOSE_UNREAD, /* answers one, resets at the head of the second, its body unread */
};

static void act(struct mock_conn *k)
{
    const enum act *acts = k->mock->arg;
    size_t i = 0;
    while (i < k->index && acts[i] != ANSWER)
        i++;
    enum act a = acts[i];
    if (a == ANSWER) {
        ok_for_ever(k);
        return;
    }
    if (a != CLOSE_FIRST && a != RESET_FIRST) {
        if (!mock_request(k))
            return;
        mock_sendz(k, OK_ANSWER);
    }
    if (a == CLOSE_UNREAD) {
        if (mock_request_head(k))
            mock_reset(k);
        return;
    }
    if (!mock_request(k))
        return;
    if (a == HALF_NEXT)
        mock_sendz(k, "HTTP/1.1 20");
    if (a == BLANK_NEXT)
        mock_sendz(k, "HTTP/1.1 100 Continue\r\n\r\n");
    if (a == REFUSE_NEXT)
        mock_sendz(k, "nonsense\r\n");
    if (a == RESET_NEXT || a == RESET_FIRST)
        mock_reset(k);
}

struct dead_case {
    enum act acts[3];
    enum err second;      /* outcome of the second request; 0: answered */
    unsigned connections; /* that the server saw */
};

static const struct dead_case dead_cases[] = {
    { { CLOSE_NEXT, ANSWER }, ERR_OK, 2 },
    { { RESET_NEXT, ANSWER }, ERR_OK, 2 },
    { { CLOSE_UNREAD, ANSWER }, ERR_OK, 2 },
    { { CLOSE_NEXT, CLOSE_FIRST, ANSWER }, ERR_UPSTREAM_CUT, 2 }, /* one try, not two */
    { { CLOSE_NEXT, RESET_FIRST, ANSWER }, ERR_UPSTREAM_CUT, 2 },
    { { RESET_NEXT, CLOSE_FIRST, ANSWER }, ERR_UPSTREAM_CUT, 2 },
    { { HALF_NEXT, ANSWER }, ERR_UPSTREAM_CUT, 1 }, /* a byte of the answer came: no second try */
    { { BLANK_NEXT, ANSWER }, ERR_UPSTREAM_CUT, 1 },
    { { REFUSE_NEXT, ANSWER }, ERR_UPSTREAM_BAD, 1 },
};

static void test_dead_pooled(void **state)
{
    char *big = mem_zalloc(3 * MIB);
    for (size_t i = 0; i < sizeof dead_cases / sizeof dead_cases[0]; i++) {
        const struct dead_case *c = &dead_cases[i];
        for (int form = 0; form < 3; form++) {
            struct rig r;
            struct call_log g = { 0 };
            struct str body = form == 2 ? str_of(big, 3 * MIB) : STR("{}");
            rig_init(&r, act, (void *)(uintptr_t)c->acts, NULL);
            get(&r, false);
            struct client_request rq = rig_request(&r, form ? "POST" : "GET", "/");
            rq.body = &body;
            rq.body_count = form > 0;
            call_whole(&g, &r, &rq);
            if (c->second) {
                check_err(&g, c->second, "");
                assert_int_equal(g.heads, 0);
                assert_int_equal(client_connections(r.client), 0);
            } else {
                check_ok(&g, 200, "ok");
                assert_false(g.reused);
                assert_int_equal(client_connections(r.client), 1);
            }
            call_forget(&g);
            rig_done(&r);
            assert_int_equal(atomic_load(&r.mock.connections), c->connections);
        }
    }
    mem_free(big);
}

static void test_fresh_is_not_retried(void **state)
{
    static const enum act closes[] = { CLOSE_FIRST, ANSWER }, resets[] = { RESET_FIRST, ANSWER };
    for (int i = 0; i < 2; i++) {
        struct rig r;
        struct call_log g = { 0 };
        rig_init(&r, act, (void *)(uintptr_t)(i ? resets : closes), NULL);
        struct client_request rq = rig_request(&r, "POST", "/");
        call_whole(&g, &r, &rq);
        check_err(&g, ERR_UPSTREAM_CUT, i ? "reset before" : "closed before");
        call_forget(&g);
        rig_done(&r);
        assert_int_equal(atomic_load(&r.mock.connections), 1);
    }
}

/* A body that was written piece by piece is not kept, so its request is not repeated. */
static void test_written_is_not_retried(void **state)
{
    static const enum act acts[] = { CLOSE_NEXT, ANSWER };
    for (int wrote = 0; wrote < 2; wrote++) {
        struct rig r;
        struct call_log g = { 0 };
        struct str part = STR("x");
        rig_init(&r, act, (void *)(uintptr_t)acts, NULL);
        get(&r, false);
        struct client_request rq = rig_request(&r, "POST", "/");
        rq.more = wrote;
        rq.head.content_length = 1;
        rq.body = &part;
        rq.body_count = !wrote;
        call_begin(&g, &r, &rq);
        if (wrote)
            exchange_write(g.x, &part, 1, true);
        rig_run(&r);
        if (wrote)
            check_err(&g, ERR_UPSTREAM_CUT, "closed before");
        else
            check_ok(&g, 200, "ok");
        call_finish(&g);
        rig_done(&r);
    }
}

/* -- idle connections are watched */

static void speak_or_leave(struct mock_conn *k)
{
    const int *what = k->mock->arg;
    if (!mock_request(k))
        return;
    mock_sendz(k, OK_ANSWER);
    mock_pause(30);
    if (*what == 0)
        mock_sendz(k, "x");
    if (*what == 1)
        mock_sendz(k, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
    if (*what == 2)
        mock_fin(k);
    if (*what == 3)
        mock_reset(k);
    else
        mock_eof(k);
}

static void test_idle_is_watched(void **state)
{
    for (int what = 0; what < 4; what++) {
        struct rig r;
        rig_init(&r, speak_or_leave, &what, NULL);
        get(&r, false);
        assert_int_equal(client_connections(r.client), 1);
        rig_until(&r, client_connections(r.client) == 0);
        get(&r, false);
        rig_done(&r);
        assert_int_equal(atomic_load(&r.mock.connections), 2);
    }
}

static void surplus(struct mock_conn *k)
{
    const bool *apart = k->mock->arg;
    if (!mock_request(k))
        return;
    if (*apart) {
        mock_sendz(k, OK_ANSWER);
        mock_pause(20);
        mock_sendz(k, OK_ANSWER);
        atomic_fetch_add(&k->mock->value, 1);
    } else {
        mock_sendz(k, OK_ANSWER OK_ANSWER);
    }
    mock_eof(k);
}

/* An answer that nobody asked for must not be taken for the answer to the next request. */
static void test_surplus_bytes(void **state)
{
    for (int apart = 0; apart < 2; apart++) {
        struct rig r;
        bool arg = apart;
        rig_init(&r, surplus, &arg, NULL);
        for (int i = 0; i < 2; i++) {
            struct call_log g = { 0 };
            struct client_request rq = rig_request(&r, "GET", "/");
            call_begin(&g, &r, &rq);
            rig_run(&r);
            if (apart) { /* it comes between the end and the close */
                rig_until(&r, atomic_load(&r.mock.value) == (unsigned)i + 1);
                rig_nap(&r, 20);
            }
            check_ok(&g, 200, "ok");
            call_finish(&g);
            assert_int_equal(client_connections(r.client), 0);
        }
        rig_done(&r);
        assert_int_equal(atomic_load(&r.mock.connections), 2);
        assert_int_equal(atomic_load(&r.mock.fails), 0);
    }
}

static void end_after_answer(struct mock_conn *k)
{
    if (!mock_request(k))
        return;
    mock_sendz(k, OK_ANSWER);
    mock_fin(k);
    mock_eof(k);
}

/* Closed between the end of the answer and exchange_close: not a failure, and not for the pool. */
static void test_closed_before_given_back(void **state)
{
    struct rig r;
    struct call_log g = { 0 };
    rig_init(&r, end_after_answer, NULL, NULL);
    struct client_request rq = rig_request(&r, "GET", "/");
    call_begin(&g, &r, &rq);
    rig_run(&r);
    rig_nap(&r, 50);
    check_ok(&g, 200, "ok");
    call_finish(&g);
    rig_until(&r, client_connections(r.client) == 0);
    rig_done(&r);
}

/* -- age */

static bool idle_expiry(const void *arg)
{
    struct rig r;
    struct client_opts o = defaults;
    o.idle_ms = 400;
    rig_init(&r, ok_for_ever, NULL, &o);
    bool good = true;
    for (int i = 0; i < 10; i++) { /* each use begins the idle time anew */
        good = good && reuses(&r) == (i > 0);
        rig_nap(&r, 50);
    }
    good = good && client_connections(r.client) == 1;
    rig_nap(&r, 600);
    good = good && client_connections(r.client) == 0 && !reuses(&r);
    rig_done(&r);
    return good && atomic_load(&r.mock.connections) == 2;
}

static void test_idle_expiry(void **state)
{
    unless_stalled(idle_expiry, NULL, 100);
}

/* Timers may be late by a sixteenth: what is too old is not taken all the same. */
static void test_age_is_looked_at_when_taken(void **state)
{
    for (int life = 0; life < 2; life++) {
        struct rig r;
        rig_init(&r, ok_for_ever, NULL, NULL);
        get(&r, false);
        get(&r, true);
        struct pool *p = CONTAINER_OF(r.client->pools.next, struct pool, link);
        struct conn *cn = CONTAINER_OF(p->idle.next, struct conn, link);
        if (life)
            cn->born_us -= defaults.life_ms * 1000;
        else
            cn->idle_since_us -= defaults.idle_ms * 1000;
        get(&r, false);
        assert_int_equal(client_connections(r.client), 1);
        rig_done(&r);
    }
}

static void test_life_expiry(void **state)
{
    struct rig r;
    struct client_opts o = defaults;
    o.life_ms = 150;
    rig_init(&r, ok_for_ever, NULL, &o);
    for (int i = 0; i < 20; i++) {
        struct call_log g = { 0 };
        struct client_request rq = rig_request(&r, "GET", "/");
        call_whole(&g, &r, &rq);
        check_ok(&g, 200, "ok");
        call_forget(&g);
        rig_nap(&r, 20);
    }
    /* 400 ms of steady use: at least one connection came to its end of life, though never idle
     * for long. */
    assert_in_range(atomic_load(&r.mock.connections), 2, 10);
    rig_until(&r, client_connections(r.client) == 0);
    rig_done(&r);
}

/* -- bounds, and what tells pools apart */

static void hold(struct mock_conn *k)
{
    while (mock_request(k)) {
        while (atomic_load(&k->mock->value) == 0)
            mock_pause(1);
        mock_sendz(k, OK_ANSWER);
    }
}

static void test_pool_full(void **state)
{
    struct rig r;
    struct client_opts o = defaults;
    o.connections_per_origin = 3;
    rig_init(&r, hold, NULL, &o);
    struct call_log g[5] = { 0 };
    struct client_request rq = rig_request(&r, "GET", "/");
    for (int i = 0; i < 5; i++)
        call_begin(&g[i], &r, &rq);
    rig_until(&r, g[3].errors && g[4].errors);
    for (int i = 3; i < 5; i++) {
        check_err(&g[i], ERR_POOL_FULL, "3 connections to http://127.0.0.1");
        call_finish(&g[i]);
    }
    assert_int_equal(client_connections(r.client), 3);
    call_finish(&g[0]); /* cut: makes room for one */
    call_begin(&g[0], &r, &rq);
    call_begin(&g[3], &r, &rq);
    rig_until(&r, g[3].errors);
    check_err(&g[3], ERR_POOL_FULL, "");
    call_finish(&g[3]);
    atomic_store(&r.mock.value, 1);
    rig_run(&r);
    for (int i = 0; i < 3; i++) {
        check_ok(&g[i], 200, "ok");
        call_finish(&g[i]);
    }
    for (int i = 0; i < 3; i++)
        get(&r, true); /* idle ones count, and are taken */
    assert_int_equal(client_connections(r.client), 3);
    rig_done(&r);
}

static void test_full_is_told_once_closed(void **state)
{
    struct rig r;
    struct client_opts o = defaults;
    o.connections_per_origin = 1;
    rig_init(&r, hold, NULL, &o);
    struct call_log a = { 0 }, b = { 0 };
    struct client_request rq = rig_request(&r, "GET", "/");
    call_begin(&a, &r, &rq);
    call_begin(&b, &r, &rq);
    call_finish(&b);         /* before it could be told: nothing comes any more */
    call_finish(&a);         /* while it dials */
    call_begin(&a, &r, &rq); /* the slot is free again */
    atomic_store(&r.mock.value, 1);
    rig_run(&r);
    check_ok(&a, 200, "ok");
    call_finish(&a);
    rig_done(&r);
}

static void test_dials_that_fail_give_their_slot_back(void **state)
{
    struct rig r;
    struct client_opts o = defaults;
    o.connections_per_origin = 2;
    rig_init(&r, ok_for_ever, NULL, &o);
    struct origin nowhere = r.origin;
    nowhere.key = STR("http://127.0.0.1:1");
    nowhere.port = 1; /* nobody listens */
    for (int i = 0; i < 5; i++) {
        struct call_log g = { 0 };
        struct client_request rq = rig_request(&r, "GET", "/");
        rq.origin = &nowhere;
        call_whole(&g, &r, &rq);
        check_err(&g, ERR_CONNECT, "refused");
        call_forget(&g);
    }
    assert_int_equal(client_connections(r.client), 0);
    get(&r, false);
    rig_done(&r);
}

/* Another key is another pool, though the address is the same. */
static void test_pools_are_apart(void **state)
{
    struct rig r;
    rig_init(&r, ok_for_ever, NULL, NULL);
    get(&r, false);
    get(&r, true);
    struct origin first = r.origin;
    for (int i = 0; i < 40; i++) { /* more than the map's first size */
        r.origin.key = arena_printf(r.arena, "http://other-%d:80", i);
        get(&r, false);
        get(&r, true);
    }
    r.origin = first;
    get(&r, true);
    assert_int_equal(client_connections(r.client), 41);
    rig_done(&r);
    assert_int_equal(atomic_load(&r.mock.connections), 41);
}

/* Pools without connections are dropped by the sweep, the others stay known. */
static bool sweep_drops_pools(const void *arg)
{
    struct rig r;
    struct client_opts o = defaults;
    o.idle_ms = 400;
    rig_init(&r, ok_for_ever, NULL, &o);
    struct origin first = r.origin;
    bool good = true;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 20; i++) {
            r.origin.key = arena_printf(r.arena, "http://other-%d-%d:80", round, i);
            get(&r, false);
        }
        r.origin = first;
        good = good && reuses(&r) == (round > 0);
        for (int i = 0; i < 14; i++) {
            rig_nap(&r, 50);
            good = good && reuses(&r);
        }
        good = good && client_connections(r.client) == 1;
    }
    rig_until(&r, list_empty(&r.client->pools));
    assert_int_equal(client_connections(r.client), 0);
    assert_int_equal(r.client->by_key.count, 0);
    assert_int_equal(r.client->sweep.due_us, 0); /* nothing to wake up for */
    get(&r, false);
    rig_done(&r);
    return good && atomic_load(&r.mock.connections) == 42;
}

static void test_sweep_drops_pools(void **state)
{
    unless_stalled(sweep_drops_pools, NULL, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_last_used_is_first),
        cmocka_unit_test(test_dead_pooled),
        cmocka_unit_test(test_fresh_is_not_retried),
        cmocka_unit_test(test_written_is_not_retried),
        cmocka_unit_test(test_idle_is_watched),
        cmocka_unit_test(test_surplus_bytes),
        cmocka_unit_test(test_closed_before_given_back),
        cmocka_unit_test(test_idle_expiry),
        cmocka_unit_test(test_age_is_looked_at_when_taken),
        cmocka_unit_test(test_life_expiry),
        cmocka_unit_test(test_pool_full),
        cmocka_unit_test(test_full_is_told_once_closed),
        cmocka_unit_test(test_dials_that_fail_give_their_slot_back),
        cmocka_unit_test(test_pools_are_apart),
        cmocka_unit_test(test_sweep_drops_pools),
    };
    return cmocka_run_group_tests_name("http/client/pool", tests, NULL, NULL);
}
