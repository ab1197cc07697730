/* The wheel against a model, in simulated time. */
#include "net/net_priv.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>

#define COUNT 2000
#define START_US ((uint64_t)5000000000001)

struct item {
    struct timer t;
    uint64_t set_us, due_us; /* what was asked for; due 0: nothing */
    struct sim *sim;
};

struct sim {
    struct wheel w;
    struct item items[COUNT];
    uint64_t now_us, fired;
    uint32_t seed;
};

static uint32_t draw(struct sim *s)
{
    s->seed = s->seed * 1664525u + 1013904223u;
    return s->seed >> 8;
}

static void on_fire(void *ctx)
{
    struct item *it = ctx;
    uint64_t now = it->sim->now_us, delay = it->due_us - it->set_us;
    uint64_t late_max = delay <= 2000000 ? 8000 : delay / 16 + 8000;
    assert_int_not_equal(it->due_us, 0);
    assert_true(now >= it->due_us);
    assert_true(now - it->due_us <= late_max);
    assert_int_equal(it->t.due_us, 0);
    it->due_us = 0;
    it->sim->fired++;
}

static int setup(void **state)
{
    struct sim *s = calloc(1, sizeof *s);
    s->now_us = START_US;
    s->seed = 7;
    wheel_init(&s->w, s->now_us);
    for (size_t i = 0; i < COUNT; i++) {
        s->items[i].sim = s;
        timer_init(&s->items[i].t, NULL, on_fire, &s->items[i]);
    }
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

static void set(struct sim *s, size_t i, uint64_t delay_us)
{
    struct item *it = &s->items[i];
    it->set_us = s->now_us;
    it->due_us = s->now_us + delay_us;
    wheel_set(&s->w, &it->t, s->now_us, it->due_us);
}

/* Time goes on from alarm to alarm, as a sleeping loop's does, until `until_us`. */
static void sleep_until(struct sim *s, uint64_t until_us)
{
    while (s->w.alarm_tick != UINT64_MAX && s->w.alarm_tick * WHEEL_TICK_US <= until_us) {
        uint64_t alarm_us = s->w.alarm_tick * WHEEL_TICK_US;
        s->now_us = alarm_us > s->now_us ? alarm_us : s->now_us;
        s->w.alarm_tick = UINT64_MAX;
        wheel_run(&s->w, s->now_us);
    }
    s->now_us = until_us;
}

static void never_early_never_late(void **state)
{
    struct sim *s = *state;
    static const uint64_t spans_us[] = { 100000,    2000000,     20000000,
                                         700000000, 40000000000, 400000000000 };
    for (int round = 0; round < 3000; round++) {
        for (int n = 0; n < 20; n++) {
            size_t i = draw(s) % COUNT;
            uint64_t span_us = spans_us[draw(s) % 6];
            if (draw(s) % 4) {
                set(s, i, (uint64_t)draw(s) * 7919 % span_us);
            } else {
                timer_stop(&s->items[i].t);
                s->items[i].due_us = 0;
            }
        }
        sleep_until(s, s->now_us + (uint64_t)draw(s) * 31 % spans_us[draw(s) % 5]);
    }
    sleep_until(s, s->now_us + 800000000000);
    for (size_t i = 0; i < COUNT; i++)
        assert_int_equal(s->items[i].due_us, 0);
    assert_true(s->fired > 10000);
    assert_int_equal(s->w.alarm_tick, UINT64_MAX); /* nothing set: sleeps for ever */
}

static void beyond_the_last_level(void **state)
{
    struct sim *s = *state;
    uint64_t year_us = (uint64_t)365 * 24 * 3600 * 1000000;
    set(s, 0, year_us);
    sleep_until(s, START_US + year_us - 1);
    assert_int_equal(s->fired, 0);
    sleep_until(s, START_US + year_us + year_us / 16);
    assert_int_equal(s->fired, 1);
}

static void a_long_sleep_does_not_coarsen(void **state)
{
    struct sim *s = *state;
    s->now_us += (uint64_t)3600 * 1000000; /* nothing was set: nobody turned the wheel */
    set(s, 0, 50000);
    sleep_until(s, s->now_us + 58000);
    assert_int_equal(s->fired, 1);
}

static void stopped_timers_cost_one_wake_at_most(void **state)
{
    struct sim *s = *state;
    for (size_t i = 0; i < 100; i++)
        set(s, i, 1000 + i * 9000);
    for (size_t i = 0; i < 100; i++) {
        timer_stop(&s->items[i].t);
        timer_stop(&s->items[i].t); /* again: nothing */
    }
    s->w.alarm_moved = false;
    wheel_run(&s->w, s->w.alarm_tick * WHEEL_TICK_US);
    assert_int_equal(s->w.alarm_tick, UINT64_MAX);
    assert_int_equal(s->fired, 0);
}

/* A callback that sets and stops others, also those due at the same time. */
struct meddler {
    struct sim *s;
    struct timer t;
    int left;
};

static void on_meddle(void *ctx)
{
    struct meddler *m = ctx;
    timer_stop(&m->s->items[0].t);
    m->s->items[0].due_us = 0;
    if (--m->left > 0)
        wheel_set(&m->s->w, &m->t, m->s->now_us,
                  m->s->now_us); /* at once, but not within this run */
}

static void callbacks_may_set_and_stop(void **state)
{
    struct sim *s = *state;
    struct meddler m = { .s = s, .left = 5 };
    timer_init(&m.t, NULL, on_meddle, &m);
    wheel_set(&s->w, &m.t, s->now_us, s->now_us + 10000);
    set(s, 0, 10000);
    set(s, 1, 10000);
    uint64_t from_us = s->now_us;
    s->now_us += 17000;
    wheel_run(&s->w, s->now_us);
    assert_int_equal(m.left, 4);
    assert_int_equal(s->fired, 1); /* item 1; item 0 was stopped */
    sleep_until(s, from_us + 1000000);
    assert_int_equal(m.left, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(never_early_never_late, setup, teardown),
        cmocka_unit_test_setup_teardown(beyond_the_last_level, setup, teardown),
        cmocka_unit_test_setup_teardown(a_long_sleep_does_not_coarsen, setup, teardown),
        cmocka_unit_test_setup_teardown(stopped_timers_cost_one_wake_at_most, setup, teardown),
        cmocka_unit_test_setup_teardown(callbacks_may_set_and_stop, setup, teardown),
    };
    return cmocka_run_group_tests_name("net/wheel", tests, NULL, NULL);
}
