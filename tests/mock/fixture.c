/* Recorded answers: DIR/NAME of --replay.
 *   *.chunks.txt   a stream: one event's JSON a line, then [DONE]
 *   *.sse          a stream as it was on the wire, sent event by event
 *   anything else  a whole answer, as it is */
#include "mock/reply.h"

static bool name_ok(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = ascii_lower(name.p[i]);
        bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (!word && (c != '.' || i == 0 || name.p[i - 1] == '.'))
            return false;
    }
    return name.len > 0;
}

static bool read_file(const char *dir, struct str name, struct buf *out)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%.*s", dir, STR_ARG(name));
    FILE *f = fopen(path, "rb");
    if (!f)
        return false;
    for (;;) {
        char *room = buf_reserve(out, 64 * 1024);
        size_t n = room ? fread(room, 1, 64 * 1024, f) : 0;
        if (n == 0)
            break;
        buf_commit(out, n);
    }
    fclose(f);
    return !out->fail;
}

/* What the recording says was used: for the invoice. */
static void usage_of(struct str json, struct reply *rp)
{
    yyjson_doc *doc = yyjson_read(json.p, json.len, 0);
    yyjson_val *usage = yyjson_obj_get(yyjson_doc_get_root(doc), "usage");
    if (yyjson_is_obj(usage)) {
        yyjson_val *in = yyjson_obj_get(usage, "prompt_tokens"),
                   *out = yyjson_obj_get(usage, "completion_tokens");
        rp->prompt_tokens = yyjson_get_uint(in ? in : yyjson_obj_get(usage, "input_tokens"));
        rp->completion_tokens = yyjson_get_uint(out ? out : yyjson_obj_get(usage, "output_tokens"));
    }
    yyjson_doc_free(doc);
}

static void put_chunks(struct str lines, bool done, struct reply *rp)
{
    while (lines.len > 0) {
        struct str line = str_cut(&lines, '\n');
        if (line.len == 0)
            continue;
        usage_of(line, rp);
        buf_putz(&rp->body, "data: ");
        buf_put(&rp->body, line);
        buf_putz(&rp->body, "\n\n");
        reply_piece(rp);
    }
    if (done) {
        buf_putz(&rp->body, "data: [DONE]\n\n");
        reply_piece(rp);
    }
}

static void put_sse(struct str text, struct reply *rp)
{
    while (text.len > 0) {
        size_t lf = str_find(text, STR("\n\n")), crlf = str_find(text, STR("\r\n\r\n"));
        size_t n = lf < crlf ? lf + 2 : crlf == STR_NONE ? text.len : crlf + 4;
        buf_put(&rp->body, str_head(text, n));
        text = str_skip(text, n);
        reply_piece(rp);
    }
}

void fixture_reply(struct mock *m, struct request *rq, struct reply *rp)
{
    struct str name = rq->script.fixture;
    struct buf file;
    buf_init(&file, 256 * 1024 * 1024);
    if (!m->replay_dir || !name_ok(name) || !read_file(m->replay_dir, name, &file)) {
        reply_error(
            rp, 404, "mock_no_fixture", "model", NULL,
            "The simulator has no recording '%.*s'; it reads them from the folder of --replay.",
            STR_ARG(name));
        buf_done(&file);
        return;
    }
    rp->status = rq->script.status ? (int)rq->script.status : 200;
    if (str_ends(name, STR(".chunks.txt")) || str_ends(name, STR(".sse"))) {
        rp->stream = true;
        rp->type = STR("text/event-stream; charset=utf-8");
        if (str_ends(name, STR(".sse")))
            put_sse(buf_str(&file), rp);
        else
            put_chunks(buf_str(&file), !str_eq(rq->script.done, STR("none")), rp);
    } else {
        usage_of(buf_str(&file), rp);
        buf_put(&rp->body, buf_str(&file));
    }
    buf_done(&file);
}
