#include "tlskit.h"

#include "base/mem.h"

int tls_setup(void **state)
{
    struct tls_kit *t = MEM_NEW(struct tls_kit);
    void *k = NULL;
    kit_setup(&k);
    t->k = k;
    certs_make(&t->certs);
    t->leaf = certs_server(&t->certs, "leaf");
    end_init(&t->client);
    dns_override(t->k->dns, STR("good.test"), STR("127.0.0.1"));
    dns_override(t->k->dns, STR("good.test."), STR("127.0.0.1"));
    dns_override(t->k->dns, STR("bad.test"), STR("127.0.0.1"));
    dns_override(t->k->dns, STR("."), STR("127.0.0.1"));
    *state = t;
    return 0;
}

int tls_teardown(void **state)
{
    struct tls_kit *t = *state;
    void *k = t->k;
    if (t->sv.ls)
        server_stop(&t->sv);
    end_done(&t->client);
    kit_teardown(&k);
    tls_unref(t->leaf);
    certs_done(&t->certs);
    mem_free(t);
    return 0;
}

void dial(struct tls_kit *t, const char *host, struct tls_ctx *client)
{
    end_done(&t->client);
    end_init(&t->client);
    kit_dial(t->k, &t->client, host, listener_port(t->sv.ls), client);
    kit_run(t->k, end_dialled, &t->client);
}
