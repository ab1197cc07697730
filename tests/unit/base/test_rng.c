#include "base_test.h"

#include "base/rng.h"

static void test_seeded_repeats_itself(void **state)
{
    struct rng a, b, c;
    rng_init_seeded(&a, 42);
    rng_init_seeded(&b, 42);
    rng_init_seeded(&c, 43);
    int same = 0;
    for (int i = 0; i < 200; i++) { /* past the pool of 512 bytes */
        uint64_t v = rng_u64(&a);
        assert_int_equal(v, rng_u64(&b));
        same += v == rng_u64(&c);
    }
    assert_int_equal(same, 0);
}

/* The same bytes in whatever portions they are asked for. */
static void test_portions(void **state)
{
    unsigned char whole[2000], parts[2000];
    struct rng a, b;
    rng_init_seeded(&a, 7);
    rng_init_seeded(&b, 7);
    rng_bytes(&a, whole, sizeof whole);
    for (size_t at = 0, n = 0; at < sizeof parts; at += n, n = (n + 1) % 600) {
        n = n < sizeof parts - at ? n : sizeof parts - at;
        rng_bytes(&b, parts + at, n);
    }
    assert_memory_equal(whole, parts, sizeof whole);
}

static void test_kernel_bytes_differ(void **state)
{
    struct rng a, b;
    unsigned char x[1200], y[1200];
    size_t zeros = 0;
    rng_init(&a);
    rng_init(&b);
    rng_bytes(&a, x, sizeof x);
    rng_bytes(&b, y, sizeof y);
    assert_memory_not_equal(x, y, 64);
    assert_memory_not_equal(x, x + 600, 512);
    for (size_t i = 0; i < sizeof x; i++)
        zeros += x[i] == 0;
    assert_true(zeros < 40); /* 4.7 expected */
}

/* What was given out is wiped from the pool. */
static void test_pool_forgets(void **state)
{
    struct rng r;
    unsigned char secret[100], none[100] = { 0 };
    rng_init_seeded(&r, 1);
    rng_bytes(&r, secret, sizeof secret);
    assert_memory_equal(r.pool, none, sizeof none);
    assert_memory_not_equal(secret, none, sizeof none);
    assert_int_equal(r.left, sizeof r.pool - sizeof secret);
}

static void test_uuid(void **state)
{
    struct rng r;
    char text[RNG_UUID_BYTES], before[RNG_UUID_BYTES] = "";
    rng_init_seeded(&r, 99);
    for (int i = 0; i < 1000; i++) {
        rng_uuid(&r, text);
        assert_int_equal(strlen(text), 36);
        assert_int_equal(strspn(text, "0123456789abcdef-"), 36);
        assert_true(text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-');
        assert_int_equal(text[14], '4');
        assert_non_null(strchr("89ab", text[19]));
        assert_string_not_equal(text, before);
        memcpy(before, text, sizeof text);
    }
}

static void test_alnum(void **state)
{
    static char text[62 * 1000 + 1];
    size_t seen[256] = { 0 };
    struct rng r;
    rng_init_seeded(&r, 5);
    memset(text, '~', sizeof text);
    rng_alnum(&r, text, sizeof text - 1);
    assert_int_equal(text[sizeof text - 1], '~'); /* no NUL is written */
    for (size_t i = 0; i < sizeof text - 1; i++)
        seen[(unsigned char)text[i]]++;
    size_t symbols = 0;
    for (int c = 0; c < 256; c++) {
        bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (alnum ? seen[c] < 800 || seen[c] > 1200
                  : seen[c] != 0) /* 1000 expected, six deviations */
            fail_msg("symbol %d: %zu times", c, seen[c]);
        symbols += seen[c] > 0;
    }
    assert_int_equal(symbols, 62);
    rng_alnum(&r, text, 0);
}

static void test_hex(void **state)
{
    struct rng r;
    char text[34], again[32];
    rng_init_seeded(&r, 7);
    text[32] = text[33] = '!';
    rng_hex(&r, text, 32);
    assert_memory_equal(text + 32, "!!", 2);
    for (size_t i = 0; i < 32; i++)
        assert_non_null(memchr("0123456789abcdef", text[i], 16));
    rng_hex(&r, again, 32);
    assert_memory_not_equal(text, again, 32);
    rng_init_seeded(&r, 7);
    rng_hex(&r, again, 32);
    assert_memory_equal(text, again, 32);
    rng_hex(&r, text, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hex),          cmocka_unit_test(test_seeded_repeats_itself),
        cmocka_unit_test(test_portions),     cmocka_unit_test(test_kernel_bytes_differ),
        cmocka_unit_test(test_pool_forgets), cmocka_unit_test(test_uuid),
        cmocka_unit_test(test_alnum),
    };
    return cmocka_run_group_tests_name("base/rng", tests, NULL, NULL);
}
