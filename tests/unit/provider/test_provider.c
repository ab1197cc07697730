#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "provider/provider.h"

static void test_rows_are_whole(void **state)
{
    size_t n = 0;
    for (; provider_at(n); n++) {
        const struct provider *p = provider_at(n);
        assert_true(p->name.len && p->title.len && p->key_env.len);
        assert_ptr_equal(provider_find(p->name), p);
        assert_int_equal(provider_index(p), n);
        assert_true(p->base_url.len == 0 || str_starts(p->base_url, STR("https://")));
        assert_false(str_ends(p->base_url, STR("/")));
        assert_true(p->url != URL_AZURE || p->version_default.len);
    }
    assert_true(n >= 5);
    assert_null(provider_find(STR("nobody")));
    assert_null(provider_find(STR("")));
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
        { "claude-x", NULL },
        { "llama", NULL },
        { "", NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct provider *p = provider_infer(str_c(cases[i].model));
        assert_true(cases[i].provider ? p && str_eq(p->name, str_c(cases[i].provider)) : !p);
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
        struct str got =
            provider_path(provider_find(str_c(cases[i].provider)), str_c(cases[i].base),
                          STR("/chat/completions"), str_c(cases[i].model), STR("v"), a);
        if (!str_eq(got, str_c(cases[i].want)))
            fail_msg("%.*s, want %s", STR_ARG(got), cases[i].want);
        arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_are_whole),
        cmocka_unit_test(test_inferred),
        cmocka_unit_test(test_paths),
    };
    return cmocka_run_group_tests_name("provider/provider", tests, NULL, NULL);
}
