/* flow/snapshot.h -- the config as the workers see it: immutable, built and checked whole, swapped whole.
 *
 * Reference-counted across threads by the control thread and each worker; a worker counts its own requests in a
 * worker_snapshot, without atomics, and gives its one reference back when the last of them has ended. */
#ifndef FLOW_SNAPSHOT_H
#define FLOW_SNAPSHOT_H

#include "base/hash.h"
#include "conf/conf.h"
#include "http/client.h"
#include "policy/directory.h"
#include "route/router.h"

#include <stdatomic.h>

/* An endpoint's place on the network. */
struct upstream {
    struct origin origin;
    struct str base_path; /* of api_base, without trailing slash */
    struct str api_base;  /* for answer headers: without query and userinfo */
    struct str auth_name; /* the header that carries it, lower case */
    struct str
        auth_value; /* "Bearer ..." or the bare key; empty: no credential. Goes onto the wire and nowhere else */
    struct str credential;  /* the key itself, for scrubbing echoes */
    struct str account_tag; /* flow/affinity.h; of a deployment's own endpoint */
    struct str problem;     /* a bad api_base */
};

struct snapshot {
    _Atomic uint32_t refs;
    struct arena *arena;
    struct conf *conf;
    struct router *router;
    struct directory *directory;
    struct secret *generated_master; /* when the config has none */
    struct upstream *upstreams;      /* by endpoint->index */
    struct tls_ctx **tls;
    size_t tls_count;
    struct tls_ctx *token_tls; /* for OAuth token endpoints: always verified */
};

/* Takes over `conf` and `generated_master` (may be NULL). */
struct snapshot *snapshot_new(struct conf *conf, const struct conf_source *src,
                              struct secret *generated_master, struct hash_seed seed);
struct snapshot *snapshot_ref(struct snapshot *s);
void snapshot_unref(struct snapshot *s); /* accepts NULL */

#endif
