/* mock/calls.h -- the calls that a script prescribes: `call=NAME(ARGUMENTS)`, the same whatever the format.
 *
 * Each item `call` is one turn of the model; calls joined by '+' are made at once. How far a conversation has come is read
 * from the calls in it: each of them is the next one of that name in the script. A turn with a tool that the request does
 * not have is passed over, so that one script does for agents who hand over to each other. Thread: any. */
#ifndef MOCK_CALLS_H
#define MOCK_CALLS_H

#include "base/arena.h"
#include "mock/script.h"

/* Says that the conversation holds a call of this name; `*at` is 0 at the start. */
void calls_seen(const struct script *s, size_t *at, struct str name);

/* The next turn: how many calls, from s->calls[*ret_from]. 0: none is left. */
typedef bool calls_known_fn(void *ctx, struct str name);
size_t calls_turn(const struct script *s, size_t at, calls_known_fn *known, void *ctx,
                  size_t *ret_from);

/* The arguments: as they stand, or the text that a JSON string holds; `otherwise` where none are given. */
struct str calls_arguments(struct arena *a, const struct script_call *c, struct str otherwise);
/* The same where arguments are objects: any other text becomes {"input": text}. */
struct str calls_object(struct arena *a, const struct script_call *c, struct str otherwise);

/* The end of `call=...` at the start of `text`: its length. STR_NONE: parentheses do not close. */
size_t calls_length(struct str text);
/* Adds the calls of one item's value to the script. */
bool calls_parse(struct str value, struct script *s);

#endif
