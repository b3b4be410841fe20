/* keeper.h - the parent, sub-reaper and only witness of one run.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#ifndef KEEPER_H
#define KEEPER_H

#include "runner/program.h"
#include "runner/protocol.h"

struct keeper_start {
	const struct protocol_message *order;	/* kind RUN, valid, with its tag */
	const struct program_place *place;
	int root;	/* runs/ */
	int folder;	/* runs/<id>/: its order, and of a spare one its record's room */
	bool is_spare;
};

/*
 * Forks the keeper.  Returns its pid when it has its lock, its record's room on disk, its leader at
 * the gate and its socket listening; or -1, and then it is gone and the folder is the caller's to
 * remove.  Waits for that.  The folder's name is flushed before the gate can open; where that
 * fails, the gate stays shut.
 *
 * The keeper has a session of its own, ignores INT, TERM and HUP, and holds none of our
 * descriptors.  It lives until its record is written and told, and as long as something that a
 * good script left running holds its output.
 */
pid_t keeper_fork(const struct keeper_start *start, struct err *err);

#endif
