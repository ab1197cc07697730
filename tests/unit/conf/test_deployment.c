#include "conf_test.h"

static const struct test_row env[] = {
    { "OPENAI_API_KEY", "sk-of-env" },
    { "BASE", "https://u:p@gw.example.com/v1" },
    { "TOKENS", "256" },
    { "HEADER", "from env" },
    { "EMPTY", "" },
    { "BROKEN", "a\nb" },
    { NULL, NULL },
};

/* One entry with these params; d is the deployment. */
static const struct conf_deployment *load_params(struct test_load *t, const char *params)
{
    char text[4096];
    snprintf(text, sizeof text,
             "model_list:\n  - model_name: m\n    litellm_params: {model: openai/gpt-4.1, %s}\n",
             params);
    test_load_text(t, text, env);
    assert_non_null(t->conf);
    assert_true(t->conf->deployment_count >= 1);
    return &t->conf->deployments[0];
}

static void test_all_fields(void **state)
{
    struct test_load t;
    (void)state;
    test_load_text(&t,
                   "model_list:\n"
                   "  - model_name: m\n"
                   "    litellm_params:\n"
                   "      model: openai/gpt-4.1\n"
                   "      custom_llm_provider: openai\n"
                   "      api_key: os.environ/OPENAI_API_KEY\n"
                   "      api_base: https://gw.example.com/v1\n"
                   "      api_version: 2024-10-21\n"
                   "      organization: org-1\n"
                   "      timeout: 1.5\n"
                   "      stream_timeout: 10m\n"
                   "      ssl_verify: no\n"
                   "      extra_headers: {x-a: one, x-b: os.environ/HEADER}\n"
                   "      headers: {x-c: 3}\n"
                   "      extra_body: {a: [1, two, ~], b: {c: 0x10}}\n"
                   "      additional_drop_params: [temperature, 'a.b[*]']\n"
                   "      drop_params: true\n"
                   "      weight: 2.5\n"
                   "      rpm: 10\n"
                   "      tpm: '1000'\n"
                   "      order: 1\n"
                   "      max_parallel_requests: 4\n"
                   "      temperature: '0.5'\n"
                   "      max_tokens: os.environ/TOKENS\n"
                   "      user: 123\n"
                   "      stop: [a, b]\n"
                   "      logprobs: 'yes'\n"
                   "      vendor_flag: yes\n"
                   "      vendor_text: 'yes'\n"
                   "    model_info: {id: dep-1, mode: embedding, blocked: true, owner: team}\n",
                   env);
    assert_non_null(t.conf);
    assert_int_equal(t.diags.errors + t.diags.warnings, 0);
    const struct conf_deployment *d = &t.conf->deployments[0];
    assert_str(d->file, "config.yaml");
    assert_int_equal(d->line, 2);
    assert_str(d->name, "m");
    assert_str(d->id, "dep-1");
    assert_str(d->model, "openai/gpt-4.1");
    assert_str(d->custom_provider, "openai");
    assert_str(d->api_base, "https://gw.example.com/v1");
    assert_str(d->api_version, "2024-10-21");
    assert_str(d->organization, "org-1");
    assert_true(secret_eq(d->api_key, STR("sk-of-env")));
    assert_int_equal(d->problem.len, 0);
    assert_int_equal(d->timeout_ms, 1500);
    assert_int_equal(d->stream_timeout_ms, 600000);
    assert_int_equal(d->ssl_verify, 0);
    assert_int_equal(d->header_count, 3);
    assert_str(d->headers[1].name, "x-b");
    assert_str(d->headers[1].value, "from env");
    assert_str(d->headers[2].value, "3");
    assert_int_equal(d->extra_body_count, 2);
    assert_str(d->extra_body[0].json, "[1,\"two\",null]");
    assert_str(d->extra_body[1].name, "b");
    assert_str(d->extra_body[1].json, "{\"c\":16}");
    assert_int_equal(d->drop_count, 2);
    assert_str(d->drop_params[1], "a.b[*]");
    assert_true(d->drop_unsupported);
    assert_true(d->weight > 2.4 && d->weight < 2.6);
    assert_int_equal(d->rpm, 10);
    assert_int_equal(d->tpm, 1000);
    assert_int_equal(d->order, 1);
    assert_int_equal(d->max_parallel_requests, 4);
    static const char *const defaults[][2] = {
        { "temperature", "0.5" },     { "max_tokens", "256" }, { "user", "\"123\"" },
        { "stop", "[\"a\",\"b\"]" },  { "logprobs", "true" },  { "vendor_flag", "true" },
        { "vendor_text", "\"yes\"" },
    };
    assert_int_equal(d->default_count, 7);
    for (size_t i = 0; i < d->default_count; i++) {
        assert_str(d->defaults[i].name, defaults[i][0]);
        assert_str(d->defaults[i].json, defaults[i][1]);
    }
    assert_str(d->mode, "embedding");
    assert_true(d->blocked);
    assert_str(d->model_info,
               "{\"id\":\"dep-1\",\"mode\":\"embedding\",\"blocked\":true,\"owner\":\"team\"}");
    test_unload(&t);
}

/* As in LiteLLM: an empty text is not set. An empty variable is a problem (test_problems). */
static void test_empty_texts(void **state)
{
    struct test_load t;
    const struct conf_deployment *d =
        load_params(&t, "api_key: '', api_base: \"\", organization: '', api_version: ''");
    (void)state;
    assert_string_equal(t.text.p, "");
    assert_null(d->api_key);
    assert_int_equal(d->api_base.len + d->api_version.len + d->organization.len, 0);
    assert_int_equal(d->problem.len, 0);
    test_unload(&t);
    d = load_params(&t, "api_base: os.environ/EMPTY");
    assert_non_null(strstr(d->problem.p, "api_base is the value of os.environ/EMPTY"));
    test_unload(&t);
}

/* Keys at the level of model_name are told where they belong. */
static void test_wrong_level(void **state)
{
    struct test_load t;
    (void)state;
    test_load_text(
        &t,
        "model_list:\n  - {model_name: a, litellm_params: {model: openai/a}, api_key: sk-1,"
        " rpm: 5, access_groups: [x], modle_info: {}, other: 1}\n",
        NULL);
    assert_told(&t, "model_list[0].api_key is not a known key; it belongs to "
                    "model_list[].litellm_params");
    assert_told(&t,
                "model_list[0].rpm is not a known key; it belongs to model_list[].litellm_params");
    assert_told(&t, "model_list[0].access_groups is not a known key; it belongs to "
                    "model_list[].model_info");
    assert_told(&t, "model_list[0].modle_info is not a known key; did you mean model_info?");
    assert_told(&t, "model_list[0].other is not a known key, and has no effect");
    assert_int_equal(t.diags.warnings, 5);
    test_unload(&t);
}

static void test_nothing_set(void **state)
{
    struct test_load t;
    const struct conf_deployment *d = load_params(&t, "api_key: ~, temperature: ");
    (void)state;
    assert_string_equal(t.text.p, "");
    assert_null(d->api_key);
    assert_int_equal(d->timeout_ms, -1);
    assert_int_equal(d->stream_timeout_ms, -1);
    assert_int_equal(d->ssl_verify, -1);
    assert_int_equal(d->rpm, -1);
    assert_int_equal(d->tpm, -1);
    assert_int_equal(d->order, -1);
    assert_int_equal(d->max_parallel_requests, -1);
    assert_true(d->weight < 0);
    assert_int_equal(d->default_count, 0);
    assert_int_equal(d->header_count, 0);
    assert_int_equal(d->mock_response.len, 0);
    assert_int_equal(d->mode.len, 0);
    assert_false(d->blocked || d->drop_unsupported);
    assert_int_equal(d->id.len, 64);
    assert_str(d->public_params, "{\"model\":\"openai/gpt-4.1\",\"temperature\":null}");
    test_unload(&t);
}

static void test_drop_params_is_inherited(void **state)
{
    struct test_load t;
    (void)state;
    test_load_text(&t,
                   "model_list:\n  - {model_name: a, litellm_params: {model: openai/a}}\n"
                   "  - {model_name: b, litellm_params: {model: openai/b, drop_params: false}}\n"
                   "litellm_settings: {drop_params: true}\n",
                   NULL);
    assert_true(t.conf->deployments[0].drop_unsupported);
    assert_false(t.conf->deployments[1].drop_unsupported);
    test_unload(&t);
}

static void test_mock(void **state)
{
    static const struct {
        const char *params, *json;
    } rows[] = {
        { "mock_response: hello", "\"hello\"" },
        { "mock_response: {choices: [{text: 'x'}]}", "{\"choices\":[{\"text\":\"x\"}]}" },
        { "mock_response: \"a \\\"b\\\"\\n\"", "\"a \\\"b\\\"\\n\"" },
        { "mock_response: os.environ/HEADER", "\"from env\"" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct test_load t;
        assert_str(load_params(&t, rows[i].params)->mock_response, rows[i].json);
        test_unload(&t);
    }
}

/* What is wrong is told, and is the deployment's answer; the config loads. */
static void test_problems(void **state)
{
    static const struct {
        const char *params, *problem;
    } rows[] = {
        { "api_key: os.environ/GONE",
          "the environment variable GONE (model_list[0].litellm_params.api_key, config.yaml:3) is not set; set it and "
          "reload" },
        { "extra_body: {a: {b: [os.environ/GONE]}}",
          "the environment variable GONE (model_list[0].litellm_params.extra_body.a.b[0], config.yaml:3) is not set; set "
          "it and reload" },
        { "vendor: os.environ/GONE",
          "the environment variable GONE (model_list[0].litellm_params.vendor, config.yaml:3) is not set; set it and "
          "reload" },
        { "temperature: os.environ/HEADER",
          "model_list[0].litellm_params.temperature is the value of os.environ/HEADER; it takes a number, for example "
          "0.5 (config.yaml:3)" },
        { "timeout: -1",
          "model_list[0].litellm_params.timeout is -1; it takes a number of seconds from 0.001 to 2592000 "
          "(or a duration: 30s, 5m, 1h), for example 30 (config.yaml:3)" },
        { "api_key: os.environ/BROKEN",
          "model_list[0].litellm_params.api_key holds a line break or another control character (at its end, perhaps); "
          "it must be one line (config.yaml:3)" },
        { "api_key: os.environ/EMPTY",
          "model_list[0].litellm_params.api_key is the value of os.environ/EMPTY; it takes a text (config.yaml:3)" },
        { "organization: [a, [b]]",
          "model_list[0].litellm_params.organization[1] is a list; it takes a list of texts, or one text, for example "
          "[\"a\", \"b\"] (config.yaml:3)" },
        { "litellm_credential_name: none",
          "model_list[0].litellm_params.litellm_credential_name is \"none\", which credential_list does not have "
          "(config.yaml:3)" },
        { "drop_params: perhaps",
          "model_list[0].litellm_params.drop_params is the text \"perhaps\"; it takes true or "
          "false, for example true (config.yaml:3)" },
        { "extra_headers: {\"bad name\": x}",
          "model_list[0].litellm_params.extra_headers.bad name: not a header name; it takes letters, digits and '-' "
          "(config.yaml:3)" },
        { "extra_body: {x: .inf}",
          "model_list[0].litellm_params.extra_body.x is not a number that JSON can say (infinite, NaN or too large); "
          "write another, or put it in quotes (config.yaml:3)" },
        { "logprobs: maybe",
          "model_list[0].litellm_params.logprobs is the text \"maybe\"; it takes true or false, for "
          "example true (config.yaml:3)" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct test_load t;
        const struct conf_deployment *d = load_params(&t, rows[i].params);
        if (!str_eq(d->problem, str_c(rows[i].problem)))
            fail_msg("%s: %.*s", rows[i].params, STR_ARG(d->problem));
        assert_int_equal(t.diags.errors, 1);
        assert_str(d->name, "m");
        test_unload(&t);
    }
}

static void test_first_problem_is_kept(void **state)
{
    struct test_load t;
    const struct conf_deployment *d =
        load_params(&t, "timeout: x, api_base: y, api_key: os.environ/GONE");
    (void)state;
    assert_int_equal(t.diags.errors, 3);
    assert_non_null(strstr(d->problem.p, "litellm_params.timeout"));
    test_unload(&t);
}

/* One broken entry says nothing about the others. */
static void test_neighbours(void **state)
{
    struct test_load t;
    (void)state;
    test_load_text(
        &t,
        "model_list:\n  - {model_name: a, litellm_params: {model: openai/a, timeout: x}}\n"
        "  - {model_name: b, litellm_params: {model: openai/b}}\n"
        "  - 17\n  - ~\n  - {model_name: [x], litellm_params: {model: openai/b}}\n"
        "  - {model_name: c, litellm_params: {model: openai/c}}\n",
        NULL);
    assert_non_null(t.conf);
    assert_int_equal(t.conf->deployment_count, 3);
    assert_true(t.conf->deployments[0].problem.len > 0);
    assert_int_equal(t.conf->deployments[1].problem.len, 0);
    assert_int_equal(t.conf->deployments[2].problem.len, 0);
    assert_told(&t, "config.yaml:4: error: model_list[2] is a number");
    assert_told(&t, "config.yaml:5: error: model_list[3] is nothing");
    assert_told(&t, "config.yaml:6: error: model_list[4].model_name is a list; it takes a text");
    test_unload(&t);
}

static void test_many_deployments(void **state)
{
    struct test_load t;
    struct buf b;
    (void)state;
    buf_init(&b, MIB);
    buf_putz(&b, "model_list:\n");
    for (unsigned i = 0; i < 1000; i++)
        buf_printf(&b, "  - {model_name: m%u, litellm_params: {model: openai/a}}\n", i);
    buf_putc(&b, '\0');
    test_load_text(&t, b.p, NULL);
    assert_int_equal(t.conf->deployment_count, 1000);
    assert_str(t.conf->deployments[0].name, "m0");
    assert_str(t.conf->deployments[999].name, "m999");
    test_unload(&t);
    buf_done(&b);
}

/* Six bytes for one: within the bound on the file, beyond the one on what is made of it. */
static void test_large_json(void **state)
{
    struct test_load t;
    struct buf b;
    (void)state;
    buf_init(&b, 16 * MIB);
    buf_putz(&b,
             "model_list: [{model_name: a, litellm_params: {model: openai/a, mock_response: \"");
    for (size_t i = 0; i < 3 * MIB; i++)
        buf_putz(&b, "\\a");
    buf_putz(&b, "\"}}]\n");
    buf_putc(&b, '\0');
    test_load_text(&t, b.p, NULL);
    assert_non_null(t.conf);
    assert_told(&t, "mock_response is larger than 16 MiB as JSON");
    assert_true(t.conf->deployments[0].problem.len > 0);
    assert_str(t.conf->deployments[0].public_params, "{}");
    test_unload(&t);
    buf_done(&b);
}

static void test_public_params(void **state)
{
    struct test_load t;
    const struct conf_deployment *d = load_params(
        &t,
        "api_key: sk-a, api_base: os.environ/BASE, aws_secret_access_key: b, vertex_credentials: c, aws_thing: d,"
        " extra_headers: {Authorization: e}, headers: [f], extra_body: {my_key: g, plain: 1, deep: {token: h},"
        " var: os.environ/HEADER}, my_secret: i, other: os.environ/HEADER, api_kee: j, input_cost_per_token: 3e-7,"
        " max_tokens: 5, region_name: os.environ/TOKENS, callback_url: 'https://x:y@host/p'");
    (void)state;
    assert_str(
        d->public_params,
        "{\"model\":\"openai/gpt-4.1\",\"api_base\":\"https://*****@gw.example.com/v1\","
        "\"extra_headers\":{\"Authorization\":\"*****\"},\"headers\":[\"f\"],"
        "\"extra_body\":{\"my_key\":\"*****\",\"plain\":1,\"deep\":{\"token\":\"*****\"},\"var\":\"*****\"},"
        "\"other\":\"*****\",\"input_cost_per_token\":3e-7,\"max_tokens\":5,\"region_name\":\"256\","
        "\"callback_url\":\"https://*****@host/p\"}");
    test_unload(&t);
}

static void test_model_info(void **state)
{
    struct test_load t;
    (void)state;
    test_load_text(
        &t,
        "model_list:\n  - model_name: a\n    litellm_params: {model: openai/a}\n"
        "    model_info: {input_cost_per_token: 0.000003, supports_vision: true, base_model: gpt-4.1,\n"
        "      custom_tokenizer: {auth_token: hidden}, gone: os.environ/GONE, tier: free, id: ~, team: os.environ/T}\n",
        (const struct test_row[]){ { "T", "red" }, { NULL, NULL } });
    const struct conf_deployment *d = &t.conf->deployments[0];
    struct str expected =
        arena_printf(t.arena,
                     "{\"id\":\"%.*s\",\"input_cost_per_token\":0.000003,\"supports_vision\":true,"
                     "\"base_model\":\"gpt-4.1\",\"custom_tokenizer\":{\"auth_token\":\"*****\"},"
                     "\"gone\":null,\"tier\":\"free\",\"team\":\"red\"}",
                     STR_ARG(d->id));
    assert_true(str_eq(d->model_info, expected));
    assert_int_equal(d->problem.len, 0);
    test_unload(&t);
    test_load_text(
        &t, "model_list: [{model_name: a, litellm_params: {model: openai/a}, model_info: [1]}]\n",
        NULL);
    assert_true(t.conf->deployments[0].problem.len > 0);
    test_unload(&t);
}

static void test_credentials(void **state)
{
    struct test_load t;
    (void)state;
    test_load_text(
        &t,
        "credential_list:\n"
        "  - credential_name: shared\n"
        "    credential_values: {api_key: os.environ/OPENAI_API_KEY, api_base: 'https://shared', api_version: v1,"
        " temperature: 0.1}\n"
        "  - credential_name: broken\n"
        "    credential_values: {api_key: os.environ/GONE}\n"
        "  - credential_name: bare\n"
        "model_list:\n"
        "  - {model_name: a, litellm_params: {model: azure/a, litellm_credential_name: shared, api_base: 'https://own'}}\n"
        "  - {model_name: b, litellm_params: {model: azure/b, litellm_credential_name: broken}}\n"
        "  - {model_name: c, litellm_params: {model: azure/c, litellm_credential_name: broken, api_key: k}}\n"
        "  - {model_name: d, litellm_params: {model: azure/d, litellm_credential_name: bare}}\n",
        env);
    const struct conf_deployment *d = t.conf->deployments;
    assert_true(secret_eq(d[0].api_key, STR("sk-of-env")));
    assert_str(d[0].api_base, "https://own");
    assert_str(d[0].api_version, "v1");
    assert_int_equal(d[0].default_count, 1);
    assert_str(d[0].defaults[0].json, "0.1");
    assert_int_equal(d[0].problem.len, 0);
    assert_str(
        d[1].problem,
        "the environment variable GONE (credential_list[1].credential_values.api_key, config.yaml:5) is "
        "not set; set it and reload");
    assert_int_equal(d[2].problem.len, 0);
    assert_null(d[3].api_key);
    assert_int_equal(d[3].problem.len, 0);
    test_unload(&t);
}

static void test_near_secret_is_not_sent(void **state)
{
    struct test_load t;
    const struct conf_deployment *d = load_params(&t, "api_kye: sk-1, temprature: 1, top_a: 2");
    (void)state;
    assert_told(
        &t,
        "model_list[0].litellm_params.api_kye is not a known key and is left out; did you mean api_key?");
    assert_int_equal(d->default_count, 2);
    assert_str(d->defaults[0].name, "temprature");
    assert_null(strstr(d->public_params.p, "sk-1"));
    test_unload(&t);
}

static void test_anchors_share_params(void **state)
{
    struct test_load t;
    (void)state;
    test_load_text(
        &t,
        "x-base: &base {timeout: 5, api_key: os.environ/OPENAI_API_KEY}\n"
        "model_list:\n"
        "  - {model_name: a, litellm_params: {<<: *base, model: openai/a}}\n"
        "  - {model_name: b, litellm_params: {<<: *base, model: openai/b, timeout: 9}}\n",
        env);
    assert_string_equal(t.text.p, "");
    assert_int_equal(t.conf->deployments[0].timeout_ms, 5000);
    assert_int_equal(t.conf->deployments[1].timeout_ms, 9000);
    assert_true(secret_eq(t.conf->deployments[1].api_key, STR("sk-of-env")));
    test_unload(&t);
}

static void test_wildcards(void **state)
{
    struct test_load t;
    (void)state;
    test_load_text(
        &t,
        "model_list:\n"
        "  - {model_name: '*', litellm_params: {model: '*'}}\n"
        "  - {model_name: 'openai/*', litellm_params: {model: 'openai/*'}}\n"
        "  - {model_name: 'all-*', litellm_params: {model: openai/gpt-4.1}}\n"
        "  - {model_name: 'foo::*:bar::*', litellm_params: {model: 'openai/foo::*:bar::*'}}\n"
        "  - {model_name: plain, litellm_params: {model: 'openai/*'}}\n",
        NULL);
    assert_int_equal(t.diags.count, 1);
    assert_told(
        &t,
        "config.yaml:6: warning: model_list[4].litellm_params.model has more stars than model_name");
    assert_int_equal(t.conf->deployments[4].problem.len, 0);
    test_unload(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_fields),
        cmocka_unit_test(test_nothing_set),
        cmocka_unit_test(test_empty_texts),
        cmocka_unit_test(test_wrong_level),
        cmocka_unit_test(test_drop_params_is_inherited),
        cmocka_unit_test(test_mock),
        cmocka_unit_test(test_problems),
        cmocka_unit_test(test_first_problem_is_kept),
        cmocka_unit_test(test_neighbours),
        cmocka_unit_test(test_many_deployments),
        cmocka_unit_test(test_large_json),
        cmocka_unit_test(test_public_params),
        cmocka_unit_test(test_model_info),
        cmocka_unit_test(test_credentials),
        cmocka_unit_test(test_near_secret_is_not_sent),
        cmocka_unit_test(test_anchors_share_params),
        cmocka_unit_test(test_wildcards),
    };
    return cmocka_run_group_tests_name("conf/deployment", tests, NULL, NULL);
}
