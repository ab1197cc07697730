/* Answers of generateContent: whole responses, and a stream's, which are responses with partial
 * candidates (Gemini API reference, "GenerateContentResponse", August 2026).
 *
 * The finish of a candidate is held until the answer's end: grounding and usage may follow it. A
 * stream has no mark of its end; it was cut when a candidate has no finishReason. */
#include "dialect/count.h"
#include "dialect/gemini_priv.h"
#include "dialect/upstream_fault.h"

#include "base/mem.h"

#include <time.h>

/* Of a candidate's text, kept to count the offsets of citations. */
#define TEXT_KEPT_MAX_BYTES (8 * MIB)

static void reader_init(void *reader, const struct answer_context *c)
{
    struct gemini_reader *r = reader;
    *r = (struct gemini_reader){ .c = c };
}

static void reader_done(void *reader)
{
    struct gemini_reader *r = reader;
    for (size_t i = 0; i < GEMINI_CHOICES_MAX; i++)
        if (r->choices[i])
            buf_done(&r->choices[i]->text);
    *r = (struct gemini_reader){ .c = r->c, .ended = true };
}

/* -- errors */

static void emit_usage(struct gemini_reader *r, struct ir_sink *sink)
{
    struct ir_event ev = { .kind = IR_EV_USAGE, .usage = gemini_usage(&r->counts) };
    if (r->counts.reported)
        ir_emit(sink, &ev);
}

/* What was spent until then is billed all the same. */
static void emit_fault(struct gemini_reader *r, const struct fault *f, struct ir_sink *sink)
{
    struct ir_event ev = { .kind = IR_EV_ERROR, .fault = f };
    emit_usage(r, sink);
    r->ended = true;
    ir_emit(sink, &ev);
}

static void read_error(struct gemini_reader *r, struct str json, struct ir_sink *sink)
{
    const struct provider *p = r->c->target ? r->c->target->provider : NULL;
    struct fault f;
    upstream_fault(200, json, p ? p->title : STR("The provider"), str_of(NULL, 0), -1, r->c->arena,
                   &f);
    emit_fault(r, &f, sink);
}

/* -- the start */

/* "2026-04-02T17:03:50.399550Z" */
static uint64_t created_of(struct str literal, uint64_t now)
{
    struct tm tm = { 0 };
    char text[20];
    if (json_type_of(literal) != JSON_STRING || literal.len < 21)
        return now;
    memcpy(text, literal.p + 1, 19);
    text[19] = '\0';
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    int64_t at = end && !*end ? (int64_t)timegm(&tm) : -1;
    return at > 0 ? (uint64_t)at : now;
}

enum { R_ERROR, R_CANDIDATES, R_FEEDBACK, R_USAGE, R_MODEL, R_ID, R_CREATED, R_COUNT };

static const struct str response_names[R_COUNT] = {
    STR_INIT("error"),         STR_INIT("candidates"),   STR_INIT("promptFeedback"),
    STR_INIT("usageMetadata"), STR_INIT("modelVersion"), STR_INIT("responseId"),
    STR_INIT("createTime"),
};

static struct str plain_of(struct gemini_reader *r, struct str literal)
{
    return json_type_of(literal) == JSON_STRING ? json_unescape(literal, r->c->arena)
                                                : str_of(NULL, 0);
}

static void start(struct gemini_reader *r, struct str json, const struct json_member *m,
                  struct ir_sink *sink)
{
    struct ir_event ev = { .kind = IR_EV_START };
    if (r->started)
        return;
    r->started = true;
    ev.id = plain_of(r, json_value(json, &m[R_ID]));
    if (ev.id.len == 0)
        ev.id = r->c->id;
    ev.model = plain_of(r, json_value(json, &m[R_MODEL]));
    if (ev.model.len == 0 && r->c->target)
        ev.model = r->c->target->model;
    ev.created = created_of(json_value(json, &m[R_CREATED]), r->c->unix_s);
    ir_emit(sink, &ev);
}

/* -- finish reasons */

enum ending {
    END_STOP,
    END_LENGTH,
    END_FILTER,
    END_BROKEN,    /* no use without content; else a stop */
    END_UNLUCKY,   /* the same, and worth another try */
    END_SIGNATURE, /* the history lacked a thought signature */
};

static const struct {
    struct str reason;
    enum ending ending;
    const char *what;
} reasons[] = {
    { STR_INIT("STOP"), END_STOP, NULL },
    { STR_INIT("MAX_TOKENS"), END_LENGTH, NULL },
    { STR_INIT("CONTINUATION"), END_LENGTH, NULL },
    { STR_INIT("SAFETY"), END_FILTER, NULL },
    { STR_INIT("RECITATION"), END_FILTER, NULL },
    { STR_INIT("LANGUAGE"), END_FILTER, NULL },
    { STR_INIT("BLOCKLIST"), END_FILTER, NULL },
    { STR_INIT("PROHIBITED_CONTENT"), END_FILTER, NULL },
    { STR_INIT("SPII"), END_FILTER, NULL },
    { STR_INIT("MODEL_ARMOR"), END_FILTER, NULL },
    { STR_INIT("IMAGE_SAFETY"), END_FILTER, NULL },
    { STR_INIT("IMAGE_PROHIBITED_CONTENT"), END_FILTER, NULL },
    { STR_INIT("IMAGE_RECITATION"), END_FILTER, NULL },
    { STR_INIT("MALFORMED_FUNCTION_CALL"), END_UNLUCKY, "malformed function call" },
    { STR_INIT("MALFORMED_RESPONSE"), END_UNLUCKY, "malformed response" },
    { STR_INIT("UNEXPECTED_TOOL_CALL"), END_UNLUCKY, "a function call that was not asked for" },
    { STR_INIT("TOO_MANY_TOOL_CALLS"), END_BROKEN, "too many tool calls" },
    { STR_INIT("NO_IMAGE"), END_BROKEN, "no image was made" },
    { STR_INIT("IMAGE_OTHER"), END_BROKEN, "no image was made" },
    { STR_INIT("OTHER"), END_BROKEN, "finish reason OTHER without content" },
    { STR_INIT("MISSING_THOUGHT_SIGNATURE"), END_SIGNATURE, NULL },
};

/* Unknown ones are OTHER, as in Google's SDKs. */
static size_t reason_of(struct str literal)
{
    size_t other = 0;
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (json_str_eq(literal, reasons[i].reason))
            return i;
        if (str_eq(reasons[i].reason, STR("OTHER")))
            other = i;
    }
    return other;
}

/* An answer that ended so and brought nothing. */
static void fail_broken(struct gemini_reader *r, const char *what, bool again, struct ir_sink *sink)
{
    struct fault f;
    fault_set(&f, ERR_UPSTREAM_BAD, r->c->arena,
              "The model's answer could not be used (%s). Send the request again; where this "
              "happens often, simpler tools or instructions help.",
              what);
    f.detail = str_c(what);
    f.again = again ? AGAIN_SAME : AGAIN_NO;
    emit_fault(r, &f, sink);
}

static void fail_signature(struct gemini_reader *r, struct ir_sink *sink)
{
    struct fault f;
    fault_set(
        &f, ERR_BAD_REQUEST, r->c->arena,
        "The model asks for the thought signatures of earlier tool calls. Send each assistant "
        "message back as it came, with extra_content on its tool_calls.");
    f.param = STR("messages");
    f.again = AGAIN_REPAIRED;
    emit_fault(r, &f, sink);
}

static void read_finish(struct gemini_reader *r, struct gemini_choice *ch, struct str reason,
                        struct str message, struct ir_sink *sink)
{
    size_t i = reason_of(reason);
    enum ending ending = reasons[i].ending;
    bool content = ch->content || ch->open;
    ch->finished = true;
    switch (ending) {
    case END_STOP: ch->finish = IR_FINISH_STOP; break;
    case END_LENGTH: ch->finish = IR_FINISH_LENGTH; break;
    case END_FILTER:
        ch->finish = IR_FINISH_CONTENT_FILTER;
        if (!content && json_type_of(message) == JSON_STRING)
            ch->explanation = arena_dup(r->c->arena, message);
        break;
    case END_BROKEN:
    case END_UNLUCKY:
        if (!content) {
            fail_broken(r, reasons[i].what, ending == END_UNLUCKY, sink);
            break;
        }
        /* No other dialect has a word for it: the answer ends there. */
        gemini_emit_loss(ch, "finish_reason", true, sink);
        ch->finish = IR_FINISH_STOP;
        break;
    case END_SIGNATURE: fail_signature(r, sink); break;
    }
}

/* -- candidates */

static struct gemini_choice *choice_at(struct gemini_reader *r, uint64_t index)
{
    if (index >= GEMINI_CHOICES_MAX)
        return NULL;
    if (!r->choices[index]) {
        struct gemini_choice *ch = ARENA_NEW(r->c->arena, struct gemini_choice);
        ch->index = (uint32_t)index;
        buf_init(&ch->text, TEXT_KEPT_MAX_BYTES);
        r->choices[index] = ch;
    }
    return r->choices[index];
}

static enum err read_candidate(struct gemini_reader *r, struct str json, struct ir_sink *sink,
                               const char **ret_what)
{
    enum { INDEX, CONTENT, FINISH, MESSAGE, GROUNDING, CITATIONS, LOGPROBS, N };
    static const struct str names[N] = {
        STR_INIT("index"),          STR_INIT("content"),           STR_INIT("finishReason"),
        STR_INIT("finishMessage"),  STR_INIT("groundingMetadata"), STR_INIT("citationMetadata"),
        STR_INIT("logprobsResult"),
    };
    struct json_member m[N];
    uint64_t index = 0; /* left out for the first one */
    if (!json_peek_object(json, names, N, m, NULL)) {
        *ret_what = "a candidate is no object";
        return ERR_UPSTREAM_BAD;
    }
    if (m[INDEX].type != JSON_ABSENT && m[INDEX].type != JSON_NULL)
        gemini_u64(json_value(json, &m[INDEX]), &index);
    struct gemini_choice *ch = choice_at(r, index);
    if (!ch) {
        *ret_what = "a candidate's index is out of range";
        return ERR_UPSTREAM_BAD;
    }
    gemini_read_grounding(r, ch, json_value(json, &m[GROUNDING]), sink); /* searches come first */
    TRY(gemini_read_content(r, ch, json_value(json, &m[CONTENT]), sink, ret_what));
    gemini_read_citations(r, ch, json_value(json, &m[CITATIONS]));
    gemini_emit_logprobs(r, ch, json_value(json, &m[LOGPROBS]), sink);
    if (m[FINISH].type == JSON_STRING)
        read_finish(r, ch, json_value(json, &m[FINISH]), json_value(json, &m[MESSAGE]), sink);
    return ERR_OK;
}

/* A prompt that was blocked is answered with status 200 and no candidate. */
static void read_feedback(struct gemini_reader *r, struct str json)
{
    static const struct str names[] = { STR_INIT("blockReason"), STR_INIT("blockReasonMessage") };
    struct json_member m[2];
    if (!json_peek_object(json, names, 2, m, NULL) || m[0].type != JSON_STRING)
        return;
    struct gemini_choice *ch = choice_at(r, 0);
    struct arena *a = r->c->arena;
    r->blocked = true;
    ch->finished = true;
    ch->finish = IR_FINISH_CONTENT_FILTER;
    if (m[1].type == JSON_STRING)
        ch->explanation = arena_dup(a, json_value(json, &m[1]));
    else
        ch->explanation = ir_quote(arena_printf(a, "Prompt blocked: %.*s",
                                                STR_ARG(json_unescape(json_value(json, &m[0]), a))),
                                   a);
}

static enum err read_response(struct gemini_reader *r, struct str json,
                              const struct json_member m[R_COUNT], struct ir_sink *sink,
                              const char **ret_what)
{
    if (m[R_ERROR].type != JSON_ABSENT && m[R_ERROR].type != JSON_NULL) {
        read_error(r, json, sink);
        return ERR_OK;
    }
    start(r, json, m, sink);
    gemini_read_usage(json_value(json, &m[R_USAGE]), &r->counts, &r->tier);
    struct json_iter it = json_iter(
        m[R_CANDIDATES].type == JSON_ARRAY ? json_value(json, &m[R_CANDIDATES]) : STR("[]"));
    bool any = false;
    while (!r->ended && json_next(&it)) {
        any = true;
        TRY(read_candidate(r, it.value, sink, ret_what));
    }
    if (!any)
        read_feedback(r, json_value(json, &m[R_FEEDBACK]));
    return ERR_OK;
}

/* -- the end */

static void finish_choice(struct gemini_reader *r, struct gemini_choice *ch, struct ir_sink *sink)
{
    struct ir_event ev = { .kind = IR_EV_FINISH,
                           .choice = ch->index,
                           .finish = ch->finish,
                           .json = ch->explanation,
                           .service_tier = r->tier };
    if (ch->open) {
        struct gemini_call c = gemini_partial_take(&ch->open, r->c->arena);
        gemini_emit_call(r, ch, c.id, c.name, c.args, c.signature, sink);
    }
    gemini_emit_annotations(r, ch, sink);
    if (ev.finish == IR_FINISH_STOP && ch->calls)
        ev.finish = IR_FINISH_TOOL_CALLS;
    ir_emit(sink, &ev);
}

/* A candidate of a whole answer that does not say why it ended: what it holds came whole, and is all there is. */
static void finish_unsaid(struct gemini_reader *r, struct gemini_choice *ch, struct ir_sink *sink)
{
    if (!ch->content && !ch->open) {
        fail_broken(r, "neither content nor a finish reason", true, sink);
        return;
    }
    gemini_emit_loss(ch, "finish_reason", true, sink);
    ch->finish = IR_FINISH_STOP;
}

static enum err finish(struct gemini_reader *r, struct ir_sink *sink)
{
    bool any = false;
    for (size_t i = 0; i < GEMINI_CHOICES_MAX; i++) {
        struct gemini_choice *ch = r->choices[i];
        any |= ch != NULL;
        /* A whole answer came whole: its framing says so. */
        if (ch && !ch->finished && !r->whole)
            return ERR_UPSTREAM_CUT;
    }
    if (!any)
        return r->whole ? ERR_UPSTREAM_BAD : ERR_UPSTREAM_CUT;
    for (size_t i = 0; i < GEMINI_CHOICES_MAX; i++) {
        if (r->choices[i] && !r->choices[i]->finished)
            finish_unsaid(r, r->choices[i], sink);
        if (r->ended)
            return ERR_OK;
    }
    for (size_t i = 0; i < GEMINI_CHOICES_MAX; i++)
        if (r->choices[i])
            finish_choice(r, r->choices[i], sink);
    emit_usage(r, sink);
    struct ir_event end = { .kind = IR_EV_END };
    r->ended = true;
    ir_emit(sink, &end);
    return ERR_OK;
}

/* A stream asked for without alt=sse, and errors of Vertex AI's streams. */
static enum err read_array(struct gemini_reader *r, struct str json, struct ir_sink *sink,
                           const char **ret_what)
{
    struct json_member m[R_COUNT];
    struct json_iter it = json_iter(json);
    while (!r->ended && json_next(&it)) {
        if (!json_peek_object(it.value, response_names, R_COUNT, m, NULL)) {
            *ret_what = "a response is no object";
            return ERR_UPSTREAM_BAD;
        }
        TRY(read_response(r, it.value, m, sink, ret_what));
    }
    return ERR_OK;
}

static enum err read_answer(void *reader, const struct frame *f, struct ir_sink *sink,
                            const char **ret_what)
{
    struct gemini_reader *r = reader;
    struct json_problem problem;
    struct json_member m[R_COUNT];
    struct str json = str_trim(f->data);
    bool array = json_type_of(json) == JSON_ARRAY;
    if (r->ended)
        return ERR_OK;
    r->whole = f->whole;
    if (array ? json_check(json, &problem)
              : json_scan_object(json, response_names, R_COUNT, m, NULL, &problem)) {
        *ret_what = problem.what;
        return ERR_UPSTREAM_BAD;
    }
    TRY(array ? read_array(r, json, sink, ret_what) : read_response(r, json, m, sink, ret_what));
    if (!f->whole || r->ended)
        return ERR_OK;
    enum err e = finish(r, sink);
    if (e)
        *ret_what = "no candidates and no reason why";
    return e;
}

static enum err end_answer(void *reader, struct ir_sink *sink)
{
    struct gemini_reader *r = reader;
    return r->ended ? ERR_OK : finish(r, sink);
}

const struct dialect dialect_gemini_generate = {
    .name = "gemini.generate",
    .origin = IR_FROM_GEMINI,
    .reader_bytes = sizeof(struct gemini_reader),
    .write_request = gemini_write_request,
    .read_count = count_read_gemini,
    .reader_init = reader_init,
    .read_answer = read_answer,
    .end_answer = end_answer,
    .reader_done = reader_done,
};
