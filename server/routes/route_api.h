/* route_api.h - /v1: for users of this machine on a unix socket of its own, and for tokens on TCP.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * The kernel says which user has connected; local_user.h, as whom they act.  What they ask becomes
 * an event, and the store's answer is theirs.  Whoever is not let in gets 403 with a reason, and
 * one line in the log a minute.
 *
 * On TCP who asks is a token, `Authorization: Bearer`, whose MAC is looked for among those that the
 * store has said.  A valid one has requests of its own, from its first one on.  Of all others an
 * address (of IPv6 a network of 64 bits) has ten, then one each six seconds, and all together some:
 * what is guessed or flooded costs those who have one nothing.  Nor does it cost the store
 * anything, which is asked why one is not valid any more, and of no token that nobody was given.
 */
#pragma once

#include "lib/http_server.h"
#include "types/api.h"
#include "types/probe.h"
#include "types/settings.h"
#include "types/token.h"

struct event;
struct loan_shelf;
struct route_watch;
struct run_source;
struct uploads;
struct refusals;
struct route_job_config;
struct route_api;

#define ROUTE_API_ROUTES (2 * API_OPERATION_COUNT)

/* What read_log() may take: nginx waits 15 s for an answer, the command line 20. */
#define ROUTE_API_LOG_MS INT64_C(12000)

struct route_api_config {
	struct settings *(*settings)(void *ctx);	/* today's; borrowed */
	bool (*submit)(void *ctx, struct event *event); /* false: come again */
	struct refusals *refusals;			/* counts who is not let in */
	struct run_source *source; /* of logs; borrowed */
	struct route_watch *waiting; /* for something new; borrowed */
	const char *instance; /* of this start, which the numbers of its news belong to; borrowed */
	bool is_network;		   /* for tokens: the two below are not called */
	uint32_t (*runner_uid)(void *ctx); /* of whom scripts run as */
	/* Somebody whom no setting names has connected: are they there by now? */
	void (*on_unknown)(void *ctx);
	/* Asks so many lines of what that environment's application logged last: calls on_done()
	 * once, and later, as log_look.h has it; false, *err: it will not. */
	bool (*read_log)(void *ctx, const char *environment, int lines,
	    void (*on_done)(void *ctx, bool is_read, const char *text), void *done_ctx,
	    struct err *err);
	/* Looks at health for that user: calls on_done() once, and later. */
	void (*look)(void *ctx, uint64_t user, const struct probe_target *targets, size_t n,
	    void (*on_done)(void *ctx, const struct probe_finding *findings), void *done_ctx);
	struct uploads *uploads;  /* where archives come to; is_network: NULL */
	struct loan_shelf *loans; /* what was lent is given away from there */
	const struct route_job_config *jobs; /* is_network: who lets in jobs; NULL: nobody */
	void *ctx;
};

struct route_api *route_api_new(const struct route_api_config *config) MUST_USE;
void route_api_free(struct route_api *local); /* takes NULL; when all is answered */

/* Which there are from now on; copied. */
void route_api_tokens(struct route_api *local, const struct known_tokens *tokens);

/* Somebody for whom there is no place, of http_server_config: what they are told. */
const char *route_api_crowded(void *api, uid_t uid, enum http_server_crowd why, const char *users);

/* Those of /v1, and no others; returns how many: an archive is taken from users of the machine
 * alone. */
size_t route_api_routes(struct route_api *local, struct http_route ret[ROUTE_API_ROUTES]);
