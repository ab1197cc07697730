/* net/stream.h -- a two-way stream of plain bytes over TCP, with or without TLS, with backpressure
 * both ways.
 *
 * Writes try the socket at once; what it does not take is copied to the stream's buffer and sent as
 * the socket drains. The writer paces itself: it stops when stream_unsent() is high and goes on at
 * on_drain. Reading is on from the start (so that a leaving peer is seen) until stream_read(s,
 * false). Ownership: a stream is a heap object of its worker. stream_close() gives it up: no
 * callback comes after it; memory is freed when libuv has closed the handle. Callbacks never run
 * inside a call on the stream: an error of a write comes to on_end later. From within a callback,
 * stream_close is allowed. Thread: the loop's. */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include "base/err.h"
#include "net/loop.h"

struct stream;
struct tls_ctx;

struct stream_events {
    /* Valid during the call; the callee takes them all. */
    void (*on_data)(void *ctx, struct str bytes);
    /* Reading has ended, once: ERR_EOF (orderly end), ERR_RESET, ERR_TLS (also a TLS stream cut
     * without close_notify), ERR_IO. Writing may go on after ERR_EOF; if that fails, on_end comes a
     * second time, with the failure. After any but ERR_EOF the stream is dead. */
    void (*on_end)(void *ctx, enum err why);
    /* Unsent fell to STREAM_LOW_BYTES or less after it had been above STREAM_HIGH_BYTES. */
    void (*on_drain)(void *ctx);
};

#define STREAM_HIGH_BYTES (256 * 1024)
#define STREAM_LOW_BYTES (64 * 1024)

/* The events may be exchanged at any time (a pooled connection changes hands). */
void stream_set_events(struct stream *s, const struct stream_events *ev, void *ctx);
/* While reading is off nothing is delivered; an end of file or a reset is seen only when it is on
 * again (or by a write). Off and on again before bytes come costs nothing. */
void stream_read(struct stream *s, bool on);

/* Sends all segments, in one vectored write where the socket takes them. Nothing is borrowed after
 * the return. Of a dead stream nothing is sent. */
void stream_write(struct stream *s, const struct str *segs, size_t n);
/* With TLS, as ciphertext. A writer that lets it grow past 256 MiB is cut (ERR_IO). */
size_t stream_unsent(const struct stream *s);

/* What is unsent is still sent, within 5 s; then close_notify and close. */
void stream_close(struct stream *s);
/* At once; what is unsent is lost, and the peer sees a reset then, or when it is still sending. */
void stream_abort(struct stream *s);
void stream_shutdown(struct stream *s); /* half close after what is unsent */

/* For logs: "10.0.0.1:443". */
struct str stream_peer(const struct stream *s);
struct loop *stream_loop(const struct stream *s);
uint64_t stream_last_progress_us(const struct stream *s); /* when the peer last took bytes */

/* Why it ended, for logs ("connection reset by peer"); empty before that. A constant text. */
struct str stream_problem(const struct stream *s);

/* For uses that need to see that a pooled stream is still quiet and open: false once it ended, a
 * write failed, or bytes came while its events had no on_data. */
bool stream_alive(const struct stream *s);

/* -- listening */
struct listener;
struct listen_opts {
    struct str host; /* address or name; "localhost" listens on 127.0.0.1 and ::1 where present */
    uint16_t port;   /* 0: any, see listener_port */
    bool reuse_port; /* SO_REUSEPORT: one listener per worker on the same port */
    struct tls_ctx *tls;   /* NULL: plain; a reference is taken */
    uint64_t handshake_ms; /* of TLS; 0: 10,000 */
    int backlog;           /* 0: 1024 */
};
/* The callee sets events at once. TLS handshakes have finished; one that fails is not heard of. */
typedef void accept_fn(void *ctx, struct stream *s);
/* Errors: ERR_DNS (host is no address of this machine), ERR_IO with errno kept in *ret_errno. */
MUST_CHECK enum err listener_new(struct loop *l, const struct listen_opts *o, accept_fn *on_accept,
                                 void *ctx, struct listener **ret_listener, int *ret_errno);
uint16_t listener_port(const struct listener *ls);
/* How often accepting was suspended for 100 ms because the process or the machine was out of
 * descriptors or memory. */
uint64_t listener_stalls(const struct listener *ls);
/* Streams that were given out live on; handshakes under way are cut. Accepts NULL. */
void listener_close(struct listener *ls);

#endif
