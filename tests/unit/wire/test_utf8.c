#include "wire_test.h"

#include "wire/utf8.h"

#define ROW(text, valid)                                                                           \
    {                                                                                              \
        STR_INIT(text), valid                                                                      \
    }

static const struct {
    struct str text;
    bool valid;
} rows[] = {
    ROW("", true),
    ROW("plain", true),
    ROW("\x00\x7f", true),
    ROW("\xc2\x80\xdf\xbf", true),
    ROW("\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf", true),
    ROW("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", true),
    ROW("twelve bytes\xe6\x97\xa5 and eight more", true),
    ROW("\x80", false), /* a tail alone */
    ROW("\xbf", false),
    ROW("a\xc3", false), /* cut */
    ROW("a\xe6\x97", false),
    ROW("a\xf0\x9f\x98", false),
    ROW("\xc3(", false), /* a tail that is none */
    ROW("\xe6\x97(", false),
    ROW("\xe6(\xa5", false),
    ROW("\xf0\x9f\x98(", false),
    ROW("\xc0\x80", false), /* overlong */
    ROW("\xc1\xbf", false),
    ROW("\xe0\x9f\xbf", false),
    ROW("\xf0\x8f\xbf\xbf", false),
    ROW("\xed\xa0\x80", false), /* surrogates */
    ROW("\xed\xbf\xbf", false),
    ROW("\xf4\x90\x80\x80", false), /* past U+10FFFF */
    ROW("\xf5\x80\x80\x80", false),
    ROW("\xff", false),
    ROW("a long plain start, then \xff", false),
};

static void test_valid(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str s = exact_copy(rows[i].text);
        CHECK_CASE(utf8_valid(s) == rows[i].valid, rows[i].text);
        exact_free(s);
    }
}

/* An independent reading of RFC 3629, section 4. */
static bool in(unsigned char c, unsigned low, unsigned high)
{
    return c >= low && c <= high;
}

static size_t reference(const unsigned char *b, size_t n)
{
    bool t1 = n > 1 && in(b[1], 0x80, 0xbf), t2 = n > 2 && in(b[2], 0x80, 0xbf),
         t3 = n > 3 && in(b[3], 0x80, 0xbf);
    if (b[0] <= 0x7f)
        return 1;
    if (in(b[0], 0xc2, 0xdf) && t1)
        return 2;
    if (((b[0] == 0xe0 && n > 1 && in(b[1], 0xa0, 0xbf)) || (in(b[0], 0xe1, 0xec) && t1) ||
         (b[0] == 0xed && n > 1 && in(b[1], 0x80, 0x9f)) || (in(b[0], 0xee, 0xef) && t1)) &&
        t2)
        return 3;
    if (((b[0] == 0xf0 && n > 1 && in(b[1], 0x90, 0xbf)) || (in(b[0], 0xf1, 0xf3) && t1) ||
         (b[0] == 0xf4 && n > 1 && in(b[1], 0x80, 0x8f))) &&
        t2 && t3)
        return 4;
    return 0;
}

/* All leads and seconds, with tails around each edge, at each length. */
static void test_every_sequence(void **state)
{
    static const unsigned char tails[] = { 0x00, 0x7f, 0x80, 0xbf, 0xc0, 0xff };
    for (unsigned lead = 0; lead < 256; lead++)
        for (unsigned second = 0; second < 256; second++)
            for (size_t t = 0; t < COUNT(tails) * COUNT(tails); t++) {
                unsigned char b[4] = { (unsigned char)lead, (unsigned char)second,
                                       tails[t % COUNT(tails)], tails[t / COUNT(tails)] };
                for (size_t n = 1; n <= 4; n++)
                    if (utf8_seq(str_of((char *)b, n)) != reference(b, n))
                        fail_msg("%02x %02x %02x %02x, length %zu", b[0], b[1], b[2], b[3], n);
            }
    assert_int_equal(utf8_seq(str_of(NULL, 0)), 0);
}

static void test_put_gives_every_scalar(void **state)
{
    size_t before = 0;
    for (uint32_t code = 0; code <= 0x10ffff; code++) {
        char b[4];
        if (code >= 0xd800 && code <= 0xdfff)
            continue;
        size_t n = utf8_put(code, b);
        if (n < before || reference((unsigned char *)b, n) != n)
            fail_msg("U+%04x", code);
        before = n;
    }
    char b[4];
    assert_int_equal(utf8_put(0x20ac, b), 3);
    assert_memory_equal(b, "\xe2\x82\xac", 3);
    assert_int_equal(utf8_put(0x1f600, b), 4);
    assert_memory_equal(b, "\xf0\x9f\x98\x80", 4);
    assert_int_equal(utf8_put(0xe9, b), 2);
    assert_memory_equal(b, "\xc3\xa9", 2);
}

/* The Unicode standard's own examples, section 3.9, tables 3-8 to 3-11. */
static void test_bad_is_the_maximal_subpart(void **state)
{
    static const struct {
        struct str text;
        size_t bad;
    } parts[] = {
        ROW("\xc0\xaf", 1),     ROW("\xaf", 1),
        ROW("\xe0\x80\xbf", 1), ROW("\xf0\x81\x82\x41", 1),
        ROW("\xed\xa0\x80", 1), ROW("\xf4\x91\x92", 1),
        ROW("\xff\x41", 1),     ROW("\xf1\x80\xe1", 2),
        ROW("\xe1\x80\xe2", 2), ROW("\xf0\x91\x92\xf1", 3),
        ROW("\xf1\xbf\x41", 2), ROW("\xe6\x97", 2),
        ROW("\xc3", 1),         ROW("\xc3(", 1),
        ROW("\xf0\x9f\x98", 3), ROW("", 0),
    };
    for (size_t i = 0; i < COUNT(parts); i++) {
        struct str s = exact_copy(parts[i].text);
        assert_int_equal(utf8_bad(s), parts[i].bad);
        exact_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_every_sequence),
        cmocka_unit_test(test_put_gives_every_scalar),
        cmocka_unit_test(test_bad_is_the_maximal_subpart),
    };
    return cmocka_run_group_tests_name("wire/utf8", tests, NULL, NULL);
}
