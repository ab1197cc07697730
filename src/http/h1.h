/* http/h1.h -- the HTTP/1.1 codec: bytes to messages and back, no I/O. Internal to http/.
 *
 * Reading is a pull: the caller hands in bytes and asks for the next step until H1_MORE, so it
 * may stop, close or pause between any two steps. Nothing is called back.
 *
 *   h1_init(&h, H1_REQUEST, &limits);
 *   h1_begin(&h, arena, false);
 *   for (;;) {                                 -- with each block of bytes `in`
 *       switch (h1_next(&h, &in, &body)) {
 *       case H1_MORE: return;                  -- `in` is used up
 *       case H1_HEAD: h1_head(&h) ...          -- in the arena given to h1_begin
 *       case H1_BODY: body ...                 -- a slice of `in`
 *       case H1_END: ...                       -- the rest of `in` is the next message: h1_begin
 *       case H1_FAIL: h1_error(&h), h1_why(&h) -- for good
 *       }
 *   }
 *
 * llhttp (strict) checks every byte of heads and chunk framing; what it lets pass although two
 * parsers could read it in two ways is refused here on top. A message given whole or byte by
 * byte has the same steps and the same failure.
 * Memory: a head is copied once into the arena; its headers are slices of that copy. Bodies are
 * never copied. Thread: the owner's. */
#ifndef HTTP_H1_H
#define HTTP_H1_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "http/head.h"

#include <llhttp.h>

enum h1_kind { H1_REQUEST, H1_RESPONSE };
enum h1_step { H1_MORE, H1_HEAD, H1_BODY, H1_END, H1_FAIL };
enum h1_state { H1_IN_HEAD, H1_IN_SIZED, H1_IN_CHUNKED, H1_IN_REST, H1_ENDING, H1_OVER, H1_FAILED };

struct h1_limits {
    size_t max_line;         /* the request line; for answers the status line */
    size_t max_header_bytes; /* all header lines together; trailers again as many */
    size_t max_header_count;
};

/* Embedded by its owner; the members are the codec's alone. */
struct h1 {
    llhttp_t parser;
    enum h1_kind kind;
    enum h1_state state;
    struct h1_limits limits;
    struct arena *arena;
    bool bodiless; /* the answer to a HEAD */
    int informational;

    /* the head as it came */
    char *text;
    size_t len, room;
    size_t line;        /* offset of the line being received */
    size_t first_line;  /* bytes of the first line with its CRLF; 0: not yet complete */
    size_t line_count;  /* header lines */
    const char *judged; /* `text` as it was when its first line was read into `head`, or NULL */
    int blank;          /* bytes of the one empty line that may come before a request */
    struct http_head head;

    /* the body */
    uint64_t left;    /* sized: bytes to come */
    struct str piece; /* chunked: set by the parser */
    bool in_chunk, in_trailers;
    size_t between, max_between; /* bytes outside of chunks since the last one */
    size_t trailer_count;
    char trailer_name[24];
    size_t trailer_name_len;
    enum h1_step seen; /* chunked: what the parser stopped at */

    enum err err;
    int status;
    const char *why;
};

void h1_init(struct h1 *h, enum h1_kind kind, const struct h1_limits *limits);

/* Before each message. `bodiless`: this answer has no body whatever its head says (it answers a
 * HEAD). */
void h1_begin(struct h1 *h, struct arena *a, bool bodiless);

/* The next step; takes what it used from the front of *in. H1_END and H1_FAIL repeat until
 * h1_begin.
 * Answers: 1xx heads are consumed without a step (16 at most); 101 is a failure.
 * Failures (h1_error): ERR_BAD_HTTP, ERR_URI_TOO_LONG, ERR_HEADERS_TOO_LARGE. */
enum h1_step h1_next(struct h1 *h, struct str *in, struct str *ret_body);

/* The peer has closed. H1_END: that completes this message (an answer without length); H1_MORE:
 * no byte of a message had come; H1_FAIL: it was cut off. */
enum h1_step h1_eof(struct h1 *h);

static inline const struct http_head *h1_head(const struct h1 *h) /* valid from H1_HEAD on */
{
    return &h->head;
}

static inline bool h1_started(const struct h1 *h) /* a byte of this message has come */
{
    return h->state != H1_IN_HEAD || h->len > 0 || h->blank > 0 || h->informational > 0;
}

enum err h1_error(const struct h1 *h);
int h1_status(const struct h1 *h);      /* requests: what to answer: 400, 414, 417, 431 */
const char *h1_why(const struct h1 *h); /* safe for the client: "header Host is repeated" */

/* -- writing. The writers append to `out`, a buf with a cap of H1_HEAD_CAP; names and values are
 * asserted to be sound. */
#define H1_HEAD_CAP (1024 * 1024)

enum h1_body { H1_NO_BODY, H1_LENGTH, H1_CHUNKED, H1_UNTIL_CLOSE };
enum h1_conn { H1_CONN_DEFAULT, H1_CONN_CLOSE, H1_CONN_KEEP_ALIVE };

/* H1_LENGTH writes out->content_length. `date`: "Sun, 06 Nov 1994 08:49:37 GMT". */
void h1_put_answer(struct buf *out, const struct http_out *head, enum h1_body body,
                   enum h1_conn conn, struct str date);
void h1_put_request(struct buf *out, const struct http_out *head, enum h1_body body);

/* "1f4\r\n" for a chunk of n > 0 bytes. After its bytes comes H1_CRLF, after the last chunk
 * H1_LAST_CHUNK. */
#define H1_CHUNK_LINE_BYTES 18
struct str h1_chunk_line(char ret_line[H1_CHUNK_LINE_BYTES], size_t n);
#define H1_CRLF STR("\r\n")
#define H1_LAST_CHUNK STR("0\r\n\r\n")

/* IMF-fixdate of RFC 9110. */
#define H1_DATE_BYTES 30
struct str h1_date(uint64_t unix_s, char ret_date[H1_DATE_BYTES]);

#endif
