/* Content blocks of an answer (Claude API reference, "Messages" and "Streaming Messages", August
 * 2026). A block of a whole message takes the same way as one of a stream: it starts with all that it
 * has, and stops. */
#include "base/mem.h"
#include "dialect/anthropic_priv.h"
#include "dialect/tools.h"
#include "wire/json_scan.h"

#define HELD_MAX_BYTES (16 * MIB)
#define CITATIONS_MAX_BYTES (1 * MIB)

static struct str member(struct str object, const char *name)
{
    struct str names[1] = { str_c(name) };
    struct json_member m[1];
    if (!json_peek_object(object, names, 1, m, NULL))
        return str_of(NULL, 0);
    return json_value(object, &m[0]);
}

/* A string literal with something in it, or the empty slice. */
static struct str text_of(struct str object, const struct json_member *m)
{
    return m->type == JSON_STRING && m->value_len > 2 ? json_value(object, m) : str_of(NULL, 0);
}

static struct str text_member(struct str object, const char *name)
{
    struct str names[1] = { str_c(name) };
    struct json_member m[1];
    return json_peek_object(object, names, 1, m, NULL) ? text_of(object, &m[0]) : str_of(NULL, 0);
}

/* -- giving out */

static void emit_text(struct anthropic_reader *r, struct str literal, struct ir_sink *sink)
{
    struct ir_event ev = { .kind = IR_EV_TEXT, .json = literal };
    r->text_points += ir_points(literal);
    ir_emit(sink, &ev);
}

static void emit_json(enum ir_event_kind kind, struct str literal, struct ir_sink *sink)
{
    struct ir_event ev = { .kind = kind, .json = literal, .origin = IR_FROM_ANTHROPIC };
    ir_emit(sink, &ev);
}

void anthropic_emit_loss(const char *tag, bool degraded, struct ir_sink *sink)
{
    struct ir_event ev = { .kind = IR_EV_LOSS, .name = str_c(tag), .degraded = degraded };
    ir_emit(sink, &ev);
}

static void emit_arguments(struct anthropic_reader *r, struct str literal, struct ir_sink *sink)
{
    struct ir_event ev = { .kind = IR_EV_TOOL_ARGUMENTS, .part = r->open.part, .json = literal };
    r->open.argued = true;
    if (r->open.kind == BLOCK_ANSWER)
        emit_text(r, literal, sink);
    else
        ir_emit(sink, &ev);
}

/* A piece of a tool's input: a literal. */
static enum err take_arguments(struct anthropic_reader *r, struct str literal, struct ir_sink *sink,
                               const char **ret_what)
{
    if (r->open.kind != BLOCK_SEARCH && !r->open.custom && !r->open.wrapped) {
        emit_arguments(r, literal, sink);
        return ERR_OK;
    }
    buf_put(&r->open.held, json_unescape(literal, r->c->arena));
    if (r->open.held.fail) {
        *ret_what = "a tool's input is too long to be unwrapped";
        return ERR_UPSTREAM_BAD;
    }
    return ERR_OK;
}

/* JSON text without white space between its tokens, as a literal. */
static struct str compact_literal(struct str raw, struct arena *a)
{
    char *p = arena_alloc(a, raw.len + 1);
    size_t n = 0;
    bool quoted = false;
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.p[i];
        if (!quoted && (c == ' ' || c == '\n' || c == '\t' || c == '\r'))
            continue;
        p[n++] = c;
        if (c == '"')
            quoted = !quoted;
        else if (c == '\\' && quoted && i + 1 < raw.len)
            p[n++] = raw.p[++i];
    }
    return ir_quote(str_of(p, n), a);
}

/* -- citations: known block by block, their places are those of the block in the whole text */

static void take_citation(struct anthropic_reader *r, struct str citation, struct ir_sink *sink)
{
    struct str url = text_member(citation, "url"), title = text_member(citation, "title");
    struct json_write w;
    if (!url.len) { /* places in documents have no form in OpenAI's answers */
        anthropic_emit_loss("citations", false, sink);
        return;
    }
    if (r->open.citations.cap == 0)
        buf_init(&r->open.citations, CITATIONS_MAX_BYTES);
    buf_putc(&r->open.citations, r->open.citations.len ? ',' : '[');
    json_begin(&w, &r->open.citations);
    json_obj(&w, NULL);
    json_raw(&w, "url", url);
    json_raw(&w, "title", title.len ? title : STR("\"\""));
    json_end(&w);
}

static void take_citations(struct anthropic_reader *r, struct str list, struct ir_sink *sink)
{
    struct json_iter it = json_iter(list);
    while (json_next(&it))
        take_citation(r, it.value, sink);
}

static void emit_citation(struct anthropic_reader *r, struct str citation, struct ir_sink *sink)
{
    struct json_write w;
    struct buf out;
    buf_init(&out, CITATIONS_MAX_BYTES + 256);
    json_begin(&w, &out);
    json_obj(&w, NULL);
    json_strz(&w, "type", "url_citation");
    json_obj(&w, "url_citation");
    json_uint(&w, "start_index", r->open.text_start);
    json_uint(&w, "end_index", r->text_points);
    json_raw(&w, "url", member(citation, "url"));
    json_raw(&w, "title", member(citation, "title"));
    json_end(&w);
    json_end(&w);
    struct ir_event ev = { .kind = IR_EV_ANNOTATION, .raw = buf_str(&out) };
    ir_emit(sink, &ev);
    buf_done(&out);
}

static void emit_citations(struct anthropic_reader *r, struct ir_sink *sink)
{
    buf_putc(&r->open.citations, ']');
    if (r->open.citations.fail)
        return;
    struct json_iter it = json_iter(buf_str(&r->open.citations));
    while (json_next(&it))
        emit_citation(r, it.value, sink);
}

/* -- the start of a block */

static enum err start_tool(struct anthropic_reader *r, struct str block, struct ir_sink *sink,
                           const char **ret_what)
{
    struct arena *a = r->c->arena;
    struct str name = json_unescape(member(block, "name"), a), input = member(block, "input");
    if (r->json_tool.len && str_eq(name, r->json_tool)) {
        r->open.kind = BLOCK_ANSWER;
        r->open.wrapped = r->output == OUTPUT_TOOL_WRAPPED;
    } else {
        const struct ir_tool *t = anthropic_function_of(r->c->rq, name, a);
        r->open.kind = BLOCK_TOOL;
        r->open.part = r->calls++;
        r->open.custom = t && t->kind == IR_CUSTOM;
        struct ir_event ev = { .kind = IR_EV_TOOL_CALL,
                               .part = r->open.part,
                               .call_id = json_unescape(member(block, "id"), a),
                               .name = t ? t->name : name,
                               .custom = r->open.custom };
        ir_emit(sink, &ev);
    }
    buf_init(&r->open.held, HELD_MAX_BYTES);
    struct json_iter it = json_iter(input);
    if (json_type_of(input) == JSON_OBJECT && json_next(&it))
        return take_arguments(r, compact_literal(input, a), sink, ret_what);
    return ERR_OK;
}

static void start_text(struct anthropic_reader *r, struct str text, struct str citations,
                       struct ir_sink *sink)
{
    r->open.kind = BLOCK_TEXT;
    r->open.text_start = r->text_points;
    if (text.len)
        emit_text(r, text, sink);
    take_citations(r, citations, sink);
}

static void start_thinking(struct anthropic_reader *r, struct str block, struct ir_sink *sink)
{
    struct str text = text_member(block, "thinking");
    r->open.kind = BLOCK_THINKING;
    if (text.len)
        emit_json(IR_EV_REASONING, text, sink);
    r->open.signature = arena_dup(r->c->arena, text_member(block, "signature"));
}

static void start_redacted(struct anthropic_reader *r, struct str block, struct ir_sink *sink)
{
    struct ir_event ev = { .kind = IR_EV_SIGNATURE,
                           .json = text_member(block, "data"),
                           .redacted = true,
                           .origin = IR_FROM_ANTHROPIC };
    r->open.kind = BLOCK_REDACTED;
    if (ev.json.len)
        ir_emit(sink, &ev);
}

/* A tool that Anthropic runs. What it searches for is told; its other tools are its own affair. */
static enum err start_server_tool(struct anthropic_reader *r, struct str block,
                                  struct ir_sink *sink, const char **ret_what)
{
    struct arena *a = r->c->arena;
    struct str input = member(block, "input");
    struct json_iter it = json_iter(input);
    if (!json_str_eq(member(block, "name"), STR("web_search"))) {
        anthropic_emit_loss("server_tools", false, sink);
        return ERR_OK;
    }
    r->open.kind = BLOCK_SEARCH;
    r->open.call_id = arena_dup(a, json_unescape(text_member(block, "id"), a));
    buf_init(&r->open.held, HELD_MAX_BYTES);
    if (json_type_of(input) == JSON_OBJECT && json_next(&it))
        return take_arguments(r, compact_literal(input, a), sink, ret_what);
    return ERR_OK;
}

/* What no dialect but Anthropic's has: results of its tools, and kinds that are new. The text says what they found. */
static void lose_block(struct anthropic_reader *r, struct str type, struct ir_sink *sink)
{
    struct str name = json_unescape(type, r->c->arena);
    bool tool = str_ends(name, STR("_tool_result")) || str_starts(name, STR("mcp_tool_"));
    if (tool)
        anthropic_emit_loss("server_tools", false, sink);
    else
        anthropic_emit_loss(
            arena_printf(r->c->arena, "unknown(%.*s)", STR_ARG(str_head(name, 40))).p, false, sink);
}

/* A message of chat completions has its reasoning and its text before its calls. */
static bool comes_first(struct str type)
{
    return json_str_eq(type, STR("text")) || json_str_eq(type, STR("thinking")) ||
           json_str_eq(type, STR("redacted_thinking"));
}

enum err anthropic_block_start(struct anthropic_reader *r, struct str block, uint64_t index,
                               struct ir_sink *sink, const char **ret_what)
{
    static const struct str names[] = { STR_INIT("type"), STR_INIT("text"), STR_INIT("citations") };
    struct json_member m[3];
    json_peek_object(block, names, 3, m, NULL);
    struct str type = json_value(block, &m[0]);
    anthropic_block_stop(r, sink);
    if (r->calls && r->c->rq->origin == IR_FROM_OPENAI_CHAT && comes_first(type))
        anthropic_emit_loss("part_order", true, sink);
    r->open.index = index;
    r->open.kind = BLOCK_OTHER;
    if (json_str_eq(type, STR("text")))
        start_text(r, text_of(block, &m[1]), json_value(block, &m[2]), sink);
    else if (json_str_eq(type, STR("thinking")))
        start_thinking(r, block, sink);
    else if (json_str_eq(type, STR("redacted_thinking")))
        start_redacted(r, block, sink);
    else if (json_str_eq(type, STR("tool_use")))
        return start_tool(r, block, sink, ret_what);
    else if (json_str_eq(type, STR("server_tool_use")))
        return start_server_tool(r, block, sink, ret_what);
    else
        lose_block(r, type, sink);
    return ERR_OK;
}

/* -- its pieces */

enum err anthropic_block_delta(struct anthropic_reader *r, struct str delta, struct ir_sink *sink,
                               const char **ret_what)
{
    enum { TYPE, TEXT, THINKING, JSON, SIGNATURE, CITATION, N };
    static const struct str names[N] = { STR_INIT("type"),      STR_INIT("text"),
                                         STR_INIT("thinking"),  STR_INIT("partial_json"),
                                         STR_INIT("signature"), STR_INIT("citation") };
    struct json_member m[N];
    json_peek_object(delta, names, N, m, NULL);
    struct str type = json_value(delta, &m[TYPE]), v;
    enum anthropic_block_kind kind = r->open.kind;
    if (kind == BLOCK_TEXT && json_str_eq(type, STR("text_delta"))) {
        if ((v = text_of(delta, &m[TEXT])).len)
            emit_text(r, v, sink);
    } else if (kind == BLOCK_TEXT && json_str_eq(type, STR("citations_delta"))) {
        take_citation(r, json_value(delta, &m[CITATION]), sink);
    } else if (kind == BLOCK_THINKING && json_str_eq(type, STR("thinking_delta"))) {
        if ((v = text_of(delta, &m[THINKING])).len)
            emit_json(IR_EV_REASONING, v, sink);
    } else if (kind == BLOCK_THINKING && json_str_eq(type, STR("signature_delta"))) {
        if ((v = text_of(delta, &m[SIGNATURE])).len) /* replaces, as in the SDK */
            r->open.signature = arena_dup(r->c->arena, v);
    } else if ((kind == BLOCK_TOOL || kind == BLOCK_ANSWER || kind == BLOCK_SEARCH) &&
               json_str_eq(type, STR("input_json_delta"))) {
        if ((v = text_of(delta, &m[JSON])).len)
            return take_arguments(r, v, sink, ret_what);
    }
    return ERR_OK; /* unknown ones are skipped: the documentation asks for it */
}

/* -- its end */

/* What was held is {"values": the answer}. Cut or strange text is given out as it is. */
static struct str unwrapped(struct anthropic_reader *r)
{
    struct json_problem problem;
    struct str held = buf_str(&r->open.held), value;
    if (json_check(held, &problem) == ERR_OK && (value = member(held, "values")).len)
        return compact_literal(value, r->c->arena);
    return ir_quote(held, r->c->arena);
}

static void stop_tool(struct anthropic_reader *r, struct ir_sink *sink)
{
    struct anthropic_open *o = &r->open;
    if (o->held.len)
        emit_arguments(
            r, o->custom ? custom_tool_input(buf_str(&o->held), r->c->arena) : unwrapped(r), sink);
    if (!o->argued && !o->custom)
        emit_arguments(r, STR("\"{}\""), sink);
    if (o->kind == BLOCK_TOOL) {
        struct ir_event ev = { .kind = IR_EV_TOOL_END, .part = o->part };
        ir_emit(sink, &ev);
    }
}

/* The query is a member of the input; without one there was no search to tell of. */
static void stop_search(struct anthropic_reader *r, struct ir_sink *sink)
{
    struct json_problem problem;
    struct str held = buf_str(&r->open.held);
    struct ir_event ev = { .kind = IR_EV_WEB_SEARCH, .call_id = r->open.call_id };
    if (json_check(held, &problem) == ERR_OK)
        ev.json = text_member(held, "query");
    if (ev.json.len)
        ir_emit(sink, &ev);
    else
        anthropic_emit_loss("server_tools", false, sink);
}

void anthropic_block_stop(struct anthropic_reader *r, struct ir_sink *sink)
{
    switch (r->open.kind) {
    case BLOCK_TEXT:
        if (r->open.citations.len)
            emit_citations(r, sink);
        break;
    case BLOCK_THINKING:
        if (r->open.signature.len)
            emit_json(IR_EV_SIGNATURE, r->open.signature, sink);
        break;
    case BLOCK_TOOL:
    case BLOCK_ANSWER: stop_tool(r, sink); break;
    case BLOCK_SEARCH: stop_search(r, sink); break;
    case BLOCK_NONE:
    case BLOCK_REDACTED:
    case BLOCK_OTHER: break;
    }
    anthropic_block_done(&r->open);
}

void anthropic_block_done(struct anthropic_open *open)
{
    buf_done(&open->held);
    buf_done(&open->citations);
    *open = (struct anthropic_open){ 0 };
}
