/* POST /chat/completions: whole answers, and streams of chunks. */
#include "base/mem.h"
#include "mock/calls.h"
#include "mock/google.h"
#include "mock/reply.h"
#include "mock/schema.h"
#include "mock/words.h"

#define DEFAULT_TOKENS 16
#define CALLS_MAX 16
#define CREATED 1790000000

struct call {
    struct str name, arguments;
    bool custom;
};

/* What the model "said". */
struct answer {
    struct str text;
    struct call calls[CALLS_MAX];
    size_t call_count;
    uint64_t n; /* choices */
    const char *finish;
    bool refusal;
    bool logprobs;
};

/* -- thinking */

static void add_call(struct request *rq, yyjson_val *tool, struct answer *an,
                     const struct script_call *scripted)
{
    struct call *c = &an->calls[an->call_count++];
    c->custom = yyjson_equals_str(yyjson_obj_get(tool, "type"), "custom");
    yyjson_val *body = yyjson_obj_get(tool, c->custom ? "custom" : "function");
    c->name = json_text(body, "name");
    c->arguments = c->custom ? STR("select 1")
                             : schema_instance(yyjson_obj_get(body, "parameters"), rq->arena);
    if (scripted)
        c->arguments = calls_arguments(rq->arena, scripted, c->arguments);
}

static yyjson_val *tool_named(yyjson_val *tools, struct str name)
{
    yyjson_arr_iter it = yyjson_arr_iter_with(tools);
    for (yyjson_val *tool; (tool = yyjson_arr_iter_next(&it));)
        if (str_eq(json_text(yyjson_obj_get(tool, "function"), "name"), name) ||
            str_eq(json_text(yyjson_obj_get(tool, "custom"), "name"), name))
            return tool;
    return NULL;
}

static bool known(void *ctx, struct str name)
{
    return tool_named(ctx, name) != NULL;
}

static void scripted_calls(struct request *rq, yyjson_val *tools, struct answer *an)
{
    const struct script *s = &rq->script;
    size_t at = 0, from = 0;
    yyjson_arr_iter it = yyjson_arr_iter_with(yyjson_obj_get(rq->json, "messages"));
    for (yyjson_val *message; (message = yyjson_arr_iter_next(&it));) {
        yyjson_arr_iter calls = yyjson_arr_iter_with(yyjson_obj_get(message, "tool_calls"));
        for (yyjson_val *call; (call = yyjson_arr_iter_next(&calls));) {
            struct str name = json_text(yyjson_obj_get(call, "function"), "name");
            calls_seen(s, &at, name.len ? name : json_text(yyjson_obj_get(call, "custom"), "name"));
        }
    }
    size_t n = calls_turn(s, at, known, tools, &from);
    for (size_t i = 0; i < n && i < CALLS_MAX; i++)
        add_call(rq, tool_named(tools, s->calls[from + i].name), an, &s->calls[from + i]);
}

/* Calls tools where the request has some and the conversation does not end with their results. */
static void think_calls(struct request *rq, struct answer *an)
{
    yyjson_val *tools = yyjson_obj_get(rq->json, "tools");
    yyjson_val *choice = yyjson_obj_get(rq->json, "tool_choice");
    yyjson_val *last = yyjson_arr_get_last(yyjson_obj_get(rq->json, "messages"));
    yyjson_val *parallel = yyjson_obj_get(rq->json, "parallel_tool_calls");
    size_t have = yyjson_arr_size(tools), want = rq->script.tools ? (size_t)rq->script.tools : 1;
    if (have == 0 || yyjson_equals_str(choice, "none"))
        return;
    if (rq->script.call_count > 0) {
        scripted_calls(rq, tools, an);
        return;
    }
    if (yyjson_equals_str(yyjson_obj_get(last, "role"), "tool"))
        return;
    struct str kind = json_text(choice, "type");
    yyjson_val *named = NULL;
    if (str_eq(kind, STR("function")) || str_eq(kind, STR("custom")))
        named = tool_named(tools, json_text(yyjson_obj_get(choice, kind.p), "name"));
    if (yyjson_is_false(parallel) || want > CALLS_MAX)
        want = 1;
    for (size_t i = 0; i < want; i++)
        add_call(rq, named ? named : yyjson_arr_get(tools, i % have), an, NULL);
}

/* "The tools answered: ...": the results at the end of the conversation, in order. */
static struct str tool_text(struct request *rq)
{
    yyjson_val *messages = yyjson_obj_get(rq->json, "messages");
    size_t n = yyjson_arr_size(messages), from = n;
    struct str text = STR("The tools answered:");
    while (from > 0 &&
           yyjson_equals_str(yyjson_obj_get(yyjson_arr_get(messages, from - 1), "role"), "tool"))
        from--;
    if (from == n)
        return STR("");
    for (size_t i = from; i < n; i++) {
        yyjson_val *message = yyjson_arr_get(messages, i);
        yyjson_val *parts = yyjson_obj_get(message, "content");
        struct str content = json_text(message, "content");
        for (size_t k = 0; k < yyjson_arr_size(parts); k++)
            content = arena_printf(rq->arena, "%.*s%.*s", STR_ARG(content),
                                   STR_ARG(json_text(yyjson_arr_get(parts, k), "text")));
        text = arena_printf(rq->arena, "%.*s %.*s", STR_ARG(text), STR_ARG(content));
    }
    return text;
}

/* "I was sent image/png of 70 bytes, ..." where the last message holds media. */
static struct str media_text(struct request *rq)
{
    struct str text = STR(""), bytes;
    yyjson_val *last = yyjson_arr_get_last(yyjson_obj_get(rq->json, "messages"));
    yyjson_arr_iter it = yyjson_arr_iter_with(yyjson_obj_get(last, "content"));
    for (yyjson_val *part; (part = yyjson_arr_iter_next(&it));) {
        yyjson_val *image = yyjson_obj_get(part, "image_url"), *file = yyjson_obj_get(part, "file");
        struct str url = json_text(image ? image : file, image ? "url" : "file_data");
        struct str kind = str_skip(url, strlen("data:"));
        size_t at = str_find(kind, STR(";base64,"));
        if (!image && !file)
            continue;
        text = text.len ? arena_printf(rq->arena, "%.*s, ", STR_ARG(text)) : STR("I was sent ");
        if (at != STR_NONE && base64_read(str_skip(kind, at + 8), rq->arena, &bytes))
            text = arena_printf(rq->arena, "%.*s%.*s of %zu bytes", STR_ARG(text),
                                STR_ARG(str_head(kind, at)), bytes.len);
        else
            text = arena_printf(rq->arena, "%.*sa URL", STR_ARG(text));
    }
    return text.len ? arena_printf(rq->arena, "%.*s.", STR_ARG(text)) : text;
}

static struct str think_text(struct request *rq)
{
    const struct script *s = &rq->script;
    yyjson_val *format = yyjson_obj_get(rq->json, "response_format");
    struct str type = json_text(format, "type"), after_tools = tool_text(rq);
    struct str media = media_text(rq);
    if (s->text_is.len > 0)
        return script_words(s, rq->arena);
    if (s->echo_auth) {
        struct str key = request_header(rq, STR("authorization"));
        return arena_printf(rq->arena, "Your credential is %.*s today.", STR_ARG(key));
    }
    if (s->refusal)
        return STR("I cannot help with that.");
    if (s->tokens == 0 && str_eq(type, STR("json_schema")))
        return schema_instance(yyjson_obj_get(yyjson_obj_get(format, "json_schema"), "schema"),
                               rq->arena);
    if (s->tokens == 0 && str_eq(type, STR("json_object")))
        return STR("{\"answer\": \"text\"}");
    if (s->tokens == 0 && (after_tools.len > 0 || media.len > 0))
        return after_tools.len > 0 ? after_tools : media;
    return words_make(rq->arena, s->tokens ? s->tokens : DEFAULT_TOKENS);
}

static uint64_t limit_of(yyjson_val *rq)
{
    yyjson_val *v = yyjson_obj_get(rq, "max_completion_tokens");
    if (!yyjson_is_num(v))
        v = yyjson_obj_get(rq, "max_tokens");
    return yyjson_is_num(v) ? (uint64_t)yyjson_get_num(v) : UINT64_MAX;
}

/* The text ends before the first stop sequence. */
static struct str before_stop(struct str text, yyjson_val *stop)
{
    yyjson_arr_iter it = yyjson_arr_iter_with(stop);
    if (yyjson_is_str(stop)) {
        size_t at = str_find(text, str_c(yyjson_get_str(stop)));
        return str_head(text, at);
    }
    for (yyjson_val *one; (one = yyjson_arr_iter_next(&it));)
        text = str_head(text, str_find(text, str_c(yyjson_get_str(one))));
    return text;
}

static void think(struct request *rq, struct answer *an)
{
    bool cut = false;
    yyjson_val *n = yyjson_obj_get(rq->json, "n");
    *an = (struct answer){ .n = yyjson_is_num(n) ? (uint64_t)yyjson_get_num(n) : 1,
                           .finish = "stop" };
    an->logprobs = yyjson_get_bool(yyjson_obj_get(rq->json, "logprobs"));
    think_calls(rq, an);
    if (an->call_count > 0) {
        an->finish = "tool_calls";
        return;
    }
    an->refusal = rq->script.refusal;
    an->text = before_stop(think_text(rq), yyjson_obj_get(rq->json, "stop"));
    an->text = token_head(an->text, limit_of(rq->json), &cut);
    if (cut)
        an->finish = "length";
}

static void count(struct request *rq, const struct answer *an, struct reply *rp)
{
    uint64_t tokens = token_count(an->text);
    for (size_t i = 0; i < an->call_count; i++)
        tokens += 4 + token_count(an->calls[i].arguments);
    rp->completion_tokens = tokens * an->n;
    rp->prompt_tokens = prompt_tokens_of(yyjson_obj_get(rq->json, "messages")) +
                        prompt_tokens_of(yyjson_obj_get(rq->json, "tools"));
}

/* -- writing: parts that whole answers and chunks share */

static void put_usage(struct buf *b, const struct reply *rp)
{
    buf_printf(b, "{\"prompt_tokens\":%llu,\"completion_tokens\":%llu,\"total_tokens\":%llu,",
               (unsigned long long)rp->prompt_tokens, (unsigned long long)rp->completion_tokens,
               (unsigned long long)(rp->prompt_tokens + rp->completion_tokens));
    buf_putz(b, "\"prompt_tokens_details\":{\"cached_tokens\":0,\"audio_tokens\":0},"
                "\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0,"
                "\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}}");
}

static void put_logprobs(struct buf *b, const struct answer *an, struct str text)
{
    if (!an->logprobs) {
        buf_putz(b, "null");
        return;
    }
    buf_putz(b, "{\"content\":[");
    for (bool first = true; text.len > 0; first = false) {
        struct str token = token_next(&text);
        buf_putz(b, first ? "{\"token\":" : ",{\"token\":");
        put_json(b, token);
        buf_putz(b, ",\"bytes\":[");
        for (size_t i = 0; i < token.len; i++)
            buf_printf(b, "%s%u", i ? "," : "", (unsigned)(unsigned char)token.p[i]);
        buf_putz(b, "],\"logprob\":-0.25,\"top_logprobs\":[]}");
    }
    buf_putz(b, "],\"refusal\":null}");
}

static void put_call_id(struct buf *b, const struct request *rq, uint64_t choice, size_t index)
{
    buf_printf(b, "\"id\":\"call_%llu_%llu_%zu\"", (unsigned long long)rq->serial,
               (unsigned long long)choice, index);
}

/* The model that is told is a dated snapshot of the one asked for. */
static void put_model(struct buf *b, const struct request *rq)
{
    put_json(b, arena_printf(rq->arena, "%.*s-2026-08-01", STR_ARG(str_head(rq->model, 1024))));
}

/* -- whole */

static void put_message(struct buf *b, const struct request *rq, const struct answer *an,
                        uint64_t choice)
{
    buf_putz(b, "      \"message\": {\n        \"role\": \"assistant\",\n        \"content\": ");
    an->refusal || an->call_count > 0 ? buf_putz(b, "null") : put_json(b, an->text);
    buf_putz(b, ",\n        \"refusal\": ");
    an->refusal ? put_json(b, an->text) : buf_putz(b, "null");
    buf_putz(b, ",\n        \"annotations\": []");
    for (size_t i = 0; i < an->call_count; i++) {
        const struct call *c = &an->calls[i];
        const char *type = c->custom ? "custom" : "function";
        buf_putz(b, i ? ", {" : ",\n        \"tool_calls\": [{");
        put_call_id(b, rq, choice, i);
        buf_printf(b, ", \"type\": \"%s\", \"%s\": {\"name\": ", type, type);
        put_json(b, c->name);
        buf_printf(b, ", \"%s\": ", c->custom ? "input" : "arguments");
        put_json(b, c->arguments);
        buf_putz(b, i + 1 == an->call_count ? "}}]" : "}}");
    }
    buf_putz(b, "\n      },\n");
}

static void put_whole(struct request *rq, const struct answer *an, struct reply *rp)
{
    struct buf *b = &rp->body;
    buf_printf(b,
               "{\n  \"id\": \"chatcmpl-mock%08llu\",\n  \"object\": \"chat.completion\",\n"
               "  \"created\": %d,\n  \"model\": ",
               (unsigned long long)rq->serial, CREATED);
    put_model(b, rq);
    buf_putz(b, ",\n  \"choices\": ");
    if (rq->script.choices_null)
        buf_putz(b, "null");
    for (uint64_t i = 0; i < an->n && !rq->script.choices_null; i++) {
        buf_printf(b, "%s\n    {\n      \"index\": %llu,\n", i ? "," : "[", (unsigned long long)i);
        put_message(b, rq, an, i);
        buf_putz(b, "      \"logprobs\": ");
        put_logprobs(b, an, an->text);
        buf_printf(b, ",\n      \"finish_reason\": \"%s\"\n    }%s", an->finish,
                   i + 1 == an->n ? "\n  ]" : "");
    }
    if (!str_eq(rq->script.usage, STR("none"))) {
        buf_putz(b, ",\n  \"usage\": ");
        put_usage(b, rp);
    }
    buf_putz(b, ",\n  \"service_tier\": \"default\",\n  \"system_fingerprint\": \"fp_mock\"\n}\n");
}

/* -- stream */

struct streamer {
    const struct request *rq;
    const struct answer *an;
    struct reply *rp;
    bool asked_usage;  /* usage: null on each chunk, and a chunk of its own at the end */
    bool finish_usage; /* on the chunk with the finish reason */
    uint64_t content_events;
    struct str padding; /* instead of each token, where the script asks for a size */
    bool ended;         /* by the script */
};

static void chunk_begin(struct streamer *s)
{
    struct buf *b = &s->rp->body;
    if (s->rq->script.comments)
        buf_putz(b, ": keep-alive\n\n");
    buf_printf(
        b,
        "data: {\"id\":\"chatcmpl-mock%08llu\",\"object\":\"chat.completion.chunk\",\"created\":%d,"
        "\"model\":",
        (unsigned long long)s->rq->serial, CREATED);
    put_model(b, s->rq);
    buf_putz(b, ",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_mock\",\"choices\":[");
}

static void chunk_end(struct streamer *s, bool usage)
{
    struct buf *b = &s->rp->body;
    buf_putc(b, ']');
    if (usage || s->asked_usage)
        buf_putz(b, ",\"usage\":");
    if (usage)
        put_usage(b, s->rp);
    else if (s->asked_usage)
        buf_putz(b, "null");
    if (s->rq->script.obfuscate)
        buf_printf(b, ",\"obfuscation\":\"%.*s\"", (int)(s->rp->count % 8), "xYzAbCdE");
    buf_putz(b, "}\n\n");
    reply_piece(s->rp);
}

static void put_delta(struct streamer *s, uint64_t choice, const char *before, struct str text,
                      const char *after)
{
    struct buf *b = &s->rp->body;
    buf_printf(b, "{\"index\":%llu,\"delta\":{%s", (unsigned long long)choice, before);
    put_json(b, text);
    buf_printf(b, "%s},\"logprobs\":", after);
    put_logprobs(b, s->an, text);
    buf_putz(b, ",\"finish_reason\":null}");
}

/* One chunk with content; the script's events are counted here. */
static void content_chunk(struct streamer *s, uint64_t choice, const char *before, struct str text,
                          const char *after)
{
    const struct script *sc = &s->rq->script;
    if (s->ended)
        return;
    if (sc->error_event > 0 && s->content_events == sc->error_event) {
        buf_putz(&s->rp->body,
                 "data: {\"error\":{\"message\":\"The server had an error while processing "
                 "your request.\",\"type\":\"server_error\",\"param\":null,\"code\":null}}\n\n");
        reply_piece(s->rp);
        s->ended = true;
        return;
    }
    if (++s->content_events == sc->badjson_event) {
        buf_putz(&s->rp->body, "data: {\"id\":\"chatcmpl-mock\",\"choices\":[{]}\n\n");
        reply_piece(s->rp);
        return;
    }
    size_t from = s->rp->body.len;
    chunk_begin(s);
    put_delta(s, choice, before, text, after);
    size_t rest = s->asked_usage ? strlen("],\"usage\":null}\n\n") : strlen("]}\n\n");
    size_t have = s->rp->body.len - from + rest;
    if (sc->size > have && text.len > 0) { /* again, with as much text as the size asks for */
        if (s->padding.len == 0)
            s->padding = words_make(s->rq->arena, sc->size / 2);
        s->rp->body.len = from;
        chunk_begin(s);
        put_delta(s, choice, before, str_head(s->padding, text.len + sc->size - have), after);
    }
    chunk_end(s, false);
}

static void stream_text(struct streamer *s)
{
    const char *member = s->an->refusal ? "\"refusal\":" : "\"content\":";
    struct str rest = s->an->text;
    while (rest.len > 0 && !s->ended) {
        struct str token = token_next(&rest);
        for (uint64_t i = 0; i < s->an->n; i++)
            content_chunk(s, i, member, token, "");
    }
}

static void stream_call(struct streamer *s, uint64_t choice, size_t index)
{
    const struct call *c = &s->an->calls[index];
    const char *type = c->custom ? "custom" : "function", *text = c->custom ? "input" : "arguments";
    struct buf before, after;
    buf_init(&before, KIB);
    buf_init(&after, KIB);
    buf_printf(&before, "\"tool_calls\":[{\"index\":%zu,", index);
    put_call_id(&before, s->rq, choice, index);
    buf_printf(&before, ",\"type\":\"%s\",\"%s\":{\"name\":%c", type, type, 0);
    buf_printf(&after, ",\"%s\":\"\"}}]%c", text, 0);
    content_chunk(s, choice, before.p, c->name, after.p);
    buf_reset(&before);
    buf_printf(&before, "\"tool_calls\":[{\"index\":%zu,\"%s\":{\"%s\":%c", index, type, text, 0);
    for (struct str rest = c->arguments; rest.len > 0;)
        content_chunk(s, choice, before.p, token_next(&rest), "}}]");
    buf_done(&before);
    buf_done(&after);
}

static void stream_start(struct streamer *s)
{
    for (uint64_t i = 0; i < s->an->n && !s->rq->script.norole; i++) {
        chunk_begin(s);
        buf_printf(
            &s->rp->body,
            "{\"index\":%llu,\"delta\":{\"role\":\"assistant\",\"content\":%s,\"refusal\":null},"
            "\"logprobs\":null,\"finish_reason\":null}",
            (unsigned long long)i, s->an->call_count > 0 ? "null" : "\"\"");
        chunk_end(s, false);
    }
}

static void stream_end(struct streamer *s)
{
    for (uint64_t i = 0; i < s->an->n; i++) {
        chunk_begin(s);
        buf_printf(&s->rp->body,
                   "{\"index\":%llu,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"%s\"}",
                   (unsigned long long)i, s->an->finish);
        chunk_end(s, s->finish_usage && i + 1 == s->an->n);
    }
    if (s->asked_usage || str_eq(s->rq->script.usage, STR("always"))) {
        chunk_begin(s);
        chunk_end(s, true);
    }
    if (!str_eq(s->rq->script.done, STR("none"))) {
        buf_putz(&s->rp->body, "data: [DONE]\n\n");
        reply_piece(s->rp);
    }
}

static void put_stream(struct request *rq, const struct answer *an, struct reply *rp)
{
    struct str usage = rq->script.usage;
    yyjson_val *options = yyjson_obj_get(rq->json, "stream_options");
    struct streamer s = { .rq = rq, .an = an, .rp = rp };
    s.asked_usage = yyjson_get_bool(yyjson_obj_get(options, "include_usage")) &&
                    !str_eq(usage, STR("none")) && !str_eq(usage, STR("finish"));
    s.finish_usage = str_eq(usage, STR("finish"));
    rp->stream = true;
    rp->type = STR("text/event-stream; charset=utf-8");
    stream_start(&s);
    for (uint64_t i = 0; i < an->n; i++)
        for (size_t c = 0; c < an->call_count; c++)
            stream_call(&s, i, c);
    stream_text(&s);
    if (!s.ended)
        stream_end(&s);
}

void openai_chat(struct mock *m, struct request *rq, struct reply *rp)
{
    struct answer an;
    if (!openai_chat_ok(rq, rp))
        return;
    if (rq->script.events > 0)
        rq->script.tokens = rq->script.events;
    think(rq, &an);
    count(rq, &an, rp);
    reply_header(rp, "openai-processing-ms", STR("7"));
    reply_header(rp, "openai-version", STR("2020-10-01"));
    reply_header(rp, "x-ratelimit-limit-requests", STR("500"));
    reply_header(rp, "x-ratelimit-remaining-requests", STR("499"));
    reply_header(rp, "x-ratelimit-reset-requests", STR("120ms"));
    if (yyjson_get_bool(yyjson_obj_get(rq->json, "stream")))
        put_stream(rq, &an, rp);
    else
        put_whole(rq, &an, rp);
}
