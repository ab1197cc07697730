/* The Anthropic dialect: a request that is read as OpenAI's and written as Anthropic's must become valid JSON, in pieces that
 * end where they should; an answer, whole or as events (a line each), must become events in their order, with JSON in them,
 * whatever it holds.
 *
 * The first byte chooses what the rest is, the model and the flags. */
#include "dialect/schema.h"

#include "dialect_judge.h"
#include "fuzz.h"

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
    struct fault f = { 0 };
    struct str written;
    struct dialect_target t = { .model = models[choice & 3],
                                .vertex = choice & 4,
                                .modify_params = choice & 8 };
    t.facts = model_facts_find(STR("anthropic"), t.model);
    if (!dialect_openai_chat.read_request(body, str_of(NULL, 0), a, &rq, &f))
        judge_request(&dialect_anthropic_messages, &rq, &t, choice & 16, a, &written);
}

static void try_answer(struct str text, unsigned choice, struct arena *a)
{
    static const struct answer_rules rules = { .from = &dialect_anthropic_messages,
                                               .choices = 1,
                                               .early = IR_EARLY(IR_EV_PING) };
    struct ir_request rq = { 0 };
    struct fault f = { 0 };
    struct dialect_target t = { .model = models[choice & 3] };
    t.facts = model_facts_find(STR("anthropic"), t.model);
    REQUIRE(!dialect_openai_chat.read_request(str_c(requests[choice >> 4 & 1]), str_of(NULL, 0), a,
                                              &rq, &f));
    struct answer_context c = { .rq = &rq, .target = &t, .arena = a, .id = STR("id") };
    judge_answer(&rules, &c, text, choice & 8);
}

static void try_schema(struct str text, struct arena *a)
{
    schema_cuts cuts;
    if (!is_json(text))
        return;
    REQUIRE_JSON(schema_for_grammar(str_trim(text), a, &cuts));
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
