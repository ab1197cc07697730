/* Answers of Gemini that golden cases do not have: ends of streams, errors, recordings. */
#include "recordings.h"

#include "dialect/dialect.h"
#include "dialect/gemini_priv.h"

struct seen {
    unsigned count[IR_EV_COUNT];
    enum ir_finish finish;
    struct ir_usage usage;
    struct fault fault;
    struct buf text, args, searches, losses;
    bool ended;
};

struct rig {
    struct arena *a;
    struct ir_request rq;
    struct answer_context c;
    struct gemini_reader *reader;
    struct seen seen;
    struct ir_sink sink;
    const char *what;
};

static void on_event(void *ctx, const struct ir_event *ev)
{
    struct rig *r = ctx;
    assert_false(r->seen.ended);
    r->seen.count[ev->kind]++;
    if (ev->kind != IR_EV_START)
        assert_true(r->seen.count[IR_EV_START] == 1 || ev->kind == IR_EV_ERROR);
    switch (ev->kind) {
    case IR_EV_TEXT: buf_put(&r->seen.text, json_unescape(ev->json, r->a)); break;
    case IR_EV_TOOL_ARGUMENTS: buf_put(&r->seen.args, json_unescape(ev->json, r->a)); break;
    case IR_EV_WEB_SEARCH:
        buf_printf(&r->seen.searches, "%.*s@%zu ", STR_ARG(ev->json), r->seen.text.len);
        break;
    case IR_EV_LOSS:
        buf_printf(&r->seen.losses, "%c%.*s ", ev->degraded ? '~' : '-', STR_ARG(ev->name));
        break;
    case IR_EV_FINISH: r->seen.finish = ev->finish; break;
    case IR_EV_USAGE: r->seen.usage = ev->usage; break;
    case IR_EV_ERROR:
        r->seen.fault = *ev->fault;
        r->seen.ended = true;
        break;
    case IR_EV_END: r->seen.ended = true; break;
    default: break;
    }
}

static void rig_init(struct rig *r)
{
    *r = (struct rig){ .a = arena_new() };
    r->rq.parallel_tool_calls = -1;
    r->c = (struct answer_context){
        .rq = &r->rq, .arena = r->a, .unix_s = 1700000000, .id = STR("seed")
    };
    r->reader = arena_zalloc(r->a, dialect_gemini_generate.reader_bytes);
    r->sink = (struct ir_sink){ on_event, r };
    buf_init(&r->seen.text, MIB);
    buf_init(&r->seen.args, MIB);
    buf_init(&r->seen.searches, MIB);
    buf_init(&r->seen.losses, MIB);
    dialect_gemini_generate.reader_init(r->reader, &r->c);
}

static void rig_done(struct rig *r)
{
    dialect_gemini_generate.reader_done(r->reader);
    buf_done(&r->seen.text);
    buf_done(&r->seen.args);
    buf_done(&r->seen.searches);
    buf_done(&r->seen.losses);
    arena_free(r->a);
}

static enum err frame(struct rig *r, struct str data, bool whole)
{
    struct frame f = { .data = data, .whole = whole };
    return dialect_gemini_generate.read_answer(r->reader, &f, &r->sink, &r->what);
}

static enum err end(struct rig *r)
{
    return dialect_gemini_generate.end_answer(r->reader, &r->sink);
}

/* Usage may follow the finish in a chunk of its own; one that tells of traffic alone takes nothing back. */
static void test_usage_after_finish(void **state)
{
    struct rig r;
    rig_init(&r);
    assert_int_equal(
        frame(
            &r,
            STR("{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]},\"finishReason\":\"STOP\"}]}"),
            false),
        0);
    assert_int_equal(r.seen.count[IR_EV_FINISH], 0);
    assert_int_equal(
        frame(
            &r,
            STR("{\"usageMetadata\":{\"promptTokenCount\":3,\"candidatesTokenCount\":4,\"totalTokenCount\":7}}"),
            false),
        0);
    assert_int_equal(frame(&r, STR("{\"usageMetadata\":{\"trafficType\":\"ON_DEMAND\"}}"), false),
                     0);
    assert_int_equal(end(&r), 0);
    assert_int_equal(end(&r), 0); /* again: nothing happens */
    assert_int_equal(r.seen.count[IR_EV_FINISH], 1);
    assert_int_equal(r.seen.usage.prompt_tokens, 3);
    assert_int_equal(r.seen.usage.completion_tokens, 4);
    rig_done(&r);
}

static void test_ends(void **state)
{
    static const struct {
        const char *chunk;
        bool whole;
        enum err read, end;
    } rows[] = {
        { "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}}]}", false, ERR_OK,
          ERR_UPSTREAM_CUT },
        { "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}}]}", true, ERR_OK, ERR_OK },
        { "{\"candidates\":[]}", false, ERR_OK, ERR_UPSTREAM_CUT },
        { "{\"candidates\":[]}", true, ERR_UPSTREAM_BAD, ERR_UPSTREAM_BAD },
        { "{\"candidates\":[3]}", true, ERR_UPSTREAM_BAD, ERR_UPSTREAM_BAD },
        { "{\"candidates\":[{\"index\":16}]}", true, ERR_UPSTREAM_BAD, ERR_UPSTREAM_BAD },
        { "{\"candidates\":[{\"finishReason\":\"NEVER_SEEN\"}]}", true, ERR_OK, ERR_OK },
        { "{\"promptFeedback\":{\"blockReason\":\"OTHER\"}}", false, ERR_OK, ERR_OK },
        { "[]", true, ERR_UPSTREAM_BAD, ERR_UPSTREAM_BAD },
        { "\"text\"", true, ERR_UPSTREAM_BAD, ERR_UPSTREAM_BAD },
        { "{\"candidates\":", false, ERR_UPSTREAM_BAD, ERR_UPSTREAM_CUT },
        { "", false, ERR_UPSTREAM_BAD, ERR_UPSTREAM_CUT },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig r;
        rig_init(&r);
        enum err e = frame(&r, str_c(rows[i].chunk), rows[i].whole);
        if (e != rows[i].read)
            fail_msg("row %zu: read gives %s", i, err_name(e));
        if (e)
            assert_non_null(r.what);
        e = end(&r);
        if (e != rows[i].end)
            fail_msg("row %zu: end gives %s", i, err_name(e));
        rig_done(&r);
    }
}

/* Answers without content that the model or the gateway's request spoiled. */
static void test_broken(void **state)
{
    static const struct {
        const char *reason;
        enum err err;
        enum fault_again again;
    } rows[] = {
        { "MALFORMED_FUNCTION_CALL", ERR_UPSTREAM_BAD, AGAIN_SAME },
        { "MALFORMED_RESPONSE", ERR_UPSTREAM_BAD, AGAIN_SAME },
        { "UNEXPECTED_TOOL_CALL", ERR_UPSTREAM_BAD, AGAIN_SAME },
        { "TOO_MANY_TOOL_CALLS", ERR_UPSTREAM_BAD, AGAIN_NO },
        { "OTHER", ERR_UPSTREAM_BAD, AGAIN_NO },
        { "NEVER_SEEN", ERR_UPSTREAM_BAD, AGAIN_NO },
        { "MISSING_THOUGHT_SIGNATURE", ERR_BAD_REQUEST, AGAIN_REPAIRED },
    };
    for (size_t i = 0; i < 2 * (sizeof rows / sizeof rows[0]); i++) {
        struct rig r;
        bool whole = i % 2;
        rig_init(&r);
        struct str body = arena_printf(
            r.a,
            "{\"candidates\":[{\"finishReason\":\"%s\"}],\"usageMetadata\":{\"promptTokenCount\":3}}",
            rows[i / 2].reason);
        assert_int_equal(frame(&r, body, whole), 0);
        assert_int_equal(end(&r), 0); /* nothing follows */
        assert_int_equal(r.seen.count[IR_EV_ERROR], 1);
        assert_int_equal(r.seen.fault.err, rows[i / 2].err);
        assert_int_equal(r.seen.fault.again, rows[i / 2].again);
        assert_int_equal(r.seen.usage.prompt_tokens, 3); /* billed all the same */
        rig_done(&r);
    }
}

#define GROUNDED(text, queries)                                                                    \
    "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"" text "\"}]},\"groundingMetadata\":"   \
    "{\"webSearchQueries\":" queries "}}]}"

/* Each search is told once: before the text that it led to, or once the text has begun, at its end. */
static void test_searches(void **state)
{
    struct rig r;
    rig_init(&r);
    assert_int_equal(frame(&r, STR(GROUNDED("a", "[\"dam\",\"weir\"]")), false), 0);
    assert_text(buf_str(&r.seen.searches), "\"dam\"@0 \"weir\"@0 ");
    assert_int_equal(frame(&r, STR(GROUNDED("b", "[\"weir\",\"\",7,\"sluice\"]")), false), 0);
    assert_int_equal(frame(&r, STR(GROUNDED("c", "{\"x\":\"y\"}")), false), 0);
    assert_text(buf_str(&r.seen.searches), "\"dam\"@0 \"weir\"@0 ");
    assert_int_equal(frame(&r, STR("{\"candidates\":[{\"finishReason\":\"STOP\"}]}"), false), 0);
    assert_int_equal(end(&r), 0);
    assert_text(buf_str(&r.seen.searches), "\"dam\"@0 \"weir\"@0 \"sluice\"@3 ");
    rig_done(&r);
}

static void test_losses(void **state)
{
    static const struct {
        const char *candidate, *want;
    } rows[] = {
        { "\"content\":{\"parts\":[{\"text\":\"a\"},{},{\"thought\":true}]}", "" },
        { "\"content\":{\"parts\":[{\"toolCall\":{}},{\"toolResponse\":{}}]}",
          "-server_tools -server_tools " },
        { "\"content\":{\"parts\":[{\"hologram\":{},\"partMetadata\":{}}]}",
          "-unknown(hologram) " },
        { "\"content\":{\"parts\":[{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"QQ==\"}}]}",
          "~image_output " },
        { "\"content\":{\"parts\":[{\"inlineData\":{\"data\":\"QQ==\"}},{\"inlineData\":{\"mimeType\":\"image/png\"}}]}",
          "-image_output -image_output " },
        { "\"content\":{\"parts\":[{\"executableCode\":{\"code\":\"1\"}}]}", "~code_execution " },
        { "\"content\":{\"parts\":[{\"text\":\"a\"}]},\"finishReason\":\"MALFORMED_FUNCTION_CALL\"",
          "~finish_reason " },
        { "\"content\":{\"parts\":[{\"text\":\"a\"}]},\"citationMetadata\":{\"citationSources\":[{\"license\":\"mit\"},{\"uri\":\"u\"}]}",
          "-citations " },
        { "\"content\":{\"parts\":[{\"text\":\"a\"}]},\"groundingMetadata\":{\"groundingSupports\":[{\"groundingChunkIndices\":[0,9]}]}",
          "-citations -citations " },
        { "\"logprobsResult\":{\"chosenCandidates\":[]}", "~logprobs " },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig r;
        rig_init(&r);
        struct str one = str_c(rows[i].candidate);
        bool ends = str_find(one, STR("finishReason")) != STR_NONE;
        assert_int_equal(frame(&r,
                               arena_printf(r.a, "{\"candidates\":[{%s%s}]}", rows[i].candidate,
                                            ends ? "" : ",\"finishReason\":\"STOP\""),
                               true),
                         0);
        assert_text(buf_str(&r.seen.losses), rows[i].want);
        rig_done(&r);
    }
}

/* A stream was cut there; a whole answer is all there is, and does not look complete. */
static void test_no_finish_reason(void **state)
{
    static const struct {
        const char *candidate, *losses;
        bool fails;
    } rows[] = {
        { "\"content\":{\"parts\":[{\"text\":\"a\"}]}", "~finish_reason ", false },
        { "\"content\":{\"parts\":[{\"functionCall\":{\"name\":\"f\"}}]}", "~finish_reason ",
          false },
        { "\"content\":{\"role\":\"model\"}", "", true },
        { "\"content\":{\"parts\":[{\"text\":\"\"}]},\"finishReason\":null", "", true },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig r;
        rig_init(&r);
        assert_int_equal(
            frame(&r, arena_printf(r.a, "{\"candidates\":[{%s}]}", rows[i].candidate), true), 0);
        assert_text(buf_str(&r.seen.losses), rows[i].losses);
        assert_int_equal(r.seen.count[IR_EV_ERROR], rows[i].fails);
        rig_done(&r);
        rig_init(&r);
        assert_int_equal(
            frame(&r, arena_printf(r.a, "{\"candidates\":[{%s}]}", rows[i].candidate), false), 0);
        assert_int_equal(dialect_gemini_generate.end_answer(r.reader, &r.sink), ERR_UPSTREAM_CUT);
        rig_done(&r);
    }
}

static void test_errors(void **state)
{
    static const struct {
        const char *body;
        int status;
        int64_t retry_ms;
    } rows[] = {
        { "{\"error\":{\"code\":429,\"message\":\"m\",\"status\":\"RESOURCE_EXHAUSTED\",\"details\":[{\"retryDelay\":\"34.4s\"}]}}",
          429, 34400 },
        { "[{\"error\":{\"code\":503,\"message\":\"m\",\"status\":\"UNAVAILABLE\"}}]", 503, -1 },
        { "{\"error\":{\"code\":400,\"message\":\"m\",\"status\":\"INVALID_ARGUMENT\"}}", 400, -1 },
        { "{\"error\":{\"code\":400,\"message\":\"Key?\",\"status\":\"INVALID_ARGUMENT\",\"details\":[{\"reason\":\"API_KEY_INVALID\"}]}}",
          502, -1 },
        { "{\"error\":{\"code\":504,\"message\":\"m\",\"status\":\"DEADLINE_EXCEEDED\"}}", 504,
          -1 },
        { "{\"error\":{\"message\":\"m\",\"details\":[{\"retryDelay\":\"-1s\"},{\"retryDelay\":\"s\"},3,{\"violations\":3}]}}",
          500, -1 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig r;
        rig_init(&r);
        assert_int_equal(frame(&r, str_c(rows[i].body), false), ERR_OK);
        assert_int_equal(r.seen.count[IR_EV_ERROR], 1);
        assert_int_equal(r.seen.fault.status, rows[i].status);
        assert_int_equal(r.seen.fault.retry_after_ms, rows[i].retry_ms);
        assert_int_equal(frame(&r, STR("{\"candidates\":[]}"), false),
                         ERR_OK); /* nothing follows */
        assert_int_equal(end(&r), ERR_OK);
        rig_done(&r);
    }
}

static void test_daily_quota_is_no_rate_limit(void **state)
{
    struct arena *a = arena_new();
    struct fault f;
    upstream_fault(
        429,
        STR("{\"error\":{\"code\":429,\"message\":\"Quota\",\"status\":\"RESOURCE_EXHAUSTED\",\"details\":"
            "[{\"violations\":[{\"quotaId\":\"RequestsPerDayPerProject\"}]}]}}"),
        STR("Gemini"), STR(""), -1, a, &f);
    assert_text(f.code, "insufficient_quota");
    upstream_fault(
        400,
        STR("{\"error\":{\"code\":400,\"message\":\"The input token count (9) exceeds the maximum number of tokens "
            "allowed (8).\",\"status\":\"INVALID_ARGUMENT\"}}"),
        STR("Gemini"), STR(""), -1, a, &f);
    assert_text(f.code, "context_length_exceeded");
    upstream_fault(
        429,
        STR("{\"error\":{\"status\":\"RESOURCE_EXHAUSTED\",\"message\":\"m\",\"details\":[{\"retryDelay\":\"2s\"}]}}"),
        STR("Gemini"), STR(""), 700, a, &f);
    assert_int_equal(f.retry_after_ms, 700); /* the header's word counts */
    arena_free(a);
}

/* -- recordings */

static void feed_recording(struct rig *r, struct str text, bool stream)
{
    if (!stream) {
        assert_int_equal(frame(r, text, true), ERR_OK);
    } else {
        while (text.len) {
            struct str line = str_trim(str_cut(&text, '\n'));
            if (line.len)
                assert_int_equal(frame(r, line, false), ERR_OK);
        }
    }
    assert_int_equal(end(r), ERR_OK);
}

static void replay(struct str name, struct str text, bool stream)
{
    struct rig r;
    rig_init(&r);
    feed_recording(&r, text, stream);
    if (str_find(name, STR("429")) != STR_NONE) {
        assert_int_equal(r.seen.fault.status, 429);
        assert_int_equal(r.seen.fault.retry_after_ms, 34400);
    } else {
        bool tools = str_find(name, STR("tool-call")) != STR_NONE;
        assert_int_equal(r.seen.count[IR_EV_END], 1);
        assert_int_equal(r.seen.finish, tools ? IR_FINISH_TOOL_CALLS : IR_FINISH_STOP);
        assert_true(r.seen.usage.reported &&
                    r.seen.usage.completion_tokens > r.seen.usage.reasoning_tokens);
        assert_int_equal(r.seen.count[IR_EV_TOOL_CALL] > 0, tools);
        assert_int_equal(r.seen.text.len > 0, !tools);
    }
    if (str_find(name, STR("no-args")) != STR_NONE)
        assert_text(buf_str(&r.seen.args), "{}{\"id\":\"A\"}{\"id\":\"B\"}{\"id\":\"C\"}");
    rig_done(&r);
}

static void test_recordings(void **state)
{
    each_recording("gemini", 10, replay);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_usage_after_finish),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_searches),
        cmocka_unit_test(test_losses),
        cmocka_unit_test(test_no_finish_reason),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_daily_quota_is_no_rate_limit),
        cmocka_unit_test(test_recordings),
    };
    return cmocka_run_group_tests_name("gemini_answer", tests, NULL, NULL);
}
