#include "wire/segments.h"

#include "base/mem.h"

#define OWN_FIRST_BYTES ((size_t)2048) /* most bodies fit: no growing on the way */

void segments_init(struct segments *s, size_t cap)
{
    *s = (struct segments){ 0 };
    buf_init(&s->own, cap);
    if (cap >= OWN_FIRST_BYTES)
        buf_reserve(&s->own, OWN_FIRST_BYTES);
}

void segments_done(struct segments *s)
{
    mem_free(s->cuts);
    s->cuts = NULL;
    s->count = s->room = 0;
    buf_done(&s->own);
}

/* `with` stands after what was written so far. */
static void borrow(struct segments *s, struct str with)
{
    if (s->count == s->room) {
        s->room = s->room ? s->room * 2 : 8;
        s->cuts = mem_realloc(s->cuts, s->room * sizeof s->cuts[0]);
    }
    s->cuts[s->count++] = (struct segments_cut){ s->own.len, with };
}

static void put(struct segments *s, struct str bytes)
{
    if (bytes.len < SEGMENTS_BORROW_MIN)
        buf_put(&s->own, bytes);
    else
        borrow(s, bytes);
}

void segments_raw(struct segments *s, struct json_write *w, const char *name, struct str json)
{
    json_raw(w, name, STR("")); /* the comma and the name */
    put(s, json);
}

void segments_plain(struct segments *s, struct json_write *w, const char *name, const char *prefix,
                    struct str plain)
{
    json_raw(w, name, STR("\""));
    buf_putz(&s->own, prefix);
    put(s, plain);
    buf_putc(&s->own, '"');
}

enum err segments_finish(struct segments *s, struct arena *a, const struct str **ret_segs,
                         size_t *ret_count)
{
    TRY(s->own.fail);
    struct str *segs = ARENA_ARRAY(a, struct str, 2 * s->count + 1);
    size_t n = 0, from = 0;
    for (size_t i = 0; i < s->count; i++) {
        if (s->cuts[i].at > from)
            segs[n++] = str_of(s->own.p + from, s->cuts[i].at - from);
        segs[n++] = s->cuts[i].with;
        from = s->cuts[i].at;
    }
    if (s->own.len > from)
        segs[n++] = str_of(s->own.p + from, s->own.len - from);
    *ret_segs = segs;
    *ret_count = n;
    return ERR_OK;
}

struct str segments_flat(const struct segments *s, struct arena *a)
{
    size_t total = s->own.len, n = 0, from = 0;
    for (size_t i = 0; i < s->count; i++)
        total += s->cuts[i].with.len;
    char *out = arena_alloc(a, total + 1);
    for (size_t i = 0; i <= s->count; i++) {
        size_t to = i < s->count ? s->cuts[i].at : s->own.len;
        if (to > from)
            memcpy(out + n, s->own.p + from, to - from);
        n += to - from;
        from = to;
        if (i < s->count) {
            memcpy(out + n, s->cuts[i].with.p, s->cuts[i].with.len);
            n += s->cuts[i].with.len;
        }
    }
    return str_of(out, n);
}
