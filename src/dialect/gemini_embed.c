/* OpenAI's embeddings in front of Gemini's; see embed.h. */
#include "dialect/embed.h"
#include "wire/base64.h"
#include "wire/json_scan.h"

#include <math.h>

#define DIMENSIONS_MAX 65536

/* -- the client's request: OpenAI's API reference, "Create embeddings" */

enum { E_MODEL, E_INPUT, E_DIMENSIONS, E_FORMAT, E_USER, E_TASK, E_INPUT_TYPE, E_TITLE, E_COUNT };

static const struct str names[E_COUNT] = {
    STR_INIT("model"), STR_INIT("input"),     STR_INIT("dimensions"), STR_INIT("encoding_format"),
    STR_INIT("user"),  STR_INIT("task_type"), STR_INIT("input_type"), STR_INIT("title"),
};

static enum err bad(struct fault *f, struct arena *a, const char *member, const char *what)
{
    fault_set(f, ERR_BAD_REQUEST, a, "%s %s", member, what);
    f->param = str_c(member);
    return ERR_BAD_REQUEST;
}

static enum err read_input(struct str value, struct arena *a, struct ir_embed *rq, struct fault *f)
{
    enum json_type type = json_type_of(value);
    struct json_iter it = json_iter(value);
    size_t n = type == JSON_STRING;
    if (type != JSON_STRING && type != JSON_ARRAY)
        return bad(f, a, "input", "must be a string or an array of strings");
    while (json_next(&it)) {
        if (n == 0 && (it.type == JSON_NUMBER || it.type == JSON_ARRAY))
            return bad(f, a, "input",
                       "holds token ids, which belong to OpenAI's tokenizer and mean nothing to "
                       "this model; send the text itself");
        if (it.type != JSON_STRING)
            return bad(
                f, a, "input",
                arena_printf(a, "must be a string or an array of strings; element %zu is no string",
                             n)
                    .p);
        if (++n > EMBED_INPUTS_MAX)
            return bad(f, a, "input", "has more than 2048 elements; send several requests");
    }
    if (n == 0)
        return bad(f, a, "input", "is an empty array; it must hold at least one text");
    struct str *list = ARENA_ARRAY(a, struct str, n);
    list[0] = value;
    it = json_iter(value);
    for (size_t i = 0; json_next(&it); i++)
        list[i] = it.value;
    for (size_t i = 0; i < n; i++)
        if (list[i].len <= 2)
            return bad(f, a, "input",
                       "holds an empty string; every text must have at least one character");
    rq->inputs = list;
    rq->count = n;
    return ERR_OK;
}

static enum err read_format(struct str value, struct arena *a, struct ir_embed *rq, struct fault *f)
{
    rq->base64 = json_str_eq(value, STR("base64"));
    if (value.len && !rq->base64 && !json_str_eq(value, STR("float")))
        return bad(f, a, "encoding_format", "must be float or base64");
    return ERR_OK;
}

static struct ir_ext *read_rest(struct str body, struct arena *a)
{
    struct ir_ext *first = NULL, **tail = &first;
    struct json_iter it = json_iter(body);
    while (json_next(&it)) {
        struct str name = json_unescape(str_of(it.name.p - 1, it.name.len + 2), a);
        size_t i = 0;
        while (i < E_COUNT && !str_eq(name, names[i]))
            i++;
        if (i < E_COUNT || it.type == JSON_NULL)
            continue;
        struct ir_ext *x = ARENA_NEW(a, struct ir_ext);
        *x = (struct ir_ext){ .name = name, .raw = it.value };
        IR_APPEND(tail, x);
    }
    return first;
}

enum err embed_read_openai(struct str body, struct arena *a, struct ir_embed *ret_rq,
                           struct fault *f)
{
    struct json_member m[E_COUNT];
    struct json_problem problem;
    struct ir_embed rq = { 0 };
    struct str v[E_COUNT];
    uint64_t n;
    enum err e = json_scan_object(body, names, E_COUNT, m, NULL, &problem);
    if (e)
        return fault_set(f, e, a, "The request body is not a valid JSON object: %s at byte %zu.",
                         problem.what, problem.at);
    for (size_t i = 0; i < E_COUNT; i++)
        v[i] = m[i].type == JSON_NULL ? str_of(NULL, 0) : json_value(body, &m[i]);
    if (json_type_of(v[E_MODEL]) != JSON_STRING)
        return bad(f, a, "model", "must be a string");
    rq.model = json_unescape(v[E_MODEL], a);
    TRY(read_input(v[E_INPUT], a, &rq, f));
    TRY(read_format(v[E_FORMAT], a, &rq, f));
    if (v[E_DIMENSIONS].len) {
        if (!json_u64(v[E_DIMENSIONS], &n) || n < 1 || n > DIMENSIONS_MAX)
            return bad(f, a, "dimensions", "must be an integer from 1 to 65536");
        rq.dimensions = (uint32_t)n;
    }
    for (size_t i = E_USER; i < E_COUNT; i++)
        if (v[i].len && json_type_of(v[i]) != JSON_STRING)
            return bad(f, a, names[i].p, "must be a string");
    rq.user = v[E_USER];
    rq.task = json_unescape(v[E_TASK].len ? v[E_TASK] : v[E_INPUT_TYPE], a);
    rq.title = v[E_TITLE];
    rq.ext = read_rest(body, a);
    *ret_rq = rq;
    return ERR_OK;
}

/* -- batches */

static struct str base_name(struct str model)
{
    for (size_t i = model.len; i > 0; i--)
        if (model.p[i - 1] == '/')
            return str_skip(model, i);
    return model;
}

enum embed_api embed_api_of(struct str model, bool vertex)
{
    if (!vertex)
        return EMBED_GAPI;
    return str_starts(base_name(model), STR("gemini-embedding-2")) ? EMBED_VERTEX_CONTENT
                                                                   : EMBED_VERTEX;
}

struct str embed_suffix(enum embed_api api)
{
    switch (api) {
    case EMBED_GAPI: return STR(":batchEmbedContents");
    case EMBED_VERTEX: return STR(":predict");
    case EMBED_VERTEX_CONTENT: break;
    }
    return STR(":embedContent");
}

size_t embed_batch_max(enum embed_api api, struct str model)
{
    switch (api) {
    case EMBED_GAPI: return 100;
    case EMBED_VERTEX: return str_starts(base_name(model), STR("gemini-embedding-001")) ? 1 : 250;
    case EMBED_VERTEX_CONTENT: break;
    }
    return 1;
}

size_t embed_plan(const struct ir_embed *rq, enum embed_api api, struct str model, size_t first)
{
    size_t most = embed_batch_max(api, model), left = first < rq->count ? rq->count - first : 0;
    return left < most ? left : most;
}

/* -- the provider's request */

static void put_content(struct segments *s, struct json_write *w, struct str text)
{
    json_obj(w, "content");
    json_arr(w, "parts");
    json_obj(w, NULL);
    segments_raw(s, w, "text", text);
    json_end(w);
    json_end(w);
    json_end(w);
}

static void put_gapi(const struct ir_embed *rq, struct str name, size_t first, size_t count,
                     struct segments *s, struct json_write *w)
{
    json_arr(w, "requests");
    for (size_t i = first; i < first + count; i++) {
        json_obj(w, NULL);
        json_str(w, "model", name); /* each one names it, as a resource */
        put_content(s, w, rq->inputs[i]);
        if (rq->task.len)
            json_str(w, "taskType", rq->task);
        if (rq->title.len)
            json_raw(w, "title", rq->title);
        if (rq->dimensions)
            json_uint(w, "outputDimensionality", rq->dimensions);
        json_end(w);
    }
    json_end(w);
}

static void put_vertex(const struct ir_embed *rq, size_t first, size_t count, struct segments *s,
                       struct json_write *w)
{
    json_arr(w, "instances");
    for (size_t i = first; i < first + count; i++) {
        json_obj(w, NULL);
        segments_raw(s, w, "content", rq->inputs[i]);
        if (rq->task.len)
            json_str(w, "task_type", rq->task);
        if (rq->title.len)
            json_raw(w, "title", rq->title);
        json_end(w);
    }
    json_end(w);
    json_obj(w, "parameters");
    json_bool(w, "autoTruncate",
              false); /* a text that is too long is an error, as it is at OpenAI */
    if (rq->dimensions)
        json_uint(w, "outputDimensionality", rq->dimensions);
    json_end(w);
}

static void put_vertex_content(const struct ir_embed *rq, size_t first, struct segments *s,
                               struct json_write *w)
{
    put_content(s, w, rq->inputs[first]);
    json_obj(w, "embedContentConfig");
    json_bool(w, "autoTruncate", false);
    if (rq->task.len)
        json_str(w, "taskType", rq->task);
    if (rq->title.len)
        json_raw(w, "title", rq->title);
    if (rq->dimensions)
        json_uint(w, "outputDimensionality", rq->dimensions);
    json_end(w);
}

static enum err lose_members(const struct ir_embed *rq, struct ir_report *report, struct fault *f)
{
    if (rq->user.len)
        TRY(ir_lose(report, "user", "user", f));
    for (const struct ir_ext *x = rq->ext; x; x = x->next) {
        const char *name = arena_dup(report->arena, x->name).p;
        bool known = str_eq(x->name, STR("metadata"));
        TRY(ir_lose(report,
                    known ? name : arena_printf(report->arena, "unknown(%.*s)", STR_ARG(x->name)).p,
                    name, f));
    }
    return ERR_OK;
}

enum err embed_write_gemini(const struct ir_embed *rq, enum embed_api api, struct str model,
                            size_t first, size_t count, struct ir_report *report,
                            struct segments *body, struct fault *f)
{
    struct json_write w;
    struct str name = arena_printf(report->arena, "models/%.*s", STR_ARG(base_name(model)));
    TRY(lose_members(rq, report, f));
    json_begin(&w, &body->own);
    json_obj(&w, NULL);
    switch (api) {
    case EMBED_GAPI: put_gapi(rq, name, first, count, body, &w); break;
    case EMBED_VERTEX: put_vertex(rq, first, count, body, &w); break;
    case EMBED_VERTEX_CONTENT: put_vertex_content(rq, first, body, &w); break;
    }
    json_end(&w);
    if (body->own.fail)
        *f = fault_of(body->own.fail);
    return body->own.fail;
}

/* -- the provider's answer */

void embed_answer_init(struct embed_answer *ans, const struct ir_embed *rq, struct arena *a)
{
    *ans = (struct embed_answer){ .vectors = ARENA_ARRAY(a, struct embed_vector, rq->count) };
}

static enum err read_values(struct embed_answer *ans, const struct ir_embed *rq, struct str values,
                            struct arena *a, const char **ret_what)
{
    struct embed_vector *v = &ans->vectors[ans->count];
    struct json_iter it = json_iter(values);
    size_t n = 0;
    *ret_what = "an embedding is not an array of numbers";
    if (json_type_of(values) != JSON_ARRAY)
        return ERR_UPSTREAM_BAD;
    while (json_next(&it))
        n++;
    v->values = ARENA_ARRAY(a, double, n + 1);
    v->raw = ARENA_ARRAY(a, struct str, n + 1);
    it = json_iter(values);
    for (size_t i = 0; json_next(&it); i++) {
        if (!json_double(it.value, &v->values[i]))
            return ERR_UPSTREAM_BAD;
        v->raw[i] = it.value;
    }
    v->count = n;
    if (n == 0)
        return ERR_UPSTREAM_BAD;
    *ret_what = "an embedding has another number of dimensions than was asked for";
    if (rq->dimensions && n != rq->dimensions)
        return ERR_UPSTREAM_BAD;
    ans->count++;
    return ERR_OK;
}

static void count_tokens(struct embed_answer *ans, struct str number)
{
    uint64_t n;
    if (!json_u64(number, &n) || n > UINT64_MAX / 2 - ans->tokens)
        return;
    ans->tokens += n;
    ans->counted = true;
}

enum err embed_read_gemini(struct embed_answer *ans, const struct ir_embed *rq, enum embed_api api,
                           size_t count, struct str json, struct arena *a, const char **ret_what)
{
    struct json_problem problem;
    size_t before = ans->count;
    if (json_check(json, &problem)) {
        *ret_what = problem.what;
        return ERR_UPSTREAM_BAD;
    }
    json = arena_dup(a, json); /* the numbers' texts are kept */
    count_tokens(ans, json_get(json_get(json, "usageMetadata"), "promptTokenCount"));
    if (api == EMBED_VERTEX_CONTENT) {
        TRY(read_values(ans, rq, json_get(json_get(json, "embedding"), "values"), a, ret_what));
    } else {
        struct json_iter it =
            json_iter(json_get(json, api == EMBED_GAPI ? "embeddings" : "predictions"));
        while (json_next(&it)) {
            struct str e = api == EMBED_GAPI ? it.value : json_get(it.value, "embeddings");
            *ret_what = "more embeddings than inputs";
            if (ans->count - before == count || ans->count == rq->count)
                return ERR_UPSTREAM_BAD;
            TRY(read_values(ans, rq, json_get(e, "values"), a, ret_what));
            count_tokens(ans, json_get(json_get(e, "statistics"), "token_count"));
        }
    }
    *ret_what = "fewer embeddings than inputs";
    return ans->count - before == count ? ERR_OK : ERR_UPSTREAM_BAD;
}

/* -- the client's answer */

/* Google gives vectors of length 1 in full size alone. */
static double scale_of(const struct ir_embed *rq, const struct embed_vector *v)
{
    double sum = 0;
    if (!rq->dimensions)
        return 1;
    for (size_t i = 0; i < v->count; i++)
        sum += v->values[i] * v->values[i];
    double length = sqrt(sum);
    return isfinite(length) && length > 0 && fabs(length - 1) > 1e-6 ? 1 / length : 1;
}

static void put_base64(const struct embed_vector *v, double scale, struct json_write *w)
{
    struct arena *a = arena_new();
    char *bytes = arena_alloc(a, v->count * 4);
    for (size_t i = 0; i < v->count; i++) {
        float f = (float)(v->values[i] * scale);
        uint32_t bits;
        memcpy(&bits, &f, 4);
        for (size_t k = 0; k < 4; k++)
            bytes[i * 4 + k] = (char)(bits >> 8 * k & 0xff); /* little endian */
    }
    json_str(w, "embedding", base64_encode(str_of(bytes, v->count * 4), a));
    arena_free(a);
}

static void put_floats(const struct embed_vector *v, double scale, struct json_write *w)
{
    json_arr(w, "embedding");
    for (size_t i = 0; i < v->count; i++) {
        if (scale == 1)
            json_raw(w, NULL, v->raw[i]);
        else
            json_real(w, NULL, v->values[i] * scale);
    }
    json_end(w);
}

struct ir_usage embed_usage(const struct ir_embed *rq, const struct embed_answer *ans)
{
    uint64_t tokens = ans->tokens;
    for (size_t i = 0; !ans->counted && i < rq->count; i++)
        tokens += (rq->inputs[i].len - 2 + 3) / 4;
    return (struct ir_usage){ .reported = ans->counted, .prompt_tokens = tokens };
}

void embed_write_openai(const struct ir_embed *rq, const struct embed_answer *ans,
                        struct str model_json, struct buf *out)
{
    struct json_write w;
    uint64_t tokens = embed_usage(rq, ans).prompt_tokens;
    json_begin(&w, out);
    json_obj(&w, NULL);
    json_strz(&w, "object", "list");
    json_arr(&w, "data");
    for (size_t i = 0; i < ans->count; i++) {
        double scale = scale_of(rq, &ans->vectors[i]);
        json_obj(&w, NULL);
        json_strz(&w, "object", "embedding");
        json_uint(&w, "index", i);
        if (rq->base64)
            put_base64(&ans->vectors[i], scale, &w);
        else
            put_floats(&ans->vectors[i], scale, &w);
        json_end(&w);
    }
    json_end(&w);
    json_raw(&w, "model", model_json);
    json_obj(&w, "usage");
    json_uint(&w, "prompt_tokens", tokens);
    json_uint(&w, "total_tokens", tokens);
    json_end(&w);
    json_end(&w);
}
