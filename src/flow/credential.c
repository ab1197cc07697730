#include "flow/credential_priv.h"

#include "base/mem.h"

#include <assert.h>

#define RETRY_FIRST_MS 1000
#define RETRY_MAX_MS 30000
#define INVALIDATE_EVERY_US (60 * 1000000ull)
#define STATES_KEPT 64 /* above, those that nobody uses are dropped */

enum token_state {
    TOKEN_ABSENT,     /* none, and none asked for */
    TOKEN_FETCHING,   /* none, one asked for */
    TOKEN_VALID,      /* one; its life may have ended since */
    TOKEN_REFRESHING, /* one, and a newer one asked for */
    TOKEN_FAILED,     /* none, and none is asked for before retry_us */
    TOKEN_STATES
};

struct credentials {
    struct loop *loop;
    struct client *client;
    struct rng *rng;
    struct list states;
    size_t count;
};

struct state {
    struct list link;
    struct credentials *all;
    struct arena *arena; /* id */
    struct str id;
    enum token_state now;
    struct secret *token;
    uint64_t refresh_us, end_us; /* of the token */
    uint64_t retry_us, retry_ms; /* not before; the next pause */
    uint64_t dropped_us;         /* when a token was refused last; 0: never */
    struct arena *said;          /* problem, detail: of the last failure */
    struct str problem, detail;
    struct list waits;
    struct credential_fetch *fetch; /* FETCHING, REFRESHING */
};

struct credential_wait {
    struct list link;
    struct state *s;
    credential_fn *fn;
    void *ctx;
    struct timer limit;
    struct defer soon; /* the outcome is known already */
};

/* -- states */

static bool may_follow(enum token_state from, enum token_state to)
{
    static const unsigned next[TOKEN_STATES] = {
        [TOKEN_ABSENT] = 1u << TOKEN_FETCHING,
        [TOKEN_FETCHING] = 1u << TOKEN_VALID | 1u << TOKEN_FAILED,
        [TOKEN_VALID] = 1u << TOKEN_REFRESHING | 1u << TOKEN_ABSENT,
        [TOKEN_REFRESHING] = 1u << TOKEN_VALID | 1u << TOKEN_FETCHING,
        [TOKEN_FAILED] = 1u << TOKEN_FETCHING,
    };
    return (next[from] & 1u << to) != 0;
}

static void state_to(struct state *s, enum token_state to)
{
    assert(may_follow(s->now, to));
    s->now = to;
}

static uint64_t now_of(const struct state *s)
{
    return loop_now_us(s->all->loop);
}

static void drop_token(struct state *s)
{
    secret_free(s->token);
    s->token = NULL;
}

static void state_free(struct state *s)
{
    list_remove(&s->link);
    s->all->count--;
    credential_fetch_free(s->fetch);
    drop_token(s);
    arena_free(s->said);
    arena_free(s->arena);
    mem_free(s);
}

static bool is_good(const struct state *s)
{
    return s->token && now_of(s) < s->end_us;
}

/* Credentials that a reload has left behind. */
static void sweep(struct credentials *all)
{
    LIST_EACH_SAFE(it, &all->states)
    {
        struct state *s = CONTAINER_OF(it, struct state, link);
        if (all->count > STATES_KEPT && !s->fetch && list_empty(&s->waits) && !is_good(s))
            state_free(s);
    }
}

static struct state *state_find(struct credentials *all, struct str id)
{
    LIST_EACH(it, &all->states)
    {
        struct state *s = CONTAINER_OF(it, struct state, link);
        if (str_eq(s->id, id))
            return s;
    }
    return NULL;
}

static struct state *state_of(struct credentials *all, const struct credential_source *src)
{
    struct state *s = state_find(all, src->google->id);
    if (s)
        return s;
    sweep(all);
    s = MEM_NEW(struct state);
    s->all = all;
    s->arena = arena_new();
    s->id = arena_dup(s->arena, src->google->id);
    s->retry_ms = RETRY_FIRST_MS;
    list_init(&s->waits);
    list_push(&all->states, &s->link);
    all->count++;
    return s;
}

/* -- waiters */

static void wait_free(struct credential_wait *w)
{
    list_remove(&w->link);
    timer_stop(&w->limit);
    defer_cancel(&w->soon);
    mem_free(w);
}

static void tell(struct credential_wait *w, const struct credential_result *r)
{
    credential_fn *fn = w->fn;
    void *ctx = w->ctx;
    wait_free(w);
    fn(ctx, r);
}

/* What is known now: a token, or why there is none. */
static struct credential_result outcome(const struct state *s)
{
    if (is_good(s))
        return (struct credential_result){ .err = ERR_OK, .token = secret_reveal(s->token) };
    /* No failure to tell of: the token was refused between the promise of it and now. */
    static const struct str refused =
        STR_INIT("the provider refused the gateway's access token; try again");
    return (struct credential_result){ .err = ERR_UPSTREAM_AUTH,
                                       .problem = s->problem.len ? s->problem : refused,
                                       .detail = s->detail.len ? s->detail : refused };
}

static void on_soon(void *ctx)
{
    struct credential_wait *w = ctx;
    const struct credential_result r = outcome(w->s);
    tell(w, &r);
}

static void on_wait_limit(void *ctx)
{
    struct credential_wait *w = ctx;
    static const struct credential_result r = {
        .err = ERR_TIMEOUT,
        .problem = STR_INIT("the gateway waited too long for an access token of Google"),
        .detail = STR_INIT("waited too long for an access token"),
    };
    tell(w, &r);
}

/* All who wait now: whoever comes during it waits for the next outcome. A callback may cancel others, and may ask again. */
static void tell_all(struct state *s)
{
    struct list due;
    list_init(&due);
    while (!list_empty(&s->waits)) {
        struct list *it = s->waits.next;
        list_remove(it);
        list_push(&due, it);
    }
    while (!list_empty(&due)) {
        /* Made anew each time: a callback may have invalidated the token. */
        const struct credential_result r = outcome(s);
        tell(CONTAINER_OF(due.next, struct credential_wait, link), &r);
    }
}

/* -- fetching */

static void keep_token(struct state *s, const struct google_token *t)
{
    uint64_t now_us = now_of(s), life_us = t->life_s * 1000000, margin_us = life_us / 20;
    drop_token(s);
    s->token = secret_new(t->token);
    s->end_us = now_us + life_us - (margin_us < 10000000 ? margin_us : 10000000);
    /* 75 to 80 %, so that workers and fleets do not ask in step. */
    s->refresh_us = now_us + life_us / 4 * 3 + rng_u64(s->all->rng) % (life_us / 20 + 1);
    s->retry_ms = RETRY_FIRST_MS;
    s->retry_us = 0;
}

static void keep_failure(struct state *s, const struct fetch_result *r)
{
    arena_free(s->said);
    s->said = arena_new();
    s->problem = arena_dup(s->said, r->problem);
    s->detail = arena_dup(s->said, r->detail);
    s->retry_us = now_of(s) + s->retry_ms * 1000;
    s->retry_ms = s->retry_ms * 2 < RETRY_MAX_MS ? s->retry_ms * 2 : RETRY_MAX_MS;
}

static void on_fetched(void *ctx, const struct fetch_result *r)
{
    struct state *s = ctx;
    if (r->err)
        keep_failure(s, r);
    else
        keep_token(s, &r->token);
    state_to(s, r->err && s->now == TOKEN_FETCHING ? TOKEN_FAILED : TOKEN_VALID);
    struct credential_fetch *f = s->fetch;
    s->fetch = NULL;
    credential_fetch_free(f);
    tell_all(s);
}

static void fetch(struct state *s, const struct credential_source *src)
{
    const struct fetch_opts o = { s->all->loop, s->all->client, *src };
    state_to(s, s->token ? TOKEN_REFRESHING : TOKEN_FETCHING);
    s->fetch = credential_fetch_new(&o, on_fetched, s);
}

/* Whatever the time has changed since the last look. */
static void look(struct state *s, const struct credential_source *src)
{
    uint64_t now_us = now_of(s);
    if (s->token && !is_good(s)) {
        drop_token(s);
        /* A refresh on its way is what those who come now wait for. */
        state_to(s, s->now == TOKEN_REFRESHING ? TOKEN_FETCHING : TOKEN_ABSENT);
    }
    if (s->fetch || now_us < s->retry_us)
        return;
    if (!s->token || now_us >= s->refresh_us)
        fetch(s, src);
}

bool credential_ready(struct credentials *all, const struct credential_source *src,
                      struct str *ret_token)
{
    struct state *s = state_find(all, src->google->id);
    if (!s || !is_good(s))
        return false;
    look(s, src);
    *ret_token = secret_reveal(s->token);
    return true;
}

struct credential_wait *credential_get(struct credentials *all, const struct credential_source *src,
                                       uint64_t timeout_ms, credential_fn *on_done, void *ctx)
{
    struct state *s = state_of(all, src);
    struct credential_wait *w = MEM_NEW(struct credential_wait);
    *w = (struct credential_wait){ .s = s, .fn = on_done, .ctx = ctx };
    timer_init(&w->limit, all->loop, on_wait_limit, w);
    defer_init(&w->soon, on_soon, w);
    list_push(&s->waits, &w->link);
    look(s, src);
    if (!is_good(s) && s->fetch) {
        timer_set(&w->limit, timeout_ms);
        return w;
    }
    loop_defer(all->loop, &w->soon);
    return w;
}

void credential_cancel(struct credential_wait *w)
{
    if (w)
        wait_free(w);
}

bool credential_invalidate(struct credentials *all, const struct credential_source *src,
                           struct str token)
{
    struct state *s = state_find(all, src->google->id);
    uint64_t now_us = loop_now_us(all->loop);
    if (!s || !s->token || !secret_eq(s->token, token))
        return true;
    if (s->dropped_us && now_us - s->dropped_us < INVALIDATE_EVERY_US)
        return false;
    s->dropped_us = now_us;
    drop_token(s);
    s->retry_us = 0;
    state_to(s, s->now == TOKEN_REFRESHING ? TOKEN_FETCHING : TOKEN_ABSENT);
    return true;
}

struct credentials *credentials_new(struct loop *l, struct client *c, struct rng *rng)
{
    struct credentials *all = MEM_NEW(struct credentials);
    *all = (struct credentials){ .loop = l, .client = c, .rng = rng };
    list_init(&all->states);
    return all;
}

void credentials_free(struct credentials *all)
{
    if (!all)
        return;
    LIST_EACH_SAFE(it, &all->states)
    {
        struct state *s = CONTAINER_OF(it, struct state, link);
        LIST_EACH_SAFE(at, &s->waits) wait_free(CONTAINER_OF(at, struct credential_wait, link));
        state_free(s);
    }
    mem_free(all);
}
