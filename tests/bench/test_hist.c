#include "hist.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_empty(void **state)
{
    struct hist *h = calloc(1, sizeof(*h));
    assert_int_equal(hist_quantile(h, 500), 0);
    assert_int_equal(hist_quantile(h, 1000), 0);
    free(h);
}

static void test_one(void **state)
{
    struct hist *h = calloc(1, sizeof(*h));
    hist_add(h, 123456789);
    for (uint32_t permille = 0; permille <= 1000; permille += 100)
        assert_int_equal(hist_quantile(h, permille), 123456789);
    free(h);
}

static void test_small_are_exact(void **state)
{
    struct hist *h = calloc(1, sizeof(*h));
    for (uint64_t ns = 0; ns < 100; ns++)
        hist_add(h, ns < 64 ? ns : 63);
    assert_int_equal(hist_quantile(h, 10), 0);
    assert_int_equal(hist_quantile(h, 500), 49);
    assert_int_equal(hist_quantile(h, 640), 63);
    assert_int_equal(hist_quantile(h, 1000), 63);
    free(h);
}

/* Each quantile of 1..n is at most one bucket (1/64) above the exact value, and never below it. */
static void test_quantiles_are_close(void **state)
{
    struct hist *h = calloc(1, sizeof(*h));
    const uint64_t n = 100000, unit = 977;
    for (uint64_t i = n; i >= 1; i--)
        hist_add(h, i * unit);
    for (uint32_t permille = 1; permille <= 1000; permille++) {
        uint64_t exact = n * permille / 1000 * unit;
        uint64_t got = hist_quantile(h, permille);
        assert_true(got >= exact);
        assert_true(got <= exact + exact / 64 + unit);
    }
    assert_int_equal(hist_quantile(h, 1000), n * unit);
    free(h);
}

static void test_ends_of_the_range(void **state)
{
    struct hist *h = calloc(1, sizeof(*h));
    hist_add(h, 0);
    hist_add(h, UINT64_MAX);
    hist_add(h, UINT64_MAX - 1);
    assert_int_equal(h->count, 3);
    assert_int_equal(hist_quantile(h, 1), 0);
    assert_int_equal(hist_quantile(h, 1000), UINT64_MAX);
    free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_one),
        cmocka_unit_test(test_small_are_exact),
        cmocka_unit_test(test_quantiles_are_close),
        cmocka_unit_test(test_ends_of_the_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
