/* Streams of the Responses API: each event carries its type twice and a number, and nothing follows the last one. */
#include "mock/responses.h"
#include "mock/words.h"

struct streamer {
    struct rsp *r;
    struct buf *b;
    uint64_t sequence, content_events;
    size_t index;       /* of the item that is open */
    struct str padding; /* instead of each token, where the script asks for a size */
    bool ended;         /* by the script */
};

static void begin(struct streamer *s, const char *type)
{
    if (s->r->rq->script.comments)
        buf_putz(s->b, ": keep-alive\n\n");
    buf_printf(s->b, "event: %s\ndata: {\"type\":\"%s\",\"sequence_number\":%llu", type, type,
               (unsigned long long)s->sequence++);
}

static void end(struct streamer *s)
{
    buf_putz(s->b, "}\n\n");
    reply_piece(s->r->rp);
}

static void object_event(struct streamer *s, const char *type, const char *status)
{
    begin(s, type);
    buf_putz(s->b, ",\"response\":");
    rsp_put_object(s->r, status, s->b);
    end(s);
}

/* `item_id`, `output_index` and, unless empty, one more index that is always 0. */
static void put_place(struct streamer *s, const struct rsp_item *it, const char *more)
{
    buf_putz(s->b, ",\"item_id\":");
    put_json(s->b, it->id);
    buf_printf(s->b, ",\"output_index\":%zu", s->index);
    if (*more)
        buf_printf(s->b, ",\"%s\":0", more);
}

static void item_event(struct streamer *s, const struct rsp_item *it, bool whole)
{
    if (s->ended)
        return;
    begin(s, whole ? "response.output_item.done" : "response.output_item.added");
    buf_printf(s->b, ",\"output_index\":%zu,\"item\":", s->index);
    rsp_put_item(s->r, it, whole, s->b);
    end(s);
}

static void part_event(struct streamer *s, const struct rsp_item *it, const char *type,
                       const char *index, bool whole)
{
    if (s->ended)
        return;
    begin(s, type);
    put_place(s, it, index);
    buf_putz(s->b, ",\"part\":");
    rsp_put_part(s->r, it, whole, s->b);
    end(s);
}

/* -- content */

static void put_error(struct streamer *s)
{
    static const char text[] = "The server had an error while processing your request.";
    begin(s, "error");
    if (str_eq(s->r->rq->script.error_shape, STR("flat")))
        buf_printf(s->b, ",\"code\":\"server_error\",\"message\":\"%s\",\"param\":null", text);
    else
        buf_printf(s->b,
                   ",\"error\":{\"type\":\"server_error\",\"code\":\"server_error\",\"message\":"
                   "\"%s\",\"param\":null}",
                   text);
    end(s);
    s->ended = true;
}

/* What the script has for the next content event. True: that was sent instead. */
static bool content_scripted(struct streamer *s)
{
    const struct script *sc = &s->r->rq->script;
    if (s->ended)
        return true;
    if (sc->error_event > 0 && s->content_events == sc->error_event) {
        put_error(s);
        return true;
    }
    if (sc->failed_event > 0 && s->content_events == sc->failed_event) {
        object_event(s, "response.failed", "failed");
        s->ended = true;
        return true;
    }
    if (++s->content_events != sc->badjson_event)
        return false;
    s->sequence++;
    buf_putz(s->b, "event: response.output_text.delta\n"
                   "data: {\"type\":\"response.output_text.delta\",\"delta\":[{]}\n\n");
    reply_piece(s->r->rp);
    return true;
}

static void put_delta(struct streamer *s, const struct rsp_item *it, const char *type,
                      const char *index, struct str text)
{
    yyjson_val *options = yyjson_obj_get(s->r->rq->json, "stream_options");
    bool padded = s->r->rq->script.obfuscate &&
                  !yyjson_is_false(yyjson_obj_get(options, "include_obfuscation"));
    begin(s, type);
    put_place(s, it, index);
    buf_putz(s->b, ",\"delta\":");
    put_json(s->b, text);
    if (it->kind == RSP_MESSAGE && !it->refusal) {
        buf_putz(s->b, ",\"logprobs\":");
        rsp_put_logprobs(s->r, text, s->b);
    }
    if (padded)
        buf_printf(s->b, ",\"obfuscation\":\"%.*s\"", (int)(s->sequence % 8) + 1, "xYzAbCdEf");
    buf_putz(s->b, "}\n\n");
}

/* One delta; the script's events and sizes are counted here. */
static void delta(struct streamer *s, const struct rsp_item *it, const char *type,
                  const char *index, struct str text)
{
    size_t size = s->r->rq->script.size, from = s->b->len;
    if (content_scripted(s))
        return;
    put_delta(s, it, type, index, text);
    size_t have = s->b->len - from;
    if (size > have) { /* again, with as much text as the size asks for */
        if (s->padding.len == 0)
            s->padding = words_make(s->r->rq->arena, size / 2);
        s->b->len = from;
        s->sequence--;
        put_delta(s, it, type, index, str_head(s->padding, text.len + size - have));
    }
    reply_piece(s->r->rp);
}

static void deltas(struct streamer *s, const struct rsp_item *it, const char *type,
                   const char *index)
{
    for (struct str rest = it->text; rest.len > 0 && !s->ended;)
        delta(s, it, type, index, token_next(&rest));
}

/* The event that tells a text once more, whole. */
static void done_event(struct streamer *s, const struct rsp_item *it, const char *type,
                       const char *index, const char *member)
{
    if (s->ended)
        return;
    begin(s, type);
    put_place(s, it, index);
    if (it->kind == RSP_FUNCTION) {
        buf_putz(s->b, ",\"name\":");
        put_json(s->b, it->name);
    }
    buf_printf(s->b, ",\"%s\":", member);
    put_json(s->b, it->text);
    if (it->kind == RSP_MESSAGE && !it->refusal) {
        buf_putz(s->b, ",\"logprobs\":");
        rsp_put_logprobs(s->r, it->text, s->b);
    }
    end(s);
}

/* -- items */

static void stream_message(struct streamer *s, const struct rsp_item *it)
{
    static const char index[] = "content_index";
    bool no = it->refusal;
    part_event(s, it, "response.content_part.added", index, false);
    deltas(s, it, no ? "response.refusal.delta" : "response.output_text.delta", index);
    if (it->cited && !s->ended) {
        begin(s, "response.output_text.annotation.added");
        put_place(s, it, index);
        buf_putz(s->b, ",\"annotation_index\":0,\"annotation\":");
        rsp_put_annotation(it, s->b);
        end(s);
    }
    done_event(s, it, no ? "response.refusal.done" : "response.output_text.done", index,
               no ? "refusal" : "text");
    part_event(s, it, "response.content_part.done", index, true);
}

static void stream_reasoning(struct streamer *s, const struct rsp_item *it)
{
    if (it->text.len == 0)
        return;
    if (s->r->model->open) {
        part_event(s, it, "response.content_part.added", "content_index", false);
        deltas(s, it, "response.reasoning_text.delta", "content_index");
        done_event(s, it, "response.reasoning_text.done", "content_index", "text");
        part_event(s, it, "response.content_part.done", "content_index", true);
        return;
    }
    part_event(s, it, "response.reasoning_summary_part.added", "summary_index", false);
    deltas(s, it, "response.reasoning_summary_text.delta", "summary_index");
    done_event(s, it, "response.reasoning_summary_text.done", "summary_index", "text");
    part_event(s, it, "response.reasoning_summary_part.done", "summary_index", true);
}

static void stream_search(struct streamer *s, const struct rsp_item *it)
{
    static const char *const types[] = { "response.web_search_call.in_progress",
                                         "response.web_search_call.searching",
                                         "response.web_search_call.completed" };
    for (size_t i = 0; i < 3 && !s->ended; i++) {
        begin(s, types[i]);
        put_place(s, it, "");
        end(s);
    }
}

static void stream_item(struct streamer *s, const struct rsp_item *it)
{
    item_event(s, it, false);
    switch (it->kind) {
    case RSP_REASONING: stream_reasoning(s, it); break;
    case RSP_SEARCH: stream_search(s, it); break;
    case RSP_MESSAGE: stream_message(s, it); break;
    case RSP_FUNCTION:
        deltas(s, it, "response.function_call_arguments.delta", "");
        done_event(s, it, "response.function_call_arguments.done", "", "arguments");
        break;
    case RSP_CUSTOM:
        deltas(s, it, "response.custom_tool_call_input.delta", "");
        done_event(s, it, "response.custom_tool_call_input.done", "", "input");
        break;
    }
    item_event(s, it, true);
    s->index++;
}

void rsp_stream(struct rsp *r)
{
    struct streamer s = { .r = r, .b = &r->rp->body };
    bool background = yyjson_is_true(yyjson_obj_get(r->rq->json, "background"));
    r->rp->stream = true;
    r->rp->type = STR("text/event-stream; charset=utf-8");
    if (!r->rq->script.norole)
        object_event(&s, "response.created", background ? "queued" : "in_progress");
    if (background)
        object_event(&s, "response.queued", "queued");
    object_event(&s, "response.in_progress", "in_progress");
    for (size_t i = 0; i < r->item_count && !s.ended; i++)
        stream_item(&s, &r->items[i]);
    if (!s.ended && !str_eq(r->rq->script.done, STR("none")))
        object_event(&s, r->incomplete ? "response.incomplete" : "response.completed", r->status);
    if (str_eq(r->rq->script.done, STR("always"))) {
        buf_putz(s.b, "data: [DONE]\n\n");
        reply_piece(r->rp);
    }
}
