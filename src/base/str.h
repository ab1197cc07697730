/* base/str.h -- a slice of bytes: pointer and length, passed by value, borrowed, never assumed NUL-terminated.
 *
 * A `struct str` owns nothing; whoever made the bytes decides how long they live (most often a request's arena).
 * The empty slice may have a NULL pointer. Thread: any. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *p;
    size_t len;
};

/* A literal, usable in constant initialisers. */
#define STR(lit) ((struct str){ (lit), sizeof(lit) - 1 })
#define STR_INIT(lit)                                                                              \
    {                                                                                              \
        (lit), sizeof(lit) - 1                                                                     \
    }
/* For printf: `printf("%.*s", STR_ARG(s))`. */
#define STR_ARG(s) (int)(s).len, ((s).p ? (s).p : "")

static inline struct str str_of(const char *p, size_t len)
{
    return (struct str){ p, len };
}

/* NULL gives the empty slice. */
static inline struct str str_c(const char *z)
{
    return (struct str){ z, z ? strlen(z) : 0 };
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static inline bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.p, prefix.p, prefix.len) == 0);
}

static inline bool str_ends(struct str s, struct str suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.p + s.len - suffix.len, suffix.p, suffix.len) == 0);
}

static inline struct str str_skip(struct str s, size_t n)
{
    return n >= s.len ? str_of(s.p ? s.p + s.len : NULL, 0) : str_of(s.p + n, s.len - n);
}

static inline struct str str_head(struct str s, size_t n)
{
    return str_of(s.p, n < s.len ? n : s.len);
}

#define STR_NONE SIZE_MAX

/* Offset of the first `c`, or STR_NONE. */
static inline size_t str_find_char(struct str s, char c)
{
    const char *hit = s.len ? memchr(s.p, c, s.len) : NULL;
    return hit ? (size_t)(hit - s.p) : STR_NONE;
}

size_t str_find(struct str s, struct str needle);            /* STR_NONE when absent */
bool str_starts_nocase(struct str s, struct str prefix);     /* ASCII */
static inline bool str_eq_nocase(struct str a, struct str b) /* ASCII */
{
    return a.len == b.len && str_starts_nocase(a, b);
}
int str_cmp(struct str a, struct str b); /* bytewise order */
struct str str_trim(struct str s);       /* spaces, tabs, CR, LF at both ends */

/* Cuts `*s` at the first `sep`: returns what stands before it, `*s` becomes what follows.
 * Without a `sep` the whole is returned and `*s` becomes empty. */
struct str str_cut(struct str *s, char sep);

/* Whole-slice numbers; false on anything but digits (a leading '-' for i64), overflow, or an empty slice. */
bool str_u64(struct str s, uint64_t *ret_value);
bool str_i64(struct str s, int64_t *ret_value);

static inline char ascii_lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

#endif
