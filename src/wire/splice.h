/* wire/splice.h -- edits on a text that is otherwise sent as it came: a sorted list of (offset,
 * length, replacement), turned into segments for one vectored write. The text and the replacements
 * are borrowed until the segments are sent.
 *
 *   struct splice sp;
 *   splice_init(&sp, arena, body);
 *   splice_replace(&sp, at, len, STR("\"gpt-4.1\""));
 *   splice_cut_member(&sp, &members[i]);      -- of the top object, in the order they stand
 *   splice_add_member(&sp, count, "user", STR("\"u-1\""));
 *   segs = splice_segments(&sp, &n);
 *
 * Edits may be added in any order except that cuts come in order of index, and additions after the
 * cuts; overlapping edits are a bug (assert). Pure; thread: the owner's. */
#ifndef WIRE_SPLICE_H
#define WIRE_SPLICE_H

#include "base/arena.h"
#include "wire/json_scan.h"

struct splice_edit {
    size_t at, len;
    struct str with;
};

struct splice {
    struct arena *arena;
    struct str text;
    struct splice_edit *edits; /* sorted by `at`; at equal offsets, in order of addition */
    size_t count, room;
    uint32_t cut;   /* members cut so far from the top object */
    uint32_t added; /* members added to it */
};

void splice_init(struct splice *s, struct arena *a, struct str text);
void splice_replace(struct splice *s, size_t at, size_t len,
                    struct str with); /* len 0: an insertion */
void splice_value(struct splice *s, const struct json_member *m, struct str with);

/* Cuts a member of the top object together with the comma that it no longer needs; correct for any
 * set of members of one object, all of them included, when cut in order. A member that is absent
 * is no edit. */
void splice_cut_member(struct splice *s, const struct json_member *m);

/* Adds a member at the end of the top object, the text being a scanned object and `count` the
 * number of its members as json_scan_object told it. `json` is trusted to be one JSON value,
 * `name` to need no escape. After all cuts. */
void splice_add_member(struct splice *s, uint32_t count, const char *name, struct str json);

/* The text in pieces; the array lives in the arena. Empty pieces are left out. */
const struct str *splice_segments(const struct splice *s, size_t *ret_count);
size_t splice_len(const struct splice *s); /* of the edited text */
struct str splice_flat(const struct splice *s,
                       struct arena *a); /* one piece, copied unless nothing was edited */

#endif
