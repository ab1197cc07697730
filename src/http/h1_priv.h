/* http/h1_priv.h -- between the files of the codec: h1.c moves through a message, h1_head.c
 * understands a complete head. */
#ifndef HTTP_H1_PRIV_H
#define HTTP_H1_PRIV_H

#include "http/h1.h"

/* Notes the failure and returns H1_FAIL. `why` is a constant, safe for the peer. */
enum h1_step h1_fail(struct h1 *h, enum err e, const char *why);

/* Checks the first line, h->text up to h->first_line, and fills in its part of h->head. False:
 * h1_fail was called. */
bool h1_read_first_line(struct h1 *h);

/* Reads the complete head in h->text into h->head and sets h->state for what follows. False:
 * h1_fail was called. */
bool h1_read_head(struct h1 *h);

/* A header that decides where a message ends or where it goes: must not come in a trailer. */
bool h1_is_framing(struct str name);

#endif
