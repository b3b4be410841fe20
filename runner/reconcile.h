/* reconcile.h - makes certain that a run without a supervisor is over, and says how.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "runner/orphans.h"
#include "runner/process.h"
#include "runner/protocol.h"

#define RECONCILE_MAX	PROTOCOL_RUNS_MAX	/* runs that are being ended at once */
#define RECONCILE_EVERY_MS 50

/* To what its supervisor left: are those children of ours known for the run's? */
enum reconcile_bond {
	RECONCILE_CUT,	   /* no: only by session, tag and control group */
	RECONCILE_AWAITED, /* our child is ending: nothing is looked for before it has */
	RECONCILE_WHOLE,   /* yes */
};

/* A run whose supervisor is gone and of which something may be alive. */
struct reconcile {
	uint64_t id;
	int folder;
	int claimed;	/* the exit file, locked; -1: not yet, tried again */
	struct process_main main_process;
	enum reconcile_bond bond;
	int left;		/* children of ours that are the run's, at the last look */
	int clean;		/* looks in a row that found nothing */
	int64_t stuck_at;	/* monotonic ms */
};

struct reconciling {
	size_t count;
	struct reconcile all[RECONCILE_MAX];
};

/* Is it being ended?  Then its exit file is not to be opened: closing it would drop our lock. */
bool reconcile_has(const struct reconciling *reconciling, uint64_t id);

/*
 * Looks at runs/<id>/.  True: *ret is the RECONCILED message (NEVER, ALIVE with the supervisor's
 * number in *ret_supervisor, ENDED or LOST).  False: nobody keeps it and it has no record; it is in
 * the list now (or was), and reconcile_turn goes on with it.
 */
bool reconcile_look(struct reconciling *reconciling, int root, uint64_t id,
    struct protocol_message *ret, pid_t *ret_supervisor);

/* How it is with run id, where that is in the list. */
void reconcile_bind(struct reconciling *reconciling, uint64_t id, enum reconcile_bond bond);

/* Is one of them WHOLE?  Then reconcile_share before each reconcile_turn. */
bool reconcile_needs_look(const struct reconciling *reconciling);

/*
 * Whose are the children that this look found new (count -1: it failed)?  ended: supervisors of
 * ours that ended since the look before and left a record.  What is a lost run's is killed, all
 * else is left alone.  Where it may be one's or another's both are CUT.
 */
void reconcile_share(struct reconciling *reconciling, struct orphans *orphans,
    const struct process fresh[], int count, size_t ended);

/*
 * Kills what is left of the i-th run.  True: nothing is, its `lost` record is on disk and in *ret
 * (RECONCILED), and it is off the list.  False: again in RECONCILE_EVERY_MS; ret->kind is STUCK
 * when that is to be said, else HELLO.
 */
bool reconcile_turn(struct reconciling *reconciling, size_t i, struct protocol_message *ret);
