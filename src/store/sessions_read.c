#include "store/sessions_priv.h"

/* A chain is walked from its end, over the small columns alone, so that one over a limit costs nothing but the walk; then its turns
 * are read from the first on. */

struct link {
    struct link *newer;
    int64_t rid;
};

struct found {
    int64_t rid;
    bool native;
    uint64_t io_bytes;
    struct str parent;
};

static struct str column(struct arena *a, sqlite3_stmt *sql, int at)
{
    /* Text in the file's own encoding: it is read by the step, and neither call converts or allocates. */
    const void *p = sqlite3_column_blob(sql, at);
    int n = sqlite3_column_bytes(sql, at);
    return arena_dup(a, str_of(p, p && n > 0 ? (size_t)n : 0));
}

/* `ret->parent` is a copy in `a`. Errors: ERR_NOT_FOUND, ERR_IO. */
static enum err find(struct sessions_db *db, struct str owner, struct str id, int64_t cutoff_s,
                     struct arena *a, struct found *ret)
{
    sqlite3_stmt *sql = db->sql[SQL_FIND];
    sessions_db_bind(sql, 1, id);
    sessions_db_bind(sql, 2, owner);
    sqlite3_bind_int64(sql, 3, cutoff_s);
    enum err e = ERR_OK;
    int rc = sqlite3_step(sql);
    if (rc == SQLITE_ROW) {
        ret->rid = sqlite3_column_int64(sql, 0);
        ret->native = sqlite3_column_int(sql, 1) != 0;
        ret->io_bytes = (uint64_t)sqlite3_column_int64(sql, 2);
        ret->parent = column(a, sql, 3);
    } else if (rc == SQLITE_DONE) {
        e = ERR_NOT_FOUND;
    } else {
        sessions_db_note(db);
        e = ERR_IO;
    }
    sessions_db_reset(sql);
    return e;
}

/* A row that was found a moment ago, by the same thread: that it is gone means that the file is damaged. */
static enum err load(struct sessions_db *db, int64_t rid, struct str owner, bool whole,
                     struct arena *a, struct session_turn *ret)
{
    sqlite3_stmt *sql = db->sql[whole ? SQL_LOAD_WHOLE : SQL_LOAD];
    sqlite3_bind_int64(sql, 1, rid);
    enum err e = ERR_OK;
    if (sqlite3_step(sql) == SQLITE_ROW) {
        *ret = (struct session_turn){
            .id = column(a, sql, 0),
            .parent = column(a, sql, 1),
            .owner = owner,
            .deployment = column(a, sql, 2),
            .model = column(a, sql, 3),
            .native = sqlite3_column_int(sql, 4) != 0,
            .created_s = (uint64_t)sqlite3_column_int64(sql, 5),
            .input = column(a, sql, 6),
            .output = column(a, sql, 7),
            .object = whole ? column(a, sql, 8) : str_of(NULL, 0),
        };
    } else {
        e = ERR_IO;
        sessions_db_note(db);
    }
    sessions_db_reset(sql);
    return e;
}

static enum err walk(struct sessions_db *db, struct str owner, struct str previous,
                     const struct session_limits *limits, int64_t cutoff_s,
                     struct session_result *r, struct link **ret_oldest, size_t *ret_count)
{
    /* Parents that lead in a circle are a chain of more turns than there are rows. */
    uint64_t turns_max = db->rows;
    if (limits->turns_max && limits->turns_max < turns_max)
        turns_max = limits->turns_max;
    struct link *oldest = NULL;
    uint64_t count = 0, bytes = 0;
    struct found f = { .parent = previous };
    while (f.parent.len && !f.native) {
        struct str id = f.parent;
        enum err e = find(db, owner, id, cutoff_s, r->arena, &f);
        if (e) {
            r->missing = e == ERR_NOT_FOUND ? arena_dup(r->arena, id) : str_of(NULL, 0);
            return e;
        }
        bytes += f.io_bytes;
        if (++count > turns_max || (limits->chain_bytes_max && bytes > limits->chain_bytes_max))
            return ERR_TOO_LARGE;
        struct link *l = ARENA_NEW(r->arena, struct link);
        *l = (struct link){ .newer = oldest, .rid = f.rid };
        oldest = l;
    }
    *ret_oldest = oldest;
    *ret_count = (size_t)count;
    return ERR_OK;
}

static enum err get_chain(struct sessions_db *db, const struct session_query *q, struct str owner,
                          const struct session_limits *limits, int64_t cutoff_s,
                          struct session_result *r)
{
    struct link *l = NULL;
    size_t count = 0;
    TRY(walk(db, owner, q->previous, limits, cutoff_s, r, &l, &count));
    struct session_turn *chain = ARENA_ARRAY(r->arena, struct session_turn, count);
    for (size_t i = 0; i < count; i++, l = l->newer)
        TRY(load(db, l->rid, owner, q->whole, r->arena, &chain[i]));
    r->chain = chain;
    r->chain_count = count;
    return ERR_OK;
}

static enum err get_turns(struct sessions_db *db, const struct session_query *q, struct str owner,
                          const struct session_limits *limits, int64_t cutoff_s,
                          struct session_result *r)
{
    struct session_turn *turns = ARENA_ARRAY(r->arena, struct session_turn, q->id_count);
    uint64_t bytes = 0;
    for (size_t i = 0; i < q->id_count; i++) {
        struct found f;
        enum err e = find(db, owner, q->ids[i], cutoff_s, r->arena, &f);
        if (e == ERR_NOT_FOUND)
            r->missing = arena_dup(r->arena, q->ids[i]);
        TRY(e);
        bytes += f.io_bytes;
        if (i > 0 && limits->chain_bytes_max && bytes > limits->chain_bytes_max)
            return ERR_TOO_LARGE;
        TRY(load(db, f.rid, owner, q->whole, r->arena, &turns[i]));
    }
    r->turns = turns;
    r->turn_count = q->id_count;
    return ERR_OK;
}

void sessions_db_get(struct sessions_db *db, const struct session_query *q,
                     const struct session_limits *limits, uint64_t now_s, struct session_result *r)
{
    int64_t cutoff_s = sessions_cutoff(limits, now_s);
    struct str owner = arena_dup(r->arena, q->owner);
    if (q->previous.len)
        r->err = get_chain(db, q, owner, limits, cutoff_s, r);
    if (!r->err)
        r->err = get_turns(db, q, owner, limits, cutoff_s, r);
    if (r->err) {
        r->chain = r->turns = NULL;
        r->chain_count = r->turn_count = 0;
    }
}
