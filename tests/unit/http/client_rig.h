/* client_rig.h -- for tests of the client: a raw TCP server in threads of its own, whose every
 * byte a script decides, and calls that note everything their exchange tells them.
 *
 * Scripts run in one thread a connection and use blocking sockets; they assert nothing, they
 * count (mock.requests, mock.fails). The client runs on the test's own thread. */
#ifndef CLIENT_RIG_H
#define CLIENT_RIG_H

#include "base/buf.h"
#include "base/clock.h"
#include "http/client.h"

#include <setjmp.h>
#include <stdarg.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#define MOCK_CONNS 2048

struct mock;
struct mock_conn {
    struct mock *mock;
    int fd;
    unsigned index; /* of the connection, from 0 on */
    pthread_t thread;
    struct buf in;   /* received and not yet consumed */
    struct str head; /* of the last request, within `in` */
    struct str body; /* sized and chunked bodies alike, as on the wire */
};
typedef void mock_fn(struct mock_conn *k);

struct mock {
    int listen_fd;
    uint16_t port;
    mock_fn *script;
    void *arg;
    pthread_t thread;
    pthread_mutex_t lock; /* conns */
    struct mock_conn *conns[MOCK_CONNS];
    unsigned count;
    bool stopping;
    atomic_uint connections, requests, fails;
    atomic_uint value; /* the script's */
};

void mock_start(struct mock *m, mock_fn *script, void *arg);
void mock_stop(struct mock *m);
/* Reads one request; false: the client closed (a part of a request is counted in fails). */
bool mock_request(struct mock_conn *k);
/* Reads the head of one only. */
bool mock_request_head(struct mock_conn *k);
bool mock_send(struct mock_conn *k, struct str s);
void mock_sendz(struct mock_conn *k, const char *z);
void mock_fin(struct mock_conn *k);   /* half close */
void mock_reset(struct mock_conn *k); /* RST */
void mock_eof(struct mock_conn *k);   /* waits until the client closes; bytes count as a fail */
void mock_pause(unsigned ms);

struct rig {
    struct loop *loop;
    struct dns *dns;
    struct client *client;
    struct arena *arena;
    struct mock mock;
    struct origin origin;
    struct client_opts opts;
    struct timer watchdog, nap;
    unsigned open; /* calls without an outcome */
    bool napping;
};

/* `opts` may be NULL: the defaults of the product. */
void rig_init(struct rig *r, mock_fn *script, void *arg, const struct client_opts *opts);
void rig_done(struct rig *r);
void rig_run(struct rig *r);              /* until no call is without an outcome */
void rig_nap(struct rig *r, uint64_t ms); /* the loop runs for so long */
/* Runs the loop until it is so; fails after 20 s. */
#define rig_until(r, cond)                                                                         \
    do {                                                                                           \
        uint64_t until_us_ = clock_now_us() + 20000000;                                            \
        while (!(cond) && clock_now_us() < until_us_)                                              \
            rig_nap((r), 1);                                                                       \
        assert_true(cond);                                                                         \
    } while (0)

enum moment { AT_HEAD, AT_BODY, AT_END, AT_DRAIN, AT_ERROR };

/* One call and what came of it. */
struct call_log {
    struct rig *rig;
    struct exchange *x; /* NULL: closed */
    unsigned heads, ends, errors, bodies, drains;
    enum err err;
    int status;
    struct buf body;
    char detail[256];
    bool pull;   /* exchange_read(true) at the head; else the test does */
    bool reused; /* at the outcome */
    bool over;
    void (*hook)(struct call_log *g, enum moment m); /* after the note was made */
    void *arg;
};

/* A request with sensible values; tests change what they are about. */
struct client_request rig_request(struct rig *r, const char *method, const char *target);
/* `g` is zeroed but for hook and arg, which are kept; pulls at the head. */
void call_begin(struct call_log *g, struct rig *r, const struct client_request *rq);
void call_finish(struct call_log *g); /* closes and forgets */
/* The whole of it: begin, run, close; what was noted stays until call_forget. */
void call_whole(struct call_log *g, struct rig *r, const struct client_request *rq);
void call_close(struct call_log *g);
void call_forget(struct call_log *g);

/* The checks; those named is_ tell, the others fail. */
bool is_ok(const struct call_log *g, int status, const char *body);
bool is_err(const struct call_log *g, enum err e, const char *detail);
void check_ok(const struct call_log *g, int status, const char *body);
void check_err(const struct call_log *g, enum err e, const char *detail);

#endif
