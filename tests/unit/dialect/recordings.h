/* Recorded answers of providers, where there are some: WEIR_RECORDINGS names their folder. */
#ifndef DIALECT_RECORDINGS_H
#define DIALECT_RECORDINGS_H

#include "base/arena.h"
#include "base/mem.h"

#include "dialect_test.h"

#include <dirent.h>
#include <stdlib.h>

/* `stream`: an event a line; else a whole answer. */
typedef void recording_fn(struct str name, struct str text, bool stream);

static inline struct str recording_read(const char *path, struct arena *a)
{
    FILE *f = fopen(path, "rb");
    char *p = arena_alloc(a, 8 * MIB);
    assert_non_null(f);
    size_t n = fread(p, 1, 8 * MIB, f);
    fclose(f);
    assert_true(n > 0 && n < 8 * MIB);
    return str_of(p, n);
}

/* Each recording of a folder; at least `least` are there. */
static inline void each_recording(const char *folder, unsigned least, recording_fn *fn)
{
    const char *root = getenv("WEIR_RECORDINGS");
    char dir[512], path[1024];
    unsigned n = 0;
    if (!root) { /* cmocka's own way to skip reads as a failure in TAP */
        print_message("# WEIR_RECORDINGS is not set: no recorded answer replayed\n");
        return;
    }
    snprintf(dir, sizeof dir, "%s/%s", root, folder);
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        struct str name = str_c(e->d_name);
        bool stream = str_ends(name, STR(".chunks.txt"));
        if (!stream && !str_ends(name, STR(".json")))
            continue;
        struct arena *a = arena_new();
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        fn(name, recording_read(path, a), stream);
        arena_free(a);
        n++;
    }
    closedir(d);
    assert_true(n >= least);
}

#endif
