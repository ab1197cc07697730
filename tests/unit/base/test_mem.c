#include "base_test.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_heap(void **state)
{
    unsigned char *p = mem_zalloc(1000);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(p[i], 0);
    memset(p, 7, 1000);
    p = mem_realloc(p, 100000);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(p[i], 7);
    mem_free(p);
    p = mem_realloc(NULL, 10);
    memset(p, 1, 10);
    mem_free(p);
    mem_free(NULL);
    char *z = mem_strdup("abc");
    assert_string_equal(z, "abc");
    mem_free(z);
    assert_int_equal(KIB, 1024);
    assert_int_equal(MIB, 1024 * 1024);
}

static void test_nothing_is_something(void **state)
{
    void *a = mem_alloc(0), *b = mem_zalloc(0), *c = mem_realloc(NULL, 0);
    assert_non_null(a);
    assert_non_null(b);
    assert_non_null(c);
    c = mem_realloc(c, 0);
    assert_non_null(c);
    mem_free(a);
    mem_free(b);
    mem_free(c);
}

/* A sanitizer's own allocator ends the program by itself unless told to answer NULL. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "allocator_may_return_null=1";
}

/* More than the machine can give: one line, and the end. In a process of its own. */
static void test_out_of_memory_aborts(void **state)
{
    for (int way = 0; way < 3; way++) {
        int fds[2], status;
        static const char line[] = "weir: out of memory\n";
        char said[16384];
        size_t len = 0;
        assert_int_equal(pipe(fds), 0);
        fflush(NULL);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            volatile size_t n = SIZE_MAX / 4; /* more than any address space */
            const struct rlimit none = { 0, 0 };
            signal(SIGABRT, SIG_DFL);
            setrlimit(RLIMIT_CORE, &none);
            dup2(fds[1], STDERR_FILENO);
            void *p = way == 0 ? mem_alloc(n) : way == 1 ? mem_zalloc(n) : mem_realloc(NULL, n);
            _exit(p ? 1 : 2);
        }
        close(fds[1]);
        for (ssize_t got = 1; got > 0; len += got > 0 ? (size_t)got : 0)
            got = read(fds[0], said + len, sizeof said - len);
        close(fds[0]);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
        assert_true(str_ends(str_of(said, len), str_c(line))); /* a sanitizer may warn before it */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_heap),
        cmocka_unit_test(test_nothing_is_something),
        cmocka_unit_test(test_out_of_memory_aborts),
    };
    return cmocka_run_group_tests_name("base/mem", tests, NULL, NULL);
}
