#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <yyjson.h>
#include <cmocka.h>

#include "observe/access_log.h"

static const struct access_record record = {
    .unix_ms = 1700000000123,
    .call_id = STR_INIT("c-1"),
    .method = STR_INIT("POST"),
    .path = STR_INIT("/v1/\"x\"\nforged=1"),
    .route = STR_INIT("chat_completions"),
    .peer = STR_INIT("127.0.0.1:5"),
    .key_hash = STR_INIT("0123456789abcdef0123456789abcdef"),
    .model = STR_INIT("caf\xc3\xa9 \xff"),
    .status = 200,
    .stream = true,
    .usage = { .reported = true, .prompt_tokens = 5, .completion_tokens = 7, .cached_tokens = 2 },
    .bytes_in = 10,
    .bytes_out = 20,
    .total_us = 12345,
    .first_content_us = 2001,
};

static void test_text(void **state)
{
    struct buf out;
    buf_init(&out, 4096);
    access_log_write(&record, LOG_TEXT, &out);
    assert_true(str_find(buf_str(&out), STR(" key=0123456789ab ")) != STR_NONE);
    assert_true(str_find(buf_str(&out), STR(" ms=12.345 ")) != STR_NONE);
    assert_true(str_find(buf_str(&out), STR(" first_content_ms=2.001")) != STR_NONE);
    assert_true(str_find(buf_str(&out),
                         STR(" prompt_tokens=5 completion_tokens=7 cached_tokens=2 ")) != STR_NONE);
    assert_int_equal(str_find_char(buf_str(&out), '\n'),
                     out.len - 1); /* one line, whatever the path holds */
    assert_true(str_find(buf_str(&out), STR("0123456789abc")) == STR_NONE);
    buf_done(&out);
}

static void test_json(void **state)
{
    struct buf out;
    buf_init(&out, 4096);
    access_log_write(&record, LOG_JSON, &out);
    yyjson_doc *doc = yyjson_read(out.p, out.len, 0);
    assert_non_null(doc);
    yyjson_val *root = yyjson_doc_get_root(doc);
    assert_string_equal(yyjson_get_str(yyjson_obj_get(root, "path")), "/v1/\"x\"\nforged=1");
    assert_string_equal(yyjson_get_str(yyjson_obj_get(root, "time")), "2023-11-14T22:13:20.123Z");
    assert_int_equal(yyjson_get_int(yyjson_obj_get(root, "status")), 200);
    assert_null(yyjson_obj_get(root, "error"));
    yyjson_doc_free(doc);
    buf_done(&out);
}

static void test_answer_fidelity(void **state)
{
    struct access_record r = record;
    struct buf out;
    buf_init(&out, 4096);
    access_log_write(&r, LOG_TEXT, &out);
    assert_true(str_find(buf_str(&out), STR("answer_fidelity")) == STR_NONE);
    r.answer_fidelity = STR("degraded=pause_turn");
    access_log_write(&r, LOG_TEXT, &out);
    assert_true(str_find(buf_str(&out), STR(" answer_fidelity=\"degraded=pause_turn\" ")) !=
                STR_NONE);
    buf_done(&out);
}

static void test_failure_is_a_warning(void **state)
{
    struct access_record r = record;
    struct buf out;
    r.status = 502;
    r.error = "ERR_DNS";
    buf_init(&out, 4096);
    access_log_write(&r, LOG_TEXT, &out);
    assert_true(str_find(buf_str(&out), STR(" warn request ")) != STR_NONE);
    assert_true(str_find(buf_str(&out), STR(" error=ERR_DNS")) != STR_NONE);
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_answer_fidelity),
        cmocka_unit_test(test_failure_is_a_warning),
    };
    return cmocka_run_group_tests_name("observe/access_log", tests, NULL, NULL);
}
