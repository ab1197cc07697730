#include "both.h"

#include "base/mem.h"
#include "net/net_priv.h"

static void echoes(void **state)
{
    struct both *b = *state;
    pair(b);
    server_end(b)->echo = true;
    struct str segs[] = { STR("hello"), STR(""), STR(", "), STR("world") };
    stream_write(b->client.s, segs, 4);
    wait_bytes(b, &b->client, 12);
    assert_memory_equal(b->client.got.p, "hello, world", 12);
    assert_int_equal(b->client.data_calls, 1); /* one write, one record */
    assert_int_equal(b->client.ends, 0);
    assert_true(stream_alive(b->client.s));
    assert_int_equal(stream_unsent(b->client.s), 0);
    assert_memory_equal(stream_peer(b->client.s).p, "127.0.0.1:", 10);
    assert_memory_equal(stream_peer(server_end(b)->s).p, "127.0.0.1:", 10);
    assert_ptr_equal(stream_loop(b->client.s), b->k->l);
}

static void many_segments_keep_their_order(void **state)
{
    struct both *b = *state;
    pair(b);
    enum { COUNT = 1000 };
    struct str segs[COUNT];
    char *bytes = pattern(COUNT * 300);
    size_t total = 0;
    for (size_t i = 0; i < COUNT; i++) {
        segs[i] = str_of(bytes + total, i % 300);
        total += segs[i].len;
    }
    stream_write(b->client.s, segs, COUNT);
    wait_bytes(b, server_end(b), total);
    assert_int_equal(server_end(b)->got.len, total);
    assert_memory_equal(server_end(b)->got.p, bytes, total);
    mem_free(bytes);
}

static bool client_drained(void *ctx)
{
    struct both *b = ctx;
    return b->client.drains > 0;
}

static void big_transfer_waits_for_a_paused_reader(void **state)
{
    struct both *b = *state;
    pair(b);
    char *bytes = pattern(BIG);
    stream_read(server_end(b)->s, false);
    struct str segs[] = { str_of(bytes, 10), str_of(bytes + 10, BIG - 10) };
    stream_write(b->client.s, segs, 2);
    size_t unsent = stream_unsent(b->client.s);
    assert_true(unsent > STREAM_HIGH_BYTES);
    kit_run_ms(b->k, 50);
    assert_int_equal(server_end(b)->got.len, 0);
    assert_true(stream_unsent(b->client.s) > STREAM_HIGH_BYTES);
    assert_int_equal(b->client.drains, 0);

    stream_read(server_end(b)->s, true);
    kit_run(b->k, client_drained, b);
    assert_true(stream_unsent(b->client.s) <= STREAM_LOW_BYTES);
    wait_bytes(b, server_end(b), BIG);
    assert_int_equal(b->client.drains, 1);
    assert_int_equal(stream_unsent(b->client.s), 0);
    assert_memory_equal(server_end(b)->got.p, bytes, BIG);
    mem_free(bytes);
}

static void pausing_inside_on_data_loses_nothing(void **state)
{
    struct both *b = *state;
    pair(b);
    char *bytes = pattern(BIG);
    struct str seg = str_of(bytes, BIG);
    server_end(b)->pause_after = 1000;
    stream_write(b->client.s, &seg, 1);
    wait_bytes(b, server_end(b), 1000);
    size_t at = server_end(b)->got.len;
    kit_run_ms(b->k, 30);
    assert_int_equal(server_end(b)->got.len, at); /* paused is paused */
    for (size_t step = 1; server_end(b)->got.len < BIG; step++) {
        server_end(b)->pause_after = step * MIB;
        stream_read(server_end(b)->s, true);
        wait_bytes(b, server_end(b), step * MIB < BIG ? step * MIB : BIG);
    }
    assert_int_equal(server_end(b)->got.len, BIG);
    assert_memory_equal(server_end(b)->got.p, bytes, BIG);
    mem_free(bytes);
}

static void close_sends_what_is_unsent(void **state)
{
    struct both *b = *state;
    pair(b);
    char *bytes = pattern(BIG);
    struct str seg = str_of(bytes, BIG);
    stream_write(b->client.s, &seg, 1);
    assert_true(stream_unsent(b->client.s) > 0);
    end_close(&b->client);
    kit_run(b->k, server_side_ended, b);
    assert_int_equal(server_end(b)->why, ERR_EOF);
    assert_int_equal(server_end(b)->got.len, BIG);
    assert_memory_equal(server_end(b)->got.p, bytes, BIG);
    mem_free(bytes);
}

static void shutdown_is_half(void **state)
{
    struct both *b = *state;
    pair(b);
    char *bytes = pattern(BIG);
    struct str seg = str_of(bytes, BIG);
    stream_write(b->client.s, &seg, 1);
    stream_shutdown(b->client.s);
    end_write(&b->client, "too late"); /* dropped */
    kit_run(b->k, server_side_ended, b);
    assert_int_equal(server_end(b)->why, ERR_EOF);
    assert_int_equal(server_end(b)->got.len, BIG);
    assert_false(stream_alive(server_end(b)->s));
    /* the other direction still works */
    end_write(server_end(b), "thanks");
    wait_bytes(b, &b->client, 6);
    assert_int_equal(b->client.ends, 0);
    end_close(server_end(b));
    kit_run(b->k, end_ended, &b->client);
    assert_int_equal(b->client.why, ERR_EOF);
    assert_int_equal(b->client.ends, 1);
    mem_free(bytes);
}

static void eof_while_paused_is_seen_on_resume(void **state)
{
    struct both *b = *state;
    pair(b);
    stream_read(b->client.s, false);
    end_write(server_end(b), "last words");
    end_close(server_end(b));
    kit_run_ms(b->k, 30);
    assert_int_equal(b->client.ends, 0);
    assert_int_equal(b->client.got.len, 0);
    stream_read(b->client.s, true);
    assert_int_equal(b->client.got.len, 0); /* never from inside */
    kit_run(b->k, end_ended, &b->client);
    assert_int_equal(b->client.why, ERR_EOF);
    assert_int_equal(b->client.got.len, 10);
}

static void pause_and_resume_before_bytes(void **state)
{
    struct both *b = *state;
    pair(b);
    for (int i = 0; i < 10; i++) {
        stream_read(b->client.s, false);
        stream_read(b->client.s, true);
    }
    end_write(server_end(b), "ok");
    wait_bytes(b, &b->client, 2);
}

static void events_change_hands(void **state)
{
    struct both *b = *state;
    pair(b);
    end_write(server_end(b), "one");
    wait_bytes(b, &b->client, 3);
    struct end second;
    end_init(&second);
    end_take(&second, b->client.s);
    end_write(server_end(b), "two");
    wait_bytes(b, &second, 3);
    assert_int_equal(b->client.got.len, 3);
    assert_true(stream_alive(second.s));
    /* without events bytes are dropped and remembered */
    stream_set_events(second.s, NULL, NULL);
    end_write(server_end(b), "three");
    kit_run_ms(b->k, 20);
    assert_false(stream_alive(second.s));
    buf_done(&second.got);
}

static void on_data_close(void *ctx, struct str bytes)
{
    struct end *e = ctx;
    e->data_calls++;
    end_close(e);
}

static bool got_data(void *ctx)
{
    struct end *e = ctx;
    return e->data_calls > 0;
}

static void close_inside_on_data(void **state)
{
    struct both *b = *state;
    pair(b);
    static const struct stream_events ev = { .on_data = on_data_close };
    stream_set_events(b->client.s, &ev, &b->client);
    char *bytes = pattern(MIB);
    struct str seg = str_of(bytes, MIB);
    stream_write(server_end(b)->s, &seg, 1);
    kit_run(b->k, got_data, &b->client);
    kit_run_ms(b->k, 20);
    assert_int_equal(b->client.data_calls, 1);
    mem_free(bytes);
}

static void progress_is_seen(void **state)
{
    struct both *b = *state;
    pair(b);
    char *bytes = pattern(BIG);
    struct str seg = str_of(bytes, BIG);
    stream_read(server_end(b)->s, false);
    stream_write(b->client.s, &seg, 1);
    kit_run_ms(b->k, 30);
    uint64_t stalled_us = stream_last_progress_us(b->client.s);
    kit_run_ms(b->k, 50);
    assert_int_equal(stream_last_progress_us(b->client.s), stalled_us);
    server_end(b)->pause_after = 6 * MIB;
    stream_read(server_end(b)->s, true);
    wait_bytes(b, server_end(b), 6 * MIB);
    assert_true(stream_last_progress_us(b->client.s) > stalled_us);
    stream_abort(b->client.s);
    b->client.s = NULL;
    mem_free(bytes);
}

/* Giving up twice, and using what was given up within the same turn, does nothing. */
static void on_data_close_twice(void *ctx, struct str bytes)
{
    struct end *e = ctx;
    struct stream *s = e->s;
    e->data_calls++;
    e->s = NULL;
    stream_close(s);
    stream_close(s);
    stream_abort(s);
    stream_shutdown(s);
    stream_read(s, false);
    stream_write(s, &bytes, 1);
    stream_set_events(s, NULL, NULL);
    assert_false(stream_alive(s));
}

static void closed_is_closed(void **state)
{
    struct both *b = *state;
    pair(b);
    static const struct stream_events ev = { .on_data = on_data_close_twice };
    stream_set_events(b->client.s, &ev, &b->client);
    end_write(server_end(b), "x");
    kit_run(b->k, server_side_ended, b);
    assert_int_equal(server_end(b)->why, ERR_EOF);
    assert_int_equal(server_end(b)->got.len, 0);
}

static void small_buffer(struct stream *s, int which)
{
    int fd = -1, bytes = 4096;
    assert_int_equal(uv_fileno((uv_handle_t *)&s->tcp, &fd), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, which, &bytes, sizeof bytes), 0);
}

static bool progressed(void *ctx)
{
    struct both *b = ctx;
    struct end *e = server_end(b);
    e->pause_after = e->got.len + 1;
    stream_read(e->s, true);
    return stream_last_progress_us(b->client.s) > b->since_us;
}

/* A slow peer takes less than the piece that was given to libuv: that is progress too. */
static void progress_within_a_piece(void **state)
{
    struct both *b = *state;
    pair(b);
    small_buffer(b->client.s, SO_SNDBUF);
    small_buffer(server_end(b)->s, SO_RCVBUF);
    char *bytes = pattern(MIB);
    struct str seg = str_of(bytes, MIB);
    stream_read(server_end(b)->s, false);
    stream_write(b->client.s, &seg, 1);
    kit_run_ms(b->k, 30);
    b->since_us = stream_last_progress_us(b->client.s);
    kit_run(b->k, progressed, b);
    assert_true(server_end(b)->got.len < 64 * KIB);
    assert_true(stream_unsent(b->client.s) > MIB - 128 * KIB);
    stream_abort(b->client.s);
    b->client.s = NULL;
    mem_free(bytes);
}

/* What a socket's data has deferred comes before the data of the next socket. */
struct noter {
    struct defer d;
    struct loop *l;
    struct buf *order;
};

static void note_deferred(void *ctx)
{
    struct noter *n = ctx;
    buf_putc(n->order, 'd');
}

static void note_data(void *ctx, struct str bytes)
{
    struct noter *n = ctx;
    buf_putc(n->order, 'r');
    loop_defer(n->l, &n->d);
}

static bool has_four(void *order)
{
    return ((struct buf *)order)->len >= 4;
}

static void deferred_calls_follow_their_socket(void **state)
{
    static const struct stream_events events = { .on_data = note_data };
    struct both *b = *state;
    pair(b);
    struct buf order;
    buf_init(&order, KIB);
    struct stream *ends[2] = { b->client.s, server_end(b)->s };
    struct noter n[2];
    for (size_t i = 0; i < 2; i++) {
        n[i] = (struct noter){ .l = b->k->l, .order = &order };
        defer_init(&n[i].d, note_deferred, &n[i]);
        stream_set_events(ends[i], &events, &n[i]);
        stream_write(ends[1 - i], &STR("x"), 1);
    }
    kit_run(b->k, has_four, &order);
    assert_int_equal(order.len, 4);
    assert_memory_equal(order.p, "rdrd", 4);
    buf_done(&order);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(echoes),
        BOTH(many_segments_keep_their_order),
        BOTH(big_transfer_waits_for_a_paused_reader),
        BOTH(pausing_inside_on_data_loses_nothing),
        BOTH(close_sends_what_is_unsent),
        BOTH(shutdown_is_half),
        BOTH(eof_while_paused_is_seen_on_resume),
        BOTH(pause_and_resume_before_bytes),
        BOTH(events_change_hands),
        BOTH(deferred_calls_follow_their_socket),
        BOTH(close_inside_on_data),
        BOTH(progress_is_seen),
        cmocka_unit_test_setup_teardown(progress_within_a_piece, both_plain, both_done),
        BOTH(closed_is_closed),
    };
    return cmocka_run_group_tests_name("net/stream", tests, NULL, NULL);
}
