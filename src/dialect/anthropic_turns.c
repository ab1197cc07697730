/* Messages become turns: user and assistant in alternation, system text above them, every call's
 * result at the start of the turn that follows, in call order (Claude docs, "Using the Messages
 * API" and "Handle tool calls", August 2026).
 *
 *   system* (user | assistant | tool | system)*  -->  system blocks, turns
 *
 * Turns are opened when their first block comes, so that messages without content leave no trace
 * and their neighbours merge. */
#include "dialect/anthropic_priv.h"
#include "ir/pairing.h"
#include "wire/digest.h"
#include "wire/json_scan.h"

static const struct str dot = STR_INIT("\".\"");

/* Ids that were sent before (they are unique in a conversation): a tree ordered by their digests,
 * which nobody can choose so that it becomes a list. */
struct used {
    struct used *side[2];
    char digest[SHA256_HEX_BYTES];
};

struct arrange {
    struct anthropic_write *aw;
    struct anthropic_turn **tail;
    struct anthropic_block **system_tail;
    struct ir_pairing pairs;
    struct used *used;
    bool owes_user; /* a user message without content stood here */
    bool said;      /* the message at hand holds more than results */
    bool invented;  /* a user's words were made up */
};

bool anthropic_part_is_thinking(const struct ir_part *p)
{
    return p->kind == IR_REASONING && p->origin == IR_FROM_ANTHROPIC &&
           (p->signature.len || p->redacted.len);
}

static struct anthropic_turn *new_turn(struct arrange *g, enum ir_role role)
{
    struct anthropic_turn *t = ARENA_NEW(g->aw->a, struct anthropic_turn);
    t->role = role;
    t->tail = &t->blocks;
    return t;
}

static struct anthropic_turn *append_turn(struct arrange *g, enum ir_role role)
{
    struct anthropic_turn *t = new_turn(g, role);
    IR_APPEND(g->tail, t);
    g->aw->turns.last = t;
    return t;
}

static struct anthropic_block *append(struct anthropic_write *aw, struct anthropic_turn *t)
{
    struct anthropic_block *b = ARENA_NEW(aw->a, struct anthropic_block);
    IR_APPEND(t->tail, b);
    return b;
}

static void append_dot(struct arrange *g)
{
    append(g->aw, append_turn(g, IR_USER))->text = dot;
    g->invented = true;
}

/* The turn that takes the next block of this role. */
static struct anthropic_turn *turn_of(struct arrange *g, enum ir_role role)
{
    struct anthropic_turn *last = g->aw->turns.last;
    if (role == IR_USER)
        g->owes_user = false;
    if (last && last->role == role)
        return last;
    if (role == IR_ASSISTANT && g->owes_user)
        append_dot(g);
    g->owes_user = false;
    return append_turn(g, role);
}

static struct anthropic_block *add(struct arrange *g, enum ir_role role, const struct ir_part *p,
                                   const struct ir_message *m, uint32_t index)
{
    struct anthropic_block *b = append(g->aw, turn_of(g, role));
    b->part = p;
    b->message = m->index;
    b->index = index;
    return b;
}

/* Text blocks must hold more than white space. What another provider alone understands is left
 * out, and was reported by check_foreign. */
static bool is_empty(const struct ir_part *p)
{
    if (p->kind == IR_OPAQUE)
        return p->origin != IR_FROM_ANTHROPIC;
    return (p->kind == IR_TEXT || p->kind == IR_REFUSAL) && ir_is_blank(p->json);
}

static enum err drop_part(struct anthropic_write *aw, const struct ir_part *p, uint32_t message,
                          uint32_t index)
{
    static const struct str type = STR_INIT("type");
    struct json_member m;
    json_peek_object(p->raw, &type, 1, &m, NULL);
    struct str name = m.type == JSON_STRING ? json_value(p->raw, &m) : STR("unknown");
    return ir_drop_as(
        aw->report, "content", arena_printf(aw->a, "messages[%u].content[%u]", message, index).p,
        arena_printf(
            aw->a, "is of the type %.*s, which %.*s does not take: text, images and files go there",
            STR_ARG(str_head(name, 64)), STR_ARG(anthropic_target(aw)))
            .p,
        aw->fault);
}

static enum err check_foreign(struct anthropic_write *aw, const struct ir_message *m)
{
    uint32_t i = 0;
    for (const struct ir_part *p = m->parts; p; p = p->next, i++) {
        if (ir_is_item(p))
            TRY(ir_lose(aw->report, "builtin_tools",
                        arena_printf(aw->a, "messages[%u]", p->index).p, aw->fault));
        else if (p->kind == IR_OPAQUE && is_empty(p))
            TRY(drop_part(aw, p, m->index, i));
        else if (p->kind != IR_REASONING && p->signature.len && p->origin != IR_FROM_ANTHROPIC)
            TRY(ir_lose(aw->report, "reasoning_state", "messages", aw->fault));
    }
    return ERR_OK;
}

/* -- system */

static bool is_system(const struct ir_message *m)
{
    return m->role == IR_SYSTEM || m->role == IR_DEVELOPER;
}

/* Where newer models take a system message: after a user turn, before the assistant's or last. */
static bool may_stay(const struct arrange *g, const struct ir_message *m)
{
    const struct anthropic_turn *last = g->aw->turns.last;
    if (!g->aw->t->facts->mid_system || g->pairs.waiting || !last || last->role == IR_ASSISTANT)
        return false;
    do
        m = m->next;
    while (m && is_system(m));
    return !m || m->role == IR_ASSISTANT;
}

static enum err add_system(struct arrange *g, const struct ir_message *m, bool leading)
{
    struct anthropic_write *aw = g->aw;
    bool stays = !leading && may_stay(g, m), any = false;
    uint32_t i = 0;
    for (const struct ir_part *p = m->parts; p; p = p->next, i++) {
        if (p->kind != IR_TEXT)
            return anthropic_refuse(
                aw, ERR_UNSUPPORTED_PARAM,
                arena_printf(aw->a, "messages[%u].content[%u]", m->index, i),
                "messages[%u].content[%u]: a %s message takes text alone; move other content to a "
                "user message.",
                m->index, i, ir_role_name(m->role));
        if (is_empty(p))
            continue;
        any = true;
        if (stays) {
            add(g, IR_SYSTEM, p, m, i);
            continue;
        }
        struct anthropic_block *b = ARENA_NEW(aw->a, struct anthropic_block);
        *b = (struct anthropic_block){ .part = p, .message = m->index, .index = i };
        IR_APPEND(g->system_tail, b);
    }
    if (any && !leading && !stays)
        return ir_degrade(aw->report, "system_position", "messages", aw->fault);
    return ERR_OK;
}

/* -- calls and results */

/* False when it was used before. */
static bool use_id(struct arrange *g, struct str id)
{
    struct used *u = ARENA_NEW(g->aw->a, struct used), **at = &g->used;
    sha256_hex(id, u->digest);
    while (*at) {
        int order = memcmp(u->digest, (*at)->digest, sizeof u->digest);
        if (order == 0)
            return false;
        at = &(*at)->side[order > 0];
    }
    *at = u;
    return true;
}

/* Some clients number the calls of each turn from 0: an id that comes again gets a suffix. */
static struct str fresh_id(struct arrange *g, const struct ir_part *call,
                           const struct ir_message *m, uint32_t index)
{
    struct arena *a = g->aw->a;
    struct str id = call->call_id.len ? anthropic_tool_id(call->call_id, a)
                                      : arena_printf(a, "call_%u_%u", m->index, index);
    if (use_id(g, id))
        return id;
    id = arena_printf(a, "%.*s_%u_%u", STR_ARG(id), m->index, index);
    while (!use_id(g, id))
        id = arena_printf(a, "%.*s_", STR_ARG(id));
    return id;
}

static enum err add_call(struct arrange *g, const struct ir_part *p, const struct ir_message *m,
                         uint32_t index)
{
    struct str id = fresh_id(g, p, m, index);
    TRY(ir_pairing_call(&g->pairs, p, id, m->index, index));
    g->aw->turns.has_calls = true;
    add(g, IR_ASSISTANT, p, m, index)->id = id;
    return ERR_OK;
}

/* All are there: they open the user's turn in call order. */
static void flush_results(void *ctx)
{
    struct arrange *g = ctx;
    for (const struct ir_pending *w = g->pairs.first; w; w = w->next) {
        struct anthropic_block *b = append(g->aw, turn_of(g, IR_USER));
        b->part = w->result;
        b->id = w->id;
        b->message = w->result_message;
        b->index = w->result_index;
    }
    ir_pairing_reset(&g->pairs);
}

/* -- the roles */

/* Dropped where Anthropic has no use for it: reasoning that it did not sign. */
static enum err skip_reasoning(struct arrange *g)
{
    return ir_lose(g->aw->report, "reasoning_state", "reasoning_content", g->aw->fault);
}

/* A turn of Claude's comes back as it was made, calls between its thoughts: Anthropic's own messages tell the order, and so do the
 * items of the Responses API, as long as the first thought is still where it was. */
static bool is_ordered(const struct arrange *g, const struct ir_message *m)
{
    const struct ir_part *p = m->parts;
    while (p && is_empty(p))
        p = p->next;
    return g->aw->rq->origin == IR_FROM_ANTHROPIC ||
           (g->aw->rq->origin == IR_FROM_OPENAI_RESPONSES && p && anthropic_part_is_thinking(p));
}

/* Chat completions have no order among text, reasoning and calls; here reasoning comes first and calls come last. */
static int rank(bool ordered, const struct ir_part *p)
{
    if (ordered)
        return 0;
    return p->kind == IR_REASONING ? 0 : p->kind == IR_TOOL_CALL ? 2 : 1;
}

static enum err add_assistant(struct arrange *g, const struct ir_message *m)
{
    if (g->pairs.answered) /* some results came, then the assistant again */
        TRY(ir_pairing_check(&g->pairs));
    bool ordered = is_ordered(g, m);
    for (int pass = 0; pass < 3; pass++) {
        uint32_t i = 0;
        for (const struct ir_part *p = m->parts; p; p = p->next, i++) {
            if (rank(ordered, p) != pass || is_empty(p))
                continue;
            if (p->kind == IR_TOOL_CALL)
                TRY(add_call(g, p, m, i));
            else if (p->kind == IR_REASONING && !anthropic_part_is_thinking(p))
                TRY(skip_reasoning(g));
            else
                add(g, IR_ASSISTANT, p, m, i);
        }
    }
    return ERR_OK;
}

static void add_said(void *ctx, const struct ir_part *p, const struct ir_message *m, uint32_t index)
{
    struct arrange *g = ctx;
    if (is_empty(p))
        return;
    g->said = true;
    add(g, IR_USER, p, m, index);
}

static enum err add_user(struct arrange *g, const struct ir_message *m)
{
    const struct ir_user_walk walk = { flush_results, add_said, g };
    g->said = false;
    TRY(ir_pairing_user(&g->pairs, m, &walk));
    const struct anthropic_turn *last = g->aw->turns.last;
    if (m->role == IR_USER && !g->said && !(last && last->role == IR_USER))
        g->owes_user = true;
    return ERR_OK;
}

/* An answer that comes back says what it quoted; the text says it too. None is nothing. */
static enum err skip_annotations(struct arrange *g, struct str raw)
{
    struct json_iter it = json_iter(raw);
    return json_next(&it)
               ? ir_lose(g->aw->report, "annotations", "messages.annotations", g->aw->fault)
               : ERR_OK;
}

static enum err add_message(struct arrange *g, const struct ir_message *m, bool leading)
{
    struct anthropic_write *aw = g->aw;
    if (m->name.len)
        TRY(ir_lose(aw->report, "message_name", "messages.name", aw->fault));
    for (const struct ir_ext *x = m->ext; x; x = x->next)
        TRY(str_eq(x->name, STR("annotations")) ? skip_annotations(g, x->raw)
                                                : anthropic_unknown(aw, x->name, "messages"));
    TRY(check_foreign(aw, m));
    if (ir_is_items(m)) /* as if it were not there */
        return ERR_OK;
    switch (m->role) {
    case IR_SYSTEM:
    case IR_DEVELOPER: return add_system(g, m, leading);
    case IR_ASSISTANT: return add_assistant(g, m);
    case IR_USER:
    case IR_TOOL: return add_user(g, m);
    }
    return ERR_OK;
}

enum err anthropic_arrange(struct anthropic_write *aw)
{
    struct arrange g = { .aw = aw };
    bool leading = true;
    g.tail = &aw->turns.first;
    g.system_tail = &aw->turns.system;
    ir_pairing_init(&g.pairs, aw->a, aw->fault);
    for (const struct ir_message *m = aw->rq->messages; m; m = m->next) {
        leading &= is_system(m);
        TRY(add_message(&g, m, leading));
    }
    TRY(ir_pairing_check(&g.pairs));
    if (g.owes_user)
        append_dot(&g);
    if (g.invented)
        TRY(ir_degrade(aw->report, "empty_content", "messages", aw->fault));
    if (aw->turns.first && aw->turns.first->role == IR_USER)
        return ERR_OK;
    struct anthropic_turn *t = new_turn(&g, IR_USER);
    append(aw, t)->text = dot;
    t->next = aw->turns.first;
    aw->turns.first = t;
    if (!t->next)
        aw->turns.last = t;
    return ir_degrade(aw->report, "first_message", "messages", aw->fault);
}

/* -- the end */

/* A prefill must not end in white space: the literal without it. */
static struct str trim_end(struct str literal, struct arena *a)
{
    struct str plain = json_unescape(literal, a);
    size_t len = plain.len;
    while (len && (plain.p[len - 1] == ' ' || plain.p[len - 1] == '\n' ||
                   plain.p[len - 1] == '\t' || plain.p[len - 1] == '\r'))
        len--;
    return len == plain.len ? literal : ir_quote(str_head(plain, len), a);
}

enum err anthropic_arrange_end(struct anthropic_write *aw)
{
    struct anthropic_turn *last = aw->turns.last;
    if (!last || last->role != IR_ASSISTANT)
        return ERR_OK;
    bool thinks = aw->thinking >= THINKING_BETWEEN;
    TRY(ir_degrade(aw->report, "prefill", "messages", aw->fault));
    if (aw->t->facts->prefill && !thinks && aw->output != OUTPUT_NATIVE) {
        struct anthropic_block *b = last->blocks;
        while (b->next)
            b = b->next;
        if (b->part && b->part->kind == IR_TEXT)
            b->text = trim_end(b->part->json, aw->a);
        return ERR_OK;
    }
    if (!aw->t->modify_params)
        return anthropic_refuse(
            aw, ERR_UNSUPPORTED_PARAM, STR("messages"),
            "messages: %.*s does not continue an assistant message; end the "
            "conversation with a user message, or set modify_params: true to have "
            "one added.",
            STR_ARG(anthropic_target(aw)));
    struct anthropic_turn *t = ARENA_NEW(aw->a, struct anthropic_turn);
    t->role = IR_USER;
    t->tail = &t->blocks;
    append(aw, t)->text = STR("\"Continue.\"");
    last->next = t;
    aw->turns.last = t;
    return ERR_OK;
}
