/* The table of routes, and the simulator's own ones under /__mock/. */
#include "base/mem.h"
#include "mock/google_priv.h"
#include "mock/invoice.h"
#include "mock/reply.h"
#include "mock/seen.h"

static handler_fn seen_list, seen_delete, invoice_list, stats;

struct route {
    struct str method;
    /* Without /v1; "{model}" and "*" are one segment, "{call}" is one of Google's, model and method; "{rest}" is the tail. */
    struct str path;
    handler_fn *handler;
    refused_fn
        *refused; /* a provider's route: script, credential, JSON body; NULL: the simulator's own */
};

static const struct route routes[] = {
    { STR_INIT("POST"), STR_INIT("/chat/completions"), openai_chat, openai_refused },
    { STR_INIT("POST"), STR_INIT("/completions"), openai_completions, openai_refused },
    { STR_INIT("POST"), STR_INIT("/embeddings"), openai_embeddings, openai_refused },
    { STR_INIT("GET"), STR_INIT("/models"), openai_models, openai_refused },
    { STR_INIT("GET"), STR_INIT("/models/{rest}"), openai_model, openai_refused },
    { STR_INIT("POST"), STR_INIT("/openai/deployments/{model}/chat/completions"), openai_chat,
      openai_refused },
    { STR_INIT("POST"), STR_INIT("/openai/deployments/{model}/completions"), openai_completions,
      openai_refused },
    { STR_INIT("POST"), STR_INIT("/openai/deployments/{model}/embeddings"), openai_embeddings,
      openai_refused },
    { STR_INIT("POST"), STR_INIT("/responses"), responses_create, openai_refused },
    { STR_INIT("POST"), STR_INIT("/responses/input_tokens"), responses_count, openai_refused },
    { STR_INIT("POST"), STR_INIT("/responses/compact"), responses_compact, openai_refused },
    { STR_INIT("GET"), STR_INIT("/responses/{model}"), responses_get, openai_refused },
    { STR_INIT("DELETE"), STR_INIT("/responses/{model}"), responses_delete, openai_refused },
    { STR_INIT("POST"), STR_INIT("/responses/{model}/cancel"), responses_cancel, openai_refused },
    { STR_INIT("GET"), STR_INIT("/responses/{model}/input_items"), responses_items,
      openai_refused },
    { STR_INIT("POST"), STR_INIT("/openai/responses"), responses_create, openai_refused },
    { STR_INIT("POST"), STR_INIT("/openai/responses/input_tokens"), responses_count,
      openai_refused },
    { STR_INIT("POST"), STR_INIT("/openai/responses/compact"), responses_compact, openai_refused },
    { STR_INIT("GET"), STR_INIT("/openai/responses/{model}"), responses_get, openai_refused },
    { STR_INIT("DELETE"), STR_INIT("/openai/responses/{model}"), responses_delete, openai_refused },
    { STR_INIT("POST"), STR_INIT("/openai/responses/{model}/cancel"), responses_cancel,
      openai_refused },
    { STR_INIT("GET"), STR_INIT("/openai/responses/{model}/input_items"), responses_items,
      openai_refused },
    { STR_INIT("POST"), STR_INIT("/openai/v1/responses"), responses_create, openai_refused },
    { STR_INIT("POST"), STR_INIT("/openai/v1/responses/input_tokens"), responses_count,
      openai_refused },
    { STR_INIT("POST"), STR_INIT("/openai/v1/responses/compact"), responses_compact,
      openai_refused },
    { STR_INIT("GET"), STR_INIT("/openai/v1/responses/{model}"), responses_get, openai_refused },
    { STR_INIT("DELETE"), STR_INIT("/openai/v1/responses/{model}"), responses_delete,
      openai_refused },
    { STR_INIT("POST"), STR_INIT("/openai/v1/responses/{model}/cancel"), responses_cancel,
      openai_refused },
    { STR_INIT("GET"), STR_INIT("/openai/v1/responses/{model}/input_items"), responses_items,
      openai_refused },
    { STR_INIT("POST"), STR_INIT("/messages"), anthropic_messages, anthropic_refused },
    { STR_INIT("POST"), STR_INIT("/messages/count_tokens"), anthropic_count, anthropic_refused },
    { STR_INIT("POST"), STR_INIT("/models/{call}"), gemini_generate, google_refused },
    { STR_INIT("POST"), STR_INIT("/v1beta/models/{call}"), gemini_generate, google_refused },
    { STR_INIT("POST"), STR_INIT("/v1beta/tunedModels/{call}"), gemini_generate, google_refused },
    { STR_INIT("POST"), STR_INIT("/projects/*/locations/*/publishers/google/models/{call}"),
      gemini_generate, google_refused },
    { STR_INIT("POST"), STR_INIT("/projects/*/locations/*/endpoints/{call}"), gemini_generate,
      google_refused },
    { STR_INIT("POST"), STR_INIT("/publishers/google/models/{call}"), gemini_generate,
      google_refused },
    { STR_INIT("POST"), STR_INIT("/projects/*/locations/*/publishers/anthropic/models/{call}"),
      google_claude, google_refused },
    { STR_INIT("POST"), STR_INIT("/google/token"), google_token, NULL },
    { STR_INIT("POST"), STR_INIT("/google/token/{rest}"), google_token, NULL },
    { STR_INIT("GET"), STR_INIT("/computeMetadata/v1/instance/service-accounts/default/token"),
      google_metadata_token, NULL },
    { STR_INIT("GET"), STR_INIT("/computeMetadata/v1/project/project-id"), google_metadata_project,
      NULL },
    { STR_INIT("PUT"), STR_INIT("/__mock/google/accounts/{rest}"), google_put_account, NULL },
    { STR_INIT("PUT"), STR_INIT("/__mock/google/users/{rest}"), google_put_user, NULL },
    { STR_INIT("PUT"), STR_INIT("/__mock/google/metadata"), google_put_metadata, NULL },
    { STR_INIT("POST"), STR_INIT("/__mock/google/revoke"), google_revoke, NULL },
    { STR_INIT("GET"), STR_INIT("/__mock/requests"), seen_list, NULL },
    { STR_INIT("DELETE"), STR_INIT("/__mock/requests"), seen_delete, NULL },
    { STR_INIT("GET"), STR_INIT("/__mock/invoices"), invoice_list, NULL },
    { STR_INIT("GET"), STR_INIT("/__mock/stats"), stats, NULL },
};

/* -- the simulator's own routes */

static void seen_list(struct mock *m, struct request *rq, struct reply *rp)
{
    seen_write(m->seen, request_query(rq, STR("grep")), &rp->body);
}

static void seen_delete(struct mock *m, struct request *rq, struct reply *rp)
{
    seen_clear(m->seen);
    invoices_clear(m->invoices);
    buf_putz(&rp->body, "{}\n");
}

static void invoice_list(struct mock *m, struct request *rq, struct reply *rp)
{
    invoices_write(m->invoices, request_query(rq, STR("grep")), &rp->body);
}

static void stats(struct mock *m, struct request *rq, struct reply *rp)
{
    buf_printf(&rp->body,
               "{\"requests\":%llu,\"connections\":%llu,\"accepted\":%llu,\"playing\":%llu}\n",
               (unsigned long long)m->serial, (unsigned long long)m->open,
               (unsigned long long)m->accepted, (unsigned long long)m->playing);
}

/* -- what handlers need */

struct str request_header(const struct request *rq, struct str name)
{
    for (size_t i = 0; i < rq->header_count; i++)
        if (str_eq_nocase(rq->headers[i].name, name))
            return rq->headers[i].value;
    return str_of(NULL, 0);
}

struct str request_query(const struct request *rq, struct str name)
{
    struct str rest = rq->query;
    while (rest.len > 0) {
        struct str value = str_cut(&rest, '&');
        if (str_eq(str_cut(&value, '='), name))
            return value;
    }
    return str_of(NULL, 0);
}

struct str json_text(yyjson_val *object, const char *name)
{
    yyjson_val *v = yyjson_obj_get(object, name);
    return yyjson_is_str(v) ? str_of(yyjson_get_str(v), yyjson_get_len(v)) : STR("");
}

struct counter {
    struct list link;
    uint64_t n;
    size_t len;
    char text[];
};

uint64_t mock_count(struct mock *m, struct str text)
{
    struct counter *c = map_get(&m->counters, text);
    if (!c) {
        c = mem_zalloc(sizeof(*c) + text.len + 1);
        c->len = text.len;
        if (text.len > 0)
            memcpy(c->text, text.p, text.len);
        list_push(&m->counter_list, &c->link);
        map_put(&m->counters, str_of(c->text, c->len), c);
    }
    return ++c->n;
}

void mock_counters_free(struct mock *m)
{
    LIST_EACH_SAFE(it, &m->counter_list)
    mem_free(CONTAINER_OF(it, struct counter, link));
    map_done(&m->counters);
}

/* -- finding the route */

static struct str without_v1(struct str path)
{
    if (str_starts(path, STR("/v1beta1/")))
        return str_skip(path, 8);
    return str_starts(path, STR("/v1/")) ? str_skip(path, 3) : path;
}

static bool path_matches(struct str pattern, struct str path, struct str *ret_model)
{
    for (;;) {
        struct str want = str_cut(&pattern, '/');
        if (str_eq(want, STR("{rest}"))) {
            *ret_model = path;
            return path.len > 0;
        }
        struct str have = str_cut(&path, '/');
        if (str_eq(want, STR("{model}")) || str_eq(want, STR("{call}")))
            *ret_model = have;
        else if (str_eq(want, STR("*")) ? have.len == 0 : !str_eq(want, have))
            return false;
        if (pattern.len == 0 || path.len == 0)
            return pattern.len == path.len;
    }
}

/* Reads the body, the model and the script. False: the refusal stands in rp. */
static bool prepare(struct mock *m, struct request *rq, struct reply *rp)
{
    static const struct str mark = STR_INIT("mock:");
    struct str problem, script = request_header(rq, STR("x-mock"));
    if (rq->body.len > 0) {
        yyjson_read_err e;
        rq->doc = yyjson_read_opts((char *)(uintptr_t)rq->body.p, rq->body.len,
                                   YYJSON_READ_BIGNUM_AS_RAW, NULL, &e);
        rq->json = yyjson_doc_get_root(rq->doc);
        if (!rq->doc || !yyjson_is_obj(rq->json)) {
            reply_error(rp, 400, "invalid_request_error", NULL, NULL,
                        "We could not parse the JSON body of your request.");
            return false;
        }
    }
    rq->model = rq->json ? json_text(rq->json, "model") : STR("");
    if (rq->path_model.len > 0 && !str_eq(rq->path_model, STR(GOOGLE_COUNTER)))
        rq->model = rq->path_model;
    size_t at = str_find(rq->model, mark);
    if (at != STR_NONE)
        script = str_skip(rq->model, at + mark.len);
    if (!script_parse(script, &rq->script, &problem)) {
        reply_error(rp, 400, "mock_bad_script", "model", NULL,
                    "The simulator does not understand '%.*s' in its script.", STR_ARG(problem));
        return false;
    }
    if (rq->script.times > 0 && mock_count(m, rq->script.text) > rq->script.times)
        rq->script = (struct script){ .text = rq->script.text };
    rq->call_id = request_header(rq, STR("x-litellm-call-id"));
    if (rq->call_id.len == 0)
        rq->call_id = request_header(rq, STR("x-client-request-id"));
    rq->attempt = 1;
    if (rq->call_id.len > 0)
        rq->attempt = mock_count(m, rq->call_id);
    else
        rq->call_id = arena_printf(rq->arena, "mock-%llu", (unsigned long long)rq->serial);
    return true;
}

void route_request(struct mock *m, struct request *rq, struct reply *rp)
{
    struct str path = without_v1(rq->path);
    bool known = false;
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        const struct route *r = &routes[i];
        struct str model = STR("");
        if (!path_matches(r->path, path, &model))
            continue;
        known = true;
        if (!str_eq(r->method, rq->method))
            continue;
        rq->path_model =
            str_ends(r->path, STR("{call}")) ? model : percent_decode(model, false, rq->arena);
        if (str_ends(r->path, STR("{call}")) && !google_path(rq))
            continue;
        if (r->refused && (!prepare(m, rq, rp) || r->refused(m, rq, rp)))
            return;
        r->handler(m, rq, rp);
        return;
    }
    if (known)
        reply_error(rp, 405, "invalid_request_error", NULL, "method_not_supported",
                    "Not allowed to %.*s on %.*s.", STR_ARG(rq->method), STR_ARG(rq->path));
    else
        reply_error(rp, 404, "invalid_request_error", NULL, "unknown_url",
                    "Invalid URL (%.*s %.*s)", STR_ARG(rq->method), STR_ARG(rq->path));
}
