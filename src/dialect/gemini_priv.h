/* dialect/gemini_priv.h -- what the files of Gemini's generateContent dialect share.
 *
 *   gemini_request.c   the call: top-level members, in the order of the API reference
 *   gemini_turns.c     messages -> contents: roles merged, calls paired with their responses
 *   gemini_parts.c     one part of a content
 *   gemini_config.c    generationConfig: sampling, output, thinking
 *   gemini_params.c    what has no home, and the caller's own Gemini members
 *   gemini_tools.c     tools, toolConfig
 *   gemini_schema.c    JSON Schema in the two forms that Gemini takes
 *   gemini_names.c     names that fit Gemini's alphabet
 *   gemini_answer.c    a stream's chunks, or one whole response -> events
 *   gemini_reply.c     the parts of a candidate
 *   gemini_partial.c   function calls whose arguments are streamed
 *   gemini_ground.c    grounding and citations, log probabilities
 *   gemini_usage.c     usageMetadata
 *
 * Rules are from the Gemini API reference (generativelanguage v1beta), the Vertex AI reference and
 * the types of the official SDKs, August 2026. Two services speak this dialect: the Gemini
 * Developer API ("GAPI") and Vertex AI, which takes a little less (`target->vertex`). */
#ifndef DIALECT_GEMINI_PRIV_H
#define DIALECT_GEMINI_PRIV_H

#include "dialect/dialect.h"
#include "wire/json_scan.h"
#include "wire/json_write.h"

/* -- names */

/* A tool's name as Gemini takes it; two names of a request never become one. */
struct str gemini_tool_name(const struct ir_request *rq, struct str name, struct arena *a);
/* The tool that was given this name upstream, or NULL. */
const struct ir_tool *gemini_tool_of(const struct ir_request *rq, struct str upstream,
                                     struct arena *a);

/* -- schemas */

enum gemini_schema_form {
    SCHEMA_JSON,   /* responseJsonSchema, parametersJsonSchema: Gemini 2.5 and later */
    SCHEMA_OPENAPI /* responseSchema, parameters: `Schema`, a subset of OpenAPI's */
};

/* What was cut, a name each ("pattern"), without repetition. */
struct gemini_cuts {
    const char *names[40];
    size_t count;
};

/* The schema that Gemini takes. What it cannot express goes into the description beside it and
 * into `*ret_cuts`. References are inlined for SCHEMA_OPENAPI, with cycles cut to an object.
 * Errors: ERR_BAD_REQUEST, `*ret_why` filled (a reference to nothing; too large once inlined). */
MUST_CHECK enum err gemini_schema(struct str schema, enum gemini_schema_form form, struct arena *a,
                                  struct str *ret_schema, struct gemini_cuts *ret_cuts,
                                  const char **ret_why);
/* True for an object that takes no members at all: a function without parameters. */
bool gemini_schema_is_empty(struct str schema);

/* -- turns */

struct gemini_block {
    struct gemini_block *next;
    const struct ir_part *part; /* NULL: a text part of `text` */
    struct str text;            /* literal */
    const struct ir_part *call; /* of a tool result: the call that it answers */
    struct str id;              /* of calls and results, as sent */
    bool dummy;                 /* a call that must have a signature and has none */
    bool loose;                 /* a tool result's media, sent beside the results */
    uint32_t message, index;    /* of the source, for messages to the caller */
};

struct gemini_turn {
    struct gemini_turn *next;
    bool model, results; /* results: function responses and nothing else */
    struct gemini_block *blocks, **tail;
};

struct gemini_turns {
    struct gemini_block *system, **system_tail;
    struct gemini_turn *first, *last;
};

/* -- one request being written */

struct gemini_write {
    const struct ir_request *rq;
    const struct dialect_target *t;
    struct ir_report *report;
    struct arena *a;
    struct fault *fault;
    struct segments *body;
    struct json_write w;
    struct gemini_turns turns;
    enum gemini_schema_form form;
    struct str schema; /* of the output, in that form; empty: none */
    bool instruct;     /* JSON output is asked for in words: the model takes no format with tools */
    bool functions;    /* function declarations are sent */
    bool search;       /* Google Search answers web_search_options */
    bool builtins;     /* tools that run at Google are sent */
    struct str safety, cached, thinking, labels; /* the caller's own Gemini members, raw */
};

/* A count on Vertex AI: its body is no request but some parts of one, contents, systemInstruction, tools and generationConfig. */
static inline bool gemini_counts_parts(const struct dialect_target *t)
{
    return t->count && t->vertex;
}

/* A 400 that names the member. Returns `e`. */
enum err gemini_refuse(struct gemini_write *g, enum err e, struct str param, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Reports a schema's cuts: tag schema(<keyword>). */
MUST_CHECK enum err gemini_report_cuts(struct gemini_write *g, const struct gemini_cuts *cuts,
                                       const char *member);
/* The deployment's own member of this name, in either spelling, or NULL: it replaces ours. */
const struct conf_member *gemini_own(const struct gemini_write *g, const char *name);
struct str gemini_camel(struct str name,
                        struct arena *a); /* "safety_settings" -> "safetySettings" */
struct str gemini_camel_members(struct str object, struct arena *a); /* of one level */

/* Errors: ERR_BAD_REQUEST (calls and results that do not fit each other). */
MUST_CHECK enum err gemini_arrange(struct gemini_write *g);
/* One block as a part, an element of the array that is open. */
MUST_CHECK enum err gemini_put_block(struct gemini_write *g, const struct gemini_block *b);
bool gemini_is_media(const struct ir_part *p);

MUST_CHECK enum err gemini_plan_output(struct gemini_write *g); /* format, schema */
MUST_CHECK enum err gemini_put_config(struct gemini_write *g);
/* Members that Gemini does not take: refused, dropped or lost. And those of its own. */
MUST_CHECK enum err gemini_check_params(struct gemini_write *g);
MUST_CHECK enum err gemini_plan_tools(struct gemini_write *g);
MUST_CHECK enum err gemini_put_tools(struct gemini_write *g);

write_request_fn gemini_write_request;

/* -- answers */

#define GEMINI_CHOICES_MAX 16
#define GEMINI_PARTS_MAX 64

/* A function call whose arguments come in pieces. */
struct gemini_partial;

struct gemini_source {
    struct gemini_source *next;
    struct str uri, title; /* literals */
};

struct gemini_raw {
    struct gemini_raw *next;
    struct str raw;
    bool citation;
    bool told; /* a search: given out */
};

/* One candidate. */
struct gemini_choice {
    uint32_t index;
    bool seen, content;
    uint32_t calls;                  /* given out */
    uint32_t calls_met;              /* that Gemini made */
    struct buf text;                 /* what was given out as text, for offsets; plain */
    size_t starts[GEMINI_PARTS_MAX]; /* where each part of the content starts in `text` */
    size_t parts;
    int last_kind; /* of the part before: chunks of a stream continue it */
    struct gemini_partial *open;
    struct gemini_source *sources, **sources_tail;
    struct gemini_raw *marks, **marks_tail; /* grounding supports and citations */
    struct gemini_raw *searches, **searches_tail;
    bool finished;
    enum ir_finish finish;
    struct str explanation; /* literal */
};

struct gemini_counts {
    uint64_t prompt, candidates, thoughts, cached, tool_use, total;
    uint64_t prompt_audio, prompt_image, out_audio, out_image;
    bool reported;
};

struct gemini_reader {
    const struct answer_context *c;
    bool started, ended, whole, blocked;
    struct gemini_choice *choices[GEMINI_CHOICES_MAX];
    struct gemini_counts counts;
    struct str tier; /* plain, constant */
};

MUST_CHECK enum err gemini_read_content(struct gemini_reader *r, struct gemini_choice *ch,
                                        struct str content, struct ir_sink *sink,
                                        const char **ret_what);
/* A call's events, whole: `args` is raw JSON or empty. */
void gemini_emit_call(struct gemini_reader *r, struct gemini_choice *ch, struct str id,
                      struct str name, struct str args, struct str signature, struct ir_sink *sink);
/* Something of the answer that no event carries: `tag` of docs/compatibility.md. */
void gemini_emit_loss(const struct gemini_choice *ch, const char *tag, bool degraded,
                      struct ir_sink *sink);
struct str gemini_compact(struct str json, struct arena *a); /* without white space */

/* A piece of a streamed call; `call` is the functionCall object. True when the call is complete:
 * then its name, id and arguments are given. */
bool gemini_partial_add(struct gemini_partial **open, struct str call, struct str signature,
                        struct arena *a);
struct gemini_call {
    struct str id, name, args, signature;
};
struct gemini_call gemini_partial_take(struct gemini_partial **open, struct arena *a);

/* Emits the searches that it tells of while there is no text yet, and collects the rest for gemini_emit_annotations. */
void gemini_read_grounding(struct gemini_reader *r, struct gemini_choice *ch, struct str grounding,
                           struct ir_sink *sink);
void gemini_read_citations(struct gemini_reader *r, struct gemini_choice *ch, struct str citations);
/* At the answer's end. */
void gemini_emit_annotations(struct gemini_reader *r, struct gemini_choice *ch,
                             struct ir_sink *sink);
void gemini_emit_logprobs(struct gemini_reader *r, struct gemini_choice *ch, struct str result,
                          struct ir_sink *sink);

/* Merges a usageMetadata object: every key that is there replaces. */
void gemini_read_usage(struct str json, struct gemini_counts *u, struct str *ret_tier);
struct ir_usage gemini_usage(const struct gemini_counts *u);
/* Numbers come as JSON numbers or as strings of digits. */
bool gemini_u64(struct str value, uint64_t *ret_value);

#endif
