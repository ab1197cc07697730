/* One part of a content (Gemini API reference, "Part", August 2026). */
#include "dialect/gemini_priv.h"

static const struct str dummy_signature = STR_INIT("\"skip_thought_signature_validator\"");

/* -- media */

/* Those of the Gemini API docs, "Audio understanding", and those that Vertex AI's page of that name has besides (August 2026). */
static bool audio_is_known(struct str mime)
{
    static const struct str known[] = { STR_INIT("wav"),  STR_INIT("mp3"), STR_INIT("aiff"),
                                        STR_INIT("aac"),  STR_INIT("ogg"), STR_INIT("flac"),
                                        STR_INIT("m4a"),  STR_INIT("mp4"), STR_INIT("mpga"),
                                        STR_INIT("opus"), STR_INIT("pcm"), STR_INIT("webm") };
    if (!str_starts(mime, STR("audio/")))
        return false;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (str_eq(str_skip(mime, 6), known[i]))
            return true;
    return false;
}

static bool mime_is_known(struct str mime)
{
    static const struct str known[] = {
        STR_INIT("image/png"),        STR_INIT("image/jpeg"), STR_INIT("image/webp"),
        STR_INIT("image/heic"),       STR_INIT("image/heif"), STR_INIT("application/pdf"),
        STR_INIT("application/json"),
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (str_eq(mime, known[i]))
            return true;
    return audio_is_known(mime) || str_starts(mime, STR("video/")) ||
           str_starts(mime, STR("text/"));
}

static const struct {
    struct str ending, mime;
} endings[] = {
    { STR_INIT(".png"), STR_INIT("image/png") },
    { STR_INIT(".jpg"), STR_INIT("image/jpeg") },
    { STR_INIT(".jpeg"), STR_INIT("image/jpeg") },
    { STR_INIT(".webp"), STR_INIT("image/webp") },
    { STR_INIT(".heic"), STR_INIT("image/heic") },
    { STR_INIT(".heif"), STR_INIT("image/heif") },
    { STR_INIT(".gif"), STR_INIT("image/gif") },
    { STR_INIT(".svg"), STR_INIT("image/svg+xml") },
    { STR_INIT(".pdf"), STR_INIT("application/pdf") },
    { STR_INIT(".txt"), STR_INIT("text/plain") },
    { STR_INIT(".md"), STR_INIT("text/markdown") },
    { STR_INIT(".csv"), STR_INIT("text/csv") },
    { STR_INIT(".html"), STR_INIT("text/html") },
    { STR_INIT(".mp3"), STR_INIT("audio/mp3") },
    { STR_INIT(".wav"), STR_INIT("audio/wav") },
    { STR_INIT(".ogg"), STR_INIT("audio/ogg") },
    { STR_INIT(".flac"), STR_INIT("audio/flac") },
    { STR_INIT(".aac"), STR_INIT("audio/aac") },
    { STR_INIT(".mp4"), STR_INIT("video/mp4") },
    { STR_INIT(".webm"), STR_INIT("video/webm") },
    { STR_INIT(".mov"), STR_INIT("video/mov") },
};

static struct str mime_of_url(struct str url)
{
    struct str path = str_cut(&url, '?');
    path = str_cut(&path, '#');
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (path.len > endings[i].ending.len &&
            str_eq_nocase(str_skip(path, path.len - endings[i].ending.len), endings[i].ending))
            return endings[i].mime;
    return str_of(NULL, 0);
}

/* By the first bytes of the base64. */
static struct str mime_of_data(struct str data)
{
    static const struct {
        struct str start, mime;
    } magic[] = {
        { STR_INIT("iVBORw0KGgo"), STR_INIT("image/png") },
        { STR_INIT("/9j/"), STR_INIT("image/jpeg") },
        { STR_INIT("UklGR"), STR_INIT("image/webp") },
        { STR_INIT("R0lGOD"), STR_INIT("image/gif") },
        { STR_INIT("JVBERi0"), STR_INIT("application/pdf") },
    };
    for (size_t i = 0; i < sizeof magic / sizeof magic[0]; i++)
        if (str_starts(data, magic[i].start))
            return magic[i].mime;
    return str_of(NULL, 0);
}

static struct str place_of(struct gemini_write *g, const struct gemini_block *b)
{
    return arena_printf(g->a, "messages[%u].content[%u]", b->message, b->index);
}

static enum err check_mime(struct gemini_write *g, const struct gemini_block *b, struct str mime)
{
    struct str place = place_of(g, b);
    if (mime.len == 0)
        return gemini_refuse(
            g, ERR_BAD_REQUEST, place,
            "%.*s: the media type is unknown. Send a data URL with its type, such as "
            "data:image/png;base64,..., or a URL whose path ends in .png, .jpg, .pdf ...",
            STR_ARG(place));
    if (!mime_is_known(mime))
        return gemini_refuse(
            g, ERR_UNSUPPORTED_PARAM, place,
            "%.*s: Gemini does not take %.*s. It takes PNG, JPEG, WebP, HEIC and HEIF images, "
            "WAV, MP3, AIFF, AAC, OGG and FLAC audio, video, PDF and text.",
            STR_ARG(place), STR_ARG(str_head(mime, 80)));
    return ERR_OK;
}

/* One name for each kind of audio. */
static struct str audio_mime(struct str mime)
{
    static const struct {
        struct str other, mime;
    } rows[] = {
        { STR_INIT("audio/mpeg"), STR_INIT("audio/mp3") },
        { STR_INIT("audio/x-mp3"), STR_INIT("audio/mp3") },
        { STR_INIT("audio/x-wav"), STR_INIT("audio/wav") },
        { STR_INIT("audio/wave"), STR_INIT("audio/wav") },
        { STR_INIT("audio/vnd.wave"), STR_INIT("audio/wav") },
        { STR_INIT("audio/x-aiff"), STR_INIT("audio/aiff") },
        { STR_INIT("audio/x-aac"), STR_INIT("audio/aac") },
        { STR_INIT("audio/x-flac"), STR_INIT("audio/flac") },
        { STR_INIT("audio/x-m4a"), STR_INIT("audio/m4a") },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (str_eq(mime, rows[i].other))
            return rows[i].mime;
    return mime;
}

/* Gemini reads public https URLs and its own file URIs by itself; Vertex AI also gs: URLs, and
 * wants to be told the type (both references, fileData, August 2026). */
static enum err put_file(struct gemini_write *g, const struct gemini_block *b,
                         const struct ir_media *media)
{
    struct str url = json_unescape(media->url, g->a);
    struct str mime = media->mime.len ? audio_mime(media->mime) : mime_of_url(url);
    if (mime.len || g->t->vertex)
        TRY(check_mime(g, b, mime));
    json_obj(&g->w, "fileData");
    segments_raw(g->body, &g->w, "fileUri", media->url);
    if (mime.len)
        json_str(&g->w, "mimeType", mime);
    json_end(&g->w);
    return ERR_OK;
}

/* The data member of a part. */
static enum err put_media(struct gemini_write *g, const struct gemini_block *b,
                          const struct ir_part *p)
{
    const struct ir_media *media = &p->media;
    struct str place = place_of(g, b), mime = media->mime;
    if (media->filename.len && media->data.len)
        TRY(ir_lose(g->report, "filename", "messages.content.file.filename", g->fault));
    if (media->detail.len && !str_eq(media->detail, STR("auto")))
        TRY(ir_lose(g->report, "image_detail", "messages.content.image_url.detail", g->fault));
    if (media->file_id.len)
        return gemini_refuse(
            g, ERR_UNSUPPORTED_PARAM, place,
            "%.*s: a file_id belongs to the provider that stores the file; send the "
            "file's bytes as file_data instead.",
            STR_ARG(place));
    if (media->text.len) {
        segments_raw(g->body, &g->w, "text", media->text);
        return ERR_OK;
    }
    if (media->url.len)
        return put_file(g, b, media);
    mime = mime.len ? audio_mime(mime) : mime_of_data(media->data);
    TRY(check_mime(g, b, mime));
    json_obj(&g->w, "inlineData");
    json_str(&g->w, "mimeType", mime);
    segments_plain(g->body, &g->w, "data", "", media->data);
    json_end(&g->w);
    return ERR_OK;
}

/* -- calls */

/* OpenAI's arguments are a string that should be an object. */
static enum err put_args(struct gemini_write *g, const struct ir_part *p)
{
    struct json_problem problem;
    if (p->custom) {
        json_obj(&g->w, "args");
        segments_raw(g->body, &g->w, "input", p->arguments.len ? p->arguments : STR("\"\""));
        json_end(&g->w);
        return ERR_OK;
    }
    struct str args = p->arguments;
    if (!p->raw_arguments)
        args = str_trim(json_unescape(args, g->a));
    if (args.len == 0)
        args = STR("{}");
    if (!json_check(args, &problem) && json_type_of(args) == JSON_OBJECT) {
        segments_raw(g->body, &g->w, "args", args);
        return ERR_OK;
    }
    json_obj(&g->w, "args");
    segments_raw(g->body, &g->w, "_raw", ir_quote(args, g->a));
    json_end(&g->w);
    return ir_degrade(g->report, "tool_arguments", "messages.tool_calls.function.arguments",
                      g->fault);
}

/* Vertex AI refused ids for long; calls and responses are matched by their order there. */
static bool sends_ids(const struct gemini_write *g)
{
    return g->t->facts->function_ids && !g->t->vertex;
}

static enum err put_call(struct gemini_write *g, const struct gemini_block *b)
{
    const struct ir_part *p = b->part;
    json_obj(&g->w, "functionCall");
    json_str(&g->w, "name", gemini_tool_name(g->rq, p->name, g->a));
    TRY(put_args(g, p));
    if (sends_ids(g))
        json_str(&g->w, "id", b->id);
    json_end(&g->w);
    if (b->dummy)
        json_raw(&g->w, "thoughtSignature", dummy_signature);
    return ERR_OK;
}

/* -- responses */

/* The texts of a result, joined: plain. */
static struct str text_of(struct gemini_write *g, const struct ir_part *result)
{
    struct str text = { 0 };
    for (const struct ir_part *p = result->content; p; p = p->next) {
        struct str json = p->kind == IR_FILE ? p->media.text : p->json;
        if ((p->kind != IR_TEXT && p->kind != IR_FILE) || json.len == 0)
            continue;
        struct str more = json_unescape(json, g->a);
        if (text.len == 0) {
            text = more;
            continue;
        }
        char *both = arena_alloc(g->a, text.len + more.len + 1);
        memcpy(both, text.p, text.len);
        if (more.len)
            memcpy(both + text.len, more.p, more.len);
        text = str_of(both, text.len + more.len);
    }
    return text;
}

/* `response` is an object: the result itself when it is one, else under the name that Google's SDKs
 * use (FunctionResponse.response, August 2026). */
static void put_response(struct gemini_write *g, const struct ir_part *result)
{
    struct str text = text_of(g, result), object = str_trim(text);
    struct json_problem problem;
    if (!result->is_error && object.len && object.p[0] == '{' && !json_check(object, &problem)) {
        segments_raw(g->body, &g->w, "response", object);
        return;
    }
    json_obj(&g->w, "response");
    segments_raw(g->body, &g->w, result->is_error ? "error" : "output", ir_quote(text, g->a));
    json_end(&g->w);
}

static enum err put_result_media(struct gemini_write *g, const struct gemini_block *b)
{
    bool any = false;
    for (const struct ir_part *p = b->part->content; p; p = p->next) {
        if (!gemini_is_media(p) || p->media.text.len)
            continue;
        if (!g->t->facts->multimodal_result) {
            TRY(ir_degrade(g->report, "tool_result_media", "messages.content", g->fault));
            continue;
        }
        if (!any)
            json_arr(&g->w, "parts");
        any = true;
        json_obj(&g->w, NULL);
        TRY(put_media(g, b, p));
        json_end(&g->w);
    }
    if (any)
        json_end(&g->w);
    return ERR_OK;
}

/* Of a part: a mark, and what its origin alone knows. */
static enum err lose_members(struct gemini_write *g, const struct ir_part *p)
{
    if (p->cache)
        TRY(ir_lose(g->report, "cache_control", "messages.content.cache_control", g->fault));
    for (const struct ir_ext *x = p->ext; x; x = x->next)
        TRY(ir_lose(g->report, arena_printf(g->a, "unknown(%.*s)", STR_ARG(x->name)).p,
                    arena_printf(g->a, "messages.content.%.*s", STR_ARG(x->name)).p, g->fault));
    return ERR_OK;
}

static enum err put_result(struct gemini_write *g, const struct gemini_block *b)
{
    json_obj(&g->w, "functionResponse");
    json_str(&g->w, "name", gemini_tool_name(g->rq, b->call->name, g->a));
    if (sends_ids(g))
        json_str(&g->w, "id", b->id);
    put_response(g, b->part);
    for (const struct ir_part *p = b->part->content; p; p = p->next)
        TRY(lose_members(g, p));
    TRY(put_result_media(g, b));
    json_end(&g->w);
    return ERR_OK;
}

/* -- any part */

static enum err put_data(struct gemini_write *g, const struct gemini_block *b)
{
    const struct ir_part *p = b->part;
    switch (p->kind) {
    case IR_TEXT: segments_raw(g->body, &g->w, "text", p->json); return ERR_OK;
    case IR_REFUSAL: /* Gemini has no such part */
        segments_raw(g->body, &g->w, "text", p->json);
        return ir_degrade(g->report, "refusal", "messages.refusal", g->fault);
    case IR_REASONING: /* its own: gemini_arrange left the others out */
        segments_raw(g->body, &g->w, "text", p->json);
        json_bool(&g->w, "thought", true);
        return ERR_OK;
    case IR_IMAGE:
    case IR_AUDIO:
    case IR_FILE: return put_media(g, b, p);
    case IR_TOOL_CALL: return put_call(g, b);
    case IR_TOOL_RESULT: return put_result(g, b);
    case IR_OPAQUE:
        json_str(&g->w, "text", STR(" "));
        return ir_lose(g->report, "opaque_block", "messages.content", g->fault);
    }
    return ERR_OK;
}

enum err gemini_put_block(struct gemini_write *g, const struct gemini_block *b)
{
    const struct ir_part *p = b->part;
    if (!p) {
        json_obj(&g->w, NULL);
        json_raw(&g->w, "text", b->text);
        json_end(&g->w);
        return ERR_OK;
    }
    TRY(lose_members(g, p));
    if (p->kind == IR_OPAQUE && p->origin == IR_FROM_GEMINI) {
        segments_raw(g->body, &g->w, NULL, p->raw);
        return ERR_OK;
    }
    json_obj(&g->w, NULL);
    TRY(put_data(g, b));
    /* Bound to the model that made it: one of another family is refused there. */
    if (p->signature.len && p->origin == IR_FROM_GEMINI && !b->dummy)
        segments_raw(g->body, &g->w, "thoughtSignature", p->signature);
    json_end(&g->w);
    return ERR_OK;
}
