/* contents: roles, parts, function calls with their responses, and thought signatures. */
#include "mock/gemini.h"
#include "mock/sign.h"

#include <stdlib.h>

#define DUMMY "skip_thought_signature_validator"

/* What a content holds. */
struct turn {
    yyjson_val *parts;
    bool model;
    size_t calls, responses, others;
};

struct walk {
    struct request *rq;
    struct reply *rp;
    char where[64]; /* contents[1].parts[0] */
};

#define refuse(w, ...) google_bad((w)->rq, (w)->rp, __VA_ARGS__)

struct str gemini_call_text(struct arena *a, yyjson_val *call)
{
    size_t n;
    yyjson_val *args = yyjson_obj_get(call, "args");
    struct str name = json_text(call, "name");
    char *text = args ? yyjson_val_write(args, 0, &n) : NULL;
    struct str all = arena_printf(a, "%.*s\n%s", STR_ARG(name), text ? text : "{}");
    free(text); /* check-banned: yyjson allocated it */
    return all;
}

/* -- one part */

static bool mime_ok(struct str mime)
{
    return gemini_word_in("image/png image/jpeg image/webp image/heic image/heif application/pdf "
                          "application/json",
                          mime) ||
           gemini_word_in("audio/wav audio/mp3 audio/aiff audio/aac audio/ogg audio/flac audio/m4a "
                          "audio/mp4 audio/mpga audio/opus audio/pcm audio/webm audio/mpeg",
                          mime) ||
           str_starts(mime, STR("text/")) || str_starts(mime, STR("video/"));
}

static bool inline_ok(struct walk *w, yyjson_val *data)
{
    struct str mime = json_text(data, "mimeType"), text = json_text(data, "data"), bytes;
    if (!gemini_members_ok(w->rq, w->rp, data, "mimeType data displayName", w->where))
        return false;
    if (!mime_ok(mime))
        return refuse(w, "Unsupported MIME type: %.*s", STR_ARG(str_head(mime, 80)));
    if (text.len == 0 || !base64_read(text, w->rq->arena, &bytes))
        return refuse(w,
                      "Invalid value at '%s.inline_data.data' (TYPE_BYTES), Base64 decoding "
                      "failed",
                      w->where);
    return true;
}

static bool file_ok(struct walk *w, yyjson_val *file)
{
    struct str uri = json_text(file, "fileUri"), mime = json_text(file, "mimeType");
    if (!gemini_members_ok(w->rq, w->rp, file, "mimeType fileUri displayName", w->where))
        return false;
    if (w->rq->vertex && mime.len == 0)
        return refuse(w, "The mimeType parameter is required for %s.file_data", w->where);
    if ((mime.len > 0 && !mime_ok(mime)) ||
        !(str_starts(uri, STR("https://")) || (w->rq->vertex && str_starts(uri, STR("gs://")))))
        return refuse(w, "Invalid or unsupported file uri: %.*s", STR_ARG(str_head(uri, 80)));
    return true;
}

/* Ids are the Gemini API's alone. */
static bool call_ok(struct walk *w, yyjson_val *call, const char *member, const char *names)
{
    yyjson_val *v = yyjson_obj_get(call, member);
    if (!gemini_members_ok(w->rq, w->rp, call, names, w->where))
        return false;
    if (w->rq->vertex && yyjson_obj_get(call, "id"))
        return refuse(w,
                      "Invalid JSON payload received. Unknown name \"id\" at '%s': Cannot find "
                      "field.",
                      w->where);
    if (json_text(call, "name").len == 0)
        return refuse(w, "%s: the name of a function is missing.", w->where);
    if (v && !yyjson_is_obj(v))
        return refuse(w, "Invalid value at '%s.%s' (type.googleapis.com/google.protobuf.Struct)",
                      w->where, member);
    return true;
}

static bool response_ok(struct walk *w, yyjson_val *response)
{
    yyjson_val *parts = yyjson_obj_get(response, "parts");
    if (!call_ok(w, response, "response", "name response id parts scheduling willContinue"))
        return false;
    if (!yyjson_obj_get(response, "response"))
        return refuse(w, "%s.function_response.response: required field is not set.", w->where);
    if (parts && gemini_model_of(w->rq)->generation < 30)
        return refuse(w, "Multimodal function responses are not supported for this model.");
    yyjson_arr_iter it = yyjson_arr_iter_with(parts);
    for (yyjson_val *part; (part = yyjson_arr_iter_next(&it));)
        if (!inline_ok(w, yyjson_obj_get(part, "inlineData")))
            return false;
    return true;
}

/* A signature is of what its part holds; in a stream it comes in an empty part after the text. */
static bool signature_ok(struct walk *w, yyjson_val *part, yyjson_val *before)
{
    struct arena *a = w->rq->arena;
    struct str signature = json_text(part, "thoughtSignature");
    yyjson_val *call = yyjson_obj_get(part, "functionCall");
    struct str text = call ? gemini_call_text(a, call) : json_text(part, "text");
    if (!yyjson_obj_get(part, "thoughtSignature"))
        return true;
    if (str_eq(signature, STR(DUMMY)) || sign_ok(a, w->rq->model, text, signature))
        return true;
    if (!call && text.len == 0 && before &&
        sign_ok(a, w->rq->model, json_text(before, "text"), signature))
        return true;
    return refuse(w, "Thought signature is not valid: %s", w->where);
}

static bool part_ok(struct walk *w, yyjson_val *part, yyjson_val *before, struct turn *t)
{
    static const char *const data[] = {
        "text",           "inlineData",         "fileData", "functionCall", "functionResponse",
        "executableCode", "codeExecutionResult"
    };
    yyjson_val *v = NULL;
    size_t have = 0, kind = 0;
    if (!gemini_members_ok(w->rq, w->rp, part,
                           "text inlineData fileData functionCall functionResponse executableCode "
                           "codeExecutionResult thought thoughtSignature videoMetadata "
                           "mediaResolution",
                           w->where))
        return false;
    for (size_t i = 0; i < sizeof(data) / sizeof(data[0]); i++)
        if (yyjson_obj_get(part, data[i])) {
            v = yyjson_obj_get(part, data[i]);
            kind = i;
            have++;
        }
    bool empty = kind == 0 && (!yyjson_is_str(v) || yyjson_get_len(v) == 0) &&
                 !yyjson_obj_get(part, "thoughtSignature");
    if (have != 1 || empty)
        return refuse(w,
                      "* GenerateContentRequest.%s.data: required oneof field 'data' must have "
                      "one initialized field",
                      w->where);
    t->calls += kind == 3;
    t->responses += kind == 4;
    t->others += kind != 3 && kind != 4;
    if ((kind == 1 && !inline_ok(w, v)) || (kind == 2 && !file_ok(w, v)) ||
        (kind == 3 && !call_ok(w, v, "args", "name args id")) || (kind == 4 && !response_ok(w, v)))
        return false;
    return signature_ok(w, part, before);
}

/* -- one content */

static bool turn_read(struct walk *w, yyjson_val *content, size_t index, struct turn *t)
{
    struct str role = json_text(content, "role");
    yyjson_val *before = NULL;
    size_t i = 0;
    *t = (struct turn){ .parts = yyjson_obj_get(content, "parts") };
    snprintf(w->where, sizeof(w->where), "contents[%zu]", index);
    if (!gemini_members_ok(w->rq, w->rp, content, "role parts", w->where))
        return false;
    if (role.len > 0 && !gemini_word_in("user model function", role))
        return refuse(w, "Please use a valid role: user, model.");
    t->model = str_eq(role, STR("model"));
    if (yyjson_arr_size(t->parts) == 0)
        return refuse(w, "* GenerateContentRequest.%s.parts: contents.parts must not be empty.",
                      w->where);
    yyjson_arr_iter it = yyjson_arr_iter_with(t->parts);
    for (yyjson_val *part; (part = yyjson_arr_iter_next(&it)); i++) {
        snprintf(w->where, sizeof(w->where), "contents[%zu].parts[%zu]", index, i);
        if (!part_ok(w, part, before, t))
            return false;
        before = part;
    }
    return true;
}

/* -- calls and their responses */

static yyjson_val *nth(const struct turn *t, const char *member, size_t n)
{
    yyjson_arr_iter it = yyjson_arr_iter_with(t->parts);
    for (yyjson_val *part; (part = yyjson_arr_iter_next(&it));) {
        yyjson_val *v = yyjson_obj_get(part, member);
        if (v && n-- == 0)
            return v;
    }
    return NULL;
}

static bool responses_fit(struct walk *w, const struct turn *calls, const struct turn *t)
{
    if (t->model || t->responses != calls->calls || t->others > 0)
        return refuse(w, "Please ensure that the number of function response parts is equal to the "
                         "number of function call parts of the function call turn.");
    for (size_t i = 0; i < t->responses; i++) {
        yyjson_val *call = nth(calls, "functionCall", i);
        yyjson_val *response = nth(t, "functionResponse", i);
        if (!str_eq(json_text(call, "name"), json_text(response, "name")))
            return refuse(w, "The function response's name is not the one of its call.");
        if (!str_eq(json_text(call, "id"), json_text(response, "id")))
            return refuse(w, "The function response's id is not the one of its call.");
    }
    return true;
}

static bool order_ok(struct walk *w, const struct turn *before, const struct turn *t)
{
    if (before && before->calls > 0)
        return responses_fit(w, before, t);
    if (t->responses > 0)
        return refuse(w, "Please ensure that function response turn comes immediately after a "
                         "function call turn.");
    if (t->calls > 0 && (!t->model || !before || before->model))
        return refuse(w, "Please ensure that function call turn comes immediately after a user "
                         "turn or after a function response turn.");
    return true;
}

/* Generation 3: the first call of each step since the user last spoke carries a signature. */
static bool signed_ok(struct walk *w, const struct turn *t)
{
    yyjson_arr_iter it = yyjson_arr_iter_with(t->parts);
    for (yyjson_val *part; (part = yyjson_arr_iter_next(&it));) {
        if (!yyjson_obj_get(part, "functionCall"))
            continue;
        if (json_text(part, "thoughtSignature").len > 0)
            return true;
        return refuse(w, "Function call is missing a thought_signature in functionCall parts. This "
                         "is required for tools to work correctly.");
    }
    return true;
}

static bool turns_ok(struct walk *w, const struct turn *turns, size_t n)
{
    size_t spoke = 0;
    for (size_t i = 0; i < n; i++) {
        if (!order_ok(w, i ? &turns[i - 1] : NULL, &turns[i]))
            return false;
        if (!turns[i].model && turns[i].others > 0)
            spoke = i;
    }
    if (turns[n - 1].calls > 0)
        return refuse(w, "Please ensure that function call turn is followed by its responses.");
    if (gemini_model_of(w->rq)->generation < 30)
        return true;
    for (size_t i = spoke; i < n; i++)
        if (!signed_ok(w, &turns[i]))
            return false;
    if (turns[n - 1].model)
        return refuse(w, "Requests ending with a model turn are not supported by this model.");
    return true;
}

bool gemini_contents_ok(struct request *rq, struct reply *rp)
{
    struct walk w = { .rq = rq, .rp = rp };
    yyjson_val *contents = yyjson_obj_get(rq->json, "contents");
    size_t n = yyjson_arr_size(contents), i = 0;
    struct turn *turns = ARENA_ARRAY(rq->arena, struct turn, n + 1);
    if (n == 0)
        return google_bad(rq, rp, "* GenerateContentRequest.contents: contents is not specified");
    yyjson_arr_iter it = yyjson_arr_iter_with(contents);
    for (yyjson_val *content; (content = yyjson_arr_iter_next(&it)); i++)
        if (!turn_read(&w, content, i, &turns[i]))
            return false;
    return turns_ok(&w, turns, n);
}
