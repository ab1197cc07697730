/* flow/affinity.h -- whose reasoning a conversation carries, and which deployment can read it.
 *
 * What a provider encrypts (encrypted_content of native answers) only the account that made it can read. The tag of that account goes to the
 * client with it (dialect/responses.h), and on the way back says where the request is best served. An account is a provider, an address, and
 * the organization; where none is configured, the credential is what is known of it. So a key may be changed without losing anything where
 * organization is set, and at Azure, whose address is that of one resource; elsewhere another key may be another account, and what it cannot
 * read would be an error of the provider in the middle of a conversation. Every process with the same config makes the same tags. */
#ifndef FLOW_AFFINITY_H
#define FLOW_AFFINITY_H

#include "dialect/responses.h"
#include "route/router.h"

struct flow;
struct snapshot;
struct upstream;

/* The tag of an endpoint's account, for a deployment; made of the credential that `u` holds. Any thread. */
struct str account_tag_make(const struct endpoint *e, const struct upstream *u,
                            const struct conf_deployment *d, struct arena *a);
/* That of what was picked. */
struct str account_tag(const struct snapshot *s, const struct pick *p, struct arena *a);

/* f->pick becomes another of its group where that one can read what was used last of `tags`, and the one picked cannot. Where none can, it
 * stays: the content is left out. */
void affinity_pick(struct flow *f, const struct response_tags *tags);

#endif
