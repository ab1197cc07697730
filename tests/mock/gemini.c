/* generateContent and streamGenerateContent: the answer, whole or as a stream. */
#include "mock/gemini.h"
#include "mock/words.h"

#define CONTEXT_TOKENS 1048576

/* -- parts that whole answers and chunks share */

static void put_member(struct buf *b, const char *name, struct str text)
{
    buf_printf(b, "\"%s\": ", name);
    put_json(b, text);
}

/* Numbers that are 0 are left out, as protobuf does. */
static void put_count(struct buf *b, const char *name, uint64_t n)
{
    if (n > 0)
        buf_printf(b, ", \"%s\": %llu", name, (unsigned long long)n);
}

static void put_usage(const struct request *rq, const struct gemini_answer *an, uint64_t out,
                      struct buf *b)
{
    buf_printf(b, "{\"promptTokenCount\": %llu", (unsigned long long)an->prompt_tokens);
    put_count(b, "candidatesTokenCount", out);
    put_count(b, "thoughtsTokenCount", an->thought_tokens);
    put_count(b, "cachedContentTokenCount", an->cached_tokens);
    put_count(b, "totalTokenCount", an->prompt_tokens + out + an->thought_tokens);
    buf_printf(b, ", \"promptTokensDetails\": [{\"modality\": \"TEXT\", \"tokenCount\": %llu}]",
               (unsigned long long)an->prompt_tokens);
    if (an->cached_tokens)
        buf_printf(b, ", \"cacheTokensDetails\": [{\"modality\": \"TEXT\", \"tokenCount\": %llu}]",
                   (unsigned long long)an->cached_tokens);
    buf_printf(b, "%s}", rq->vertex ? ", \"trafficType\": \"ON_DEMAND\"" : "");
}

static void put_text(struct buf *b, struct str text, bool thought, struct str signature)
{
    buf_putc(b, '{');
    put_member(b, "text", text);
    if (thought)
        buf_putz(b, ", \"thought\": true");
    if (signature.len) {
        buf_putz(b, ", ");
        put_member(b, "thoughtSignature", signature);
    }
    buf_putc(b, '}');
}

static void put_call(struct buf *b, const struct gemini_call *c)
{
    buf_putz(b, "{\"functionCall\": {");
    put_member(b, "name", c->name);
    if (!str_eq(c->args, STR("{}"))) { /* left out when empty */
        buf_putz(b, ", \"args\": ");
        buf_put(b, c->args);
    }
    if (c->id.len) {
        buf_putz(b, ", ");
        put_member(b, "id", c->id);
    }
    buf_putc(b, '}');
    if (c->signature.len) {
        buf_putz(b, ", ");
        put_member(b, "thoughtSignature", c->signature);
    }
    buf_putc(b, '}');
}

/* A page that the whole text quotes. Offsets are of bytes. */
static void put_grounding(const struct gemini_answer *an, struct buf *b)
{
    buf_putz(b, ", \"groundingMetadata\": {\"webSearchQueries\": [\"river level\"], "
                "\"searchEntryPoint\": {\"renderedContent\": \"<div></div>\"}, "
                "\"groundingChunks\": [{\"web\": {\"uri\": \"https://example.com/river\", "
                "\"title\": \"The river\"}}], \"groundingSupports\": [{\"segment\": {");
    buf_printf(b, "\"endIndex\": %zu, ", an->text.len);
    put_member(b, "text", an->text);
    buf_putz(b, "}, \"groundingChunkIndices\": [0]}]}");
}

static void put_logprobs(struct buf *b, struct str text)
{
    static const char row[] = "\"tokenId\": 7, \"logProbability\": -0.25}";
    const char *comma = "";
    buf_putz(b, ", \"logprobsResult\": {\"chosenCandidates\": [");
    for (struct str rest = text; rest.len > 0; comma = ", ") {
        buf_printf(b, "%s{", comma);
        put_member(b, "token", token_next(&rest));
        buf_printf(b, ", %s", row);
    }
    comma = "";
    buf_putz(b, "], \"topCandidates\": [");
    for (struct str rest = text; rest.len > 0; comma = ", ") {
        buf_printf(b, "%s{\"candidates\": [{", comma);
        put_member(b, "token", token_next(&rest));
        buf_printf(b, ", %s]}", row);
    }
    buf_putz(b, "]}");
}

static bool wants_logprobs(const struct request *rq)
{
    yyjson_val *config = yyjson_obj_get(rq->json, "generationConfig");
    return yyjson_get_bool(yyjson_obj_get(config, "responseLogprobs"));
}

/* Some endings are told in words too. */
static void put_finish(const struct gemini_answer *an, struct buf *b)
{
    put_member(b, "finishReason", an->finish);
    if (str_eq(an->finish, STR("MALFORMED_FUNCTION_CALL")))
        buf_putz(b, ", \"finishMessage\": \"Malformed function call: call:f(\"");
    if (str_eq(an->finish, STR("MISSING_THOUGHT_SIGNATURE")))
        buf_putz(b, ", \"finishMessage\": \"Function call is missing a thought_signature.\"");
}

static void put_index(struct buf *b, uint64_t i)
{
    if (i > 0)
        buf_printf(b, ", \"index\": %llu", (unsigned long long)i);
}

static void put_feedback(const struct request *rq, const struct gemini_answer *an, struct buf *b)
{
    buf_putz(b, "\"promptFeedback\": {");
    put_member(b, "blockReason", an->blocked);
    if (rq->script.finish.len == 0)
        buf_putz(b, ", \"blockReasonMessage\": \"I cannot help with that.\"");
    buf_putz(b, "}");
}

static void put_tail(const struct request *rq, struct buf *b)
{
    struct str model = str_head(rq->model, str_find(rq->model, STR("mock:")));
    buf_putz(b, ", ");
    put_member(b, "modelVersion", arena_printf(rq->arena, "%.*s001", STR_ARG(model)));
    buf_printf(b, ", \"responseId\": \"mock%08llu\", \"createTime\": \"2026-09-21T13:33:20.1Z\"}",
               (unsigned long long)rq->serial);
}

/* -- whole */

static void put_parts(const struct gemini_answer *an, struct buf *b)
{
    const char *comma = "";
    buf_putz(b, "\"content\": {\"role\": \"model\", \"parts\": [");
    if (an->thought.len) {
        put_text(b, an->thought, true, STR(""));
        comma = ", ";
    }
    for (size_t i = 0; i < an->call_count; i++) {
        buf_putz(b, comma);
        put_call(b, &an->calls[i]);
        comma = ", ";
    }
    if (an->text.len) {
        buf_putz(b, comma);
        put_text(b, an->text, false, an->signature);
    }
    buf_putz(b, "]}, ");
}

static void put_whole(const struct request *rq, const struct gemini_answer *an, struct reply *rp)
{
    struct buf *b = &rp->body;
    rp->type = STR("application/json; charset=UTF-8");
    buf_putz(b, "{\n");
    if (an->blocked.len)
        put_feedback(rq, an, b);
    else
        buf_putz(b, "\"candidates\": [");
    for (uint64_t i = 0; i < an->n && !an->blocked.len; i++) {
        buf_putz(b, i ? ", {" : "{");
        if (an->text.len || an->thought.len || an->call_count)
            put_parts(an, b);
        put_finish(an, b);
        put_index(b, i);
        if (an->cited)
            put_grounding(an, b);
        if (wants_logprobs(rq))
            put_logprobs(b, an->text);
        buf_putz(b, i + 1 == an->n ? "}]" : "}");
    }
    if (!str_eq(rq->script.usage, STR("none"))) {
        buf_putz(b, ",\n\"usageMetadata\": ");
        put_usage(rq, an, an->text_tokens, b);
    }
    put_tail(rq, b);
    buf_putc(b, '\n');
}

/* -- stream */

struct streamer {
    const struct request *rq;
    const struct gemini_answer *an;
    struct reply *rp;
    uint64_t content_events, said;
    bool ended; /* by the script */
};

static void candidate_begin(struct streamer *s)
{
    if (s->rq->script.comments)
        buf_putz(&s->rp->body, ": keep-alive\n\n");
    buf_putz(&s->rp->body,
             "data: {\"candidates\": [{\"content\": {\"role\": \"model\", \"parts\": [");
}

static void chunk_end(struct streamer *s, bool last)
{
    struct buf *b = &s->rp->body;
    struct str usage = s->rq->script.usage;
    bool none = str_eq(usage, STR("none")) || (!last && str_eq(usage, STR("final")));
    if (!none && (last || !s->rq->vertex)) {
        buf_putz(b, ", \"usageMetadata\": ");
        put_usage(s->rq, s->an, last ? s->an->text_tokens : s->said, b);
    } else if (!none) {
        buf_putz(b, ", \"usageMetadata\": {\"trafficType\": \"ON_DEMAND\"}");
    }
    put_tail(s->rq, b);
    buf_putz(b, "\n\n");
    reply_piece(s->rp);
}

/* What the script has for the next content event. True: that was sent instead. */
static bool content_scripted(struct streamer *s)
{
    const struct script *sc = &s->rq->script;
    struct buf *b = &s->rp->body;
    if (s->ended)
        return true;
    if (sc->error_event > 0 && s->content_events == sc->error_event) {
        buf_putz(b, "data: {\"error\": {\"code\": 503, \"message\": \"The model is overloaded. "
                    "Please try again later.\", \"status\": \"UNAVAILABLE\"}}\n\n");
        s->ended = true;
    } else if (++s->content_events == sc->badjson_event) {
        buf_putz(b, "data: {\"candidates\": [{]}\n\n");
    } else {
        return false;
    }
    reply_piece(s->rp);
    return true;
}

static void content_end(struct streamer *s, uint64_t choice)
{
    buf_putz(&s->rp->body, "]}");
    put_index(&s->rp->body, choice);
    buf_putz(&s->rp->body, "}]");
    chunk_end(s, false);
}

static void stream_text(struct streamer *s, struct str rest, bool thought)
{
    while (rest.len > 0) {
        struct str token = token_next(&rest);
        for (uint64_t i = 0; i < s->an->n; i++) {
            if (content_scripted(s))
                continue;
            s->said += !thought;
            candidate_begin(s);
            put_text(&s->rp->body, token, thought, STR(""));
            content_end(s, i);
        }
    }
}

static void stream_calls(struct streamer *s)
{
    for (size_t c = 0; c < s->an->call_count; c++)
        for (uint64_t i = 0; i < s->an->n; i++) {
            if (content_scripted(s))
                continue;
            candidate_begin(s);
            put_call(&s->rp->body, &s->an->calls[c]);
            content_end(s, i);
        }
}

static void stream_end(struct streamer *s)
{
    struct buf *b = &s->rp->body;
    for (uint64_t i = 0; i < s->an->n; i++) {
        candidate_begin(s);
        put_text(b, STR(""), false, s->an->signature);
        buf_putz(b, "]}, ");
        put_finish(s->an, b);
        put_index(b, i);
        if (s->an->cited)
            put_grounding(s->an, b);
        if (wants_logprobs(s->rq))
            put_logprobs(b, s->an->text);
        buf_putz(b, "}]");
        chunk_end(s, i + 1 == s->an->n);
    }
}

static void put_stream(const struct request *rq, const struct gemini_answer *an, struct reply *rp)
{
    struct streamer s = { .rq = rq, .an = an, .rp = rp };
    rp->stream = true;
    rp->type = STR("text/event-stream");
    if (an->blocked.len) {
        buf_putz(&rp->body, "data: {");
        put_feedback(rq, an, &rp->body);
        chunk_end(&s, true);
        return;
    }
    stream_text(&s, an->thought, true);
    stream_calls(&s);
    stream_text(&s, an->text, false);
    if (!s.ended && !str_eq(rq->script.done, STR("none")))
        stream_end(&s);
}

void gemini_generate(struct mock *m, struct request *rq, struct reply *rp)
{
    struct gemini_answer an;
    bool stream = str_eq(rq->call, STR("streamGenerateContent"));
    if (gemini_embed(rq, rp) || gemini_count(rq, rp))
        return;
    if (!stream && !str_eq(rq->call, STR("generateContent"))) {
        google_error(rq, rp, 404, "NOT_FOUND", "The method %.*s is not found.",
                     STR_ARG(str_head(rq->call, 80)));
        return;
    }
    if (stream && !str_eq(request_query(rq, STR("alt")), STR("sse"))) {
        google_error(rq, rp, 400, "INVALID_ARGUMENT", "The simulator streams with alt=sse alone.");
        return;
    }
    if (!gemini_request_ok(rq, rp))
        return;
    if (rq->script.events > 0)
        rq->script.tokens = rq->script.events;
    gemini_think(rq, &an);
    if (an.prompt_tokens > CONTEXT_TOKENS) {
        google_error(rq, rp, 400, "INVALID_ARGUMENT",
                     "The input token count (%llu) exceeds the maximum number of tokens allowed "
                     "(%d).",
                     (unsigned long long)an.prompt_tokens, CONTEXT_TOKENS);
        return;
    }
    if (rq->script.echo_auth)
        an.text = request_header(rq, rq->vertex ? STR("authorization") : STR("x-goog-api-key"));
    rp->prompt_tokens = an.prompt_tokens;
    rp->completion_tokens = an.text_tokens + an.thought_tokens;
    if (stream) {
        rq->script.crlf = true; /* Google ends lines so */
        put_stream(rq, &an, rp);
    } else {
        put_whole(rq, &an, rp);
    }
}
