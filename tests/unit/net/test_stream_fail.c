/* Peers that leave, and writers that do not look. */
#include "both.h"

#include "base/mem.h"

static void abort_with_unsent_bytes_is_no_orderly_end(void **state)
{
    struct both *b = *state;
    pair(b);
    char *bytes = pattern(BIG);
    struct str seg = str_of(bytes, BIG);
    stream_write(b->client.s, &seg, 1);
    stream_abort(b->client.s);
    b->client.s = NULL;
    kit_run(b->k, server_side_ended, b);
    assert_int_equal(server_end(b)->why, ERR_RESET);
    assert_true(server_end(b)->got.len < BIG);
    assert_int_equal(server_end(b)->ends, 1);
    assert_true(stream_problem(server_end(b)->s).len > 0);
    mem_free(bytes);
}

static void abort_with_unread_bytes_resets(void **state)
{
    struct both *b = *state;
    pair(b);
    stream_read(b->client.s, false);
    end_write(server_end(b), "nobody reads this");
    kit_run_ms(b->k, 20);
    stream_abort(b->client.s);
    b->client.s = NULL;
    kit_run(b->k, server_side_ended, b);
    assert_int_equal(server_end(b)->why, ERR_RESET);
}

static void write_to_a_gone_peer_ends_later(void **state)
{
    struct both *b = *state;
    pair(b);
    stream_read(b->client.s, false); /* so that only the write sees it */
    stream_read(server_end(b)->s, false);
    end_write(&b->client, "x");
    kit_run_ms(b->k, 20);
    stream_abort(server_end(b)->s);
    server_end(b)->s = NULL;
    kit_run_ms(b->k, 20);
    for (int i = 0; i < 3; i++)
        end_write(&b->client, "anyone?");
    assert_int_equal(b->client.ends, 0); /* never from inside */
    kit_run(b->k, end_ended, &b->client);
    assert_int_equal(b->client.why, ERR_RESET);
    assert_int_equal(b->client.ends, 1);
    assert_int_equal(stream_unsent(b->client.s), 0);
    end_write(&b->client, "into the void"); /* harmless */
    kit_run_ms(b->k, 20);
    assert_int_equal(b->client.ends, 1);
}

static void answer_of_a_closing_peer_is_still_read(void **state)
{
    struct both *b = *state;
    pair(b);
    /* the server answers early and resets; the client is still sending */
    stream_read(server_end(b)->s, false);
    end_write(&b->client, "a long request");
    kit_run_ms(b->k, 20);
    end_write(server_end(b), "413");
    stream_abort(server_end(b)->s);
    server_end(b)->s = NULL;
    for (int i = 0; i < 3; i++)
        end_write(&b->client, "more of it");
    kit_run(b->k, end_ended, &b->client);
    assert_int_equal(b->client.ends, 1);
    assert_int_equal(b->client.why, ERR_RESET);
    assert_int_equal(b->client.got.len, 3);
}

static void flush_gives_up_on_a_peer_that_takes_nothing(void **state)
{
    struct both *b = *state;
    pair(b);
    char *bytes = pattern(BIG);
    struct str seg = str_of(bytes, BIG);
    stream_read(server_end(b)->s, false);
    stream_write(b->client.s, &seg, 1);
    end_close(&b->client);
    uint64_t from_us = loop_now_us(b->k->l);
    kit_run_ms(b->k, 5); /* returns when the close is through */
    uint64_t took_ms = (loop_now_us(b->k->l) - from_us) / 1000;
    assert_true(took_ms >= 4900 && took_ms < 9000);
    stream_read(server_end(b)->s, true);
    kit_run(b->k, server_side_ended, b);
    assert_int_equal(server_end(b)->why, ERR_RESET);
    mem_free(bytes);
}

/* A peer that leaves ends the flush early. */
static void flush_ends_when_the_peer_leaves(void **state)
{
    struct both *b = *state;
    pair(b);
    char *bytes = pattern(BIG);
    struct str seg = str_of(bytes, BIG);
    stream_read(server_end(b)->s, false);
    stream_write(b->client.s, &seg, 1);
    end_close(&b->client);
    end_write(server_end(b), "not read by anyone");
    stream_abort(server_end(b)->s);
    server_end(b)->s = NULL;
    uint64_t from_us = loop_now_us(b->k->l);
    kit_run_ms(b->k, 5); /* returns when the close is through */
    assert_true(loop_now_us(b->k->l) - from_us < 4000000);
    mem_free(bytes);
}

static void a_write_under_way_fails(void **state)
{
    struct both *b = *state;
    pair(b);
    char *bytes = pattern(BIG);
    struct str seg = str_of(bytes, BIG);
    stream_read(server_end(b)->s, false);
    stream_read(b->client.s, false); /* so that the read side is not first */
    stream_write(b->client.s, &seg, 1);
    kit_run_ms(b->k, 20);
    stream_abort(server_end(b)->s);
    server_end(b)->s = NULL;
    kit_run(b->k, end_ended, &b->client);
    assert_int_equal(b->client.why, ERR_RESET);
    assert_int_equal(b->client.ends, 1);
    assert_int_equal(stream_unsent(b->client.s), 0);
    mem_free(bytes);
}

static void the_peer_resets_during_a_write(void **state)
{
    struct both *b = *state;
    pair(b);
    char *bytes = pattern(BIG);
    struct str seg = str_of(bytes, BIG);
    stream_read(server_end(b)->s, false);
    stream_write(b->client.s, &seg, 1);
    kit_run_ms(b->k, 20);
    stream_abort(server_end(b)->s);
    server_end(b)->s = NULL;
    kit_run(b->k, end_ended, &b->client);
    kit_run_ms(b->k, 20);
    assert_int_equal(b->client.why, ERR_RESET);
    assert_int_equal(b->client.ends, 1);
    assert_int_equal(b->client.drains, 0);
    mem_free(bytes);
}

static void pausing_after_a_failed_write_still_ends(void **state)
{
    struct both *b = *state;
    pair(b);
    stream_read(server_end(b)->s, false);
    end_write(&b->client, "x");
    kit_run_ms(b->k, 20);
    stream_abort(server_end(b)->s);
    server_end(b)->s = NULL;
    for (int i = 0; i < 3; i++)
        end_write(&b->client, "y");
    assert_false(stream_alive(b->client.s));
    stream_read(b->client.s, false);
    kit_run(b->k, end_ended, &b->client);
    assert_int_equal(b->client.why, ERR_RESET);
}

static bool ended_twice(void *ctx)
{
    struct end *e = ctx;
    return e->ends == 2;
}

static void a_failure_after_the_end_is_told(void **state)
{
    struct both *b = *state;
    pair(b);
    stream_shutdown(b->client.s);
    kit_run(b->k, server_side_ended, b);
    assert_int_equal(server_end(b)->why, ERR_EOF);
    stream_read(b->client.s, false);
    end_write(server_end(b), "x");
    kit_run_ms(b->k, 20);
    stream_abort(b->client.s);
    b->client.s = NULL;
    for (int i = 0; i < 3; i++)
        end_write(server_end(b), "y");
    kit_run(b->k, ended_twice, server_end(b));
    assert_int_equal(server_end(b)->why, ERR_RESET);
}

/* A writer that never looks at stream_unsent. */
static void unsent_is_bounded(void **state)
{
    struct both *b = *state;
    pair(b);
    size_t n = 60 * MIB;
    char *bytes = mem_zalloc(n);
    struct str seg = str_of(bytes, n);
    stream_read(server_end(b)->s, false);
    for (int i = 0; i < 5; i++)
        stream_write(b->client.s, &seg, 1);
    kit_run(b->k, end_ended, &b->client);
    assert_int_equal(b->client.why, ERR_IO);
    assert_int_equal(stream_unsent(b->client.s), 0);
    mem_free(bytes);
}

static void one_write_is_bounded(void **state)
{
    struct both *b = *state;
    pair(b);
    static const char bytes[64] = "";
    size_t count = 5000000;
    struct str *segs = mem_alloc(count * sizeof *segs);
    for (size_t i = 0; i < count; i++)
        segs[i] = str_of(bytes, sizeof bytes);
    stream_write(b->client.s, segs, count);
    assert_int_equal(b->client.ends, 0);
    kit_run(b->k, end_ended, &b->client);
    assert_int_equal(b->client.why, ERR_IO);
    mem_free(segs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(abort_with_unsent_bytes_is_no_orderly_end),
        BOTH(abort_with_unread_bytes_resets),
        BOTH(write_to_a_gone_peer_ends_later),
        BOTH(answer_of_a_closing_peer_is_still_read),
        cmocka_unit_test_setup_teardown(flush_gives_up_on_a_peer_that_takes_nothing, both_plain,
                                        both_done),
        BOTH(flush_ends_when_the_peer_leaves),
        BOTH(a_write_under_way_fails),
        BOTH(the_peer_resets_during_a_write),
        BOTH(pausing_after_a_failed_write_still_ends),
        BOTH(a_failure_after_the_end_is_told),
        cmocka_unit_test_setup_teardown(unsent_is_bounded, both_plain, both_done),
        cmocka_unit_test_setup_teardown(one_write_is_bounded, both_plain, both_done),
    };
    return cmocka_run_group_tests_name("net/stream_fail", tests, NULL, NULL);
}
