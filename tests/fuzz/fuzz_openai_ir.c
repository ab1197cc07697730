/* OpenAI's Chat Completions as a dialect of the IR. The first byte of the input chooses what the rest is:
 * a request (what is read is written as valid JSON, and that is a request which is written the same way), or an answer, whole or
 * one chunk a line (folded it is one valid JSON object, streamed it is frames of valid JSON that end in [DONE], and each event is in its
 * place). */
#include "dialect_judge.h"
#include "fuzz.h"

#define D (&dialect_openai_chat)

/* False: refused, with words for the client. */
static bool write_again(struct str body, struct arena *a, struct str *ret_body)
{
    static const struct model_facts facts = { .n_max = 1, .stop_max = 4 };
    struct dialect_target t = { .model = STR("gpt-5.6"), .facts = &facts };
    struct ir_request rq;
    struct fault f;
    if (D->read_request(body, str_of(NULL, 0), a, &rq, &f)) {
        REQUIRE(f.status == 400 && f.msg.len > 0);
        return false;
    }
    return judge_request(D, &rq, &t, true, a, ret_body);
}

static void fuzz_request(struct str body)
{
    struct arena *a = arena_new();
    struct str once, twice, thrice;
    if (write_again(body, a, &once)) {
        if (write_again(once, a, &twice)) {
            REQUIRE(write_again(twice, a, &thrice));
            REQUIRE(str_eq(twice, thrice));
        }
    }
    arena_free(a);
}

static void fuzz_answer(struct str input, bool whole)
{
    static const struct answer_rules rules = {
        .from = D, .choices = 128, .early = IR_EARLY(IR_EV_USAGE), .named_calls = true
    };
    struct answer_context c = { .arena = arena_new(), .unix_s = 1, .id = STR("seed") };
    judge_answer(&rules, &c, input, whole);
    arena_free(c.arena);
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
