#include "conf_test.h"

#include "conf/conf_priv.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct str words[] = { STR_INIT("num_retries"), STR_INIT("timeout"), STR_INIT("model"),
                                    STR_INIT("tpm"), STR_INIT("rpm") };

static void test_nearest(void **state)
{
    static const struct {
        const char *word, *found;
    } rows[] = {
        { "num_retires", "num_retries" }, /* two letters swapped */
        { "num_retry", "" },              /* three away */
        { "num_retrie", "num_retries" },  /* one missing */
        { "num_rettries", "num_retries" },
        { "timeuot", "timeout" },
        { "timoeuts", "timeout" },
        { "modle", "model" },
        { "mdlo", "" }, /* two away, and only a third of four letters may differ */
        { "rpn", "rpm" },
        { "tp", "" }, /* too short for any mistake */
        { "", "" },
        { "rpm", "rpm" },
        { "zzzzzzzzz", "" },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str found = conf_nearest(str_c(rows[i].word), words, COUNT(words));
        if (!str_eq(found, str_c(rows[i].found)))
            fail_msg("nearest to %s: %.*s", rows[i].word, STR_ARG(found));
    }
    char big[200];
    memset(big, 'x', sizeof big);
    assert_int_equal(conf_nearest(str_of(big, sizeof big), words, COUNT(words)).len, 0);
    struct str long_words[] = { str_of(big, sizeof big) };
    assert_int_equal(conf_nearest(str_of(big, 64), long_words, 1).len, 0);
    assert_int_equal(conf_nearest(STR("model"), NULL, 0).len, 0);
}

static void test_write(void **state)
{
    const struct conf_diag rows[] = {
        { CONF_ERROR, STR_INIT("a.yaml"), 12, STR_INIT("no") },
        { CONF_WARNING, STR_INIT("a.yaml"), 0, STR_INIT("hm") },
        { CONF_NOTE, STR_INIT("b.yaml"), 1, STR_INIT("so") },
    };
    struct buf out;
    (void)state;
    buf_init(&out, KIB);
    for (size_t i = 0; i < COUNT(rows); i++)
        conf_diag_write(&rows[i], &out);
    assert_str(buf_str(&out), "a.yaml:12: error: no\na.yaml: warning: hm\nb.yaml:1: note: so\n");
    buf_done(&out);
}

static void test_one_line(void **state)
{
    struct arena *a = arena_new();
    struct conf_diags d = { .rows = NULL };
    char big[5000];
    (void)state;
    diag_add(&d, a, CONF_NOTE, STR("f"), 1, "a\nb\r\tc%c", 0x7f);
    assert_str(d.rows[0].msg, "a?b??c?");
    /* Cut, and not within a character. */
    memset(big, 'x', sizeof big);
    memcpy(big + 998, "\xe2\x82\xac", 3);
    diag_add(&d, a, CONF_NOTE, STR("f"), 1, "%.*s", (int)sizeof big, big);
    assert_int_equal(d.rows[1].msg.len, 998);
    arena_free(a);
}

static void test_many(void **state)
{
    struct arena *a = arena_new();
    struct conf_diags d = { .rows = NULL };
    (void)state;
    for (unsigned i = 0; i < 5000; i++)
        diag_add(&d, a, i % 2 ? CONF_ERROR : CONF_WARNING, STR("f"), 1, "%u", i);
    assert_int_equal(d.count, CONF_DIAGS_MAX + 1);
    assert_int_equal(d.errors, 2500);
    assert_int_equal(d.warnings, 2500);
    assert_non_null(strstr(d.rows[CONF_DIAGS_MAX].msg.p, "more problems"));
    arena_free(a);
}

static void test_sort(void **state)
{
    static const struct str files[] = { STR_INIT("b"), STR_INIT("a") };
    struct arena *a = arena_new();
    struct conf_diags d = { .rows = NULL };
    (void)state;
    diag_add(&d, a, CONF_NOTE, STR("a"), 5, "4");
    diag_add(&d, a, CONF_NOTE, STR("b"), 9, "2");
    diag_add(&d, a, CONF_NOTE, STR("a"), 5, "5");
    diag_add(&d, a, CONF_NOTE, STR("unread"), 1, "6");
    diag_add(&d, a, CONF_NOTE, STR("b"), 0, "0");
    diag_add(&d, a, CONF_NOTE, STR("a"), 1, "3");
    diag_add(&d, a, CONF_NOTE, STR("b"), 3, "1");
    diags_sort(&d, files, COUNT(files));
    for (size_t i = 0; i < d.count; i++)
        assert_int_equal(d.rows[i].msg.p[0], '0' + (int)i);
    arena_free(a);
}

static void test_shown(void **state)
{
    struct arena *a = arena_new();
    char big[200];
    (void)state;
    memset(big, 'x', sizeof big);
    memcpy(big + 63, "\xe2\x82\xac", 3);
    assert_str(shown(a, STR("plain")), "plain");
    assert_str(shown(a, STR("sk-0123456789")), "sk-...");
    assert_str(shown(a, STR("key: sk-0123456789")), "key: sk-...");
    assert_int_equal(shown(a, str_of(big, sizeof big)).len, 63 + 3);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nearest),  cmocka_unit_test(test_write),
        cmocka_unit_test(test_one_line), cmocka_unit_test(test_many),
        cmocka_unit_test(test_sort),     cmocka_unit_test(test_shown),
    };
    return cmocka_run_group_tests_name("conf/diag", tests, NULL, NULL);
}
