/* wire/bytes_priv.h -- skips over bytes that mean nothing to a parser, 16 at a time with SSE2 and
 * 8 at a time in a word elsewhere. Each function returns the first byte in [p, end) that it stops
 * at, or `end`; none reads outside. Internal to wire/. Thread: any. */
#ifndef WIRE_BYTES_PRIV_H
#define WIRE_BYTES_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__) && !defined(WIRE_NO_SIMD)
#include <emmintrin.h>
#define WIRE_SSE2 1
#else
#define WIRE_SSE2 0
#endif

/* What a skip stops at. A constant at each call, so that the tests for it fold away. */
enum bytes_stop {
    STOP_QUOTED, /* a string's body: '"', '\\', a control character, a byte that is not ASCII */
    STOP_QUOTE,  /* '"' or '\\': the body of a string that was checked before */
    STOP_LINE,   /* CR or LF */
};

static inline bool bytes_stops(enum bytes_stop stop, unsigned char c)
{
    switch (stop) {
    case STOP_QUOTED: return c == '"' || c == '\\' || c < 0x20 || c >= 0x80;
    case STOP_QUOTE: return c == '"' || c == '\\';
    case STOP_LINE: break;
    }
    return c == '\n' || c == '\r';
}

#if WIRE_SSE2
static inline unsigned bytes_mask(enum bytes_stop stop, const char *p)
{
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
    char one = stop == STOP_LINE ? '\n' : '"', two = stop == STOP_LINE ? '\r' : '\\';
    __m128i hit =
        _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(one)), _mm_cmpeq_epi8(v, _mm_set1_epi8(two)));
    if (stop == STOP_QUOTED) /* signed: bytes from 0x80 on are below 0x20 as well */
        hit = _mm_or_si128(hit, _mm_cmplt_epi8(v, _mm_set1_epi8(0x20)));
    return (unsigned)_mm_movemask_epi8(hit);
}

static inline const char *bytes_skip(enum bytes_stop stop, const char *p, const char *end)
{
    while (end - p >= 32) {
        unsigned mask = bytes_mask(stop, p) | bytes_mask(stop, p + 16) << 16;
        if (mask)
            return p + __builtin_ctz(mask);
        p += 32;
    }
    if (end - p >= 16) {
        unsigned mask = bytes_mask(stop, p);
        if (mask)
            return p + __builtin_ctz(mask);
        p += 16;
    }
    while (p < end && !bytes_stops(stop, (unsigned char)*p))
        p++;
    return p;
}
#else
#define BYTES_ONES UINT64_C(0x0101010101010101)
#define BYTES_HIGH UINT64_C(0x8080808080808080)

/* Non-zero if a byte of `w` is zero (S. E. Anderson, "Bit Twiddling Hacks"). */
static inline uint64_t bytes_zero(uint64_t w)
{
    return (w - BYTES_ONES) & ~w & BYTES_HIGH;
}

/* Non-zero if a byte of the word at p stops the skip; it may also be non-zero when none does,
 * never the reverse. */
static inline uint64_t bytes_word(enum bytes_stop stop, const char *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    uint64_t one = BYTES_ONES * (uint64_t)(stop == STOP_LINE ? '\n' : '"');
    uint64_t two = BYTES_ONES * (uint64_t)(stop == STOP_LINE ? '\r' : '\\');
    uint64_t hit = bytes_zero(w ^ one) | bytes_zero(w ^ two);
    if (stop == STOP_QUOTED)
        hit |= ((w - BYTES_ONES * 0x20) & ~w & BYTES_HIGH) | (w & BYTES_HIGH);
    return hit;
}

static inline const char *bytes_skip(enum bytes_stop stop, const char *p, const char *end)
{
    while (end - p >= 8 && !bytes_word(stop, p))
        p += 8;
    while (p < end && !bytes_stops(stop, (unsigned char)*p))
        p++;
    return p;
}
#endif

/* Past JSON's white space. Compact JSON has none and printed JSON has runs of it: both are quick.
 */
static inline bool bytes_is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline const char *bytes_skip_space(const char *p, const char *end)
{
    if (p < end && (unsigned char)*p > ' ')
        return p;
    while (p < end && bytes_is_space(*p)) {
        p++;
#if WIRE_SSE2
        while (end - p >= 16) { /* indentation is blanks alone */
            __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
            unsigned mask =
                (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8(' '))) ^ 0xffffu;
            if (mask) {
                p += __builtin_ctz(mask);
                break;
            }
            p += 16;
        }
#endif
    }
    return p;
}

#endif
