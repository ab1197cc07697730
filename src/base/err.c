#include "base/err.h"

#include <stddef.h>

static const struct row {
    const char *name;
    int status;
    const char *type;
    const char *code;
    const char *text;
} rows[ERR_COUNT] = {
    [ERR_OK] = { "ERR_OK", 200, "", NULL, "success" },
#define ERR(name, status, type, code, text)                                                        \
    [ERR_##name] = { "ERR_" #name, status, type, code, text },
#include "base/err.def"
#undef ERR
};

static const struct row *row_of(enum err e)
{
    return &rows[(unsigned)e < ERR_COUNT ? e : ERR_INTERNAL];
}

/* What a client may see of a code that is the program's own business. */
static const struct row *client_row(enum err e)
{
    const struct row *r = row_of(e);
    return r->status ? r : &rows[ERR_INTERNAL];
}

const char *err_name(enum err e)
{
    return row_of(e)->name;
}

int err_status(enum err e)
{
    return client_row(e)->status;
}

const char *err_type(enum err e)
{
    return client_row(e)->type;
}

const char *err_code(enum err e)
{
    return client_row(e)->code;
}

const char *err_text(enum err e)
{
    return row_of(e)->text;
}
