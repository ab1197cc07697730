/* The Responses API as a dialect: its table entry. */
#include "dialect/responses.h"

#include "dialect/responses_priv.h"
#include "dialect/responses_provider_priv.h"

const struct dialect dialect_openai_responses = {
    .name = "openai.responses",
    .origin = IR_FROM_OPENAI_RESPONSES,
    .reader_bytes = sizeof(struct rr_reader),
    .writer_bytes = sizeof(struct rs_writer),
    .read_request = rs_read_request,
    .read_scanned = rs_read_scanned,
    .write_request = rc_write_request,
    .reader_init = rr_reader_init,
    .read_answer = rr_read_answer,
    .end_answer = rr_end_answer,
    .reader_done = rr_reader_done,
    .writer_init = rs_writer_init,
    .write_answer = rs_write_answer,
    .writer_done = rs_writer_done,
};
