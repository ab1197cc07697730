/* Built twice: with SSE2, and with WIRE_NO_SIMD for the portable words. */
#include "wire_test.h"

#include "wire/bytes_priv.h"

static const enum bytes_stop stops[] = { STOP_QUOTED, STOP_QUOTE, STOP_LINE };

static size_t naive(enum bytes_stop stop, struct str s)
{
    size_t i = 0;
    while (i < s.len && !bytes_stops(stop, (unsigned char)s.p[i]))
        i++;
    return i;
}

static void test_stops(void **state)
{
    assert_true(bytes_stops(STOP_QUOTED, '"') && bytes_stops(STOP_QUOTED, '\\'));
    assert_true(bytes_stops(STOP_QUOTED, 0) && bytes_stops(STOP_QUOTED, 0x1f));
    assert_true(bytes_stops(STOP_QUOTED, 0x80) && bytes_stops(STOP_QUOTED, 0xff));
    assert_false(bytes_stops(STOP_QUOTED, ' ') || bytes_stops(STOP_QUOTED, 0x7f));
    assert_false(bytes_stops(STOP_QUOTE, '\n') || bytes_stops(STOP_QUOTE, 0xff));
    assert_true(bytes_stops(STOP_LINE, '\r') && bytes_stops(STOP_LINE, '\n'));
    assert_false(bytes_stops(STOP_LINE, '"') || bytes_stops(STOP_LINE, 0x0b));
}

/* Each byte at each place of each length up to two long steps, nothing readable behind. */
static void test_every_byte_at_every_place(void **state)
{
    for (size_t k = 0; k < COUNT(stops); k++)
        for (size_t len = 0; len <= 70; len++) {
            char *p = mem_alloc(len);
            memset(p, 'a', len);
            assert_int_equal(bytes_skip(stops[k], p, p + len) - p, len);
            for (size_t at = 0; at < len; at++)
                for (unsigned c = 0; c < 256; c++) {
                    p[at] = (char)c;
                    if ((size_t)(bytes_skip(stops[k], p, p + len) - p) !=
                        naive(stops[k], str_of(p, len)))
                        fail_msg("stop %zu, byte %02x at %zu of %zu", k, c, at, len);
                    p[at] = 'a';
                }
            mem_free(p);
        }
}

/* The first of two is found, also where a borrow could spill from one byte of a word to the next.
 */
static void test_first_of_two(void **state)
{
    static const unsigned char some[] = { 0x00, 0x01, 0x1f, 0x20, 0x21, '"',  '#',  '\\',
                                          ']',  0x7f, 0x80, 0xff, '\n', '\r', 0x0b, 0x0e };
    char p[40];
    for (size_t k = 0; k < COUNT(stops); k++)
        for (size_t i = 0; i < COUNT(some) * COUNT(some); i++)
            for (size_t at = 0; at + 1 < sizeof p; at++) {
                memset(p, 'a', sizeof p);
                p[at] = (char)some[i % COUNT(some)];
                p[at + 1] = (char)some[i / COUNT(some)];
                assert_int_equal(bytes_skip(stops[k], p, p + sizeof p) - p,
                                 naive(stops[k], str_of(p, sizeof p)));
            }
}

static void test_space(void **state)
{
    for (size_t len = 0; len <= 50; len++) {
        char *p = mem_alloc(len);
        memset(p, ' ', len);
        assert_ptr_equal(bytes_skip_space(p, p + len), p + len);
        for (size_t at = 0; at < len; at++)
            for (unsigned c = 0; c < 256; c++) {
                bool space = c == ' ' || c == '\t' || c == '\r' || c == '\n';
                p[at] = (char)c;
                assert_int_equal(bytes_skip_space(p, p + len) - p, space ? len : at);
                p[at] = ' ';
            }
        mem_free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stops),
        cmocka_unit_test(test_every_byte_at_every_place),
        cmocka_unit_test(test_first_of_two),
        cmocka_unit_test(test_space),
    };
    return cmocka_run_group_tests_name(WIRE_SSE2 ? "wire/bytes" : "wire/bytes-portable", tests,
                                       NULL, NULL);
}
