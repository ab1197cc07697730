#include "base_test.h"

static const struct str null = { NULL, 0 };

static void test_make(void **state)
{
    static const struct str constant = STR_INIT("a\0b");
    assert_int_equal(constant.len, 3);
    assert_int_equal(STR("").len, 0);
    assert_str_eq(str_c("abc"), STR("abc"));
    assert_int_equal(str_c(NULL).len, 0);
    assert_null(str_c(NULL).p);
}

static void test_eq(void **state)
{
    assert_true(str_eq(STR("a"), STR("a")));
    assert_true(str_eq(null, STR("")));
    assert_true(str_eq(null, null));
    assert_false(str_eq(STR("a"), STR("b")));
    assert_false(str_eq(STR("a"), STR("ab")));
    assert_false(str_eq(STR("a\0b"), STR("a\0c")));
    assert_true(str_eq_nocase(STR("Content-TYPE"), STR("cONTENT-type")));
    assert_false(str_eq_nocase(STR("a"), STR("ab")));
    assert_false(str_eq_nocase(STR("@["), STR("`{"))); /* one bit apart as well, but no letters */
    assert_false(str_eq_nocase(STR("\xc3\x84"), STR("\xc3\xa4")));
    assert_true(str_eq_nocase(null, STR("")));
}

static void test_starts_and_ends(void **state)
{
    assert_true(str_starts(STR("Bearer x"), STR("Bearer ")));
    assert_true(str_starts(STR("a"), null));
    assert_true(str_starts(null, null));
    assert_false(str_starts(STR("Bear"), STR("Bearer")));
    assert_false(str_starts(null, STR("a")));
    assert_true(str_ends(STR("a.yaml"), STR(".yaml")));
    assert_true(str_ends(STR("a"), STR("")));
    assert_false(str_ends(STR("yaml"), STR(".yaml")));
    assert_false(str_ends(STR("a.yamlx"), STR(".yaml")));
    assert_true(str_starts_nocase(STR("bearer x"), STR("Bearer ")));
    assert_false(str_starts_nocase(STR("bear"), STR("Bearer")));
    assert_true(str_starts_nocase(STR("x"), null));
}

static void test_skip_and_head(void **state)
{
    struct str s = STR("abc");
    assert_str_eq(str_skip(s, 0), s);
    assert_str_eq(str_skip(s, 2), STR("c"));
    assert_ptr_equal(str_skip(s, 3).p, s.p + 3);
    assert_int_equal(str_skip(s, SIZE_MAX).len, 0);
    assert_null(str_skip(null, 5).p);
    assert_str_eq(str_head(s, 2), STR("ab"));
    assert_str_eq(str_head(s, STR_NONE), s);
    assert_int_equal(str_head(s, 0).len, 0);
}

static void test_find(void **state)
{
    assert_int_equal(str_find_char(STR("a:b:c"), ':'), 1);
    assert_int_equal(str_find_char(STR("abc"), ':'), STR_NONE);
    assert_int_equal(str_find_char(null, ':'), STR_NONE);
    assert_int_equal(str_find_char(STR("a\0b"), 'b'), 2);
    assert_int_equal(str_find_char(str_head(STR("ab"), 1), 'b'), STR_NONE);
    assert_int_equal(str_find(STR("hay needle hay"), STR("needle")), 4);
    assert_int_equal(str_find(STR("hay"), STR("needle")), STR_NONE);
    assert_int_equal(str_find(STR("hay"), STR("")), 0);
    assert_int_equal(str_find(null, STR("x")), STR_NONE);
    assert_int_equal(str_find(null, null), 0);
    assert_int_equal(str_find(STR("aab"), STR("ab")), 1);
}

static int sign(int v)
{
    return (v > 0) - (v < 0);
}

static void test_cmp(void **state)
{
    static const struct str sorted[] = {
        STR_INIT(""),   STR_INIT("\0"), STR_INIT("a"),    STR_INIT("a\0"),
        STR_INIT("aa"), STR_INIT("b"),  STR_INIT("\x80"), STR_INIT("\xff"),
    };
    for (int i = 0; i < (int)COUNT(sorted); i++)
        for (int k = 0; k < (int)COUNT(sorted); k++)
            assert_int_equal(sign(str_cmp(sorted[i], sorted[k])), sign(i - k));
    assert_int_equal(str_cmp(null, STR("")), 0);
}

static void test_trim(void **state)
{
    assert_str_eq(str_trim(STR(" \t\r\na b\n ")), STR("a b"));
    assert_str_eq(str_trim(STR("a")), STR("a"));
    assert_int_equal(str_trim(STR(" \n ")).len, 0);
    assert_int_equal(str_trim(null).len, 0);
    assert_str_eq(str_trim(STR("\x0b"
                               "a\xa0")),
                  STR("\x0b"
                      "a\xa0")); /* no other white space */
}

static void test_cut(void **state)
{
    struct str s = STR("a,,bc");
    assert_str_eq(str_cut(&s, ','), STR("a"));
    assert_str_eq(str_cut(&s, ','), STR(""));
    assert_str_eq(s, STR("bc"));
    assert_str_eq(str_cut(&s, ','), STR("bc"));
    assert_int_equal(s.len, 0);
    assert_int_equal(str_cut(&s, ',').len, 0);
    s = STR(",");
    assert_int_equal(str_cut(&s, ',').len, 0);
    assert_int_equal(s.len, 0);
    s = null;
    assert_int_equal(str_cut(&s, ',').len, 0);
}

static void test_u64(void **state)
{
    static const struct {
        struct str text;
        bool good;
        uint64_t value;
    } rows[] = {
        { STR_INIT("0"), true, 0 },
        { STR_INIT("007"), true, 7 },
        { STR_INIT("18446744073709551615"), true, UINT64_MAX },
        { STR_INIT("18446744073709551616"), false, 0 },
        { STR_INIT("18446744073709551620"), false, 0 },
        { STR_INIT("99999999999999999999"), false, 0 },
        { STR_INIT(""), false, 0 },
        { STR_INIT("-1"), false, 0 },
        { STR_INIT("+1"), false, 0 },
        { STR_INIT(" 1"), false, 0 },
        { STR_INIT("1 "), false, 0 },
        { STR_INIT("1\0"), false, 0 },
        { STR_INIT("0x1"), false, 0 },
        { STR_INIT("1.0"), false, 0 },
        { STR_INIT(":"), false, 0 },
        { STR_INIT("/"), false, 0 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t v = 77;
        CHECK_CASE(str_u64(rows[i].text, &v) == rows[i].good, rows[i].text);
        CHECK_CASE(v == (rows[i].good ? rows[i].value : 77), rows[i].text);
    }
    uint64_t v;
    assert_false(str_u64(null, &v));
}

static void test_i64(void **state)
{
    static const struct {
        struct str text;
        bool good;
        int64_t value;
    } rows[] = {
        { STR_INIT("0"), true, 0 },
        { STR_INIT("-0"), true, 0 },
        { STR_INIT("-5"), true, -5 },
        { STR_INIT("9223372036854775807"), true, INT64_MAX },
        { STR_INIT("-9223372036854775808"), true, INT64_MIN },
        { STR_INIT("9223372036854775808"), false, 0 },
        { STR_INIT("-9223372036854775809"), false, 0 },
        { STR_INIT("-18446744073709551615"), false, 0 },
        { STR_INIT("-"), false, 0 },
        { STR_INIT("--1"), false, 0 },
        { STR_INIT("+1"), false, 0 },
        { STR_INIT(""), false, 0 },
        { STR_INIT("1-"), false, 0 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t v = 77;
        CHECK_CASE(str_i64(rows[i].text, &v) == rows[i].good, rows[i].text);
        CHECK_CASE(v == (rows[i].good ? rows[i].value : 77), rows[i].text);
    }
}

static void test_lower(void **state)
{
    for (int c = 0; c < 256; c++)
        assert_int_equal((unsigned char)ascii_lower((char)c), c >= 'A' && c <= 'Z' ? c + 32 : c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_make),
        cmocka_unit_test(test_eq),
        cmocka_unit_test(test_starts_and_ends),
        cmocka_unit_test(test_skip_and_head),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_cmp),
        cmocka_unit_test(test_trim),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_u64),
        cmocka_unit_test(test_i64),
        cmocka_unit_test(test_lower),
    };
    return cmocka_run_group_tests_name("base/str", tests, NULL, NULL);
}
