/* Vertex AI: which project, location and credential a deployment has, and what its callers are told when one is missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "route/router.h"

#define USER(id)                                                                                   \
    "{\"type\":\"authorized_user\",\"client_id\":\"" id                                            \
    "\",\"client_secret\":\"s\",\"refresh_token\":\"SECRET\""

struct fake {
    const char *const *files; /* path, text, ..., NULL */
    const char *const *env;
};

static enum err fake_file(void *ctx, struct str path, struct arena *a, struct str *ret_text)
{
    struct fake *f = ctx;
    if (str_eq(path, STR("/unreadable")))
        return ERR_IO;
    for (const char *const *e = f->files; e && *e; e += 2)
        if (str_eq(path, str_c(e[0]))) {
            *ret_text = arena_dup(a, str_c(e[1]));
            return ERR_OK;
        }
    return ERR_NOT_FOUND;
}

static bool fake_env(void *ctx, struct str name, struct arena *a, struct str *ret_value)
{
    struct fake *f = ctx;
    for (const char *const *e = f->env; e && *e; e += 2)
        if (str_eq(name, str_c(e[0]))) {
            *ret_value = arena_dup(a, str_c(e[1]));
            return true;
        }
    return false;
}

struct rig {
    struct fake fake;
    struct arena *arena;
    struct conf *conf;
    struct router *router;
    const struct endpoint *e;
};

/* One deployment, `m`, of these litellm_params; files are the fixed ones and the config. */
static void rig_init(struct rig *r, const char *params, const char *const *env)
{
    static const char *files[] = {
        "c.yaml",
        NULL,
        "/cred.json",
        USER("file") ",\"project_id\":\"file-project\"}",
        "/gcloud/application_default_credentials.json",
        USER("gcloud") ",\"quota_project_id\":\"quota\"}",
        "/home/me/.config/gcloud/application_default_credentials.json",
        USER("home") "}",
        "/broken.json",
        "{\"type\":\"service_account\",\"private_key\":\"SECRET\"}",
        NULL,
    };
    struct conf_diags diags = { 0 };
    r->arena = arena_new();
    files[1] = arena_printf(r->arena,
                            "model_list:\n  - model_name: m\n    litellm_params:\n"
                            "      model: vertex_ai/gemini-2.5-pro\n%s",
                            params)
                   .p;
    r->fake = (struct fake){ files, env };
    struct conf_source src = { fake_file, fake_env, &r->fake };
    r->conf = conf_load(&src, STR("c.yaml"), r->arena, &diags);
    assert_non_null(r->conf);
    r->router = router_new(r->conf, &src, (struct hash_seed){ 1, 2 });
    r->e = r->router->deployments[0].endpoint;
    files[1] = NULL;
}

static void rig_done(struct rig *r)
{
    router_free(r->router);
    conf_free(r->conf);
    arena_free(r->arena);
}

#define P "      "

static const struct found {
    const char *params;
    const char *env[8];
    const char *client_id; /* of the credential; NULL: none; "": the metadata server */
    const char *project, *base, *problem;
} rows[] = {
    { P "vertex_credentials: /cred.json\n",
      { NULL },
      "file",
      "file-project",
      "https://us-central1-aiplatform.googleapis.com",
      "" },
    { P "vertex_ai_credentials: /cred.json\n" P "vertex_ai_project: p\n" P
        "vertex_ai_location: eu\n",
      { NULL },
      "file",
      "p",
      "https://aiplatform.eu.rep.googleapis.com",
      "" },
    { P "vertex_credentials: '" USER("text") "}'\n" P "vertex_project: p\n" P
                                             "vertex_location: global\n",
      { NULL },
      "text",
      "p",
      "https://aiplatform.googleapis.com",
      "" },
    { P "vertex_credentials: |\n" P "  " USER("lines") ",\n" P "  \"x\":1}\n" P
                                                       "vertex_project: p\n",
      { NULL },
      "lines",
      "p",
      "https://us-central1-aiplatform.googleapis.com",
      "" },
    { P
      "vertex_credentials: {type: authorized_user, client_id: map, client_secret: s, refresh_token: SECRET}\n" P
      "vertex_project: p\n",
      { NULL },
      "map",
      "p",
      "https://us-central1-aiplatform.googleapis.com",
      "" },
    { P "vertex_credentials: os.environ/CRED\n" P "vertex_project: p\n",
      { "CRED", USER("variable") "}", NULL },
      "variable",
      "p",
      "https://us-central1-aiplatform.googleapis.com",
      "" },
    { "",
      { "VERTEXAI_PROJECT", "ep", "VERTEXAI_LOCATION", "europe-west4",
        "GOOGLE_APPLICATION_CREDENTIALS", "/cred.json", NULL },
      "file",
      "ep",
      "https://europe-west4-aiplatform.googleapis.com",
      "" },
    { "",
      { "VERTEXAI_CREDENTIALS", USER("own") "}", "GOOGLE_APPLICATION_CREDENTIALS", "/cred.json",
        "VERTEXAI_PROJECT", "ep", NULL },
      "own",
      "ep",
      "https://us-central1-aiplatform.googleapis.com",
      "" },
    { "",
      { "CLOUDSDK_CONFIG", "/gcloud", "HOME", "/home/me", NULL },
      "gcloud",
      "quota",
      "https://us-central1-aiplatform.googleapis.com",
      "" },
    { P "vertex_project: p\n",
      { "HOME", "/home/me", NULL },
      "home",
      "p",
      "https://us-central1-aiplatform.googleapis.com",
      "" },
    { P "vertex_project: p\n",
      { "HOME", "/home/nobody", NULL },
      "",
      "p",
      "https://us-central1-aiplatform.googleapis.com",
      "" },
    /* express mode: neither project nor location */
    { P "api_key: AIza\n" P "vertex_location: europe-west4\n",
      { "VERTEXAI_PROJECT", "ep", NULL },
      NULL,
      "",
      "https://aiplatform.googleapis.com",
      "" },
    /* both: the credential that was written wins */
    { P "api_key: AIza\n" P "vertex_credentials: /cred.json\n",
      { NULL },
      "file",
      "file-project",
      "https://us-central1-aiplatform.googleapis.com",
      "" },
    { P "api_base: 'https://gate.example/vertex'\n" P "vertex_project: p\n" P
        "vertex_location: 'X/Y'\n",
      { NULL },
      "",
      "p",
      "https://gate.example/vertex",
      "" },
    { P "api_base: 'https://gate.example/v1/projects/a/locations/b/endpoints/5'\n",
      { NULL },
      "",
      "",
      "https://gate.example/v1/projects/a/locations/b/endpoints/5",
      "" },
    /* what is wrong */
    { "", { NULL }, "", "", "", "VERTEXAI_PROJECT" },
    { P "vertex_project: p\n" P "vertex_location: 'evil.example/'\n",
      { NULL },
      "",
      "p",
      "",
      "us-central1" },
    { P "vertex_credentials: /missing.json\n",
      { NULL },
      NULL,
      "",
      "",
      "litellm_params.vertex_credentials names" },
    { P "vertex_credentials: /unreadable\n", { NULL }, NULL, "", "", "permissions" },
    { P "vertex_credentials: '{\"SECRET\"'\n", { NULL }, NULL, "", "", "is not a JSON object" },
    { "",
      { "GOOGLE_APPLICATION_CREDENTIALS", "/broken.json", NULL },
      NULL,
      "",
      "",
      "the credential of GOOGLE_APPLICATION_CREDENTIALS has no client_email" },
    { "",
      { "GOOGLE_APPLICATION_CREDENTIALS", "/missing.json", NULL },
      NULL,
      "",
      "",
      "there is no such file" },
};

static void test_found(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct found *row = &rows[i];
        struct rig r;
        rig_init(&r, row->params, row->env);
        const struct endpoint *e = r.e;
        struct str problem = r.router->deployments[0].problem;
        if (row->problem[0]) {
            if (str_find(problem, str_c(row->problem)) == STR_NONE ||
                str_find(problem, STR("SECRET")) != STR_NONE ||
                str_find(problem, STR("missing.json")) != STR_NONE)
                fail_msg("row %zu: %.*s", i, STR_ARG(problem));
            rig_done(&r);
            continue;
        }
        if (problem.len)
            fail_msg("row %zu: %.*s", i, STR_ARG(problem));
        if (!str_eq(e->project, str_c(row->project)) || !str_eq(e->api_base, str_c(row->base)))
            fail_msg("row %zu: project %.*s at %.*s", i, STR_ARG(e->project), STR_ARG(e->api_base));
        assert_int_equal(e->google != NULL, row->client_id != NULL);
        assert_int_equal(e->key != NULL, row->client_id == NULL);
        if (row->client_id && row->client_id[0])
            assert_true(str_eq(e->google->client_id, str_c(row->client_id)));
        else if (row->client_id)
            assert_int_equal(e->google->kind, GOOGLE_METADATA);
        rig_done(&r);
    }
}

static void test_metadata_host(void **state)
{
    static const char *const env[] = { "GCE_METADATA_HOST", "127.0.0.1:8091", NULL };
    struct rig r;
    rig_init(&r, P "vertex_project: p\n", env);
    assert_true(str_starts(r.e->google->token_url, STR("http://127.0.0.1:8091/computeMetadata/")));
    rig_done(&r);
}

/* A service account's file must not be taken for a key, nor another provider's key for Google's. */
static void test_no_key_of_others(void **state)
{
    static const char *const env[] = { "GOOGLE_API_KEY", "g", "OPENAI_API_KEY", "k", NULL };
    struct rig r;
    rig_init(&r, P "vertex_project: p\n", env);
    assert_null(r.e->key);
    assert_non_null(r.e->google);
    const struct endpoint *gemini =
        &r.router->defaults[provider_index(provider_find(STR("gemini")))];
    assert_true(secret_eq(gemini->key, STR("g")));
    assert_int_equal(gemini->problem.len, 0);
    assert_null(gemini->google);
    rig_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),
        cmocka_unit_test(test_metadata_host),
        cmocka_unit_test(test_no_key_of_others),
    };
    return cmocka_run_group_tests_name("route/google", tests, NULL, NULL);
}
