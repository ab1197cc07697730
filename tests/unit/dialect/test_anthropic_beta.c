#include "dialect/anthropic_beta.h"
#include "dialect_test.h"
#include "ir/report.h"

static void test_members(void **state)
{
    static const struct {
        const char *name, *raw, *want;
    } rows[] = {
        { "context_management", "{}", "context-management-2025-06-27" },
        { "mcp_servers", "[]", "mcp-client-2025-11-20" },
        { "mcp_servers", "null", "" },
        { "container", "\"c\"", "" },
        { "container", "{\"id\":\"c\"}", "" },
        { "container", "{\"skills\":[]}", "skills-2025-10-02" },
        { "speed", "\"fast\"", "fast-mode-2026-02-01" },
        { "speed", "\"standard\"", "" },
        { "output_config", "{\"effort\":\"low\"}", "" },
        { "output_config", "{\"task_budget\":{}}", "task-budgets-2026-03-13" },
        { "", "{\"type\":\"computer_20250124\"}", "computer-use-2025-01-24" },
        { "", "{\"type\":\"computer_20251124\"}", "computer-use-2025-11-24" },
        { "", "{\"type\":\"bash_20250124\"}", "" },
        { "metadata", "{}", "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_text(anthropic_beta_of(str_c(rows[i].name), str_c(rows[i].raw)), rows[i].want);
}

static void test_lists(void **state)
{
    static const struct {
        const char *list, *more, *want;
    } rows[] = {
        { "", "", "" },
        { "a", "", "a" },
        { "", " a ,, b,a", "a,b" },
        { "a,b", "b,c", "a,b,c" },
        /* another date of the same counts */
        { "mcp-client-2025-11-20,b", "mcp-client-2025-04-04", "b,mcp-client-2025-04-04" },
        { "a-2025-11-20", "a-2025-1-20x", "a-2025-11-20,a-2025-1-20x" },
        { "-2025-11-20", "-2025-11-21", "-2025-11-20,-2025-11-21" },
    };
    struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_text(anthropic_betas_with(str_c(rows[i].list), str_c(rows[i].more), a),
                    rows[i].want);
    arena_free(a);
}

static void test_of_client(void **state)
{
    struct arena *a = arena_new();
    struct ir_report r;
    struct fault f;
    struct str got;
    const struct str list = STR("context-1m-2025-08-07, mcp-client-2025-11-20,");
    ir_report_init(&r, a);
    assert_int_equal(anthropic_betas_of_client(list, false, &r, a, &got, &f), ERR_OK);
    assert_text(got, "context-1m-2025-08-07,mcp-client-2025-11-20");
    assert_int_equal(r.count, 0);
    assert_int_equal(anthropic_betas_of_client(list, true, &r, a, &got, &f), ERR_OK);
    assert_text(got, "context-1m-2025-08-07");
    assert_int_equal(r.count, 1);
    assert_text(r.rows[0].tag, "anthropic_beta");
    r.strict = true;
    assert_int_equal(anthropic_betas_of_client(list, true, &r, a, &got, &f), ERR_UNSUPPORTED_PARAM);
    assert_text(f.param, "anthropic-beta");
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_of_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
