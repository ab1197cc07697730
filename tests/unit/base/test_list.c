#include "base_test.h"

#include "base/list.h"

struct item {
    int value;
    struct list link;
};

static void expect(struct list *l, const char *want)
{
    char got[20] = "", back[20] = "";
    size_t n = 0;
    LIST_EACH(it, l)
    got[n++] = (char)('0' + CONTAINER_OF(it, struct item, link)->value);
    n = strlen(got);
    for (struct list *it = l->prev; it != l; it = it->prev)
        back[--n] = (char)('0' + CONTAINER_OF(it, struct item, link)->value);
    assert_string_equal(got, want);
    assert_string_equal(back, want);
    assert_int_equal(list_empty(l), *want == '\0');
}

static void test_push_and_remove(void **state)
{
    struct list l;
    struct item items[5];
    list_init(&l);
    expect(&l, "");
    for (int i = 0; i < 5; i++) {
        items[i].value = i;
        if (i % 2)
            list_push(&l, &items[i].link);
        else
            list_push_front(&l, &items[i].link);
    }
    expect(&l, "42013");
    list_remove(&items[0].link); /* in the middle, at both ends */
    expect(&l, "4213");
    list_remove(&items[4].link);
    list_remove(&items[3].link);
    expect(&l, "21");
    list_remove(&items[3].link); /* again: nothing happens */
    expect(&l, "21");
    assert_true(list_empty(&items[3].link));
    list_push(&l, &items[3].link);
    expect(&l, "213");
}

static void test_removal_during_the_walk(void **state)
{
    for (unsigned keep = 0; keep < 32; keep++) {
        struct list l;
        struct item items[5];
        char want[6] = "";
        size_t n = 0, seen = 0;
        list_init(&l);
        for (int i = 0; i < 5; i++) {
            items[i].value = i;
            list_push(&l, &items[i].link);
            if (keep >> i & 1)
                want[n++] = (char)('0' + i);
        }
        LIST_EACH_SAFE(it, &l)
        {
            struct item *item = CONTAINER_OF(it, struct item, link);
            seen++;
            if (!(keep >> item->value & 1)) {
                list_remove(it);
                memset(it, 0xee, sizeof *it); /* as if freed */
            }
        }
        assert_int_equal(seen, 5);
        expect(&l, want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_push_and_remove),
        cmocka_unit_test(test_removal_during_the_walk),
    };
    return cmocka_run_group_tests_name("base/list", tests, NULL, NULL);
}
