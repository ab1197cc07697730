/* Whose a provider's own state is: its tag in native answers, and on the way back. */
#include "dialect_test.h"

#include "base/mem.h"
#include "dialect/responses.h"

#include <stdio.h>

#define ALIAS "\"alias\""
#define TAG "weirn.0123abcd."

static int make_arena(void **state)
{
    *state = arena_new();
    return 0;
}

static int drop_arena(void **state)
{
    arena_free(*state);
    return 0;
}
#define STATE(content) "\"encrypted_content\":\"" content "\""
#define ITEM "{\"type\":\"reasoning\",\"summary\":[]," STATE("gAAA") "}"
#define TAGGED "{\"type\":\"reasoning\",\"summary\":[]," STATE(TAG "gAAA") "}"

static void check_put(const struct response_answer *ans, const char *model, const char *tag,
                      const char *want)
{
    struct buf out;
    buf_init(&out, 8 * MIB);
    response_put_answer(ans, str_c(model), str_c(tag), &out);
    assert_text(buf_str(&out), want);
    buf_done(&out);
}

static void test_tag_whole(void **state)
{
    static const struct {
        const char *body, *put; /* NULL: as it came */
    } cases[] = {
        { "{\"model\":\"m\",\"output\":[" ITEM "]}",
          "{\"model\":\"alias\",\"output\":[" TAGGED "]}" },
        { "{\"output\" : [ " ITEM " ,7,null," ITEM "],\"model\":\"m\"}",
          "{\"output\" : [ " TAGGED " ,7,null," TAGGED "],\"model\":\"alias\"}" },
        { "{\"object\":\"response.compaction\",\"output\":[{\"type\":\"compaction\"," STATE(
              "c") "}]}",
          "{\"object\":\"response.compaction\",\"output\":[{\"type\":\"compaction\"," STATE(
              TAG "c") "}]}" },
        { "{\"object\":\"list\",\"data\":[" ITEM "],\"has_more\":false}",
          "{\"object\":\"list\",\"data\":[" TAGGED "],\"has_more\":false}" },
        /* an item of whatever kind; a name in escapes; one that stands twice */
        { "{\"output\":[{\"type\":\"new\",\"encrypted\\u005fcontent\" : \"x\\n\"}]}",
          "{\"output\":[{\"type\":\"new\",\"encrypted\\u005fcontent\" : \"" TAG "x\\n\"}]}" },
        { "{\"output\":[{" STATE("a") "," STATE("b") "}]}",
          "{\"output\":[{" STATE(TAG "a") "," STATE(TAG "b") "}]}" },
        /* what is tagged already is the provider's all the same */
        { "{\"output\":[{" STATE(TAG "a") "}]}", "{\"output\":[{" STATE(TAG TAG "a") "}]}" },
        /* none to tag */
        { "{\"output\":[{" STATE(
              "") "},{\"encrypted_content\":null},{\"encrypted_content\":{" STATE("a") "}}]}",
          NULL },
        { "{\"output\":[{\"content\":[{" STATE("a") "}],\"x\":{" STATE("a") "}}]}", NULL },
        { "{\"output\":[[{" STATE("a") "}],\"encrypted_content\"]}", NULL },
        { "{\"output\":{" STATE("a") "}}", NULL },
        { "{" STATE("a") ",\"instructions\":[" ITEM "],\"text\":{\"output\":[" ITEM "]}}", NULL },
        { "{\"output\":[{\"encrypted_content_\":\"a\",\"Encrypted_content\":\"a\"}]}", NULL },
        { "{\"output\":[{\"text\":\"\\\"encrypted_content\\\":\\\"a\\\"\"}]}", NULL },
        { "{\"output\":[]}", NULL },
        { "{\"data\":{" STATE("a") "}}", NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct response_answer ans;
        assert_int_equal(response_read_answer(str_c(cases[i].body), &ans), ERR_OK);
        check_put(&ans, ALIAS, TAG, cases[i].put ? cases[i].put : cases[i].body);
        check_put(&ans, "", "", cases[i].body);
    }
}

static void test_tag_event(void **state)
{
    static const struct {
        const char *data, *put;
    } cases[] = {
        { "{\"type\":\"response.output_item.added\",\"item\":" ITEM "}",
          "{\"type\":\"response.output_item.added\",\"item\":" TAGGED "}" },
        { "{\"item\" : " ITEM " ,\"type\":\"response.output_item.done\"}",
          "{\"item\" : " TAGGED " ,\"type\":\"response.output_item.done\"}" },
        { "{\"type\":\"response.completed\",\"response\":{\"model\":\"m\",\"output\":[" ITEM "]}}",
          "{\"type\":\"response.completed\",\"response\":{\"model\":\"alias\",\"output\":[" TAGGED
          "]}}" },
        { "{\"type\":\"response.failed\",\"response\":{\"output\":[" ITEM "],\"model\":\"m\"}}",
          "{\"type\":\"response.failed\",\"response\":{\"output\":[" TAGGED
          "],\"model\":\"alias\"}}" },
        { "{\"type\":\"response.incomplete\",\"response\":{\"output\":[{" STATE("a") "}]}}",
          "{\"type\":\"response.incomplete\",\"response\":{\"output\":[{" STATE(TAG "a") "}]}}" },
        /* both, in either order, around the model */
        { "{\"item\":" ITEM ",\"response\":{\"model\":\"m\",\"output\":[" ITEM "]},\"z\":1}",
          "{\"item\":" TAGGED ",\"response\":{\"model\":\"alias\",\"output\":[" TAGGED
          "]},\"z\":1}" },
        { "{\"response\":{\"model\":\"m\",\"output\":[" ITEM "]},\"item\":" ITEM ",\"z\":1}",
          "{\"response\":{\"model\":\"alias\",\"output\":[" TAGGED "]},\"item\":" TAGGED
          ",\"z\":1}" },
        { "{\"response\":{\"output\":[],\"model\":\"m\"},\"item\":" ITEM "}",
          "{\"response\":{\"output\":[],\"model\":\"alias\"},\"item\":" TAGGED "}" },
        /* not of an item */
        { "{\"type\":\"x\"," STATE("a") ",\"part\":" ITEM "}", NULL },
        { "{\"item\":[" ITEM "]}", NULL },
        { "{\"item\":{\"item\":" ITEM "},\"output\":[" ITEM "]}", NULL },
        { "{\"response\":[" ITEM "]}", NULL },
        { "{\"response\":{\"data\":[" ITEM "]}}", NULL },
        { "{\"type\":\"response.output_text.delta\",\"delta\":\"encrypted_content\"}", NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct response_answer ev;
        assert_int_equal(response_read_event(str_c(cases[i].data), true, &ev), ERR_OK);
        check_put(&ev, ALIAS, TAG, cases[i].put ? cases[i].put : cases[i].data);
        check_put(&ev, "", "", cases[i].data);
    }
}

/* However large, and wherever in the item: the bytes are the provider's. */
static void test_tag_large(void **state)
{
    const size_t n = 3 * MIB;
    struct response_answer ans;
    struct buf text, want;
    char *content = mem_alloc(n);
    memset(content, 'g', n);
    buf_init(&text, 8 * MIB);
    buf_init(&want, 8 * MIB);
    for (int tagged = 0; tagged < 2; tagged++) {
        struct buf *b = tagged ? &want : &text;
        buf_putz(b, "{\"output\":[{\"encrypted_content\":\"");
        buf_putz(b, tagged ? TAG : "");
        buf_put(b, str_of(content, n));
        buf_putz(b, "\\/\"},{\"content\":\"\\u00e9\"}]}");
    }
    assert_int_equal(response_read_answer(buf_str(&text), &ans), ERR_OK);
    struct buf out;
    buf_init(&out, 8 * MIB);
    response_put_answer(&ans, STR(""), STR(TAG), &out);
    assert_true(str_eq(buf_str(&out), buf_str(&want)));
    buf_done(&out);
    buf_done(&text);
    buf_done(&want);
    mem_free(content);
}

/* -- the way back */

#define OTHER_TAG "weirn.89abcdef."

static void test_tags(void **state)
{
    struct response_tags t = { .count = 0 };
    response_tags_add(&t, STR("\"" TAG "\""));
    response_tags_add(&t, STR("[7,[{" STATE(TAG "a") "}],{\"x\":{" STATE(TAG "a") "}}]"));
    response_tags_add(
        &t, STR("[{" STATE("weirn.0123abc") "},{" STATE("weirn.0123ABCD.a") "},{" STATE(
                "weirn.0123abcda") "},{" STATE("weirn.0123abcd") "},{" STATE("weirn.") "}]"));
    response_tags_add(&t, STR("[{\"encrypted_content\":[\"" TAG "\"]},{\"text\":\"" TAG "\"}]"));
    assert_int_equal(t.count, 0);
    response_tags_add(&t, STR("[{\"\\u0065ncrypted_content\":\"" TAG "\"}]"));
    assert_int_equal(t.count, 1);
    response_tags_add(&t, STR("[{" STATE(OTHER_TAG "a") "}]"));
    assert_int_equal(t.count, 2);
    assert_text(t.tags[1], OTHER_TAG);
    response_tags_add(&t, STR("[{" STATE(OTHER_TAG "b") "},{" STATE(TAG "b") "}]"));
    assert_int_equal(t.count, 2);
    assert_text(t.tags[0], OTHER_TAG);
    assert_text(t.tags[1], TAG);
    /* of many, the first are forgotten */
    for (unsigned i = 0; i < 2 * RESPONSE_TAGS_MAX; i++) {
        char items[64];
        snprintf(items, sizeof items, "[{\"encrypted_content\":\"weirn.%08x.\"}]", i % 12);
        response_tags_add(&t, str_of(arena_cstr(*state, str_c(items)), strlen(items)));
        assert_true(t.count <= RESPONSE_TAGS_MAX);
        assert_int_equal(t.tags[t.count - 1].p[13], items[29 + 7]);
    }
    assert_int_equal(t.count, RESPONSE_TAGS_MAX);
    assert_text(t.tags[0], "weirn.00000008.");
    assert_text(response_tag(STR("0123abcdffff"), *state), TAG);
}

static void test_untag(void **state)
{
    static const struct {
        const char *body, *sent; /* NULL: as it came */
    } cases[] = {
        { "{\"input\":[" TAGGED "],\"model\":\"m\"}", "{\"input\":[" ITEM "],\"model\":\"m\"}" },
        { "{\"model\":\"m\", \"input\" : [ 7 ," TAGGED ", " ITEM " , " TAGGED " ] }",
          "{\"model\":\"m\", \"input\" : [ 7 ," ITEM ", " ITEM " , " ITEM " ] }" },
        { "{\"input\":[{\"encrypted\\u005fcontent\" :\"" TAG "\\u0067\\/\"}]}",
          "{\"input\":[{\"encrypted\\u005fcontent\" :\"\\u0067\\/\"}]}" },
        { "{\"input\":[{" STATE(TAG TAG "a") "}]}", "{\"input\":[{" STATE(TAG "a") "}]}" },
        { "{\"input\":[{" STATE(TAG) "}]}", "{\"input\":[{" STATE("") "}]}" },
        { "{\"input\":[{" STATE(OTHER_TAG "a") "},{\"content\":[" TAGGED "]},[" TAGGED "]]}",
          NULL },
        { "{\"input\":[{\"text\":\"" TAG "\"}],\"instructions\":[" TAGGED "]}", NULL },
        { "{\"input\":\"" TAG "\"}", NULL },
        { "{\"input\":" TAGGED "}", NULL },
        { "{\"model\":\"m\"}", NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct splice sp;
        splice_init(&sp, *state, str_c(cases[i].body));
        response_untag(&sp, STR(TAG));
        assert_text(splice_flat(&sp, *state), cases[i].sent ? cases[i].sent : cases[i].body);
    }
}

/* Beside the deployment's edits; where one of them is of the input itself, that one counts. */
static void test_untag_edited(void **state)
{
    static const struct str body = STR_INIT("{\"a\":1,\"input\":[" TAGGED "],\"model\":\"m\"}");
    static const struct str names[] = { STR_INIT("a"), STR_INIT("input"), STR_INIT("model") };
    struct json_member m[3];
    json_peek_object(body, names, 3, m, NULL);
    for (int what = 0; what < 3; what++) {
        struct splice sp;
        splice_init(&sp, *state, body);
        splice_replace(&sp, 1, 0, STR("\"b\":2,"));
        if (what == 1)
            splice_cut_member(&sp, &m[1]);
        if (what == 2)
            splice_value(&sp, &m[1], STR("[]"));
        splice_value(&sp, &m[2], STR(ALIAS));
        response_untag(&sp, STR(TAG));
        static const char *const inputs[] = { ",\"input\":[" ITEM "]", "", ",\"input\":[]" };
        assert_text(
            splice_flat(&sp, *state),
            arena_printf(*state, "{\"b\":2,\"a\":1%s,\"model\":\"alias\"}", inputs[what]).p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tag_whole),
        cmocka_unit_test(test_tag_event),
        cmocka_unit_test(test_tag_large),
        cmocka_unit_test_setup_teardown(test_tags, make_arena, drop_arena),
        cmocka_unit_test_setup_teardown(test_untag, make_arena, drop_arena),
        cmocka_unit_test_setup_teardown(test_untag_edited, make_arena, drop_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
