/* store/sessions.h -- what responses leave behind: the turns that previous_response_id goes back to, and which deployment made an id.
 *
 * One SQLite file, sessions.db in the data directory, with one thread that alone reads and writes it; workers ask through a bounded
 * queue. The queue is served in order, and reads see what was written before them although it is not committed yet: a follow-up that is
 * sent the moment its predecessor ends finds it, whichever worker it comes to. Writes are committed in batches (at the latest after
 * SESSIONS_COMMIT_MS, and when the store is closed); what a crash may lose is at most that.
 *
 *   sessions_open -> sessions_put, sessions_get, sessions_delete (any thread) -> sessions_close
 *
 * Rows older than the life, and the oldest beyond the size, go: at start, and every few minutes. The file is of mode 0600. */
#ifndef STORE_SESSIONS_H
#define STORE_SESSIONS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define SESSIONS_COMMIT_MS 50
#define SESSIONS_IDS_MAX 64 /* of one sessions_get */

struct sessions;

struct session_limits {
    uint64_t life_s;          /* of a row, from when it was written */
    uint64_t turns_max;       /* of a chain */
    uint64_t chain_bytes_max; /* input and output of a chain's turns */
    uint64_t turn_bytes_max;  /* input + output + object of one turn: a larger one is not kept */
    uint64_t file_bytes_max;  /* of all rows; the oldest go. 0: any */
    uint64_t queue_bytes_max; /* waiting to be written */
};

/* A response. Slices are copied by sessions_put. */
struct session_turn {
    struct str id, parent;  /* "resp_..."; parent empty: none */
    struct str owner;       /* who may see it: the hash of a key */
    struct str deployment;  /* the id of what made it */
    struct str model;       /* the name that the client asked for */
    bool native;            /* the provider keeps it: input, output and object are empty here */
    uint64_t created_s;     /* unix */
    struct str input, output, object; /* JSON */
};

/* Errors, with *ret_problem for the operator (the file, what is wrong, what to do): ERR_IO. `seconds` tells the time (unix). */
MUST_CHECK enum err sessions_open(const char *path, const struct session_limits *limits,
                                  uint64_t (*seconds)(void), struct arena *a,
                                  struct sessions **ret_sessions, struct str *ret_problem);
/* What waits is written and committed; gets that wait are answered ERR_CANCELLED. No other call may be under way. Accepts NULL. */
void sessions_close(struct sessions *s);
/* After a reload. */
void sessions_limit(struct sessions *s, const struct session_limits *limits);

/* False: too much is waiting to be written (a new request is answered 503 before money is spent). */
bool sessions_ready(const struct sessions *s);
/* Never waits. A row of the same id is replaced where the owner is the same. Errors: ERR_OVERLOADED (the queue is full), ERR_TOO_LARGE
 * (turn_bytes_max). */
MUST_CHECK enum err sessions_put(struct sessions *s, const struct session_turn *t);

struct session_query {
    struct str owner;
    struct str previous;    /* its whole chain is wanted, oldest first; empty: none. A native turn ends the chain: it is the only one */
    const struct str *ids;  /* single turns */
    size_t id_count;        /* at most SESSIONS_IDS_MAX */
    bool whole;             /* with `object` */
};

/* What was found; lives until session_result_free. */
struct session_result {
    enum err err; /* ERR_NOT_FOUND: `missing` is unknown, gone, or another owner's; ERR_TOO_LARGE: the chain is over a limit;
                     ERR_IO; ERR_CANCELLED */
    struct str missing;
    struct session_turn *chain;
    size_t chain_count;
    struct session_turn *turns; /* in the order of `ids` */
    size_t turn_count;
    struct arena *arena;
};
void session_result_free(struct session_result *r); /* accepts NULL */

/* `done` is called in the store's thread, once, and takes over the result; it must only hand it on. Slices of the query are copied.
 * Errors: ERR_OVERLOADED: `done` is not called. */
typedef void session_done_fn(void *ctx, struct session_result *r);
MUST_CHECK enum err sessions_get(struct sessions *s, const struct session_query *q,
                                 session_done_fn *done, void *ctx);
/* Removes one turn of that owner; the result says ERR_OK or ERR_NOT_FOUND. A chain through it is broken. */
MUST_CHECK enum err sessions_delete(struct sessions *s, struct str owner, struct str id,
                                    session_done_fn *done, void *ctx);

struct session_stats {
    uint64_t rows, bytes, queued, queued_bytes, written, dropped, failed;
};
void sessions_stats(const struct sessions *s, struct session_stats *ret); /* any thread */

#endif
