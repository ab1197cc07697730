#include "flow/translate.h"

#include "base/mem.h"
#include "dialect/count.h"
#include "dialect/dialect.h"
#include "flow/flow_priv.h"

#include <assert.h>

#define FOLDED_BYTES 1024

struct translation {
    struct flow *f;
    const struct dialect *client, *provider;
    struct ir_request rq;
    struct ir_call call;
    struct dialect_target target;
    struct answer_context context;
    struct answer_style style;
    void *reader, *writer;
    struct ir_sink sink;
    bool called, reading, ended, failed;
    bool wrote; /* the client's frames were begun */
};

static const struct dialect *const by_id[] = {
    [DIALECT_OPENAI_CHAT] = &dialect_openai_chat,
    [DIALECT_OPENAI_RESPONSES] = &dialect_openai_responses,
    [DIALECT_ANTHROPIC] = &dialect_anthropic_messages,
    [DIALECT_GEMINI] = &dialect_gemini_generate,
};

/* -- the request */

/* allowed_openai_params: members of the client's that go to the provider as they are, whatever is known of it. */
static void fill_passthrough(struct flow *f, struct dialect_target *t)
{
    const struct conf_deployment *d = f->pick.deployment->conf;
    struct json_member *got = ARENA_ARRAY(f->arena, struct json_member, d->allowed_count + 1);
    struct conf_member *pass = ARENA_ARRAY(f->arena, struct conf_member, d->allowed_count + 1);
    json_peek_object(f->rq.body, d->allowed_params, d->allowed_count, got, NULL);
    for (size_t i = 0; i < d->allowed_count; i++)
        if (got[i].type != JSON_ABSENT)
            pass[t->passthrough_count++] =
                (struct conf_member){ d->allowed_params[i], json_value(f->rq.body, &got[i]) };
    t->passthrough = pass;
}

static void fill_target(struct flow *f, struct translation *t)
{
    const struct provider *p = f->pick.endpoint->provider;
    const struct conf_deployment *d = f->pick.deployment->conf;
    t->target = (struct dialect_target){
        .provider = p,
        .model = f->pick.upstream_model,
        .facts = flow_facts(f),
        .vertex = p->url == URL_VERTEX,
        .modify_params = d->modify_params,
        .repair = f->at.repair,
        .count = f->rq.kind == OPENAI_RESPONSE_TOKENS,
    };
    t->target.allowed = d->allowed_params;
    t->target.allowed_count = d->allowed_count;
    if (d->allowed_count)
        fill_passthrough(f, &t->target);
    f->at.report = report_new(f);
}

static void echo(struct translation *t, struct str name, struct str raw)
{
    struct ir_ext *e = ARENA_NEW(t->f->arena, struct ir_ext);
    *e = (struct ir_ext){ t->rq.echo, IR_FROM_OPENAI_RESPONSES, name, raw };
    t->rq.echo = e;
}

/* What the answer repeats of members that weir has dealt with itself. */
static void echo_session(struct translation *t)
{
    struct flow *f = t->f;
    if (f->rs->parent_json.len)
        echo(t, STR("previous_response_id"), f->rs->parent_json);
    if (!session_keeps(f))
        echo(t, STR("store"), STR("false"));
}

static struct translation *translation_new(struct flow *f, const struct dialect *provider)
{
    struct translation *t = ARENA_NEW(f->arena, struct translation);
    f->at.tr = t;
    t->f = f;
    t->client = f->rs ? &dialect_openai_responses : &dialect_openai_chat;
    t->provider = provider;
    return t;
}

static enum err read_client(struct translation *t)
{
    struct flow *f = t->f;
    struct str body = edited_body(f);
    bool scanned = body.p == f->rq.body.p && t->client->read_scanned; /* as it was admitted */
    read_request_fn *read = scanned ? t->client->read_scanned : t->client->read_request;
    TRY(read(body, f->rq.model, f->arena, &t->rq, &f->fault));
    if (f->rs)
        echo_session(t);
    return ERR_OK;
}

static struct str replaced(struct str text, struct str old, struct str with, struct arena *a)
{
    struct buf out;
    size_t at;
    buf_init(&out, 64 * KIB);
    while ((at = str_find(text, old)) != STR_NONE) {
        buf_put(&out, str_head(text, at));
        buf_put(&out, with);
        text = str_skip(text, at + old.len);
    }
    buf_put(&out, text);
    struct str made = arena_dup(a, buf_str(&out));
    buf_done(&out);
    return made;
}

/* Writers and providers name members as chat completions has them; a client of the Responses API knows them by other names. */
static const struct member_name {
    struct str chat, responses;
} member_names[] = {
    { STR_INIT("messages["), STR_INIT("input[") },
    { STR_INIT("messages.content.image_url."), STR_INIT("input.content.") },
    { STR_INIT("messages.content.file."), STR_INIT("input.content.") },
    { STR_INIT("messages.content.cache_control"),
      STR_INIT("input.content.prompt_cache_breakpoint") },
    { STR_INIT("messages.tool_calls.function."), STR_INIT("input.") },
    { STR_INIT("messages"), STR_INIT("input") },
    { STR_INIT("image_url."), STR_INIT("input.content.") },
    { STR_INIT("reasoning_content"), STR_INIT("input") },
    { STR_INIT("reasoning_effort"), STR_INIT("reasoning.effort") },
    { STR_INIT("response_format.json_schema."), STR_INIT("text.format.") },
    { STR_INIT("response_format"), STR_INIT("text.format") },
    { STR_INIT("verbosity"), STR_INIT("text.verbosity") },
    { STR_INIT("max_completion_tokens"), STR_INIT("max_output_tokens") },
    { STR_INIT("max_tokens"), STR_INIT("max_output_tokens") },
};

static void rename_member(struct flow *f, struct str old, struct str with)
{
    f->fault.msg = replaced(f->fault.msg, old, with, f->arena);
    f->fault.param = replaced(f->fault.param, old, with, f->arena);
}

static const struct member_name *member_name_of(struct str param)
{
    for (size_t i = 0; i < sizeof member_names / sizeof member_names[0]; i++)
        if (str_starts(param, member_names[i].chat))
            return &member_names[i];
    return NULL;
}

static void name_members(const struct translation *t)
{
    struct flow *f = t->f;
    struct str param = f->fault.param;
    const struct member_name *m = member_name_of(param);
    if (str_eq(param, STR("logprobs"))) {
        rename_member(f, param, t->rq.top_logprobs.set ? STR("top_logprobs") : STR("include"));
    } else if (m == member_names) { /* other places may stand beside it */
        rename_member(f, m->chat, m->responses);
    } else if (m) {
        struct str rest = str_skip(param, m->chat.len);
        rename_member(f, param,
                      arena_printf(f->arena, "%.*s%.*s", STR_ARG(m->responses), STR_ARG(rest)));
    }
}

void translate_name_fault(struct flow *f)
{
    struct fault *ft = &f->fault;
    if (!f->rs || !f->at.tr || f->at.tr->provider == &dialect_openai_responses)
        return;
    if (str_starts(ft->param, STR("messages"))) /* its messages are not the client's items */
        ft->param = STR("input");
    else if (ft->param.len)
        name_members(f->at.tr);
    else if (str_starts(ft->msg, STR("max_tokens"))) /* Anthropic's have no param */
        ft->msg = replaced(ft->msg, STR("max_tokens"), STR("max_output_tokens"), f->arena);
}

bool translate_counts(struct flow *f)
{
    return f->rq.kind == OPENAI_RESPONSE_TOKENS && by_id[flow_dialect(f)]->read_count;
}

/* The provider does not know its own reasoning state again (another model of it, or another account, has made it): what is left is like
 * any other provider's, and told as such. */
static void forget_state(struct translation *t)
{
    enum ir_origin other =
        t->provider->origin == IR_FROM_ANTHROPIC ? IR_FROM_GEMINI : IR_FROM_ANTHROPIC;
    for (struct ir_message *m = t->rq.messages; m; m = m->next)
        for (struct ir_part *p = m->parts; p; p = p->next)
            if (p->kind == IR_REASONING || p->signature.len)
                p->origin = other;
}

enum err translate_request(struct flow *f, struct ir_call **ret_call)
{
    struct translation *t = translation_new(f, by_id[flow_dialect(f)]);
    fill_target(f, t);
    TRY(read_client(t));
    if (f->at.repair)
        forget_state(t);
    t->called = true;
    enum err e =
        t->provider->write_request(&t->rq, &t->target, f->at.report, f->arena, &t->call, &f->fault);
    if (e && f->rs)
        name_members(t);
    TRY(e);
    /* The client asked for what it will not find later. */
    if (f->rs && f->rs->m.store.type == JSON_TRUE && !session_keeps(f) && !t->target.count)
        TRY(ir_lose(f->at.report, "store", "store", &f->fault));
    *ret_call = &t->call;
    return ERR_OK;
}

/* -- the answer */

/* What is told of an answer to the log: a stream's headers are long gone. */
static void take_loss(struct flow *f, const struct ir_event *ev)
{
    struct fault unused;
    if (!f->at.losses) {
        f->at.losses = ARENA_NEW(f->arena, struct ir_report);
        ir_report_init(f->at.losses, f->arena);
    }
    const char *tag = arena_cstr(f->arena, ev->name);
    enum err e = ev->degraded ? ir_degrade(f->at.losses, tag, tag, &unused)
                              : ir_lose(f->at.losses, tag, tag, &unused);
    assert(!e); /* the report is not strict */
    (void)e;
}

static uint64_t sum(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* Both tries are billed: the client sees what is booked. */
static struct ir_usage with_spent(const struct ir_usage *u, const struct ir_usage *spent)
{
    return (struct ir_usage){
        .reported = u->reported || spent->reported,
        .prompt_tokens = sum(u->prompt_tokens, spent->prompt_tokens),
        .completion_tokens = sum(u->completion_tokens, spent->completion_tokens),
        .cached_tokens = sum(u->cached_tokens, spent->cached_tokens),
        .cache_write_tokens = sum(u->cache_write_tokens, spent->cache_write_tokens),
        .cache_write_1h_tokens = sum(u->cache_write_1h_tokens, spent->cache_write_1h_tokens),
        .reasoning_tokens = sum(u->reasoning_tokens, spent->reasoning_tokens),
        .audio_prompt_tokens = sum(u->audio_prompt_tokens, spent->audio_prompt_tokens),
        .audio_completion_tokens = sum(u->audio_completion_tokens, spent->audio_completion_tokens),
        .image_prompt_tokens = sum(u->image_prompt_tokens, spent->image_prompt_tokens),
        .image_completion_tokens = sum(u->image_completion_tokens, spent->image_completion_tokens),
    };
}

static void write_event(struct translation *t, const struct ir_event *ev)
{
    struct flow *f = t->f;
    size_t before = f->out.len;
    t->client->write_answer(t->writer, ev, &f->out);
    t->wrote |= f->out.len != before && ev->kind != IR_EV_PING;
    if (!f->out.fail)
        return;
    f->out.len = before; /* whole events alone go out */
    f->out.fail = ERR_OK;
    fault_set(&f->fault, ERR_UPSTREAM_BAD, f->arena,
              "The answer is larger than this gateway can hold. Ask for a shorter one.");
    f->fault.detail = STR("the translated answer is too large to be collected");
    t->failed = true;
    t->ended = false;
}

static void on_event(void *ctx, const struct ir_event *ev)
{
    struct translation *t = ctx;
    struct flow *f = t->f;
    SCRATCH struct ir_event with;
    if (t->ended || t->failed)
        return;
    switch (ev->kind) {
    case IR_EV_ERROR:
        f->fault = *ev->fault;
        f->fault.msg = redact(ev->fault->msg, attempt_secret(f), f->arena);
        translate_name_fault(f);
        t->failed = true;
        return; /* written by relay_fault or respond_fault, like every other */
    case IR_EV_USAGE:
        with = *ev;
        with.usage = f->at.usage = with_spent(&ev->usage, &f->at.spent);
        ev = &with;
        break;
    case IR_EV_LOSS: take_loss(f, ev); break;
    case IR_EV_END: t->ended = true; break;
    default: break;
    }
    if (!t->style.fold && !f->committed && ir_event_is_content(ev))
        flow_commit(f); /* a whole answer is given out at its end, and can fail until then */
    write_event(t, ev);
    if (t->ended && f->rs)
        session_keep_turn(
            f, t->writer); /* before the last byte goes out: a follow-up may come at once */
}

/* What ids of tool calls are made of, where the provider gives none. Not the call id: a client may send one for a whole conversation,
 * and an agent takes two calls of one id for the same. */
static struct str fresh_id(struct flow *f)
{
    char *id = arena_alloc(f->arena, RNG_UUID_BYTES);
    rng_uuid(&f->w->rng, id);
    return str_of(id, RNG_UUID_BYTES - 1);
}

static void begin(struct translation *t, bool fold)
{
    struct flow *f = t->f;
    if (t->reading)
        return;
    t->reading = true;
    t->context = (struct answer_context){
        .rq = &t->rq,
        .target = &t->target,
        .arena = f->arena,
        .unix_s = loop_unix_ms(f->w->loop) / 1000,
        .id = fresh_id(f),
    };
    t->style = (struct answer_style){
        .fold = fold,
        .usage = f->rq.usage_asked || f->snap->conf->general.always_include_stream_usage,
        .model_json = f->rq.model_json,
        .response_id = f->rs ? session_id(f) : str_of(NULL, 0),
    };
    if (fold)
        buf_reserve(&f->out, FOLDED_BYTES); /* as much as most answers need */
    t->reader = arena_zalloc(f->arena, t->provider->reader_bytes);
    t->writer = arena_zalloc(f->arena, t->client->writer_bytes);
    t->provider->reader_init(t->reader, &t->context);
    t->client->writer_init(t->writer, &t->context, &t->style);
    t->sink = (struct ir_sink){ on_event, t };
}

static enum err feed(struct translation *t, const struct frame *frame, const char **ret_what)
{
    *ret_what = "the answer is not in the provider's format";
    enum err e = t->provider->read_answer(t->reader, frame, &t->sink, ret_what);
    return t->failed ? ERR_UPSTREAM : e;
}

enum err translate_event(struct flow *f, const struct sse_event *ev, const char **ret_what)
{
    const struct frame frame = { .name = ev->name, .data = ev->data };
    begin(f->at.tr, false);
    return feed(f->at.tr, &frame, ret_what);
}

enum err translate_end(struct flow *f, const char **ret_what)
{
    struct translation *t = f->at.tr;
    begin(t, !f->rq.stream);
    *ret_what = "the stream ended before its last event";
    if (t->ended)
        return ERR_OK;
    enum err e = t->provider->end_answer(t->reader, &t->sink);
    return t->failed ? ERR_UPSTREAM : e;
}

/* Nothing is booked of it: a provider counts for nothing. */
static enum err take_count(struct translation *t, struct str body, const char **ret_what)
{
    struct flow *f = t->f;
    struct count_answer ans;
    TRY(t->provider->read_count(body, &ans, ret_what));
    if (ans.error) {
        upstream_fault(200, body, t->target.provider->title, attempt_secret(f), -1, f->arena,
                       &f->fault);
        return ERR_UPSTREAM;
    }
    count_write_openai(ans.tokens, &f->out);
    return ERR_OK;
}

enum err translate_whole(struct flow *f, struct str body, const char **ret_what)
{
    const struct frame frame = { .data = body, .whole = true };
    if (f->at.tr->target.count)
        return take_count(f->at.tr, body, ret_what);
    begin(f->at.tr, !f->rq.stream);
    TRY(feed(f->at.tr, &frame, ret_what));
    return translate_end(f, ret_what);
}

bool translate_again(struct flow *f)
{
    struct translation *t = f->at.tr;
    enum fault_again again = f->fault.again;
    if (again == AGAIN_NO || f->at.retried || f->committed || (f->head_sent && t->wrote))
        return false;
    if (again == AGAIN_REPAIRED && f->at.report->strict)
        return false; /* the repair is a loss */
    f->at.retried = true;
    f->at.repair = again == AGAIN_REPAIRED;
    f->at.spent = f->at.usage;
    f->at.losses = NULL;
    f->fault = (struct fault){ 0 };
    defer_cancel(&f->flush);
    if (t->wrote)
        buf_reset(&f->out);
    if (f->at.sse_on)
        sse_done(&f->at.sse);
    f->at.sse_on = false;
    translate_done(t);
    f->at.tr = NULL;
    attempt_next(f);
    return true;
}

bool translate_forget(struct flow *f)
{
    if (!f->at.tr || !str_eq(f->fault.code, STR("invalid_reasoning_state")))
        return false;
    f->fault.again = AGAIN_REPAIRED;
    return translate_again(f);
}

struct str translate_fidelity(struct flow *f)
{
    struct buf out;
    if (!f->at.losses)
        return str_of(NULL, 0);
    buf_init(&out, 8 * KIB);
    ir_report_write(f->at.losses, &out);
    struct str text = arena_dup(f->arena, buf_str(&out));
    buf_done(&out);
    return text;
}

void translate_fault(struct flow *f, struct str call_id)
{
    struct translation *t = f->at.tr;
    begin(t, false);
    response_writer_fault(t->writer, &f->fault, call_id, &f->out);
}

/* -- a mocked answer, made as a chat completion, for a client that speaks something else */

static enum err feed_mock(struct translation *t, struct str events, const char **ret_what)
{
    struct sse sse;
    struct sse_event ev;
    enum err e = ERR_OK;
    sse_init(&sse, SSE_EVENT_MAX);
    sse_push(&sse, events);
    while (!e && !sse_next(&sse, &ev))
        if (ev.has_data)
            e = translate_event(t->f, &ev, ret_what);
    sse_done(&sse);
    return e ? e : translate_end(t->f, ret_what);
}

enum err translate_mock(struct flow *f, struct str chat)
{
    const char *what = NULL;
    struct translation *t = translation_new(f, &dialect_openai_chat);
    enum err e = read_client(t);
    if (!e) {
        e = f->rq.stream ? feed_mock(t, chat, &what) : translate_whole(f, chat, &what);
        if (e && e != ERR_UPSTREAM)
            fault_set(&f->fault, e, f->arena, "mock_response is no completion: %s.", what);
    }
    translate_done(t);
    f->at.tr = NULL;
    return e;
}

bool translate_ended(const struct flow *f)
{
    return f->at.tr->ended;
}

void translate_done(struct translation *t)
{
    if (!t)
        return;
    if (t->reading) {
        t->provider->reader_done(t->reader);
        t->client->writer_done(t->writer);
    }
    if (t->called)
        segments_done(&t->call.body);
}
