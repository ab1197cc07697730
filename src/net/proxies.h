/* net/proxies.h -- which proxy stands before a host. Values only; parsed once. Thread: any. */
#ifndef NET_PROXIES_H
#define NET_PROXIES_H

#include "net/dial.h"

struct proxy {
    char *host; /* NULL: none */
    uint16_t port;
    char *auth;          /* the value of Proxy-Authorization; NULL: none. A secret */
    const char *var;     /* "HTTPS_PROXY", for messages */
    const char *problem; /* NULL, or why it cannot be used */
};

/* NULL: none, go there directly. */
const struct proxy *proxies_pick(const struct proxies *p, struct str host, uint16_t port, bool tls);

#endif
