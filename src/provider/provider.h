/* provider/provider.h -- the providers as data: where they are, how they want to be spoken to.
 *
 * A provider that differs only in data is a row (rows_*.def; docs/add-a-provider.md); a format of its own is a dialect.
 * Nothing here opens a connection: flow/ joins a row, a deployment and a dialect's call.
 * Pure; const tables, any thread. */
#ifndef PROVIDER_PROVIDER_H
#define PROVIDER_PROVIDER_H

#include "base/arena.h"
#include "base/str.h"
#include "conf/conf.h"

/* The formats that a provider can be spoken to in. */
enum dialect_id {
    DIALECT_OPENAI_CHAT,
    DIALECT_OPENAI_RESPONSES,
    DIALECT_ANTHROPIC,
    DIALECT_GEMINI
};

enum auth_scheme {
    AUTH_BEARER,         /* Authorization: Bearer <key> */
    AUTH_API_KEY,        /* api-key: <key> (Azure) */
    AUTH_X_API_KEY,      /* x-api-key: <key> (Anthropic) */
    AUTH_X_GOOG_API_KEY, /* x-goog-api-key: <key> (Gemini) */
    AUTH_GOOGLE, /* Authorization: Bearer <OAuth token>; with a key instead: x-goog-api-key (express mode) */
    AUTH_NONE, /* no credential is ever sent */
};

enum url_form {
    URL_APPEND, /* <api_base>/chat/completions */
    URL_AZURE, /* <api_base>/openai/deployments/<model>/chat/completions?api-version=<v>; <api_base>/... when it ends in /openai/v1 */
    URL_GEMINI, /* <api_base>/v1beta/models/<model>:generateContent */
    URL_VERTEX, /* <api_base>/v1/projects/<p>/locations/<l>/publishers/<google|anthropic>/models/<model>:generateContent */
};

/* Where a stream of OpenAI's dialect tells its usage. Readers look in all places; this says what a provider is known to do. */
enum usage_place {
    USAGE_OWN_CHUNK, /* a last chunk of its own, without choices, when stream_options asks for it */
    USAGE_LAST_CHUNK, /* in the chunk that holds finish_reason, asked for or not */
    USAGE_X_GROQ,     /* in x_groq.usage of the last chunk, beside the usual place */
};

enum tool_id_rule {
    TOOL_ID_ANY,
    TOOL_ID_9_ALNUM, /* exactly nine of [A-Za-z0-9] (Mistral) */
};

/* Members of OpenAI's chat completions that few of the others know; many refuse what they do not know. */
enum {
    CHAT_CUSTOM_TOOLS = 1 << 0,     /* tools of free text, and calls of them in the history */
    CHAT_ALLOWED_TOOLS = 1 << 1,    /* tool_choice: {"type":"allowed_tools",...} */
    CHAT_WEB_SEARCH = 1 << 2,       /* web_search_options, whatever the model */
    CHAT_VERBOSITY = 1 << 3,        /* verbosity */
    CHAT_TIERS = 1 << 4,            /* service_tier, in all of OpenAI's words */
    CHAT_FLEX = 1 << 5,             /* service_tier: "flex" */
    CHAT_PRIORITY = 1 << 6,         /* service_tier: "priority" */
    CHAT_METADATA = 1 << 7,         /* metadata */
    CHAT_SAFETY = 1 << 8,           /* safety_identifier */
    CHAT_CACHE_KEY = 1 << 9,        /* prompt_cache_key */
    CHAT_CACHE_RETENTION = 1 << 10, /* prompt_cache_retention */
    /* All but web search, which OpenAI's models have or have not: model_facts.h. */
    CHAT_AS_OPENAI = CHAT_CUSTOM_TOOLS | CHAT_ALLOWED_TOOLS | CHAT_VERBOSITY | CHAT_TIERS |
                     CHAT_FLEX | CHAT_PRIORITY | CHAT_METADATA | CHAT_SAFETY | CHAT_CACHE_KEY |
                     CHAT_CACHE_RETENTION,
};

struct provider {
    struct str name;  /* the prefix in litellm_params.model */
    struct str title; /* for people: "OpenAI answered with ..." */
    struct str note;  /* for `weir providers` */
    struct str
        base_url; /* default; empty: api_base is required, or made of the location (URL_VERTEX) */
    struct str key_env;          /* default key */
    struct str more_key_envs[3]; /* looked at, in order, when key_env is not set */
    struct str base_envs[2];     /* variables that replace base_url, first one set wins */
    struct str
        base_end; /* URL_APPEND: the end ("/v1") that is added to an api_base that has none; empty: taken as it is */
    struct str version_env, version_default; /* api-version */
    enum auth_scheme auth;
    enum url_form url;
    enum dialect_id dialect; /* of models without a rule of their own: ask provider_dialect() */
    struct str family; /* of model facts: "openai", "anthropic", "gemini": ask provider_family() */
    bool key_optional; /* servers on one's own machine often take none */
    bool responses;    /* speaks OpenAI's Responses API too: such requests are not bridged */
    /* Where it differs from OpenAI's chat completions. */
    bool no_stream_options;   /* stream_options is refused: weir must not add it */
    bool developer_as_system; /* the role "developer" is not known: it is sent as "system" */
    bool no_user;             /* `user` is refused */
    uint32_t chat_takes; /* CHAT_*: what a translated request may hold beside the common members */
    struct str
        max_tokens_field; /* the one that every model takes: "max_tokens", "max_completion_tokens"; empty: both, or not known */
    struct str
        reasoning_field; /* of messages and deltas: "reasoning_content", "reasoning"; empty: none known */
    enum usage_place usage;
    enum tool_id_rule tool_ids;
    const char *source; /* the document that this row is from */
    const char *date;   /* when it was read, "2026-11-22" */
};

/* By prefix ("openai"), or NULL. */
const struct provider *provider_find(struct str name);
/* The i-th row, NULL past the end. */
const struct provider *provider_at(size_t i);
size_t provider_index(const struct provider *p);
/* The row for a model name without prefix ("gpt-4o"), or NULL. */
const struct provider *provider_infer(struct str model);

/* What the model is spoken to in, and whose model facts count: on vertex_ai, Claude is Anthropic's and the rest is Gemini's. */
enum dialect_id provider_dialect(const struct provider *p, struct str model);
struct str provider_family(const struct provider *p, struct str model);

/* The header that carries the credential, in lower case; empty: none. `has_token`: the credential is an OAuth token
 * of flow/credential, not a key. provider_auth_bearer: its value is "Bearer <credential>", else the bare credential. */
struct str provider_auth_header(const struct provider *p, bool has_token);
bool provider_auth_bearer(const struct provider *p, bool has_token);

/* The URL that stands for an empty api_base: base_url, or made of the location (URL_VERTEX; empty where the location is not
 * one: letters, digits and '-'). */
struct str provider_base_url(const struct provider *p, struct str location, struct arena *a);

/* One call, as far as its URL is concerned. */
struct provider_call {
    const struct provider *provider;
    struct str base_path; /* of api_base, without trailing slash */
    struct str suffix; /* the dialect's: "/chat/completions", "/v1/messages", ":generateContent" */
    struct str query;  /* the dialect's, without '?': "alt=sse"; empty: none */
    struct str model;  /* upstream name, plain */
    struct str path_model;  /* URL_VERTEX: stands in the path in its place; empty: the model */
    struct str api_version; /* URL_AZURE */
    struct str project, location; /* URL_VERTEX; no project: express mode, by key */
    bool stream;
};

/* The path and query of a call, after the scheme and authority. Model, project and location are percent-encoded. A base path
 * that already holds the version (".../v1") or the whole of what would be added is not given it twice. */
struct str provider_call_path(const struct provider_call *c, struct arena *a);

#endif
