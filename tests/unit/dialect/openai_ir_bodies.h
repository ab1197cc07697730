/* Requests of OpenAI's Chat Completions in short, for the tests of their reader. */
#ifndef OPENAI_IR_BODIES_H
#define OPENAI_IR_BODIES_H

#include "dialect_test.h"

#include "base/mem.h"
#include "dialect/dialect.h"

#define M "\"model\":\"m\","
#define HI "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]"
#define TOOLS                                                                                      \
    "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\"}}}]"
#define CALL(id)                                                                                   \
    "{\"id\":\"" id "\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}"
#define ASKS(calls) "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[" calls "]}"
#define ANSWERS(id) "{\"role\":\"tool\",\"tool_call_id\":\"" id "\",\"content\":\"r\"}"
#define MSGS(list) "{" M "\"messages\":[" list "]}"
#define USER(parts) MSGS("{\"role\":\"user\",\"content\":[" parts "]}")

static inline enum err read_body(struct str body, struct arena *a, struct ir_request *rq,
                                 struct fault *f)
{
    return dialect_openai_chat.read_request(body, str_of(NULL, 0), a, rq, f);
}

#endif
