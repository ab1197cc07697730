/* What the golden cases do not show: errors by class, usage, damaged streams, recorded answers. */
#include "dialect/anthropic_priv.h"
#include "recordings.h"

struct seen {
    unsigned counts[IR_EV_COUNT];
    enum ir_event_kind last;
    struct ir_usage usage;
    enum ir_finish finish;
    int status;
    char code[64];
    char told[256]; /* searches, losses and texts, in order */
};

static void tell(struct seen *s, const char *mark, struct str what)
{
    size_t n = strlen(s->told);
    snprintf(s->told + n, sizeof s->told - n, "%s%.*s ", mark, STR_ARG(what));
}

struct rig {
    struct arena *a;
    struct ir_request rq;
    struct dialect_target target;
    struct answer_context c;
    struct anthropic_reader reader;
    struct ir_sink sink;
    struct seen seen;
    const char *what;
};

static void on_event(void *ctx, const struct ir_event *ev)
{
    struct rig *g = ctx;
    assert_true(g->seen.counts[IR_EV_END] == 0 && g->seen.counts[IR_EV_ERROR] == 0);
    g->seen.counts[ev->kind]++;
    g->seen.last = ev->kind;
    if (ev->kind == IR_EV_USAGE)
        g->seen.usage = ev->usage;
    if (ev->kind == IR_EV_FINISH)
        g->seen.finish = ev->finish;
    if (ev->kind == IR_EV_WEB_SEARCH) {
        tell(&g->seen, "?", ev->call_id);
        tell(&g->seen, "", ev->json);
    }
    if (ev->kind == IR_EV_LOSS)
        tell(&g->seen, ev->degraded ? "~" : "-", ev->name);
    if (ev->kind == IR_EV_TEXT)
        tell(&g->seen, "", ev->json);
    if (ev->kind == IR_EV_ERROR) {
        g->seen.status = ev->fault->status;
        snprintf(g->seen.code, sizeof g->seen.code, "%.*s", STR_ARG(ev->fault->code));
    }
}

static void rig_init(struct rig *g)
{
    *g = (struct rig){ .a = arena_new() };
    g->target.facts = model_facts_find(STR("anthropic"), STR("claude-sonnet-4-5"));
    g->c = (struct answer_context){ .rq = &g->rq, .target = &g->target, .arena = g->a };
    g->sink = (struct ir_sink){ on_event, g };
    dialect_anthropic_messages.reader_init(&g->reader, &g->c);
}

static void rig_done(struct rig *g)
{
    dialect_anthropic_messages.reader_done(&g->reader);
    arena_free(g->a);
}

static enum err feed(struct rig *g, const char *data, bool whole)
{
    struct frame f = { .data = str_c(data), .whole = whole };
    return dialect_anthropic_messages.read_answer(&g->reader, &f, &g->sink, &g->what);
}

#define START                                                                                      \
    "{\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"model\":\"c\",\"content\":[],\"usage\":null}}"

static void test_errors_in_a_stream(void **state)
{
    static const struct {
        const char *json, *code;
        int status;
    } rows[] = {
        { "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"x\"}}",
          "server_is_overloaded", 503 },
        { "{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"x\"}}",
          "rate_limit_exceeded", 429 },
        { "{\"type\":\"error\",\"error\":{\"type\":\"authentication_error\",\"message\":\"x\"}}",
          "upstream_auth", 502 },
        { "{\"type\":\"error\",\"error\":{\"type\":\"billing_error\",\"message\":\"x\"}}",
          "insufficient_quota", 429 },
        { "{\"type\":\"error\",\"error\":{\"type\":\"timeout_error\",\"message\":\"x\"}}",
          "timeout", 504 },
        { "{\"type\":\"error\",\"error\":{\"type\":\"request_too_large\",\"message\":\"x\"}}",
          "request_too_large", 413 },
        { "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"prompt is too long: 9 tokens > 8 maximum\"}}",
          "context_length_exceeded", 400 },
        { "{\"type\":\"error\",\"error\":{\"type\":\"permission_error\",\"message\":\"x\"}}", "",
          403 },
        { "{\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"x\"}}", "", 500 },
        { "{\"error\":{\"code\":429,\"message\":\"x\",\"status\":\"RESOURCE_EXHAUSTED\"}}", "",
          429 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig g;
        rig_init(&g);
        assert_int_equal(feed(&g, START, false), ERR_OK);
        assert_int_equal(feed(&g, rows[i].json, false), ERR_OK);
        assert_int_equal(g.seen.counts[IR_EV_ERROR], 1);
        if (g.seen.status != rows[i].status)
            fail_msg("%s: status %d", rows[i].json, g.seen.status);
        if (rows[i].code[0])
            assert_string_equal(g.seen.code, rows[i].code);
        assert_int_equal(feed(&g, START, false), ERR_OK); /* nothing follows */
        assert_int_equal(dialect_anthropic_messages.end_answer(&g.reader, &g.sink), ERR_OK);
        rig_done(&g);
    }
}

static void test_usage(void **state)
{
    static const struct {
        const char *first, *second;
        struct ir_usage want;
    } rows[] = {
        { "{\"input_tokens\":10,\"output_tokens\":1}",
          "{\"output_tokens\":7}",
          { .reported = true, .prompt_tokens = 10, .completion_tokens = 7 } },
        { "{\"input_tokens\":43,\"output_tokens\":1}",
          "{\"input_tokens\":61,\"output_tokens\":2}",
          { .reported = true, .prompt_tokens = 61, .completion_tokens = 2 } },
        { "{\"input_tokens\":1,\"cache_creation_input_tokens\":30,\"cache_read_input_tokens\":5,\"output_tokens\":2}",
          "null",
          { .reported = true,
            .prompt_tokens = 36,
            .completion_tokens = 2,
            .cached_tokens = 5,
            .cache_write_tokens = 30 } },
        { "{\"input_tokens\":1,\"cache_creation_input_tokens\":30,\"cache_creation\":{\"ephemeral_5m_input_tokens\":10,"
          "\"ephemeral_1h_input_tokens\":20}}",
          "{\"input_tokens\":null,\"cache_creation\":null,\"output_tokens\":4,\"output_tokens_details\":{\"thinking_tokens\":3}}",
          { .reported = true,
            .prompt_tokens = 31,
            .completion_tokens = 4,
            .cache_write_tokens = 10,
            .cache_write_1h_tokens = 20,
            .reasoning_tokens = 3 } },
        { "{\"input_tokens\":-4,\"output_tokens\":1.5,\"cache_read_input_tokens\":\"7\"}",
          "{\"output_tokens\":99999999999999999999}",
          { .reported = true } },
        { "{\"cache_creation\":{\"ephemeral_1h_input_tokens\":9}}",
          "{}",
          { .reported = true, .prompt_tokens = 9, .cache_write_1h_tokens = 9 } },
        { "null", "null", { 0 } },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct anthropic_counts c = { 0 };
        anthropic_read_usage(str_c(rows[i].first), &c);
        anthropic_read_usage(str_c(rows[i].second), &c);
        struct ir_usage got = anthropic_usage_of(&c);
        if (memcmp(&got, &rows[i].want, sizeof got) != 0)
            fail_msg("row %zu: prompt %llu, completion %llu, written %llu + %llu", i,
                     (unsigned long long)got.prompt_tokens,
                     (unsigned long long)got.completion_tokens,
                     (unsigned long long)got.cache_write_tokens,
                     (unsigned long long)got.cache_write_1h_tokens);
    }
}

static void test_damaged_events(void **state)
{
    static const struct {
        const char *data;
        bool whole;
        enum err want;
    } rows[] = {
        { "", false, ERR_OK },
        { "  ", false, ERR_OK },
        { "", true, ERR_UPSTREAM_BAD },
        { "[1]", false, ERR_UPSTREAM_BAD },
        { "{\"type\":\"ping\",\"type\":\"ping\"}", false, ERR_UPSTREAM_BAD },
        { "{\"type\":\"message_start\"}", false, ERR_UPSTREAM_BAD },
        { "{\"type\":\"message_start\",\"message\":[]}", false, ERR_UPSTREAM_BAD },
        { "{\"type\":7}", false, ERR_OK },
        { "{\"type\":\"message_stop\"}", false, ERR_UPSTREAM_BAD },
        { "{\"type\":\"message_delta\",\"delta\":{}}", false, ERR_UPSTREAM_BAD },
        { "{\"type\":\"message\",\"content\":null}", true, ERR_UPSTREAM_BAD },
        { "{\"type\":\"message\",\"content\":[null,7,\"x\",[],{}]}", true, ERR_OK },
        { "{\"type\":\"message\",\"content\":[{\"type\":\"tool_use\",\"id\":3,\"name\":null,\"input\":[]}]}",
          true, ERR_OK },
        { "\xff", false, ERR_UPSTREAM_BAD },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig g;
        rig_init(&g);
        enum err e = feed(&g, rows[i].data, rows[i].whole);
        if (e != rows[i].want)
            fail_msg("%s: %s", rows[i].data, err_name(e));
        if (e)
            assert_non_null(g.what);
        rig_done(&g);
    }
}

static void test_odd_deltas_are_skipped(void **state)
{
    static const char *const events[] = {
        START,
        START,
        "{\"type\":\"content_block_stop\",\"index\":0}",
        "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":null}}",
        "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":null}}",
        "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"\"}}",
        "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\"x\"}}",
        "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":null}",
        "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"citations_delta\",\"citation\":null}}",
        "{\"type\":\"content_block_start\",\"index\":1}",
        "{\"type\":\"message_delta\",\"delta\":null,\"usage\":null}",
        "{\"type\":\"message_stop\"}",
        "{\"type\":\"message_stop\"}",
    };
    struct rig g;
    rig_init(&g);
    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
        assert_int_equal(feed(&g, events[i], false), ERR_OK);
    assert_int_equal(g.seen.counts[IR_EV_START], 1);
    assert_int_equal(g.seen.counts[IR_EV_TEXT], 0);
    assert_int_equal(g.seen.counts[IR_EV_FINISH], 1);
    assert_int_equal(g.seen.counts[IR_EV_USAGE], 0);
    assert_int_equal(g.seen.last, IR_EV_END);
    rig_done(&g);
}

/* -- recorded answers: a folder that only some machines have */

static void replay(struct str name, struct str text, bool stream)
{
    struct rig g;
    rig_init(&g);
    while (text.len) {
        struct str line = stream ? str_cut(&text, '\n') : text;
        struct frame f = { .data = line, .whole = !stream };
        enum err e = dialect_anthropic_messages.read_answer(&g.reader, &f, &g.sink, &g.what);
        if (e)
            fail_msg("%.*s: %s: %s", STR_ARG(name), err_name(e), g.what);
        if (!stream)
            break;
    }
    if (g.seen.last != IR_EV_END || !g.seen.usage.reported || g.seen.usage.prompt_tokens == 0)
        fail_msg("%.*s: not read to its end", STR_ARG(name));
    rig_done(&g);
}

#define EV(type, more) "{\"type\":\"" type "\"," more "}"
#define BLOCK(i, block) EV("content_block_start", "\"index\":" #i ",\"content_block\":" block)
#define PIECE(i, json)                                                                             \
    EV("content_block_delta",                                                                      \
       "\"index\":" #i ",\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":" json "}")
#define SEARCH "{\"type\":\"server_tool_use\",\"id\":\"srv_1\",\"name\":\"web_search\",\"input\":"

/* A search is told when its query is whole, before the text that follows; what no event carries is told as lost. */
static void test_searches_and_losses(void **state)
{
    static const struct {
        const char *events[8], *want;
    } rows[] = {
        { { BLOCK(0, SEARCH "{}}"), PIECE(0, "\"{\\\"qu\""), PIECE(0, "\"ery\\\":\\\"dam\\\"}\""),
            EV("content_block_stop", "\"index\":0"),
            BLOCK(1, "{\"type\":\"web_search_tool_result\",\"content\":[]}"),
            BLOCK(2, "{\"type\":\"text\",\"text\":\"so\"}") },
          "?srv_1 \"dam\" -server_tools \"so\" " },
        { { BLOCK(0, SEARCH "{\"query\":\"dam\"}}"),
            BLOCK(1, "{\"type\":\"text\",\"text\":\"so\"}") },
          "?srv_1 \"dam\" \"so\" " },
        { { BLOCK(0, SEARCH "{}}"), PIECE(0, "\"{\\\"query\""), BLOCK(1, "{\"type\":\"text\"}") },
          "-server_tools " },
        { { BLOCK(0, SEARCH "{\"query\":7}}"), EV("content_block_stop", "\"index\":0") },
          "-server_tools " },
        { { BLOCK(0, "{\"type\":\"server_tool_use\",\"name\":\"code_execution\",\"input\":{}}") },
          "-server_tools " },
        { { BLOCK(0, "{\"type\":\"mcp_tool_use\"}"), BLOCK(1, "{\"type\":\"container_upload\"}") },
          "-server_tools -unknown(container_upload) " },
        { { BLOCK(
              0,
              "{\"type\":\"text\",\"text\":\"a\",\"citations\":[{\"type\":\"page_location\"},{\"url\":\"u\"}]}") },
          "\"a\" -citations " },
        { { EV("message_delta", "\"delta\":{\"stop_reason\":\"pause_turn\"}"),
            EV("message_stop", "\"x\":1") },
          "~pause_turn " },
        { { EV("message_delta", "\"delta\":{\"stop_reason\":\"new_one\"}"),
            EV("message_stop", "\"x\":1") },
          "~finish_reason " },
        { { EV("message_delta", "\"delta\":{\"stop_reason\":\"end_turn\"}"),
            EV("message_stop", "\"x\":1") },
          "" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig g;
        rig_init(&g);
        assert_int_equal(feed(&g, START, false), ERR_OK);
        for (size_t k = 0; k < 8 && rows[i].events[k]; k++)
            assert_int_equal(feed(&g, rows[i].events[k], false), ERR_OK);
        assert_string_equal(g.seen.told, rows[i].want);
        rig_done(&g);
    }
}

static void test_recordings(void **state)
{
    each_recording("anthropic", 1, replay);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors_in_a_stream),  cmocka_unit_test(test_usage),
        cmocka_unit_test(test_damaged_events),      cmocka_unit_test(test_odd_deltas_are_skipped),
        cmocka_unit_test(test_searches_and_losses), cmocka_unit_test(test_recordings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
