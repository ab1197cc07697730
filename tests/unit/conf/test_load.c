#include "conf_test.h"

#define MODEL "model_list: [{model_name: m, litellm_params: {model: openai/m}}]\n"

static void test_defaults(void **state)
{
    struct test_load t;
    (void)state;
    test_load_text(&t, "", NULL);
    assert_non_null(t.conf);
    const struct conf *c = t.conf;
    assert_int_equal(c->deployment_count, 0);
    assert_int_equal(c->alias_count, 0);
    assert_int_equal(c->file_count, 1);
    assert_str(c->files[0], "config.yaml");
    assert_null(c->general.master_key);
    assert_str(c->general.master_key_where, "");
    assert_int_equal(c->general.max_request_bytes, 64 * MIB);
    assert_int_equal(c->general.completion_model.len, 0);
    assert_false(c->general.forward_client_headers);
    assert_int_equal(c->litellm.request_timeout_ms, 6000000);
    assert_int_equal(c->litellm.stream_timeout_ms, -1);
    assert_int_equal(c->litellm.ssl_verify, -1);
    assert_false(c->litellm.drop_params || c->litellm.json_logs);
    assert_true(c->weir.access_log);
    assert_int_equal(c->weir.cors_origin_count, 0);
    assert_int_equal(c->weir.connect_timeout_ms, 5000);
    assert_int_equal(c->weir.first_byte_timeout_ms, 600000);
    assert_int_equal(c->weir.event_timeout_ms, 300000);
    assert_int_equal(c->weir.header_timeout_ms, 10000);
    assert_int_equal(c->weir.keepalive_timeout_ms, 75000);
    assert_int_equal(c->weir.body_min_rate, 1024);
    assert_int_equal(c->weir.body_grace_ms, 10000);
    assert_int_equal(c->weir.client_stall_timeout_ms, 120000);
    assert_int_equal(c->weir.upstream_idle_ms, 50000);
    assert_int_equal(c->weir.upstream_life_ms, 3600000);
    assert_int_equal(c->weir.upstream_connections, 1024);
    assert_int_equal(c->weir.stream_commit_ms, 10000);
    assert_int_equal(c->weir.ping_interval_ms, 15000);
    assert_int_equal(c->weir.drain_timeout_ms, 30000);
    assert_int_equal(c->weir.drain_delay_ms, 0);
    assert_int_equal(c->weir.max_bytes_in_flight, 0);
    assert_int_equal(c->weir.tls_certificate.len, 0);
    test_unload(&t);
}

static void test_settings(void **state)
{
    struct test_load t;
    (void)state;
    test_load_text(
        &t,
        MODEL
        "litellm_settings: {drop_params: on, json_logs: True, ssl_verify: /etc/ca.pem,"
        " request_timeout: 100}\n"
        "general_settings: {completion_model: m, embedding_model: e, always_include_stream_usage: yes,"
        " litellm_key_header_name: X-Key, max_request_size_mb: 0.5,"
        " forward_client_headers_to_llm_api: true, include_call_id_in_error_body: true}\n"
        "weir_settings: {cors_allow_origins: [\"https://a\", \"https://b\"], access_log: no,"
        " connect_timeout: 0.25, first_byte_timeout: 2m, event_timeout: '30', header_timeout: 1,"
        " keepalive_timeout: 2, body_min_rate: 2KiB, body_grace: 3, client_stall_timeout: 4,"
        " upstream_idle: 5, upstream_life: 1h, upstream_connections: 7, stream_commit: 8,"
        " ping_interval: 0, drain_timeout: 10, drain_delay: 11, max_bytes_in_flight: 512MiB,"
        " tls_certificate: c.pem, tls_key: k.pem, ca_file: ca.pem}\n",
        NULL);
    assert_string_equal(t.text.p, "");
    const struct conf *c = t.conf;
    assert_true(c->litellm.drop_params && c->litellm.json_logs);
    assert_int_equal(c->litellm.ssl_verify, 1);
    assert_str(c->litellm.ca_file, "/etc/ca.pem");
    assert_int_equal(c->litellm.request_timeout_ms, 100000);
    assert_str(c->general.completion_model, "m");
    assert_str(c->general.embedding_model, "e");
    assert_str(c->general.key_header_name, "X-Key");
    assert_true(c->general.always_include_stream_usage && c->general.forward_client_headers);
    assert_true(c->general.include_call_id_in_error_body);
    assert_int_equal(c->general.max_request_bytes, MIB / 2);
    assert_int_equal(c->weir.cors_origin_count, 2);
    assert_str(c->weir.cors_origins[1], "https://b");
    assert_false(c->weir.access_log);
    assert_int_equal(c->weir.connect_timeout_ms, 250);
    assert_int_equal(c->weir.first_byte_timeout_ms, 120000);
    assert_int_equal(c->weir.event_timeout_ms, 30000);
    assert_int_equal(c->weir.header_timeout_ms, 1000);
    assert_int_equal(c->weir.keepalive_timeout_ms, 2000);
    assert_int_equal(c->weir.body_min_rate, 2048);
    assert_int_equal(c->weir.body_grace_ms, 3000);
    assert_int_equal(c->weir.client_stall_timeout_ms, 4000);
    assert_int_equal(c->weir.upstream_idle_ms, 5000);
    assert_int_equal(c->weir.upstream_life_ms, 3600000);
    assert_int_equal(c->weir.upstream_connections, 7);
    assert_int_equal(c->weir.stream_commit_ms, 8000);
    assert_int_equal(c->weir.ping_interval_ms, 0);
    assert_int_equal(c->weir.drain_timeout_ms, 10000);
    assert_int_equal(c->weir.drain_delay_ms, 11000);
    assert_int_equal(c->weir.max_bytes_in_flight, 512 * MIB);
    assert_str(c->weir.tls_certificate, "c.pem");
    assert_str(c->weir.tls_key, "k.pem");
    assert_str(c->weir.ca_file, "ca.pem");
    test_unload(&t);
}

static void test_router_wins(void **state)
{
    struct test_load t;
    (void)state;
    test_load_text(
        &t,
        MODEL
        "router_settings: {timeout: 30, stream_timeout: 7.5}\nlitellm_settings: {request_timeout: 600}\n",
        NULL);
    assert_int_equal(t.conf->litellm.request_timeout_ms, 30000);
    assert_int_equal(t.conf->litellm.stream_timeout_ms, 7500);
    test_unload(&t);
    test_load_text(
        &t, MODEL "router_settings: {timeout: null}\nlitellm_settings: {request_timeout: 600}\n",
        NULL);
    assert_int_equal(t.conf->litellm.request_timeout_ms, 600000);
    test_unload(&t);
}

static void test_null_sections(void **state)
{
    struct test_load t;
    (void)state;
    test_load_text(
        &t,
        MODEL
        "litellm_settings:\nrouter_settings: ~\ngeneral_settings: null\nweir_settings:\ninclude:\n"
        "environment_variables:\ncredential_list:\nguardrails:\nx-anchors: {a: [1]}\n",
        NULL);
    assert_non_null(t.conf);
    assert_string_equal(t.text.p, "");
    test_unload(&t);
}

static void test_verify(void **state)
{
    struct test_load t;
    (void)state;
    test_load_text(&t, MODEL "litellm_settings: {ssl_verify: False}\n", NULL);
    assert_int_equal(t.conf->litellm.ssl_verify, 0);
    assert_int_equal(t.conf->litellm.ca_file.len, 0);
    test_unload(&t);
    test_load_text(&t, MODEL "litellm_settings: {ssl_verify: [a]}\n", NULL);
    assert_null(t.conf);
    assert_told(
        &t,
        "config.yaml:2: error: litellm_settings.ssl_verify is a list; it takes true, false, or the path");
    test_unload(&t);
}

static const struct test_row env[] = {
    { "TIMEOUT", "45" },       { "FLAG", "true" },  { "KEY", "sk-of-env" }, { "EMPTY", "" },
    { "ORIGIN", "https://o" }, { "NAME", "outer" }, { NULL, NULL },
};

static void test_environment(void **state)
{
    struct test_load t;
    struct str v;
    (void)state;
    test_load_text(
        &t,
        MODEL
        "environment_variables: {NAME: inner, COPY: os.environ/NAME, FAR: os.environ/FLAG, NUMBER: 12,"
        " NOTHING: ~}\n"
        "litellm_settings: {request_timeout: os.environ/TIMEOUT, drop_params: os.environ/FLAG}\n"
        "general_settings: {completion_model: 'os.environ/COPY', max_request_size_mb: os.environ/NUMBER}\n"
        "weir_settings: {cors_allow_origins: [os.environ/ORIGIN]}\n",
        env);
    assert_non_null(t.conf);
    assert_int_equal(t.conf->litellm.request_timeout_ms, 45000);
    assert_true(t.conf->litellm.drop_params);
    assert_str(t.conf->general.completion_model, "inner");
    assert_int_equal(t.conf->general.max_request_bytes, 12 * MIB);
    assert_str(t.conf->weir.cors_origins[0], "https://o");
    assert_true(conf_env(t.conf, &t.src, STR("NAME"), t.arena, &v));
    assert_str(v, "inner");
    assert_true(conf_env(t.conf, &t.src, STR("TIMEOUT"), t.arena, &v));
    assert_str(v, "45");
    assert_false(conf_env(t.conf, &t.src, STR("NOTHING"), t.arena, &v));
    assert_false(conf_env(t.conf, &t.src, STR(""), t.arena, &v));
    test_unload(&t);
}

static void test_bad_environment(void **state)
{
    static const struct {
        const char *yaml, *told;
        bool loads;
    } rows[] = {
        { MODEL "litellm_settings: {request_timeout: os.environ/KEY}\n",
          "request_timeout is the value of os.environ/KEY; it takes a number of seconds", false },
        { MODEL "litellm_settings: {request_timeout: os.environ/GONE}\n",
          "config.yaml:2: error: the environment variable GONE (litellm_settings.request_timeout) is not set",
          false },
        { MODEL "weir_settings: {cors_allow_origins: [a, os.environ/GONE]}\n",
          "GONE (weir_settings.cors_allow_origins[1]) is not set", false },
        { MODEL "general_settings: {completion_model: os.environ/ }\n",
          "os.environ/ must be followed by the name", false },
        { MODEL "general_settings: {completion_model: os.environ/A=B}\n",
          "os.environ/ must be followed by the name", false },
        { MODEL "environment_variables: [A]\n",
          "environment_variables is a list; it takes a mapping", false },
        { MODEL "environment_variables: {A: [b]}\n", "takes lines of 'NAME: value'", false },
        { MODEL "environment_variables: {A=B: c}\n", "takes lines of 'NAME: value'", false },
        { MODEL "environment_variables: {A: os.environ/GONE}\n",
          "warning: the environment variable GONE", true },
        { MODEL "general_settings: {database_url: os.environ/GONE}\n",
          "warning: the environment variable GONE", true },
        { MODEL "general_settings: {master_key: os.environ/EMPTY}\n",
          "master_key is the value of os.environ/EMPTY; it takes a text", false },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct test_load t;
        test_load_text(&t, rows[i].yaml, env);
        assert_told(&t, rows[i].told);
        assert_int_equal(t.conf != NULL, rows[i].loads);
        assert_int_equal(t.diags.errors != 0, !rows[i].loads);
        test_unload(&t);
    }
}

static void test_master_key(void **state)
{
    static const struct test_row none[] = { { NULL, NULL } };
    static const struct test_row set[] = { { "LITELLM_MASTER_KEY", "sk-env" }, { NULL, NULL } };
    static const struct test_row empty[] = { { "LITELLM_MASTER_KEY", "" }, { NULL, NULL } };
    static const struct {
        const char *yaml;
        const struct test_row *env;
        const char *key, *where;
        unsigned warnings;
    } rows[] = {
        { MODEL "general_settings: {master_key: sk-g}\nlitellm_settings: {master_key: sk-l}\n", set,
          "sk-g", "general_settings.master_key", 0 },
        { MODEL "litellm_settings: {master_key: sk-l}\n", set, "sk-env", "LITELLM_MASTER_KEY", 0 },
        { MODEL "litellm_settings: {master_key: sk-l}\n", empty, "sk-l",
          "litellm_settings.master_key", 1 },
        { MODEL "litellm_settings: {master_key: sk-l}\n", none, "sk-l",
          "litellm_settings.master_key", 1 },
        { MODEL "environment_variables: {LITELLM_MASTER_KEY: sk-file}\n", set, "sk-file",
          "LITELLM_MASTER_KEY", 0 },
        { MODEL "general_settings: {master_key: }\n", set, "sk-env", "LITELLM_MASTER_KEY", 0 },
        { MODEL "general_settings: {master_key: 1234}\n", none, "1234",
          "general_settings.master_key", 1 },
        { MODEL, none, NULL, "", 0 },
        { MODEL, empty, NULL, "", 0 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct test_load t;
        test_load_text(&t, rows[i].yaml, rows[i].env);
        assert_non_null(t.conf);
        assert_str(t.conf->general.master_key_where, rows[i].where);
        assert_int_equal(t.conf->general.master_key != NULL, rows[i].key != NULL);
        if (rows[i].key)
            assert_true(secret_eq(t.conf->general.master_key, str_c(rows[i].key)));
        assert_int_equal(t.diags.warnings, rows[i].warnings);
        test_unload(&t);
    }
}

static void test_bad_master_key(void **state)
{
    static const struct test_row broken[] = { { "LITELLM_MASTER_KEY", "sk-env\n" },
                                              { NULL, NULL } };
    struct test_load t;
    (void)state;
    test_load_text(&t, MODEL, broken);
    assert_null(t.conf);
    assert_told(&t, "config.yaml: error: LITELLM_MASTER_KEY holds a space or a line break");
    test_unload(&t);
    test_load_text(&t, MODEL "general_settings: {master_key: ''}\n", NULL);
    assert_null(t.conf);
    assert_told(&t, "general_settings.master_key is empty; it takes a text");
    test_unload(&t);
}

/* Credentials in every place, right and wrong: no message repeats one. */
static void test_secrets_are_not_told(void **state)
{
    static const struct test_row secret_env[] = { { "BAD", "hidden-in-env\n" }, { NULL, NULL } };
    struct test_load t;
    (void)state;
    test_load_text(
        &t,
        "model_list:\n"
        "  - model_name: a\n"
        "    litellm_params: {model: openai/a, api_key: [hidden-1], api_base: hidden-2,\n"
        "      extra_headers: {Authorization: [hidden-3], x-a: \"hidden-4\\n\"}, aws_secret_access_key: [hidden-5],\n"
        "      api_kee: hidden-6, extra_body: hidden-7, azure_ad_token: {x: hidden-8}}\n"
        "  - model_name: b\n"
        "    litellm_params: {model: openai/b, api_key: os.environ/BAD, timeout: os.environ/BAD}\n"
        "general_settings: {master_key: {hidden: hidden-9}, database_url: [hidden-10]}\n"
        "litellm_settings: {master_key: hidden-11, sk-hidden-12: 1}\n"
        "router_settings: {redis_password: [hidden-13], redis_url: {a: hidden-14}}\n"
        "credential_list: [{credential_name: [hidden-15], credential_values: hidden-16}]\n",
        secret_env);
    assert_null(t.conf);
    assert_true(t.diags.errors >= 8);
    for (int i = 1; i <= 16; i++) {
        char word[20];
        snprintf(word, sizeof word, "hidden-%d", i);
        assert_not_told(&t, word);
    }
    assert_not_told(&t, "hidden-in-env");
    test_unload(&t);
}

static void test_aliases(void **state)
{
    struct test_load t;
    (void)state;
    test_load_text(
        &t,
        MODEL
        "router_settings: {model_group_alias: {b: {model: m, hidden: true}, c: m, d: {model: m, hidden: no},"
        " e: ~}}\nlitellm_settings: {model_alias_map: {a: os.environ/M}}\n",
        (const struct test_row[]){ { "M", "m" }, { NULL, NULL } });
    assert_string_equal(t.text.p, "");
    assert_int_equal(t.conf->alias_count, 4);
    assert_str(t.conf->aliases[0].alias, "a");
    assert_str(t.conf->aliases[0].model, "m");
    assert_str(t.conf->aliases[1].alias, "b");
    assert_true(t.conf->aliases[1].hidden);
    assert_false(t.conf->aliases[2].hidden);
    assert_false(t.conf->aliases[3].hidden);
    test_unload(&t);
}

static void test_odd_alias(void **state)
{
    struct test_load t;
    (void)state;
    test_load_text(&t, MODEL "router_settings: {model_group_alias: {a: {model: m, hiden: true}}}\n",
                   NULL);
    assert_non_null(t.conf);
    assert_told(&t,
                "warning: router_settings.model_group_alias.a.hiden is not a known key; an alias "
                "takes model and hidden");
    test_unload(&t);
}

static void test_many_problems(void **state)
{
    struct test_load t;
    struct buf b;
    (void)state;
    buf_init(&b, 8 * MIB);
    for (unsigned i = 0; i < 3000; i++)
        buf_printf(&b, "section%u: 1\n", i);
    buf_putc(&b, '\0');
    test_load_text(&t, b.p, NULL);
    assert_non_null(t.conf);
    assert_int_equal(t.diags.count, 1001);
    assert_told(&t, "there are more problems than are listed here");
    test_unload(&t);
    buf_done(&b);
}

static void test_json_logs(void **state)
{
    static const struct test_row on[] = { { "JSON_LOGS", "True" }, { NULL, NULL } };
    static const struct test_row odd[] = { { "JSON_LOGS", "perhaps" }, { NULL, NULL } };
    struct test_load t;
    (void)state;
    test_load_text(&t, MODEL, on);
    assert_true(t.conf->litellm.json_logs);
    test_unload(&t);
    test_load_text(&t, MODEL "litellm_settings: {json_logs: false}\n", on);
    assert_false(t.conf->litellm.json_logs);
    test_unload(&t);
    test_load_text(&t, MODEL, odd);
    assert_false(t.conf->litellm.json_logs);
    test_unload(&t);
}

static void test_forward_headers_by_model(void **state)
{
    struct test_load t;
    (void)state;
    test_load_text(&t, MODEL "general_settings: {forward_client_headers_to_llm_api: [m]}\n", NULL);
    assert_non_null(t.conf);
    assert_false(t.conf->general.forward_client_headers);
    assert_told(
        &t,
        "note: general_settings.forward_client_headers_to_llm_api as a list of models is read but not active");
    test_unload(&t);
}

/* A key that has no effect never keeps weir from starting, whatever its value. */
static void test_inactive_is_lenient(void **state)
{
    struct test_load t;
    (void)state;
    test_load_text(
        &t,
        MODEL
        "litellm_settings: {callbacks: {a: b}, num_retries: x, max_budget: [1]}\n"
        "router_settings: {retry_policy: [1], redis_port: 99999999, routing_strategy: [a]}\n"
        "general_settings: {alerting: {a: b}, pass_through_endpoints: [x, {path: 1, target: no-url}]}\n"
        "guardrails: {a: b}\nmcp_servers: [1]\n",
        NULL);
    assert_non_null(t.conf);
    assert_int_equal(t.diags.errors, 0);
    assert_int_equal(t.diags.warnings, 11);
    test_unload(&t);
}

static void test_free_null(void **state)
{
    (void)state;
    conf_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_router_wins),
        cmocka_unit_test(test_null_sections),
        cmocka_unit_test(test_verify),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_bad_environment),
        cmocka_unit_test(test_master_key),
        cmocka_unit_test(test_bad_master_key),
        cmocka_unit_test(test_secrets_are_not_told),
        cmocka_unit_test(test_aliases),
        cmocka_unit_test(test_odd_alias),
        cmocka_unit_test(test_many_problems),
        cmocka_unit_test(test_json_logs),
        cmocka_unit_test(test_forward_headers_by_model),
        cmocka_unit_test(test_inactive_is_lenient),
        cmocka_unit_test(test_free_null),
    };
    return cmocka_run_group_tests_name("conf/load", tests, NULL, NULL);
}
