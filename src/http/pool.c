#include "http/client_priv.h"

#include "base/mem.h"

#include <assert.h>

/* Idle connections are taken from the front, so that the surplus of a burst ages at the back and
 * is closed by the sweep. The sweep's timer is set for the earliest end that was known when it
 * was set; nothing moves it when a connection is leased, it then finds nothing to do and sets
 * itself anew. */

static uint64_t conn_due_us(const struct conn *cn)
{
    const struct client_opts *o = &cn->pool->client->opts;
    uint64_t idle_end = cn->idle_since_us + o->idle_ms * 1000;
    uint64_t life_end = cn->born_us + o->life_ms * 1000;
    return idle_end < life_end ? idle_end : life_end;
}

static void sweep_by(struct client *c, uint64_t due_us)
{
    uint64_t now_us = loop_now_us(c->loop);
    if (c->sweep.due_us == 0 || c->sweep.due_us > due_us)
        timer_set(&c->sweep, due_us > now_us ? (due_us - now_us + 999) / 1000 : 1);
}

static void map_pools(struct client *c)
{
    map_done(&c->by_key);
    LIST_EACH(it, &c->pools)
    {
        struct pool *p = CONTAINER_OF(it, struct pool, link);
        p->same_key = map_put(&c->by_key, p->key, p);
    }
}

static void pool_free(struct pool *p)
{
    assert(p->slots == 0);
    list_remove(&p->link);
    tls_unref(p->tls);
    mem_free((char *)(uintptr_t)p->key.p);
    mem_free(p);
}

/* Closes what is due at the back of a pool; the due time of the next. 0: none is idle. The back
 * was idle longest, but the front may be older in life: it is found when it is taken, or when it
 * comes to the back. */
static uint64_t pool_sweep(struct pool *p, uint64_t now_us)
{
    while (!list_empty(&p->idle)) {
        struct conn *cn = CONTAINER_OF(p->idle.prev, struct conn, link);
        uint64_t due_us = conn_due_us(cn);
        if (due_us > now_us)
            return due_us;
        conn_drop(cn, false);
    }
    return 0;
}

static void on_sweep(void *ctx)
{
    struct client *c = ctx;
    uint64_t now_us = loop_now_us(c->loop), next_us = 0;
    bool dropped = false;
    LIST_EACH_SAFE(it, &c->pools)
    {
        struct pool *p = CONTAINER_OF(it, struct pool, link);
        uint64_t due_us = pool_sweep(p, now_us);
        if (p->slots == 0) {
            pool_free(p);
            dropped = true;
            continue;
        }
        if (due_us == 0)
            due_us = now_us + c->opts.idle_ms * 1000;
        if (next_us == 0 || due_us < next_us)
            next_us = due_us;
    }
    if (dropped)
        map_pools(c);
    if (next_us)
        sweep_by(c, next_us);
}

static struct pool *pool_new(struct client *c, const struct origin *o)
{
    struct pool *p = MEM_NEW(struct pool);
    p->client = c;
    p->tls = o->tls ? tls_ref(o->tls) : NULL;
    list_init(&p->idle);
    list_push(&c->pools, &p->link);
    char *key = mem_alloc(o->key.len);
    if (o->key.len)
        memcpy(key, o->key.p, o->key.len);
    p->key = str_of(key, o->key.len);
    p->same_key = map_put(&c->by_key, p->key, p);
    sweep_by(c, loop_now_us(c->loop) + c->opts.idle_ms * 1000);
    return p;
}

struct pool *pool_of(struct client *c, const struct origin *o)
{
    struct pool *p = map_get(&c->by_key, o->key);
    while (p && p->tls != o->tls)
        p = p->same_key;
    return p ? p : pool_new(c, o);
}

struct conn *pool_take(struct pool *p)
{
    uint64_t now_us = loop_now_us(p->client->loop);
    while (!list_empty(&p->idle)) {
        struct conn *cn = CONTAINER_OF(p->idle.next, struct conn, link);
        if (conn_due_us(cn) > now_us && stream_alive(cn->stream)) {
            list_remove(&cn->link);
            return cn;
        }
        conn_drop(cn, false);
    }
    return NULL;
}

bool pool_reserve(struct pool *p)
{
    if (p->slots >= p->client->opts.connections_per_origin)
        return false;
    p->slots++;
    return true;
}

void pool_release(struct pool *p)
{
    assert(p->slots > 0);
    p->slots--;
}

struct conn *conn_new(struct pool *p, struct stream *s, const struct stream_events *ev)
{
    struct conn *cn = MEM_NEW(struct conn);
    cn->pool = p;
    cn->stream = s;
    cn->born_us = loop_now_us(p->client->loop);
    list_init(&cn->link);
    p->client->connections++;
    stream_set_events(s, ev, cn);
    return cn;
}

void conn_keep(struct conn *cn)
{
    cn->call = NULL;
    cn->idle_since_us = loop_now_us(cn->pool->client->loop);
    uint64_t due_us = conn_due_us(cn);
    if (due_us <= cn->idle_since_us || !stream_alive(cn->stream)) {
        conn_drop(cn, false);
        return;
    }
    list_push_front(&cn->pool->idle, &cn->link);
    sweep_by(cn->pool->client, due_us);
}

void conn_drop(struct conn *cn, bool abort)
{
    list_remove(&cn->link);
    cn->pool->client->connections--;
    pool_release(cn->pool);
    if (abort)
        stream_abort(cn->stream);
    else
        stream_close(cn->stream);
    mem_free(cn);
}

void pools_init(struct client *c)
{
    /* Keys come from the configuration, not from outside: nobody chooses collisions. */
    map_init(&c->by_key, (struct hash_seed){ 0, 0 });
    list_init(&c->pools);
    timer_init(&c->sweep, c->loop, on_sweep, c);
}

void pools_done(struct client *c)
{
    timer_stop(&c->sweep);
    LIST_EACH_SAFE(it, &c->pools)
    {
        struct pool *p = CONTAINER_OF(it, struct pool, link);
        while (!list_empty(&p->idle))
            conn_drop(CONTAINER_OF(p->idle.next, struct conn, link), false);
        pool_free(p);
    }
    map_done(&c->by_key);
}
