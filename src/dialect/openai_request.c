/* Requests of OpenAI's chat, completions and embeddings: what is read, and the edits on the way to a provider. */
#include "dialect/openai_chat.h"
#include "dialect/openai_quirks.h"

#include "base/mem.h"
#include "wire/json_write.h"

#include <stdlib.h>

static const struct str names[OPENAI_M_COUNT] = {
#define M(id, name) [OPENAI_M_##id] = STR_INIT(name),
    OPENAI_MEMBERS(M, M)
#undef M
};

/* Never sent to a provider. */
static const bool is_gateways[OPENAI_M_COUNT] = {
#define M(id, name) [OPENAI_M_##id] = false,
#define G(id, name) [OPENAI_M_##id] = true,
    OPENAI_MEMBERS(M, G)
#undef M
#undef G
};

struct str openai_suffix(enum openai_kind kind)
{
    switch (kind) {
    case OPENAI_TEXT: return STR("/completions");
    case OPENAI_EMBED: return STR("/embeddings");
    case OPENAI_RESPONSES: return STR("/responses");
    case OPENAI_RESPONSE_TOKENS: return STR("/responses/input_tokens");
    case OPENAI_RESPONSE_COMPACT: return STR("/responses/compact");
    case OPENAI_CHAT: break;
    }
    return STR("/chat/completions");
}

/* -- reading */

static enum err bad_param(struct fault *f, struct arena *a, struct str param, const char *what)
{
    fault_set(f, ERR_BAD_REQUEST, a, "%.*s %s", STR_ARG(param), what);
    f->param = param;
    return ERR_BAD_REQUEST;
}

static enum err read_model(struct openai_request *rq, struct str path_model, struct arena *a,
                           struct fault *f)
{
    const struct json_member *m = &rq->m[OPENAI_M_MODEL];
    if (path_model.len) {
        struct buf quoted;
        buf_init(&quoted, 64 * 1024);
        json_quote(&quoted, path_model);
        rq->model = path_model;
        rq->model_json = arena_dup(a, buf_str(&quoted));
        buf_done(&quoted);
        return ERR_OK;
    }
    if (m->type == JSON_ABSENT || m->type == JSON_NULL)
        return bad_param(f, a, STR("model"),
                         "is missing: name one of the models that GET /v1/models lists");
    if (m->type != JSON_STRING || m->value_len <= 2)
        return bad_param(f, a, STR("model"), "must be a string that is not empty");
    rq->model_json = json_value(rq->body, m);
    rq->model = json_unescape(rq->model_json, a);
    return ERR_OK;
}

static enum err read_stream(struct openai_request *rq, struct arena *a, struct fault *f)
{
    const struct json_member *s = &rq->m[OPENAI_M_STREAM], *o = &rq->m[OPENAI_M_STREAM_OPTIONS];
    if (s->type != JSON_ABSENT && s->type != JSON_NULL && s->type != JSON_TRUE &&
        s->type != JSON_FALSE)
        return bad_param(f, a, STR("stream"), "must be true or false");
    if (s->type == JSON_TRUE && rq->kind != OPENAI_CHAT && rq->kind != OPENAI_TEXT &&
        rq->kind != OPENAI_RESPONSES)
        return bad_param(f, a, STR("stream"),
                         rq->kind == OPENAI_EMBED ? "is not available for embeddings"
                                                  : "is not available here");
    rq->stream = s->type == JSON_TRUE;
    rq->usage_asked = openai_is_responses(rq->kind); /* it is always in the last event */
    if (o->type == JSON_ABSENT || o->type == JSON_NULL)
        return ERR_OK;
    if (o->type != JSON_OBJECT)
        return bad_param(f, a, STR("stream_options"), "must be an object");
    struct str include = STR("include_usage");
    struct json_member m;
    size_t repeated = 0;
    json_peek_object(json_value(rq->body, o), &include, 1, &m, &repeated);
    if (repeated)
        return bad_param(f, a, STR("stream_options.include_usage"), "is repeated");
    rq->usage_asked = rq->usage_asked || m.type == JSON_TRUE;
    return ERR_OK;
}

/* Seconds, as LiteLLM's clients send them. */
static enum err read_seconds(struct openai_request *rq, enum openai_member which, int64_t *ret_ms,
                             struct arena *a, struct fault *f)
{
    const struct json_member *m = &rq->m[which];
    double seconds;
    if (m->type == JSON_ABSENT || m->type == JSON_NULL)
        return ERR_OK;
    if (m->type != JSON_NUMBER || !json_double(json_value(rq->body, m), &seconds) ||
        !(seconds > 0) || seconds > 86400)
        return bad_param(f, a, names[which],
                         "must be a number of seconds, more than 0 and at most 86400");
    *ret_ms = (int64_t)(seconds * 1000 + 0.5);
    return ERR_OK;
}

static enum err refuse_destinations(const struct openai_request *rq, struct arena *a,
                                    struct fault *f)
{
    static const enum openai_member banned[] = { OPENAI_M_API_KEY, OPENAI_M_API_BASE,
                                                 OPENAI_M_BASE_URL };
    for (size_t i = 0; i < sizeof banned / sizeof banned[0]; i++)
        if (rq->m[banned[i]].type != JSON_ABSENT)
            return bad_param(
                f, a, names[banned[i]],
                "is not taken from a request: credentials and destinations are the deployment's, "
                "in the config's model_list");
    return ERR_OK;
}

enum err openai_read_request(enum openai_kind kind, struct str body, struct str path_model,
                             struct arena *a, struct openai_request *rq, struct fault *f)
{
    struct json_problem problem;
    rq->kind = kind;
    rq->body = body;
    rq->stream = rq->usage_asked = false;
    rq->timeout_ms = rq->stream_timeout_ms = -1;
    if (str_trim(body).len == 0)
        return fault_set(f, ERR_BAD_JSON, a,
                         "The request has no body; send a JSON object with at least `model`.");
    if (json_scan_object(body, names, OPENAI_M_COUNT, rq->m, &rq->member_count, &problem))
        return fault_set(f, ERR_BAD_JSON, a,
                         "The request body is not acceptable JSON: %s at byte %zu.", problem.what,
                         problem.at);
    rq->open_at = str_find_char(body, '{') + 1;
    TRY(refuse_destinations(rq, a, f));
    TRY(read_model(rq, path_model, a, f));
    TRY(read_stream(rq, a, f));
    TRY(read_seconds(rq, OPENAI_M_REQUEST_TIMEOUT, &rq->timeout_ms, a, f));
    TRY(read_seconds(rq, OPENAI_M_TIMEOUT, &rq->timeout_ms, a, f));
    return read_seconds(rq, OPENAI_M_STREAM_TIMEOUT, &rq->stream_timeout_ms, a, f);
}

/* -- writing: a plan of at most one action a member, carried out in the order in which the members stand */

struct action {
    struct json_member m;
    bool cut;
    struct str with;   /* replaces the value; empty: it stays */
    struct str rename; /* replaces the name and its colon */
};

struct plan {
    struct action *rows;
    size_t count, room;
    struct buf inserts; /* stand in front of the first member; each ends with a comma */
};

static struct action *plan_member(struct plan *p, const struct json_member *m)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->rows[i].m.index == m->index)
            return &p->rows[i];
    if (p->count == p->room)
        return NULL; /* room is the number of all names that can be planned: see plan_room */
    p->rows[p->count] = (struct action){ .m = *m };
    return &p->rows[p->count++];
}

static void plan_cut(struct plan *p, const struct json_member *m)
{
    struct action *act = plan_member(p, m);
    if (act)
        act->cut = true;
}

static void plan_value(struct plan *p, const struct json_member *m, struct str with)
{
    struct action *act = plan_member(p, m);
    if (act) {
        act->cut = false;
        act->with = with;
    }
}

static void plan_insert(struct plan *p, struct str name, struct str json)
{
    json_quote(&p->inserts, name);
    buf_putc(&p->inserts, ':');
    buf_put(&p->inserts, json);
    buf_putc(&p->inserts, ',');
}

static int by_index(const void *a, const void *b)
{
    const struct action *x = a, *y = b;
    return (x->m.index > y->m.index) - (x->m.index < y->m.index);
}

/* OpenAI takes `metadata` as a flat map of strings; anything else is meant for the gateway. */
static bool is_flat_strings(struct str object)
{
    struct json_iter it = json_iter(object);
    while (json_next(&it))
        if (it.type != JSON_STRING)
            return false;
    return true;
}

static void plan_usage(struct plan *p, const struct openai_request *rq, struct arena *a)
{
    const struct json_member *o = &rq->m[OPENAI_M_STREAM_OPTIONS];
    struct str include = STR("include_usage");
    if (!rq->stream || rq->usage_asked)
        return;
    if (o->type == JSON_ABSENT) {
        plan_insert(p, STR("stream_options"), STR("{\"include_usage\":true}"));
        return;
    }
    struct json_member m = { 0 };
    struct str old = json_value(rq->body, o);
    if (o->type == JSON_OBJECT)
        json_peek_object(old, &include, 1, &m, NULL);
    if (m.type != JSON_ABSENT) {
        plan_value(p, o,
                   arena_printf(a, "%.*strue%.*s", (int)m.value_at, old.p,
                                (int)(old.len - m.value_at - m.value_len),
                                old.p + m.value_at + m.value_len));
        return;
    }
    struct str rest = o->type == JSON_OBJECT ? str_trim(str_skip(old, 1)) : STR("}");
    plan_value(p, o,
               arena_printf(a, "{\"include_usage\":true%s%.*s", rest.p[0] == '}' ? "" : ",",
                            STR_ARG(rest)));
}

/* Tools of the deployment stand before the client's own, as in LiteLLM. */
static struct str merge_arrays(struct str ours, struct str clients, struct arena *a)
{
    struct str ours_inner = str_trim(str_of(ours.p + 1, ours.len - 2));
    struct str clients_inner = str_trim(str_of(clients.p + 1, clients.len - 2));
    return arena_printf(a, "[%.*s%s%.*s]", STR_ARG(ours_inner),
                        ours_inner.len && clients_inner.len ? "," : "", STR_ARG(clients_inner));
}

/* Of the members that a response is made with, a count and a compaction take some (OpenAI's API reference, November 2026, and its SDK's
 * types); what the deployment sets of the others stays out of them. */
static bool is_taken(enum openai_kind kind, struct str name)
{
    enum { TOKENS = 1, COMPACT = 2 };
    static const struct {
        struct str name;
        int by;
    } rows[] = {
        { STR_INIT("parallel_tool_calls"), TOKENS },
        { STR_INIT("personality"), TOKENS },
        { STR_INIT("reasoning"), TOKENS },
        { STR_INIT("text"), TOKENS },
        { STR_INIT("tool_choice"), TOKENS },
        { STR_INIT("tools"), TOKENS },
        { STR_INIT("truncation"), TOKENS },
        { STR_INIT("conversation"), TOKENS },
        { STR_INIT("prompt_cache_key"), COMPACT },
        { STR_INIT("prompt_cache_options"), COMPACT },
        { STR_INIT("prompt_cache_retention"), COMPACT },
        { STR_INIT("service_tier"), COMPACT },
        { STR_INIT("background"), 0 },
        { STR_INIT("context_management"), 0 },
        { STR_INIT("include"), 0 },
        { STR_INIT("max_output_tokens"), 0 },
        { STR_INIT("max_tool_calls"), 0 },
        { STR_INIT("metadata"), 0 },
        { STR_INIT("moderation"), 0 },
        { STR_INIT("prompt"), 0 },
        { STR_INIT("safety_identifier"), 0 },
        { STR_INIT("store"), 0 },
        { STR_INIT("stream_options"), 0 },
        { STR_INIT("temperature"), 0 },
        { STR_INIT("top_logprobs"), 0 },
        { STR_INIT("top_p"), 0 },
        { STR_INIT("user"), 0 },
    };
    int by = kind == OPENAI_RESPONSE_TOKENS    ? TOKENS
             : kind == OPENAI_RESPONSE_COMPACT ? COMPACT
                                               : 0;
    for (size_t i = 0; by && i < sizeof rows / sizeof rows[0]; i++)
        if (str_eq(name, rows[i].name))
            return rows[i].by & by;
    return true;
}

/* A deployment's default is written in the words of chat completions; the Responses API has another word for it, or another place.
 * Empty: it has none, and the default is left out. `*ret_json`: the value there. */
static struct str default_name(enum openai_kind kind, const struct conf_member *def,
                               struct arena *a, struct str *ret_json)
{
    enum { RENAME, WRAP, NONE };
    static const struct {
        struct str chat;
        int how;
        struct str name, inner;
    } rows[] = {
        { STR_INIT("max_tokens"), RENAME, STR_INIT("max_output_tokens"), STR_INIT("") },
        { STR_INIT("max_completion_tokens"), RENAME, STR_INIT("max_output_tokens"), STR_INIT("") },
        { STR_INIT("reasoning_effort"), WRAP, STR_INIT("reasoning"), STR_INIT("effort") },
        { STR_INIT("verbosity"), WRAP, STR_INIT("text"), STR_INIT("verbosity") },
        { STR_INIT("n"), NONE, STR_INIT(""), STR_INIT("") },
        { STR_INIT("stop"), NONE, STR_INIT(""), STR_INIT("") },
        { STR_INIT("seed"), NONE, STR_INIT(""), STR_INIT("") },
        { STR_INIT("frequency_penalty"), NONE, STR_INIT(""), STR_INIT("") },
        { STR_INIT("presence_penalty"), NONE, STR_INIT(""), STR_INIT("") },
        { STR_INIT("logit_bias"), NONE, STR_INIT(""), STR_INIT("") },
        { STR_INIT("logprobs"), NONE, STR_INIT(""), STR_INIT("") },
        { STR_INIT("response_format"), NONE, STR_INIT(""), STR_INIT("") },
        { STR_INIT("stream_options"), NONE, STR_INIT(""), STR_INIT("") },
    };
    *ret_json = def->json;
    if (!openai_is_responses(kind))
        return def->name;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!str_eq(def->name, rows[i].chat))
            continue;
        if (rows[i].how == WRAP)
            *ret_json =
                arena_printf(a, "{\"%.*s\":%.*s}", STR_ARG(rows[i].inner), STR_ARG(def->json));
        return rows[i].name;
    }
    return def->name;
}

static bool is_among(const struct str *names_before, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(names_before[i], name))
            return true;
    return false;
}

static void plan_deployment(struct plan *p, const struct openai_request *rq,
                            const struct conf_deployment *d, struct arena *a)
{
    size_t n = d->default_count + d->extra_body_count + d->drop_count;
    if (n == 0)
        return;
    struct str *want = ARENA_ARRAY(a, struct str, n);
    struct str *json = ARENA_ARRAY(a, struct str, d->default_count + 1);
    struct json_member *got = ARENA_ARRAY(a, struct json_member, n);
    size_t k = 0;
    for (size_t i = 0; i < d->default_count; i++, k++)
        want[k] = default_name(rq->kind, &d->defaults[i], a, &json[i]);
    for (size_t i = 0; i < d->extra_body_count; i++)
        want[k++] = d->extra_body[i].name;
    for (size_t i = 0; i < d->drop_count;
         i++) /* paths were followed before: no member is named like one */
        want[k++] = d->drop_params[i];
    json_peek_object(rq->body, want, n, got, NULL);
    for (size_t i = 0; i < d->default_count; i++) {
        if (want[i].len == 0 || is_among(want, i, want[i]) || !is_taken(rq->kind, want[i]))
            continue;
        if (got[i].type == JSON_ABSENT)
            plan_insert(p, want[i], json[i]);
        else if (got[i].type == JSON_ARRAY && str_eq(want[i], STR("tools")) && json[i].p[0] == '[')
            plan_value(p, &got[i], merge_arrays(json[i], json_value(rq->body, &got[i]), a));
    }
    for (size_t i = 0; i < d->extra_body_count; i++) {
        const struct json_member *m = &got[d->default_count + i];
        if (str_eq(d->extra_body[i].name, names[OPENAI_M_MODEL]) ||
            str_eq(d->extra_body[i].name, names[OPENAI_M_STREAM]) ||
            !is_taken(rq->kind, d->extra_body[i].name))
            continue; /* routing decides the model, the client decides the framing */
        if (m->type == JSON_ABSENT)
            plan_insert(p, d->extra_body[i].name, d->extra_body[i].json);
        else
            plan_value(p, m, d->extra_body[i].json);
    }
    for (size_t i = 0; i < d->drop_count; i++) {
        const struct json_member *m = &got[d->default_count + d->extra_body_count + i];
        if (m->type != JSON_ABSENT && m->index != rq->m[OPENAI_M_MODEL].index)
            plan_cut(p, m);
    }
}

static void plan_model(struct plan *p, const struct openai_request *rq, struct str upstream_model,
                       struct arena *a)
{
    const struct json_member *m = &rq->m[OPENAI_M_MODEL];
    struct buf quoted;
    if (m->type == JSON_STRING && json_str_eq(json_value(rq->body, m), upstream_model))
        return;
    buf_init(&quoted, 64 * 1024);
    json_quote(&quoted, upstream_model);
    if (m->type == JSON_ABSENT)
        plan_insert(p, names[OPENAI_M_MODEL], buf_str(&quoted));
    else
        plan_value(p, m, arena_dup(a, buf_str(&quoted)));
    buf_done(&quoted);
}

/* Where a provider's dialect of chat completions is narrower than OpenAI's: provider/rows_openai.def. */
static void plan_quirks(struct plan *p, const struct openai_request *rq, const struct provider *row)
{
    enum { Q_MAX, Q_MAX_OLD, Q_COUNT };
    static const struct str want[Q_COUNT] = { STR_INIT("max_completion_tokens"),
                                              STR_INIT("max_tokens") };
    struct json_member got[Q_COUNT];
    const struct json_member *options = &rq->m[OPENAI_M_STREAM_OPTIONS];
    if (row->no_stream_options && options->type != JSON_ABSENT)
        plan_cut(p, options);
    if (!str_eq(row->max_tokens_field, want[Q_MAX_OLD]))
        return;
    json_peek_object(rq->body, want, Q_COUNT, got, NULL);
    if (got[Q_MAX].type == JSON_ABSENT || got[Q_MAX_OLD].type != JSON_ABSENT)
        return;
    struct action *act = plan_member(p, &got[Q_MAX]);
    if (act && !act->cut)
        act->rename = STR("\"max_tokens\":");
}

/* Unless the deployment has another list in the place of the client's. */
static void edit_messages(const struct plan *p, const struct openai_request *rq,
                          const struct provider *row, struct splice *sp)
{
    static const struct str name = STR_INIT("messages");
    struct json_member m;
    if (rq->kind != OPENAI_CHAT || !openai_edits_messages(row))
        return;
    json_peek_object(rq->body, &name, 1, &m, NULL);
    for (size_t i = 0; i < p->count; i++)
        if (m.type != JSON_ABSENT && p->rows[i].m.index == m.index)
            return;
    openai_splice_messages(sp, json_value(rq->body, &m), m.value_at, row);
}

void openai_splice_request(const struct openai_request *rq, const struct conf_deployment *d,
                           const struct provider *row, struct str upstream_model, struct splice *sp,
                           struct arena *a)
{
    SCRATCH struct action few[OPENAI_M_COUNT];
    struct plan p = { .rows = few, .room = OPENAI_M_COUNT };
    size_t room = OPENAI_M_COUNT + d->default_count + d->extra_body_count + d->drop_count;
    if (room > p.room) {
        p.rows = ARENA_ARRAY(a, struct action, room);
        p.room = room;
    }
    buf_init(&p.inserts, 16 * 1024 * 1024);
    for (size_t i = 0; i < OPENAI_M_COUNT; i++)
        if (is_gateways[i] && rq->m[i].type != JSON_ABSENT)
            plan_cut(&p, &rq->m[i]);
    const struct json_member *meta = &rq->m[OPENAI_M_METADATA];
    if (meta->type != JSON_ABSENT &&
        (meta->type != JSON_OBJECT || !is_flat_strings(json_value(rq->body, meta))))
        plan_cut(&p, meta);
    if (!row || !row->no_stream_options)
        plan_usage(&p, rq, a);
    plan_deployment(&p, rq, d, a);
    plan_model(&p, rq, upstream_model, a);
    if (row && !openai_is_responses(rq->kind))
        plan_quirks(&p, rq, row);
    qsort(p.rows, p.count, sizeof p.rows[0], by_index);

    size_t cuts = 0;
    for (size_t i = 0; i < p.count; i++)
        cuts += p.rows[i].cut;
    if (cuts == rq->member_count && p.inserts.len)
        p.inserts.len--; /* nothing follows: no comma */
    splice_init(sp, a, rq->body);
    if (p.inserts.len)
        splice_replace(sp, rq->open_at, 0, arena_dup(a, buf_str(&p.inserts)));
    for (size_t i = 0; i < p.count; i++) {
        const struct action *act = &p.rows[i];
        if (act->cut) {
            splice_cut_member(sp, &act->m);
            continue;
        }
        if (act->rename.len)
            splice_replace(sp, act->m.name_at, act->m.value_at - act->m.name_at, act->rename);
        if (act->with.len)
            splice_value(sp, &act->m, act->with);
    }
    edit_messages(&p, rq, row, sp);
    buf_done(&p.inserts);
}
