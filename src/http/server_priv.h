/* http/server_priv.h -- between server.c (connections), server_exchange.c (the operations of an
 * exchange) and server_main.c (the server object).
 *
 *   http_server --< conn --(0..1) request = exchange, with its arena
 *
 * A connection:
 *   FRESH ----> HEAD ----> OUT ----> IDLE ----> HEAD ...
 *                 |         |  `---> DISCARD (answered early, skips the rest) ----> IDLE
 *                 |         `------> LINGER  (closing: flushes, drops what comes in)
 *                 `----refused-----> LINGER
 *   every state ----> DEAD (no stream; waits for the owner of an exchange to close it)
 *
 * A request object is taken from a free list with the first byte of a head and goes back at
 * exchange_close. */
#ifndef HTTP_SERVER_PRIV_H
#define HTTP_SERVER_PRIV_H

#include "base/buf.h"
#include "http/h1.h"
#include "http/http_priv.h"
#include "http/server.h"

enum conn_state {
    CONN_FRESH,   /* accepted, no byte yet */
    CONN_IDLE,    /* between requests */
    CONN_HEAD,    /* receiving a head */
    CONN_OUT,     /* an exchange is with its owner */
    CONN_DISCARD, /* answered; skipping the rest of the request */
    CONN_LINGER,  /* no further request; flushing, then closing */
    CONN_DEAD,    /* no stream */
};

#define CONN_PENDING_BYTES (16 * 1024) /* received ahead of use: beyond, reading stops */
#define CONN_DISCARD_BYTES (64 * 1024)
#define CONN_DISCARD_US 1000000
#define CONN_PEER_BYTES 64
#define SERVER_SPARE_MAX 128 /* request objects kept for reuse */

enum recv { RECV_BODY, RECV_DONE, RECV_FAILED };

struct request {
    struct exchange x; /* first: an exchange is a request */
    struct list link;  /* of the spare ones */
    struct conn *conn;

    enum recv recv;
    bool pull;          /* exchange_read is on */
    bool failed;        /* on_error was called: the last event */
    bool continue_due;  /* the client waits for 100 Continue */
    uint64_t pull_us;   /* since when the body is pulled */
    uint64_t pulled_us; /* time spent pulling before that */

    bool close_asked;
    bool keep;     /* the connection was promised to live on */
    bool bodiless; /* HEAD, 204, 304: body bytes are not sent */
    bool end_sent;
    enum h1_body framing;
    uint64_t left; /* H1_LENGTH: body bytes still to be given */
};

struct conn {
    struct list link;
    struct http_server *server;
    struct stream *stream; /* NULL: DEAD */
    enum conn_state state;
    struct request *rq; /* HEAD, OUT; DEAD when the owner has not closed it yet */
    struct h1 h1;
    struct buf pending; /* received, not yet used */
    struct timer timer; /* set for the earliest deadline or before it; moved only to come earlier */
    struct defer wake;
    uint64_t due_us;    /* what the timer was set for; 0: not set */
    uint64_t since_us;  /* of the state, where it has a deadline */
    uint64_t unsent_us; /* when output began to wait for the client */
    size_t discarded;
    bool busy; /* conn_process is on the stack */
    bool reading, eof;
    char peer[CONN_PEER_BYTES];
    size_t peer_len;
};

struct http_server {
    struct loop *loop;
    struct http_server_opts o;
    struct list conns;
    size_t conn_count;
    struct list spare;
    size_t spare_count;
    struct buf head, body; /* for assembling an answer's head, a refusal's body */
    uint64_t date_s;
    char date[H1_DATE_BYTES];
    bool draining, freed;
};

/* -- server.c */
void conn_set_state(struct conn *c, enum conn_state to);
void conn_process(struct conn *c, struct str bytes);
void conn_settle(
    struct conn
        *c); /* after any change: reading, timer, and the end of a dead connection: c may be gone */
void server_conn_drop(struct conn *c); /* cuts the stream now */
void conn_hang_up(struct conn *c);     /* half close; the rest is LINGER's */
void conn_send(struct conn *c, const struct str *segs, size_t n);
void conn_accept(struct http_server *s, struct stream *stream);
void conn_cancel(struct conn *c);     /* http_server_free: c may be gone */
void conn_close_idle(struct conn *c); /* drain: c may be gone */

/* -- server_exchange.c */
extern const struct exchange_ops server_exchange_ops;
/* Writes an answer's head into server->head. */
struct str server_put_head(struct http_server *s, const struct http_out *out, enum h1_body body,
                           enum h1_conn conn);

/* -- server_main.c */
struct request *request_get(struct http_server *s, struct conn *c);
void request_put(struct http_server *s, struct request *rq);
void server_conn_gone(
    struct http_server *s); /* frees a server whose last connection went after http_server_free */

#endif
