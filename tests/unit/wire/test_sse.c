#include "wire_test.h"

#include "base/buf.h"
#include "wire/sse.h"

/* What a stream became, as text: an event a line, `name|data` (no data: `name|-`) with LF and CR
 * shown, and what was left. */
struct seen {
    struct buf text; /* the lines */
    struct buf raw;  /* all raw bytes */
    size_t events, pending;
    enum err end;
};

static void put_shown(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] == '\n')
            buf_putz(out, "$");
        else if (s.p[i] == '\r')
            buf_putz(out, "%");
        else
            buf_putc(out, s.p[i]);
}

static enum err drain(struct sse *s, struct seen *seen)
{
    struct sse_event ev;
    enum err e;
    while ((e = sse_next(s, &ev)) == ERR_OK) {
        buf_put(&seen->text, ev.name);
        buf_putc(&seen->text, '|');
        if (ev.has_data)
            put_shown(&seen->text, ev.data);
        else
            buf_putc(&seen->text, '-');
        buf_putc(&seen->text, '\n');
        buf_put(&seen->raw, ev.raw);
        seen->events++;
        assert_true(ev.raw.len > 0);
    }
    return e;
}

/* Pushes pieces: the first `first` bytes, then `step` at a time; each in a block of its own, gone
 * after the push. */
static struct seen feed(struct str stream, size_t first, size_t step, size_t event_max)
{
    struct seen seen = { .end = ERR_AGAIN };
    struct sse s;
    buf_init(&seen.text, 1 << 20);
    buf_init(&seen.raw, 32 << 20);
    sse_init(&s, event_max);
    for (size_t at = 0; at < stream.len && seen.end == ERR_AGAIN;) {
        struct str piece = exact_copy(str_head(str_skip(stream, at), at      ? step
                                                                     : first ? first
                                                                             : step));
        sse_push(&s, piece);
        seen.end = drain(&s, &seen);
        at += piece.len;
        exact_free(piece);
    }
    if (seen.end == ERR_AGAIN) {
        sse_finish(&s);
        assert_int_equal(drain(&s, &seen), ERR_AGAIN);
        seen.pending = sse_pending(&s);
    } else {
        struct sse_event ev;
        assert_int_equal(sse_next(&s, &ev), seen.end); /* it stays so */
        sse_push(&s, STR("data: x\n\n"));
        assert_int_equal(sse_next(&s, &ev), seen.end);
    }
    assert_int_equal(seen.text.fail, ERR_OK);
    assert_int_equal(seen.raw.fail, ERR_OK);
    sse_done(&s);
    return seen;
}

static void seen_done(struct seen *seen)
{
    buf_done(&seen->text);
    buf_done(&seen->raw);
}

#define ROW(stream, text, pending)                                                                 \
    {                                                                                              \
        STR_INIT(stream), text, pending                                                            \
    }

static const struct {
    struct str stream;
    const char *text;
    size_t pending;
} rows[] = {
    ROW("", "", 0),
    ROW("data: a\n\n", "|a\n", 0),
    ROW("data: a\r\n\r\n", "|a\n", 0),
    ROW("data: a\r\r", "|a\n", 0),
    ROW("data: a\n\ndata: b\n\n", "|a\n|b\n", 0),
    ROW("data: a\r\n\r\ndata: b\r\n\r\n", "|a\n|b\n", 0),
    ROW("data: a\r\rdata: b\r\r", "|a\n|b\n", 0),
    ROW("data: a\n\r\ndata: b\r\n\n", "|a\n|b\n", 0), /* endings mixed */
    ROW("data: a\n\rdata: b\r\n\rdata: c\r\r\n", "|a\n|b\n|c\n", 0),
    ROW("event: message_start\ndata: {\"a\":1}\n\n", "message_start|{\"a\":1}\n", 0),
    ROW("data: 1\nevent: late\n\n", "late|1\n", 0),
    ROW("event: one\nevent: two\ndata: x\n\n", "two|x\n", 0),
    ROW("event:\ndata: x\n\n", "|x\n", 0),
    ROW("event: ping\n\n", "ping|-\n", 0),
    /* data lines */
    ROW("data: a\ndata: b\n\n", "|a b\n", 0),
    ROW("data: a\ndata: b\ndata: c\n\ndata: d\n\n", "|a b c\n|d\n", 0),
    ROW("data: a\r\ndata: b\r\n\r\n", "|a b\n", 0),
    ROW("data\n\n", "|\n", 0),
    ROW("data:\n\n", "|\n", 0),
    ROW("data\ndata\n\n", "| \n", 0),
    ROW("data:\ndata: x\n\n", "| x\n", 0),
    ROW("data: x\ndata:\ndata:\n\n", "|x  \n", 0),
    ROW("data:a\n\ndata:  b \n\ndata:\tc\n\n", "|a\n| b \n|\tc\n",
        0), /* one blank is dropped, no more */
    ROW("data: a: b\n\n", "|a: b\n", 0),
    ROW("data: one\nid: 7\nretry: 10\ndata: two\n\n", "|one two\n", 0),
    ROW("data: [DONE]\n\n", "|[DONE]\n", 0),
    /* what is not data */
    ROW(": ping\n\n", "|-\n", 0),
    ROW(":\n\ndata: a\n\n", "|-\n|a\n", 0),
    ROW(": note\ndata: a\n\n", "|a\n", 0),
    ROW("id: 7\n\n", "|-\n", 0),
    ROW("Data: a\n\n data: b\n\ndata : c\n\n", "|-\n|-\n|-\n", 0), /* names are exact */
    ROW("database: a\n\ndat: b\n\ndat\n\n", "|-\n|-\n|-\n", 0),
    ROW("\n", "|-\n", 0),
    ROW("\n\r\n\r", "|-\n|-\n|-\n", 0),
    ROW("data: a\n\n\n\ndata: b\n\n", "|a\n|-\n|-\n|b\n", 0),
    ROW("data: a\r\n\r\n\r\ndata: b\r\n\r\n", "|a\n|-\n|b\n", 0),
    /* byte order marks: one, at the start */
    ROW("\xef\xbb\xbf"
        "data: a\n\n",
        "|a\n", 0),
    ROW("\xef\xbb\xbf\n", "|-\n", 0),
    ROW("\xef\xbb\xbf", "", 0),
    ROW("\xef\xbb\xbf\xef\xbb\xbf"
        "data: a\n\n",
        "|-\n", 0),
    ROW("data: a\n\n\xef\xbb\xbf"
        "data: b\n\n",
        "|a\n|-\n", 0),
    ROW("\xef\xbb"
        "data: a\n\n",
        "|-\n", 0),
    ROW("\xef\ndata: a\n\n", "|a\n", 0),
    ROW("\xef\xbb", "", 2),
    /* bytes that are not UTF-8, and NUL, are the reader's business */
    ROW("data: \xff\x80\xc3\n\n", "|\xff\x80\xc3\n", 0),
    ROW("data: \x0b\x1f\x7f\n\n", "|\x0b\x1f\x7f\n", 0),
    ROW("data: \0\n\n", "|\0\n", 0),
    /* cut */
    ROW("d", "", 1),
    ROW("data: a", "", 7),
    ROW("data: a\n", "", 8),
    ROW("data: a\r", "", 8),
    ROW("data: a\r\n", "", 9),
    ROW("data: a\n\ndata: b\n", "|a\n", 8),
    ROW("data: a\n\n:", "|a\n", 1),
    ROW("data: long enough that a step of sixteen and one of thirty-two fit in it\n\nevent: q",
        "|long enough that a step of sixteen and one of thirty-two fit in it\n", 8),
};

/* The text of a row, which may hold a NUL in its one data. */
static struct str row_text(size_t i)
{
    return rows[i].stream.len == 9 && memchr(rows[i].stream.p, 0, 9) ? STR("|\0\n")
                                                                     : str_c(rows[i].text);
}

static void check_row(size_t i, size_t first, size_t step)
{
    struct str stream = rows[i].stream;
    struct seen seen = feed(stream, first, step, SSE_EVENT_MAX);
    size_t bom = str_starts(stream, STR("\xef\xbb\xbf")) ? 3 : 0;
    if (!str_eq(buf_str(&seen.text), row_text(i)) || seen.pending != rows[i].pending)
        fail_msg("row %zu, first %zu, step %zu: got \"%.*s\", %zu pending; want \"%.*s\", %zu", i,
                 first, step, STR_ARG(buf_str(&seen.text)), seen.pending, STR_ARG(row_text(i)),
                 rows[i].pending);
    /* Every byte was in one event. */
    assert_int_equal(seen.raw.len + seen.pending + bom, stream.len);
    assert_true(str_starts(str_skip(stream, bom), buf_str(&seen.raw)));
    seen_done(&seen);
}

static void test_whole(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        check_row(i, 0, SIZE_MAX);
}

static void test_in_small_pieces(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t step = 1; step <= 5; step++)
            check_row(i, 0, step);
}

static void test_split_at_each_offset(void **state)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t first = 1; first < rows[i].stream.len; first++)
            check_row(i, first, SIZE_MAX);
}

/* All rows that end cleanly, one after another: what came before does not matter. */
static void test_rows_joined(void **state)
{
    struct buf stream, want;
    buf_init(&stream, 1 << 16);
    buf_init(&want, 1 << 16);
    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].pending == 0 && !str_starts(rows[i].stream, STR("\xef")) &&
            !str_ends(rows[i].stream, STR("\r"))) {
            buf_put(&stream, rows[i].stream);
            buf_put(&want, row_text(i));
        }
    for (size_t step = 1; step < 200; step++) {
        struct seen seen = feed(buf_str(&stream), 0, step, SSE_EVENT_MAX);
        assert_str_eq(buf_str(&seen.text), buf_str(&want));
        assert_str_eq(buf_str(&seen.raw), buf_str(&stream));
        seen_done(&seen);
    }
    buf_done(&stream);
    buf_done(&want);
}

/* Every stream of up to seven bytes of this alphabet, whole and byte by byte. */
static void test_every_short_stream(void **state)
{
    static const char alphabet[] = "\n\ra:\xef";
    enum { SYMBOLS = sizeof alphabet - 1, LEN = 6 };
    size_t all = 1;
    for (size_t len = 0; len <= LEN; len++, all *= SYMBOLS)
        for (size_t k = 0; k < all; k++) {
            char text[LEN];
            for (size_t rest = k, i = 0; i < len; i++, rest /= SYMBOLS)
                text[i] = alphabet[rest % SYMBOLS];
            struct seen whole = feed(str_of(text, len), 0, SIZE_MAX, 100),
                        bytes = feed(str_of(text, len), 0, 1, 100);
            assert_str_eq(buf_str(&whole.text), buf_str(&bytes.text));
            assert_str_eq(buf_str(&whole.raw), buf_str(&bytes.raw));
            assert_int_equal(whole.pending, bytes.pending);
            assert_int_equal(whole.raw.len + whole.pending, len);
            seen_done(&whole);
            seen_done(&bytes);
        }
}

static void test_whole_events_borrow(void **state)
{
    struct str stream = STR("data: a\n\nevent: e\ndata: b\ndata: c\n\ndata: d");
    struct sse s;
    struct sse_event ev;
    sse_init(&s, SSE_EVENT_MAX);
    sse_push(&s, stream);
    assert_int_equal(sse_next(&s, &ev), ERR_OK);
    assert_ptr_equal(ev.raw.p, stream.p);
    assert_ptr_equal(ev.data.p, stream.p + 6);
    assert_int_equal(sse_next(&s, &ev), ERR_OK);
    assert_ptr_equal(ev.raw.p, stream.p + 9);
    assert_ptr_equal(ev.name.p, stream.p + 16);
    assert_str_eq(ev.data, STR("b c"));
    assert_int_equal(s.held.room, 0); /* nothing was copied but the joined lines */
    assert_int_equal(sse_pending(&s), 7);
    assert_int_equal(sse_next(&s, &ev), ERR_AGAIN);
    assert_int_equal(sse_pending(&s), 7);
    sse_done(&s);
}

/* A CR may be half of a CRLF: the event waits for the next byte, and for the end of the stream if
 * there is none. */
static void test_closing_cr_waits(void **state)
{
    struct sse s;
    struct sse_event ev;
    sse_init(&s, SSE_EVENT_MAX);
    sse_push(&s, STR("data: a\r\n\r"));
    assert_int_equal(sse_next(&s, &ev), ERR_AGAIN);
    sse_push(&s, STR("\ndata: b\r\r"));
    assert_int_equal(sse_next(&s, &ev), ERR_OK);
    assert_str_eq(ev.raw, STR("data: a\r\n\r\n"));
    assert_int_equal(sse_next(&s, &ev), ERR_AGAIN);
    assert_int_equal(sse_pending(&s), 9);
    sse_push(&s, STR(""));
    assert_int_equal(sse_next(&s, &ev), ERR_AGAIN);
    sse_finish(&s);
    assert_int_equal(sse_next(&s, &ev), ERR_OK);
    assert_str_eq(ev.raw, STR("data: b\r\r"));
    assert_int_equal(sse_next(&s, &ev), ERR_AGAIN);
    assert_int_equal(sse_pending(&s), 0);
    sse_done(&s);
}

/* An event whose blank line never came, for who wants it. */
static void test_rest(void **state)
{
    static const struct {
        const char *stream, *data; /* NULL: no rest, or one without data */
        bool rest;
    } cases[] = {
        { "data: [DONE]", "[DONE]", true },
        { "data: a\n\ndata: [DONE]\r\n", "[DONE]", true },
        { "data: a\n\nevent: x\ndata: b\ndata: c", "b c", true },
        { "data: a\n\nda", NULL, true },
        { "data: a\n\n", NULL, false },
        { "data: a\r\r", NULL, false },
        { "", NULL, false },
        { "\xef\xbb", NULL, true },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sse s;
        struct sse_event ev;
        sse_init(&s, SSE_EVENT_MAX);
        sse_push(&s, str_c(cases[i].stream));
        while (sse_next(&s, &ev) == ERR_OK)
            ;
        sse_finish(&s);
        while (sse_next(&s, &ev) == ERR_OK)
            ;
        CHECK_CASE(sse_rest(&s, &ev) == cases[i].rest, str_c(cases[i].stream));
        if (cases[i].rest) {
            CHECK_CASE(ev.has_data == (cases[i].data != NULL), str_c(cases[i].stream));
            assert_str_eq(ev.data, str_c(cases[i].data));
            assert_true(str_ends(str_c(cases[i].stream), ev.raw));
            assert_int_equal(sse_pending(&s), 0);
            assert_false(sse_rest(&s, &ev)); /* once */
        }
        sse_done(&s);
    }
    struct sse s;
    struct sse_event ev;
    sse_init(&s, 5);
    sse_push(&s, STR("data: too long"));
    assert_int_equal(sse_next(&s, &ev), ERR_TOO_LARGE);
    sse_finish(&s);
    assert_false(sse_rest(&s, &ev));
    sse_done(&s);
}

static struct str make_event(size_t raw_len, const char *ending)
{
    size_t n = strlen(ending);
    char *p = mem_alloc(raw_len);
    memset(p, 'x', raw_len);
    memcpy(p, "data: ", 6);
    memcpy(p + raw_len - n, ending, n);
    return str_of(p, raw_len);
}

/* The cap is on raw bytes, to the byte, however they come. */
static void test_cap(void **state)
{
    static const char *const endings[] = { "\n\n", "\r\n\r\n", "\r\r" };
    enum { CAP = 50 };
    for (size_t k = 0; k < COUNT(endings); k++)
        for (size_t len = CAP - 3; len <= CAP + 3; len++)
            for (size_t step = 1; step <= len; step++) {
                struct str event = make_event(len, endings[k]);
                struct seen seen = feed(event, 0, step, CAP);
                assert_int_equal(seen.end, len <= CAP ? ERR_AGAIN : ERR_TOO_LARGE);
                assert_int_equal(seen.events, len <= CAP);
                seen_done(&seen);
                exact_free(event);
            }
    struct seen seen = feed(
        STR("data: a\n\nan event without any end and longer than the cap that was set"), 0, 1, CAP);
    assert_int_equal(seen.end, ERR_TOO_LARGE);
    assert_str_eq(buf_str(&seen.text), STR("|a\n"));
    seen_done(&seen);
}

/* A data line of 8 MiB less its ending, in pieces of 64 bytes: 131,072 pushes. Were each to look
 * at all bytes held, it would be 10^12 steps. The memory is let go of in the end. */
static void test_huge_event_in_pieces(void **state)
{
    struct str event = make_event(SSE_EVENT_MAX, "\n\n");
    struct sse s;
    struct sse_event ev;
    size_t events = 0;
    sse_init(&s, SSE_EVENT_MAX);
    for (size_t at = 0; at < event.len; at += 64) {
        sse_push(&s, str_of(event.p + at, 64));
        while (sse_next(&s, &ev) == ERR_OK) {
            events++;
            assert_true(str_eq(ev.raw, event));
            assert_int_equal(ev.data.len, SSE_EVENT_MAX - 8);
        }
    }
    assert_int_equal(events, 1);
    sse_done(&s);
    exact_free(event);
}

/* Many data lines: joined in one buffer, in linear time. */
static void test_many_data_lines(void **state)
{
    enum { LINES = 500000 };
    struct buf stream;
    struct sse s;
    struct sse_event ev;
    buf_init(&stream, SSE_EVENT_MAX);
    for (size_t i = 0; i < LINES; i++)
        buf_putz(&stream, "data:ab\n");
    buf_putz(&stream, "\n");
    sse_init(&s, SSE_EVENT_MAX);
    sse_push(&s, buf_str(&stream));
    assert_int_equal(sse_next(&s, &ev), ERR_OK);
    assert_int_equal(ev.data.len, LINES * 3 - 1);
    assert_true(str_starts(ev.data, STR("ab ab ")) && str_ends(ev.data, STR(" ab")));
    sse_done(&s);
    buf_done(&stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_in_small_pieces),
        cmocka_unit_test(test_split_at_each_offset),
        cmocka_unit_test(test_rows_joined),
        cmocka_unit_test(test_every_short_stream),
        cmocka_unit_test(test_whole_events_borrow),
        cmocka_unit_test(test_closing_cr_waits),
        cmocka_unit_test(test_rest),
        cmocka_unit_test(test_cap),
        cmocka_unit_test(test_huge_event_in_pieces),
        cmocka_unit_test(test_many_data_lines),
    };
    return cmocka_run_group_tests_name("wire/sse", tests, NULL, NULL);
}
