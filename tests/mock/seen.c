#include "mock/seen.h"

#include "base/mem.h"
#include "mock/reply.h"

struct row {
    uint64_t serial, received_us;
    struct buf head; /* request line and headers */
    struct buf body;
};

struct seen {
    struct row rows[SEEN_MAX];
    size_t next, count;
};

struct seen *seen_new(void)
{
    struct seen *s = MEM_NEW(struct seen);
    for (size_t i = 0; i < SEEN_MAX; i++) {
        buf_init(&s->rows[i].head, MIB);
        buf_init(&s->rows[i].body, MOCK_BODY_MAX);
    }
    return s;
}

void seen_free(struct seen *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < SEEN_MAX; i++) {
        buf_done(&s->rows[i].head);
        buf_done(&s->rows[i].body);
    }
    mem_free(s);
}

static void put_head(struct buf *b, const struct request *rq)
{
    buf_put(b, rq->method);
    buf_putc(b, ' ');
    buf_put(b, rq->target);
    buf_putc(b, '\n');
    for (size_t i = 0; i < rq->header_count; i++) {
        buf_put(b, rq->headers[i].name);
        buf_putz(b, ": ");
        buf_put(b, rq->headers[i].value);
        buf_putc(b, '\n');
    }
}

void seen_add(struct seen *s, const struct request *rq)
{
    struct row *r = &s->rows[s->next];
    s->next = (s->next + 1) % SEEN_MAX;
    if (s->count < SEEN_MAX)
        s->count++;
    r->serial = rq->serial;
    r->received_us = rq->received_us;
    buf_reset(&r->head);
    if (r->body.room > MIB)
        buf_done(&r->body);
    buf_reset(&r->body);
    put_head(&r->head, rq);
    buf_put(&r->body, rq->body);
}

void seen_clear(struct seen *s)
{
    s->count = 0;
}

static void put_row(const struct row *r, struct buf *out)
{
    struct str head = buf_str(&r->head);
    struct str line = str_cut(&head, '\n');
    buf_printf(out, "{\"serial\":%llu,\"method\":", (unsigned long long)r->serial);
    put_json(out, str_cut(&line, ' '));
    buf_putz(out, ",\"target\":");
    put_json(out, line);
    buf_putz(out, ",\"headers\":[");
    for (bool first = true; head.len > 0; first = false) {
        struct str value = str_cut(&head, '\n');
        struct str name = str_cut(&value, ':');
        buf_putz(out, first ? "[" : ",[");
        put_json(out, name);
        buf_putc(out, ',');
        put_json(out, str_trim(value));
        buf_putc(out, ']');
    }
    buf_putz(out, "],\"body\":");
    put_json(out, buf_str(&r->body));
    buf_putz(out, ",\"body_base64\":\"");
    put_base64(out, r->body.p, r->body.len);
    buf_putz(out, "\"}");
}

void seen_write(const struct seen *s, struct str needle, struct buf *out)
{
    bool first = true;
    buf_putc(out, '[');
    for (size_t i = 0; i < s->count; i++) {
        const struct row *r = &s->rows[(s->next + SEEN_MAX - s->count + i) % SEEN_MAX];
        if (needle.len > 0 && str_find(buf_str(&r->head), needle) == STR_NONE &&
            str_find(buf_str(&r->body), needle) == STR_NONE)
            continue;
        if (!first)
            buf_putz(out, ",\n");
        first = false;
        put_row(r, out);
    }
    buf_putz(out, "]\n");
}

static void record_part(const char *dir, uint64_t serial, const char *part, struct str bytes)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%06llu.%s", dir, (unsigned long long)serial, part);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(bytes.p ? bytes.p : "", 1, bytes.len, f) != bytes.len)
        fprintf(stderr, "weir-mock: cannot write %s\n", path);
    if (f)
        fclose(f);
}

void seen_record(const char *dir, const struct request *rq)
{
    struct buf head;
    buf_init(&head, MIB);
    put_head(&head, rq);
    record_part(dir, rq->serial, "head", buf_str(&head));
    record_part(dir, rq->serial, "body", rq->body);
    buf_done(&head);
}
