/* admin/admin.h -- what weir answers itself: health, models, its own routes. One function a route, named in src/routes.c.
 *
 * Handlers read the snapshot that their request holds; they neither block nor keep anything. Thread: a worker's. */
#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

#include "http/route.h"
#include "route/router.h"

/* route_call.app */
struct admin_app {
    const struct router *router;
    const struct route_table *routes;
    bool draining;
    struct str version;
};

route_fn admin_root;
route_fn admin_liveness;
route_fn admin_readiness;
route_fn admin_models;
route_fn admin_model; /* capture: id */
route_fn admin_model_info;
route_fn admin_routes;
route_fn admin_openapi;

#endif
