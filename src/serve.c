/* The control thread: it starts the workers, then waits for signals.
 *
 *   RUNNING --SIGHUP--> RUNNING (another snapshot, or the old one and a message)
 *   RUNNING --SIGTERM, SIGINT--> DRAINING: readiness 503, answers close their connections
 *   DRAINING --drain_delay--> listeners closed; a worker ends with its last request
 *   DRAINING --drain_timeout or a second signal--> what is left is cut with an error that says so */
#include "serve.h"

#include "admin/admin.h"
#include "base/clock.h"
#include "base/mem.h"
#include "flow/worker.h"
#include "log_writer.h"
#include "routes.h"
#include "world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#define WORKERS_MAX 256

struct control {
    const struct options *o;
    struct world world;
    struct loop *loop;
    struct gateway gw;
    struct log_writer *log;
    struct snapshot *snapshot;
    struct hash_seed seed;
    struct worker *workers[WORKERS_MAX];
    pthread_t threads[WORKERS_MAX];
    unsigned worker_count, running;
    uv_signal_t signals[3];
    struct timer drain_timer, store_timer;
    uint64_t store_failed; /* writes, as said last */
    struct str host;
    bool loopback_only;
    bool listeners_closed;
    int data_lock;
};

/* -- messages to the operator: on stderr, in the form of the log */

static void __attribute__((format(printf, 3, 4)))
say(struct control *c, enum log_level level, const char *fmt, ...)
{
    struct arena *a = arena_new();
    struct buf line;
    struct log_line l;
    va_list ap;
    va_start(ap, fmt);
    struct str text = arena_vprintf(a, fmt, ap);
    va_end(ap);
    buf_init(&line, 64 * KIB);
    if (c->gw.log_form == LOG_JSON) {
        log_begin(&l, &line, LOG_JSON, level, clock_unix_ms(), "message");
        log_str(&l, "text", text);
        log_end(&l);
    } else {
        buf_printf(&line, "weir: %s%.*s\n",
                   level == LOG_ERROR  ? "error: "
                   : level == LOG_WARN ? "warning: "
                                       : "",
                   STR_ARG(text));
    }
    fwrite(line.p, 1, line.len, stderr);
    buf_done(&line);
    arena_free(a);
}

static void say_buf(struct control *c, enum log_level level, struct buf *text)
{
    struct str rest = buf_str(text);
    while (rest.len) {
        struct str line = str_cut(&rest, '\n');
        if (line.len)
            say(c, level, "%.*s", STR_ARG(line));
    }
    buf_reset(text);
}

/* -- the config */

static void say_diags(struct control *c, const struct conf_diags *d)
{
    static const enum log_level levels[] = {
        [CONF_ERROR] = LOG_ERROR, [CONF_WARNING] = LOG_WARN, [CONF_NOTE] = LOG_INFO
    };
    for (size_t i = 0; i < d->count; i++)
        say(c, levels[d->rows[i].level], "%.*s:%u: %.*s", STR_ARG(d->rows[i].file), d->rows[i].line,
            STR_ARG(d->rows[i].msg));
}

/* What a config says about itself that only shows when it is served. */
static void say_warnings(struct control *c, const struct snapshot *s)
{
    const struct router *r = s->router;
    for (size_t i = 0; i < r->deployment_count; i++) {
        const struct deployment *d = &r->deployments[i];
        const struct endpoint *e = d->endpoint;
        struct str problem = d->problem.len ? d->problem
                             : e            ? s->upstreams[e->index].problem
                                            : str_of(NULL, 0);
        if (problem.len && !d->conf->problem.len) /* the config's own was said with its line */
            say(c, LOG_WARN, "model %.*s cannot be served: %.*s", STR_ARG(d->conf->name),
                STR_ARG(problem));
        if (e && !e->ssl_verify && e->provider)
            say(c, LOG_WARN,
                "model %.*s: ssl_verify is off: the provider's certificate is NOT checked, and whoever answers at %.*s gets "
                "your prompts and key",
                STR_ARG(d->conf->name), STR_ARG(e->api_base));
    }
}

/* NULL: the problems have been said. */
static struct snapshot *load(struct control *c)
{
    struct arena *a = arena_new();
    struct conf_diags diags = { 0 };
    struct conf_source src = world_source(&c->world);
    struct conf *conf = conf_load(&src, str_c(c->o->config), a, &diags);
    struct secret *made = NULL;
    struct buf text;
    bool fresh = false;
    buf_init(&text, 64 * KIB);
    say_diags(c, &diags);
    if (conf && !conf->general.master_key) {
        made = data_dir_master_key(c->o->data_dir, &fresh, &text);
        if (!made) {
            say_buf(c, LOG_ERROR, &text);
            conf_free(conf);
            conf = NULL;
        } else if (fresh) {
            /* The one place where a key is shown: to whoever starts the server, once, because nobody else can tell them. */
            struct str key = secret_reveal(made);
            fprintf(
                stderr,
                "weir: no master key is configured; made one, kept in %s/master_key:\n\n    %.*s\n\n",
                c->o->data_dir, STR_ARG(key));
        } else {
            say(c, LOG_INFO, "no master key is configured; the one in %s/master_key is used",
                c->o->data_dir);
        }
    }
    struct snapshot *s = conf ? snapshot_new(conf, &src, made, c->seed) : NULL;
    if (s)
        say_warnings(c, s);
    buf_done(&text);
    arena_free(a);
    return s;
}

static bool is_loopback(struct str host)
{
    struct in6_addr v6;
    struct in_addr v4;
    char text[64];
    if (str_eq_nocase(host, STR("localhost")))
        return true;
    if (host.len >= sizeof text)
        return false;
    memcpy(text, host.p, host.len);
    text[host.len] = '\0';
    if (inet_pton(AF_INET, text, &v4) == 1)
        return (ntohl(v4.s_addr) >> 24) == 127;
    return inet_pton(AF_INET6, text, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

/* True when this snapshot's key is one that must not be reachable from the network. `*ret_why` says so. */
static bool key_is_local(const struct snapshot *s, const char **ret_why)
{
    if (!s->conf->general.master_key) {
        *ret_why = "no master key is configured";
        return true;
    }
    *ret_why = "the master key is a well-known example";
    return key_is_well_known(secret_reveal(s->conf->general.master_key));
}

static bool choose_host(struct control *c)
{
    const char *why;
    c->loopback_only = key_is_local(c->snapshot, &why);
    c->host = c->o->host ? str_c(c->o->host) : c->loopback_only ? STR("127.0.0.1") : STR("0.0.0.0");
    if (c->loopback_only && !is_loopback(c->host)) {
        say(c, LOG_ERROR,
            "%s, so only loopback may be served, not %.*s: set general_settings.master_key to a secret of your own "
            "(sk- and at least 16 random characters), or --host 127.0.0.1",
            why, STR_ARG(c->host));
        return false;
    }
    if (c->loopback_only)
        say(c, LOG_WARN, "%s: serving on loopback only", why);
    return true;
}

/* -- reload */

static void on_hup(uv_signal_t *h, int signum)
{
    struct control *c = h->data;
    const char *why;
    (void)signum;
    struct snapshot *s = load(c);
    if (s && key_is_local(s, &why) && !is_loopback(c->host)) {
        say(c, LOG_ERROR, "%s, and this server listens on %.*s", why, STR_ARG(c->host));
        snapshot_unref(s);
        s = NULL;
    }
    if (!s) {
        say(c, LOG_ERROR, "reload: the new config is not used; the old one stays in force");
        return;
    }
    for (unsigned i = 0; i < c->worker_count; i++)
        worker_post_snapshot(c->workers[i], snapshot_ref(s));
    if (c->gw.sessions) {
        struct session_limits limits = session_limits_of(&s->conf->weir);
        sessions_limit(c->gw.sessions, &limits);
    }
    snapshot_unref(c->snapshot);
    c->snapshot = s;
    say(c, LOG_INFO, "reloaded %s: %zu deployments", c->o->config, s->router->deployment_count);
}

/* -- stopping */

struct ended {
    struct post post;
    struct control *c;
};

static void on_worker_ended(struct post *p)
{
    struct ended *e = CONTAINER_OF(p, struct ended, post);
    struct control *c = e->c;
    mem_free(e);
    if (--c->running)
        return;
    for (size_t i = 0; i < sizeof c->signals / sizeof c->signals[0]; i++)
        uv_close((uv_handle_t *)&c->signals[i], NULL);
    loop_stop(c->loop);
}

static void *worker_main(void *arg)
{
    struct ended *e = arg;
    struct control *c = e->c;
    worker_run(c->workers[(size_t)(uintptr_t)e->post.next]);
    e->post.next = NULL;
    loop_post(c->loop, &e->post);
    return NULL;
}

static void cut_all(struct control *c)
{
    timer_stop(&c->drain_timer);
    for (unsigned i = 0; i < c->worker_count; i++)
        worker_post_stop(c->workers[i]);
}

static void on_drain_timer(void *ctx)
{
    struct control *c = ctx;
    const struct conf_weir *w = &c->snapshot->conf->weir;
    if (c->listeners_closed) {
        say(c, LOG_WARN, "drain: %llu ms are over; what is left is cut",
            (unsigned long long)w->drain_timeout_ms);
        cut_all(c);
        return;
    }
    c->listeners_closed = true;
    for (unsigned i = 0; i < c->worker_count; i++)
        worker_post_drain(c->workers[i]);
    timer_set(&c->drain_timer, w->drain_timeout_ms);
}

static void close_answers(struct worker *w, void *ctx)
{
    (void)ctx;
    if (w->server)
        http_server_drain(w->server);
}

static void on_term(uv_signal_t *h, int signum)
{
    struct control *c = h->data;
    const struct conf_weir *w = &c->snapshot->conf->weir;
    if (atomic_exchange(&c->gw.draining, true)) {
        say(c, LOG_WARN, "second signal: stopping now");
        cut_all(c);
        return;
    }
    say(c, LOG_INFO, "%s: draining, at most %llu ms", signum == SIGINT ? "SIGINT" : "SIGTERM",
        (unsigned long long)w->drain_delay_ms + w->drain_timeout_ms);
    for (unsigned i = 0; i < c->worker_count; i++)
        worker_post_call(c->workers[i], close_answers, NULL);
    if (w->drain_delay_ms)
        timer_set(&c->drain_timer, w->drain_delay_ms);
    else
        on_drain_timer(c);
}

/* -- starting */

static const void *admin_app(const struct gateway *g, const struct snapshot *s, struct arena *a)
{
    struct admin_app *app = ARENA_NEW(a, struct admin_app);
    *app =
        (struct admin_app){ s->router, &g->routes,
                            atomic_load_explicit(&g->draining, memory_order_relaxed), g->version };
    return app;
}

static uint64_t cgroup_memory(void)
{
    struct arena *a = arena_new();
    struct str text;
    uint64_t v = 0;
    if (file_read("/sys/fs/cgroup/memory.max", 4 * KIB, a, &text) == ERR_OK &&
        !str_u64(str_trim(text), &v))
        v = 0; /* "max" */
    arena_free(a);
    return v;
}

static uint64_t quarter_of_memory(void)
{
    struct sysinfo si;
    uint64_t all = sysinfo(&si) == 0 ? (uint64_t)si.totalram * si.mem_unit : 1024 * MIB;
    uint64_t group = cgroup_memory();
    return (group && group < all ? group : all) / 4;
}

static struct str env_text(struct control *c, const char *upper, const char *lower)
{
    struct conf_source src = world_source(&c->world);
    struct str value;
    if (lower && src.get_env(src.ctx, str_c(lower), c->world.arena, &value))
        return value;
    if (upper && src.get_env(src.ctx, str_c(upper), c->world.arena, &value))
        return value;
    return str_of(NULL, 0);
}

#define STORE_LOOK_MS 5000

/* The store of responses works on without its operator; what goes wrong there is said here. */
static void look_at_store(void *ctx)
{
    struct control *c = ctx;
    struct session_stats s;
    sessions_stats(c->gw.sessions, &s);
    if (s.failed > c->store_failed)
        say(c, LOG_ERROR, "sessions.db: %llu responses could not be written: %s",
            (unsigned long long)(s.failed - c->store_failed), s.problem);
    c->store_failed = s.failed;
    timer_set(&c->store_timer, STORE_LOOK_MS);
}

static void make_gateway(struct control *c, struct buf *text)
{
    const struct conf *conf = c->snapshot->conf;
    struct gateway *g = &c->gw;
    g->routes = route_table;
    g->dns = dns_new(2);
    /* As curl has it: HTTP_PROXY in capitals could come from a CGI request, so it is not read. */
    g->proxies =
        proxies_new(env_text(c, NULL, "http_proxy"), env_text(c, "HTTPS_PROXY", "https_proxy"),
                    env_text(c, "ALL_PROXY", "all_proxy"), env_text(c, "NO_PROXY", "no_proxy"));
    g->version = STR(WEIR_VERSION);
    g->in_flight_max =
        conf->weir.max_bytes_in_flight ? conf->weir.max_bytes_in_flight : quarter_of_memory();
    g->access_log = conf->weir.access_log;
    g->write_log = log_writer_put;
    g->log_ctx = c->log;
    g->admin_app = admin_app;
    g->sessions = data_dir_sessions(c->o->data_dir, &conf->weir, text);
    say_buf(c, LOG_ERROR, text);
    if (g->sessions)
        timer_set(&c->store_timer, STORE_LOOK_MS);
}

/* Bodies come and go at every request: with glibc's 128 KiB the top of the heap would be given back and faulted in again each
 * time, which costs more than the request. Bodies of a megabyte and more still go back to the system at once. */
static void steady_heap(void)
{
    mallopt(M_TRIM_THRESHOLD, 2 * 1024 * 1024);
    mallopt(M_MMAP_THRESHOLD, 1024 * 1024);
}

static void raise_open_files(void)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < r.rlim_max) {
        r.rlim_cur = r.rlim_max;
        setrlimit(RLIMIT_NOFILE, &r);
    }
}

static bool make_tls(struct control *c, struct tls_ctx **ret_tls)
{
    const struct conf_weir *w = &c->snapshot->conf->weir;
    struct str cert = c->o->tls_cert ? str_c(c->o->tls_cert) : w->tls_certificate;
    struct str key = c->o->tls_key ? str_c(c->o->tls_key) : w->tls_key, problem;
    *ret_tls = NULL;
    if (cert.len == 0)
        return true;
    if (tls_server_new(cert, key, c->world.arena, ret_tls, &problem)) {
        say(c, LOG_ERROR, "HTTPS cannot be served: %.*s", STR_ARG(problem));
        return false;
    }
    return true;
}

/* Workers share the port by SO_REUSEPORT, which would also let a second server in: the first bind is without it. */
static bool port_is_free(struct control *c, const struct listen_opts *lo)
{
    struct listen_opts trial = *lo;
    struct listener *ls;
    int err_no = 0;
    if (lo->port == 0)
        return true;
    trial.reuse_port = false;
    trial.tls = NULL;
    enum err e = listener_new(c->loop, &trial, NULL, NULL, &ls, &err_no);
    if (!e) {
        listener_close(ls);
        uv_run(loop_uv(c->loop), UV_RUN_NOWAIT); /* its socket goes when the loop has turned */
        return true;
    }
    if (err_no == EADDRINUSE)
        say(c, LOG_ERROR,
            "port %u on %.*s is in use by another program; stop it or choose another with --port",
            lo->port, STR_ARG(lo->host));
    else
        say(c, LOG_ERROR, "cannot listen on %.*s:%u: %s", STR_ARG(lo->host), lo->port,
            e == ERR_DNS ? "the host is no address of this machine" : strerror(err_no));
    return false;
}

static bool start_workers(struct control *c, struct tls_ctx *tls)
{
    struct worker_opts wo = {
        .gw = &c->gw,
        .snapshot = c->snapshot,
        .listen = { .host = c->host, .port = c->o->port, .reuse_port = true, .tls = tls },
    };
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned n = c->o->workers                       ? c->o->workers
                 : cores > 0 && cores <= WORKERS_MAX ? (unsigned)cores
                                                     : 1;
    int err_no = 0;
    if (!port_is_free(c, &wo.listen))
        return false;
    for (unsigned i = 0; i < n; i++) {
        wo.index = i;
        if (worker_new(&wo, &c->workers[i], &err_no)) {
            say(c, LOG_ERROR, "cannot listen on %.*s:%u: %s", STR_ARG(c->host), wo.listen.port,
                strerror(err_no));
            return false;
        }
        c->worker_count++;
        wo.listen.port = listener_port(c->workers[i]->listener);
    }
    for (unsigned i = 0; i < n; i++) {
        struct ended *e = MEM_NEW(struct ended);
        e->c = c;
        e->post.fn = on_worker_ended;
        e->post.next = (struct post *)(uintptr_t)i; /* its number, until it is posted */
        if (pthread_create(&c->threads[i], NULL, worker_main, e)) {
            say(c, LOG_ERROR, "a worker thread could not be started");
            exit(1); /* the threads that run cannot be joined before they have a loop to stop */
        }
        c->running++;
    }
    bool v6 = str_find_char(c->host, ':') != STR_NONE;
    say(c, LOG_INFO,
        "weir " WEIR_VERSION " listening on http%s://%s%.*s%s:%u (%u workers, %zu deployments)",
        tls ? "s" : "", v6 ? "[" : "", STR_ARG(c->host), v6 ? "]" : "", wo.listen.port, n,
        c->snapshot->router->deployment_count);
    return true;
}

static void start_signals(struct control *c)
{
    static const int numbers[] = { SIGHUP, SIGTERM, SIGINT };
    for (size_t i = 0; i < 3; i++) {
        uv_signal_init(loop_uv(c->loop), &c->signals[i]);
        c->signals[i].data = c;
        uv_signal_start(&c->signals[i], numbers[i] == SIGHUP ? on_hup : on_term, numbers[i]);
    }
}

static void run(struct control *c)
{
    start_signals(c);
    loop_run(c->loop);
    for (unsigned i = 0; i < c->worker_count; i++)
        pthread_join(c->threads[i], NULL);
}

static void stop_all(struct control *c)
{
    timer_stop(&c->store_timer);
    sessions_close(c->gw.sessions); /* posts its last answers to the loops that worker_free ends */
    for (unsigned i = 0; i < c->worker_count; i++)
        worker_free(c->workers[i]);
    timer_stop(&c->drain_timer);
    dns_free(c->gw.dns);
    proxies_free((struct proxies *)(uintptr_t)c->gw.proxies);
    log_writer_free(c->log);
    snapshot_unref(c->snapshot);
    loop_free(c->loop);
    world_done(&c->world);
    if (c->data_lock >= 0)
        close(c->data_lock);
}

static bool prepare(struct control *c, struct buf *text)
{
    struct rng rng;
    rng_init(&rng);
    rng_bytes(&rng, &c->seed, sizeof c->seed);
    signal(SIGPIPE, SIG_IGN);
    steady_heap();
    raise_open_files();
    if (!c->o->config) {
        say(c, LOG_ERROR,
            "no config: start with `weir --config config.yaml` (examples/config.yaml is one to begin with)");
        return false;
    }
    if (world_init(&c->world, c->o->env_file, text)) {
        say_buf(c, LOG_ERROR, text);
        return false;
    }
    c->data_lock = data_dir_lock(c->o->data_dir, text);
    if (c->data_lock < 0) {
        say_buf(c, LOG_ERROR, text);
        return false;
    }
    c->snapshot = load(c);
    if (!c->snapshot)
        return false;
    c->gw.log_form = c->snapshot->conf->litellm.json_logs ? LOG_JSON : LOG_TEXT;
    return choose_host(c);
}

int serve(const struct options *o)
{
    struct control *c = MEM_NEW(struct control);
    struct tls_ctx *tls = NULL;
    struct buf text;
    bool ok = false;
    buf_init(&text, 64 * KIB);
    c->o = o;
    c->data_lock = -1;
    c->loop = loop_new();
    timer_init(&c->drain_timer, c->loop, on_drain_timer, c);
    timer_init(&c->store_timer, c->loop, look_at_store, c);
    if (prepare(c, &text)) {
        c->log = log_writer_new(STDOUT_FILENO);
        make_gateway(c, &text);
        ok = make_tls(c, &tls) && start_workers(c, tls);
    }
    if (ok) {
        run(c);
        say(c, LOG_INFO, "stopped");
    } else {
        for (unsigned i = 0; i < c->worker_count;
             i++) { /* made, never started: they end in this thread */
            worker_post_stop(c->workers[i]);
            worker_run(c->workers[i]);
        }
    }
    buf_done(&text);
    tls_unref(tls);
    stop_all(c);
    mem_free(c);
    return ok ? 0 : 1;
}
