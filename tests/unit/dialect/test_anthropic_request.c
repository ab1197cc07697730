/* What the golden cases cannot show: requests of other origins, and what the deployment adds. */
#include "dialect/anthropic_priv.h"
#include "request_rig.h"

static void rig_init(struct rig *g, const char *model)
{
    request_rig_init(g, IR_FROM_OPENAI_CHAT, "anthropic", model);
    g->origin = IR_FROM_ANTHROPIC;
    g->rq.max_tokens = (struct ir_number){ true, 9, STR("9") };
}

static struct ir_part *call(struct rig *g, const char *id)
{
    return call_with(g, id, "{\"n\":9007199254740993}");
}

static struct ir_part *failed(struct rig *g, const char *id)
{
    return result(g, id, part(g, IR_TEXT, "\"r\""), true);
}

static enum err write(struct rig *g)
{
    return write_by(g, &dialect_anthropic_messages);
}

static void expect_body(struct rig *g, const char *want)
{
    expect_written(g, &dialect_anthropic_messages, want);
}

/* Results stand in a user's message, an own block and an unknown member keep their place. */
static void test_of_its_own_origin(void **state)
{
    struct rig g;
    rig_init(&g, "claude-sonnet-4-5");
    g.rq.origin = IR_FROM_ANTHROPIC;
    say(&g, IR_USER, part(&g, IR_TEXT, "\"q\""));
    struct ir_part *first = part(&g, IR_TEXT, "\"t\"");
    first->next = call(&g, "c1");
    first->next->next = part(&g, IR_REASONING, "\"late\"");
    first->next->next->signature = STR("\"s\"");
    first->next->next->next = call(&g, "c2");
    say(&g, IR_ASSISTANT, first);
    struct ir_part *back = failed(&g, "c2");
    back->next = part(&g, IR_TEXT, "\"go\"");
    back->next->next = failed(&g, "c1");
    back->next->next->next = part(&g, IR_OPAQUE, "");
    back->next->next->next->raw = STR("{\"type\":\"search_result\"}");
    say(&g, IR_USER, back);
    struct ir_ext ext = { .origin = IR_FROM_ANTHROPIC,
                          .name = STR("container"),
                          .raw = STR("\"c\"") };
    g.rq.ext = &ext;
    expect_body(
        &g,
        "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":9,\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":"
        "\"object\"}}],\"tool_choice\":{\"type\":\"none\"},\"messages\":[{\"role\":\"user\",\"content\":\"q\"},"
        "{\"role\":\"assistant\",\"content\":["
        "{\"type\":\"text\",\"text\":\"t\"},{\"type\":\"tool_use\",\"id\":\"c1\",\"name\":\"f\",\"input\":"
        "{\"n\":9007199254740993}},{\"type\":\"thinking\",\"thinking\":\"late\",\"signature\":\"s\"},{\"type\":"
        "\"tool_use\",\"id\":\"c2\",\"name\":\"f\",\"input\":{\"n\":9007199254740993}}]},{\"role\":\"user\","
        "\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"c1\",\"content\":\"r\",\"is_error\":true},"
        "{\"type\":\"tool_result\",\"tool_use_id\":\"c2\",\"content\":\"r\",\"is_error\":true},{\"type\":\"text\","
        "\"text\":\"go\"},{\"type\":\"search_result\"}]}],\"container\":\"c\"}");
    assert_int_equal(g.report.count, 0);
    arena_free(g.a);
}

static void test_results_must_fit(void **state)
{
    static const char *const wrong[][2] = { { "c9", NULL }, { "c1", "c1" }, { "c1", NULL } };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct rig g;
        rig_init(&g, "claude-sonnet-4-5");
        struct ir_part *calls = call(&g, "c1");
        calls->next = call(&g, "c2");
        say(&g, IR_USER, part(&g, IR_TEXT, "\"q\""));
        say(&g, IR_ASSISTANT, calls);
        for (size_t k = 0; k < 2 && wrong[i][k]; k++)
            say(&g, IR_TOOL, failed(&g, wrong[i][k]));
        say(&g, IR_USER, part(&g, IR_TEXT, "\"go\""));
        assert_int_equal(write(&g), ERR_BAD_REQUEST);
        assert_int_equal(g.fault.status, 400);
        assert_true(contains(g.fault.param, "messages["));
        arena_free(g.a);
    }
}

/* What the deployment sets stands once, in the place of the client's. */
static void test_deployment_members(void **state)
{
    static const struct conf_member mine[] = { { STR_INIT("temperature"), STR_INIT("0.1") },
                                               { STR_INIT("max_tokens"), STR_INIT("77") },
                                               { STR_INIT("new_member"), STR_INIT("{\"a\":1}") } };
    static const struct conf_member fixed[] = { { STR_INIT("messages"), STR_INIT("[]") } };
    struct rig g;
    rig_init(&g, "claude-sonnet-4-5");
    say(&g, IR_USER, part(&g, IR_TEXT, "\"q\""));
    g.rq.temperature = (struct ir_number){ true, 0.9, STR("0.9") };
    g.target.passthrough = mine;
    g.target.passthrough_count = 3;
    expect_body(
        &g,
        "{\"model\":\"claude-sonnet-4-5\",\"messages\":[{\"role\":\"user\",\"content\":\"q\"}],\"temperature\":0.1,"
        "\"max_tokens\":77,\"new_member\":{\"a\":1}}");
    g.target.passthrough = fixed;
    g.target.passthrough_count = 1;
    assert_int_equal(write(&g), ERR_DEPLOYMENT_CONFIG);
    arena_free(g.a);
}

/* Blocks of another provider: refused, or dropped and told. */
static void test_foreign_blocks(void **state)
{
    struct rig g;
    rig_init(&g, "claude-sonnet-4-5");
    struct ir_part *p = part(&g, IR_OPAQUE, "");
    p->origin = IR_FROM_GEMINI;
    p->raw = STR("{\"executableCode\":{}}");
    p->next = part(&g, IR_TEXT, "\"q\"");
    say(&g, IR_USER, p);
    assert_int_equal(write(&g), ERR_UNSUPPORTED_PARAM);
    g.report.drop_params = true;
    expect_body(
        &g,
        "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":9,\"messages\":[{\"role\":\"user\",\"content\":\"q\"}]}");
    assert_int_equal(g.report.count, 1);
    arena_free(g.a);
}

/* Large data is borrowed where it stands. */
static void test_large_data_is_borrowed(void **state)
{
    struct rig g;
    const struct str *segs;
    size_t n, borrowed = 0;
    rig_init(&g, "claude-sonnet-4-5");
    char *big = arena_alloc(g.a, 100000);
    memset(big, 'A', 100000);
    struct ir_part *p = part(&g, IR_IMAGE, "");
    p->media = (struct ir_media){ .data = str_of(big, 100000), .mime = STR("image/png") };
    say(&g, IR_USER, p);
    assert_int_equal(write(&g), ERR_OK);
    assert_int_equal(segments_finish(&g.call.body, g.a, &segs, &n), ERR_OK);
    for (size_t i = 0; i < n; i++)
        borrowed += segs[i].p == big && segs[i].len == 100000;
    assert_int_equal(borrowed, 1);
    segments_done(&g.call.body);
    arena_free(g.a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_its_own_origin),      cmocka_unit_test(test_results_must_fit),
        cmocka_unit_test(test_deployment_members),     cmocka_unit_test(test_foreign_blocks),
        cmocka_unit_test(test_large_data_is_borrowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
