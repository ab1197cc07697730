/* Names of tools in [A-Za-z0-9_-]{1,64} and back, and custom tools as functions of one string. */
#include "dialect_test.h"

#include "dialect/tools.h"

#define LONG                                                                                       \
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz" /* 78 */

static void test_names(void **state)
{
    static const struct {
        const char *name;
        bool kept;
    } cases[] = {
        { "f", true },    { "get_user-2", true }, { "crm.get", false },     { "a/b", false },
        { "a:b", false }, { "", false },          { "k\xc3\xa4se", false }, { "a b", false },
        { LONG, false },  { "a\nb", false },
    };
    struct arena *a = arena_new();
    struct ir_request rq = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct str got = tool_name(&rq, str_c(cases[i].name), a);
        assert_true(tool_is_name(got, 64));
        assert_int_equal(str_eq(got, str_c(cases[i].name)), cases[i].kept);
        assert_true(str_eq(got, tool_name(&rq, str_c(cases[i].name), a))); /* always the same */
    }
    assert_false(tool_is_name(STR(""), 64));
    assert_false(tool_is_name(STR(LONG), 64));
    assert_true(tool_is_name(STR(LONG), SIZE_MAX));
    arena_free(a);
}

/* No two names become one, and each is found again. */
static void test_names_and_back(void **state)
{
    static const char *const names[] = { "a.b", "a/b", "a_b", LONG, LONG "z", "c:d", "web.search" };
    enum { N = sizeof names / sizeof names[0] };
    struct arena *a = arena_new();
    struct ir_tool tools[N + 1] = { 0 };
    struct ir_request rq = { .tools = tools };
    for (size_t i = 0; i < N; i++)
        tools[i] = (struct ir_tool){ .name = str_c(names[i]),
                                     .kind = i % 2 ? IR_CUSTOM : IR_FUNCTION,
                                     .next = &tools[i + 1] };
    tools[N] = (struct ir_tool){ .name = STR("web_search"), .kind = IR_WEB_SEARCH };
    for (size_t i = 0; i < N; i++) {
        struct str sent = tool_name(&rq, tools[i].name, a);
        assert_ptr_equal(tool_of(&rq, sent, a), &tools[i]);
        for (size_t j = 0; j < i; j++)
            assert_false(str_eq(sent, tool_name(&rq, tools[j].name, a)));
    }
    assert_null(tool_of(&rq, STR("invented"), a));
    assert_null(tool_of(&rq, STR("web_search"), a)); /* no function of the client's */
    assert_null(tool_of(&rq, STR(""), a));
    arena_free(a);
}

static void test_custom_input(void **state)
{
    static const struct {
        const char *arguments, *want;
    } cases[] = {
        { "{\"input\":\"ls -l\"}", "\"ls -l\"" },
        { " {\"x\":1, \"input\" : \"a\\\"b\\n\"} ", "\"a\\\"b\\n\"" },
        { "{\"input\":\"\"}", "\"\"" },
        /* No such object: as it is. */
        { "{\"input\":5}", "\"{\\\"input\\\":5}\"" },
        { "{\"input\":null}", "\"{\\\"input\\\":null}\"" },
        { "{\"Input\":\"a\"}", "\"{\\\"Input\\\":\\\"a\\\"}\"" },
        { "{\"input\":\"cut", "\"{\\\"input\\\":\\\"cut\"" },
        { "{\"input\":\"a\"} x", "\"{\\\"input\\\":\\\"a\\\"} x\"" },
        { "[\"input\"]", "\"[\\\"input\\\"]\"" },
        { "\"input\"", "\"\\\"input\\\"\"" },
        { "ls -l", "\"ls -l\"" },
        { "", "\"\"" },
    };
    struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct str got = custom_tool_input(str_c(cases[i].arguments), a);
        if (!str_eq(got, str_c(cases[i].want)))
            fail_msg("%s: got %.*s", cases[i].arguments, STR_ARG(got));
    }
    assert_true(str_eq(custom_tool_arguments(STR("\"a\\n\""), a), STR("{\"input\":\"a\\n\"}")));
    assert_true(str_eq(custom_tool_arguments(STR(""), a), STR("{\"input\":\"\"}")));
    arena_free(a);
}

static void test_custom_description(void **state)
{
    static const struct {
        const char *description, *grammar, *want;
        bool has;
    } cases[] = {
        { "\"Runs it.\"", "", "\"Runs it.\"", false },
        { "", "", "", false },
        { "\"Runs it.\"", "{\"type\":\"text\"}", "\"Runs it.\"", false },
        { "\"Runs \\\"it\\\".\"",
          "{\"type\":\"grammar\",\"grammar\":{\"syntax\":\"lark\",\"definition\":\"start: \\\"a\\\"\"}}",
          "\"Runs \\\"it\\\".\\n\\nThe input must follow this grammar:\\nstart: \\\"a\\\"\"",
          true },
        { "", "{\"type\":\"grammar\",\"grammar\":{\"syntax\":\"regex\",\"definition\":\"a+\"}}",
          "\"The input must follow this grammar:\\na+\"", true },
    };
    struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ir_tool t = { .kind = IR_CUSTOM,
                             .description = str_c(cases[i].description),
                             .grammar = str_c(cases[i].grammar) };
        bool has = !cases[i].has;
        struct str got = custom_tool_description(&t, a, &has);
        assert_int_equal(has, cases[i].has);
        if (!str_eq(got, str_c(cases[i].want)))
            fail_msg("case %zu: got %.*s", i, STR_ARG(got));
    }
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_names_and_back),
        cmocka_unit_test(test_custom_input),
        cmocka_unit_test(test_custom_description),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
