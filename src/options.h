/* options.h -- the command line: weir's own options, and LiteLLM's under their names. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "base/buf.h"

enum command { CMD_SERVE, CMD_CHECK, CMD_VERSION, CMD_PROVIDERS, CMD_DOCS, CMD_HELP };

struct options {
    enum command command;
    const char *config; /* NULL: none given */
    const char *host;   /* NULL: by the key (docs/configuration.md) */
    const char *data_dir;
    const char *env_file; /* NULL: none */
    const char *tls_cert, *tls_key;
    uint16_t port;
    unsigned workers; /* 0: one a core */
};

/* False: `out` says what is wrong, and the process should exit with 2. True: `out` holds notes, if any. */
bool options_parse(int argc, char **argv, struct options *ret_options, struct buf *out);
void options_help(struct buf *out);

#endif
