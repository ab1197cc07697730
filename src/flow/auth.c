/* The key of a request: where it may stand, and what is said when it is not good. */
#include "flow/flow_priv.h"

#include "wire/digest.h"

/* "Bearer x" and "Basic x" in any case, as clients write them; false: another scheme or none. */
static bool strip_scheme(struct str *value)
{
    static const struct str schemes[] = { STR_INIT("bearer "), STR_INIT("basic ") };
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (!str_starts_nocase(*value, schemes[i]))
            continue;
        *value = str_trim(str_skip(*value, schemes[i].len));
        return true;
    }
    return false;
}

/* The first of the places that is filled: LiteLLM's order. `*ret_malformed`: Authorization without a scheme. */
static struct str find_key(const struct conf_general *g, const struct http_head *h,
                           bool *ret_malformed)
{
    static const struct str later[] = { STR_INIT("api-key"), STR_INIT("x-api-key"),
                                        STR_INIT("x-goog-api-key"),
                                        STR_INIT("ocp-apim-subscription-key") };
    struct str key;
    *ret_malformed = false;
    if (g->key_header_name.len && (key = http_get(h, g->key_header_name)).len) {
        strip_scheme(&key);
        return key;
    }
    key = http_get(h, STR("x-litellm-api-key"));
    if (key.len) {
        strip_scheme(&key);
        return key;
    }
    key = http_get(h, STR("authorization"));
    if (key.len) {
        *ret_malformed = !strip_scheme(&key);
        return key;
    }
    for (size_t i = 0; i < sizeof later / sizeof later[0]; i++)
        if ((key = http_get(h, later[i])).len)
            return key;
    return str_of(NULL, 0);
}

/* A key that nobody knows is named by its last four characters and its hash, as LiteLLM does: enough to find it in a list of
 * hashes, not enough to use it. */
static enum err unknown_key(struct str key, struct arena *a, struct fault *f)
{
    char hash[65];
    sha256_hex(key, hash);
    struct str tail = key.len >= 16 ? str_skip(key, key.len - 4) : STR("****");
    for (size_t i = 0; i < tail.len; i++)
        if (tail.p[i] <= ' ' || tail.p[i] >= 0x7f)
            tail = STR("****");
    return fault_set(
        f, ERR_UNKNOWN_KEY, a,
        "Authentication Error, Invalid proxy server token passed. Received API Key = sk-...%.*s, Key Hash (Token) "
        "=%s. Unable to find token in cache or `LiteLLM_VerificationTokenTable`",
        STR_ARG(tail), hash);
}

enum err auth_entry(const struct snapshot *s, const struct http_head *h, struct arena *a,
                    const struct entry **ret_entry, struct fault *f)
{
    bool malformed;
    struct str key = find_key(&s->conf->general, h, &malformed);
    if (malformed)
        return fault_set(
            f, ERR_BAD_KEY, a,
            "Authentication Error, Malformed API Key passed in. Ensure Key has `Bearer ` prefix.");
    if (key.len == 0)
        return fault_set(f, ERR_NO_KEY, a, "Authentication Error, No api key passed in.");
    const struct entry *e = directory_find(s->directory, key);
    if (e) {
        *ret_entry = e;
        return ERR_OK;
    }
    if (!str_starts(key, STR("sk-")))
        return fault_set(
            f, ERR_BAD_KEY, a,
            "Authentication Error, LiteLLM Virtual Key expected. Received=****, expected to start with 'sk-'.");
    return unknown_key(key, a, f);
}
