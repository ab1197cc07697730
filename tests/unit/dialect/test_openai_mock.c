#include "dialect_test.h"

#include "base/mem.h"
#include "wire/sse.h"

static struct openai_mock mock_of(enum openai_kind kind, const char *response, bool usage)
{
    return (struct openai_mock){ .kind = kind,
                                 .response = str_c(response),
                                 .model_json = STR("\"demo\""),
                                 .id = STR("1"),
                                 .created = 1700000000,
                                 .include_usage = usage };
}

static void test_whole(void **state)
{
    static const struct {
        enum openai_kind kind;
        const char *response, *has;
    } cases[] = {
        { OPENAI_CHAT, "\"hi \\u00e9\"", "\"content\":\"hi \\u00e9\"" },
        { OPENAI_TEXT, "\"hi\"", "\"text\":\"hi\"" },
        { OPENAI_CHAT, "{\"choices\":[{\"message\":{\"content\":\"x\"}}],\"model\":\"old\"}",
          "\"model\":\"demo\"" },
        { OPENAI_CHAT, "{\"id\":\"mine\",\"choices\":[]}", "\"id\":\"mine\"" },
        { OPENAI_EMBED, "[0.5,1]", "\"embedding\":[0.5,1]" },
        { OPENAI_EMBED, "\"text\"", "\"embedding\":[0.0]" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena *a = arena_new();
        struct openai_mock m = mock_of(cases[i].kind, cases[i].response, false);
        struct openai_answer ans;
        struct buf out;
        buf_init(&out, 64 * KIB);
        openai_mock_whole(&m, a, &out);
        assert_int_equal(openai_read_answer(cases[i].kind, buf_str(&out), &ans), ERR_OK);
        if (!contains(buf_str(&out), cases[i].has))
            fail_msg("case %zu: %.*s", i, STR_ARG(buf_str(&out)));
        buf_done(&out);
        arena_free(a);
    }
}

/* Each stream is events of valid JSON, ends with [DONE], says finish once, and its pieces add up to the text. */
static void check_stream(const struct openai_mock *m, const char *text, unsigned finishes)
{
    struct arena *a = arena_new();
    struct buf out, joined;
    struct sse sse;
    struct sse_event ev;
    bool done = false, usage = false;
    unsigned finish = 0;
    buf_init(&out, 64 * KIB);
    buf_init(&joined, 64 * KIB);
    sse_init(&sse, SSE_EVENT_MAX);
    openai_mock_stream(m, a, &out);
    sse_push(&sse, buf_str(&out));
    while (!sse_next(&sse, &ev)) {
        struct openai_answer ans;
        assert_false(done);
        if (str_eq(ev.data, STR("[DONE]"))) {
            done = true;
            continue;
        }
        assert_int_equal(openai_read_event(m->kind, ev.data, true, &ans), ERR_OK);
        finish += ans.finish;
        usage |= ans.usage.reported;
        const char *name = m->kind == OPENAI_TEXT ? "\"text\":\"" : "\"content\":\"";
        size_t at = str_find(ev.data, str_c(name));
        if (at != STR_NONE) {
            struct str rest = str_skip(ev.data, at + strlen(name));
            buf_put(&joined, str_cut(&rest, '"'));
        }
    }
    assert_true(done);
    assert_int_equal(finish, finishes);
    assert_int_equal(usage, m->include_usage);
    assert_text(buf_str(&joined), text);
    sse_done(&sse);
    buf_done(&joined);
    buf_done(&out);
    arena_free(a);
}

static void test_stream(void **state)
{
    struct openai_mock m = mock_of(OPENAI_CHAT, "\"one two  three\"", true);
    check_stream(&m, "one two  three", 1);
    m.include_usage = false;
    check_stream(&m, "one two  three", 1);
    m = mock_of(OPENAI_CHAT, "\"\"", false);
    check_stream(&m, "", 1);
    m = mock_of(OPENAI_TEXT, "\"a b\"", true);
    check_stream(&m, "a b", 1);
    m = mock_of(
        OPENAI_CHAT,
        "{\"choices\":[{\"message\":{\"content\":\"x y\"},\"finish_reason\":\"length\"},{\"message\":{}}]}",
        false);
    check_stream(&m, "x y", 2);
    m = mock_of(OPENAI_CHAT, "{}", false);
    check_stream(&m, "", 1);
}

static void test_stream_of_tool_calls(void **state)
{
    struct arena *a = arena_new();
    struct buf out;
    struct openai_mock m = mock_of(
        OPENAI_CHAT,
        "{\"choices\":[{\"finish_reason\":\"tool_calls\",\"message\":{\"content\":null,\"tool_calls\":[{\"id\":\"c1\","
        "\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}},{}]}}]}",
        false);
    buf_init(&out, 64 * KIB);
    openai_mock_stream(&m, a, &out);
    assert_true(contains(buf_str(&out),
                         "{\"tool_calls\":[{\"index\":0,\"id\":\"c1\",\"type\":\"function\","));
    assert_true(contains(buf_str(&out), "{\"index\":1}]"));
    assert_true(contains(buf_str(&out), "\"finish_reason\":\"tool_calls\""));
    buf_done(&out);
    arena_free(a);
}

static void test_errors(void **state)
{
    struct arena *a = arena_new();
    struct fault f;
    assert_true(openai_mock_fault(STR("\"litellm.RateLimitError\""), a, &f));
    assert_int_equal(f.status, 429);
    assert_true(openai_mock_fault(STR("\"litellm.ContextWindowExceededError\""), a, &f));
    assert_text(f.code, "context_length_exceeded");
    assert_true(openai_mock_fault(STR("\"Exception: broken\""), a, &f));
    assert_int_equal(f.status, 500);
    assert_text(f.msg, "broken");
    assert_false(openai_mock_fault(STR("\"litellm\""), a, &f));
    assert_false(openai_mock_fault(STR("{}"), a, &f));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_stream),
        cmocka_unit_test(test_stream_of_tool_calls),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests_name("dialect/openai_mock", tests, NULL, NULL);
}
