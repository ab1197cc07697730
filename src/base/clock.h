/* base/clock.h -- the two clocks. Pure folders never read them: they are given `now_us`. Thread: any. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/str.h"

uint64_t clock_now_us(void);  /* monotonic */
uint64_t clock_unix_ms(void); /* wall clock, since 1970 */

#define CLOCK_RFC3339_BYTES 25 /* "2026-11-22T13:00:00.123Z" and a NUL */
void clock_rfc3339(uint64_t unix_ms, char ret_text[CLOCK_RFC3339_BYTES]);

#endif
