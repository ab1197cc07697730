#include "base_test.h"

#include "base/arena.h"

static void test_aligned_and_apart(void **state)
{
    struct arena *a = arena_new();
    enum { N = 3000 };
    char **p = mem_alloc(N * sizeof *p);
    for (size_t i = 0; i < N;
         i++) { /* sizes around each way through: in the block, a new block, one of its own */
        p[i] = arena_alloc(a, i * 3 % 2048);
        assert_int_equal((uintptr_t)p[i] % 16, 0);
        memset(p[i], (int)i, i * 3 % 2048);
    }
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < i * 3 % 2048; k++)
            if (p[i][k] != (char)i)
                fail_msg("allocation %zu was overwritten", i);
    mem_free(p);
    arena_free(a);
}

static void test_empty_allocations_differ(void **state)
{
    struct arena *a = arena_new();
    assert_ptr_not_equal(arena_alloc(a, 0), arena_alloc(a, 0));
    arena_free(a);
    arena_free(NULL);
}

static void test_zeroed(void **state)
{
    struct arena *a = arena_new();
    for (int round = 0; round < 2; round++) {
        for (size_t n = 1; n < 300; n++) {
            unsigned char *p = arena_zalloc(a, n);
            for (size_t i = 0; i < n; i++)
                assert_int_equal(p[i], 0);
            memset(p, 0xee, n); /* what the second round finds */
        }
        arena_reset(a);
    }
    struct pair {
        int x, y;
    } *one = ARENA_NEW(a, struct pair), *many = ARENA_ARRAY(a, struct pair, 100);
    assert_int_equal(one->x + one->y + many[99].x + many[99].y, 0);
    arena_free(a);
}

static void test_large(void **state)
{
    struct arena *a = arena_new();
    size_t before = arena_bytes(a);
    char *big = arena_alloc(a, 10 * MIB), *small = arena_alloc(a, 10);
    memset(big, 'b', 10 * MIB);
    memset(small, 's', 10);
    assert_int_equal(big[10 * MIB - 1], 'b');
    assert_true(arena_bytes(a) >= before + 10 * MIB);
    assert_true(arena_bytes(a) <
                before + 10 * MIB + 4 * KIB); /* the small one is still in the first block */
    arena_reset(a);
    assert_int_equal(arena_bytes(a), before);
    arena_free(a);
}

static void test_reset_keeps_one_block(void **state)
{
    struct arena *a = arena_new();
    size_t before = arena_bytes(a);
    void *first = arena_alloc(a, 16);
    for (int i = 0; i < 1000; i++)
        arena_alloc(a, 500);
    assert_true(arena_bytes(a) >= 500000);
    arena_reset(a);
    assert_int_equal(arena_bytes(a), before);
    assert_ptr_equal(arena_alloc(a, 16), first);
    arena_free(a);
}

/* Small allocations cost little more than their bytes. */
static void test_overhead(void **state)
{
    struct arena *a = arena_new();
    for (int i = 0; i < 100000; i++)
        arena_alloc(a, 32);
    assert_true(arena_bytes(a) < 32 * 100000 + 160 * KIB);
    arena_free(a);
}

static void test_strings(void **state)
{
    struct arena *a = arena_new();
    struct str s = arena_dup(a, STR("a\0b"));
    assert_str_eq(s, STR("a\0b"));
    assert_int_equal(s.p[3], '\0');
    assert_string_equal(arena_cstr(a, STR("xyz")), "xyz");
    assert_string_equal(arena_cstr(a, str_of(NULL, 0)), "");
    assert_str_eq(arena_printf(a, "%d-%s", 7, "x"), STR("7-x"));
    assert_int_equal(arena_printf(a, "%s", "").len, 0);
    struct str wide = arena_printf(a, "%5000d", 1);
    assert_int_equal(wide.len, 5000);
    assert_int_equal(wide.p[4999], '1');
    assert_int_equal(wide.p[5000], '\0');
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_aligned_and_apart),
        cmocka_unit_test(test_empty_allocations_differ),
        cmocka_unit_test(test_zeroed),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_reset_keeps_one_block),
        cmocka_unit_test(test_overhead),
        cmocka_unit_test(test_strings),
    };
    return cmocka_run_group_tests_name("base/arena", tests, NULL, NULL);
}
