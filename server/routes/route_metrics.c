/* route_metrics.c - writes the metrics as text when it is asked for.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "routes/route_metrics.h"

#include "lib/buf.h"
#include "routes/metric_set.h"
#include "types/settings.h"

#define TEXT_MAX (32u << 20) /* 2,000 environments that all have worked are 11 MB */

static void
on_request(struct http_request *request, void *ctx)
{
	const struct route_metrics *route = ctx;
	CLEANUP(buf_done) struct buf text = buf_make(TEXT_MAX);

	if (!route->settings(route->ctx)->enable_telemetry) {
		http_request_answer(request, 404, NULL, NULL, 0);
		return;
	}
	route->count(route->ctx);
	metric_set_write(route->set, &text);
	if (buf_failed(&text))
		http_request_answer(request, 503, NULL, NULL, 0);
	else
		http_request_answer_text(request, 200, "text/plain; version=0.0.4; charset=utf-8",
		    NULL, buf_text(&text));
}

struct http_route
route_metrics(struct route_metrics *route)
{
	return (struct http_route){
		.methods = "GET",
		.path = "/metrics",
		.on_request = on_request,
		.ctx = route,
	};
}
