/* Requests made of parts, for what no client's body can say. */
#ifndef DIALECT_REQUEST_RIG_H
#define DIALECT_REQUEST_RIG_H

#include "base/mem.h"
#include "dialect/dialect.h"

#include "dialect_test.h"

struct rig {
    struct arena *a;
    struct ir_request rq;
    struct ir_message **tail;
    enum ir_origin origin; /* of the parts to come */
    struct dialect_target target;
    struct ir_report report;
    struct ir_call call;
    struct fault fault;
};

static inline void request_rig_init(struct rig *g, enum ir_origin origin, const char *family,
                                    const char *model)
{
    *g = (struct rig){ .a = arena_new(), .origin = origin };
    g->tail = &g->rq.messages;
    g->rq.parallel_tool_calls = g->rq.thinking = -1;
    g->target.model = str_c(model);
    g->target.facts = model_facts_find(str_c(family), g->target.model);
    ir_report_init(&g->report, g->a);
}

static inline struct ir_part *part(struct rig *g, enum ir_part_kind kind, const char *json)
{
    struct ir_part *p = ARENA_NEW(g->a, struct ir_part);
    p->kind = kind;
    p->json = str_c(json);
    p->origin = g->origin;
    return p;
}

static inline struct ir_message *say(struct rig *g, enum ir_role role, struct ir_part *parts)
{
    struct ir_message *m = ARENA_NEW(g->a, struct ir_message);
    m->role = role;
    m->parts = parts;
    for (const struct ir_message *k = g->rq.messages; k; k = k->next)
        m->index++;
    IR_APPEND(g->tail, m);
    return m;
}

/* Its arguments are as a client may have written them. */
static inline struct ir_part *call_with(struct rig *g, const char *id, const char *arguments)
{
    struct ir_part *p = part(g, IR_TOOL_CALL, "");
    p->call_id = str_c(id);
    p->name = STR("f");
    p->raw_arguments = true;
    p->arguments = str_c(arguments);
    return p;
}

static inline struct ir_part *result(struct rig *g, const char *id, struct ir_part *content,
                                     bool error)
{
    struct ir_part *p = part(g, IR_TOOL_RESULT, "");
    p->call_id = str_c(id);
    p->content = content;
    p->is_error = error;
    return p;
}

static inline enum err write_by(struct rig *g, const struct dialect *to)
{
    return to->write_request(&g->rq, &g->target, &g->report, g->a, &g->call, &g->fault);
}

/* The request is written; its body is `want`. */
static inline void expect_written(struct rig *g, const struct dialect *to, const char *want)
{
    enum err e = write_by(g, to);
    if (e)
        fail_msg("%s: %.*s", err_name(e), STR_ARG(g->fault.msg));
    assert_text(segments_flat(&g->call.body, g->a), want);
    segments_done(&g->call.body);
}

#endif
