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

static enum err bad(struct gemini_write *g, struct str member, const char *what)
{
    return gemini_refuse(g, ERR_BAD_REQUEST, arena_dup(g->a, str_head(member, 200)), "%.*s %s",
                         STR_ARG(str_head(member, 200)), what);
}

static enum err lose_unknown(struct gemini_write *g, struct str member)
{
    return ir_lose(g->report, arena_printf(g->a, "unknown(%.*s)", STR_ARG(member)).p,
                   arena_dup(g->a, member).p, g->fault);
}

static enum err take_safety(struct gemini_write *g, struct str member, struct str raw)
{
    static const char what[] =
        "must be an array of objects such as {\"category\":\"HARM_CATEGORY_HARASSMENT\","
        "\"threshold\":\"BLOCK_ONLY_HIGH\"}";
    struct json_iter it = json_iter(raw);
    if (json_type_of(raw) != JSON_ARRAY)
        return bad(g, member, what);
    while (json_next(&it))
        if (it.type != JSON_OBJECT)
            return bad(g, member, what);
    g->safety = raw;
    return ERR_OK;
}

/* For bills (types and converters of the official SDK, November 2026). */
static enum err take_labels(struct gemini_write *g, struct str member, struct str raw)
{
    struct json_iter it = json_iter(raw);
    if (json_type_of(raw) != JSON_OBJECT)
        return bad(g, member, "must be an object of strings such as {\"team\":\"research\"}");
    while (json_next(&it))
        if (it.type != JSON_STRING)
            return bad(g, member, "must be an object of strings such as {\"team\":\"research\"}");
    g->labels = raw;
    return ERR_OK;
}

static enum err take_cached(struct gemini_write *g, struct str member, struct str raw)
{
    if (json_type_of(raw) != JSON_STRING)
        return bad(g, member, "must be the name of a cache such as \"cachedContents/abc\"");
    g->cached = raw;
    return ERR_OK;
}

static enum err take_thinking(struct gemini_write *g, struct str member, struct str raw)
{
    if (json_type_of(raw) != JSON_OBJECT)
        return bad(g, member, "must be an object such as {\"thinking_budget\":1024}");
    g->thinking = raw;
    return ERR_OK;
}

static enum err take_google(struct gemini_write *g, struct str member, struct str raw);

static enum err take_extra(struct gemini_write *g, struct str member, struct str raw);

/* What Gemini's users send beside OpenAI's members, in either spelling. */
static const struct own_member {
    struct str name, inside; /* camel; of the object that it stands in */
    enum err (*take)(struct gemini_write *g, struct str member, struct str raw);
} own_members[] = {
    { STR_INIT("safetySettings"), STR_INIT(""), take_safety },
    { STR_INIT("labels"), STR_INIT(""), take_labels },
    { STR_INIT("cachedContent"), STR_INIT(""), take_cached },
    { STR_INIT("thinkingConfig"), STR_INIT(""), take_thinking },
    /* As Google's own compatibility layer has them. */
    { STR_INIT("extraBody"), STR_INIT(""), take_extra },
    { STR_INIT("google"), STR_INIT("extra_body"), take_google },
    { STR_INIT("cachedContent"), STR_INIT("extra_body.google"), take_cached },
    { STR_INIT("thinkingConfig"), STR_INIT("extra_body.google"), take_thinking },
};

static enum err take_member(struct gemini_write *g, struct str name, struct str inside,
                            struct str raw)
{
    struct str camel = gemini_camel(name, g->a);
    struct str member =
        inside.len ? arena_printf(g->a, "%.*s.%.*s", STR_ARG(inside), STR_ARG(name)) : name;
    if (json_type_of(raw) == JSON_NULL)
        return ERR_OK;
    for (size_t i = 0; i < sizeof own_members / sizeof own_members[0]; i++)
        if (str_eq(own_members[i].name, camel) && str_eq(own_members[i].inside, inside))
            return own_members[i].take(g, member, raw);
    return lose_unknown(g, member);
}

static enum err take_inner(struct gemini_write *g, struct str member, struct str inside,
                           struct str raw)
{
    struct json_iter it = json_iter(raw);
    if (json_type_of(raw) != JSON_OBJECT)
        return bad(g, member, "must be an object such as {\"google\":{\"cached_content\":...}}");
    while (json_next(&it))
        TRY(take_member(g, json_unescape(str_of(it.name.p - 1, it.name.len + 2), g->a), inside,
                        it.value));
    return ERR_OK;
}

static enum err take_extra(struct gemini_write *g, struct str member, struct str raw)
{
    return take_inner(g, member, STR("extra_body"), raw);
}

static enum err take_google(struct gemini_write *g, struct str member, struct str raw)
{
    return take_inner(g, member, STR("extra_body.google"), raw);
}

static enum err check_unknown(struct gemini_write *g)
{
    for (const struct ir_ext *x = g->rq->ext; x; x = x->next)
        TRY(take_member(g, x->name, str_of(NULL, 0), x->raw));
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

/* Speech comes from models of another API; images from those that make them. */
static enum err check_modalities(struct gemini_write *g)
{
    struct json_iter it = json_iter(g->rq->modalities);
    while (json_next(&it)) {
        bool image = json_str_eq(it.value, STR("image")),
             audio = json_str_eq(it.value, STR("audio"));
        if (json_str_eq(it.value, STR("text")) || (image && g->t->facts->image_output))
            continue;
        if (!image && !audio)
            return gemini_refuse(g, ERR_BAD_REQUEST, STR("modalities"),
                                 "modalities: %.*s is none of text, image and audio.",
                                 STR_ARG(str_head(it.value, 40)));
        return gemini_refuse(g, ERR_UNSUPPORTED_PARAM, STR("modalities"),
                             "modalities: %.*s is not given by %.*s. Leave it out, or choose %s.",
                             STR_ARG(it.value), STR_ARG(g->t->model),
                             image ? "a model of Gemini that makes images, such as "
                                     "gemini-2.5-flash-image"
                                   : "an audio model of OpenAI");
    }
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
    if (str_eq(rq->truncation, STR("auto")))
        TRY(ir_lose(rep, "truncation", "truncation", g->fault));
    if (rq->prompt_cache_key.len)
        TRY(ir_lose(rep, "prompt_cache_key", "prompt_cache_key", g->fault));
    if (rq->prompt_cache_retention.len)
        TRY(ir_lose(rep, "prompt_cache_retention", "prompt_cache_retention", g->fault));
    return check_unknown(g);
}
