/* net/dns_priv.h -- looking a name up, from a loop. */
#ifndef NET_DNS_PRIV_H
#define NET_DNS_PRIV_H

#include "net/dial.h"
#include "net/net_priv.h"

/* How old an answer may be: to be given without asking; to be given while it is looked up again; to
 * be given when the resolver fails. And how long a failure is not tried again. */
#define DNS_FRESH_US ((uint64_t)30 * 1000000)
#define DNS_REFRESH_US ((uint64_t)300 * 1000000)
#define DNS_STALE_US ((uint64_t)3600 * 1000000)
#define DNS_FAILED_US ((uint64_t)1000000)
#define DNS_QUEUE_MAX 1024
#define DNS_ENTRIES_MAX 4096

/* Where answers and time come from; tests have their own. `resolve` blocks; it returns 0, or a code
 * of getaddrinfo. */
struct dns_source {
    int (*resolve)(void *ctx, struct str host, struct addrs *ret_addrs);
    uint64_t (*now_us)(void *ctx);
    void *ctx;
};
struct dns *dns_new_with(unsigned threads, const struct dns_source *src);

/* Called once, from the loop; `a` is NULL on failure, and then `problem` is a constant text. */
typedef void dns_fn(void *ctx, const struct addrs *a, const char *problem);

enum dns_state {
    DNS_READY,   /* *ret_addrs is the answer; no callback */
    DNS_FAILED,  /* *ret_problem says why; no callback */
    DNS_PENDING, /* *ret_query until the callback or dns_cancel */
};
struct dns_query;
enum dns_state dns_lookup(struct dns *d, struct loop *l, struct str host, dns_fn *fn, void *ctx,
                          struct addrs *ret_addrs, const char **ret_problem,
                          struct dns_query **ret_query);
void dns_cancel(struct dns_query *q); /* no callback comes; on the loop's thread */

#endif
