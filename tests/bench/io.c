#include "io.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FILE_CAP_BYTES (16u << 20)

_Noreturn void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s: ", program_invocation_short_name);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(2);
}

uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

uint64_t number_option(const char *name, const char *text, uint64_t min, uint64_t max)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno || value < min || value > max)
        die("%s: a number from %llu to %llu is needed, got '%s'", name, (unsigned long long)min,
            (unsigned long long)max, text);
    return value;
}

const char *option(int argc, char **argv, const char *name, const char *fallback)
{
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return argv[i + 1];
    return fallback;
}

void check_options(int argc, char **argv, int first, const char *known)
{
    for (int i = first; i < argc; i += 2) {
        size_t n = strlen(argv[i]);
        const char *found = known;
        while ((found = strstr(found, argv[i])) != NULL && n > 2 &&
               !((found == known || found[-1] == ' ') && strchr(" +", found[n])))
            found += n;
        if (found == NULL || n <= 2)
            die("unknown option '%s'; options: %s", argv[i], known);
        if (i + 1 == argc)
            die("%s needs a value", argv[i]);
        if (found[n] != '+' && option(i, argv, argv[i], NULL) != NULL)
            die("%s is given twice", argv[i]);
    }
}

static void set_nodelay(int fd)
{
    int on = 1;
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
        die("TCP_NODELAY: %s", strerror(errno));
}

int listen_loopback(uint16_t port, uint16_t *ret_port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
    socklen_t bytes = sizeof(a);
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 || listen(fd, 1024) != 0 ||
        getsockname(fd, (struct sockaddr *)&a, &bytes) != 0)
        die("cannot listen on 127.0.0.1:%u: %s", port, strerror(errno));
    set_nodelay(fd); /* accepted connections inherit it */
    *ret_port = ntohs(a.sin_port);
    return fd;
}

int connect_loopback(uint16_t port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
        fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
        die("cannot connect to 127.0.0.1:%u: %s", port, strerror(errno));
    set_nodelay(fd);
    return fd;
}

int datagrams_loopback(uint16_t port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0)
        die("cannot take datagrams on 127.0.0.1:%u: %s", port, strerror(errno));
    return fd;
}

void datagram_send(int fd, uint16_t port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (sendto(fd, "", 1, 0, (struct sockaddr *)&a, sizeof(a)) != 1)
        die("cannot send a datagram to 127.0.0.1:%u: %s", port, strerror(errno));
}

bool send_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);
        if (sent >= 0) {
            bytes += sent;
            n -= (size_t)sent;
            continue;
        }
        struct pollfd p = { .fd = fd, .events = POLLOUT };
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN || poll(&p, 1, 5000) != 1)
            return false;
    }
    return true;
}

char *read_file(const char *path, size_t *ret_bytes)
{
    char *bytes = zalloc(1, FILE_CAP_BYTES);
    size_t have = 0;
    ssize_t got = -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && (got = read(fd, bytes + have, FILE_CAP_BYTES - have)) > 0)
        have += (size_t)got;
    if (fd < 0 || got < 0)
        die("cannot read %s: %s", path, strerror(errno));
    if (have == FILE_CAP_BYTES)
        die("%s is larger than %u bytes", path, FILE_CAP_BYTES - 1);
    close(fd);
    *ret_bytes = have;
    return bytes;
}

uint64_t cpu_ns(uint64_t pid)
{
    char path[300];
    uint64_t total = 0;
    snprintf(path, sizeof(path), "/proc/%llu/task", (unsigned long long)pid);
    DIR *tasks = opendir(path);
    if (!tasks)
        die("%s: %s", path, strerror(errno));
    for (struct dirent *e; (e = readdir(tasks)) != NULL;) {
        unsigned long long on_cpu = 0;
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "/proc/%llu/task/%s/schedstat", (unsigned long long)pid,
                 e->d_name);
        FILE *f = fopen(path, "re");
        if (!f)
            continue; /* the thread has ended since */
        if (fscanf(f, "%llu", &on_cpu) == 1)
            total += on_cpu;
        fclose(f);
    }
    closedir(tasks);
    return total;
}

void *zalloc(size_t count, size_t bytes)
{
    void *p = calloc(count, bytes);
    if (!p)
        die("out of memory");
    return p;
}
