#include "base_test.h"

#include "base/log.h"

#define WHEN UINT64_C(1735689600123)
#define TEXT_HEAD "2025-01-01T00:00:00.123Z info request"
#define JSON_HEAD "{\"time\":\"2025-01-01T00:00:00.123Z\",\"level\":\"info\",\"event\":\"request\""

static void test_whole_lines(void **state)
{
    static const char *const want[] = {
        [LOG_TEXT] = TEXT_HEAD " id=abc path=\"/v1/x y\" status=200 ms=12.345\n",
        [LOG_JSON] =
            JSON_HEAD ",\"id\":\"abc\",\"path\":\"/v1/x y\",\"status\":200,\"ms\":12.345}\n",
    };
    for (int form = LOG_TEXT; form <= LOG_JSON; form++) {
        struct buf out;
        struct log_line l;
        buf_init(&out, 4096);
        log_begin(&l, &out, (enum log_form)form, LOG_INFO, WHEN, "request");
        log_str(&l, "id", STR("abc"));
        log_str(&l, "empty", STR(""));
        log_str(&l, "null", str_of(NULL, 0));
        log_str(&l, "path", STR("/v1/x y"));
        log_u64(&l, "status", 200);
        log_ms(&l, "ms", 12345);
        log_end(&l);
        assert_str_eq(buf_str(&out), str_c(want[form]));
        buf_done(&out);
    }
}

static void test_levels(void **state)
{
    static const char *const names[] = { " error ", " warn ", " info ", " debug " };
    for (int level = LOG_ERROR; level <= LOG_DEBUG; level++) {
        struct buf out;
        struct log_line l;
        buf_init(&out, 4096);
        log_begin(&l, &out, LOG_TEXT, (enum log_level)level, WHEN, "e");
        assert_true(str_find(buf_str(&out), str_c(names[level])) != STR_NONE);
        buf_done(&out);
    }
}

static void test_ms(void **state)
{
    static const struct {
        uint64_t us;
        const char *text;
    } rows[] = {
        { 0, "0.000" },
        { 7, "0.007" },
        { 70, "0.070" },
        { 999, "0.999" },
        { 1000, "1.000" },
        { 1234567, "1234.567" },
        { UINT64_MAX, "18446744073709551.615" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out;
        struct log_line l = { &out, LOG_TEXT };
        buf_init(&out, 64);
        log_ms(&l, "t", rows[i].us);
        assert_str_eq(str_skip(buf_str(&out), 3), str_c(rows[i].text));
        buf_done(&out);
    }
}

/* Values from outside cannot end a line, a quote, or a field. */
static void test_nothing_forges_a_line(void **state)
{
    static const struct {
        struct str value;
        const char *text, *json;
    } rows[] = {
        { STR_INIT("a\nb"), "\"a\\u000ab\"", "\"a\\u000ab\"" },
        { STR_INIT("a\r"), "\"a\\u000d\"", "\"a\\u000d\"" },
        { STR_INIT("a\"b"), "\"a\\\"b\"", "\"a\\\"b\"" },
        { STR_INIT("a\\"), "\"a\\\\\"", "\"a\\\\\"" },
        { STR_INIT("a=b"), "\"a=b\"", "\"a=b\"" },
        { STR_INIT("\0\x1b[31m"), "\"\\u0000\\u001b[31m\"", "\"\\u0000\\u001b[31m\"" },
        { STR_INIT("\x7f"), "\"\\u007f\"", "\"\\u007f\"" },
        { STR_INIT("\xc3\xa9"), "\"\xc3\xa9\"", "\"\xc3\xa9\"" },
        { STR_INIT("\xf0\x9f\x98\x80"), "\"\xf0\x9f\x98\x80\"", "\"\xf0\x9f\x98\x80\"" },
        { STR_INIT("\xff"
                   "a"),
          "\"\\ufffda\"", "\"\\ufffda\"" },
        { STR_INIT("\xe6\x97"), "\"\\ufffd\\ufffd\"", "\"\\ufffd\\ufffd\"" },
        { STR_INIT("\xc0\x80"), "\"\\ufffd\\ufffd\"", "\"\\ufffd\\ufffd\"" },
        { STR_INIT("plain-1.5:/x"), "plain-1.5:/x", "\"plain-1.5:/x\"" },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        for (int form = LOG_TEXT; form <= LOG_JSON; form++) {
            struct buf out;
            struct log_line l = { &out, (enum log_form)form };
            buf_init(&out, 256);
            log_str(&l, "k", rows[i].value);
            struct str head = form == LOG_TEXT ? STR(" k=") : STR(",\"k\":");
            assert_true(str_starts(buf_str(&out), head));
            assert_str_eq(str_skip(buf_str(&out), head.len),
                          str_c(form == LOG_TEXT ? rows[i].text : rows[i].json));
            buf_done(&out);
        }
}

/* Bytes that are not UTF-8 do not reach the line: overlongs, surrogates and codes past the last
 * are none. */
static void test_only_utf8_comes_out(void **state)
{
    static const struct str bad[] = {
        STR_INIT("\xe0\x80\x80"),     STR_INIT("\xe0\x9f\xbf"),     STR_INIT("\xed\xa0\x80"),
        STR_INIT("\xed\xbf\xbf"),     STR_INIT("\xf0\x80\x80\x80"), STR_INIT("\xf0\x8f\xbf\xbf"),
        STR_INIT("\xf4\x90\x80\x80"), STR_INIT("\xf4\xbf\xbf\xbf"),
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct buf out;
        struct log_line l = { &out, LOG_JSON };
        buf_init(&out, 256);
        log_str(&l, "k", bad[i]);
        for (size_t k = 0; k < out.len; k++)
            if ((unsigned char)out.p[k] >= 0x80)
                fail_msg("case %zu: byte %02x came out", i, (unsigned char)out.p[k]);
        buf_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_lines),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_ms),
        cmocka_unit_test(test_nothing_forges_a_line),
        cmocka_unit_test(test_only_utf8_comes_out),
    };
    return cmocka_run_group_tests_name("base/log", tests, NULL, NULL);
}
