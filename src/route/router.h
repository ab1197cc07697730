/* route/router.h -- from the model name of a request to the deployment that serves it.
 *
 * Built from a config, immutable but for each group's turn counter; part of the snapshot, read by all workers.
 *
 *   name -> alias -> group of that exact name -> deployment of that id -> most specific wildcard -> upstream name -> none
 *
 * Several deployments of one name are served in turn. Strategies, health and cooldown join in router_pick. Pure: the environment comes through conf_source. */
#ifndef ROUTE_ROUTER_H
#define ROUTE_ROUTER_H

#include "base/fault.h"
#include "base/hash.h"
#include "conf/conf.h"
#include "provider/google.h"
#include "provider/model_facts.h"
#include "provider/provider.h"

#include <stdatomic.h>

/* Where calls go and with which credential: of one deployment, or a provider's defaults (for `*`). */
struct endpoint {
    uint32_t index; /* in router->endpoints */
    const struct provider *provider;
    struct str api_base; /* URL text, without trailing slash */
    struct str api_version;
    const struct secret *key; /* NULL: none is sent */
    /* URL_VERTEX: where, and the credential that tokens are fetched with; NULL: by `key` (express mode). */
    struct str project, location;
    const struct google_credential *google;
    bool ssl_verify;
    struct str ca_file; /* empty: the default */
    struct str problem; /* not empty: cannot serve; safe for the client */
};

/* Which of OpenAI's two APIs a deployment of an OpenAI-shaped provider is called by. */
enum api_choice {
    API_AUTO,      /* the client's, where the provider has both */
    API_CHAT,      /* openai/chat_completions/..., use_chat_completions_api */
    API_RESPONSES, /* openai/responses/..., model_info.mode: responses */
};

struct deployment {
    const struct conf_deployment *conf;
    enum api_choice api;
    const struct model_facts *facts; /* of its model; NULL where the request's name decides that */
    const struct endpoint *endpoint; /* NULL: the provider follows from the requested name */
    struct str upstream_model;       /* without the provider's prefix; may hold '*' */
    struct str problem;
};

struct group {
    struct str name; /* model_name, or a deployment's id */
    const struct deployment **members;
    size_t count;
    bool wildcard;
    _Atomic uint32_t turn;
};

struct router {
    const struct conf *conf; /* borrowed: lives in the same snapshot */
    struct arena *arena;
    const struct deployment *deployments; /* in the order of the config */
    size_t deployment_count;
    struct endpoint *endpoints;
    size_t endpoint_count;
    const struct endpoint *defaults; /* by provider_index */
    struct map groups;               /* exact names and ids -> struct group */
    struct group **public_groups;    /* by model_name, in order; wildcards too */
    size_t public_count;
    struct map aliases;    /* -> struct conf_alias */
    struct secret **owned; /* keys from the environment */
    size_t owned_count;
    struct google_credential **googles; /* of the endpoints */
    size_t google_count;
};

struct router *router_new(const struct conf *c, const struct conf_source *src,
                          struct hash_seed seed);
void router_free(struct router *r);

/* What serves one request. */
struct pick {
    const struct group *group;
    const struct deployment *deployment;
    const struct endpoint *endpoint;
    struct str upstream_model;
};

/* Errors, with *ret_fault for the client: ERR_UNKNOWN_MODEL, ERR_DEPLOYMENT_CONFIG (names what is missing),
 * ERR_OVERLOADED (all deployments are blocked by model_info.blocked). */
MUST_CHECK enum err router_pick(const struct router *r, struct str model, struct arena *a,
                                struct pick *ret_pick, struct fault *ret_fault);
/* It can be picked in turn: it is configured whole, and not paused. */
bool router_is_usable(const struct deployment *d);
/* The same, but only the deployment of that id will do. Errors besides: ERR_NOT_FOUND, without a fault: the model's group has it not. */
MUST_CHECK enum err router_pick_deployment(const struct router *r, struct str model, struct str id,
                                           struct arena *a, struct pick *ret_pick,
                                           struct fault *ret_fault);

/* A glob with captures: '*' matches any run of characters, the shortest first. False: no match.
 * ret_with is `to` with its stars replaced by what those of `pattern` matched, in order; a star too many stays. */
bool glob_match(struct str pattern, struct str text, struct str to, struct arena *a,
                struct str *ret_with);

#endif
