/* supervisor.h - the parent, sub-reaper and only witness of one run.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "runner/program.h"
#include "runner/protocol.h"

struct order_gate;

struct supervisor_start {
	const struct protocol_message *order;	/* kind RUN, valid, with its tag */
	const struct program_dirs *dirs;
	const struct order_gate *gate; /* by which `go` is proven; NULL: it is not */
	int root;	/* runs/ */
	int folder;	/* runs/<id>/: its order, and of a spare one its record's room */
	bool is_spare;
};

/*
 * Forks the supervisor.  Returns its pid when it has its lock, its record's room on disk, its
 * main process at the gate and its socket listening; or -1, and then it is gone and the folder is
 * the caller's to remove.  Waits for that.  The folder's name is flushed before the gate can open;
 * where that fails, the gate stays shut.
 *
 * The supervisor has a session of its own, ignores INT, TERM and HUP, and holds none of our
 * descriptors.  It lives until its record is written and sent, and as long as something that a
 * good script left running holds its output.
 */
pid_t supervisor_fork(const struct supervisor_start *start, struct err *err);
