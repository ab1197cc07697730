/* What a follow-up is made of: earlier items, and references to items by their id. OpenAI's API reference, "Responses", input items and
 * "Conversation state", August 2026. */
#include "base/mem.h"
#include "dialect/responses_priv.h"
#include "wire/digest.h"

#define ITEMS_MAX (256 * MIB)

/* -- items by id: a tree ordered by the ids' digests, which nobody can choose so that it becomes a list */

struct node {
    struct node *side[2];
    struct str id, item;
    char digest[SHA256_HEX_BYTES];
};

/* The node of an id, made when it is new. */
static struct node *node_of(struct node **root, struct str id, struct arena *a, bool *ret_new)
{
    char digest[SHA256_HEX_BYTES];
    struct node **at = root;
    sha256_hex(id, digest);
    while (*at) {
        int order = memcmp(digest, (*at)->digest, sizeof digest);
        if (order == 0) {
            *ret_new = false;
            return *at;
        }
        at = &(*at)->side[order > 0];
    }
    *at = ARENA_NEW(a, struct node);
    (*at)->id = id;
    memcpy((*at)->digest, digest, sizeof digest);
    *ret_new = true;
    return *at;
}

static struct str id_of(struct str item, struct arena *a)
{
    struct str id = json_get(item, "id");
    return json_type_of(id) == JSON_STRING ? json_unescape(id, a) : str_of(NULL, 0);
}

/* -- the items of a turn, as /input_items lists them */

static const char *prefix_of(struct str type)
{
    static const struct {
        struct str type;
        const char *prefix;
    } rows[] = {
        { STR_INIT("message"), "msg" },
        { STR_INIT("function_call"), "fc" },
        { STR_INIT("function_call_output"), "fco" },
        { STR_INIT("custom_tool_call"), "ctc" },
        { STR_INIT("custom_tool_call_output"), "ctco" },
        { STR_INIT("reasoning"), "rs" },
        { STR_INIT("web_search_call"), "ws" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (str_eq(type, rows[i].type))
            return rows[i].prefix;
    return "item";
}

static bool has_status(struct str type)
{
    return str_eq(type, STR("message")) || str_eq(type, STR("function_call")) ||
           str_eq(type, STR("function_call_output")) || str_eq(type, STR("custom_tool_call")) ||
           str_eq(type, STR("custom_tool_call_output"));
}

/* A string as the one part that it stands for. */
static void put_content(struct json_write *w, struct str content, bool assistant)
{
    json_arr(w, "content");
    json_obj(w, NULL);
    json_strz(w, "type", assistant ? "output_text" : "input_text");
    json_raw(w, "text", content);
    if (assistant)
        json_raw(w, "annotations", STR("[]"));
    json_end(w);
    json_end(w);
}

static void put_listed(struct json_write *w, struct str item, struct str id, struct str type,
                       struct arena *a)
{
    bool message = str_eq(type, STR("message")), status = has_status(type);
    bool assistant = json_str_eq(json_get(item, "role"), STR("assistant"));
    struct json_iter it = json_iter(item);
    json_obj(w, NULL);
    json_str(w, "type", type);
    json_str(w, "id", id);
    if (status && json_type_of(json_get(item, "status")) != JSON_STRING)
        json_strz(w, "status", "completed");
    while (json_next(&it)) {
        if (str_eq(it.name, STR("type")) || str_eq(it.name, STR("id")) ||
            (status && str_eq(it.name, STR("status")) && it.type != JSON_STRING))
            continue;
        if (message && str_eq(it.name, STR("content")) && it.type == JSON_STRING) {
            put_content(w, it.value, assistant);
            continue;
        }
        rs_put_member(w, &it, a);
    }
    json_end(w);
}

static enum err bad_input(struct arena *a, struct fault *f, struct str place, const char *what)
{
    fault_set(f, ERR_BAD_REQUEST, a, "%.*s %s", STR_ARG(place), what);
    f->param = place;
    return ERR_BAD_REQUEST;
}

/* An element of `input`, its type; a fault that names its place where it is none. */
static enum err type_of(struct str item, uint32_t index, struct arena *a, struct fault *f,
                        struct str *ret_type)
{
    *ret_type = json_type_of(item) == JSON_OBJECT ? rs_item_type(item, a) : str_of(NULL, 0);
    if (ret_type->len)
        return ERR_OK;
    return bad_input(a, f, arena_printf(a, "input[%u]", index),
                     "must be an object with a type, or a message with a role");
}

/* A string is one message of the user. */
static struct str as_array(struct str input, struct arena *a)
{
    if (json_type_of(input) != JSON_STRING)
        return input;
    return arena_printf(a, "[{\"role\":\"user\",\"content\":%.*s}]", STR_ARG(input));
}

static enum err check_array(struct str input, struct arena *a, struct fault *f)
{
    if (json_type_of(input) == JSON_ARRAY)
        return ERR_OK;
    return bad_input(a, f, STR("input"), "must be a string or an array of items");
}

enum err response_input_items(struct str input, struct str hex, struct arena *a, struct buf *out,
                              struct fault *ret_fault)
{
    struct json_write w;
    struct str type;
    input = as_array(input, a);
    TRY(check_array(input, a, ret_fault));
    struct json_iter it = json_iter(input);
    json_begin(&w, out);
    json_arr(&w, NULL);
    for (uint32_t i = 0; json_next(&it); i++) {
        TRY(type_of(it.value, i, a, ret_fault, &type));
        struct str id = id_of(it.value, a);
        if (id.len == 0)
            id = arena_printf(a, "%s_%.*si%04x", prefix_of(type), STR_ARG(hex), i);
        put_listed(&w, it.value, id, type, a);
    }
    json_end(&w);
    return ERR_OK;
}

/* -- a follow-up's input */

struct follow {
    const struct response_follow *f;
    struct arena *a;
    struct fault *fault;
    struct node *ids;
    struct json_write w;
    bool lost; /* reasoning was left out, or a state */
    bool
        bereft; /* so was the reasoning of this turn of another account's: that account's ids lead nowhere */
};

/* The first of an id counts: items do not change. */
static void index_items(struct follow *fw, struct str array)
{
    struct json_iter it = json_iter(array);
    while (json_next(&it)) {
        bool is_new;
        struct str id = id_of(it.value, fw->a);
        if (id.len == 0 || str_eq(rs_item_type(it.value, fw->a), STR("item_reference")))
            continue;
        struct node *n = node_of(&fw->ids, id, fw->a, &is_new);
        if (is_new)
            n->item = it.value;
    }
}

static void index_turns(struct follow *fw, const struct response_past *turns, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        index_items(fw, turns[i].input);
        index_items(fw, turns[i].output);
    }
}

static bool is_named(const struct json_iter *it, struct str name)
{
    return json_str_eq(str_of(it->name.p - 1, it->name.len + 2), name);
}

/* A state of weir's making or of another account's, in whatever item a client put it. `tag`: of the account that gets it. */
static bool is_foreign_state(const struct json_iter *it, struct str tag)
{
    return rs_is_state(it) && (rs_is_own_state(it->value) || rs_is_of_another(it->value, tag));
}

static bool has_foreign_state(struct str item, struct str tag)
{
    struct json_iter it = json_iter(item);
    if (json_type_of(item) != JSON_OBJECT)
        return false;
    while (json_next(&it))
        if (is_foreign_state(&it, tag))
            return true;
    return false;
}

/* OpenAI's API reference, August 2026: the types whose id is required. */
static bool needs_id(struct str type)
{
    static const struct str types[] = {
        STR_INIT("code_interpreter_call"), STR_INIT("computer_call"),
        STR_INIT("image_generation_call"), STR_INIT("item_reference"),
        STR_INIT("local_shell_call"),      STR_INIT("local_shell_call_output"),
        STR_INIT("mcp_approval_request"),  STR_INIT("mcp_call"),
        STR_INIT("mcp_list_tools"),        STR_INIT("program"),
        STR_INIT("program_output"),
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (str_eq(type, types[i]))
            return true;
    return false;
}

/* For a provider that speaks this API: without what it does not know, an id that is `unknown` to it or a state that is `stated`, foreign. A
 * search without its id is none, nor is a compaction without its state; reasoning without its state is nothing that the model could
 * use, unless the provider keeps it under the item's id. */
static bool is_foreign(struct str item, struct str id, struct str type, bool unknown, bool stated)
{
    struct str state = json_get(item, "encrypted_content");
    if (str_eq(type, STR("compaction")))
        return stated;
    if (str_eq(type, STR("reasoning")) && json_type_of(state) == JSON_STRING && state.len > 2)
        return stated;
    if (str_eq(type, STR("reasoning")))
        return unknown || id.len == 0;
    return unknown &&
           (str_eq(type, STR("web_search_call")) || str_eq(type, STR("file_search_call")));
}

/* Reasoning that another account has encrypted. */
static bool is_others_reasoning(struct str item, struct str type, struct str tag)
{
    struct json_iter it = json_iter(item);
    while (str_eq(type, STR("reasoning")) && json_next(&it))
        if (rs_is_state(&it) && rs_is_of_another(it.value, tag))
            return true;
    return false;
}

/* What the user says begins another turn. */
static bool begins_turn(struct str item, struct str type)
{
    return str_eq(type, STR("message")) && !json_str_eq(json_get(item, "role"), STR("assistant"));
}

/* Items that came of reasoning are refused under their ids where the reasoning is not there ("was provided without its required
 * 'reasoning' item"), so they lose their ids with it. */
static void put_native(struct follow *fw, struct str item, struct str type)
{
    struct json_iter it = json_iter(item);
    struct str id = id_of(item, fw->a), answer;
    bool made = response_of_item(id, fw->a, &answer);
    bool stated = has_foreign_state(item, fw->f->tag);
    if (begins_turn(item, type))
        fw->bereft = false;
    fw->lost |= stated;
    if (is_foreign(item, id, type, made || fw->bereft, stated)) {
        fw->lost |= str_eq(type, STR("reasoning"));
        fw->bereft |= is_others_reasoning(item, type, fw->f->tag);
        return;
    }
    if (str_eq(type, STR("reasoning")))
        fw->bereft = false;
    bool nameless = made || (fw->bereft && id.len && !needs_id(type));
    if (!nameless && !stated) {
        json_raw(&fw->w, NULL, item);
        return;
    }
    json_obj(&fw->w, NULL);
    while (json_next(&it)) {
        if ((nameless && is_named(&it, STR("id"))) || is_foreign_state(&it, fw->f->tag))
            continue;
        rs_put_member(&fw->w, &it, fw->a);
    }
    json_end(&fw->w);
}

static enum err put_followed(struct follow *fw, struct str item, uint32_t index)
{
    struct str type;
    bool is_new;
    TRY(type_of(item, index, fw->a, fw->fault, &type));
    if (str_eq(type, STR("item_reference"))) {
        struct str id = id_of(item, fw->a), place = arena_printf(fw->a, "input[%u].id", index);
        struct node *n = node_of(&fw->ids, id, fw->a, &is_new);
        if (!n->item.len && fw->f->native && !response_of_item(id, fw->a, &type)) {
            put_native(fw, item, STR("item_reference")); /* the provider's own */
            return ERR_OK;
        }
        if (!n->item.len)
            return bad_input(fw->a, fw->fault, place,
                             arena_printf(fw->a,
                                          "refers to `%.*s`, which is not kept here: send the "
                                          "item itself",
                                          STR_ARG(str_head(id, 80)))
                                 .p);
        item = n->item;
        type = rs_item_type(item, fw->a);
    }
    if (fw->f->native)
        put_native(fw, item, type);
    else
        json_raw(&fw->w, NULL, item);
    return ERR_OK;
}

static enum err put_all(struct follow *fw, struct str array)
{
    struct json_iter it = json_iter(array);
    for (uint32_t i = 0; json_next(&it); i++)
        TRY(put_followed(fw, it.value, i));
    return ERR_OK;
}

static enum err put_follow(struct follow *fw, struct str input)
{
    json_arr(&fw->w, NULL);
    for (size_t i = 0; i < fw->f->past_count; i++) {
        TRY(put_all(fw, fw->f->past[i].input));
        TRY(put_all(fw, fw->f->past[i].output));
    }
    TRY(put_all(fw, input));
    json_end(&fw->w);
    return ERR_OK;
}

enum err response_follow_input(const struct response_follow *f, struct arena *a,
                               struct str *ret_input, bool *ret_lost, struct fault *ret_fault)
{
    struct follow fw = { .f = f, .a = a, .fault = ret_fault };
    struct str input = as_array(f->input, a);
    struct buf out;
    TRY(check_array(input, a, ret_fault));
    index_turns(&fw, f->past, f->past_count);
    index_turns(&fw, f->referred, f->referred_count);
    index_items(&fw, input);
    buf_init(&out, ITEMS_MAX);
    json_begin(&fw.w, &out);
    enum err e = put_follow(&fw, input);
    if (!e && out.fail)
        e = fault_set(ret_fault, ERR_TOO_LARGE, a,
                      "The conversation is too long to be continued with previous_response_id.");
    if (!e) {
        *ret_input = arena_dup(a, buf_str(&out));
        *ret_lost = fw.lost;
    }
    buf_done(&out);
    return e;
}

bool response_is_foreign(struct str input, struct str tag, struct arena *a)
{
    struct json_iter it = json_iter(json_type_of(input) == JSON_ARRAY ? input : STR("[]"));
    struct str answer;
    /* Most inputs are known by this to have neither. */
    if (str_find(input, STR("\"id\"")) == STR_NONE && str_find(input, STR("\"weir")) == STR_NONE)
        return false;
    while (json_next(&it))
        if (has_foreign_state(it.value, tag) || response_of_item(id_of(it.value, a), a, &answer))
            return true;
    return false;
}

size_t response_references(struct str input, struct arena *a, struct str *ret_ids, size_t max)
{
    struct json_iter it = json_iter(json_type_of(input) == JSON_ARRAY ? input : STR("[]"));
    struct node *seen = NULL;
    size_t n = 0;
    while (json_next(&it)) {
        struct str answer;
        bool is_new;
        if (!str_eq(rs_item_type(it.value, a), STR("item_reference")) ||
            !response_of_item(id_of(it.value, a), a, &answer))
            continue;
        node_of(&seen, answer, a, &is_new);
        if (is_new && n < max)
            ret_ids[n] = answer;
        n += is_new;
    }
    return n;
}
