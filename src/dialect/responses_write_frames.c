/* The events of a Responses stream, as frames. OpenAI's API reference, "Streaming events", August 2026.
 *
 * Each is "event: <type>", "data: {...}" and a blank line; sequence numbers are dense from 0. What a delta holds besides its number and
 * its text was made when its part began. */
#include "dialect/responses_priv.h"

/* The frame's lines, up to its number. False: the answer is folded, so there are none. */
static bool begin(struct rs_writer *wr, const char *type, struct buf *out)
{
    if (wr->style.fold)
        return false;
    buf_putz(out, "event: ");
    buf_putz(out, type);
    buf_putz(out, "\ndata: {\"type\":\"");
    buf_putz(out, type);
    buf_putz(out, "\",\"sequence_number\":");
    buf_u64(out, wr->sequence++);
    return true;
}

static void end(struct buf *out)
{
    buf_putz(out, "}\n\n");
}

/* A string of collected insides. */
static void put_inside(const char *name, const struct buf *inside, struct buf *out)
{
    buf_putz(out, ",\"");
    buf_putz(out, name);
    buf_putz(out, "\":\"");
    buf_put(out, buf_str(inside));
    buf_putc(out, '"');
}

static void put_array(const char *name, struct str elements, struct buf *out)
{
    buf_putz(out, ",\"");
    buf_putz(out, name);
    buf_putz(out, "\":[");
    buf_put(out, elements);
    buf_putc(out, ']');
}

void rs_send_object(struct rs_writer *wr, const char *type, struct buf *out)
{
    if (!begin(wr, type, out))
        return;
    buf_putz(out, ",\"response\":");
    rs_put_object(wr, out);
    end(out);
}

/* -- items */

void rs_send_item(struct rs_writer *wr, const char *type, const struct rs_item *item,
                  struct buf *out)
{
    if (!begin(wr, type, out))
        return;
    buf_putz(out, ",\"output_index\":");
    buf_u64(out, item->index);
    buf_putz(out, ",\"item\":");
    rs_put_item(wr, item, false, out);
    end(out);
}

/* -- messages */

void rs_send_part(struct rs_writer *wr, const char *type, const struct rs_part *part,
                  struct buf *out)
{
    if (!begin(wr, type, out))
        return;
    buf_put(out, part->place);
    buf_putz(out, ",\"part\":");
    rs_put_part(part, out);
    end(out);
}

void rs_send_delta(struct rs_writer *wr, const struct rs_part *part, struct str json,
                   struct str logprobs, struct buf *out)
{
    if (!begin(wr, part->refusal ? "response.refusal.delta" : "response.output_text.delta", out))
        return;
    buf_put(out, part->place);
    buf_putz(out, ",\"delta\":");
    buf_put(out, json);
    if (!part->refusal)
        put_array("logprobs", logprobs, out);
    end(out);
}

void rs_send_done(struct rs_writer *wr, const struct rs_part *part, struct buf *out)
{
    if (!begin(wr, part->refusal ? "response.refusal.done" : "response.output_text.done", out))
        return;
    buf_put(out, part->place);
    put_inside(part->refusal ? "refusal" : "text", &part->text, out);
    if (!part->refusal)
        put_array("logprobs", buf_str(&part->logprobs), out);
    end(out);
}

void rs_send_annotation(struct rs_writer *wr, const struct rs_part *part, struct str annotation,
                        struct buf *out)
{
    if (!begin(wr, "response.output_text.annotation.added", out))
        return;
    buf_put(out, part->place);
    buf_putz(out, ",\"annotation_index\":");
    buf_u64(out, part->annotation_count);
    buf_putz(out, ",\"annotation\":");
    buf_put(out, annotation);
    end(out);
}

/* -- reasoning: one summary an item */

static const char summary_index[] = ",\"summary_index\":0";

void rs_send_reasoning_begin(struct rs_writer *wr, const struct rs_item *item, struct buf *out)
{
    if (!begin(wr, "response.reasoning_summary_part.added", out))
        return;
    buf_put(out, item->place);
    buf_putz(out, summary_index);
    buf_putz(out, ",\"part\":{\"type\":\"summary_text\",\"text\":\"\"}");
    end(out);
}

void rs_send_reasoning(struct rs_writer *wr, const struct rs_item *item, struct str json,
                       struct buf *out)
{
    if (!begin(wr, "response.reasoning_summary_text.delta", out))
        return;
    buf_put(out, item->place);
    buf_putz(out, summary_index);
    buf_putz(out, ",\"delta\":");
    buf_put(out, json);
    end(out);
}

void rs_send_reasoning_done(struct rs_writer *wr, const struct rs_item *item, struct buf *out)
{
    if (begin(wr, "response.reasoning_summary_text.done", out)) {
        buf_put(out, item->place);
        buf_putz(out, summary_index);
        put_inside("text", &item->text, out);
        end(out);
    }
    if (begin(wr, "response.reasoning_summary_part.done", out)) {
        buf_put(out, item->place);
        buf_putz(out, summary_index);
        buf_putz(out, ",\"part\":{\"type\":\"summary_text\"");
        put_inside("text", &item->text, out);
        buf_putc(out, '}');
        end(out);
    }
}

/* -- calls */

void rs_send_input(struct rs_writer *wr, const struct rs_item *item, struct str json,
                   struct buf *out)
{
    if (!begin(wr,
               item->custom ? "response.custom_tool_call_input.delta"
                            : "response.function_call_arguments.delta",
               out))
        return;
    buf_put(out, item->place);
    buf_putz(out, ",\"delta\":");
    buf_put(out, json);
    end(out);
}

void rs_send_input_done(struct rs_writer *wr, const struct rs_item *item, struct buf *out)
{
    if (!begin(wr,
               item->custom ? "response.custom_tool_call_input.done"
                            : "response.function_call_arguments.done",
               out))
        return;
    buf_put(out, item->place);
    if (!item->custom) {
        buf_putz(out, ",\"name\":");
        json_quote(out, item->name);
    }
    put_inside(item->custom ? "input" : "arguments", &item->text, out);
    end(out);
}

void rs_send_search(struct rs_writer *wr, const struct rs_item *item, struct buf *out)
{
    static const char *const types[] = { "response.web_search_call.in_progress",
                                         "response.web_search_call.searching",
                                         "response.web_search_call.completed" };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (!begin(wr, types[i], out))
            return;
        buf_put(out, item->place);
        end(out);
    }
}
