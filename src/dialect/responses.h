/* dialect/responses.h -- OpenAI's Responses API.
 *
 * As one of the dialects (dialect_openai_responses, dialect/dialect.h):
 *   responses_request*.c   client's body     -> struct ir_request        (read_request)
 *   responses_write*.c     events            -> client's events, or one response object   (write_answer)
 *   responses_call*.c      struct ir_request -> provider's body          (write_request)
 *   responses_read*.c      provider's answer -> events                   (read_answer, end_answer)
 * Both sides speaking it, bytes pass through (responses_splice.c), as chat completions do (dialect/openai_chat.h).
 *
 * Ids of answers that weir makes: "resp_" and 32 hex digits. Those of an answer's items hold the same digits and a count:
 * "msg_<32 hex><4 hex>", "fc_", "ctc_", "rs_", "ws_" likewise; of input items "msg_<32 hex>i<4 hex>" and so on: a reference to an
 * item says which answer it is of.
 *
 * Opaque reasoning state of another provider travels in a reasoning item's `encrypted_content` as "weir1." and base64url of
 * {"o":"anthropic"|"gemini"|"openai", "k":"thinking"|"redacted"|"call"|"text", "s":<signature>, "t":<text>}: k says what it belongs
 * to. "call" (Gemini) rides on the function call that follows the item, "text" (Gemini) on the text just before it, since a stream
 * knows it no earlier. "t", optional, is the text of the thinking where the item's summary does not show it.
 *
 * A provider's own, of native answers, comes to the client as a tag that names the account which made it and the provider's bytes:
 * "weirn." 8 hex digits "." <bytes>. No other account can read it, and none gets it. What has neither prefix is OpenAI's own, of whatever
 * account.
 *
 * Rules are from OpenAI's API reference, "Responses" and its streaming events, August 2026. Pure; everything made lives in the arena
 * given. Thread: the request's. */
#ifndef DIALECT_RESPONSES_H
#define DIALECT_RESPONSES_H

#include "base/buf.h"
#include "dialect/dialect.h"
#include "wire/json_scan.h"
#include "wire/splice.h"

#define RESPONSE_HEX 32
#define RESPONSE_ID_LEN (5 + RESPONSE_HEX)

/* "resp_<hex>" -> the hex; false: not an id that weir makes. */
bool response_id_hex(struct str id, struct str *ret_hex);
/* The response that made an item: "fc_<hex>0003" -> "resp_<hex>". False: not an item id that weir makes. */
bool response_of_item(struct str item_id, struct arena *a, struct str *ret_id);

/* -- opaque reasoning state */
enum response_state_kind { STATE_THINKING, STATE_REDACTED, STATE_CALL, STATE_TEXT };
struct response_state {
    enum ir_origin origin;
    enum response_state_kind kind;
    struct str signature; /* JSON literal */
    struct str text;      /* JSON literal; empty: the text of the thinking is the item's summary */
};
void response_state_put(const struct response_state *s,
                        struct buf *out); /* a JSON literal with quotes */
/* `json` is the literal of encrypted_content. False: not made by weir, or broken. */
bool response_state_get(struct str json, struct arena *a, struct response_state *ret);

/* -- whose a provider's own state is: its tag, plain; nothing in it needs an escape */
#define RESPONSE_ACCOUNT_HEX 8
struct str response_tag(struct str account_hex, struct arena *a);

/* Tags in the order of their last use, the youngest last. Of more accounts than these, the first are forgotten. */
#define RESPONSE_TAGS_MAX 8
struct response_tags {
    struct str tags[RESPONSE_TAGS_MAX];
    size_t count;
};
/* Those of the state in `items` (raw; what is no array has none). */
void response_tags_add(struct response_tags *t, struct str items);
/* The body that `sp` edits goes to the account of `tag`: the state of its input's items goes as it was made. Not where another edit has
 * to do with the input. */
void response_untag(struct splice *sp, struct str tag);

/* -- what is kept of a turn, and what a follow-up is made of */

/* The input of a request (a string, or an array of items; raw) as an array of items, each with type and id, in the form in which
 * /input_items lists them. Appended to `out`. `hex` is that of the answer's id. Errors: ERR_BAD_REQUEST, fault filled. */
MUST_CHECK enum err response_input_items(struct str input, struct str hex, struct arena *a,
                                         struct buf *out, struct fault *ret_fault);

/* The finished answer of a writer of dialect_openai_responses, after FINISH and END: the object as GET answers it (encrypted_content only
 * as the client asked), and its output items with all opaque state (an array), which a follow-up needs. */
void response_writer_result(const void *writer, struct buf *ret_object, struct buf *ret_items);

/* A turn that is gone before this one, oldest first: arrays of items, raw. */
struct response_past {
    struct str input, output;
};
/* The `input` of a follow-up: all items of `past`, then those of `input` (raw: string or array), with item references replaced by what
 * they name in `past` or `referred`. `native`: the target speaks Responses itself, so ids of weir's making go, and opaque state that
 * is not its own, which is that of weir's making or with another account's tag: a reasoning item without state that the target has not
 * made itself goes whole, and so does a compaction, which is nothing else. Errors: ERR_BAD_REQUEST (a reference
 * names nothing), fault filled. */
struct response_follow {
    const struct response_past *past;
    size_t past_count;
    const struct response_past *referred; /* answers that items of `input` refer to */
    size_t referred_count;
    struct str input;
    bool native;
    struct str tag; /* native: of the target's account; its state keeps it (response_untag) */
};
/* `*ret_lost`: reasoning was left out, or a state. */
MUST_CHECK enum err response_follow_input(const struct response_follow *f, struct arena *a,
                                          struct str *ret_input, bool *ret_lost,
                                          struct fault *ret_fault);
/* True where an item of `input` (raw) has an id of weir's making, or state that is not of the account of `tag`: a provider that speaks this
 * API itself can do nothing with them, so such an input is to be followed natively although nothing is before it. */
bool response_is_foreign(struct str input, struct str tag, struct arena *a);
/* The distinct ids of answers that item references in `input` name (only such as weir makes), at most `max`. Returns how many there
 * are. */
size_t response_references(struct str input, struct arena *a, struct str *ret_ids, size_t max);

/* -- native: both sides speak it. Members of a request that decide its way. */
struct response_members {
    struct json_member input, previous, conversation, store;
};
/* The members, of a body that openai_read_request (OPENAI_RESPONSES) has accepted. Returns the name of one that is repeated; empty: none. */
struct str response_members(struct str body, struct response_members *ret);

/* One answer, whole or one event's data. */
struct response_answer {
    struct str text;
    struct str type; /* event: plain; empty in a whole answer */
    struct str
        object; /* the response object: the whole text, or the event's `response`; empty: the event has none */
    struct json_member model; /* of the object; offsets are of `text` */
    struct str items, item; /* the object's output, or a list's data: an array; the event's item */
    struct str id, status;  /* of the object, plain, as they stand; empty: none */
    uint64_t sequence;      /* event: sequence_number */
    bool sequenced;
    struct ir_usage usage;
    bool content;  /* event: text, reasoning, refusal, tool argument or input that is not empty */
    bool terminal; /* event: completed, incomplete, failed, error */
    bool error;    /* event `error`, or a whole body that is an error and no response */
    struct json_problem problem;
};
/* Errors: ERR_BAD_JSON with `problem`. */
MUST_CHECK enum err response_read_answer(struct str body, struct response_answer *ret);
MUST_CHECK enum err response_read_event(struct str data, bool look_for_content,
                                        struct response_answer *ret);
/* `text` with the object's model replaced, and `tag` before each state of its items that is not empty. Where these are empty: as it
 * is. Appended to `out`. */
void response_put_answer(const struct response_answer *ans, struct str model_json, struct str tag,
                         struct buf *out);
bool response_read_usage(struct str json, struct ir_usage *ret_usage);

/* The last event of a stream that has failed, as OpenAI sends it and as typed SDKs read it: both the flat members and `error`. With the
 * lines "event: error" and "data: ...", and the blank line. */
void response_write_fault(const struct fault *f, uint64_t sequence, struct str call_id,
                          struct buf *out);
/* For a writer that has begun: response.failed, then the error event. */
void response_writer_fault(void *writer, const struct fault *f, struct str call_id,
                           struct buf *out);

#endif
