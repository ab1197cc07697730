/* Answers of OpenAI's chat, completions and embeddings: whole, and one event of a stream at a time. */
#include "dialect/openai_chat.h"

enum { A_MODEL, A_USAGE, A_ERROR, A_CHOICES, A_COUNT };

static const struct str answer_names[A_COUNT] = {
    [A_MODEL] = STR_INIT("model"),
    [A_USAGE] = STR_INIT("usage"),
    [A_ERROR] = STR_INIT("error"),
    [A_CHOICES] = STR_INIT("choices"),
};

static uint64_t number_of(struct str text, const struct json_member *m)
{
    uint64_t v = 0;
    return m->type == JSON_NUMBER && json_u64(json_value(text, m), &v) ? v : 0;
}

/* The part of a usage object under `name`, e.g. prompt_tokens_details. */
static void read_details(struct str usage, const struct json_member *m, const struct str *want,
                         uint64_t **ret, size_t n)
{
    struct json_member got[8];
    if (m->type != JSON_OBJECT)
        return;
    struct str text = json_value(usage, m);
    json_peek_object(text, want, n, got, NULL);
    for (size_t i = 0; i < n; i++)
        *ret[i] = number_of(text, &got[i]);
}

bool openai_read_usage_as(struct str json, const struct str top[4], struct ir_usage *ret_usage)
{
    static const struct str in[] = { STR_INIT("cached_tokens"), STR_INIT("cache_write_tokens"),
                                     STR_INIT("audio_tokens"), STR_INIT("image_tokens") };
    static const struct str out[] = { STR_INIT("reasoning_tokens"), STR_INIT("audio_tokens"),
                                      STR_INIT("image_tokens") };
    struct json_member m[4];
    if (json_type_of(json) != JSON_OBJECT)
        return false;
    json_peek_object(json, top, 4, m, NULL);
    *ret_usage = (struct ir_usage){ .reported = true,
                                    .prompt_tokens = number_of(json, &m[0]),
                                    .completion_tokens = number_of(json, &m[1]) };
    read_details(json, &m[2], in,
                 (uint64_t *[]){ &ret_usage->cached_tokens, &ret_usage->cache_write_tokens,
                                 &ret_usage->audio_prompt_tokens, &ret_usage->image_prompt_tokens },
                 4);
    read_details(json, &m[3], out,
                 (uint64_t *[]){ &ret_usage->reasoning_tokens, &ret_usage->audio_completion_tokens,
                                 &ret_usage->image_completion_tokens },
                 3);
    return true;
}

bool openai_read_usage(struct str json, struct ir_usage *ret_usage)
{
    static const struct str top[4] = { STR_INIT("prompt_tokens"), STR_INIT("completion_tokens"),
                                       STR_INIT("prompt_tokens_details"),
                                       STR_INIT("completion_tokens_details") };
    return openai_read_usage_as(json, top, ret_usage);
}

static enum err scan(struct str text, struct openai_answer *ret, struct json_member m[A_COUNT])
{
    ret->text = text;
    TRY(json_scan_object(text, answer_names, A_COUNT, m, NULL, &ret->problem));
    ret->model = m[A_MODEL];
    ret->usage_member = m[A_USAGE];
    ret->has_error = m[A_ERROR].type != JSON_ABSENT && m[A_ERROR].type != JSON_NULL;
    if (m[A_USAGE].type == JSON_OBJECT)
        openai_read_usage(json_value(text, &m[A_USAGE]), &ret->usage);
    struct str choices =
        m[A_CHOICES].type == JSON_ARRAY ? json_value(text, &m[A_CHOICES]) : STR("[]");
    ret->no_choices = str_starts(str_trim(str_skip(choices, 1)), STR("]"));
    return ERR_OK;
}

enum err openai_read_answer(enum openai_kind kind, struct str body, struct openai_answer *ret)
{
    struct json_member m[A_COUNT];
    *ret = (struct openai_answer){ 0 };
    TRY(scan(body, ret, m));
    if (kind == OPENAI_EMBED)
        ret->no_choices = false;
    return ERR_OK;
}

/* A string that is not empty, or for tool calls any argument or name with text in it. */
static bool has_text(struct str text, const struct json_member *m)
{
    return m->type == JSON_STRING && m->value_len > 2;
}

static bool tool_calls_have_content(struct str calls)
{
    static const struct str parts[] = { STR_INIT("function"), STR_INIT("custom") };
    static const struct str inner[] = { STR_INIT("arguments"), STR_INIT("input"),
                                        STR_INIT("name") };
    struct json_iter it = json_iter(calls);
    while (json_next(&it)) {
        struct json_member part[2], m[3];
        if (!json_peek_object(it.value, parts, 2, part, NULL))
            continue;
        for (size_t i = 0; i < 2; i++) {
            struct str text = json_value(it.value, &part[i]);
            if (part[i].type == JSON_OBJECT && json_peek_object(text, inner, 3, m, NULL) &&
                (has_text(text, &m[0]) || has_text(text, &m[1])))
                return true;
        }
    }
    return false;
}

static bool delta_has_content(struct str delta)
{
    /* `reasoning_content` (DeepSeek), `reasoning` (OpenRouter) and `thinking_blocks` (LiteLLM) are de facto. */
    enum {
        D_CONTENT,
        D_REFUSAL,
        D_REASONING,
        D_REASONING2,
        D_TOOLS,
        D_FUNCTION,
        D_AUDIO,
        D_BLOCKS,
        D_COUNT
    };
    static const struct str want[D_COUNT] = {
        [D_CONTENT] = STR_INIT("content"),
        [D_REFUSAL] = STR_INIT("refusal"),
        [D_REASONING] = STR_INIT("reasoning_content"),
        [D_REASONING2] = STR_INIT("reasoning"),
        [D_TOOLS] = STR_INIT("tool_calls"),
        [D_FUNCTION] = STR_INIT("function_call"),
        [D_AUDIO] = STR_INIT("audio"),
        [D_BLOCKS] = STR_INIT("thinking_blocks"),
    };
    struct json_member m[D_COUNT];
    if (!json_peek_object(delta, want, D_COUNT, m, NULL))
        return false;
    if (has_text(delta, &m[D_CONTENT]) || has_text(delta, &m[D_REFUSAL]) ||
        has_text(delta, &m[D_REASONING]) || has_text(delta, &m[D_REASONING2]))
        return true;
    if (m[D_CONTENT].type == JSON_ARRAY || m[D_FUNCTION].type == JSON_OBJECT ||
        m[D_AUDIO].type == JSON_OBJECT)
        return true;
    struct json_iter blocks =
        json_iter(m[D_BLOCKS].type == JSON_ARRAY ? json_value(delta, &m[D_BLOCKS]) : STR("[]"));
    if (json_next(&blocks))
        return true;
    return m[D_TOOLS].type == JSON_ARRAY && tool_calls_have_content(json_value(delta, &m[D_TOOLS]));
}

/* What follows `"finish_reason"` in `json`, the first one; NULL when there is none. Its underscore is looked for: rarer than what
 * a search for the whole has to set up. */
static struct str after_finish_reason(struct str json)
{
    static const struct str before = STR_INIT("\"finish"), after = STR_INIT("_reason\"");
    size_t at;
    for (struct str rest = json; (at = str_find_char(rest, '_')) != STR_NONE;
         rest = str_skip(rest, at + 1)) {
        struct str from = str_skip(rest, at);
        if ((size_t)(from.p - json.p) >= before.len &&
            memcmp(from.p - before.len, before.p, before.len) == 0 && str_starts(from, after))
            return str_skip(from, after.len);
    }
    return str_of(NULL, 0);
}

/* True when the choices surely have not finished: the one `finish_reason` in them is null. Inside a JSON string a quote is
 * escaped, so these bytes, where they stand in valid JSON, are a member; a false answer only means a closer look. */
static bool is_unfinished(struct str choices)
{
    struct str rest = after_finish_reason(choices);
    if (!str_starts(rest, STR(":")))
        return false;
    rest = str_skip(rest, 1);
    if (str_starts(rest, STR(" ")))
        rest = str_skip(rest, 1);
    return str_starts(rest, STR("null")) && !after_finish_reason(rest).p;
}

enum err openai_read_event(enum openai_kind kind, struct str data, bool look_for_content,
                           struct openai_answer *ret)
{
    static const struct str want[] = { STR_INIT("finish_reason"), STR_INIT("delta"),
                                       STR_INIT("text") };
    struct json_member m[A_COUNT], c[3];
    *ret = (struct openai_answer){ 0 };
    TRY(scan(data, ret, m));
    if (ret->no_choices)
        return ERR_OK;
    struct str choices = json_value(data, &m[A_CHOICES]);
    if (!look_for_content && is_unfinished(choices))
        return ERR_OK;
    struct json_iter it = json_iter(choices);
    while (json_next(&it)) {
        if (!json_peek_object(it.value, want, 3, c, NULL))
            continue;
        if (c[0].type != JSON_ABSENT && c[0].type != JSON_NULL)
            ret->finish = true;
        if (!look_for_content)
            continue;
        if (kind == OPENAI_TEXT
                ? has_text(it.value, &c[2])
                : c[1].type == JSON_OBJECT && delta_has_content(json_value(it.value, &c[1])))
            ret->content = true;
    }
    return ERR_OK;
}

/* Two edits at most, so no splice: the text is copied once, around them. */
bool openai_put_answer(const struct openai_answer *ans, struct str model_json, bool hide_usage,
                       struct buf *out)
{
    struct edit {
        size_t at, len;
        struct str with;
    } edits[2];
    size_t n = 0, from = 0;
    const struct json_member *u = &ans->usage_member, *m = &ans->model;
    if (hide_usage && u->type == JSON_OBJECT && ans->no_choices)
        return false;
    if (m->type == JSON_STRING)
        edits[n++] = (struct edit){ m->value_at, m->value_len, model_json };
    if (hide_usage && u->type == JSON_NULL) {
        size_t at = u->index ? u->comma_before : u->name_at;
        size_t end = u->index ? u->value_at + u->value_len : u->next_at;
        struct edit cut = { at, end - at, STR("") };
        if (n && edits[0].at > at) {
            edits[1] = edits[0];
            edits[0] = cut;
            n = 2;
        } else {
            edits[n++] = cut;
        }
    }
    size_t len = ans->text.len;
    for (size_t i = 0; i < n; i++)
        len += edits[i].with.len - edits[i].len;
    buf_reserve(out, len); /* once for all; where it fails, so do the writes */
    for (size_t i = 0; i < n; i++) {
        buf_put(out, str_of(ans->text.p + from, edits[i].at - from));
        buf_put(out, edits[i].with);
        from = edits[i].at + edits[i].len;
    }
    buf_put(out, str_skip(ans->text, from));
    return true;
}
