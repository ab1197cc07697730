/* base/secret.h -- a credential that cannot be printed by accident.
 *
 * No formatter takes a `struct secret`, it compares in constant time and is wiped when freed. The one way to its
 * bytes is secret_reveal, which is called where a credential goes onto the wire and nowhere else
 * (tools/check-banned lists the callers). Heap memory; the holder frees it. Thread: readers may share one. */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/str.h"

struct secret;

struct secret *secret_new(struct str bytes); /* copies; the caller wipes its own copy */
void secret_free(struct secret *s);          /* wipes; accepts NULL */
bool secret_eq(const struct secret *s, struct str bytes); /* time depends on the lengths alone */
struct str secret_reveal(const struct secret *s);
size_t secret_len(const struct secret *s);

void wipe(void *p, size_t n); /* not optimised away */

#endif
