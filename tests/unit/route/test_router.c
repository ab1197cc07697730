#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "route/router.h"

#include <stdio.h>

/* -- a config from text, an environment from a table */

struct fake {
    struct str yaml;
    const char *const *env; /* name, value, ..., NULL */
};

static enum err fake_file(void *ctx, struct str path, struct arena *a, struct str *ret_text)
{
    struct fake *f = ctx;
    if (!str_eq(path, STR("c.yaml")))
        return ERR_NOT_FOUND;
    *ret_text = arena_dup(a, f->yaml);
    return ERR_OK;
}

static bool fake_env(void *ctx, struct str name, struct arena *a, struct str *ret_value)
{
    struct fake *f = ctx;
    for (const char *const *e = f->env; e && *e; e += 2)
        if (str_eq(name, str_c(e[0]))) {
            *ret_value = arena_dup(a, str_c(e[1]));
            return true;
        }
    return false;
}

struct rig {
    struct fake fake;
    struct arena *arena;
    struct conf *conf;
    struct router *router;
};

static void rig_init(struct rig *r, const char *yaml, const char *const *env)
{
    struct conf_diags diags = { 0 };
    r->fake = (struct fake){ str_c(yaml), env };
    r->arena = arena_new();
    struct conf_source src = { fake_file, fake_env, &r->fake };
    r->conf = conf_load(&src, STR("c.yaml"), r->arena, &diags);
    assert_non_null(r->conf);
    r->router = router_new(r->conf, &src, (struct hash_seed){ 1, 2 });
}

static void rig_done(struct rig *r)
{
    router_free(r->router);
    conf_free(r->conf);
    arena_free(r->arena);
}

static const char *const keys[] = { "OPENAI_API_KEY", "sk-from-env", "AZURE_API_KEY", "az", NULL };

static const char yaml[] =
    "model_list:\n"
    "  - model_name: pair\n"
    "    litellm_params: { model: openai/one }\n"
    "    model_info: { id: first }\n"
    "  - model_name: pair\n"
    "    litellm_params: { model: openai/two }\n"
    "    model_info: { id: second }\n"
    "  - model_name: paused\n"
    "    litellm_params: { model: openai/x }\n"
    "    model_info: { blocked: true }\n"
    "  - model_name: half\n"
    "    litellm_params: { model: openai/broken, api_key: os.environ/NOT_SET }\n"
    "  - model_name: half\n"
    "    litellm_params: { model: openai/works }\n"
    "  - model_name: broken\n"
    "    litellm_params: { model: openai/b, api_key: os.environ/NOT_SET }\n"
    "  - model_name: 'openai/*'\n"
    "    litellm_params: { model: 'openai/*' }\n"
    "  - model_name: 'openai/gpt-*'\n"
    "    litellm_params: { model: 'azure/dep-*', api_base: 'https://a.example' }\n"
    "  - model_name: '*'\n"
    "    litellm_params: { model: '*' }\n"
    "  - model_name: own\n"
    "    litellm_params: { model: org/model-7b, api_base: 'http://localhost:8000/v1/' }\n"
    "  - model_name: named\n"
    "    litellm_params: { model: org/model-7b, custom_llm_provider: openai, api_key: k }\n"
    "  - model_name: strange\n"
    "    litellm_params: { model: nobody/knows, api_key: k }\n"
    "  - model_name: bare\n"
    "    litellm_params: { model: gpt-4o }\n"
    "  - model_name: nobase\n"
    "    litellm_params: { model: azure/x }\n"
    "router_settings:\n"
    "  model_group_alias: { other: pair, loop1: loop2, loop2: loop1, far: other }\n";

static void test_picks(void **state)
{
    static const struct {
        const char *model, *provider, *upstream, *base;
        enum err err;
        const char *says;
    } cases[] = {
        { "first", "openai", "one", "https://api.openai.com/v1", ERR_OK, "" },
        { "second", "openai", "two", "https://api.openai.com/v1", ERR_OK, "" },
        { "paused", NULL, NULL, NULL, ERR_OVERLOADED, "paused" },
        { "half", "openai", "works", "https://api.openai.com/v1", ERR_OK, "" },
        { "broken", NULL, NULL, NULL, ERR_DEPLOYMENT_CONFIG, "NOT_SET" },
        { "openai/o3", "openai", "o3", "https://api.openai.com/v1", ERR_OK, "" },
        { "openai/gpt-5", "azure", "dep-5", "https://a.example", ERR_OK, "" },
        { "gpt-4o-mini", "openai", "gpt-4o-mini", "https://api.openai.com/v1", ERR_OK, "" },
        { "text-completion-openai/x", "text-completion-openai", "x", "https://api.openai.com/v1",
          ERR_OK, "" },
        { "whatever", NULL, NULL, NULL, ERR_UNKNOWN_MODEL, "provider in front" },
        { "azure/x2", NULL, NULL, NULL, ERR_DEPLOYMENT_CONFIG, "api_base" },
        { "own", "openai", "org/model-7b", "http://localhost:8000/v1", ERR_OK, "" },
        { "named", "openai", "org/model-7b", "https://api.openai.com/v1", ERR_OK, "" },
        { "strange", NULL, NULL, NULL, ERR_DEPLOYMENT_CONFIG, "not known" },
        { "bare", "openai", "gpt-4o", "https://api.openai.com/v1", ERR_OK, "" },
        { "nobase", NULL, NULL, NULL, ERR_DEPLOYMENT_CONFIG, "AZURE_API_BASE" },
        { "loop1", NULL, NULL, NULL, ERR_UNKNOWN_MODEL, "" },
    };
    struct rig r;
    rig_init(&r, yaml, keys);
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            struct pick p;
            struct fault f = { 0 };
            enum err e = router_pick(r.router, str_c(cases[i].model), r.arena, &p, &f);
            if (e != cases[i].err || str_find(f.msg, str_c(cases[i].says)) == STR_NONE)
                fail_msg("%s: %s %.*s", cases[i].model, err_name(e), STR_ARG(f.msg));
            if (e)
                continue;
            if (!str_eq(p.upstream_model, str_c(cases[i].upstream)) ||
                !str_eq(p.endpoint->api_base, str_c(cases[i].base)) ||
                !str_eq(p.endpoint->provider->name, str_c(cases[i].provider)))
                fail_msg("%s: %.*s %.*s %.*s", cases[i].model, STR_ARG(p.endpoint->provider->name),
                         STR_ARG(p.upstream_model), STR_ARG(p.endpoint->api_base));
        }
    rig_done(&r);
}

static void test_served_in_turn(void **state)
{
    struct rig r;
    unsigned seen[2] = { 0 };
    rig_init(&r, yaml, keys);
    for (int i = 0; i < 10; i++) {
        struct pick p;
        struct fault f;
        assert_int_equal(router_pick(r.router, i % 2 ? STR("far") : STR("pair"), r.arena, &p, &f),
                         ERR_OK);
        seen[str_eq(p.upstream_model, STR("two"))]++;
    }
    assert_int_equal(seen[0], 5);
    assert_int_equal(seen[1], 5);
    rig_done(&r);
}

static void test_no_variable_is_named(void **state)
{
    struct rig r;
    struct pick p;
    struct fault f;
    rig_init(&r, "model_list:\n  - model_name: m\n    litellm_params: { model: openai/x }\n", NULL);
    assert_int_equal(router_pick(r.router, STR("m"), r.arena, &p, &f), ERR_DEPLOYMENT_CONFIG);
    assert_true(str_find(f.msg, STR("OPENAI_API_KEY")) != STR_NONE);
    assert_int_equal(f.status, 500);
    assert_int_equal(router_pick(r.router, STR("n"), r.arena, &p, &f), ERR_UNKNOWN_MODEL);
    assert_true(str_eq(f.param, STR("model")));
    assert_int_equal(f.status, 400);
    rig_done(&r);
}

static void test_base_from_environment(void **state)
{
    static const char *const env[] = {
        "OPENAI_API_KEY", "k", "OPENAI_API_BASE", "http://old/v1", "OPENAI_BASE_URL",
        "http://new/v1/", NULL
    };
    struct rig r;
    struct pick p;
    struct fault f;
    rig_init(&r, "model_list:\n  - model_name: m\n    litellm_params: { model: openai/x }\n", env);
    assert_int_equal(router_pick(r.router, STR("m"), r.arena, &p, &f), ERR_OK);
    assert_true(str_eq(p.endpoint->api_base, STR("http://new/v1")));
    assert_true(secret_eq(p.endpoint->key, STR("k")));
    rig_done(&r);
}

static void test_api_is_chosen(void **state)
{
    static const struct {
        const char *params, *model;
        enum api_choice api;
    } cases[] = {
        { "model: openai/gpt-x", "gpt-x", API_AUTO },
        { "model: openai/responses/gpt-x", "gpt-x", API_RESPONSES },
        { "model: openai/chat_completions/gpt-x", "gpt-x", API_CHAT },
        { "model: openai/gpt-x, use_chat_completions_api: true", "gpt-x", API_CHAT },
        { "model: openai/responses/gpt-x, use_chat_completions_api: true", "gpt-x", API_RESPONSES },
        { "model: openai/gpt-x }, model_info: { mode: responses", "gpt-x", API_RESPONSES },
        { "model: openai/gpt-x }, model_info: { mode: chat", "gpt-x", API_AUTO },
        { "model: azure/responses/dep, api_base: 'https://a.example'", "dep", API_RESPONSES },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[512];
        struct rig r;
        struct pick p;
        struct fault f;
        snprintf(text, sizeof text, "model_list:\n  - { model_name: m, litellm_params: { %s } }\n",
                 cases[i].params);
        rig_init(&r, text, keys);
        assert_int_equal(router_pick(r.router, STR("m"), r.arena, &p, &f), ERR_OK);
        if (p.deployment->api != cases[i].api || !str_eq(p.upstream_model, str_c(cases[i].model)))
            fail_msg("%s: %d, %.*s", cases[i].params, (int)p.deployment->api,
                     STR_ARG(p.upstream_model));
        rig_done(&r);
    }
}

/* A response goes back to the deployment that made it, and to no other. */
static void test_one_deployment(void **state)
{
    static const char text[] =
        "model_list:\n"
        "  - { model_name: m, litellm_params: { model: openai/one }, model_info: { id: a } }\n"
        "  - { model_name: m, litellm_params: { model: openai/two }, model_info: { id: b } }\n"
        "  - { model_name: n, litellm_params: { model: openai/three }, model_info: { id: c } }\n"
        "  - { model_name: n, litellm_params: { model: openai/four, api_key: os.environ/UNSET }, model_info: { id: d } }\n";
    struct rig r;
    struct pick p;
    struct fault f = { 0 };
    rig_init(&r, text, keys);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(router_pick_deployment(r.router, STR("m"), STR("b"), r.arena, &p, &f),
                         ERR_OK);
        assert_true(str_eq(p.upstream_model, STR("two")));
    }
    assert_int_equal(router_pick_deployment(r.router, STR("m"), STR("c"), r.arena, &p, &f),
                     ERR_NOT_FOUND);
    assert_int_equal(router_pick_deployment(r.router, STR("zzz"), STR("c"), r.arena, &p, &f),
                     ERR_UNKNOWN_MODEL);
    assert_int_equal(router_pick_deployment(r.router, STR("n"), STR("d"), r.arena, &p, &f),
                     ERR_DEPLOYMENT_CONFIG);
    assert_true(str_find(f.msg, STR("UNSET")) != STR_NONE);
    rig_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_picks),
        cmocka_unit_test(test_served_in_turn),
        cmocka_unit_test(test_no_variable_is_named),
        cmocka_unit_test(test_base_from_environment),
        cmocka_unit_test(test_api_is_chosen),
        cmocka_unit_test(test_one_deployment),
    };
    return cmocka_run_group_tests_name("route/router", tests, NULL, NULL);
}
