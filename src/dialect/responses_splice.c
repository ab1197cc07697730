/* The Responses API, client and provider both speaking it: what weir reads of a request and of an answer's pieces, and the two edits
 * that answers get. OpenAI's API reference, "Responses" and "Streaming events", August 2026. */
#include "dialect/openai_chat.h"
#include "dialect/responses_priv.h"
#include "wire/json_write.h"

struct str response_members(struct str body, struct response_members *ret)
{
    enum { R_INPUT, R_PREVIOUS, R_CONVERSATION, R_STORE, R_COUNT };
    static const struct str want[R_COUNT] = {
        [R_INPUT] = STR_INIT("input"),
        [R_PREVIOUS] = STR_INIT("previous_response_id"),
        [R_CONVERSATION] = STR_INIT("conversation"),
        [R_STORE] = STR_INIT("store"),
    };
    struct json_member m[R_COUNT];
    size_t repeated = 0;
    json_peek_object(body, want, R_COUNT, m, &repeated);
    *ret = (struct response_members){
        .input = m[R_INPUT],
        .previous = m[R_PREVIOUS],
        .conversation = m[R_CONVERSATION],
        .store = m[R_STORE],
    };
    return repeated ? want[repeated - 1] : str_of(NULL, 0);
}

/* -- usage */

bool response_read_usage(struct str json, struct ir_usage *ret_usage)
{
    static const struct str top[4] = { STR_INIT("input_tokens"), STR_INIT("output_tokens"),
                                       STR_INIT("input_tokens_details"),
                                       STR_INIT("output_tokens_details") };
    return openai_read_usage_as(json, top, ret_usage);
}

/* -- answers */

/* The inside of a string; empty for what is none. */
static struct str inside(struct str text, const struct json_member *m)
{
    struct str v = json_value(text, m);
    return m->type == JSON_STRING ? str_of(v.p + 1, v.len - 2) : str_of(NULL, 0);
}

static bool is_set(const struct json_member *m)
{
    return m->type != JSON_ABSENT && m->type != JSON_NULL;
}

enum { O_ID, O_STATUS, O_MODEL, O_USAGE, O_ERROR, O_OBJECT, O_OUTPUT, O_TYPE, O_COUNT };
static const struct str object_names[O_COUNT] = {
    [O_ID] = STR_INIT("id"),         [O_STATUS] = STR_INIT("status"),
    [O_MODEL] = STR_INIT("model"),   [O_USAGE] = STR_INIT("usage"),
    [O_ERROR] = STR_INIT("error"),   [O_OBJECT] = STR_INIT("object"),
    [O_OUTPUT] = STR_INIT("output"), [O_TYPE] = STR_INIT("type"),
};

static void take_object(struct response_answer *ret, struct str object, const struct json_member *m)
{
    ret->object = object;
    ret->model = m[O_MODEL];
    if (m[O_OUTPUT].type == JSON_ARRAY)
        ret->items = json_value(object, &m[O_OUTPUT]);
    ret->id = inside(object, &m[O_ID]);
    ret->status = inside(object, &m[O_STATUS]);
    response_read_usage(json_value(object, &m[O_USAGE]), &ret->usage);
}

/* Items by pages are the data of a list. */
static void take_list(struct response_answer *ret, struct str body)
{
    static const struct str name = STR_INIT("data");
    struct json_member m;
    if (!ret->items.len && json_peek_object(body, &name, 1, &m, NULL) && m.type == JSON_ARRAY)
        ret->items = json_value(body, &m);
}

enum err response_read_answer(struct str body, struct response_answer *ret)
{
    struct json_member m[O_COUNT];
    *ret = (struct response_answer){ .text = body };
    TRY(json_scan_object(body, object_names, O_COUNT, m, NULL, &ret->problem));
    /* A response that has failed says so in its own `error`. */
    bool response = m[O_OUTPUT].type == JSON_ARRAY || m[O_STATUS].type == JSON_STRING ||
                    json_str_eq(json_value(body, &m[O_OBJECT]), STR("response"));
    ret->error = !response &&
                 (is_set(&m[O_ERROR]) || json_str_eq(json_value(body, &m[O_TYPE]), STR("error")));
    take_object(ret, body, m);
    take_list(ret, body);
    return ERR_OK;
}

enum {
    E_TYPE,
    E_SEQUENCE,
    E_RESPONSE,
    E_DELTA,
    E_ERROR,
    E_TEXT,
    E_REFUSAL,
    E_ARGUMENTS,
    E_INPUT,
    E_IMAGE,
    E_ITEM,
    E_COUNT
};
static const struct str event_names[E_COUNT] = {
    [E_TYPE] = STR_INIT("type"),         [E_SEQUENCE] = STR_INIT("sequence_number"),
    [E_RESPONSE] = STR_INIT("response"), [E_DELTA] = STR_INIT("delta"),
    [E_ERROR] = STR_INIT("error"),       [E_TEXT] = STR_INIT("text"),
    [E_REFUSAL] = STR_INIT("refusal"),   [E_ARGUMENTS] = STR_INIT("arguments"),
    [E_INPUT] = STR_INIT("input"),       [E_IMAGE] = STR_INIT("partial_image_b64"),
    [E_ITEM] = STR_INIT("item"),
};

static bool has_text(const struct json_member *m)
{
    return m->type == JSON_STRING && m->value_len > 2;
}

/* Text in one of an array's parts: {"type":"output_text","text":...}, a refusal, a summary. */
static bool parts_have_text(struct str object, const struct json_member *m)
{
    static const struct str want[] = { STR_INIT("text"), STR_INIT("refusal") };
    struct json_member p[2];
    struct json_iter it = json_iter(m->type == JSON_ARRAY ? json_value(object, m) : STR("[]"));
    while (json_next(&it))
        if (json_peek_object(it.value, want, 2, p, NULL) && (has_text(&p[0]) || has_text(&p[1])))
            return true;
    return false;
}

/* Some servers give an item whole, without deltas. */
static bool item_has_content(struct str item)
{
    static const struct str want[] = { STR_INIT("arguments"), STR_INIT("input"),
                                       STR_INIT("content"), STR_INIT("summary"),
                                       STR_INIT("result") };
    struct json_member m[5];
    return json_peek_object(item, want, 5, m, NULL) &&
           (has_text(&m[0]) || has_text(&m[1]) || has_text(&m[4]) || parts_have_text(item, &m[2]) ||
            parts_have_text(item, &m[3]));
}

static bool event_has_content(struct str data, const struct json_member *m)
{
    static const int texts[] = { E_DELTA, E_TEXT, E_REFUSAL, E_ARGUMENTS, E_INPUT, E_IMAGE };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (has_text(&m[texts[i]]))
            return true;
    return m[E_ITEM].type == JSON_OBJECT && item_has_content(json_value(data, &m[E_ITEM]));
}

/* The types that are acted on come out plain, however they were escaped. */
static const struct event_type {
    struct str type;
    bool terminal, error;
} event_types[] = {
    { STR_INIT("response.completed"), true, false },
    { STR_INIT("response.incomplete"), true, false },
    { STR_INIT("response.failed"), true, false },
    { STR_INIT("error"), true, true },
};

static void take_type(struct response_answer *ret, struct str data, const struct json_member *m)
{
    static const struct event_type fault = { STR_INIT("error"), true, true };
    const struct event_type *known = NULL;
    struct str literal = json_value(data, &m[E_TYPE]);
    for (size_t i = 0; !known && i < sizeof event_types / sizeof event_types[0]; i++)
        if (json_str_eq(literal, event_types[i].type))
            known = &event_types[i];
    /* What a server sends that fails as it does outside of a stream. */
    if (m[E_TYPE].type != JSON_STRING && is_set(&m[E_ERROR]))
        known = &fault;
    ret->type = known ? known->type : inside(data, &m[E_TYPE]);
    ret->terminal = known && known->terminal;
    ret->error = known && known->error;
}

/* Offsets of a member of `part`, told for the text in which it stands at `at`. */
static void move_member(struct json_member *m, size_t at)
{
    if (m->type == JSON_ABSENT)
        return;
    m->name_at += at;
    m->value_at += at;
    m->next_at += at;
    if (m->index)
        m->comma_before += at;
}

enum err response_read_event(struct str data, bool look_for_content, struct response_answer *ret)
{
    struct json_member m[E_COUNT], o[O_COUNT];
    *ret = (struct response_answer){ .text = data };
    TRY(json_scan_object(data, event_names, E_COUNT, m, NULL, &ret->problem));
    take_type(ret, data, m);
    ret->sequenced = m[E_SEQUENCE].type == JSON_NUMBER &&
                     json_u64(json_value(data, &m[E_SEQUENCE]), &ret->sequence);
    if (m[E_RESPONSE].type == JSON_OBJECT) {
        struct str object = json_value(data, &m[E_RESPONSE]);
        json_peek_object(object, object_names, O_COUNT, o, NULL);
        take_object(ret, object, o);
        move_member(&ret->model, m[E_RESPONSE].value_at);
    }
    if (m[E_ITEM].type == JSON_OBJECT)
        ret->item = json_value(data, &m[E_ITEM]);
    ret->content = look_for_content && !ret->terminal && event_has_content(data, m);
    return ERR_OK;
}

/* The text, up to where it has been put. */
struct put {
    struct str text;
    size_t from;
    struct buf *out;
};

static void put_edit(struct put *p, size_t at, size_t len, struct str with)
{
    buf_put(p->out, str_of(p->text.p + p->from, at - p->from));
    buf_put(p->out, with);
    p->from = at + len;
}

static void put_item(struct put *p, struct str item, struct str tag)
{
    for (struct json_iter it = json_iter(item); json_next(&it);)
        if (rs_is_state(&it))
            put_edit(p, (size_t)(it.value.p + 1 - p->text.p), 0, tag);
}

/* An item, or an array of them. */
static void put_items(struct put *p, struct str part, struct str tag)
{
    if (json_type_of(part) == JSON_OBJECT) {
        put_item(p, part, tag);
        return;
    }
    for (struct json_iter it = json_iter(part); json_next(&it);)
        if (it.type == JSON_OBJECT)
            put_item(p, it.value, tag);
}

/* Most items have no state, and are known by this: its name stands there as it is, or with an escape in it. */
static bool may_have_state(struct str part)
{
    static const struct str name = STR_INIT("encrypted_content");
    return part.len > name.len &&
           (str_find(part, name) != STR_NONE ||
            (str_find_char(part, '\\') != STR_NONE && str_find(part, STR("\\u00")) != STR_NONE));
}

static void put_edited(const struct response_answer *ans, struct str model_json, struct str tag,
                       struct buf *out)
{
    const struct json_member *m = &ans->model;
    bool late = ans->item.p > ans->items.p;
    struct str parts[2] = { late ? ans->items : ans->item, late ? ans->item : ans->items };
    struct put p = { .text = ans->text, .out = out };
    bool model = m->type == JSON_STRING && model_json.len;
    for (size_t i = 0; i < 2; i++) {
        if (!tag.len || !may_have_state(parts[i]))
            continue;
        if (model && m->value_at < (size_t)(parts[i].p - p.text.p)) {
            put_edit(&p, m->value_at, m->value_len, model_json);
            model = false;
        }
        put_items(&p, parts[i], tag);
    }
    if (model)
        put_edit(&p, m->value_at, m->value_len, model_json);
    buf_put(out, str_skip(p.text, p.from));
}

void response_put_answer(const struct response_answer *ans, struct str model_json, struct str tag,
                         struct buf *out)
{
    if (ans->model.type == JSON_ABSENT && !ans->items.len && !ans->item.len)
        buf_put(out, ans->text); /* most events: deltas */
    else
        put_edited(ans, model_json, tag, out);
}

/* -- faults */

static void put_code(struct json_write *w, const struct fault *f)
{
    char status[4] = { (char)('0' + f->status / 100 % 10), (char)('0' + f->status / 10 % 10),
                       (char)('0' + f->status % 10), 0 };
    if (f->code.len)
        json_str(w, "code", f->code);
    else
        json_strz(w, "code", status);
}

static void put_members(struct json_write *w, const struct fault *f)
{
    put_code(w, f);
    json_str(w, "message", f->msg);
    if (f->param.len)
        json_str(w, "param", f->param);
    else
        json_null(w, "param");
}

void response_write_fault(const struct fault *f, uint64_t sequence, struct str call_id,
                          struct buf *out)
{
    struct json_write w;
    buf_putz(out, "event: error\ndata: ");
    json_begin(&w, out);
    json_obj(&w, NULL);
    json_strz(&w, "type", "error");
    json_uint(&w, "sequence_number", sequence);
    put_members(&w, f);
    json_obj(&w, "error");
    json_str(&w, "type", f->type);
    put_members(&w, f);
    if (call_id.len)
        json_str(&w, "litellm_call_id", call_id);
    json_end(&w);
    json_end(&w);
    buf_putz(out, "\n\n");
}
