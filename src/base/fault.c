#include "base/fault.h"

#include "base/arena.h"

struct fault fault_of(enum err e)
{
    return (struct fault){
        .err = e,
        .status = err_status(e),
        .type = str_c(err_type(e)),
        .code = str_c(err_code(e)),
        .msg = str_c(err_text(e)),
        .retry_after_ms = -1,
    };
}

enum err fault_set(struct fault *f, enum err e, struct arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    *f = fault_of(e);
    f->msg = arena_vprintf(a, fmt, ap);
    va_end(ap);
    return e;
}
