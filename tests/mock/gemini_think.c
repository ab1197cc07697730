/* What the model "says": the same as the other simulators, where they can say the same. */
#include "base/mem.h"
#include "mock/calls.h"
#include "mock/gemini.h"
#include "mock/schema.h"
#include "mock/sign.h"
#include "mock/words.h"

#include <stdlib.h>

#define DEFAULT_TOKENS 16
#define CALL_TOKENS 4

static yyjson_val *last_parts(const struct request *rq)
{
    return yyjson_obj_get(yyjson_arr_get_last(yyjson_obj_get(rq->json, "contents")), "parts");
}

static bool answers_tools(const struct request *rq)
{
    return yyjson_obj_get(yyjson_arr_get_first(last_parts(rq)), "functionResponse") != NULL;
}

/* -- calls */

static yyjson_val *function_at(const struct request *rq, size_t i)
{
    yyjson_arr_iter it = yyjson_arr_iter_with(yyjson_obj_get(rq->json, "tools"));
    for (yyjson_val *tool; (tool = yyjson_arr_iter_next(&it));) {
        yyjson_val *list = yyjson_obj_get(tool, "functionDeclarations");
        if (i < yyjson_arr_size(list))
            return yyjson_arr_get(list, i);
        i -= yyjson_arr_size(list);
    }
    return NULL;
}

/* Arguments as yyjson writes them, so that the signature can be checked when they come back. */
static struct str plain(struct arena *a, struct str json)
{
    size_t n;
    yyjson_doc *doc = yyjson_read(json.p, json.len, 0);
    char *text = yyjson_write(doc, 0, &n);
    struct str copy = text ? arena_dup(a, str_of(text, n)) : STR("{}");
    free(text); /* check-banned: yyjson allocated it */
    yyjson_doc_free(doc);
    return copy;
}

static void add_call(struct request *rq, yyjson_val *function, struct gemini_answer *an,
                     const struct script_call *scripted)
{
    struct arena *a = rq->arena;
    bool three = gemini_model_of(rq)->generation == 30;
    struct gemini_call *c = &an->calls[an->call_count];
    yyjson_val *schema = yyjson_obj_get(function, "parametersJsonSchema");
    if (!schema)
        schema = yyjson_obj_get(function, "parameters");
    c->name = json_text(function, "name");
    struct str args = schema_instance(schema, a);
    c->args = plain(a, scripted ? calls_object(a, scripted, args) : args);
    if (three && an->call_count == 0)
        c->signature = sign_make(a, rq->model,
                                 arena_printf(a, "%.*s\n%.*s", STR_ARG(c->name), STR_ARG(c->args)));
    if (three && !rq->vertex)
        c->id = arena_printf(a, "mockid%llu%zu", (unsigned long long)rq->serial, an->call_count);
    an->call_count++;
    an->text_tokens += CALL_TOKENS + token_count(c->args);
}

static bool known(void *ctx, struct str name)
{
    return gemini_function(ctx, name) != NULL;
}

static void scripted_calls(struct request *rq, struct gemini_answer *an)
{
    const struct script *s = &rq->script;
    size_t at = 0, from = 0;
    yyjson_arr_iter it = yyjson_arr_iter_with(yyjson_obj_get(rq->json, "contents"));
    for (yyjson_val *content; (content = yyjson_arr_iter_next(&it));) {
        yyjson_arr_iter parts = yyjson_arr_iter_with(yyjson_obj_get(content, "parts"));
        for (yyjson_val *part; (part = yyjson_arr_iter_next(&parts));)
            calls_seen(s, &at, json_text(yyjson_obj_get(part, "functionCall"), "name"));
    }
    size_t n = calls_turn(s, at, known, rq, &from);
    for (size_t i = 0; i < n && i < GEMINI_CALLS_MAX; i++)
        add_call(rq, gemini_function(rq, s->calls[from + i].name), an, &s->calls[from + i]);
}

static void think_calls(struct request *rq, struct gemini_answer *an)
{
    yyjson_val *config =
        yyjson_obj_get(yyjson_obj_get(rq->json, "toolConfig"), "functionCallingConfig");
    yyjson_val *allowed = yyjson_obj_get(config, "allowedFunctionNames");
    size_t have = gemini_function_count(rq), want = rq->script.tools ? (size_t)rq->script.tools : 1;
    if (have == 0 || str_eq(json_text(config, "mode"), STR("NONE")))
        return;
    if (rq->script.call_count > 0) {
        scripted_calls(rq, an);
        return;
    }
    if (answers_tools(rq))
        return;
    for (size_t i = 0; i < want && i < GEMINI_CALLS_MAX; i++) {
        yyjson_val *function = function_at(rq, i % have);
        yyjson_val *name = yyjson_arr_get(allowed, i % (yyjson_arr_size(allowed) + !allowed));
        if (name)
            function = gemini_function(rq, str_of(yyjson_get_str(name), yyjson_get_len(name)));
        add_call(rq, function, an, NULL);
    }
}

/* -- text */

/* "I was sent image/png of 70 bytes, ...": what the last content holds. */
static struct str media_text(struct request *rq)
{
    struct str text = STR(""), bytes;
    yyjson_arr_iter it = yyjson_arr_iter_with(last_parts(rq));
    for (yyjson_val *part; (part = yyjson_arr_iter_next(&it));) {
        yyjson_val *data = yyjson_obj_get(part, "inlineData");
        if (!data || !base64_read(json_text(data, "data"), rq->arena, &bytes))
            continue;
        text = arena_printf(rq->arena, "%.*s%s%.*s of %zu bytes", STR_ARG(text),
                            text.len ? ", " : "I was sent ", STR_ARG(json_text(data, "mimeType")),
                            bytes.len);
    }
    return text.len ? arena_printf(rq->arena, "%.*s.", STR_ARG(text)) : text;
}

/* "The tools answered: <each response, in order>". */
static struct str tool_text(struct request *rq)
{
    struct str text = STR("The tools answered:");
    yyjson_arr_iter it = yyjson_arr_iter_with(last_parts(rq));
    for (yyjson_val *part; (part = yyjson_arr_iter_next(&it));) {
        yyjson_val *response = yyjson_obj_get(yyjson_obj_get(part, "functionResponse"), "response");
        yyjson_val *output = yyjson_obj_get(response, "output");
        char *json = yyjson_is_str(output) ? NULL : yyjson_val_write(response, 0, NULL);
        text =
            arena_printf(rq->arena, "%.*s %s", STR_ARG(text), json ? json : yyjson_get_str(output));
        free(json); /* check-banned: yyjson allocated it */
    }
    return text;
}

static struct str think_text(struct request *rq)
{
    const struct script *s = &rq->script;
    yyjson_val *config = yyjson_obj_get(rq->json, "generationConfig");
    yyjson_val *schema = yyjson_obj_get(config, "responseJsonSchema");
    struct str media = media_text(rq);
    if (!schema)
        schema = yyjson_obj_get(config, "responseSchema");
    if (s->text_is.len > 0)
        return script_words(s, rq->arena);
    if (s->citations && gemini_has_tool(rq, "googleSearch"))
        return STR("The river is low today.");
    if (s->tokens == 0 && schema)
        return schema_instance(schema, rq->arena);
    if (s->tokens == 0 && str_eq(json_text(config, "responseMimeType"), STR("application/json")))
        return STR("{\"answer\": \"text\"}");
    if (answers_tools(rq))
        return tool_text(rq);
    return media.len ? media : words_make(rq->arena, s->tokens ? s->tokens : DEFAULT_TOKENS);
}

/* -- the whole */

/* It thinks where it is asked to; by itself it would always do so, and no count could be foretold. */
static void think_first(struct request *rq, yyjson_val *config, struct gemini_answer *an)
{
    static const struct str thought = STR_INIT("Let me think about the river.");
    yyjson_val *t = yyjson_obj_get(config, "thinkingConfig");
    yyjson_val *budget = yyjson_obj_get(t, "thinkingBudget");
    if (!t || (yyjson_is_num(budget) && yyjson_get_num(budget) == 0))
        return;
    an->thought_tokens = token_count(thought);
    if (yyjson_get_bool(yyjson_obj_get(t, "includeThoughts")))
        an->thought = thought;
}

static struct str before_stops(struct str text, yyjson_val *stops)
{
    yyjson_arr_iter it = yyjson_arr_iter_with(stops);
    for (yyjson_val *one; (one = yyjson_arr_iter_next(&it));)
        text = str_head(text, str_find(text, str_c(yyjson_get_str(one))));
    return text;
}

/* Thoughts come out of the same budget. */
static void limit(yyjson_val *config, struct gemini_answer *an)
{
    bool cut = false;
    yyjson_val *v = yyjson_obj_get(config, "maxOutputTokens");
    uint64_t most = yyjson_is_num(v) ? (uint64_t)yyjson_get_num(v) : UINT64_MAX;
    uint64_t left = most > an->thought_tokens ? most - an->thought_tokens : 0;
    an->text = token_head(an->text, left, &cut);
    if (cut)
        an->finish = STR("MAX_TOKENS");
}

void gemini_think(struct request *rq, struct gemini_answer *an)
{
    const struct script *s = &rq->script;
    yyjson_val *config = yyjson_obj_get(rq->json, "generationConfig");
    yyjson_val *n = yyjson_obj_get(config, "candidateCount");
    *an = (struct gemini_answer){ .n = yyjson_is_num(n) ? (uint64_t)yyjson_get_num(n) : 1,
                                  .finish = STR("STOP") };
    an->prompt_tokens = prompt_tokens_of(yyjson_obj_get(rq->json, "contents")) +
                        prompt_tokens_of(yyjson_obj_get(rq->json, "systemInstruction")) +
                        prompt_tokens_of(yyjson_obj_get(rq->json, "tools"));
    an->cached_tokens = s->cached;
    if (an->prompt_tokens < s->cached)
        an->prompt_tokens += s->cached;
    if (s->refusal) {
        an->blocked = s->finish.len ? s->finish : STR("SAFETY");
        return;
    }
    if (s->finish.len > 0)
        an->finish = s->finish;
    if (s->finish.len > 0 && s->text_is.len == 0)
        return; /* without content */
    think_first(rq, config, an);
    think_calls(rq, an);
    if (an->call_count > 0)
        return;
    an->text = before_stops(think_text(rq), yyjson_obj_get(config, "stopSequences"));
    limit(config, an);
    an->cited = s->citations && gemini_has_tool(rq, "googleSearch");
    if (gemini_model_of(rq)->generation == 30)
        an->signature = sign_make(rq->arena, rq->model, an->text);
    an->text_tokens = token_count(an->text) * an->n;
}
