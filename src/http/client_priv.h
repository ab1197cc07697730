/* http/client_priv.h -- what client.c, call.c and pool.c share.
 *
 *   client --- pool (one per origin: key and TLS context) --- conn (idle: in the pool; leased: a
 *                                                                  call's)
 *     client.c   making calls from requests, the free list of calls
 *     call.c     one request and its answer: the state machine
 *     call_out.c how the request goes out
 *     pool.c     connections between calls
 *
 * A pool counts slots: a slot is an idle connection, a leased one, or a dial under way. Who
 * reserves a slot gives it back by exactly one of pool_release (a dial that came to nothing) or
 * conn_drop (a connection's end).
 * Thread: the client's. */
#ifndef HTTP_CLIENT_PRIV_H
#define HTTP_CLIENT_PRIV_H

#include "base/buf.h"
#include "base/hash.h"
#include "http/client.h"
#include "http/h1.h"
#include "http/http_priv.h"

struct call;

struct client {
    struct loop *loop;
    struct client_opts opts;
    struct map by_key;  /* origin key -> the first of its pools, chained by same_key */
    struct list pools;  /* all of them */
    size_t connections; /* open streams: leased and idle */
    /* Set while there is a pool; closes what is too old, drops pools that hold nothing. */
    struct timer sweep;
    struct buf head;   /* request heads are assembled here; valid within one call */
    struct list spare; /* calls to be used again, with their arenas */
    size_t spare_count;
    size_t calls; /* given out and not closed */
};

struct pool {
    struct list link;      /* in client->pools */
    struct pool *same_key; /* another TLS context (CA, verify) under the same key */
    struct client *client;
    struct str key;      /* a copy: the map borrows it */
    struct tls_ctx *tls; /* a reference, so that its address cannot become another context's */
    struct list idle;    /* conns; the latest used first */
    size_t slots;
};

struct conn {
    struct list link; /* in pool->idle while idle, else linked to itself */
    struct pool *pool;
    struct stream *stream;
    struct call *call; /* NULL: idle */
    uint64_t born_us, idle_since_us;
};

/* -- pool.c */

void pools_init(struct client *c);
void pools_done(struct client *c); /* all connections are idle */

/* The pool of an origin, made when it is new. It lives while it has a slot. */
struct pool *pool_of(struct client *c, const struct origin *o);
/* The idle connection that was used last and is still young enough; NULL: there is none. Its
 * slot comes with it. */
struct conn *pool_take(struct pool *p);
/* False: the origin has as many connections as it may. */
bool pool_reserve(struct pool *p);
void pool_release(struct pool *p);

/* A connection for a fresh stream; the slot has been reserved. The stream's events go to `ev`
 * with the conn as context. */
struct conn *conn_new(struct pool *p, struct stream *s, const struct stream_events *ev);
/* Back to the pool; dropped instead when it is too old or at its end. */
void conn_keep(struct conn *cn);
/* Closes. `abort`: at once, with a reset where something is under way. */
void conn_drop(struct conn *cn, bool abort);

/* -- call.c */

enum call_state {
    CALL_SPARE,  /* in client->spare */
    CALL_WAIT,   /* a dial is under way */
    CALL_AWAIT,  /* connected: the answer's head is to come */
    CALL_BODY,   /* the head was given out, the body is to come */
    CALL_DONE,   /* the answer is complete */
    CALL_FAILED, /* on_error was called, or is queued */
    CALL_CLOSED, /* given back, within a callback */
};

struct call {
    struct exchange base; /* first: an exchange is a call */
    struct list link;     /* in client->spare */
    struct client *client;
    enum call_state state;
    unsigned busy; /* callbacks that are on the stack */
    enum err fail; /* FAILED: for on_error */

    const struct origin *origin;
    struct dial *dial; /* it has a slot of `pool` */
    struct pool *pool; /* of the dial; a conn knows its own */
    struct conn *conn;
    uint64_t connect_timeout_ms, first_byte_timeout_ms, idle_timeout_ms;

    /* the request */
    struct str *out; /* its segments, in the arena: the head, then the body's */
    size_t out_count;
    size_t seg, seg_off; /* the first byte that the stream was not given */
    size_t rest;         /* bytes from there on */
    size_t total;        /* bytes of all segments */
    size_t framing;      /* those of them that are not body */
    size_t written;      /* body bytes given by exchange_write */
    bool chunked;
    int64_t declared; /* what the parts of the body must add up to; -1: any */
    bool more;        /* the owner will exchange_write the end of the body */
    bool wrote;       /* it has begun to: the request cannot be sent again */
    struct buf late;  /* written before the stream could take it */

    /* the answer */
    struct h1 h1;
    bool bodiless; /* to a HEAD */
    bool flow;     /* the owner pulls */
    bool parsing;  /* call_parse is on the stack */
    bool stopped;  /* stream_read is off */
    /* Something came after the end: no other answer may be read from this connection. */
    bool surplus;
    enum err ended;  /* reading ended while the owner did not pull; 0: not */
    struct buf held; /* what came before the owner pulled, from held_used on */
    size_t held_used;

    /* AWAIT: when the request was begun; BODY: the last byte, or when the owner pulled again. */
    uint64_t since_us;
    /* Lazy: may fire early, looks at the state, is set again; goes on from call to call. */
    struct timer timer;
    struct defer defer; /* gives a failure, goes on with sending or with what is held */
};

void call_init(struct call *x, struct client *c); /* a zeroed one, SPARE */
void call_done(struct call *x);
/* From SPARE on: takes a connection or dials, or fails later. */
void call_start(struct call *x);

/* From within a call of the owner: on_error comes later. */
void call_fail_later(struct call *x, enum err e, struct str detail);
void call_arm(struct call *x); /* the timer, for the state as it is */

/* -- call_out.c */
void call_send(struct call *x);    /* as much as the stream may take */
void call_send_on(struct call *x); /* the same from the loop, and on_drain */
size_t call_unsent(const struct exchange *base);
void call_write(struct exchange *base, const struct str *body, size_t n, bool end);

/* -- client.c */
void call_recycle(struct call *x); /* CLOSED, and nothing of it is on the stack */

#endif
