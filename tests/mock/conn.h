/* mock/conn.h -- a client's connection, and the reply that is under way on it.
 *
 *     READING --request--> PLAYING --reply sent--> READING ...
 *        \--------------------\------ end of either side --> CLOSED (freed when the timer's handle has closed)
 *
 * Private to conn.c and play.c. */
#ifndef MOCK_CONN_H
#define MOCK_CONN_H

#include "mock/reply.h"

#include <uv.h>

enum conn_state { CONN_READING, CONN_PLAYING, CONN_CLOSED };

struct play {
    size_t piece;    /* next one to be sent */
    size_t sent;     /* payload bytes sent */
    uint64_t due_us; /* of the head */
    uint64_t interval_us;
    enum script_fault fault; /* still to come, when `sent` reaches `limit` */
    size_t limit;
    bool head_sent, chunked, close, ended;
    struct buf wire; /* made and not yet given to the stream */
};

struct conn {
    struct mock *mock;
    struct list link;
    struct stream *stream;
    enum conn_state state;
    struct buf in;      /* received, not yet a whole request */
    struct buf current; /* holds the bytes of the request that is being answered */
    size_t need;        /* bytes of `in` that make the request; 0: not known yet */
    bool continued;     /* 100 Continue was sent for the request that is coming in */
    bool dies_next;
    struct arena *arena;
    struct request rq;
    struct reply rp;
    struct play play;
    uv_timer_t timer;
};

/* Sends c->rp as c->rq.script says, then calls conn_replied, or closes the connection. */
void play_start(struct conn *c);
void play_go(struct conn *c); /* the timer, or room in the socket */

void conn_replied(struct conn *c);
void conn_close(struct conn *c, bool reset);
void conn_timer(struct conn *c, uint64_t ms);

#endif
