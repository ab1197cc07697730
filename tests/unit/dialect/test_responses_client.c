/* The client's side of the Responses API beside its golden cases: ids, state, what is kept, faults. */
#include "responses_test.h"

#include "wire/base64.h"

/* -- ids */

static void test_ids(void **state)
{
    static const struct {
        const char *id;
        bool good;
    } answers[] = {
        { "resp_" HEX, true },
        { "resp_" HEX "0", false },
        { "resp_0123456789ABCDEF0123456789abcdef", false },
        { "resp_0123", false },
        { "chat_" HEX, false },
        { "", false },
    };
    static const struct {
        const char *id;
        bool good;
    } items[] = {
        { "msg_" HEX "0000", true },    { "fc_" HEX "000a", true },
        { "rs_" HEX "12345", true },    { "msg_" HEX "i0003", true },
        { "ctco_" HEX "i0003", true },  { "msg_" HEX "003", false },
        { "msg_" HEX, false },          { "msg_" HEX "i", false },
        { "msg_" HEX "ii0001", false }, { "_" HEX "0001", false },
        { "msg" HEX "0001", false },    { "MSG_" HEX "0001", false },
        { "resp_" HEX "0001", false },  { "msg_" HEX "123456789", false },
        { "msg_68af", false },          { "", false },
    };
    struct str hex, id;
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        hex = STR("untouched");
        assert_int_equal(response_id_hex(str_c(answers[i].id), &hex), answers[i].good);
        assert_text(hex, answers[i].good ? HEX : "untouched");
    }
    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++) {
        id = STR("untouched");
        if (response_of_item(str_c(items[i].id), a, &id) != items[i].good)
            fail_msg("%s", items[i].id);
        assert_text(id, items[i].good ? "resp_" HEX : "untouched");
    }
}

/* -- state */

static void test_state_comes_back(void **state)
{
    static const enum ir_origin origins[] = { IR_FROM_ANTHROPIC, IR_FROM_GEMINI,
                                              IR_FROM_OPENAI_CHAT };
    struct buf out;
    (void)state;
    buf_init(&out, MIB);
    for (size_t o = 0; o < 3; o++) {
        for (int kind = STATE_THINKING; kind <= STATE_TEXT; kind++) {
            struct response_state s = { origins[o], (enum response_state_kind)kind,
                                        STR("\"a\\n\xc3\xbc\""),
                                        kind ? str_of(NULL, 0) : STR("\"text\"") },
                                  got;
            buf_reset(&out);
            response_state_put(&s, &out);
            assert_true(str_starts(buf_str(&out), STR("\"weir1.")));
            assert_true(response_state_get(buf_str(&out), a, &got));
            assert_int_equal(got.origin, s.origin);
            assert_int_equal(got.kind, s.kind);
            assert_true(str_eq(got.signature, s.signature) && str_eq(got.text, s.text));
        }
    }
    buf_done(&out);
}

static struct str coded(const char *json)
{
    return arena_printf(a, "\"weir1.%.*s\"", STR_ARG(base64url_encode(str_c(json), a)));
}

static void test_state_refused(void **state)
{
    struct response_state s;
    const struct str bad[] = {
        STR("\"gAAAAABo\""),
        STR("\"weir1.\""),
        STR("\"weir1.!!\""),
        STR("\"weir2.e30\""),
        STR("5"),
        STR("null"),
        STR("\"\""),
        coded("{}"),
        coded("[]"),
        coded("{\"o\":\"anthropic\",\"k\":\"thinking\"}"),
        coded("{\"o\":\"anthropic\",\"k\":\"thinking\",\"s\":\"\"}"),
        coded("{\"o\":\"anthropic\",\"k\":\"thinking\",\"s\":5}"),
        coded("{\"o\":\"anthropic\",\"k\":\"other\",\"s\":\"x\"}"),
        coded("{\"o\":\"mistral\",\"k\":\"thinking\",\"s\":\"x\"}"),
        coded("{\"o\":\"gemini\",\"k\":\"thinking\",\"s\":\"x\",\"t\":5}"),
        coded("{\"o\":\"gemini\",\"k\":\"thinking\",\"s\":\"x\",\"s\":\"y\"}"),
        coded("{\"o\":\"gemini\",\"k\":\"thinking\",\"s\":\"x\"} "
              "x"),
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (response_state_get(bad[i], a, &s))
            fail_msg("%.*s", STR_ARG(bad[i]));
    assert_true(response_state_get(coded("{\"k\":\"text\",\"s\":\"x\",\"o\":\"gemini\"}"), a, &s));
}

/* -- items as they are listed */

static void test_input_items(void **state)
{
    static const struct {
        const char *input, *items;
    } rows[] = {
        { "\"Hi \\u00e9\"",
          "[{\"type\":\"message\",\"id\":\"msg_" HEX "i0000\",\"status\":\"completed\","
          "\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"Hi "
          "\\u00e9\"}]}]" },
        { "[{\"role\":\"assistant\",\"content\":\"Yes\",\"phase\":null}]",
          "[{\"type\":\"message\",\"id\":\"msg_" HEX "i0000\",\"status\":\"completed\",\"role\":"
          "\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"Yes\",\"annotations\":[]}],"
          "\"phase\":null}]" },
        { "[{\"type\":\"message\",\"role\":\"user\",\"content\":[],\"id\":\"mine\",\"status\":"
          "\"incomplete\"}]",
          "[{\"type\":\"message\",\"id\":\"mine\",\"role\":\"user\",\"content\":[],\"status\":"
          "\"incomplete\"}]" },
        { "[{\"call_id\":\"c\",\"type\":\"function_call_output\",\"output\":\"x\",\"id\":null}, "
          "{\"type\":\"reasoning\",\"summary\":[]}]",
          "[{\"type\":\"function_call_output\",\"id\":\"fco_" HEX
          "i0000\",\"status\":\"completed\","
          "\"call_id\":\"c\",\"output\":\"x\"},{\"type\":\"reasoning\",\"id\":\"rs_" HEX
          "i0001\",\"summary\":[]}]" },
        { "[{\"type\":\"later\",\"a b\":{\"c\": 1}}]",
          "[{\"type\":\"later\",\"id\":\"item_" HEX "i0000\",\"a b\":{\"c\": 1}}]" },
        { "[]", "[]" },
    };
    static const struct {
        const char *input, *param;
    } bad[] = {
        { "5", "input" },
        { "null", "input" },
        { "{}", "input" },
        { "[{\"role\":\"user\",\"content\":\"x\"},5]", "input[1]" },
        { "[{\"content\":\"x\"}]", "input[0]" },
        { "[{\"type\":5,\"role\":\"user\"}]", "input[0]" },
    };
    struct buf out;
    struct fault f;
    (void)state;
    buf_init(&out, MIB);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        buf_reset(&out);
        assert_int_equal(response_input_items(str_c(rows[i].input), STR(HEX), a, &out, &f), ERR_OK);
        assert_text(buf_str(&out), rows[i].items);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(response_input_items(str_c(bad[i].input), STR(HEX), a, &out, &f),
                         ERR_BAD_REQUEST);
        assert_text(f.param, bad[i].param);
    }
    buf_done(&out);
}

/* -- the writer */

struct run {
    struct ir_request rq;
    struct answer_context c;
    struct rs_writer *wr;
    struct buf out, object, items;
};

static void run_init(struct run *r, bool fold)
{
    struct answer_style style = { .fold = fold,
                                  .model_json = STR("\"m\""),
                                  .response_id = STR("resp_" HEX) };
    r->c = (struct answer_context){ .rq = &r->rq, .arena = a, .unix_s = 100, .id = STR("x") };
    r->wr = arena_zalloc(a, dialect_openai_responses.writer_bytes);
    buf_init(&r->out, 256 * MIB);
    buf_init(&r->object, MIB);
    buf_init(&r->items, MIB);
    dialect_openai_responses.writer_init(r->wr, &r->c, &style);
}

static void run_done(struct run *r)
{
    dialect_openai_responses.writer_done(r->wr);
    buf_done(&r->out);
    buf_done(&r->object);
    buf_done(&r->items);
}

static void give(struct run *r, enum ir_event_kind kind, struct str json)
{
    struct ir_event ev = { .kind = kind, .json = json, .origin = IR_FROM_ANTHROPIC };
    dialect_openai_responses.write_answer(r->wr, &ev, &r->out);
}

static void test_kept_and_shown(void **state)
{
    struct run r = { .rq = { .parallel_tool_calls = -1 } };
    (void)state;
    run_init(&r, true);
    give(&r, IR_EV_START, str_of(NULL, 0));
    give(&r, IR_EV_REASONING, STR("\"Hm.\""));
    give(&r, IR_EV_SIGNATURE, STR("\"sig\""));
    give(&r, IR_EV_REASONING, STR("\"Unsigned.\""));
    give(&r, IR_EV_TEXT, STR("\"42\""));
    assert_int_equal(r.out.len, 0);
    r.c.unix_s = 107; /* time has gone by */
    give(&r, IR_EV_END, str_of(NULL, 0));
    response_writer_result(r.wr, &r.object, &r.items);
    assert_true(str_eq(buf_str(&r.out), buf_str(&r.object)));
    assert_true(contains(buf_str(&r.out), "\"created_at\":100,\"completed_at\":107,"));
    assert_true(contains(buf_str(&r.out), "\"usage\":null"));
    assert_false(contains(buf_str(&r.out), "reasoning\",\"summary\":[{"));
    assert_true(
        str_starts(buf_str(&r.items),
                   STR("[{\"id\":\"rs_" HEX "0000\",\"type\":\"reasoning\",\"summary\":[{\"type\":"
                       "\"summary_text\",\"text\":\"Hm.\"}],\"encrypted_content\":\"weir1.")));
    assert_false(contains(buf_str(&r.items), "Unsigned"));
    assert_true(contains(buf_str(&r.items), "{\"id\":\"msg_" HEX "0002\""));
    run_done(&r);
}

static void test_hidden_text_travels_in_state(void **state)
{
    struct run r = { .rq = { .parallel_tool_calls = -1, .reasoning_state = true } };
    struct ir_request back;
    struct fault f;
    (void)state;
    run_init(&r, false);
    give(&r, IR_EV_REASONING, STR("\"Hm \\\"so\\\".\""));
    give(&r, IR_EV_SIGNATURE, STR("\"sig\""));
    give(&r, IR_EV_TEXT, STR("\"42\""));
    give(&r, IR_EV_END, str_of(NULL, 0));
    assert_false(contains(buf_str(&r.out), "Hm "));
    struct str out = buf_str(&r.out);
    size_t at = str_find(
        out, STR("{\"id\":\"rs_" HEX "0000\",\"type\":\"reasoning\",\"summary\":[],\"enc"));
    assert_int_not_equal(at, STR_NONE);
    struct str item = str_skip(out, at);
    item = str_head(item, str_find(item, STR("\"}")) + 2);
    struct str body =
        arena_printf(a, "{\"model\":\"m\",\"input\":[%.*s,{\"role\":\"user\",\"content\":\"x\"}]}",
                     STR_ARG(item));
    assert_int_equal(dialect_openai_responses.read_request(body, str_of(NULL, 0), a, &back, &f),
                     ERR_OK);
    const struct ir_part *p = back.messages->parts;
    assert_int_equal(p->kind, IR_REASONING);
    assert_int_equal(p->origin, IR_FROM_ANTHROPIC);
    assert_text(p->json, "\"Hm \\\"so\\\".\"");
    assert_text(p->signature, "\"sig\"");
    run_done(&r);
}

static void test_fault_first(void **state)
{
    struct run r = { .rq = { .parallel_tool_calls = -1 } };
    struct fault f;
    (void)state;
    fault_set(&f, ERR_UPSTREAM, a, "It \"broke\".");
    run_init(&r, false);
    give(&r, IR_EV_PING, str_of(NULL, 0));
    response_writer_fault(r.wr, &f, STR("call-1"), &r.out);
    struct str out = buf_str(&r.out);
    assert_true(str_starts(out, STR(": ping\n\nevent: response.created\n")));
    assert_true(contains(out, "\nevent: response.in_progress\n"));
    assert_true(contains(out, "\"status\":\"failed\",\"background\":false,\"error\":{\"code\":"
                              "\"server_error\",\"message\":\"It \\\"broke\\\".\"}"));
    assert_true(contains(out, "event: error\ndata: {\"type\":\"error\",\"sequence_number\":3,"));
    assert_true(contains(out, "\"litellm_call_id\":\"call-1\""));
    size_t len = r.out.len; /* nothing follows */
    response_writer_fault(r.wr, &f, STR("call-1"), &r.out);
    give(&r, IR_EV_TEXT, STR("\"x\""));
    give(&r, IR_EV_END, str_of(NULL, 0));
    assert_int_equal(r.out.len, len);
    run_done(&r);
}

static void test_fault_codes(void **state)
{
    static const struct {
        enum err err;
        const char *code;
    } rows[] = {
        { ERR_BAD_REQUEST, "invalid_prompt" },
        { ERR_UPSTREAM_CUT, "server_error" },
        { ERR_OVERLOADED, "server_error" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct run r = { .rq = { .parallel_tool_calls = -1 } };
        struct fault f = fault_of(rows[i].err);
        run_init(&r, false);
        response_writer_fault(r.wr, &f, STR(""), &r.out);
        assert_true(contains(buf_str(&r.out),
                             arena_printf(a, "\"error\":{\"code\":\"%s\"", rows[i].code).p));
        run_done(&r);
    }
}

static void test_fault_folded(void **state)
{
    struct run r = { .rq = { .parallel_tool_calls = -1 } };
    struct fault f = fault_of(ERR_UPSTREAM_CUT);
    (void)state;
    run_init(&r, true);
    give(&r, IR_EV_TEXT, STR("\"x\""));
    response_writer_fault(r.wr, &f, STR("c"), &r.out);
    assert_true(str_starts(buf_str(&r.out), STR("{\"error\":{\"message\":")));
    run_done(&r);
}

/* JSON over several lines, as a provider may write it, still is an event on one. */
static void test_several_lines(void **state)
{
    struct run r = { .rq = { .parallel_tool_calls = -1, .logprobs = true } };
    struct ir_event tokens = {
        .kind = IR_EV_LOGPROBS,
        .raw =
            STR("{\n\"content\":[{\"token\":\"a\\n\",\r\n\"logprob\":-1,\"top_logprobs\":[{\n}]}]}")
    };
    struct ir_event cited = {
        .kind = IR_EV_ANNOTATION,
        .raw = STR("{\"type\":\"url_citation\",\n\"url_citation\":{\"url\":\n\"u\"}}")
    };
    (void)state;
    run_init(&r, false);
    give(&r, IR_EV_TEXT, STR("\"a\""));
    dialect_openai_responses.write_answer(r.wr, &tokens, &r.out);
    dialect_openai_responses.write_answer(r.wr, &cited, &r.out);
    give(&r, IR_EV_END, str_of(NULL, 0));
    struct str rest = buf_str(&r.out);
    assert_true(contains(rest, "\"logprob\":-1") && contains(rest, "\"url\":\"u\""));
    assert_false(contains(rest, "\r"));
    while (rest.len) {
        struct str line = str_head(rest, (size_t)((char *)memchr(rest.p, '\n', rest.len) - rest.p));
        assert_true(line.len == 0 || str_starts(line, STR("event: ")) ||
                    str_starts(line, STR("data: {")));
        rest = str_skip(rest, line.len + 1);
    }
    run_done(&r);
}

/* A call that was open when the answer failed must not look like one to be made. */
static void test_open_call_is_not_told(void **state)
{
    struct run r = { .rq = { .parallel_tool_calls = -1 } };
    struct ir_event call = { .kind = IR_EV_TOOL_CALL, .call_id = STR("c"), .name = STR("f") };
    struct fault f = fault_of(ERR_UPSTREAM_CUT);
    (void)state;
    run_init(&r, false);
    dialect_openai_responses.write_answer(r.wr, &call, &r.out);
    give(&r, IR_EV_TOOL_ARGUMENTS, STR("\"{\""));
    response_writer_fault(r.wr, &f, STR(""), &r.out);
    assert_false(contains(buf_str(&r.out), ".done"));
    assert_true(contains(buf_str(&r.out), "\"output\":[]"));
    response_writer_result(r.wr, &r.object, &r.items);
    assert_text(buf_str(&r.items), "[]");
    run_done(&r);
}

/* What was said before the failure is in the answer; a call that was cut is not. */
static void test_fault_after_text(void **state)
{
    struct run r = { .rq = { .parallel_tool_calls = -1, .reasoning_visible = true } };
    struct ir_event call = { .kind = IR_EV_TOOL_CALL, .call_id = STR("c"), .name = STR("f") };
    struct fault f = fault_of(ERR_UPSTREAM_CUT);
    (void)state;
    run_init(&r, false);
    give(&r, IR_EV_TEXT, STR("\"so far\""));
    give(&r, IR_EV_REASONING, STR("\"hm\""));
    r.wr->searches = true; /* a message may be open beside what follows */
    give(&r, IR_EV_TEXT, STR("\"more\""));
    dialect_openai_responses.write_answer(r.wr, &call, &r.out);
    response_writer_fault(r.wr, &f, STR(""), &r.out);
    struct str out = buf_str(&r.out);
    size_t failed = str_find(out, STR("event: response.failed"));
    assert_true(failed != STR_NONE);
    out = str_skip(out, failed);
    assert_true(contains(out, "\"status\":\"completed\",\"role\":\"assistant\",\"content\":[{"
                              "\"type\":\"output_text\",\"text\":\"so far\""));
    assert_true(contains(out, "\"status\":\"incomplete\",\"role\":\"assistant\",\"content\":[{"
                              "\"type\":\"output_text\",\"text\":\"more\""));
    assert_true(contains(out, "\"text\":\"hm\""));
    assert_false(contains(out, "function_call"));
    run_done(&r);
}

static void test_echo(void **state)
{
    struct ir_ext previous = { .name = STR("previous_response_id"), .raw = STR("\"resp_1\"") },
                  tools = { .next = &previous,
                            .name = STR("tools"),
                            .raw =
                                STR("[{\"type\":\"function\",\"name\":\"f\"},{\"type\":\"custom\","
                                    "\"name\":\"c\"}]") };
    struct run r = { .rq = { .parallel_tool_calls = -1, .echo = &tools } };
    (void)state;
    run_init(&r, true);
    give(&r, IR_EV_END, str_of(NULL, 0));
    assert_true(contains(buf_str(&r.out), "\"previous_response_id\":\"resp_1\""));
    assert_true(contains(buf_str(&r.out),
                         "\"tools\":[{\"type\":\"function\",\"name\":\"f\","
                         "\"description\":null,\"parameters\":null,\"strict\":null},"
                         "{\"type\":\"custom\",\"name\":\"c\"}]"));
    run_done(&r);
}

/* What opens a server of tools is not repeated, however it is spelt. */
static void test_echo_without_secrets(void **state)
{
    struct ir_ext tools = { .name = STR("tools"),
                            .raw = STR("[{\"type\":\"mcp\",\"server_label\":\"s\","
                                       "\"authorization\":\"sk-secret\","
                                       "\"\\u0068eaders\":{\"x-key\":\"sk-secret\"},"
                                       "\"allowed_tools\":[\"a\"]},{\"type\":\"mcp\"}]") };
    struct run r = { .rq = { .parallel_tool_calls = -1, .echo = &tools } };
    (void)state;
    run_init(&r, false);
    give(&r, IR_EV_TEXT, STR("\"x\""));
    give(&r, IR_EV_END, str_of(NULL, 0));
    response_writer_result(r.wr, &r.object, &r.items);
    assert_false(contains(buf_str(&r.out), "sk-secret"));
    assert_false(contains(buf_str(&r.object), "sk-secret"));
    assert_true(contains(buf_str(&r.object), "\"tools\":[{\"type\":\"mcp\",\"server_label\":\"s\","
                                             "\"allowed_tools\":[\"a\"]},{\"type\":\"mcp\"}]"));
    run_done(&r);
}

/* An id that is not weir's is not taken: one is made of the call's. */
static void test_id_made(void **state)
{
    struct ir_request rq = { .parallel_tool_calls = -1 };
    struct answer_context c = { .rq = &rq, .arena = a, .id = STR("x") };
    struct answer_style style = { .fold = true, .model_json = STR("\"m\"") };
    struct rs_writer *wr = arena_zalloc(a, sizeof *wr);
    struct ir_event end = { .kind = IR_EV_END };
    struct buf out;
    struct str hex;
    (void)state;
    buf_init(&out, MIB);
    dialect_openai_responses.writer_init(wr, &c, &style);
    dialect_openai_responses.write_answer(wr, &end, &out);
    assert_true(str_starts(buf_str(&out), STR("{\"id\":\"resp_")));
    assert_true(response_id_hex(str_head(str_skip(buf_str(&out), 7), RESPONSE_ID_LEN), &hex));
    dialect_openai_responses.writer_done(wr);
    buf_done(&out);
}

/* What is collected beyond the bound fails the answer, as soon as it is; it is never cut silently, and the fault is told. */
static void collect_too_much(bool fold, int limit_mib, enum ir_event_kind kind)
{
    struct run r = { .rq = { .parallel_tool_calls = -1, .reasoning_state = true } };
    struct fault f = fault_of(ERR_UPSTREAM_BAD);
    char *piece = mem_alloc(MIB);
    int n = 0, last = -1;
    memset(piece, 'x', MIB);
    piece[0] = piece[MIB - 1] = '"';
    run_init(&r, fold);
    for (; !r.out.fail && n < 100; n++) {
        buf_reset(&r.out);
        last = (int)r.wr->sequence - 1;
        give(&r, kind, str_of(piece, MIB));
    }
    assert_int_equal(r.out.fail, ERR_TOO_LARGE);
    assert_in_range(n, limit_mib, limit_mib + 1);
    buf_reset(&r.out);
    give(&r, IR_EV_END, str_of(NULL, 0));
    assert_int_equal(r.out.fail, ERR_TOO_LARGE);
    assert_false(contains(buf_str(&r.out), "response.completed"));
    buf_reset(&r.out);
    response_writer_fault(r.wr, &f, STR(""), &r.out);
    assert_int_equal(r.out.fail, ERR_OK);
    assert_int_equal(contains(buf_str(&r.out), "event: response.failed\n"), !fold);
    assert_true(contains(buf_str(&r.out), "upstream_invalid_response"));
    assert_int_equal(
        contains(buf_str(&r.out), arena_printf(a, "\"sequence_number\":%d,", last + 1).p), !fold);
    run_done(&r);
    mem_free(piece);
}

static void test_too_long(void **state)
{
    (void)state;
    for (int fold = 0; fold < 2; fold++) {
        collect_too_much(fold, fold ? 64 : 12, IR_EV_TEXT);
        collect_too_much(fold, fold ? 64 : 12, IR_EV_REASONING);
        collect_too_much(fold, fold ? 64 : 12, IR_EV_SIGNATURE);
    }
}

/* Items cost memory however short they are. */
static void test_too_many(void **state)
{
    struct run r = { .rq = { .parallel_tool_calls = -1, .reasoning_visible = true } };
    int n = 0;
    (void)state;
    run_init(&r, false);
    for (; !r.out.fail && n < 1000000; n++) {
        buf_reset(&r.out);
        give(&r, n % 2 ? IR_EV_TEXT : IR_EV_REASONING, STR("\"x\""));
    }
    assert_in_range(n, 1000, 30000);
    run_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_state_comes_back),
        cmocka_unit_test(test_state_refused),
        cmocka_unit_test(test_input_items),
        cmocka_unit_test(test_kept_and_shown),
        cmocka_unit_test(test_hidden_text_travels_in_state),
        cmocka_unit_test(test_fault_first),
        cmocka_unit_test(test_fault_codes),
        cmocka_unit_test(test_fault_folded),
        cmocka_unit_test(test_several_lines),
        cmocka_unit_test(test_open_call_is_not_told),
        cmocka_unit_test(test_fault_after_text),
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_echo_without_secrets),
        cmocka_unit_test(test_id_made),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_too_many),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
