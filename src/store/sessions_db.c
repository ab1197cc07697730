#include "store/sessions_priv.h"

#define PURGE_BYTES MIB /* of one slice: the pages of what is removed are read and freed */
#define SHRINK_PAGES_MIN 4096

int sessions_db_errno(const struct sessions_db *db)
{
    /* Of other failures SQLite keeps what it was before. */
    int code = sqlite3_errcode(db->handle) & 0xff;
    return code == SQLITE_IOERR || code == SQLITE_CANTOPEN ? sqlite3_system_errno(db->handle) : 0;
}

void sessions_db_note(struct sessions_db *db)
{
    db->error = sqlite3_extended_errcode(db->handle);
    db->error_os = sessions_db_errno(db);
}

/* Where another program holds the lock every write would wait for it, and with it every read behind that write: while writes fail only
 * the probe finds out whether they can go on, and nothing waits. */
static void set_failing(struct sessions_db *db, bool failing)
{
    if (db->failing != failing)
        sqlite3_busy_timeout(db->handle, failing ? 0 : SESSIONS_BUSY_MS);
    db->failing = failing;
}

void sessions_db_bind(sqlite3_stmt *sql, int at, struct str s)
{
    sqlite3_bind_text64(sql, at, s.len ? s.p : "", s.len, SQLITE_STATIC, SQLITE_UTF8);
}

void sessions_db_reset(sqlite3_stmt *sql)
{
    sqlite3_reset(sql);
    sqlite3_clear_bindings(sql);
}

bool sessions_db_run(struct sessions_db *db, enum sessions_sql which)
{
    sqlite3_stmt *sql = db->sql[which];
    bool ok = sqlite3_step(sql) == SQLITE_DONE;
    if (!ok)
        sessions_db_note(db);
    sessions_db_reset(sql);
    return ok;
}

bool sessions_db_total(struct sessions_db *db)
{
    sqlite3_stmt *sql = db->sql[SQL_TOTAL];
    bool ok = sqlite3_step(sql) == SQLITE_ROW;
    if (ok) {
        db->rows = (uint64_t)sqlite3_column_int64(sql, 0);
        db->bytes = (uint64_t)sqlite3_column_int64(sql, 1);
    } else {
        sessions_db_note(db);
    }
    sessions_db_reset(sql);
    return ok;
}

/* -- the open transaction */

static void forget_open(struct sessions_db *db)
{
    db->open_changes = db->open_writes = db->open_bytes = 0;
}

/* What a failed step has rolled back is lost. */
static void lose_open(struct sessions_db *db)
{
    if (sessions_db_dirty(db))
        return;
    db->failed += db->open_writes;
    forget_open(db);
    /* Where even that fails the old numbers stand until the next write. */
    (void)sessions_db_total(db);
}

static bool begin(struct sessions_db *db, uint64_t now_us)
{
    if (sessions_db_dirty(db))
        return true;
    if (!sessions_db_run(db, SQL_BEGIN))
        return false;
    db->begun_us = now_us;
    return true;
}

static void changed(struct sessions_db *db, uint64_t writes, uint64_t bytes)
{
    db->open_changes++;
    db->open_writes += writes;
    db->open_bytes += bytes;
    (void)sessions_db_total(db);
}

bool sessions_db_commit(struct sessions_db *db)
{
    if (!sessions_db_dirty(db))
        return true;
    if (sessions_db_run(db, SQL_COMMIT)) {
        db->written += db->open_writes;
        forget_open(db);
        return true;
    }
    set_failing(db, true);
    if (sessions_db_dirty(db)) {
        int error = db->error, error_os = db->error_os;
        (void)sessions_db_run(db, SQL_ROLLBACK); /* after a failed COMMIT it may have happened */
        db->error = error;
        db->error_os = error_os;
    }
    lose_open(db);
    return false;
}

static void write_failed(struct sessions_db *db)
{
    db->failed++;
    set_failing(db, true);
    lose_open(db);
}

/* -- writes */

static bool put(struct sessions_db *db, const struct session_turn *t, uint64_t bytes,
                uint64_t now_s)
{
    sqlite3_stmt *sql = db->sql[SQL_PUT];
    sqlite3_bind_int64(sql, 1, (int64_t)now_s);
    sqlite3_bind_int64(sql, 2, (int64_t)t->created_s);
    sqlite3_bind_int(sql, 3, t->native);
    sqlite3_bind_int64(sql, 4, (int64_t)(t->input.len + t->output.len));
    sqlite3_bind_int64(sql, 5, (int64_t)bytes);
    const struct str columns[] = { t->id,    t->owner, t->parent, t->deployment,
                                   t->model, t->input, t->output, t->object };
    for (int i = 0; i < (int)(sizeof columns / sizeof columns[0]); i++)
        sessions_db_bind(sql, 6 + i, columns[i]);
    return sessions_db_run(db, SQL_PUT);
}

void sessions_db_put(struct sessions_db *db, const struct session_turn *t, uint64_t now_s,
                     uint64_t now_us)
{
    uint64_t bytes = t->id.len + t->owner.len + t->parent.len + t->deployment.len + t->model.len +
                     t->input.len + t->output.len + t->object.len;
    if (begin(db, now_us) && put(db, t, bytes, now_s))
        changed(db, 1, bytes);
    else
        write_failed(db);
}

enum err sessions_db_delete(struct sessions_db *db, struct str owner, struct str id,
                            const struct session_limits *limits, uint64_t now_s, uint64_t now_us)
{
    sqlite3_stmt *sql = db->sql[SQL_DELETE];
    bool ok = begin(db, now_us);
    if (ok) {
        sessions_db_bind(sql, 1, id);
        sessions_db_bind(sql, 2, owner);
        sqlite3_bind_int64(sql, 3, sessions_cutoff(limits, now_s));
        ok = sessions_db_run(db, SQL_DELETE);
    }
    if (!ok) {
        write_failed(db);
        return ERR_IO;
    }
    if (sqlite3_changes(db->handle) == 0)
        return ERR_NOT_FOUND;
    changed(db, 1, 0);
    return sessions_db_commit(db) ? ERR_OK : ERR_IO; /* who was told that it is gone relies on it */
}

/* -- what goes by itself */

struct oldest {
    int64_t rid, written_s;
    uint64_t bytes;
};

static bool find_oldest(struct sessions_db *db, struct oldest *ret)
{
    sqlite3_stmt *sql = db->sql[SQL_OLDEST];
    int rc = sqlite3_step(sql);
    if (rc == SQLITE_ROW)
        *ret = (struct oldest){ sqlite3_column_int64(sql, 0), sqlite3_column_int64(sql, 1),
                                (uint64_t)sqlite3_column_int64(sql, 2) };
    else if (rc != SQLITE_DONE)
        sessions_db_note(db);
    sessions_db_reset(sql);
    return rc == SQLITE_ROW;
}

bool sessions_db_purge(struct sessions_db *db, const struct session_limits *limits,
                       uint64_t rows_max, uint64_t now_s, uint64_t now_us)
{
    uint64_t freed_bytes = 0;
    for (uint64_t n = 0; n < rows_max && freed_bytes < PURGE_BYTES; n++) {
        struct oldest row;
        if (!find_oldest(db, &row))
            return false;
        bool over = limits->file_bytes_max && db->bytes > limits->file_bytes_max;
        if (!over && row.written_s > sessions_cutoff(limits, now_s))
            return false;
        bool ok = begin(db, now_us);
        if (ok) {
            sqlite3_bind_int64(db->sql[SQL_DROP], 1, row.rid);
            ok = sessions_db_run(db, SQL_DROP);
        }
        if (!ok) { /* nothing of a caller's was in it; tried again the next time */
            lose_open(db);
            return false;
        }
        freed_bytes += row.bytes;
        changed(db, 0, row.bytes);
    }
    return true;
}

static uint64_t pragma(struct sessions_db *db, enum sessions_sql which)
{
    sqlite3_stmt *sql = db->sql[which];
    uint64_t value = sqlite3_step(sql) == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(sql, 0) : 0;
    sessions_db_reset(sql);
    return value;
}

bool sessions_db_shrink(struct sessions_db *db)
{
    uint64_t pages = pragma(db, SQL_PAGES), spare = pragma(db, SQL_FREE_PAGES);
    if (pages < SHRINK_PAGES_MIN || spare <= pages / 2)
        return false;
    /* It yields a row for each page that it gives back. */
    int rc;
    do
        rc = sqlite3_step(db->sql[SQL_SHRINK]);
    while (rc == SQLITE_ROW);
    sessions_db_reset(db->sql[SQL_SHRINK]);
    return rc == SQLITE_DONE && pragma(db, SQL_FREE_PAGES) < spare;
}

void sessions_db_probe(struct sessions_db *db, uint64_t now_us)
{
    sessions_db_commit(db);
    set_failing(db, true);
    if (!begin(db, now_us))
        return;
    bool ok = sessions_db_run(db, SQL_PROBE);
    if (ok && sessions_db_run(db, SQL_COMMIT))
        ok = begin(db, now_us) && sessions_db_run(db, SQL_PROBE_DONE) &&
             sessions_db_run(db, SQL_COMMIT);
    else
        ok = false;
    if (sessions_db_dirty(db))
        (void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
    set_failing(db, !ok);
}
