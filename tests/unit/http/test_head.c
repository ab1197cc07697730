/* Built twice: with SSE2, and with HTTP_NO_SIMD for the look byte by byte. */
#include "http/head.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct http_header headers[] = {
    { STR_INIT("Host"), STR_INIT("a") },
    { STR_INIT("X-One"), STR_INIT("1") },
    { STR_INIT("x-one"), STR_INIT("2") },
    { STR_INIT("Connection"), STR_INIT("close, X-Hop") },
    { STR_INIT("connection"), STR_INIT("\tx-late") },
    { STR_INIT("Empty"), STR_INIT("") },
};
static const struct http_head head = { .headers = headers, .header_count = 6 };

static void get_finds_the_first_of_any_case(void **state)
{
    assert_true(str_eq(http_get(&head, STR("x-ONE")), STR("1")));
    assert_true(http_has(&head, STR("HOST")));
    assert_false(http_has(&head, STR("hos")));
    assert_false(http_has(&head, STR("")));
    assert_null(http_get(&head, STR("absent")).p);
    assert_non_null(http_get(&head, STR("empty")).p);
    assert_int_equal(http_get(&head, STR("empty")).len, 0);
}

static void hop_by_hop(void **state)
{
    static const struct {
        struct str name;
        bool hop;
    } rows[] = {
        { STR_INIT("Connection"), true },
        { STR_INIT("KEEP-ALIVE"), true },
        { STR_INIT("te"), true },
        { STR_INIT("Trailer"), true },
        { STR_INIT("Transfer-Encoding"), true },
        { STR_INIT("Upgrade"), true },
        { STR_INIT("Proxy-Authorization"), true },
        { STR_INIT("proxy-connection"), true },
        { STR_INIT("X-Hop"), true },
        { STR_INIT("X-Late"), true },
        { STR_INIT("Host"), false },
        { STR_INIT("Content-Length"), false },
        { STR_INIT("X-Ho"), false },
        { STR_INIT("Proxy"), false },
        { STR_INIT("TEa"), false },
        { STR_INIT("Authorization"), false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(http_is_hop_by_hop(&head, rows[i].name), rows[i].hop);
}

static bool token_byte(int c)
{
    bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return alnum || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool value_byte(int c)
{
    return (c >= 0x20 && c != 0x7f) || c == '\t';
}

/* Every byte in every place of every length: they are read in blocks. Nothing behind the end is looked at. */
static void names_and_values(void **state)
{
    char text[41];
    for (size_t len = 1; len < sizeof text; len++)
        for (size_t at = 0; at < len; at++)
            for (int c = 0; c < 256; c++) {
                memset(text, 'v', len);
                memset(text + len, '\n', sizeof text - len);
                text[at] = (char)c;
                assert_int_equal(http_name_ok(str_of(text, len)), token_byte(c));
                assert_int_equal(http_value_ok(str_of(text, len)), value_byte(c));
            }
    assert_false(http_name_ok(STR("")));
    assert_true(http_value_ok(STR("")));
    assert_false(http_name_ok(STR("a b")));
    assert_false(http_value_ok(STR("a\r\nb: c")));
}

static void reasons(void **state)
{
    assert_string_equal(http_reason(200), "OK");
    assert_string_equal(http_reason(431), "Request Header Fields Too Large");
    assert_string_equal(http_reason(529), "Overloaded");
    assert_string_equal(http_reason(599), "Unknown");
    assert_string_equal(http_reason(-1), "Unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(get_finds_the_first_of_any_case),
        cmocka_unit_test(hop_by_hop),
        cmocka_unit_test(names_and_values),
        cmocka_unit_test(reasons),
    };
    return cmocka_run_group_tests_name("http/head", tests, NULL, NULL);
}
