/* Events as chat.completion.chunk frames. OpenAI's API reference, "The chat completion chunk object",
 * August 2026.
 *
 * A choice's first chunk has its role; what the first content is decides whether `content` begins as "" or null there. Blocks of
 * signed thinking are told whole, in one chunk, when their signature comes: both clients that join pieces and clients that collect
 * blocks then hold the same. */
#include "base/mem.h"
#include "dialect/openai_chat.h"
#include "dialect/openai_ir_priv.h"

/* Without a printf: every answer has one. */
static struct str chat_id(struct arena *a, struct str id)
{
    static const struct str prefix = STR_INIT("chatcmpl-");
    char *p = arena_alloc(a, prefix.len + id.len);
    memcpy(p, prefix.p, prefix.len);
    if (id.len)
        memcpy(p + prefix.len, id.p, id.len);
    return str_of(p, prefix.len + id.len);
}

void oa_writer_init(void *writer, const struct answer_context *c, const struct answer_style *style)
{
    struct oa_writer *wr = writer;
    *wr = (struct oa_writer){ .c = *c, .style = *style };
    wr->legacy = c->rq && c->rq->legacy_functions;
    wr->id = chat_id(c->arena, c->id);
    wr->created = c->unix_s;
}

/* What all chunks begin with, made once. */
static void make_head(struct oa_writer *wr)
{
    struct buf head;
    struct json_write w;
    buf_init(&head, MIB);
    json_begin(&w, &head);
    json_obj(&w, NULL);
    json_str(&w, "id", wr->id);
    json_strz(&w, "object", "chat.completion.chunk");
    json_uint(&w, "created", wr->created);
    json_raw(&w, "model", wr->style.model_json);
    if (wr->service_tier.len)
        json_str(&w, "service_tier", wr->service_tier);
    buf_putz(&head, ",\"choices\":[");
    wr->chunk_head = arena_dup(wr->c.arena, buf_str(&head));
    buf_done(&head);
}

static void start(struct oa_writer *wr, const struct ir_event *ev)
{
    struct arena *a = wr->c.arena;
    if (wr->started)
        return;
    wr->started = true;
    if (ev->kind == IR_EV_START) {
        if (ev->id.len)
            wr->id =
                str_starts(ev->id, STR("chatcmpl-")) ? arena_dup(a, ev->id) : chat_id(a, ev->id);
        if (ev->created)
            wr->created = ev->created;
        wr->service_tier = arena_dup(a, ev->service_tier);
    }
    if (!wr->style.fold)
        make_head(wr);
}

/* -- one chunk */

static void open_chunk(struct oa_writer *wr, uint32_t choice, struct buf *out)
{
    buf_putz(out, "data: ");
    buf_put(out, wr->chunk_head);
    buf_putz(out, "{\"index\":");
    buf_u64(out, choice);
    buf_putz(out, ",\"delta\":{");
}

/* After the delta's members. `logprobs` and `finish` empty: null. */
static void close_chunk(struct oa_writer *wr, struct str logprobs, struct str finish,
                        struct buf *out)
{
    buf_putz(out, "},\"logprobs\":");
    buf_put(out, logprobs.len ? logprobs : STR("null"));
    buf_putz(out, ",\"finish_reason\":");
    if (finish.len) {
        buf_putc(out, '"');
        buf_put(out, finish);
        buf_putc(out, '"');
    } else {
        buf_putz(out, "null");
    }
    buf_putz(out, wr->style.usage ? "}],\"usage\":null}\n\n" : "}]}\n\n");
}

/* {"<name>":<raw>} */
static void put_piece(struct oa_writer *wr, uint32_t choice, const char *lead, struct str raw,
                      const char *tail, struct buf *out)
{
    open_chunk(wr, choice, out);
    buf_putz(out, lead);
    buf_put(out, raw);
    buf_putz(out, tail);
    close_chunk(wr, STR(""), STR(""), out);
}

static void put_role(struct oa_writer *wr, uint32_t choice, struct oa_choice *ch, bool text,
                     struct buf *out)
{
    if (ch->begun)
        return;
    ch->begun = true;
    put_piece(wr, choice, "\"role\":\"assistant\",\"content\":", text ? STR("\"\"") : STR("null"),
              ",\"refusal\":null", out);
}

/* -- events that make chunks */

static void put_signature(struct oa_writer *wr, struct oa_choice *ch, const struct ir_event *ev,
                          struct buf *out)
{
    struct buf block;
    bool details;
    buf_init(&block, 64 * MIB);
    if (!oa_put_block(ch, ev, &block, &details))
        put_piece(wr, ev->choice, "\"extra_content\":{\"google\":{\"thought_signature\":", ev->json,
                  "}}", out);
    else
        put_piece(wr, ev->choice, details ? "\"reasoning_details\":[" : "\"thinking_blocks\":[",
                  buf_str(&block), "]", out);
    buf_done(&block);
}

static void put_call(struct oa_writer *wr, struct oa_choice *ch, const struct ir_event *ev,
                     struct buf *out)
{
    const char *kind = ev->custom ? "custom" : "function";
    struct oa_folded_call *call = oa_call_add(wr, ch, ev->part);
    if (!call)
        return;
    call->custom = ev->custom;
    open_chunk(wr, ev->choice, out);
    if (wr->legacy) {
        buf_putz(out, "\"function_call\":{\"name\":");
        json_quote(out, ev->name);
        buf_putz(out, ",\"arguments\":\"\"}");
    } else {
        buf_putz(out, "\"tool_calls\":[{\"index\":");
        buf_u64(out, ev->part);
        buf_putz(out, ",\"id\":");
        json_quote(out, ev->call_id);
        buf_printf(out, ",\"type\":\"%s\",\"%s\":{\"name\":", kind, kind);
        json_quote(out, ev->name);
        buf_putz(out, ev->custom ? ",\"input\":\"\"}" : ",\"arguments\":\"\"}");
        if (ev->signature.len && ev->origin == IR_FROM_GEMINI) {
            buf_putz(out, ",\"extra_content\":{\"google\":{\"thought_signature\":");
            buf_put(out, ev->signature);
            buf_putz(out, "}}");
        }
        buf_putz(out, "}]");
    }
    close_chunk(wr, STR(""), STR(""), out);
}

static void put_arguments(struct oa_writer *wr, struct oa_choice *ch, uint32_t choice,
                          uint32_t part, struct str json, struct buf *out)
{
    struct oa_folded_call *call = oa_call_at(ch, part);
    if (!call || json.len <= 2)
        return;
    call->any = true;
    open_chunk(wr, choice, out);
    if (wr->legacy) {
        buf_putz(out, "\"function_call\":{\"arguments\":");
        buf_put(out, json);
        buf_putc(out, '}');
    } else {
        buf_putz(out, "\"tool_calls\":[{\"index\":");
        buf_u64(out, part);
        buf_putz(out, call->custom ? ",\"custom\":{\"input\":" : ",\"function\":{\"arguments\":");
        buf_put(out, json);
        buf_putz(out, "}}]");
    }
    close_chunk(wr, STR(""), STR(""), out);
}

/* Clients parse arguments: a call without any has an empty object. */
static void end_call(struct oa_writer *wr, struct oa_choice *ch, const struct ir_event *ev,
                     struct buf *out)
{
    struct oa_folded_call *call = oa_call_at(ch, ev->part);
    if (call && !call->any && !call->custom)
        put_arguments(wr, ch, ev->choice, ev->part, STR("\"{}\""), out);
}

static void put_finish(struct oa_writer *wr, struct oa_choice *ch, const struct ir_event *ev,
                       struct buf *out)
{
    bool refused = ch->refusal.len != 0;
    if (ch->finished)
        return;
    put_role(wr, ev->choice, ch, !refused && ev->json.len <= 2, out);
    if (!refused && ev->json.len > 2) {
        put_piece(wr, ev->choice, "\"refusal\":", ev->json, "", out);
        refused = true;
    }
    if (!ch->texts && !refused && !ch->call_count)
        put_piece(wr, ev->choice, "\"content\":", STR("\"\""), "", out);
    ch->finish = ev->finish;
    ch->finished = true;
    open_chunk(wr, ev->choice, out);
    close_chunk(wr, STR(""), oa_finish_word(wr, ch), out);
}

/* Of the text only what a later chunk depends upon is kept. */
static void write_piece(struct oa_writer *wr, struct oa_choice *ch, const struct ir_event *ev,
                        struct buf *out)
{
    if (ev->kind == IR_EV_TOOL_CALL && wr->legacy && ev->part > 0)
        return; /* the deprecated form has room for one call */
    put_role(wr, ev->choice, ch, ev->kind == IR_EV_TEXT, out);
    switch (ev->kind) {
    case IR_EV_TEXT:
        ch->texts = true;
        put_piece(wr, ev->choice, "\"content\":", ev->json, "", out);
        break;
    case IR_EV_REASONING:
        buf_put(&ch->thinking, str_of(ev->json.p + 1, ev->json.len - 2));
        put_piece(wr, ev->choice, "\"reasoning_content\":", ev->json, "", out);
        break;
    case IR_EV_REFUSAL:
        if (!ch->refusal.len)
            buf_putc(&ch->refusal, 'x'); /* there is one */
        put_piece(wr, ev->choice, "\"refusal\":", ev->json, "", out);
        break;
    case IR_EV_SIGNATURE: put_signature(wr, ch, ev, out); break;
    case IR_EV_TOOL_CALL: put_call(wr, ch, ev, out); break;
    case IR_EV_ANNOTATION:
        put_piece(wr, ev->choice, "\"annotations\":[", oa_one_line(ev->raw, wr->c.arena), "]", out);
        break;
    case IR_EV_LOGPROBS:
        open_chunk(wr, ev->choice, out);
        close_chunk(wr, oa_one_line(ev->raw, wr->c.arena), STR(""), out);
        break;
    default: break;
    }
}

static bool is_silent(const struct ir_event *ev)
{
    bool text = ev->kind == IR_EV_TEXT || ev->kind == IR_EV_REASONING || ev->kind == IR_EV_REFUSAL;
    return (text && ev->json.len <= 2) || (ev->kind == IR_EV_SIGNATURE && ev->json.len <= 2);
}

static void end(struct oa_writer *wr, struct buf *out)
{
    struct json_write w;
    if (wr->style.fold) {
        oa_put_folded(wr, out);
        return;
    }
    if (wr->style.usage && wr->usage.reported) {
        buf_putz(out, "data: ");
        buf_put(out, wr->chunk_head);
        buf_putz(out, "],\"usage\":");
        json_begin(&w, out);
        oa_put_usage(&w, NULL, &wr->usage);
        buf_putz(out, "}\n\n");
    }
    buf_putz(out, "data: [DONE]\n\n");
}

static void fail(struct oa_writer *wr, const struct ir_event *ev, struct buf *out)
{
    if (!wr->style.fold)
        buf_putz(out, "data: ");
    openai_write_fault(ev->fault, STR(""), out);
    if (!wr->style.fold)
        buf_putz(out, "\n\n");
}

/* Events that belong to a choice. */
static void write_choice(struct oa_writer *wr, const struct ir_event *ev, struct buf *out)
{
    struct oa_choice *ch = oa_choice_at(wr, ev->choice);
    if (!ch || is_silent(ev))
        return;
    if (wr->style.fold)
        oa_collect(wr, ev);
    else if (ev->kind == IR_EV_FINISH)
        put_finish(wr, ch, ev, out);
    else if (ev->kind == IR_EV_TOOL_ARGUMENTS)
        put_arguments(wr, ch, ev->choice, ev->part, ev->json, out);
    else if (ev->kind == IR_EV_TOOL_END)
        end_call(wr, ch, ev, out);
    else
        write_piece(wr, ch, ev, out);
}

void oa_write_answer(void *writer, const struct ir_event *ev, struct buf *out)
{
    struct oa_writer *wr = writer;
    if (wr->ended)
        return;
    if (ev->kind != IR_EV_ERROR && ev->kind != IR_EV_PING && ev->kind != IR_EV_LOSS)
        start(wr, ev);
    switch (ev->kind) {
    case IR_EV_START: break;
    case IR_EV_TEXT:
    case IR_EV_REASONING:
    case IR_EV_SIGNATURE:
    case IR_EV_REFUSAL:
    case IR_EV_TOOL_CALL:
    case IR_EV_TOOL_ARGUMENTS:
    case IR_EV_TOOL_END:
    case IR_EV_ANNOTATION:
    case IR_EV_LOGPROBS: write_choice(wr, ev, out); break;
    case IR_EV_FINISH:
        if (wr->style.fold && ev->service_tier.len)
            wr->service_tier = arena_dup(wr->c.arena, ev->service_tier);
        write_choice(wr, ev, out);
        break;
    case IR_EV_USAGE: wr->usage = ev->usage; break;
    case IR_EV_WEB_SEARCH: /* chat has no place for it: its citations are annotations */
    case IR_EV_LOSS: break;
    case IR_EV_PING:
        if (!wr->style.fold)
            buf_putz(out, ": ping\n\n");
        break;
    case IR_EV_ERROR:
        wr->ended = true;
        fail(wr, ev, out);
        break;
    case IR_EV_END:
        wr->ended = true;
        end(wr, out);
        break;
    case IR_EV_COUNT: break;
    }
}
