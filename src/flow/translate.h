/* flow/translate.h -- one attempt across dialects: the client's body becomes an ir_request and then the provider's body; the
 * provider's answer becomes events and then the client's frames, or one object.
 *
 *   translate_request   before SEND          -> the call: path suffix, headers, body
 *   translate_event     one SSE event        -> appended to f->out
 *   translate_whole     a whole answer       -> appended to f->out, one object
 *   translate_end       the stream has ended -> what is due, or a cut
 *
 * Lives in the request's arena; translate_done releases what the dialects hold on the heap. */
#ifndef FLOW_TRANSLATE_H
#define FLOW_TRANSLATE_H

#include "base/fault.h"
#include "wire/sse.h"

struct flow;
struct ir_call;
struct translation;

/* A count of tokens is asked for, and the picked deployment's provider has an endpoint for it. Its answer is a whole one. */
bool translate_counts(struct flow *f);
/* Errors: ERR_BAD_REQUEST, ERR_UNSUPPORTED_PARAM ..., with f->fault for the client. */
MUST_CHECK enum err translate_request(struct flow *f, struct ir_call **ret_call);
/* f->fault came from the provider: members in it get the names that the client's API has for them. */
void translate_name_fault(struct flow *f);
/* Errors: ERR_UPSTREAM (f->fault is set: the provider reported an error), ERR_UPSTREAM_BAD, ERR_UPSTREAM_CUT; `*ret_what` for the log. */
MUST_CHECK enum err translate_event(struct flow *f, const struct sse_event *ev,
                                    const char **ret_what);
MUST_CHECK enum err translate_whole(struct flow *f, struct str body, const char **ret_what);
MUST_CHECK enum err translate_end(struct flow *f, const char **ret_what);
/* After ERR_UPSTREAM: a failure that is worth a second try, as long as no content was given out. True: it is under way, and
 * f->fault is empty again. What the first try spent is added to the second's usage. */
bool translate_again(struct flow *f);
/* After a fault of the provider (f->fault): where it refuses reasoning state of the history, the call is made once more without. As
 * translate_again. */
bool translate_forget(struct flow *f);
/* What the answer's translation lost, as x-weir-fidelity has it for the request's; empty: nothing. In the request's arena. */
struct str translate_fidelity(struct flow *f);
bool translate_ended(const struct flow *f); /* the answer's END was seen */
/* The error as the client's dialect ends a stream with it, appended to f->out. Responses alone. */
void translate_fault(struct flow *f, struct str call_id);
/* A mocked answer: `chat` is a chat completion, or the events of one. The client's frames are appended to f->out. Errors, with f->fault. */
MUST_CHECK enum err translate_mock(struct flow *f, struct str chat);
void translate_done(struct translation *t); /* accepts NULL */

#endif
