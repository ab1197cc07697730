#include "http/client_priv.h"

#include "base/mem.h"

#include <assert.h>

#define CALLS_SPARE_MAX 256

struct client *client_new(struct loop *l, const struct client_opts *o)
{
    assert(o->dns && o->idle_ms && o->life_ms && o->connections_per_origin && o->max_header_bytes);
    struct client *c = MEM_NEW(struct client);
    c->loop = l;
    c->opts = *o;
    list_init(&c->spare);
    buf_init(&c->head, H1_HEAD_CAP);
    pools_init(c);
    return c;
}

void client_free(struct client *c)
{
    if (!c)
        return;
    assert(c->calls == 0);
    pools_done(c);
    LIST_EACH_SAFE(it, &c->spare)
    {
        struct call *x = CONTAINER_OF(it, struct call, link);
        call_done(x);
        mem_free(x);
    }
    buf_done(&c->head);
    mem_free(c);
}

size_t client_connections(const struct client *c)
{
    return c->connections;
}

static struct call *call_get(struct client *c)
{
    c->calls++;
    if (list_empty(&c->spare)) {
        struct call *x = MEM_NEW(struct call);
        call_init(x, c);
        return x;
    }
    struct call *x = CONTAINER_OF(c->spare.next, struct call, link);
    list_remove(&x->link);
    c->spare_count--;
    return x;
}

void call_recycle(struct call *x)
{
    struct client *c = x->client;
    c->calls--;
    if (c->spare_count >= CALLS_SPARE_MAX) {
        call_done(x);
        mem_free(x);
        return;
    }
    /* Idle calls keep their arena's first block, and nothing that a large answer has grown. */
    if (x->held.room)
        buf_done(&x->held);
    if (x->late.room)
        buf_done(&x->late);
    arena_reset(x->base.arena);
    list_push_front(&c->spare, &x->link);
    c->spare_count++;
}

static bool method_has_body(struct str method)
{
    return str_eq(method, STR("POST")) || str_eq(method, STR("PUT")) ||
           str_eq(method, STR("PATCH"));
}

/* The head goes to the arena: it may have to wait for a dial, and to be sent twice. */
static struct str head_text(struct call *x, const struct client_request *rq, size_t body_bytes)
{
    struct http_out head = rq->head;
    enum h1_body framing = H1_LENGTH;
    if (head.host.len == 0)
        head.host = rq->origin->authority;
    if (!rq->more) {
        head.content_length = (int64_t)body_bytes;
        if (body_bytes == 0 && !method_has_body(head.method))
            framing = H1_NO_BODY;
    } else if (head.content_length < 0) {
        framing = H1_CHUNKED;
    }
    x->chunked = framing == H1_CHUNKED;
    x->declared = x->chunked ? -1 : head.content_length;
    struct buf *out = &x->client->head;
    buf_reset(out);
    h1_put_request(out, &head, framing);
    assert(!out->fail);
    return arena_dup(x->base.arena, buf_str(out));
}

/* The segments as they go out: the head, the body; when it is chunked, as one chunk. */
static void call_compose(struct call *x, const struct client_request *rq)
{
    size_t bytes = 0, n = 0;
    for (size_t i = 0; i < rq->body_count; i++)
        bytes += rq->body[i].len;
    struct str head = head_text(x, rq, bytes);
    struct str *out = arena_alloc(x->base.arena, (rq->body_count + 3) * sizeof *out);
    bool chunk = x->chunked && bytes > 0;

    out[n++] = head;
    if (chunk) {
        char *line = arena_alloc(x->base.arena, H1_CHUNK_LINE_BYTES);
        out[n++] = h1_chunk_line(line, bytes);
    }
    for (size_t i = 0; i < rq->body_count; i++)
        out[n++] = rq->body[i];
    if (chunk)
        out[n++] = H1_CRLF;

    x->out = out;
    x->out_count = n;
    x->total = 0;
    for (size_t i = 0; i < n; i++)
        x->total += out[i].len;
    x->rest = x->total;
    x->framing = x->total - bytes;
    x->written = 0;
}

struct exchange *client_send(struct client *c, const struct client_request *rq,
                             const struct exchange_events *ev, void *ctx)
{
    struct call *x = call_get(c);
    x->base.ev = ev;
    x->base.ctx = ctx;
    x->base.head = NULL;
    x->base.detail = str_of(NULL, 0);
    x->base.bytes_in = x->base.bytes_out = 0;
    x->base.answered = x->base.reused = false;

    x->origin = rq->origin;
    x->connect_timeout_ms = rq->connect_timeout_ms;
    x->first_byte_timeout_ms = rq->first_byte_timeout_ms;
    x->idle_timeout_ms = rq->idle_timeout_ms;
    x->bodiless = str_eq(rq->head.method, STR("HEAD"));
    x->more = rq->more;
    x->wrote = x->flow = false;
    call_compose(x, rq);
    call_start(x);
    return &x->base;
}
