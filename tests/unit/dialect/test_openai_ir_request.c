/* Requests of OpenAI's Chat Completions into the IR and out of it. */
#include "openai_ir_bodies.h"

#include <yyjson.h>

static const struct model_facts facts = { .family = STR_INIT("openai"),
                                          .stop_max = 4,
                                          .n_max = 128,
                                          .penalties = true,
                                          .logprobs = true,
                                          .seed = true,
                                          .efforts = 1u << IR_EFFORT_LOW | 1u << IR_EFFORT_HIGH };

static struct ir_request good(const char *body, struct arena *a)
{
    struct ir_request rq;
    struct fault f;
    if (read_body(str_c(body), a, &rq, &f))
        fail_msg("%s\n  refused: %.*s", body, STR_ARG(f.msg));
    return rq;
}

/* The body that a provider is sent; `*ret_fidelity` lives in the arena. */
static struct str written_for(const struct provider *row, const struct ir_request *rq,
                              const char *model, bool drop, struct arena *a,
                              struct str *ret_fidelity)
{
    struct dialect_target t = { .provider = row, .model = str_c(model), .facts = &facts };
    struct ir_report report;
    struct ir_call call;
    struct fault f;
    struct buf fidelity;
    ir_report_init(&report, a);
    report.drop_params = drop;
    if (dialect_openai_chat.write_request(rq, &t, &report, a, &call, &f))
        fail_msg("refused: %.*s", STR_ARG(f.msg));
    assert_text(call.suffix, "/chat/completions");
    struct str body = segments_flat(&call.body, a);
    segments_done(&call.body);
    buf_init(&fidelity, 4 * KIB);
    ir_report_write(&report, &fidelity);
    *ret_fidelity = arena_dup(a, buf_str(&fidelity));
    buf_done(&fidelity);
    return body;
}

static struct str written(const struct ir_request *rq, const char *model, bool drop,
                          struct arena *a, struct str *ret_fidelity)
{
    return written_for(NULL, rq, model, drop, a, ret_fidelity);
}

static void assert_same_json(struct str got, struct str want)
{
    yyjson_doc *x = yyjson_read(got.p, got.len, 0), *y = yyjson_read(want.p, want.len, 0);
    assert_non_null(y);
    if (!x || !yyjson_equals(yyjson_doc_get_root(x), yyjson_doc_get_root(y)))
        fail_msg("got:  %.*s\n  want: %.*s", STR_ARG(got), STR_ARG(want));
    yyjson_doc_free(x);
    yyjson_doc_free(y);
}

/* -- read, written again: the same request. `want` NULL: exactly the same. */
static const struct {
    const char *body, *want;
} round_trips[] = {
    { "{" M HI "}", NULL },
    { "{" M HI
      ",\"temperature\":0.5,\"top_p\":1,\"seed\":-7,\"frequency_penalty\":-2,\"presence_penalty\":2,\"n\":2,"
      "\"logit_bias\":{\"50256\":-100},\"logprobs\":true,\"top_logprobs\":3,\"max_completion_tokens\":100}",
      NULL },
    { "{" M HI
      ",\"stop\":[\"a\",\"b\"],\"user\":\"u\",\"safety_identifier\":\"s\",\"service_tier\":\"flex\",\"store\":false,"
      "\"metadata\":{\"k\":\"v\"},\"prompt_cache_key\":\"p\",\"prompt_cache_retention\":\"24h\",\"verbosity\":\"low\"}",
      NULL },
    { "{" M HI ",\"stop\":\"a\"}", "{" M HI ",\"stop\":[\"a\"]}" },
    { "{" M HI ",\"max_tokens\":100.0}", "{" M HI ",\"max_completion_tokens\":100}" },
    { "{" M HI ",\"max_tokens\":5,\"max_completion_tokens\":6e0}",
      "{" M HI ",\"max_completion_tokens\":6}" },
    { "{" M HI ",\"stream\":true}",
      "{" M HI ",\"stream\":true,\"stream_options\":{\"include_usage\":true}}" },
    { "{" M HI ",\"stream\":false,\"stream_options\":null}", "{" M HI "}" },
    { "{" M HI
      ",\"reasoning_effort\":\"xhigh\",\"modalities\":[\"text\"],\"prediction\":{\"type\":\"content\",\"content\":\"x\"},"
      "\"web_search_options\":{},\"audio\":{\"voice\":\"alloy\",\"format\":\"wav\"}}",
      NULL },
    { "{" M HI ",\"reasoning_effort\":{\"effort\":\"low\",\"summary\":\"auto\"}}",
      "{" M HI ",\"reasoning_effort\":\"low\"}" },
    { "{" M HI
      ",\"temperature\":null,\"tools\":null,\"stop\":null,\"response_format\":null,\"thinking\":null,\"x\":null}",
      "{" M HI "}" },
    { "{" M HI
      ",\"tags\":[\"a\"],\"fallbacks\":[],\"num_retries\":3,\"metadata\":{\"nested\":{}},\"mock_response\":\"x\"}",
      "{" M HI "}" },
    { "{" M HI
      ",\"prompt_cache_options\":{\"mode\":\"explicit\"},\"moderation\":{\"model\":\"x\"},\"a\\\"b\":[1,{}]}",
      NULL },
    { "{\"mess\\u0061ges\":[{\"r\\u006fle\":\"user\",\"content\":\"hi\"}],\"model\":\"m\"}",
      "{" M HI "}" },
    { "{" M HI "," TOOLS ",\"tool_choice\":\"required\",\"parallel_tool_calls\":false}", NULL },
    { "{" M HI "," TOOLS ",\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}}}",
      NULL },
    { "{" M HI "," TOOLS ",\"tool_choice\":{\"type\":\"function\",\"name\":\"f\"}}",
      "{" M HI "," TOOLS
      ",\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}}}" },
    { "{" M HI "," TOOLS
      ",\"tool_choice\":{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":\"auto\",\"tools\":[{\"type\":"
      "\"function\",\"function\":{\"name\":\"f\"}}]}}}",
      NULL },
    { "{" M HI
      ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"g\"}},{\"type\":\"function\",\"function\":{\"name\":\"h\","
      "\"description\":\"d\\n\",\"parameters\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}}},\"strict\":true,"
      "\"own\":1}}]}",
      NULL },
    { "{" M HI
      ",\"tools\":[{\"type\":\"custom\",\"custom\":{\"name\":\"c\",\"description\":\"d\",\"format\":{\"type\":\"text\"}}}],"
      "\"tool_choice\":{\"type\":\"custom\",\"custom\":{\"name\":\"c\"}}}",
      NULL },
    { "{" M HI ",\"tools\":[{\"type\":\"web_search_preview\"}]}", NULL },
    { "{" M HI
      ",\"functions\":[{\"name\":\"f\",\"description\":\"d\"}],\"function_call\":{\"name\":\"f\"}}",
      "{" M HI
      ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"d\"}}],\"parallel_tool_calls\":false,"
      "\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}}}" },
    { "{" M HI ",\"response_format\":{\"type\":\"json_object\"}}", NULL },
    { "{" M HI ",\"response_format\":{\"type\":\"text\"}}", NULL },
    { "{" M HI
      ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\",\"description\":\"d\",\"schema\":"
      "{\"type\":\"object\"},\"strict\":true}}}",
      NULL },
    /* messages */
    { MSGS(
          "{\"role\":\"system\",\"content\":\"s\"},{\"role\":\"developer\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":"
          "\"text\",\"text\":\"b\"}],\"name\":\"n\"},{\"role\":\"user\",\"content\":\"\",\"name\":\"bob\"}"),
      NULL },
    { USER(
          "{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,QUJD\",\"detail\":"
          "\"low\"}},{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://x.org/a.png\"}}"),
      NULL },
    { USER("{\"type\":\"image_url\",\"image_url\":\"https://x.org/a.png\"}"),
      USER("{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://x.org/a.png\"}}") },
    { USER(
          "{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"QUJD\",\"format\":\"mp3\"}},{\"type\":\"file\",\"file\":{\"file_id\":"
          "\"file-1\"}},{\"type\":\"file\",\"file\":{\"file_data\":\"data:application/pdf;base64,QUJD\",\"filename\":\"a.pdf\"}}"),
      NULL },
    { USER(
          "{\"type\":\"file\",\"file\":{\"file_data\":\"JVBERi0x\"}},{\"type\":\"text\",\"text\":\"x\"}"),
      USER(
          "{\"type\":\"file\",\"file\":{\"file_data\":\"data:application/pdf;base64,JVBERi0x\"}},{\"type\":\"text\",\"text\":\"x\"}") },
    { USER("{\"type\":\"file\",\"file\":{\"file_data\":\"QUJD\",\"filename\":\"n.TXT\"}}"),
      USER(
          "{\"type\":\"file\",\"file\":{\"file_data\":\"data:text/plain;base64,QUJD\",\"filename\":\"n.TXT\"}}") },
    { USER(
          "{\"type\":\"text\",\"text\":\"a\",\"prompt_cache_breakpoint\":{\"mode\":\"explicit\"}}"),
      NULL },
    { USER("{\"type\":\"text\",\"text\":\"a\",\"cache_control\":{\"type\":\"ephemeral\"}}"),
      USER(
          "{\"type\":\"text\",\"text\":\"a\",\"prompt_cache_breakpoint\":{\"mode\":\"explicit\"}}") },
    { USER(
          "{\"type\":\"video_url\",\"video_url\":{\"url\":\"https://x.org/v\"}},{\"type\":\"text\",\"text\":\"a\"}"),
      NULL },
    { USER(""), MSGS("{\"role\":\"user\",\"content\":\"\"}") },
    { MSGS(
          "{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":\"a\",\"annotations\":[]},{\"role\":\"assistant\","
          "\"content\":null,\"refusal\":\"no\"}"),
      NULL },
    { MSGS("{\"role\":\"assistant\",\"content\":[{\"type\":\"refusal\",\"refusal\":\"no\"}]}"),
      MSGS("{\"role\":\"assistant\",\"content\":null,\"refusal\":\"no\"}") },
    { MSGS("{\"role\":\"assistant\",\"audio\":{\"id\":\"a1\"}}"),
      MSGS("{\"role\":\"assistant\",\"content\":null,\"audio\":{\"id\":\"a1\"}}") },
    { MSGS(ASKS(CALL("a") "," CALL("b")) "," ANSWERS("b") "," ANSWERS(
          "a") ",{\"role\":\"user\",\"content\":\"go\"}"),
      NULL },
    { MSGS(ASKS(CALL("a")) "," ANSWERS("a") "," ASKS(CALL("a")) "," ANSWERS("a")), NULL },
    { MSGS(ASKS(CALL("a") "," CALL("a")) "," ANSWERS("a") "," ANSWERS("a")), NULL },
    { MSGS(
          ASKS("{\"id\":\"c\",\"type\":\"custom\",\"custom\":{\"name\":\"sql\",\"input\":\"select 1\"}}") "," ANSWERS(
              "c")),
      NULL },
    { MSGS(
          "{\"role\":\"assistant\",\"content\":\"t\",\"tool_calls\":[{\"id\":\"g\",\"type\":\"function\",\"function\":{\"name\":\"f\","
          "\"arguments\":\"not json {\\\"n\\\":12345678901234567890}\"},\"extra_content\":{\"google\":{\"thought_signature\":\"c2ln\"}}}]}," ANSWERS(
              "g")),
      NULL },
    { MSGS(
          ASKS("{\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":{ \"x y\" : [ 1, 2 ] }}}") "," ANSWERS(
              "a")),
      MSGS(
          ASKS("{\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"x y\\\":[1,2]}\"}}") "," ANSWERS(
              "a")) },
    { MSGS(
          "{\"role\":\"assistant\",\"content\":null,\"function_call\":{\"name\":\"f\",\"arguments\":\"{}\"}},{\"role\":\"function\",\"name\":"
          "\"f\",\"content\":\"r\"}"),
      MSGS(
          ASKS("{\"id\":\"call_fn_0\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}") "," ANSWERS(
              "call_fn_0")) },
    { MSGS("{\"role\":\"assistant\",\"content\":\"a\",\"reasoning_content\":\"why\"}"), NULL },
    { MSGS(
          "{\"role\":\"assistant\",\"content\":\"a\",\"thinking_blocks\":[{\"type\":\"thinking\",\"thinking\":\"t\",\"signature\":\"s\"},"
          "{\"type\":\"redacted_thinking\",\"data\":\"d\"}]}"),
      NULL },
    { MSGS(
          "{\"role\":\"assistant\",\"content\":\"a\",\"reasoning_details\":[{\"type\":\"reasoning.text\",\"text\":\"t\",\"signature\":\"s\","
          "\"format\":\"anthropic-claude-v1\"},{\"type\":\"reasoning.encrypted\",\"data\":\"d\",\"format\":\"openai-responses-v1\"}]}"),
      NULL },
    { MSGS(
          "{\"role\":\"assistant\",\"content\":\"a\",\"extra_content\":{\"google\":{\"thought_signature\":\"s\"}}}"),
      NULL },
    { MSGS(ASKS(CALL(
          "a")) ",{\"role\":\"tool\",\"tool_call_id\":\"a\",\"content\":[{\"type\":\"text\",\"text\":\"1\"},{\"type\":\"text\","
                "\"text\":\"2\"}]}"),
      NULL },
};

static void test_round_trips(void **state)
{
    for (size_t i = 0; i < sizeof round_trips / sizeof round_trips[0]; i++) {
        struct arena *a = arena_new();
        struct str fidelity;
        struct ir_request rq = good(round_trips[i].body, a);
        struct str out = written(&rq, "gpt-5.6", false, a, &fidelity);
        const char *want = round_trips[i].want ? round_trips[i].want : round_trips[i].body;
        struct str expected =
            arena_printf(a, "{\"model\":\"gpt-5.6\"%s", want + strlen("{\"model\":\"m\""));
        assert_same_json(out, expected);
        if (!str_eq(fidelity, STR("exact")))
            fail_msg("case %zu: %.*s", i, STR_ARG(fidelity));
        struct ir_request again = good(arena_cstr(a, out), a); /* and that is a request too */
        assert_same_json(written(&again, "gpt-5.6", false, a, &fidelity), expected);
        arena_free(a);
    }
}

#define CALLED(role, id)                                                                           \
    "\"messages\":[{\"role\":\"" role "\",\"content\":\"s\"},"                                     \
    "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"" id                       \
    "\",\"type\":\"function\","                                                                    \
    "\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},"                                       \
    "{\"role\":\"tool\",\"tool_call_id\":\"" id "\",\"content\":\"r\"}]"

/* What the provider's row says of its own ways. */
static void test_rows(void **state)
{
    static const struct {
        const char *provider, *body, *want;
    } rows[] = {
        { "openai", "{" M CALLED("developer", "call_1") ",\"max_tokens\":5}",
          "{" M CALLED("developer", "call_1") ",\"max_completion_tokens\":5}" },
        { "azure", "{" M CALLED("developer", "call_1") ",\"max_tokens\":5}",
          "{" M CALLED("developer", "call_1") ",\"max_completion_tokens\":5}" },
        { "openai_like", "{" M CALLED("developer", "call_1") ",\"max_completion_tokens\":5}",
          "{" M CALLED("developer", "call_1") ",\"max_tokens\":5}" },
        { "cerebras", "{" M CALLED("developer", "call_1") ",\"max_completion_tokens\":5}",
          "{" M CALLED("system", "call_1") ",\"max_tokens\":5}" },
        { "mistral", "{" M CALLED("developer", "call_1") ",\"max_completion_tokens\":5}",
          "{" M CALLED("system", "sPnjkEYJU") ",\"max_tokens\":5}" },
        { "mistral", "{" M CALLED("user", "aB3456789") "}", "{" M CALLED("user", "aB3456789") "}" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena *a = arena_new();
        struct str fidelity;
        const struct provider *row = provider_find(str_c(rows[i].provider));
        assert_non_null(row);
        struct ir_request rq = good(rows[i].body, a);
        assert_same_json(written_for(row, &rq, "m", false, a, &fidelity), str_c(rows[i].want));
        assert_text(fidelity, "exact");
        arena_free(a);
    }
}

/* -- what the IR holds */

static void test_parts_hold_what_was_sent(void **state)
{
    struct arena *a = arena_new();
    struct ir_request rq = good(
        USER(
            "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/JPG;base64,QUJD\",\"detail\":\"high\"},\"cache_control\":{\"type\":"
            "\"ephemeral\",\"ttl\":\"1h\"}},{\"type\":\"file\",\"file\":{\"file_id\":\"https://x.org/a.pdf\",\"format\":\"application/pdf\"}},"
            "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:;base64,iVBORw0KGgoA\"}}"),
        a);
    const struct ir_part *p = rq.messages->parts;
    assert_int_equal(p->kind, IR_IMAGE);
    assert_text(p->media.mime, "image/jpeg");
    assert_text(p->media.data, "QUJD");
    assert_text(p->media.detail, "high");
    assert_true(p->cache);
    assert_text(p->cache_ttl, "1h");
    p = p->next;
    assert_int_equal(p->kind, IR_FILE);
    assert_text(p->media.url, "\"https://x.org/a.pdf\"");
    assert_text(p->media.mime, "application/pdf");
    p = p->next;
    assert_text(p->media.mime, "image/png");
    assert_null(p->next);
    arena_free(a);
}

static void test_reasoning_and_signatures(void **state)
{
    struct arena *a = arena_new();
    struct ir_request rq = good(
        MSGS(
            "{\"role\":\"assistant\",\"content\":\"x\",\"reasoning_content\":\"t\",\"thinking_blocks\":[{\"type\":\"thinking\",\"thinking\":"
            "\"t\",\"signature\":\"s\"},{\"type\":\"redacted_thinking\",\"data\":\"d\"}],\"tool_calls\":[{\"id\":\"a\",\"type\":\"function\","
            "\"function\":{\"name\":\"f\",\"arguments\":\"\"},\"provider_specific_fields\":{\"thought_signature\":\"g\"}}]}," ANSWERS(
                "a")),
        a);
    const struct ir_part *p = rq.messages->parts;
    assert_int_equal(p->kind, IR_REASONING);
    assert_text(p->json, "\"t\"");
    assert_text(p->signature, "\"s\"");
    assert_int_equal(p->origin, IR_FROM_ANTHROPIC);
    p = p->next;
    assert_text(p->redacted, "\"d\"");
    p = p->next;
    assert_int_equal(p->kind, IR_TEXT);
    p = p->next;
    assert_int_equal(p->kind, IR_TOOL_CALL);
    assert_text(p->signature, "\"g\"");
    assert_int_equal(p->origin, IR_FROM_GEMINI);
    assert_text(p->arguments, "\"\"");
    const struct ir_part *result = rq.messages->next->parts;
    assert_int_equal(result->kind, IR_TOOL_RESULT);
    assert_text(result->name, "f");
    assert_text(result->content->json, "\"r\"");
    rq = good("{" M HI ",\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":2048.0}}", a);
    assert_int_equal(rq.thinking, 1);
    assert_true(rq.reasoning_visible);
    assert_text(rq.thinking_budget.raw, "2048");
    arena_free(a);
}

static void test_origins_of_server_tools(void **state)
{
    struct arena *a = arena_new();
    struct ir_request rq = good(
        "{" M HI
        ",\"tools\":[{\"type\":\"web_search_20250305\",\"name\":\"web_search\"},{\"googleSearch\":{}},"
        "{\"type\":\"function\",\"function\":{\"name\":\"f\"},\"cache_control\":{\"type\":\"ephemeral\"}}]}",
        a);
    assert_int_equal(rq.tools->kind, IR_SERVER_TOOL);
    assert_int_equal(rq.tools->origin, IR_FROM_ANTHROPIC);
    assert_text(rq.tools->name, "web_search");
    assert_int_equal(rq.tools->next->origin, IR_FROM_GEMINI);
    assert_true(rq.tools->next->next->cache);
    assert_int_equal(rq.tools->next->next->strict, -1);
    arena_free(a);
}

/* -- a request of another dialect */

static void test_foreign_turns(void **state)
{
    struct arena *a = arena_new();
    struct str fidelity;
    struct ir_part image = { .kind = IR_IMAGE,
                             .media = { .data = STR("QUJD"), .mime = STR("image/png") } };
    struct ir_part said = { .kind = IR_TEXT, .json = STR("\"7 C\""), .next = &image };
    struct ir_part text = { .kind = IR_TEXT, .json = STR("\"and?\"") };
    struct ir_part second = {
        .kind = IR_TOOL_RESULT, .call_id = STR("b"), .is_error = true, .next = &text
    };
    struct ir_part first = {
        .kind = IR_TOOL_RESULT, .call_id = STR("a"), .content = &said, .next = &second
    };
    struct ir_message turn = { .role = IR_USER, .parts = &first, .index = 1 };
    struct ir_part call2 = { .kind = IR_TOOL_CALL,
                             .call_id = STR("b"),
                             .name = STR("g"),
                             .arguments = STR("{}"),
                             .raw_arguments = true };
    struct ir_part call = { .kind = IR_TOOL_CALL,
                            .call_id = STR("a"),
                            .name = STR("f"),
                            .arguments = STR("{ \"a\" : \"b c\" }"),
                            .raw_arguments = true,
                            .next = &call2 };
    struct ir_part think = { .kind = IR_REASONING,
                             .json = STR("\"t\""),
                             .signature = STR("\"s\""),
                             .origin = IR_FROM_ANTHROPIC,
                             .next = &call };
    struct ir_message asks = { .role = IR_ASSISTANT, .parts = &think, .next = &turn };
    struct ir_ext ext = { .origin = IR_FROM_ANTHROPIC,
                          .name = STR("mcp_servers"),
                          .raw = STR("[]") };
    struct ir_request rq = { .origin = IR_FROM_ANTHROPIC,
                             .messages = &asks,
                             .parallel_tool_calls = -1,
                             .thinking = 1,
                             .schema_strict = -1,
                             .thinking_budget = { true, 4096, STR("4096") },
                             .top_k = { true, 5, STR("5") },
                             .ext = &ext };
    struct str out = written(&rq, "gpt-4.1", true, a, &fidelity);
    assert_same_json(
        out,
        STR("{\"model\":\"gpt-4.1\",\"messages\":["
            "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":["
            "{\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":\\\"b c\\\"}\"}},"
            "{\"id\":\"b\",\"type\":\"function\",\"function\":{\"name\":\"g\",\"arguments\":\"{}\"}}]},"
            "{\"role\":\"tool\",\"tool_call_id\":\"a\",\"content\":\"7 C\"},"
            "{\"role\":\"tool\",\"tool_call_id\":\"b\",\"content\":\"Error\"},"
            "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Part of the result of tool call a:\"},"
            "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,QUJD\"}}]},"
            "{\"role\":\"user\",\"content\":\"and?\"}],\"reasoning_effort\":\"low\"}"));
    assert_text(
        fidelity,
        "degraded=thinking,tool_error,tool_media; dropped=reasoning_state,top_k,unknown(mcp_servers)");
    arena_free(a);
}

static void test_refused_for_the_target(void **state)
{
    struct ir_part doc = { .kind = IR_FILE, .media = { .url = STR("\"https://x.org/a.pdf\"") } };
    struct ir_part image = { .kind = IR_IMAGE, .media = { .file_id = STR("\"file_1\"") } };
    struct ir_part block = { .kind = IR_OPAQUE, .raw = STR("{}"), .origin = IR_FROM_ANTHROPIC };
    struct ir_part *parts[] = { &doc, &image, &block };
    for (size_t i = 0; i < 3; i++) {
        struct arena *a = arena_new();
        struct ir_message m = { .role = IR_USER, .parts = parts[i], .index = 4 };
        struct ir_request rq = {
            .origin = IR_FROM_ANTHROPIC, .messages = &m, .parallel_tool_calls = -1, .thinking = -1
        };
        struct dialect_target t = { .model = STR("gpt-4.1"), .facts = &facts };
        struct ir_report report;
        struct ir_call call;
        struct fault f;
        ir_report_init(&report, a);
        assert_int_equal(dialect_openai_chat.write_request(&rq, &t, &report, a, &call, &f),
                         ERR_UNSUPPORTED_PARAM);
        assert_text(f.param, "messages[4].content");
        arena_free(a);
    }
}

static void test_deployment_members_win(void **state)
{
    struct arena *a = arena_new();
    struct conf_member set[] = { { STR("temperature"), STR("0") },
                                 { STR("own"), STR("{\"a\":1}") },
                                 { STR("model"), STR("\"evil\"") } };
    struct ir_request rq = good("{" M HI ",\"temperature\":1,\"own\":2,\"seed\":1}", a);
    struct dialect_target t = {
        .model = STR("x"), .facts = &facts, .passthrough = set, .passthrough_count = 3
    };
    struct ir_report report;
    struct ir_call call;
    struct fault f;
    ir_report_init(&report, a);
    assert_int_equal(dialect_openai_chat.write_request(&rq, &t, &report, a, &call, &f), ERR_OK);
    assert_same_json(
        segments_flat(&call.body, a),
        STR("{\"model\":\"x\"," HI ",\"seed\":1,\"temperature\":0,\"own\":{\"a\":1}}"));
    segments_done(&call.body);
    arena_free(a);
}

/* What a provider is not known to take is dropped, unless the deployment allows it by name (allowed_openai_params). */
static void test_allowed_members(void **state)
{
    static const struct str allowed[] = { STR_INIT("verbosity"), STR_INIT("prompt_cache_key"),
                                          STR_INIT("service_tier"), STR_INIT("tools"),
                                          STR_INIT("web_search_options") };
    struct arena *a = arena_new();
    struct ir_tool search = { .kind = IR_WEB_SEARCH,
                              .name = STR("web_search"),
                              .raw = STR("{\"type\":\"web_search\"}"),
                              .origin = IR_FROM_OPENAI_RESPONSES };
    struct ir_tool tool = { .kind = IR_CUSTOM, .name = STR("sh"), .strict = -1, .next = &search };
    struct ir_request rq = { .origin = IR_FROM_OPENAI_RESPONSES,
                             .tools = &tool,
                             .parallel_tool_calls = -1,
                             .thinking = -1,
                             .verbosity = STR("low"),
                             .service_tier = STR("flex"),
                             .prompt_cache_key = STR("\"k\""),
                             .prompt_cache_retention = STR("\"24h\"") };
    struct dialect_target t = { .provider = provider_find(STR("deepseek")),
                                .model = STR("m"),
                                .facts = &facts };
    for (int i = 0; i < 2; i++) {
        struct ir_report report;
        struct ir_call call;
        struct fault f;
        struct buf fidelity;
        t.allowed = allowed;
        t.allowed_count = i ? sizeof allowed / sizeof allowed[0] : 0;
        ir_report_init(&report, a);
        report.drop_params = true;
        assert_int_equal(dialect_openai_chat.write_request(&rq, &t, &report, a, &call, &f), ERR_OK);
        assert_same_json(
            segments_flat(&call.body, a),
            i ? STR("{\"model\":\"m\",\"messages\":[],\"web_search_options\":{},\"tools\":[{\"type\":\"custom\","
                    "\"custom\":{\"name\":\"sh\"}}],\"verbosity\":\"low\",\"service_tier\":\"flex\","
                    "\"prompt_cache_key\":\"k\"}")
              : STR("{\"model\":\"m\",\"messages\":[],\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"sh\","
                    "\"parameters\":{\"type\":\"object\",\"properties\":{\"input\":{\"type\":\"string\"}},"
                    "\"required\":[\"input\"]}}}]}"));
        segments_done(&call.body);
        buf_init(&fidelity, 4 * KIB);
        ir_report_write(&report, &fidelity);
        assert_text(buf_str(&fidelity),
                    i ? "degraded=web_search; dropped=prompt_cache_retention"
                      : "dropped=prompt_cache_key,prompt_cache_retention,service_tier,verbosity,"
                        "web_search");
        buf_done(&fidelity);
    }
    arena_free(a);
}

/* A client of this dialect is not second-guessed. */
static void test_own_members_are_kept(void **state)
{
    struct arena *a = arena_new();
    struct str fidelity;
    static const char body[] =
        "{" M HI
        ",\"tools\":[{\"type\":\"custom\",\"custom\":{\"name\":\"a.b\"}}],\"verbosity\":\"low\","
        "\"user\":\"u\",\"safety_identifier\":\"s\",\"service_tier\":\"priority\",\"prompt_cache_key\":\"k\","
        "\"web_search_options\":{\"search_context_size\":\"low\"},\"metadata\":{\"a\":\"b\"}}";
    struct ir_request rq = good(body, a);
    assert_same_json(written_for(provider_find(STR("mistral")), &rq, "m", false, a, &fidelity),
                     str_c(body));
    assert_text(fidelity, "exact");
    arena_free(a);
}

/* An image is borrowed from the request's body all the way. */
static void test_large_image_is_not_copied(void **state)
{
    struct arena *a = arena_new();
    struct str
        head = STR(
            "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{\"url\":"
            "\"data:image/png;base64,"),
        tail = STR("\"}}]}]}");
    size_t n = 60 * MIB;
    char *body = mem_alloc(head.len + n + tail.len);
    memcpy(body, head.p, head.len);
    memset(body + head.len, 'A', n);
    memcpy(body + head.len + n, tail.p, tail.len);
    struct ir_request rq;
    struct fault f;
    struct dialect_target t = { .model = STR("m"), .facts = &facts };
    struct ir_report report;
    struct ir_call call;
    const struct str *segs;
    size_t count;
    ir_report_init(&report, a);
    assert_int_equal(read_body(str_of(body, head.len + n + tail.len), a, &rq, &f), ERR_OK);
    assert_int_equal(dialect_openai_chat.write_request(&rq, &t, &report, a, &call, &f), ERR_OK);
    assert_int_equal(segments_finish(&call.body, a, &segs, &count), ERR_OK);
    assert_int_equal(count, 3);
    assert_ptr_equal(segs[1].p, body + head.len);
    assert_int_equal(segs[1].len, n);
    assert_true(call.body.own.room < 4 * KIB && arena_bytes(a) < 64 * KIB);
    segments_done(&call.body);
    mem_free(body);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_parts_hold_what_was_sent),
        cmocka_unit_test(test_reasoning_and_signatures),
        cmocka_unit_test(test_origins_of_server_tools),
        cmocka_unit_test(test_foreign_turns),
        cmocka_unit_test(test_refused_for_the_target),
        cmocka_unit_test(test_deployment_members_win),
        cmocka_unit_test(test_allowed_members),
        cmocka_unit_test(test_own_members_are_kept),
        cmocka_unit_test(test_large_image_is_not_copied),
    };
    return cmocka_run_group_tests_name("dialect/openai_ir_request", tests, NULL, NULL);
}
