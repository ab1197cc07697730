#include "provider/provider.h"

#include "base/buf.h"

/* In the order in which `weir providers` lists them. */
static const struct provider rows[] = {
    { .name = STR_INIT("openai"),
      .title = STR_INIT("OpenAI"),
      .note = STR_INIT("and, with api_base, any server that speaks its API"),
      .base_url = STR_INIT("https://api.openai.com/v1"),
      .key_env = STR_INIT("OPENAI_API_KEY"),
      .base_envs = { STR_INIT("OPENAI_BASE_URL"), STR_INIT("OPENAI_API_BASE") } },
    { .name = STR_INIT("azure"),
      .title = STR_INIT("Azure OpenAI"),
      .key_env = STR_INIT("AZURE_API_KEY"),
      .base_envs = { STR_INIT("AZURE_API_BASE") },
      .version_env = STR_INIT("AZURE_API_VERSION"),
      .version_default = STR_INIT("2024-10-21"),
      .auth = AUTH_API_KEY,
      .url = URL_AZURE },
    { .name = STR_INIT("openai_like"),
      .title = STR_INIT("The OpenAI-compatible server"),
      .note = STR_INIT("api_base is required"),
      .key_env = STR_INIT("OPENAI_LIKE_API_KEY"),
      .base_envs = { STR_INIT("OPENAI_LIKE_API_BASE") },
      .key_optional = true },
    { .name = STR_INIT("custom_openai"),
      .title = STR_INIT("The OpenAI-compatible server"),
      .note = STR_INIT("api_base is required"),
      .key_env = STR_INIT("OPENAI_API_KEY"),
      .key_optional = true },
    { .name = STR_INIT("text-completion-openai"),
      .title = STR_INIT("OpenAI"),
      .note = STR_INIT("legacy completions"),
      .base_url = STR_INIT("https://api.openai.com/v1"),
      .key_env = STR_INIT("OPENAI_API_KEY"),
      .base_envs = { STR_INIT("OPENAI_BASE_URL"), STR_INIT("OPENAI_API_BASE") } },
};

#define ROWS (sizeof rows / sizeof rows[0])

const struct provider *provider_find(struct str name)
{
    for (size_t i = 0; i < ROWS; i++)
        if (str_eq(rows[i].name, name))
            return &rows[i];
    return NULL;
}

const struct provider *provider_at(size_t i)
{
    return i < ROWS ? &rows[i] : NULL;
}

size_t provider_index(const struct provider *p)
{
    return (size_t)(p - rows);
}

const struct provider *provider_infer(struct str model)
{
    /* OpenAI's families by the first letters of their ids, as listed by GET /v1/models. */
    static const struct str openai[] = {
        STR_INIT("gpt-"),
        STR_INIT("chatgpt-"),
        STR_INIT("o1"),
        STR_INIT("o3"),
        STR_INIT("o4"),
        STR_INIT("ft:gpt-"),
        STR_INIT("text-embedding-"),
        STR_INIT("codex-"),
        STR_INIT("computer-use-"),
        STR_INIT("davinci-"),
        STR_INIT("babbage-"),
        STR_INIT("omni-"),
    };
    for (size_t i = 0; i < sizeof openai / sizeof openai[0]; i++)
        if (str_starts(model, openai[i]))
            return &rows[0];
    return NULL;
}

/* RFC 3986: what is not unreserved is encoded, so that a model name cannot leave its path segment. */
static void put_segment(struct buf *out, struct str s)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '.' || c == '_' || c == '~' || c == ':';
        if (plain) {
            buf_putc(out, c);
        } else {
            char esc[3] = { '%', hex[(unsigned char)c >> 4], hex[(unsigned char)c & 15] };
            buf_put(out, str_of(esc, 3));
        }
    }
}

static struct str azure_path(struct str base_path, struct str suffix, struct str model,
                             struct str api_version, struct arena *a)
{
    struct buf out;
    bool v1 = str_ends(base_path, STR("/openai/v1"));
    bool whole = str_find(base_path, STR("/openai/deployments/")) != STR_NONE;
    buf_init(&out, 64 * 1024);
    buf_put(&out, base_path);
    if (!v1 && !whole) {
        buf_put(&out, STR("/openai/deployments/"));
        put_segment(&out, model);
    }
    buf_put(&out, suffix);
    if (!v1) {
        buf_put(&out, STR("?api-version="));
        put_segment(&out, api_version);
    }
    struct str path = arena_dup(a, buf_str(&out));
    buf_done(&out);
    return path;
}

struct str provider_path(const struct provider *p, struct str base_path, struct str suffix,
                         struct str model, struct str api_version, struct arena *a)
{
    if (p->url == URL_AZURE)
        return azure_path(base_path, suffix, model, api_version, a);
    char *path = arena_alloc(a, base_path.len + suffix.len + 1);
    if (base_path.len)
        memcpy(path, base_path.p, base_path.len);
    memcpy(path + base_path.len, suffix.p, suffix.len);
    return str_of(path, base_path.len + suffix.len);
}
