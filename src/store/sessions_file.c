#include "store/sessions_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCHEMA_VERSION 1
#define APPLICATION_ID 0x77656972 /* "weir" */

/* Small columns stand before the large ones: a walk along a chain reads none of the pages that hold JSON. An id counts with its owner:
 * nobody can take or replace the id of another. `written` is weir's clock, `created` what the response says. io_bytes are input and
 * output, bytes everything that a caller gave. The one row of `total` is kept by triggers, so that it stays exact whoever edits the
 * file. */
#define SCHEMA                                                                                     \
    "CREATE TABLE turn(rid INTEGER PRIMARY KEY, written INTEGER NOT NULL, created INTEGER NOT "    \
    "NULL, native INTEGER NOT NULL, io_bytes INTEGER NOT NULL, bytes INTEGER NOT NULL, id TEXT "   \
    "NOT NULL, owner TEXT NOT NULL, parent TEXT NOT NULL, deployment TEXT NOT NULL, model TEXT "   \
    "NOT NULL, input TEXT NOT NULL, output TEXT NOT NULL, object TEXT NOT NULL) STRICT;"           \
    "CREATE UNIQUE INDEX turn_id ON turn(id, owner);"                                              \
    "CREATE INDEX turn_written ON turn(written);"                                                  \
    "CREATE TABLE total(rows INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;"                    \
    "INSERT INTO total VALUES(0, 0);"                                                              \
    "CREATE TABLE probe(filler BLOB) STRICT;"                                                      \
    "CREATE TRIGGER turn_in AFTER INSERT ON turn BEGIN"                                            \
    " UPDATE total SET rows = rows + 1, bytes = bytes + new.bytes; END;"                           \
    "CREATE TRIGGER turn_out AFTER DELETE ON turn BEGIN"                                           \
    " UPDATE total SET rows = rows - 1, bytes = bytes - old.bytes; END;"                           \
    "CREATE TRIGGER turn_again AFTER UPDATE OF bytes ON turn BEGIN"                                \
    " UPDATE total SET bytes = bytes + new.bytes - old.bytes; END;"

#define LOAD_COLUMNS "id, parent, deployment, model, native, created, input, output"

static const char *const statements[SQL_COUNT] = {
    [SQL_BEGIN] = "BEGIN IMMEDIATE",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    /* One statement: where it fails, what stood there before still stands. */
    [SQL_PUT] =
        "INSERT INTO turn(written, created, native, io_bytes, bytes, id, owner, parent, "
        "deployment, model, input, output, object) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
        "?10, ?11, ?12, ?13) ON CONFLICT(id, owner) DO UPDATE SET written = excluded.written, "
        "created = excluded.created, native = excluded.native, io_bytes = excluded.io_bytes, "
        "bytes = excluded.bytes, parent = excluded.parent, deployment = excluded.deployment, "
        "model = excluded.model, input = excluded.input, output = excluded.output, "
        "object = excluded.object",
    [SQL_DELETE] = "DELETE FROM turn WHERE id = ?1 AND owner = ?2 AND written > ?3",
    [SQL_TOTAL] = "SELECT rows, bytes FROM total",
    [SQL_FIND] = "SELECT rid, native, io_bytes, parent FROM turn "
                 "WHERE id = ?1 AND owner = ?2 AND written > ?3",
    [SQL_LOAD] = "SELECT " LOAD_COLUMNS " FROM turn WHERE rid = ?1",
    [SQL_LOAD_WHOLE] = "SELECT " LOAD_COLUMNS ", object FROM turn WHERE rid = ?1",
    [SQL_OLDEST] = "SELECT rid, written, bytes FROM turn ORDER BY written, rid LIMIT 1",
    [SQL_DROP] = "DELETE FROM turn WHERE rid = ?1",
    [SQL_PROBE] = "INSERT INTO probe VALUES(zeroblob(262144))",
    [SQL_PROBE_DONE] = "DELETE FROM probe",
    [SQL_PAGES] = "PRAGMA page_count",
    [SQL_FREE_PAGES] = "PRAGMA freelist_count",
    [SQL_SHRINK] = "PRAGMA incremental_vacuum(128)",
};

/* WAL with synchronous=NORMAL: a killed process loses nothing that was committed; after a loss of power the file is whole, and the
 * last commits may be missing, which for a conversation is no more than the batch that a kill may cost. secure_delete=FAST: pages that
 * are written anyway are zeroed, others not, since zeroing what goes away would double the writing. No temporary files. */
static const char *const settings[] = {
    "PRAGMA trusted_schema = OFF",          "PRAGMA cell_size_check = ON",
    "PRAGMA temp_store = MEMORY",           "PRAGMA synchronous = NORMAL",
    "PRAGMA secure_delete = FAST",          "PRAGMA cache_size = -4096",
    "PRAGMA journal_size_limit = 67108864",
};

/* What went wrong and what to do about it. */
static enum err refuse(const char *path, const char *what, const char *why, const char *remedy,
                       struct arena *a, struct str *ret_problem)
{
    *ret_problem = arena_printf(a, "sessions file %s %s%s%s; %s", path, what, why ? ": " : "",
                                why ? why : "", remedy);
    return ERR_IO;
}

#define MOVE_AWAY                                                                                  \
    "stop weir, move the file away together with its -wal and -shm, and start again: a new one "   \
    "is made, and responses that the old one holds are not found any more"

static enum err refuse_sql(struct sessions_db *db, const char *path, struct arena *a,
                           struct str *ret_problem)
{
    int code = sqlite3_errcode(db->handle) & 0xff;
    const char *why = sqlite3_errmsg(db->handle);
    int os = sessions_db_errno(db);
    switch (code) {
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
    case SQLITE_ERROR: /* a statement does not fit the tables */
    case SQLITE_SCHEMA:
        return refuse(path, "is damaged, or is no sessions file", why,
                      "restore it from a copy; or " MOVE_AWAY, a, ret_problem);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return refuse(path, "is in use by another program", why,
                      "end that program (another weir with this data directory, or a tool)", a,
                      ret_problem);
    case SQLITE_FULL:
        return refuse(path, "cannot be written", why,
                      "make room on its disk, or choose another data directory", a, ret_problem);
    default:
        return refuse(path, "cannot be used", os ? strerror(os) : why,
                      "weir must be able to read and write the file and its directory: check "
                      "their owner and mode, and the disk",
                      a, ret_problem);
    }
}

/* Made before SQLite sees it, so that no moment and no umask leaves it open to others; SQLite gives -wal and -shm the mode of the file
 * itself. */
static enum err make_private(const char *path, struct arena *a, struct str *ret_problem)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
    bool ok = fd >= 0;
    struct stat st;
    ok = ok && fstat(fd, &st) == 0;
    bool regular = ok && S_ISREG(st.st_mode);
    ok = ok && (!regular || fchmod(fd, 0600) == 0);
    int failed = errno;
    if (fd >= 0)
        close(fd);
    if (!ok)
        return refuse(path, "cannot be opened for writing", strerror(failed),
                      "weir must be able to read and write the file and its directory: check "
                      "their owner and mode",
                      a, ret_problem);
    if (!regular)
        return refuse(path, "is not a regular file", NULL, "choose another data directory", a,
                      ret_problem);
    static const char *const beside[] = { "-wal", "-shm" };
    for (size_t i = 0; i < sizeof beside / sizeof beside[0]; i++) {
        struct str name = arena_printf(a, "%s%s", path, beside[i]);
        if (chmod(name.p, 0600) && errno != ENOENT)
            return refuse(name.p, "cannot be made private", strerror(errno),
                          "it must belong to the user that runs weir", a, ret_problem);
    }
    return ERR_OK;
}

static bool number(struct sessions_db *db, const char *sql, int64_t *ret_value)
{
    sqlite3_stmt *st = NULL;
    bool ok = sqlite3_prepare_v2(db->handle, sql, -1, &st, NULL) == SQLITE_OK &&
              sqlite3_step(st) == SQLITE_ROW;
    if (ok)
        *ret_value = sqlite3_column_int64(st, 0);
    /* The result of finalize repeats the error of the step, which stays in the handle. */
    sqlite3_finalize(st);
    return ok;
}

static bool execute(struct sessions_db *db, const char *sql)
{
    return sqlite3_exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* A file of another program, or of a newer weir, is left exactly as it is. */
static enum err check_version(struct sessions_db *db, const char *path, struct arena *a,
                              bool *ret_empty, struct str *ret_problem)
{
    int64_t version = 0, application = 0, objects = 0;
    if (!number(db, "PRAGMA user_version", &version) ||
        !number(db, "PRAGMA application_id", &application) ||
        !number(db, "SELECT count(*) FROM sqlite_schema", &objects))
        return refuse_sql(db, path, a, ret_problem);
    *ret_empty = objects == 0 && version == 0;
    if (*ret_empty || (application == APPLICATION_ID && version == SCHEMA_VERSION))
        return ERR_OK;
    if (application != APPLICATION_ID || version < SCHEMA_VERSION)
        return refuse(path, "is a database, but not of weir's sessions", NULL,
                      "choose another data directory, or move the file away", a, ret_problem);
    struct str why = arena_printf(a, "its schema is %lld, this weir knows %d", (long long)version,
                                  SCHEMA_VERSION);
    return refuse(path, "was written by a newer weir", why.p,
                  "run that version again; or " MOVE_AWAY, a, ret_problem);
}

static enum err use_wal(struct sessions_db *db, const char *path, struct arena *a,
                        struct str *ret_problem)
{
    sqlite3_stmt *st = NULL;
    bool stepped =
        sqlite3_prepare_v2(db->handle, "PRAGMA journal_mode = WAL", -1, &st, NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW;
    const char *mode = stepped ? (const char *)sqlite3_column_text(st, 0) : NULL;
    bool wal = mode && strcmp(mode, "wal") == 0;
    sqlite3_finalize(st);
    if (!stepped)
        return refuse_sql(db, path, a, ret_problem);
    if (!wal)
        return refuse(path, "cannot have a write-ahead log on this file system", NULL,
                      "choose a data directory on a local disk", a, ret_problem);
    return ERR_OK;
}

static enum err prepare(struct sessions_db *db, const char *path, uint32_t pages_max,
                        struct arena *a, struct str *ret_problem)
{
    bool empty = false;
    TRY(check_version(db, path, a, &empty, ret_problem));
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        if (!execute(db, settings[i]))
            return refuse_sql(db, path, a, ret_problem);
    /* Before the first page is written; lets the file shrink. */
    if (empty && !execute(db, "PRAGMA auto_vacuum = INCREMENTAL"))
        return refuse_sql(db, path, a, ret_problem);
    TRY(use_wal(db, path, a, ret_problem));
    if (empty) {
        char mark[96];
        snprintf(mark, sizeof mark, "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
                 APPLICATION_ID, SCHEMA_VERSION);
        if (!execute(db, "BEGIN IMMEDIATE; " SCHEMA) || !execute(db, mark))
            return refuse_sql(db, path, a, ret_problem);
    }
    if (pages_max) {
        char text[64];
        snprintf(text, sizeof text, "PRAGMA max_page_count = %u", pages_max);
        if (!execute(db, text))
            return refuse_sql(db, path, a, ret_problem);
    }
    for (size_t i = 0; i < SQL_COUNT; i++)
        if (sqlite3_prepare_v3(db->handle, statements[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &db->sql[i], NULL) != SQLITE_OK)
            return refuse_sql(db, path, a, ret_problem);
    if (!sessions_db_total(db))
        return refuse_sql(db, path, a, ret_problem);
    return ERR_OK;
}

enum err sessions_db_open(struct sessions_db *db, const char *path, uint32_t pages_max,
                          struct arena *a, struct str *ret_problem)
{
    *db = (struct sessions_db){ 0 };
    TRY(make_private(path, a, ret_problem));
    enum err e;
    /* A path, never a URI; one thread at a time needs no lock of SQLite's. */
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    if (sqlite3_open_v2(path, &db->handle, flags, NULL) != SQLITE_OK) {
        e = refuse_sql(db, path, a, ret_problem);
    } else {
        sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        sqlite3_busy_timeout(db->handle, SESSIONS_BUSY_MS);
        e = prepare(db, path, pages_max, a, ret_problem);
    }
    if (e)
        sessions_db_close(db);
    return e;
}

void sessions_db_close(struct sessions_db *db)
{
    for (size_t i = 0; i < SQL_COUNT; i++)
        sqlite3_finalize(db->sql[i]);
    sqlite3_close(db->handle);
    db->handle = NULL;
}
