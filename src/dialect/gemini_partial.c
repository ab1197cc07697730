/* Function calls whose arguments are streamed (Vertex AI reference, "streamFunctionCallArguments",
 * August 2026). It is never asked for, but a deployment may be set to it.
 *
 *   {"name":"f","willContinue":true} {"partialArgs":[{"jsonPath":"$.city","stringValue":"Os",
 *   "willContinue":true}],"willContinue":true} ... {}
 *
 * Pieces make a tree: a leaf is a text that grows, or a value. */
#include "dialect/gemini_priv.h"

#include "base/mem.h"

#define NODES_MAX 10000
#define PATH_DEPTH_MAX 60

struct node {
    struct node *next, *children, **tail;
    struct str name; /* plain; of an object's member */
    bool array;      /* its children are elements */
    bool text;       /* a leaf: `chunks`, joined */
    struct str raw;  /* a leaf of another kind: raw JSON */
    struct chunk {
        struct chunk *next;
        struct str inside; /* of a literal, without quotes */
    } * chunks, **chunks_tail;
};

struct gemini_partial {
    struct str id, name, signature;
    struct node root;
    size_t nodes;
};

static struct node *child(struct gemini_partial *p, struct node *at, struct str name,
                          uint64_t index, bool element, struct arena *a)
{
    struct node *n = at->children;
    uint64_t count = 0;
    for (; n; n = n->next, count++)
        if (element ? count == index : str_eq(n->name, name))
            return n;
    if ((element && index != count) || p->nodes++ >= NODES_MAX)
        return NULL; /* elements come in their order */
    n = ARENA_NEW(a, struct node);
    n->name = arena_dup(a, name);
    if (!at->tail)
        at->tail = &at->children;
    at->array = element;
    IR_APPEND(at->tail, n);
    return n;
}

/* $.a.b[0]['c'] -> the node, made on the way; NULL: not understood. */
static struct node *walk(struct gemini_partial *p, struct str path, struct arena *a)
{
    struct node *at = &p->root;
    if (!str_starts(path, STR("$")))
        return NULL;
    path = str_skip(path, 1);
    for (unsigned depth = 0; at && path.len; depth++) {
        uint64_t index = 0;
        struct str step = { 0 };
        bool element = false;
        if (depth == PATH_DEPTH_MAX)
            return NULL;
        if (path.p[0] == '.') {
            size_t n = 1;
            while (n < path.len && path.p[n] != '.' && path.p[n] != '[')
                n++;
            step = str_of(path.p + 1, n - 1);
            path = str_skip(path, n);
        } else if (path.p[0] == '[') {
            size_t end = str_find_char(path, ']');
            if (end == STR_NONE)
                return NULL;
            step = str_of(path.p + 1, end - 1);
            path = str_skip(path, end + 1);
            element = str_u64(step, &index);
            if (!element && step.len >= 2 && (step.p[0] == '\'' || step.p[0] == '"'))
                step = str_of(step.p + 1, step.len - 2);
        } else {
            return NULL;
        }
        at = child(p, at, step, index, element, a);
    }
    return at;
}

static void add_piece(struct gemini_partial *p, struct str piece, struct arena *a)
{
    enum { PATH, TEXT, NUMBER, BOOL, NONE, N };
    static const struct str names[N] = { STR_INIT("jsonPath"), STR_INIT("stringValue"),
                                         STR_INIT("numberValue"), STR_INIT("boolValue"),
                                         STR_INIT("nullValue") };
    struct json_member m[N];
    if (!json_peek_object(piece, names, N, m, NULL) || m[PATH].type != JSON_STRING)
        return;
    struct node *n = walk(p, json_unescape(json_value(piece, &m[PATH]), a), a);
    if (!n || n->children)
        return;
    if (m[TEXT].type == JSON_STRING) {
        struct chunk *c = ARENA_NEW(a, struct chunk);
        struct str literal = json_value(piece, &m[TEXT]);
        c->inside = arena_dup(a, str_of(literal.p + 1, literal.len - 2));
        if (!n->chunks_tail)
            n->chunks_tail = &n->chunks;
        IR_APPEND(n->chunks_tail, c);
        n->text = true;
    } else if (m[NUMBER].type == JSON_NUMBER) {
        n->raw = arena_dup(a, json_value(piece, &m[NUMBER]));
    } else if (m[BOOL].type == JSON_TRUE || m[BOOL].type == JSON_FALSE) {
        n->raw = m[BOOL].type == JSON_TRUE ? STR("true") : STR("false");
    } else if (m[NONE].type != JSON_ABSENT) {
        n->raw = STR("null");
    }
}

bool gemini_partial_add(struct gemini_partial **open, struct str call, struct str signature,
                        struct arena *a)
{
    enum { ID, NAME, MORE, PIECES, N };
    static const struct str names[N] = { STR_INIT("id"), STR_INIT("name"), STR_INIT("willContinue"),
                                         STR_INIT("partialArgs") };
    struct json_member m[N];
    if (!json_peek_object(call, names, N, m, NULL))
        return false;
    if (!*open) {
        *open = ARENA_NEW(a, struct gemini_partial);
        if (m[ID].type == JSON_STRING)
            (*open)->id = arena_dup(a, json_unescape(json_value(call, &m[ID]), a));
        if (m[NAME].type == JSON_STRING)
            (*open)->name = arena_dup(a, json_unescape(json_value(call, &m[NAME]), a));
    }
    if (signature.len)
        (*open)->signature = arena_dup(a, signature);
    struct json_iter it = json_iter(json_value(call, &m[PIECES]));
    while (json_next(&it))
        add_piece(*open, it.value, a);
    return m[MORE].type != JSON_TRUE;
}

static void put_node(struct buf *out, const struct node *n)
{
    if (n->text) {
        buf_putc(out, '"');
        for (const struct chunk *c = n->chunks; c; c = c->next)
            buf_put(out, c->inside);
        buf_putc(out, '"');
        return;
    }
    if (!n->children) {
        buf_put(out, n->raw.len ? n->raw : STR("null"));
        return;
    }
    buf_putc(out, n->array ? '[' : '{');
    for (const struct node *c = n->children; c; c = c->next) {
        if (c != n->children)
            buf_putc(out, ',');
        if (!n->array) {
            json_quote(out, c->name);
            buf_putc(out, ':');
        }
        put_node(out, c);
    }
    buf_putc(out, n->array ? ']' : '}');
}

struct gemini_call gemini_partial_take(struct gemini_partial **open, struct arena *a)
{
    struct gemini_partial *p = *open;
    struct gemini_call call = {
        .id = p->id, .name = p->name, .args = STR("{}"), .signature = p->signature
    };
    struct buf out;
    *open = NULL;
    buf_init(&out, 8 * MIB);
    if (p->root.children && !p->root.array) {
        put_node(&out, &p->root);
        if (!out.fail)
            call.args = arena_dup(a, buf_str(&out));
    }
    buf_done(&out);
    return call;
}
