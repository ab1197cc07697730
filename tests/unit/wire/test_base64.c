#include "wire_test.h"

#include "wire/base64.h"

#define ROW(bytes, standard, url)                                                                  \
    {                                                                                              \
        STR_INIT(bytes), STR_INIT(standard), STR_INIT(url)                                         \
    }

/* RFC 4648, section 10, and bytes where the two alphabets differ. */
static const struct {
    struct str bytes, standard, url;
} rows[] = {
    ROW("", "", ""),
    ROW("f", "Zg==", "Zg"),
    ROW("fo", "Zm8=", "Zm8"),
    ROW("foo", "Zm9v", "Zm9v"),
    ROW("foob", "Zm9vYg==", "Zm9vYg"),
    ROW("fooba", "Zm9vYmE=", "Zm9vYmE"),
    ROW("foobar", "Zm9vYmFy", "Zm9vYmFy"),
    ROW("\xfb\xff\xbf", "+/+/", "-_-_"),
    ROW("\x00\x00", "AAA=", "AAA"),
    ROW("\xff\xff\xff\xff", "/////w==", "_____w"),
};

static void test_vectors(void **state)
{
    struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str back;
        assert_str_eq(base64_encode(rows[i].bytes, a), rows[i].standard);
        assert_str_eq(base64url_encode(rows[i].bytes, a), rows[i].url);
        assert_int_equal(base64_decode(rows[i].standard, a, &back), ERR_OK);
        assert_str_eq(back, rows[i].bytes);
        assert_int_equal(base64_decode(rows[i].url, a, &back), ERR_OK);
        assert_str_eq(back, rows[i].bytes);
        assert_int_equal(rows[i].standard.len, BASE64_ENCODED_BYTES(rows[i].bytes.len));
    }
    arena_free(a);
}

static void test_malformed(void **state)
{
    static const struct str bad[] = {
        STR_INIT("A"),        STR_INIT("AAAAA"),  STR_INIT("="),
        STR_INIT("=="),       STR_INIT("===="),   STR_INIT("A==="),
        STR_INIT("Zg="),      STR_INIT("Zg==="),  STR_INIT("Zg=a"),
        STR_INIT("Z=g="),     STR_INIT("Zm9v="),  STR_INIT("Zm9v===="),
        STR_INIT("Zg==Zg=="), STR_INIT("Zm8\n"),  STR_INIT("Zm 8"),
        STR_INIT(" Zm9v"),    STR_INIT("Zm9v\n"), STR_INIT("Zm9\0"),
        STR_INIT("Zm9\xc3"),  STR_INIT("Zm9."),   STR_INIT("Zh=="),
        STR_INIT("Zh"),       STR_INIT("Zm9="),   STR_INIT("Zm9"), /* bits left over */
        STR_INIT("Zg%3D%3D"), STR_INIT("Z@=="),   STR_INIT("[[[["),
        STR_INIT("````"),
    };
    struct arena *a = arena_new();
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct str s = exact_copy(bad[i]), back = STR("untouched");
        CHECK_CASE(base64_decode(s, a, &back) == ERR_SYNTAX, bad[i]);
        assert_str_eq(back, STR("untouched"));
        exact_free(s);
    }
    arena_free(a);
}

static void test_every_byte_at_every_place(void **state)
{
    struct arena *a = arena_new();
    for (unsigned c = 0; c < 256; c++) {
        for (size_t len = 1; len <= 7; len++) {
            char bytes[7];
            for (size_t i = 0; i < len; i++)
                bytes[i] = (char)(c + i * 37);
            struct str in = str_of(bytes, len), back;
            assert_int_equal(base64_decode(base64_encode(in, a), a, &back), ERR_OK);
            assert_true(str_eq(in, back));
            assert_int_equal(base64_decode(base64url_encode(in, a), a, &back), ERR_OK);
            assert_true(str_eq(in, back));
        }
        char text[4] = { 'Z', (char)c, 'A', 'A' };
        struct str back;
        bool digit = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                     c == '+' || c == '/' || c == '-' || c == '_';
        assert_int_equal(base64_decode(str_of(text, 4), a, &back), digit ? ERR_OK : ERR_SYNTAX);
    }
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_every_byte_at_every_place),
    };
    return cmocka_run_group_tests_name("wire/base64", tests, NULL, NULL);
}
