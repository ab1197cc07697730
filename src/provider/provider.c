#include "provider/provider.h"

/* In the order in which `weir providers` lists them. */
static const struct provider rows[] = {
#include "provider/rows.def"
#include "provider/rows_openai.def"
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
    /* Families by the first letters of their ids, as the providers' own lists of models have them. */
    static const struct {
        struct str start, provider;
    } known[] = {
        { STR_INIT("gpt-"), STR_INIT("openai") },
        { STR_INIT("chatgpt-"), STR_INIT("openai") },
        { STR_INIT("o1"), STR_INIT("openai") },
        { STR_INIT("o3"), STR_INIT("openai") },
        { STR_INIT("o4"), STR_INIT("openai") },
        { STR_INIT("ft:gpt-"), STR_INIT("openai") },
        { STR_INIT("text-embedding-"), STR_INIT("openai") },
        { STR_INIT("codex-"), STR_INIT("openai") },
        { STR_INIT("computer-use-"), STR_INIT("openai") },
        { STR_INIT("davinci-"), STR_INIT("openai") },
        { STR_INIT("babbage-"), STR_INIT("openai") },
        { STR_INIT("omni-"), STR_INIT("openai") },
        { STR_INIT("claude-"), STR_INIT("anthropic") },
        /* Gemini models are Vertex AI's without a prefix, as in LiteLLM. */
        { STR_INIT("gemini-"), STR_INIT("vertex_ai") },
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (str_starts(model, known[i].start))
            return provider_find(known[i].provider);
    return NULL;
}

static bool is_claude(const struct provider *p, struct str model)
{
    return p->url == URL_VERTEX && str_starts_nocase(model, STR("claude"));
}

enum dialect_id provider_dialect(const struct provider *p, struct str model)
{
    return is_claude(p, model) ? DIALECT_ANTHROPIC : p->dialect;
}

struct str provider_family(const struct provider *p, struct str model)
{
    return is_claude(p, model) ? STR("anthropic") : p->family;
}

struct str provider_auth_header(const struct provider *p, bool has_token)
{
    switch (p->auth) {
    case AUTH_BEARER: return STR("authorization");
    case AUTH_API_KEY: return STR("api-key");
    case AUTH_X_API_KEY: return STR("x-api-key");
    case AUTH_X_GOOG_API_KEY: return STR("x-goog-api-key");
    case AUTH_GOOGLE: return has_token ? STR("authorization") : STR("x-goog-api-key");
    case AUTH_NONE: break;
    }
    return str_of(NULL, 0);
}

bool provider_auth_bearer(const struct provider *p, bool has_token)
{
    return p->auth == AUTH_BEARER || (p->auth == AUTH_GOOGLE && has_token);
}
