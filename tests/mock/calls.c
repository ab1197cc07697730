#include "mock/calls.h"

#include "base/mem.h"
#include "mock/reply.h"

/* -- reading a script */

/* The length of "(...)": parentheses within JSON strings do not count. */
static size_t closing(struct str s)
{
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && c == '(')
            depth++;
        else if (!quoted && c == ')' && --depth == 0)
            return i + 1;
    }
    return STR_NONE;
}

size_t calls_length(struct str text)
{
    size_t at = 0;
    while (at < text.len && text.p[at] != ',') {
        size_t more = text.p[at] == '(' ? closing(str_skip(text, at)) : 1;
        if (more == STR_NONE)
            return STR_NONE;
        at += more;
    }
    return at;
}

bool calls_parse(struct str value, struct script *s)
{
    if (value.len == 0)
        return false;
    unsigned turn = s->call_count ? s->calls[s->call_count - 1].turn + 1 : 0;
    while (value.len > 0) {
        struct script_call c = { .turn = turn };
        size_t n = 0;
        while (n < value.len && value.p[n] != '(' && value.p[n] != '+')
            n++;
        c.name = str_head(value, n);
        value = str_skip(value, n);
        if (value.len > 0 && value.p[0] == '(') {
            size_t end = closing(value);
            if (end == STR_NONE)
                return false;
            c.given = true;
            c.arguments = str_of(value.p + 1, end - 2);
            value = str_skip(value, end);
        }
        if (c.name.len == 0 || s->call_count == SCRIPT_CALLS)
            return false;
        s->calls[s->call_count++] = c;
        if (value.len > 0 && (value.p[0] != '+' || value.len == 1))
            return false;
        value = str_skip(value, 1);
    }
    return true;
}

/* -- following it */

void calls_seen(const struct script *s, size_t *at, struct str name)
{
    for (size_t i = *at; i < s->call_count; i++)
        if (str_eq(s->calls[i].name, name)) {
            *at = i + 1;
            return;
        }
}

size_t calls_turn(const struct script *s, size_t at, calls_known_fn *known, void *ctx,
                  size_t *ret_from)
{
    while (at > 0 && at < s->call_count && s->calls[at].turn == s->calls[at - 1].turn)
        at++; /* a turn that was made in part is over */
    while (at < s->call_count) {
        size_t n = 0;
        bool all = true;
        for (; at + n < s->call_count && s->calls[at + n].turn == s->calls[at].turn; n++)
            all &= known(ctx, s->calls[at + n].name);
        *ret_from = at;
        if (all)
            return n;
        at += n;
    }
    return 0;
}

struct str calls_arguments(struct arena *a, const struct script_call *c, struct str otherwise)
{
    if (!c->given)
        return otherwise;
    if (c->arguments.len == 0)
        return STR("{}");
    yyjson_doc *doc = yyjson_read(c->arguments.p, c->arguments.len, 0);
    yyjson_val *root = yyjson_doc_get_root(doc);
    struct str text = c->arguments;
    if (yyjson_is_str(root))
        text = arena_dup(a, str_of(yyjson_get_str(root), yyjson_get_len(root)));
    yyjson_doc_free(doc);
    return text;
}

struct str calls_object(struct arena *a, const struct script_call *c, struct str otherwise)
{
    struct str text = calls_arguments(a, c, otherwise);
    yyjson_doc *doc = yyjson_read(text.p, text.len, 0);
    bool object = yyjson_is_obj(yyjson_doc_get_root(doc));
    yyjson_doc_free(doc);
    if (object)
        return text;
    struct buf b;
    buf_init(&b, MIB);
    buf_putz(&b, "{\"input\":");
    put_json(&b, text);
    buf_putc(&b, '}');
    text = arena_dup(a, buf_str(&b));
    buf_done(&b);
    return text;
}
