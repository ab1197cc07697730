/* store/sessions_priv.h -- the parts of sessions: the queue and its thread (sessions.c), the file and what is written
 * (sessions_db.c, sessions_file.c), chains and single turns (sessions_read.c).
 *
 *   any thread ── job ──► queue ──► the thread ──► sessions_db ──► sessions.db
 *                                        └── done(result)
 *
 * Thread: sessions_db is the store thread's; sessions_open makes it before that thread starts. */
#ifndef STORE_SESSIONS_PRIV_H
#define STORE_SESSIONS_PRIV_H

#include "base/mem.h"
#include "store/sessions.h"

#include <sqlite3.h>

#define SESSIONS_BUSY_MS 500 /* for the lock that another program holds */

/* What tests change; sessions_open takes the defaults. */
struct sessions_tuning {
    uint64_t commit_us; /* at most, from the first write that is not committed */
    uint64_t purge_us;  /* between two looks for rows that are too old */
    uint64_t retry_us;  /* from a failed write to the next try */
    uint32_t pages_max; /* of the file; 0: any. Stands for a full disk */
};

MUST_CHECK enum err sessions_open_with(const char *path, const struct session_limits *limits,
                                       const struct sessions_tuning *tuning,
                                       uint64_t (*seconds)(void), struct arena *a,
                                       struct sessions **ret_sessions, struct str *ret_problem);

/* The statements, in the order of their table in sessions_file.c. */
enum sessions_sql {
    SQL_BEGIN,
    SQL_COMMIT,
    SQL_ROLLBACK,
    SQL_PUT,
    SQL_DELETE,
    SQL_TOTAL,
    SQL_FIND,
    SQL_LOAD,
    SQL_LOAD_WHOLE,
    SQL_OLDEST,
    SQL_DROP,
    SQL_PROBE,
    SQL_PROBE_DONE,
    SQL_PAGES,
    SQL_FREE_PAGES,
    SQL_SHRINK,
    SQL_COUNT
};

struct sessions_db {
    sqlite3 *handle;
    sqlite3_stmt *sql[SQL_COUNT];
    uint64_t rows, bytes; /* of the file and the open transaction */
    uint64_t begun_us;    /* the open transaction: since when, and what is in it */
    uint64_t open_changes, open_bytes;
    uint64_t open_writes; /* puts and deletes among its changes: what is lost with it */
    uint64_t written, failed;
    bool failing; /* a write failed, and none was tried with success since */
    int error;    /* SQLite's extended code of the last failure; 0: none yet */
    int error_os; /* errno with it */
};

/* sessions_file.c. Creates, opens and checks. On an error nothing is left open. Errors, with *ret_problem: ERR_IO. */
MUST_CHECK enum err sessions_db_open(struct sessions_db *db, const char *path, uint32_t pages_max,
                                     struct arena *a, struct str *ret_problem);
void sessions_db_close(struct sessions_db *db); /* what is not committed is lost */

/* sessions_db.c. A failure is counted in the db and never stops it: what was not committed may be lost with it.
 * Each step resets its statement, so that none keeps a transaction open. */
void sessions_db_put(struct sessions_db *db, const struct session_turn *t, uint64_t now_s,
                     uint64_t now_us);
/* Errors: ERR_NOT_FOUND, ERR_IO. */
MUST_CHECK enum err sessions_db_delete(struct sessions_db *db, struct str owner, struct str id,
                                       const struct session_limits *limits, uint64_t now_s,
                                       uint64_t now_us);
bool sessions_db_commit(struct sessions_db *db); /* false: it was rolled back */
/* Removes at most `rows_max` rows that are too old, or the oldest where all are too many bytes. True: there may be more. */
bool sessions_db_purge(struct sessions_db *db, const struct session_limits *limits,
                       uint64_t rows_max, uint64_t now_s, uint64_t now_us);
/* Gives a part of the file back to the disk where more than half of it is free. True: there may be more. */
bool sessions_db_shrink(struct sessions_db *db);
/* Tries to write and commit something of the size of a turn: `failing` says how it went. */
void sessions_db_probe(struct sessions_db *db, uint64_t now_us);

/* Runs a statement that yields no row to its end. False: it failed, which is noted. */
bool sessions_db_run(struct sessions_db *db, enum sessions_sql which);
/* Reads rows and bytes. False: that failed, which is noted. */
bool sessions_db_total(struct sessions_db *db);
static inline bool sessions_db_dirty(const struct sessions_db *db)
{
    return !sqlite3_get_autocommit(db->handle);
}
void sessions_db_bind(sqlite3_stmt *sql, int at, struct str s); /* borrows until the reset */
void sessions_db_reset(sqlite3_stmt *sql);
/* errno of what failed last, 0 where it has none. */
int sessions_db_errno(const struct sessions_db *db);
/* Remembers the error of what failed last. */
void sessions_db_note(struct sessions_db *db);

/* sessions_read.c. Fills `r`, whose arena and err (ERR_OK) are set. */
void sessions_db_get(struct sessions_db *db, const struct session_query *q,
                     const struct session_limits *limits, uint64_t now_s, struct session_result *r);

/* Rows written at or before this second are too old, whether they are still there or not. */
static inline int64_t sessions_cutoff(const struct session_limits *limits, uint64_t now_s)
{
    return limits->life_s && now_s >= limits->life_s ? (int64_t)(now_s - limits->life_s) : -1;
}

#endif
