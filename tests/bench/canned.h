/* tests/bench/canned.h -- what the upstream of the benchmarks says, in each of the formats that weir speaks to providers.
 * Made once at the start: whole HTTP answers and chunks, ready to be sent. */
#ifndef BENCH_CANNED_H
#define BENCH_CANNED_H

#include <stdbool.h>
#include <stddef.h>

#define EVENT_BYTES 330 /* of a content event: all of its lines and the empty one */

struct text {
    char bytes[4096];
    size_t n;
};

/* One format. A stream is `start`, any number of `event`, `end`. */
struct script {
    struct text answer; /* a whole answer, of about 0.6 kB */
    struct text start, event, end;
};

enum script_id {
    SCRIPT_CHAT,
    SCRIPT_CHAT_USAGE, /* of a stream that asks for its usage: a member more in each event, an event more at the end */
    SCRIPT_ANTHROPIC,
    SCRIPT_GEMINI,
    SCRIPT_RESPONSES,
    SCRIPT_COUNT,
};

/* Ends the program when `t` is full. */
void text_add(struct text *t, const char *bytes, size_t n);

/* By the request line: Anthropic's .../messages, Gemini's ...:generateContent and ...:streamGenerateContent, .../responses;
 * anything else is a chat.
 * Of Gemini's alone the line tells whether a stream is asked for. */
enum script_id script_of(const char *line, size_t n, bool *ret_gemini_stream);

void scripts_make(struct script scripts[SCRIPT_COUNT]);

#endif
