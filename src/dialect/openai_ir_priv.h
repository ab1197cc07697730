/* dialect/openai_ir_priv.h -- what the files of OpenAI's Chat Completions as a dialect of the IR share.
 *
 *   openai_ir_request.c   the members of a request      openai_ir_write.c      a request for a provider
 *   openai_ir_message.c   its messages                  openai_ir_put.c        its messages
 *   openai_ir_part.c      their parts                   openai_ir_answer.c     a provider's answer -> events
 *   openai_ir_tools.c     tools, choice, format         openai_ir_put_tools.c  its tools
 *   openai_ir_chunk.c     events -> chunks              openai_ir_calls.c      an answer's tool calls
 *   openai_ir_fold.c      events -> one object
 *
 * Carriers of reasoning that are not OpenAI's own, all de facto: `reasoning_content` (DeepSeek), `thinking_blocks` (LiteLLM),
 * `reasoning_details` (OpenRouter), `extra_content.google.thought_signature` (Google's compatibility layer). */
#ifndef DIALECT_OPENAI_IR_PRIV_H
#define DIALECT_OPENAI_IR_PRIV_H

#include "dialect/dialect.h"
#include "wire/json_scan.h"

/* -- reading a request */

struct oa_read {
    struct arena *a;
    struct ir_request *rq;
    struct fault *fault;
    /* Where the reader stands, for messages: list[index].sub[sub_index]. */
    const char *list, *sub;
    uint32_t index, sub_index;
};

/* A fault that names the member: the place, then `member` (with its dot, or empty). Returns the error. */
enum err oa_bad(struct oa_read *r, const char *member, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Walks an object that was scanned: the values of `names` (the last one counts when repeated), null being absent; the others, null left
 * out, become `*ret_ext` unless that is NULL. A value that is no object gives nothing. */
void oa_members(struct str object, const struct str *names, size_t n, struct str *ret_values,
                struct arena *a, struct ir_ext **ret_ext);

/* The place of a value that is expected to be a string, or empty: absent. */
MUST_CHECK enum err oa_string(struct oa_read *r, const char *member, struct str value);
MUST_CHECK enum err oa_flag(struct oa_read *r, const char *member, struct str value, int *ret_flag);

/* -- the members at the top, of chat completions and of the Responses API. `known`: all names, those of OPENAI_MEMBERS first. */

/* `scanned`: `body` is known to be valid JSON. `needed`: for who sends no body. What would name a destination is refused; null and
 * absent are empty in `*ret_values`; `*ret_others`: there are members beside those known. */
MUST_CHECK enum err oa_read_top(struct oa_read *r, struct str body, bool scanned,
                                const struct str *known, size_t n, const char *needed,
                                struct str *ret_values, bool *ret_others);
MUST_CHECK enum err oa_read_model(struct oa_read *r, struct str value, struct str path_model);
struct oa_number_row {
    unsigned member; /* index of its name */
    size_t
        at; /* of a struct ir_number in the request; of several rows for one the first that is sent counts */
    bool integer;
    double min, max;
    const char *range; /* in words */
};
MUST_CHECK enum err oa_read_numbers(struct oa_read *r, const struct oa_number_row *rows, size_t n,
                                    const struct str *names, const struct str *v);
/* OpenAI takes a flat map of strings; empty: any other, which is meant for the gateway. */
struct str oa_flat_metadata(struct str value);

/* Values that another format spells in the same way. */
struct str oa_mime_of_base64(struct str data); /* by its first bytes; empty: unknown */
bool oa_is_url(struct str json);               /* a literal with an http, https or gs URL */
struct str oa_google_signature(struct str extra_content); /* JSON literal; empty: none */
struct str oa_mime_of_name(struct str filename_json,
                           struct arena *a); /* by its end; empty: unknown */
/* A data: URL's, or base64 as it is. False: neither. */
bool oa_read_base64(struct str json, struct arena *a, struct str *ret_mime, struct str *ret_data);
/* A literal that is not empty: a URL, or a data: URL; for a file base64 as it is too. */
MUST_CHECK enum err oa_read_image_url(struct oa_read *r, const char *member, struct str json,
                                      struct ir_media *media);
MUST_CHECK enum err oa_read_file_data(struct oa_read *r, const char *member, struct str json,
                                      struct ir_media *media);
/* `cache_control`, in Anthropic's words. `member`: its name, for the message. */
MUST_CHECK enum err oa_cache(struct oa_read *r, const char *member, struct str cache_control,
                             bool *ret_cache, struct str *ret_ttl);

MUST_CHECK enum err oa_read_messages(struct oa_read *r, struct str array);
/* One element of a content array; `*ret_part` stays as it is when there is nothing in it (an empty reasoning). */
MUST_CHECK enum err oa_read_part(struct oa_read *r, struct str value, struct ir_part **ret_part);
/* An element of thinking_blocks or reasoning_details; the part's `raw` is the element. False: not understood. */
bool oa_read_reasoning(struct str value, struct ir_part *ret_part);

#define OA_TOOLS_MAX 1024 /* they are looked up by name, one after another */
typedef enum err oa_tool_fn(struct oa_read *r, struct str value, struct ir_tool *tool);
/* `tool` comes with strict not said. */
MUST_CHECK enum err oa_read_tool_list(struct oa_read *r, struct str array, const char *list,
                                      oa_tool_fn *read);
bool oa_choice_word(struct str json, enum ir_choice *ret); /* none, auto, required; else false */
MUST_CHECK enum err oa_read_tools(struct oa_read *r, struct str array);
MUST_CHECK enum err oa_read_functions(struct oa_read *r, struct str array);
MUST_CHECK enum err oa_read_choice(struct oa_read *r, struct str value);
MUST_CHECK enum err oa_read_function_call(struct oa_read *r, struct str value);
MUST_CHECK enum err oa_read_format(struct oa_read *r, struct str value);

read_request_fn oa_read_request, oa_read_scanned;

/* -- writing a request */

struct oa_write {
    const struct ir_request *rq;
    const struct dialect_target *t;
    struct ir_report *report;
    struct fault *fault;
    struct arena *a;
    struct segments *s;
    struct json_write w;
};
/* The deployment's own value wins. */
bool oa_is_set(const struct oa_write *o, const char *name);
/* The request came in another dialect: what is known of the target decides, not the client's word. */
bool oa_is_foreign(const struct oa_write *o);
/* A member that not all providers know (CHAT_* of provider.h), or that the deployment allows by `name` (allowed_openai_params). */
bool oa_takes(const struct oa_write *o, uint32_t what, const char *name);
/* Members of the origin's own: written where the origin is chat, else lost. */
MUST_CHECK enum err oa_put_ext(struct oa_write *o, const struct ir_ext *ext);
MUST_CHECK enum err oa_put_messages(struct oa_write *o);
/* tools, web_search_options, tool_choice, parallel_tool_calls. */
MUST_CHECK enum err oa_put_tools(struct oa_write *o);
/* A tool's name as it is sent. */
struct str oa_tool_name(const struct oa_write *o, struct str name);
/* True: custom tools and their calls are sent as functions of one string (dialect/tools.h). */
bool oa_emulates_custom(const struct oa_write *o);
struct str oa_compact(struct str json,
                      struct arena *a); /* without white space between its tokens */
/* As it is, or compact: what an event of a stream can hold. */
struct str oa_one_line(struct str json, struct arena *a);
enum ir_effort oa_effort_of_budget(double tokens);
/* The next lower effort that the model has, else the lowest one. UNSET: it has none. */
enum ir_effort oa_nearest_effort(uint32_t has, enum ir_effort want);
write_request_fn oa_write_request;

/* -- answers */

void oa_reader_init(void *reader, const struct answer_context *c);
read_answer_fn oa_read_answer;
end_answer_fn oa_end_answer;
void oa_reader_done(void *reader);

/* What is collected of a choice, for one object or for what a chunk must tell whole. Buffers hold the insides of literals. */
struct oa_folded_call {
    struct str id, name, signature;
    bool custom, any; /* any: it has arguments */
    struct buf input;
};
struct oa_choice {
    bool seen, begun; /* begun: its first chunk is out */
    bool texts, finished;
    enum ir_finish finish;
    struct buf text, reasoning, refusal;
    struct buf thinking;        /* of the block that is open */
    struct buf blocks, details; /* elements of thinking_blocks, reasoning_details */
    struct buf annotations, logprobs, refusal_logprobs;
    struct str google_signature;
    struct oa_folded_call *calls;
    size_t call_count, call_room;
};
struct oa_writer {
    struct answer_context c;
    struct answer_style style;
    bool legacy, started, ended;
    struct str id, service_tier;
    uint64_t created;
    struct str chunk_head; /* {"id":...,"choices":[ */
    struct oa_choice *choices;
    size_t count;
    struct ir_usage usage;
};
void oa_writer_init(void *writer, const struct answer_context *c, const struct answer_style *style);
write_answer_fn oa_write_answer;
void oa_writer_done(void *writer);

/* NULL: an index that no choice has. */
struct oa_choice *oa_choice_at(struct oa_writer *wr, uint32_t index);
struct oa_folded_call *oa_call_at(struct oa_choice *ch, uint32_t part); /* NULL: none */
/* NULL: not the next one, or more calls than are taken. */
struct oa_folded_call *oa_call_add(struct oa_writer *wr, struct oa_choice *ch, uint32_t part);
void oa_collect(struct oa_writer *wr, const struct ir_event *ev);
/* An element of thinking_blocks or reasoning_details for a SIGNATURE event; empties the open thinking. False: it has no such carrier. */
bool oa_put_block(struct oa_choice *ch, const struct ir_event *ev, struct buf *out,
                  bool *ret_details);
struct str oa_finish_word(const struct oa_writer *wr, const struct oa_choice *ch);
void oa_put_usage(struct json_write *w, const char *name, const struct ir_usage *u);
void oa_put_folded(struct oa_writer *wr, struct buf *out);

#endif
