/* OpenAI's Chat Completions as a dialect of the IR. The first byte of the input chooses what the rest is:
 * a request (what is read is written as valid JSON, and that is a request which is written the same way), or an answer, whole or
 * one chunk a line (folded it is one valid JSON object, streamed it is frames of valid JSON that end in [DONE], and each event is in its
 * place). */
#include "base/mem.h"
#include "dialect/dialect.h"
#include "wire/json_scan.h"
#include "wire/sse.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(cond)                                                                              \
    do {                                                                                           \
        if (!(cond))                                                                               \
            abort();                                                                               \
    } while (0)

#define D (&dialect_openai_chat)

static void require_json(struct str text)
{
    struct json_problem problem;
    REQUIRE(json_check(text, &problem) == ERR_OK);
}

/* False: refused, with words for the client. */
static bool write_again(struct str body, struct arena *a, struct str *ret_body)
{
    static const struct model_facts facts = { .n_max = 1, .stop_max = 4 };
    struct dialect_target t = { .model = STR("gpt-5.6"), .facts = &facts };
    struct ir_request rq;
    struct ir_report report;
    struct ir_call call;
    struct fault f;
    const struct str *segs;
    size_t n;
    if (D->read_request(body, str_of(NULL, 0), a, &rq, &f)) {
        REQUIRE(f.status == 400 && f.msg.len > 0);
        return false;
    }
    ir_report_init(&report, a);
    report.drop_params = true;
    if (D->write_request(&rq, &t, &report, a, &call, &f)) {
        REQUIRE(f.msg.len > 0);
        return false;
    }
    REQUIRE(segments_finish(&call.body, a, &segs, &n) == ERR_OK);
    *ret_body = segments_flat(&call.body, a);
    segments_done(&call.body);
    return true;
}

static void fuzz_request(struct str body)
{
    struct arena *a = arena_new();
    struct str once, twice, thrice;
    if (write_again(body, a, &once)) {
        require_json(once);
        if (write_again(once, a, &twice)) {
            require_json(twice);
            REQUIRE(write_again(twice, a, &thrice));
            REQUIRE(str_eq(twice, thrice));
        }
    }
    arena_free(a);
}

struct seen {
    void *fold, *stream;
    struct buf folded, streamed;
    bool started, ended;
    uint32_t open[128]; /* calls begun; of each choice */
    uint32_t closed[128];
};

static void on_event(void *ctx, const struct ir_event *ev)
{
    struct seen *s = ctx;
    REQUIRE(!s->ended && ev->choice < 128);
    REQUIRE(s->started || ev->kind == IR_EV_START || ev->kind == IR_EV_ERROR ||
            ev->kind == IR_EV_USAGE);
    if (ev->kind == IR_EV_START)
        REQUIRE(!s->started);
    s->started |= ev->kind == IR_EV_START;
    s->ended = ev->kind == IR_EV_END || ev->kind == IR_EV_ERROR;
    if (ev->json.len)
        require_json(ev->json);
    if (ev->raw.len)
        require_json(ev->raw);
    if (ev->kind == IR_EV_TOOL_CALL) {
        REQUIRE(s->open[ev->choice] == s->closed[ev->choice] && ev->part == s->open[ev->choice]++);
        REQUIRE(ev->call_id.len && ev->name.len);
    } else if (ev->kind == IR_EV_TOOL_ARGUMENTS) {
        REQUIRE(ev->part + 1 == s->open[ev->choice] && ev->part == s->closed[ev->choice]);
    } else if (ev->kind == IR_EV_TOOL_END) {
        REQUIRE(ev->part == s->closed[ev->choice]++);
    } else if (ev->kind == IR_EV_FINISH) {
        REQUIRE(s->open[ev->choice] == s->closed[ev->choice]);
    }
    D->write_answer(s->fold, ev, &s->folded);
    D->write_answer(s->stream, ev, &s->streamed);
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
        if ((done = str_eq(ev.data, STR("[DONE]"))))
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
    struct seen s = { .fold = arena_zalloc(a, D->writer_bytes),
                      .stream = arena_zalloc(a, D->writer_bytes) };
    struct ir_sink sink = { on_event, &s };
    void *reader = arena_zalloc(a, D->reader_bytes);
    const char *what = NULL;
    enum err e = ERR_OK;
    buf_init(&s.folded, 64 * MIB);
    buf_init(&s.streamed, 64 * MIB);
    D->reader_init(reader, &c);
    D->writer_init(s.fold, &c, &fold);
    D->writer_init(s.stream, &c, &stream);
    while (!e && input.len) {
        struct frame f = { .whole = whole, .data = whole ? input : str_cut(&input, '\n') };
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
    D->writer_done(s.fold);
    D->writer_done(s.stream);
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
