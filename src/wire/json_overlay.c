#include "base/buf.h"
#include "wire/json_scan.h"

static bool same_name(const struct json_iter *a, const struct json_iter *b)
{
    return str_eq(a->name, b->name);
}

/* Empty: there is none. */
static struct str member_like(struct str object, const struct json_iter *like)
{
    struct json_iter it = json_iter(object);
    while (json_next(&it))
        if (same_name(&it, like))
            return it.value;
    return str_of(NULL, 0);
}

static void put_name(const struct json_iter *it, bool first, struct buf *out)
{
    buf_put(out, first ? STR("{\"") : STR(",\""));
    buf_put(out, it->name);
    buf_put(out, STR("\":"));
}

void json_overlay(struct str under, struct str over, struct buf *out)
{
    bool first = true;
    if (json_type_of(under) != JSON_OBJECT || json_type_of(over) != JSON_OBJECT) {
        buf_put(out, over);
        return;
    }
    for (struct json_iter it = json_iter(under); json_next(&it); first = false) {
        struct str with = member_like(over, &it);
        put_name(&it, first, out);
        if (with.len)
            json_overlay(it.value, with, out);
        else
            buf_put(out, it.value);
    }
    for (struct json_iter it = json_iter(over); json_next(&it);) {
        if (member_like(under, &it).len)
            continue;
        put_name(&it, first, out);
        buf_put(out, it.value);
        first = false;
    }
    buf_put(out, first ? STR("{}") : STR("}"));
}
