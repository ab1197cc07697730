/* The provider side of OpenAI's Responses API. The first byte of the input chooses what the rest is: a request of Chat Completions
 * ('r': what can be sent is valid JSON), or an answer, whole ('w') or one event a line. Of an answer: each event is in its place; folded
 * it is one valid JSON object of Chat Completions, streamed it is frames that end in [DONE] or an error; and passed through, its two
 * edits can be undone. */
#include "base/mem.h"
#include "dialect/responses.h"

#include "dialect_judge.h"
#include "fuzz.h"

#define CHAT (&dialect_openai_chat)
#define D (&dialect_openai_responses)

/* -- a request */

static void fuzz_request(struct str body)
{
    struct arena *a = arena_new();
    struct dialect_target t = { .model = STR("gpt-5.6"),
                                .facts = model_facts_find(STR("openai"), STR("gpt-5.6")) };
    struct ir_request rq;
    struct fault f;
    struct str written;
    if (CHAT->read_request(body, str_of(NULL, 0), a, &rq, &f) == ERR_OK)
        judge_request(D, &rq, &t, true, a, &written);
    arena_free(a);
}

/* -- passed through */

/* `with` is `without` but for the tag, each time at the beginning of a string. */
static bool only_tagged(struct str with, struct str without, struct str tag)
{
    size_t i = 0, k = 0;
    while (i < with.len) {
        bool begins = i > 0 && with.p[i - 1] == '"' && str_starts(str_skip(with, i), tag);
        if (begins && !str_starts(str_skip(without, k), tag))
            i += tag.len;
        else if (k == without.len || with.p[i++] != without.p[k++])
            return false;
    }
    return k == without.len;
}

static void fuzz_splice(struct str text, bool whole)
{
    static const struct str tag = STR_INIT("weirn.0123abcd.");
    struct response_answer ans;
    struct buf out, tagged;
    enum err e = whole ? response_read_answer(text, &ans) : response_read_event(text, true, &ans);
    if (e) {
        REQUIRE(e == ERR_BAD_JSON && ans.problem.what);
        return;
    }
    buf_init(&out, 64 * MIB);
    buf_init(&tagged, 64 * MIB);
    response_put_answer(&ans, STR("\"m\""), STR(""), &out);
    response_put_answer(&ans, STR("\"m\""), tag, &tagged);
    struct str got = buf_str(&out), old = json_value(text, &ans.model);
    REQUIRE_JSON(got);
    if (ans.model.type == JSON_STRING) {
        size_t at = ans.model.value_at;
        REQUIRE(str_eq(str_head(got, at), str_head(text, at)));
        REQUIRE(str_starts(str_skip(got, at), STR("\"m\"")));
        REQUIRE(str_eq(str_skip(got, at + 3), str_skip(text, at + old.len)));
    } else {
        REQUIRE(str_eq(got, text));
    }
    REQUIRE_JSON(buf_str(&tagged));
    REQUIRE(str_find(text, tag) != STR_NONE || only_tagged(buf_str(&tagged), got, tag));
    buf_done(&out);
    buf_done(&tagged);
}

/* -- through events */

static void fuzz_answer(struct str input, bool whole)
{
    static const struct answer_rules rules = { .from = D,
                                               .choices = 1,
                                               .early = IR_EARLY(IR_EV_PING),
                                               .brief_end = true,
                                               .named_calls = true };
    struct answer_context c = { .arena = arena_new(), .unix_s = 1, .id = STR("seed") };
    for (struct str rest = input; !whole && rest.len;)
        fuzz_splice(str_cut(&rest, '\n'), false);
    if (whole)
        fuzz_splice(input, true);
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
