/* The parts of a candidate's content (Gemini API reference, "Part", August 2026). */
#include "dialect/gemini_priv.h"
#include "dialect/tools.h"
#include "wire/digest.h"

#include <stdio.h>

#define ID_HASH_DIGITS 24

enum part_kind { PART_NONE, PART_TEXT, PART_THOUGHT, PART_CALL, PART_OTHER };

enum {
    P_TEXT,
    P_THOUGHT,
    P_SIGNATURE,
    P_CALL,
    P_INLINE,
    P_CODE,
    P_RESULT,
    P_TOOL_CALL,
    P_TOOL_RESPONSE,
    P_COUNT
};

static const struct str part_names[P_COUNT] = {
    STR_INIT("text"),
    STR_INIT("thought"),
    STR_INIT("thoughtSignature"),
    STR_INIT("functionCall"),
    STR_INIT("inlineData"),
    STR_INIT("executableCode"),
    STR_INIT("codeExecutionResult"),
    STR_INIT("toolCall"),
    STR_INIT("toolResponse"),
};

/* Where each part of the whole content starts; a chunk of a stream continues the part before it
 * when it is of the same kind. */
static void begin_part(struct gemini_reader *r, struct gemini_choice *ch, enum part_kind kind)
{
    bool same = !r->whole && ch->last_kind == (int)kind && kind != PART_CALL && kind != PART_OTHER;
    ch->last_kind = (int)kind;
    if (same)
        return;
    if (ch->parts < GEMINI_PARTS_MAX)
        ch->starts[ch->parts] = ch->text.len;
    ch->parts++;
}

static void emit_json(struct gemini_choice *ch, enum ir_event_kind kind, struct str json,
                      struct ir_sink *sink)
{
    struct ir_event ev = {
        .kind = kind, .choice = ch->index, .json = json, .origin = IR_FROM_GEMINI
    };
    ir_emit(sink, &ev);
}

void gemini_emit_loss(const struct gemini_choice *ch, const char *tag, bool degraded,
                      struct ir_sink *sink)
{
    struct ir_event ev = {
        .kind = IR_EV_LOSS, .choice = ch->index, .name = str_c(tag), .degraded = degraded
    };
    ir_emit(sink, &ev);
}

static void emit_text(struct gemini_reader *r, struct gemini_choice *ch, struct str json,
                      struct ir_sink *sink)
{
    if (json.len <= 2)
        return;
    ch->content = true;
    buf_put(&ch->text, json_unescape(json, r->c->arena));
    emit_json(ch, IR_EV_TEXT, json, sink);
}

/* -- calls */

struct str gemini_compact(struct str json, struct arena *a)
{
    char *p = arena_alloc(a, json.len + 1);
    size_t n = 0;
    bool inside = false;
    for (size_t i = 0; i < json.len; i++) {
        char c = json.p[i];
        if (inside && c == '\\' && i + 1 < json.len) {
            p[n++] = c;
            c = json.p[++i];
        } else if (c == '"') {
            inside = !inside;
        } else if (!inside && (c == ' ' || c == '\n' || c == '\r' || c == '\t')) {
            continue;
        }
        p[n++] = c;
    }
    return str_of(p, n);
}

/* The same answer always gives the same ids. */
static struct str call_id(struct gemini_reader *r, const struct gemini_choice *ch, struct str id)
{
    char hex[SHA256_HEX_BYTES];
    struct arena *a = r->c->arena;
    if (id.len)
        return id;
    sha256_hex(arena_printf(a, "%.*s/%u/%u", STR_ARG(r->c->id), ch->index, ch->calls_met), hex);
    return arena_printf(a, "call_%.*s", ID_HASH_DIGITS, hex);
}

/* A free-text tool was sent as a function of one string. */
static struct str arguments_of(const struct ir_tool *tool, struct str args, struct arena *a)
{
    return tool && tool->kind == IR_CUSTOM ? custom_tool_input(args, a) : ir_quote(args, a);
}

void gemini_emit_call(struct gemini_reader *r, struct gemini_choice *ch, struct str id,
                      struct str name, struct str args, struct str signature, struct ir_sink *sink)
{
    struct arena *a = r->c->arena;
    const struct ir_tool *tool = gemini_tool_of(r->c->rq, name, a);
    struct ir_event ev = { .kind = IR_EV_TOOL_CALL, .choice = ch->index, .part = ch->calls };
    ev.call_id = call_id(r, ch, id);
    ch->calls_met++;
    /* What parallel_tool_calls: false means here: the first call, which carries the signature. */
    if (r->c->rq->parallel_tool_calls == 0 && ch->calls > 0) {
        gemini_emit_loss(ch, "parallel_tool_calls", false, sink);
        return;
    }
    ch->calls++;
    ch->content = true;
    ev.name = tool ? tool->name : name;
    ev.custom = tool && tool->kind == IR_CUSTOM;
    ev.signature = signature;
    ev.origin = IR_FROM_GEMINI;
    ir_emit(sink, &ev);
    args = json_type_of(args) == JSON_OBJECT ? gemini_compact(args, a) : STR("{}");
    struct ir_event piece = { .kind = IR_EV_TOOL_ARGUMENTS,
                              .choice = ch->index,
                              .part = ev.part,
                              .json = arguments_of(tool, args, a) };
    ir_emit(sink, &piece);
    struct ir_event end = { .kind = IR_EV_TOOL_END, .choice = ch->index, .part = ev.part };
    ir_emit(sink, &end);
}

static void flush_partial(struct gemini_reader *r, struct gemini_choice *ch, struct ir_sink *sink)
{
    if (!ch->open)
        return;
    struct gemini_call c = gemini_partial_take(&ch->open, r->c->arena);
    gemini_emit_call(r, ch, c.id, c.name, c.args, c.signature, sink);
}

static void read_call(struct gemini_reader *r, struct gemini_choice *ch, struct str call,
                      struct str signature, struct ir_sink *sink)
{
    enum { ID, NAME, ARGS, MORE, PIECES, N };
    static const struct str names[N] = { STR_INIT("id"), STR_INIT("name"), STR_INIT("args"),
                                         STR_INIT("willContinue"), STR_INIT("partialArgs") };
    struct json_member m[N];
    if (!json_peek_object(call, names, N, m, NULL))
        return;
    bool named = m[NAME].type == JSON_STRING && m[NAME].value_len > 2;
    if (named)
        flush_partial(r, ch, sink); /* a call that was never closed */
    if (ch->open || m[MORE].type == JSON_TRUE || m[PIECES].type == JSON_ARRAY) {
        if ((ch->open || named) && gemini_partial_add(&ch->open, call, signature, r->c->arena))
            flush_partial(r, ch, sink);
        return;
    }
    if (!named)
        return;
    struct arena *a = r->c->arena;
    gemini_emit_call(
        r, ch,
        m[ID].type == JSON_STRING ? json_unescape(json_value(call, &m[ID]), a) : str_of(NULL, 0),
        json_unescape(json_value(call, &m[NAME]), a), json_value(call, &m[ARGS]), signature, sink);
}

/* -- other parts */

/* Code that Google ran, and what came of it: as text, since no other dialect has the parts. */
static void read_code(struct gemini_reader *r, struct gemini_choice *ch, struct str object,
                      bool result, struct ir_sink *sink)
{
    static const struct str names[] = { STR_INIT("code"), STR_INIT("output"),
                                        STR_INIT("language") };
    struct json_member m[3];
    struct arena *a = r->c->arena;
    struct str text = { 0 };
    if (json_peek_object(object, names, 3, m, NULL) && m[result].type == JSON_STRING)
        text = json_unescape(json_value(object, &m[result]), a);
    bool python = !result && json_str_eq(json_value(object, &m[2]), STR("PYTHON"));
    emit_text(r, ch,
              ir_quote(arena_printf(a, "\n```%s\n%.*s%s```\n", python ? "python" : "",
                                    STR_ARG(text), str_ends(text, STR("\n")) ? "" : "\n"),
                       a),
              sink);
    gemini_emit_loss(ch, "code_execution", true, sink);
}

/* Images of image models: a chat answer has no other place for them than its text. */
static void read_inline(struct gemini_reader *r, struct gemini_choice *ch, struct str object,
                        struct ir_sink *sink)
{
    static const struct str names[] = { STR_INIT("mimeType"), STR_INIT("data") };
    struct json_member m[2];
    struct arena *a = r->c->arena;
    struct str mime = { 0 }, data = { 0 };
    bool is = json_peek_object(object, names, 2, m, NULL) && m[0].type == JSON_STRING &&
              m[1].type == JSON_STRING;
    if (is)
        mime = ir_mime(json_unescape(json_value(object, &m[0]), a), a);
    is = mime.len && ir_base64(json_unescape(json_value(object, &m[1]), a), a, &data);
    gemini_emit_loss(ch, "image_output", is, sink);
    if (!is)
        return;
    size_t room = data.len + mime.len + 32;
    char *p = arena_alloc(a, room);
    int head = snprintf(p, room, "\"![image](data:%.*s;base64,", STR_ARG(mime));
    memcpy(p + head, data.p, data.len);
    memcpy(p + head + data.len, ")\"", 2);
    emit_text(r, ch, str_of(p, (size_t)head + data.len + 2), sink);
}

/* A part of a kind that is not known yet, by the name of its data. */
static void lose_unknown(struct gemini_reader *r, const struct gemini_choice *ch, struct str part,
                         struct ir_sink *sink)
{
    static const struct str beside[] = { STR_INIT("thought"), STR_INIT("thoughtSignature"),
                                         STR_INIT("videoMetadata"), STR_INIT("partMetadata"),
                                         STR_INIT("mediaResolution") };
    struct json_iter it = json_iter(part);
    while (json_next(&it)) {
        bool is = it.type == JSON_OBJECT;
        for (size_t i = 0; i < sizeof beside / sizeof beside[0]; i++)
            is &= !str_eq(it.name, beside[i]);
        if (is)
            gemini_emit_loss(
                ch, arena_printf(r->c->arena, "unknown(%.*s)", STR_ARG(str_head(it.name, 40))).p,
                false, sink);
    }
}

static void read_part(struct gemini_reader *r, struct gemini_choice *ch, struct str part,
                      struct ir_sink *sink)
{
    struct json_member m[P_COUNT];
    if (!json_peek_object(part, part_names, P_COUNT, m, NULL))
        return;
    struct str signature = m[P_SIGNATURE].type == JSON_STRING && m[P_SIGNATURE].value_len > 2
                               ? json_value(part, &m[P_SIGNATURE])
                               : str_of(NULL, 0);
    if (m[P_CALL].type == JSON_OBJECT) {
        begin_part(r, ch, PART_CALL);
        read_call(r, ch, json_value(part, &m[P_CALL]), signature, sink);
        return;
    }
    if (m[P_TEXT].type == JSON_STRING && m[P_THOUGHT].type == JSON_TRUE) {
        begin_part(r, ch, PART_THOUGHT);
        if (m[P_TEXT].value_len > 2)
            emit_json(ch, IR_EV_REASONING, json_value(part, &m[P_TEXT]), sink);
    } else if (m[P_TEXT].type == JSON_STRING) {
        begin_part(r, ch, PART_TEXT);
        emit_text(r, ch, json_value(part, &m[P_TEXT]), sink);
    } else {
        begin_part(r, ch, PART_OTHER);
        if (m[P_INLINE].type == JSON_OBJECT)
            read_inline(r, ch, json_value(part, &m[P_INLINE]), sink);
        else if (m[P_CODE].type == JSON_OBJECT)
            read_code(r, ch, json_value(part, &m[P_CODE]), false, sink);
        else if (m[P_RESULT].type == JSON_OBJECT)
            read_code(r, ch, json_value(part, &m[P_RESULT]), true, sink);
        else if (m[P_TOOL_CALL].type == JSON_OBJECT || m[P_TOOL_RESPONSE].type == JSON_OBJECT)
            gemini_emit_loss(ch, "server_tools", false, sink); /* Google's own affair */
        else
            lose_unknown(r, ch, part, sink);
    }
    if (signature.len)
        emit_json(ch, IR_EV_SIGNATURE, signature, sink);
}

enum err gemini_read_content(struct gemini_reader *r, struct gemini_choice *ch, struct str content,
                             struct ir_sink *sink, const char **ret_what)
{
    static const struct str names[] = { STR_INIT("parts") };
    struct json_member m;
    if (!json_peek_object(content, names, 1, &m, NULL))
        return ERR_OK;
    if (m.type != JSON_ABSENT && m.type != JSON_NULL && m.type != JSON_ARRAY) {
        *ret_what = "a candidate's parts are no array";
        return ERR_UPSTREAM_BAD;
    }
    struct json_iter it = json_iter(json_value(content, &m));
    while (json_next(&it))
        read_part(r, ch, it.value, sink);
    return ERR_OK;
}
