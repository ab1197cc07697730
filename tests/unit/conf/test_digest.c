/* wire/digest, which the ids of deployments are made with. */
#include "conf_test.h"

#include "wire/digest.h"

static void test_vectors(void **state)
{
    /* FIPS 180-2, appendix B, and the empty message. */
    static const struct {
        struct str in;
        const char *hex;
    } rows[] = {
        { STR_INIT(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { STR_INIT("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
        { STR_INIT("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char hex[SHA256_HEX_BYTES];
        sha256_hex(rows[i].in, hex);
        assert_string_equal(hex, rows[i].hex);
    }
    char hex[SHA256_HEX_BYTES];
    sha256_hex(str_of(NULL, 0), hex);
    assert_string_equal(hex, rows[0].hex);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_vectors) };
    return cmocka_run_group_tests_name("conf/digest", tests, NULL, NULL);
}
