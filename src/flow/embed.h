/* flow/embed.h -- embeddings across dialects: one request of the client, one or several calls of a provider, one list back.
 *
 *   embed_request (batch 1) -> answer -> embed_take -> more? -> embed_request (batch 2) ... -> embed_finish */
#ifndef FLOW_EMBED_H
#define FLOW_EMBED_H

#include "base/buf.h"
#include "base/fault.h"

struct embedding;
struct flow;

/* The next batch's body and path suffix. Errors: those of the dialect, with f->fault for the client. */
MUST_CHECK enum err embed_request(struct flow *f, struct str *ret_suffix,
                                  const struct str **ret_body, size_t *ret_count);
/* One call's answer. Errors: ERR_UPSTREAM_BAD. `*ret_more`: another batch is to be sent. */
MUST_CHECK enum err embed_take(struct flow *f, struct str body, bool *ret_more,
                               const char **ret_what);
void embed_finish(struct flow *f, struct buf *out);
void embed_done(struct embedding *em); /* accepts NULL */

#endif
