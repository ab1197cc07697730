#include "base/mem.h"
#include "netkit.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DAY_S (24L * 3600)

struct signer {
    X509 *cert;
    EVP_PKEY *key;
};

static void add_ext(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(e);
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
}

static void save(struct certs *c, const char *name, X509 *cert, EVP_PKEY *key)
{
    char file[32];
    snprintf(file, sizeof file, "%s.pem", name);
    FILE *f = fopen(certs_path(c, file).p, "w");
    assert_non_null(f);
    PEM_write_X509(f, cert);
    fclose(f);
    snprintf(file, sizeof file, "%s.key", name);
    f = fopen(certs_path(c, file).p, "w");
    assert_non_null(f);
    PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
    fclose(f);
}

/* `by` NULL: signs itself, as an authority. */
static struct signer issue(struct certs *c, const char *name, long serial, const struct signer *by,
                           long from_s, long to_s)
{
    struct signer me = { X509_new(), EVP_EC_gen("P-256") };
    X509_set_version(me.cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(me.cert), serial);
    X509_gmtime_adj(X509_getm_notBefore(me.cert), from_s);
    X509_gmtime_adj(X509_getm_notAfter(me.cert), to_s);
    X509_set_pubkey(me.cert, me.key);
    X509_NAME *subject = X509_get_subject_name(me.cert);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509 *issuer = by ? by->cert : me.cert;
    X509_set_issuer_name(me.cert, X509_get_subject_name(issuer));
    add_ext(me.cert, issuer, NID_basic_constraints, by ? "CA:FALSE" : "critical,CA:TRUE");
    add_ext(me.cert, issuer, NID_subject_key_identifier, "hash");
    if (by)
        add_ext(me.cert, issuer, NID_subject_alt_name, "DNS:good.test,DNS:localhost,IP:127.0.0.1");
    assert_true(X509_sign(me.cert, by ? by->key : me.key, EVP_sha256()) > 0);
    save(c, name, me.cert, me.key);
    return me;
}

static void signer_done(struct signer *s)
{
    X509_free(s->cert);
    EVP_PKEY_free(s->key);
}

void certs_make(struct certs *c)
{
    snprintf(c->dir, sizeof c->dir, "/tmp/weir-net-XXXXXX");
    assert_non_null(mkdtemp(c->dir));
    c->arena = arena_new();
    struct signer ca = issue(c, "ca", 1, NULL, -DAY_S, 30 * DAY_S);
    struct signer other = issue(c, "other-ca", 2, NULL, -DAY_S, 30 * DAY_S);
    struct signer leaf = issue(c, "leaf", 3, &ca, -DAY_S, 30 * DAY_S);
    struct signer expired = issue(c, "expired", 4, &ca, -3 * DAY_S, -DAY_S);
    FILE *f = fopen(certs_path(c, "locked.key").p, "w");
    assert_non_null(f);
    PEM_write_PrivateKey(f, leaf.key, EVP_aes_128_cbc(), (const unsigned char *)"secret", 6, NULL,
                         NULL);
    fclose(f);
    signer_done(&ca);
    signer_done(&other);
    signer_done(&leaf);
    signer_done(&expired);
}

void certs_done(struct certs *c)
{
    static const char *const names[] = { "ca", "other-ca", "leaf", "expired", "locked" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char file[32];
        snprintf(file, sizeof file, "%s.pem", names[i]);
        unlink(certs_path(c, file).p);
        snprintf(file, sizeof file, "%s.key", names[i]);
        unlink(certs_path(c, file).p);
    }
    rmdir(c->dir);
    arena_free(c->arena);
}

struct str certs_path(struct certs *c, const char *name)
{
    return arena_printf(c->arena, "%s/%s", c->dir, name);
}

struct tls_ctx *certs_server(struct certs *c, const char *name)
{
    char cert[32], key[32];
    snprintf(cert, sizeof cert, "%s.pem", name);
    snprintf(key, sizeof key, "%s.key", name);
    struct tls_ctx *t = NULL;
    struct str problem = { 0 };
    assert_int_equal(
        tls_server_new(certs_path(c, cert), certs_path(c, key), c->arena, &t, &problem), ERR_OK);
    return t;
}
