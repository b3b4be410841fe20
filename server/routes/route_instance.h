/* route_instance.h - GET where Telegram delivers: which running server a name leads to.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/http_server.h"

#define ROUTE_INSTANCE_HEADER "Deploybot-Instance" /* of a request that asks for it; any value */
#define ROUTE_INSTANCE_SIZE   33		   /* 32 hex digits and the NUL */

/* Drawn at each start, and good for nothing else: `deploybot healthcheck --instance` asks for it
 * on the machine, and deploybot-setup at the name that it registers.  Lives as long as the
 * server. */
struct route_instance {
	char id[ROUTE_INSTANCE_SIZE];
};

bool route_instance_draw(struct route_instance *instance, struct err *err) MUST_USE;

/* Who does not ask for it is answered as before there was such a route. */
struct http_route route_instance(struct route_instance *instance);
