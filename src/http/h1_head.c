/* Understanding a complete head. llhttp has accepted it, so lines end with CR LF and are "token:
 * value"; what is checked here is what llhttp lets pass: everything about where a message ends
 * (Content-Length, Transfer-Encoding) and where it goes (target, Host) that another parser might
 * read differently. */
#include "http/h1_priv.h"

#include "base/mem.h"

#define LENGTH_DIGITS 18 /* always fits 63 bits */

/* What the headers say about framing and routing, gathered in one pass. */
struct findings {
    size_t hosts, lengths, codings, expects;
    struct str host, length_raw, coding_raw, expect;
    bool close, keep_alive, twin;
};

static bool bad(struct h1 *h, const char *why)
{
    h1_fail(h, ERR_BAD_HTTP, why);
    return false;
}

/* -- the first line */

/* Authority of an absolute-form target, "" for the other forms. */
static struct str target_authority(struct str target)
{
    size_t scheme = str_starts_nocase(target, STR("http://"))    ? 7
                    : str_starts_nocase(target, STR("https://")) ? 8
                                                                 : 0;
    struct str rest = str_skip(target, scheme);
    size_t n = 0;
    while (scheme && n < rest.len && rest.p[n] != '/' && rest.p[n] != '?')
        n++;
    return str_head(rest, n);
}

static bool read_target(struct h1 *h, struct http_head *head)
{
    struct str t = head->target;
    for (size_t i = 0; i < t.len; i++) {
        if (t.p[i] < 0x21 || t.p[i] > 0x7e || t.p[i] == '#')
            return bad(h, "the request target holds a character that must be percent-encoded");
    }
    struct str path = t;
    if (t.len && *t.p != '/') {
        struct str authority = target_authority(t);
        if (authority.len) {
            path = str_skip(t, (size_t)(authority.p + authority.len - t.p));
        } else if (!str_eq(t, STR("*")) || !str_eq(head->method, STR("OPTIONS"))) {
            return bad(h, "the request target is neither a path nor a URL");
        }
    }
    head->path = str_cut(&path, '?');
    head->query = path;
    if (!head->path.len)
        head->path = STR("/");
    return t.len > 0 || bad(h, "the request target is missing");
}

static bool read_version(struct h1 *h, struct str version)
{
    if (!str_eq(version, STR("HTTP/1.1")) && !str_eq(version, STR("HTTP/1.0")))
        return bad(h, "the version is not HTTP/1.1 or HTTP/1.0");
    h->head.http10 = version.p[version.len - 1] == '0';
    return true;
}

static bool read_request_line(struct h1 *h, struct str line)
{
    struct http_head *head = &h->head;
    head->method = str_cut(&line, ' ');
    head->target = str_cut(&line, ' ');
    if (!read_version(h, line))
        return false;
    if (str_eq(head->method, STR("CONNECT")))
        return bad(h, "CONNECT is not accepted");
    return read_target(h, head);
}

static bool read_status_line(struct h1 *h, struct str line)
{
    if (!read_version(h, str_cut(&line, ' ')))
        return false;
    struct str code = str_cut(&line, ' ');
    h->head.reason = line;
    h->head.status = 0;
    for (size_t i = 0; i < code.len; i++) {
        if (code.p[i] < '0' || code.p[i] > '9')
            return bad(h, "the status is not a number");
        h->head.status = h->head.status * 10 + (code.p[i] - '0');
        if (i > 2)
            return bad(h, "the status has more than three digits");
    }
    return (h->head.status >= 100 && h->head.status <= 599) || bad(h, "the status is out of range");
}

bool h1_read_first_line(struct h1 *h)
{
    struct str line = str_of(h->text, h->first_line - 2);
    if (h->judged == h->text)
        return true;
    h->judged = h->text; /* when more came, the text may be elsewhere, and its slices with it */
    return h->kind == H1_REQUEST ? read_request_line(h, line) : read_status_line(h, line);
}

/* -- headers */

/* `name` is `dashed`, or becomes it when underscores are read as dashes, which some servers
 * behind a gateway do. */
static bool like(struct str name, struct str dashed)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.p[i] == '_' ? '-' : ascii_lower(name.p[i]);
        if (c != dashed.p[i])
            return false;
    }
    return true;
}

bool h1_is_framing(struct str name)
{
    static const struct str names[] = {
        STR_INIT("content-length"), STR_INIT("transfer-encoding"),
        STR_INIT("host"),           STR_INIT("connection"),
        STR_INIT("authorization"),  STR_INIT("expect"),
        STR_INIT("trailer"),        STR_INIT("content-encoding"),
        STR_INIT("content-type"),   STR_INIT("te"),
        STR_INIT("upgrade"),        STR_INIT("keep-alive"),
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (name.len == names[i].len && like(name, names[i]))
            return true;
    }
    return false;
}

static void read_connection(struct findings *f, struct str value)
{
    while (value.len) {
        struct str token = str_trim(str_cut(&value, ','));
        if (str_eq_nocase(token, STR("close")))
            f->close = true;
        if (str_eq_nocase(token, STR("keep-alive")))
            f->keep_alive = true;
    }
}

static void note_header(struct findings *f, struct str name, struct str raw, struct str value)
{
    switch (name.len) {
    case 4:
        if (!str_eq_nocase(name, STR("host")))
            return;
        f->hosts++;
        f->host = value;
        return;
    case 6:
        if (!str_eq_nocase(name, STR("expect")))
            return;
        f->expects++;
        f->expect = value;
        return;
    case 10:
        if (str_eq_nocase(name, STR("connection")))
            read_connection(f, value);
        return;
    case 14:
        if (!like(name, STR("content-length")))
            return;
        f->twin |= name.p[7] == '_';
        f->lengths++;
        f->length_raw = raw;
        return;
    case 17:
        if (!like(name, STR("transfer-encoding")))
            return;
        f->twin |= name.p[8] == '_';
        f->codings++;
        f->coding_raw = raw;
        return;
    default: return;
    }
}

static struct str trim_blanks(struct str s)
{
    while (s.len && (*s.p == ' ' || *s.p == '\t'))
        s = str_skip(s, 1);
    while (s.len && (s.p[s.len - 1] == ' ' || s.p[s.len - 1] == '\t'))
        s.len--;
    return s;
}

/* Cuts the lines after the first into h->head.headers. */
static bool read_lines(struct h1 *h, struct findings *f)
{
    struct http_header *headers = arena_alloc(h->arena, sizeof *headers * (h->line_count + 1));
    size_t n = 0;
    struct str rest = str_of(h->text + h->first_line, h->len - h->first_line - 2);
    while (rest.len) {
        struct str line = str_cut(&rest, '\n');
        line.len--; /* CR */
        size_t colon = str_find_char(line, ':');
        if (colon == STR_NONE || n == h->line_count)
            return bad(h, "a header has no colon");
        struct str name = str_head(line, colon);
        struct str raw = str_skip(line, colon + 1);
        /* llhttp has checked the characters; a gap in that would let a header through under
         * another name. */
        if (!http_name_ok(name))
            return bad(h, "a header's name holds a character that is not allowed");
        headers[n] = (struct http_header){ name, trim_blanks(raw) };
        note_header(f, name, raw, headers[n].value);
        n++;
    }
    h->head.headers = headers;
    h->head.header_count = n;
    return true;
}

/* -- where the message ends */

/* The value after at most one space: anything else around it is read differently by different
 * parsers. */
static struct str plain(struct str raw)
{
    return raw.len && *raw.p == ' ' ? str_skip(raw, 1) : raw;
}

static bool read_length(struct h1 *h, struct str digits)
{
    uint64_t n;
    if (digits.len > LENGTH_DIGITS || !str_u64(digits, &n))
        return bad(h, "Content-Length is not a plain decimal number");
    if (h->kind == H1_REQUEST && digits.len > 1 && *digits.p == '0')
        return bad(h, "Content-Length begins with a zero");
    h->head.content_length = (int64_t)n;
    return true;
}

static bool read_framing(struct h1 *h, const struct findings *f)
{
    bool request = h->kind == H1_REQUEST;
    if (f->twin)
        return bad(h, "Content-Length or Transfer-Encoding is written with an underscore");
    if (f->lengths > 1)
        return bad(h, "header Content-Length is repeated");
    if (f->codings > 1)
        return bad(h, "header Transfer-Encoding is repeated");
    if (f->lengths && f->codings)
        return bad(h, "Content-Length comes with Transfer-Encoding");
    if (f->codings) {
        struct str coding = request ? plain(f->coding_raw) : trim_blanks(f->coding_raw);
        if (h->head.http10)
            return bad(h, "Transfer-Encoding is not part of HTTP/1.0");
        if (!str_eq_nocase(coding, STR("chunked")))
            return bad(h, "Transfer-Encoding is not just chunked");
        h->head.chunked = true;
    }
    if (!f->lengths)
        return true;
    return read_length(h, request ? plain(f->length_raw) : trim_blanks(f->length_raw));
}

/* -- where a request goes */

static bool host_ok(struct str host)
{
    size_t i = 0;
    if (host.len && *host.p == '[') {
        while (++i < host.len && host.p[i] != ']') {
            char c = ascii_lower(host.p[i]);
            if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == ':' || c == '.'))
                return false;
        }
        if (i < 3 || i >= host.len)
            return false;
        i++;
    } else {
        for (; i < host.len && host.p[i] != ':'; i++) {
            char c = ascii_lower(host.p[i]);
            bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
            if (!alnum && c != '.' && c != '-' && c != '_')
                return false;
        }
        if (i == 0)
            return false;
    }
    if (i == host.len)
        return true;
    uint64_t port;
    struct str digits = str_skip(host, i + 1);
    return host.p[i] == ':' && digits.len <= 5 && str_u64(digits, &port) && port <= 65535;
}

static bool read_host(struct h1 *h, const struct findings *f)
{
    if (f->hosts > 1)
        return bad(h, "header Host is repeated");
    if (!f->hosts && !h->head.http10)
        return bad(h, "header Host is missing");
    if (f->hosts && !host_ok(f->host))
        return bad(h, "header Host is not a name or address with an optional port");
    struct str authority = target_authority(h->head.target);
    if (authority.len && !(f->hosts && str_eq_nocase(authority, f->host)))
        return bad(h, "the target's host is not the one in header Host");
    return true;
}

static bool read_expect(struct h1 *h, const struct findings *f)
{
    if (!f->expects || h->head.http10)
        return true; /* RFC 9110, 10.1.1: ignored in HTTP/1.0 */
    if (f->expects > 1 || !str_eq_nocase(f->expect, STR("100-continue"))) {
        h->status = 417;
        return bad(h, "the only expectation that is met is 100-continue");
    }
    h->head.expect_continue = true;
    return true;
}

static bool answer_bodiless(const struct h1 *h)
{
    int s = h->head.status;
    return h->bodiless || s < 200 || s == 204 || s == 304;
}

bool h1_read_head(struct h1 *h)
{
    struct findings f = { 0 };
    if (!h1_read_first_line(h) || !read_lines(h, &f) || !read_framing(h, &f))
        return false;
    if (h->kind == H1_REQUEST && (!read_host(h, &f) || !read_expect(h, &f)))
        return false;
    struct http_head *head = &h->head;
    head->keep_alive = !f.close && (!head->http10 || f.keep_alive);
    h->left = head->content_length > 0 ? (uint64_t)head->content_length : 0;
    if (h->kind == H1_RESPONSE && answer_bodiless(h)) {
        h->state = H1_ENDING;
    } else if (head->chunked) {
        h->state = H1_IN_CHUNKED;
    } else if (h->left) {
        h->state = H1_IN_SIZED;
    } else if (h->kind == H1_RESPONSE && head->content_length < 0) {
        h->state = H1_IN_REST;
        head->keep_alive = false;
    } else {
        h->state = H1_ENDING;
    }
    return true;
}
