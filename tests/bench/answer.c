#include "answer.h"

#include <string.h>
#include <strings.h>

#define BODY_CAP_BYTES (1ull << 32)

void answer_init(struct answer *a)
{
    /* The arrays are written before they are read. */
    memset(a, 0, offsetof(struct answer, line));
}

static bool event_has(const struct answer *a, const char *text)
{
    return memmem(a->event, a->event_n, text, strlen(text)) != NULL;
}

/* A member with this start of a string that is not empty. */
static bool event_has_text(const struct answer *a, const char *start)
{
    const char *found = memmem(a->event, a->event_n, start, strlen(start));
    const char *after = found ? found + strlen(start) : NULL;
    return after && after < a->event + a->event_n && *after != '"';
}

static bool event_starts(const struct answer *a, const char *text)
{
    size_t n = strlen(text);
    return a->event_n >= n && memcmp(a->event, text, n) == 0;
}

static void event_end(struct answer *a)
{
    bool content = false;
    while (a->event_n > 0 && a->event[a->event_n - 1] == '\n')
        a->event_n--;
    if (a->event_n == 12 && event_starts(a, "data: [DONE]")) {
        a->saw_done = true;
        a->event_n = 0;
        return;
    }
    if (event_starts(a,
                     "event: ")) { /* Anthropic's, or of the Responses API: the name says it all */
        content = event_starts(a, "event: content_block_delta\n") ||
                  event_starts(a, "event: response.output_text.delta\n");
        a->saw_done |= event_starts(a, "event: message_stop\n") ||
                       event_starts(a, "event: response.completed\n");
    } else if (event_starts(a, "data: ")) {
        content = event_has_text(a, "\"content\":\"") || event_has_text(a, "\"text\":\"");
        a->saw_done |= event_has(a, "\"finishReason\":\""); /* Gemini's last */
    } else {                                                /* a comment */
        a->event_n = 0;
        return;
    }
    *(content ? &a->content_events : &a->other_events) += 1;
    a->event_n = 0;
}

static void body_bytes(struct answer *a, const char *bytes, size_t n)
{
    if (!a->sse)
        return;
    while (n > 0) {
        const char *line_end = memchr(bytes, '\n', n);
        size_t take = line_end ? (size_t)(line_end - bytes) + 1 : n;
        if (take > ANSWER_EVENT_BYTES - a->event_n) {
            a->state = ANSWER_BAD;
            return;
        }
        memcpy(a->event + a->event_n, bytes, take);
        a->event_n += take;
        if (line_end && a->event_n > 1 && a->event[a->event_n - 2] == '\r')
            a->event[--a->event_n - 1] = '\n';
        if (line_end && (a->event_n == 1 || a->event[a->event_n - 2] == '\n'))
            event_end(a);
        bytes += take;
        n -= take;
    }
}

/* Digits of `base` at the start of the text; false without one or beyond BODY_CAP_BYTES. */
static bool read_number(const char *text, uint32_t base, uint64_t *ret_value)
{
    uint64_t value = 0;
    size_t i = 0;
    for (;; i++) {
        uint32_t digit = 99;
        if (text[i] >= '0' && text[i] <= '9')
            digit = (uint32_t)(text[i] - '0');
        else if ((text[i] | 32) >= 'a' && (text[i] | 32) <= 'f')
            digit = (uint32_t)((text[i] | 32) - 'a') + 10;
        if (digit >= base)
            break;
        value = value * base + digit;
        if (value > BODY_CAP_BYTES)
            return false;
    }
    *ret_value = value;
    return i > 0 && (text[i] == '\0' || text[i] == ';' || text[i] == ' ');
}

/* The value of a header line when its name is `name`, else NULL. */
static const char *header_value(const char *line, const char *name)
{
    size_t n = strlen(name);
    if (strncasecmp(line, name, n) != 0 || line[n] != ':')
        return NULL;
    line += n + 1;
    while (*line == ' ')
        line++;
    return line;
}

static enum answer_state on_status(struct answer *a)
{
    uint64_t status;
    if (strncmp(a->line, "HTTP/1.1 ", 9) != 0 || !read_number(a->line + 9, 10, &status) ||
        status < 100 || status > 599)
        return ANSWER_BAD;
    a->status = (uint32_t)status;
    return ANSWER_HEADER;
}

static enum answer_state on_header(struct answer *a)
{
    const char *value;
    if (a->line_n == 0) {
        if (a->status == 100) {
            answer_init(a);
            return ANSWER_STATUS;
        }
        if (a->chunked == a->has_length) /* neither, or both */
            return ANSWER_BAD;
        return a->chunked ? ANSWER_SIZE : a->left > 0 ? ANSWER_LENGTH : ANSWER_DONE;
    }
    if ((value = header_value(a->line, "content-length")) != NULL) {
        if (a->has_length || !read_number(value, 10, &a->left))
            return ANSWER_BAD;
        a->has_length = true;
    } else if ((value = header_value(a->line, "transfer-encoding")) != NULL) {
        if (strcasecmp(value, "chunked") != 0)
            return ANSWER_BAD;
        a->chunked = true;
    } else if ((value = header_value(a->line, "content-type")) != NULL) {
        a->sse = strncasecmp(value, "text/event-stream", 17) == 0;
    } else if ((value = header_value(a->line, "connection")) != NULL) {
        a->close = strcasecmp(value, "close") == 0;
    }
    return ANSWER_HEADER;
}

static enum answer_state on_size(struct answer *a)
{
    if (!read_number(a->line, 16, &a->left))
        return ANSWER_BAD;
    return a->left > 0 ? ANSWER_CHUNK : ANSWER_TRAILER;
}

static enum answer_state on_line(struct answer *a)
{
    switch (a->state) {
    case ANSWER_STATUS: return on_status(a);
    case ANSWER_HEADER: return on_header(a);
    case ANSWER_SIZE: return on_size(a);
    case ANSWER_CHUNK_END: return a->line_n == 0 ? ANSWER_SIZE : ANSWER_BAD;
    case ANSWER_TRAILER: return a->line_n == 0 ? ANSWER_DONE : ANSWER_TRAILER;
    default: return ANSWER_BAD;
    }
}

/* Takes bytes up to a line end; runs the state when the line is whole. Returns the bytes taken. */
static size_t line_bytes(struct answer *a, const char *bytes, size_t n)
{
    const char *end = memchr(bytes, '\n', n);
    size_t take = end ? (size_t)(end - bytes) : n;
    size_t kept = take < sizeof(a->line) - 1 - a->line_n ? take : sizeof(a->line) - 1 - a->line_n;
    memcpy(a->line + a->line_n, bytes, kept);
    a->line_n += kept;
    if (!end)
        return n;
    if (a->line_n > 0 && a->line[a->line_n - 1] == '\r')
        a->line_n--;
    a->line[a->line_n] = '\0';
    a->state = on_line(a);
    a->line_n = 0;
    return take + 1;
}

void answer_read(struct answer *a, const char *bytes, size_t n)
{
    while (n > 0 && a->state != ANSWER_BAD) {
        size_t take;
        if (a->state == ANSWER_DONE) {
            a->state = ANSWER_BAD;
            return;
        }
        if (a->state == ANSWER_LENGTH || a->state == ANSWER_CHUNK) {
            take = n < a->left ? n : (size_t)a->left;
            a->left -= take;
            body_bytes(a, bytes, take);
            if (a->left == 0 && a->state != ANSWER_BAD)
                a->state = a->state == ANSWER_LENGTH ? ANSWER_DONE : ANSWER_CHUNK_END;
        } else {
            take = line_bytes(a, bytes, n);
        }
        bytes += take;
        n -= take;
    }
}
