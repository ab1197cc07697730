/* mock/mock.h -- the provider simulator: a server that answers as a provider would, or fails as a test asks.
 *
 *   main.c      options, listener, signals        routes.c    the table of routes, and /__mock/...
 *   conn.c      one connection: reads requests    play.c      sends a reply, with the script's faults
 *   script.c    what the test asked for           reply.c     a reply under construction
 *   seen.c      the last requests received        invoice.c   one line per attempt: what would be billed
 *   words.c     text and its tokens               schema.c    a small instance of a JSON schema
 *   fixture.c   recorded answers                  sign.c      signatures of reasoning
 *   calls.c     calls that a script prescribes
 *   google_*.c  doors and tokens of Google        openai_*.c, responses_*.c, anthropic_*.c, gemini_*.c: the formats
 *
 * It stands on base/ and net/ alone: HTTP, JSON reading (yyjson) and token counts are its own, so that an error of
 * weir's code cannot hide itself here.
 * One thread, one loop. A request, with its arena, belongs to its connection and lives until the reply has ended. */
#ifndef MOCK_MOCK_H
#define MOCK_MOCK_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/list.h"
#include "mock/script.h"
#include "net/stream.h"

#include <stdio.h>
#include <yyjson.h>

#define MOCK_BODY_MAX (128 * MIB)
#define MOCK_HEADERS_MAX 128

struct header {
    struct str name, value;
};

struct mock {
    struct loop *loop;
    struct list conns;
    struct str key;         /* required as credential; empty: any is taken */
    const char *replay_dir; /* NULL: none */
    const char *record_dir; /* NULL: none */
    FILE *invoice_file;     /* NULL: none */
    struct seen *seen;
    struct invoices *invoices;
    struct map counters; /* "script text" or "call id" -> struct counter */
    struct list counter_list;
    struct google *google;       /* accounts and tokens; NULL: none yet */
    struct responses *responses; /* NULL: none yet */
    uint64_t serial;             /* of requests */
    bool tls;
    uint64_t accepted, open, playing;
};

struct request {
    struct arena *arena;
    uint64_t serial;
    struct str method, target, path, query;
    struct header headers[MOCK_HEADERS_MAX];
    size_t header_count;
    bool http10, keep_alive;
    struct str body;
    struct str path_model; /* of /openai/deployments/{model}/... */
    struct str call;       /* of .../{model}:call */
    bool vertex;           /* the path is one of Vertex AI */
    struct script script;
    yyjson_doc *doc;
    yyjson_val *json; /* the body's root, an object; NULL: it is none */
    struct str model; /* as requested */
    struct str call_id;
    uint64_t attempt;
    uint64_t received_us;
};

/* Absent: the empty slice with NULL. */
struct str request_header(const struct request *rq, struct str name);
/* A parameter of the query, not decoded. */
struct str request_query(const struct request *rq, struct str name);
/* A string member of the body; empty when absent or of another type. */
struct str json_text(yyjson_val *object, const char *name);

struct reply;
typedef void handler_fn(struct mock *m, struct request *rq, struct reply *rp);

/* Finds the route, fills what a handler needs (model, script, credential check), runs it. */
void route_request(struct mock *m, struct request *rq, struct reply *rp);

/* How often this was called with this text before, plus 1. */
uint64_t mock_count(struct mock *m, struct str text);
void mock_counters_free(struct mock *m);

/* conn.c */
void conn_accept(void *mock, struct stream *s);
void conn_cut_all(struct mock *m);

/* Handlers, one file a format. */
handler_fn openai_chat, openai_completions, openai_embeddings, openai_models, openai_model;

handler_fn responses_create, responses_get, responses_delete, responses_cancel, responses_items,
    responses_count, responses_compact;
struct responses; /* what is stored; made when first used */
void responses_free(struct responses *all);

handler_fn anthropic_messages, anthropic_raw_predict, anthropic_stream_raw_predict;
handler_fn anthropic_count, anthropic_vertex_count;

/* True when the script or the credential asks for a refusal, which then stands in rp: one a format. */
typedef bool refused_fn(struct mock *m, struct request *rq, struct reply *rp);
refused_fn openai_refused, anthropic_refused;

/* What a script asks for instead of an answer, whatever the format; `error` writes the format's own for a status, with
 * `more` at the end of its text. False: nothing. */
typedef void error_fn(struct request *rq, struct reply *rp, int status, struct str more);
error_fn anthropic_scripted;
bool script_refused(struct mock *m, struct request *rq, struct reply *rp, struct str key,
                    error_fn *error);
/* Checks a chat request as the provider does; false: the refusal stands in rp. */
bool openai_chat_ok(struct request *rq, struct reply *rp);
/* Fills the reply from the file that the script names. */
void fixture_reply(struct mock *m, struct request *rq, struct reply *rp);

#endif
