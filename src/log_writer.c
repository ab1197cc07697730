#include "log_writer.h"

#include "base/mem.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#define BEHIND_MAX (4 * MIB)

struct log_writer {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct buf waiting; /* under lock */
    uint64_t dropped;   /* under lock */
    bool stop;          /* under lock */
    int fd;
};

/* False: nobody will read it any more. */
static bool write_all(int fd, struct str s)
{
    while (s.len) {
        ssize_t n = write(fd, s.p, s.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        s = str_skip(s, (size_t)n);
    }
    return true;
}

static void *run(void *arg)
{
    struct log_writer *w = arg;
    struct buf mine;
    bool open = true;
    buf_init(&mine, BEHIND_MAX);
    pthread_mutex_lock(&w->lock);
    while (!w->stop || w->waiting.len) {
        if (w->waiting.len == 0) {
            pthread_cond_wait(&w->wake, &w->lock);
            continue;
        }
        struct buf full = w->waiting;
        w->waiting = mine;
        mine = full;
        uint64_t dropped = w->dropped;
        w->dropped = 0;
        pthread_mutex_unlock(&w->lock);
        open = open && write_all(w->fd, buf_str(&mine));
        if (dropped && open) {
            char text[96];
            int n = snprintf(
                text, sizeof text,
                "weir: %llu batches of log lines were dropped: the log is not read fast enough\n",
                (unsigned long long)dropped);
            write_all(w->fd, str_of(text, (size_t)n));
        }
        buf_reset(&mine);
        if (mine.room > 256 * KIB)
            buf_done(&mine);
        pthread_mutex_lock(&w->lock);
    }
    pthread_mutex_unlock(&w->lock);
    buf_done(&mine);
    return NULL;
}

struct log_writer *log_writer_new(int fd)
{
    struct log_writer *w = MEM_NEW(struct log_writer);
    w->fd = fd;
    buf_init(&w->waiting, BEHIND_MAX);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    if (pthread_create(&w->thread, NULL, run, w)) {
        mem_free(w);
        return NULL;
    }
    return w;
}

void log_writer_free(struct log_writer *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->wake);
    buf_done(&w->waiting);
    mem_free(w);
}

bool log_writer_put(void *log_writer, struct str lines)
{
    struct log_writer *w = log_writer;
    pthread_mutex_lock(&w->lock);
    buf_put(&w->waiting, lines);
    bool ok = w->waiting.fail == ERR_OK;
    w->waiting.fail = ERR_OK; /* whole batches or nothing: the buffer stays usable */
    w->dropped += !ok;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    return ok;
}
