/* store/sessions.h -- what responses leave behind: the turns that previous_response_id goes back to,
 * and which deployment made an id.
 *
 * One SQLite file, sessions.db in the data directory, with one thread that alone reads and writes it;
 * workers ask through a bounded queue. The queue is served in order, and reads see what was written
 * before them although it is not committed yet: a follow-up that is sent the moment its predecessor
 * ends finds it, whichever worker it comes to. A delete is committed before it is told; puts are in batches: SESSIONS_COMMIT_MS
 * after the first of them, sooner where they are many, and when the store is closed. What a crash may
 * lose is at most that; a loss of power may take the batches of the last seconds as well, and leaves
 * the file whole.
 *
 *   sessions_open -> sessions_put, sessions_get, sessions_delete (any thread) -> sessions_close
 *
 * A row older than the life is not found any more. Such rows, and the oldest beyond the size, are
 * removed a few at a time: at start, every few minutes, after sessions_limit, and as soon as the size
 * is passed. The file is of mode 0600, and so are sessions.db-wal and sessions.db-shm beside it.
 *
 * A disk that is full or fails stops nothing: what could not be written is lost and counted, and
 * sessions_ready is false until a trial write, one a second, has gone through. */
#ifndef STORE_SESSIONS_H
#define STORE_SESSIONS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#define SESSIONS_COMMIT_MS 50
#define SESSIONS_IDS_MAX 64 /* of one sessions_get */

struct sessions;

struct session_limits {       /* 0 in any of them: no such limit */
    uint64_t life_s;          /* of a row, from when it was written (last, where it was replaced) */
    uint64_t turns_max;       /* of a chain */
    uint64_t chain_bytes_max; /* input and output of a chain's turns */
    uint64_t turn_bytes_max;  /* input + output + object of one turn: a larger one is not kept */
    uint64_t file_bytes_max;  /* of all rows: what callers gave, without the file's own overhead */
    uint64_t queue_bytes_max; /* waiting to be written; one job is taken whatever its size */
};

/* A response. Slices are copied by sessions_put; any bytes will do. */
struct session_turn {
    struct str id, parent; /* "resp_..."; parent empty: none */
    struct str owner;      /* who may see it: the hash of a key. Ids of two owners never meet */
    struct str deployment; /* the id of what made it */
    struct str model;      /* the name that the client asked for */
    bool native;           /* the provider keeps it: input, output and object are empty here */
    uint64_t created_s;    /* unix */
    struct str input, output, object; /* JSON */
};

/* Errors, with *ret_problem (in `a`) for the operator (the file, what is wrong, what to do): ERR_IO.
 * A file that is damaged, of a newer weir or of another program is left as it is. `seconds` tells the
 * time (unix), in the store's thread. */
MUST_CHECK enum err sessions_open(const char *path, const struct session_limits *limits,
                                  uint64_t (*seconds)(void), struct arena *a,
                                  struct sessions **ret_sessions, struct str *ret_problem);
/* What waits is written and committed; gets that wait are answered ERR_CANCELLED. No other call may be
 * under way. Accepts NULL. */
void sessions_close(struct sessions *s);
/* After a reload. */
void sessions_limit(struct sessions *s, const struct session_limits *limits);

/* False: the queue is more than half full, or the disk takes nothing (a new request is answered 503
 * before money is spent). The other half is for the requests that were let in. Takes no lock. */
bool sessions_ready(const struct sessions *s);
/* Never waits. A row of the same id and owner is replaced. That the row is written is not promised
 * (`failed`). Errors: ERR_OVERLOADED (the queue is full), ERR_TOO_LARGE (turn_bytes_max). */
MUST_CHECK enum err sessions_put(struct sessions *s, const struct session_turn *t);

struct session_query {
    struct str owner;
    /* Its whole chain is wanted, oldest first; empty: none. The walk back ends at a native turn: it
     * can only stand first, and is the only one where it is `previous` itself. */
    struct str previous;
    const struct str *ids; /* single turns; the same one may be named twice */
    size_t id_count;       /* at most SESSIONS_IDS_MAX */
    bool whole;            /* with `object`, of the chain too */
};

/* What was found; lives until session_result_free. All or nothing: with an error there are no turns. */
struct session_result {
    /* ERR_NOT_FOUND: `missing` (previous, a turn before it, one of the ids) is unknown, gone, or another
     * owner's. ERR_TOO_LARGE: the chain is over a limit, or its parents lead in a circle; or several
     * single turns are together over chain_bytes_max. ERR_IO. ERR_CANCELLED. */
    enum err err;
    struct str missing;
    struct session_turn *chain;
    size_t chain_count;
    struct session_turn *turns; /* in the order of `ids` */
    size_t turn_count;
    struct arena *arena; /* the result itself lives in it */
};
void session_result_free(struct session_result *r); /* accepts NULL */

/* `done` is called in the store's thread, once, and takes over the result; it must only hand it on.
 * Slices of the query are copied. Errors, and then `done` is not called: ERR_OVERLOADED; ERR_TOO_LARGE:
 * more than SESSIONS_IDS_MAX ids. */
typedef void session_done_fn(void *ctx, struct session_result *r);
MUST_CHECK enum err sessions_get(struct sessions *s, const struct session_query *q,
                                 session_done_fn *done, void *ctx);
/* Removes one turn of that owner; the result says ERR_OK, ERR_NOT_FOUND or ERR_IO. A chain through it
 * is broken. It is done when the store is closed, too. Errors: ERR_OVERLOADED. */
MUST_CHECK enum err sessions_delete(struct sessions *s, struct str owner, struct str id,
                                    session_done_fn *done, void *ctx);

struct session_stats {
    uint64_t rows, bytes;          /* kept; bytes as file_bytes_max counts them */
    uint64_t queued, queued_bytes; /* waiting or being worked on: puts, gets and deletes */
    uint64_t written;              /* puts and deletes that were committed */
    uint64_t dropped;              /* puts that were refused */
    uint64_t failed;               /* puts and deletes that the disk did not take */
    char problem[120]; /* the last failure of the file, for the operator; empty: none yet */
};
void sessions_stats(const struct sessions *s, struct session_stats *ret); /* any thread */

#endif
