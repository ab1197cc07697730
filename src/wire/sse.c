#include "wire/sse.h"

#include "wire/bytes_priv.h"

#include <assert.h>

static const struct str bom = STR_INIT("\xef\xbb\xbf");

void sse_init(struct sse *s, size_t event_max)
{
    *s = (struct sse){ .place = SSE_BOM };
    buf_init(&s->held, event_max);
    buf_init(&s->joined, event_max);
}

void sse_done(struct sse *s)
{
    buf_done(&s->held);
    buf_done(&s->joined);
}

void sse_push(struct sse *s, struct str bytes)
{
    assert((s->in.len == 0 || s->held.fail) && !s->finished);
    s->in = bytes;
}

void sse_finish(struct sse *s)
{
    s->finished = true;
}

size_t sse_pending(const struct sse *s)
{
    return (s->given ? 0 : s->held.len) + s->in.len;
}

static enum err hold(struct sse *s, size_t n)
{
    buf_put(&s->held, str_head(s->in, n));
    s->in = str_skip(s->in, n);
    return s->held.fail;
}

/* Past a byte order mark, which may come in pieces. What looked like one and is none belongs to
 * the first line. */
static enum err take_bom(struct sse *s)
{
    size_t n = 0, had = s->held.len;
    while (had + n < bom.len && n < s->in.len && s->in.p[n] == bom.p[had + n])
        n++;
    if (had + n == bom.len) {
        buf_reset(&s->held);
        s->in = str_skip(s->in, n);
        s->place = SSE_LINE;
    } else if (n < s->in.len) {
        s->place = had + n ? SSE_TEXT : SSE_LINE;
    } else {
        return hold(s, n);
    }
    return ERR_OK;
}

/* Moves `place` over the bytes. True when an event ends: after `*ret_len` of them. `*ret_line`: bytes before the first line ending,
 * 0 where there is none. */
static bool find_end(enum sse_place *place, struct str in, bool finished, size_t *ret_len,
                     size_t *ret_line)
{
    *ret_line = 0;
    const char *p = in.p, *end = in.len ? in.p + in.len : in.p;
    while (p < end) {
        switch (*place) {
        case SSE_BLANK_CR: *ret_len = (size_t)(p - in.p) + (*p == '\n'); return true;
        case SSE_TEXT_CR:
            *place = SSE_LINE;
            p += *p == '\n';
            break;
        case SSE_TEXT:
            p = bytes_skip(STOP_LINE, p, end);
            if (p < end && *ret_line == 0)
                *ret_line = (size_t)(p - in.p);
            if (p < end)
                *place = *p++ == '\n' ? SSE_LINE : SSE_TEXT_CR;
            break;
        case SSE_LINE:
        case SSE_BOM:
            if (*p == '\n') {
                *ret_len = (size_t)(p - in.p) + 1;
                return true;
            }
            *place = *p == '\r' ? SSE_BLANK_CR : SSE_TEXT;
            p += *p == '\r';
            break;
        }
    }
    *ret_len = in.len;
    return finished && *place == SSE_BLANK_CR;
}

/* Cuts the next line off; `*text` is not empty. `known`: its length, or 0 to look for its end. */
static struct str take_line(struct str *text, size_t known)
{
    const char *end = text->p + text->len;
    const char *p = known ? text->p + known : bytes_skip(STOP_LINE, text->p, end);
    struct str line = str_of(text->p, (size_t)(p - text->p));
    size_t ending = p == end ? 0 : *p == '\r' && end - p > 1 && p[1] == '\n' ? 2 : 1;
    *text = str_skip(*text, line.len + ending);
    return line;
}

static void add_data(struct sse *s, struct sse_event *ev, struct str value)
{
    if (!ev->has_data) {
        ev->has_data = true;
        ev->data = value;
        return;
    }
    if (s->joined.len == 0) /* the second line: from here on data is a copy */
        buf_put(&s->joined, ev->data);
    buf_putc(&s->joined, ' ');
    buf_put(&s->joined, value);
    ev->data = buf_str(&s->joined);
}

/* `known`: the length of the first line, or 0. The joined data is never longer than the event, so its cap cannot be
 * what fails. */
static void parse(struct sse *s, struct str raw, size_t known, struct sse_event *ret_event)
{
    *ret_event = (struct sse_event){ .raw = raw };
    buf_reset(&s->joined);
    for (; raw.len; known = 0) {
        struct str line = take_line(&raw, known);
        size_t colon = str_find_char(line, ':');
        struct str field = str_head(line, colon);
        struct str value = colon == STR_NONE ? str_of(NULL, 0) : str_skip(line, colon + 1);
        if (value.len && value.p[0] == ' ')
            value = str_skip(value, 1);
        if (str_eq(field, STR("data")))
            add_data(s, ret_event, value);
        else if (str_eq(field, STR("event")))
            ret_event->name = value;
    }
}

enum err sse_next(struct sse *s, struct sse_event *ret_event)
{
    size_t n, line;
    if (s->given) {
        buf_reset(&s->held);
        s->given = false;
    }
    TRY(s->held.fail);
    if (s->place == SSE_BOM)
        TRY(take_bom(s));
    if (s->place == SSE_BOM) /* still nothing else */
        return ERR_AGAIN;
    bool ended = find_end(&s->place, s->in, s->finished, &n, &line);
    if (!ended || s->held.len || n > s->held.cap) {
        TRY(hold(s, n));
        if (!ended)
            return ERR_AGAIN;
        s->given = true;
        parse(s, buf_str(&s->held), 0, ret_event);
    } else {
        parse(s, str_head(s->in, n), line, ret_event);
        s->in = str_skip(s->in, n);
    }
    s->place = SSE_LINE;
    return ERR_OK;
}

bool sse_rest(struct sse *s, struct sse_event *ret_event)
{
    assert(s->finished && s->in.len == 0);
    if (sse_pending(s) == 0 || s->held.fail)
        return false;
    parse(s, buf_str(&s->held), 0, ret_event);
    s->given = true;
    return true;
}
