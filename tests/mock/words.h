/* mock/words.h -- the text of answers, and how many tokens a text has. A token is a word with the white space before it, or
 * 12 bytes of a longer one: a count of the simulator's own, so that what weir reports can be compared with it. */
#ifndef MOCK_WORDS_H
#define MOCK_WORDS_H

#include "base/arena.h"
#include "mock/mock.h"

/* Cuts the next token off. Not empty as long as text is not. */
struct str token_next(struct str *text);
uint64_t token_count(struct str text);
/* At most n tokens of it. */
struct str token_head(struct str text, uint64_t n, bool *ret_cut);

/* n words, always the same ones. */
struct str words_make(struct arena *a, uint64_t n);

/* Tokens of a chat request's messages and tools, of a prompt, or of an embedding input: any JSON. */
uint64_t prompt_tokens_of(yyjson_val *v);

#endif
