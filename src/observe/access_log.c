#include "observe/access_log.h"

#define KEY_HASH_SHOWN 12

static void put_usage(struct log_line *l, const struct ir_usage *u)
{
    if (!u->reported)
        return;
    log_u64(l, "prompt_tokens", u->prompt_tokens);
    log_u64(l, "completion_tokens", u->completion_tokens);
    if (u->cached_tokens)
        log_u64(l, "cached_tokens", u->cached_tokens);
    if (u->reasoning_tokens)
        log_u64(l, "reasoning_tokens", u->reasoning_tokens);
}

void access_log_write(const struct access_record *r, enum log_form form, struct buf *out)
{
    struct log_line l;
    log_begin(&l, out, form, r->status >= 500 ? LOG_WARN : LOG_INFO, r->unix_ms, "request");
    log_str(&l, "id", r->call_id);
    log_str(&l, "peer", r->peer);
    log_str(&l, "method", r->method);
    log_str(&l, "path", r->path);
    log_str(&l, "route", r->route);
    log_str(&l, "key", str_head(r->key_hash, KEY_HASH_SHOWN));
    log_str(&l, "model", r->model);
    log_str(&l, "group", r->group);
    log_str(&l, "deployment", r->deployment);
    log_str(&l, "upstream", r->upstream);
    log_u64(&l, "status", (uint64_t)r->status);
    if (r->stream)
        log_str(&l, "stream", STR("true"));
    if (r->mock)
        log_str(&l, "mock", STR("true"));
    put_usage(&l, &r->usage);
    log_str(&l, "answer_fidelity", r->answer_fidelity);
    log_u64(&l, "bytes_in", r->bytes_in);
    log_u64(&l, "bytes_out", r->bytes_out);
    log_ms(&l, "ms", r->total_us);
    if (r->upstream_head_us)
        log_ms(&l, "upstream_ms", r->upstream_head_us);
    if (r->first_content_us)
        log_ms(&l, "first_content_ms", r->first_content_us);
    if (r->error)
        log_str(&l, "error", str_c(r->error));
    log_str(&l, "detail", r->error_detail);
    log_end(&l);
}
