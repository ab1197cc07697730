/* Content parts of input items. OpenAI's API reference, "Responses", input_text, input_image and input_file, August 2026. */
#include "dialect/responses_provider_priv.h"

static const char *data_prefix(struct rc_write *c, struct str mime, const char *otherwise)
{
    struct str type = mime.len ? mime : str_c(otherwise);
    return arena_printf(c->a, "data:%.*s;base64,", STR_ARG(type)).p;
}

/* References are bound to one provider: OpenAI's own are good in both of its APIs. */
static bool has_own_ids(const struct rc_write *c)
{
    return c->rq->origin == IR_FROM_OPENAI_CHAT || c->rq->origin == IR_FROM_OPENAI_RESPONSES;
}

static bool is_http(struct str url)
{
    struct str s = str_skip(url, 1);
    return str_starts_nocase(s, STR("http:")) || str_starts_nocase(s, STR("https:"));
}

static enum err put_image(struct rc_write *c, const struct ir_part *part)
{
    const struct ir_media *media = &part->media;
    json_strz(&c->w, "type", "input_image");
    if (media->data.len)
        segments_plain(c->s, &c->w, "image_url", data_prefix(c, media->mime, "image/png"),
                       media->data);
    else if (media->url.len && is_http(media->url))
        json_raw(&c->w, "image_url", media->url);
    else if (media->file_id.len && has_own_ids(c))
        json_raw(&c->w, "file_id", media->file_id);
    else
        return rc_refuse(c, rc_place(c),
                         "holds an image that the Responses API cannot reach; send it as a data: "
                         "URL with base64, or as an http(s) URL");
    json_str(&c->w, "detail", media->detail.len ? media->detail : STR("auto"));
    return ERR_OK;
}

static enum err put_file(struct rc_write *c, const struct ir_part *part)
{
    const struct ir_media *media = &part->media;
    if (media->text.len) { /* a document of plain text has no part of its own */
        json_strz(&c->w, "type", "input_text");
        segments_raw(c->s, &c->w, "text", media->text);
        return ir_degrade(c->report, "document", rc_place(c), c->fault);
    }
    json_strz(&c->w, "type", "input_file");
    if (media->data.len)
        segments_plain(c->s, &c->w, "file_data",
                       data_prefix(c, media->mime, "application/octet-stream"), media->data);
    else if (media->url.len && is_http(media->url))
        json_raw(&c->w, "file_url", media->url);
    else if (media->file_id.len && has_own_ids(c))
        json_raw(&c->w, "file_id", media->file_id);
    else
        return rc_refuse(c, rc_place(c),
                         "holds a file that the Responses API cannot reach; send it as base64, or "
                         "as an http(s) URL");
    if (media->filename.len)
        json_raw(&c->w, "filename", media->filename);
    else if (media->data.len) /* what it is is told by its name */
        json_strz(&c->w, "filename",
                  str_eq(media->mime, STR("application/pdf")) ? "document.pdf" : "document");
    return ERR_OK;
}

static bool is_marked(const struct rc_write *c, const struct ir_part *part)
{
    /* The types allow it on images too; the service refuses it there. */
    return part->cache && c->t->facts->cache_breakpoints > 0 && part->kind != IR_IMAGE;
}

static enum err put_cache(struct rc_write *c, const struct ir_part *part)
{
    if (!part->cache)
        return ERR_OK;
    if (!is_marked(c, part))
        return rc_lose(c, "cache_control");
    json_obj(&c->w, "prompt_cache_breakpoint");
    json_strz(&c->w, "mode", "explicit");
    json_end(&c->w);
    return ERR_OK;
}

/* One element of a content array. */
static enum err put_part(struct rc_write *c, const struct ir_part *part)
{
    if (part->kind == IR_OPAQUE && part->origin == IR_FROM_OPENAI_RESPONSES) {
        segments_raw(c->s, &c->w, NULL, part->raw);
        return ERR_OK;
    }
    if (part->kind == IR_OPAQUE)
        return ir_drop(c->report, "content", rc_place(c), c->fault);
    if (part->kind == IR_AUDIO)
        return rc_refuse(c, rc_place(c),
                         "holds audio, which the Responses API does not take; send it to a model "
                         "that is reached by Chat Completions");
    json_obj(&c->w, NULL);
    if (part->kind == IR_IMAGE) {
        TRY(put_image(c, part));
    } else if (part->kind == IR_FILE) {
        TRY(put_file(c, part));
    } else {
        json_strz(&c->w, "type", "input_text");
        segments_raw(c->s, &c->w, "text", part->json.len ? part->json : STR("\"\""));
    }
    TRY(put_cache(c, part));
    TRY(rc_put_ext(c, part->ext));
    json_end(&c->w);
    return part->signature.len ? rc_lose(c, "reasoning_state") : ERR_OK;
}

bool rc_is_item(const struct ir_part *part)
{
    static const struct str type = STR_INIT("type");
    struct json_member m;
    return part->kind == IR_OPAQUE && part->origin == IR_FROM_OPENAI_RESPONSES &&
           json_peek_object(part->raw, &type, 1, &m, NULL) &&
           !str_starts(json_value(part->raw, &m), STR("\"input_"));
}

static bool is_content(const struct ir_part *part)
{
    return part->kind != IR_TOOL_CALL && part->kind != IR_TOOL_RESULT &&
           part->kind != IR_REASONING && !rc_is_item(part);
}

static const struct ir_part *skip_others(const struct ir_part *part)
{
    while (part && !is_content(part))
        part = part->next;
    return part;
}

enum err rc_put_content(struct rc_write *c, const char *name, const struct ir_part *parts)
{
    const struct ir_part *first = skip_others(parts);
    if (!first) {
        json_strz(&c->w, name, "");
        return ERR_OK;
    }
    if (first->kind == IR_TEXT && !skip_others(first->next) && !is_marked(c, first) &&
        !first->ext && !first->signature.len) {
        segments_raw(c->s, &c->w, name, first->json.len ? first->json : STR("\"\""));
        return first->cache ? rc_lose(c, "cache_control") : ERR_OK;
    }
    json_arr(&c->w, name);
    for (const struct ir_part *part = first; part; part = skip_others(part->next))
        TRY(put_part(c, part));
    json_end(&c->w);
    return ERR_OK;
}
