#include "net/net_priv.h"

static uint64_t tick_of(uint64_t us) /* the first tick at or after it */
{
    return (us + WHEEL_TICK_US - 1) / WHEEL_TICK_US;
}

void wheel_init(struct wheel *w, uint64_t now_us)
{
    memset(w, 0, sizeof *w);
    for (size_t k = 0; k < WHEEL_LEVELS; k++)
        for (size_t i = 0; i < WHEEL_SLOTS; i++)
            list_init(&w->slots[k][i]);
    list_init(&w->expired);
    w->tick = now_us / WHEEL_TICK_US;
    w->alarm_tick = UINT64_MAX;
}

static bool slot_used(const struct wheel *w, size_t level, size_t i)
{
    return w->used[level][i / 64] >> (i % 64) & 1;
}

static void slot_clear(struct wheel *w, size_t level, size_t i)
{
    w->used[level][i / 64] &= ~((uint64_t)1 << (i % 64));
}

static void alarm_at(struct wheel *w, uint64_t tick)
{
    if (tick != w->alarm_tick) {
        w->alarm_tick = tick;
        w->alarm_moved = true;
    }
}

/* Moves everything that is due to `expired`. */
static void advance(struct wheel *w, uint64_t now_us)
{
    uint64_t old = w->tick, now = now_us / WHEEL_TICK_US;
    if (now <= old)
        return;
    w->tick = now;
    for (size_t k = 0; k < WHEEL_LEVELS; k++) {
        uint64_t from = old >> (3 * k), to = now >> (3 * k);
        if (from == to)
            break; /* then the coarser levels stand still too */
        if (to - from > WHEEL_SLOTS)
            from = to - WHEEL_SLOTS;
        for (uint64_t q = from + 1; q <= to; q++) {
            size_t i = q % WHEEL_SLOTS;
            if (!slot_used(w, k, i))
                continue;
            slot_clear(w, k, i);
            struct list *slot = &w->slots[k][i];
            if (list_empty(slot))
                continue;
            slot->next->prev = w->expired.prev;
            w->expired.prev->next = slot->next;
            slot->prev->next = &w->expired;
            w->expired.prev = slot->prev;
            list_init(slot);
        }
    }
}

void wheel_set(struct wheel *w, struct timer *t, uint64_t now_us, uint64_t due_us)
{
    list_remove(&t->link);
    advance(w, now_us);
    if (!list_empty(&w->expired))
        alarm_at(w, w->tick);
    t->due_us = due_us;
    uint64_t due = tick_of(due_us), q = 0;
    if (due <= w->tick)
        due = w->tick + 1;
    size_t k = 0;
    for (;; k++) {
        uint64_t mask = ((uint64_t)1 << (3 * k)) - 1, base = w->tick >> (3 * k);
        q = (due + mask) >> (3 * k);
        if (q - base < WHEEL_SLOTS)
            break;
        if (k == WHEEL_LEVELS - 1) {
            q = base + WHEEL_SLOTS - 1;
            break;
        }
    }
    size_t i = q % WHEEL_SLOTS;
    list_push(&w->slots[k][i], &t->link);
    w->used[k][i / 64] |= (uint64_t)1 << (i % 64);
    if (q << (3 * k) < w->alarm_tick)
        alarm_at(w, q << (3 * k));
}

/* The first slot of a level that holds timers, as a tick; clears stale bits on the way. */
static uint64_t level_first(struct wheel *w, size_t k)
{
    uint64_t base = w->tick >> (3 * k);
    for (uint64_t q = base + 1; q < base + WHEEL_SLOTS;) {
        size_t i = q % WHEEL_SLOTS;
        uint64_t word = w->used[k][i / 64] >> (i % 64);
        if (!word) {
            q += 64 - i % 64;
            continue;
        }
        q += (uint64_t)__builtin_ctzll(word);
        if (q >= base + WHEEL_SLOTS)
            break;
        i = q % WHEEL_SLOTS;
        if (!list_empty(&w->slots[k][i]))
            return q << (3 * k);
        slot_clear(w, k, i);
        q++;
    }
    return UINT64_MAX;
}

void wheel_run(struct wheel *w, uint64_t now_us)
{
    advance(w, now_us);
    /* A timer set from here is at least a tick away, so this ends. */
    while (!list_empty(&w->expired)) {
        struct timer *t = CONTAINER_OF(w->expired.next, struct timer, link);
        list_remove(&t->link);
        uint64_t due_us = t->due_us;
        if (due_us > now_us) {
            wheel_set(w, t, now_us, due_us);
            continue;
        }
        t->due_us = 0;
        t->fn(t->ctx);
    }
    uint64_t first = UINT64_MAX;
    for (size_t k = 0; k < WHEEL_LEVELS; k++) {
        uint64_t tick = level_first(w, k);
        first = tick < first ? tick : first;
    }
    alarm_at(w, first);
}

void timer_init(struct timer *t, struct loop *l, timer_fn *fn, void *ctx)
{
    list_init(&t->link);
    t->loop = l;
    t->fn = fn;
    t->ctx = ctx;
    t->due_us = 0;
}

void timer_set(struct timer *t, uint64_t delay_ms)
{
    uint64_t now_us = loop_now_us(t->loop);
    /* A delay that no process outlives, so that the sum cannot wrap. */
    uint64_t max_ms = (uint64_t)1 << 40;
    wheel_set(loop_wheel(t->loop), t, now_us,
              now_us + (delay_ms < max_ms ? delay_ms : max_ms) * 1000);
}

void timer_stop(struct timer *t)
{
    list_remove(&t->link);
    t->due_us = 0;
}
