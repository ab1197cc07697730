/* tests/bench/answer.h -- reads one HTTP/1.1 answer as its bytes come, and counts the events of an SSE one, of
 * OpenAI's chat and Responses, Anthropic's and Gemini's formats.
 *
 * Strict enough to notice a gateway that frames badly: a length or chunk size that is not a number, bytes
 * after the end, an answer without a length, or an event longer than ANSWER_EVENT_BYTES is ANSWER_BAD. */
#ifndef BENCH_ANSWER_H
#define BENCH_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ANSWER_EVENT_BYTES (128 * 1024) /* the last event of Responses repeats the whole answer */

enum answer_state {
    ANSWER_STATUS,
    ANSWER_HEADER,
    ANSWER_LENGTH,    /* body by Content-Length */
    ANSWER_SIZE,      /* line with a chunk's size */
    ANSWER_CHUNK,     /* a chunk's bytes */
    ANSWER_CHUNK_END, /* the line end after them */
    ANSWER_TRAILER,
    ANSWER_DONE,
    ANSWER_BAD,
};

struct answer {
    enum answer_state state;
    uint32_t status;
    bool close, sse, chunked, has_length;
    bool
        saw_done; /* the last event of the format: "[DONE]", "message_stop", "response.completed", a finishReason */
    uint64_t left;           /* of the body or chunk */
    uint64_t content_events; /* events with text that is not empty */
    uint64_t other_events;
    size_t line_n, event_n;
    char line[1024]; /* of the head or a chunk size; a longer header line is cut */
    char event[ANSWER_EVENT_BYTES];
};

void answer_init(struct answer *a);

/* Reads `n` bytes. After it: ANSWER_DONE, ANSWER_BAD, or more is needed. */
void answer_read(struct answer *a, const char *bytes, size_t n);

#endif
