/* mock_response: of the deployment, or of the request. */
#include "flow/flow_priv.h"

#include "base/mem.h"

bool mock_wanted(const struct flow *f, struct str *ret_response)
{
    const struct json_member *m = &f->rq.m[OPENAI_M_MOCK_RESPONSE];
    if (m->type == JSON_STRING || m->type == JSON_OBJECT || m->type == JSON_ARRAY)
        *ret_response = json_value(f->rq.body, m);
    else
        *ret_response = f->pick.deployment->conf->mock_response;
    return ret_response->len > 0;
}

void mock_answer(struct flow *f, struct str response)
{
    struct openai_mock m = {
        .kind = openai_is_responses(f->rq.kind) ? OPENAI_CHAT : f->rq.kind,
        .response = response,
        .model_json = f->rq.model_json,
        .id = f->call_id,
        .created = loop_unix_ms(f->w->loop) / 1000,
        .include_usage = f->rq.usage_asked || f->snap->conf->general.always_include_stream_usage,
    };
    struct buf chat;
    bool bridged = openai_is_responses(f->rq.kind);
    if (bridged && f->rq.kind != OPENAI_RESPONSES) {
        fault_set(&f->fault, ERR_UNSUPPORTED_PARAM, f->arena,
                  "mock_response answers /v1/responses, and not what is asked about a request.");
        f->fault.param = STR("mock_response");
        flow_fail(f);
        return;
    }
    if (openai_mock_fault(response, f->arena, &f->fault)) {
        f->rq.stream = false;
        flow_fail(f);
        return;
    }
    buf_init(&chat, 64 * MIB);
    struct buf *made = bridged ? &chat : &f->out;
    if (f->rq.stream)
        openai_mock_stream(&m, f->arena, made);
    else
        openai_mock_whole(&m, f->arena, made);
    enum err e = bridged ? translate_mock(f, buf_str(&chat)) : ERR_OK;
    buf_done(&chat);
    if (e) {
        f->rq.stream = f->committed = false;
        flow_fail(f);
        return;
    }
    f->content_us = loop_now_us(f->w->loop);
    if (f->rq.stream) {
        respond_stream_head(f, buf_str(&f->out), true);
    } else {
        respond_whole(f, buf_str(&f->out), (int64_t)f->out.len, true);
    }
    flow_end(f);
}
