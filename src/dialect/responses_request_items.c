/* Input items of a Responses request into messages.
 *
 *   message of a user, system, developer     a message each
 *   reasoning, assistant's message, calls    one message as long as nothing else stands between, begun anew where an answer would be
 *   outputs of calls                         a message of role tool each; what was said before they are all there follows them
 *
 * Calls and outputs are paired as OpenAI does ("Function calling", August 2026). */
#include "dialect/responses_priv.h"

#define CALLS_MAX 1024 /* of one turn: an output is looked for among them */

enum {
    I_TYPE,
    I_ROLE,
    I_CONTENT,
    I_ID,
    I_STATUS,
    I_CALL_ID,
    I_NAME,
    I_ARGUMENTS,
    I_INPUT,
    I_OUTPUT,
    I_SUMMARY,
    I_ENCRYPTED,
    I_COUNT
};

static const struct str item_names[I_COUNT] = {
    [I_TYPE] = STR_INIT("type"),       [I_ROLE] = STR_INIT("role"),
    [I_CONTENT] = STR_INIT("content"), [I_ID] = STR_INIT("id"),
    [I_STATUS] = STR_INIT("status"),   [I_CALL_ID] = STR_INIT("call_id"),
    [I_NAME] = STR_INIT("name"),       [I_ARGUMENTS] = STR_INIT("arguments"),
    [I_INPUT] = STR_INIT("input"),     [I_OUTPUT] = STR_INIT("output"),
    [I_SUMMARY] = STR_INIT("summary"), [I_ENCRYPTED] = STR_INIT("encrypted_content"),
};

struct open_call {
    struct ir_part *part;
    uint32_t index; /* of its item */
    bool answered;
};

struct items {
    struct oa_read *r;
    struct str v[I_COUNT];
    struct str value;
    struct ir_message **tail;
    struct ir_message *held, **held_tail; /* said while calls wait for their outputs */
    struct ir_message *turn;              /* the assistant's, while it goes on */
    struct ir_part **turn_tail;
    struct ir_ext **ext_tail;    /* of the turn */
    bool cited;                  /* the turn: its citations are told, once */
    bool turn_spoke;             /* it has text, so a new message or reasoning begins another one */
    struct ir_part *last;        /* of the turn */
    struct response_state state; /* Gemini's, for the next call; without a signature: none */
    struct open_call *calls;
    size_t call_count, open, next;
};

/* -- the assistant's turn */

static struct ir_part *add_part(struct items *it, enum ir_part_kind kind)
{
    struct ir_part *part = ARENA_NEW(it->r->a, struct ir_part);
    part->kind = kind;
    IR_APPEND(it->turn_tail, part);
    it->last = part;
    return part;
}

static void take_state(struct items *it, struct ir_part *part)
{
    part->signature = it->state.signature;
    part->origin = it->state.origin;
    it->state = (struct response_state){ 0 };
}

/* State that found no call: kept for the report, no more. */
static void drop_state(struct items *it)
{
    if (!it->turn || !it->state.signature.len)
        return;
    take_state(it, add_part(it, IR_REASONING));
}

static void end_turn(struct items *it)
{
    drop_state(it);
    if (it->turn && !it->turn->parts) /* a message of no parts */
        add_part(it, IR_TEXT)->json = STR("\"\"");
    it->turn = NULL;
    it->turn_spoke = false;
    it->last = NULL;
}

static struct ir_message *new_message(struct items *it, enum ir_role role)
{
    struct ir_message *m = ARENA_NEW(it->r->a, struct ir_message);
    m->role = role;
    m->index = it->r->index;
    return m;
}

static enum err check_answered(struct items *it)
{
    size_t i = 0;
    if (it->open == 0)
        return ERR_OK;
    while (it->calls[i].answered)
        i++;
    it->r->index = it->calls[i].index;
    return oa_bad(it->r, "",
                  "is a call of `%.*s` (call_id `%.*s`) without its output: send an item of type "
                  "%s with this call_id after it",
                  STR_ARG(str_head(it->calls[i].part->name, 80)),
                  STR_ARG(str_head(it->calls[i].part->call_id, 80)),
                  it->calls[i].part->custom ? "custom_tool_call_output" : "function_call_output");
}

/* The turn that takes the next item of the assistant. `speaks`: a message, or reasoning, where text came already: another answer. */
static enum err go_on(struct items *it, bool speaks)
{
    if (it->turn && (!speaks || !it->turn_spoke || it->open))
        return ERR_OK;
    if (!it->turn) {
        TRY(check_answered(it));
        it->call_count = it->next = 0;
    }
    end_turn(it);
    it->turn = new_message(it, IR_ASSISTANT);
    it->turn_tail = &it->turn->parts;
    it->ext_tail = &it->turn->ext;
    it->cited = false;
    IR_APPEND(it->tail, it->turn);
    return ERR_OK;
}

/* A turn may be of any number of items: they go to the end without a walk. */
static void take_ext(struct items *it, struct ir_ext *first)
{
    for (struct ir_ext *next; first; first = next) {
        next = first->next;
        first->next = NULL;
        IR_APPEND(it->ext_tail, first);
    }
}

static void tell_citations(struct items *it, struct str raw)
{
    if (it->cited)
        return;
    it->cited = true;
    struct ir_ext *e = ARENA_NEW(it->r->a, struct ir_ext);
    *e = (struct ir_ext){ .origin = IR_FROM_OPENAI_RESPONSES, .name = STR("annotations") };
    e->raw = raw;
    take_ext(it, e);
}

/* -- content */

/* A string, or an array of parts, of member `name`. `answer`: one that comes back; the turn takes its citations. */
static enum err read_content(struct items *it, const char *name, struct str value, bool answer,
                             struct ir_part ***tail)
{
    struct oa_read *r = it->r;
    const char *member = arena_printf(r->a, ".%s", name).p;
    if (value.len == 0)
        return oa_bad(r, member, "is missing: it is a string or an array of content parts");
    if (json_type_of(value) == JSON_STRING) {
        struct ir_part *part = ARENA_NEW(r->a, struct ir_part);
        part->kind = IR_TEXT;
        part->json = value;
        IR_APPEND(*tail, part);
        return ERR_OK;
    }
    if (json_type_of(value) != JSON_ARRAY)
        return oa_bad(r, member, "must be a string or an array of content parts");
    struct json_iter parts = json_iter(value);
    r->sub = name;
    for (r->sub_index = 0; json_next(&parts); r->sub_index++) {
        struct ir_part *part;
        struct str annotations;
        TRY(rs_read_part(r, parts.value, &part, &annotations));
        if (answer && annotations.len)
            tell_citations(it, annotations);
        IR_APPEND(*tail, part);
    }
    r->sub = NULL;
    return ERR_OK;
}

static enum err check_kinds(struct items *it, const struct ir_part *p, enum ir_role role)
{
    it->r->sub = "content";
    for (it->r->sub_index = 0; p; p = p->next, it->r->sub_index++) {
        bool text = p->kind == IR_TEXT;
        if (role == IR_USER ? p->kind == IR_REFUSAL : !text && p->kind != IR_REFUSAL)
            return oa_bad(it->r, ".type", "is not for a message of role %s: it takes %s",
                          ir_role_name(role),
                          role == IR_USER        ? "input_text, input_image and input_file"
                          : role == IR_ASSISTANT ? "output_text and refusal"
                                                 : "input_text alone");
        if (role != IR_ASSISTANT && role != IR_USER && !text)
            return oa_bad(it->r, ".type", "is not for a message of role %s: it takes input_text",
                          ir_role_name(role));
    }
    it->r->sub = NULL;
    return ERR_OK;
}

/* -- messages */

static enum err read_assistant(struct items *it, struct ir_ext *ext)
{
    struct ir_part *parts = NULL, **tail = &parts;
    TRY(go_on(it, true));
    take_ext(it, ext);
    TRY(read_content(it, "content", it->v[I_CONTENT], true, &tail));
    TRY(check_kinds(it, parts, IR_ASSISTANT));
    it->turn_spoke = true;
    for (struct ir_part *p = parts, *next; p; p = next) {
        next = p->next;
        p->next = NULL;
        IR_APPEND(it->turn_tail, p);
        it->last = p;
    }
    return ERR_OK;
}

/* What the user says while calls wait is said after their outputs: no provider takes it between. */
static enum err read_said(struct items *it, enum ir_role role, struct ir_ext *ext)
{
    struct ir_message *m = new_message(it, role);
    struct ir_part **tail = &m->parts;
    TRY(read_content(it, "content", it->v[I_CONTENT], false, &tail));
    TRY(check_kinds(it, m->parts, role));
    m->ext = ext;
    end_turn(it);
    if (it->open)
        IR_APPEND(it->held_tail, m);
    else
        IR_APPEND(it->tail, m);
    return ERR_OK;
}

static enum err read_message(struct items *it, struct ir_ext *ext)
{
    static const enum ir_role roles[] = { IR_USER, IR_SYSTEM, IR_DEVELOPER };
    struct str role = it->v[I_ROLE];
    if (json_str_eq(role, STR("assistant")))
        return read_assistant(it, ext);
    for (size_t i = 0; i < 3; i++)
        if (json_str_eq(role, str_c(ir_role_name(roles[i]))))
            return read_said(it, roles[i], ext);
    return oa_bad(it->r, ".role", "must be user, assistant, system or developer%s%.*s",
                  role.len ? "; it is " : "", STR_ARG(str_head(role, 40)));
}

/* -- calls and their outputs */

static enum err add_call(struct items *it, struct ir_part *part)
{
    if (it->call_count == CALLS_MAX)
        return oa_bad(it->r, "", "is one call too many: an answer has at most %d", CALLS_MAX);
    if (!it->calls)
        it->calls = ARENA_ARRAY(it->r->a, struct open_call, CALLS_MAX);
    it->calls[it->call_count++] = (struct open_call){ part, it->r->index, false };
    it->open++;
    return ERR_OK;
}

static enum err read_call(struct items *it, bool custom, struct ir_ext *ext)
{
    struct oa_read *r = it->r;
    struct str call_id, name, input = it->v[custom ? I_INPUT : I_ARGUMENTS];
    TRY(rs_required(r, ".call_id", it->v[I_CALL_ID], &call_id));
    TRY(rs_required(r, ".name", it->v[I_NAME], &name));
    if (json_type_of(input) != JSON_STRING)
        return oa_bad(r, custom ? ".input" : ".arguments",
                      input.len ? "must be a string: JSON as text, not an object" : "is missing");
    TRY(go_on(it, false));
    struct ir_part *part = add_part(it, IR_TOOL_CALL);
    part->call_id = call_id;
    part->name = name;
    part->custom = custom;
    part->arguments = input;
    part->ext = ext;
    if (it->state.signature.len)
        take_state(it, part);
    return add_call(it, part);
}

/* The first call with this id that is not answered yet. */
static struct open_call *take_call(struct items *it, struct str id, bool *ret_known)
{
    *ret_known = false;
    for (size_t k = 0; k < it->call_count; k++) {
        struct open_call *c = &it->calls[(it->next + k) % it->call_count];
        if (!str_eq(c->part->call_id, id))
            continue;
        *ret_known = true;
        if (c->answered)
            continue;
        c->answered = true;
        it->open--;
        it->next = (it->next + k + 1) % it->call_count;
        return c;
    }
    return NULL;
}

static enum err read_output(struct items *it, struct ir_ext *ext)
{
    struct oa_read *r = it->r;
    struct str id;
    bool known;
    TRY(rs_required(r, ".call_id", it->v[I_CALL_ID], &id));
    struct open_call *call = take_call(it, id, &known);
    if (!call && known)
        return oa_bad(r, ".call_id", "`%.*s` is answered twice", STR_ARG(str_head(id, 80)));
    if (!call)
        return oa_bad(r, ".call_id",
                      "`%.*s` answers no call of the answer before: send that answer's items too, "
                      "or its id as previous_response_id",
                      STR_ARG(str_head(id, 80)));
    struct ir_message *m = new_message(it, IR_TOOL);
    struct ir_part *part = ARENA_NEW(r->a, struct ir_part), **tail = &part->content;
    part->kind = IR_TOOL_RESULT;
    part->call_id = call->part->call_id;
    part->name = call->part->name;
    TRY(read_content(it, "output", it->v[I_OUTPUT], false, &tail));
    end_turn(it);
    m->parts = part;
    m->ext = ext;
    IR_APPEND(it->tail, m);
    if (it->open == 0 && it->held) {
        *it->tail = it->held;
        it->tail = it->held_tail;
        it->held = NULL;
        it->held_tail = &it->held;
    }
    return ERR_OK;
}

/* -- reasoning */

/* The texts of a summary or of content, joined by an empty line. */
static enum err join_texts(struct items *it, const char *member, struct str array,
                           struct str *ret_json)
{
    static const struct str name = STR_INIT("text");
    struct oa_read *r = it->r;
    struct str v;
    if (array.len && json_type_of(array) != JSON_ARRAY)
        return oa_bad(r, member, "must be an array");
    struct json_iter parts = json_iter(array);
    char *joined =
        arena_alloc(r->a, array.len * 2 + 2); /* an empty line takes more than a text's frame */
    size_t n = 1;
    joined[0] = '"';
    while (json_next(&parts)) {
        oa_members(parts.value, &name, 1, &v, r->a, NULL);
        if (json_type_of(v) != JSON_STRING)
            return oa_bad(r, member, "must be an array of objects with a text");
        if (v.len <= 2)
            continue;
        if (n > 1) {
            memcpy(joined + n, "\\n\\n", 4);
            n += 4;
        }
        memcpy(joined + n, v.p + 1, v.len - 2);
        n += v.len - 2;
    }
    joined[n++] = '"';
    *ret_json = n > 2 ? str_of(joined, n) : str_of(NULL, 0);
    return ERR_OK;
}

/* Gemini's signature of a text: it stands after the text, or where there was none, alone. */
static enum err sign_text(struct items *it, const struct response_state *s)
{
    TRY(go_on(it, false));
    struct ir_part *part = it->last;
    if (!part || part->kind != IR_TEXT || part->signature.len) {
        part = add_part(it, IR_TEXT);
        part->json = STR("\"\"");
    }
    part->signature = s->signature;
    part->origin = s->origin;
    return ERR_OK;
}

static enum err read_state(struct items *it, struct str text, struct str encrypted)
{
    struct oa_read *r = it->r;
    struct response_state s;
    bool own = rs_is_own_state(encrypted);
    if (own && !response_state_get(encrypted, r->a, &s))
        return oa_bad(r, ".encrypted_content",
                      "begins as this gateway's but cannot be read: send the item as it came");
    if (own && s.kind == STATE_CALL) {
        TRY(go_on(it, false));
        drop_state(it);
        it->state = s;
        return ERR_OK;
    }
    if (own && s.kind == STATE_TEXT)
        return sign_text(it, &s);
    TRY(go_on(it, true));
    struct ir_part *part = add_part(it, IR_REASONING);
    part->json = own && s.text.len ? s.text : text;
    if (!own) { /* OpenAI's */
        part->redacted = encrypted;
        part->origin = IR_FROM_OPENAI_RESPONSES;
    } else if (s.kind == STATE_REDACTED) {
        part->redacted = s.signature;
        part->origin = s.origin;
    } else {
        part->signature = s.signature;
        part->origin = s.origin;
    }
    return ERR_OK;
}

static enum err read_thought(struct items *it)
{
    struct str encrypted = it->v[I_ENCRYPTED], text = { 0 }, content = { 0 };
    TRY(oa_string(it->r, ".encrypted_content", encrypted));
    TRY(join_texts(it, ".summary", it->v[I_SUMMARY], &text));
    TRY(join_texts(it, ".content", it->v[I_CONTENT], &content));
    if (!text.len)
        text = content;
    if (encrypted.len > 2)
        return read_state(it, text, encrypted);
    if (!text.len)
        return ERR_OK; /* nothing in it, and the provider that made it does not know it */
    TRY(go_on(it, true));
    struct ir_part *part = add_part(it, IR_REASONING);
    part->json = text;
    part->origin = IR_FROM_OPENAI_RESPONSES;
    return ERR_OK;
}

static enum err read_reasoning(struct items *it, struct ir_ext *ext)
{
    TRY(read_thought(it));
    if (it->turn)
        take_ext(it, ext);
    else /* there was nothing in it but these */
        rs_add_ext(it->r, ext);
    return ERR_OK;
}

/* -- items of tools that OpenAI runs, or that a client runs for it: no other provider knows them */

static const struct history_row {
    struct str type;
    enum { ASSISTANTS, USERS, REFUSED } what;
} history[] = {
    { STR_INIT("web_search_call"), ASSISTANTS },
    { STR_INIT("file_search_call"), ASSISTANTS },
    { STR_INIT("mcp_list_tools"), ASSISTANTS },
    { STR_INIT("computer_call"), ASSISTANTS },
    { STR_INIT("computer_call_output"), USERS },
    { STR_INIT("code_interpreter_call"), ASSISTANTS },
    { STR_INIT("image_generation_call"), ASSISTANTS },
    { STR_INIT("local_shell_call"), ASSISTANTS },
    { STR_INIT("local_shell_call_output"), USERS },
    { STR_INIT("shell_call"), ASSISTANTS },
    { STR_INIT("shell_call_output"), USERS },
    { STR_INIT("apply_patch_call"), ASSISTANTS },
    { STR_INIT("apply_patch_call_output"), USERS },
    { STR_INIT("mcp_approval_request"), ASSISTANTS },
    { STR_INIT("mcp_approval_response"), USERS },
    { STR_INIT("mcp_call"), ASSISTANTS },
    { STR_INIT("tool_search_call"), ASSISTANTS },
    { STR_INIT("tool_search_output"), USERS },
    { STR_INIT("additional_tools"), USERS },
    { STR_INIT("program"), ASSISTANTS },
    { STR_INIT("program_output"), USERS },
    { STR_INIT("compaction"), REFUSED },
    { STR_INIT("compaction_trigger"), REFUSED },
};

static enum err read_history(struct items *it, const struct history_row *row)
{
    if (row->what == REFUSED)
        return rs_unsupported(it->r, ".type",
                              "%.*s holds a conversation that OpenAI has compacted: only a model "
                              "whose provider speaks the Responses API itself can read it. Send "
                              "the items themselves.",
                              STR_ARG(row->type));
    struct ir_part *item = ARENA_NEW(it->r->a, struct ir_part);
    item->kind = IR_OPAQUE;
    item->raw = it->value;
    item->index = it->r->index;
    item->origin = IR_FROM_OPENAI_RESPONSES;
    if (row->what == ASSISTANTS) { /* a text that was the last part still is */
        TRY(go_on(it, false));
        IR_APPEND(it->turn_tail, item);
        return ERR_OK;
    }
    end_turn(it);
    struct ir_message *m = new_message(it, IR_USER);
    m->parts = item;
    if (it->open)
        IR_APPEND(it->held_tail, m);
    else
        IR_APPEND(it->tail, m);
    return ERR_OK;
}

/* -- one item, all items */

static enum err read_item(struct items *it)
{
    struct oa_read *r = it->r;
    struct ir_ext *ext = NULL, **tail = &ext;
    if (json_type_of(it->value) != JSON_OBJECT)
        return oa_bad(r, "", "must be an object such as {\"role\":\"user\",\"content\":\"...\"}");
    rs_members(it->value, item_names, I_COUNT, it->v, r->a, &tail);
    struct str type = rs_type_of(it->v[I_TYPE], it->v[I_ROLE], it->v[I_ID], r->a);
    if (type.len == 0)
        return oa_bad(r, ".type", "is missing: an item has a type, or is a message with a role");
    if (str_eq(type, STR("message")))
        return read_message(it, ext);
    if (str_eq(type, STR("function_call")))
        return read_call(it, false, ext);
    if (str_eq(type, STR("custom_tool_call")))
        return read_call(it, true, ext);
    if (str_eq(type, STR("function_call_output")) || str_eq(type, STR("custom_tool_call_output")))
        return read_output(it, ext);
    if (str_eq(type, STR("reasoning")))
        return read_reasoning(it, ext);
    if (str_eq(type, STR("item_reference")))
        return oa_bad(r, "", "refers to an item that is not kept here: send the item itself");
    for (size_t i = 0; i < sizeof history / sizeof history[0]; i++)
        if (str_eq(type, history[i].type))
            return read_history(it, &history[i]);
    return oa_bad(r, ".type",
                  "must be message, function_call, function_call_output, custom_tool_call, "
                  "custom_tool_call_output or reasoning; it is `%.*s`",
                  STR_ARG(str_head(type, 40)));
}

static enum err read_items(struct items *it, struct str array)
{
    struct oa_read *r = it->r;
    struct json_iter all = json_iter(array);
    r->list = "input";
    for (r->index = 0; json_next(&all); r->index++) {
        it->value = all.value;
        TRY(read_item(it));
    }
    TRY(check_answered(it));
    end_turn(it);
    r->list = NULL;
    return ERR_OK;
}

static void read_one_text(struct items *it, struct str input)
{
    struct ir_message *m = new_message(it, IR_USER);
    m->parts = ARENA_NEW(it->r->a, struct ir_part);
    m->parts->kind = IR_TEXT;
    m->parts->json = input;
    IR_APPEND(it->tail, m);
}

enum err rs_read_input(struct oa_read *r, struct str input)
{
    struct items it = { .r = r, .tail = &r->rq->messages };
    it.held_tail = &it.held;
    if (input.len == 0)
        return oa_bad(r, "input", "is missing: it is a string or an array of items");
    while (*it.tail) /* the instructions */
        it.tail = &(*it.tail)->next;
    struct ir_message **first = it.tail;
    if (json_type_of(input) == JSON_STRING)
        read_one_text(&it, input);
    else if (json_type_of(input) != JSON_ARRAY)
        return oa_bad(r, "input", "must be a string or an array of items");
    else
        TRY(read_items(&it, input));
    if (!*first)
        return oa_bad(r, "input", "is empty: send at least one item");
    const struct ir_message *m = *first;
    while (m && ir_is_items(m))
        m = m->next;
    if (!m)
        return rs_unsupported(r, "input",
                              "holds nothing but what tools of OpenAI's own did, which this model "
                              "cannot read. Send a message too.");
    return ERR_OK;
}
