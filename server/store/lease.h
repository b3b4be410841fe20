/* lease.h - a thread that takes over when nobody leads, and renews the lease from then on.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * It has a session of its own, so that no decision waits for it nor it for one for long.  Whoever
 * is deposed, or cannot renew, ends at once with ERR_CHANGED's status: what it holds in memory
 * counts for nothing, and its next start is a standby.
 */
#pragma once

#include "store/leader.h"
#include "store/leader_fence.h"

#define LEASE_ASK_MS 250 /* how often a standby asks who leads */

struct lease;
struct settings;

struct lease_config {
	const char *database;	  /* its URL; borrowed until lease_stop() */
	const char *name, *folder; /* this server's, and its STATE_DIRECTORY; borrowed as well */
	void (*on_change)(void *ctx); /* on the thread: lease_look() says another thing now */
	void *ctx;
	const struct settings *settings; /* borrowed for the call */
	bool is_moved_back, is_restored; /* as in struct store_config */
};

struct lease_seen {
	bool leads;
	char holder[LIMIT_RUNNER]; /* who leads; "": nobody, or it is not known */
	bool is_led;		   /* that server's lease is fresh, and it is not about to end */
	bool leaves;		   /* it hands over */
	bool is_read;		   /* the row was, just now: a problem is no cut session's */
	int64_t epoch, since;	   /* as in struct leader */
	int64_t read_ms;	   /* clock_monotonic_ms() when the row was read last */
	char problem[240];	   /* why this server cannot lead; "": nothing is in its way */
	/* Of one that leads, as of some seconds ago. */
	bool has_standby;   /* that could take over */
	int64_t n_replicas; /* that each commit waits for, of PostgreSQL's; -1: not read yet */
};

/* Asks once, and each 250 ms from then on.  NULL and *err: the database cannot be this program's
 * (ERR_CONFIG), or there is no thread.  One that does not answer is waited for. */
struct lease *lease_start(const struct lease_config *config, struct err *err) MUST_USE;
void lease_look(struct lease *lease, struct lease_seen *ret);

/* Settings were read anew; takes NULL. */
void lease_note(struct lease *lease, const struct settings *settings);

/* Of one that leads, from its first moment behind the start on: ends the program where the lease is
 * over, or the store decides nothing. */
void lease_check(struct lease *lease, bool decides);

/* Of one that leads: a standby keeps who asks it waiting from now on, which it learns within
 * LEASE_ASK_MS. */
void lease_leave(struct lease *lease);

/* Once it leads: for the store, which is opened behind it, and for whoever acts. */
struct leader_fence *lease_fence(struct lease *lease);

/* Is it so fresh that something with an outside may be begun, for the first time or again?  NULL,
 * with SQLite: it always is. */
bool lease_may_act(struct lease *lease);

/* Takes NULL.  gives_up: behind the store's last transaction, so that another leads at once. */
void lease_stop(struct lease *lease, bool gives_up);
