#include "admin/admin.h"

#include "wire/json_write.h"

int admin_root(const struct route_call *call, struct buf *out)
{
    const struct admin_app *app = call->app;
    struct json_write w;
    json_begin(&w, out);
    json_obj(&w, NULL);
    json_strz(&w, "name", "weir");
    json_str(&w, "version", app->version);
    json_strz(
        &w, "about",
        "An LLM gateway: point an OpenAI SDK's base_url here. GET /routes lists what it answers.");
    json_end(&w);
    return 200;
}

/* The bodies are LiteLLM's: probes compare them. */
int admin_liveness(const struct route_call *call, struct buf *out)
{
    (void)call;
    buf_put(out, STR("\"I'm alive!\""));
    return 200;
}

int admin_readiness(const struct route_call *call, struct buf *out)
{
    const struct admin_app *app = call->app;
    struct json_write w;
    json_begin(&w, out);
    json_obj(&w, NULL);
    json_strz(&w, "status", app->draining ? "draining" : "healthy");
    json_strz(&w, "db", "Not connected");
    json_str(&w, "weir_version", app->version);
    json_end(&w);
    return app->draining ? 503 : 200;
}
