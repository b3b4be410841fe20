/* main_process.h - forks the first process of a run, which waits at its gate.  Side: runner. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/types.h>

#include "lib/err.h"

struct main_process {
	pid_t pid;
	int gate;	/* -1 when it is open */
	int error;	/* where a failed exec leaves its errno */
	bool in_group;	/* it was born in the control group of its plan */
};

#define MAIN_PROCESS_THIRD 3

/* What it becomes when its gate opens.  Borrowed while main_process_fork runs. */
struct main_process_plan {
	const char *path;
	char *const *argv;
	char *const *envp;
	int output;	/* becomes 1 and 2; there are no others but these */
	int group;	/* the control group to be born in, where that can be; -1: ours */
	bool ends_first; /* before us, where memory is short */
	int input;	/* becomes 0; 0: that is /dev/null */
	int third;	/* becomes MAIN_PROCESS_THIRD; 0: there is none */
};

/*
 * The child has a session of its own, dies with us (PDEATHSIG, and a check for the moment before
 * it), keeps every signal blocked until its gate opens (or a TERM would hide that it never ran),
 * and then has no blocked or ignored signal, umask 077, and / as its folder.  When we die or close
 * the gate unopened it ends without exec.
 */
bool main_process_fork(
    struct main_process *ret, const struct main_process_plan *plan, struct err *err) MUST_USE;

/* oom_score_adj of this process; 0 where /proc does not show it. */
int main_process_oom_score(void);

/* Lets it exec.  Once. */
void main_process_open_gate(struct main_process *main_process);

/* After its end: errno of the exec that failed, or 0. */
int main_process_exec_errno(const struct main_process *main_process);

/* Closes what is open, the gate too. */
void main_process_done(struct main_process *main_process);

/* Makes this process's core dump empty and keeps what it was for the programs that it starts:
 * secrets pass through here. */
void main_process_no_core(void);
