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
        { "gemini", "gemini-2.5-flash-image", "gemini-2.5-flash-image" },
        { "gemini", "gemini-3-pro-image-preview", "gemini-3-pro-image" },
        { "gemini", "gemini-3.1-flash-lite-image", "gemini-3.1-flash-lite-image" },
        { "gemini", "gemma-3-27b-it", "gemma-3" },
        { "gemini", "gemma-3n-e4b-it", "gemma-3" },
        { "gemini", "gemma-4-31b-it", "gemma-" },
        { "openai", "gpt-5.2-2025-12-11", "gpt-5.2" },
        { "openai", "gpt-5-mini", "gpt-5" },
        { "openai", "openai/gpt-4o-search-preview-2025-03-11", "gpt-4o-search-preview" },
        { "openai", "gpt-4o-mini", "gpt-4o" },
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
            (f->thinking == THINK_EFFORT && !f->responses_only))
            assert_true(f->efforts & 1u << IR_EFFORT_LOW);
        if (f->responses_only) /* some have one effort alone */
            assert_true(f->efforts & (1u << IR_EFFORT_MEDIUM | 1u << IR_EFFORT_HIGH));
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

/* Models of Gemini's API that take less, and marks of caches. */
static void test_what_is_not_taken(void **state)
{
    struct str g = STR("gemini"), o = STR("openai");
    const struct model_facts *f = model_facts_find(g, STR("gemma-3-27b-it"));
    assert_true(f->no_system && f->no_functions && !f->native_schema);
    f = model_facts_find(g, STR("gemma-4-31b-it"));
    assert_true(!f->no_system && !f->no_functions && f->native_schema);
    f = model_facts_find(g, STR("gemini-2.5-flash-image"));
    assert_true(f->no_functions && f->thinking == THINK_NONE && f->n_max == 1);
    assert_false(model_facts_find(g, STR("gemini-2.5-flash"))->no_functions);
    assert_int_equal(model_facts_find(o, STR("gpt-5.6-mini"))->cache_breakpoints, 4);
    assert_int_equal(model_facts_find(o, STR("gpt-5.5"))->cache_breakpoints, 0);
    assert_int_equal(model_facts_find(STR("anthropic"), STR("claude-3-haiku"))->cache_breakpoints,
                     4);
    assert_string_equal(model_facts_find(o, STR("other"))->source,
                        model_facts_find(g, STR("other"))->source);
}

/* Chat completions searches with models of their own. */
static void test_who_searches(void **state)
{
    static const char *const names[] = { "gpt-4o-search-preview", "gpt-4o-mini-search-preview",
                                         "gpt-5-search-api-2025-10-14" };
    static const char *const others[] = { "gpt-4o", "gpt-4o-mini", "gpt-5", "gpt-4.1", "llama" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_true(model_facts_find(STR("openai"), str_c(names[i]))->web_search);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(model_facts_find(STR("openai"), str_c(others[i]))->web_search);
}

/* Which of OpenAI's APIs takes what. */
static void test_apis_of_openai(void **state)
{
    static const struct {
        const char *model;
        bool tools_on_chat, by_default, responses_only;
    } rows[] = {
        { "gpt-4.1", true, false, false },
        { "gpt-5-mini", true, true, false },
        { "gpt-5.1-2025-11-13", true, false, false },
        { "gpt-5.2", true, false, false },
        { "gpt-5.2-chat-latest", true, false, false },
        { "gpt-5.4-mini", false, false, false },
        { "gpt-5.5-2026-04-23", false, true, false },
        { "gpt-5.6-sol", false, true, false },
        { "o3-mini", true, true, false },
        { "o3-pro-2025-06-10", false, true, true },
        { "o4-mini-deep-research", false, true, true },
        { "gpt-5-codex", false, true, true },
        { "gpt-5.1-codex-mini", false, true, true },
        { "gpt-5.3-codex", false, true, true },
        { "gpt-5.5-pro", false, true, true },
        { "codex-mini-latest", false, true, true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct model_facts *f = model_facts_find(STR("openai"), str_c(rows[i].model));
        if (f->reasoning_with_tools_on_chat != rows[i].tools_on_chat ||
            f->reasons_by_default != rows[i].by_default ||
            f->responses_only != rows[i].responses_only)
            fail_msg("%s: row \"%.*s\"", rows[i].model, STR_ARG(f->prefix));
        assert_true(!f->reasons_by_default || f->thinking == THINK_EFFORT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_the_longest_prefix),
        cmocka_unit_test(test_rows_are_whole),
        cmocka_unit_test(test_generations_of_claude),
        cmocka_unit_test(test_what_is_not_taken),
        cmocka_unit_test(test_who_searches),
        cmocka_unit_test(test_apis_of_openai),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
