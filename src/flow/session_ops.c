/* A response by its id: answered from the store, or by the deployment that made it. */
#include "base/mem.h"
#include "flow/flow_priv.h"
#include "flow/session_priv.h"
#include "wire/json_write.h"

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

/* For a message, which ends at a zero byte: what is not printable is a question mark. */
static struct str shown(struct str id, struct arena *a)
{
    char *p = arena_alloc(a, id.len + 1);
    for (size_t i = 0; i < id.len; i++)
        p[i] = (unsigned char)id.p[i] < ' ' || id.p[i] == 0x7f ? '?' : id.p[i];
    return str_of(p, id.len);
}

enum err session_admit_op(struct flow *f)
{
    struct responding *rs = session_begin(f, (enum response_op)f->route->kind);
    rs->id = f->capture;
    f->rq.kind = OPENAI_RESPONSES;
    f->rq.usage_asked = true;
    f->rq.timeout_ms = f->rq.stream_timeout_ms = -1;
    return is_plain_id(rs->id) ? ERR_OK : session_not_found(f, shown(rs->id, f->arena));
}

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
    static const struct str known[] = {
        STR_INIT("include"),        STR_INIT("include[]"), STR_INIT("stream"),
        STR_INIT("starting_after"), STR_INIT("limit"),     STR_INIT("order"),
        STR_INIT("after"),          STR_INIT("before"),    STR_INIT("include_obfuscation")
    };
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
        return session_bad(f, "limit", "must be a number from 1 to 100");
    if (query_value(query, STR("order"), f->arena, &v)) {
        ascending = str_eq(v, STR("asc"));
        if (!ascending && !str_eq(v, STR("desc")))
            return session_bad(f, "order", "must be asc or desc");
    }
    query_value(query, STR("after"), f->arena, &after);
    size_t n = 0;
    for (struct json_iter it = json_iter(t->input); json_next(&it);)
        n++;
    struct str *items = ARENA_ARRAY(f->arena, struct str, n + 1),
               *ids = ARENA_ARRAY(f->arena, struct str, n + 1);
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
            return session_bad(f, "after", "names no item of this response");
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

/* What became of deleting it. */
static enum err removed(struct flow *f)
{
    const struct session_result *r = f->rs->gone;
    if (!r)
        return session_busy(f);
    if (r->err == ERR_NOT_FOUND) /* another request was faster */
        return session_not_found(f, f->rs->id);
    if (r->err)
        return fault_set(
            &f->fault, ERR_OVERLOADED, f->arena,
            "The response '%.*s' could not be deleted from the store of responses; try again shortly.",
            STR_ARG(f->rs->id));
    return ERR_OK;
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
            e = session_bad(f, "stream", "is for background responses, and this one was none");
        else
            buf_put(&out, t->object);
        break;
    case RESPONSE_ITEMS: e = list_items(f, t, &out); break;
    case RESPONSE_CANCEL:
        e = fault_set(
            &f->fault, ERR_BAD_REQUEST, f->arena,
            "Only responses created with background: true can be cancelled, and this one was answered at once.");
        break;
    case RESPONSE_DELETE:
        e = removed(f);
        if (!e)
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
    TRY(session_found(f));
    const struct session_turn *t = &rs->past->turns[0];
    if (!t->native) {
        *ret_answered = true;
        return answer_kept(f, t);
    }
    *ret_answered = false;
    enum err e = router_pick_deployment(f->snap->router, t->model, t->deployment, f->arena,
                                        &f->pick, &f->fault);
    if (e == ERR_NOT_FOUND || e == ERR_UNKNOWN_MODEL)
        return fault_set(
            &f->fault, ERR_NO_RESPONSE, f->arena,
            "The response '%.*s' was made by a deployment of the model %.*s that this gateway no longer has.",
            STR_ARG(rs->id), STR_ARG(str_head(t->model, 256)));
    TRY(e);
    f->rq.model = t->model;
    f->rq.model_json = ir_quote(t->model, f->arena);
    rs->suffix = arena_printf(f->arena, "/responses/%.*s%s", STR_ARG(rs->id), op_suffix(rs->op));
    rs->query = known_query(f->head->query, f->arena);
    f->rq.stream = rs->op == RESPONSE_GET &&
                   query_value(f->head->query, STR("stream"), f->arena, &v) &&
                   str_eq(v, STR("true"));
    return ERR_OK;
}
