#include "base/clock.h"
#include "base/mem.h"
#include "net/loop.h"

#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>

#include <setjmp.h>

#include <cmocka.h>

static int setup(void **state)
{
    *state = loop_new();
    return 0;
}

static int teardown(void **state)
{
    loop_free(*state);
    return 0;
}

static void stop(void *ctx)
{
    loop_stop(ctx);
}

static void run_ms(struct loop *l, uint64_t ms)
{
    struct timer t;
    timer_init(&t, l, stop, l);
    timer_set(&t, ms);
    loop_run(l);
}

/* -- timers */

struct noted {
    struct timer t;
    char name, *to;
};

static void note(void *ctx)
{
    struct noted *n = ctx;
    size_t at = strlen(n->to);
    n->to[at] = n->name;
    n->to[at + 1] = 0;
}

static void timers_fire_in_order(void **state)
{
    struct loop *l = *state;
    char order[8] = "";
    struct noted n[4];
    static const uint64_t delays_ms[] = { 60, 20, 40, 30 };
    for (int i = 0; i < 4; i++) {
        n[i] = (struct noted){ .name = (char)('a' + i), .to = order };
        timer_init(&n[i].t, l, note, &n[i]);
        timer_set(&n[i].t, delays_ms[i]);
    }
    timer_set(&n[1].t, 80); /* moved */
    timer_stop(&n[3].t);
    uint64_t from_us = clock_now_us();
    run_ms(l, 120);
    uint64_t took_ms = (clock_now_us() - from_us) / 1000;
    assert_string_equal(order, "cab");
    assert_true(took_ms >= 120);
    assert_int_equal(n[0].t.due_us, 0);
}

static void time_stands_still_within_a_turn(void **state)
{
    struct loop *l = *state;
    run_ms(l, 1);
    uint64_t a_us = loop_now_us(l), wall_ms = loop_unix_ms(l);
    nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
    assert_int_equal(loop_now_us(l), a_us);
    assert_int_equal(loop_unix_ms(l), wall_ms);
    run_ms(l, 1);
    assert_true(loop_now_us(l) >= a_us + 20000);
    assert_true(loop_unix_ms(l) >= wall_ms + 20);
    assert_true(loop_now_us(l) <= clock_now_us());
}

static void set_and_stop(void *ctx)
{
    struct timer *t = ctx;
    timer_set(t, 60000);
    timer_stop(t);
}

static void set_and_stopped_in_a_callback(void **state)
{
    struct loop *l = *state;
    struct timer a, b;
    timer_init(&b, l, stop, l);
    timer_init(&a, l, set_and_stop, &b);
    timer_set(&a, 1);
    run_ms(l, 30);
    assert_int_equal(a.due_us, 0);
    assert_int_equal(b.due_us, 0);
}

/* A turn that takes long must not make the timers that it set late or early. */
static void slow(void *ctx)
{
    struct noted *n = ctx;
    nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
    timer_set(&n->t, 30);
}

static void a_slow_turn(void **state)
{
    struct loop *l = *state;
    char order[8] = "";
    struct noted n = { .name = 'x', .to = order };
    timer_init(&n.t, l, note, &n);
    struct timer first;
    timer_init(&first, l, slow, &n);
    timer_set(&first, 5);
    uint64_t from_us = clock_now_us();
    while (!order[0])
        run_ms(l, 1);
    uint64_t took_ms = (clock_now_us() - from_us) / 1000;
    assert_true(took_ms >= 35 && took_ms < 10000);
}

/* Nothing to do: the loop sleeps until it is called. */
static void *post_later(void *ctx)
{
    nanosleep(&(struct timespec){ .tv_nsec = 150000000 }, NULL);
    loop_post(((void **)ctx)[0], ((void **)ctx)[1]);
    return NULL;
}

struct stopper {
    struct post post;
    struct loop *l;
};

static void on_stopper(struct post *p)
{
    loop_stop(CONTAINER_OF(p, struct stopper, post)->l);
}

static void idle_loop_sleeps(void **state)
{
    struct loop *l = *state;
    run_ms(l, 1);
    struct stopper s = { .post = { .fn = on_stopper }, .l = l };
    void *args[] = { l, &s.post };
    struct timer t;
    timer_init(&t, l, stop, l);
    timer_set(&t, 60000);
    timer_stop(&t);
    pthread_t th;
    pthread_create(&th, NULL, post_later, args);
    struct timespec a, b;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
    loop_run(l);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
    pthread_join(th, NULL);
    int64_t cpu_us = (b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000;
    assert_true(cpu_us < 50000);
}

/* -- deferred calls */

struct deferred {
    struct defer d;
    struct loop *l;
    char name, *to;
    int again; /* queues itself so often */
    struct deferred *cancels;
};

static void on_deferred(void *ctx)
{
    struct deferred *d = ctx;
    size_t at = strlen(d->to);
    if (at < 40) {
        d->to[at] = d->name;
        d->to[at + 1] = 0;
    }
    if (d->cancels)
        defer_cancel(&d->cancels->d);
    if (d->again > 0 && d->again--)
        loop_defer(d->l, &d->d);
}

static void deferred_calls(void **state)
{
    struct loop *l = *state;
    char order[64] = "";
    struct deferred d[4];
    for (int i = 0; i < 4; i++) {
        d[i] = (struct deferred){ .l = l, .name = (char)('a' + i), .to = order };
        defer_init(&d[i].d, on_deferred, &d[i]);
        loop_defer(l, &d[i].d);
        loop_defer(l, &d[i].d); /* once */
    }
    d[0].cancels = &d[2];
    d[1].again = 2;
    defer_cancel(&d[3].d);
    defer_cancel(&d[3].d);
    assert_string_equal(order, "");
    run_ms(l, 1);
    assert_string_equal(order, "abbb");
}

/* One that queues itself for ever keeps neither timers nor posts from running. */
static void endless_defer_starves_nobody(void **state)
{
    struct loop *l = *state;
    char order[64] = "";
    struct deferred d = { .l = l, .name = 'x', .to = order, .again = 1 << 30 };
    defer_init(&d.d, on_deferred, &d);
    loop_defer(l, &d.d);
    struct stopper s = { .post = { .fn = on_stopper }, .l = l };
    void *args[] = { l, &s.post };
    pthread_t th;
    pthread_create(&th, NULL, post_later, args);
    loop_run(l);
    pthread_join(th, NULL);
    run_ms(l, 5);
    defer_cancel(&d.d);
    assert_true(d.again < (1 << 30) - 100);
    int left = d.again;
    run_ms(l, 5);
    assert_int_equal(d.again, left);
}

/* -- posts */

enum { THREADS = 4, EACH = 20000 };

struct numbered {
    struct post post;
    struct sender *from;
    int n;
};

struct receiver {
    struct loop *l;
    int total;
};

struct sender {
    struct receiver *to;
    struct numbered *posts;
    int seen;
};

static void on_numbered(struct post *p)
{
    struct numbered *n = CONTAINER_OF(p, struct numbered, post);
    struct sender *s = n->from;
    assert_int_equal(n->n, s->seen); /* in order per sender */
    s->seen++;
    if (++s->to->total == THREADS * EACH)
        loop_stop(s->to->l);
}

static void *send_all(void *ctx)
{
    struct sender *s = ctx;
    for (int i = 0; i < EACH; i++) {
        s->posts[i] = (struct numbered){ .post = { .fn = on_numbered }, .from = s, .n = i };
        loop_post(s->to->l, &s->posts[i].post);
        if (i % 1000 == 0)
            sched_yield();
    }
    return NULL;
}

static void posts_of_four_threads(void **state)
{
    struct receiver r = { .l = *state };
    struct sender s[THREADS];
    pthread_t th[THREADS];
    for (int i = 0; i < THREADS; i++) {
        s[i] = (struct sender){ .to = &r, .posts = mem_alloc(EACH * sizeof(struct numbered)) };
        pthread_create(&th[i], NULL, send_all, &s[i]);
    }
    loop_run(r.l);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(th[i], NULL);
        assert_int_equal(s[i].seen, EACH);
        mem_free(s[i].posts);
    }
}

static void on_flag(struct post *p)
{
    struct numbered *n = CONTAINER_OF(p, struct numbered, post);
    n->n++;
}

static void loop_free_runs_what_is_posted(void **state)
{
    struct loop *l = loop_new();
    struct numbered n = { .post = { .fn = on_flag } };
    loop_post(l, &n.post);
    loop_free(l);
    assert_int_equal(n.n, 1);
    loop_free(NULL);
}

static void stop_before_run_counts(void **state)
{
    struct loop *l = *state;
    loop_stop(l);
    loop_run(l); /* returns */
    run_ms(l, 1);
}

static void scratch_is_one_buffer(void **state)
{
    struct loop *l = *state;
    char *p = loop_scratch(l);
    memset(p, 'x', LOOP_SCRATCH_BYTES);
    assert_ptr_equal(loop_scratch(l), p);
    assert_int_equal(uv_loop_alive(loop_uv(l)), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(timers_fire_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(time_stands_still_within_a_turn, setup, teardown),
        cmocka_unit_test_setup_teardown(set_and_stopped_in_a_callback, setup, teardown),
        cmocka_unit_test_setup_teardown(a_slow_turn, setup, teardown),
        cmocka_unit_test_setup_teardown(idle_loop_sleeps, setup, teardown),
        cmocka_unit_test_setup_teardown(deferred_calls, setup, teardown),
        cmocka_unit_test_setup_teardown(endless_defer_starves_nobody, setup, teardown),
        cmocka_unit_test_setup_teardown(posts_of_four_threads, setup, teardown),
        cmocka_unit_test(loop_free_runs_what_is_posted),
        cmocka_unit_test_setup_teardown(stop_before_run_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(scratch_is_one_buffer, setup, teardown),
    };
    return cmocka_run_group_tests_name("net/loop", tests, NULL, NULL);
}
