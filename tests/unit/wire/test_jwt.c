#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "wire/base64.h"
#include "wire/json_scan.h"
#include "wire/jwt.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

/* The PEM text of a key, made for the test. */
static struct str pem_of(EVP_PKEY *pkey, bool pkcs1, const char *pass, struct arena *a)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *bytes;
    int ok = pkcs1 ? PEM_write_bio_PrivateKey_traditional(out, pkey, NULL, NULL, 0, NULL, NULL)
                   : PEM_write_bio_PKCS8PrivateKey(out, pkey, pass ? EVP_aes_128_cbc() : NULL, pass,
                                                   pass ? (int)strlen(pass) : 0, NULL, NULL);
    assert_int_equal(ok, 1);
    long n = BIO_get_mem_data(out, &bytes);
    struct str pem = arena_dup(a, str_of(bytes, (size_t)n));
    BIO_free(out);
    return pem;
}

static bool verifies(EVP_PKEY *pkey, struct str token, struct arena *a)
{
    size_t dot = token.len;
    while (dot && token.p[dot - 1] != '.')
        dot--;
    assert_true(dot > 0);
    struct str signature;
    if (base64_decode(str_skip(token, dot), a, &signature))
        return false;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, pkey), 1);
    int ok = EVP_DigestVerify(ctx, (const unsigned char *)signature.p, signature.len,
                              (const unsigned char *)token.p, dot - 1);
    EVP_MD_CTX_free(ctx);
    return ok == 1;
}

static void test_signs(void **state)
{
    struct arena *a = arena_new();
    EVP_PKEY *pkey = EVP_RSA_gen(2048);
    for (int pkcs1 = 0; pkcs1 < 2; pkcs1++) {
        struct jwt_key *k;
        const char *problem;
        struct str token, part, rest;
        struct json_problem json;
        assert_int_equal(jwt_key_new(pem_of(pkey, pkcs1, NULL, a), &k, &problem), ERR_OK);
        assert_int_equal(jwt_sign(k, STR("id\"1"), STR("{\"iss\":\"a@b\"}"), a, &token), ERR_OK);
        rest = token;
        assert_int_equal(base64_decode(str_cut(&rest, '.'), a, &part), ERR_OK);
        assert_int_equal(json_check(part, &json), ERR_OK);
        assert_true(str_eq(part, STR("{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"id\\\"1\"}")));
        assert_int_equal(base64_decode(str_cut(&rest, '.'), a, &part), ERR_OK);
        assert_true(str_eq(part, STR("{\"iss\":\"a@b\"}")));
        assert_true(str_find_char(token, '=') == STR_NONE && str_find_char(token, '+') == STR_NONE);
        assert_true(verifies(pkey, token, a));
        char *forged = arena_cstr(a, token);
        forged[token.len / 2] = forged[token.len / 2] == 'A' ? 'B' : 'A';
        assert_false(verifies(pkey, str_of(forged, token.len), a));
        jwt_key_free(k);
    }
    EVP_PKEY_free(pkey);
    arena_free(a);
}

static void test_no_key_id(void **state)
{
    struct arena *a = arena_new();
    EVP_PKEY *pkey = EVP_RSA_gen(2048);
    struct jwt_key *k;
    const char *problem;
    struct str token, head;
    assert_int_equal(jwt_key_new(pem_of(pkey, false, NULL, a), &k, &problem), ERR_OK);
    assert_int_equal(jwt_sign(k, STR(""), STR("{}"), a, &token), ERR_OK);
    assert_int_equal(base64_decode(str_cut(&token, '.'), a, &head), ERR_OK);
    assert_true(str_eq(head, STR("{\"alg\":\"RS256\",\"typ\":\"JWT\"}")));
    jwt_key_free(k);
    EVP_PKEY_free(pkey);
    arena_free(a);
}

static void refused(struct str pem, const char *word)
{
    struct jwt_key *k = NULL;
    const char *problem = NULL;
    assert_int_equal(jwt_key_new(pem, &k, &problem), ERR_SYNTAX);
    assert_null(k);
    assert_non_null(problem);
    assert_non_null(strstr(problem, word));
}

static void test_refuses(void **state)
{
    struct arena *a = arena_new();
    EVP_PKEY *small = EVP_RSA_gen(1024), *curve = EVP_EC_gen("P-256"), *good = EVP_RSA_gen(2048);
    struct str pem = pem_of(good, false, NULL, a);
    char *damaged = arena_cstr(a, pem);
    damaged[pem.len / 2] = '*';
    refused(STR(""), "PEM");
    refused(STR("secret"), "PEM");
    refused(str_head(pem, pem.len / 2), "damaged");
    refused(str_of(damaged, pem.len), "damaged");
    refused(STR("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"), "damaged");
    refused(pem_of(small, false, NULL, a), "2048");
    refused(pem_of(curve, false, NULL, a), "RSA");
    refused(pem_of(good, false, "word", a), "encrypted");
    /* Line breaks that a shell has eaten. */
    char *flat = arena_cstr(a, pem);
    for (size_t i = 0; i < pem.len; i++)
        if (flat[i] == '\n')
            flat[i] = ' ';
    refused(str_of(flat, pem.len), "line breaks");
    size_t huge = 100 * KIB;
    char *big = arena_alloc(a, huge);
    memset(big, 'A', huge);
    memcpy(big, "-----BEGIN PRIVATE KEY-----", 27);
    refused(str_of(big, huge), "PEM");
    jwt_key_free(NULL);
    EVP_PKEY_free(small);
    EVP_PKEY_free(curve);
    EVP_PKEY_free(good);
    arena_free(a);
}

/* Whatever is cut off or altered: a key or a refusal, never more. */
static void test_every_cut(void **state)
{
    struct arena *a = arena_new();
    EVP_PKEY *good = EVP_RSA_gen(2048);
    struct str pem = pem_of(good, false, NULL, a);
    for (size_t n = 0; n < pem.len - 26; n += 7) {
        struct jwt_key *k = NULL;
        const char *problem;
        assert_int_equal(jwt_key_new(str_head(pem, n), &k, &problem), ERR_SYNTAX);
    }
    EVP_PKEY_free(good);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signs),
        cmocka_unit_test(test_no_key_id),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_every_cut),
    };
    return cmocka_run_group_tests_name("wire/jwt", tests, NULL, NULL);
}
