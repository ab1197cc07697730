#include "route/router.h"

#include "base/mem.h"
#include "route/google.h"

/* -- endpoints */

static struct str strip_slash(struct str url)
{
    while (url.len && url.p[url.len - 1] == '/')
        url.len--;
    return url;
}

struct build {
    struct router *r;
    const struct conf_source *src;
};

static bool env_of(struct build *b, struct str name, struct str *ret_value)
{
    return name.len && conf_env(b->r->conf, b->src, name, b->r->arena, ret_value) && ret_value->len;
}

/* The key named by the provider's variable, owned by the router. */
static const struct secret *env_key(struct build *b, struct str name)
{
    struct str value;
    struct router *r = b->r;
    if (!env_of(b, name, &value))
        return NULL;
    r->owned = mem_realloc(r->owned, (r->owned_count + 1) * sizeof *r->owned);
    struct secret *s = secret_new(value);
    wipe((char *)(uintptr_t)value.p, value.len); /* conf_env made this copy for us, in the arena */
    r->owned[r->owned_count++] = s;
    return s;
}

static const struct secret *default_key(struct build *b, const struct provider *p)
{
    const struct secret *key = env_key(b, p->key_env);
    for (size_t i = 0; !key && i < sizeof p->more_key_envs / sizeof p->more_key_envs[0]; i++)
        key = env_key(b, p->more_key_envs[i]);
    return key;
}

static struct str default_base(struct build *b, const struct provider *p, struct str location)
{
    struct str value;
    for (size_t i = 0; i < sizeof p->base_envs / sizeof p->base_envs[0]; i++)
        if (env_of(b, p->base_envs[i], &value))
            return value;
    return provider_base_url(p, location, b->r->arena);
}

/* -- Vertex AI: a project, a location and a Google credential */

static struct str first_env(struct build *b, const struct str *names, size_t n)
{
    struct str value;
    for (size_t i = 0; i < n; i++)
        if (env_of(b, names[i], &value))
            return value;
    return str_of(NULL, 0);
}

static void vertex_place(struct build *b, struct endpoint *e, const struct conf_deployment *d)
{
    static const struct str projects[] = { STR_INIT("VERTEXAI_PROJECT"), STR_INIT("VERTEX_PROJECT"),
                                           STR_INIT("GOOGLE_CLOUD_PROJECT") };
    static const struct str locations[] = { STR_INIT("VERTEXAI_LOCATION"),
                                            STR_INIT("VERTEX_LOCATION"),
                                            STR_INIT("GOOGLE_CLOUD_LOCATION") };
    e->project = d && d->vertex_project.len ? d->vertex_project : first_env(b, projects, 3);
    e->location = d && d->vertex_location.len ? d->vertex_location : first_env(b, locations, 3);
    if (e->location.len == 0)
        e->location = STR("us-central1"); /* LiteLLM's default */
}

static void vertex_credential(struct build *b, struct endpoint *e, const struct conf_deployment *d)
{
    struct router *r = b->r;
    struct google_credential *found = NULL;
    const struct secret *written = d ? d->vertex_credentials : NULL;
    if (e->key && !written) {
        /* Express mode: one address, without project and location. */
        e->project = str_of(NULL, 0);
        e->location = STR("global");
        return;
    }
    e->key = NULL;
    if (google_find(r->conf, b->src, written, r->arena, &found, &e->problem))
        return;
    r->googles =
        mem_realloc(r->googles, (r->google_count + 1) * sizeof(struct google_credential *));
    r->googles[r->google_count++] = found;
    e->google = found;
    if (e->project.len == 0)
        e->project = found->project.len ? found->project : found->quota_project;
}

static void vertex_check(struct build *b, struct endpoint *e)
{
    bool whole = str_find(e->api_base, STR("/models/")) != STR_NONE ||
                 str_find(e->api_base, STR("/endpoints/")) != STR_NONE;
    if (e->problem.len)
        return;
    if (e->api_base.len == 0)
        e->problem =
            STR("vertex_location is not a location of Google Cloud; it takes lower-case letters, "
                "digits and '-', for example us-central1, eu or global");
    else if (e->google && e->project.len == 0 && !whole)
        e->problem =
            STR("there is no project for vertex_ai: set litellm_params.vertex_project or the "
                "environment variable VERTEXAI_PROJECT, then reload");
}

static void endpoint_fill(struct build *b, struct endpoint *e, const struct conf_deployment *d)
{
    const struct provider *p = e->provider;
    struct str value;
    bool own_base = d && d->api_base.len;
    e->key = d && d->api_key ? d->api_key : default_key(b, p);
    if (p->url == URL_VERTEX) {
        vertex_place(b, e, d);
        vertex_credential(b, e, d);
    }
    e->api_base = strip_slash(d && own_base ? d->api_base : default_base(b, p, e->location));
    e->api_version = d && d->api_version.len             ? d->api_version
                     : env_of(b, p->version_env, &value) ? value
                                                         : p->version_default;
    if (p->url == URL_VERTEX)
        vertex_check(b, e);
    else if (e->api_base.len == 0)
        e->problem = arena_printf(
            b->r->arena, "%.*s has no api_base; set litellm_params.api_base%s%.*s",
            STR_ARG(p->name), p->base_envs[0].len ? " or the environment variable " : "",
            STR_ARG(p->base_envs[0]));
    else if (!e->key && !own_base && !p->key_optional)
        e->problem = arena_printf(
            b->r->arena,
            "there is no api_key for %.*s: set litellm_params.api_key or the environment "
            "variable %.*s, then reload",
            STR_ARG(p->name), STR_ARG(p->key_env));
}

static void endpoint_tls(struct endpoint *e, const struct conf *c, const struct conf_deployment *d)
{
    int32_t verify = d && d->ssl_verify >= 0 ? d->ssl_verify : c->litellm.ssl_verify;
    e->ssl_verify = verify != 0;
    e->ca_file = d && d->ca_file.len      ? d->ca_file
                 : c->litellm.ca_file.len ? c->litellm.ca_file
                                          : c->weir.ca_file;
}

/* -- deployments */

/* The provider that a deployment names; *ret_model is the model without the prefix. NULL: unknown. */
static const struct provider *provider_of(const struct conf_deployment *d, struct str *ret_model)
{
    struct str rest = d->model;
    bool has_prefix = str_find_char(d->model, '/') != STR_NONE;
    struct str prefix = has_prefix ? str_cut(&rest, '/') : str_of(NULL, 0);
    const struct provider *by_prefix = has_prefix ? provider_find(prefix) : NULL;
    *ret_model = by_prefix ? rest : d->model;
    if (d->custom_provider.len) {
        const struct provider *named = provider_find(d->custom_provider);
        if (by_prefix != named)
            *ret_model = d->model;
        return named;
    }
    if (by_prefix)
        return by_prefix;
    const struct provider *inferred = has_prefix ? NULL : provider_infer(d->model);
    if (inferred)
        return inferred;
    /* A server of one's own: OpenAI's dialect, the whole name. */
    return d->api_base.len ? provider_find(STR("openai")) : NULL;
}

static struct str unknown_provider(struct arena *a, const struct conf_deployment *d)
{
    return arena_printf(
        a,
        "the provider of litellm_params.model \"%.*s\" is not known; `weir providers` lists the known ones, and "
        "a server of your own takes openai/ and an api_base",
        STR_ARG(d->model));
}

/* LiteLLM's ways to say it: a second prefix, a parameter, the model's mode. */
static void choose_api(struct deployment *dep, const struct conf_deployment *d)
{
    static const struct str chat = STR_INIT("chat_completions/"),
                            responses = STR_INIT("responses/");
    if (str_starts(dep->upstream_model, chat)) {
        dep->upstream_model = str_skip(dep->upstream_model, chat.len);
        dep->api = API_CHAT;
    } else if (str_starts(dep->upstream_model, responses)) {
        dep->upstream_model = str_skip(dep->upstream_model, responses.len);
        dep->api = API_RESPONSES;
    } else if (d->use_chat) {
        dep->api = API_CHAT;
    } else if (str_eq(d->mode, STR("responses"))) {
        dep->api = API_RESPONSES;
    }
}

static void deployment_fill(struct build *b, struct deployment *dep,
                            const struct conf_deployment *d, struct endpoint *e)
{
    dep->conf = d;
    if (str_eq(d->model, STR("*")) && !d->custom_provider.len && !d->api_base.len) {
        dep->upstream_model = d->model;
        dep->problem = d->problem;
        return;
    }
    e->provider = provider_of(d, &dep->upstream_model);
    endpoint_tls(e, b->r->conf, d);
    if (e->provider)
        endpoint_fill(b, e, d);
    else
        e->problem = unknown_provider(b->r->arena, d);
    choose_api(dep, d);
    if (e->provider && str_find_char(dep->upstream_model, '*') == STR_NONE)
        dep->facts = model_facts_find(provider_family(e->provider, dep->upstream_model),
                                      dep->upstream_model);
    dep->endpoint = e;
    dep->problem = d->problem.len         ? d->problem
                   : d->mock_response.len ? str_of(NULL, 0)
                                          : e->problem;
}

/* -- groups */

static struct group *group_add(struct router *r, struct str name, const struct deployment *dep)
{
    struct group *g = map_get(&r->groups, name);
    bool fresh = !g;
    if (fresh) {
        g = ARENA_NEW(r->arena, struct group);
        g->name = name;
        g->wildcard = str_find_char(name, '*') != STR_NONE;
        g->members = ARENA_ARRAY(r->arena, const struct deployment *, r->conf->deployment_count);
        map_put(&r->groups, name, g);
    }
    g->members[g->count++] = dep;
    return fresh ? g : NULL;
}

static void index_groups(struct router *r)
{
    size_t n = r->deployment_count;
    r->public_groups = ARENA_ARRAY(r->arena, struct group *, n ? n : 1);
    for (size_t i = 0; i < n; i++) {
        struct group *g = group_add(r, r->deployments[i].conf->name, &r->deployments[i]);
        if (g)
            r->public_groups[r->public_count++] = g;
    }
    /* By id, after all names: a name wins over an id that looks like it. */
    for (size_t i = 0; i < n; i++)
        if (!map_get(&r->groups, r->deployments[i].conf->id))
            group_add(r, r->deployments[i].conf->id, &r->deployments[i]);
}

struct router *router_new(const struct conf *c, const struct conf_source *src,
                          struct hash_seed seed)
{
    struct router *r = MEM_NEW(struct router);
    struct build b = { r, src };
    size_t providers = 0;
    while (provider_at(providers))
        providers++;
    r->conf = c;
    r->arena = arena_new();
    map_init(&r->groups, seed);
    map_init(&r->aliases, seed);
    r->endpoint_count = c->deployment_count + providers;
    r->endpoints = ARENA_ARRAY(r->arena, struct endpoint, r->endpoint_count);
    for (size_t i = 0; i < r->endpoint_count; i++)
        r->endpoints[i].index = (uint32_t)i;
    struct deployment *deps =
        ARENA_ARRAY(r->arena, struct deployment, c->deployment_count ? c->deployment_count : 1);
    for (size_t i = 0; i < c->deployment_count; i++)
        deployment_fill(&b, &deps[i], &c->deployments[i], &r->endpoints[i]);
    r->deployments = deps;
    r->deployment_count = c->deployment_count;
    struct endpoint *defaults = r->endpoints + c->deployment_count;
    for (size_t i = 0; i < providers; i++) {
        defaults[i].provider = provider_at(i);
        endpoint_tls(&defaults[i], c, NULL);
        endpoint_fill(&b, &defaults[i], NULL);
    }
    r->defaults = defaults;
    index_groups(r);
    for (size_t i = 0; i < c->alias_count; i++)
        if (!map_get(&r->aliases, c->aliases[i].alias))
            map_put(&r->aliases, c->aliases[i].alias, (void *)(uintptr_t)&c->aliases[i]);
    return r;
}

void router_free(struct router *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->owned_count; i++)
        secret_free(r->owned[i]);
    for (size_t i = 0; i < r->google_count; i++)
        google_credential_unref(r->googles[i]);
    mem_free(r->googles);
    mem_free(r->owned);
    map_done(&r->groups);
    map_done(&r->aliases);
    arena_free(r->arena);
    mem_free(r);
}

/* -- picking */

#define ALIAS_HOPS_MAX 8

static struct str resolve_alias(const struct router *r, struct str model)
{
    for (int i = 0; i < ALIAS_HOPS_MAX; i++) {
        const struct conf_alias *alias = map_get(&r->aliases, model);
        if (!alias)
            break;
        model = alias->model;
    }
    return model;
}

/* The wildcard with the most literal characters wins; among equals the first in the config. */
static struct group *wildcard_group(const struct router *r, struct str model, struct arena *a)
{
    struct group *best = NULL;
    struct str unused;
    for (size_t i = 0; i < r->public_count; i++) {
        struct group *g = r->public_groups[i];
        if (g->wildcard && (!best || g->name.len > best->name.len) &&
            glob_match(g->name, model, STR(""), a, &unused))
            best = g;
    }
    return best;
}

static struct group *find_group(const struct router *r, struct str model, struct arena *a)
{
    struct group *g = map_get(&r->groups, model);
    if (g)
        return g;
    g = wildcard_group(r, model, a);
    if (g)
        return g;
    for (size_t i = 0; i < r->deployment_count; i++)
        if (str_eq(r->deployments[i].conf->model, model))
            return map_get(&r->groups, r->deployments[i].conf->name);
    return NULL;
}

/* For model "*": the provider by the requested name's prefix, or by the name itself. */
static enum err pick_by_name(const struct router *r, struct str model, struct pick *p,
                             struct arena *a, struct fault *f)
{
    struct str rest = model;
    struct str prefix = str_cut(&rest, '/');
    const struct provider *row = rest.len ? provider_find(prefix) : NULL;
    p->upstream_model = row ? rest : model;
    row = row ? row : provider_infer(model);
    if (!row) {
        fault_set(
            f, ERR_UNKNOWN_MODEL, a,
            "Invalid model name passed in model=%.*s. It matches only the wildcard \"%.*s\", which takes names with a "
            "provider in front, such as openai/gpt-4.1.",
            STR_ARG(str_head(model, 256)), STR_ARG(p->group->name));
        f->param = STR("model");
        return ERR_UNKNOWN_MODEL;
    }
    p->endpoint = &r->defaults[provider_index(row)];
    if (p->endpoint->problem.len)
        return fault_set(f, ERR_DEPLOYMENT_CONFIG, a, "The model %.*s cannot be served: %.*s.",
                         STR_ARG(str_head(model, 256)), STR_ARG(p->endpoint->problem));
    return ERR_OK;
}

bool router_is_usable(const struct deployment *d)
{
    return !d->problem.len && !d->conf->blocked;
}

/* In turn, past those that cannot serve. */
static const struct deployment *next_usable(struct group *g, const struct deployment **ret_broken)
{
    uint32_t turn = g->count > 1 ? atomic_fetch_add_explicit(&g->turn, 1, memory_order_relaxed) : 0;
    *ret_broken = NULL;
    for (size_t i = 0; i < g->count; i++) {
        const struct deployment *d = g->members[(turn + i) % g->count];
        if (router_is_usable(d))
            return d;
        if (d->problem.len)
            *ret_broken = d;
    }
    return NULL;
}

static enum err pick_of(const struct router *r, struct group *g, const struct deployment *d,
                        struct str name, struct arena *a, struct pick *p, struct fault *f)
{
    *p = (struct pick){
        .group = g, .deployment = d, .endpoint = d->endpoint, .upstream_model = d->upstream_model
    };
    if (!p->endpoint)
        return pick_by_name(r, name, p, a, f);
    if (g->wildcard && !glob_match(g->name, name, p->upstream_model, a, &p->upstream_model))
        return fault_set(f, ERR_INTERNAL, a, "The wildcard no longer matches.");
    return ERR_OK;
}

static enum err broken_deployment(struct str model, const struct deployment *d, struct arena *a,
                                  struct fault *f)
{
    return fault_set(f, ERR_DEPLOYMENT_CONFIG, a, "The model %.*s cannot be served: %.*s.",
                     STR_ARG(str_head(model, 256)), STR_ARG(d->problem));
}

static enum err no_group(struct str model, struct arena *a, struct fault *f)
{
    fault_set(
        f, ERR_UNKNOWN_MODEL, a,
        "Invalid model name passed in model=%.*s. Call GET /v1/models to see the models of this gateway.",
        STR_ARG(str_head(model, 256)));
    f->param = STR("model");
    return ERR_UNKNOWN_MODEL;
}

enum err router_pick(const struct router *r, struct str model, struct arena *a, struct pick *p,
                     struct fault *f)
{
    struct str name = resolve_alias(r, model);
    struct group *g = find_group(r, name, a);
    const struct deployment *broken;
    if (!g)
        return no_group(model, a, f);
    *p = (struct pick){ .group = g };
    const struct deployment *d = next_usable(g, &broken);
    if (d)
        return pick_of(r, g, d, name, a, p, f);
    if (broken)
        return broken_deployment(model, broken, a, f);
    return fault_set(f, ERR_OVERLOADED, a, "The model %.*s is paused (model_info.blocked).",
                     STR_ARG(str_head(model, 256)));
}

enum err router_pick_deployment(const struct router *r, struct str model, struct str id,
                                struct arena *a, struct pick *p, struct fault *f)
{
    struct str name = resolve_alias(r, model);
    struct group *g = find_group(r, name, a);
    if (!g)
        return no_group(model, a, f);
    *p = (struct pick){ .group = g };
    for (size_t i = 0; i < g->count; i++) {
        const struct deployment *d = g->members[i];
        if (!str_eq(d->conf->id, id))
            continue;
        return d->problem.len ? broken_deployment(model, d, a, f) : pick_of(r, g, d, name, a, p, f);
    }
    return ERR_NOT_FOUND;
}
