#include "mock/sign.h"

#include "base/mem.h"
#include "mock/reply.h"

#include <openssl/hmac.h>

static const struct str key = STR_INIT("the simulator's own");

/* "claude-opus-5-mock:..." and "mock:..." differ by their script alone. */
static struct str without_script(struct str model)
{
    return str_head(model, str_find(model, STR("mock:")));
}

struct str sign_make(struct arena *a, struct str model, struct str text)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    struct str signed_text =
        arena_printf(a, "%.*s\n%.*s", STR_ARG(without_script(model)), STR_ARG(text));
    HMAC(EVP_sha256(), key.p, (int)key.len, (const unsigned char *)signed_text.p, signed_text.len,
         digest, &len);
    struct buf b;
    buf_init(&b, KIB);
    put_base64(&b, digest, len);
    struct str signature = arena_dup(a, buf_str(&b));
    buf_done(&b);
    return signature;
}

bool sign_ok(struct arena *a, struct str model, struct str text, struct str signature)
{
    return str_eq(sign_make(a, model, text), signature);
}
