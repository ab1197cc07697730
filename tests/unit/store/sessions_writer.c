/* Puts turns without end, and says on standard output which are committed: "N\n" for resp_0 .. resp_N-1 of this run. For
 * test_sessions_kill, which kills it.
 *
 *   sessions-writer FILE RUN */
#include "base/mem.h"
#include "store/sessions.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static uint64_t seconds(void)
{
    return (uint64_t)time(NULL);
}

static void put(struct sessions *s, const char *run, unsigned long long n)
{
    char id[64], parent[64] = "", text[4096];
    snprintf(id, sizeof id, "resp_%s_%llu", run, n);
    if (n % 20)
        snprintf(parent, sizeof parent, "resp_%s_%llu", run, n - 1);
    memset(text, 'a' + (int)(n % 26), sizeof text);
    const struct session_turn t = { .id = str_c(id),
                                    .parent = str_c(parent),
                                    .owner = STR("alice"),
                                    .input = str_of(text, (size_t)(n * 37 % sizeof text)),
                                    .output = str_c(id) };
    while (sessions_put(s, &t))
        nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
}

int main(int argc, char **argv)
{
    const struct session_limits limits = { .queue_bytes_max = MIB };
    struct sessions *s;
    struct str problem;
    if (argc != 3)
        return 2;
    struct arena *a = arena_new();
    if (sessions_open(argv[1], &limits, seconds, a, &s, &problem)) {
        fprintf(stderr, "%.*s\n", STR_ARG(problem));
        return 1;
    }
    uint64_t told = 0;
    for (unsigned long long n = 0; n < 1000000; n++) {
        struct session_stats st;
        put(s, argv[2], n);
        sessions_stats(s, &st);
        if (st.failed)
            return 1;
        if (st.written > told) {
            char line[32];
            int len = snprintf(line, sizeof line, "%llu\n", (unsigned long long)st.written);
            told = st.written;
            if (write(STDOUT_FILENO, line, (size_t)len) != len)
                return 1;
        }
    }
    sessions_close(s);
    arena_free(a);
    return 0;
}
