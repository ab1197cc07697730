/* What the tests of this folder share: a world of files and variables in memory. */
#ifndef TESTS_CONF_TEST_H
#define TESTS_CONF_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "conf/conf.h"

struct test_row {
    const char *name, *value;
};

/* Tables end with a row of NULL. */
struct test_world {
    const struct test_row *files, *env;
};

static enum err world_file(void *ctx, struct str path, struct arena *a, struct str *ret_text)
{
    const struct test_world *w = ctx;
    for (const struct test_row *r = w->files; r && r->name; r++)
        if (str_eq(path, str_c(r->name))) {
            *ret_text = arena_dup(a, str_c(r->value));
            return ERR_OK;
        }
    return ERR_NOT_FOUND;
}

static bool world_env(void *ctx, struct str name, struct arena *a, struct str *ret_value)
{
    const struct test_world *w = ctx;
    for (const struct test_row *r = w->env; r && r->name; r++)
        if (str_eq(name, str_c(r->name))) {
            *ret_value = arena_dup(a, str_c(r->value));
            return true;
        }
    return false;
}

/* A load, and all that is needed to look at it. */
struct test_load {
    struct test_world world;
    struct conf_source src;
    struct arena *arena;
    struct conf_diags diags;
    struct conf *conf;
    struct buf text; /* all problems as they are printed */
};

static inline void test_load(struct test_load *t, const struct test_row *files,
                             const struct test_row *env)
{
    t->world = (struct test_world){ .files = files, .env = env };
    t->src =
        (struct conf_source){ .read_file = world_file, .get_env = world_env, .ctx = &t->world };
    t->arena = arena_new();
    buf_init(&t->text, 4 * MIB);
    t->conf = conf_load(&t->src, STR("config.yaml"), t->arena, &t->diags);
    for (size_t i = 0; i < t->diags.count; i++)
        conf_diag_write(&t->diags.rows[i], &t->text);
    buf_putc(&t->text, '\0');
}

static inline void test_load_text(struct test_load *t, const char *yaml, const struct test_row *env)
{
    const struct test_row files[] = { { "config.yaml", yaml }, { NULL, NULL } };
    test_load(t, files, env);
    t->world.files = NULL;
}

static inline void test_unload(struct test_load *t)
{
    conf_free(t->conf);
    arena_free(t->arena);
    buf_done(&t->text);
}

#define assert_str(s, z)                                                                           \
    do {                                                                                           \
        struct str assert_s_ = (s);                                                                \
        assert_int_equal(assert_s_.len, strlen(z));                                                \
        assert_memory_equal(assert_s_.p, z, assert_s_.len);                                        \
    } while (0)

#define assert_told(t, z)                                                                          \
    do {                                                                                           \
        if (!strstr((t)->text.p, z))                                                               \
            fail_msg("not told: %s\nbut: %s", z, (t)->text.p);                                     \
    } while (0)

#define assert_not_told(t, z)                                                                      \
    do {                                                                                           \
        if (strstr((t)->text.p, z))                                                                \
            fail_msg("told: %s\nin: %s", z, (t)->text.p);                                          \
    } while (0)

#endif
