/* Requests of OpenAI's Chat Completions that are refused: each names the member and says what it should be. */
#include "openai_ir_bodies.h"
#include "wire/json_scan.h"

static const struct {
    const char *body, *param, *says;
} refusals[] = {
    { "", "", "no body" },
    { "{\"model\":\"m\"", "", "not acceptable JSON" },
    { "[]", "", "not acceptable JSON" },
    { "{" M HI ",\"model\":\"x\"}", "", "repeated member" },
    { "{" M HI ",\"temperature\":1,\"temperature\":2}", "", "repeated member" },
    { "{" HI "}", "model", "GET /v1/models" },
    { "{\"model\":\"\"," HI "}", "model", "not empty" },
    { "{\"model\":1," HI "}", "model", "string" },
    { "{" M HI ",\"api_base\":\"http://evil\"}", "api_base", "not taken from a request" },
    { "{" M "\"n\":1}", "messages", "is missing" },
    { "{" M "\"messages\":null}", "messages", "is missing" },
    { "{" M "\"messages\":{}}", "messages", "must be an array" },
    { "{" M "\"messages\":[]}", "messages", "is empty" },
    { MSGS("1"), "messages[0]", "must be an object" },
    { MSGS("{\"role\":\"user\",\"content\":\"a\"},{\"content\":\"a\"}"), "messages[1].role",
      "must be system" },
    { MSGS("{\"role\":\"robot\",\"content\":\"a\"}"), "messages[0].role", "it is \"robot\"" },
    { MSGS("{\"role\":\"user\"}"), "messages[0].content", "is missing" },
    { MSGS("{\"role\":\"user\",\"content\":null}"), "messages[0].content", "is missing" },
    { MSGS("{\"role\":\"user\",\"content\":7}"), "messages[0].content", "string or an array" },
    { MSGS("{\"role\":\"user\",\"content\":\"a\",\"name\":3}"), "messages[0].name", "string" },
    { MSGS("{\"role\":\"assistant\"}"), "messages[0].content", "refusal or tool_calls" },
    { MSGS("{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[]}"), "messages[0].content",
      "is missing" },
    { MSGS(
          "{\"role\":\"system\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://x/y\"}}]}"),
      "messages[0].content", "text parts alone" },
    { USER("7"), "messages[0].content[0]", "must be an object" },
    { USER("{\"text\":\"a\"}"), "messages[0].content[0].type", "text, image_url" },
    { USER("{\"type\":\"text\"}"), "messages[0].content[0].text", "string" },
    { USER("{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"image_url\"}"),
      "messages[0].content[1].image_url", "data: URL" },
    { USER("{\"type\":\"image_url\",\"image_url\":{}}"), "messages[0].content[0].image_url.url",
      "data: URL" },
    { USER("{\"type\":\"image_url\",\"image_url\":{\"url\":\"/etc/passwd\"}}"),
      "messages[0].content[0].image_url.url", "http(s)" },
    { USER("{\"type\":\"image_url\",\"image_url\":{\"url\":\"file:///etc/passwd\"}}"),
      "messages[0].content[0].image_url.url", "http(s)" },
    { USER("{\"type\":\"image_url\",\"image_url\":\"data:image/png;base64,@@\"}"),
      "messages[0].content[0].image_url", "cannot be read" },
    { USER("{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"?\",\"format\":\"wav\"}}"),
      "messages[0].content[0].input_audio.data", "base64" },
    { USER("{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"QUJD\"}}"),
      "messages[0].content[0].input_audio.format", "wav or mp3" },
    { USER("{\"type\":\"file\",\"file\":{}}"), "messages[0].content[0].file", "file_data" },
    { USER("{\"type\":\"file\",\"file\":{\"file_data\":\"!\"}}"),
      "messages[0].content[0].file.file_data", "data:application/pdf" },
    { USER("{\"type\":\"file\",\"file\":{\"file_id\":1}}"), "messages[0].content[0].file.file_id",
      "string" },
    /* tools in history */
    { MSGS(ANSWERS("a")), "messages[0].tool_call_id", "must follow" },
    { MSGS(ASKS(CALL("a")) "," ANSWERS("z")), "messages[1].tool_call_id", "`z`" },
    { MSGS(ASKS(CALL("a")) "," ANSWERS("a") "," ANSWERS("a")), "messages[2].tool_call_id",
      "answered twice" },
    { MSGS(ASKS(CALL("a"))), "messages[0]", "not answered" },
    { MSGS("{\"role\":\"user\",\"content\":\"a\"}," ASKS(CALL("a") "," CALL("b")) "," ANSWERS(
          "a") ",{\"role\":\"user\",\"content\":\"x\"}"),
      "messages[1]", "`b`" },
    { MSGS(ASKS(CALL("a")) "," ANSWERS("a") ",{\"role\":\"user\",\"content\":\"x\"}," ANSWERS("a")),
      "messages[3].tool_call_id", "must follow" },
    { MSGS(ASKS(CALL("a")) ",{\"role\":\"tool\",\"tool_call_id\":\"a\"}"), "messages[1].content",
      "is missing" },
    { MSGS(ASKS(CALL("a")) ",{\"role\":\"tool\",\"content\":\"r\"}"), "messages[1].tool_call_id",
      "is missing" },
    { MSGS(ASKS("{\"type\":\"function\",\"function\":{\"name\":\"f\"}}")),
      "messages[0].tool_calls[0].id", "string" },
    { MSGS(ASKS(CALL("a") ",{\"id\":\"b\",\"type\":\"function\",\"function\":{}}")),
      "messages[0].tool_calls[1].function.name", "string" },
    { MSGS(ASKS("{\"id\":\"b\",\"type\":\"robot\"}")), "messages[0].tool_calls[0].type",
      "function or custom" },
    { MSGS(ASKS("{\"id\":\"b\",\"function\":{\"name\":\"f\",\"arguments\":[1]}}")),
      "messages[0].tool_calls[0].function.arguments", "string" },
    { MSGS("{\"role\":\"assistant\",\"tool_calls\":{}}"), "messages[0].tool_calls", "array" },
    { MSGS("{\"role\":\"function\",\"name\":\"f\",\"content\":\"x\"}"), "messages[0].name",
      "role 'function'" },
    /* parameters */
    { "{" M HI ",\"temperature\":\"hot\"}", "temperature", "a number from 0 to 2; it is \"hot\"" },
    { "{" M HI ",\"temperature\":2.1}", "temperature", "from 0 to 2" },
    { "{" M HI ",\"max_tokens\":0}", "max_tokens", "from 1" },
    { "{" M HI ",\"max_tokens\":1.5}", "max_tokens", "integer" },
    { "{" M HI ",\"max_tokens\":1e400}", "max_tokens", "integer" },
    { "{" M HI ",\"n\":129}", "n", "1 to 128" },
    { "{" M HI ",\"top_logprobs\":21}", "top_logprobs", "0 to 20" },
    { "{" M HI ",\"stream\":\"yes\"}", "stream", "true or false" },
    { "{" M HI ",\"stream\":true,\"stream_options\":[]}", "stream_options", "object" },
    { "{" M HI ",\"stop\":5}", "stop", "string" },
    { "{" M HI ",\"stop\":[\"a\",\"\"]}", "stop[1]", "is empty" },
    { "{" M HI ",\"thinking\":{\"type\":\"now\"}}", "thinking.type", "between_tools" },
    { "{" M HI ",\"web_search_options\":{\"search_context_size\":\"huge\"}}",
      "web_search_options.search_context_size", "low, medium or high; it is \"huge\"" },
    { "{" M HI ",\"web_search_options\":{\"user_location\":\"Oslo\"}}",
      "web_search_options.user_location", "object" },
    { USER(
          "{\"type\":\"text\",\"text\":\"a\",\"cache_control\":{\"type\":\"ephemeral\",\"ttl\":\"9h\"}}"),
      "messages[0].content[0].cache_control", "ttl" },
    { USER("{\"type\":\"text\",\"text\":\"a\",\"cache_control\":\"x\"}"),
      "messages[0].content[0].cache_control", "ephemeral" },
    { MSGS("{\"role\":\"user\",\"content\":\"a\",\"cache_control\":[]}"),
      "messages[0].cache_control", "ephemeral" },
    { "{" M HI
      ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"},\"cache_control\":{\"type\":\"x\"}}]}",
      "tools[0].cache_control", "ephemeral" },
    { "{" M HI
      ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"cache_control\":{\"ttl\":1}}}]}",
      "tools[0].function.cache_control", "ephemeral" },
    { MSGS(
          "{\"role\":\"assistant\",\"content\":null,\"thinking_blocks\":[{\"type\":\"thinking\"}]}"),
      "messages[0].content", "is missing" },
    { "{" M HI ",\"stop\":[\"a\",null]}", "stop", "array of strings" },
    { "{" M HI ",\"reasoning_effort\":\"huge\"}", "reasoning_effort", "xhigh" },
    { "{" M HI ",\"thinking\":true}", "thinking", "budget_tokens" },
    { "{" M HI ",\"thinking\":{\"type\":\"maybe\"}}", "thinking.type", "enabled" },
    { "{" M HI ",\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":-1}}",
      "thinking.budget_tokens", "tokens" },
    { "{" M HI ",\"logit_bias\":[]}", "logit_bias", "object" },
    { "{" M HI ",\"user\":{}}", "user", "string" },
    { "{" M HI ",\"store\":1}", "store", "true or false" },
    { "{" M HI ",\"tools\":{}}", "tools", "array" },
    { "{" M HI ",\"tools\":[3]}", "tools[0]", "object" },
    { "{" M HI ",\"tools\":[{}]}", "tools[0].type", "is missing" },
    { "{" M HI ",\"tools\":[{\"type\":\"function\"}]}", "tools[0].function", "name" },
    { "{" M HI ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"\"}}]}",
      "tools[0].function.name", "not empty" },
    { "{" M HI
      ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":[]}}]}",
      "tools[0].function.parameters", "JSON Schema" },
    { "{" M HI ",\"tools\":[{\"type\":\"custom\",\"custom\":{\"name\":\"f\",\"strict\":3}}]}",
      "tools[0].custom.strict", "true or false" },
    { "{" M HI "," TOOLS ",\"functions\":[]}", "functions", "one of the two" },
    { "{" M HI ",\"functions\":[{\"name\":3}]}", "functions[0].name", "string" },
    { "{" M HI "," TOOLS ",\"tool_choice\":\"maybe\"}", "tool_choice", "none, auto, required" },
    { "{" M HI ",\"tool_choice\":\"required\"}", "tool_choice", "no tools" },
    { "{" M HI "," TOOLS ",\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"g\"}}}",
      "tool_choice.function.name", "`g`" },
    { "{" M HI "," TOOLS ",\"tool_choice\":{\"type\":\"odd\"}}", "tool_choice.type",
      "allowed_tools" },
    { "{" M HI "," TOOLS
      ",\"tool_choice\":{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":\"auto\",\"tools\":[]}}}",
      "tool_choice.allowed_tools.tools", "at least one" },
    { "{" M HI ",\"functions\":[{\"name\":\"f\"}],\"function_call\":\"required\"}", "function_call",
      "none, auto" },
    { "{" M HI ",\"response_format\":\"json\"}", "response_format", "object" },
    { "{" M HI ",\"response_format\":{\"type\":\"xml\"}}", "response_format.type", "json_schema" },
    { "{" M HI ",\"response_format\":{\"type\":\"json_schema\"}}", "response_format.json_schema",
      "name and schema" },
    { "{" M HI ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"schema\":{}}}}",
      "response_format.json_schema.name", "missing" },
};

static void test_refusals(void **state)
{
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct arena *a = arena_new();
        struct ir_request rq;
        struct fault f = { 0 };
        enum err e = read_body(str_c(refusals[i].body), a, &rq, &f);
        if (e == ERR_OK || f.status != 400 || !str_eq(f.param, str_c(refusals[i].param)) ||
            !contains(f.msg, refusals[i].says))
            fail_msg("case %zu: %s\n  error %d, param %.*s: %.*s", i, refusals[i].body, e,
                     STR_ARG(f.param), STR_ARG(f.msg));
        if (f.param.len && !str_starts(f.msg, f.param))
            fail_msg("case %zu: %.*s", i, STR_ARG(f.msg));
        arena_free(a);
    }
}

/* A body that was scanned before is refused for the same reasons, in the same words. */
static void test_scanned_is_the_same(void **state)
{
    struct json_problem problem;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct arena *a = arena_new();
        struct ir_request rq;
        struct fault f = { 0 }, g = { 0 };
        struct str body = str_c(refusals[i].body);
        if (json_check(body, &problem) == ERR_OK) {
            assert_int_equal(dialect_openai_chat.read_scanned(body, str_of(NULL, 0), a, &rq, &f),
                             read_body(body, a, &rq, &g));
            if (!str_eq(f.msg, g.msg) || !str_eq(f.param, g.param))
                fail_msg("case %zu: %.*s, and %.*s", i, STR_ARG(f.msg), STR_ARG(g.msg));
        }
        arena_free(a);
    }
}

/* Names are compared unescaped, members of no meaning are kept, and null is absent: however the body came. */
static void test_scanned_members(void **state)
{
    struct arena *a = arena_new();
    struct ir_request rq;
    struct fault f = { 0 };
    struct str body = STR("{\"mod\\u0065l\":\"m\"," HI ",\"top_p\":null,\"odd\":[1],\"\":2}");
    assert_int_equal(dialect_openai_chat.read_scanned(body, str_of(NULL, 0), a, &rq, &f), ERR_OK);
    assert_true(str_eq(rq.model, STR("m")) && !rq.top_p.set);
    assert_true(rq.ext && str_eq(rq.ext->name, STR("odd")) && str_eq(rq.ext->raw, STR("[1]")));
    assert_true(rq.ext->next && rq.ext->next->name.len == 0 && !rq.ext->next->next);
    body = STR("{\"mod\\u0065l\":\"m\",\"model\":null," HI "}");
    assert_int_equal(dialect_openai_chat.read_scanned(body, str_of(NULL, 0), a, &rq, &f),
                     ERR_BAD_JSON);
    assert_true(contains(f.msg, "repeated member"));
    arena_free(a);
}

/* Thousands of calls in one message, answered in the worst order, must not stall a worker: the number is bounded. */
static void test_calls_are_bounded(void **state)
{
    struct arena *a = arena_new();
    struct buf body;
    struct ir_request rq;
    struct fault f;
    buf_init(&body, 16 * MIB);
    buf_putz(&body, "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[");
    for (int i = 0; i < 513; i++)
        buf_printf(&body, "%s{\"id\":\"c%d\",\"function\":{\"name\":\"f\"}}", i ? "," : "", i);
    buf_putz(&body, "]}]}");
    assert_int_equal(read_body(buf_str(&body), a, &rq, &f), ERR_BAD_REQUEST);
    assert_true(contains(f.msg, "512"));
    buf_done(&body);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_scanned_is_the_same),
        cmocka_unit_test(test_scanned_members),
        cmocka_unit_test(test_calls_are_bounded),
    };
    return cmocka_run_group_tests_name("dialect/openai_ir_refusal", tests, NULL, NULL);
}
