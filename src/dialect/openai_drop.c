/* additional_drop_params: members by path, as LiteLLM writes them: "temperature", "tools[*].function.strict", "messages[0].name". */
#include "dialect/openai_chat.h"

#define STEPS_MAX 16

struct step {
    struct str name; /* of a member; empty: an element */
    size_t index;    /* STR_NONE: all of them */
};

/* False: not a path, or too deep a one. */
static bool parse_path(struct str path, struct step *steps, size_t *ret_count)
{
    size_t n = 0;
    while (path.len) {
        size_t end = 0;
        if (n == STEPS_MAX)
            return false;
        if (path.p[0] == '[') {
            uint64_t index;
            size_t close = str_find_char(path, ']');
            if (close == STR_NONE)
                return false;
            struct str inner = str_of(path.p + 1, close - 1);
            if (str_eq(inner, STR("*")))
                index = STR_NONE;
            else if (!str_u64(inner, &index))
                return false;
            steps[n++] = (struct step){ .index = index };
            path = str_skip(path, close + 1);
        } else {
            while (end < path.len && path.p[end] != '.' && path.p[end] != '[')
                end++;
            if (end == 0)
                return false;
            steps[n++] = (struct step){ .name = str_head(path, end) };
            path = str_skip(path, end);
        }
        if (path.len && path.p[0] == '.')
            path = str_skip(path, 1);
    }
    *ret_count = n;
    return n > 0 && steps[n - 1].name.len > 0;
}

bool openai_is_path(struct str param)
{
    return str_find_char(param, '.') != STR_NONE || str_find_char(param, '[') != STR_NONE;
}

static struct str drop_in(struct str value, const struct step *steps, size_t n, struct arena *a);

static struct str drop_member(struct str object, const struct step *steps, size_t n,
                              struct arena *a)
{
    struct json_member m;
    struct splice sp = { 0 };
    uint32_t count = 0;
    struct json_iter it = json_iter(object);
    while (json_next(&it))
        count++;
    if (!json_peek_object(object, &steps[0].name, 1, &m, NULL) || m.type == JSON_ABSENT)
        return object;
    splice_init(&sp, a, object);
    if (n > 1)
        splice_value(&sp, &m, drop_in(json_value(object, &m), steps + 1, n - 1, a));
    else if (count == 1)
        return STR("{}");
    else
        splice_cut_member(&sp, &m);
    return splice_flat(&sp, a);
}

static struct str drop_elements(struct str array, const struct step *steps, size_t n,
                                struct arena *a)
{
    struct splice sp = { 0 };
    size_t i = 0;
    struct json_iter it = json_iter(array);
    splice_init(&sp, a, array);
    for (; json_next(&it); i++) {
        if (steps[0].index != STR_NONE && steps[0].index != i)
            continue;
        struct str with = drop_in(it.value, steps + 1, n - 1, a);
        splice_replace(&sp, (size_t)(it.value.p - array.p), it.value.len, with);
    }
    return splice_flat(&sp, a);
}

static struct str drop_in(struct str value, const struct step *steps, size_t n, struct arena *a)
{
    enum json_type type = json_type_of(value);
    if (steps[0].name.len && type == JSON_OBJECT)
        return drop_member(value, steps, n, a);
    if (!steps[0].name.len && type == JSON_ARRAY)
        return drop_elements(value, steps, n, a);
    return value;
}

struct str openai_drop_paths(struct str body, const struct str *paths, size_t count,
                             struct arena *a)
{
    for (size_t i = 0; i < count; i++) {
        struct step steps[STEPS_MAX];
        size_t n;
        if (openai_is_path(paths[i]) && parse_path(paths[i], steps, &n))
            body = drop_in(body, steps, n, a);
    }
    return body;
}
