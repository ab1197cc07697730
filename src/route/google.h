/* route/google.h -- which Google credential a deployment on Vertex AI has, looked for once, when the config is loaded.
 *
 *   litellm_params.vertex_credentials -> VERTEXAI_CREDENTIALS -> GOOGLE_APPLICATION_CREDENTIALS
 *   -> gcloud's application_default_credentials.json -> the metadata server
 *
 * Pure: files and environment come through conf_source. */
#ifndef ROUTE_GOOGLE_H
#define ROUTE_GOOGLE_H

#include "conf/conf.h"
#include "provider/google.h"

/* `written`: vertex_credentials, a path or JSON text; NULL: not set. The caller owns *ret_credential. Errors: ERR_SYNTAX with
 * *ret_problem (in `a`, safe for the client): the key or variable, and what is wrong; never a path or a secret. */
MUST_CHECK enum err google_find(const struct conf *c, const struct conf_source *src,
                                const struct secret *written, struct arena *a,
                                struct google_credential **ret_credential, struct str *ret_problem);

#endif
