/* mock/google.h -- what Google's two front doors share: the Gemini API, which takes keys, and Vertex AI, which takes access
 * tokens; their errors; and where tokens come from.
 *
 * A token tells by itself whether it is good: it carries its end, and a signature. `struct google` holds the accounts that may
 * ask for one. Thread: the loop's. */
#ifndef MOCK_GOOGLE_H
#define MOCK_GOOGLE_H

#include "mock/reply.h"

struct google; /* made when first used */
void google_free(struct google *g);

/* True: the path is a provider's, and rq->path_model is told apart: "gemini-x:generateContent" is a model and rq->call. */
bool google_path(struct request *rq);

/* Both doors: the credential, and what the script asks for. */
refused_fn google_refused;
/* The path's model where Claude's tokens are counted; the one that is meant is in the body. */
#define GOOGLE_COUNTER "count-tokens"
/* Claude on Vertex AI. */
handler_fn google_claude;
/* generateContent and streamGenerateContent. */
handler_fn gemini_generate;

/* {"error":{"code":status,"message":...,"status":...}}; streams of Vertex AI wrap it into an array. */
void google_error(const struct request *rq, struct reply *rp, int status, const char *name,
                  const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* 400 INVALID_ARGUMENT; false, for `return google_bad(...)`. */
#define google_bad(rq, rp, ...)                                                                    \
    (google_error((rq), (rp), 400, "INVALID_ARGUMENT", __VA_ARGS__), false)

/* Standard and URL-safe alphabet, with and without padding, as protobuf takes it. False: it is not base64. */
bool base64_read(struct str text, struct arena *a, struct str *ret_bytes);

/* POST: assertion or refresh token -> access token. After /google/token/ a script may stand (status, latency, times, html, badjson,
 * echo-auth; life=N: the token lives N - 1 seconds). */
handler_fn google_token;
/* GET, as on Google's machines. */
handler_fn google_metadata_token, google_metadata_project;
/* What tests say: accounts (PUT .../{email}?kid=ID, a public key in PEM), users (PUT .../{client_id}, {"client_secret","refresh_token"}),
 * the metadata server's script (PUT, text), and that tokens made up to now are no longer good (POST). */
handler_fn google_put_account, google_put_user, google_put_metadata, google_revoke;

#endif
