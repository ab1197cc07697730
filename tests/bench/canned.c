#include "canned.h"

#include "io.h"

#include <stdio.h>
#include <string.h>

#define HEAD "HTTP/1.1 200 OK\r\nServer: bench\r\nx-request-id: req_0123456789abcdef\r\n"

void text_add(struct text *t, const char *bytes, size_t n)
{
    if (n > sizeof(t->bytes) - t->n)
        die("a canned text is too long");
    memcpy(t->bytes + t->n, bytes, n);
    t->n += n;
}

static void text_addz(struct text *t, const char *text)
{
    text_add(t, text, strlen(text));
}

static void make_answer(struct text *t, const char *body)
{
    char head[400];
    snprintf(head, sizeof(head),
             HEAD "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n", strlen(body));
    text_addz(t, head);
    text_addz(t, body);
}

static void make_start(struct text *t)
{
    text_addz(t, HEAD "Content-Type: text/event-stream; charset=utf-8\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n");
}

/* Appends one HTTP chunk that holds one SSE event. `name` NULL: an event without one. */
static void add_event(struct text *t, const char *name, const char *json, const char *line_end)
{
    struct text e = { .n = 0 };
    char size[16];
    if (name) {
        text_addz(&e, "event: ");
        text_addz(&e, name);
        text_addz(&e, line_end);
    }
    text_addz(&e, "data: ");
    text_addz(&e, json);
    text_addz(&e, line_end);
    text_addz(&e, line_end);
    snprintf(size, sizeof(size), "%zx\r\n", e.n);
    text_addz(t, size);
    text_add(t, e.bytes, e.n);
    text_addz(t, "\r\n");
}

/* The same, made EVENT_BYTES long and `more` by what stands between `before` and `after`: `filler`, again and again. */
static void add_padded(struct text *t, const char *name, const char *before, const char *filler,
                       const char *after, size_t more)
{
    char json[2 * EVENT_BYTES];
    size_t framing = strlen("data: \n\n") + (name ? strlen("event: \n") + strlen(name) : 0);
    size_t pad = EVENT_BYTES + more - framing - strlen(before) - strlen(after);
    size_t n = (size_t)snprintf(json, sizeof(json), "%s", before);
    if (n + pad + strlen(after) >= sizeof(json))
        die("an event is longer than %d bytes without its padding", EVENT_BYTES);
    for (size_t i = 0; i < pad; i++)
        json[n++] = filler[i % strlen(filler)];
    snprintf(json + n, sizeof(json) - n, "%s", after);
    add_event(t, name, json, "\n");
}

/* -- OpenAI's chat; content events padded as OpenAI pads them, with an obfuscation member */

#define CHUNK_META                                                                                 \
    "\"id\":\"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT\",\"object\":\"chat.completion.chunk\","      \
    "\"created\":1741569952,\"model\":\"bench-upstream\",\"system_fingerprint\":\"fp_b376dfbbd5\""
#define CHUNK_DELTA                                                                                \
    "{" CHUNK_META ",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" water\"},"                \
    "\"logprobs\":null,\"finish_reason\":null}]"

static void make_chat(struct script *s, bool usage)
{
    make_answer(
        &s->answer,
        "{\"id\":\"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT\",\"object\":\"chat.completion\","
        "\"created\":1741569952,\"model\":\"bench-upstream\",\"choices\":[{\"index\":0,\"message\":"
        "{\"role\":\"assistant\",\"content\":\"A weir is a low dam across a river.\",\"refusal\":null,"
        "\"annotations\":[]},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":"
        "{\"prompt_tokens\":338,\"completion_tokens\":10,\"total_tokens\":348,"
        "\"prompt_tokens_details\":{\"cached_tokens\":0,\"audio_tokens\":0},"
        "\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0}},"
        "\"service_tier\":\"default\",\"system_fingerprint\":\"fp_b376dfbbd5\"}\n");
    make_start(&s->start);
    add_event(&s->start, NULL,
              "{" CHUNK_META ",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\","
              "\"content\":\"\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":null}]}",
              "\n");
    add_padded(&s->event, NULL,
               usage ? CHUNK_DELTA ",\"usage\":null,\"obfuscation\":\""
                     : CHUNK_DELTA ",\"obfuscation\":\"",
               "x", "\"}", usage ? strlen(",\"usage\":null") : 0);
    add_event(&s->end, NULL,
              "{" CHUNK_META ",\"choices\":[{\"index\":0,\"delta\":{},"
              "\"logprobs\":null,\"finish_reason\":\"stop\"}]}",
              "\n");
    if (usage)
        add_event(&s->end, NULL,
                  "{" CHUNK_META ",\"choices\":[],\"usage\":{\"prompt_tokens\":338,"
                  "\"completion_tokens\":200,\"total_tokens\":538}}",
                  "\n");
    add_event(&s->end, NULL, "[DONE]", "\n");
    text_addz(&s->end, "0\r\n\r\n");
}

/* -- Anthropic's messages; the text makes the length */

#define ANTHROPIC_USAGE                                                                            \
    "\"input_tokens\":338,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":0,"        \
    "\"cache_creation\":{\"ephemeral_5m_input_tokens\":0,\"ephemeral_1h_input_tokens\":0},"        \
    "\"service_tier\":\"standard\""
#define ANTHROPIC_META                                                                             \
    "\"model\":\"claude-sonnet-4-5-20250929\",\"id\":\"msg_01XFDUDYJgAACzvnptvVoYEL\","            \
    "\"type\":\"message\",\"role\":\"assistant\""

static void make_anthropic(struct script *s)
{
    make_answer(&s->answer,
                "{" ANTHROPIC_META
                ",\"content\":[{\"type\":\"text\",\"text\":\"A weir is a low dam across "
                "a river. It holds the water at the height that a mill or a lock needs, "
                "and lets all the rest of the river go by over its crest.\"}],"
                "\"stop_reason\":\"end_turn\",\"stop_sequence\":null,\"usage\":"
                "{" ANTHROPIC_USAGE ",\"output_tokens\":38}}");
    make_start(&s->start);
    add_event(&s->start, "message_start",
              "{\"type\":\"message_start\",\"message\":{" ANTHROPIC_META
              ",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":"
              "{" ANTHROPIC_USAGE ",\"output_tokens\":1}}}",
              "\n");
    add_event(&s->start, "content_block_start",
              "{\"type\":\"content_block_start\",\"index\":0,"
              "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}",
              "\n");
    add_event(&s->start, "ping", "{\"type\": \"ping\"}", "\n");
    add_padded(&s->event, "content_block_delta",
               "{\"type\":\"content_block_delta\",\"index\":0,"
               "\"delta\":{\"type\":\"text_delta\",\"text\":\"",
               "The dam holds the river, ", "\"}}", 0);
    add_event(&s->end, "content_block_stop", "{\"type\":\"content_block_stop\",\"index\":0}", "\n");
    add_event(&s->end, "message_delta",
              "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\","
              "\"stop_sequence\":null},\"usage\":{\"input_tokens\":338,"
              "\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":0,"
              "\"output_tokens\":200}}",
              "\n");
    add_event(&s->end, "message_stop", "{\"type\":\"message_stop\"}", "\n");
    text_addz(&s->end, "0\r\n\r\n");
}

/* -- Gemini's generateContent: every event is a whole answer, with its counts */

#define GEMINI_META                                                                                \
    "\"usageMetadata\":{\"promptTokenCount\":338,\"candidatesTokenCount\":38,"                     \
    "\"totalTokenCount\":376,\"promptTokensDetails\":[{\"modality\":\"TEXT\","                     \
    "\"tokenCount\":338}]},\"modelVersion\":\"gemini-2.5-flash\","                                 \
    "\"responseId\":\"bWVhc3VyZWQgYnkgYSB3ZWly\""
#define GEMINI_CANDIDATE(text)                                                                     \
    "\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"" text "\"}],\"role\":\"model\"}"

static void make_gemini(struct script *s)
{
    make_answer(
        &s->answer,
        "{\n  " GEMINI_CANDIDATE(
            "A weir is a low dam across a river. It holds the water at the height that a "
            "mill or a lock needs, and lets all the rest of the river go by over its "
            "crest, winter and summer, whether anybody looks or not.") ",\n      "
                                                                       "\"finishReason\":\"STOP\",\"index\":0,\"avgLogprobs\":-0.1048}],\n  " GEMINI_META
                                                                       "\n}\n");
    make_start(&s->start);
    /* Its lines end with CR LF. */
    add_event(&s->event, NULL,
              "{" GEMINI_CANDIDATE(" water, and lets it") ",\"index\":0}]," GEMINI_META "}",
              "\r\n");
    add_event(&s->end, NULL,
              "{" GEMINI_CANDIDATE("") ",\"finishReason\":\"STOP\",\"index\":0}]," GEMINI_META "}",
              "\r\n");
    text_addz(&s->end, "0\r\n\r\n");
}

/* -- OpenAI's responses */

#define RESPONSE_ID "resp_68af4030592c81938ec0a5fbab4a3e9f05438e46b5f69a3b"
#define RESPONSE_ITEM "msg_68af4033a7488193b8ea2a9d1c2f1d2a05438e46b5f69a3b"
#define RESPONSE_PART "{\"type\":\"output_text\",\"annotations\":[],\"logprobs\":[],\"text\":\""
#define RESPONSE(status, output, usage)                                                            \
    "{\"id\":\"" RESPONSE_ID                                                                       \
    "\",\"object\":\"response\",\"created_at\":1741569952,\"status\":\"" status                    \
    "\",\"error\":null,\"incomplete_details\":null,\"instructions\":null,"                         \
    "\"max_output_tokens\":512,\"model\":\"bench-upstream\",\"output\":[" output                   \
    "],\"parallel_tool_calls\":true,\"tool_choice\":\"auto\",\"tools\":[],\"usage\":" usage "}"
#define RESPONSE_MESSAGE(status, content)                                                          \
    "{\"id\":\"" RESPONSE_ITEM "\",\"type\":\"message\",\"status\":\"" status                      \
    "\",\"content\":[" content "],\"role\":\"assistant\"}"
#define RESPONSE_USAGE                                                                             \
    "{\"input_tokens\":338,\"input_tokens_details\":{\"cached_tokens\":0},\"output_tokens\":10,"   \
    "\"output_tokens_details\":{\"reasoning_tokens\":0},\"total_tokens\":348}"
#define RESPONSE_PLACE "\"item_id\":\"" RESPONSE_ITEM "\",\"output_index\":0,\"content_index\":0"
#define RESPONSE_TEXT "A weir is a low dam across a river."
#define RESPONSE_EVENT(t, name, rest) add_event(t, name, "{\"type\":\"" name "\"," rest "}", "\n")

static void make_responses(struct script *s)
{
    make_answer(&s->answer,
                RESPONSE("completed",
                         RESPONSE_MESSAGE("completed", RESPONSE_PART RESPONSE_TEXT "\"}"),
                         RESPONSE_USAGE));
    make_start(&s->start);
    RESPONSE_EVENT(&s->start, "response.created",
                   "\"sequence_number\":0,\"response\":" RESPONSE("in_progress", "", "null"));
    RESPONSE_EVENT(
        &s->start, "response.output_item.added",
        "\"sequence_number\":1,\"output_index\":0,\"item\":" RESPONSE_MESSAGE("in_progress", ""));
    RESPONSE_EVENT(&s->start, "response.content_part.added",
                   "\"sequence_number\":2," RESPONSE_PLACE ",\"part\":" RESPONSE_PART "\"}");
    add_padded(&s->event, "response.output_text.delta",
               "{\"type\":\"response.output_text.delta\",\"sequence_number\":3," RESPONSE_PLACE
               ",\"delta\":\" water\",\"logprobs\":[],\"obfuscation\":\"",
               "x", "\"}", 0);
    RESPONSE_EVENT(&s->end, "response.output_text.done",
                   "\"sequence_number\":4," RESPONSE_PLACE ",\"text\":\"" RESPONSE_TEXT
                   "\",\"logprobs\":[]");
    RESPONSE_EVENT(&s->end, "response.content_part.done",
                   "\"sequence_number\":5," RESPONSE_PLACE ",\"part\":" RESPONSE_PART RESPONSE_TEXT
                   "\"}");
    RESPONSE_EVENT(&s->end, "response.output_item.done",
                   "\"sequence_number\":6,\"output_index\":0,\"item\":" RESPONSE_MESSAGE(
                       "completed", RESPONSE_PART RESPONSE_TEXT "\"}"));
    RESPONSE_EVENT(&s->end, "response.completed",
                   "\"sequence_number\":7,\"response\":" RESPONSE(
                       "completed",
                       RESPONSE_MESSAGE("completed", RESPONSE_PART RESPONSE_TEXT "\"}"),
                       RESPONSE_USAGE));
    text_addz(&s->end, "0\r\n\r\n");
}

enum script_id script_of(const char *line, size_t n, bool *ret_gemini_stream)
{
    const struct {
        const char *part;
        enum script_id id;
    } rows[] = {
        { "/messages", SCRIPT_ANTHROPIC },
        { ":generateContent", SCRIPT_GEMINI },
        { ":streamGenerateContent", SCRIPT_GEMINI },
        { "/responses", SCRIPT_RESPONSES },
    };
    *ret_gemini_stream = false;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!memmem(line, n, rows[i].part, strlen(rows[i].part)))
            continue;
        *ret_gemini_stream = rows[i].part[1] == 's';
        return rows[i].id;
    }
    return SCRIPT_CHAT;
}

void scripts_make(struct script scripts[SCRIPT_COUNT])
{
    memset(scripts, 0, SCRIPT_COUNT * sizeof(*scripts));
    make_chat(&scripts[SCRIPT_CHAT], false);
    make_chat(&scripts[SCRIPT_CHAT_USAGE], true);
    make_anthropic(&scripts[SCRIPT_ANTHROPIC]);
    make_gemini(&scripts[SCRIPT_GEMINI]);
    make_responses(&scripts[SCRIPT_RESPONSES]);
}
