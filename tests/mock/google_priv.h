/* mock/google_priv.h -- between google.c and google_token.c. */
#ifndef MOCK_GOOGLE_PRIV_H
#define MOCK_GOOGLE_PRIV_H

#include "mock/google.h"

struct str percent_decode(struct str s, bool form, struct arena *a);
/* Empty: none was sent. */
struct str google_credential_in(const struct request *rq);
/* Made here, not ended, not revoked. */
bool google_token_good(struct mock *m, struct str token);

#endif
