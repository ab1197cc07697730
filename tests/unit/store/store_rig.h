/* store_rig.h -- a sessions file in a folder of its own, and calls that wait for their answer. */
#ifndef STORE_RIG_H
#define STORE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/sessions_priv.h"

#include <semaphore.h>

struct rig {
    char dir[64], path[96];
    struct session_limits limits;
    struct sessions_tuning tuning;
    struct sessions *s;
    struct arena *arena; /* of problems */
};

/* A new folder; limits that nothing here meets; commits after 50 ms, a purge every hour, a new try after 20 ms. Not open yet. */
void rig_init(struct rig *r);
void rig_done(struct rig *r); /* closes, removes the folder */
/* For cmocka: a rig of its own for each test, which opens it, or is given it open. */
int rig_setup(void **state);
int rig_setup_open(void **state);
int rig_teardown(void **state);
void rig_open(struct rig *r);
void rig_close(struct rig *r);
void rig_again(struct rig *r); /* close, open */
/* Opening fails; returns the problem, which names the file and ends with a remedy. */
struct str rig_refused(struct rig *r);

extern _Atomic uint64_t rig_now_s; /* the clock of every rig; rig_init sets it to RIG_START_S */
#define RIG_START_S 1700000000u
uint64_t rig_seconds(void);

/* Answers of the last call; the caller frees. */
struct session_result *rig_chain(struct rig *r, const char *owner, const char *previous);
struct session_result *rig_turn(struct rig *r, const char *owner, const char *id); /* whole */
enum err rig_delete(struct rig *r, const char *owner, const char *id);
/* What a chain or a single turn answers. */
enum err rig_chain_err(struct rig *r, const char *owner, const char *previous);
enum err rig_turn_err(struct rig *r, const char *owner, const char *id);

/* Input "[\"in <id>\"]", output "[\"out <id>\"]", object "{\"id\":\"<id>\"}". */
void rig_put(struct rig *r, const char *owner, const char *id, const char *parent);
/* The input is `bytes` of the letter of `fill`, output and object are empty. */
enum err rig_put_sized(struct rig *r, const char *owner, const char *id, const char *parent,
                       size_t bytes, char fill);

/* Waits (10 s) for the queue to be empty and what is in the stats to be so. */
void rig_idle(struct rig *r);
#define RIG_UNTIL(condition)                                                                       \
    do {                                                                                           \
        for (unsigned tries_ = 0; !(condition); tries_++) {                                        \
            if (tries_ == 20000)                                                                   \
                fail_msg("not within 20 s: %s", #condition);                                       \
            rig_pause();                                                                           \
        }                                                                                          \
    } while (0)
void rig_pause(void); /* 1 ms */
struct session_stats rig_stats(const struct rig *r);

/* A done that hands the result to whoever waits in rig_wait. */
struct rig_answer {
    sem_t there;
    struct session_result *result;
};
void rig_answer_init(struct rig_answer *w);
void rig_answered(void *ctx, struct session_result *result);
struct session_result *rig_wait(struct rig_answer *w);

/* Runs SQL on the file through a connection of its own; the first column of the first row, as text ("" without one). */
void rig_sql(const struct rig *r, const char *sql, char *ret_text, size_t text_bytes);

void assert_str(struct str got, const char *want);
void assert_has(struct str text, const char *part);

#endif
