/* dialect/openai_chat.h -- OpenAI's Chat Completions, legacy Completions and Embeddings, client and provider both speaking
 * them: bytes pass through but for a stated list of edits (docs/architecture.md, "Two ways through").
 *
 *   request:  openai_read_request -> openai_splice_request -> segments on the wire
 *   answer:   openai_read_answer (whole) or openai_read_event (one SSE event), then openai_splice_answer
 *
 * Rules are from OpenAI's API reference, "Chat" and "Streaming", August 2026. Pure: values in, values out; everything made lives in
 * the arena given. Thread: any. */
#ifndef DIALECT_OPENAI_CHAT_H
#define DIALECT_OPENAI_CHAT_H

#include "base/buf.h"
#include "base/fault.h"
#include "ir/usage.h"
#include "provider/provider.h"
#include "wire/json_scan.h"
#include "wire/splice.h"

enum openai_kind {
    OPENAI_CHAT,
    OPENAI_TEXT,
    OPENAI_EMBED,
    OPENAI_RESPONSES,       /* POST /responses: dialect/responses.h reads its answers */
    OPENAI_RESPONSE_TOKENS, /* /responses/input_tokens */
    OPENAI_RESPONSE_COMPACT /* /responses/compact */
};
/* True for the kinds of the Responses API. */
static inline bool openai_is_responses(enum openai_kind k)
{
    return k >= OPENAI_RESPONSES;
}

/* The provider's path for a kind: "/chat/completions". */
struct str openai_suffix(enum openai_kind kind);

/* Members of a request that weir looks at. G: the gateway's own, never sent to a provider. */
/* clang-format off */
#define OPENAI_MEMBERS(M, G)                                                                       \
    M(MODEL, "model")                                                                              \
    M(STREAM, "stream")                                                                            \
    M(STREAM_OPTIONS, "stream_options")                                                            \
    M(METADATA, "metadata") M(API_KEY, "api_key") M(API_BASE, "api_base") M(                       \
        BASE_URL, "base_url") G(MOCK_RESPONSE, "mock_response") G(TIMEOUT, "timeout")              \
        G(REQUEST_TIMEOUT, "request_timeout") G(STREAM_TIMEOUT, "stream_timeout") G(TAGS, "tags")  \
            G(FALLBACKS, "fallbacks") G(CW_FALLBACKS, "context_window_fallbacks")                  \
                G(CP_FALLBACKS, "content_policy_fallbacks") G(NO_FALLBACKS, "disable_fallbacks")   \
                    G(MAX_FALLBACKS, "max_fallbacks") G(NUM_RETRIES, "num_retries") G(             \
                        MAX_RETRIES, "max_retries") G(GUARDRAILS, "guardrails") G(CACHE, "cache")  \
                        G(CACHING, "caching") G(NO_LOG, "no-log") G(                               \
                            LITELLM_METADATA, "litellm_metadata") G(MOCK_TIMEOUT, "mock_timeout")  \
                            G(MOCK_FALLBACKS, "mock_testing_fallbacks")                            \
                                G(MOCK_CW, "mock_testing_context_window_fallbacks")                \
                                    G(MOCK_CP, "mock_testing_content_policy_fallbacks")            \
                                        G(MOCK_RL, "mock_testing_rate_limit_error")                \
                                            G(DROP_PARAMS, "drop_params")                          \
                                                G(ADDITIONAL_DROP, "additional_drop_params")       \
                                                    G(ALLOWED_PARAMS, "allowed_openai_params")     \
                                                        G(TRACE_ID, "litellm_trace_id")            \
                                                            G(SESSION_ID, "litellm_session_id")    \
                                                                G(FALLBACK_ERRORS,                 \
                                                                  "include_fallback_errors")       \
                                                                    G(REQUEST_DEBUG,               \
                                                                      "litellm_request_debug")     \
                                                                        G(PRIORITY, "priority")
/* clang-format on */

enum openai_member {
#define M(id, name) OPENAI_M_##id,
    OPENAI_MEMBERS(M, M)
#undef M
        OPENAI_M_COUNT
};

struct openai_request {
    enum openai_kind kind;
    struct str body;
    size_t open_at; /* offset just after the opening brace */
    uint32_t member_count;
    struct json_member m[OPENAI_M_COUNT];
    struct str model;      /* unescaped; the path's when the route carries one */
    struct str model_json; /* the same as JSON text with quotes: what answers are stamped with */
    bool stream;
    bool usage_asked;                      /* stream_options.include_usage is true */
    int64_t timeout_ms, stream_timeout_ms; /* -1: not given */
};

/* Reads the body of a request. `path_model` wins over the body's, when not empty.
 * Errors: ERR_BAD_JSON, ERR_BAD_REQUEST, with *ret_fault filled for the client. */
MUST_CHECK enum err openai_read_request(enum openai_kind kind, struct str body,
                                        struct str path_model, struct arena *a,
                                        struct openai_request *ret_rq, struct fault *ret_fault);

/* The edits that a deployment needs: model, gateway members, defaults, extra and dropped members, usage on streams, and what the
 * provider's row says of its own ways (`p` may be NULL: none). */
void openai_splice_request(const struct openai_request *rq, const struct conf_deployment *d,
                           const struct provider *p, struct str upstream_model,
                           struct splice *ret_splice, struct arena *a);

/* A parameter of additional_drop_params that is a path ("tools[*].function.strict"), and the body without what such paths name.
 * Paths that do not parse or name nothing change nothing. */
bool openai_is_path(struct str param);
struct str openai_drop_paths(struct str body, const struct str *paths, size_t count,
                             struct arena *a);

/* One answer, whole or one event's data. */
struct openai_answer {
    struct str text;
    struct json_member model, usage_member;
    struct ir_usage usage;
    bool no_choices; /* absent, null or [] */
    bool has_error;  /* a top-level `error` that is not null */
    bool content;    /* event: text, reasoning, refusal or tool argument that is not empty */
    bool finish;     /* event: a choice's finish_reason is set */
    struct json_problem problem;
};

MUST_CHECK enum err openai_read_answer(enum openai_kind kind, struct str body,
                                       struct openai_answer *ret_ans);
/* `look_for_content` false saves the walk once a stream is committed. */
MUST_CHECK enum err openai_read_event(enum openai_kind kind, struct str data, bool look_for_content,
                                      struct openai_answer *ret_ev);

/* The answer stamped with the name that the client asked for; for events, without the usage that the client did not ask for.
 * Appended to `out`. Returns false when the event is to be dropped whole (the usage event). */
bool openai_put_answer(const struct openai_answer *ans, struct str model_json, bool hide_usage,
                       struct buf *out);

/* The usage object of an answer. */
bool openai_read_usage(struct str json, struct ir_usage *ret_usage);
/* The same with other names for the prompt's tokens, the completion's, and the details of both. */
bool openai_read_usage_as(struct str json, const struct str top[4], struct ir_usage *ret_usage);

/* {"error":{"message","type","param","code"}}; `call_id` not empty: with litellm_call_id. */
void openai_write_fault(const struct fault *f, struct str call_id, struct buf *out);

/* -- mock_response: an answer without a provider. */
struct openai_mock {
    enum openai_kind kind;
    struct str response; /* JSON text: a string, an object, or an array of numbers for embeddings */
    struct str model_json;
    struct str id;    /* without prefix */
    uint64_t created; /* unix seconds */
    bool include_usage;
};
/* A string that names one of LiteLLM's error classes ("litellm.RateLimitError") is that error. */
bool openai_mock_fault(struct str response, struct arena *a, struct fault *ret_fault);
void openai_mock_whole(const struct openai_mock *m, struct arena *a, struct buf *out);
void openai_mock_stream(const struct openai_mock *m, struct arena *a,
                        struct buf *out); /* all events, with [DONE] */

#endif
