/* wire/segments.h -- a body written in pieces: small things into one buffer, large strings borrowed where they stand.
 *
 *   segments_init(&s, cap); json_begin(&w, &s.own); ... segments_raw(&s, &w, "data", big); ...
 *   segs = segments_finish(&s, arena, &n);
 *
 * Used together with json_write on s.own. Pure; thread: the owner's. */
#ifndef WIRE_SEGMENTS_H
#define WIRE_SEGMENTS_H

#include "base/arena.h"
#include "base/buf.h"
#include "wire/json_write.h"

#define SEGMENTS_BORROW_MIN 4096 /* shorter slices are copied */

struct segments {
    struct buf own;
    struct segments_cut {
        size_t at;
        struct str with;
    } * cuts; /* `with` stands before own.p[at] */
    size_t count, room;
};

void segments_init(struct segments *s, size_t cap);
void segments_done(struct segments *s); /* after the last use of what segments_finish gave */
/* As json_raw, borrowing `json` when it is long. */
void segments_raw(struct segments *s, struct json_write *w, const char *name, struct str json);
/* A string value made of a literal prefix (needs no escape), long plain bytes that need no escape (base64), quoted here. */
void segments_plain(struct segments *s, struct json_write *w, const char *name, const char *prefix,
                    struct str plain);
/* Errors: the buffer's (ERR_TOO_LARGE). The array lives in the arena; the bytes in `s` and where they were borrowed. */
MUST_CHECK enum err segments_finish(struct segments *s, struct arena *a,
                                    const struct str **ret_segs, size_t *ret_count);
struct str segments_flat(const struct segments *s,
                         struct arena *a); /* one piece, copied: for tests */

#endif
