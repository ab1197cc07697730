#include "wire_test.h"

#include "wire/json_scan.h"

static void expect(struct json_iter *it, const char *name, const char *value, enum json_type type)
{
    assert_true(json_next(it));
    assert_str_eq(it->name, str_c(name));
    assert_str_eq(it->value, str_c(value));
    assert_int_equal(it->type, type);
    assert_int_equal(it->member.type, type);
    assert_str_eq(json_value(it->text, &it->member), str_c(value));
}

static void test_object(void **state)
{
    struct json_iter it = json_iter(STR(" {\"a\" : 1,\"b\\\"\":\"x\\\"},\" , \"\":[1,{\"]\":2}],\n"
                                        "\"d\":{\"e\":\"}\"} ,\"f\":null }"));
    expect(&it, "a", "1", JSON_NUMBER);
    expect(&it, "b\\\"", "\"x\\\"},\"", JSON_STRING);
    assert_true(it.member.escaped);
    expect(&it, "", "[1,{\"]\":2}]", JSON_ARRAY);
    assert_false(it.member.escaped);
    expect(&it, "d", "{\"e\":\"}\"}", JSON_OBJECT);
    expect(&it, "f", "null", JSON_NULL);
    assert_false(json_next(&it));
    assert_false(json_next(&it));
}

static void test_array(void **state)
{
    struct json_iter it = json_iter(STR("[true,false , \"\\\\\",-1.5e3,[],{} ]"));
    expect(&it, NULL, "true", JSON_TRUE);
    expect(&it, NULL, "false", JSON_FALSE);
    expect(&it, NULL, "\"\\\\\"", JSON_STRING);
    expect(&it, NULL, "-1.5e3", JSON_NUMBER);
    expect(&it, NULL, "[]", JSON_ARRAY);
    expect(&it, NULL, "{}", JSON_OBJECT);
    assert_int_equal(it.member.index, 5);
    assert_false(json_next(&it));
}

static void test_nothing_to_walk(void **state)
{
    static const char *const rows[] = { "",      " ", "[]",      "{}",  " [ ] ",
                                        "{ \n}", "1", "\"[1]\"", "null" };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json_iter it = json_iter(str_c(rows[i]));
        CHECK_CASE(!json_next(&it) && !json_next(&it), str_c(rows[i]));
    }
    struct json_iter it = json_iter(str_of(NULL, 0));
    assert_false(json_next(&it));
}

static const struct str names[] = { STR_INIT("a"), STR_INIT("b"), STR_INIT("c\"d"), STR_INIT("e"),
                                    STR_INIT("") };

static void assert_member_eq(const struct json_member *x, const struct json_member *y)
{
    assert_int_equal(x->type, y->type);
    if (x->type == JSON_ABSENT)
        return;
    assert_int_equal(x->index, y->index);
    assert_int_equal(x->name_at, y->name_at);
    assert_int_equal(x->value_at, y->value_at);
    assert_int_equal(x->value_len, y->value_len);
    assert_int_equal(x->comma_before, y->comma_before);
    assert_int_equal(x->next_at, y->next_at);
    assert_int_equal(x->escaped, y->escaped);
}

/* What one pass with all checks tells, the quick walks tell too. */
static void test_peek_and_walk_agree_with_scan(void **state)
{
    static const char *const rows[] = {
        "{}",
        "{\"a\":1}",
        " { \"b\" : \"\\u0041\" , \"a\" : [ \"\\n\" ] } ",
        "{\"x\":0,\"e\":{\"a\":1},\"c\\\"d\":\"q\"}",
        "{\"\\u0061\":true,\"\":null,\"y\":[[[]]],\"c\\u0022d\":{}}",
        "{\"x\":{\"b\":\"}\"},\"e\":\"\\\\\",\"b\":-0.5 }",
        "{\n  \"a\": \"\xe6\x97\xa5\",\n  \"e\": 1e5\n}\n",
        "{\"z\":\"long enough to need more than one step of sixteen \\\" bytes\",\"a\":false}",
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str text = exact_copy(str_c(rows[i]));
        struct json_member scanned[COUNT(names)], peeked[COUNT(names)];
        struct json_problem problem;
        uint32_t count, walked = 0;
        size_t repeated = 9;
        assert_int_equal(json_scan_object(text, names, COUNT(names), scanned, &count, &problem),
                         ERR_OK);
        assert_true(json_peek_object(text, names, COUNT(names), peeked, &repeated));
        assert_int_equal(repeated, 0);
        for (size_t k = 0; k < COUNT(names); k++)
            assert_member_eq(&peeked[k], &scanned[k]);
        for (struct json_iter it = json_iter(text); json_next(&it); walked++)
            for (size_t k = 0; k < COUNT(names); k++)
                if (scanned[k].type != JSON_ABSENT && scanned[k].index == it.member.index)
                    assert_member_eq(&it.member, &scanned[k]);
        assert_int_equal(walked, count);
        exact_free(text);
    }
}

static void test_peek_refuses_other_values(void **state)
{
    static const char *const rows[] = { "", " ", "[{\"a\":1}]", "\"a\"", "1", "null" };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json_member m[COUNT(names)] = { { .type = JSON_TRUE } };
        size_t repeated = 9;
        CHECK_CASE(!json_peek_object(str_c(rows[i]), names, COUNT(names), m, &repeated),
                   str_c(rows[i]));
        assert_int_equal(m[0].type, JSON_ABSENT);
        assert_int_equal(repeated, 0);
    }
}

static void test_peek_tells_repeated(void **state)
{
    struct str text = STR("{\"b\":1,\"x\":1,\"x\":2,\"a\":1,\"\\u0062\":2,\"e\":{\"e\":3}}");
    struct json_member m[COUNT(names)];
    size_t repeated;
    assert_true(json_peek_object(text, names, COUNT(names), m, &repeated));
    assert_int_equal(repeated, 2);
    assert_str_eq(json_value(text, &m[1]), STR("2"));
    assert_int_equal(m[1].index, 4);
    assert_true(json_peek_object(text, names, 1, m, NULL));
}

/* On bytes that no scan has let through, any answer is right that stays inside and comes to an
 * end. */
static void test_bytes_never_scanned(void **state)
{
    static const char alphabet[] = "{}[]\",:\\ 1u";
    enum { LEN = 6, SYMBOLS = sizeof alphabet - 1 };
    size_t all = 1;
    for (size_t i = 0; i < LEN; i++)
        all *= SYMBOLS;
    char *text = mem_alloc(LEN);
    struct str slice = str_of(text, LEN);
    for (size_t k = 0; k < all; k++) {
        struct json_member m[COUNT(names)];
        for (size_t rest = k, i = 0; i < LEN; i++, rest /= SYMBOLS)
            text[i] = alphabet[rest % SYMBOLS];
        size_t steps = 0;
        for (struct json_iter it = json_iter(slice); json_next(&it); steps++) {
            assert_true(it.value.p >= text && it.value.p + it.value.len <= text + LEN);
            assert_true(it.value.len > 0 && steps < LEN);
        }
        json_peek_object(slice, names, COUNT(names), m, NULL);
    }
    mem_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_object),
        cmocka_unit_test(test_array),
        cmocka_unit_test(test_nothing_to_walk),
        cmocka_unit_test(test_peek_and_walk_agree_with_scan),
        cmocka_unit_test(test_peek_refuses_other_values),
        cmocka_unit_test(test_peek_tells_repeated),
        cmocka_unit_test(test_bytes_never_scanned),
    };
    return cmocka_run_group_tests_name("wire/json_iter", tests, NULL, NULL);
}
