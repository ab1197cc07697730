/* A node as JSON text: scalars typed as YAML 1.1 types them. */
#include "base/mem.h"
#include "conf/conf_priv.h"
#include "conf/scalar.h"
#include "wire/json_write.h"

#include <stdlib.h>

bool looks_secret(struct str key)
{
    static const struct str words[] = { STR_INIT("key"),        STR_INIT("secret"),
                                        STR_INIT("password"),   STR_INIT("passwd"),
                                        STR_INIT("credential"), STR_INIT("authorization") };
    char low[128];
    size_t n = key.len < sizeof low ? key.len : sizeof low;
    for (size_t i = 0; i < n; i++)
        low[i] = ascii_lower(key.p[i]);
    struct str s = str_of(low, n);
    /* Prices (input_cost_per_token), and the names of things that hold no secret. */
    if (str_find(s, STR("cost")) != STR_NONE || str_eq(s, STR("prompt_cache_key")))
        return false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_find(s, words[i]) != STR_NONE)
            return true;
    /* "token" and "x_token", not "max_tokens" nor "tokenizer". */
    return str_ends(s, STR("token"));
}

void json_masked_url(struct str url, struct buf *out)
{
    size_t scheme = str_find(url, STR("://"));
    size_t start = scheme == STR_NONE ? 0 : scheme + 3;
    size_t end = start, at = STR_NONE;
    for (; end < url.len && url.p[end] != '/' && url.p[end] != '?' && url.p[end] != '#'; end++)
        if (url.p[end] == '@')
            at = end;
    if (scheme == STR_NONE || at == STR_NONE) {
        json_quote(out, url);
        return;
    }
    struct buf masked;
    buf_init(&masked, url.len + 16);
    buf_put(&masked, str_head(url, start));
    buf_putz(&masked, "*****");
    buf_put(&masked, str_skip(url, at));
    json_quote(out, buf_str(&masked));
    buf_done(&masked);
}

static void put_text(struct str text, unsigned flags, struct buf *out)
{
    if (flags & JSON_MASKED)
        json_masked_url(text, out);
    else
        json_quote(out, text);
}

static bool scalar_json(struct loader *l, const struct conf_node *n, const struct conf_path *path,
                        unsigned flags, struct buf *out)
{
    struct str text;
    bool env, on;
    if (is_env_ref(n->text) && (flags & JSON_HIDE_ENV)) {
        buf_putz(out, "\"*****\"");
        return true;
    }
    if (is_env_ref(n->text) && !(flags & JSON_AS_IS)) {
        struct str name = str_trim(str_skip(n->text, CONF_ENV_PREFIX.len));
        if (flags & JSON_QUIET) {
            if (!conf_env(&l->box->conf, l->src, name, l->scratch, &text))
                buf_putz(out, "null");
            else
                put_text(text, flags, out);
            return true;
        }
        if (!value_text(l, n, path, &text, &env))
            return false;
        json_quote(out, text);
        return true;
    }
    switch (n->plain ? scalar_type(n->text) : SCALAR_STRING) {
    case SCALAR_NULL: buf_putz(out, "null"); return true;
    case SCALAR_BOOL:
        scalar_bool(n->text, &on);
        buf_putz(out, on ? "true" : "false");
        return true;
    case SCALAR_STRING: put_text(n->text, flags, out); return true;
    case SCALAR_INT:
    case SCALAR_FLOAT: break;
    }
    if (scalar_json_number(n->text, out))
        return true;
    if (flags & (JSON_AS_IS | JSON_QUIET)) {
        json_quote(out, n->text);
        return true;
    }
    bad(l, n,
        "%.*s is not a number that JSON can say (infinite, NaN or too large); write another, or put it in quotes",
        STR_ARG(path_text(l, path)));
    return false;
}

static int by_key(const void *a, const void *b)
{
    return str_cmp(((const struct conf_pair *)a)->key, ((const struct conf_pair *)b)->key);
}

static bool map_json(struct loader *l, const struct conf_node *n, const struct conf_path *path,
                     unsigned flags, struct buf *out)
{
    const struct conf_pair *pairs = n->pairs;
    if ((flags & JSON_AS_IS) && n->count) {
        struct conf_pair *sorted = ARENA_ARRAY(l->scratch, struct conf_pair, n->count);
        memcpy(sorted, pairs, n->count * sizeof *sorted);
        qsort(sorted, n->count, sizeof *sorted, by_key);
        pairs = sorted;
    }
    buf_putc(out, '{');
    for (size_t i = 0; i < n->count; i++) {
        struct conf_path at = path_name(path, pairs[i].key);
        if (i)
            buf_putc(out, ',');
        json_quote(out, pairs[i].key);
        buf_putc(out, ':');
        if ((flags & JSON_MASKED) && looks_secret(pairs[i].key))
            buf_putz(out, "\"*****\"");
        else if (!json_of(l, pairs[i].value, &at, flags, out))
            return false;
    }
    buf_putc(out, '}');
    return true;
}

bool json_of(struct loader *l, const struct conf_node *n, const struct conf_path *path,
             unsigned flags, struct buf *out)
{
    if (out->fail)
        return true;
    if (n->kind == CONF_SCALAR)
        return scalar_json(l, n, path, flags, out);
    if (n->kind == CONF_MAP)
        return map_json(l, n, path, flags, out);
    buf_putc(out, '[');
    for (size_t i = 0; i < n->count; i++) {
        struct conf_path at = path_index(path, i);
        if (i)
            buf_putc(out, ',');
        if (!json_of(l, n->items[i], &at, flags, out))
            return false;
    }
    buf_putc(out, ']');
    return true;
}

struct str json_text(struct loader *l, const struct conf_node *n, const struct conf_path *path,
                     unsigned flags)
{
    struct str text = { NULL, 0 };
    struct buf out;
    buf_init(&out, CONF_TEXT_MAX);
    bool ok = json_of(l, n, path, flags, &out);
    if (ok && out.fail)
        bad(l, n, "%.*s is larger than %zu MiB as JSON; make it smaller",
            STR_ARG(path_text(l, path)), CONF_TEXT_MAX / MIB);
    else if (ok)
        text = arena_dup(l->arena, buf_str(&out));
    buf_done(&out);
    return text;
}
