/* provider/google.h -- Google credentials: what a credential file says, how an access token is asked for, and what the answer says.
 *
 *   file, JSON text -> google_credential_new -> struct google_credential -> google_token_request -> (flow/credential sends it)
 *   -> google_token_read
 *
 * Pure: text in, text out. A credential is immutable after it is made, reference-counted, and may be used by all threads. */
#ifndef PROVIDER_GOOGLE_H
#define PROVIDER_GOOGLE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/secret.h"
#include "wire/jwt.h"

#include <stdatomic.h>

enum google_kind {
    GOOGLE_SERVICE_ACCOUNT, /* signs for itself (RFC 7523) */
    GOOGLE_AUTHORIZED_USER, /* a refresh token, as gcloud keeps it */
    GOOGLE_METADATA,        /* the machine's own account, from the metadata server */
};

struct google_credential {
    _Atomic uint32_t refs;
    enum google_kind kind;
    struct str id;            /* a hash of what it was made of: the same credential, the same id */
    struct str token_url;     /* where tokens come from */
    struct str project;       /* the one the file names; empty: none */
    struct str quota_project; /* for x-goog-user-project; empty: none */
    /* service account */
    struct str email, key_id;
    struct jwt_key *key;
    /* authorized user */
    struct str client_id;
    struct secret *client_secret, *refresh_token;
    struct arena *arena;
};

/* Reads a credential file's text. Errors: ERR_SYNTAX with `*ret_problem` (in `a`): what is wrong and what to do, continuing
 * "the credential ..."; never a part of a secret. */
MUST_CHECK enum err google_credential_new(struct str json, struct arena *a,
                                          struct google_credential **ret_credential,
                                          struct str *ret_problem);
/* The machine's own account. `host`: GCE_METADATA_HOST, a name with or without port; empty: metadata.google.internal. */
struct google_credential *google_credential_metadata(struct str host);
struct google_credential *google_credential_ref(const struct google_credential *c);
void google_credential_unref(struct google_credential *c); /* the last one wipes; accepts NULL */

/* A request for an access token. The body holds secrets: the caller wipes it. */
struct google_token_request {
    bool post;       /* else GET, with the header Metadata-Flavor: Google */
    struct str body; /* application/x-www-form-urlencoded */
};
/* Errors: ERR_INTERNAL (signing failed). */
MUST_CHECK enum err google_token_request(const struct google_credential *c, uint64_t unix_s,
                                         struct arena *a, struct google_token_request *ret_request);

struct google_token {
    struct str token; /* fit for a header */
    uint64_t life_s;
};
/* Reads the answer. `c` is the credential it was asked for with. Errors: ERR_UPSTREAM_AUTH with `*ret_problem` for the client, and
 * `*ret_detail` for the log; neither holds a secret, whatever the answer repeats. */
MUST_CHECK enum err google_token_read(const struct google_credential *c, int status,
                                      struct str body, struct arena *a,
                                      struct google_token *ret_token, struct str *ret_problem,
                                      struct str *ret_detail);

#endif
