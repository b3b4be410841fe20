/* route_metrics.h - GET /metrics.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/http_server.h"

struct metric_set;
struct settings;

/* Lives as long as the server. */
struct route_metrics {
	const struct metric_set *set;
	struct settings *(*settings)(void *ctx);	/* today's; ENABLE_TELEMETRY off: 404 */
	void (*count)(void *ctx); /* what is counted when it is asked for */
	void *ctx;
};

struct http_route route_metrics(struct route_metrics *route);
