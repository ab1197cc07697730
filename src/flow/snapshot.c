#include "flow/snapshot.h"

#include "base/mem.h"
#include "flow/affinity.h"
#include "wire/digest.h"

struct tls_key {
    struct str ca_file;
    bool verify;
};

/* One context per (CA, verify). */
static struct tls_ctx *tls_for(struct snapshot *s, struct tls_key *keys, const struct endpoint *e)
{
    for (size_t i = 0; i < s->tls_count; i++)
        if (keys[i].verify == e->ssl_verify && str_eq(keys[i].ca_file, e->ca_file))
            return s->tls[i];
    keys[s->tls_count] = (struct tls_key){ e->ca_file, e->ssl_verify };
    s->tls[s->tls_count] = tls_client_new(e->ca_file, e->ssl_verify);
    return s->tls[s->tls_count++];
}

static void fill_credential(struct snapshot *s, struct upstream *u, const struct endpoint *e)
{
    if (!e->key || secret_len(e->key) == 0)
        return;
    u->credential = secret_reveal(e->key);
    u->auth_name = provider_auth_header(e->provider, false);
    u->auth_value = provider_auth_bearer(e->provider, false)
                        ? arena_printf(s->arena, "Bearer %.*s", STR_ARG(u->credential))
                        : u->credential;
    if (!http_value_ok(u->auth_value)) {
        u->auth_value = str_of(NULL, 0);
        u->problem =
            STR("its api_key holds characters that cannot stand in a header (a line end?)");
    }
}

static void fill_upstream(struct snapshot *s, struct upstream *u, const struct endpoint *e,
                          struct tls_key *keys)
{
    struct str problem;
    bool https;
    if (!e->provider || e->api_base.len == 0)
        return;
    if (origin_parse(e->api_base, s->arena, &u->origin, &u->base_path, &https, &problem)) {
        u->problem = arena_printf(s->arena, "its api_base is not usable: %.*s", STR_ARG(problem));
        return;
    }
    if (https)
        u->origin.tls = tls_for(s, keys, e);
    u->api_base = e->api_base; /* origin_parse refuses a query and userinfo */
    fill_credential(s, u, e);
}

static void fill_accounts(struct snapshot *s)
{
    for (size_t i = 0; i < s->router->deployment_count; i++) {
        const struct deployment *d = &s->router->deployments[i];
        if (!d->endpoint || !d->endpoint->provider)
            continue;
        struct upstream *u = &s->upstreams[d->endpoint->index];
        u->account_tag = account_tag_make(d->endpoint, u, d->conf, s->arena);
    }
}

struct snapshot *snapshot_new(struct conf *conf, const struct conf_source *src,
                              struct secret *generated_master, struct hash_seed seed)
{
    struct snapshot *s = MEM_NEW(struct snapshot);
    const struct secret *master =
        conf->general.master_key ? conf->general.master_key : generated_master;
    char hash[65] = "";
    atomic_store(&s->refs, 1);
    s->arena = arena_new();
    s->conf = conf;
    s->generated_master = generated_master;
    s->router = router_new(conf, src, seed);
    if (master)
        sha256_hex(secret_reveal(master), hash);
    s->directory = directory_new(master, hash);
    size_t n = s->router->endpoint_count;
    s->upstreams = ARENA_ARRAY(s->arena, struct upstream, n);
    s->tls = ARENA_ARRAY(s->arena, struct tls_ctx *, n);
    s->token_tls = tls_client_new(
        conf->litellm.ca_file.len ? conf->litellm.ca_file : conf->weir.ca_file, true);
    struct tls_key *keys = ARENA_ARRAY(s->arena, struct tls_key, n);
    for (size_t i = 0; i < n; i++)
        fill_upstream(s, &s->upstreams[i], &s->router->endpoints[i], keys);
    fill_accounts(s);
    return s;
}

struct snapshot *snapshot_ref(struct snapshot *s)
{
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

void snapshot_unref(struct snapshot *s)
{
    if (!s || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (size_t i = 0; i < s->tls_count; i++)
        tls_unref(s->tls[i]);
    for (size_t i = 0; i < s->router->endpoint_count; i++)
        wipe((char *)(uintptr_t)s->upstreams[i].auth_value.p,
             s->upstreams[i].auth_value.p == s->upstreams[i].credential.p
                 ? 0
                 : s->upstreams[i].auth_value.len);
    tls_unref(s->token_tls);
    directory_free(s->directory);
    router_free(s->router);
    secret_free(s->generated_master);
    conf_free(s->conf);
    arena_free(s->arena);
    mem_free(s);
}
