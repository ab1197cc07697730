/* Asking for an access token, and reading what comes back. */
#include "base/mem.h"
#include "provider/google.h"
#include "wire/json_scan.h"
#include "wire/json_write.h"

#define SCOPE "https://www.googleapis.com/auth/cloud-platform"
#define ASSERTION_LIFE_S 3600 /* the longest that Google takes */
#define CLOCK_SLACK_S 10      /* a clock that runs ahead is refused: "iat" in the future */
#define LIFE_DEFAULT_S 300    /* when the answer does not say */
#define LIFE_MAX_S (24 * 3600)
#define TOKEN_MAX_BYTES (16 * KIB)
#define FORM_MAX_BYTES (512 * KIB)

/* -- the request */

static void put_form(struct buf *out, const char *name, struct str value)
{
    static const char hex[] = "0123456789ABCDEF";
    if (out->len)
        buf_putc(out, '&');
    buf_putz(out, name);
    buf_putc(out, '=');
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || c == '.' || c == '_' || c == '~';
        if (plain) {
            buf_putc(out, (char)c);
        } else {
            char esc[3] = { '%', hex[c >> 4], hex[c & 15] };
            buf_put(out, str_of(esc, 3));
        }
    }
}

static enum err put_assertion(const struct google_credential *c, uint64_t unix_s, struct arena *a,
                              struct buf *form)
{
    struct buf claims;
    struct json_write w;
    struct str token;
    uint64_t issued_s = unix_s > CLOCK_SLACK_S ? unix_s - CLOCK_SLACK_S : 0;
    buf_init(&claims, FORM_MAX_BYTES);
    json_begin(&w, &claims);
    json_obj(&w, NULL);
    json_str(&w, "iss", c->email);
    json_strz(&w, "scope", SCOPE);
    json_str(&w, "aud", c->token_url);
    json_uint(&w, "iat", issued_s);
    json_uint(&w, "exp", issued_s + ASSERTION_LIFE_S);
    json_end(&w);
    enum err e =
        claims.fail ? ERR_INTERNAL : jwt_sign(c->key, c->key_id, buf_str(&claims), a, &token);
    buf_done(&claims);
    if (e)
        return e;
    put_form(form, "grant_type", STR("urn:ietf:params:oauth:grant-type:jwt-bearer"));
    put_form(form, "assertion", token);
    wipe((char *)(uintptr_t)token.p, token.len);
    return ERR_OK;
}

static void put_refresh(const struct google_credential *c, struct buf *form)
{
    put_form(form, "grant_type", STR("refresh_token"));
    put_form(form, "client_id", c->client_id);
    put_form(form, "client_secret", secret_reveal(c->client_secret));
    put_form(form, "refresh_token", secret_reveal(c->refresh_token));
}

enum err google_token_request(const struct google_credential *c, uint64_t unix_s, struct arena *a,
                              struct google_token_request *ret_request)
{
    struct buf form;
    enum err e = ERR_OK;
    *ret_request = (struct google_token_request){ .post = c->kind != GOOGLE_METADATA };
    buf_init(&form, FORM_MAX_BYTES);
    if (c->kind == GOOGLE_SERVICE_ACCOUNT)
        e = put_assertion(c, unix_s, a, &form);
    else if (c->kind == GOOGLE_AUTHORIZED_USER)
        put_refresh(c, &form);
    e = e ? e : form.fail ? ERR_INTERNAL : ERR_OK;
    if (!e)
        ret_request->body = arena_dup(a, buf_str(&form));
    if (form.len)
        wipe(form.p, form.len);
    buf_done(&form);
    return e;
}

/* -- the answer */

enum { A_TOKEN, A_LIFE, A_TYPE, A_ERROR, A_DESCRIPTION, A_COUNT };
static const struct str names[A_COUNT] = {
    [A_TOKEN] = STR_INIT("access_token"),
    [A_LIFE] = STR_INIT("expires_in"),
    [A_TYPE] = STR_INIT("token_type"),
    [A_ERROR] = STR_INIT("error"),
    [A_DESCRIPTION] = STR_INIT("error_description"),
};

struct answer {
    struct str text[A_COUNT]; /* unescaped; empty: absent, or not a text */
    uint64_t life_s;
};

static bool scan(struct str body, struct arena *a, struct answer *ret_answer)
{
    struct json_member m[A_COUNT];
    struct json_problem problem;
    memset(ret_answer, 0, sizeof *ret_answer);
    if (json_scan_object(body, names, A_COUNT, m, NULL, &problem))
        return false;
    for (size_t i = 0; i < A_COUNT; i++)
        if (m[i].type == JSON_STRING)
            ret_answer->text[i] = json_unescape(json_value(body, &m[i]), a);
    double life;
    ret_answer->life_s = LIFE_DEFAULT_S;
    if (m[A_LIFE].type == JSON_NUMBER) {
        if (!json_double(json_value(body, &m[A_LIFE]), &life) || !(life >= 1))
            ret_answer->life_s = 0;
        else
            ret_answer->life_s = life < LIFE_MAX_S ? (uint64_t)life : LIFE_MAX_S;
    }
    return true;
}

/* "invalid_grant": what may be shown of the error's name. */
static struct str plain_code(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || s.p[i] == '_'))
            return str_of(NULL, 0);
    return str_head(s, 40);
}

/* An answer may repeat what was sent. Nothing is kept of a text that has a word as long as a token is, a control character, or the
 * client's secret. */
static struct str plain_words(const struct google_credential *c, struct str s)
{
    size_t run = 0;
    if (c->client_secret && str_find(s, secret_reveal(c->client_secret)) != STR_NONE)
        return str_of(NULL, 0);
    if (c->refresh_token && str_find(s, secret_reveal(c->refresh_token)) != STR_NONE)
        return str_of(NULL, 0);
    for (size_t i = 0; i < s.len; i++) {
        run = s.p[i] == ' ' ? 0 : run + 1;
        if (run > 64 || (unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return str_of(NULL, 0);
    }
    return str_head(s, 200);
}

static const char *advice(const struct google_credential *c, int status)
{
    if (status >= 500 || status == 429)
        return "this passes by itself as a rule";
    switch (c->kind) {
    case GOOGLE_SERVICE_ACCOUNT:
        return "check that the service account and its key still exist and that this machine's clock is right";
    case GOOGLE_AUTHORIZED_USER: return "log in again: gcloud auth application-default login";
    case GOOGLE_METADATA: break;
    }
    return "does this machine have a service account? Else set vertex_credentials";
}

static const char *place(const struct google_credential *c)
{
    return c->kind == GOOGLE_METADATA ? "the metadata server" : "Google's token endpoint";
}

static enum err refused(const struct google_credential *c, int status, const struct answer *r,
                        struct arena *a, struct str *ret_problem, struct str *ret_detail)
{
    struct str code = plain_code(r->text[A_ERROR]), words = plain_words(c, r->text[A_DESCRIPTION]);
    *ret_problem = arena_printf(a, "%s answered %d%s%.*s to the gateway's credential; %s", place(c),
                                status, code.len ? " " : "", STR_ARG(code), advice(c, status));
    *ret_detail =
        arena_printf(a, "%.*s%s%.*s", STR_ARG(*ret_problem), words.len ? ": " : "", STR_ARG(words));
    return ERR_UPSTREAM_AUTH;
}

/* It goes into a header: visible ASCII only. */
static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.p[i] <= 0x20 || s.p[i] >= 0x7f)
            return false;
    return s.len > 0 && s.len <= TOKEN_MAX_BYTES;
}

enum err google_token_read(const struct google_credential *c, int status, struct str body,
                           struct arena *a, struct google_token *ret_token, struct str *ret_problem,
                           struct str *ret_detail)
{
    struct answer r;
    bool json = scan(body, a, &r);
    const char *what = NULL;
    if (status != 200)
        return refused(c, status, &r, a, ret_problem, ret_detail);
    if (!json)
        what = "is not a JSON object";
    else if (!r.text[A_TOKEN].len)
        what = "has no access_token";
    else if (!is_token(r.text[A_TOKEN]))
        what = "has an access_token that cannot stand in a header";
    else if (r.text[A_TYPE].len && !str_eq_nocase(r.text[A_TYPE], STR("bearer")))
        what = "has a token of another type than Bearer";
    else if (r.life_s == 0)
        what = "has a token that has expired already";
    if (what) {
        *ret_problem = *ret_detail =
            arena_printf(a, "the answer of %s %s; is token_uri right?", place(c), what);
        return ERR_UPSTREAM_AUTH;
    }
    *ret_token = (struct google_token){ r.text[A_TOKEN], r.life_s };
    return ERR_OK;
}
