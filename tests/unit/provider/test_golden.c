/* What each provider is asked, as text: tests/golden/providers/<name>.txt. A change of a row is a change of its file, and is read.
 * WEIR_UPDATE_GOLDEN=1 writes the files anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <dirent.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "provider/provider.h"

/* The same question to all: one whole answer, one stream. */
#define MODEL "some/model:1"
#define PROJECT "my-project"
#define LOCATION "europe-west4"

struct question {
    struct str suffix, query;
};

static struct question question_of(enum dialect_id d, bool vertex, bool stream)
{
    switch (d) {
    case DIALECT_OPENAI_CHAT: break;
    case DIALECT_OPENAI_RESPONSES: return (struct question){ STR("/responses"), STR("") };
    case DIALECT_ANTHROPIC:
        if (vertex)
            return (struct question){ stream ? STR(":streamRawPredict") : STR(":rawPredict"),
                                      STR("") };
        return (struct question){ STR("/v1/messages"), STR("") };
    case DIALECT_GEMINI:
        return stream ? (struct question){ STR(":streamGenerateContent"), STR("alt=sse") }
                      : (struct question){ STR(":generateContent"), STR("") };
    }
    return (struct question){ STR("/chat/completions"), STR("") };
}

/* Scheme and authority; the path to *ret_path. */
static struct str split_url(struct str url, struct str *ret_path)
{
    size_t scheme = str_find(url, STR("://"));
    assert_int_not_equal(scheme, STR_NONE);
    size_t slash = str_find_char(str_skip(url, scheme + 3), '/');
    size_t end = slash == STR_NONE ? url.len : scheme + 3 + slash;
    *ret_path = str_skip(url, end);
    return str_head(url, end);
}

static void put_call(const struct provider *p, struct str model, bool stream, bool token,
                     struct arena *a, struct buf *out)
{
    bool express = p->auth == AUTH_GOOGLE && !token;
    struct str location = express ? STR("global") : STR(LOCATION);
    struct str path, base = provider_base_url(p, location, a);
    struct question q = question_of(provider_dialect(p, model), p->url == URL_VERTEX, stream);
    if (base.len == 0)
        base = STR("https://api-base.example/base");
    struct str authority = split_url(base, &path);
    const struct provider_call c = { .provider = p,
                                     .base_path = path,
                                     .suffix = q.suffix,
                                     .query = q.query,
                                     .model = model,
                                     .api_version = p->version_default,
                                     .project = token ? STR(PROJECT) : STR(""),
                                     .location = location,
                                     .stream = stream };
    struct str header = provider_auth_header(p, token);
    buf_printf(out, "%s\nPOST %.*s%.*s\n", stream ? "stream" : "whole", STR_ARG(authority),
               STR_ARG(provider_call_path(&c, a)));
    if (header.len)
        buf_printf(out, "%.*s: %s<%s>\n", STR_ARG(header),
                   provider_auth_bearer(p, token) ? "Bearer " : "", token ? "token" : "key");
    buf_putz(out, "content-type: application/json\n");
    buf_printf(out, "accept: %s\n\n", stream ? "text/event-stream" : "application/json");
}

static void put_text(struct buf *out, const char *name, struct str value)
{
    if (value.len)
        buf_printf(out, "%s: %.*s\n", name, STR_ARG(value));
}

static void put_quirks(const struct provider *p, struct buf *out)
{
    static const char *const usage[] = { "own chunk", "last chunk", "x_groq" };
    put_text(out, "limit field", p->max_tokens_field);
    put_text(out, "reasoning field", p->reasoning_field);
    put_text(out, "stream_options", p->no_stream_options ? STR("never added") : STR("added"));
    put_text(out, "developer", p->developer_as_system ? STR("sent as system") : STR("kept"));
    put_text(out, "tool call ids",
             p->tool_ids == TOOL_ID_9_ALNUM ? STR("nine letters or digits") : STR(""));
    buf_printf(out, "usage of streams: %s\n", usage[p->usage]);
}

static void put_row(const struct provider *p, struct buf *out)
{
    static const char *const dialects[] = { [DIALECT_OPENAI_CHAT] = "openai.chat",
                                            [DIALECT_OPENAI_RESPONSES] = "openai.responses",
                                            [DIALECT_ANTHROPIC] = "anthropic.messages",
                                            [DIALECT_GEMINI] = "gemini.generate" };
    put_text(out, "name", p->name);
    put_text(out, "title", p->title);
    buf_printf(out, "dialect: %s\n", dialects[p->dialect]);
    put_text(out, "family", p->family);
    put_text(out, "base",
             p->base_url.len        ? p->base_url
             : p->url == URL_VERTEX ? STR("made of the location")
                                    : STR("api_base is required"));
    put_text(out, "base ends with", p->base_end);
    put_text(out, "key", p->key_env);
    for (size_t i = 0; i < 3; i++)
        put_text(out, "or", p->more_key_envs[i]);
    put_text(out, "key needed", p->key_optional ? STR("no") : STR("yes"));
    for (size_t i = 0; i < 2; i++)
        put_text(out, "base from", p->base_envs[i]);
    if (p->dialect == DIALECT_OPENAI_CHAT)
        put_quirks(p, out);
    buf_printf(out, "source: %s, %s\n\n", p->source, p->date);
}

static void put_provider(const struct provider *p, struct buf *out)
{
    struct arena *a = arena_new();
    bool token = p->auth == AUTH_GOOGLE;
    put_row(p, out);
    put_call(p, STR(MODEL), false, token, a, out);
    put_call(p, STR(MODEL), true, token, a, out);
    if (p->url == URL_VERTEX) {
        put_call(p, STR("claude-sonnet-4-5@20250929"), false, true, a, out);
        put_call(p, STR("claude-sonnet-4-5@20250929"), true, true, a, out);
        put_call(p, STR("1234567890"), false, true, a, out);
        put_call(p, STR("gemini-2.5-pro"), false, false, a, out); /* express mode */
    }
    arena_free(a);
}

static void folder(char *out, size_t n)
{
    const char *root = getenv("WEIR_SOURCE_ROOT");
    assert_non_null(root);
    snprintf(out, n, "%s/tests/golden/providers", root);
}

static void read_golden(const char *path, struct buf *out)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return;
    char *room = buf_reserve(out, 64 * KIB);
    buf_commit(out, fread(room, 1, 64 * KIB, f));
    fclose(f);
}

static void write_golden(const char *path, struct str text)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text.p, 1, text.len, f), text.len);
    assert_int_equal(fclose(f), 0);
}

static void test_requests(void **state)
{
    char dir[2000], path[2200];
    bool update = getenv("WEIR_UPDATE_GOLDEN") != NULL;
    folder(dir, sizeof dir);
    if (update)
        mkdir(dir, 0777);
    for (size_t i = 0; provider_at(i); i++) {
        const struct provider *p = provider_at(i);
        struct buf got, want;
        buf_init(&got, MIB);
        buf_init(&want, MIB);
        put_provider(p, &got);
        snprintf(path, sizeof path, "%s/%.*s.txt", dir, STR_ARG(p->name));
        if (update)
            write_golden(path, buf_str(&got));
        read_golden(path, &want);
        if (!str_eq(buf_str(&got), buf_str(&want)))
            fail_msg("%.*s differs from %s; now it is:\n%.*s", STR_ARG(p->name), path,
                     STR_ARG(buf_str(&got)));
        buf_done(&got);
        buf_done(&want);
    }
}

/* A file without a row is one of a provider that is gone. */
static void test_no_file_is_left(void **state)
{
    char dir[2000];
    folder(dir, sizeof dir);
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        struct str name = str_c(e->d_name);
        if (name.p[0] == '.')
            continue;
        assert_true(str_ends(name, STR(".txt")));
        if (!provider_find(str_head(name, name.len - 4)))
            fail_msg("%s belongs to no provider", e->d_name);
    }
    closedir(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_no_file_is_left),
    };
    return cmocka_run_group_tests_name("provider/golden", tests, NULL, NULL);
}
