/* routes.h -- the one route table. Const. */
#ifndef ROUTES_H
#define ROUTES_H

#include "http/route.h"

extern const struct route_table route_table;

#endif
