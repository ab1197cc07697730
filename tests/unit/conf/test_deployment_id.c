/* Ids of deployments, and entries that make several. */
#include "conf_test.h"

static const struct test_row env[] = { { "OPENAI_API_KEY", "sk-of-env" }, { NULL, NULL } };

static void id_of(const char *yaml, const struct test_row *vars, size_t index, char ret_id[80])
{
    struct test_load t;
    test_load_text(&t, yaml, vars);
    assert_non_null(t.conf);
    snprintf(ret_id, 80, "%.*s", STR_ARG(t.conf->deployments[index].id));
    test_unload(&t);
}

static void test_id_is_stable(void **state)
{
    static const struct test_row other[] = { { "OPENAI_API_KEY", "sk-rotated" }, { NULL, NULL } };
    static const char base[] =
        "model_list:\n"
        "  - {model_name: a, litellm_params: {model: openai/a, api_key: os.environ/OPENAI_API_KEY}}\n";
    char id[80], again[80];
    (void)state;
    id_of(base, env, 0, id);
    assert_int_equal(strlen(id), 64);
    assert_int_equal(strspn(id, "0123456789abcdef"), 64);
    /* a variable's value, or that it is not set */
    id_of(base, other, 0, again);
    assert_string_equal(id, again);
    id_of(base, NULL, 0, again);
    assert_string_equal(id, again);
    /* place in the list, order of keys, layout, model_info */
    id_of(
        "x-y: 1\nmodel_list:\n  - {model_name: z, litellm_params: {model: openai/z}}\n"
        "  - model_info: {mode: chat}\n    litellm_params:\n      api_key: os.environ/OPENAI_API_KEY\n"
        "      model: openai/a\n    model_name: a\n",
        env, 1, again);
    assert_string_equal(id, again);
    /* but not what it is */
    static const char *const others[] = {
        "model_list: [{model_name: b, litellm_params: {model: openai/a, api_key: os.environ/OPENAI_API_KEY}}]",
        "model_list: [{model_name: a, litellm_params: {model: openai/b, api_key: os.environ/OPENAI_API_KEY}}]",
        "model_list: [{model_name: a, litellm_params: {model: openai/a, api_key: os.environ/OTHER_KEY}}]",
        "model_list: [{model_name: a, litellm_params: {model: openai/a}}]",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        id_of(others[i], env, 0, again);
        assert_string_not_equal(id, again);
    }
}

static void test_ids_are_unique(void **state)
{
    struct test_load t;
    (void)state;
    test_load_text(
        &t,
        "model_list:\n"
        "  - {model_name: a, litellm_params: {model: openai/a}}\n"
        "  - {model_name: a, litellm_params: {model: openai/a}}\n"
        "  - {model_name: a, litellm_params: {model: openai/a}}\n"
        "  - {model_name: b, litellm_params: {model: openai/b}, model_info: {id: one-2}}\n"
        "  - {model_name: b, litellm_params: {model: openai/b}, model_info: {id: one}}\n"
        "  - {model_name: b, litellm_params: {model: openai/b}, model_info: {id: one}}\n"
        "  - {model_name: b, litellm_params: {model: openai/b}, model_info: {id: 7}}\n",
        NULL);
    const struct conf_deployment *d = t.conf->deployments;
    assert_int_equal(d[0].id.len, 64);
    assert_true(str_eq(d[1].id, arena_printf(t.arena, "%.*s-2", STR_ARG(d[0].id))));
    assert_true(str_eq(d[2].id, arena_printf(t.arena, "%.*s-3", STR_ARG(d[0].id))));
    assert_str(d[4].id, "one");
    assert_str(d[5].id, "one-3");
    assert_str(d[5].model_info, "{\"id\":\"one-3\"}");
    assert_str(d[6].id, "7");
    assert_int_equal(t.diags.warnings, 1);
    assert_told(&t,
                "config.yaml:7: warning: model_info.id \"one\" is taken by the entry of line 6");
    test_unload(&t);
}

static void test_organizations(void **state)
{
    struct test_load t;
    (void)state;
    test_load_text(
        &t,
        "model_list:\n"
        "  - {model_name: a, litellm_params: {model: openai/a, organization: [x, y]}}\n"
        "  - {model_name: b, litellm_params: {model: openai/b, organization: [x, y]}, model_info: {id: i}}\n"
        "  - {model_name: c, litellm_params: {model: openai/c, organization: []}}\n"
        "  - {model_name: d, litellm_params: {model: openai/d, organization: [x, os.environ/GONE]}}\n",
        NULL);
    const struct conf_deployment *d = t.conf->deployments;
    assert_int_equal(t.conf->deployment_count, 6);
    assert_str(d[0].organization, "x");
    assert_str(d[1].organization, "y");
    assert_false(str_eq(d[0].id, d[1].id));
    assert_int_equal(d[1].id.len, 64);
    assert_str(d[2].id, "i");
    assert_str(d[3].id, "i-2");
    assert_int_equal(d[4].organization.len, 0);
    assert_true(d[5].problem.len > 0);
    assert_int_equal(t.diags.warnings, 0);
    test_unload(&t);
}

static void test_organizations_of_a_credential(void **state)
{
    struct test_load t;
    (void)state;
    test_load_text(
        &t,
        "credential_list: [{credential_name: c, credential_values: {organization: [x, y]}}]\n"
        "model_list: [{model_name: a, litellm_params: {model: openai/a,"
        " litellm_credential_name: c}}]\n",
        NULL);
    assert_int_equal(t.conf->deployment_count, 2);
    assert_str(t.conf->deployments[1].organization, "y");
    assert_int_equal(t.diags.count, 0);
    test_unload(&t);
}

static void test_many_organizations(void **state)
{
    struct test_load t;
    struct buf b;
    (void)state;
    buf_init(&b, 8 * MIB);
    buf_putz(
        &b,
        "model_list:\n  - model_name: a\n    litellm_params: {model: openai/a, organization: [");
    for (unsigned i = 0; i < 30000; i++)
        buf_printf(&b, "o%u, ", i);
    buf_putz(&b, "]}\n");
    buf_putc(&b, '\0');
    test_load_text(&t, b.p, NULL);
    assert_true(t.diags.errors > 0);
    assert_told(&t, "all uses counted");
    test_unload(&t);
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_id_is_stable),
        cmocka_unit_test(test_ids_are_unique),
        cmocka_unit_test(test_organizations),
        cmocka_unit_test(test_organizations_of_a_credential),
        cmocka_unit_test(test_many_organizations),
    };
    return cmocka_run_group_tests_name("conf/deployment_id", tests, NULL, NULL);
}
