#include "http/head.h"

#if defined(__SSE2__) && !defined(HTTP_NO_SIMD)
#include <emmintrin.h>
#define HTTP_SSE2 1
#else
#define HTTP_SSE2 0
#endif

/* RFC 9110, 5.6.2: token characters. */
static const bool token_chars[256] = {
    ['!'] = true,         ['#'] = true,         ['$'] = true,         ['%'] = true, ['&'] = true,
    ['\''] = true,        ['*'] = true,         ['+'] = true,         ['-'] = true, ['.'] = true,
    ['^'] = true,         ['_'] = true,         ['`'] = true,         ['|'] = true, ['~'] = true,
    ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
};

static const struct http_header *find(const struct http_head *h, struct str name)
{
    for (size_t i = 0; i < h->header_count; i++) {
        if (str_eq_nocase(h->headers[i].name, name))
            return &h->headers[i];
    }
    return NULL;
}

struct str http_get(const struct http_head *h, struct str name)
{
    const struct http_header *hit = find(h, name);
    return hit ? hit->value : str_of(NULL, 0);
}

bool http_has(const struct http_head *h, struct str name)
{
    return find(h, name) != NULL;
}

static bool listed_in_connection(const struct http_head *h, struct str name)
{
    for (size_t i = 0; i < h->header_count; i++) {
        if (!str_eq_nocase(h->headers[i].name, STR("connection")))
            continue;
        struct str rest = h->headers[i].value;
        while (rest.len) {
            if (str_eq_nocase(str_trim(str_cut(&rest, ',')), name))
                return true;
        }
    }
    return false;
}

bool http_is_hop_by_hop(const struct http_head *h, struct str name)
{
    static const struct str always[] = {
        STR_INIT("connection"), STR_INIT("keep-alive"),        STR_INIT("te"),
        STR_INIT("trailer"),    STR_INIT("transfer-encoding"), STR_INIT("upgrade"),
    };
    for (size_t i = 0; i < sizeof always / sizeof *always; i++) {
        if (str_eq_nocase(name, always[i]))
            return true;
    }
    return str_starts_nocase(name, STR("proxy-")) || listed_in_connection(h, name);
}

/* -- what may stand in a message. Names and values are checked 16 bytes at a time; a plain one is sound, and what is
 * not plain is looked at byte by byte. */

#if HTTP_SSE2
static inline __m128i between(__m128i v, char first, char last)
{
    return _mm_and_si128(_mm_cmpgt_epi8(v, _mm_set1_epi8((char)(first - 1))),
                         _mm_cmplt_epi8(v, _mm_set1_epi8((char)(last + 1))));
}

/* Letters, digits, '-' and '_': what almost all names are made of. */
static inline bool plain_name(__m128i v)
{
    __m128i letter = between(_mm_or_si128(v, _mm_set1_epi8(0x20)), 'a', 'z');
    __m128i mark =
        _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('-')), _mm_cmpeq_epi8(v, _mm_set1_epi8('_')));
    __m128i other = _mm_or_si128(between(v, '0', '9'), mark);
    return _mm_movemask_epi8(_mm_or_si128(letter, other)) == 0xffff;
}

/* No control character, the tab included. */
static inline bool plain_value(__m128i v)
{
    __m128i high = _mm_cmpeq_epi8(_mm_max_epu8(v, _mm_set1_epi8(0x20)), v);
    __m128i del = _mm_cmpeq_epi8(v, _mm_set1_epi8(0x7f));
    return _mm_movemask_epi8(_mm_andnot_si128(del, high)) == 0xffff;
}

static inline __m128i load16(const char *p)
{
    return _mm_loadu_si128((const __m128i *)(const void *)p);
}

/* 8 to 16 bytes: the first and the last eight, which may overlap. */
static inline __m128i load_ends(const char *p, size_t n)
{
    return _mm_unpacklo_epi64(_mm_loadl_epi64((const __m128i *)(const void *)p),
                              _mm_loadl_epi64((const __m128i *)(const void *)(p + n - 8)));
}

/* 4 to 7 bytes likewise. */
static inline __m128i load_few(const char *p, size_t n)
{
    int first, last;
    memcpy(&first, p, 4);
    memcpy(&last, p + n - 4, 4);
    return _mm_set_epi32(first, last, first, last);
}

static inline __attribute__((always_inline)) bool all_plain(struct str s, bool (*plain)(__m128i))
{
    if (s.len < 4)
        return false; /* the byte by byte look is as quick */
    if (s.len <= 16)
        return plain(s.len < 8 ? load_few(s.p, s.len) : load_ends(s.p, s.len));
    for (size_t i = 0; i + 16 < s.len; i += 16)
        if (!plain(load16(s.p + i)))
            return false;
    return plain(load16(s.p + s.len - 16));
}
#endif

bool http_name_ok(struct str name)
{
#if HTTP_SSE2
    if (all_plain(name, plain_name))
        return true;
#endif
    for (size_t i = 0; i < name.len; i++)
        if (!token_chars[(unsigned char)name.p[i]])
            return false;
    return name.len > 0;
}

bool http_value_ok(struct str value)
{
#if HTTP_SSE2
    if (all_plain(value, plain_value))
        return true;
#endif
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.p[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

const char *http_reason(int status)
{
    static const struct {
        int status;
        const char *text;
    } rows[] = {
        { 100, "Continue" },
        { 101, "Switching Protocols" },
        { 200, "OK" },
        { 201, "Created" },
        { 202, "Accepted" },
        { 203, "Non-Authoritative Information" },
        { 204, "No Content" },
        { 205, "Reset Content" },
        { 206, "Partial Content" },
        { 207, "Multi-Status" },
        { 300, "Multiple Choices" },
        { 301, "Moved Permanently" },
        { 302, "Found" },
        { 303, "See Other" },
        { 304, "Not Modified" },
        { 307, "Temporary Redirect" },
        { 308, "Permanent Redirect" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 402, "Payment Required" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 406, "Not Acceptable" },
        { 407, "Proxy Authentication Required" },
        { 408, "Request Timeout" },
        { 409, "Conflict" },
        { 410, "Gone" },
        { 411, "Length Required" },
        { 412, "Precondition Failed" },
        { 413, "Content Too Large" },
        { 414, "URI Too Long" },
        { 415, "Unsupported Media Type" },
        { 416, "Range Not Satisfiable" },
        { 417, "Expectation Failed" },
        { 421, "Misdirected Request" },
        { 422, "Unprocessable Content" },
        { 423, "Locked" },
        { 424, "Failed Dependency" },
        { 425, "Too Early" },
        { 426, "Upgrade Required" },
        { 428, "Precondition Required" },
        { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 451, "Unavailable For Legal Reasons" },
        { 499, "Client Closed Request" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 502, "Bad Gateway" },
        { 503, "Service Unavailable" },
        { 504, "Gateway Timeout" },
        { 505, "HTTP Version Not Supported" },
        { 507, "Insufficient Storage" },
        { 529, "Overloaded" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].status == status)
            return rows[i].text;
    }
    return "Unknown";
}
