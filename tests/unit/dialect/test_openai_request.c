#include "dialect_test.h"

/* -- reading */

static enum err read_it(enum openai_kind kind, const char *body, const char *path_model,
                        struct arena *a, struct openai_request *rq, struct fault *f)
{
    return openai_read_request(kind, str_c(body), str_c(path_model), a, rq, f);
}

static void test_refused(void **state)
{
    static const struct {
        enum openai_kind kind;
        const char *body;
        enum err err;
        const char *param, *says;
    } cases[] = {
        { OPENAI_CHAT, "", ERR_BAD_JSON, "", "no body" },
        { OPENAI_CHAT, "   \n", ERR_BAD_JSON, "", "no body" },
        { OPENAI_CHAT, "[]", ERR_BAD_JSON, "", "at byte" },
        { OPENAI_CHAT, "{\"model\":\"m\"", ERR_BAD_JSON, "", "at byte" },
        { OPENAI_CHAT, "{\"model\":\"m\"} x", ERR_BAD_JSON, "", "at byte" },
        { OPENAI_CHAT, "{\"model\":\"a\",\"model\":\"b\"}", ERR_BAD_JSON, "", "repeated" },
        { OPENAI_CHAT, "{\"model\":\"a\",\"m\\u006fdel\":\"b\"}", ERR_BAD_JSON, "", "repeated" },
        { OPENAI_CHAT, "{}", ERR_BAD_REQUEST, "model", "is missing" },
        { OPENAI_CHAT, "{\"model\":null}", ERR_BAD_REQUEST, "model", "is missing" },
        { OPENAI_CHAT, "{\"model\":7}", ERR_BAD_REQUEST, "model", "must be a string" },
        { OPENAI_CHAT, "{\"model\":\"\"}", ERR_BAD_REQUEST, "model", "not empty" },
        { OPENAI_CHAT, "{\"model\":\"m\",\"stream\":\"yes\"}", ERR_BAD_REQUEST, "stream",
          "true or false" },
        { OPENAI_EMBED, "{\"model\":\"m\",\"stream\":true}", ERR_BAD_REQUEST, "stream",
          "embeddings" },
        { OPENAI_CHAT, "{\"model\":\"m\",\"stream_options\":[]}", ERR_BAD_REQUEST, "stream_options",
          "object" },
        { OPENAI_CHAT,
          "{\"model\":\"m\",\"stream_options\":{\"include_usage\":true,\"include_usage\":false}}",
          ERR_BAD_REQUEST, "stream_options.include_usage", "repeated" },
        { OPENAI_CHAT, "{\"model\":\"m\",\"timeout\":\"3\"}", ERR_BAD_REQUEST, "timeout",
          "seconds" },
        { OPENAI_CHAT, "{\"model\":\"m\",\"timeout\":0}", ERR_BAD_REQUEST, "timeout",
          "more than 0" },
        { OPENAI_CHAT, "{\"model\":\"m\",\"request_timeout\":1e9}", ERR_BAD_REQUEST,
          "request_timeout", "86400" },
        { OPENAI_CHAT, "{\"model\":\"m\",\"stream_timeout\":-1}", ERR_BAD_REQUEST, "stream_timeout",
          "seconds" },
        { OPENAI_CHAT, "{\"model\":\"m\",\"api_base\":\"http://evil\"}", ERR_BAD_REQUEST,
          "api_base", "not taken from a request" },
        { OPENAI_CHAT, "{\"model\":\"m\",\"api_key\":\"sk-x\"}", ERR_BAD_REQUEST, "api_key",
          "not taken from a request" },
        { OPENAI_CHAT, "{\"model\":\"m\",\"base_url\":null}", ERR_BAD_REQUEST, "base_url",
          "not taken from a request" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena *a = arena_new();
        struct openai_request rq;
        struct fault f;
        assert_int_equal(read_it(cases[i].kind, cases[i].body, "", a, &rq, &f), cases[i].err);
        assert_int_equal(f.status, 400);
        assert_text(f.param, cases[i].param);
        if (!contains(f.msg, cases[i].says))
            fail_msg("case %zu: %.*s", i, STR_ARG(f.msg));
        arena_free(a);
    }
}

static void test_read(void **state)
{
    struct arena *a = arena_new();
    struct openai_request rq;
    struct fault f;
    const char *body =
        " {\"messages\":[],\"mod\\u0065l\":\"caf\\u00e9\",\"stream\":true,"
        "\"stream_options\":{\"include_usage\":true},\"timeout\":1.5,\"stream_timeout\":2}";
    assert_int_equal(read_it(OPENAI_CHAT, body, "", a, &rq, &f), ERR_OK);
    assert_text(rq.model, "caf\xc3\xa9");
    assert_text(rq.model_json, "\"caf\\u00e9\"");
    assert_true(rq.stream && rq.usage_asked);
    assert_int_equal(rq.timeout_ms, 1500);
    assert_int_equal(rq.stream_timeout_ms, 2000);
    assert_int_equal(rq.open_at, 2);
    assert_int_equal(rq.member_count, 6);
    arena_free(a);
}

static void test_path_model_wins(void **state)
{
    struct arena *a = arena_new();
    struct openai_request rq;
    struct fault f;
    assert_int_equal(read_it(OPENAI_CHAT, "{\"model\":\"body\"}", "a\"b", a, &rq, &f), ERR_OK);
    assert_text(rq.model, "a\"b");
    assert_text(rq.model_json, "\"a\\\"b\"");
    assert_int_equal(read_it(OPENAI_CHAT, "{}", "p", a, &rq, &f), ERR_OK);
    assert_text(rq.model, "p");
    arena_free(a);
}

/* -- edits */

static struct str edited_for(const struct provider *row, enum openai_kind kind, const char *body,
                             const char *path_model, const struct conf_deployment *d,
                             const char *upstream, struct arena *a)
{
    struct openai_request rq;
    struct fault f;
    struct splice sp;
    struct json_problem problem;
    if (read_it(kind, body, path_model, a, &rq, &f))
        fail_msg("%s: %.*s", body, STR_ARG(f.msg));
    openai_splice_request(&rq, d, row, str_c(upstream), &sp, a);
    struct str out = splice_flat(&sp, a);
    if (json_check(out, &problem))
        fail_msg("%s became %.*s", body, STR_ARG(out));
    return out;
}

static struct str edited(enum openai_kind kind, const char *body, const char *path_model,
                         const struct conf_deployment *d, const char *upstream, struct arena *a)
{
    return edited_for(NULL, kind, body, path_model, d, upstream, a);
}

static void test_edits(void **state)
{
    static const struct {
        const char *body, *path, *want;
    } cases[] = {
        /* nothing to edit: as it came */
        { "{ \"model\" : \"up\" , \"x\":1e400,\"x\":2 }\n", "",
          "{ \"model\" : \"up\" , \"x\":1e400,\"x\":2 }\n" },
        { "{\"model\":\"u\\u0070\"}", "", "{\"model\":\"u\\u0070\"}" },
        /* the model */
        { "{\"a\":[1, 2],\"model\":\"alias\",\"b\":\"\\ud83d\\ude00\"}", "",
          "{\"a\":[1, 2],\"model\":\"up\",\"b\":\"\\ud83d\\ude00\"}" },
        { "{}", "p", "{\"model\":\"up\"}" },
        { "{\"tags\":[\"t\"]}", "p", "{\"model\":\"up\"}" },
        { "{ \"messages\":[]}", "p", "{\"model\":\"up\", \"messages\":[]}" },
        /* the gateway's own members */
        { "{\"tags\":[1],\"model\":\"up\"}", "", "{\"model\":\"up\"}" },
        { "{\"model\":\"up\",\"fallbacks\":[\"b\"],\"num_retries\":2}", "", "{\"model\":\"up\"}" },
        { "{\"cache\":{},\"tags\":[],\"model\":\"up\",\"timeout\":3,\"n\":1,\"mock_timeout\":true}",
          "", "{\"model\":\"up\",\"n\":1}" },
        /* metadata: OpenAI's is a flat map of strings */
        { "{\"model\":\"up\",\"metadata\":{\"a\":\"b\"}}", "",
          "{\"model\":\"up\",\"metadata\":{\"a\":\"b\"}}" },
        { "{\"model\":\"up\",\"metadata\":{\"a\":\"b\",\"tags\":[\"x\"]}}", "",
          "{\"model\":\"up\"}" },
        { "{\"metadata\":null,\"model\":\"up\"}", "", "{\"model\":\"up\"}" },
        /* usage of streams */
        { "{\"model\":\"up\",\"stream\":true}", "",
          "{\"stream_options\":{\"include_usage\":true},\"model\":\"up\",\"stream\":true}" },
        { "{\"model\":\"up\",\"stream\":false}", "", "{\"model\":\"up\",\"stream\":false}" },
        { "{\"model\":\"up\",\"stream\":true,\"stream_options\":null}", "",
          "{\"model\":\"up\",\"stream\":true,\"stream_options\":{\"include_usage\":true}}" },
        { "{\"model\":\"up\",\"stream\":true,\"stream_options\":{}}", "",
          "{\"model\":\"up\",\"stream\":true,\"stream_options\":{\"include_usage\":true}}" },
        { "{\"model\":\"up\",\"stream\":true,\"stream_options\":{ \"include_obfuscation\":false}}",
          "",
          "{\"model\":\"up\",\"stream\":true,\"stream_options\":{\"include_usage\":true,\"include_obfuscation\":false}}" },
        { "{\"model\":\"up\",\"stream\":true,\"stream_options\":{\"include_usage\":false,\"z\":1}}",
          "",
          "{\"model\":\"up\",\"stream\":true,\"stream_options\":{\"include_usage\":true,\"z\":1}}" },
        { "{\"model\":\"up\",\"stream\":true,\"stream_options\":{\"include_usage\":true}}", "",
          "{\"model\":\"up\",\"stream\":true,\"stream_options\":{\"include_usage\":true}}" },
    };
    const struct conf_deployment plain = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena *a = arena_new();
        assert_text(edited(OPENAI_CHAT, cases[i].body, cases[i].path, &plain, "up", a),
                    cases[i].want);
        arena_free(a);
    }
}

static void test_deployment_edits(void **state)
{
    static const struct conf_member defaults[] = {
        { STR_INIT("temperature"), STR_INIT("0.2") },
        { STR_INIT("tools"), STR_INIT("[{\"type\":\"web_search\"}]") },
    };
    static const struct conf_member extra[] = {
        { STR_INIT("safety"), STR_INIT("{\"a\":1}") },
        { STR_INIT("model"), STR_INIT("\"never\"") },
        { STR_INIT("stream"), STR_INIT("true") },
    };
    static const struct str drop[] = { STR_INIT("logit_bias"), STR_INIT("model") };
    const struct conf_deployment d = { .defaults = defaults,
                                       .default_count = 2,
                                       .extra_body = extra,
                                       .extra_body_count = 3,
                                       .drop_params = drop,
                                       .drop_count = 2 };
    static const struct {
        const char *body, *want;
    } cases[] = {
        { "{\"model\":\"m\"}",
          "{\"temperature\":0.2,\"tools\":[{\"type\":\"web_search\"}],\"safety\":{\"a\":1},\"model\":\"up\"}" },
        { "{\"model\":\"m\",\"temperature\":null,\"tools\":[ ],\"safety\":3}",
          "{\"model\":\"up\",\"temperature\":null,\"tools\":[{\"type\":\"web_search\"}],\"safety\":{\"a\":1}}" },
        { "{\"logit_bias\":{},\"model\":\"m\",\"temperature\":1,\"tools\":[{\"a\":1}],\"safety\":{}}",
          "{\"model\":\"up\",\"temperature\":1,\"tools\":[{\"type\":\"web_search\"},{\"a\":1}],\"safety\":{\"a\":1}}" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena *a = arena_new();
        assert_text(edited(OPENAI_CHAT, cases[i].body, "", &d, "up", a), cases[i].want);
        arena_free(a);
    }
}

/* A deployment's defaults are written as chat's; Responses has other words for some, and none for others. */
static void test_response_edits(void **state)
{
    static const struct conf_member defaults[] = {
        { STR_INIT("max_tokens"), STR_INIT("99") },
        { STR_INIT("max_completion_tokens"), STR_INIT("98") },
        { STR_INIT("reasoning_effort"), STR_INIT("\"low\"") },
        { STR_INIT("verbosity"), STR_INIT("\"high\"") },
        { STR_INIT("seed"), STR_INIT("7") },
        { STR_INIT("temperature"), STR_INIT("0.2") },
        { STR_INIT("provider_own"), STR_INIT("1") },
    };
    const struct conf_deployment none = { 0 }, d = { .defaults = defaults, .default_count = 7 };
    static const struct {
        enum openai_kind kind;
        bool with_defaults;
        const char *body, *want;
    } cases[] = {
        { OPENAI_RESPONSES, false, "{\"model\":\"m\",\"input\":\"i\",\"stream\":true}",
          "{\"model\":\"up\",\"input\":\"i\",\"stream\":true}" },
        { OPENAI_RESPONSES, false,
          "{\"model\":\"m\",\"stream\":true,\"stream_options\":{\"include_obfuscation\":false}}",
          "{\"model\":\"up\",\"stream\":true,\"stream_options\":{\"include_obfuscation\":false}}" },
        { OPENAI_RESPONSES, false, "{\"model\":\"m\",\"tags\":[\"t\"],\"input\":[]}",
          "{\"model\":\"up\",\"input\":[]}" },
        { OPENAI_RESPONSES, true, "{\"model\":\"m\"}",
          "{\"max_output_tokens\":99,\"reasoning\":{\"effort\":\"low\"},\"text\":{\"verbosity\":\"high\"},"
          "\"temperature\":0.2,\"provider_own\":1,\"model\":\"up\"}" },
        { OPENAI_RESPONSES, true,
          "{\"model\":\"m\",\"max_output_tokens\":20,\"reasoning\":{\"summary\":\"auto\"},\"text\":{},"
          "\"temperature\":1,\"provider_own\":2}",
          "{\"model\":\"up\",\"max_output_tokens\":20,\"reasoning\":{\"summary\":\"auto\"},\"text\":{},"
          "\"temperature\":1,\"provider_own\":2}" },
        { OPENAI_RESPONSE_TOKENS, false, "{\"model\":\"m\",\"input\":\"i\"}",
          "{\"model\":\"up\",\"input\":\"i\"}" },
        /* What the deployment sets of a response is not taken for a count, or a compaction. */
        { OPENAI_RESPONSE_TOKENS, true, "{\"model\":\"m\",\"temperature\":1}",
          "{\"reasoning\":{\"effort\":\"low\"},\"text\":{\"verbosity\":\"high\"},\"provider_own\":1,"
          "\"model\":\"up\",\"temperature\":1}" },
        { OPENAI_RESPONSE_COMPACT, true, "{\"model\":\"m\"}",
          "{\"provider_own\":1,\"model\":\"up\"}" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena *a = arena_new();
        assert_text(
            edited(cases[i].kind, cases[i].body, "", cases[i].with_defaults ? &d : &none, "up", a),
            cases[i].want);
        arena_free(a);
    }
}

static void test_provider_quirks(void **state)
{
    const struct provider row = { .no_stream_options = true,
                                  .max_tokens_field = STR("max_tokens") };
    static const struct {
        const char *body, *want;
    } cases[] = {
        { "{\"model\":\"up\",\"stream\":true}", "{\"model\":\"up\",\"stream\":true}" },
        { "{\"model\":\"up\",\"stream_options\":{},\"stream\":true}",
          "{\"model\":\"up\",\"stream\":true}" },
        { "{\"max_completion_tokens\" : 5,\"model\":\"up\"}",
          "{\"max_tokens\":5,\"model\":\"up\"}" },
        { "{\"model\":\"up\",\"max_completion_tokens\":5,\"max_tokens\":7}",
          "{\"model\":\"up\",\"max_completion_tokens\":5,\"max_tokens\":7}" },
        { "{\"model\":\"up\",\"max_tokens\":7}", "{\"model\":\"up\",\"max_tokens\":7}" },
    };
    const struct conf_deployment plain = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena *a = arena_new();
        assert_text(edited_for(&row, OPENAI_CHAT, cases[i].body, "", &plain, "up", a),
                    cases[i].want);
        arena_free(a);
    }
}

#define TALK(role, id)                                                                             \
    "{\"model\":\"up\",\"messages\":[{\"role\":" role ",\"content\":\"developer\"},"               \
    "{\"role\":\"assistant\",\"tool_calls\":[{\"id\":" id ",\"type\":\"function\"}]},"             \
    "{\"tool_call_id\":" id ",\"role\":\"tool\"}],\"n\":1}"

/* Inside messages, for providers that want it; nothing else moves. */
static void test_message_quirks(void **state)
{
    const struct provider system = { .developer_as_system = true },
                          ids = { .tool_ids = TOOL_ID_9_ALNUM },
                          both = { .developer_as_system = true, .tool_ids = TOOL_ID_9_ALNUM },
                          none = { .max_tokens_field = STR("max_tokens") };
    const struct {
        const struct provider *row;
        const char *body, *want;
    } cases[] = {
        { &none, TALK("\"developer\"", "\"call_1\""), TALK("\"developer\"", "\"call_1\"") },
        { &system, TALK("\"developer\"", "\"call_1\""), TALK("\"system\"", "\"call_1\"") },
        { &system, TALK("\"dev\\u0065loper\"", "\"call_1\""), TALK("\"system\"", "\"call_1\"") },
        { &system, TALK("\"Developer\"", "\"call_1\""), TALK("\"Developer\"", "\"call_1\"") },
        { &ids, TALK("\"developer\"", "\"call_1\""), TALK("\"developer\"", "\"sPnjkEYJU\"") },
        { &ids, TALK("\"user\"", "\"call\\u005f1\""), TALK("\"user\"", "\"sPnjkEYJU\"") },
        { &ids, TALK("\"user\"", "\"aB3456789\""), TALK("\"user\"", "\"aB3456789\"") },
        { &both, TALK("\"developer\"", "\"call_1\""), TALK("\"system\"", "\"sPnjkEYJU\"") },
        { &both, TALK("\"user\"", "7"), TALK("\"user\"", "7") },
        { &both,
          "{\"model\":\"up\",\"messages\":[3,{\"role\":[]},[\"role\"],{\"tool_calls\":[1,{}]}]}",
          "{\"model\":\"up\",\"messages\":[3,{\"role\":[]},[\"role\"],{\"tool_calls\":[1,{}]}]}" },
        { &both, "{\"messages\":{\"role\":\"developer\"},\"model\":\"up\"}",
          "{\"messages\":{\"role\":\"developer\"},\"model\":\"up\"}" },
        { &both, "{\"messages\":[{\"role\":\"developer\"}],\"tags\":[],\"model\":\"m\"}",
          "{\"messages\":[{\"role\":\"system\"}],\"model\":\"up\"}" },
        { &both, "{\"tags\":[],\"messages\":[{\"role\":\"developer\"}],\"model\":\"m\"}",
          "{\"messages\":[{\"role\":\"system\"}],\"model\":\"up\"}" },
    };
    const struct conf_deployment plain = { 0 };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena *a = arena_new();
        assert_text(edited_for(cases[i].row, OPENAI_CHAT, cases[i].body, "", &plain, "up", a),
                    cases[i].want);
        arena_free(a);
    }
}

/* A list that the deployment puts in the place of the client's, or drops, is its own affair. */
static void test_message_quirks_of_other_lists(void **state)
{
    static const char *const body = "{\"messages\":[{\"role\":\"developer\"}],\"model\":\"up\"}";
    const struct conf_member extra[] = { { STR("messages"), STR("[{\"role\":\"developer\"}]") } };
    const struct str drop[] = { STR("messages") };
    const struct conf_deployment replaced = { .extra_body = extra, .extra_body_count = 1 },
                                 dropped = { .drop_params = drop, .drop_count = 1 };
    const struct provider row = { .developer_as_system = true };
    struct arena *a = arena_new();
    assert_text(edited_for(&row, OPENAI_CHAT, body, "", &replaced, "up", a), body);
    assert_text(edited_for(&row, OPENAI_CHAT, body, "", &dropped, "up", a), "{\"model\":\"up\"}");
    const struct conf_deployment plain = { 0 };
    assert_text(edited_for(&row, OPENAI_TEXT, body, "", &plain, "up", a), body);
    arena_free(a);
}

static void test_drop_paths(void **state)
{
    static const struct {
        const char *path, *body, *want;
    } cases[] = {
        { "tools[*].function.strict",
          "{\"tools\":[{\"function\":{\"strict\":true,\"name\":\"a\"}},{\"function\":{\"name\":\"b\"}}]}",
          "{\"tools\":[{\"function\":{\"name\":\"a\"}},{\"function\":{\"name\":\"b\"}}]}" },
        { "messages[1].name",
          "{\"messages\":[{\"name\":\"x\"},{\"name\":\"y\",\"role\":\"user\"}]}",
          "{\"messages\":[{\"name\":\"x\"},{\"role\":\"user\"}]}" },
        { "a.b", "{\"a\": {\"b\":1 } }", "{\"a\": {} }" },
        { "a.b.c", "{\"a\":{\"b\":[1]}}", "{\"a\":{\"b\":[1]}}" },
        { "a[0]", "{\"a\":[1]}", "{\"a\":[1]}" },
        { "a[x].b", "{\"a\":[{\"b\":1}]}", "{\"a\":[{\"b\":1}]}" },
        { "a[*].b", "{\"a\":7}", "{\"a\":7}" },
        { "a.", "{\"a\":{\"b\":1}}", "{}" },
        { "plain", "{\"plain\":1}",
          "{\"plain\":1}" }, /* not a path: openai_splice_request's business */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena *a = arena_new();
        struct str path = str_c(cases[i].path);
        assert_text(openai_drop_paths(str_c(cases[i].body), &path, 1, a), cases[i].want);
        arena_free(a);
    }
}

/* Every subset of the gateway's members in every place leaves valid JSON with the rest as it was. */
static void test_any_mix_of_gateway_members(void **state)
{
    static const char *const members[] = { "\"tags\":[1]", "\"model\":\"up\"", "\"cache\":{}",
                                           "\"n\":1",      "\"priority\":2",   "\"seed\":7" };
    const struct conf_deployment plain = { 0 };
    for (unsigned set = 1; set < 64; set++) {
        struct arena *a = arena_new();
        char body[200] = "{", want[200] = "{";
        for (unsigned i = 0; i < 6; i++) {
            if (!(set & 1u << i) && i != 1)
                continue;
            snprintf(body + strlen(body), sizeof body - strlen(body), "%s%s", body[1] ? " , " : "",
                     members[i]);
            if (i == 1 || i == 3 || i == 5)
                snprintf(want + strlen(want), sizeof want - strlen(want), "%s%s",
                         want[1] ? "," : "", members[i]);
        }
        snprintf(body + strlen(body), sizeof body - strlen(body), "}");
        snprintf(want + strlen(want), sizeof want - strlen(want), "}");
        struct str got = edited(OPENAI_CHAT, body, "", &plain, "up", a);
        char squeezed[200];
        size_t n = 0;
        for (size_t k = 0; k < got.len; k++)
            if (got.p[k] != ' ')
                squeezed[n++] = got.p[k];
        assert_text(str_of(squeezed, n), want);
        arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_path_model_wins),
        cmocka_unit_test(test_edits),
        cmocka_unit_test(test_deployment_edits),
        cmocka_unit_test(test_response_edits),
        cmocka_unit_test(test_any_mix_of_gateway_members),
        cmocka_unit_test(test_provider_quirks),
        cmocka_unit_test(test_message_quirks),
        cmocka_unit_test(test_message_quirks_of_other_lists),
        cmocka_unit_test(test_drop_paths),
    };
    return cmocka_run_group_tests_name("dialect/openai_request", tests, NULL, NULL);
}
