#include "counted.h"

#include "wire/json_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool is_among(const char *const *names, size_t n, struct str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(name, str_c(names[i])))
            return true;
    return false;
}

static bool is_counted(const struct counted *c, struct str name)
{
    static const char *const not_anthropic[] = { "max_tokens",    "stream",      "stop_sequences",
                                                 "temperature",   "top_p",       "top_k",
                                                 "metadata",      "container",   "service_tier",
                                                 "inference_geo", "diagnostics", "fallbacks" };
    static const char *const vertex_gemini[] = { "contents", "systemInstruction", "tools",
                                                 "generationConfig" };
    if (c->to == &dialect_gemini_generate)
        return !c->target->vertex || is_among(vertex_gemini, 4, name);
    return !is_among(not_anthropic, sizeof not_anthropic / sizeof not_anthropic[0], name);
}

static void compare_members(const struct counted *c, struct str counted)
{
    struct json_iter sent = json_iter(c->sent), got = json_iter(counted);
    bool more = json_next(&got);
    while (json_next(&sent)) {
        if (more && str_eq(got.name, STR("model")) && !str_eq(sent.name, STR("model")))
            more = json_next(&got); /* of what was sent it is in the URL */
        if (!is_counted(c, sent.name))
            continue;
        if (!more || !str_eq(got.name, sent.name) || !str_eq(got.value, sent.value))
            fail_msg("%s: the count has not the %.*s that was sent:\n%.*s", c->dir,
                     STR_ARG(sent.name), STR_ARG(counted));
        more = json_next(&got);
    }
    if (more)
        fail_msg("%s: the count has a member %.*s of its own", c->dir, STR_ARG(got.name));
}

static struct str report_text(const struct ir_report *r, struct arena *a)
{
    struct buf out;
    buf_init(&out, 65536);
    ir_report_write(r, &out);
    struct str text = arena_dup(a, buf_str(&out));
    buf_done(&out);
    return text;
}

void counted_check(const struct counted *c)
{
    struct dialect_target t = *c->target;
    struct ir_report report;
    struct ir_call call;
    struct fault fault = { 0 };
    t.count = true;
    ir_report_init(&report, c->arena);
    report.drop_params = c->report->drop_params;
    report.strict = c->report->strict;
    assert_int_equal(c->to->write_request(c->rq, &t, &report, c->arena, &call, &fault), ERR_OK);
    struct str body = segments_flat(&call.body, c->arena);
    struct json_iter it = json_iter(body);
    bool inside = c->to == &dialect_gemini_generate && !t.vertex && json_next(&it);
    compare_members(c, inside ? it.value : body);
    bool loses = str_find(c->sent, STR("\"container\":")) != STR_NONE ||
                 str_find(c->sent, STR("\"cachedContent\":")) != STR_NONE;
    struct str got = report_text(&report, c->arena), want = report_text(c->report, c->arena);
    if (!loses && !str_eq(got, want))
        fail_msg("%s: the count reports %.*s, the request %.*s", c->dir, STR_ARG(got),
                 STR_ARG(want));
    segments_done(&call.body);
}
