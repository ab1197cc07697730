/* tests/golden/conf/<case>/: config.yaml and what `weir check` says of it, in expected.txt. The
 * last line tells whether
 * there is something to serve with. WEIR_GOLDEN_WRITE=1 writes the expectations anew, to be read in
 * the diff. */
#include <dirent.h>
#include <stdlib.h>

#include "conf_test.h"

#define CASES_MAX 200

static const struct test_row variables[] = {
    { "OPENAI_API_KEY", "sk-variable-0123456789" },
    { "AZURE_KEY", "variable-azure" },
    { NULL, NULL },
};

static bool read_whole(const char *path, struct arena *a, struct str *ret_text)
{
    struct buf b;
    FILE *f = fopen(path, "rb");
    char *room;
    if (!f)
        return false;
    buf_init(&b, 8 * MIB);
    while ((room = buf_reserve(&b, 64 * KIB)) != NULL) {
        size_t n = fread(room, 1, 64 * KIB, f);
        if (n == 0)
            break;
        buf_commit(&b, n);
    }
    fclose(f);
    *ret_text = arena_dup(a, buf_str(&b));
    buf_done(&b);
    return true;
}

static enum err folder_file(void *ctx, struct str path, struct arena *a, struct str *ret_text)
{
    struct str full = arena_printf(a, "%s/%.*s", (const char *)ctx, STR_ARG(path));
    return read_whole(full.p, a, ret_text) ? ERR_OK : ERR_NOT_FOUND;
}

static bool folder_env(void *ctx, struct str name, struct arena *a, struct str *ret_value)
{
    struct test_world w = { .env = variables };
    (void)ctx;
    return world_env(&w, name, a, ret_value);
}

static void write_whole(const char *path, struct str text)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text.p, 1, text.len, f), text.len);
    assert_int_equal(fclose(f), 0);
}

static void test_case(void **state)
{
    const char *folder = *state;
    struct conf_source src = { .read_file = folder_file, .get_env = folder_env, .ctx = *state };
    struct conf_diags diags;
    struct arena *a = arena_new();
    struct buf out;
    struct str expected;
    struct conf *c = conf_load(&src, STR("config.yaml"), a, &diags);
    struct str path = arena_printf(a, "%s/expected.txt", folder);

    buf_init(&out, MIB);
    for (size_t i = 0; i < diags.count; i++)
        conf_diag_write(&diags.rows[i], &out);
    buf_printf(&out, "%s, %zu errors, %zu warnings\n", c ? "loads" : "refused", diags.errors,
               diags.warnings);
    conf_free(c);
    if (getenv("WEIR_GOLDEN_WRITE"))
        write_whole(path.p, buf_str(&out));
    assert_true(read_whole(path.p, a, &expected));
    if (!str_eq(buf_str(&out), expected))
        fail_msg("%s\n--- got\n%.*s--- expected\n%.*s", folder, STR_ARG(buf_str(&out)),
                 STR_ARG(expected));
    buf_done(&out);
    arena_free(a);
}

static int is_case(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

int main(void)
{
    static struct CMUnitTest tests[CASES_MAX];
    const char *root = getenv("WEIR_SOURCE_ROOT");
    struct arena *a = arena_new();
    struct str folder = arena_printf(a, "%s/tests/golden/conf", root ? root : ".");
    struct dirent **cases;
    int count = scandir(folder.p, &cases, is_case, alphasort);
    if (count < 10 || count > CASES_MAX) {
        printf("Bail out! %s holds %d cases; 10 to %d are expected\n", folder.p, count, CASES_MAX);
        return 1;
    }
    for (int i = 0; i < count; i++) {
        struct str path = arena_printf(a, "%.*s/%s", STR_ARG(folder), cases[i]->d_name);
        tests[i].name = arena_cstr(a, str_c(cases[i]->d_name));
        tests[i].test_func = test_case;
        tests[i].initial_state = (void *)(uintptr_t)path.p;
        free(cases[i]); /* scandir's own malloc */
    }
    free(cases);
    int failed = _cmocka_run_group_tests("conf/golden", tests, (size_t)count, NULL, NULL);
    arena_free(a);
    return failed;
}
