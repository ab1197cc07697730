/* Content blocks of a request, one function a kind (Claude API reference, "Messages", request body,
 * August 2026). */
#include "dialect/anthropic_priv.h"
#include "dialect/tools.h"
#include "wire/base64.h"
#include "wire/json_scan.h"
#include "wire/utf8.h"

static struct str path_of(struct anthropic_write *aw, const struct anthropic_block *b)
{
    return arena_printf(aw->a, "messages[%u].content[%u]", b->message, b->index);
}

static enum err refuse_block(struct anthropic_write *aw, const struct anthropic_block *b,
                             const char *why)
{
    struct str path = path_of(aw, b);
    return anthropic_refuse(aw, ERR_UNSUPPORTED_PARAM, path, "%.*s: %s", STR_ARG(path), why);
}

enum err anthropic_put_cache(struct anthropic_write *aw, bool marked, struct str ttl)
{
    if (!marked)
        return ERR_OK;
    if (aw->cache_skip) {
        aw->cache_skip--; /* four breakpoints are taken; the last ones cache the most */
        return ir_degrade(aw->report, "cache_control", "cache_control", aw->fault);
    }
    json_obj(&aw->w, "cache_control");
    json_strz(&aw->w, "type", "ephemeral");
    if (ttl.len)
        json_str(&aw->w, "ttl", ttl);
    json_end(&aw->w);
    return ERR_OK;
}

enum err anthropic_put_ext(struct anthropic_write *aw, const struct ir_ext *ext, const char *where)
{
    for (; ext; ext = ext->next) {
        if (ext->origin != IR_FROM_ANTHROPIC) {
            TRY(anthropic_unknown(aw, ext->name, where));
            continue;
        }
        json_name(&aw->w, ext->name);
        segments_raw(aw->body, &aw->w, NULL, ext->raw);
    }
    return ERR_OK;
}

/* -- text */

static enum err put_text(struct anthropic_write *aw, const struct anthropic_block *b)
{
    const struct ir_part *p = b->part;
    json_obj(&aw->w, NULL);
    json_strz(&aw->w, "type", "text");
    segments_raw(aw->body, &aw->w, "text", b->text.len || !p ? b->text : p->json);
    if (p) {
        TRY(anthropic_put_ext(aw, p->ext, "messages.content"));
        TRY(anthropic_put_cache(aw, p->cache, p->cache_ttl));
    }
    json_end(&aw->w);
    return ERR_OK;
}

/* -- images and documents */

/* By the first bytes, where the source says nothing. */
static struct str sniffed(struct str base64)
{
    static const struct {
        struct str magic, mime;
    } known[] = {
        { STR_INIT("iVBORw0KGgo"), STR_INIT("image/png") },
        { STR_INIT("/9j/"), STR_INIT("image/jpeg") },
        { STR_INIT("R0lGOD"), STR_INIT("image/gif") },
        { STR_INIT("UklGR"), STR_INIT("image/webp") },
        { STR_INIT("JVBERi"), STR_INIT("application/pdf") },
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (str_starts(base64, known[i].magic))
            return known[i].mime;
    return str_of(NULL, 0);
}

static struct str mime_of(const struct ir_media *m)
{
    struct str mime = m->mime;
    size_t semicolon = str_find_char(mime, ';');
    if (semicolon != STR_NONE)
        mime = str_trim(str_head(mime, semicolon)); /* text/plain;charset=utf-8 */
    if (!mime.len || str_eq(mime, STR("application/octet-stream")))
        return sniffed(m->data);
    return str_eq(mime, STR("image/jpg")) ? STR("image/jpeg") : mime;
}

static bool image_is_known(struct str mime)
{
    return str_eq(mime, STR("image/jpeg")) || str_eq(mime, STR("image/png")) ||
           str_eq(mime, STR("image/gif")) || str_eq(mime, STR("image/webp"));
}

static bool is_text(struct str mime)
{
    return str_starts(mime, STR("text/")) || str_eq(mime, STR("application/json"));
}

/* `json` is a literal: a URL that the provider may fetch itself. */
static enum err check_url(struct anthropic_write *aw, const struct anthropic_block *b,
                          struct str json)
{
    struct str url = json_unescape(json, aw->a);
    if (!str_starts_nocase(url, STR("https://")) && !str_starts_nocase(url, STR("http://")))
        return refuse_block(aw, b, "the URL must be an http(s): or a data: URL.");
    if (aw->t->vertex) /* Claude on Vertex AI, "Features", August 2026: no URL sources */
        return refuse_block(
            aw, b,
            "Claude on Vertex AI does not fetch URLs, and neither does the gateway; "
            "send the content itself as a data: URL.");
    return ERR_OK;
}

static void put_source(struct anthropic_write *aw, const char *type, const char *mime)
{
    json_obj(&aw->w, "source");
    json_strz(&aw->w, "type", type);
    if (mime)
        json_strz(&aw->w, "media_type", mime);
}

/* No level of detail: "Vision", Claude docs, August 2026. "auto" asks for nothing. */
static enum err lose_detail(struct anthropic_write *aw, const struct ir_media *m)
{
    return m->detail.len && !str_eq(m->detail, STR("auto"))
               ? ir_lose(aw->report, "image_detail", "image_url.detail", aw->fault)
               : ERR_OK;
}

static enum err put_image(struct anthropic_write *aw, const struct anthropic_block *b)
{
    const struct ir_media *m = &b->part->media;
    struct str mime = mime_of(m);
    json_obj(&aw->w, NULL);
    json_strz(&aw->w, "type", "image");
    if (m->url.len) {
        TRY(check_url(aw, b, m->url));
        put_source(aw, "url", NULL);
        json_raw(&aw->w, "url", m->url);
    } else {
        if (!image_is_known(mime))
            return refuse_block(
                aw, b, "the image must be image/jpeg, image/png, image/gif or image/webp.");
        put_source(aw, "base64", NULL);
        json_str(&aw->w, "media_type", mime);
        segments_plain(aw->body, &aw->w, "data", "", m->data);
    }
    json_end(&aw->w);
    return lose_detail(aw, m);
}

/* The text of a document that came as base64. */
static enum err decode_text(struct anthropic_write *aw, const struct anthropic_block *b,
                            struct str *ret_json)
{
    struct str bytes;
    if (base64_decode(b->part->media.data, aw->a, &bytes) || !utf8_valid(bytes))
        return refuse_block(aw, b, "a text file must be UTF-8, encoded as base64.");
    if (str_trim(bytes).len == 0)
        return refuse_block(aw, b, "the file is empty.");
    *ret_json = ir_quote(bytes, aw->a);
    return ERR_OK;
}

static enum err put_document(struct anthropic_write *aw, const struct anthropic_block *b)
{
    const struct ir_media *m = &b->part->media;
    struct str mime = mime_of(m), text = m->text;
    json_obj(&aw->w, NULL);
    json_strz(&aw->w, "type", "document");
    if (m->url.len) {
        TRY(check_url(aw, b, m->url));
        put_source(aw, "url", NULL);
        json_raw(&aw->w, "url", m->url);
    } else if (!text.len && str_eq(mime, STR("application/pdf"))) {
        put_source(aw, "base64", "application/pdf");
        segments_plain(aw->body, &aw->w, "data", "", m->data);
    } else if (text.len || is_text(mime)) {
        if (!text.len)
            TRY(decode_text(aw, b, &text));
        put_source(aw, "text", "text/plain");
        segments_raw(aw->body, &aw->w, "data", text);
    } else {
        return refuse_block(aw, b, "a file must be a PDF, an image or plain text.");
    }
    json_end(&aw->w);
    if (m->filename.len && !ir_is_blank(m->filename))
        json_raw(&aw->w, "title", m->filename);
    return lose_detail(aw, m);
}

static enum err put_media(struct anthropic_write *aw, const struct anthropic_block *b)
{
    const struct ir_part *p = b->part;
    const struct ir_media *m = &p->media;
    if (m->file_id.len) /* files belong to one provider's account */
        return refuse_block(
            aw, b, "a file_id of another provider cannot be used; send the content itself.");
    if (!m->url.len && !m->text.len && !m->data.len)
        return refuse_block(aw, b, "the data is empty.");
    struct str mime = mime_of(m);
    bool is_doc = m->text.len || is_text(mime) || str_eq(mime, STR("application/pdf"));
    if (p->kind == IR_FILE)
        is_doc = !str_starts(mime, STR("image/"));
    TRY(is_doc ? put_document(aw, b) : put_image(aw, b));
    TRY(anthropic_put_ext(aw, p->ext, "messages.content"));
    TRY(anthropic_put_cache(aw, p->cache, p->cache_ttl));
    json_end(&aw->w);
    return ERR_OK;
}

/* -- calls and results */

/* A string that is meant to be JSON, as an object. Its text is spliced, so that numbers stay as they
 * were written. */
static enum err put_arguments(struct anthropic_write *aw, struct str literal)
{
    struct json_problem problem;
    struct str plain = str_trim(json_unescape(literal, aw->a));
    if (plain.len == 0) {
        json_raw(&aw->w, "input", STR("{}"));
        return ERR_OK;
    }
    if (json_type_of(plain) == JSON_OBJECT && json_check(plain, &problem) == ERR_OK) {
        segments_raw(aw->body, &aw->w, "input", plain);
        return ERR_OK;
    }
    json_obj(&aw->w, "input");
    segments_raw(aw->body, &aw->w, "_raw", literal);
    json_end(&aw->w);
    return ir_degrade(aw->report, "tool_arguments", "messages.tool_calls.function.arguments",
                      aw->fault);
}

static enum err put_call(struct anthropic_write *aw, const struct anthropic_block *b)
{
    const struct ir_part *p = b->part;
    json_obj(&aw->w, NULL);
    json_strz(&aw->w, "type", "tool_use");
    json_str(&aw->w, "id", b->id);
    json_str(&aw->w, "name", anthropic_function_name(aw->rq, p->name, aw->a));
    if (p->custom) {
        json_obj(&aw->w, "input");
        segments_raw(aw->body, &aw->w, "input", p->arguments.len ? p->arguments : STR("\"\""));
        json_end(&aw->w);
    } else if (p->raw_arguments) {
        segments_raw(aw->body, &aw->w, "input", p->arguments.len ? p->arguments : STR("{}"));
    } else {
        TRY(put_arguments(aw, p->arguments));
    }
    TRY(anthropic_put_ext(aw, p->ext, "messages.tool_calls"));
    TRY(anthropic_put_cache(aw, p->cache, p->cache_ttl));
    json_end(&aw->w);
    return ERR_OK;
}

static enum err put_result(struct anthropic_write *aw, const struct anthropic_block *b)
{
    const struct ir_part *p = b->part;
    struct anthropic_block *list = NULL, **tail = &list;
    bool cache = p->cache;
    struct str ttl = p->cache_ttl;
    for (const struct ir_part *c = p->content; c; c = c->next) {
        if (c->kind == IR_TEXT && ir_is_blank(c->json))
            continue;
        struct anthropic_block *item = ARENA_NEW(aw->a, struct anthropic_block);
        *item = (struct anthropic_block){ .part = c, .message = b->message, .index = b->index };
        IR_APPEND(tail, item);
    }
    json_obj(&aw->w, NULL);
    json_strz(&aw->w, "type", "tool_result");
    json_str(&aw->w, "tool_use_id", b->id);
    if (list)
        TRY(anthropic_put_blocks(aw, "content", list));
    if (p->is_error)
        json_bool(&aw->w, "is_error", true);
    TRY(anthropic_put_ext(aw, p->ext, "messages"));
    TRY(anthropic_put_cache(aw, cache, ttl));
    json_end(&aw->w);
    return ERR_OK;
}

/* -- what Anthropic itself made */

/* Byte for byte as it came: a changed one is refused. */
static void put_thinking(struct anthropic_write *aw, const struct ir_part *p)
{
    json_obj(&aw->w, NULL);
    if (p->redacted.len) {
        json_strz(&aw->w, "type", "redacted_thinking");
        segments_raw(aw->body, &aw->w, "data", p->redacted);
    } else {
        json_strz(&aw->w, "type", "thinking");
        segments_raw(aw->body, &aw->w, "thinking", p->json.len ? p->json : STR("\"\""));
        segments_raw(aw->body, &aw->w, "signature", p->signature);
    }
    json_end(&aw->w);
}

static enum err put_block(struct anthropic_write *aw, const struct anthropic_block *b)
{
    if (!b->part)
        return put_text(aw, b);
    switch (b->part->kind) {
    case IR_REFUSAL:
        TRY(ir_degrade(aw->report, "refusal", "messages.refusal", aw->fault));
        return put_text(aw, b);
    case IR_TEXT: return put_text(aw, b);
    case IR_IMAGE:
    case IR_FILE: return put_media(aw, b);
    case IR_TOOL_CALL: return put_call(aw, b);
    case IR_TOOL_RESULT: return put_result(aw, b);
    case IR_REASONING: put_thinking(aw, b->part); return ERR_OK;
    case IR_OPAQUE: segments_raw(aw->body, &aw->w, NULL, b->part->raw); return ERR_OK;
    case IR_AUDIO:
        return refuse_block(
            aw, b, "Claude does not take audio; Gemini's models and OpenAI's audio models do.");
    }
    return ERR_OK;
}

static bool is_one_text(const struct anthropic_block *b)
{
    if (b->next)
        return false;
    return !b->part || (b->part->kind == IR_TEXT && !b->part->cache && !b->part->ext);
}

enum err anthropic_put_blocks(struct anthropic_write *aw, const char *name,
                              const struct anthropic_block *blocks)
{
    if (blocks && is_one_text(blocks)) {
        segments_raw(aw->body, &aw->w, name, blocks->text.len ? blocks->text : blocks->part->json);
        return ERR_OK;
    }
    json_arr(&aw->w, name);
    for (; blocks; blocks = blocks->next)
        TRY(put_block(aw, blocks));
    json_end(&aw->w);
    return ERR_OK;
}
