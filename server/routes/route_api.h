/* route_api.h - /v1 for users of this machine, on a unix socket of its own.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * The kernel says which user has connected; local_user.h, as whom they act.  What they ask becomes
 * an event, and the store's answer is theirs.  Whoever is not let in gets 403 with a reason, and
 * one line in the log a minute.
 */
#pragma once

#include "lib/http_server.h"
#include "types/api.h"
#include "types/settings.h"

struct event;
struct redact;
struct route_api;

#define ROUTE_API_ROUTES (2 * API_OPERATION_COUNT)

struct route_api_config {
	struct settings *(*settings)(void *ctx);	/* today's; borrowed */
	bool (*submit)(void *ctx, struct event *event); /* false: come again */
	struct redact *redact;
	uint32_t (*runner_uid)(void *ctx); /* of whom scripts run as */
	void *ctx;
};

struct route_api *route_api_new(const struct route_api_config *config) MUST_USE;
void route_api_free(struct route_api *local); /* takes NULL; when all is answered */

/* Those of /v1, and no others. */
void route_api_routes(struct route_api *local, struct http_route ret[ROUTE_API_ROUTES]);
