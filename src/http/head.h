/* http/head.h -- the head of a message as both sides see it, received or to be sent. */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include "base/str.h"

struct http_header {
    struct str name, value; /* value without surrounding white space */
};

/* A received head. Lives as long as its exchange. */
struct http_head {
    struct str method;      /* requests: "POST" */
    struct str target;      /* requests: as sent */
    struct str path, query; /* of the target, not decoded; query without '?' */
    int status;             /* answers */
    struct str reason;
    bool http10;
    bool keep_alive; /* by version and Connection */
    bool chunked;
    bool expect_continue;
    int64_t content_length;            /* -1: none given */
    const struct http_header *headers; /* in order, hop-by-hop ones included */
    size_t header_count;
};

/* The value of the first header of that name (ASCII case-insensitive); an empty slice with NULL when absent. */
struct str http_get(const struct http_head *h, struct str name);
bool http_has(const struct http_head *h, struct str name);

/* True for headers that must not be forwarded: Connection and what it lists, Keep-Alive, Proxy-*, TE, Trailer, Transfer-Encoding,
 * Upgrade (RFC 9110, 7.6.1). */
bool http_is_hop_by_hop(const struct http_head *h, struct str name);

/* A head to send. Framing headers (Content-Length, Transfer-Encoding, Connection, Date) are the codec's: never in `headers`. */
struct http_out {
    struct str method, target; /* requests */
    struct str host;           /* requests: Host */
    int status;                /* answers */
    const struct http_header *headers;
    size_t header_count;
    int64_t content_length; /* -1: not known: chunked (answers to HTTP/1.0: until close) */
};

/* May this stand in a message? Names: token characters; values: no CR, LF, NUL or other control characters but tab.
 * What comes from outside is checked before it is put into http_out; the codec asserts it. */
bool http_name_ok(struct str name);
bool http_value_ok(struct str value);

const char *http_reason(int status);

#endif
