#include "wire_test.h"

#include "base/buf.h"
#include "wire/json_scan.h"

static void test_overlay(void **state)
{
    static const struct {
        const char *under, *over, *want;
    } rows[] = {
        { "{}", "{}", "{}" },
        { "{\"a\":1}", "{}", "{\"a\":1}" },
        { "{}", "{\"a\":1}", "{\"a\":1}" },
        { "{\"a\":1,\"b\":2}", "{\"c\":3,\"a\":4}", "{\"a\":4,\"b\":2,\"c\":3}" },
        { "{\"a\":{\"x\":1,\"y\":[1]}}", "{\"a\":{\"y\":[2],\"z\":{}}}",
          "{\"a\":{\"x\":1,\"y\":[2],\"z\":{}}}" },
        { "{\"a\":{\"x\":{\"y\":1}}}", "{\"a\":{\"x\":{\"y\":null}}}",
          "{\"a\":{\"x\":{\"y\":null}}}" },
        { "{\"a\":1}", "{\"a\":{\"b\":2}}", "{\"a\":{\"b\":2}}" },
        { "{\"a\":{\"b\":2}}", "{\"a\":[]}", "{\"a\":[]}" },
        { " { \"a\" : 1.10 , \"b\" : \"x\" } ", "{\"b\":1E2}", "{\"a\":1.10,\"b\":1E2}" },
        { "{\"\u00e9\":\"\\n\"}", "{\"b\":0}", "{\"\u00e9\":\"\\n\",\"b\":0}" },
        { "[1]", "{\"a\":1}", "{\"a\":1}" },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out;
        struct json_problem problem;
        buf_init(&out, 4096);
        json_overlay(str_c(rows[i].under), str_c(rows[i].over), &out);
        assert_str_eq(buf_str(&out), str_c(rows[i].want));
        assert_int_equal(json_check(buf_str(&out), &problem), ERR_OK);
        buf_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_overlay) };
    return cmocka_run_group_tests_name("wire/json_overlay", tests, NULL, NULL);
}
