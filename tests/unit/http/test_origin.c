/* http/origin: which base URLs are taken, and what is said about those that are not. */
#include "http/client.h"

#include <setjmp.h>
#include <stdarg.h>

#include <stdio.h>
#include <cmocka.h>

struct good {
    const char *url, *host, *authority, *key, *path;
    uint16_t port;
    bool https;
};

static const struct good goods[] = {
    { "https://api.openai.com", "api.openai.com", "api.openai.com", "https://api.openai.com:443",
      "", 443, true },
    { "https://api.openai.com/", "api.openai.com", "api.openai.com", "https://api.openai.com:443",
      "", 443, true },
    { "https://api.openai.com/v1", "api.openai.com", "api.openai.com", "https://api.openai.com:443",
      "/v1", 443, true },
    { "https://api.openai.com/v1/", "api.openai.com", "api.openai.com",
      "https://api.openai.com:443", "/v1", 443, true },
    { "https://h/a//b///", "h", "h", "https://h:443", "/a//b", 443, true },
    { "https://h////", "h", "h", "https://h:443", "", 443, true },
    { "HTTPS://API.Example.COM/V1", "api.example.com", "api.example.com",
      "https://api.example.com:443", "/V1", 443, true },
    { "http://localhost", "localhost", "localhost", "http://localhost:80", "", 80, false },
    { "http://localhost:11434/v1", "localhost", "localhost:11434", "http://localhost:11434", "/v1",
      11434, false },
    { "http://localhost:80", "localhost", "localhost", "http://localhost:80", "", 80, false },
    { "http://localhost:443", "localhost", "localhost:443", "http://localhost:443", "", 443,
      false },
    { "https://h:443", "h", "h", "https://h:443", "", 443, true },
    { "https://h:80", "h", "h:80", "https://h:80", "", 80, true },
    { "https://h:1", "h", "h:1", "https://h:1", "", 1, true },
    { "https://h:65535/", "h", "h:65535", "https://h:65535", "", 65535, true },
    { "https://h:00443", "h", "h", "https://h:443", "", 443, true },
    { "http://127.0.0.1:8000", "127.0.0.1", "127.0.0.1:8000", "http://127.0.0.1:8000", "", 8000,
      false },
    { "http://[::1]:8000/x", "::1", "[::1]:8000", "http://[::1]:8000", "/x", 8000, false },
    { "https://[2001:DB8::A]", "2001:db8::a", "[2001:db8::a]", "https://[2001:db8::a]:443", "", 443,
      true },
    { "http://a_b-c.d.svc.cluster.local.:80", "a_b-c.d.svc.cluster.local.",
      "a_b-c.d.svc.cluster.local.", "http://a_b-c.d.svc.cluster.local.:80", "", 80, false },
    { "https://h/openai/deployments/x%20y", "h", "h", "https://h:443", "/openai/deployments/x%20y",
      443, true },
    { "https://h/v1beta/models/m:generate@1~!$&'()*+,;=", "h", "h", "https://h:443",
      "/v1beta/models/m:generate@1~!$&'()*+,;=", 443, true },
};

struct bad {
    const char *url, *problem; /* a part of it */
};

static const struct bad bads[] = {
    { "", "must start with" },
    { "api.openai.com/v1", "must start with" },
    { "ftp://h", "must start with" },
    { "ws://h", "must start with" },
    { "https:/h", "must start with" },
    { "https:h", "must start with" },
    { " https://h", "must start with" },
    { "//h", "must start with" },
    { "unix:///tmp/x", "must start with" },
    { "https://", "no host" },
    { "https:///v1", "no host" },
    { "https://:443", "no host" },
    { "https://user@h", "user name" },
    { "https://user:secret@h/v1", "user name" },
    { "https://@h", "user name" },
    { "https://h?api-version=1", "query" },
    { "https://h/?", "query" },
    { "https://h/v1?api-version=1", "query" },
    { "https://h/v1#x", "fragment" },
    { "https://h#", "fragment" },
    { "https://h:", "bad port" },
    { "https://h:/v1", "bad port" },
    { "https://h:0", "bad port" },
    { "https://h:65536", "bad port" },
    { "https://h:99999999999999999999", "bad port" },
    { "https://h:-1", "bad port" },
    { "https://h:+1", "bad port" },
    { "https://h: 80", "bad port" },
    { "https://h:80a", "bad port" },
    { "https://h:0x50", "bad port" },
    { "https://[::1]x", "bad port" },
    { "https://[::1]:", "bad port" },
    { "https://[::1]443", "bad port" },
    { "https://h:80:81", "two ports" },
    { "https://::1", "IPv6" },
    { "https://2001:db8::1/v1", "IPv6" },
    { "https://[::1", "']'" },
    { "https://[]", "IPv6" },
    { "https://[::g]", "IPv6" },
    { "https://[127.0.0.1]", "IPv6" },
    { "https://[fe80::1%25eth0]", "zone" },
    { "https://[fe80::1%eth0]", "zone" },
    { "https://[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]", "IPv6" },
    { "https://h st", "host name" },
    { "https://h%41st", "host name" },
    { "https://h\r\nX: y", "host name" },
    { "https://h\\x", "host name" },
    { "https://${HOST}/v1", "host name" },
    { "https://h\xc3\xa4h", "xn--" },
    { "https://a..b", "empty label" },
    { "https://.a", "empty label" },
    { "https://.", "empty label" },
    { "https://h./v1", "dot at the end" },
    { "https://h/a b", "percent-encoded" },
    { "https://h/a\tb", "percent-encoded" },
    { "https://h/a\r\nHost: x", "percent-encoded" },
    { "https://h/\x7f", "percent-encoded" },
    { "https://h/\xc3\xa4", "percent-encoded" },
    { "https://h/{model}", "percent-encoded" },
    { "https://h/a\\b", "percent-encoded" },
    { "https://h/\"", "percent-encoded" },
    { "https://h/%", "two hexadecimal digits" },
    { "https://h/%4", "two hexadecimal digits" },
    { "https://h/%4g", "two hexadecimal digits" },
    { "https://h/%%41", "two hexadecimal digits" },
};

static void check_str(struct str got, const char *want, const char *url)
{
    if (!str_eq(got, str_c(want)))
        fail_msg("%s: got \"%.*s\", not \"%s\"", url, STR_ARG(got), want);
}

static void test_good(void **state)
{
    struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof goods / sizeof goods[0]; i++) {
        const struct good *g = &goods[i];
        struct origin o;
        struct str path, problem;
        bool https = !g->https;
        /* A copy of its own, exactly as long: nothing may be read behind it, nor kept. */
        struct str url = arena_dup(a, str_c(g->url));
        if (origin_parse(url, a, &o, &path, &https, &problem) != ERR_OK)
            fail_msg("%s: refused: %.*s", g->url, STR_ARG(problem));
        memset((char *)(uintptr_t)url.p, 'x', url.len);
        check_str(o.host, g->host, g->url);
        check_str(o.authority, g->authority, g->url);
        check_str(o.key, g->key, g->url);
        check_str(path, g->path, g->url);
        assert_int_equal(o.port, g->port);
        assert_int_equal(https, g->https);
        assert_null(o.tls);
    }
    arena_free(a);
}

static void refused(struct arena *a, struct str url, const char *want)
{
    struct origin o, untouched;
    memset(&o, 0x5a, sizeof o);
    untouched = o;
    struct str path = STR("before"), problem = STR("");
    bool https = true;
    if (origin_parse(url, a, &o, &path, &https, &problem) != ERR_SYNTAX)
        fail_msg("%.*s: taken", STR_ARG(url));
    if (str_find(problem, str_c(want)) == STR_NONE)
        fail_msg("%.*s: \"%.*s\" does not say \"%s\"", STR_ARG(url), STR_ARG(problem), want);
    assert_int_equal(str_find(problem, STR("secret")), STR_NONE);
    assert_memory_equal(&o, &untouched, sizeof o);
    assert_true(str_eq(path, STR("before")));
    assert_true(https);
}

static void test_bad(void **state)
{
    struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof bads / sizeof bads[0]; i++)
        refused(a, str_c(bads[i].url), bads[i].problem);
    refused(a, str_of("https://h\0st", 12), "host name");
    refused(a, str_of("https://[::1\0]", 14), "IPv6");
    refused(a, str_of("https://h:4\0", 12), "bad port");
    refused(a, str_of("https://h/\0", 11), "percent-encoded");
    arena_free(a);
}

static void test_host_length(void **state)
{
    struct arena *a = arena_new();
    char url[300];
    struct origin o;
    struct str path, problem;
    bool https;
    memset(url, 'a', sizeof url);
    memcpy(url, "https://", 8);
    assert_int_equal(origin_parse(str_of(url, 8 + 253), a, &o, &path, &https, &problem), ERR_OK);
    assert_int_equal(o.host.len, 253);
    refused(a, str_of(url, 8 + 254), "253");
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_host_length),
    };
    return cmocka_run_group_tests_name("http/origin", tests, NULL, NULL);
}
