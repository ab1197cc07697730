/* Messages become contents: user and model in alternation, system text above them, the responses
 * to a turn's calls in a content of their own, in call order (Gemini API docs, "Function calling"
 * and "Thought signatures", August 2026).
 *
 *   system* (user | assistant | tool | system)*  -->  system blocks, turns
 */
#include "dialect/gemini_priv.h"
#include "ir/pairing.h"
#include "wire/json_scan.h"

static const struct str space = STR_INIT("\" \"");
static const struct str dot = STR_INIT("\".\"");
static const struct str go_on = STR_INIT("\"Continue.\"");

struct arrange {
    struct gemini_write *g;
    struct gemini_turn **tail;
    struct ir_pairing pairs;
    bool led;       /* a user turn was put before the assistant's first */
    bool owes_user; /* a user message without content stood here */
    bool said;      /* the message at hand holds more than results */
};

bool gemini_is_media(const struct ir_part *p)
{
    return p->kind == IR_IMAGE || p->kind == IR_AUDIO || p->kind == IR_FILE;
}

static struct gemini_turn *append_turn(struct arrange *r, bool model, bool results)
{
    struct gemini_turn *t = ARENA_NEW(r->g->a, struct gemini_turn);
    *t = (struct gemini_turn){ .model = model, .results = results };
    t->tail = &t->blocks;
    IR_APPEND(r->tail, t);
    r->g->turns.last = t;
    return t;
}

static struct gemini_block *append(struct arrange *r, struct gemini_turn *t, struct str text)
{
    struct gemini_block *b = ARENA_NEW(r->g->a, struct gemini_block);
    b->text = text;
    IR_APPEND(t->tail, b);
    return b;
}

/* The turn that takes the next block of this role. Function responses stand alone. */
static struct gemini_turn *turn_of(struct arrange *r, bool model)
{
    struct gemini_turn *last = r->g->turns.last;
    if (last && last->model == model && !last->results)
        return last;
    /* The first content is the user's; what the user left empty keeps two answers apart. */
    r->led |= model && !last && !r->owes_user;
    if (model && (!last || r->owes_user))
        append(r, append_turn(r, false, false), last ? space : dot);
    r->owes_user = false;
    return append_turn(r, model, false);
}

static struct gemini_block *add(struct arrange *r, struct gemini_turn *t, const struct ir_part *p,
                                const struct ir_message *m, uint32_t index)
{
    struct gemini_block *b = append(r, t, str_of(NULL, 0));
    b->part = p;
    b->message = m->index;
    b->index = index;
    return b;
}

/* A text part must not be empty, unless a signature rides on it. */
static bool is_empty(const struct ir_part *p)
{
    if (ir_is_item(p))
        return true;
    return (p->kind == IR_TEXT || p->kind == IR_REFUSAL) && p->json.len <= 2 &&
           !(p->signature.len && p->origin == IR_FROM_GEMINI);
}

/* -- system */

static bool is_system(const struct ir_message *m)
{
    return m->role == IR_SYSTEM || m->role == IR_DEVELOPER;
}

static enum err add_system(struct arrange *r, const struct ir_message *m, bool leading)
{
    struct gemini_write *g = r->g;
    bool any = false;
    uint32_t i = 0;
    for (const struct ir_part *p = m->parts; p; p = p->next, i++) {
        if (p->kind != IR_TEXT)
            return gemini_refuse(
                g, ERR_UNSUPPORTED_PARAM,
                arena_printf(g->a, "messages[%u].content[%u]", m->index, i),
                "messages[%u].content[%u]: a %s message takes text alone; move other "
                "content to a user message.",
                m->index, i, ir_role_name(m->role));
        if (is_empty(p))
            continue;
        struct gemini_block *b = ARENA_NEW(g->a, struct gemini_block);
        *b = (struct gemini_block){ .part = p, .message = m->index, .index = i };
        IR_APPEND(g->turns.system_tail, b);
        any = true;
    }
    if (any && !leading)
        return ir_degrade(g->report, "system_position", "messages", g->fault);
    return ERR_OK;
}

/* -- calls and results */

/* The same history always gives the same ids. */
static struct str id_of(struct arrange *r, const struct ir_part *call, const struct ir_message *m,
                        uint32_t index)
{
    return call->call_id.len ? call->call_id : arena_printf(r->g->a, "call_%u_%u", m->index, index);
}

static enum err add_call(struct arrange *r, const struct ir_part *p, const struct ir_message *m,
                         uint32_t index)
{
    struct gemini_turn *t = turn_of(r, true);
    bool first = r->pairs.first == NULL;
    struct str id = id_of(r, p, m, index);
    TRY(ir_pairing_call(&r->pairs, p, id, m->index, index));
    struct gemini_block *b = add(r, t, p, m, index);
    b->id = id;
    /* The first call of a step must carry its signature; what Gemini did not sign says so. A model that missed one all the same
     * gets it on every call. */
    b->dummy = ((first && r->g->t->facts->signature_required) || r->g->t->repair) &&
               !(p->signature.len && p->origin == IR_FROM_GEMINI);
    if (b->dummy)
        return ir_degrade(r->g->report, "reasoning_state", "messages.tool_calls.extra_content",
                          r->g->fault);
    return ERR_OK;
}

/* Older models take no media inside a response: it follows in a content of its own. */
static void add_loose_media(struct arrange *r)
{
    for (const struct ir_pending *w = r->pairs.first; w; w = w->next)
        for (const struct ir_part *p = w->result->content; p; p = p->next)
            if (gemini_is_media(p)) {
                struct gemini_block *b = append(r, turn_of(r, false), str_of(NULL, 0));
                b->part = p;
                b->loose = true;
                b->message = w->result_message;
                b->index = w->result_index;
            }
}

/* All are there: a content of responses in call order. */
static void flush_results(void *ctx)
{
    struct arrange *r = ctx;
    struct gemini_turn *t = append_turn(r, false, true);
    for (const struct ir_pending *w = r->pairs.first; w; w = w->next) {
        struct gemini_block *b = append(r, t, str_of(NULL, 0));
        b->part = w->result;
        b->call = w->call;
        b->id = w->id;
        b->message = w->result_message;
        b->index = w->result_index;
    }
    if (!r->g->t->facts->multimodal_result)
        add_loose_media(r);
    ir_pairing_reset(&r->pairs);
}

/* -- the roles */

static bool is_own_signed(const struct ir_part *p)
{
    return p->origin == IR_FROM_GEMINI && p->signature.len > 0;
}

static bool is_foreign_reasoning(const struct ir_part *p)
{
    return p->kind == IR_REASONING && !(is_own_signed(p) && p->json.len > 2);
}

/* The state of Gemini's reasoning is in the signatures of its answer; its thoughts are for people to read. */
static bool is_signed(const struct ir_message *m)
{
    for (const struct ir_part *p = m->parts; p; p = p->next)
        if (is_own_signed(p))
            return true;
    return false;
}

static enum err add_assistant(struct arrange *r, const struct ir_message *m)
{
    struct gemini_write *g = r->g;
    uint32_t i = 0;
    bool state = is_signed(m);
    if (r->pairs.answered) /* some results came, then the assistant again */
        TRY(ir_pairing_check(&r->pairs));
    /* Calls come last, as other dialects have no order among them and text. */
    for (int calls = 0; calls < 2; calls++) {
        i = 0;
        for (const struct ir_part *p = m->parts; p; p = p->next, i++) {
            if ((p->kind == IR_TOOL_CALL) != calls || is_empty(p))
                continue;
            if (calls)
                TRY(add_call(r, p, m, i));
            else if (is_foreign_reasoning(p) && state)
                continue;
            else if (is_foreign_reasoning(p))
                TRY(ir_lose(g->report, "reasoning_state", "messages.reasoning_content", g->fault));
            else
                add(r, turn_of(r, true), p, m, i);
        }
    }
    return ERR_OK;
}

static void add_said(void *ctx, const struct ir_part *p, const struct ir_message *m, uint32_t index)
{
    struct arrange *r = ctx;
    if (is_empty(p))
        return;
    r->said = true;
    add(r, turn_of(r, false), p, m, index);
}

static enum err add_user(struct arrange *r, const struct ir_message *m)
{
    const struct ir_user_walk walk = { flush_results, add_said, r };
    r->said = false;
    TRY(ir_pairing_user(&r->pairs, m, &walk));
    const struct gemini_turn *last = r->g->turns.last;
    if (m->role == IR_USER && !r->said && !(last && !last->model))
        r->owes_user = true;
    return ERR_OK;
}

/* An answer that comes back says what it quoted; the text says it too. None is nothing. */
static enum err skip_annotations(struct gemini_write *g, struct str raw)
{
    struct json_iter it = json_iter(raw);
    return json_next(&it) ? ir_lose(g->report, "annotations", "messages.annotations", g->fault)
                          : ERR_OK;
}

static enum err skip_unknown(struct gemini_write *g, const struct ir_ext *x)
{
    if (str_eq(x->name, STR("annotations")))
        return skip_annotations(g, x->raw);
    return ir_lose(g->report, arena_printf(g->a, "unknown(%.*s)", STR_ARG(x->name)).p,
                   arena_printf(g->a, "messages.%.*s", STR_ARG(x->name)).p, g->fault);
}

static enum err add_message(struct arrange *r, const struct ir_message *m, bool leading)
{
    struct gemini_write *g = r->g;
    if (m->name.len)
        TRY(ir_lose(g->report, "message_name", "messages.name", g->fault));
    for (const struct ir_ext *x = m->ext; x; x = x->next)
        TRY(skip_unknown(g, x));
    for (const struct ir_part *p = m->parts; p; p = p->next)
        if (ir_is_item(p))
            TRY(ir_lose(g->report, "builtin_tools", arena_printf(g->a, "messages[%u]", p->index).p,
                        g->fault));
    if (ir_is_items(m)) /* as if it were not there */
        return ERR_OK;
    switch (m->role) {
    case IR_SYSTEM:
    case IR_DEVELOPER: return add_system(r, m, leading);
    case IR_ASSISTANT: return add_assistant(r, m);
    case IR_USER:
    case IR_TOOL: return add_user(r, m);
    }
    return ERR_OK;
}

enum err gemini_arrange(struct gemini_write *g)
{
    struct arrange r = { .g = g };
    bool leading = true;
    r.tail = &g->turns.first;
    ir_pairing_init(&r.pairs, g->a, g->fault);
    g->turns.system_tail = &g->turns.system;
    for (const struct ir_message *m = g->rq->messages; m; m = m->next) {
        leading = leading && is_system(m);
        TRY(add_message(&r, m, leading));
    }
    TRY(ir_pairing_check(&r.pairs));
    if (r.led)
        TRY(ir_degrade(g->report, "first_message", "messages", g->fault));
    if (!g->turns.last)
        append(&r, append_turn(&r, false, false), space);
    if (!g->turns.last || !g->turns.last->model) /* the first: never, after the line above */
        return ERR_OK;
    if (r.owes_user) {
        append(&r, append_turn(&r, false, false), space);
        return ERR_OK;
    }
    if (g->t->facts->prefill)
        return ERR_OK;
    append(&r, append_turn(&r, false, false), go_on);
    return ir_degrade(g->report, "prefill", "messages", g->fault);
}
