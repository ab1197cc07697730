/* world.h -- files and the environment, as the pure folders are given them. Control thread. */
#ifndef WORLD_H
#define WORLD_H

#include "base/buf.h"
#include "conf/conf.h"
#include "store/sessions.h"

struct world {
    struct arena *arena;      /* of env_file's variables */
    struct conf_member *vars; /* name, value as it is */
    size_t count;
};

/* Reads --env-file (NULL: none). Errors: ERR_IO, ERR_SYNTAX, with a text in `out`. */
MUST_CHECK enum err world_init(struct world *w, const char *env_file, struct buf *out);
void world_done(struct world *w);
struct conf_source world_source(struct world *w);

/* A whole file, at most `max` bytes. Errors: ERR_NOT_FOUND, ERR_IO, ERR_TOO_LARGE. */
MUST_CHECK enum err file_read(const char *path, size_t max, struct arena *a, struct str *ret_text);

/* The data directory: made if missing (0700), locked against a second server. Returns the lock's descriptor, which stays
 * open as long as the process; -1 with a text in `out`. */
int data_dir_lock(const char *path, struct buf *out);

/* The master key for a config that has none: read from, or made in, DIR/master_key (0600). `*ret_made`: it is new. NULL with a text in `out`. */
struct secret *data_dir_master_key(const char *path, bool *ret_made, struct buf *out);

/* The store of responses, DIR/sessions.db. NULL with a text in `out`: the gateway serves without it. */
struct sessions *data_dir_sessions(const char *path, const struct conf_weir *w, struct buf *out);
struct session_limits session_limits_of(const struct conf_weir *w);

#endif
