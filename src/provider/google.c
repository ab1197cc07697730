#include "provider/google.h"

#include "base/mem.h"
#include "wire/digest.h"
#include "wire/json_scan.h"

#define TOKEN_URL "https://oauth2.googleapis.com/token"
#define METADATA_HOST "metadata.google.internal"
#define METADATA_PATH "/computeMetadata/v1/instance/service-accounts/default/token"
#define CREDENTIAL_MAX_BYTES (256 * KIB)

/* The members that are read, of both types of file. */
enum {
    M_TYPE,
    M_EMAIL,
    M_KEY,
    M_KEY_ID,
    M_TOKEN_URI,
    M_PROJECT,
    M_QUOTA,
    M_CLIENT_ID,
    M_CLIENT_SECRET,
    M_REFRESH,
    M_COUNT
};
static const struct str members[M_COUNT] = {
    [M_TYPE] = STR_INIT("type"),
    [M_EMAIL] = STR_INIT("client_email"),
    [M_KEY] = STR_INIT("private_key"),
    [M_KEY_ID] = STR_INIT("private_key_id"),
    [M_TOKEN_URI] = STR_INIT("token_uri"),
    [M_PROJECT] = STR_INIT("project_id"),
    [M_QUOTA] = STR_INIT("quota_project_id"),
    [M_CLIENT_ID] = STR_INIT("client_id"),
    [M_CLIENT_SECRET] = STR_INIT("client_secret"),
    [M_REFRESH] = STR_INIT("refresh_token"),
};

struct parse {
    struct google_credential *c;
    struct str values[M_COUNT]; /* unescaped, in c's arena */
    struct arena *a;            /* the caller's, for the problem */
    struct str *problem;
};

static enum err refuse(struct parse *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static enum err refuse(struct parse *p, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    *p->problem = arena_vprintf(p->a, fmt, ap);
    va_end(ap);
    return ERR_SYNTAX;
}

static enum err need(struct parse *p, int member, const char *type)
{
    if (p->values[member].len)
        return ERR_OK;
    return refuse(p, "has no %.*s, which a credential of type %s needs; is the file whole?",
                  STR_ARG(members[member]), type);
}

/* Where a secret may be sent: encrypted, or to this machine. */
static bool is_safe_url(struct str url)
{
    static const struct str own[] = { STR_INIT("http://127.0.0.1"), STR_INIT("http://localhost"),
                                      STR_INIT("http://[::1]") };
    for (size_t i = 0; i < url.len; i++)
        if ((unsigned char)url.p[i] <= 0x20 || (unsigned char)url.p[i] >= 0x7f)
            return false;
    if (str_starts(url, STR("https://")))
        return url.len > 8;
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (str_starts(url, own[i]) &&
            (url.len == own[i].len || url.p[own[i].len] == ':' || url.p[own[i].len] == '/'))
            return true;
    return false;
}

static enum err read_token_uri(struct parse *p)
{
    p->c->token_url = p->values[M_TOKEN_URI].len ? p->values[M_TOKEN_URI] : STR(TOKEN_URL);
    if (is_safe_url(p->c->token_url))
        return ERR_OK;
    return refuse(p, "has a token_uri that is not an https:// URL; Google's is %s", TOKEN_URL);
}

/* In files that went through an environment variable, line breaks are often two characters: \n. */
static void mend_line_breaks(struct str *pem)
{
    char *out = (char *)(uintptr_t)pem->p;
    size_t n = 0;
    for (size_t i = 0; i < pem->len; i++) {
        bool pair = pem->p[i] == '\\' && i + 1 < pem->len && pem->p[i + 1] == 'n';
        out[n++] = pair ? '\n' : pem->p[i];
        i += pair;
    }
    pem->len = n;
}

static enum err read_service_account(struct parse *p)
{
    const char *why;
    p->c->kind = GOOGLE_SERVICE_ACCOUNT;
    TRY(need(p, M_EMAIL, "service_account"));
    TRY(need(p, M_KEY, "service_account"));
    TRY(read_token_uri(p));
    p->c->email = p->values[M_EMAIL];
    p->c->key_id = p->values[M_KEY_ID];
    p->c->project = p->values[M_PROJECT];
    mend_line_breaks(&p->values[M_KEY]);
    if (jwt_key_new(p->values[M_KEY], &p->c->key, &why))
        return refuse(p, "has a private_key that %s; download the account's key file again", why);
    return ERR_OK;
}

static enum err read_authorized_user(struct parse *p)
{
    p->c->kind = GOOGLE_AUTHORIZED_USER;
    TRY(need(p, M_CLIENT_ID, "authorized_user"));
    TRY(need(p, M_CLIENT_SECRET, "authorized_user"));
    TRY(need(p, M_REFRESH, "authorized_user"));
    TRY(read_token_uri(p));
    p->c->client_id = p->values[M_CLIENT_ID];
    p->c->project = p->values[M_PROJECT];
    p->c->client_secret = secret_new(p->values[M_CLIENT_SECRET]);
    p->c->refresh_token = secret_new(p->values[M_REFRESH]);
    return ERR_OK;
}

/* A type becomes part of a message: only if it is a plain word. */
static bool is_word(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || s.p[i] == '_'))
            return false;
    return s.len > 0 && s.len <= 48;
}

/* It becomes the value of a header. */
static bool is_header_word(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.p[i] <= 0x20 || (unsigned char)s.p[i] >= 0x7f)
            return false;
    return true;
}

static enum err read_members(struct parse *p, struct str json)
{
    struct json_member found[M_COUNT];
    struct json_problem problem;
    if (json.len > CREDENTIAL_MAX_BYTES)
        return refuse(p, "is larger than 256 KiB, which no credential file is");
    if (json_scan_object(json, members, M_COUNT, found, NULL, &problem))
        return refuse(p, "is not a JSON object (%s at byte %zu)", problem.what, problem.at);
    for (size_t i = 0; i < M_COUNT; i++) {
        if (found[i].type == JSON_ABSENT || found[i].type == JSON_NULL)
            continue;
        if (found[i].type != JSON_STRING)
            return refuse(p, "has a %.*s that is not a text", STR_ARG(members[i]));
        struct str plain = json_unescape(json_value(json, &found[i]), p->c->arena);
        p->values[i] = arena_dup(p->c->arena, plain);
        if (found[i].escaped) /* the copy that is not kept */
            wipe((char *)(uintptr_t)plain.p, plain.len);
        if (plain.len && memchr(p->values[i].p, 0, p->values[i].len))
            return refuse(p, "has a %.*s with a NUL in it", STR_ARG(members[i]));
    }
    p->c->quota_project = p->values[M_QUOTA];
    if (!is_header_word(p->c->quota_project))
        return refuse(p, "has a quota_project_id that is not the name of a project");
    return ERR_OK;
}

static enum err read_type(struct parse *p)
{
    struct str type = p->values[M_TYPE];
    if (str_eq(type, STR("service_account")))
        return read_service_account(p);
    if (str_eq(type, STR("authorized_user")))
        return read_authorized_user(p);
    return refuse(
        p,
        "is of type \"%.*s\", which is not supported; use a service account's key file, gcloud's "
        "application_default_credentials.json, or the metadata server",
        STR_ARG(is_word(type) ? type : STR("?")));
}

static struct google_credential *make(struct str hashed)
{
    char hex[SHA256_HEX_BYTES];
    struct google_credential *c = MEM_NEW(struct google_credential);
    atomic_store(&c->refs, 1);
    c->arena = arena_new();
    sha256_hex(hashed, hex);
    c->id = arena_dup(c->arena, str_c(hex));
    return c;
}

enum err google_credential_new(struct str json, struct arena *a,
                               struct google_credential **ret_credential, struct str *ret_problem)
{
    struct parse p = { .c = make(json), .a = a, .problem = ret_problem };
    enum err e = read_members(&p, json);
    e = e ? e : read_type(&p);
    /* What is secret now lives in key, client_secret and refresh_token alone. */
    static const int secrets[] = { M_KEY, M_CLIENT_SECRET, M_REFRESH };
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++)
        wipe((char *)(uintptr_t)p.values[secrets[i]].p, p.values[secrets[i]].len);
    if (e) {
        google_credential_unref(p.c);
        return e;
    }
    *ret_credential = p.c;
    return ERR_OK;
}

struct google_credential *google_credential_metadata(struct str host)
{
    struct google_credential *c = make(host.len ? host : STR(METADATA_HOST));
    c->kind = GOOGLE_METADATA;
    c->token_url = arena_printf(c->arena, "http://%.*s" METADATA_PATH,
                                STR_ARG(host.len ? host : STR(METADATA_HOST)));
    return c;
}

struct google_credential *google_credential_ref(const struct google_credential *c)
{
    struct google_credential *mine = (struct google_credential *)(uintptr_t)c;
    atomic_fetch_add_explicit(&mine->refs, 1, memory_order_relaxed);
    return mine;
}

void google_credential_unref(struct google_credential *c)
{
    if (!c || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
        return;
    jwt_key_free(c->key);
    secret_free(c->client_secret);
    secret_free(c->refresh_token);
    arena_free(c->arena);
    mem_free(c);
}
