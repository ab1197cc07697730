/* json_write under a locale whose decimal point is something else: the writer is built here with a
 * snprintf that behaves so, which needs no locale to be installed. */
#include "wire_test.h"

#include <stdio.h>

static const char *point;

static int __attribute__((format(printf, 3, 4)))
local_snprintf(char *out, size_t room, const char *fmt, ...)
{
    char plain[64];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(plain, sizeof plain, fmt, ap);
    va_end(ap);
    size_t len = 0;
    for (int i = 0; i <= n; i++) {
        const char *from = plain[i] == '.' ? point : &plain[i];
        size_t take = plain[i] == '.' ? strlen(point) : 1;
        assert_true(len + take <= room);
        memcpy(out + len, from, take);
        len += take;
    }
    return (int)len - 1;
}

#undef snprintf
#define snprintf local_snprintf
#include "../../../src/wire/json_write.c"

static void test_points(void **state)
{
    static const char *const points[] = { ".", ",", "\xd9\xab" /* U+066B */ };
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        { 0.5, "0.5" },
        { 1234.25, "1234.25" },
        { -1e300, "-1e+300" },
        { 1.25e-9, "1.25e-9" },
        { 0.1 + 0.2, "0.30000000000000004" },
    };
    for (size_t p = 0; p < COUNT(points); p++)
        for (size_t i = 0; i < COUNT(rows); i++) {
            struct buf out;
            struct json_write w;
            point = points[p];
            buf_init(&out, 64);
            json_begin(&w, &out);
            json_real(&w, NULL, rows[i].value);
            assert_str_eq(buf_str(&out), str_c(rows[i].text));
            buf_done(&out);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_points),
    };
    return cmocka_run_group_tests_name("wire/json_locale", tests, NULL, NULL);
}
