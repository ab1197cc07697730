/* What golden cases cannot say of counts: odd answers, the deployment's own members. */
#include "dialect_test.h"

#include "base/mem.h"
#include "dialect/count.h"
#include "wire/json_scan.h"

/* -- answers */

enum { NOTHING = -1, ERROR = -2 };

static void check_read(read_count_fn *read, const char *body, int64_t want)
{
    struct count_answer ans = { .tokens = 77 };
    const char *what = NULL;
    enum err e = read(str_c(body), &ans, &what);
    if (want == NOTHING) {
        if (e != ERR_UPSTREAM_BAD)
            fail_msg("%s was read as %llu", body, (unsigned long long)ans.tokens);
        assert_non_null(what);
        assert_int_equal(ans.tokens, 77);
        return;
    }
    if (e)
        fail_msg("%s: %s", body, what);
    assert_int_equal(ans.error, want == ERROR);
    if (want != ERROR)
        assert_int_equal(ans.tokens, want);
}

static void test_anthropic_answers(void **state)
{
    static const struct {
        const char *body;
        int64_t want;
    } cases[] = {
        { "{\"input_tokens\":14}", 14 },
        { " {\"context_management\":{\"original_input_tokens\":9},\"input_tokens\": 1.4e1 } ", 14 },
        { "{\"input\\u005ftokens\":14}", 14 },
        { "{\"input_tokens\":0}", 0 },
        { "{\"input_tokens\":4294967296}", 4294967296 },
        { "{\"input_tokens\":14,\"error\":null}", 14 },
        { "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"m\"}}",
          ERROR },
        { "{\"input_tokens\":14,\"error\":{}}", ERROR },
        { "{\"input_tokens\":-1}", NOTHING },
        { "{\"input_tokens\":1.5}", NOTHING },
        { "{\"input_tokens\":1e40}", NOTHING },
        { "{\"input_tokens\":\"\"}", NOTHING },
        { "{\"input_tokens\":\"many\"}", NOTHING },
        { "{\"input_tokens\":null}", NOTHING },
        { "{\"input_tokens\":{\"input_tokens\":1}}", NOTHING },
        { "{\"inner\":{\"input_tokens\":1}}", NOTHING },
        { "{}", NOTHING },
        { "[{\"input_tokens\":1}]", NOTHING },
        { "14", NOTHING },
        { "", NOTHING },
        { "{\"input_tokens\":14", NOTHING },
        { "{\"input_tokens\":14}}", NOTHING },
        { "<html></html>", NOTHING },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_read(dialect_anthropic_messages.read_count, cases[i].body, cases[i].want);
}

static void test_gemini_answers(void **state)
{
    static const struct {
        const char *body;
        int64_t want;
    } cases[] = {
        { "{\"totalTokens\":31,\"totalBillableCharacters\":96,\"promptTokensDetails\":[]}", 31 },
        { "{\n  \"totalTokens\": \"31\",\n  \"cachedContentTokenCount\": 12\n}\n", 31 },
        { "{\"error\":{\"code\":503,\"message\":\"m\",\"status\":\"UNAVAILABLE\"}}", ERROR },
        { "{\"totalTokens\":\"3 1\"}", NOTHING },
        { "{\"totalTokens\":\"-31\"}", NOTHING },
        { "{\"totalTokens\":\"99999999999999999999\"}", NOTHING },
        { "{\"cachedContentTokenCount\":31}", NOTHING },
        { "{\"total_tokens\":31}", NOTHING },
        { "{}", NOTHING },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_read(dialect_gemini_generate.read_count, cases[i].body, cases[i].want);
}

static void test_written(void **state)
{
    static const struct {
        uint64_t tokens;
        const char *want;
    } cases[] = {
        { 0, "{\"object\":\"response.input_tokens\",\"input_tokens\":0}" },
        { 14, "{\"object\":\"response.input_tokens\",\"input_tokens\":14}" },
        { UINT64_MAX,
          "{\"object\":\"response.input_tokens\",\"input_tokens\":18446744073709551615}" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out;
        buf_init(&out, KIB);
        count_write_openai(cases[i].tokens, &out);
        assert_text(buf_str(&out), cases[i].want);
        buf_done(&out);
    }
}

/* OpenAI's own formats have no such call through a translation. */
static void test_who_counts(void **state)
{
    assert_null(dialect_openai_chat.read_count);
    assert_null(dialect_openai_responses.read_count);
}

/* -- requests: members of the deployment */

struct want {
    const struct dialect *to;
    const char *family, *model;
    bool vertex;
    const char *path, *body, *report;
};

static void check_written(const struct want *w, const struct conf_member *own, size_t n)
{
    struct arena *a = arena_new();
    struct ir_request rq = { 0 };
    struct ir_report report;
    struct ir_call call;
    struct fault fault;
    struct buf out;
    struct dialect_target t = {
        .model = str_c(w->model),
        .facts = model_facts_find(str_c(w->family), str_c(w->model)),
        .vertex = w->vertex,
        .count = true,
        .passthrough = own,
        .passthrough_count = n,
    };
    ir_report_init(&report, a);
    assert_int_equal(dialect_openai_responses.read_request(STR("{\"model\":\"m\",\"input\":\"x\"}"),
                                                           str_of(NULL, 0), a, &rq, &fault),
                     ERR_OK);
    assert_int_equal(w->to->write_request(&rq, &t, &report, a, &call, &fault), ERR_OK);
    assert_text(segments_flat(&call.body, a), w->body);
    assert_text(arena_printf(a, "%.*s%.*s", STR_ARG(call.model), STR_ARG(call.suffix)), w->path);
    assert_int_equal(call.query.len, 0);
    buf_init(&out, KIB);
    ir_report_write(&report, &out);
    assert_text(buf_str(&out), w->report);
    buf_done(&out);
    segments_done(&call.body);
    arena_free(a);
}

#define MEMBER(name, json)                                                                         \
    {                                                                                              \
        STR_INIT(name), STR_INIT(json)                                                             \
    }

static void test_members_of_the_deployment(void **state)
{
    static const struct conf_member anthropic[] = {
        MEMBER("max_tokens", "5"),
        MEMBER("temperature", "0"),
        MEMBER("stop_sequences", "[]"),
        MEMBER("thinking", "{\"type\":\"disabled\"}"),
        MEMBER("metadata", "{}"),
        MEMBER("service_tier", "\"auto\""),
        MEMBER("a_beta", "[1]"),
        MEMBER("speed", "\"fast\""),
        MEMBER("top_p", "1"),
        MEMBER("top_k", "1"),
        MEMBER("inference_geo", "\"eu\""),
    };
    static const struct conf_member skills[] = { MEMBER("container", "{\"skills\":[]}") };
    static const struct conf_member gemini[] = {
        MEMBER("tool_config", "{\"a\":1}"),         MEMBER("safety_settings", "[]"),
        MEMBER("labels", "{\"a\":\"b\"}"),          MEMBER("generation_config", "{\"top_k\":3}"),
        MEMBER("tools", "[{\"googleSearch\":{}}]"),
    };
    static const struct conf_member cache[] = { MEMBER("cached_content", "\"c\"") };
    static const struct {
        struct want want;
        const struct conf_member *own;
        size_t n;
    } cases[] = {
        { { &dialect_anthropic_messages, "anthropic", "claude-opus-4-1", false,
            "/v1/messages/count_tokens",
            "{\"model\":\"claude-opus-4-1\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],"
            "\"thinking\":{\"type\":\"disabled\"},\"a_beta\":[1],\"speed\":\"fast\"}",
            "exact" },
          anthropic,
          sizeof anthropic / sizeof anthropic[0] },
        { { &dialect_anthropic_messages, "anthropic", "claude-opus-4-1", false,
            "/v1/messages/count_tokens",
            "{\"model\":\"claude-opus-4-1\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}",
            "dropped=container" },
          skills,
          1 },
        { { &dialect_anthropic_messages, "anthropic", "claude-opus-4-1@20250805", true,
            "count-tokens:rawPredict",
            "{\"anthropic_version\":\"vertex-2023-10-16\",\"model\":\"claude-opus-4-1@20250805\","
            "\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}",
            "exact" },
          NULL,
          0 },
        { { &dialect_gemini_generate, "gemini", "gemini-2.5-flash", false, ":countTokens",
            "{\"generateContentRequest\":{\"model\":\"models/gemini-2.5-flash\","
            "\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"x\"}]}],"
            "\"tools\":[{\"googleSearch\":{}}],\"toolConfig\":{\"a\":1},"
            "\"generationConfig\":{\"topK\":3},\"safetySettings\":[],\"labels\":{\"a\":\"b\"}}}",
            "exact" },
          gemini,
          sizeof gemini / sizeof gemini[0] },
        { { &dialect_gemini_generate, "gemini", "gemini-2.5-flash", true, ":countTokens",
            "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"x\"}]}],"
            "\"tools\":[{\"googleSearch\":{}}],\"generationConfig\":{\"topK\":3}}",
            "exact" },
          gemini,
          sizeof gemini / sizeof gemini[0] },
        { { &dialect_gemini_generate, "gemini", "gemini-2.5-flash", true, ":countTokens",
            "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"x\"}]}]}",
            "dropped=cached_content" },
          cache,
          1 },
        { { &dialect_gemini_generate, "gemini", "gemini-2.5-flash", false, ":countTokens",
            "{\"generateContentRequest\":{\"model\":\"models/gemini-2.5-flash\","
            "\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"x\"}]}],\"cachedContent\":\"c\"}}",
            "exact" },
          cache,
          1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_written(&cases[i].want, cases[i].own, cases[i].n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_anthropic_answers),
        cmocka_unit_test(test_gemini_answers),
        cmocka_unit_test(test_written),
        cmocka_unit_test(test_who_counts),
        cmocka_unit_test(test_members_of_the_deployment),
    };
    return cmocka_run_group_tests_name("count", tests, NULL, NULL);
}
