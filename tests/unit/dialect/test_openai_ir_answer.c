/* Answers of OpenAI's Chat Completions, whole and in chunks, into events. */
#include "openai_ir_streams.h"

/* Events as text, one word each: what the tables below compare. */
static void note(void *ctx, const struct ir_event *ev)
{
    struct buf *out = ctx;
    static const char *const finishes[] = { "stop", "length", "tool_calls", "content_filter" };
    if (out->len)
        buf_putc(out, ' ');
    if (ev->choice)
        buf_printf(out, "%u:", ev->choice);
    buf_putz(out, ir_event_name(ev->kind));
    if (ev->kind == IR_EV_TOOL_CALL)
        buf_printf(out, "[%u,%.*s,%.*s%s%s%.*s]", ev->part, STR_ARG(ev->call_id), STR_ARG(ev->name),
                   ev->custom ? ",custom" : "", ev->signature.len ? "," : "",
                   STR_ARG(ev->signature));
    else if (ev->kind == IR_EV_TOOL_ARGUMENTS || ev->kind == IR_EV_TOOL_END)
        buf_printf(out, "[%u%s%.*s]", ev->part, ev->json.len ? "," : "", STR_ARG(ev->json));
    else if (ev->kind == IR_EV_FINISH)
        buf_printf(out, "[%s]", finishes[ev->finish]);
    else if (ev->kind == IR_EV_USAGE)
        buf_printf(out, "[%u,%u]", (unsigned)ev->usage.prompt_tokens,
                   (unsigned)ev->usage.completion_tokens);
    else if (ev->kind == IR_EV_ERROR)
        buf_printf(out, "[%.*s]", STR_ARG(ev->fault->msg));
    else if (ev->kind == IR_EV_SIGNATURE)
        buf_printf(out, "[%d%s,%.*s]", ev->origin, ev->redacted ? ",redacted" : "",
                   STR_ARG(ev->json));
    else if (ev->kind == IR_EV_LOSS)
        buf_printf(out, "[%.*s]", STR_ARG(ev->name));
    else if (ev->json.len || ev->raw.len)
        buf_printf(out, "[%.*s%.*s]", STR_ARG(ev->json), STR_ARG(ev->raw));
}

static void check_reading(size_t i, const char *const *frames, bool whole, const char *want,
                          enum err end)
{
    struct arena *a = arena_new();
    struct buf got;
    struct ir_sink sink = { note, &got };
    buf_init(&got, MIB);
    enum err e = read_frames(frames, whole, NULL, a, &sink);
    if (e != end || !str_eq(buf_str(&got), str_c(want)))
        fail_msg("case %zu: error %s\n  got:  %.*s\n  want: %s", i, err_name(e),
                 STR_ARG(buf_str(&got)), want);
    buf_done(&got);
    arena_free(a);
}

static void test_streams(void **state)
{
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++)
        check_reading(i, streams[i].frames, false, streams[i].want, streams[i].end);
}

static void test_whole(void **state)
{
    static const struct {
        const char *body, *want;
        enum err end;
    } cases[] = {
        { "{\"id\":\"x\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"hi\",\"refusal\":null},\"finish_reason\":"
          "\"stop\",\"logprobs\":null}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}",
          "START TEXT[\"hi\"] USAGE[1,2] FINISH[stop] END" },
        { "{\"choices\":[{\"message\":{\"content\":null,\"reasoning_content\":\"r\",\"tool_calls\":[{\"id\":\"a\",\"type\":\"function\","
          "\"function\":{\"name\":\"f\",\"arguments\":\"\"}},{\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":"
          "\"{\"}}]},\"finish_reason\":\"stop\"}]}",
          "START REASONING[\"r\"] TOOL_CALL[0,a,f] TOOL_END[0] TOOL_CALL[1,a,f] TOOL_ARGUMENTS[1,\"{\"] TOOL_END[1] FINISH[tool_calls] END" },
        { "{\"choices\":[{\"message\":{\"content\":\"a\"}},{\"message\":{\"content\":\"b\"},\"finish_reason\":\"length\"}]}",
          "START TEXT[\"a\"] 1:TEXT[\"b\"] FINISH[stop] 1:FINISH[length] END" },
        { "{\"choices\":[{\"message\":{\"content\":\"a\",\"audio\":{\"id\":\"u\"},\"images\":[{}]}},{\"message\":{\"audio\":null,\"images\":[]}}]}",
          "START TEXT[\"a\"] LOSS[audio] LOSS[image_output] FINISH[stop] 1:FINISH[stop] END" },
        { "{\"choices\":[]}", "", ERR_UPSTREAM_BAD },
        { "{\"id\":\"x\"}", "", ERR_UPSTREAM_BAD },
        { "[DONE]", "", ERR_UPSTREAM_BAD },
        { "", "", ERR_UPSTREAM_BAD },
        { "{\"error\":{\"message\":\"no\"}}", "ERROR[no]" },
        { "{\"choices\":[{\"message\":{\"tool_calls\":[{\"id\":\"a\"}]}}]}", "START",
          ERR_UPSTREAM_BAD },
        { "{\"choices\":[3,\"x\",{\"message\":7,\"logprobs\":4,\"finish_reason\":9}]}",
          "START FINISH[stop] 1:FINISH[stop] 2:FINISH[stop] END" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_reading(i, (const char *const[]){ cases[i].body, NULL }, true, cases[i].want,
                      cases[i].end);
}

/* Without [DONE], all choices that were asked for must have ended. */
static void test_a_missing_choice_is_a_cut(void **state)
{
    struct arena *a = arena_new();
    struct buf got;
    struct ir_sink sink = { note, &got };
    struct ir_request rq = { .n = { true, 2, STR("2") } };
    const char *frames[] = { DELTA("\"content\":\"x\""), ENDS("stop"), NULL };
    buf_init(&got, MIB);
    assert_int_equal(read_frames(frames, false, &rq, a, &sink), ERR_UPSTREAM_CUT);
    buf_done(&got);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_a_missing_choice_is_a_cut),
    };
    return cmocka_run_group_tests_name("dialect/openai_ir_answer", tests, NULL, NULL);
}
