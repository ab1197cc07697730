/* Keys of Vertex AI, and those that say what may be changed about a request. */
#include "conf_test.h"

static const struct test_row env[] = {
    { "CRED", " {\"type\":\"authorized_user\",\n\"x\":\"SECRET\"}\n" },
    { "KEY", "SECRET" },
    { "EMPTY", "" },
    { "TWO_LINES", "/a\n/b" },
    { NULL, NULL },
};

static const struct conf_deployment *load_params(struct test_load *t, const char *params)
{
    char text[4096];
    snprintf(text, sizeof text,
             "model_list:\n  - model_name: m\n    litellm_params:\n      model: vertex_ai/x\n%s",
             params);
    test_load_text(t, text, env);
    assert_non_null(t->conf);
    return &t->conf->deployments[0];
}

static void test_place(void **state)
{
    static const char *const rows[] = {
        "      vertex_project: p\n      vertex_location: l\n",
        "      vertex_ai_project: p\n      vertex_ai_location: l\n",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct test_load t;
        const struct conf_deployment *d = load_params(&t, rows[i]);
        assert_true(str_eq(d->vertex_project, STR("p")));
        assert_true(str_eq(d->vertex_location, STR("l")));
        assert_null(d->vertex_credentials);
        assert_int_equal(t.diags.count, 0); /* nothing is "not active yet" */
        test_unload(&t);
    }
}

static void test_credential_forms(void **state)
{
    static const struct {
        const char *params, *value;
    } rows[] = {
        { "      vertex_credentials: /etc/cred.json\n", "/etc/cred.json" },
        { "      vertex_ai_credentials: /etc/cred.json\n", "/etc/cred.json" },
        { "      vertex_credentials: os.environ/CRED\n",
          "{\"type\":\"authorized_user\",\n\"x\":\"SECRET\"}" },
        { "      vertex_credentials: |\n        {\"a\":\n        \"SECRET\"}\n",
          "{\"a\":\n\"SECRET\"}" },
        { "      vertex_credentials:\n        type: authorized_user\n        private_key: \"SECRET\\nb\"\n"
          "        id: os.environ/KEY\n",
          "{\"type\":\"authorized_user\",\"private_key\":\"SECRET\\nb\",\"id\":\"SECRET\"}" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct test_load t;
        const struct conf_deployment *d = load_params(&t, rows[i].params);
        if (d->problem.len || !d->vertex_credentials ||
            !secret_eq(d->vertex_credentials, str_c(rows[i].value)))
            fail_msg("row %zu: %.*s", i, STR_ARG(d->problem));
        assert_int_equal(str_find(d->public_params, STR("credentials")), STR_NONE);
        assert_int_equal(str_find(d->public_params, STR("SECRET")), STR_NONE);
        assert_int_equal(str_find(buf_str(&t.text), STR("SECRET")), STR_NONE);
        test_unload(&t);
    }
}

static void test_credential_problems(void **state)
{
    static const struct {
        const char *params, *problem;
    } rows[] = {
        { "      vertex_credentials: [SECRET]\n",
          "is a list; it takes the path of a credential file" },
        { "      vertex_credentials: os.environ/GONE\n", "the environment variable GONE" },
        { "      vertex_credentials: os.environ/EMPTY\n", "os.environ/EMPTY" },
        { "      vertex_credentials: os.environ/TWO_LINES\n", "must be one line" },
        { "      vertex_credentials: {a: os.environ/GONE, b: SECRET}\n",
          "the environment variable GONE" },
        { "      vertex_credentials: {a: .inf}\n", "not a number that JSON can say" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct test_load t;
        const struct conf_deployment *d = load_params(&t, rows[i].params);
        if (str_find(d->problem, str_c(rows[i].problem)) == STR_NONE ||
            str_find(buf_str(&t.text), STR("SECRET")) != STR_NONE)
            fail_msg("row %zu: %.*s", i, STR_ARG(d->problem));
        assert_null(d->vertex_credentials);
        test_unload(&t);
    }
}

/* In LiteLLM, an empty one is one that is not set. */
static void test_empty_is_not_set(void **state)
{
    struct test_load t;
    const struct conf_deployment *d = load_params(&t, "      vertex_credentials: ''\n");
    assert_int_equal(d->problem.len, 0);
    assert_null(d->vertex_credentials);
    test_unload(&t);
}

static void test_modify_params(void **state)
{
    struct test_load t;
    test_load_text(
        &t,
        "model_list:\n  - {model_name: a, litellm_params: {model: openai/a}}\n"
        "  - {model_name: b, litellm_params: {model: openai/b, modify_params: false}}\n"
        "  - {model_name: c, litellm_params: {model: openai/c, allowed_openai_params: [x, y]}}\n"
        "litellm_settings: {modify_params: true}\n",
        NULL);
    assert_true(t.conf->litellm.modify_params);
    assert_true(t.conf->deployments[0].modify_params);
    assert_false(t.conf->deployments[1].modify_params);
    assert_int_equal(t.conf->deployments[0].allowed_count, 0);
    assert_int_equal(t.conf->deployments[2].allowed_count, 2);
    assert_true(str_eq(t.conf->deployments[2].allowed_params[1], STR("y")));
    assert_int_equal(t.diags.count, 0);
    test_unload(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_place),
        cmocka_unit_test(test_credential_forms),
        cmocka_unit_test(test_credential_problems),
        cmocka_unit_test(test_empty_is_not_set),
        cmocka_unit_test(test_modify_params),
    };
    return cmocka_run_group_tests_name("conf/vertex", tests, NULL, NULL);
}
