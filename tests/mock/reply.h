/* mock/reply.h -- a reply under construction: status, headers, and a payload in pieces (the events of a stream).
 *
 * A reply is its connection's and is used again: handlers append, play.c sends. */
#ifndef MOCK_REPLY_H
#define MOCK_REPLY_H

#include "base/buf.h"
#include "mock/mock.h"

struct reply {
    int status;
    struct str type;    /* Content-Type */
    struct buf headers; /* more header lines, each with CRLF */
    struct buf body;    /* the payload */
    size_t *ends;       /* where each piece ends in body; none: the body is one piece */
    size_t count, room;
    bool stream;  /* sent piece by piece, chunked */
    bool content; /* made by a model: an invoice line is due */
    uint64_t prompt_tokens, completion_tokens;
};

void reply_init(struct reply *rp);
void reply_done(struct reply *rp);
void reply_reset(struct reply *rp);

void reply_header(struct reply *rp, const char *name, struct str value);
/* Ends a piece here. */
void reply_piece(struct reply *rp);
/* Drops what was built after byte `at`. */
void reply_truncate(struct reply *rp, size_t at);

/* Line ends of a stream become CRLF. */
void reply_crlf(struct reply *rp);

/* An error in OpenAI's shape; `param` and `code` may be NULL. */
void reply_error(struct reply *rp, int status, const char *type, const char *param,
                 const char *code, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* A JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void put_json(struct buf *b, struct str s);
void put_base64(struct buf *b, const void *bytes, size_t n);

#endif
