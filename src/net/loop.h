/* net/loop.h -- a worker's event loop: timers, deferred calls, and messages from other threads.
 *
 * One loop a thread. Everything but loop_post belongs to that thread. Callbacks never run inside
 * the call that asked for them: timers and deferred calls run from the loop. */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include "base/list.h"
#include "base/str.h"

#include <uv.h>

struct loop;

/* NULL: the process is out of descriptors. SIGPIPE is ignored from now on, in the whole process. */
struct loop *loop_new(void);
/* After loop_run has returned and all streams, listeners and dials are closed. Runs posts that are
 * still queued. */
void loop_free(struct loop *l);
/* Runs until loop_stop (one that came before counts), then until streams that were closed have sent
 * what was unsent: timers and posts go on meanwhile. May be called again. */
void loop_run(struct loop *l);
void loop_stop(struct loop *l); /* own thread; other threads post a call of it */
uv_loop_t *loop_uv(struct loop *l);

/* Monotonic; read once a turn, so cheap and equal within a turn. Compatible with clock_now_us(). */
uint64_t loop_now_us(const struct loop *l);
uint64_t loop_unix_ms(struct loop *l); /* wall clock, read at most once a turn */

/* A buffer of LOOP_SCRATCH_BYTES for assembling within one callback. Contents do not survive it.
 * Never the memory of the bytes given to on_data. */
#define LOOP_SCRATCH_BYTES (64 * 1024)
char *loop_scratch(struct loop *l);

/* -- timers: embedded in their owner, in a wheel; setting and stopping cost a few instructions and
 * no system call. Never early; at most 8 ms late up to two seconds, 1/16 of the delay beyond. */
typedef void timer_fn(void *ctx);
struct timer {
    struct list link;
    struct loop *loop;
    timer_fn *fn;
    void *ctx;
    uint64_t due_us; /* 0: not set */
};
void timer_init(struct timer *t, struct loop *l, timer_fn *fn, void *ctx);
void timer_set(struct timer *t, uint64_t delay_ms); /* again: moves it */
void timer_stop(struct timer *t);                   /* also when not set */

/* -- deferred calls: run once, in the order of their queueing: when the callbacks for what a socket has brought have returned, and
 * before the loop sleeps. */
struct defer {
    struct list link;
    void (*fn)(void *ctx);
    void *ctx;
};
void defer_init(struct defer *d, void (*fn)(void *ctx), void *ctx);
void loop_defer(struct loop *l, struct defer *d); /* already queued: nothing */
void defer_cancel(struct defer *d);

/* -- posts: from any thread, in order per sender. A post is the sender's memory until fn runs. */
struct post {
    struct post *next;
    void (*fn)(struct post *p);
};
void loop_post(struct loop *l, struct post *p);

#endif
