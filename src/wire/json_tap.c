#include "wire/json_tap.h"

#include "base/mem.h"
#include "wire/json_scan.h"

#define KEPT_MAX (64 * KIB) /* a top-level name, or the value that is replaced */
#define INNER_MAX                                                                                  \
    1024 /* a name in a listed object: a longer one is not the one that is looked for */
#define LISTED_DEPTH 3 /* of the objects in a top-level array */

enum tap_state {
    TAP_START, /* before the opening brace */
    TAP_NAME,  /* at depth 1, a name may come */
    TAP_IN_NAME,
    TAP_COLON,   /* the name is known, its value is next */
    TAP_VALUE,   /* inside a value, or between its end and the comma */
    TAP_SWALLOW, /* inside the string that is replaced */
    TAP_DONE,
};

/* What strings of listed objects are marked with. */
struct mark {
    struct str lists[JSON_TAP_LISTS], name, with;
    bool listed;      /* the top-level member is called as one of `lists` */
    bool in_array;    /* it is an array */
    bool in_object;   /* what is open at LISTED_DEPTH is an object */
    bool at_name;     /* in it, a string is a name */
    bool named;       /* the value that comes is called `name` */
    bool due;         /* its opening quote has gone by */
    struct buf inner; /* a name, with quotes */
};

struct json_tap {
    enum tap_state state;
    struct str replace, with;
    struct buf name; /* with quotes */
    struct caught {
        struct str name;
        struct buf value;
        bool whole;
    } caught[JSON_TAP_CATCHES], *catching; /* NULL: none */
    bool in_string, escaped, replacing;
    unsigned depth;
    struct mark mark;
};

struct json_tap *json_tap_new(struct str replace, struct str with,
                              const struct str catches[JSON_TAP_CATCHES], size_t catch_max)
{
    struct json_tap *t = MEM_NEW(struct json_tap);
    t->replace = replace;
    t->with = with;
    buf_init(&t->name, KEPT_MAX);
    buf_init(&t->mark.inner, INNER_MAX);
    for (size_t i = 0; i < JSON_TAP_CATCHES; i++) {
        t->caught[i].name = catches[i];
        buf_init(&t->caught[i].value, catch_max);
    }
    return t;
}

void json_tap_free(struct json_tap *t)
{
    if (!t)
        return;
    buf_done(&t->name);
    buf_done(&t->mark.inner);
    for (size_t i = 0; i < JSON_TAP_CATCHES; i++)
        buf_done(&t->caught[i].value);
    mem_free(t);
}

void json_tap_mark(struct json_tap *t, const struct str lists[JSON_TAP_LISTS], struct str name,
                   struct str with)
{
    for (size_t i = 0; i < JSON_TAP_LISTS; i++)
        t->mark.lists[i] = lists[i];
    t->mark.name = name;
    t->mark.with = with;
}

static bool is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Follows one byte of a string. True at its closing quote. */
static bool string_byte(struct json_tap *t, char c)
{
    if (t->escaped)
        t->escaped = false;
    else if (c == '\\')
        t->escaped = true;
    else if (c == '"')
        return true;
    return false;
}

/* Follows one byte of a top-level value, before value_byte does: names of listed objects, and what they name. */
static void mark_byte(struct json_tap *t, char c)
{
    struct mark *k = &t->mark;
    if (t->in_string) {
        if (!k->at_name || t->depth != LISTED_DEPTH)
            return;
        buf_putc(&k->inner, c);
        if (c == '"' && !t->escaped) {
            k->named = !k->inner.fail && json_str_eq(buf_str(&k->inner), k->name);
            k->at_name = false;
        }
        return;
    }
    if (c == '{' || c == '[') {
        if (t->depth == LISTED_DEPTH - 2)
            k->in_array = c == '[' && k->listed;
        if (t->depth == LISTED_DEPTH - 1)
            k->in_object = k->at_name = c == '{' && k->in_array;
    }
    if (t->depth != LISTED_DEPTH || !k->in_object)
        return;
    if (c == ',')
        k->at_name = true;
    if (c == '"' && k->at_name) {
        buf_reset(&k->inner);
        buf_putc(&k->inner, c);
    } else if (c == '"') {
        k->due = k->named;
    }
    if (c != ':' && c != '"' && !is_white(c))
        k->named = false;
}

static enum err value_byte(struct json_tap *t, char c)
{
    bool ends = t->depth == 1 && !t->in_string && (c == ',' || c == '}');
    if (t->mark.with.len)
        mark_byte(t, c);
    if (t->catching && !ends)
        buf_putc(&t->catching->value, c);
    if (t->in_string) {
        t->in_string = !string_byte(t, c);
        return ERR_OK;
    }
    switch (c) {
    case '"': t->in_string = true; break;
    case '{':
    case '[':
        if (++t->depth > JSON_DEPTH_MAX)
            return ERR_BAD_JSON;
        break;
    case '}':
    case ']':
        if (t->depth == 1 && c == ']')
            return ERR_BAD_JSON;
        t->depth--;
        break;
    default: break;
    }
    if (!ends)
        return ERR_OK;
    if (t->catching)
        t->catching->whole = !t->catching->value.fail;
    t->catching = NULL;
    t->state = t->depth == 0 ? TAP_DONE : TAP_NAME;
    return ERR_OK;
}

static void name_ended(struct json_tap *t)
{
    struct str name = buf_str(&t->name);
    t->replacing = json_str_eq(name, t->replace);
    t->mark.listed = false;
    for (size_t i = 0; t->mark.with.len && i < JSON_TAP_LISTS; i++)
        t->mark.listed |= json_str_eq(name, t->mark.lists[i]);
    for (size_t i = 0; i < JSON_TAP_CATCHES; i++) {
        if (t->caught[i].name.len == 0 || !json_str_eq(name, t->caught[i].name))
            continue;
        t->catching = &t->caught[i];
        buf_reset(&t->catching->value);
        t->catching->whole = false;
    }
    t->state = TAP_COLON;
}

/* Between a name and the first byte of its value. */
static enum err colon_byte(struct json_tap *t, char c, bool *ret_forward)
{
    if (c == ':' || is_white(c))
        return ERR_OK;
    t->state = TAP_VALUE;
    if (!t->replacing || c != '"')
        return value_byte(t, c);
    t->state = TAP_SWALLOW;
    *ret_forward = false;
    return ERR_OK;
}

static enum err name_byte(struct json_tap *t, char c)
{
    if (c == '"') {
        buf_reset(&t->name);
        buf_putc(&t->name, c);
        t->state = TAP_IN_NAME;
    } else if (c == '}') {
        t->depth = 0;
        t->state = TAP_DONE;
    } else if (!is_white(c)) {
        return ERR_BAD_JSON;
    }
    return ERR_OK;
}

static enum err one_byte(struct json_tap *t, char c, struct buf *out, bool *ret_forward)
{
    switch (t->state) {
    case TAP_START:
        if (c == '{') {
            t->depth = 1;
            t->state = TAP_NAME;
        } else if (!is_white(c)) {
            return ERR_BAD_JSON;
        }
        return ERR_OK;
    case TAP_NAME: return name_byte(t, c);
    case TAP_IN_NAME:
        buf_putc(&t->name, c);
        if (string_byte(t, c))
            name_ended(t);
        return t->name.fail ? ERR_BAD_JSON : ERR_OK;
    case TAP_COLON: return colon_byte(t, c, ret_forward);
    case TAP_VALUE: return value_byte(t, c);
    case TAP_SWALLOW:
        *ret_forward = false;
        if (string_byte(t, c)) {
            buf_put(out, t->with);
            t->state = TAP_VALUE;
        }
        return ERR_OK;
    case TAP_DONE: break;
    }
    return is_white(c) ? ERR_OK : ERR_BAD_JSON;
}

/* Runs of bytes that are forwarded as they are go out in one piece. */
enum err json_tap_push(struct json_tap *t, struct str bytes, struct buf *out)
{
    size_t from = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        bool forward = true;
        if (t->mark.due) {
            t->mark.due = false;
            if (bytes.p[i] != '"') {
                buf_put(out, str_of(bytes.p + from, i - from));
                buf_put(out, t->mark.with);
                from = i;
            }
        }
        /* The replacement is put where the swallowed string ends: what stood before it must be out by then. */
        if (t->state == TAP_COLON && t->replacing && bytes.p[i] == '"') {
            buf_put(out, str_of(bytes.p + from, i - from));
            from = i;
        }
        if (one_byte(t, bytes.p[i], out, &forward))
            return ERR_BAD_JSON;
        if (!forward)
            from = i + 1;
    }
    buf_put(out, str_of(bytes.p + from, bytes.len - from));
    return out->fail;
}

bool json_tap_complete(const struct json_tap *t)
{
    return t->state == TAP_DONE;
}

struct str json_tap_caught(const struct json_tap *t, size_t i)
{
    return t->caught[i].whole ? str_trim(buf_str(&t->caught[i].value)) : str_of(NULL, 0);
}
