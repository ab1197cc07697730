#include "world.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIG_MAX (8 * MIB)
#define MASTER_KEY_FILE "master_key"
#define MASTER_KEY_CHARS 32

/* -- files */

enum err file_read(const char *path, size_t max, struct arena *a, struct str *ret_text)
{
    struct buf b;
    char *room = NULL;
    ssize_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    buf_init(&b, max + 64 * KIB);
    while (b.len <= max && (room = buf_reserve(&b, 64 * KIB)) && (n = read(fd, room, 64 * KIB)) > 0)
        buf_commit(&b, (size_t)n);
    close(fd);
    enum err e = n < 0 ? ERR_IO : b.len > max || b.fail ? ERR_TOO_LARGE : ERR_OK;
    if (!e)
        *ret_text = arena_dup(a, buf_str(&b));
    wipe(b.p, b.len); /* configs hold keys */
    buf_done(&b);
    return e;
}

static enum err source_file(void *ctx, struct str path, struct arena *a, struct str *ret_text)
{
    (void)ctx;
    return file_read(arena_cstr(a, path), CONFIG_MAX, a, ret_text);
}

/* -- the environment */

static bool source_env(void *ctx, struct str name, struct arena *a, struct str *ret_value)
{
    const struct world *w = ctx;
    const char *value = getenv(arena_cstr(a, name));
    if (value) {
        *ret_value = arena_dup(a, str_c(value));
        return true;
    }
    for (size_t i = 0; i < w->count; i++) {
        if (!str_eq(w->vars[i].name, name))
            continue;
        *ret_value = arena_dup(a, w->vars[i].json);
        return true;
    }
    return false;
}

static bool name_is_ok(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && !(i && c >= '0' && c <= '9'))
            return false;
    }
    return name.len > 0;
}

/* NAME=value, `export NAME=value`, quotes around the whole value, comments on lines of their own. */
static enum err parse_env(struct world *w, struct str text, const char *path, struct buf *out)
{
    unsigned line = 0;
    size_t room = 0;
    while (text.len) {
        struct str rest = str_trim(str_cut(&text, '\n'));
        line++;
        if (rest.len == 0 || rest.p[0] == '#')
            continue;
        if (str_starts(rest, STR("export ")))
            rest = str_trim(str_skip(rest, 7));
        bool has_value = str_find_char(rest, '=') != STR_NONE;
        struct str name = str_trim(str_cut(&rest, '='));
        rest = str_trim(rest);
        if (!has_value || !name_is_ok(name)) {
            buf_printf(out, "%s:%u: expected NAME=value\n", path, line);
            return ERR_SYNTAX;
        }
        if (rest.len >= 2 && (rest.p[0] == '"' || rest.p[0] == '\'') &&
            rest.p[rest.len - 1] == rest.p[0])
            rest = str_of(rest.p + 1, rest.len - 2);
        if (w->count == room) {
            room = room ? room * 2 : 16;
            w->vars = mem_realloc(w->vars, room * sizeof *w->vars);
        }
        w->vars[w->count++] = (struct conf_member){ name, rest };
    }
    return ERR_OK;
}

enum err world_init(struct world *w, const char *env_file, struct buf *out)
{
    struct str text;
    *w = (struct world){ .arena = arena_new() };
    if (!env_file)
        return ERR_OK;
    if (file_read(env_file, CONFIG_MAX, w->arena, &text)) {
        buf_printf(out, "--env-file %s cannot be read: %s\n", env_file, strerror(errno));
        return ERR_IO;
    }
    return parse_env(w, text, env_file, out);
}

void world_done(struct world *w)
{
    for (size_t i = 0; i < w->count; i++)
        wipe((char *)(uintptr_t)w->vars[i].json.p, w->vars[i].json.len); /* ours, in the arena */
    mem_free(w->vars);
    arena_free(w->arena);
    *w = (struct world){ 0 };
}

struct conf_source world_source(struct world *w)
{
    return (struct conf_source){ source_file, source_env, w };
}

/* -- the data directory */

int data_dir_lock(const char *path, struct buf *out)
{
    if (mkdir(path, 0700) && errno != EEXIST) {
        buf_printf(out, "the data directory %s cannot be made: %s; name another with --data\n",
                   path, strerror(errno));
        return -1;
    }
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        buf_printf(out, "the data directory %s cannot be opened: %s; name another with --data\n",
                   path, strerror(errno));
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB)) {
        buf_printf(
            out,
            "another weir serves from the data directory %s; stop it, or name another with --data\n",
            path);
        close(fd);
        return -1;
    }
    return fd;
}

static struct secret *make_master_key(int dir, struct buf *out)
{
    struct rng rng;
    char text[3 + MASTER_KEY_CHARS + 1] = "sk-";
    int fd = openat(dir, MASTER_KEY_FILE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    rng_init(&rng);
    rng_alnum(&rng, text + 3, MASTER_KEY_CHARS);
    text[sizeof text - 1] = '\n';
    bool ok = fd >= 0 && write(fd, text, sizeof text) == (ssize_t)sizeof text && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    struct secret *key = ok ? secret_new(str_of(text, sizeof text - 1)) : NULL;
    if (!ok)
        buf_printf(
            out,
            "no master key is configured, and none could be written to the data directory: %s; set "
            "general_settings.master_key\n",
            strerror(errno));
    wipe(text, sizeof text);
    return key;
}

struct secret *data_dir_master_key(const char *path, bool *ret_made, struct buf *out)
{
    struct arena *a = arena_new();
    struct str text;
    struct secret *key = NULL;
    struct str file = arena_printf(a, "%s/" MASTER_KEY_FILE, path);
    enum err e = file_read(arena_cstr(a, file), 4 * KIB, a, &text);
    *ret_made = e == ERR_NOT_FOUND;
    if (e == ERR_NOT_FOUND) {
        int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        key = make_master_key(dir, out);
        if (dir >= 0)
            close(dir);
    } else if (e || str_trim(text).len < 8) {
        buf_printf(
            out,
            "%.*s holds no usable master key; delete it to have one made, or set general_settings.master_key\n",
            STR_ARG(file));
    } else {
        key = secret_new(str_trim(text));
        wipe((char *)(uintptr_t)text.p, text.len);
    }
    arena_free(a);
    return key;
}

/* -- responses */

#define SESSION_QUEUE_BYTES (64 * MIB)

struct session_limits session_limits_of(const struct conf_weir *w)
{
    return (struct session_limits){
        .life_s = w->responses_life_ms / 1000,
        .turns_max = w->responses_max_turns,
        .chain_bytes_max = w->responses_max_chain_bytes,
        .turn_bytes_max = w->responses_max_turn_bytes,
        .file_bytes_max = w->responses_max_store_bytes,
        .queue_bytes_max = SESSION_QUEUE_BYTES,
    };
}

static uint64_t unix_seconds(void)
{
    return clock_unix_ms() / 1000;
}

struct sessions *data_dir_sessions(const char *path, const struct conf_weir *w, struct buf *out)
{
    struct session_limits limits = session_limits_of(w);
    struct arena *a = arena_new();
    struct str file = arena_printf(a, "%s/sessions.db", path), problem;
    struct sessions *s = NULL;
    if (sessions_open(arena_cstr(a, file), &limits, unix_seconds, a, &s, &problem)) {
        buf_printf(
            out,
            "%.*s; until then previous_response_id works with no provider, and no response is found by its id\n",
            STR_ARG(problem));
        s = NULL;
    }
    arena_free(a);
    return s;
}
