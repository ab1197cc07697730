/* log_writer.h -- the thread that writes finished log lines, so that a slow or full pipe stalls no worker.
 *
 * Bounded: when the reader of the log is 4 MiB behind, lines are dropped and counted, and the count is logged. Any thread. */
#ifndef LOG_WRITER_H
#define LOG_WRITER_H

#include "base/log.h"

struct log_writer;

struct log_writer *log_writer_new(int fd);
/* Writes what is left, joins the thread. */
void log_writer_free(struct log_writer *w);
bool log_writer_put(void *log_writer, struct str lines); /* false: dropped */

#endif
