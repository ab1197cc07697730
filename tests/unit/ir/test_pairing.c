#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ir/pairing.h"

#include <stdio.h>

static struct ir_part call_of(const char *id)
{
    return (struct ir_part){ .kind = IR_TOOL_CALL, .call_id = str_c(id) };
}

/* Results in any order come out in call order; two calls of one id are answered one after the other. */
static void test_order(void **state)
{
    struct arena *a = arena_new();
    struct fault f;
    struct ir_pairing p;
    struct ir_part calls[] = { call_of("a"), call_of("b"), call_of("a") };
    struct ir_part results[] = { call_of("a"), call_of("a"), call_of("b") };
    bool complete = true;
    ir_pairing_init(&p, a, &f);
    assert_int_equal(ir_pairing_check(&p), ERR_OK);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(ir_pairing_call(&p, &calls[i], calls[i].call_id, 1, i), ERR_OK);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(ir_pairing_check(&p), ERR_BAD_REQUEST);
        assert_int_equal(ir_pairing_result(&p, &results[i], 2 + i, 0, &complete), ERR_OK);
        assert_int_equal(complete, i == 2);
    }
    assert_int_equal(ir_pairing_check(&p), ERR_OK);
    const struct ir_pending *w = p.first;
    assert_ptr_equal(w->result, &results[0]);
    assert_int_equal(w->result_message, 2);
    assert_ptr_equal(w->next->result, &results[2]);
    assert_ptr_equal(w->next->next->result, &results[1]);
    ir_pairing_reset(&p);
    assert_null(p.first);
    arena_free(a);
}

static void test_refused(void **state)
{
    struct arena *a = arena_new();
    struct fault f;
    struct ir_pairing p;
    struct ir_part call = call_of("x"), other = call_of("y");
    bool complete;
    ir_pairing_init(&p, a, &f);
    assert_int_equal(ir_pairing_result(&p, &other, 3, 0, &complete), ERR_BAD_REQUEST);
    assert_true(str_eq(f.param, STR("messages[3].tool_call_id")));
    assert_int_equal(ir_pairing_call(&p, &call, STR("x"), 4, 0), ERR_OK);
    assert_int_equal(ir_pairing_result(&p, &other, 5, 0, &complete), ERR_BAD_REQUEST);
    assert_int_equal(ir_pairing_check(&p), ERR_BAD_REQUEST);
    assert_true(str_eq(f.param, STR("messages[4].tool_calls")));
    assert_int_equal(ir_pairing_result(&p, &call, 5, 0, &complete), ERR_OK);
    assert_int_equal(ir_pairing_result(&p, &call, 6, 0, &complete), ERR_BAD_REQUEST); /* answered */
    ir_pairing_reset(&p);
    for (uint32_t i = 0; i < IR_CALLS_MAX; i++)
        assert_int_equal(ir_pairing_call(&p, &call, STR("x"), 7, i), ERR_OK);
    assert_int_equal(ir_pairing_call(&p, &call, STR("x"), 7, 0), ERR_BAD_REQUEST);
    assert_int_equal(f.status, 400);
    arena_free(a);
}

struct walked {
    struct ir_pairing *pairs;
    char told[64];
};

static void on_complete(void *ctx)
{
    struct walked *w = ctx;
    size_t n = strlen(w->told);
    snprintf(w->told + n, sizeof w->told - n, "complete ");
    ir_pairing_reset(w->pairs);
}

static void on_part(void *ctx, const struct ir_part *part, const struct ir_message *m,
                    uint32_t index)
{
    struct walked *w = ctx;
    size_t n = strlen(w->told);
    assert_true(part->kind != IR_TOOL_RESULT);
    snprintf(w->told + n, sizeof w->told - n, "%u.%u ", m->index, index);
}

/* Results count first, wherever they stand; a tool's message has nothing else. */
static void test_user(void **state)
{
    struct arena *a = arena_new();
    struct fault f;
    struct ir_pairing p;
    struct ir_part x = call_of("x"), y = call_of("y");
    struct ir_part text = { .kind = IR_TEXT }, more = { .kind = IR_IMAGE };
    struct ir_part rx = { .kind = IR_TOOL_RESULT, .call_id = STR("x") },
                   ry = { .kind = IR_TOOL_RESULT, .call_id = STR("y") };
    struct walked w = { .pairs = &p };
    const struct ir_user_walk walk = { on_complete, on_part, &w };
    ir_pairing_init(&p, a, &f);
    assert_int_equal(ir_pairing_call(&p, &x, STR("x"), 0, 0), ERR_OK);
    assert_int_equal(ir_pairing_call(&p, &y, STR("y"), 0, 1), ERR_OK);
    struct ir_message tool = { .role = IR_TOOL, .parts = &ry, .index = 1 },
                      user = { .role = IR_USER, .parts = &text, .index = 2 };
    assert_int_equal(ir_pairing_user(&p, &tool, &walk), ERR_OK);
    assert_string_equal(w.told, "");
    text.next = &rx;
    rx.next = &more;
    assert_int_equal(ir_pairing_user(&p, &user, &walk), ERR_OK);
    assert_string_equal(w.told, "complete 2.0 2.2 ");
    assert_int_equal(ir_pairing_call(&p, &x, STR("x"), 3, 0), ERR_OK);
    text.next = NULL;
    assert_int_equal(ir_pairing_user(&p, &user, &walk), ERR_BAD_REQUEST); /* no result yet */
    assert_int_equal(ir_pairing_user(&p, &tool, &walk), ERR_BAD_REQUEST); /* of another call */
    assert_string_equal(w.told, "complete 2.0 2.2 ");
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_order),
                                        cmocka_unit_test(test_refused),
                                        cmocka_unit_test(test_user) };
    return cmocka_run_group_tests_name("ir/pairing", tests, NULL, NULL);
}
