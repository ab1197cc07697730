#include "dialect_test.h"

#include "base/mem.h"

static void test_whole_is_stamped(void **state)
{
    static const struct {
        const char *body, *want;
    } cases[] = {
        { "{\"id\":1,\"model\":\"gpt-4.1-2025\",\"choices\":[{}]}",
          "{\"id\":1,\"model\":\"alias\",\"choices\":[{}]}" },
        { " {\"choices\":[{}] , \"model\" : \"x\" }\n",
          " {\"choices\":[{}] , \"model\" : \"alias\" }\n" },
        { "{\"choices\":[{}]}", "{\"choices\":[{}]}" },
        { "{\"model\":null,\"choices\":[{}],\"usage\":null}",
          "{\"model\":null,\"choices\":[{}],\"usage\":null}" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct openai_answer ans;
        struct buf out;
        buf_init(&out, 64 * KIB);
        assert_int_equal(openai_read_answer(OPENAI_CHAT, str_c(cases[i].body), &ans), ERR_OK);
        assert_true(openai_put_answer(&ans, STR("\"alias\""), false, &out));
        assert_text(buf_str(&out), cases[i].want);
        buf_done(&out);
    }
}

static void test_events(void **state)
{
    static const struct {
        const char *data, *want; /* want NULL: dropped whole */
        bool hide, content, finish;
    } cases[] = {
        { "{\"model\":\"m\",\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}],\"usage\":null}",
          "{\"model\":\"alias\",\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}",
          true, false, false },
        { "{\"usage\":null,\"model\":\"m\",\"choices\":[{\"delta\":{\"content\":\"a\"}}]}",
          "{\"model\":\"alias\",\"choices\":[{\"delta\":{\"content\":\"a\"}}]}", true, true,
          false },
        { "{\"model\":\"m\", \"usage\" : null , \"choices\":[{\"delta\":{\"refusal\":\"no\"}}]}",
          "{\"model\":\"alias\" , \"choices\":[{\"delta\":{\"refusal\":\"no\"}}]}", true, true,
          false },
        { "{\"model\":\"m\",\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":null}",
          "{\"model\":\"alias\",\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":null}",
          false, false, true },
        { "{\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":1}}", NULL, true, false,
          false },
        { "{\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":1}}",
          "{\"model\":\"alias\",\"choices\":[],\"usage\":{\"prompt_tokens\":1}}", false, false,
          false },
        { "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]}}]}",
          "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]}}]}",
          true, false, false },
        { "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\"}}]}}]}",
          "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\"}}]}}]}",
          true, true, false },
        { "{\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}",
          "{\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}", true, true, false },
        /* usage with content stays: it is not the usage event */
        { "{\"choices\":[{\"delta\":{\"content\":\"x\"}}],\"usage\":{\"prompt_tokens\":1}}",
          "{\"choices\":[{\"delta\":{\"content\":\"x\"}}],\"usage\":{\"prompt_tokens\":1}}", true,
          true, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct openai_answer ev;
        struct buf out;
        buf_init(&out, 64 * KIB);
        assert_int_equal(openai_read_event(OPENAI_CHAT, str_c(cases[i].data), true, &ev), ERR_OK);
        if (ev.content != cases[i].content || ev.finish != cases[i].finish)
            fail_msg("case %zu: content %d finish %d", i, ev.content, ev.finish);
        assert_int_equal(openai_put_answer(&ev, STR("\"alias\""), cases[i].hide, &out),
                         cases[i].want != NULL);
        if (cases[i].want)
            assert_text(buf_str(&out), cases[i].want);
        buf_done(&out);
    }
}

/* Once a stream is committed only the end of a choice is looked for. */
static void test_finish_after_commit(void **state)
{
    static const struct {
        const char *data;
        bool finish;
    } cases[] = {
        { "{\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":null}]}", false },
        { "{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}", true },
        { "{\"choices\":[{\"delta\":{},\"finish_reason\" : \"stop\"}]}", true },
        { "{\"choices\":[{\"delta\":{},\"finish\\u005freason\":\"stop\"}]}", true },
        { "{\"choices\":[{\"finish_reason\":null},{\"finish_reason\":\"length\"}]}", true },
        { "{\"choices\":[{\"finish_reason\":\"length\"},{\"finish_reason\":null}]}", true },
        { "{\"choices\":[{\"delta\":{\"content\":\"\\\"finish_reason\\\":null\"},\"finish_reason\":\"stop\"}]}",
          true },
        { "{\"choices\":[{\"delta\":{\"content\":\"x\"}}]}", false },
        { "{\"choices\":[ ]}", false },
        { "{\"choices\":[{\"finish_reason\" :\"length\"},{\"finish_reason\":null}]}", true },
        { "{\"choices\":[{\"_reason\":\"_\",\"my_finish_reason\":null,\"finish_reason\":\"stop\"}]}",
          true },
        { "{\"choices\":[{\"delta\":{\"content\":\"_a_finish_reason\"},\"finish_reason\": null}]}",
          false },
        { "{\"choices\":[{\"finish_reason\":null,\"text\":\"_\"}]}", false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct openai_answer ev;
        assert_int_equal(openai_read_event(OPENAI_CHAT, str_c(cases[i].data), false, &ev), ERR_OK);
        if (ev.finish != cases[i].finish)
            fail_msg("%s", cases[i].data);
        assert_int_equal(ev.no_choices, i == 8);
    }
}

static void test_text_completion_events(void **state)
{
    struct openai_answer ev;
    assert_int_equal(
        openai_read_event(OPENAI_TEXT, STR("{\"choices\":[{\"text\":\"a\"}]}"), true, &ev), ERR_OK);
    assert_true(ev.content);
    assert_int_equal(
        openai_read_event(OPENAI_TEXT, STR("{\"choices\":[{\"text\":\"\"}]}"), true, &ev), ERR_OK);
    assert_false(ev.content);
    assert_int_equal(
        openai_read_event(OPENAI_TEXT, STR("{\"choices\":[{\"text\":\"a\"}]}"), false, &ev),
        ERR_OK);
    assert_false(ev.content);
}

static void test_bad_and_silent_failures(void **state)
{
    struct openai_answer ans;
    assert_int_equal(openai_read_answer(OPENAI_CHAT, STR("{\"choices\":[{}"), &ans), ERR_BAD_JSON);
    assert_true(ans.problem.what != NULL);
    assert_int_equal(openai_read_answer(OPENAI_CHAT, STR(""), &ans), ERR_BAD_JSON);
    assert_int_equal(openai_read_answer(OPENAI_CHAT, STR("{\"choices\":[]}"), &ans), ERR_OK);
    assert_true(ans.no_choices);
    assert_int_equal(openai_read_answer(OPENAI_CHAT, STR("{\"choices\":null}"), &ans), ERR_OK);
    assert_true(ans.no_choices);
    assert_int_equal(openai_read_answer(OPENAI_EMBED, STR("{\"data\":[]}"), &ans), ERR_OK);
    assert_false(ans.no_choices);
    assert_int_equal(openai_read_answer(OPENAI_CHAT, STR("{\"error\":{\"message\":\"x\"}}"), &ans),
                     ERR_OK);
    assert_true(ans.has_error);
    assert_int_equal(openai_read_answer(OPENAI_CHAT, STR("{\"error\":null,\"choices\":[1]}"), &ans),
                     ERR_OK);
    assert_false(ans.has_error);
}

static void test_usage(void **state)
{
    struct ir_usage u;
    assert_true(openai_read_usage(
        STR("{\"prompt_tokens\":19,\"completion_tokens\":10.0,\"prompt_tokens_details\":{\"cached_tokens\":5,"
            "\"audio_tokens\":1},\"completion_tokens_details\":{\"reasoning_tokens\":7}}"),
        &u));
    assert_int_equal(u.prompt_tokens, 19);
    assert_int_equal(u.completion_tokens, 10);
    assert_int_equal(u.cached_tokens, 5);
    assert_int_equal(u.audio_prompt_tokens, 1);
    assert_int_equal(u.reasoning_tokens, 7);
    assert_true(
        openai_read_usage(STR("{\"prompt_tokens\":\"many\",\"prompt_tokens_details\":null}"), &u));
    assert_int_equal(u.prompt_tokens, 0);
    assert_false(openai_read_usage(STR("null"), &u));
}

static void test_fault_shape(void **state)
{
    struct buf out;
    struct fault f = fault_of(ERR_NO_KEY);
    buf_init(&out, 4 * KIB);
    openai_write_fault(&f, STR(""), &out);
    assert_text(
        buf_str(&out),
        "{\"error\":{\"message\":\"Authentication Error, No api key passed in.\",\"type\":\"auth_error\","
        "\"param\":null,\"code\":\"401\"}}");
    f.param = STR("model");
    f.code = STR("c\"d");
    buf_reset(&out);
    openai_write_fault(&f, STR("call-1"), &out);
    assert_true(contains(buf_str(&out),
                         "\"param\":\"model\",\"code\":\"c\\\"d\",\"litellm_call_id\":\"call-1\""));
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_is_stamped),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_finish_after_commit),
        cmocka_unit_test(test_text_completion_events),
        cmocka_unit_test(test_bad_and_silent_failures),
        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_fault_shape),
    };
    return cmocka_run_group_tests_name("dialect/openai_answer", tests, NULL, NULL);
}
