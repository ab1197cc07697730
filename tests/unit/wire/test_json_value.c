#include "wire_test.h"

#include "wire/json_scan.h"

#include <math.h>

static void test_type_of(void **state)
{
    static const struct {
        const char *text;
        enum json_type type;
    } rows[] = {
        { "", JSON_ABSENT },      { " \n", JSON_ABSENT },   { "null", JSON_NULL },
        { "true", JSON_TRUE },    { "false", JSON_FALSE },  { "0", JSON_NUMBER },
        { "-1", JSON_NUMBER },    { "\"1\"", JSON_STRING }, { "[1]", JSON_ARRAY },
        { " \t{}", JSON_OBJECT },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_CASE(json_type_of(str_c(rows[i].text)) == rows[i].type, str_c(rows[i].text));
    assert_int_equal(json_type_of(str_of(NULL, 0)), JSON_ABSENT);
}

static void test_get(void **state)
{
    static const struct {
        const char *object, *want;
    } rows[] = {
        { "{\"a\":1}", "1" },
        { "{\"b\":0,\"a\":[ 2 ]}", "[ 2 ]" },
        { "{\"\\u0061\":\"x\"}", "\"x\"" },
        { "{\"a\":null}", "" },
        { "{\"aa\":1}", "" },
        { "{}", "" },
        { "[\"a\"]", "" },
        { "\"a\"", "" },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_str_eq(json_get(str_c(rows[i].object), "a"), str_c(rows[i].want));
    assert_int_equal(json_get(str_of(NULL, 0), "a").len, 0);
}

static const struct {
    struct str value, plain;
} strings[] = {
    { STR_INIT("\"\""), STR_INIT("") },
    { STR_INIT("\"abc\""), STR_INIT("abc") },
    { STR_INIT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), STR_INIT("\"\\/\b\f\n\r\t") },
    { STR_INIT("\"a\\nb\\n\""), STR_INIT("a\nb\n") },
    { STR_INIT("\"\\u0041\\u00e9\\u20AC\\uffff\""), STR_INIT("A\xc3\xa9\xe2\x82\xac\xef\xbf\xbf") },
    { STR_INIT("\"\\u0000x\""), STR_INIT("\0x") },
    { STR_INIT("\"\\ud83d\\ude00!\""), STR_INIT("\xf0\x9f\x98\x80!") },
    { STR_INIT("\"\\ud800\\udc00\\uDBFF\\uDFFF\""), STR_INIT("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf") },
    { STR_INIT("\"\xe6\x97\xa5\\u672c\""), STR_INIT("\xe6\x97\xa5\xe6\x9c\xac") },
    { STR_INIT("\"\\\\u0041\""), STR_INIT("\\u0041") },
};

static void test_strings(void **state)
{
    struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(strings); i++) {
        struct str value = exact_copy(strings[i].value), plain = strings[i].plain;
        assert_str_eq(json_unescape(value, a), plain);
        CHECK_CASE(json_str_eq(value, plain), value);
        for (size_t n = 0; n < plain.len; n++)
            CHECK_CASE(!json_str_eq(value, str_head(plain, n)), value);
        CHECK_CASE(!json_str_eq(value, arena_printf(a, "%.*s ", STR_ARG(plain))), value);
        for (size_t k = 0; k < COUNT(strings); k++)
            CHECK_CASE(json_str_eq(value, strings[k].plain) == (i == k), value);
        exact_free(value);
    }
    arena_free(a);
}

static void test_unescape_borrows(void **state)
{
    struct arena *a = arena_new();
    struct str value = STR("\"no escape\"");
    assert_ptr_equal(json_unescape(value, a).p, value.p + 1);
    arena_free(a);
}

static void test_what_is_no_string(void **state)
{
    static const char *const rows[] = { "", "\"", "1", "null", "[\"a\"]", "a" };
    struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_CASE(!json_str_eq(str_c(rows[i]), STR("")), str_c(rows[i]));
        CHECK_CASE(!json_str_eq(str_c(rows[i]), STR("a")), str_c(rows[i]));
        CHECK_CASE(json_unescape(str_c(rows[i]), a).len == 0, str_c(rows[i]));
    }
    assert_false(json_str_eq(str_of(NULL, 0), STR("")));
    arena_free(a);
}

/* Escapes cut by the closing quote: nothing outside the slice is read or written. */
static void test_escapes_never_scanned(void **state)
{
    static const char *const rows[] = {
        "\"\\\"",
        "\"\\u\"",
        "\"\\u1\"",
        "\"\\u123\"",
        "\"\\ud83d\"",
        "\"\\ud83d\\u\"",
        "\"\\ud83d\\udeg\"",
        "\"\\ud83d\\ud83d\"",
        "\"\\ud83dabcdef\"",
        "\"\\uzzzz\"",
        "\"\\\\\\\"",
    };
    struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str value = exact_copy(str_c(rows[i]));
        assert_true(json_unescape(value, a).len <= value.len);
        json_str_eq(value, STR("x"));
        exact_free(value);
    }
    arena_free(a);
}

#define MAX "18446744073709551615"

static void test_u64(void **state)
{
    static const struct {
        const char *text;
        bool good;
        uint64_t value;
    } rows[] = {
        { "0", true, 0 },
        { "1", true, 1 },
        { "10", true, 10 },
        { "100", true, 100 },
        { "1010", true, 1010 },
        { "9007199254740993", true, 9007199254740993 },
        { MAX, true, UINT64_MAX },
        { MAX ".0", true, UINT64_MAX },
        { MAX ".000e0", true, UINT64_MAX },
        { MAX "00e-2", true, UINT64_MAX },
        { "1844674407370955161.5e1", true, UINT64_MAX },
        { "100.0", true, 100 },
        { "1e2", true, 100 },
        { "1E+2", true, 100 },
        { "1.5e1", true, 15 },
        { "1500e-2", true, 15 },
        { "0.0", true, 0 },
        { "0e5", true, 0 },
        { "0e-5", true, 0 },
        { "0.000e99999999999999999999", true, 0 },
        { "0.0001e4", true, 1 },
        { "10.10e2", true, 1010 },
        { "1e19", true, UINT64_C(10000000000000000000) },
        { "100000e-5", true, 1 },
        { "1.00000000000000000000000000000", true, 1 },
        { "0.5e1", true, 5 },
        { "18446744073709551616", false, 0 },
        { "1e20", false, 0 },
        { "2e19", false, 0 },
        { "99999999999999999999", false, 0 },
        { "1e999999999999999999999999", false, 0 },
        { "1e-999999999999999999999999", false, 0 },
        { "0.5", false, 0 },
        { "1.5", false, 0 },
        { "1e-1", false, 0 },
        { "15e-1", false, 0 },
        { "100e-3", false, 0 },
        { "1.05e1", false, 0 },
        { "-1", false, 0 },
        { "-0", false, 0 },
        { "", false, 0 },
        { "null", false, 0 },
        { "true", false, 0 },
        { "\"1\"", false, 0 },
        { "[1]", false, 0 },
        { "e1", false, 0 },
        { " 1", false, 0 },
        { "1 ", false, 0 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t v = 77;
        struct str value = exact_copy(str_c(rows[i].text));
        CHECK_CASE(json_u64(value, &v) == rows[i].good, value);
        CHECK_CASE(v == (rows[i].good ? rows[i].value : 77), value);
        exact_free(value);
    }
}

static void test_double(void **state)
{
    static const struct {
        const char *text;
        bool good;
        double value;
    } rows[] = {
        { "0", true, 0 },
        { "1", true, 1 },
        { "-1.5", true, -1.5 },
        { "0.1", true, 0.1 },
        { "1e2", true, 100 },
        { "1.7976931348623157e308", true, 1.7976931348623157e308 },
        { "5e-324", true, 5e-324 },
        { "1e-999", true, 0 },
        { "18446744073709551615", true, 18446744073709551615.0 },
        { "18446744073709551616", true, 18446744073709551616.0 },
        { "-9223372036854775809", true, -9223372036854775809.0 },
        { "0.1000000000000000055511151231257827021181583404541015625000000000000000000000001", true,
          0.1000000000000000055511151231257827021181583404541015625000000000000000000000001 },
        { "1e309", false, 0 },
        { "-1e999", false, 0 },
        { "", false, 0 },
        { "1x", false, 0 },
        { "null", false, 0 },
        { "\"1\"", false, 0 },
        { "nan", false, 0 },
        { "Infinity", false, 0 },
        { "1,5", false, 0 },
        { "1 ", false, 0 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        double v = 77;
        struct str value = exact_copy(str_c(rows[i].text));
        CHECK_CASE(json_double(value, &v) == rows[i].good, value);
        CHECK_CASE(v == (rows[i].good ? rows[i].value : 77), value);
        exact_free(value);
    }
    double v;
    assert_true(json_double(STR("-0.0"), &v) && signbit(v));
    assert_false(json_double(str_of("1\0", 2), &v));
    assert_false(json_double(str_of(NULL, 0), &v));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_type_of),
        cmocka_unit_test(test_get),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_unescape_borrows),
        cmocka_unit_test(test_what_is_no_string),
        cmocka_unit_test(test_escapes_never_scanned),
        cmocka_unit_test(test_u64),
        cmocka_unit_test(test_double),
    };
    return cmocka_run_group_tests_name("wire/json_value", tests, NULL, NULL);
}
