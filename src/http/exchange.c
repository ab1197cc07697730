#include "http/exchange.h"

#include "http/http_priv.h"

#include <assert.h>

void exchange_set_events(struct exchange *x, const struct exchange_events *ev, void *ctx)
{
    x->ev = ev;
    x->ctx = ctx;
}

const struct http_head *exchange_head(const struct exchange *x)
{
    return x->head;
}

struct arena *exchange_arena(struct exchange *x)
{
    return x->arena;
}

void exchange_read(struct exchange *x, bool on)
{
    x->ops->read(x, on);
}

void exchange_respond(struct exchange *x, const struct http_out *out, const struct str *body,
                      size_t n, bool end)
{
    assert(x->ops->respond);
    x->ops->respond(x, out, body, n, end);
}

void exchange_write(struct exchange *x, const struct str *body, size_t n, bool end)
{
    x->ops->write(x, body, n, end);
}

size_t exchange_unsent(const struct exchange *x)
{
    return x->ops->unsent(x);
}

void exchange_set_close(struct exchange *x)
{
    assert(x->ops->set_close);
    x->ops->set_close(x);
}

bool exchange_answered(const struct exchange *x)
{
    return x->answered;
}

struct str exchange_peer(const struct exchange *x)
{
    return x->ops->peer(x);
}

struct str exchange_detail(const struct exchange *x)
{
    return x->detail;
}

bool exchange_reused(const struct exchange *x)
{
    return x->reused;
}

uint64_t exchange_bytes_in(const struct exchange *x)
{
    return x->bytes_in;
}

uint64_t exchange_bytes_out(const struct exchange *x)
{
    return x->bytes_out;
}

void exchange_close(struct exchange *x)
{
    x->ops->close(x);
}
