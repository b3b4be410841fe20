/* agents_seen.h - which agents are connected, as a decision reads it.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * A picture of what the loop remembers, which an event carries: 10,000 connects are no events, and
 * no rows.  Counted, and never changed once an event has it.
 */
#pragma once

#include <stdatomic.h>

#include "types/known_peers.h"

#define AGENT_SEEN_VERSION 19

enum agent_state {
	AGENT_UNSEEN,  /* since the server's start */
	AGENT_GONE,    /* it was connected */
	AGENT_SILENT,  /* its host is connected, and deploybot-agent there does not answer */
	AGENT_CONNECTED,
};

struct agent_seen {
	int64_t gone_at; /* wall ms: since when no connection lasted a minute; 0: none has ended */
	int64_t here_at; /* wall ms: since when it is connected; 0: it is not */
	int32_t clock_ahead_s; /* of its clock before ours; below 0: behind it */
	char version[AGENT_SEEN_VERSION]; /* of deploybot-link there, cut; "": not known */
	uint8_t state;			  /* enum agent_state */
	uint8_t refused_version; /* of the protocol, for which it was disconnected; 0: it was not */
};

#define AGENT_CLOCK_OFF_S 60 /* less is said of no clock */

/* Of a clock that a host has just said, in seconds since 1970. */
void agent_seen_clock(struct agent_seen *seen, int64_t clock_s);

struct agents_seen {
	atomic_int count;
	int64_t began_at;	   /* wall ms: since when we know */
	int64_t link_gone_at;	   /* wall ms; 0: deploybot-link is connected */
	struct known_peers *known; /* a reference */
	struct agent_seen at[];	   /* of each of them */
};

/* One reference, of nobody seen; takes that to `known`. */
struct agents_seen *agents_seen_new(struct known_peers *known) MUST_USE;
struct agents_seen *agents_seen_ref(struct agents_seen *seen); /* takes NULL */
void agents_seen_unref(struct agents_seen *seen);	       /* takes NULL */

/* Of one that is enrolled; AGENT_UNSEEN too where nothing is known (seen NULL). */
struct agent_seen agents_seen_of(const struct agents_seen *seen, const char *identity);

/* Its connection has ended, or it could not be greeted: that is so since `at` where the connection
 * had lasted a minute, and else since it was so before. */
void agent_seen_end(struct agent_seen *seen, int64_t at);

/* It is connected, for less than a minute, and comes and goes, or was gone, since gone_at. */
bool agent_seen_is_unsteady(const struct agent_seen *seen, int64_t at) MUST_USE;

/* Of those that are enrolled and not revoked. */
struct agents_count {
	size_t connected, disconnected;
	size_t gone;	 /* clients' and environments' for ten minutes, runners for one */
	size_t gone_production; /* of environments among them that are production, or confirm */
	size_t expiring; /* the certificate ends within ten days: it should be renewed by then */
};

struct settings;

struct agents_count
agents_seen_count(const struct agents_seen *seen, const struct settings *settings, int64_t at);
