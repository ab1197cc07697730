#include "http/h1.h"

#include <assert.h>

/* A header that could end its line early would let its sender write the rest of the message.
 * What comes from outside is checked where it enters; one that is not sound all the same is a
 * bug, and is never sent. */
static void put_headers(struct buf *out, const struct http_out *head)
{
    size_t room = 0;
    for (size_t i = 0; i < head->header_count; i++)
        room += head->headers[i].name.len + head->headers[i].value.len + 4;
    char *start = buf_reserve(out, room), *p = start;
    for (size_t i = 0; p && i < head->header_count; i++) {
        const struct http_header *h = &head->headers[i];
        bool sound = http_name_ok(h->name) && http_value_ok(h->value);
        assert(sound);
        if (!sound)
            continue;
        p = mempcpy(p, h->name.p, h->name.len);
        p = mempcpy(p, ": ", 2);
        p = h->value.len ? mempcpy(p, h->value.p, h->value.len) : p;
        p = mempcpy(p, "\r\n", 2);
    }
    if (p)
        buf_commit(out, (size_t)(p - start));
}

static void put_framing(struct buf *out, const struct http_out *head, enum h1_body body)
{
    if (body == H1_LENGTH) {
        buf_put(out, STR("Content-Length: "));
        buf_u64(out, head->content_length < 0 ? 0 : (uint64_t)head->content_length);
        buf_put(out, H1_CRLF);
    } else if (body == H1_CHUNKED) {
        buf_put(out, STR("Transfer-Encoding: chunked\r\n"));
    }
}

void h1_put_answer(struct buf *out, const struct http_out *head, enum h1_body body,
                   enum h1_conn conn, struct str date)
{
    assert(head->status >= 100 && head->status <= 999);
    buf_put(out, STR("HTTP/1.1 "));
    buf_u64(out, (uint64_t)head->status);
    buf_putc(out, ' ');
    buf_putz(out, http_reason(head->status));
    buf_put(out, STR("\r\nDate: "));
    buf_put(out, date);
    buf_put(out, H1_CRLF);
    put_headers(out, head);
    put_framing(out, head, body);
    if (conn == H1_CONN_CLOSE)
        buf_put(out, STR("Connection: close\r\n"));
    if (conn == H1_CONN_KEEP_ALIVE)
        buf_put(out, STR("Connection: keep-alive\r\n"));
    buf_put(out, H1_CRLF);
}

static bool target_ok(struct str target)
{
    for (size_t i = 0; i < target.len; i++) {
        if (target.p[i] < 0x21 || target.p[i] > 0x7e)
            return false;
    }
    return target.len > 0;
}

void h1_put_request(struct buf *out, const struct http_out *head, enum h1_body body)
{
    assert(http_name_ok(head->method) && http_value_ok(head->host));
    bool sound = target_ok(head->target);
    assert(sound);
    buf_put(out, head->method);
    buf_putc(out, ' ');
    buf_put(out, sound ? head->target : STR("/"));
    buf_put(out, STR(" HTTP/1.1\r\nHost: "));
    buf_put(out, head->host);
    buf_put(out, H1_CRLF);
    put_headers(out, head);
    put_framing(out, head, body);
    buf_put(out, H1_CRLF);
}

struct str h1_chunk_line(char ret_line[H1_CHUNK_LINE_BYTES], size_t n)
{
    assert(n > 0); /* a chunk of 0 bytes would end the message */
    size_t at = H1_CHUNK_LINE_BYTES;
    ret_line[--at] = '\n';
    ret_line[--at] = '\r';
    do {
        ret_line[--at] = "0123456789abcdef"[n & 15];
        n >>= 4;
    } while (n);
    return str_of(ret_line + at, H1_CHUNK_LINE_BYTES - at);
}

static void two_digits(char *p, unsigned v)
{
    p[0] = (char)('0' + v / 10 % 10);
    p[1] = (char)('0' + v % 10);
}

struct str h1_date(uint64_t unix_s, char ret_date[H1_DATE_BYTES])
{
    static const char days[] = "ThuFriSatSunMonTueWed"; /* 1970 began on a Thursday */
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    uint64_t days_since = unix_s / 86400;
    unsigned secs = (unsigned)(unix_s % 86400);

    /* Civil date from a day count: years begin in March, so that the leap day is the last one. */
    uint64_t z = days_since + 719468, era = z / 146097;
    unsigned doe = (unsigned)(z % 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;
    unsigned month = mp < 10 ? mp + 3 : mp - 9;
    unsigned year = (unsigned)(era * 400) + yoe + (month <= 2 ? 1 : 0);

    memcpy(ret_date, "Thu, 01 Jan 1970 00:00:00 GMT", H1_DATE_BYTES);
    memcpy(ret_date, days + days_since % 7 * 3, 3);
    two_digits(ret_date + 5, doy - (153 * mp + 2) / 5 + 1);
    memcpy(ret_date + 8, months + (month - 1) * 3, 3);
    two_digits(ret_date + 12, year / 100);
    two_digits(ret_date + 14, year);
    two_digits(ret_date + 17, secs / 3600);
    two_digits(ret_date + 20, secs / 60 % 60);
    two_digits(ret_date + 23, secs % 60);
    return str_of(ret_date, H1_DATE_BYTES - 1);
}
