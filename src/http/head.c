#include "http/head.h"

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

bool http_name_ok(struct str name)
{
    const unsigned char *p = (const unsigned char *)name.p;
    size_t i = 0;
    for (; name.len - i >= 4; i += 4)
        if (!(token_chars[p[i]] & token_chars[p[i + 1]] & token_chars[p[i + 2]] &
              token_chars[p[i + 3]]))
            return false;
    for (; i < name.len; i++)
        if (!token_chars[p[i]])
            return false;
    return name.len > 0;
}

/* Eight bytes at a time: those below 0x20 or equal to 0x7f raise their top bit (a subtraction that borrows), and a word with any is
 * looked at byte by byte, because a tab is allowed. */
static bool word_is_plain(const char *p)
{
    const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
    uint64_t w, del;
    memcpy(&w, p, sizeof w);
    del = w ^ (ones * 0x7f);
    return !(((w - ones * 0x20) & ~w & tops) | ((del - ones) & ~del & tops));
}

static bool byte_is_ok(char byte)
{
    unsigned char c = (unsigned char)byte;
    return (c >= 0x20 || c == '\t') && c != 0x7f;
}

bool http_value_ok(struct str value)
{
    size_t i = 0;
    while (i < value.len) {
        if (value.len - i >= 8 && word_is_plain(value.p + i)) {
            i += 8;
            continue;
        }
        if (!byte_is_ok(value.p[i++]))
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
