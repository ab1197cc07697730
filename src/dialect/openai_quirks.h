/* dialect/openai_quirks.h -- inside messages, where a provider's chat completions are narrower than OpenAI's: what its row says
 * (provider/rows_openai.def) is done. Pure; thread: the request's. */
#ifndef DIALECT_OPENAI_QUIRKS_H
#define DIALECT_OPENAI_QUIRKS_H

#include "provider/provider.h"
#include "wire/splice.h"

/* A tool call's id as the provider takes it: itself where it fits, else one that is made of it, always the same. In the arena. */
struct str openai_tool_id(enum tool_id_rule rule, struct str id, struct arena *a);

/* True for providers that want anything of openai_splice_messages. */
bool openai_edits_messages(const struct provider *row);
/* The edits of `messages`, which stands at offset `at` of the text that is spliced: roles, and ids of calls and their results. */
void openai_splice_messages(struct splice *sp, struct str messages, size_t at,
                            const struct provider *row);

#endif
