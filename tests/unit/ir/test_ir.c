#include "ir_test.h"

static void test_blank(void **state)
{
    static const struct {
        const char *json;
        bool blank;
    } cases[] = {
        { "", true },
        { "\"\"", true },
        { "\" \"", true },
        { "\"\\n\\t\\r\\f \"", true },
        { "\"\\u00a0\"", true },
        { "\"\xc2\xa0\"", true },
        { "\"\xe3\x80\x80\"", true },
        { "\"\\u2003\"", true },
        { "\"a\"", false },
        { "\" a\"", false },
        { "\"\\\\\"", false },
        { "\"\\\"\"", false },
        { "\"\\u0061\"", false },
        { "\"\xc3\xa9\"", false },
        { "\"\xf0\x9f\x98\x80\"", false },
        { "\"\\b\"", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (ir_is_blank(str_c(cases[i].json)) != cases[i].blank)
            fail_msg("case %zu: %s", i, cases[i].json);
}

static void test_quote(void **state)
{
    struct arena *a = arena_new();
    assert_text(ir_quote(STR("plain"), a), "\"plain\"");
    assert_text(ir_quote(STR(""), a), "\"\"");
    assert_text(ir_quote(STR("a\"b\\c\n"), a), "\"a\\\"b\\\\c\\n\"");
    assert_text(ir_quote(STR("\xc3\xa9"), a), "\"\xc3\xa9\"");
    assert_text(ir_quote(STR("\xff"), a), "\"\xef\xbf\xbd\"");
    arena_free(a);
}

static void test_names(void **state)
{
    assert_string_equal(ir_role_name(IR_TOOL), "tool");
    assert_string_equal(ir_role_name(IR_DEVELOPER), "developer");
    for (int e = IR_EFFORT_NONE; e <= IR_EFFORT_MAX; e++)
        assert_int_equal(ir_effort_of(str_c(ir_effort_name((enum ir_effort)e))), e);
    assert_int_equal(ir_effort_of(STR("")), IR_EFFORT_UNSET);
    assert_int_equal(ir_effort_of(STR("High")), IR_EFFORT_UNSET);
    assert_string_equal(ir_event_name(IR_EV_TOOL_CALL), "TOOL_CALL");
    for (int k = 0; k < IR_EV_COUNT; k++)
        assert_non_null(ir_event_name((enum ir_event_kind)k));
}

static void test_content(void **state)
{
    struct ir_event ev = { .kind = IR_EV_TEXT, .json = STR("\"a\"") };
    assert_true(ir_event_is_content(&ev));
    ev.json = STR("\"\"");
    assert_false(ir_event_is_content(&ev));
    ev.json = STR("\"a\"");
    ev.kind = IR_EV_FINISH;
    assert_false(ir_event_is_content(&ev));
    ev.kind = IR_EV_TOOL_CALL;
    assert_false(ir_event_is_content(&ev));
    ev.kind = IR_EV_TOOL_ARGUMENTS;
    assert_true(ir_event_is_content(&ev));
}

static void test_find(void **state)
{
    struct ir_ext two = { .name = STR("b") }, one = { .next = &two, .name = STR("a") };
    struct ir_tool tool = { .name = STR("f") };
    struct ir_request rq = { .tools = &tool };
    assert_ptr_equal(ir_ext_find(&one, STR("b")), &two);
    assert_null(ir_ext_find(&one, STR("c")));
    assert_null(ir_ext_find(NULL, STR("a")));
    assert_ptr_equal(ir_tool_find(&rq, STR("f")), &tool);
    assert_null(ir_tool_find(&rq, STR("g")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blank),   cmocka_unit_test(test_quote), cmocka_unit_test(test_names),
        cmocka_unit_test(test_content), cmocka_unit_test(test_find),
    };
    return cmocka_run_group_tests_name("ir/ir", tests, NULL, NULL);
}
