/* ir/report.h -- what a translation could not carry exactly: tags of docs/compatibility.md, each degraded or dropped.
 * Rows are kept once, sorted when written. Pure; lives in the request's arena. */
#ifndef IR_REPORT_H
#define IR_REPORT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/fault.h"

enum ir_loss { IR_DEGRADED, IR_DROPPED };

struct ir_report {
    struct arena *arena;
    struct ir_loss_row {
        struct str tag;
        enum ir_loss loss;
    } * rows;
    size_t count, room;
    /* What the caller allows. */
    bool strict;       /* x-weir-strict: any loss is refused */
    bool drop_params;  /* a parameter that the target cannot take is dropped instead of refused */
    struct str target; /* for messages: "anthropic claude-sonnet-4-5" */
};

void ir_report_init(struct ir_report *r, struct arena *a);
/* Meaning kept, detail changed. Errors: ERR_UNSUPPORTED_PARAM (strict), fault filled. */
MUST_CHECK enum err ir_degrade(struct ir_report *r, const char *tag, const char *member,
                               struct fault *ret_fault);
/* A parameter that the client sent and the target cannot take: dropped and reported with drop_params, else refused with
 * ERR_UNSUPPORTED_PARAM; the fault names the member and the target. */
MUST_CHECK enum err ir_drop(struct ir_report *r, const char *tag, const char *member,
                            struct fault *ret_fault);
/* The same two, with what is wrong in words that follow the member's name: "is 1.5; the highest that ... takes is 1". */
MUST_CHECK enum err ir_degrade_as(struct ir_report *r, const char *tag, const char *member,
                                  const char *why, struct fault *ret_fault);
MUST_CHECK enum err ir_drop_as(struct ir_report *r, const char *tag, const char *member,
                               const char *why, struct fault *ret_fault);
/* Lost without asking (hints that are never part of the contract: mapping's bookkeeping members). Refused only when strict. */
MUST_CHECK enum err ir_lose(struct ir_report *r, const char *tag, const char *member,
                            struct fault *ret_fault);
void ir_report_merge(struct ir_report *to, const struct ir_report *from); /* its rows too */
/* "exact", or "degraded=a,b; dropped=c". */
void ir_report_write(const struct ir_report *r, struct buf *out);

#endif
