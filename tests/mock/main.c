/* weir-mock: the provider simulator. README.md beside this file tells what it does; --help lists its options. */
#include "base/mem.h"
#include "mock/google.h"
#include "mock/invoice.h"
#include "mock/mock.h"
#include "mock/seen.h"
#include "net/tls.h"

#include <getopt.h>
#include <signal.h>
#include <stdlib.h>

struct options {
    const char *host, *cert, *key_file, *invoice, *record, *replay, *key;
    uint64_t port;
};

static const struct option long_options[] = {
    { "host", required_argument, NULL, 'h' },     { "port", required_argument, NULL, 'p' },
    { "tls-cert", required_argument, NULL, 'c' }, { "tls-key", required_argument, NULL, 'k' },
    { "invoice", required_argument, NULL, 'i' },  { "record", required_argument, NULL, 'r' },
    { "replay", required_argument, NULL, 'y' },   { "key", required_argument, NULL, 'K' },
    { "help", no_argument, NULL, '?' },           { 0 },
};

static void usage(void)
{
    puts(
        "weir-mock [--host 127.0.0.1] [--port 0] [--tls-cert FILE --tls-key FILE] [--key CREDENTIAL]\n"
        "          [--invoice FILE] [--record DIR] [--replay DIR]\n"
        "Answers as OpenAI would, or fails as the request's script asks; prints `listening on PORT`.");
}

static bool options_read(int argc, char **argv, struct options *o)
{
    *o = (struct options){ .host = "127.0.0.1" };
    for (int c; (c = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        switch (c) {
        case 'h': o->host = optarg; break;
        case 'p':
            if (!str_u64(str_c(optarg), &o->port) || o->port > 65535) {
                fprintf(stderr, "weir-mock: --port is not from 0 to 65535\n");
                return false;
            }
            break;
        case 'c': o->cert = optarg; break;
        case 'k': o->key_file = optarg; break;
        case 'i': o->invoice = optarg; break;
        case 'r': o->record = optarg; break;
        case 'y': o->replay = optarg; break;
        case 'K': o->key = optarg; break;
        default: usage(); return false;
        }
    }
    return optind == argc;
}

static void on_signal(uv_signal_t *s, int number)
{
    loop_stop(s->data);
}

static void mock_init(struct mock *m, const struct options *o)
{
    *m = (struct mock){ .loop = loop_new(), .key = str_c(o->key), .tls = o->cert != NULL };
    m->replay_dir = o->replay;
    m->record_dir = o->record;
    m->seen = seen_new();
    m->invoices = invoices_new();
    map_init(&m->counters, (struct hash_seed){ 1, 2 });
    list_init(&m->counter_list);
    list_init(&m->conns);
}

static void mock_done(struct mock *m)
{
    if (m->invoice_file)
        fclose(m->invoice_file);
    google_free(m->google);
    responses_free(m->responses);
    mock_counters_free(m);
    seen_free(m->seen);
    invoices_free(m->invoices);
    loop_free(m->loop);
}

static bool listen_on(struct mock *m, const struct options *o, struct listener **ret_listener)
{
    struct listen_opts lo = { .host = str_c(o->host), .port = (uint16_t)o->port };
    struct arena *a = arena_new();
    struct str problem = STR("");
    int errnum = 0;
    enum err e = ERR_OK;
    if (o->cert)
        e = tls_server_new(str_c(o->cert), str_c(o->key_file), a, &lo.tls, &problem);
    if (!e)
        e = listener_new(m->loop, &lo, conn_accept, m, ret_listener, &errnum);
    if (e)
        fprintf(stderr, "weir-mock: cannot listen on %s:%u: %s %s %.*s\n", o->host,
                (unsigned)o->port, err_name(e),
                errnum ? uv_strerror(uv_translate_sys_error(errnum)) : "", STR_ARG(problem));
    tls_unref(lo.tls);
    arena_free(a);
    return !e;
}

int main(int argc, char **argv)
{
    struct options o;
    struct mock m;
    struct listener *ls = NULL;
    uv_signal_t signals[2];
    static const int numbers[2] = { SIGTERM, SIGINT };
    if (!options_read(argc, argv, &o))
        return 2;
    signal(SIGPIPE, SIG_IGN);
    mock_init(&m, &o);
    if (o.invoice && !(m.invoice_file = fopen(o.invoice, "ab"))) {
        fprintf(stderr, "weir-mock: cannot write %s\n", o.invoice);
        mock_done(&m);
        return 1;
    }
    if (!listen_on(&m, &o, &ls)) {
        mock_done(&m);
        return 1;
    }
    for (int i = 0; i < 2; i++) {
        uv_signal_init(loop_uv(m.loop), &signals[i]);
        signals[i].data = m.loop;
        uv_signal_start(&signals[i], on_signal, numbers[i]);
    }
    printf("listening on %u\n", (unsigned)listener_port(ls));
    fflush(stdout);
    loop_run(m.loop);
    for (int i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&signals[i], NULL);
    listener_close(ls);
    conn_cut_all(&m);
    uv_run(loop_uv(m.loop), UV_RUN_NOWAIT);
    uv_run(loop_uv(m.loop), UV_RUN_NOWAIT);
    mock_done(&m);
    return 0;
}
