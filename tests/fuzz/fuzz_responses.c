/* The Responses API as clients speak it. The first byte of the input chooses what the rest is:
 *   r  a request: what is read is written for each provider as valid JSON, or refused with words
 *   f  an input: its items as they are listed, and a follow-up made of them, which is an array again
 *   s  a state: read again as it was written
 *   else events in any order, one a byte: what comes out keeps to the grammar of a stream, and the folded object is what the stream's
 *      last event holds. */
#include "base/mem.h"
#include "dialect/responses.h"

#include "dialect_judge.h"
#include "fuzz.h"

#define D (&dialect_openai_responses)
#define ID "resp_0123456789abcdef0123456789abcdef"
#define TAG "weirn.0123abcd."

/* -- requests */

static void write_for(const struct dialect *to, const struct ir_request *rq, const char *family,
                      struct arena *a)
{
    struct str body;
    struct dialect_target t = { .model = STR("x"),
                                .facts = model_facts_find(str_c(family), STR("x")) };
    judge_request(to, rq, &t, true, a, &body);
}

static void fuzz_request(struct str body)
{
    struct arena *a = arena_new();
    struct ir_request rq;
    struct fault f;
    if (D->read_request(body, str_of(NULL, 0), a, &rq, &f)) {
        REQUIRE(f.status == 400 && f.msg.len > 0);
    } else {
        for (const struct ir_ext *e = rq.echo; e; e = e->next)
            REQUIRE_JSON(e->raw);
        write_for(&dialect_openai_chat, &rq, "openai", a);
        write_for(&dialect_anthropic_messages, &rq, "anthropic", a);
        write_for(&dialect_gemini_generate, &rq, "gemini", a);
    }
    arena_free(a);
}

/* What goes to an account has no tag but its own, and that can be taken off. */
static void judge_sent(struct str input, struct arena *a)
{
    struct response_tags tags = { .count = 0 };
    struct splice sp;
    REQUIRE(!response_is_foreign(input, STR(TAG), a));
    response_tags_add(&tags, input);
    REQUIRE(tags.count == 0 || (tags.count == 1 && str_eq(tags.tags[0], STR(TAG))));
    splice_init(&sp, a, arena_printf(a, "{\"input\":%.*s}", STR_ARG(input)));
    response_untag(&sp, STR(TAG));
    REQUIRE((sp.count > 0) == (tags.count > 0));
    REQUIRE_JSON(splice_flat(&sp, a));
}

static void fuzz_input(struct str input)
{
    struct arena *a = arena_new();
    struct json_problem problem;
    struct buf items;
    struct fault f;
    struct str ids[4], next;
    buf_init(&items, 64 * MIB);
    if (json_check(input, &problem) == ERR_OK) {
        response_references(str_trim(input), a, ids, 4);
        if (response_input_items(str_trim(input), str_of(&ID[5], RESPONSE_HEX), a, &items, &f)) {
            REQUIRE(f.status == 400 && f.msg.len > 0);
        } else {
            REQUIRE_JSON(buf_str(&items));
            struct response_past past = { buf_str(&items), STR("[]") };
            for (int native = 0; native < 2; native++) {
                struct response_follow follow = { .past = &past,
                                                  .past_count = 1,
                                                  .input = STR("\"more\""),
                                                  .native = native,
                                                  .tag = STR(TAG) };
                bool lost;
                if (response_follow_input(&follow, a, &next, &lost, &f)) {
                    REQUIRE(f.msg.len > 0);
                    continue;
                }
                REQUIRE_JSON(next);
                if (native)
                    judge_sent(next, a);
            }
        }
    }
    buf_done(&items);
    arena_free(a);
}

static void fuzz_state(struct str json)
{
    struct arena *a = arena_new();
    struct json_problem problem;
    struct response_state s, again;
    struct buf out;
    struct str id;
    buf_init(&out, MIB);
    if (json_check(json, &problem) == ERR_OK && response_state_get(json, a, &s)) {
        response_state_put(&s, &out);
        REQUIRE_JSON(buf_str(&out));
        REQUIRE(response_state_get(buf_str(&out), a, &again));
        REQUIRE(s.kind == again.kind && s.origin == again.origin);
        REQUIRE(str_eq(s.signature, again.signature) && str_eq(s.text, again.text));
    }
    if (response_of_item(json, a, &id))
        REQUIRE(response_id_hex(id, &id));
    buf_done(&out);
    arena_free(a);
}

/* -- the grammar of a stream */

enum { ITEMS_MAX = 512, PARTS_MAX = 64 };

struct item {
    bool open, done;
    struct str type, id;
    uint32_t parts;
    bool part_open, part_refusal, text_done, summary, summary_open, input_done;
};

struct grammar {
    uint64_t sequence;
    size_t count;
    struct item items[ITEMS_MAX];
    bool created, started, ended, failed, error;
    struct str last;
};

static struct str member(struct str object, const char *name)
{
    struct str names[1] = { str_c(name) };
    struct json_member m;
    return json_peek_object(object, names, 1, &m, NULL) ? json_value(object, &m) : str_of(NULL, 0);
}

static uint64_t number(struct str object, const char *name)
{
    uint64_t v;
    REQUIRE(json_u64(member(object, name), &v));
    return v;
}

static struct item *item_of(struct grammar *g, struct str data)
{
    uint64_t index = number(data, "output_index");
    REQUIRE(index < g->count && g->items[index].open && !g->items[index].done);
    struct str id = member(data, "item_id");
    REQUIRE(id.len == 0 || str_eq(id, g->items[index].id));
    return &g->items[index];
}

static void check_item(struct grammar *g, struct str type, struct str data)
{
    struct str it = member(data, "item");
    if (str_eq(type, STR("response.output_item.added"))) {
        REQUIRE(number(data, "output_index") == g->count && g->count < ITEMS_MAX);
        g->items[g->count++] =
            (struct item){ .open = true, .type = member(it, "type"), .id = member(it, "id") };
        return;
    }
    struct item *i = item_of(g, data);
    REQUIRE(str_eq(i->id, member(it, "id")) && !i->part_open && !i->summary_open);
    REQUIRE(json_str_eq(i->type, STR("message")) ? i->parts > 0 : true);
    if (json_str_eq(i->type, STR("function_call")) || json_str_eq(i->type, STR("custom_tool_call")))
        REQUIRE(i->input_done);
    i->done = true;
}

static void check_part(struct grammar *g, struct str type, struct str data)
{
    struct item *i = item_of(g, data);
    uint64_t index = number(data, "content_index");
    bool refusal = json_str_eq(member(member(data, "part"), "type"), STR("refusal"));
    REQUIRE(json_str_eq(i->type, STR("message")));
    if (str_eq(type, STR("response.content_part.added"))) {
        REQUIRE(!i->part_open && index == i->parts++);
        i->part_open = true;
        i->text_done = false;
        i->part_refusal = refusal;
        return;
    }
    REQUIRE(i->part_open && index + 1 == i->parts && i->text_done && refusal == i->part_refusal);
    i->part_open = false;
}

static void check_text(struct grammar *g, struct str type, struct str data)
{
    struct item *i = item_of(g, data);
    bool refusal = str_starts(type, STR("response.refusal."));
    REQUIRE(i->part_open && refusal == i->part_refusal && !i->text_done);
    REQUIRE(number(data, "content_index") + 1 == i->parts);
    i->text_done = str_ends(type, STR(".done"));
}

static void check_summary(struct grammar *g, struct str type, struct str data)
{
    struct item *i = item_of(g, data);
    bool part = str_starts(type, STR("response.reasoning_summary_part."));
    REQUIRE(json_str_eq(i->type, STR("reasoning")) && number(data, "summary_index") == 0);
    if (part && str_ends(type, STR(".added"))) {
        REQUIRE(!i->summary);
        i->summary = i->summary_open = true;
    } else if (part) {
        REQUIRE(i->summary_open && i->text_done);
        i->summary_open = false;
    } else {
        REQUIRE(i->summary_open && !i->text_done);
        i->text_done = str_ends(type, STR(".done"));
    }
}

static void check_input(struct grammar *g, struct str type, struct str data)
{
    struct item *i = item_of(g, data);
    bool custom = str_starts(type, STR("response.custom_"));
    REQUIRE(json_str_eq(i->type, custom ? STR("custom_tool_call") : STR("function_call")));
    REQUIRE(!i->input_done);
    i->input_done = str_ends(type, STR(".done"));
}

static void check_end(struct grammar *g, struct str type, struct str data)
{
    struct json_iter it = json_iter(member(member(data, "response"), "output"));
    g->ended = true;
    g->failed = str_eq(type, STR("response.failed"));
    g->last = member(data, "response");
    if (g->failed)
        return;
    for (size_t n = 0; n < g->count; n++) {
        REQUIRE(g->items[n].done && json_next(&it));
        REQUIRE(str_eq(member(it.value, "id"), g->items[n].id));
    }
    REQUIRE(!json_next(&it));
}

static void check_event(struct grammar *g, struct str type, struct str data)
{
    REQUIRE_JSON(data);
    REQUIRE(json_str_eq(member(data, "type"), type));
    REQUIRE(number(data, "sequence_number") == g->sequence++);
    if (str_eq(type, STR("error"))) {
        REQUIRE(g->failed && !g->error);
        g->error = true;
        return;
    }
    REQUIRE(!g->ended);
    if (str_eq(type, STR("response.created"))) {
        REQUIRE(g->sequence == 1);
        g->created = true;
        return;
    }
    REQUIRE(g->created);
    if (str_eq(type, STR("response.in_progress"))) {
        REQUIRE(g->sequence == 2);
        g->started = true;
        return;
    }
    REQUIRE(g->started);
    if (str_starts(type, STR("response.output_item.")))
        check_item(g, type, data);
    else if (str_starts(type, STR("response.content_part.")))
        check_part(g, type, data);
    else if (str_eq(type, STR("response.output_text.annotation.added")))
        REQUIRE(item_of(g, data)->part_open);
    else if (str_starts(type, STR("response.output_text.")) ||
             str_starts(type, STR("response.refusal.")))
        check_text(g, type, data);
    else if (str_starts(type, STR("response.reasoning_summary_")))
        check_summary(g, type, data);
    else if (str_starts(type, STR("response.function_call_arguments.")) ||
             str_starts(type, STR("response.custom_tool_call_input.")))
        check_input(g, type, data);
    else if (str_starts(type, STR("response.web_search_call.")))
        REQUIRE(json_str_eq(item_of(g, data)->type, STR("web_search_call")));
    else
        check_end(g, type, data);
}

/* The frames are checked as one text, so that the slices kept stay where they are. */
static struct grammar *check_frames(struct str frames, struct arena *a)
{
    struct grammar *g = ARENA_NEW(a, struct grammar);
    while (frames.len) {
        size_t end = str_find(frames, STR("\n\n"));
        REQUIRE(end != STR_NONE);
        struct str frame = str_head(frames, end);
        frames = str_skip(frames, end + 2);
        if (str_starts(frame, STR(":")))
            continue;
        struct str name = str_cut(&frame, '\n');
        REQUIRE(str_starts(name, STR("event: ")) && str_starts(frame, STR("data: ")));
        REQUIRE(str_find_char(frame, '\n') == STR_NONE);
        check_event(g, str_skip(name, 7), str_skip(frame, 6));
    }
    return g;
}

/* -- events in any order */

static const struct str literals[] = {
    STR_INIT("\"\""),           STR_INIT("\"a\""),
    STR_INIT("\"{\\\"b\\\"\""), STR_INIT("\"\\ud83d\\ude00\""),
    STR_INIT("\"\xc3\xbc\""),   STR_INIT("\"long text, with\\nlines\""),
};
static const struct str raws[] = {
    STR_INIT("{}"),
    STR_INIT("{\"type\":\"url_citation\",\"url_citation\":{\"url\":\"u\",\"start_index\":1,\"end_"
             "index\":99}}"),
    STR_INIT("{\"type\":\"file_path\",\"file_id\":\"f\",\"index\":3}"),
    STR_INIT("{\"content\":[{\"token\":\"a\",\"logprob\":-1,\"bytes\":null,\"top_logprobs\":[]}]}"),
    STR_INIT("[]"),
};

static struct ir_event event_of(uint8_t byte, const struct fault *fault)
{
    static const enum ir_event_kind kinds[] = {
        IR_EV_START,      IR_EV_TEXT,      IR_EV_REASONING,      IR_EV_SIGNATURE,
        IR_EV_REFUSAL,    IR_EV_TOOL_CALL, IR_EV_TOOL_ARGUMENTS, IR_EV_TOOL_END,
        IR_EV_ANNOTATION, IR_EV_LOGPROBS,  IR_EV_WEB_SEARCH,     IR_EV_FINISH,
        IR_EV_USAGE,      IR_EV_PING,      IR_EV_ERROR,          IR_EV_END,
    };
    static const enum ir_origin origins[] = { IR_FROM_GEMINI, IR_FROM_ANTHROPIC,
                                              IR_FROM_OPENAI_RESPONSES, IR_FROM_OPENAI_CHAT };
    uint8_t variant = byte >> 4;
    struct ir_event ev = { .kind = kinds[byte & 15], .fault = fault };
    ev.json = literals[variant % 6];
    ev.raw = raws[variant % 5];
    ev.part = variant & 3;
    ev.choice = variant == 15;
    ev.call_id = STR("call_1");
    ev.name = STR("f");
    ev.custom = variant & 1;
    ev.redacted = variant & 4;
    ev.origin = origins[variant & 3];
    ev.signature = variant & 8 ? literals[1] : str_of(NULL, 0);
    ev.finish = (enum ir_finish)(variant & 3);
    ev.usage.reported = variant & 1;
    return ev;
}

/* `asked`: bits of what the client wants. */
static void fuzz_events(uint8_t asked, struct str script)
{
    struct arena *a = arena_new();
    struct fault fault = fault_of(ERR_UPSTREAM_CUT);
    struct ir_request rq = { .parallel_tool_calls = -1,
                             .reasoning_visible = asked & 1,
                             .reasoning_state = asked & 2,
                             .logprobs = asked & 4 };
    struct answer_context c = { .rq = &rq, .arena = a, .unix_s = 1, .id = STR("seed") };
    struct answer_style fold = { .fold = true, .model_json = STR("\"m\""), .response_id = STR(ID) },
                        stream = { .model_json = STR("\"m\""), .response_id = STR(ID) };
    void *one = arena_zalloc(a, D->writer_bytes), *other = arena_zalloc(a, D->writer_bytes);
    struct buf folded, streamed, object, items;
    if (asked & 8)
        rq.web_search = STR("{}");
    buf_init(&folded, 64 * MIB);
    buf_init(&streamed, 64 * MIB);
    buf_init(&object, 64 * MIB);
    buf_init(&items, 64 * MIB);
    D->writer_init(one, &c, &fold);
    D->writer_init(other, &c, &stream);
    bool ended = false;
    for (size_t i = 0; i < script.len && i < 256; i++) {
        struct ir_event ev = event_of((uint8_t)script.p[i], &fault);
        D->write_answer(one, &ev, &folded);
        D->write_answer(other, &ev, &streamed);
        ended |= ev.kind == IR_EV_END || ev.kind == IR_EV_ERROR;
    }
    if (!ended && asked & 16)
        response_writer_fault(other, &fault, STR("id"), &streamed);
    struct grammar *g = check_frames(buf_str(&streamed), a);
    REQUIRE(g->ended == (ended || (asked & 16)) && g->error == g->failed);
    REQUIRE((folded.len > 0) == ended);
    if (ended)
        REQUIRE_JSON(buf_str(&folded));
    if (ended && !g->failed)
        REQUIRE(str_eq(g->last, buf_str(&folded)));
    response_writer_result(other, &object, &items);
    REQUIRE_JSON(buf_str(&object));
    REQUIRE_JSON(buf_str(&items));
    if (g->ended)
        REQUIRE(str_eq(g->last, buf_str(&object)));
    D->writer_done(one);
    D->writer_done(other);
    buf_done(&folded);
    buf_done(&streamed);
    buf_done(&object);
    buf_done(&items);
    arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct str rest = str_of((const char *)data + 1, size - 1);
    if (data[0] == 'r')
        fuzz_request(rest);
    else if (data[0] == 'f')
        fuzz_input(rest);
    else if (data[0] == 's')
        fuzz_state(rest);
    else
        fuzz_events(data[0], rest);
    return 0;
}
