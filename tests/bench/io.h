/* tests/bench/io.h -- the few system calls that the upstream and the load generator share.
 * Both are programs of one thread that end at the first thing that does not work. */
#ifndef BENCH_IO_H
#define BENCH_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NS_PER_US 1000ull
#define NS_PER_MS 1000000ull
#define NS_PER_S 1000000000ull

/* Prints "<program>: <message>" on standard error and ends with status 2. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Monotonic. */
uint64_t now_ns(void);

/* A decimal number between `min` and `max`, else ends with a message that names the option. */
uint64_t number_option(const char *name, const char *text, uint64_t min, uint64_t max);

/* Of the option list `argv` ("--name value" pairs): the value of `name`, or `fallback`. */
const char *option(int argc, char **argv, const char *name, const char *fallback);

/* Ends with a message when `argv` from `first` on holds anything but pairs whose name is in `known`
 * (space-separated). Options marked with a "+" may be repeated. */
void check_options(int argc, char **argv, int first, const char *known);

/* Non-blocking, TCP_NODELAY. `ret_port`: the port bound, for port 0. Loopback only. */
int listen_loopback(uint16_t port, uint16_t *ret_port);
int connect_loopback(uint16_t port);

/* A non-blocking datagram socket bound to the port. */
int datagrams_loopback(uint16_t port);

/* Sends one datagram of one byte from `fd`, any datagram socket, to the port. */
void datagram_send(int fd, uint16_t port);

/* Sends everything, waiting when the socket is full. False: the peer has gone. */
bool send_all(int fd, const char *bytes, size_t n);

/* The whole file, allocated; ends when it cannot be read or is larger than 16 MiB. */
char *read_file(const char *path, size_t *ret_bytes);

/* CPU time of all threads of a process so far, from /proc/PID/task/TID/schedstat; its threads that have
 * ended are not in it. Ends when there is no such process. */
uint64_t cpu_ns(uint64_t pid);

/* Allocates zeroed memory or ends. */
void *zalloc(size_t count, size_t bytes);

#endif
