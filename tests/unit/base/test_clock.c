#include "base_test.h"

#include "base/clock.h"

#include <time.h>

static void test_rfc3339(void **state)
{
    static const struct {
        uint64_t unix_ms;
        const char *text;
    } rows[] = {
        { 0, "1970-01-01T00:00:00.000Z" },
        { 1, "1970-01-01T00:00:00.001Z" },
        { 86399999, "1970-01-01T23:59:59.999Z" },
        { 86400000, "1970-01-02T00:00:00.000Z" },
        { UINT64_C(951782400000), "2000-02-29T00:00:00.000Z" }, /* a leap year of the 400 */
        { UINT64_C(951868800000), "2000-03-01T00:00:00.000Z" },
        { UINT64_C(1709164800000), "2024-02-29T00:00:00.000Z" },
        { UINT64_C(1735689599999), "2024-12-31T23:59:59.999Z" },
        { UINT64_C(1735689600000), "2025-01-01T00:00:00.000Z" },
        { UINT64_C(4107542400000), "2100-03-01T00:00:00.000Z" }, /* no leap year of the 100 */
        { UINT64_C(4107542399000), "2100-02-28T23:59:59.000Z" },
        { UINT64_C(253402300799999), "9999-12-31T23:59:59.999Z" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[CLOCK_RFC3339_BYTES];
        clock_rfc3339(rows[i].unix_ms, text);
        assert_string_equal(text, rows[i].text);
    }
}

/* Each day of two centuries, as the C library has it. */
static void test_rfc3339_every_day(void **state)
{
    for (uint64_t day = 0; day < 73100; day++) {
        char text[CLOCK_RFC3339_BYTES], want[CLOCK_RFC3339_BYTES];
        time_t t = (time_t)(day * 86400 + 3661);
        struct tm tm;
        clock_rfc3339((uint64_t)t * 1000, text);
        strftime(want, sizeof want, "%Y-%m-%dT%H:%M:%S.000Z", gmtime_r(&t, &tm));
        assert_string_equal(text, want);
    }
}

static void test_clocks_run(void **state)
{
    uint64_t start = clock_now_us(), wall = clock_unix_ms(), before = start;
    struct timespec pause = { 0, 5 * 1000 * 1000 };
    for (int i = 0; i < 1000; i++) {
        uint64_t now = clock_now_us();
        assert_true(now >= before);
        before = now;
    }
    nanosleep(&pause, NULL);
    uint64_t us = clock_now_us() - start;
    assert_true(us >= 5000 && us < 60u * 1000 * 1000);
    assert_true(wall > UINT64_C(1600000000000)); /* milliseconds since 1970, not seconds */
    assert_true(wall / 1000 - (uint64_t)time(NULL) + 60 < 120);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc3339),
        cmocka_unit_test(test_rfc3339_every_day),
        cmocka_unit_test(test_clocks_run),
    };
    return cmocka_run_group_tests_name("base/clock", tests, NULL, NULL);
}
