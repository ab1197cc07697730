#include "net/net_priv.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>

socklen_t addr_len(const union addr *a)
{
    return a->sa.sa_family == AF_INET6 ? sizeof a->v6 : sizeof a->v4;
}

void addr_set_port(union addr *a, uint16_t port)
{
    if (a->sa.sa_family == AF_INET6)
        a->v6.sin6_port = htons(port);
    else
        a->v4.sin_port = htons(port);
}

size_t addr_text(const union addr *a, char ret_text[ADDR_TEXT_BYTES])
{
    char ip[INET6_ADDRSTRLEN] = "?";
    int n = 0;
    if (a->sa.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &a->v6.sin6_addr, ip, sizeof ip);
        n = snprintf(ret_text, ADDR_TEXT_BYTES, "[%s]:%u", ip, ntohs(a->v6.sin6_port));
    } else {
        inet_ntop(AF_INET, &a->v4.sin_addr, ip, sizeof ip);
        n = snprintf(ret_text, ADDR_TEXT_BYTES, "%s:%u", ip, ntohs(a->v4.sin_port));
    }
    return n < 0 ? 0 : (size_t)n;
}

bool addr_parse(struct str s, union addr *ret_addr)
{
    char ip[INET6_ADDRSTRLEN];
    if (!s.len || s.len >= sizeof ip || memchr(s.p, 0, s.len))
        return false;
    memcpy(ip, s.p, s.len);
    ip[s.len] = 0;
    union addr a = { 0 };
    if (inet_pton(AF_INET, ip, &a.v4.sin_addr) == 1)
        a.sa.sa_family = AF_INET;
    else if (inet_pton(AF_INET6, ip, &a.v6.sin6_addr) == 1)
        a.sa.sa_family = AF_INET6;
    else
        return false;
    *ret_addr = a;
    return true;
}

int addrs_resolve(struct str host, int flags, struct addrs *ret_addrs)
{
    char name[256];
    if (!host.len || host.len >= sizeof name || memchr(host.p, 0, host.len))
        return EAI_NONAME;
    memcpy(name, host.p, host.len);
    name[host.len] = 0;
    struct addrinfo hints = { .ai_family = AF_UNSPEC,
                              .ai_socktype = SOCK_STREAM,
                              .ai_flags = flags };
    struct addrinfo *list = NULL;
    int e = getaddrinfo(name, NULL, &hints, &list);
    if (e)
        return e;
    size_t n = 0;
    for (const struct addrinfo *ai = list; ai && n < ADDRS_MAX; ai = ai->ai_next) {
        if (ai->ai_family != AF_INET && ai->ai_family != AF_INET6)
            continue;
        memset(&ret_addrs->a[n], 0, sizeof ret_addrs->a[n]);
        memcpy(&ret_addrs->a[n++], ai->ai_addr, ai->ai_addrlen);
    }
    freeaddrinfo(list);
    ret_addrs->count = n;
    return n ? 0 : EAI_NONAME;
}

bool socket_keepalive(int fd)
{
    int on = 1, idle_s = 60, interval_s = 15, probes = 4;
    return !setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) &&
           !setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s) &&
           !setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s) &&
           !setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
}
