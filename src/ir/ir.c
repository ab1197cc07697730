#include "ir/ir.h"

#include "base/mem.h"
#include "wire/json_write.h"
#include "wire/utf8.h"

struct ir_ext *ir_ext_find(struct ir_ext *list, struct str name)
{
    for (; list; list = list->next)
        if (str_eq(list->name, name))
            return list;
    return NULL;
}

struct ir_tool *ir_tool_find(const struct ir_request *rq, struct str name)
{
    for (struct ir_tool *t = rq->tools; t; t = t->next)
        if (str_eq(t->name, name))
            return t;
    return NULL;
}

struct str ir_quote(struct str plain, struct arena *a)
{
    bool simple = true;
    for (size_t i = 0; i < plain.len && simple; i++) {
        unsigned char c = (unsigned char)plain.p[i];
        simple = c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
    }
    if (simple) {
        char *out = arena_alloc(a, plain.len + 2);
        out[0] = '"';
        if (plain.len)
            memcpy(out + 1, plain.p, plain.len);
        out[plain.len + 1] = '"';
        return str_of(out, plain.len + 2);
    }
    struct buf quoted;
    buf_init(&quoted, SIZE_MAX / 2);
    json_quote(&quoted, plain);
    struct str out = arena_dup(a, buf_str(&quoted));
    buf_done(&quoted);
    return out;
}

/* What is not in the middle of a sequence; an escape is one, a pair of surrogates too. */
size_t ir_points(struct str json)
{
    size_t n = 0;
    if (json.len > 2 && !memchr(json.p + 1, '\\', json.len - 2)) {
        for (size_t i = 1; i + 1 < json.len; i++)
            n += ((unsigned char)json.p[i] & 0xc0) != 0x80;
        return n;
    }
    for (size_t i = 1; i + 1 < json.len; i++) {
        unsigned char c = (unsigned char)json.p[i];
        if (c != '\\') {
            n += (c & 0xc0) != 0x80;
            continue;
        }
        bool unicode = i + 5 < json.len && json.p[i + 1] == 'u';
        bool low = unicode && (json.p[i + 2] | 0x20) == 'd' && (json.p[i + 3] | 0x20) >= 'c' &&
                   (json.p[i + 3] | 0x20) <= 'f';
        n += !low;
        i += unicode ? 5 : 1;
    }
    return n;
}

/* White_Space of Unicode 15. */
static bool is_space(uint32_t code)
{
    return (code >= 9 && code <= 13) || code == 0x20 || code == 0x85 || code == 0xa0 ||
           code == 0x1680 || (code >= 0x2000 && code <= 0x200a) || code == 0x2028 ||
           code == 0x2029 || code == 0x202f || code == 0x205f || code == 0x3000;
}

static uint32_t hex_digit(char c)
{
    return (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

/* Takes the character that a literal's inside starts with: its code, or of longer sequences, none of which is
 * space, anything above. */
static uint32_t take_code(struct str *s)
{
    const unsigned char *p = (const unsigned char *)s->p;
    uint32_t code = p[0];
    size_t n = 1;
    if (p[0] == '\\' && s->len >= 6 && p[1] == 'u') {
        code = 0;
        for (n = 2; n < 6; n++)
            code = code << 4 | hex_digit(s->p[n]);
    } else if (p[0] == '\\' && s->len >= 2) {
        code = p[1] == 'n' || p[1] == 't' || p[1] == 'r' || p[1] == 'f' ? ' ' : p[1];
        n = 2;
    } else if (p[0] >= 0xe0 && p[0] < 0xf0 && s->len >= 3) {
        code = (uint32_t)(p[0] & 15) << 12 | (uint32_t)(p[1] & 63) << 6 | (p[2] & 63);
        n = 3;
    } else if (p[0] >= 0xc0 && p[0] < 0xe0 && s->len >= 2) {
        code = (uint32_t)(p[0] & 31) << 6 | (p[1] & 63);
        n = 2;
    }
    *s = str_skip(*s, n);
    return code;
}

bool ir_is_blank(struct str json)
{
    struct str s = json.len >= 2 ? str_of(json.p + 1, json.len - 2) : str_of(NULL, 0);
    while (s.len)
        if (!is_space(take_code(&s)))
            return false;
    return true;
}

bool ir_is_item(const struct ir_part *p)
{
    return p->kind == IR_OPAQUE && p->origin == IR_FROM_OPENAI_RESPONSES;
}

bool ir_is_items(const struct ir_message *m)
{
    const struct ir_part *p = m->parts;
    while (p && ir_is_item(p))
        p = p->next;
    return m->parts && !p;
}

const char *ir_role_name(enum ir_role role)
{
    static const char *const names[] = { [IR_SYSTEM] = "system",
                                         [IR_DEVELOPER] = "developer",
                                         [IR_USER] = "user",
                                         [IR_ASSISTANT] = "assistant",
                                         [IR_TOOL] = "tool" };
    return names[role];
}

static const char *const efforts[] = {
    [IR_EFFORT_UNSET] = "",      [IR_EFFORT_NONE] = "none",     [IR_EFFORT_MINIMAL] = "minimal",
    [IR_EFFORT_LOW] = "low",     [IR_EFFORT_MEDIUM] = "medium", [IR_EFFORT_HIGH] = "high",
    [IR_EFFORT_XHIGH] = "xhigh", [IR_EFFORT_MAX] = "max",
};

const char *ir_effort_name(enum ir_effort e)
{
    return efforts[e];
}

enum ir_effort ir_effort_of(struct str plain)
{
    for (size_t e = IR_EFFORT_NONE; e <= IR_EFFORT_MAX; e++)
        if (str_eq(plain, str_c(efforts[e])))
            return (enum ir_effort)e;
    return IR_EFFORT_UNSET;
}
