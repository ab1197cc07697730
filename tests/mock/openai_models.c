/* GET /models, GET /models/{id}, POST /embeddings. */
#include "mock/reply.h"
#include "mock/words.h"

#define DIMENSIONS 16
#define DIMENSIONS_MAX 4096

static const char *const models[] = { "gpt-4.1", "gpt-4.1-mini", "gpt-5.2",
                                      "text-embedding-3-small" };

static void put_model(struct buf *b, struct str id)
{
    buf_putz(b, "{\"id\":");
    put_json(b, id);
    buf_putz(b, ",\"object\":\"model\",\"created\":1765000000,\"owned_by\":\"mock\"}");
}

void openai_models(struct mock *m, struct request *rq, struct reply *rp)
{
    rp->content = false;
    buf_putz(&rp->body, "{\"object\":\"list\",\"data\":[");
    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        if (i > 0)
            buf_putc(&rp->body, ',');
        put_model(&rp->body, str_c(models[i]));
    }
    buf_putz(&rp->body, "]}\n");
}

void openai_model(struct mock *m, struct request *rq, struct reply *rp)
{
    rp->content = false;
    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++)
        if (str_eq(str_c(models[i]), rq->path_model)) {
            put_model(&rp->body, rq->path_model);
            return;
        }
    reply_error(rp, 404, "invalid_request_error", "model", "model_not_found",
                "The model '%.*s' does not exist", STR_ARG(rq->path_model));
}

/* -- embeddings */

static void put_vector(struct buf *b, uint64_t index, uint64_t dimensions, bool base64)
{
    float v[DIMENSIONS_MAX];
    for (uint64_t i = 0; i < dimensions; i++)
        v[i] = (float)((int)((index * 131 + i * 37) % 201) - 100) / 128.0f; /* exact in binary */
    if (base64) {
        buf_putc(b, '"');
        put_base64(b, v, dimensions * sizeof(v[0]));
        buf_putc(b, '"');
        return;
    }
    buf_putc(b, '[');
    for (uint64_t i = 0; i < dimensions; i++)
        buf_printf(b, "%s%.7g", i ? "," : "", (double)v[i]);
    buf_putc(b, ']');
}

/* A string, token ids, or a list of either; 0: not valid. */
static uint64_t input_count(yyjson_val *input)
{
    if (yyjson_is_str(input))
        return yyjson_get_len(input) > 0;
    yyjson_val *first = yyjson_arr_get_first(input);
    return yyjson_is_num(first) ? 1 : yyjson_arr_size(input);
}

void openai_embeddings(struct mock *m, struct request *rq, struct reply *rp)
{
    yyjson_val *input = yyjson_obj_get(rq->json, "input");
    yyjson_val *wanted = yyjson_obj_get(rq->json, "dimensions");
    struct str encoding = json_text(rq->json, "encoding_format");
    uint64_t n = input_count(input), tokens = prompt_tokens_of(input);
    uint64_t dimensions = yyjson_is_uint(wanted) ? yyjson_get_uint(wanted) : DIMENSIONS;
    if (n == 0 || n > 2048 || dimensions == 0 || dimensions > DIMENSIONS_MAX ||
        rq->model.len == 0) {
        reply_error(rp, 400, "invalid_request_error", n == 0 || n > 2048 ? "input" : "dimensions",
                    NULL, "The embedding request is not valid.");
        return;
    }
    struct buf *b = &rp->body;
    buf_putz(b, "{\n  \"object\": \"list\",\n  \"data\": [");
    for (uint64_t i = 0; i < n; i++) {
        buf_printf(b,
                   "%s\n    {\n      \"object\": \"embedding\",\n      \"index\": %llu,\n"
                   "      \"embedding\": ",
                   i ? "," : "", (unsigned long long)i);
        put_vector(b, i, dimensions, str_eq(encoding, STR("base64")));
        buf_putz(b, "\n    }");
    }
    buf_putz(b, "\n  ],\n  \"model\": ");
    put_json(b, rq->model);
    buf_printf(
        b, ",\n  \"usage\": {\n    \"prompt_tokens\": %llu,\n    \"total_tokens\": %llu\n  }\n}\n",
        (unsigned long long)tokens, (unsigned long long)tokens);
    rp->prompt_tokens = tokens;
}
