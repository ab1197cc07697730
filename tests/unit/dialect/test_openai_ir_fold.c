/* Events as chunks of OpenAI's Chat Completions, or folded into one object. */
#include "openai_ir_streams.h"

#include "wire/sse.h"

#include <yyjson.h>

struct write_to {
    void *writer;
    struct buf out;
};

static void write_event(void *ctx, const struct ir_event *ev)
{
    struct write_to *w = ctx;
    D->write_answer(w->writer, ev, &w->out);
}

static void begin_writing(struct write_to *w, bool fold, bool usage, const struct ir_request *rq,
                          struct arena *a)
{
    struct answer_context c = { .rq = rq, .arena = a, .unix_s = 1700000000, .id = STR("seed") };
    struct answer_style style = { .fold = fold, .usage = usage, .model_json = STR("\"alias\"") };
    w->writer = arena_zalloc(a, D->writer_bytes);
    buf_init(&w->out, 16 * MIB);
    D->writer_init(w->writer, &c, &style);
}

static void end_writing(struct write_to *w)
{
    D->writer_done(w->writer);
    buf_done(&w->out);
}

static struct str translate(const char *const *frames, bool whole, bool fold, bool usage,
                            const struct ir_request *rq, struct arena *a)
{
    struct write_to w;
    struct ir_sink sink = { write_event, &w };
    begin_writing(&w, fold, usage, rq, a);
    enum err e = read_frames(frames, whole, rq, a, &sink);
    assert_int_equal(e, ERR_OK);
    assert_int_equal(w.out.fail, ERR_OK);
    struct str out = arena_dup(a, buf_str(&w.out));
    end_writing(&w);
    return out;
}

static const char *const usual[] = {
    DELTA("\"content\":\"Hi\""), ENDS("stop"),
    "{\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2}}", DONE, NULL
};

static void test_frames(void **state)
{
#define HEAD                                                                                       \
    "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":5,\"model\":\"alias\",\"choices\":["
#define FRAME(delta, finish, usage)                                                                \
    HEAD "{\"index\":0,\"delta\":{" delta "},\"logprobs\":null,\"finish_reason\":" finish          \
         "}]" usage "}\n\n"
    struct arena *a = arena_new();
    assert_text(translate(usual, false, false, false, NULL, a),
                FRAME("\"role\":\"assistant\",\"content\":\"\",\"refusal\":null", "null", "")
                    FRAME("\"content\":\"Hi\"", "null", "")
                        FRAME("", "\"stop\"", "") "data: [DONE]\n\n");
    assert_text(
        translate(usual, false, false, true, NULL, a),
        FRAME("\"role\":\"assistant\",\"content\":\"\",\"refusal\":null", "null", ",\"usage\":null")
            FRAME("\"content\":\"Hi\"", "null", ",\"usage\":null")
                FRAME("", "\"stop\"", ",\"usage\":null") HEAD
        "],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2,\"total_tokens\":11,\"prompt_tokens_details\":{\"cached_tokens\":0,"
        "\"audio_tokens\":0},\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0,\"accepted_prediction_tokens\":0,"
        "\"rejected_prediction_tokens\":0}}}\n\ndata: [DONE]\n\n");
    const char *tool[] = {
        CALLS("{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}}"),
        ENDS("stop"), DONE, NULL
    };
    assert_text(
        translate(tool, false, false, false, NULL, a),
        FRAME("\"role\":\"assistant\",\"content\":null,\"refusal\":null", "null", "") FRAME(
            "\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]",
            "null", "") FRAME("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{}\"}}]",
                              "null", "") FRAME("", "\"tool_calls\"", "") "data: [DONE]\n\n");
    struct ir_request legacy = { .legacy_functions = true };
    assert_text(translate(tool, false, false, false, &legacy, a),
                FRAME("\"role\":\"assistant\",\"content\":null,\"refusal\":null", "null", "")
                    FRAME("\"function_call\":{\"name\":\"f\",\"arguments\":\"\"}", "null", "")
                        FRAME("\"function_call\":{\"arguments\":\"{}\"}", "null", "")
                            FRAME("", "\"function_call\"", "") "data: [DONE]\n\n");
    const char *error[] = { DELTA("\"content\":\"x\""),
                            "{\"error\":{\"message\":\"boom\",\"type\":\"server_error\"}}", NULL };
    struct str out = translate(error, false, false, true, NULL, a);
    assert_true(contains(
        out,
        "\n\ndata: {\"error\":{\"message\":\"boom\",\"type\":\"server_error\",\"param\":null,\"code\":\"500\"}}\n\n"));
    assert_false(contains(out, "[DONE]"));
    assert_text(
        translate(error + 1, false, true, true, NULL, a),
        "{\"error\":{\"message\":\"boom\",\"type\":\"server_error\",\"param\":null,\"code\":\"500\"}}");
    arena_free(a);
}

static void test_object(void **state)
{
    struct arena *a = arena_new();
    assert_text(
        translate(usual, false, true, false, NULL, a),
        "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":5,\"model\":\"alias\",\"choices\":[{\"index\":0,\"message\":"
        "{\"role\":\"assistant\",\"content\":\"Hi\",\"refusal\":null,\"annotations\":[]},\"logprobs\":null,\"finish_reason\":\"stop\"}],"
        "\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2,\"total_tokens\":11,\"prompt_tokens_details\":{\"cached_tokens\":0,"
        "\"audio_tokens\":0},\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0,\"accepted_prediction_tokens\":0,"
        "\"rejected_prediction_tokens\":0}},\"system_fingerprint\":null}");
    arena_free(a);
}

/* -- streamed and accumulated, or folded: the same message */

struct joined {
    struct buf content, refusal, reasoning, rest; /* rest: lists, as they came */
    bool texts;
    struct {
        char head[256];
        struct buf input;
    } calls[8];
    size_t call_count;
    char finish[32];
};

static void join_string(yyjson_val *v, struct buf *out, bool *ret_any)
{
    if (!yyjson_is_str(v))
        return;
    *ret_any = true;
    buf_put(out, str_of(yyjson_get_str(v), yyjson_get_len(v)));
}

static void join_list(yyjson_val *delta, const char *name, struct joined *j)
{
    yyjson_val *item;
    size_t i, n;
    yyjson_arr_foreach(yyjson_obj_get(delta, name), i, n, item)
    {
        char *text = yyjson_val_write(item, 0, NULL);
        buf_printf(&j->rest, "%s %s\n", name, text);
        free(text);
    }
}

static void join_call(yyjson_val *call, size_t at, bool legacy, struct joined *j)
{
    yyjson_val *inner = legacy ? call : yyjson_obj_get(call, "function"), *input;
    bool any;
    if (!inner)
        inner = yyjson_obj_get(call, "custom");
    assert_true(at < 8);
    if (at == j->call_count) {
        yyjson_val *extra = yyjson_obj_get(call, "extra_content");
        char *text = extra ? yyjson_val_write(extra, 0, NULL) : NULL;
        snprintf(j->calls[at].head, sizeof j->calls[at].head, "%s %s %s %s",
                 legacy ? "-" : yyjson_get_str(yyjson_obj_get(call, "id")),
                 legacy ? "-" : yyjson_get_str(yyjson_obj_get(call, "type")),
                 yyjson_get_str(yyjson_obj_get(inner, "name")), text ? text : "");
        free(text);
        buf_init(&j->calls[at].input, MIB);
        j->call_count++;
    }
    input = yyjson_obj_get(inner, "arguments");
    join_string(input ? input : yyjson_obj_get(inner, "input"), &j->calls[at].input, &any);
}

/* A delta, or a whole message: joined in the same way. */
static void join(yyjson_val *choice, const char *member, struct joined *j)
{
    yyjson_val *delta = yyjson_obj_get(choice, member), *call,
               *logprobs = yyjson_obj_get(choice, "logprobs");
    size_t i, n;
    bool any;
    join_string(yyjson_obj_get(delta, "content"), &j->content, &j->texts);
    join_string(yyjson_obj_get(delta, "refusal"), &j->refusal, &any);
    join_string(yyjson_obj_get(delta, "reasoning_content"), &j->reasoning, &any);
    join_list(delta, "thinking_blocks", j);
    join_list(delta, "reasoning_details", j);
    join_list(delta, "annotations", j);
    join_list(logprobs, "content", j);
    yyjson_val *extra = yyjson_obj_get(delta, "extra_content");
    if (extra) {
        char *text = yyjson_val_write(extra, 0, NULL);
        buf_printf(&j->rest, "extra %s\n", text);
        free(text);
    }
    yyjson_arr_foreach(yyjson_obj_get(delta, "tool_calls"), i, n, call)
    {
        yyjson_val *index = yyjson_obj_get(call, "index");
        join_call(call, index ? (size_t)yyjson_get_uint(index) : i, false, j);
    }
    if (yyjson_obj_get(delta, "function_call"))
        join_call(yyjson_obj_get(delta, "function_call"), 0, true, j);
    if (yyjson_is_str(yyjson_obj_get(choice, "finish_reason"))) {
        assert_int_equal(j->finish[0], 0);
        snprintf(j->finish, sizeof j->finish, "%s",
                 yyjson_get_str(yyjson_obj_get(choice, "finish_reason")));
    }
}

static int by_line(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Everything in one text; what came as lists is sorted, since kinds may interleave in a stream. */
static struct str summary(struct joined *j, struct arena *a)
{
    struct buf out;
    char *lines[64];
    size_t n = 0;
    buf_init(&out, MIB);
    buf_printf(&out, "content %s%.*s\nrefusal %.*s\nreasoning %.*s\nfinish %s\n",
               j->texts ? "" : "null", STR_ARG(buf_str(&j->content)), STR_ARG(buf_str(&j->refusal)),
               STR_ARG(buf_str(&j->reasoning)), j->finish);
    for (size_t i = 0; i < j->call_count; i++) {
        buf_printf(&out, "call %s %.*s\n", j->calls[i].head, STR_ARG(buf_str(&j->calls[i].input)));
        buf_done(&j->calls[i].input);
    }
    struct str rest = buf_str(&j->rest);
    while (rest.len && n < 64)
        lines[n++] = arena_cstr(a, str_cut(&rest, '\n'));
    qsort(lines, n, sizeof lines[0], by_line);
    for (size_t i = 0; i < n; i++)
        buf_printf(&out, "%s\n", lines[i]);
    struct str text = arena_dup(a, buf_str(&out));
    buf_done(&out);
    buf_done(&j->content);
    buf_done(&j->refusal);
    buf_done(&j->reasoning);
    buf_done(&j->rest);
    return text;
}

static void init_joined(struct joined *j)
{
    *j = (struct joined){ 0 };
    buf_init(&j->content, MIB);
    buf_init(&j->refusal, MIB);
    buf_init(&j->reasoning, MIB);
    buf_init(&j->rest, MIB);
}

static struct str summary_of_stream(struct str frames, struct arena *a)
{
    struct joined j;
    struct sse sse;
    struct sse_event ev;
    bool done = false;
    init_joined(&j);
    sse_init(&sse, SSE_EVENT_MAX);
    sse_push(&sse, frames);
    while (!sse_next(&sse, &ev)) {
        assert_false(done);
        if ((done = str_eq(ev.data, STR("[DONE]"))))
            continue;
        yyjson_doc *doc = yyjson_read(ev.data.p, ev.data.len, 0);
        if (!doc)
            fail_msg("not JSON: %.*s", STR_ARG(ev.data));
        yyjson_val *choice = yyjson_arr_get(yyjson_obj_get(yyjson_doc_get_root(doc), "choices"), 0);
        join(choice, "delta", &j);
        yyjson_doc_free(doc);
    }
    assert_true(done);
    sse_done(&sse);
    return summary(&j, a);
}

static struct str summary_of_object(struct str body, struct arena *a)
{
    struct joined j;
    init_joined(&j);
    yyjson_doc *doc = yyjson_read(body.p, body.len, 0);
    if (!doc)
        fail_msg("not JSON: %.*s", STR_ARG(body));
    join(yyjson_arr_get(yyjson_obj_get(yyjson_doc_get_root(doc), "choices"), 0), "message", &j);
    yyjson_doc_free(doc);
    return summary(&j, a);
}

static void check_same(size_t i, const char *const *frames, bool whole, const struct ir_request *rq)
{
    struct arena *a = arena_new();
    struct str folded = translate(frames, whole, true, false, rq, a),
               streamed = translate(frames, whole, false, true, rq, a);
    struct str one = summary_of_object(folded, a), two = summary_of_stream(streamed, a);
    if (!str_eq(one, two))
        fail_msg("case %zu\n--- folded\n%.*s\n--- streamed\n%.*s", i, STR_ARG(one), STR_ARG(two));
    /* What was folded, read again and folded, is the same object. */
    if (!rq) {
        const char *again[] = { arena_cstr(a, folded), NULL };
        assert_text(summary_of_object(translate(again, true, true, false, NULL, a), a),
                    arena_cstr(a, one));
    }
    arena_free(a);
}

static void test_folded_and_streamed_are_the_same(void **state)
{
    struct ir_request legacy = { .legacy_functions = true };
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
        if (streams[i].end || contains(str_c(streams[i].want), "ERROR") ||
            contains(str_c(streams[i].want), "1:"))
            continue;
        check_same(i, streams[i].frames, false, NULL);
        check_same(i, streams[i].frames, false, &legacy);
    }
    static const char *const more[] = {
        "{\"choices\":[{\"message\":{\"content\":\"\"},\"finish_reason\":\"stop\"}]}",
        "{\"choices\":[{\"message\":{\"content\":\"x\\ud83d\\ude00\",\"refusal\":\"no\"},\"finish_reason\":\"content_filter\"}]}",
        "{\"choices\":[{\"message\":{\"reasoning_content\":\"t\",\"thinking_blocks\":[{\"type\":\"thinking\",\"thinking\":\"t\",\"signature\":\"s\"},"
        "{\"type\":\"redacted_thinking\",\"data\":\"d\"}]},\"finish_reason\":\"length\"}]}",
        "{\"choices\":[{\"message\":{\"content\":\"x\",\"annotations\":[{\"type\":\"url_citation\"}],\"extra_content\":{\"google\":"
        "{\"thought_signature\":\"g\"}}},\"logprobs\":{\"content\":[{\"token\":\"x\"}],\"refusal\":null}}]}",
    };
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++)
        check_same(100 + i, (const char *const[]){ more[i], NULL }, true, NULL);
}

static void test_signed_thinking_is_told_whole(void **state)
{
    static const struct ir_event events[] = {
        { .kind = IR_EV_START, .id = STR("msg_1"), .created = 7, .service_tier = STR("priority") },
        { .kind = IR_EV_PING },
        { .kind = IR_EV_REASONING, .json = STR("\"a \"") },
        { .kind = IR_EV_REASONING, .json = STR("\"b\"") },
        { .kind = IR_EV_SIGNATURE, .json = STR("\"sig\""), .origin = IR_FROM_ANTHROPIC },
        { .kind = IR_EV_SIGNATURE,
          .json = STR("\"enc\""),
          .origin = IR_FROM_OPENAI_RESPONSES,
          .redacted = true },
        { .kind = IR_EV_FINISH, .finish = IR_FINISH_CONTENT_FILTER, .json = STR("\"because\"") },
        { .kind = IR_EV_END },
    };
    struct arena *a = arena_new();
    for (int fold = 0; fold < 2; fold++) {
        struct write_to w;
        begin_writing(&w, fold, false, NULL, a);
        for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
            D->write_answer(w.writer, &events[i], &w.out);
        struct str out = buf_str(&w.out);
        assert_true(contains(out, "\"id\":\"chatcmpl-msg_1\""));
        assert_true(contains(out, "\"created\":7"));
        assert_true(contains(out, "\"service_tier\":\"priority\""));
        assert_true(contains(
            out,
            "\"thinking_blocks\":[{\"type\":\"thinking\",\"thinking\":\"a b\",\"signature\":\"sig\"}]"));
        assert_true(contains(
            out,
            "\"reasoning_details\":[{\"type\":\"reasoning.encrypted\",\"format\":\"openai-responses-v1\",\"data\":\"enc\"}]"));
        assert_true(contains(out, "\"refusal\":\"because\""));
        assert_true(contains(out, "\"finish_reason\":\"content_filter\""));
        assert_int_equal(contains(out, ": ping\n\n"), !fold);
        end_writing(&w);
    }
    arena_free(a);
}

static void test_usage_details(void **state)
{
    struct ir_event usage = { .kind = IR_EV_USAGE,
                              .usage = { true, 100, 50, 30, 7, 5, 20, 1, 2, 3, 4 } };
    struct ir_event finish = { .kind = IR_EV_FINISH }, end = { .kind = IR_EV_END };
    struct arena *a = arena_new();
    struct write_to w;
    begin_writing(&w, true, false, NULL, a);
    D->write_answer(w.writer, &finish, &w.out);
    D->write_answer(w.writer, &usage, &w.out);
    D->write_answer(w.writer, &end, &w.out);
    D->write_answer(w.writer, &end, &w.out); /* nothing follows */
    assert_true(
        contains(buf_str(&w.out), "\"content\":\"\"") &&
        contains(
            buf_str(&w.out),
            "\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":50,\"total_tokens\":150,\"prompt_tokens_details\":"
            "{\"cached_tokens\":30,\"cache_write_tokens\":12,\"audio_tokens\":1,\"image_tokens\":3},\"completion_tokens_details\":"
            "{\"reasoning_tokens\":20,\"audio_tokens\":2,\"image_tokens\":4,"));
    assert_true(str_ends(buf_str(&w.out), STR("\"system_fingerprint\":null}")));
    end_writing(&w);
    arena_free(a);
}

/* A long stream costs the arena nothing a token. */
static void test_tokens_cost_no_arena(void **state)
{
    struct arena *a = arena_new();
    struct write_to w;
    struct ir_sink sink = { write_event, &w };
    struct answer_context c = { .arena = a, .unix_s = 1, .id = STR("seed") };
    void *reader = arena_zalloc(a, D->reader_bytes);
    struct frame f = {
        .data = STR(
            "{\"id\":\"x\",\"service_tier\":\"default\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"tok\","
            "\"reasoning_details\":[{\"type\":\"reasoning.text\",\"text\":\"t\"}]},\"finish_reason\":null}]}")
    };
    const char *what;
    D->reader_init(reader, &c);
    begin_writing(&w, false, false, NULL, a);
    size_t held = 0;
    for (int i = 0; i < 5000; i++) {
        assert_int_equal(D->read_answer(reader, &f, &sink, &what), ERR_OK);
        buf_reset(&w.out);
        held = i == 0 ? arena_bytes(a) : held;
    }
    assert_int_equal(arena_bytes(a), held);
    D->reader_done(reader);
    end_writing(&w);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_object),
        cmocka_unit_test(test_folded_and_streamed_are_the_same),
        cmocka_unit_test(test_signed_thinking_is_told_whole),
        cmocka_unit_test(test_usage_details),
        cmocka_unit_test(test_tokens_cost_no_arena),
    };
    return cmocka_run_group_tests_name("dialect/openai_ir_fold", tests, NULL, NULL);
}
