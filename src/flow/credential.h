/* flow/credential.h -- OAuth access tokens for Google, fetched when they are needed and kept while they are good.
 *
 *   ABSENT --get--> FETCHING --token--> VALID --80 % of its life, and used--> REFRESHING --token--> VALID
 *                   FETCHING --failure--> FAILED (1 s, then 2, 4 ... 30 s) --get--> FETCHING
 *                   REFRESHING --failure--> VALID (the token that it has) --its life ends--> FETCHING at the next get
 *
 * One state a credential and worker, by google_credential.id, so that it outlives a reload of the config. The first caller's need
 * starts the fetch, the others wait for the same one, each with its own deadline; a fetch goes on when its callers have left.
 * Nothing is refreshed that nobody uses.
 * Thread: the loop's. */
#ifndef FLOW_CREDENTIAL_H
#define FLOW_CREDENTIAL_H

#include "base/rng.h"
#include "http/client.h"
#include "provider/google.h"

struct credentials;
struct credential_wait;

/* What to ask with. Read during the call alone: nothing of it is kept, but a reference to `tls`. */
struct credential_source {
    const struct google_credential *google;
    struct tls_ctx *tls; /* for a token_url that is https; verifying */
};

struct credential_result {
    enum err err;       /* ERR_OK; ERR_UPSTREAM_AUTH; ERR_TIMEOUT: the caller's deadline */
    struct str token;   /* without "Bearer "; valid during the call */
    struct str problem; /* for the client: what is wrong and what to do; valid during the call */
    struct str detail;  /* for the log; no secrets */
};
typedef void credential_fn(void *ctx, const struct credential_result *r);

/* Both are borrowed. `rng`: for the jitter. */
struct credentials *credentials_new(struct loop *l, struct client *c, struct rng *rng);
/* Waiters that are left are dropped without a call. Before client_free. Accepts NULL. */
void credentials_free(struct credentials *all);

/* The fast path: true, and the token (valid until the loop's next turn), when there is a good one; no callback. Starts the refresh
 * when it is due. */
bool credential_ready(struct credentials *all, const struct credential_source *src,
                      struct str *ret_token);
/* Calls on_done once, never from inside this call, unless it is cancelled before. */
struct credential_wait *credential_get(struct credentials *all, const struct credential_source *src,
                                       uint64_t timeout_ms, credential_fn *on_done, void *ctx);
void credential_cancel(struct credential_wait *w); /* not after on_done. Accepts NULL */

/* The provider refused `token` with a 401. True: the call is worth one more try, with another token (this one was dropped now, or
 * has been replaced already). False: tokens were dropped within the last minute, another one will not help. */
bool credential_invalidate(struct credentials *all, const struct credential_source *src,
                           struct str token);

#endif
