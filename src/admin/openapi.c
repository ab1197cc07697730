/* GET /routes and GET /openapi.json: the route table, told to people and to programs. */
#include "admin/admin.h"

#include "wire/json_write.h"

int admin_routes(const struct route_call *call, struct buf *out)
{
    const struct admin_app *app = call->app;
    struct json_write w;
    json_begin(&w, out);
    json_obj(&w, NULL);
    json_arr(&w, "routes");
    for (size_t i = 0; i < app->routes->count; i++) {
        const struct route *r = &app->routes->rows[i];
        json_obj(&w, NULL);
        json_str(&w, "path", r->pattern);
        json_arr(&w, "methods");
        json_strz(&w, NULL, r->method);
        json_end(&w);
        json_strz(&w, "name", r->id);
        json_strz(&w, "summary", r->help);
        json_end(&w);
    }
    json_end(&w);
    json_end(&w);
    return 200;
}

static void put_parameter(struct json_write *w, struct str pattern)
{
    size_t open = str_find_char(pattern, '{');
    if (open == STR_NONE)
        return;
    struct str name = str_skip(pattern, open + 1);
    json_arr(w, "parameters");
    json_obj(w, NULL);
    json_str(w, "name", str_cut(&name, '}'));
    json_strz(w, "in", "path");
    json_bool(w, "required", true);
    json_obj(w, "schema");
    json_strz(w, "type", "string");
    json_end(w);
    json_end(w);
    json_end(w);
}

static void put_operation(struct json_write *w, const struct route *r)
{
    char method[16];
    size_t n = 0;
    for (; n < sizeof method - 1 && r->method[n]; n++)
        method[n] = ascii_lower(r->method[n]);
    method[n] = '\0';
    json_obj(w, method);
    json_strz(w, "operationId", r->id);
    json_strz(w, "summary", r->help);
    put_parameter(w, r->pattern);
    if (r->family != FAMILY_ADMIN)
        json_raw(
            w, "requestBody",
            STR("{\"required\":true,\"content\":{\"application/json\":{\"schema\":{\"type\":\"object\"}}}}"));
    json_raw(
        w, "responses",
        STR("{\"200\":{\"description\":\"the answer\"},\"default\":{\"description\":\"an error in OpenAI's shape\"}}"));
    json_arr(w, "security");
    if (r->role != ROUTE_PUBLIC)
        json_raw(w, NULL, STR("{\"key\":[]}"));
    json_end(w);
    json_end(w);
}

int admin_openapi(const struct route_call *call, struct buf *out)
{
    const struct admin_app *app = call->app;
    struct json_write w;
    json_begin(&w, out);
    json_obj(&w, NULL);
    json_strz(&w, "openapi", "3.1.0");
    json_obj(&w, "info");
    json_strz(&w, "title", "weir");
    json_str(&w, "version", app->version);
    json_end(&w);
    json_raw(&w, "components",
             STR("{\"securitySchemes\":{\"key\":{\"type\":\"http\",\"scheme\":\"bearer\"}}}"));
    json_obj(&w, "paths");
    for (size_t i = 0; i < app->routes->count; i++) {
        const struct route *r = &app->routes->rows[i];
        bool seen = false;
        for (size_t k = 0; k < i; k++)
            seen |= str_eq(app->routes->rows[k].pattern, r->pattern);
        if (seen)
            continue; /* written with the first row of this path */
        json_name(&w, r->pattern);
        json_obj(&w, NULL);
        for (size_t k = i; k < app->routes->count; k++)
            if (str_eq(app->routes->rows[k].pattern, r->pattern))
                put_operation(&w, &app->routes->rows[k]);
        json_end(&w);
    }
    json_end(&w);
    json_end(&w);
    return 200;
}
