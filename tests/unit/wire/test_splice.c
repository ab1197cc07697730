#include "wire_test.h"

#include "wire/splice.h"

#include <stdio.h>
#include <yyjson.h>

static void assert_edited(const struct splice *sp, struct str want)
{
    struct arena *a = arena_new();
    size_t n, len = 0;
    const struct str *segs = splice_segments(sp, &n);
    struct str flat = splice_flat(sp, a);
    assert_str_eq(flat, want);
    assert_int_equal(splice_len(sp), want.len);
    for (size_t i = 0; i < n; i++) {
        assert_true(segs[i].len > 0);
        assert_true(str_starts(str_skip(want, len), segs[i]));
        len += segs[i].len;
    }
    assert_int_equal(len, want.len);
    arena_free(a);
}

static void test_no_edit_borrows(void **state)
{
    struct arena *a = arena_new();
    struct splice sp;
    struct str text = STR("{\"a\":1}");
    size_t n;
    splice_init(&sp, a, text);
    assert_ptr_equal(splice_flat(&sp, a).p, text.p);
    const struct str *segs = splice_segments(&sp, &n);
    assert_int_equal(n, 1);
    assert_ptr_equal(segs[0].p, text.p);
    assert_int_equal(segs[0].len, text.len);
    splice_init(&sp, a, STR(""));
    splice_segments(&sp, &n);
    assert_int_equal(n, 0);
    arena_free(a);
}

static void test_edits_in_any_order(void **state)
{
    static const struct {
        size_t at, len;
        struct str with;
    } edits[] = {
        { 0, 0, STR_INIT("<") }, { 1, 2, STR_INIT("BC") }, { 5, 1, STR_INIT("") },
        { 6, 0, STR_INIT("6") }, { 10, 0, STR_INIT(">") },
    };
    static const unsigned char orders[][5] = {
        { 0, 1, 2, 3, 4 }, { 4, 3, 2, 1, 0 }, { 2, 0, 4, 1, 3 },
        { 3, 2, 0, 4, 1 }, { 1, 4, 3, 0, 2 },
    };
    struct arena *a = arena_new();
    for (size_t o = 0; o < COUNT(orders); o++) {
        struct splice sp;
        splice_init(&sp, a, STR("abcdefghij"));
        for (size_t i = 0; i < COUNT(edits); i++)
            splice_replace(&sp, edits[orders[o][i]].at, edits[orders[o][i]].len,
                           edits[orders[o][i]].with);
        assert_edited(&sp, STR("<aBCde6ghij>"));
    }
    arena_free(a);
}

static void test_equal_offsets(void **state)
{
    struct arena *a = arena_new();
    for (int first = 0; first < 3; first++) {
        struct splice sp;
        splice_init(&sp, a, STR("abc"));
        if (first == 0)
            splice_replace(&sp, 1, 1, STR("B"));
        splice_replace(&sp, 1, 0, STR("1"));
        if (first == 1)
            splice_replace(&sp, 1, 1, STR("B"));
        splice_replace(&sp, 1, 0, STR("2"));
        if (first == 2)
            splice_replace(&sp, 1, 1, STR("B"));
        splice_replace(&sp, 2, 0, STR("3"));
        assert_edited(&sp, STR("a12B3c"));
    }
    arena_free(a);
}

static void test_more_edits_than_room(void **state)
{
    char text[100], want[200];
    struct arena *a = arena_new();
    struct splice sp;
    memset(text, 'x', sizeof text);
    splice_init(&sp, a, str_of(text, sizeof text));
    for (size_t i = 0; i < 100; i++) {
        splice_replace(&sp, (i * 37) % 100, 0, STR("-"));
        want[2 * i] = '-';
        want[2 * i + 1] = 'x';
    }
    assert_edited(&sp, str_of(want, sizeof want));
    arena_free(a);
}

enum { MEMBERS = 6 };
static const struct str names[MEMBERS] = { STR_INIT("a"), STR_INIT("b"), STR_INIT("c"),
                                           STR_INIT("d"), STR_INIT("e"), STR_INIT("f") };
static const char *const values[MEMBERS] = {
    "1", "\"x,}\"", "[1,{}]", "{\"b\":2}", "null", "-1.5e3"
};

/* An object of `count` members; `style` chooses the white space. */
static size_t make_object(char text[400], unsigned count, unsigned style)
{
    static const char *const space[][4] = { /* before the name, around the colon, after the value */
                                            { "", "", "", "" },
                                            { " ", " ", " ", " " },
                                            { "\n\t", "", "", "" },
                                            { "", "", "\r\n", "  \n" }
    };
    size_t len = (size_t)snprintf(text, 400, style == 2 ? "  {" : "{");
    for (unsigned i = 0; i < count; i++) {
        const char *const *sp = space[style];
        len += (size_t)snprintf(text + len, 400 - len, "%s%s\"%s\"%s:%s%s%s", i ? "," : "", sp[0],
                                names[i].p, sp[1], sp[2], values[i], sp[3]);
    }
    return len + (size_t)snprintf(text + len, 400 - len, style ? " } \n" : "}");
}

/* What the edited text means: yyjson reads it, and finds exactly these members, in this order,
 * with these values. */
static void assert_members(struct str text, unsigned count, unsigned cut, const char *const *more,
                           unsigned added)
{
    yyjson_doc *doc = yyjson_read(text.p, text.len, 0);
    if (!doc)
        fail_msg("not JSON: %.*s", STR_ARG(text));
    yyjson_obj_iter it = yyjson_obj_iter_with(yyjson_doc_get_root(doc));
    for (unsigned i = 0; i < count + added; i++) {
        if (i < count && cut >> i & 1)
            continue;
        yyjson_val *key = yyjson_obj_iter_next(&it);
        if (!key)
            fail_msg("member %u is missing: %.*s", i, STR_ARG(text));
        const char *value = i < count ? values[i] : more[2 * (i - count) + 1];
        yyjson_doc *want = yyjson_read(value, strlen(value), 0);
        assert_string_equal(yyjson_get_str(key), i < count ? names[i].p : more[2 * (i - count)]);
        assert_true(yyjson_equals(yyjson_obj_iter_get_val(key), yyjson_doc_get_root(want)));
        yyjson_doc_free(want);
    }
    assert_null(yyjson_obj_iter_next(&it));
    yyjson_doc_free(doc);
}

static const char *const more[] = { "g", "[2]", "h", "\"added\"" };

/* Every subset of members cut, the empty one and all of them included, then none to two members
 * added, and every member that stays replaced by itself. */
static void test_every_subset_cut(void **state)
{
    unsigned cases = 0;
    for (unsigned style = 0; style < 4; style++)
        for (unsigned count = 0; count <= MEMBERS; count++)
            for (unsigned cut = 0; cut < 1u << count; cut++)
                for (unsigned added = 0; added <= 2; added++, cases++) {
                    char text[400];
                    struct str s = str_of(text, make_object(text, count, style));
                    struct arena *a = arena_new();
                    struct json_member m[MEMBERS];
                    struct json_problem problem;
                    uint32_t found;
                    struct splice sp;
                    assert_int_equal(json_scan_object(s, names, MEMBERS, m, &found, &problem),
                                     ERR_OK);
                    assert_int_equal(found, count);
                    splice_init(&sp, a, s);
                    for (unsigned i = 0; i < count; i++)
                        if (cut >> i & 1)
                            splice_cut_member(&sp, &m[i]);
                        else
                            splice_value(&sp, &m[i], str_c(values[i]));
                    for (unsigned i = 0; i < added; i++)
                        splice_add_member(&sp, count, more[2 * i], str_c(more[2 * i + 1]));
                    struct str flat = splice_flat(&sp, a);
                    assert_members(flat, count, cut, more, added);
                    assert_edited(&sp, flat);
                    arena_free(a);
                }
    assert_int_equal(cases, 4 * 127 * 3);
}

/* Only the members and their commas go; the other bytes stay as they came. */
static void test_the_rest_stays(void **state)
{
    static const struct {
        unsigned cut;
        const char *want;
    } rows[] = {
        { 0, "{ \"a\" : 1 , \"b\":2,\n\"c\":3 }" },
        { 1, "{ \"b\":2,\n\"c\":3 }" },
        { 2, "{ \"a\" : 1 ,\n\"c\":3 }" },
        { 4, "{ \"a\" : 1 , \"b\":2 }" },
        { 3, "{ \"c\":3 }" },
        { 5, "{ \"b\":2 }" },
        { 6, "{ \"a\" : 1  }" },
        { 7, "{  }" },
    };
    struct arena *a = arena_new();
    struct str text = STR("{ \"a\" : 1 , \"b\":2,\n\"c\":3 }");
    for (size_t r = 0; r < COUNT(rows); r++) {
        struct json_member m[MEMBERS];
        struct json_problem problem;
        struct splice sp;
        assert_int_equal(json_scan_object(text, names, MEMBERS, m, NULL, &problem), ERR_OK);
        splice_init(&sp, a, text);
        for (unsigned i = 0; i < MEMBERS; i++) /* d, e, f are absent: no edit */
            if (rows[r].cut >> i & 1 || i >= 3)
                splice_cut_member(&sp, &m[i]);
        assert_edited(&sp, str_c(rows[r].want));
    }
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_edit_borrows),  cmocka_unit_test(test_edits_in_any_order),
        cmocka_unit_test(test_equal_offsets),    cmocka_unit_test(test_more_edits_than_room),
        cmocka_unit_test(test_every_subset_cut), cmocka_unit_test(test_the_rest_stays),
    };
    return cmocka_run_group_tests_name("wire/splice", tests, NULL, NULL);
}
