#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "provider/google.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

static struct str pem; /* escaped as JSON does */

static int make_key(void **state)
{
    char *bytes;
    EVP_PKEY *pkey = EVP_RSA_gen(2048);
    BIO *out = BIO_new(BIO_s_mem());
    PEM_write_bio_PKCS8PrivateKey(out, pkey, NULL, NULL, 0, NULL, NULL);
    long n = BIO_get_mem_data(out, &bytes);
    char *copy = mem_zalloc((size_t)n * 2 + 1);
    size_t at = 0;
    for (long i = 0; i < n; i++) {
        if (bytes[i] == '\n')
            copy[at++] = '\\';
        copy[at++] = bytes[i] == '\n' ? 'n' : bytes[i];
    }
    pem = str_of(copy, at);
    BIO_free(out);
    EVP_PKEY_free(pkey);
    return 0;
}

static int free_key(void **state)
{
    mem_free((void *)(uintptr_t)pem.p);
    return 0;
}

static void test_reads_a_service_account(void **state)
{
    struct arena *a = arena_new();
    struct google_credential *c, *again;
    struct str problem;
    struct str json =
        arena_printf(a,
                     "{\"type\":\"service_account\",\"project_id\":\"p-1\","
                     "\"private_key_id\":\"k\",\"private_key\":\"%.*s\","
                     "\"client_email\":\"x\\u0040y\",\"universe_domain\":\"googleapis.com\"}",
                     STR_ARG(pem));
    assert_int_equal(google_credential_new(json, a, &c, &problem), ERR_OK);
    assert_int_equal(c->kind, GOOGLE_SERVICE_ACCOUNT);
    assert_true(str_eq(c->email, STR("x@y")));
    assert_true(str_eq(c->project, STR("p-1")));
    assert_true(str_eq(c->token_url, STR("https://oauth2.googleapis.com/token")));
    assert_non_null(c->key);
    assert_int_equal(google_credential_new(json, a, &again, &problem), ERR_OK);
    assert_true(str_eq(c->id, again->id));
    google_credential_unref(again);
    /* Line breaks that became two characters on their way through a variable. */
    struct buf twice;
    buf_init(&twice, MIB);
    for (size_t i = 0; i < json.len; i++) {
        if (json.p[i] == '\\' && json.p[i + 1] == 'n')
            buf_putc(&twice, '\\');
        buf_putc(&twice, json.p[i]);
    }
    assert_int_equal(google_credential_new(buf_str(&twice), a, &again, &problem), ERR_OK);
    assert_false(str_eq(c->id, again->id));
    buf_done(&twice);
    google_credential_unref(again);
    struct google_credential *more = google_credential_ref(c);
    google_credential_unref(c);
    assert_true(str_eq(more->email, STR("x@y")));
    google_credential_unref(more);
    google_credential_unref(NULL);
    arena_free(a);
}

static void test_refuses(void **state)
{
    static const struct {
        const char *json, *word;
    } rows[] = {
        { "", "is not a JSON object" },
        { "[]", "is not a JSON object" },
        { "{\"type\":\"service_account\"", "is not a JSON object" },
        { "{}", "is of type \"?\"" },
        { "{\"type\":\"external_account\"}", "is of type \"external_account\"" },
        { "{\"type\":\"sk-SECRET\"}", "is of type \"?\"" },
        { "{\"type\":7}", "has a type that is not a text" },
        { "{\"type\":\"service_account\"}", "has no client_email" },
        { "{\"type\":\"service_account\",\"client_email\":\"e\"}", "has no private_key" },
        { "{\"type\":\"authorized_user\",\"quota_project_id\":\"a\\nx: y\"}", "quota_project_id" },
        { "{\"type\":\"service_account\",\"client_email\":\"e\",\"private_key\":\"SECRET\"}",
          "PEM" },
        { "{\"type\":\"service_account\",\"client_email\":\"e\",\"private_key\":{}}",
          "private_key that is not" },
        { "{\"type\":\"service_account\",\"client_email\":\"e\",\"private_key\":\"SECRET\",\"private_key\":\"b\"}",
          "is not a JSON object" },
        { "{\"type\":\"service_account\",\"client_email\":\"e\",\"private_key\":\"-----BEGIN PRIVATE "
          "KEY-----\\nSECRET\\n-----END PRIVATE KEY-----\"}",
          "damaged" },
        { "{\"type\":\"service_account\",\"client_email\":\"a\\u0000b\"}", "a NUL" },
        { "{\"type\":\"authorized_user\"}", "has no client_id" },
        { "{\"type\":\"authorized_user\",\"client_id\":\"i\",\"client_secret\":\"SECRET\"}",
          "has no refresh_token" },
        { "{\"type\":\"authorized_user\",\"client_id\":\"i\",\"client_secret\":\"SECRET\",\"refresh_token\":\"SECRET\","
          "\"token_uri\":\"http://evil.example/t\"}",
          "token_uri" },
        { "{\"type\":\"authorized_user\",\"client_id\":\"i\",\"client_secret\":\"SECRET\",\"refresh_token\":\"SECRET\","
          "\"token_uri\":\"http://localhost.evil.example/t\"}",
          "token_uri" },
        { "{\"type\":\"authorized_user\",\"client_id\":\"i\",\"client_secret\":\"SECRET\",\"refresh_token\":\"SECRET\","
          "\"token_uri\":\"https://a b\"}",
          "token_uri" },
        { "{\"type\":\"authorized_user\",\"client_id\":\"i\",\"client_secret\":\"SECRET\",\"refresh_token\":\"SECRET\","
          "\"token_uri\":\"file:///etc/passwd\"}",
          "token_uri" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena *a = arena_new();
        struct google_credential *c = NULL;
        struct str problem = { NULL, 0 };
        assert_int_equal(google_credential_new(str_c(rows[i].json), a, &c, &problem), ERR_SYNTAX);
        assert_null(c);
        if (str_find(problem, str_c(rows[i].word)) == STR_NONE ||
            str_find(problem, STR("SECRET")) != STR_NONE)
            fail_msg("row %zu: %.*s", i, STR_ARG(problem));
        arena_free(a);
    }
}

/* Cut at every byte: a refusal each time. */
static void test_every_cut(void **state)
{
    struct arena *a = arena_new();
    struct str json =
        STR("{\"type\":\"authorized_user\",\"client_id\":\"i\",\"client_secret\":\"s\","
            "\"refresh_token\":\"r\\u0041\"}");
    struct google_credential *c;
    struct str problem;
    for (size_t n = 0; n < json.len; n++)
        assert_int_equal(google_credential_new(str_head(json, n), a, &c, &problem), ERR_SYNTAX);
    assert_int_equal(google_credential_new(json, a, &c, &problem), ERR_OK);
    assert_true(secret_eq(c->refresh_token, STR("rA")));
    google_credential_unref(c);
    arena_free(a);
}

static void test_answers(void **state)
{
    static const struct {
        const char *body;
        uint64_t life_s;
    } rows[] = {
        { "{\"access_token\":\"t\",\"expires_in\":3599}", 3599 },
        { "{\"access_token\":\"t\",\"expires_in\":10.9}", 10 },
        { "{\"access_token\":\"t\"}", 300 },
        { "{\"access_token\":\"t\",\"expires_in\":\"soon\",\"token_type\":\"bearer\"}", 300 },
        { "{\"access_token\":\"t\",\"expires_in\":1e12}", 86400 },
    };
    struct arena *a = arena_new();
    struct google_credential *c = google_credential_metadata(STR(""));
    assert_true(
        str_eq(c->token_url, STR("http://metadata.google.internal/computeMetadata/v1/instance/"
                                 "service-accounts/default/token")));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct google_token t;
        struct str problem, detail;
        assert_int_equal(google_token_read(c, 200, str_c(rows[i].body), a, &t, &problem, &detail),
                         ERR_OK);
        assert_true(str_eq(t.token, STR("t")));
        assert_int_equal(t.life_s, rows[i].life_s);
    }
    google_credential_unref(c);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_a_service_account),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_answers),
    };
    return cmocka_run_group_tests_name("provider/google", tests, make_key, free_key);
}
