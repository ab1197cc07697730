#include "routes.h"

#include "admin/admin.h"
#include "dialect/openai_chat.h"
#include "flow/session.h"

/* The same call under every path by which LiteLLM's and Azure's clients know it. */
#define OPENAI_ROUTES(id, family, kind, suffix, help)                                              \
    ROUTE(id, "POST", "/v1" suffix, family, kind, ROUTE_USER, true, NULL, help),                   \
        ROUTE(id "_short", "POST", suffix, family, kind, ROUTE_USER, true, NULL, help),            \
        ROUTE(id "_engines", "POST", "/engines/{model}" suffix, family, kind, ROUTE_USER, true,    \
              NULL, help),                                                                         \
        ROUTE(id "_engines_v1", "POST", "/v1/engines/{model}" suffix, family, kind, ROUTE_USER,    \
              true, NULL, help),                                                                   \
        ROUTE(id "_azure", "POST", "/openai/deployments/{model}" suffix, family, kind, ROUTE_USER, \
              true, NULL, help)

/* Under the names by which OpenAI's, LiteLLM's and Azure's clients know them. */
#define RESPONSES_ROUTES(id, method, family, kind, suffix, billable, help)                         \
    ROUTE(id, method, "/v1/responses" suffix, family, kind, ROUTE_USER, billable, NULL, help),     \
        ROUTE(id "_short", method, "/responses" suffix, family, kind, ROUTE_USER, billable, NULL,  \
              help),                                                                               \
        ROUTE(id "_openai", method, "/openai/v1/responses" suffix, family, kind, ROUTE_USER,       \
              billable, NULL, help),                                                               \
        ROUTE(id "_azure", method, "/openai/responses" suffix, family, kind, ROUTE_USER, billable, \
              NULL, help)

#define ADMIN(id, path, role, fn, help)                                                            \
    ROUTE(id, "GET", path, FAMILY_ADMIN, 0, role, false, fn, help)

static const struct route rows[] = {
    OPENAI_ROUTES("chat_completions", FAMILY_CHAT, OPENAI_CHAT, "/chat/completions",
                  "Chat completion, whole or streamed (OpenAI Chat Completions)"),
    OPENAI_ROUTES("completions", FAMILY_CHAT, OPENAI_TEXT, "/completions",
                  "Text completion (OpenAI legacy Completions)"),
    OPENAI_ROUTES("embeddings", FAMILY_EMBED, OPENAI_EMBED, "/embeddings",
                  "Embeddings (OpenAI Embeddings)"),

    RESPONSES_ROUTES("responses", "POST", FAMILY_CHAT, OPENAI_RESPONSES, "", true,
                     "A response, whole or streamed (OpenAI Responses), of every provider"),
    RESPONSES_ROUTES("response_tokens", "POST", FAMILY_CHAT, OPENAI_RESPONSE_TOKENS,
                     "/input_tokens", false, "The tokens of a request's input"),
    RESPONSES_ROUTES("response_compact", "POST", FAMILY_CHAT, OPENAI_RESPONSE_COMPACT, "/compact",
                     true, "A conversation made shorter"),
    RESPONSES_ROUTES("response_cancel", "POST", FAMILY_RESPONSE, RESPONSE_CANCEL, "/{id}/cancel",
                     false, "Stops a background response"),
    RESPONSES_ROUTES("response_items", "GET", FAMILY_RESPONSE, RESPONSE_ITEMS, "/{id}/input_items",
                     false, "The input of a response, by pages"),
    RESPONSES_ROUTES("response_get", "GET", FAMILY_RESPONSE, RESPONSE_GET, "/{id}", false,
                     "A response by its id"),
    RESPONSES_ROUTES("response_delete", "DELETE", FAMILY_RESPONSE, RESPONSE_DELETE, "/{id}", false,
                     "Deletes a response"),

    ADMIN("models", "/v1/models", ROUTE_USER, admin_models, "The models of this gateway"),
    ADMIN("models_short", "/models", ROUTE_USER, admin_models, "The models of this gateway"),
    ADMIN("model", "/v1/models/{id}", ROUTE_USER, admin_model, "One model"),
    ADMIN("model_short", "/models/{id}", ROUTE_USER, admin_model, "One model"),
    ADMIN("model_info", "/v1/model/info", ROUTE_USER, admin_model_info,
          "Every deployment, without its secrets"),
    ADMIN("model_info_short", "/model/info", ROUTE_USER, admin_model_info,
          "Every deployment, without its secrets"),

    ADMIN("liveliness", "/health/liveliness", ROUTE_PUBLIC, admin_liveness,
          "Alive, as long as it answers"),
    ADMIN("liveness", "/health/liveness", ROUTE_PUBLIC, admin_liveness,
          "Alive, as long as it answers"),
    ADMIN("readiness", "/health/readiness", ROUTE_PUBLIC, admin_readiness,
          "200 when new requests are welcome, 503 while draining"),

    ADMIN("root", "/", ROUTE_PUBLIC, admin_root, "Name and version"),
    ADMIN("routes", "/routes", ROUTE_PUBLIC, admin_routes, "This table"),
    ADMIN("openapi", "/openapi.json", ROUTE_PUBLIC, admin_openapi, "This table as OpenAPI 3.1"),
};

const struct route_table route_table = { rows, sizeof rows / sizeof rows[0] };
