#include "dialect_test.h"

#define KEY "sk-canary-4711-do-not-show"

static void test_classes(void **state)
{
    static const struct {
        int status;
        const char *body;
        int want_status;
        const char *type, *code, *says;
    } cases[] = {
        { 400,
          "{\"error\":{\"message\":\"bad temp\",\"type\":\"invalid_request_error\",\"param\":\"temperature\",\"code\":\"unsupported_value\"}}",
          400, "invalid_request_error", "unsupported_value", "bad temp" },
        { 400,
          "{\"error\":{\"message\":\"This model's maximum context length is 8192\",\"code\":null}}",
          400, "invalid_request_error", "context_length_exceeded", "maximum context" },
        { 400, "{\"error\":{\"message\":\"x\",\"code\":\"content_filter\"}}", 400,
          "invalid_request_error", "content_policy_violation", "x" },
        { 400,
          "[{\"error\":{\"code\":400,\"message\":\"API key not valid\",\"status\":\"INVALID_ARGUMENT\"}}]",
          502, "server_error", "upstream_auth", "refused the gateway's credential" },
        { 401,
          "{\"error\":{\"message\":\"Incorrect API key provided: sk-cana****show\",\"code\":\"invalid_api_key\"}}",
          502, "server_error", "upstream_auth", "refused the gateway's credential" },
        { 400,
          "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"Your credit balance is too low\"}}",
          429, "insufficient_quota", "insufficient_quota", "credit balance" },
        { 400,
          "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"Invalid `signature` in `thinking` block\"}}",
          400, "invalid_request_error", "invalid_reasoning_state", "signature" },
        { 400,
          "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"foo: Extra inputs are not permitted\"}}",
          400, "invalid_request_error", "unsupported_parameter", "foo" },
        { 400,
          "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"Output blocked by content filtering policy\"}}",
          400, "invalid_request_error", "content_policy_violation", "blocked" },
        { 400,
          "{\"error\":{\"code\":400,\"message\":\"Penalty is not enabled for this model\",\"status\":\"INVALID_ARGUMENT\"}}",
          400, "invalid_request_error", "unsupported_parameter", "Penalty" },
        { 400,
          "{\"error\":{\"code\":400,\"message\":\"Unknown name \\\"x\\\"\",\"status\":\"INVALID_ARGUMENT\"}}",
          400, "invalid_request_error", "unsupported_parameter", "Unknown name" },
        { 400,
          "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"You have reached your specified API usage limits.\"}}",
          429, "insufficient_quota", "insufficient_quota", "usage limits" },
        { 400,
          "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"`thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified.\"}}",
          400, "invalid_request_error", "invalid_reasoning_state", "modified" },
        { 429,
          "{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"spent\",\"details\":{\"error_code\":\"enforced_spend_limit_reached\"}}}",
          429, "insufficient_quota", "insufficient_quota", "spent" },
        { 429,
          "{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"spent\",\"details\":{\"error_code\":\"contract_spend_limit_reached\"}}}",
          429, "insufficient_quota", "insufficient_quota", "spent" },
        { 429,
          "{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"slow\",\"details\":{\"error_code\":\"ramp_limit_exceeded\"}}}",
          429, "rate_limit_error", "rate_limit_exceeded", "slow" },
        { 200,
          "{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"spent\",\"details\":{\"error_code\":\"contract_spend_limit_reached\"}}}",
          429, "insufficient_quota", "insufficient_quota", "spent" },
        { 429, "{\"error\":{\"type\":\"rate_limit_error\",\"details\":[1,\"error_code\"]}}", 429,
          "rate_limit_error", "rate_limit_exceeded", "429" },
        { 402, "{}", 429, "insufficient_quota", "insufficient_quota", "402" },
        { 403, "{\"error\":\"no\"}", 403, "permission_error", "", "no" },
        { 404, "{\"error\":{\"message\":\"no such model\",\"code\":\"model_not_found\"}}", 404,
          "invalid_request_error", "model_not_found", "no such model" },
        { 404, "{\"error\":{\"message\":\"Response with id 'resp_1' not found.\",\"code\":null}}",
          404, "invalid_request_error", "", "Response with id" },
        { 404, "{\"detail\":\"Not Found\"}", 404, "invalid_request_error", "model_not_found",
          "Not Found" },
        { 409, "{\"message\":\"busy\"}", 409, "conflict_error", "", "busy" },
        { 413, "", 413, "invalid_request_error", "request_too_large", "no body" },
        { 418, "{\"error\":{\"message\":\"tea\"}}", 418, "invalid_request_error", "", "tea" },
        { 422, "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"field required\"}]}", 422,
          "invalid_request_error", "", "field required" },
        { 429,
          "{\"error\":{\"message\":\"slow\",\"type\":\"tokens\",\"code\":\"rate_limit_exceeded\"}}",
          429, "tokens", "rate_limit_exceeded", "slow" },
        { 429,
          "{\"error\":{\"message\":\"pay\",\"type\":\"insufficient_quota\",\"code\":\"insufficient_quota\"}}",
          429, "insufficient_quota", "insufficient_quota", "pay" },
        { 429, "not json", 429, "rate_limit_error", "rate_limit_exceeded",
          "not its API's error format" },
        { 500, "{\"error\":{\"message\":\"oops\"}}", 500, "server_error", "", "oops" },
        { 502, "<html><body>" KEY "</body></html>", 502, "server_error", "",
          "not its API's error format" },
        { 503, "{\"error\":{\"message\":\"later\"}}", 503, "service_unavailable_error",
          "server_is_overloaded", "later" },
        { 504, "", 504, "timeout_error", "timeout", "no body" },
        { 520, "", 502, "server_error", "", "520" },
        { 529,
          "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}",
          503, "service_unavailable_error", "server_is_overloaded", "Overloaded" },
        /* errors inside a 200 or a stream */
        { 200,
          "{\"error\":{\"message\":\"limit\",\"type\":\"requests\",\"code\":\"rate_limit_exceeded\"}}",
          429, "requests", "rate_limit_exceeded", "limit" },
        { 200, "{\"error\":{\"message\":\"boom\",\"type\":\"server_error\"}}", 500, "server_error",
          "", "boom" },
        { 200, "{\"error\":{\"message\":\"k\",\"code\":\"invalid_api_key\"}}", 502, "server_error",
          "upstream_auth", "credential" },
        { 200, "{\"error\":true}", 500, "server_error", "", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena *a = arena_new();
        struct fault f;
        upstream_fault(cases[i].status, str_c(cases[i].body), STR("OpenAI"), STR(KEY), -1, a, &f);
        if (f.status != cases[i].want_status || !str_eq(f.type, str_c(cases[i].type)) ||
            !str_eq(f.code, str_c(cases[i].code)) || !contains(f.msg, cases[i].says))
            fail_msg("case %zu: %d %.*s %.*s: %.*s", i, f.status, STR_ARG(f.type), STR_ARG(f.code),
                     STR_ARG(f.msg));
        assert_false(contains(f.msg, KEY) || contains(f.detail, KEY) || contains(f.msg, "<html>"));
        arena_free(a);
    }
}

static void test_redact(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        { "nothing here", "nothing here" },
        { "key " KEY ".", "key [redacted]." },
        { KEY KEY, "[redacted][redacted]" },
        { "Incorrect API key provided: sk-abcd****wxyz. See",
          "Incorrect API key provided: [redacted]. See" },
        { "in organization org-AbCdEfGh12 on", "in organization [redacted] on" },
        { "proj_12345678, x", "[redacted], x" },
        { "ask-12345678 task-sk-", "ask-12345678 task-sk-" },
        { "sk-123", "sk-123" },
        { "You sent: ya29.A0ARrdaM-k_x.", "You sent: [redacted]." },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena *a = arena_new();
        assert_text(redact(str_c(cases[i].text), STR(KEY), a), cases[i].want);
        arena_free(a);
    }
}

/* A credential that lies across the place where a text is cut leaves no part of itself. */
static void test_redact_at_the_cut(void **state)
{
    /* The detail counts from the body's first byte, the message from its own. */
    static const size_t before[] = { 160, 170, 175, 4075, 4085, 4094 };
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
        struct arena *a = arena_new();
        struct fault f;
        char *body = arena_alloc(a, 8192);
        char *pad = arena_alloc(a, before[i] + 1);
        memset(pad, 'x', before[i]);
        pad[before[i]] = '\0';
        snprintf(body, 8192, "{\"error\":{\"message\":\"%s %s\"}}", pad, "Qz9-cut-me-anywhere-Qz9");
        upstream_fault(400, str_c(body), STR("X"), STR("Qz9-cut-me-anywhere-Qz9"), -1, a, &f);
        assert_false(contains(f.msg, "Qz9") || contains(f.detail, "Qz9"));
        assert_true(f.detail.len <= 200 && f.msg.len <= 4096);
        arena_free(a);
    }
}

/* Google's own words for what errors.md tells apart. */
static void test_google_classes(void **state)
{
    static const struct {
        const char *status, *message;
        int want_status;
        const char *code;
    } cases[] = {
        { "FAILED_PRECONDITION", "Please enable billing on project #1.", 429,
          "insufficient_quota" },
        { "INVALID_ARGUMENT", "Thought signature is not valid: contents[1]", 400,
          "invalid_reasoning_state" },
        { "INVALID_ARGUMENT", "Function call is missing a thought_signature in functionCall parts.",
          400, "invalid_reasoning_state" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena *a = arena_new();
        struct fault f;
        struct str body =
            arena_printf(a, "{\"error\":{\"code\":400,\"message\":\"%s\",\"status\":\"%s\"}}",
                         cases[i].message, cases[i].status);
        upstream_fault(400, body, STR("Gemini"), STR(KEY), -1, a, &f);
        assert_int_equal(f.status, cases[i].want_status);
        assert_text(f.code, cases[i].code);
        arena_free(a);
    }
}

static void test_retry_hints(void **state)
{
    static const struct {
        const char *ms, *seconds;
        int64_t want;
    } cases[] = {
        { "", "", -1 },
        { "250", "9", 250 },
        { "", "7", 7000 },
        { "", "1.5", 1500 },
        { "", "-3", -1 },
        { "", "soon", -1 },
        { "", "Thu, 01 Jan 1970 00:00:30 GMT", 20000 },
        { "", "Thu, 01 Jan 1970 00:00:01 GMT", 0 },
        { "x", "2", 2000 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct retry_headers h = { str_c(cases[i].ms), str_c(cases[i].seconds) };
        assert_int_equal(retry_hint_ms(&h, 10000), cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes),           cmocka_unit_test(test_redact),
        cmocka_unit_test(test_redact_at_the_cut), cmocka_unit_test(test_google_classes),
        cmocka_unit_test(test_retry_hints),
    };
    return cmocka_run_group_tests_name("dialect/upstream_fault", tests, NULL, NULL);
}
