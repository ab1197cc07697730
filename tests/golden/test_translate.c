/* Golden cases of translations: tests/golden/<from>-<to>/<case>/
 *
 *   request.json      what the client sent                               given
 *   target.txt        model, and flags a line each: drop_params strict vertex modify_params repair count, "provider <name>"   given
 *   reply.json, reply.sse   what the provider answered, whole or streamed      given, optional
 *   upstream.json     the body sent to the provider                      made
 *   headers.txt       the call's path suffix, query and headers          made
 *   report.txt        x-weir-fidelity                                    made
 *   fault.txt         the refusal, where the request is refused          made
 *   answer.json, answer.sse   what the client gets                       made
 *   losses.txt        what of the answer it does not get, where that is something          made
 *   stored.json       what is kept of it for follow-ups (responses), where that is more than the client gets   made
 *   failure.txt       why the answer could not be read                   made
 *
 * `test_translate --write [openai-anthropic]` makes them anew; the diff is to be read. A stream is also replayed byte by byte, with the
 * same outcome, and cut after each of its events: ERR_UPSTREAM_CUT before the last one, never END. */
#include "counted.h"

#include "base/mem.h"
#include "dialect/count.h"
#include "dialect/dialect.h"
#include "dialect/responses.h"
#include "wire/json_scan.h"
#include "wire/sse.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { FILE_MAX = 16 << 20, CASES_MAX = 1024 };

static const struct side {
    const char *name, *family;
    const struct dialect *dialect;
} sides[] = {
    { "openai", "openai", &dialect_openai_chat },
    { "anthropic", "anthropic", &dialect_anthropic_messages },
    { "gemini", "gemini", &dialect_gemini_generate },
    { "responses", "openai", &dialect_openai_responses },
};

static __attribute__((noinline)) void join_path(char *to, size_t room, const char *dir,
                                                const char *name)
{
    int n = snprintf(to, room, "%s/%s", dir, name);
    if (n < 0 || (size_t)n >= room)
        fail_msg("a path is too long: %s", dir);
}

struct golden {
    char dir[1024];
    const struct side *from, *to;
    bool write; /* make the files anew instead of comparing */
};

/* -- files */

/* False when there is none. */
static bool load(const struct golden *g, const char *name, struct arena *a, struct str *ret_text)
{
    char path[1200];
    join_path(path, sizeof path, g->dir, name);
    FILE *f = fopen(path, "rb");
    if (!f)
        return false;
    struct stat st;
    assert_int_equal(fstat(fileno(f), &st), 0);
    char *p = arena_alloc(a, (size_t)st.st_size + 1);
    *ret_text = str_of(p, fread(p, 1, (size_t)st.st_size, f));
    fclose(f);
    return true;
}

static void expect(const struct golden *g, const char *name, struct str got, struct arena *a)
{
    char path[1200];
    struct str want = { 0 };
    join_path(path, sizeof path, g->dir, name);
    if (g->write) {
        FILE *f = fopen(path, "wb");
        assert_non_null(f);
        if (got.len)
            fwrite(got.p, 1, got.len, f);
        fclose(f);
        return;
    }
    if (!load(g, name, a, &want))
        fail_msg("%s is missing; the program made:\n%.*s", path, STR_ARG(got));
    if (!str_eq(got, want))
        fail_msg("%s differs; the program made:\n%.*s", path, STR_ARG(got));
}

/* A file that must not be there. */
static void expect_none(const struct golden *g, const char *name)
{
    char path[1200];
    join_path(path, sizeof path, g->dir, name);
    if (g->write)
        unlink(path);
    else if (access(path, F_OK) == 0)
        fail_msg("%s is there, but the program makes none", path);
}

static struct str with_newline(struct str s, struct arena *a)
{
    return arena_printf(a, "%.*s\n", STR_ARG(s));
}

/* -- the request */

static bool has_flag(struct str text, const char *flag)
{
    while (text.len)
        if (str_eq(str_trim(str_cut(&text, '\n')), str_c(flag)))
            return true;
    return false;
}

/* "provider groq": a row that is narrower than the dialect; none: the dialect's own service. */
static const struct provider *read_provider(struct str text)
{
    while (text.len) {
        struct str line = str_trim(str_cut(&text, '\n'));
        if (str_starts(line, STR("provider ")))
            return provider_find(str_skip(line, 9));
    }
    return NULL;
}

static void read_target(const struct golden *g, struct arena *a, struct dialect_target *t,
                        struct ir_report *r)
{
    struct str text;
    if (!load(g, "target.txt", a, &text))
        fail_msg("%s/target.txt is missing", g->dir);
    struct str rest = text;
    t->model = str_trim(str_cut(&rest, '\n'));
    t->vertex = has_flag(rest, "vertex");
    t->modify_params = has_flag(rest, "modify_params");
    t->repair = has_flag(rest, "repair");
    t->count = has_flag(rest, "count");
    t->provider = read_provider(rest);
    t->facts = model_facts_find(str_c(g->to->family), t->model);
    r->drop_params = has_flag(rest, "drop_params");
    r->strict = has_flag(rest, "strict");
    r->target = t->provider ? t->provider->name : str_c(g->to->family);
    r->target = arena_printf(a, "%.*s %.*s", STR_ARG(r->target), STR_ARG(t->model));
}

static void expect_fault(const struct golden *g, const struct fault *f, struct arena *a)
{
    expect(g, "fault.txt",
           arena_printf(a, "status: %d\ntype: %.*s\ncode: %.*s\nparam: %.*s\n%.*s\n", f->status,
                        STR_ARG(f->type), STR_ARG(f->code), STR_ARG(f->param), STR_ARG(f->msg)),
           a);
    expect_none(g, "upstream.json");
    expect_none(g, "headers.txt");
    expect_none(g, "report.txt");
}

static void expect_call(const struct golden *g, struct ir_call *call, const struct ir_report *r,
                        struct arena *a)
{
    struct buf out;
    const struct str *segs;
    size_t n;
    struct json_problem problem;
    struct str flat = segments_flat(&call->body, a);
    assert_int_equal(segments_finish(&call->body, a, &segs, &n), ERR_OK);
    if (json_check(flat, &problem))
        fail_msg("%s: the body is no JSON at %zu: %s\n%.*s", g->dir, problem.at, problem.what,
                 STR_ARG(flat));
    expect(g, "upstream.json", with_newline(flat, a), a);
    buf_init(&out, 65536);
    buf_printf(&out, "%.*s%.*s", STR_ARG(call->model), STR_ARG(call->suffix));
    if (call->query.len)
        buf_printf(&out, "?%.*s", STR_ARG(call->query));
    buf_putc(&out, '\n');
    for (size_t i = 0; i < call->header_count; i++)
        buf_printf(&out, "%.*s: %.*s\n", STR_ARG(call->headers[i].name),
                   STR_ARG(call->headers[i].value));
    expect(g, "headers.txt", buf_str(&out), a);
    buf_reset(&out);
    ir_report_write(r, &out);
    buf_putc(&out, '\n');
    expect(g, "report.txt", buf_str(&out), a);
    buf_done(&out);
    expect_none(g, "fault.txt");
}

/* -- the answer */

struct relay {
    const struct dialect *reader_of, *writer_of;
    void *reader, *writer;
    struct buf out;
    struct ir_sink sink;
    struct ir_report losses;
    bool ended; /* END or ERROR was seen */
    bool end;   /* END was seen */
    bool
        finish; /* chat: a finish_reason was seen; the usage and [DONE] that follow may be left out */
    enum err err;
    const char *what;
};

static void take_loss(struct relay *r, const struct ir_event *ev)
{
    struct fault unused;
    const char *tag = arena_cstr(r->losses.arena, ev->name);
    assert_int_equal(ev->degraded ? ir_degrade(&r->losses, tag, tag, &unused)
                                  : ir_lose(&r->losses, tag, tag, &unused),
                     ERR_OK);
}

static void on_event(void *ctx, const struct ir_event *ev)
{
    struct relay *r = ctx;
    assert_false(r->ended); /* nothing follows END and ERROR */
    r->end |= ev->kind == IR_EV_END;
    r->ended |= ev->kind == IR_EV_END || ev->kind == IR_EV_ERROR;
    if (ev->kind == IR_EV_LOSS)
        take_loss(r, ev);
    r->writer_of->write_answer(r->writer, ev, &r->out);
}

static void relay_init(struct relay *r, const struct golden *g, const struct answer_context *c)
{
    struct answer_style style = { .fold = !c->rq->stream,
                                  .usage = c->rq->usage_asked,
                                  .model_json = STR("\"the-alias\""),
                                  .response_id = STR("resp_0123456789abcdef0123456789abcdef") };
    *r = (struct relay){ .reader_of = g->to->dialect, .writer_of = g->from->dialect };
    r->reader = arena_zalloc(c->arena, r->reader_of->reader_bytes);
    r->writer = arena_zalloc(c->arena, r->writer_of->writer_bytes);
    r->sink = (struct ir_sink){ on_event, r };
    ir_report_init(&r->losses, c->arena);
    buf_init(&r->out, FILE_MAX);
    r->reader_of->reader_init(r->reader, c);
    r->writer_of->writer_init(r->writer, c, &style);
}

static void relay_done(struct relay *r)
{
    r->reader_of->reader_done(r->reader);
    r->writer_of->writer_done(r->writer);
    buf_done(&r->out);
}

static void relay_end(struct relay *r)
{
    if (!r->err)
        r->err = r->reader_of->end_answer(r->reader, &r->sink);
}

static void relay_frame(struct relay *r, struct str name, struct str data, bool whole)
{
    struct frame f = { .name = name, .data = data, .whole = whole };
    r->finish |= r->reader_of == &dialect_openai_chat &&
                 str_find(data, STR("\"finish_reason\": \"")) != STR_NONE;
    if (!r->err)
        r->err = r->reader_of->read_answer(r->reader, &f, &r->sink, &r->what);
}

/* Events until `limit` of them were read; true when there was one more. */
static bool relay_sse(struct relay *r, struct str text, size_t step, size_t limit)
{
    struct sse s;
    struct sse_event ev;
    size_t n = 0;
    bool more = false;
    sse_init(&s, SSE_EVENT_MAX);
    for (size_t at = 0; at < text.len && !more; at += step) {
        sse_push(&s, str_head(str_skip(text, at), step));
        while (sse_next(&s, &ev) == ERR_OK) {
            if (!ev.has_data)
                continue;
            more |= n == limit;
            if (n++ < limit)
                relay_frame(r, ev.name, ev.data, false);
        }
    }
    sse_done(&s);
    return more;
}

static void expect_losses(const struct golden *g, const struct relay *r, struct arena *a)
{
    struct buf out;
    if (r->losses.count == 0) {
        expect_none(g, "losses.txt");
        return;
    }
    buf_init(&out, 65536);
    ir_report_write(&r->losses, &out);
    expect(g, "losses.txt", with_newline(buf_str(&out), a), a);
    buf_done(&out);
}

/* What is kept is what the client got last; hidden items beside it go into a file. */
static void expect_stored(const struct golden *g, const struct relay *r, struct arena *a)
{
    struct buf object, items;
    if (g->from->dialect != &dialect_openai_responses || !r->end) {
        expect_none(g, "stored.json");
        return;
    }
    buf_init(&object, FILE_MAX);
    buf_init(&items, FILE_MAX);
    response_writer_result(r->writer, &object, &items);
    assert_true(str_find(buf_str(&r->out), buf_str(&object)) != STR_NONE);
    if (str_find(buf_str(&object), buf_str(&items)) == STR_NONE)
        expect(g, "stored.json", with_newline(buf_str(&items), a), a);
    else
        expect_none(g, "stored.json");
    buf_done(&object);
    buf_done(&items);
}

static void expect_answer(const struct golden *g, struct relay *r, bool stream, struct arena *a)
{
    expect_losses(g, r, a);
    expect_stored(g, r, a);
    expect_none(g, stream ? "answer.json" : "answer.sse");
    expect(g, stream ? "answer.sse" : "answer.json",
           stream ? buf_str(&r->out) : with_newline(buf_str(&r->out), a), a);
    if (r->err)
        expect(g, "failure.txt",
               arena_printf(a, "%s%s%s\n", err_name(r->err), r->what ? ": " : "",
                            r->what ? r->what : ""),
               a);
    else
        expect_none(g, "failure.txt");
}

/* Cut after each event: what was given out is a start of the whole. Where the dialect has a last event, the answer is never
 * complete before it; where it has none, it may be so only when nothing is missing. */
static void cut_everywhere(const struct golden *g, const struct answer_context *c, struct str sse)
{
    struct relay whole;
    relay_init(&whole, g, c);
    relay_sse(&whole, sse, SIZE_MAX / 2, SIZE_MAX);
    bool has_last = whole.ended;
    relay_end(&whole);
    for (size_t n = 0;; n++) {
        struct relay r;
        relay_init(&r, g, c);
        bool more = relay_sse(&r, sse, SIZE_MAX / 2, n);
        bool open = !r.ended && !r.err;
        if (!str_starts(buf_str(&whole.out), buf_str(&r.out)))
            fail_msg("%s: cut after %zu events gives other bytes", g->dir, n);
        relay_end(&r);
        bool complete = r.end || r.err != ERR_UPSTREAM_CUT;
        if (open && complete && !(r.finish && r.end) &&
            (has_last || r.err || !str_eq(buf_str(&r.out), buf_str(&whole.out))))
            fail_msg("%s: cut after %zu events gives %s%s", g->dir, n, err_name(r.err),
                     r.end ? ", END" : "");
        relay_done(&r);
        if (!more)
            break;
    }
    relay_done(&whole);
}

static void check_stream(const struct golden *g, const struct answer_context *c, struct str sse)
{
    struct relay r, slow;
    relay_init(&r, g, c);
    relay_sse(&r, sse, SIZE_MAX / 2, SIZE_MAX);
    relay_end(&r);
    expect_answer(g, &r, c->rq->stream, c->arena);
    relay_init(&slow, g, c);
    relay_sse(&slow, sse, 1, SIZE_MAX);
    relay_end(&slow);
    if (slow.err != r.err || !str_eq(buf_str(&slow.out), buf_str(&r.out)))
        fail_msg("%s: byte by byte gives another answer", g->dir);
    relay_done(&slow);
    relay_done(&r);
    cut_everywhere(g, c, sse);
}

static void check_whole(const struct golden *g, const struct answer_context *c, struct str body)
{
    struct relay r;
    relay_init(&r, g, c);
    relay_frame(&r, str_of(NULL, 0), body, true);
    relay_end(&r);
    expect_answer(g, &r, c->rq->stream, c->arena);
    relay_done(&r);
}

static void check_count(const struct golden *g, struct str body, struct arena *a)
{
    struct count_answer ans = { 0 };
    struct buf out;
    const char *what = NULL;
    enum err e = g->to->dialect->read_count(body, &ans, &what);
    if (e) {
        expect(g, "failure.txt", arena_printf(a, "%s: %s\n", err_name(e), what), a);
        expect_none(g, "answer.json");
        return;
    }
    assert_false(ans.error);
    buf_init(&out, 1024);
    count_write_openai(ans.tokens, &out);
    expect(g, "answer.json", with_newline(buf_str(&out), a), a);
    expect_none(g, "failure.txt");
    buf_done(&out);
}

static void check_answer(const struct golden *g, const struct ir_request *rq,
                         const struct dialect_target *t, struct arena *a)
{
    struct answer_context c = {
        .rq = rq, .target = t, .arena = a, .unix_s = 1700000000, .id = STR("0123456789abcdef")
    };
    struct str text;
    if (t->count && load(g, "reply.json", a, &text))
        check_count(g, text, a);
    else if (load(g, "reply.sse", a, &text))
        check_stream(g, &c, text);
    else if (load(g, "reply.json", a, &text))
        check_whole(g, &c, text);
}

/* -- one case */

static void run_case(void **state)
{
    const struct golden *g = *state;
    struct arena *a = arena_new();
    struct ir_request rq = { 0 };
    struct ir_report report;
    struct ir_call call;
    struct fault fault = { 0 };
    struct dialect_target target = { 0 };
    struct str body;
    enum err e;
    ir_report_init(&report, a);
    read_target(g, a, &target, &report);
    if (!load(g, "request.json", a, &body))
        fail_msg("%s/request.json is missing", g->dir);
    e = g->from->dialect->read_request(body, str_of(NULL, 0), a, &rq, &fault);
    if (!e)
        e = g->to->dialect->write_request(&rq, &target, &report, a, &call, &fault);
    if (e) {
        assert_int_equal(fault.err, e);
        expect_fault(g, &fault, a);
    } else {
        expect_call(g, &call, &report, a);
        if (g->to->dialect->read_count && !target.count)
            counted_check(&(struct counted){ g->dir, g->to->dialect, &rq, &target, &report,
                                             segments_flat(&call.body, a), a });
        segments_done(&call.body);
        check_answer(g, &rq, &target, a);
    }
    arena_free(a);
}

/* -- finding them */

static const struct side *side_of(struct str name)
{
    for (size_t i = 0; i < sizeof sides / sizeof sides[0]; i++)
        if (str_eq(name, str_c(sides[i].name)))
            return &sides[i];
    return NULL;
}

static int visible(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

struct found {
    struct CMUnitTest tests[CASES_MAX];
    size_t count;
    bool write;
};

static void add_cases(struct found *f, const char *pair_dir, const struct side *from,
                      const struct side *to)
{
    struct dirent **list;
    int n = scandir(pair_dir, &list, visible, alphasort);
    for (int i = 0; i < n; i++) {
        struct golden *g = MEM_NEW(struct golden);
        struct stat st;
        join_path(g->dir, sizeof g->dir, pair_dir, list[i]->d_name);
        g->from = from;
        g->to = to;
        g->write = f->write;
        free(list[i]); /* scandir's own malloc */
        if (stat(g->dir, &st) || !S_ISDIR(st.st_mode) || f->count == CASES_MAX) {
            mem_free(g);
            continue;
        }
        f->tests[f->count++] =
            (struct CMUnitTest){ .name = g->dir, .test_func = run_case, .initial_state = g };
    }
    if (n >= 0)
        free(list);
}

/* `only`: the pair, or NULL for all. */
static void find_cases(struct found *f, const char *root, const char *only)
{
    struct dirent **list;
    int n = scandir(root, &list, visible, alphasort);
    for (int i = 0; i < n; i++) {
        char dir[1024];
        struct str to = str_c(list[i]->d_name), from = str_cut(&to, '-');
        join_path(dir, sizeof dir, root, list[i]->d_name);
        if (side_of(from) && side_of(to) && (!only || strcmp(only, list[i]->d_name) == 0))
            add_cases(f, dir, side_of(from), side_of(to));
        free(list[i]);
    }
    if (n >= 0)
        free(list);
}

int main(int argc, char **argv)
{
    struct found *f = MEM_NEW(struct found);
    const char *root = getenv("WEIR_SOURCE_ROOT");
    char dir[400];
    f->write = argc > 1 && strcmp(argv[1], "--write") == 0;
    if (argc > 3 || (argc > 1 && !f->write)) {
        fprintf(stderr, "usage: %s [--write [PAIR]]\n", argv[0]);
        mem_free(f);
        return 2;
    }
    snprintf(dir, sizeof dir, "%s/tests/golden", root ? root : ".");
    find_cases(f, dir, argc == 3 ? argv[2] : NULL);
    if (f->count == 0) {
        fprintf(stderr, "no case under %s\n", dir);
        mem_free(f);
        return 1;
    }
    int failed = _cmocka_run_group_tests("translate", f->tests, f->count, NULL, NULL);
    for (size_t i = 0; i < f->count; i++)
        mem_free(f->tests[i].initial_state);
    mem_free(f);
    return failed;
}
