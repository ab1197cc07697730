/* The Anthropic dialect: a request that is read as OpenAI's and written as Anthropic's must become valid JSON, in pieces that
 * end where they should; an answer, whole or as events (a line each), must become events in their order, with JSON in them,
 * whatever it holds.
 *
 * The first byte chooses what the rest is, the model and the flags. */
#include "base/mem.h"
#include "dialect/dialect.h"
#include "dialect/schema.h"
#include "wire/json_scan.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(cond)                                                                              \
    do {                                                                                           \
        if (!(cond))                                                                               \
            abort();                                                                               \
    } while (0)

static const struct str models[] = { STR_INIT("claude-sonnet-4-5"), STR_INIT("claude-opus-5"),
                                     STR_INIT("claude-3-haiku-20240307"),
                                     STR_INIT("claude-opus-4-6") };

/* What the answer is an answer to. */
static const char *const requests[] = {
    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"tools\":[{\"type\":\"custom\",\"custom\":{\"name\":\"c\"}},"
    "{\"type\":\"function\",\"function\":{\"name\":\"a.b\"}}]}",
    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"response_format\":{\"type\":\"json_schema\","
    "\"json_schema\":{\"name\":\"o\",\"schema\":{\"type\":\"array\"}}}}",
};

static void try_request(struct str body, unsigned choice, struct arena *a)
{
    struct ir_request rq = { 0 };
    struct ir_report report;
    struct ir_call call;
    struct fault f = { 0 };
    struct json_problem problem;
    struct dialect_target t = { .model = models[choice & 3],
                                .vertex = choice & 4,
                                .modify_params = choice & 8 };
    t.facts = model_facts_find(STR("anthropic"), t.model);
    ir_report_init(&report, a);
    report.drop_params = choice & 16;
    if (dialect_openai_chat.read_request(body, str_of(NULL, 0), a, &rq, &f))
        return;
    if (dialect_anthropic_messages.write_request(&rq, &t, &report, a, &call, &f)) {
        REQUIRE(f.status >= 400 && f.msg.len > 0);
        return;
    }
    REQUIRE(json_check(segments_flat(&call.body, a), &problem) == ERR_OK);
    segments_done(&call.body);
}

struct order {
    bool started, ended;
    uint32_t calls;
};

static void on_event(void *ctx, const struct ir_event *ev)
{
    struct order *o = ctx;
    struct json_problem problem;
    REQUIRE(!o->ended);
    REQUIRE(o->started || ev->kind == IR_EV_START || ev->kind == IR_EV_PING ||
            ev->kind == IR_EV_ERROR);
    REQUIRE(ev->kind != IR_EV_START || !o->started);
    o->started |= ev->kind == IR_EV_START;
    o->ended |= ev->kind == IR_EV_END || ev->kind == IR_EV_ERROR;
    if (ev->kind == IR_EV_TOOL_CALL)
        REQUIRE(ev->part == o->calls++);
    if (ev->json.len)
        REQUIRE(json_type_of(ev->json) == JSON_STRING && json_check(ev->json, &problem) == ERR_OK);
    if (ev->raw.len)
        REQUIRE(json_check(ev->raw, &problem) == ERR_OK);
}

static void try_answer(struct str text, unsigned choice, struct arena *a)
{
    struct ir_request rq = { 0 };
    struct fault f = { 0 };
    struct order order = { 0 };
    struct ir_sink sink = { on_event, &order };
    const char *what = NULL;
    bool whole = choice & 8;
    enum err e = ERR_OK;
    struct dialect_target t = { .model = models[choice & 3] };
    t.facts = model_facts_find(STR("anthropic"), t.model);
    REQUIRE(!dialect_openai_chat.read_request(str_c(requests[choice >> 4 & 1]), str_of(NULL, 0), a,
                                              &rq, &f));
    struct answer_context c = { .rq = &rq, .target = &t, .arena = a, .id = STR("id") };
    void *reader = arena_zalloc(a, dialect_anthropic_messages.reader_bytes);
    dialect_anthropic_messages.reader_init(reader, &c);
    do {
        struct frame frame = { .data = whole ? text : str_cut(&text, '\n'), .whole = whole };
        e = dialect_anthropic_messages.read_answer(reader, &frame, &sink, &what);
        REQUIRE(e == ERR_OK || (e == ERR_UPSTREAM_BAD && what));
    } while (!e && !whole && text.len);
    if (!e)
        REQUIRE((dialect_anthropic_messages.end_answer(reader, &sink) == ERR_OK) == order.ended);
    dialect_anthropic_messages.reader_done(reader);
}

static void try_schema(struct str text, struct arena *a)
{
    struct json_problem problem;
    schema_cuts cuts;
    if (json_check(text, &problem))
        return;
    REQUIRE(json_check(schema_for_grammar(str_trim(text), a, &cuts), &problem) == ERR_OK);
    schema_is_recursive(text, a);
    schema_root_union(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct arena *a = arena_new();
    struct str body = str_of((const char *)data + 1, size - 1);
    switch (data[0] >> 6) {
    case 0: try_request(body, data[0], a); break;
    case 1: try_schema(body, a); break;
    default: try_answer(body, data[0], a); break;
    }
    arena_free(a);
    return 0;
}
