/* Files: the config and what it includes, merged section by section.
 *
 * A list is appended to the list of the same section; of two mappings the keys are united, and the
 * included file's
 * value counts. Each file is read once. */
#include "conf/conf_priv.h"

#define FILES_MAX 64

static struct str directory(struct str path)
{
    size_t n = path.len;
    while (n && path.p[n - 1] != '/')
        n--;
    return str_head(path, n);
}

/* a/./b//c -> a/b/c, so that a file has one name. */
static struct str tidy(struct arena *a, struct str path)
{
    char *out = arena_cstr(a, path);
    size_t n = 0;
    bool absolute = path.len && path.p[0] == '/';
    for (size_t i = 0; i < path.len; i++) {
        bool begins = n == 0 || out[n - 1] == '/';
        if (begins && path.p[i] == '.' && i + 1 < path.len && path.p[i + 1] == '/')
            continue;
        if (begins && path.p[i] == '/' && (n || !absolute))
            continue;
        out[n++] = path.p[i];
    }
    return str_of(out, n);
}

static struct conf_pair *find_section(struct loader *l, struct str name)
{
    for (size_t i = 0; i < l->section_count; i++)
        if (str_eq(l->sections[i].key, name))
            return &l->sections[i];
    return NULL;
}

static void add_section(struct loader *l, const struct conf_pair *pair)
{
    if (l->section_count == l->section_room) {
        size_t room = l->section_room ? l->section_room * 2 : 32;
        struct conf_pair *all = ARENA_ARRAY(l->scratch, struct conf_pair, room);
        if (l->section_count)
            memcpy(all, l->sections, l->section_count * sizeof *all);
        l->sections = all;
        l->section_room = room;
    }
    l->sections[l->section_count++] = *pair;
}

static struct conf_node *joined(struct loader *l, const struct conf_node *a,
                                const struct conf_node *b)
{
    struct conf_node *n = ARENA_NEW(l->scratch, struct conf_node);
    *n = *a;
    n->size += b->size;
    n->bytes += b->bytes;
    if (b->height > n->height)
        n->height = b->height;
    return n;
}

static const struct conf_node *join_lists(struct loader *l, const struct conf_node *a,
                                          const struct conf_node *b)
{
    struct conf_node *n = joined(l, a, b);
    n->items = ARENA_ARRAY(l->scratch, const struct conf_node *, a->count + b->count);
    for (size_t i = 0; i < a->count; i++)
        n->items[i] = a->items[i];
    for (size_t i = 0; i < b->count; i++)
        n->items[a->count + i] = b->items[i];
    n->count = a->count + b->count;
    return n;
}

static const struct conf_node *join_maps(struct loader *l, struct str section,
                                         const struct conf_node *a, const struct conf_node *b)
{
    struct conf_node *n = joined(l, a, b);
    struct conf_pair *pairs = ARENA_ARRAY(l->scratch, struct conf_pair, a->count + b->count);
    size_t count = a->count;
    for (size_t i = 0; i < a->count; i++)
        pairs[i] = a->pairs[i];
    for (size_t i = 0; i < b->count; i++) {
        const struct conf_pair *old = conf_get_pair(a, b->pairs[i].key);
        if (!old) {
            pairs[count++] = b->pairs[i];
            continue;
        }
        tell(l, CONF_WARNING, b->pairs[i].value,
             "%.*s.%.*s is also set in %.*s:%u; the value of this file counts", STR_ARG(section),
             STR_ARG(shown(l->scratch, old->key)), STR_ARG(old->value->file), old->line);
        pairs[old - a->pairs] = b->pairs[i];
    }
    n->pairs = pairs;
    n->count = count;
    return n;
}

static void merge_section(struct loader *l, const struct conf_pair *pair)
{
    struct conf_pair *old = find_section(l, pair->key);
    const struct conf_node *a = old ? old->value : NULL, *b = pair->value;
    if (!old) {
        add_section(l, pair);
    } else if (conf_is_null(b)) {
        return;
    } else if (conf_is_null(a)) {
        old->value = b;
    } else if (a->kind == CONF_SEQ && b->kind == CONF_SEQ) {
        old->value = join_lists(l, a, b);
    } else if (a->kind == CONF_MAP && b->kind == CONF_MAP) {
        old->value = join_maps(l, pair->key, a, b);
    } else {
        tell(l, CONF_WARNING, b, "%.*s is also set in %.*s:%u; the value of this file counts",
             STR_ARG(shown(l->scratch, pair->key)), STR_ARG(a->file), a->line);
        old->value = b;
    }
}

/* Tells a problem with a file, at the line that names it. */
static void file_problem(struct loader *l, const struct conf_node *at, struct str path,
                         const char *what)
{
    l->fatal = true;
    if (at)
        tell(l, CONF_ERROR, at, "include: the file %.*s %s", STR_ARG(path), what);
    else
        diag_add(l->diags, l->diag_arena, CONF_ERROR, path, 0, "the file %s", what);
}

static const char *reason(enum err e)
{
    switch (e) {
    case ERR_NOT_FOUND: return "does not exist; check the name";
    case ERR_TOO_LARGE: return "is larger than 8 MiB; split it with include";
    default: return "cannot be read; check its permissions";
    }
}

struct chain {
    const struct chain *up;
    struct str path;
};

static bool read_file(struct loader *l, struct str path, const struct conf_node *at,
                      const struct chain *up);

static bool include_one(struct loader *l, const struct conf_node *n, const struct conf_path *path,
                        const struct chain *from)
{
    struct str name;
    bool env;
    if (n->kind != CONF_SCALAR || conf_is_null(n) || n->text.len == 0) {
        bad(l, n, "%.*s is %.*s; it takes the name of a file, or a list of names",
            STR_ARG(path_text(l, path)), STR_ARG(value_found(l, NULL, n)));
        return true;
    }
    if (!value_text(l, n, path, &name, &env) || !value_one_line(l, n, path, name))
        return true;
    if (name.len == 0 || name.p[0] != '/') {
        struct str dir = directory(from->path);
        name = arena_printf(l->scratch, "%.*s%.*s", STR_ARG(dir), STR_ARG(name));
    }
    name = tidy(l->arena, name);
    for (const struct chain *c = from; c; c = c->up)
        if (str_eq(c->path, name)) {
            file_problem(l, n, name, "includes itself, by way of this line; remove it");
            return true;
        }
    for (size_t i = 0; i < l->file_count; i++)
        if (str_eq(l->files[i], name)) {
            tell(l, CONF_WARNING, n, "include: the file %.*s is included already; it is read once",
                 STR_ARG(name));
            return true;
        }
    return read_file(l, name, n, from);
}

static bool read_includes(struct loader *l, const struct conf_node *list, const struct chain *from)
{
    const struct conf_path path = path_name(NULL, STR("include"));
    if (!list)
        return true;
    if (list->kind != CONF_SEQ)
        return include_one(l, list, &path, from);
    for (size_t i = 0; i < list->count; i++) {
        struct conf_path at = path_index(&path, i);
        if (!include_one(l, list->items[i], &at, from))
            return false;
    }
    return true;
}

static bool read_file(struct loader *l, struct str path, const struct conf_node *at,
                      const struct chain *up)
{
    const struct chain here = { .up = up, .path = path };
    const struct conf_node *root = NULL;
    struct str text;
    if (l->file_count == FILES_MAX) {
        file_problem(l, at, path, "is one too many: at most 64 files are read");
        return false;
    }
    enum err e = l->src->read_file(l->src->ctx, path, l->scratch, &text);
    if (e) {
        file_problem(l, at, path, reason(e));
        return at != NULL;
    }
    l->files[l->file_count++] = path;
    if (conf_tree_parse(text, path, l->scratch, &l->budget, l->diags, l->diag_arena, &root)) {
        l->fatal = true;
        return at != NULL;
    }
    if (!root || conf_is_null(root))
        return true;
    if (root->kind != CONF_MAP) {
        l->fatal = true;
        tell(l, CONF_ERROR, root,
             "the file is %.*s; a config is a mapping of sections, such as 'model_list:'",
             STR_ARG(value_found(l, NULL, root)));
        return at != NULL;
    }
    for (size_t i = 0; i < root->count; i++)
        if (!str_eq(root->pairs[i].key, STR("include")))
            merge_section(l, &root->pairs[i]);
    return read_includes(l, conf_get(root, STR("include")), &here);
}

bool files_read(struct loader *l, struct str path)
{
    l->files = ARENA_ARRAY(l->arena, struct str, FILES_MAX);
    bool go_on = read_file(l, arena_dup(l->arena, path), NULL, NULL);
    l->box->conf.files = l->files;
    l->box->conf.file_count = l->file_count;
    return go_on;
}
