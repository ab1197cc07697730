/* A request of generateContent: its top-level members, in the order of the Gemini API reference,
 * August 2026. The model and the method are in the URL. */
#include "dialect/gemini_priv.h"

#include "base/mem.h"

#define BODY_MAX_BYTES (256 * MIB)

static const struct str json_words = STR_INIT(
    "Answer with one JSON value only: no other text before or after it, and no code fence.");

enum err gemini_refuse(struct gemini_write *g, enum err e, struct str param, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str text = arena_vprintf(g->a, fmt, ap);
    va_end(ap);
    fault_set(g->fault, e, g->a, "%.*s", STR_ARG(text));
    g->fault->param = param;
    return e;
}

enum err gemini_report_cuts(struct gemini_write *g, const struct gemini_cuts *cuts,
                            const char *member)
{
    for (size_t i = 0; i < cuts->count; i++)
        TRY(ir_degrade(g->report, arena_printf(g->a, "schema(%s)", cuts->names[i]).p, member,
                       g->fault));
    return ERR_OK;
}

/* -- contents */

static bool has_system(const struct gemini_write *g)
{
    return g->turns.system || g->instruct;
}

static enum err put_system_parts(struct gemini_write *g)
{
    for (const struct gemini_block *b = g->turns.system; b; b = b->next)
        TRY(gemini_put_block(g, b));
    if (!g->instruct)
        return ERR_OK;
    struct str words = json_words;
    if (g->rq->schema.len)
        words = arena_printf(g->a, "%.*s It must be valid against this JSON Schema: %.*s",
                             STR_ARG(json_words), STR_ARG(gemini_compact(g->rq->schema, g->a)));
    json_obj(&g->w, NULL);
    json_str(&g->w, "text", words);
    json_end(&g->w);
    return ERR_OK;
}

static enum err put_turn(struct gemini_write *g, const struct gemini_turn *t)
{
    json_obj(&g->w, NULL);
    json_strz(&g->w, "role", t->model ? "model" : "user");
    json_arr(&g->w, "parts");
    if (t == g->turns.first && g->t->facts->no_system && has_system(g)) {
        TRY(put_system_parts(g)); /* the first turn is the user's */
        TRY(ir_degrade(g->report, "system_position", "messages", g->fault));
    }
    for (const struct gemini_block *b = t->blocks; b; b = b->next)
        TRY(gemini_put_block(g, b));
    json_end(&g->w);
    json_end(&g->w);
    return ERR_OK;
}

static enum err put_contents(struct gemini_write *g)
{
    json_arr(&g->w, "contents");
    for (const struct gemini_turn *t = g->turns.first; t; t = t->next)
        TRY(put_turn(g, t));
    json_end(&g->w);
    return ERR_OK;
}

static enum err put_system(struct gemini_write *g)
{
    if (!has_system(g) || g->t->facts->no_system)
        return ERR_OK;
    json_obj(&g->w, "systemInstruction");
    json_arr(&g->w, "parts");
    TRY(put_system_parts(g));
    json_end(&g->w);
    json_end(&g->w);
    return ERR_OK;
}

/* -- the rest */

/* What a count on Vertex AI does not take has no weight, but for a cache's content. */
static enum err lose_uncounted(struct gemini_write *g)
{
    return g->cached.len || gemini_own(g, "cachedContent")
               ? ir_lose(g->report, "cached_content", "cached_content", g->fault)
               : ERR_OK;
}

/* What the deployment's configuration says about Gemini's own members replaces the caller's. */
static void put_own(struct gemini_write *g)
{
    /* tools and toolConfig: gemini_put_tools; contents and systemInstruction are the caller's alone. */
    static const struct str ours[] = { STR_INIT("contents"), STR_INIT("generationConfig"),
                                       STR_INIT("tools"), STR_INIT("toolConfig"),
                                       STR_INIT("systemInstruction") };
    if (g->safety.len && !gemini_own(g, "safetySettings"))
        segments_raw(g->body, &g->w, "safetySettings", g->safety);
    if (g->cached.len && !gemini_own(g, "cachedContent"))
        json_raw(&g->w, "cachedContent", g->cached);
    if (g->labels.len && !gemini_own(g, "labels"))
        json_raw(&g->w, "labels", g->labels);
    for (size_t i = 0; i < g->t->passthrough_count; i++) {
        const struct conf_member *m = &g->t->passthrough[i];
        struct str name = gemini_camel(m->name, g->a);
        bool skip =
            gemini_own(g, arena_cstr(g->a, name)) != m; /* written twice: the first counts */
        for (size_t k = 0; k < sizeof ours / sizeof ours[0]; k++)
            skip |= str_eq(name, ours[k]);
        if (skip)
            continue;
        json_name(&g->w, name);
        segments_raw(g->body, &g->w, NULL, m->json);
    }
}

/* The Developer API has a member, Vertex AI a header (SDK converters, August 2026). */
static void put_tier(struct gemini_write *g, struct ir_call *call)
{
    struct str tier = g->rq->service_tier;
    if (!str_eq(tier, STR("flex")) && !str_eq(tier, STR("priority")))
        return;
    if (g->t->vertex)
        call->headers[call->header_count++] =
            (struct call_header){ STR("X-Vertex-AI-LLM-Shared-Request-Type"), tier };
    else if (!gemini_own(g, "serviceTier"))
        json_str(&g->w, "serviceTier", tier);
}

/* The name of a request's model in its body, as the path has it: "models/gemini-2.5-flash". */
static void put_model(struct gemini_write *g)
{
    struct str model = g->t->model;
    bool whole = str_starts(model, STR("models/")) || str_starts(model, STR("tunedModels/"));
    json_str(&g->w, "model", whole ? model : arena_printf(g->a, "models/%.*s", STR_ARG(model)));
}

static enum err put_members(struct gemini_write *g, struct ir_call *call)
{
    TRY(put_contents(g));
    TRY(put_system(g));
    TRY(gemini_put_tools(g));
    TRY(gemini_put_config(g));
    if (gemini_counts_parts(g->t))
        return lose_uncounted(g);
    put_tier(g, call);
    put_own(g);
    return ERR_OK;
}

static enum err write_body(struct gemini_write *g, struct ir_call *call)
{
    bool inner = g->t->count && !g->t->vertex; /* CountTokensRequest.generateContentRequest */
    TRY(gemini_check_params(g));
    TRY(gemini_plan_tools(g));
    TRY(gemini_plan_output(g));
    TRY(gemini_arrange(g));
    json_begin(&g->w, &g->body->own);
    json_obj(&g->w, NULL);
    if (inner) {
        json_obj(&g->w, "generateContentRequest");
        put_model(g);
    }
    TRY(put_members(g, call));
    if (inner)
        json_end(&g->w);
    json_end(&g->w);
    return g->body->own.fail;
}

static struct ir_call call_of(const struct ir_request *rq, const struct dialect_target *t)
{
    if (t->count)
        return (struct ir_call){ .suffix = STR(":countTokens") };
    if (rq->stream)
        return (struct ir_call){ .suffix = STR(":streamGenerateContent"), .query = STR("alt=sse") };
    return (struct ir_call){ .suffix = STR(":generateContent") };
}

enum err gemini_write_request(const struct ir_request *rq, const struct dialect_target *t,
                              struct ir_report *report, struct arena *a, struct ir_call *ret_call,
                              struct fault *ret_fault)
{
    struct ir_call call = call_of(rq, t);
    struct fault fault = fault_of(ERR_INTERNAL);
    struct gemini_write g = { .rq = rq, .t = t, .report = report, .a = a, .fault = &fault };
    segments_init(&call.body, BODY_MAX_BYTES);
    g.body = &call.body;
    enum err e = write_body(&g, &call);
    if (e) {
        segments_done(&call.body);
        if (fault.err != e)
            fault_set(&fault, e, a, "%s", err_text(e));
        *ret_fault = fault;
        return e;
    }
    *ret_call = call;
    return ERR_OK;
}
