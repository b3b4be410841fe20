/* github_webhook.h - POST /github/webhook[/NAME]: checks the signature, hands the body on.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * The path chooses the one key, before anything of the body is looked at: /github/webhook the main
 * file's GITHUB_WEBHOOK_SECRET, /github/webhook/NAME the one of that application's own file.
 *
 * The HMAC is fed as the body arrives.  When it holds, the raw body becomes an EVENT_DELIVERY,
 * which the store decodes (github_delivery.h), and the decision's status is the answer, without
 * a body.  Without that secret: 404.
 */
#pragma once

#include "lib/http_server.h"
#include "types/event.h"

struct github_webhook;
struct refusals;

#define GITHUB_WEBHOOK_PATH "/github/webhook"
#define GITHUB_WEBHOOK_PATHS GITHUB_WEBHOOK_PATH "/" /* and the application's name */

/* GitHub sends nothing above 25 MB; nginx.conf says the same. */
#define GITHUB_WEBHOOK_BODY_MAX (26u * 1024 * 1024)

struct github_webhook_config {
	struct loop *loop;
	/* Today's settings, borrowed for the call; a new secret counts from the next request on. */
	struct settings *(*settings)(void *ctx);
	/* Stamps the event and hands it to the store.  False: not taken, 503 is answered. */
	bool (*submit)(void *ctx, struct event *event);
	struct refusals *refusals;	/* counts who is not let in */
	/* Called for each answer of a path that github_webhook_application() knows; NULL: nobody
	 * counts. */
	void (*count_request)(void *ctx, const char *application, int status);
	void *ctx;
};

struct github_webhook *github_webhook_new(const struct github_webhook_config *config) MUST_USE;

/* NULL is fine.  After the HTTP server, when no event of it is in progress any more. */
void github_webhook_free(struct github_webhook *webhook);

#define GITHUB_WEBHOOK_ROUTES 2
void github_webhook_routes(
    struct github_webhook *webhook, struct http_route ret[GITHUB_WEBHOOK_ROUTES]);

/* Whose webhook has that path: "" of the main file's, a name in the settings of an application with
 * a secret of its own; NULL: there is none. */
const char *github_webhook_application(const struct settings *settings, const char *path);
