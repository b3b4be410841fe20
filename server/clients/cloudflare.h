/* cloudflare.h - a zone's security level, read and set: one try each, nothing about when or why.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/* The token stands in a header of each call and never in a log, an error or an answer. */
#pragma once

#include "lib/err.h"
#include "lib/http_client.h"
#include "lib/loop.h"
#include "types/cloudflare_level.h"

struct cloudflare_call;

typedef void cloudflare_done_fn(void *ctx, const struct cloudflare_answer *answer);

struct cloudflare_request {
	const char *base;  /* CLOUDFLARE_API_BASE */
	const char *token; /* CLOUDFLARE_API_TOKEN */
	const char *zone;
	const char *level; /* to set; NULL: it is asked for */
	cloudflare_done_fn *on_done;
	void *ctx;
};

/* on_done comes exactly once, from the loop and never in here, unless it is cancelled.  What the
 * request points at may go at once, but for ctx.  NULL: could not be started; *err says why. */
struct cloudflare_call *cloudflare_start(
    struct http_client *client, const struct cloudflare_request *request, struct err *err) MUST_USE;

/* Without on_done.  NULL is fine. */
void cloudflare_cancel(struct cloudflare_call *call);
