#include "net/proxies.h"

#include <stdarg.h>
#include <stddef.h>

#include <setjmp.h>

#include <cmocka.h>

static struct str z(const char *s)
{
    return str_c(s);
}

struct url_case {
    const char *url, *host; /* host NULL: no proxy */
    uint16_t port;
    const char *auth, *problem; /* a part of it */
};

static void urls(void **state)
{
    static const struct url_case cases[] = {
        { "", NULL },
        { "  ", NULL },
        { "http://proxy.corp:3128", "proxy.corp", 3128 },
        { "http://proxy.corp:3128/", "proxy.corp", 3128 },
        { "HTTP://proxy.corp:3128", "proxy.corp", 3128 },
        { "proxy.corp:8080", "proxy.corp", 8080 },
        { " proxy.corp ", "proxy.corp", 1080 },
        { "http://[fd00::1]:3128", "fd00::1", 3128 },
        { "http://[fd00::1]", "fd00::1", 1080 },
        { "http://10.0.0.1:3128", "10.0.0.1", 3128 },
        /* "Aladdin:open sesame" of RFC 7617 */
        { "http://Aladdin:open%20sesame@p:1", "p", 1, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==" },
        { "http://u:p@ss@p:1", "p", 1, "Basic dTpwQHNz" },
        { "http://u:100%@p:1", "p", 1, "Basic dToxMDAl" },
        { "http://u:%zz@p:1", "p", 1, "Basic dToleno=" },
        { "http://u:%4@p:1", "p", 1, "Basic dTolNA==" },
        { "http://:@p:1", "p", 1, "Basic Og==" },
        { "https://proxy:443", "proxy", 443, NULL, "https://" },
        { "socks5://proxy:1080", "proxy", 1080, NULL, "SOCKS" },
        { "http://", "", 1080, NULL, "http://[user:password@]host:port" },
        { "http://proxy:", "", 1080, NULL, "host:port" },
        { "http://proxy:0", "", 1080, NULL, "host:port" },
        { "http://proxy:65536", "", 1080, NULL, "host:port" },
        { "http://proxy:-1", "", 1080, NULL, "host:port" },
        { "http://proxy:x", "", 1080, NULL, "host:port" },
        { "http://[::1", "", 1080, NULL, "host:port" },
        { "http://[::1]x", "", 1080, NULL, "host:port" },
        { "http://@", "", 1080, NULL, "host:port" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct url_case *c = &cases[i];
        struct proxies *p = proxies_new(z(""), z(c->url), z(""), z(""));
        const struct proxy *got = proxies_pick(p, z("api.test"), 443, true);
        assert_int_equal(got != NULL, c->host != NULL);
        assert_null(proxies_pick(p, z("api.test"), 80, false));
        if (got && !c->problem) {
            assert_string_equal(got->host, c->host);
            assert_int_equal(got->port, c->port);
            assert_null(got->problem);
            assert_string_equal(got->var, "HTTPS_PROXY");
        } else if (got) {
            assert_non_null(got->problem);
            assert_non_null(strstr(got->problem, c->problem));
        }
        if (c->auth)
            assert_string_equal(got->auth, c->auth);
        else if (got)
            assert_true(!got->auth || c->problem);
        proxies_free(p);
    }
}

static void by_scheme(void **state)
{
    struct proxies *p = proxies_new(z("h:1"), z("s:2"), z("a:3"), z(""));
    assert_int_equal(proxies_pick(p, z("x"), 80, false)->port, 1);
    assert_int_equal(proxies_pick(p, z("x"), 443, true)->port, 2);
    proxies_free(p);
    p = proxies_new(z(""), z("s:2"), z("a:3"), z(""));
    assert_int_equal(proxies_pick(p, z("x"), 80, false)->port, 3);
    assert_string_equal(proxies_pick(p, z("x"), 80, false)->var, "ALL_PROXY");
    proxies_free(p);
    assert_null(proxies_pick(NULL, z("x"), 80, false));
    proxies_free(NULL);
}

struct bypass_case {
    const char *no_proxy, *host;
    uint16_t port;
    bool bypassed;
};

static void no_proxy(void **state)
{
    static const struct bypass_case cases[] = {
        { "", "example.com", 443, false },
        { "*", "example.com", 443, true },
        { " * ", "10.0.0.1", 443, true },
        { "example.com", "example.com", 443, true },
        { "example.com", "EXAMPLE.com.", 443, true },
        { "Example.Com.", "api.example.com", 443, true },
        { ".example.com", "api.example.com", 443, true },
        { ".example.com", "example.com", 443, true },
        { "*.example.com", "a.b.example.com", 443, true },
        { "example.com", "badexample.com", 443, false },
        { "example.com", "example.com.evil.test", 443, false },
        { "example.com", "com", 443, false },
        { "a.test, b.test\tc.test d.test", "c.test", 443, true },
        { "a.test, b.test\tc.test d.test", "d.test", 443, true },
        { "a.test,,b.test", "b.test", 443, true },
        { "a.test,,b.test", "x.test", 443, false },
        { "example.com:8443", "example.com", 8443, true },
        { "example.com:8443", "example.com", 443, false },
        { "example.com:x", "example.com", 443, false },
        { "example.com:", "example.com", 443, false },
        { "10.0.0.1", "10.0.0.1", 80, true },
        { "10.0.0.1", "10.0.0.10", 80, false },
        { "10.0.0.1:80", "10.0.0.1", 80, true },
        { "10.0.0.1:80", "10.0.0.1", 81, false },
        { "10.0.0.0/8", "10.255.1.2", 80, true },
        { "10.0.0.0/8", "11.0.0.1", 80, false },
        { "10.0.0.0/9", "10.127.0.1", 80, true },
        { "10.0.0.0/9", "10.128.0.1", 80, false },
        { "0.0.0.0/0", "8.8.8.8", 80, true },
        { "0.0.0.0/0", "example.com", 80, false },
        { "10.0.0.0/33", "10.0.0.0", 80, false },
        { "10.0.0.0/", "10.0.0.0", 80, false },
        { "10.0.0.0/x", "10.0.0.0", 80, false },
        { "0.1", "10.0.0.1", 80, false }, /* no suffix of an address */
        { "::1", "::1", 80, true },
        { "[::1]", "::1", 80, true },
        { "[::1]:80", "::1", 80, true },
        { "[::1]:80", "::1", 81, false },
        { "fd00::/8", "fd12::1", 80, true },
        { "fd00::/8", "fe80::1", 80, false },
        { "fd00::/8", "10.0.0.1", 80, false },
        { "fd00::/129", "fd00::", 80, false },
        { ".", "example.com", 80, false },
        { "[", "example.com", 80, false },
        { "localhost", "localhost", 80, true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct bypass_case *c = &cases[i];
        struct proxies *p = proxies_new(z("p:1"), z(""), z(""), z(c->no_proxy));
        bool bypassed = proxies_pick(p, z(c->host), c->port, false) == NULL;
        if (bypassed != c->bypassed)
            fail_msg("NO_PROXY=\"%s\", %s:%u", c->no_proxy, c->host, c->port);
        proxies_free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls),
        cmocka_unit_test(by_scheme),
        cmocka_unit_test(no_proxy),
    };
    return cmocka_run_group_tests_name("net/proxies", tests, NULL, NULL);
}
