/* flow/worker.h -- one thread's share of the gateway: its loop, its pools, its requests. No locks on the request path.
 *
 *   struct gateway   what all workers share: a few atomics and const tables
 *   struct worker    one thread's own
 *
 * The control thread makes workers before their threads start, and afterwards talks to them through worker_post_*. */
#ifndef FLOW_WORKER_H
#define FLOW_WORKER_H

#include "base/log.h"
#include "base/rng.h"
#include "flow/credential.h"
#include "flow/snapshot.h"
#include "http/route.h"
#include "http/server.h"
#include "net/dial.h"
#include "store/sessions.h"

#include <stdatomic.h>

struct gateway {
    struct route_table routes;
    const struct proxies *proxies;
    struct dns *dns;
    struct str version;    /* "0.1.0" */
    _Atomic bool draining; /* readiness answers 503 */
    _Atomic uint64_t in_flight_bytes;
    uint64_t in_flight_max;
    enum log_form log_form;
    bool access_log;
    struct sessions *sessions; /* NULL: it could not be opened */
    /* Takes a worker's finished log lines, whole lines, at most 64 KiB; any thread; copies. False: dropped (the writer is behind, and counts). */
    bool (*write_log)(void *ctx, struct str lines);
    void *log_ctx;
    /* What admin handlers get as `app`, for a snapshot; lives in the arena. */
    const void *(*admin_app)(const struct gateway *g, const struct snapshot *s, struct arena *a);
};

/* A worker's view of a snapshot: plain counts, one atomic reference. */
struct worker_snapshot {
    struct snapshot *s;
    uint32_t uses; /* requests, plus one while current */
};

struct worker {
    struct gateway *gw;
    struct loop *loop;
    struct http_server *server;
    struct listener *listener;
    struct client *client;
    struct credentials *credentials;
    struct worker_snapshot *current;
    struct rng rng;
    struct list flows; /* requests in progress */
    size_t flow_count;
    struct buf log; /* lines waiting for log_timer */
    struct timer log_timer;
    bool stopping; /* asked to end: stops when the last request has ended */
    struct defer quit;
    unsigned index;
};

struct worker_opts {
    struct gateway *gw;
    struct snapshot *snapshot; /* a reference is taken */
    struct listen_opts listen;
    unsigned index;
};

/* Makes the worker with its loop, listening. Errors as listener_new. */
MUST_CHECK enum err worker_new(const struct worker_opts *o, struct worker **ret_worker,
                               int *ret_errno);
void worker_run(struct worker *w); /* in its thread, until worker_post_stop has taken effect */
void worker_free(struct worker *w);

/* From any thread. */
void worker_post_snapshot(struct worker *w, struct snapshot *s); /* takes over a reference */
void worker_post_drain(struct worker *w); /* no new connections; answers close theirs */
void worker_post_stop(
    struct worker
        *w); /* cuts what is left: streams end with an error event; then worker_run returns */
/* Calls `fn(ctx)` in the worker's thread. */
void worker_post_call(struct worker *w, void (*fn)(struct worker *w, void *ctx), void *ctx);

/* -- for flow/ itself */
struct worker_snapshot *worker_snapshot_use(struct worker *w);
void worker_snapshot_drop(struct worker *w, struct worker_snapshot *ws);
void worker_idle(
    struct worker *w); /* a request has ended: the last one of a stopping worker ends it */
void worker_log_commit(struct worker *w);                 /* a whole line was appended to w->log */
void worker_on_request(void *worker, struct exchange *x); /* flow.c */

#endif
