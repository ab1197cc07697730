/* tests/bench/hist.h -- a histogram of durations: 1.6 % wide buckets from 1 ns to minutes, no allocation. */
#ifndef BENCH_HIST_H
#define BENCH_HIST_H

#include <stdint.h>

/* 64 buckets for each power of two; durations below 64 ns are exact. */
#define HIST_SUB_BITS 6
#define HIST_BUCKETS ((64 - HIST_SUB_BITS + 1) << HIST_SUB_BITS)

struct hist {
    uint64_t count, max_ns;
    uint64_t buckets[HIST_BUCKETS];
};

void hist_add(struct hist *h, uint64_t ns);

/* The duration that `permille` of a thousand of all durations do not exceed, to the bucket's upper end (the
 * largest duration is exact). 0 when the histogram is empty. */
uint64_t hist_quantile(const struct hist *h, uint32_t permille);

#endif
