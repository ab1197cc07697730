#include "dialect/openai_quirks.h"

#include "wire/digest.h"

#define SHORT_ID_BYTES 9

/* -- ids */

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_short_id(struct str id)
{
    bool is = id.len == SHORT_ID_BYTES;
    for (size_t i = 0; is && i < id.len; i++)
        is = is_alnum(id.p[i]);
    return is;
}

static unsigned hex_digit(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* 53 bits of the id's digest: two ids of a conversation do not become one. */
static struct str short_id(struct str id, struct arena *a)
{
    static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    char hex[SHA256_HEX_BYTES], *p = arena_alloc(a, SHORT_ID_BYTES);
    sha256_hex(id, hex);
    for (size_t i = 0; i < SHORT_ID_BYTES; i++)
        p[i] = letters[(hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1])) % 62];
    return str_of(p, SHORT_ID_BYTES);
}

struct str openai_tool_id(enum tool_id_rule rule, struct str id, struct arena *a)
{
    switch (rule) {
    case TOOL_ID_9_ALNUM: return is_short_id(id) ? id : short_id(id, a);
    case TOOL_ID_ANY: break;
    }
    return id;
}

/* -- edits */

bool openai_edits_messages(const struct provider *row)
{
    return row && (row->developer_as_system || row->tool_ids != TOOL_ID_ANY);
}

static void edit_id(struct splice *sp, struct str object, size_t at, const struct json_member *m,
                    enum tool_id_rule rule)
{
    if (m->type != JSON_STRING)
        return;
    struct str id = json_unescape(json_value(object, m), sp->arena);
    struct str fit = openai_tool_id(rule, id, sp->arena);
    if (fit.p != id.p)
        splice_replace(sp, at + m->value_at + 1, m->value_len - 2, fit);
}

static void edit_calls(struct splice *sp, struct str calls, size_t at, enum tool_id_rule rule)
{
    static const struct str id = STR_INIT("id");
    struct json_iter it = json_iter(calls);
    struct json_member m;
    while (json_next(&it))
        if (json_peek_object(it.value, &id, 1, &m, NULL))
            edit_id(sp, it.value, at + it.member.value_at, &m, rule);
}

static void edit_message(struct splice *sp, struct str message, size_t at,
                         const struct provider *row)
{
    enum { ROLE, CALLS, CALL_ID, N };
    static const struct str names[N] = { STR_INIT("role"), STR_INIT("tool_calls"),
                                         STR_INIT("tool_call_id") };
    struct json_member m[N];
    size_t n = row->tool_ids == TOOL_ID_ANY ? CALLS : N;
    if (!json_peek_object(message, names, n, m, NULL))
        return;
    if (row->developer_as_system && json_str_eq(json_value(message, &m[ROLE]), STR("developer")))
        splice_replace(sp, at + m[ROLE].value_at, m[ROLE].value_len, STR("\"system\""));
    if (n == CALLS)
        return;
    if (m[CALLS].type == JSON_ARRAY)
        edit_calls(sp, json_value(message, &m[CALLS]), at + m[CALLS].value_at, row->tool_ids);
    edit_id(sp, message, at, &m[CALL_ID], row->tool_ids);
}

void openai_splice_messages(struct splice *sp, struct str messages, size_t at,
                            const struct provider *row)
{
    struct json_iter it = json_iter(messages);
    if (!openai_edits_messages(row) || json_type_of(messages) != JSON_ARRAY)
        return;
    while (json_next(&it))
        edit_message(sp, it.value, at + it.member.value_at, row);
}
