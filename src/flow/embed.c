#include "flow/embed.h"

#include "base/mem.h"
#include "dialect/embed.h"
#include "flow/flow_priv.h"

#define BODY_MAX (64 * MIB)

struct embedding {
    struct ir_embed rq;
    enum embed_api api;
    struct embed_answer answer;
    size_t first, batch; /* inputs [first, first + batch) are under way */
    struct segments body;
    bool writing; /* body is in use */
};

static enum err begin(struct flow *f)
{
    struct embedding *em = ARENA_NEW(f->arena, struct embedding);
    f->at.em = em;
    f->at.report = report_new(f);
    TRY(embed_read_openai(edited_body(f), f->arena, &em->rq, &f->fault));
    em->api = embed_api_of(f->pick.upstream_model, f->pick.endpoint->provider->url == URL_VERTEX);
    embed_answer_init(&em->answer, &em->rq, f->arena);
    return ERR_OK;
}

enum err embed_request(struct flow *f, struct str *ret_suffix, const struct str **ret_body,
                       size_t *ret_count)
{
    if (!f->at.em)
        TRY(begin(f));
    struct embedding *em = f->at.em;
    if (em->writing)
        segments_done(&em->body);
    em->batch = embed_plan(&em->rq, em->api, f->pick.upstream_model, em->first);
    segments_init(&em->body, BODY_MAX);
    em->writing = true;
    TRY(embed_write_gemini(&em->rq, em->api, f->pick.upstream_model, em->first, em->batch,
                           f->at.report, &em->body, &f->fault));
    *ret_suffix = embed_suffix(em->api);
    if (segments_finish(&em->body, f->arena, ret_body, ret_count))
        return fault_set(&f->fault, ERR_TOO_LARGE, f->arena,
                         "The translated request is too large.");
    return ERR_OK;
}

enum err embed_take(struct flow *f, struct str body, bool *ret_more, const char **ret_what)
{
    struct embedding *em = f->at.em;
    *ret_what = "the answer is not a list of embeddings";
    TRY(embed_read_gemini(&em->answer, &em->rq, em->api, em->batch, body, f->arena, ret_what));
    em->first += em->batch;
    *ret_more = em->first < em->rq.count;
    return ERR_OK;
}

void embed_finish(struct flow *f, struct buf *out)
{
    struct embedding *em = f->at.em;
    f->at.usage = embed_usage(&em->rq, &em->answer);
    embed_write_openai(&em->rq, &em->answer, f->rq.model_json, out);
}

void embed_done(struct embedding *em)
{
    if (em && em->writing)
        segments_done(&em->body);
}
