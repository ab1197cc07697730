/* http/http_priv.h -- what server.c and client.c share: the base of an exchange. Each side
 * embeds `struct exchange` as the first member of its own struct and brings a table of
 * operations; exchange.c dispatches to it. */
#ifndef HTTP_HTTP_PRIV_H
#define HTTP_HTTP_PRIV_H

#include "http/exchange.h"

struct exchange_ops {
    void (*read)(struct exchange *x, bool on);
    void (*respond)(struct exchange *x, const struct http_out *out, const struct str *body,
                    size_t n, bool end); /* NULL on the client side */
    void (*write)(struct exchange *x, const struct str *body, size_t n, bool end);
    size_t (*unsent)(const struct exchange *x);
    void (*set_close)(struct exchange *x); /* NULL on the client side */
    struct str (*peer)(const struct exchange *x);
    void (*close)(struct exchange *x);
};

struct exchange {
    const struct exchange_ops *ops;
    const struct exchange_events *ev; /* NULL until exchange_set_events */
    void *ctx;
    struct arena *arena;
    const struct http_head *head; /* the received one; NULL before it came */
    struct str detail;            /* of a failure; lives as long as the exchange */
    uint64_t bytes_in, bytes_out; /* of bodies */
    bool answered;
    bool reused;
};

/* Calls an event, if there is somebody to hear it. */
static inline void exchange_emit_body(struct exchange *x, struct str bytes)
{
    x->bytes_in += bytes.len;
    if (x->ev && x->ev->on_body)
        x->ev->on_body(x->ctx, bytes);
}

static inline void exchange_emit_end(struct exchange *x)
{
    if (x->ev && x->ev->on_body_end)
        x->ev->on_body_end(x->ctx);
}

static inline void exchange_emit_drain(struct exchange *x)
{
    if (x->ev && x->ev->on_drain)
        x->ev->on_drain(x->ctx);
}

static inline void exchange_emit_error(struct exchange *x, enum err e)
{
    if (x->ev && x->ev->on_error)
        x->ev->on_error(x->ctx, e);
}

#endif
