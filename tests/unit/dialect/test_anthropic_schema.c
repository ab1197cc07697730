#include "dialect/schema.h"
#include "dialect_test.h"
#include "wire/json_scan.h"

static void join_cuts(schema_cuts cuts, char *text, size_t room)
{
    size_t n = 0;
    text[0] = '\0';
    for (size_t i = 0; schema_cut_name(i); i++)
        if (cuts >> i & 1)
            n += (size_t)snprintf(text + n, room - n, "%s%s", n ? " " : "", schema_cut_name(i));
}

static void test_grammar(void **state)
{
    static const struct {
        const char *in, *out, *cuts;
    } rows[] = {
        { "{}", "{}", "" },
        { "true", "{}", "" },
        { "false", "{}", "other" },
        { "{\"type\":\"object\"}", "{\"type\":\"object\",\"additionalProperties\":false}", "" },
        { "{\"type\":\"object\",\"additionalProperties\":false}",
          "{\"type\":\"object\",\"additionalProperties\":false}", "" },
        { "{\"type\":\"object\",\"additionalProperties\":true}",
          "{\"type\":\"object\",\"description\":\"{additionalProperties: true}\",\"additionalProperties\":false}",
          "additionalProperties" },
        { "{\"properties\":{\"minimum\":{\"type\":\"integer\",\"minimum\":0}}}",
          "{\"properties\":{\"minimum\":{\"type\":\"integer\",\"description\":\"{minimum: 0}\"}},\"additionalProperties\":false}",
          "minimum" },
        { "{\"type\":[\"object\",\"null\"]}",
          "{\"type\":[\"object\",\"null\"],\"additionalProperties\":false}", "" },
        { "{\"type\":\"string\",\"format\":\"uuid\",\"pattern\":\"^a+(?:b)$\",\"const\":\"x\",\"default\":\"x\"}",
          "{\"type\":\"string\",\"format\":\"uuid\",\"pattern\":\"^a+(?:b)$\",\"const\":\"x\",\"default\":\"x\"}",
          "" },
        { "{\"pattern\":\"(a)\\\\1\"}", "{\"description\":\"{pattern: \\\"(a)\\\\\\\\1\\\"}\"}",
          "pattern" },
        { "{\"pattern\":\"a(?!b)\"}", "{\"description\":\"{pattern: \\\"a(?!b)\\\"}\"}",
          "pattern" },
        { "{\"oneOf\":[{\"type\":\"null\"},true]}", "{\"anyOf\":[{\"type\":\"null\"},{}]}", "" },
        { "{\"anyOf\":[{}],\"oneOf\":[{}]}", "{\"anyOf\":[{}],\"description\":\"{oneOf: [{}]}\"}",
          "oneOf" },
        { "{\"minItems\":1}", "{\"minItems\":1}", "" },
        { "{\"minItems\":2,\"maxItems\":3,\"description\":\"d\"}",
          "{\"description\":\"d\\n\\n{minItems: 2, maxItems: 3}\"}", "maxItems minItems" },
        { "{\"enum\":[1,\"a\",null]}", "{\"enum\":[1,\"a\",null]}", "" },
        { "{\"enum\":[{}]}", "{\"description\":\"{enum: [{}]}\"}", "enum" },
        { "{\"$ref\":\"#/definitions/a\",\"definitions\":{\"a\":{}}}",
          "{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{}}}", "" },
        { "{\"$ref\":\"https://e.x/s\"}", "{\"description\":\"{$ref: \\\"https://e.x/s\\\"}\"}",
          "$ref" },
        { "{\"$schema\":\"x\",\"$id\":\"y\",\"examples\":[1]}", "{}", "" },
        { "{\"x-mine\":{\"a\":1}}", "{\"description\":\"{x-mine: {\\\"a\\\":1}}\"}", "other" },
        /* allOf: no $ref may stand below it, and closed objects would exclude each other. */
        { "{\"$defs\":{\"N\":{\"type\":\"string\"}},\"properties\":{\"b\":{\"allOf\":[{\"$ref\":\"#/$defs/N\"}],\"title\":\"B\"}}}",
          "{\"$defs\":{\"N\":{\"type\":\"string\"}},\"properties\":{\"b\":{\"title\":\"B\",\"$ref\":\"#/$defs/N\"}},\"additionalProperties\":false}",
          "" },
        { "{\"definitions\":{\"N/x\":{\"type\":\"object\",\"properties\":{\"a\":{}},\"required\":[\"a\"]}},\"allOf\":[{\"$ref\":\"#/definitions/N~1x\"},"
          "{\"properties\":{\"b\":{}},\"required\":[\"a\",\"b\"]}]}",
          "{\"$defs\":{\"N/x\":{\"type\":\"object\",\"properties\":{\"a\":{}},\"required\":[\"a\"],\"additionalProperties\":false}},"
          "\"type\":\"object\",\"properties\":{\"a\":{},\"b\":{}},\"required\":[\"a\",\"b\"],\"additionalProperties\":false}",
          "" },
        { "{\"allOf\":[{\"type\":\"string\"},{\"pattern\":\"^a\",\"description\":\"d\"}]}",
          "{\"type\":\"string\",\"pattern\":\"^a\",\"description\":\"d\"}", "" },
        { "{\"allOf\":[{\"pattern\":\"^a\"},{\"pattern\":\"b$\"}]}",
          "{\"allOf\":[{\"pattern\":\"^a\"},{\"pattern\":\"b$\"}]}", "" },
        { "{\"allOf\":[{\"$ref\":\"#/$defs/n\"},{}]}",
          "{\"description\":\"{allOf: [{\\\"$ref\\\":\\\"#/$defs/n\\\"},{}]}\"}", "allOf" },
        { "{\"$defs\":{\"n\":{\"type\":\"string\"}},\"type\":\"number\",\"allOf\":[{\"$ref\":\"#/$defs/n\"}]}",
          "{\"$defs\":{\"n\":{\"type\":\"string\"}},\"type\":\"number\",\"description\":\"{allOf: [{\\\"$ref\\\":\\\"#/$defs/n\\\"}]}\"}",
          "allOf" },
        { "{\"items\":[{}]}", "{\"description\":\"{items: [{}]}\"}", "items" },
    };
    char cuts_text[512];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena *a = arena_new();
        struct json_problem problem;
        schema_cuts cuts;
        struct str out = schema_for_grammar(str_c(rows[i].in), a, &cuts);
        assert_int_equal(json_check(out, &problem), ERR_OK);
        assert_text(out, rows[i].out);
        join_cuts(cuts, cuts_text, sizeof cuts_text);
        assert_string_equal(cuts_text, rows[i].cuts);
        arena_free(a);
    }
}

/* Definitions that double at each step: an end is put to it, and what is left out is told. */
static void test_merge_is_bounded(void **state)
{
    struct arena *a = arena_new();
    struct buf in;
    struct json_problem problem;
    schema_cuts cuts;
    char text[64];
    buf_init(&in, 65536);
    buf_putz(&in, "{\"$defs\":{");
    for (unsigned i = 0; i < 24; i++)
        buf_printf(&in,
                   "\"d%u\":{\"properties\":{\"a\":{\"allOf\":[{\"$ref\":\"#/$defs/d%u\"},{}]},"
                   "\"b\":{\"allOf\":[{\"$ref\":\"#/$defs/d%u\"},{}]}}},",
                   i, i + 1, i + 1);
    buf_putz(&in, "\"d24\":{\"type\":\"string\"}},\"allOf\":[{\"$ref\":\"#/$defs/d0\"},{}]}");
    struct str out = schema_for_grammar(buf_str(&in), a, &cuts);
    assert_int_equal(json_check(out, &problem), ERR_OK);
    assert_true(out.len < 4 * 1024 * 1024);
    join_cuts(cuts, text, sizeof text);
    assert_string_equal(text, "allOf");
    buf_done(&in);
    arena_free(a);
}

static void test_recursion(void **state)
{
    static const struct {
        const char *in;
        bool want;
    } rows[] = {
        { "{}", false },
        { "[]", false },
        { "{\"properties\":{\"a\":{\"$ref\":\"#\"}}}", true },
        { "{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"type\":\"string\"}}}", false },
        { "{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"items\":{\"$ref\":\"#/$defs/a\"}}}}", true },
        { "{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"$ref\":\"#/$defs/b\"},\"b\":{\"anyOf\":[{},{\"$ref\":\"#/$defs/a\"}]}}}",
          true },
        { "{\"anyOf\":[{\"$ref\":\"#/$defs/a\"},{\"$ref\":\"#/$defs/a\"}],\"$defs\":{\"a\":{}}}",
          false },
        { "{\"$ref\":\"#/definitions/a\",\"definitions\":{\"a\":{\"$ref\":\"#/definitions/a\"}}}",
          true },
        { "{\"$ref\":\"#/$defs/gone\"}", false },
        { "{\"properties\":{\"$ref\":{\"type\":\"string\"}}}", false },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena *a = arena_new();
        if (schema_is_recursive(str_c(rows[i].in), a) != rows[i].want)
            fail_msg("%s", rows[i].in);
        arena_free(a);
    }
}

static void test_roots(void **state)
{
    assert_true(schema_root_is_object(STR("{\"type\":\"object\"}")));
    assert_true(schema_root_is_object(STR("{}")));
    assert_false(schema_root_is_object(STR("{\"type\":\"array\"}")));
    assert_false(schema_root_is_object(STR("[]")));
    assert_string_equal(schema_root_union(STR("{\"anyOf\":[]}")), "anyOf");
    assert_null(schema_root_union(STR("{\"properties\":{\"anyOf\":{}}}")));
    assert_null(schema_root_union(STR("7")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grammar),
        cmocka_unit_test(test_merge_is_bounded),
        cmocka_unit_test(test_recursion),
        cmocka_unit_test(test_roots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
