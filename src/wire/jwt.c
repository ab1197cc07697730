#include "wire/jwt.h"

#include "base/mem.h"
#include "wire/base64.h"
#include "wire/json_write.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#define HEADER_MAX_BYTES (16 * KIB)
#define PEM_MAX_BYTES (64 * KIB)

struct jwt_key {
    EVP_PKEY *pkey;
};

/* Asked for the pass phrase of an encrypted key: there is none, and nobody is to be asked at a terminal. */
static int no_pass_phrase(char *out, int size, int writing, void *ctx)
{
    return -1;
}

static enum err refuse(const char *problem, const char **ret_problem)
{
    *ret_problem = problem;
    return ERR_SYNTAX;
}

enum err jwt_key_new(struct str pem, struct jwt_key **ret_key, const char **ret_problem)
{
    if (str_find(pem, STR("-----BEGIN ")) == STR_NONE || pem.len > PEM_MAX_BYTES)
        return refuse("is not a private key in PEM form (-----BEGIN PRIVATE KEY-----)",
                      ret_problem);
    if (str_find(pem, STR("ENCRYPTED")) != STR_NONE)
        return refuse("is encrypted with a pass phrase, which cannot be given", ret_problem);
    BIO *in = BIO_new_mem_buf(pem.p, (int)pem.len);
    if (!in)
        return refuse("could not be read", ret_problem);
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(in, NULL, no_pass_phrase, NULL);
    BIO_free(in);
    ERR_clear_error();
    if (!pkey)
        return refuse("is damaged (are its line breaks whole?)", ret_problem);
    if (EVP_PKEY_get_base_id(pkey) != EVP_PKEY_RSA || EVP_PKEY_get_bits(pkey) < JWT_KEY_MIN_BITS) {
        EVP_PKEY_free(pkey);
        return refuse("is not an RSA key of 2048 bits or more", ret_problem);
    }
    *ret_key = MEM_NEW(struct jwt_key);
    (*ret_key)->pkey = pkey;
    return ERR_OK;
}

void jwt_key_free(struct jwt_key *k)
{
    if (!k)
        return;
    EVP_PKEY_free(k->pkey);
    mem_free(k);
}

static bool sign(EVP_PKEY *pkey, struct str text, struct arena *a, struct str *ret_signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const unsigned char *in = (const unsigned char *)text.p;
    size_t n = 0;
    bool ok = ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, pkey) == 1 &&
              EVP_DigestSign(ctx, NULL, &n, in, text.len) == 1;
    unsigned char *signature = ok ? arena_alloc(a, n) : NULL;
    ok = ok && EVP_DigestSign(ctx, signature, &n, in, text.len) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    if (ok)
        *ret_signature = str_of((const char *)signature, n);
    return ok;
}

enum err jwt_sign(const struct jwt_key *k, struct str key_id, struct str claims, struct arena *a,
                  struct str *ret_token)
{
    struct buf header;
    struct json_write w;
    struct str signature;
    buf_init(&header, HEADER_MAX_BYTES);
    json_begin(&w, &header);
    json_obj(&w, NULL);
    json_strz(&w, "alg", "RS256");
    json_strz(&w, "typ", "JWT");
    if (key_id.len)
        json_str(&w, "kid", key_id);
    json_end(&w);
    struct str head = base64url_encode(buf_str(&header), a);
    bool fits = !header.fail;
    buf_done(&header);
    struct str body = base64url_encode(claims, a);
    if (!fits || body.len > (size_t)INT_MAX / 2)
        return ERR_INTERNAL;
    struct str text = arena_printf(a, "%.*s.%.*s", STR_ARG(head), STR_ARG(body));
    if (!sign(k->pkey, text, a, &signature))
        return ERR_INTERNAL;
    struct str last = base64url_encode(signature, a);
    *ret_token = arena_printf(a, "%.*s.%.*s", STR_ARG(text), STR_ARG(last));
    return ERR_OK;
}
