#include "dialect_test.h"

#include "base/mem.h"
#include "dialect/embed.h"
#include "wire/json_scan.h"

struct rig {
    struct arena *a;
    struct ir_embed rq;
    struct ir_report report;
    struct fault fault;
};

static enum err rig_init(struct rig *r, const char *body)
{
    *r = (struct rig){ .a = arena_new() };
    ir_report_init(&r->report, r->a);
    return embed_read_openai(str_c(body), r->a, &r->rq, &r->fault);
}

static void test_bad_requests(void **state)
{
    static const struct {
        const char *body, *says;
        enum err err;
    } rows[] = {
        { "[]", "JSON", ERR_BAD_JSON },
        { "{\"model\":\"m\"", "JSON", ERR_BAD_JSON },
        { "{\"input\":\"x\"}", "model", ERR_BAD_REQUEST },
        { "{\"model\":\"m\"}", "input", ERR_BAD_REQUEST },
        { "{\"model\":\"m\",\"input\":[]}", "empty array", ERR_BAD_REQUEST },
        { "{\"model\":\"m\",\"input\":\"\"}", "empty string", ERR_BAD_REQUEST },
        { "{\"model\":\"m\",\"input\":[\"a\",\"\"]}", "empty string", ERR_BAD_REQUEST },
        { "{\"model\":\"m\",\"input\":[1,2]}", "token ids", ERR_BAD_REQUEST },
        { "{\"model\":\"m\",\"input\":[[1,2]]}", "token ids", ERR_BAD_REQUEST },
        { "{\"model\":\"m\",\"input\":[{}]}", "array of strings", ERR_BAD_REQUEST },
        { "{\"model\":\"m\",\"input\":[\"a\",5]}", "element 1 is no string", ERR_BAD_REQUEST },
        { "{\"model\":\"m\",\"input\":[\"a\",[5]]}", "element 1 is no string", ERR_BAD_REQUEST },
        { "{\"model\":\"m\",\"input\":\"x\",\"dimensions\":0}", "dimensions", ERR_BAD_REQUEST },
        { "{\"model\":\"m\",\"input\":\"x\",\"dimensions\":1e9}", "from 1 to 65536",
          ERR_BAD_REQUEST },
        { "{\"model\":\"m\",\"input\":\"x\",\"dimensions\":\"9\"}", "dimensions", ERR_BAD_REQUEST },
        { "{\"model\":\"m\",\"input\":\"x\",\"encoding_format\":\"hex\"}", "encoding_format",
          ERR_BAD_REQUEST },
        { "{\"model\":\"m\",\"input\":\"x\",\"user\":3}", "user", ERR_BAD_REQUEST },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig r;
        assert_int_equal(rig_init(&r, rows[i].body), rows[i].err);
        if (!contains(r.fault.msg, rows[i].says))
            fail_msg("row %zu: %.*s", i, STR_ARG(r.fault.msg));
        arena_free(r.a);
    }
}

static void test_bodies(void **state)
{
    static const struct {
        bool vertex;
        const char *model, *suffix, *body;
    } rows[] = {
        { false, "gemini-embedding-001", ":batchEmbedContents",
          "{\"requests\":[{\"model\":\"models/gemini-embedding-001\",\"content\":{\"parts\":[{\"text\":\"a\"}]},"
          "\"taskType\":\"RETRIEVAL_QUERY\",\"outputDimensionality\":2}]}" },
        { true, "text-embedding-005", ":predict",
          "{\"instances\":[{\"content\":\"a\",\"task_type\":\"RETRIEVAL_QUERY\"}],\"parameters\":{\"autoTruncate\":false,"
          "\"outputDimensionality\":2}}" },
        { true, "publishers/google/models/gemini-embedding-2", ":embedContent",
          "{\"content\":{\"parts\":[{\"text\":\"a\"}]},\"embedContentConfig\":{\"autoTruncate\":false,"
          "\"taskType\":\"RETRIEVAL_QUERY\",\"outputDimensionality\":2}}" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig r;
        struct segments body;
        assert_int_equal(
            rig_init(&r, "{\"model\":\"m\",\"input\":[\"a\",\"b\"],\"dimensions\":2,\"user\":\"u\","
                         "\"task_type\":\"RETRIEVAL_QUERY\"}"),
            ERR_OK);
        enum embed_api api = embed_api_of(str_c(rows[i].model), rows[i].vertex);
        segments_init(&body, MIB);
        assert_text(embed_suffix(api), rows[i].suffix);
        assert_int_equal(
            embed_write_gemini(&r.rq, api, str_c(rows[i].model), 0, 1, &r.report, &body, &r.fault),
            ERR_OK);
        assert_text(segments_flat(&body, r.a), rows[i].body);
        assert_int_equal(r.report.count, 1); /* user */
        segments_done(&body);
        arena_free(r.a);
    }
}

static void test_unknown_members(void **state)
{
    static const struct {
        const char *rest, *fidelity;
    } rows[] = {
        { "", "exact" },
        { ",\"encoding_format\":null,\"foo\":null", "exact" },
        { ",\"foo\":1,\"b\\u0061r\":{}", "dropped=unknown(bar),unknown(foo)" },
        { ",\"metadata\":{\"a\":\"b\"},\"user\":\"u\"", "dropped=metadata,user" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig r;
        struct segments body;
        struct buf out;
        char request[256];
        snprintf(request, sizeof request, "{\"model\":\"m\",\"input\":\"a\"%s}", rows[i].rest);
        assert_int_equal(rig_init(&r, request), ERR_OK);
        for (int again = 0; again < 2; again++) { /* a second batch tells nothing new */
            segments_init(&body, MIB);
            assert_int_equal(
                embed_write_gemini(&r.rq, EMBED_GAPI, STR("m"), 0, 1, &r.report, &body, &r.fault),
                ERR_OK);
            segments_done(&body);
        }
        buf_init(&out, KIB);
        ir_report_write(&r.report, &out);
        assert_text(buf_str(&out), rows[i].fidelity);
        r.report.strict = true;
        segments_init(&body, MIB);
        assert_int_equal(
            embed_write_gemini(&r.rq, EMBED_GAPI, STR("m"), 0, 1, &r.report, &body, &r.fault),
            r.report.count ? ERR_UNSUPPORTED_PARAM : ERR_OK);
        segments_done(&body);
        buf_done(&out);
        arena_free(r.a);
    }
}

static void test_plan(void **state)
{
    struct rig r;
    struct buf body;
    buf_init(&body, MIB);
    buf_putz(&body, "{\"model\":\"m\",\"input\":[\"x\"");
    for (int i = 1; i < 230; i++)
        buf_putz(&body, ",\"x\"");
    buf_putz(&body, "]}");
    buf_putc(&body, '\0');
    assert_int_equal(rig_init(&r, body.p), ERR_OK);
    assert_int_equal(embed_plan(&r.rq, EMBED_GAPI, STR("m"), 0), 100);
    assert_int_equal(embed_plan(&r.rq, EMBED_GAPI, STR("m"), 200), 30);
    assert_int_equal(embed_plan(&r.rq, EMBED_GAPI, STR("m"), 230), 0);
    assert_int_equal(embed_plan(&r.rq, EMBED_VERTEX, STR("gemini-embedding-001"), 0), 1);
    assert_int_equal(embed_plan(&r.rq, EMBED_VERTEX, STR("text-embedding-005"), 0), 230);
    buf_done(&body);
    arena_free(r.a);
}

static void answer(struct rig *r, enum embed_api api, const char *one, const char *two,
                   struct buf *out)
{
    struct embed_answer ans;
    const char *what = NULL;
    embed_answer_init(&ans, &r->rq, r->a);
    assert_int_equal(embed_read_gemini(&ans, &r->rq, api, 1, str_c(one), r->a, &what), ERR_OK);
    assert_int_equal(embed_read_gemini(&ans, &r->rq, api, 1, str_c(two), r->a, &what), ERR_OK);
    buf_init(out, MIB);
    embed_write_openai(&r->rq, &ans, STR("\"alias\""), out);
}

static void test_floats(void **state)
{
    struct rig r;
    struct buf out;
    assert_int_equal(rig_init(&r, "{\"model\":\"m\",\"input\":[\"abcde\",\"b\"]}"), ERR_OK);
    answer(&r, EMBED_GAPI, "{\"embeddings\":[{\"values\":[0.10, -2e-3]}]}",
           "{\"embeddings\":[{\"values\":[1,0]}]}", &out);
    assert_text(
        buf_str(&out),
        "{\"object\":\"list\",\"data\":[{\"object\":\"embedding\",\"index\":0,\"embedding\":[0.10,-2e-3]},"
        "{\"object\":\"embedding\",\"index\":1,\"embedding\":[1,0]}],\"model\":\"alias\","
        "\"usage\":{\"prompt_tokens\":3,\"total_tokens\":3}}");
    buf_done(&out);
    arena_free(r.a);
}

/* 0.6 and 0.8 as float32 in little endian, once brought to length 1. */
static void test_base64_and_length(void **state)
{
    struct rig r;
    struct buf out;
    assert_int_equal(
        rig_init(
            &r,
            "{\"model\":\"m\",\"input\":[\"a\",\"b\"],\"dimensions\":2,\"encoding_format\":\"base64\"}"),
        ERR_OK);
    answer(
        &r, EMBED_VERTEX,
        "{\"predictions\":[{\"embeddings\":{\"values\":[3,4],\"statistics\":{\"token_count\":5.0}}}]}",
        "{\"predictions\":[{\"embeddings\":{\"values\":[1,0],\"statistics\":{\"token_count\":2}}}]}",
        &out);
    assert_text(
        buf_str(&out),
        "{\"object\":\"list\",\"data\":[{\"object\":\"embedding\",\"index\":0,\"embedding\":\"mpkZP83MTD8=\"},"
        "{\"object\":\"embedding\",\"index\":1,\"embedding\":\"AACAPwAAAAA=\"}],\"model\":\"alias\","
        "\"usage\":{\"prompt_tokens\":7,\"total_tokens\":7}}");
    buf_done(&out);
    arena_free(r.a);
}

static void test_bad_answers(void **state)
{
    static const char *const rows[] = {
        "",
        "[]",
        "{}",
        "{\"embeddings\":[]}",
        "{\"embeddings\":[{\"values\":[]}]}",
        "{\"embeddings\":[{\"values\":[\"1\",2]}]}",
        "{\"embeddings\":[{\"values\":[1]}]}",
        "{\"embeddings\":[{\"values\":[1,2]},{\"values\":[1,2]}]}",
        "{\"embeddings\":[{}]}",
        "{\"embeddings\":[{\"values\":[1e999,2]}]}",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig r;
        struct embed_answer ans;
        const char *what = NULL;
        assert_int_equal(rig_init(&r, "{\"model\":\"m\",\"input\":[\"a\",\"b\"],\"dimensions\":2}"),
                         ERR_OK);
        embed_answer_init(&ans, &r.rq, r.a);
        if (embed_read_gemini(&ans, &r.rq, EMBED_GAPI, 1, str_c(rows[i]), r.a, &what) !=
            ERR_UPSTREAM_BAD)
            fail_msg("taken: %s", rows[i]);
        assert_non_null(what);
        arena_free(r.a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_requests),    cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_unknown_members), cmocka_unit_test(test_plan),
        cmocka_unit_test(test_floats),          cmocka_unit_test(test_base64_and_length),
        cmocka_unit_test(test_bad_answers),
    };
    return cmocka_run_group_tests_name("gemini_embed", tests, NULL, NULL);
}
