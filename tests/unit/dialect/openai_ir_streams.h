/* Streams of OpenAI's Chat Completions, orderly and not, and a way to read them: for the tests of the reader and of the writer. */
#ifndef OPENAI_IR_STREAMS_H
#define OPENAI_IR_STREAMS_H

#include "dialect_test.h"

#include "base/mem.h"
#include "dialect/dialect.h"

#define D (&dialect_openai_chat)
#define CHUNK(rest) "{\"id\":\"chatcmpl-1\",\"model\":\"m\",\"created\":5,\"choices\":[" rest "]}"
#define DELTA(delta) CHUNK("{\"index\":0,\"delta\":{" delta "},\"finish_reason\":null}")
#define ENDS(why) CHUNK("{\"index\":0,\"delta\":{},\"finish_reason\":\"" why "\"}")
#define CALLS(list) DELTA("\"tool_calls\":[" list "]")
#define DONE "[DONE]"

/* Reads frames (the last one NULL); each is in a block of its own, gone after its call. */
static inline enum err read_frames(const char *const *frames, bool whole,
                                   const struct ir_request *rq, struct arena *a,
                                   struct ir_sink *sink)
{
    struct answer_context c = { .rq = rq, .arena = a, .unix_s = 1700000000, .id = STR("seed") };
    void *reader = arena_zalloc(a, D->reader_bytes);
    const char *what = NULL;
    enum err e = ERR_OK;
    D->reader_init(reader, &c);
    for (; *frames && !e; frames++) {
        size_t n = strlen(*frames);
        char *own = mem_alloc(n + 1);
        memcpy(own, *frames, n);
        struct frame f = { .data = str_of(own, n), .whole = whole };
        e = D->read_answer(reader, &f, sink, &what);
        memset(own, '#', n + 1);
        mem_free(own);
        if (e && !what)
            fail_msg("no reason given");
    }
    if (!e)
        e = D->end_answer(reader, sink);
    D->reader_done(reader);
    return e;
}

/* What is read, and the events that come of it. */
static const struct {
    const char *frames[8];
    const char *want;
    enum err end;
} streams[] = {
    { { DELTA("\"role\":\"assistant\",\"content\":\"\""), DELTA("\"content\":\"Hel\""),
        DELTA("\"content\":\"lo\""), ENDS("stop"), CHUNK(""),
        "{\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2}}", DONE },
      "START TEXT[\"Hel\"] TEXT[\"lo\"] USAGE[9,2] FINISH[stop] END" },
    /* no role chunk, no [DONE], usage on the finish chunk */
    { { DELTA("\"content\":\"x\""),
        "{\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}],\"usage\":{\"prompt_tokens\":1}}" },
      "START TEXT[\"x\"] USAGE[1,0] FINISH[length] END" },
    /* cut */
    { { DELTA("\"content\":\"x\"") }, "START TEXT[\"x\"]", ERR_UPSTREAM_CUT },
    { { CHUNK("") }, "START", ERR_UPSTREAM_CUT },
    { { NULL }, "", ERR_UPSTREAM_CUT },
    /* [DONE] without a finish; twice; content after a finish; two finishes */
    { { DELTA("\"content\":\"x\""), DONE, DONE }, "START TEXT[\"x\"] FINISH[stop] END" },
    { { DELTA("\"content\":\"x\""), ENDS("stop"), DELTA("\"content\":\"y\""), ENDS("length"),
        DONE },
      "START TEXT[\"x\"] TEXT[\"y\"] FINISH[stop] END" },
    { { DONE }, "", ERR_UPSTREAM_BAD },
    { { "{\"choices\":[" }, "", ERR_UPSTREAM_BAD },
    { { "<html>" }, "", ERR_UPSTREAM_BAD },
    { { "{\"choices\":[{\"index\":128,\"delta\":{}}]}" }, "START", ERR_UPSTREAM_BAD },
    /* errors */
    { { DELTA("\"content\":\"x\""), "{\"error\":{\"message\":\"boom\",\"type\":\"server_error\"}}",
        DELTA("\"content\":\"y\""), DONE },
      "START TEXT[\"x\"] ERROR[boom]" },
    { { "{\"error\":null,\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}" },
      "START TEXT[\"a\"] FINISH[stop] END" },
    /* Azure's first chunk */
    { { "{\"id\":\"\",\"model\":\"\",\"choices\":[],\"prompt_filter_results\":[]}",
        DELTA("\"content\":\"x\""), ENDS("content_filter"), DONE },
      "START TEXT[\"x\"] FINISH[content_filter] END" },
    /* reasoning in all its places, once */
    { { DELTA("\"reasoning_content\":\"r\",\"reasoning\":\"r\""),
        DELTA("\"reasoning\":\"s\",\"reasoning_details\":[{\"type\":"
              "\"reasoning.text\",\"text\":\"s\",\"signature\":\"g\"}]"),
        DELTA("\"content\":\"x\""), DONE },
      "START REASONING[\"r\"] REASONING[\"s\"] SIGNATURE[2,\"g\"] TEXT[\"x\"] FINISH[stop] END" },
    { { DELTA(
            "\"thinking_blocks\":[{\"type\":\"thinking\",\"thinking\":\"t\",\"signature\":\"\"},{\"type\":\"redacted_thinking\",\"data\":"
            "\"d\"}]"),
        DONE },
      "START REASONING[\"t\"] SIGNATURE[2,redacted,\"d\"] FINISH[stop] END" },
    { { DELTA(
            "\"reasoning_details\":[{\"type\":\"reasoning.encrypted\",\"data\":\"d\",\"format\":\"google-gemini-v1\"}],\"extra_content\":"
            "{\"google\":{\"thought_signature\":\"e\"}}"),
        DONE },
      "START SIGNATURE[3,redacted,\"d\"] SIGNATURE[3,\"e\"] FINISH[stop] END" },
    { { DELTA(
            "\"content\":[{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\",\"text\":\"t\"}]},{\"type\":\"text\",\"text\":\"x\"}]"),
        DONE },
      "START REASONING[\"t\"] TEXT[\"x\"] FINISH[stop] END" },
    { { DELTA("\"refusal\":\"no\""),
        CHUNK(
            "{\"index\":0,\"delta\":{\"annotations\":[{\"a\":1},2]},\"logprobs\":{\"content\":[]}}"),
        DONE },
      "START REFUSAL[\"no\"] ANNOTATION[{\"a\":1}] ANNOTATION[2] LOGPROBS[{\"content\":[]}] FINISH[stop] END" },
    /* several choices, interleaved, without order */
    { { CHUNK(
            "{\"index\":1,\"delta\":{\"content\":\"b\"}},{\"index\":0,\"delta\":{\"content\":\"a\"}}"),
        CHUNK("{\"index\":1,\"delta\":{},"
              "\"finish_reason\":\"stop\"}"),
        ENDS("length"), DONE },
      "START 1:TEXT[\"b\"] TEXT[\"a\"] FINISH[length] 1:FINISH[stop] END" },
    /* tool calls as OpenAI streams them; finish "stop" after them */
    { { CALLS(
            "{\"index\":0,\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}}"),
        CALLS("{\"index\":0,\"function\":{\"arguments\":\"{\\\"c\"}}"),
        CALLS("{\"index\":0,\"id\":\"\",\"function\":{\"arguments\":\"\\\":1}\"}}"),
        CALLS(
            "{\"index\":1,\"id\":\"b\",\"type\":\"function\",\"function\":{\"name\":\"g\",\"arguments\":\"{}\"}}"),
        ENDS("stop"), DONE },
      "START TOOL_CALL[0,a,f] TOOL_ARGUMENTS[0,\"{\\\"c\"] TOOL_ARGUMENTS[0,\"\\\":1}\"] TOOL_END[0] TOOL_CALL[1,b,g] "
      "TOOL_ARGUMENTS[1,\"{}\"] TOOL_END[1] FINISH[tool_calls] END" },
    /* all at index 0 with ids of their own; whole calls in one chunk */
    { { CALLS("{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}"),
        CALLS("{\"index\":0,\"id\":\"b\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}"),
        ENDS("tool_calls"), DONE },
      "START TOOL_CALL[0,a,f] TOOL_ARGUMENTS[0,\"{}\"] TOOL_END[0] TOOL_CALL[1,b,f] TOOL_ARGUMENTS[1,\"{}\"] TOOL_END[1] "
      "FINISH[tool_calls] END" },
    /* no index */
    { { CALLS("{\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{\"}}"),
        CALLS("{\"function\":{\"arguments\":\"}\"}}"),
        CALLS("{\"id\":\"b\",\"function\":{\"name\":\"g\",\"arguments\":\"{}\"}}"), DONE },
      "START TOOL_CALL[0,a,f] TOOL_ARGUMENTS[0,\"{\"] TOOL_ARGUMENTS[0,\"}\"] TOOL_END[0] TOOL_CALL[1,b,g] TOOL_ARGUMENTS[1,\"{}\"] "
      "TOOL_END[1] FINISH[tool_calls] END" },
    /* no ids at all: made, the same each time */
    { { CALLS(
            "{\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}},{\"function\":{\"name\":\"g\",\"arguments\":\"{}\"}}"),
        DONE },
      "START TOOL_CALL[0,call_seed_0_0,f] TOOL_ARGUMENTS[0,\"{}\"] TOOL_END[0] TOOL_CALL[1,call_seed_0_1,g] TOOL_ARGUMENTS[1,\"{}\"] "
      "TOOL_END[1] FINISH[tool_calls] END" },
    /* the name comes late, the id later still; id and name repeated on each chunk */
    { { CALLS("{\"index\":0,\"id\":\"a\",\"function\":{\"arguments\":\"{\"}}"),
        CALLS("{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\","
              "\"arguments\":\"}\"}}"),
        CALLS("{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"\"}}"),
        DONE },
      "START TOOL_CALL[0,a,f] TOOL_ARGUMENTS[0,\"{}\"] TOOL_END[0] FINISH[tool_calls] END" },
    { { CALLS("{\"index\":0,\"function\":{\"name\":\"f\",\"arguments\":\"{\"}}"),
        CALLS("{\"index\":0,\"id\":\"late\",\"function\":"
              "{\"arguments\":\"}\"}}"),
        DONE },
      "START TOOL_CALL[0,call_seed_0_0,f] TOOL_ARGUMENTS[0,\"{\"] TOOL_ARGUMENTS[0,\"}\"] TOOL_END[0] FINISH[tool_calls] END" },
    /* interleaved: the second waits for the first to be complete */
    { { CALLS("{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"}\"}}"),
        CALLS("{\"index\":1,\"id\":\"b\",\"function\":{\"name\":\"g\",\"arguments\":\"{\"}}"),
        CALLS("{\"index\":0,\"function\":{\"arguments\":\"\\u0022:0}\"}}"),
        CALLS("{\"index\":1,\"function\":{\"arguments\":\"}\"}}"), DONE },
      "START TOOL_CALL[0,a,f] TOOL_ARGUMENTS[0,\"{\\\"}\"] TOOL_ARGUMENTS[0,\"\\u0022:0}\"] TOOL_END[0] TOOL_CALL[1,b,g] "
      "TOOL_ARGUMENTS[1,\"{\"] TOOL_ARGUMENTS[1,\"}\"] TOOL_END[1] FINISH[tool_calls] END" },
    /* arguments for a call that has ended are not swallowed */
    { { CALLS(
            "{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}},{\"index\":1,\"id\":\"b\",\"function\":"
            "{\"name\":\"g\"}}"),
        CALLS("{\"index\":0,\"function\":{\"arguments\":\"x\"}}") },
      "START TOOL_CALL[0,a,f] TOOL_ARGUMENTS[0,\"{}\"] TOOL_END[0] TOOL_CALL[1,b,g]",
      ERR_UPSTREAM_BAD },
    { { CALLS("{\"index\":0,\"id\":\"a\",\"function\":{\"arguments\":\"{}\"}}"), DONE },
      "START",
      ERR_UPSTREAM_BAD }, /* no name */
    /* custom, signed, legacy, finish without a call */
    { { CALLS(
            "{\"index\":0,\"id\":\"c\",\"type\":\"custom\",\"custom\":{\"name\":\"sql\",\"input\":\"{} 1\"}}"),
        CALLS("{\"index\":0,\"custom\":{\"input\":\" 2\"}}"), DONE },
      "START TOOL_CALL[0,c,sql,custom] TOOL_ARGUMENTS[0,\"{} 1\"] TOOL_ARGUMENTS[0,\" 2\"] TOOL_END[0] FINISH[tool_calls] END" },
    { { CALLS(
            "{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":{\"o\":1}},\"extra_content\":{\"google\":"
            "{\"thought_signature\":\"s\"}}}"),
        DONE },
      "START TOOL_CALL[0,a,f,\"s\"] TOOL_ARGUMENTS[0,\"{\\\"o\\\":1}\"] TOOL_END[0] FINISH[tool_calls] END" },
    { { DELTA("\"function_call\":{\"name\":\"f\",\"arguments\":\"{\"}"),
        DELTA("\"function_call\":{\"arguments\":\"}\"}"), ENDS("function_call") },
      "START TOOL_CALL[0,call_seed_0_0,f] TOOL_ARGUMENTS[0,\"{\"] TOOL_ARGUMENTS[0,\"}\"] TOOL_END[0] FINISH[tool_calls] END" },
    { { DELTA("\"content\":\"x\""), ENDS("tool_calls"), DONE },
      "START TEXT[\"x\"] FINISH[stop] END" },
};

#endif
