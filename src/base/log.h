/* base/log.h -- formats one structured log line, as text (logfmt) or JSON. It writes nowhere.
 *
 *   struct log_line l;
 *   log_begin(&l, &buf, LOG_JSON, LOG_INFO, clock_unix_ms(), "request");
 *   log_str(&l, "id", call_id);
 *   log_u64(&l, "status", 200);
 *   log_end(&l);                      -- adds the newline
 *
 * Values are escaped: control characters, quotes and bytes that are not UTF-8 cannot forge a line. Thread: any. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/buf.h"

enum log_form { LOG_TEXT, LOG_JSON };
enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

struct log_line {
    struct buf *out;
    enum log_form form;
};

void log_begin(struct log_line *l, struct buf *out, enum log_form form, enum log_level level,
               uint64_t unix_ms, const char *event);
void log_str(struct log_line *l, const char *key,
             struct str value); /* an empty value is left out */
void log_u64(struct log_line *l, const char *key, uint64_t value);
void log_ms(struct log_line *l, const char *key,
            uint64_t us); /* microseconds, shown as ms with 3 decimals */
void log_end(struct log_line *l);

#endif
