/* Where access tokens come from: the OAuth token endpoint (RFC 7523 and 6749, as Google answers), and the metadata server of
 * Google's machines. */
#include "base/clock.h"
#include "base/mem.h"
#include "mock/google_priv.h"
#include "mock/sign.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#define GRANT_ASSERTION "urn:ietf:params:oauth:grant-type:jwt-bearer"
#define SCOPE "https://www.googleapis.com/auth/cloud-platform"
#define LIFE_S 3599
#define ASSERTION_MAX_S 3600

/* A service account (key), or a person (secrets). */
struct account {
    struct list link;
    struct str id, key_id;
    EVP_PKEY *key;
    struct str client_secret, refresh_token;
    struct arena *arena;
};

struct google {
    struct list accounts;
    uint64_t epoch; /* tokens of an earlier one are no longer good */
    char metadata_script[256];
};

static struct google *google_of(struct mock *m)
{
    if (!m->google) {
        m->google = MEM_NEW(struct google);
        list_init(&m->google->accounts);
    }
    return m->google;
}

static void account_free(struct account *a)
{
    list_remove(&a->link);
    EVP_PKEY_free(a->key);
    arena_free(a->arena);
    mem_free(a);
}

void google_free(struct google *g)
{
    if (!g)
        return;
    LIST_EACH_SAFE(it, &g->accounts) account_free(CONTAINER_OF(it, struct account, link));
    mem_free(g);
}

static struct account *account_find(struct google *g, struct str id)
{
    LIST_EACH(it, &g->accounts)
    {
        struct account *a = CONTAINER_OF(it, struct account, link);
        if (str_eq(a->id, id))
            return a;
    }
    return NULL;
}

static struct account *account_new(struct google *g, struct str id)
{
    struct account *a = account_find(g, id);
    if (a)
        account_free(a);
    a = MEM_NEW(struct account);
    a->arena = arena_new();
    a->id = arena_dup(a->arena, id);
    list_push(&g->accounts, &a->link);
    return a;
}

/* -- what tests say */

void google_put_account(struct mock *m, struct request *rq, struct reply *rp)
{
    struct account *a = account_new(google_of(m), rq->path_model);
    BIO *bio = BIO_new_mem_buf(rq->body.p, (int)rq->body.len);
    a->key_id = arena_dup(a->arena, request_query(rq, STR("kid")));
    a->key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    BIO_free(bio);
    if (!a->key)
        reply_error(rp, 400, "mock_bad_key", NULL, NULL, "The body is no public key in PEM.");
    else
        buf_putz(&rp->body, "{}\n");
}

void google_put_user(struct mock *m, struct request *rq, struct reply *rp)
{
    struct account *a = account_new(google_of(m), rq->path_model);
    yyjson_doc *doc = yyjson_read(rq->body.p, rq->body.len, 0);
    yyjson_val *root = yyjson_doc_get_root(doc);
    a->client_secret = arena_dup(a->arena, json_text(root, "client_secret"));
    a->refresh_token = arena_dup(a->arena, json_text(root, "refresh_token"));
    yyjson_doc_free(doc);
    buf_putz(&rp->body, "{}\n");
}

void google_put_metadata(struct mock *m, struct request *rq, struct reply *rp)
{
    struct google *g = google_of(m);
    struct str text = str_head(str_trim(rq->body), sizeof(g->metadata_script) - 1);
    memset(g->metadata_script, 0, sizeof(g->metadata_script));
    if (text.len > 0)
        memcpy(g->metadata_script, text.p, text.len);
    buf_putz(&rp->body, "{}\n");
}

void google_revoke(struct mock *m, struct request *rq, struct reply *rp)
{
    google_of(m)->epoch++;
    buf_putz(&rp->body, "{}\n");
}

/* -- tokens */

#define TOKEN_MARK "ya29.mock-"

static struct str token_body(struct arena *a, uint64_t epoch, uint64_t serial, uint64_t end_ms)
{
    return arena_printf(a, TOKEN_MARK "%llu-%llu-%llu-", (unsigned long long)epoch,
                        (unsigned long long)serial, (unsigned long long)end_ms);
}

static struct str token_make(struct mock *m, struct request *rq, uint64_t life_s)
{
    struct str body =
        token_body(rq->arena, google_of(m)->epoch, rq->serial, clock_unix_ms() + life_s * 1000);
    struct str mac = sign_make(rq->arena, STR("token"), body);
    /* Base64's own '+' and '/' are fit for a header. */
    return arena_printf(rq->arena, "%.*s%.*s", STR_ARG(body), STR_ARG(mac));
}

bool google_token_good(struct mock *m, struct str token)
{
    uint64_t numbers[3] = { 0, 0, 0 };
    struct str rest = token;
    if (!str_starts(token, STR(TOKEN_MARK)))
        return false;
    rest = str_skip(token, strlen(TOKEN_MARK));
    for (size_t i = 0; i < 3; i++)
        if (!str_u64(str_cut(&rest, '-'), &numbers[i]))
            return false;
    struct arena *a = arena_new();
    struct str body = token_body(a, numbers[0], numbers[1], numbers[2]);
    bool good = sign_ok(a, STR("token"), body, rest) && numbers[0] == google_of(m)->epoch &&
                numbers[2] > clock_unix_ms();
    arena_free(a);
    return good;
}

static void put_token(struct mock *m, struct request *rq, struct reply *rp)
{
    uint64_t life_s = LIFE_S;
    if (rq->script.life)
        life_s = rq->script.life - 1;
    buf_putz(&rp->body, "{\n  \"access_token\": ");
    put_json(&rp->body, token_make(m, rq, life_s));
    buf_printf(&rp->body, ",\n  \"expires_in\": %llu,\n  \"token_type\": \"Bearer\"\n}\n",
               (unsigned long long)life_s);
}

/* An error of OAuth. It repeats the assertion's first bytes, as a careless server might. */
static void oauth_error(struct reply *rp, int status, const char *code, const char *what,
                        struct str said)
{
    reply_reset(rp);
    rp->status = status;
    buf_printf(&rp->body, "{\n  \"error\": \"%s\",\n  \"error_description\": ", code);
    char text[512];
    snprintf(text, sizeof(text), "%s%s%.*s", what, said.len ? " " : "",
             STR_ARG(str_head(said, 300)));
    put_json(&rp->body, str_c(text));
    buf_putz(&rp->body, "\n}\n");
}

/* -- the token endpoint */

static struct str form_get(struct request *rq, const char *name)
{
    struct str rest = rq->body;
    while (rest.len > 0) {
        struct str value = str_cut(&rest, '&');
        if (str_eq(str_cut(&value, '='), str_c(name)))
            return percent_decode(value, true, rq->arena);
    }
    return STR("");
}

static yyjson_doc *jwt_part(struct str part, struct arena *a)
{
    struct str json;
    if (!base64_read(part, a, &json))
        return NULL;
    return yyjson_read(json.p, json.len, 0);
}

static bool signature_ok(EVP_PKEY *key, struct str text, struct str signature)
{
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    bool ok = EVP_DigestVerifyInit(c, NULL, EVP_sha256(), NULL, key) == 1 &&
              EVP_DigestVerify(c, (const unsigned char *)signature.p, signature.len,
                               (const unsigned char *)text.p, text.len) == 1;
    EVP_MD_CTX_free(c);
    return ok;
}

/* NULL: the claims are what Google asks for. */
static const char *claims_wrong(const struct mock *m, struct request *rq, yyjson_val *claims)
{
    uint64_t now = clock_unix_ms() / 1000;
    uint64_t issued = yyjson_get_uint(yyjson_obj_get(claims, "iat"));
    uint64_t end = yyjson_get_uint(yyjson_obj_get(claims, "exp"));
    struct str url = arena_printf(rq->arena, "http%s://%.*s%.*s", m->tls ? "s" : "",
                                  STR_ARG(request_header(rq, STR("host"))), STR_ARG(rq->target));
    if (!str_eq(json_text(claims, "scope"), STR(SCOPE)))
        return "Invalid OAuth scope or ID token audience provided.";
    if (!str_eq(json_text(claims, "aud"), url))
        return "Invalid JWT: the audience is not this endpoint.";
    if (issued > now || end <= now || end > issued + ASSERTION_MAX_S)
        return "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable "
               "timeframe. Check your iat and exp values in the JWT claim.";
    return NULL;
}

static const char *assertion_wrong(struct mock *m, struct request *rq, struct str jwt)
{
    struct arena *a = rq->arena;
    struct str rest = jwt, signature = STR("");
    struct str head = str_cut(&rest, '.'), body = str_cut(&rest, '.');
    struct str text = str_head(jwt, head.len + 1 + body.len);
    if (!base64_read(rest, a, &signature))
        return "Invalid JWT: it does not have three parts.";
    yyjson_doc *h = jwt_part(head, a), *c = jwt_part(body, a);
    yyjson_val *header = yyjson_doc_get_root(h), *claims = yyjson_doc_get_root(c);
    struct account *who = account_find(google_of(m), json_text(claims, "iss"));
    const char *wrong = NULL;
    if (!who || !who->key)
        wrong = "Invalid grant: account not found";
    else if (!str_eq(json_text(header, "alg"), STR("RS256")) ||
             !str_eq(json_text(header, "typ"), STR("JWT")) ||
             !str_eq(json_text(header, "kid"), who->key_id) ||
             !signature_ok(who->key, text, signature))
        wrong = "Invalid JWT Signature.";
    else
        wrong = claims_wrong(m, rq, claims);
    yyjson_doc_free(h);
    yyjson_doc_free(c);
    return wrong;
}

static const char *refresh_wrong(struct mock *m, struct request *rq)
{
    struct account *who = account_find(google_of(m), form_get(rq, "client_id"));
    if (!who || !str_eq(who->client_secret, form_get(rq, "client_secret")))
        return "The OAuth client was not found.";
    if (!str_eq(who->refresh_token, form_get(rq, "refresh_token")))
        return "Token has been expired or revoked.";
    return NULL;
}

/* False: the answer of the script stands in rp. */
static bool token_script(struct mock *m, struct request *rq, struct reply *rp, struct str script)
{
    struct str problem;
    if (!script_parse(script, &rq->script, &problem)) {
        oauth_error(rp, 400, "mock_bad_script", "A script item is not understood:", problem);
        return false;
    }
    if (rq->script.times > 0 && mock_count(m, rq->script.text) > rq->script.times)
        rq->script = (struct script){ .text = rq->script.text };
    if (rq->script.html)
        buf_putz(&rp->body, "<html>502</html>");
    if (rq->script.badjson)
        buf_putz(&rp->body, "{\"access_token\": ");
    if (rq->script.status) {
        oauth_error(rp, (int)rq->script.status,
                    rq->script.status < 500 ? "invalid_grant" : "internal_failure",
                    "As the script asked.", rq->script.echo_auth ? rq->body : STR(""));
        return false;
    }
    return !rq->script.html && !rq->script.badjson;
}

void google_token(struct mock *m, struct request *rq, struct reply *rp)
{
    struct str grant = form_get(rq, "grant_type"),
               script = percent_decode(rq->path_model, false, rq->arena);
    const char *wrong;
    if (!token_script(m, rq, rp, script))
        return;
    if (!str_eq(request_header(rq, STR("content-type")), STR("application/x-www-form-urlencoded")))
        wrong = "The content type is not application/x-www-form-urlencoded.";
    else if (str_eq(grant, STR(GRANT_ASSERTION)))
        wrong = assertion_wrong(m, rq, form_get(rq, "assertion"));
    else if (str_eq(grant, STR("refresh_token")))
        wrong = refresh_wrong(m, rq);
    else
        wrong = "Invalid grant_type.";
    if (wrong)
        oauth_error(rp, 400, "invalid_grant", wrong, STR(""));
    else
        put_token(m, rq, rp);
}

/* -- the metadata server */

/* It answers only those who mean it, and no proxies. */
static bool metadata_refused(struct request *rq, struct reply *rp)
{
    reply_header(rp, "Metadata-Flavor", STR("Google"));
    if (str_eq(request_header(rq, STR("metadata-flavor")), STR("Google")) &&
        !request_header(rq, STR("x-forwarded-for")).p)
        return false;
    rp->status = 403;
    rp->type = STR("text/html; charset=UTF-8");
    buf_putz(&rp->body, "<p>Your client does not have permission to get this URL.\n");
    return true;
}

void google_metadata_token(struct mock *m, struct request *rq, struct reply *rp)
{
    if (!metadata_refused(rq, rp) &&
        token_script(m, rq, rp, arena_dup(rq->arena, str_c(google_of(m)->metadata_script))))
        put_token(m, rq, rp);
}

void google_metadata_project(struct mock *m, struct request *rq, struct reply *rp)
{
    if (metadata_refused(rq, rp))
        return;
    rp->type = STR("application/text");
    buf_putz(&rp->body, "mock-project");
}
