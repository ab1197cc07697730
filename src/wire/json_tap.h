/* wire/json_tap.h -- a JSON object too large to be held flows through: one top-level string member is replaced on the way,
 * other members' values are caught, strings in listed objects are marked, and its end is known.
 *
 * Byte-wise and incremental, with constant memory: it follows strings, escapes and depth, not more: a text that is not JSON is
 * told by its brackets not matching. For whole texts use json_scan. Pure; thread: the owner's. */
#ifndef WIRE_JSON_TAP_H
#define WIRE_JSON_TAP_H

#include "base/buf.h"

struct json_tap;

#define JSON_TAP_CATCHES 2

/* `replace`: name of the top-level string member whose value becomes `with` (JSON text with quotes); `catches`: names of the members
 * whose values (at most catch_max bytes each) are kept; empty: none. All borrowed until json_tap_free. */
struct json_tap *json_tap_new(struct str replace, struct str with,
                              const struct str catches[JSON_TAP_CATCHES], size_t catch_max);
void json_tap_free(struct json_tap *t); /* accepts NULL */

/* Strings named `name`, of the objects that a top-level array named as one of `lists` holds, come to begin with `with` (the inside of a
 * string); empty ones stay empty. Before the first push; all borrowed until json_tap_free. */
#define JSON_TAP_LISTS 2
void json_tap_mark(struct json_tap *t, const struct str lists[JSON_TAP_LISTS], struct str name,
                   struct str with);

/* Appends what is to be forwarded to `out`. A name longer than 64 KiB
 * fails. Errors: ERR_BAD_JSON. */
MUST_CHECK enum err json_tap_push(struct json_tap *t, struct str bytes, struct buf *out);
bool json_tap_complete(
    const struct json_tap *t); /* the top value has ended, only white space came after it */
/* The value of the i-th of `catches`; empty: not seen, or too large. */
struct str json_tap_caught(const struct json_tap *t, size_t i);

#endif
