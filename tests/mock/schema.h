/* mock/schema.h -- a small instance that satisfies a JSON schema, for structured outputs and tool arguments. */
#ifndef MOCK_SCHEMA_H
#define MOCK_SCHEMA_H

#include "base/arena.h"

#include <yyjson.h>

/* JSON text, the arena's; NULL gives {}. What it does not understand becomes a string. */
struct str schema_instance(yyjson_val *schema, struct arena *a);

#endif
