/* The tables, and finding rows in them. */
#include "conf/keys.h"

#include "base/buf.h"
#include "conf/conf_priv.h"

#define PLACE_NOWHERE KEY_NOWHERE
#define PLACE_CONF(member) (int)offsetof(struct conf_box, conf.member)
#define PLACE_BOX(member) (int)offsetof(struct conf_box, member)
#define PLACE_DEPLOYMENT(member) (int)offsetof(struct conf_deployment, member)
#define KEY_CHOICE(list) KEY_CHOICE, .choices = STR_INIT(list)
#define KEY(name_, type_, lo_, hi_, def_, state_, place_, help_)                                   \
    { .name = STR_INIT(name_),                                                                     \
      .type = KEY_##type_,                                                                         \
      .lo = (lo_),                                                                                 \
      .hi = (hi_),                                                                                 \
      .def = STR_INIT(def_),                                                                       \
      .state = KEY_##state_,                                                                       \
      .place = PLACE_##place_,                                                                     \
      .help = STR_INIT(help_) },

static const struct conf_key top_keys[] = {
#include "conf/keys_top.def"
};
static const struct conf_key params_keys[] = {
#include "conf/keys_params.def"
};
static const struct conf_key info_keys[] = {
#include "conf/keys_info.def"
};
static const struct conf_key litellm_keys[] = {
#include "conf/keys_litellm.def"
};
static const struct conf_key router_keys[] = {
#include "conf/keys_router.def"
};
static const struct conf_key general_keys[] = {
#include "conf/keys_general.def"
};
static const struct conf_key weir_keys[] = {
#include "conf/keys_weir.def"
};
#define SECTION_BEGIN(id) static const struct conf_key id##_keys[] = {
#define SECTION_END                                                                                \
    }                                                                                              \
    ;
#include "conf/keys_nested.def"
#undef KEY

/* Types that take two fields rely on their order. */
#define FOLLOWS(type, a, b)                                                                        \
    _Static_assert(offsetof(type, b) == offsetof(type, a) + sizeof(void *), #b " follows " #a)
FOLLOWS(struct conf_deployment, headers, header_count);
FOLLOWS(struct conf_deployment, extra_body, extra_body_count);
FOLLOWS(struct conf_deployment, drop_params, drop_count);
FOLLOWS(struct conf_deployment, allowed_params, allowed_count);
FOLLOWS(struct conf_deployment, ssl_verify, ca_file);
FOLLOWS(struct conf_litellm, ssl_verify, ca_file);
FOLLOWS(struct conf_weir, cors_origins, cors_origin_count);

/* No section is longer: a row's number is made of the section's and its own. */
#define SECTION_KEYS_MAX 256
_Static_assert(sizeof params_keys / sizeof *params_keys <= SECTION_KEYS_MAX, "litellm_params");
_Static_assert(sizeof litellm_keys / sizeof *litellm_keys <= SECTION_KEYS_MAX, "litellm_settings");
_Static_assert(sizeof general_keys / sizeof *general_keys <= SECTION_KEYS_MAX, "general_settings");

#define ROWS(id) .keys = id##_keys, .count = sizeof id##_keys / sizeof *id##_keys

static const struct conf_section sections[SECTION_COUNT] = {
    [SECTION_TOP] = { .name = STR_INIT(""),
                      ROWS(top),
                      .intro = STR_INIT("The sections of the file.") },
    [SECTION_MODEL] = { .name = STR_INIT("model_list[]"),
                        ROWS(model),
                        .nested = true,
                        .intro = STR_INIT(
                            "One entry is one deployment. A broken entry does not keep the others "
                            "from serving: its callers are told what is wrong with it.") },
    [SECTION_PARAMS] = { .name = STR_INIT("model_list[].litellm_params"),
                         ROWS(params),
                         .nested = true,
                         .open = true,
                         .intro = STR_INIT(
                             "Keys that are not listed are sent to the provider, as members of the "
                             "request's body that the client did not set.") },
    [SECTION_INFO] = { .name = STR_INIT("model_list[].model_info"),
                       ROWS(info),
                       .nested = true,
                       .open = true,
                       .intro = STR_INIT("Free-form: further keys are welcome.") },
    [SECTION_LITELLM] = { .name = STR_INIT("litellm_settings"),
                          ROWS(litellm),
                          .intro = STR_INIT("Settings of the gateway as a whole.") },
    [SECTION_ROUTER] = { .name = STR_INIT("router_settings"),
                         ROWS(router),
                         .intro = STR_INIT(
                             "Where litellm_settings knows the same key, this one wins.") },
    [SECTION_GENERAL] = { .name = STR_INIT("general_settings"),
                          ROWS(general),
                          .intro = STR_INIT("The server, authentication, the database.") },
    [SECTION_WEIR] = { .name = STR_INIT("weir_settings"),
                       ROWS(weir),
                       .intro = STR_INIT("What only weir has; LiteLLM ignores this section.") },
    [SECTION_CREDENTIAL] = { .name = STR_INIT("credential_list[]"),
                             ROWS(credential),
                             .nested = true,
                             .intro = STR_INIT("Credentials that several deployments share.") },
    [SECTION_RETRY] = { .name = STR_INIT("router_settings.retry_policy"),
                        ROWS(retry),
                        .nested = true,
                        .intro = STR_INIT("Also the values of model_group_retry_policy.") },
    [SECTION_FAILS] = { .name = STR_INIT("router_settings.allowed_fails_policy"),
                        ROWS(fails),
                        .nested = true,
                        .intro = STR_INIT("Also model_info.allowed_fails_policy.") },
    [SECTION_PASS] = { .name = STR_INIT("general_settings.pass_through_endpoints[]"),
                       ROWS(pass),
                       .nested = true,
                       .intro = STR_INIT("A route of its own that goes to a URL.") },
    [SECTION_CACHE] = { .name = STR_INIT("litellm_settings.cache_params"),
                        ROWS(cache),
                        .nested = true,
                        .open = true,
                        .intro = STR_INIT("Further keys are options of the kind of cache.") },
    [SECTION_GUARDRAIL] = { .name = STR_INIT("guardrails[]"),
                            ROWS(guardrail),
                            .nested = true,
                            .intro = STR_INIT("A check of requests or answers.") },
};

static const struct {
    enum section_id section;
    struct str key;
    enum section_id nested;
    bool each;
} nestings[] = {
    { SECTION_ROUTER, STR_INIT("retry_policy"), SECTION_RETRY, false },
    { SECTION_ROUTER, STR_INIT("model_group_retry_policy"), SECTION_RETRY, true },
    { SECTION_ROUTER, STR_INIT("allowed_fails_policy"), SECTION_FAILS, false },
    { SECTION_INFO, STR_INIT("allowed_fails_policy"), SECTION_FAILS, false },
    { SECTION_GENERAL, STR_INIT("pass_through_endpoints"), SECTION_PASS, true },
    { SECTION_LITELLM, STR_INIT("cache_params"), SECTION_CACHE, false },
    { SECTION_TOP, STR_INIT("guardrails"), SECTION_GUARDRAIL, true },
};

const struct conf_section *conf_section(enum section_id id)
{
    return &sections[id];
}

size_t conf_key_total(void)
{
    return (size_t)SECTION_COUNT * SECTION_KEYS_MAX;
}

size_t conf_key_number(const struct conf_section *s, const struct conf_key *key)
{
    return (size_t)(s - sections) * SECTION_KEYS_MAX + (size_t)(key - s->keys);
}

bool wildcard_match(struct str pattern, struct str name)
{
    size_t star = str_find_char(pattern, '*');
    if (star == STR_NONE)
        return str_eq(pattern, name);
    if (!str_starts(name, str_head(pattern, star)))
        return false;
    name = str_skip(name, star);
    pattern = str_skip(pattern, star + 1);
    /* Between stars the first place that fits is as good as any later one. */
    while ((star = str_find_char(pattern, '*')) != STR_NONE) {
        size_t at = str_find(name, str_head(pattern, star));
        if (at == STR_NONE)
            return false;
        name = str_skip(name, at + star);
        pattern = str_skip(pattern, star + 1);
    }
    return str_ends(name, pattern);
}

const struct conf_key *conf_key_find(const struct conf_section *s, struct str name)
{
    for (size_t i = 0; i < s->count; i++)
        if (str_eq(s->keys[i].name, name))
            return &s->keys[i];
    for (size_t i = 0; i < s->count; i++)
        if (str_find_char(s->keys[i].name, '*') != STR_NONE &&
            wildcard_match(s->keys[i].name, name))
            return &s->keys[i];
    return NULL;
}

const struct conf_key *conf_key_nearest(const struct conf_section *s, struct str name)
{
    struct str words[SECTION_KEYS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < s->count && n < SECTION_KEYS_MAX; i++)
        if (str_find_char(s->keys[i].name, '*') == STR_NONE)
            words[n++] = s->keys[i].name;
    struct str found = conf_nearest(name, words, n);
    return found.len ? conf_key_find(s, found) : NULL;
}

const struct conf_section *conf_key_elsewhere(const struct conf_section *s, struct str name)
{
    static const enum section_id top[] = { SECTION_TOP, SECTION_GENERAL, SECTION_LITELLM,
                                           SECTION_ROUTER, SECTION_WEIR };
    static const enum section_id entry[] = { SECTION_PARAMS, SECTION_INFO };
    bool is_entry = s == conf_section(SECTION_MODEL);
    const enum section_id *places = is_entry ? entry : top;
    size_t n = is_entry ? sizeof entry / sizeof *entry : sizeof top / sizeof *top;
    for (size_t i = 0; i < n && (is_entry || !s->nested); i++)
        if (conf_section(places[i]) != s && conf_key_find(conf_section(places[i]), name))
            return conf_section(places[i]);
    return NULL;
}

const struct conf_section *conf_key_nested(const struct conf_section *s, const struct conf_key *key,
                                           bool *ret_each)
{
    for (size_t i = 0; i < sizeof nestings / sizeof *nestings; i++)
        if (conf_section(nestings[i].section) == s && str_eq(nestings[i].key, key->name)) {
            *ret_each = nestings[i].each;
            return conf_section(nestings[i].nested);
        }
    return NULL;
}

static void put_range(const struct conf_key *key, struct buf *out)
{
    if (key->lo < key->hi)
        buf_printf(out, " from %.15g to %.15g", key->lo, key->hi);
    if (key->type == KEY_SECONDS)
        buf_putz(out, " (or a duration: 30s, 5m, 1h)");
}

void conf_key_wants(const struct conf_key *key, struct buf *out)
{
    static const char *const words[KEY_TYPE_COUNT] = {
        [KEY_BOOL] = "true or false",
        [KEY_FLAG] = "true or false, or a list of models",
        [KEY_INT] = "a whole number",
        [KEY_FLOAT] = "a number",
        [KEY_SECONDS] = "a number of seconds",
        [KEY_DURATION] = "a duration: a whole number and s, m, h, d, w or mo",
        [KEY_COST] = "a number of dollars",
        [KEY_MEGABYTES] = "a number of megabytes",
        [KEY_BYTES] = "a number of bytes (or with a unit, 512MiB)",
        [KEY_TEXT] = "a text",
        [KEY_URL] = "a URL that begins with http:// or https://",
        [KEY_CHOICE] = "one of ",
        [KEY_SECRET] = "a text",
        [KEY_CREDENTIAL] = "the path of a credential file, its JSON, or a mapping",
        [KEY_TEXTS] = "a list of texts, or one text",
        [KEY_HEADERS] = "a mapping of header names to texts",
        [KEY_MEMBERS] = "a mapping",
        [KEY_JSON] = "any value",
        [KEY_VERIFY] = "true, false, or the path of a CA file",
        [KEY_LIST] = "a list (lines that begin with '- ')",
        [KEY_MAP] = "a mapping (indented lines of 'key: value')",
        [KEY_ANY] = "any value",
    };
    buf_putz(out, words[key->type]);
    if (key->type == KEY_CHOICE) {
        struct str rest = key->choices;
        while (rest.len) {
            buf_put(out, str_cut(&rest, '|'));
            buf_putz(out, rest.len ? ", " : "");
        }
        return;
    }
    put_range(key, out);
}
