/* orphans.h - orphans that became the runner's children, and which of them are new.  Side: runner. */
/* SPDX-License-Identifier: ISC */
/*
 * The runner is a sub-reaper: what a supervisor that was killed had below it becomes the runner's
 * child before that end can be seen.  So does what a good script leaves running when its
 * supervisor goes: an application of the transport local is such a child, and stays one for as
 * long as it serves.  A look says which children are not known yet.
 */
#pragma once

#include "runner/process.h"

/* Zero: nothing is known. */
struct orphans {
	struct process *known;
	size_t count;
};

/* Makes this process a sub-reaper; what it has now is known.  False: none of this will be. */
bool orphans_init(struct orphans *orphans);

/* A child of our own; again: nothing. */
void orphans_add(struct orphans *orphans, pid_t child);

/* The children that are new, the caller's to free; how many, or -1: it cannot be said which are.
 * What has the session of one that is known is no new one: an application that forks. */
int orphans_look(struct orphans *orphans, struct process **ret);

/* This new one is left alone, and known from now on. */
void orphans_keep(struct orphans *orphans, const struct process *child);
