/* http/route.h -- the shape of the route table, and the look-up. The rows are in src/routes.c.
 *
 * The row that authorisation saw is the one dispatched: it is found once and kept with the request. Const; any thread. */
#ifndef HTTP_ROUTE_H
#define HTTP_ROUTE_H

#include "base/arena.h"
#include "base/buf.h"
#include "http/head.h"

enum route_family {
    FAMILY_CHAT = 1, /* a generation: chat or completions */
    FAMILY_EMBED,
    FAMILY_RESPONSE, /* a response by its id */
    FAMILY_ADMIN,    /* answered by weir itself */
};

enum route_role {
    ROUTE_PUBLIC = 1,
    ROUTE_USER,  /* any valid key */
    ROUTE_ADMIN, /* the master key */
};

/* What an admin handler gets. `app` is what the worker was made with: admin/admin.h knows it. */
struct route_call {
    const void *app;
    const struct http_head *head;
    struct str capture; /* {model} or {id}, percent-decoded; empty when the pattern has none */
    struct arena *arena;
};

/* Writes a JSON body into `out` and returns the status. */
typedef int route_fn(const struct route_call *call, struct buf *out);

struct route {
    const char *id;     /* stable, for logs and metrics */
    const char *method; /* "GET" answers HEAD too */
    struct str pattern; /* at most one {capture}, which takes at least one character, '/' too */
    enum route_family family;
    int kind; /* FAMILY_CHAT, FAMILY_EMBED: enum openai_kind; FAMILY_RESPONSE: enum response_op */
    enum route_role role;
    bool billable;
    route_fn *answer; /* FAMILY_ADMIN */
    const char *help;
};

/* All columns by position: a row that leaves one out does not compile. */
#define ROUTE(id, method, pattern, family, kind, role, billable, answer, help)                     \
    {                                                                                              \
        id, method, STR_INIT(pattern), family, kind, role, billable, answer, help                  \
    }

struct route_table {
    const struct route *rows;
    size_t count;
};

/* NULL: no row, unless route_methods has some. Exact patterns come before those with a capture, whatever their order. */
const struct route *route_find(const struct route_table *t, struct str method, struct str path,
                               struct arena *a, struct str *ret_capture);

/* The methods that rows of this path have: "GET, DELETE". Of exact patterns, where there are some, alone. Empty: no row. */
struct str route_methods(const struct route_table *t, struct str path, struct arena *a);

/* One round of percent-decoding; a '%' that is not followed by two hex digits stays. */
struct str percent_decode(struct str s, struct arena *a);

#endif
