#include "answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OK "HTTP/1.1 200 OK\r\n"
#define SSE OK "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
#define A "data: {\"delta\":{\"content\":\"a\"}}\n\n" /* 33 bytes */
#define EMPTY "data: {\"delta\":{\"content\":\"\"}}\n\n"

struct row {
    const char *name, *bytes;
    enum answer_state state;
    uint32_t status;
    uint64_t content_events, other_events;
    bool saw_done, close;
};

static const struct row rows[] = {
    { "length", OK "Content-Length: 5\r\n\r\nhello", ANSWER_DONE, 200, 0, 0, false, false },
    { "empty body", OK "content-length:0\r\n\r\n", ANSWER_DONE, 200, 0, 0, false, false },
    { "other status", "HTTP/1.1 429 Too Many\r\nContent-Length: 1\r\n\r\n.", ANSWER_DONE, 429, 0, 0,
      false, false },
    { "interim", "HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 1\r\n\r\n.", ANSWER_DONE, 200,
      0, 0, false, false },
    { "close", OK "Connection: close\r\nContent-Length: 1\r\n\r\n.", ANSWER_DONE, 200, 0, 0, false,
      true },
    { "not an SSE body", OK "Content-Length: 33\r\n\r\n" A, ANSWER_DONE, 200, 0, 0, false, false },
    { "chunks", OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n",
      ANSWER_DONE, 200, 0, 0, false, false },
    { "trailer", OK "Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n", ANSWER_DONE, 200, 0, 0,
      false, false },
    { "events", SSE "21\r\n" A "\r\n42\r\n" A A "\r\ne\r\ndata: [DONE]\n\n\r\n0\r\n\r\n",
      ANSWER_DONE, 200, 3, 0, true, false },
    { "event across chunks",
      SSE "10\r\ndata: {\"delta\":{\r\n10\r\n\"content\":\"a\"}}\n\r\n1\r\n\n\r\n0\r\n\r\n",
      ANSWER_DONE, 200, 1, 0, false, false },
    { "empty content, comments", SSE "20\r\n" EMPTY "\r\n8\r\n: ping\n\n\r\n0\r\n\r\n", ANSWER_DONE,
      200, 0, 1, false, false },
    { "without [DONE]", SSE "21\r\n" A "\r\n0\r\n\r\n", ANSWER_DONE, 200, 1, 0, false, false },
    { "Anthropic's, in chunks of no event",
      SSE "46\r\nevent: content_block_start\ndata: {\"content_block\":{\"text\":\"\"}}\n\n"
          "event:\r\n"
          "39\r\n content_block_delta\ndata: {\"delta\":{\"text\":\"a\"}}\n\n"
          "event:\r\n18\r\n message_stop\ndata: {}\n\n\r\n0\r\n\r\n",
      ANSWER_DONE, 200, 1, 2, true, false },
    { "Gemini's, cut in a line end",
      SSE "36\r\ndata: {\"parts\":[{\"text\":\"a\"}]}\r\n\r\ndata: {\"text\":\"\"}\r\n\r\r\n"
          "22\r\n\ndata: {\"finishReason\":\"STOP\"}\r\n\r\n\r\n0\r\n\r\n",
      ANSWER_DONE, 200, 1, 2, true, false },
    { "of the Responses API",
      SSE "4f\r\nevent: response.output_text.delta\ndata: {\"delta\":\"a\"}\n\n"
          "event: response.complete\r\n"
          "11\r\nd\ndata: {\"a\":1}\n\n\r\n0\r\n\r\n",
      ANSWER_DONE, 200, 1, 1, true, false },
    { "the whole text once more is no content",
      SSE "41\r\nevent: response.output_text.done\ndata: {\"text\":\"abcdefghijklm\"}\n\n\r\n"
          "0\r\n\r\n",
      ANSWER_DONE, 200, 0, 1, false, false },
    { "cut", SSE "21\r\n" A "\r\n", ANSWER_SIZE, 200, 1, 0, false, false },

    { "not HTTP", "SSH-2.0-x\r\n", ANSWER_BAD, 0, 0, 0, false, false },
    { "status too small", "HTTP/1.1 099 ?\r\n", ANSWER_BAD, 0, 0, 0, false, false },
    { "status no number", "HTTP/1.1 2x0 ?\r\n", ANSWER_BAD, 0, 0, 0, false, false },
    { "no length", OK "\r\n", ANSWER_BAD, 200, 0, 0, false, false },
    { "two lengths", OK "Content-Length: 1\r\nContent-Length: 1\r\n\r\n.", ANSWER_BAD, 200, 0, 0,
      false, false },
    { "length and chunks", OK "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n.",
      ANSWER_BAD, 200, 0, 0, false, false },
    { "negative length", OK "Content-Length: -1\r\n\r\n", ANSWER_BAD, 200, 0, 0, false, false },
    { "huge length", OK "Content-Length: 99999999999999999999\r\n\r\n", ANSWER_BAD, 200, 0, 0,
      false, false },
    { "other coding", OK "Transfer-Encoding: gzip, chunked\r\n\r\n", ANSWER_BAD, 200, 0, 0, false,
      false },
    { "empty chunk size", SSE "\r\n", ANSWER_BAD, 200, 0, 0, false, false },
    { "chunk size no number", SSE "g\r\n", ANSWER_BAD, 200, 0, 0, false, false },
    { "chunk longer than said", SSE "20\r\n" A "\r\n", ANSWER_BAD, 200, 0, 0, false, false },
    { "bytes after the end", OK "Content-Length: 1\r\n\r\n..", ANSWER_BAD, 200, 0, 0, false,
      false },
};

static void check(const struct row *r, const struct answer *a, const char *how)
{
    if (a->state != r->state || a->status != r->status || a->content_events != r->content_events ||
        a->other_events != r->other_events || a->saw_done != r->saw_done || a->close != r->close)
        fail_msg("%s, %s: state %d status %u content %llu other %llu done %d close %d", r->name,
                 how, (int)a->state, a->status, (unsigned long long)a->content_events,
                 (unsigned long long)a->other_events, a->saw_done, a->close);
}

static void test_whole(void **state)
{
    struct answer *a = calloc(1, sizeof(*a));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        answer_init(a);
        answer_read(a, rows[i].bytes, strlen(rows[i].bytes));
        check(&rows[i], a, "whole");
    }
    free(a);
}

/* Cut at every offset, and byte by byte: the same. */
static void test_cut(void **state)
{
    struct answer *a = calloc(1, sizeof(*a));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t n = strlen(rows[i].bytes);
        for (size_t cut = 0; cut <= n; cut++) {
            answer_init(a);
            answer_read(a, rows[i].bytes, cut);
            answer_read(a, rows[i].bytes + cut, n - cut);
            check(&rows[i], a, "cut");
        }
        answer_init(a);
        for (size_t at = 0; at < n; at++)
            answer_read(a, rows[i].bytes + at, 1);
        check(&rows[i], a, "byte by byte");
    }
    free(a);
}

static void test_long_event_is_bad(void **state)
{
    struct answer *a = calloc(1, sizeof(*a));
    char filler[ANSWER_EVENT_BYTES + 1];
    memset(filler, 'x', sizeof(filler));
    answer_init(a);
    answer_read(a, SSE "fffff\r\n", strlen(SSE "fffff\r\n"));
    answer_read(a, filler, ANSWER_EVENT_BYTES);
    assert_int_equal(a->state, ANSWER_CHUNK);
    answer_read(a, filler, 1);
    assert_int_equal(a->state, ANSWER_BAD);
    free(a);
}

static void test_long_header_is_cut_not_followed(void **state)
{
    struct answer *a = calloc(1, sizeof(*a));
    char line[3000];
    memset(line, 'y', sizeof(line));
    answer_init(a);
    answer_read(a, OK "X-Long: ", strlen(OK "X-Long: "));
    answer_read(a, line, sizeof(line));
    answer_read(a, "\r\nContent-Length: 2\r\n\r\nok", 25);
    assert_int_equal(a->state, ANSWER_DONE);
    free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_long_event_is_bad),
        cmocka_unit_test(test_long_header_is_cut_not_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
