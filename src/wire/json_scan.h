/* wire/json_scan.h -- one forward pass over JSON text: validates all of it and says where the
 * members asked for stand.
 *
 * Nothing is copied and no tree is built. Offsets are into the text given. Validation is RFC 8259
 * and more: UTF-8 (no overlongs, no surrogates, no byte order mark), escapes (a \u surrogate must
 * come in a pair), numbers, depth, no bytes after the value, at most 4 GiB. Names are compared
 * unescaped ("mod\u0065l" is "model"). A member asked for that stands twice is an error: which of
 * the two counts is what gateway and provider must never disagree about.
 * Pure; thread: any. Cost: about one pass of memory speed; the hot path of every request and
 * stream event. */
#ifndef WIRE_JSON_SCAN_H
#define WIRE_JSON_SCAN_H

#include "base/err.h"
#include "base/str.h"

enum json_type {
    JSON_ABSENT,
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

/* Arrays and objects open at once, the outermost included. */
#define JSON_DEPTH_MAX 128

/* A member of the object scanned. The offsets allow its value to be replaced and the member to be
 * cut out. */
struct json_member {
    enum json_type type;        /* JSON_ABSENT: not there, and the rest is 0 */
    uint32_t index;             /* position among the members of its object, from 0 */
    size_t name_at;             /* of the name's opening quote */
    size_t value_at, value_len; /* a string's value includes its quotes */
    size_t comma_before;        /* of the comma before name_at; 0 for index 0 */
    size_t next_at; /* where the next member's name starts, or value end when this is the last */
    bool escaped;   /* a string value that holds a backslash */
};

struct json_problem {
    size_t at;        /* offset of the byte at fault; the text's length when more was expected */
    const char *what; /* "expected a value" ...: a constant, safe for the client */
};

/* Scans the object in `text`: ret_members[i] tells about names[i] (plain, without quotes; each
 * name once). `*ret_count` (may be NULL) is the number of members, asked for or not.
 * Errors: ERR_BAD_JSON with *ret_problem filled, ret_members and *ret_count unspecified (also when
 * the text is valid JSON but no object). */
MUST_CHECK enum err json_scan_object(struct str text, const struct str *names, size_t n,
                                     struct json_member *ret_members, uint32_t *ret_count,
                                     struct json_problem *ret_problem);

/* The same for a part of a text that was scanned before, without validating again: for members of
 * members. Offsets are into `text` as given (a slice). Returns false when the value is not an
 * object; then all members are absent. A member asked for that stands twice: the last one is told,
 * `*ret_repeated` (may be NULL) is set to its name's index + 1, else to 0. On text that was never
 * scanned the result means nothing, but no byte outside is read. */
bool json_peek_object(struct str text, const struct str *names, size_t n,
                      struct json_member *ret_members, size_t *ret_repeated);

/* Walks an array or object that was scanned before. At the end, and for any other value, json_next
 * returns false.
 *   struct json_iter it = json_iter(text);
 *   while (json_next(&it)) use(it.name, it.value, it.type);
 * `name` is raw, between the quotes, and empty in arrays; `name_escaped`: it holds a backslash. */
struct json_iter {
    struct str text;
    size_t at; /* private: of the next member or element */
    struct str name, value;
    enum json_type type;
    bool name_escaped;
    struct json_member member; /* as json_peek_object would tell it; in arrays name_at = value_at */
    size_t comma;              /* private: of the comma before `at` */
    bool object;               /* private */
};
struct json_iter json_iter(struct str text);
bool json_next(struct json_iter *it);

/* Appends `under` with `over` laid upon it: objects are merged member by member, at every depth; any other value stands in the place of
 * what was there. Both validated; names are compared as they are written. */
struct buf;
void json_overlay(struct str under, struct str over, struct buf *out);

/* Validates any one JSON value. */
MUST_CHECK enum err json_check(struct str text, struct json_problem *ret_problem);

/* By the first byte that is not white space, of validated text. JSON_ABSENT for the empty slice. */
enum json_type json_type_of(struct str value);

/* Values, of validated text: slices without white space around them, as members and iterators give
 * them. */
struct arena;
/* Of a string value with quotes; borrows when it holds no escape. */
struct str json_unescape(struct str value, struct arena *a);
/* A string value with quotes, escapes understood, against plain bytes. False when the value is no
 * string. */
bool json_str_eq(struct str value, struct str plain);
/* Also 100.0 and 1e2; false on fractions, signs, overflow, and what is not a number. */
bool json_u64(struct str value, uint64_t *ret_value);
/* Correctly rounded, whatever the locale; false on overflow and what is not a number. */
bool json_double(struct str value, double *ret_value);

/* The member's value in the text that was scanned; empty slice when absent. */
struct str json_value(struct str text, const struct json_member *m);
/* The value of one member of a validated object; empty when it is absent or null, or `object` is none. */
struct str json_get(struct str object, const char *name);

#endif
