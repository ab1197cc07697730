/* The Responses API as a dialect: its table entry. */
#include "dialect/responses.h"

#include "dialect/responses_priv.h"

const struct dialect dialect_openai_responses = {
    .name = "openai.responses",
    .origin = IR_FROM_OPENAI_RESPONSES,
};
