/* A provider's answer in OpenAI's Chat Completions, whole or chunk by chunk, into events. OpenAI's API reference, "The chat
 * completion object" and "The chat completion chunk object", August 2026; what compatible backends do otherwise is understood.
 *
 * The finish of a choice is held until the answer's end: content, and a second finish, may still follow one. */
#include "dialect/openai_chat.h"
#include "dialect/openai_ir_calls.h"
#include "dialect/openai_ir_priv.h"
#include "dialect/upstream_fault.h"

#define CHOICES_MAX 128

struct choice {
    struct oa_calls calls;
    bool seen, finished;
    enum ir_finish finish;
};

struct oa_reader {
    struct answer_context c;
    struct choice *choices;
    size_t count;
    bool started, ended;
    struct str service_tier;
};

void oa_reader_init(void *reader, const struct answer_context *c)
{
    struct oa_reader *rd = reader;
    *rd = (struct oa_reader){ .c = *c };
}

void oa_reader_done(void *reader)
{
    struct oa_reader *rd = reader;
    for (size_t i = 0; i < rd->count; i++)
        oa_calls_done(&rd->choices[i].calls);
    rd->count = 0;
}

/* NULL: beyond what is taken. */
static struct choice *choice_at(struct oa_reader *rd, uint64_t index)
{
    if (index >= CHOICES_MAX)
        return NULL;
    if (index >= rd->count) {
        struct choice *all = ARENA_ARRAY(rd->c.arena, struct choice, index + 1);
        if (rd->count)
            memcpy(all, rd->choices, rd->count * sizeof all[0]);
        for (size_t i = rd->count; i <= index; i++)
            all[i].calls = (struct oa_calls){
                .a = rd->c.arena, .seed = rd->c.id, .rq = rd->c.rq, .choice = (uint32_t)i
            };
        rd->choices = all;
        rd->count = index + 1;
    }
    rd->choices[index].seen = true;
    return &rd->choices[index];
}

/* -- content */

struct emit {
    struct oa_reader *rd;
    struct choice *ch;
    uint32_t index;
    struct ir_sink *sink;
    bool whole;
    const char **ret_what;
};

static struct ir_event event_of(const struct emit *e, enum ir_event_kind kind)
{
    return (struct ir_event){ .kind = kind, .choice = e->index };
}

/* A string that is not empty. */
static bool is_text(struct str value)
{
    return json_type_of(value) == JSON_STRING && value.len > 2;
}

static void emit_text(struct emit *e, enum ir_event_kind kind, struct str json)
{
    if (!is_text(json))
        return;
    oa_calls_pause(&e->ch->calls, e->sink);
    struct ir_event ev = event_of(e, kind);
    ev.json = json;
    ir_emit(e->sink, &ev);
}

static void emit_signature(struct emit *e, struct str json, bool redacted, enum ir_origin origin)
{
    if (json.len <= 2)
        return;
    struct ir_event ev = event_of(e, IR_EV_SIGNATURE);
    ev.json = json;
    ev.redacted = redacted;
    ev.origin = origin;
    ir_emit(e->sink, &ev);
}

/* thinking_blocks and reasoning_details: the text too, where no other member had it. */
static void read_blocks(struct emit *e, struct str array, bool with_text)
{
    struct json_iter it = json_iter(json_type_of(array) == JSON_ARRAY ? array : STR("[]"));
    while (json_next(&it)) {
        struct ir_part part;
        if (!oa_read_reasoning(it.value, &part))
            continue;
        if (with_text)
            emit_text(e, IR_EV_REASONING, part.json);
        emit_signature(e, part.signature, false, part.origin);
        emit_signature(e, part.redacted, true, part.origin);
    }
}

/* A string; or as Mistral has it an array of parts, some of which are thinking. */
static void read_content(struct emit *e, struct str content)
{
    static const struct str want[] = { STR_INIT("type"), STR_INIT("text"), STR_INIT("thinking") };
    struct str v[3];
    emit_text(e, IR_EV_TEXT, content);
    struct json_iter it = json_iter(json_type_of(content) == JSON_ARRAY ? content : STR("[]"));
    while (json_next(&it)) {
        oa_members(it.value, want, 3, v, e->rd->c.arena, NULL);
        if (json_type_of(v[2]) == JSON_ARRAY) {
            struct json_iter inner = json_iter(v[2]);
            while (json_next(&inner)) {
                struct str t[3];
                oa_members(inner.value, want, 3, t, e->rd->c.arena, NULL);
                emit_text(e, IR_EV_REASONING, t[1]);
            }
        } else if (json_str_eq(v[0], STR("text"))) {
            emit_text(e, IR_EV_TEXT, v[1]);
        }
    }
}

static enum err read_call(struct emit *e, struct str value)
{
    enum { T_INDEX, T_ID, T_TYPE, T_FUNCTION, T_CUSTOM, T_EXTRA, T_COUNT };
    static const struct str want[T_COUNT] = { STR_INIT("index"),  STR_INIT("id"),
                                              STR_INIT("type"),   STR_INIT("function"),
                                              STR_INIT("custom"), STR_INIT("extra_content") };
    static const struct str inner[] = { STR_INIT("name"), STR_INIT("arguments"),
                                        STR_INIT("input") };
    struct str v[T_COUNT], f[3];
    uint64_t index;
    oa_members(value, want, T_COUNT, v, e->rd->c.arena, NULL);
    bool custom = json_str_eq(v[T_TYPE], STR("custom")) || (v[T_CUSTOM].len && !v[T_FUNCTION].len);
    oa_members(v[custom ? T_CUSTOM : T_FUNCTION], inner, 3, f, e->rd->c.arena, NULL);
    struct str input = f[custom ? 2 : 1];
    if (json_type_of(input) == JSON_OBJECT && input.len > 2)
        input = ir_quote(input, e->rd->c.arena); /* a server that forgets to make it a string */
    struct oa_call_delta d = {
        .index =
            json_u64(v[T_INDEX], &index) && index < OA_NO_INDEX ? (uint32_t)index : OA_NO_INDEX,
        .whole = e->whole,
        .id = is_text(v[T_ID]) ? v[T_ID] : str_of(NULL, 0),
        .name = is_text(f[0]) ? f[0] : str_of(NULL, 0),
        .input = is_text(input) ? input : str_of(NULL, 0),
        .custom = custom,
        .signature = oa_google_signature(v[T_EXTRA]),
    };
    return oa_calls_take(&e->ch->calls, &d, e->sink, e->ret_what);
}

static enum err read_function_call(struct emit *e, struct str value)
{
    static const struct str want[] = { STR_INIT("name"), STR_INIT("arguments") };
    struct str v[2];
    if (json_type_of(value) != JSON_OBJECT)
        return ERR_OK;
    oa_members(value, want, 2, v, e->rd->c.arena, NULL);
    struct oa_call_delta d = { .index = OA_NO_INDEX - 1,
                               .whole = e->whole,
                               .name = v[0],
                               .input = is_text(v[1]) ? v[1] : str_of(NULL, 0) };
    return oa_calls_take(&e->ch->calls, &d, e->sink, e->ret_what);
}

static void emit_loss(struct emit *e, const char *tag)
{
    struct ir_event ev = event_of(e, IR_EV_LOSS);
    ev.name = str_c(tag);
    ir_emit(e->sink, &ev);
}

static void read_each(struct emit *e, struct str array, enum ir_event_kind kind)
{
    struct json_iter it = json_iter(json_type_of(array) == JSON_ARRAY ? array : STR("[]"));
    while (json_next(&it)) {
        struct ir_event ev = event_of(e, kind);
        ev.raw = it.value;
        ir_emit(e->sink, &ev);
    }
}

/* A message, or what is new in it. Reasoning comes before text, text before calls, as in an answer. */
static enum err read_delta(struct emit *e, struct str delta)
{
    enum {
        D_CONTENT,
        D_REFUSAL,
        D_REASONING,
        D_REASONING2,
        D_DETAILS,
        D_BLOCKS,
        D_CALLS,
        D_FUNCTION,
        D_ANNOTATIONS,
        D_EXTRA,
        D_AUDIO,
        D_IMAGES,
        D_COUNT
    };
    static const struct str want[D_COUNT] = {
        [D_CONTENT] = STR_INIT("content"),
        [D_REFUSAL] = STR_INIT("refusal"),
        [D_REASONING] = STR_INIT("reasoning_content"),
        [D_REASONING2] = STR_INIT("reasoning"),
        [D_DETAILS] = STR_INIT("reasoning_details"),
        [D_BLOCKS] = STR_INIT("thinking_blocks"),
        [D_CALLS] = STR_INIT("tool_calls"),
        [D_FUNCTION] = STR_INIT("function_call"),
        [D_ANNOTATIONS] = STR_INIT("annotations"),
        [D_EXTRA] = STR_INIT("extra_content"),
        [D_AUDIO] = STR_INIT("audio"),
        [D_IMAGES] = STR_INIT("images"),
    };
    struct str v[D_COUNT];
    oa_members(delta, want, D_COUNT, v, e->rd->c.arena, NULL);
    struct str reasoning = is_text(v[D_REASONING]) ? v[D_REASONING] : v[D_REASONING2];
    emit_text(e, IR_EV_REASONING, reasoning);
    read_blocks(e, v[v[D_BLOCKS].len ? D_BLOCKS : D_DETAILS], !is_text(reasoning));
    read_content(e, v[D_CONTENT]);
    emit_text(e, IR_EV_REFUSAL, v[D_REFUSAL]);
    emit_signature(e, oa_google_signature(v[D_EXTRA]), false, IR_FROM_GEMINI);
    read_each(e, v[D_ANNOTATIONS], IR_EV_ANNOTATION);
    /* No other dialect has speech in an answer; images are OpenRouter's. */
    if (json_type_of(v[D_AUDIO]) == JSON_OBJECT)
        emit_loss(e, "audio");
    if (json_type_of(v[D_IMAGES]) == JSON_ARRAY && v[D_IMAGES].len > 2)
        emit_loss(e, "image_output");
    struct json_iter it =
        json_iter(json_type_of(v[D_CALLS]) == JSON_ARRAY ? v[D_CALLS] : STR("[]"));
    while (json_next(&it))
        TRY(read_call(e, it.value));
    return read_function_call(e, v[D_FUNCTION]);
}

static enum ir_finish finish_of(struct str json)
{
    static const struct {
        struct str word;
        enum ir_finish finish;
    } words[] = {
        { STR_INIT("length"), IR_FINISH_LENGTH },
        { STR_INIT("max_tokens"), IR_FINISH_LENGTH },
        { STR_INIT("tool_calls"), IR_FINISH_TOOL_CALLS },
        { STR_INIT("function_call"), IR_FINISH_TOOL_CALLS },
        { STR_INIT("content_filter"), IR_FINISH_CONTENT_FILTER },
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (json_str_eq(json, words[i].word))
            return words[i].finish;
    return IR_FINISH_STOP;
}

static enum err read_choice(struct oa_reader *rd, struct str value, uint64_t position, bool whole,
                            struct ir_sink *sink, const char **ret_what)
{
    enum { C_INDEX, C_DELTA, C_MESSAGE, C_FINISH, C_LOGPROBS, C_COUNT };
    static const struct str want[C_COUNT] = { STR_INIT("index"), STR_INIT("delta"),
                                              STR_INIT("message"), STR_INIT("finish_reason"),
                                              STR_INIT("logprobs") };
    struct str v[C_COUNT];
    uint64_t index = position;
    oa_members(value, want, C_COUNT, v, rd->c.arena, NULL);
    if (v[C_INDEX].len && !json_u64(v[C_INDEX], &index))
        index = position;
    struct choice *ch = choice_at(rd, index);
    if (!ch) {
        *ret_what = "a choice's index is beyond 127";
        return ERR_UPSTREAM_BAD;
    }
    struct emit e = { rd, ch, (uint32_t)index, sink, whole, ret_what };
    /* Some servers stream `message`, some answer whole with `delta`. */
    TRY(read_delta(&e, v[C_DELTA].len ? v[C_DELTA] : v[C_MESSAGE]));
    if (json_type_of(v[C_LOGPROBS]) == JSON_OBJECT) {
        struct ir_event ev = event_of(&e, IR_EV_LOGPROBS);
        ev.raw = v[C_LOGPROBS];
        ir_emit(sink, &ev);
    }
    if (is_text(v[C_FINISH]) && !ch->finished) {
        ch->finish = finish_of(v[C_FINISH]);
        ch->finished = true;
    }
    return ERR_OK;
}

/* -- the answer */

static void start(struct oa_reader *rd, struct str id, struct str model, struct str created,
                  struct ir_sink *sink)
{
    struct ir_event ev = { .kind = IR_EV_START, .service_tier = rd->service_tier };
    uint64_t seconds;
    ev.id = is_text(id) ? json_unescape(id, rd->c.arena)
                        : arena_printf(rd->c.arena, "chatcmpl-%.*s", STR_ARG(rd->c.id));
    ev.model = json_unescape(model, rd->c.arena);
    ev.created = json_u64(created, &seconds) && seconds ? seconds : rd->c.unix_s;
    rd->started = true;
    ir_emit(sink, &ev);
}

static enum err finish(struct oa_reader *rd, struct ir_sink *sink)
{
    for (size_t i = 0; i < rd->count; i++) {
        struct choice *ch = &rd->choices[i];
        struct ir_event ev = { .kind = IR_EV_FINISH,
                               .choice = (uint32_t)i,
                               .finish = ch->finish,
                               .service_tier = rd->service_tier };
        if (!ch->seen)
            continue;
        TRY(oa_calls_finish(&ch->calls, sink));
        /* "stop" after calls is common; "tool_calls" without one would have the client wait for nothing. */
        if (ev.finish == IR_FINISH_STOP || ev.finish == IR_FINISH_TOOL_CALLS)
            ev.finish = ch->calls.count ? IR_FINISH_TOOL_CALLS : IR_FINISH_STOP;
        ir_emit(sink, &ev);
    }
    rd->ended = true;
    ir_emit(sink, &(struct ir_event){ .kind = IR_EV_END });
    return ERR_OK;
}

static enum err finish_now(struct oa_reader *rd, struct ir_sink *sink, const char **ret_what)
{
    enum err e = finish(rd, sink);
    if (e)
        *ret_what = "a tool call without a name";
    return e;
}

static enum err fail(struct oa_reader *rd, struct str data, struct ir_sink *sink)
{
    const struct dialect_target *t = rd->c.target;
    struct str who = t && t->provider ? t->provider->title : STR("The provider");
    struct fault fault;
    upstream_fault(200, data, who, STR(""), -1, rd->c.arena, &fault);
    rd->ended = true;
    ir_emit(sink, &(struct ir_event){ .kind = IR_EV_ERROR, .fault = &fault });
    return ERR_OK;
}

enum { A_ID, A_MODEL, A_CREATED, A_CHOICES, A_USAGE, A_ERROR, A_TIER, A_COUNT };
static const struct str answer_names[A_COUNT] = {
    [A_ID] = STR_INIT("id"),
    [A_MODEL] = STR_INIT("model"),
    [A_CREATED] = STR_INIT("created"),
    [A_CHOICES] = STR_INIT("choices"),
    [A_USAGE] = STR_INIT("usage"),
    [A_ERROR] = STR_INIT("error"),
    [A_TIER] = STR_INIT("service_tier"),
};

static enum err read_object(struct oa_reader *rd, const struct frame *f,
                            const struct str v[A_COUNT], struct ir_sink *sink,
                            const char **ret_what)
{
    struct json_iter it =
        json_iter(json_type_of(v[A_CHOICES]) == JSON_ARRAY ? v[A_CHOICES] : STR("[]"));
    struct ir_event usage = { .kind = IR_EV_USAGE };
    bool choices = json_next(&it);
    if (f->whole && !choices) {
        *ret_what = "an answer without choices";
        return ERR_UPSTREAM_BAD;
    }
    if (json_type_of(v[A_TIER]) == JSON_STRING && !json_str_eq(v[A_TIER], rd->service_tier))
        rd->service_tier = arena_dup(rd->c.arena, json_unescape(v[A_TIER], rd->c.arena));
    /* Azure begins with a chunk that has neither id nor choices. */
    if (!rd->started && (choices || is_text(v[A_ID])))
        start(rd, v[A_ID], v[A_MODEL], v[A_CREATED], sink);
    for (uint64_t i = 0; choices; choices = json_next(&it), i++)
        TRY(read_choice(rd, it.value, i, f->whole, sink, ret_what));
    if (openai_read_usage(v[A_USAGE], &usage.usage))
        ir_emit(sink, &usage);
    return f->whole ? finish_now(rd, sink, ret_what) : ERR_OK;
}

enum err oa_read_answer(void *reader, const struct frame *f, struct ir_sink *sink,
                        const char **ret_what)
{
    struct oa_reader *rd = reader;
    struct json_member m[A_COUNT];
    struct json_problem problem;
    struct str v[A_COUNT];
    if (rd->ended)
        return ERR_OK;
    if (!f->whole && str_starts(f->data, STR("[DONE]"))) {
        if (!rd->started) {
            *ret_what = "a stream without a chunk";
            return ERR_UPSTREAM_BAD;
        }
        return finish_now(rd, sink, ret_what);
    }
    if (json_scan_object(f->data, answer_names, A_COUNT, m, NULL, &problem)) {
        *ret_what = problem.what;
        return ERR_UPSTREAM_BAD;
    }
    for (size_t i = 0; i < A_COUNT; i++)
        v[i] = m[i].type == JSON_NULL || m[i].type == JSON_FALSE ? str_of(NULL, 0)
                                                                 : json_value(f->data, &m[i]);
    if (v[A_ERROR].len || str_eq(f->name, STR("error")))
        return fail(rd, f->data, sink);
    return read_object(rd, f, v, sink, ret_what);
}

/* Without [DONE] an answer is complete when each choice that was asked for has its finish. */
enum err oa_end_answer(void *reader, struct ir_sink *sink)
{
    struct oa_reader *rd = reader;
    size_t finished = 0, asked = 1;
    if (rd->ended)
        return ERR_OK;
    if (rd->c.rq && rd->c.rq->n.set)
        asked = (size_t)rd->c.rq->n.value;
    for (size_t i = 0; i < rd->count; i++) {
        if (rd->choices[i].seen && !rd->choices[i].finished)
            return ERR_UPSTREAM_CUT;
        finished += rd->choices[i].finished;
    }
    if (!rd->started || finished < asked)
        return ERR_UPSTREAM_CUT;
    return finish(rd, sink);
}

const struct dialect dialect_openai_chat = {
    .name = "openai.chat",
    .origin = IR_FROM_OPENAI_CHAT,
    .reader_bytes = sizeof(struct oa_reader),
    .writer_bytes = sizeof(struct oa_writer),
    .read_request = oa_read_request,
    .read_scanned = oa_read_scanned,
    .write_request = oa_write_request,
    .reader_init = oa_reader_init,
    .read_answer = oa_read_answer,
    .end_answer = oa_end_answer,
    .reader_done = oa_reader_done,
    .writer_init = oa_writer_init,
    .write_answer = oa_write_answer,
    .writer_done = oa_writer_done,
};
