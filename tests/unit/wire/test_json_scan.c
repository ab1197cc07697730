#include "json_cases.h"
#include "wire_test.h"

#include "wire/json_scan.h"

#include <yyjson.h>

#include <stdio.h>

/* ---- whole texts ---- */

static void test_good_texts(void **state)
{
    for (size_t i = 0; i < COUNT(good); i++) {
        struct str s = exact_copy(good[i]);
        struct json_problem problem;
        CHECK_CASE(json_check(s, &problem) == ERR_OK, good[i]);
        exact_free(s);
    }
}

static void test_bad_texts(void **state)
{
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct str s = exact_copy(bad[i].text);
        struct json_problem problem = { 99, "nothing" };
        CHECK_CASE(json_check(s, &problem) == ERR_BAD_JSON, bad[i].text);
        if (problem.at != bad[i].at || strcmp(problem.what, bad[i].what) != 0)
            fail_msg("%.*s: at %zu, \"%s\"; want %zu, \"%s\"", STR_ARG(bad[i].text), problem.at,
                     problem.what, bad[i].at, bad[i].what);
        exact_free(s);
    }
}

static bool yyjson_accepts(struct str s)
{
    yyjson_doc *doc =
        yyjson_read_opts((char *)(uintptr_t)s.p, s.len, YYJSON_READ_NUMBER_AS_RAW, NULL, NULL);
    yyjson_doc_free(doc);
    return doc != NULL;
}

/* A second opinion on the two tables themselves. */
static void test_yyjson_agrees(void **state)
{
    for (size_t i = 0; i < COUNT(good); i++)
        CHECK_CASE(yyjson_accepts(good[i]), good[i]);
    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK_CASE(!yyjson_accepts(bad[i].text), bad[i].text);
}

/* A good text cut anywhere is bad, unless what is left is a number. */
static void test_cut_texts(void **state)
{
    struct str s = STR(
        "{\"a\":[1,{\"b\":\"x\\u0041\\ud83d\\ude00\xe6\x97\xa5\"},true,null,-1.5e+3],\"c\":{}}");
    struct json_problem problem;
    assert_int_equal(json_check(s, &problem), ERR_OK);
    for (size_t n = 0; n < s.len; n++) {
        struct str cut = exact_copy(str_head(s, n));
        assert_int_equal(json_check(cut, &problem), ERR_BAD_JSON);
        assert_true(problem.at <= n);
        exact_free(cut);
    }
}

/* The same body at each offset from a 16-byte step, with one bad byte at each place. */
static void test_strings_of_every_length(void **state)
{
    char text[100];
    for (size_t len = 0; len <= 80; len++) {
        struct json_problem problem;
        memset(text, 'a', sizeof text);
        text[0] = text[len + 1] = '"';
        struct str s = exact_copy(str_of(text, len + 2));
        assert_int_equal(json_check(s, &problem), ERR_OK);
        for (size_t at = 1; at <= len; at++) {
            static const struct {
                char c;
                const char *what;
            } wrong[] = { { '\x02', CONTROL }, { '\xff', UTF8 }, { '\xe6', UTF8 }, { '"', MORE } };
            for (size_t w = 0; w < COUNT(wrong); w++) {
                ((char *)(uintptr_t)s.p)[at] = wrong[w].c;
                assert_int_equal(json_check(s, &problem), ERR_BAD_JSON);
                assert_int_equal(problem.at, wrong[w].c == '"' ? at + 1 : at);
                assert_string_equal(problem.what, wrong[w].what);
            }
            ((char *)(uintptr_t)s.p)[at] = 'a';
        }
        exact_free(s);
    }
}

/* All mixtures of four pieces from a set that covers each length of sequence and each kind of
 * error. */
static void test_mixed_scripts(void **state)
{
    static const struct str piece[] = {
        STR_INIT("a"),
        STR_INIT(" plain and longer "),
        STR_INIT("\xd0\xbf"),
        STR_INIT("\xe6\x97\xa5"),
        STR_INIT("\xe0\xa0\x80"),
        STR_INIT("\xed\x9f\xbf"),
        STR_INIT("\xf0\x9f\x98\x80"),
        STR_INIT("\\n"),
        STR_INIT("\xed\xa0\x80"),
        STR_INIT("\x80"),
        STR_INIT("\xe6\x97"),
        STR_INIT("\xf0\x8f\xbf\xbf"),
        STR_INIT("\xf4\x90\x80\x80"),
        STR_INIT("\xc1\xbf"),
        STR_INIT("\xd0"),
        STR_INIT("\x1f"),
        STR_INIT("\xf1\x80\x80"),
    };
    size_t n = COUNT(piece);
    for (size_t k = 0; k < n * n * n * n; k++) {
        char text[100] = "\"";
        size_t len = 1;
        for (size_t rest = k, i = 0; i < 4; i++, rest /= n) {
            memcpy(text + len, piece[rest % n].p, piece[rest % n].len);
            len += piece[rest % n].len;
        }
        text[len++] = '"';
        struct json_problem problem;
        if ((json_check(str_of(text, len), &problem) == ERR_OK) !=
            yyjson_accepts(str_of(text, len)))
            fail_msg("not as yyjson: %.*s", (int)len, text);
    }
}

static void test_depth(void **state)
{
    char text[2 * JSON_DEPTH_MAX + 20];
    struct json_problem problem;
    for (size_t depth = 1; depth <= JSON_DEPTH_MAX + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        enum err want = depth <= JSON_DEPTH_MAX ? ERR_OK : ERR_BAD_JSON;
        assert_int_equal(json_check(str_of(text, 2 * depth), &problem), want);
        assert_int_equal(json_check(str_of(text, 2 * depth - 1), &problem), ERR_BAD_JSON);
    }
    memset(text, '[', sizeof text);
    assert_int_equal(json_check(str_of(text, sizeof text), &problem), ERR_BAD_JSON);
    assert_int_equal(problem.at, JSON_DEPTH_MAX);
    assert_string_equal(problem.what, "nested too deep");
}

/* Arrays and objects in turn: the bits of both words are right. */
static void test_deep_mixture(void **state)
{
    char text[JSON_DEPTH_MAX * 10];
    size_t open[JSON_DEPTH_MAX], len = 0;
    struct json_problem problem;
    for (size_t i = 0; i < JSON_DEPTH_MAX; i++) {
        open[i] = len;
        len += (size_t)snprintf(text + len, 8, i % 3 ? "{\"k\":" : "[7,");
    }
    text[len++] = '0';
    size_t inner = len;
    for (size_t i = JSON_DEPTH_MAX; i-- > 0;)
        text[len++] = text[open[i]] == '{' ? '}' : ']';
    assert_int_equal(json_check(str_of(text, len), &problem), ERR_OK);
    for (size_t i = inner; i < len; i++) {
        text[i] = text[i] == '}' ? ']' : '}';
        assert_int_equal(json_check(str_of(text, len), &problem), ERR_BAD_JSON);
        assert_int_equal(problem.at, i);
        text[i] = text[i] == '}' ? ']' : '}';
    }
}

/* The length is looked at before any byte. */
static void test_texts_over_4_gib(void **state)
{
    struct json_problem problem;
    assert_int_equal(json_check(str_of("1", (size_t)UINT32_MAX + 1), &problem), ERR_BAD_JSON);
    assert_int_equal(problem.at, 0);
    assert_string_equal(problem.what, "the text is larger than 4 GiB");
    assert_int_equal(json_check(str_of(NULL, 0), &problem), ERR_BAD_JSON);
    assert_string_equal(problem.what, END);
}

/* ---- members ---- */

static const struct str names[] = { STR_INIT("model"), STR_INIT("stream"), STR_INIT("n"),
                                    STR_INIT("t\"q"), STR_INIT("") };
enum { MODEL, STREAM, N, QUOTED, EMPTY, NAMES };

static enum err scan(struct str text, struct json_member m[NAMES], uint32_t *count,
                     struct json_problem *problem)
{
    struct str s = exact_copy(text);
    enum err e = json_scan_object(s, names, NAMES, m, count, problem);
    exact_free(s);
    return e;
}

static void test_member_spans(void **state)
{
    struct str text =
        STR(" { \"x\" : 1 ,\n \"model\" : \"gp\\u0074\" , \"n\":[1,2] ,\"stream\": true } ");
    struct json_member m[NAMES];
    struct json_problem problem;
    uint32_t count;
    assert_int_equal(scan(text, m, &count, &problem), ERR_OK);
    assert_int_equal(count, 4);
    assert_int_equal(m[MODEL].type, JSON_STRING);
    assert_int_equal(m[MODEL].index, 1);
    assert_true(m[MODEL].escaped);
    assert_str_eq(json_value(text, &m[MODEL]), STR("\"gp\\u0074\""));
    assert_true(str_starts(str_skip(text, m[MODEL].name_at), STR("\"model\" :")));
    assert_true(str_starts(str_skip(text, m[MODEL].comma_before), STR(",\n \"model\"")));
    assert_true(str_starts(str_skip(text, m[MODEL].next_at), STR("\"n\":")));
    assert_int_equal(m[N].type, JSON_ARRAY);
    assert_int_equal(m[N].index, 2);
    assert_false(m[N].escaped);
    assert_str_eq(json_value(text, &m[N]), STR("[1,2]"));
    assert_true(str_starts(str_skip(text, m[N].comma_before), STR(", \"n\"")));
    assert_int_equal(m[N].next_at, m[STREAM].name_at);
    assert_int_equal(m[STREAM].type, JSON_TRUE);
    assert_int_equal(m[STREAM].index, 3);
    assert_int_equal(m[STREAM].next_at, m[STREAM].value_at + m[STREAM].value_len);
    assert_true(str_starts(str_skip(text, m[STREAM].next_at), STR(" } ")));
    assert_int_equal(m[EMPTY].type, JSON_ABSENT);
    assert_int_equal(json_value(text, &m[EMPTY]).len, 0);
}

static void test_member_types(void **state)
{
    static const struct {
        struct str text;
        enum json_type type;
        bool escaped;
    } rows[] = {
        { STR_INIT("{\"n\":null}"), JSON_NULL },
        { STR_INIT("{\"n\":false}"), JSON_FALSE },
        { STR_INIT("{\"n\":true}"), JSON_TRUE },
        { STR_INIT("{\"n\":-1e5}"), JSON_NUMBER },
        { STR_INIT("{\"n\":\"\"}"), JSON_STRING },
        { STR_INIT("{\"n\":\"\\n\"}"), JSON_STRING, true },
        { STR_INIT("{\"n\":[\"\\n\"]}"), JSON_ARRAY },
        { STR_INIT("{\"n\":{\"n\":1}}"), JSON_OBJECT },
        { STR_INIT("{\"x\":{\"n\":1}}"), JSON_ABSENT },
        { STR_INIT("{}"), JSON_ABSENT },
        { STR_INIT("{\"x\":\"n\"}"), JSON_ABSENT },
        { STR_INIT("{\"N\":1,\"nn\":2,\"n \":3}"), JSON_ABSENT },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json_member m[NAMES];
        struct json_problem problem;
        CHECK_CASE(scan(rows[i].text, m, NULL, &problem) == ERR_OK, rows[i].text);
        CHECK_CASE(m[N].type == rows[i].type && m[N].escaped == rows[i].escaped, rows[i].text);
    }
}

static void test_escaped_names(void **state)
{
    static const struct {
        struct str text;
        size_t found; /* NAMES: none */
    } rows[] = {
        { STR_INIT("{\"mod\\u0065l\":1}"), MODEL },
        { STR_INIT("{\"\\u006d\\u006F\\u0064\\u0065\\u006c\":1}"), MODEL },
        { STR_INIT("{\"t\\\"q\":1}"), QUOTED },
        { STR_INIT("{\"t\\u0022q\":1}"), QUOTED },
        { STR_INIT("{\"\":1}"), EMPTY },
        { STR_INIT("{\"model\\u0000\":1}"), NAMES },
        { STR_INIT("{\"\\u0000\":1}"), NAMES },
        { STR_INIT("{\"mode\\l\":1}"), NAMES + 1 }, /* no escape at all */
        { STR_INIT("{\"Mod\\u0065l\":1}"), NAMES },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json_member m[NAMES];
        struct json_problem problem;
        enum err e = scan(rows[i].text, m, NULL, &problem);
        CHECK_CASE(e == (rows[i].found > NAMES ? ERR_BAD_JSON : ERR_OK), rows[i].text);
        for (size_t k = 0; e == ERR_OK && k < NAMES; k++)
            CHECK_CASE((m[k].type != JSON_ABSENT) == (k == rows[i].found), rows[i].text);
    }
}

static void test_repeated_members(void **state)
{
    static const struct {
        struct str text;
        size_t at; /* 0: fine */
    } rows[] = {
        { STR_INIT("{\"x\":1,\"x\":2}"), 0 }, /* nobody asked for it */
        { STR_INIT("{\"n\":1,\"x\":{\"n\":2}}"), 0 },
        { STR_INIT("{\"n\":1,\"n\":1}"), 7 },
        { STR_INIT("{\"n\":null,\"x\":2, \"n\":1}"), 17 },
        { STR_INIT("{\"model\":1,\"mod\\u0065l\":2}"), 11 },
        { STR_INIT("{\"mod\\u0065l\":1,\"model\":2}"), 16 },
        { STR_INIT("{\"\":1,\"\":2}"), 6 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json_member m[NAMES];
        struct json_problem problem = { 0, "" };
        enum err e = scan(rows[i].text, m, NULL, &problem);
        CHECK_CASE(e == (rows[i].at ? ERR_BAD_JSON : ERR_OK), rows[i].text);
        if (rows[i].at) {
            assert_int_equal(problem.at, rows[i].at);
            assert_string_equal(problem.what, "repeated member");
        }
    }
}

static void test_not_an_object(void **state)
{
    static const char *const rows[] = { "[]", "1", "\"{}\"", "null", " [{\"n\":1}]", "x" };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json_member m[NAMES];
        struct json_problem problem;
        CHECK_CASE(scan(str_c(rows[i]), m, NULL, &problem) == ERR_BAD_JSON, str_c(rows[i]));
        assert_string_equal(problem.what, "expected an object");
        assert_int_equal(problem.at, rows[i][0] == ' ');
    }
}

/* Each bad text as the value of a member asked for, of another one, and on its own. */
static void test_bad_members(void **state)
{
    for (size_t i = 0; i < COUNT(bad); i++)
        for (int k = 0; k < 3; k++) {
            static const char *const before[] = { "{\"n\":", "{\"y\":0,\"z\":", "" };
            char text[200];
            size_t len = (size_t)snprintf(text, sizeof text, "%s", before[k]), start = len;
            memcpy(text + len, bad[i].text.p, bad[i].text.len);
            len += bad[i].text.len;
            if (k < 2)
                text[len++] = '}';
            struct json_member m[NAMES];
            struct json_problem problem;
            if (scan(str_of(text, len), m, NULL, &problem) != ERR_BAD_JSON || problem.at > len)
                fail_msg("accepted: %.*s", (int)len, text);
            if (k < 2)
                assert_true(problem.at >= start);
        }
}

static void test_depth_counts_the_top_object(void **state)
{
    char text[3 * JSON_DEPTH_MAX];
    struct json_member m[NAMES];
    struct json_problem problem;
    for (size_t depth = JSON_DEPTH_MAX - 1; depth <= JSON_DEPTH_MAX; depth++) {
        size_t len = (size_t)snprintf(text, sizeof text, "{\"n\":");
        memset(text + len, '[', depth);
        memset(text + len + depth, ']', depth);
        text[len + 2 * depth] = '}';
        enum err want = depth < JSON_DEPTH_MAX ? ERR_OK : ERR_BAD_JSON;
        assert_int_equal(scan(str_of(text, len + 2 * depth + 1), m, NULL, &problem), want);
    }
}

/* More names than bits in the set of lengths, and lengths that share a bit. */
static void test_many_and_long_names(void **state)
{
    char text[8192] = "{";
    static char store[100][80];
    struct str many[100];
    struct json_member m[100];
    struct json_problem problem;
    size_t len = 1;
    for (size_t i = 0; i < 100; i++) {
        many[i] = str_of(store[i], 1 + (i * 7) % 75);
        memset(store[i], 'a', sizeof store[i]);
        memcpy(store[i], (char[]){ (char)('A' + i / 75) }, 1);
        len += (size_t)snprintf(text + len, sizeof text - len, "%s\"%.*s\":%zu", i ? "," : "",
                                STR_ARG(many[i]), i);
    }
    text[len++] = '}';
    uint32_t count;
    assert_int_equal(json_scan_object(str_of(text, len), many, 100, m, &count, &problem), ERR_OK);
    assert_int_equal(count, 100);
    for (size_t i = 0; i < 100; i++) {
        uint64_t v = 999;
        assert_true(json_u64(json_value(str_of(text, len), &m[i]), &v));
        assert_int_equal(v, i);
        assert_int_equal(m[i].index, i);
    }
    assert_int_equal(json_scan_object(str_of(text, len), NULL, 0, NULL, &count, &problem), ERR_OK);
    assert_int_equal(count, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_texts),
        cmocka_unit_test(test_bad_texts),
        cmocka_unit_test(test_yyjson_agrees),
        cmocka_unit_test(test_cut_texts),
        cmocka_unit_test(test_strings_of_every_length),
        cmocka_unit_test(test_mixed_scripts),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_deep_mixture),
        cmocka_unit_test(test_texts_over_4_gib),
        cmocka_unit_test(test_member_spans),
        cmocka_unit_test(test_member_types),
        cmocka_unit_test(test_escaped_names),
        cmocka_unit_test(test_repeated_members),
        cmocka_unit_test(test_not_an_object),
        cmocka_unit_test(test_bad_members),
        cmocka_unit_test(test_depth_counts_the_top_object),
        cmocka_unit_test(test_many_and_long_names),
    };
    return cmocka_run_group_tests_name("wire/json_scan", tests, NULL, NULL);
}
