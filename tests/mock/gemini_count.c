/* countTokens: of a whole request in the Gemini API, of parts of one on Vertex AI (REST references, "countTokens", November 2026). */
#include "mock/gemini.h"
#include "mock/words.h"

#define WHOLE_MEMBERS                                                                              \
    "model contents systemInstruction tools toolConfig safetySettings generationConfig "           \
    "cachedContent labels continuationToken serviceTier store"

/* The request that is to be counted takes the place of the body. */
static bool whole_ok(struct request *rq, struct reply *rp)
{
    yyjson_val *inner = yyjson_obj_get(rq->json, "generateContentRequest");
    bool tuned = str_find(rq->path, STR("/tunedModels/")) != STR_NONE;
    struct str model = json_text(inner, "model");
    struct str want = arena_printf(rq->arena, "%s/%.*s", tuned ? "tunedModels" : "models",
                                   STR_ARG(rq->path_model));
    if (!gemini_members_ok(rq, rp, rq->json, "contents generateContentRequest", "request"))
        return false;
    if (!inner)
        return gemini_parts_ok(rq, rp);
    if (yyjson_obj_get(rq->json, "contents"))
        return google_bad(rq, rp, "contents and generate_content_request are mutually exclusive.");
    if (!gemini_members_ok(rq, rp, inner, WHOLE_MEMBERS, "generate_content_request"))
        return false;
    if (!str_eq(model, want))
        return google_bad(rq, rp, "generate_content_request.model: '%.*s' is not the model '%.*s'.",
                          STR_ARG(str_head(model, 80)), STR_ARG(str_head(want, 80)));
    rq->json = inner;
    return gemini_parts_ok(rq, rp);
}

static bool parts_ok(struct request *rq, struct reply *rp)
{
    return gemini_members_ok(rq, rp, rq->json, "contents systemInstruction tools generationConfig",
                             "request") &&
           gemini_parts_ok(rq, rp);
}

bool gemini_count(struct request *rq, struct reply *rp)
{
    if (!str_eq(rq->call, STR("countTokens")))
        return false;
    rp->content = false;
    if (!(rq->vertex ? parts_ok(rq, rp) : whole_ok(rq, rp)))
        return true;
    uint64_t n = prompt_tokens_of(yyjson_obj_get(rq->json, "contents")) +
                 prompt_tokens_of(yyjson_obj_get(rq->json, "systemInstruction")) +
                 prompt_tokens_of(yyjson_obj_get(rq->json, "tools"));
    struct buf *b = &rp->body;
    rp->type = STR("application/json; charset=UTF-8");
    buf_printf(b, "{\n  \"totalTokens\": %llu,\n", (unsigned long long)(n + rq->script.cached));
    if (rq->vertex)
        buf_printf(b, "  \"totalBillableCharacters\": %zu,\n", rq->body.len);
    else if (rq->script.cached)
        buf_printf(b, "  \"cachedContentTokenCount\": %llu,\n",
                   (unsigned long long)rq->script.cached);
    buf_printf(b,
               "  \"promptTokensDetails\": [{\"modality\": \"TEXT\", \"tokenCount\": %llu}]\n}\n",
               (unsigned long long)n);
    return true;
}
