/* Output items and their parts. What deltas have told is not told again by the complete item. */
#include "base/mem.h"
#include "dialect/responses_provider_priv.h"

#define ITEMS_MAX 1024
#define PARTS_MAX 8192 /* of all items */

struct str rr_text(struct str object, const char *name)
{
    struct str v = json_get(object, name);
    return json_type_of(v) == JSON_STRING && v.len > 2 ? v : str_of(NULL, 0);
}

enum err rr_bad(struct rr_out *o, const char *what)
{
    *o->ret_what = what;
    return ERR_UPSTREAM_BAD;
}

void rr_loss(struct rr_out *o, const char *tag, bool degraded)
{
    struct ir_event ev = { .kind = IR_EV_LOSS, .name = str_c(tag), .degraded = degraded };
    ir_emit(o->sink, &ev);
}

/* -- text */

static void emit_reasoning(struct rr_out *o, const struct rr_part *part, struct str literal)
{
    struct ir_event ev = { .kind = IR_EV_REASONING,
                           .json = STR("\"\\n\\n\""),
                           .origin = IR_FROM_OPENAI_RESPONSES };
    if (o->r->reasoned && o->r->reasoned != part)
        ir_emit(o->sink, &ev); /* parts are paragraphs */
    o->r->reasoned = part;
    ev.json = literal;
    ir_emit(o->sink, &ev);
}

void rr_emit_text(struct rr_out *o, struct rr_part *part, enum ir_event_kind kind,
                  struct str literal)
{
    struct ir_event ev = { .kind = kind, .json = literal };
    if (literal.len <= 2)
        return;
    part->told = true;
    if (kind == IR_EV_REASONING) {
        emit_reasoning(o, part, literal);
        return;
    }
    if (kind == IR_EV_TEXT)
        o->r->text_points += ir_points(literal);
    ir_emit(o->sink, &ev);
}

/* -- items and parts by place */

struct rr_item *rr_item_find(const struct rr_reader *r, const uint64_t *index, struct str id)
{
    for (size_t i = r->count; index && i-- > 0;)
        if (r->items[i]->index == *index)
            return r->items[i];
    for (size_t i = r->count; id.len > 2 && i-- > 0;)
        if (json_str_eq(id, r->items[i]->id))
            return r->items[i];
    return index || id.len || !r->count ? NULL : r->items[r->count - 1];
}

enum err rr_part_at(struct rr_out *o, struct rr_item *it, bool summary, uint64_t index,
                    struct rr_part **ret_part)
{
    struct rr_part *part = it->parts;
    while (part && (part->summary != summary || part->index != index))
        part = part->next;
    if (!part) {
        if (o->r->part_count++ == PARTS_MAX)
            return rr_bad(o, "more than 8192 parts in one answer");
        part = ARENA_NEW(o->r->c.arena, struct rr_part);
        part->summary = summary;
        part->index = index;
        part->text_start = o->r->text_points;
        part->next = it->parts;
        it->parts = part;
    }
    *ret_part = part;
    return ERR_OK;
}

static enum rr_kind kind_of(struct str item)
{
    static const struct {
        struct str type;
        enum rr_kind kind;
    } kinds[] = {
        { STR_INIT("message"), RR_MESSAGE },
        { STR_INIT("reasoning"), RR_REASONING },
        { STR_INIT("function_call"), RR_FUNCTION },
        { STR_INIT("custom_tool_call"), RR_CUSTOM },
    };
    struct str type = json_get(item, "type");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (json_str_eq(type, kinds[i].type))
            return kinds[i].kind;
    return item.len ? RR_OTHER : RR_UNKNOWN;
}

/* -- an item begins */

static enum err learn(struct rr_out *o, struct rr_item *it, struct str item)
{
    bool call = it->kind == RR_FUNCTION || it->kind == RR_CUSTOM;
    if (call && !it->call && !(it->call = rr_call_add(o->r, it->kind == RR_CUSTOM)))
        return rr_bad(o, "more than 512 tool calls");
    if (call)
        rr_call_learn(o, it->call, rr_text(item, "call_id"), rr_text(item, "name"));
    return ERR_OK;
}

enum err rr_item_begin(struct rr_out *o, struct str item, uint64_t index, struct rr_item **ret_item)
{
    struct rr_reader *r = o->r;
    if (r->count == ITEMS_MAX)
        return rr_bad(o, "more than 1024 output items");
    if (r->count == r->room) {
        size_t room = r->room ? r->room * 2 : 8;
        struct rr_item **all = ARENA_ARRAY(r->c.arena, struct rr_item *, room);
        if (r->count)
            memcpy(all, r->items, r->count * sizeof all[0]);
        r->items = all;
        r->room = room;
    }
    struct rr_item *it = ARENA_NEW(r->c.arena, struct rr_item);
    r->items[r->count++] = it;
    it->index = index;
    it->id = arena_dup(r->c.arena, json_unescape(rr_text(item, "id"), r->c.arena));
    it->kind = kind_of(item);
    *ret_item = it;
    return learn(o, it, item);
}

/* -- an item is complete */

static enum err end_content(struct rr_out *o, struct rr_item *it, struct str content)
{
    bool reasoning = it->kind == RR_REASONING;
    uint64_t index = 0;
    struct json_iter parts = json_iter(json_type_of(content) == JSON_ARRAY ? content : STR("[]"));
    for (; json_next(&parts); index++) {
        struct rr_part *part;
        struct str refusal = rr_text(parts.value, "refusal"), list;
        size_t n = 0;
        TRY(rr_part_at(o, it, false, index, &part));
        if (!part->told)
            rr_emit_text(o, part,
                         refusal.len ? IR_EV_REFUSAL
                         : reasoning ? IR_EV_REASONING
                                     : IR_EV_TEXT,
                         refusal.len ? refusal : rr_text(parts.value, "text"));
        if (!part->logprobs)
            rr_logprobs(o, part, json_get(parts.value, "logprobs"), refusal.len != 0);
        list = json_get(parts.value, "annotations");
        struct json_iter notes = json_iter(json_type_of(list) == JSON_ARRAY ? list : STR("[]"));
        for (size_t told = part->annotations; json_next(&notes); n++)
            if (n >= told)
                rr_annotation(o, part, notes.value);
    }
    return ERR_OK;
}

static enum err end_reasoning(struct rr_out *o, struct rr_item *it, struct str item)
{
    struct str list = json_get(item, "summary"), state = rr_text(item, "encrypted_content");
    uint64_t index = 0;
    bool told = false;
    struct json_iter parts = json_iter(json_type_of(list) == JSON_ARRAY ? list : STR("[]"));
    for (; json_next(&parts); index++) {
        struct rr_part *part;
        TRY(rr_part_at(o, it, true, index, &part));
        if (!part->told)
            rr_emit_text(o, part, IR_EV_REASONING, rr_text(parts.value, "text"));
    }
    TRY(end_content(o, it, json_get(item, "content")));
    for (const struct rr_part *part = it->parts; part; part = part->next)
        told |= part->told;
    struct ir_event ev = { .kind = IR_EV_SIGNATURE,
                           .json = state,
                           .redacted = !told,
                           .origin = IR_FROM_OPENAI_RESPONSES };
    if (state.len)
        ir_emit(o->sink, &ev);
    return ERR_OK;
}

static enum err end_call(struct rr_out *o, struct rr_item *it, struct str item)
{
    bool custom = it->kind == RR_CUSTOM;
    struct str input = json_get(item, custom ? "input" : "arguments");
    if (json_type_of(input) == JSON_OBJECT) /* a server that forgets to make it a string */
        input = ir_quote(oa_compact(input, o->r->c.arena), o->r->c.arena);
    if (!it->call->argued && json_type_of(input) == JSON_STRING)
        TRY(rr_call_arguments(o, it->call, input));
    rr_call_done(o, it->call);
    return ERR_OK;
}

/* A search is told by its query; pages that were opened and looked through are the provider's own affair. */
static void end_search(struct rr_out *o, struct rr_item *it, struct str item)
{
    struct str action = json_get(item, "action"), queries = json_get(action, "queries");
    struct ir_event ev = { .kind = IR_EV_WEB_SEARCH,
                           .call_id = it->id,
                           .json = rr_text(action, "query") };
    struct json_iter list = json_iter(json_type_of(queries) == JSON_ARRAY ? queries : STR("[]"));
    while (!ev.json.len && json_next(&list))
        if (list.type == JSON_STRING && list.value.len > 2)
            ev.json = list.value;
    if (ev.json.len)
        ir_emit(o->sink, &ev);
    else
        rr_loss(o, "server_tools", false);
}

/* Words on the way ("commentary") are text like the answer's own: which is which has no place in chat. */
static void tell_phase(struct rr_out *o, struct str item)
{
    if (!o->r->commented && json_str_eq(json_get(item, "phase"), STR("commentary"))) {
        o->r->commented = true;
        rr_loss(o, "phase", true);
    }
}

enum err rr_item_end(struct rr_out *o, struct rr_item *it, struct str item)
{
    if (it->done)
        return ERR_OK;
    it->done = true;
    if (it->kind == RR_UNKNOWN)
        it->kind = kind_of(item);
    TRY(learn(o, it, item));
    switch (it->kind) {
    case RR_MESSAGE: tell_phase(o, item); return end_content(o, it, json_get(item, "content"));
    case RR_REASONING: return end_reasoning(o, it, item);
    case RR_FUNCTION:
    case RR_CUSTOM: return end_call(o, it, item);
    case RR_OTHER:
    case RR_UNKNOWN: break;
    }
    if (json_str_eq(json_get(item, "type"), STR("web_search_call")))
        end_search(o, it, item);
    else
        rr_loss(o, "server_tools", false);
    return ERR_OK;
}
