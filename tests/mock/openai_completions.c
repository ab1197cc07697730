/* POST /completions, the older text interface. */
#include "mock/reply.h"
#include "mock/words.h"

#define DEFAULT_TOKENS 16
#define CREATED 1790000000

static void put_start(struct buf *b, const struct request *rq, const char *space)
{
    buf_printf(
        b,
        "{\"id\":%s\"cmpl-mock%08llu\",\"object\":%s\"text_completion\",\"created\":%d,\"model\":",
        space, (unsigned long long)rq->serial, space, CREATED);
    put_json(b, rq->model);
    buf_putz(b, ",\"choices\":[");
}

static void put_choice(struct buf *b, uint64_t index, struct str text, const char *finish)
{
    buf_putz(b, "{\"text\":");
    put_json(b, text);
    buf_printf(b, ",\"index\":%llu,\"logprobs\":null,\"finish_reason\":%s%s%s}",
               (unsigned long long)index, finish ? "\"" : "", finish ? finish : "null",
               finish ? "\"" : "");
}

static void put_usage(struct buf *b, const struct reply *rp)
{
    buf_printf(
        b, ",\"usage\":{\"prompt_tokens\":%llu,\"completion_tokens\":%llu,\"total_tokens\":%llu}",
        (unsigned long long)rp->prompt_tokens, (unsigned long long)rp->completion_tokens,
        (unsigned long long)(rp->prompt_tokens + rp->completion_tokens));
}

static void put_stream(struct request *rq, struct str text, const char *finish, struct reply *rp)
{
    struct buf *b = &rp->body;
    yyjson_val *options = yyjson_obj_get(rq->json, "stream_options");
    bool usage = yyjson_get_bool(yyjson_obj_get(options, "include_usage"));
    const char *end = usage ? "],\"usage\":null}\n\n" : "]}\n\n";
    rp->stream = true;
    rp->type = STR("text/event-stream; charset=utf-8");
    while (text.len > 0) {
        buf_putz(b, "data: ");
        put_start(b, rq, "");
        put_choice(b, 0, token_next(&text), NULL);
        buf_putz(b, end);
        reply_piece(rp);
    }
    buf_putz(b, "data: ");
    put_start(b, rq, "");
    put_choice(b, 0, STR(""), finish);
    buf_putz(b, end);
    reply_piece(rp);
    if (usage) {
        buf_putz(b, "data: ");
        put_start(b, rq, "");
        buf_putc(b, ']');
        put_usage(b, rp);
        buf_putz(b, "}\n\n");
        reply_piece(rp);
    }
    if (!str_eq(rq->script.done, STR("none"))) {
        buf_putz(b, "data: [DONE]\n\n");
        reply_piece(rp);
    }
}

void openai_completions(struct mock *m, struct request *rq, struct reply *rp)
{
    yyjson_val *prompt = yyjson_obj_get(rq->json, "prompt"),
               *max = yyjson_obj_get(rq->json, "max_tokens");
    bool cut = false;
    if (!prompt || rq->model.len == 0) {
        reply_error(rp, 400, "invalid_request_error", prompt ? "model" : "prompt",
                    "missing_required_parameter", "you must provide a %s parameter",
                    prompt ? "model" : "prompt");
        return;
    }
    uint64_t limit = yyjson_is_num(max) ? (uint64_t)yyjson_get_num(max) : DEFAULT_TOKENS;
    uint64_t prompts = yyjson_is_arr(prompt) && yyjson_is_str(yyjson_arr_get_first(prompt))
                           ? yyjson_arr_size(prompt)
                           : 1;
    struct str text = words_make(rq->arena, rq->script.tokens ? rq->script.tokens : DEFAULT_TOKENS);
    text = token_head(text, limit, &cut);
    const char *finish = cut ? "length" : "stop";
    rp->prompt_tokens = prompt_tokens_of(prompt);
    rp->completion_tokens = token_count(text) * prompts;
    if (yyjson_get_bool(yyjson_obj_get(rq->json, "stream"))) {
        put_stream(rq, text, finish, rp);
        return;
    }
    put_start(&rp->body, rq, " ");
    for (uint64_t i = 0; i < prompts; i++) {
        if (i > 0)
            buf_putc(&rp->body, ',');
        put_choice(&rp->body, i, text, finish);
    }
    buf_putc(&rp->body, ']');
    put_usage(&rp->body, rp);
    buf_putz(&rp->body, "}\n");
}
