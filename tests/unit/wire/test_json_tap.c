#include "wire_test.h"

#include "wire/json_scan.h"
#include "wire/json_tap.h"

#include <stdio.h>

#define WITH "\"the \\\"other\\\" name\""

struct result {
    struct buf out;
    struct str caught, id; /* copies */
    enum err err;
    bool complete;
};

static struct result tap(struct str text, size_t first, size_t step, size_t catch_max)
{
    struct result r = { .err = ERR_OK };
    static const struct str catches[JSON_TAP_CATCHES] = { STR_INIT("usage"), STR_INIT("id") };
    struct json_tap *t = json_tap_new(STR("model"), STR(WITH), catches, catch_max);
    buf_init(&r.out, 1 << 20);
    for (size_t at = 0; at < text.len && !r.err;) {
        struct str piece = exact_copy(str_head(str_skip(text, at), at      ? step
                                                                   : first ? first
                                                                           : step));
        r.err = json_tap_push(t, piece, &r.out);
        at += piece.len;
        exact_free(piece);
    }
    r.complete = json_tap_complete(t);
    r.caught = exact_copy(json_tap_caught(t, 0));
    r.id = exact_copy(json_tap_caught(t, 1));
    json_tap_free(t);
    return r;
}

static void result_done(struct result *r)
{
    buf_done(&r->out);
    exact_free(r->caught);
    exact_free(r->id);
}

static const struct {
    const char *text, *out; /* NULL: as it came */
    const char *caught;
} good[] = {
    { "{}", NULL, "" },
    { " {\n} \r\n", NULL, "" },
    { "{\"a\":1}", NULL, "" },
    { "{\"model\":\"m\"}", "{\"model\":" WITH "}", "" },
    { "{\"model\" : \"m\" , \"b\":[1]}", "{\"model\" : " WITH " , \"b\":[1]}", "" },
    { "{\"mod\\u0065l\":\"m\"}", "{\"mod\\u0065l\":" WITH "}", "" },
    { "{\"model\":\"q\\\"},\\\\\",\"z\":0}", "{\"model\":" WITH ",\"z\":0}", "" },
    { "{\"model\":\"\"}", "{\"model\":" WITH "}", "" },
    { "{\"model\":null}", NULL, "" },
    { "{\"model\":{\"model\":\"m\"}}", NULL, "" },
    { "{\"model\":[\"m\"]}", NULL, "" },
    { "{\"a\":{\"model\":\"m\",\"usage\":1}}", NULL, "" },
    { "{\"a\":\"model\",\"model\":\"m\"}", "{\"a\":\"model\",\"model\":" WITH "}", "" },
    { "{\"usage\":{\"total_tokens\":7,\"x\":[\"}\"]}}", NULL,
      "{\"total_tokens\":7,\"x\":[\"}\"]}" },
    { "{ \"usage\" : [ 1 ] \n, \"a\" : 1 }", NULL, "[ 1 ]" },
    { "{\"usage\":null,\"a\":1}", NULL, "null" },
    { "{\"us\\u0061ge\":5}", NULL, "5" },
    { "{\"usage\":\"a,}\\\"b\"}", NULL, "\"a,}\\\"b\"" },
    { "{\"x\":{\"usage\":1},\"usage\":{}}", NULL, "{}" },
    { "{\"usage\":1,\"usage\":2}", NULL, "2" },
    { "{\"choices\":[{\"m\":\"{[\"}],\"model\":\"m\",\"usage\":{\"a\":1}}\n",
      "{\"choices\":[{\"m\":\"{[\"}],\"model\":" WITH ",\"usage\":{\"a\":1}}\n", "{\"a\":1}" },
};

static void marked(const char *text, const char *want, size_t first, size_t step)
{
    static const struct str catches[JSON_TAP_CATCHES] = { STR_INIT("usage"), STR_INIT("id") };
    static const struct str lists[JSON_TAP_LISTS] = { STR_INIT("output"), STR_INIT("data") };
    struct json_tap *t = json_tap_new(STR("model"), STR(WITH), catches, 100);
    struct buf out;
    json_tap_mark(t, lists, STR("state"), STR("M."));
    buf_init(&out, 1 << 20);
    for (size_t at = 0, n; at < strlen(text); at += n) {
        n = at || !first ? step : first;
        struct str piece = exact_copy(str_head(str_c(text + at), n));
        n = piece.len;
        assert_int_equal(json_tap_push(t, piece, &out), ERR_OK);
        exact_free(piece);
    }
    assert_true(json_tap_complete(t));
    assert_str_eq(buf_str(&out), str_c(want ? want : text));
    json_tap_free(t);
    buf_done(&out);
}

/* Strings of that name in the objects of a listed array, and nowhere else. */
static void test_mark(void **state)
{
    static const struct {
        const char *text, *out; /* NULL: as it came */
    } rows[] = {
        { "{\"output\":[{\"state\":\"a\"}]}", "{\"output\":[{\"state\":\"M.a\"}]}" },
        { "{\"data\" : [ {\"a\":[1,{\"b\":2}], \"st\\u0061te\" : \"\\\"a\" , \"z\":0},7,{\"state\":\"b\"}]}",
          "{\"data\" : [ {\"a\":[1,{\"b\":2}], \"st\\u0061te\" : \"M.\\\"a\" , \"z\":0},7,{\"state\":\"M.b\"}]}" },
        { "{\"output\":[{\"state\":\"a\",\"state\":\"b\"}],\"model\":\"m\"}",
          "{\"output\":[{\"state\":\"M.a\",\"state\":\"M.b\"}],\"model\":" WITH "}" },
        { "{\"model\":\"m\",\"outp\\u0075t\":[{\"x\":\"state\",\"state\":\"a\"}]}",
          "{\"model\":" WITH ",\"outp\\u0075t\":[{\"x\":\"state\",\"state\":\"M.a\"}]}" },
        { "{\"output\":[{\"state\":\"\"},{\"state\":null},{\"state\":[\"a\"]},{\"state\":{\"state\":\"a\"}}]}",
          NULL },
        { "{\"output\":[[{\"state\":\"a\"}],[\"state\",\"a\"],\"state\",\"a\"]}", NULL },
        { "{\"output\":{\"x\":{\"state\":\"a\"},\"state\":\"a\"},\"state\":\"a\"}", NULL },
        { "{\"other\":[{\"state\":\"a\"}],\"output\":[],\"more\":[{\"state\":\"a\"}]}", NULL },
        { "{\"output\":[{\"x\":{\"state\":\"a\"},\"xstate\":\"a\",\"state\":5,\"b\":\"a\"}]}",
          NULL },
        { "{\"other\":{\"output\":[{\"state\":\"a\"}]}}", NULL },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json_problem problem;
        assert_int_equal(json_check(str_c(rows[i].text), &problem), ERR_OK);
        for (size_t step = 1; step <= 5; step++)
            marked(rows[i].text, rows[i].out, 0, step);
        for (size_t first = 1; first <= strlen(rows[i].text); first++)
            marked(rows[i].text, rows[i].out, first, SIZE_MAX);
    }
}

/* A name that is longer than what is kept of one is not the one. */
static void test_mark_long_name(void **state)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_putz(&text, "{\"output\":[{\"");
    for (int i = 0; i < 5000; i++)
        buf_putz(&text, "\\u0073");
    buf_putz(&text, "\":\"a\"}]}");
    buf_putc(&text, 0);
    marked(text.p, NULL, 0, SIZE_MAX);
    marked(text.p, NULL, 0, 7);
    buf_done(&text);
}

static void check_good(size_t i, size_t first, size_t step)
{
    struct str text = str_c(good[i].text);
    struct result r = tap(text, first, step, 100);
    CHECK_CASE(r.err == ERR_OK && r.complete, text);
    assert_str_eq(buf_str(&r.out), str_c(good[i].out ? good[i].out : good[i].text));
    assert_str_eq(r.caught, str_c(good[i].caught));
    result_done(&r);
}

static void test_good(void **state)
{
    for (size_t i = 0; i < COUNT(good); i++) {
        struct json_problem problem;
        assert_int_equal(json_check(str_c(good[i].text), &problem), ERR_OK);
        check_good(i, 0, SIZE_MAX);
        for (size_t step = 1; step <= 5; step++)
            check_good(i, 0, step);
        for (size_t first = 1; first < strlen(good[i].text); first++)
            check_good(i, first, SIZE_MAX);
    }
}

/* Cut anywhere before its last brace, a text is not complete. */
static void test_cut(void **state)
{
    for (size_t i = 0; i < COUNT(good); i++) {
        struct str text = str_trim(str_c(good[i].text));
        for (size_t n = 0; n < text.len; n++) {
            struct result r = tap(str_head(text, n), 0, SIZE_MAX, 100);
            CHECK_CASE(r.err == ERR_OK && !r.complete, text);
            result_done(&r);
        }
    }
}

static void test_bad(void **state)
{
    static const char *const rows[] = {
        "x",          "[]",         "1",    "\"a\"",     "{x",          "{1:2}",
        "{\"a\":1}x", "{\"a\":1}}", "{}{}", "{\"a\":1]", "{\"a\":[1]]", "{\"a\":1,]",
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t step = 1; step <= 20; step += 19) {
            struct result r = tap(str_c(rows[i]), 0, step, 100);
            CHECK_CASE(r.err == ERR_BAD_JSON, str_c(rows[i]));
            result_done(&r);
        }
}

static void test_what_is_caught_is_bounded(void **state)
{
    struct str text = STR("{\"usage\":[1,2,3,4],\"b\":0}");
    for (size_t max = 0; max < 12; max++) {
        struct result r = tap(text, 0, 3, max);
        assert_int_equal(r.err, ERR_OK);
        assert_true(r.complete);
        assert_str_eq(buf_str(&r.out), text);
        assert_str_eq(r.caught, max >= 9 ? STR("[1,2,3,4]") : STR(""));
        result_done(&r);
    }
}

static struct str nested(char *text, size_t depth)
{
    memcpy(text, "{\"a\":", 5);
    memset(text + 5, '[', depth - 1);
    memset(text + 4 + depth, ']', depth - 1);
    text[3 + 2 * depth] = '}';
    return str_of(text, 4 + 2 * depth);
}

static void test_depth(void **state)
{
    char text[3 * JSON_DEPTH_MAX];
    for (size_t depth = JSON_DEPTH_MAX - 1; depth <= JSON_DEPTH_MAX + 1; depth++) {
        struct result r = tap(nested(text, depth), 0, SIZE_MAX, 10);
        assert_int_equal(r.err, depth <= JSON_DEPTH_MAX ? ERR_OK : ERR_BAD_JSON);
        assert_int_equal(r.complete, depth <= JSON_DEPTH_MAX);
        result_done(&r);
    }
}

/* A member as large as nobody would hold flows through; a name that large is refused. */
static void test_large(void **state)
{
    size_t n = 70 * 1024;
    char *text = mem_alloc(n + 20);
    for (int name = 0; name < 2; name++) {
        memset(text, 'n', n + 20);
        memcpy(text, name ? "{\"" : "{\"model\":\"", name ? 2 : 10);
        memcpy(text + n, name ? "\":0}" : "\"}  ", 4);
        struct result r = tap(str_of(text, n + 4), 0, 1000, 10);
        assert_int_equal(r.err, name ? ERR_BAD_JSON : ERR_OK);
        if (!name)
            assert_str_eq(buf_str(&r.out), STR("{\"model\":" WITH "}  "));
        result_done(&r);
    }
    mem_free(text);
    json_tap_free(NULL);
}

static void test_catches_two(void **state)
{
    static const struct {
        const char *text, *usage, *id;
    } cases[] = {
        { "{\"id\":\"resp_1\",\"usage\":{\"a\":[1,2]}}", "{\"a\":[1,2]}", "\"resp_1\"" },
        { "{\"usage\":1,\"x\":{\"id\":\"no\"},\"id\":\"a\\\"b\"}", "1", "\"a\\\"b\"" },
        { "{\"id\":null}", "", "null" },
        { "{\"id\":\"one\",\"id\":\"two\"}", "", "\"two\"" },
        { "{\"x\":{\"id\":\"inner\"}}", "", "" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t step = 1; step < 40; step += 13) {
            struct result r = tap(str_c(cases[i].text), 0, step, 4096);
            assert_int_equal(r.err, ERR_OK);
            assert_true(str_eq(r.caught, str_c(cases[i].usage)));
            assert_true(str_eq(r.id, str_c(cases[i].id)));
            result_done(&r);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_catches_two),
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_mark),
        cmocka_unit_test(test_mark_long_name),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_what_is_caught_is_bounded),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_large),
    };
    return cmocka_run_group_tests_name("wire/json_tap", tests, NULL, NULL);
}
