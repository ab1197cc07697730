#include "flow/session.h"

#include "base/mem.h"
#include "flow/flow_priv.h"
#include "wire/json_write.h"

/* -- asking: the store's thread answers with a post to the worker's loop. The request may be gone by then: it only lets go. */
struct session_wait {
    struct post post;
    struct loop *loop;
    struct flow *f; /* NULL: gone */
    struct session_result *r;
};

static void on_answer(struct post *p)
{
    struct session_wait *w = CONTAINER_OF(p, struct session_wait, post);
    struct flow *f = w->f;
    if (f) {
        f->rs->wait = NULL;
        f->rs->past = w->r;
        w->r = NULL;
    }
    session_result_free(w->r);
    mem_free(w);
    if (f)
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

static enum err store_busy(struct flow *f)
{
    fault_set(&f->fault, ERR_OVERLOADED, f->arena,
              "Too much is waiting to be written to the store of responses; try again shortly, or send \"store\": false.");
    f->fault.retry_after_ms = 1000;
    return ERR_OVERLOADED;
}

static enum err no_store(struct flow *f)
{
    return fault_set(&f->fault, ERR_OVERLOADED, f->arena,
                     "This gateway could not open its store of responses (sessions.db in the data directory), so it knows no earlier "
                     "response; its log tells why.");
}

/* -- admission */

static struct responding *begin(struct flow *f, enum response_op op)
{
    f->rs = ARENA_NEW(f->arena, struct responding);
    f->rs->op = op;
    return f->rs;
}

static enum err bad_member(struct flow *f, const char *name, const char *what)
{
    fault_set(&f->fault, ERR_BAD_REQUEST, f->arena, "%s %s", name, what);
    f->fault.param = str_c(name);
    return ERR_BAD_REQUEST;
}

static bool is_given(const struct json_member *m)
{
    return m->type != JSON_ABSENT && m->type != JSON_NULL;
}

/* What a native answer of weir's own would be called; 128 random bits. */
static struct str make_id(struct flow *f)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[RESPONSE_HEX / 2];
    char *id = arena_alloc(f->arena, RESPONSE_ID_LEN);
    rng_bytes(&f->w->rng, bytes, sizeof bytes);
    memcpy(id, "resp_", 5);
    for (size_t i = 0; i < sizeof bytes; i++) {
        id[5 + 2 * i] = digits[bytes[i] >> 4];
        id[6 + 2 * i] = digits[bytes[i] & 15];
    }
    return str_of(id, RESPONSE_ID_LEN);
}

enum err session_admit(struct flow *f)
{
    struct responding *rs = begin(f, RESPONSE_CREATE);
    struct str repeated = response_members(f->rq.body, &rs->m);
    if (repeated.len)
        return bad_member(f, arena_cstr(f->arena, repeated), "is repeated: which of the two counts is not for a gateway to guess");
    const struct json_member *prev = &rs->m.previous, *store = &rs->m.store;
    rs->id = make_id(f);
    if (rs->m.input.type != JSON_ABSENT)
        rs->input = json_value(f->rq.body, &rs->m.input);
    if (is_given(store) && store->type != JSON_TRUE && store->type != JSON_FALSE)
        return bad_member(f, "store", "must be true or false");
    rs->store = store->type != JSON_FALSE;
    if (is_given(prev)) {
        if (prev->type != JSON_STRING || prev->value_len <= 2)
            return bad_member(f, "previous_response_id", "must be the id of a response, a string");
        if (is_given(&rs->m.conversation))
            return bad_member(
                f, "previous_response_id",
                "and conversation are two ways to continue: send one of them");
        rs->parent_json = json_value(f->rq.body, prev);
        rs->previous = json_unescape(rs->parent_json, f->arena);
    }
    if (rs->store && f->w->gw->sessions && !sessions_ready(f->w->gw->sessions))
        return store_busy(f);
    return ERR_OK;
}

static enum err not_found(struct flow *f, struct str id)
{
    fault_set(&f->fault, ERR_NO_RESPONSE, f->arena, "Response with id '%.*s' not found.",
              STR_ARG(str_head(id, 128)));
    f->fault.param = STR("response_id");
    return ERR_NO_RESPONSE;
}

/* An id goes into a provider's path, and ids are made of these. */
static bool is_plain_id(struct str id)
{
    for (size_t i = 0; i < id.len; i++) {
        char c = id.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_' || c == '-'))
            return false;
    }
    return id.len > 0 && id.len <= 256;
}

enum err session_admit_op(struct flow *f)
{
    struct responding *rs = begin(f, (enum response_op)f->route->kind);
    rs->id = f->capture;
    f->rq.kind = OPENAI_RESPONSES;
    f->rq.usage_asked = true;
    f->rq.timeout_ms = f->rq.stream_timeout_ms = -1;
    return is_plain_id(rs->id) ? ERR_OK : not_found(f, rs->id);
}

/* -- looking up */

/* Answers that items of the input refer to. The search only spares a walk: what it finds is looked at as JSON. */
static size_t find_references(const struct responding *rs, struct arena *a, struct str *ids)
{
    if (rs->op != RESPONSE_CREATE || str_find(rs->input, STR("item_reference")) == STR_NONE)
        return 0;
    return response_references(rs->input, a, ids, SESSIONS_IDS_MAX);
}

bool session_needed(const struct flow *f)
{
    const struct responding *rs = f->rs;
    return rs && (rs->op != RESPONSE_CREATE || rs->previous.len ||
                  str_find(rs->input, STR("item_reference")) != STR_NONE);
}

enum err session_ask(struct flow *f)
{
    struct responding *rs = f->rs;
    struct str ids[SESSIONS_IDS_MAX];
    struct session_query q = { .owner = str_c(f->entry->hash), .ids = ids };
    if (!f->w->gw->sessions)
        return no_store(f);
    if (rs->op == RESPONSE_CREATE) {
        q.previous = rs->previous;
        q.id_count = find_references(rs, f->arena, ids);
        if (q.id_count > SESSIONS_IDS_MAX)
            return bad_member(f, "input", "refers to items of more than 64 responses; send them as they are, or use previous_response_id");
    } else {
        ids[0] = rs->id;
        q.id_count = 1;
        q.whole = true;
    }
    rs->wait = wait_new(f);
    if (sessions_get(f->w->gw->sessions, &q, on_result, rs->wait)) {
        mem_free(rs->wait);
        rs->wait = NULL;
        return store_busy(f);
    }
    return ERR_OK;
}

static size_t turn_bytes(const struct session_turn *t, size_t n)
{
    size_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += t[i].input.len + t[i].output.len + t[i].object.len;
    return sum;
}

/* What was read counts as bytes in flight, like a body. */
static enum err count_bytes(struct flow *f, const struct session_result *r)
{
    size_t n = turn_bytes(r->chain, r->chain_count) + turn_bytes(r->turns, r->turn_count);
    uint64_t held =
        atomic_fetch_add_explicit(&f->w->gw->in_flight_bytes, n, memory_order_relaxed);
    f->in_flight += n;
    if (held + n <= f->w->gw->in_flight_max)
        return ERR_OK;
    f->fault = fault_of(ERR_OVERLOADED);
    f->fault.retry_after_ms = 1000;
    return ERR_OVERLOADED;
}

/* What the store could not give. */
static enum err look_at(struct flow *f)
{
    const struct responding *rs = f->rs;
    const struct session_result *r = rs->past;
    TRY(count_bytes(f, r));
    switch (r->err) {
    case ERR_OK: return ERR_OK;
    case ERR_NOT_FOUND: break;
    case ERR_TOO_LARGE:
        return bad_member(
            f, "previous_response_id",
            "goes back to a conversation that is too long (weir_settings.responses_max_turns, responses_max_chain_bytes): begin a new "
            "one with what matters of it");
    default:
        return fault_set(&f->fault, ERR_OVERLOADED, f->arena,
                         "The store of responses could not be read; try again shortly.");
    }
    if (rs->op != RESPONSE_CREATE)
        return not_found(f, rs->id);
    if (!str_eq(r->missing, rs->previous)) {
        fault_set(&f->fault, ERR_NO_RESPONSE, f->arena,
                  "The response with id '%.*s', which %s, was not found; it may have been deleted, or be older than "
                  "weir_settings.responses_ttl.",
                  STR_ARG(str_head(r->missing, 128)),
                  rs->previous.len ? "is part of this conversation" : "an item of input refers to");
    } else {
        fault_set(&f->fault, ERR_NO_RESPONSE, f->arena,
                  "Previous response with id '%.*s' not found.", STR_ARG(str_head(r->missing, 128)));
    }
    f->fault.param = rs->previous.len ? STR("previous_response_id") : STR("input");
    f->fault.code = STR("previous_response_not_found");
    return ERR_NO_RESPONSE;
}

/* -- planning a follow-up */

static enum err pick_maker(struct flow *f, const struct session_turn *made)
{
    enum err e = router_pick_deployment(f->snap->router, f->rq.model, made->deployment, f->arena,
                                        &f->pick, &f->fault);
    if (e != ERR_NOT_FOUND)
        return e;
    fault_set(&f->fault, ERR_BAD_REQUEST, f->arena,
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

/* The body again, with the past in its input and without previous_response_id. */
static enum err put_past(struct flow *f, bool native)
{
    struct responding *rs = f->rs;
    const struct session_result *r = rs->past;
    size_t chain = r->chain_count;
    struct response_past *past =
        ARENA_ARRAY(f->arena, struct response_past, chain + r->turn_count + 1);
    for (size_t i = 0; i < chain; i++)
        past[i] = past_of(&r->chain[i]);
    for (size_t i = 0; i < r->turn_count; i++)
        past[chain + i] = past_of(&r->turns[i]);
    const struct response_follow follow = {
        .past = past,
        .past_count = chain,
        .referred = past + chain,
        .referred_count = r->turn_count,
        .input = rs->input.len ? rs->input : STR("[]"),
        .native = native,
    };
    struct str input;
    struct splice sp;
    TRY(response_follow_input(&follow, f->arena, &input, &f->fault));
    if (r->turn_count) { /* what is kept of this turn does not refer to others */
        struct response_follow own = follow;
        own.past_count = 0;
        own.referred = past;
        own.referred_count = chain + r->turn_count;
        own.native = false;
        TRY(response_follow_input(&own, f->arena, &rs->input, &f->fault));
    }
    splice_init(&sp, f->arena, f->rq.body);
    const struct json_member *in = &rs->m.input, *prev = &rs->m.previous;
    if (in->type != JSON_ABSENT)
        splice_value(&sp, in, input);
    else if (prev->type != JSON_ABSENT) /* the one takes the other's place */
        splice_replace(&sp, prev->name_at, prev->value_at + prev->value_len - prev->name_at,
                       arena_printf(f->arena, "\"input\":%.*s", STR_ARG(input)));
    if (in->type != JSON_ABSENT)
        splice_cut_member(&sp, prev);
    struct str body = splice_flat(&sp, f->arena);
    return openai_read_request(f->rq.kind, body, f->rq.model, f->arena, &f->rq, &f->fault);
}

enum err session_plan(struct flow *f)
{
    const struct session_result *r = f->rs->past;
    if (!r)
        return ERR_OK;
    TRY(look_at(f));
    const struct session_turn *last = r->chain_count ? &r->chain[r->chain_count - 1] : NULL;
    if (last && last->native)
        TRY(pick_maker(f, last));
    bool native = flow_dialect(f) == DIALECT_OPENAI_RESPONSES;
    if (last && last->native && !native)
        return bad_member(f, "previous_response_id",
                          "names a response that its provider keeps, and this deployment is now served through chat completions");
    if ((last && !last->native) || r->turn_count)
        return put_past(f, native);
    return ERR_OK;
}

/* -- by id */

static void answer_json(struct flow *f, struct buf *out)
{
    respond_json(f, 200, buf_str(out));
    buf_done(out);
}

static bool query_value(struct str query, struct str name, struct arena *a, struct str *ret)
{
    while (query.len) {
        struct str value = str_cut(&query, '&');
        struct str key = str_cut(&value, '=');
        if (str_eq(percent_decode(key, a), name)) {
            *ret = percent_decode(value, a);
            return true;
        }
    }
    return false;
}

/* What the API documents, and nothing else, goes to the provider. */
static struct str known_query(struct str query, struct arena *a)
{
    static const struct str known[] = { STR_INIT("include"), STR_INIT("include[]"),
                                        STR_INIT("stream"),  STR_INIT("starting_after"),
                                        STR_INIT("limit"),   STR_INIT("order"),
                                        STR_INIT("after"),   STR_INIT("before"),
                                        STR_INIT("include_obfuscation") };
    struct str kept = STR("");
    while (query.len) {
        struct str pair = str_cut(&query, '&'), rest = pair;
        struct str key = percent_decode(str_cut(&rest, '='), a);
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            if (str_eq(key, known[i]))
                kept = arena_printf(a, "%.*s%s%.*s", STR_ARG(kept), kept.len ? "&" : "",
                                    STR_ARG(pair));
    }
    return kept;
}

/* One page of the items, as OpenAI lists them: newest first unless asked otherwise. */
static enum err list_items(struct flow *f, const struct session_turn *t, struct buf *out)
{
    struct str query = f->head->query, v, after = { 0 };
    uint64_t limit = 20;
    bool ascending = false;
    if (query_value(query, STR("limit"), f->arena, &v) &&
        (!str_u64(v, &limit) || limit < 1 || limit > 100))
        return bad_member(f, "limit", "must be a number from 1 to 100");
    if (query_value(query, STR("order"), f->arena, &v)) {
        ascending = str_eq(v, STR("asc"));
        if (!ascending && !str_eq(v, STR("desc")))
            return bad_member(f, "order", "must be asc or desc");
    }
    query_value(query, STR("after"), f->arena, &after);
    size_t n = 0;
    for (struct json_iter it = json_iter(t->input); json_next(&it);)
        n++;
    struct str *items = ARENA_ARRAY(f->arena, struct str, n + 1), *ids = ARENA_ARRAY(f->arena, struct str, n + 1);
    size_t k = 0, from = 0;
    static const struct str id_name = STR_INIT("id");
    for (struct json_iter it = json_iter(t->input); json_next(&it); k++) {
        size_t at = ascending ? k : n - 1 - k;
        struct json_member m = { 0 };
        json_peek_object(it.value, &id_name, 1, &m, NULL);
        items[at] = it.value;
        ids[at] = m.type == JSON_STRING ? json_value(it.value, &m) : STR("\"\"");
    }
    if (after.len) {
        while (from < n && !json_str_eq(ids[from], after))
            from++;
        if (from == n)
            return bad_member(f, "after", "names no item of this response");
        from++;
    }
    size_t end = n - from > limit ? from + (size_t)limit : n;
    struct json_write w;
    json_begin(&w, out);
    json_obj(&w, NULL);
    json_strz(&w, "object", "list");
    json_arr(&w, "data");
    for (size_t i = from; i < end; i++)
        json_raw(&w, NULL, items[i]);
    json_end(&w);
    json_raw(&w, "first_id", end > from ? ids[from] : STR("null"));
    json_raw(&w, "last_id", end > from ? ids[end - 1] : STR("null"));
    json_bool(&w, "has_more", end < n);
    json_end(&w);
    return ERR_OK;
}

static void on_deleted(void *ctx, struct session_result *r)
{
    (void)ctx;
    session_result_free(r);
}

void session_forget(struct flow *f)
{
    struct sessions *s = f->w->gw->sessions;
    /* Where the queue is full the row stays until its life is over: the provider answers for the id meanwhile. */
    if (s && sessions_delete(s, str_c(f->entry->hash), f->rs->id, on_deleted, NULL))
        f->fault.detail = STR("the store of responses is behind: the id is still known");
}

/* Of a response that weir keeps itself. */
static enum err answer_kept(struct flow *f, const struct session_turn *t)
{
    struct buf out;
    struct str v;
    enum err e = ERR_OK;
    buf_init(&out, 512 * MIB);
    switch (f->rs->op) {
    case RESPONSE_GET:
        if (query_value(f->head->query, STR("stream"), f->arena, &v) && str_eq(v, STR("true")))
            e = bad_member(f, "stream", "is for background responses, and this one was none");
        else
            buf_put(&out, t->object);
        break;
    case RESPONSE_ITEMS: e = list_items(f, t, &out); break;
    case RESPONSE_CANCEL:
        e = fault_set(&f->fault, ERR_BAD_REQUEST, f->arena,
                      "Only responses created with background: true can be cancelled, and this one was answered at once.");
        break;
    case RESPONSE_DELETE:
        if (sessions_delete(f->w->gw->sessions, str_c(f->entry->hash), f->rs->id, on_deleted, NULL))
            e = store_busy(f);
        else
            buf_printf(&out, "{\"id\":\"%.*s\",\"object\":\"response\",\"deleted\":true}",
                       STR_ARG(f->rs->id));
        break;
    case RESPONSE_CREATE: break;
    }
    if (e)
        buf_done(&out);
    else
        answer_json(f, &out);
    return e;
}

static const char *op_suffix(enum response_op op)
{
    return op == RESPONSE_CANCEL ? "/cancel" : op == RESPONSE_ITEMS ? "/input_items" : "";
}

enum err session_plan_op(struct flow *f, bool *ret_answered)
{
    struct responding *rs = f->rs;
    struct str v;
    TRY(look_at(f));
    const struct session_turn *t = &rs->past->turns[0];
    if (!t->native) {
        *ret_answered = true;
        return answer_kept(f, t);
    }
    *ret_answered = false;
    enum err e = router_pick_deployment(f->snap->router, t->model, t->deployment, f->arena,
                                        &f->pick, &f->fault);
    if (e == ERR_NOT_FOUND || e == ERR_UNKNOWN_MODEL)
        return fault_set(&f->fault, ERR_NO_RESPONSE, f->arena,
                         "The response '%.*s' was made by a deployment of the model %.*s that this gateway no longer has.",
                         STR_ARG(rs->id), STR_ARG(str_head(t->model, 256)));
    TRY(e);
    struct buf quoted;
    buf_init(&quoted, 64 * KIB);
    json_quote(&quoted, t->model);
    f->rq.model = t->model;
    f->rq.model_json = arena_dup(f->arena, buf_str(&quoted));
    buf_done(&quoted);
    rs->suffix = arena_printf(f->arena, "/responses/%.*s%s", STR_ARG(rs->id), op_suffix(rs->op));
    rs->query = known_query(f->head->query, f->arena);
    f->rq.stream = rs->op == RESPONSE_GET &&
                   query_value(f->head->query, STR("stream"), f->arena, &v) &&
                   str_eq(v, STR("true"));
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
    if (!rs || rs->op != RESPONSE_CREATE || rs->kept || !rs->store || !id.len || !f->w->gw->sessions)
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
    struct fault unused;
    if (!response_input_items(rs->input, str_skip(rs->id, 5), f->arena, &input, &unused)) {
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

bool session_keeps(const struct flow *f)
{
    return f->rs && f->rs->store && f->w->gw->sessions && f->snap->conf->weir.responses_store;
}

void session_done(struct flow *f)
{
    struct responding *rs = f->rs;
    if (!rs)
        return;
    if (rs->wait)
        rs->wait->f = NULL;
    session_result_free(rs->past);
    rs->past = NULL;
}
