#include "base_test.h"

#include "base/buf.h"

static void test_writers(void **state)
{
    struct buf b;
    buf_init(&b, 1000);
    assert_int_equal(buf_str(&b).len, 0);
    buf_put(&b, STR("a\0b"));
    buf_put(&b, str_of(NULL, 0));
    buf_putc(&b, '-');
    buf_putz(&b, "z");
    buf_putz(&b, NULL);
    buf_u64(&b, 0);
    buf_putc(&b, ' ');
    buf_u64(&b, UINT64_MAX);
    buf_putc(&b, ' ');
    buf_i64(&b, INT64_MIN);
    buf_putc(&b, ' ');
    buf_i64(&b, INT64_MAX);
    buf_putc(&b, ' ');
    buf_i64(&b, -7);
    buf_printf(&b, " %s=%d", "n", 5);
    assert_str_eq(
        buf_str(&b),
        STR("a\0b-z0 18446744073709551615 -9223372036854775808 9223372036854775807 -7 n=5"));
    assert_int_equal(b.fail, ERR_OK);
    buf_done(&b);
}

/* Each byte count around the cap, by each writer: what fits is there, the first failure stays. */
static void test_cap(void **state)
{
    for (size_t cap = 0; cap < 20; cap++)
        for (size_t n = 0; n < 20; n++) {
            struct buf b;
            buf_init(&b, cap);
            for (size_t i = 0; i < n; i++)
                buf_putc(&b, 'x');
            assert_int_equal(b.len, n < cap ? n : cap);
            assert_int_equal(b.fail, n > cap ? ERR_TOO_LARGE : ERR_OK);
            assert_true(b.room <= cap);
            buf_done(&b);
        }
}

static void test_failure_is_remembered(void **state)
{
    struct buf b;
    buf_init(&b, 4);
    buf_putz(&b, "abc");
    buf_putz(&b, "de"); /* does not fit: nothing of it is written */
    buf_putz(&b, "f");  /* would fit, but comes after a failure */
    buf_printf(&b, "%d", 1);
    assert_null(buf_reserve(&b, 0));
    assert_str_eq(buf_str(&b), STR("abc"));
    assert_int_equal(b.fail, ERR_TOO_LARGE);
    buf_reset(&b);
    assert_int_equal(b.fail, ERR_OK);
    buf_putz(&b, "wxyz");
    assert_str_eq(buf_str(&b), STR("wxyz"));
    buf_done(&b);
    assert_int_equal(b.len, 0);
    assert_null(b.p);
    buf_putz(&b, "wxyz"); /* usable again, same cap */
    assert_int_equal(b.fail, ERR_OK);
    buf_putc(&b, '!');
    assert_int_equal(b.fail, ERR_TOO_LARGE);
    buf_done(&b);
}

static void test_reserve(void **state)
{
    struct buf b;
    buf_init(&b, 1000);
    char *p = buf_reserve(&b, 300);
    assert_non_null(p);
    memset(p, 'a', 300);
    buf_commit(&b, 3);
    assert_str_eq(buf_str(&b), STR("aaa"));
    assert_non_null(buf_reserve(&b, 997));
    assert_null(buf_reserve(&b, 998));
    assert_int_equal(b.fail, ERR_TOO_LARGE);
    buf_done(&b);
    buf_init(&b, SIZE_MAX);
    buf_putc(&b, 'a');
    assert_null(buf_reserve(&b, SIZE_MAX)); /* no wrap-around */
    buf_done(&b);
}

static void test_growth_keeps_bytes(void **state)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    for (size_t i = 0; i < 100000; i++)
        buf_putc(&b, (char)(i * 7));
    assert_int_equal(b.len, 100000);
    for (size_t i = 0; i < b.len; i++)
        assert_int_equal(b.p[i], (char)(i * 7));
    buf_done(&b);
}

/* Around the size of the buffer on the stack, and with the cap just so. */
static void test_printf_of_any_length(void **state)
{
    char text[600];
    memset(text, 'p', sizeof text);
    for (size_t n = 250; n <= 600; n = n == 262 ? 598 : n + 1)
        for (size_t cap = n - 1; cap <= n + 1; cap++) {
            struct buf b;
            buf_init(&b, cap);
            buf_printf(&b, "%.*s", (int)n, text);
            if (cap < n) {
                assert_int_equal(b.fail, ERR_TOO_LARGE);
                assert_int_equal(b.len, 0);
            } else {
                assert_int_equal(b.fail, ERR_OK);
                assert_str_eq(buf_str(&b), str_of(text, n));
            }
            buf_done(&b);
        }
}

static void test_shift(void **state)
{
    struct buf b;
    buf_init(&b, 100);
    buf_shift(&b, 5);
    buf_putz(&b, "abcdef");
    buf_shift(&b, 0);
    buf_shift(&b, 2);
    assert_str_eq(buf_str(&b), STR("cdef"));
    buf_shift(&b, 4);
    assert_int_equal(b.len, 0);
    buf_putz(&b, "xy");
    buf_shift(&b, 100);
    assert_int_equal(b.len, 0);
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writers),
        cmocka_unit_test(test_cap),
        cmocka_unit_test(test_failure_is_remembered),
        cmocka_unit_test(test_reserve),
        cmocka_unit_test(test_growth_keeps_bytes),
        cmocka_unit_test(test_printf_of_any_length),
        cmocka_unit_test(test_shift),
    };
    return cmocka_run_group_tests_name("base/buf", tests, NULL, NULL);
}
