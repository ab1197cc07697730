/* Gemini as a provider. The first byte chooses: a client's request across to Gemini (whatever is written must be JSON), or an
 * answer of Gemini's, whole, as a stream of lines, or as embeddings (events come in their order, and nothing follows the end). */
#include "base/mem.h"
#include "dialect/embed.h"

#include "dialect_judge.h"
#include "fuzz.h"

static void request(struct str body, const char *model, bool vertex)
{
    struct arena *a = arena_new();
    struct ir_request rq = { 0 };
    struct fault fault = { 0 };
    struct str written;
    struct dialect_target t = { .model = str_c(model),
                                .facts = model_facts_find(STR("gemini"), str_c(model)),
                                .vertex = vertex };
    if (!dialect_openai_chat.read_request(body, str_of(NULL, 0), a, &rq, &fault))
        judge_request(&dialect_gemini_generate, &rq, &t, true, a, &written);
    arena_free(a);
}

static void answer(struct str body, bool whole)
{
    static const struct answer_rules rules = { .from = &dialect_gemini_generate,
                                               .choices = 128,
                                               .named_calls = true };
    struct ir_request rq = { .parallel_tool_calls = -1 };
    struct answer_context c = { .rq = &rq, .arena = arena_new(), .id = STR("id") };
    judge_answer(&rules, &c, body, whole);
    arena_free(c.arena);
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
            REQUIRE(out.len > 0);
            buf_done(&out);
        }
    }
    if (!embed_read_openai(body, a, &rq, &fault))
        REQUIRE(rq.count > 0);
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
