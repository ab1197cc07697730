#include "dialect/upstream_fault.h"

#include "base/buf.h"
#include "wire/json_scan.h"

#include <time.h>

/* -- when to try again */

int64_t retry_hint_ms(const struct retry_headers *h, uint64_t unix_ms)
{
    double v;
    struct tm tm = { 0 };
    char date[40];
    if (h->retry_after_ms.len && json_double(h->retry_after_ms, &v) && v >= 0 && v < 1e12)
        return (int64_t)v;
    if (h->retry_after.len == 0)
        return -1;
    if (json_double(h->retry_after, &v))
        return v >= 0 && v < 1e9 ? (int64_t)(v * 1000) : -1;
    if (h->retry_after.len >= sizeof date)
        return -1;
    memcpy(date, h->retry_after.p, h->retry_after.len);
    date[h->retry_after.len] = '\0';
    if (!strptime(date, "%a, %d %b %Y %H:%M:%S GMT", &tm))
        return -1;
    int64_t at_ms = (int64_t)timegm(&tm) * 1000;
    return at_ms > (int64_t)unix_ms ? at_ms - (int64_t)unix_ms : 0;
}

/* -- redaction */

static bool is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '*' || c == '.';
}

/* The length of a key or account id that starts here, or 0. OpenAI's messages echo keys with stars in the middle. */
static size_t secret_token(struct str s)
{
    static const struct str prefixes[] = { STR_INIT("sk-"), STR_INIT("org-"), STR_INIT("proj_"),
                                           STR_INIT("AIza"), STR_INIT("ya29.") };
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        if (!str_starts(s, prefixes[i]))
            continue;
        size_t n = prefixes[i].len;
        while (n < s.len && is_token_char(s.p[n]))
            n++;
        while (n > prefixes[i].len && s.p[n - 1] == '.')
            n--; /* the end of a sentence */
        return n >= prefixes[i].len + 6 ? n : 0;
    }
    return 0;
}

struct str redact(struct str text, struct str credential, struct arena *a)
{
    struct buf out;
    buf_init(&out, text.len * 4 + 64);
    for (size_t i = 0; i < text.len;) {
        struct str rest = str_skip(text, i);
        size_t n = credential.len >= 4 && str_starts(rest, credential) ? credential.len : 0;
        if (!n && (i == 0 || !is_token_char(text.p[i - 1])))
            n = secret_token(rest);
        if (n) {
            buf_put(&out, STR("[redacted]"));
            i += n;
        } else {
            buf_putc(&out, text.p[i++]);
        }
    }
    struct str clean = arena_dup(a, buf_str(&out));
    buf_done(&out);
    return clean;
}

/* The first bytes of it: cut after the redaction, so that no part of a credential is left at the end. */
static struct str redact_head(struct str text, size_t max, struct str credential, struct arena *a)
{
    struct str enough = str_head(text, max + credential.len);
    return str_head(redact(enough, credential, a), max);
}

/* -- reading the body */

struct upstream_error {
    struct str message, type, code, param, status;
    /* Google's details: a reason ("API_KEY_INVALID"), a quota that fills again tomorrow, when to try again. */
    struct str reason;
    struct str detail; /* Anthropic's details.error_code */
    bool daily;
    int64_t retry_ms; /* -1: not said */
};

static struct str text_of(struct str object, const struct json_member *m, struct arena *a)
{
    struct str v = json_value(object, m);
    if (m->type == JSON_STRING)
        return json_unescape(v, a);
    return m->type == JSON_NUMBER ? v : str_of(NULL, 0);
}

/* google.rpc details, by their members: RetryInfo {retryDelay:"34.4s"}, QuotaFailure {violations:[{quotaId}]}, ErrorInfo {reason}. */
static void read_google_details(struct str details, struct arena *a, struct upstream_error *e)
{
    static const struct str names[] = { STR_INIT("retryDelay"), STR_INIT("violations"),
                                        STR_INIT("reason") };
    static const struct str quota = STR_INIT("quotaId");
    struct json_iter it = json_iter(details);
    while (json_next(&it)) {
        struct json_member m[3], q;
        double seconds;
        if (!json_peek_object(it.value, names, 3, m, NULL))
            continue;
        struct str delay = text_of(it.value, &m[0], a);
        if (delay.len > 1 && str_ends(delay, STR("s")) &&
            json_double(str_head(delay, delay.len - 1), &seconds) && seconds >= 0 && seconds < 1e9)
            e->retry_ms = (int64_t)(seconds * 1000);
        if (m[2].type == JSON_STRING)
            e->reason = text_of(it.value, &m[2], a);
        struct json_iter v =
            json_iter(m[1].type == JSON_ARRAY ? json_value(it.value, &m[1]) : STR("[]"));
        while (json_next(&v))
            if (json_peek_object(v.value, &quota, 1, &q, NULL) &&
                str_find(text_of(v.value, &q, a), STR("PerDay")) != STR_NONE)
                e->daily = true;
    }
}

static void read_error_object(struct str object, struct arena *a, struct upstream_error *e)
{
    static const struct str names[] = {
        STR_INIT("message"), STR_INIT("type"),   STR_INIT("code"),
        STR_INIT("param"),   STR_INIT("status"), STR_INIT("details")
    };
    static const struct str error_code = STR_INIT("error_code");
    struct json_member m[6], code;
    json_peek_object(object, names, 6, m, NULL);
    e->message = text_of(object, &m[0], a);
    e->type = text_of(object, &m[1], a);
    e->code = m[2].type == JSON_STRING ? text_of(object, &m[2], a) : str_of(NULL, 0);
    e->param = m[3].type == JSON_STRING ? text_of(object, &m[3], a) : str_of(NULL, 0);
    e->status = text_of(object, &m[4], a);
    if (m[5].type == JSON_ARRAY)
        read_google_details(json_value(object, &m[5]), a, e);
    struct str details = json_value(object, &m[5]);
    if (json_peek_object(details, &error_code, 1, &code, NULL))
        e->detail = text_of(details, &code, a);
}

/* False when the body is no JSON that holds an error. */
static bool read_error(struct str body, struct arena *a, struct upstream_error *e)
{
    static const struct str names[] = { STR_INIT("error"), STR_INIT("detail"),
                                        STR_INIT("message") };
    struct json_problem problem;
    struct json_member m[3];
    *e = (struct upstream_error){ .retry_ms = -1 };
    body = str_trim(body);
    if (json_check(body, &problem))
        return false;
    if (json_type_of(body) == JSON_ARRAY) {
        struct json_iter it = json_iter(body);
        if (!json_next(&it))
            return false;
        body = it.value;
    }
    if (!json_peek_object(body, names, 3, m, NULL))
        return false;
    if (m[0].type == JSON_OBJECT) {
        read_error_object(json_value(body, &m[0]), a, e);
        return true;
    }
    for (size_t i = 0; i < 3; i++) {
        if (m[i].type != JSON_STRING)
            continue;
        e->message = text_of(body, &m[i], a);
        return true;
    }
    if (m[1].type == JSON_ARRAY || m[1].type == JSON_OBJECT) {
        e->message = json_value(body, &m[1]);
        return true;
    }
    return m[0].type != JSON_ABSENT;
}

/* -- classes */

static bool says(const struct upstream_error *e, const char *phrase)
{
    struct str needle = str_c(phrase);
    for (size_t i = 0; i + needle.len <= e->message.len; i++)
        if (str_starts_nocase(str_skip(e->message, i), needle))
            return true;
    return false;
}

static bool has_code(const struct upstream_error *e, const char *code)
{
    return str_eq(e->code, str_c(code)) || str_eq(e->type, str_c(code));
}

struct class
{
    const char *type, *code;
    int status;
    enum err err;
};

/* What a 400 really is, by the provider's code or by words of its message: docs/errors.md. The first row that fits counts. */
static const struct phrase {
    const char *status; /* Google's; NULL: any provider */
    const char *code;   /* of the error, or its type; NULL: any */
    const char *says, *says_too;
    struct class class;
} phrases_400[] = {
#define INVALID(code)                                                                              \
    {                                                                                              \
        "invalid_request_error", code, 400, ERR_UPSTREAM                                           \
    }
#define BILLING                                                                                    \
    {                                                                                              \
        "insufficient_quota", "insufficient_quota", 429, ERR_UPSTREAM                              \
    }
#define OUR_KEY                                                                                    \
    {                                                                                              \
        "server_error", "upstream_auth", 502, ERR_UPSTREAM_AUTH                                    \
    }
    { NULL, "context_length_exceeded", NULL, NULL, INVALID("context_length_exceeded") },
    { NULL, NULL, "maximum context length", NULL, INVALID("context_length_exceeded") },
    { NULL, NULL, "exceeds the context window", NULL, INVALID("context_length_exceeded") },
    { NULL, NULL, "prompt is too long", NULL, INVALID("context_length_exceeded") },
    { NULL, NULL, "exceed context limit", NULL, INVALID("context_length_exceeded") },
    { NULL, NULL, "input token count", "exceeds the maximum number of tokens",
      INVALID("context_length_exceeded") },
    { NULL, "content_filter", NULL, NULL, INVALID("content_policy_violation") },
    { NULL, "content_policy_violation", NULL, NULL, INVALID("content_policy_violation") },
    { NULL, "invalid_prompt", NULL, NULL, INVALID("content_policy_violation") },
    { NULL, NULL, "blocked by content filtering policy", NULL,
      INVALID("content_policy_violation") },
    { NULL, NULL, "credit balance is too low", NULL, BILLING },
    { NULL, "invalid_request_error", "API usage limits", NULL, BILLING },
    { "FAILED_PRECONDITION",
      NULL,
      "location is not supported",
      NULL,
      { "permission_error", NULL, 403, ERR_UPSTREAM } },
    { "FAILED_PRECONDITION", NULL, "billing", NULL, BILLING },
    { NULL, NULL, "API key not valid", NULL, OUR_KEY },
    { NULL, NULL, "API key expired", NULL, OUR_KEY },
    { NULL, "invalid_api_key", NULL, NULL, OUR_KEY },
    { "INVALID_ARGUMENT", NULL, "thought signature", NULL, INVALID("invalid_reasoning_state") },
    { "INVALID_ARGUMENT", NULL, "thought_signature", NULL, INVALID("invalid_reasoning_state") },
    { NULL, NULL, "signature", "thinking", INVALID("invalid_reasoning_state") },
    { NULL, NULL, "cannot be modified", "thinking", INVALID("invalid_reasoning_state") },
    { NULL, NULL, "must start with a thinking block", NULL, INVALID("invalid_reasoning_state") },
    { NULL, NULL, "Extra inputs are not permitted", NULL, INVALID("unsupported_parameter") },
    { "INVALID_ARGUMENT", NULL, "Unknown name", NULL, INVALID("unsupported_parameter") },
    { "INVALID_ARGUMENT", NULL, "Penalty is not enabled", NULL, INVALID("unsupported_parameter") },
    { "INVALID_ARGUMENT", NULL, "not supported", NULL, INVALID("unsupported_parameter") },
#undef INVALID
#undef BILLING
#undef OUR_KEY
};

static struct class class_400(const struct upstream_error *e)
{
    if (str_eq(e->reason, STR("API_KEY_INVALID")))
        return (struct class){ "server_error", "upstream_auth", 502, ERR_UPSTREAM_AUTH };
    for (size_t i = 0; i < sizeof phrases_400 / sizeof phrases_400[0]; i++) {
        const struct phrase *p = &phrases_400[i];
        if ((!p->status || str_eq(e->status, str_c(p->status))) &&
            (!p->code || has_code(e, p->code)) && (!p->says || says(e, p->says)) &&
            (!p->says_too || says(e, p->says_too)))
            return p->class;
    }
    return (struct class){ "invalid_request_error", NULL, 400, ERR_UPSTREAM };
}

/* A 404 without a code is about the model, unless it says that something else was not found (OpenAI: "Response with id ..."). */
static bool is_of_another_thing(const struct upstream_error *e)
{
    static const struct str things[] = { STR_INIT("Response "), STR_INIT("Conversation "),
                                         STR_INIT("Prompt "),   STR_INIT("File "),
                                         STR_INIT("Item "),     STR_INIT("Previous response ") };
    for (size_t i = 0; i < sizeof things / sizeof things[0]; i++)
        if (str_starts_nocase(e->message, things[i]))
            return true;
    return false;
}

static struct class class_of(int status, const struct upstream_error *e)
{
    switch (status) {
    case 400: return class_400(e);
    case 401: return (struct class){ "server_error", "upstream_auth", 502, ERR_UPSTREAM_AUTH };
    case 402:
        return (struct class){ "insufficient_quota", "insufficient_quota", 429, ERR_UPSTREAM };
    case 403: return (struct class){ "permission_error", NULL, 403, ERR_UPSTREAM };
    case 404:
        return (struct class){ "invalid_request_error",
                               e->code.len || is_of_another_thing(e) ? NULL : "model_not_found",
                               404, ERR_UPSTREAM };
    case 408:
    case 504:
    case 524: return (struct class){ "timeout_error", "timeout", 504, ERR_UPSTREAM };
    case 409: return (struct class){ "conflict_error", NULL, 409, ERR_UPSTREAM };
    case 413:
        return (struct class){ "invalid_request_error", "request_too_large", 413, ERR_UPSTREAM };
    case 422: return (struct class){ "invalid_request_error", NULL, 422, ERR_UPSTREAM };
    case 429:
        if (has_code(e, "insufficient_quota") || has_code(e, "credit_balance_exhausted") ||
            has_code(e, "billing_hard_limit_reached") || e->daily ||
            str_eq(e->detail, STR("enforced_spend_limit_reached")) ||
            str_eq(e->detail, STR("contract_spend_limit_reached")))
            return (struct class){ "insufficient_quota", "insufficient_quota", 429, ERR_UPSTREAM };
        return (struct class){ NULL, "rate_limit_exceeded", 429, ERR_UPSTREAM };
    case 503:
    case 529:
        return (struct class){ "service_unavailable_error", "server_is_overloaded", 503,
                               ERR_UPSTREAM };
    case 500: return (struct class){ "server_error", NULL, 500, ERR_UPSTREAM };
    default: break;
    }
    if (status >= 400 && status < 500)
        return (struct class){ "invalid_request_error", NULL, status, ERR_UPSTREAM };
    if (status >= 500)
        return (struct class){ "server_error", NULL, 502, ERR_UPSTREAM };
    return (struct class){ "server_error", "upstream_invalid_response", 502, ERR_UPSTREAM_BAD };
}

/* An error inside a 200 answer or a stream carries no status of its own: its type and code tell. */
static int status_of(const struct upstream_error *e)
{
    static const struct {
        struct str name;
        int status;
    } google[] = {
        { STR_INIT("INVALID_ARGUMENT"), 400 },   { STR_INIT("FAILED_PRECONDITION"), 400 },
        { STR_INIT("OUT_OF_RANGE"), 400 },       { STR_INIT("UNAUTHENTICATED"), 401 },
        { STR_INIT("PERMISSION_DENIED"), 403 },  { STR_INIT("NOT_FOUND"), 404 },
        { STR_INIT("RESOURCE_EXHAUSTED"), 429 }, { STR_INIT("UNAVAILABLE"), 503 },
        { STR_INIT("DEADLINE_EXCEEDED"), 504 },  { STR_INIT("INTERNAL"), 500 },
    };
    for (size_t i = 0; i < sizeof google / sizeof google[0]; i++)
        if (str_eq(e->status, google[i].name))
            return google[i].status;
    if (has_code(e, "rate_limit_exceeded") || has_code(e, "rate_limit_error") ||
        has_code(e, "insufficient_quota"))
        return 429;
    if (has_code(e, "invalid_api_key") || has_code(e, "authentication_error"))
        return 401;
    if (has_code(e, "overloaded_error") || has_code(e, "server_is_overloaded"))
        return 503;
    if (has_code(e, "model_not_found") || has_code(e, "not_found_error"))
        return 404;
    if (has_code(e, "invalid_request_error"))
        return 400;
    return 500;
}

void upstream_fault(int status, struct str body, struct str who, struct str credential,
                    int64_t retry_ms, struct arena *a, struct fault *f)
{
    struct upstream_error e;
    bool understood = read_error(body, a, &e);
    bool in_band = status < 400;
    if (in_band && understood)
        status = status_of(&e);
    struct class c = class_of(status, &e);
    *f = fault_of(c.err);
    f->status = c.status;
    f->retry_after_ms = retry_ms >= 0 ? retry_ms : e.retry_ms;
    f->param = e.param;
    f->type = c.type ? str_c(c.type) : e.type.len ? e.type : STR("rate_limit_error");
    f->code = c.code ? str_c(c.code) : e.code;
    if (c.err == ERR_UPSTREAM_AUTH) {
        f->msg = arena_printf(
            a,
            "%.*s refused the gateway's credential for this deployment (its status was %d). Whoever "
            "runs the gateway must set a valid api_key.",
            STR_ARG(who), status);
        f->param = str_of(NULL, 0);
    } else if (understood && e.message.len) {
        f->msg = redact_head(e.message, 4096, credential, a);
    } else {
        f->msg = arena_printf(a, "%.*s answered with status %d and %s.", STR_ARG(who), status,
                              body.len ? "a body that is not its API's error format" : "no body");
    }
    f->detail = redact_head(body, 200, credential, a);
}
