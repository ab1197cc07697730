/* flow/credential_priv.h -- shared by credential.c (states and waiters) and credential_fetch.c (one request for a token). */
#ifndef FLOW_CREDENTIAL_PRIV_H
#define FLOW_CREDENTIAL_PRIV_H

#include "flow/credential.h"

struct credential_fetch;

struct fetch_result {
    enum err err;
    struct google_token token;  /* ERR_OK */
    struct str problem, detail; /* else */
};
typedef void fetch_fn(void *ctx, const struct fetch_result *r);

struct fetch_opts {
    struct loop *loop;
    struct client *client;
    struct credential_source src;
};
/* Calls on_done once, never from inside, unless it is freed before. */
struct credential_fetch *credential_fetch_new(const struct fetch_opts *o, fetch_fn *on_done,
                                              void *ctx);
void credential_fetch_free(struct credential_fetch *f); /* also inside on_done; accepts NULL */

#endif
