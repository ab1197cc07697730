/* dialect/responses_priv.h -- what the files of the Responses API share. */
#ifndef DIALECT_RESPONSES_PRIV_H
#define DIALECT_RESPONSES_PRIV_H

#include "dialect/responses.h"

#endif
