/* Messages of OpenAI's Chat Completions into the IR. Tool calls and their answers are paired as OpenAI does. */
#include "dialect/openai_ir_priv.h"

/* Answers are looked for among the calls of one message, one after another. */
#define CALLS_MAX 512

enum msg_member {
    MSG_ROLE,
    MSG_CONTENT,
    MSG_NAME,
    MSG_REFUSAL,
    MSG_CALLS,
    MSG_CALL_ID,
    MSG_FUNCTION_CALL,
    MSG_REASONING,
    MSG_REASONING2,
    MSG_DETAILS,
    MSG_BLOCKS,
    MSG_EXTRA,
    MSG_CACHE,
    MSG_COUNT
};
static const struct str msg_names[MSG_COUNT] = {
    [MSG_ROLE] = STR_INIT("role"),
    [MSG_CONTENT] = STR_INIT("content"),
    [MSG_NAME] = STR_INIT("name"),
    [MSG_REFUSAL] = STR_INIT("refusal"),
    [MSG_CALLS] = STR_INIT("tool_calls"),
    [MSG_CALL_ID] = STR_INIT("tool_call_id"),
    [MSG_FUNCTION_CALL] = STR_INIT("function_call"),
    [MSG_REASONING] = STR_INIT("reasoning_content"),
    [MSG_REASONING2] = STR_INIT("reasoning"),
    [MSG_DETAILS] = STR_INIT("reasoning_details"),
    [MSG_BLOCKS] = STR_INIT("thinking_blocks"),
    [MSG_EXTRA] = STR_INIT("extra_content"),
    [MSG_CACHE] = STR_INIT("cache_control"),
};

struct msg_read {
    struct oa_read *r;
    struct str v[MSG_COUNT];
    struct ir_message *m;
    struct ir_part **tail;
    /* The calls of the assistant's last message, and which of them are answered. */
    struct ir_part **calls;
    bool *answered;
    size_t call_count, call_room, open, next;
    uint32_t calls_in; /* the index of their message */
    bool hollow;       /* the message at hand lists reasoning that holds neither text nor state */
};

/* `parts` at the end of `*tail`. A string is one text. */
static enum err read_content(struct msg_read *mr, struct str content, struct ir_part ***tail)
{
    struct oa_read *r = mr->r;
    if (json_type_of(content) == JSON_STRING) {
        struct ir_part *part = ARENA_NEW(r->a, struct ir_part);
        part->kind = IR_TEXT;
        part->json = content;
        IR_APPEND(*tail, part);
        return ERR_OK;
    }
    if (json_type_of(content) != JSON_ARRAY)
        return oa_bad(r, ".content", "must be a string or an array of content parts");
    struct json_iter it = json_iter(content);
    r->sub = "content";
    for (r->sub_index = 0; json_next(&it); r->sub_index++) {
        struct ir_part *part = NULL;
        TRY(oa_read_part(r, it.value, &part));
        if (part)
            IR_APPEND(*tail, part);
    }
    r->sub = NULL;
    return ERR_OK;
}

/* Instructions, and what the user says. */
static enum err read_plain(struct msg_read *mr)
{
    struct oa_read *r = mr->r;
    if (mr->v[MSG_CONTENT].len == 0)
        return oa_bad(r, ".content", "is missing: it is a string or an array of content parts");
    TRY(read_content(mr, mr->v[MSG_CONTENT], &mr->tail));
    uint32_t i = 0;
    for (const struct ir_part *p = mr->m->parts; p; p = p->next, i++)
        if (mr->m->role != IR_USER && p->kind != IR_TEXT && p->kind != IR_OPAQUE)
            return oa_bad(r, ".content",
                          "of a %s message takes text parts alone; content[%u] is none",
                          ir_role_name(mr->m->role), i);
    return ERR_OK;
}

/* -- the assistant */

static void add_text(struct msg_read *mr, enum ir_part_kind kind, struct str json)
{
    struct ir_part *part = ARENA_NEW(mr->r->a, struct ir_part);
    part->kind = kind;
    part->json = json;
    IR_APPEND(mr->tail, part);
}

/* The carrier that says most is taken: the same reasoning often comes in several. */
static enum err read_reasoning(struct msg_read *mr)
{
    static const enum msg_member lists[] = { MSG_BLOCKS, MSG_DETAILS };
    struct oa_read *r = mr->r;
    for (size_t i = 0; i < 2; i++) {
        struct str list = mr->v[lists[i]];
        if (list.len && json_type_of(list) != JSON_ARRAY)
            return oa_bad(r, lists[i] == MSG_BLOCKS ? ".thinking_blocks" : ".reasoning_details",
                          "must be an array");
        struct ir_part **before = mr->tail;
        struct json_iter it = json_iter(list);
        while (json_next(&it)) {
            struct ir_part reasoning;
            if (!oa_read_reasoning(it.value, &reasoning)) {
                mr->hollow = true;
                continue;
            }
            struct ir_part *part = ARENA_NEW(r->a, struct ir_part);
            *part = reasoning;
            IR_APPEND(mr->tail, part);
        }
        if (mr->tail != before) {
            mr->hollow = false;
            return ERR_OK;
        }
    }
    struct str text = mr->v[MSG_REASONING].len ? mr->v[MSG_REASONING] : mr->v[MSG_REASONING2];
    if (json_type_of(text) == JSON_STRING && text.len > 2) {
        mr->hollow = false;
        add_text(mr, IR_REASONING, text);
    } else if (mr->hollow) { /* writers tell that it is lost */
        add_text(mr, IR_REASONING, STR("\"\""));
    }
    return ERR_OK;
}

enum {
    CALL_ID,
    CALL_TYPE,
    CALL_FUNCTION,
    CALL_CUSTOM,
    CALL_EXTRA,
    CALL_SPECIFIC,
    CALL_INDEX,
    CALL_COUNT
};
static const struct str call_names[CALL_COUNT] = {
    [CALL_ID] = STR_INIT("id"),
    [CALL_TYPE] = STR_INIT("type"),
    [CALL_FUNCTION] = STR_INIT("function"),
    [CALL_CUSTOM] = STR_INIT("custom"),
    [CALL_EXTRA] = STR_INIT("extra_content"),
    [CALL_SPECIFIC] = STR_INIT("provider_specific_fields"),
    [CALL_INDEX] = STR_INIT("index"), /* of a delta, echoed */
};

/* Google's own place, or LiteLLM's. */
static void read_call_signature(struct ir_part *part, struct str extra, struct str specific)
{
    static const struct str name = STR_INIT("thought_signature");
    struct json_member m;
    part->signature = oa_google_signature(extra);
    if (!part->signature.len && json_peek_object(specific, &name, 1, &m, NULL) &&
        m.type == JSON_STRING)
        part->signature = json_value(specific, &m);
    if (part->signature.len)
        part->origin = IR_FROM_GEMINI;
}

static void grow_calls(struct msg_read *mr)
{
    size_t room = mr->call_room ? mr->call_room * 2 : 8;
    struct ir_part **calls = ARENA_ARRAY(mr->r->a, struct ir_part *, room);
    bool *answered = ARENA_ARRAY(mr->r->a, bool, room);
    if (mr->call_count) {
        memcpy(calls, mr->calls, mr->call_count * sizeof calls[0]);
        memcpy(answered, mr->answered, mr->call_count * sizeof answered[0]);
    }
    mr->calls = calls;
    mr->answered = answered;
    mr->call_room = room;
}

static enum err add_call(struct msg_read *mr, struct ir_part *part)
{
    if (mr->call_count == CALLS_MAX)
        return oa_bad(mr->r, ".tool_calls", "has more than %d elements", CALLS_MAX);
    if (mr->call_count == mr->call_room)
        grow_calls(mr);
    mr->answered[mr->call_count] = false;
    mr->calls[mr->call_count++] = part;
    mr->open++;
    IR_APPEND(mr->tail, part);
    return ERR_OK;
}

static enum err read_call(struct msg_read *mr, struct str value)
{
    static const struct str inner[] = { STR_INIT("name"), STR_INIT("arguments"), STR_INIT("input"),
                                        STR_INIT("provider_specific_fields") };
    struct oa_read *r = mr->r;
    struct str v[CALL_COUNT], f[4];
    struct ir_part *part = ARENA_NEW(r->a, struct ir_part);
    oa_members(value, call_names, CALL_COUNT, v, r->a, &part->ext);
    part->kind = IR_TOOL_CALL;
    part->custom = json_str_eq(v[CALL_TYPE], STR("custom"));
    if (v[CALL_TYPE].len && !part->custom && !json_str_eq(v[CALL_TYPE], STR("function")))
        return oa_bad(r, ".type", "must be function or custom");
    if (json_type_of(v[CALL_ID]) != JSON_STRING || v[CALL_ID].len <= 2)
        return oa_bad(r, ".id", "must be a string that is not empty");
    oa_members(v[part->custom ? CALL_CUSTOM : CALL_FUNCTION], inner, 4, f, r->a, NULL);
    if (json_type_of(f[0]) != JSON_STRING || f[0].len <= 2)
        return oa_bad(r, part->custom ? ".custom.name" : ".function.name",
                      "must be a string that is not empty");
    struct str *input = &f[part->custom ? 2 : 1];
    part->call_id = json_unescape(v[CALL_ID], r->a);
    part->name = json_unescape(f[0], r->a);
    /* An object where a string belongs: some clients send what the provider's own format had. */
    part->raw_arguments = json_type_of(*input) == JSON_OBJECT && !part->custom;
    if (input->len && !part->raw_arguments && json_type_of(*input) != JSON_STRING)
        return oa_bad(r, part->custom ? ".custom.input" : ".function.arguments",
                      "must be a string");
    part->arguments = input->len ? *input : STR("\"\"");
    read_call_signature(part, v[CALL_EXTRA], v[CALL_SPECIFIC].len ? v[CALL_SPECIFIC] : f[3]);
    return add_call(mr, part);
}

static enum err read_calls(struct msg_read *mr, struct str array)
{
    struct oa_read *r = mr->r;
    if (array.len && json_type_of(array) != JSON_ARRAY)
        return oa_bad(r, ".tool_calls", "must be an array");
    struct json_iter it = json_iter(array);
    r->sub = "tool_calls";
    for (r->sub_index = 0; json_next(&it); r->sub_index++)
        TRY(read_call(mr, it.value));
    r->sub = NULL;
    return ERR_OK;
}

/* The deprecated form has no id: one is made of its place. */
static enum err read_function_call(struct msg_read *mr, struct str value)
{
    static const struct str want[] = { STR_INIT("name"), STR_INIT("arguments") };
    struct oa_read *r = mr->r;
    struct str v[2];
    if (value.len == 0)
        return ERR_OK;
    oa_members(value, want, 2, v, r->a, NULL);
    if (json_type_of(v[0]) != JSON_STRING || v[0].len <= 2)
        return oa_bad(r, ".function_call.name", "must be a string that is not empty");
    TRY(oa_string(r, ".function_call.arguments", v[1]));
    struct ir_part *part = ARENA_NEW(r->a, struct ir_part);
    part->kind = IR_TOOL_CALL;
    part->call_id = arena_printf(r->a, "call_fn_%u", r->index);
    part->name = json_unescape(v[0], r->a);
    part->arguments = v[1].len ? v[1] : STR("\"\"");
    return add_call(mr, part);
}

/* Google's compatibility layer hangs the signature of a text on the message. */
static void read_message_signature(struct ir_message *m, struct str extra)
{
    struct ir_part *last = NULL;
    struct str signature = oa_google_signature(extra);
    for (struct ir_part *p = m->parts; p; p = p->next)
        if (p->kind == IR_TEXT)
            last = p;
    if (last && signature.len) {
        last->signature = signature;
        last->origin = IR_FROM_GEMINI;
    }
}

static enum err read_assistant(struct msg_read *mr)
{
    struct oa_read *r = mr->r;
    static const struct str audio = STR_INIT("audio");
    mr->call_count = mr->next = 0;
    mr->hollow = false;
    mr->calls_in = r->index;
    TRY(read_reasoning(mr));
    bool thinks = mr->m->parts != NULL && !mr->hollow;
    if (mr->v[MSG_CONTENT].len)
        TRY(read_content(mr, mr->v[MSG_CONTENT], &mr->tail));
    TRY(oa_string(r, ".refusal", mr->v[MSG_REFUSAL]));
    if (mr->v[MSG_REFUSAL].len)
        add_text(mr, IR_REFUSAL, mr->v[MSG_REFUSAL]);
    read_message_signature(mr->m, mr->v[MSG_EXTRA]);
    TRY(read_calls(mr, mr->v[MSG_CALLS]));
    TRY(read_function_call(mr, mr->v[MSG_FUNCTION_CALL]));
    if (!mr->v[MSG_CONTENT].len && !mr->v[MSG_REFUSAL].len && !mr->open && !thinks &&
        !ir_ext_find(mr->m->ext, audio))
        return oa_bad(r, ".content",
                      "is missing: an assistant message has content, a refusal or tool_calls");
    return ERR_OK;
}

/* -- answers of tools */

/* The first call with this id (or for the deprecated form, name) that is not answered yet. */
static struct ir_part *take_call(struct msg_read *mr, struct str id, bool by_name, bool *ret_known)
{
    *ret_known = false;
    for (size_t k = 0; k < mr->call_count; k++) {
        size_t i = (mr->next + k) % mr->call_count;
        if (!str_eq(by_name ? mr->calls[i]->name : mr->calls[i]->call_id, id))
            continue;
        *ret_known = true;
        if (mr->answered[i])
            continue;
        mr->answered[i] = true;
        mr->open--;
        mr->next = i + 1;
        return mr->calls[i];
    }
    return NULL;
}

static enum err read_result(struct msg_read *mr, bool legacy)
{
    struct oa_read *r = mr->r;
    const char *member = legacy ? ".name" : ".tool_call_id";
    struct str id_json = mr->v[legacy ? MSG_NAME : MSG_CALL_ID];
    bool known;
    if (json_type_of(id_json) != JSON_STRING || id_json.len <= 2)
        return oa_bad(r, member, "is missing: it names the call that this message answers");
    struct str id = json_unescape(id_json, r->a);
    struct ir_part *call = take_call(mr, id, legacy, &known);
    if (!call && known)
        return oa_bad(r, member, "`%.*s` is answered twice", STR_ARG(str_head(id, 80)));
    if (!call)
        return oa_bad(
            r, member,
            "`%.*s` is not among the calls of the assistant message before: messages with role '%s' must "
            "follow the message whose %s they answer",
            STR_ARG(str_head(id, 80)), legacy ? "function" : "tool",
            legacy ? "function_call" : "tool_calls");
    struct ir_part *part = ARENA_NEW(r->a, struct ir_part), **tail = &part->content;
    part->kind = IR_TOOL_RESULT;
    part->call_id = call->call_id;
    part->name = call->name;
    if (!mr->v[MSG_CONTENT].len && !legacy)
        return oa_bad(r, ".content",
                      "is missing: the tool's result as a string, which may be empty");
    if (mr->v[MSG_CONTENT].len)
        TRY(read_content(mr, mr->v[MSG_CONTENT], &tail));
    IR_APPEND(mr->tail, part);
    return ERR_OK;
}

/* Called where the answers must be complete: before any other message, and at the end. */
static enum err check_answered(struct msg_read *mr)
{
    struct oa_read *r = mr->r;
    if (mr->open == 0)
        return ERR_OK;
    size_t i = 0;
    while (mr->answered[i])
        i++;
    r->index = mr->calls_in;
    return oa_bad(
        r, "",
        "has a call of `%.*s` (id `%.*s`) that is not answered: an assistant message with 'tool_calls' must "
        "be followed by one message with role 'tool' for each tool_call_id",
        STR_ARG(str_head(mr->calls[i]->name, 80)), STR_ARG(str_head(mr->calls[i]->call_id, 80)));
}

/* -- one message, all messages */

static enum err read_role(struct oa_read *r, struct str json, struct ir_message *m,
                          bool *ret_legacy)
{
    for (size_t role = IR_SYSTEM; role <= IR_TOOL; role++) {
        m->role = (enum ir_role)role;
        if (json_str_eq(json, str_c(ir_role_name(m->role))))
            return ERR_OK;
    }
    *ret_legacy = json_str_eq(json, STR("function"));
    if (*ret_legacy)
        return ERR_OK;
    return oa_bad(r, ".role", "must be system, developer, user, assistant or tool%s%.*s",
                  json.len ? "; it is " : "", STR_ARG(str_head(json, 40)));
}

static enum err read_message(struct msg_read *mr, struct str value)
{
    struct oa_read *r = mr->r;
    struct ir_message *m = mr->m;
    bool legacy = false;
    if (json_type_of(value) != JSON_OBJECT)
        return oa_bad(r, "", "must be an object such as {\"role\":\"user\",\"content\":\"...\"}");
    oa_members(value, msg_names, MSG_COUNT, mr->v, r->a, &m->ext);
    TRY(read_role(r, mr->v[MSG_ROLE], m, &legacy));
    TRY(oa_string(r, ".name", mr->v[MSG_NAME]));
    if (m->role == IR_TOOL) {
        TRY(read_result(mr, legacy));
    } else {
        TRY(check_answered(mr));
        mr->call_count = mr->open = mr->next = 0;
        m->name = mr->v[MSG_NAME];
        TRY(m->role == IR_ASSISTANT ? read_assistant(mr) : read_plain(mr));
    }
    if (mr->v[MSG_CACHE].len && m->parts) {
        struct ir_part *last = m->parts;
        while (last->next)
            last = last->next;
        TRY(oa_cache(r, ".cache_control", mr->v[MSG_CACHE], &last->cache, &last->cache_ttl));
    }
    return ERR_OK;
}

enum err oa_read_messages(struct oa_read *r, struct str array)
{
    struct ir_message **tail = &r->rq->messages;
    if (array.len == 0)
        return oa_bad(r, "messages", "is missing: an array with at least one message");
    if (json_type_of(array) != JSON_ARRAY)
        return oa_bad(r, "messages", "must be an array with at least one message");
    struct msg_read *mr = ARENA_NEW(r->a, struct msg_read);
    struct json_iter it = json_iter(array);
    mr->r = r;
    r->list = "messages";
    for (r->index = 0; json_next(&it); r->index++) {
        mr->m = ARENA_NEW(r->a, struct ir_message);
        mr->m->index = r->index;
        mr->tail = &mr->m->parts;
        TRY(read_message(mr, it.value));
        IR_APPEND(tail, mr->m);
    }
    TRY(check_answered(mr));
    r->list = NULL;
    if (!r->rq->messages)
        return oa_bad(r, "messages", "is empty: send at least one message");
    return ERR_OK;
}
