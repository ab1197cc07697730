#include "conf_test.h"

#include "conf/tree.h"

struct parsed {
    struct arena *arena;
    struct conf_diags diags;
    struct conf_budget budget;
    const struct conf_node *root;
    enum err err;
};

static void parse_bytes(struct parsed *p, struct str text)
{
    *p = (struct parsed){ .arena = arena_new(), .budget = { CONF_NODES_MAX, CONF_BYTES_MAX } };
    p->err = conf_tree_parse(text, STR("f"), p->arena, &p->budget, &p->diags, p->arena, &p->root);
}

static void parse(struct parsed *p, const char *text)
{
    parse_bytes(p, str_c(text));
}

static void test_shape(void **state)
{
    struct parsed p;
    (void)state;
    parse(&p, "a: 1\nb:\n  - x\n  - 'y'\n  - {c: ~}\n");
    assert_int_equal(p.err, ERR_OK);
    assert_int_equal(p.root->kind, CONF_MAP);
    assert_int_equal(p.root->count, 2);
    assert_str(p.root->pairs[0].key, "a");
    assert_true(conf_get(p.root, STR("a"))->plain);
    const struct conf_node *b = conf_get(p.root, STR("b"));
    assert_int_equal(b->kind, CONF_SEQ);
    assert_int_equal(b->line, 3);
    assert_int_equal(b->items[1]->line, 4);
    assert_false(b->items[1]->plain);
    assert_null(conf_get(b->items[2], STR("c")));
    assert_non_null(conf_get_pair(b->items[2], STR("c")));
    assert_null(conf_get(b, STR("c")));
    assert_null(conf_get(NULL, STR("c")));
    assert_int_equal(p.root->height, 4);
    arena_free(p.arena);
}

static void test_merge(void **state)
{
    struct parsed p;
    (void)state;
    parse(&p, "one: &one {a: 1, b: 1}\ntwo: &two {b: 2, c: 2}\n"
              "m: {<<: [*one, *two], c: 3}\nn:\n  <<: *one\n  a: 9\nq: {'<<': text}\n");
    assert_int_equal(p.err, ERR_OK);
    const struct conf_node *m = conf_get(p.root, STR("m")), *n = conf_get(p.root, STR("n"));
    assert_int_equal(m->count, 3);
    assert_str(conf_get(m, STR("a"))->text, "1");
    assert_str(conf_get(m, STR("b"))->text, "1");
    assert_str(conf_get(m, STR("c"))->text, "3");
    assert_str(conf_get(n, STR("a"))->text, "9");
    assert_str(conf_get(n, STR("b"))->text, "1");
    assert_str(conf_get(conf_get(p.root, STR("q")), STR("<<"))->text, "text");
    arena_free(p.arena);
    parse(&p, "m: {<<: text}\n");
    assert_int_equal(p.err, ERR_SYNTAX);
    arena_free(p.arena);
    parse(&p, "m: {<<: [{a: 1}, text]}\n");
    assert_int_equal(p.err, ERR_SYNTAX);
    arena_free(p.arena);
}

static void test_tags(void **state)
{
    struct parsed p;
    (void)state;
    parse(&p, "a: !!str 12\nb: !!int '12'\nc: ! 12\nd: !!seq [1]\ne: !!map {}\nf: !!null ''\n");
    assert_int_equal(p.err, ERR_OK);
    assert_false(conf_get(p.root, STR("a"))->plain);
    assert_true(conf_get(p.root, STR("b"))->plain);
    assert_false(conf_get(p.root, STR("c"))->plain);
    assert_null(conf_get(p.root, STR("f")));
    arena_free(p.arena);
    static const char *const refused[] = {
        "a: !vault x",  "a: !!binary eA==", "a: !!python/none ''", "a: !!map [1]",
        "a: !!str [1]", "a: !!seq {}",      "a: !!int [1]",        "a: !<x> 1"
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        parse(&p, refused[i]);
        if (p.err != ERR_SYNTAX || p.diags.errors != 1)
            fail_msg("%s", refused[i]);
        arena_free(p.arena);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *text;
        unsigned line;
        const char *msg;
    } rows[] = {
        { "a:\n\tb: 1\n", 2, "a tab" },
        { "a:\n  b: 1\n  \tc: 1\n", 3, "a tab" },
        { "a: 1\nb: 2\na: 3\n", 3, "first in line 1" },
        { "? [a]\n: 1\n", 1, "a key must be a text" },
        { "a: *b\n", 1, "nothing above is marked" },
        { "a: &a [*a]\n", 1, "inside of what it refers to" },
        { "a: &a {b: *a}\n", 1, "inside of what it refers to" },
        { "a: \"\\q\"\n", 1, "escape" },
        { "a: [1, 2\n", 2, "not closed" },
        { "a: {b: 1\n", 2, "not closed" },
        { "a: 'x\n\n\n", 1, "never closed" },
        { "a: @x\n", 1, "reserves" },
        { "a: `x`\n", 1, "reserves" },
        { "a: *\n", 1, "must be in quotes" },
        { "key value\nb: 1\n", 2, "" },
        { "a: 1\n---\nb: 2\n", 2, "second document" },
        { "a: 1\n...\n---\nb: 2\n", 3, "second document" },
        { "a: b: c\n", 1, "':' stands" },
        { "a: \x01\n", 1, "control character" },
        { "ok: 1\nbad: \xff\n", 2, "UTF-8" },
        { "%YAML 9.9\n---\na: 1\n", 1, "" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct parsed p;
        parse(&p, rows[i].text);
        if (p.err != ERR_SYNTAX || p.diags.count != 1 || p.diags.rows[0].line != rows[i].line ||
            !strstr(p.diags.rows[0].msg.p, rows[i].msg))
            fail_msg("%s: %d, line %u: %s", rows[i].text, p.err,
                     p.diags.count ? p.diags.rows[0].line : 0,
                     p.diags.count ? p.diags.rows[0].msg.p : "");
        assert_null(p.root);
        arena_free(p.arena);
    }
}

static void test_nothing(void **state)
{
    static const char *const empty[] = { "", "\n", "# only a comment\n", "\xef\xbb\xbf", "---\n" };
    (void)state;
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        struct parsed p;
        parse(&p, empty[i]);
        assert_int_equal(p.err, ERR_OK);
        assert_true(!p.root || conf_is_null(p.root));
        arena_free(p.arena);
    }
}

static void test_utf16(void **state)
{
    static const char text[] = "\xff\xfe"
                               "a\0:\0 \0b\0\n";
    struct parsed p;
    (void)state;
    parse_bytes(&p, str_of(text, sizeof text));
    assert_int_equal(p.err, ERR_OK);
    assert_str(conf_get(p.root, STR("a"))->text, "b");
    arena_free(p.arena);
    parse_bytes(&p, str_of(text, sizeof text - 1)); /* half a character */
    assert_int_equal(p.err, ERR_SYNTAX);
    arena_free(p.arena);
}

static void fill(struct buf *b, const char *word, size_t n)
{
    buf_reset(b);
    for (size_t i = 0; i < n; i++)
        buf_putz(b, word);
}

static void test_depth(void **state)
{
    struct parsed p;
    struct buf b;
    (void)state;
    buf_init(&b, 16 * MIB);
    fill(&b, "[", CONF_DEPTH_MAX);
    for (size_t i = 0; i < CONF_DEPTH_MAX; i++)
        buf_putc(&b, ']');
    parse_bytes(&p, buf_str(&b));
    assert_int_equal(p.err, ERR_OK);
    arena_free(p.arena);
    fill(&b, "[", CONF_DEPTH_MAX + 1);
    for (size_t i = 0; i <= CONF_DEPTH_MAX; i++)
        buf_putc(&b, ']');
    parse_bytes(&p, buf_str(&b));
    assert_int_equal(p.err, ERR_SYNTAX);
    arena_free(p.arena);
    /* Never closed, and far beyond the bound: refused without going down. */
    fill(&b, "[", 1000000);
    parse_bytes(&p, buf_str(&b));
    assert_int_equal(p.err, ERR_SYNTAX);
    arena_free(p.arena);
    fill(&b, "- ", 1000000);
    parse_bytes(&p, buf_str(&b));
    assert_int_equal(p.err, ERR_SYNTAX);
    arena_free(p.arena);
    buf_done(&b);
}

/* By aliases, each within the bound. */
static void test_depth_by_alias(void **state)
{
    struct parsed p;
    struct buf b;
    (void)state;
    buf_init(&b, MIB);
    buf_putz(&b, "a0: &a0 [[[[[[[[[[x]]]]]]]]]]\n");
    for (unsigned i = 1; i < 8; i++)
        buf_printf(&b, "a%u: &a%u [[[[[[[[[[*a%u]]]]]]]]]]\n", i, i, i - 1);
    parse_bytes(&p, buf_str(&b));
    assert_int_equal(p.err, ERR_SYNTAX);
    assert_int_equal(p.diags.rows[0].line, 7);
    arena_free(p.arena);
    buf_done(&b);
}

static void test_budget(void **state)
{
    struct parsed p;
    struct buf b;
    (void)state;
    buf_init(&b, 64 * MIB);
    fill(&b, "- x\n", CONF_NODES_MAX - 1);
    parse_bytes(&p, buf_str(&b));
    assert_int_equal(p.err, ERR_OK);
    assert_int_equal(p.budget.nodes, 0);
    arena_free(p.arena);
    fill(&b, "- x\n", CONF_NODES_MAX);
    parse_bytes(&p, buf_str(&b));
    assert_int_equal(p.err, ERR_SYNTAX);
    arena_free(p.arena);
    /* A text of 1 MiB, used twenty times. */
    buf_reset(&b);
    buf_putz(&b, "a: &a ");
    for (size_t i = 0; i < MIB; i++)
        buf_putc(&b, 'x');
    buf_putz(&b, "\nb: [");
    for (size_t i = 0; i < 20; i++)
        buf_putz(&b, "*a,");
    buf_putz(&b, "]\n");
    parse_bytes(&p, buf_str(&b));
    assert_int_equal(p.err, ERR_SYNTAX);
    assert_non_null(strstr(p.diags.rows[0].msg.p, "MiB of text"));
    arena_free(p.arena);
    /* Merge keys count as what they copy. */
    buf_reset(&b);
    buf_putz(&b, "a: &a {");
    for (unsigned i = 0; i < 1000; i++)
        buf_printf(&b, "k%u: 1, ", i);
    buf_putz(&b, "}\n");
    for (unsigned i = 0; i < 200; i++)
        buf_printf(&b, "m%u: {<<: *a}\n", i);
    parse_bytes(&p, buf_str(&b));
    assert_int_equal(p.err, ERR_SYNTAX);
    arena_free(p.arena);
    buf_done(&b);
}

static void test_many_keys(void **state)
{
    struct parsed p;
    struct buf b;
    (void)state;
    buf_init(&b, 16 * MIB);
    for (unsigned i = 0; i < 40000; i++)
        buf_printf(&b, "k%u: 1\n", i);
    parse_bytes(&p, buf_str(&b));
    assert_int_equal(p.err, ERR_OK);
    assert_int_equal(p.root->count, 40000);
    arena_free(p.arena);
    buf_putz(&b, "k39999: 2\n");
    parse_bytes(&p, buf_str(&b));
    assert_int_equal(p.err, ERR_SYNTAX);
    assert_int_equal(p.diags.rows[0].line, 40001);
    assert_non_null(strstr(p.diags.rows[0].msg.p, "line 40000"));
    arena_free(p.arena);
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shape),   cmocka_unit_test(test_merge),
        cmocka_unit_test(test_tags),    cmocka_unit_test(test_refused),
        cmocka_unit_test(test_nothing), cmocka_unit_test(test_utf16),
        cmocka_unit_test(test_depth),   cmocka_unit_test(test_depth_by_alias),
        cmocka_unit_test(test_budget),  cmocka_unit_test(test_many_keys),
    };
    return cmocka_run_group_tests_name("conf/tree", tests, NULL, NULL);
}
