/* Content parts of input items into the IR. */
#include "dialect/responses_priv.h"

enum {
    P_TYPE,
    P_TEXT,
    P_REFUSAL,
    P_IMAGE,
    P_FILE_ID,
    P_FILE_DATA,
    P_FILE_URL,
    P_FILENAME,
    P_DETAIL,
    P_AUDIO,
    P_ANNOTATIONS,
    P_LOGPROBS,
    P_BREAKPOINT,
    P_COUNT
};

static const struct str part_names[P_COUNT] = {
    [P_TYPE] = STR_INIT("type"),
    [P_TEXT] = STR_INIT("text"),
    [P_REFUSAL] = STR_INIT("refusal"),
    [P_IMAGE] = STR_INIT("image_url"),
    [P_FILE_ID] = STR_INIT("file_id"),
    [P_FILE_DATA] = STR_INIT("file_data"),
    [P_FILE_URL] = STR_INIT("file_url"),
    [P_FILENAME] = STR_INIT("filename"),
    [P_DETAIL] = STR_INIT("detail"),
    [P_AUDIO] = STR_INIT("input_audio"),
    [P_ANNOTATIONS] = STR_INIT("annotations"),
    [P_LOGPROBS] = STR_INIT("logprobs"), /* of an answer that comes back */
    [P_BREAKPOINT] = STR_INIT("prompt_cache_breakpoint"),
};

static enum err read_image(struct oa_read *r, const struct str v[P_COUNT], struct ir_part *part)
{
    struct ir_media *media = &part->media;
    part->kind = IR_IMAGE;
    TRY(oa_string(r, ".detail", v[P_DETAIL]));
    media->detail = json_unescape(v[P_DETAIL], r->a);
    if (json_type_of(v[P_IMAGE]) == JSON_OBJECT)
        return oa_bad(r, ".image_url",
                      "must be a string, the URL itself: {\"url\":...} is the form of Chat "
                      "Completions");
    TRY(oa_string(r, ".image_url", v[P_IMAGE]));
    TRY(oa_string(r, ".file_id", v[P_FILE_ID]));
    if (v[P_IMAGE].len <= 2 && v[P_FILE_ID].len > 2) {
        media->file_id = v[P_FILE_ID];
        return ERR_OK;
    }
    if (v[P_IMAGE].len <= 2)
        return oa_bad(r, ".image_url",
                      "is missing: a data: URL with base64, or an http(s) URL, as a string");
    TRY(oa_read_image_url(r, ".image_url", v[P_IMAGE], media));
    if (media->mime.len == 0)
        media->mime = oa_mime_of_base64(media->data);
    return ERR_OK;
}

/* What the first bytes do not tell; an image is no file, whatever its name. */
static struct str mime_of_name(struct str filename, struct arena *a)
{
    struct str mime = oa_mime_of_name(filename, a);
    return str_starts(mime, STR("image/")) ? str_of(NULL, 0) : mime;
}

static enum err read_file(struct oa_read *r, const struct str v[P_COUNT], struct ir_part *part)
{
    struct ir_media *media = &part->media;
    part->kind = IR_FILE;
    TRY(oa_string(r, ".detail", v[P_DETAIL]));
    media->detail = json_unescape(v[P_DETAIL], r->a);
    TRY(oa_string(r, ".file_id", v[P_FILE_ID]));
    TRY(oa_string(r, ".file_data", v[P_FILE_DATA]));
    TRY(oa_string(r, ".file_url", v[P_FILE_URL]));
    TRY(oa_string(r, ".filename", v[P_FILENAME]));
    media->filename = v[P_FILENAME].len > 2 ? v[P_FILENAME] : str_of(NULL, 0);
    if (v[P_FILE_DATA].len > 2)
        TRY(oa_read_file_data(r, ".file_data", v[P_FILE_DATA], media));
    else if (v[P_FILE_URL].len > 2 && !oa_is_url(v[P_FILE_URL]))
        return oa_bad(r, ".file_url", "must be an http(s) URL");
    else if (v[P_FILE_URL].len > 2)
        media->url = v[P_FILE_URL];
    else if (v[P_FILE_ID].len > 2)
        media->file_id = v[P_FILE_ID];
    else
        return oa_bad(r, "", "must have file_data (a data: URL with base64), file_url or file_id");
    if (media->mime.len == 0)
        media->mime = oa_mime_of_base64(media->data);
    if (media->mime.len == 0)
        media->mime = mime_of_name(media->filename, r->a);
    return ERR_OK;
}

static enum err read_audio(struct oa_read *r, struct str value, struct ir_part *part)
{
    static const struct str want[] = { STR_INIT("data"), STR_INIT("format") };
    struct str v[2], mime;
    struct ir_media *media = &part->media;
    part->kind = IR_AUDIO;
    if (json_type_of(value) != JSON_OBJECT)
        return oa_bad(r, ".input_audio", "must be an object with data and format");
    oa_members(value, want, 2, v, r->a, NULL);
    if (json_type_of(v[0]) != JSON_STRING || v[0].len <= 2)
        return oa_bad(r, ".input_audio.data", "must be a string of base64");
    if (!json_str_eq(v[1], STR("wav")) && !json_str_eq(v[1], STR("mp3")))
        return oa_bad(r, ".input_audio.format", "must be wav or mp3");
    if (!oa_read_base64(v[0], r->a, &mime, &media->data))
        return oa_bad(r, ".input_audio.data", "is not base64");
    media->format = json_unescape(v[1], r->a);
    media->mime = arena_printf(r->a, "audio/%.*s", STR_ARG(media->format));
    return ERR_OK;
}

static enum err read_text(struct oa_read *r, const char *member, struct str text,
                          enum ir_part_kind kind, struct ir_part *part)
{
    if (json_type_of(text) != JSON_STRING)
        return oa_bad(r, member, text.len ? "must be a string" : "is missing");
    part->kind = kind;
    part->json = text;
    return ERR_OK;
}

static bool some(struct str array)
{
    struct json_iter it = json_iter(array);
    return json_type_of(array) == JSON_ARRAY && json_next(&it);
}

enum err rs_read_part(struct oa_read *r, struct str value, struct ir_part **ret_part,
                      struct str *ret_annotations)
{
    struct str v[P_COUNT], type;
    struct ir_part *part = ARENA_NEW(r->a, struct ir_part);
    struct ir_ext **tail = &part->ext;
    if (json_type_of(value) != JSON_OBJECT)
        return oa_bad(r, "",
                      "must be an object such as {\"type\":\"input_text\",\"text\":\"...\"}");
    rs_members(value, part_names, P_COUNT, v, r->a, &tail);
    TRY(rs_required(r, ".type", v[P_TYPE], &type));
    if (str_eq(type, STR("input_text")) || str_eq(type, STR("output_text")))
        TRY(read_text(r, ".text", v[P_TEXT], IR_TEXT, part));
    else if (str_eq(type, STR("refusal")))
        TRY(read_text(r, ".refusal", v[P_REFUSAL], IR_REFUSAL, part));
    else if (str_eq(type, STR("input_image")))
        TRY(read_image(r, v, part));
    else if (str_eq(type, STR("input_file")))
        TRY(read_file(r, v, part));
    else if (str_eq(type, STR("input_audio")))
        TRY(read_audio(r, v[P_AUDIO], part));
    else
        return oa_bad(r, ".type",
                      "must be input_text, input_image, input_file or input_audio, and in an "
                      "answer that comes back output_text or refusal; it is %.*s%s",
                      STR_ARG(str_head(v[P_TYPE], 40)),
                      str_eq(type, STR("text")) || str_eq(type, STR("image_url"))
                          ? ", which is the form of Chat Completions"
                          : "");
    if (v[P_BREAKPOINT].len)
        part->cache = true;
    *ret_annotations = some(v[P_ANNOTATIONS]) ? v[P_ANNOTATIONS] : str_of(NULL, 0);
    *ret_part = part;
    return ERR_OK;
}
