#include "conf_test.h"

#include "conf/scalar.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void test_types(void **state)
{
    static const struct {
        const char *text;
        enum scalar_type type;
        const char *json; /* of numbers; NULL: JSON cannot say it */
    } rows[] = {
        { "", SCALAR_NULL, NULL },
        { "~", SCALAR_NULL, NULL },
        { "Null", SCALAR_NULL, NULL },
        { "nULL", SCALAR_STRING, NULL },
        { "yes", SCALAR_BOOL, NULL },
        { "OFF", SCALAR_BOOL, NULL },
        { "y", SCALAR_STRING, NULL },
        { "yEs", SCALAR_STRING, NULL },
        { "0", SCALAR_INT, "0" },
        { "1", SCALAR_INT, "1" },
        { "-0", SCALAR_INT, "-0" },
        { "+12", SCALAR_INT, "12" },
        { "1_000", SCALAR_INT, "1000" },
        { "0x1F", SCALAR_INT, "31" },
        { "-0x1F", SCALAR_INT, "-31" },
        { "0xFFFFFFFFFFFFFFFFF", SCALAR_INT, NULL },
        { "0b101", SCALAR_INT, "5" },
        { "017", SCALAR_INT, "15" },
        { "018", SCALAR_STRING, NULL },
        { "0o17", SCALAR_STRING, NULL },
        { "0x", SCALAR_STRING, NULL },
        { "12345678901234567890123", SCALAR_INT, "12345678901234567890123" },
        { "1.5", SCALAR_FLOAT, "1.5" },
        { ".5", SCALAR_FLOAT, "0.5" },
        { "-.5", SCALAR_FLOAT, "-0.5" },
        { "5.", SCALAR_FLOAT, "5.0" },
        { "007.5", SCALAR_FLOAT, "7.5" },
        { "0_1.5", SCALAR_FLOAT, "1.5" },
        { "3e-7", SCALAR_FLOAT, "3e-7" },
        { "3E+7", SCALAR_FLOAT, "3E+7" },
        { "3.e7", SCALAR_FLOAT, "3.0e7" },
        { "1e400", SCALAR_FLOAT, "1e400" },
        { "e7", SCALAR_STRING, NULL },
        { "3e", SCALAR_STRING, NULL },
        { "3e_7", SCALAR_STRING, NULL },
        { "1.2.3", SCALAR_STRING, NULL },
        { "1:30", SCALAR_STRING, NULL },
        { "2024-10-21", SCALAR_STRING, NULL },
        { ".", SCALAR_STRING, NULL },
        { "-", SCALAR_STRING, NULL },
        { "+", SCALAR_STRING, NULL },
        { ".inf", SCALAR_FLOAT, NULL },
        { "-.INF", SCALAR_FLOAT, NULL },
        { ".nan", SCALAR_FLOAT, NULL },
        { "-.nan", SCALAR_STRING, NULL },
        { "inf", SCALAR_STRING, NULL },
        { "nan", SCALAR_STRING, NULL },
        { "gpt-4", SCALAR_STRING, NULL },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out;
        buf_init(&out, KIB);
        if (scalar_type(str_c(rows[i].text)) != rows[i].type)
            fail_msg("type of \"%s\": %d", rows[i].text, scalar_type(str_c(rows[i].text)));
        bool ok = scalar_json_number(str_c(rows[i].text), &out);
        if (ok != (rows[i].json != NULL) || (ok && !str_eq(buf_str(&out), str_c(rows[i].json))))
            fail_msg("JSON of \"%s\": %d %.*s", rows[i].text, ok, STR_ARG(buf_str(&out)));
        buf_done(&out);
    }
}

static void test_numbers(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        double value;
    } rows[] = {
        { "600", true, 600 }, { " 0.5 ", true, 0.5 }, { "3e-7", true, 3e-7 },
        { "0x10", true, 16 }, { "-1", true, -1 },     { "1_0.5", true, 10.5 },
        { ".inf", false, 0 }, { "nan", false, 0 },    { "1e999", false, 0 },
        { "", false, 0 },     { "abc", false, 0 },    { "1,5", false, 0 },
        { "5s", false, 0 },
    };
    static const struct {
        const char *text;
        bool ok;
        int64_t value;
    } ints[] = {
        { "7", true, 7 },
        { "600.0", true, 600 },
        { "1e6", true, 1000000 },
        { "-3", true, -3 },
        { "1.5", false, 0 },
        { "9223372036854775807", true, INT64_MAX },
        { "9223372036854775808", false, 0 },
        { "1e30", false, 0 },
        { "", false, 0 },
        { "x", false, 0 },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        double v = 0;
        if (scalar_double(str_c(rows[i].text), &v) != rows[i].ok || v < rows[i].value ||
            v > rows[i].value)
            fail_msg("\"%s\" is %g", rows[i].text, v);
    }
    for (size_t i = 0; i < COUNT(ints); i++) {
        int64_t v = 0;
        if (scalar_int(str_c(ints[i].text), &v) != ints[i].ok || v != ints[i].value)
            fail_msg("\"%s\" is %lld", ints[i].text, (long long)v);
    }
}

static void test_long_number(void **state)
{
    char text[1000];
    double v;
    struct buf out;
    (void)state;
    memset(text, '9', sizeof text);
    assert_int_equal(scalar_type(str_of(text, sizeof text)), SCALAR_STRING);
    assert_int_equal(scalar_type(str_of(text, 400)), SCALAR_INT);
    assert_false(scalar_double(str_of(text, sizeof text), &v));
    assert_false(scalar_double(str_of(text, 400), &v)); /* out of a double's range */
    assert_true(scalar_double(str_of(text, 300), &v));
    buf_init(&out, KIB);
    assert_false(scalar_json_number(str_of(text, sizeof text), &out));
    assert_true(scalar_json_number(str_of(text, 400), &out));
    assert_int_equal(out.len, 400);
    buf_done(&out);
}

static void test_bools(void **state)
{
    static const char *const yes[] = { "true", "True", "TRUE", "yes", "on", "1" };
    static const char *const no[] = { "false", "False", "FALSE", "no", "Off", "0" };
    static const char *const neither[] = { "", "t", "truE", "2", "none", "enabled" };
    (void)state;
    for (size_t i = 0; i < COUNT(yes); i++) {
        bool v = false;
        assert_true(scalar_bool(str_c(yes[i]), &v) && v);
        v = true;
        assert_true(scalar_bool(str_c(no[i]), &v) && !v);
        assert_false(scalar_bool(str_c(neither[i]), &v));
    }
}

static void test_durations(void **state)
{
    static const struct {
        const char *text;
        int64_t ms; /* -1: none */
    } rows[] = {
        { "30s", 30000 },
        { "5m", 300000 },
        { "1h", 3600000 },
        { "7d", 604800000 },
        { "1w", 604800000 },
        { "1mo", 2592000000 },
        { "0s", 0 },
        { " 30s ", 30000 },
        { "30", -1 },
        { "s", -1 },
        { "", -1 },
        { "1y", -1 },
        { "1.5h", -1 },
        { "-1s", -1 },
        { "30 s", -1 },
        { "5min", -1 },
        { "9223372036854775807mo", -1 },
        { "99999999999999999999s", -1 },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t v = -1;
        bool ok = scalar_duration_ms(str_c(rows[i].text), &v);
        if (ok != (rows[i].ms >= 0) || (ok && v != rows[i].ms))
            fail_msg("\"%s\" is %lld", rows[i].text, (long long)v);
    }
}

static void test_bytes(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        uint64_t value;
    } rows[] = {
        { "0", true, 0 },
        { "1048576", true, MIB },
        { "512MiB", true, 512 * MIB },
        { "64 mb", true, 64 * MIB },
        { "2G", true, 2048 * MIB },
        { "1k", true, 1024 },
        { "1_000", true, 1000 },
        { "", false, 0 },
        { "MiB", false, 0 },
        { "-1", false, 0 },
        { "1.5G", false, 0 },
        { "1T", false, 0 },
        { "1MiBs", false, 0 },
        { "99999999999999999999", false, 0 },
        { "18446744073709551615K", false, 0 },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t v = 0;
        if (scalar_bytes(str_c(rows[i].text), &v) != rows[i].ok || v != rows[i].value)
            fail_msg("\"%s\" is %llu", rows[i].text, (unsigned long long)v);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),       cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_long_number), cmocka_unit_test(test_bools),
        cmocka_unit_test(test_durations),   cmocka_unit_test(test_bytes),
    };
    return cmocka_run_group_tests_name("conf/scalar", tests, NULL, NULL);
}
