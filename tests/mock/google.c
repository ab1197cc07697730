/* The paths of the Gemini API and of Vertex AI, what they refuse before a request's content matters, and their errors. */
#include "mock/google.h"

#include "mock/google_priv.h"

#include <stdarg.h>

/* -- paths */

static int hex_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct str percent_decode(struct str s, bool form, struct arena *a)
{
    char *out = arena_alloc(a, s.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        bool coded =
            s.p[i] == '%' && i + 2 < s.len && hex_of(s.p[i + 1]) >= 0 && hex_of(s.p[i + 2]) >= 0;
        if (coded) {
            out[n++] = (char)(hex_of(s.p[i + 1]) << 4 | hex_of(s.p[i + 2]));
            i += 2;
        } else {
            out[n++] = form && s.p[i] == '+' ? ' ' : s.p[i];
        }
    }
    return str_of(out, n);
}

bool google_path(struct request *rq)
{
    struct str all = percent_decode(rq->path_model, false, rq->arena);
    size_t at = all.len;
    while (at > 0 && all.p[at - 1] != ':')
        at--;
    rq->call = str_skip(all, at);
    rq->path_model = str_head(all, at ? at - 1 : 0);
    rq->vertex = str_find(rq->path, STR("/publishers/")) != STR_NONE ||
                 str_find(rq->path, STR("/endpoints/")) != STR_NONE;
    return at > 1;
}

/* -- errors */

static void put_details(struct buf *b, const char *details)
{
    if (details)
        buf_printf(b, ",\n    \"details\": [%s]", details);
}

static void put_error(const struct request *rq, struct reply *rp, int status, const char *name,
                      const char *details, struct str text)
{
    struct buf *b = &rp->body;
    bool wrapped = rq->vertex && str_eq(rq->call, STR("streamGenerateContent"));
    reply_reset(rp);
    rp->status = status;
    rp->type = STR("application/json; charset=UTF-8");
    buf_printf(b, "%s{\n  \"error\": {\n    \"code\": %d,\n    \"message\": ", wrapped ? "[" : "",
               status);
    put_json(b, text);
    buf_printf(b, ",\n    \"status\": \"%s\"", name);
    put_details(b, details);
    buf_printf(b, "\n  }\n}\n%s", wrapped ? "]" : "");
}

void google_error(const struct request *rq, struct reply *rp, int status, const char *name,
                  const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    put_error(rq, rp, status, name, NULL, str_c(text));
}

#define DETAIL(type) "{\"@type\": \"type.googleapis.com/google.rpc." type "\", "
#define REASON(r)                                                                                  \
    DETAIL("ErrorInfo")                                                                            \
    "\"reason\": \"" r "\", \"domain\": \"googleapis.com\", \"metadata\": {}}"

static const struct scripted_error {
    int status;
    const char *name, *details, *message;
} errors[] = {
    { 400, "INVALID_ARGUMENT", NULL, "Request contains an invalid argument." },
    { 401, "UNAUTHENTICATED", REASON("ACCESS_TOKEN_EXPIRED"),
      "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie "
      "or other valid authentication credential." },
    { 403, "PERMISSION_DENIED", REASON("SERVICE_DISABLED"),
      "Generative Language API has not been used in project 1 before or it is disabled." },
    { 404, "NOT_FOUND", NULL, "models/x is not found for API version v1beta." },
    { 409, "ABORTED", NULL, "The operation was aborted." },
    { 413, "INVALID_ARGUMENT", NULL, "Request payload size exceeds the limit." },
    { 429, "RESOURCE_EXHAUSTED",
      DETAIL("QuotaFailure") "\"violations\": [{\"quotaMetric\": \"requests\", \"quotaId\": "
                             "\"GenerateRequestsPerMinutePerProjectPerModel\"}]}, " DETAIL(
                                 "RetryInfo") "\"retryDelay\": \"6.4s\"}",
      "You exceeded your current quota, please check your plan and billing details." },
    { 499, "CANCELLED", NULL, "The operation was cancelled." },
    { 500, "INTERNAL", NULL, "An internal error has occurred. Please retry." },
    { 503, "UNAVAILABLE", NULL, "The model is overloaded. Please try again later." },
    { 504, "DEADLINE_EXCEEDED", NULL, "The request timed out. Please try again." },
};

static void scripted_error(struct request *rq, struct reply *rp, int status, struct str more)
{
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        const struct scripted_error *e = &errors[i];
        if (e->status != status)
            continue;
        put_error(rq, rp, status, e->name, e->details,
                  arena_printf(rq->arena, "%s%.*s", e->message, STR_ARG(more)));
        return;
    }
    google_error(rq, rp, status, "UNKNOWN", "Status %d, as the script asked.", status);
}

/* -- credentials */

struct str google_credential_in(const struct request *rq)
{
    struct str token = request_header(rq, STR("authorization"));
    if (str_starts(token, STR("Bearer ")))
        return str_skip(token, 7);
    return request_header(rq, STR("x-goog-api-key"));
}

static bool key_refused(struct mock *m, struct request *rq, struct reply *rp)
{
    struct str key = request_header(rq, STR("x-goog-api-key"));
    if (request_header(rq, STR("authorization")).p) {
        put_error(rq, rp, 401, "UNAUTHENTICATED", REASON("ACCESS_TOKEN_TYPE_UNSUPPORTED"),
                  STR("Request had invalid authentication credentials."));
        return true;
    }
    if (key.len == 0) {
        google_error(rq, rp, 403, "PERMISSION_DENIED",
                     "Method doesn't allow unregistered callers (callers without established "
                     "identity). Please use API Key or other form of API consumer identity.");
        return true;
    }
    if (m->key.len == 0 || str_eq(m->key, key))
        return false;
    put_error(rq, rp, 400, "INVALID_ARGUMENT", REASON("API_KEY_INVALID"),
              STR("API key not valid. Please pass a valid API key."));
    return true;
}

static bool token_refused(struct mock *m, struct request *rq, struct reply *rp)
{
    bool project = str_find(rq->path, STR("/projects/")) != STR_NONE;
    if (!project) /* express mode */
        return key_refused(m, rq, rp);
    struct str token = request_header(rq, STR("authorization"));
    if (str_starts(token, STR("Bearer ")) && google_token_good(m, str_skip(token, 7)) &&
        !request_header(rq, STR("x-goog-api-key")).p)
        return false;
    put_error(rq, rp, 401, "UNAUTHENTICATED", errors[1].details, str_c(errors[1].message));
    return true;
}

/* -- before the content */

bool google_refused(struct mock *m, struct request *rq, struct reply *rp)
{
    struct str key = google_credential_in(rq);
    rp->content = true;
    if (rq->script.echo_auth)
        reply_header(rp, "x-echo-auth", key);
    if (rq->vertex ? token_refused(m, rq, rp) : key_refused(m, rq, rp))
        return true;
    return script_refused(m, rq, rp, key, scripted_error);
}

void google_claude(struct mock *m, struct request *rq, struct reply *rp)
{
    if (str_eq(rq->path_model, STR(GOOGLE_COUNTER)) && str_eq(rq->call, STR("rawPredict")))
        anthropic_vertex_count(m, rq, rp);
    else if (str_eq(rq->path_model, STR(GOOGLE_COUNTER)))
        google_error(rq, rp, 404, "NOT_FOUND", "The method is not found.");
    else if (str_eq(rq->call, STR("rawPredict")))
        anthropic_raw_predict(m, rq, rp);
    else if (str_eq(rq->call, STR("streamRawPredict")))
        anthropic_stream_raw_predict(m, rq, rp);
    else
        google_error(rq, rp, 404, "NOT_FOUND", "The method is not found.");
}

/* -- base64 */

static int digit_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

bool base64_read(struct str text, struct arena *a, struct str *ret_bytes)
{
    char *out = arena_alloc(a, text.len + 1);
    size_t n = 0;
    unsigned bits = 0, have = 0;
    while (text.len > 0 && text.p[text.len - 1] == '=')
        text.len--;
    if (text.len % 4 == 1)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        int digit = digit_of(text.p[i]);
        if (digit < 0)
            return false;
        bits = bits << 6 | (unsigned)digit;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[n++] = (char)(bits >> have & 0xff);
        }
    }
    *ret_bytes = str_of(out, n);
    return true;
}
