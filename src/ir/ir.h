/* ir/ir.h -- the neutral chat: what dialects meet in. Requests, parts, tools; answers are events (ir/event.h).
 *
 *   client's body --read_request--> struct ir_request --write_request--> provider's body
 *
 * Texts are not copied: a `json` slice is a JSON string literal with its quotes, validated, borrowed from the body it came
 * in; writers put it out as it is. What has to be compared or changed is unescaped on the spot (json_unescape). Slices named
 * `raw` are any JSON value. An empty slice (len 0) is "absent"; JSON null on an optional member is absent too.
 * Everything lives in the request's arena. Lists keep the order of the source. Pure; thread: the request's. */
#ifndef IR_IR_H
#define IR_IR_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum ir_origin { IR_FROM_OPENAI_CHAT, IR_FROM_OPENAI_RESPONSES, IR_FROM_ANTHROPIC, IR_FROM_GEMINI };

/* A member that only its own family of dialects understands: its writer emits it in place, others report it as lost. */
struct ir_ext {
    struct ir_ext *next;
    enum ir_origin origin;
    struct str name; /* plain */
    struct str raw;
};

enum ir_role { IR_SYSTEM, IR_DEVELOPER, IR_USER, IR_ASSISTANT, IR_TOOL };

enum ir_part_kind {
    IR_TEXT,
    IR_IMAGE,
    IR_AUDIO,
    IR_FILE,        /* a document: PDF, plain text ... */
    IR_TOOL_CALL,   /* assistant */
    IR_TOOL_RESULT, /* tool role, or a user turn of Anthropic */
    IR_REASONING,   /* assistant: text and the provider's opaque state */
    IR_REFUSAL,     /* assistant */
    IR_OPAQUE,      /* a block of its origin that no other dialect has: raw */
};

/* One of url, data, file_id is set. */
struct ir_media {
    struct str url;      /* JSON literal of an http(s) or gs: URL */
    struct str data;     /* base64 without quotes, borrowed however large */
    struct str mime;     /* plain, lower case: "image/png"; empty: unknown */
    struct str file_id;  /* JSON literal */
    struct str filename; /* JSON literal */
    struct str detail;   /* plain: low, high, auto, original */
    struct str text;     /* JSON literal: a plain-text document */
    struct str format;   /* plain: audio's wav, mp3 */
};

struct ir_part {
    struct ir_part *next;
    enum ir_part_kind kind;
    struct str json;       /* text, refusal, reasoning text */
    struct ir_media media; /* image, audio, file */
    /* tool call */
    struct str call_id; /* plain; tool result: the call that it answers */
    struct str name;    /* plain; of the tool; on results where the source has it */
    struct str
        arguments; /* call: JSON literal (a string that is meant to be JSON) or, when raw_arguments, an object's raw JSON */
    bool raw_arguments;
    bool custom; /* a free-text tool: arguments is its input, a JSON literal */
    /* tool result */
    struct ir_part *content; /* texts, images, files */
    bool is_error;
    /* reasoning, and signatures that ride on other parts (Gemini) */
    struct str signature;  /* JSON literal, opaque */
    struct str redacted;   /* JSON literal: encrypted reasoning without text */
    enum ir_origin origin; /* whose signature, redacted or opaque block this is */
    struct str raw;        /* opaque */
    uint32_t index;        /* opaque, and an item of its own (ir_is_item): in the source's array */
    bool cache;            /* an explicit cache breakpoint after this part */
    struct str cache_ttl;  /* plain: "5m", "1h"; empty: default */
    struct ir_ext *ext;
};

struct ir_message {
    struct ir_message *next;
    enum ir_role role;
    struct ir_part *parts;
    struct str name; /* JSON literal */
    uint32_t index;  /* in the source's array, for messages to the caller: messages[3] */
    struct ir_ext *ext;
};

enum ir_tool_kind { IR_FUNCTION, IR_CUSTOM, IR_WEB_SEARCH, IR_SERVER_TOOL };

struct ir_tool {
    struct ir_tool *next;
    enum ir_tool_kind kind;
    struct str name;        /* plain */
    struct str description; /* JSON literal */
    struct str schema;      /* raw JSON Schema of the arguments; empty: no arguments */
    int strict;             /* 1, 0, -1: not said */
    struct str grammar;     /* raw: a custom tool's format */
    struct str raw;         /* server tool, web search: as its origin wrote it (search options) */
    enum ir_origin origin;
    bool cache;
    struct str cache_ttl;
    struct ir_ext *ext;
};

enum ir_choice {
    IR_CHOICE_UNSET,
    IR_CHOICE_NONE,
    IR_CHOICE_AUTO,
    IR_CHOICE_REQUIRED,
    IR_CHOICE_TOOL,
    IR_CHOICE_ALLOWED
};

enum ir_format { IR_FORMAT_UNSET, IR_FORMAT_TEXT, IR_FORMAT_JSON, IR_FORMAT_SCHEMA };

enum ir_effort {
    IR_EFFORT_UNSET,
    IR_EFFORT_NONE,
    IR_EFFORT_MINIMAL,
    IR_EFFORT_LOW,
    IR_EFFORT_MEDIUM,
    IR_EFFORT_HIGH,
    IR_EFFORT_XHIGH,
    IR_EFFORT_MAX
};

/* A number of a request: kept as its text too, so that writers send what the client wrote. */
struct ir_number {
    bool set;
    double value;
    struct str raw;
};

struct ir_request {
    enum ir_origin origin;
    struct str model; /* plain, as the client asked */
    struct ir_message *messages;
    /* tools */
    struct ir_tool *tools;
    enum ir_choice choice;
    struct str choice_name; /* plain: IR_CHOICE_TOOL */
    bool choice_custom;
    bool choice_allowed_required; /* IR_CHOICE_ALLOWED: mode required, else auto */
    const struct str *allowed;
    size_t allowed_count;    /* plain names */
    int parallel_tool_calls; /* 1, 0, -1: not said */
    bool legacy_functions;   /* functions/function_call: the answer uses function_call */
    /* output */
    enum ir_format format;
    struct str schema, schema_name, schema_description; /* raw; plain; JSON literal */
    int schema_strict;                                  /* 1, 0, -1 */
    struct ir_number max_tokens;                        /* of either spelling */
    const struct str *stop;
    size_t stop_count; /* JSON literals */
    struct ir_number n;
    bool stream, usage_asked;
    bool logprobs;
    struct ir_number top_logprobs;
    struct str modalities, audio, prediction, web_search; /* raw: web_search_options */
    struct str verbosity;                                 /* plain */
    /* sampling */
    struct ir_number temperature, top_p, top_k, seed, frequency_penalty, presence_penalty;
    struct str logit_bias; /* raw */
    /* reasoning */
    enum ir_effort effort;
    struct ir_number thinking_budget; /* tokens, where the client gave a budget (`thinking`) */
    int thinking;                     /* 1 enabled or adaptive, 0 disabled, -1: not said */
    bool thinking_between;            /* 1 above: between calls of tools alone */
    bool reasoning_visible;           /* the client wants to see reasoning text */
    struct str reasoning_summary;     /* plain: auto, concise, detailed (Responses) */
    bool
        reasoning_state; /* the client wants opaque reasoning state that it can send back (Responses: include, or store false) */
    /* bookkeeping */
    struct str user, safety_identifier, service_tier,
        metadata; /* JSON literal, JSON literal, plain, raw */
    struct str prompt_cache_key, prompt_cache_retention, store; /* raw */
    struct str truncation; /* plain: auto, disabled (Responses) */
    struct ir_ext *ext;    /* everything else, by name */
    struct ir_ext *
        echo; /* members that the answer repeats as they came, raw (Responses: instructions, tools, metadata ...) */
};

/* Appending to the lists above: `tail` points at the last `next`, or at the list's head. */
#define IR_APPEND(tail, item) (*(tail) = (item), (tail) = &(item)->next)

struct ir_ext *ir_ext_find(struct ir_ext *list, struct str name); /* NULL: none */
struct ir_tool *ir_tool_find(const struct ir_request *rq, struct str name);

/* A JSON literal of plain bytes, in the arena. */
struct str ir_quote(struct str plain, struct arena *a);
/* True when a literal holds nothing but white space. */
bool ir_is_blank(struct str json);
/* Code points of a literal's text. */
size_t ir_points(struct str json);
/* An item of the Responses API that a tool of OpenAI's own made or took: other dialects leave it out. */
bool ir_is_item(const struct ir_part *p);
/* A message of such items and nothing else. */
bool ir_is_items(const struct ir_message *m);
/* Names for messages: "assistant". */
const char *ir_role_name(enum ir_role role);
const char *ir_effort_name(enum ir_effort e);  /* "high" */
enum ir_effort ir_effort_of(struct str plain); /* IR_EFFORT_UNSET when unknown */

/* A data URL's parts: *ret_mime lower case, *ret_data base64. Percent-encoded or not base64: decoded and encoded anew, in the arena.
 * `json` is the literal. False: not a data URL, or a broken one. */
bool ir_data_url(struct str json, struct arena *a, struct str *ret_mime, struct str *ret_data);
/* Bare base64 (plain) in the form that providers take: standard alphabet, padded. Borrowed when it is that already; the URL alphabet,
 * missing padding and white space are mended in the arena. False: not base64, or nothing in it. */
bool ir_base64(struct str text, struct arena *a, struct str *ret_data);
/* A media type in lower case without parameters ("image/jpg" is "image/jpeg"); empty when it is none. */
struct str ir_mime(struct str text, struct arena *a);

#endif
