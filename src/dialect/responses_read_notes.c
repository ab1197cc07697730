/* What stands beside an answer's text: citations and log probabilities, in the shapes of Chat Completions, which events have; and
 * faults (OpenAI's API reference, "Responses", output_text and error, August 2026). */
#include "base/mem.h"
#include "dialect/responses_provider_priv.h"
#include "dialect/upstream_fault.h"

/* -- citations */

/* Offsets are of the part's text there, of the answer's here. */
void rr_annotation(struct rr_out *o, struct rr_part *part, struct str annotation)
{
    struct buf out;
    struct json_write w;
    uint64_t from, to;
    struct str url = rr_text(annotation, "url"), title = rr_text(annotation, "title");
    part->annotations++;
    if (!json_str_eq(json_get(annotation, "type"), STR("url_citation")) || !url.len) {
        rr_loss(o, "citations", false); /* places in files have no form in chat's answers */
        return;
    }
    bool placed = json_u64(json_get(annotation, "start_index"), &from) &&
                  json_u64(json_get(annotation, "end_index"), &to) && from <= to &&
                  to <= UINT32_MAX;
    if (!placed)
        from = to = 0;
    buf_init(&out, MIB);
    json_begin(&w, &out);
    json_obj(&w, NULL);
    json_strz(&w, "type", "url_citation");
    json_obj(&w, "url_citation");
    json_uint(&w, "start_index", part->text_start + from);
    json_uint(&w, "end_index", part->text_start + to);
    json_raw(&w, "url", url);
    json_raw(&w, "title", title.len ? title : url);
    json_end(&w);
    json_end(&w);
    struct ir_event ev = { .kind = IR_EV_ANNOTATION, .raw = buf_str(&out) };
    if (!out.fail)
        ir_emit(o->sink, &ev);
    buf_done(&out);
}

/* -- log probabilities */

/* The pieces of a stream come without `bytes`, which chat has, if only as null. */
static void put_token(struct json_write *w, struct str token, bool with_top, struct arena *a)
{
    struct str text = json_get(token, "token"), logprob = json_get(token, "logprob"),
               bytes = json_get(token, "bytes"), top = json_get(token, "top_logprobs");
    json_obj(w, NULL);
    json_raw(w, "token", json_type_of(text) == JSON_STRING ? text : STR("\"\""));
    json_raw(w, "logprob", json_type_of(logprob) == JSON_NUMBER ? logprob : STR("0"));
    json_raw(w, "bytes", json_type_of(bytes) == JSON_ARRAY ? oa_compact(bytes, a) : STR("null"));
    if (with_top) {
        json_arr(w, "top_logprobs");
        struct json_iter it = json_iter(json_type_of(top) == JSON_ARRAY ? top : STR("[]"));
        while (json_next(&it))
            put_token(w, it.value, false, a);
        json_end(w);
    }
    json_end(w);
}

void rr_logprobs(struct rr_out *o, struct rr_part *part, struct str array, bool refusal)
{
    struct buf out;
    struct json_write w;
    struct json_iter it = json_iter(json_type_of(array) == JSON_ARRAY ? array : STR("[]"));
    if (!json_next(&it))
        return;
    part->logprobs = true;
    buf_init(&out, 64 * MIB);
    json_begin(&w, &out);
    json_obj(&w, NULL);
    if (refusal)
        json_null(&w, "content");
    json_arr(&w, refusal ? "refusal" : "content");
    do
        put_token(&w, it.value, true, o->r->c.arena);
    while (json_next(&it));
    json_end(&w);
    if (!refusal)
        json_null(&w, "refusal");
    json_end(&w);
    struct ir_event ev = { .kind = IR_EV_LOGPROBS, .raw = buf_str(&out) };
    if (!out.fail)
        ir_emit(o->sink, &ev);
    buf_done(&out);
}

/* -- faults */

/* What the request is to blame for. */
static bool is_callers(struct str code)
{
    static const struct str codes[] = {
        STR_INIT("invalid_prompt"),
        STR_INIT("data_residency_mismatch"),
        STR_INIT("bio_policy"),
        STR_INIT("misalignment_policy_violation"),
        STR_INIT("image_too_large"),
        STR_INIT("image_too_small"),
        STR_INIT("image_parse_error"),
        STR_INIT("image_content_policy_violation"),
        STR_INIT("image_file_too_large"),
        STR_INIT("image_file_not_found"),
        STR_INIT("unsupported_image_media_type"),
        STR_INIT("empty_image_file"),
        STR_INIT("failed_to_download_image"),
        STR_INIT("invalid_image"),
        STR_INIT("invalid_image_format"),
        STR_INIT("invalid_image_mode"),
        STR_INIT("invalid_image_url"),
        STR_INIT("invalid_base64_image"),
        STR_INIT("context_length_exceeded"),
        STR_INIT("unsupported_parameter"),
        STR_INIT("unsupported_value"),
    };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (json_str_eq(code, codes[i]))
            return true;
    return false;
}

void rr_fault(struct rr_reader *r, struct str error, struct fault *ret_fault)
{
    static const char *const names[] = { "message", "type", "code", "param" };
    const struct dialect_target *t = r->c.target;
    struct str who = t && t->provider ? t->provider->title : STR("The provider");
    struct buf body;
    struct json_write w;
    /* The form that errors have outside of streams. An event's own `type` is "error". */
    bool event = json_str_eq(json_get(error, "type"), STR("error"));
    buf_init(&body, 16 * MIB);
    json_begin(&w, &body);
    json_obj(&w, NULL);
    json_obj(&w, "error");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct str value = json_get(error, names[i]);
        if (value.len && !(i == 1 && event))
            json_raw(&w, names[i], value);
    }
    if (json_type_of(error) == JSON_STRING)
        json_raw(&w, "message", error);
    json_end(&w);
    json_end(&w);
    struct str text = body.fail ? STR("{\"error\":{}}") : arena_dup(r->c.arena, buf_str(&body));
    buf_done(&body);
    upstream_fault(is_callers(json_get(error, "code")) ? 400 : 200, text, who, STR(""), -1,
                   r->c.arena, ret_fault);
}
