/* An entry of model_list -> one conf_deployment, or one for each organization. What is wrong with
 * an entry becomes its
 * `problem`; the others are not touched by it. */
#include "base/mem.h"
#include "conf/conf_priv.h"
#include "conf/scalar.h"
#include "wire/digest.h"
#include "wire/json_write.h"

#define NAMES_MAX 1000 /* names that a misspelt one is compared with */

struct list {
    struct conf_deployment *rows;
    size_t count, room;
    struct map ids; /* -> struct id_count */
};

struct id_count {
    size_t line; /* of the first entry of that id */
    size_t last; /* the last suffix given out */
};

struct entry {
    const struct conf_node *node, *params;
    const struct conf_path *path;
    const struct conf_pair *filled; /* what a credential adds to params */
    size_t filled_count;
    struct conf_path filled_path;
};

/* JSON of a parameter that is sent to the provider: a number in quotes or from a variable is a
 * number. */
static struct str sent_json(struct loader *l, const struct conf_key *key, const struct conf_node *n,
                            const struct conf_path *path)
{
    struct str text, json = { NULL, 0 };
    bool env, flag;
    struct buf out;
    if (!key || n->kind != CONF_SCALAR ||
        (key->type != KEY_INT && key->type != KEY_FLOAT && key->type != KEY_BOOL &&
         key->type != KEY_TEXT))
        return json_text(l, n, path, 0);
    if (!value_text(l, n, path, &text, &env))
        return json;
    buf_init(&out, CONF_TEXT_MAX);
    if (key->type == KEY_TEXT)
        json_quote(&out, text);
    else if (key->type != KEY_BOOL)
        scalar_json_number(str_trim(text), &out);
    else if (scalar_bool(str_trim(text), &flag))
        buf_putz(&out, flag ? "true" : "false");
    json = arena_dup(l->arena, buf_str(&out));
    buf_done(&out);
    return json;
}

static void add_default(struct loader *l, const struct conf_key *key, const struct conf_pair *pair,
                        const struct conf_path *path)
{
    struct conf_deployment *d = l->deployment;
    struct conf_path at = path_name(path, pair->key);
    struct str json = sent_json(l, key, pair->value, &at);
    if (json.len == 0)
        return;
    /* There is room: the array was made for all pairs. */
    struct conf_member *all = (struct conf_member *)(uintptr_t)d->defaults;
    all[d->default_count++] =
        (struct conf_member){ .name = arena_dup(l->arena, pair->key), .json = json };
}

static void read_unknown(struct loader *l, const struct conf_pair *pair,
                         const struct conf_path *path)
{
    const struct conf_section *section = conf_section(SECTION_PARAMS);
    struct conf_path at = path_name(path, shown(l->scratch, pair->key));
    const struct conf_node place = { .file = pair->value->file, .line = pair->line };
    const struct conf_key *near =
        l->diags->count < CONF_DIAGS_MAX ? conf_key_nearest(section, pair->key) : NULL;
    struct str where = path_text(l, &at);
    if (near && (near->type == KEY_SECRET || near->type == KEY_CREDENTIAL)) {
        /* A credential under a wrong name must not travel in a request's body. */
        tell(l, CONF_WARNING, &place, "%.*s is not a known key and is left out; did you mean %.*s?",
             STR_ARG(where), STR_ARG(near->name));
        return;
    }
    if (near)
        tell(l, CONF_WARNING, &place,
             "%.*s is not a known key and is passed to the provider; did you mean %.*s?",
             STR_ARG(where), STR_ARG(near->name));
    else
        tell(l, CONF_NOTE, &place, "%.*s is not a known key and is passed to the provider",
             STR_ARG(where));
    add_default(l, NULL, pair, path);
}

static void read_param(struct loader *l, const struct conf_pair *pair, const struct conf_path *path)
{
    const struct conf_section *section = conf_section(SECTION_PARAMS);
    const struct conf_key *key = conf_key_find(section, pair->key);
    struct conf_path at = path_name(path, pair->key);
    if (conf_is_null(pair->value))
        return;
    if (!key)
        read_unknown(l, pair, path);
    else if (key->state != KEY_SENT)
        section_read_key(l, section, key, pair, path, l->deployment);
    else if (value_read(l, key, pair->value, &at, NULL))
        add_default(l, key, pair, path);
}

static const struct conf_node *find_credential(struct loader *l, struct str name, size_t *ret_index)
{
    struct conf_path list = path_name(NULL, STR("credential_list"));
    for (size_t i = 0; l->credentials && i < l->credentials->count; i++) {
        const struct conf_node *n = conf_get(l->credentials->items[i], STR("credential_name"));
        struct conf_path at = path_index(&list, i);
        struct str text;
        bool env;
        if (n && n->kind == CONF_SCALAR && value_text(l, n, &at, &text, &env) &&
            str_eq(text, name)) {
            *ret_index = i;
            return l->credentials->items[i];
        }
    }
    return NULL;
}

static struct str nearest_credential(struct loader *l, struct str name)
{
    struct str words[NAMES_MAX];
    size_t n = 0;
    for (size_t i = 0; l->credentials && i < l->credentials->count && n < NAMES_MAX; i++) {
        const struct conf_node *word = conf_get(l->credentials->items[i], STR("credential_name"));
        if (word && word->kind == CONF_SCALAR)
            words[n++] = word->text;
    }
    return conf_nearest(name, words, n);
}

/* What the named credential sets and the entry does not. */
static void fill_from_credential(struct loader *l, struct entry *e,
                                 const struct conf_path *params_path)
{
    const struct conf_node *n = conf_get(e->params, STR("litellm_credential_name"));
    struct conf_path at = path_name(params_path, STR("litellm_credential_name"));
    struct str name;
    size_t index = 0;
    bool env;
    if (!n || n->kind != CONF_SCALAR || !value_text(l, n, &at, &name, &env))
        return;
    const struct conf_node *credential = find_credential(l, name, &index);
    if (!credential) {
        struct str near = nearest_credential(l, name);
        bad(l, n, "%.*s is \"%.*s\", which credential_list does not have%s%.*s%s",
            STR_ARG(path_text(l, &at)), STR_ARG(shown(l->scratch, name)),
            near.len ? "; did you mean " : "", STR_ARG(near), near.len ? "?" : "");
        return;
    }
    const struct conf_node *values = conf_get(credential, STR("credential_values"));
    if (!values || values->kind != CONF_MAP || !load_spend(l, values, n))
        return;
    struct conf_pair *filled = ARENA_ARRAY(l->scratch, struct conf_pair, values->count);
    for (size_t i = 0; i < values->count; i++)
        if (!conf_get(e->params, values->pairs[i].key))
            filled[e->filled_count++] = values->pairs[i];
    e->filled = filled;
    e->filled_path =
        path_name(NULL, arena_printf(l->scratch, "credential_list[%zu].credential_values", index));
}

static void put_public(struct loader *l, const struct conf_pair *pair, const struct conf_path *path,
                       struct buf *out)
{
    const struct conf_key *key = conf_key_find(conf_section(SECTION_PARAMS), pair->key);
    struct conf_path at = path_name(path, pair->key);
    if (key ? key->type == KEY_SECRET || key->type == KEY_CREDENTIAL
            : looks_secret(pair->key) || conf_key_nearest(conf_section(SECTION_PARAMS), pair->key))
        return;
    if (out->len > 1)
        buf_putc(out, ',');
    json_quote(out, pair->key);
    buf_putc(out, ':');
    if (!key || key->type == KEY_MEMBERS) {
        json_of(l, pair->value, &at, JSON_QUIET | JSON_MASKED | JSON_HIDE_ENV, out);
        return;
    }
    if (key->type != KEY_HEADERS || pair->value->kind != CONF_MAP) {
        json_of(l, pair->value, &at, JSON_QUIET | JSON_MASKED, out);
        return;
    }
    buf_putc(out, '{');
    for (size_t i = 0; i < pair->value->count; i++) {
        if (i)
            buf_putc(out, ',');
        json_quote(out, pair->value->pairs[i].key);
        buf_putz(out, ":\"*****\"");
    }
    buf_putc(out, '}');
}

static struct str public_params(struct loader *l, const struct entry *e,
                                const struct conf_path *path)
{
    struct buf out;
    buf_init(&out, CONF_TEXT_MAX);
    buf_putc(&out, '{');
    for (size_t i = 0; e->params && i < e->params->count; i++)
        put_public(l, &e->params->pairs[i], path, &out);
    for (size_t i = 0; i < e->filled_count; i++)
        put_public(l, &e->filled[i], path, &out);
    buf_putc(&out, '}');
    struct str text = out.fail ? STR("{}") : arena_dup(l->arena, buf_str(&out));
    buf_done(&out);
    return text;
}

static void read_params(struct loader *l, struct entry *e)
{
    struct conf_deployment *d = l->deployment;
    struct conf_path path = path_name(e->path, STR("litellm_params"));
    if (!e->params) {
        bad(l, e->node, "%.*s is missing; it holds the model and how it is called",
            STR_ARG(path_text(l, &path)));
        return;
    }
    fill_from_credential(l, e, &path);
    d->defaults = ARENA_ARRAY(l->arena, struct conf_member, e->params->count + e->filled_count);
    for (size_t i = 0; i < e->params->count; i++)
        read_param(l, &e->params->pairs[i], &path);
    for (size_t i = 0; i < e->filled_count; i++)
        read_param(l, &e->filled[i], &e->filled_path);
    d->public_params = public_params(l, e, &path);
    if (!conf_get(e->params, STR("model")) || (d->model.len == 0 && d->problem.len == 0))
        bad(l, e->params,
            "%.*s.model is missing; it takes provider/model, for example openai/gpt-4.1",
            STR_ARG(path_text(l, &path)));
    else if (str_ends(d->model, STR("/")))
        bad(l, conf_get(e->params, STR("model")),
            "%.*s.model ends with '/'; it takes provider/model, for example %.*sgpt-4.1",
            STR_ARG(path_text(l, &path)), STR_ARG(shown(l->scratch, d->model)));
}

static size_t stars(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += s.p[i] == '*';
    return n;
}

static void check_wildcard(struct loader *l, const struct entry *e)
{
    const struct conf_deployment *d = l->deployment;
    if (stars(d->model) > stars(d->name))
        tell(
            l, CONF_WARNING, e->node,
            "%.*s.litellm_params.model has more stars than model_name, so the provider is asked for a model with a "
            "'*' in its name; write the same stars in both",
            STR_ARG(path_text(l, e->path)));
}

/* A hash of what was written, not of what variables hold: a rotated key leaves the id, a moved
 * entry too. */
static struct str hashed_id(struct loader *l, const struct entry *e, struct str organization)
{
    char hex[SHA256_HEX_BYTES];
    struct buf out;
    buf_init(&out, CONF_TEXT_MAX);
    buf_putz(&out, "{\"litellm_params\":");
    if (e->params)
        json_of(l, e->params, e->path, JSON_AS_IS, &out);
    buf_putz(&out, ",\"model_name\":");
    json_quote(&out, l->deployment->name);
    if (organization.len) {
        buf_putz(&out, ",\"organization\":");
        json_quote(&out, organization);
    }
    buf_putc(&out, '}');
    sha256_hex(buf_str(&out), hex);
    buf_done(&out);
    return arena_dup(l->arena, str_c(hex));
}

/* The id, with a suffix where it is taken. */
static struct str unique_id(struct loader *l, struct list *list, struct str id,
                            const struct conf_node *at, bool is_written)
{
    struct id_count *c = map_get(&list->ids, id);
    struct str wanted = id;
    if (c && is_written)
        tell(
            l, CONF_WARNING, at,
            "model_info.id \"%.*s\" is taken by the entry of line %zu; this one gets a number behind "
            "it",
            STR_ARG(shown(l->scratch, id)), c->line);
    while (c && map_get(&list->ids, id)) {
        c->last = c->last < 2 ? 2 : c->last + 1;
        id = arena_printf(l->arena, "%.*s-%zu", STR_ARG(wanted), c->last);
    }
    struct id_count *mine = ARENA_NEW(l->scratch, struct id_count);
    mine->line = at->line;
    map_put(&list->ids, id, mine);
    return id;
}

static struct str info_json(struct loader *l, const struct conf_node *info,
                            const struct conf_path *path, struct str id)
{
    struct buf out;
    buf_init(&out, CONF_TEXT_MAX);
    buf_putz(&out, "{\"id\":");
    json_quote(&out, id);
    for (size_t i = 0; info && i < info->count; i++) {
        struct conf_path at = path_name(path, info->pairs[i].key);
        if (str_eq(info->pairs[i].key, STR("id")))
            continue;
        buf_putc(&out, ',');
        json_quote(&out, info->pairs[i].key);
        buf_putc(&out, ':');
        json_of(l, info->pairs[i].value, &at, JSON_QUIET | JSON_MASKED, &out);
    }
    buf_putc(&out, '}');
    struct str text = out.fail ? STR("{}") : arena_dup(l->arena, buf_str(&out));
    buf_done(&out);
    return text;
}

static void push(struct loader *l, struct list *list, const struct conf_deployment *d)
{
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 16;
        struct conf_deployment *rows = ARENA_ARRAY(l->arena, struct conf_deployment, room);
        if (list->count)
            memcpy(rows, list->rows, list->count * sizeof *rows);
        list->rows = rows;
        list->room = room;
    }
    list->rows[list->count++] = *d;
}

/* The organizations that the entry is made for; one empty one when it names none. */
static size_t organizations(struct loader *l, const struct entry *e, const struct str **ret_names)
{
    const struct conf_section *section = conf_section(SECTION_PARAMS);
    const struct conf_key *key = conf_key_find(section, STR("organization"));
    struct conf_path params = path_name(e->path, STR("litellm_params")),
                     at = path_name(&params, STR("organization"));
    const struct conf_node *n = conf_get(e->params, key->name);
    struct {
        const struct str *names;
        size_t count;
    } all = { NULL, 0 };
    struct conf_key here = *key;
    const struct conf_path *path = &at;
    for (size_t i = 0; !n && i < e->filled_count; i++)
        if (str_eq(e->filled[i].key, key->name)) {
            n = e->filled[i].value;
            path = &e->filled_path;
        }
    here.place = 0;
    /* What is wrong with it was told when the parameters were read. */
    if (n && n->kind == CONF_SEQ)
        for (size_t i = 1; i < n->count; i++)
            if (!load_spend(l, e->node, n))
                return 0;
    if (n && !l->deployment->problem.len)
        value_read(l, &here, n, path, &all);
    if (all.count) {
        *ret_names = all.names;
        return all.count;
    }
    *ret_names = ARENA_ARRAY(l->scratch, struct str, 1);
    return 1;
}

static struct str written_id(struct loader *l, const struct conf_node *info,
                             const struct conf_path *path)
{
    const struct conf_node *n = conf_get(info, STR("id"));
    struct conf_path at = path_name(path, STR("id"));
    struct str text = { NULL, 0 };
    bool env;
    if (!n || n->kind != CONF_SCALAR || !value_text(l, n, &at, &text, &env))
        return str_of(NULL, 0);
    return arena_dup(l->arena, text);
}

static void read_entry(struct loader *l, struct list *list, const struct conf_node *node,
                       const struct conf_path *path)
{
    struct conf_deployment d = {
        .file = arena_dup(l->arena, node->file),
        .line = node->line,
        .timeout_ms = -1,
        .stream_timeout_ms = -1,
        .ssl_verify = -1,
        .weight = -1,
        .rpm = -1,
        .tpm = -1,
        .order = -1,
        .max_parallel_requests = -1,
        .drop_unsupported = l->box->conf.litellm.drop_params,
        .modify_params = l->box->conf.litellm.modify_params,
        .public_params = STR("{}"),
    };
    struct entry e = { .node = node,
                       .path = path,
                       .params = conf_get(node, STR("litellm_params")) };
    const struct conf_node *info = conf_get(node, STR("model_info"));
    struct conf_path info_path = path_name(path, STR("model_info"));
    const struct str *names = NULL;

    l->deployment = &d;
    section_read(l, conf_section(SECTION_MODEL), node, path, &d);
    if (d.name.len == 0) {
        tell(l, CONF_ERROR, node,
             "%.*s has no model_name: nobody can ask for this entry, it is left out",
             STR_ARG(path_text(l, path)));
        l->deployment = NULL;
        return;
    }
    if (e.params && e.params->kind != CONF_MAP)
        e.params = NULL; /* told */
    else
        read_params(l, &e);
    check_wildcard(l, &e);
    section_read(l, conf_section(SECTION_INFO), info, &info_path, &d);
    if (info && info->kind != CONF_MAP)
        info = NULL;
    struct str id = written_id(l, info, &info_path);
    size_t count = organizations(l, &e, &names);
    for (size_t i = 0; i < count; i++) {
        d.organization = names[i];
        d.id = unique_id(l, list,
                         id.len ? id : hashed_id(l, &e, count > 1 ? names[i] : str_of(NULL, 0)),
                         node, id.len && i == 0);
        d.model_info = info_json(l, info, &info_path, d.id);
        push(l, list, &d);
    }
    l->deployment = NULL;
}

void deployments_read(struct loader *l, const struct conf_node *nodes)
{
    struct list list = { .count = 0 };
    struct conf_path top = path_name(NULL, STR("model_list"));
    map_init(&list.ids, (struct hash_seed){ .k0 = 7, .k1 = 8 });
    for (size_t i = 0; i < nodes->count; i++) {
        struct conf_path path = path_index(&top, i);
        if (nodes->items[i]->kind == CONF_MAP)
            read_entry(l, &list, nodes->items[i], &path);
        else
            tell(
                l, CONF_ERROR, nodes->items[i],
                "%.*s is %.*s; an entry is a mapping of model_name, litellm_params and model_info; it is left out",
                STR_ARG(path_text(l, &path)), STR_ARG(value_found(l, NULL, nodes->items[i])));
    }
    map_done(&list.ids);
    l->box->conf.deployments = list.rows;
    l->box->conf.deployment_count = list.count;
}
