/* dialect/anthropic_beta.h -- what of Anthropic's API is a beta still: taken only with a header, `anthropic-beta`, that names it.
 * Lists are comma-separated. Pure; thread: the request's; results live in the arena. */
#ifndef DIALECT_ANTHROPIC_BETA_H
#define DIALECT_ANTHROPIC_BETA_H

#include "base/arena.h"
#include "base/fault.h"
#include "base/str.h"

struct ir_report;

/* What a member of the body, or an element of `tools` (name empty), needs; empty: nothing. */
struct str anthropic_beta_of(struct str name, struct str raw);

/* `list` and `more`. Of a beta that both name, each with a date of its own, the one of `more` counts. */
struct str anthropic_betas_with(struct str list, struct str more, struct arena *a);

/* What may go on of the list that a client sent: all of it to Anthropic, on Vertex AI what is known there; what may not is reported.
 * Errors: ERR_UNSUPPORTED_PARAM (strict), fault filled. */
MUST_CHECK enum err anthropic_betas_of_client(struct str list, bool vertex, struct ir_report *r,
                                              struct arena *a, struct str *ret_list,
                                              struct fault *ret_fault);

#endif
