/* What the server refuses and what it must take, as raw bytes over a socket: whole, and byte by
 * byte. A refusal is a 4xx with "Connection: close", after which the connection ends; nothing
 * that follows on the wire is taken for a request. */
#include "server_rig.h"

#include "base/clock.h"

#include <unistd.h>

#define HOST "Host: a\r\n"
#define CHUNKED "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
#define NEXT "GET /smuggled HTTP/1.1\r\n" HOST "\r\n"

struct refuse_row {
    const char *name;
    struct str bytes;
    int status; /* 0: 400 */
};
#define ROW(name, bytes)                                                                           \
    {                                                                                              \
        name, STR_INIT(bytes), 0                                                                   \
    }
#define ROW_S(name, status, bytes)                                                                 \
    {                                                                                              \
        name, STR_INIT(bytes), status                                                              \
    }

static const struct refuse_row refuse_rows[] = {
    /* the request line */
    ROW("no host", "GET / HTTP/1.1\r\n\r\n" NEXT),
    ROW("HTTP/0.9", "GET /\r\n"),
    ROW("HTTP/0.9 with a head", "GET /\r\n" HOST "\r\n"),
    ROW("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ROW("HTTP/2.0", "GET / HTTP/2.0\r\n" HOST "\r\n"),
    ROW("HTTP/1.2", "GET / HTTP/1.2\r\n" HOST "\r\n"),
    ROW("HTTP/3.1", "GET / HTTP/3.1\r\n" HOST "\r\n"),
    ROW("HTTP/1.10", "GET / HTTP/1.10\r\n" HOST "\r\n"),
    ROW("HTTP/01.1", "GET / HTTP/01.1\r\n" HOST "\r\n"),
    ROW("HTTP/1", "GET / HTTP/1\r\n" HOST "\r\n"),
    ROW("http/1.1", "GET / http/1.1\r\n" HOST "\r\n"),
    ROW("RTSP", "OPTIONS / RTSP/1.0\r\n" HOST "\r\n"),
    ROW("ICE", "SOURCE / ICE/1.0\r\n" HOST "\r\n"),
    ROW("no version", "GET / \r\n" HOST "\r\n"),
    ROW("space after the version", "GET / HTTP/1.1 \r\n" HOST "\r\n"),
    ROW("two spaces before the target", "GET  / HTTP/1.1\r\n" HOST "\r\n"),
    ROW("two spaces before the version", "GET /  HTTP/1.1\r\n" HOST "\r\n"),
    ROW("a tab instead of a space", "GET\t/\tHTTP/1.1\r\n" HOST "\r\n"),
    ROW("space in the target", "GET /a b HTTP/1.1\r\n" HOST "\r\n"),
    ROW("space before the method", " GET / HTTP/1.1\r\n" HOST "\r\n"),
    ROW("lower-case method", "get / HTTP/1.1\r\n" HOST "\r\n"),
    ROW("unknown method", "FOO / HTTP/1.1\r\n" HOST "\r\n"),
    ROW("method with a slash", "GE/T / HTTP/1.1\r\n" HOST "\r\n"),
    ROW("method with a NUL", "GE\0T / HTTP/1.1\r\n" HOST "\r\n"),
    ROW("method alone", "GET\r\n\r\n"),
    ROW("CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"),
    ROW("CONNECT with a path", "CONNECT / HTTP/1.1\r\n" HOST "\r\n"),
    ROW("CONNECT with a URL", "CONNECT http://a/ HTTP/1.1\r\n" HOST "\r\n"),
    ROW("* with GET", "GET * HTTP/1.1\r\n" HOST "\r\n"),
    ROW("*/ with OPTIONS", "OPTIONS */ HTTP/1.1\r\n" HOST "\r\n"),
    ROW("fragment", "GET /a#b HTTP/1.1\r\n" HOST "\r\n"),
    ROW("non-ASCII target", "GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n"),
    ROW("byte 0xff in the target", "GET /\xff HTTP/1.1\r\n" HOST "\r\n"),
    ROW("DEL in the target", "GET /\x7f HTTP/1.1\r\n" HOST "\r\n"),
    ROW("NUL in the target", "GET /\0 HTTP/1.1\r\n" HOST "\r\n"),
    ROW("control character in the target", "GET /\x01 HTTP/1.1\r\n" HOST "\r\n"),
    ROW("target without a slash", "GET a HTTP/1.1\r\n" HOST "\r\n"),
    ROW("absolute form, another host", "GET http://b/ HTTP/1.1\r\n" HOST "\r\n"),
    ROW("absolute form, another port", "GET http://a:81/ HTTP/1.1\r\n" HOST "\r\n"),
    ROW("absolute form, userinfo", "GET http://u@a/ HTTP/1.1\r\n" HOST "\r\n"),
    ROW("absolute form, no authority", "GET http:/// HTTP/1.1\r\n" HOST "\r\n"),
    ROW("absolute form without Host", "GET http://a/ HTTP/1.1\r\n\r\n"),
    ROW("absolute form, HTTP/1.0 without Host", "GET http://a/ HTTP/1.0\r\n\r\n"),
    ROW("another scheme", "GET ftp://a/ HTTP/1.1\r\n" HOST "\r\n"),
    ROW("two empty lines first", "\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n"),
    ROW("bare LF first", "\nGET / HTTP/1.1\r\n" HOST "\r\n"),
    ROW("bare CR first", "\rGET / HTTP/1.1\r\n" HOST "\r\n"),
    ROW("a TLS hello", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    /* line ends and white space */
    ROW("bare LF after the request line", "GET / HTTP/1.1\n" HOST "\r\n"),
    ROW("bare LF after a header", "GET / HTTP/1.1\r\nHost: a\n\r\n"),
    ROW("bare LF at the end", "GET / HTTP/1.1\r\n" HOST "\n"),
    ROW("bare LF everywhere", "GET / HTTP/1.1\nHost: a\n\n"),
    ROW("bare CR in the request line", "GET / HTTP/1.1\rHost: a\r\n\r\n"),
    ROW("bare CR in a value", "GET / HTTP/1.1\r\n" HOST "X: a\rb\r\n\r\n"),
    ROW("CR CR LF", "GET / HTTP/1.1\r\n" HOST "X: a\r\r\n\r\n"),
    ROW("CR CR LF at the end", "GET / HTTP/1.1\r\n" HOST "\r\r\n"),
    ROW("NUL in a value", "GET / HTTP/1.1\r\n" HOST "X: a\0b\r\n\r\n"),
    ROW("control character in a value", "GET / HTTP/1.1\r\n" HOST "X: a\x01"
                                        "b\r\n\r\n"),
    ROW("DEL in a value", "GET / HTTP/1.1\r\n" HOST "X: a\x7f"
                          "b\r\n\r\n"),
    ROW("folded header", "GET / HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n"),
    ROW("folded with a tab", "GET / HTTP/1.1\r\n" HOST "X: a\r\n\tb\r\n\r\n"),
    ROW("folded first header", "GET / HTTP/1.1\r\n X: a\r\n" HOST "\r\n"),
    ROW("tab before the first header", "GET / HTTP/1.1\r\n\tX: a\r\n" HOST "\r\n"),
    ROW("space before the colon", "GET / HTTP/1.1\r\n" HOST "X : a\r\n\r\n"),
    ROW("tab before the colon", "GET / HTTP/1.1\r\n" HOST "X\t: a\r\n\r\n"),
    ROW("space before Content-Length's colon",
        "POST / HTTP/1.1\r\n" HOST "Content-Length : 5\r\n\r\nhello"),
    ROW("no colon", "GET / HTTP/1.1\r\n" HOST "X\r\n\r\n"),
    ROW("empty name", "GET / HTTP/1.1\r\n" HOST ": a\r\n\r\n"),
    ROW("non-ASCII name", "GET / HTTP/1.1\r\n" HOST "\xc3\xa9: a\r\n\r\n"),
    ROW("name with a bracket", "GET / HTTP/1.1\r\n" HOST "X[1]: a\r\n\r\n"),
    ROW("name with a NUL", "GET / HTTP/1.1\r\n" HOST "X\0Y: a\r\n\r\n"),
    ROW("name with a quote", "GET / HTTP/1.1\r\n" HOST "\"X\": a\r\n\r\n"),
    /* Host */
    ROW("Host twice", "GET / HTTP/1.1\r\n" HOST "Host: b\r\n\r\n"),
    ROW("Host twice, equal", "GET / HTTP/1.1\r\n" HOST HOST "\r\n"),
    ROW("Host twice, HTTP/1.0", "GET / HTTP/1.0\r\n" HOST HOST "\r\n"),
    ROW("empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
    ROW("blank Host", "GET / HTTP/1.1\r\nHost:  \r\n\r\n"),
    ROW("listed Host", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"),
    ROW("Host with userinfo", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
    ROW("Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    ROW("Host with a query", "GET / HTTP/1.1\r\nHost: a?b\r\n\r\n"),
    ROW("Host with a scheme", "GET / HTTP/1.1\r\nHost: http://a\r\n\r\n"),
    ROW("Host with a space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
    ROW("Host with a bad port", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n"),
    ROW("Host with an empty port", "GET / HTTP/1.1\r\nHost: a:\r\n\r\n"),
    ROW("Host with a large port", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n"),
    ROW("Host with a padded port", "GET / HTTP/1.1\r\nHost: a:000080\r\n\r\n"),
    ROW("Host with two ports", "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n"),
    ROW("Host with a port alone", "GET / HTTP/1.1\r\nHost: :80\r\n\r\n"),
    ROW("Host with an open bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"),
    ROW("Host with empty brackets", "GET / HTTP/1.1\r\nHost: []\r\n\r\n"),
    ROW("Host with text after brackets", "GET / HTTP/1.1\r\nHost: [::1]a\r\n\r\n"),
    ROW("non-ASCII Host", "GET / HTTP/1.1\r\nHost: \xc3\xa9\r\n\r\n"),
    /* Content-Length */
    ROW("length twice",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
    ROW("length twice, equal",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
    ROW("listed length", "POST / HTTP/1.1\r\n" HOST "Content-Length: 5, 5\r\n\r\nhello"),
    ROW("empty length", "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\nhello"),
    ROW("length with a plus", "POST / HTTP/1.1\r\n" HOST "Content-Length: +5\r\n\r\nhello"),
    ROW("length with a minus", "POST / HTTP/1.1\r\n" HOST "Content-Length: -5\r\n\r\nhello"),
    ROW("negative zero", "POST / HTTP/1.1\r\n" HOST "Content-Length: -0\r\n\r\n"),
    ROW("hexadecimal length", "POST / HTTP/1.1\r\n" HOST "Content-Length: 0x5\r\n\r\nhello"),
    ROW("octal-looking length", "POST / HTTP/1.1\r\n" HOST "Content-Length: 010\r\n\r\n0123456789"),
    ROW("length 00", "POST / HTTP/1.1\r\n" HOST "Content-Length: 00\r\n\r\n"),
    ROW("length with a fraction", "POST / HTTP/1.1\r\n" HOST "Content-Length: 5.0\r\n\r\nhello"),
    ROW("length with an underscore", "POST / HTTP/1.1\r\n" HOST "Content-Length: 1_0\r\n\r\nhello"),
    ROW("length with a space within",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 1 0\r\n\r\n0123456789"),
    ROW("two spaces before the length",
        "POST / HTTP/1.1\r\n" HOST "Content-Length:  5\r\n\r\nhello"),
    ROW("tab before the length", "POST / HTTP/1.1\r\n" HOST "Content-Length:\t5\r\n\r\nhello"),
    ROW("space after the length", "POST / HTTP/1.1\r\n" HOST "Content-Length: 5 \r\n\r\nhello"),
    ROW("length overflows 64 bits",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551621\r\n\r\nhello"),
    ROW("length overflows 63 bits",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 9223372036854775808\r\n\r\nhello"),
    ROW("length in words", "POST / HTTP/1.1\r\n" HOST "Content-Length: five\r\n\r\nhello"),
    ROW("content_length", "POST / HTTP/1.1\r\n" HOST "Content_Length: 5\r\n\r\nhello"),
    ROW("content_length and Content-Length",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\ncontent_length: 0\r\n\r\nhello"),
    /* Transfer-Encoding */
    ROW("coding with a length",
        "POST / HTTP/1.1\r\n" HOST
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" NEXT),
    ROW("length after coding",
        "POST / HTTP/1.1\r\n" HOST
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" NEXT),
    ROW("coding in HTTP/1.0",
        "POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ROW("chunked, chunked",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    ROW("chunked twice",
        "POST / HTTP/1.1\r\n" HOST
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ROW("gzip, chunked",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    ROW("chunked, gzip",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"),
    ROW("gzip and chunked in two headers",
        "POST / HTTP/1.1\r\n" HOST
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ROW("gzip", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\nhello"),
    ROW("identity", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\nhello"),
    ROW("identity, chunked",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n"),
    ROW("chunked, identity",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
    ROW("xchunked", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    ROW("chunked;q=1",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n"),
    ROW("quoted chunked",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"),
    ROW("empty coding", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n\r\n0\r\n\r\n"),
    ROW("comma before chunked",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: , chunked\r\n\r\n0\r\n\r\n"),
    ROW("comma after chunked",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n"),
    ROW("two spaces before chunked",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:  chunked\r\n\r\n0\r\n\r\n"),
    ROW("tab before chunked",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:\tchunked\r\n\r\n0\r\n\r\n"),
    ROW("vertical tab before chunked", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: \x0b"
                                       "chunked\r\n\r\n0\r\n\r\n"),
    ROW("space after chunked",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked \r\n\r\n0\r\n\r\n"),
    ROW("transfer_encoding",
        "POST / HTTP/1.1\r\n" HOST "Transfer_Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ROW("Transfer-Encoding with a space before the colon",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
    ROW("transfer_encoding and a length",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\ntransfer_encoding: chunked\r\n\r\nhello"),
    /* chunks */
    ROW("chunk extension", CHUNKED "5;a=b\r\nhello\r\n0\r\n\r\n" NEXT),
    ROW("chunk extension without a name", CHUNKED "5;\r\nhello\r\n0\r\n\r\n" NEXT),
    ROW("chunk extension on the last chunk", CHUNKED "5\r\nhello\r\n0;a\r\n\r\n" NEXT),
    ROW("chunk extension with a bare LF", CHUNKED "5;a\nhello\r\n0\r\n\r\n" NEXT),
    ROW("space after the chunk size", CHUNKED "5 \r\nhello\r\n0\r\n\r\n" NEXT),
    ROW("space before the chunk size", CHUNKED " 5\r\nhello\r\n0\r\n\r\n" NEXT),
    ROW("tab after the chunk size", CHUNKED "5\t\r\nhello\r\n0\r\n\r\n" NEXT),
    ROW("0x chunk size", CHUNKED "0x5\r\nhello\r\n0\r\n\r\n" NEXT),
    ROW("chunk size with a plus", CHUNKED "+5\r\nhello\r\n0\r\n\r\n" NEXT),
    ROW("chunk size with a minus", CHUNKED "-5\r\nhello\r\n0\r\n\r\n" NEXT),
    ROW("chunk size with an underscore", CHUNKED "1_0\r\nhello\r\n0\r\n\r\n" NEXT),
    ROW("chunk size overflows", CHUNKED "10000000000000005\r\nhello\r\n0\r\n\r\n" NEXT),
    ROW("chunk size wraps", CHUNKED "ffffffffffffffff5\r\nhello\r\n0\r\n\r\n" NEXT),
    ROW("chunk size with too many digits",
        CHUNKED "0000000000000000000000005\r\nhello\r\n0\r\n\r\n" NEXT),
    ROW("last chunk with too many digits",
        CHUNKED "5\r\nhello\r\n000000000000000000000\r\n\r\n" NEXT),
    ROW("empty chunk size", CHUNKED "\r\nhello\r\n0\r\n\r\n" NEXT),
    ROW("no hexadecimal digit", CHUNKED "g\r\nhello\r\n0\r\n\r\n" NEXT),
    ROW("bare LF after the chunk size", CHUNKED "5\nhello\r\n0\r\n\r\n" NEXT),
    ROW("bare CR after the chunk size", CHUNKED "5\rhello\r\n0\r\n\r\n" NEXT),
    ROW("bare LF after a chunk", CHUNKED "5\r\nhello\n0\r\n\r\n" NEXT),
    ROW("nothing after a chunk", CHUNKED "5\r\nhello0\r\n\r\n" NEXT),
    ROW("chunk longer than its size", CHUNKED "5\r\nhello!\r\n0\r\n\r\n" NEXT),
    ROW("two bytes instead of CR LF", CHUNKED "5\r\nhelloXX0\r\n\r\n" NEXT),
    ROW("bare LF at the end of chunks", CHUNKED "5\r\nhello\r\n0\r\n\n" NEXT),
    ROW("bare LF after the last chunk", CHUNKED "5\r\nhello\r\n0\n\r\n" NEXT),
    /* trailers */
    ROW("trailer Content-Length", CHUNKED "0\r\nContent-Length: 5\r\n\r\n" NEXT),
    ROW("trailer content_length", CHUNKED "0\r\ncontent_length: 5\r\n\r\n" NEXT),
    ROW("trailer Transfer-Encoding", CHUNKED "0\r\nTransfer-Encoding: chunked\r\n\r\n" NEXT),
    ROW("trailer Host", CHUNKED "0\r\nhost: b\r\n\r\n" NEXT),
    ROW("trailer Authorization", CHUNKED "0\r\nAuthorization: Bearer x\r\n\r\n" NEXT),
    ROW("trailer with a space before the colon", CHUNKED "0\r\nX : a\r\n\r\n" NEXT),
    ROW("trailer with a bare LF", CHUNKED "0\r\nX: a\n\r\n" NEXT),
    ROW("folded trailer", CHUNKED "0\r\nX: a\r\n b\r\n\r\n" NEXT),
    ROW("trailer with a NUL", CHUNKED "0\r\nX: a\0b\r\n\r\n" NEXT),
    /* expectations */
    ROW_S("another expectation", 417,
          "POST / HTTP/1.1\r\n" HOST "Expect: 200-ok\r\nContent-Length: 5\r\n\r\nhello"),
    ROW_S("listed expectations", 417,
          "POST / HTTP/1.1\r\n" HOST "Expect: 100-continue, x\r\nContent-Length: 5\r\n\r\nhello"),
    ROW_S("repeated expectation", 417,
          "POST / HTTP/1.1\r\n" HOST
          "Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello"),
};

struct accept_row {
    const char *name;
    struct str bytes;
    const char *answers[3]; /* of hook_echo */
};
#define TAKE(name, bytes, ...)                                                                     \
    {                                                                                              \
        name, STR_INIT(bytes),                                                                     \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

static const struct accept_row accept_rows[] = {
    TAKE("plain", "GET / HTTP/1.1\r\n" HOST "\r\n", "GET / 0 "),
    TAKE("no space after the colon", "GET / HTTP/1.1\r\nHost:a\r\n\r\n", "GET / 0 "),
    TAKE("white space around a value", "GET / HTTP/1.1\r\nHost: \t a \t\r\n\r\n", "GET / 0 "),
    TAKE("names in capitals", "GET / HTTP/1.1\r\nHOST: A\r\n\r\n", "GET / 0 "),
    TAKE("one empty line first", "\r\nGET / HTTP/1.1\r\n" HOST "\r\n", "GET / 0 "),
    TAKE("an empty line between requests",
         "GET /1 HTTP/1.1\r\n" HOST "\r\n\r\nGET /2 HTTP/1.1\r\n" HOST "\r\n", "GET /1 0 ",
         "GET /2 0 "),
    TAKE("host and port", "GET / HTTP/1.1\r\nHost: a.b-c_d:4000\r\n\r\n", "GET / 0 "),
    TAKE("IPv6 host", "GET / HTTP/1.1\r\nHost: [::1]:4000\r\n\r\n", "GET / 0 "),
    TAKE("IPv4 host", "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", "GET / 0 "),
    TAKE("query", "GET /a?b=c&d=%20 HTTP/1.1\r\n" HOST "\r\n", "GET /a?b=c&d=%20 0 "),
    TAKE("absolute form", "GET http://a/b HTTP/1.1\r\n" HOST "\r\n", "GET http://a/b 0 "),
    TAKE("absolute form, case and port", "GET HTTP://A:80/b HTTP/1.1\r\nHost: a:80\r\n\r\n",
         "GET HTTP://A:80/b 0 "),
    TAKE("* with OPTIONS", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", "OPTIONS * 0 "),
    TAKE("DELETE", "DELETE /k HTTP/1.1\r\n" HOST "\r\n", "DELETE /k 0 "),
    TAKE("PATCH with a body", "PATCH /k HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nhi",
         "PATCH /k 2 hi"),
    TAKE("GET with a body", "GET / HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nhi", "GET / 2 hi"),
    TAKE("length", "POST /p HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello", "POST /p 5 hello"),
    TAKE("length without a space", "POST /p HTTP/1.1\r\n" HOST "Content-Length:5\r\n\r\nhello",
         "POST /p 5 hello"),
    TAKE("length 0", "POST /p HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", "POST /p 0 "),
    TAKE("POST without a length", "POST /p HTTP/1.1\r\n" HOST "\r\n", "POST /p 0 "),
    TAKE("chunked", CHUNKED "5\r\nhello\r\n0\r\n\r\n", "POST / 5 hello"),
    TAKE("Chunked",
         "POST / HTTP/1.1\r\n" HOST "transfer-encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
         "POST / 5 hello"),
    TAKE("no chunk", CHUNKED "0\r\n\r\n", "POST / 0 "),
    TAKE("several chunks, sizes in both cases",
         CHUNKED "A\r\n0123456789\r\na\r\n0123456789\r\n1\r\n!\r\n0\r\n\r\n",
         "POST / 21 01234567890123456789!"),
    TAKE("padded chunk sizes", CHUNKED "0005\r\nhello\r\n0000\r\n\r\n", "POST / 5 hello"),
    TAKE("CR LF within a chunk", CHUNKED "4\r\n\r\n\r\n\r\n0\r\n\r\n", "POST / 4 \r\n\r\n"),
    TAKE("trailers",
         CHUNKED "5\r\nhello\r\n0\r\nX-Sum: 1\r\nY:\r\n\r\nGET /n HTTP/1.1\r\n" HOST "\r\n",
         "POST / 5 hello", "GET /n 0 "),
    TAKE("pipelined",
         "GET /1 HTTP/1.1\r\n" HOST "\r\nPOST /2 HTTP/1.1\r\n" HOST
         "Content-Length: 3\r\n\r\nabcGET /3 HTTP/1.1\r\n" HOST "\r\n",
         "GET /1 0 ", "POST /2 3 abc", "GET /3 0 "),
    TAKE("a body that looks like a request",
         "POST / HTTP/1.1\r\n" HOST "Content-Length: 18\r\n\r\nGET /x HTTP/1.1\r\n\r",
         "POST / 18 GET /x HTTP/1.1\r\n\r"),
    TAKE("HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", "GET / 0 "),
    TAKE("HTTP/1.0 with a body", "POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi", "POST / 2 hi"),
    TAKE("HTTP/1.0, another expectation", "GET / HTTP/1.0\r\nExpect: x\r\n\r\n", "GET / 0 "),
    TAKE("HTTP/1.0 kept alive",
         "GET /1 HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\nGET /2 HTTP/1.0\r\n\r\n", "GET /1 0 ",
         "GET /2 0 "),
    TAKE("Upgrade is ignored",
         "GET / HTTP/1.1\r\n" HOST
         "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n",
         "GET / 0 "),
    TAKE("Upgrade with chunks is ignored",
         "POST / HTTP/1.1\r\n" HOST
         "Connection: upgrade\r\nUpgrade: websocket\r\nTransfer-Encoding: chunked\r\n\r\n"
         "2\r\nhi\r\n0\r\n\r\nGET /n HTTP/1.1\r\n" HOST "\r\n",
         "POST / 2 hi", "GET /n 0 "),
    TAKE("Upgrade with a length is ignored",
         "POST / HTTP/1.1\r\n" HOST
         "Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\n"
         "hiGET /n HTTP/1.1\r\n" HOST "\r\n",
         "POST / 2 hi", "GET /n 0 "),
    TAKE("empty value", "GET / HTTP/1.1\r\n" HOST "X:\r\nY: \r\n\r\n", "GET / 0 "),
    TAKE("non-ASCII value", "GET / HTTP/1.1\r\n" HOST "X: \xc3\xa9\xff\r\n\r\n", "GET / 0 "),
    TAKE("every token character", "GET / HTTP/1.1\r\n" HOST "!#$%&'*+-.^_`|~09azAZ: x\r\n\r\n",
         "GET / 0 "),
    TAKE("tab in a value", "GET / HTTP/1.1\r\n" HOST "X: a\tb\r\n\r\n", "GET / 0 "),
    TAKE("Keep-Alive and an odd Connection",
         "GET / HTTP/1.1\r\n" HOST "Connection: , keep-alive,\r\n\r\n", "GET / 0 "),
};

static void refuse_one(const struct refuse_row *row, bool dribble)
{
    struct srig r;
    srig_init(&r, hook_echo, NULL);
    int fd = srig_connect(&r);
    if (dribble)
        srig_dribble(&r, fd, row->bytes);
    else
        srig_send(&r, fd, row->bytes);
    struct got g;
    got_init(&g);
    got_all(&r, fd, &g);
    int want = row->status ? row->status : 400;
    int status = got_status(&g, 0, NULL);
    bool fine = status == want && got_count(&g) == 1 && got_has(&g, "\r\nConnection: close\r\n") &&
                r.call_count <= 1 && !got_has(&g, "smuggled");
    if (!fine)
        fail_msg("%s (%s): wanted one answer %d, got: %.*s", row->name,
                 dribble ? "dribbled" : "whole", want, STR_ARG(buf_str(&g.text)));
    got_done(&g);
    close(fd);
    srig_until(&r, http_server_connections(r.server) == 0);
    srig_done(&r);
}

static void refuses_whole(void **state)
{
    for (size_t i = 0; i < sizeof refuse_rows / sizeof *refuse_rows; i++)
        refuse_one(&refuse_rows[i], false);
}

static void refuses_byte_by_byte(void **state)
{
    for (size_t i = 0; i < sizeof refuse_rows / sizeof *refuse_rows; i++)
        refuse_one(&refuse_rows[i], true);
}

static void accept_one(const struct accept_row *row, bool dribble)
{
    struct srig r;
    srig_init(&r, hook_echo, NULL);
    int fd = srig_connect(&r);
    if (dribble)
        srig_dribble(&r, fd, row->bytes);
    else
        srig_send(&r, fd, row->bytes);
    unsigned n = 0;
    while (n < 3 && row->answers[n])
        n++;
    struct got g;
    struct buf body;
    got_init(&g);
    buf_init(&body, MIB);
    got_answers(&r, fd, &g, n);
    for (unsigned i = 0; i < n; i++) {
        int status = got_status(&g, i, &body);
        if (status != 200 || !str_eq(buf_str(&body), str_c(row->answers[i])))
            fail_msg("%s (%s): answer %u is %d '%.*s'", row->name, dribble ? "dribbled" : "whole",
                     i, status, STR_ARG(buf_str(&body)));
    }
    assert_int_equal(r.refused, 0);
    buf_done(&body);
    got_done(&g);
    close(fd);
    srig_until(&r, http_server_connections(r.server) == 0);
    srig_done(&r);
}

static void accepts_whole(void **state)
{
    for (size_t i = 0; i < sizeof accept_rows / sizeof *accept_rows; i++)
        accept_one(&accept_rows[i], false);
}

static void accepts_byte_by_byte(void **state)
{
    for (size_t i = 0; i < sizeof accept_rows / sizeof *accept_rows; i++)
        accept_one(&accept_rows[i], true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_whole),
        cmocka_unit_test(refuses_byte_by_byte),
        cmocka_unit_test(accepts_whole),
        cmocka_unit_test(accepts_byte_by_byte),
    };
    return cmocka_run_group_tests_name("http/server_vectors", tests, NULL, NULL);
}
