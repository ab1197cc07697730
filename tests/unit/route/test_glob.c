#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "route/router.h"

static void test_glob(void **state)
{
    static const struct {
        const char *pattern, *text, *to, *want; /* want NULL: no match */
    } cases[] = {
        { "openai/*", "openai/gpt-4o", "*", "gpt-4o" },
        { "openai/*", "openai/", "x", "x" },
        { "openai/*", "azure/gpt", "*", NULL },
        { "openai/*", "openai", "*", NULL },
        { "*", "anything/at:all", "p/*", "p/anything/at:all" },
        { "*", "", "*", "" },
        { "foo::*:bar::*", "foo::a:bar::b", "*-*", "a-b" },
        { "*-latest", "gpt-latest", "*", "gpt" },
        { "*-latest", "gpt-latest-x", "*", NULL },
        { "a*a", "a", "*", NULL },
        { "a*a", "aa", "[*]", "[]" },
        { "a*b*c", "abbbc", "*|*", "|bb" },
        { "exact", "exact", "*", "*" },
        { "exact", "exactly", "*", NULL },
        { "x*", "xy", "*/*", "y/*" },
        { "**", "ab", "*+*", "+ab" },
        { "*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "*",
          NULL }, /* more stars than are kept */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena *a = arena_new();
        struct str got = STR("untouched");
        bool hit =
            glob_match(str_c(cases[i].pattern), str_c(cases[i].text), str_c(cases[i].to), a, &got);
        if (hit != (cases[i].want != NULL) || (hit && !str_eq(got, str_c(cases[i].want))))
            fail_msg("%s on %s: %d %.*s", cases[i].pattern, cases[i].text, hit, STR_ARG(got));
        arena_free(a);
    }
}

/* A pattern and a name that make a backtracking matcher take years. */
static void test_glob_is_linear(void **state)
{
    struct arena *a = arena_new();
    size_t n = 1 << 20;
    char *text = mem_alloc(n);
    struct str got;
    memset(text, 'a', n);
    assert_false(glob_match(STR("*a*a*a*a*a*a*b"), str_of(text, n), STR("*"), a, &got));
    mem_free(text);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_glob),
                                        cmocka_unit_test(test_glob_is_linear) };
    return cmocka_run_group_tests_name("route/glob", tests, NULL, NULL);
}
