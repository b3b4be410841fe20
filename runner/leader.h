/* leader.h - forks the first process of a run, which waits at its gate.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#ifndef LEADER_H
#define LEADER_H

#include <sys/types.h>

#include "lib/err.h"

struct leader {
	pid_t pid;
	int gate;	/* -1 when it is open */
	int error;	/* where a failed exec leaves its errno */
};

/* What it becomes when its gate opens.  Borrowed while leader_fork runs. */
struct leader_plan {
	const char *path;
	char *const *argv;
	char *const *envp;
	int output;	/* becomes 1 and 2; 0 is /dev/null; there are no others */
	int group;	/* the control group to be born in, where that can be; -1: ours */
};

/*
 * The child has a session of its own, dies with us (PDEATHSIG, and a check for the moment before
 * it), keeps every signal blocked until its gate opens (or a TERM would hide that it never ran),
 * and then has no blocked or ignored signal, umask 077, and / as its folder.  When we die or close
 * the gate unopened it ends without exec.
 */
bool leader_fork(struct leader *ret, const struct leader_plan *plan, struct err *err) MUST_USE;

/* Lets it exec.  Once. */
void leader_open_gate(struct leader *leader);

/* After its end: errno of the exec that failed, or 0. */
int leader_exec_errno(const struct leader *leader);

/* Closes what is open, the gate too. */
void leader_done(struct leader *leader);

/* Makes this process's core dump empty and keeps what it was for the programs that it starts:
 * secrets pass through here. */
void leader_no_core(void);

#endif
