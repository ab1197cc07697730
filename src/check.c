/* weir check: every problem of a config, and what it would serve. */
#include "base/mem.h"
#include "flow/snapshot.h"
#include "serve.h"
#include "world.h"

#include <stdio.h>

static void put_deployment(const struct snapshot *s, const struct deployment *d, struct buf *out)
{
    const struct endpoint *e = d->endpoint;
    struct str problem = d->problem;
    buf_printf(out, "  %-28.*s ", STR_ARG(d->conf->name));
    if (d->conf->mock_response.len)
        buf_put(out, STR("mock_response"));
    else if (!e)
        buf_put(out, STR("any provider by its prefix, with its environment variable"));
    else if (e->provider)
        buf_printf(out, "%.*s %.*s at %.*s, %s", STR_ARG(e->provider->name),
                   STR_ARG(d->upstream_model), STR_ARG(e->api_base),
                   e->key ? "with a key" : "without a key");
    else
        buf_printf(out, "%.*s", STR_ARG(d->conf->model));
    buf_printf(out, "  id=%.*s%s", STR_ARG(str_head(d->conf->id, 12)),
               d->conf->id.len > 12 ? "..." : "");
    if (e && !e->ssl_verify)
        buf_put(out, STR("  ssl_verify OFF"));
    if (d->conf->blocked)
        buf_put(out, STR("  blocked"));
    buf_putc(out, '\n');
    if (problem.len == 0 && e && e->provider)
        problem = s->upstreams[e->index].problem;
    if (problem.len)
        buf_printf(out, "  %-28s cannot be served: %.*s\n", "", STR_ARG(problem));
}

static void put_summary(const struct snapshot *s, struct buf *out)
{
    const struct router *r = s->router;
    buf_printf(out, "%zu deployments\n", r->deployment_count);
    for (size_t i = 0; i < r->deployment_count; i++)
        put_deployment(s, &r->deployments[i], out);
    if (s->conf->alias_count)
        buf_printf(out, "%zu aliases\n", s->conf->alias_count);
    for (size_t i = 0; i < s->conf->alias_count; i++)
        buf_printf(out, "  %-28.*s is %.*s%s\n", STR_ARG(s->conf->aliases[i].alias),
                   STR_ARG(s->conf->aliases[i].model),
                   s->conf->aliases[i].hidden ? " (hidden)" : "");
    if (!s->conf->general.master_key)
        buf_put(
            out,
            STR("no master key: one would be generated into the data directory, and only loopback served\n"));
}

int check(const struct options *o)
{
    struct world world;
    struct conf_diags diags = { 0 };
    struct arena *a = arena_new();
    struct buf out;
    struct conf *conf = NULL;
    buf_init(&out, 16 * MIB);
    if (!o->config) {
        buf_put(&out, STR("weir check needs a file: weir check config.yaml\n"));
        diags.errors = 1;
    }
    if (world_init(&world, o->env_file, &out))
        diags.errors = 1;
    struct conf_source src = world_source(&world);
    if (!diags.errors)
        conf = conf_load(&src, str_c(o->config), a, &diags);
    for (size_t i = 0; i < diags.count; i++)
        conf_diag_write(&diags.rows[i], &out);
    if (conf) {
        struct snapshot *s = snapshot_new(conf, &src, NULL, (struct hash_seed){ 1, 2 });
        put_summary(s, &out);
        snapshot_unref(s);
    }
    buf_printf(&out, "%zu errors, %zu warnings\n", diags.errors, diags.warnings);
    printf("%.*s", STR_ARG(buf_str(&out)));
    buf_done(&out);
    arena_free(a);
    world_done(&world);
    return diags.errors || !conf ? 1 : 0;
}
