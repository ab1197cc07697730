#include "ir/report.h"

#include <stdlib.h>

/* A request may hold any number of unknown members; the header that tells of them has an end. */
enum { ROWS_MAX = 48, TAG_MAX = 64 };

void ir_report_init(struct ir_report *r, struct arena *a)
{
    *r = (struct ir_report){ .arena = a };
}

static bool is_tag_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("_-.()", c));
}

/* A tag may carry a name that the client chose, and it goes into a header. */
static struct str clean(const char *tag, struct arena *a)
{
    struct str s = arena_dup(a, str_head(str_c(tag), TAG_MAX));
    char *p = (char *)s.p;
    for (size_t i = 0; i < s.len; i++)
        p[i] = is_tag_char(p[i]) ? p[i] : '_';
    return s;
}

static bool has(const struct ir_report *r, struct str tag, enum ir_loss loss)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->rows[i].loss == loss && str_eq(r->rows[i].tag, tag))
            return true;
    return false;
}

static void add_row(struct ir_report *r, struct str t, enum ir_loss loss)
{
    if (has(r, t, loss))
        return;
    if (r->count >= ROWS_MAX) {
        t = STR("more");
        if (has(r, t, loss))
            return;
    }
    if (r->count == r->room) {
        size_t room = r->room ? r->room * 2 : 8;
        struct ir_loss_row *rows = ARENA_ARRAY(r->arena, struct ir_loss_row, room);
        if (r->count)
            memcpy(rows, r->rows, r->count * sizeof rows[0]);
        r->rows = rows;
        r->room = room;
    }
    r->rows[r->count++] = (struct ir_loss_row){ t, loss };
}

static void add(struct ir_report *r, const char *tag, enum ir_loss loss)
{
    add_row(r, clean(tag, r->arena), loss);
}

void ir_report_merge(struct ir_report *to, const struct ir_report *from)
{
    for (size_t i = 0; i < from->count; i++)
        add_row(to, from->rows[i].tag, from->rows[i].loss);
}

/* Who takes what others do not; for messages alone. Model APIs as of August 2026. */
static const struct {
    struct str tag;
    const char *who;
} takers[] = {
    { STR_INIT("audio"), "OpenAI's audio models" },
    { STR_INIT("grammar"), "OpenAI's models" },
    { STR_INIT("logit_bias"), "OpenAI's models without reasoning" },
    { STR_INIT("logprobs"), "OpenAI's and some of Gemini's models" },
    { STR_INIT("n"), "OpenAI's models" },
    { STR_INIT("penalties"), "OpenAI's and some of Gemini's models" },
    { STR_INIT("prediction"), "OpenAI's models" },
    { STR_INIT("seed"), "OpenAI's and some of Gemini's models" },
    { STR_INIT("temperature"), "models that do not reason, Gemini's, and Claude up to 4.6" },
    { STR_INIT("thinking"), "Anthropic's models" },
    { STR_INIT("top_k"), "Gemini's models, and Claude up to 4.6" },
    { STR_INIT("top_p"), "models that do not reason, Gemini's, and Claude up to 4.6" },
    { STR_INIT("verbosity"), "OpenAI's GPT-5 models" },
};

static const char *who_takes(struct str tag)
{
    for (size_t i = 0; i < sizeof takers / sizeof takers[0]; i++)
        if (str_eq(takers[i].tag, tag))
            return takers[i].who;
    return NULL;
}

static struct str target_of(const struct ir_report *r)
{
    return r->target.len ? r->target : STR("the model that serves this request");
}

static const char strict_advice[] =
    "Leave it out, or send the request without x-weir-strict to accept the loss, which x-weir-fidelity "
    "then names.";
static const char drop_advice[] =
    "Leave it out, choose another model, or set drop_params: true in the config's litellm_settings or "
    "the model's litellm_params to have it dropped.";

/* `why` follows the member's name. */
static enum err refuse(const struct ir_report *r, const char *member, const char *why,
                       const char *advice, struct fault *f)
{
    fault_set(f, ERR_UNSUPPORTED_PARAM, r->arena, "`%.200s` %s. %s", member, why, advice);
    f->param = arena_dup(r->arena, str_head(str_c(member), 200));
    return ERR_UNSUPPORTED_PARAM;
}

/* `what` the target does not do, and who does. */
static const char *said_of(const struct ir_report *r, const char *tag, const char *what)
{
    const char *who = who_takes(str_c(tag));
    return arena_printf(r->arena, "%s %.*s%s%s%s", what, STR_ARG(target_of(r)),
                        who ? " (taken by " : "", who ? who : "", who ? ")" : "")
        .p;
}

static enum err refuse_strict(const struct ir_report *r, const char *tag, const char *member,
                              struct fault *f)
{
    return refuse(r, member, said_of(r, tag, "cannot be carried exactly to"), strict_advice, f);
}

enum err ir_degrade_as(struct ir_report *r, const char *tag, const char *member, const char *why,
                       struct fault *f)
{
    if (r->strict)
        return refuse(r, member, why, strict_advice, f);
    add(r, tag, IR_DEGRADED);
    return ERR_OK;
}

enum err ir_degrade(struct ir_report *r, const char *tag, const char *member, struct fault *f)
{
    if (r->strict)
        return refuse_strict(r, tag, member, f);
    add(r, tag, IR_DEGRADED);
    return ERR_OK;
}

enum err ir_drop_as(struct ir_report *r, const char *tag, const char *member, const char *why,
                    struct fault *f)
{
    if (r->strict || !r->drop_params)
        return refuse(r, member, why, r->strict ? strict_advice : drop_advice, f);
    add(r, tag, IR_DROPPED);
    return ERR_OK;
}

enum err ir_drop(struct ir_report *r, const char *tag, const char *member, struct fault *f)
{
    if (r->strict)
        return refuse_strict(r, tag, member, f);
    if (!r->drop_params)
        return refuse(r, member, said_of(r, tag, "is not supported by"), drop_advice, f);
    add(r, tag, IR_DROPPED);
    return ERR_OK;
}

enum err ir_lose(struct ir_report *r, const char *tag, const char *member, struct fault *f)
{
    if (r->strict)
        return refuse_strict(r, tag, member, f);
    add(r, tag, IR_DROPPED);
    return ERR_OK;
}

static int by_tag(const void *a, const void *b)
{
    const struct ir_loss_row *x = a, *y = b;
    return str_cmp(x->tag, y->tag);
}

static bool write_rows(const struct ir_loss_row *rows, size_t n, enum ir_loss loss,
                       const char *lead, struct buf *out)
{
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        if (rows[i].loss != loss)
            continue;
        buf_putz(out, any ? "," : lead);
        buf_put(out, rows[i].tag);
        any = true;
    }
    return any;
}

void ir_report_write(const struct ir_report *r, struct buf *out)
{
    struct ir_loss_row sorted[ROWS_MAX + 2];
    if (r->count == 0) {
        buf_putz(out, "exact");
        return;
    }
    memcpy(sorted, r->rows, r->count * sizeof sorted[0]);
    qsort(sorted, r->count, sizeof sorted[0], by_tag);
    bool degraded = write_rows(sorted, r->count, IR_DEGRADED, "degraded=", out);
    write_rows(sorted, r->count, IR_DROPPED, degraded ? "; dropped=" : "dropped=", out);
}
