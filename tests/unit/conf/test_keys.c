/* The tables themselves: every row is read, checked and documented by what it says. */
#include "conf_test.h"

#include "conf/conf_priv.h"

static void test_rows(void **state)
{
    (void)state;
    for (int id = 0; id < SECTION_COUNT; id++) {
        const struct conf_section *s = conf_section((enum section_id)id);
        assert_true(s->count > 0);
        for (size_t i = 0; i < s->count; i++) {
            const struct conf_key *k = &s->keys[i];
            if (k->name.len == 0 || k->help.len < 5 || !str_ends(k->help, STR(".")))
                if (!str_ends(k->help, STR("...")))
                    fail_msg("help of %.*s", STR_ARG(k->name));
            if (k->lo > k->hi)
                fail_msg("range of %.*s", STR_ARG(k->name));
            if ((k->type == KEY_CHOICE) != (k->choices.len > 0))
                fail_msg("choices of %.*s", STR_ARG(k->name));
            if (conf_key_find(s, k->name) != k)
                fail_msg("%.*s stands twice", STR_ARG(k->name));
            assert_true(conf_key_number(s, k) < conf_key_total());
        }
    }
}

static void test_numbers_are_unique(void **state)
{
    bool *seen = mem_zalloc(conf_key_total());
    (void)state;
    for (int id = 0; id < SECTION_COUNT; id++)
        for (size_t i = 0; i < conf_section((enum section_id)id)->count; i++) {
            const struct conf_section *s = conf_section((enum section_id)id);
            assert_false(seen[conf_key_number(s, &s->keys[i])]);
            seen[conf_key_number(s, &s->keys[i])] = true;
        }
    mem_free(seen);
}

/* What the tables call a default is a value that the key takes. */
static void test_defaults_are_valid(void **state)
{
    struct conf_source src = { .get_env = world_env, .ctx = &(struct test_world){ .env = NULL } };
    struct conf_diags diags = { .rows = NULL };
    struct arena *a = arena_new();
    struct conf_box box = { .conf = { .arena = a } };
    bool *noted = mem_zalloc(conf_key_total());
    struct loader l = { .src = &src,
                        .box = &box,
                        .arena = a,
                        .scratch = a,
                        .diags = &diags,
                        .diag_arena = a,
                        .noted = noted };
    (void)state;
    map_init(&box.env_by_name, (struct hash_seed){ 1, 2 });
    for (int id = 0; id < SECTION_COUNT; id++)
        for (size_t i = 0; i < conf_section((enum section_id)id)->count; i++) {
            const struct conf_key *k = &conf_section((enum section_id)id)->keys[i];
            const struct conf_path path = path_name(NULL, k->name);
            struct conf_node n = { .kind = CONF_SCALAR, .plain = true, .text = k->def };
            if (str_eq(k->def, STR("none")))
                continue;
            if (k->def.p[0] == '[' || k->def.p[0] == '{')
                n.kind = k->def.p[0] == '[' ? CONF_SEQ : CONF_MAP;
            if (!value_read(&l, k, &n, &path, NULL))
                fail_msg("default of %.*s: %.*s", STR_ARG(k->name), STR_ARG(diags.rows[0].msg));
        }
    assert_int_equal(diags.count, 0);
    mem_free(noted);
    arena_free(a);
}

static void test_find(void **state)
{
    const struct conf_section *params = conf_section(SECTION_PARAMS),
                              *router = conf_section(SECTION_ROUTER);
    (void)state;
    assert_str(conf_key_find(params, STR("input_cost_per_token"))->name, "*cost_per_*");
    assert_str(conf_key_find(params, STR("cache_read_input_token_cost_above_200k_tokens"))->name,
               "*_token_cost*");
    assert_str(conf_key_find(params, STR("aws_new_thing"))->name, "aws_*");
    assert_int_equal(conf_key_find(params, STR("aws_new_thing"))->type, KEY_SECRET);
    assert_null(conf_key_find(params, STR("")));
    assert_null(conf_key_find(params, STR("nothing_known")));
    assert_str(conf_key_nearest(router, STR("num_retires"))->name, "num_retries");
    assert_null(conf_key_nearest(router, STR("something")));
    assert_str(conf_key_elsewhere(router, STR("master_key"))->name, "general_settings");
    assert_null(conf_key_elsewhere(router, STR("nothing_known")));
}

static void test_wildcards(void **state)
{
    static const struct {
        const char *pattern, *name;
        bool fits;
    } rows[] = {
        { "gpt-4", "gpt-4", true },
        { "gpt-4", "gpt-41", false },
        { "*", "", true },
        { "*", "anything/at all", true },
        { "openai/*", "openai/", true },
        { "openai/*", "openai", false },
        { "*-mini", "gpt-5-mini", true },
        { "*-mini", "gpt-5-minimal", false },
        { "foo::*:bar::*", "foo::a:bar::b", true },
        { "foo::*:bar::*", "foo::a:baz::b", false },
        { "a*a", "a", false },
        { "a*a", "aa", true },
        { "a*b*c", "axbxbxc", true },
        { "**", "x", true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (wildcard_match(str_c(rows[i].pattern), str_c(rows[i].name)) != rows[i].fits)
            fail_msg("%s and %s", rows[i].pattern, rows[i].name);
}

static void test_docs(void **state)
{
    struct buf out;
    (void)state;
    buf_init(&out, MIB);
    conf_write_docs(&out);
    assert_int_equal(out.fail, ERR_OK);
    buf_putc(&out, '\0');
    for (int id = 0; id < SECTION_COUNT; id++) {
        const struct conf_section *s = conf_section((enum section_id)id);
        char heading[100];
        snprintf(heading, sizeof heading, "\n### %.*s\n",
                 STR_ARG(s->name.len ? s->name : STR("Top level")));
        const char *at = strstr(out.p, heading);
        if (!at)
            fail_msg("no heading %s", heading);
        for (size_t i = 0; i < s->count; i++) {
            char row[200];
            snprintf(row, sizeof row, "\n| `%.*s` | ", STR_ARG(s->keys[i].name));
            if (!strstr(at, row))
                fail_msg("no row %s", row);
        }
    }
    /* A row is one line of five cells, whatever its text holds. */
    for (char *line = strstr(out.p, "\n| `"); line; line = strstr(line + 1, "\n| `")) {
        unsigned bars = 0;
        for (const char *p = line + 1; *p && *p != '\n'; p++)
            bars += p[0] == '|' && p[-1] != '\\';
        if (bars != 6)
            fail_msg("%u bars in %.80s", bars, line);
    }
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_numbers_are_unique),
        cmocka_unit_test(test_defaults_are_valid),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_wildcards),
        cmocka_unit_test(test_docs),
    };
    return cmocka_run_group_tests_name("conf/keys", tests, NULL, NULL);
}
