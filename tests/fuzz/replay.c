/* Runs a fuzz target over its seeds without libFuzzer: each file of the folder given as the argument, whole, and
 * cut at each offset (the first MAX_CUTS ones). The bytes are in a heap block of exactly their size, so that a
 * sanitizer sees a read past the end. One TAP line a seed; a folder without seeds is a failure. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_SEEDS = 4096, MAX_CUTS = 4096, MAX_SEED_BYTES = 16 << 20 };

static void run(const uint8_t *bytes, size_t n)
{
    uint8_t *exact = mem_alloc(n ? n : 1);
    if (n)
        memcpy(exact, bytes, n);
    /* The empty input points past the block's one byte: reading it is an error too. */
    LLVMFuzzerTestOneInput(n ? exact : exact + 1, n);
    mem_free(exact);
}

static int replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return -1;
    uint8_t *bytes = mem_alloc(MAX_SEED_BYTES);
    size_t n = fread(bytes, 1, MAX_SEED_BYTES, f);
    int failed = ferror(f) || !feof(f);
    fclose(f);
    if (!failed) {
        run(bytes, n);
        for (size_t cut = 0; cut < n && cut < MAX_CUTS; cut++)
            run(bytes, cut);
    }
    mem_free(bytes);
    return failed ? -1 : 0;
}

static int is_seed(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER-OF-SEEDS\n", argv[0]);
        return 2;
    }
    struct dirent **seeds;
    int count = scandir(argv[1], &seeds, is_seed, alphasort);
    if (count <= 0 || count > MAX_SEEDS) {
        printf("1..1\nnot ok 1 - %s holds from 1 to %d seeds\n", argv[1], MAX_SEEDS);
        return 1;
    }
    int failures = 0;
    printf("1..%d\n", count);
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", argv[1], seeds[i]->d_name);
        int failed = replay_file(path) != 0;
        failures += failed;
        printf("%sok %d - %s\n", failed ? "not " : "", i + 1, seeds[i]->d_name);
        fflush(stdout);
        free(seeds[i]); /* scandir's own malloc */
    }
    free(seeds);
    return failures ? 1 : 0;
}
