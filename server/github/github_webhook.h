/* github_webhook.h - POST /github/webhook: checks the signature, hands the body on.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * The HMAC is fed as the body arrives.  When it holds, the raw body becomes an EVENT_DELIVERY,
 * which the store decodes (github_delivery.h), and the decision's status is the answer, without
 * a body.  Without GITHUB_WEBHOOK_SECRET: 404.
 */
#pragma once

#include "lib/http_server.h"
#include "types/event.h"

struct github_webhook;

#define GITHUB_WEBHOOK_PATH	"/github/webhook"

/* GitHub sends nothing above 25 MB; nginx.conf says the same. */
#define GITHUB_WEBHOOK_BODY_MAX (26u * 1024 * 1024)

struct github_webhook_config {
	struct loop *loop;
	/* Today's settings, borrowed for the call; a new secret counts from the next request on. */
	struct settings *(*settings)(void *ctx);
	/* Stamps the event and hands it to the store.  False: not taken, 503 is answered. */
	bool (*submit)(void *ctx, struct event *event);
	/* Called for each answer; NULL: nobody counts. */
	void (*count_request)(void *ctx, int status);
	void *ctx;
};

/* NULL when memory is short. */
struct github_webhook *github_webhook_new(const struct github_webhook_config *config) MUST_USE;

/* NULL is fine.  After the HTTP server, when no event of it is in progress any more. */
void github_webhook_free(struct github_webhook *webhook);

struct http_route github_webhook_route(struct github_webhook *webhook);
