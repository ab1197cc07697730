/* Every client against every owner: an exchange may be answered or closed at any moment of its
 * life, whatever the client does at that time. The rig checks the contract (no event after
 * exchange_close, one error, the end once); the sanitizers check the memory; at the end of a
 * round nothing may be left. */
#include "server_rig.h"

#include "base/clock.h"

#include <sys/socket.h>
#include <unistd.h>

enum leave { STAY, CLOSE, RESET, HALF };

struct client_row {
    const char *text;
    enum leave leave;
    size_t step; /* bytes at a time; 0: all at once */
};

#define CHUNKED "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
#define SIZED "POST /s HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n"
#define GET "GET /g HTTP/1.1\r\nHost: a\r\n\r\n"

static const char *const texts[] = {
    GET,
    GET GET GET,
    SIZED "01234567",
    SIZED "0123",
    SIZED "01234567" GET "garbage\r\n\r\n",
    CHUNKED "4\r\n0123\r\n4\r\n4567\r\n0\r\n\r\n",
    CHUNKED "4\r\n0123\r\n4\r\n4567\r\n0\r\nX: y\r\n\r\n" GET,
    CHUNKED "4\r\n0123\r\n4\r\n45",
    CHUNKED "4\r\n0123\r\nbroken",
    "POST /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n0123" GET,
    "GET /o HTTP/1.0\r\n\r\n",
    "HEAD /h HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" GET,
    GET "GET /half",
};

/* What the owner does, at its n-th event. */
enum act {
    ACT_CLOSE,        /* without an answer */
    ACT_ANSWER,       /* whole, and close */
    ACT_ANSWER_KEEP,  /* whole; closed some time later */
    ACT_PART,         /* a part of it, and close */
    ACT_PARTS,        /* in parts, and close */
    ACT_STREAM,       /* begun now, ended and closed some time later */
    ACT_FLOOD,        /* more than the socket takes, and close */
    ACT_FLOOD_OPEN,   /* the same without an end; closed some time later */
    ACT_STOP_READING, /* closed some time later */
    ACT_LAST,         /* exchange_set_close, answer, close */
    ACT_LATER,        /* answered some time later */
    ACT_NOTHING,      /* until an error comes, or the server is freed */
    ACTS,
};

struct plan {
    enum act act;
    unsigned at; /* event number */
    bool pull;
    unsigned events;
};

static void flood(struct call *k, bool end)
{
    char *big = mem_zalloc(3 * MIB);
    struct str part = str_of(big, 3 * MIB);
    struct http_out out = { .status = 200, .content_length = end ? (int64_t)part.len : -1 };
    exchange_respond(k->x, &out, &part, 1, end);
    mem_free(big);
}

static void act(struct call *k, enum act a)
{
    struct http_out out = { .status = 200, .content_length = -1 };
    struct str part = STR("part");
    k->step = 1;
    switch (a) {
    case ACT_CLOSE: close_call(k); return;
    case ACT_LAST: exchange_set_close(k->x); /* fall through */
    case ACT_ANSWER: answer(k, 200, "ok"); return;
    case ACT_ANSWER_KEEP: exchange_respond(k->x, &out, &part, 1, true); break;
    case ACT_PART:
        exchange_respond(k->x, &out, &part, 1, false);
        close_call(k);
        return;
    case ACT_PARTS:
        exchange_respond(k->x, &out, NULL, 0, false);
        exchange_write(k->x, &part, 1, false);
        exchange_write(k->x, &part, 1, true);
        close_call(k);
        return;
    case ACT_STREAM: exchange_respond(k->x, &out, &part, 1, false); break;
    case ACT_FLOOD:
        flood(k, true);
        close_call(k);
        return;
    case ACT_FLOOD_OPEN: flood(k, false); break;
    case ACT_STOP_READING: exchange_read(k->x, false); break;
    case ACT_LATER: break;
    default: return;
    }
    k->step = 2; /* later() goes on with it */
}

static void later(struct call *k, enum act a)
{
    struct str part = STR("rest");
    if (a == ACT_STREAM && !k->errors) {
        exchange_write(k->x, &part, 1, true);
    } else if (a == ACT_LATER && !k->errors) {
        answer(k, 200, "late");
        return;
    }
    close_call(k);
}

static void hook_plan(struct call *k, enum moment m)
{
    struct plan *p = k->rig->arg;
    if (m == AT_REQUEST && p->pull)
        exchange_read(k->x, true);
    bool now = p->events++ == p->at && !k->step;
    if (now && !(p->act == ACT_NOTHING && m == AT_ERROR)) {
        act(k, p->act);
        return;
    }
    if (m != AT_ERROR)
        return;
    /* Errors close at the latest; the two that can be answered are, half of the time. */
    bool open = (k->err == ERR_BAD_HTTP || k->err == ERR_BODY_TIMEOUT) && !exchange_answered(k->x);
    if (open && p->at % 2)
        answer(k, 400, "bad");
    else
        close_call(k);
}

static void play(struct srig *r, int fd, const struct client_row *row)
{
    struct str s = str_c(row->text);
    size_t step = row->step ? row->step : s.len;
    for (size_t at = 0; at < s.len; at += step) {
        srig_send(r, fd, str_of(s.p + at, s.len - at < step ? s.len - at : step));
        srig_turn(r, 0);
    }
    srig_turn(r, 0);
    struct linger hard = { .l_onoff = 1 };
    switch (row->leave) {
    case STAY: break;
    case CLOSE: close(fd); break;
    case RESET:
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        close(fd);
        break;
    case HALF: shutdown(fd, SHUT_WR); break;
    }
}

/* The second part of what owners do, outside of all callbacks; more calls may come of it. */
static void go_on(struct srig *r, enum act a)
{
    for (unsigned i = 0; i < r->call_count; i++) {
        struct call *k = r->calls[i];
        if (k->x && k->step == 2)
            later(k, a);
        srig_turn(r, 0);
    }
}

static void round_of(const struct client_row *row, struct plan plan)
{
    struct srig r;
    srig_init(&r, hook_plan, NULL);
    r.arg = &plan;
    int fd = srig_connect(&r);
    play(&r, fd, row);
    srig_turn(&r, 0);
    bool open = row->leave == STAY || row->leave == HALF;
    go_on(&r, plan.act);
    if (open) {
        struct got g;
        got_init(&g);
        got_poll(&r, fd, &g);
        got_done(&g);
        close(fd);
    }
    /* Half of the rounds free the server with whatever is left in it. */
    if (plan.at % 2 == 0) {
        if (plan.act == ACT_NOTHING)
            srig_turn(&r, 1);
    } else {
        srig_until(&r, (go_on(&r, plan.act), http_server_connections(r.server) == 0));
        for (unsigned i = 0; i < r.call_count; i++)
            assert_null(r.calls[i]->x);
    }
    srig_done(&r);
}

static void every_owner_against(enum leave leave, size_t step)
{
    for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
        struct client_row row = { texts[t], leave, step };
        for (int a = 0; a < ACTS; a++) {
            for (unsigned at = 0; at < 5; at++) {
                round_of(&row, (struct plan){ .act = (enum act)a, .at = at, .pull = true });
                if (at == 0)
                    round_of(&row, (struct plan){ .act = (enum act)a, .at = at });
            }
        }
    }
}

static void clients_that_stay(void **state)
{
    every_owner_against(STAY, 0);
}

static void clients_that_close(void **state)
{
    every_owner_against(CLOSE, 0);
}

static void clients_that_reset(void **state)
{
    every_owner_against(RESET, 0);
}

static void clients_that_half_close(void **state)
{
    every_owner_against(HALF, 0);
}

static void clients_that_dribble(void **state)
{
    every_owner_against(STAY, 7);
}

static void clients_that_dribble_and_reset(void **state)
{
    every_owner_against(RESET, 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_that_stay),    cmocka_unit_test(clients_that_close),
        cmocka_unit_test(clients_that_reset),   cmocka_unit_test(clients_that_half_close),
        cmocka_unit_test(clients_that_dribble), cmocka_unit_test(clients_that_dribble_and_reset),
    };
    return cmocka_run_group_tests_name("http/server_torture", tests, NULL, NULL);
}
