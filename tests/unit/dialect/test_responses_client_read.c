/* Requests of the Responses API as clients send them, where no golden case looks. */
#include "responses_test.h"

static enum err read_body(const char *body, struct ir_request *rq)
{
    struct fault f = { 0 };
    enum err e = dialect_openai_responses.read_request(str_c(body), str_of(NULL, 0), a, rq, &f);
    assert_int_equal(f.err, e);
    return e;
}

static void test_read_flags(void **state)
{
    struct ir_request rq;
    (void)state;
    assert_int_equal(read_body("{\"model\":\"m\",\"input\":\"x\"}", &rq), ERR_OK);
    assert_false(rq.reasoning_state || rq.reasoning_visible || rq.logprobs || rq.stream);
    assert_int_equal(rq.parallel_tool_calls, -1);
    assert_int_equal(rq.thinking, -1);
    assert_null(rq.echo);
    assert_int_equal(
        read_body("{\"model\":\"m\",\"input\":\"x\",\"store\":false,\"stream\":true,\"reasoning\":{"
                  "\"summary\":\"detailed\"},\"truncation\":\"auto\"}",
                  &rq),
        ERR_OK);
    assert_true(rq.reasoning_state && rq.reasoning_visible && rq.stream && rq.usage_asked);
    assert_text(rq.reasoning_summary, "detailed");
    assert_text(rq.truncation, "auto");
    assert_int_equal(rq.store.len, 0); /* weir keeps answers itself */
    assert_int_equal(rq.effort, IR_EFFORT_UNSET);
}

static void test_read_echo_is_one_line(void **state)
{
    struct ir_request rq;
    (void)state;
    assert_int_equal(
        read_body("{\"model\":\"m\",\"input\":\"x\",\"text\":{ \"format\" :\n {\"type\":"
                  "\"text\"} },\"instructions\":\"a \\\" b\",\"metadata\":{\"a\":{}}}",
                  &rq),
        ERR_OK);
    assert_text(ir_ext_find(rq.echo, STR("text"))->raw, "{\"format\":{\"type\":\"text\"}}");
    assert_text(ir_ext_find(rq.echo, STR("instructions"))->raw, "\"a \\\" b\"");
    assert_null(ir_ext_find(rq.echo, STR("metadata"))); /* no map of strings: the gateway's own */
}

static void test_read_many_summaries(void **state)
{
    struct ir_request rq;
    (void)state;
    assert_int_equal(
        read_body(
            "{\"model\":\"m\",\"input\":[{\"type\":\"reasoning\",\"summary\":[{\"text\":\"a\"},{"
            "\"text\":\"\"},{\"text\":\"b\"}]},{\"role\":\"assistant\",\"content\":\"c\"}]}",
            &rq),
        ERR_OK);
    assert_text(rq.messages->parts->json, "\"a\\n\\nb\"");
    assert_text(rq.messages->parts->next->json, "\"c\"");
    assert_null(rq.messages->next);
}

/* Integers are passed on as digits alone, however they were written. */
static void test_read_integers(void **state)
{
    static const struct {
        const char *sent, *kept; /* kept NULL: refused */
    } rows[] = {
        { "7", "7" },     { "100.0", "100" }, { "1e2", "100" }, { "1000000000", "1000000000" },
        { "0", NULL },    { "-0", NULL },     { "1.5", NULL },  { "-1", NULL },
        { "1e10", NULL }, { "\"7\"", NULL },
    };
    struct ir_request rq;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fault f;
        struct str body = arena_printf(
            a, "{\"model\":\"m\",\"input\":\"x\",\"max_output_tokens\":%s}", rows[i].sent);
        enum err e = dialect_openai_responses.read_request(body, str_of(NULL, 0), a, &rq, &f);
        assert_int_equal(e, rows[i].kept ? ERR_OK : ERR_BAD_REQUEST);
        if (rows[i].kept)
            assert_text(rq.max_tokens.raw, rows[i].kept);
        else
            assert_text(f.param, "max_output_tokens");
    }
    /* JSON has a zero with a sign; it is in the range all the same. */
    assert_int_equal(read_body("{\"model\":\"m\",\"input\":\"x\",\"top_logprobs\":-0}", &rq),
                     ERR_OK);
    assert_false(rq.logprobs || rq.top_logprobs.set);
}

/* [messages]: role and parts, as "u:t" for a user's text. */
static struct str shape(const struct ir_request *rq)
{
    static const char roles[] = "sduat", kinds[] = "tiafcrRXo";
    struct buf out;
    buf_init(&out, 4096);
    for (const struct ir_message *m = rq->messages; m; m = m->next) {
        if (out.len)
            buf_putc(&out, ' ');
        buf_putc(&out, roles[m->role]);
        buf_putc(&out, ':');
        for (const struct ir_part *p = m->parts; p; p = p->next)
            buf_putc(&out, kinds[p->kind]);
    }
    struct str got = arena_dup(a, buf_str(&out));
    buf_done(&out);
    return got;
}

#define U "{\"role\":\"user\",\"content\":\"x\"}"
#define A "{\"role\":\"assistant\",\"content\":\"x\"}"
#define R "{\"type\":\"reasoning\",\"summary\":[{\"text\":\"x\"}]}"
#define C "{\"type\":\"function_call\",\"call_id\":\"c\",\"name\":\"f\",\"arguments\":\"{}\"}"
#define O "{\"type\":\"function_call_output\",\"call_id\":\"c\",\"output\":\"x\"}"
#define W "{\"type\":\"web_search_call\",\"id\":\"w\",\"status\":\"completed\"}"
#define X "{\"type\":\"mcp_call\",\"id\":\"w\"}"
#define Y "{\"type\":\"computer_call_output\",\"call_id\":\"w\"}"

/* Which items share a message. */
static void test_read_turns(void **state)
{
    static const struct {
        const char *items, *shape;
    } rows[] = {
        { U "," A "," U, "u:t a:t u:t" },
        { U "," A "," A, "u:t a:t a:t" },
        { U "," R "," A "," C "," O, "u:t a:Rtc t:r" },
        { U "," A "," R "," C "," O, "u:t a:t a:Rc t:r" },
        { U "," C "," C "," O "," O, "u:t a:cc t:r t:r" },
        { U "," C "," A "," R "," O "," A, "u:t a:ctR t:r a:t" },
        { U "," C "," O "," C "," O, "u:t a:c t:r a:c t:r" },
        { U "," C "," U "," U "," O "," A, "u:t a:c t:r u:t u:t a:t" },
        { U "," W "," A, "u:t a:ot" },
        { U "," W "," U, "u:t a:o u:t" },
        { U "," X "," Y "," A, "u:t a:o u:o a:t" },
        { U "," C "," Y "," O, "u:t a:c t:r u:o" },
        { R "," R "," A "," U, "a:RRt u:t" },
    };
    struct ir_request rq;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct str body = arena_printf(a, "{\"model\":\"m\",\"input\":[%s]}", rows[i].items);
        assert_int_equal(read_body(arena_cstr(a, body), &rq), ERR_OK);
        assert_text(shape(&rq), rows[i].shape);
    }
}

static void test_read_unpaired(void **state)
{
    static const struct {
        const char *items, *param;
    } rows[] = {
        { U "," C, "input[1]" },
        { U "," C "," U "," A, "input[1]" }, /* a turn between */
        { U "," C "," C "," O, "input[2]" },
        { U "," O, "input[1].call_id" },
        { U "," C "," O "," O, "input[3].call_id" },
        { U "," C "," O "," U "," O, "input[4].call_id" },
    };
    struct ir_request rq;
    struct fault f;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct str body = arena_printf(a, "{\"model\":\"m\",\"input\":[%s]}", rows[i].items);
        assert_int_equal(dialect_openai_responses.read_request(body, str_of(NULL, 0), a, &rq, &f),
                         ERR_BAD_REQUEST);
        assert_text(f.param, rows[i].param);
    }
}

/* Finding an output looks through the calls of a turn: there is an end to them. */
static void test_read_too_many_calls(void **state)
{
    struct ir_request rq;
    struct fault f;
    struct buf body;
    (void)state;
    buf_init(&body, MIB);
    buf_putz(&body, "{\"model\":\"m\",\"input\":[");
    for (int i = 0; i < 1025; i++)
        buf_putz(&body, i ? "," C : C);
    buf_putz(&body, "]}");
    assert_int_equal(
        dialect_openai_responses.read_request(buf_str(&body), str_of(NULL, 0), a, &rq, &f),
        ERR_BAD_REQUEST);
    assert_text(f.param, "input[1024]");
    buf_done(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_flags),
        cmocka_unit_test(test_read_integers),
        cmocka_unit_test(test_read_echo_is_one_line),
        cmocka_unit_test(test_read_many_summaries),
        cmocka_unit_test(test_read_turns),
        cmocka_unit_test(test_read_unpaired),
        cmocka_unit_test(test_read_too_many_calls),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
