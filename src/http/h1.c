/* Moving through a message.
 *
 *   IN_HEAD --> IN_SIZED ----.
 *      |    --> IN_CHUNKED --+--> OVER      (every state: --> FAILED)
 *      |    --> IN_REST -----|              IN_REST: until the connection closes
 *      `------> ENDING ------'              ENDING: no body
 *
 * A head is collected line by line into one block, which llhttp parses as it grows: it is
 * refused at its first bad byte, and understood (h1_head.c) once llhttp and the line scan agree
 * where it ends. llhttp also reads chunked bodies; a body of known length needs no parser. */
#include "http/h1.h"

#include "base/mem.h"
#include "http/h1_priv.h"

#include <assert.h>

#define MAX_INFORMATIONAL 16
#define CHUNK_DIGITS 16
#define CHUNK_EXTENSION 256

/* -- llhttp's events. It stops (HPE_PAUSED) wherever h1_next has something to say. */

static int at_head(llhttp_t *p)
{
    struct h1 *h = p->data;
    h->seen = H1_HEAD;
    return HPE_PAUSED;
}

static int at_chunk(llhttp_t *p)
{
    return HPE_PAUSED;
}

static int at_body(llhttp_t *p, const char *at, size_t n)
{
    if (!n)
        return 0;
    struct h1 *h = p->data;
    h->piece = str_of(at, n);
    h->seen = H1_BODY;
    return HPE_PAUSED;
}

static int at_end(llhttp_t *p)
{
    struct h1 *h = p->data;
    h->seen = H1_END;
    return HPE_PAUSED;
}

static int at_extension(llhttp_t *p, const char *at, size_t n)
{
    struct h1 *h = p->data;
    if (h->kind == H1_RESPONSE)
        return 0;
    h1_fail(h, ERR_BAD_HTTP, "chunk extensions are not accepted");
    return HPE_USER;
}

static int at_trailer_name(llhttp_t *p, const char *at, size_t n)
{
    struct h1 *h = p->data;
    for (size_t i = 0; i < n; i++) {
        /* A longer name is none of those looked for; the count says that it is longer. */
        if (h->trailer_name_len < sizeof h->trailer_name)
            h->trailer_name[h->trailer_name_len] = at[i];
        h->trailer_name_len++;
    }
    return 0;
}

static int at_trailer_name_end(llhttp_t *p)
{
    struct h1 *h = p->data;
    if (++h->trailer_count > h->limits.max_header_count) {
        h1_fail(h, ERR_HEADERS_TOO_LARGE, "there are too many trailers");
        return HPE_USER;
    }
    size_t n = h->trailer_name_len;
    h->trailer_name_len = 0;
    if (n <= sizeof h->trailer_name && h1_is_framing(str_of(h->trailer_name, n))) {
        h1_fail(h, ERR_BAD_HTTP, "a trailer holds a header that must stand in the head");
        return HPE_USER;
    }
    return 0;
}

/* Names of headers matter to the events in trailers alone: h1_head.c reads those of a head. */
static const llhttp_settings_t head_settings = { .on_headers_complete = at_head };
static const llhttp_settings_t chunk_settings = {
    .on_chunk_header = at_chunk,
    .on_chunk_extension_name = at_extension,
    .on_body = at_body,
    .on_message_complete = at_end,
    .on_header_field = at_trailer_name,
    .on_header_field_complete = at_trailer_name_end,
};

static void parser_restart(struct h1 *h)
{
    llhttp_init(&h->parser, h->kind == H1_REQUEST ? HTTP_REQUEST : HTTP_RESPONSE, &head_settings);
    h->parser.data = h;
}

void h1_init(struct h1 *h, enum h1_kind kind, const struct h1_limits *limits)
{
    *h = (struct h1){ .kind = kind, .limits = *limits };
    h1_begin(h, NULL, false);
}

void h1_begin(struct h1 *h, struct arena *a, bool bodiless)
{
    parser_restart(h);
    h->state = H1_IN_HEAD;
    h->arena = a;
    h->bodiless = bodiless;
    h->informational = 0;
    h->text = NULL;
    h->judged = NULL;
    h->len = h->room = h->line = h->first_line = h->line_count = 0;
    h->blank = 0;
    h->head = (struct http_head){ .content_length = -1 };
    h->left = 0;
    h->in_chunk = h->in_trailers = false;
    h->between = h->trailer_count = h->trailer_name_len = 0;
    h->max_between = CHUNK_DIGITS + 2 + (h->kind == H1_RESPONSE ? CHUNK_EXTENSION : 0);
    h->err = ERR_OK;
    h->status = 0;
    h->why = NULL;
}

enum h1_step h1_fail(struct h1 *h, enum err e, const char *why)
{
    if (h->state != H1_FAILED) { /* the first failure is the one to tell */
        h->state = H1_FAILED;
        h->err = e;
        h->why = why;
        if (!h->status)
            h->status = err_status(e);
    }
    return H1_FAIL;
}

static const char *parser_why(llhttp_errno_t e)
{
    switch (e) {
    case HPE_INVALID_METHOD: return "the method is not one of HTTP's";
    case HPE_INVALID_URL: return "the request target is not a valid one";
    case HPE_INVALID_CONSTANT:
    case HPE_INVALID_VERSION:
    case HPE_PAUSED_H2_UPGRADE: return "the version is not HTTP/1.1 or HTTP/1.0";
    case HPE_INVALID_HEADER_TOKEN: return "a header holds a character that is not allowed there";
    case HPE_CR_EXPECTED:
    case HPE_LF_EXPECTED:
    case HPE_STRICT: return "a line does not end with CR LF";
    case HPE_UNEXPECTED_CONTENT_LENGTH:
        return "Content-Length is repeated or comes with Transfer-Encoding";
    case HPE_INVALID_CONTENT_LENGTH: return "Content-Length is not a plain decimal number";
    case HPE_INVALID_TRANSFER_ENCODING: return "Transfer-Encoding is not just chunked";
    case HPE_UNEXPECTED_SPACE: return "there is white space where none is allowed";
    case HPE_INVALID_CHUNK_SIZE: return "a chunk size is not a plain hexadecimal number";
    case HPE_INVALID_STATUS: return "the status is not a number of three digits";
    default: return "the message is not valid HTTP/1.1";
    }
}

/* -- the head */

struct scan {
    size_t used; /* bytes of the input that belong to the head and are sound so far */
    bool end;    /* they complete it */
    enum err err;
    const char *why;
};

static void scan_stop(struct scan *s, size_t used, enum err e, const char *why)
{
    s->used = used;
    s->err = e;
    s->why = why;
}

/* False when the head up to the absolute offset `end` passes a limit. */
static bool within_limits(const struct h1 *h, size_t end, struct scan *s)
{
    size_t max_first = h->limits.max_line + 2; /* with CR LF */
    size_t max = h->first_line ? h->first_line + h->limits.max_header_bytes : max_first;
    if (end <= max)
        return true;
    size_t used = max > h->len ? max - h->len : 0;
    if (h->first_line)
        scan_stop(s, used, ERR_HEADERS_TOO_LARGE, "the headers are too large");
    else
        scan_stop(s, used, ERR_URI_TOO_LONG, "the first line is too long");
    return false;
}

/* Follows the lines of the head through `in`. Every line must end with CR LF; an empty one ends
 * the head. */
static struct scan scan_lines(struct h1 *h, struct str in)
{
    struct scan s = { 0 };
    for (size_t pos = 0;;) {
        const char *nl = memchr(in.p + pos, '\n', in.len - pos);
        size_t at = nl ? (size_t)(nl - in.p) : in.len;
        size_t end = h->len + at + (nl ? 1 : 0);
        if (!within_limits(h, end, &s))
            return s;
        if (!nl) {
            s.used = in.len;
            return s;
        }
        char before = at > 0 ? nl[-1] : h->len ? h->text[h->len - 1] : '\0';
        if (before != '\r') {
            scan_stop(&s, at, ERR_BAD_HTTP, "a line does not end with CR LF");
            return s;
        }
        if (!h->first_line) {
            h->first_line = end;
        } else if (end - h->line == 2) {
            s.used = at + 1;
            s.end = true;
            return s;
        } else if (++h->line_count > h->limits.max_header_count) {
            scan_stop(&s, at, ERR_HEADERS_TOO_LARGE, "there are too many headers");
            return s;
        }
        h->line = end;
        pos = at + 1;
    }
}

static void keep_text(struct h1 *h, struct str part, bool end)
{
    size_t need = h->len + part.len;
    if (need > h->room) {
        size_t room = end ? need : need * 2 < KIB ? KIB : need * 2;
        char *text = arena_alloc(h->arena, room);
        if (h->len)
            memcpy(text, h->text, h->len);
        h->text = text;
        h->room = room;
    }
    if (part.len)
        memcpy(h->text + h->len, part.p, part.len);
    h->len = need;
}

/* Gives llhttp the text from..to. It must stop at the end of the head, if that is `end`, and
 * nowhere else. */
static bool parse_text(struct h1 *h, size_t from, size_t to, bool end)
{
    if (from == to)
        return true;
    llhttp_errno_t e = llhttp_execute(&h->parser, h->text + from, to - from);
    if (e == (end ? HPE_PAUSED : HPE_OK) &&
        (!end || llhttp_get_error_pos(&h->parser) == h->text + to))
        return true;
    h1_fail(h, ERR_BAD_HTTP, e == HPE_PAUSED ? parser_why(HPE_STRICT) : parser_why(e));
    return false;
}

/* RFC 9112, 2.2: one empty line before a request is a known habit of old clients. */
static bool skip_blank(struct h1 *h, struct str *in)
{
    while (in->len && (*in->p == '\r' || *in->p == '\n')) {
        if (h->kind == H1_RESPONSE || h->blank == 2 || *in->p != "\r\n"[h->blank]) {
            h1_fail(h, ERR_BAD_HTTP, "the message begins with an empty line");
            return false;
        }
        h->blank++;
        *in = str_skip(*in, 1);
    }
    if (in->len && h->blank == 1) {
        h1_fail(h, ERR_BAD_HTTP, parser_why(HPE_LF_EXPECTED));
        return false;
    }
    return true;
}

static enum h1_step head_step(struct h1 *h, struct str *in)
{
    if (h->len == 0 && !skip_blank(h, in))
        return H1_FAIL;
    if (!in->len)
        return H1_MORE;
    size_t from = h->len;
    bool had_first_line = h->first_line > 0;
    struct scan s = scan_lines(h, *in);
    keep_text(h, str_head(*in, s.used), s.end);
    *in = str_skip(*in, s.used);
    /* The first line is judged as soon as it is there, before what follows it. */
    if (!had_first_line && h->first_line && h->first_line <= h->len) {
        if (!parse_text(h, from, h->first_line, false) || !h1_read_first_line(h))
            return H1_FAIL;
        from = h->first_line;
    }
    if (!parse_text(h, from, h->len, s.end))
        return H1_FAIL;
    if (s.err)
        return h1_fail(h, s.err, s.why);
    if (!s.end)
        return H1_MORE;
    llhttp_resume(&h->parser);
    if (!h1_read_head(h))
        return H1_FAIL;
    if (h->state == H1_IN_CHUNKED)
        h->parser.settings = (void *)&chunk_settings;
    return H1_HEAD;
}

/* True when this was an interim answer (100, 102, 103): the next head follows. */
static bool skip_informational(struct h1 *h)
{
    if (h->kind != H1_RESPONSE || h->head.status >= 200 || h->state == H1_FAILED)
        return false;
    if (h->head.status == 101 || h->informational == MAX_INFORMATIONAL) {
        h1_fail(h, ERR_BAD_HTTP, "too many interim answers, or an upgrade that nobody asked for");
        return false;
    }
    int seen = h->informational + 1;
    h1_begin(h, h->arena, h->bodiless);
    h->informational = seen;
    return true;
}

/* -- bodies */

static enum h1_step sized_step(struct h1 *h, struct str *in, struct str *ret_body)
{
    if (h->left == 0) {
        h->state = H1_OVER;
        return H1_END;
    }
    if (!in->len)
        return H1_MORE;
    *ret_body = in->len > h->left ? str_head(*in, (size_t)h->left) : *in;
    *in = str_skip(*in, ret_body->len);
    h->left -= ret_body->len;
    return H1_BODY;
}

static enum h1_step rest_step(struct str *in, struct str *ret_body)
{
    if (!in->len)
        return H1_MORE;
    *ret_body = *in;
    *in = str_skip(*in, in->len);
    return H1_BODY;
}

/* Between chunks: a size has a bounded number of digits, trailers a bounded length. Returns how
 * many of n bytes llhttp may be given before that is to be looked at again. */
static size_t chunk_allowance(const struct h1 *h, size_t n)
{
    if (h->in_chunk)
        return n;
    size_t left = h->max_between - h->between + 1;
    return n < left ? n : left;
}

static bool chunk_lines_ok(struct h1 *h, size_t used)
{
    h->between += used;
    if (h->between <= h->max_between)
        return true;
    if (h->in_trailers)
        h1_fail(h, ERR_HEADERS_TOO_LARGE, "the trailers are too large");
    else
        h1_fail(h, ERR_BAD_HTTP, "a chunk size has too many digits");
    return false;
}

/* llhttp has read a size line. */
static void chunk_begun(struct h1 *h)
{
    h->in_chunk = h->parser.content_length > 0;
    h->in_trailers = !h->in_chunk;
    h->between = 0;
    if (h->in_trailers)
        h->max_between = h->limits.max_header_bytes;
}

static void chunk_part(struct h1 *h)
{
    h->in_chunk = h->parser.content_length > 0;
    /* CR LF of this chunk, then the next size line. */
    h->max_between = 2 + CHUNK_DIGITS + 2 + (h->kind == H1_RESPONSE ? CHUNK_EXTENSION : 0);
}

static enum h1_step chunked_step(struct h1 *h, struct str *in, struct str *ret_body)
{
    while (in->len) {
        size_t n = chunk_allowance(h, in->len);
        h->seen = H1_MORE;
        llhttp_errno_t e = llhttp_execute(&h->parser, in->p, n);
        if (h->state == H1_FAILED)
            return H1_FAIL; /* one of the callbacks said why */
        if (e != HPE_OK && e != HPE_PAUSED)
            return h1_fail(h, ERR_BAD_HTTP, parser_why(e));
        size_t used = e == HPE_OK ? n : (size_t)(llhttp_get_error_pos(&h->parser) - in->p);
        *in = str_skip(*in, used);
        if (e == HPE_PAUSED)
            llhttp_resume(&h->parser);
        if (h->seen == H1_BODY) {
            chunk_part(h);
            *ret_body = h->piece;
            return H1_BODY;
        }
        if (!chunk_lines_ok(h, used))
            return H1_FAIL;
        if (h->seen == H1_END) {
            h->state = H1_OVER;
            return H1_END;
        }
        if (e == HPE_PAUSED)
            chunk_begun(h);
    }
    return H1_MORE;
}

enum h1_step h1_next(struct h1 *h, struct str *in, struct str *ret_body)
{
    switch (h->state) {
    case H1_IN_HEAD:
        for (;;) {
            enum h1_step step = head_step(h, in);
            if (step != H1_HEAD)
                return step;
            if (!skip_informational(h))
                return h->state == H1_FAILED ? H1_FAIL : H1_HEAD;
        }
    case H1_IN_SIZED: return sized_step(h, in, ret_body);
    case H1_IN_CHUNKED: return chunked_step(h, in, ret_body);
    case H1_IN_REST: return rest_step(in, ret_body);
    case H1_ENDING: h->state = H1_OVER; return H1_END;
    case H1_OVER: return H1_END;
    case H1_FAILED: return H1_FAIL;
    }
    return H1_FAIL;
}

enum h1_step h1_eof(struct h1 *h)
{
    switch (h->state) {
    case H1_IN_HEAD:
        if (h->len == 0 && h->informational == 0)
            return H1_MORE;
        break;
    case H1_IN_REST:
    case H1_ENDING: h->state = H1_OVER; return H1_END;
    case H1_IN_SIZED:
        if (h->left > 0)
            break;
        h->state = H1_OVER;
        return H1_END;
    case H1_OVER: return H1_END;
    case H1_IN_CHUNKED:
    case H1_FAILED: break;
    }
    return h1_fail(h, ERR_BAD_HTTP, "the connection was closed in the middle of a message");
}

enum err h1_error(const struct h1 *h)
{
    return h->err;
}

int h1_status(const struct h1 *h)
{
    return h->status;
}

const char *h1_why(const struct h1 *h)
{
    return h->why ? h->why : "";
}
