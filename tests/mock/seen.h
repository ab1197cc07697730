/* mock/seen.h -- the last requests received, as they came, for GET /__mock/requests; and on disk with --record. */
#ifndef MOCK_SEEN_H
#define MOCK_SEEN_H

#include "mock/mock.h"

#define SEEN_MAX 256

struct seen *seen_new(void);
void seen_free(struct seen *s);
void seen_add(struct seen *s, const struct request *rq);
void seen_clear(struct seen *s);
/* A JSON array, oldest first: those with `needle` in their target, headers or body; all when it is empty. */
void seen_write(const struct seen *s, struct str needle, struct buf *out);

/* DIR/<serial>.head and DIR/<serial>.body. */
void seen_record(const char *dir, const struct request *rq);

#endif
