/* Messages become input items: what the assistant said and called are items of their own, in the order in which they happened
 * (OpenAI's API reference, "Responses", input items, August 2026). Items that weir sends have no ids: OpenAI looks what has one up
 * in its store, where with store: false there is nothing, and an id that it did not make does not fit the encrypted content. */
#include "base/mem.h"
#include "dialect/openai_ir_priv.h"
#include "dialect/responses_provider_priv.h"
#include "wire/digest.h"

#define CALL_ID_MAX 64

/* -- what all items share */

const char *rc_place(const struct rc_write *c)
{
    uint32_t index = c->m ? c->m->index : 0;
    return c->rq->origin == IR_FROM_OPENAI_RESPONSES
               ? arena_printf(c->a, "input[%u]", index).p
               : arena_printf(c->a, "messages[%u].content", index).p;
}

enum err rc_lose(struct rc_write *c, const char *tag)
{
    return ir_lose(c->report, tag, rc_place(c), c->fault);
}

enum err rc_put_ext(struct rc_write *c, const struct ir_ext *ext)
{
    for (; ext; ext = ext->next) {
        struct json_iter it = json_iter(ext->raw);
        if (ext->origin == IR_FROM_OPENAI_RESPONSES) {
            json_name(&c->w, ext->name);
            segments_raw(c->s, &c->w, NULL, ext->raw);
        } else if (str_eq(ext->name, STR("annotations"))) {
            /* An answer that comes back says what it quoted; the text says it too. */
            if (json_next(&it))
                TRY(rc_lose(c, "annotations"));
        } else {
            struct str name = str_head(ext->name, 40);
            TRY(rc_lose(c, arena_printf(c->a, "unknown(%.*s)", STR_ARG(name)).p));
        }
    }
    return ERR_OK;
}

/* The same for a call and its result, which stand in one request. */
static struct str call_id(struct rc_write *c, const struct ir_part *call, uint32_t index)
{
    char hex[SHA256_HEX_BYTES];
    if (!call->call_id.len)
        return arena_printf(c->a, "call_%u_%u", c->m->index, index);
    if (call->call_id.len <= CALL_ID_MAX)
        return call->call_id;
    sha256_hex(call->call_id, hex);
    return arena_printf(c->a, "call_%.32s", hex);
}

/* -- reasoning */

static struct str own_state(const struct ir_part *part)
{
    if (part->kind != IR_REASONING || part->origin != IR_FROM_OPENAI_RESPONSES)
        return str_of(NULL, 0);
    return part->signature.len > 2 ? part->signature : part->redacted;
}

static bool has_state(const struct ir_message *m)
{
    for (const struct ir_part *p = m->parts; p; p = p->next)
        if (own_state(p).len > 2)
            return true;
    return false;
}

/* `stated`: the message has such state, so that a text without any is told with it. */
static enum err hold_reasoning(struct rc_write *c, const struct ir_part *part, bool stated)
{
    if (own_state(part).len <= 2)
        return stated && !part->signature.len && !part->redacted.len
                   ? ERR_OK
                   : rc_lose(c, "reasoning_state");
    struct rc_reasoning *held = ARENA_NEW(c->a, struct rc_reasoning);
    held->part = part;
    IR_APPEND(c->waiting_tail, held);
    return ERR_OK;
}

static void release_reasoning(struct rc_write *c)
{
    for (const struct rc_reasoning *held = c->waiting; held; held = held->next) {
        json_obj(&c->w, NULL);
        json_strz(&c->w, "type", "reasoning");
        json_arr(&c->w, "summary");
        if (held->part->json.len > 2) {
            json_obj(&c->w, NULL);
            json_strz(&c->w, "type", "summary_text");
            segments_raw(c->s, &c->w, "text", held->part->json);
            json_end(&c->w);
        }
        json_end(&c->w);
        segments_raw(c->s, &c->w, "encrypted_content", own_state(held->part));
        json_end(&c->w);
    }
    c->waiting = NULL;
    c->waiting_tail = &c->waiting;
}

/* Nothing of the assistant's follows. */
static enum err drop_reasoning(struct rc_write *c)
{
    if (!c->waiting)
        return ERR_OK;
    c->waiting = NULL;
    c->waiting_tail = &c->waiting;
    return rc_lose(c, "reasoning_state");
}

/* -- the assistant */

/* Words that follow each other are one string: parts of an assistant's message would need an id of OpenAI's. */
static enum err put_said(struct rc_write *c, const struct ir_part *part, const struct ir_part *end)
{
    const struct ir_part *first = part;
    struct buf joined;
    enum err e = ERR_OK;
    release_reasoning(c);
    json_obj(&c->w, NULL);
    json_strz(&c->w, "role", "assistant");
    if (part && part->next == end && part->json.len) {
        segments_raw(c->s, &c->w, "content", part->json);
    } else {
        buf_init(&joined, 64 * MIB);
        for (; part != end; part = part->next)
            if (part->json.len > 2)
                buf_put(&joined, str_of(part->json.p + 1, part->json.len - 2));
        json_raw(&c->w, "content", STR("\""));
        buf_put(c->w.out, buf_str(&joined));
        buf_putc(c->w.out, '"');
        e = joined.fail;
        buf_done(&joined);
        if (e)
            return fault_set(c->fault, e, c->a, "%s holds more than 64 MiB of text.", rc_place(c));
    }
    for (part = first; part != end; part = part->next) {
        if (part->kind == IR_REFUSAL)
            TRY(ir_degrade(c->report, "refusal", rc_place(c), c->fault));
        if (part->signature.len)
            TRY(rc_lose(c, "reasoning_state"));
        if (part->cache)
            TRY(rc_lose(c, "cache_control"));
    }
    TRY(rc_put_ext(c, c->m->ext));
    json_end(&c->w);
    return ERR_OK;
}

static enum err put_call(struct rc_write *c, const struct ir_part *call, uint32_t index)
{
    const char *input = call->custom ? "input" : "arguments";
    struct str id = call_id(c, call, index);
    release_reasoning(c);
    TRY(ir_pairing_call(&c->pairs, call, id, c->m->index, index));
    json_obj(&c->w, NULL);
    json_strz(&c->w, "type", call->custom ? "custom_tool_call" : "function_call");
    json_str(&c->w, "call_id", id);
    json_str(&c->w, "name", call->name);
    if (call->raw_arguments)
        json_str(&c->w, input, oa_compact(call->arguments, c->a));
    else
        segments_raw(c->s, &c->w, input, call->arguments.len ? call->arguments : STR("\"\""));
    TRY(rc_put_ext(c, call->ext));
    json_end(&c->w);
    if (call->signature.len)
        TRY(rc_lose(c, "reasoning_state"));
    return call->cache ? rc_lose(c, "cache_control") : ERR_OK;
}

static bool is_said(const struct ir_part *part)
{
    return part->kind == IR_TEXT || part->kind == IR_REFUSAL;
}

static enum err put_opaque(struct rc_write *c, const struct ir_part *part)
{
    if (part->origin != IR_FROM_OPENAI_RESPONSES)
        return ir_drop(c->report, "content", rc_place(c), c->fault);
    release_reasoning(c);
    segments_raw(c->s, &c->w, NULL, part->raw);
    return ERR_OK;
}

static enum err put_assistant(struct rc_write *c)
{
    const struct ir_part *part = c->m->parts, *end;
    uint32_t index = 0;
    bool said = false, stated = has_state(c->m);
    if (c->pairs.answered) /* some results came, then the assistant again */
        TRY(ir_pairing_check(&c->pairs));
    for (; part; part = end, index++) {
        end = part->next;
        if (is_said(part)) {
            size_t len = part->json.len > 2;
            for (; end && is_said(end); end = end->next, index++)
                len += end->json.len > 2;
            bool alone = part == c->m->parts && !end;
            if (len || alone)
                TRY(put_said(c, part, end));
            said |= len || alone;
        } else if (part->kind == IR_TOOL_CALL) {
            TRY(put_call(c, part, index));
        } else if (part->kind == IR_REASONING) {
            TRY(hold_reasoning(c, part, stated));
        } else if (part->kind == IR_OPAQUE) {
            TRY(put_opaque(c, part));
        } else {
            return rc_refuse(c, rc_place(c),
                             "holds an image, audio or a file in a message of the assistant, which "
                             "the Responses API does not take; move it to a message of the user");
        }
    }
    if (!c->m->parts)
        return put_said(c, NULL, NULL);
    /* A message that is calls alone has no place for its members. */
    bool own = c->rq->origin == IR_FROM_OPENAI_RESPONSES;
    return said || own ? ERR_OK : rc_put_ext(c, c->m->ext);
}

/* -- answers of tools */

/* "Error: " before the text, since there is no flag. */
static const struct ir_part *marked_as_error(struct rc_write *c, const struct ir_part *result)
{
    struct ir_part *text = ARENA_NEW(c->a, struct ir_part);
    const struct ir_part *first = result->content;
    text->kind = IR_TEXT;
    text->json = STR("\"Error\"");
    text->next = (struct ir_part *)first;
    if (!first || first->kind != IR_TEXT)
        return text;
    *text = *first;
    text->json = arena_printf(c->a, "\"Error: %.*s",
                              STR_ARG(str_skip(first->json.len ? first->json : STR("\"\""), 1)));
    return text;
}

static enum err put_result(struct rc_write *c, const struct ir_pending *w)
{
    const struct ir_part *result = w->result;
    json_obj(&c->w, NULL);
    json_strz(&c->w, "type", w->call->custom ? "custom_tool_call_output" : "function_call_output");
    json_str(&c->w, "call_id", w->id);
    TRY(rc_put_content(c, "output",
                       result->is_error ? marked_as_error(c, result) : result->content));
    TRY(rc_put_ext(c, result->ext));
    json_end(&c->w);
    if (result->is_error)
        TRY(ir_degrade(c->report, "tool_error", rc_place(c), c->fault));
    return result->cache ? rc_lose(c, "cache_control") : ERR_OK;
}

static enum err add_result(struct rc_write *c, const struct ir_part *part, uint32_t index)
{
    bool complete;
    if (c->rq->origin != IR_FROM_OPENAI_RESPONSES && c->m->role == IR_TOOL)
        TRY(rc_put_ext(c, c->m->ext));
    TRY(ir_pairing_result(&c->pairs, part, c->m->index, index, &complete));
    if (!complete)
        return ERR_OK;
    for (const struct ir_pending *w = c->pairs.first; w; w = w->next)
        TRY(put_result(c, w));
    ir_pairing_reset(&c->pairs);
    return ERR_OK;
}

/* -- everybody else */

static enum err put_plain(struct rc_write *c)
{
    const struct provider *p = c->t->provider;
    enum ir_role role = c->m->role == IR_TOOL ? IR_USER : c->m->role;
    if (role == IR_DEVELOPER && p && p->developer_as_system)
        role = IR_SYSTEM;
    json_obj(&c->w, NULL);
    json_strz(&c->w, "role", ir_role_name(role));
    TRY(rc_put_content(c, "content", c->m->parts));
    TRY(rc_put_ext(c, c->m->ext));
    json_end(&c->w);
    return ERR_OK;
}

static enum err put_user(struct rc_write *c)
{
    uint32_t index = 0;
    bool any = false, items = false;
    TRY(drop_reasoning(c));
    for (const struct ir_part *part = c->m->parts; part; part = part->next, index++) {
        if (part->kind == IR_TOOL_RESULT) {
            TRY(add_result(c, part, index));
            items = true;
        } else if (rc_is_item(part)) {
            TRY(put_opaque(c, part));
            items = true;
        } else {
            any = true;
        }
    }
    if (!any && (items || c->m->role == IR_TOOL))
        return ERR_OK;
    if (c->m->role == IR_USER)
        TRY(ir_pairing_check(&c->pairs));
    return put_plain(c);
}

enum err rc_put_input(struct rc_write *c)
{
    c->waiting_tail = &c->waiting;
    ir_pairing_init(&c->pairs, c->a, c->fault);
    json_arr(&c->w, "input");
    for (c->m = c->rq->messages; c->m; c->m = c->m->next) {
        if (c->m->name.len)
            TRY(ir_lose(c->report, "message_name", "messages.name", c->fault));
        TRY(c->m->role == IR_ASSISTANT ? put_assistant(c) : put_user(c));
        if (!c->m->next)
            TRY(drop_reasoning(c));
    }
    json_end(&c->w);
    return ir_pairing_check(&c->pairs);
}
