/* From a row, a base path and a dialect's suffix to the path of a call. */
#include "base/buf.h"
#include "provider/provider.h"

#define PATH_MAX_BYTES ((size_t)64 * 1024)

/* RFC 3986: what cannot stand in a path segment is encoded, so that a model name cannot leave its own. */
static void put_segment(struct buf *out, struct str s)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '.' || c == '_' || c == '~' || c == ':' || c == '@';
        if (plain) {
            buf_putc(out, c);
        } else {
            char esc[3] = { '%', hex[(unsigned char)c >> 4], hex[(unsigned char)c & 15] };
            buf_put(out, str_of(esc, 3));
        }
    }
}

/* A segment of nothing but dots would be taken for a step up by whoever normalises the path. */
static void put_name(struct buf *out, struct str name)
{
    bool dots = name.len > 0;
    for (size_t i = 0; i < name.len; i++)
        dots = dots && name.p[i] == '.';
    if (!dots)
        put_segment(out, name);
    for (size_t i = 0; dots && i < name.len; i++)
        buf_put(out, STR("%2E"));
}

/* The version that the base path ends with: "/v1", "/v1beta" ...; empty: none. */
static bool ends_with_version(struct str base_path)
{
    static const struct str versions[] = { STR_INIT("/v1"), STR_INIT("/v1beta"),
                                           STR_INIT("/v1alpha"), STR_INIT("/v1beta1") };
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++)
        if (str_ends(base_path, versions[i]))
            return true;
    return false;
}

/* True: api_base is an endpoint itself, and the call is one below it, "/v1/messages/count_tokens"; `*ret_rest`: what is to be added. */
static bool is_below(const struct provider_call *c, struct str *ret_rest)
{
    static const struct str ends[] = { STR_INIT("/v1/messages"), STR_INIT("/responses") };
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        if (!str_ends(c->base_path, ends[i]) || !str_starts(c->suffix, ends[i]))
            continue;
        *ret_rest = str_skip(c->suffix, ends[i].len);
        return true;
    }
    return false;
}

static void append_path(const struct provider_call *c, struct buf *out)
{
    struct str suffix = c->suffix;
    bool below = is_below(c, &suffix);
    if (str_ends(c->base_path, suffix))
        suffix = str_of(NULL, 0); /* api_base is the endpoint itself */
    else if (str_starts(suffix, STR("/v1/")) && str_ends(c->base_path, STR("/v1")))
        suffix = str_skip(suffix, 3);
    buf_put(out, c->base_path);
    if (suffix.len && !below && !str_ends(c->base_path, c->provider->base_end))
        buf_put(out, c->provider->base_end);
    buf_put(out, suffix);
}

/* Names of the API without dated versions. */
static bool azure_is_v1(struct str version)
{
    return str_eq(version, STR("v1")) || str_eq(version, STR("preview")) ||
           str_eq(version, STR("latest"));
}

/* True: the query has begun. */
static bool azure_path(const struct provider_call *c, struct buf *out)
{
    bool v1 = str_ends(c->base_path, STR("/openai/v1"));
    size_t deployments = str_find(c->base_path, STR("/openai/deployments/"));
    bool whole = deployments != STR_NONE;
    if (str_starts(c->suffix, STR("/responses"))) {
        /* Not below the deployment: the model is in the body (Azure OpenAI REST reference, "Responses"). */
        buf_put(out, whole ? str_head(c->base_path, deployments) : c->base_path);
        v1 = v1 || azure_is_v1(c->api_version);
        if (!str_ends(c->base_path, STR("/openai/v1")))
            buf_put(out, v1 ? STR("/openai/v1") : STR("/openai"));
    } else {
        buf_put(out, c->base_path);
        if (!v1 && !whole) {
            buf_put(out, STR("/openai/deployments/"));
            put_name(out, c->model);
        }
    }
    if (!str_ends(c->base_path, c->suffix))
        buf_put(out, c->suffix);
    if (!v1) {
        buf_put(out, STR("?api-version="));
        put_segment(out, c->api_version);
    }
    return !v1;
}

static void gemini_path(const struct provider_call *c, struct buf *out)
{
    struct str model = c->model;
    bool tuned = str_starts(model, STR("tunedModels/"));
    if (tuned)
        model = str_skip(model, 12);
    else if (str_starts(model, STR("models/")))
        model = str_skip(model, 7);
    buf_put(out, c->base_path);
    if (!ends_with_version(c->base_path))
        buf_put(out, STR("/v1beta"));
    buf_put(out, tuned ? STR("/tunedModels/") : STR("/models/"));
    put_name(out, model);
    buf_put(out, c->suffix);
}

static bool is_number(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.len > 0;
}

/* api_base may name the model already; `*ret_base`: the same without it where another is to be named in its place. */
static bool names_model(const struct provider_call *c, struct str *ret_base)
{
    size_t models = str_find(c->base_path, STR("/models/"));
    if (models == STR_NONE)
        return str_find(c->base_path, STR("/endpoints/")) != STR_NONE;
    if (c->path_model.len)
        *ret_base = str_head(c->base_path, models + 8);
    return true;
}

static void vertex_path(const struct provider_call *c, struct buf *out)
{
    struct str base = c->base_path, model = c->path_model.len ? c->path_model : c->model;
    bool named = names_model(c, &base);
    buf_put(out, base);
    if (base.len != c->base_path.len)
        put_name(out, model);
    if (!named) {
        if (!ends_with_version(c->base_path))
            buf_put(out, STR("/v1"));
        if (c->project.len) {
            buf_put(out, STR("/projects/"));
            put_name(out, c->project);
            buf_put(out, STR("/locations/"));
            put_name(out, c->location);
        }
        if (is_number(c->model)) /* a tuned model has an endpoint of its own */
            buf_put(out, STR("/endpoints/"));
        else if (provider_dialect(c->provider, c->model) == DIALECT_ANTHROPIC)
            buf_put(out, STR("/publishers/anthropic/models/"));
        else
            buf_put(out, STR("/publishers/google/models/"));
        put_name(out, model);
    }
    buf_put(out, c->suffix);
}

struct str provider_call_path(const struct provider_call *c, struct arena *a)
{
    struct buf out;
    bool queried = false;
    buf_init(&out, PATH_MAX_BYTES);
    switch (c->provider->url) {
    case URL_APPEND: append_path(c, &out); break;
    case URL_AZURE: queried = azure_path(c, &out); break;
    case URL_GEMINI: gemini_path(c, &out); break;
    case URL_VERTEX: vertex_path(c, &out); break;
    }
    if (c->query.len) {
        buf_putc(&out, queried ? '&' : '?');
        buf_put(&out, c->query);
    }
    struct str path = arena_dup(a, buf_str(&out));
    buf_done(&out);
    return path;
}

/* It becomes a part of a host's name. */
static bool is_location(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') ||
              (s.p[i] == '-' && i > 0 && i + 1 < s.len)))
            return false;
    return s.len > 0 && s.len <= 40;
}

struct str provider_base_url(const struct provider *p, struct str location, struct arena *a)
{
    if (p->url != URL_VERTEX)
        return p->base_url;
    if (!is_location(location))
        return str_of(NULL, 0);
    if (str_eq(location, STR("global")))
        return STR("https://aiplatform.googleapis.com");
    if (str_eq(location, STR("us")) || str_eq(location, STR("eu")))
        return arena_printf(a, "https://aiplatform.%.*s.rep.googleapis.com", STR_ARG(location));
    return arena_printf(a, "https://%.*s-aiplatform.googleapis.com", STR_ARG(location));
}
