/* Whole answers: held up to 1 MiB, checked, stamped and sent with their length; a larger one flows through a tap in chunks.
 * Errors of the provider, of any size, end here too. */
#include "flow/flow_priv.h"

#include "base/mem.h"
#include "flow/affinity.h"

#define HELD_MAX (1 * MIB)
#define TRANSLATED_MAX (64 * MIB) /* across dialects an answer is held whole */
#define ERROR_MAX (64 * KIB)
#define USAGE_MAX (16 * KIB)

static bool is_error(const struct flow *f)
{
    return f->at.head->status != 200;
}

void answer_begin(struct flow *f)
{
    flow_to(f, FLOW_ANSWER);
    int64_t length = f->at.head->content_length;
    if (length > 0 && length <= (int64_t)HELD_MAX) {
        f->at.body_room = (size_t)length;
        f->at.body = arena_alloc(f->arena, f->at.body_room);
    }
    exchange_read(f->at.up, true);
}

/* -- too large to be held */

static void tap_write(struct flow *f, bool end)
{
    struct str piece = buf_str(&f->out);
    if (!f->head_sent)
        respond_whole(f, piece, -1, end);
    else if (piece.len || end)
        exchange_write(f->x, &piece, piece.len ? 1 : 0, end);
    f->body_sent = end;
    buf_reset(&f->out);
    if (!end && exchange_unsent(f->x) > STREAM_HIGH_BYTES)
        exchange_read(f->at.up, false);
}

static void tap_body(struct flow *f, struct str bytes)
{
    if (json_tap_push(f->at.tap, bytes, &f->out)) {
        attempt_fail(f, ERR_UPSTREAM_BAD, STR("a whole answer of more than 1 MiB is not JSON"));
        return;
    }
    tap_write(f, false);
}

static void tap_begin(struct flow *f)
{
    static const struct str catches[JSON_TAP_CATCHES] = { STR_INIT("usage"), STR_INIT("id") };
    static const struct str lists[JSON_TAP_LISTS] = { STR_INIT("output"), STR_INIT("data") };
    f->at.tap = json_tap_new(STR("model"), f->rq.model_json, catches, USAGE_MAX);
    if (openai_is_responses(f->rq.kind))
        json_tap_mark(f->at.tap, lists, STR("encrypted_content"),
                      account_tag(f->snap, &f->pick, f->arena));
    tap_body(f, str_of(f->at.body, f->at.body_len));
}

static void tap_end(struct flow *f)
{
    if (!json_tap_complete(f->at.tap)) {
        attempt_fail(f, ERR_UPSTREAM_CUT,
                     STR("a whole answer of more than 1 MiB ended in the middle"));
        return;
    }
    struct str usage = json_tap_caught(f->at.tap, 0), id = json_tap_caught(f->at.tap, 1);
    if (!openai_is_responses(f->rq.kind))
        openai_read_usage(usage, &f->at.usage);
    else if (f->route->billable)
        response_read_usage(usage, &f->at.usage);
    if (openai_is_responses(f->rq.kind) && json_type_of(id) == JSON_STRING)
        session_keep_native(f, json_unescape(id, f->arena));
    tap_write(f, true);
    flow_end(f);
}

/* -- held */

void answer_body(struct flow *f, struct str bytes)
{
    struct attempt *at = &f->at;
    size_t max = is_error(f) ? ERROR_MAX : HELD_MAX;
    if (at->tap) {
        tap_body(f, bytes);
        return;
    }
    if (is_error(f) && bytes.len > max - at->body_len)
        bytes = str_head(bytes, max - at->body_len); /* the start of an error says enough */
    if ((at->tr || at->em) && at->body_len + bytes.len > TRANSLATED_MAX) {
        attempt_fail(f, ERR_UPSTREAM_BAD,
                     STR("a whole answer to be translated is larger than 64 MiB"));
        return;
    }
    if (at->body_len + bytes.len > at->body_room) {
        size_t room = at->body_room ? at->body_room * 2 : 4 * KIB;
        while (room < at->body_len + bytes.len)
            room *= 2;
        char *p = arena_alloc(f->arena, room);
        if (at->body_len)
            memcpy(p, at->body, at->body_len);
        at->body = p;
        at->body_room = room;
    }
    if (bytes.len)
        memcpy(at->body + at->body_len, bytes.p, bytes.len);
    at->body_len += bytes.len;
    if (!is_error(f) && !at->tr && !at->em && at->body_len > HELD_MAX)
        tap_begin(f);
}

static int64_t retry_hint(const struct flow *f)
{
    const struct http_head *h = f->at.head;
    const struct retry_headers hints = { http_get(h, STR("retry-after-ms")),
                                         http_get(h, STR("retry-after")) };
    return retry_hint_ms(&hints, loop_unix_ms(f->w->loop));
}

void answer_provider_fault(struct flow *f, int status, struct str body)
{
    upstream_fault(status, body, f->pick.endpoint->provider->title, attempt_secret(f),
                   retry_hint(f), f->arena, &f->fault);
    if (translate_forget(f))
        return;
    translate_name_fault(f);
    flow_fail(f);
}

/* With status 200, instead of a stream. Google puts it into an array (Gemini API, "Errors", August 2026). */
static bool is_fault_body(struct str body)
{
    static const struct str error = STR_INIT("error");
    struct json_problem unused;
    struct json_member m;
    if (json_check(body, &unused))
        return false;
    struct json_iter it = json_iter(body);
    if (json_type_of(body) == JSON_ARRAY)
        body = json_next(&it) ? it.value : STR("null");
    return json_peek_object(body, &error, 1, &m, NULL) && m.type == JSON_OBJECT;
}

static void end_translated(struct flow *f, struct str body)
{
    const char *what = "a stream was asked for and a whole answer came";
    if (f->rq.stream && is_fault_body(body)) {
        answer_provider_fault(f, 200, body);
        return;
    }
    enum err e = f->rq.stream ? ERR_UPSTREAM_BAD : translate_whole(f, body, &what);
    if (e == ERR_UPSTREAM) {
        if (!translate_again(f))
            flow_fail(f);
    } else if (e) {
        attempt_fail(f, e, str_c(what));
    } else {
        f->content_us = loop_now_us(f->w->loop);
        respond_whole(f, buf_str(&f->out), (int64_t)f->out.len, true);
        flow_end(f);
    }
}

static void end_embedding(struct flow *f, struct str body)
{
    const char *what;
    bool more;
    enum err e = embed_take(f, body, &more, &what);
    if (e) {
        attempt_fail(f, e, str_c(what));
    } else if (more) {
        attempt_next(f);
    } else {
        embed_finish(f, &f->out);
        f->content_us = loop_now_us(f->w->loop);
        respond_whole(f, buf_str(&f->out), (int64_t)f->out.len, true);
        flow_end(f);
    }
}

void answer_end(struct flow *f)
{
    struct openai_answer ans;
    struct str body = str_of(f->at.body, f->at.body_len);
    if (f->at.tap) {
        tap_end(f);
        return;
    }
    if (is_error(f)) {
        if (f->at.head->status == 401 && attempt_again(f))
            return;
        answer_provider_fault(f, f->at.head->status, body);
        return;
    }
    if (f->at.tr) {
        end_translated(f, body);
        return;
    }
    if (f->at.em) {
        end_embedding(f, body);
        return;
    }
    if (openai_is_responses(f->rq.kind)) {
        native_answer(f, body);
        return;
    }
    if (openai_read_answer(f->rq.kind, body, &ans)) {
        attempt_fail(f, ERR_UPSTREAM_BAD,
                     arena_printf(f->arena, "the answer is not valid JSON: %s at byte %zu of %zu",
                                  ans.problem.what, ans.problem.at, body.len));
        return;
    }
    if (ans.has_error) {
        answer_provider_fault(f, 200, body);
        return;
    }
    if (ans.no_choices || f->rq.stream) {
        attempt_fail(f, ERR_UPSTREAM_BAD,
                     ans.no_choices ? STR("the answer has no choices")
                                    : STR("a stream was asked for and a whole answer came"));
        return;
    }
    f->at.usage = ans.usage;
    f->content_us = loop_now_us(f->w->loop);
    openai_put_answer(&ans, f->rq.model_json, false, &f->out);
    respond_whole(f, buf_str(&f->out), (int64_t)f->out.len, true);
    flow_end(f);
}
