/* release_ticket.h - by which the script of one run has acts done on managed hosts.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * One line, RUN EPOCH ENVIRONMENT UNTIL AGENT=MANIFEST[,AGENT=MANIFEST…] SIGNATURE: UNTIL in
 * seconds since 1970, MANIFEST the digest of what that agent has said it may be ordered.  It is
 * signed with the order key over order_bytes_write(): kind "ticket", the environment in the place
 * of an agent, UNTIL in that of a challenge, and SHA-256 of the list of agents in that of a
 * manifest.
 *
 * It names no act: whoever has it, as deploybot-link on both sides does, may have those of that run
 * done on these hosts until then, in whatever order.  Its time is that of the host's wall clock.
 */
#pragma once

#include "lib/environment_id.h"
#include "lib/order_bytes.h"
#include "lib/order_keys.h"

#define RELEASE_TICKET_MAX    4096 /* bytes with the NUL */
#define RELEASE_TICKET_AGENTS 3584 /* bytes of the list, with the NUL */

struct release_ticket {
	uint64_t run, epoch;
	char environment[ENVIRONMENT_ID_MAX];
	int64_t until_s;
	char agents[RELEASE_TICKET_AGENTS];
};

/* Signs it by that private key.  False: *err says why. */
bool release_ticket_make(const struct release_ticket *ticket,
    const uint8_t seed[CRYPTO_ED25519_KEY], char ret[RELEASE_TICKET_MAX], struct err *err) MUST_USE;

/* What an agent has of itself, when a ticket is shown to it. */
struct release_ticket_of {
	const struct order_keys *keys;
	const char *manifest; /* its own, now */
	uint64_t lowest;      /* the epoch below which nothing is taken any more */
	int64_t now_s;
};

/* Is it ours, for this agent, as its units are now, and not over? */
bool release_ticket_read(const char *text, const struct release_ticket_of *of,
    struct release_ticket *ret, struct err *err) MUST_USE;
