/* Follow-ups of the Responses API: earlier items, references to them, and what a provider that speaks it gets of another's. */
#include "responses_test.h"

#define MADE(prefix, n) "\"id\":\"" prefix "_" HEX n "\""
#define SAID "{\"type\":\"message\"," MADE("msg", "i0000") ",\"role\":\"user\",\"content\":\"Hi\"}"
#define TAG "weirn.0123abcd."
#define OTHER_TAG "weirn.89abcdef."
#define STATE_OWN "weir1.eyJvIjoiZ2VtaW5pIiwiayI6InRleHQiLCJzIjoieCJ9"

#define MADE_SAID                                                                                  \
    "{\"type\":\"message\"," MADE("msg", "0001") ",\"role\":\"assistant\",\"content\":\"Hi\"}"
#define PLAIN_SAID "{\"type\":\"message\",\"role\":\"assistant\",\"content\":\"Hi\"}"

static const struct response_past past[] = {
    { STR_INIT("[" SAID "]"),
      STR_INIT("[{\"type\":\"reasoning\"," MADE(
          "rs",
          "0000") ",\"summary\":[]},"
                  "{\"type\":\"reasoning\"," MADE(
                      "rs",
                      "0001") ",\"summary\":[],\"encrypted_content\":"
                              "\"" STATE_OWN "\"},"
                              "{\"type\":\"reasoning\"," MADE(
                                  "rs",
                                  "0002") ",\"summary\":[],\"encrypted_content\":"
                                          "\"gAAA\"},"
                                          "{\"type\":\"web_search_call\"," MADE(
                                              "ws",
                                              "0003") ",\"status\":\"completed\"},"
                                                      "{\"type\":\"message\"," MADE(
                                                          "msg",
                                                          "0004") ",\"role\":\"assistant\",\"content\":[]}]") },
};

static struct str follow(struct response_follow f, struct fault *fault)
{
    struct str got = { NULL, 0 };
    bool lost;
    enum err e = response_follow_input(&f, a, &got, &lost, fault);
    assert_int_equal(e, got.len ? ERR_OK : fault->err);
    return got;
}

static void test_follow(void **state)
{
    struct response_follow f = { .past = past, .past_count = 1, .input = STR("\"More\"") };
    struct fault fault;
    (void)state;
    struct str got = follow(f, &fault);
    assert_true(contains(got, "[" SAID ",{\"type\":\"reasoning\"," MADE("rs", "0000")));
    assert_true(contains(got, STATE_OWN) && contains(got, "gAAA") && contains(got, "ws_"));
    assert_true(str_ends(got, STR(",{\"role\":\"user\",\"content\":\"More\"}]")));
    f.native = true;
    assert_text(follow(f, &fault),
                "[{\"type\":\"message\",\"role\":\"user\",\"content\":\"Hi\"},"
                "{\"type\":\"reasoning\",\"summary\":[],\"encrypted_content\":\"gAAA\"},"
                "{\"type\":\"message\",\"role\":\"assistant\",\"content\":[]},"
                "{\"role\":\"user\",\"content\":\"More\"}]");
    f.past_count = 0;
    assert_text(follow(f, &fault), "[{\"role\":\"user\",\"content\":\"More\"}]");
}

/* A client that keeps the conversation itself moves to a provider that speaks this API. */
static void test_follow_foreign(void **state)
{
    static const struct {
        const char *input, *followed; /* NULL: it stays as it is */
        bool lost;
    } rows[] = {
        { "\"Hi\"", NULL, false },
        { "[]", NULL, false },
        { "{\"id\":\"msg_" HEX "0000\"}", NULL, false },
        { "[{\"role\":\"user\",\"content\":\"weir1. \\\"id\\\" \"}]", NULL, false },
        { "[{\"id\":\"rs_theirs\",\"type\":\"reasoning\",\"encrypted_content\":\"gAAA\"}]", NULL,
          false },
        { "[5,{\"id\":null},{\"id\":\"fc_1\"}]", NULL, false },
        { "[{\"id\":\"fc_" HEX "0000\",\"type\":\"function_call\",\"call_id\":\"c\"}]",
          "[{\"type\":\"function_call\",\"call_id\":\"c\"}]", false },
        { "[{\"type\":\"reasoning\",\"encrypted_content\":\"" STATE_OWN "\"},"
          "{\"id\":\"rs_theirs\",\"type\":\"reasoning\",\"summary\":[]},"
          "{\"id\":\"ws_theirs\",\"type\":\"web_search_call\"}]",
          "[{\"id\":\"rs_theirs\",\"type\":\"reasoning\",\"summary\":[]},"
          "{\"id\":\"ws_theirs\",\"type\":\"web_search_call\"}]",
          true },
        { "[{\"type\":\"reasoning\"," MADE("rs", "0000") ",\"summary\":[]}]", "[]", true },
        { "[{\"type\":\"reasoning\",\"summary\":[]}," MADE_SAID "]", "[" PLAIN_SAID "]", true },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct response_follow f = { .input = str_c(rows[i].input), .native = true };
        struct fault fault;
        struct str got;
        bool lost = !rows[i].lost;
        assert_int_equal(response_is_foreign(f.input, STR(TAG), a), rows[i].followed != NULL);
        if (!rows[i].followed)
            continue;
        assert_int_equal(response_follow_input(&f, a, &got, &lost, &fault), ERR_OK);
        assert_text(got, rows[i].followed);
        assert_int_equal(lost, rows[i].lost);
    }
}

#define REASONED(state)                                                                            \
    "{\"type\":\"reasoning\",\"id\":\"rs_theirs\",\"summary\":[],\"encrypted_content\":\"" state   \
    "\"}"

/* What an account's own provider encrypted goes to that account; to another one the item goes without it, or not at all. */
static void test_follow_accounts(void **state)
{
    static const struct {
        const char *input, *followed; /* NULL: it stays as it is */
    } rows[] = {
        { "[" REASONED("gAAA") "]", NULL },
        { "[" REASONED(TAG "gAAA") "]", NULL },
        { "[" REASONED(OTHER_TAG "gAAA") "]", "[]" },
        { "[" REASONED("weirn.0123abcdgAAA") "," REASONED("weirn.") "]", "[]" },
        { "[" REASONED(TAG "1") "," REASONED(OTHER_TAG "2") "," REASONED("3") "," REASONED(TAG
                                                                                           "4") "]",
          "[" REASONED(TAG "1") "," REASONED("3") "," REASONED(TAG "4") "]" },
        { "[{\"type\":\"compaction\",\"encrypted_content\":\"" TAG "1\"}]", NULL },
        { "[{\"type\":\"compaction\",\"encrypted_content\":\"" OTHER_TAG "1\"},{\"role\":\"user\","
          "\"content\":\"x\"}]",
          "[{\"role\":\"user\",\"content\":\"x\"}]" },
        /* what came of reasoning that is gone goes without its id, until the user speaks or other reasoning is there */
        { "[{\"id\":\"msg_0\",\"role\":\"assistant\",\"content\":\"0\"}," REASONED(
              OTHER_TAG
              "1") ","
                   "{\"id\":\"rs_2\",\"type\":\"reasoning\",\"summary\":[]},{\"id\":\"ws_3\",\"type\":\"web_search_call\"},"
                   "{\"id\":\"ci_4\",\"type\":\"code_interpreter_call\",\"code\":\"4\"},"
                   "{\"type\":\"function_call\",\"\\u0069d\":\"fc_5\",\"call_id\":\"5\"},"
                   "{\"type\":\"function_call_output\",\"call_id\":\"5\",\"output\":\"6\"},"
                   "{\"content\":\"7\",\"role\":\"assistant\",\"id\":\"msg_7\"},"
                   "{\"id\":\"msg_8\",\"role\":\"user\",\"content\":\"8\"},"
                   "{\"id\":\"msg_9\",\"role\":\"assistant\",\"content\":\"9\"}," REASONED(
                       OTHER_TAG
                       "10") "," REASONED(TAG
                                          "11") ",{\"id\":\"msg_12\",\"role\":\"assistant\",\"content\":\"12\"}]",
          "[{\"id\":\"msg_0\",\"role\":\"assistant\",\"content\":\"0\"},"
          "{\"id\":\"ci_4\",\"type\":\"code_interpreter_call\",\"code\":\"4\"},"
          "{\"type\":\"function_call\",\"call_id\":\"5\"},"
          "{\"type\":\"function_call_output\",\"call_id\":\"5\",\"output\":\"6\"},"
          "{\"content\":\"7\",\"role\":\"assistant\"},"
          "{\"id\":\"msg_8\",\"role\":\"user\",\"content\":\"8\"},"
          "{\"id\":\"msg_9\",\"role\":\"assistant\",\"content\":\"9\"}," REASONED(
              TAG "11") ","
                        "{\"id\":\"msg_12\",\"role\":\"assistant\",\"content\":\"12\"}]" },
        /* an item of a kind that is not known stays, and so does all else in it */
        { "[{\"type\":\"new\",\"a\":{\"encrypted_content\":\"" OTHER_TAG
          "0\"},\"encrypted\\u005fcontent\" :\"" OTHER_TAG "1\",\"b\":[1 ]}]",
          "[{\"type\":\"new\",\"a\":{\"encrypted_content\":\"" OTHER_TAG "0\"},\"b\":[1 ]}]" },
        { "[{\"role\":\"user\",\"content\":\"" OTHER_TAG "1\"}]", NULL },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct response_follow f = { .input = str_c(rows[i].input),
                                     .native = true,
                                     .tag = STR(TAG) };
        struct fault fault;
        struct str got;
        bool lost;
        assert_int_equal(response_is_foreign(f.input, f.tag, a), rows[i].followed != NULL);
        assert_int_equal(response_follow_input(&f, a, &got, &lost, &fault), ERR_OK);
        assert_text(got, rows[i].followed ? rows[i].followed : rows[i].input);
        assert_int_equal(lost, rows[i].followed != NULL);
        /* across dialects nothing is taken out here: the writers do not know it */
        f.native = false;
        assert_int_equal(response_follow_input(&f, a, &got, &lost, &fault), ERR_OK);
        assert_text(got, rows[i].input);
        assert_false(lost);
    }
    /* of no account: all that has a tag is another's */
    assert_true(response_is_foreign(STR("[" REASONED(TAG "gAAA") "]"), STR(""), a));
}

static void test_follow_references(void **state)
{
    static const struct response_past other[] = {
        { STR_INIT("[]"), STR_INIT("[{\"type\":\"message\",\"id\":\"msg_" OTHER
                                   "0000\",\"role\":\"assistant\",\"content\":\"O\"}]") }
    };
    struct response_follow f = {
        .past = past, .past_count = 1, .referred = other, .referred_count = 1, .native = true
    };
    struct fault fault;
    (void)state;
    f.input =
        STR("[{\"type\":\"item_reference\",\"id\":\"msg_" OTHER "0000\"},"
            "{\"id\":\"rs_" HEX "0000\"},{\"type\":\"item_reference\",\"id\":\"msg_theirs\"}]");
    /* What the provider keeps itself stays a reference; reasoning that it cannot read is gone. */
    assert_true(str_ends(follow(f, &fault),
                         STR(",{\"type\":\"message\",\"role\":\"assistant\",\"content\":\"O\"},"
                             "{\"type\":\"item_reference\",\"id\":\"msg_theirs\"}]")));
    f.native = false;
    f.input = STR(
        "[{\"role\":\"user\",\"content\":\"x\"},{\"type\":\"item_reference\",\"id\":\"msg_" OTHER
        "0009\"}]");
    assert_int_equal(follow(f, &fault).len, 0);
    assert_text(fault.param, "input[1].id");
    assert_int_equal(fault.status, 400);
    f.native = true;
    assert_int_equal(follow(f, &fault).len, 0); /* weir's, and not kept */
    f.input = STR("[5]");
    assert_int_equal(follow(f, &fault).len, 0);
    assert_text(fault.param, "input[0]");
    f.input = STR("{}");
    assert_int_equal(follow(f, &fault).len, 0);
    assert_text(fault.param, "input");
}

static void test_references(void **state)
{
    struct str ids[2] = { { NULL, 0 } };
    (void)state;
    const struct str input = STR(
        "[{\"type\":\"item_reference\",\"id\":\"msg_" HEX "0001\"},{\"id\":\"fc_" HEX "0002\"},"
        "{\"type\":\"item_reference\",\"id\":\"msg_" OTHER "i0001\"},{\"type\":\"item_reference\","
        "\"id\":\"msg_theirs\"},{\"type\":\"message\",\"id\":\"msg_" HEX
        "0003\",\"role\":\"user\"},{\"type\":\"item_reference\",\"id\":"
        "\"rs_00000000000000000000000000000000"
        "0001\"}]");
    assert_int_equal(response_references(input, a, ids, 2), 3);
    assert_text(ids[0], "resp_" HEX);
    assert_text(ids[1], "resp_" OTHER);
    assert_int_equal(response_references(STR("\"Hi\""), a, ids, 2), 0);
    assert_int_equal(response_references(STR("[5,{}]"), a, ids, 2), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_follow),          cmocka_unit_test(test_follow_foreign),
        cmocka_unit_test(test_follow_accounts), cmocka_unit_test(test_follow_references),
        cmocka_unit_test(test_references),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
