/* observe/access_log.h -- one line per request: who, what, how it went, what it moved, how long it took.
 *
 * Never a prompt, a completion or a key: a key is named by the first 12 hex digits of its SHA-256. Pure formatting; the worker collects
 * the lines. Thread: any. */
#ifndef OBSERVE_ACCESS_LOG_H
#define OBSERVE_ACCESS_LOG_H

#include "base/log.h"
#include "ir/usage.h"

struct access_record {
    uint64_t unix_ms;
    struct str call_id, method, path, route, peer;
    struct str key_hash; /* whole; cut here */
    struct str model, group, deployment, upstream;
    int status; /* to the client; 499: it left before the answer was complete */
    bool stream, mock;
    struct ir_usage usage;
    struct str answer_fidelity; /* what the answer's translation lost; empty: nothing */
    uint64_t bytes_in, bytes_out;
    uint64_t total_us, upstream_head_us, first_content_us; /* 0: not reached */
    const char *error;                                     /* "ERR_DNS", NULL */
    struct str error_detail;                               /* for the log alone */
};

void access_log_write(const struct access_record *r, enum log_form form, struct buf *out);

#endif
