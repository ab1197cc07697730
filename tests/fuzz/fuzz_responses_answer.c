/* The provider side of OpenAI's Responses API. The first byte of the input chooses what the rest is: a request of Chat Completions
 * ('r': what can be sent is valid JSON), or an answer, whole ('w') or one event a line. Of an answer: each event is in its place; folded
 * it is one valid JSON object of Chat Completions, streamed it is frames that end in [DONE] or an error; and passed through, its one
 * edit can be undone. */
#include "base/mem.h"
#include "dialect/dialect.h"
#include "dialect/responses.h"
#include "wire/json_scan.h"
#include "wire/sse.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(cond)                                                                              \
    do {                                                                                           \
        if (!(cond))                                                                               \
            abort();                                                                               \
    } while (0)

#define CHAT (&dialect_openai_chat)
#define D (&dialect_openai_responses)

static void require_json(struct str text)
{
    struct json_problem problem;
    REQUIRE(json_check(text, &problem) == ERR_OK);
}

/* -- a request */

static void fuzz_request(struct str body)
{
    struct arena *a = arena_new();
    struct dialect_target t = { .model = STR("gpt-5.6"),
                                .facts = model_facts_find(STR("openai"), STR("gpt-5.6")) };
    struct ir_request rq;
    struct ir_report report;
    struct ir_call call;
    struct fault f;
    const struct str *segs;
    size_t n;
    ir_report_init(&report, a);
    report.drop_params = true;
    if (CHAT->read_request(body, str_of(NULL, 0), a, &rq, &f) == ERR_OK) {
        if (D->write_request(&rq, &t, &report, a, &call, &f)) {
            REQUIRE(f.msg.len > 0 && f.status >= 400);
        } else {
            REQUIRE(segments_finish(&call.body, a, &segs, &n) == ERR_OK);
            require_json(segments_flat(&call.body, a));
            segments_done(&call.body);
        }
    }
    arena_free(a);
}

/* -- passed through */

static void fuzz_splice(struct str text, bool whole)
{
    struct response_answer ans;
    struct buf out;
    enum err e = whole ? response_read_answer(text, &ans) : response_read_event(text, true, &ans);
    if (e) {
        REQUIRE(e == ERR_BAD_JSON && ans.problem.what);
        return;
    }
    buf_init(&out, 64 * MIB);
    response_put_answer(&ans, STR("\"m\""), &out);
    struct str got = buf_str(&out), old = json_value(text, &ans.model);
    require_json(got);
    if (ans.model.type == JSON_STRING) {
        size_t at = ans.model.value_at;
        REQUIRE(str_eq(str_head(got, at), str_head(text, at)));
        REQUIRE(str_starts(str_skip(got, at), STR("\"m\"")));
        REQUIRE(str_eq(str_skip(got, at + 3), str_skip(text, at + old.len)));
    } else {
        REQUIRE(str_eq(got, text));
    }
    buf_done(&out);
}

/* -- through events */

struct seen {
    void *fold, *stream;
    struct buf folded, streamed;
    bool started, ended, finished;
    uint32_t open, closed; /* calls */
};

static void on_event(void *ctx, const struct ir_event *ev)
{
    struct seen *s = ctx;
    bool early = ev->kind == IR_EV_START || ev->kind == IR_EV_ERROR || ev->kind == IR_EV_PING;
    REQUIRE(!s->ended && ev->choice == 0);
    REQUIRE(s->started ? ev->kind != IR_EV_START : early);
    REQUIRE(!s->finished || ev->kind == IR_EV_USAGE || ev->kind == IR_EV_END);
    s->started |= ev->kind == IR_EV_START;
    s->finished |= ev->kind == IR_EV_FINISH;
    s->ended = ev->kind == IR_EV_END || ev->kind == IR_EV_ERROR;
    if (ev->json.len)
        require_json(ev->json);
    if (ev->raw.len)
        require_json(ev->raw);
    if (ev->kind == IR_EV_TOOL_CALL) {
        REQUIRE(s->open == s->closed && ev->part == s->open++);
        REQUIRE(ev->call_id.len && ev->name.len);
    } else if (ev->kind == IR_EV_TOOL_ARGUMENTS) {
        REQUIRE(ev->part + 1 == s->open && ev->part == s->closed);
    } else if (ev->kind == IR_EV_TOOL_END) {
        REQUIRE(ev->part == s->closed++);
    } else if (ev->kind == IR_EV_FINISH) {
        REQUIRE(s->open == s->closed);
    } else if (ev->kind == IR_EV_ERROR) {
        REQUIRE(ev->fault->msg.len && ev->fault->status >= 400);
    }
    CHAT->write_answer(s->fold, ev, &s->folded);
    CHAT->write_answer(s->stream, ev, &s->streamed);
}

static void check_frames(struct str frames)
{
    struct sse sse;
    struct sse_event ev;
    bool done = false, error = false;
    sse_init(&sse, SSE_EVENT_MAX);
    sse_push(&sse, frames);
    while (!sse_next(&sse, &ev)) {
        REQUIRE(!done && !error);
        if (!ev.has_data || (done = str_eq(ev.data, STR("[DONE]"))))
            continue;
        require_json(ev.data);
        error = str_starts(ev.data, STR("{\"error\""));
    }
    REQUIRE(done || error);
    sse_done(&sse);
}

static void fuzz_answer(struct str input, bool whole)
{
    struct arena *a = arena_new();
    struct answer_context c = { .arena = a, .unix_s = 1, .id = STR("seed") };
    struct answer_style fold = { .fold = true, .model_json = STR("\"m\"") },
                        stream = { .usage = true, .model_json = STR("\"m\"") };
    struct seen s = { .fold = arena_zalloc(a, CHAT->writer_bytes),
                      .stream = arena_zalloc(a, CHAT->writer_bytes) };
    struct ir_sink sink = { on_event, &s };
    void *reader = arena_zalloc(a, D->reader_bytes);
    const char *what = NULL;
    enum err e = ERR_OK;
    buf_init(&s.folded, 64 * MIB);
    buf_init(&s.streamed, 64 * MIB);
    D->reader_init(reader, &c);
    CHAT->writer_init(s.fold, &c, &fold);
    CHAT->writer_init(s.stream, &c, &stream);
    while (!e && input.len) {
        struct frame f = { .whole = whole, .data = whole ? input : str_cut(&input, '\n') };
        fuzz_splice(f.data, whole);
        e = D->read_answer(reader, &f, &sink, &what);
        REQUIRE(!e || (e == ERR_UPSTREAM_BAD && what));
        if (whole)
            break;
    }
    e = e ? e : D->end_answer(reader, &sink);
    REQUIRE((e == ERR_OK) == s.ended);
    if (s.ended) {
        require_json(buf_str(&s.folded));
        check_frames(buf_str(&s.streamed));
    } else {
        REQUIRE(s.folded.len == 0);
    }
    D->reader_done(reader);
    CHAT->writer_done(s.fold);
    CHAT->writer_done(s.stream);
    buf_done(&s.folded);
    buf_done(&s.streamed);
    arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct str rest = str_of((const char *)data + 1, size - 1);
    if (data[0] == 'r')
        fuzz_request(rest);
    else
        fuzz_answer(rest, data[0] == 'w');
    return 0;
}
