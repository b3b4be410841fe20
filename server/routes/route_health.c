/* route_health.c - two words for whoever restarts containers and balances load.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "routes/route_health.h"

#include "routes/health_watch.h"
#include "lib/text.h"

#define ANSWER_MAX (HEALTH_WATCH_WHY + 160)

static void
answer(struct http_request *request, int status, const char *text, bool misses_updates)
{
	static const struct http_header missed = { ROUTE_HEALTH_MISSES, "missed" };
	char line[ANSWER_MAX + 1];

	text_setf(line, "%s\n", text);
	http_request_answer_text(
	    request, status, "text/plain; charset=utf-8", misses_updates ? &missed : NULL, line);
}

static void
on_live(struct http_request *request, UNUSED void *ctx)
{
	answer(request, 200, "ok", false); /* whoever reads this was served by a turn of the loop */
}

static void
on_ready(struct http_request *request, void *ctx)
{
	const char *illness = health_watch_illness(ctx);
	bool is_receiving = health_watch_is_receiving(ctx);
	const char *away = health_watch_runner_away(ctx);
	char text[ANSWER_MAX];

	/* Without a runner work is taken all the same, and waits: a proxy that sent it elsewhere,
	 * or nowhere, would lose pushes. */
	text_setf(text, "ready%s%s%s%s", away[0] == '\0' ? "" : "; the runner is disconnected (",
	    away, away[0] == '\0' ? "" : "): deployments are queued",
	    is_receiving ? "" : "; updates of Telegram are not received");
	answer(
	    request, illness != NULL ? 503 : 200, illness != NULL ? illness : text, !is_receiving);
}

struct http_route
route_health_live(void)
{
	return (struct http_route){
		.methods = "GET, HEAD",
		.path = "/healthz",
		.on_request = on_live,
	};
}

struct http_route
route_health_ready(struct health_watch *watch)
{
	return (struct http_route){
		.methods = "GET, HEAD",
		.path = "/readyz",
		.on_request = on_ready,
		.ctx = watch,
	};
}
