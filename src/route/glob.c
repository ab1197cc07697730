#include "route/router.h"

#include "base/buf.h"

#define STARS_MAX 8

/* Each star takes the shortest run that lets the literal after it match; the last literal is tied to the end. For globs this
 * leftmost choice finds a match whenever there is one, in one pass. */
static bool match(struct str pattern, struct str text, struct str caps[STARS_MAX],
                  size_t *ret_count)
{
    size_t star = str_find_char(pattern, '*'), n = 0;
    if (star == STR_NONE)
        return str_eq(pattern, text);
    if (!str_starts(text, str_head(pattern, star)))
        return false;
    text = str_skip(text, star);
    pattern = str_skip(pattern, star + 1);
    while (n < STARS_MAX) {
        size_t next = str_find_char(pattern, '*');
        struct str literal = next == STR_NONE ? pattern : str_head(pattern, next);
        if (next == STR_NONE) {
            if (!str_ends(text, literal))
                return false;
            caps[n++] = str_head(text, text.len - literal.len);
            *ret_count = n;
            return true;
        }
        size_t at = str_find(text, literal);
        if (at == STR_NONE)
            return false;
        caps[n++] = str_head(text, at);
        text = str_skip(text, at + literal.len);
        pattern = str_skip(pattern, next + 1);
    }
    return false;
}

bool glob_match(struct str pattern, struct str text, struct str to, struct arena *a,
                struct str *ret_with)
{
    struct str caps[STARS_MAX];
    size_t count = 0, used = 0;
    struct buf out;
    if (!match(pattern, text, caps, &count))
        return false;
    if (str_find_char(to, '*') == STR_NONE) {
        *ret_with = to;
        return true;
    }
    buf_init(&out, 1024 * 1024);
    for (size_t i = 0; i < to.len; i++) {
        if (to.p[i] == '*' && used < count)
            buf_put(&out, caps[used++]);
        else
            buf_putc(&out, to.p[i]);
    }
    *ret_with = arena_dup(a, buf_str(&out));
    buf_done(&out);
    return true;
}
