/* What the model says: the same as the other simulators, where they can say the same. */
#include "base/mem.h"
#include "mock/calls.h"
#include "mock/google.h"
#include "mock/responses.h"
#include "mock/schema.h"
#include "mock/sign.h"
#include "mock/words.h"

#define DEFAULT_TOKENS 16
#define CALL_TOKENS 4
#define CALLS_MAX 16

static bool is_type(yyjson_val *object, const char *type)
{
    return yyjson_equals_str(yyjson_obj_get(object, "type"), type);
}

static yyjson_val *last_item(const struct rsp *r)
{
    return yyjson_arr_get_last(r->input);
}

static bool is_tool_output(yyjson_val *item)
{
    return is_type(item, "function_call_output") || is_type(item, "custom_tool_call_output");
}

/* -- the state of reasoning */

/* "rs_mock00000012_0" and its like; what stands after the prefix tells one from others. */
struct str rsp_encrypted(const struct rsp *r, struct str id)
{
    struct str name = id;
    str_cut(&name, '_');
    struct str mac = sign_make(r->rq->arena, STR("state of reasoning"),
                               rsp_path(r, "%.*s\n%.*s", STR_ARG(r->credential), STR_ARG(name)));
    return rsp_path(r, "gAAAAAB%.*s-%.*s", STR_ARG(name), STR_ARG(mac));
}

const char *rsp_encrypted_problem(const struct rsp *r, struct str id, struct str content)
{
    struct str name = str_skip(content, 7), own = id;
    name = str_head(name, str_find_char(name, '-'));
    str_cut(&own, '_');
    if (!str_eq(content, rsp_encrypted(r, rsp_path(r, "rs_%.*s", STR_ARG(name)))))
        return "Encrypted content could not be decrypted or parsed.";
    if (id.len > 0 && !str_eq(own, name))
        return "Encrypted content item_id did not match the target item id.";
    return NULL;
}

/* -- items */

static struct rsp_item *add(struct rsp *r, enum rsp_kind kind)
{
    static const char *const prefixes[] = { "rs", "ws", "msg", "fc", "ctc" };
    struct rsp_item *it = &r->items[r->item_count];
    *it = (struct rsp_item){ .kind = kind };
    bool led = r->item_count > 0 && r->items[0].kind == RSP_REASONING;
    it->id = rsp_path(r, "%s_mock%08llu%c%zu", prefixes[kind], (unsigned long long)r->rq->serial,
                      led ? 'r' : '_', r->item_count);
    r->item_count++;
    return it;
}

/* It reasons where it is asked to; by itself it often would, and no count could be foretold. */
static void reason(struct rsp *r)
{
    static const struct str thought = STR_INIT("Let me think about the river.");
    yyjson_val *reasoning = yyjson_obj_get(r->rq->json, "reasoning");
    struct str effort = json_text(reasoning, "effort");
    uint64_t words = r->rq->script.reasoning;
    bool asked = words > 0 || (effort.len > 0 && !str_eq(effort, STR("none"))) ||
                 (effort.len == 0 && r->summary);
    if (!r->model->efforts || !asked)
        return;
    struct rsp_item *it = add(r, RSP_REASONING);
    it->text = words ? words_make(r->rq->arena, words) : thought;
    r->reasoning_tokens = token_count(it->text);
    if (!r->summary && !r->model->open)
        it->text = STR("");
}

/* -- calls */

static bool is_callable(yyjson_val *tool)
{
    return is_type(tool, "function") || is_type(tool, "custom");
}

static yyjson_val *tool_named(const struct rsp *r, struct str name)
{
    yyjson_val *tools = yyjson_obj_get(r->rq->json, "tools");
    for (size_t i = 0; i < yyjson_arr_size(tools); i++) {
        yyjson_val *tool = yyjson_arr_get(tools, i);
        if (is_callable(tool) && str_eq(json_text(tool, "name"), name))
            return tool;
    }
    return NULL;
}

/* The nth of those that the choice allows, in turn. */
static yyjson_val *tool_at(const struct rsp *r, size_t nth)
{
    yyjson_val *choice = yyjson_obj_get(r->rq->json, "tool_choice");
    yyjson_val *list = is_type(choice, "allowed_tools") ? yyjson_obj_get(choice, "tools")
                                                        : yyjson_obj_get(r->rq->json, "tools");
    yyjson_val *found[64];
    size_t n = 0;
    for (size_t i = 0; i < yyjson_arr_size(list) && n < 64; i++) {
        yyjson_val *tool = yyjson_arr_get(list, i);
        if (is_callable(tool))
            found[n++] = tool_named(r, json_text(tool, "name"));
    }
    return n ? found[nth % n] : NULL;
}

static void add_call(struct rsp *r, yyjson_val *tool, const struct script_call *scripted)
{
    bool custom = is_type(tool, "custom");
    struct rsp_item *it = add(r, custom ? RSP_CUSTOM : RSP_FUNCTION);
    it->name = json_text(tool, "name");
    it->call_id = rsp_path(r, "call_%llu_%zu", (unsigned long long)r->rq->serial, r->item_count);
    it->text = custom ? STR("select 1")
                      : schema_instance(yyjson_obj_get(tool, "parameters"), r->rq->arena);
    if (scripted)
        it->text = calls_arguments(r->rq->arena, scripted, it->text);
}

static bool known(void *ctx, struct str name)
{
    return tool_named(ctx, name) != NULL;
}

static void scripted_calls(struct rsp *r)
{
    const struct script *s = &r->rq->script;
    size_t at = 0, from = 0;
    for (size_t i = 0; i < yyjson_arr_size(r->input); i++) {
        yyjson_val *item = yyjson_arr_get(r->input, i);
        if (is_type(item, "function_call") || is_type(item, "custom_tool_call"))
            calls_seen(s, &at, json_text(item, "name"));
    }
    size_t n = calls_turn(s, at, known, r, &from);
    for (size_t i = 0; i < n && i < CALLS_MAX; i++)
        add_call(r, tool_named(r, s->calls[from + i].name), &s->calls[from + i]);
}

/* Calls tools where the request has some and the conversation does not end with their outputs. */
static void call(struct rsp *r)
{
    yyjson_val *choice = yyjson_obj_get(r->rq->json, "tool_choice");
    uint64_t want = r->rq->script.tools ? r->rq->script.tools : 1;
    if (yyjson_equals_str(choice, "none"))
        return;
    if (r->rq->script.call_count > 0) {
        scripted_calls(r);
        return;
    }
    if (is_tool_output(last_item(r)) || !tool_at(r, 0))
        return;
    yyjson_val *named = tool_named(r, json_text(choice, "name"));
    if (yyjson_is_false(yyjson_obj_get(r->rq->json, "parallel_tool_calls")))
        want = 1;
    for (size_t i = 0; i < want && i < CALLS_MAX; i++)
        add_call(r, named ? named : tool_at(r, i), NULL);
}

/* -- text */

/* "The tools answered: ...": the outputs at the end of the conversation, in order. */
static struct str outputs_text(struct rsp *r)
{
    size_t n = yyjson_arr_size(r->input), from = n;
    while (from > 0 && is_tool_output(yyjson_arr_get(r->input, from - 1)))
        from--;
    if (from == n)
        return STR("");
    struct str text = STR("The tools answered:");
    for (size_t i = from; i < n; i++) {
        yyjson_val *item = yyjson_arr_get(r->input, i), *output = yyjson_obj_get(item, "output");
        struct str one = json_text(item, "output");
        for (size_t k = 0; k < yyjson_arr_size(output); k++)
            if (is_type(yyjson_arr_get(output, k), "input_text"))
                one = rsp_path(r, "%.*s%.*s", STR_ARG(one),
                               STR_ARG(json_text(yyjson_arr_get(output, k), "text")));
        text = rsp_path(r, "%.*s %.*s", STR_ARG(text), STR_ARG(one));
    }
    return text;
}

/* "I was sent image/png of 70 bytes, ..." where the last message holds media. */
static struct str media_text(struct rsp *r)
{
    struct str text = STR(""), bytes;
    yyjson_val *content = yyjson_obj_get(last_item(r), "content");
    for (size_t i = 0; i < yyjson_arr_size(content); i++) {
        yyjson_val *part = yyjson_arr_get(content, i);
        struct str data = is_type(part, "input_image") ? json_text(part, "image_url")
                                                       : json_text(part, "file_data");
        if (!is_type(part, "input_image") && !is_type(part, "input_file"))
            continue;
        struct str kind = str_skip(data, 5);
        size_t at = str_find(kind, STR(";base64,"));
        text = text.len ? rsp_path(r, "%.*s, ", STR_ARG(text)) : STR("I was sent ");
        if (at != STR_NONE && base64_read(str_skip(kind, at + 8), r->rq->arena, &bytes))
            text = rsp_path(r, "%.*s%.*s of %zu bytes", STR_ARG(text), STR_ARG(str_head(kind, at)),
                            bytes.len);
        else
            text = rsp_path(r, "%.*sa URL", STR_ARG(text));
    }
    return text.len ? rsp_path(r, "%.*s.", STR_ARG(text)) : text;
}

static bool has_search(const struct rsp *r)
{
    yyjson_val *tools = yyjson_obj_get(r->rq->json, "tools");
    for (size_t i = 0; i < yyjson_arr_size(tools); i++)
        if (str_starts(json_text(yyjson_arr_get(tools, i), "type"), STR("web_search")))
            return true;
    return false;
}

static struct str say(struct rsp *r, bool *ret_cited)
{
    const struct script *s = &r->rq->script;
    yyjson_val *format = yyjson_obj_get(yyjson_obj_get(r->rq->json, "text"), "format");
    struct str outputs = outputs_text(r), media = media_text(r);
    if (s->text_is.len > 0)
        return script_words(s, r->rq->arena);
    if (s->echo_auth)
        return rsp_path(r, "Your credential is %.*s today.", STR_ARG(r->credential));
    if (s->refusal)
        return STR("I cannot help with that.");
    if (s->tokens > 0)
        return words_make(r->rq->arena, s->tokens);
    if (is_type(format, "json_schema"))
        return schema_instance(yyjson_obj_get(format, "schema"), r->rq->arena);
    if (is_type(format, "json_object"))
        return STR("{\"answer\": \"text\"}");
    if (outputs.len > 0 || media.len > 0)
        return outputs.len > 0 ? outputs : media;
    *ret_cited = has_search(r);
    return *ret_cited ? STR("The river is low today.") : words_make(r->rq->arena, DEFAULT_TOKENS);
}

static uint64_t limit_of(const struct rsp *r)
{
    yyjson_val *v = yyjson_obj_get(r->rq->json, "max_output_tokens");
    return yyjson_is_int(v) ? (uint64_t)yyjson_get_num(v) : UINT64_MAX;
}

/* Reasoning comes out of the same budget. */
static void write_message(struct rsp *r)
{
    bool cited = false, cut = false;
    uint64_t most = limit_of(r);
    if (most <= r->reasoning_tokens) {
        r->incomplete = "max_output_tokens";
        return;
    }
    struct str text = say(r, &cited);
    if (has_search(r) && !r->rq->script.refusal)
        add(r, RSP_SEARCH);
    struct rsp_item *it = add(r, RSP_MESSAGE);
    it->text = token_head(text, most - r->reasoning_tokens, &cut);
    it->refusal = r->rq->script.refusal;
    it->cited = cited && !cut;
    it->cut = cut;
    if (cut)
        r->incomplete = "max_output_tokens";
}

uint64_t rsp_input_tokens(const struct rsp *r)
{
    uint64_t n = prompt_tokens_of(yyjson_obj_get(r->rq->json, "instructions")) +
                 prompt_tokens_of(yyjson_obj_get(r->rq->json, "tools"));
    static const char *const counted[] = { "content", "output", "arguments",
                                           "input",   "name",   "summary" };
    for (size_t i = 0; i < yyjson_arr_size(r->input); i++) {
        yyjson_val *item = yyjson_arr_get(r->input, i);
        n += is_type(item, "message") ? 3 : 0;
        for (size_t k = 0; k < sizeof(counted) / sizeof(counted[0]); k++)
            n += prompt_tokens_of(yyjson_obj_get(item, counted[k]));
    }
    return n;
}

void rsp_think(struct rsp *r)
{
    struct str finish = r->rq->script.finish;
    uint64_t tokens = 0;
    reason(r);
    if (!r->rq->script.refusal)
        call(r);
    if (r->item_count == 0 || r->items[r->item_count - 1].kind == RSP_REASONING)
        write_message(r);
    if (finish.len > 0)
        r->incomplete = arena_cstr(r->rq->arena, finish);
    r->status = r->incomplete ? "incomplete" : "completed";
    for (size_t i = 0; i < r->item_count; i++) {
        const struct rsp_item *it = &r->items[i];
        if (it->kind >= RSP_MESSAGE)
            tokens += token_count(it->text) + (it->kind > RSP_MESSAGE ? CALL_TOKENS : 0);
    }
    r->rp->completion_tokens = tokens + r->reasoning_tokens;
    r->rp->prompt_tokens = rsp_input_tokens(r) + r->rq->script.cached;
}
