/*   net_dial -> (name) DNS -> TCP, several addresses -> (proxy) CONNECT -> (tls) handshake ->
 * on_done
 *
 * Streams that are still connecting know their dial by ctx; a dial that ends early closes them, so
 * that no callback of theirs finds it gone. Failures are reported by a deferred call, because some
 * are known within net_dial. */
#include "net/dial.h"

#include "base/mem.h"
#include "net/dns_priv.h"
#include "net/filter.h"
#include "net/net_priv.h"
#include "net/tunnel.h"

#include <stdio.h>

#define ATTEMPT_DELAY_MS 250 /* RFC 8305, section 5 */
#define DETAIL_BYTES 448

enum dial_phase { PHASE_DNS, PHASE_TCP, PHASE_PROXY, PHASE_TLS };
static const char *const phase_names[] = { "looking up", "connecting to",
                                           "waiting for the proxy for", "TLS handshake with" };

struct dial {
    struct loop *loop;
    struct dns *dns;
    struct dial_opts o;
    const struct proxy *proxy; /* NULL: direct */
    dial_fn *on_done;
    void *ctx;
    enum dial_phase phase;
    struct timer timeout, next;
    struct dns_query *query;
    struct addrs addrs; /* of the target, or of its proxy */
    size_t tried;
    struct stream *trying[ADDRS_MAX];
    size_t trying_count;
    struct stream *s; /* connected */
    struct tunnel *tunnel;
    struct defer failed;
    enum err fail;
    char detail[DETAIL_BYTES];
};

/* -- the end */

static void stop(struct dial *d)
{
    timer_stop(&d->timeout);
    timer_stop(&d->next);
    if (d->query)
        dns_cancel(d->query);
    d->query = NULL;
    while (d->trying_count > 0)
        stream_abort(d->trying[--d->trying_count]);
    tunnel_cancel(d->tunnel);
    d->tunnel = NULL;
    if (d->s)
        stream_close(d->s); /* an alert may still be on its way */
    d->s = NULL;
}

static void dial_free(struct dial *d)
{
    stop(d);
    defer_cancel(&d->failed);
    tls_unref(d->o.tls);
    mem_free(d);
}

void dial_cancel(struct dial *d)
{
    if (d)
        dial_free(d);
}

static void on_failed(void *ctx)
{
    struct dial *d = ctx;
    char detail[DETAIL_BYTES];
    memcpy(detail, d->detail, sizeof detail);
    dial_fn *fn = d->on_done;
    void *fn_ctx = d->ctx;
    enum err e = d->fail;
    dial_free(d);
    fn(fn_ctx, NULL, e, str_c(detail));
}

/* d->detail has been written. */
static void fail(struct dial *d, enum err e)
{
    d->fail = e;
    stop(d);
    loop_defer(d->loop, &d->failed);
}

static void succeed(struct dial *d)
{
    struct stream *s = d->s;
    dial_fn *fn = d->on_done;
    void *fn_ctx = d->ctx;
    d->s = NULL;
    dial_free(d);
    fn(fn_ctx, s, ERR_OK, STR(""));
}

static void on_timeout(void *ctx)
{
    struct dial *d = ctx;
    size_t used = (size_t)snprintf(d->detail, sizeof d->detail, "%s %.*s:%u took more than %llu ms",
                                   phase_names[d->phase], STR_ARG(d->o.host), d->o.port,
                                   (unsigned long long)d->o.timeout_ms);
    if (d->phase == PHASE_TCP && d->trying_count && used < sizeof d->detail)
        snprintf(d->detail + used, sizeof d->detail - used, " (last tried %.*s)",
                 STR_ARG(stream_peer(d->trying[d->trying_count - 1])));
    fail(d, ERR_TIMEOUT);
}

/* -- TLS */

static void on_handshake(void *ctx, struct stream *s, enum err e, struct str problem)
{
    struct dial *d = ctx;
    if (!e) {
        succeed(d);
        return;
    }
    snprintf(d->detail, sizeof d->detail, "TLS with %.*s:%u: %.*s", STR_ARG(d->o.host), d->o.port,
             STR_ARG(problem));
    fail(d, ERR_TLS);
}

static void start_tls(struct dial *d)
{
    if (!d->o.tls) {
        succeed(d);
        return;
    }
    d->phase = PHASE_TLS;
    char problem[TLS_PROBLEM_BYTES];
    if (filter_start_client(d->s, d->o.tls, d->o.host, d->o.port, on_handshake, d, problem)) {
        snprintf(d->detail, sizeof d->detail, "TLS with %.*s:%u: %s", STR_ARG(d->o.host), d->o.port,
                 problem);
        fail(d, ERR_TLS);
    }
}

/* -- proxy */

static void on_tunnel(void *ctx, enum err e, struct str problem)
{
    struct dial *d = ctx;
    d->tunnel = NULL;
    if (!e) {
        start_tls(d);
        return;
    }
    snprintf(d->detail, sizeof d->detail, "proxy %s:%u for %.*s:%u: %.*s", d->proxy->host,
             d->proxy->port, STR_ARG(d->o.host), d->o.port, STR_ARG(problem));
    fail(d, ERR_PROXY);
}

/* -- TCP */

static void connected(struct dial *d, struct stream *s)
{
    for (size_t i = 0; i < d->trying_count; i++) {
        if (d->trying[i] != s)
            stream_abort(d->trying[i]);
    }
    d->trying_count = 0;
    timer_stop(&d->next);
    d->s = s;
    stream_set_events(s, NULL, NULL);
    uv_os_fd_t fd = -1;
    if (!uv_fileno((uv_handle_t *)&s->tcp, &fd))
        socket_keepalive(fd);
    stream_start(s);
    if (d->proxy) {
        d->phase = PHASE_PROXY;
        d->tunnel = tunnel_start(s, d->proxy, d->o.host, d->o.port, on_tunnel, d);
    } else {
        start_tls(d);
    }
}

static void try_next(struct dial *d);

static void attempt_failed(struct dial *d, const struct stream *s, int uv_error)
{
    snprintf(d->detail, sizeof d->detail, "connect to %.*s%s (%.*s): %s", STR_ARG(stream_peer(s)),
             d->proxy ? ", the proxy" : "", STR_ARG(d->proxy ? str_c(d->proxy->host) : d->o.host),
             uv_strerror(uv_error));
}

static void on_connect(uv_connect_t *rq, int status)
{
    struct stream *s = rq->handle->data;
    if (s->closing)
        return;
    struct dial *d = s->ctx;
    if (!status) {
        connected(d, s);
        return;
    }
    attempt_failed(d, s, status);
    for (size_t i = 0; i < d->trying_count; i++) {
        if (d->trying[i] == s)
            d->trying[i] = d->trying[--d->trying_count];
    }
    stream_abort(s);
    try_next(d);
}

static bool attempt(struct dial *d, const union addr *a)
{
    struct stream *s = stream_new(d->loop);
    s->ctx = d;
    stream_set_peer(s, a);
    uv_tcp_nodelay(&s->tcp, 1);
    int e = uv_tcp_connect(&s->rq.connect, &s->tcp, &a->sa, on_connect);
    if (e) {
        attempt_failed(d, s, e);
        stream_abort(s);
        return false;
    }
    d->trying[d->trying_count++] = s;
    return true;
}

/* The next address, at once; the one after it in a while. */
static void try_next(struct dial *d)
{
    timer_stop(&d->next);
    while (d->tried < d->addrs.count) {
        if (!attempt(d, &d->addrs.a[d->tried++]))
            continue;
        if (d->tried < d->addrs.count)
            timer_set(&d->next, ATTEMPT_DELAY_MS);
        return;
    }
    if (!d->trying_count)
        fail(d, d->proxy ? ERR_PROXY : ERR_CONNECT);
}

static void on_next(void *ctx)
{
    try_next(ctx);
}

/* The resolver's order (RFC 6724) decides which family is first; then they alternate (RFC 8305,
 * section 4). */
static void interleave(const struct addrs *from, uint16_t port, struct addrs *ret_addrs)
{
    size_t n = from->count, at[2] = { 0, 0 };
    int first = n ? from->a[0].sa.sa_family : AF_INET6;
    ret_addrs->count = 0;
    for (size_t turn = 0; ret_addrs->count < n; turn ^= 1) {
        size_t *i = &at[turn];
        while (*i < n && (from->a[*i].sa.sa_family == first) != (turn == 0))
            ++*i;
        if (*i == n)
            continue;
        union addr *to = &ret_addrs->a[ret_addrs->count++];
        *to = from->a[(*i)++];
        addr_set_port(to, port);
    }
}

static void resolved(struct dial *d, const struct addrs *a)
{
    d->phase = PHASE_TCP;
    interleave(a, d->proxy ? d->proxy->port : d->o.port, &d->addrs);
    try_next(d);
}

/* -- DNS */

static void no_name(struct dial *d, const char *problem)
{
    snprintf(d->detail, sizeof d->detail, "look up %s%.*s: %s", d->proxy ? "the proxy " : "",
             STR_ARG(d->proxy ? str_c(d->proxy->host) : d->o.host), problem);
    fail(d, d->proxy ? ERR_PROXY : ERR_DNS);
}

static void on_lookup(void *ctx, const struct addrs *a, const char *problem)
{
    struct dial *d = ctx;
    d->query = NULL;
    if (a)
        resolved(d, a);
    else
        no_name(d, problem);
}

static void lookup(struct dial *d, struct str host)
{
    struct addrs a = { 0 };
    const char *problem = NULL;
    if (addr_parse(host, &a.a[0])) {
        a.count = 1;
        resolved(d, &a);
        return;
    }
    switch (dns_lookup(d->dns, d->loop, host, on_lookup, d, &a, &problem, &d->query)) {
    case DNS_READY: resolved(d, &a); break;
    case DNS_FAILED: no_name(d, problem); break;
    case DNS_PENDING: break;
    }
}

/* It is sent to resolvers and proxies and shown in logs. */
static bool host_ok(struct str host)
{
    for (size_t i = 0; i < host.len; i++) {
        unsigned char c = (unsigned char)host.p[i];
        if (c <= ' ' || c >= 0x7f || strchr("/@?#\\\"[]", c))
            return false;
    }
    return host.len > 0 && host.len <= 255;
}

struct dial *net_dial(struct loop *l, struct dns *dns, const struct dial_opts *o, dial_fn *on_done,
                      void *ctx)
{
    struct dial *d = MEM_NEW(struct dial);
    d->loop = l;
    d->dns = dns;
    d->o = *o;
    d->o.tls = o->tls ? tls_ref(o->tls) : NULL;
    d->on_done = on_done;
    d->ctx = ctx;
    timer_init(&d->timeout, l, on_timeout, d);
    timer_init(&d->next, l, on_next, d);
    defer_init(&d->failed, on_failed, d);
    if (!host_ok(o->host)) {
        snprintf(d->detail, sizeof d->detail, "not a host name");
        fail(d, ERR_DNS);
        return d;
    }
    d->proxy = proxies_pick(o->proxies, o->host, o->port, o->tls != NULL);
    if (d->proxy && d->proxy->problem) {
        snprintf(d->detail, sizeof d->detail, "%s: %s, or list %.*s in NO_PROXY", d->proxy->var,
                 d->proxy->problem, STR_ARG(o->host));
        fail(d, ERR_PROXY);
        return d;
    }
    if (o->timeout_ms)
        timer_set(&d->timeout, o->timeout_ms);
    lookup(d, d->proxy ? str_c(d->proxy->host) : o->host);
    return d;
}
