/* Answers of the Responses API into events: what the golden cases do not show. */
#include "recordings.h"

#include "base/mem.h"
#include "dialect/dialect.h"
#include "dialect/responses.h"
#include "wire/json_scan.h"

#define D (&dialect_openai_responses)

/* Events as text, one word each: what the tables below compare. */
static void note(void *ctx, const struct ir_event *ev)
{
    static const char *const finishes[] = { "stop", "length", "tool_calls", "content_filter" };
    struct buf *out = ctx;
    struct json_problem problem;
    if (out->len)
        buf_putc(out, ' ');
    buf_putz(out, ir_event_name(ev->kind));
    assert_true(!ev->json.len || json_check(ev->json, &problem) == ERR_OK);
    assert_true(!ev->raw.len || json_check(ev->raw, &problem) == ERR_OK);
    switch (ev->kind) {
    case IR_EV_START:
        buf_printf(out, "[%.*s%s%.*s]", STR_ARG(ev->id), ev->service_tier.len ? "," : "",
                   STR_ARG(ev->service_tier));
        break;
    case IR_EV_TOOL_CALL:
        buf_printf(out, "[%u,%.*s,%.*s%s]", ev->part, STR_ARG(ev->call_id), STR_ARG(ev->name),
                   ev->custom ? ",custom" : "");
        break;
    case IR_EV_TOOL_ARGUMENTS:
    case IR_EV_TOOL_END:
        buf_printf(out, "[%u%s%.*s]", ev->part, ev->json.len ? "," : "", STR_ARG(ev->json));
        break;
    case IR_EV_FINISH:
        buf_printf(out, "[%s%s%.*s]", finishes[ev->finish], ev->service_tier.len ? "," : "",
                   STR_ARG(ev->service_tier));
        break;
    case IR_EV_USAGE:
        buf_printf(out, "[%u,%u]", (unsigned)ev->usage.prompt_tokens,
                   (unsigned)ev->usage.completion_tokens);
        break;
    case IR_EV_ERROR:
        buf_printf(out, "[%d,%.*s,%.*s]", ev->fault->status, STR_ARG(ev->fault->code),
                   STR_ARG(ev->fault->msg));
        break;
    case IR_EV_SIGNATURE:
        assert_int_equal(ev->origin, IR_FROM_OPENAI_RESPONSES);
        buf_printf(out, "[%s%.*s]", ev->redacted ? "redacted," : "", STR_ARG(ev->json));
        break;
    case IR_EV_LOSS: buf_printf(out, "[%s%.*s]", ev->degraded ? "~" : "", STR_ARG(ev->name)); break;
    case IR_EV_WEB_SEARCH:
        buf_printf(out, "[%.*s,%.*s]", STR_ARG(ev->call_id), STR_ARG(ev->json));
        break;
    default:
        if (ev->json.len || ev->raw.len)
            buf_printf(out, "[%.*s%.*s]", STR_ARG(ev->json), STR_ARG(ev->raw));
    }
}

struct rig {
    struct arena *a;
    struct answer_context c;
    void *reader;
    struct buf got;
    struct ir_sink sink;
    const char *what;
};

static void rig_init(struct rig *g)
{
    *g = (struct rig){ .a = arena_new() };
    g->c = (struct answer_context){ .arena = g->a, .unix_s = 1, .id = STR("seed") };
    g->reader = arena_zalloc(g->a, D->reader_bytes);
    buf_init(&g->got, 64 * MIB);
    g->sink = (struct ir_sink){ note, &g->got };
    D->reader_init(g->reader, &g->c);
}

static void rig_done(struct rig *g)
{
    D->reader_done(g->reader);
    buf_done(&g->got);
    arena_free(g->a);
}

static enum err feed(struct rig *g, struct str data, bool whole)
{
    struct frame f = { .data = data, .whole = whole };
    return D->read_answer(g->reader, &f, &g->sink, &g->what);
}

static void check(const char *const *frames, bool whole, const char *want, enum err end)
{
    struct rig g;
    enum err e = ERR_OK;
    rig_init(&g);
    for (; *frames && !e; frames++)
        e = feed(&g, str_c(*frames), whole);
    if (e)
        assert_non_null(g.what);
    else
        e = D->end_answer(g.reader, &g.sink);
    if (e != end || !str_eq(buf_str(&g.got), str_c(want)))
        fail_msg("%s\n  got:  %.*s\n  want: %s", err_name(e), STR_ARG(buf_str(&g.got)), want);
    rig_done(&g);
}

#define CREATED                                                                                    \
    "{\"type\":\"response.created\",\"response\":{\"id\":\"r\",\"service_tier\":\"auto\"}}"
#define COMPLETED                                                                                  \
    "{\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"status\":\"completed\"}}"
#define TEXT(i, c, d)                                                                              \
    "{\"type\":\"response.output_text.delta\",\"output_index\":" #i ",\"content_index\":" #c       \
    ",\"delta\":\"" d "\"}"
#define ADDED(i, item)                                                                             \
    "{\"type\":\"response.output_item.added\",\"output_index\":" #i ",\"item\":{" item "}}"
#define DONE(i, item)                                                                              \
    "{\"type\":\"response.output_item.done\",\"output_index\":" #i ",\"item\":{" item "}}"
#define CALL(call, name)                                                                           \
    "\"type\":\"function_call\",\"id\":\"fc_" call "\",\"call_id\":\"" call "\",\"name\":\"" name  \
    "\""
#define ARGS(i, d)                                                                                 \
    "{\"type\":\"response.function_call_arguments.delta\",\"output_index\":" #i ",\"delta\":\"" d  \
    "\"}"
#define SUMMARY(i, s, d)                                                                           \
    "{\"type\":\"response.reasoning_summary_text.delta\",\"output_index\":" #i                     \
    ",\"summary_index\":" #s ",\"delta\":\"" d "\"}"

struct stream_case {
    const char *frames[14], *want;
    enum err end;
};

static void check_streams(const struct stream_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check(cases[i].frames, false, cases[i].want, cases[i].end);
}

static void test_streams(void **state)
{
    static const struct stream_case cases[] = {
        /* without a word of a beginning, and without places */
        { { "{\"type\":\"response.output_text.delta\",\"delta\":\"a\"}",
            "{\"type\":\"response.output_text.delta\",\"delta\":\"b\"}", COMPLETED },
          "START[resp_seed] TEXT[\"a\"] TEXT[\"b\"] FINISH[stop] END" },
        { { CREATED, TEXT(0, 0, ""), TEXT(0, 0, "a"), TEXT(0, 1, "b"),
            DONE(
                0,
                "\"type\":\"message\",\"content\":[{\"text\":\"a\"},{\"text\":\"b\"},{\"text\":\"c\"}]"),
            COMPLETED },
          "START[r] TEXT[\"a\"] TEXT[\"b\"] TEXT[\"c\"] FINISH[stop] END" },
        /* a delta after its item's end, and a second end, tell nothing */
        { { CREATED, DONE(0, "\"type\":\"message\",\"content\":[{\"text\":\"a\"}]"),
            TEXT(0, 0, "a"), DONE(0, "\"type\":\"message\",\"content\":[{\"text\":\"a\"}]"),
            COMPLETED, COMPLETED },
          "START[r] TEXT[\"a\"] FINISH[stop] END" },
        /* a call that is the second one waits for the first */
        { { CREATED, ADDED(0, CALL("c1", "f")), ADDED(1, CALL("c2", "g")), ARGS(1, "{}"),
            ARGS(0, "[1"), DONE(1, CALL("c2", "g")), ARGS(0, "]"), DONE(0, CALL("c1", "f")),
            COMPLETED },
          "START[r] TOOL_CALL[0,c1,f] TOOL_ARGUMENTS[0,\"[1\"] TOOL_ARGUMENTS[0,\"]\"] TOOL_END[0] "
          "TOOL_CALL[1,c2,g] TOOL_ARGUMENTS[1,\"{}\"] TOOL_END[1] FINISH[tool_calls] END" },
        /* text between calls does not wait */
        { { CREATED, ADDED(0, CALL("c1", "f")), TEXT(1, 0, "t"), ARGS(0, "{}"), COMPLETED },
          "START[r] TOOL_CALL[0,c1,f] TEXT[\"t\"] TOOL_ARGUMENTS[0,\"{}\"] TOOL_END[0] "
          "FINISH[tool_calls] END" },
        /* a call whose name comes late; one without an id */
        { { CREATED, ARGS(3, "{"), ARGS(3, "}"),
            "{\"type\":\"response.function_call_arguments.done\",\"output_index\":3,\"name\":\"f\",\"arguments\":\"{}\"}",
            ADDED(4, "\"type\":\"function_call\",\"name\":\"g\",\"call_id\":null"), COMPLETED },
          "START[r] TOOL_CALL[0,call_seed_0,f] TOOL_ARGUMENTS[0,\"{}\"] TOOL_END[0] "
          "TOOL_CALL[1,call_seed_1,g] TOOL_END[1] FINISH[tool_calls] END" },
        /* one index for all, ids that change: the newest item is meant */
        { { CREATED, ADDED(0, CALL("c1", "f")), ARGS(0, "1"), DONE(0, CALL("c1", "f")),
            ADDED(0, CALL("c2", "g")), ARGS(0, "2"), DONE(0, CALL("zz", "g")), COMPLETED },
          "START[r] TOOL_CALL[0,c1,f] TOOL_ARGUMENTS[0,\"1\"] TOOL_END[0] TOOL_CALL[1,c2,g] "
          "TOOL_ARGUMENTS[1,\"2\"] TOOL_END[1] FINISH[tool_calls] END" },
        /* by id where there is no index */
        { { CREATED, ADDED(5, CALL("c1", "f")), ADDED(6, "\"type\":\"message\",\"id\":\"msg_1\""),
            "{\"type\":\"response.function_call_arguments.delta\",\"item_id\":\"fc_c1\",\"delta\":\"x\"}",
            COMPLETED },
          "START[r] TOOL_CALL[0,c1,f] TOOL_ARGUMENTS[0,\"x\"] TOOL_END[0] FINISH[tool_calls] END" },
        /* arguments that are an object */
        { { CREATED, DONE(0, CALL("c1", "f") ",\"arguments\":{\"a\": [1, 2]}"), COMPLETED },
          "START[r] TOOL_CALL[0,c1,f] TOOL_ARGUMENTS[0,\"{\\\"a\\\":[1,2]}\"] TOOL_END[0] "
          "FINISH[tool_calls] END" },
        /* reasoning: parts are paragraphs, empty ones are none; state, with and without text */
        { { CREATED, SUMMARY(0, 0, "a"), SUMMARY(0, 1, ""), SUMMARY(0, 2, "b"), SUMMARY(0, 2, "c"),
            DONE(
                0,
                "\"type\":\"reasoning\",\"summary\":[{\"text\":\"a\"},{\"text\":\"\"},{\"text\":\"bc\"}],"
                "\"encrypted_content\":\"E\""),
            DONE(1, "\"type\":\"reasoning\",\"summary\":[],\"encrypted_content\":\"F\""),
            DONE(
                2,
                "\"type\":\"reasoning\",\"content\":[{\"text\":\"d\"}],\"encrypted_content\":null"),
            COMPLETED },
          "START[r] REASONING[\"a\"] REASONING[\"\\n\\n\"] REASONING[\"b\"] REASONING[\"c\"] "
          "SIGNATURE[\"E\"] SIGNATURE[redacted,\"F\"] REASONING[\"\\n\\n\"] REASONING[\"d\"] FINISH[stop] "
          "END" },
        /* citations: of the text so far; told once; unknown kinds are lost */
        { { CREATED, TEXT(0, 0, "\\u00e9\\ud83d\\ude00\\\\"), TEXT(0, 1, "xy"),
            "{\"type\":\"response.output_text.annotation.added\",\"output_index\":0,\"content_index\":1,"
            "\"annotation\":{\"type\":\"url_citation\",\"url\":\"u\",\"start_index\":0,\"end_index\":2}}",
            DONE(
                0,
                "\"type\":\"message\",\"content\":[{\"text\":\"\"},{\"text\":\"xy\",\"annotations\":["
                "{\"type\":\"url_citation\",\"url\":\"u\"},{\"type\":\"file_path\"},"
                "{\"type\":\"url_citation\",\"url\":\"v\",\"start_index\":9,\"end_index\":2},7]}]"),
            COMPLETED },
          "START[r] TEXT[\"\\u00e9\\ud83d\\ude00\\\\\"] TEXT[\"xy\"] "
          "ANNOTATION[{\"type\":\"url_citation\",\"url_citation\":{\"start_index\":3,\"end_index\":5,\"url\":\"u\",\"title\":\"u\"}}] "
          "LOSS[citations] "
          "ANNOTATION[{\"type\":\"url_citation\",\"url_citation\":{\"start_index\":3,\"end_index\":3,\"url\":\"v\",\"title\":\"v\"}}] "
          "LOSS[citations] FINISH[stop] END" },
        /* the provider's own tools */
        { { CREATED,
            DONE(
                0,
                "\"type\":\"web_search_call\",\"id\":\"ws_1\",\"action\":{\"type\":\"search\",\"query\":\"q\"}"),
            DONE(1, "\"type\":\"web_search_call\",\"action\":{\"queries\":[\"\",3,\"p\"]}"),
            DONE(2, "\"type\":\"web_search_call\",\"action\":null"),
            "{\"type\":\"response.code_interpreter_call_code.delta\",\"output_index\":3,\"delta\":\"1\"}",
            DONE(3, "\"type\":\"code_interpreter_call\""), DONE(4, "\"a\":1"), COMPLETED },
          "START[r] WEB_SEARCH[ws_1,\"q\"] WEB_SEARCH[,\"p\"] LOSS[server_tools] LOSS[server_tools] "
          "LOSS[server_tools] FINISH[stop] END" },
    };
    check_streams(cases, sizeof cases / sizeof cases[0]);
}

static void test_ends_of_streams(void **state)
{
    static const struct stream_case cases[] = {
        { { CREATED,
            "{\"type\":\"response.incomplete\",\"response\":{\"usage\":{\"input_tokens\":3,"
            "\"output_tokens\":4},\"service_tier\":\"flex\"}}" },
          "START[r] FINISH[length,flex] USAGE[3,4] END" },
        { { CREATED, "{\"type\":\"response.completed\",\"response\":{\"status\":\"incomplete\","
                     "\"incomplete_details\":{\"reason\":\"content_filter\"}}}" },
          "START[r] FINISH[content_filter] END" },
        { { "{\"type\":\"response.completed\"}" }, "START[resp_seed] FINISH[stop] END" },
        { { CREATED }, "START[r]", ERR_UPSTREAM_CUT },
        { { CREATED, TEXT(0, 0, "a"), "[DONE]" }, "START[r] TEXT[\"a\"]", ERR_UPSTREAM_CUT },
        { { NULL }, "", ERR_UPSTREAM_CUT },
        { { "", " ", "{\"type\":\"keepalive\"}" }, "PING", ERR_UPSTREAM_CUT },
        { { CREATED, "{\"type\":\"response.completed\",\"response\":{\"status\":\"queued\"}}" },
          "START[r]",
          ERR_UPSTREAM_BAD },
        { { CREATED, "{\"type\":\"response.completed\",\"response\":{\"status\":\"cancelled\"}}" },
          "START[r]",
          ERR_UPSTREAM_BAD },
        { { CREATED, ARGS(0, "{}"), COMPLETED }, "START[r]", ERR_UPSTREAM_BAD },
        { { CREATED, ADDED(0, "\"type\":\"message\""), ARGS(0, "{}") },
          "START[r]",
          ERR_UPSTREAM_BAD },
        { { CREATED, "{\"type\":\"response.output_item.added\",\"item\":7}" },
          "START[r]",
          ERR_UPSTREAM_BAD },
        { { CREATED, "{\"type\":\"response.output_item.done\"}" }, "START[r]", ERR_UPSTREAM_BAD },
        { { CREATED, "{\"type\":\"a\",\"type\":\"b\"}" }, "START[r]", ERR_UPSTREAM_BAD },
        { { CREATED, "[1]" }, "START[r]", ERR_UPSTREAM_BAD },
        /* members of the wrong type say nothing */
        { { CREATED,
            "{\"type\":\"response.output_text.delta\",\"delta\":7,\"logprobs\":3,\"output_index\":-1,\"content_index\":\"x\"}",
            "{\"type\":\"response.output_text.annotation.added\",\"annotation\":\"x\"}",
            DONE(
                0,
                "\"type\":\"message\",\"content\":[null,7,{\"text\":3,\"logprobs\":{},\"annotations\":4}]"),
            DONE(1, "\"type\":\"reasoning\",\"summary\":{},\"encrypted_content\":5"),
            "{\"type\":7}",
            "{\"type\":\"response.completed\",\"response\":{\"output\":[],\"usage\":7,\"id\":[]}}" },
          "START[r] FINISH[stop] END" },
    };
    check_streams(cases, sizeof cases / sizeof cases[0]);
}

static void test_whole(void **state)
{
    static const struct {
        const char *body, *want;
        enum err end;
    } cases[] = {
        { "{\"id\":\"x\",\"service_tier\":\"default\",\"output\":[{\"type\":\"message\",\"content\":[{\"text\":\"a\"},"
          "{\"refusal\":\"b\"}]}],\"usage\":{\"input_tokens\":1,\"output_tokens\":2}}",
          "START[x,default] TEXT[\"a\"] REFUSAL[\"b\"] FINISH[stop,default] USAGE[1,2] END" },
        { "{\"output\":[null,7,\"x\",[],{}]}",
          "START[resp_seed] LOSS[server_tools] LOSS[server_tools] LOSS[server_tools] LOSS[server_tools] "
          "LOSS[server_tools] FINISH[stop] END" },
        { "{\"output\":[]}", "START[resp_seed] FINISH[stop] END" },
        { "{\"output\":[{\"type\":\"custom_tool_call\",\"call_id\":\"c\",\"name\":\"f\",\"input\":\"\"}]}",
          "START[resp_seed] TOOL_CALL[0,c,f,custom] TOOL_END[0] FINISH[tool_calls] END" },
        { "{\"output\":[{\"type\":\"function_call\",\"arguments\":\"{}\"}]}", "START[resp_seed]",
          ERR_UPSTREAM_BAD },
        { "{\"output\":null}", "", ERR_UPSTREAM_BAD },
        { "{}", "", ERR_UPSTREAM_BAD },
        { "", "", ERR_UPSTREAM_BAD },
        { "[DONE]", "", ERR_UPSTREAM_BAD },
        { "{\"status\":\"in_progress\",\"output\":[]}", "", ERR_UPSTREAM_BAD },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check((const char *const[]){ cases[i].body, NULL }, true, cases[i].want, cases[i].end);
}

static void test_errors(void **state)
{
    static const struct {
        const char *data;
        bool whole;
        const char *want;
    } cases[] = {
        { "{\"type\":\"error\",\"code\":\"rate_limit_exceeded\",\"message\":\"m\",\"param\":null}",
          false, "ERROR[429,rate_limit_exceeded,m]" },
        { "{\"type\":\"error\",\"code\":null,\"message\":\"m\"}", false, "ERROR[500,,m]" },
        { "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"code\":\"context_length_exceeded\",\"message\":\"m\"}}",
          false, "ERROR[400,context_length_exceeded,m]" },
        { "{\"type\":\"error\",\"error\":\"m\"}", false, "ERROR[500,,m]" },
        { "{\"error\":{\"code\":\"invalid_api_key\",\"message\":\"m\"}}", false,
          "ERROR[502,upstream_auth,The provider refused the gateway's credential for this deployment (its status was "
          "401). Whoever runs the gateway must set a valid api_key.]" },
        { "{\"type\":\"response.failed\",\"response\":{\"error\":{\"code\":\"server_error\",\"message\":\"m\"}}}",
          false, "ERROR[500,server_error,m]" },
        { "{\"type\":\"response.failed\",\"response\":{\"error\":null}}", false,
          "ERROR[500,,The provider answered with status 500 and a body that is not its API's error format.]" },
        { "{\"type\":\"response.completed\",\"response\":{\"status\":\"failed\",\"error\":{\"code\":\"image_too_large\",\"message\":\"m\"}}}",
          false, "ERROR[400,image_too_large,m]" },
        { "{\"error\":{\"code\":\"model_not_found\",\"message\":\"m\"}}", true,
          "ERROR[404,model_not_found,m]" },
        { "{\"error\":\"m\"}", true, "ERROR[500,,m]" },
        { "{\"status\":\"failed\",\"output\":[],\"error\":{\"code\":\"bio_policy\",\"message\":\"m\"}}",
          true, "ERROR[400,bio_policy,m]" },
        { "{\"object\":\"response\",\"error\":{\"message\":\"m sk-0123456789abcdef\"}}", true,
          "ERROR[500,,m [redacted]]" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        /* Whatever comes after it says nothing. */
        const char *frames[] = { cases[i].data, cases[i].whole ? NULL : COMPLETED, NULL };
        check(frames, cases[i].whole, cases[i].want, ERR_OK);
    }
}

/* -- what a provider could do to the memory */

static void test_bounds(void **state)
{
    static const struct {
        const char *format, *what;
        unsigned most;
    } rows[] = {
        { "{\"type\":\"response.output_item.added\",\"output_index\":%u,\"item\":{\"type\":\"message\"}}",
          "more than 1024 output items", 1024 },
        { "{\"type\":\"response.output_item.added\",\"output_index\":%u,\"item\":{\"type\":\"function_call\"}}",
          "more than 512 tool calls", 512 },
        { "{\"type\":\"response.output_text.delta\",\"output_index\":0,\"content_index\":%u,\"delta\":\"\"}",
          "more than 8192 parts in one answer", 8192 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig g;
        enum err e = ERR_OK;
        unsigned n = 0;
        rig_init(&g);
        for (; !e && n < 20000; n++) {
            char data[256];
            /* the formats are those above */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(data, sizeof data, rows[i].format, n);
#pragma GCC diagnostic pop
            e = feed(&g, str_c(data), false);
        }
        assert_int_equal(e, ERR_UPSTREAM_BAD);
        assert_string_equal(g.what, rows[i].what);
        assert_int_equal(n, rows[i].most + 1);
        rig_done(&g);
    }
}

static void test_arguments_that_wait_have_an_end(void **state)
{
    struct rig g;
    enum err e = ERR_OK;
    rig_init(&g);
    assert_int_equal(feed(&g, STR(ADDED(0, CALL("c1", "f"))), false), ERR_OK);
    assert_int_equal(feed(&g, STR(ADDED(1, CALL("c2", "g"))), false), ERR_OK);
    char *delta = arena_alloc(g.a, MIB);
    memset(delta, 'x', MIB);
    struct str data = arena_printf(
        g.a,
        "{\"type\":\"response.function_call_arguments.delta\",\"output_index\":1,\"delta\":\"%.*s\"}",
        (int)MIB, delta);
    for (unsigned n = 0; !e && n < 17; n++)
        e = feed(&g, data, false);
    assert_int_equal(e, ERR_UPSTREAM_BAD);
    assert_string_equal(g.what, "tool arguments beyond 16 MiB");
    rig_done(&g);
}

/* -- recorded answers: a folder that only some machines have */

static bool has_ended(const struct rig *g)
{
    struct str got = buf_str(&g->got);
    return str_ends(got, STR(" END")) || contains(got, "ERROR[");
}

/* A recording may hold several streams; some lines have lost their end, and so has the stream. */
static void replay(struct str name, struct str text, bool stream)
{
    struct rig g;
    struct json_problem problem;
    rig_init(&g);
    bool damaged = false;
    if (!stream) {
        assert_int_equal(feed(&g, text, true), ERR_OK);
        assert_true(has_ended(&g));
    }
    while (stream && text.len) {
        struct str line = str_cut(&text, '\n');
        if (json_check(line, &problem)) {
            damaged = true;
            continue;
        }
        if (contains(line, "\"type\":\"response.created\"") && g.got.len) {
            assert_true(has_ended(&g));
            D->reader_done(g.reader);
            memset(g.reader, 0, D->reader_bytes);
            D->reader_init(g.reader, &g.c);
            buf_reset(&g.got);
        }
        assert_int_equal(feed(&g, line, false), ERR_OK);
    }
    assert_true(damaged || has_ended(&g));
    rig_done(&g);
}

static void test_recordings(void **state)
{
    each_recording("openai-responses", 1, replay);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams),    cmocka_unit_test(test_ends_of_streams),
        cmocka_unit_test(test_whole),      cmocka_unit_test(test_errors),
        cmocka_unit_test(test_bounds),     cmocka_unit_test(test_arguments_that_wait_have_an_end),
        cmocka_unit_test(test_recordings),
    };
    return cmocka_run_group_tests_name("dialect/responses_provider", tests, NULL, NULL);
}
