/* route_hooks.h - POST /hooks/NAME: lets in whoever has the hook's secret, hands the call on.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * Without the right secret it is 401 with nothing in it, before anything of a body is read, whether
 * there is such a hook or not.  What is let in becomes an EVENT_HOOK, and the decision is the
 * answer: 202 {"id": 12, "state": "awaiting_approval", "said": ""}.
 */
#pragma once

#include "lib/http_server.h"
#include "types/event.h"

struct route_hooks;
struct refusals;

#define ROUTE_HOOKS_PATH "/hooks/" /* and the hook's id */

/* What a CI says of a build is some KB; nginx.conf says the same. */
#define ROUTE_HOOKS_BODY_MAX (64u * 1024)

struct route_hooks_config {
	struct loop *loop;
	/* Today's settings, borrowed for the call. */
	struct settings *(*settings)(void *ctx);
	/* Stamps the event and hands it to the store.  False: not taken, 503 is answered. */
	bool (*submit)(void *ctx, struct event *event);
	struct refusals *refusals;	/* counts who is not let in */
	/* Called for each answer; application: in whose file the hook stands, "" of all who were
	 * not let in. */
	void (*count_request)(void *ctx, const char *application, int status);
	void *ctx;
};

struct route_hooks *route_hooks_new(const struct route_hooks_config *config) MUST_USE;

/* NULL is fine.  After the HTTP server, when no event of it is in progress any more. */
void route_hooks_free(struct route_hooks *hooks);

struct http_route route_hooks(struct route_hooks *hooks);
