/* CORS (Fetch standard), for browsers that call the gateway: only where weir_settings.cors_allow_origins names origins. */
#include "flow/flow_priv.h"

/* The value for access-control-allow-origin; empty: not allowed. */
static struct str allowed_origin(const struct flow *f)
{
    const struct conf_weir *c = &f->snap->conf->weir;
    struct str origin = http_get(f->head, STR("origin"));
    if (origin.len == 0)
        return origin;
    for (size_t i = 0; i < c->cors_origin_count; i++) {
        if (str_eq(c->cors_origins[i], STR("*")))
            return STR("*");
        if (str_eq_nocase(c->cors_origins[i], origin))
            return origin;
    }
    return str_of(NULL, 0);
}

void cors_headers(const struct flow *f, struct headers *h)
{
    struct str origin;
    if (f->snap->conf->weir.cors_origin_count == 0 || !(origin = allowed_origin(f)).len)
        return;
    headers_add(h, STR("access-control-allow-origin"), origin);
    headers_add(h, STR("access-control-expose-headers"), STR("*"));
    if (!str_eq(origin, STR("*")))
        headers_add(h, STR("vary"), STR("origin"));
}

bool cors_preflight(struct flow *f)
{
    struct headers h = { .count = 0 };
    if (!http_get(f->head, STR("access-control-request-method")).len || !allowed_origin(f).len)
        return false;
    cors_headers(f, &h);
    struct str wanted = http_get(f->head, STR("access-control-request-headers"));
    headers_add(&h, STR("access-control-allow-methods"),
                STR("GET, POST, PUT, PATCH, DELETE, OPTIONS"));
    headers_add(&h, STR("access-control-allow-headers"),
                wanted.len ? wanted : STR("authorization, content-type"));
    headers_add(&h, STR("access-control-max-age"), STR("600"));
    struct http_out out = {
        .status = 204, .headers = h.rows, .header_count = h.count, .content_length = 0
    };
    f->status = 204;
    f->head_sent = f->body_sent = true;
    exchange_respond(f->x, &out, NULL, 0, true);
    flow_end(f);
    return true;
}
