#include "flow/session.h"

#include "base/mem.h"
#include "flow/affinity.h"
#include "flow/flow_priv.h"
#include "flow/session_priv.h"

/* -- asking: the store's thread answers with a post to the worker's loop. The request may be gone by then: it only lets go. */
struct session_wait {
    struct post post;
    struct loop *loop;
    struct flow *f; /* NULL: gone */
    struct session_result *r;
};

static bool session_removes(struct flow *f);

static void on_answer(struct post *p)
{
    struct session_wait *w = CONTAINER_OF(p, struct session_wait, post);
    struct flow *f = w->f;
    struct session_result *r = w->r;
    mem_free(w);
    if (!f) {
        session_result_free(r);
        return;
    }
    f->rs->wait = NULL;
    *(f->rs->past ? &f->rs->gone : &f->rs->past) = r;
    if (!f->rs->gone && session_removes(f))
        return;
    flow_looked_up(f);
}

/* In the store's thread. */
static void on_result(void *ctx, struct session_result *r)
{
    struct session_wait *w = ctx;
    w->r = r;
    loop_post(w->loop, &w->post);
}

static struct session_wait *wait_new(struct flow *f)
{
    struct session_wait *w = MEM_NEW(struct session_wait);
    w->loop = f->w->loop;
    w->f = f;
    w->post.fn = on_answer;
    return w;
}

/* The store was asked (`e` is what it said to that), and f waits; or the store is behind. */
static enum err waits(struct flow *f, struct session_wait *w, enum err e)
{
    if (e) {
        mem_free(w);
        return session_busy(f);
    }
    f->rs->wait = w;
    return ERR_OK;
}

/* A response that is kept here was found, and is to be deleted: that is answered when it has been done. True: it is under way. */
static bool session_removes(struct flow *f)
{
    const struct responding *rs = f->rs;
    if (rs->op != RESPONSE_DELETE || rs->past->err || rs->past->turns[0].native)
        return false;
    struct session_wait *w = wait_new(f);
    return !waits(f, w,
                  sessions_delete(f->w->gw->sessions, str_c(f->entry->hash), rs->id, on_result, w));
}

enum err session_busy(struct flow *f)
{
    fault_set(
        &f->fault, ERR_OVERLOADED, f->arena,
        "Too much is waiting to be written to the store of responses; try again shortly, or send \"store\": false.");
    f->fault.retry_after_ms = 1000;
    return ERR_OVERLOADED;
}

static enum err no_store(struct flow *f)
{
    return fault_set(
        &f->fault, ERR_OVERLOADED, f->arena,
        "This gateway could not open its store of responses (sessions.db in the data directory), so it knows no earlier "
        "response; its log tells why.");
}

/* -- admission */

struct responding *session_begin(struct flow *f, enum response_op op)
{
    f->rs = ARENA_NEW(f->arena, struct responding);
    f->rs->op = op;
    return f->rs;
}

enum err session_bad(struct flow *f, const char *name, const char *what)
{
    fault_set(&f->fault, ERR_BAD_REQUEST, f->arena, "%s %s", name, what);
    f->fault.param = str_c(name);
    return ERR_BAD_REQUEST;
}

static bool is_given(const struct json_member *m)
{
    return m->type != JSON_ABSENT && m->type != JSON_NULL;
}

struct str session_id(struct flow *f)
{
    struct responding *rs = f->rs;
    if (rs->id.len == 0) {
        char *id = arena_alloc(f->arena, RESPONSE_ID_LEN);
        memcpy(id, "resp_", 5);
        rng_hex(&f->w->rng, id + 5, RESPONSE_HEX);
        rs->id = str_of(id, RESPONSE_ID_LEN);
    }
    return rs->id;
}

/* Answers that items of the input refer to. The search only spares a walk: what it finds is looked at as JSON. */
static void find_references(struct responding *rs, struct arena *a)
{
    if (str_find(rs->input, STR("item_reference")) == STR_NONE)
        return;
    rs->refers = ARENA_ARRAY(a, struct str, SESSIONS_IDS_MAX);
    rs->refer_count = response_references(rs->input, a, rs->refers, SESSIONS_IDS_MAX);
}

enum err session_admit(struct flow *f)
{
    struct responding *rs = session_begin(f, RESPONSE_CREATE);
    struct str repeated = response_members(f->rq.body, &rs->m);
    if (repeated.len)
        return session_bad(f, arena_cstr(f->arena, repeated),
                           "is repeated: which of the two counts is not for a gateway to guess");
    const struct json_member *prev = &rs->m.previous, *store = &rs->m.store;
    rs->input = is_given(&rs->m.input) ? json_value(f->rq.body, &rs->m.input) : STR("[]");
    find_references(rs, f->arena);
    if (is_given(store) && store->type != JSON_TRUE && store->type != JSON_FALSE)
        return session_bad(f, "store", "must be true or false");
    rs->store = f->rq.kind == OPENAI_RESPONSES && store->type != JSON_FALSE;
    if (is_given(prev)) {
        if (prev->type != JSON_STRING || prev->value_len <= 2)
            return session_bad(f, "previous_response_id", "must be the id of a response, a string");
        if (is_given(&rs->m.conversation))
            return session_bad(f, "previous_response_id",
                               "and conversation are two ways to continue: send one of them");
        rs->parent_json = json_value(f->rq.body, prev);
        rs->previous = json_unescape(rs->parent_json, f->arena);
    }
    return ERR_OK;
}

enum err session_not_found(struct flow *f, struct str id)
{
    fault_set(&f->fault, ERR_NO_RESPONSE, f->arena, "Response with id '%.*s' not found.",
              STR_ARG(str_head(id, 128)));
    f->fault.param = STR("response_id");
    return ERR_NO_RESPONSE;
}

/* -- looking up */

bool session_needed(const struct flow *f)
{
    const struct responding *rs = f->rs;
    return rs && (rs->op != RESPONSE_CREATE || rs->previous.len || rs->refer_count);
}

enum err session_ask(struct flow *f)
{
    struct responding *rs = f->rs;
    struct session_query q = { .owner = str_c(f->entry->hash) };
    if (!f->w->gw->sessions)
        return no_store(f);
    if (rs->op == RESPONSE_CREATE) {
        q.previous = rs->previous;
        q.ids = rs->refers;
        q.id_count = rs->refer_count;
        if (q.id_count > SESSIONS_IDS_MAX)
            return session_bad(
                f, "input",
                "refers to items of more than 64 responses; send them as they are, or use previous_response_id");
    } else {
        q.ids = &rs->id;
        q.id_count = 1;
        q.whole = true;
    }
    struct session_wait *w = wait_new(f);
    return waits(f, w, sessions_get(f->w->gw->sessions, &q, on_result, w));
}

static enum err too_long(struct flow *f)
{
    const struct conf_weir *c = &f->snap->conf->weir;
    unsigned long long turns = c->responses_max_turns, bytes = c->responses_max_chain_bytes;
    if (!f->rs->previous.len) {
        fault_set(&f->fault, ERR_BAD_REQUEST, f->arena,
                  "input refers to items of responses that are together larger than %llu bytes "
                  "(weir_settings.responses_max_chain_bytes). Send the items that matter.",
                  bytes);
        f->fault.param = STR("input");
        return ERR_BAD_REQUEST;
    }
    fault_set(
        &f->fault, ERR_BAD_REQUEST, f->arena,
        "previous_response_id goes back to a conversation that is longer than this gateway continues: %llu turns "
        "(weir_settings.responses_max_turns) of together %llu bytes (responses_max_chain_bytes). Begin a new one with what "
        "matters of it.",
        turns, bytes);
    f->fault.param = STR("previous_response_id");
    return ERR_BAD_REQUEST;
}

/* An id that is not known, or another owner's, is a 404 wherever it stands (OpenAI: a 400 in previous_response_id); the code is OpenAI's. */
static enum err past_not_found(struct flow *f)
{
    const struct responding *rs = f->rs;
    struct str missing = rs->past->missing;
    bool chain = rs->previous.len > 0;
    enum err e = ERR_NO_RESPONSE;
    if (chain && str_eq(missing, rs->previous))
        fault_set(&f->fault, e, f->arena, "Previous response with id '%.*s' not found.",
                  STR_ARG(str_head(missing, 128)));
    else
        fault_set(
            &f->fault, e, f->arena,
            "The response with id '%.*s', which %s, was not found; it may have been deleted, or be older than "
            "weir_settings.responses_ttl.",
            STR_ARG(str_head(missing, 128)),
            chain ? "is part of this conversation" : "an item of input refers to");
    f->fault.param = chain ? STR("previous_response_id") : STR("input");
    f->fault.code = STR("previous_response_not_found");
    return e;
}

static size_t turn_bytes(const struct session_turn *t, size_t n)
{
    size_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += t[i].input.len + t[i].output.len + t[i].object.len;
    return sum;
}

/* What was read counts as bytes in flight, like a body, until the flow ends. */
static enum err count_bytes(struct flow *f)
{
    const struct session_result *r = f->rs->past;
    if (flow_hold_bytes(f,
                        turn_bytes(r->chain, r->chain_count) + turn_bytes(r->turns, r->turn_count)))
        return ERR_OK;
    f->fault = fault_of(ERR_OVERLOADED);
    f->fault.retry_after_ms = 1000;
    return ERR_OVERLOADED;
}

/* What the store could not give. */
enum err session_found(struct flow *f)
{
    const struct responding *rs = f->rs;
    switch (rs->past->err) {
    case ERR_OK: return count_bytes(f);
    case ERR_NOT_FOUND:
        return rs->op == RESPONSE_CREATE ? past_not_found(f) : session_not_found(f, rs->id);
    case ERR_TOO_LARGE: return too_long(f);
    default:
        fault_set(&f->fault, ERR_OVERLOADED, f->arena,
                  "The store of responses could not be read; try again shortly.");
        f->fault.retry_after_ms = 1000;
        return ERR_OVERLOADED;
    }
}

/* -- planning a follow-up */

/* A native answer leaves its id in the store, whatever responses_store says; a bridged one all of the turn. */
static bool keeps(const struct flow *f, bool native)
{
    return f->rs->store && f->w->gw->sessions && (native || f->snap->conf->weir.responses_store);
}

bool session_keeps(const struct flow *f)
{
    return keeps(f, false);
}

/* Both are called at one address with one credential: what the one has made, the other finds. */
static bool same_account(const struct flow *f, const struct deployment *a,
                         const struct deployment *b)
{
    const struct endpoint *x = a->endpoint, *y = b->endpoint;
    if (!x || !y || !str_eq(a->conf->organization, b->conf->organization))
        return false;
    const struct upstream *u = f->snap->upstreams;
    return x == y || (x->provider == y->provider && str_eq(x->api_base, y->api_base) &&
                      str_eq(u[x->index].credential, u[y->index].credential));
}

/* Of the model that is asked for: the deployment that made the response, else another of the same account. */
static enum err pick_there(struct flow *f, const struct session_turn *made)
{
    const struct router *r = f->snap->router;
    enum err e =
        router_pick_deployment(r, f->rq.model, made->deployment, f->arena, &f->pick, &f->fault);
    if (e != ERR_NOT_FOUND)
        return e;
    const struct group *g = f->pick.group;
    const struct deployment *maker = NULL;
    for (size_t i = 0; i < r->deployment_count && !maker; i++)
        if (str_eq(r->deployments[i].conf->id, made->deployment))
            maker = &r->deployments[i];
    for (size_t i = 0; maker && i < g->count; i++)
        if (same_account(f, maker, g->members[i]))
            return router_pick_deployment(r, f->rq.model, g->members[i]->conf->id, f->arena,
                                          &f->pick, &f->fault);
    return ERR_NOT_FOUND;
}

static enum err pick_maker(struct flow *f, const struct session_turn *made)
{
    enum err e = pick_there(f, made);
    if (e != ERR_NOT_FOUND)
        return e;
    fault_set(
        &f->fault, ERR_BAD_REQUEST, f->arena,
        "previous_response_id names a response that the provider of the model %.*s keeps itself; the model %.*s is served elsewhere "
        "and cannot continue it. Ask for %.*s again, or send the items of the conversation in input.",
        STR_ARG(str_head(made->model, 256)), STR_ARG(str_head(f->rq.model, 256)),
        STR_ARG(str_head(made->model, 256)));
    f->fault.param = STR("previous_response_id");
    return ERR_BAD_REQUEST;
}

static struct response_past past_of(const struct session_turn *t)
{
    return (struct response_past){ t->input, t->output };
}

/* A provider that gets the client's bytes does not get what another one thought. */
static enum err lose_reasoning(struct flow *f)
{
    f->at.report = report_new(f);
    return ir_lose(f->at.report, "reasoning_state", "input.encrypted_content", &f->fault);
}

/* The input with the past before it and with what it refers to. */
static enum err follow_input(struct flow *f, bool native, bool chained, struct str *ret_input)
{
    static const struct session_result none;
    struct responding *rs = f->rs;
    const struct session_result *r = rs->past ? rs->past : &none;
    size_t chain = chained ? r->chain_count : 0;
    bool lost;
    struct response_past *past =
        ARENA_ARRAY(f->arena, struct response_past, chain + r->turn_count + 1);
    for (size_t i = 0; i < chain; i++)
        past[i] = past_of(&r->chain[i]);
    for (size_t i = 0; i < r->turn_count; i++)
        past[chain + i] = past_of(&r->turns[i]);
    struct response_follow follow = {
        .past = past,
        .past_count = chain,
        .referred = past + chain,
        .referred_count = r->turn_count,
        .input = rs->input,
        .native = native,
        .tag = account_tag(f->snap, &f->pick, f->arena),
    };
    TRY(response_follow_input(&follow, f->arena, ret_input, &lost, &f->fault));
    if (lost)
        TRY(lose_reasoning(f));
    if (native || !r->turn_count)
        return ERR_OK;
    follow.past_count = 0; /* what is kept of this turn does not refer to others */
    follow.referred = past;
    follow.referred_count = chain + r->turn_count;
    return response_follow_input(&follow, f->arena, &rs->input, &lost, &f->fault);
}

/* The body again, with the past in its input and without previous_response_id; where the provider has the past (`chained` is false),
 * with that, and with what the input refers to. */
static enum err put_past(struct flow *f, bool native, bool chained)
{
    struct responding *rs = f->rs;
    const struct json_member *in = &rs->m.input, *prev = &rs->m.previous;
    struct str input;
    struct splice sp;
    TRY(follow_input(f, native, chained, &input));
    splice_init(&sp, f->arena, f->rq.body);
    if (in->type != JSON_ABSENT)
        splice_value(&sp, in, input);
    else if (prev->type != JSON_ABSENT) /* the one takes the other's place */
        splice_replace(&sp, prev->name_at, prev->value_at + prev->value_len - prev->name_at,
                       arena_printf(f->arena, "\"input\":%.*s", STR_ARG(input)));
    if (in->type != JSON_ABSENT && chained)
        splice_cut_member(&sp, prev);
    struct str body = splice_flat(&sp, f->arena);
    return openai_read_request(f->rq.kind, body, f->rq.model, f->arena, &f->rq, &f->fault);
}

static void add_tags(struct response_tags *t, const struct session_turn *turns, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        response_tags_add(t, turns[i].input);
        response_tags_add(t, turns[i].output);
    }
}

/* Whose reasoning the request carries. */
static struct response_tags tags_of(const struct responding *rs)
{
    struct response_tags tags = { .count = 0 };
    if (rs->past) {
        add_tags(&tags, rs->past->turns, rs->past->turn_count);
        add_tags(&tags, rs->past->chain, rs->past->chain_count);
    }
    response_tags_add(&tags, rs->input);
    return tags;
}

enum err session_plan(struct flow *f)
{
    const struct session_result *r = f->rs->past;
    const struct session_turn *last = NULL;
    if (r) {
        TRY(session_found(f));
        last = r->chain_count ? &r->chain[r->chain_count - 1] : NULL;
    }
    const struct response_tags tags = tags_of(f->rs);
    f->rs->tagged = tags.count > 0;
    if (last && last->native)
        TRY(pick_maker(f, last));
    else
        affinity_pick(f, &tags);
    bool native = flow_dialect(f) == DIALECT_OPENAI_RESPONSES;
    if (last && last->native && !native)
        return session_bad(
            f, "previous_response_id",
            "names a response that its provider keeps, and this deployment is now served through chat completions");
    if (keeps(f, native) && !sessions_ready(f->w->gw->sessions))
        return session_busy(f); /* before money is spent */
    bool stored = (last && !last->native) || (r && r->turn_count);
    if (stored || (native && response_is_foreign(
                                 f->rs->input, account_tag(f->snap, &f->pick, f->arena), f->arena)))
        return put_past(f, native, stored && !(last && last->native));
    return ERR_OK;
}

/* -- keeping */

static void put(struct flow *f, const struct session_turn *t)
{
    enum err e = sessions_put(f->w->gw->sessions, t);
    f->rs->kept = !e;
    if (e && !f->fault.detail.len)
        f->fault.detail =
            e == ERR_TOO_LARGE
                ? STR("the response was not kept: it is larger than weir_settings.responses_max_turn_bytes")
                : STR("the response was not kept: the store of responses is behind");
}

void session_keep_native(struct flow *f, struct str id)
{
    struct responding *rs = f->rs;
    if (rs->kept || !id.len || !keeps(f, true))
        return;
    const struct session_turn t = {
        .id = id,
        .owner = str_c(f->entry->hash),
        .deployment = f->pick.deployment->conf->id,
        .model = f->rq.model,
        .native = true,
        .created_s = loop_unix_ms(f->w->loop) / 1000,
    };
    put(f, &t);
}

void session_keep_turn(struct flow *f, const void *writer)
{
    struct responding *rs = f->rs;
    struct buf object, output, input;
    if (!session_keeps(f))
        return;
    buf_init(&object, 256 * MIB);
    buf_init(&output, 256 * MIB);
    buf_init(&input, 256 * MIB);
    response_writer_result(writer, &object, &output);
    struct fault fault;
    enum err e =
        response_input_items(rs->input, str_skip(session_id(f), 5), f->arena, &input, &fault);
    if (e || input.fail || output.fail || object.fail) {
        f->fault.detail = STR("the response was not kept: its items could not be written");
    } else {
        const struct session_turn t = {
            .id = rs->id,
            .parent = rs->previous,
            .owner = str_c(f->entry->hash),
            .deployment = f->pick.deployment->conf->id,
            .model = f->rq.model,
            .created_s = loop_unix_ms(f->w->loop) / 1000,
            .input = buf_str(&input),
            .output = buf_str(&output),
            .object = buf_str(&object),
        };
        put(f, &t);
    }
    buf_done(&object);
    buf_done(&output);
    buf_done(&input);
}

void session_done(struct flow *f)
{
    struct responding *rs = f->rs;
    if (!rs)
        return;
    if (rs->wait)
        rs->wait->f = NULL;
    session_result_free(rs->past);
    session_result_free(rs->gone);
    rs->past = rs->gone = NULL;
}
