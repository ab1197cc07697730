/* A mapping against its key table: what is read, what is not active yet, what is unknown. */
#include "conf/conf_priv.h"
#include "conf/scalar.h"

/* The value that the key has anyway: no reason to tell that it is not active. */
static bool is_default(struct loader *l, const struct conf_key *key, const struct conf_node *n)
{
    if (n->kind != CONF_SCALAR)
        return n->count == 0;
    double a, b;
    bool x, y;
    if (key->type == KEY_BOOL)
        /* A flag without a stated default is off. */
        return scalar_bool(n->text, &x) && x == (scalar_bool(key->def, &y) && y);
    if (scalar_double(n->text, &a) && scalar_double(key->def, &b))
        return a == b;
    return str_eq(n->text, key->def) || n->text.len == 0;
}

static void note_inactive(struct loader *l, const struct conf_section *section,
                          const struct conf_key *key, const struct conf_node *n,
                          const struct conf_path *path)
{
    bool *noted = &l->noted[conf_key_number(section, key)];
    if (*noted || is_default(l, key, n))
        return;
    /* Once a key: thirty deployments with an rpm are one note. */
    *noted = true;
    struct str where = path_text(l, path);
    if (key->state == KEY_LATER)
        tell(l, CONF_NOTE, n, "%.*s is read but not active yet in this version", STR_ARG(where));
    else
        tell(l, CONF_NOTE, n, "%.*s is accepted and has no effect: %.*s", STR_ARG(where),
             STR_ARG(key->help));
}

static void read_nested(struct loader *l, const struct conf_section *section,
                        const struct conf_key *key, const struct conf_node *n,
                        const struct conf_path *path)
{
    bool each;
    const struct conf_section *inner = conf_key_nested(section, key, &each);
    if (!inner)
        return;
    if (!each) {
        section_read(l, inner, n, path, NULL);
        return;
    }
    for (size_t i = 0; i < n->count; i++) {
        struct conf_path at =
            n->kind == CONF_SEQ ? path_index(path, i) : path_name(path, n->pairs[i].key);
        section_read(l, inner, n->kind == CONF_SEQ ? n->items[i] : n->pairs[i].value, &at, NULL);
    }
}

void section_read_key(struct loader *l, const struct conf_section *section,
                      const struct conf_key *key, const struct conf_pair *pair,
                      const struct conf_path *path, void *base)
{
    struct conf_path at = path_name(path, pair->key);
    const struct conf_node *n = pair->value;
    bool inactive = l->inactive;
    if (conf_is_null(n))
        return;
    l->inactive =
        inactive || key->state == KEY_LATER || key->state == KEY_IGNORED || key->state == KEY_SHOWN;
    if (key->state == KEY_IGNORED) {
        note_inactive(l, section, key, n, &at);
    } else if (value_read(l, key, n, &at, base)) {
        /* Inside of what is not active, one note is enough. */
        if (key->state == KEY_LATER && !inactive)
            note_inactive(l, section, key, n, &at);
        read_nested(l, section, key, n, &at);
    }
    l->inactive = inactive;
}

void section_unknown(struct loader *l, const struct conf_section *section,
                     const struct conf_pair *pair, const struct conf_path *path)
{
    /* Looking for near words costs; a file of nothing but mistakes gets the first thousand
     * explained. */
    if (l->diags->count >= CONF_DIAGS_MAX)
        return;
    struct conf_path at = path_name(path, shown(l->scratch, pair->key));
    const struct conf_node place = { .file = pair->value->file, .line = pair->line };
    const struct conf_key *near = conf_key_nearest(section, pair->key);
    const struct conf_section *other = conf_key_elsewhere(section, pair->key);
    struct str where = path_text(l, &at);
    if (other && other->name.len)
        tell(l, CONF_WARNING, &place, "%.*s is not a known key; it belongs to %.*s", STR_ARG(where),
             STR_ARG(other->name));
    else if (other)
        tell(l, CONF_WARNING, &place,
             "%.*s is not a known key; %.*s is a section of its own, not indented", STR_ARG(where),
             STR_ARG(shown(l->scratch, pair->key)));
    else if (near)
        tell(l, CONF_WARNING, &place, "%.*s is not a known key; did you mean %.*s?", STR_ARG(where),
             STR_ARG(near->name));
    else if (!section->open)
        tell(l, CONF_WARNING, &place, "%.*s is not a known key, and has no effect", STR_ARG(where));
}

void section_read(struct loader *l, const struct conf_section *section, const struct conf_node *map,
                  const struct conf_path *path, void *base)
{
    if (!map || conf_is_null(map))
        return;
    if (map->kind != CONF_MAP) {
        bad(l, map, "%.*s is %.*s; it takes a mapping (indented lines of 'key: value')",
            STR_ARG(path_text(l, path)), STR_ARG(value_found(l, NULL, map)));
        return;
    }
    for (size_t i = 0; i < map->count; i++) {
        const struct conf_key *key = conf_key_find(section, map->pairs[i].key);
        if (key)
            section_read_key(l, section, key, &map->pairs[i], path, base);
        else
            section_unknown(l, section, &map->pairs[i], path);
    }
}

void section_defaults(struct loader *l, const struct conf_section *section, void *base)
{
    for (size_t i = 0; i < section->count; i++) {
        const struct conf_key *key = &section->keys[i];
        if (key->place == KEY_NOWHERE || str_eq(key->def, STR("none")))
            continue;
        const struct conf_node n = { .kind = CONF_SCALAR, .plain = true, .text = key->def };
        const struct conf_path path = path_name(NULL, key->name);
        /* "{}" and "[]" are what zeroed fields are. */
        if (key->def.p[0] != '{' && key->def.p[0] != '[')
            value_read(l, key, &n, &path, base);
    }
}
