/* Members that Gemini does not take, and those that are its own (Gemini API reference, August 2026;
 * what is semantic and what may go without asking: docs/compatibility.md). */
#include "dialect/gemini_priv.h"

/* -- the deployment's own members */

struct str gemini_camel(struct str name, struct arena *a)
{
    char *p = arena_alloc(a, name.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < name.len; i++) {
        bool up = name.p[i] == '_' && i > 0 && i + 1 < name.len;
        char c = up ? name.p[++i] : name.p[i];
        p[n++] = (char)(up && c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    }
    return str_of(p, n);
}

struct str gemini_camel_members(struct str object, struct arena *a)
{
    struct buf out;
    struct json_iter it = json_iter(object);
    bool first = true;
    buf_init(&out, SIZE_MAX / 2);
    buf_putc(&out, '{');
    while (json_next(&it)) {
        if (!first)
            buf_putc(&out, ',');
        first = false;
        json_quote(&out, gemini_camel(json_unescape(str_of(it.name.p - 1, it.name.len + 2), a), a));
        buf_putc(&out, ':');
        buf_put(&out, it.value);
    }
    buf_putc(&out, '}');
    struct str done = arena_dup(a, buf_str(&out));
    buf_done(&out);
    return done;
}

const struct conf_member *gemini_own(const struct gemini_write *g, const char *name)
{
    for (size_t i = 0; i < g->t->passthrough_count; i++)
        if (str_eq(gemini_camel(g->t->passthrough[i].name, g->a), str_c(name)))
            return &g->t->passthrough[i];
    return NULL;
}

/* -- the caller's */

/* extra_body.google, as Google's own compatibility layer reads it. */
static void read_google(struct gemini_write *g, struct str extra_body)
{
    static const struct str outer[] = { STR_INIT("google") };
    static const struct str inner[] = { STR_INIT("thinking_config"), STR_INIT("thinkingConfig"),
                                        STR_INIT("cached_content"), STR_INIT("cachedContent") };
    struct json_member m[4];
    if (!json_peek_object(extra_body, outer, 1, m, NULL))
        return;
    struct str google = json_value(extra_body, &m[0]);
    json_peek_object(google, inner, 4, m, NULL);
    for (size_t i = 0; i < 4; i++) {
        struct str *to = i < 2 ? &g->thinking : &g->cached;
        if (m[i].type == (i < 2 ? JSON_OBJECT : JSON_STRING))
            *to = json_value(google, &m[i]);
    }
}

static bool take_own(struct gemini_write *g, const struct ir_ext *x)
{
    struct str name = gemini_camel(x->name, g->a);
    enum json_type type = json_type_of(x->raw);
    if (str_eq(name, STR("safetySettings")) && type == JSON_ARRAY)
        g->safety = x->raw;
    else if (str_eq(name, STR("cachedContent")) && type == JSON_STRING)
        g->cached = x->raw;
    else if (str_eq(name, STR("thinkingConfig")) && type == JSON_OBJECT)
        g->thinking = x->raw;
    else if (str_eq(name, STR("extraBody")) && type == JSON_OBJECT)
        read_google(g, x->raw);
    else
        return false;
    return true;
}

static enum err check_unknown(struct gemini_write *g)
{
    for (const struct ir_ext *x = g->rq->ext; x; x = x->next) {
        if (take_own(g, x))
            continue;
        TRY(ir_lose(g->report, arena_printf(g->a, "unknown(%.*s)", STR_ARG(x->name)).p,
                    arena_dup(g->a, x->name).p, g->fault));
    }
    return ERR_OK;
}

/* -- members without a home */

static bool has_members(struct str raw)
{
    struct json_iter it = json_iter(raw);
    return json_next(&it);
}

static enum err check_tier(struct gemini_write *g)
{
    static const struct str fine[] = { STR_INIT(""), STR_INIT("auto"), STR_INIT("default"),
                                       STR_INIT("flex"), STR_INIT("priority") };
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++)
        if (str_eq(g->rq->service_tier, fine[i]))
            return ERR_OK;
    return ir_drop(g->report, "service_tier", "service_tier", g->fault);
}

/* Speech comes from models of another API; images have no place in a chat answer. */
static enum err check_modalities(struct gemini_write *g)
{
    struct json_iter it = json_iter(g->rq->modalities);
    while (json_next(&it))
        if (!json_str_eq(it.value, STR("text")))
            return gemini_refuse(
                g, ERR_UNSUPPORTED_PARAM, STR("modalities"),
                "modalities: %.*s is not supported by %.*s through this gateway; its "
                "answers are text. Leave it out, or choose a model of OpenAI that gives it.",
                STR_ARG(str_head(it.value, 40)), STR_ARG(g->t->model));
    if (g->rq->audio.len)
        return ir_drop(g->report, "audio", "audio", g->fault);
    return ERR_OK;
}

enum err gemini_check_params(struct gemini_write *g)
{
    const struct ir_request *rq = g->rq;
    struct ir_report *rep = g->report;
    if (has_members(rq->logit_bias))
        TRY(ir_drop(rep, "logit_bias", "logit_bias", g->fault));
    if (rq->verbosity.len && !str_eq(rq->verbosity, STR("medium")))
        TRY(ir_drop(rep, "verbosity", "verbosity", g->fault));
    if (rq->prediction.len)
        TRY(ir_drop(rep, "prediction", "prediction", g->fault));
    TRY(check_modalities(g));
    TRY(check_tier(g));
    /* Bookkeeping: who asked, and where to look for it later. The gateway's log has it. */
    if (rq->user.len || rq->safety_identifier.len)
        TRY(ir_lose(rep, "user", rq->user.len ? "user" : "safety_identifier", g->fault));
    if (rq->metadata.len)
        TRY(ir_lose(rep, "metadata", "metadata", g->fault));
    if (json_type_of(rq->store) == JSON_TRUE)
        TRY(ir_lose(rep, "store", "store", g->fault));
    if (rq->prompt_cache_key.len)
        TRY(ir_lose(rep, "prompt_cache_key", "prompt_cache_key", g->fault));
    if (rq->prompt_cache_retention.len)
        TRY(ir_lose(rep, "prompt_cache_retention", "prompt_cache_retention", g->fault));
    return check_unknown(g);
}
