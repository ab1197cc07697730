#include "net/dns_priv.h"

#include "base/mem.h"
#include "netkit.h"

#include <netdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

/* A resolver under the test's control, with its own clock. */
struct fake {
    struct kit *k;
    struct dns *d;
    atomic_int code;        /* what getaddrinfo would say */
    atomic_uint last_octet; /* of the answer */
    atomic_int calls;
    atomic_bool held; /* lookups wait for `gate` */
    sem_t gate;
    _Atomic uint64_t now_us;
    atomic_int looks; /* at the clock */
    char name[64];    /* the last that was asked */
};

static int fake_resolve(void *ctx, struct str host, struct addrs *ret_addrs)
{
    struct fake *f = ctx;
    atomic_fetch_add(&f->calls, 1);
    if (atomic_load(&f->held))
        while (sem_wait(&f->gate)) {}
    snprintf(f->name, sizeof f->name, "%.*s", STR_ARG(host));
    int code = atomic_load(&f->code);
    if (code)
        return code;
    ret_addrs->count = 1;
    ret_addrs->a[0].v4.sin_family = AF_INET;
    ret_addrs->a[0].v4.sin_addr.s_addr = htonl(0x7f000000 + atomic_load(&f->last_octet));
    return 0;
}

static uint64_t fake_now(void *ctx)
{
    struct fake *f = ctx;
    uint64_t now_us = atomic_load(&f->now_us);
    atomic_fetch_add(&f->looks, 1);
    return now_us;
}

static int setup(void **state)
{
    struct fake *f = MEM_NEW(struct fake);
    void *k = NULL;
    kit_setup(&k);
    f->k = k;
    sem_init(&f->gate, 0, 0);
    atomic_store(&f->last_octet, 1);
    atomic_store(&f->now_us, 1000000000);
    struct dns_source src = { fake_resolve, fake_now, f };
    f->d = dns_new_with(1, &src);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fake *f = *state;
    dns_free(f->d);
    void *k = f->k;
    kit_teardown(&k);
    sem_destroy(&f->gate);
    mem_free(f);
    return 0;
}

struct answer {
    enum dns_state state;
    struct addrs a;
    const char *problem;
    struct dns_query *q;
    int called;
};

static void on_answer(void *ctx, const struct addrs *a, const char *problem)
{
    struct answer *to = ctx;
    to->called++;
    to->problem = problem;
    if (a)
        to->a = *a;
}

static bool called(void *ctx)
{
    struct answer *a = ctx;
    return a->called > 0;
}

static struct answer ask(struct fake *f, const char *host)
{
    struct answer a = { 0 };
    a.state = dns_lookup(f->d, f->k->l, str_c(host), on_answer, &a, &a.a, &a.problem, &a.q);
    if (a.state == DNS_PENDING)
        kit_run(f->k, called, &a);
    return a;
}

static unsigned octet(const struct answer *a)
{
    assert_int_equal(a->a.count, 1);
    return ntohl(a->a.a[0].v4.sin_addr.s_addr) & 255;
}

static void pass_s(struct fake *f, uint64_t s)
{
    atomic_fetch_add(&f->now_us, s * 1000000);
}

static void settle(struct fake *f, int calls) /* waits for a refresh in the background */
{
    for (int i = 0; i < 2000 && atomic_load(&f->calls) < calls; i++)
        usleep(1000);
    usleep(5000);
    assert_int_equal(atomic_load(&f->calls), calls);
}

static void fresh_then_refreshed(void **state)
{
    struct fake *f = *state;
    struct answer a = ask(f, "API.Test");
    assert_int_equal(a.state, DNS_PENDING);
    assert_int_equal(octet(&a), 1);
    assert_string_equal(f->name, "api.test");
    atomic_store(&f->last_octet, 2);
    pass_s(f, 29);
    a = ask(f, "api.TEST");
    assert_int_equal(a.state, DNS_READY);
    assert_int_equal(octet(&a), 1);
    settle(f, 1);
    pass_s(f, 2); /* 31 s: the old answer, and a lookup behind it */
    a = ask(f, "api.test");
    assert_int_equal(a.state, DNS_READY);
    assert_int_equal(octet(&a), 1);
    settle(f, 2);
    a = ask(f, "api.test");
    assert_int_equal(a.state, DNS_READY);
    assert_int_equal(octet(&a), 2);
    pass_s(f, 301); /* too old to be given without asking */
    atomic_store(&f->last_octet, 3);
    a = ask(f, "api.test");
    assert_int_equal(a.state, DNS_PENDING);
    assert_int_equal(octet(&a), 3);
    settle(f, 3);
}

static void stale_if_error(void **state)
{
    struct fake *f = *state;
    struct answer a = ask(f, "api.test");
    atomic_store(&f->code, EAI_AGAIN);
    pass_s(f, 3500);
    a = ask(f, "api.test");
    assert_int_equal(a.state, DNS_PENDING);
    assert_null(a.problem);
    assert_int_equal(octet(&a), 1);
    a = ask(f, "api.test"); /* not asked again within the second */
    assert_int_equal(a.state, DNS_READY);
    settle(f, 2);
    pass_s(f, 200); /* beyond the hour */
    a = ask(f, "api.test");
    assert_int_equal(a.state, DNS_PENDING);
    assert_non_null(a.problem);
    atomic_store(&f->code, 0);
    pass_s(f, 2);
    a = ask(f, "api.test");
    assert_null(a.problem);
    assert_int_equal(octet(&a), 1);
}

static void failures_are_kept_a_second(void **state)
{
    struct fake *f = *state;
    atomic_store(&f->code, EAI_NONAME);
    struct answer a = ask(f, "none.test");
    assert_int_equal(a.state, DNS_PENDING);
    assert_string_equal(a.problem, "no such host");
    a = ask(f, "none.test");
    assert_int_equal(a.state, DNS_FAILED);
    assert_string_equal(a.problem, "no such host");
    assert_int_equal(atomic_load(&f->calls), 1);
    pass_s(f, 1);
    atomic_store(&f->code, EAI_FAIL);
    a = ask(f, "none.test");
    assert_int_equal(a.state, DNS_PENDING);
    assert_string_equal(a.problem, gai_strerror(EAI_FAIL));
    assert_int_equal(atomic_load(&f->calls), 2);
}

static void one_lookup_for_all_who_wait(void **state)
{
    struct fake *f = *state;
    atomic_store(&f->held, true);
    struct answer a[5] = { 0 };
    for (int i = 0; i < 5; i++) {
        a[i].state = dns_lookup(f->d, f->k->l, STR("api.test"), on_answer, &a[i], &a[i].a,
                                &a[i].problem, &a[i].q);
        assert_int_equal(a[i].state, DNS_PENDING);
    }
    dns_cancel(a[2].q); /* while it waits */
    sem_post(&f->gate);
    settle(f, 1);
    dns_cancel(a[3].q); /* while its answer is on its way */
    kit_run(f->k, called, &a[4]);
    for (int i = 0; i < 5; i++)
        assert_int_equal(a[i].called, i == 2 || i == 3 ? 0 : 1);
    assert_int_equal(octet(&a[4]), 1);
    assert_int_equal(atomic_load(&f->calls), 1);
}

static void the_queue_is_bounded(void **state)
{
    struct fake *f = *state;
    atomic_store(&f->held, true);
    struct answer *a = mem_zalloc((DNS_QUEUE_MAX + 2) * sizeof *a);
    size_t full = 0;
    for (size_t i = 0; i < DNS_QUEUE_MAX + 2; i++) {
        char name[32];
        snprintf(name, sizeof name, "n%zu.test", i);
        a[i].state = dns_lookup(f->d, f->k->l, str_c(name), on_answer, &a[i], &a[i].a,
                                &a[i].problem, &a[i].q);
        if (a[i].state == DNS_FAILED) {
            assert_string_equal(a[i].problem, "too many lookups pending");
            full++;
        }
        if (i == 0)
            settle(f, 1); /* the thread has taken one */
    }
    assert_int_equal(full, 1);
    for (size_t i = 0; i < DNS_QUEUE_MAX + 2; i++) {
        if (a[i].state == DNS_PENDING)
            dns_cancel(a[i].q);
    }
    mem_free(a);
    atomic_store(&f->held, false);
    sem_post(&f->gate);
}

static void memory_is_bounded(void **state)
{
    struct fake *f = *state;
    for (size_t i = 0; i < DNS_ENTRIES_MAX * 2; i++) {
        char name[32];
        snprintf(name, sizeof name, "n%zu.test", i);
        dns_override(f->d, str_c(name), STR("127.0.0.1"));
    }
    /* what was set by hand stays */
    struct answer a = ask(f, "n0.test");
    assert_int_equal(a.state, DNS_READY);
    a = ask(f, "other.test");
    assert_int_equal(a.state, DNS_PENDING);
    for (size_t i = 0; i < 100; i++) {
        char name[32];
        snprintf(name, sizeof name, "m%zu.test", i);
        a = ask(f, name);
        assert_int_equal(octet(&a), 1);
    }
    a = ask(f, "other.test"); /* was forgotten to make room */
    assert_int_equal(a.state, DNS_PENDING);
}

static void overrides(void **state)
{
    struct fake *f = *state;
    dns_override(f->d, STR("Api.test"), STR("127.0.0.9, ::1,rubbish, 10.0.0.1"));
    struct answer a = ask(f, "api.test");
    assert_int_equal(a.state, DNS_READY);
    assert_int_equal(a.a.count, 3);
    assert_int_equal(a.a.a[1].sa.sa_family, AF_INET6);
    dns_override(f->d, STR("api.test"), STR(""));
    a = ask(f, "api.test");
    assert_int_equal(a.state, DNS_FAILED);
    assert_string_equal(a.problem, "no such host");
    assert_int_equal(atomic_load(&f->calls), 0);
    dns_override(
        f->d, STR("many.test"),
        STR("1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4,1.1.1.5,1.1.1.6,1.1.1.7,1.1.1.8,1.1.1.9,1.1.1.10,"
            "1.1.1.11,1.1.1.12,1.1.1.13,1.1.1.14,1.1.1.15,1.1.1.16,1.1.1.17,1.1.1.18"));
    a = ask(f, "many.test");
    assert_int_equal(a.a.count, ADDRS_MAX);
}

static void override_during_a_lookup_stands(void **state)
{
    struct fake *f = *state;
    atomic_store(&f->held, true);
    struct answer a = { 0 };
    a.state = dns_lookup(f->d, f->k->l, STR("api.test"), on_answer, &a, &a.a, &a.problem, &a.q);
    settle(f, 1);
    dns_override(f->d, STR("api.test"), STR("127.0.0.7"));
    sem_post(&f->gate);
    kit_run(f->k, called, &a);
    assert_int_equal(octet(&a), 7);
}

static void no_names(void **state)
{
    struct fake *f = *state;
    char longest[300];
    memset(longest, 'x', sizeof longest);
    struct answer a = { 0 };
    struct str bad[] = { str_of(NULL, 0), str_of(longest, 257), str_of(longest, 299) };
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(dns_lookup(f->d, f->k->l, bad[i], on_answer, &a, &a.a, &a.problem, &a.q),
                         DNS_FAILED);
        assert_string_equal(a.problem, "not a host name");
        dns_override(f->d, bad[i], STR("127.0.0.1"));
    }
}

/* The end does not wait for a resolver that hangs; what it owns is freed when it comes back. */
static void free_during_a_lookup(void **state)
{
    struct fake *f = *state;
    atomic_store(&f->held, true);
    struct answer a = { 0 };
    a.state = dns_lookup(f->d, f->k->l, STR("api.test"), on_answer, &a, &a.a, &a.problem, &a.q);
    settle(f, 1);
    dns_cancel(a.q);
    dns_free(f->d);
    f->d = NULL;
    int looks = atomic_load(&f->looks);
    sem_post(&f->gate);
    while (atomic_load(&f->looks) == looks) /* the thread's last use of the fake */
        usleep(1000);
    assert_int_equal(a.called, 0);
}

/* Workers that ask, wait and cancel at once. */
struct worker {
    struct dns *d;
    struct loop *l;
    int left, got;
    struct dns_query *q;
    struct timer t;
};

static void worker_next(struct worker *w);

static void on_worker(void *ctx, const struct addrs *a, const char *problem)
{
    struct worker *w = ctx;
    w->q = NULL;
    w->got += a != NULL;
    worker_next(w);
}

static void on_worker_timer(void *ctx)
{
    struct worker *w = ctx;
    if (w->q && w->left % 3 == 0) {
        dns_cancel(w->q);
        w->q = NULL;
        worker_next(w);
    }
    if (w->left > 0)
        timer_set(&w->t, 1);
}

static void worker_next(struct worker *w)
{
    while (w->left > 0) {
        w->left--;
        char name[32];
        snprintf(name, sizeof name, "w%d.test", w->left % 40);
        struct addrs a;
        const char *problem = NULL;
        if (dns_lookup(w->d, w->l, str_c(name), on_worker, w, &a, &problem, &w->q) == DNS_PENDING)
            return;
    }
    loop_stop(w->l);
}

static void *work(void *ctx)
{
    struct worker *w = ctx;
    w->l = loop_new();
    timer_init(&w->t, w->l, on_worker_timer, w);
    timer_set(&w->t, 1);
    worker_next(w);
    loop_run(w->l);
    timer_stop(&w->t);
    loop_free(w->l);
    return NULL;
}

static uint64_t rushing_now(
    void *ctx) /* every look is a minute later: everything is looked up again and again */
{
    struct fake *f = ctx;
    return atomic_fetch_add(&f->now_us, 60000000);
}

static int quick_resolve(void *ctx, struct str host, struct addrs *ret_addrs)
{
    ret_addrs->count = 1;
    ret_addrs->a[0].v4.sin_family = AF_INET;
    return host.p[1] == '7' ? EAI_NONAME : 0;
}

static void four_workers(void **state)
{
    struct fake *f = *state;
    struct dns_source src = { quick_resolve, rushing_now, f };
    struct dns *d = dns_new_with(2, &src);
    struct worker w[4];
    pthread_t th[4];
    for (int i = 0; i < 4; i++) {
        w[i] = (struct worker){ .d = d, .left = 3000 };
        pthread_create(&th[i], NULL, work, &w[i]);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(th[i], NULL);
        assert_int_equal(w[i].left, 0);
        assert_true(w[i].got > 0);
    }
    dns_free(d);
}

/* The real thing, as far as a machine without a network has it. */
static void system_resolver(void **state)
{
    struct fake *f = *state;
    struct dns *d = dns_new(2);
    struct answer a = { 0 };
    a.state = dns_lookup(d, f->k->l, STR("localhost"), on_answer, &a, &a.a, &a.problem, &a.q);
    assert_int_equal(a.state, DNS_PENDING);
    kit_run(f->k, called, &a);
    assert_null(a.problem);
    assert_true(a.a.count > 0);
    dns_free(d);
    dns_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(fresh_then_refreshed, setup, teardown),
        cmocka_unit_test_setup_teardown(stale_if_error, setup, teardown),
        cmocka_unit_test_setup_teardown(failures_are_kept_a_second, setup, teardown),
        cmocka_unit_test_setup_teardown(one_lookup_for_all_who_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(the_queue_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(memory_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(overrides, setup, teardown),
        cmocka_unit_test_setup_teardown(override_during_a_lookup_stands, setup, teardown),
        cmocka_unit_test_setup_teardown(no_names, setup, teardown),
        cmocka_unit_test_setup_teardown(free_during_a_lookup, setup, teardown),
        cmocka_unit_test_setup_teardown(four_workers, setup, teardown),
        cmocka_unit_test_setup_teardown(system_resolver, setup, teardown),
    };
    return cmocka_run_group_tests_name("net/dns", tests, NULL, NULL);
}
