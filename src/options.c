#include "options.h"

#include <stdio.h>
#include <stdlib.h>

enum id {
    O_CONFIG,
    O_HOST,
    O_PORT,
    O_DATA,
    O_WORKERS,
    O_ENV_FILE,
    O_TLS_CERT,
    O_TLS_KEY,
    O_HELP,
    O_VERSION,
    O_IGNORED,
};

static const struct option_row {
    const char *name, *short_name;
    enum id id;
    bool takes_value;
    const char *value, *help; /* help NULL: not listed */
} rows[] = {
    { "--config", "-c", O_CONFIG, true, "FILE",
      "the config, a LiteLLM config.yaml (CONFIG_FILE_PATH)" },
    { "--host", NULL, O_HOST, true, "H",
      "address to listen on (HOST); default 0.0.0.0, or 127.0.0.1 with a generated or well-known key" },
    { "--port", NULL, O_PORT, true, "N", "port (PORT); default 4000, 0 takes any free one" },
    { "--data", NULL, O_DATA, true, "DIR", "data directory (WEIR_DATA); default ./weir-data" },
    { "--workers", NULL, O_WORKERS, true, "N",
      "worker threads, 1 to 256 (NUM_WORKERS); default one a core" },
    { "--env-file", NULL, O_ENV_FILE, true, "FILE",
      "variables, NAME=value a line; the environment's own win" },
    { "--ssl_certfile_path", NULL, O_TLS_CERT, true, "FILE",
      "serve HTTPS with this certificate chain (PEM)" },
    { "--ssl_keyfile_path", NULL, O_TLS_KEY, true, "FILE", "and this private key (PEM)" },
    { "--debug", NULL, O_IGNORED, false, NULL, NULL },
    { "--help", "-h", O_HELP, false, NULL, "this text" },
    { "--version", "-v", O_VERSION, false, NULL, "the version" },
    { "--num_workers", NULL, O_WORKERS, true, NULL, NULL },
    { "--detailed_debug", NULL, O_IGNORED, false, NULL, NULL },
    /* LiteLLM's: of its Python server, or done by the config here. */
    { "--run_gunicorn", NULL, O_IGNORED, false, NULL, NULL },
    { "--run_hypercorn", NULL, O_IGNORED, false, NULL, NULL },
    { "--max_requests_before_restart", NULL, O_IGNORED, true, NULL, NULL },
    { "--keepalive_timeout", NULL, O_IGNORED, true, NULL, NULL },
    { "--timeout_worker_healthcheck", NULL, O_IGNORED, true, NULL, NULL },
    { "--log_config", NULL, O_IGNORED, true, NULL, NULL },
    { "--ciphers", NULL, O_IGNORED, true, NULL, NULL },
    { "--loop", NULL, O_IGNORED, true, NULL, NULL },
    { "--skip_server_startup", NULL, O_IGNORED, false, NULL, NULL },
    { "--use_prisma_db_push", NULL, O_IGNORED, false, NULL, NULL },
    { "--use_prisma_migrate", NULL, O_IGNORED, false, NULL, NULL },
    { "--iam_token_db_auth", NULL, O_IGNORED, false, NULL, NULL },
    { "--telemetry", NULL, O_IGNORED, true, NULL, NULL },
    { "--use_queue", NULL, O_IGNORED, false, NULL, NULL },
    { "--request_timeout", NULL, O_IGNORED, true, NULL, NULL },
    { "--max_budget", NULL, O_IGNORED, true, NULL, NULL },
    { "--drop_params", NULL, O_IGNORED, false, NULL, NULL },
};

#define ROWS (sizeof rows / sizeof rows[0])

static const struct {
    const char *name;
    enum command command;
    const char *help;
} commands[] = {
    { "serve", CMD_SERVE, "serve (the default)" },
    { "check", CMD_CHECK,
      "check FILE: every problem of a config with its place, and the deployments as they would be served" },
    { "providers", CMD_PROVIDERS, "the providers that are known" },
    { "docs", CMD_DOCS, "docs/configuration.md, made from the key tables" },
    { "version", CMD_VERSION, "the version" },
    { "help", CMD_HELP, "this text" },
};

#define COMMANDS (sizeof commands / sizeof commands[0])

void options_help(struct buf *out)
{
    buf_put(out,
            STR("weir, an LLM gateway: one OpenAI-shaped endpoint in front of many providers.\n\n"
                "  weir [COMMAND] [OPTIONS]\n\nCommands\n"));
    for (size_t i = 0; i < COMMANDS; i++)
        buf_printf(out, "  %-12s %s\n", commands[i].name, commands[i].help);
    buf_put(out, STR("\nOptions (with the environment variable that does the same)\n"));
    for (size_t i = 0; i < ROWS; i++) {
        char name[48];
        if (!rows[i].help)
            continue;
        snprintf(name, sizeof name, "%s%s%s%s%s", rows[i].name, rows[i].short_name ? ", " : "",
                 rows[i].short_name ? rows[i].short_name : "", rows[i].value ? " " : "",
                 rows[i].value ? rows[i].value : "");
        buf_printf(out, "  %-28s %s\n", name, rows[i].help);
    }
    buf_put(
        out,
        STR("\nSignals: SIGHUP reloads the config, SIGTERM drains and stops, a second SIGTERM stops now.\n"));
}

static bool parse_number(const char *name, struct str text, uint64_t min, uint64_t max,
                         uint64_t *ret, struct buf *out)
{
    if (str_u64(text, ret) && *ret >= min && *ret <= max)
        return true;
    buf_printf(out, "%s takes a whole number from %llu to %llu\n", name, (unsigned long long)min,
               (unsigned long long)max);
    return false;
}

static bool set_option(struct options *o, const struct option_row *row, const char *value,
                       struct buf *out)
{
    uint64_t n = 0;
    switch (row->id) {
    case O_CONFIG: o->config = value; break;
    case O_HOST: o->host = value; break;
    case O_PORT:
        if (!parse_number(row->name, str_c(value), 0, 65535, &n, out))
            return false;
        o->port = (uint16_t)n;
        break;
    case O_DATA: o->data_dir = value; break;
    case O_WORKERS:
        if (!parse_number(row->name, str_c(value), 1, 256, &n, out))
            return false;
        o->workers = (unsigned)n;
        break;
    case O_ENV_FILE: o->env_file = value; break;
    case O_TLS_CERT: o->tls_cert = value; break;
    case O_TLS_KEY: o->tls_key = value; break;
    case O_HELP: o->command = CMD_HELP; break;
    case O_VERSION: o->command = CMD_VERSION; break;
    case O_IGNORED:
        buf_printf(
            out,
            "note: %s is accepted for LiteLLM's sake and has no effect; what it does, if weir does it, is in the config "
            "(docs/configuration.md)\n",
            row->name);
        break;
    }
    return true;
}

static const struct option_row *find_row(struct str name)
{
    for (size_t i = 0; i < ROWS; i++)
        if (str_eq(name, str_c(rows[i].name)) ||
            (rows[i].short_name && str_eq(name, str_c(rows[i].short_name))))
            return &rows[i];
    return NULL;
}

static bool from_environment(struct options *o, struct buf *out)
{
    static const struct {
        const char *variable, *option;
    } env[] = {
        { "CONFIG_FILE_PATH", "--config" }, { "HOST", "--host" },           { "PORT", "--port" },
        { "WEIR_DATA", "--data" },          { "NUM_WORKERS", "--workers" },
    };
    for (size_t i = 0; i < sizeof env / sizeof env[0]; i++) {
        const char *value = getenv(env[i].variable);
        if (!value || !*value)
            continue;
        if (!set_option(o, find_row(str_c(env[i].option)), value, out)) {
            buf_printf(out, "(from the environment variable %s)\n", env[i].variable);
            return false;
        }
    }
    return true;
}

/* "--port=4000" and "--port 4000". */
static bool take_option(struct options *o, int argc, char **argv, int *at, struct buf *out)
{
    struct str arg = str_c(argv[*at]), name = str_cut(&arg, '=');
    const char *value = strchr(argv[*at], '=');
    const struct option_row *row = find_row(name);
    if (!row) {
        buf_printf(out, "%.*s is not an option; `weir help` lists them\n", STR_ARG(name));
        return false;
    }
    if (value)
        value++;
    if (row->takes_value && !value) {
        if (*at + 1 >= argc) {
            buf_printf(out, "%s needs a value\n", row->name);
            return false;
        }
        value = argv[++*at];
    }
    return set_option(o, row, value, out);
}

bool options_parse(int argc, char **argv, struct options *ret, struct buf *out)
{
    struct options o = { .data_dir = "weir-data", .port = 4000 };
    int first = 1;
    if (!from_environment(&o, out))
        return false;
    if (argc > 1 && argv[1][0] != '-') {
        size_t i = 0;
        while (i < COMMANDS && !str_eq(str_c(argv[1]), str_c(commands[i].name)))
            i++;
        if (i == COMMANDS) {
            buf_printf(out, "%s is not a command; `weir help` lists them\n", argv[1]);
            return false;
        }
        o.command = commands[i].command;
        first = 2;
    }
    for (int i = first; i < argc; i++) {
        if (o.command == CMD_CHECK && argv[i][0] != '-')
            o.config = argv[i];
        else if (!take_option(&o, argc, argv, &i, out))
            return false;
    }
    if (!o.tls_cert != !o.tls_key) {
        buf_put(out, STR("--ssl_certfile_path and --ssl_keyfile_path go together\n"));
        return false;
    }
    *ret = o;
    return true;
}
