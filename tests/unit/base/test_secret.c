#include "base_test.h"

#include "base/secret.h"

static void test_eq(void **state)
{
    static const struct {
        struct str a, b;
        bool eq;
    } rows[] = {
        { STR_INIT("sk-abc"), STR_INIT("sk-abc"), true },
        { STR_INIT("sk-abc"), STR_INIT("sk-abd"), false },
        { STR_INIT("sk-abc"), STR_INIT("Sk-abc"), false },
        { STR_INIT("sk-abc"), STR_INIT("sk-ab"), false },
        { STR_INIT("sk-ab"), STR_INIT("sk-abc"), false },
        { STR_INIT("ab"), STR_INIT("abab"), false },
        { STR_INIT("a"), STR_INIT("aaaa"), false },
        { STR_INIT(""), STR_INIT(""), true },
        { STR_INIT(""), STR_INIT("x"), false },
        { STR_INIT("x"), STR_INIT(""), false },
        { STR_INIT("a\0b"), STR_INIT("a\0b"), true },
        { STR_INIT("a\0b"), STR_INIT("a\0c"), false },
        { STR_INIT(""), STR_INIT("\0"), false },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct secret *s = secret_new(rows[i].a);
        CHECK_CASE(secret_eq(s, rows[i].b) == rows[i].eq, rows[i].b);
        secret_free(s);
    }
}

/* Lengths 256 apart: a comparison of lengths that looks at one byte of them would call these
 * equal. */
static void test_eq_of_lengths_256_apart(void **state)
{
    char text[1024];
    memset(text, 'k', sizeof text);
    for (size_t n = 1; n <= 3; n++)
        for (size_t more = 1; more <= 1000 - n; more++) {
            struct secret *s = secret_new(str_of(text, n));
            if (secret_eq(s, str_of(text, n + more)))
                fail_msg("%zu bytes equal %zu", n, n + more);
            secret_free(s);
        }
}

static void test_each_byte_counts(void **state)
{
    char text[64], other[64];
    memset(text, 'k', sizeof text);
    struct secret *s = secret_new(str_of(text, sizeof text));
    for (size_t i = 0; i < sizeof text; i++)
        for (int bit = 0; bit < 8; bit++) {
            memcpy(other, text, sizeof text);
            other[i] = (char)(other[i] ^ 1 << bit);
            assert_false(secret_eq(s, str_of(other, sizeof other)));
        }
    assert_true(secret_eq(s, str_of(text, sizeof text)));
    secret_free(s);
}

static void test_copy_and_reveal(void **state)
{
    char text[] = "sk-1";
    struct secret *s = secret_new(str_c(text));
    wipe(text, sizeof text);
    assert_memory_equal(text, "\0\0\0\0\0", sizeof text);
    assert_str_eq(secret_reveal(s), STR("sk-1"));
    assert_int_equal(secret_len(s), 4);
    assert_int_equal(secret_reveal(s).p[4], '\0');
    secret_free(s);
    secret_free(NULL);
    s = secret_new(str_of(NULL, 0));
    assert_int_equal(secret_len(s), 0);
    secret_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eq),
        cmocka_unit_test(test_eq_of_lengths_256_apart),
        cmocka_unit_test(test_each_byte_counts),
        cmocka_unit_test(test_copy_and_reveal),
    };
    return cmocka_run_group_tests_name("base/secret", tests, NULL, NULL);
}
