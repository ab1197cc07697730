/* Names are resolved by a few threads that do nothing else: getaddrinfo blocks, for seconds at
 * worst. All state is guarded by one lock, held for a few instructions; a worker never waits for a
 * resolver. */
#include "net/dns_priv.h"

#include "base/clock.h"
#include "base/mem.h"

#include <assert.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#define BUCKETS 512
#define NAME_BYTES 256
/* At the end a thread may sit in the resolver; after this it is left to itself. */
#define JOIN_S 1

struct entry {
    struct list bucket, age, todo;
    struct list waiters; /* struct dns_query */
    struct addrs good;   /* the last answer that was one */
    uint64_t good_us;    /* 0: never */
    uint64_t failed_us;  /* 0: the last lookup did not fail */
    const char *problem;
    bool busy;  /* in `todo`, or with a thread */
    bool fixed; /* by dns_override */
    size_t len;
    char name[NAME_BYTES];
};

struct dns_query {
    struct post post;
    struct list link;
    struct dns *dns;
    struct loop *loop;
    dns_fn *fn;
    void *ctx;
    struct addrs addrs;
    const char *problem; /* NULL: addrs is the answer */
    bool posted, cancelled;
};

struct dns {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct dns_source src;
    struct list buckets[BUCKETS];
    struct list ages; /* all entries, least recently used first */
    struct list todo;
    size_t entries, queued;
    bool stopping;
    unsigned users; /* threads, and the owner */
    unsigned thread_count;
    pthread_t threads[];
};

/* -- entries */

static struct list *bucket_of(struct dns *d, struct str name)
{
    uint32_t h = 2166136261u; /* FNV-1a: names come from the configuration, not from outside */
    for (size_t i = 0; i < name.len; i++)
        h = (h ^ (unsigned char)name.p[i]) * 16777619u;
    return &d->buckets[h % BUCKETS];
}

static void entry_free(struct dns *d, struct entry *e)
{
    list_remove(&e->bucket);
    list_remove(&e->age);
    list_remove(&e->todo);
    mem_free(e);
    d->entries--;
}

static void make_room(struct dns *d)
{
    LIST_EACH_SAFE(it, &d->ages)
    {
        struct entry *e = CONTAINER_OF(it, struct entry, age);
        if (d->entries < DNS_ENTRIES_MAX)
            return;
        if (!e->busy && !e->fixed && list_empty(&e->waiters))
            entry_free(d, e);
    }
}

/* NULL: no name is that long. */
static struct entry *entry_get(struct dns *d, struct str host)
{
    char name[NAME_BYTES];
    if (!host.len || host.len > sizeof name)
        return NULL;
    for (size_t i = 0; i < host.len; i++)
        name[i] = ascii_lower(host.p[i]);
    struct str key = str_of(name, host.len);
    struct list *bucket = bucket_of(d, key);
    LIST_EACH(it, bucket)
    {
        struct entry *e = CONTAINER_OF(it, struct entry, bucket);
        if (!str_eq(str_of(e->name, e->len), key))
            continue;
        list_remove(&e->age);
        list_push(&d->ages, &e->age);
        return e;
    }
    if (d->entries >= DNS_ENTRIES_MAX)
        make_room(d);
    struct entry *e = MEM_NEW(struct entry);
    list_init(&e->todo);
    list_init(&e->waiters);
    list_push(bucket, &e->bucket);
    list_push(&d->ages, &e->age);
    memcpy(e->name, name, host.len);
    e->len = host.len;
    d->entries++;
    return e;
}

/* -- asking */

static bool enqueue(struct dns *d, struct entry *e)
{
    if (e->busy)
        return true;
    if (d->queued >= DNS_QUEUE_MAX)
        return false;
    e->busy = true;
    d->queued++;
    list_push(&d->todo, &e->todo);
    pthread_cond_signal(&d->wake);
    return true;
}

/* What can be said at once; DNS_PENDING: the entry is being looked up. */
static enum dns_state look(struct dns *d, struct entry *e, const char **ret_problem)
{
    if (e->fixed) {
        *ret_problem = "no such host";
        return e->good.count ? DNS_READY : DNS_FAILED;
    }
    uint64_t now_us = d->src.now_us(d->src.ctx);
    bool failing = e->failed_us && now_us - e->failed_us < DNS_FAILED_US;
    uint64_t age_us = e->good_us ? now_us - e->good_us : UINT64_MAX;
    if (age_us < DNS_FRESH_US)
        return DNS_READY;
    if (failing) {
        *ret_problem = e->problem;
        return age_us < DNS_STALE_US ? DNS_READY : DNS_FAILED;
    }
    if (!enqueue(d, e)) {
        *ret_problem = "too many lookups pending";
        return age_us < DNS_STALE_US ? DNS_READY : DNS_FAILED;
    }
    return age_us < DNS_REFRESH_US ? DNS_READY : DNS_PENDING;
}

static void on_post(struct post *p)
{
    struct dns_query *q = CONTAINER_OF(p, struct dns_query, post);
    if (!q->cancelled)
        q->fn(q->ctx, q->problem ? NULL : &q->addrs, q->problem);
    mem_free(q);
}

enum dns_state dns_lookup(struct dns *d, struct loop *l, struct str host, dns_fn *fn, void *ctx,
                          struct addrs *ret_addrs, const char **ret_problem,
                          struct dns_query **ret_query)
{
    pthread_mutex_lock(&d->lock);
    enum dns_state state = DNS_FAILED;
    struct entry *e = entry_get(d, host);
    if (!e)
        *ret_problem = "not a host name";
    else
        state = look(d, e, ret_problem);
    if (state == DNS_READY) {
        *ret_addrs = e->good;
    } else if (state == DNS_PENDING) {
        struct dns_query *q = MEM_NEW(struct dns_query);
        q->post.fn = on_post;
        q->dns = d;
        q->loop = l;
        q->fn = fn;
        q->ctx = ctx;
        list_push(&e->waiters, &q->link);
        *ret_query = q;
    }
    pthread_mutex_unlock(&d->lock);
    return state;
}

void dns_cancel(struct dns_query *q)
{
    pthread_mutex_lock(&q->dns->lock);
    q->cancelled = true;
    bool posted = q->posted;
    list_remove(&q->link);
    pthread_mutex_unlock(&q->dns->lock);
    if (!posted)
        mem_free(q); /* else on_post frees it */
}

/* -- answering */

static const char *problem_of(int code)
{
    if (code == EAI_NONAME || code == EAI_NODATA)
        return "no such host";
    return gai_strerror(code);
}

/* Posts under the lock: after dns_cancel has had it, either the post is in the loop's hands or
 * never will be. */
static void answer(struct dns *d, struct entry *e, int code, const struct addrs *a)
{
    uint64_t now_us = d->src.now_us(d->src.ctx);
    if (e->fixed) {
        /* overridden meanwhile: that stands */
    } else if (code) {
        e->failed_us = now_us;
        e->problem = problem_of(code);
    } else {
        e->good = *a;
        e->good_us = now_us;
        e->failed_us = 0;
    }
    bool usable = e->fixed ? e->good.count > 0 : e->good_us && now_us - e->good_us < DNS_STALE_US;
    while (!list_empty(&e->waiters)) {
        struct dns_query *q = CONTAINER_OF(e->waiters.next, struct dns_query, link);
        list_remove(&q->link);
        q->posted = true;
        q->addrs = e->good;
        q->problem = usable ? NULL : e->fixed ? "no such host" : e->problem;
        loop_post(q->loop, &q->post);
    }
}

static void leave(struct dns *d) /* with the lock; gives it up */
{
    bool last = --d->users == 0;
    pthread_mutex_unlock(&d->lock);
    if (!last)
        return;
    while (!list_empty(&d->ages))
        entry_free(d, CONTAINER_OF(d->ages.next, struct entry, age));
    pthread_cond_destroy(&d->wake);
    pthread_mutex_destroy(&d->lock);
    mem_free(d);
}

static void *resolver(void *ctx)
{
    struct dns *d = ctx;
    sigset_t all; /* signals are for the threads that wait for them */
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    pthread_setname_np(pthread_self(), "dns");
    pthread_mutex_lock(&d->lock);
    while (!d->stopping) {
        if (list_empty(&d->todo)) {
            pthread_cond_wait(&d->wake, &d->lock);
            continue;
        }
        struct entry *e = CONTAINER_OF(d->todo.next, struct entry, todo);
        list_remove(&e->todo);
        d->queued--;
        struct addrs a = { 0 };
        /* Without the lock: a busy entry is not freed, and its name does not change. */
        pthread_mutex_unlock(&d->lock);
        int code = d->src.resolve(d->src.ctx, str_of(e->name, e->len), &a);
        pthread_mutex_lock(&d->lock);
        e->busy = false;
        answer(d, e, code, &a);
    }
    leave(d);
    return NULL;
}

/* -- life */

static int resolve_system(void *ctx, struct str host, struct addrs *ret_addrs)
{
    return addrs_resolve(host, 0, ret_addrs);
}

static uint64_t now_system(void *ctx)
{
    return clock_now_us();
}

struct dns *dns_new_with(unsigned threads, const struct dns_source *src)
{
    struct dns *d = mem_zalloc(sizeof *d + threads * sizeof d->threads[0]);
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->wake, NULL);
    d->src = *src;
    for (size_t i = 0; i < BUCKETS; i++)
        list_init(&d->buckets[i]);
    list_init(&d->ages);
    list_init(&d->todo);
    pthread_mutex_lock(&d->lock);
    d->users = 1;
    for (unsigned i = 0; i < threads; i++) {
        /* With fewer threads names take longer; with none every lookup times out, and says so. */
        if (pthread_create(&d->threads[d->thread_count], NULL, resolver, d))
            break;
        d->thread_count++;
        d->users++;
    }
    pthread_mutex_unlock(&d->lock);
    return d;
}

struct dns *dns_new(unsigned threads)
{
    static const struct dns_source system_source = { .resolve = resolve_system,
                                                     .now_us = now_system };
    return dns_new_with(threads, &system_source);
}

void dns_free(struct dns *d)
{
    if (!d)
        return;
    pthread_mutex_lock(&d->lock);
    d->stopping = true;
    pthread_cond_broadcast(&d->wake);
    LIST_EACH(it, &d->ages)
    {
        struct entry *e = CONTAINER_OF(it, struct entry, age);
        assert(list_empty(&e->waiters) && "a dial outlived its resolver");
        (void)e;
    }
    pthread_mutex_unlock(&d->lock);
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += JOIN_S;
    for (unsigned i = 0; i < d->thread_count; i++) {
        if (pthread_timedjoin_np(d->threads[i], NULL, &until))
            pthread_detach(d->threads[i]);
    }
    pthread_mutex_lock(&d->lock);
    leave(d);
}

void dns_override(struct dns *d, struct str host, struct str addresses)
{
    pthread_mutex_lock(&d->lock);
    struct entry *e = entry_get(d, host);
    if (e) {
        e->fixed = true;
        e->good.count = 0;
        while (addresses.len && e->good.count < ADDRS_MAX)
            e->good.count +=
                addr_parse(str_trim(str_cut(&addresses, ',')), &e->good.a[e->good.count]);
    }
    pthread_mutex_unlock(&d->lock);
}
