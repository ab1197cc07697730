/* provider/provider.h -- the providers as data: where they are, how they want to be spoken to.
 *
 * A provider that differs only in data is a row in provider.c; a format of its own is a dialect. Nothing here opens a
 * connection: flow/ joins a row, a deployment and a dialect's call. Pure; const tables, any thread. */
#ifndef PROVIDER_PROVIDER_H
#define PROVIDER_PROVIDER_H

#include "base/arena.h"
#include "base/str.h"
#include "conf/conf.h"

/* The formats that a provider can be spoken to in. */
enum dialect_id { DIALECT_OPENAI_CHAT };

enum auth_scheme {
    AUTH_BEARER,  /* Authorization: Bearer <key> */
    AUTH_API_KEY, /* api-key: <key> (Azure) */
};

enum url_form {
    URL_APPEND, /* <api_base>/chat/completions */
    URL_AZURE, /* <api_base>/openai/deployments/<model>/chat/completions?api-version=<v>; <api_base>/... when it ends in /openai/v1 */
};

struct provider {
    struct str name;         /* the prefix in litellm_params.model */
    struct str title;        /* for people: "OpenAI answered with ..." */
    struct str note;         /* for `weir providers` */
    struct str base_url;     /* default; empty: api_base is required */
    struct str key_env;      /* default key */
    struct str base_envs[2]; /* variables that replace base_url, first one set wins */
    struct str version_env, version_default; /* api-version */
    enum auth_scheme auth;
    enum url_form url;
    enum dialect_id dialect;
    bool key_optional; /* servers on one's own machine often take none */
};

/* By prefix ("openai"), or NULL. */
const struct provider *provider_find(struct str name);
/* The i-th row, NULL past the end. */
const struct provider *provider_at(size_t i);
size_t provider_index(const struct provider *p);
/* The row for a model name without prefix ("gpt-4o"), or NULL. */
const struct provider *provider_infer(struct str model);

/* The path and query of a call, after the scheme and authority. `base_path` is api_base's own, without trailing slash;
 * `suffix` is the dialect's: "/chat/completions". The model is percent-encoded where it enters the path. */
struct str provider_path(const struct provider *p, struct str base_path, struct str suffix,
                         struct str model, struct str api_version, struct arena *a);

#endif
