/* The n-th write, sync, truncation or read of the disk fails, for every n: once, or from then on for a while. Whatever happens, the
 * thread lives, the numbers agree with the file, and the file is whole. */
#include "store_rig.h"

#include <stdatomic.h>
#include <stdio.h>

enum op { OP_WRITE, OP_SYNC, OP_READ };

/* A layer over SQLite's own files: it must be reached from callbacks without a context. */
static struct {
    sqlite3_vfs vfs, *real;
    /* The database, and its log, which takes no locks, have tables of their own; what is replaced is the same in both. */
    sqlite3_io_methods methods[2];
    const sqlite3_io_methods *real_methods[2];
    enum op op;
    int code;
    bool stays;            /* all that follow fail too */
    _Atomic int countdown; /* 0: nothing fails; the n-th from now does */
    _Atomic bool hit;
} disk;

static int fails(enum op op)
{
    int left = op == disk.op ? atomic_load(&disk.countdown) : 0;
    if (left == 0)
        return SQLITE_OK;
    if (left > 1) {
        atomic_store(&disk.countdown, left - 1);
        return SQLITE_OK;
    }
    atomic_store(&disk.hit, true);
    if (!disk.stays)
        atomic_store(&disk.countdown, 0);
    return disk.code;
}

static int disk_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    int rc = fails(OP_WRITE);
    return rc ? rc : disk.real_methods[0]->xWrite(f, p, n, at);
}

static int disk_sync(sqlite3_file *f, int flags)
{
    return fails(OP_SYNC); /* no power is lost here: not syncing saves most of the time */
}

static int disk_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    int rc = fails(OP_SYNC);
    return rc ? rc : disk.real_methods[0]->xTruncate(f, size);
}

static int disk_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
    int rc = fails(OP_READ);
    return rc ? rc : disk.real_methods[0]->xRead(f, p, n, at);
}

static int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
    int rc = disk.real->xOpen(disk.real, name, f, flags, ret_flags);
    if (!f->pMethods)
        return rc;
    size_t kind = 0;
    while (kind < 2 && disk.real_methods[kind] && disk.real_methods[kind] != f->pMethods)
        kind++;
    assert_true(kind < 2);
    if (!disk.real_methods[kind]) {
        disk.real_methods[kind] = f->pMethods;
        assert_ptr_equal(f->pMethods->xWrite, disk.real_methods[0]->xWrite);
        disk.methods[kind] = *f->pMethods;
        disk.methods[kind].xWrite = disk_write;
        disk.methods[kind].xSync = disk_sync;
        disk.methods[kind].xTruncate = disk_truncate;
        disk.methods[kind].xRead = disk_read;
    }
    f->pMethods = &disk.methods[kind];
    return rc;
}

static int setup_group(void **state)
{
    disk.real = sqlite3_vfs_find(NULL);
    disk.vfs = *disk.real;
    disk.vfs.zName = "faulty";
    disk.vfs.pNext = NULL;
    disk.vfs.xOpen = disk_open;
    return sqlite3_vfs_register(&disk.vfs, 1);
}

static int teardown_group(void **state)
{
    return sqlite3_vfs_unregister(&disk.vfs);
}

static void arm(enum op op, int nth, int code, bool stays)
{
    disk.op = op;
    disk.code = code;
    disk.stays = stays;
    atomic_store(&disk.hit, false);
    atomic_store(&disk.countdown, nth);
}

static void disarm(void)
{
    atomic_store(&disk.countdown, 0);
}

/* Turns, a replacement, deletes, a size that is passed. */
static void work(struct rig *r)
{
    for (int i = 0; i < 24; i++) {
        char id[24], parent[24];
        snprintf(id, sizeof id, "resp_%d", i % 20);
        snprintf(parent, sizeof parent, "resp_%d", i - 1);
        assert_int_equal(rig_put_sized(r, "alice", id, i % 4 ? parent : "", 9000, 'x'), ERR_OK);
        if (i % 6 == 5) { /* in several commits */
            enum err e = rig_delete(r, "alice", "resp_1");
            assert_true(e == ERR_OK || e == ERR_NOT_FOUND || e == ERR_IO);
            (void)rig_chain_err(r, "alice", id);
            session_result_free(rig_turn(r, "alice", "resp_2"));
            rig_pause();
            rig_pause();
        }
    }
    rig_idle(r);
}

static void assert_whole(struct rig *r)
{
    char text[64];
    rig_sql(r, "PRAGMA integrity_check", text, sizeof text);
    assert_string_equal(text, "ok");
    rig_sql(r,
            "SELECT (SELECT rows FROM total) = (SELECT count(*) FROM turn)"
            " AND (SELECT bytes FROM total) = (SELECT coalesce(sum(bytes), 0) FROM turn)",
            text, sizeof text);
    assert_string_equal(text, "1");
}

/* True: the fault was met. */
static bool one(enum op op, int nth, int code, bool stays)
{
    struct rig r;
    rig_init(&r);
    r.limits.file_bytes_max = 100000;
    r.tuning.commit_us = 1000;
    r.tuning.retry_us = 1000;
    rig_open(&r);
    arm(op, nth, code, stays);
    work(&r);
    bool hit = atomic_load(&disk.hit);
    disarm();
    RIG_UNTIL(sessions_ready(r.s));
    rig_put(&r, "bob", "resp_last", "");
    assert_int_equal(rig_turn_err(&r, "bob", "resp_last"), ERR_OK);
    uint64_t rows = rig_stats(&r).rows;
    rig_again(&r);
    assert_int_equal(rig_turn_err(&r, "bob", "resp_last"), ERR_OK);
    assert_true(rows <= 20 + 1);
    rig_close(&r);
    assert_whole(&r);
    rig_done(&r);
    return hit;
}

static void every(enum op op, int code, bool stays, int at_least)
{
    int n = 1;
    for (int missed = 0; missed < 3 && n < 200; n += n < 20 ? 1 : 13)
        missed = one(op, n, code, stays) ? 0 : missed + 1;
    assert_true(n > at_least);
}

static void test_write_fails_once(void **state)
{
    every(OP_WRITE, SQLITE_IOERR_WRITE, false, 20);
}

static void test_disk_full_for_a_while(void **state)
{
    every(OP_WRITE, SQLITE_FULL, true, 20);
}

static void test_write_fails_for_a_while(void **state)
{
    every(OP_WRITE, SQLITE_IOERR_WRITE, true, 20);
}

static void test_sync_fails(void **state)
{
    (void)one(OP_SYNC, 1, SQLITE_IOERR_FSYNC, true);
    (void)one(OP_SYNC, 1, SQLITE_IOERR_FSYNC, false);
    (void)one(OP_SYNC, 2, SQLITE_IOERR_FSYNC, true);
}

/* Gone means gone: what the disk did not take is not told as deleted. */
static void test_deleted_is_committed(void **state)
{
    struct rig r;
    (void)state;
    rig_init(&r);
    rig_open(&r);
    assert_int_equal(rig_put_sized(&r, "alice", "resp_1", "", 1000, 'x'), ERR_OK);
    rig_close(&r); /* all is written */
    rig_open(&r);
    arm(OP_WRITE, 1, SQLITE_FULL, true);
    assert_int_equal(rig_delete(&r, "alice", "resp_1"), ERR_IO);
    struct session_result *got = rig_chain(&r, "alice", "resp_1");
    assert_int_equal(got->err, ERR_OK);
    session_result_free(got);
    disarm();
    assert_int_equal(rig_delete(&r, "alice", "resp_1"), ERR_OK);
    got = rig_chain(&r, "alice", "resp_1");
    assert_int_equal(got->err, ERR_NOT_FOUND);
    session_result_free(got);
    rig_done(&r);
}

/* With a file that is not in the cache: what cannot be read is said to be so, and read again the next time. */
static void test_read_fails(void **state)
{
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    for (int i = 0; i < 5; i++) {
        char id[24], parent[24];
        snprintf(id, sizeof id, "resp_%d", i);
        snprintf(parent, sizeof parent, "resp_%d", i - 1);
        assert_int_equal(rig_put_sized(&r, "alice", id, i ? parent : "", 20000, 'x'), ERR_OK);
    }
    unsigned refused = 0, failed = 0;
    for (int n = 1; n < 80; n++) {
        rig_close(&r);
        arm(OP_READ, n, SQLITE_IOERR_READ, false);
        struct str problem;
        if (sessions_open_with(r.path, &r.limits, &r.tuning, rig_seconds, r.arena, &r.s,
                               &problem)) {
            assert_has(problem, r.path);
            refused++;
            disarm();
            rig_open(&r);
        }
        struct session_result *got = rig_chain(&r, "alice", "resp_4");
        if (got->err) {
            assert_int_equal(got->err, ERR_IO);
            assert_int_equal(got->chain_count, 0);
            failed++;
        }
        session_result_free(got);
        disarm();
        got = rig_chain(&r, "alice", "resp_4");
        assert_int_equal(got->err, ERR_OK);
        assert_int_equal(got->chain_count, 5);
        assert_int_equal(got->chain[0].input.len, 20000);
        session_result_free(got);
    }
    assert_true(refused > 0);
    assert_true(failed > 10);
    rig_close(&r);
    assert_whole(&r);
    rig_done(&r);
}

/* While a new file is made: refused, or it works; and the next start works. */
static void test_open_fails(void **state)
{
    unsigned refused = 0;
    for (int n = 1; n < 40; n++) {
        struct rig r;
        rig_init(&r);
        arm(n % 2 ? OP_WRITE : OP_SYNC, (n + 1) / 2, n % 4 < 2 ? SQLITE_FULL : SQLITE_IOERR_WRITE,
            true);
        struct str problem;
        if (sessions_open_with(r.path, &r.limits, &r.tuning, rig_seconds, r.arena, &r.s,
                               &problem)) {
            assert_has(problem, r.path);
            refused++;
        }
        disarm();
        rig_again(&r);
        rig_put(&r, "alice", "resp_1", "");
        assert_int_equal(rig_turn_err(&r, "alice", "resp_1"), ERR_OK);
        rig_close(&r);
        assert_whole(&r);
        rig_done(&r);
    }
    assert_true(refused >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write_fails_once),     cmocka_unit_test(test_disk_full_for_a_while),
        cmocka_unit_test(test_deleted_is_committed), cmocka_unit_test(test_write_fails_for_a_while),
        cmocka_unit_test(test_sync_fails),           cmocka_unit_test(test_read_fails),
        cmocka_unit_test(test_open_fails),
    };
    return cmocka_run_group_tests_name("store/sessions_fault", tests, setup_group, teardown_group);
}
