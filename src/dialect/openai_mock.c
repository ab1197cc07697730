/* mock_response: an answer made by the gateway, for demos, tests and CI of applications. */
#include "dialect/openai_chat.h"

#include "wire/json_write.h"

/* LiteLLM's constants: a mocked answer costs the same in both. */
enum { MOCK_PROMPT_TOKENS = 10, MOCK_COMPLETION_TOKENS = 20 };

static const struct {
    struct str name;
    enum err err;
    int status;
    const char *type, *code, *msg;
} mock_errors[] = {
    { STR_INIT("litellm.RateLimitError"), ERR_UPSTREAM, 429, "rate_limit_error",
      "rate_limit_exceeded", "this is a mock rate limit error" },
    { STR_INIT("litellm.ContextWindowExceededError"), ERR_UPSTREAM, 400, "invalid_request_error",
      "context_length_exceeded", "this is a mock context window exceeded error" },
    { STR_INIT("litellm.ContentPolicyViolationError"), ERR_UPSTREAM, 400, "invalid_request_error",
      "content_policy_violation", "this is a mock content policy violation error" },
    { STR_INIT("litellm.InternalServerError"), ERR_UPSTREAM, 500, "server_error", "",
      "this is a mock internal server error" },
};

bool openai_mock_fault(struct str response, struct arena *a, struct fault *ret_fault)
{
    if (json_type_of(response) != JSON_STRING)
        return false;
    struct str text = json_unescape(response, a);
    if (str_starts(text, STR("Exception: "))) {
        *ret_fault = fault_of(ERR_UPSTREAM);
        ret_fault->status = 500;
        ret_fault->msg = str_skip(text, 11);
        return true;
    }
    for (size_t i = 0; i < sizeof mock_errors / sizeof mock_errors[0]; i++) {
        if (!str_eq(text, mock_errors[i].name))
            continue;
        *ret_fault = fault_of(mock_errors[i].err);
        ret_fault->status = mock_errors[i].status;
        ret_fault->type = str_c(mock_errors[i].type);
        ret_fault->code = str_c(mock_errors[i].code);
        ret_fault->msg = str_c(mock_errors[i].msg);
        return true;
    }
    return false;
}

static const char *id_prefix(enum openai_kind kind)
{
    return kind == OPENAI_TEXT ? "cmpl-" : "chatcmpl-";
}

static void put_usage(struct json_write *w, enum openai_kind kind)
{
    json_obj(w, "usage");
    json_uint(w, "prompt_tokens", MOCK_PROMPT_TOKENS);
    if (kind != OPENAI_EMBED)
        json_uint(w, "completion_tokens", MOCK_COMPLETION_TOKENS);
    json_uint(w, "total_tokens",
              MOCK_PROMPT_TOKENS + (kind == OPENAI_EMBED ? 0 : MOCK_COMPLETION_TOKENS));
    json_end(w);
}

static void put_identity(struct json_write *w, const struct openai_mock *m, bool chunk,
                         struct arena *a)
{
    json_str(w, "id", arena_printf(a, "%s%.*s", id_prefix(m->kind), STR_ARG(m->id)));
    json_strz(w, "object",
              m->kind == OPENAI_TEXT ? "text_completion"
              : chunk                ? "chat.completion.chunk"
                                     : "chat.completion");
    json_uint(w, "created", m->created);
    json_raw(w, "model", m->model_json);
}

/* A whole completion given as an object: its members, with id, created and model where it has none. */
static void put_object(const struct openai_mock *m, struct arena *a, struct buf *out)
{
    static const struct str filled[] = { STR_INIT("id"), STR_INIT("object"), STR_INIT("created"),
                                         STR_INIT("model") };
    struct json_member got[4];
    struct json_write w;
    json_peek_object(m->response, filled, 4, got, NULL);
    json_begin(&w, out);
    json_obj(&w, NULL);
    if (got[0].type == JSON_ABSENT)
        json_str(&w, "id", arena_printf(a, "%s%.*s", id_prefix(m->kind), STR_ARG(m->id)));
    if (got[1].type == JSON_ABSENT)
        json_strz(&w, "object", m->kind == OPENAI_TEXT ? "text_completion" : "chat.completion");
    if (got[2].type == JSON_ABSENT)
        json_uint(&w, "created", m->created);
    struct json_iter it = json_iter(m->response);
    while (json_next(&it)) {
        if (str_eq(it.name, STR("model")))
            continue;
        json_name(&w, it.name);
        json_raw(&w, NULL, it.value);
    }
    json_raw(&w, "model", m->model_json);
    json_end(&w);
}

static void put_embedding(const struct openai_mock *m, struct buf *out)
{
    struct json_write w;
    json_begin(&w, out);
    json_obj(&w, NULL);
    json_strz(&w, "object", "list");
    json_arr(&w, "data");
    json_obj(&w, NULL);
    json_strz(&w, "object", "embedding");
    json_uint(&w, "index", 0);
    json_raw(&w, "embedding", json_type_of(m->response) == JSON_ARRAY ? m->response : STR("[0.0]"));
    json_end(&w);
    json_end(&w);
    json_raw(&w, "model", m->model_json);
    put_usage(&w, OPENAI_EMBED);
    json_end(&w);
}

void openai_mock_whole(const struct openai_mock *m, struct arena *a, struct buf *out)
{
    struct json_write w;
    if (m->kind == OPENAI_EMBED) {
        put_embedding(m, out);
        return;
    }
    if (json_type_of(m->response) == JSON_OBJECT) {
        put_object(m, a, out);
        return;
    }
    json_begin(&w, out);
    json_obj(&w, NULL);
    put_identity(&w, m, false, a);
    json_arr(&w, "choices");
    json_obj(&w, NULL);
    json_uint(&w, "index", 0);
    if (m->kind == OPENAI_TEXT) {
        json_raw(&w, "text", m->response);
    } else {
        json_obj(&w, "message");
        json_strz(&w, "role", "assistant");
        json_raw(&w, "content", m->response);
        json_null(&w, "refusal");
        json_end(&w);
    }
    json_null(&w, "logprobs");
    json_strz(&w, "finish_reason", "stop");
    json_end(&w);
    json_end(&w);
    put_usage(&w, m->kind);
    json_end(&w);
}

/* -- streams */

struct chunk {
    const char *member; /* "delta" for chat, "text" for completions */
    struct str value;   /* JSON text */
    struct str finish;  /* JSON text */
    uint64_t index;
};

static void put_chunk(const struct openai_mock *m, const struct chunk *c, struct arena *a,
                      struct buf *out)
{
    struct json_write w;
    buf_put(out, STR("data: "));
    json_begin(&w, out);
    json_obj(&w, NULL);
    put_identity(&w, m, true, a);
    json_arr(&w, "choices");
    if (c) {
        json_obj(&w, NULL);
        json_uint(&w, "index", c->index);
        json_raw(&w, c->member, c->value);
        json_null(&w, "logprobs");
        json_raw(&w, "finish_reason", c->finish);
        json_end(&w);
    }
    json_end(&w);
    if (!c)
        put_usage(&w, m->kind);
    else if (m->include_usage)
        json_null(&w, "usage");
    json_end(&w);
    buf_put(out, STR("\n\n"));
}

/* The text in pieces of a word each, as a provider would send it. */
static void put_words(const struct openai_mock *m, struct str text, uint64_t index, struct arena *a,
                      struct buf *out)
{
    struct buf piece;
    buf_init(&piece, 16 * 1024 * 1024);
    while (text.len) {
        size_t n = 1;
        while (n < text.len && text.p[n - 1] != ' ')
            n++;
        buf_reset(&piece);
        if (m->kind == OPENAI_CHAT)
            buf_put(&piece, STR("{\"content\":"));
        json_quote(&piece, str_head(text, n));
        if (m->kind == OPENAI_CHAT)
            buf_putc(&piece, '}');
        put_chunk(m,
                  &(struct chunk){ m->kind == OPENAI_CHAT ? "delta" : "text", buf_str(&piece),
                                   STR("null"), index },
                  a, out);
        text = str_skip(text, n);
    }
    buf_done(&piece);
}

/* One choice of a completion given as an object, as chunks. */
static void put_choice(const struct openai_mock *m, struct str choice, uint64_t index,
                       struct arena *a, struct buf *out)
{
    static const struct str want[] = { STR_INIT("message"), STR_INIT("text"),
                                       STR_INIT("finish_reason") };
    struct json_member c[3];
    struct str finish = STR("\"stop\"");
    json_peek_object(choice, want, 3, c, NULL);
    if (c[2].type == JSON_STRING)
        finish = json_value(choice, &c[2]);
    if (m->kind == OPENAI_TEXT) {
        if (c[1].type == JSON_STRING)
            put_words(m, json_unescape(json_value(choice, &c[1]), a), index, a, out);
        put_chunk(m, &(struct chunk){ "text", STR("\"\""), finish, index }, a, out);
        return;
    }
    put_chunk(m,
              &(struct chunk){ "delta", STR("{\"role\":\"assistant\",\"content\":\"\"}"),
                               STR("null"), index },
              a, out);
    if (c[0].type == JSON_OBJECT) {
        struct json_iter it = json_iter(json_value(choice, &c[0]));
        while (json_next(&it)) {
            if (it.type == JSON_NULL || str_eq(it.name, STR("role")))
                continue;
            if (str_eq(it.name, STR("content")) && it.type == JSON_STRING) {
                put_words(m, json_unescape(it.value, a), index, a, out);
                continue;
            }
            struct str value = it.value;
            if (str_eq(it.name, STR("tool_calls")) && it.type == JSON_ARRAY) {
                /* a delta's calls carry their index */
                struct buf calls;
                struct json_iter call = json_iter(it.value);
                buf_init(&calls, 16 * 1024 * 1024);
                buf_putc(&calls, '[');
                for (unsigned i = 0; json_next(&call); i++) {
                    struct str inner = str_trim(str_skip(call.value, 1));
                    buf_printf(&calls, "%s{\"index\":%u%s", i ? "," : "", i,
                               inner.p[0] == '}' ? "" : ",");
                    buf_put(&calls, inner);
                }
                buf_putc(&calls, ']');
                value = arena_dup(a, buf_str(&calls));
                buf_done(&calls);
            }
            put_chunk(m,
                      &(struct chunk){
                          "delta",
                          arena_printf(a, "{\"%.*s\":%.*s}", STR_ARG(it.name), STR_ARG(value)),
                          STR("null"), index },
                      a, out);
        }
    }
    put_chunk(m, &(struct chunk){ "delta", STR("{}"), finish, index }, a, out);
}

void openai_mock_stream(const struct openai_mock *m, struct arena *a, struct buf *out)
{
    static const struct str choices_name = STR_INIT("choices");
    struct json_member choices = { 0 };
    if (json_type_of(m->response) == JSON_OBJECT)
        json_peek_object(m->response, &choices_name, 1, &choices, NULL);
    if (choices.type == JSON_ARRAY) {
        struct json_iter it = json_iter(json_value(m->response, &choices));
        for (uint64_t i = 0; json_next(&it); i++)
            put_choice(m, it.value, i, a, out);
    } else {
        struct str text = json_type_of(m->response) == JSON_STRING ? m->response : STR("\"\"");
        put_choice(m,
                   m->kind == OPENAI_TEXT
                       ? arena_printf(a, "{\"text\":%.*s}", STR_ARG(text))
                       : arena_printf(a, "{\"message\":{\"content\":%.*s}}", STR_ARG(text)),
                   0, a, out);
    }
    if (m->include_usage)
        put_chunk(m, NULL, a, out);
    buf_put(out, STR("data: [DONE]\n\n"));
}
