#include "store/sessions.h"

#include "base/clock.h"
#include "base/list.h"
#include "store/sessions_priv.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#define QUEUE_JOBS_MAX 16384
#define COMMIT_CHANGES 256
#define COMMIT_BYTES (16 * MIB) /* a transaction's pages stand in the log until its commit */
#define PURGE_ROWS_IDLE 64
#define PURGE_ROWS_BUSY 4 /* between two jobs: more than one put can add */

enum job_kind { JOB_PUT, JOB_GET, JOB_DELETE };

struct job {
    struct list link;
    enum job_kind kind;
    uint64_t bytes;
    struct session_turn turn;   /* of a put; of a delete owner and id */
    struct session_query query; /* of a get */
    session_done_fn *done;
    void *ctx;
    _Alignas(16) char data[]; /* what the slices point into */
};

struct sessions {
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows, up to `ready` */
    pthread_cond_t wake;
    struct list queue;
    struct session_limits limits;
    struct session_stats stats;
    bool failing;
    bool purge; /* look for rows that are over a limit */
    bool stop;
    _Atomic bool ready; /* written under the lock, read without it */

    /* the thread's own */
    struct sessions_db db;
    struct sessions_tuning tuning;
    uint64_t (*seconds)(void);
    uint64_t purge_at_us, probe_at_us;
    bool purging, shrinking;
};

/* -- the queue */

static void set_ready(struct sessions *s) /* with the lock */
{
    /* Half of the queue is for requests that have begun: what they were admitted for can be written. */
    uint64_t bytes_max = s->limits.queue_bytes_max;
    bool room = s->stats.queued <= QUEUE_JOBS_MAX / 2 &&
                (!bytes_max || s->stats.queued_bytes <= bytes_max / 2);
    atomic_store_explicit(&s->ready, room && !s->failing, memory_order_relaxed);
}

/* Takes the place before the bytes are copied, so that a full queue costs nothing. */
static enum err reserve(struct sessions *s, enum job_kind kind, uint64_t bytes, uint64_t turn_bytes)
{
    enum err e = ERR_OK;
    pthread_mutex_lock(&s->lock);
    uint64_t bytes_max = s->limits.queue_bytes_max, turn_max = s->limits.turn_bytes_max;
    bool fits = !bytes_max || s->stats.queued == 0 ||
                (bytes <= bytes_max && s->stats.queued_bytes <= bytes_max - bytes);
    if (turn_max && turn_bytes > turn_max)
        e = ERR_TOO_LARGE;
    else if (s->stats.queued >= QUEUE_JOBS_MAX || !fits)
        e = ERR_OVERLOADED;
    if (e) {
        s->stats.dropped += kind == JOB_PUT;
    } else {
        s->stats.queued++;
        s->stats.queued_bytes += bytes;
        set_ready(s);
    }
    pthread_mutex_unlock(&s->lock);
    return e;
}

static void push(struct sessions *s, struct job *j)
{
    pthread_mutex_lock(&s->lock);
    list_push(&s->queue, &j->link);
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
}

static struct job *job_new(enum job_kind kind, uint64_t data_bytes, session_done_fn *done,
                           void *ctx)
{
    struct job *j = mem_alloc(sizeof *j + data_bytes);
    *j = (struct job){ .kind = kind, .bytes = sizeof *j + data_bytes, .done = done, .ctx = ctx };
    return j;
}

static struct str keep(char **at, struct str s)
{
    char *p = *at;
    if (s.len)
        memcpy(p, s.p, s.len);
    *at = p + s.len;
    return str_of(p, s.len);
}

enum err sessions_put(struct sessions *s, const struct session_turn *t)
{
    uint64_t content = (uint64_t)t->input.len + t->output.len + t->object.len;
    uint64_t data =
        content + t->id.len + t->parent.len + t->owner.len + t->deployment.len + t->model.len;
    TRY(reserve(s, JOB_PUT, sizeof(struct job) + data, content));
    struct job *j = job_new(JOB_PUT, data, NULL, NULL);
    char *at = j->data;
    j->turn = *t;
    j->turn.id = keep(&at, t->id);
    j->turn.parent = keep(&at, t->parent);
    j->turn.owner = keep(&at, t->owner);
    j->turn.deployment = keep(&at, t->deployment);
    j->turn.model = keep(&at, t->model);
    j->turn.input = keep(&at, t->input);
    j->turn.output = keep(&at, t->output);
    j->turn.object = keep(&at, t->object);
    push(s, j);
    return ERR_OK;
}

enum err sessions_get(struct sessions *s, const struct session_query *q, session_done_fn *done,
                      void *ctx)
{
    if (q->id_count > SESSIONS_IDS_MAX)
        return ERR_TOO_LARGE;
    uint64_t data = q->id_count * sizeof(struct str) + q->owner.len + q->previous.len;
    for (size_t i = 0; i < q->id_count; i++)
        data += q->ids[i].len;
    TRY(reserve(s, JOB_GET, sizeof(struct job) + data, 0));
    struct job *j = job_new(JOB_GET, data, done, ctx);
    struct str *ids = (struct str *)(void *)j->data;
    char *at = j->data + q->id_count * sizeof *ids;
    for (size_t i = 0; i < q->id_count; i++)
        ids[i] = keep(&at, q->ids[i]);
    j->query = *q;
    j->query.ids = ids;
    j->query.owner = keep(&at, q->owner);
    j->query.previous = keep(&at, q->previous);
    push(s, j);
    return ERR_OK;
}

enum err sessions_delete(struct sessions *s, struct str owner, struct str id, session_done_fn *done,
                         void *ctx)
{
    TRY(reserve(s, JOB_DELETE, sizeof(struct job) + owner.len + id.len, 0));
    struct job *j = job_new(JOB_DELETE, owner.len + id.len, done, ctx);
    char *at = j->data;
    j->turn.owner = keep(&at, owner);
    j->turn.id = keep(&at, id);
    push(s, j);
    return ERR_OK;
}

void session_result_free(struct session_result *r)
{
    if (r)
        arena_free(r->arena); /* the result lives in it */
}

bool sessions_ready(const struct sessions *s)
{
    return atomic_load_explicit(&s->ready, memory_order_relaxed);
}

void sessions_limit(struct sessions *s, const struct session_limits *limits)
{
    pthread_mutex_lock(&s->lock);
    s->limits = *limits;
    s->purge = true;
    set_ready(s);
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
}

void sessions_stats(const struct sessions *s, struct session_stats *ret)
{
    /* The lock is not a part of what the caller may see as constant. */
    pthread_mutex_t *lock = (pthread_mutex_t *)&s->lock;
    pthread_mutex_lock(lock);
    *ret = s->stats;
    pthread_mutex_unlock(lock);
}

/* -- the thread */

static void run_job(struct sessions *s, const struct job *j, const struct session_limits *limits,
                    bool stop)
{
    uint64_t now_s = s->seconds(), now_us = clock_now_us();
    if (j->kind == JOB_PUT) {
        sessions_db_put(&s->db, &j->turn, now_s, now_us);
        return;
    }
    struct arena *a = arena_new();
    struct session_result *r = ARENA_NEW(a, struct session_result);
    r->arena = a;
    if (j->kind == JOB_DELETE)
        r->err = sessions_db_delete(&s->db, j->turn.owner, j->turn.id, limits, now_s, now_us);
    else if (stop)
        r->err = ERR_CANCELLED;
    else
        sessions_db_get(&s->db, &j->query, limits, now_s, r);
    if (j->kind == JOB_DELETE && r->err == ERR_NOT_FOUND)
        r->missing = arena_dup(a, j->turn.id);
    j->done(j->ctx, r);
}

static bool commit_due(const struct sessions *s, uint64_t now_us)
{
    const struct sessions_db *db = &s->db;
    return sessions_db_dirty(db) &&
           (db->open_changes >= COMMIT_CHANGES || db->open_bytes >= COMMIT_BYTES ||
            now_us - db->begun_us >= s->tuning.commit_us);
}

/* What is to be done between jobs, a small piece at a time. */
static void tend(struct sessions *s, const struct session_limits *limits, bool busy)
{
    uint64_t now_us = clock_now_us();
    struct sessions_db *db = &s->db;
    if (!db->failing) {
        s->probe_at_us = 0;
    } else if (!s->probe_at_us) {
        s->probe_at_us = now_us + s->tuning.retry_us;
    } else if (now_us >= s->probe_at_us) {
        sessions_db_probe(db, now_us);
        s->probe_at_us = 0;
    }
    if (now_us >= s->purge_at_us) {
        s->purge_at_us = now_us + s->tuning.purge_us;
        s->purging = s->shrinking = true;
    }
    /* After a job alone: where removing fails, it is tried again with the next, not at once. */
    if (busy && limits->file_bytes_max && db->bytes > limits->file_bytes_max)
        s->purging = true;
    if (s->purging)
        s->purging = sessions_db_purge(db, limits, busy ? PURGE_ROWS_BUSY : PURGE_ROWS_IDLE,
                                       s->seconds(), now_us);
    else if (s->shrinking && !busy && !sessions_db_dirty(db))
        s->shrinking = sessions_db_shrink(db);
    if (commit_due(s, now_us))
        sessions_db_commit(db);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* When tend has something to do although no job comes. */
static uint64_t due_us(const struct sessions *s)
{
    if (s->purging)
        return 0;
    uint64_t due = s->purge_at_us;
    if (sessions_db_dirty(&s->db))
        due = earlier(due, s->db.begun_us + s->tuning.commit_us);
    else if (s->shrinking)
        return 0;
    if (s->db.failing)
        due = earlier(due, s->probe_at_us);
    return due;
}

static void publish(struct sessions *s) /* with the lock */
{
    const struct sessions_db *db = &s->db;
    s->stats.rows = db->rows;
    s->stats.bytes = db->bytes;
    s->stats.written = db->written;
    s->stats.failed = db->failed;
    if (db->error)
        snprintf(s->stats.problem, sizeof s->stats.problem, "%s%s%s%s", sqlite3_errstr(db->error),
                 db->error_os ? " (" : "", db->error_os ? strerrordesc_np(db->error_os) : "",
                 db->error_os ? ")" : "");
    s->failing = db->failing;
    set_ready(s);
}

/* With the lock: the next job, or NULL where there is something else to do. */
static struct job *next_job(struct sessions *s)
{
    while (list_empty(&s->queue) && !s->stop && !s->purge) {
        uint64_t due = due_us(s);
        if (due <= clock_now_us())
            return NULL;
        struct timespec until = { (time_t)(due / 1000000), (long)(due % 1000000) * 1000 };
        pthread_cond_timedwait(&s->wake, &s->lock, &until);
    }
    if (list_empty(&s->queue))
        return NULL;
    struct job *j = CONTAINER_OF(s->queue.next, struct job, link);
    list_remove(&j->link);
    return j;
}

static void *run(void *arg)
{
    struct sessions *s = arg;
    sigset_t all; /* signals are for the threads that wait for them */
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    pthread_setname_np(pthread_self(), "sessions");
    pthread_mutex_lock(&s->lock);
    for (;;) {
        struct job *j = next_job(s);
        bool stop = s->stop, busy = j != NULL;
        if (stop && !j)
            break;
        if (s->purge)
            s->purge_at_us = 0;
        s->purge = false;
        struct session_limits limits = s->limits;
        pthread_mutex_unlock(&s->lock);
        if (j)
            run_job(s, j, &limits, stop);
        tend(s, &limits, busy);
        pthread_mutex_lock(&s->lock);
        if (j) {
            s->stats.queued--;
            s->stats.queued_bytes -= j->bytes;
        }
        publish(s);
        mem_free(j);
    }
    pthread_mutex_unlock(&s->lock);
    sessions_db_commit(&s->db);
    return NULL;
}

/* -- life */

enum err sessions_open_with(const char *path, const struct session_limits *limits,
                            const struct sessions_tuning *tuning, uint64_t (*seconds)(void),
                            struct arena *a, struct sessions **ret_sessions,
                            struct str *ret_problem)
{
    struct sessions *s = MEM_NEW(struct sessions);
    enum err e = sessions_db_open(&s->db, path, tuning->pages_max, a, ret_problem);
    if (e) {
        mem_free(s);
        return e;
    }
    s->limits = *limits;
    s->tuning = *tuning;
    s->seconds = seconds;
    list_init(&s->queue);
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&s->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    publish(s);
    int failed = pthread_create(&s->thread, NULL, run, s);
    if (failed) {
        *ret_problem = arena_printf(a,
                                    "sessions file %s: no thread can be started for it (%s); "
                                    "raise the limit on this user's processes and threads",
                                    path, strerrordesc_np(failed));
        pthread_cond_destroy(&s->wake);
        pthread_mutex_destroy(&s->lock);
        sessions_db_close(&s->db);
        mem_free(s);
        return ERR_IO;
    }
    *ret_sessions = s;
    return ERR_OK;
}

enum err sessions_open(const char *path, const struct session_limits *limits,
                       uint64_t (*seconds)(void), struct arena *a, struct sessions **ret_sessions,
                       struct str *ret_problem)
{
    static const struct sessions_tuning tuning = {
        .commit_us = SESSIONS_COMMIT_MS * 1000,
        .purge_us = 300 * 1000000ULL,
        .retry_us = 1000000,
    };
    return sessions_open_with(path, limits, &tuning, seconds, a, ret_sessions, ret_problem);
}

void sessions_close(struct sessions *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    sessions_db_close(&s->db);
    pthread_cond_destroy(&s->wake);
    pthread_mutex_destroy(&s->lock);
    mem_free(s);
}
