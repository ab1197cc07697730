#include "route/google.h"

struct find {
    const struct conf *c;
    const struct conf_source *src;
    struct arena *a;       /* for problems */
    struct arena *scratch; /* for what is secret; its texts are wiped by whoever read them */
    struct google_credential **ret;
    struct str *problem;
};

static bool env_of(const struct find *f, struct str name, struct str *ret_value)
{
    return conf_env(f->c, f->src, name, f->scratch, ret_value) && ret_value->len;
}

static enum err parse(const struct find *f, struct str json, const char *where)
{
    struct str why;
    enum err e = google_credential_new(json, f->a, f->ret, &why);
    if (e)
        *f->problem = arena_printf(f->a, "the credential of %s %.*s", where, STR_ARG(why));
    return e;
}

static enum err read_path(const struct find *f, struct str path, const char *where)
{
    struct str text = { NULL, 0 };
    enum err e = f->src->read_file(f->src->ctx, path, f->scratch, &text);
    if (e) {
        *f->problem =
            arena_printf(f->a, "the credential file that %s names cannot be read (%s)", where,
                         e == ERR_NOT_FOUND   ? "there is no such file"
                         : e == ERR_TOO_LARGE ? "it is larger than 8 MiB"
                                              : "are its permissions right?");
        return ERR_SYNTAX;
    }
    e = parse(f, text, where);
    if (text.len)
        wipe((char *)(uintptr_t)text.p, text.len);
    return e;
}

/* Text from a variable is a copy of ours, and wiped. */
static enum err path_or_json(const struct find *f, struct str text, const char *where)
{
    struct str trimmed = str_trim(text);
    return trimmed.len && trimmed.p[0] == '{' ? parse(f, trimmed, where)
                                              : read_path(f, trimmed, where);
}

/* Where `gcloud auth application-default login` writes. Empty: nowhere. */
static struct str gcloud_file(const struct find *f)
{
    struct str folder;
    if (env_of(f, STR("CLOUDSDK_CONFIG"), &folder))
        return arena_printf(f->scratch, "%.*s/application_default_credentials.json",
                            STR_ARG(folder));
    if (env_of(f, STR("HOME"), &folder))
        return arena_printf(f->scratch, "%.*s/.config/gcloud/application_default_credentials.json",
                            STR_ARG(folder));
    return str_of(NULL, 0);
}

static enum err find_default(const struct find *f)
{
    struct str text;
    if (env_of(f, STR("VERTEXAI_CREDENTIALS"), &text)) {
        enum err e = path_or_json(f, text, "VERTEXAI_CREDENTIALS");
        wipe((char *)(uintptr_t)text.p, text.len);
        return e;
    }
    if (env_of(f, STR("GOOGLE_APPLICATION_CREDENTIALS"), &text))
        return read_path(f, text, "GOOGLE_APPLICATION_CREDENTIALS");
    struct str path = gcloud_file(f), json;
    if (path.len && !f->src->read_file(f->src->ctx, path, f->scratch, &json)) {
        enum err e = parse(f, json, "gcloud's application_default_credentials.json");
        if (json.len)
            wipe((char *)(uintptr_t)json.p, json.len);
        return e;
    }
    struct str host = { NULL, 0 };
    env_of(f, STR("GCE_METADATA_HOST"), &host);
    *f->ret = google_credential_metadata(host);
    return ERR_OK;
}

enum err google_find(const struct conf *c, const struct conf_source *src,
                     const struct secret *written, struct arena *a,
                     struct google_credential **ret_credential, struct str *ret_problem)
{
    const struct find f = { c, src, a, arena_new(), ret_credential, ret_problem };
    enum err e = written && secret_len(written)
                     ? path_or_json(&f, secret_reveal(written), "litellm_params.vertex_credentials")
                     : find_default(&f);
    arena_free(f.scratch);
    return e;
}
