/* flow/session_priv.h -- shared by session.c (requests, and what they go back to) and session_ops.c (responses by their ids). */
#ifndef FLOW_SESSION_PRIV_H
#define FLOW_SESSION_PRIV_H

#include "flow/session.h"

struct responding *session_begin(struct flow *f, enum response_op op); /* f->rs */
/* What the store said: ERR_OK, or why not, with f->fault. */
MUST_CHECK enum err session_found(struct flow *f);

/* Faults; they return their error. */
enum err session_bad(struct flow *f, const char *name,
                     const char *what); /* a member or parameter: "<name> <what>" */
enum err session_not_found(struct flow *f, struct str id);
enum err session_busy(struct flow *f); /* the store is behind */

#endif
