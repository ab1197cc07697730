#include "base/clock.h"
#include "base/mem.h"
#include "net/net_priv.h"

#include <assert.h>
#include <signal.h>
#include <stdatomic.h>

/* Deferred calls may queue more of them; after so many rounds sockets get their turn in between. */
#define DEFER_ROUNDS 16

struct loop {
    uv_loop_t uv;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle;   /* active only while deferred calls are left over: the poll must not sleep */
    uv_timer_t alarm; /* the wheel's */
    uv_async_t async;
    uint64_t now_us, unix_ms; /* 0: to be read again */
    struct wheel wheel;
    struct list defers;
    _Atomic(struct post *) posts; /* newest first */
    size_t holds;
    char *scratch, *read_buf, *plain_buf, *record_buf;
    struct buf cipher_buf;
};

static void forget_time(struct loop *l)
{
    l->now_us = 0;
    l->unix_ms = 0;
}

uint64_t loop_now_us(const struct loop *l)
{
    /* A cache: the loop itself is never a const object. */
    struct loop *m = (struct loop *)l;
    if (!m->now_us)
        m->now_us = clock_now_us();
    return m->now_us;
}

uint64_t loop_unix_ms(struct loop *l)
{
    if (!l->unix_ms)
        l->unix_ms = clock_unix_ms();
    return l->unix_ms;
}

/* -- deferred calls */

void defer_init(struct defer *d, void (*fn)(void *ctx), void *ctx)
{
    list_init(&d->link);
    d->fn = fn;
    d->ctx = ctx;
}

void loop_defer(struct loop *l, struct defer *d)
{
    if (list_empty(&d->link))
        list_push(&l->defers, &d->link);
}

void defer_cancel(struct defer *d)
{
    list_remove(&d->link);
}

static void on_idle(uv_idle_t *h)
{
}

void loop_run_defers(struct loop *l)
{
    for (int round = 0; round < DEFER_ROUNDS && !list_empty(&l->defers); round++) {
        struct list
            last; /* marks where this round ends; what is queued meanwhile stands behind it */
        list_push(&l->defers, &last);
        while (l->defers.next != &last) {
            struct defer *d = CONTAINER_OF(l->defers.next, struct defer, link);
            list_remove(&d->link);
            d->fn(d->ctx);
        }
        list_remove(&last);
    }
    if (!list_empty(&l->defers))
        uv_idle_start(&l->idle, on_idle);
    else if (uv_is_active((uv_handle_t *)&l->idle))
        uv_idle_stop(&l->idle);
}

/* -- timers */

struct wheel *loop_wheel(struct loop *l)
{
    return &l->wheel;
}

static void on_alarm(uv_timer_t *h)
{
    struct loop *l = h->data;
    forget_time(l);
    l->wheel.alarm_tick = UINT64_MAX; /* it went off; wheel_run says when next */
    wheel_run(&l->wheel, loop_now_us(l));
}

/* libuv's clock may lag behind ours and stands still within a turn, so the alarm is given as an
 * instant of it. */
static void set_alarm(struct loop *l)
{
    l->wheel.alarm_moved = false;
    if (l->wheel.alarm_tick == UINT64_MAX)
        return; /* that is so only since the alarm went off */
    uint64_t due_ms = l->wheel.alarm_tick * WHEEL_TICK_US / 1000, now_ms = uv_now(&l->uv);
    uv_timer_start(&l->alarm, on_alarm, due_ms > now_ms ? due_ms - now_ms : 0, 0);
}

/* -- the turn: timers, deferred calls, sleep, sockets */

static void on_prepare(uv_prepare_t *h)
{
    struct loop *l = h->data;
    loop_run_defers(l);
    if (l->wheel.alarm_moved)
        set_alarm(l);
    forget_time(l);
}

static void on_check(uv_check_t *h)
{
    forget_time(h->data);
}

/* -- posts */

void loop_post(struct loop *l, struct post *p)
{
    struct post *head = atomic_load_explicit(&l->posts, memory_order_relaxed);
    do
        p->next = head;
    while (!atomic_compare_exchange_weak_explicit(&l->posts, &head, p, memory_order_release,
                                                  memory_order_relaxed));
    if (!head)
        uv_async_send(&l->async);
}

static void run_posts(struct loop *l)
{
    struct post *p = atomic_exchange_explicit(&l->posts, NULL, memory_order_acquire),
                *oldest = NULL;
    while (p) {
        struct post *next = p->next;
        p->next = oldest;
        oldest = p;
        p = next;
    }
    while (oldest) {
        p = oldest;
        oldest = p->next;
        p->fn(p);
    }
}

static void on_async(uv_async_t *h)
{
    run_posts(h->data);
}

/* -- life */

struct loop *loop_new(void)
{
    /* A write to a socket that the peer has left is an error to be returned, not a signal to die
     * of. */
    signal(SIGPIPE, SIG_IGN);
    struct loop *l = MEM_NEW(struct loop);
    int e = uv_loop_init(&l->uv);
    /* They fail only for want of descriptors at start, when nothing can run anyway. */
    if (!e)
        e = uv_async_init(&l->uv, &l->async, on_async);
    if (e) {
        mem_free(l);
        return NULL;
    }
    uv_prepare_init(&l->uv, &l->prepare);
    uv_check_init(&l->uv, &l->check);
    uv_idle_init(&l->uv, &l->idle);
    uv_timer_init(&l->uv, &l->alarm);
    l->prepare.data = l->check.data = l->idle.data = l->alarm.data = l->async.data = l;
    uv_prepare_start(&l->prepare, on_prepare);
    uv_check_start(&l->check, on_check);
    list_init(&l->defers);
    wheel_init(&l->wheel, clock_now_us());
    buf_init(&l->cipher_buf, SIZE_MAX / 2);
    return l;
}

static void finish_closes(struct loop *l)
{
    while (l->holds > 0)
        uv_run(&l->uv, UV_RUN_ONCE);
}

void loop_run(struct loop *l)
{
    forget_time(l);
    uv_run(&l->uv, UV_RUN_DEFAULT);
    finish_closes(l);
    forget_time(l);
}

void loop_stop(struct loop *l)
{
    uv_stop(&l->uv);
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    run_posts(l);
    finish_closes(l);
    uv_close((uv_handle_t *)&l->prepare, NULL);
    uv_close((uv_handle_t *)&l->check, NULL);
    uv_close((uv_handle_t *)&l->idle, NULL);
    uv_close((uv_handle_t *)&l->alarm, NULL);
    uv_close((uv_handle_t *)&l->async, NULL);
    int e = 0;
    for (int turn = 0; turn < 8 && (e = uv_loop_close(&l->uv)) == UV_EBUSY; turn++)
        uv_run(&l->uv, UV_RUN_NOWAIT);
    assert(e == 0 && "a stream, listener or dial outlived its loop");
    if (e)
        return; /* leaked: a handle still refers to it */
    mem_free(l->scratch);
    mem_free(l->read_buf);
    mem_free(l->plain_buf);
    mem_free(l->record_buf);
    buf_done(&l->cipher_buf);
    mem_free(l);
}

uv_loop_t *loop_uv(struct loop *l)
{
    return &l->uv;
}

void loop_hold(struct loop *l)
{
    l->holds++;
}

void loop_release(struct loop *l)
{
    l->holds--;
}

static char *lazily(char **p, size_t n)
{
    if (!*p)
        *p = mem_alloc(n);
    return *p;
}

char *loop_scratch(struct loop *l)
{
    return lazily(&l->scratch, LOOP_SCRATCH_BYTES);
}

char *loop_read_buf(struct loop *l)
{
    return lazily(&l->read_buf, LOOP_READ_BYTES);
}

char *loop_plain_buf(struct loop *l)
{
    return lazily(&l->plain_buf, LOOP_PLAIN_BYTES);
}

char *loop_record_buf(struct loop *l)
{
    return lazily(&l->record_buf, LOOP_RECORD_BYTES);
}

struct buf *loop_cipher_buf(struct loop *l)
{
    return &l->cipher_buf;
}
