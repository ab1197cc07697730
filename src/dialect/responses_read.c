/* A provider's answer in the Responses API into events. OpenAI's API reference, "The response object" and "Streaming events", August
 * 2026; what compatible servers do otherwise is understood.
 *
 *   created in_progress { output_item.added ... output_item.done }* (completed | incomplete | failed | error)
 *
 * Unknown events are skipped. An answer is one choice. */
#include "dialect/responses_provider_priv.h"

void rr_reader_init(void *reader, const struct answer_context *c)
{
    struct rr_reader *r = reader;
    *r = (struct rr_reader){ .c = *c };
}

void rr_reader_done(void *reader)
{
    rr_calls_free(reader);
}

/* -- the answer as a whole */

/* `object` is a response, or empty: a stream that begins without one. */
static void start(struct rr_out *o, struct str object)
{
    struct rr_reader *r = o->r;
    struct arena *a = r->c.arena;
    struct str id = rr_text(object, "id"), tier = rr_text(object, "service_tier");
    struct ir_event ev = { .kind = IR_EV_START };
    uint64_t seconds;
    if (r->started)
        return;
    ev.id = id.len ? json_unescape(id, a) : arena_printf(a, "resp_%.*s", STR_ARG(r->c.id));
    ev.model = json_unescape(rr_text(object, "model"), a);
    ev.created =
        json_u64(json_get(object, "created_at"), &seconds) && seconds ? seconds : r->c.unix_s;
    if (tier.len && !json_str_eq(tier, STR("auto"))) /* which one it is to be is told at the end */
        ev.service_tier = r->service_tier = arena_dup(a, json_unescape(tier, a));
    r->started = true;
    ir_emit(o->sink, &ev);
}

static void fail(struct rr_out *o, struct str error)
{
    struct fault fault;
    rr_fault(o->r, error, &fault);
    o->r->ended = true;
    ir_emit(o->sink, &(struct ir_event){ .kind = IR_EV_ERROR, .fault = &fault });
}

static enum ir_finish finish_of(const struct rr_reader *r, struct str object, bool incomplete)
{
    struct str reason = json_get(json_get(object, "incomplete_details"), "reason");
    if (incomplete && json_str_eq(reason, STR("content_filter")))
        return IR_FINISH_CONTENT_FILTER;
    if (incomplete) /* max_output_tokens, and what else there will be */
        return IR_FINISH_LENGTH;
    return r->call_count ? IR_FINISH_TOOL_CALLS : IR_FINISH_STOP;
}

static enum err finish(struct rr_out *o, struct str object, bool incomplete)
{
    struct rr_reader *r = o->r;
    struct ir_event ev = { .kind = IR_EV_FINISH }, usage = { .kind = IR_EV_USAGE };
    struct str tier = rr_text(object, "service_tier");
    TRY(rr_calls_finish(o));
    ev.finish = finish_of(r, object, incomplete);
    ev.service_tier =
        tier.len ? arena_dup(r->c.arena, json_unescape(tier, r->c.arena)) : r->service_tier;
    ir_emit(o->sink, &ev);
    if (response_read_usage(json_get(object, "usage"), &usage.usage))
        ir_emit(o->sink, &usage);
    r->ended = true;
    ir_emit(o->sink, &(struct ir_event){ .kind = IR_EV_END });
    return ERR_OK;
}

/* -- a response that is complete, alone or as a stream's last event */

static enum err read_output(struct rr_out *o, struct str object)
{
    struct str output = json_get(object, "output");
    struct json_iter items = json_iter(json_type_of(output) == JSON_ARRAY ? output : STR("[]"));
    bool silent = o->r->count == 0; /* no event told of an item */
    for (uint64_t i = 0; json_next(&items); i++) {
        struct str id = rr_text(items.value, "id");
        struct rr_item *it = !silent && id.len ? rr_item_find(o->r, NULL, id) : NULL;
        if (silent)
            TRY(rr_item_begin(o, items.value, i, &it));
        if (it)
            TRY(rr_item_end(o, it, items.value));
    }
    return ERR_OK;
}

static enum err read_final(struct rr_out *o, struct str object, bool whole, bool incomplete)
{
    struct str status = json_get(object, "status"), error = json_get(object, "error");
    incomplete |= json_str_eq(status, STR("incomplete"));
    if (json_str_eq(status, STR("failed")) ||
        (error.len && !json_str_eq(status, STR("completed")))) {
        fail(o, error);
        return ERR_OK;
    }
    if (json_str_eq(status, STR("queued")) || json_str_eq(status, STR("in_progress")))
        return rr_bad(o, "a response that is not complete");
    if (json_str_eq(status, STR("cancelled")))
        return rr_bad(o, "a response that was cancelled");
    if (whole && json_type_of(json_get(object, "output")) != JSON_ARRAY)
        return rr_bad(o, "a response without output");
    start(o, object);
    TRY(read_output(o, object));
    return finish(o, object, incomplete);
}

/* -- a stream's events */

enum {
    E_TYPE,
    E_RESPONSE,
    E_ITEM,
    E_ITEM_ID,
    E_OUTPUT,
    E_CONTENT,
    E_SUMMARY,
    E_DELTA,
    E_TEXT,
    E_REFUSAL,
    E_ARGUMENTS,
    E_INPUT,
    E_LOGPROBS,
    E_ANNOTATION,
    E_NAME,
    E_ERROR,
    E_COUNT
};
static const struct str event_names[E_COUNT] = {
    [E_TYPE] = STR_INIT("type"),
    [E_RESPONSE] = STR_INIT("response"),
    [E_ITEM] = STR_INIT("item"),
    [E_ITEM_ID] = STR_INIT("item_id"),
    [E_OUTPUT] = STR_INIT("output_index"),
    [E_CONTENT] = STR_INIT("content_index"),
    [E_SUMMARY] = STR_INIT("summary_index"),
    [E_DELTA] = STR_INIT("delta"),
    [E_TEXT] = STR_INIT("text"),
    [E_REFUSAL] = STR_INIT("refusal"),
    [E_ARGUMENTS] = STR_INIT("arguments"),
    [E_INPUT] = STR_INIT("input"),
    [E_LOGPROBS] = STR_INIT("logprobs"),
    [E_ANNOTATION] = STR_INIT("annotation"),
    [E_NAME] = STR_INIT("name"),
    [E_ERROR] = STR_INIT("error"),
};

struct event {
    struct str data, v[E_COUNT]; /* null is empty */
};

/* The item that an event is about. One that was never announced begins with it. */
static enum err item_of(struct rr_out *o, const struct event *e, enum rr_kind kind,
                        struct rr_item **ret_item)
{
    uint64_t index;
    bool placed = json_u64(e->v[E_OUTPUT], &index);
    struct rr_item *it = rr_item_find(o->r, placed ? &index : NULL, e->v[E_ITEM_ID]);
    if (!it)
        TRY(rr_item_begin(o, STR(""), placed ? index : o->r->count, &it));
    if (it->kind == RR_UNKNOWN) {
        it->kind = kind;
        if (kind == RR_FUNCTION || kind == RR_CUSTOM)
            it->call = rr_call_add(o->r, kind == RR_CUSTOM);
    }
    *ret_item = it;
    if ((kind == RR_FUNCTION || kind == RR_CUSTOM) && !it->call)
        return rr_bad(o, "tool arguments of an item that is no call");
    return ERR_OK;
}

static bool is_string(struct str v)
{
    return json_type_of(v) == JSON_STRING;
}

/* A delta, or the complete text of a part, which counts where no delta came. */
static enum err read_text(struct rr_out *o, const struct event *e, enum rr_kind kind,
                          enum ir_event_kind event, bool summary, struct str delta,
                          struct str complete)
{
    uint64_t index = 0;
    struct rr_item *it;
    struct rr_part *part;
    TRY(item_of(o, e, kind, &it));
    if (!json_u64(e->v[summary ? E_SUMMARY : E_CONTENT], &index))
        index = 0;
    TRY(rr_part_at(o, it, summary, index, &part));
    if (it->done)
        return ERR_OK; /* the complete item told it */
    if (is_string(delta))
        rr_emit_text(o, part, event, delta);
    else if (is_string(complete) && !part->told)
        rr_emit_text(o, part, event, complete);
    if (delta.len || !part->logprobs)
        rr_logprobs(o, part, e->v[E_LOGPROBS], event == IR_EV_REFUSAL);
    return ERR_OK;
}

static enum err on_text(struct rr_out *o, const struct event *e)
{
    return read_text(o, e, RR_MESSAGE, IR_EV_TEXT, false, e->v[E_DELTA], e->v[E_TEXT]);
}

static enum err on_refusal(struct rr_out *o, const struct event *e)
{
    return read_text(o, e, RR_MESSAGE, IR_EV_REFUSAL, false, e->v[E_DELTA], e->v[E_REFUSAL]);
}

static enum err on_summary(struct rr_out *o, const struct event *e)
{
    return read_text(o, e, RR_REASONING, IR_EV_REASONING, true, e->v[E_DELTA], e->v[E_TEXT]);
}

static enum err on_reasoning(struct rr_out *o, const struct event *e)
{
    return read_text(o, e, RR_REASONING, IR_EV_REASONING, false, e->v[E_DELTA], e->v[E_TEXT]);
}

static enum err on_annotation(struct rr_out *o, const struct event *e)
{
    uint64_t index = 0;
    struct rr_item *it;
    struct rr_part *part;
    TRY(item_of(o, e, RR_MESSAGE, &it));
    if (!json_u64(e->v[E_CONTENT], &index))
        index = 0;
    TRY(rr_part_at(o, it, false, index, &part));
    if (!it->done && json_type_of(e->v[E_ANNOTATION]) == JSON_OBJECT)
        rr_annotation(o, part, e->v[E_ANNOTATION]);
    return ERR_OK;
}

/* A delta, or the complete arguments, which count where no delta came. */
static enum err read_arguments(struct rr_out *o, const struct event *e, enum rr_kind kind,
                               struct str complete)
{
    struct rr_item *it;
    TRY(item_of(o, e, kind, &it));
    rr_call_learn(o, it->call, STR(""), e->v[E_NAME]);
    if (is_string(e->v[E_DELTA]))
        return rr_call_arguments(o, it->call, e->v[E_DELTA]);
    if (is_string(complete) && !it->call->argued)
        return rr_call_arguments(o, it->call, complete);
    return ERR_OK;
}

static enum err on_arguments(struct rr_out *o, const struct event *e)
{
    return read_arguments(o, e, RR_FUNCTION, e->v[E_ARGUMENTS]);
}

static enum err on_input(struct rr_out *o, const struct event *e)
{
    return read_arguments(o, e, RR_CUSTOM, e->v[E_INPUT]);
}

static enum err on_item_added(struct rr_out *o, const struct event *e)
{
    uint64_t index;
    struct rr_item *it;
    if (json_type_of(e->v[E_ITEM]) != JSON_OBJECT)
        return rr_bad(o, "an output item that is no object");
    if (!json_u64(e->v[E_OUTPUT], &index))
        index = o->r->count;
    return rr_item_begin(o, e->v[E_ITEM], index, &it);
}

static enum err on_item_done(struct rr_out *o, const struct event *e)
{
    uint64_t index;
    struct str item = e->v[E_ITEM];
    bool placed = json_u64(e->v[E_OUTPUT], &index);
    if (json_type_of(item) != JSON_OBJECT)
        return rr_bad(o, "an output item that is no object");
    struct rr_item *it = rr_item_find(o->r, placed ? &index : NULL, rr_text(item, "id"));
    if (!it)
        TRY(rr_item_begin(o, item, placed ? index : o->r->count, &it));
    return rr_item_end(o, it, item);
}

static enum err on_begin(struct rr_out *o, const struct event *e)
{
    start(o, e->v[E_RESPONSE]);
    return ERR_OK;
}

static enum err on_final(struct rr_out *o, const struct event *e)
{
    return read_final(o, e->v[E_RESPONSE], false, false);
}

static enum err on_incomplete(struct rr_out *o, const struct event *e)
{
    return read_final(o, e->v[E_RESPONSE], false, true);
}

static enum err on_failed(struct rr_out *o, const struct event *e)
{
    fail(o, json_get(e->v[E_RESPONSE], "error"));
    return ERR_OK;
}

/* Both forms: flat, and with an object `error`. */
static enum err on_error(struct rr_out *o, const struct event *e)
{
    fail(o, e->v[E_ERROR].len ? e->v[E_ERROR] : e->data);
    return ERR_OK;
}

static enum err on_keepalive(struct rr_out *o, const struct event *e)
{
    ir_emit(o->sink, &(struct ir_event){ .kind = IR_EV_PING });
    return ERR_OK;
}

typedef enum err event_fn(struct rr_out *o, const struct event *e);

static const struct event_row {
    struct str type;
    event_fn *read;
    bool answers; /* of an answer that has begun: START comes before */
} event_rows[] = {
    { STR_INIT("response.output_text.delta"), on_text, true },
    { STR_INIT("response.function_call_arguments.delta"), on_arguments, true },
    { STR_INIT("response.reasoning_summary_text.delta"), on_summary, true },
    { STR_INIT("response.reasoning_text.delta"), on_reasoning, true },
    { STR_INIT("response.custom_tool_call_input.delta"), on_input, true },
    { STR_INIT("response.refusal.delta"), on_refusal, true },
    { STR_INIT("response.output_text.done"), on_text, true },
    { STR_INIT("response.function_call_arguments.done"), on_arguments, true },
    { STR_INIT("response.reasoning_summary_text.done"), on_summary, true },
    { STR_INIT("response.reasoning_text.done"), on_reasoning, true },
    { STR_INIT("response.custom_tool_call_input.done"), on_input, true },
    { STR_INIT("response.refusal.done"), on_refusal, true },
    { STR_INIT("response.output_text.annotation.added"), on_annotation, true },
    { STR_INIT("response.output_item.added"), on_item_added, true },
    { STR_INIT("response.output_item.done"), on_item_done, true },
    { STR_INIT("response.created"), on_begin, false },
    { STR_INIT("response.queued"), on_begin, false },
    { STR_INIT("response.in_progress"), on_begin, false },
    { STR_INIT("response.completed"), on_final, false },
    { STR_INIT("response.incomplete"), on_incomplete, false },
    { STR_INIT("response.failed"), on_failed, false },
    { STR_INIT("error"), on_error, false },
    { STR_INIT("keepalive"), on_keepalive, false },
};

static enum err read_event(struct rr_out *o, const struct frame *f, const struct event *e)
{
    bool typed = is_string(e->v[E_TYPE]);
    for (size_t i = 0; i < sizeof event_rows / sizeof event_rows[0]; i++) {
        const struct event_row *row = &event_rows[i];
        if (typed ? !json_str_eq(e->v[E_TYPE], row->type) : !str_eq(f->name, row->type))
            continue;
        if (row->answers)
            start(o, STR(""));
        return row->read(o, e);
    }
    /* What a server sends that fails as it does outside of a stream. */
    return !typed && e->v[E_ERROR].len ? on_error(o, e) : ERR_OK;
}

enum err rr_read_answer(void *reader, const struct frame *f, struct ir_sink *sink,
                        const char **ret_what)
{
    struct rr_reader *r = reader;
    struct rr_out o = { r, sink, ret_what };
    struct json_member m[E_COUNT];
    struct json_problem problem;
    struct response_answer ans;
    struct event e = { .data = str_trim(f->data) };
    if (r->ended || (!f->whole && (!e.data.len || str_starts(e.data, STR("[DONE]")))))
        return ERR_OK; /* [DONE] is chat's: some servers send it here too, after the last event */
    if (f->whole) {
        if (response_read_answer(e.data, &ans))
            return rr_bad(&o, ans.problem.what);
        if (!ans.error)
            return read_final(&o, e.data, true, false);
        struct str error = json_get(e.data, "error");
        fail(&o, error.len ? error : e.data);
        return ERR_OK;
    }
    if (json_scan_object(e.data, event_names, E_COUNT, m, NULL, &problem))
        return rr_bad(&o, problem.what);
    for (size_t i = 0; i < E_COUNT; i++)
        if (m[i].type != JSON_NULL)
            e.v[i] = json_value(e.data, &m[i]);
    return read_event(&o, f, &e);
}

enum err rr_end_answer(void *reader, struct ir_sink *sink)
{
    const struct rr_reader *r = reader;
    return r->ended ? ERR_OK : ERR_UPSTREAM_CUT;
}
