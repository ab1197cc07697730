/* mock/schema.h -- a small instance that satisfies a JSON schema, for structured outputs and tool arguments. */
#ifndef MOCK_SCHEMA_H
#define MOCK_SCHEMA_H

#include "base/buf.h"

#include <yyjson.h>

/* Appends JSON text to `out`; NULL gives {}. What it does not understand becomes a string. */
void schema_instance(yyjson_val *schema, struct buf *out);

#endif
