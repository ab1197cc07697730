#include "wire/splice.h"

#include <assert.h>

void splice_init(struct splice *s, struct arena *a, struct str text)
{
    *s = (struct splice){ .arena = a, .text = text };
}

static void grow(struct splice *s)
{
    size_t room = s->room ? s->room * 2 : 8;
    struct splice_edit *edits = ARENA_ARRAY(s->arena, struct splice_edit, room);
    if (s->count)
        memcpy(edits, s->edits, s->count * sizeof *edits);
    s->edits = edits;
    s->room = room;
}

/* An insertion stands before what is replaced or cut at the same offset. */
static bool goes_before(size_t at, size_t len, const struct splice_edit *e)
{
    return at < e->at || (at == e->at && len == 0 && e->len > 0);
}

void splice_replace(struct splice *s, size_t at, size_t len, struct str with)
{
    assert(at <= s->text.len && len <= s->text.len - at);
    if (s->count == s->room)
        grow(s);
    size_t i = s->count;
    while (i > 0 && goes_before(at, len, &s->edits[i - 1]))
        i--;
    assert(i == 0 || s->edits[i - 1].at + s->edits[i - 1].len <= at);
    assert(i == s->count || at + len <= s->edits[i].at);
    memmove(&s->edits[i + 1], &s->edits[i], (s->count - i) * sizeof *s->edits);
    s->edits[i] = (struct splice_edit){ at, len, with };
    s->count++;
}

void splice_value(struct splice *s, const struct json_member *m, struct str with)
{
    assert(m->type != JSON_ABSENT);
    splice_replace(s, m->value_at, m->value_len, with);
}

/* While all members before it were cut as well, a member goes with the comma after it; once one
 * stays, with the comma before it. So no comma is ever cut twice or left over. */
void splice_cut_member(struct splice *s, const struct json_member *m)
{
    if (m->type == JSON_ABSENT)
        return;
    assert(m->index >= s->cut && s->added == 0);
    if (m->index == s->cut)
        splice_replace(s, m->name_at, m->next_at - m->name_at, STR(""));
    else
        splice_replace(s, m->comma_before, m->value_at + m->value_len - m->comma_before, STR(""));
    s->cut++;
}

void splice_add_member(struct splice *s, uint32_t count, const char *name, struct str json)
{
    size_t close = s->text.len;
    while (close > 0 && s->text.p[close - 1] != '}')
        close--;
    assert(close > 0 && s->cut <= count);
    const char *before = count - s->cut + s->added > 0 ? ",\"" : "\"";
    splice_replace(s, close - 1, 0, arena_printf(s->arena, "%s%s\":", before, name));
    splice_replace(s, close - 1, 0, json);
    s->added++;
}

const struct str *splice_segments(const struct splice *s, size_t *ret_count)
{
    struct str *segs = ARENA_ARRAY(s->arena, struct str, 2 * s->count + 1);
    size_t n = 0, at = 0;
    for (size_t i = 0; i < s->count; i++) {
        const struct splice_edit *e = &s->edits[i];
        if (e->at > at)
            segs[n++] = str_of(s->text.p + at, e->at - at);
        if (e->with.len)
            segs[n++] = e->with;
        at = e->at + e->len;
    }
    if (s->text.len > at)
        segs[n++] = str_of(s->text.p + at, s->text.len - at);
    *ret_count = n;
    return segs;
}

size_t splice_len(const struct splice *s)
{
    size_t len = s->text.len;
    for (size_t i = 0; i < s->count; i++)
        len = len - s->edits[i].len + s->edits[i].with.len;
    return len;
}

struct str splice_flat(const struct splice *s, struct arena *a)
{
    if (s->count == 0)
        return s->text;
    size_t n, len = 0, at = 0;
    const struct str *segs = splice_segments(s, &n);
    for (size_t i = 0; i < n; i++)
        len += segs[i].len;
    char *out = arena_alloc(a, len);
    for (size_t i = 0; i < n; i++) {
        memcpy(out + at, segs[i].p, segs[i].len);
        at += segs[i].len;
    }
    return str_of(out, at);
}
