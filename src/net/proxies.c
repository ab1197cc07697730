/* As curl reads them: a URL without a scheme is an http one, the port is 1080 unless given,
 * ALL_PROXY stands in for the one of the scheme; NO_PROXY is a list of names, each with all names
 * below it, of addresses and of networks, or "*". Besides, an entry may name a port ("db:5432"),
 * and "*.example.com" is read as "example.com". */
#include "net/proxies.h"

#include "base/mem.h"
#include "base/secret.h"
#include "net/net_priv.h"

#include <openssl/evp.h>
#include <stdio.h>

#define DEFAULT_PORT 1080

struct rule {
    char *name; /* a domain; NULL: a network */
    union addr net;
    unsigned bits;
    uint16_t port; /* 0: any */
};

struct proxies {
    struct proxy http, https, all;
    bool bypass_all; /* "*" */
    struct rule *rules;
    size_t rule_count;
};

static char *copy_z(struct str s)
{
    char *z = mem_alloc(s.len + 1);
    if (s.len)
        memcpy(z, s.p, s.len);
    z[s.len] = 0;
    return z;
}

/* -- proxy URLs */

static bool parse_port(struct str s, uint16_t *ret_port)
{
    uint64_t n = 0;
    if (!str_u64(s, &n) || n == 0 || n > 65535)
        return false;
    *ret_port = (uint16_t)n;
    return true;
}

static int hex(char c)
{
    c = ascii_lower(c);
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "user:password", percent-decoded -> "Basic ..." */
static char *basic_auth(struct str userinfo)
{
    unsigned char *plain = mem_alloc(userinfo.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < userinfo.len; i++) {
        int high = -1, low = -1;
        if (userinfo.p[i] == '%' && i + 2 < userinfo.len) {
            high = hex(userinfo.p[i + 1]);
            low = hex(userinfo.p[i + 2]);
        }
        bool escaped = high >= 0 && low >= 0;
        plain[n++] = escaped ? (unsigned char)(high * 16 + low) : (unsigned char)userinfo.p[i];
        i += escaped ? 2 : 0;
    }
    static const char scheme[] = "Basic ";
    char *value = mem_alloc(sizeof scheme + (n + 2) / 3 * 4 + 1);
    memcpy(value, scheme, sizeof scheme - 1);
    EVP_EncodeBlock((unsigned char *)value + sizeof scheme - 1, plain, (int)n);
    wipe(plain, userinfo.len);
    mem_free(plain);
    return value;
}

/* "host", "host:port", "[v6]", "[v6]:port", or a bare IPv6 address. */
static bool split_host_port(struct str s, struct str *ret_host, struct str *ret_port)
{
    *ret_port = str_of(NULL, 0);
    if (str_starts(s, STR("["))) {
        size_t close = str_find_char(s, ']');
        if (close == STR_NONE)
            return false;
        *ret_host = str_of(s.p + 1, close - 1);
        struct str rest = str_skip(s, close + 1);
        if (rest.len && rest.p[0] != ':')
            return false;
        *ret_port = str_skip(rest, 1);
        return true;
    }
    size_t colon = str_find_char(s, ':');
    if (colon == STR_NONE || str_find_char(str_skip(s, colon + 1), ':') != STR_NONE) {
        *ret_host = s;
        return true;
    }
    *ret_host = str_head(s, colon);
    *ret_port = str_skip(s, colon + 1);
    return ret_port->len > 0;
}

static void proxy_parse(struct proxy *p, const char *var, struct str url)
{
    p->var = var;
    url = str_trim(url);
    if (!url.len)
        return;
    size_t scheme = str_find(url, STR("://"));
    if (scheme != STR_NONE) {
        if (str_eq_nocase(str_head(url, scheme), STR("https")))
            p->problem = "an https:// URL, a proxy that is spoken to over TLS, is not supported; "
                         "give an http:// URL";
        else if (!str_eq_nocase(str_head(url, scheme), STR("http")))
            p->problem = "only http:// proxies are supported (no SOCKS); give an http:// URL";
        url = str_skip(url, scheme + 3);
    }
    struct str rest = str_cut(&url, '/'), host = { 0 }, port = { 0 };
    size_t at = STR_NONE;
    for (size_t i = 0; i < rest.len; i++)
        at = rest.p[i] == '@' ? i : at; /* the last: a password may hold one */
    if (at != STR_NONE)
        p->auth = basic_auth(str_head(rest, at));
    rest = str_skip(rest, at == STR_NONE ? 0 : at + 1);
    p->port = DEFAULT_PORT;
    if (!split_host_port(rest, &host, &port) || !host.len ||
        (port.len && !parse_port(port, &p->port)))
        p->problem = "not a proxy URL; it must look like http://[user:password@]host:port";
    p->host = copy_z(host);
}

/* -- NO_PROXY */

static bool parse_network(struct str s, struct rule *ret_rule)
{
    struct str bits = s, ip = str_cut(&bits, '/');
    if (!addr_parse(ip, &ret_rule->net))
        return false;
    uint64_t max = ret_rule->net.sa.sa_family == AF_INET6 ? 128 : 32, n = max;
    if (ip.len < s.len && (!str_u64(bits, &n) || n > max))
        return false;
    ret_rule->bits = (unsigned)n;
    return true;
}

static void rule_add(struct proxies *p, struct str s)
{
    struct rule r = { 0 };
    struct str host = s, port = { 0 };
    if (!parse_network(s, &r)) {
        if (!split_host_port(s, &host, &port) || (port.len && !parse_port(port, &r.port)))
            return; /* matches nothing, as in curl */
        if (!parse_network(host, &r)) {
            host = str_starts(host, STR("*.")) ? str_skip(host, 1) : host;
            host = str_skip(host, str_starts(host, STR(".")) ? 1 : 0);
            host.len -= str_ends(host, STR(".")) ? 1 : 0;
            if (!host.len)
                return;
            r.name = copy_z(host);
        }
    }
    p->rules = mem_realloc(p->rules, (p->rule_count + 1) * sizeof *p->rules);
    p->rules[p->rule_count++] = r;
}

static bool in_network(const union addr *a, const union addr *net, unsigned bits)
{
    if (a->sa.sa_family != net->sa.sa_family)
        return false;
    bool v6 = a->sa.sa_family == AF_INET6;
    const unsigned char *x = v6 ? a->v6.sin6_addr.s6_addr : (const unsigned char *)&a->v4.sin_addr;
    const unsigned char *y =
        v6 ? net->v6.sin6_addr.s6_addr : (const unsigned char *)&net->v4.sin_addr;
    unsigned whole = bits / 8, rest = bits % 8;
    return memcmp(x, y, whole) == 0 && (!rest || (x[whole] ^ y[whole]) >> (8 - rest) == 0);
}

static bool below(struct str host, struct str domain)
{
    if (host.len < domain.len || !str_eq_nocase(str_skip(host, host.len - domain.len), domain))
        return false;
    return host.len == domain.len || host.p[host.len - domain.len - 1] == '.';
}

static bool bypassed(const struct proxies *p, struct str host, uint16_t port)
{
    if (p->bypass_all)
        return true;
    host.len -= str_ends(host, STR(".")) ? 1 : 0;
    union addr a;
    bool literal = addr_parse(host, &a);
    for (size_t i = 0; i < p->rule_count; i++) {
        const struct rule *r = &p->rules[i];
        if (r->port && r->port != port)
            continue;
        if (r->name ? !literal && below(host, str_c(r->name))
                    : literal && in_network(&a, &r->net, r->bits))
            return true;
    }
    return false;
}

/* -- */

struct proxies *proxies_new(struct str http, struct str https, struct str all, struct str no_proxy)
{
    struct proxies *p = MEM_NEW(struct proxies);
    proxy_parse(&p->http, "HTTP_PROXY", http);
    proxy_parse(&p->https, "HTTPS_PROXY", https);
    proxy_parse(&p->all, "ALL_PROXY", all);
    p->bypass_all = str_eq(str_trim(no_proxy), STR("*"));
    while (no_proxy.len) {
        size_t n = 0;
        while (n < no_proxy.len && no_proxy.p[n] != ',' && no_proxy.p[n] != ' ' &&
               no_proxy.p[n] != '\t')
            n++;
        if (n)
            rule_add(p, str_head(no_proxy, n));
        no_proxy = str_skip(no_proxy, n + 1);
    }
    return p;
}

static void proxy_done(struct proxy *p)
{
    mem_free(p->host);
    if (p->auth)
        wipe(p->auth, strlen(p->auth));
    mem_free(p->auth);
}

void proxies_free(struct proxies *p)
{
    if (!p)
        return;
    proxy_done(&p->http);
    proxy_done(&p->https);
    proxy_done(&p->all);
    for (size_t i = 0; i < p->rule_count; i++)
        mem_free(p->rules[i].name);
    mem_free(p->rules);
    mem_free(p);
}

const struct proxy *proxies_pick(const struct proxies *p, struct str host, uint16_t port, bool tls)
{
    if (!p)
        return NULL;
    const struct proxy *own = tls ? &p->https : &p->http;
    const struct proxy *chosen = own->host ? own : &p->all;
    return chosen->host && !bypassed(p, host, port) ? chosen : NULL;
}
