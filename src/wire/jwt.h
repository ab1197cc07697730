/* wire/jwt.h -- JSON Web Tokens signed with RS256 (RFC 7515, 7518): a service account's word for itself.
 *
 * A key is immutable after it is made; threads may share one. Signing takes about a millisecond for 2,048 bits. */
#ifndef WIRE_JWT_H
#define WIRE_JWT_H

#include "base/arena.h"
#include "base/err.h"

struct jwt_key;

#define JWT_KEY_MIN_BITS 2048 /* RFC 7518, section 3.3 */

/* An RSA private key in PEM (PKCS#8, or the older PKCS#1), not encrypted. Errors: ERR_SYNTAX, with `*ret_problem` (a constant,
 * safe for messages: what is wrong with the key, nothing of it). */
MUST_CHECK enum err jwt_key_new(struct str pem, struct jwt_key **ret_key, const char **ret_problem);
void jwt_key_free(struct jwt_key *k); /* accepts NULL */

/* `{"alg":"RS256","typ":"JWT","kid":<key_id>}` (no kid when it is empty) and `claims`, a JSON object's text, signed.
 * Errors: ERR_INTERNAL (the library refused to sign). */
MUST_CHECK enum err jwt_sign(const struct jwt_key *k, struct str key_id, struct str claims,
                             struct arena *a, struct str *ret_token);

#endif
