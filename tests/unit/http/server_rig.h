/* server_rig.h -- for tests of the server: a real listener on loopback, raw client sockets whose
 * every byte the test decides, and calls that note everything their exchange tells them. One
 * thread: the loop is turned between the client's steps. */
#ifndef SERVER_RIG_H
#define SERVER_RIG_H

#include "base/buf.h"
#include "base/mem.h"
#include "http/server.h"

#include <setjmp.h>
#include <stdarg.h>

#include <stdio.h>
#include <cmocka.h>

enum moment { AT_REQUEST, AT_BODY, AT_END, AT_DRAIN, AT_ERROR, AT_LATER };

struct srig;
struct call {
    struct srig *rig;
    unsigned index;     /* of the request, from 0 on */
    struct exchange *x; /* NULL: closed */
    struct buf body;
    unsigned bodies, ends, drains, errors;
    enum err err;
    char detail[128];
    struct timer timer; /* for hooks: AT_LATER */
    unsigned step;
};
typedef void hook_fn(struct call *k, enum moment m);

#define RIG_CALLS 256
/* What works comes long before; a machine may stand still for seconds. */
#define RIG_WAIT_US 20000000

struct srig {
    struct loop *loop;
    struct http_server *server;
    struct listener *listener;
    struct http_server_opts opts;
    hook_fn *hook;
    void *arg;
    struct call *calls[RIG_CALLS];
    unsigned call_count;
    unsigned refused;
    enum err refused_err;
    char refused_why[128];
};

/* `tune` may be NULL; it changes the product's defaults. */
void srig_init(struct srig *r, hook_fn *hook, void (*tune)(struct http_server_opts *o));
void srig_done(struct srig *r); /* checks that nothing is left */
void srig_stop(struct srig *r); /* frees the server; exchanges may still be out */

int srig_connect(struct srig *r);
int srig_connect_small(struct srig *r); /* with a small receive buffer */
void srig_send(struct srig *r, int fd,
               struct str s); /* all of it, in one go where the socket takes it */
void srig_dribble(struct srig *r, int fd,
                  struct str s);             /* byte by byte, the loop is turned after each */
void srig_turn(struct srig *r, unsigned ms); /* the loop runs for at least so long */
#define srig_until(r, cond)                                                                        \
    do {                                                                                           \
        uint64_t until_us_ = clock_now_us() + RIG_WAIT_US;                                         \
        while (!(cond) && clock_now_us() < until_us_)                                              \
            srig_turn((r), 1);                                                                     \
        assert_true(cond);                                                                         \
    } while (0)

/* What a client received. */
struct got {
    struct buf text;
    bool eof, reset;
};
void got_init(struct got *g);
void got_done(struct got *g);
void got_poll(struct srig *r, int fd, struct got *g); /* what is there now */
void got_all(struct srig *r, int fd, struct got *g);  /* until the server closes */
/* Until n complete answers, or the end; false: there are not so many. */
bool got_answer(struct srig *r, int fd, struct got *g, unsigned n);
void got_answers(struct srig *r, int fd, struct got *g, unsigned n); /* there must be */
unsigned got_count(const struct got *g);                             /* complete final answers */
/* The status and body of answer i; -1: there is none. */
int got_status(const struct got *g, unsigned i, struct buf *ret_body);
bool got_has(const struct got *g, const char *z);

/* The only connection that there is; for looking into it. */
struct conn *only_conn(struct srig *r);
/* Closes the client's socket, waits until the server has noticed, ends the rig. */
void srig_end(struct srig *r, int fd);

/* Hooks and what they are made of. */
void answer(struct call *k, int status, const char *body); /* whole, then closes */
void close_call(struct call *k);
void hook_hold(struct call *k, enum moment m); /* does nothing until an error comes, then closes */
void hook_get(struct call *k, enum moment m);  /* "ok" at once, the body is not read */
void hook_echo(struct call *k,
               enum moment m); /* "POST /target 5 hello" when the body is complete */

#endif
