#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/directory.h"

static void test_master_key(void **state)
{
    struct secret *key = secret_new(STR("sk-the-master-key"));
    struct directory *d = directory_new(key, (const char[65]){ "abc" });
    const struct entry *e = directory_find(d, STR("sk-the-master-key"));
    assert_non_null(e);
    assert_int_equal(e->role, ROLE_ADMIN);
    assert_string_equal(e->hash, "abc");
    assert_null(directory_find(d, STR("sk-the-master-kez")));
    assert_null(directory_find(d, STR("sk-the-master-ke")));
    assert_null(directory_find(d, STR("sk-the-master-key ")));
    assert_null(directory_find(d, STR("abc"))); /* a hash is no key */
    assert_null(directory_find(d, STR("")));
    directory_free(d);
    secret_free(key);
}

static void test_no_key_admits_nobody(void **state)
{
    struct directory *d = directory_new(NULL, (const char[65]){ "" });
    assert_null(directory_find(d, STR("")));
    assert_null(directory_find(d, STR("sk-1234")));
    directory_free(d);
}

static void test_well_known(void **state)
{
    assert_true(key_is_well_known(STR("sk-1234")));
    assert_true(key_is_well_known(STR("sk-your-litellm-master-key")));
    assert_false(key_is_well_known(STR("sk-12345678901234567890")));
    assert_false(key_is_well_known(STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_master_key),
        cmocka_unit_test(test_no_key_admits_nobody),
        cmocka_unit_test(test_well_known),
    };
    return cmocka_run_group_tests_name("policy/directory", tests, NULL, NULL);
}
