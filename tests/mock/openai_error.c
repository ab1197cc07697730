/* What OpenAI refuses before a request's content matters: credentials, and the failures that a script asks for. */
#include "mock/reply.h"

static const struct scripted_error {
    int status;
    const char *type, *code, *message;
} errors[] = {
    { 400, "invalid_request_error", NULL, "The request is not valid." },
    { 401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided." },
    { 403, "permission_error", NULL, "You are not allowed to use this model." },
    { 404, "invalid_request_error", "model_not_found", "The model does not exist." },
    { 408, "timeout_error", NULL, "The request timed out." },
    { 409, "conflict_error", NULL, "The resource is locked." },
    { 413, "invalid_request_error", NULL, "The request is too large." },
    { 422, "invalid_request_error", NULL, "The request cannot be processed." },
    { 429, "requests", "rate_limit_exceeded", "Rate limit reached for requests. Try again in 7s." },
    { 500, "server_error", NULL, "The server had an error." },
    { 502, "server_error", NULL, "Bad gateway." },
    { 503, "service_unavailable_error", "server_is_overloaded", "The server is overloaded." },
    { 504, "timeout_error", NULL, "Gateway timeout." },
};

static struct str credential_of(const struct request *rq)
{
    struct str key = request_header(rq, STR("authorization"));
    if (str_starts(key, STR("Bearer ")))
        return str_skip(key, 7);
    return request_header(rq, STR("api-key"));
}

static void scripted_error(struct request *rq, struct reply *rp, int status, struct str more)
{
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (errors[i].status == status) {
            reply_error(rp, status, errors[i].type, NULL, errors[i].code, "%s%.*s",
                        errors[i].message, STR_ARG(more));
            return;
        }
    reply_error(rp, status, "server_error", NULL, NULL, "Status %d, as the script asked.", status);
}

static void html(const struct request *rq, struct reply *rp)
{
    rp->status = rq->script.status ? (int)rq->script.status : 502;
    rp->type = STR("text/html");
    buf_putz(&rp->body,
             "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
             "<center><h1>502 Bad Gateway</h1></center>\r\n<hr><center>cloud</center>\r\n"
             "</body>\r\n</html>\r\n");
}

bool script_refused(struct mock *m, struct request *rq, struct reply *rp, struct str key,
                    error_fn *error)
{
    const struct script *s = &rq->script;
    if (s->html) {
        html(rq, rp);
    } else if (s->empty) {
        rp->status = s->status ? (int)s->status : 200;
    } else if (s->badjson) {
        rp->status = s->status ? (int)s->status : 200;
        buf_putz(&rp->body,
                 "{\"id\": \"chatcmpl-mock\", \"object\": \"chat.completion\", \"choices\": [{]}");
    } else if (s->status >= 300 && s->fixture.len == 0) {
        error(rq, rp, (int)s->status,
              s->echo_auth ? arena_printf(rq->arena, " You sent: %.*s", STR_ARG(key)) : STR(""));
    } else if (s->fixture.len > 0) {
        fixture_reply(m, rq, rp);
    } else {
        return false;
    }
    rp->content = true;
    return true;
}

bool openai_refused(struct mock *m, struct request *rq, struct reply *rp)
{
    struct str key = credential_of(rq);
    rp->content = true;
    if (rq->script.echo_auth) {
        reply_header(rp, "x-echo-auth", key);
        reply_header(rp, "x-echo", key);
    }
    if (m->key.len > 0 && !str_eq(m->key, key)) {
        reply_error(
            rp, 401, "invalid_request_error", NULL, "invalid_api_key",
            "Incorrect API key provided: %.*s***. You can find your API key in your settings.",
            STR_ARG(str_head(key, 8)));
        return true;
    }
    return script_refused(m, rq, rp, key, scripted_error);
}
