/* Grounding and citations as OpenAI's url_citation annotations; log probabilities in OpenAI's shape
 * (Gemini API reference, "GroundingMetadata", "CitationMetadata", "LogprobsResult", August 2026).
 *
 * Google counts bytes of UTF-8 in a part; OpenAI counts code points of the whole text. */
#include "dialect/gemini_priv.h"

#include "base/mem.h"

#define MARKS_MAX_BYTES (8 * MIB)
#define SEARCHES_MAX 256

static struct str text_value(struct str object, const struct json_member *m)
{
    return m->type == JSON_STRING ? json_value(object, m) : str_of(NULL, 0);
}

/* -- collecting */

static void add_source(struct gemini_reader *r, struct gemini_choice *ch, struct str uri,
                       struct str title)
{
    struct gemini_source *s = ARENA_NEW(r->c->arena, struct gemini_source);
    s->uri = arena_dup(r->c->arena, uri);
    s->title = arena_dup(r->c->arena, title);
    if (!ch->sources_tail)
        ch->sources_tail = &ch->sources;
    IR_APPEND(ch->sources_tail, s);
}

static void add_mark(struct gemini_reader *r, struct gemini_choice *ch, struct str raw,
                     bool citation)
{
    struct gemini_raw *k = ARENA_NEW(r->c->arena, struct gemini_raw);
    k->raw = arena_dup(r->c->arena, raw);
    k->citation = citation;
    if (!ch->marks_tail)
        ch->marks_tail = &ch->marks;
    IR_APPEND(ch->marks_tail, k);
}

static void read_chunk(struct gemini_reader *r, struct gemini_choice *ch, struct str chunk)
{
    static const struct str kinds[] = { STR_INIT("web"), STR_INIT("retrievedContext"),
                                        STR_INIT("maps"), STR_INIT("image") };
    static const struct str names[] = { STR_INIT("uri"), STR_INIT("title"), STR_INIT("sourceUri") };
    struct json_member kind[4], m[3];
    struct str uri = { 0 }, title = { 0 };
    json_peek_object(chunk, kinds, 4, kind, NULL);
    for (size_t i = 0; i < 4; i++) {
        struct str source = json_value(chunk, &kind[i]);
        if (!json_peek_object(source, names, 3, m, NULL))
            continue;
        uri = text_value(source, m[0].type == JSON_STRING ? &m[0] : &m[2]);
        title = text_value(source, &m[1]);
        break;
    }
    add_source(r, ch, uri, title); /* also without a URI: supports count them */
}

static void emit_search(const struct gemini_choice *ch, struct gemini_raw *k, struct ir_sink *sink)
{
    struct ir_event ev = { .kind = IR_EV_WEB_SEARCH, .choice = ch->index, .json = k->raw };
    k->told = true;
    ir_emit(sink, &ev);
}

/* Each query once, however many chunks of a stream repeat it. Those that are told of after the text has begun wait for its end: they
 * led to the text, and must not part it. */
static void read_search(struct gemini_reader *r, struct gemini_choice *ch, struct str query,
                        struct ir_sink *sink)
{
    size_t n = 0;
    if (json_type_of(query) != JSON_STRING || query.len <= 2)
        return;
    for (const struct gemini_raw *k = ch->searches; k; k = k->next, n++)
        if (str_eq(k->raw, query) || n == SEARCHES_MAX)
            return;
    struct gemini_raw *k = ARENA_NEW(r->c->arena, struct gemini_raw);
    k->raw = arena_dup(r->c->arena, query);
    if (!ch->searches_tail)
        ch->searches_tail = &ch->searches;
    IR_APPEND(ch->searches_tail, k);
    if (ch->text.len == 0)
        emit_search(ch, k, sink);
}

/* In a stream each chunk brings what was not sent before. */
void gemini_read_grounding(struct gemini_reader *r, struct gemini_choice *ch, struct str grounding,
                           struct ir_sink *sink)
{
    static const struct str names[] = { STR_INIT("groundingChunks"), STR_INIT("groundingSupports"),
                                        STR_INIT("webSearchQueries") };
    struct json_member m[3];
    if (!json_peek_object(grounding, names, 3, m, NULL))
        return;
    struct json_iter queries = json_iter(json_value(grounding, &m[2]));
    while (m[2].type == JSON_ARRAY && json_next(&queries))
        read_search(r, ch, queries.value, sink);
    struct json_iter it = json_iter(json_value(grounding, &m[0]));
    while (json_next(&it))
        read_chunk(r, ch, it.value);
    it = json_iter(json_value(grounding, &m[1]));
    while (json_next(&it))
        add_mark(r, ch, it.value, false);
}

void gemini_read_citations(struct gemini_reader *r, struct gemini_choice *ch, struct str citations)
{
    static const struct str names[] = { STR_INIT("citationSources"), STR_INIT("citations") };
    struct json_member m[2];
    if (!json_peek_object(citations, names, 2, m, NULL))
        return;
    for (size_t i = 0; i < 2; i++) {
        struct json_iter it = json_iter(json_value(citations, &m[i]));
        while (json_next(&it))
            add_mark(r, ch, it.value, true);
    }
}

/* -- offsets */

/* Code points that start before byte `at`. */
static size_t points(struct str text, size_t at)
{
    size_t n = 0;
    for (size_t i = 0; i < at && i < text.len; i++)
        n += ((unsigned char)text.p[i] & 0xc0) != 0x80;
    return n;
}

struct span {
    size_t from, to; /* bytes of the choice's text */
};

static struct str slice(struct str text, size_t from, size_t to)
{
    return from <= to && to <= text.len ? str_head(str_skip(text, from), to - from)
                                        : str_of(NULL, 0);
}

/* Where a segment stands. When its own text is not found at the offsets given, it is looked for. */
static struct span find_segment(struct gemini_reader *r, const struct gemini_choice *ch,
                                struct str seg)
{
    static const struct str names[] = { STR_INIT("partIndex"), STR_INIT("startIndex"),
                                        STR_INIT("endIndex"), STR_INIT("text") };
    struct json_member m[4];
    struct str text = buf_str(&ch->text);
    uint64_t part = 0, from = 0, to = 0;
    struct span all = { 0, text.len }, s;
    if (!json_peek_object(seg, names, 4, m, NULL))
        return all;
    gemini_u64(json_value(seg, &m[0]), &part);
    gemini_u64(json_value(seg, &m[1]), &from);
    bool ends = gemini_u64(json_value(seg, &m[2]), &to);
    size_t base = part < ch->parts && part < GEMINI_PARTS_MAX ? ch->starts[part] : 0;
    struct str said = json_unescape(text_value(seg, &m[3]), r->c->arena);
    if (ends && from <= to && to <= text.len - base) {
        s = (struct span){ base + (size_t)from, base + (size_t)to };
        if (said.len == 0 || str_eq(slice(text, s.from, s.to), said))
            return s;
    }
    size_t at = said.len ? str_find(text, said) : STR_NONE;
    return at == STR_NONE ? all : (struct span){ at, at + said.len };
}

/* -- giving out */

static void emit(struct gemini_reader *r, const struct gemini_choice *ch, struct span s,
                 struct str uri, struct str title, struct ir_sink *sink)
{
    struct buf out;
    struct json_write w;
    buf_init(&out, MIB);
    json_begin(&w, &out);
    json_obj(&w, NULL);
    json_strz(&w, "type", "url_citation");
    json_obj(&w, "url_citation");
    json_uint(&w, "start_index", points(buf_str(&ch->text), s.from));
    json_uint(&w, "end_index", points(buf_str(&ch->text), s.to));
    json_raw(&w, "url", uri);
    json_raw(&w, "title", title.len ? title : uri);
    json_end(&w);
    json_end(&w);
    struct ir_event ev = { .kind = IR_EV_ANNOTATION, .choice = ch->index, .raw = buf_str(&out) };
    if (!out.fail)
        ir_emit(sink, &ev);
    buf_done(&out);
}

static void emit_support(struct gemini_reader *r, const struct gemini_choice *ch,
                         struct str support, struct ir_sink *sink)
{
    static const struct str names[] = { STR_INIT("segment"), STR_INIT("groundingChunkIndices") };
    struct json_member m[2];
    if (!json_peek_object(support, names, 2, m, NULL))
        return;
    struct span s = find_segment(r, ch, json_value(support, &m[0]));
    struct json_iter it = json_iter(json_value(support, &m[1]));
    while (json_next(&it)) {
        uint64_t i;
        if (!gemini_u64(it.value, &i))
            continue;
        const struct gemini_source *src = ch->sources;
        for (; src && i > 0; i--)
            src = src->next;
        if (src && src->uri.len)
            emit(r, ch, s, src->uri, src->title, sink);
        else
            gemini_emit_loss(ch, "citations", false, sink);
    }
}

static void emit_citation(struct gemini_reader *r, const struct gemini_choice *ch,
                          struct str citation, struct ir_sink *sink)
{
    static const struct str names[] = { STR_INIT("uri"), STR_INIT("title") };
    struct json_member m[2];
    if (json_peek_object(citation, names, 2, m, NULL) && m[0].type == JSON_STRING)
        emit(r, ch, find_segment(r, ch, citation), json_value(citation, &m[0]),
             text_value(citation, &m[1]), sink);
    else
        gemini_emit_loss(ch, "citations", false, sink); /* a place without an address */
}

void gemini_emit_annotations(struct gemini_reader *r, struct gemini_choice *ch,
                             struct ir_sink *sink)
{
    for (struct gemini_raw *k = ch->searches; k; k = k->next)
        if (!k->told)
            emit_search(ch, k, sink);
    for (const struct gemini_raw *k = ch->marks; k; k = k->next) {
        if (k->citation)
            emit_citation(r, ch, k->raw, sink);
        else
            emit_support(r, ch, k->raw, sink);
    }
}

/* -- log probabilities */

/* One token: its bytes are those of its text, as Google has none. */
static void put_token(struct json_write *w, struct str token, struct arena *a, bool open)
{
    static const struct str names[] = { STR_INIT("token"), STR_INIT("logProbability") };
    struct json_member m[2];
    bool is = json_peek_object(token, names, 2, m, NULL);
    struct str text = is ? text_value(token, &m[0]) : str_of(NULL, 0);
    struct str plain = json_unescape(text.len ? text : STR("\"\""), a);
    json_obj(w, NULL);
    json_str(w, "token", plain);
    /* Left out by protobuf where it is 0. */
    json_raw(w, "logprob", is && m[1].type == JSON_NUMBER ? json_value(token, &m[1]) : STR("0"));
    json_arr(w, "bytes");
    for (size_t i = 0; i < plain.len; i++)
        json_uint(w, NULL, (unsigned char)plain.p[i]);
    json_end(w);
    if (!open)
        json_end(w);
}

void gemini_emit_logprobs(struct gemini_reader *r, struct gemini_choice *ch, struct str result,
                          struct ir_sink *sink)
{
    static const struct str names[] = { STR_INIT("chosenCandidates"), STR_INIT("topCandidates") };
    static const struct str inner[] = { STR_INIT("candidates") };
    struct json_member m[2], list;
    struct buf out;
    struct json_write w;
    if (!json_peek_object(result, names, 2, m, NULL) || m[0].type != JSON_ARRAY)
        return;
    struct json_iter chosen = json_iter(json_value(result, &m[0])),
                     top = json_iter(json_value(result, &m[1]));
    buf_init(&out, MARKS_MAX_BYTES);
    json_begin(&w, &out);
    json_obj(&w, NULL);
    json_arr(&w, "content");
    while (json_next(&chosen)) {
        put_token(&w, chosen.value, r->c->arena, true);
        json_arr(&w, "top_logprobs");
        struct str step = json_next(&top) ? top.value : STR("{}");
        json_peek_object(step, inner, 1, &list, NULL);
        struct json_iter it = json_iter(json_value(step, &list));
        while (json_next(&it))
            put_token(&w, it.value, r->c->arena, false);
        json_end(&w);
        json_end(&w);
    }
    json_end(&w);
    json_null(&w, "refusal");
    json_end(&w);
    struct ir_event ev = { .kind = IR_EV_LOGPROBS, .choice = ch->index, .raw = buf_str(&out) };
    if (!out.fail)
        ir_emit(sink, &ev);
    gemini_emit_loss(ch, "logprobs", !out.fail, sink); /* bytes are guessed from the text */
    buf_done(&out);
}
