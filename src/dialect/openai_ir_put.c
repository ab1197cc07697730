/* Messages of a request in OpenAI's Chat Completions. What another dialect has in one turn may need several messages here:
 * answers of tools come first, each its own message, and their images follow in a message of the user. */
#include "base/mem.h"
#include "dialect/openai_ir_priv.h"
#include "dialect/openai_quirks.h"
#include "dialect/tools.h"

struct media {
    struct media *next;
    struct str call_id;
    const struct ir_part *part;
};

struct put {
    struct oa_write *o;
    const struct ir_message *m;
    struct media *media, **media_tail; /* of results, not written yet */
};

/* "messages[3].content", for reports. */
static const char *place(const struct put *p)
{
    return arena_printf(p->o->a, "messages[%u].content", p->m->index).p;
}

static enum err lose(struct put *p, const char *tag)
{
    return ir_lose(p->o->report, tag, place(p), p->o->fault);
}

static enum err put_ext(struct put *p, const struct ir_ext *ext)
{
    for (; ext; ext = ext->next) {
        if (ext->origin == IR_FROM_OPENAI_CHAT) {
            json_name(&p->o->w, ext->name);
            segments_raw(p->o->s, &p->o->w, NULL, ext->raw);
            continue;
        }
        struct str tag = arena_printf(p->o->a, "unknown(%.*s)", STR_ARG(str_head(ext->name, 48)));
        TRY(lose(p, tag.p));
    }
    return ERR_OK;
}

/* -- parts */

static enum err refuse(struct put *p, const char *what)
{
    fault_set(
        p->o->fault, ERR_UNSUPPORTED_PARAM, p->o->a,
        "%s holds %s, which Chat Completions of %.*s cannot take. Send the content itself, as base64.",
        place(p), what, STR_ARG(p->o->t->model));
    p->o->fault->param = str_c(place(p));
    return ERR_UNSUPPORTED_PARAM;
}

static const char *data_prefix(struct put *p, struct str mime, const char *otherwise)
{
    return arena_printf(p->o->a, "data:%.*s;base64,", STR_ARG(mime.len ? mime : str_c(otherwise)))
        .p;
}

static enum err put_image(struct put *p, const struct ir_part *part)
{
    struct oa_write *o = p->o;
    const struct ir_media *media = &part->media;
    if (!media->data.len && !media->url.len)
        return refuse(p, "an image by file id");
    json_strz(&o->w, "type", "image_url");
    json_obj(&o->w, "image_url");
    if (media->data.len)
        segments_plain(o->s, &o->w, "url", data_prefix(p, media->mime, "image/png"), media->data);
    else
        json_raw(&o->w, "url", media->url);
    if (media->detail.len)
        json_str(&o->w, "detail",
                 str_eq(media->detail, STR("original")) ? STR("high") : media->detail);
    json_end(&o->w);
    return ERR_OK;
}

static enum err put_audio(struct put *p, const struct ir_part *part)
{
    struct oa_write *o = p->o;
    struct str format = part->media.format, mime = part->media.mime;
    if (!part->media.data.len)
        return refuse(p, "audio by reference");
    if (!format.len)
        format = str_starts(mime, STR("audio/")) ? str_skip(mime, 6) : STR("wav");
    json_strz(&o->w, "type", "input_audio");
    json_obj(&o->w, "input_audio");
    segments_plain(o->s, &o->w, "data", "", part->media.data);
    json_str(&o->w, "format", str_eq(format, STR("mpeg")) ? STR("mp3") : format);
    json_end(&o->w);
    return ERR_OK;
}

static enum err put_file(struct put *p, const struct ir_part *part)
{
    struct oa_write *o = p->o;
    const struct ir_media *media = &part->media;
    if (media->text.len) { /* a document of plain text has no part of its own */
        json_strz(&o->w, "type", "text");
        segments_raw(o->s, &o->w, "text", media->text);
        return ir_degrade(o->report, "document", place(p), o->fault);
    }
    if (media->file_id.len && o->rq->origin != IR_FROM_OPENAI_CHAT)
        return refuse(p, "a file id of another provider");
    if (media->url.len && o->rq->origin != IR_FROM_OPENAI_CHAT)
        return refuse(p, "a file by URL");
    json_strz(&o->w, "type", "file");
    json_obj(&o->w, "file");
    if (media->file_id.len)
        json_raw(&o->w, "file_id", media->file_id);
    else if (media->url.len)
        json_raw(&o->w, "file_id", media->url); /* LiteLLM's place, where it was read */
    else
        segments_plain(o->s, &o->w, "file_data",
                       data_prefix(p, media->mime, "application/octet-stream"), media->data);
    if (media->filename.len)
        json_raw(&o->w, "filename", media->filename);
    else if (media->data.len && o->rq->origin != IR_FROM_OPENAI_CHAT)
        json_strz(&o->w, "filename",
                  str_eq(media->mime, STR("application/pdf")) ? "document.pdf" : "document");
    json_end(&o->w);
    return media->detail.len && !str_eq(media->detail, STR("auto")) ? lose(p, "image_detail")
                                                                    : ERR_OK;
}

/* Marks from gpt-5.6 on ("Prompt caching", August 2026); before, OpenAI refuses them. */
static bool takes_breakpoints(struct str model)
{
    return model_facts_find(STR("openai"), model)->cache_breakpoints > 0;
}

static enum err put_cache(struct put *p, const struct ir_part *part)
{
    if (!part->cache)
        return ERR_OK;
    if (!takes_breakpoints(p->o->t->model) || (part->kind != IR_TEXT && part->kind != IR_FILE))
        return lose(p, "cache_control");
    json_obj(&p->o->w, "prompt_cache_breakpoint");
    json_strz(&p->o->w, "mode", "explicit");
    json_end(&p->o->w);
    return ERR_OK;
}

/* One element of a content array. */
static enum err put_part(struct put *p, const struct ir_part *part)
{
    struct oa_write *o = p->o;
    if (part->kind == IR_OPAQUE) {
        if (part->origin != IR_FROM_OPENAI_CHAT)
            return ir_drop(o->report, "content", place(p), o->fault);
        segments_raw(o->s, &o->w, NULL, part->raw);
        return ERR_OK;
    }
    json_obj(&o->w, NULL);
    if (part->kind == IR_IMAGE) {
        TRY(put_image(p, part));
    } else if (part->kind == IR_AUDIO) {
        TRY(put_audio(p, part));
    } else if (part->kind == IR_FILE) {
        TRY(put_file(p, part));
    } else {
        const char *kind = part->kind == IR_REFUSAL ? "refusal" : "text";
        json_strz(&o->w, "type", kind);
        segments_raw(o->s, &o->w, kind, part->json.len ? part->json : STR("\"\""));
    }
    TRY(put_cache(p, part));
    TRY(put_ext(p, part->ext));
    json_end(&o->w);
    return ERR_OK;
}

typedef bool part_filter(const struct ir_part *part);

static bool is_said(const struct ir_part *part)
{
    return part->kind != IR_TOOL_RESULT && part->kind != IR_TOOL_CALL &&
           part->kind != IR_REASONING && !ir_is_item(part);
}

static bool is_text_or_refusal(const struct ir_part *part)
{
    return part->kind == IR_TEXT || part->kind == IR_REFUSAL ||
           (part->kind == IR_OPAQUE && !ir_is_item(part));
}

static bool is_media(const struct ir_part *part)
{
    return part->kind == IR_IMAGE || part->kind == IR_AUDIO || part->kind == IR_FILE;
}

static bool is_text(const struct ir_part *part)
{
    return part->kind == IR_TEXT;
}

static const struct ir_part *first_of(const struct ir_part *parts, part_filter *filter)
{
    while (parts && !filter(parts))
        parts = parts->next;
    return parts;
}

/* A single bare text is a string. */
static enum err put_content(struct put *p, const struct ir_part *parts, part_filter *filter,
                            struct str when_empty)
{
    struct oa_write *o = p->o;
    const struct ir_part *first = first_of(parts, filter);
    const struct ir_part *second = first ? first_of(first->next, filter) : NULL;
    if (!first) {
        json_raw(&o->w, "content", when_empty);
        return ERR_OK;
    }
    bool marked = first->cache && takes_breakpoints(o->t->model);
    if (first->kind == IR_TEXT && !second && !marked && !first->ext) {
        segments_raw(o->s, &o->w, "content", first->json.len ? first->json : STR("\"\""));
        return first->cache ? lose(p, "cache_control") : ERR_OK;
    }
    json_arr(&o->w, "content");
    for (const struct ir_part *part = first; part; part = first_of(part->next, filter))
        TRY(put_part(p, part));
    json_end(&o->w);
    return ERR_OK;
}

/* -- answers of tools */

/* "Error: " before the text, since there is no flag. */
static struct str mark_error(struct put *p, struct str json)
{
    return arena_printf(p->o->a, "\"Error: %.*s",
                        STR_ARG(str_skip(json.len ? json : STR("\"\""), 1)));
}

static struct str tool_id(const struct oa_write *o, struct str id)
{
    return openai_tool_id(o->t->provider ? o->t->provider->tool_ids : TOOL_ID_ANY, id, o->a);
}

static enum err put_result(struct put *p, const struct ir_part *result)
{
    struct oa_write *o = p->o;
    struct ir_part *first = NULL, **tail = &first;
    for (const struct ir_part *c = result->content; c; c = c->next) {
        if (c->kind != IR_TEXT) { /* tool messages take text alone */
            struct media *media = ARENA_NEW(o->a, struct media);
            media->call_id = tool_id(o, result->call_id);
            media->part = c;
            IR_APPEND(p->media_tail, media);
            continue;
        }
        struct ir_part *copy = ARENA_NEW(o->a, struct ir_part);
        *copy = *c;
        copy->next = NULL;
        if (result->is_error && !first)
            copy->json = mark_error(p, c->json);
        IR_APPEND(tail, copy);
    }
    json_obj(&o->w, NULL);
    json_strz(&o->w, "role", "tool");
    json_str(&o->w, "tool_call_id", tool_id(o, result->call_id));
    TRY(put_content(p, first, is_text, result->is_error ? STR("\"Error\"") : STR("\"\"")));
    if (p->m->role == IR_TOOL)
        TRY(put_ext(p, p->m->ext));
    json_end(&o->w);
    if (result->is_error)
        TRY(ir_degrade(o->report, "tool_error", place(p), o->fault));
    return result->cache ? lose(p, "cache_control") : ERR_OK;
}

/* Once no further answer follows: a message of the user may not stand between them. */
static enum err flush_media(struct put *p)
{
    struct oa_write *o = p->o;
    struct str last = str_of(NULL, 0);
    if (!p->media)
        return ERR_OK;
    json_obj(&o->w, NULL);
    json_strz(&o->w, "role", "user");
    json_arr(&o->w, "content");
    for (const struct media *media = p->media; media; media = media->next) {
        if (!str_eq(last, media->call_id)) {
            json_obj(&o->w, NULL);
            json_strz(&o->w, "type", "text");
            json_str(&o->w, "text",
                     arena_printf(
                         o->a, "Part of the result of tool call %.*s:", STR_ARG(media->call_id)));
            json_end(&o->w);
            last = media->call_id;
        }
        TRY(put_part(p, media->part));
    }
    json_end(&o->w);
    json_end(&o->w);
    p->media = NULL;
    p->media_tail = &p->media;
    return ir_degrade(o->report, "tool_media", place(p), o->fault);
}

/* -- the assistant */

struct str oa_compact(struct str raw, struct arena *a)
{
    char *out = arena_alloc(a, raw.len + 1);
    size_t n = 0;
    bool quoted = false;
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.p[i];
        if (!quoted && (c == ' ' || c == '\n' || c == '\t' || c == '\r'))
            continue;
        out[n++] = c;
        if (quoted && c == '\\' && i + 1 < raw.len)
            out[n++] = raw.p[++i];
        else if (c == '"')
            quoted = !quoted;
    }
    return str_of(out, n);
}

struct str oa_one_line(struct str json, struct arena *a)
{
    bool several = json.len && (memchr(json.p, '\n', json.len) || memchr(json.p, '\r', json.len));
    return several ? oa_compact(json, a) : json;
}

static void put_signature(struct oa_write *o, struct str signature)
{
    json_obj(&o->w, "extra_content");
    json_obj(&o->w, "google");
    json_raw(&o->w, "thought_signature", signature);
    json_end(&o->w);
    json_end(&o->w);
}

static enum err put_call(struct put *p, const struct ir_part *call)
{
    struct oa_write *o = p->o;
    bool custom = call->custom && !oa_emulates_custom(o);
    const char *kind = custom ? "custom" : "function", *input = custom ? "input" : "arguments";
    json_obj(&o->w, NULL);
    json_str(&o->w, "id", tool_id(o, call->call_id));
    json_strz(&o->w, "type", kind);
    json_obj(&o->w, kind);
    json_str(&o->w, "name", oa_tool_name(o, call->name));
    if (call->custom && !custom)
        json_str(&o->w, input, custom_tool_arguments(call->arguments, o->a));
    else if (call->raw_arguments)
        json_str(&o->w, input, oa_compact(call->arguments, o->a));
    else
        segments_raw(o->s, &o->w, input, call->arguments.len ? call->arguments : STR("\"\""));
    json_end(&o->w);
    if (call->signature.len && o->rq->origin == IR_FROM_OPENAI_CHAT &&
        call->origin == IR_FROM_GEMINI)
        put_signature(o, call->signature);
    else if (call->signature.len)
        TRY(lose(p, "reasoning_state"));
    TRY(put_ext(p, call->ext));
    json_end(&o->w);
    return call->cache ? lose(p, "cache_control") : ERR_OK;
}

static bool is_call(const struct ir_part *part)
{
    return part->kind == IR_TOOL_CALL;
}

/* thinking_blocks holds blocks in Anthropic's words, reasoning_details those whose type starts with "reasoning.". */
static bool in_details(const struct ir_part *part)
{
    static const struct str type = STR_INIT("type");
    struct json_member m;
    return json_peek_object(part->raw, &type, 1, &m, NULL) &&
           str_starts(str_skip(json_value(part->raw, &m), 1), STR("reasoning."));
}

static bool is_block(const struct ir_part *part)
{
    return part->kind == IR_REASONING && part->raw.len && !in_details(part);
}

static bool is_detail(const struct ir_part *part)
{
    return part->kind == IR_REASONING && part->raw.len && in_details(part);
}

static bool is_reasoning_text(const struct ir_part *part)
{
    return part->kind == IR_REASONING && !part->raw.len && part->json.len;
}

static bool is_reasoning(const struct ir_part *part)
{
    return part->kind == IR_REASONING;
}

static void put_reasoning_list(struct put *p, const char *name, part_filter *filter)
{
    const struct ir_part *part = first_of(p->m->parts, filter);
    if (!part)
        return;
    json_arr(&p->o->w, name);
    for (; part; part = first_of(part->next, filter))
        segments_raw(p->o->s, &p->o->w, NULL, part->raw);
    json_end(&p->o->w);
}

/* A client of this dialect gets its carriers back where they were; state of another API has no carrier that OpenAI takes. */
static enum err put_reasoning(struct put *p)
{
    const struct ir_part *text = first_of(p->m->parts, is_reasoning_text);
    if (p->o->rq->origin != IR_FROM_OPENAI_CHAT)
        return first_of(p->m->parts, is_reasoning) ? lose(p, "reasoning_state") : ERR_OK;
    put_reasoning_list(p, "thinking_blocks", is_block);
    put_reasoning_list(p, "reasoning_details", is_detail);
    if (text)
        segments_raw(p->o->s, &p->o->w, "reasoning_content", text->json);
    return ERR_OK;
}

/* Chat has text before calls; a text after one moves. */
static enum err check_order(struct put *p)
{
    const struct ir_part *call = first_of(p->m->parts, is_call);
    if (call && first_of(call->next, is_text_or_refusal))
        return ir_degrade(p->o->report, "part_order", place(p), p->o->fault);
    return ERR_OK;
}

static enum err put_text_signature(struct put *p)
{
    for (const struct ir_part *part = p->m->parts; part; part = part->next) {
        if (part->kind != IR_TEXT || !part->signature.len)
            continue;
        if (p->o->rq->origin != IR_FROM_OPENAI_CHAT)
            return lose(p, "reasoning_state");
        put_signature(p->o, part->signature);
        return ERR_OK;
    }
    return ERR_OK;
}

static enum err put_assistant(struct put *p)
{
    struct oa_write *o = p->o;
    const struct ir_part *parts = p->m->parts, *call = first_of(parts, is_call);
    const struct ir_part *said = first_of(parts, is_said);
    bool refusal = said && said->kind == IR_REFUSAL && !first_of(said->next, is_said);
    bool chat = o->rq->origin == IR_FROM_OPENAI_CHAT;
    TRY(check_order(p));
    json_obj(&o->w, NULL);
    json_strz(&o->w, "role", "assistant");
    if (p->m->name.len)
        json_raw(&o->w, "name", p->m->name);
    TRY(put_reasoning(p));
    if (refusal) {
        json_null(&o->w, "content");
        segments_raw(o->s, &o->w, "refusal", said->json);
    } else if (first_of(parts, is_media)) {
        return refuse(p, "media in a message of the assistant");
    } else {
        TRY(put_content(p, parts, is_text_or_refusal,
                        call || (chat && p->m->ext) ? STR("null") : STR("\"\"")));
    }
    TRY(put_text_signature(p));
    if (call) {
        json_arr(&o->w, "tool_calls");
        for (; call; call = first_of(call->next, is_call))
            TRY(put_call(p, call));
        json_end(&o->w);
    }
    TRY(put_ext(p, p->m->ext));
    json_end(&o->w);
    return ERR_OK;
}

/* -- messages */

/* What is left of a tool's message but its results is the user's; few providers beside OpenAI know developers. */
static enum ir_role role_of(const struct put *p)
{
    const struct provider *row = p->o->t->provider;
    if (p->m->role == IR_DEVELOPER && row && row->developer_as_system)
        return IR_SYSTEM;
    return p->m->role == IR_TOOL ? IR_USER : p->m->role;
}

static enum err put_plain(struct put *p)
{
    struct oa_write *o = p->o;
    json_obj(&o->w, NULL);
    json_strz(&o->w, "role", ir_role_name(role_of(p)));
    if (p->m->name.len)
        json_raw(&o->w, "name", p->m->name);
    TRY(put_content(p, p->m->parts, is_said, STR("\"\"")));
    TRY(put_ext(p, p->m->ext));
    json_end(&o->w);
    return ERR_OK;
}

static enum err lose_items(struct put *p)
{
    for (const struct ir_part *part = p->m->parts; part; part = part->next)
        if (ir_is_item(part))
            TRY(ir_lose(p->o->report, "builtin_tools",
                        arena_printf(p->o->a, "messages[%u]", part->index).p, p->o->fault));
    return ERR_OK;
}

static enum err put_message(struct put *p)
{
    bool results = false;
    TRY(lose_items(p));
    if (ir_is_items(p->m)) /* as if it were not there */
        return ERR_OK;
    if (p->m->role == IR_ASSISTANT) {
        TRY(flush_media(p));
        return put_assistant(p);
    }
    for (const struct ir_part *part = p->m->parts; part; part = part->next) {
        if (part->kind != IR_TOOL_RESULT)
            continue;
        TRY(put_result(p, part));
        results = true;
    }
    if (results && !first_of(p->m->parts, is_said))
        return ERR_OK;
    TRY(flush_media(p));
    return put_plain(p);
}

enum err oa_put_messages(struct oa_write *o)
{
    struct put p = { .o = o };
    p.media_tail = &p.media;
    json_arr(&o->w, "messages");
    for (p.m = o->rq->messages; p.m; p.m = p.m->next) {
        TRY(put_message(&p));
        if (!p.m->next)
            TRY(flush_media(&p));
    }
    json_end(&o->w);
    return ERR_OK;
}
