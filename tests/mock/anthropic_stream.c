/* Streams of the Messages API (Claude docs, "Streaming Messages", August 2026). */
#include "mock/anthropic.h"
#include "mock/words.h"

struct streamer {
    struct claude *c;
    struct buf *b;
    size_t index; /* of the block that is open */
    uint64_t content_events;
    bool ended; /* by the script */
};

static void begin(struct streamer *s, const char *type)
{
    if (s->c->rq->script.comments)
        buf_putz(s->b, ": keep-alive\n\n");
    buf_printf(s->b, "event: %s\ndata: {\"type\":\"%s\"", type, type);
}

static void end(struct streamer *s)
{
    buf_putz(s->b, "}\n\n");
    reply_piece(s->c->rp);
}

static void ping(struct streamer *s)
{
    begin(s, "ping");
    end(s);
}

static void member(struct streamer *s, const char *name, struct str text)
{
    buf_printf(s->b, "\"%s\":", name);
    put_json(s->b, text);
}

/* -- blocks */

static void start_block(struct streamer *s, const char *type)
{
    begin(s, "content_block_start");
    buf_printf(s->b, ",\"index\":%zu,\"content_block\":{\"type\":\"%s\",", s->index, type);
}

static void started(struct streamer *s)
{
    buf_putc(s->b, '}');
    end(s);
    if (s->index == 0)
        ping(s);
}

static void stop_block(struct streamer *s)
{
    if (s->ended)
        return;
    begin(s, "content_block_stop");
    buf_printf(s->b, ",\"index\":%zu", s->index++);
    end(s);
}

static void delta(struct streamer *s, const char *type, const char *name, struct str text)
{
    begin(s, "content_block_delta");
    buf_printf(s->b, ",\"index\":%zu,\"delta\":{\"type\":\"%s\",", s->index, type);
    member(s, name, text);
    buf_putc(s->b, '}');
    end(s);
}

/* One delta with content; the script's events are counted here. */
static void content(struct streamer *s, const char *type, const char *name, struct str text)
{
    const struct script *sc = &s->c->rq->script;
    if (s->ended)
        return;
    if (sc->error_event > 0 && s->content_events == sc->error_event) {
        begin(s, "error");
        buf_putz(
            s->b,
            ",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\",\"details\":null},"
            "\"request_id\":null");
        end(s);
        s->ended = true;
        return;
    }
    if (++s->content_events == sc->badjson_event) {
        buf_putz(
            s->b,
            "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":[{]}\n\n");
        reply_piece(s->c->rp);
        return;
    }
    delta(s, type, name, text);
}

static void all(struct streamer *s, const char *type, const char *name, struct str text)
{
    while (text.len > 0 && !s->ended)
        content(s, type, name, token_next(&text));
}

static void stream_thinking(struct streamer *s)
{
    start_block(s, "thinking");
    buf_putz(s->b, "\"thinking\":\"\",\"signature\":\"\"");
    started(s);
    all(s, "thinking_delta", "thinking", s->c->thought);
    if (!s->ended)
        delta(s, "signature_delta", "signature", claude_signature(s->c));
    stop_block(s);
    if (!s->c->rq->script.redacted || s->ended)
        return;
    start_block(s, "redacted_thinking");
    member(s, "data", claude_redacted(s->c));
    started(s);
    stop_block(s);
}

static void stream_search(struct streamer *s)
{
    start_block(s, "server_tool_use");
    buf_putz(s->b, "\"id\":\"srvtoolu_1\",\"name\":\"web_search\",\"input\":{}");
    started(s);
    delta(s, "input_json_delta", "partial_json", STR("{\"query\":\"river\"}"));
    stop_block(s);
    start_block(s, "web_search_tool_result");
    buf_putz(s->b, "\"tool_use_id\":\"srvtoolu_1\",\"content\":[]");
    started(s);
    stop_block(s);
}

static void stream_text(struct streamer *s)
{
    start_block(s, "text");
    buf_putz(s->b, "\"text\":\"\"");
    started(s);
    if (s->c->searched) {
        begin(s, "content_block_delta");
        buf_printf(
            s->b,
            ",\"index\":%zu,\"delta\":{\"type\":\"citations_delta\",\"citation\":" CLAUDE_CITATION
            "}",
            s->index);
        end(s);
    }
    all(s, "text_delta", "text", s->c->text);
    stop_block(s);
}

/* The first piece of the input is empty; that of a tool without arguments has no other. */
static void stream_call(struct streamer *s, size_t i)
{
    const struct claude_call *call = &s->c->calls[i];
    start_block(s, "tool_use");
    buf_putz(s->b, "\"id\":");
    claude_call_id(s->c, i);
    buf_putc(s->b, ',');
    member(s, "name", call->name);
    buf_putz(s->b, ",\"input\":{},\"caller\":{\"type\":\"direct\"}");
    started(s);
    delta(s, "input_json_delta", "partial_json", STR(""));
    if (!str_eq(call->input, STR("{}")))
        all(s, "input_json_delta", "partial_json", call->input);
    stop_block(s);
}

/* -- the message */

static void stream_start(struct streamer *s)
{
    begin(s, "message_start");
    buf_putz(s->b, ",\"message\":");
    claude_message_head(s->c);
    buf_putz(s->b,
             "\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"stop_details\":null");
    if (!str_eq(s->c->rq->script.usage, STR("none"))) {
        buf_putz(s->b, ",\"usage\":");
        claude_usage(s->c, 1);
    }
    buf_putc(s->b, '}');
    end(s);
}

static void stream_end(struct streamer *s)
{
    const struct claude *c = s->c;
    begin(s, "message_delta");
    buf_printf(s->b, ",\"delta\":{\"stop_reason\":\"%s\",\"stop_sequence\":", c->stop_reason);
    c->stop_sequence.len ? put_json(s->b, c->stop_sequence) : buf_putz(s->b, "null");
    buf_printf(s->b, ",\"stop_details\":%s,\"container\":null}",
               c->rq->script.refusal ? CLAUDE_REFUSED : "null");
    if (!str_eq(c->rq->script.usage, STR("none"))) {
        buf_putz(s->b, ",\"usage\":");
        claude_usage(c, c->rp->completion_tokens);
    }
    end(s);
    if (str_eq(c->rq->script.done, STR("none")))
        return;
    begin(s, "message_stop");
    end(s);
}

void claude_stream(struct claude *c)
{
    struct streamer s = { .c = c, .b = &c->rp->body };
    c->rp->stream = true;
    c->rp->type = STR("text/event-stream; charset=utf-8");
    stream_start(&s);
    if (c->thinking != CLAUDE_NO)
        stream_thinking(&s);
    if (c->searched && !s.ended)
        stream_search(&s);
    if (c->text.len > 0 && !s.ended)
        stream_text(&s);
    for (size_t i = 0; i < c->call_count && !s.ended; i++)
        stream_call(&s, i);
    if (!s.ended)
        stream_end(&s);
}
