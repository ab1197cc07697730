/* Input of the Responses API as a whole: what previous responses left, references resolved, every item in its full form; and
 * what belongs together: calls with their outputs, reasoning with what it led to. */
#include "mock/responses.h"

/* -- making it whole */

struct maker {
    struct rsp *r;
    yyjson_mut_doc *doc;
    yyjson_mut_val *items;
};

static const char *prefix_of(struct str type)
{
    static const char *const prefixes[][2] = {
        { "message", "msg" },
        { "function_call", "fc" },
        { "function_call_output", "fco" },
        { "custom_tool_call", "ctc" },
        { "custom_tool_call_output", "ctco" },
        { "reasoning", "rs" },
        { "compaction", "cmp" },
        { "web_search_call", "ws" },
    };
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        if (str_eq(str_c(prefixes[i][0]), type))
            return prefixes[i][1];
    return "item";
}

static void add_text(struct maker *mk, yyjson_mut_val *object, const char *name, struct str value)
{
    yyjson_mut_obj_add(object, yyjson_mut_strcpy(mk->doc, name),
                       yyjson_mut_strncpy(mk->doc, value.p, value.len));
}

/* [{"type":"input_text","text":...}] */
static yyjson_mut_val *text_parts(struct maker *mk, struct str text, bool assistant)
{
    yyjson_mut_val *parts = yyjson_mut_arr(mk->doc), *part = yyjson_mut_arr_add_obj(mk->doc, parts);
    add_text(mk, part, "type", assistant ? STR("output_text") : STR("input_text"));
    add_text(mk, part, "text", text);
    if (assistant)
        yyjson_mut_obj_add_arr(mk->doc, part, "annotations");
    return parts;
}

static void add_item(struct maker *mk, yyjson_val *item, size_t index)
{
    struct str type = rsp_has(item, "type") ? json_text(item, "type") : STR("message");
    struct str content = json_text(item, "content");
    bool message = str_eq(type, STR("message"));
    yyjson_mut_val *out = yyjson_mut_arr_add_obj(mk->doc, mk->items);
    if (!rsp_has(item, "id"))
        add_text(mk, out, "id",
                 rsp_path(mk->r, "%s_mock%08llu_in%zu", prefix_of(type),
                          (unsigned long long)mk->r->rq->serial, index));
    add_text(mk, out, "type", type);
    if (message && !rsp_has(item, "status"))
        add_text(mk, out, "status", STR("completed"));
    yyjson_obj_iter it = yyjson_obj_iter_with(item);
    for (yyjson_val *name; (name = yyjson_obj_iter_next(&it));) {
        yyjson_val *v = yyjson_obj_iter_get_val(name);
        if (yyjson_equals_str(name, "type") || yyjson_is_null(v))
            continue;
        yyjson_mut_val *copy =
            message && yyjson_equals_str(name, "content") && yyjson_is_str(v)
                ? text_parts(mk, content,
                             yyjson_equals_str(yyjson_obj_get(item, "role"), "assistant"))
                : yyjson_val_mut_copy(mk->doc, v);
        yyjson_mut_obj_add(out, yyjson_mut_strcpy(mk->doc, yyjson_get_str(name)), copy);
    }
}

static bool add_reference(struct maker *mk, struct str id)
{
    struct str text = rsp_stored_item(mk->r, id);
    if (text.len == 0)
        return rsp_error(mk->r, 404, STR("input"), NULL, "Item with id '%.*s' not found.",
                         STR_ARG(str_head(id, 64)));
    yyjson_doc *doc = yyjson_read(text.p, text.len, 0);
    yyjson_mut_arr_append(mk->items, yyjson_val_mut_copy(mk->doc, yyjson_doc_get_root(doc)));
    yyjson_doc_free(doc);
    return true;
}

static bool add_own(struct maker *mk)
{
    yyjson_val *input = yyjson_obj_get(mk->r->rq->json, "input");
    for (size_t i = 0; i < yyjson_arr_size(input); i++) {
        yyjson_val *item = yyjson_arr_get(input, i);
        struct str type = json_text(item, "type");
        bool reference =
            str_eq(type, STR("item_reference")) || (type.len == 0 && !rsp_has(item, "role"));
        if (!reference)
            add_item(mk, item, i);
        else if (!add_reference(mk, json_text(item, "id")))
            return false;
    }
    if (yyjson_is_str(input)) {
        yyjson_mut_val *out = yyjson_mut_arr_add_obj(mk->doc, mk->items);
        add_text(mk, out, "id",
                 rsp_path(mk->r, "msg_mock%08llu_in0", (unsigned long long)mk->r->rq->serial));
        add_text(mk, out, "type", STR("message"));
        add_text(mk, out, "status", STR("completed"));
        add_text(mk, out, "role", STR("user"));
        yyjson_mut_obj_add_val(mk->doc, out, "content",
                               text_parts(mk, json_text(mk->r->rq->json, "input"), false));
    }
    return true;
}

bool rsp_input_make(struct rsp *r)
{
    struct maker mk = { .r = r, .doc = yyjson_mut_doc_new(NULL) };
    mk.items = yyjson_mut_arr(mk.doc);
    yyjson_mut_doc_set_root(mk.doc, mk.items);
    if (r->previous) {
        struct str text = rsp_path(r, "[%.*s]", STR_ARG(r->previous->context));
        yyjson_doc *doc = yyjson_read(text.p, text.len, 0);
        yyjson_val *list = yyjson_doc_get_root(doc);
        for (size_t i = 0; i < yyjson_arr_size(list); i++)
            yyjson_mut_arr_append(mk.items, yyjson_val_mut_copy(mk.doc, yyjson_arr_get(list, i)));
        r->own_from = yyjson_arr_size(list);
        yyjson_doc_free(doc);
    }
    bool good = add_own(&mk);
    if (good) {
        r->doc = yyjson_mut_doc_imut_copy(mk.doc, NULL);
        r->input = yyjson_doc_get_root(r->doc);
    }
    yyjson_mut_doc_free(mk.doc);
    return good;
}

void rsp_done(struct rsp *r)
{
    yyjson_doc_free(r->doc);
}

/* -- what belongs together */

static const struct pair {
    const char *call, *output, *call_words, *output_words;
} pairs[] = {
    { "function_call", "function_call_output", "function call", "function call output" },
    { "custom_tool_call", "custom_tool_call_output", "custom tool call",
      "custom tool call output" },
    { "local_shell_call", "local_shell_call_output", "local shell call",
      "local shell call output" },
    { "shell_call", "shell_call_output", "shell call", "shell call output" },
    { "apply_patch_call", "apply_patch_call_output", "apply patch call",
      "apply patch call output" },
};

/* How many items of `type` with this call id stand in [from, to). */
static size_t count_of(const struct rsp *r, const char *type, struct str id, size_t from, size_t to)
{
    size_t n = 0;
    for (size_t i = from; i < to; i++) {
        yyjson_val *item = yyjson_arr_get(r->input, i);
        n += yyjson_equals_str(yyjson_obj_get(item, "type"), type) &&
             str_eq(json_text(item, "call_id"), id);
    }
    return n;
}

static bool pair_ok(struct rsp *r, yyjson_val *item, size_t i)
{
    size_t all = yyjson_arr_size(r->input);
    struct str type = json_text(item, "type"), id = json_text(item, "call_id");
    for (size_t k = 0; k < sizeof(pairs) / sizeof(pairs[0]); k++) {
        const struct pair *p = &pairs[k];
        if (str_eq(type, str_c(p->call)) && count_of(r, p->output, id, i + 1, all) == 0 &&
            id.len > 0)
            return rsp_bad(r, STR("input"), NULL, "No tool output found for %s %.*s.",
                           p->call_words, STR_ARG(id));
        if (str_eq(type, str_c(p->call)) && count_of(r, p->call, id, 0, i) > 0 && id.len > 0)
            return rsp_bad(r, STR("input"), NULL, "Duplicate %s with call_id %.*s.", p->call_words,
                           STR_ARG(id));
        if (str_eq(type, str_c(p->output)) && id.len > 0 && count_of(r, p->call, id, 0, i) == 0)
            return rsp_bad(r, STR("input"), NULL, "No tool call found for %s with call_id %.*s.",
                           p->output_words, STR_ARG(id));
    }
    return true;
}

/* What a model makes. */
static bool is_output(yyjson_val *item)
{
    struct str type = json_text(item, "type");
    return str_ends(type, STR("_call")) || str_eq(type, STR("reasoning")) ||
           str_eq(type, STR("compaction")) ||
           (str_eq(type, STR("message")) &&
            yyjson_equals_str(yyjson_obj_get(item, "role"), "assistant"));
}

static bool has_id(const struct rsp *r, struct str id)
{
    for (size_t i = 0; i < yyjson_arr_size(r->input); i++)
        if (str_eq(json_text(yyjson_arr_get(r->input, i), "id"), id))
            return true;
    return false;
}

/* "fc_mock00000012r1" comes from "rs_mock00000012_0". */
static bool reasoning_there(struct rsp *r, yyjson_val *item)
{
    struct str id = json_text(item, "id"), rest = id;
    str_cut(&rest, '_');
    size_t at = str_find_char(rest, 'r');
    if (!str_starts(rest, STR("mock")) || at == STR_NONE)
        return true;
    struct str wanted = rsp_path(r, "rs_%.*s_0", STR_ARG(str_head(rest, at)));
    return has_id(r, wanted) ||
           rsp_bad(r, STR("input"), NULL,
                   "Item '%.*s' of type '%.*s' was provided without its required 'reasoning' item: "
                   "'%.*s'.",
                   STR_ARG(id), STR_ARG(json_text(item, "type")), STR_ARG(wanted));
}

bool rsp_pairs_ok(struct rsp *r)
{
    size_t n = yyjson_arr_size(r->input);
    for (size_t i = 0; i < n; i++) {
        yyjson_val *item = yyjson_arr_get(r->input, i);
        struct str id = json_text(item, "id");
        if (!pair_ok(r, item, i))
            return false;
        if (i < r->own_from)
            continue;
        if (str_eq(json_text(item, "type"), STR("reasoning")) &&
            (i + 1 == n || !is_output(yyjson_arr_get(r->input, i + 1))))
            return rsp_bad(r, STR("input"), NULL,
                           "Item '%.*s' of type 'reasoning' was provided without its required "
                           "following item.",
                           STR_ARG(id));
        if (!reasoning_there(r, item))
            return false;
        for (size_t k = 0; k < i; k++)
            if (str_eq(json_text(yyjson_arr_get(r->input, k), "id"), id))
                return rsp_bad(
                    r, STR("input"), NULL,
                    "Duplicate item found with id %.*s. Remove duplicate items from your "
                    "input and try again.",
                    STR_ARG(id));
    }
    return true;
}
