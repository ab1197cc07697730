/* wire/sse.h -- server-sent events: cuts a byte stream into whole events (WHATWG HTML,
 * "Server-sent events").
 *
 * The unit is the whole event: a partial one waits for the rest; all complete ones of a read are
 * given out one after another. LF, CRLF and CR end lines; a BOM at the start is skipped; several
 * data lines are joined by a space, not by the standard's LF: data is JSON, to which both are white
 * space, and so it stays one line that an event can hold again. Comments and bare blank lines are
 * events without data. Every byte after the BOM is in the `raw` of exactly one event, so that a stream can be forwarded as it
 * came. Bytes are not checked to be UTF-8: who reads the data does that.
 *
 *   sse_push(&s, bytes);
 *   while ((e = sse_next(&s, &event)) == ERR_OK) use(&event);  -- then ERR_AGAIN or ERR_TOO_LARGE
 *
 * Fast path: when the pushed bytes hold whole events and nothing waits, events borrow the pushed
 * bytes, nothing is copied. No byte is looked at twice to find where an event ends, however small
 * the pushes.
 * Pure; thread: the owner's. */
#ifndef WIRE_SSE_H
#define WIRE_SSE_H

#include "base/buf.h"

#define SSE_EVENT_MAX (8 * 1024 * 1024)

struct sse_event {
    struct str raw;  /* the whole event as it came, its closing blank line included */
    struct str name; /* `event:` field; empty: "message" is meant */
    struct str data; /* joined data lines; borrowed from raw when there is one data line */
    bool has_data;
};

/* Where in the lines of an event the stream stands. */
enum sse_place {
    SSE_BOM,      /* at the start: nothing yet, or part of a byte order mark */
    SSE_LINE,     /* at the start of a line */
    SSE_TEXT,     /* in a line */
    SSE_TEXT_CR,  /* after a CR that ended a line: an LF may belong to it */
    SSE_BLANK_CR, /* after a CR that ended a blank line: likewise, then the event is complete */
};

struct sse {           /* private */
    struct buf held;   /* a partial event */
    struct buf joined; /* data lines of the event given out last */
    struct str in;     /* bytes pushed and not yet consumed: borrowed until ERR_AGAIN */
    enum sse_place place;
    bool given; /* the event in `held` was given out */
    bool finished;
};

void sse_init(struct sse *s, size_t event_max);
void sse_done(struct sse *s);

/* Gives bytes, once sse_next has answered ERR_AGAIN for the former ones (asserted). They must stay
 * valid until it does so again (which moves a partial rest into `held`). */
void sse_push(struct sse *s, struct str bytes);

/* Tells that the stream has ended: a closing CR need not wait any longer for the LF that might
 * belong to it. Take events until ERR_AGAIN once more; what sse_pending tells then was cut. */
void sse_finish(struct sse *s);

/* The next whole event, valid until the next call of sse_next or sse_push.
 * Errors: ERR_AGAIN (push more), ERR_TOO_LARGE (an event beyond the cap; the stream is unusable).
 */
MUST_CHECK enum err sse_next(struct sse *s, struct sse_event *ret_event);

/* What is left after sse_finish and ERR_AGAIN, read as if its blank line had come; the WHATWG
 * would drop it, but some servers end with "data: [DONE]" and no more. False when nothing is left.
 * Valid until sse_done. */
bool sse_rest(struct sse *s, struct sse_event *ret_event);

/* Bytes of an event that has not ended: > 0 at the end of a stream means that it was cut in the
 * middle of an event. */
size_t sse_pending(const struct sse *s);

#endif
