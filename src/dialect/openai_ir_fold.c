/* Events collected into one chat.completion object. OpenAI's API reference, "The chat completion object", August 2026. */
#include "base/mem.h"
#include "dialect/openai_ir_priv.h"

#define CHOICES_MAX 128
#define CALLS_MAX 512
#define TEXT_MAX (64 * MIB) /* of one kind, of one choice */

static void init_choice(struct oa_choice *ch)
{
    *ch = (struct oa_choice){ 0 };
    struct buf *all[] = { &ch->text,        &ch->reasoning, &ch->refusal,
                          &ch->thinking,    &ch->blocks,    &ch->details,
                          &ch->annotations, &ch->logprobs,  &ch->refusal_logprobs };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        buf_init(all[i], TEXT_MAX);
}

static void done_choice(struct oa_choice *ch)
{
    struct buf *all[] = { &ch->text,        &ch->reasoning, &ch->refusal,
                          &ch->thinking,    &ch->blocks,    &ch->details,
                          &ch->annotations, &ch->logprobs,  &ch->refusal_logprobs };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        buf_done(all[i]);
    for (size_t i = 0; i < ch->call_count; i++)
        buf_done(&ch->calls[i].input);
}

void oa_writer_done(void *writer)
{
    struct oa_writer *wr = writer;
    for (size_t i = 0; i < wr->count; i++)
        done_choice(&wr->choices[i]);
    wr->count = 0;
}

struct oa_choice *oa_choice_at(struct oa_writer *wr, uint32_t index)
{
    if (index >= CHOICES_MAX)
        return NULL;
    if (index >= wr->count) {
        struct oa_choice *all = ARENA_ARRAY(wr->c.arena, struct oa_choice, index + 1);
        if (wr->count)
            memcpy(all, wr->choices, wr->count * sizeof all[0]);
        for (size_t i = wr->count; i <= index; i++)
            init_choice(&all[i]);
        wr->choices = all;
        wr->count = index + 1;
    }
    wr->choices[index].seen = true;
    return &wr->choices[index];
}

struct oa_folded_call *oa_call_at(struct oa_choice *ch, uint32_t part)
{
    return part < ch->call_count ? &ch->calls[part] : NULL;
}

struct oa_folded_call *oa_call_add(struct oa_writer *wr, struct oa_choice *ch, uint32_t part)
{
    if (part != ch->call_count || part >= CALLS_MAX)
        return NULL;
    if (ch->call_count == ch->call_room) {
        size_t room = ch->call_room ? ch->call_room * 2 : 4;
        struct oa_folded_call *calls = ARENA_ARRAY(wr->c.arena, struct oa_folded_call, room);
        if (ch->call_count)
            memcpy(calls, ch->calls, ch->call_count * sizeof calls[0]);
        ch->calls = calls;
        ch->call_room = room;
    }
    buf_init(&ch->calls[part].input, TEXT_MAX);
    ch->call_count++;
    return &ch->calls[part];
}

/* The inside of a literal; two of them joined are the inside of the joined string, since each was validated. */
static void put_inside(struct buf *out, struct str literal)
{
    if (literal.len > 2)
        buf_put(out, str_of(literal.p + 1, literal.len - 2));
}

static void put_element(struct buf *out, struct str raw)
{
    if (out->len)
        buf_putc(out, ',');
    buf_put(out, raw);
}

bool oa_put_block(struct oa_choice *ch, const struct ir_event *ev, struct buf *out,
                  bool *ret_details)
{
    struct str thinking = buf_str(&ch->thinking);
    bool gemini = ev->origin == IR_FROM_GEMINI;
    *ret_details = ev->origin == IR_FROM_OPENAI_RESPONSES || (gemini && ev->redacted);
    if (gemini && !ev->redacted)
        return false;
    if (*ret_details) {
        buf_putz(out, "{\"type\":\"reasoning.encrypted\",\"format\":");
        buf_putz(out, gemini ? "\"google-gemini-v1\"" : "\"openai-responses-v1\"");
        buf_putz(out, ",\"data\":");
        buf_put(out, ev->json);
    } else if (ev->redacted) {
        buf_putz(out, "{\"type\":\"redacted_thinking\",\"data\":");
        buf_put(out, ev->json);
    } else {
        buf_putz(out, "{\"type\":\"thinking\",\"thinking\":\"");
        buf_put(out, thinking);
        buf_putz(out, "\",\"signature\":");
        buf_put(out, ev->json);
        buf_reset(&ch->thinking);
    }
    buf_putc(out, '}');
    return true;
}

static void collect_signature(struct oa_writer *wr, struct oa_choice *ch, const struct ir_event *ev)
{
    struct buf block;
    bool details;
    buf_init(&block, TEXT_MAX);
    if (oa_put_block(ch, ev, &block, &details))
        put_element(details ? &ch->details : &ch->blocks, buf_str(&block));
    else
        ch->google_signature = arena_dup(wr->c.arena, ev->json);
    buf_done(&block);
}

/* {"content":[...],"refusal":[...]}: the tokens of a piece. */
static void collect_logprobs(struct oa_choice *ch, struct str raw)
{
    static const struct str want[] = { STR_INIT("content"), STR_INIT("refusal") };
    struct json_member m[2];
    json_peek_object(raw, want, 2, m, NULL);
    for (size_t i = 0; i < 2; i++) {
        struct json_iter it =
            json_iter(m[i].type == JSON_ARRAY ? json_value(raw, &m[i]) : STR("[]"));
        while (json_next(&it))
            put_element(i ? &ch->refusal_logprobs : &ch->logprobs, it.value);
    }
}

static void collect_call(struct oa_writer *wr, struct oa_choice *ch, const struct ir_event *ev)
{
    struct oa_folded_call *call = oa_call_add(wr, ch, ev->part);
    if (!call)
        return;
    call->id = arena_dup(wr->c.arena, ev->call_id);
    call->name = arena_dup(wr->c.arena, ev->name);
    call->signature = ev->signature.len && ev->origin == IR_FROM_GEMINI
                          ? arena_dup(wr->c.arena, ev->signature)
                          : str_of(NULL, 0);
    call->custom = ev->custom;
}

void oa_collect(struct oa_writer *wr, const struct ir_event *ev)
{
    struct oa_choice *ch = oa_choice_at(wr, ev->choice);
    struct oa_folded_call *call;
    if (!ch)
        return;
    switch (ev->kind) {
    case IR_EV_TEXT:
        ch->texts = true;
        put_inside(&ch->text, ev->json);
        break;
    case IR_EV_REASONING:
        put_inside(&ch->reasoning, ev->json);
        put_inside(&ch->thinking, ev->json);
        break;
    case IR_EV_SIGNATURE: collect_signature(wr, ch, ev); break;
    case IR_EV_REFUSAL: put_inside(&ch->refusal, ev->json); break;
    case IR_EV_TOOL_CALL: collect_call(wr, ch, ev); break;
    case IR_EV_TOOL_ARGUMENTS:
        if ((call = oa_call_at(ch, ev->part)))
            put_inside(&call->input, ev->json);
        break;
    case IR_EV_ANNOTATION: put_element(&ch->annotations, ev->raw); break;
    case IR_EV_LOGPROBS: collect_logprobs(ch, ev->raw); break;
    case IR_EV_FINISH:
        if (ch->finished)
            break;
        ch->finish = ev->finish;
        ch->finished = true;
        if (!ch->refusal.len)
            put_inside(&ch->refusal, ev->json);
        break;
    case IR_EV_START:
    case IR_EV_TOOL_END:
    case IR_EV_USAGE:
    case IR_EV_WEB_SEARCH:
    case IR_EV_LOSS:
    case IR_EV_PING:
    case IR_EV_ERROR:
    case IR_EV_END:
    case IR_EV_COUNT: break;
    }
}

/* -- the object */

struct str oa_finish_word(const struct oa_writer *wr, const struct oa_choice *ch)
{
    switch (ch->finish) {
    case IR_FINISH_LENGTH: return STR("length");
    case IR_FINISH_TOOL_CALLS: return wr->legacy ? STR("function_call") : STR("tool_calls");
    case IR_FINISH_CONTENT_FILTER: return STR("content_filter");
    case IR_FINISH_STOP: break;
    }
    return STR("stop");
}

void oa_put_usage(struct json_write *w, const char *name, const struct ir_usage *u)
{
    uint64_t written = u->cache_write_tokens + u->cache_write_1h_tokens;
    json_obj(w, name);
    json_uint(w, "prompt_tokens", u->prompt_tokens);
    json_uint(w, "completion_tokens", u->completion_tokens);
    json_uint(w, "total_tokens", u->prompt_tokens + u->completion_tokens);
    json_obj(w, "prompt_tokens_details");
    json_uint(w, "cached_tokens", u->cached_tokens);
    if (written)
        json_uint(w, "cache_write_tokens", written);
    json_uint(w, "audio_tokens", u->audio_prompt_tokens);
    if (u->image_prompt_tokens)
        json_uint(w, "image_tokens", u->image_prompt_tokens);
    json_end(w);
    json_obj(w, "completion_tokens_details");
    json_uint(w, "reasoning_tokens", u->reasoning_tokens);
    json_uint(w, "audio_tokens", u->audio_completion_tokens);
    if (u->image_completion_tokens)
        json_uint(w, "image_tokens", u->image_completion_tokens);
    json_uint(w, "accepted_prediction_tokens", 0);
    json_uint(w, "rejected_prediction_tokens", 0);
    json_end(w);
    json_end(w);
}

/* A string of collected insides. */
static void put_string(struct json_write *w, const char *name, const struct buf *inside)
{
    json_raw(w, name, STR("\""));
    buf_put(w->out, buf_str(inside));
    buf_putc(w->out, '"');
}

static void put_array(struct json_write *w, const char *name, const struct buf *elements)
{
    json_raw(w, name, STR("["));
    buf_put(w->out, buf_str(elements));
    buf_putc(w->out, ']');
}

static void put_google(struct json_write *w, struct str signature)
{
    if (!signature.len)
        return;
    json_obj(w, "extra_content");
    json_obj(w, "google");
    json_raw(w, "thought_signature", signature);
    json_end(w);
    json_end(w);
}

/* Clients parse arguments: a call without any has an empty object. */
static void put_input(struct json_write *w, const struct oa_folded_call *call)
{
    if (!call->custom && call->input.len == 0)
        json_strz(w, "arguments", "{}");
    else
        put_string(w, call->custom ? "input" : "arguments", &call->input);
}

static void put_call(struct json_write *w, const struct oa_folded_call *call)
{
    const char *kind = call->custom ? "custom" : "function";
    json_obj(w, NULL);
    json_str(w, "id", call->id);
    json_strz(w, "type", kind);
    json_obj(w, kind);
    json_str(w, "name", call->name);
    put_input(w, call);
    json_end(w);
    put_google(w, call->signature);
    json_end(w);
}

/* The deprecated form has room for one call. */
static void put_calls(const struct oa_writer *wr, struct json_write *w, const struct oa_choice *ch)
{
    if (ch->call_count == 0)
        return;
    if (wr->legacy) {
        json_obj(w, "function_call");
        json_str(w, "name", ch->calls[0].name);
        put_input(w, &ch->calls[0]);
        json_end(w);
        return;
    }
    json_arr(w, "tool_calls");
    for (size_t i = 0; i < ch->call_count; i++)
        put_call(w, &ch->calls[i]);
    json_end(w);
}

static void put_message(const struct oa_writer *wr, struct json_write *w,
                        const struct oa_choice *ch)
{
    json_obj(w, "message");
    json_strz(w, "role", "assistant");
    if (ch->texts || (!ch->call_count && !ch->refusal.len))
        put_string(w, "content", &ch->text);
    else
        json_null(w, "content");
    if (ch->refusal.len)
        put_string(w, "refusal", &ch->refusal);
    else
        json_null(w, "refusal");
    put_array(w, "annotations", &ch->annotations);
    if (ch->reasoning.len)
        put_string(w, "reasoning_content", &ch->reasoning);
    if (ch->blocks.len)
        put_array(w, "thinking_blocks", &ch->blocks);
    if (ch->details.len)
        put_array(w, "reasoning_details", &ch->details);
    put_google(w, ch->google_signature);
    put_calls(wr, w, ch);
    json_end(w);
}

static void put_logprobs(struct json_write *w, const struct oa_choice *ch)
{
    if (!ch->logprobs.len && !ch->refusal_logprobs.len) {
        json_null(w, "logprobs");
        return;
    }
    json_obj(w, "logprobs");
    if (ch->logprobs.len)
        put_array(w, "content", &ch->logprobs);
    else
        json_null(w, "content");
    if (ch->refusal_logprobs.len)
        put_array(w, "refusal", &ch->refusal_logprobs);
    else
        json_null(w, "refusal");
    json_end(w);
}

/* A text that did not fit is an answer cut short, which no client may take for a whole one. */
static bool is_cut(const struct oa_writer *wr)
{
    for (size_t i = 0; i < wr->count; i++) {
        const struct oa_choice *ch = &wr->choices[i];
        if (ch->text.fail || ch->reasoning.fail || ch->refusal.fail || ch->blocks.fail ||
            ch->details.fail || ch->annotations.fail || ch->logprobs.fail ||
            ch->refusal_logprobs.fail)
            return true;
        for (size_t k = 0; k < ch->call_count; k++)
            if (ch->calls[k].input.fail)
                return true;
    }
    return false;
}

void oa_put_folded(struct oa_writer *wr, struct buf *out)
{
    struct json_write w;
    if (is_cut(wr)) {
        out->fail = ERR_TOO_LARGE;
        return;
    }
    json_begin(&w, out);
    json_obj(&w, NULL);
    json_str(&w, "id", wr->id);
    json_strz(&w, "object", "chat.completion");
    json_uint(&w, "created", wr->created);
    json_raw(&w, "model", wr->style.model_json);
    json_arr(&w, "choices");
    for (size_t i = 0; i < wr->count; i++) {
        if (!wr->choices[i].seen)
            continue;
        json_obj(&w, NULL);
        json_uint(&w, "index", i);
        put_message(wr, &w, &wr->choices[i]);
        put_logprobs(&w, &wr->choices[i]);
        json_str(&w, "finish_reason", oa_finish_word(wr, &wr->choices[i]));
        json_end(&w);
    }
    json_end(&w);
    if (wr->usage.reported) /* no numbers are better than zeros */
        oa_put_usage(&w, "usage", &wr->usage);
    if (wr->service_tier.len)
        json_str(&w, "service_tier", wr->service_tier);
    json_null(&w, "system_fingerprint");
    json_end(&w);
}
