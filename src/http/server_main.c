#include "http/server.h"

#include "base/mem.h"
#include "http/server_priv.h"

struct http_server *http_server_new(struct loop *l, const struct http_server_opts *o)
{
    struct http_server *s = MEM_NEW(struct http_server);
    s->loop = l;
    s->o = *o;
    list_init(&s->conns);
    list_init(&s->spare);
    buf_init(&s->head, H1_HEAD_CAP);
    buf_init(&s->body, H1_HEAD_CAP);
    return s;
}

void http_server_accept(void *server, struct stream *stream)
{
    conn_accept(server, stream);
}

size_t http_server_connections(const struct http_server *s)
{
    return s->conn_count;
}

void http_server_drain(struct http_server *s)
{
    s->draining = true;
    LIST_EACH_SAFE(it, &s->conns) conn_close_idle(CONTAINER_OF(it, struct conn, link));
}

static void request_free(struct request *rq)
{
    arena_free(rq->x.arena);
    mem_free(rq);
}

static void server_release(struct http_server *s)
{
    LIST_EACH_SAFE(it, &s->spare) request_free(CONTAINER_OF(it, struct request, link));
    buf_done(&s->head);
    buf_done(&s->body);
    mem_free(s);
}

void http_server_free(struct http_server *s)
{
    if (!s)
        return;
    /* Owners may close any exchange from within on_error, so the list is walked from its front
     * each time. */
    s->freed = true;
    struct list all;
    list_init(&all);
    s->conn_count++; /* keeps the server until the end of this function */
    while (!list_empty(&s->conns)) {
        struct list *it = s->conns.next;
        list_remove(it);
        list_push(&all, it);
        conn_cancel(CONTAINER_OF(it, struct conn, link));
    }
    /* What is left in `all` waits for its owner; list_remove needs neighbours that stay. */
    while (!list_empty(&all)) {
        struct list *it = all.next;
        list_remove(it);
        list_push(&s->conns, it);
    }
    server_conn_gone(s);
}

void server_conn_gone(struct http_server *s)
{
    s->conn_count--;
    if (s->freed && s->conn_count == 0)
        server_release(s);
}

struct request *request_get(struct http_server *s, struct conn *c)
{
    struct request *rq;
    struct arena *a;
    if (list_empty(&s->spare)) {
        rq = mem_alloc(sizeof *rq);
        a = arena_new();
    } else {
        rq = CONTAINER_OF(s->spare.next, struct request, link);
        list_remove(&rq->link);
        s->spare_count--;
        a = rq->x.arena;
    }
    *rq = (struct request){ .x = { .ops = &server_exchange_ops, .arena = a }, .conn = c };
    list_init(&rq->link);
    return rq;
}

void request_put(struct http_server *s, struct request *rq)
{
    if (s->spare_count >= SERVER_SPARE_MAX) {
        request_free(rq);
        return;
    }
    arena_reset(rq->x.arena);
    list_push_front(&s->spare, &rq->link);
    s->spare_count++;
}
