/* The Responses API, both sides speaking it: answers pass through with the model's name replaced and their state tagged, and weir notes
 * whose they are. */
#include "flow/affinity.h"
#include "flow/flow_priv.h"

static void bad_json(struct flow *f, const char *what, const struct json_problem *p, size_t len)
{
    attempt_fail(f, ERR_UPSTREAM_BAD,
                 arena_printf(f->arena, "%s is not valid JSON: %s at byte %zu of %zu", what,
                              p->what, p->at, len));
}

static void take(struct flow *f, const struct response_answer *ans)
{
    if (ans->usage.reported &&
        f->route->billable) /* a response that is looked at again is not paid again */
        f->at.usage = ans->usage;
    session_keep_native(f, ans->id);
}

static void put_answer(struct flow *f, const struct response_answer *ans)
{
    struct str tag = str_of(NULL, 0);
    if (ans->item.len || ans->items.len)
        tag = account_tag(f->snap, &f->pick, f->arena);
    response_put_answer(ans, f->rq.model_json, tag, &f->out);
}

bool native_event(struct flow *f, const struct sse_event *ev)
{
    struct response_answer ans;
    struct str data = str_trim(ev->data);
    if (!ev->has_data || data.len == 0) {
        if (f->committed)
            buf_put(&f->out, ev->raw); /* a comment */
        return true;
    }
    if (str_starts(data, STR("[DONE]")))
        return true; /* some compatible servers send it; OpenAI does not, and the stream has its last event or was cut */
    if (response_read_event(ev->data, !f->committed, &ans)) {
        bad_json(f, "an event of the stream", &ans.problem, ev->data.len);
        return false;
    }
    if (ans.sequenced)
        f->at.sequence = ans.sequence + !ans.error; /* an error is written anew, in its place */
    if (ans.error) {
        relay_event_fault(f, ev->data);
        return false;
    }
    take(f, &ans);
    if (ans.content && !f->committed)
        flow_commit(f);
    f->at.terminal = ans.terminal;
    relay_put_head(f, ev);
    put_answer(f, &ans);
    relay_put_tail(f, ev);
    return true;
}

void native_answer(struct flow *f, struct str body)
{
    struct response_answer ans;
    if (response_read_answer(body, &ans)) {
        bad_json(f, "the answer", &ans.problem, body.len);
        return;
    }
    if (ans.error) {
        answer_provider_fault(f, 200, body);
        return;
    }
    if (f->rq.stream) {
        attempt_fail(f, ERR_UPSTREAM_BAD, STR("a stream was asked for and a whole answer came"));
        return;
    }
    if (f->rs && f->rs->op == RESPONSE_DELETE)
        session_forget(f);
    take(f, &ans);
    f->content_us = loop_now_us(f->w->loop);
    put_answer(f, &ans);
    respond_whole(f, buf_str(&f->out), (int64_t)f->out.len, true);
    flow_end(f);
}
