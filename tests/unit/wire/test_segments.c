#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/mem.h"
#include "wire/json_scan.h"
#include "wire/segments.h"

static void assert_text(struct str got, const char *want)
{
    if (!str_eq(got, str_c(want)))
        fail_msg("got:  %.*s\n  want: %s", STR_ARG(got), want);
}

static struct str filled(struct arena *a, char c, size_t n)
{
    char *p = arena_alloc(a, n);
    memset(p, c, n);
    return str_of(p, n);
}

/* The pieces, joined, are the flat body, and none is empty. */
static size_t check_pieces(struct segments *s, struct arena *a)
{
    const struct str *segs;
    size_t n;
    struct str flat = segments_flat(s, a);
    assert_int_equal(segments_finish(s, a, &segs, &n), ERR_OK);
    for (size_t i = 0; i < n; i++) {
        assert_true(segs[i].len > 0);
        assert_true(str_starts(flat, segs[i]));
        flat = str_skip(flat, segs[i].len);
    }
    assert_int_equal(flat.len, 0);
    return n;
}

static void test_small_is_one_piece(void **state)
{
    struct arena *a = arena_new();
    struct segments s;
    struct json_write w;
    segments_init(&s, MIB);
    json_begin(&w, &s.own);
    json_obj(&w, NULL);
    segments_raw(&s, &w, "a", STR("{\"x\":1}"));
    segments_plain(&s, &w, "b", "data:image/png;base64,", STR("QUJD"));
    json_arr(&w, "c");
    segments_raw(&s, &w, NULL, STR("1"));
    segments_plain(&s, &w, NULL, "", STR("two"));
    json_end(&w);
    json_end(&w);
    assert_text(segments_flat(&s, a),
                "{\"a\":{\"x\":1},\"b\":\"data:image/png;base64,QUJD\",\"c\":[1,\"two\"]}");
    assert_int_equal(check_pieces(&s, a), 1);
    segments_done(&s);
    arena_free(a);
}

static void test_long_is_borrowed(void **state)
{
    static const size_t sizes[] = { SEGMENTS_BORROW_MIN - 1, SEGMENTS_BORROW_MIN,
                                    SEGMENTS_BORROW_MIN + 1, 60 * MIB };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct arena *a = arena_new();
        struct segments s;
        struct json_write w;
        const struct str *segs;
        struct json_problem problem;
        size_t n;
        struct str big = filled(a, 'A', sizes[i]);
        segments_init(&s, MIB); /* the cap is on what is copied */
        json_begin(&w, &s.own);
        json_arr(&w, NULL);
        segments_plain(&s, &w, NULL, "data:;base64,", big);
        segments_plain(&s, &w, NULL, "", big);
        json_end(&w);
        bool borrowed = sizes[i] >= SEGMENTS_BORROW_MIN;
        assert_int_equal(check_pieces(&s, a), borrowed ? 5 : 1);
        assert_int_equal(segments_finish(&s, a, &segs, &n), ERR_OK);
        if (borrowed) {
            assert_ptr_equal(segs[1].p, big.p);
            assert_ptr_equal(segs[3].p, big.p);
            assert_true(s.own.len < 100);
        }
        assert_int_equal(json_check(segments_flat(&s, a), &problem), ERR_OK);
        segments_done(&s);
        arena_free(a);
    }
}

static void test_pieces_side_by_side(void **state)
{
    struct arena *a = arena_new();
    struct segments s;
    struct json_write w;
    struct str big = filled(a, '1', SEGMENTS_BORROW_MIN);
    segments_init(&s, MIB);
    json_begin(&w, &s.own);
    segments_raw(&s, &w, NULL, big); /* nothing before it, nothing after it */
    assert_int_equal(check_pieces(&s, a), 1);
    assert_int_equal(segments_flat(&s, a).len, big.len);
    segments_done(&s);
    segments_init(&s, MIB);
    json_begin(&w, &s.own);
    json_arr(&w, NULL);
    for (int i = 0; i < 40; i++)
        segments_raw(&s, &w, NULL, big);
    json_end(&w);
    assert_int_equal(check_pieces(&s, a), 81);
    segments_done(&s);
    arena_free(a);
}

static void test_cap_and_empty(void **state)
{
    struct arena *a = arena_new();
    struct segments s;
    struct json_write w;
    const struct str *segs;
    size_t n = 7;
    segments_init(&s, 16);
    assert_int_equal(segments_finish(&s, a, &segs, &n), ERR_OK);
    assert_int_equal(n, 0);
    json_begin(&w, &s.own);
    json_arr(&w, NULL);
    segments_raw(&s, &w, NULL, STR("\"more than sixteen bytes\""));
    json_end(&w);
    assert_int_equal(segments_finish(&s, a, &segs, &n), ERR_TOO_LARGE);
    segments_done(&s);
    segments_done(&s);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_is_one_piece),
        cmocka_unit_test(test_long_is_borrowed),
        cmocka_unit_test(test_pieces_side_by_side),
        cmocka_unit_test(test_cap_and_empty),
    };
    return cmocka_run_group_tests_name("wire/segments", tests, NULL, NULL);
}
