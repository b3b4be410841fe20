/* release_ticket.h - by which the script of one run has acts done on managed hosts.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * One line, RUN EPOCH ENVIRONMENT PROGRAM UNTIL AGENT=MANIFEST[,AGENT=MANIFEST…] SIGNATURE:
 * PROGRAM as the order of that run has it, UNTIL in seconds since 1970, MANIFEST the digest of what
 * that agent has said it may be ordered.  It is signed with the order key over order_bytes_write():
 * kind "ticket", the environment in the place of an agent, the program in that of a capability,
 * UNTIL in that of a challenge, and SHA-256 of the list of agents in that of a manifest.
 *
 * Until then the acts of that program (agent/call.c) may be done on these hosts, in any order.
 * Its time is that of the host's wall clock.  Who calls for one proves it: the list has also =KEY,
 * a public key of that run alone, whose seed the script has behind its ticket, a blank between.
 * It passes no link.  A call is signed with it over order_bytes_write(): kind "call", act, SHA-256
 * of its seconds and words, and a challenge that the agent has drawn for it.
 */
#pragma once

#include "lib/crypto_ca.h"
#include "lib/environment_id.h"
#include "lib/order_bytes.h"
#include "lib/order_keys.h"
#include "lib/setting.h"

#define RELEASE_KEY 65 /* hex digits and NUL */
/* Bytes with the NUL: of the list, as many as a setting has hosts, and of it all. */
#define RELEASE_TICKET_AGENTS (SETTING_HOSTS_MAX * (CRYPTO_CA_NAME_MAX + 66) + 1 + RELEASE_KEY)
#define RELEASE_TICKET_MAX    8448

struct release_ticket {
	uint64_t run, epoch;
	char environment[ENVIRONMENT_ID_MAX];
	char program[9]; /* of runner/protocol.h */
	int64_t until_s;
	char agents[RELEASE_TICKET_AGENTS];
};

/* Signs it by that private key.  False: *err says why. */
bool release_ticket_make(const struct release_ticket *ticket,
    const uint8_t seed[CRYPTO_ED25519_KEY], char ret[RELEASE_TICKET_MAX], struct err *err) MUST_USE;

/* A new key, of which the list has `=KEY` and the script the seed. */
bool release_key_make(char key[RELEASE_KEY], char seed[RELEASE_KEY], struct err *err) MUST_USE;

/* One call. */
struct release_call {
	const char *agent;
	const char *act;
	const char *words;     /* with its seconds before them */
	const char *challenge; /* of the agent */
};

/* ret: of that ticket with its seed.  False and *err: it has none. */
bool release_call_sign(const char *ticket, const struct release_call *call,
    char ret[2 * CRYPTO_ED25519_SIGNATURE + 1], struct err *err) MUST_USE;
bool release_call_is_signed(const struct release_ticket *ticket, const struct release_call *call,
    const char *signature) MUST_USE;

/* What an agent has of itself, when a ticket is shown to it. */
struct release_ticket_of {
	const struct order_keys *keys;
	uint64_t lowest; /* the epoch below which nothing is taken any more */
	int64_t now_s;
};

/* Is it ours, and not over? */
bool release_ticket_read(const char *text, const struct release_ticket_of *of,
    struct release_ticket *ret, struct err *err) MUST_USE;
/* Is it for that agent, as its units are now?  manifest: its own. */
bool release_ticket_is_for(const struct release_ticket *ticket, const char *agent,
    const char *manifest, struct err *err) MUST_USE;
