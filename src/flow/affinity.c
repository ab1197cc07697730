#include "flow/affinity.h"

#include "base/mem.h"
#include "flow/flow_priv.h"
#include "wire/digest.h"

/* -- accounts */

/* extra_headers win over what weir sends itself. */
static struct str extra_header(const struct conf_deployment *d, struct str name)
{
    for (size_t i = 0; i < d->header_count; i++)
        if (str_eq_nocase(d->headers[i].name, name))
            return d->headers[i].value;
    return str_of(NULL, 0);
}

static struct str first_of(struct str a, struct str b)
{
    return a.len ? a : b;
}

struct str account_tag_make(const struct endpoint *e, const struct upstream *u,
                            const struct conf_deployment *d, struct arena *a)
{
    struct str organization =
        first_of(extra_header(d, STR("openai-organization")), d->organization);
    struct str credential = first_of(extra_header(d, STR("authorization")),
                                     first_of(extra_header(d, STR("api-key")), u->credential));
    if (organization.len || e->provider->url == URL_AZURE)
        credential = STR("");
    const struct str fields[] = { e->provider->name, e->api_base,  e->project,
                                  e->location,       organization, credential };
    char hex[SHA256_HEX_BYTES];
    struct buf text;
    buf_init(&text, MIB);
    buf_putz(&text, "account");
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        buf_printf(&text, " %zu:%.*s", fields[i].len, STR_ARG(fields[i]));
    sha256_hex(buf_str(&text), hex);
    if (text.len)
        wipe(text.p, text.len);
    buf_done(&text);
    return response_tag(str_of(hex, RESPONSE_ACCOUNT_HEX), a);
}

struct str account_tag(const struct snapshot *s, const struct pick *p, struct arena *a)
{
    const struct upstream *u = &s->upstreams[p->endpoint->index];
    if (p->deployment->endpoint == p->endpoint)
        return u->account_tag;
    return account_tag_make(p->endpoint, u, p->deployment->conf, a); /* the provider of a name */
}

/* -- affinity */

static bool reads(struct flow *f, struct str tag)
{
    return flow_dialect(f) == DIALECT_OPENAI_RESPONSES &&
           str_eq(account_tag(f->snap, &f->pick, f->arena), tag);
}

/* The next one of the group, counted from the one whose turn it is: several of an account take turns. */
static bool pick_reader(struct flow *f, struct str tag)
{
    const struct pick turn = f->pick;
    const struct group *g = turn.group;
    size_t at = 0;
    while (at < g->count && g->members[at] != turn.deployment)
        at++;
    for (size_t i = 0; i < g->count; i++) {
        const struct deployment *d = g->members[(at + i) % g->count];
        struct fault unused;
        if (router_is_usable(d) &&
            !router_pick_deployment(f->snap->router, f->rq.model, d->conf->id, f->arena, &f->pick,
                                    &unused) &&
            reads(f, tag))
            return true;
    }
    f->pick = turn;
    return false;
}

void affinity_pick(struct flow *f, const struct response_tags *tags)
{
    for (size_t i = tags->count; i > 0; i--)
        if (pick_reader(f, tags->tags[i - 1]))
            return;
}
