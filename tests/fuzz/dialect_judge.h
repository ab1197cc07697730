/* What every dialect must keep to, whatever it is given: the judges that the fuzz targets of dialect/ share. */
#ifndef FUZZ_DIALECT_JUDGE_H
#define FUZZ_DIALECT_JUDGE_H

#include "dialect/dialect.h"

/* The request written by `to`. True: its body is finished and valid JSON, and `*ret_body` is it (the arena's). False: refused with
 * a fault that has the error's code, a status and words for the client. */
bool judge_request(const struct dialect *to, const struct ir_request *rq,
                   const struct dialect_target *t, bool drop_params, struct arena *a,
                   struct str *ret_body);

/* How the answers of one dialect are read. */
struct answer_rules {
    const struct dialect *from;
    uint32_t choices; /* at most 128 */
    uint64_t early;   /* IR_EARLY of each kind of event that may come before START, beside ERROR */
    bool brief_end;   /* after FINISH come USAGE and END alone */
    bool named_calls; /* a call has an id and a name, whatever the provider sent */
};
#define IR_EARLY(kind) (UINT64_C(1) << (kind))

/* An answer, whole or an event a line, is read to its end, or is refused as ERR_UPSTREAM_BAD with what was wrong. Its events are in
 * their places: one START before all others, calls opened and closed one after another and numbered as they come, nothing after END or
 * ERROR, and JSON where JSON is said to be. Written for a client of Chat Completions, the answer folded is one JSON object, and
 * streamed it is frames of JSON that end in [DONE] or an error; an answer that did not end folds into nothing. */
void judge_answer(const struct answer_rules *rules, const struct answer_context *c,
                  struct str input, bool whole);

#endif
