/* conf_load: the order of the work, and what stands above single sections. */
#include "base/mem.h"
#include "conf/conf_priv.h"
#include "conf/scalar.h"

const struct conf_node *load_section(const struct loader *l, struct str name)
{
    for (size_t i = 0; i < l->section_count; i++)
        if (str_eq(l->sections[i].key, name))
            return conf_is_null(l->sections[i].value) ? NULL : l->sections[i].value;
    return NULL;
}

bool load_spend(struct loader *l, const struct conf_node *n, const struct conf_node *at)
{
    if (n->size > l->budget.nodes || n->bytes > l->budget.bytes) {
        bad(l, at,
            "the config holds more than %d values or %zu MiB of text, all uses counted; remove some",
            CONF_NODES_MAX, CONF_BYTES_MAX / MIB);
        return false;
    }
    l->budget.nodes -= n->size;
    l->budget.bytes -= n->bytes;
    return true;
}

const struct secret *own_secret(struct loader *l, struct str bytes)
{
    struct owned_secret *o = ARENA_NEW(l->arena, struct owned_secret);
    o->secret = secret_new(bytes);
    o->sk = str_starts(bytes, STR("sk-"));
    o->next = l->box->secrets;
    l->box->secrets = o;
    return o->secret;
}

bool conf_env(const struct conf *c, const struct conf_source *src, struct str name, struct arena *a,
              struct str *ret_value)
{
    const struct conf_box *box = (const struct conf_box *)(const void *)c;
    const struct conf_header *row = map_get(&box->env_by_name, name);
    if (!row)
        return src->get_env(src->ctx, name, a, ret_value);
    *ret_value = arena_dup(a, row->value);
    return true;
}

static void read_variable(struct loader *l, const struct conf_pair *pair,
                          const struct conf_path *path)
{
    struct conf_box *box = l->box;
    struct conf_path at = path_name(path, pair->key);
    struct str text;
    bool env;
    if (conf_is_null(pair->value))
        return;
    if (pair->value->kind != CONF_SCALAR || pair->key.len == 0 ||
        str_find_char(pair->key, '=') != STR_NONE) {
        bad(l, pair->value, "%.*s: environment_variables takes lines of 'NAME: value'",
            STR_ARG(path_text(l, &at)));
        return;
    }
    /* Whoever needs the variable says so; that it cannot be set is no reason to stop. */
    l->inactive = true;
    bool ok = value_text(l, pair->value, &at, &text, &env);
    l->inactive = false;
    if (!ok)
        return;
    struct conf_header *row = &box->env[box->env_count++];
    *row = (struct conf_header){ .name = arena_dup(l->arena, pair->key),
                                 .value = arena_dup(l->arena, text) };
    map_put(&box->env_by_name, row->name, row);
}

static void read_variables(struct loader *l)
{
    const struct conf_node *map = load_section(l, STR("environment_variables"));
    struct conf_path path = path_name(NULL, STR("environment_variables"));
    if (!map || map->kind != CONF_MAP)
        return; /* told with the other sections */
    l->box->env = ARENA_ARRAY(l->arena, struct conf_header, map->count);
    for (size_t i = 0; i < map->count; i++)
        read_variable(l, &map->pairs[i], &path);
}

static void read_settings(struct loader *l)
{
    static const enum section_id order[] = { SECTION_LITELLM, SECTION_ROUTER, SECTION_GENERAL,
                                             SECTION_WEIR };
    const size_t n = sizeof order / sizeof *order;
    for (size_t i = 0; i < n; i++)
        section_defaults(l, conf_section(order[i]), l->box);
    for (size_t i = 0; i < n; i++) {
        const struct conf_section *s = conf_section(order[i]);
        struct conf_path path = path_name(NULL, s->name);
        section_read(l, s, load_section(l, s->name), &path, l->box);
    }
}

/* The keys of the top level: known or not, of the right kind, active or not. */
static void read_top(struct loader *l)
{
    const struct conf_section *top = conf_section(SECTION_TOP);
    for (size_t i = 0; i < l->section_count; i++) {
        const struct conf_key *key = conf_key_find(top, l->sections[i].key);
        enum section_id id = SECTION_LITELLM;
        /* x-...: a place for anchors, as in compose files. */
        if (!key && str_starts(l->sections[i].key, STR("x-")))
            continue;
        if (!key) {
            section_unknown(l, top, &l->sections[i], NULL);
            continue;
        }
        while (id <= SECTION_WEIR && !str_eq(conf_section(id)->name, key->name))
            id++;
        if (id > SECTION_WEIR) /* the settings tell their kind themselves */
            section_read_key(l, top, key, &l->sections[i], NULL, NULL);
    }
}

static void check_credentials(struct loader *l)
{
    const struct conf_section *s = conf_section(SECTION_CREDENTIAL);
    const struct conf_node *list = load_section(l, STR("credential_list"));
    struct conf_path path = path_name(NULL, STR("credential_list"));
    if (!list || list->kind != CONF_SEQ)
        return;
    l->credentials = list;
    for (size_t i = 0; i < list->count; i++) {
        struct conf_path at = path_index(&path, i);
        section_read(l, s, list->items[i], &at, NULL);
        if (list->items[i]->kind == CONF_MAP && !conf_get(list->items[i], STR("credential_name")))
            tell(l, CONF_WARNING, list->items[i],
                 "%.*s.credential_name is missing; nothing can refer to this entry",
                 STR_ARG(path_text(l, &at)));
    }
}

static bool begins_with_sk(const struct loader *l, const struct secret *s)
{
    for (const struct owned_secret *o = l->box->secrets; o; o = o->next)
        if (o->secret == s)
            return o->sk;
    return false;
}

static bool one_line(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.p[i] <= 0x20 || s.p[i] == 0x7f)
            return false;
    return true;
}

static void master_key_of_env(struct loader *l, const struct conf_node *place)
{
    struct conf_general *g = &l->box->conf.general;
    struct str text;
    /* An empty variable is what a compose file makes of one that is not set. */
    if (!conf_env(&l->box->conf, l->src, STR("LITELLM_MASTER_KEY"), l->scratch, &text) ||
        text.len == 0)
        return;
    if (!one_line(text)) {
        bad(l, place,
            "LITELLM_MASTER_KEY holds a space or a line break (at its end, perhaps); set the bare key");
        return;
    }
    g->master_key = own_secret(l, text);
    g->master_key_where = STR("LITELLM_MASTER_KEY");
}

static void take_master_key(struct loader *l)
{
    struct conf_general *g = &l->box->conf.general;
    const struct conf_node place = { .file = l->files[0] };
    g->master_key_where = STR("general_settings.master_key");
    if (!g->master_key)
        master_key_of_env(l, &place);
    if (!g->master_key && l->box->litellm_master_key) {
        const struct conf_pair *pair =
            conf_get_pair(load_section(l, STR("litellm_settings")), STR("master_key"));
        g->master_key = l->box->litellm_master_key;
        g->master_key_where = STR("litellm_settings.master_key");
        if (pair)
            tell(
                l, CONF_WARNING, pair->value,
                "litellm_settings.master_key is used here, but LiteLLM ignores it; move it to general_settings");
    }
    if (!g->master_key)
        g->master_key_where = STR("");
    else if (!begins_with_sk(l, g->master_key)) {
        struct str where = g->master_key_where, section = where;
        const struct conf_pair *pair =
            conf_get_pair(load_section(l, str_cut(&section, '.')), STR("master_key"));
        tell(l, CONF_WARNING, pair ? pair->value : &place,
             "%.*s does not begin with sk-; LiteLLM's clients and UI expect it to", STR_ARG(where));
    }
}

static void read_rest(struct loader *l)
{
    struct conf *c = &l->box->conf;
    struct str text;
    const struct conf_node *weir = load_section(l, STR("weir_settings"));
    const struct conf_node *certificate = conf_get(weir, STR("tls_certificate"));
    if (!conf_get(load_section(l, STR("litellm_settings")), STR("json_logs")) &&
        conf_env(c, l->src, STR("JSON_LOGS"), l->scratch, &text))
        scalar_bool(str_trim(text), &c->litellm.json_logs);
    if (!c->weir.tls_certificate.len != !c->weir.tls_key.len)
        bad(l, certificate ? certificate : weir,
            "weir_settings.tls_certificate and weir_settings.tls_key go together; set both or neither");
}

static void load(struct loader *l, struct str path)
{
    struct conf *c = &l->box->conf;
    if (!files_read(l, path))
        return;
    bool whole = !l->fatal;
    c->litellm.stream_timeout_ms = -1;
    c->litellm.ssl_verify = -1;
    read_variables(l);
    read_top(l);
    read_settings(l);
    check_credentials(l);
    const struct conf_node *models = load_section(l, STR("model_list"));
    if (models && models->kind == CONF_SEQ)
        deployments_read(l, models);
    /* Not told when a file could not be read: they may stand there. */
    if (whole && (!models || (models->kind == CONF_SEQ && models->count == 0)))
        diag_add(
            l->diags, l->diag_arena, CONF_WARNING, l->files[0], 0,
            "model_list is missing or empty: no model is served, only the routes for administration");
    aliases_read(l, whole);
    take_master_key(l);
    read_rest(l);
}

struct conf *conf_load(const struct conf_source *src, struct str path, struct arena *diag_arena,
                       struct conf_diags *ret_diags)
{
    struct arena *arena = arena_new(), *scratch = arena_new();
    struct conf_box *box = ARENA_NEW(arena, struct conf_box);
    struct loader l = { .src = src,
                        .box = box,
                        .arena = arena,
                        .scratch = scratch,
                        .diags = ret_diags,
                        .diag_arena = diag_arena,
                        .budget = { CONF_NODES_MAX, CONF_BYTES_MAX } };
    *ret_diags = (struct conf_diags){ .rows = NULL };
    box->conf.arena = arena;
    /* Names are the operator's own: the seed guards against nobody. */
    map_init(&box->env_by_name, (struct hash_seed){ .k0 = 5, .k1 = 6 });
    l.noted = ARENA_ARRAY(scratch, bool, conf_key_total());
    load(&l, path);
    diags_sort(ret_diags, l.files, l.file_count);
    arena_free(scratch);
    if (!l.fatal)
        return &box->conf;
    conf_free(&box->conf);
    return NULL;
}

static void wipe_values(const struct conf_header *rows, size_t n)
{
    /* The bytes are the conf's own, in its arena; nobody reads them any more. */
    for (size_t i = 0; i < n; i++)
        if (rows[i].value.len)
            wipe((void *)(uintptr_t)rows[i].value.p, rows[i].value.len);
}

void conf_free(struct conf *c)
{
    if (!c)
        return;
    struct conf_box *box = (struct conf_box *)(void *)c;
    for (struct owned_secret *o = box->secrets; o; o = o->next)
        secret_free(o->secret);
    for (size_t i = 0; i < c->deployment_count; i++)
        wipe_values(c->deployments[i].headers, c->deployments[i].header_count);
    wipe_values(box->env, box->env_count);
    map_done(&box->env_by_name);
    arena_free(c->arena);
}
