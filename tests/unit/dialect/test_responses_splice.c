#include "dialect_test.h"

#include "base/mem.h"
#include "dialect/responses.h"

#include <stdio.h>

#include <dirent.h>
#include <stdlib.h>

#define ALIAS "\"alias\""
#define TAG "weirn.0123abcd."

static struct response_answer event_of(const char *data)
{
    struct response_answer ev;
    assert_int_equal(response_read_event(str_c(data), true, &ev), ERR_OK);
    return ev;
}

static void test_members(void **state)
{
    static const struct str body = STR_INIT(
        "{\"model\":\"m\",\"store\":false,\"conversation\":\"c\",\"previous_response_id\":\"r\",\"input\":\"hi\"}");
    static const char *const names[] = { "input", "previous_response_id", "conversation", "store" };
    struct response_members m;
    assert_int_equal(response_members(body, &m).len, 0);
    assert_text(json_value(body, &m.input), "\"hi\"");
    assert_text(json_value(body, &m.previous), "\"r\"");
    assert_text(json_value(body, &m.conversation), "\"c\"");
    assert_int_equal(m.store.type, JSON_FALSE);
    assert_int_equal(response_members(STR("{\"model\":\"m\"}"), &m).len, 0);
    assert_int_equal(m.input.type, JSON_ABSENT);
    assert_int_equal(m.store.type, JSON_ABSENT);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char twice[128];
        snprintf(twice, sizeof twice, "{\"%s\":null,\"model\":\"m\",\"%s\":null}", names[i],
                 names[i]);
        assert_text(response_members(str_c(twice), &m), names[i]);
    }
}

static void test_whole(void **state)
{
    static const struct {
        const char *body, *put, *id, *status;
        bool error;
        uint64_t prompt;
    } cases[] = {
        { "{\"id\":\"resp_1\",\"object\":\"response\",\"status\":\"completed\",\"error\":null,"
          "\"model\":\"gpt-5.2-2026\",\"output\":[],\"usage\":{\"input_tokens\":36}}",
          "{\"id\":\"resp_1\",\"object\":\"response\",\"status\":\"completed\",\"error\":null,"
          "\"model\":\"alias\",\"output\":[],\"usage\":{\"input_tokens\":36}}",
          "resp_1", "completed", false, 36 },
        /* the error of a response that failed is its own */
        { "{\"status\":\"failed\",\"error\":{\"code\":\"server_error\"},\"output\":[]}", NULL, "",
          "failed", false, 0 },
        { "{\"object\":\"response\",\"error\":{\"code\":\"server_error\"}}", NULL, "", "", false,
          0 },
        { "{\"error\":{\"message\":\"no\"}}", NULL, "", "", true, 0 },
        { "{\"type\":\"error\",\"message\":\"no\"}", NULL, "", "", true, 0 },
        { "{\"error\":\"no\"}", NULL, "", "", true, 0 },
        { "{\"error\":null}", NULL, "", "", false, 0 },
        /* the model of another object is not the answer's */
        { "{\"output\":[{\"model\":\"x\"}],\"model\":null,\"text\":{\"model\":\"y\"}}", NULL, "",
          "", false, 0 },
        { " {\n\"model\" : \"m\" , \"id\":7}\n", " {\n\"model\" : \"alias\" , \"id\":7}\n", "", "",
          false, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct response_answer ans;
        struct buf out;
        buf_init(&out, 64 * KIB);
        assert_int_equal(response_read_answer(str_c(cases[i].body), &ans), ERR_OK);
        response_put_answer(&ans, STR(ALIAS), STR(TAG), &out);
        assert_text(buf_str(&out), cases[i].put ? cases[i].put : cases[i].body);
        assert_text(ans.id, cases[i].id);
        assert_text(ans.status, cases[i].status);
        assert_int_equal(ans.error, cases[i].error);
        assert_int_equal(ans.usage.prompt_tokens, cases[i].prompt);
        assert_int_equal(ans.usage.reported, cases[i].prompt != 0);
        assert_int_equal(ans.type.len, 0);
        assert_false(ans.terminal || ans.content || ans.sequenced);
        assert_text(ans.object, cases[i].body);
        buf_done(&out);
    }
}

static void test_event_kinds(void **state)
{
    static const struct {
        const char *data, *type;
        bool content, terminal, error;
    } cases[] = {
        { "{\"type\":\"response.created\",\"response\":{\"output\":[]}}", "response.created", false,
          false, false },
        { "{\"type\":\"response.completed\",\"response\":{}}", "response.completed", false, true,
          false },
        { "{\"type\":\"response.incomplete\"}", "response.incomplete", false, true, false },
        { "{\"type\":\"response.failed\",\"response\":{\"error\":{\"code\":\"x\"}}}",
          "response.failed", false, true, false },
        { "{\"type\":\"error\",\"code\":null,\"message\":\"m\",\"param\":null}", "error", false,
          true, true },
        { "{\"type\":\"error\",\"error\":{\"message\":\"m\"}}", "error", false, true, true },
        { "{\"error\":{\"message\":\"m\"}}", "error", false, true, true },
        { "{\"type\":\"resp\\u006fnse.completed\"}", "response.completed", false, true, false },
        { "{\"type\":\"response.audio.done\",\"error\":{}}", "response.audio.done", false, false,
          false },
        { "{}", "", false, false, false },
        { "{\"type\":null,\"error\":null}", "", false, false, false },
        { "{\"type\":\"keepalive\",\"sequence_number\":3}", "keepalive", false, false, false },
        /* content */
        { "{\"type\":\"response.output_text.delta\",\"delta\":\"\"}", "response.output_text.delta",
          false, false, false },
        { "{\"type\":\"response.output_text.delta\",\"delta\":\"a\",\"logprobs\":[]}",
          "response.output_text.delta", true, false, false },
        { "{\"type\":\"response.refusal.delta\",\"delta\":\"no\"}", "response.refusal.delta", true,
          false, false },
        { "{\"type\":\"response.refusal.done\",\"refusal\":\"no\"}", "response.refusal.done", true,
          false, false },
        { "{\"type\":\"response.output_text.done\",\"text\":\"a\"}", "response.output_text.done",
          true, false, false },
        { "{\"type\":\"response.function_call_arguments.done\",\"arguments\":\"{}\"}",
          "response.function_call_arguments.done", true, false, false },
        { "{\"type\":\"response.custom_tool_call_input.done\",\"input\":\"x\"}",
          "response.custom_tool_call_input.done", true, false, false },
        { "{\"type\":\"response.image_generation_call.partial_image\",\"partial_image_b64\":\"AA\"}",
          "response.image_generation_call.partial_image", true, false, false },
        { "{\"type\":\"response.output_item.added\",\"item\":{\"type\":\"function_call\",\"arguments\":\"\"}}",
          "response.output_item.added", false, false, false },
        { "{\"type\":\"response.output_item.added\",\"item\":{\"type\":\"message\",\"content\":[]}}",
          "response.output_item.added", false, false, false },
        { "{\"type\":\"response.output_item.done\",\"item\":{\"type\":\"function_call\",\"arguments\":\"{}\"}}",
          "response.output_item.done", true, false, false },
        { "{\"type\":\"response.output_item.done\",\"item\":{\"content\":[{\"text\":\"\"},{\"text\":\"a\"}]}}",
          "response.output_item.done", true, false, false },
        { "{\"type\":\"response.output_item.done\",\"item\":{\"content\":[{\"refusal\":\"a\"}]}}",
          "response.output_item.done", true, false, false },
        { "{\"type\":\"response.output_item.done\",\"item\":{\"summary\":[{\"text\":\"a\"}]}}",
          "response.output_item.done", true, false, false },
        { "{\"type\":\"response.output_item.done\",\"item\":{\"summary\":[],\"encrypted_content\":\"a\"}}",
          "response.output_item.done", false, false, false },
        /* members of the wrong type say nothing */
        { "{\"type\":7,\"delta\":7,\"item\":[1],\"response\":[{}]}", "", false, false, false },
        { "{\"type\":\"x\",\"delta\":{\"text\":\"a\"},\"item\":{\"content\":\"a\"}}", "x", false,
          false, false },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct response_answer ev = event_of(cases[i].data);
        assert_text(ev.type, cases[i].type);
        if (ev.content != cases[i].content || ev.terminal != cases[i].terminal ||
            ev.error != cases[i].error)
            fail_msg("case %zu: content %d terminal %d error %d", i, ev.content, ev.terminal,
                     ev.error);
        /* once committed, content is not looked for */
        assert_int_equal(response_read_event(str_c(cases[i].data), false, &ev), ERR_OK);
        assert_false(ev.content);
        assert_int_equal(ev.terminal, cases[i].terminal);
    }
}

static void test_event_object(void **state)
{
    struct response_answer ev = event_of(
        "{\"type\":\"response.completed\",\"sequence_number\":12,\"model\":\"top\", \"response\" : "
        "{\"id\":\"resp_1\",\"status\":\"completed\",\"model\":\"gpt\",\"usage\":{\"input_tokens\":299,"
        "\"input_tokens_details\":{\"cached_tokens\":7,\"cache_write_tokens\":2},\"output_tokens\":12,"
        "\"output_tokens_details\":{\"reasoning_tokens\":5},\"total_tokens\":311}}}");
    struct buf out;
    buf_init(&out, 4 * KIB);
    assert_true(ev.sequenced);
    assert_int_equal(ev.sequence, 12);
    assert_text(ev.id, "resp_1");
    assert_text(ev.status, "completed");
    assert_true(str_starts(ev.object, STR("{\"id\":\"resp_1\"")) && str_ends(ev.object, STR("}}")));
    assert_text(json_value(ev.text, &ev.model), "\"gpt\"");
    assert_int_equal(ev.text.p[ev.model.name_at], '"');
    assert_int_equal(ev.text.p[ev.model.comma_before], ',');
    assert_text(str_head(str_skip(ev.text, ev.model.next_at), 7), "\"usage\"");
    assert_true(ev.usage.reported);
    assert_int_equal(ev.usage.prompt_tokens, 299);
    assert_int_equal(ev.usage.completion_tokens, 12);
    assert_int_equal(ev.usage.cached_tokens, 7);
    assert_int_equal(ev.usage.cache_write_tokens, 2);
    assert_int_equal(ev.usage.reasoning_tokens, 5);
    response_put_answer(&ev, STR(ALIAS), STR(TAG), &out);
    assert_true(contains(buf_str(&out), "\"model\":\"top\", \"response\" : {\"id\":\"resp_1\","
                                        "\"status\":\"completed\",\"model\":\"alias\",\"usage\""));
    buf_reset(&out);
    response_put_answer(&ev, STR(""), STR(""), &out);
    assert_text(buf_str(&out), arena_cstr((struct arena *)*state, ev.text));
    buf_done(&out);

    ev = event_of("{\"type\":\"response.created\",\"response\":{\"model\":\"m\"}}");
    assert_int_equal(ev.model.comma_before, 0);
    assert_false(ev.usage.reported || ev.sequenced);
    ev = event_of(
        "{\"type\":\"response.in_progress\",\"response\":{\"model\":null,\"usage\":null}}");
    assert_false(ev.usage.reported);
    ev = event_of("{\"type\":\"x\",\"sequence_number\":-1}");
    assert_false(ev.sequenced);
    assert_int_equal(ev.object.len, 0);
}

static void test_usage(void **state)
{
    struct ir_usage u = { .prompt_tokens = 9 };
    assert_false(response_read_usage(STR("null"), &u));
    assert_false(response_read_usage(STR(""), &u));
    assert_false(response_read_usage(STR("[1]"), &u));
    assert_int_equal(u.prompt_tokens, 9);
    assert_true(response_read_usage(STR("{}"), &u));
    assert_true(u.reported);
    assert_int_equal(u.prompt_tokens, 0);
    assert_true(response_read_usage(
        STR("{\"input_tokens\":-3,\"output_tokens\":1.5,\"input_tokens_details\":null,"
            "\"output_tokens_details\":[]}"),
        &u));
    assert_int_equal(u.prompt_tokens + u.completion_tokens, 0);
    assert_true(response_read_usage(
        STR("{\"output_tokens_details\":{\"audio_tokens\":4},\"input_tokens_details\":"
            "{\"image_tokens\":3}}"),
        &u));
    assert_int_equal(u.audio_completion_tokens, 4);
    assert_int_equal(u.image_prompt_tokens, 3);
}

static void test_damaged(void **state)
{
    static const char *const bad[] = { "",
                                       "[DONE]",
                                       "[]",
                                       "7",
                                       "{\"type\":\"x\"",
                                       "{\"type\":\"x\"} x",
                                       "{\"type\":\"a\",\"type\":\"error\"}",
                                       "{\"response\":{},\"response\":{}}",
                                       "{\"delta\":\"\xff\"}",
                                       "{\"response\":{\"model\":\"\\ud800\"}}" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct response_answer ans;
        assert_int_equal(response_read_event(str_c(bad[i]), true, &ans), ERR_BAD_JSON);
        assert_non_null(ans.problem.what);
    }
    static const char *const bodies[] = { "", "[]", "{\"model\":\"a\",\"model\":\"b\"}",
                                          "{\"a\":}" };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct response_answer ans;
        assert_int_equal(response_read_answer(str_c(bodies[i]), &ans), ERR_BAD_JSON);
        assert_non_null(ans.problem.what);
    }
}

static void test_fault(void **state)
{
    struct fault f = fault_of(ERR_UPSTREAM_CUT);
    struct buf out;
    buf_init(&out, 4 * KIB);
    f.msg = STR("it \"broke\"\n");
    response_write_fault(&f, 9, STR("call-1"), &out);
    assert_text(
        buf_str(&out),
        "event: error\ndata: {\"type\":\"error\",\"sequence_number\":9,\"code\":\"upstream_invalid_response\","
        "\"message\":\"it \\\"broke\\\"\\n\",\"param\":null,\"error\":{\"type\":\"server_error\","
        "\"code\":\"upstream_invalid_response\",\"message\":\"it \\\"broke\\\"\\n\",\"param\":null,"
        "\"litellm_call_id\":\"call-1\"}}\n\n");
    buf_reset(&out);
    f = fault_of(ERR_BAD_REQUEST);
    f.param = STR("input");
    response_write_fault(&f, 0, STR(""), &out);
    assert_true(contains(buf_str(&out), "\"code\":\"400\""));
    assert_true(contains(buf_str(&out), "\"param\":\"input\""));
    assert_false(contains(buf_str(&out), "litellm_call_id"));
    buf_done(&out);
}

/* -- recorded answers: the edits made, then undone, give the bytes that came */

static struct str read_file(struct arena *a, const char *dir, const char *name)
{
    FILE *f = fopen(arena_printf(a, "%s/%s", dir, name).p, "rb");
    size_t room = 8 * MIB;
    char *p = arena_alloc(a, room);
    assert_non_null(f);
    size_t n = fread(p, 1, room, f);
    fclose(f);
    assert_true(n > 0 && n < room);
    return str_of(p, n);
}

/* In a recording there is no tag before weir puts it there. */
static struct str untagged(struct str text, struct arena *a, size_t *ret_count)
{
    struct buf out;
    size_t at, n = 0;
    buf_init(&out, 8 * MIB);
    for (; (at = str_find(text, STR("\"" TAG))) != STR_NONE; n++) {
        buf_put(&out, str_head(text, at + 1));
        text = str_skip(text, at + 1 + strlen(TAG));
    }
    buf_put(&out, text);
    struct str made = arena_dup(a, buf_str(&out));
    buf_done(&out);
    *ret_count = n;
    return made;
}

static void check_undone(const struct response_answer *ans, struct arena *a)
{
    size_t tags;
    struct buf out, back;
    struct str original = json_value(ans->text, &ans->model);
    buf_init(&out, 8 * MIB);
    buf_init(&back, 8 * MIB);
    response_put_answer(ans, STR(ALIAS), STR(TAG), &out);
    struct str put = untagged(buf_str(&out), a, &tags);
    assert_int_equal(tags > 0, contains(ans->text, "\"encrypted_content\":\"") ||
                                   contains(ans->text, "\"encrypted_content\": \""));
    if (ans->model.type == JSON_STRING) {
        assert_false(str_eq(put, ans->text));
        buf_put(&back, str_head(put, ans->model.value_at));
        buf_put(&back, original);
        buf_put(&back, str_skip(put, ans->model.value_at + strlen(ALIAS)));
    } else {
        buf_put(&back, put);
    }
    assert_true(str_eq(buf_str(&back), ans->text));
    buf_done(&out);
    buf_done(&back);
}

/* Returns how many terminal events there were. Some recorded lines have lost their end. */
static unsigned replay(const char *dir, const char *name)
{
    struct arena *a = arena_new();
    struct str text = read_file(a, dir, name);
    struct response_answer ans;
    struct json_problem problem;
    unsigned terminal = 0;
    if (str_ends(str_c(name), STR(".json"))) {
        assert_int_equal(response_read_answer(text, &ans), ERR_OK);
        assert_true(ans.error || (ans.usage.reported && ans.model.type == JSON_STRING));
        check_undone(&ans, a);
        arena_free(a);
        return 0;
    }
    while (text.len) {
        struct str line = str_cut(&text, '\n');
        bool damaged = json_check(line, &problem) != ERR_OK;
        assert_int_equal(response_read_event(line, true, &ans), damaged ? ERR_BAD_JSON : ERR_OK);
        if (damaged)
            continue;
        assert_true(ans.type.len > 0);
        terminal += ans.terminal;
        check_undone(&ans, a);
    }
    arena_free(a);
    return terminal;
}

static void test_recordings(void **state)
{
    const char *root = getenv("WEIR_RECORDINGS");
    char dir[512];
    if (!root) { /* cmocka's own way to skip reads as a failure in TAP */
        print_message("# WEIR_RECORDINGS is not set: no recorded answer replayed\n");
        return;
    }
    snprintf(dir, sizeof dir, "%s/openai-responses", root);
    DIR *d = opendir(dir);
    assert_non_null(d);
    struct dirent *e;
    unsigned n = 0, terminal = 0;
    while ((e = readdir(d)))
        if (str_ends(str_c(e->d_name), STR(".json")) ||
            str_ends(str_c(e->d_name), STR(".chunks.txt"))) {
            terminal += replay(dir, e->d_name);
            n++;
        }
    closedir(d);
    assert_true(n > 0 && terminal > 0);
}

static int make_arena(void **state)
{
    *state = arena_new();
    return 0;
}

static int drop_arena(void **state)
{
    arena_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_event_kinds),
        cmocka_unit_test_setup_teardown(test_event_object, make_arena, drop_arena),
        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_fault),
        cmocka_unit_test(test_recordings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
