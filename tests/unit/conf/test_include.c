/* Files: what they are merged into, and what is wrong with them. */
#include "conf_test.h"

#define MODEL "model_list: [{model_name: m, litellm_params: {model: openai/m}}]\n"

static void test_includes(void **state)
{
    static const struct test_row files[] = {
        { "etc/config.yaml",
          "include: [models/a.yaml, /abs/b.yaml]\n"
          "model_list: [{model_name: one, litellm_params: {model: openai/one}}]\n"
          "litellm_settings: {drop_params: true}\n" },
        { "etc/models/a.yaml",
          "include: c.yaml\n"
          "model_list: [{model_name: two, litellm_params: {model: openai/two}}]\n"
          "litellm_settings: {json_logs: true}\n" },
        { "etc/models/c.yaml",
          "model_list: [{model_name: three, litellm_params: {model: openai/three}}]\n" },
        { "/abs/b.yaml", "model_list: [{model_name: four, litellm_params: {model: openai/four}}]\n"
                         "litellm_settings: {drop_params: false}\n"
                         "general_settings: {completion_model: four}\n" },
        { NULL, NULL },
    };
    struct test_world w = { .files = files };
    struct conf_source src = { .read_file = world_file, .get_env = world_env, .ctx = &w };
    struct conf_diags diags;
    struct arena *a = arena_new();
    (void)state;
    struct conf *c = conf_load(&src, STR("etc/config.yaml"), a, &diags);
    assert_non_null(c);
    assert_int_equal(c->file_count, 4);
    assert_str(c->files[2], "etc/models/c.yaml");
    assert_int_equal(c->deployment_count, 4);
    assert_str(c->deployments[0].name, "one");
    assert_str(c->deployments[2].name, "three");
    assert_str(c->deployments[3].file, "/abs/b.yaml");
    assert_false(c->litellm.drop_params);
    assert_true(c->litellm.json_logs);
    assert_str(c->general.completion_model, "four");
    assert_int_equal(diags.count, 1);
    assert_str(
        diags.rows[0].msg,
        "litellm_settings.drop_params is also set in etc/config.yaml:3; the value of this file counts");
    conf_free(c);
    arena_free(a);
}

static enum err failing_file(void *ctx, struct str path, struct arena *a, struct str *ret_text)
{
    (void)path, (void)a, (void)ret_text;
    return *(const enum err *)ctx;
}

static bool no_env(void *ctx, struct str name, struct arena *a, struct str *ret_value)
{
    (void)ctx, (void)name, (void)a, (void)ret_value;
    return false;
}

static void test_unreadable(void **state)
{
    static const struct {
        enum err err;
        const char *msg;
    } rows[] = {
        { ERR_NOT_FOUND, "the file does not exist; check the name" },
        { ERR_IO, "the file cannot be read; check its permissions" },
        { ERR_TOO_LARGE, "the file is larger than 8 MiB; split it with include" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum err e = rows[i].err;
        struct conf_source src = { .read_file = failing_file, .get_env = no_env, .ctx = &e };
        struct conf_diags diags;
        struct arena *a = arena_new();
        assert_null(conf_load(&src, STR("config.yaml"), a, &diags));
        assert_int_equal(diags.count, 1);
        assert_str(diags.rows[0].msg, rows[i].msg);
        assert_int_equal(diags.rows[0].line, 0);
        arena_free(a);
    }
}

static enum err endless_file(void *ctx, struct str path, struct arena *a, struct str *ret_text)
{
    unsigned *count = ctx;
    (void)path;
    *ret_text = arena_printf(a, "include: [f%u.yaml, g%u.yaml]\n", *count, *count);
    ++*count;
    return ERR_OK;
}

static void test_endless_includes(void **state)
{
    unsigned count = 0;
    struct conf_source src = { .read_file = endless_file, .get_env = no_env, .ctx = &count };
    struct conf_diags diags;
    struct arena *a = arena_new();
    (void)state;
    assert_null(conf_load(&src, STR("config.yaml"), a, &diags));
    assert_int_equal(count, 64);
    assert_non_null(strstr(diags.rows[diags.count - 1].msg.p, "at most 64 files"));
    arena_free(a);
}

static void test_bad_includes(void **state)
{
    static const struct {
        const char *yaml, *told;
    } rows[] = {
        { "include: {a: b}\n", "include is a mapping; it takes the name of a file" },
        { "include: [[a]]\n", "include[0] is a list; it takes the name of a file" },
        { "include: ['']\n", "include[0] is empty" },
        { "include: config.yaml\n", "the file config.yaml includes itself" },
        { "include: ././config.yaml\n", "the file config.yaml includes itself" },
        { "include: .//./config.yaml\n", "the file config.yaml includes itself" },
        { "include: \"a\\nb\"\n", "include holds a line break" },
        { "include: os.environ/GONE\n", "GONE (include) is not set" },
        { "include: bad.yaml\n", "bad.yaml:2: error: a tab" },
        { "include: list.yaml\n", "list.yaml:1: error: the file is a list" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct test_row files[] = { { "config.yaml", rows[i].yaml },
                                          { "bad.yaml", "a:\n\tb: 1\n" },
                                          { "list.yaml", "[1]\n" },
                                          { NULL, NULL } };
        struct test_load t;
        test_load(&t, files, NULL);
        assert_null(t.conf);
        assert_told(&t, rows[i].told);
        test_unload(&t);
    }
}

/* Sections that are empty, or of another kind, in one of two files. */
static void test_includes_of_other_kinds(void **state)
{
    static const struct test_row files[] = {
        { "config.yaml", "include: b.yaml\n" MODEL
                         "litellm_settings:\nrouter_settings: {timeout: 5}\nguardrails: [a]\n" },
        { "b.yaml",
          "litellm_settings: {drop_params: true}\nrouter_settings:\nguardrails: {a: [b, [c]]}\n" },
        { NULL, NULL },
    };
    struct test_load t;
    (void)state;
    test_load(&t, files, NULL);
    assert_non_null(t.conf);
    assert_true(t.conf->litellm.drop_params);
    assert_int_equal(t.conf->litellm.request_timeout_ms, 5000);
    assert_told(&t, "b.yaml:3: warning: guardrails is also set in config.yaml:5; the value of this "
                    "file counts");
    assert_told(&t, "b.yaml:3: warning: guardrails is a mapping; it takes a list");
    test_unload(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_includes),
        cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_endless_includes),
        cmocka_unit_test(test_bad_includes),
        cmocka_unit_test(test_includes_of_other_kinds),
    };
    return cmocka_run_group_tests_name("conf/include", tests, NULL, NULL);
}
