#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "provider/provider.h"

static bool is_variable(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!((s.p[i] >= 'A' && s.p[i] <= 'Z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
              s.p[i] == '_'))
            return false;
    return true;
}

static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
              s.p[i] == '_' || s.p[i] == '-'))
            return false;
    return s.len > 0;
}

/* Encrypted, or on this machine, where no secret leaves it. */
static bool is_base(struct str s)
{
    return str_starts(s, STR("https://")) || str_starts(s, STR("http://localhost:")) ||
           str_starts(s, STR("http://127.0.0.1:"));
}

static void test_rows_are_whole(void **state)
{
    size_t n = 0;
    for (; provider_at(n); n++) {
        const struct provider *p = provider_at(n);
        assert_true(is_name(p->name) && p->title.len && p->source && p->date);
        assert_true(p->key_env.len || p->auth == AUTH_GOOGLE);
        assert_ptr_equal(provider_find(p->name), p); /* also: no name stands twice */
        assert_int_equal(provider_index(p), n);
        assert_true(p->base_url.len == 0 || is_base(p->base_url));
        assert_true(str_starts(p->base_url, STR("https://")) || p->base_url.len == 0 ||
                    p->key_optional);
        assert_false(str_ends(p->base_url, STR("/")));
        assert_true(p->base_url.len == 0 || str_ends(p->base_url, p->base_end));
        assert_true(p->url != URL_AZURE || p->version_default.len);
        assert_true(is_variable(p->key_env) && is_variable(p->base_envs[0]) &&
                    is_variable(p->base_envs[1]) && is_variable(p->version_env));
        for (size_t i = 0; i < 3; i++)
            assert_true(is_variable(p->more_key_envs[i]));
        assert_true(p->dialect != DIALECT_OPENAI_CHAT || str_eq(p->family, STR("openai")));
        assert_int_equal(strlen(p->date), 10);
    }
    assert_true(n >= 60);
    assert_null(provider_find(STR("nobody")));
    assert_null(provider_find(STR("")));
    assert_null(provider_find(STR("OpenAI")));
}

static void test_inferred(void **state)
{
    static const struct {
        const char *model, *provider;
    } cases[] = {
        { "gpt-4o", "openai" },
        { "o3-mini", "openai" },
        { "text-embedding-3-small", "openai" },
        { "ft:gpt-4o:x::y", "openai" },
        { "claude-x", "anthropic" },
        { "gemini-2.5-pro", "vertex_ai" },
        { "claude", NULL },
        { "llama", NULL },
        { "", NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct provider *p = provider_infer(str_c(cases[i].model));
        assert_true(cases[i].provider ? p && str_eq(p->name, str_c(cases[i].provider)) : !p);
    }
}

static void test_dialects(void **state)
{
    static const struct {
        const char *provider, *model;
        enum dialect_id dialect;
        const char *family;
    } cases[] = {
        { "openai", "claude-x", DIALECT_OPENAI_CHAT, "openai" },
        { "groq", "llama", DIALECT_OPENAI_CHAT, "openai" },
        { "anthropic", "gemini", DIALECT_ANTHROPIC, "anthropic" },
        { "gemini", "claude-x", DIALECT_GEMINI, "gemini" },
        { "vertex_ai", "gemini-2.5-pro", DIALECT_GEMINI, "gemini" },
        { "vertex_ai", "1234", DIALECT_GEMINI, "gemini" },
        { "vertex_ai", "claude-opus-4@20250514", DIALECT_ANTHROPIC, "anthropic" },
        { "vertex_ai", "", DIALECT_GEMINI, "gemini" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct provider *p = provider_find(str_c(cases[i].provider));
        assert_int_equal(provider_dialect(p, str_c(cases[i].model)), cases[i].dialect);
        assert_true(str_eq(provider_family(p, str_c(cases[i].model)), str_c(cases[i].family)));
    }
}

/* OpenAI's members go to OpenAI; to others only what is known to be taken. */
static void test_chat_takes(void **state)
{
    static const struct {
        const char *provider;
        uint32_t takes;
        bool no_user;
    } cases[] = {
        { "openai", CHAT_AS_OPENAI, false },
        { "azure", CHAT_AS_OPENAI, false },
        { "text-completion-openai", CHAT_AS_OPENAI, false },
        { "litellm_proxy", CHAT_AS_OPENAI | CHAT_WEB_SEARCH, false },
        { "groq", CHAT_FLEX, false },
        { "mistral", CHAT_CACHE_KEY, true },
        { "codestral", 0, true },
        { "fireworks_ai", CHAT_CACHE_KEY | CHAT_PRIORITY, false },
        { "openrouter", CHAT_VERBOSITY, false },
        { "perplexity", CHAT_WEB_SEARCH, true },
        { "deepseek", 0, false },
        { "openai_like", 0, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct provider *p = provider_find(str_c(cases[i].provider));
        assert_int_equal(p->chat_takes, cases[i].takes);
        assert_int_equal(p->no_user, cases[i].no_user);
    }
}

static void test_credentials(void **state)
{
    static const struct {
        enum auth_scheme auth;
        bool token;
        const char *header;
        bool bearer;
    } cases[] = {
        { AUTH_BEARER, false, "authorization", true },
        { AUTH_API_KEY, false, "api-key", false },
        { AUTH_X_API_KEY, false, "x-api-key", false },
        { AUTH_X_GOOG_API_KEY, false, "x-goog-api-key", false },
        { AUTH_GOOGLE, true, "authorization", true },
        { AUTH_GOOGLE, false, "x-goog-api-key", false },
        { AUTH_NONE, false, "", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct provider p = { .auth = cases[i].auth };
        assert_true(str_eq(provider_auth_header(&p, cases[i].token), str_c(cases[i].header)));
        assert_int_equal(provider_auth_bearer(&p, cases[i].token), cases[i].bearer);
    }
}

static void test_locations(void **state)
{
    static const struct {
        const char *location, *base;
    } cases[] = {
        { "us-central1", "https://us-central1-aiplatform.googleapis.com" },
        { "global", "https://aiplatform.googleapis.com" },
        { "us", "https://aiplatform.us.rep.googleapis.com" },
        { "eu", "https://aiplatform.eu.rep.googleapis.com" },
        { "", "" },
        { "-", "" },
        { "a-", "" },
        { "evil.example/", "" },
        { "evil.example#", "" },
        { "US", "" },
        { "a b", "" },
        { "a@b", "" },
        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "" },
    };
    struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_true(
            str_eq(provider_base_url(provider_find(STR("vertex_ai")), str_c(cases[i].location), a),
                   str_c(cases[i].base)));
    assert_true(str_eq(provider_base_url(provider_find(STR("openai")), STR("x"), a),
                       STR("https://api.openai.com/v1")));
    arena_free(a);
}

static void test_call_paths(void **state)
{
    static const struct {
        const char *provider, *base, *suffix, *query, *model, *project, *location, *want;
    } cases[] = {
        { "openai", "/v1", "/chat/completions", "", "m", "", "", "/v1/chat/completions" },
        { "openai", "/v1/chat/completions", "/chat/completions", "", "m", "", "",
          "/v1/chat/completions" },
        { "openai", "/v1", "/chat/completions", "a=b", "m", "", "", "/v1/chat/completions?a=b" },
        { "azure", "", "/chat/completions", "a=b", "m", "", "",
          "/openai/deployments/m/chat/completions?api-version=v&a=b" },
        { "azure", "/openai/v1", "/chat/completions", "a=b", "m", "", "",
          "/openai/v1/chat/completions?a=b" },
        { "anthropic", "", "/v1/messages", "", "m", "", "", "/v1/messages" },
        { "anthropic", "/v1", "/v1/messages", "", "m", "", "", "/v1/messages" },
        { "anthropic", "/proxy", "/v1/messages", "", "m", "", "", "/proxy/v1/messages" },
        { "anthropic", "/proxy/v1/messages", "/v1/messages", "", "m", "", "",
          "/proxy/v1/messages" },
        { "ollama", "", "/chat/completions", "", "m", "", "", "/v1/chat/completions" },
        { "ollama", "/v1", "/chat/completions", "", "m", "", "", "/v1/chat/completions" },
        { "ollama", "/v1/chat/completions", "/chat/completions", "", "m", "", "",
          "/v1/chat/completions" },
        { "gemini", "", ":generateContent", "", "gemini-2.5-pro", "", "",
          "/v1beta/models/gemini-2.5-pro:generateContent" },
        { "gemini", "/gate/v1beta", ":streamGenerateContent", "alt=sse", "m", "", "",
          "/gate/v1beta/models/m:streamGenerateContent?alt=sse" },
        { "gemini", "/v1alpha", ":g", "", "models/m", "", "", "/v1alpha/models/m:g" },
        { "gemini", "/v1", ":g", "", "m", "", "", "/v1/models/m:g" },
        { "gemini", "", ":g", "", "tunedModels/t-1", "", "", "/v1beta/tunedModels/t-1:g" },
        { "gemini", "", ":g", "", "../x?y#z\r\n", "", "", "/v1beta/models/..%2Fx%3Fy%23z%0D%0A:g" },
        { "gemini", "", ":g", "", "..", "", "", "/v1beta/models/%2E%2E:g" },
        { "vertex_ai", "", ":generateContent", "", "gemini-2.5-pro", "p", "eu",
          "/v1/projects/p/locations/eu/publishers/google/models/gemini-2.5-pro:generateContent" },
        { "vertex_ai", "/v1beta1", ":g", "alt=sse", "m", "p", "l",
          "/v1beta1/projects/p/locations/l/publishers/google/models/m:g?alt=sse" },
        { "vertex_ai", "/gate", ":g", "", "m", "p/../q", "l?",
          "/gate/v1/projects/p%2F..%2Fq/locations/l%3F/publishers/google/models/m:g" },
        { "vertex_ai", "", ":rawPredict", "", "claude-opus-4@20250514", "p", "global",
          "/v1/projects/p/locations/global/publishers/anthropic/models/claude-opus-4@20250514:rawPredict" },
        { "vertex_ai", "", ":g", "", "987654", "p", "l",
          "/v1/projects/p/locations/l/endpoints/987654:g" },
        { "vertex_ai", "", ":g", "", "m", "", "global", "/v1/publishers/google/models/m:g" },
        { "vertex_ai", "/v1/projects/p/locations/l/publishers/google/models/own", ":g", "", "m", "",
          "", "/v1/projects/p/locations/l/publishers/google/models/own:g" },
        { "vertex_ai", "/v1/projects/p/locations/l/endpoints/5", ":g", "", "m", "", "",
          "/v1/projects/p/locations/l/endpoints/5:g" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena *a = arena_new();
        const struct provider_call c = { .provider = provider_find(str_c(cases[i].provider)),
                                         .base_path = str_c(cases[i].base),
                                         .suffix = str_c(cases[i].suffix),
                                         .query = str_c(cases[i].query),
                                         .model = str_c(cases[i].model),
                                         .api_version = STR("v"),
                                         .project = str_c(cases[i].project),
                                         .location = str_c(cases[i].location) };
        struct str got = provider_call_path(&c, a);
        if (!str_eq(got, str_c(cases[i].want)))
            fail_msg("%.*s, want %s", STR_ARG(got), cases[i].want);
        arena_free(a);
    }
}

/* Calls below an endpoint, and those that name another model in the path than the one that is meant. */
static void test_count_paths(void **state)
{
    static const struct {
        const char *provider, *base, *suffix, *model, *path_model, *want;
    } cases[] = {
        { "anthropic", "", "/v1/messages/count_tokens", "m", "", "/v1/messages/count_tokens" },
        { "anthropic", "/v1", "/v1/messages/count_tokens", "m", "", "/v1/messages/count_tokens" },
        { "anthropic", "/gate/v1/messages", "/v1/messages/count_tokens", "m", "",
          "/gate/v1/messages/count_tokens" },
        { "anthropic", "/gate/v1/messages/count_tokens", "/v1/messages/count_tokens", "m", "",
          "/gate/v1/messages/count_tokens" },
        { "openai", "/v1/responses", "/responses/input_tokens", "m", "",
          "/v1/responses/input_tokens" },
        { "openai", "/v1/responses", "/responses", "m", "", "/v1/responses" },
        { "ollama", "/v1/responses", "/responses/input_tokens", "m", "",
          "/v1/responses/input_tokens" },
        { "gemini", "", ":countTokens", "gemini-2.5-pro", "",
          "/v1beta/models/gemini-2.5-pro:countTokens" },
        { "vertex_ai", "", ":rawPredict", "claude-opus-4@20250514", "count-tokens",
          "/v1/projects/p/locations/l/publishers/anthropic/models/count-tokens:rawPredict" },
        { "vertex_ai", "/v1beta1", ":rawPredict", "claude-opus-4", "count-tokens",
          "/v1beta1/projects/p/locations/l/publishers/anthropic/models/count-tokens:rawPredict" },
        { "vertex_ai", "/v1/projects/p/locations/l/publishers/anthropic/models/claude-opus-4",
          ":rawPredict", "claude-opus-4", "count-tokens",
          "/v1/projects/p/locations/l/publishers/anthropic/models/count-tokens:rawPredict" },
        { "vertex_ai", "/v1/projects/p/locations/l/publishers/google/models/own", ":countTokens",
          "own", "", "/v1/projects/p/locations/l/publishers/google/models/own:countTokens" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena *a = arena_new();
        const struct provider_call c = { .provider = provider_find(str_c(cases[i].provider)),
                                         .base_path = str_c(cases[i].base),
                                         .suffix = str_c(cases[i].suffix),
                                         .model = str_c(cases[i].model),
                                         .path_model = str_c(cases[i].path_model),
                                         .project = STR("p"),
                                         .location = STR("l") };
        struct str got = provider_call_path(&c, a);
        if (!str_eq(got, str_c(cases[i].want)))
            fail_msg("%.*s, want %s", STR_ARG(got), cases[i].want);
        arena_free(a);
    }
}

static void test_paths(void **state)
{
    static const struct {
        const char *provider, *base, *model, *want;
    } cases[] = {
        { "openai", "/v1", "m", "/v1/chat/completions" },
        { "openai", "", "m", "/chat/completions" },
        { "azure", "", "dep", "/openai/deployments/dep/chat/completions?api-version=v" },
        { "azure", "/gate", "a/b c?d",
          "/gate/openai/deployments/a%2Fb%20c%3Fd/chat/completions?api-version=v" },
        { "azure", "/openai/v1", "dep", "/openai/v1/chat/completions" },
        { "azure", "/openai/deployments/x", "dep",
          "/openai/deployments/x/chat/completions?api-version=v" },
        { "azure", "", "../../evil\r\n",
          "/openai/deployments/..%2F..%2Fevil%0D%0A/chat/completions?api-version=v" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena *a = arena_new();
        const struct provider_call call = { .provider = provider_find(str_c(cases[i].provider)),
                                            .base_path = str_c(cases[i].base),
                                            .suffix = STR("/chat/completions"),
                                            .model = str_c(cases[i].model),
                                            .api_version = STR("v") };
        struct str got = provider_call_path(&call, a);
        if (!str_eq(got, str_c(cases[i].want)))
            fail_msg("%.*s, want %s", STR_ARG(got), cases[i].want);
        arena_free(a);
    }
}

/* Responses are not below a deployment; the model is in the body. */
static void test_response_paths(void **state)
{
    static const struct {
        const char *provider, *base, *version, *suffix, *query, *want;
    } cases[] = {
        { "openai", "/v1", "", "/responses", "", "/v1/responses" },
        { "openai", "/v1", "", "/responses/resp_1/input_items", "limit=2",
          "/v1/responses/resp_1/input_items?limit=2" },
        { "openai", "/v1/responses", "", "/responses", "", "/v1/responses" },
        { "azure", "", "2025-03-01-preview", "/responses", "",
          "/openai/responses?api-version=2025-03-01-preview" },
        { "azure", "", "2025-03-01-preview", "/responses/resp_1", "stream=true",
          "/openai/responses/resp_1?api-version=2025-03-01-preview&stream=true" },
        { "azure", "/openai/v1", "2024-10-21", "/responses", "", "/openai/v1/responses" },
        { "azure", "", "v1", "/responses", "", "/openai/v1/responses" },
        { "azure", "", "preview", "/responses/resp_1", "", "/openai/v1/responses/resp_1" },
        { "azure", "/openai/deployments/x", "2025-03-01-preview", "/responses", "",
          "/openai/responses?api-version=2025-03-01-preview" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena *a = arena_new();
        const struct provider_call call = { .provider = provider_find(str_c(cases[i].provider)),
                                            .base_path = str_c(cases[i].base),
                                            .suffix = str_c(cases[i].suffix),
                                            .query = str_c(cases[i].query),
                                            .model = STR("m"),
                                            .api_version = str_c(cases[i].version) };
        struct str got = provider_call_path(&call, a);
        if (!str_eq(got, str_c(cases[i].want)))
            fail_msg("%.*s, want %s", STR_ARG(got), cases[i].want);
        arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_whole), cmocka_unit_test(test_inferred),
        cmocka_unit_test(test_dialects),       cmocka_unit_test(test_chat_takes),
        cmocka_unit_test(test_credentials),    cmocka_unit_test(test_locations),
        cmocka_unit_test(test_call_paths),     cmocka_unit_test(test_count_paths),
        cmocka_unit_test(test_paths),          cmocka_unit_test(test_response_paths),
    };
    return cmocka_run_group_tests_name("provider/provider", tests, NULL, NULL);
}
