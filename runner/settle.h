/* settle.h - makes certain that a run without a keeper is over, and says how.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#ifndef SETTLE_H
#define SETTLE_H

#include "runner/process.h"
#include "runner/protocol.h"

#define SETTLE_MAX	64	/* runs that are being ended at once */
#define SETTLE_EVERY_MS 50

/* A run whose keeper is gone and of which something may be alive. */
struct settle {
	uint64_t id;
	int folder;
	int claimed;	/* the exit file, locked; -1: not yet, tried again */
	struct process_leader leader;
	int clean;		/* looks in a row that found nothing */
	int64_t stuck_at;	/* monotonic ms */
};

struct settling {
	size_t count;
	struct settle all[SETTLE_MAX];
};

/* Is it being ended?  Then its exit file is not to be opened: closing it would drop our lock. */
bool settle_has(const struct settling *settling, uint64_t id);

/*
 * Looks at runs/<id>/.  True: *ret is the SETTLED message (NEVER, ALIVE with the keeper's number in
 * *ret_keeper, ENDED or LOST).  False: nobody keeps it and it has no record; it is in the list
 * now (or was), and settle_turn goes on with it.
 */
bool settle_look(struct settling *settling, int root, uint64_t id, struct protocol_message *ret,
    pid_t *ret_keeper);

/*
 * Kills what is left of the i-th run.  True: nothing is, its `lost` record is on disk and in *ret
 * (SETTLED), and it is off the list.  False: again in SETTLE_EVERY_MS; ret->kind is STUCK when that
 * is to be said, else HELLO.
 */
bool settle_turn(struct settling *settling, size_t i, struct protocol_message *ret);

#endif
