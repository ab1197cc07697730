#include "net/tunnel.h"

#include "base/mem.h"
#include "net/net_priv.h"

#include <stdio.h>

#define HEAD_MAX_BYTES ((size_t)16 * 1024)
#define PROBLEM_BYTES 256

struct tunnel {
    struct stream *s;
    const struct proxy *proxy;
    tunnel_fn *on_done;
    void *ctx;
    struct buf head;
};

void tunnel_cancel(struct tunnel *t)
{
    if (!t)
        return;
    buf_done(&t->head);
    mem_free(t);
}

static void done(struct tunnel *t, enum err e, const char *problem)
{
    tunnel_fn *fn = t->on_done;
    void *ctx = t->ctx;
    stream_set_events(t->s, NULL, NULL);
    tunnel_cancel(t);
    fn(ctx, e, str_c(problem));
}

/* -- the answer */

/* "HTTP/1.1 200 OK" -> 200; 0: not that. */
static int status_of(struct str line)
{
    if (line.len < 12 || !str_starts(line, STR("HTTP/1.")) || line.p[8] != ' ' ||
        (line.len > 12 && line.p[12] != ' '))
        return 0;
    uint64_t status = 0;
    if (!str_u64(str_of(line.p + 9, 3), &status) || status < 100)
        return 0;
    return (int)status;
}

/* The reason comes from outside: what of it is plain text. */
static int printable(struct str s)
{
    size_t n = 0;
    while (n < s.len && n < 60 && s.p[n] >= ' ' && s.p[n] <= '~')
        n++;
    return (int)n;
}

static void refused(struct tunnel *t, int status, struct str line)
{
    struct str reason = str_trim(str_skip(line, 12));
    char problem[PROBLEM_BYTES];
    const char *advice = status == 407 ? "; check the user and password in " : "";
    snprintf(problem, sizeof problem, "it answered CONNECT with %d %.*s%s%s", status,
             printable(reason), reason.len ? reason.p : "", advice, *advice ? t->proxy->var : "");
    done(t, ERR_PROXY, problem);
}

/* Offset behind the empty line; STR_NONE: not there yet. */
static size_t head_end(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] != '\n')
            continue;
        if (i + 1 < s.len && s.p[i + 1] == '\n')
            return i + 2;
        if (i + 2 < s.len && s.p[i + 1] == '\r' && s.p[i + 2] == '\n')
            return i + 3;
    }
    return STR_NONE;
}

static void on_data(void *ctx, struct str bytes)
{
    struct tunnel *t = ctx;
    buf_put(&t->head, bytes);
    if (t->head.fail) {
        done(t, ERR_PROXY, "its answer to CONNECT has a head of more than 16 KiB");
        return;
    }
    for (;;) {
        struct str all = buf_str(&t->head), rest = all;
        size_t end = head_end(all);
        if (end == STR_NONE)
            return;
        struct str line = str_trim(str_cut(&rest, '\n'));
        int status = status_of(line);
        if (status >= 100 && status < 200) {
            buf_shift(&t->head, end);
            continue;
        }
        if (!status)
            done(t, ERR_PROXY, "its answer to CONNECT is not HTTP/1");
        else if (status > 299)
            refused(t, status, line);
        else if (end < all.len)
            done(t, ERR_PROXY, "it sent bytes before the target was spoken to");
        else
            done(t, ERR_OK, "");
        return;
    }
}

static void on_end(void *ctx, enum err why)
{
    done(ctx, ERR_PROXY, "it closed the connection before it answered CONNECT");
}

/* -- the request */

struct tunnel *tunnel_start(struct stream *s, const struct proxy *p, struct str host, uint16_t port,
                            tunnel_fn *on_done, void *ctx)
{
    static const struct stream_events events = { .on_data = on_data, .on_end = on_end };
    struct tunnel *t = MEM_NEW(struct tunnel);
    t->s = s;
    t->proxy = p;
    t->on_done = on_done;
    t->ctx = ctx;
    buf_init(&t->head, HEAD_MAX_BYTES);
    stream_set_events(s, &events, t);
    bool v6 = str_find_char(host, ':') != STR_NONE;
    char target[300];
    int n = snprintf(target, sizeof target, v6 ? "[%.*s]:%u" : "%.*s:%u", STR_ARG(host), port);
    struct str at = str_of(target, (size_t)n);
    struct str segs[] = { STR("CONNECT "),
                          at,
                          STR(" HTTP/1.1\r\nHost: "),
                          at,
                          STR("\r\n"),
                          p->auth ? STR("Proxy-Authorization: ") : STR(""),
                          str_c(p->auth),
                          p->auth ? STR("\r\n\r\n") : STR("\r\n") };
    stream_write(s, segs, sizeof segs / sizeof segs[0]);
    return t;
}
