#include "ir_test.h"

static void assert_header(const struct ir_report *r, const char *want)
{
    struct buf out;
    buf_init(&out, 64 * KIB);
    ir_report_write(r, &out);
    assert_text(buf_str(&out), want);
    buf_done(&out);
}

static bool says(struct str text, const char *part)
{
    return str_find(text, str_c(part)) != STR_NONE;
}

static void test_rows_are_sorted_and_kept_once(void **state)
{
    struct arena *a = arena_new();
    struct ir_report r;
    struct fault f;
    ir_report_init(&r, a);
    r.drop_params = true;
    assert_header(&r, "exact");
    assert_int_equal(ir_drop(&r, "seed", "seed", &f), ERR_OK);
    assert_header(&r, "dropped=seed");
    assert_int_equal(ir_degrade(&r, "stop", "stop", &f), ERR_OK);
    assert_int_equal(ir_degrade(&r, "effort", "reasoning_effort", &f), ERR_OK);
    assert_int_equal(ir_degrade(&r, "stop", "stop", &f), ERR_OK);
    assert_int_equal(ir_lose(&r, "metadata", "metadata", &f), ERR_OK);
    assert_header(&r, "degraded=effort,stop; dropped=metadata,seed");
    arena_free(a);
}

static void test_dropping_needs_consent(void **state)
{
    struct arena *a = arena_new();
    struct ir_report r;
    struct fault f;
    ir_report_init(&r, a);
    r.target = STR("anthropic claude-sonnet-4-5");
    assert_int_equal(ir_drop(&r, "seed", "seed", &f), ERR_UNSUPPORTED_PARAM);
    assert_int_equal(f.status, 400);
    assert_text(f.code, "unsupported_parameter");
    assert_text(f.param, "seed");
    assert_true(says(f.msg, "`seed`") && says(f.msg, "anthropic claude-sonnet-4-5") &&
                says(f.msg, "drop_params") && says(f.msg, "OpenAI"));
    assert_int_equal(ir_lose(&r, "metadata", "metadata", &f), ERR_OK);
    assert_int_equal(ir_degrade(&r, "stop", "stop", &f), ERR_OK);
    assert_header(&r, "degraded=stop; dropped=metadata");
    arena_free(a);
}

static void test_strict_refuses_every_loss(void **state)
{
    struct arena *a = arena_new();
    struct ir_report r;
    struct fault f;
    ir_report_init(&r, a);
    r.strict = r.drop_params = true;
    assert_int_equal(ir_drop(&r, "seed", "seed", &f), ERR_UNSUPPORTED_PARAM);
    assert_int_equal(ir_degrade(&r, "stop", "stop", &f), ERR_UNSUPPORTED_PARAM);
    assert_true(says(f.msg, "x-weir-strict") && says(f.msg, "`stop`"));
    assert_int_equal(ir_lose(&r, "metadata", "metadata", &f), ERR_UNSUPPORTED_PARAM);
    assert_header(&r, "exact");
    arena_free(a);
}

/* What is wrong is said in words of its own; what becomes of it is the same. */
static void test_reasons(void **state)
{
    struct arena *a = arena_new();
    struct ir_report r;
    struct fault f;
    ir_report_init(&r, a);
    assert_int_equal(ir_degrade_as(&r, "temperature", "temperature", "is 2", &f), ERR_OK);
    assert_int_equal(ir_drop_as(&r, "stop_ws", "stop[1]", "is white space", &f),
                     ERR_UNSUPPORTED_PARAM);
    assert_text(f.param, "stop[1]");
    assert_true(says(f.msg, "`stop[1]` is white space. ") && says(f.msg, "drop_params"));
    r.drop_params = true;
    assert_int_equal(ir_drop_as(&r, "stop_ws", "stop[1]", "is white space", &f), ERR_OK);
    assert_header(&r, "degraded=temperature; dropped=stop_ws");
    r.strict = true;
    assert_int_equal(ir_drop_as(&r, "x", "x", "is odd", &f), ERR_UNSUPPORTED_PARAM);
    assert_true(says(f.msg, "`x` is odd. ") && says(f.msg, "x-weir-strict"));
    assert_int_equal(ir_degrade_as(&r, "y", "y", "is 2", &f), ERR_UNSUPPORTED_PARAM);
    assert_true(says(f.msg, "`y` is 2. ") && says(f.msg, "x-weir-strict"));
    assert_header(&r, "degraded=temperature; dropped=stop_ws");
    arena_free(a);
}

static void test_merge(void **state)
{
    struct arena *a = arena_new();
    struct ir_report request, answer;
    struct fault f;
    (void)state;
    ir_report_init(&request, a);
    ir_report_init(&answer, a);
    ir_report_merge(&request, &answer);
    assert_header(&request, "exact");
    assert_int_equal(ir_degrade(&request, "web_search", "tools", &f), ERR_OK);
    assert_int_equal(ir_degrade(&answer, "web_search", "x", &f), ERR_OK);
    assert_int_equal(ir_lose(&answer, "unknown(a)", "x", &f), ERR_OK);
    ir_report_merge(&request, &answer);
    assert_header(&request, "degraded=web_search; dropped=unknown(a)");
    assert_header(&answer, "degraded=web_search; dropped=unknown(a)");
    arena_free(a);
}

/* A tag may hold a name from the request: it must neither end the header nor fill it. */
static void test_hostile_tags(void **state)
{
    struct arena *a = arena_new();
    struct ir_report r;
    struct fault f;
    struct buf out;
    char tag[300];
    ir_report_init(&r, a);
    assert_int_equal(ir_lose(&r, "unknown(a\r\nSet-Cookie: b,c;d)", "x", &f), ERR_OK);
    assert_header(&r, "dropped=unknown(a__Set-Cookie__b_c_d)");
    memset(tag, 'x', sizeof tag - 1);
    tag[sizeof tag - 1] = 0;
    for (int i = 0; i < 1000; i++) {
        tag[0] = (char)('a' + i % 26);
        tag[1] = (char)('a' + i / 26 % 26);
        tag[2] = (char)('a' + i / 676);
        assert_int_equal(i % 2 ? ir_lose(&r, tag, tag, &f) : ir_degrade(&r, tag, tag, &f), ERR_OK);
    }
    buf_init(&out, 64 * KIB);
    ir_report_write(&r, &out);
    assert_true(out.len < 4096);
    assert_true(says(buf_str(&out), "more") && str_find_char(buf_str(&out), '\n') == STR_NONE);
    buf_done(&out);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_sorted_and_kept_once),
        cmocka_unit_test(test_dropping_needs_consent),
        cmocka_unit_test(test_strict_refuses_every_loss),
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_hostile_tags),
    };
    return cmocka_run_group_tests_name("ir/report", tests, NULL, NULL);
}
