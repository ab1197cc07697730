/* What golden cases cannot say: the deployment's own members, odd targets. */
#include "dialect_test.h"

#include "base/mem.h"
#include "dialect/dialect.h"
#include "dialect/gemini_priv.h"

struct rig {
    struct arena *a;
    struct ir_report report;
    struct dialect_target target;
    struct fault fault;
};

static void rig_init(struct rig *r, const char *model)
{
    *r = (struct rig){ .a = arena_new() };
    ir_report_init(&r->report, r->a);
    r->target.model = str_c(model);
    r->target.facts = model_facts_find(STR("gemini"), str_c(model));
}

static enum err write_body(struct rig *r, const char *body, struct str *ret_body)
{
    struct ir_request rq = { 0 };
    struct ir_call call;
    assert_int_equal(
        dialect_openai_chat.read_request(str_c(body), str_of(NULL, 0), r->a, &rq, &r->fault),
        ERR_OK);
    enum err e =
        dialect_gemini_generate.write_request(&rq, &r->target, &r->report, r->a, &call, &r->fault);
    if (e)
        return e;
    struct json_problem problem;
    *ret_body = segments_flat(&call.body, r->a);
    assert_int_equal(json_check(*ret_body, &problem), ERR_OK);
    segments_done(&call.body);
    return ERR_OK;
}

/* Thoughts that come back with a signed answer are no loss: the signature holds what the model needs. */
static void test_thoughts_given_back(void **state)
{
    static const struct {
        const char *extra, *fidelity;
    } cases[] = {
        { ",\"extra_content\":{\"google\":{\"thought_signature\":\"c2ln\"}}", "exact" },
        { "", "dropped=reasoning_state" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig r;
        struct str body;
        char text[512];
        struct buf out;
        rig_init(&r, "gemini-2.5-flash");
        buf_init(&out, KIB);
        snprintf(text, sizeof text,
                 "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"},"
                 "{\"role\":\"assistant\",\"content\":\"y\",\"reasoning_content\":\"hm\"%s},"
                 "{\"role\":\"user\",\"content\":\"z\"}]}",
                 cases[i].extra);
        assert_int_equal(write_body(&r, text, &body), ERR_OK);
        ir_report_write(&r.report, &out);
        assert_text(buf_str(&out), cases[i].fidelity);
        assert_true(str_find(body, STR("hm")) == STR_NONE);
        buf_done(&out);
        arena_free(r.a);
    }
}

static void test_own_members(void **state)
{
    static const struct conf_member own[] = {
        { STR_INIT("safety_settings"), STR_INIT("[{\"category\":\"X\"}]") },
        { STR_INIT("generation_config"), STR_INIT("{\"top_k\":5,\"temperature\":0.1}") },
        { STR_INIT("labels"), STR_INIT("{\"team\":\"a\"}") },
        { STR_INIT("tools"), STR_INIT("[{\"codeExecution\":{}}]") },
        { STR_INIT("contents"), STR_INIT("[]") },
        { STR_INIT("labels"), STR_INIT("{\"team\":\"b\"}") },
    };
    struct rig r;
    struct str body;
    rig_init(&r, "gemini-2.5-flash");
    r.target.passthrough = own;
    r.target.passthrough_count = sizeof own / sizeof own[0];
    assert_int_equal(
        write_body(&r,
                   "{\"model\":\"m\",\"temperature\":1,\"top_p\":0.5,\"safety_settings\":[{}],"
                   "\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}",
                   &body),
        ERR_OK);
    assert_text(
        body,
        "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"x\"}]}],\"tools\":[{\"codeExecution\":{}}],"
        "\"generationConfig\":{\"topP\":0.5,\"topK\":5,\"temperature\":0.1},"
        "\"safetySettings\":[{\"category\":\"X\"}],\"labels\":{\"team\":\"a\"}}");
    arena_free(r.a);
}

/* A mistake in a member of Gemini's own is the caller's to mend: a setting that is left out is not the one that was asked for. */
static void test_own_members_that_are_wrong(void **state)
{
    static const struct {
        const char *member, *param;
    } rows[] = {
        { "\"safety_settings\":\"x\"", "safety_settings" },
        { "\"safetySettings\":{}", "safetySettings" },
        { "\"safety_settings\":[1]", "safety_settings" },
        { "\"labels\":[]", "labels" },
        { "\"labels\":{\"a\":1}", "labels" },
        { "\"cached_content\":5", "cached_content" },
        { "\"thinking_config\":\"high\"", "thinking_config" },
        { "\"extra_body\":[]", "extra_body" },
        { "\"extra_body\":{\"google\":1}", "extra_body.google" },
        { "\"extra_body\":{\"google\":{\"cachedContent\":{}}}", "extra_body.google.cachedContent" },
        { "\"safety_settings\":null,\"extra_body\":{\"google\":null}", NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig r;
        struct str body;
        char text[512];
        rig_init(&r, "gemini-2.5-flash");
        r.report.drop_params = true;
        snprintf(text, sizeof text,
                 "{\"model\":\"m\",%s,\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}",
                 rows[i].member);
        assert_int_equal(write_body(&r, text, &body), rows[i].param ? ERR_BAD_REQUEST : ERR_OK);
        assert_int_equal(r.report.count, 0);
        if (rows[i].param) {
            assert_text(r.fault.param, rows[i].param);
            assert_true(str_starts(r.fault.msg, str_c(rows[i].param)));
        }
        arena_free(r.a);
    }
}

/* A large picture is borrowed, not copied. */
static void test_large_data_is_borrowed(void **state)
{
    struct rig r;
    struct ir_request rq = { 0 };
    struct ir_call call;
    const struct str *segs;
    size_t n, borrowed = 0;
    struct buf body;
    rig_init(&r, "gemini-2.5-flash");
    buf_init(&body, MIB);
    buf_putz(
        &body,
        "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\","
        "\"image_url\":{\"url\":\"data:image/png;base64,");
    for (size_t i = 0; i < 40000; i++)
        buf_putc(&body, 'A');
    buf_putz(&body, "\"}}]}]}");
    assert_int_equal(
        dialect_openai_chat.read_request(buf_str(&body), str_of(NULL, 0), r.a, &rq, &r.fault),
        ERR_OK);
    assert_int_equal(
        dialect_gemini_generate.write_request(&rq, &r.target, &r.report, r.a, &call, &r.fault),
        ERR_OK);
    assert_int_equal(segments_finish(&call.body, r.a, &segs, &n), ERR_OK);
    for (size_t i = 0; i < n; i++)
        borrowed += segs[i].p > body.p && segs[i].p < body.p + body.len && segs[i].len == 40000;
    assert_int_equal(borrowed, 1);
    segments_done(&call.body);
    buf_done(&body);
    arena_free(r.a);
}

static void test_names(void **state)
{
    static const struct {
        const char *name, *want;
    } rows[] = {
        { "get_weather", "get_weather" },
        { "a.b-c", "a.b-c" },
        { "9", "_9" },
        { "", "_" },
        { "a b", "a_b" },
        { "-x", "_-x" },
    };
    struct arena *a = arena_new();
    struct ir_request rq = { 0 };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_text(gemini_tool_name(&rq, str_c(rows[i].name), a), rows[i].want);
    struct ir_tool two = { .name = STR("a_b") }, one = { .next = &two, .name = STR("a b") };
    rq.tools = &one;
    struct str odd = gemini_tool_name(&rq, STR("a b"), a);
    assert_false(str_eq(odd, STR("a_b"))); /* taken */
    assert_ptr_equal(gemini_tool_of(&rq, odd, a), &one);
    assert_ptr_equal(gemini_tool_of(&rq, STR("a_b"), a), &two);
    assert_null(gemini_tool_of(&rq, STR("zzz"), a));
    arena_free(a);
}

static void test_schema_limits(void **state)
{
    struct arena *a = arena_new();
    struct buf deep;
    struct gemini_cuts cuts;
    struct str out;
    const char *why;
    buf_init(&deep, MIB);
    for (int i = 0; i < 120; i++)
        buf_putz(&deep, "{\"items\":");
    buf_putz(&deep, "{}");
    for (int i = 0; i < 120; i++)
        buf_putc(&deep, '}');
    assert_int_equal(gemini_schema(buf_str(&deep), SCHEMA_OPENAPI, a, &out, &cuts, &why),
                     ERR_BAD_REQUEST);
    assert_true(strstr(why, "deeply") != NULL);
    buf_done(&deep);
    assert_int_equal(gemini_schema(STR("{\"allOf\":[{\"$ref\":\"#\"}],\"type\":\"object\"}"),
                                   SCHEMA_OPENAPI, a, &out, &cuts, &why),
                     ERR_OK);
    assert_text(out, "{\"type\":\"OBJECT\"}");
    assert_int_equal(cuts.count, 1);
    assert_int_equal(gemini_schema(STR("false"), SCHEMA_JSON, a, &out, &cuts, &why), ERR_OK);
    assert_int_equal(cuts.count, 1);
    assert_int_equal(
        gemini_schema(STR("{\"$ref\":\"https://x.test/s\"}"), SCHEMA_JSON, a, &out, &cuts, &why),
        ERR_BAD_REQUEST);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_members),
        cmocka_unit_test(test_own_members_that_are_wrong),
        cmocka_unit_test(test_thoughts_given_back),
        cmocka_unit_test(test_large_data_is_borrowed),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_schema_limits),
    };
    return cmocka_run_group_tests_name("gemini_request", tests, NULL, NULL);
}
