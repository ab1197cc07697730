/* Content parts of OpenAI's Chat Completions into the IR, with the lenient forms that clients send. */
#include "dialect/openai_ir_priv.h"

#define IS(type, word) json_str_eq(type, STR(word))

enum err oa_cache(struct oa_read *r, const char *member, struct str cache_control, bool *ret_cache,
                  struct str *ret_ttl)
{
    static const struct str want[] = { STR_INIT("type"), STR_INIT("ttl") };
    struct str v[2];
    oa_members(cache_control, want, 2, v, r->a, NULL);
    if (json_type_of(cache_control) != JSON_OBJECT || (v[0].len && !IS(v[0], "ephemeral")) ||
        (v[1].len && !IS(v[1], "5m") && !IS(v[1], "1h")))
        return oa_bad(
            r, member,
            "must be {\"type\":\"ephemeral\"}, with \"ttl\":\"5m\" or \"ttl\":\"1h\" or none");
    *ret_cache = true;
    *ret_ttl = json_unescape(v[1], r->a);
    return ERR_OK;
}

struct str oa_google_signature(struct str extra_content)
{
    static const struct str google = STR_INIT("google"), signature = STR_INIT("thought_signature");
    struct json_member m;
    if (!json_peek_object(extra_content, &google, 1, &m, NULL))
        return str_of(NULL, 0);
    struct str inner = json_value(extra_content, &m);
    if (!json_peek_object(inner, &signature, 1, &m, NULL) || m.type != JSON_STRING ||
        m.value_len <= 2)
        return str_of(NULL, 0);
    return json_value(inner, &m);
}

/* The first bytes of a file, in base64. */
struct str oa_mime_of_base64(struct str data)
{
    static const struct {
        struct str start, mime;
    } magic[] = {
        { STR_INIT("iVBORw0KGgo"), STR_INIT("image/png") },
        { STR_INIT("/9j/"), STR_INIT("image/jpeg") },
        { STR_INIT("R0lGODdh"), STR_INIT("image/gif") },
        { STR_INIT("R0lGODlh"), STR_INIT("image/gif") },
        { STR_INIT("JVBERi0"), STR_INIT("application/pdf") },
    };
    for (size_t i = 0; i < sizeof magic / sizeof magic[0]; i++)
        if (str_starts(data, magic[i].start))
            return magic[i].mime;
    if (str_starts(data, STR("UklGR")) && str_starts(str_skip(data, 11), STR("XRUJQ")))
        return STR("image/webp"); /* "RIFF", a size, "WEBP" */
    return str_of(NULL, 0);
}

bool oa_is_url(struct str json)
{
    struct str s = str_skip(json, 1);
    return str_starts_nocase(s, STR("http:")) || str_starts_nocase(s, STR("https:")) ||
           str_starts_nocase(s, STR("gs:"));
}

static bool is_data_url(struct str json)
{
    return str_starts_nocase(str_skip(json, 1), STR("data:"));
}

enum err oa_read_image_url(struct oa_read *r, const char *member, struct str json,
                           struct ir_media *media)
{
    if (oa_is_url(json)) {
        media->url = json;
        return ERR_OK;
    }
    if (ir_data_url(json, r->a, &media->mime, &media->data))
        return ERR_OK;
    return oa_bad(r, member,
                  is_data_url(json) ? "is a data: URL that cannot be read: it has the form "
                                      "data:image/png;base64,<base64>"
                                    : "must be a data: URL with base64, or an http(s) URL");
}

bool oa_read_base64(struct str json, struct arena *a, struct str *ret_mime, struct str *ret_data)
{
    return is_data_url(json) ? ir_data_url(json, a, ret_mime, ret_data)
                             : ir_base64(json_unescape(json, a), a, ret_data);
}

enum err oa_read_file_data(struct oa_read *r, const char *member, struct str json,
                           struct ir_media *media)
{
    if (oa_is_url(json)) {
        media->url = json;
        return ERR_OK;
    }
    if (oa_read_base64(json, r->a, &media->mime, &media->data))
        return ERR_OK;
    return oa_bad(r, member,
                  "must be a data: URL of the form data:application/pdf;base64,<base64>");
}

static enum err read_image(struct oa_read *r, struct str value, struct ir_part *part)
{
    /* `format` is LiteLLM's, a media type for URLs that do not tell theirs. */
    static const struct str want[] = { STR_INIT("url"), STR_INIT("detail"), STR_INIT("format") };
    struct str v[3] = { value };
    struct ir_media *media = &part->media;
    const char *member = ".image_url";
    part->kind = IR_IMAGE;
    if (json_type_of(value) == JSON_OBJECT) {
        oa_members(value, want, 3, v, r->a, NULL);
        member = ".image_url.url";
    }
    if (json_type_of(v[0]) != JSON_STRING || v[0].len <= 2)
        return oa_bad(r, member, "must be a string: a data: URL with base64, or an http(s) URL");
    TRY(oa_string(r, ".image_url.detail", v[1]));
    TRY(oa_string(r, ".image_url.format", v[2]));
    media->detail = json_unescape(v[1], r->a);
    TRY(oa_read_image_url(r, member, v[0], media));
    if (media->mime.len == 0 && v[2].len)
        media->mime = ir_mime(json_unescape(v[2], r->a), r->a);
    if (media->mime.len == 0)
        media->mime = oa_mime_of_base64(media->data);
    return ERR_OK;
}

static enum err read_audio(struct oa_read *r, struct str value, struct ir_part *part)
{
    static const struct str want[] = { STR_INIT("data"), STR_INIT("format") };
    struct str v[2], mime;
    struct ir_media *media = &part->media;
    part->kind = IR_AUDIO;
    oa_members(value, want, 2, v, r->a, NULL);
    if (json_type_of(v[0]) != JSON_STRING || v[0].len <= 2)
        return oa_bad(r, ".input_audio.data", "must be a string of base64");
    if (json_type_of(v[1]) != JSON_STRING || v[1].len <= 2)
        return oa_bad(r, ".input_audio.format", "must be wav or mp3");
    if (!oa_read_base64(v[0], r->a, &mime, &media->data))
        return oa_bad(r, ".input_audio.data", "is not base64");
    media->format = json_unescape(v[1], r->a);
    media->mime =
        ir_mime(arena_printf(r->a, "audio/%.*s", STR_ARG(str_head(media->format, 32))), r->a);
    if (media->mime.len == 0)
        return oa_bad(r, ".input_audio.format", "must be wav or mp3");
    return ERR_OK;
}

struct str oa_mime_of_name(struct str filename_json, struct arena *a)
{
    static const struct {
        struct str end, mime;
    } ends[] = {
        { STR_INIT(".pdf"), STR_INIT("application/pdf") },
        { STR_INIT(".txt"), STR_INIT("text/plain") },
        { STR_INIT(".md"), STR_INIT("text/markdown") },
        { STR_INIT(".csv"), STR_INIT("text/csv") },
        { STR_INIT(".html"), STR_INIT("text/html") },
        { STR_INIT(".json"), STR_INIT("application/json") },
        { STR_INIT(".png"), STR_INIT("image/png") },
        { STR_INIT(".jpg"), STR_INIT("image/jpeg") },
    };
    struct str name = json_unescape(filename_json, a);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (name.len >= ends[i].end.len &&
            str_eq_nocase(str_skip(name, name.len - ends[i].end.len), ends[i].end))
            return ends[i].mime;
    return str_of(NULL, 0);
}

enum { FILE_DATA, FILE_ID, FILE_NAME, FILE_FORMAT, FILE_COUNT };

static enum err read_file_source(struct oa_read *r, const struct str v[FILE_COUNT],
                                 struct ir_media *media)
{
    if (v[FILE_ID].len && oa_is_url(v[FILE_ID])) { /* LiteLLM's */
        media->url = v[FILE_ID];
        return ERR_OK;
    }
    if (v[FILE_ID].len) {
        media->file_id = v[FILE_ID];
        return ERR_OK;
    }
    if (v[FILE_DATA].len <= 2)
        return oa_bad(r, ".file", "must have file_data (a data: URL with base64) or file_id");
    return oa_read_file_data(r, ".file.file_data", v[FILE_DATA], media);
}

static enum err read_file(struct oa_read *r, struct str value, struct ir_part *part)
{
    static const struct str want[FILE_COUNT] = { STR_INIT("file_data"), STR_INIT("file_id"),
                                                 STR_INIT("filename"), STR_INIT("format") };
    static const char *const members[] = { ".file.file_data", ".file.file_id", ".file.filename",
                                           ".file.format" };
    struct str v[FILE_COUNT];
    struct ir_media *media = &part->media;
    part->kind = IR_FILE;
    oa_members(value, want, FILE_COUNT, v, r->a, NULL);
    for (size_t i = 0; i < FILE_COUNT; i++)
        TRY(oa_string(r, members[i], v[i]));
    TRY(read_file_source(r, v, media));
    media->filename = v[FILE_NAME];
    if (media->mime.len == 0 && v[FILE_FORMAT].len)
        media->mime = ir_mime(json_unescape(v[FILE_FORMAT], r->a), r->a);
    if (media->mime.len == 0)
        media->mime = oa_mime_of_base64(media->data);
    if (media->mime.len == 0)
        media->mime = oa_mime_of_name(media->filename, r->a);
    return ERR_OK;
}

/* -- reasoning that clients echo */

/* OpenRouter names whose state an element of reasoning_details is. */
static enum ir_origin origin_of_format(struct str format)
{
    struct str bare = str_skip(format, 1);
    if (str_starts(bare, STR("google")))
        return IR_FROM_GEMINI;
    if (str_starts(bare, STR("openai")))
        return IR_FROM_OPENAI_RESPONSES;
    return IR_FROM_ANTHROPIC;
}

static struct str string_only(struct str value)
{
    return json_type_of(value) == JSON_STRING ? value : str_of(NULL, 0);
}

bool oa_read_reasoning(struct str value, struct ir_part *part)
{
    enum { R_TYPE, R_THINKING, R_SIGNATURE, R_DATA, R_TEXT, R_SUMMARY, R_FORMAT, R_COUNT };
    static const struct str want[R_COUNT] = { STR_INIT("type"),      STR_INIT("thinking"),
                                              STR_INIT("signature"), STR_INIT("data"),
                                              STR_INIT("text"),      STR_INIT("summary"),
                                              STR_INIT("format") };
    struct str v[R_COUNT];
    oa_members(value, want, R_COUNT, v, NULL, NULL);
    *part = (struct ir_part){ .kind = IR_REASONING, .raw = value };
    part->signature = string_only(v[R_SIGNATURE]);
    if (part->signature.len <= 2)
        part->signature = str_of(NULL, 0);
    if (IS(v[R_TYPE], "thinking")) {
        part->json = string_only(v[R_THINKING]);
        part->origin = part->signature.len ? IR_FROM_ANTHROPIC : IR_FROM_OPENAI_CHAT;
    } else if (IS(v[R_TYPE], "redacted_thinking")) {
        part->redacted = string_only(v[R_DATA]);
        part->origin = IR_FROM_ANTHROPIC;
    } else if (IS(v[R_TYPE], "reasoning.text")) {
        part->json = string_only(v[R_TEXT]);
        part->origin = part->signature.len ? origin_of_format(v[R_FORMAT]) : IR_FROM_OPENAI_CHAT;
    } else if (IS(v[R_TYPE], "reasoning.summary")) {
        part->json = string_only(v[R_SUMMARY]);
    } else if (IS(v[R_TYPE], "reasoning.encrypted")) {
        part->redacted = string_only(v[R_DATA]);
        part->origin = origin_of_format(v[R_FORMAT]);
    }
    return part->json.len || part->redacted.len || part->signature.len;
}

/* -- any part */

enum { P_TYPE, P_TEXT, P_REFUSAL, P_IMAGE, P_AUDIO, P_FILE, P_CACHE, P_BREAKPOINT, P_COUNT };

static enum err read_known(struct oa_read *r, const struct str v[P_COUNT], struct str value,
                           struct ir_part *part)
{
    /* input_text, output_text: the Responses API's names, seen in chat histories. */
    if (IS(v[P_TYPE], "text") || IS(v[P_TYPE], "input_text") || IS(v[P_TYPE], "output_text")) {
        part->kind = IR_TEXT;
        part->json = v[P_TEXT];
        return json_type_of(v[P_TEXT]) == JSON_STRING ? ERR_OK
                                                      : oa_bad(r, ".text", "must be a string");
    }
    if (IS(v[P_TYPE], "refusal")) {
        part->kind = IR_REFUSAL;
        part->json = v[P_REFUSAL];
        return json_type_of(v[P_REFUSAL]) == JSON_STRING
                   ? ERR_OK
                   : oa_bad(r, ".refusal", "must be a string");
    }
    if (IS(v[P_TYPE], "image_url"))
        return read_image(r, v[P_IMAGE], part);
    if (IS(v[P_TYPE], "input_audio"))
        return read_audio(r, v[P_AUDIO], part);
    if (IS(v[P_TYPE], "file"))
        return read_file(r, v[P_FILE], part);
    part->kind = IR_OPAQUE;
    part->raw = value;
    return ERR_OK;
}

enum err oa_read_part(struct oa_read *r, struct str value, struct ir_part **ret_part)
{
    static const struct str want[P_COUNT] = {
        [P_TYPE] = STR_INIT("type"),           [P_TEXT] = STR_INIT("text"),
        [P_REFUSAL] = STR_INIT("refusal"),     [P_IMAGE] = STR_INIT("image_url"),
        [P_AUDIO] = STR_INIT("input_audio"),   [P_FILE] = STR_INIT("file"),
        [P_CACHE] = STR_INIT("cache_control"), [P_BREAKPOINT] = STR_INIT("prompt_cache_breakpoint"),
    };
    struct str v[P_COUNT];
    struct ir_ext *ext;
    if (json_type_of(value) != JSON_OBJECT)
        return oa_bad(r, "", "must be an object such as {\"type\":\"text\",\"text\":\"...\"}");
    oa_members(value, want, P_COUNT, v, r->a, &ext);
    if (json_type_of(v[P_TYPE]) != JSON_STRING)
        return oa_bad(r, ".type",
                      "must be a string: text, image_url, input_audio, file or refusal");
    if (IS(v[P_TYPE], "thinking") || IS(v[P_TYPE], "redacted_thinking")) {
        struct ir_part reasoning;
        if (!oa_read_reasoning(value, &reasoning))
            return ERR_OK;
        *ret_part = ARENA_NEW(r->a, struct ir_part);
        **ret_part = reasoning;
        return ERR_OK;
    }
    struct ir_part *part = ARENA_NEW(r->a, struct ir_part);
    TRY(read_known(r, v, value, part));
    if (part->kind != IR_OPAQUE)
        part->ext = ext;
    part->cache = v[P_BREAKPOINT].len > 0;
    if (v[P_CACHE].len)
        TRY(oa_cache(r, ".cache_control", v[P_CACHE], &part->cache, &part->cache_ttl));
    *ret_part = part;
    return ERR_OK;
}
