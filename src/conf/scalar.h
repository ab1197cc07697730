/* conf/scalar.h -- what the text of a YAML scalar means: YAML 1.1 as PyYAML reads it, with two
 * differences: `1e-7` is a
 * number (PyYAML: a string) and `1:30` is a string (PyYAML: 90). Pure; thread: any. */
#ifndef CONF_SCALAR_H
#define CONF_SCALAR_H

#include "base/str.h"

struct buf;

enum scalar_type { SCALAR_NULL, SCALAR_BOOL, SCALAR_INT, SCALAR_FLOAT, SCALAR_STRING };

/* Of a plain scalar. */
enum scalar_type scalar_type(struct str text);

/* true/false, yes/no, on/off in the three spellings of YAML 1.1, and 1/0. */
bool scalar_bool(struct str text, bool *ret_value);

/* Any number but infinities and NaN. False: not one, or out of a double's range. */
bool scalar_double(struct str text, double *ret_value);

/* A whole number; 600.0 and 1e6 are whole. */
bool scalar_int(struct str text, int64_t *ret_value);

/* "30s", "5m", "1h", "7d", "1w", "1mo" (30 days), in milliseconds. */
bool scalar_duration_ms(struct str text, int64_t *ret_ms);

/* "1048576", "512KiB", "64 MiB", "2GiB" (and KB, MB, GB, K, M, G: the same powers of 1024). */
bool scalar_bytes(struct str text, uint64_t *ret_bytes);

/* The JSON text of a SCALAR_INT or SCALAR_FLOAT. False: JSON cannot say it (.inf, .nan, a
 * hexadecimal number > 64 bits). */
bool scalar_json_number(struct str text, struct buf *out);

#endif
