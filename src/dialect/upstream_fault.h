/* dialect/upstream_fault.h -- a provider's error answer, whatever its shape, as a fault for the client.
 *
 * Shapes understood: OpenAI {"error":{message,type,param,code}}, Anthropic {"type":"error","error":{...}}, Google
 * {"error":{code,message,status}} also inside a one-element array, {"error":"text"}, {"detail":...}, {"message":...}; anything else
 * (HTML, nothing) is not relayed. Statuses and classes: docs/errors.md. Keys and account ids in texts are redacted. Pure. */
#ifndef DIALECT_UPSTREAM_FAULT_H
#define DIALECT_UPSTREAM_FAULT_H

#include "base/arena.h"
#include "base/fault.h"

/* What a provider's answer says about trying again. Slices of header values, empty when absent. */
struct retry_headers {
    struct str retry_after_ms, retry_after;
};
/* Milliseconds to wait, or -1. `unix_ms` is now, for dates. */
int64_t retry_hint_ms(const struct retry_headers *h, uint64_t unix_ms);

/* `credential` (may be empty) is cut out wherever the provider echoes it. `who` names the provider for texts: "OpenAI". */
void upstream_fault(int status, struct str body, struct str who, struct str credential,
                    int64_t retry_ms, struct arena *a, struct fault *ret_fault);

/* A text without the credential, and without what looks like a key or an account id. */
struct str redact(struct str text, struct str credential, struct arena *a);

#endif
