/* conf/conf.h -- the configuration: LiteLLM's config.yaml read into one immutable, typed, checked object.
 *
 *   YAML text -> conf_tree (nodes with file:line) -> key tables (conf/keys.h) -> struct conf
 *
 * A config that has errors still gives every problem at once, with its place; unknown keys warn and never abort; a broken
 * deployment is an error of that deployment (it is kept, with `problem` set) and not of the start.
 * Files and the environment are reached through functions that are passed in, so that this folder stays pure.
 * Ownership: conf_load makes a struct conf with its own arena; everything in it lives as long as it.
 * Thread: built by one; afterwards immutable and readable by all. */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "base/arena.h"
#include "base/err.h"
#include "base/secret.h"
#include "base/str.h"

struct conf_node;

enum conf_level { CONF_ERROR, CONF_WARNING, CONF_NOTE };

/* One problem: "config.yaml:12: error: router_settings.num_retires is not a known key; did you mean num_retries?" */
struct conf_diag {
    enum conf_level level;
    struct str file; /* as it was named */
    unsigned line;   /* from 1; 0: the file as a whole */
    struct str msg;  /* never holds a value that may be secret */
};

struct conf_diags {
    struct conf_diag *rows;
    size_t count, room;
    size_t errors, warnings;
};

/* How the world is reached. Both return slices that live in `a`. */
struct conf_source {
    /* Errors: ERR_NOT_FOUND, ERR_IO, ERR_TOO_LARGE (> 8 MiB). */
    enum err (*read_file)(void *ctx, struct str path, struct arena *a, struct str *ret_text);
    /* False when the variable is not set. */
    bool (*get_env)(void *ctx, struct str name, struct arena *a, struct str *ret_value);
    void *ctx;
};

struct conf_header {
    struct str name, value;
}; /* value may be a credential: reveal only to the wire */

/* A JSON member to send: value is JSON text. */
struct conf_member {
    struct str name, json;
};

/* One entry of model_list, as written; what a provider makes of it is route/'s business. */
struct conf_deployment {
    struct str file;
    unsigned line;
    struct str name; /* model_name */
    struct str
        id; /* model_info.id, or 64 hex digits: a hash of litellm_params; unique in the config */
    struct str model; /* litellm_params.model as written: "openai/gpt-4.1", "openai/" and a star */
    struct str custom_provider; /* custom_llm_provider; empty: by the prefix of `model` */
    struct str api_base;        /* api_base or base_url; empty: the provider's default */
    struct str api_version, organization;
    const struct secret *api_key; /* NULL: the provider's environment variable */
    struct str
        problem; /* not empty: this deployment cannot serve, and this is what its callers are told
                                    (a missing variable by name, a bad value by key) */
    int64_t timeout_ms, stream_timeout_ms; /* -1: not set */
    int32_t ssl_verify;                    /* 1 yes, 0 no, -1: not set */
    struct str ca_file;                    /* ssl_verify given as a path */
    const struct conf_header *headers;
    size_t header_count; /* extra_headers and headers */
    const struct conf_member *extra_body;
    size_t extra_body_count; /* set in the body, over what the client sent */
    const struct conf_member *defaults;
    size_t
        default_count; /* OpenAI parameters and unknown keys of litellm_params: sent when the client did not */
    const struct str *drop_params;
    size_t drop_count;     /* additional_drop_params */
    bool drop_unsupported; /* drop_params */
    bool modify_params;    /* requests may be mended for the provider */
    bool use_chat;         /* use_chat_completions_api: /responses through chat completions */
    const struct str *allowed_params;
    size_t allowed_count; /* allowed_openai_params: passed although not known to be taken */
    struct str vertex_project, vertex_location; /* empty: not set */
    const struct secret *
        vertex_credentials; /* a file's path, or a credential's JSON (it begins with '{'); NULL: not set */
    struct str mock_response; /* JSON text of the value (a string or an object); empty: none */
    struct str model_info;    /* JSON text of the model_info map, `{}` when absent; id included */
    struct str public_params; /* JSON text of litellm_params without secrets, for /model/info */
    struct str mode;          /* model_info.mode; empty: chat */
    bool blocked;             /* model_info.blocked */
    /* routing: read now, used when routing comes */
    double weight;
    int64_t rpm, tpm, order; /* -1: not set */
    int64_t max_parallel_requests;
};

struct conf_alias {
    struct str alias, model;
    bool hidden;
};

struct conf_general {
    const struct secret *
        master_key; /* general_settings, else LITELLM_MASTER_KEY, else litellm_settings; NULL: none anywhere */
    struct str master_key_where;                  /* "general_settings.master_key": for messages */
    struct str completion_model, embedding_model; /* force the model; empty: not set */
    struct str key_header_name;                   /* litellm_key_header_name; empty: none */
    bool always_include_stream_usage;
    uint64_t max_request_bytes;  /* max_request_size_mb; default 64 MiB */
    bool forward_client_headers; /* forward_client_headers_to_llm_api: true */
    bool include_call_id_in_error_body;
};

struct conf_litellm {
    bool drop_params, modify_params, json_logs;
    bool chat_to_responses;      /* route_all_chat_openai_to_responses */
    uint64_t request_timeout_ms; /* 6,000,000; router_settings.timeout wins */
    int64_t stream_timeout_ms;   /* router_settings.stream_timeout; -1: not set */
    int32_t ssl_verify;          /* as in a deployment */
    struct str ca_file;
};

/* weir's own keys: section `weir_settings`. */
struct conf_weir {
    const struct str *cors_origins;
    size_t cors_origin_count;            /* cors_allow_origins: ["*"] or origins; none: no CORS */
    bool access_log;                     /* default true */
    uint64_t connect_timeout_ms;         /* 5,000 */
    uint64_t first_byte_timeout_ms;      /* 600,000 */
    uint64_t event_timeout_ms;           /* 300,000, between events of a stream */
    uint64_t header_timeout_ms;          /* 10,000 */
    uint64_t keepalive_timeout_ms;       /* 75,000 */
    uint64_t body_min_rate;              /* 1,024 bytes a second */
    uint64_t body_grace_ms;              /* 10,000 */
    uint64_t client_stall_timeout_ms;    /* 120,000 */
    uint64_t upstream_idle_ms;           /* 50,000 */
    uint64_t upstream_life_ms;           /* 3,600,000 */
    uint64_t upstream_connections;       /* 1,024 per origin and worker */
    uint64_t stream_commit_ms;           /* 10,000 */
    uint64_t ping_interval_ms;           /* 15,000 */
    uint64_t drain_timeout_ms;           /* 30,000 */
    uint64_t drain_delay_ms;             /* 0 */
    uint64_t max_bytes_in_flight;        /* 0: a quarter of memory */
    struct str tls_certificate, tls_key; /* PEM files; empty: plain HTTP */
    struct str ca_file;                  /* for all upstreams; empty: the system's */
    bool responses_store;                /* default true */
    uint64_t responses_life_ms;          /* 30 days */
    uint64_t responses_max_turns;        /* 1,000, of a chain */
    uint64_t responses_max_turn_bytes;   /* 16 MiB */
    uint64_t responses_max_chain_bytes;  /* 32 MiB */
    uint64_t responses_max_store_bytes;  /* 4 GiB */
};

struct conf {
    struct arena *arena;
    const struct conf_deployment *deployments;
    size_t deployment_count;
    const struct conf_alias *aliases;
    size_t alias_count; /* model_alias_map first, then model_group_alias */
    struct conf_general general;
    struct conf_litellm litellm;
    struct conf_weir weir;
    const struct str *files;
    size_t file_count; /* read: the config and its includes */
};

/* Reads `path` and what it includes. Returns NULL when there are errors that leave nothing to serve with (YAML syntax,
 * unreadable file, a bad value outside model_list); `ret_diags` (rows live in `diag_arena`) tells all problems either way. */
struct conf *conf_load(const struct conf_source *src, struct str path, struct arena *diag_arena,
                       struct conf_diags *ret_diags);
void conf_free(struct conf *c); /* wipes the secrets; accepts NULL */

/* A variable as the config sees it: environment_variables first, then the environment. False: not set. */
bool conf_env(const struct conf *c, const struct conf_source *src, struct str name, struct arena *a,
              struct str *ret_value);

/* docs/configuration.md, made from the key tables. */
struct buf;
void conf_write_docs(struct buf *out);

/* The words nearest to `word` (edit distance <= 2, at most a third of its length): for "did you mean". Empty: none. */
struct str conf_nearest(struct str word, const struct str *words, size_t n);

/* "config.yaml:12: error: ..." and a newline. */
void conf_diag_write(const struct conf_diag *d, struct buf *out);

#endif
