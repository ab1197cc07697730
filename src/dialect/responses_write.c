/* Events as the events of a Responses stream, or as one response object. OpenAI's API reference, "Responses" and "Streaming events",
 * August 2026.
 *
 *   TEXT, REFUSAL        a message, its parts          REASONING, SIGNATURE   a reasoning item
 *   TOOL_CALL ...        a call                        WEB_SEARCH             a web_search_call
 *
 * All is collected, since the last event repeats it. What a client must not see (state that it did not ask for) is collected too, for
 * follow-ups. */
#include "base/mem.h"
#include "dialect/openai_chat.h"
#include "dialect/responses_priv.h"
#include "wire/digest.h"

#define TEXT_MAX (64 * MIB)
/* Of all that is collected. A stream's last events tell it four times, and wait together to be sent. */
#define COLLECTED_MAX (12 * MIB)
#define COLLECTED_FOLDED_MAX TEXT_MAX
#define ITEM_BYTES 512 /* an item's or a part's own, roughly */

static const struct ir_request nothing_asked = { .parallel_tool_calls = -1 };

static bool has_search(const struct ir_request *rq)
{
    for (const struct ir_tool *t = rq->tools; t; t = t->next)
        if (t->kind == IR_WEB_SEARCH)
            return true;
    return rq->web_search.len > 0;
}

void rs_writer_init(void *writer, const struct answer_context *c, const struct answer_style *style)
{
    struct rs_writer *wr = writer;
    char digest[SHA256_HEX_BYTES];
    *wr = (struct rs_writer){ .c = c, .style = *style, .rq = c->rq ? c->rq : &nothing_asked };
    if (!response_id_hex(style->response_id, &wr->hex)) {
        sha256_hex(c->id, digest);
        wr->hex = arena_dup(c->arena, str_of(digest, RESPONSE_HEX));
    }
    wr->created = c->unix_s;
    wr->searches = has_search(wr->rq);
    wr->tail = &wr->items;
    buf_init(&wr->held, TEXT_MAX);
}

void rs_writer_done(void *writer)
{
    struct rs_writer *wr = writer;
    for (struct rs_item *i = wr->items; i; i = i->next) {
        buf_done(&i->text);
        for (struct rs_part *p = i->parts; p; p = p->next) {
            buf_done(&p->text);
            buf_done(&p->annotations);
            buf_done(&p->logprobs);
        }
    }
    buf_done(&wr->held);
    wr->items = NULL;
    wr->tail = &wr->items;
    wr->message = wr->reasoning = NULL;
    wr->call_count = 0;
    wr->ended = true;
}

/* -- what is collected */

static void count(struct rs_writer *wr, size_t bytes)
{
    wr->collected += bytes;
    wr->cut |= wr->collected > (wr->style.fold ? COLLECTED_FOLDED_MAX : COLLECTED_MAX);
}

static void collect(struct rs_writer *wr, struct buf *to, struct str s)
{
    count(wr, s.len);
    if (!wr->cut)
        buf_put(to, s);
}

/* The inside of a literal; two of them joined are the inside of the joined string, since each was validated. */
static void collect_inside(struct rs_writer *wr, struct buf *to, struct str literal)
{
    if (literal.len > 2)
        collect(wr, to, str_of(literal.p + 1, literal.len - 2));
}

static struct str keep(struct rs_writer *wr, struct str s)
{
    count(wr, s.len);
    return arena_dup(wr->c->arena, s);
}

/* -- the beginning */

static void start(struct rs_writer *wr, const struct ir_event *ev, struct buf *out)
{
    if (wr->begun)
        return;
    wr->begun = true;
    if (ev && ev->kind == IR_EV_START) {
        if (ev->created)
            wr->created = ev->created;
        wr->service_tier = arena_dup(wr->c->arena, ev->service_tier);
    }
    rs_send_object(wr, "response.created", out);
    rs_send_object(wr, "response.in_progress", out);
}

/* -- items */

static struct rs_item *add_item(struct rs_writer *wr, enum rs_item_kind kind, const char *prefix)
{
    struct arena *a = wr->c->arena;
    struct rs_item *item = ARENA_NEW(a, struct rs_item);
    item->kind = kind;
    item->id = arena_printf(a, "%s%.*s%04x", prefix, STR_ARG(wr->hex), wr->item_count++);
    item->tail = &item->parts;
    count(wr, ITEM_BYTES);
    buf_init(&item->text, TEXT_MAX);
    IR_APPEND(wr->tail, item);
    return item;
}

static void show(struct rs_writer *wr, struct rs_item *item, struct buf *out)
{
    item->shown = true;
    item->index = wr->shown_count++;
    item->place = arena_printf(wr->c->arena, ",\"item_id\":\"%.*s\",\"output_index\":%u",
                               STR_ARG(item->id), item->index);
    rs_send_item(wr, "response.output_item.added", item, out);
}

static void close_item(struct rs_writer *wr, struct rs_item *item, bool cut, struct buf *out)
{
    item->closed = true;
    item->cut = cut;
    if (item->shown)
        rs_send_item(wr, "response.output_item.done", item, out);
}

/* State without text of its own: what rides on a call or a text, or was given without its thinking. */
static void add_state(struct rs_writer *wr, enum ir_origin origin, enum response_state_kind kind,
                      struct str signature, struct buf *out)
{
    struct rs_item *item = add_item(wr, RS_REASONING, "rs_");
    if (origin == IR_FROM_OPENAI_RESPONSES) {
        item->own_state = keep(wr, signature);
    } else {
        item->stated = true;
        item->state = (struct response_state){ origin, kind, keep(wr, signature), { 0 } };
    }
    if (wr->rq->reasoning_state)
        show(wr, item, out);
    close_item(wr, item, false, out);
}

/* -- reasoning */

static void close_reasoning(struct rs_writer *wr, bool cut, struct buf *out)
{
    struct rs_item *item = wr->reasoning;
    if (!item)
        return;
    wr->reasoning = NULL;
    bool state = item->stated || item->own_state.len;
    if (!item->shown && state && wr->rq->reasoning_state)
        show(wr, item, out);
    else if (item->shown && item->text.len)
        rs_send_reasoning_done(wr, item, out);
    close_item(wr, item, cut, out);
}

/* -- messages */

static void flush_held(struct rs_writer *wr, struct str logprobs, struct buf *out)
{
    struct rs_part *part = wr->message ? wr->message->part : NULL;
    if (!wr->holds)
        return;
    wr->holds = false;
    if (part)
        rs_send_delta(wr, part, buf_str(&wr->held), logprobs, out);
    buf_reset(&wr->held);
}

static void close_part(struct rs_writer *wr, struct buf *out)
{
    struct rs_part *part = wr->message->part;
    if (!part)
        return;
    flush_held(wr, STR(""), out);
    rs_send_done(wr, part, out);
    rs_send_part(wr, "response.content_part.done", part, out);
    wr->message->part = NULL;
}

static void flush_text_signature(struct rs_writer *wr, struct buf *out)
{
    struct str signature = wr->text_signature;
    wr->text_signature = str_of(NULL, 0);
    if (signature.len)
        add_state(wr, IR_FROM_GEMINI, STATE_TEXT, signature, out);
}

static void close_message(struct rs_writer *wr, bool cut, struct buf *out)
{
    struct rs_item *item = wr->message;
    if (!item)
        return;
    close_part(wr, out);
    wr->message = NULL;
    wr->sealed = false;
    close_item(wr, item, cut, out);
    flush_text_signature(wr, out);
}

/* Something else begins. Where a search may add citations to the text later, the message stays open for them. */
static void leave_message(struct rs_writer *wr, struct buf *out)
{
    if (!wr->message)
        return;
    if (!wr->searches) {
        close_message(wr, false, out);
        return;
    }
    flush_held(wr, STR(""), out);
    wr->sealed = true;
    flush_text_signature(wr, out);
}

static struct rs_part *open_part(struct rs_writer *wr, bool refusal, struct buf *out)
{
    if (wr->message && wr->sealed)
        close_message(wr, false, out);
    if (!wr->message) {
        wr->message = add_item(wr, RS_MESSAGE, "msg_");
        show(wr, wr->message, out);
    }
    struct rs_item *m = wr->message;
    if (m->part && m->part->refusal == refusal)
        return m->part;
    close_part(wr, out);
    struct rs_part *part = ARENA_NEW(wr->c->arena, struct rs_part), *last = m->parts;
    while (last && last->next)
        last = last->next;
    part->refusal = refusal;
    part->index = last ? last->index + 1 : 0;
    part->start = wr->points;
    part->place =
        arena_printf(wr->c->arena, "%.*s,\"content_index\":%u", STR_ARG(m->place), part->index);
    count(wr, ITEM_BYTES);
    buf_init(&part->text, TEXT_MAX);
    buf_init(&part->annotations, TEXT_MAX);
    buf_init(&part->logprobs, TEXT_MAX);
    rs_send_part(wr, "response.content_part.added", part, out);
    IR_APPEND(m->tail, part);
    m->part = part;
    return part;
}

static void on_text(struct rs_writer *wr, struct str json, bool refusal, struct buf *out)
{
    if (json.len <= 2)
        return;
    close_reasoning(wr, false, out);
    flush_held(wr, STR(""), out);
    struct rs_part *part = open_part(wr, refusal, out);
    wr->refused |= refusal;
    collect_inside(wr, &part->text, json);
    if (refusal) {
        rs_send_delta(wr, part, json, STR(""), out);
        return;
    }
    uint64_t n = ir_points(json);
    part->points += n;
    wr->points += n;
    if (!wr->rq->logprobs) {
        rs_send_delta(wr, part, json, STR(""), out);
        return;
    }
    buf_put(&wr->held, json);
    wr->holds = true;
}

/* The tokens of the piece of text just before. */
static void on_logprobs(struct rs_writer *wr, struct str raw, struct buf *out)
{
    static const struct str content = STR_INIT("content");
    struct json_member m;
    struct rs_part *part = wr->message ? wr->message->part : NULL;
    if (!part || part->refusal || !wr->rq->logprobs ||
        !json_peek_object(raw, &content, 1, &m, NULL))
        return;
    struct buf tokens;
    buf_init(&tokens, TEXT_MAX);
    rs_put_logprobs(json_value(raw, &m), &tokens);
    if (tokens.len && part->logprobs.len)
        buf_putc(&part->logprobs, ',');
    collect(wr, &part->logprobs, buf_str(&tokens));
    wr->cut |= tokens.fail != ERR_OK;
    flush_held(wr, buf_str(&tokens), out);
    buf_done(&tokens);
}

static void on_annotation(struct rs_writer *wr, struct str raw, struct buf *out)
{
    struct rs_part *part = wr->message ? wr->message->part : NULL;
    struct buf flat;
    if (!part || part->refusal)
        return;
    flush_held(wr, STR(""), out);
    buf_init(&flat, TEXT_MAX);
    if (rs_put_annotation(raw, part, &flat) && !flat.fail) {
        rs_send_annotation(wr, part, buf_str(&flat), out);
        if (part->annotation_count++)
            buf_putc(&part->annotations, ',');
        collect(wr, &part->annotations, buf_str(&flat));
    }
    buf_done(&flat);
}

/* -- reasoning */

static void on_reasoning(struct rs_writer *wr, struct str json, struct buf *out)
{
    if (json.len <= 2)
        return;
    leave_message(wr, out);
    if (!wr->reasoning) {
        wr->reasoning = add_item(wr, RS_REASONING, "rs_");
        if (wr->rq->reasoning_visible)
            show(wr, wr->reasoning, out);
    }
    struct rs_item *item = wr->reasoning;
    if (item->shown) {
        if (item->text.len == 0)
            rs_send_reasoning_begin(wr, item, out);
        rs_send_reasoning(wr, item, json, out);
    }
    collect_inside(wr, &item->text, json);
}

static void on_signature(struct rs_writer *wr, const struct ir_event *ev, struct buf *out)
{
    struct rs_item *item = wr->reasoning;
    if (ev->json.len <= 2)
        return;
    enum response_state_kind kind = ev->redacted ? STATE_REDACTED : STATE_THINKING;
    if (!item && ev->origin == IR_FROM_GEMINI && !ev->redacted) {
        if (wr->message && !wr->sealed)
            wr->text_signature = keep(wr, ev->json);
        else
            add_state(wr, ev->origin, STATE_TEXT, ev->json, out);
        return;
    }
    bool own = ev->origin == IR_FROM_OPENAI_RESPONSES;
    if (!item || (ev->redacted && !own)) {
        close_reasoning(wr, false, out);
        leave_message(wr, out);
        add_state(wr, ev->origin, kind, ev->json, out);
        return;
    }
    if (own) {
        item->own_state = keep(wr, ev->json);
    } else {
        item->stated = true;
        item->state = (struct response_state){ ev->origin, kind, keep(wr, ev->json), { 0 } };
    }
    close_reasoning(wr, false, out); /* what follows is the next block */
}

/* -- calls */

static void close_call(struct rs_writer *wr, struct rs_item *item, bool cut, struct buf *out)
{
    if (item->closed)
        return;
    if (!item->custom && !item->text.len && !cut) { /* clients parse arguments */
        collect_inside(wr, &item->text, STR("\"{}\""));
        rs_send_input(wr, item, STR("\"{}\""), out);
    }
    rs_send_input_done(wr, item, out);
    close_item(wr, item, cut, out);
}

static void on_call(struct rs_writer *wr, const struct ir_event *ev, struct buf *out)
{
    struct arena *a = wr->c->arena;
    if (ev->part != wr->call_count)
        return;
    close_reasoning(wr, false, out);
    leave_message(wr, out);
    if (ev->signature.len > 2)
        add_state(wr, ev->origin, STATE_CALL, ev->signature, out);
    if (wr->call_count == wr->call_room) {
        uint32_t room = wr->call_room ? wr->call_room * 2 : 4;
        struct rs_item **calls = ARENA_ARRAY(a, struct rs_item *, room);
        if (wr->call_count)
            memcpy(calls, wr->calls, wr->call_count * sizeof(struct rs_item *));
        wr->calls = calls;
        wr->call_room = room;
    }
    struct rs_item *item = add_item(wr, RS_CALL, ev->custom ? "ctc_" : "fc_");
    item->call_id = arena_dup(a, ev->call_id);
    item->name = arena_dup(a, ev->name);
    item->custom = ev->custom;
    wr->calls[wr->call_count++] = item;
    show(wr, item, out);
}

static struct rs_item *open_call(const struct rs_writer *wr, uint32_t part)
{
    return part < wr->call_count && !wr->calls[part]->closed ? wr->calls[part] : NULL;
}

static void on_arguments(struct rs_writer *wr, const struct ir_event *ev, struct buf *out)
{
    struct rs_item *item = open_call(wr, ev->part);
    if (!item || ev->json.len <= 2)
        return;
    collect_inside(wr, &item->text, ev->json);
    rs_send_input(wr, item, ev->json, out);
}

/* -- searches */

static void on_search(struct rs_writer *wr, const struct ir_event *ev, struct buf *out)
{
    close_reasoning(wr, false, out);
    wr->searches = true;
    leave_message(wr, out);
    struct rs_item *item = add_item(wr, RS_SEARCH, "ws_");
    item->query = ev->json.len > 2 ? keep(wr, ev->json) : str_of(NULL, 0);
    show(wr, item, out);
    rs_send_search(wr, item, out);
    close_item(wr, item, false, out);
}

/* -- the end */

/* A filter's refusal with a word to the reader is an answer, complete; without one the answer was cut. Where a filter of Gemini stops
 * an answer it is cut, explained or not. */
static enum rs_status status_of(const struct rs_writer *wr, enum ir_finish finish)
{
    const struct dialect_target *t = wr->c->target;
    bool gemini = t && t->facts && str_eq(t->facts->family, STR("gemini"));
    if (finish == IR_FINISH_LENGTH)
        return RS_LENGTH;
    if (finish == IR_FINISH_CONTENT_FILTER && (gemini || !wr->refused))
        return RS_FILTERED;
    return RS_COMPLETED;
}

static void finish(struct rs_writer *wr, const struct ir_event *ev, struct buf *out)
{
    if (wr->finished)
        return;
    if (ev->finish == IR_FINISH_CONTENT_FILTER && !wr->refused)
        on_text(wr, ev->json, true, out);
    wr->finished = true;
    enum rs_status status = status_of(wr, ev->finish);
    bool cut = status != RS_COMPLETED;
    close_reasoning(wr, cut, out);
    close_message(wr, cut, out);
    for (uint32_t i = 0; i < wr->call_count; i++)
        close_call(wr, wr->calls[i], cut, out);
    wr->status = status;
}

static void set_error(struct rs_writer *wr, const struct fault *f)
{
    wr->status = RS_FAILED;
    wr->error_code = f->status == 429   ? STR("rate_limit_exceeded")
                     : f->status == 400 ? STR("invalid_prompt")
                                        : STR("server_error");
    wr->error_message = arena_dup(wr->c->arena, f->msg);
}

/* What was said is in the answer, incomplete. Calls that are open stay so: one whose arguments are cut must not look like one to be
 * made. */
static void cut_items(struct rs_writer *wr)
{
    for (struct rs_item *i = wr->items; i; i = i->next)
        if (i->shown && !i->closed && i->kind != RS_CALL)
            i->closed = i->cut = true;
}

void response_writer_fault(void *writer, const struct fault *f, struct str call_id, struct buf *out)
{
    struct rs_writer *wr = writer;
    if (wr->ended)
        return;
    wr->ended = true;
    if (wr->style.fold) {
        set_error(wr, f);
        openai_write_fault(f, call_id, out);
        return;
    }
    start(wr, NULL, out);
    flush_held(wr, STR(""), out);
    cut_items(wr);
    set_error(wr, f);
    rs_send_object(wr, "response.failed", out);
    response_write_fault(f, wr->sequence++, call_id, out);
}

static void end(struct rs_writer *wr, struct buf *out)
{
    static const struct ir_event stop = { .kind = IR_EV_FINISH, .finish = IR_FINISH_STOP };
    finish(wr, &stop, out);
    if (wr->cut)
        return;
    wr->ended = true;
    if (wr->style.fold)
        rs_put_object(wr, out);
    else
        rs_send_object(
            wr, wr->status == RS_COMPLETED ? "response.completed" : "response.incomplete", out);
}

/* This API has one choice; after its finish nothing belongs to it. */
static bool is_ours(const struct rs_writer *wr, const struct ir_event *ev)
{
    return !wr->finished && ev->choice == 0;
}

static void write_item(struct rs_writer *wr, const struct ir_event *ev, struct buf *out)
{
    struct rs_item *call;
    if (!is_ours(wr, ev))
        return;
    switch (ev->kind) {
    case IR_EV_TEXT: on_text(wr, ev->json, false, out); break;
    case IR_EV_REFUSAL: on_text(wr, ev->json, true, out); break;
    case IR_EV_REASONING: on_reasoning(wr, ev->json, out); break;
    case IR_EV_SIGNATURE: on_signature(wr, ev, out); break;
    case IR_EV_TOOL_CALL: on_call(wr, ev, out); break;
    case IR_EV_TOOL_ARGUMENTS: on_arguments(wr, ev, out); break;
    case IR_EV_TOOL_END:
        if ((call = open_call(wr, ev->part)))
            close_call(wr, call, false, out);
        break;
    case IR_EV_ANNOTATION: on_annotation(wr, oa_one_line(ev->raw, wr->c->arena), out); break;
    case IR_EV_LOGPROBS: on_logprobs(wr, oa_one_line(ev->raw, wr->c->arena), out); break;
    case IR_EV_WEB_SEARCH: on_search(wr, ev, out); break;
    default: break;
    }
}

void rs_write_answer(void *writer, const struct ir_event *ev, struct buf *out)
{
    struct rs_writer *wr = writer;
    bool begun = wr->begun;
    uint64_t sequence = wr->sequence;
    if (wr->ended)
        return;
    switch (ev->kind) {
    case IR_EV_START: start(wr, ev, out); break;
    case IR_EV_TEXT:
    case IR_EV_REASONING:
    case IR_EV_SIGNATURE:
    case IR_EV_REFUSAL:
    case IR_EV_TOOL_CALL:
    case IR_EV_TOOL_ARGUMENTS:
    case IR_EV_TOOL_END:
    case IR_EV_ANNOTATION:
    case IR_EV_LOGPROBS:
    case IR_EV_WEB_SEARCH:
        start(wr, ev, out);
        write_item(wr, ev, out);
        break;
    case IR_EV_FINISH:
        start(wr, ev, out);
        if (ev->service_tier.len)
            wr->service_tier = arena_dup(wr->c->arena, ev->service_tier);
        if (ev->choice == 0)
            finish(wr, ev, out);
        break;
    case IR_EV_USAGE: wr->usage = ev->usage; break;
    case IR_EV_LOSS: break;
    case IR_EV_PING:
        if (!wr->style.fold)
            buf_putz(out, ": ping\n\n");
        break;
    case IR_EV_ERROR: response_writer_fault(wr, ev->fault, STR(""), out); break;
    case IR_EV_END:
        start(wr, ev, out);
        end(wr, out);
        break;
    case IR_EV_COUNT: break;
    }
    if (wr->cut && !wr->ended)
        out->fail = ERR_TOO_LARGE;
    if (out->fail) { /* what was written now does not go out */
        wr->begun = begun;
        wr->sequence = sequence;
    }
}
