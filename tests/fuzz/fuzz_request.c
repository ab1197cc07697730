/* The request path of the OpenAI dialect: what is accepted as a request must become valid JSON under every deployment, with the
 * deployment's model; what is accepted as an answer or an event must stay valid JSON when it is stamped; no text may make the
 * error reader or the mock misbehave.
 *
 * The first byte chooses the kind and the deployment; the rest is the body. */
#include "base/mem.h"
#include "dialect/openai_chat.h"
#include "dialect/upstream_fault.h"
#include "wire/json_tap.h"

#include "fuzz.h"

static const struct conf_member defaults[] = {
    { STR_INIT("temperature"), STR_INIT("0.2") },
    { STR_INIT("tools"), STR_INIT("[{\"type\":\"function\"}]") },
};
static const struct conf_member extra[] = { { STR_INIT("seed"), STR_INIT("7") } };
static const struct str drop[] = { STR_INIT("logit_bias"), STR_INIT("n") };

static const struct conf_deployment deployments[2] = {
    { .mode = STR_INIT("chat") },
    { .defaults = defaults,
      .default_count = 2,
      .extra_body = extra,
      .extra_body_count = 1,
      .drop_params = drop,
      .drop_count = 2 },
};

/* The last choice is a provider with ways of its own inside messages. */
static const struct provider *provider_of(unsigned choice)
{
    return choice == 7 ? provider_find(STR("mistral")) : provider_at(choice);
}

static void try_request(struct str body, unsigned choice, struct arena *a)
{
    static const struct str name = STR_INIT("model");
    struct openai_request rq;
    struct fault f;
    struct splice sp;
    struct json_member m;
    struct json_problem problem;
    struct str path_model = choice & 8 ? STR("path/model") : STR("");
    if (openai_read_request((enum openai_kind)(choice % 3), body, path_model, a, &rq, &f)) {
        REQUIRE(f.status == 400 && f.msg.len > 0);
        return;
    }
    openai_splice_request(&rq, &deployments[choice >> 4 & 1], provider_of(choice >> 5), STR("up"),
                          &sp, a);
    struct str out = splice_flat(&sp, a);
    REQUIRE(json_scan_object(out, &name, 1, &m, NULL, &problem) == ERR_OK);
    REQUIRE(m.type == JSON_STRING && json_str_eq(json_value(out, &m), STR("up")));
    struct openai_mock mock = { .kind = rq.kind,
                                .response = json_value(body, &rq.m[OPENAI_M_MOCK_RESPONSE]),
                                .model_json = rq.model_json,
                                .include_usage = rq.usage_asked };
    if (mock.response.len == 0 || openai_mock_fault(mock.response, a, &f))
        return;
    struct buf text;
    buf_init(&text, 64 * MIB);
    openai_mock_whole(&mock, a, &text);
    REQUIRE(text.fail || json_check(buf_str(&text), &problem) == ERR_OK);
    buf_reset(&text);
    if (rq.kind != OPENAI_EMBED)
        openai_mock_stream(&mock, a, &text);
    buf_done(&text);
}

static void try_answer(struct str body, unsigned choice, struct arena *a)
{
    struct openai_answer ans;
    struct json_problem problem;
    struct fault f;
    struct buf out;
    enum openai_kind kind = (enum openai_kind)(choice % 3);
    buf_init(&out, 64 * MIB);
    enum err e = choice & 8 ? openai_read_event(kind, body, true, &ans)
                            : openai_read_answer(kind, body, &ans);
    if (!e && openai_put_answer(&ans, STR("\"alias\""), choice & 16, &out))
        REQUIRE(json_check(buf_str(&out), &problem) == ERR_OK);
    upstream_fault(choice & 16 ? 200 : 429, body, STR("It"), STR("sk-secret-key"), -1, a, &f);
    REQUIRE(str_find(f.msg, STR("sk-secret-key")) == STR_NONE);
    buf_done(&out);
}

/* Cut into pieces of a changing size, a text comes out of the tap as it comes out whole. */
static void try_tap(struct str body, unsigned choice)
{
    static const struct str catches[JSON_TAP_CATCHES] = { STR_INIT("usage"), STR_INIT("id") };
    struct json_tap *whole = json_tap_new(STR("model"), STR("\"alias\""), catches, 4096);
    struct json_tap *cut = json_tap_new(STR("model"), STR("\"alias\""), catches, 4096);
    static const struct str lists[JSON_TAP_LISTS] = { STR_INIT("output"), STR_INIT("data") };
    struct buf one, many;
    json_tap_mark(whole, lists, STR("encrypted_content"), STR("weirn.0123abcd."));
    json_tap_mark(cut, lists, STR("encrypted_content"), STR("weirn.0123abcd."));
    buf_init(&one, 64 * MIB);
    buf_init(&many, 64 * MIB);
    enum err e = json_tap_push(whole, body, &one), e2 = ERR_OK;
    for (size_t at = 0; at < body.len && !e2;) {
        size_t n = 1 + (choice + at) % 7;
        e2 = json_tap_push(cut, str_head(str_skip(body, at), n), &many);
        at += n;
    }
    REQUIRE(e == e2);
    if (!e)
        REQUIRE(str_eq(buf_str(&one), buf_str(&many)) &&
                json_tap_complete(whole) == json_tap_complete(cut));
    json_tap_free(whole);
    json_tap_free(cut);
    buf_done(&one);
    buf_done(&many);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct arena *a = arena_new();
    struct str body = str_of((const char *)data + 1, size - 1);
    try_request(body, data[0], a);
    try_answer(body, data[0], a);
    try_tap(body, data[0]);
    arena_free(a);
    return 0;
}
