#include "provider/model_facts.h"

#include "ir/ir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

static void test_finds_the_longest_prefix(void **state)
{
    static const struct {
        const char *family, *model, *prefix;
    } rows[] = {
        { "anthropic", "claude-sonnet-4-5-20250929", "claude-sonnet-4-5" },
        { "anthropic", "claude-sonnet-4-5@20250929", "claude-sonnet-4-5" },
        { "anthropic", "claude-sonnet-4-20250514", "claude-sonnet-4" },
        { "anthropic", "publishers/anthropic/models/claude-opus-4-1@20250805", "claude-opus-4" },
        { "anthropic", "anthropic/claude-3-5-sonnet-20241022", "claude-3-5-" },
        { "anthropic", "claude-3-haiku-20240307", "claude-3-" },
        { "anthropic", "claude-opus-5-5", "claude-opus-5-5" },
        { "anthropic", "claude-opus-5", "claude-opus-5" },
        { "anthropic", "claude-opus-55", "" },
        { "anthropic", "Claude-Opus-4-8", "claude-opus-4-8" },
        { "anthropic", "something-new", "" },
        { "anthropic", "", "" },
        { "gemini", "models/gemini-2.5-flash-lite", "gemini-2.5-flash-lite" },
        { "gemini", "gemini-2.5-flash-preview", "gemini-2.5-flash" },
        { "gemini", "gemini-3.1-pro-preview", "gemini-3.1-pro" },
        { "openai", "gpt-5.2-2025-12-11", "gpt-5.2" },
        { "openai", "gpt-5-mini", "gpt-5" },
        { "openai", "o1", "o1" },
        { "openai", "o10", "" },
        { "nobody", "gpt-4o", "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct model_facts *f = model_facts_find(str_c(rows[i].family), str_c(rows[i].model));
        assert_non_null(f);
        if (!str_eq(f->prefix, str_c(rows[i].prefix)))
            fail_msg("%s: got row \"%.*s\"", rows[i].model, STR_ARG(f->prefix));
    }
}

static void test_rows_are_whole(void **state)
{
    bool has_default[3] = { false };
    static const struct str families[] = { STR_INIT("anthropic"), STR_INIT("gemini"),
                                           STR_INIT("openai") };
    const struct model_facts *f;
    for (size_t i = 0; (f = model_facts_at(i)); i++) {
        size_t k = 0;
        while (k < 3 && !str_eq(families[k], f->family))
            k++;
        assert_true(k < 3);
        has_default[k] |= f->prefix.len == 0;
        assert_true(f->max_output_tokens >= 1024 && f->context_tokens >= f->max_output_tokens);
        assert_true(f->temperature_max >= 1 && f->n_max >= 1);
        assert_non_null(f->source);
        if (f->thinking == THINK_BUDGET)
            assert_true(f->think_min <= f->think_max && f->think_max <= f->max_output_tokens);
        if (f->thinking == THINK_ADAPTIVE || f->thinking == THINK_LEVEL ||
            f->thinking == THINK_EFFORT)
            assert_true(f->efforts & 1u << IR_EFFORT_LOW);
        for (size_t j = 0; j < i; j++)
            assert_false(str_eq(model_facts_at(j)->family, f->family) &&
                         str_eq(model_facts_at(j)->prefix, f->prefix));
    }
    assert_true(has_default[0] && has_default[1] && has_default[2]);
    assert_null(model_facts_at(SIZE_MAX));
}

static void test_generations_of_claude(void **state)
{
    struct str a = STR("anthropic");
    const struct model_facts *f = model_facts_find(a, STR("claude-sonnet-4-5"));
    assert_int_equal(f->thinking, THINK_BUDGET);
    assert_int_equal(f->sampling, SAMPLING_ONE_OF);
    assert_true(f->native_schema && f->prefill && !f->mid_system);
    f = model_facts_find(a, STR("claude-opus-4-1"));
    assert_true(!f->native_schema && f->prefill);
    f = model_facts_find(a, STR("claude-opus-4-6"));
    assert_int_equal(f->thinking, THINK_ADAPTIVE);
    assert_int_equal(f->sampling, SAMPLING_ONE_OF);
    assert_false(f->prefill);
    assert_false(f->efforts & 1u << IR_EFFORT_XHIGH);
    f = model_facts_find(a, STR("claude-opus-5"));
    assert_int_equal(f->sampling, SAMPLING_NONE);
    assert_true(f->mid_system && f->think_can_disable);
    assert_false(model_facts_find(a, STR("claude-fable-5"))->think_can_disable);
    assert_int_equal(model_facts_find(a, STR("claude-3-haiku"))->thinking, THINK_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_the_longest_prefix),
        cmocka_unit_test(test_rows_are_whole),
        cmocka_unit_test(test_generations_of_claude),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
