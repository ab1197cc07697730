#include "dialect/anthropic_beta.h"
#include "dialect/anthropic_priv.h"
#include "dialect/count.h"
#include "dialect/schema.h"
#include "wire/json_scan.h"

#define BODY_MAX_BYTES                                                                             \
    ((size_t)256 * 1024 * 1024) /* what is made here; borrowed data comes on top */
#define API_VERSION "2023-06-01"
#define VERTEX_VERSION "vertex-2023-10-16"
#define CACHE_MARKS_MAX 4

enum err anthropic_refuse(struct anthropic_write *aw, enum err e, struct str param, const char *fmt,
                          ...)
{
    va_list ap;
    va_start(ap, fmt);
    *aw->fault = fault_of(e);
    aw->fault->msg = arena_vprintf(aw->a, fmt, ap);
    aw->fault->param = param;
    va_end(ap);
    return e;
}

struct str anthropic_target(const struct anthropic_write *aw)
{
    return aw->report->target.len ? aw->report->target : STR("the model that serves this request");
}

/* A tag goes into a header: only plain characters of the name do. */
enum err anthropic_unknown(struct anthropic_write *aw, struct str name, const char *where)
{
    struct str shown = str_head(name, 40);
    char *clean = arena_alloc(aw->a, shown.len + 1);
    for (size_t i = 0; i < shown.len; i++) {
        char c = shown.p[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '_' || c == '-' || c == '.';
        clean[i] = plain ? c : '?';
    }
    clean[shown.len] = '\0';
    const char *tag = arena_printf(aw->a, "unknown(%s)", clean).p;
    const char *member = where ? arena_printf(aw->a, "%s.%s", where, clean).p : clean;
    return ir_lose(aw->report, tag, member, aw->fault);
}

/* -- cache breakpoints: tools, system, messages, in the order in which they are written */

static unsigned count_marks(const struct anthropic_block *b)
{
    unsigned n = 0;
    for (; b; b = b->next) {
        if (!b->part)
            continue;
        n += b->part->cache && b->part->kind != IR_REASONING && b->part->kind != IR_OPAQUE;
        for (const struct ir_part *c = b->part->content; c; c = c->next)
            n += c->cache && c->kind != IR_REASONING;
    }
    return n;
}

static bool caches_by_itself(const struct anthropic_write *aw)
{
    const struct ir_ext *o = ir_ext_find(aw->rq->ext, STR("prompt_cache_options"));
    return ir_ext_find(aw->rq->ext, STR("cache_control")) ||
           (o && json_str_eq(json_get(o->raw, "mode"), STR("implicit")));
}

/* OpenAI's word for the same: mode `implicit` marks by itself, `explicit` leaves it to the breakpoints, as here. */
static enum err put_cache_options(struct anthropic_write *aw, struct str options)
{
    struct str mode = json_get(options, "mode"), ttl = json_get(options, "ttl");
    bool implicit = json_str_eq(mode, STR("implicit"));
    bool known = json_str_eq(ttl, STR("5m")) || json_str_eq(ttl, STR("1h"));
    if (json_type_of(options) != JSON_OBJECT ||
        (mode.len && !implicit && !json_str_eq(mode, STR("explicit"))))
        return anthropic_refuse(aw, ERR_BAD_REQUEST, STR("prompt_cache_options"),
                                "prompt_cache_options: mode must be implicit or explicit.");
    if (implicit && !ir_ext_find(aw->rq->ext, STR("cache_control")) &&
        !anthropic_is_passed(aw, "cache_control")) {
        json_obj(&aw->w, "cache_control");
        json_strz(&aw->w, "type", "ephemeral");
        if (known)
            json_raw(&aw->w, "ttl", ttl);
        json_end(&aw->w);
    }
    if (!ttl.len || (known && implicit))
        return ERR_OK;
    return ir_degrade(aw->report, "prompt_cache_options", "prompt_cache_options.ttl", aw->fault);
}

static void limit_marks(struct anthropic_write *aw)
{
    unsigned n = count_marks(aw->turns.system);
    for (const struct ir_tool *t = aw->rq->tools; t; t = t->next)
        n += t->cache && (t->kind == IR_FUNCTION || t->kind == IR_CUSTOM);
    for (const struct anthropic_turn *t = aw->turns.first; t; t = t->next)
        n += count_marks(t->blocks);
    n += caches_by_itself(aw); /* the automatic one counts */
    aw->cache_skip = n > CACHE_MARKS_MAX ? n - CACHE_MARKS_MAX : 0;
}

/* -- messages */

static enum err put_messages(struct anthropic_write *aw)
{
    json_arr(&aw->w, "messages");
    for (const struct anthropic_turn *t = aw->turns.first; t; t = t->next) {
        json_obj(&aw->w, NULL);
        json_strz(&aw->w, "role", ir_role_name(t->role));
        TRY(anthropic_put_blocks(aw, "content", t->blocks));
        json_end(&aw->w);
    }
    json_end(&aw->w);
    return ERR_OK;
}

/* -- output_config: effort and format */

/* What the client says in Anthropic's own words counts more than what it says in OpenAI's. */
static enum err put_own_config(struct anthropic_write *aw, struct str config, bool *effort,
                               bool *native)
{
    struct str own_effort = json_get(config, "effort");
    bool other =
        *effort && own_effort.len && !json_str_eq(own_effort, str_c(ir_effort_name(aw->effort)));
    bool format = *native && json_get(config, "format").len;
    struct json_iter it = json_iter(config);
    if (json_type_of(config) != JSON_OBJECT)
        return anthropic_refuse(aw, ERR_BAD_REQUEST, STR("output_config"),
                                "output_config: must be an object such as {\"effort\":\"high\"}.");
    while (json_next(&it)) {
        if (it.type == JSON_NULL)
            continue;
        json_name(&aw->w, json_unescape(str_of(it.name.p - 1, it.name.len + 2), aw->a));
        segments_raw(aw->body, &aw->w, NULL, it.value);
    }
    anthropic_need_beta(aw, STR("output_config"), config);
    *effort &= !own_effort.len;
    *native &= !format;
    if (other)
        TRY(ir_degrade(aw->report, "reasoning_effort", "reasoning_effort", aw->fault));
    return format ? ir_degrade(aw->report, "response_format", "response_format", aw->fault)
                  : ERR_OK;
}

static enum err put_output_config(struct anthropic_write *aw)
{
    schema_cuts cuts = 0;
    bool native = aw->output == OUTPUT_NATIVE, effort = aw->effort != IR_EFFORT_UNSET;
    const struct ir_ext *own = ir_ext_find(aw->rq->ext, STR("output_config"));
    if ((!native && !effort && !own) || anthropic_is_passed(aw, "output_config"))
        return ERR_OK;
    json_obj(&aw->w, "output_config");
    if (own)
        TRY(put_own_config(aw, own->raw, &effort, &native));
    if (effort)
        json_strz(&aw->w, "effort", ir_effort_name(aw->effort));
    if (native) {
        if (aw->rq->schema_description.len)
            TRY(ir_lose(aw->report, "schema_description", "response_format.json_schema.description",
                        aw->fault));
        struct str small = schema_for_grammar(aw->rq->schema, aw->a, &cuts);
        json_obj(&aw->w, "format");
        json_strz(&aw->w, "type", "json_schema");
        segments_raw(aw->body, &aw->w, "schema", small);
        json_end(&aw->w);
    }
    json_end(&aw->w);
    for (size_t i = 0; schema_cut_name(i); i++)
        if (cuts >> i & 1)
            TRY(ir_degrade(aw->report, arena_printf(aw->a, "schema(%s)", schema_cut_name(i)).p,
                           "response_format", aw->fault));
    return ERR_OK;
}

/* -- the provider's own members */

/* Members of Anthropic's that clients of other dialects may send as they are. */
static bool is_native(struct str name, bool vertex)
{
    static const struct str both[] = { STR_INIT("cache_control"), STR_INIT("context_management") };
    static const struct str own[] = { STR_INIT("container"),   STR_INIT("mcp_servers"),
                                      STR_INIT("speed"),       STR_INIT("inference_geo"),
                                      STR_INIT("diagnostics"), STR_INIT("fallbacks") };
    for (size_t i = 0; i < sizeof both / sizeof both[0]; i++)
        if (str_eq(name, both[i]))
            return true;
    for (size_t i = 0; !vertex && i < sizeof own / sizeof own[0]; i++)
        if (str_eq(name, own[i]))
            return true;
    return false;
}

bool anthropic_is_passed(const struct anthropic_write *aw, const char *name)
{
    for (size_t i = 0; i < aw->t->passthrough_count; i++)
        if (str_eq(aw->t->passthrough[i].name, str_c(name)))
            return true;
    return false;
}

void anthropic_need_beta(struct anthropic_write *aw, struct str name, struct str raw)
{
    aw->betas = anthropic_betas_with(aw->betas, anthropic_beta_of(name, raw), aw->a);
}

/* What a count does not take (SDK 2.12, MessageCountTokensParams and its beta, November 2026). All but the container, which may hold
 * skills, say how the answer is made and add nothing to the prompt. */
static bool is_uncounted(const struct anthropic_write *aw, struct str name)
{
    static const struct str names[] = {
        STR_INIT("max_tokens"),   STR_INIT("stop_sequences"), STR_INIT("temperature"),
        STR_INIT("top_p"),        STR_INIT("top_k"),          STR_INIT("metadata"),
        STR_INIT("service_tier"), STR_INIT("inference_geo"),  STR_INIT("diagnostics"),
        STR_INIT("fallbacks"),    STR_INIT("container"),
    };
    for (size_t i = 0; aw->t->count && i < sizeof names / sizeof names[0]; i++)
        if (str_eq(name, names[i]))
            return true;
    return false;
}

static enum err put_own(struct anthropic_write *aw, struct str name, struct str raw)
{
    if (is_uncounted(aw, name))
        return str_eq(name, STR("container"))
                   ? ir_lose(aw->report, "container", "container", aw->fault)
                   : ERR_OK;
    json_name(&aw->w, name);
    segments_raw(aw->body, &aw->w, NULL, raw);
    anthropic_need_beta(aw, name, raw);
    return ERR_OK;
}

static enum err put_native(struct anthropic_write *aw)
{
    const struct dialect_target *t = aw->t;
    for (const struct ir_ext *x = aw->rq->ext; x; x = x->next) {
        bool own = x->origin == IR_FROM_ANTHROPIC && !t->vertex;
        if (anthropic_is_passed(aw, arena_cstr(aw->a, x->name)) ||
            str_eq(x->name, STR("output_config")))
            continue;
        if (str_eq(x->name, STR("prompt_cache_options"))) {
            TRY(put_cache_options(aw, x->raw));
            continue;
        }
        /* `stop` is its other name: of both, that one is read. */
        if (str_eq(x->name, STR("stop_sequences")) && !aw->rq->stop_count) {
            TRY(put_own(aw, x->name, x->raw));
            continue;
        }
        if (!own && !is_native(x->name, t->vertex)) {
            TRY(anthropic_unknown(aw, x->name, NULL));
            continue;
        }
        TRY(put_own(aw, x->name, x->raw));
    }
    return ERR_OK;
}

/* What the deployment's owner set stands in the place of what would have been written. What the
 * conversation consists of, and how it is read, cannot be replaced. */
static enum err put_passed(struct anthropic_write *aw)
{
    static const struct str fixed[] = {
        STR_INIT("model"), STR_INIT("system"), STR_INIT("messages"),
        STR_INIT("tools"), STR_INIT("stream"), STR_INIT("anthropic_version"),
    };
    for (size_t i = 0; i < aw->t->passthrough_count; i++) {
        const struct conf_member *m = &aw->t->passthrough[i];
        for (size_t k = 0; k < sizeof fixed / sizeof fixed[0]; k++)
            if (str_eq(m->name, fixed[k]))
                return anthropic_refuse(aw, ERR_DEPLOYMENT_CONFIG, m->name,
                                        "The deployment sets %.*s in the request's body, which the "
                                        "gateway writes itself for this provider; remove it from "
                                        "litellm_params.",
                                        STR_ARG(m->name));
        TRY(put_own(aw, m->name, m->json));
    }
    return ERR_OK;
}

/* -- the call */

static enum err put_body(struct anthropic_write *aw)
{
    struct json_write *w = &aw->w;
    json_begin(w, &aw->body->own);
    json_obj(w, NULL);
    if (aw->t->vertex)
        json_strz(w, "anthropic_version", VERTEX_VERSION);
    if (!aw->t->vertex || aw->t->count) /* else it is in the URL */
        json_str(w, "model", aw->t->model);
    if (!aw->t->count && !anthropic_is_passed(aw, "max_tokens"))
        json_uint(w, "max_tokens", aw->max_tokens);
    TRY(anthropic_put_tools(aw));
    if (aw->turns.system)
        TRY(anthropic_put_blocks(aw, "system", aw->turns.system));
    TRY(put_messages(aw));
    TRY(anthropic_put_params(aw));
    TRY(put_output_config(aw));
    TRY(put_native(aw));
    TRY(put_passed(aw));
    if (aw->rq->stream && !aw->t->count)
        json_bool(w, "stream", true);
    json_end(w);
    return ERR_OK;
}

static void put_betas(const struct anthropic_write *aw, struct ir_call *call)
{
    if (aw->betas.len)
        call->headers[call->header_count++] =
            (struct call_header){ STR("anthropic-beta"), aw->betas };
}

static void put_head(const struct anthropic_write *aw, struct ir_call *call)
{
    bool stream = aw->rq->stream && !aw->t->count;
    if (aw->t->vertex) {
        call->suffix = stream ? STR(":streamRawPredict") : STR(":rawPredict");
        if (aw->t->count) /* Vertex AI docs, "Count tokens for Claude models", November 2026 */
            call->model = STR("count-tokens");
        put_betas(aw, call);
        return;
    }
    call->suffix = aw->t->count ? STR("/v1/messages/count_tokens") : STR("/v1/messages");
    call->headers[call->header_count++] =
        (struct call_header){ STR("anthropic-version"), STR(API_VERSION) };
    put_betas(aw, call);
}

static enum err write_parts(struct anthropic_write *aw)
{
    TRY(anthropic_check_params(aw));
    aw->output = anthropic_output(aw->rq, aw->t->facts, aw->a);
    TRY(anthropic_arrange(aw));
    TRY(anthropic_decide_limits(aw));
    TRY(anthropic_arrange_end(aw));
    limit_marks(aw);
    return put_body(aw);
}

static enum err write_request(const struct ir_request *rq, const struct dialect_target *t,
                              struct ir_report *report, struct arena *a, struct ir_call *ret_call,
                              struct fault *ret_fault)
{
    struct ir_call call = { 0 };
    struct anthropic_write aw = { .rq = rq, .t = t, .report = report, .a = a, .fault = ret_fault };
    struct buf unsent;
    struct json_write nowhere;
    segments_init(&call.body, BODY_MAX_BYTES);
    buf_init(&unsent, BODY_MAX_BYTES);
    json_begin(&nowhere, &unsent);
    json_obj(&nowhere, NULL);
    aw.body = &call.body;
    aw.answer = t->count ? &nowhere : &aw.w;
    enum err e = write_parts(&aw);
    buf_done(&unsent);
    if (!e && call.body.own.fail) {
        e = call.body.own.fail;
        *ret_fault = fault_of(e);
    }
    if (e) {
        segments_done(&call.body);
        return e;
    }
    put_head(&aw, &call);
    *ret_call = call;
    return ERR_OK;
}

const struct dialect dialect_anthropic_messages = {
    .name = "anthropic.messages",
    .origin = IR_FROM_ANTHROPIC,
    .reader_bytes = sizeof(struct anthropic_reader),
    .write_request = write_request,
    .read_count = count_read_anthropic,
    .reader_init = anthropic_reader_init,
    .read_answer = anthropic_read_answer,
    .end_answer = anthropic_end_answer,
    .reader_done = anthropic_reader_done,
};
