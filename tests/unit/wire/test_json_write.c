#include "wire_test.h"

#include "wire/json_scan.h"
#include "wire/json_write.h"

#include <math.h>
#include <stdio.h>
#include <yyjson.h>

static void test_every_kind(void **state)
{
    struct buf out;
    struct json_write w;
    buf_init(&out, 4096);
    json_begin(&w, &out);
    json_obj(&w, NULL);
    json_str(&w, "s", STR("a\"b"));
    json_strz(&w, "z", "zed");
    json_strz(&w, "none", NULL);
    json_uint(&w, "u", UINT64_MAX);
    json_int(&w, "i", INT64_MIN);
    json_real(&w, "r", 0.25);
    json_bool(&w, "t", true);
    json_bool(&w, "f", false);
    json_null(&w, "0");
    json_raw(&w, "raw", STR("{\"x\":[1]}"));
    json_arr(&w, "a");
    json_uint(&w, NULL, 1);
    json_obj(&w, NULL);
    json_end(&w);
    json_arr(&w, NULL);
    json_end(&w);
    json_str(&w, NULL, STR(""));
    json_end(&w);
    json_name(&w, STR("q\"q"));
    json_bool(&w, NULL, true);
    json_name(&w, STR("o"));
    json_obj(&w, NULL);
    json_int(&w, "k", 0);
    json_end(&w);
    json_end(&w);
    assert_int_equal(out.fail, ERR_OK);
    assert_str_eq(buf_str(&out),
                  STR("{\"s\":\"a\\\"b\",\"z\":\"zed\",\"none\":null,\"u\":18446744073709551615,"
                      "\"i\":-9223372036854775808,\"r\":0.25,\"t\":true,\"f\":false,\"0\":null,"
                      "\"raw\":{\"x\":[1]},\"a\":[1,{},[],\"\"],\"q\\\"q\":true,\"o\":{\"k\":0}}"));
    buf_done(&out);
}

static void test_top_values(void **state)
{
    struct buf out;
    struct json_write w;
    buf_init(&out, 64);
    json_begin(&w, &out);
    json_strz(&w, NULL, "x");
    assert_str_eq(buf_str(&out), STR("\"x\""));
    buf_reset(&out);
    json_begin(&w, &out);
    json_arr(&w, NULL);
    json_end(&w);
    assert_str_eq(buf_str(&out), STR("[]"));
    buf_done(&out);
}

static void test_levels(void **state)
{
    struct buf out;
    struct json_write w;
    struct json_problem problem;
    buf_init(&out, 4096);
    json_begin(&w, &out);
    for (int i = 0; i < 63; i++) {
        json_arr(&w, NULL);
        json_uint(&w, NULL, 1);
    }
    for (int i = 0; i < 63; i++) {
        json_end(&w);
        if (i < 62)
            json_obj(&w, NULL), json_uint(&w, "k", 2), json_uint(&w, "l", 3), json_end(&w);
    }
    assert_int_equal(json_check(buf_str(&out), &problem), ERR_OK);
    buf_done(&out);
}

static void test_quote(void **state)
{
    static const struct {
        struct str text, quoted;
    } rows[] = {
        { STR_INIT(""), STR_INIT("\"\"") },
        { STR_INIT("plain / \x7f"), STR_INIT("\"plain / \x7f\"") },
        { STR_INIT("\"\\"), STR_INIT("\"\\\"\\\\\"") },
        { STR_INIT("\b\t\n\f\r"), STR_INIT("\"\\b\\t\\n\\f\\r\"") },
        { STR_INIT("\0\x01\x0b\x1f"), STR_INIT("\"\\u0000\\u0001\\u000b\\u001f\"") },
        { STR_INIT("sixteen plain bytes and\nmore"),
          STR_INIT("\"sixteen plain bytes and\\nmore\"") },
        { STR_INIT("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
          STR_INIT("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"") },
        { STR_INIT("\xe2\x80\xa8"), STR_INIT("\"\xe2\x80\xa8\"") },
        { STR_INIT("a\xff"
                   "b"),
          STR_INIT("\"a\xef\xbf\xbd"
                   "b\"") },
        { STR_INIT("\xff\xfe"), STR_INIT("\"\xef\xbf\xbd\xef\xbf\xbd\"") },
        { STR_INIT("\xe6\x97"), STR_INIT("\"\xef\xbf\xbd\"") },
        { STR_INIT("\xe6\x97\""), STR_INIT("\"\xef\xbf\xbd\\\"\"") },
        { STR_INIT("\xed\xa0\x80"), STR_INIT("\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"") },
        { STR_INIT("\xf0\x9f\x98!"), STR_INIT("\"\xef\xbf\xbd!\"") },
        { STR_INIT("\xc0\xaf"), STR_INIT("\"\xef\xbf\xbd\xef\xbf\xbd\"") },
    };
    struct buf out;
    buf_init(&out, 4096);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str s = exact_copy(rows[i].text);
        buf_reset(&out);
        json_quote(&out, s);
        assert_str_eq(buf_str(&out), rows[i].quoted);
        exact_free(s);
    }
    buf_reset(&out);
    json_quote(&out, str_of(NULL, 0));
    assert_str_eq(buf_str(&out), STR("\"\""));
    buf_done(&out);
}

/* What is quoted is read back by another library as the same bytes. */
static void test_quote_round_trip(void **state)
{
    struct buf out;
    buf_init(&out, 4096);
    for (unsigned c = 0; c < 0x80; c++)
        for (size_t at = 0; at < 40; at++) {
            char text[40];
            memset(text, 'a', sizeof text);
            text[at] = (char)c;
            buf_reset(&out);
            json_quote(&out, str_of(text, sizeof text));
            yyjson_doc *doc = yyjson_read(out.p, out.len, 0);
            assert_non_null(doc);
            yyjson_val *v = yyjson_doc_get_root(doc);
            assert_int_equal(yyjson_get_len(v), sizeof text);
            assert_memory_equal(yyjson_get_str(v), text, sizeof text);
            yyjson_doc_free(doc);
        }
    buf_done(&out);
}

static struct str real_text(struct buf *out, double value)
{
    struct json_write w;
    buf_reset(out);
    json_begin(&w, out);
    json_real(&w, NULL, value);
    return buf_str(out);
}

static void test_real(void **state)
{
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        { 0.0, "0.0" },
        { -0.0, "-0.0" },
        { 1.0, "1.0" },
        { -1.0, "-1.0" },
        { 0.1, "0.1" },
        { 0.7, "0.7" },
        { 1.5, "1.5" },
        { 100.0, "100.0" },
        { 123456.789, "123456.789" },
        { 1e16, "10000000000000000.0" },
        { 12345678901234567.0, "12345678901234568.0" },
        { 1e17, "1e+17" },
        { 1.5e300, "1.5e+300" },
        { 0.00001, "0.00001" },
        { 0.000001, "1e-6" },
        { -1.25e-7, "-1.25e-7" },
        { 0.1 + 0.2, "0.30000000000000004" },
        { 1.0 / 3.0, "0.3333333333333333" },
        { 5e-324, "5e-324" },
        { 2.2250738585072014e-308, "2.2250738585072014e-308" },
        { 1e-310, "1e-310" },
        { 1.7976931348623157e308, "1.7976931348623157e+308" },
        { 9007199254740993.0, "9007199254740992.0" },
        { 2.5e-05, "0.000025" },
        { INFINITY, "null" },
        { -INFINITY, "null" },
        { NAN, "null" },
    };
    struct buf out;
    buf_init(&out, 64);
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_str_eq(real_text(&out, rows[i].value), str_c(rows[i].text));
    buf_done(&out);
}

/* Bit patterns spread over the whole range: JSON, equal when read by strtod, and no shorter text
 * is. */
static void test_real_round_trip(void **state)
{
    struct buf out;
    struct json_problem problem;
    uint64_t bits = 88172645463325252;
    buf_init(&out, 64);
    for (int i = 0; i < 100000; i++) {
        double value, back;
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        struct str text = real_text(&out, value);
        assert_int_equal(json_check(text, &problem), ERR_OK);
        assert_true(json_double(text, &back));
        char z[48];
        snprintf(z, sizeof z, "%.*s", STR_ARG(text));
        if (memcmp(&back, &value, sizeof value) != 0 || strtod(z, NULL) != value)
            fail_msg("%a became %s", value, z);
        size_t digits = 0;
        for (const char *p = z; *p && *p != 'e'; p++)
            digits += *p >= '0' && *p <= '9';
        char shorter[48];
        snprintf(shorter, sizeof shorter, "%.*e", (int)digits - 2, value);
        if (strchr(z, 'e') && digits > 1 && strtod(shorter, NULL) == value)
            fail_msg("%s is longer than %s", z, shorter);
    }
    buf_done(&out);
}

static void test_the_cap_surfaces(void **state)
{
    struct buf out;
    for (size_t cap = 0; cap < 40; cap++) {
        struct json_write w;
        buf_init(&out, cap);
        json_begin(&w, &out);
        json_obj(&w, NULL);
        json_str(&w, "name", STR("a value\n\xff"));
        json_real(&w, "n", 1.5);
        json_end(&w);
        struct str whole = STR("{\"name\":\"a value\\n\xef\xbf\xbd\",\"n\":1.5}");
        assert_int_equal(out.fail, cap < whole.len ? ERR_TOO_LARGE : ERR_OK);
        assert_true(str_starts(whole, buf_str(&out)));
        assert_true(out.fail || out.len == whole.len);
        buf_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind),       cmocka_unit_test(test_top_values),
        cmocka_unit_test(test_levels),           cmocka_unit_test(test_quote),
        cmocka_unit_test(test_quote_round_trip), cmocka_unit_test(test_real),
        cmocka_unit_test(test_real_round_trip),  cmocka_unit_test(test_the_cap_surfaces),
    };
    return cmocka_run_group_tests_name("wire/json_write", tests, NULL, NULL);
}
