/* mock/anthropic.h -- the Messages API (Claude docs, August 2026): what its files share. Strict: what the real one refuses
 * is refused here, with its status and words, so that a translation which is nearly right does not pass.
 *
 *   anthropic.c         credentials, what the model says, whole answers
 *   anthropic_stream.c  streams                       anthropic_models.c  what each model takes
 *   anthropic_check.c   parameters, tools, schemas    anthropic_turns.c   messages and their blocks */
#ifndef MOCK_ANTHROPIC_H
#define MOCK_ANTHROPIC_H

#include "mock/reply.h"

#define CLAUDE_CALLS_MAX 16

#define CLAUDE_CITATION                                                                                       \
    "{\"type\":\"web_search_result_location\",\"url\":\"https://example.com/river\",\"title\":\"The river\"," \
    "\"cited_text\":\"low\",\"encrypted_index\":\"eA==\"}"
#define CLAUDE_REFUSED                                                                             \
    "{\"type\":\"refusal\",\"category\":\"general_harms\",\"explanation\":\"I cannot help with that.\"}"

enum claude_thinking { CLAUDE_NO, CLAUDE_MANUAL, CLAUDE_ADAPTIVE };

struct claude_model {
    struct str prefix;
    uint64_t context, max_output;
    bool manual, adaptive, disable; /* values of `thinking` */
    bool thinks;                    /* when nothing is said */
    bool sampling;                  /* temperature, top_p, top_k */
    bool prefill, native, system; /* last message assistant; output_config.format; role "system" */
    const char *efforts;          /* NULL: the parameter is not known */
    bool between;                 /* thinking between_tools */
};

struct claude_call {
    struct str name, input;
    bool cut; /* by max_tokens */
};

struct claude {
    struct request *rq;
    struct reply *rp;
    const struct claude_model *model;
    bool vertex;
    bool count; /* the tokens are asked for, not an answer */
    enum claude_thinking thinking;
    bool shown; /* the text of the reasoning is told */
    /* What it says. */
    struct str thought, text, stop_sequence;
    struct claude_call calls[CLAUDE_CALLS_MAX];
    size_t call_count;
    bool searched; /* the text quotes a page */
    const char *stop_reason;
    uint64_t thinking_tokens;
};

/* The longest row that fits; the one with an empty prefix fits all. */
const struct claude_model *claude_model_of(struct str name);

/* Always false: the error stands in c->rp. */
bool claude_error(struct claude *c, int status, const char *type, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
#define claude_bad(c, ...) claude_error((c), 400, "invalid_request_error", __VA_ARGS__)

/* False: the refusal stands in c->rp. */
bool claude_request_ok(struct claude *c);
bool claude_messages_ok(struct claude *c);
/* NULL, or the first member of the object that is not in the list (which NULL ends). */
const char *claude_extra(yyjson_val *object, const char *const *names);
bool claude_is_blank(struct str text);

void claude_stream(struct claude *c);
/* The object `usage`, with `output` tokens. */
void claude_usage(const struct claude *c, uint64_t output);
void claude_message_head(
    const struct claude *c); /* {"id":...,"model":...: what comes before content */
void claude_call_id(const struct claude *c, size_t index);
struct str claude_signature(const struct claude *c);
struct str claude_redacted(const struct claude *c); /* data of a redacted block */

#endif
