/* Embeddings: batchEmbedContents and embedContent of the Gemini API, predict and embedContent of Vertex AI.
 *
 * A vector has 16 dimensions of +-0.25, its signs made of the text, so that it has length 1; one with other dimensions
 * has another length, as Google's. */
#include "mock/gemini.h"
#include "mock/words.h"

#define DIMENSIONS 16
#define DIMENSIONS_MAX 3072
#define BATCH_MAX 100
#define INSTANCES_MAX 250
#define INPUT_TOKENS_MAX 2048

static const char task_types[] =
    "TASK_TYPE_UNSPECIFIED RETRIEVAL_QUERY RETRIEVAL_DOCUMENT SEMANTIC_SIMILARITY CLASSIFICATION "
    "CLUSTERING QUESTION_ANSWERING FACT_VERIFICATION CODE_RETRIEVAL_QUERY";

struct input {
    struct str text;
    uint64_t dimensions;
};

static void put_values(struct buf *b, const struct input *in)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < in->text.len; i++)
        hash = (hash ^ (unsigned char)in->text.p[i]) * 0x100000001b3;
    buf_putz(b, "\"values\": [");
    for (uint64_t i = 0; i < in->dimensions; i++)
        buf_printf(b, "%s%s0.25", i ? ", " : "", hash >> (i % 64) & 1 ? "-" : "");
    buf_putc(b, ']');
}

/* -- what is checked */

static bool dimensions_ok(struct request *rq, struct reply *rp, yyjson_val *v, uint64_t *ret)
{
    *ret = v ? yyjson_get_uint(v) : DIMENSIONS;
    if (!v || (yyjson_is_uint(v) && *ret >= 1 && *ret <= DIMENSIONS_MAX))
        return true;
    return google_bad(rq, rp, "output_dimensionality must be an integer from 1 to %d.",
                      DIMENSIONS_MAX);
}

static bool task_ok(struct request *rq, struct reply *rp, yyjson_val *object, const char *name)
{
    struct str task = json_text(object, name);
    if (yyjson_obj_get(object, name) && !gemini_word_in(task_types, task))
        return google_bad(rq, rp, "Invalid value at 'task_type' (TaskType), \"%.*s\"",
                          STR_ARG(str_head(task, 80)));
    if (yyjson_obj_get(object, "title") && !str_eq(task, STR("RETRIEVAL_DOCUMENT")))
        return google_bad(rq, rp,
                          "The `title` field is only valid with the RETRIEVAL_DOCUMENT task type.");
    return true;
}

static bool content_ok(struct request *rq, struct reply *rp, yyjson_val *content,
                       struct str *ret_text)
{
    yyjson_val *parts = yyjson_obj_get(content, "parts");
    yyjson_arr_iter it = yyjson_arr_iter_with(parts);
    *ret_text = STR("");
    if (!gemini_members_ok(rq, rp, content, "role parts", "content"))
        return false;
    if (yyjson_arr_size(parts) == 0)
        return google_bad(rq, rp, "content is required: its parts must not be empty.");
    for (yyjson_val *part; (part = yyjson_arr_iter_next(&it));) {
        if (!gemini_members_ok(rq, rp, part, "text", "content.parts[0]"))
            return false;
        if (json_text(part, "text").len == 0)
            return google_bad(rq, rp, "EmbedContentRequest.content contains an empty Part.");
        *ret_text = arena_printf(rq->arena, "%.*s%.*s", STR_ARG(*ret_text),
                                 STR_ARG(json_text(part, "text")));
    }
    return true;
}

static bool length_ok(struct request *rq, struct reply *rp, struct str text, bool truncate)
{
    uint64_t n = token_count(text);
    rp->prompt_tokens += n < INPUT_TOKENS_MAX ? n : INPUT_TOKENS_MAX;
    if (n <= INPUT_TOKENS_MAX || truncate)
        return true;
    return google_bad(rq, rp,
                      "Unable to submit request because the input token count is %llu but the "
                      "model supports up to %d.",
                      (unsigned long long)n, INPUT_TOKENS_MAX);
}

static bool is_second(const struct request *rq)
{
    return str_starts(rq->model, STR("gemini-embedding-2"));
}

/* -- the Gemini API */

static bool one_ok(struct request *rq, struct reply *rp, yyjson_val *one, bool batch,
                   struct input *ret)
{
    struct str name = json_text(one, "model");
    if (!gemini_members_ok(rq, rp, one, "model content taskType title outputDimensionality",
                           batch ? "requests[0]" : "request"))
        return false;
    if (batch && !str_eq(name, arena_printf(rq->arena, "models/%.*s", STR_ARG(rq->model))))
        return google_bad(rq, rp,
                          "BatchEmbedContentsRequest.requests[0].model: unexpected model name "
                          "format, or another model than that of the batch.");
    return task_ok(rq, rp, one, "taskType") &&
           dimensions_ok(rq, rp, yyjson_obj_get(one, "outputDimensionality"), &ret->dimensions) &&
           content_ok(rq, rp, yyjson_obj_get(one, "content"), &ret->text) &&
           length_ok(rq, rp, ret->text, true);
}

/* Counts are told by the second generation alone. */
static void put_usage(const struct request *rq, const struct reply *rp, struct buf *b)
{
    if (is_second(rq))
        buf_printf(b, ", \"usageMetadata\": {\"promptTokenCount\": %llu}",
                   (unsigned long long)rp->prompt_tokens);
}

static void embed_batch(struct request *rq, struct reply *rp)
{
    yyjson_val *list = yyjson_obj_get(rq->json, "requests");
    size_t n = yyjson_arr_size(list);
    struct input in[BATCH_MAX];
    if (!gemini_members_ok(rq, rp, rq->json, "requests", "request"))
        return;
    if (n == 0 || n > BATCH_MAX) {
        google_error(rq, rp, 400, "INVALID_ARGUMENT",
                     n ? "* BatchEmbedContentsRequest.requests: at most 100 requests can be in one "
                         "batch"
                       : "* BatchEmbedContentsRequest.requests: must not be empty");
        return;
    }
    for (size_t i = 0; i < n; i++)
        if (!one_ok(rq, rp, yyjson_arr_get(list, i), true, &in[i]))
            return;
    buf_putz(&rp->body, "{\n  \"embeddings\": [");
    for (size_t i = 0; i < n; i++) {
        buf_putz(&rp->body, i ? ", {" : "{");
        put_values(&rp->body, &in[i]);
        buf_putc(&rp->body, '}');
    }
    buf_putc(&rp->body, ']');
    put_usage(rq, rp, &rp->body);
    buf_putz(&rp->body, "\n}\n");
}

static void embed_one(struct request *rq, struct reply *rp)
{
    struct input in;
    if (!one_ok(rq, rp, rq->json, false, &in))
        return;
    buf_putz(&rp->body, "{\n  \"embedding\": {");
    put_values(&rp->body, &in);
    buf_putc(&rp->body, '}');
    put_usage(rq, rp, &rp->body);
    buf_putz(&rp->body, "\n}\n");
}

/* -- Vertex AI */

static bool instances_ok(struct request *rq, struct reply *rp, size_t n)
{
    bool single = str_starts(rq->model, STR("gemini-embedding-001"));
    if (n == 0)
        return google_bad(rq, rp, "Empty instances.");
    if (single && n > 1)
        return google_bad(rq, rp, "1 instance(s) is allowed per prediction. Actual: %zu", n);
    return n <= INSTANCES_MAX ||
           google_bad(rq, rp, "250 instance(s) is allowed per prediction. Actual: %zu", n);
}

static void predict(struct request *rq, struct reply *rp)
{
    yyjson_val *list = yyjson_obj_get(rq->json, "instances"),
               *parameters = yyjson_obj_get(rq->json, "parameters");
    bool truncate = !yyjson_is_false(yyjson_obj_get(parameters, "autoTruncate"));
    size_t n = yyjson_arr_size(list);
    struct input in[INSTANCES_MAX];
    uint64_t dimensions;
    if (!gemini_members_ok(rq, rp, rq->json, "instances parameters labels", "request") ||
        !gemini_members_ok(rq, rp, parameters, "autoTruncate outputDimensionality", "parameters") ||
        !dimensions_ok(rq, rp, yyjson_obj_get(parameters, "outputDimensionality"), &dimensions) ||
        !instances_ok(rq, rp, n))
        return;
    for (size_t i = 0; i < n; i++) {
        yyjson_val *one = yyjson_arr_get(list, i);
        in[i] = (struct input){ .text = json_text(one, "content"), .dimensions = dimensions };
        if (!gemini_members_ok(rq, rp, one, "content task_type title", "instances[0]") ||
            !task_ok(rq, rp, one, "task_type"))
            return;
        if (in[i].text.len == 0) {
            google_error(rq, rp, 400, "INVALID_ARGUMENT", "The text content is empty.");
            return;
        }
        if (!length_ok(rq, rp, in[i].text, truncate))
            return;
    }
    buf_putz(&rp->body, "{\n  \"predictions\": [");
    for (size_t i = 0; i < n; i++) {
        uint64_t tokens = token_count(in[i].text);
        buf_putz(&rp->body, i ? ", {\"embeddings\": {" : "{\"embeddings\": {");
        put_values(&rp->body, &in[i]);
        buf_printf(&rp->body, ", \"statistics\": {\"truncated\": %s, \"token_count\": %llu}}}",
                   tokens > INPUT_TOKENS_MAX ? "true" : "false", (unsigned long long)tokens);
    }
    buf_putz(&rp->body, "],\n  \"metadata\": {\"billableCharacterCount\": 1}\n}\n");
}

static void embed_vertex(struct request *rq, struct reply *rp)
{
    yyjson_val *config = yyjson_obj_get(rq->json, "embedContentConfig");
    bool truncate = !yyjson_is_false(yyjson_obj_get(config, "autoTruncate"));
    struct input in;
    if (!gemini_members_ok(rq, rp, rq->json, "content embedContentConfig", "request") ||
        !gemini_members_ok(rq, rp, config, "taskType title outputDimensionality autoTruncate",
                           "embed_content_config") ||
        !task_ok(rq, rp, config, "taskType") ||
        !dimensions_ok(rq, rp, yyjson_obj_get(config, "outputDimensionality"), &in.dimensions) ||
        !content_ok(rq, rp, yyjson_obj_get(rq->json, "content"), &in.text) ||
        !length_ok(rq, rp, in.text, truncate))
        return;
    buf_putz(&rp->body, "{\n  \"embedding\": {");
    put_values(&rp->body, &in);
    buf_printf(&rp->body, "}, \"usageMetadata\": {\"promptTokenCount\": %llu}\n}\n",
               (unsigned long long)rp->prompt_tokens);
}

bool gemini_embed(struct request *rq, struct reply *rp)
{
    static const struct {
        const char *call;
        bool vertex, old, second; /* whose models: gemini-embedding-2 and later, or those before */
        void (*run)(struct request *rq, struct reply *rp);
    } rows[] = {
        { "batchEmbedContents", false, true, true, embed_batch },
        { "embedContent", false, true, true, embed_one },
        { "predict", true, true, false, predict },
        { "embedContent", true, false, true, embed_vertex },
    };
    bool embeds = str_find(rq->model, STR("embedding")) != STR_NONE;
    bool known = false;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!str_eq(rq->call, str_c(rows[i].call)))
            continue;
        known = true;
        if (!embeds || rows[i].vertex != rq->vertex ||
            !(is_second(rq) ? rows[i].second : rows[i].old))
            continue;
        rp->type = STR("application/json; charset=UTF-8");
        if (rq->json)
            rows[i].run(rq, rp);
        else
            google_error(rq, rp, 400, "INVALID_ARGUMENT", "Invalid JSON payload received.");
        return true;
    }
    if (known)
        google_error(rq, rp, 404, "NOT_FOUND",
                     "models/%.*s is not found for API version v1beta, or is not supported for "
                     "%.*s.",
                     STR_ARG(str_head(rq->model, 80)), STR_ARG(rq->call));
    return known;
}
