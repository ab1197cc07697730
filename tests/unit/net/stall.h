/* stall.h -- for tests of deadlines: how long the machine stood still. A thread that wants to run
 * every 2 ms adds up how much later it ran. What a deadline must not do to those who keep up can
 * only be seen while the machine keeps up too: such a test is tried again if it did not. */
#ifndef TESTS_STALL_H
#define TESTS_STALL_H

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>
#include <cmocka.h>

#define STALL_TRIES 50

struct standstill {
    pthread_t thread;
    atomic_bool stopping;
    _Atomic uint64_t late_us;
};

static inline void *stall_watch(void *arg)
{
    struct standstill *s = arg;
    uint64_t last_us = clock_now_us();
    while (!atomic_load(&s->stopping)) {
        usleep(2000);
        uint64_t now_us = clock_now_us();
        if (now_us - last_us > 10000)
            atomic_fetch_add(&s->late_us, now_us - last_us - 2000);
        last_us = now_us;
    }
    return NULL;
}

static inline void stall_begin(struct standstill *s)
{
    atomic_init(&s->stopping, false);
    atomic_init(&s->late_us, 0);
    assert_int_equal(pthread_create(&s->thread, NULL, stall_watch, s), 0);
}

/* How long it stood still in all, since stall_begin. */
static inline unsigned stall_end_ms(struct standstill *s)
{
    atomic_store(&s->stopping, true);
    pthread_join(s->thread, NULL);
    return (unsigned)(atomic_load(&s->late_us) / 1000);
}

/* `once` tells whether all was as it should be, and leaves nothing behind. It may be otherwise only
 * where the machine stood still for spare_ms: by so much the test's own times are within bounds. */
static inline void unless_stalled(bool (*once)(const void *arg), const void *arg, unsigned spare_ms)
{
    for (int i = 0; i < STALL_TRIES; i++) {
        struct standstill s;
        stall_begin(&s);
        bool good = once(arg);
        unsigned stalled_ms = stall_end_ms(&s);
        if (good)
            return;
        print_message("# try %d: the machine stood still for %u ms\n", i + 1, stalled_ms);
        if (stalled_ms < spare_ms)
            fail_msg("not as it should be, and the machine stood still for %u ms only", stalled_ms);
    }
    fail_msg("the machine stood still in each of %d tries", STALL_TRIES);
}

#endif
