#include "base_test.h"

#include "base/hash.h"

#include <stdio.h>

/* The key and messages of SipHash's own test vectors: bytes 0, 1, 2 ...; the results are those of
 * SipHash-1-3. */
static void test_known_hashes(void **state)
{
    struct hash_seed seed = { UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) };
    static const uint64_t want[] = {
        UINT64_C(0xabac0158050fc4dc), UINT64_C(0xc9f49bf37d57ca93), UINT64_C(0x82cb9b024dc7d44d),
        UINT64_C(0x8bf80ab8e7ddf7fb), UINT64_C(0xcf75576088d38328), UINT64_C(0xdef9d52f49533b67),
        UINT64_C(0xc50d2b50c59f22a7), UINT64_C(0xd3927d989bb11140), UINT64_C(0x369095118d299a8e),
    };
    char bytes[16];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)i;
    for (size_t n = 0; n < COUNT(want); n++)
        assert_int_equal(hash_bytes(&seed, str_of(bytes, n)), want[n]);
}

static void test_hash_depends_on_everything(void **state)
{
    struct hash_seed seed = { 1, 2 }, other = { 1, 3 };
    char bytes[40] = { 0 };
    uint64_t before = hash_bytes(&seed, str_of(NULL, 0));
    for (size_t n = 1; n <= sizeof bytes; n++) {
        uint64_t h = hash_bytes(&seed, str_of(bytes, n)); /* zeros, one more each time */
        assert_true(h != before);
        assert_true(h != hash_bytes(&other, str_of(bytes, n)));
        before = h;
        for (size_t at = 0; at < n; at++) {
            bytes[at] = 1;
            assert_true(hash_bytes(&seed, str_of(bytes, n)) != h);
            bytes[at] = 0;
        }
    }
}

static void test_map(void **state)
{
    enum { N = 5000 };
    static char keys[N][16];
    static int values[N];
    struct map m;
    map_init(&m, (struct hash_seed){ 5, 6 });
    assert_null(map_get(&m, STR("k0"))); /* before there is a table */
    for (int i = 0; i < N; i++) {
        snprintf(keys[i], sizeof keys[i], "k%d", i);
        assert_null(map_put(&m, str_c(keys[i]), &values[i]));
        assert_int_equal(m.count, i + 1);
        assert_true(m.count * 2 <= m.room);
    }
    for (int i = 0; i < N; i++)
        assert_ptr_equal(map_get(&m, str_c(keys[i])), &values[i]);
    assert_null(map_get(&m, STR("k5000")));
    assert_null(map_get(&m, STR("k")));
    assert_null(map_get(&m, str_of(NULL, 0)));
    assert_ptr_equal(map_put(&m, STR("k7"), &values[8]), &values[7]);
    assert_ptr_equal(map_get(&m, STR("k7")), &values[8]);
    assert_int_equal(m.count, N);
    map_done(&m);
    assert_null(map_get(&m, STR("k1")));
    assert_null(map_put(&m, STR(""), &values[0])); /* usable again; the empty key is a key */
    assert_ptr_equal(map_get(&m, str_of(NULL, 0)), &values[0]);
    map_done(&m);
}

/* Keys that share a slot: found past each other, and only by their bytes. */
static void test_collisions(void **state)
{
    struct hash_seed seed = { 9, 9 };
    static char keys[6][16];
    static int values[6];
    struct map m;
    int n = 0;
    for (int i = 0; n < 6; i++) {
        char key[16];
        snprintf(key, sizeof key, "c%d", i);
        if (hash_bytes(&seed, str_c(key)) % 16 == 15) /* the last slot: the search wraps around */
            memcpy(keys[n++], key, sizeof key);
    }
    map_init(&m, seed);
    for (int i = 0; i < 5; i++)
        assert_null(map_put(&m, str_c(keys[i]), &values[i]));
    assert_int_equal(m.room, 16);
    for (int i = 0; i < 5; i++)
        assert_ptr_equal(map_get(&m, str_c(keys[i])), &values[i]);
    assert_null(map_get(&m, str_c(keys[5])));
    map_done(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_hashes),
        cmocka_unit_test(test_hash_depends_on_everything),
        cmocka_unit_test(test_map),
        cmocka_unit_test(test_collisions),
    };
    return cmocka_run_group_tests_name("base/hash", tests, NULL, NULL);
}
