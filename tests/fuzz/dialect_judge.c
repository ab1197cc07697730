#include "dialect_judge.h"

#include "base/mem.h"
#include "wire/sse.h"

#include "fuzz.h"

#define CHAT (&dialect_openai_chat)
enum { CHOICES_MAX = 128 };

bool judge_request(const struct dialect *to, const struct ir_request *rq,
                   const struct dialect_target *t, bool drop_params, struct arena *a,
                   struct str *ret_body)
{
    struct ir_report report;
    struct ir_call call;
    struct fault f = { 0 };
    const struct str *segs;
    size_t n;
    ir_report_init(&report, a);
    report.drop_params = drop_params;
    enum err e = to->write_request(rq, t, &report, a, &call, &f);
    if (e) {
        REQUIRE(f.err == e && f.status >= 400 && f.msg.len > 0);
        return false;
    }
    REQUIRE(segments_finish(&call.body, a, &segs, &n) == ERR_OK);
    *ret_body = segments_flat(&call.body, a);
    segments_done(&call.body);
    REQUIRE_JSON(*ret_body);
    return true;
}

struct seen {
    const struct answer_rules *rules;
    void *fold, *stream;
    struct buf folded, streamed;
    bool started, ended, finished;
    uint32_t open[CHOICES_MAX]; /* calls begun; of each choice */
    uint32_t closed[CHOICES_MAX];
};

static void require_place(struct seen *s, const struct ir_event *ev)
{
    const struct answer_rules *r = s->rules;
    bool early =
        ev->kind == IR_EV_START || ev->kind == IR_EV_ERROR || (r->early & IR_EARLY(ev->kind)) != 0;
    REQUIRE(!s->ended && ev->choice < r->choices);
    REQUIRE(s->started ? ev->kind != IR_EV_START : early);
    REQUIRE(!r->brief_end || !s->finished || ev->kind == IR_EV_USAGE || ev->kind == IR_EV_END);
    s->started |= ev->kind == IR_EV_START;
    s->finished |= ev->kind == IR_EV_FINISH;
    s->ended = ev->kind == IR_EV_END || ev->kind == IR_EV_ERROR;
}

static void require_calls(struct seen *s, const struct ir_event *ev)
{
    uint32_t *open = &s->open[ev->choice], *closed = &s->closed[ev->choice];
    if (ev->kind == IR_EV_TOOL_CALL) {
        REQUIRE(*open == *closed && ev->part == (*open)++);
        REQUIRE(!s->rules->named_calls || (ev->call_id.len && ev->name.len));
    } else if (ev->kind == IR_EV_TOOL_ARGUMENTS) {
        REQUIRE(ev->part + 1 == *open && ev->part == *closed);
    } else if (ev->kind == IR_EV_TOOL_END) {
        REQUIRE(*open == *closed + 1 && ev->part == (*closed)++);
    } else if (ev->kind == IR_EV_FINISH) {
        REQUIRE(*open == *closed);
    }
}

static void on_event(void *ctx, const struct ir_event *ev)
{
    struct seen *s = ctx;
    require_place(s, ev);
    require_calls(s, ev);
    if (ev->json.len) {
        REQUIRE(json_type_of(ev->json) == JSON_STRING);
        REQUIRE_JSON(ev->json);
    }
    if (ev->raw.len)
        REQUIRE_JSON(ev->raw);
    REQUIRE(!ev->signature.len || json_type_of(ev->signature) == JSON_STRING);
    if (ev->kind == IR_EV_ERROR)
        REQUIRE(ev->fault->msg.len && ev->fault->status >= 400);
    CHAT->write_answer(s->fold, ev, &s->folded);
    CHAT->write_answer(s->stream, ev, &s->streamed);
}

/* `pings`: comments may stand between them. */
static void require_frames(struct str frames, bool pings)
{
    struct sse sse;
    struct sse_event ev;
    bool done = false, error = false;
    sse_init(&sse, SSE_EVENT_MAX);
    sse_push(&sse, frames);
    while (!sse_next(&sse, &ev)) {
        REQUIRE(!done && !error);
        if (!ev.has_data) {
            REQUIRE(pings);
            continue;
        }
        if ((done = str_eq(ev.data, STR("[DONE]"))))
            continue;
        REQUIRE_JSON(ev.data);
        error = str_starts(ev.data, STR("{\"error\""));
    }
    REQUIRE(done || error);
    sse_done(&sse);
}

void judge_answer(const struct answer_rules *rules, const struct answer_context *c,
                  struct str input, bool whole)
{
    const struct dialect *from = rules->from;
    struct answer_style fold = { .fold = true, .model_json = STR("\"m\"") },
                        stream = { .usage = true, .model_json = STR("\"m\"") };
    struct seen s = { .rules = rules,
                      .fold = arena_zalloc(c->arena, CHAT->writer_bytes),
                      .stream = arena_zalloc(c->arena, CHAT->writer_bytes) };
    struct ir_sink sink = { on_event, &s };
    void *reader = arena_zalloc(c->arena, from->reader_bytes);
    const char *what = NULL;
    enum err e = ERR_OK;
    REQUIRE(rules->choices <= CHOICES_MAX);
    buf_init(&s.folded, 64 * MIB);
    buf_init(&s.streamed, 64 * MIB);
    from->reader_init(reader, c);
    CHAT->writer_init(s.fold, c, &fold);
    CHAT->writer_init(s.stream, c, &stream);
    while (!e && (whole || input.len)) {
        struct frame f = { .whole = whole, .data = whole ? input : str_cut(&input, '\n') };
        e = from->read_answer(reader, &f, &sink, &what);
        REQUIRE(!e || (e == ERR_UPSTREAM_BAD && what));
        if (whole)
            break;
    }
    e = e ? e : from->end_answer(reader, &sink);
    REQUIRE((e == ERR_OK) == s.ended);
    if (s.ended) {
        REQUIRE_JSON(buf_str(&s.folded));
        require_frames(buf_str(&s.streamed), (rules->early & IR_EARLY(IR_EV_PING)) != 0);
    } else {
        REQUIRE(s.folded.len == 0);
    }
    from->reader_done(reader);
    CHAT->writer_done(s.fold);
    CHAT->writer_done(s.stream);
    buf_done(&s.folded);
    buf_done(&s.streamed);
}
