/* dialect/tools.h -- what formats whose tools are narrower than those of OpenAI's Responses API have in common: names of
 * [A-Za-z0-9_-]{1,64}, and custom (free text) tools as functions of one string. A request and its answer decide alike.
 * Pure; thread: the request's. */
#ifndef DIALECT_TOOLS_H
#define DIALECT_TOOLS_H

#include "ir/ir.h"

/* Of [A-Za-z0-9_-], 1 to `max` of them. */
bool tool_is_name(struct str s, size_t max);
/* A tool's name as it is sent; two names of a request never become one. */
struct str tool_name(const struct ir_request *rq, struct str name, struct arena *a);
/* The function or custom tool that was given this name upstream, or NULL. */
const struct ir_tool *tool_of(const struct ir_request *rq, struct str upstream, struct arena *a);

/* -- custom tools */

#define CUSTOM_TOOL_SCHEMA                                                                         \
    "{\"type\":\"object\",\"properties\":{\"input\":{\"type\":\"string\"}},\"required\":[\"input\"]}"

/* The description, with the grammar in it; a literal, or empty. `*ret_grammar`: there is one, which nothing enforces any more. */
struct str custom_tool_description(const struct ir_tool *t, struct arena *a, bool *ret_grammar);
/* {"input":<literal>}, raw. */
struct str custom_tool_arguments(struct str input, struct arena *a);
/* The input in arguments that a model wrote, a literal. What is cut, or no such object, is given as it is. */
struct str custom_tool_input(struct str arguments, struct arena *a);

#endif
