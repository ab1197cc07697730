/* GET /models, /models/{id}, /model/info: shapes are OpenAI's and LiteLLM's. */
#include "admin/admin.h"

#include "base/fault.h"
#include "dialect/openai_chat.h"
#include "wire/json_write.h"

/* LiteLLM gives every model this date and owner; programs show them. */
#define CREATED 1677610602

static void put_model(struct json_write *w, struct str id)
{
    json_obj(w, NULL);
    json_str(w, "id", id);
    json_strz(w, "object", "model");
    json_uint(w, "created", CREATED);
    json_strz(w, "owned_by", "openai");
    json_end(w);
}

/* The value of a query parameter, or an empty slice. */
static struct str query_value(struct str query, struct str name, struct arena *a)
{
    while (query.len) {
        struct str value = str_cut(&query, '&');
        struct str key = str_cut(&value, '=');
        if (str_eq(key, name))
            return percent_decode(value, a);
    }
    return query;
}

int admin_models(const struct route_call *call, struct buf *out)
{
    const struct admin_app *app = call->app;
    const struct router *r = app->router;
    bool wildcards = str_eq_nocase(
        query_value(call->head->query, STR("return_wildcard_routes"), call->arena), STR("true"));
    struct json_write w;
    json_begin(&w, out);
    json_obj(&w, NULL);
    json_arr(&w, "data");
    for (size_t i = 0; i < r->public_count; i++)
        if (!r->public_groups[i]->wildcard || wildcards)
            put_model(&w, r->public_groups[i]->name);
    for (size_t i = 0; i < r->conf->alias_count; i++)
        if (!r->conf->aliases[i].hidden && !map_get(&r->groups, r->conf->aliases[i].alias))
            put_model(&w, r->conf->aliases[i].alias);
    json_end(&w);
    json_strz(&w, "object", "list");
    json_end(&w);
    return 200;
}

int admin_model(const struct route_call *call, struct buf *out)
{
    const struct admin_app *app = call->app;
    struct pick pick;
    struct fault fault;
    enum err e = router_pick(app->router, call->capture, call->arena, &pick, &fault);
    if (e == ERR_UNKNOWN_MODEL) {
        fault_set(&fault, ERR_NO_MODEL, call->arena,
                  "The model '%.*s' does not exist on this gateway. GET /v1/models lists them.",
                  STR_ARG(str_head(call->capture, 256)));
        fault.param = STR("model");
        openai_write_fault(&fault, str_of(NULL, 0), out);
        return fault.status;
    }
    struct json_write w;
    json_begin(&w, out);
    put_model(&w, call->capture);
    return 200;
}

int admin_model_info(const struct route_call *call, struct buf *out)
{
    const struct admin_app *app = call->app;
    const struct conf *c = app->router->conf;
    struct str wanted = query_value(call->head->query, STR("litellm_model_id"), call->arena);
    struct json_write w;
    json_begin(&w, out);
    json_obj(&w, NULL);
    json_arr(&w, "data");
    for (size_t i = 0; i < c->deployment_count; i++) {
        const struct conf_deployment *d = &c->deployments[i];
        if (wanted.len && !str_eq(wanted, d->id))
            continue;
        json_obj(&w, NULL);
        json_str(&w, "model_name", d->name);
        json_raw(&w, "litellm_params", d->public_params);
        json_raw(&w, "model_info", d->model_info);
        json_end(&w);
    }
    json_end(&w);
    json_end(&w);
    return 200;
}
