#include "flow/translate.h"

#include "base/mem.h"
#include "dialect/dialect.h"
#include "flow/flow_priv.h"

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
};

static const struct dialect *const by_id[] = {
    [DIALECT_OPENAI_CHAT] = &dialect_openai_chat,
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
        .facts =
            model_facts_find(provider_family(p, f->pick.upstream_model), f->pick.upstream_model),
        .vertex = p->url == URL_VERTEX,
        .modify_params = d->modify_params,
    };
    if (d->allowed_count)
        fill_passthrough(f, &t->target);
    f->at.report = report_new(f);
}

enum err translate_request(struct flow *f, struct ir_call **ret_call)
{
    struct translation *t = ARENA_NEW(f->arena, struct translation);
    f->at.tr = t;
    t->f = f;
    t->client = &dialect_openai_chat;
    t->provider = by_id[provider_dialect(f->pick.endpoint->provider, f->pick.upstream_model)];
    fill_target(f, t);
    TRY(t->client->read_request(edited_body(f), f->rq.model, f->arena, &t->rq, &f->fault));
    t->called = true;
    TRY(t->provider->write_request(&t->rq, &t->target, f->at.report, f->arena, &t->call,
                                   &f->fault));
    *ret_call = &t->call;
    return ERR_OK;
}

/* -- the answer */

static void on_event(void *ctx, const struct ir_event *ev)
{
    struct translation *t = ctx;
    struct flow *f = t->f;
    if (t->ended || t->failed)
        return;
    switch (ev->kind) {
    case IR_EV_ERROR:
        f->fault = *ev->fault;
        f->fault.msg = redact(ev->fault->msg, attempt_secret(f), f->arena);
        t->failed = true;
        return; /* written by relay_fault or respond_fault, like every other */
    case IR_EV_USAGE: f->at.usage = ev->usage; break;
    case IR_EV_END: t->ended = true; break;
    default: break;
    }
    if (!f->committed && ir_event_is_content(ev))
        flow_commit(f);
    t->client->write_answer(t->writer, ev, &f->out);
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
        .id = f->call_id,
    };
    t->style = (struct answer_style){
        .fold = fold,
        .usage = f->rq.usage_asked || f->snap->conf->general.always_include_stream_usage,
        .model_json = f->rq.model_json,
    };
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

enum err translate_whole(struct flow *f, struct str body, const char **ret_what)
{
    const struct frame frame = { .data = body, .whole = true };
    begin(f->at.tr, !f->rq.stream);
    TRY(feed(f->at.tr, &frame, ret_what));
    return translate_end(f, ret_what);
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
