/* One node -> one field, by the type of its key. */
#include <math.h>

#include "base/mem.h"
#include "conf/conf_priv.h"
#include "conf/scalar.h"

bool is_env_ref(struct str text)
{
    return str_starts(text, CONF_ENV_PREFIX);
}

bool value_text(struct loader *l, const struct conf_node *n, const struct conf_path *path,
                struct str *ret_text, bool *ret_from_env)
{
    if (!is_env_ref(n->text)) {
        *ret_text = n->text;
        *ret_from_env = false;
        return true;
    }
    struct str name = str_trim(str_skip(n->text, CONF_ENV_PREFIX.len));
    if (name.len == 0 || str_find_char(name, '=') != STR_NONE ||
        str_find_char(name, '\0') != STR_NONE) {
        bad(l, n, "%.*s: os.environ/ must be followed by the name of an environment variable",
            STR_ARG(path_text(l, path)));
        return false;
    }
    if (!conf_env(&l->box->conf, l->src, name, l->scratch, ret_text)) {
        bad_env(l, n, path, name);
        return false;
    }
    *ret_from_env = true;
    return true;
}

/* Values of such keys are not repeated in messages: they are secret, or may hold a password. */
static bool is_private(const struct conf_key *key)
{
    return key && (key->type == KEY_SECRET || key->type == KEY_CREDENTIAL ||
                   key->type == KEY_HEADERS || key->type == KEY_URL || key->type == KEY_MEMBERS ||
                   key->type == KEY_JSON || key->type == KEY_MAP || key->type == KEY_LIST);
}

struct str value_found(struct loader *l, const struct conf_key *key, const struct conf_node *n)
{
    static const char *const names[] = { [SCALAR_NULL] = "nothing",
                                         [SCALAR_BOOL] = "true or false",
                                         [SCALAR_INT] = "a number",
                                         [SCALAR_FLOAT] = "a number",
                                         [SCALAR_STRING] = "a text" };
    if (n->kind == CONF_SEQ)
        return STR("a list");
    if (n->kind == CONF_MAP)
        return STR("a mapping");
    if (is_env_ref(n->text))
        return arena_printf(l->scratch, "the value of %.*s", STR_ARG(shown(l->scratch, n->text)));
    if (n->text.len == 0)
        return STR("empty");
    enum scalar_type type = n->plain ? scalar_type(n->text) : SCALAR_STRING;
    if (!key || is_private(key))
        return str_c(names[type]);
    if (type == SCALAR_STRING)
        return arena_printf(l->scratch, "the text \"%.*s\"", STR_ARG(shown(l->scratch, n->text)));
    return shown(l->scratch, n->text);
}

static void put_example(const struct conf_key *key, struct buf *out)
{
    static const char *const examples[KEY_TYPE_COUNT] = {
        [KEY_BOOL] = "true",
        [KEY_INT] = "3",
        [KEY_FLOAT] = "0.5",
        [KEY_SECONDS] = "30",
        [KEY_DURATION] = "30d",
        [KEY_COST] = "3e-7",
        [KEY_MEGABYTES] = "64",
        [KEY_BYTES] = "1048576",
        [KEY_URL] = "https://api.example.com/v1",
        [KEY_TEXTS] = "[\"a\", \"b\"]",
        [KEY_HEADERS] = "{x-team: \"search\"}",
        [KEY_MEMBERS] = "{seed: 7}",
        [KEY_VERIFY] = "false",
    };
    if (key->type != KEY_CHOICE && key->type != KEY_TEXT && key->def.len &&
        !str_eq(key->def, STR("none")) && key->def.p[0] != '[' && key->def.p[0] != '{')
        buf_printf(out, ", for example %.*s", STR_ARG(key->def));
    else if (examples[key->type])
        buf_printf(out, ", for example %s", examples[key->type]);
}

static bool wrong(struct loader *l, const struct conf_key *key, const struct conf_node *n,
                  const struct conf_path *path)
{
    struct buf wants;
    buf_init(&wants, 4 * KIB);
    conf_key_wants(key, &wants);
    put_example(key, &wants);
    bad(l, n, "%.*s is %.*s; it takes %.*s", STR_ARG(path_text(l, path)),
        STR_ARG(value_found(l, key, n)), STR_ARG(buf_str(&wants)));
    buf_done(&wants);
    return false;
}

static bool in_range(const struct conf_key *key, double v)
{
    return key->lo >= key->hi || (v >= key->lo && v <= key->hi);
}

static bool has_control(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return true;
    return false;
}

bool value_one_line(struct loader *l, const struct conf_node *n, const struct conf_path *path,
                    struct str text)
{
    if (!has_control(text))
        return true;
    bad(l, n,
        "%.*s holds a line break or another control character (at its end, perhaps); it must be one line",
        STR_ARG(path_text(l, path)));
    return false;
}

static bool read_number(const struct conf_key *key, struct str text, double *ret_value)
{
    int64_t ms;
    if (scalar_double(text, ret_value))
        return true;
    if ((key->type != KEY_SECONDS && key->type != KEY_DURATION) || !scalar_duration_ms(text, &ms))
        return false;
    *ret_value = (double)ms / 1000;
    return true;
}

static bool read_numeric(const struct conf_key *key, struct str text, void *at)
{
    double v;
    int64_t whole;
    uint64_t bytes;
    switch (key->type) {
    case KEY_INT:
        if (!scalar_int(text, &whole) || !in_range(key, (double)whole))
            return false;
        if (at)
            *(int64_t *)at = whole;
        return true;
    case KEY_BYTES:
        if (!scalar_bytes(text, &bytes) || !in_range(key, (double)bytes))
            return false;
        if (at)
            *(uint64_t *)at = bytes;
        return true;
    default: break;
    }
    if (!read_number(key, text, &v) || !in_range(key, v))
        return false;
    bool time = key->type == KEY_SECONDS || key->type == KEY_DURATION;
    if (time && (v < 0 || v > 1e12))
        return false;
    if (!at)
        return true;
    if (time)
        *(int64_t *)at = (int64_t)llround(v * 1000);
    else if (key->type == KEY_MEGABYTES)
        *(uint64_t *)at = (uint64_t)llround(v * (double)MIB);
    else
        *(double *)at = v;
    return true;
}

static bool read_url(struct loader *l, const struct conf_key *key, const struct conf_node *n,
                     const struct conf_path *path, struct str text)
{
    struct str rest;
    if (!value_one_line(l, n, path, text))
        return false;
    if (str_starts_nocase(text, STR("https://")))
        rest = str_skip(text, 8);
    else if (str_starts_nocase(text, STR("http://")))
        rest = str_skip(text, 7);
    else
        return wrong(l, key, n, path);
    if (rest.len == 0 || rest.p[0] == '/' || rest.p[0] == '?' || rest.p[0] == '#' ||
        str_find_char(rest, ' ') != STR_NONE)
        return wrong(l, key, n, path);
    return true;
}

/* New kinds come with new versions of LiteLLM: an unknown one is a warning, and kept. */
static void check_choice(struct loader *l, const struct conf_key *key, const struct conf_node *n,
                         const struct conf_path *path, struct str text)
{
    struct str words[32], rest = key->choices;
    size_t count = 0;
    while (rest.len && count < sizeof words / sizeof *words)
        words[count++] = str_cut(&rest, '|');
    for (size_t i = 0; i < count; i++)
        if (str_eq(words[i], text))
            return;
    struct str near = conf_nearest(text, words, count);
    struct buf wants;
    buf_init(&wants, 4 * KIB);
    conf_key_wants(key, &wants);
    if (near.len)
        buf_printf(&wants, "; did you mean %.*s?", STR_ARG(near));
    tell(l, CONF_WARNING, n, "%.*s is %.*s; it takes %.*s", STR_ARG(path_text(l, path)),
         STR_ARG(value_found(l, key, n)), STR_ARG(buf_str(&wants)));
    buf_done(&wants);
}

static bool read_texts(struct loader *l, const struct conf_key *key, const struct conf_node *n,
                       const struct conf_path *path, void *at)
{
    size_t count = n->kind == CONF_SEQ ? n->count : 1;
    struct str *texts = ARENA_ARRAY(l->arena, struct str, count);
    bool env;
    if (n->kind == CONF_MAP)
        return wrong(l, key, n, path);
    for (size_t i = 0; i < count; i++) {
        const struct conf_node *item = n->kind == CONF_SEQ ? n->items[i] : n;
        struct conf_path item_path = n->kind == CONF_SEQ ? path_index(path, i) : *path;
        if (item->kind != CONF_SCALAR || conf_is_null(item))
            return wrong(l, key, item, &item_path);
        if (!value_text(l, item, &item_path, &texts[i], &env))
            return false;
        texts[i] = arena_dup(l->arena, texts[i]);
    }
    if (at) {
        *(const struct str **)at = texts;
        *(size_t *)((char *)at + sizeof(void *)) = count;
    }
    return true;
}

static bool is_token(struct str s)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < s.len; i++) {
        char c = ascii_lower(s.p[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr(marks, c))))
            return false;
    }
    return s.len > 0;
}

static bool read_header(struct loader *l, const struct conf_key *key, const struct conf_pair *pair,
                        const struct conf_path *path, struct conf_header *ret_header)
{
    struct conf_path at = path_name(path, shown(l->scratch, pair->key));
    struct str text;
    bool env;
    if (!is_token(pair->key)) {
        bad(l, pair->value, "%.*s: not a header name; it takes letters, digits and '-'",
            STR_ARG(path_text(l, &at)));
        return false;
    }
    if (pair->value->kind != CONF_SCALAR) {
        bad(l, pair->value, "%.*s is %.*s; a header takes a text", STR_ARG(path_text(l, &at)),
            STR_ARG(value_found(l, key, pair->value)));
        return false;
    }
    if (!value_text(l, pair->value, &at, &text, &env) || !value_one_line(l, pair->value, &at, text))
        return false;
    *ret_header = (struct conf_header){ .name = arena_dup(l->arena, pair->key),
                                        .value = arena_dup(l->arena, text) };
    return true;
}

static bool read_headers(struct loader *l, const struct conf_key *key, const struct conf_node *n,
                         const struct conf_path *path, void *at)
{
    const struct conf_header *old = at ? *(const struct conf_header **)at : NULL;
    size_t count = at ? *(size_t *)((char *)at + sizeof(void *)) : 0;
    if (n->kind != CONF_MAP)
        return wrong(l, key, n, path);
    struct conf_header *all = ARENA_ARRAY(l->arena, struct conf_header, count + n->count);
    bool ok = true;
    if (count)
        memcpy(all, old, count * sizeof *all);
    for (size_t i = 0; i < n->count; i++) {
        if (conf_is_null(n->pairs[i].value))
            continue;
        bool good = read_header(l, key, &n->pairs[i], path, &all[count]);
        count += good;
        ok = ok && good;
    }
    if (at) {
        *(const struct conf_header **)at = all;
        *(size_t *)((char *)at + sizeof(void *)) = count;
    }
    return ok;
}

static bool read_members(struct loader *l, const struct conf_key *key, const struct conf_node *n,
                         const struct conf_path *path, void *at)
{
    if (n->kind != CONF_MAP)
        return wrong(l, key, n, path);
    struct conf_member *all = ARENA_ARRAY(l->arena, struct conf_member, n->count);
    for (size_t i = 0; i < n->count; i++) {
        struct conf_path member = path_name(path, n->pairs[i].key);
        all[i].name = arena_dup(l->arena, n->pairs[i].key);
        all[i].json = json_text(l, n->pairs[i].value, &member, 0);
        if (all[i].json.len == 0)
            return false;
    }
    if (at) {
        *(const struct conf_member **)at = all;
        *(size_t *)((char *)at + sizeof(void *)) = n->count;
    }
    return true;
}

static bool read_verify(struct loader *l, const struct conf_key *key, const struct conf_node *n,
                        const struct conf_path *path, struct str text, void *at)
{
    bool on;
    if (text.len == 0)
        return wrong(l, key, n, path);
    bool is_flag = scalar_bool(text, &on);
    if (!at)
        return true;
    *(int32_t *)at = is_flag ? on : 1;
    if (!is_flag)
        *(struct str *)((char *)at + sizeof(void *)) = arena_dup(l->arena, text);
    return true;
}

static bool read_secret(struct loader *l, const struct conf_key *key, const struct conf_node *n,
                        const struct conf_path *path, struct str text, void *at)
{
    /* What is not used is not checked either: a service account's JSON has several lines. */
    if (!at)
        return true;
    if (text.len == 0)
        return wrong(l, key, n, path);
    if (!value_one_line(l, n, path, text))
        return false;
    *(const struct secret **)at = own_secret(l, text);
    return true;
}

/* A path is one line; JSON text may have more. */
static bool read_credential(struct loader *l, const struct conf_key *key, const struct conf_node *n,
                            const struct conf_path *path, struct str text, void *at)
{
    text = str_trim(text);
    if (text.len == 0)
        return wrong(l, key, n, path);
    if (text.p[0] != '{' && !value_one_line(l, n, path, text))
        return false;
    if (at)
        *(const struct secret **)at = own_secret(l, text);
    return true;
}

/* The same, written as a mapping: a service account's members, indented. */
static bool read_credential_map(struct loader *l, const struct conf_node *n,
                                const struct conf_path *path, void *at)
{
    struct buf out;
    buf_init(&out, CONF_TEXT_MAX);
    bool ok = json_of(l, n, path, 0, &out) && !out.fail;
    if (ok && at)
        *(const struct secret **)at = own_secret(l, buf_str(&out));
    wipe(out.p, out.len);
    buf_done(&out);
    return ok;
}

static bool read_scalar(struct loader *l, const struct conf_key *key, const struct conf_node *n,
                        const struct conf_path *path, void *at)
{
    struct str text;
    bool env, flag;
    if (n->kind != CONF_SCALAR)
        return wrong(l, key, n, path);
    if (!value_text(l, n, path, &text, &env))
        return false;
    /* In LiteLLM an empty api_key or api_base of a deployment is one that is not set. An empty
     * variable is rather a mistake, and must not send requests to the provider's usual address. */
    if (text.len == 0 && !env && l->deployment &&
        (key->type == KEY_SECRET || key->type == KEY_CREDENTIAL || key->type == KEY_URL))
        return true;
    switch (key->type) {
    case KEY_BOOL:
    case KEY_FLAG:
        if (!scalar_bool(str_trim(text), &flag))
            return wrong(l, key, n, path);
        if (at)
            *(bool *)at = flag;
        return true;
    case KEY_SECRET: return read_secret(l, key, n, path, text, at);
    case KEY_CREDENTIAL: return read_credential(l, key, n, path, text, at);
    case KEY_VERIFY: return read_verify(l, key, n, path, text, at);
    case KEY_URL:
        if (!read_url(l, key, n, path, text))
            return false;
        break;
    case KEY_CHOICE: check_choice(l, key, n, path, text); break;
    case KEY_TEXT: break;
    default: return read_numeric(key, text, at) || wrong(l, key, n, path);
    }
    if (at)
        *(struct str *)at = arena_dup(l->arena, text);
    return true;
}

bool value_read(struct loader *l, const struct conf_key *key, const struct conf_node *n,
                const struct conf_path *path, void *base)
{
    void *at = base && key->place != KEY_NOWHERE ? (char *)base + key->place : NULL;
    switch (key->type) {
    case KEY_ANY: return true;
    case KEY_LIST: return n->kind == CONF_SEQ || wrong(l, key, n, path);
    case KEY_MAP: return n->kind == CONF_MAP || wrong(l, key, n, path);
    case KEY_TEXTS: return read_texts(l, key, n, path, at);
    case KEY_HEADERS: return read_headers(l, key, n, path, at);
    case KEY_MEMBERS: return read_members(l, key, n, path, at);
    case KEY_CREDENTIAL:
        return n->kind == CONF_MAP ? read_credential_map(l, n, path, at)
                                   : read_scalar(l, key, n, path, at);
    case KEY_JSON: {
        struct str json = json_text(l, n, path, 0);
        if (at && json.len)
            *(struct str *)at = json;
        return json.len > 0;
    }
    case KEY_FLAG:
        if (n->kind != CONF_SEQ)
            return read_scalar(l, key, n, path, at);
        tell(l, CONF_NOTE, n, "%.*s as a list of models is read but not active yet in this version",
             STR_ARG(path_text(l, path)));
        return true;
    default: return read_scalar(l, key, n, path, at);
    }
}
