/* What the fuzz targets share. A condition that does not hold ends the program with its place and its text. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include "wire/json_scan.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

_Noreturn static inline void fuzz_failed(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    abort();
}

#define REQUIRE(cond)                                                                              \
    do {                                                                                           \
        if (!(cond))                                                                               \
            fuzz_failed(__FILE__, __LINE__, #cond);                                                \
    } while (0)

static inline bool is_json(struct str text)
{
    struct json_problem problem;
    return json_check(text, &problem) == ERR_OK;
}

#define REQUIRE_JSON(text) REQUIRE(is_json(text))

#endif
