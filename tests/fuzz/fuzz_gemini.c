/* Gemini as a provider. The first byte chooses: a client's request across to Gemini (whatever is written must be JSON), or an
 * answer of Gemini's, whole, as a stream of lines, or as embeddings (events come in their order, and nothing follows the end). */
#include "base/mem.h"
#include "dialect/dialect.h"
#include "dialect/embed.h"
#include "wire/json_scan.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "fuzz_gemini: %s\n", what);
    abort();
}

static void request(struct str body, const char *model, bool vertex)
{
    struct arena *a = arena_new();
    struct ir_request rq = { 0 };
    struct ir_report report;
    struct ir_call call;
    struct fault fault = { 0 };
    struct json_problem problem;
    struct dialect_target t = { .model = str_c(model),
                                .facts = model_facts_find(STR("gemini"), str_c(model)),
                                .vertex = vertex };
    ir_report_init(&report, a);
    report.drop_params = true;
    if (!dialect_openai_chat.read_request(body, str_of(NULL, 0), a, &rq, &fault)) {
        enum err e = dialect_gemini_generate.write_request(&rq, &t, &report, a, &call, &fault);
        check(!e || fault.err == e, "an error without its fault");
        if (!e) {
            struct str flat = segments_flat(&call.body, a);
            if (json_check(flat, &problem))
                fprintf(stderr, "%.*s\nat %zu: %s\n", STR_ARG(flat), problem.at, problem.what);
            check(!json_check(flat, &problem), "the body is no JSON");
            segments_done(&call.body);
        }
    }
    arena_free(a);
}

struct seen {
    bool started, ended;
};

static void on_event(void *ctx, const struct ir_event *ev)
{
    struct seen *s = ctx;
    struct json_problem problem;
    check(!s->ended, "an event after the end");
    check(s->started || ev->kind == IR_EV_START || ev->kind == IR_EV_ERROR,
          "an event before the start");
    s->started |= ev->kind == IR_EV_START;
    s->ended = ev->kind == IR_EV_END || ev->kind == IR_EV_ERROR;
    check(!ev->json.len ||
              (json_type_of(ev->json) == JSON_STRING && !json_check(ev->json, &problem)),
          "a text is no literal");
    check(!ev->raw.len || !json_check(ev->raw, &problem), "raw is no JSON");
    check(!ev->signature.len || json_type_of(ev->signature) == JSON_STRING,
          "a signature is no literal");
}

static void answer(struct str body, bool whole)
{
    struct arena *a = arena_new();
    struct ir_request rq = { .parallel_tool_calls = -1 };
    struct answer_context c = { .rq = &rq, .arena = a, .id = STR("id") };
    struct seen seen = { 0 };
    struct ir_sink sink = { on_event, &seen };
    void *reader = arena_zalloc(a, dialect_gemini_generate.reader_bytes);
    const char *what = NULL;
    enum err e = ERR_OK;
    dialect_gemini_generate.reader_init(reader, &c);
    while (!e && body.len) {
        struct frame f = { .data = whole ? body : str_cut(&body, '\n'), .whole = whole };
        if (whole)
            body.len = 0;
        e = dialect_gemini_generate.read_answer(reader, &f, &sink, &what);
        check(!e || what, "a refusal without a reason");
    }
    if (!e && !dialect_gemini_generate.end_answer(reader, &sink))
        check(seen.ended, "complete without an end");
    dialect_gemini_generate.reader_done(reader);
    arena_free(a);
}

static void embed(struct str body)
{
    struct arena *a = arena_new();
    struct ir_embed rq;
    struct fault fault = { 0 };
    struct embed_answer ans;
    struct buf out;
    const char *what;
    if (!embed_read_openai(
            STR("{\"model\":\"m\",\"input\":[\"a\",\"b\"],\"encoding_format\":\"base64\"}"), a, &rq,
            &fault)) {
        embed_answer_init(&ans, &rq, a);
        if (!embed_read_gemini(&ans, &rq, EMBED_GAPI, 2, body, a, &what)) {
            buf_init(&out, 64 * MIB);
            embed_write_openai(&rq, &ans, STR("\"m\""), &out);
            check(out.len > 0, "no list");
            buf_done(&out);
        }
    }
    if (!embed_read_openai(body, a, &rq, &fault))
        check(rq.count > 0, "no input");
    arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct str body = str_of((const char *)data + 1, size - 1);
    switch (data[0] % 8) {
    case 0: request(body, "gemini-2.5-flash", false); break;
    case 1: request(body, "gemini-2.0-flash", false); break;
    case 2: request(body, "gemini-3-pro-preview", false); break;
    case 3: request(body, "gemini-3-flash", true); break;
    case 4:
    case 5: answer(body, true); break;
    case 6: answer(body, false); break;
    default: embed(body); break;
    }
    return 0;
}
