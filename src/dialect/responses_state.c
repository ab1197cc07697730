/* Items and their ids, those that weir makes too, and the opaque state that reasoning items carry. */
#include "dialect/responses_priv.h"

#include "base/mem.h"
#include "wire/base64.h"
#include "wire/json_write.h"

#define STATE_PREFIX "weir1."
#define TAG_PREFIX "weirn."
#define TAG_LEN (sizeof TAG_PREFIX - 1 + RESPONSE_ACCOUNT_HEX + 1)
#define STATE_MAX (128 * MIB)
#define PREFIX_LETTERS_MAX 8

void rs_put_member(struct json_write *w, const struct json_iter *it, struct arena *a)
{
    json_name(w, json_unescape(str_of(it->name.p - 1, it->name.len + 2), a));
    json_raw(w, NULL, it->value);
}

/* -- items */

struct str rs_item_type(struct str item, struct arena *a)
{
    static const struct str want[] = { STR_INIT("type"), STR_INIT("role"), STR_INIT("id") };
    struct json_member m[3];
    json_peek_object(item, want, 3, m, NULL);
    return rs_type_of(json_value(item, &m[0]), json_value(item, &m[1]), json_value(item, &m[2]), a);
}

struct str rs_type_of(struct str type, struct str role, struct str id, struct arena *a)
{
    enum json_type kind = json_type_of(type);
    if (kind == JSON_STRING)
        return json_unescape(type, a);
    if (kind != JSON_ABSENT && kind != JSON_NULL)
        return str_of(NULL, 0);
    return json_type_of(role) == JSON_STRING ? STR("message")
           : json_type_of(id) == JSON_STRING ? STR("item_reference")
                                             : str_of(NULL, 0);
}

/* -- ids */

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool is_all_hex(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_hex(s.p[i]))
            return false;
    return true;
}

bool response_id_hex(struct str id, struct str *ret_hex)
{
    struct str hex = str_skip(id, 5);
    if (id.len != RESPONSE_ID_LEN || !str_starts(id, STR("resp_")) || !is_all_hex(hex))
        return false;
    *ret_hex = hex;
    return true;
}

/* Letters, '_', the answer's digits, for input 'i', and a count of four digits or more. */
bool response_of_item(struct str item_id, struct arena *a, struct str *ret_id)
{
    size_t at = str_find_char(item_id, '_');
    if (at == STR_NONE || at == 0 || at > PREFIX_LETTERS_MAX)
        return false;
    for (size_t i = 0; i < at; i++)
        if (item_id.p[i] < 'a' || item_id.p[i] > 'z')
            return false;
    struct str hex = str_head(str_skip(item_id, at + 1), RESPONSE_HEX);
    struct str count = str_skip(item_id, at + 1 + RESPONSE_HEX);
    if (count.len && count.p[0] == 'i')
        count = str_skip(count, 1);
    if (hex.len != RESPONSE_HEX || !is_all_hex(hex) || count.len < 4 || count.len > 8 ||
        !is_all_hex(count) || str_eq(str_head(item_id, at), STR("resp")))
        return false;
    *ret_id = arena_printf(a, "resp_%.*s", STR_ARG(hex));
    return true;
}

/* -- state */

static const struct {
    enum ir_origin origin;
    struct str name;
} origins[] = {
    { IR_FROM_ANTHROPIC, STR_INIT("anthropic") },
    { IR_FROM_GEMINI, STR_INIT("gemini") },
    { IR_FROM_OPENAI_CHAT, STR_INIT("openai") },
};

static const struct str kinds[] = {
    [STATE_THINKING] = STR_INIT("thinking"),
    [STATE_REDACTED] = STR_INIT("redacted"),
    [STATE_CALL] = STR_INIT("call"),
    [STATE_TEXT] = STR_INIT("text"),
};

void response_state_put(const struct response_state *s, struct buf *out)
{
    struct buf json;
    struct json_write w;
    buf_init(&json, STATE_MAX);
    json_begin(&w, &json);
    json_obj(&w, NULL);
    for (size_t i = 0; i < sizeof origins / sizeof origins[0]; i++)
        if (origins[i].origin == s->origin)
            json_str(&w, "o", origins[i].name);
    json_str(&w, "k", kinds[s->kind]);
    json_raw(&w, "s", s->signature);
    if (s->text.len)
        json_raw(&w, "t", s->text);
    json_end(&w);
    struct arena *a = arena_new(); /* of its own: it goes at once, however large */
    buf_putz(out, "\"" STATE_PREFIX);
    buf_put(out, base64url_encode(buf_str(&json), a));
    buf_putc(out, '"');
    if (json.fail)
        out->fail = json.fail;
    arena_free(a);
    buf_done(&json);
}

bool rs_is_own_state(struct str json)
{
    return json_type_of(json) == JSON_STRING && str_starts(str_skip(json, 1), STR(STATE_PREFIX));
}

/* -- state that a provider made itself */

struct str response_tag(struct str account_hex, struct arena *a)
{
    return arena_printf(a, TAG_PREFIX "%.*s.",
                        STR_ARG(str_head(account_hex, RESPONSE_ACCOUNT_HEX)));
}

bool rs_is_state(const struct json_iter *it)
{
    return it->type == JSON_STRING && it->value.len > 2 &&
           json_str_eq(str_of(it->name.p - 1, it->name.len + 2), STR("encrypted_content"));
}

/* Also a tag that was broken on the way: no account made that. */
bool rs_is_of_another(struct str json, struct str tag)
{
    struct str content = str_skip(json, 1);
    return str_starts(content, STR(TAG_PREFIX)) && !(tag.len && str_starts(content, tag));
}

static bool read_tag(struct str json, struct str *ret_tag)
{
    struct str tag = str_head(str_skip(json, 1), TAG_LEN);
    if (tag.len != TAG_LEN || !str_starts(tag, STR(TAG_PREFIX)) || tag.p[TAG_LEN - 1] != '.' ||
        !is_all_hex(str_head(str_skip(tag, sizeof TAG_PREFIX - 1), RESPONSE_ACCOUNT_HEX)))
        return false;
    *ret_tag = tag;
    return true;
}

static void use_tag(struct response_tags *t, struct str tag)
{
    size_t at = 0;
    while (at < t->count && !str_eq(t->tags[at], tag))
        at++;
    if (at == RESPONSE_TAGS_MAX)
        at = 0;
    if (at == t->count)
        t->count++;
    for (; at + 1 < t->count; at++)
        t->tags[at] = t->tags[at + 1];
    t->tags[at] = tag;
}

void response_tags_add(struct response_tags *t, struct str items)
{
    struct str tag;
    /* Most have none, and are known by this. */
    if (json_type_of(items) != JSON_ARRAY || str_find(items, STR("\"" TAG_PREFIX)) == STR_NONE)
        return;
    for (struct json_iter it = json_iter(items); json_next(&it);) {
        struct json_iter m = json_iter(it.type == JSON_OBJECT ? it.value : STR("{}"));
        while (json_next(&m))
            if (rs_is_state(&m) && read_tag(m.value, &tag))
                use_tag(t, tag);
    }
}

static bool is_edited(const struct splice *sp, const struct json_member *m)
{
    for (size_t i = 0; i < sp->count; i++)
        if (sp->edits[i].at < m->value_at + m->value_len &&
            sp->edits[i].at + sp->edits[i].len > m->name_at)
            return true;
    return false;
}

void response_untag(struct splice *sp, struct str tag)
{
    static const struct str name = STR_INIT("input");
    struct json_member in;
    json_peek_object(sp->text, &name, 1, &in, NULL);
    if (in.type != JSON_ARRAY || is_edited(sp, &in))
        return;
    for (struct json_iter it = json_iter(json_value(sp->text, &in)); json_next(&it);) {
        struct json_iter m = json_iter(it.type == JSON_OBJECT ? it.value : STR("{}"));
        while (json_next(&m))
            if (rs_is_state(&m) && str_starts(str_skip(m.value, 1), tag))
                splice_replace(sp, (size_t)(m.value.p + 1 - sp->text.p), tag.len, STR(""));
    }
}

bool response_state_get(struct str json, struct arena *a, struct response_state *ret)
{
    enum { S_ORIGIN, S_KIND, S_SIGNATURE, S_TEXT, S_COUNT };
    static const struct str want[S_COUNT] = { STR_INIT("o"), STR_INIT("k"), STR_INIT("s"),
                                              STR_INIT("t") };
    struct json_member m[S_COUNT];
    struct json_problem problem;
    struct response_state s = { 0 };
    struct str text;
    bool origin = false, kind = false;
    if (!rs_is_own_state(json))
        return false;
    struct str coded = str_skip(json_unescape(json, a), sizeof STATE_PREFIX - 1);
    if (base64_decode(coded, a, &text) || json_scan_object(text, want, S_COUNT, m, NULL, &problem))
        return false;
    for (size_t i = 0; i < sizeof origins / sizeof origins[0]; i++) {
        if (!json_str_eq(json_value(text, &m[S_ORIGIN]), origins[i].name))
            continue;
        s.origin = origins[i].origin;
        origin = true;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (!json_str_eq(json_value(text, &m[S_KIND]), kinds[i]))
            continue;
        s.kind = (enum response_state_kind)i;
        kind = true;
    }
    if (!origin || !kind || m[S_SIGNATURE].type != JSON_STRING || m[S_SIGNATURE].value_len <= 2 ||
        (m[S_TEXT].type != JSON_ABSENT && m[S_TEXT].type != JSON_STRING))
        return false;
    s.signature = json_value(text, &m[S_SIGNATURE]);
    s.text = json_value(text, &m[S_TEXT]);
    *ret = s;
    return true;
}
