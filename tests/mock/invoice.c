#include "mock/invoice.h"

#include "base/clock.h"
#include "base/mem.h"
#include "mock/reply.h"

struct invoices {
    struct buf lines[INVOICES_MAX];
    size_t next, count;
};

struct invoices *invoices_new(void)
{
    struct invoices *v = MEM_NEW(struct invoices);
    for (size_t i = 0; i < INVOICES_MAX; i++)
        buf_init(&v->lines[i], 16 * KIB);
    return v;
}

void invoices_free(struct invoices *v)
{
    for (size_t i = 0; v && i < INVOICES_MAX; i++)
        buf_done(&v->lines[i]);
    mem_free(v);
}

void invoices_clear(struct invoices *v)
{
    v->count = 0;
}

void invoice_add(struct mock *m, const struct request *rq, const struct reply *rp,
                 size_t sent_bytes, const char *outcome)
{
    struct invoices *v = m->invoices;
    struct buf *b = &v->lines[v->next];
    v->next = (v->next + 1) % INVOICES_MAX;
    if (v->count < INVOICES_MAX)
        v->count++;
    buf_reset(b);
    buf_putz(b, "{\"call_id\":");
    put_json(b, str_head(rq->call_id, 256));
    buf_printf(b, ",\"attempt\":%llu,\"serial\":%llu,\"model\":", (unsigned long long)rq->attempt,
               (unsigned long long)rq->serial);
    put_json(b, str_head(rq->model, 1024));
    buf_printf(b, ",\"status\":%d,\"prompt_tokens\":%llu,\"completion_tokens\":%llu", rp->status,
               (unsigned long long)rp->prompt_tokens, (unsigned long long)rp->completion_tokens);
    buf_printf(b, ",\"bytes\":%zu,\"of_bytes\":%zu,\"ms\":%llu,\"outcome\":\"%s\"}", sent_bytes,
               rp->body.len, (unsigned long long)((clock_now_us() - rq->received_us) / 1000),
               outcome);
    if (m->invoice_file) {
        fwrite(b->p, 1, b->len, m->invoice_file);
        fputc('\n', m->invoice_file);
        fflush(m->invoice_file);
    }
}

void invoices_write(const struct invoices *v, struct str needle, struct buf *out)
{
    bool first = true;
    buf_putc(out, '[');
    for (size_t i = 0; i < v->count; i++) {
        const struct buf *b = &v->lines[(v->next + INVOICES_MAX - v->count + i) % INVOICES_MAX];
        if (needle.len > 0 && str_find(buf_str(b), needle) == STR_NONE)
            continue;
        if (!first)
            buf_putz(out, ",\n");
        first = false;
        buf_put(out, buf_str(b));
    }
    buf_putz(out, "]\n");
}
