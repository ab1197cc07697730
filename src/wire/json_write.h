/* wire/json_write.h -- writes JSON into a buf: commas and quoting are its business, structure is
 * the caller's.
 *
 *   json_begin(&w, &buf);
 *   json_obj(&w, NULL); json_str(&w, "model", s); json_uint(&w, "n", 3); json_end(&w);
 *
 * A NULL name writes an array element (or the top value). Names are the program's own words, in which
 * nothing needs an escape; others go through json_name. Strings are escaped minimally; bytes that are not
 * UTF-8 become U+FFFD. The buf's cap is the bound; its failure surfaces at the end.
 * Thread: the owner's. */
#ifndef WIRE_JSON_WRITE_H
#define WIRE_JSON_WRITE_H

#include "base/buf.h"

struct json_write {
    struct buf *out;
    uint64_t has;   /* one bit a level: a value was written there */
    uint64_t array; /* one bit a level: it is an array */
    unsigned depth; /* <= 63, asserted */
    bool named;     /* json_name wrote the name of the next value */
};

void json_begin(struct json_write *w, struct buf *out);
void json_obj(struct json_write *w, const char *name);
void json_arr(struct json_write *w, const char *name);
void json_end(struct json_write *w); /* closes the innermost object or array */
void json_str(struct json_write *w, const char *name, struct str value);
void json_strz(struct json_write *w, const char *name, const char *value); /* NULL: null */
void json_uint(struct json_write *w, const char *name, uint64_t value);
void json_int(struct json_write *w, const char *name, int64_t value);
/* The shortest text that reads back equal, whatever the locale; always with a point or an
 * exponent, so that it stays a fraction to readers that tell them apart. null if not finite. */
void json_real(struct json_write *w, const char *name, double value);
void json_bool(struct json_write *w, const char *name, bool value);
void json_null(struct json_write *w, const char *name);
void json_raw(struct json_write *w, const char *name,
              struct str json); /* trusted to be valid JSON */
/* For names not known at compile time: then write the value with name NULL. */
void json_name(struct json_write *w, struct str name);

/* A string with its quotes and escapes appended to a buf. */
void json_quote(struct buf *out, struct str s);

#endif
