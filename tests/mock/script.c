#include "mock/calls.h"

#include <stddef.h>

enum item_kind { ITEM_FLAG, ITEM_NUMBER, ITEM_TEXT, ITEM_WORD, ITEM_FAULT, ITEM_HEADER, ITEM_CALL };

struct item {
    struct str name;
    enum item_kind kind;
    size_t at; /* of the member in struct script */
    enum script_fault fault;
    const char *words; /* ITEM_WORD: the values allowed; the first is meant when none is given */
};

#define FLAG(n, m)                                                                                 \
    {                                                                                              \
        STR_INIT(n), ITEM_FLAG, offsetof(struct script, m), FAULT_NONE, NULL                       \
    }
#define NUMBER(n, m)                                                                               \
    {                                                                                              \
        STR_INIT(n), ITEM_NUMBER, offsetof(struct script, m), FAULT_NONE, NULL                     \
    }
#define TEXT(n, m)                                                                                 \
    {                                                                                              \
        STR_INIT(n), ITEM_TEXT, offsetof(struct script, m), FAULT_NONE, NULL                       \
    }
#define WORD(n, m, w)                                                                              \
    {                                                                                              \
        STR_INIT(n), ITEM_WORD, offsetof(struct script, m), FAULT_NONE, w                          \
    }
#define FAULT(n, f)                                                                                \
    {                                                                                              \
        STR_INIT(n), ITEM_FAULT, 0, f, NULL                                                        \
    }

static const struct item items[] = {
    NUMBER("latency", latency_ms),
    NUMBER("tps", tps),
    NUMBER("interval_us", interval_us),
    NUMBER("status", status),
    FAULT("cut", FAULT_CUT),
    FAULT("reset", FAULT_RESET),
    FAULT("stall", FAULT_STALL),
    FAULT("garbage", FAULT_GARBAGE),
    FAULT("end", FAULT_END),
    FAULT("badchunk", FAULT_BADCHUNK),
    NUMBER("stall_ms", stall_ms),
    NUMBER("dribble", dribble),
    NUMBER("dribble_us", dribble_us),
    NUMBER("tokens", tokens),
    NUMBER("tools", tools),
    NUMBER("events", events),
    NUMBER("size", size),
    NUMBER("error-event", error_event),
    NUMBER("badjson-event", badjson_event),
    NUMBER("failed-event", failed_event),
    NUMBER("reasoning", reasoning),
    NUMBER("headcut", headcut),
    NUMBER("times", times),
    NUMBER("idle-close", idle_close_ms),
    NUMBER("cached", cached),
    NUMBER("life", life),
    WORD("nohead", nohead, "close reset garbage"),
    WORD("usage", usage, "none finish final always"),
    WORD("done", done, "none always"),
    WORD("error-shape", error_shape, "nested flat"),
    WORD("framing", framing, "length chunked close"),
    TEXT("fixture", fixture),
    TEXT("text", text_is),
    TEXT("finish", finish),
    { STR_INIT("header"), ITEM_HEADER, 0, FAULT_NONE, NULL },
    { STR_INIT("call"), ITEM_CALL, 0, FAULT_NONE, NULL },
    FLAG("html", html),
    FLAG("empty", empty),
    FLAG("badjson", badjson),
    FLAG("refusal", refusal),
    FLAG("citations", citations),
    FLAG("redacted", redacted),
    FLAG("echo-auth", echo_auth),
    FLAG("crlf", crlf),
    FLAG("comments", comments),
    FLAG("norole", norole),
    FLAG("obfuscate", obfuscate),
    FLAG("hints", hints),
    FLAG("close", close),
    FLAG("die-next", die_next),
    FLAG("choices-null", choices_null),
    /* A part of the name that only tells requests of different tests apart. */
    TEXT("key", text),
};

static const struct item *item_find(struct str name)
{
    for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
        if (str_eq(items[i].name, name))
            return &items[i];
    return NULL;
}

static struct str word_of(struct str words, struct str value)
{
    while (words.len > 0) {
        struct str word = str_cut(&words, ' ');
        if (value.len == 0 || str_eq(word, value))
            return word;
    }
    return STR("");
}

static bool item_set(const struct item *it, struct str value, struct script *s)
{
    void *member = (char *)s + it->at;
    switch (it->kind) {
    case ITEM_FLAG: *(bool *)member = true; return value.len == 0;
    case ITEM_NUMBER: return str_u64(value, member);
    case ITEM_TEXT: *(struct str *)member = value; return value.len > 0;
    case ITEM_WORD:
        *(struct str *)member = word_of(str_c(it->words), value);
        return ((struct str *)member)->len > 0;
    case ITEM_FAULT: s->fault = it->fault; return str_u64(value, &s->fault_at);
    case ITEM_HEADER:
        if (s->header_count == SCRIPT_HEADERS || str_find_char(value, ':') == STR_NONE)
            return false;
        s->headers[s->header_count++] = value;
        return true;
    case ITEM_CALL: return calls_parse(value, s);
    }
    return false;
}

/* Commas separate items, but for those within a call's parentheses. */
static struct str item_cut(struct str *rest)
{
    size_t n = str_starts(str_trim(*rest), STR("call=")) ? calls_length(*rest) : STR_NONE;
    if (n == STR_NONE)
        return str_trim(str_cut(rest, ','));
    struct str item = str_head(*rest, n);
    *rest = str_skip(*rest, n + 1);
    return str_trim(item);
}

bool script_parse(struct str text, struct script *ret_script, struct str *ret_problem)
{
    struct script s = { 0 };
    struct str rest = text;
    while (rest.len > 0) {
        struct str item = item_cut(&rest);
        struct str value = item;
        struct str name = str_cut(&value, '=');
        const struct item *it = item_find(name);
        if (item.len == 0)
            continue;
        if (!it || !item_set(it, value, &s)) {
            *ret_problem = item;
            return false;
        }
    }
    s.text = text;
    *ret_script = s;
    return true;
}

struct str script_words(const struct script *s, struct arena *a)
{
    char *text = arena_cstr(a, s->text_is);
    for (size_t i = 0; i < s->text_is.len; i++)
        if (text[i] == '_')
            text[i] = ' ';
    return str_of(text, s->text_is.len);
}
