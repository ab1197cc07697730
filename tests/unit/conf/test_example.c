/* examples/litellm-full.yaml: what a company's LiteLLM config looks like loads without an error or
 * a warning. */
#include <stdlib.h>

#include "conf_test.h"

static const struct test_row env[] = {
    { "OPENAI_API_KEY", "sk-openai" },
    { "OPENAI_API_KEY_EU", "sk-openai-eu" },
    { "AZURE_API_KEY", "azure" },
    { "ANTHROPIC_API_KEY", "sk-ant" },
    { "GEMINI_API_KEY", "gemini" },
    { "VLLM_BASE_URL", "http://vllm.internal:8000/v1" },
    { "VLLM_API_KEY", "none" },
    { "LITELLM_MASTER_KEY", "sk-master-0123456789" },
    { "DATABASE_URL", "postgresql://localhost/litellm" },
    { "REDIS_HOST", "redis" },
    { "REDIS_PASSWORD", "redis" },
    { "SLACK_WEBHOOK_URL", "https://hooks.example.com/x" },
    { NULL, NULL },
};

static char *read_example(struct arena *a)
{
    const char *root = getenv("WEIR_SOURCE_ROOT");
    struct str path = arena_printf(a, "%s/examples/litellm-full.yaml", root ? root : ".");
    FILE *f = fopen(path.p, "rb");
    char *text = arena_alloc(a, MIB);
    assert_non_null(f);
    size_t n = fread(text, 1, MIB - 1, f);
    fclose(f);
    text[n] = '\0';
    return text;
}

static void test_loads(void **state)
{
    struct test_load t;
    struct arena *a = arena_new();
    (void)state;
    test_load_text(&t, read_example(a), env);
    for (size_t i = 0; i < t.diags.count; i++)
        if (t.diags.rows[i].level != CONF_NOTE)
            fail_msg("%s", t.text.p);
    const struct conf *c = t.conf;
    assert_non_null(c);
    assert_int_equal(c->deployment_count, 11);
    for (size_t i = 0; i < c->deployment_count; i++)
        assert_int_equal(c->deployments[i].problem.len, 0);
    assert_int_equal(c->alias_count, 3);
    assert_int_equal(c->litellm.request_timeout_ms, 300000);
    assert_int_equal(c->general.max_request_bytes, 32 * MIB);
    assert_true(secret_eq(c->general.master_key, STR("sk-master-0123456789")));
    assert_str(c->deployments[2].api_base, "https://acme-sweden.openai.azure.example.com");
    assert_true(secret_eq(c->deployments[2].api_key, STR("azure")));
    assert_str(c->deployments[6].api_base, "http://vllm.internal:8000/v1");
    assert_int_equal(c->deployments[6].ssl_verify, 0);
    test_unload(&t);
    arena_free(a);
}

/* Without the variables it loads as well: only the deployments that need one cannot serve. */
static void test_without_variables(void **state)
{
    static const struct test_row few[] = { { "LITELLM_MASTER_KEY", "sk-m" },
                                           { "OPENAI_API_KEY", "sk-o" },
                                           { NULL, NULL } };
    struct test_load t;
    struct arena *a = arena_new();
    size_t broken = 0;
    (void)state;
    test_load_text(&t, read_example(a), few);
    assert_non_null(t.conf);
    for (size_t i = 0; i < t.conf->deployment_count; i++)
        broken += t.conf->deployments[i].problem.len > 0;
    assert_int_equal(broken, 6);
    assert_int_equal(t.diags.errors, 7); /* one of them lacks two */
    test_unload(&t);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_loads),
                                        cmocka_unit_test(test_without_variables) };
    return cmocka_run_group_tests_name("conf/example", tests, NULL, NULL);
}
