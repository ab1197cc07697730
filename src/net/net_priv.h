/* net/net_priv.h -- what the files of net/ share.
 *
 *   loop.c    the loop, deferred calls, posts          wheel.c     its timers
 *   stream.c  bytes over TCP                           filter.c    TLS over a stream
 *   tls.c     contexts, resumable sessions             listener.c  accepting
 *   dns.c     names, with a cache                      dial.c      name -> stream
 *   proxies.c which proxy, if any                      tunnel.c    CONNECT through it
 *   addr.c    addresses */
#ifndef NET_NET_PRIV_H
#define NET_NET_PRIV_H

#include "base/buf.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/tls.h"

#include <netinet/in.h>
#include <sys/socket.h>

/* -- wheel.c: time is counted in ticks; level k has slots of 8^k ticks. Timers are never moved
 * between levels: a coarse slot is only used by a delay of which it is a small part. Time never
 * goes back. */
#define WHEEL_TICK_US 8000
#define WHEEL_SLOTS 256
#define WHEEL_LEVELS 7 /* 6 days; a later due time is set anew on the way */

struct wheel {
    struct list slots[WHEEL_LEVELS][WHEEL_SLOTS];
    /* A bit may be stale (its slot is empty), never missing. */
    uint64_t used[WHEEL_LEVELS][WHEEL_SLOTS / 64];
    struct list expired;
    uint64_t tick;       /* every slot up to here has been emptied */
    uint64_t alarm_tick; /* when wheel_run must be called; UINT64_MAX: nothing is set */
    bool alarm_moved;    /* since the owner last looked */
};
void wheel_init(struct wheel *w, uint64_t now_us);
void wheel_set(struct wheel *w, struct timer *t, uint64_t now_us, uint64_t due_us);
void wheel_run(struct wheel *w, uint64_t now_us); /* calls what is due */
struct wheel *loop_wheel(struct loop *l);

/* -- loop.c */
/* Received bytes land here; valid within one callback. Not the scratch buffer, which belongs to
 * users of the loop. */
char *loop_read_buf(struct loop *l);
#define LOOP_READ_BYTES ((size_t)64 * 1024)
/* Room for what one read buffer and the partial record before it decrypt to. */
char *loop_plain_buf(struct loop *l);
#define LOOP_PLAIN_BYTES ((size_t)96 * 1024)
/* Small writes are joined here into one TLS record. */
char *loop_record_buf(struct loop *l);
#define LOOP_RECORD_BYTES ((size_t)16 * 1024)
/* Ciphertext on its way from OpenSSL to the socket, within one call. */
struct buf *loop_cipher_buf(struct loop *l);
/* What callbacks of a socket have deferred, when the last of them has returned: an answer goes out while its bytes are in the
 * cache, not after the reads of all other sockets. */
void loop_run_defers(struct loop *l);
/* Objects that have been given up but not freed: loop_run and loop_free wait for them. */
void loop_hold(struct loop *l);
void loop_release(struct loop *l);

/* -- addr.c */
union addr {
    struct sockaddr sa;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};
#define ADDRS_MAX 16 /* of one name; what a resolver gives beyond is left out */
struct addrs {
    size_t count;
    union addr a[ADDRS_MAX];
};
socklen_t addr_len(const union addr *a);
void addr_set_port(union addr *a, uint16_t port);
#define ADDR_TEXT_BYTES (INET6_ADDRSTRLEN + 10)
/* "10.0.0.1:443", "[::1]:443" */
size_t addr_text(const union addr *a, char ret_text[ADDR_TEXT_BYTES]);
bool addr_parse(struct str s, union addr *ret_addr); /* an IP address, without port or brackets */
/* getaddrinfo: blocks unless the flags say AI_NUMERICHOST. Returns its code (EAI_...), 0 with at
 * least one address. */
int addrs_resolve(struct str host, int flags, struct addrs *ret_addrs);

/* A peer that vanished without a word is noticed within two minutes. */
bool socket_keepalive(int fd);

/* -- stream.c */
struct filter;
struct stream {
    uv_tcp_t tcp;
    uv_write_t write;
    union {
        uv_connect_t connect;
        uv_shutdown_t shutdown;
    } rq;
    struct loop *loop;
    struct filter *tls; /* NULL: plain */
    struct stream_events ev;
    void *ctx;
    struct buf sending, queued; /* being written by libuv from sending_at on; and what follows it */
    size_t sending_at, write_bytes;
    size_t seen_left; /* libuv's queue when progress was last looked at */
    uint64_t progress_us;
    struct defer later;  /* reports a failed write, resumes TLS */
    struct timer timer;  /* flush before the close; TLS handshake */
    enum err fail;       /* why writing failed, not yet reported */
    const char *problem; /* a constant text */
    bool read_wanted, reading, ended, ended_hard;
    bool write_dead, writing, was_high, stray;
    bool shut_wanted, shut_done;
    bool closing; /* given up by its owner */
    char peer[ADDR_TEXT_BYTES];
    size_t peer_len;
};

struct stream *stream_new(struct loop *l);
void stream_set_peer(struct stream *s, const union addr *a);
enum err stream_open_fd(struct stream *s, int fd); /* takes the fd, also on failure */
void stream_start(struct stream *s);               /* connected: begins to read */
/* For the TLS filter: bytes to the socket, bytes and the end to the owner. */
void stream_raw_write(struct stream *s, const struct str *segs, size_t n);
void stream_deliver(struct stream *s, struct str bytes);
void stream_end(struct stream *s, enum err why, const char *problem);  /* calls on_end now */
void stream_fail(struct stream *s, enum err why, const char *problem); /* the same, from the loop */

#endif
