/* base/err.h -- error codes. 0 is success; every other code is a row of base/err.def, which also holds what a client is
 * told about it. ERR_AGAIN means "more input is needed" and nothing else. Thread: any. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum err {
    ERR_OK = 0,
#define ERR(name, status, type, code, text) ERR_##name,
#include "base/err.def"
#undef ERR
    ERR_COUNT
};

#define MUST_CHECK __attribute__((warn_unused_result))

/* The one macro with hidden control flow: leaves the function with a non-zero result. */
#define TRY(expr)                                                                                  \
    do {                                                                                           \
        enum err try_err_ = (expr);                                                                \
        if (try_err_)                                                                              \
            return try_err_;                                                                       \
    } while (0)

const char *err_name(enum err e); /* "ERR_DNS"; "ERR_OK" for 0 */
int err_status(enum err e);       /* HTTP status; 500 for rows that must not reach a client */
const char *err_type(enum err e); /* OpenAI's error.type */
const char *err_code(enum err e); /* error.code, or NULL when the status is the code */
const char *err_text(enum err e); /* default text, safe for the client */

#endif
