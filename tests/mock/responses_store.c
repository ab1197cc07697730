/* Responses that are kept for later requests, of the organisation that made them alone. The oldest go first. */
#include "base/mem.h"
#include "mock/responses.h"

struct responses {
    struct list list;
    size_t n;
};

static struct responses *store_of(struct mock *m)
{
    if (!m->responses) {
        m->responses = mem_zalloc(sizeof(*m->responses));
        list_init(&m->responses->list);
    }
    return m->responses;
}

static void stored_free(struct responses *all, struct stored *s)
{
    list_remove(&s->link);
    all->n--;
    mem_free(s->ends);
    arena_free(s->arena);
    mem_free(s);
}

void responses_free(struct responses *all)
{
    if (!all)
        return;
    LIST_EACH_SAFE(it, &all->list)
    stored_free(all, CONTAINER_OF(it, struct stored, link));
    mem_free(all);
}

struct stored *rsp_stored(const struct rsp *r, struct str id)
{
    LIST_EACH(it, &store_of(r->m)->list)
    {
        struct stored *s = CONTAINER_OF(it, struct stored, link);
        if (str_eq(s->id, id) && str_eq(s->credential, r->credential))
            return s;
    }
    return NULL;
}

void rsp_forget(struct rsp *r, struct stored *s)
{
    stored_free(store_of(r->m), s);
}

/* -- what is kept */

static struct str object_in(const struct rsp *r, const char *status, struct arena *a)
{
    struct buf flat, pretty;
    buf_init(&flat, 512 * MIB);
    buf_init(&pretty, 512 * MIB);
    rsp_put_object(r, status, &flat);
    rsp_put_pretty(buf_str(&flat), &pretty);
    struct str text = arena_dup(a, buf_str(&pretty));
    buf_done(&flat);
    buf_done(&pretty);
    return text;
}

/* The conversation's items, and with `output` what was answered. */
static struct str items_text(const struct rsp *r, bool output, struct arena *a)
{
    struct buf b;
    size_t n = yyjson_arr_size(r->input);
    buf_init(&b, 512 * MIB);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_putc(&b, ',');
        rsp_put_value(yyjson_arr_get(r->input, i), &b);
    }
    for (size_t i = 0; i < r->item_count && output; i++) {
        if (n + i > 0)
            buf_putc(&b, ',');
        rsp_put_item(r, &r->items[i], true, &b);
    }
    struct str text = arena_dup(a, buf_str(&b));
    buf_done(&b);
    return text;
}

void rsp_store(struct rsp *r)
{
    struct responses *all = store_of(r->m);
    struct stored *s = mem_zalloc(sizeof(*s));
    struct arena *a = s->arena = arena_new();
    s->id = arena_dup(a, r->id);
    s->credential = arena_dup(a, r->credential);
    s->background = yyjson_is_true(yyjson_obj_get(r->rq->json, "background"));
    s->state = s->background && !r->rp->stream ? RSP_QUEUED : RSP_ENDED;
    s->bodies[RSP_ENDED] = object_in(r, r->status, a);
    if (s->background) {
        s->bodies[RSP_QUEUED] = object_in(r, "queued", a);
        s->bodies[RSP_IN_PROGRESS] = object_in(r, "in_progress", a);
        s->bodies[RSP_CANCELLED] = object_in(r, "cancelled", a);
    }
    s->input = items_text(r, false, a);
    s->context = items_text(r, true, a);
    s->streamed = s->background && r->rp->stream;
    if (s->streamed) {
        s->events = arena_dup(a, buf_str(&r->rp->body));
        s->count = r->rp->count;
        s->ends = mem_alloc(s->count * sizeof(s->ends[0]) + 1);
        memcpy(s->ends, r->rp->ends, s->count * sizeof(s->ends[0]));
    }
    list_push(&all->list, &s->link);
    if (++all->n > RSP_STORED_MAX)
        stored_free(all, CONTAINER_OF(all->list.next, struct stored, link));
}

struct str rsp_stored_item(const struct rsp *r, struct str id)
{
    struct str found = STR("");
    LIST_EACH(it, &store_of(r->m)->list)
    {
        struct stored *s = CONTAINER_OF(it, struct stored, link);
        if (found.len > 0 || !str_eq(s->credential, r->credential) ||
            str_find(s->context, id) == STR_NONE)
            continue;
        struct str text = rsp_path(r, "[%.*s]", STR_ARG(s->context));
        yyjson_doc *doc = yyjson_read(text.p, text.len, 0);
        yyjson_val *list = yyjson_doc_get_root(doc);
        for (size_t i = 0; i < yyjson_arr_size(list) && found.len == 0; i++) {
            yyjson_val *item = yyjson_arr_get(list, i);
            struct buf b;
            if (!str_eq(json_text(item, "id"), id))
                continue;
            buf_init(&b, 512 * MIB);
            rsp_put_value(item, &b);
            found = arena_dup(r->rq->arena, buf_str(&b));
            buf_done(&b);
        }
        yyjson_doc_free(doc);
    }
    return found;
}
