/* mock/script.h -- how one request is to be answered, as the test asked for it.
 *
 * The script stands in the header `x-mock`, or in the model name after "mock:" ("mock:status=429,cut=120"). It is a list
 * of `key` and `key=value` separated by commas (those of `call=NAME(...)` do not separate); README.md has the table. Thread: any; the strings borrow the text. */
#ifndef MOCK_SCRIPT_H
#define MOCK_SCRIPT_H

#include "base/arena.h"

/* What happens to the payload at byte `fault_at`. */
enum script_fault {
    FAULT_NONE,
    FAULT_CUT,     /* orderly close of the connection, the message being incomplete */
    FAULT_RESET,   /* the same with a TCP reset */
    FAULT_STALL,   /* silence: for stall_ms, then on; without stall_ms until the client leaves */
    FAULT_GARBAGE, /* 64 bytes of noise instead of the rest, the message being complete */
    FAULT_END,     /* the message ends here, well framed */
    FAULT_BADCHUNK /* broken chunk framing, then a close */
};

#define SCRIPT_HEADERS 8
#define SCRIPT_CALLS 32

struct script_call {
    struct str name, arguments;
    unsigned turn; /* of the model, from 0 */
    bool given;    /* the arguments; else the tool's schema makes them */
};

struct script {
    struct str text;      /* the whole, as key of the counter of `times` */
    uint64_t latency_ms;  /* before the head */
    uint64_t tps;         /* tokens a second; 0: as fast as can be */
    uint64_t interval_us; /* between events; wins over tps */
    uint64_t status;      /* 0: 200 */
    uint64_t fault_at;
    enum script_fault fault;
    uint64_t stall_ms;
    uint64_t dribble;       /* wire bytes a write; 0: off */
    uint64_t dribble_us;    /* pause between those writes; 0: one a turn of the loop */
    uint64_t tokens;        /* words of the answer; 0: the default text */
    uint64_t tools;         /* tool calls of the answer; 0: by the request */
    uint64_t events, size;  /* content events of a stream, and bytes of each with its framing */
    uint64_t error_event;   /* after this many content events an error event ends the stream */
    uint64_t badjson_event; /* this content event (from 1) holds broken JSON */
    uint64_t failed_event;  /* after this many content events response.failed ends the stream */
    uint64_t reasoning;     /* words of reasoning, from models that reason */
    uint64_t headcut;       /* the connection closes after this many bytes of the head */
    uint64_t times;         /* only the first so many requests with this script get it */
    uint64_t idle_close_ms; /* the kept-alive connection closes so long after the answer */
    uint64_t cached;        /* tokens of the prompt that came from a cache */
    uint64_t life;          /* of an access token: seconds and one more; 0: an hour */
    struct str nohead;      /* "close", "reset" or "garbage" instead of any answer; empty: no */
    struct str usage;       /* none, finish, final, always; empty: as the request asks */
    struct str
        done; /* "none": no [DONE], or no last event; "always": [DONE] where it is not usual */
    struct str framing;     /* "length", "chunked", "close"; empty: by the kind of answer */
    struct str fixture;     /* a file of the replay folder */
    struct str text_is;     /* the answer's text, words separated by '_' */
    struct str finish;      /* Gemini's finishReason, instead of the one that fits */
    struct str error_shape; /* of OpenAI's event `error`: "nested" (the default), "flat" */
    struct str headers[SCRIPT_HEADERS]; /* "name:value" */
    struct script_call calls[SCRIPT_CALLS];
    size_t call_count;
    size_t header_count;
    bool html, empty, badjson, refusal, echo_auth, crlf, comments, norole, obfuscate;
    bool citations;    /* the answer quotes a page, after a search */
    bool redacted;     /* reasoning that nobody may read stands beside the other */
    bool hints;        /* 100 and 103 before the answer */
    bool close;        /* Connection: close */
    bool die_next;     /* the connection closes when its next request comes */
    bool choices_null; /* "choices": null in a whole answer */
};

/* False: `*ret_problem` says which item and why. */
bool script_parse(struct str text, struct script *ret_script, struct str *ret_problem);

/* The text that the answer is to have (text_is), with spaces between its words. */
struct str script_words(const struct script *s, struct arena *a);

#endif
