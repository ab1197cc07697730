/* dialect/anthropic_priv.h -- what the files of Anthropic's Messages dialect share.
 *
 *   anthropic_request.c   the call: top-level members, in the order of the API reference
 *   anthropic_turns.c     messages -> turns: roles merged, calls paired with their results
 *   anthropic_content.c   one block of a turn
 *   anthropic_tools.c     tools, tool_choice, web search, forced-tool emulation of JSON output
 *   anthropic_params.c    sampling, thinking and effort, and what has no home
 *   anthropic_names.c     names and ids that fit Anthropic's alphabets; how JSON output is made
 *   anthropic_answer.c    a stream's events, or one whole message -> events
 *   anthropic_blocks.c    content blocks of an answer
 *   anthropic_usage.c     usage and error objects
 *
 * Rules are from the Claude API reference, "Messages", August 2026, version 2023-06-01: the newer
 * version refuses sampling parameters that older models still take. */
#ifndef DIALECT_ANTHROPIC_PRIV_H
#define DIALECT_ANTHROPIC_PRIV_H

#include "dialect/dialect.h"
#include "wire/json_write.h"

/* -- names */

/* How the JSON output that the client asked for is made. Request and answer decide it alike. */
enum anthropic_output {
    OUTPUT_TEXT,         /* none was asked for */
    OUTPUT_NATIVE,       /* output_config.format */
    OUTPUT_TOOL,         /* a tool whose input is the answer */
    OUTPUT_TOOL_WRAPPED, /* the same, the answer being {"values": <answer>}: the schema is no object */
};
enum anthropic_output anthropic_output(const struct ir_request *rq, const struct model_facts *facts,
                                       struct arena *a);
/* The name of that tool: one that no tool of the client has. */
struct str anthropic_json_tool(const struct ir_request *rq, struct arena *a);

/* A function's name as it is sent: tool_name's, but for one that Anthropic's own search has beside it. */
struct str anthropic_function_name(const struct ir_request *rq, struct str name, struct arena *a);
const struct ir_tool *anthropic_function_of(const struct ir_request *rq, struct str upstream,
                                            struct arena *a);
/* A call's id in [A-Za-z0-9_-]+: itself, or "call_" and a hash. */
struct str anthropic_tool_id(struct str id, struct arena *a);

/* -- turns */

struct anthropic_block {
    struct anthropic_block *next;
    const struct ir_part *part; /* NULL: a text block of `text` */
    struct str text;            /* literal; also over part->json where it was trimmed */
    struct str id;              /* tool_use, tool_result: as sent */
    uint32_t message, index;    /* of the source, for messages to the caller */
};

struct anthropic_turn {
    struct anthropic_turn *next;
    enum ir_role role; /* IR_USER, IR_ASSISTANT, IR_SYSTEM */
    struct anthropic_block *blocks, **tail;
};

struct anthropic_turns {
    struct anthropic_block *system; /* top-level */
    struct anthropic_turn *first, *last;
    bool has_calls; /* some turn holds a tool call or result */
};

/* -- one request being written */

enum anthropic_thinking {
    THINKING_ABSENT,
    THINKING_DISABLED,
    THINKING_BETWEEN, /* between calls of tools */
    THINKING_MANUAL,
    THINKING_ADAPTIVE
};

struct anthropic_write {
    const struct ir_request *rq;
    const struct dialect_target *t;
    struct ir_report *report;
    struct arena *a;
    struct fault *fault;
    struct segments *body;
    struct json_write w;
    /* For members that say how the answer is to be made: `w`, or for a count, which takes none of them, one that leads nowhere. */
    struct json_write *answer;
    struct anthropic_turns turns;
    enum anthropic_output output;
    uint64_t max_tokens;
    enum anthropic_thinking thinking;
    uint64_t budget;
    enum ir_effort effort; /* IR_EFFORT_UNSET: not sent */
    struct str betas;      /* what members of the body need as a header */
    unsigned cache_skip;   /* marks left to be dropped: the last four count */
    unsigned strict_tools;
};

/* For messages: who was asked. */
struct str anthropic_target(const struct anthropic_write *aw);
/* True when the deployment's own members hold this one: what the client asked for is not written. */
bool anthropic_is_passed(const struct anthropic_write *aw, const char *name);

/* A 400 that names the member. Returns `e`. */
enum err anthropic_refuse(struct anthropic_write *aw, enum err e, struct str param, const char *fmt,
                          ...) __attribute__((format(printf, 4, 5)));

/* Errors: ERR_BAD_REQUEST (calls and results that do not fit each other). */
MUST_CHECK enum err anthropic_arrange(struct anthropic_write *aw);
/* A conversation that ends with the assistant's words, once thinking is decided. */
MUST_CHECK enum err anthropic_arrange_end(struct anthropic_write *aw);
bool anthropic_part_is_thinking(const struct ir_part *p); /* a block that Anthropic made */

/* `content`, as a string where it is one plain text. */
MUST_CHECK enum err anthropic_put_blocks(struct anthropic_write *aw, const char *name,
                                         const struct anthropic_block *blocks);
/* cache_control, when `marked`. */
MUST_CHECK enum err anthropic_put_cache(struct anthropic_write *aw, bool marked, struct str ttl);
/* Members of the origin's own that have a home here. */
MUST_CHECK enum err anthropic_put_ext(struct anthropic_write *aw, const struct ir_ext *ext,
                                      const char *where);
/* Reports a member without a home: tag unknown(<name>). */
MUST_CHECK enum err anthropic_unknown(struct anthropic_write *aw, struct str name,
                                      const char *where);

/* The header that a member, or an element of tools (name empty), is taken with. */
void anthropic_need_beta(struct anthropic_write *aw, struct str name, struct str raw);

MUST_CHECK enum err anthropic_put_tools(struct anthropic_write *aw);
bool anthropic_choice_forces(const struct anthropic_write *aw);

MUST_CHECK enum err anthropic_decide_limits(struct anthropic_write *aw); /* max_tokens, thinking */
MUST_CHECK enum err anthropic_put_params(struct anthropic_write *aw);
/* Members that no Claude takes: refused, dropped or lost. */
MUST_CHECK enum err anthropic_check_params(struct anthropic_write *aw);

/* -- answers */

/* Counts as Anthropic gives them: `input` is the part of the prompt that no cache served. */
struct anthropic_counts {
    bool reported;
    uint64_t input, written, written_1h, read, output, thinking;
};
/* Merges a usage object: every key that is there and a number replaces. Returns the service tier in OpenAI's words; empty for null
 * and unknown ones. */
struct str anthropic_read_usage(struct str json, struct anthropic_counts *counts);
struct ir_usage anthropic_usage_of(const struct anthropic_counts *counts);
/* An error event, or an error object sent with status 200. */
void anthropic_read_error(struct str json, struct arena *a, struct fault *ret_fault);

enum anthropic_block_kind {
    BLOCK_NONE, /* no block is open */
    BLOCK_TEXT,
    BLOCK_THINKING,
    BLOCK_REDACTED,
    BLOCK_TOOL,   /* a call of the client's tool */
    BLOCK_ANSWER, /* the forced tool: its input is the answer's text */
    BLOCK_SEARCH, /* the provider searches the web: its input holds the query */
    BLOCK_OTHER,  /* other server tools, their results, unknown ones */
};

/* The block that is open. */
struct anthropic_open {
    enum anthropic_block_kind kind;
    uint64_t index;
    uint32_t part;
    bool custom, wrapped; /* unwrap {"input": ..} / {"values": ..}: arguments wait until the end */
    bool argued;          /* arguments were given out */
    size_t text_start;    /* code points of the choice's text when the block began */
    struct str signature; /* literal, in the arena */
    struct str call_id;   /* of a search: plain, in the arena */
    struct buf held;      /* plain argument text that waits */
    struct buf
        citations; /* {url, title} objects with a comma each, until the block's end is known */
};

struct anthropic_reader {
    const struct answer_context *c;
    enum anthropic_output output;
    struct str json_tool;
    bool started, ended;
    uint32_t calls; /* tool calls given out */
    size_t text_points;
    struct anthropic_open open;
    struct str stop_reason; /* plain, in the arena */
    struct str explanation; /* literal, in the arena */
    struct str tier;
    struct anthropic_counts counts;
};

MUST_CHECK enum err anthropic_block_start(struct anthropic_reader *r, struct str block,
                                          uint64_t index, struct ir_sink *sink,
                                          const char **ret_what);
/* Something of the answer that no event carries: `tag` of docs/compatibility.md. */
void anthropic_emit_loss(const char *tag, bool degraded, struct ir_sink *sink);
/* Of the block that is open. */
MUST_CHECK enum err anthropic_block_delta(struct anthropic_reader *r, struct str delta,
                                          struct ir_sink *sink, const char **ret_what);
/* Accepts that none is open. */
void anthropic_block_stop(struct anthropic_reader *r, struct ir_sink *sink);
void anthropic_block_done(struct anthropic_open *open); /* releases, at any time */

/* -- the reader, as dialect.h has it */
void anthropic_reader_init(void *reader, const struct answer_context *c);
enum err anthropic_read_answer(void *reader, const struct frame *f, struct ir_sink *sink,
                               const char **ret_what);
enum err anthropic_end_answer(void *reader, struct ir_sink *sink);
void anthropic_reader_done(void *reader);

#endif
