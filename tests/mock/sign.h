/* mock/sign.h -- signatures of reasoning, as a provider makes them: it alone can tell whether one is its own.
 * Thread: any. */
#ifndef MOCK_SIGN_H
#define MOCK_SIGN_H

#include "base/arena.h"

#define SIGNATURE_BYTES 44 /* base64 */

/* HMAC-SHA256 over the model's name without its script, and the text; base64. */
struct str sign_make(struct arena *a, struct str model, struct str text);
bool sign_ok(struct arena *a, struct str model, struct str text, struct str signature);

#endif
