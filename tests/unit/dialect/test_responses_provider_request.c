/* Requests for a provider of the Responses API: what the golden cases, whose clients speak Chat Completions, do not show. */
#include "request_rig.h"

#include "wire/json_scan.h"

static void rig_init(struct rig *g, enum ir_origin origin, const char *model)
{
    request_rig_init(g, origin, "openai", model);
    g->rq.origin = origin;
    g->rq.schema_strict = -1;
}

static struct ir_part *call(struct rig *g, const char *id)
{
    return call_with(g, id, "{ \"n\": 9007199254740993 }");
}

static struct ir_part *opaque(struct rig *g, const char *raw)
{
    struct ir_part *p = part(g, IR_OPAQUE, "");
    p->raw = str_c(raw);
    return p;
}

static enum err write(struct rig *g)
{
    return write_by(g, &dialect_openai_responses);
}

static void expect(struct rig *g, const char *body, const char *report)
{
    struct buf told;
    expect_written(g, &dialect_openai_responses, body);
    assert_text(g->call.suffix, "/responses");
    buf_init(&told, 4 * KIB);
    ir_report_write(&g->report, &told);
    assert_text(buf_str(&told), report);
    buf_done(&told);
    arena_free(g->a);
}

static void expect_refusal(struct rig *g, enum err err, const char *param, const char *says)
{
    assert_int_equal(write(g), err);
    assert_int_equal(g->fault.status, 400);
    assert_text(g->fault.param, param);
    if (!contains(g->fault.msg, says))
        fail_msg("%.*s", STR_ARG(g->fault.msg));
    arena_free(g->a);
}

#define HEAD "{\"model\":\"gpt-5.2\",\"input\":["
#define TAIL "],\"include\":[\"reasoning.encrypted_content\"],\"store\":false}"

/* Turns that hold several things in an order of their own: each is an item where it stood. */
static void test_turns_of_anthropic(void **state)
{
    struct rig g;
    rig_init(&g, IR_FROM_ANTHROPIC, "gpt-5.2");
    struct ir_part *first = part(&g, IR_REASONING, "\"hm\"");
    first->signature = STR("\"s\"");
    first->next = part(&g, IR_TEXT, "\"a\"");
    first->next->next = call(&g, "toolu_1");
    first->next->next->next = part(&g, IR_TEXT, "\"b\"");
    first->next->next->next->next = call(&g, "toolu_2");
    say(&g, IR_USER, part(&g, IR_TEXT, "\"q\""));
    say(&g, IR_ASSISTANT, first);
    struct ir_part *back = result(&g, "toolu_2", part(&g, IR_TEXT, "\"r2\""), true);
    back->next = part(&g, IR_TEXT, "\"go\"");
    back->next->next = result(&g, "toolu_1", NULL, true);
    say(&g, IR_USER, back);
    expect(
        &g,
        HEAD
        "{\"role\":\"user\",\"content\":\"q\"},{\"role\":\"assistant\",\"content\":\"a\"},"
        "{\"type\":\"function_call\",\"call_id\":\"toolu_1\",\"name\":\"f\",\"arguments\":\"{\\\"n\\\":9007199254740993}\"},"
        "{\"role\":\"assistant\",\"content\":\"b\"},"
        "{\"type\":\"function_call\",\"call_id\":\"toolu_2\",\"name\":\"f\",\"arguments\":\"{\\\"n\\\":9007199254740993}\"},"
        "{\"type\":\"function_call_output\",\"call_id\":\"toolu_1\",\"output\":\"Error\"},"
        "{\"type\":\"function_call_output\",\"call_id\":\"toolu_2\",\"output\":\"Error: r2\"},"
        "{\"role\":\"user\",\"content\":\"go\"}" TAIL,
        "degraded=tool_error; dropped=reasoning_state");
}

static void test_results_must_fit(void **state)
{
    static const char *const wrong[][2] = { { "c9", NULL }, { "c1", "c1" }, { NULL, NULL } };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct rig g;
        rig_init(&g, IR_FROM_ANTHROPIC, "gpt-5.2");
        say(&g, IR_ASSISTANT, call(&g, "c1"));
        for (size_t k = 0; k < 2; k++)
            if (wrong[i][k])
                say(&g, IR_TOOL, result(&g, wrong[i][k], part(&g, IR_TEXT, "\"r\""), false));
        assert_int_equal(write(&g), ERR_BAD_REQUEST);
        assert_true(g.fault.msg.len > 0);
        arena_free(g.a);
    }
}

/* Of this API's own clients everything keeps its place. */
static void test_of_its_own_origin(void **state)
{
    struct rig g;
    rig_init(&g, IR_FROM_OPENAI_RESPONSES, "gpt-5.2");
    struct ir_ext
        phase = { .origin = IR_FROM_OPENAI_RESPONSES,
                  .name = STR("phase"),
                  .raw = STR("\"commentary\"") },
        include = { .origin = IR_FROM_OPENAI_RESPONSES,
                    .name = STR("include"),
                    .raw = STR("[\"reasoning.encrypted_content\",\"file_search_call.results\"]") },
        cache = { .origin = IR_FROM_OPENAI_RESPONSES,
                  .name = STR("prompt"),
                  .raw = STR("{\"id\":\"p\"}"),
                  .next = &include };
    struct ir_tool tools[] = {
        { .kind = IR_WEB_SEARCH,
          .origin = IR_FROM_OPENAI_RESPONSES,
          .raw = STR("{\"type\":\"web_search\",\"filters\":{}}"),
          .next = &tools[1] },
        { .kind = IR_FUNCTION, .name = STR("f"), .strict = -1, .ext = &phase, .next = &tools[2] },
        { .kind = IR_CUSTOM,
          .name = STR("c"),
          .grammar = STR("{\"type\":\"grammar\",\"syntax\":\"regex\",\"definition\":\"a\"}") },
    };
    struct ir_part *state_part = part(&g, IR_REASONING, "\"sum\"");
    state_part->signature = STR("\"gAAA\"");
    say(&g, IR_USER, part(&g, IR_TEXT, "\"q\""));
    say(&g, IR_ASSISTANT, state_part);
    say(&g, IR_ASSISTANT, opaque(&g, "{\"type\":\"web_search_call\",\"id\":\"ws_1\"}"));
    say(&g, IR_ASSISTANT, part(&g, IR_TEXT, "\"t\""))->ext = &phase;
    struct ir_part *file = opaque(&g, "{\"type\":\"input_new\"}");
    file->next = opaque(&g, "{\"type\":\"mcp_approval_response\"}");
    say(&g, IR_USER, file);
    g.rq.tools = tools;
    g.rq.ext = &cache;
    g.rq.reasoning_state = true;
    g.rq.reasoning_summary = STR("detailed");
    g.rq.truncation = STR("auto");
    g.rq.store = STR("true");
    g.rq.web_search = STR("{}");
    expect(
        &g,
        HEAD
        "{\"role\":\"user\",\"content\":\"q\"},"
        "{\"type\":\"reasoning\",\"summary\":[{\"type\":\"summary_text\",\"text\":\"sum\"}],\"encrypted_content\":\"gAAA\"},"
        "{\"type\":\"web_search_call\",\"id\":\"ws_1\"},"
        "{\"role\":\"assistant\",\"content\":\"t\",\"phase\":\"commentary\"},"
        "{\"type\":\"mcp_approval_response\"},{\"role\":\"user\",\"content\":[{\"type\":\"input_new\"}]}],"
        "\"tools\":[{\"type\":\"web_search\",\"filters\":{}},"
        "{\"type\":\"function\",\"name\":\"f\",\"parameters\":{\"type\":\"object\",\"properties\":{}},\"strict\":false,\"phase\":\"commentary\"},"
        "{\"type\":\"custom\",\"name\":\"c\",\"format\":{\"type\":\"grammar\",\"syntax\":\"regex\",\"definition\":\"a\"}}],"
        "\"reasoning\":{\"summary\":\"detailed\"},"
        "\"include\":[\"reasoning.encrypted_content\",\"file_search_call.results\"],"
        "\"truncation\":\"auto\",\"store\":true,\"prompt\":{\"id\":\"p\"}}",
        "exact");
}

/* State that nothing follows is refused by OpenAI; so is an unsigned one. */
static void test_reasoning_alone(void **state)
{
    struct rig g;
    rig_init(&g, IR_FROM_OPENAI_RESPONSES, "gpt-5.2");
    struct ir_part *p = part(&g, IR_REASONING, "");
    p->redacted = STR("\"gAAA\"");
    say(&g, IR_ASSISTANT, p);
    expect(&g, "{\"model\":\"gpt-5.2\",\"input\":[],\"store\":false}", "dropped=reasoning_state");
}

static void test_media(void **state)
{
    static const struct {
        struct ir_part p;
        const char *want, *report; /* want NULL: refused */
    } rows[] = {
        { { .kind = IR_FILE, .media = { .text = STR_INIT("\"doc\"") } },
          "{\"type\":\"input_text\",\"text\":\"doc\"}",
          "degraded=document" },
        { { .kind = IR_FILE, .media = { .url = STR_INIT("\"https://a/b\"") } },
          "{\"type\":\"input_file\",\"file_url\":\"https://a/b\"}",
          "exact" },
        { { .kind = IR_FILE, .media = { .url = STR_INIT("\"gs://a/b\"") } }, NULL, NULL },
        { { .kind = IR_FILE, .media = { .file_id = STR_INIT("\"file_1\"") } }, NULL, NULL },
        { { .kind = IR_IMAGE, .media = { .file_id = STR_INIT("\"file_1\"") } }, NULL, NULL },
        { { .kind = IR_IMAGE, .media = { .data = STR_INIT("AAAA") } },
          "{\"type\":\"input_image\",\"image_url\":\"data:image/png;base64,AAAA\",\"detail\":\"auto\"}",
          "exact" },
        { { .kind = IR_AUDIO, .media = { .data = STR_INIT("AAAA") } }, NULL, NULL },
        { { .kind = IR_TEXT, .json = STR_INIT("\"t\""), .signature = STR_INIT("\"s\"") },
          "{\"type\":\"input_text\",\"text\":\"t\"}",
          "dropped=reasoning_state" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig g;
        rig_init(&g, IR_FROM_ANTHROPIC, "gpt-5.2");
        struct ir_part *p = part(&g, IR_TEXT, "");
        *p = rows[i].p;
        say(&g, IR_USER, p);
        if (rows[i].want)
            expect(
                &g,
                arena_printf(g.a, HEAD "{\"role\":\"user\",\"content\":[%s]}" TAIL, rows[i].want).p,
                rows[i].report);
        else
            expect_refusal(&g, ERR_UNSUPPORTED_PARAM, "messages[0].content", "Responses API");
    }
    struct rig g;
    rig_init(&g, IR_FROM_ANTHROPIC, "gpt-5.2");
    struct ir_part *p = part(&g, IR_IMAGE, "");
    p->media.data = STR("AAAA");
    say(&g, IR_ASSISTANT, p);
    expect_refusal(&g, ERR_UNSUPPORTED_PARAM, "messages[0].content", "assistant");
    rig_init(&g, IR_FROM_OPENAI_RESPONSES, "gpt-5.2");
    p = part(&g, IR_IMAGE, "");
    p->media.file_id = STR("\"file_1\"");
    say(&g, IR_USER, p);
    g.rq.reasoning_state = true;
    expect(
        &g,
        HEAD
        "{\"role\":\"user\",\"content\":[{\"type\":\"input_image\",\"file_id\":\"file_1\",\"detail\":\"auto\"}]}" TAIL,
        "exact");
}

/* Efforts of other dialects come to the nearest that the model has. */
static void test_effort(void **state)
{
    static const struct {
        const char *model;
        enum ir_effort effort;
        int thinking;
        double budget; /* -1: none */
        const char *want, *report;
    } rows[] = {
        { "gpt-5.2", IR_EFFORT_HIGH, -1, -1, ",\"reasoning\":{\"effort\":\"high\"}", "exact" },
        { "gpt-5.2", IR_EFFORT_MAX, -1, -1, ",\"reasoning\":{\"effort\":\"xhigh\"}",
          "degraded=reasoning_effort" },
        { "gpt-5", IR_EFFORT_UNSET, 0, -1, ",\"reasoning\":{\"effort\":\"minimal\"}",
          "degraded=thinking" },
        { "gpt-5.2", IR_EFFORT_UNSET, 0, -1, ",\"reasoning\":{\"effort\":\"none\"}", "exact" },
        { "gpt-5.2", IR_EFFORT_UNSET, 1, 3000, ",\"reasoning\":{\"effort\":\"medium\"}",
          "degraded=thinking" },
        { "gpt-5.2", IR_EFFORT_UNSET, 1, -1, "", "degraded=thinking" },
        { "gpt-4.1", IR_EFFORT_NONE, -1, -1, "", "exact" },
        { "gpt-4.1", IR_EFFORT_UNSET, -1, -1, "", "exact" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig g;
        rig_init(&g, IR_FROM_GEMINI, rows[i].model);
        say(&g, IR_USER, part(&g, IR_TEXT, "\"q\""));
        g.rq.effort = rows[i].effort;
        g.rq.thinking = rows[i].thinking;
        if (rows[i].budget >= 0)
            g.rq.thinking_budget = (struct ir_number){ true, rows[i].budget, STR("1") };
        bool reasons = g.target.facts->thinking != THINK_NONE;
        expect(
            &g,
            arena_printf(
                g.a,
                "{\"model\":\"%s\",\"input\":[{\"role\":\"user\",\"content\":\"q\"}]%s%s,\"store\":false}",
                rows[i].model, rows[i].want,
                reasons ? ",\"include\":[\"reasoning.encrypted_content\"]" : "")
                .p,
            rows[i].report);
    }
    struct rig g;
    rig_init(&g, IR_FROM_GEMINI, "gpt-4.1");
    g.rq.effort = IR_EFFORT_HIGH;
    expect_refusal(&g, ERR_UNSUPPORTED_PARAM, "reasoning_effort", "not supported");
    rig_init(&g, IR_FROM_GEMINI, "gpt-5.2");
    g.rq.effort = IR_EFFORT_LOW;
    g.rq.reasoning_visible = true;
    expect(&g,
           HEAD "],\"reasoning\":{\"effort\":\"low\",\"summary\":\"auto\"}"
                ",\"include\":[\"reasoning.encrypted_content\"],\"store\":false}",
           "exact");
}

/* What the deployment sets stands in the place of what would have been written. */
static void test_passthrough(void **state)
{
    static const struct conf_member pass[] = {
        { STR_INIT("tools"), STR_INIT("[]") },
        { STR_INIT("model"), STR_INIT("\"x\"") },
        { STR_INIT("seed"), STR_INIT("3") },
        { STR_INIT("temperature"), STR_INIT("0.1") },
        { STR_INIT("reasoning"), STR_INIT("{}") },
        { STR_INIT("include"), STR_INIT("[]") },
        { STR_INIT("text"), STR_INIT("{}") },
        { STR_INIT("store"), STR_INIT("true") },
        { STR_INIT("max_output_tokens"), STR_INIT("9") },
        { STR_INIT("odd"), STR_INIT("1") },
        { STR_INIT("tool_choice"), STR_INIT("\"auto\"") },
        { STR_INIT("stream"), STR_INIT("true") },
        { STR_INIT("input"), STR_INIT("\"x\"") },
    };
    static struct ir_ext odd = { .origin = IR_FROM_OPENAI_CHAT,
                                 .name = STR_INIT("odd"),
                                 .raw = STR_INIT("2") };
    struct rig g;
    rig_init(&g, IR_FROM_OPENAI_CHAT, "gpt-5.2");
    struct ir_tool tool = { .kind = IR_FUNCTION, .name = STR("f") };
    say(&g, IR_USER, part(&g, IR_TEXT, "\"q\""));
    g.target.passthrough = pass;
    g.target.passthrough_count = sizeof pass / sizeof pass[0];
    g.rq.tools = &tool;
    g.rq.choice = IR_CHOICE_NONE;
    g.rq.seed = (struct ir_number){ true, 3, STR("3") };
    g.rq.temperature = (struct ir_number){ true, 0.1, STR("0.1") };
    g.rq.max_tokens = (struct ir_number){ true, 5, STR("5") };
    g.rq.effort = IR_EFFORT_HIGH;
    g.rq.verbosity = STR("low");
    g.rq.ext = &odd;
    expect(
        &g,
        HEAD
        "{\"role\":\"user\",\"content\":\"q\"}],\"tools\":[],\"seed\":3,\"temperature\":0.1,\"reasoning\":{},"
        "\"include\":[],\"text\":{},\"store\":true,\"max_output_tokens\":9,\"odd\":1,\"tool_choice\":\"auto\"}",
        "exact");
}

static void test_developers_are_known_to_few(void **state)
{
    static const struct provider row = { .developer_as_system = true };
    struct rig g;
    rig_init(&g, IR_FROM_OPENAI_CHAT, "gpt-4.1");
    g.target.provider = &row;
    say(&g, IR_DEVELOPER, part(&g, IR_TEXT, "\"s\""));
    expect(
        &g,
        "{\"model\":\"gpt-4.1\",\"input\":[{\"role\":\"system\",\"content\":\"s\"}],\"store\":false}",
        "exact");
}

/* Long strings are sent from where they stand. */
static void test_large_data_is_borrowed(void **state)
{
    struct rig g;
    const struct str *segs;
    size_t n, len = 100 * KIB;
    bool found = false;
    rig_init(&g, IR_FROM_OPENAI_CHAT, "gpt-4.1");
    char *data = arena_alloc(g.a, len);
    memset(data, 'A', len);
    struct ir_part *p = part(&g, IR_IMAGE, "");
    p->media.data = str_of(data, len);
    say(&g, IR_USER, p);
    assert_int_equal(write(&g), ERR_OK);
    assert_int_equal(segments_finish(&g.call.body, g.a, &segs, &n), ERR_OK);
    for (size_t i = 0; i < n; i++)
        found |= segs[i].p == data && segs[i].len == len;
    assert_true(found);
    assert_true(g.call.body.own.len < 4 * KIB);
    segments_done(&g.call.body);
    arena_free(g.a);
}

/* With x-weir-strict any of them is refused, and the fault names it. */
static void test_strict(void **state)
{
    struct rig g;
    rig_init(&g, IR_FROM_OPENAI_CHAT, "gpt-5.2");
    g.report.strict = true;
    g.rq.max_tokens = (struct ir_number){ true, 5, STR("5") };
    expect_refusal(&g, ERR_UNSUPPORTED_PARAM, "max_tokens", "cannot be carried exactly");
    rig_init(&g, IR_FROM_OPENAI_CHAT, "gpt-5.2");
    g.report.strict = true;
    say(&g, IR_ASSISTANT, part(&g, IR_REFUSAL, "\"no\""));
    expect_refusal(&g, ERR_UNSUPPORTED_PARAM, "messages[0].content", "cannot be carried exactly");
    rig_init(&g, IR_FROM_OPENAI_RESPONSES, "gpt-5.2");
    say(&g, IR_USER, part(&g, IR_TEXT, "\"q\""));
    say(&g, IR_ASSISTANT, part(&g, IR_REASONING, "\"r\""));
    g.report.strict = true;
    expect_refusal(&g, ERR_UNSUPPORTED_PARAM, "input[1]", "cannot be carried exactly");
}

/* A tool that another API searches with. */
static void test_web_search_of_others(void **state)
{
    struct rig g;
    struct ir_tool tools[] = {
        { .kind = IR_WEB_SEARCH,
          .origin = IR_FROM_ANTHROPIC,
          .raw = STR("{\"type\":\"web_search_20250305\"}"),
          .next = &tools[1] },
        { .kind = IR_SERVER_TOOL, .origin = IR_FROM_ANTHROPIC, .raw = STR("{\"type\":\"bash\"}") },
    };
    rig_init(&g, IR_FROM_ANTHROPIC, "gpt-4.1");
    g.report.drop_params = true;
    g.rq.tools = tools;
    expect(
        &g,
        "{\"model\":\"gpt-4.1\",\"input\":[],\"tools\":[{\"type\":\"web_search\"}],\"store\":false}",
        "degraded=web_search; dropped=server_tools");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_turns_of_anthropic),
        cmocka_unit_test(test_results_must_fit),
        cmocka_unit_test(test_of_its_own_origin),
        cmocka_unit_test(test_reasoning_alone),
        cmocka_unit_test(test_media),
        cmocka_unit_test(test_effort),
        cmocka_unit_test(test_passthrough),
        cmocka_unit_test(test_developers_are_known_to_few),
        cmocka_unit_test(test_large_data_is_borrowed),
        cmocka_unit_test(test_strict),
        cmocka_unit_test(test_web_search_of_others),
    };
    return cmocka_run_group_tests_name("dialect/responses_provider_request", tests, NULL, NULL);
}
