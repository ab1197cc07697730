/* conf_load on arbitrary bytes: no crash, no leak, and everything that comes out is well-formed. */
#include "base/buf.h"
#include "base/mem.h"
#include "conf/conf.h"

#include "fuzz.h"

/* Every file is the input: an include of anything is an include of it. */
static enum err read_input(void *ctx, struct str path, struct arena *a, struct str *ret_text)
{
    (void)a;
    if (str_ends(path, STR("missing.yaml")))
        return ERR_NOT_FOUND;
    *ret_text = *(const struct str *)ctx;
    return ERR_OK;
}

static bool get_variable(void *ctx, struct str name, struct arena *a, struct str *ret_value)
{
    (void)ctx;
    (void)a;
    if (name.len == 0 || name.p[0] != 'S')
        return false;
    *ret_value = str_ends(name, STR("T")) ? STR("30") : STR("sk-from-the-environment");
    return true;
}

static void check_deployment(const struct conf_deployment *d)
{
    REQUIRE(d->id.len > 0 && d->name.len > 0);
    REQUIRE(d->model.len > 0 || d->problem.len > 0);
    REQUIRE_JSON(d->model_info);
    REQUIRE_JSON(d->public_params);
    for (size_t i = 0; i < d->default_count; i++)
        REQUIRE_JSON(d->defaults[i].json);
    for (size_t i = 0; i < d->extra_body_count; i++)
        REQUIRE_JSON(d->extra_body[i].json);
    if (d->mock_response.len)
        REQUIRE_JSON(d->mock_response);
    for (size_t i = 0; i < d->header_count; i++)
        REQUIRE(str_find_char(d->headers[i].value, '\n') == STR_NONE && d->headers[i].name.len > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_of((const char *)data, size);
    struct conf_source src = { .read_file = read_input, .get_env = get_variable, .ctx = &text };
    struct conf_diags diags;
    struct arena *a = arena_new();
    struct buf out;
    struct conf *c = conf_load(&src, STR("config.yaml"), a, &diags);
    REQUIRE(c || diags.errors > 0);
    for (size_t i = 0; c && i < c->deployment_count; i++)
        check_deployment(&c->deployments[i]);
    buf_init(&out, 64 * MIB);
    for (size_t i = 0; i < diags.count; i++)
        conf_diag_write(&diags.rows[i], &out);
    size_t lines = 0;
    for (size_t i = 0; i < out.len; i++)
        lines += out.p[i] == '\n';
    REQUIRE(lines == diags.count);
    buf_done(&out);
    conf_free(c);
    arena_free(a);
    return 0;
}
