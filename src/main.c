#include "base/mem.h"
#include "conf/conf.h"
#include "options.h"
#include "provider/provider.h"
#include "serve.h"

#include <stdio.h>

static void put_providers(struct buf *out)
{
    for (size_t i = 0; provider_at(i); i++) {
        const struct provider *p = provider_at(i);
        buf_printf(out, "%-24.*s %.*s%s%.*s\n", STR_ARG(p->name), STR_ARG(p->title),
                   p->note.len ? ": " : "", STR_ARG(p->note));
        buf_printf(out, "%-24s api_base %.*s, ", "",
                   STR_ARG(p->base_url.len        ? p->base_url
                           : p->url == URL_VERTEX ? STR("made of vertex_location")
                                                  : STR("required")));
        if (p->auth == AUTH_GOOGLE)
            buf_putz(out, "Google credentials (vertex_credentials) or api_key\n");
        else
            buf_printf(out, "key %.*s%s\n", STR_ARG(p->key_env),
                       p->key_optional ? " if it has one" : "");
    }
}

int main(int argc, char **argv)
{
    struct options o;
    struct buf out;
    int status = 0;
    buf_init(&out, 16 * MIB);
    bool ok = options_parse(argc, argv, &o, &out);
    fprintf(stderr, "%.*s", STR_ARG(buf_str(&out)));
    buf_reset(&out);
    if (!ok) {
        buf_done(&out);
        return 2;
    }
    switch (o.command) {
    case CMD_SERVE: status = serve(&o); break;
    case CMD_CHECK: status = check(&o); break;
    case CMD_VERSION: buf_put(&out, STR("weir " WEIR_VERSION "\n")); break;
    case CMD_PROVIDERS: put_providers(&out); break;
    case CMD_DOCS: conf_write_docs(&out); break;
    case CMD_HELP: options_help(&out); break;
    }
    printf("%.*s", STR_ARG(buf_str(&out)));
    buf_done(&out);
    return status;
}
