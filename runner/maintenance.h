/* maintenance.h - has the mirrors packed once a day, while there is nothing else to do.  Side: runner. */
/* SPDX-License-Identifier: ISC */
/*
 * Looks 24 times in MIRROR_MAINTENANCE_SECONDS, when nothing was ordered for a minute: commits.sh
 * knows of each mirror whether it is due.  What needs a mirror ends it, and the next look begins it
 * again.
 */
#pragma once

#include "runner/program.h"

struct maintenance {
	int64_t due; /* monotonic ms: no look before */
	int64_t look_ms;
	pid_t pid;   /* 0: reaped already */
	int fd;	     /* where its answer comes from; -1: none is in progress */
	bool is_ended; /* on request: what it says then is no failure */
};

void maintenance_init(struct maintenance *maintenance, const struct program_dirs *dirs);

/* Milliseconds until there may be something to do; -1: while one is in progress. */
int maintenance_wait_ms(const struct maintenance *maintenance);

/* There is nothing else to do: looks, if it is time. */
void maintenance_turn(struct maintenance *maintenance, const struct program_dirs *dirs);

/* Somebody needs a mirror: ends what is in progress, which removes what it left half-done. */
void maintenance_end(struct maintenance *maintenance);

/* When its fd can be read: it is over. */
void maintenance_read(struct maintenance *maintenance);

/* This child was waited for by somebody else. */
void maintenance_reaped(struct maintenance *maintenance, pid_t pid);
