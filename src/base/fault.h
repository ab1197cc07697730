/* base/fault.h -- what a person should read about a failure.
 *
 * `msg` is safe for the client; `detail` is for the log alone. A dialect renders a fault in its own shape; nobody
 * else writes error bodies. The slices live in the arena given to the function that made the fault. Thread: any. */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include "base/err.h"
#include "base/str.h"

struct arena;

/* What making the call once more is worth, as long as nothing of its answer was given out. */
enum fault_again {
    AGAIN_NO,
    AGAIN_SAME,     /* the same request: the model fails now and then */
    AGAIN_REPAIRED, /* a request that does without what the provider missed in this one */
};

struct fault {
    enum err err;
    int status;             /* HTTP status to the client */
    struct str type;        /* OpenAI's error.type */
    struct str code;        /* error.code; empty: the status as text */
    struct str param;       /* the member at fault; empty: null */
    struct str msg;         /* safe for the client */
    struct str detail;      /* log only */
    int64_t retry_after_ms; /* -1: unknown */
    enum fault_again again;
};

/* A fault from the row of `e`, with its default text. */
struct fault fault_of(enum err e);

/* The same with a text of its own, made in `a`. Returns `e`, so that a function can end with it. */
enum err fault_set(struct fault *f, enum err e, struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
