#include "base_test.h"

#include "base/arena.h"
#include "base/err.h"
#include "base/fault.h"

static const struct {
    enum err e;
    const char *name;
    int status;
} table[] = {
#define ERR(name, status, type, code, text) { ERR_##name, "ERR_" #name, status },
#include "base/err.def"
#undef ERR
};

static void test_every_row(void **state)
{
    assert_int_equal(ERR_OK, 0);
    assert_string_equal(err_name(ERR_OK), "ERR_OK");
    assert_int_equal(err_status(ERR_OK), 200);
    assert_int_equal(COUNT(table), ERR_COUNT - 1);
    for (size_t i = 0; i < COUNT(table); i++) {
        enum err e = table[i].e;
        assert_int_equal(e, i + 1);
        assert_string_equal(err_name(e), table[i].name);
        assert_true(strlen(err_text(e)) > 3);
        /* What a client may see is a proper refusal or failure, of a kind it knows. */
        assert_true(err_status(e) >= 400 && err_status(e) <= 599);
        assert_true(strlen(err_type(e)) > 3);
    }
}

static void test_inner_codes_look_like_internal_errors(void **state)
{
    static const enum err inner[] = { ERR_AGAIN, ERR_CANCELLED, ERR_EOF, ERR_RESET,
                                      ERR_FULL,  ERR_NOT_FOUND, ERR_IO,  ERR_SYNTAX };
    for (size_t i = 0; i < COUNT(inner); i++) {
        assert_int_equal(err_status(inner[i]), 500);
        assert_string_equal(err_type(inner[i]), "internal_server_error");
    }
}

static void test_some_rows_by_value(void **state)
{
    assert_int_equal(err_status(ERR_BAD_JSON), 400);
    assert_int_equal(err_status(ERR_UNKNOWN_MODEL), 400);
    assert_int_equal(err_status(ERR_BAD_KEY), 401);
    assert_int_equal(err_status(ERR_TIMEOUT), 408);
    assert_int_equal(err_status(ERR_TOO_LARGE), 413);
    assert_int_equal(err_status(ERR_CONNECT), 502);
    assert_string_equal(err_code(ERR_UNSUPPORTED_PARAM), "unsupported_parameter");
    assert_null(err_code(ERR_BAD_JSON));
    assert_string_equal(err_type(ERR_NO_KEY), "auth_error");
}

static void test_numbers_outside_the_table(void **state)
{
    assert_string_equal(err_name(ERR_COUNT), "ERR_INTERNAL");
    assert_string_equal(err_name((enum err) - 1), "ERR_INTERNAL");
    assert_int_equal(err_status((enum err)9999), 500);
}

static enum err passes(enum err e, int *reached)
{
    TRY(e);
    ++*reached;
    return ERR_OK;
}

static void test_try(void **state)
{
    int reached = 0;
    assert_int_equal(passes(ERR_DNS, &reached), ERR_DNS);
    assert_int_equal(reached, 0);
    assert_int_equal(passes(ERR_OK, &reached), ERR_OK);
    assert_int_equal(reached, 1);
}

static void test_fault(void **state)
{
    struct arena *a = arena_new();
    struct fault f = fault_of(ERR_UNSUPPORTED_PARAM);
    assert_int_equal(f.err, ERR_UNSUPPORTED_PARAM);
    assert_int_equal(f.status, 400);
    assert_str_eq(f.type, STR("invalid_request_error"));
    assert_str_eq(f.code, STR("unsupported_parameter"));
    assert_str_eq(f.msg, str_c(err_text(ERR_UNSUPPORTED_PARAM)));
    assert_int_equal(f.param.len + f.detail.len, 0);
    assert_true(f.retry_after_ms == -1);
    f.detail = STR("of the former fault");
    assert_int_equal(fault_set(&f, ERR_BAD_JSON, a, "at byte %d: %s", 7, "x"), ERR_BAD_JSON);
    assert_str_eq(f.msg, STR("at byte 7: x"));
    assert_int_equal(f.detail.len, 0);
    assert_int_equal(f.code.len, 0);
    assert_int_equal(fault_of(ERR_IO).status, 500); /* an inner code that slipped out */
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row),
        cmocka_unit_test(test_inner_codes_look_like_internal_errors),
        cmocka_unit_test(test_some_rows_by_value),
        cmocka_unit_test(test_numbers_outside_the_table),
        cmocka_unit_test(test_try),
        cmocka_unit_test(test_fault),
    };
    return cmocka_run_group_tests_name("base/err", tests, NULL, NULL);
}
