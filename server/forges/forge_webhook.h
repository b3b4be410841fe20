/* forge_webhook.h - POST to a forge's webhook: checks signature or token, hands the body on.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * The path chooses the one secret, before anything of the body is looked at: /github/webhook the
 * main file's GITHUB_WEBHOOK_SECRET, /github/webhook/NAME the one of that application's own file;
 * the same of the other rows (forge_row.h); /github/app GITHUB_APP_WEBHOOK_SECRET.  Without that
 * secret: 404.
 *
 * A token is compared at the head of the request; an HMAC is fed as the body arrives.  What is
 * proven becomes an EVENT_DELIVERY, which the store decodes, and the decision's status is the
 * answer.  What cannot be proven for want of memory is 503, and nobody's mistake.
 */
#pragma once

#include "lib/http_server.h"
#include "types/event.h"

struct forge_webhook;
struct refusals;

struct forge_webhook_config {
	/* Today's settings, borrowed for the call; a new secret counts from the next request on. */
	struct settings *(*settings)(void *ctx);
	/* Stamps the event and hands it to the store.  False: not taken, 503 is answered. */
	bool (*submit)(void *ctx, struct event *event);
	struct refusals *refusals;	/* counts who is not let in */
	/* Called for each answer of a path that forge_webhook_application() knows; NULL: nobody
	 * counts. */
	void (*count_request)(
	    void *ctx, enum delivery_forge forge, const char *application, int status);
	void *ctx;
};

struct forge_webhook *forge_webhook_new(const struct forge_webhook_config *config) MUST_USE;

/* NULL is fine.  After the HTTP server, when no event of it is in progress any more. */
void forge_webhook_free(struct forge_webhook *webhook);

#define FORGE_WEBHOOK_ROUTES (2 * DELIVERY_FORGE_COUNT + 1)
void forge_webhook_routes(
    struct forge_webhook *webhook, struct http_route ret[FORGE_WEBHOOK_ROUTES]);

/* Whose webhook has that path, and of which forge: "" of the main file's, a name in the settings of
 * an application with a secret of its own; NULL: there is none, or no forge of that path. */
const char *forge_webhook_application(
    const struct settings *settings, const char *path, enum delivery_forge *ret_forge);
