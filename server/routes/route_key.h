/* route_key.h - who asks has the key of a workflow: requests signed in the form of Standard Webhooks.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * webhook-id, webhook-timestamp and webhook-signature are those of Standard Webhooks 1.0.0
 * (standard-webhooks/standard-webhooks, spec/), but that method and path stand before the body,
 * for a key is good for several requests: signed is "id.timestamp.METHOD path", a newline and the
 * body.
 */
#pragma once

#include "forges/forge_signature.h"
#include "routes/route_job.h"
#include "types/secret.h"

#define ROUTE_KEY_OFF_S	 300 /* before and behind our clock */
#define ROUTE_KEY_PROOFS 3   /* signatures of a header */

/* All of it is borrowed. */
struct route_key_request {
	const char *method, *path;
	const void *body; /* NULL: none */
	size_t size;
	struct forge_headers headers; /* but for signature */
};

struct route_key_found {
	struct job job;	      /* of LET_IN: who asks */
	struct secret secret; /* of LET_IN: its key, borrowed of the settings */
	bool is_previous;
	char why[LIMIT_LINE]; /* else, for whoever sent it */
};

/*
 * Whose key has signed it?  now_ms is wall time.  The keys of all workflows are tried, whichever is
 * the one: the time says nothing of it.  Whether its id was used before the store knows.
 */
enum route_job_result route_key_check(const struct settings *settings,
    const struct route_key_request *request, int64_t now_ms, struct route_key_found *ret);

/* The value of webhook-signature, for a request whose headers have id and timestamp.  False: *err
 * says what is wrong with the key, or that there was no memory. */
#define ROUTE_KEY_SIGNATURE 64
MUST_USE bool route_key_sign(const char *key, const struct route_key_request *request,
    char ret[ROUTE_KEY_SIGNATURE], struct err *err);
