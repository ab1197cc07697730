/* Aliases: read, and checked against the models that exist. */
#include "conf/conf_priv.h"
#include "conf/scalar.h"

#define WORDS_MAX 1000 /* names that a misspelt one is compared with */

struct aliases {
    struct conf_alias *rows;
    const struct conf_node **places;
    struct str *sections;
    size_t count;
};

static bool alias_text(struct loader *l, const struct conf_node *n, const struct conf_path *path,
                       struct str *ret_text)
{
    bool env;
    if (n->kind == CONF_SCALAR && !conf_is_null(n) && n->text.len)
        return value_text(l, n, path, ret_text, &env);
    bad(l, n, "%.*s is %.*s; it takes the name of a model", STR_ARG(path_text(l, path)),
        STR_ARG(value_found(l, NULL, n)));
    return false;
}

static bool read_object(struct loader *l, const struct conf_node *n, const struct conf_path *path,
                        struct conf_alias *alias, struct str *ret_model)
{
    const struct conf_node *model = conf_get(n, STR("model")), *hidden = conf_get(n, STR("hidden"));
    struct conf_path at = path_name(path, STR("model"));
    if (!model) {
        bad(l, n, "%.*s is missing; it takes the name of a model", STR_ARG(path_text(l, &at)));
        return false;
    }
    for (size_t i = 0; i < n->count; i++) {
        struct conf_path key = path_name(path, n->pairs[i].key);
        if (!str_eq(n->pairs[i].key, STR("model")) && !str_eq(n->pairs[i].key, STR("hidden")))
            tell(l, CONF_WARNING, n->pairs[i].value,
                 "%.*s is not a known key; an alias takes model and hidden",
                 STR_ARG(path_text(l, &key)));
    }
    at.name = STR("hidden");
    if (hidden && (hidden->kind != CONF_SCALAR || !scalar_bool(hidden->text, &alias->hidden))) {
        bad(l, hidden, "%.*s is %.*s; it takes true or false", STR_ARG(path_text(l, &at)),
            STR_ARG(value_found(l, NULL, hidden)));
        return false;
    }
    at.name = STR("model");
    return alias_text(l, model, &at, ret_model);
}

static void read_map(struct loader *l, struct str section, struct str key, struct aliases *out)
{
    const struct conf_node *map = conf_get(load_section(l, section), key);
    struct conf_path top = path_name(NULL, section), path = path_name(&top, key);
    if (!map || map->kind != CONF_MAP)
        return; /* told by the key's type */
    for (size_t i = 0; i < map->count; i++) {
        const struct conf_node *n = map->pairs[i].value;
        struct conf_path at = path_name(&path, map->pairs[i].key);
        struct conf_alias alias = { .alias = arena_dup(l->arena, map->pairs[i].key) };
        struct str model;
        if (conf_is_null(n))
            continue;
        if (n->kind == CONF_MAP ? !read_object(l, n, &at, &alias, &model)
                                : !alias_text(l, n, &at, &model))
            continue;
        alias.model = arena_dup(l->arena, model);
        out->places[out->count] = n;
        out->sections[out->count] = path_text(l, &path);
        out->rows[out->count++] = alias;
    }
}

static bool model_exists(const struct loader *l, const struct aliases *all, size_t self)
{
    const struct conf *c = &l->box->conf;
    struct str model = all->rows[self].model;
    for (size_t i = 0; i < c->deployment_count; i++)
        if (str_eq(c->deployments[i].id, model) || wildcard_match(c->deployments[i].name, model))
            return true;
    for (size_t i = 0; i < all->count; i++)
        if (i != self && str_eq(all->rows[i].alias, model))
            return true;
    return false;
}

static void check_target(struct loader *l, const struct aliases *all, size_t i)
{
    const struct conf *c = &l->box->conf;
    const struct conf_alias *a = &all->rows[i];
    if (l->diags->count >= CONF_DIAGS_MAX || model_exists(l, all, i))
        return;
    size_t n = c->deployment_count < WORDS_MAX ? c->deployment_count : WORDS_MAX;
    struct str *words = ARENA_ARRAY(l->scratch, struct str, n);
    for (size_t w = 0; w < n; w++)
        words[w] = c->deployments[w].name;
    struct str near = conf_nearest(a->model, words, n);
    tell(l, CONF_WARNING, all->places[i],
         "%.*s.%.*s refers to the model \"%.*s\", which model_list does not have%s%.*s%s",
         STR_ARG(all->sections[i]), STR_ARG(shown(l->scratch, a->alias)),
         STR_ARG(shown(l->scratch, a->model)), near.len ? "; did you mean " : "", STR_ARG(near),
         near.len ? "?" : "");
}

static size_t map_count(const struct loader *l, struct str section, struct str key)
{
    const struct conf_node *map = conf_get(load_section(l, section), key);
    return map ? map->count : 0;
}

void aliases_read(struct loader *l, bool check)
{
    const struct str litellm = STR("litellm_settings"), router = STR("router_settings");
    const struct str first = STR("model_alias_map"), second = STR("model_group_alias");
    size_t room = map_count(l, litellm, first) + map_count(l, router, second);
    struct aliases all = {
        .rows = ARENA_ARRAY(l->arena, struct conf_alias, room),
        .places = ARENA_ARRAY(l->scratch, const struct conf_node *, room),
        .sections = ARENA_ARRAY(l->scratch, struct str, room),
    };
    read_map(l, litellm, first, &all);
    read_map(l, router, second, &all);
    for (size_t i = 0; check && i < all.count; i++)
        check_target(l, &all, i);
    l->box->conf.aliases = all.rows;
    l->box->conf.alias_count = all.count;
}
