/* serve.h -- the server process: workers, signals, reload, drain. Control (main) thread. */
#ifndef SERVE_H
#define SERVE_H

#include "options.h"

int serve(const struct options *o); /* the process's exit status */
int check(const struct options *o); /* weir check; in check.c */

#endif
