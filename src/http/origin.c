#include "http/client.h"

#include <arpa/inet.h>

/* What a URL of a configuration may be, RFC 3986 cut down to what an origin needs. Problems
 * never quote the URL: it may hold a credential. */

#define HOST_MAX_BYTES 253

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    char l = ascii_lower(c);
    return is_digit(c) || (l >= 'a' && l <= 'f');
}

static bool is_alnum(char c)
{
    char l = ascii_lower(c);
    return is_digit(c) || (l >= 'a' && l <= 'z');
}

static const char *scheme_cut(struct str *rest, bool *ret_https)
{
    if (str_starts_nocase(*rest, STR("https://"))) {
        *ret_https = true;
        *rest = str_skip(*rest, 8);
        return NULL;
    }
    if (str_starts_nocase(*rest, STR("http://"))) {
        *ret_https = false;
        *rest = str_skip(*rest, 7);
        return NULL;
    }
    return "must start with https:// or http://";
}

static const char *name_problem(struct str host, bool https)
{
    if (host.len == 0)
        return "has no host name: write https://host/path";
    if (host.len > HOST_MAX_BYTES)
        return "has a host name of more than 253 bytes";
    char before = '.';
    for (size_t i = 0; i < host.len; i++) {
        char c = host.p[i];
        if ((unsigned char)c >= 0x80)
            return "has a host name that is not ASCII: write it in its xn-- form";
        if (c == '.' && before == '.')
            return "has an empty label in its host name";
        if (!is_alnum(c) && c != '.' && c != '-' && c != '_')
            return "has a character in its host name that may not stand there: "
                   "only letters, digits, '-', '_' and '.'";
        before = c;
    }
    if (https && before == '.')
        return "has a dot at the end of its host name, which no certificate matches: remove it";
    return NULL;
}

static const char *ipv6_problem(struct str host)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr addr;
    if (str_find_char(host, '%') != STR_NONE)
        return "has a zone in its IPv6 address, which is not supported";
    if (host.len == 0 || host.len >= sizeof text)
        return "has no valid IPv6 address between [ and ]";
    memcpy(text, host.p, host.len);
    text[host.len] = '\0';
    /* An embedded NUL would end the text early. */
    if (strlen(text) != host.len || inet_pton(AF_INET6, text, &addr) != 1)
        return "has no valid IPv6 address between [ and ]";
    return NULL;
}

/* `after`: what follows the host within the authority, empty or ":port". */
static const char *port_problem(struct str after, bool https, uint16_t *ret_port)
{
    uint64_t port;
    if (after.len == 0) {
        *ret_port = https ? 443 : 80;
        return NULL;
    }
    if (after.p[0] != ':' || !str_u64(str_skip(after, 1), &port) || port < 1 || port > 65535)
        return "has a bad port: it is a number from 1 to 65535 after a ':', "
               "or left out with the ':'";
    *ret_port = (uint16_t)port;
    return NULL;
}

static const char *path_problem(struct str path)
{
    static const struct str marks = STR_INIT("/-._~!$&'()*+,;=:@");
    for (size_t i = 0; i < path.len; i++) {
        char c = path.p[i];
        if (c == '?')
            return "has a query ('?'), which a base URL may not have";
        if (c == '#')
            return "has a fragment ('#'), which a base URL may not have";
        if (c == '%') {
            if (path.len - i < 3 || !is_hex(path.p[i + 1]) || !is_hex(path.p[i + 2]))
                return "has a '%' in its path that is not followed by two hexadecimal digits";
            continue;
        }
        if (!is_alnum(c) && (c == '\0' || str_find_char(marks, c) == STR_NONE))
            return "has a character in its path that must be percent-encoded";
    }
    return NULL;
}

/* The end of the authority: the first of "/?#", or the end of the text. */
static size_t authority_len(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] == '/' || s.p[i] == '?' || s.p[i] == '#')
            return i;
    return s.len;
}

/* Cuts the authority in host (without brackets) and what follows it. */
static const char *host_cut(struct str authority, bool https, struct str *ret_host, bool *ret_ipv6,
                            struct str *ret_after)
{
    if (str_find_char(authority, '@') != STR_NONE)
        return "holds a user name or password before an '@': remove it, and set the key as a key";
    *ret_ipv6 = str_starts(authority, STR("["));
    if (*ret_ipv6) {
        size_t end = str_find_char(authority, ']');
        if (end == STR_NONE)
            return "has a '[' without its ']' around the IPv6 address";
        *ret_host = str_of(authority.p + 1, end - 1);
        *ret_after = str_skip(authority, end + 1);
        return ipv6_problem(*ret_host);
    }
    size_t colon = str_find_char(authority, ':');
    *ret_host = str_head(authority, colon == STR_NONE ? authority.len : colon);
    *ret_after = str_skip(authority, ret_host->len);
    if (str_find_char(str_skip(*ret_after, 1), ':') != STR_NONE)
        return "has an IPv6 address without [ and ] around it, or two ports";
    return name_problem(*ret_host, https);
}

static struct str lower(struct arena *a, struct str s)
{
    char *p = arena_cstr(a, s);
    for (size_t i = 0; i < s.len; i++)
        p[i] = ascii_lower(p[i]);
    return str_of(p, s.len);
}

static struct str authority_text(struct arena *a, struct str host, bool ipv6, uint16_t port)
{
    const char *open = ipv6 ? "[" : "", *close = ipv6 ? "]" : "";
    if (port == 0)
        return arena_printf(a, "%s%.*s%s", open, STR_ARG(host), close);
    return arena_printf(a, "%s%.*s%s:%u", open, STR_ARG(host), close, port);
}

enum err origin_parse(struct str url, struct arena *a, struct origin *ret_origin,
                      struct str *ret_path, bool *ret_https, struct str *ret_problem)
{
    struct str rest = url, host, after;
    bool https = false, ipv6 = false;
    uint16_t port = 0;

    const char *problem = scheme_cut(&rest, &https);
    size_t end = authority_len(rest);
    struct str path = str_skip(rest, end);
    if (!problem)
        problem = host_cut(str_head(rest, end), https, &host, &ipv6, &after);
    if (!problem)
        problem = port_problem(after, https, &port);
    if (!problem)
        problem = path_problem(path);
    if (problem) {
        *ret_problem = str_c(problem);
        return ERR_SYNTAX;
    }
    while (path.len && path.p[path.len - 1] == '/')
        path.len--;

    struct origin o = { .host = lower(a, host), .port = port };
    o.authority = authority_text(a, o.host, ipv6, port == (https ? 443 : 80) ? 0 : port);
    o.key = arena_printf(a, "%s://%.*s", https ? "https" : "http",
                         STR_ARG(authority_text(a, o.host, ipv6, port)));
    *ret_origin = o;
    *ret_path = arena_dup(a, path);
    *ret_https = https;
    return ERR_OK;
}
