#include "wire_test.h"

#include "wire/digest.h"

/* FIPS 180-2's examples, and lengths around the block of 64 bytes. */
static void test_vectors(void **state)
{
    static const struct {
        const char *text, *hex;
    } rows[] = {
        { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
        { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
          "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char hex[SHA256_HEX_BYTES];
        struct str s = exact_copy(str_c(rows[i].text));
        sha256_hex(s, hex);
        assert_string_equal(hex, rows[i].hex);
        exact_free(s);
    }
    char hex[SHA256_HEX_BYTES];
    sha256_hex(str_of(NULL, 0), hex);
    assert_string_equal(hex, rows[0].hex);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
    };
    return cmocka_run_group_tests_name("wire/digest", tests, NULL, NULL);
}
